"""The files of a stream: found by a pattern, opened here or far away, and known again when they are read."""

from __future__ import annotations

import fnmatch
import glob
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from deltarule.data.raw_files import describe
from deltarule.errors import DataFileError, MissingExtraError
from deltarule.registry import import_extra

#: What begins the address of a file system, and not of a database.
_FAR = ("s3", "s3a", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss", "az", "adl", "http", "https", "file",
        "memory", "ftp", "sftp", "github", "hf", "webhdfs", "dbfs", "oci", "r2")  # fmt: skip
_WILD = "*?["


@dataclass(frozen=True)
class StreamFile:
    """A file, as it was when it was found.

    Parameters
    ----------
    name : str
        Its path or address.
    size : int
    stamp : str
        When it was changed last, as its file system says it; "" where it does not.
    open : callable
        Opens it for reading bytes.
    look : callable
        Size and stamp as they are now.
    packed : bool
        Whether it lies in an archive, where a place is found only by reading all before it.
    """

    name: str
    size: int
    stamp: str
    open: Callable[[], Any]
    look: Callable[[], tuple[int, str]]
    packed: bool = False

    def check(self) -> None:
        """Refuse a file that is gone, or not what it was.

        Raises
        ------
        DataFileError
        """
        try:
            size, stamp = self.look()
        except (OSError, ValueError) as error:
            reason = "it no longer exists" if isinstance(error, FileNotFoundError) else describe(error)
            raise DataFileError(
                self.name, f"{reason}; a stream is read again in every epoch, so its files must stay in place"
            ) from None
        if (size, stamp) != (self.size, self.stamp):
            raise DataFileError(
                self.name,
                f"the file changed while it was in use ({self.size:,} bytes before, {size:,} now): "
                "leave it alone until training ends, or start again",
            )


def is_pattern(source: object) -> bool:
    """Return whether a source names files by a pattern, or lies in a file system far away.

    Examples
    --------
    >>> is_pattern("train/*.parquet"), is_pattern("s3://bucket/train.csv"), is_pattern("iris")
    (True, True, False)
    """
    if not isinstance(source, str | os.PathLike):
        return False
    text = os.fspath(source)
    if _is_far(text):
        return True
    return any(mark in text for mark in _WILD) and "://" not in text and not os.path.exists(text)


def _is_far(text: str) -> bool:
    return text.partition("://")[0].lower() in _FAR and "://" in text


def find_files(source: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> list[StreamFile]:
    """Find the files of a path, a pattern, or a folder, in the order of their names.

    Hidden ones, and those whose names begin with ``_``, are passed over.

    Raises
    ------
    DataFileError
        If there are none.
    """
    text = os.fspath(source)
    if _is_far(text):
        return _found(text, _far_files(text))
    if os.path.isdir(text):
        inner = (path for path in Path(text).rglob("*") if path.suffix.lower() in suffixes)
        return _found(
            text, [_local(str(path)) for path in sorted(inner) if _is_plain(path.relative_to(text))]
        )
    if zipfile.is_zipfile(text):
        return _found(text, _zipped(text, suffixes))
    names = [text] if os.path.exists(text) else sorted(glob.glob(text, recursive=True))
    names = [name for name in names if os.path.isfile(name) and _is_plain(Path(name).name)]
    return _found(text, [_local(name) for name in names])


def _is_plain(path: str | os.PathLike[str]) -> bool:
    return not any(part.startswith((".", "_")) for part in PurePosixPath(Path(path).as_posix()).parts)


def _found(text: str, files: list[StreamFile]) -> list[StreamFile]:
    if not files:
        wild = any(mark in text for mark in _WILD)
        folder = os.path.dirname(text.split("*", 1)[0]) or "."
        reason = "no file matches this pattern" if wild else "there are no files of a supported kind"
        if not wild and not os.path.exists(text):
            reason = "no such file"
        if "://" not in text and not os.path.isdir(folder):
            reason += f": there is no folder {folder}"
        raise DataFileError(text, reason)
    return files


def _local(name: str) -> StreamFile:
    def look() -> tuple[int, str]:
        status = os.stat(name)
        return status.st_size, str(status.st_mtime_ns)

    return StreamFile(name, *look(), lambda: open(name, "rb"), look)


def _zipped(path: str, suffixes: Sequence[str]) -> list[StreamFile]:
    """The files in a ZIP archive."""

    def file(member: zipfile.ZipInfo) -> StreamFile:
        def look() -> tuple[int, str]:
            status = os.stat(path)
            return member.file_size, f"{status.st_size} {status.st_mtime_ns}"

        def opened() -> Any:
            with zipfile.ZipFile(path) as archive:
                return archive.open(member)

        return StreamFile(f"{path}/{member.filename}", *look(), opened, look, packed=True)

    with zipfile.ZipFile(path) as archive:
        members = sorted(archive.infolist(), key=lambda member: member.filename)
    chosen = (member for member in members if PurePosixPath(member.filename).suffix.lower() in suffixes)
    return [file(member) for member in chosen if _is_plain(member.filename)]


def _far_files(text: str) -> list[StreamFile]:
    """Files that fsspec opens, where it is installed, or else pyarrow."""
    try:
        fsspec = import_extra("fsspec", "arrow")
    except MissingExtraError:
        return _arrow_files(text)
    try:
        system, path = fsspec.core.url_to_fs(text)
        names = sorted(system.glob(path) if any(mark in path for mark in _WILD) else system.find(path))
    except Exception as error:  # of as many kinds as there are file systems
        raise DataFileError(text, f"cannot be reached: {describe(error)}") from None

    def file(name: str) -> StreamFile:
        def look() -> tuple[int, str]:
            system.invalidate_cache()
            known = system.info(name)
            stamp = known.get("ETag") or known.get("mtime") or known.get("created") or ""
            return int(known["size"]), str(stamp)

        return StreamFile(system.unstrip_protocol(name), *look(), lambda: system.open(name, "rb"), look)

    return [file(name) for name in names if _is_plain(PurePosixPath(name).name)]


def _arrow_files(text: str) -> list[StreamFile]:
    fs = import_extra("pyarrow.fs", "arrow")
    scheme, _, rest = text.partition("://")
    base = rest
    while any(mark in base for mark in _WILD):
        base = base.rpartition("/")[0]
    try:
        system, root = fs.FileSystem.from_uri(f"{scheme}://{base}")
        (found,) = system.get_file_info([root])
        if found.type == fs.FileType.Directory:
            listed: Iterable[Any] = system.get_file_info(fs.FileSelector(root, recursive=True))
        else:
            listed = [found]
        pattern = root + rest[len(base) :] if base != rest else f"{root.rstrip('/')}*"
        names = sorted(
            item.path
            for item in listed
            if item.type == fs.FileType.File
            and fnmatch.fnmatch(item.path, pattern)
            and _is_plain(PurePosixPath(item.path).name)
        )
    except Exception as error:
        raise DataFileError(text, f"cannot be reached: {describe(error)}") from None

    def file(name: str) -> StreamFile:
        def look() -> tuple[int, str]:
            (known,) = system.get_file_info([name])
            if known.type == fs.FileType.NotFound:
                raise FileNotFoundError(name)
            return int(known.size), str(known.mtime_ns or "")

        return StreamFile(f"{scheme}://{name}", *look(), lambda: system.open_input_file(name), look)

    return [file(name) for name in names]

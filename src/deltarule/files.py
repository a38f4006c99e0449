"""Writing files and folders so that a crash at any moment leaves the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

from deltarule.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_LONG_AGO = 3600.0  # seconds: no save takes so long

#: What file systems say on which every file has a name.
_NO_NAMELESS = errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOSYS


def format_of(path: str | os.PathLike[str], formats: Mapping[str, str | Sequence[str]]) -> str | None:
    """Return the format that the ending of a path means, or None where it means none of them.

    ``formats`` has each format's ending, or endings, in lower case.

    Examples
    --------
    >>> format_of("Sheet.PDF", {"pdf": ".pdf", "javascript": (".js", ".mjs")})
    'pdf'
    """
    ending = os.path.splitext(os.fspath(path))[1].lower()
    for format, endings in formats.items():
        if ending in ([endings] if isinstance(endings, str) else endings):
            return format
    return None


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Refuse a path that could not be written at the end of a long run: say so before it starts.

    Raises InputError if the folder is missing or read-only, or the path is taken by something that is not
    a file.
    """
    from pathlib import Path

    target = Path(path)
    if "\0" in str(target):
        raise InputError(f"cannot write {str(target)!r}: a file name cannot contain a null byte")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        kind = "a symbolic link" if target.is_symlink() else "a folder" if target.is_dir() else "not a file"
        raise InputError(f"cannot write {target}: it is {kind}")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {target}: the folder {target.parent} is read-only")
    return target


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path``: see :func:`open_atomically`."""
    with open_atomically(path) as file:
        file.write(data)


@contextlib.contextmanager
def open_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file to write: temporary file beside it, flush, fsync, replace, fsync of the folder.

    Whatever fails on the way, ``path`` holds what it held before and no temporary stays; only where the
    last step fails, which makes the replacement outlast a power failure, it holds the new data. On Linux
    the temporary has no name before it is whole, so that none stays of a process that is killed either.

    Raises InputError if the path cannot be written at all; OSError if a step fails, as the operating
    system says it.
    """
    target = check_writable(path)
    temporary = _temporary(target)
    try:
        with os.fdopen(_opened(temporary), "wb") as file:
            yield file
            file.flush()
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            os.fsync(file.fileno())
            if not temporary.exists():
                os.link(f"/proc/self/fd/{file.fileno()}", temporary, src_dir_fd=file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    # Remove what a save of this file left behind that was killed, an hour ago or longer.
    prefix = f".{target.name[:20]}."
    for found in target.parent.iterdir():
        middle = found.name.removeprefix(prefix).removesuffix(".tmp")
        if found.name == f"{prefix}{middle}.tmp" and len(middle) == 16:
            with contextlib.suppress(OSError):
                if time.time() - found.stat().st_mtime > _LONG_AGO:
                    found.unlink()


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder beside ``path`` to write in, which becomes ``path`` once all is written.

    Whatever fails on the way, there is no folder ``path``, or an empty one if there was, and no temporary
    stays behind.

    Raises InputError if something is there that is not an empty folder, or no folder to make it in.
    """
    import shutil
    from pathlib import Path

    target = Path(path)
    if "\0" in str(target) or not target.name:
        raise InputError(f"cannot write {str(target)!r}: name a new folder")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InputError(f"cannot write {target}: it is not a folder")
    if target.is_dir() and any(target.iterdir()):
        raise InputError(f"cannot write {target}: the folder is not empty; name a new one")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    temporary = _temporary(target)
    temporary.mkdir()
    try:
        yield temporary
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _temporary(target: Path) -> Path:
    """Return a name beside ``target`` that nobody else has."""
    return target.with_name(f".{target.name[:20]}.{os.urandom(8).hex()}.tmp")


def _opened(temporary: Path) -> int:
    """Open a temporary file, without its name where the system can."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(temporary.parent, os.O_WRONLY | os.O_TMPFILE, 0o666)
        except OSError as error:
            if error.errno not in _NO_NAMELESS:
                raise
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

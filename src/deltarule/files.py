"""Writing files so that a crash at any moment leaves the old file or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from deltarule.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_writable", "write_atomically"]


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Refuse a path that could not be written at the end of a long run: say so before it starts.

    Raises
    ------
    InputError
        If the folder is missing or read-only, or the path is taken by something that is not a file.
    """
    from pathlib import Path

    target = Path(path)
    if "\0" in str(target):
        raise InputError(f"cannot write {str(target)!r}: a name holds no null byte")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        kind = "a symbolic link" if target.is_symlink() else "a folder" if target.is_dir() else "not a file"
        raise InputError(f"cannot write {target}: it is {kind}")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {target}: the folder {target.parent} is read-only")
    return target


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path``: temporary file beside it, flush, fsync, replace, fsync of the folder.

    Whatever fails on the way, ``path`` holds what it held before and no temporary stays behind.

    Raises
    ------
    InputError
        If the path cannot be written at all.
    OSError
        If writing fails, as the operating system says it.
    """
    target = check_writable(path)
    temporary = target.with_name(f".{target.name[:20]}.{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

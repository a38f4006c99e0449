"""Writing files so that a crash at any moment leaves the old file or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from deltarule.errors import InputError

__all__ = ["check_writable", "write_atomically"]


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Refuse a path that could not be written at the end of a long run: say so before it starts.

    Raises
    ------
    InputError
        If the folder is missing or read-only, or the path is taken by something that is not a file.
    """
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
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    prefix = f".{target.name[:20]}.{secrets.token_hex(4)}."  # its own, so that it can be found again
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:  # a signal may come before mkstemp has said what it made
        for left in target.parent.iterdir():
            if left.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    left.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

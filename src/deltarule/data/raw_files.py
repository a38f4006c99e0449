"""The bytes of data files and the entries of folders, or why they cannot be read."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from deltarule.errors import DataFileError

#: What reading a packed file raises where it is damaged, or packed in a way of its own.
DAMAGED: tuple[type[Exception], ...] = (
    zlib.error, zipfile.BadZipFile, struct.error, OSError, EOFError, ValueError, RuntimeError,
)  # fmt: skip
if find_spec("lzma") is not None:  # not every Python has it
    DAMAGED += (import_module("lzma").LZMAError,)


def check_file(path: str | os.PathLike[str]) -> Path:
    """Refuse what is not a regular file: a folder, a pipe that would hang, nothing at all."""
    file = Path(path)
    try:
        if file.is_file():
            return file
        reason = "it is a folder" if file.is_dir() else "not a file" if file.exists() else "no such file"
    except (OSError, ValueError) as error:
        reason = describe(error)
    raise DataFileError(path, f"cannot be read: {reason}")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read all bytes of a regular file.

    Raises
    ------
    DataFileError
        If there is no such file, or it cannot be read.
    """
    try:
        return check_file(path).read_bytes()
    except OSError as error:
        raise DataFileError(path, f"cannot be read: {describe(error)}") from None


def describe(error: Exception) -> str:
    """Return the reason in an error of the operating system or a library, in one short line."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return text[:150] or type(error).__name__


def list_folder(folder: Path) -> list[Path]:
    """List what a folder holds, by name, without hidden entries."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataFileError(folder, f"cannot be read: {describe(error)}") from None

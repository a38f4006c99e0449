"""The files that hold programs: which there are in a folder, and what cannot be one."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Sequence
from pathlib import Path

from deltarule.diagnosis.recording.source import read_source
from deltarule.errors import DataFileError, InputError

_ENDINGS = (".py", ".ipynb")


def programs_in(folder: Path) -> list[Path]:
    """Return the programs of a folder and of the folders in it, in the order of their names.

    What another file of a folder in it imports is a part of that, and no program of its own.

    Raises
    ------
    InputError
        If there is no such folder, or no program in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    found = []
    for one in [folder, *(path for path in _shown(folder) if path.is_dir())]:
        files = [path for path in _shown(one) if path.suffix in _ENDINGS and path.is_file()]
        found += [path for path in files if one is folder or not _is_imported(path, files)]
    if not found:
        raise InputError(f"{folder}: there are no programs (.py or .ipynb) in it or in its subfolders")
    return sorted(found, key=lambda path: (path.parent, path.name))


def _shown(folder: Path) -> list[Path]:
    """What is in a folder and is not hidden."""
    return [path for path in folder.iterdir() if path.name[0] not in "._"]


def _is_imported(path: Path, others: Sequence[Path]) -> bool:
    pattern = re.compile(rf"^\s*(from|import)\s+{re.escape(path.stem)}\b", re.M)
    texts = (one.read_text(encoding="utf-8", errors="replace") for one in others if one != path)
    return any(pattern.search(text) for text in texts)


def refuse_what_is_no_program(path: Path, name: str) -> None:
    """Refuse a file that cannot be run at all; ``name`` is what it is called.

    Raises
    ------
    InputError
        If it is not there, empty, binary or no Python; with the line, where there is one.
    """
    if not path.is_file():
        raise InputError(f"{name}: there is no such file")
    if path.suffix not in _ENDINGS:
        raise InputError(f"{name}: it is neither a Python file (.py) nor a notebook (.ipynb)")
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{name}: it is written in UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise InputError(f"{name}: it is a binary file, not a program")
    _refuse_bytes(data, name)
    try:
        source = read_source(path)
    except SyntaxError as error:
        text = f"{error.msg} ({type(error).__name__})"
        raise DataFileError(name, text, error.lineno, error.offset) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name}: it cannot be read as a notebook ({error})") from error
    except (RecursionError, MemoryError) as error:
        raise InputError(f"{name}: its expressions are nested too deeply to be read") from error
    if not source.tree.body:
        raise InputError(f"{name}: it is empty: it contains no program")


def _refuse_bytes(data: bytes, name: str) -> None:
    """Refuse what is neither UTF-8 nor what its first lines declare."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        data.decode(encoding)
    except SyntaxError as error:
        raise InputError(f"{name}: its encoding is unknown, or not UTF-8 ({error.msg})") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataFileError(name, f"it is not {encoding.upper()}; save the file as UTF-8", line) from error

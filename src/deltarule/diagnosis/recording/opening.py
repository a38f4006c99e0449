"""What a recorded program gets for files that it opens: made-up ones where they are not there."""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.diagnosis.recording import made_data
from deltarule.diagnosis.recording.data_use import cells_of_lines, words_of_classes
from deltarule.diagnosis.recording.source import ProgramSource, read_source


def opened(name: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
    """``open`` that writes to memory, and makes up the tables that are not there."""
    if any(letter in mode for letter in "wax+"):
        return io.BytesIO() if "b" in mode else io.StringIO()
    try:
        return open(name, mode, *args, **options)
    except FileNotFoundError:
        program = sys._getframe(1).f_code.co_filename
        if str(name).endswith(".json") or ("b" in mode and _is_pickle(name, program)):
            return made_data.packed_file(name, read_source(program).tree, is_binary="b" in mode)
        if "b" in mode and made_data.is_idx(name):
            return made_data.idx_file(name)
        source = read_source(program)
        if not (
            str(name).endswith((".csv", ".txt", ".data")) or _splits_lines(source, sys._getframe(1).f_lineno)
        ):
            raise
        made = made_data.text_file(name, *_form(program), words_of_classes(source.tree))
        return io.BytesIO(made.getvalue().encode()) if "b" in mode and not source.is_translated else made


def opened_compressed(
    uncompressing: Callable[..., Any], name: Any, mode: str = "rb", *args: Any, **options: Any
) -> Any:
    """``gzip.open`` and its like, which make up the pickles that are not there."""
    try:
        return uncompressing(name, mode, *args, **options)
    except FileNotFoundError:
        program = sys._getframe(1).f_code.co_filename
        if _is_pickle(name, program):
            return made_data.packed_file(name, read_source(program).tree, is_binary=True)
        if not made_data.is_idx(name):
            raise
        return made_data.idx_file(name)


def _splits_lines(source: ProgramSource, line: int) -> bool:
    """Whether a program takes files apart into cells, and does nothing else where there is none."""
    nodes = list(source.nodes)
    tried = [part for one in nodes if isinstance(one, ast.Try) for part in one.body]
    is_tried = any(one.lineno <= line <= (one.end_lineno or 0) for one in tried)
    return not is_tried and any(
        isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and one.func.attr in ("split", "reader")
        for one in nodes
    )


def _is_pickle(name: Any, program: str) -> bool:
    """Whether a program unpickles a file: its name says so, or it has no ending that says otherwise."""
    is_named = re.search(r"\.(pkl|pickle|p)(\.\w+)?$", str(name))
    return bool(is_named or ("." not in Path(name).name and "pickle.load" in read_source(program).text))


def of_matlab(name: str, found: Any) -> Any:
    """A function of ``scipy.io``, which makes up the files of MATLAB that are not there."""
    if name != "loadmat":
        return found

    def load(name: Any, *args: Any, **options: Any) -> Any:
        try:
            return found(name, *args, **options)
        except FileNotFoundError:
            content = made_data.packed_content(name, read_source(sys._getframe(1).f_code.co_filename).tree)
            return {key: np.reshape(part, (len(part), -1)) for key, part in dict(content).items()}

    return load


def _form(path: str) -> tuple[str, int]:
    """What a program splits its lines at, and how many columns it reads of them."""
    source = read_source(path)
    text = source.text
    split = re.search(r"""(\w+)\s*=.*?\.split\(\s*(?:(['"])(.+?)\2)?\s*\)""", text)
    found = re.search(r"""split\(\s*(['"])([^'"]+)\1""", text)
    separator = found.group(2).replace("\\t", "\t").replace("\\n", ",") if found else ","
    if split is not None:
        separator = separator if found or "csv" in text else " "
    count = cells_of_lines(source.tree)
    return separator, count if count > 2 else 0

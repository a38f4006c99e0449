"""Data that a program asks for and that are not there, made up: tables, files, pictures."""

from __future__ import annotations

import ast
import io
import json
import pickle
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.data_use import arguments_taken, holds_targets
from deltarule.diagnosis.recording.source import read_source
from deltarule.diagnosis.recording.tape import MadeTable, current_tape
from deltarule.diagnosis.recording.traced import leaf, plain

#: How many made-up pictures there are at least, and how large a table becomes that is made up.
_PICTURES, _LARGEST = 40, 10_000_000
#: Names under which a file keeps what a network should give.
OF_TARGETS = re.compile(r"y|t$|.*(label|target|class|output|expected|answer|desired|etiq|ziel|sortie)", re.I)


def note(text: str) -> None:
    """Tell what was made up."""
    tape = current_tape()
    if tape is not None:
        tape.note("missing", text)


def _made() -> MadeTable:
    tape = current_tape()
    return tape.made if tape is not None else MadeTable()


def has_pictures(name: Any) -> bool:
    """Whether a table is called as those are that hold pictures, with their classes in the first column."""
    return _made().pictures and any(word in str(name).lower() for word in ("mnist", "digit", "fashion"))


def numbers(name: Any, columns: int = 0) -> Any:
    """Made-up data: classes first for pictures, last for other tables."""
    rng, made = np.random.RandomState(3), _made()
    if has_pictures(name):
        count = max(_PICTURES, min(made.rows, _LARGEST // 784))
        return np.concatenate(
            [np.arange(count).reshape(-1, 1) % 10, rng.randint(0, 256, (count, 784))], axis=1
        )
    table = rng.rand(made.rows, columns or made.columns)
    table = np.rint(3 * table) if made.is_whole else table
    table[:, -1] = np.arange(made.rows) % made.classes
    return table


def table(name: Any, dtype: Any = None, unpack: bool = False, usecols: Any = None) -> Any:
    """Made-up numbers in place of a file that is not there: a column for a file of targets."""
    note(f"{name} is missing: made-up numbers were used")
    made = numbers(name, len(usecols) if isinstance(usecols, list | tuple | range) else 0)
    if dtype is not None and np.dtype(dtype).kind in "iu":
        made = np.rint(9 * made) if (made % 1).any() else made
        made[:, -1] = np.arange(len(made)) % _made().classes
    if holds_targets(str(name)):
        made = made[:, -1]
    made = made if dtype is None else made.astype(dtype)
    return leaf(made.T if unpack else made, is_scalar=False)


def _calling_program() -> ast.AST:
    """The program that is recorded, or the module beside it, that asks for something."""
    tape, frame = current_tape(), sys._getframe(1)
    while tape is not None and frame.f_back is not None and frame.f_code.co_filename not in tape.files:
        frame = frame.f_back
    return read_source(frame.f_code.co_filename).tree if tape is not None else ast.Module([], [])


class _Archive(dict[str, Any]):
    """The arrays of a made-up file of several, by name."""

    files = property(lambda self: list(self))

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    close = __exit__


def archive(name: Any) -> Any:
    """The arrays that a program takes of a file of several (npz) that is not there."""
    content = packed_content(name, _calling_program())
    named = content if isinstance(content, dict) else {"arr_0": content[0], "arr_1": content[1]}
    return _Archive({str(key): leaf(part, is_scalar=False) for key, part in named.items()})


class _Argument(str):
    """What a program is started with: the name of a file, or a number where it makes one of it."""

    def __int__(self) -> int:
        return 5

    def __float__(self) -> float:
        return 0.1


def made_arguments(program: ast.AST) -> list[str]:
    """What a program is started with, made up by what it calls it."""
    names = arguments_taken(program)
    note(f"{', '.join(names)}: not given when it was started, so files or numbers were made up")
    return [_Argument(f"{name}.txt") for name in names]


class _Bunch(dict[str, Any]):
    """A data set as scikit-learn gives it."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def wrap_datasets(name: str, found: Any) -> Any:
    """A function of scikit-learn's that fetches data, which makes up what cannot be fetched."""
    if not name.startswith("fetch_"):
        return found

    def fetch(*args: Any, return_X_y: bool = False, **options: Any) -> Any:
        try:
            return found(*args, return_X_y=return_X_y, **options)
        except OSError:
            named = str(args[0]) if args else name
            note(f"{named} cannot be downloaded: made-up numbers were used")
            made = numbers(named)
            made = made if has_pictures(named) else np.roll(made, 1, axis=1)  # classes first
            data, target = made[:, 1:].astype(float), made[:, 0].astype(int)
            labels = target.astype(str) if name == "fetch_openml" else target
            return (data, labels) if return_X_y else _Bunch(data=data, target=labels)

    return fetch


def text_file(name: Any, separator: str = ",", columns: int = 0, words: Sequence[str] = ()) -> io.StringIO:
    """A made-up file of numbers, separated as the program splits its lines; ``words`` are the classes."""
    note(f"{name} is missing: made-up numbers were used")
    rows = [[f"{x:g}" for x in row] for row in numbers(name, columns)]
    for k, row in enumerate(rows if words else ()):
        row[-1] = words[k % len(words)]
    return io.StringIO("\n".join(map(separator.join, rows)) + "\n")


def idx_array(name: Any) -> Any:
    """What a made-up file of MNIST's kind holds: pictures, or their classes where it is called so."""
    note(f"{name} is missing: made-up pictures were used")
    count = max(_PICTURES, _made().rows)
    if holds_targets(str(name)):
        return np.arange(count, dtype=np.uint8) % 10
    return np.random.RandomState(3).randint(0, 256, (count, 28, 28), np.uint8)


def file_of_numbers(name: str) -> Any:
    """What a package that is not there reads of a file: pictures or their classes, or a table."""
    return idx_array(name) if is_idx(name) else plain(table(name))


def is_idx(name: Any) -> bool:
    """Whether a file is called as MNIST's are, which hold bytes behind a head."""
    return bool(re.search(r"ubyte|\bidx\d?\b|mnist", str(name), re.I))


def idx_file(name: Any) -> io.BytesIO:
    """A made-up file of MNIST's kind: its head, and the bytes of its pictures or classes."""
    made = idx_array(name)
    head = [2048 + made.ndim, *made.shape]
    return io.BytesIO(np.array(head, ">i4").tobytes() + made.tobytes())


def packed_file(name: Any, program: ast.AST, is_binary: bool) -> io.BytesIO | io.StringIO:
    """A made-up file of JSON or a pickle, with the parts that the program takes it apart into."""
    content = packed_content(name, program)
    if str(name).endswith(".json"):
        is_named = isinstance(content, dict)
        named = {_text(key): part.tolist() for key, part in content.items()} if is_named else {}
        text = json.dumps(named if is_named else numbers(name).tolist())
        return io.BytesIO(text.encode()) if is_binary else io.StringIO(text)
    return io.BytesIO(pickle.dumps(content))


def packed_content(name: Any, program: ast.AST) -> Any:
    """What a made-up file holds, with the parts that the program takes it apart into."""
    note(f"{name} is missing: made-up numbers were used")
    table = numbers(name)
    table = np.roll(table, -1, axis=1) if has_pictures(name) else table  # classes last
    inputs, targets = table[:, :-1], table[:, -1].astype(int)
    keys, n_parts = _parts_of(program)
    content: Any = {key: targets if OF_TARGETS.match(_text(key)) else inputs for key in keys}
    if not keys:
        content = (inputs, targets) if n_parts < 3 else [(inputs, targets)] * n_parts
    return content


def _parts_of(program: ast.AST) -> tuple[list[str | bytes], int]:
    """The names by which a program takes data apart, and how many parts of a file it unpacks."""
    keys, n_parts = dict[str | bytes, None](), 0
    for node in ast.walk(program):
        match node:
            case ast.Subscript(slice=ast.Constant(str() | bytes() as key), ctx=ast.Load()):
                keys[key] = None
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(str() as key)]):
                keys[key] = None
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Call(func=ast.Attribute(attr="load"))):
                n_parts = len(parts)
    return list(keys) if not n_parts else [], n_parts


def _text(key: str | bytes) -> str:
    return key if isinstance(key, str) else key.decode("latin-1")


def pictures(*args: Any, **options: Any) -> Any:
    """Made-up pictures and their classes, to learn from and to test with."""
    rng = np.random.RandomState(3)
    counts = (max(200, _made().rows), max(20, _made().rows // 6))
    sets = [(rng.randint(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10) for n in counts]
    return tuple(tuple(leaf(one, is_scalar=False) for one in pair) for pair in sets)


def coloured_pictures(*args: Any, **options: Any) -> Any:
    """The same, of three colours; their classes stand in a column."""
    rng = np.random.RandomState(3)
    sets = [(rng.randint(0, 256, (n, 32, 32, 3), np.uint8), np.arange(n)[:, None] % 10) for n in (200, 40)]
    return tuple(tuple(leaf(one, is_scalar=False) for one in pair) for pair in sets)


def one_hot(y: Any, classes: Any = None, *args: Any, **options: Any) -> Any:
    """Rows with a 1 in the column of each class, as functions of missing packages make of labels."""
    numbers = np.asarray(plain(y)).astype(int).ravel()
    return leaf(np.eye(int(plain(classes) or numbers.max() + 1))[numbers], is_scalar=False)

"""Data that a program asks for and that are not there, made up: tables, files, pictures."""

from __future__ import annotations

import ast
import io
import json
import pickle
import re
from typing import Any

import numpy as np

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


def numbers(name: Any, columns: int = 0) -> Any:
    """Made-up data: classes first for pictures, last for other tables."""
    rng, tape = np.random.RandomState(3), current_tape()
    made = tape.made if tape is not None else MadeTable()
    if any(word in str(name).lower() for word in ("mnist", "digit", "fashion")):
        count = max(_PICTURES, min(made.rows, _LARGEST // 784))
        return np.concatenate(
            [np.arange(count).reshape(-1, 1) % 10, rng.randint(0, 256, (count, 784))], axis=1
        )
    table = rng.rand(made.rows, columns or made.columns)
    table = np.rint(3 * table) if made.is_whole else table
    table[:, -1] = np.arange(made.rows) % 2
    return table


def table(name: Any) -> Any:
    """Made-up numbers in place of a file that is not there."""
    note(f"{name} is missing: made-up numbers were used")
    return leaf(numbers(name), is_scalar=False)


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
            made = made if made.shape[1] > 9 else np.roll(made, 1, axis=1)  # classes first
            data, target = made[:, 1:].astype(float), made[:, 0].astype(int)
            labels = target.astype(str) if name == "fetch_openml" else target
            return (data, labels) if return_X_y else _Bunch(data=data, target=labels)

    return fetch


def text_file(name: Any, separator: str = ",", columns: int = 0) -> io.StringIO:
    """A made-up file of numbers, separated as the program splits its lines."""
    note(f"{name} is missing: made-up numbers were used")
    lines = [separator.join(f"{x:g}" for x in row) for row in numbers(name, columns)]
    return io.StringIO("\n".join(lines) + "\n")


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
    table = np.roll(table, -1, axis=1) if table.shape[1] > 9 else table  # classes last
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
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Call(func=ast.Attribute(attr="load"))):
                n_parts = len(parts)
    return list(keys) if not n_parts else [], n_parts


def _text(key: str | bytes) -> str:
    return key if isinstance(key, str) else key.decode("latin-1")


def pictures(*args: Any, **options: Any) -> Any:
    rng = np.random.RandomState(3)
    sets = [(rng.randint(0, 256, (n, 28, 28)), np.arange(n) % 10) for n in (200, 20)]
    return tuple(tuple(leaf(one, is_scalar=False) for one in pair) for pair in sets)


def one_hot(y: Any, classes: Any = None, *args: Any, **options: Any) -> Any:
    numbers = np.asarray(plain(y)).astype(int).ravel()
    return leaf(np.eye(int(plain(classes) or numbers.max() + 1))[numbers], is_scalar=False)

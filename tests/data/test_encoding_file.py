"""An encoding survives a JSON file exactly, and no forged file gets through."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    NumbersEncoding,
    PixelsEncoding,
)
from deltarule.errors import ModelFileError

COLUMNS = ColumnsEncoding((NumberColumn("a", 0.1, 1 / 3, 5e-324), CategoryColumn("ü", ("p", "q"), "q")))
ENCODINGS = [
    Encoding(COLUMNS, LabelEncoding("y", (0, 7, 100), "uint8")),
    Encoding(COLUMNS, LabelEncoding("y", (False, True), "bool")),
    Encoding(COLUMNS, LabelEncoding("y", ("no", "yes"), "str")),
    Encoding(COLUMNS, NumbersEncoding(("u", "v"), (0.1, 1e300), (1.0, 1e-300))),
    Encoding(PixelsEncoding(28, 28), LabelEncoding("digit", tuple(range(10)), "int64")),
    Encoding(COLUMNS, None),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding_survives_json(encoding: Encoding) -> None:
    back = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict(), allow_nan=False)))
    assert back == encoding
    outputs = np.eye(len(encoding.inputs.feature_names) if encoding.target is None else n_outputs(encoding))
    assert str(back.decode(outputs)) == str(encoding.decode(outputs))


def n_outputs(encoding: Encoding) -> int:
    target = encoding.target
    return len(target.classes if isinstance(target, LabelEncoding) else target.names)  # type: ignore[union-attr]


def forged(path: str, value: object, base: int = 0) -> dict:
    """The dictionary of an encoding with one value replaced, or taken out where it is `...`."""
    data = copy.deepcopy(ENCODINGS[base].to_dict())
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place = data
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


BAD = [
    (0, "inputs", ...),
    (0, "inputs", None),
    (0, "inputs", []),
    (0, "inputs", "columns"),
    (0, "inputs", {"kind": "number", "name": "a", "shift": 0.0, "scale": 1.0, "fill": None}),
    (0, "inputs", {"kind": "labels", "name": "y", "classes": [0], "dtype": "int64"}),
    (0, "extra", 1),
    (0, "target", ...),
    (0, "target", 3),
    (0, "target", {"kind": "pixels", "height": 2, "width": 2, "scale": 255.0}),
    (0, "inputs.kind", ...),
    (0, "inputs.kind", "Columns"),
    (0, "inputs.kind", ["columns"]),
    (0, "inputs.columns", []),
    (0, "inputs.columns", {}),
    (0, "inputs.columns", None),
    (0, "inputs.columns.0", None),
    (0, "inputs.columns.0", [[]]),
    (0, "inputs.columns.1.name", "a"),
    (0, "inputs.columns.0.surprise", 1),
    (0, "inputs.columns.0.name", ...),
    (0, "inputs.columns.0.name", ""),
    (0, "inputs.columns.0.name", 3),
    (0, "inputs.columns.0.name", ["a"]),
    (0, "inputs.columns.0.shift", float("nan")),
    (0, "inputs.columns.0.shift", float("inf")),
    (0, "inputs.columns.0.shift", "0"),
    (0, "inputs.columns.0.shift", True),
    (0, "inputs.columns.0.shift", 10**400),
    (0, "inputs.columns.0.scale", 0.0),
    (0, "inputs.columns.0.scale", -1.0),
    (0, "inputs.columns.0.scale", 5e-324),
    (0, "inputs.columns.0.scale", None),
    (0, "inputs.columns.0.fill", float("nan")),
    (0, "inputs.columns.0.fill", "x"),
    (0, "inputs.columns.1.categories", []),
    (0, "inputs.columns.1.categories", ["p", "p"]),
    (0, "inputs.columns.1.categories", ["p", 3]),
    (0, "inputs.columns.1.categories", "pq"),
    (0, "inputs.columns.1.categories", [["p"], ["q"]]),
    (0, "inputs.columns.1.fill", "z"),
    (0, "inputs.columns.1.fill", 3),
    (0, "target.name", None),
    (0, "target.classes", []),
    (0, "target.classes", [0, 0]),
    (0, "target.classes", [7, 0]),
    (0, "target.classes", [0, "a"]),
    (0, "target.classes", [0, None]),
    (0, "target.classes", [0, 256]),
    (0, "target.classes", [-1, 0]),
    (0, "target.classes", [0.5, 1.5]),
    (0, "target.classes", [[0], [1]]),
    (0, "target.classes", "ab"),
    (0, "target.classes", {"kind": "number"}),
    (0, "target.dtype", "<U1000000"),
    (0, "target.dtype", "i8,f4"),
    (0, "target.dtype", "str"),
    (0, "target.dtype", None),
    (0, "target.dtype", ["uint8"]),
    (3, "target.shift", [0.0]),
    (3, "target.shift", [0.0, float("nan")]),
    (3, "target.scale", [1.0, 0.0]),
    (3, "target.scale", 1.0),
    (3, "target.names", ["u", "u"]),
    (3, "target.names", []),
    (3, "target.names", "uv"),
    (4, "inputs.height", 0),
    (4, "inputs.height", -28),
    (4, "inputs.height", 28.0),
    (4, "inputs.height", True),
    (4, "inputs.width", 10**9),
    (4, "inputs.scale", 0.0),
    (4, "inputs.scale", None),
]


@pytest.mark.parametrize(
    "data",
    [forged(path, value, base) for base, path, value in BAD],
    ids=[f"{path}={value!r}"[:60] for _, path, value in BAD],
)
def test_a_forged_encoding_is_refused(data: dict) -> None:
    with pytest.raises(ModelFileError, match="the encoding is invalid"):
        Encoding.from_dict(data)


@pytest.mark.parametrize("data", [None, [], 3, "x", {}, {"inputs": {}, "target": None}])
def test_what_is_no_encoding_is_refused(data: object) -> None:
    with pytest.raises(ModelFileError):
        Encoding.from_dict(data)


def test_deep_nesting_is_refused() -> None:
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ModelFileError, match="nested too deeply"):
        Encoding.from_dict({"inputs": nested, "target": None})


def test_whole_numbers_are_taken_for_numbers() -> None:
    data = forged("inputs.columns.0.shift", 2)
    assert Encoding.from_dict(data).inputs.columns[0].shift == 2

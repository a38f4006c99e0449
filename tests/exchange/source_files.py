"""How the tests run exported source files: in this process, through ctypes, through node."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from deltarule import Network
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    PixelsEncoding,
    Table,
)
from deltarule.exchange.exporting import exported

__all__ = ["ENDINGS", "LANGUAGES", "alike", "loaded", "of_cells", "program", "raw_rows", "truth", "written"]

ENDINGS = {"numpy": "_np.py", "python": ".py", "c": ".c", "javascript": ".mjs"}
LANGUAGES = [
    "numpy",
    "python",
    pytest.param("c", marks=pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc")),
    pytest.param("javascript", marks=pytest.mark.skipif(not shutil.which("node"), reason="there is no node")),
]

_GCC = ["gcc", "-Wall", "-Wextra", "-Werror", "-std=c99"]


def of_cells(**settings):
    """A network of a table with a column of each kind."""
    columns = (
        NumberColumn("age", 40.0, 20.0, 41.0, "number without -999"),
        NumberColumn("age.missing", 0.2, 0.5, 0.0, "number without -999+missing"),
        NumberColumn("price", 900.0, 800.0, 700.0, "point"),
        NumberColumn("share", 1.0, 3.0, 2.0, "comma"),
        NumberColumn("member", 0.5, 0.5, 1.0, "yes-no"),
        NumberColumn("weight", 80.0, 9.0, 75.0, "unit kg"),
        *(
            NumberColumn(f"seen.{part}", shift, scale, shift, "dmy")
            for part, shift, scale in (
                ("days", 18000.0, 300.0),
                ("month", 6.0, 3.0),
                ("weekday", 3.0, 2.0),
                ("hour", 8.0, 5.0),
            )
        ),
        NumberColumn("at.hour", 12.0, 6.0, 11.0, "time"),
        CategoryColumn("city", ("Köln", "New York, NY", "Ulm"), "Ulm", other=True),
        NumberColumn("city.missing", 0.0, 1.0, 0.0, "text+missing"),
    )
    inputs = ColumnsEncoding(columns)
    sizes = [len(inputs.feature_names), 6, 3]
    net = Network(sizes, activation="tanh", output="softmax", seed=5, **settings)
    net.encoding = Encoding(inputs, LabelEncoding.fit(["a", "b", "c"], "kind"))
    return net


def written(net, language, folder):
    """The path of the file that holds a network."""
    path = folder / f"net{ENDINGS[language]}"
    path.write_bytes(exported(net, language))
    return path


def loaded(path, language):
    """The file as an object with names, predict_outputs, predict and test, for many rows."""
    return {"numpy": InNumpy, "python": InPython, "c": InC, "javascript": InNode}[language](path)


def program(path, language):
    """The command that runs the file."""
    if language == "c":
        compiled = path.with_suffix("")
        subprocess.run([*_GCC, "-O1", "-DMAIN", path, "-lm", "-o", compiled], check=True)
        return [compiled]
    return ["node" if language == "javascript" else sys.executable, path]


class InPython:
    """The module, in this process."""

    def __init__(self, path):
        text = path.read_text(encoding="utf-8")
        self.names = {"__name__": "net"}
        exec(compile(text, path, "exec"), self.names)

    def __call__(self, name, X):
        return [self.names[name](row) for row in X.tolist()]

    def functions(self, names, numbers):
        return [[float(self.names[name](number)) for number in numbers] for name in names]

    def listed(self, name):
        return list(self.names[name])

    def test(self):
        with contextlib.redirect_stdout(io.StringIO()):
            return self.names["test"]()


class InNumpy(InPython):
    """The same over arrays."""

    def functions(self, names, numbers):
        return [self.names[name](np.array(numbers)).tolist() for name in names]


class InC:
    """The file as a shared library."""

    def __init__(self, path):
        self.path = path
        text = path.read_text(encoding="utf-8")
        wrapped = re.sub(
            r"^static (double|float) (\w+)\(\1 z\)\n(.*?^})",
            r"\g<0>\n\1 call_\2(\1 z);\n\1 call_\2(\1 z) { return \2(z); }",
            text,
            flags=re.M | re.S,
        )
        source, library = path.with_suffix(".wrapped.c"), path.with_suffix(".so")
        source.write_text(wrapped, encoding="utf-8")
        subprocess.run([*_GCC, "-DMAIN", "-shared", "-fPIC", source, "-lm", "-o", library], check=True)
        self.library = ctypes.CDLL(library)
        self.real = np.float32 if "float outputs[" in text else np.float64
        self.n_out = int(text.partition("N_OUTPUTS = ")[2].partition(" ")[0])
        self.places = "\nint predict(" in text

    def __call__(self, name, X):
        return [self.answer(self.library[name], name == "predict", row) for row in X.astype(float)]

    def answer(self, function, is_predict, row):
        row = np.ascontiguousarray(row)
        if is_predict and self.places:
            return function(row.ctypes)
        out = np.zeros(self.n_out, np.float64 if is_predict else self.real)
        function.restype = ctypes.c_bool
        return out.tolist() if function(row.ctypes, out.ctypes) else None

    def functions(self, names, numbers):
        functions = [self.library[f"call_{name}"] for name in names]
        for function in functions:
            function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
        return [[function(number) for number in numbers] for function in functions]

    def listed(self, name):
        text = self.path.read_text(encoding="utf-8")
        count = int(text.partition(f"{name}[")[2].partition("]")[0])
        return [text.decode() for text in (ctypes.c_char_p * count).in_dll(self.library, name)]

    def test(self):
        status = self.library.main(1, None)
        ctypes.CDLL(None).fflush(None)
        return status


class InNode:
    """The module, asked through a process, for all that is likely to be asked at once."""

    def __init__(self, path):
        self.path, self.known = path, {}

    def evaluated(self, expression, rows=()):
        code = f"""
            import * as net from {json.dumps(self.path.as_uri())};
            import {{ readFileSync }} from "node:fs";
            const rows = JSON.parse(readFileSync(0, "utf8"));
            console.log(JSON.stringify({expression}, (_, v) => (typeof v === "bigint" ? String(v) : v)));
        """
        command = ["node", "--input-type=module", "-e", code]
        given = json.dumps([[None if np.isnan(v) else v for v in row] for row in rows])
        run = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8")
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def __call__(self, name, X):
        if X.tobytes() not in self.known:
            both = "{predict_outputs: net.predictOutputs(row), predict: net.predict(row)}"
            self.known[X.tobytes()] = self.evaluated(f"rows.map((row) => ({both}))", X.tolist())
        return [answers[name] for answers in self.known[X.tobytes()]]

    def functions(self, names, numbers):
        path = self.path.with_suffix(".open.mjs")
        text = self.path.read_text(encoding="utf-8")
        path.write_text(f"{text}\nexport {{ {', '.join(names)} }};\n", encoding="utf-8")
        called = ", ".join(f"rows[0].map((z) => String(net.{name}(z)))" for name in names)
        return [list(map(float, values)) for values in InNode(path).evaluated(f"[{called}]", [numbers])]

    def listed(self, name):
        if "names" not in self.known:
            self.known["names"] = self.evaluated("net")
        return self.known["names"][name]

    def test(self):
        return subprocess.run(["node", self.path], capture_output=True).returncode


def raw_rows(net, n=1000, spread=2.0):
    """Rows of raw numbers, with missing ones where the encoding fills them."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((n, net.sizes[0])) * spread
    if isinstance(net.encoding, Encoding) and isinstance(net.encoding.inputs, PixelsEncoding):
        return rng.integers(0, 256, X.shape).astype(float)
    columns = [] if net.encoding is None else net.encoding.inputs.columns
    for index, column in enumerate(columns):
        X[:, index] = X[:, index] * column.scale + column.shift
        if column.fill is not None:
            X[:: index + 3, index] = np.nan
    return X


def truth(net, X):
    """The outputs of the network for raw rows, and its answers."""
    if net.encoding is None:
        outputs = net.predict(X)
        return outputs, outputs
    if isinstance(net.encoding.inputs, PixelsEncoding):
        outputs = net.predict(net.encoding.inputs.encode(X, net.dtype))
        return outputs, net.encoding.decode(outputs)
    names = [column.name for column in net.encoding.inputs.columns]
    assert all(isinstance(column, NumberColumn) for column in net.encoding.inputs.columns)
    table = Table({name: X[:, i] for i, name in enumerate(names)})
    outputs = net.predict(net.encoding.inputs.encode(table, net.dtype))
    return outputs, net.encoding.decode(outputs)


def alike(got, expected, tolerance):
    """Whether numbers agree to a part of themselves and of the largest of them."""
    expected = np.asarray(expected, dtype=float)
    got = np.asarray(got, dtype=float).reshape(expected.shape)
    return np.allclose(got, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())

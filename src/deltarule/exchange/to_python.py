"""A network as one file of Python: of ``math`` and ``sys`` alone, or of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deltarule.data.encoding.targets import Label
from deltarule.exchange.activation_steps import is_built_in
from deltarule.exchange.cell_words import python_words
from deltarule.exchange.code_emitters import Code, GuardedPythonCode, NumpyCode, PythonCode
from deltarule.exchange.literals import python_string
from deltarule.exchange.portable_network import PortableLayer
from deltarule.exchange.source import Source, is_softmax
from deltarule.nn.activations import Activation

#: What a user's own formula calls where ``math`` would raise.
_GUARDS = ("exp", "log", "square_root", "power", "divide")


class PythonSource(Source):
    """Python without NumPy: a row is a list of numbers, or of the cells of a table."""

    templates: ClassVar[tuple[str, ...]] = ("network.py", "command_line.py")
    cells: ClassVar[str] = "cells.py"
    pair: ClassVar[str] = "()"
    nan: ClassVar[str] = "math.nan"
    mark: ClassVar[str] = "#"
    step: ClassVar[str] = "    {name} = {code}\n"
    function: ClassVar[str] = '\n\ndef {name}(z):\n    """{formula}."""\n{steps}    return {result}'
    rows: ClassVar[str] = "a row"

    def words(self) -> dict[str, str]:
        calls = self.calls("net.predict", "net.predict_outputs", "python net.py", self.rows)
        return super().words() | {"CALLS": calls, "NAN": self.nan}

    def cell_words(self) -> dict[str, str]:
        return python_words(self.nan)

    def conditions(self) -> set[str]:
        functions = self.definitions()
        return super().conditions() | {f"calls_{name}" for name in _GUARDS if f" {name}(" in functions}

    def label(self, label: Label) -> str:
        return python_string(label) if isinstance(label, str) else repr(label)

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        return f"{name} = ", ""

    def code(self, activation: Activation) -> type[Code]:
        return PythonCode if is_built_in(activation) else GuardedPythonCode

    def layer(self, number: int, x: str, layer: PortableLayer) -> list[tuple[str, str]]:
        z, name = f"z{number}", self.function_name(layer).replace("tanh", "math.tanh")
        a = f"{name}({z})" if is_softmax(layer.activation) else f"[{name}(z) for z in {z}]" if name else z
        return [
            (f"{z} = weighted_sums({x}, W{number}, b{number})", f"{z} = {x} @ W{number} + b{number}"),
            (f"a{number} = {a}", self.layer_formula(number, layer)),
        ]


class NumpySource(PythonSource):
    """NumPy, which computes as ``deltarule`` does: a row is an array, and so are many."""

    templates: ClassVar[tuple[str, ...]] = ("network_numpy.py", "command_line.py")
    nan: ClassVar[str] = "np.nan"
    rows: ClassVar[str] = "a row, or for a list of rows"

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        if kind in ("texts", "cells", "sources"):
            return super().declared(name, shape, kind)
        narrow = kind == "weights" and self.network.dtype == np.float32
        return f"{name} = np.array(", ", dtype=np.float32)" if narrow else ")"

    def code(self, activation: Activation) -> type[Code]:
        return NumpyCode

    def definition(self, name: str, activation: Activation) -> str:
        """A user's own formula may pass ∞ on its way, without complaint."""
        quietly = "" if is_built_in(activation) else '@np.errstate(all="ignore")\n'
        return super().definition(name, activation).replace("def ", f"{quietly}def ", 1)

    def layer(self, number: int, x: str, layer: PortableLayer) -> list[tuple[str, str]]:
        z, name = f"z{number}", self.function_name(layer).replace("tanh", "np.tanh")
        return [
            (f"{z} = {x} @ W{number} + b{number}", ""),
            (f"a{number} = {f'{name}({z})' if name else z}", self.layer_formula(number, layer)),
        ]

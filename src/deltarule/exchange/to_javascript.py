"""A network as one module of JavaScript, for web pages and for Node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from deltarule.data.encoding.targets import Label
from deltarule.exchange.cell_words import javascript_words
from deltarule.exchange.code_emitters import Code, JavaScriptCode
from deltarule.exchange.literals import javascript_string
from deltarule.exchange.portable_network import PortableLayer
from deltarule.exchange.source import Source, is_softmax
from deltarule.nn.activations import Activation

#: When a test case is right, by what the answer is.
_RIGHT = {
    "largest_class": "(close(outputs, TEST_OUTPUTS[t]) && predict(row) === TEST_ANSWERS[t])",
    "second_class": "(close(outputs, TEST_OUTPUTS[t]) && predict(row) === TEST_ANSWERS[t])",
    "in_units": "(close(outputs, TEST_OUTPUTS[t]) && close(predict(row), TEST_ANSWERS[t]))",
    "bare_outputs": "close(outputs, TEST_OUTPUTS[t])",
}


class JavaScriptSource(Source):
    """JavaScript: a row is an array of numbers, or of the cells of a table."""

    templates: ClassVar[tuple[str, ...]] = ("network.mjs",)
    cells: ClassVar[str] = "cells.mjs"
    nan: ClassVar[str] = "NaN"
    mark: ClassVar[str] = "//"
    step: ClassVar[str] = "    const {name} = {code};\n"
    function: ClassVar[str] = "\n/** {formula}. */\nfunction {name}(z) {{\n{steps}    return {result};\n}}"

    def words(self) -> dict[str, str]:
        calls = self.calls("predict", "predictOutputs", "node net.mjs")
        given = "(row[i] ?? NaN)" if self.network.is_scaled else "row[i]"  # null and undefined are missing
        scaled = self.scaled(given, "(Number.isNaN(row[i] ?? NaN) ? FILL[i] : row[i])")
        return super().words() | {"CALLS": calls, "SCALED": scaled, "RIGHT": _RIGHT[self.answer]}

    def cell_words(self) -> dict[str, str]:
        return javascript_words()

    def label(self, label: Label) -> str:
        if isinstance(label, str):
            return javascript_string(label)
        if isinstance(label, bool):
            return str(label).lower()
        is_large = isinstance(label, int) and abs(label) > 2**53  # above, whole numbers are BigInts
        return f"{label}n" if is_large else repr(label)

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        public = name in ("COLUMNS", "FEATURES", "OUTPUTS", "CLASSES")
        return f"{'export ' if public else ''}const {name} = ", ";"

    def code(self, activation: Activation) -> type[Code]:
        return JavaScriptCode

    def layer(self, number: int, x: str, layer: PortableLayer) -> list[tuple[str, str]]:
        z, name = f"z{number}", self.function_name(layer).replace("tanh", "Math.tanh")
        a = f"{name}({z})" if is_softmax(layer.activation) else f"{z}.map({name})" if name else z
        return [
            (f"const {z} = weightedSums({x}, W{number}, b{number});", f"{z} = {x} @ W{number} + b{number}"),
            (f"const a{number} = {a};", self.layer_formula(number, layer)),
        ]

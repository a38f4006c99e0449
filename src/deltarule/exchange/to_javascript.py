"""A network as one module of JavaScript, for web pages and for Node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from deltarule.data.encoding.targets import Label
from deltarule.exchange.code_emitters import JavaScriptCode
from deltarule.exchange.literals import javascript_string
from deltarule.exchange.portable_network import PortableLayer
from deltarule.exchange.source import Source, is_softmax
from deltarule.nn.activations import Activation

__all__ = ["JavaScriptSource"]

#: Above, whole numbers are BigInts.
_SAFE = 2**53

#: When a test case is right, by what the answer is.
_RIGHT = {
    "largest_class": "(close(outputs, TEST_OUTPUTS[t]) && predict(row) === TEST_ANSWERS[t])",
    "second_class": "(close(outputs, TEST_OUTPUTS[t]) && predict(row) === TEST_ANSWERS[t])",
    "in_units": "(close(outputs, TEST_OUTPUTS[t]) && close(predict(row), TEST_ANSWERS[t]))",
    "bare_outputs": "close(outputs, TEST_OUTPUTS[t])",
}


class JavaScriptSource(Source):
    """JavaScript: a row is an array of numbers."""

    templates: ClassVar[tuple[str, ...]] = ("network.mjs",)
    nan: ClassVar[str] = "NaN"
    mark: ClassVar[str] = "//"

    def words(self) -> dict[str, str]:
        calls = self.calls("predict", "predictOutputs", "node net.mjs")
        return super().words() | {"CALLS": calls, "SCALED": self.scaled(), "RIGHT": _RIGHT[self.answer]}

    def label(self, label: Label) -> str:
        if isinstance(label, str):
            return javascript_string(label)
        if isinstance(label, bool):
            return str(label).lower()
        return f"{label}n" if isinstance(label, int) and abs(label) > _SAFE else repr(label)

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        public = name in ("FEATURES", "OUTPUTS", "CLASSES")
        return f"{'export ' if public else ''}const {name} = ", ";"

    def definition(self, name: str, activation: Activation) -> str:
        named, result = self.body(activation, JavaScriptCode)
        steps = "".join(f"    const {step} = {code};\n" for step, code in named)
        return (
            f"\n/** {self.formula_of(activation)}. */\nfunction {name}(z) {{\n{steps}    return {result};\n}}"
        )

    def scaled(self) -> str:
        """An input as layer 1 takes it; null and undefined are missing numbers."""
        value = "row[i]" if self.network.fill is None else "(Number.isNaN(row[i] ?? NaN) ? FILL[i] : row[i])"
        if self.network.shift is None:
            return value
        given = value if self.network.fill is not None else "(row[i] ?? NaN)"
        return f"({given} - SHIFT[i]) / SCALE[i]"

    def layer(self, number: int, x: str, layer: PortableLayer) -> list[tuple[str, str]]:
        z, name = f"z{number}", self.function(layer).replace("tanh", "Math.tanh")
        a = f"{name}({z})" if is_softmax(layer.activation) else f"{z}.map({name})" if name else z
        return [
            (f"const {z} = weightedSums({x}, W{number}, b{number});", f"{z} = {x} @ W{number} + b{number}"),
            (f"const a{number} = {a};", self.layer_formula(number, layer)),
        ]

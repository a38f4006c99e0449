"""A network as one file of Python that imports NumPy, and computes as ``deltarule`` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deltarule.exchange.activation_steps import is_built_in
from deltarule.exchange.code_emitters import Code, NumpyCode
from deltarule.exchange.portable_network import PlainLayer
from deltarule.exchange.to_python import PythonSource
from deltarule.nn.activations import Activation

__all__ = ["NumpySource"]

_PARTS = PythonSource.parts | {
    "imports": "import sys\n\nimport numpy as np\n",
    "sums": "",
    "softmax": '''

def softmax(z):
    """<formula>, shifted, so that nothing overflows."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
''',
    "inputs": '''

def inputs(rows):
    """Rows of numbers as layer 1 takes them."""
    x = np.asarray(rows, dtype=np.float64)
    if x.shape[-1:] != (len(FEATURES),):
        raise ValueError(f"expected {len(FEATURES)} numbers in a row, got shape {x.shape}")
''',
    "fill": "    x = np.where(np.isnan(x), FILL, x)\n",
    "scale": "    x = (x - SHIFT) / SCALE\n",
    "as_is": "",
    "checked": """\
    if not np.isfinite(x).all():
        column = np.argwhere(~np.isfinite(x))[0, -1]
        raise ValueError(f"{FEATURES[column]} is not a finite number")
    return x<narrowed>
""",
    "outputs": '''

def predict_outputs(rows):
    """The <outputs> of the network for a row, or for each of many rows."""
    x = inputs(rows)
''',
    "predict_class": '''

def predict(rows):
    """The class of a row, or of each of many: that of the largest output."""
    return CLASSES[predict_outputs(rows).argmax(axis=-1)]
''',
    "predict_second": '''

def predict(rows):
    """The class of a row, or of each of many: the second where the output is above 0.5, else the first."""
    return CLASSES[(predict_outputs(rows)[..., 0] > 0.5).astype(int)]
''',
    "predict_units": '''

def predict(rows):
    """The outputs for a row, or for each of many, in their units."""
    return predict_outputs(rows) * OUT_SCALE + OUT_SHIFT
''',
    "predict_outputs": '''

def predict(rows):
    """The outputs for a row, or for each of many."""
    return predict_outputs(rows)
''',
    "test": '''

def close(got, expected):
    """Whether the numbers of each row are what they should be, but for rounding."""
    return (np.abs(got - expected) <= TOLERANCE * np.maximum(1, np.abs(expected))).all(axis=-1)


def test():
    """The exit status: 0 where all test cases give what they should, else 1."""
    outputs = predict_outputs(TEST_ROWS)
    right = close(outputs, TEST_OUTPUTS)
''',
    "right_class": "    right &= predict(TEST_ROWS) == TEST_ANSWERS\n",
    "right_second": "    right &= predict(TEST_ROWS) == TEST_ANSWERS\n",
    "right_units": "    right &= close(predict(TEST_ROWS), TEST_ANSWERS)\n",
    "tested": """\
    for case in np.flatnonzero(~right):
        print(f"FAILED: test case {case}: expected {TEST_OUTPUTS[case]}, got {outputs[case]}")
    if right.all():
        print(f"ok: {len(TEST_ROWS)} test cases")
    return 0 if right.all() else 1
""",
}  # fmt: skip


class NumpySource(PythonSource):
    """NumPy: a row is an array, and so are many."""

    nan: ClassVar[str] = "np.nan"
    parts: ClassVar[dict[str, str]] = _PARTS
    rows: ClassVar[str] = "a row, or for a list of rows"

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        if kind == "texts":
            return super().declared(name, shape, kind)
        narrow = kind == "weights" and self.plain.dtype == np.float32
        return f"{name} = np.array(", ", dtype=np.float32)" if narrow else ")"

    def code(self, activation: Activation) -> type[Code]:
        return NumpyCode

    def decorated(self, activation: Activation) -> str:
        """A user's own formula may pass ∞ on its way, without complaint."""
        return "" if is_built_in(activation) else '@np.errstate(all="ignore")\n'

    def inputs(self) -> str:
        narrowed = ".astype(np.float32)" if self.plain.dtype == np.float32 else ""
        return super().inputs().replace("<narrowed>", narrowed)

    def layer(self, number: int, x: str, layer: PlainLayer) -> list[tuple[str, str]]:
        z, name = f"z{number}", self.function(layer).replace("tanh", "np.tanh")
        return [
            (f"    {z} = {x} @ W{number} + b{number}", ""),
            (f"    a{number} = {f'{name}({z})' if name else z}", self.layer_formula(number, layer)),
        ]

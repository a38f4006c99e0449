"""A network as one file of Python that imports NumPy, and computes as ``deltarule`` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from deltarule.exchange.activation_steps import is_built_in
from deltarule.exchange.code_emitters import Code, NumpyCode
from deltarule.exchange.portable_network import PortableLayer
from deltarule.exchange.to_python import PythonSource
from deltarule.nn.activations import Activation

__all__ = ["NumpySource"]


class NumpySource(PythonSource):
    """NumPy: a row is an array, and so are many."""

    templates: ClassVar[tuple[str, ...]] = ("network_numpy.py", "command_line.py")
    nan: ClassVar[str] = "np.nan"
    rows: ClassVar[str] = "a row, or for a list of rows"

    def declared(self, name: str, shape: Sequence[int], kind: str) -> tuple[str, str]:
        if kind == "texts":
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

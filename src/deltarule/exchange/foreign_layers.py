"""Dense layers and activations of another library, put in a row as they are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError, ShapeError
from deltarule.exchange.imported_network import ImportedLayer, ImportedNetwork
from deltarule.nn.activations import ACTIVATIONS, Activation

#: What others call our activations.
_ALIASES = {
    "exponential": "exp",
    "linear": "identity",
    "logistic": "sigmoid",
    "swish": "silu",
    "log_softmax": "softmax",
    "LogSoftmax": "softmax",
    **{name: name.lower() for name in ("Identity", "ReLU", "SiLU", "Sigmoid", "Softmax", "Softplus", "Tanh")},
}


def activation_called(name: str | Activation) -> Activation:
    """The activation that other libraries, or we, call so."""
    return ACTIVATIONS.resolve(_ALIASES.get(name, name) if isinstance(name, str) else name)


class ForeignLayers:
    """Dense layers and activations, put in a row as they are found.

    Attributes
    ----------
    layers : list of ImportedLayer
    features, classes, shift, scale
        As in `ImportedNetwork`.
    says_activations : bool
        Whether the source says which activations it has.
    """

    def __init__(self, says_activations: bool) -> None:
        self.says_activations = says_activations
        self.layers: list[ImportedLayer] = []
        self.features: Sequence[str] | None = None
        self.classes: Any = None
        self.shift: Array | None = None
        self.scale: Array | None = None
        self._is_open = False

    def add_dense(self, W: Any, b: Any, name: str) -> None:
        """Add a layer with ``W`` (n_in, n_out); the next activation is its own."""
        W = weights_of(W, f"the weights of {name}", 2)
        b = None if b is None else weights_of(b, f"the biases of {name}", 1)
        if b is not None and len(b) != W.shape[1]:
            raise ShapeError(f"{name} has {W.shape[1]} neurons and {len(b)} biases")
        if self.layers and self.layers[-1].W.shape[1] != len(W):
            raise ShapeError(
                f"{name} takes {len(W)} numbers, but the layer before it gives "
                f"{self.layers[-1].W.shape[1]}; W has shape (n_in, n_out)"
            )
        self.layers.append(ImportedLayer(W, b, ACTIVATIONS.resolve("identity")))
        self._is_open = True

    def add_activation(self, activation: str | Activation, name: str) -> None:
        """Give the last layer its activation."""
        function = activation_called(activation)
        if function.name == "identity":
            return
        if not self._is_open:
            raise InputError(f"{name} ({function.name}) does not follow a dense layer")
        self.layers[-1] = ImportedLayer(self.layers[-1].W, self.layers[-1].b, function)
        self._is_open = False

    def add_scaling(self, shift: Any, scale: Any, name: str) -> None:
        """Put ``(x − shift) / scale`` before layer 1."""
        if self.layers or self.shift is not None:
            raise InputError(f"{name} scales numbers, which is supported only once, before layer 1")
        self.shift = np.asarray(shift, np.float64).ravel()
        self.scale = np.asarray(scale, np.float64).ravel()

    def network(self) -> ImportedNetwork:
        """Everything that was added, as a network."""
        if not self.layers:
            raise InputError("there is no dense layer")
        n_in = len(self.layers[0].W)
        shift, scale = (_for_each_input(part, n_in) for part in (self.shift, self.scale))
        return ImportedNetwork(tuple(self.layers), self.features, shift, scale, classes=self.classes)


def _for_each_input(values: Array | None, n_in: int) -> Array | None:
    if values is None:
        return None
    if values.size not in (1, n_in):
        raise ShapeError(f"{values.size} numbers scale {n_in} inputs")
    return np.broadcast_to(values, (n_in,))


def weights_of(values: Any, what: str, n_dimensions: int) -> Array:
    """An array of float32 or float64; whole numbers become float64."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:  # a number type that NumPy has not; a ragged list
        raise InputError(f"{what} cannot be read as numbers: {error}") from None
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype not in (np.float32, np.float64):
        raise InputError(f"{what} must be float32 or float64, got {array.dtype}; convert them first")
    if array.ndim != n_dimensions or 0 in array.shape:
        raise ShapeError(f"{what} must have {n_dimensions} dimensions, got shape {array.shape}")
    return array

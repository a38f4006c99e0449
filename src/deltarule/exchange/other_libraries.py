"""What networks of other libraries are made of; they are told by what they have, and none is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.fields import shown
from deltarule.errors import InputError, ShapeError
from deltarule.exchange.rebuilding import Found, FoundLayer
from deltarule.nn.activations import ACTIVATIONS, Activation

__all__ = ["Row", "activation_called", "row_of"]

#: What others call our activations.
_ALIASES = {
    "exponential": "exp",
    "linear": "identity",
    "logistic": "sigmoid",
    "swish": "silu",
    "log_softmax": "softmax",
    "LogSoftmax": "softmax",
    "Identity": "identity",
    "ReLU": "relu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Tanh": "tanh",
}

_IDENTITY = ACTIVATIONS.resolve("identity")


def activation_called(name: str | Activation) -> Activation:
    """The activation that other libraries, or we, call so."""
    return ACTIVATIONS.resolve(_ALIASES.get(name, name) if isinstance(name, str) else name)


class Row:
    """Dense layers and activations, put in a row as they are found.

    Attributes
    ----------
    layers : list of FoundLayer
    features, classes, shift, scale
        As in `Found`.
    is_silent : bool
        Whether the source does not say which activations it has.
    """

    def __init__(self, is_silent: bool = False) -> None:
        self.is_silent = is_silent
        self.layers: list[FoundLayer] = []
        self.features: Sequence[str] | None = None
        self.classes: Any = None
        self.shift: Array | None = None
        self.scale: Array | None = None
        self._is_open = False

    def dense(self, W: Any, b: Any, name: str) -> None:
        """A layer with ``W`` (n_in, n_out); the next activation is its own."""
        W = _numbers(W, f"the weights of {name}", 2)
        b = None if b is None else _numbers(b, f"the biases of {name}", 1)
        if b is not None and len(b) != W.shape[1]:
            raise ShapeError(f"{name} has {W.shape[1]} neurons and {len(b)} biases")
        if self.layers and self.layers[-1].W.shape[1] != len(W):
            raise ShapeError(
                f"{name} takes {len(W)} numbers, and the layer before gives {self.layers[-1].W.shape[1]}; "
                f"W has shape (n_in, n_out)"
            )
        self.layers.append(FoundLayer(W, b, _IDENTITY))
        self._is_open = True

    def activation(self, activation: str | Activation, name: str) -> None:
        """What comes after a layer."""
        function = activation_called(activation)
        if function.name == "identity":
            return
        if not self._is_open:
            raise InputError(f"{name} ({function.name}) does not follow a dense layer")
        self.layers[-1] = FoundLayer(self.layers[-1].W, self.layers[-1].b, function)
        self._is_open = False

    def scaling(self, shift: Any, scale: Any, name: str) -> None:
        """``(x − shift) / scale`` before layer 1."""
        if self.layers or self.shift is not None:
            raise InputError(f"{name} scales numbers elsewhere than before layer 1, once")
        self.shift = np.asarray(shift, np.float64).ravel()
        self.scale = np.asarray(scale, np.float64).ravel()

    def found(self) -> Found:
        """All of it."""
        if not self.layers:
            raise InputError("there is no dense layer")
        n_in = len(self.layers[0].W)
        shift, scale = (None if part is None else _each(part, n_in) for part in (self.shift, self.scale))
        return Found(tuple(self.layers), self.features, shift, scale, classes=self.classes)


def _each(values: Array, n_in: int) -> Array:
    if values.size not in (1, n_in):
        raise ShapeError(f"{values.size} numbers scale {n_in} inputs")
    return np.broadcast_to(values, (n_in,))


def _numbers(values: Any, what: str, n_dimensions: int) -> Array:
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


def row_of(source: Any) -> Row:
    """The layers of a network of another library.

    Raises
    ------
    InputError, ShapeError
        If it is none that is known, or holds what deltarule has not; the message names it.
    """
    for looks, read in _LIBRARIES:
        if looks(source):
            return read(source)
    raise InputError(
        f"expected a path or bytes of ONNX, a fitted MLPClassifier or MLPRegressor of scikit-learn, "
        f"a Sequential of PyTorch or Keras, a state_dict, or a list of arrays, got {type(source).__name__}"
    )


def _refused(kind: str, name: str, why: str) -> InputError:
    return InputError(f"{shown(name)} is of the kind {shown(kind)}; {why}")


def _known(kinds: Sequence[str]) -> str:
    return f"what can be read: {', '.join(kinds)}"


# ---------------------------------------------------------------------- scikit-learn


def _of_sklearn(model: Any) -> Row:
    """MLPClassifier and MLPRegressor."""
    row = Row()
    hidden = len(model.coefs_) - 1
    for number, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1):
        row.dense(W, b, f"layer {number}")
        name = model.activation if number <= hidden else model.out_activation_
        if name not in ("identity", "logistic", "tanh", "relu", "softmax", "exp"):
            raise InputError(f"layer {number} has the activation {name!r}, which deltarule has not")
        row.activation(name, f"layer {number}")
    names = getattr(model, "feature_names_in_", None)
    row.features = None if names is None else [str(name) for name in names]
    classes, n_outputs = getattr(model, "classes_", None), row.layers[-1].W.shape[1]
    exclusive = n_outputs == 1 or row.layers[-1].activation.coupled  # else several labels at once
    row.classes = None if classes is None or not exclusive else np.asarray(classes)
    return row


# ---------------------------------------------------------------------- PyTorch

_TORCH: dict[str, Callable[[Any], str]] = {
    "Identity": lambda layer: "identity",
    "ReLU": lambda layer: "relu",
    "SiLU": lambda layer: "silu",
    "Sigmoid": lambda layer: "sigmoid",
    "Tanh": lambda layer: "tanh",
    "LeakyReLU": lambda layer: f"leaky_relu({float(layer.negative_slope)!r})",
    "ELU": lambda layer: f"elu({float(layer.alpha)!r})",
    "GELU": lambda layer: "gelu" if layer.approximate == "tanh" else "",
    "Softplus": lambda layer: "softplus" if layer.beta == 1 else "",
    "Softmax": lambda layer: "softmax" if layer.dim in (1, -1, None) else "",
    "LogSoftmax": lambda layer: "softmax" if layer.dim in (1, -1, None) else "",
}
_TORCH_WANTED = {
    "GELU": 'deltarule has the one with approximate="tanh", not the exact one',
    "Softplus": "deltarule has the one with beta=1",
    "Softmax": "deltarule has the one over the last dimension, dim=1",
    "LogSoftmax": "deltarule has the one over the last dimension, dim=1",
}
_PASSING = ("Dropout", "AlphaDropout", "Flatten")


def _of_torch(model: Any) -> Row:
    """A Sequential, and Sequentials in it."""
    row = Row()
    _add_torch(row, model, "the model")
    return row


def _add_torch(row: Row, layer: Any, name: str) -> None:
    kind = type(layer).__name__
    if kind == "Sequential":
        for number, part in enumerate(layer):
            _add_torch(row, part, f"{'' if name == 'the model' else f'{name}.'}{number}")
    elif kind == "Linear":
        row.dense(_transposed(layer.weight), layer.bias, name)
    elif kind in _TORCH:
        function = _TORCH[kind](layer)
        if not function:
            raise _refused(kind, name, _TORCH_WANTED[kind])
        row.activation(function, name)
    elif kind not in _PASSING:
        known = ("Sequential", "Linear", *_TORCH, *_PASSING)
        hint = "; of a module with a forward of its own, give the state_dict() and name the activations"
        raise _refused(kind, name, _known(known) + hint)


def _transposed(weight: Any) -> Array:
    """PyTorch's (n_out, n_in) as (n_in, n_out)."""
    return _numbers(weight, "the weights", 2).T


def _of_state_dict(state: Mapping[str, Any]) -> Row:
    """``0.weight``, ``0.bias``, ``2.weight`` …, in the order in which they stand."""
    row = Row(is_silent=True)
    known = {str(key): value for key, value in state.items()}
    for key in known:
        name, _, part = key.rpartition(".")
        if part not in ("weight", "bias") or (part == "bias" and f"{name}.weight" not in known):
            raise InputError(
                f"{shown(key)} belongs to no dense layer: those have a weight, and perhaps a bias"
            )
        if part == "weight":
            row.dense(_transposed(known[key]), known.get(f"{name}.bias"), name)
    return row


# ---------------------------------------------------------------------- Keras

_KERAS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Activation": lambda config: _keras_function(config["activation"]),
    "ReLU": lambda config: _keras_relu(config),
    "LeakyReLU": lambda config: f"leaky_relu({float(config.get('negative_slope', config.get('alpha')))!r})",
    "ELU": lambda config: f"elu({float(config['alpha'])!r})",
    "Softmax": lambda config: "softmax",
}
_KERAS_FUNCTIONS = (
    "linear", "relu", "tanh", "sigmoid", "softmax", "log_softmax", "softplus", "elu", "silu", "swish",
    "leaky_relu", "exponential",
)  # fmt: skip
_KERAS_PASSING = ("InputLayer", "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Flatten")


def _of_keras(model: Any) -> Row:
    """A Sequential, and Sequentials in it."""
    row = Row()
    _add_keras(row, model)
    return row


def _add_keras(row: Row, layer: Any) -> None:
    kind, name = type(layer).__name__, str(getattr(layer, "name", "the model"))
    if kind == "Sequential":
        for part in layer.layers:
            _add_keras(row, part)
    elif kind == "Dense":
        _add_keras_dense(row, layer, name)
    elif kind in ("Normalization", "Rescaling"):
        _add_keras_scaling(row, layer, kind, name)
    elif kind in _KERAS:
        row.activation(_KERAS[kind](layer.get_config()), name)
    elif kind not in _KERAS_PASSING:
        known = ("Sequential", "Dense", "Normalization", "Rescaling", *_KERAS, *_KERAS_PASSING)
        raise _refused(kind, name, _known(known))


def _add_keras_dense(row: Row, layer: Any, name: str) -> None:
    weights = list(layer.get_weights())
    if len(weights) not in (1, 2):
        raise InputError(f"{shown(name)} has {len(weights)} arrays of weights, expected W and perhaps b")
    row.dense(weights[0], weights[1] if len(weights) == 2 else None, name)
    row.activation(_keras_function(layer.get_config()["activation"]), name)


def _add_keras_scaling(row: Row, layer: Any, kind: str, name: str) -> None:
    config, weights = layer.get_config(), list(layer.get_weights())
    if kind == "Rescaling":
        scale = 1 / np.asarray(config["scale"], np.float64)
        row.scaling(-np.asarray(config["offset"], np.float64) * scale, scale, name)
        return
    if config.get("invert"):
        raise _refused(kind, name, "it scales backwards")
    mean, variance = weights[:2] if len(weights) >= 2 else (config["mean"], config["variance"])
    spread = np.sqrt(np.asarray(variance, np.float64))
    row.scaling(mean, np.maximum(spread, 1e-7), name)  # Keras divides by no less


def _keras_function(name: Any) -> str:
    if name == "gelu":
        raise InputError('activation "gelu" of Keras is the exact one; deltarule has the one by tanh')
    if name not in _KERAS_FUNCTIONS:
        raise InputError(
            f"activation {shown(name)} is none that deltarule has: {', '.join(_KERAS_FUNCTIONS)}"
        )
    return "leaky_relu(0.2)" if name == "leaky_relu" else str(name)


def _keras_relu(config: Mapping[str, Any]) -> str:
    if config.get("max_value") is not None or config.get("threshold"):
        raise InputError("ReLU with a greatest value or a threshold is none that deltarule has")
    slope = float(config.get("negative_slope") or 0)
    return f"leaky_relu({slope!r})" if slope else "relu"


# ---------------------------------------------------------------------- arrays


def _of_arrays(arrays: Sequence[Any]) -> Row:
    """``[W1, b1, W2, b2]``; a layer may be without its b, or have None for it."""
    row = Row(is_silent=True)
    left = list(arrays)
    while left:
        W, b = left.pop(0), None
        if left and (left[0] is None or np.ndim(left[0]) == 1):
            b = left.pop(0)
        row.dense(W, b, f"layer {len(row.layers) + 1}")
    return row


_LIBRARIES: tuple[tuple[Callable[[Any], bool], Callable[[Any], Row]], ...] = (
    (lambda source: hasattr(source, "coefs_") and hasattr(source, "intercepts_"), _of_sklearn),
    (lambda source: hasattr(source, "layers") and hasattr(source, "get_config"), _of_keras),
    (lambda source: hasattr(source, "named_children") and hasattr(source, "state_dict"), _of_torch),
    (lambda source: isinstance(source, Mapping), _of_state_dict),
    (lambda source: isinstance(source, Sequence), _of_arrays),
)

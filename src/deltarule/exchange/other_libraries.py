"""The layers of networks of other libraries; these are told by what they have, and none is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.fields import shown
from deltarule.errors import InputError
from deltarule.exchange.foreign_layers import ForeignLayers, weights_of


def read_foreign_layers(source: Any) -> ForeignLayers:
    """Return the layers of a network of another library.

    Raises InputError or ShapeError if it is none that is known, or holds what deltarule has not; the
    message names it.
    """
    for is_theirs, says_activations, add in _LIBRARIES:
        if is_theirs(source):
            layers = ForeignLayers(says_activations)
            add(layers, source)
            return layers
    raise InputError(
        f"expected a path or bytes of ONNX, a fitted MLPClassifier or MLPRegressor of scikit-learn, "
        f"a Sequential of PyTorch or Keras, a state_dict, or a list of arrays, got {type(source).__name__}"
    )


def _refused(kind: str, name: str, why: str) -> InputError:
    return InputError(f"{shown(name)} is of the kind {shown(kind)}; {why}")


def _add_sklearn(layers: ForeignLayers, model: Any) -> None:
    """MLPClassifier and MLPRegressor."""
    hidden = len(model.coefs_) - 1
    for number, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1):
        layers.add_dense(W, b, f"layer {number}")
        name = model.activation if number <= hidden else model.out_activation_
        if name not in ("identity", "logistic", "tanh", "relu", "softmax", "exp"):
            raise InputError(f"layer {number} has the activation {name!r}, which deltarule does not have")
        layers.add_activation(name, f"layer {number}")
    names = getattr(model, "feature_names_in_", None)
    layers.features = None if names is None else [str(name) for name in names]
    classes, last = getattr(model, "classes_", None), layers.layers[-1]
    exclusive = last.W.shape[1] == 1 or last.activation.coupled  # else several labels at once
    layers.classes = None if classes is None or not exclusive else np.asarray(classes)


_TORCH: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("Identity", "ReLU", "SiLU", "Sigmoid", "Tanh"), lambda layer: type(layer).__name__),
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
    **dict.fromkeys(("Softmax", "LogSoftmax"), "deltarule has the one over the last dimension, dim=1"),
}
_PASSING = ("Dropout", "AlphaDropout", "Flatten")


def _add_torch(layers: ForeignLayers, layer: Any, name: str = "the model") -> None:
    """A Sequential, and Sequentials in it."""
    kind = type(layer).__name__
    if kind == "Sequential":
        for number, part in enumerate(layer):
            _add_torch(layers, part, f"{'' if name == 'the model' else f'{name}.'}{number}")
    elif kind == "Linear":
        layers.add_dense(_transposed(layer.weight), layer.bias, name)
    elif kind in _TORCH:
        function = _TORCH[kind](layer)
        if not function:
            raise _refused(kind, name, _TORCH_WANTED[kind])
        layers.add_activation(function, name)
    elif kind not in _PASSING:
        known = ", ".join(("Sequential", "Linear", *_TORCH, *_PASSING))
        hint = "of a module with a forward of its own, give the state_dict() and name the activations"
        raise _refused(kind, name, f"what can be read: {known}; {hint}")


def _transposed(weight: Any) -> Array:
    """PyTorch's (n_out, n_in) as (n_in, n_out)."""
    return weights_of(weight, "the weights", 2).T


def _add_state_dict(layers: ForeignLayers, state: Mapping[str, Any]) -> None:
    """``0.weight``, ``0.bias``, ``2.weight`` …, in the order in which they stand."""
    known = {str(key): value for key, value in state.items()}
    for key in known:
        name, _, part = key.rpartition(".")
        if part not in ("weight", "bias") or (part == "bias" and f"{name}.weight" not in known):
            raise InputError(
                f"{shown(key)} belongs to no dense layer: those have a weight, and perhaps a bias"
            )
        if part == "weight":
            layers.add_dense(_transposed(known[key]), known.get(f"{name}.bias"), name)


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


def _add_keras(layers: ForeignLayers, layer: Any) -> None:
    """A Sequential, and Sequentials in it."""
    kind, name = type(layer).__name__, str(getattr(layer, "name", "the model"))
    if kind == "Sequential":
        for part in layer.layers:
            _add_keras(layers, part)
    elif kind == "Dense":
        _add_keras_dense(layers, layer, name)
    elif kind in ("Normalization", "Rescaling"):
        _add_keras_scaling(layers, layer, kind, name)
    elif kind in _KERAS:
        layers.add_activation(_KERAS[kind](layer.get_config()), name)
    elif kind not in _KERAS_PASSING:
        known = ("Sequential", "Dense", "Normalization", "Rescaling", *_KERAS, *_KERAS_PASSING)
        raise _refused(kind, name, f"what can be read: {', '.join(known)}")


def _add_keras_dense(layers: ForeignLayers, layer: Any, name: str) -> None:
    weights = list(layer.get_weights())
    if len(weights) not in (1, 2):
        raise InputError(f"{shown(name)} has {len(weights)} arrays of weights, expected W and optionally b")
    layers.add_dense(weights[0], weights[1] if len(weights) == 2 else None, name)
    layers.add_activation(_keras_function(layer.get_config()["activation"]), name)


def _add_keras_scaling(layers: ForeignLayers, layer: Any, kind: str, name: str) -> None:
    config, weights = layer.get_config(), list(layer.get_weights())
    if kind == "Rescaling":
        scale = 1 / np.asarray(config["scale"], np.float64)
        layers.add_scaling(-np.asarray(config["offset"], np.float64) * scale, scale, name)
        return
    if config.get("invert"):
        raise _refused(kind, name, "it scales backwards")
    mean, variance = weights[:2] if len(weights) >= 2 else (config["mean"], config["variance"])
    spread = np.sqrt(np.asarray(variance, np.float64))
    layers.add_scaling(mean, np.maximum(spread, 1e-7), name)  # Keras divides by no less


def _keras_function(name: Any) -> str:
    if name == "gelu":
        raise InputError('activation "gelu" of Keras is the exact one; deltarule has the tanh approximation')
    if name not in _KERAS_FUNCTIONS:
        raise InputError(
            f"activation {shown(name)} is not among those that can be imported: {', '.join(_KERAS_FUNCTIONS)}"
        )
    return "leaky_relu(0.2)" if name == "leaky_relu" else str(name)


def _keras_relu(config: Mapping[str, Any]) -> str:
    if config.get("max_value") is not None or config.get("threshold"):
        raise InputError("ReLU with a maximum value or a threshold cannot be imported")
    slope = float(config.get("negative_slope") or 0)
    return f"leaky_relu({slope!r})" if slope else "relu"


def _add_arrays(layers: ForeignLayers, arrays: Sequence[Any]) -> None:
    """``[W1, b1, W2, b2]``; a layer may be without its b, or have None for it."""
    left = list(arrays)
    while left:
        W, b = left.pop(0), None
        if left and (left[0] is None or np.ndim(left[0]) == 1):
            b = left.pop(0)
        layers.add_dense(W, b, f"layer {len(layers.layers) + 1}")


#: How a library's networks are known, whether they say their activations, and what reads them.
_LIBRARIES: tuple[tuple[Callable[[Any], bool], bool, Callable[[ForeignLayers, Any], None]], ...] = (
    (lambda source: hasattr(source, "coefs_") and hasattr(source, "intercepts_"), True, _add_sklearn),
    (lambda source: hasattr(source, "layers") and hasattr(source, "get_config"), True, _add_keras),
    (lambda source: hasattr(source, "named_children") and hasattr(source, "state_dict"), True, _add_torch),
    (lambda source: isinstance(source, Mapping), False, _add_state_dict),
    (lambda source: isinstance(source, Sequence), False, _add_arrays),
)

"""What the operators of an ONNX graph make of the layers read so far.

Each is a function of its inputs, in their order, and of its attributes by their names. An input is an array
of constants, `TracedLayers` or what was made of their outputs, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.fields import shown
from deltarule.errors import ModelFileError
from deltarule.exchange.onnx_values import (
    ChosenLabels,
    ClassProbabilities,
    MissingMask,
    TracedLayers,
    UnreadableNode,
)
from deltarule.nn.activations import ACTIVATIONS
from deltarule.registry import import_extra

#: What NumPy calls as ONNX does.
_CALLED_ALIKE = (
    "Abs", "Add", "Equal", "Exp", "Greater", "Less", "Log", "Reciprocal", "Sign", "Sqrt", "Where",
)  # fmt: skip

#: What is computed of each number alone.
_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name.lower()) for name in _CALLED_ALIKE},
    "Neg": np.negative,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "GreaterOrEqual": np.greater_equal,
    "LessOrEqual": np.less_equal,
    "Max": lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)),
    "Min": lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)),
    "Elu": lambda z, alpha=1.0: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
    "LeakyRelu": lambda z, alpha=0.01: np.where(z > 0, z, alpha * z),
    **{name: ACTIVATIONS.resolve(name.lower()).value for name in ("Relu", "Sigmoid", "Softplus", "Tanh")},
}

#: What leaves the numbers, or their rows, as they are.
_PASSING = ("Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")


def array_of(tensor: Any) -> Array:
    """Return the numbers of a tensor of the file; one that lies elsewhere is refused."""
    onnx = import_extra("onnx", "onnx")
    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelFileError(f"{shown(tensor.name)} lies in another file; save the model as one file")
    return np.asarray(onnx.numpy_helper.to_array(tensor))


def _constant(**attributes: Any) -> Array:
    if "value" in attributes:
        return array_of(attributes["value"])
    for name, value in attributes.items():
        if name in ("value_float", "value_floats", "value_int", "value_ints"):
            return np.array(value, np.float32 if "float" in name else np.int64)
    raise UnreadableNode("holds no numbers")


def _folded(operator: str, values: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """What an operator makes of constants alone."""
    if operator in ("Identity", "Cast"):
        return values[0]
    if operator == "Transpose" and values[0].ndim == 2:
        return values[0].transpose(attributes.get("perm"))
    if operator not in _ELEMENTWISE or any(value is not None and value.size > 1 for value in values):
        raise UnreadableNode("cannot be read")
    return _computed(operator, values, attributes)


def _gemm(
    x: Any, B: Any, C: Any = None, /, *,
    alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0, **_: Any,
) -> TracedLayers:  # fmt: skip
    layers, weights = _traced(x), _weights(B)
    if transA:
        raise UnreadableNode("transposes its input")
    W = weights.T if transB else weights
    layer = layers.times(_multiplied(W, alpha))
    return layer if C is None else layer.plus(_multiplied(_bias_of(C, W), beta))


def _gelu(z: Any, /, *, approximate: bytes = b"none", **_: Any) -> TracedLayers:
    if approximate != b"tanh":
        raise UnreadableNode('is the exact GELU; deltarule has the one with approximate="tanh"')
    layers = _settled(_traced(z))
    return replace(layers, curve=ACTIVATIONS.resolve("gelu").value(layers.curve))


def _softmax(z: Any, /, *, axis: int = -1, **_: Any) -> TracedLayers:
    """Softmax, and its logarithm, which chooses the same classes."""
    layers = _settled(_traced(z))
    if axis not in (1, -1) or not layers.is_linear:
        raise UnreadableNode("is not over the outputs of a dense layer")
    return replace(layers, couples=True)


def _cast(value: Any, attributes: dict[str, Any]) -> Any:
    """The value itself, unless its numbers become others."""
    helper = import_extra("onnx", "onnx").helper
    is_whole = helper.tensor_dtype_to_np_dtype(attributes.get("to")).kind not in "fV"
    is_output = isinstance(value, TracedLayers | ClassProbabilities)
    if is_whole and is_output and layers_behind(value).curve.dtype != bool:
        raise UnreadableNode("rounds the numbers")
    return value


def _combined(operator: str, values: Sequence[Any], attributes: dict[str, Any]) -> TracedLayers:
    """What an elementwise operator makes of layers and constants."""
    if isinstance(values[0], MissingMask):
        # Where(IsNaN(X), fill, X)
        if operator != "Where" or not isinstance(values[1], np.ndarray) or values[2] is not values[0].layers:
            raise UnreadableNode("does not fill what is missing")
        return replace(_raw_input(values[2]), fill=_constant_row(values[1]))
    if operator in ("Add", "Sub", "Mul", "Div") and len(values) == 2:
        for layers, number, is_left in ((*values, False), (*values[::-1], True)):
            if isinstance(layers, TracedLayers) and isinstance(number, np.ndarray):
                after = _after_step(operator, layers, number, is_left)
                if after is not None:
                    return after
    settled = [_settled(value) if isinstance(value, TracedLayers) else value for value in values]
    first, *others = [value for value in settled if isinstance(value, TracedLayers)]
    if not all(layers.is_of(first) for layers in others):
        raise UnreadableNode("joins two branches")
    return replace(first, curve=_computed(operator, [_on_probes(value) for value in settled], attributes))


def _after_step(operator: str, layers: TracedLayers, constant: Array, left: bool) -> TracedLayers | None:
    """The layers after a bias or a scaling; None where the constant belongs to an activation."""
    n_out = 0 if layers.W is None else layers.W.shape[1]
    if layers.W is not None and (constant.ndim == 0 or (constant.size == 1 and n_out != 1)):
        return None
    row = _constant_row(constant)
    if operator == "Add" and layers.W is not None and layers.is_linear and not layers.steps:
        return layers.plus(_bias_of(row, layers.W))
    if left and operator == "Div":
        raise UnreadableNode("divides by the numbers")
    steps = (("Mul", np.array(-1.0)), ("Add", row)) if left and operator == "Sub" else ((operator, row),)
    return replace(layers, steps=(*layers.steps, *steps))


def _on_probes(value: Any) -> Any:
    """What an operand is where z is `PROBES`."""
    if not isinstance(value, TracedLayers):
        if value is None or value.size != 1 or value.dtype.kind not in "fiub":
            raise UnreadableNode("computes with constants that differ from column to column")
        return value.item()
    curve = value.curve
    for operator, constant in value.steps:
        curve = _ELEMENTWISE[operator](curve, _on_probes(constant))
    return curve


def _computed(operator: str, operands: Sequence[Any], attributes: dict[str, Any]) -> Array:
    """What an elementwise operator makes of numbers."""
    function = _ELEMENTWISE[operator]
    if len(operands) != getattr(function, "nin", len(operands)):  # NumPy would write into a third one
        raise UnreadableNode(f"has {len(operands)} operands")
    with np.errstate(all="ignore"):
        return np.asarray(function(*operands, **attributes))


def _imputer(
    x: Any, /, *, imputed_value_floats: Sequence[float] = (), replaced_value_float: float = 0.0, **_: Any
) -> TracedLayers:
    if not np.isnan(replaced_value_float):
        raise UnreadableNode("replaces other numbers than NaN")
    return replace(_raw_input(x), fill=np.array(imputed_value_floats, np.float64))


def _scaler(x: Any, /, *, offset: Sequence[float], scale: Sequence[float], **_: Any) -> TracedLayers:
    layers, shift, factor = _traced(x), np.array(offset, np.float32), np.array(scale, np.float32)
    return replace(layers, steps=(*layers.steps, ("Sub", shift), ("Mul", factor)))


def _zip_map(
    outputs: Any, /, *,
    classlabels_strings: Sequence[bytes] = (), classlabels_int64s: Sequence[int] = (), **_: Any,
) -> ClassProbabilities:  # fmt: skip
    labels = _texts_decoded(classlabels_strings or classlabels_int64s)
    return ClassProbabilities(layers_behind(outputs), labels or None)


def _concat(*values: Any, **_: Any) -> ClassProbabilities:
    """1 − p beside p: the answer of a single output."""
    if len(values) != 2 or not all(isinstance(one, TracedLayers) and one.W is not None for one in values):
        raise UnreadableNode("joins several inputs")
    no, yes = values
    if not no.is_of(yes) or yes.W.shape[1] != 1 or not np.allclose(_on_probes(no) + _on_probes(yes), 1):
        raise UnreadableNode("joins two branches")
    return ClassProbabilities(yes)


def _gather(names: Any, places: Any, /, **_: Any) -> ChosenLabels:
    """Labels by the numbers of their classes."""
    is_threshold = isinstance(places, TracedLayers) and places.curve.dtype == bool
    if not isinstance(names, np.ndarray) or not (is_threshold or isinstance(places, ChosenLabels)):
        raise UnreadableNode("takes some of the numbers only")
    return ChosenLabels(None if is_threshold else places.layers, _texts_decoded(names.ravel().tolist()))


#: Of how many inputs (None: of all), and of the attributes by their names.
_OPERATORS: dict[str, tuple[int | None, Callable[..., Any]]] = {
    "ArgMax": (1, lambda outputs, /, **_: ChosenLabels(layers_behind(outputs))),
    "ArrayFeatureExtractor": (None, _gather),
    "Binarizer": (1, lambda outputs, /, **_: ChosenLabels(layers_behind(outputs))),
    "Concat": (None, _concat),
    "Gather": (None, _gather),
    "Gelu": (1, _gelu),
    "Gemm": (3, _gemm),
    "Imputer": (1, _imputer),
    "IsNaN": (1, lambda x, /, **_: MissingMask(_raw_input(x))),
    "LogSoftmax": (1, _softmax),
    "MatMul": (2, lambda x, W, /, **_: _traced(x).times(_weights(W))),
    "Scaler": (1, _scaler),
    "Softmax": (1, _softmax),
    "ZipMap": (1, _zip_map),
}


def applied(operator: str, values: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """Return what a node with this operator makes.

    Raises UnreadableNode if it is nothing that a row of dense layers is made of.
    """
    if operator == "Constant":
        return _constant(**attributes)
    traced = [value for value in values if not isinstance(value, np.ndarray | None)]
    if not traced:
        return _folded(operator, values, attributes)
    if operator == "Cast":
        return _cast(values[0], attributes)
    if operator in _PASSING:
        return values[0]
    if operator in _OPERATORS:
        n_inputs, function = _OPERATORS[operator]
        return function(*values[:n_inputs], **attributes)
    if isinstance(traced[0], ChosenLabels):
        return traced[0]
    is_answer = any(isinstance(value, ClassProbabilities | ChosenLabels) for value in traced)
    if is_answer or operator not in _ELEMENTWISE:
        raise UnreadableNode("cannot be read")
    return _combined(operator, values, attributes)


def layers_behind(value: Any) -> Any:
    """The layers whose outputs these are, or were chosen by; None where there are none."""
    return value if isinstance(value, TracedLayers) or value is None else getattr(value, "layers", None)


def _traced(value: Any) -> TracedLayers:
    """Layers that another layer or a function can follow."""
    if not isinstance(value, TracedLayers):
        raise UnreadableNode("does not take what comes before it")
    return value


def _settled(layers: TracedLayers) -> TracedLayers:
    """Layers that a function of each number can follow."""
    if layers.W is None or layers.couples:
        raise UnreadableNode("stands where a dense layer was expected")
    return layers.settled()


def _raw_input(value: Any) -> TracedLayers:
    """The input of the graph as it came, before any layer."""
    layers = _traced(value)
    if layers.W is not None or layers.steps or layers.fill is not None:
        raise UnreadableNode("fills missing numbers of something else than the input")
    return layers


def _weights(value: Any) -> Array:
    """Weights: two dimensions, float32 or float64."""
    if not isinstance(value, np.ndarray):
        raise UnreadableNode("multiplies two results, where weights were expected")
    if value.ndim != 2 or 0 in value.shape:
        raise UnreadableNode(f"has weights of shape {value.shape}, where two dimensions were expected")
    if value.dtype not in (np.float32, np.float64):
        raise UnreadableNode(f"has weights of {value.dtype}, where float32 or float64 was expected")
    return value


def _constant_row(value: Array) -> Array:
    """Constants that are the same for each row of the batch, (n,)."""
    if value.dtype.kind not in "fiu" or (value.ndim > 1 and value.shape[0] != 1):
        raise UnreadableNode(f"takes constants of {value.dtype} and shape {value.shape}")
    return value.ravel()


def _bias_of(value: Any, W: Array) -> Array:
    if not isinstance(value, np.ndarray):
        raise UnreadableNode("adds a result, where a bias was expected")
    row = _constant_row(value)
    if row.size not in (1, W.shape[1]):
        raise UnreadableNode(f"has {row.size} biases for {W.shape[1]} neurons")
    return np.broadcast_to(row.astype(W.dtype), (W.shape[1],))


def _multiplied(values: Array, factor: float) -> Array:
    return values if factor == 1 else values * values.dtype.type(factor)


def _texts_decoded(labels: Sequence[Any]) -> list[Any]:
    """Labels as Python values; text as text."""
    return [label.decode() if isinstance(label, bytes) else label for label in labels]

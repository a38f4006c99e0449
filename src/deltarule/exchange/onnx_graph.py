"""Reading an ONNX graph of dense layers: node by node, what each tensor is in terms of a network.

A tensor is a constant, or a `Signal`: the layers so far, and what has been computed of the last one's ``z``,
as values at a few points. So an activation is recognised by what it computes, however it is composed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.fields import shown
from deltarule.errors import InputError, ModelFileError
from deltarule.exchange.onnx_values import Answer, Labels, Missing, Signal, Unreadable
from deltarule.exchange.rebuilding import Found
from deltarule.nn.activations import ACTIVATIONS
from deltarule.registry import import_extra

__all__ = ["array_of", "read_graph"]

_READ = (
    "what can be read: dense layers (Gemm, or MatMul and Add) with deltarule's activations, scaling before "
    "and after them, labels"
)

#: More nodes than any row of dense layers needs.
_MOST_NODES = 10_000

#: A tensor may be the weights of several layers, but a small file must not become a huge network.
_MOST_SHARED = 4

#: What is computed of each number alone.
_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Abs": np.abs,
    "Exp": np.exp,
    "Log": np.log,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Sign": np.sign,
    "Sqrt": np.sqrt,
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Equal": np.equal,
    "Where": np.where,
    "Max": lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)),
    "Min": lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)),
    "Elu": lambda z, alpha=1.0: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
    "LeakyRelu": lambda z, alpha=0.01: np.where(z > 0, z, alpha * z),
    **{name: ACTIVATIONS.resolve(name.lower()).value for name in ("Relu", "Sigmoid", "Softplus", "Tanh")},
}

#: What leaves the numbers, or their rows, as they are.
_PASSING = ("Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def read_graph(graph: Any, n_bytes: int) -> Found:
    """The network that a GraphProto of ``n_bytes`` bytes computes.

    Raises
    ------
    InputError
        If it is anything but dense layers in a row; the message names the node.
    ModelFileError
        If the graph is damaged.
    """
    return _Reader(graph, n_bytes).found()


def array_of(tensor: Any) -> Array:
    """A tensor of the file; one that lies elsewhere is refused."""
    onnx = import_extra("onnx", "onnx")
    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelFileError(f"{shown(tensor.name)} lies in another file; save the model as one file")
    return np.asarray(onnx.numpy_helper.to_array(tensor))


class _Reader:
    """Goes through the nodes in order; ``tensors`` says what each tensor is."""

    def __init__(self, graph: Any, n_bytes: int) -> None:
        self.onnx, self.graph = import_extra("onnx", "onnx"), graph
        self.numbers_left = _MOST_SHARED * n_bytes
        self.tensors: dict[str, Any] = {}
        self.has_several_labels = False
        self.handlers: dict[str, Callable[[list[Any], dict[str, Any]], Any]] = {
            "Gemm": self._gemm,
            "MatMul": self._matmul,
            "Softmax": self._softmax,
            "LogSoftmax": self._softmax,
            "Gelu": self._gelu,
            "IsNaN": self._is_nan,
            "Imputer": self._imputer,
            "Scaler": self._scaler,
            "ArgMax": lambda values, _: Labels(_signal_of(values[0])),
            "Binarizer": self._binarizer,
            "ZipMap": self._zip_map,
            "Concat": self._concat,
            "Gather": self._gather,
            "ArrayFeatureExtractor": self._gather,
        }

    # ------------------------------------------------------------------ the walk

    def found(self) -> Found:
        """What the graph's outputs say."""
        if len(self.graph.node) > _MOST_NODES:
            raise InputError(
                f"the graph has {len(self.graph.node):,} nodes, more than {_MOST_NODES:,}; {_READ}"
            )
        if len(self.graph.sparse_initializer):
            raise InputError(f"the graph holds sparse weights; {_READ}")
        for tensor in self.graph.initializer:
            self.tensors[tensor.name] = array_of(tensor)
        declared = self._declare_input()
        for node in self.graph.node:
            self._read(node)
        found = self._answer()
        if declared not in (None, len(found.layers[0].W)):
            raise InputError(f"the graph takes {declared} numbers, its first layer {len(found.layers[0].W)}")
        return found

    def _declare_input(self) -> int | None:
        """The input becomes a signal; how many numbers it declares for a row, where it does."""
        inputs = [info for info in self.graph.input if info.name not in self.tensors]
        if len(inputs) != 1:
            names = ", ".join(shown(info.name) for info in inputs[:5]) or "none"
            raise InputError(f"the graph must have one input, got {names}; {_READ}")
        self.tensors[inputs[0].name] = Signal()
        sizes = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim][1:]
        return math.prod(sizes) if sizes and all(size > 0 for size in sizes) else None

    def _read(self, node: Any) -> None:
        """Work out what a node makes."""
        try:
            values = [self._value(name) for name in node.input]
            made = self._made(node, values, self._attributes(node))
        except Unreadable as error:
            name = shown(node.name or ", ".join(node.output))
            raise InputError(f"node {name} ({shown(node.op_type)}) {error}; {_READ}") from None
        if node.output:
            self.tensors[node.output[0]] = made

    def _value(self, name: str) -> Any:
        if name and name not in self.tensors:
            raise ModelFileError(f"a node takes {shown(name)}, which nothing before it makes")
        return self.tensors[name] if name else None

    def _attributes(self, node: Any) -> dict[str, Any]:
        return {part.name: self.onnx.helper.get_attribute_value(part) for part in node.attribute}

    def _made(self, node: Any, values: list[Any], attributes: dict[str, Any]) -> Any:
        operator = node.op_type
        if node.domain not in _DOMAINS:
            raise Unreadable(f"is of {shown(node.domain)}")
        if operator == "Constant":
            return self._constant(attributes)
        signals = [value for value in values if isinstance(value, Signal | Answer | Labels | Missing)]
        if not signals:
            return self._folded(operator, values, attributes)
        if operator in _PASSING:
            return self._passed(operator, values[0], attributes)
        if operator in self.handlers:
            return self.handlers[operator](values, attributes)
        if isinstance(signals[0], Labels):
            return signals[0]
        if operator not in _ELEMENTWISE or any(isinstance(value, Answer | Labels) for value in signals):
            raise Unreadable("cannot be read")
        return self._computed(operator, values, attributes)

    def _answer(self) -> Found:
        """What the graph's outputs have in common."""
        results = [self._value(info.name) for info in self.graph.output]
        if not all(isinstance(result, Signal | Answer | Labels) for result in results):
            raise InputError(f"an output of the graph does not come from its input; {_READ}")
        outputs = [result for result in results if not isinstance(result, Labels)] or results
        signals = [signal for signal in map(_signal_of, outputs) if signal is not None]
        if not signals:
            raise InputError(f"the graph gives no outputs of a network; {_READ}")
        if not all(signal.gives(signals[0]) for signal in signals):
            raise InputError(f"the graph gives several different outputs; {_READ}")
        classes = [getattr(result, "classes", None) for result in results]
        chosen = next((some for some in classes if some is not None and not self.has_several_labels), None)
        try:
            found: Found = signals[0].found(chosen)
            return found
        except Unreadable as error:
            raise InputError(f"{error}; {_READ}") from None

    # ------------------------------------------------------------------ constants

    def _constant(self, attributes: dict[str, Any]) -> Array:
        if "value" in attributes:
            return array_of(attributes["value"])
        for name, dtype in (("value_float", np.float32), ("value_floats", np.float32)):
            if name in attributes:
                return np.array(attributes[name], dtype)
        for name in ("value_int", "value_ints"):
            if name in attributes:
                return np.array(attributes[name], np.int64)
        raise Unreadable("holds no numbers")

    def _folded(self, operator: str, values: list[Any], attributes: dict[str, Any]) -> Any:
        """What a node makes of constants alone."""
        if operator in ("Identity", "Cast"):
            return values[0]
        if operator == "Transpose" and values[0].ndim == 2:
            return values[0].transpose(attributes.get("perm"))
        if operator not in _ELEMENTWISE or any(value is not None and value.size > 1 for value in values):
            raise Unreadable("cannot be read")
        return _worked_out(operator, values, attributes)

    # ------------------------------------------------------------------ layers

    def _gemm(self, values: list[Any], attributes: dict[str, Any]) -> Signal:
        signal, B, C = _open(values[0]), _matrix(values[1]), [*values, None][2]
        if attributes.get("transA"):
            raise Unreadable("transposes its input")
        W = B.T if attributes.get("transB") else B
        layer = self._layer(signal, _scaled(W, attributes.get("alpha", 1.0)))
        if C is None:
            return layer
        return layer.plus(_scaled(_bias(C, W), attributes.get("beta", 1.0)))

    def _matmul(self, values: list[Any], attributes: dict[str, Any]) -> Signal:
        return self._layer(_open(values[0]), _matrix(values[1]))

    def _layer(self, signal: Signal, W: Array) -> Signal:
        self.numbers_left -= W.nbytes
        if self.numbers_left < 0:
            raise ModelFileError("the graph uses the same weights too often")
        return signal.times(W)

    # ------------------------------------------------------------------ functions of each number

    def _passed(self, operator: str, value: Any, attributes: dict[str, Any]) -> Any:
        """The same value, unless its numbers become others."""
        to = attributes.get("to")
        whole = operator == "Cast" and self.onnx.helper.tensor_dtype_to_np_dtype(to).kind not in "fV"
        if whole and isinstance(value, Signal | Answer) and _signal_of(value).curve.dtype != bool:
            raise Unreadable("rounds the numbers")
        return value

    def _computed(self, operator: str, values: list[Any], attributes: dict[str, Any]) -> Signal:
        """An operator on signals of one layer and constants."""
        if isinstance(values[0], Missing):
            return self._filled(operator, values)
        if operator in ("Add", "Sub", "Mul", "Div") and len(values) == 2:
            for signal, constant, left in ((*values, False), (*values[::-1], True)):
                if isinstance(signal, Signal) and isinstance(constant, np.ndarray):
                    step = _step(operator, signal, constant, left)
                    if step is not None:
                        return step
        settled = [_settled(value) if isinstance(value, Signal) else value for value in values]
        signals = [value for value in settled if isinstance(value, Signal)]
        if not all(signal.is_of(signals[0]) for signal in signals):
            raise Unreadable("joins two branches")
        return replace(signals[0], curve=_worked_out(operator, map(_on_probes, settled), attributes))

    def _gelu(self, values: list[Any], attributes: dict[str, Any]) -> Signal:
        if attributes.get("approximate", b"none") != b"tanh":
            raise Unreadable('is the exact GELU; deltarule has the one with approximate="tanh"')
        signal = _settled(_open(values[0]))
        return replace(signal, curve=ACTIVATIONS.resolve("gelu").value(signal.curve))

    def _softmax(self, values: list[Any], attributes: dict[str, Any]) -> Signal:
        """Softmax, and its logarithm, which chooses the same classes."""
        signal = _settled(_open(values[0]))
        if attributes.get("axis", -1) not in (1, -1) or not signal.is_linear:
            raise Unreadable("is not over the outputs of a dense layer")
        return replace(signal, couples=True)

    # ------------------------------------------------------------------ inputs

    def _is_nan(self, values: list[Any], attributes: dict[str, Any]) -> Missing:
        return Missing(_raw(values[0]))

    def _filled(self, operator: str, values: list[Any]) -> Signal:
        """``Where(IsNaN(X), fill, X)``."""
        if operator != "Where" or not isinstance(values[1], np.ndarray) or values[2] is not values[0].signal:
            raise Unreadable("does not fill what is missing")
        return replace(_raw(values[2]), fill=_row(values[1]))

    def _imputer(self, values: list[Any], attributes: dict[str, Any]) -> Signal:
        if not np.isnan(attributes.get("replaced_value_float", 0.0)):
            raise Unreadable("replaces other numbers than NaN")
        return replace(_raw(values[0]), fill=np.array(attributes["imputed_value_floats"], np.float64))

    def _scaler(self, values: list[Any], attributes: dict[str, Any]) -> Signal:
        offset, scale = (np.array(attributes[name], np.float32) for name in ("offset", "scale"))
        signal = _open(values[0])
        return replace(signal, steps=(*signal.steps, ("Sub", offset), ("Mul", scale)))

    # ------------------------------------------------------------------ labels

    def _binarizer(self, values: list[Any], attributes: dict[str, Any]) -> Labels:
        """A row can have several labels at once, so that they are no classes."""
        self.has_several_labels = True
        return Labels(_signal_of(values[0]))

    def _zip_map(self, values: list[Any], attributes: dict[str, Any]) -> Answer:
        names = [text.decode() for text in attributes.get("classlabels_strings", [])]
        return Answer(_signal_of(values[0]), _labels(names or attributes.get("classlabels_int64s") or None))

    def _concat(self, values: list[Any], attributes: dict[str, Any]) -> Answer:
        """1 − p beside p: the answer of a single output."""
        if len(values) != 2 or not all(isinstance(value, Signal) and value.W is not None for value in values):
            raise Unreadable("joins several inputs")
        no, yes = values
        if not no.is_of(yes) or yes.W.shape[1] != 1 or not np.allclose(_on_probes(no) + _on_probes(yes), 1):
            raise Unreadable("joins two branches")
        return Answer(yes)

    def _gather(self, values: list[Any], attributes: dict[str, Any]) -> Labels:
        """Labels by the numbers of their classes."""
        names, places = values
        threshold = isinstance(places, Signal) and places.curve.dtype == bool
        if not isinstance(names, np.ndarray) or not (threshold or isinstance(places, Labels)):
            raise Unreadable("takes some of the numbers only")
        return Labels(None if threshold else places.signal, _labels(names.ravel().tolist()))


def _signal_of(value: Any) -> Any:
    return value if isinstance(value, Signal) or value is None else getattr(value, "signal", None)


def _open(value: Any) -> Signal:
    """A signal that a layer or a function can take."""
    if not isinstance(value, Signal):
        raise Unreadable("does not take what comes before it")
    return value


def _settled(signal: Signal) -> Signal:
    """A signal that a function of each number can follow."""
    if signal.W is None or signal.couples:
        raise Unreadable("stands where a dense layer was expected")
    return signal.settled()


def _raw(value: Any) -> Signal:
    """The input as it came."""
    signal = _open(value)
    if signal.W is not None or signal.steps or signal.fill is not None:
        raise Unreadable("fills missing numbers of something else than the input")
    return signal


def _matrix(value: Any) -> Array:
    """Weights: two dimensions, float32 or float64."""
    if not isinstance(value, np.ndarray):
        raise Unreadable("multiplies two results, where weights were expected")
    if value.ndim != 2 or 0 in value.shape:
        raise Unreadable(f"has weights of shape {value.shape}, where two dimensions were expected")
    if value.dtype not in (np.float32, np.float64):
        raise Unreadable(f"has weights of {value.dtype}, where float32 or float64 was expected")
    return value


def _row(value: Any) -> Array:
    """Constants that are the same for each row of the batch, (n,)."""
    if value.dtype.kind not in "fiu" or (value.ndim > 1 and value.shape[0] != 1):
        raise Unreadable(f"takes constants of {value.dtype} and shape {value.shape}")
    row: Array = value.ravel()
    return row


def _bias(value: Any, W: Array) -> Array:
    if not isinstance(value, np.ndarray):
        raise Unreadable("adds a result, where a bias was expected")
    row = _row(value)
    if row.size not in (1, W.shape[1]):
        raise Unreadable(f"has {row.size} biases for {W.shape[1]} neurons")
    return np.broadcast_to(row.astype(W.dtype), (W.shape[1],))


def _scaled(values: Array, factor: float) -> Array:
    return values if factor == 1 else values * values.dtype.type(factor)


def _step(operator: str, signal: Signal, constant: Array, left: bool) -> Signal | None:
    """The signal after a bias or a scaling; None where the constant belongs to an activation."""
    n_out = 0 if signal.W is None else signal.W.shape[1]
    if signal.W is not None and (constant.ndim == 0 or (constant.size == 1 and n_out != 1)):
        return None
    row = _row(constant)
    if operator == "Add" and signal.W is not None and signal.is_linear and not signal.steps:
        return signal.plus(_bias(row, signal.W))
    if left and operator == "Div":
        raise Unreadable("divides by the numbers")
    steps = (("Mul", np.array(-1.0)), ("Add", row)) if left and operator == "Sub" else ((operator, row),)
    return replace(signal, steps=(*signal.steps, *steps))


def _on_probes(value: Any) -> Any:
    """What an operand is where z is `PROBES`."""
    if not isinstance(value, Signal):
        if value is None or value.size != 1 or value.dtype.kind not in "fiub":
            raise Unreadable("computes with constants that differ from column to column")
        return value.item()
    curve = value.curve
    for operator, constant in value.steps:
        curve = _ELEMENTWISE[operator](curve, _on_probes(constant))
    return curve


def _worked_out(operator: str, values: Iterable[Any], attributes: dict[str, Any]) -> Array:
    operands, function = list(values), _ELEMENTWISE[operator]
    if len(operands) != getattr(function, "nin", len(operands)):  # NumPy would write into a third one
        raise Unreadable(f"has {len(operands)} operands")
    with np.errstate(all="ignore"):
        return np.asarray(function(*operands, **attributes))


def _labels(values: Any) -> Any:
    """Labels as Python values; text as text."""
    if values is None:
        return None
    return [value.decode() if isinstance(value, bytes) else value for value in values]

"""A network as an ONNX graph: opset 13 of the main operators, scaling and labels inside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import CategoryColumn
from deltarule.data.encoding.targets import Label
from deltarule.data.meaning import parted
from deltarule.data.reading import MISSING_CELLS
from deltarule.errors import InputError
from deltarule.exchange.activation_steps import is_built_in
from deltarule.exchange.onnx_formula import Composer
from deltarule.exchange.portable_network import PortableNetwork
from deltarule.nn.activations import Activation
from deltarule.registry import import_extra

#: Old enough for the runtimes in use, new enough for all that is needed here.
OPSET, IR_VERSION = 13, 8

PRODUCER = "deltarule"

#: What one operator computes, in float32 and float64 alike. All others are composed of several.
_OPERATORS = {name: name.capitalize() for name in ("identity", "sigmoid", "tanh", "relu", "softmax")}

_TEXTS = "ai.onnx.ml"  # the operators that take texts
_MIXED_CASE = {"nan": ("NaN",), "nat": ("NaT",)}

#: Protocol Buffers hold no more in one file.
MOST_BYTES = 2**31 - 1


def onnx_bytes(network: PortableNetwork, title: str, description: Mapping[str, Any] | None = None) -> bytes:
    """Return an ONNX file that computes what the network does, from raw numbers to answers.

    Its input is ``X`` (N, n_features) of the network's dtype; columns of text come as they are in a second,
    ``texts`` (N, n_texts), and ``X`` has the numbers alone. A classification gives ``label`` (N,), of
    integers, text, booleans or doubles as the labels are, and ``probabilities`` (N, n_classes) in the order
    of the classes; a single output p becomes the columns 1 − p and p. Several labels that may be there
    together give ``label`` (N, n_labels) of 0 and 1, and their ``probabilities``. All else gives ``outputs``
    (N, n_outputs) in their units. Scaling is computed in float64, whatever the network's dtype.

    Parameters
    ----------
    network : PortableNetwork
    title : str
    description : dict, optional
        What `Network.description` returns: it goes along, so that an import gets back what the graph does
        not say, such as the loss, dropout, and which features are categories of one column.

    Raises
    ------
    InputError
        If an activation has no formula to compose it from, or a label cannot be written.
    MissingExtraError
        If onnx is not installed.
    """
    onnx = import_extra("onnx", "onnx")
    model = onnx.helper.make_model(
        network_graph(network),
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid(*opset) for opset in _opsets(network)],
        producer_name=PRODUCER,
        producer_version=version("deltarule"),
        doc_string=title.encode("utf-8", "replace").decode(),
    )
    onnx.helper.set_model_props(model, _metadata(network, description))
    if model.ByteSize() > MOST_BYTES:
        raise InputError(
            f"the network takes {model.ByteSize():,} bytes, but an ONNX file can hold only {MOST_BYTES:,}"
        )
    return bytes(model.SerializeToString(deterministic=True))


def _opsets(network: PortableNetwork) -> list[tuple[str, int]]:
    return [("", OPSET), *([(_TEXTS, 2)] if network.texts else [])]


def _metadata(network: PortableNetwork, description: Mapping[str, Any] | None) -> dict[str, str]:
    """What the file says about the network beside its graph, as JSON texts."""
    sizes = [network.layers[0].W.shape[0], *(layer.W.shape[1] for layer in network.layers)]
    properties: dict[str, Any] = {
        "features": network.features,
        "outputs": network.outputs,
        "classes": network.classes,
        "labels": network.labels,
        "texts": [column.name for _, column in network.texts],
        "sizes": sizes,
        "activations": [layer.activation.name for layer in network.layers],
    }
    if description is not None:
        properties |= {"loss": description["loss"], "description": description}
    return {name: json.dumps(value, sort_keys=True) for name, value in properties.items()}


def network_graph(network: PortableNetwork) -> Any:
    """Return the graph alone."""
    graph = _Graph(network)
    a = graph.layers(graph.inputs())
    if network.labels is not None:
        outputs = [graph.several_labels(a), graph.probabilities(a, len(network.labels))]
    elif network.classes is None:
        outputs = [graph.in_units(a)]
    else:
        outputs = [graph.labels(a, network.classes), graph.probabilities(a, len(network.classes))]
    constants = list(graph.constants.values())
    return graph.onnx.helper.make_graph(graph.nodes, "network", graph.input_infos(), outputs, constants)


class _Graph:
    """Nodes and numbers, in the order they are added. Each node is called as what it computes."""

    def __init__(self, network: PortableNetwork) -> None:
        self.onnx = import_extra("onnx", "onnx")
        self.network, self.dtype = network, network.dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """One operator; the tensor it makes, which is called ``name`` too."""
        made = self.onnx.helper.make_node(operator, list(inputs), [name], name, **attributes)
        self.nodes.append(made)
        return name

    def constant(self, values: Any, name: str, dtype: Any = None) -> str:
        """An array or a number that belongs to the network."""
        array = np.ascontiguousarray(values, dtype or self.dtype).reshape(np.shape(values))
        self.constants[name] = self.onnx.numpy_helper.from_array(array, name)
        return name

    def cast(self, tensor: str, dtype: Any, name: str) -> str:
        return self.node("Cast", [tensor], name, to=self._onnx_type(dtype))

    def _onnx_type(self, dtype: Any) -> int:
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def input_infos(self) -> list[Any]:
        """What the graph says of its inputs: numbers, and texts where there are any."""
        n_texts, n_numbers = len(self.network.texts), int(self._is_number.sum())
        texts = self.onnx.helper.make_tensor_value_info("texts", self.onnx.TensorProto.STRING, ["N", n_texts])
        numbers = self.value_info("X", n_numbers)
        return [*([numbers] if n_numbers else []), *([texts] if n_texts else [])]

    @property
    def _is_number(self) -> Array:
        """Which features are no categories, (n_features,) of bool."""
        found = np.ones(len(self.network.features), bool)
        for start, column in self.network.texts:
            found[start : start + len(column.feature_names)] = False
        return found

    def inputs(self) -> str:
        """The features: numbers filled and scaled, and 0 or 1 for each category of the texts."""
        is_number = self._is_number
        parts = [self._numbers(is_number)] if is_number.any() else []
        places = [np.flatnonzero(is_number)]
        for number, (start, column) in enumerate(self.network.texts):
            parts.append(self._categories(number, column))
            places.append(np.arange(start, start + len(column.feature_names)))
        if not self.network.texts:
            return parts[0]
        x = self.node("Concat", parts, "x_parts", axis=1) if len(parts) > 1 else parts[0]
        order = np.argsort(np.concatenate(places))
        if (order == np.arange(len(order))).all():
            return x
        return self.node("Gather", [x, self.constant(order, "order", np.int64)], "x_ordered", axis=1)

    def _categories(self, number: int, column: CategoryColumn) -> str:
        """0 and 1 for each category of a column of texts; a missing cell is what stands in for it."""
        n, name = len(column.categories), column.name
        known: dict[str, int] = {}
        if column.fill is not None:
            fill = column.categories.index(column.fill)
            known = {form: fill for token in sorted(MISSING_CELLS) for form in _forms(token)}
        known |= {category: place for place, category in enumerate(column.categories)}
        cells = self.node(
            "Gather", ["texts", self.constant([number], f"{name}:column", np.int64)], name, axis=1
        )
        code = self.node(
            "LabelEncoder", [cells], f"{name}:code", domain=_TEXTS, keys_strings=list(known),
            values_int64s=list(known.values()), default_int64=n,
        )  # fmt: skip
        codes = self.constant(np.arange(n + column.other), f"{name}:codes", np.int64)
        return self.cast(self.node("Equal", [code, codes], f"{name}:is"), self.dtype, f"{name}:x")

    def _numbers(self, kept: Array) -> str:
        """``X`` with missing numbers filled, scaled in float64."""
        network = self.network
        shift, scale, fill = network.shift[kept], network.scale[kept], network.fill[kept]
        gone = np.array([parted(source.kind)[1] or np.nan for source in network.sources] or fill, float)
        has_fill, has_gone = not np.isnan(fill).all(), bool(network.sources) and not np.isnan(gone).all()
        if not (network.is_scaled or has_fill):
            return "X"
        x = self._unless_double("X", np.float64, "X_double")
        if has_gone:  # a number that stands for missing ones
            is_gone = self.node("Equal", [x, self.constant(gone[kept], "gone", np.float64)], "X_is_gone")
            x = self.node("Where", [is_gone, self.constant(np.nan, "nan", np.float64), x], "X_cleared")
        if has_fill:
            missing = self.node("IsNaN", [x], "missing")
            x = self.node("Where", [missing, self.constant(fill, "fill", np.float64), x], "X_filled")
        if network.is_scaled:
            x = self.node("Sub", [x, self.constant(shift, "shift", np.float64)], "X_shifted")
            x = self.node("Div", [x, self.constant(scale, "scale", np.float64)], "X_scaled")
        return self._unless_double(x, self.dtype, "x")

    def _unless_double(self, tensor: str, dtype: Any, name: str) -> str:
        """The tensor as another number type, where the network's is not double."""
        return tensor if self.dtype == np.float64 else self.cast(tensor, dtype, name)

    def layers(self, x: str) -> str:
        """``z1 = x @ W1 + b1``, ``a1 = f(z1)``, and so on; the last ``a``."""
        for number, layer in enumerate(self.network.layers, start=1):
            W, b = self.constant(layer.W, f"W{number}"), self.constant(layer.b, f"b{number}")
            z = self.node("Gemm", [x, W, b], f"z{number}")
            x = self._activation(layer.activation, z, f"a{number}")
        return x

    def _activation(self, activation: Activation, z: str, name: str) -> str:
        if activation.name in _OPERATORS and is_built_in(activation):
            return self.node(_OPERATORS[activation.name], [z], name)
        return Composer(self.node, self._formula_number, z, name).compose(activation)

    def _formula_number(self, number: float) -> str:
        """A number of a formula, called as it is written."""
        return self.constant(number, repr(float(number)))

    def in_units(self, a: str) -> Any:
        """``outputs``: the last layer's, in the units of the targets."""
        network = self.network
        if network.has_units:
            a = self._unless_double(a, np.float64, "a_double")
            a = self.node("Mul", [a, self.constant(network.out_scale, "out_scale", np.float64)], "a_scaled")
            a = self.node("Add", [a, self.constant(network.out_shift, "out_shift", np.float64)], "a_shifted")
            self.cast(a, self.dtype, "outputs")
        else:
            self.node("Identity", [a], "outputs")
        return self.value_info("outputs", len(network.outputs))

    def probabilities(self, a: str, n_classes: int) -> Any:
        """``probabilities``: an output for each class, or 1 − p and p."""
        if self._is_single(n_classes):
            no = self.node("Sub", [self._formula_number(1), a], "1-p")
            self.node("Concat", [no, a], "probabilities", axis=1)
        else:
            self.node("Identity", [a], "probabilities")
        return self.value_info("probabilities", n_classes)

    def labels(self, a: str, classes: Sequence[Label]) -> Any:
        """``label``: of the largest output; of a single one, the second class where it is above ½."""
        if self._is_single(len(classes)):
            p = self.node("Reshape", [a, self.constant([-1], "row", np.int64)], "p")
            above = self.node("Greater", [p, self._formula_number(0.5)], "p>0.5")
            place = self.cast(above, np.int64, "class")
        else:
            place = self.node("ArgMax", [a], "class", axis=1, keepdims=0)
        values = _label_array(classes)
        kind = self.onnx.TensorProto.STRING if values.dtype == object else self._onnx_type(values.dtype)
        self.constants["classes"] = self.onnx.helper.make_tensor(
            "classes", kind, values.shape, values.tolist()
        )
        self.node("Gather", ["classes", place], "label")
        return self.onnx.helper.make_tensor_value_info("label", kind, ["N"])

    def several_labels(self, a: str) -> Any:
        """``label``: for each whether its output is above ½."""
        above = self.node("Greater", [a, self._formula_number(0.5)], "p>0.5")
        self.cast(above, np.int64, "label")
        kind = self._onnx_type(np.int64)
        return self.onnx.helper.make_tensor_value_info("label", kind, ["N", len(self.network.outputs)])

    def _is_single(self, n_classes: int) -> bool:
        return bool(self.network.layers[-1].W.shape[1] < n_classes)

    def value_info(self, name: str, n_columns: int) -> Any:
        """What the graph says of an input or output of numbers."""
        kind = self._onnx_type(self.dtype)
        return self.onnx.helper.make_tensor_value_info(name, kind, ["N", n_columns])


def _forms(token: str) -> list[str]:
    """How people write a token for missing cells."""
    return list(dict.fromkeys([token, token.upper(), token.capitalize(), *_MIXED_CASE.get(token, ())]))


def _label_array(classes: Sequence[Label]) -> Array:
    """Labels as a tensor can hold them: text as bytes, whole numbers in 64 bits, booleans, doubles."""
    if isinstance(classes[0], str):
        try:
            return np.array([str(label).encode() for label in classes], dtype=object)
        except UnicodeEncodeError as error:
            raise InputError(
                f"label {error.object!r} contains half a character, which ONNX cannot store; rename it"
            ) from None
    if isinstance(classes[0], int) and not all(-(2**63) <= int(label) < 2**63 for label in classes):
        raise InputError(f"labels must be whole numbers of 64 bits for ONNX, got {list(classes)}")
    return np.array(classes)

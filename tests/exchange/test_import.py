"""Networks from elsewhere give the outputs they gave there; what cannot be read is named."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import warnings
from collections import OrderedDict

import numpy as np
import pytest
from click.testing import CliRunner

from deltarule import Dense, InputError, MissingExtraError, ModelFileError, Network, fit_encoding
from deltarule.cli import cli
from deltarule.data import load
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    NumbersEncoding,
    PixelsEncoding,
)
from deltarule.errors import DeltaruleError
from deltarule.exchange.importing import import_network
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.to_onnx import onnx_bytes

from .runtimes import ACTIVATION_NAMES, answers, by_onnxruntime, by_reference, close, exported, rows
from .stand_ins import keras_like, torch_like

onnx = pytest.importorskip("onnx")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

rng = np.random.default_rng(7)


def refusal(source, **settings):
    """What an import that must be refused says."""
    with pytest.raises(InputError) as caught:
        import_network(source, **settings)
    return str(caught.value)


# ---------------------------------------------------------------------- our own files

NUMBER_COLUMNS = ColumnsEncoding((NumberColumn("a", 1.0, 0.1, 3.5), NumberColumn("b", -2.5, 3.0)))
MIXED_COLUMNS = ColumnsEncoding((NumberColumn("a"), CategoryColumn("colour", ("blue", "red"), "red")))
TEXT = LabelEncoding.fit(["no", "yes"], "answer")
UNITS = NumbersEncoding(("y",), (0.3,), (1.7,))

OURS = {
    "plain": ([2, 3, 2], None, {}),
    "labels": ([2, 3, 2], Encoding(NUMBER_COLUMNS, TEXT), {"output": "softmax"}),
    "one output": ([2, 1], Encoding(NUMBER_COLUMNS, TEXT), {"output": "sigmoid"}),
    "booleans": ([2, 1], Encoding(NUMBER_COLUMNS, LabelEncoding.fit([False, True])), {"output": "tanh"}),
    "units": ([2, 1], Encoding(NUMBER_COLUMNS, UNITS), {}),
    "tanh in units": ([2, 1], Encoding(NUMBER_COLUMNS, UNITS), {"output": "tanh"}),
    "pixels": ([6, 2], Encoding(PixelsEncoding(2, 3), TEXT), {"output": "softmax"}),
    "categories": ([3, 4, 2], Encoding(MIXED_COLUMNS, TEXT), {"output": "softmax", "loss": "squared_error"}),
    "itself": ([2, 1, 2], Encoding(NUMBER_COLUMNS, None), {}),
    "settings": ([2, 3, 1], None, {"bias": "shared", "l2": 0.1, "dropout": 0.2, "reduction": "sum"}),
    "no bias": ([2, 3, 1], None, {"bias": "none"}),
}  # fmt: skip


def ours(kind, dtype="float64"):
    sizes, encoding, settings = OURS[kind]
    net = Network(sizes, activation="gelu", dtype=dtype, bias_initializer="normal(1)", seed=4, **settings)
    net.encoding = encoding
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", OURS)
def test_our_own_file_brings_everything_back(kind, dtype):
    net = ours(kind, dtype)
    back = import_network(exported(net))
    assert back.description() == net.description()
    assert back.dtype == net.dtype
    assert back.parameters.tobytes() == net.parameters.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [kind for kind in OURS if kind not in ("categories", "itself")])
def test_without_a_description_the_graph_says_nearly_as_much(kind, dtype):
    net = ours(kind, dtype)
    back = import_network(onnx_bytes(portable_network(net), kind))
    plain, again = vars(portable_network(net)), vars(portable_network(back))
    assert [layer.activation for layer in again.pop("layers")] == [
        layer.activation for layer in plain.pop("layers")
    ]
    for name, part in plain.items():
        np.testing.assert_array_equal(again[name], part, err_msg=name)
    assert (back.encoding is None) == (net.encoding is None)
    X = rows(net, 50)
    assert close(answers(back, X), answers(net, X))


def test_a_changed_graph_counts_and_not_what_the_description_says():
    model = onnx.load_model_from_string(exported(ours("labels")))
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "b2")
    weights.CopyFrom(numpy_helper.from_array(np.array([5.0, -5.0]), "b2"))
    node = next(node for node in model.graph.node if node.name == "a2")
    node.op_type = "Sigmoid"
    back = import_network(model.SerializeToString())
    assert back.layers[-1].b.tolist() == [5.0, -5.0]
    assert back.layers[-1].activation.name == "sigmoid"
    assert back.encoding.inputs == NUMBER_COLUMNS


@pytest.mark.parametrize(
    "description", ["[]", "{}", '{"layers": 3}', "[" * 10_000, '{"layers": [{"bias": "neuron"}]}']
)
def test_a_description_that_says_nothing_is_passed_over(description):
    model = onnx.load_model_from_string(exported(ours("labels")))
    next(entry for entry in model.metadata_props if entry.key == "description").value = description
    assert import_network(model.SerializeToString()).encoding.inputs == NUMBER_COLUMNS


def test_a_path_will_do(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(exported(ours("labels")))
    assert import_network(path).description() == import_network(str(path)).description()


# ---------------------------------------------------------------------- graphs of others


class Graph:
    """An ONNX graph, written node by node."""

    def __init__(self, dtype=np.float64, opset=13):
        self.dtype, self.opset, self.nodes, self.constants = np.dtype(dtype), opset, [], []

    def constant(self, values, dtype=None):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype or self.dtype), name))
        return name

    def __call__(self, operator, *inputs, domain="", **attributes):
        name = f"t{len(self.nodes)}"
        names = [part if isinstance(part, str) else self.constant(part) for part in inputs]
        self.nodes.append(helper.make_node(operator, names, [name], f"n{name}", domain=domain, **attributes))
        return name

    def model(self, *outputs, shape=("N", 3), inputs=("X",)):
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        taken = [helper.make_tensor_value_info(name, kind, shape) for name in inputs]
        given = [helper.make_value_info(name, helper.make_tensor_type_proto(kind, None)) for name in outputs]
        graph = helper.make_graph(self.nodes, "g", taken, given, self.constants)
        domains = [helper.make_opsetid("", self.opset), helper.make_opsetid("ai.onnx.ml", 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=8)

    def bytes(self, *outputs, **settings):
        return self.model(*outputs, **settings).SerializeToString()


W1, b1 = rng.standard_normal((3, 4)), rng.standard_normal(4)
W2, b2 = rng.standard_normal((4, 2)), rng.standard_normal(2)
X = rng.standard_normal((1000, 3))


def test_every_way_to_write_a_dense_layer():
    g = Graph()
    z = g("Gemm", "X", W1.T, b1[None, :], transB=1, alpha=2.0, beta=0.5)
    g("MatMul", g("Gemm", g("Identity", z), W2), np.eye(2))
    data = g.bytes("t3")
    net = import_network(data)
    assert repr(net) == "Network(3 → 4 identity → 2 identity → 2 identity, 28 parameters)"
    assert close(net.predict(X), (X @ (2 * W1) + b1 / 2) @ W2)
    assert [layer.dense.bias for layer in net.layers] == ["neuron", "none", "none"]
    assert net.encoding is None


def test_matmul_and_add_are_a_layer_in_either_order():
    g = Graph()
    g("Add", g("MatMul", g("Relu", g("Add", b1, g("MatMul", "X", W1))), W2), b2[None, :])
    net = import_network(g.bytes("t4"))
    assert repr(net) == "Network(3 → 4 relu → 2 identity, 26 parameters)"
    assert close(net.predict(X), np.maximum(X @ W1 + b1, 0) @ W2 + b2)


OPERATORS = {
    "Relu": ({}, "relu"),
    "LeakyRelu": ({"alpha": 0.125}, "leaky_relu(0.125)"),
    "Elu": ({"alpha": 0.5}, "elu(0.5)"),
    "Sigmoid": ({}, "sigmoid"),
    "Tanh": ({}, "tanh"),
    "Softplus": ({}, "softplus"),
    "Softmax": ({"axis": 1}, "softmax"),
    "LogSoftmax": ({}, "softmax"),
    "Identity": ({}, "identity"),
    "Gelu": ({"approximate": "tanh"}, "gelu"),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_single_operators(operator):
    attributes, name = OPERATORS[operator]
    g = Graph(opset=20)
    g("Gemm", g(operator, g("Gemm", "X", W1, b1), **attributes), W2, b2)
    net = import_network(g.bytes("t2"))
    assert [layer.activation.name for layer in net.layers] == [name, "identity"]


def gelu_of_others(g, z):
    cubed = g("Mul", np.array(0.044715), g("Pow", z, np.array(3.0)))
    inner = g("Mul", np.array(0.7978845608028654), g("Add", z, cubed))
    return g("Mul", g("Mul", z, np.array(0.5)), g("Add", g("Tanh", inner), np.array(1.0)))


COMPOSED = {
    "silu": lambda g, z: g("Mul", z, g("Sigmoid", z)),
    "gelu": gelu_of_others,
    "relu": lambda g, z: g("Max", z, np.array(0.0)),
    "leaky_relu(0.3)": lambda g, z: g("Where", g("Greater", z, np.array(0.0)), z, g("Mul", np.array(0.3), z)),
    "softplus": lambda g, z: g("Log", g("Add", g("Exp", z), np.array(1.0))),
    "sigmoid": lambda g, z: g("Reciprocal", g("Add", np.array(1.0), g("Exp", g("Neg", z)))),
    "tanh": lambda g, z: g("Div", g("Sub", g("Exp", z), g("Exp", g("Neg", z))),
                           g("Add", g("Exp", z), g("Exp", g("Neg", z)))),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPOSED)
def test_an_activation_is_known_by_what_it_computes(name):
    g = Graph()
    a = COMPOSED[name](g, g("Gemm", "X", W1, b1))
    g("Gemm", a, W2, b2)
    data = g.bytes(f"t{len(g.nodes) - 1}")
    net = import_network(data)
    assert net.layers[0].activation.name == name
    assert close(net.predict(X), by_reference(data, X)[f"t{len(g.nodes) - 1}"])


@pytest.mark.parametrize("name", [name for name in ACTIVATION_NAMES if name != "softmax"])
def test_our_own_compositions_are_known_too(name):
    net = Network([3, 4, 1], activation=name, seed=1)
    model = onnx.load_model_from_string(exported(net))
    del model.metadata_props[:]
    assert import_network(model.SerializeToString()).layers[0].activation.name == name


SCALINGS = {
    "sub div": lambda g: g("Div", g("Sub", "X", [1.0, 2.0, 3.0]), [0.5, 0.25, 4.0]),
    "mul add": lambda g: g("Add", g("Mul", "X", [0.5, 0.25, 4.0]), [[1.0, 2.0, 3.0]]),
    "number": lambda g: g("Div", "X", np.array(255.0)),
    "scaler": lambda g: g("Scaler", "X", domain="ai.onnx.ml", offset=[1.0, 2.0, 3.0], scale=[0.5, 0.25, 4.0]),
    "left": lambda g: g("Mul", np.array(0.5), g("Add", [1.0, 2.0, 3.0], "X")),
}


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scaling_of_inputs_goes_into_the_encoding(scaling):
    g = Graph()
    g("Gemm", SCALINGS[scaling](g), W1, b1)
    name = f"t{len(g.nodes) - 1}"
    net = import_network(g.bytes(name))
    assert net.layers[0].W.tolist() == W1.tolist()
    assert net.encoding.inputs.feature_names == ("x1", "x2", "x3")
    if scaling != "scaler":  # onnxruntime has it in float32 alone
        assert close(answers(net, X), by_onnxruntime(g.bytes(name), X)[name])


def test_a_scaling_that_no_encoding_holds_goes_into_the_weights():
    g = Graph()
    g("Gemm", g("Sub", [1.0, 2.0, 3.0], g("Mul", "X", [1.0, 0.0, -1.0])), W1, b1)
    net = import_network(g.bytes("t2"))
    assert net.encoding is None
    assert close(net.predict(X), by_onnxruntime(g.bytes("t2"), X)["t2"])


def test_scaling_between_layers_and_after_them():
    g = Graph()
    a = g("Tanh", g("Mul", g("Gemm", "X", W1, b1), [2.0, 1.0, -1.0, 0.5]))
    a = g("Mul", g("Div", g("Sub", a, b1), [1.0, 2.0, 3.0, 4.0]), [3.0, 1.0, 5.0, 2.0])
    a = g("Add", a, [0.5, 0.25, 0.0, 1.0])
    g("Add", g("Mul", g("Add", g("MatMul", a, W2), b2), [10.0, 20.0]), [5.0, 6.0])
    net = import_network(g.bytes("t10"))
    assert net.encoding.target == NumbersEncoding(("y1", "y2"), (5.0, 6.0), (10.0, 20.0))
    assert close(net.encoding.decode(net.predict(X)), by_onnxruntime(g.bytes("t10"), X)["t10"])


def test_a_slope_in_float32_is_the_number_that_was_written():
    g = Graph(np.float32)
    g("Gemm", g("LeakyRelu", g("Gemm", "X", W1, b1), alpha=0.2), W2, b2)
    assert import_network(g.bytes("t2")).layers[0].activation.name == "leaky_relu(0.2)"


def test_an_image_is_flattened_and_dropout_left_out():
    g = Graph()
    flat = g("Reshape", "X", g.constant([-1, 12], np.int64))
    g("Gemm", g("Dropout", g("Relu", g("Gemm", g("Flatten", flat), np.ones((12, 4)), b1))), W2, b2)
    net = import_network(g.bytes("t5", shape=("N", 1, 3, 4)))
    assert repr(net) == "Network(12 → 4 relu → 2 identity, 62 parameters)"


def test_a_transposed_constant_is_worked_out():
    g = Graph()
    g("MatMul", "X", g("Transpose", W1.T, perm=[1, 0]))
    assert import_network(g.bytes("t1")).layers[0].W.tolist() == W1.tolist()


@pytest.mark.parametrize("zip_map", [True, False])
def test_classifiers_as_skl2onnx_writes_them(zip_map):
    g = Graph(np.float32)
    filled = g("Imputer", "X", domain="ai.onnx.ml", imputed_value_floats=[1.0, 2.0, 3.0])
    g.nodes[-1].attribute.append(helper.make_attribute("replaced_value_float", float("nan")))
    z = g("Add", g("MatMul", g("Cast", filled, to=TensorProto.FLOAT), W1), b1)
    p = g("Softmax", g("Add", g("MatMul", g("Relu", z), W2), b2))
    place = g("ArgMax", p, axis=1)
    g.constants.append(helper.make_tensor("classes", TensorProto.STRING, [2], [b"hen", b"ox"]))
    label = g("ArrayFeatureExtractor", "classes", place, domain="ai.onnx.ml")
    label = g("Reshape", label, g.constant([-1], np.int64))
    if zip_map:
        p = g("ZipMap", p, domain="ai.onnx.ml", classlabels_strings=["hen", "ox"])
    net = import_network(g.bytes(label, p))
    assert repr(net) == "Network(3 → 4 relu → 2 softmax, 26 parameters)"
    assert net.encoding.target == LabelEncoding("y", ("hen", "ox"), "str")
    assert [column.fill for column in net.encoding.inputs.columns] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("one", [np.array(1.0), np.array([1.0])])
def test_a_binary_classifier_as_skl2onnx_writes_it(one):
    g = Graph()
    p = g("Sigmoid", g("Gemm", "X", W1[:, :1], b1[:1]))
    both = g("Concat", g("Sub", one, p), p, axis=1)
    place = g("ArgMax", both, axis=1)
    label = g("Cast", g("ArrayFeatureExtractor", g.constant([3, 7], np.int64), place, domain="ai.onnx.ml"),
              to=TensorProto.INT64)  # fmt: skip
    net = import_network(g.bytes(label, both))
    assert repr(net) == "Network(3 → 1 sigmoid, 4 parameters)"
    assert net.encoding.target.classes == (3, 7)


def test_labels_may_be_chosen_before_the_softmax():
    g = Graph()
    z = g("Gemm", "X", W1, b1)
    label = g("ArgMax", z, axis=1)
    net = import_network(g.bytes(label, g("Softmax", z)))
    assert net.layers[0].activation.name == "softmax"
    both = g.bytes(z, g("Softmax", z))
    assert "several different outputs" in refusal(both)


def test_several_labels_at_once_are_no_classes():
    g = Graph()
    p = g("Sigmoid", g("Gemm", "X", W1, b1))
    label = g("Cast", g("Binarizer", p, domain="ai.onnx.ml", threshold=0.5), to=TensorProto.INT64)
    named = g("ZipMap", p, domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3])
    assert import_network(g.bytes(label, named)).encoding is None


def test_names_labels_output_and_loss_may_be_given():
    g = Graph()
    g("Gemm", "X", W1[:, :2], b2)
    net = import_network(
        g.bytes("t0"),
        output="softmax",
        features=["a", "b", "c"],
        classes=["yes", "no"],
        loss="half_squared_error",
    )
    assert net.encoding.inputs.feature_names == ("a", "b", "c")
    assert net.encoding.target.classes == ("no", "yes")
    assert net.loss.name == "half_squared_error"
    z = X @ W1[:, :2] + b2
    assert (net.encoding.decode(net.predict(X)) == np.array(["yes", "no"])[z.argmax(1)]).all()


# ---------------------------------------------------------------------- what cannot be read


def dense(g, x="X"):
    return g("Gemm", x, W1, b1)


UNREADABLE = {
    "Conv": lambda g: g("Conv", "X", np.ones((1, 1, 1, 1))),
    "Erf": lambda g: g("Erf", dense(g)),
    "exact GELU": lambda g: g("Gelu", dense(g)),
    "HardSigmoid": lambda g: g("HardSigmoid", dense(g)),
    "two branches": lambda g: g("Add", g("MatMul", "X", W1), g("MatMul", "X", W1)),
    "stands where a dense layer": lambda g: g("Gemm", g("Relu", "X"), W1),
    "'Gelu'. stands where": lambda g: g("Gemm", g("Gelu", "X", approximate="tanh"), W1),
    "'Softmax'. stands where": lambda g: g("Gemm", g("Softmax", "X"), W1),
    "'Tanh'. stands where": lambda g: g("Tanh", g("Softmax", dense(g))),
    "layer 1 ends with": lambda g: g("Greater", dense(g), np.array(0.5)),
    "no dense layer": lambda g: g("Identity", "X"),
    "not a registered activation": lambda g: g("Reciprocal", dense(g)),
    "ends with a function": lambda g: g("Mul", dense(g), g("Sigmoid", g("Mul", np.array(1.001), "t0"))),
    "transposes its input": lambda g: g("Gemm", "X", W1, transA=1),
    "where weights were expected": lambda g: g("MatMul", dense(g), dense(g)),
    "does not take what comes before": lambda g: g("MatMul", W1.T, "X"),
    "takes 3 numbers, but the layer before": lambda g: g("MatMul", dense(g), W1),
    "int64": lambda g: g("MatMul", "X", g.constant(np.ones((3, 4)), np.int64)),
    "float16": lambda g: g("MatMul", "X", g.constant(np.ones((3, 4)), np.float16)),
    "com.microsoft": lambda g: g("FusedGemm", "X", W1, domain="com.microsoft"),
    "rounds the numbers": lambda g: g("Cast", dense(g), to=TensorProto.INT32),
    "not over the outputs": lambda g: g("Softmax", dense(g), axis=0),
    "differ from column to column": lambda g: g("Pow", dense(g), np.ones(4)),
    "after an activation and a scaling": lambda g: g("Tanh", g("Mul", g("Tanh", dense(g)), b1)),
    "scale 4 columns|scale": lambda g: g("Mul", dense(g), [1.0, 2.0]),
    "3 operands": lambda g: g("Add", dense(g), "t0", "t0"),
    "divides by the numbers": lambda g: g("Div", [1.0, 2.0, 3.0], "X"),
    "of something else than the input": lambda g: g("IsNaN", dense(g)),
    "joins several inputs": lambda g: g("Concat", "X", "X", axis=1),
    "several different": lambda g: dense(g),
}  # fmt: skip


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_is_no_row_of_dense_layers_is_named(reason):
    g = Graph(opset=20)
    last = UNREADABLE[reason](g)
    outputs = [last] if "several" not in reason or "inputs" in reason else [last, g("Gemm", last, W2, b2)]
    said = refusal(g.bytes(*outputs))
    assert re.search(reason, said), said
    assert "what can be read" in said
    assert "Gemm" in said


def test_several_inputs_are_refused():
    g = Graph()
    assert "one input" in refusal(g.bytes(dense(g), inputs=("X", "Y")))


def test_the_declared_width_must_fit():
    g = Graph()
    assert "declares 5 numbers" in refusal(g.bytes(dense(g), shape=("N", 5)))


def test_a_file_with_its_weights_elsewhere_is_refused(tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(W1.tobytes())
    monkeypatch.chdir(tmp_path)
    g = Graph()
    model = g.model(dense(g))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    with pytest.raises(ModelFileError, match="another file"):
        import_network(model.SerializeToString())


def test_a_small_file_cannot_become_a_huge_network():
    g = Graph()
    weights, x = g.constant(np.ones((50, 50))), "X"
    for _ in range(100):
        x = g("MatMul", x, weights)
    with pytest.raises(ModelFileError, match="same weights too often"):
        import_network(g.bytes(x, shape=("N", 50)))


def test_a_graph_of_too_many_nodes_is_refused():
    g = Graph()
    x = "X"
    for _ in range(10_001):
        x = g("Identity", x)
    assert "10,001 nodes" in refusal(g.bytes(x))


DAMAGED = {
    "nothing": b"",
    "text": b"not a model, but some text\n" * 40,
    "a zip": b"PK\x03\x04" + bytes(200),
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_is_no_onnx_is_refused(kind):
    with pytest.raises(ModelFileError, match="cannot be read as ONNX"):
        import_network(DAMAGED[kind])


def test_a_file_larger_than_any_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "large.onnx").write_bytes(bytes(2000))
    monkeypatch.setattr("deltarule.exchange.from_onnx.MOST_BYTES", 1000)
    with pytest.raises(ModelFileError, match="larger than"):
        import_network(tmp_path / "large.onnx")


@pytest.mark.parametrize("path", ["no such file.onnx", ".", "a\0b", os.devnull])
def test_what_is_no_file_is_refused(path):
    with pytest.raises(ModelFileError, match="cannot read"):
        import_network(path)


def damage(model, field):
    if field == "dims":
        model.graph.initializer[0].dims[0] = 2**40
    elif field == "missing":
        model.graph.node[0].input[0] = "nowhere"
    elif field == "type":
        model.graph.initializer[0].data_type = 99
    elif field == "attribute":
        model.graph.node[0].attribute.add(name="alpha", s=b"x", type=3)
    elif field == "operand":
        del model.graph.node[0].input[:]
    elif field == "output":
        model.graph.output[0].name = "nowhere"
    elif field == "nan":
        model.graph.initializer[0].raw_data = b"\xff" * len(model.graph.initializer[0].raw_data)
    else:
        model.metadata_props.add(key="features", value=field)
        model.producer_name = "deltarule"


@pytest.mark.parametrize(
    "field",
    ["dims", "missing", "type", "attribute", "operand", "output", "nan", "{", "3", "[[], 1, 1]", '["a"]'],
)
def test_damage_in_one_place_is_refused(field):
    g = Graph()
    model = g.model(dense(g))
    damage(model, field)
    with pytest.raises(DeltaruleError):
        import_network(model.SerializeToString())


def attempt(data):
    """An import of anything ends with a network or with one of our errors."""
    with contextlib.suppress(DeltaruleError):
        import_network(data)


def test_no_damage_gets_through_as_another_error():
    data, random = exported(ours("labels")), np.random.default_rng(0)
    for length in range(0, len(data), 29):
        attempt(data[:length])
    for _ in range(300):
        damaged = bytearray(data)
        damaged[random.integers(len(data))] ^= 1 << random.integers(8)
        attempt(bytes(damaged))


@pytest.mark.slow
@pytest.mark.parametrize("kind", OURS)
def test_no_damage_anywhere_gets_through_as_another_error(kind):
    data, random = exported(ours(kind)), np.random.default_rng(0)
    for length in range(len(data)):
        attempt(data[:length])
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] = random.integers(256)
        attempt(bytes(damaged))


def test_without_onnx_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"deltarule\[onnx\]"):
        import_network(b"")


# ---------------------------------------------------------------------- scikit-learn


@pytest.fixture(scope="module")
def sklearn():
    return pytest.importorskip("sklearn.neural_network")


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged, and need not
        return model.fit(X, y)


def codes(iris):
    """The classes as numbers."""
    return np.unique(iris.y, return_inverse=True)[1]


SIZES = {"hidden_layer_sizes": (5, 4), "max_iter": 20, "random_state": 0}


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_mlp_classifier(sklearn, activation, dtype):
    iris = load("iris")
    rows = iris.X.astype(dtype)
    names = np.array(["setosa", "versicolor", "virginica"])
    model = fitted(sklearn.MLPClassifier(activation=activation, **SIZES), rows, names[codes(iris)])
    net = import_network(model)
    assert close(net.predict(rows), model.predict_proba(rows).astype(dtype))
    assert (net.encoding.decode(net.predict(rows)) == model.predict(rows)).all()
    assert (net.dtype, net.loss.name) == (np.dtype(dtype), "cross_entropy")


@pytest.mark.parametrize("labels", [[0, 1], [False, True], ["no", "yes"]])
def test_a_binary_mlp_classifier_has_one_output(sklearn, labels):
    iris = load("iris")
    model = fitted(sklearn.MLPClassifier(**SIZES), iris.X, np.array(labels)[(codes(iris) == 1).astype(int)])
    net = import_network(model)
    assert net.sizes[-1] == 1
    assert close(net.predict(iris.X), model.predict_proba(iris.X)[:, 1:])
    assert net.encoding.decode(net.predict(iris.X)).tolist() == model.predict(iris.X).tolist()


def test_several_labels_at_once_are_outputs_without_classes(sklearn):
    iris = load("iris")
    model = fitted(sklearn.MLPClassifier(**SIZES), iris.X, np.eye(3, dtype=int)[codes(iris)])
    net = import_network(model)
    assert net.encoding is None
    assert close(net.predict(iris.X), model.predict_proba(iris.X))


def test_an_mlp_regressor_with_names(sklearn):
    pandas = pytest.importorskip("pandas")
    iris = load("iris")
    table = pandas.DataFrame(iris.X[:, :3], columns=["a", "b", "c"])
    model = fitted(sklearn.MLPRegressor(**SIZES), table, iris.X[:, 2:])
    net = import_network(model)
    assert net.encoding.inputs.feature_names == ("a", "b", "c")
    assert close(net.predict(iris.X[:, :3]), model.predict(table))
    assert net.loss.name == "half_squared_error"


def test_a_regressor_of_counts(sklearn):
    iris = load("iris")
    model = fitted(sklearn.MLPRegressor(loss="poisson", **SIZES), iris.X, codes(iris).astype(float))
    net = import_network(model)
    assert (net.layers[-1].activation.name, net.loss.name) == ("exp", "poisson")
    assert close(net.predict(iris.X).ravel(), model.predict(iris.X))


def test_what_of_scikit_learn_cannot_be_read_is_named(sklearn):
    assert "MLPClassifier" in refusal(sklearn.MLPClassifier())
    model = fitted(sklearn.MLPRegressor(**SIZES), X, X[:, 0])
    model.out_activation_ = "cloglog"
    assert "'cloglog'" in refusal(model)


# ---------------------------------------------------------------------- PyTorch


@pytest.fixture(params=["PyTorch", "stand-in"])
def nn(request):
    """``torch.nn``, or what looks like it; and how to make a Linear of given weights."""
    if request.param == "stand-in":
        return torch_like
    torch = pytest.importorskip("torch")

    class Real:
        def __getattr__(self, kind):
            return getattr(torch.nn, kind)

        def Linear(self, W, b=None):
            layer = torch.nn.Linear(len(W), len(W[0]), bias=b is not None)
            layer.weight.data = torch.tensor(np.asarray(W, np.float32).T.copy())
            if b is not None:
                layer.bias.data = torch.tensor(np.asarray(b, np.float32))
            return layer

    return Real()


TORCH_ACTIVATIONS = [
    ("ReLU", {}, "relu"),
    ("Tanh", {}, "tanh"),
    ("Sigmoid", {}, "sigmoid"),
    ("SiLU", {}, "silu"),
    ("Identity", {}, "identity"),
    ("LeakyReLU", {"negative_slope": 0.2}, "leaky_relu(0.2)"),
    ("ELU", {"alpha": 0.5}, "elu(0.5)"),
    ("GELU", {"approximate": "tanh"}, "gelu"),
    ("Softplus", {"beta": 1}, "softplus"),
    ("Softmax", {"dim": 1}, "softmax"),
    ("Softmax", {"dim": -1}, "softmax"),
    ("LogSoftmax", {"dim": 1}, "softmax"),
]


@pytest.mark.parametrize(("kind", "settings", "name"), TORCH_ACTIVATIONS)
def test_a_sequential_of_pytorch(kind, settings, name, nn):
    hidden = nn.Sequential(nn.Linear(W1, b1), getattr(nn, kind)(**settings), nn.Dropout(p=0.5))
    model = nn.Sequential(nn.Flatten(), hidden, nn.Linear(W2))
    net = import_network(model)
    assert [layer.activation.name for layer in net.layers] == [name, "identity"]
    assert [layer.dense.bias for layer in net.layers] == ["neuron", "none"]
    assert (net.dtype, net.encoding) == (np.float32, None)
    if hasattr(model, "eval") and kind != "LogSoftmax":
        torch = pytest.importorskip("torch")
        given = X.astype(np.float32)
        assert close(net.predict(given), model.eval()(torch.tensor(given)).detach().numpy())


def test_one_activation_object_may_serve_twice(nn):
    relu = nn.ReLU()
    net = import_network(nn.Sequential(nn.Linear(W1), relu, nn.Linear(W2), relu))
    assert [layer.activation.name for layer in net.layers] == ["relu", "relu"]


def test_logits_get_their_output_and_their_classes(nn):
    net = import_network(
        nn.Sequential(nn.Linear(W1, b1), nn.Tanh(), nn.Linear(W2, b2)), output="softmax", classes=["b", "a"]
    )
    z = np.tanh(X.astype(np.float32) @ W1.astype(np.float32) + b1.astype(np.float32)) @ W2 + b2
    assert net.loss.name == "cross_entropy"
    assert (net.encoding.decode(net.predict(X)) == np.array(["b", "a"])[z.argmax(axis=1)]).all()


NOT_OF_TORCH = [
    ("GELU", {"approximate": "none"}, "approximate"),
    ("Softplus", {"beta": 2}, "beta=1"),
    ("Softmax", {"dim": 0}, "dim=1"),
    ("Hardtanh", {}, "state_dict"),
]


@pytest.mark.parametrize(("kind", "settings", "reason"), NOT_OF_TORCH)
def test_what_of_pytorch_cannot_be_read_is_named(kind, settings, reason, nn):
    said = refusal(nn.Sequential(nn.Linear(W1, b1), getattr(nn, kind)(**settings)))
    assert f"'1' is of the kind '{kind}'" in said
    assert reason in said


def test_activations_have_their_place(nn):
    assert "does not follow" in refusal(nn.Sequential(nn.ReLU(), nn.Linear(W1)))
    assert "does not follow" in refusal(nn.Sequential(nn.Linear(W1), nn.ReLU(), nn.Tanh()))
    assert "no dense layer" in refusal(nn.Sequential(nn.Flatten()))
    assert "leave out output" in refusal(nn.Sequential(nn.Linear(W1), nn.Sigmoid()), output="softmax")
    assert "leave out activation" in refusal(nn.Sequential(nn.Linear(W1)), activation="relu")


def test_a_module_with_a_forward_of_its_own_is_refused():
    torch = pytest.importorskip("torch")

    class Mine(torch.nn.Module):
        pass

    assert "state_dict" in refusal(Mine())


STATE = OrderedDict({"fc1.weight": W1.T, "fc1.bias": b1, "out.weight": W2.T, "out.bias": b2})


def test_a_state_dict_with_activations_named():
    net = import_network(STATE, activation="tanh", output="LogSoftmax")
    assert repr(net) == "Network(3 → 4 tanh → 2 softmax, 26 parameters)"
    assert net.dtype == np.float64
    twin = Network([Dense(3, 4, "tanh"), Dense(4, 2, "softmax")])
    twin.set_weights([W1, W2], [b1, b2])
    assert (net.predict(X) == twin.predict(X)).all()


def test_a_state_dict_of_pytorch_itself():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2, bias=False))
    net = import_network(model.state_dict(), activation="ReLU", output="identity")
    given = X.astype(np.float32)
    assert close(net.predict(given), model(torch.tensor(given)).detach().numpy())
    half = model.bfloat16().state_dict()
    assert "cannot be read as numbers" in refusal(half, activation="relu", output="identity")


def test_activations_that_nobody_names_are_asked_for():
    for named in ({}, {"activation": "relu"}, {"output": "softmax"}):
        assert "as in activation='relu', output='softmax'" in refusal(STATE, **named)
    assert "one for each of 1 hidden" in refusal(STATE, activation=["relu", "tanh"], output="softmax")
    assert import_network({"a.weight": W1.T}, output="identity").sizes == [3, 4]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({**STATE, "bn.running_mean": b2}, "bn.running_mean"),
        ({"a.bias": b1}, "a.bias"),
        ({"conv.weight": np.ones((2, 1, 3, 3))}, "2 dimensions"),
        ({"a.weight": W1.T.astype(np.float16)}, "float16"),
        ({"a.weight": W1.T, "a.bias": b2}, "4 neurons and 2 biases"),
        ({}, "no dense layer"),
    ],
)
def test_what_of_a_state_dict_cannot_be_read_is_named(state, reason):
    assert reason in refusal(state, activation="relu", output="identity")


# ---------------------------------------------------------------------- Keras


#: Keras itself warns when it hands out weights of a backend that NumPy 2 finds old.
keras_warns = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


@pytest.fixture(params=["Keras", "stand-in"])
def keras(request):
    """``keras.layers``, or what looks like it, with a Dense of given weights."""
    if request.param == "stand-in":
        return keras_like
    os.environ.setdefault("KERAS_BACKEND", "torch")
    real = pytest.importorskip("keras")

    class Real:
        def __getattr__(self, kind):
            return getattr(real.layers, kind)

        def Sequential(self, *parts):
            model = real.Sequential([real.Input((3,)), *parts])
            for layer, weights in self.weights:
                layer.set_weights([np.asarray(part, np.float32) for part in weights])
            return model

        def Dense(self, W, b=None, activation="linear"):
            layer = real.layers.Dense(len(W[0]), activation=activation, use_bias=b is not None)
            self.weights.append((layer, [part for part in (W, b) if part is not None]))
            return layer

    made = Real()
    made.weights = []
    return made


KERAS_FUNCTIONS = {
    "linear": "identity", "relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "softplus": "softplus",
    "elu": "elu", "silu": "silu", "leaky_relu": "leaky_relu(0.2)", "softmax": "softmax",
}  # fmt: skip
KERAS_LAYERS = [
    ("ReLU", {}, "relu"),
    ("ReLU", {"negative_slope": 0.25}, "leaky_relu(0.25)"),
    ("LeakyReLU", {"negative_slope": 0.25}, "leaky_relu(0.25)"),
    ("ELU", {"alpha": 0.5}, "elu(0.5)"),
    ("Softmax", {}, "softmax"),
    ("Activation", {"activation": "tanh"}, "tanh"),
]


def same_in_keras(net, model, X):
    if hasattr(model, "predict"):
        given = X.astype(np.float32)
        assert close(answers(net, given), model.predict(given, verbose=0))


@keras_warns
@pytest.mark.parametrize("function", KERAS_FUNCTIONS)
def test_a_sequential_of_keras(function, keras):
    model = keras.Sequential(keras.Dense(W1, b1, function), keras.Dropout(rate=0.5), keras.Dense(W2))
    net = import_network(model)
    assert [layer.activation.name for layer in net.layers] == [KERAS_FUNCTIONS[function], "identity"]
    assert [layer.dense.bias for layer in net.layers] == ["neuron", "none"]
    same_in_keras(net, model, X)


@keras_warns
@pytest.mark.parametrize(("kind", "settings", "name"), KERAS_LAYERS)
def test_an_activation_of_keras_as_a_layer(kind, settings, name, keras):
    model = keras.Sequential(
        keras.Dense(W1, b1), getattr(keras, kind)(**settings), keras.Dense(W2, b2, "sigmoid")
    )
    net = import_network(model)
    assert [layer.activation.name for layer in net.layers] == [name, "sigmoid"]
    same_in_keras(net, model, X)


def test_normalization_goes_into_the_encoding():
    mean, variance = np.array([1.0, 2.0, 3.0], np.float32), np.array([4.0, 0.0, 0.25], np.float32)
    layers = [keras_like.Normalization([mean, variance, np.array(0)], invert=False), keras_like.Dense(W1, b1)]
    net = import_network(keras_like.Sequential(*layers), features=["a", "b", "c"])
    columns = net.encoding.inputs.columns
    assert [(column.name, column.shift, column.scale) for column in columns] == [
        ("a", 1.0, 2.0), ("b", 2.0, 1e-7), ("c", 3.0, 0.5),
    ]  # fmt: skip


@keras_warns
def test_the_scalings_of_keras_itself(keras):
    normal = keras.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 0.25], invert=False)
    model = keras.Sequential(normal, keras.Dense(W1, b1))
    same_in_keras(import_network(model), model, X)
    rescaled = keras.Sequential(keras.Rescaling(scale=1 / 127.5, offset=-1.0), keras.Dense(W1, b1))
    net = import_network(rescaled)
    assert [column.shift for column in net.encoding.inputs.columns] == pytest.approx([127.5] * 3)
    same_in_keras(net, rescaled, X)


NOT_OF_KERAS = [
    ("ReLU", {"max_value": 6.0}, "maximum value"),
    ("BatchNormalization", {}, "BatchNormalization"),
    ("Activation", {"activation": "gelu"}, "exact"),
    ("Activation", {"activation": "selu"}, "selu"),
]


@keras_warns
@pytest.mark.parametrize(("kind", "settings", "reason"), NOT_OF_KERAS)
def test_what_of_keras_cannot_be_read_is_named(kind, settings, reason, keras):
    model = keras.Sequential(keras.Dense(W1, b1), getattr(keras, kind)(**settings))
    assert reason in refusal(model)


# ---------------------------------------------------------------------- arrays


def test_arrays_are_layers():
    net = import_network([W1, b1, W2, None], activation=["relu"], output="sigmoid", loss="half_squared_error")
    assert repr(net) == "Network(3 → 4 relu → 2 sigmoid, 24 parameters)"
    assert [layer.dense.bias for layer in net.layers] == ["neuron", "none"]
    assert import_network([[[1, 2]], [3, 4]], output="identity").parameters.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ([W1.T, b1], "3 neurons and 4 biases"),
        ([W1, b1, W2.T], "gives 4"),
        ([[[1.0], [2.0, 3.0]]], "cannot be read"),
        ([[["a"]]], "float32 or float64"),
        ([], "no dense layer"),
        ([b1, b1], "2 dimensions"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, reason):
    assert reason in refusal(arrays, activation="relu", output="identity")


def test_what_is_none_of_all_this_is_refused():
    assert "scikit-learn" in refusal(3.5)


@pytest.mark.parametrize(
    ("n_outputs", "output", "classes", "reason"),
    [
        (3, "softmax", ["a", "b"], "3 outputs"),
        (2, "softmax", ["a", "a"], "different"),
        (1, "tanh", ["b", "a"], "ascending"),
        (2, "softmax", [0.5, 1.5], "classes"),
    ],
)
def test_classes_that_do_not_fit_are_refused(n_outputs, output, classes, reason):
    assert reason in refusal([np.ones((2, n_outputs))], output=output, classes=classes)


def test_the_classes_of_a_single_output_may_come_the_other_way_round():
    net = import_network([[[2.0]], [1.0]], output="sigmoid", classes=["yes", "no"])
    twin = import_network([[[2.0]], [1.0]], output="sigmoid", classes=["a", "b"])
    given = np.linspace(-3, 3, 20)[:, None]
    expected = {"a": "yes", "b": "no"}
    found = net.encoding.decode(net.predict(given)).tolist()
    assert found == [expected[label] for label in twin.encoding.decode(twin.predict(given)).tolist()]


# ---------------------------------------------------------------------- the command


def command(*arguments):
    return CliRunner().invoke(cli, ["import", *map(str, arguments)])


def test_the_command_writes_a_model_file(tmp_path):
    net = Network([4, 5, 3], output="softmax", seed=1)
    net.encoding = fit_encoding(load("iris"))
    (tmp_path / "net.onnx").write_bytes(exported(net))
    result = command(tmp_path / "net.onnx", "-o", tmp_path / "net.safetensors")
    assert result.exit_code == 0
    assert result.stdout.startswith("Network(4 → 5 relu → 3 softmax")
    assert Network.load(tmp_path / "net.safetensors").description() == net.description()


def test_the_command_takes_what_the_file_does_not_say(tmp_path):
    g = Graph()
    (tmp_path / "net.onnx").write_bytes(g.bytes(g("Gemm", "X", W1[:, :2], b2)))
    named = [
        "--output",
        "softmax",
        "--classes",
        "7, 5",
        "--features",
        "a,b,c",
        "--loss",
        "half_squared_error",
    ]
    result = command(tmp_path / "net.onnx", "-o", tmp_path / "net.safetensors", *named, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["classes"], report["features"]) == ([5, 7], ["a", "b", "c"])
    assert (report["sizes"], report["activations"], report["loss"]) == (
        [3, 2],
        ["softmax"],
        "half_squared_error",
    )
    assert Network.load(report["written"]).encoding.target.dtype == "int64"


def test_the_command_writes_nothing_where_it_cannot_read(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"no network")
    result = command(tmp_path / "net.onnx", "-o", tmp_path / "net.safetensors")
    assert result.exit_code == 2
    assert result.stderr.startswith("deltarule: ")
    assert not (tmp_path / "net.safetensors").exists()

"""ONNX files compute what the network computes, in onnxruntime and in onnx's reference evaluator."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from deltarule import InputError, MissingExtraError, Network, fit_encoding
from deltarule.data import load
from deltarule.data.encoding import (
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    NumbersEncoding,
    PixelsEncoding,
)
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.to_onnx import onnx_bytes
from deltarule.formula.tree import Choice, Compare, Number, absolute, exp, log, sign, sqrt, tanh, z
from deltarule.nn.activations import ACTIVATIONS, Activation

from .runtimes import ACTIVATION_NAMES, RUNTIMES, answers, close, exported, rows

onnx = pytest.importorskip("onnx")

NUMBERS = ["float32", "float64"]


@pytest.fixture(params=RUNTIMES)
def run(request):
    return RUNTIMES[request.param]


def columns(*names, fill=None):
    return ColumnsEncoding(
        tuple(NumberColumn(name, 3.0 * i - 1, 0.7 + i, fill) for i, name in enumerate(names))
    )


def with_encoding(sizes, inputs, target, **settings):
    net = Network(sizes, activation="tanh", seed=5, **settings)
    net.encoding = Encoding(inputs, target)
    return net


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_activation_gives_the_outputs_of_predict(name, dtype, run):
    net = Network([3, 5, 4, 2], activation=name, dtype=dtype, seed=1)
    if name == "exp":  # e^(e^z) makes float32's rounding a thousand times greater
        net.set_weights({"W1": net.layers[0].W / 4, "W2": net.layers[1].W / 4})
    X = rows(net)
    found = run(exported(net), X)["outputs"]
    assert found.dtype == net.dtype
    assert close(found, net.predict(X))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_activation_holds_at_extreme_inputs(name, dtype, run):
    net = Network([1, 1], output=name, dtype=dtype, loss="half_squared_error", seed=1)
    net.set_weights([[[1.0]]], [[0.0]])
    X = np.array([[-1e4], [-745], [-88.5], [-17], [-1e-8], [0], [1e-8], [17], [88.5], [710], [1e4]], dtype)
    assert close(run(exported(net), X)["outputs"], net.predict(X))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("output", ["identity", "sigmoid", "softmax"])
@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_activation_with_every_output_and_size_of_numbers(name, output, dtype, run):
    net = Network([4, 7, 6, 5, 3], activation=name, output=output, dtype=dtype, seed=2)
    if name == "exp":  # three times e^z makes float32's rounding a million times greater
        net.parameters[:] *= 0.1
    file = exported(net)
    for spread in (1e-3, 1.0, 1e4):
        X = rows(net, spread=spread)
        assert close(run(file, X)["outputs"], net.predict(X)), spread


@pytest.mark.slow
def test_a_network_of_175_thousand_parameters(run):
    digits = LabelEncoding("digit", tuple(range(10)), "int64")
    net = with_encoding([784, 200, 80, 10], PixelsEncoding(28, 28), digits, output="softmax", dtype="float32")
    X = np.random.default_rng(0).integers(0, 256, (1000, 784)).astype(np.float32)
    found = run(exported(net), X)
    assert close(found["probabilities"], answers(net, X))
    assert (found["label"] == net.encoding.decode(answers(net, X))).all()


@pytest.mark.parametrize("bias", ["neuron", "shared", "none"])
def test_every_kind_of_bias(bias, run):
    net = Network([3, 4, 2], bias=bias, bias_initializer="normal(1)", seed=1)
    X = rows(net)
    assert close(run(exported(net), X)["outputs"], net.predict(X))


# ---------------------------------------------------------------------- scaling and units


@pytest.mark.parametrize("dtype", NUMBERS)
def test_scaling_and_filling_are_inside(dtype, run):
    inputs = ColumnsEncoding(
        (NumberColumn("a", 1e3, 1e-2, 1000.01), NumberColumn("b", -5.0, 30.0), NumberColumn("c"))
    )
    net = with_encoding([3, 4, 1], inputs, NumbersEncoding(("y",), (1e4,), (250.0,)), dtype=dtype)
    X = rows(net) * np.array([0.01, 30, 1], dtype) + np.array([1e3, 0, 0], dtype)
    X[::3, 0] = np.nan
    found = run(exported(net), X)["outputs"]
    assert close(found, net.encoding.decode(answers(net, X))[:, None])


def test_a_missing_number_that_nothing_stands_in_for_stays_missing(run):
    net = with_encoding([2, 1], ColumnsEncoding((NumberColumn("a", fill=1.0), NumberColumn("b"))),
                        NumbersEncoding(("y",), (0.0,), (1.0,)))  # fmt: skip
    X = np.array([[np.nan, 1.0], [1.0, np.nan]])
    assert np.isnan(run(exported(net), X)["outputs"]).ravel().tolist() == [False, True]


@pytest.mark.parametrize("dtype", NUMBERS)
def test_several_targets_come_in_their_units(dtype, run):
    net = with_encoding(
        [2, 3, 2], columns("a", "b"), NumbersEncoding(("u", "v"), (1.0, -2.0), (10.0, 0.5)), dtype=dtype
    )
    X = rows(net)
    assert close(run(exported(net), X)["outputs"], net.encoding.decode(answers(net, X)))


@pytest.mark.parametrize("dtype", NUMBERS)
def test_pixels_are_divided(dtype, run):
    net = with_encoding(
        [6, 4, 3],
        PixelsEncoding(2, 3),
        LabelEncoding("digit", (0, 1, 7), "int64"),
        output="softmax",
        dtype=dtype,
    )
    X = np.random.default_rng(0).integers(0, 256, (1000, 6)).astype(dtype)
    assert close(run(exported(net), X)["probabilities"], answers(net, X))


def test_an_autoencoder_gives_back_units(run):
    net = with_encoding([2, 1, 2], columns("a", "b"), None)
    X = rows(net)
    expected = net.encoding.decode(answers(net, X))
    assert close(run(exported(net), X)["outputs"], expected.matrix())


# ---------------------------------------------------------------------- labels

LABELS = {
    "text": ("hen", "ox", 'Ötzi\'s "dog"\n'),
    "whole": (-3, 0, 2**40),
    "floats": (-1.0, 0.0, 2.0),
}


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
def test_each_class_has_its_output(kind, output, dtype, run):
    labels = LabelEncoding.fit(LABELS[kind])
    net = with_encoding([2, 4, 3], columns("a", "b"), labels, output=output, dtype=dtype)
    X = rows(net)
    found = run(exported(net), X)
    assert close(found["probabilities"], answers(net, X))
    assert found["label"].tolist() == net.encoding.decode(answers(net, X)).tolist()
    assert type(found["label"].tolist()[0]) is type(labels.classes[0])


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("classes", [("no", "yes"), (0, 1), (False, True), (-1.0, 1.0)])
@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_a_single_output_speaks_for_two_classes(classes, output, dtype, run):
    net = with_encoding([2, 4, 1], columns("a", "b"), LabelEncoding.fit(classes), output=output, dtype=dtype)
    X = rows(net)
    found = run(exported(net), X)
    a = answers(net, X)
    assert close(found["probabilities"], np.hstack([1 - a, a]))
    assert found["label"].tolist() == net.encoding.decode(a).tolist()
    assert len(set(found["label"].tolist())) == 2


def test_half_is_not_above_half_and_the_first_of_equals_wins(run):
    single = with_encoding([1, 1], columns("a"), LabelEncoding.fit(["no", "yes"]), output="sigmoid")
    single.parameters[:] = 0
    several = with_encoding([1, 3], columns("a"), LabelEncoding.fit(["a", "b", "c"]), output="softmax")
    several.parameters[:] = 0
    X = np.ones((1, 1))
    assert run(exported(single), X)["label"].tolist() == ["no"]
    assert run(exported(several), X)["label"].tolist() == ["a"]


# ---------------------------------------------------------------------- the file


@pytest.fixture
def iris():
    data = load("iris")
    net = Network([4, 6, 3], activation="tanh", output="softmax", seed=1)
    net.encoding = fit_encoding(data)
    return net


def test_a_graph_reads_like_the_formulas(iris):
    graph = onnx.load_model_from_string(exported(iris)).graph
    assert [f"{node.output[0]} = {node.op_type}({', '.join(node.input)})" for node in graph.node] == [
        "X_shifted = Sub(X, shift)",
        "X_scaled = Div(X_shifted, scale)",
        "z1 = Gemm(X_scaled, W1, b1)",
        "a1 = Tanh(z1)",
        "z2 = Gemm(a1, W2, b2)",
        "a2 = Softmax(z2)",
        "class = ArgMax(a2)",
        "label = Gather(classes, class)",
        "probabilities = Identity(a2)",
    ]
    assert all(node.name == node.output[0] for node in graph.node)
    assert [output.name for output in graph.output] == ["label", "probabilities"]


def test_a_file_says_what_it_holds(iris):
    model = onnx.load_model_from_string(exported(iris, "Iris, 4-6-3"))
    said = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert (model.producer_name, model.doc_string, model.ir_version) == ("deltarule", "Iris, 4-6-3", 8)
    assert [(domain.domain, domain.version) for domain in model.opset_import] == [("", 13)]
    assert said["features"] == list(iris.encoding.inputs.feature_names)
    assert said["classes"] == ["setosa", "versicolor", "virginica"]
    assert (said["sizes"], said["activations"]) == ([4, 6, 3], ["tanh", "softmax"])
    assert said["loss"] == "cross_entropy"


def test_the_same_network_gives_the_same_bytes(iris):
    assert exported(iris) == exported(iris.copy())


def test_no_name_breaks_out(run):
    hostile = ["\"}], 'x'", "a\nb\\", "\0", "</script>*/", "𝒙 ", "\ud800"]
    net = with_encoding(
        [6, 2], columns(*hostile), LabelEncoding.fit(["\"'\\\n\0</", "é*/"]), output="softmax"
    )
    data = exported(net, title="\ud800 \"]}'\n")
    said = {entry.key: entry.value for entry in onnx.load_model_from_string(data).metadata_props}
    assert json.loads(said["features"]) == hostile
    labels = run(data, rows(net))["label"].tolist()
    assert set(labels) == set(net.encoding.target.classes)


@pytest.mark.parametrize("labels", [(0, 2**70), (0, 2**63), ("a", "\ud800")])
def test_labels_that_onnx_cannot_hold_are_refused(labels):
    kind = "object" if isinstance(labels[1], str) or labels[1] > 2**64 else "uint64"
    net = with_encoding([1, 2], columns("a"), LabelEncoding("y", labels, kind), output="softmax")
    with pytest.raises(InputError, match="label"):
        exported(net)


def test_what_no_file_can_hold_is_refused(iris, monkeypatch):
    monkeypatch.setattr("deltarule.exchange.to_onnx.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="can hold only 1,000"):
        exported(iris)


def test_without_onnx_the_extra_is_named(iris, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"deltarule\[onnx\]"):
        onnx_bytes(portable_network(iris), "iris")


# ---------------------------------------------------------------------- a user's own activations

FORMULAS = {
    "cube": (lambda v: v**3, z**3),
    "soft_sign": (lambda v: v / (1 + np.abs(v)), z / (1 + absolute(z))),
    "many": (
        lambda v: -v - 2 * np.sqrt(v * v + 1) + np.sign(v) * np.log(np.exp(v) + 1) - np.tanh(v),
        -z - 2 * sqrt(z * z + 1) + sign(z) * log(exp(z) + 1) - tanh(z),
    ),
    "steps": (
        lambda v: np.where(v < -1, -1.0, np.where(v == 0, 0.0, v)),
        Choice(Number(-1), Compare(z, "<", Number(-1)), Choice(Number(0), Compare(z, "=", Number(0)), z)),
    ),
    "same": (lambda v: v, z),
}


def own(name, value, formula):
    return Activation(name, value, lambda z, a: np.ones_like(z), formula, Number(1))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_of_ones_own_is_composed(name, dtype, run):
    net = Network([2, 3, 1], activation=own(name, *FORMULAS[name]), dtype=dtype, seed=1)
    X = rows(net)
    data = onnx_bytes(portable_network(net), "own")
    onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
    assert close(run(data, X)["outputs"], net.predict(X))


def test_an_activation_that_only_has_the_name_of_ours_keeps_its_own_formula(run):
    net = Network([2, 3, 1], activation=own("relu", *FORMULAS["cube"]), seed=1)
    X = rows(net)
    assert close(run(onnx_bytes(portable_network(net), "own"), X)["outputs"], net.predict(X))


@pytest.mark.parametrize(
    "formula", ["z if you like", ACTIVATIONS.resolve("softmax").formula, z**2, Number(3) + 0 * Number(1)]
)
def test_what_cannot_be_composed_is_refused(formula):
    net = Network([2, 3, 1], activation=own("mine", lambda v: v**3, formula), seed=1)
    with pytest.raises(InputError, match="'mine'"):
        onnx_bytes(portable_network(net), "own")

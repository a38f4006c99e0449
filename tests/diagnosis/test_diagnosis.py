"""diagnose: every mistake is named, whoever wrote the code and however; what is right is never accused."""

from __future__ import annotations

import json
import math
import time
from functools import wraps
from itertools import combinations

import numpy as np
import pytest
from deltarule.diagnosis.conventions import CONVENTIONS

import deltarule as dr
from deltarule.diagnosis import MISTAKES, assert_backprop_correct, diagnose
from deltarule.errors import InputError

from .planted import NETWORKS, SLOPE, STYLES, cases, columns, neurons, rows, settings_of

CASES = list(cases())
ONE_EACH = list({(style, mistake): case for case in CASES for style, mistake, *_ in [case]}.values())
PAIRED = [
    "slope_missing_at_output", "slope_missing_in_hidden_layer", "f_instead_of_slope", "updated_too_early",
    "absolute_weights", "paths_lost:first", "z_for_a", "bias_never_updated", "bias_with_itself",
    "bias_summed_wrongly:all", "sign", "sum_for_mean", "divided_twice", "factor", "one_sample_only",
]  # fmt: skip


TANH = settings_of("tanh", "sigmoid")


def rounded(function, decimals):
    def of(value):
        if isinstance(value, dict):
            return {key: of(inner) for key, inner in value.items()}
        return (
            type(value)(map(of, value))
            if isinstance(value, list | tuple)
            else np.round(value, decimals).tolist()
        )

    return wraps(function)(lambda *arguments, **named: of(function(*arguments, **named)))


def keys(diagnosis):
    return [mistake.key for mistake in diagnosis.mistakes]


# ---------------------------------------------------------------------- every mistake by name


def check_named(style, mistake, hidden, output):
    diagnosis = diagnose(STYLES[style](mistake, hidden, output), **settings_of(hidden, output, mistake))
    assert keys(diagnosis) == [mistake.partition(":")[0]], str(diagnosis)
    assert not diagnosis.right


@pytest.mark.parametrize(("style", "mistake", "hidden", "output"), ONE_EACH)
def test_a_planted_mistake_is_named(style, mistake, hidden, output):
    check_named(style, mistake, hidden, output)


@pytest.mark.slow
@pytest.mark.parametrize("style", list(STYLES))
def test_a_planted_mistake_is_named_in_every_network(style):
    for case in CASES:
        if case[0] == style:
            check_named(*case)


@pytest.mark.slow
def test_a_planted_mistake_is_named_from_gradients_rounded_to_three_decimals():
    named = 0
    for style, mistake, hidden, output in CASES:
        function = rounded(STYLES[style](mistake, hidden, output), 3)
        named += keys(diagnose(function, **settings_of(hidden, output, mistake))) == [
            mistake.partition(":")[0]
        ]
    assert named >= 0.98 * len(CASES)


@pytest.mark.parametrize("seed", range(0, 105, 26))
def test_two_mistakes_are_both_or_one_of_them_named(seed):
    one, other = list(combinations(PAIRED, 2))[seed]
    diagnosis = diagnose(rows(f"{one}+{other}", "tanh", "sigmoid"), **TANH)
    planted = {one.partition(":")[0], other.partition(":")[0]}
    assert keys(diagnosis), (one, other)
    assert set(keys(diagnosis)) <= planted, (one, other, keys(diagnosis))


@pytest.mark.slow
def test_no_pair_looks_like_a_third_mistake():
    for one, other in combinations(PAIRED, 2):
        found = set(keys(diagnose(rows(f"{one}+{other}", "tanh", "sigmoid"), **TANH)))
        assert found <= {one.partition(":")[0], other.partition(":")[0]}, (one, other, found)


def test_every_mistake_of_the_catalogue_is_explained():
    assert len({mistake.key for mistake in MISTAKES}) == len(MISTAKES)
    for mistake in MISTAKES:
        assert all((mistake.title, mistake.why, mistake.wrong, mistake.right, mistake.remedy))


# ---------------------------------------------------------------------- what is right is not accused


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize(("hidden", "output"), NETWORKS)
def test_right_code_is_not_accused(style, hidden, output):
    if style == "neurons" and output == "softmax":
        return
    for given in (settings_of(hidden, output), {}):
        diagnosis = diagnose(STYLES[style]("", hidden, output), **given)
        assert diagnosis.right, str(diagnosis)
        assert not diagnosis.mistakes
        assert diagnosis.settings.activation == hidden or given == {}


def in_layout(convention, hidden, output):
    """The right gradient in any layout of arrays."""
    right = rows("", hidden, output)

    def function(weights, biases, X, Y):
        turn = convention.weights == "out_in"
        W = [np.array(w).T if turn else np.array(w) for w in weights]
        b = [np.array(v).ravel() for v in biases]
        if convention.biases == "shared":
            b = [np.full(w.shape[1], v[0]) for w, v in zip(W, b, strict=True)]
        x, y = (np.array(v).T if convention.samples == "columns" else np.array(v) for v in (X, Y))
        dW, db = right(W, b, x, y)
        if convention.biases == "shared":
            return [convention.W(g) for g in dW], [float(g.sum()) for g in db]
        return [convention.W(g) for g in dW], [convention.b(g) for g in db]

    return function


@pytest.mark.slow
def test_right_code_in_all_layouts_and_networks_is_never_accused():
    tried = 0
    for convention in CONVENTIONS:
        for hidden, output in NETWORKS:
            for sizes in (None, [2, 3, 2], [4, 4, 4]):
                diagnosis = diagnose(
                    in_layout(convention, hidden, output), sizes=sizes, **settings_of(hidden, output)
                )
                assert diagnosis.right, (convention, hidden, output, sizes, str(diagnosis))
                tried += 1
    assert tried >= 200


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_the_layout_that_was_seen_is_named(convention):
    diagnosis = diagnose(in_layout(convention, "tanh", "sigmoid"), **TANH)
    assert diagnosis.right
    assert "W as" in diagnosis.convention or "lists" in diagnosis.convention


def test_a_sum_over_the_samples_is_a_convention_where_nothing_else_is_said():
    diagnosis = diagnose(rows("sum_for_mean", "tanh", "sigmoid"))
    assert diagnosis.right
    assert diagnosis.settings.reduction == "sum"


def test_what_could_be_another_loss_is_said():
    diagnosis = diagnose(rows("slope_missing_at_output", "tanh", "sigmoid"))
    assert diagnosis.right  # for binary cross-entropy
    assert diagnosis.settings.loss == "binary_cross_entropy"


# ---------------------------------------------------------------------- what comes back, and how


def right_pair(weights, biases, X, Y):
    return rows("", "tanh", "sigmoid")(weights, biases, X, Y)


@pytest.mark.parametrize(
    "form",
    [
        lambda dW, db: list(zip(dW, db, strict=True)),
        lambda dW, db: {"dW": dW, "db": db},
        lambda dW, db: {f"W{i}": g for i, g in enumerate(dW)} | {f"b{i}": g for i, g in enumerate(db)},
        lambda dW, db: (*dW, *db),
        lambda dW, db: [g for pair in zip(dW, db, strict=True) for g in pair][::-1],
        lambda dW, db: dW,
        lambda dW, db: [{"weights": w, "bias": b} for w, b in zip(dW, db, strict=True)],
    ],
)  # fmt: skip
def test_gradients_come_back_in_any_form(form):
    diagnosis = diagnose(lambda *arguments: form(*right_pair(*arguments)))
    assert diagnosis.right, str(diagnosis)


def shared_bias(weights, biases, X, Y):
    """One number for each layer."""
    full = [np.full(w.shape[1], float(b)) for w, b in zip(weights, biases, strict=True)]
    dW, db = right_pair(weights, full, X, Y)
    return dW, [g.sum() for g in db]


def no_bias(weights, X, Y):
    return right_pair(weights, [np.zeros(w.shape[1]) for w in weights], X, Y)[0]


def biases_ignored(weights, biases, X, Y):
    return no_bias(weights, X, Y)


@pytest.mark.parametrize("code", [shared_bias, no_bias, biases_ignored])
def test_shared_biases_and_none(code):
    diagnosis = diagnose(code, **TANH)
    assert diagnosis.right, str(diagnosis)


def test_a_mistake_without_biases():
    assert keys(diagnose(lambda weights, X, Y: [-g for g in no_bias(weights, X, Y)], **TANH)) == ["sign"]


def updating(weights, biases, X, Y, learning_rate):
    dW, db = right_pair(weights, biases, X, Y)
    return (
        [w - learning_rate * g for w, g in zip(weights, dW, strict=True)],
        [b - learning_rate * g for b, g in zip(biases, db, strict=True)],
    )


def test_updated_weights_are_taken_too():
    assert diagnose(updating).right
    assert keys(diagnose(lambda W, b, X, Y, eta: updating(W, b, X, Y, -eta), **TANH)) == ["sign"]


def test_just_the_numbers_of_one_case():
    net = dr.Network([3, 4, 2], activation="tanh", output="sigmoid", loss="half_squared_error", seed=1)
    X, Y = np.random.default_rng(0).normal(size=(5, 3)), np.full((5, 2), 0.25)
    grads = net.backward(net.forward(X), Y)
    weights, biases = net.get_weights()
    given = {"weights": weights, "biases": biases, "X": X, "Y": Y, "loss": "half_squared_error"}
    right = diagnose(gradients=([g.dW for g in grads], [g.db for g in grads]), **given)
    assert right.right
    wrong = diagnose(gradients=([-g.dW for g in grads], [-g.db for g in grads]), **given)
    assert keys(wrong) == ["sign"]
    assert wrong.first_wrong.name == "dW2"
    with pytest.raises(InputError, match="do not fit"):
        diagnose(gradients=[[1.0]], **given)
    with pytest.raises(InputError, match="are needed"):
        diagnose(weights=weights)


# ---------------------------------------------------------------------- a network of one's own class


class Neuron:
    def __init__(self, weights, bias):
        self.weights, self.bias = weights, bias

    def output(self, inputs):
        self.inputs = inputs
        net = sum(i * w for i, w in zip(inputs, self.weights, strict=True)) + self.bias
        self.out = 1 / (1 + math.exp(-net))
        return self.out

    def slope(self):
        return self.out * (1 - self.out)


class NeuronByNeuron:
    """A 2-2-2 network of named neurons; as published, the hidden layer takes the wrong weights and slope."""

    LEARNING_RATE = 0.5

    def __init__(self, published):
        self.published = published
        self.hidden = [Neuron([0.15, 0.20], 0.35), Neuron([0.25, 0.30], 0.35)]
        self.outputs = [Neuron([0.40, 0.45], 0.60), Neuron([0.50, 0.55], 0.60)]

    def train(self, x, y):
        h = [neuron.output(x) for neuron in self.hidden]
        errors = [neuron.output(h) - t for neuron, t in zip(self.outputs, y, strict=True)]
        d = [e * neuron.slope() for e, neuron in zip(errors, self.outputs, strict=True)]
        hidden = []
        for j, neuron in enumerate(self.hidden):
            if self.published:
                hidden.append(sum(d[k] * neuron.weights[k] for k in range(2)) * self.outputs[j].slope())
            else:
                hidden.append(sum(d[k] * self.outputs[k].weights[j] for k in range(2)) * neuron.slope())
        for neurons_, deltas in ((self.outputs, d), (self.hidden, hidden)):
            for neuron, delta in zip(neurons_, deltas, strict=True):
                for i in range(2):
                    neuron.weights[i] -= self.LEARNING_RATE * delta * neuron.inputs[i]


def test_the_first_tutorial_as_published_is_diagnosed_by_name():
    diagnosis = diagnose(NeuronByNeuron(published=True))
    assert keys(diagnosis) == ["wrong_layers_weights"]
    assert diagnosis.first_wrong.name == "dW1"
    assert diagnose(NeuronByNeuron(published=False)).right


class Matrices:
    def __init__(self, wrong=False):
        rng = np.random.default_rng(0)
        self.W1, self.b1 = rng.normal(size=(3, 4)), rng.normal(size=4)
        self.W2, self.b2 = rng.normal(size=(4, 2)), rng.normal(size=2)
        self.wrong = wrong

    def forward(self, X):
        self.X, self.h = X, np.tanh(X @ self.W1 + self.b1)
        self.p = 1 / (1 + np.exp(-(self.h @ self.W2 + self.b2)))
        return self.p

    def backward(self, Y):
        delta = (self.p - Y) * self.p * (1 - self.p) / len(Y)
        self.dW2, self.db2 = self.h.T @ delta, delta.sum(axis=0)
        delta = delta @ self.W2.T * (1 if self.wrong else 1 - self.h**2)
        self.dW1, self.db1 = self.X.T @ delta, delta.sum(axis=0)


def test_a_class_with_forward_and_backward_that_keeps_its_gradients():
    assert diagnose(Matrices()).right
    assert keys(diagnose(Matrices(wrong=True), **TANH)) == ["slope_missing_in_hidden_layer"]


def test_a_right_gradient_of_weights_that_cannot_learn():
    net = Matrices()
    net.W1[:], net.b1[:], net.W2[:] = 0.5, 0.0, 0.5
    diagnosis = diagnose(net, **TANH)
    assert diagnosis.right
    assert "same weights" in str(diagnosis)
    assert not diagnose(Matrices(), **TANH).notes


# ---------------------------------------------------------------------- code that misbehaves


def raising(weights, biases, X, Y):
    raise ValueError("this is my own trouble")


def endless(weights, biases, X, Y):
    while True:
        time.sleep(0.01)


def printing(weights, biases, X, Y):
    print("here I am")
    return right_pair(weights, biases, X, Y)


def wrong_shape(weights, biases, X, Y):
    return [np.zeros((2, 2))]


def nothing(weights, biases, X, Y):
    return None


def not_a_number(weights, biases, X, Y):
    dW, db = right_pair(weights, biases, X, Y)
    return [np.full_like(g, np.nan) for g in dW], db


def leaving(weights, biases, X, Y):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (raising, "ValueError: this is my own trouble, in raising, line"),
        (endless, "still running after 1 seconds"),
        (wrong_shape, "does not fit layers"),
        (nothing, "does not fit layers"),
        (leaving, "SystemExit"),
    ],
)
def test_code_that_cannot_be_tested_gets_a_clear_report(code, said):
    diagnosis = diagnose(code, seconds=1)
    assert not diagnosis.right
    assert said in str(diagnosis)
    assert "Traceback" not in str(diagnosis)


def test_code_that_prints_or_returns_nan():
    assert "here I am" in str(diagnose(printing))
    assert diagnose(printing).right
    assert "NaN" in str(diagnose(not_a_number))


def test_an_unknown_mistake_is_not_forced_into_the_catalogue():
    def odd(weights, biases, X, Y):
        dW, db = right_pair(weights, biases, X, Y)
        return [g + 0.01 * (i + 1) * np.sin(np.arange(g.size)).reshape(g.shape) for i, g in enumerate(dW)], db

    diagnosis = diagnose(odd, **TANH)
    assert diagnosis.mistakes == ()
    assert "no known mistake matches" in str(diagnosis)
    assert "cosine" in str(diagnosis)


def test_settings_that_do_not_fit_are_refused():
    for settings, message in (
        ({"loss": "hinge"}, "hinge"),
        ({"returns": "values"}, "returns must be"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"activation": "tang"}, "tang"),
    ):
        with pytest.raises(InputError, match=message):
            diagnose(right_pair, **settings)


def test_as_a_helper_in_a_course():
    assert_backprop_correct(right_pair, **TANH)
    with pytest.raises(AssertionError, match="no f′ in a hidden layer"):
        assert_backprop_correct(rows("slope_missing_in_hidden_layer", "tanh", "sigmoid"), **TANH)


def test_as_data():
    found = json.loads(json.dumps(diagnose(columns("sign", "tanh", "sigmoid"), **TANH).to_dict()))
    assert found["mistakes"][0]["key"] == "sign"
    assert not found["right"]
    assert str(diagnose(neurons("", "tanh", "sigmoid"))).startswith("The backpropagation is right.")


# ---------------------------------------------------------------------- numbers that are not exact


def in_float32(function):
    def of(*arguments):
        weights, biases, X, Y = arguments
        return function(
            [np.float32(w) for w in weights], [np.float32(b) for b in biases], np.float32(X), np.float32(Y)
        )

    return of


def by_differences(weights, biases, X, Y, step=1e-5):
    def loss():
        a = X
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            a = np.tanh(a @ W + b)
        p = 1 / (1 + np.exp(-(a @ weights[-1] + biases[-1])))
        return ((p - Y) ** 2).sum() / 2 / len(X)

    found = []
    for arrays in (weights, biases):
        found.append([np.zeros_like(array) for array in arrays])
        for array, gradient in zip(arrays, found[-1], strict=True):
            for index in np.ndindex(array.shape):
                array[index] += step
                up = loss()
                array[index] -= step
                gradient[index] = (up - loss()) / step
    return found


@pytest.mark.parametrize("code", [in_float32(right_pair), by_differences])
def test_a_right_gradient_that_is_not_exact(code):
    diagnosis = diagnose(code, **TANH)
    assert diagnosis.right, str(diagnosis)
    assert "digits" in diagnosis.notes[0]


@pytest.mark.parametrize("mistake", ["f_instead_of_slope", "updated_too_early"])
def test_a_mistake_in_float32(mistake):
    diagnosis = diagnose(in_float32(rows(mistake, "tanh", "sigmoid")), **TANH)
    assert keys(diagnosis) == [mistake]
    assert float(diagnosis.first_wrong.right) != pytest.approx(float(diagnosis.first_wrong.found), rel=1e-4)


def test_whole_numbers_are_told():
    def whole(*arguments):
        return [[(20 * g).astype(int) for g in kind] for kind in right_pair(*arguments)]

    assert "integers" in str(diagnose(whole, **TANH))


def test_the_slope_of_relu_at_zero_is_a_matter_of_convention(monkeypatch):
    for above, said in ((lambda z: (z > 0) * 1.0, False), (lambda z: (z >= 0) * 1.0, True)):
        monkeypatch.setitem(SLOPE, "relu", above)
        diagnosis = diagnose(rows("", "relu", "softmax"))
        assert diagnosis.right
        assert any("harmless" in note for note in diagnosis.notes) == said


# ---------------------------------------------------------------------- the page


@pytest.mark.parametrize("case", ONE_EACH[:10])
def test_the_page_fits_into_a_terminal_and_says_nothing_twice(case):
    style, mistake, hidden, output = case
    page = str(diagnose(STYLES[style](mistake, hidden, output), **settings_of(hidden, output, mistake)))
    lines = page.splitlines()
    assert max(map(len, lines)) <= 79
    assert len({line for line in lines if line}) == len([line for line in lines if line])
    assert page.count("it should:") == 1
    assert " a0" not in page


def test_a_right_gradient_of_a_loss_that_was_found_out_asks_whether_it_is_the_one():
    assert "Is that your loss?" in str(diagnose(right_pair))
    assert "Is that your loss?" not in str(diagnose(right_pair, **TANH))

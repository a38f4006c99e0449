"""check: functions, objects and numbers are judged; what is right is never accused, mistakes have names."""

from __future__ import annotations

import json

import numpy as np
import pytest

import deltarule as dr
from deltarule.diagnosis import MISTAKES, assert_backprop_correct, check
from deltarule.diagnosis.observation import observe
from deltarule.errors import InputError

from . import right_dropout
from .live_code import (
    Matrices,
    NeuronByNeuron,
    biases_ignored,
    by_differences,
    in_float32,
    no_bias,
    right_pair,
    shared_bias,
    updating,
)
from .planted import NETWORKS, STYLES, cases, columns, rows, settings_of
from .planted_dropout import RIGHT as RIGHT_DROPOUT
from .planted_dropout import STYLES as WITH_DROPOUT
from .planted_dropout import cases as cases_of_dropout
from .planted_programs import spread

#: What the numbers of a call do not show: conventions of scale, penalties that no loss asks for.
UNSEEN = {
    "sum_for_mean", "learning_rate_inside", "l2_wrong:missing", "l2_wrong:doubled",
    "l2_wrong:negative", "l2_wrong:over_n", "l2_wrong:biases", "gradient_transposed",
}  # fmt: skip
#: What is found by its line, and not by its name.
UNNAMED = {"softmax_elementwise", "bias_with_itself", "bias_summed_wrongly:all", "wrong_layers_weights:own"}
OF_NEURONS_UNSEEN = {"factor", "wrong_layers_weights:t1"}
CASES = [
    case
    for case in cases()
    if case[1] not in UNSEEN and not (case[0] == "neurons" and case[1] in OF_NEURONS_UNSEEN)
]
ONE_EACH = list({(style, mistake): case for case in CASES for style, mistake, *_ in [case]}.values())


def with_neurons_slow(cases):
    """Neurons in loops take longer: they are left to the slow tests."""
    return [
        pytest.param(*case, marks=pytest.mark.slow if case[0] == "neurons" else ()) for case in cases[::-1]
    ]


def mistake_of(case):
    return case[1]


def keys(seen):
    return [mistake.key for mistake in seen.mistakes]


def check_named(style, mistake, hidden, output):
    loss = settings_of(hidden, output)["loss"]
    seen = observe(STYLES[style](mistake, hidden, output), loss=loss)
    assert seen.verdict == "wrong", (style, mistake, hidden, output, str(seen))
    assert mistake in UNNAMED or keys(seen) == [mistake.partition(":")[0]], str(seen)


@pytest.mark.parametrize(("style", "mistake", "hidden", "output"), with_neurons_slow(ONE_EACH))
def test_a_planted_mistake_is_named(style, mistake, hidden, output):
    check_named(style, mistake, hidden, output)


@pytest.mark.slow
@pytest.mark.parametrize("style", list(STYLES))
def test_a_planted_mistake_is_found_in_every_network(style):
    found = []
    for _, mistake, hidden, output in spread([case for case in CASES if case[0] == style], mistake_of, 2):
        code = STYLES[style](mistake, hidden, output)
        found.append(observe(code, loss=settings_of(hidden, output)["loss"]).verdict == "wrong")
    assert sum(found) >= 0.97 * len(found)


def test_every_mistake_of_the_catalogue_is_explained():
    assert len({mistake.key for mistake in MISTAKES}) == len(MISTAKES)
    for mistake in MISTAKES:
        assert all((mistake.title, mistake.why, mistake.wrong, mistake.right, mistake.remedy))


# ---------------------------------------------------------------------- what is right is not accused


RIGHT = [
    (style, hidden, output)
    for style in STYLES
    for hidden, output in NETWORKS
    if not (style == "neurons" and output == "softmax")
]


@pytest.mark.parametrize(("style", "hidden", "output"), with_neurons_slow(RIGHT))
def test_right_code_is_not_accused(style, hidden, output):
    for loss in (settings_of(hidden, output)["loss"], ""):
        seen = observe(STYLES[style]("", hidden, output), loss=loss)
        assert seen.right, str(seen)
        assert not seen.mistakes


LAYOUTS = [
    (weights, samples, biases)
    for weights in ("in_out", "out_in")
    for samples in ("rows", "columns")
    for biases in ("vector", "row", "column")
]


def in_layout(layout, hidden, output):
    """The right gradient, of arrays in any layout."""
    right, (weights_are, samples, biases_are) = rows("", hidden, output), layout

    def backprop(weights, biases, X, Y):
        W = [w.T for w in weights] if weights_are == "out_in" else weights
        b = [v.reshape(-1) for v in biases]
        dW, db = right(W, b, *((X.T, Y.T) if samples == "columns" else (X, Y)))
        shape = {"row": (1, -1), "column": (-1, 1)}.get(biases_are, (-1,))
        return [g.T for g in dW] if weights_are == "out_in" else dW, [g.reshape(shape) for g in db]

    return backprop


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_right_code_in_any_layout(layout):
    assert observe(in_layout(layout, "tanh", "sigmoid")).right


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_right_code_in_all_layouts_and_networks(layout):
    for hidden, output in NETWORKS[LAYOUTS.index(layout) % 2 :: 2]:
        for loss in ("", settings_of(hidden, output)["loss"]):
            seen = observe(in_layout(layout, hidden, output), loss=loss)
            assert seen.right, (hidden, output, str(seen))


FORMS = [
    lambda dW, db: list(zip(dW, db, strict=True)),
    lambda dW, db: {"dW": dW, "db": db},
    lambda dW, db: {f"W{i}": g for i, g in enumerate(dW)} | {f"b{i}": g for i, g in enumerate(db)},
    lambda dW, db: (*dW, *db),
    lambda dW, db: [g for pair in zip(dW, db, strict=True) for g in pair][::-1],
    lambda dW, db: dW,
    lambda dW, db: [{"weights": w, "bias": b} for w, b in zip(dW, db, strict=True)],
]


@pytest.mark.parametrize("form", FORMS)
def test_gradients_come_back_in_any_form(form):
    seen = observe(lambda weights, biases, X, Y: form(*right_pair(weights, biases, X, Y)))
    assert seen.right, str(seen)


@pytest.mark.parametrize("code", [updating, shared_bias, no_bias, biases_ignored, by_differences])
def test_biases_that_are_shared_or_missing_and_updated_weights(code):
    seen = observe(code, loss="half_squared_error")
    assert seen.right, str(seen)


def test_a_penalty_is_no_mistake_in_layers_of_three():
    assert observe(rows("l2", "tanh", "sigmoid"), loss="half_squared_error").right


# ---------------------------------------------------------------------- the loss that is meant


def test_what_is_right_for_another_loss_is_a_mistake_by_name():
    code = rows("slope_missing_at_output", "tanh", "sigmoid")
    assert observe(code).right  # for binary cross-entropy
    assert observe(code, loss="binary_cross_entropy").right
    seen = observe(code, loss="half_squared_error")
    assert keys(seen) == ["slope_missing_at_output"]
    assert "as you named it" in str(seen)


@pytest.mark.parametrize(("mistake", "loss"), [("factor", "squared_error"), ("divided_twice", None)])
def test_a_common_factor_is_a_mistake_where_the_loss_is_named(mistake, loss):
    code = rows(mistake, "tanh", "sigmoid")
    assert observe(code).right
    assert keys(observe(code, loss="half_squared_error")) == [mistake]
    assert loss is None or observe(code, loss=loss).right


def test_a_sum_over_the_samples_is_a_convention():
    for loss in ("", "half_squared_error"):
        assert observe(rows("sum_for_mean", "tanh", "sigmoid"), loss=loss).right


def test_the_sign_of_a_gradient_is_a_mistake_where_the_name_says_gradient():
    def turned(weights, biases, X, Y):
        return [[-g for g in part] for part in right_pair(weights, biases, X, Y)]

    def gradients(weights, biases, X, Y):
        return [[-g for g in part] for part in right_pair(weights, biases, X, Y)]

    assert observe(turned).right
    assert keys(observe(gradients)) == keys(observe(turned, loss="half_squared_error")) == ["sign"]


def test_any_loss_may_be_meant():
    def backprop(weights, biases, X, Y):
        (W1, W2), (b1, b2) = weights, biases
        h = np.tanh(X @ W1 + b1)
        d2 = np.clip(h @ W2 + b2 - Y, -1, 1) / len(X)
        d1 = d2 @ W2.T * (1 - h**2)
        return [X.T @ d1, h.T @ d2], [d1.sum(axis=0), d2.sum(axis=0)]

    assert observe(backprop, loss="huber").right
    assert observe(backprop, loss="half_squared_error").verdict == "wrong"


def test_square_layers_and_a_second_call_show_what_one_call_does_not():
    for name in ("wrong_layers_activation", "gradients_accumulate", "changes_its_inputs"):
        seen = observe(rows(name, "tanh", "sigmoid"))
        assert keys(seen) == [name], str(seen)
        assert seen.faults[0].line


# ---------------------------------------------------------------------- dropout

DROPPED = [case for case in cases_of_dropout() if case[1] != "dropout_has_no_effect"]
ONE_OF_DROPOUT = [case for case in DROPPED if case[2:] == ("tanh", "sigmoid")]


@pytest.mark.parametrize(("style", "mistake", "hidden", "output"), with_neurons_slow(ONE_OF_DROPOUT))
def test_a_mistake_of_dropout_is_found(style, mistake, hidden, output):
    code, _ = WITH_DROPOUT[style](mistake, hidden, output)
    assert observe(code, loss="half_squared_error").verdict == "wrong"


@pytest.mark.slow
@pytest.mark.parametrize("style", list(WITH_DROPOUT))
def test_a_mistake_of_dropout_is_found_in_every_network(style):
    found = []
    for _, mistake, hidden, output in spread([case for case in DROPPED if case[0] == style], mistake_of, 2):
        code, _ = WITH_DROPOUT[style](mistake, hidden, output)
        found.append(observe(code, loss=settings_of(hidden, output)["loss"]).verdict == "wrong")
    assert sum(found) >= 0.95 * len(found)


@pytest.mark.slow
def test_right_dropout_is_never_accused():
    codes = [
        WITH_DROPOUT[style](mistake, hidden, output)[0]
        for style, mistake, hidden, output in cases_of_dropout(RIGHT_DROPOUT)
    ]
    for code in [*codes, *(code for code, _ in right_dropout.RIGHT)]:
        for _ in range(2):  # other random numbers
            assert not observe(code).faults, code


# ---------------------------------------------------------------------- objects


def test_the_first_tutorial_as_published():
    seen = observe(NeuronByNeuron(published=True))
    assert seen.verdict == "wrong"
    assert [one for one in seen.faults if one.kind != "untrained"]


def test_a_class_with_forward_and_backward_that_keeps_its_gradients():
    assert observe(Matrices()).right
    assert keys(observe(Matrices(wrong=True))) == ["slope_missing_in_hidden_layer"]


# ---------------------------------------------------------------------- first weights


def start(name):
    """Weights (in, out), biases and samples of a 3-4-2 network, good or bad."""
    rng = np.random.default_rng(2)
    W1, W2 = rng.normal(0, 0.7, (3, 4)), rng.normal(0, 0.7, (4, 2))
    b1, b2 = rng.normal(0, 0.1, 4), np.zeros(2)
    X, Y = rng.normal(size=(40, 3)), np.eye(2)[rng.integers(0, 2, 40)]
    if name == "zero":
        W1, W2, b1 = 0 * W1, 0 * W2, 0 * b1
    if name == "equal":
        W1, W2, b1 = np.full_like(W1, 0.3), np.full_like(W2, -0.2), np.full_like(b1, 0.1)
    if name == "dead":
        b1 = b1 - 50
    if name == "saturated":
        W1 = W1 * 500
    return {"weights": [W1, W2], "biases": [b1, b2], "X": X, "Y": Y}


def in_style(style, own):
    """The same as the style takes it."""
    if style == "rows":
        return own
    W, b = [one.T for one in own["weights"]], own["biases"]
    if style == "columns":
        return {"weights": W, "biases": [one[:, None] for one in b], "X": own["X"].T, "Y": own["Y"].T}
    own = {"weights": W, "biases": b, "X": own["X"], "Y": own["Y"]}
    return {
        name: [part.tolist() for part in one] if isinstance(one, list) else one.tolist()
        for name, one in own.items()
    }


BAD = [
    (name, hidden, finding, style)
    for name, hidden, finding in (
        ("zero", "tanh", "symmetric_neurons"),
        ("equal", "sigmoid", "symmetric_neurons"),
        ("dead", "relu", "dead_units"),
        ("saturated", "tanh", "saturated_units"),
        ("good", "tanh", None),
    )
    for style in STYLES
    if (style, hidden) != ("neurons", "relu")
]


@pytest.mark.parametrize(("name", "hidden", "finding", "style"), BAD)
def test_first_weights_that_cannot_learn_are_told(name, hidden, finding, style):
    seen = observe(STYLES[style]("", hidden, "sigmoid"), own=in_style(style, start(name)))
    assert seen.right, str(seen)
    names = [one.name for one in seen.findings]
    assert finding in names if finding else not names
    assert ("cannot learn well" in str(seen)) == bool(finding)


def test_an_object_whose_weights_are_equal():
    net = Matrices()
    net.W1[:], net.b1[:], net.W2[:] = 0.5, 0.0, 0.5
    seen = observe(net)
    assert seen.right
    assert "symmetric_neurons" in [one.name for one in seen.findings]


def test_weights_without_samples_are_refused():
    own = start("good")
    for names in (("weights",), ("weights", "X"), ("X", "Y")):
        with pytest.raises(InputError, match="together"):
            check(right_pair, **{name: own[name] for name in names})
    with pytest.raises(InputError, match="do not match"):
        check(right_pair, **{**own, "weights": own["weights"][:1] * 2})


# ---------------------------------------------------------------------- just numbers


def test_just_the_numbers_of_one_case():
    net = dr.Network([3, 4, 2], activation="tanh", output="sigmoid", loss="half_squared_error", seed=1)
    X, Y = np.random.default_rng(0).normal(size=(5, 3)), np.full((5, 2), 0.25)
    grads = net.backward(net.forward(X), Y)
    weights, biases = net.get_weights()
    given = {"weights": weights, "biases": biases, "X": X, "Y": Y, "loss": "half_squared_error"}
    right = check(gradients=([g.dW for g in grads], [g.db for g in grads]), **given)
    assert right.right
    assert "3 → 4 (tanh) → 2 (sigmoid)" in str(right)
    assert "the loss that was named" in str(right)
    wrong = check(gradients=([-g.dW for g in grads], [-g.db for g in grads]), **given)
    assert keys(wrong) == ["sign"]
    assert "Line" not in str(wrong)
    turned = {**given, "weights": [w.T for w in weights]}
    assert check(gradients=[g.dW.T for g in grads], **turned).right
    odd = check(gradients=[np.cos(3 * g.dW) for g in grads], **given)
    assert odd.verdict == "cannot judge"
    assert "Pass the code itself" in str(odd)
    with pytest.raises(InputError, match="do not match"):
        check(gradients=[[1.0]], **given)
    with pytest.raises(InputError, match="are all needed"):
        check(weights=weights)


# ---------------------------------------------------------------------- apart, and as a record


def raising(weights, biases, X, Y):
    raise ValueError("this is my own trouble")


def endless(weights, biases, X, Y):
    while True:
        pass


@pytest.mark.parametrize(
    ("code", "seconds", "said"), [(raising, 60, "this is my own trouble"), (endless, 3, "still running")]
)
def test_code_that_cannot_be_judged_gets_a_clear_report(code, seconds, said):
    seen = check(code, seconds=seconds)
    assert seen.verdict == "cannot judge"
    assert said in str(seen)
    assert "Traceback" not in str(seen)


def test_as_a_helper_in_a_course_and_as_data():
    assert_backprop_correct(right_pair)
    with pytest.raises(AssertionError, match="the negative of the gradient"):
        assert_backprop_correct(rows("sign", "tanh", "sigmoid"), loss="half_squared_error")
    seen = observe(columns("sign", "tanh", "sigmoid"), loss="half_squared_error")
    found = json.loads(json.dumps(seen.to_dict()))
    assert found["mistakes"][0]["key"] == "sign"
    assert not found["right"]


def test_settings_that_make_no_sense_are_refused(tmp_path):
    for settings, message in (({"loss": "hinge"}, "hinge"), ({"seconds": 0}, "seconds")):
        with pytest.raises(InputError, match=message):
            check(right_pair, **settings)
    with pytest.raises(InputError, match="there is no such file"):
        check(tmp_path / "nothing.py")


@pytest.mark.parametrize("mistake", ["", "f_instead_of_slope", "z_for_a"])
def test_single_precision(mistake):
    seen = observe(in_float32(rows(mistake, "tanh", "sigmoid")), loss="half_squared_error")
    assert seen.right == (not mistake), str(seen)


FILE = """
import numpy as np
def one(weights, biases, X, Y):
    h = np.tanh(X @ weights[0] + biases[0])
    d2 = (h @ weights[1] + biases[1] - Y) / len(X)
    d1 = d2 @ weights[1].T * (1 - h ** 2)
    return [X.T @ d1, h.T @ d2], [d1.sum(axis=0), d2.sum(axis=0)]
def two(weights, biases, X, Y):
    h = np.tanh(X @ weights[0] + biases[0])
    d2 = (h @ weights[1] + biases[1] - Y) / len(X)
    d1 = d2 @ weights[1].T * h
    return [X.T @ d1, h.T @ d2], [d1.sum(axis=0), d2.sum(axis=0)]
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        rng = np.random.default_rng(0)
        self.W1, self.W2 = rng.normal(size=(n_in, n_hidden)), rng.normal(size=(n_hidden, n_out))
    def train(self, X, y):
        h = np.tanh(X @ self.W1)
        d = (h @ self.W2 - y) / len(X)
        self.W1 -= 0.1 * X.T @ (d @ self.W2.T)
        self.W2 -= 0.1 * h.T @ d
"""


def test_the_name_says_which_of_a_file_is_judged(tmp_path):
    path = tmp_path / "several.py"
    path.write_text(FILE, encoding="utf-8")
    assert observe(path, name="one").right
    assert keys(observe(path, name="two")) == ["f_instead_of_slope"]
    assert observe(path, name="Net").verdict == "wrong"
    with pytest.raises(InputError, match="there is no three"):
        check(path, name="three")

"""diagnose with a learner's own weights: the gradient is right, and all the same they cannot learn."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from deltarule.diagnosis import diagnose
from deltarule.errors import InputError

from .planted import STYLES, settings_of
from .test_diagnosis import keys


def start(name, hidden=4):
    """Weights (in, out), biases and samples of a 3-4-2 network, good or bad."""
    rng = np.random.default_rng(2)
    W1, W2 = rng.normal(0, 0.7, (3, hidden)), rng.normal(0, 0.7, (hidden, 2))
    b1, b2 = rng.normal(0, 0.1, hidden), np.zeros(2)
    X, Y = rng.normal(size=(40, 3)), np.eye(2)[rng.integers(0, 2, 40)]
    if name == "zero":
        W1, W2, b1 = 0 * W1, 0 * W2, 0 * b1
    if name == "equal":
        W1, W2, b1 = np.full_like(W1, 0.3), np.full_like(W2, -0.2), np.full_like(b1, 0.1)
    if name == "dead":
        b1 = b1 - 50
    if name == "saturated":
        W1 = W1 * 500
    if name == "unscaled inputs":
        X = X * 1000
    return [W1, W2], [b1, b2], X, Y


def in_style(style, weights, biases, X, Y):
    """The same as the style takes it."""
    if style == "columns":
        return [W.T for W in weights], [b[:, None] for b in biases], X.T, Y.T
    if style == "neurons":
        return [W.T.tolist() for W in weights], [b.tolist() for b in biases], X.tolist(), Y.tolist()
    return weights, biases, X, Y


BAD = [
    ("zero", "tanh", "symmetric_neurons"),
    ("zero", "sigmoid", "symmetric_neurons"),
    ("equal", "tanh", "symmetric_neurons"),
    ("dead", "relu", "dead_units"),
    ("saturated", "sigmoid", "saturated_units"),
    ("saturated", "tanh", "saturated_units"),
    ("unscaled inputs", "sigmoid", "saturated_units"),
]


def looked_at(style, name, hidden_activation, hidden=4, **given):
    weights, biases, X, Y = in_style(style, *start(name, hidden))
    code = STYLES[style]("", hidden_activation, given["output"])
    return diagnose(code, weights=weights, biases=biases, X=X, Y=Y, **given)


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize(("name", "hidden", "finding"), BAD)
def test_weights_that_cannot_learn_are_told_though_the_gradient_is_right(style, name, hidden, finding):
    diagnosis = looked_at(style, name, hidden, **settings_of(hidden, "sigmoid"))
    assert diagnosis.right
    assert finding in [one.name for one in diagnosis.findings]
    assert diagnosis.findings[0].layer == 1
    assert "cannot learn well" in diagnosis.verdict
    assert "If training still goes wrong" not in str(diagnosis)
    assert json.loads(json.dumps(diagnosis.to_dict()))["findings"][0]["remedy"]


@pytest.mark.parametrize("style", list(STYLES))
def test_six_networks_of_which_none_can_learn(style):
    told = {"equal": "symmetric_neurons", "saturated": "saturated_units", "dead": "dead_units"}
    for hidden, output in product(("tanh", "sigmoid", "relu"), ("sigmoid", "tanh")):
        for name in ("equal", "dead" if hidden == "relu" else "saturated"):
            diagnosis = looked_at(style, name, hidden, **settings_of(hidden, output))
            assert diagnosis.right, (hidden, output, str(diagnosis))
            assert told[name] in [finding.name for finding in diagnosis.findings], (hidden, output)


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("hidden", ["tanh", "sigmoid", "relu"])
def test_good_first_weights_are_not_accused(style, hidden):
    for size in (4, 3):  # as many as there are inputs: rows and columns cannot be told from the shape
        diagnosis = looked_at(style, "good", hidden, size, **settings_of(hidden, "sigmoid"))
        assert diagnosis.right
        assert not diagnosis.findings
        assert diagnosis.verdict == "The backpropagation is right."


def test_a_wrong_gradient_comes_first():
    weights, biases, X, Y = start("zero")
    code = STYLES["rows"]("sign", "tanh", "sigmoid")
    diagnosis = diagnose(code, weights=weights, biases=biases, X=X, Y=Y, **settings_of("tanh", "sigmoid"))
    assert keys(diagnosis) == ["sign"]
    assert not diagnosis.findings


def test_weights_without_samples_are_refused():
    weights, biases, X, Y = start("good")
    code = STYLES["rows"]("", "tanh", "sigmoid")
    for given in ({"weights": weights}, {"weights": weights, "X": X}, {"X": X, "Y": Y}):
        with pytest.raises(InputError, match="together"):
            diagnose(code, **given)
    for given, message in (
        ({"weights": weights[:1] * 2, "X": X, "Y": Y}, "do not fit X"),
        ({"weights": weights, "X": X, "Y": Y[:, :1]}, "Y of shape"),
    ):
        with pytest.raises(InputError, match=message):
            diagnose(code, biases=biases, **given)

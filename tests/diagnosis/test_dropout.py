"""diagnose: dropout's mistakes are named, in gradients and in predictions; right dropout is not accused."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from click.testing import CliRunner

from deltarule.cli.check import check
from deltarule.diagnosis import diagnose
from deltarule.errors import InputError

from . import right_dropout
from .planted import settings_of
from .planted_dropout import IN_PREDICTIONS, NETWORKS, RIGHT, STYLES, Neurons, cases
from .right_dropout import gradients
from .test_diagnosis import keys, rounded

TANH = settings_of("tanh", "sigmoid")
CASES = list(cases())
ONE_EACH = [case for case in CASES if case[2:] == ("tanh", "sigmoid") and ":" not in case[1]]


def diagnosed(style, mistake, hidden, output, given):
    code, predict = STYLES[style](mistake, hidden, output)
    return diagnose(code, predict=predict, **given)


def check_named(style, mistake, hidden, output, given):
    diagnosis = diagnosed(style, mistake, hidden, output, given)
    assert keys(diagnosis) == [mistake.partition(":")[0]], (style, mistake, hidden, output, str(diagnosis))
    assert not diagnosis.right


@pytest.mark.parametrize(("style", "mistake", "hidden", "output"), ONE_EACH)
def test_a_mistake_of_dropout_is_named(style, mistake, hidden, output):
    check_named(style, mistake, hidden, output, TANH)


@pytest.mark.slow
@pytest.mark.parametrize("style", list(STYLES))
def test_a_mistake_of_dropout_is_named_in_every_network_with_settings_and_without(style):
    here = [case for case in CASES if case[0] == style]
    assert len({case[2:] for case in here}) >= 6
    for case in here:
        check_named(*case, settings_of(*case[2:]))
        check_named(*case, {})


@pytest.mark.slow
def test_a_mistake_of_dropout_is_named_from_gradients_rounded_to_three_decimals():
    named = 0
    for style, mistake, hidden, output in CASES:
        code, predict = STYLES[style](mistake, hidden, output)
        code = Neurons(mistake, hidden, output, decimals=3) if style == "neurons" else rounded(code, 3)
        diagnosis = diagnose(code, predict=predict, **settings_of(hidden, output))
        named += keys(diagnosis) == [mistake.partition(":")[0]]
    assert named >= 0.98 * len(CASES), (named, len(CASES))


# ---------------------------------------------------------------------- what is right


@pytest.mark.parametrize("scaling", RIGHT)
@pytest.mark.parametrize("style", list(STYLES))
def test_both_ways_of_scaling_are_right_and_told(style, scaling):
    diagnosis = diagnosed(style, scaling, "tanh", "sigmoid", TANH)
    assert diagnosis.right, str(diagnosis)
    assert diagnosis.settings.scaling == scaling
    assert f"({scaling})" in " ".join(str(diagnosis).split())
    assert "predict" not in str(diagnosis)


@pytest.mark.slow
def test_right_dropout_is_never_accused():
    tried = 0
    for style, mistake, hidden, output in cases(RIGHT):
        for given in (settings_of(hidden, output), {}):
            for _ in range(3):  # other random numbers
                diagnosis = diagnosed(style, mistake, hidden, output, given)
                assert diagnosis.right, (style, mistake, hidden, output, str(diagnosis))
                tried += 1
    for code, _ in right_dropout.RIGHT:
        for given in (TANH, {}):
            for _ in range(3):
                assert diagnose(code, **given).right, code
                tried += 1
    assert tried >= 200


@pytest.mark.parametrize(("code", "scaling"), right_dropout.RIGHT)
def test_right_dropout_however_it_is_written(code, scaling):
    diagnosis = diagnose(code, **TANH)
    assert diagnosis.right, str(diagnosis)
    assert diagnosis.settings.scaling == scaling
    assert diagnosis.settings.place.startswith("inputs") == (code is right_dropout.inputs_too)


def test_a_share_that_is_written_into_the_code_is_said():
    for code in (right_dropout.fixed, right_dropout.fixed_and_seeded):
        assert diagnose(code, dropout=0.3, **TANH).right
        asked = diagnose(code, **TANH)
        assert not asked.right
        assert not asked.mistakes
        assert "dropout=0.5" in str(asked)
    assert diagnose(right_dropout.fixed, dropout=0.3).right


def test_a_mistake_behind_a_share_that_is_written_into_the_code():
    expected = ["dropout_mask_not_applied_backward"]
    assert keys(diagnose(right_dropout.fixed_and_wrong, dropout=0.3, **TANH)) == expected


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (right_dropout.mask_and_share_dropped, "Predictions must not drop anything"),
        (right_dropout.share_kept_classic, "predictions must multiply it by 1 − p"),
        (right_dropout.mask_alone, "the mask must hold 1/(1 − p)"),
    ],
)
def test_what_is_not_known_of_predictions_is_said(code, said):
    assert said in diagnose(code, **TANH).notes[-1]


def test_predictions_that_make_no_sense_are_not_forced_into_a_mistake():
    def predict(weights, biases, X):
        return np.cos(X @ weights[0] @ weights[1])

    diagnosis = diagnose(right_dropout.seed_passed, predict=predict, **TANH)
    assert diagnosis.right
    assert "could not be made out" in diagnosis.notes[-1]


# ---------------------------------------------------------------------- two at once, and other mistakes


def test_another_mistake_is_named_with_dropout_switched_off():
    def code(weights, biases, X, Y, mask, p):
        dW, db = gradients(weights, biases, X, Y, mask, 1 / (1 - p), back=1.0)
        return [-g for g in dW], [-g for g in db]

    diagnosis = diagnose(code, **TANH)
    assert keys(diagnosis) == ["sign"]
    assert "switched off" in str(diagnosis)


@pytest.mark.slow
def test_two_mistakes_of_dropout_are_both_or_one_of_them_named():
    class Both(Neurons):
        """The mistakes of the gradient and of predictions, each where it belongs."""

        def __init__(self, one, other):
            super().__init__(one, "tanh", "sigmoid")
            self.one, self.other = one, other

        def train(self, x, y):
            self.mistake = self.one
            super().train(x, y)

        def predict(self, x):
            self.mistake = self.other
            return super().predict(x)

    for one, other in combinations({mistake for _, mistake, *_ in CASES}, 2):
        if (one in IN_PREDICTIONS) != (other in IN_PREDICTIONS):
            one, other = (other, one) if one in IN_PREDICTIONS else (one, other)
            found = set(keys(diagnose(Both(one, other), **TANH)))
            assert found, (one, other)
            assert found <= {one.partition(":")[0], other}, (one, other, found)


# ---------------------------------------------------------------------- where it cannot be seen


def test_dropout_that_is_not_seen_at_work_is_not_judged():
    def few(weights, biases, X, Y):
        mask = np.random.default_rng(0).random((len(X), weights[0].shape[1])) > 0.001
        return gradients(weights, biases, X, Y, mask, 1 / 0.999)

    diagnosis = diagnose(few, dropout=0.001, **TANH)
    assert not diagnosis.right
    assert not diagnosis.mistakes


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.2])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="dropout"):
        diagnose(right_dropout.fixed, dropout=share)


def test_a_script_with_a_function_that_predicts(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        """
import numpy as np
def sigmoid(z): return 1 / (1 + np.exp(-z))
def backprop(weights, biases, X, Y, dropout=0.5):
    (W1, W2), (b1, b2) = weights, biases
    h = np.tanh(X @ W1 + b1)
    m = np.random.rand(*h.shape) >= dropout
    d = h * m
    p = sigmoid(d @ W2 + b2)
    d2 = (p - Y) * p * (1 - p) / len(X)
    d1 = d2 @ W2.T * m * (1 - h ** 2)
    return [X.T @ d1, d.T @ d2], [d1.sum(axis=0), d2.sum(axis=0)]
def predict(weights, biases, X):
    h = np.tanh(X @ weights[0] + biases[0])
    return sigmoid(h @ weights[1] + biases[1])
""",
        encoding="utf-8",
    )
    assert keys(diagnose(script, **TANH)) == ["dropout_not_scaled"]
    assert "there is no function nothing(weights" in diagnose(script, predict="nothing", **TANH).notes[-1]


def test_networks_are_many_enough():
    assert len([output for _, output in NETWORKS if output != "softmax"]) >= 6  # neurons have none
    assert len(STYLES) == 3


def test_a_share_without_a_default_and_a_p_that_is_none():
    def wrong(weights, biases, X, Y, dropout):
        mask = np.random.default_rng(1).random((len(X), weights[0].shape[1])) >= dropout
        return gradients(weights, biases, X, Y, mask, 1 / (1 - dropout), back=1.0)

    def other(weights, biases, X, Y, p=0.9):
        return gradients(weights, biases, X, Y, 1.0)

    assert keys(diagnose(wrong, **TANH)) == ["dropout_mask_not_applied_backward"]
    assert diagnose(other, **TANH).right
    assert "not taken for the share" in diagnose(other, **TANH).notes[-1]


def test_an_object_with_dropout_and_weights_that_cannot_learn():
    net = right_dropout.OfParts()
    net.W1[:], net.W2[:] = 0.5, 0.5
    diagnosis = diagnose(net, **TANH)
    assert diagnosis.right
    assert [finding.name for finding in diagnosis.findings] == ["symmetric_neurons"]


def test_on_the_command_line(tmp_path):
    script = tmp_path / "mine.py"
    source = """
import numpy as np
def backprop(weights, biases, X, Y):
    h = np.tanh(X @ weights[0] + biases[0])
    m = (np.random.rand(*h.shape) >= 0.25) / 0.75
    p = h * m @ weights[1] + biases[1]
    d2 = (p - Y) / len(X)
    d1 = d2 @ weights[1].T * (1 - h ** 2)
    return [X.T @ d1, (h * m).T @ d2], [d1.sum(axis=0), d2.sum(axis=0)]
def answer(weights, biases, X):
    return np.tanh(X @ weights[0] + biases[0]) @ weights[1] + biases[1]
"""
    right = source.replace("d2 @ weights[1].T", "d2 @ weights[1].T * m")
    for text, said, code in ((source, "not applied going back", 1), (right, "is right", 0)):
        script.write_text(text, encoding="utf-8")
        arguments = [
            "--dropout",
            "0.25",
            "--predict",
            "answer",
            "--activation",
            "tanh",
            "--output",
            "identity",
        ]
        result = CliRunner().invoke(check, [str(script), *arguments])
        assert said in result.output
        assert result.exit_code == code

"""Programs of many kinds as strangers write them: never accused, and what is planted is found on its line."""

import pytest

from .varied_programs import PLANTED, PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_of_any_kind_is_right(name, watch):
    seen = watch(PROGRAMS[name])
    assert seen.verdict == "right", str(seen)


@pytest.mark.parametrize(("name", "right", "wrong"), PLANTED)
def test_what_is_planted_in_any_kind_is_found_on_its_line(name, right, wrong, watch):
    text = PROGRAMS[name]
    assert text.count(right) == 1
    first = text[: text.index(right)].count("\n") + 1
    seen = watch(text.replace(right, wrong))
    assert seen.verdict == "wrong", str(seen)
    assert seen.faults[0].line in range(first, first + wrong.count("\n") + 1), str(seen)


_MOMENTUM = """
import numpy as np
rng = np.random.default_rng(1)
X, T = rng.normal(size=(5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
W1, b1, W2, b2 = rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 2)), np.zeros(2)
v = [0, 0, 0, 0]
for _ in range(20):
    h = np.tanh(X @ W1 + b1)
    e = np.exp(h @ W2 + b2)
    d2 = (e / e.sum(1, keepdims=True) - T) / 5
    d1 = d2 @ W2.T * (1 - h**2)
    v = [0.9 * old + g for old, g in zip(v, [X.T @ d1, d1.sum(0), h.T @ d2, d2.sum(0)])]
    W1 -= 0.1 * v[0]
    b1 -= 0.1 * v[1]
    W2 -= 0.1 * v[2]
    b2 -= 0.1 * v[3]
"""


def test_momentum_with_the_wrong_sign_is_told_of_a_parameter_with_two_numbers(watch):
    assert watch(_MOMENTUM).verdict == "right"
    assert watch(_MOMENTUM.replace("b2 -=", "b2 +=")).faults[0].parameters == ("b2",)


def test_a_penalty_of_any_form_is_no_mistake(watch):
    text = _MOMENTUM.replace("0.9 * old + g", "g").replace("h.T @ d2", "h.T @ d2 + 0.01 * W2**3")
    text = text.replace("X.T @ d1,", "X.T @ d1 + 0.01 * W1 / (1 + W1**2),")
    seen = watch(text)
    assert seen.verdict == "right", str(seen)
    assert watch(text.replace("0.01 * W1 / (1 + W1**2)", "0.01 * h[:3, :4]")).verdict == "wrong"


def test_steps_of_the_squared_error_are_told_where_the_program_computes_another_loss(watch):
    text = PROGRAMS["loss summed over samples"]
    computed = "err -= tgt[k] * math.log(out[k]) + (1 - tgt[k]) * math.log(1 - out[k])"
    seen = watch(text.replace("err += 0.5 * e * e", computed))
    assert [one.mistake for one in seen.faults] == ["slope_too_many_at_output"], str(seen)
    assert "delta_o[k] = e * out[k] * (1 - out[k])" in str(seen)

"""One wrong operator far from where it shows, optimizers side by side, and right programs of rare kinds."""

import pytest

HEAD = """
import numpy as np
rng = np.random.default_rng(4)
X = rng.normal(size=(20, 4))
T = np.tanh(X @ rng.normal(size=(4, 2))) * 0.8
W1 = rng.normal(size=(4, 6)) * 0.5; b1 = np.zeros(6)
W2 = rng.normal(size=(6, 2)) * 0.5; b2 = np.zeros(2)
"""
BODY = """
    h = np.tanh(X @ W1 + b1)
    y = h @ W2 + b2
    d = (y - T) / len(X)
    gW2 = h.T @ d
    gb2 = d.sum(0)
    dh = d @ W2.T * (1 - h ** 2)
    gW1 = X.T @ dh
    gb1 = dh.sum(0)
"""
PLAIN = """
    W1 -= 0.1 * gW1
    b1 -= 0.1 * gb1
    W2 -= 0.1 * gW2
    b2 -= 0.1 * gb2
"""
ADAM = "m{0} = 0.9 * m{0} + 0.1 * g{0}\n    v{0} = 0.999 * v{0} + 0.001 * g{0} ** 2\n    {0} -= 0.01 * "
ADAM += "(m{0} / (1 - 0.9 ** t)) / (np.sqrt(v{0} / (1 - 0.999 ** t)) + 1e-8)\n"
NEURONS = """
import math, random
random.seed(4)
v = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(3)]
c = [0.1 for _ in range(3)]
w = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(2)]
data = [([0.1, 0.9], [0.2, 0.8]), ([0.7, 0.3], [0.9, 0.1]), ([0.5, 0.6], [0.4, 0.6])]
for epoch in range(10):
    for x, t in data:
        h = [math.tanh(c[j] + sum(v[j][i] * x[i] for i in range(2))) for j in range(3)]
        o = [sum(w[k][j] * h[j] for j in range(3)) for k in range(2)]
        d = [o[k] - t[k] for k in range(2)]
        e = [0.0] * 3
        for j in range(3):
            for k in range(2):
                e[j] += d[k] * w[k][j]
            e[j] *= 1 - h[j] * h[j]
        for k in range(2):
            for j in range(3):
                w[k][j] -= 0.3 * d[k] * h[j]
        for j in range(3):
            c[j] -= 0.3 * e[j]
            for i in range(2):
                v[j][i] -= 0.3 * e[j] * x[i]
"""


def line_of(text, part):
    return next(k for k, line in enumerate(text.split("\n"), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new"),
    [("e[j] += d", "e[j] -= d"), ("* w[k][j]", "+ w[k][j]"), ("h[j] * h[j]", "h[j] + h[j]")],
)
def test_a_wrong_operator_between_single_numbers_is_found(watch, old, new):
    assert watch(NEURONS).verdict == "right"
    first, mark, rest = NEURONS.partition("        e = ")
    text = first + mark + rest.replace(old, new, 1)
    fault = watch(text).faults[0]
    assert fault.line == line_of(text, new)
    assert old.strip() in fault.should_be or "*" in fault.should_be


def test_a_gradient_that_nothing_uses_is_told(watch):
    seen = watch(HEAD + "for t in range(1, 9):" + BODY + PLAIN.replace("0.1 * gb1", "0.1 * gW1.sum(0)"))
    assert "not used: use gb1 here" in seen.faults[0].text


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), [("0.9 * mW1 + 0.1", "0.9 * mW1 - 0.1"), ("(mW1 /", "(mW1 *")])
def test_optimizers_of_one_program_are_held_to_each_other(watch, old, new):
    names = ("W1", "b1", "W2", "b2")
    states = "".join(f"m{n} = np.zeros_like({n}); v{n} = np.zeros_like({n})\n" for n in names)
    right = HEAD + states + "for t in range(1, 9):" + BODY + "".join("    " + ADAM.format(n) for n in names)
    assert watch(right).verdict == "right"
    text = right.replace(old, new)
    fault = watch(text).faults[0]
    assert fault.line == line_of(text, new)
    assert fault.parameters == ("W1",)


def test_a_bias_that_gets_steps_and_is_used_nowhere_is_told(watch):
    seen = watch(HEAD + "for t in range(9):" + BODY.replace("X @ W1 + b1", "X @ W1") + PLAIN)
    assert seen.verdict == "wrong"
    assert seen.faults[0].parameters == ("b1",)


def test_a_loss_that_is_not_the_one_of_the_steps_is_told(watch):
    loss = "    loss = np.mean((y - T) ** {})\n"
    assert watch(HEAD + "for t in range(9):" + BODY + loss.format(2) + PLAIN).verdict == "right"
    seen = watch(HEAD + "for t in range(9):" + BODY + loss.format(4) + PLAIN)
    assert seen.verdict == "right"
    assert "a different function" in seen.notes[-1]


def test_a_name_that_stands_for_another_array_is_told_where_it_is_given(watch):
    body = BODY.replace("dh = d @ W2.T * (1 - h ** 2)", "slope = y\n    slope = h\n    dh = d @ W2.T * slope")
    text = HEAD + "for t in range(9):" + body + PLAIN
    assert watch(text).faults[0].line == line_of(text, "slope = h")


RIGHT = {
    "probing in the loop": BODY
    + "    if t == 1:\n        W1[0, 0] += 1e-5\n        up = np.tanh(X @ W1)\n        W1[0, 0] -= 1e-5\n"
    + PLAIN,
    "both penalties": BODY + PLAIN.replace("gW1", "(gW1 + 0.01 * W1 + 0.001 * np.sign(W1))"),
    "the sign alone": BODY + PLAIN.replace("0.1 * gW1", "0.01 * np.sign(gW1)").replace("gb1", "np.sign(gb1)"),
    "weights of samples": BODY.replace("(y - T) / len(X)", "(y - T) * S") + PLAIN,
    "errors cut off": BODY.replace("(y - T) / len(X)", "np.clip(y - T, -0.3, 0.3) / len(X)") + PLAIN,
    "sizes of errors": BODY.replace("(y - T) / len(X)", "np.sign(y - T) / 40")
    + "    loss = np.mean(np.abs(y - T))\n"
    + PLAIN,
}


@pytest.mark.parametrize("kind", RIGHT)
def test_rare_kinds_of_right_programs_are_not_accused(watch, kind):
    head = HEAD + "S = rng.uniform(0.5, 1.5, size=(20, 1)) / 20\n"
    assert watch(head + "for t in range(1, 9):" + RIGHT[kind]).verdict == "right"

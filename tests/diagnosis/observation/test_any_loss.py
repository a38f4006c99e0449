"""Where no usual loss fits the steps, they are wrong only if no loss of the outputs whatever has them."""

from dataclasses import replace

import numpy as np
import pytest

from deltarule.diagnosis.reading.analysis import analyse
from deltarule.diagnosis.reading.any_loss import rows_of_no_loss
from deltarule.diagnosis.recording.program import record_program

#: In it: how the error is made of output and target, and what carries it to the layers below.
PROGRAM = """
import numpy as np
rng = np.random.default_rng(1)
X, T = rng.normal(size=(3, 5)), rng.uniform(0.2, 0.8, size=(3, 1))
V, W = rng.normal(size=(5, 4)), rng.normal(size=(4, 1))
def s(z):
    return 1 / (1 + np.exp(-z))
for epoch in range(50):
    for x, t in zip(X, T):
        h = s(x @ V)
        o = s(h @ W)
        e = {error}
        d = e * o * (1 - o)
        dV = np.outer(x, d @ W.T * h * (1 - h))
        W = W - 0.5 * {below}
        V = V - 0.5 * dV
"""
#: Its error is the loss, and each layer has the error of the layer below it.
SHIFTED = """
import numpy as np
rng = np.random.default_rng(2)
X, T = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
U, V, W = (rng.uniform(-0.5, 0.5, size) for size in ((2, 3), (3, 4), (4, 1)))
def s(z):
    return 1 / (1 + np.exp(-z))
for epoch in range(50):
    for x, t in zip(X, T):
        g = s(x @ U)
        h = s(g @ V)
        o = s(h @ W)
        d = 0.5 * (t - o) ** 2 * o * (1 - o)
        d3 = d @ W.T * h * (1 - h)
        d2 = d3 @ V.T * g * (1 - g)
        d1 = d2 @ U.T * x * (1 - x)
        U = U - 0.5 * x.dot(d1)
        V = V - 0.5 * g.dot(d2)
        W = W - 0.5 * h.dot(d3)
"""


@pytest.mark.parametrize("error", ["(o - t) ** 3", "np.sinh(o - t)", "np.sign(o - t) * (o - t) ** 2"])
def test_steps_of_another_loss_are_gradients(error, tmp_path):
    text = PROGRAM.format(error=error, below="np.outer(h, d)")
    assert rows_of_no_loss(_analysis(text, tmp_path)) == []


def test_what_is_the_gradient_of_no_loss_is_wrong(watch, tmp_path):
    seen = watch(SHIFTED)
    assert seen.verdict == "wrong"
    found = {row.change.name for row in rows_of_no_loss(_analysis(SHIFTED, tmp_path))}
    assert {"V", "W"} <= found


def test_a_step_that_is_a_little_off_is_outside(tmp_path):
    text = PROGRAM.format(error="o - t", below="np.outer(h, d)")
    analysis = _analysis(text, tmp_path)
    row = next(one for one in analysis.comparison.rows if one.change.name == "W" and one.step == 1)
    assert row not in rows_of_no_loss(analysis)
    off = replace(row.change, step=row.change.step + 0.01 * np.arange(4.0))
    row.change = off
    assert row in rows_of_no_loss(analysis)


@pytest.mark.parametrize("error", ["(o - t) ** 3", "(o - t) * np.exp(o)"])
def test_an_error_of_one_output_that_varies_is_told_where_it_is_made(error, watch):
    text = PROGRAM.format(error=error, below="np.outer(h, d)")
    (fault, *_) = watch(text).faults
    assert (fault.line, "different multiple" in fault.text) == (
        text.splitlines().index(f"        e = {error}") + 1,
        True,
    )


def _analysis(text, folder):
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    recording = record_program(path)
    return analyse(recording.tape, recording.source)

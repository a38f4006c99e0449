"""Programs as strangers write them: gradients written out once, layers, graphs of numbers, files that are missing."""

import pytest

from deltarule.diagnosis.observation import observe


@pytest.fixture
def watch(tmp_path):
    def run(text):
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return observe(path)

    return run


WRITTEN = """
import numpy as np
x = np.array([[0.4, -0.7, 0.2]]); goal_y = np.array([[0.3, 0.8]])
V = np.array([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.6]])
W = np.array([[0.7, -0.3], [0.2, 0.9]])
h = np.tanh(x @ V)
out = h @ W
err = out - goal_y
grad_W = h.T @ err
grad_V = x.T @ ((err @ W.T) * (1 - h ** 2))
"""


def test_gradients_that_are_written_out_once_are_judged(watch):
    assert watch(WRITTEN).verdict == "right"
    wrong = watch(WRITTEN.replace("(1 - h ** 2)", "(1 - h)"))
    assert (wrong.verdict, wrong.faults[0].line) == ("wrong", 10)


def test_a_step_that_throws_the_value_away_is_told(watch):
    assert watch(WRITTEN + "W = W - 0.1 * grad_W\nV = V - 0.1 * grad_V\n").verdict == "right"
    seen = watch(WRITTEN + "W = -0.1 * grad_W\nV = -0.1 * grad_V\n")
    assert [(fault.line, fault.parameters) for fault in seen.faults] == [(11, ("W",)), (12, ("V",))]
    assert "thrown away" in seen.faults[0].text


def test_only_some_gradients_written_out_accuse_nobody(watch):
    text = WRITTEN.replace("grad_V = x.T @ ((err @ W.T) * (1 - h ** 2))\n", "back = (err @ W.T) * (1 - h)\n")
    assert watch(text).verdict == "right"


def test_an_array_written_out_can_be_changed_in_place(watch):
    text = """
import numpy as np
X = np.array([[0, 1], [1, 1], [1, 0], [0, 0]]); y = np.array([[1], [1], [1], [0]])
w = np.array([[1.0], [1.0]])
b = np.array([-1.5])
for turn in range(100):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    d = (y - p) * p * (1 - p)
    w += 0.5 * X.T @ d
    b += 0.5 * d.sum()
"""
    assert watch(text).verdict == "right"
    assert watch(text.replace("p * (1 - p)", "p * (1 + p)")).verdict == "wrong"

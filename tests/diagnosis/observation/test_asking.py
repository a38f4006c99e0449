"""Arguments that ask what they should be: right programs are right, wrong ones wrong."""

import re

import pytest

from . import (
    asking_programs,
    checking_programs,
    driven_programs,
    fragment_programs,
    hidden_programs,
    layer_programs,
    made_programs,
    missing_programs,
    nested_programs,
    outside_programs,
    plain_programs,
    reading_programs,
    searched_programs,
    shown_programs,
    training_programs,
    uncalled_programs,
    unseen_programs,
)

MODULES = (
    asking_programs,
    checking_programs,
    uncalled_programs,
    driven_programs,
    fragment_programs,
    hidden_programs,
    layer_programs,
    made_programs,
    nested_programs,
    missing_programs,
    outside_programs,
    plain_programs,
    reading_programs,
    searched_programs,
    shown_programs,
    training_programs,
    unseen_programs,
)
PROGRAMS = {name: text for one in MODULES for name, text in one.PROGRAMS.items()}
FAST = frozenset().union(*(one.FAST for one in MODULES))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=() if name in FAST else pytest.mark.slow)
        for name, text in PROGRAMS.items()
    ],
)
def test_what_is_done_with_an_argument_tells_what_it_is(watch, text):
    for group, verdict in ((r"\1", "right"), (r"\2", "wrong")):
        seen = watch(re.sub(r"«(.*?)\|(.*?)»", group, text, flags=re.S))
        assert seen.verdict == verdict, str(seen)


def test_another_loss_beside_right_updates_is_told_and_not_accused(watch):
    seen = watch("""
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.random((6, 3)), rng.random((6, 2))
W, V = rng.random((3, 4)), rng.random((4, 2))
for _ in range(5):
    h = 1 / (1 + np.exp(-X @ W))
    p = 1 / (1 + np.exp(-h @ V))
    loss = np.sum((p - Y).T @ (p - Y))
    last = (p - Y) * p * (1 - p)
    dV, dW = h.T @ last, X.T @ ((last @ V.T) * h * (1 - h))
    V -= 0.1 * dV
    W -= 0.1 * dW
""")
    assert seen.verdict == "right", str(seen)
    assert "computes as the loss" in " ".join(str(seen).split())


def test_generators_without_a_seed_draw_the_same_numbers_in_every_check(watch):
    text = """
import random
import numpy as np
rng, other = np.random.default_rng(), random.Random(None)
X, Y = rng.random((6, 3)), rng.random((6, 2))
W, V = rng.random((3, 4)) * other.uniform(0.5, 1), np.random.RandomState().rand(4, 2)
for _ in range(5):
    h = np.tanh(X @ W)
    d = h @ V - Y
    dV, dW = h.T @ d, X.T @ (d @ V.T * (1 - h))
    V -= 0.1 * dV
    W -= 0.1 * dW
"""
    seen = str(watch(text))
    assert "comes out as" in " ".join(seen.split())
    assert str(watch(text)) == seen


def test_what_was_put_in_the_place_of_missing_functions_and_imports_is_told(watch):
    seen = watch(
        checking_programs.PROGRAMS["functions that NumPy does not have, and no imports"].replace(
            "«(self.h > 0)|self.h»", "(self.h > 0)"
        )
    )
    assert "numpy has no relu: the usual function of that name was put in its place" in seen.unseen
    assert "numpy is never imported: np was assumed to mean it" in seen.unseen


@pytest.mark.parametrize(
    "beside",
    [
        "given = [1.0, 0.5, ..., 0.9]",
        "o = o + np.dot(np.zeros((6, 0)), W0)",
        "rng.normal(size=(0, 2)) + rng.normal(size=(0, 2))",
    ],
)
def test_lists_of_other_things_and_empty_arrays_are_passed_over(watch, beside):
    seen = watch(f"""
import numpy as np
rng = np.random.default_rng(0)
X, Y, W1, W2 = rng.normal(size=(6, 3)), rng.random((6, 2)), rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
W0 = rng.normal(size=(0, 2))
h = np.tanh(X @ W1)
o = h @ W2
{beside}
d2 = o - Y
dW2 = h.T @ d2
dW1 = X.T @ (d2 @ W2.T * (1 - h ** 2))
W2 -= dW2
W1 -= dW1
""")
    assert seen.verdict == "right", str(seen)


def test_where_hidden_units_come_to_nothing_none_is_accused(watch):
    seen = watch("""
import numpy as np
def sigmoid(x):
    return 1 / (1 + np.exp(-x))
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.w1, self.b1 = np.random.randn(n_in, n_hidden), np.zeros((1, n_hidden))
        self.w2, self.b2 = np.random.randn(n_hidden, n_out), np.zeros((1, n_out))
    def forward(self, X, t):
        self.s = 1e-33 * np.cos(0.2 * t)
        self.f = sigmoid(np.dot(X, self.w1) + self.b1)
        self.h = self.f * self.s
        return sigmoid(np.dot(self.h, self.w2) + self.b2)
    def train(self, X, y, epochs, rate):
        for epoch in range(epochs):
            out = self.forward(X, epoch / epochs * 10)
            error = y - out
            d = error * out * (1 - out)
            e = np.dot(d, self.w2.T) * self.s * self.f * (1 - self.f)
            self.w2 += rate * np.dot(self.h.T, d)
            self.b2 += rate * np.sum(d, axis=0, keepdims=True)
            self.w1 += rate * np.dot(X.T, e)
            self.b1 += rate * np.sum(e, axis=0, keepdims=True)
""")
    assert seen.verdict != "wrong", str(seen)

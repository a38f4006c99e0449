"""Numbers that are written to several start values at once are learned apart."""

PROGRAM = """
import numpy as np
from math import log
beta = np.zeros((3, 2))
beta[:, 0] = 1.0
x = np.array([0.3, 0.2])
for t in (0, 1, 2, 0):
    e = np.exp(np.dot(beta, x))
    p = e / e.sum()
    loss = -log(p[t])
    back = np.zeros(3)
    back[t] = -1.0 / p[t]
    g = np.dot(np.diag(p) - np.outer(p, p), back)
    beta = beta - 0.1 * np.outer(g, x)
"""


def test_a_column_of_ones_among_the_start_values_is_learned(watch):
    assert watch(PROGRAM).verdict == "right"
    assert watch(PROGRAM.replace("np.diag(p) - np.outer(p, p)", "np.diag(p)")).verdict == "wrong"


BY_HAND = """
import math
def sigmoid(x):
    return 1 / (1 + math.exp(-x))
x1, x2, y = 1, 0.5, 1
w1, w2, w3, w4, w5, w6 = 0.45, 0.78, -0.12, 0.13, 1.5, -2.3
h1 = sigmoid(x1 * w1 + x2 * w3)
h2 = sigmoid(x1 * w2 + x2 * w4)
o = sigmoid(h1 * w5 + h2 * w6)
loss = 0.5 * (o - y) ** 2
do = (o - y) * o * (1 - o)
dw5, dw6 = do * h1, do * h2
dw1 = do * w5 * SLOPE * x1
dw2 = do * w6 * h2 * (1 - h2) * x1
dw3 = do * w5 * h1 * (1 - h1) * x2
dw4 = do * w6 * h2 * (1 - h2) * x2
"""


def test_gradients_of_single_numbers_are_those_that_are_called_so(watch):
    """What is computed on the way, as ``do``, is the gradient of no weight, though it is a number, too."""
    seen = watch(BY_HAND.replace("SLOPE", "h1 * (1 - h1)"))
    assert seen.verdict == "right", str(seen)
    assert [name for name, *_ in seen.parameters] == [f"dw{k}" for k in (1, 2, 3, 4, 5, 6)]
    seen = watch(BY_HAND.replace("SLOPE", "h1"))
    assert [one.line for one in seen.faults] == [13], str(seen)


BY_HAND_OF_WHOLE_NUMBERS = """
w11, w12, w21, w22, w31, w32 = 0.5, -1, 1.5, -2, 1, -1
b1, b2, b3 = 0, 0.5, -1.5
x1, x2 = 1, 2
z1 = w11 * x1 + w12 * x2 + b1
z2 = w21 * x1 + w22 * x2 + b2
y_hat = w31 * z1 + w32 * z2 + b3
y = 1
loss = 0.5 * (y_hat - y) ** 2
dL_dy = y_hat - y
dL_dw31 = dL_dy * GRADIENT
"""


def test_whole_numbers_that_are_assigned_together_are_learned(watch):
    seen = watch(BY_HAND_OF_WHOLE_NUMBERS.replace("GRADIENT", "z1"))
    assert seen.verdict == "right", str(seen)
    assert [name for name, *_ in seen.parameters] == ["dL_dw31"]


WRITTEN_TARGET = """
import math
def sigmoid(x):
    return 1 / (1 + math.exp(-x))
w1, w2, w3, w4, w5, w6 = 0.45, 0.78, -0.12, 0.13, 1.5, -2.3
h1, h2 = sigmoid(0.3 * w1 + 0.6 * w3), sigmoid(0.3 * w2 + 0.6 * w4)
o = sigmoid(h1 * w5 + h2 * w6)
error = (1 - o) ** 2
delta = ERROR * (1 - o) * o
grad_w5, grad_w6 = h1 * delta, h2 * delta
grad_w1, grad_w2 = 0.3 * HIDDEN * w5 * delta, 0.3 * h2 * (1 - h2) * w6 * delta
"""


def test_a_number_whose_difference_from_the_output_is_squared_is_the_target(watch):
    text = WRITTEN_TARGET.replace("ERROR", "(o - 1)")
    assert watch(text.replace("HIDDEN", "h1 * (1 - h1)")).verdict == "right"
    seen = watch(text.replace("HIDDEN", "h1"))
    assert [one.line for one in seen.faults] == [11], str(seen)
    slope = text.replace("error = (1 - o) ** 2", "").replace("HIDDEN", "h1 * (1 - h1)")
    assert watch(slope).verdict == "cannot judge"  # nothing tells it from a slope


def test_of_one_sample_an_absolute_value_says_nothing_of_the_sign(watch):
    text = BY_HAND.replace("SLOPE", "h1 * (1 - h1)").replace("do = (o - y)", "do = abs(o - y)")
    assert watch(text).verdict == "cannot judge"

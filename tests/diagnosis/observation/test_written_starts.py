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

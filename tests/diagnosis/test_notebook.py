"""The magics of a notebook: a cell with the earlier ones that it needs, a function, an object."""

from __future__ import annotations

import numpy as np
import pytest

import deltarule as dr

DATA = "import numpy as np\nrng = np.random.default_rng(0)\nX = rng.random((6, 2))\ny = rng.random((6, 1))\n"
START = "W = rng.normal(size=(2, 1))\nb = np.zeros((1, 1))\n"
TRAIN = """for epoch in range(9):
    a = np.tanh(X @ W + b)
    delta = (a - y) * (1 - a ** 2)
    W -= 0.1 * X.T @ delta
    b -= 0.1 * delta.sum(axis=0)
"""


class Shell:
    """Stands in for IPython's: it keeps what is registered and what was typed."""

    def __init__(self, *cells):
        self.user_ns = {"In": ["", *cells, ""]}
        self.magics = {}

    def register_magic_function(self, function, magic_kind, magic_name):
        assert magic_kind == "line_cell"
        self.magics[magic_name] = function


@pytest.fixture
def say(capsys):
    def run(shell, line="", cell=None):
        dr.load_ipython_extension(shell)
        shell.magics["deltarule"](line, cell)
        return capsys.readouterr().out

    return run


def test_a_cell_is_checked_with_the_cells_that_it_needs(say):
    shell = Shell(DATA, "while True: pass", START)
    assert "Right for the squared error." in say(shell, cell=TRAIN)
    said = say(shell, "--seconds 30", TRAIN.replace("(1 - a ** 2)", "a"))
    assert "Wrong: one mistake.\n\n1. Line 3" in said
    assert "output and target\n    are compared on line 3" in said


def test_a_cell_that_fails_tells_its_own_line(say):
    said = say(Shell(DATA), cell="z = X @ X.T\nraise ValueError('no')\n")
    assert "Line 2: the program ends here. Python says: ValueError: no" in said


def test_a_function_of_the_notebook(say):
    shell = Shell()

    def backprop(weights, biases, X, Y):
        h = np.tanh(X @ weights[0] + biases[0])
        delta2 = (h @ weights[1] + biases[1] - Y) / len(X)
        delta1 = delta2 @ weights[1].T * (1 - h**2)
        return [X.T @ delta1, h.T @ delta2], [delta1.sum(axis=0), delta2.sum(axis=0)]

    shell.user_ns["backprop"] = backprop
    assert "Right for the squared error." in say(shell, "backprop")


def test_what_is_not_understood_gets_one_line(say):
    assert say(Shell(), "nothing") == "There is no nothing in this notebook.\n"
    assert "%deltarule name checks" in say(Shell(), "")
    assert "%deltarule name checks" in say(Shell(), "--quickly x")


def test_in_a_real_shell(capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell("%load_ext deltarule")
    for cell in (DATA, START):
        shell.run_cell(cell, store_history=True)
    shell.run_cell("%%deltarule\n" + TRAIN, store_history=True)
    assert "Right for the squared error." in capsys.readouterr().out

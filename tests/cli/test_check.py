"""deltarule check: one's own script, put to the test."""

from __future__ import annotations

import json

import pytest

from .cases import invoke, refused

SCRIPT = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def backprop(weights, biases, X, Y):
    (W1, W2), (b1, b2) = weights, biases
    h = sigmoid(X @ W1 + b1)
    p = sigmoid(h @ W2 + b2)
    d2 = (p - Y) * p * (1 - p) / len(X)
    d1 = d2 @ W2.T * SLOPE
    return [X.T @ d1, h.T @ d2], [d1.sum(axis=0), d2.sum(axis=0)]

if __name__ == "__main__":
    raise SystemExit("this does not run")
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_right_is_0_wrong_is_1_and_what_cannot_be_tested_is_2(folder):
    for slope, code, said in (
        ("h * (1 - h)", 0, "Right for the squared error."),
        ("h", 1, "f instead of f′"),
        ("undefined", 2, "NameError"),
    ):
        (folder / "mine.py").write_text(SCRIPT.replace("SLOPE", slope), encoding="utf-8")
        result = invoke("check", "mine.py")
        assert result.exit_code == code, result.output
        assert said in result.output


def test_json_and_a_name(folder):
    (folder / "mine.py").write_text(SCRIPT.replace("SLOPE", "1"), encoding="utf-8")
    result = invoke("check", "mine.py", "--name", "backprop", "--loss", "half_squared_error", "--json")
    assert json.loads(result.stdout)["mistakes"][0]["key"] == "slope_missing_in_hidden_layer"
    assert "there is no backward in" in invoke("check", "mine.py", "--name", "backward").output


@pytest.mark.parametrize(
    "content", ["", "x = 1", "def f(a): pass", "this is no python", "import nowhere", "class A: pass"]
)
def test_a_script_without_backpropagation_gets_a_clear_report(folder, content):
    (folder / "mine.py").write_text(content, encoding="utf-8")
    result = invoke("check", "mine.py")
    assert result.exit_code == 2
    assert "It cannot be judged" in result.output
    assert "Traceback" not in result.output


def test_no_such_file():
    assert "there is no such file" in refused("check", "missing.py")

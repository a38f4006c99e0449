"""docs/courses.md: its commands are taken, its programs judge as the page says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from deltarule.cli import cli
from deltarule.worksheets import worksheet

PAGE = (Path(__file__).parent.parent / "docs" / "courses.md").read_text(encoding="utf-8")


def block(name):
    return re.search(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE, re.S).group(1)


def backprop(slope):
    def my_backprop(weights, biases, X, Y):
        (W1, W2), (b1, b2) = weights, biases
        h = np.tanh(X @ W1 + b1)
        p = 1 / (1 + np.exp(-(h @ W2 + b2)))
        delta2 = (p - Y) * p * (1 - p) / len(X)
        delta1 = delta2 @ W2.T * slope(h)
        return [X.T @ delta1, h.T @ delta2], [delta1.sum(axis=0), delta2.sum(axis=0)]

    return my_backprop


RIGHT, WRONG = backprop(lambda h: 1 - h * h), backprop(lambda h: h)


def run_otter(function, monkeypatch):
    """The test case as otter-grader calls it, with the student's names."""
    module = ModuleType("otter.test_files")
    module.test_case = lambda **settings: lambda case: case
    monkeypatch.setitem(sys.modules, "otter", ModuleType("otter"))
    monkeypatch.setitem(sys.modules, "otter.test_files", module)
    names: dict[str, object] = {}
    exec(block("otter"), names)
    names["test_backprop"](my_backprop=function)


def test_the_graders_pass_what_is_right_and_tell_what_is_wrong(monkeypatch):
    exec(block("nbgrader"), {"my_backprop": RIGHT})
    run_otter(RIGHT, monkeypatch)
    with pytest.raises(AssertionError, match="f instead of f′"):
        exec(block("nbgrader"), {"my_backprop": WRONG})
    with pytest.raises(AssertionError, match="f instead of f′"):
        run_otter(WRONG, monkeypatch)


def test_every_command_and_option_is_one():
    lines = re.findall(r"^deltarule (.+)$", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)), re.M)
    assert len(lines) >= 7
    for line in lines:
        name, *arguments = shlex.split(line)
        options = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("--")} <= options, line


def test_what_the_table_says_can_be_asked():
    rows = re.findall(r"^\| (`.*?`) \|", PAGE, re.M)
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) >= 20
    for name in names:
        assert worksheet(sizes=(2, 2, 2), asked=name, seed=1).blanks, name

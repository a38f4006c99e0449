"""deltarule check: one's own script, put to the test."""

from __future__ import annotations

import json
import time
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from deltarule.cli import cli

from .cases import invoke, read_rows, refused

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


@pytest.mark.parametrize("content", ["x = 1", "def f(a): pass", "import nowhere", "class A: pass"])
def test_a_script_without_backpropagation_gets_a_clear_report(folder, content):
    (folder / "mine.py").write_text(content, encoding="utf-8")
    result = invoke("check", "mine.py")
    assert result.exit_code == 2
    assert "It was not possible to judge" in result.output
    assert "Traceback" not in result.output


def test_no_such_file():
    assert "there is no such file" in refused("check", "missing.py")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.py", b"", "it is empty"),
        ("mine.py", b"# nothing yet\n", "it is empty"),
        ("mine.py", b"x = 1\nthis is no python\n", "mine.py:2:12: invalid syntax"),
        ("mine.py", b"\x00\x01", "it is a binary file"),
        ("mine.py", "x = 'é'".encode("utf-16"), "save it as UTF-8"),
        ("mine.py", "x = 1\ny = 'é'".encode("latin-1"), "mine.py:2: it is not UTF-8"),
        ("mine.py", b"# coding: nothing\nx = 1", "its encoding is unknown"),
        ("mine.py", b"x = " + 10**4 * b"(", "mine.py:1"),
        ("mine.txt", b"x = 1", "neither a Python file (.py) nor a notebook"),
        ("mine.ipynb", b"{}", "it cannot be read as a notebook"),
        ("mine.ipynb", b'{"cells": []}', "it is empty"),
    ],
)
def test_what_is_no_program_gets_one_line(folder, name, content, said):
    (folder / name).write_bytes(content)
    assert said in refused("check", name)


def test_a_declared_encoding_is_read(folder):
    script = "# coding: latin-1\n# é\n" + SCRIPT.replace("SLOPE", "h * (1 - h)")
    (folder / "mine.py").write_bytes(script.encode("latin-1"))
    assert invoke("check", "mine.py").exit_code == 0


def test_a_program_on_standard_input(folder):
    result = CliRunner().invoke(cli, ["check", "-"], input=SCRIPT.replace("SLOPE", "h * (1 - h)"))
    assert result.exit_code == 0, result.output
    assert "-: it is empty" in CliRunner().invoke(cli, ["check", "-"], input="").output


def test_the_seconds_hold_for_all_of_it(folder):
    (folder / "mine.py").write_text(
        "while True:\n    try: f()\n    except BaseException: pass\n", encoding="utf-8"
    )
    began = time.monotonic()
    result = invoke("check", "mine.py", "--seconds", "2")
    assert time.monotonic() - began < 2 + 5  # and what a busy machine adds
    assert result.exit_code == 2
    assert "does a loop never end?" in result.output


@pytest.fixture
def submissions(folder):
    for name, slope in (
        ("anna/net.py", "h * (1 - h)"),
        ("ben.py", "h"),
        ("cy\x1b[31m/net.py", "h * (1 \u2013 h)"),
    ):
        path = folder / "submissions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCRIPT.replace("SLOPE", slope), encoding="utf-8")
    return folder / "submissions"


def test_a_folder_of_submissions(submissions, folder):
    result = invoke("check", "submissions", "--csv", "verdicts.csv", "--junit", "verdicts.xml")
    assert result.exit_code == 1
    assert "3 programs: 1 right, 1 wrong, 1 not judged." in result.stdout
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    rows = read_rows((folder / "verdicts.csv").read_text(encoding="utf-8"))
    assert list(rows[0]) == ["file", "verdict", "line", "expression", "mistake", "text", "loss", "seconds"]
    assert [list(row.values())[:3] for row in rows] == [
        ["ben.py", "wrong", "12"],
        ["anna/net.py", "right", "0"],
        ["cy\\x1b[31m/net.py", "cannot judge", "12"],
    ]
    suite = ElementTree.parse(folder / "verdicts.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "1", "skipped": "0",
    }  # fmt: skip
    assert [[one.tag for one in case] for case in suite] == [["failure"], [], ["error"]]


def test_a_folder_as_json_and_all_right(submissions):
    record = json.loads(invoke("check", "submissions", "--json").stdout)
    assert [one["student"] for one in record["programs"]] == ["ben", "anna", "cy\\x1b[31m"]
    (submissions / "ben.py").unlink()
    (submissions / "cy\x1b[31m" / "net.py").unlink()
    assert invoke("check", "submissions").exit_code == 0


def test_what_is_wrong_with_a_folder_gets_one_line(folder):
    (folder / "empty").mkdir()
    (folder / "mine.py").write_text("x = 1", encoding="utf-8")
    assert "there are no programs (.py or .ipynb) in it" in refused("check", "empty")
    assert "there is no folder" in refused("check", ".", "--csv", "nowhere/verdicts.csv")
    assert "for a folder of programs" in refused("check", "mine.py", "--csv", "verdicts.csv")
    assert "for a folder, only" in refused("check", ".", "--loss", "cross_entropy")

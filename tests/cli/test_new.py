"""deltarule new, and what takes one's own network: a file of it, or a saved model with its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from deltarule.cli import cli
from deltarule.tutorials import load_example
from deltarule.worksheets import Worksheet, worksheet

from .cases import classes_csv, refused, run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--sizes", "3-4-2", "--activation", "tanh,relu", "--sizes", "3-4-2-2", "--output", "softmax"),
        ("--sizes", "2-1", "--bias", "none", "--output", "identity", "--samples", 3),
        ("--sizes", "1-2-1", "--bias", "shared", "--learning-rate", 0.1, "--loss", "huber(0.5)"),
    ],
    ids=["usual", "deep", "line", "shared"],
)
def test_the_file_is_one_that_all_commands_take(options):
    assert "deltarule explain mine.toml w1" in run("new", "mine.toml", *(options or ("--sizes", "2-2-1")))
    example = load_example("mine.toml")
    assert example.network().predict(example.X).shape == example.Y.shape
    assert "∂" in run("explain", "mine.toml", "w1", "--no-picture")
    assert "layer 1" in run("inspect", "mine.toml")
    assert "(1)" in run("worksheet", "mine.toml", "--decimals", 6)
    run("train", "mine.toml")


def test_the_numbers_in_the_file_are_those_of_its_network():
    run("new", "mine.toml", "--sizes", "2-2-1")
    text = Path("mine.toml").read_text(encoding="utf-8")
    net = load_example("mine.toml").network()
    for line in text.partition("[weights]")[2].partition("[data]")[0].split("\n"):
        if line.startswith("w"):
            name, _, value = line.partition("#")[0].partition(" = ")
            assert net.parameters[net.select(name)] == float(value)
    assert "# from h2 to o1" in text
    drawn = worksheet(sizes=(2, 2, 1), decimals=6, optimizer="sgd(0.5)").task
    assert np.array_equal(net.parameters, drawn.net.parameters)
    assert np.array_equal(load_example("mine.toml").X, drawn.X)
    Path("mine.toml").write_text(text.replace("w1 =", "w1 = 0.125 #"), encoding="utf-8")
    assert "w1 = 0.125," in run("worksheet", "mine.toml")


def test_without_sizes_it_asks():
    asked = CliRunner().invoke(cli, ["new", "mine.toml"], input="2-3-1\ntanh\nidentity\n")
    assert asked.exit_code == 0
    assert load_example("mine.toml").network().sizes == [2, 3, 1]
    assert CliRunner().invoke(cli, ["new", "other.toml"], input="").exit_code == 1
    assert not Path("other.toml").exists()


def test_a_saved_model_is_asked_about_and_worked_out(folder):
    classes_csv(folder / "flowers.csv")
    run("train", "flowers.csv", "--save", "m.safetensors", "--epochs", "3", "--hidden", "2")
    assert "written" in run("worksheet", "m.safetensors", "flowers.csv", "--row", 7, "--out", "s.json")
    sheet = Worksheet.load("s.json")
    assert sheet.title == "m.safetensors: row 7 of flowers.csv"
    inner = sheet.task.net.predict(sheet.task.X)
    shown = run("explain", "m.safetensors", "flowers.csv", "a2[0]", "--row", 7, "--digits", 4)
    assert f"{inner[0, 0]:.4g}" in shown
    pytest.importorskip("xlsxwriter")
    run("spreadsheet", "m.safetensors", "flowers.csv", "-o", "m.xlsx")
    assert Path("m.xlsx").read_bytes().startswith(b"PK")


def test_what_does_not_fit_is_refused_by_one_line(folder):
    classes_csv(folder / "flowers.csv")
    run("train", "flowers.csv", "--save", "m.safetensors", "--epochs", "1")
    run("new", "mine.toml", "--sizes", "2-2-1")
    for arguments, words in [
        (["new", "mine.txt", "--sizes", "2-1"], "the name must end in .toml"),
        (["new", "mine.toml", "--sizes", "2-1"], "mine.toml already exists"),
        (["new", "b.toml", "--sizes", "2-1", "--output", "sigmiod"], "did you mean 'sigmoid'"),
        (["new", "no/b.toml", "--sizes", "2-1"], "there is no folder no"),
        (["worksheet", "m.safetensors"], "also name a file or data set"),
        (["worksheet", "m.safetensors", "flowers.csv", "--row", "999"], "the table has 60 rows"),
        (["worksheet", "T1", "flowers.csv"], "T1 has its own rows"),
        (["spreadsheet", "mine.toml", "flowers.csv", "-o", "x.xlsx"], "has its own rows"),
    ]:
        assert words in refused(*arguments), arguments
    assert not Path("b.toml").exists()

"""deltarule draw: the very numbers of the network in a figure of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .cases import classes_csv, refused, run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(path):
    return " ".join(re.sub("<[^>]*>", " ", Path(path).read_text(encoding="utf-8")).split())


def test_the_figure_has_the_weights_and_what_the_row_gives():
    run("draw", "T1", "-o", "net.svg")
    shown = texts("net.svg")
    for number in ("w5 0.4", "net 0.3775", "out 0.5933", "δ 0.1385", "b2 0.6"):
        assert number in shown
    run("draw", "T1", "-o", "plain.svg", "--no-values")
    assert "0.3775" not in texts("plain.svg")
    assert "w5 0.4" in texts("plain.svg")
    run("draw", "T5_xor", "-o", "row.svg", "--row", 3)
    assert texts("row.svg") != texts("net.svg")


@pytest.mark.parametrize(("ending", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_pages_and_pictures_of_the_size_of_the_figure(ending, start):
    pytest.importorskip("typst")
    run("draw", "T1", "-o", f"net.{ending}")
    made = Path(f"net.{ending}").read_bytes()
    assert made.startswith(start)
    if ending == "pdf":
        width, height = map(float, re.search(rb"MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", made).groups())
        assert 200 < width < 500
        assert 120 < height < 300
        assert b"/Type/Pages/Count 1" in made


def test_a_saved_model_with_and_without_a_row(folder):
    classes_csv(folder / "flowers.csv")
    run("train", "flowers.csv", "--save", "m.safetensors", "--epochs", "1", "--hidden", "2")
    run("draw", "m.safetensors", "-o", "m.svg")
    assert "height" in texts("m.svg")
    assert "δ" not in texts("m.svg")
    run("draw", "m.safetensors", "flowers.csv", "-o", "r.svg", "--row", 2)
    assert "δ" in texts("r.svg")
    assert "height" in texts("r.svg")


def test_what_does_not_fit_is_refused_by_one_line():
    for arguments, words in [
        (["T1", "-o", "net.gif"], "the name must end in .svg, .pdf, .png"),
        (["T9", "-o", "net.svg"], "no example and no file 'T9'"),
        (["T1", "-o", "net.svg", "--row", "2"], "there are 1 rows"),
        (["T1", "-o", "no/net.svg"], "there is no folder no"),
    ]:
        assert words in refused("draw", *arguments)
    assert not list(Path().iterdir())

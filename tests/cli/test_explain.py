"""deltarule explain: what it takes, what it prints, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .cases import classes_csv, process, refused, run

HOSTILE = ["<script>alert(1)</script>", "$x$ \\alpha #1 %", "a & b_c ^ ~ {}", "`*[x](y)*`"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tutorials_factors_are_printed():
    text = run("explain", "T1", "w5", "w1")
    for number in ("0.74136507", "0.186815602", "0.593269992", "0.0821670406", "0.35891648", "0.149780716"):
        assert number in text
    assert "∂E/∂w5" in text


def test_everything_is_explained_where_nothing_is_named():
    text = run("explain", "T4")
    for heading in ("Forward pass", "E: the loss", "Backward pass", "The update"):
        assert heading in text


@pytest.mark.parametrize("ending", ["txt", "tex", "md", "html", "json"])
def test_the_format_is_that_of_the_files_name(ending):
    assert "written to" in run("explain", "T1", "w5", "--out", f"w5.{ending}")
    made = Path(f"w5.{ending}").read_text(encoding="utf-8")
    assert "0.0821670" in made
    format = {"txt": "text", "tex": "latex", "md": "markdown"}.get(ending, ending)
    assert run("explain", "T1", "w5", "--format", format) == made


def test_json_is_one_object():
    assert json.loads(run("explain", "T1", "w5", "--json"))["title"].startswith("2-2-2")
    refused("explain", "T1", "--json", "--format", "html")


def test_ascii_and_digits_and_hand():
    assert run("explain", "T1", "w5", "--ascii").isascii()
    assert "0.0821670405642307" in run("explain", "T1", "w5", "--digits", "full")
    assert "rounded to 4 decimals" in run("explain", "T4", "w6", "--by-hand", "4")


def test_a_terminal_without_unicode_gets_ascii(folder):
    code, out, _ = process("explain", "T1", "w5", folder=folder, env={"PYTHONIOENCODING": "ascii"})
    assert code == 0
    assert out.isascii()
    assert "dE/dw5" in out


def test_one_row_of_an_example():
    assert "over 4 samples" in run("explain", "T5_xor", "w1")
    assert "over 4 samples" not in run("explain", "T5_xor", "w1", "--row", "2")
    assert "there are 4 rows" in refused("explain", "T5_xor", "w1", "--row", "5")


def test_an_update_in_the_middle_of_training():
    text = run("explain", "T1", "w5", "--step", "3")
    assert "Update 3: epoch 3, batch 1, 1 sample" in text
    assert "Where the change of w5 came from" in text
    refused("explain", "T1", "w5", "--step", "3", "--by-hand", "2")


def test_a_saved_model_with_a_row_of_its_table(folder):
    classes_csv(folder / "flowers.csv")
    run("train", "flowers.csv", "--save", "m.safetensors", "--epochs", "3")
    text = run("explain", "m.safetensors", "flowers.csv", "W1[1,0]", "--row", "7")
    assert "m.safetensors: row 7 of flowers.csv" in text
    assert "Forward" not in text
    assert "weighted input" in run("explain", "m.safetensors", "flowers.csv", "z1[0]")
    assert "also name a file" in refused("explain", "m.safetensors")
    assert "there is no row" in refused("explain", "m.safetensors", "flowers.csv", "w1", "--row", "9999")


@pytest.mark.parametrize("format", ["text", "latex", "markdown", "html", "json"])
def test_hostile_names_are_text_everywhere(format):
    rng = np.random.default_rng(0)
    rows = [
        ",".join(f"{x:.3f}" for x in rng.normal(size=len(HOSTILE))) + f",{'ab'[i % 2]}" for i in range(40)
    ]
    header = ",".join(f'"{name}"' for name in HOSTILE)
    Path("hostile.csv").write_text("\n".join([f"{header},y", *rows, ""]), encoding="utf-8")
    run("train", "hostile.csv", "--target", "y", "--save", "m", "--epochs", "2")
    made = run("explain", "m", "hostile.csv", "W1[0,0]", "W1[1,0]", "z1[0]", "layer1", "--format", format)
    if format == "html":
        assert "<script" not in made.lower()
        assert "&lt;script&gt;" in made
    if format == "text":
        assert all(name in made for name in HOSTILE)
    if format == "latex":
        assert "\\alpha" not in made
        assert "\\#1" in made


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["T1", "w9"], "no parameter 'w9'"),
        (["T1", "everything"], "nothing called 'everything'"),
        (["T9"], "T9"),
        (["missing.toml"], "missing.toml"),
        (["T1", "w1", "--out", "w1.doc"], "the name must end in .txt"),
        (["T1", "w1", "--out", "no/where.html"], "there is no folder"),
        (["T1", "w1", "--optimizer", "sgd(-1)"], "learning_rate"),
        (["rat42", "w1", "--step", "1"], "L-BFGS"),
    ],
)
def test_bad_input_is_refused_in_a_line(arguments, reason, folder):
    assert reason in refused("explain", *arguments)
    assert not list(folder.iterdir())


def test_a_file_that_was_there_stays_when_writing_is_refused(folder):
    (folder / "kept.html").mkdir()
    assert "it is a folder" in refused("explain", "T1", "w1", "--out", "kept.html")

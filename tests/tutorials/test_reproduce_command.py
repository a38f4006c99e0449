"""``deltarule reproduce``: tables for people, an object for programs, and the exit status."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from deltarule.cli import cli
from deltarule.tutorials import SOURCES, TUTORIALS, Comparison, Reproduction
from deltarule.tutorials.comparisons import compare


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *arguments: CliRunner().invoke(cli, ["reproduce", *arguments])


@pytest.fixture
def pretend(monkeypatch):
    """Replace all experiments by one with the given rows."""

    def replace(*rows):
        made = [Reproduction("T1", "pretended", lambda: list(rows))]
        monkeypatch.setattr(import_module("deltarule.cli.reproduce"), "reproductions", lambda **_: made)

    return replace


def test_a_table_has_published_and_ours_side_by_side_and_notes_below(run):
    result = run("T4")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("T4  the hand calculation")
    assert "do not know its author" in lines[1] + lines[2]
    assert lines[lines.index("") + 1].split() == ["quantity", "published", "ours", "agrees", "note"]
    words = [line.split() for line in lines]
    assert ["out_h1", "0.602286177", "0.602286177", "✓"] in words
    assert ["E", "0.025283526", "0.040733806", "✗", "[2]"] in words
    assert ["E_o1", "–", "0.03090056016", "–"] in words
    assert any(line.startswith("[2] The source is wrong") for line in lines)
    assert "12 of 13 published figures agree" in result.stdout


def test_each_names_its_source_as_the_page_and_the_notebook_do(run):
    root = Path(__file__).parents[2]
    page = (root / "docs" / "tutorials" / "sources.md").read_text(encoding="utf-8")
    assert list(SOURCES) == list(TUTORIALS)
    for name in ("T1", "T2", "T3", "T5"):
        notebook = (root / "notebooks" / f"{name}.py").read_text(encoding="utf-8")
        assert SOURCES[name].address in page
        assert SOURCES[name].address in notebook
    assert SOURCES["T3"].address in run("T3").stdout.splitlines()
    assert json.loads(run("T3", "--json").stdout)["experiments"][0]["source"] == str(SOURCES["T3"])


@pytest.mark.slow
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(run):
    result = run("T1", "T3", "one_step", "rat42")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "…" not in result.stdout
    assert "0.016365393177895763" in result.stdout
    assert "\x1b" not in result.stdout


def test_tutorials_are_chosen_by_name_in_either_case_and_come_in_their_order(run):
    titles = [line[:2] for line in run("t3", "T2").stdout.splitlines() if line[:3] in ("T2 ", "T3 ")]
    assert titles == ["T2", "T3"]


def test_json_is_one_object_with_every_row(run):
    result = run("rat42", "one_step", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert [experiment["tutorial"] for experiment in found["experiments"]] == ["one_step", "rat42"]
    assert all(experiment["seconds"] >= 0 for experiment in found["experiments"])
    (hidden,) = [row for row in found["experiments"][0]["rows"] if row["quantity"] == "out_h1"]
    assert hidden["published"] == 0.679178699175393
    assert hidden["ours"] == pytest.approx(0.679178699175393, rel=1e-14)
    assert (hidden["agrees"], hidden["ok"], hidden["note"]) == (True, True, "")


def test_a_figure_that_must_agree_and_does_not_ends_with_1(run, pretend):
    pretend(compare("T1", "E", 0.25, 0.5), compare("T1", "net_h1", 0.25, 0.25))
    result = run()
    assert result.exit_code == 1
    assert "WRONG" in result.stdout
    assert "1 of 2 figures are not as expected: T1 E" in result.stdout
    result = run("--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False


def test_a_figure_that_differs_because_the_source_is_wrong_ends_with_0(run, pretend):
    pretend(compare("T1", "E", 0.25, 0.5, exact=0.5, note="The source is wrong."))
    assert run().exit_code == 0
    (row,) = json.loads(run("--json").stdout)["experiments"][0]["rows"]
    assert (row["agrees"], row["ok"], row["note"]) == (False, True, "The source is wrong.")


def test_what_could_not_be_run_is_shown_with_its_reason(run, pretend):
    pretend(Comparison("T5", "MNIST", 97.92, None, None, "Not run: no network."))
    result = run()
    assert result.exit_code == 0
    assert "[1] Not run: no network." in result.stdout


def test_an_unknown_tutorial_is_refused(run):
    result = run("T6")
    assert result.exit_code == 2
    assert "'T6' is not one of 't1'" in result.stderr


def test_a_folder_that_does_not_fit_is_refused_before_anything_runs(run, tmp_path):
    result = run("T1", "--mnist", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert "none" in result.stderr
    assert result.stdout == ""


@pytest.mark.slow
@pytest.mark.skipif("DELTARULE_DATA_HOME" not in os.environ, reason="needs MNIST")
def test_quick_runs_everything_and_all_is_as_it_must_be(run):
    result = run("--quick", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert len(found["experiments"]) == 11
    assert found["ok"] is True
    assert sum(experiment["seconds"] for experiment in found["experiments"]) < 120

"""The site: every public name and mistake has a place; what the mistakes' pages say of programs is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pytest

import deltarule
from deltarule.cli import cli
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.registry import Registry

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
api = pytest.importorskip("docs_site.api")
commands = pytest.importorskip("docs_site.commands")
mistakes = pytest.importorskip("docs_site.mistakes")
links = pytest.importorskip("docs_site.links")


def test_every_public_name_is_in_one_group():
    grouped = [name for group in api.GROUPS for name in group.names.split()]
    assert len(set(grouped)) == len(grouped)
    assert set(grouped) == {*deltarule.__all__, "MLPAutoencoder", "MLPClassifier", "MLPRegressor"}


def test_every_public_name_has_an_example():
    names = [name for group in api.GROUPS for name in group.names.split() if name != "datasets"]
    told = [(name, getattr(deltarule, name)) for name in names]
    told += [(f"datasets.{name}", getattr(deltarule.datasets, name)) for name in deltarule.datasets.__all__]
    registries = [name for name, one in told if isinstance(one, Registry)]
    bare = [name for name, one in told if name not in registries and ">>> " not in (one.__doc__ or "")]
    assert bare == []
    assert all(">>> " in api._entry(name) for name in registries)


def test_every_option_of_every_command_is_on_its_page():
    top = click.Context(cli, info_name="deltarule")
    for name in cli.commands:
        page = "\n".join(commands._command(cli.commands[name], top, name))
        shown = re.findall(r"<code>(.*?)</code>", page)
        every = [cli.commands[name], *getattr(cli.commands[name], "commands", {}).values()]
        for option in (one for command in every for one in command.params if isinstance(one, click.Option)):
            assert option.hidden or any(option.opts[-1] in text for text in shown), (name, option.opts)


def test_every_mistake_has_words_and_a_program():
    assert list(mistakes.said()) == [one.key for one in MISTAKES]
    for key in mistakes.said():
        right, wrong = mistakes.programs(key)
        assert right != wrong, key
        compile(wrong, key, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("key", mistakes.said())
def test_the_wrong_program_is_named_and_the_right_one_passes(key, tmp_path, monkeypatch):
    monkeypatch.setattr(mistakes, "PAGES", tmp_path / "pages")
    right, wrong = mistakes.programs(key)
    assert mistakes.diagnosis_of(key, right).verdict == "right"
    seen = mistakes.diagnosis_of(key, wrong)
    if mistakes.said()[key].get("unseen"):
        assert seen.verdict == "right"  # the page says that check cannot see it
    else:
        assert [fault.mistake for fault in seen.faults] == [key]
        assert f"mistakes/{key} in the documentation" in " ".join(str(seen).split())


def test_links_that_lead_nowhere_are_found(tmp_path):
    text = '<a href="b.html#here"> <a href="b.html#there"> <a href="c.html"> <script src="//else/x.js">'
    (tmp_path / "a.html").write_text(text)
    (tmp_path / "b.html").write_text('<p id="here">')
    found = list(links.faults_of(tmp_path))
    assert [one.split(": ")[1].split()[0] for one in found] == ["//else/x.js", "b.html#there", "c.html"]

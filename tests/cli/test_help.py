"""Help: whole sentences, in groups, within 80 columns; former names of options are still taken."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from deltarule.cli import cli

NAMES = sorted(cli.commands)


def leaves():
    """All commands that do something, with the words that call them."""
    for name in NAMES:
        command = cli.commands[name]
        if isinstance(command, click.Group):
            yield from (((name, inner), part) for inner, part in command.commands.items())
        else:
            yield (name,), command


def help_of(*words):
    return CliRunner().invoke(cli, [*words, "--help"], terminal_width=80, prog_name="deltarule").output


@pytest.mark.parametrize(
    ("words", "command"),
    list(leaves()),
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_each_option_is_explained_by_sentences(words, command):
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            sentences = re.sub(r"  \[default: .*\]$", "", parameter.help or "")
            assert re.match(r"[A-Z].*[.]$", sentences), (words, parameter.opts, parameter.help)
    assert re.match(r"[A-Z].*[.]$", command.get_short_help_str(100))


@pytest.mark.parametrize("words", [words for words, _ in leaves()], ids=" ".join)
def test_a_page_of_help_fits_into_80_columns(words):
    text = help_of(*words)
    assert max(map(len, text.splitlines())) <= 80, max(text.splitlines(), key=len)
    assert "Examples:" in text


def test_options_of_train_stand_in_groups():
    text = help_of("train")
    titles = [
        "How a table is read:",
        "Pictures:",
        "The network:",
        "Training:",
        "What is printed and written:",
    ]
    places = [text.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    assert text.index("--dropout") > places[2] > text.index("--paper")


def test_help_names_each_command_once_with_what_it_is_for():
    text = help_of()
    for name in NAMES:
        assert len(re.findall(rf"^  {name} ", text, re.MULTILINE)) == 1
    assert "deltarule explain T1 w5" in text


@pytest.mark.parametrize(
    ("former", "name"), [("--test", "--test-size"), ("--target-is-input", "--autoencoder")]
)
def test_former_names_are_taken_and_not_shown(former, name):
    command = cli.commands["train"]
    value = ["0.3"] if former == "--test" else []
    taken = command.make_context("train", ["iris", former, *value]).params
    assert taken == command.make_context("train", ["iris", name, *value]).params
    text = help_of("train")
    assert name in text
    assert not re.search(rf"{former}[ ,]", text)

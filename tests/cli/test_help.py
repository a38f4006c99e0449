"""Every sub-command says what it does, for people with a narrow terminal."""

from __future__ import annotations

import click
import pytest

from deltarule import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES
from deltarule.cli import cli

from .cases import invoke, run


def commands(group, path=()):
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = list(commands(cli))


def test_the_sub_commands_are_those_documented():
    assert {path[0] for path in COMMANDS} >= {"train", "predict", "evaluate", "inspect", "data", "reproduce"}


@pytest.mark.parametrize("path", [(), *COMMANDS], ids=" ".join)
def test_every_sub_command_answers_help(path):
    text = run(*path, "--help")
    assert text == run(*path, "-h")
    assert text.startswith(f"Usage: cli {' '.join(path)}".rstrip())
    described = text.split("\n\n")[1].strip()
    assert len(described) > 20
    assert described.endswith((".", ":"))
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "\x1b" not in text


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_and_sub_command_has_its_line(path):
    command = cli
    for name in path:
        command = command.commands[name]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith((".", "]", ")")), parameter.help
    assert command.get_short_help_str(100)


def test_the_help_of_train_names_all_that_can_be_chosen():
    text = " ".join(run("train", "--help").split())
    for registry in (ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES):
        for name in registry:
            assert name in text


def test_without_a_sub_command_the_help_is_shown():
    result = invoke()
    assert result.stdout + result.stderr == run("--help")

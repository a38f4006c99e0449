"""What the README says is so: its Python runs, its commands are commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import deltarule
from deltarule.cli import cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def numbers(printed):
    return [line.strip("[]") for line in printed.splitlines() if re.fullmatch(r"\[?-?\d+\.\d+\]?", line)]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_blocks_run_and_print_what_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"dr": deltarule}
    for block in blocks("python"):
        exec(block, names)
    printed = capsys.readouterr().out
    assert "Gradient check passed" in printed
    assert "Where the change of w5 came from" in printed
    assert ": f instead of f′ in a hidden layer" in printed
    assert (tmp_path / "w1.html").is_file()
    (stated,) = re.findall(r"select\(\"w5\"\)\]\)\s+# (\S+)", README)
    assert any(float(line) == pytest.approx(float(stated), rel=1e-12) for line in numbers(printed))
    assert (tmp_path / "xor.safetensors").is_file()


def test_the_derivation_is_what_the_command_prints():
    _, shown = blocks("text")
    printed = CliRunner().invoke(cli, ["explain", "T4", "w6", "--no-picture"]).output
    assert printed.rstrip("\n") == shown.rstrip("\n")


def test_the_verdict_is_what_the_command_prints(tmp_path):
    shown, _ = blocks("text")
    (program,) = [block for block in blocks("python") if "def my_backprop" in block]
    (tmp_path / "my_backprop.py").write_text(program.partition("\n\nprint(")[0])
    printed = CliRunner().invoke(cli, ["check", str(tmp_path / "my_backprop.py")]).output
    assert printed.startswith(shown.rstrip("\n"))


def test_every_command_named_is_one():
    commands = re.findall(r"deltarule (\w+)[ \n]", "\n".join(blocks("sh")))
    assert set(commands) >= {"train", "predict", "evaluate", "inspect", "reproduce"}
    assert set(commands) <= set(cli.commands)


def test_the_commands_that_set_up_are_one_line_each():
    lines = [block.strip() for block in blocks("sh") if "venv" in block]
    assert len(lines) == 2
    assert all("\n" not in line and line.startswith("python3 -m venv .venv && ") for line in lines)


def test_exported_names_are_there_and_the_version_is_the_packages():
    assert len(set(deltarule.__all__)) == len(deltarule.__all__)
    assert all(hasattr(deltarule, name) for name in deltarule.__all__)
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{deltarule.__version__}"' in project

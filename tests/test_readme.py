"""What the README says is so: its Python runs, its commands are commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import deltarule
from deltarule.cli import cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_blocks_run_and_print_what_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names if "import" in block else names | {"dr": deltarule})
    printed = capsys.readouterr().out
    assert "Gradient check passed" in printed
    (stated,) = re.findall(r"select\(\"w5\"\)\]\)\s+# (\S+)", README)
    assert float(stated) == pytest.approx(float(printed.strip().splitlines()[-1].strip("[]")), rel=1e-12)
    assert (tmp_path / "xor.safetensors").is_file()


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

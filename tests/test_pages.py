"""The pages under docs that teach: their programs run, their commands work, and print what the pages say."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from deltarule.cli import cli

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(
    path
    for path in [
        DOCS / "index.md",
        *(p for part in ("tutorials", "how-to", "explanation") for p in (DOCS / part).glob("*.md")),
    ]
    if "```" in path.read_text(encoding="utf-8")
)
BLOCK = re.compile(r"((?:^<!--.*-->\n)*)^```(\w+)[^\n]*\n(.*?)^```$", re.M | re.S)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def commands_in(text):
    """The commands of deltarule in a block, as lists of words."""
    return [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("deltarule ")]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_command_and_option_named_is_one(page):
    for _, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        for name, *words in commands_in(text) if language == "sh" else ():
            command = cli.commands[name]
            if name == "data":
                command = command.commands[words[0]]
            options = {
                option
                for parameter in command.params
                for option in (*parameter.opts, *parameter.secondary_opts)
            }
            assert {word for word in words if re.match(r"--?[a-z]", word)} <= options, words


def run(text):
    """What the commands of a block print."""
    printed = ""
    for words in commands_in(text):
        result = CliRunner().invoke(cli, words, terminal_width=100)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code in ((0, 1) if words[0] == "check" else (0,)), result.output
        printed += result.output
    return printed


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_is_so(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if page.stem == "check-my-homework":
        (tmp_path / "submissions").mkdir()
        program = (DOCS.parent / "tools" / "docs_site" / "programs" / "sigmoid.py").read_text(
            encoding="utf-8"
        )
        for path in (tmp_path / "my_backprop.py", tmp_path / "submissions" / "ada.py"):
            path.write_text(program, encoding="utf-8")
    names, printed = {"__name__": "page"}, ""
    for marks, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        file = re.search(r"<!-- file: (\S+) -->", marks)
        if file:
            (tmp_path / file[1]).write_text(text, encoding="utf-8")
        elif "not run" in marks:
            continue
        elif language == "sh":
            printed = run(text)
        elif language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                path = tmp_path / "block.py"
                path.write_text(text, encoding="utf-8")
                exec(compile(text, str(path), "exec"), names)
            printed = stream.getvalue()
        elif language == "text":
            assert doctest.OutputChecker().check_output(text, printed, FLAGS), (
                f"{text}\n--- printed:\n{printed}"
            )

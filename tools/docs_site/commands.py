"""The reference of the command line, made from the very objects that answer ``--help``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

import click

from deltarule.cli import cli
from docs_site.pages import dedented, fenced, table, write


def write_commands() -> None:
    """Write a page for each command, sub-commands below it, and the list of all."""
    top = click.Context(cli, info_name="deltarule")
    names = sorted(cli.commands)
    for name in names:
        write(f"reference/commands/{name}.md", "\n\n".join(_command(cli.commands[name], top, name)))
    rows = [
        (f"[`deltarule {name}`]({name}.md)", cli.commands[name].get_short_help_str(100)) for name in names
    ]
    index = [
        "# Command line",
        *_help(cli),
        table(("command", "what it does"), rows),
        "## Options of all",
        _options(cli, top),
    ]
    index.append(
        "Exit status: 0 success; 1 a check failed; 2 bad input, told in one line on standard error; 130 and "
        "143 where a signal ended it. With `--json`, where a command has it, one JSON object is printed."
    )
    write("reference/commands/index.md", "\n\n".join(index))
    nav = ["* [All commands](index.md)", *(f"* [{name}]({name}.md)" for name in names)]
    write("reference/commands/.nav.md", "\n".join(nav))


def _command(command: click.Command, parent: click.Context, name: str, level: int = 1) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent)
    yield f"{'#' * level} deltarule {context.command_path.partition(' ')[2]}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield fenced(f"{context.command_path} {usage}", "sh")
    yield from _help(command)
    yield _options(command, context)
    if isinstance(command, click.Group):
        for inner, one in sorted(command.commands.items()):
            yield from _command(one, context, inner, level + 1)


def _help(command: click.Command) -> Iterator[str]:
    r"""The help text: paragraphs, and examples or a table where ``\b`` keeps lines as they are."""
    for paragraph in re.split(r"\n\s*\n", (command.help or "").strip()):
        words, is_kept, lines = paragraph.partition("\b\n")
        if is_kept:
            lines = dedented(re.sub(r"\A\s*Examples:\n", "", lines))
            yield fenced(lines, "sh" if lines.startswith("deltarule ") else "text")
        else:
            yield " ".join(words.split())


def _options(command: click.Command, context: click.Context) -> str:
    """Each option with what it does, as a list for each group of them."""
    groups: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1] and not isinstance(parameter, click.Argument):
            names, told = (escape(" ".join(one.split())) for one in record)
            item = f'<dt id="{command.name}{parameter.opts[-1]}"><code>{names}</code></dt>\n<dd>{told}</dd>'
            groups.setdefault(getattr(parameter, "group", "Options"), []).append(item)
    lists = {title: "\n".join(items) for title, items in groups.items()}
    return "\n\n".join(f'**{title}**\n\n<dl class="options">\n{one}\n</dl>' for title, one in lists.items())

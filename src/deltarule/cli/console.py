"""What sub-commands print with: tables for people, one JSON object for programs."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import numpy as np

from deltarule.data.decisions import Decision
from deltarule.documents.plain_table import json_text, one_line, printable
from deltarule.experiments.report import decision_lines

_random_state = random.getstate()
from rich.console import Console  # noqa: E402 - Rich takes a random number when it is imported …
from rich.table import Table  # noqa: E402
from rich.text import Text  # noqa: E402

random.setstate(_random_state)  # … from the generator of whoever imports the command line


def console() -> Console:
    """Standard output; colours only in a terminal, and no width limit where there is none."""
    console = Console(file=sys.stdout, highlight=False, emoji=False, markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 200
    return console


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", numbers: bool = True
) -> None:
    """A table: the first column to the left, the others (numbers) to the right."""
    table = Table(title=Text(title) if title else None, title_justify="left", title_style="bold", box=None)
    for index, column in enumerate(columns):
        right = numbers and index > 0
        heading = Text(one_line(column))
        table.add_column(heading, justify="right" if right else "left", header_style="bold", no_wrap=right)
    for row in rows:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))
    console().print(table)


def say(text: str = "") -> None:
    """A line for people on standard output."""
    click.echo(printable(text))


def print_decisions(decisions: Iterable[dict[str, Any]], *, err: bool = False) -> None:
    """A line for each thing that was decided, with the option that overrules it; few lines for many alike."""
    for line in decision_lines(decisions, text_width(80)):
        click.echo(printable(line), err=err)


def told(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Decisions for JSON; what a command has no option to overrule, its --strict refuses."""
    known = {name for option in click.get_current_context().command.params for name in option.opts}
    listed = [decision.to_dict() for decision in decisions]
    return [
        item if str(item["option"]).split()[0] in known else item | {"option": "--strict"} for item in listed
    ]


def print_json(values: dict[str, Any]) -> None:
    """One object on standard output."""
    click.echo(json_text(values, indent=2))


def text_width(otherwise: int = 100) -> int:
    """The width of the terminal; where there is none, another."""
    screen = console()
    return screen.width if screen.is_terminal else otherwise


def number(value: object, digits: int = 5) -> str:
    """So many significant digits of a float; anything else as it is."""
    return f"{value:.{digits}g}" if isinstance(value, float | np.floating) else str(value)


def mend_streams(*, force: bool = False) -> None:
    """Give a process that was started with closed streams somewhere to print; never fail on a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or force:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

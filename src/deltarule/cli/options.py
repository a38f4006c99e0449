"""Kinds of options that several sub-commands take."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from deltarule.data.meaning import KINDS, is_kind
from deltarule.data.reading import FORMATS

if TYPE_CHECKING:
    from deltarule.training import LocalSGD

F = TypeVar("F", bound=Callable[..., Any] | click.Command)

#: A file to read or to write.
FILE = click.Path(path_type=Path)
FILE.name = "file"


def _kinds(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """``("zip=text",)`` as {"zip": "text"}."""
    kinds = {}
    for text in texts:
        name, _, kind = text.rpartition("=")
        if not name or not is_kind(kind):
            raise click.BadParameter(f"expected NAME=KIND, with a kind from {', '.join(KINDS)}, got {text!r}")
        kinds[name] = kind
    return kinds


class GroupedCommand(click.Command):
    """A command whose help lists its options in groups, in the order in which they are declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list of options for each group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                names = record[0].replace("INTEGER RANGE", "N").replace("FLOAT", "NUMBER")
                groups.setdefault(getattr(parameter, "group", "Options"), []).append((names, record[1]))
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


class _GroupedOption(click.Option):
    def __init__(self, *declarations: Any, group: str, **settings: Any) -> None:
        super().__init__(*declarations, **settings)
        self.group = group


def options_of(group: str) -> Callable[..., Callable[[F], F]]:
    """Make a decorator, as ``click.option`` is one, for the options of a group in the help."""
    return partial(click.option, cls=_GroupedOption, group=group)


_reading = options_of("How a table is read")
_FORMAT = _reading(
    "--format",
    type=click.Choice(FORMATS),
    help="The format of the file.  [default: recognised from its contents]",
)
_READING = (
    _reading(
        "--header/--no-header", default=None,
        help="Whether the first line names the columns.  [default: recognised]",
    ),
    _reading(
        "--encoding", metavar="NAME",
        help="The encoding of the text: utf-8, cp1252, gb18030, ….  [default: recognised]",
    ),
    _reading("--delimiter", metavar="TEXT", help="The text between two cells.  [default: recognised]"),
    _reading("--quote", metavar="TEXT", help="The quotation mark around texts.  [default: recognised]"),
    _reading(
        "--ragged", type=click.Choice(["drop", "fill"]), default="drop",
        help="What to do with rows of too few or too many cells: leave them out, or fill and cut them.",
    ),
    _FORMAT,
    _reading(
        "--table", metavar="NAME",
        help="The sheet of a workbook or the table of a database to read; FILE::NAME does the same.",
    ),
    _reading(
        "--kind", multiple=True, metavar="NAME=KIND", callback=_kinds,
        help=f"How to read a column: {', '.join(KINDS)}, 'unit kg'. Can be given several times.",
    ),
    _reading(
        "--all-lines", is_flag=True,
        help="Treat every line as a row, even if it looks like a title, a comment or a footer.",
    ),
    _reading("--strict", is_flag=True, help="Decide nothing: stop if anything is unclear, and say where."),
)  # fmt: skip


def reading_options(command: Callable[..., None], *, but_format: bool = False) -> Callable[..., None]:
    """Give a command the options of how tables are read, if need be without one that it has already."""
    for option in reversed(_READING):
        if not (but_format and option is _FORMAT):
            command = option(command)
    return command


def picture_size(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """``32x24`` as (32, 24), ``32`` as (32, 32)."""
    if text is None:
        return None
    width, _, height = text.lower().replace("×", "x").partition("x")
    try:
        size = int(width), int(height or width)
    except ValueError:
        size = 0, 0
    if not all(1 <= side <= 4096 for side in size):
        raise click.BadParameter(f"expected width and height such as 32x24, got {text!r}")
    return size


_pictures = options_of("Pictures")
_PICTURES = (
    _pictures(
        "--size", metavar="WxH", callback=picture_size,
        help="Width and height to bring all pictures to.  [default: the most frequent, within 4,096 pixels]",
    ),
    _pictures(
        "--color/--grey", default=None,
        help="Keep the colours, or convert them to grey.  [default: keep them if they tell classes apart]",
    ),
    _pictures(
        "--paper", type=click.Choice(["black", "white"]), help="The colour behind transparent pictures."
    ),
)  # fmt: skip


def picture_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the form that pictures get; a model has its own."""
    for option in reversed(_PICTURES):
        command = option(command)
    return command


def activations(text: str) -> str | list[str]:
    """One name for all hidden layers, or one for each: ``relu,leaky_relu(0.2)``."""
    names = [name.strip() for name in re.split(r",(?![^(]*\))", text)]
    return names if len(names) > 1 else names[0]


def network_sizes(text: str) -> tuple[int, ...]:
    """``2-3-1`` as (2, 3, 1)."""
    if not re.fullmatch(r"\d{1,4}([-,]\d{1,4})+", text.strip()):
        raise click.BadParameter(f"expected inputs, hidden neurons and outputs such as 2-2-1, got {text!r}")
    return tuple(int(part) for part in re.split("[-,]", text))


def workers(text: str) -> int | str:
    """``4`` as 4, ``mpi`` as it is."""
    if text != "mpi" and not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise click.BadParameter(f"expected a number of processes, or mpi, got {text!r}")
    return text if text == "mpi" else int(text)


def local_sgd(text: str) -> LocalSGD:
    """``16x8``: 16 steps, 8 replicas."""
    from deltarule.training import LocalSGD

    if not re.fullmatch(r"[1-9]\d{0,5}[x×][1-9]\d{0,5}", text):
        raise click.BadParameter(f"expected steps and replicas such as 16x8, got {text!r}")
    steps, replicas = map(int, re.split("[x×]", text))
    return LocalSGD(steps, replicas)


def epochs_between(text: str) -> float:
    """``2`` as 2, ``0.1`` as 0.1."""
    value = float(text)
    return int(value) if value.is_integer() else value


def sizes(text: str) -> tuple[int, ...]:
    """``20,20`` as (20, 20); ``0`` as ()."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"expected numbers of neurons such as 20,20, got {text!r}") from None
    if numbers == (0,):
        return ()
    if min(numbers) < 1:
        raise click.BadParameter(f"a layer has at least one neuron, got {text!r}")
    return numbers

"""Kinds of options that several sub-commands take."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from deltarule.data.meaning import KINDS, is_kind
from deltarule.data.reading import FORMATS

#: A file to read or to write.
FILE = click.Path(path_type=Path)


def _kinds(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    """``("zip=text",)`` as {"zip": "text"}."""
    kinds = {}
    for text in texts:
        name, _, kind = text.rpartition("=")
        if not name or not is_kind(kind):
            raise click.BadParameter(f"expected NAME=KIND with a kind among {', '.join(KINDS)}, got {text!r}")
        kinds[name] = kind
    return kinds


_FORMAT = click.option(
    "--format", type=click.Choice(FORMATS), help="What kind of file it is.  [default: as its bytes say]"
)
_READING = (
    click.option("--header/--no-header", default=None, help="Whether the first line names the columns."),
    click.option(
        "--encoding", metavar="NAME", help="Of the text: utf-8, cp1252, gb18030, ….  [default: as it seems]"
    ),
    click.option("--delimiter", metavar="TEXT", help="What divides the cells.  [default: as it seems]"),
    click.option("--quote", metavar="TEXT", help="What stands around texts.  [default: as it seems]"),
    click.option(
        "--ragged",
        type=click.Choice(["drop", "fill"]),
        default="drop",
        help="Rows of another width: leave them out, or fill and cut them.",
    ),
    _FORMAT,
    click.option("--table", metavar="NAME", help="A sheet, or a table of a database; also FILE::NAME."),
    click.option(
        "--kind",
        multiple=True,
        metavar="NAME=KIND",
        callback=_kinds,
        help=f"How a column is read: {', '.join(KINDS)}, 'unit kg'.",
    ),
    click.option("--all-lines", is_flag=True, help="Every line is a row: no titles, comments or footers."),
    click.option("--strict", is_flag=True, help="Decide nothing: refuse what is not plain."),
)


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


_PICTURES = (
    click.option(
        "--size", metavar="WxH", callback=picture_size,
        help="Of pictures.  [default: the most frequent, within 4,096 pixels]",
    ),
    click.option("--color/--grey", default=None, help="Of pictures.  [default: colour if it tells classes]"),
    click.option("--paper", type=click.Choice(["black", "white"]), help="Put behind transparent pictures."),
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

"""What a derivation consists of, free of any format: headings, paragraphs, lines, tables, a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeAlias

from deltarule.documents.drawing import Drawing
from deltarule.formula.tree import Expr
from deltarule.registry import record

#: A piece of running text: words, which may hold any characters, or a formula.
Inline: TypeAlias = str | Expr


@record
class Heading:
    """A heading: level 2 for a part, 3 for a section of it (1 is the document's title)."""

    parts: tuple[Inline, ...]
    level: int = 2


@record
class Paragraph:
    """Running text; ``aside`` is what may be skipped."""

    parts: tuple[Inline, ...]
    aside: bool = False


@record
class Line:
    """A line of a derivation: ``sides[0] = sides[1] = …``, with a remark behind it.

    Parameters
    ----------
    sides : tuple of Expr
        The quantity; its formula in symbols; the formula with numbers; its value.
    note : tuple of Inline
        What is said about the line; empty for nothing.
    relation : "=" or "←"
        Between the first two sides; "←" says that a new value takes an old one's place.
    result : bool
        Whether this is what was asked for.
    verdict : str
        Of an answer: "right", "follows on", "by hand", "wrong" or "empty", each with a colour.
    """

    sides: tuple[Expr, ...]
    note: tuple[Inline, ...] = ()
    relation: str = "="
    result: bool = False
    verdict: str = ""


@record
class Lines:
    """Lines that belong together, with their relation signs below each other.

    Parameters
    ----------
    lines : tuple of Line
    columns : int
        So many short lines stand beside each other on paper.
    path : int, optional
        The path to the loss that they follow, which the drawing shows.
    """

    lines: tuple[Line, ...]
    columns: int = 1
    path: int | None = None


@record
class TableBlock:
    """A small table: words in the first column, numbers or formulas in the others."""

    header: tuple[Inline, ...]
    rows: tuple[tuple[Inline, ...], ...]


@record
class Figure:
    """The network, drawn."""

    drawing: Drawing


@record
class Listing:
    """Lines of a program."""

    text: str


Block: TypeAlias = Heading | Paragraph | Lines | TableBlock | Figure | Listing


@record
class Document:
    """A title and what stands below it.

    Parameters
    ----------
    title : str
    blocks : tuple of Block
    digits : int or "full"
        Significant digits of measured numbers.
    paper : "a4" or "letter"
        For formats with pages.
    """

    title: str
    blocks: tuple[Block, ...]
    digits: int | str = 9
    paper: str = "a4"


def merged_lines(blocks: Iterable[Block]) -> Iterator[Block]:
    """Make one block of lines of those that follow each other, so that they are aligned."""
    for kind, group in groupby(blocks, lambda b: (b.columns, b.path) if isinstance(b, Lines) else None):
        together = list(group)
        lines = tuple(line for block in together if isinstance(block, Lines) for line in block.lines)
        yield from [Lines(lines, *kind)] if kind else together

"""A document as plain text, for a terminal of any width: Unicode, or ASCII."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from deltarule.documents.document import (
    Document,
    Figure,
    Heading,
    Inline,
    Line,
    Lines,
    Listing,
    Paragraph,
    TableBlock,
)
from deltarule.documents.renderers.renderer import Renderer
from deltarule.documents.sketch import sketch
from deltarule.documents.svg_style import TAG_COLOURS
from deltarule.formula.text import TextBlock, TextEmitter, clean, to_ascii, width
from deltarule.formula.tree import Expr

_INDENT = "  "


def text_document(document: Document, columns: int = 100, ascii: bool = False, colours: bool = False) -> str:
    """The whole document.

    Parameters
    ----------
    document : Document
    columns : int
        Lines are broken to be no wider, where a formula lets itself be broken.
    ascii : bool
        Whether only ASCII may be used (names keep their own characters).
    colours : bool
        Whether the terminal is told the colours that tie a factor to its number.
    """
    renderer = TextRenderer(document.digits, columns, ascii, colours)
    whole = renderer.underlined(renderer.part(document.title), "═")
    for before, block in zip([None, *document.blocks], document.blocks, strict=False):
        follows = isinstance(before, Lines) and isinstance(block, Lines)  # without an empty line in between
        whole += ("\n" if follows else "\n\n") + renderer(block)
    return whole + "\n"


class TextRenderer(Renderer):
    """Writes each block of a document as lines of text."""

    def __init__(self, digits: int | str, columns: int, ascii: bool, colours: bool = False) -> None:
        self.columns, self.ascii = columns, ascii
        self.emitter = TextEmitter(digits, ascii, TAG_COLOURS if colours else ())

    def part(self, part: Inline) -> str:
        return self._permitted(clean(part)) if isinstance(part, str) else " ".join(self.emitter(part).lines)

    def _permitted(self, words: str) -> str:
        """The words in ASCII, where nothing else may be used."""
        return to_ascii(words).replace("═", "=") if self.ascii else words

    def underlined(self, title: str, line: str) -> str:
        """A title over a line as wide as itself."""
        return f"{title}\n{self._permitted(line) * min(width(title), self.columns)}"

    def heading(self, block: Heading) -> str:
        title = self.inline(block.parts)
        return self.underlined(title, "─") if block.level == 2 else title

    def paragraph(self, block: Paragraph) -> str:
        return "\n".join(self._wrapped(self.inline(block.parts), _INDENT if block.aside else "") or [""])

    def _wrapped(self, words: str, indent: str) -> list[str]:
        return textwrap.wrap(words, self.columns, initial_indent=indent, subsequent_indent=indent)

    def figure(self, block: Figure) -> str:
        return sketch(block.drawing, self.columns, self.ascii).rstrip("\n")

    def listing(self, block: Listing) -> str:
        return "\n".join(f"{_INDENT * 2}{self._permitted(clean(line))}" for line in block.text.splitlines())

    # ------------------------------------------------------------------ lines of formulas

    def lines(self, block: Lines) -> str:
        sides = [[self.emitter(side) for side in line.sides] for line in block.lines]
        left = max(width(quantity.lines[0]) for quantity, *_ in sides)
        pairs = zip(block.lines, sides, strict=True)
        return "\n".join(row for line, blocks in pairs for row in self._formula_line(line, blocks, left))

    def _formula_line(self, line: Line, sides: list[TextBlock], left: int) -> Iterator[str]:
        """On one line where it fits, else each side on its own, the relation signs below each other."""
        signs = [self._permitted(line.relation), *["="] * (len(sides) - 2)]
        note = f"({self.inline(line.note)})" if line.note else ""
        start = _INDENT + sides[0].lines[0] + " " * (left - width(sides[0].lines[0]))
        pairs = zip(signs, sides[1:], strict=True)
        whole = start + "".join(f" {sign} {side.lines[0]}" for sign, side in pairs)
        if all(len(side.lines) == 1 for side in sides) and width(whole) <= self.columns:
            if note and width(f"{whole}   {note}") <= self.columns:
                yield f"{whole}   {note}"
                return
            yield whole
        else:
            for sign, side, node in zip(signs, sides[1:], line.sides[1:], strict=True):
                yield from self._formula_side(f"{start} {sign} ", side, node)
                start = " " * width(start)
        yield from self._wrapped(note, _INDENT * 2)

    def _formula_side(self, lead: str, side: TextBlock, node: Expr) -> Iterator[str]:
        """A side on its own lines behind ``lead``."""
        for index, row in enumerate(self._with_fewer_digits(node, side, self.columns - width(lead)).lines):
            start = lead if index == side.base else " " * width(lead)
            yield from _broken_sum(start, row, self.columns) if len(side.lines) == 1 else [start + row]

    def _with_fewer_digits(self, node: Expr, side: TextBlock, room: int) -> TextBlock:
        """Matrices side by side with fewer digits, where they would be too wide."""
        for digits in (6, 4, 3):
            if len(side.lines) == 1 or width(side.lines[0]) <= room:
                break
            side = TextEmitter(digits, self.ascii)(node)
        return side

    # ------------------------------------------------------------------ tables

    def table(self, block: TableBlock) -> str:
        cells = [list(map(self.part, row)) for row in (block.header, *block.rows)]
        widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
        header, *rows = (self._table_row(row, widths) for row in cells)
        rule = _INDENT + self._permitted("─") * (sum(widths) + 3 * (len(widths) - 1))
        return "\n".join([header, rule, *rows])

    @staticmethod
    def _table_row(cells: Sequence[str], widths: Sequence[int]) -> str:
        """A row of a table: words left, numbers right."""
        blanks = [" " * (room - width(cell)) for cell, room in zip(cells, widths, strict=True)]
        numbers = (blank + cell for blank, cell in zip(blanks[1:], cells[1:], strict=True))
        return _INDENT + "   ".join([cells[0] + blanks[0], *numbers]).rstrip()


def _broken_sum(lead: str, text: str, columns: int) -> list[str]:
    """A long sum over several lines, broken before a sign."""
    room = max(columns - width(lead), 20)
    lines = [""]
    for piece in text.replace(" + ", "\0+ ").replace(" − ", "\0− ").replace(" · ", "\0· ").split("\0"):
        if lines[-1] and width(lines[-1]) + 1 + width(piece) > room:
            lines.append(piece)
        else:
            lines[-1] += f" {piece}" if lines[-1] else piece
    return [lead + lines[0], *(" " * width(lead) + line for line in lines[1:])]

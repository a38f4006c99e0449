"""A document as plain text, for a terminal of any width: Unicode, or ASCII."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from deltarule.documents.document import (
    Block,
    Document,
    Figure,
    Heading,
    Inline,
    Line,
    Lines,
    Paragraph,
    Table,
)
from deltarule.documents.sketch import sketch
from deltarule.formula.text import TextBlock, TextEmitter, clean, to_ascii, width
from deltarule.formula.tree import Expr

__all__ = ["text_document"]

_INDENT = "  "


def text_document(document: Document, columns: int = 100, ascii: bool = False) -> str:
    """The whole document.

    Parameters
    ----------
    document : Document
    columns : int
        Lines are broken to be no wider, where a formula lets itself be broken.
    ascii : bool
        Whether only ASCII may be used (names keep their own characters).
    """
    return _Text(document, columns, ascii).whole()


class _Text:
    def __init__(self, document: Document, columns: int, ascii: bool) -> None:
        self.document, self.columns, self.ascii = document, columns, ascii
        self.emit = TextEmitter(document.digits, ascii)

    def whole(self) -> str:
        title = self._plain(clean(self.document.title))
        parts = [f"{title}\n{self._plain('═') * min(width(title), self.columns)}"]
        parts += ["\n".join(self._block(block)) for block in self.document.blocks]
        return "\n\n".join(_joined(parts, self.document.blocks)) + "\n"

    def _block(self, block: Block) -> Iterator[str]:
        if isinstance(block, Heading):
            words = self._inline(block.parts)
            yield words
            if block.level == 2:
                yield self._plain("─") * min(width(words), self.columns)
        elif isinstance(block, Paragraph):
            yield from self._wrapped(self._inline(block.parts), _INDENT if block.aside else "")
        elif isinstance(block, Lines):
            yield from self._lines(block.lines)
        elif isinstance(block, Table):
            yield from self._table(block)
        elif isinstance(block, Figure):
            yield sketch(block.drawing, self.columns, self.ascii).rstrip("\n")

    def _plain(self, words: str) -> str:
        return to_ascii(words).replace("═", "=") if self.ascii else words

    def _inline(self, parts: Sequence[Inline]) -> str:
        return "".join(
            self._plain(clean(part)) if isinstance(part, str) else " ".join(self.emit(part).lines)
            for part in parts
        )

    def _wrapped(self, words: str, indent: str = "") -> list[str]:
        return textwrap.wrap(words, self.columns, initial_indent=indent, subsequent_indent=indent) or [""]

    # ------------------------------------------------------------------ lines of formulas

    def _lines(self, lines: Sequence[Line]) -> Iterator[str]:
        sides = [[self.emit(side) for side in line.sides] for line in lines]
        left = max(width(row[0].lines[0]) for row in sides)
        for line, row in zip(lines, sides, strict=True):
            yield from self._line(line, row, left)

    def _line(self, line: Line, sides: list[TextBlock], left: int) -> Iterator[str]:
        """On one line where it fits, else each side on its own, the relation signs below each other."""
        signs = [self._plain(line.relation), *["="] * (len(sides) - 2)]
        note = self._inline(line.note)
        start = _INDENT + _padded(sides[0].lines[0], left)
        flat = all(len(side.lines) == 1 for side in sides)
        whole = start + "".join(
            f" {sign} {side.lines[0]}" for sign, side in zip(signs, sides[1:], strict=True)
        )
        if flat and width(whole) <= self.columns:
            beside = f"{whole}   ({note})"
            yield from [beside] if note and width(beside) <= self.columns else [whole]
            if note and width(beside) > self.columns:
                yield from self._wrapped(f"({note})", _INDENT * 2)
            return
        for sign, side, node in zip(signs, sides[1:], line.sides[1:], strict=True):
            room = self.columns - width(start) - 3
            for index, text in enumerate(self._narrowed(node, side, room).lines):
                lead = f"{start} {sign} " if index == side.base else " " * (width(start) + 3)
                yield from _broken(lead, text, self.columns) if len(side.lines) == 1 else [lead + text]
            start = " " * width(start)
        if note:
            yield from self._wrapped(f"({note})", _INDENT * 2)

    def _narrowed(self, node: Expr, side: TextBlock, room: int) -> TextBlock:
        """Matrices side by side with fewer digits, where they would be too wide."""
        for digits in (6, 4, 3):
            if len(side.lines) == 1 or width(side.lines[0]) <= room:
                break
            side = TextEmitter(digits, self.ascii)(node)
        return side

    # ------------------------------------------------------------------ tables

    def _table(self, table: Table) -> Iterator[str]:
        rows = [[self._inline((cell,)) for cell in row] for row in (table.header, *table.rows)]
        widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
        for index, row in enumerate(rows):
            first, *others = (
                cell + " " * (w - width(cell)) if i == 0 else " " * (w - width(cell)) + cell
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            yield _INDENT + "   ".join([first, *others]).rstrip()
            if index == 0:
                yield _INDENT + self._plain("─") * (sum(widths) + 3 * (len(widths) - 1))


def _padded(text: str, room: int) -> str:
    return text + " " * (room - width(text))


def _broken(lead: str, text: str, columns: int) -> list[str]:
    """A long sum over several lines, broken before a sign."""
    room = max(columns - width(lead), 20)
    lines = [""]
    for piece in text.replace(" + ", "\0+ ").replace(" − ", "\0− ").replace(" · ", "\0· ").split("\0"):
        if lines[-1] and width(lines[-1]) + 1 + width(piece) > room:
            lines.append(piece)
        else:
            lines[-1] += f" {piece}" if lines[-1] else piece
    return [lead + lines[0], *(" " * width(lead) + line for line in lines[1:])]


def _joined(parts: list[str], blocks: Sequence[Block]) -> list[str]:
    """Blocks of lines that follow each other stand together, without an empty line in between."""
    joined = [parts[0]]
    for before, block, part in zip((None, *blocks), blocks, parts[1:], strict=False):
        if isinstance(before, Lines) and isinstance(block, Lines):
            joined[-1] += f"\n{part}"
        else:
            joined.append(part)
    return joined

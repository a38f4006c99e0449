"""A document as Markdown with LaTeX formulas, for GitHub, Jupyter and other readers with KaTeX or MathJax.

GitHub reads Markdown inside formulas too: a backslash before punctuation is lost, ``_`` may begin emphasis,
``<`` a tag. So formulas do without: ``\\cr`` for ``\\\\``, ``\\lt`` for ``<``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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
from deltarule.documents.renderers.aligned_formulas import aligned_rows, extent
from deltarule.documents.renderers.renderer import Renderer
from deltarule.documents.sketch import sketch
from deltarule.formula.latex import LatexEmitter, printable
from deltarule.formula.tree import Words

_ROOM = 90  # digits that fit beside each other
_MOST_LINES = 40  # in one block: KaTeX refuses formulas with too many commands
_SKETCH = 88  # columns

_SHIELDED = {
    "\\\\": "\\cr ", "\\,": "\\thinspace ", "\\{": "\\lbrace ", "\\}": "\\rbrace ",
    "[": "\\lbrack ", "]": "\\rbrack ", "<": "\\lt ", ">": "\\gt ", "|": "\\vert ", "_": "_ ",
    "\\_": "{\\underline{\\enspace}}",
    "\\#": "\\text{＃}", "\\$": "\\text{＄}", "\\%": "\\text{％}", "\\&": "\\text{＆}",
}  # fmt: skip
_IN_FORMULAS = re.compile(r"\\[^A-Za-z]|[][<>|]|(?<![A-Za-z0-9])_")

_ESCAPES = {
    "\\": r"<span>\\</span>", "$": r"<span>\$</span>",  # else MathJax finds them again in the page
    "<": "&lt;", ">": "&gt;", "&": "&amp;", "://": r":\//", "www.": r"www\.",
    **{sign: f"\\{sign}" for sign in "`*_[]|~^#@"},
}  # fmt: skip
_IN_WORDS = re.compile("|".join(map(re.escape, _ESCAPES)))
_FIRST = re.compile(r"^([0-9]+(?=[.)](?: |$))|(?=[-+=:]))(.)")  # what would begin a list or an underline


def markdown(document: Document) -> str:
    """The document in Markdown.

    Formulas stand in ``$…$`` and ``$$…$$``; the network is drawn in characters.
    """
    renderer = MarkdownRenderer(document.digits)
    blocks = [f"# {renderer.inline([document.title])}", *map(renderer, document.blocks)]
    return "\n\n".join(blocks) + "\n"


class MarkdownRenderer(Renderer):
    """Writes each block of a document as Markdown."""

    def __init__(self, digits: int | str) -> None:
        self.emitter = LatexEmitter(digits)

    def inline(self, parts: Iterable[Inline]) -> str:
        apart = super().inline(parts).strip().replace("$$", "$ $")  # formulas beside each other
        return _FIRST.sub(r"\1\\\2", apart)

    def part(self, part: Inline) -> str:
        words = part.words if isinstance(part, Words) else part
        return _prose(words) if isinstance(words, str) else f"${_shielded(self.emitter(words))}$"

    def heading(self, block: Heading) -> str:
        return f"{'#' * block.level} {self.inline(block.parts)}"

    def paragraph(self, block: Paragraph) -> str:
        return "> " * block.aside + self.inline(block.parts)

    def lines(self, block: Lines) -> str:
        starts = range(0, len(block.lines), _MOST_LINES)
        return "\n\n".join(self._aligned_block(block.lines[start : start + _MOST_LINES]) for start in starts)

    def _aligned_block(self, lines: Sequence[Line]) -> str:
        lead = max(extent(line.sides[0], self.emitter.digits) for line in lines)
        rows = (_shielded(row) for line in lines for row in self._rows_with_note(line, lead))
        inner = " \\cr\n".join(row if row[0] in "\\&" or row[0].isalpha() else f"{{}}{row}" for row in rows)
        return f"$$\n\\begin{{aligned}}\n{inner}\n\\end{{aligned}}\n$$"

    def _rows_with_note(self, line: Line, lead: int) -> list[str]:
        """The rows of a line with its remark, beside what takes ``lead`` digits on the left."""
        rows, has_room = aligned_rows(line, self.emitter, _ROOM - lead)
        parts = (self.emitter(Words(part) if isinstance(part, str) else part) for part in line.note)
        note = rf"\qquad \textcolor{{gray}}{{{''.join(parts)}}}"
        if line.note and has_room:
            rows[-1] += f" {note}"
        elif line.note:
            rows.append(f"& {note}")
        return rows

    def table(self, block: TableBlock) -> str:
        rows = [[self.inline([cell]) for cell in row] for row in (block.header, *block.rows)]
        kinds = ["---", *["---:"] * (len(block.header) - 1)]
        header, *others = (f"| {' | '.join(row)} |" for row in rows)
        return "\n".join([header, f"| {' | '.join(kinds)} |", *others])

    def figure(self, block: Figure) -> str:
        drawn = self.listing(Listing(sketch(block.drawing, _SKETCH)))
        return f"{drawn}\n\n{self.inline([block.drawing.caption])}".rstrip()

    def listing(self, block: Listing) -> str:
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", block.text) or [""]))
        return f"{fence}\n{block.text}\n{fence}"


def _shielded(source: str) -> str:
    """A formula without what Markdown would take for its own."""
    return _IN_FORMULAS.sub(lambda match: _SHIELDED[match[0]], source)


def _prose(words: str) -> str:
    """Running text."""
    return _IN_WORDS.sub(lambda match: _ESCAPES[match[0]], printable(words))

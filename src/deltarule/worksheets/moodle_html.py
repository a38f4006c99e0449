"""A document's blocks as Moodle shows them: HTML, formulas for its MathJax, the picture as a file."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from deltarule.documents.document import Block, Figure, Heading, Inline, Lines, Listing, Paragraph, TableBlock
from deltarule.documents.renderers.renderer import Renderer
from deltarule.documents.svg import svg
from deltarule.formula.latex import LatexEmitter
from deltarule.formula.tree import Words

PICTURE = "network.svg"


class MoodleRenderer(Renderer):
    """Writes blocks; the pictures that they have are kept for the question's files.

    ``digits`` are the significant digits of measured numbers.
    """

    def __init__(self, digits: int | str) -> None:
        self.emitter = LatexEmitter(digits)
        self.pictures: list[str] = []

    def all(self, blocks: Iterable[Block]) -> str:
        """The blocks one after the other."""
        return "\n".join(map(self, blocks))

    def part(self, part: Inline) -> str:
        words = part.words if isinstance(part, Words) else part
        if isinstance(words, str):
            return escape(words, False).replace("{", "&#123;")  # which would begin a gap
        return escape(rf"\({self.emitter(words)}\)", False)

    def heading(self, block: Heading) -> str:
        return f"<h4>{self.inline(block.parts)}</h4>"

    def paragraph(self, block: Paragraph) -> str:
        return f"<p>{self.inline(block.parts)}</p>"

    def lines(self, block: Lines) -> str:
        written = []
        for line in block.lines:
            relations = ["", line.relation, *["="] * len(line.sides)]
            sides = zip(relations, map(self.part, line.sides), strict=False)
            note = f" <small>({self.inline(line.note)})</small>" if line.note else ""
            shown = " ".join(f"{relation} {side}" for relation, side in sides).strip()
            written.append(f"<p>{shown}{note}</p>")
        return "\n".join(written)

    def table(self, block: TableBlock) -> str:
        head = "".join(f"<th>{self.part(cell)}</th>" for cell in block.header)
        rows = "".join(
            f"<tr>{''.join(f'<td>{self.part(cell)}</td>' for cell in row)}</tr>" for row in block.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def figure(self, block: Figure) -> str:
        self.pictures.append(svg(block.drawing, dark=False))
        return f'<p><img src="@@PLUGINFILE@@/{PICTURE}" alt="The network with its numbers" /></p>'

    def listing(self, block: Listing) -> str:
        return f"<pre>{escape(block.text, False)}</pre>"

"""A document as LaTeX: an article, or what goes into a person's own."""

from __future__ import annotations

from collections.abc import Iterable

from deltarule.documents.asset_files import asset
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
from deltarule.documents.renderers.aligned_formulas import aligned_rows, extent, span
from deltarule.documents.renderers.figure_tables import neurons, weights
from deltarule.documents.renderers.renderer import Renderer
from deltarule.documents.svg_style import TAG_COLOURS
from deltarule.formula.latex import SYMBOLS, TAG_NAMES, LatexEmitter, printable, unligatured
from deltarule.formula.tree import Words

_ROOM = 78  # digits that fit beside each other
_NARROW = 12  # digits; a column of a table no wider than that is never wrapped
_LONG_TABLE = 30  # rows; a longer one runs over pages

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "`": r"\textasciigrave{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\symbol{34}",
    "[": "{[}", "*": "{*}",
    **{sign: rf"\({source}\)" for sign, source in SYMBOLS.items()},
}  # fmt: skip
_EVERYWHERE = set("–—‘’“”…•€")  # beside Latin-1


def latex_document(document: Document, standalone: bool = True) -> str:
    """The document in LaTeX, for pdflatex, lualatex and xelatex.

    ``standalone`` means a whole article; else it is its body without the title, for a document of one's
    own. The packages it needs stand in its first line.
    """
    title = [rf"{{\LARGE\bfseries {_prose(document.title)}\par}}"] if standalone else []
    content = "\n\n".join([*title, *map(LatexRenderer(document.digits), document.blocks)])
    # The definitions open a group, so that nothing of them reaches what stands around the body.
    definitions = asset("definitions.tex").decode() + _colours(standalone) + _fallbacks(content)
    body = f"{definitions}\n{content}\n\n\\endgroup\n"
    if not standalone:
        return body
    article = asset("article.tex").decode().replace("a4paper", f"{document.paper}paper")
    return f"{article}\n\\begin{{document}}\n{body}\\end{{document}}\n"


def _colours(standalone: bool) -> str:
    command = r"\definecolor" if standalone else r"\providecolor"
    pairs = zip(TAG_NAMES, TAG_COLOURS, strict=True)
    return "".join(f"{command}{{{name}}}{{HTML}}{{{colour[1:].upper()}}}\n" for name, colour in pairs)


def _fallbacks(content: str) -> str:
    """A declaration for each character that a font may not have."""
    rare = sorted(c for c in set(content) if ord(c) > 0xFF and c not in _EVERYWHERE)
    return "".join(f"\\missing{{{ord(c):04X}}}{{{c}}}\n" for c in rare)


class LatexRenderer(Renderer):
    """Writes each block of a document as LaTeX."""

    def __init__(self, digits: int | str) -> None:
        self.emitter = LatexEmitter(digits)

    def part(self, part: Inline) -> str:
        words = part.words if isinstance(part, Words) else part
        return _prose(words) if isinstance(words, str) else rf"\({self.emitter(words)}\)"

    def heading(self, block: Heading) -> str:
        command = "section" if block.level <= 2 else "subsection"
        return rf"\{command}*{{\boldmath {self.inline(block.parts)}}}"

    def paragraph(self, block: Paragraph) -> str:
        content = self.inline(block.parts)
        return rf"{{\small\color{{black!60}}{content}\par}}" if block.aside else content

    def lines(self, block: Lines) -> str:
        lead = max(extent(line.sides[0], self.emitter.digits) for line in block.lines)
        lines = [" \\\\*\n".join(self._rows_with_note(line, lead)) for line in block.lines]
        return "\\noindent\n\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"

    def _rows_with_note(self, line: Line, lead: int) -> list[str]:
        """The rows of a line with its remark, beside what takes ``lead`` digits on the left."""
        share = f"{max(0.3, 0.92 - lead / _ROOM):.2f}\\linewidth"
        rows, has_room = aligned_rows(
            line, self.emitter, _ROOM - lead, lambda source: rf"\fit{{{share}}}{{{source}}}"
        )
        note = rf"\remark{{{self.inline(line.note)}}}"
        if line.note and has_room:
            rows[-1] += rf" \tag*{{{note}}}"
        elif line.note:
            rows[-1] += f" \\\\*[-\\jot]\n& \\parbox[t]{{{share}}}{{\\raggedright {note}\\strut}}"
        return rows

    def listing(self, block: Listing) -> str:
        lines = "\\\\\n".join(rf"\mbox{{{_prose(line)}}}" for line in block.text.splitlines())
        return f"\\begin{{quote}}\\ttfamily\\small\n{lines}\n\\end{{quote}}"

    def table(self, block: TableBlock) -> str:
        cells, digits = [block.header, *block.rows], self.emitter.digits
        columns = _column_format(
            max(span([cell], digits) for cell in column) for column in zip(*cells, strict=True)
        )
        header, *rows = (" & ".join(self.inline([cell]) for cell in row) + r" \\" for row in cells)
        inner = "\n".join([rf"\toprule {header} \midrule", *rows, r"\bottomrule"])
        if len(rows) > _LONG_TABLE:
            return f"\\begin{{longtable}}{{{columns}}}\n{inner}\n\\end{{longtable}}"
        table = f"\\begin{{tabular}}{{{columns}}}\n{inner}\n\\end{{tabular}}"
        return f"\\begin{{center}}\\renewcommand{{\\arraystretch}}{{1.2}}\n{table}\n\\end{{center}}"

    def figure(self, block: Figure) -> str:
        caption = self.inline([block.drawing.caption, " ", *weights(block.drawing)])
        return f"{self.table(neurons(block.drawing))}\n\n\\begin{{quote}}\\small {caption}\\end{{quote}}"


def _prose(words: str) -> str:
    """Running text."""
    source = "".join(_ESCAPES.get(character, character) for character in printable(words))
    return unligatured(source, r"{\kern0pt}")


def _column_format(spans: Iterable[int]) -> str:
    """Words left, numbers right; where they are too wide for the page, wide columns are wrapped."""
    widths = list(spans)
    total = sum(widths) + 3 * len(widths)
    kinds = ["l", *"r" * (len(widths) - 1)]
    if total <= _ROOM:
        return "".join(kinds)
    return "".join(
        f"p{{{0.9 * wide / total:.2f}\\linewidth}}" if wide > _NARROW else kind
        for kind, wide in zip(kinds, widths, strict=True)
    )

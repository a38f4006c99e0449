"""A document as a web page that needs nothing else: MathML formulas, an SVG figure, the font inside."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from html import escape
from math import inf

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
from deltarule.documents.renderers.renderer import Renderer
from deltarule.documents.svg import svg
from deltarule.documents.svg_style import TAG_COLOURS, TAG_COLOURS_DARK, joined_rules, tag_properties
from deltarule.formula.mathml import MathmlEmitter, escaped
from deltarule.formula.spoken import spoken
from deltarule.formula.tree import Expr, Words

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
#: Wider sides, in digits, may run on in a new line.
_BREAKABLE = 22
#: Lines that are no wider, in em, have their sides below each other where the page has this room.
_ROOMS = (26, 40, 54)
#: A formula and the punctuation around it, which share a line.
_KEPT = re.compile(r"[(“]*<math [^>]*>(?:(?!</math>).)*</math>[,.;:!?)”’]+")
#: A digit, in em.
_EM = 0.56
#: Sides in one piece that are wider, in digits, are drawn smaller.
_WIDE = {"widest": 90, "wide": 64}
_MOST_COLUMNS = 8  # of a figure that is scaled down to the page's width
_MOST_NARROW = 5  # columns of a figure that has a form for narrow pages


def html(document: Document) -> str:
    """The document as a whole HTML file, which is XML too.

    It runs no script and loads nothing, and says so to the browser.
    """
    head = (
        '<meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        '<meta name="color-scheme" content="light dark"/>'
        f"<title>{escaped(document.title)}</title>"
        f"<style>{_font()}{style()}{_OF_PAGE}</style>"
    )
    body = f'<main class="deltarule">\n{content(document)}\n</main>'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'


def fragment(document: Document, font: bool = True, plain: str = "") -> str:
    """The document for a place inside a page, such as a notebook's output.

    Parameters
    ----------
    document : Document
    font : bool
        Whether the fragment brings its font for formulas, 80 kB; without, the page's or the system's is used.
    plain : str
        What is shown instead where a notebook that is not trusted leaves out styles, formulas and drawings.
    """
    rules = (_font() if font else "") + style()
    body = content(document)
    if plain:
        rules += ".deltarule .plain{display:none}.deltarule .full{display:block!important}"
        body = f'<div class="full" style="display:none">{body}</div>'
        body = f'<pre class="plain">{escape(plain)}</pre>\n{body}'
    return f'<div class="deltarule" lang="en"><style>{rules}</style>\n{body}\n</div>'


@cache
def _font() -> str:
    source = f"data:font/woff2;base64,{b64encode(asset('stix-two-math.woff2')).decode()}"
    return f'@font-face{{font-family:"deltarule-math";src:url({source}) format("woff2")}}'


# ------------------------------------------------------------------ content


def content(document: Document) -> str:
    """The title and the blocks in sections, which headings of level 2 begin; the place has :func:`style`."""
    renderer = HtmlRenderer(document.digits)
    sections: list[list[str]] = [[]]
    for block in document.blocks:
        if isinstance(block, Heading) and block.level <= 2 and sections[-1]:
            sections.append([])
        sections[-1].append(renderer(block))
    written = ("\n".join(["<section>", *blocks, "</section>"]) for blocks in sections)
    return "\n".join([f"<h1>{escaped(document.title)}</h1>", *written])


class HtmlRenderer(Renderer):
    """Writes each block of a document as HTML."""

    def __init__(self, digits: int | str) -> None:
        self.emitter = MathmlEmitter(digits)

    def inline(self, parts: Iterable[Inline]) -> str:
        return _KEPT.sub(r'<span class="kept">\g<0></span>', super().inline(parts))

    def part(self, part: Inline) -> str:
        if isinstance(part, str | Words):
            return escaped(part if isinstance(part, str) else part.words)
        math = f"<math {self._aloud(part)}>{self.emitter(part)}</math>"
        return f'<span class="scroll">{math}</span>' if self.emitter.width(part) > _BREAKABLE else math

    def heading(self, block: Heading) -> str:
        level = min(max(block.level, 2), 6)
        return f"<h{level}>{self.inline(block.parts)}</h{level}>"

    def paragraph(self, block: Paragraph) -> str:
        kind = ' class="aside"' if block.aside else ""
        return f"<p{kind}>{self.inline(block.parts)}</p>"

    def figure(self, block: Figure) -> str:
        drawing = block.drawing
        kind = ' class="wide"' if len(drawing.columns) > _MOST_COLUMNS else ""
        caption = f"<figcaption>{escaped(drawing.caption)}</figcaption>" if drawing.caption else ""
        plain = replace(drawing, caption="")
        picture = svg(plain)
        if len(drawing.columns) <= _MOST_NARROW:
            picture += svg(plain, narrow=True)
        return f'<figure{kind}><div class="scroll">{picture}</div>{caption}</figure>'

    def listing(self, block: Listing) -> str:
        return f"<pre>{escaped(block.text)}</pre>"

    def table(self, block: TableBlock) -> str:
        head = "".join(f'<th scope="col">{self.part(cell)}</th>' for cell in block.header)
        rows = "".join(f"<tr>{''.join(self._table_cells(row))}</tr>" for row in block.rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f'<div class="scroll">{table}</div>'

    def _table_cells(self, row: tuple[Inline, ...]) -> Iterator[str]:
        for index, cell in enumerate(row):
            content = self.part(cell) if isinstance(cell, str | Words) else self._math(cell)
            yield f"<td>{content}</td>" if index else f'<th scope="row">{content}</th>'

    # -------------------------------------------------------------- lines of formulas

    def lines(self, block: Lines) -> str:
        need = self._needed_width(block.lines)
        room = next((f" room{room}" for room in _ROOMS if need <= room), "")
        lines = "\n".join(map(self._formula_line, block.lines))
        path = "" if block.path is None else f" p{block.path}"
        return f'<div class="lines{room}{path}">\n{lines}\n</div>'

    def _needed_width(self, lines: tuple[Line, ...]) -> float:
        """How wide the lines are, in em, sides below sides; infinite where they are not alike."""
        counts = {len(line.sides) for line in lines}
        if len(counts) != 1 or max(counts) > 5:
            return inf
        widths = zip(*([self.emitter.width(side) for side in line.sides] for line in lines), strict=True)
        columns: list[tuple[float, ...]] = list(widths)
        if any(max(column) > 1.4 * min(column) + 4 for column in columns[1:-1]):
            return inf
        return sum(_EM * max(column) + 1.5 for column in columns) + 10 * any(line.note for line in lines)

    def _formula_line(self, line: Line) -> str:
        quantity, *others = line.sides
        relations = [line.relation, *["="] * len(others)]
        sides = "".join(map(self._formula_side, others, relations))
        note = f'<div class="note">{self.inline(line.note)}</div>' if line.note else ""
        left = f'<div class="left">{self._math(quantity)}</div>'
        kind = "line result" if line.result else f"line {line.verdict.replace(' ', '-')}".rstrip()
        return f'<div class="{kind}" tabindex="0">{left}<div class="sides">{sides}{note}</div></div>'

    def _formula_side(self, side: Expr, relation: str) -> str:
        width = self.emitter.width(side)
        pieces = self.emitter.pieces(side) if width > _BREAKABLE else [self.emitter(side)]
        wide = next((f" {name}" for name, least in _WIDE.items() if len(pieces) == 1 and width > least), "")
        first = f'<mo form="infix">{escaped(relation)}</mo>{pieces[0]}'
        aloud = self._aloud(side, {"=": "equals ", "←": "becomes "}[relation])
        others = (f'<math displaystyle="true" aria-hidden="true">{piece}</math>' for piece in pieces[1:])
        whole = [f'<math displaystyle="true" {aloud}>{first}</math>', *others]
        return f'<div class="side{wide}">{"<wbr/>".join(whole)}</div>'

    def _math(self, formula: Expr) -> str:
        return f'<math displaystyle="true" {self._aloud(formula)}>{self.emitter(formula)}</math>'

    def _aloud(self, formula: Expr, before: str = "") -> str:
        """The attribute with the formula in words."""
        words = escaped(before + spoken(formula, self.emitter.digits)).replace('"', "&quot;")
        return f'aria-label="{words}"'


# ------------------------------------------------------------------ style

_LIGHT = "--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d5dae0;--fill:#f4f6f8;"
_DARK = "--paper:#16181d;--ink:#e6e9ed;--soft:#9aa4b0;--line:#3a414b;--fill:#22262d;"
_ON_DARK = "@media screen and (prefers-color-scheme:dark)"
_OF_PAGE = f"body{{margin:0;background:#fff}}{_ON_DARK}{{body{{background:#16181d}}}}"
#: Below what has a colour, on paper without colours or where little contrast is seen.
_CUES = ("1px solid", "1px dashed", "1.5px dotted", "2.5px double")


@cache
def style() -> str:
    """The rules of what has the class "deltarule", each below the class of a document: & stands for it."""
    light, dark = _LIGHT + tag_properties(TAG_COLOURS), _DARK + tag_properties(TAG_COLOURS_DARK)
    rules, of_tag, of_room, others = joined_rules(asset("document.css").decode())
    tags = (of_tag.replace("CUE", _CUES[tag % 4]).replace("#", str(tag)) for tag in range(len(TAG_COLOURS)))
    rooms = (of_room.replace("#", str(room)) for room in _ROOMS)
    whole = "".join([f"&{{{light}}}{_ON_DARK}{{&{{{dark}}}}}", rules, *tags, *rooms, others])
    return whole.replace("&", ".deltarule")

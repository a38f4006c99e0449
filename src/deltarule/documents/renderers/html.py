"""A document as a web page that needs nothing else: MathML formulas, an SVG figure, the font inside."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

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
from deltarule.documents.svg import TAG_COLOURS, TAG_COLOURS_DARK, svg
from deltarule.formula.mathml import MathmlEmitter, escaped
from deltarule.formula.tree import Expr, Words

__all__ = ["fragment", "html"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
#: Wider sides, in digits, may run on in a new line.
_BREAKABLE = 22
#: Lines that are no wider, in em, have their sides below each other where the page has this room.
_ROOMS = (26, 40, 54)
#: A formula and the punctuation around it, which share a line.
_KEPT = re.compile(r"[(“]*<math>(?:(?!</math>).)*</math>[,.;:!?)”’]+")
#: A digit, in em.
_EM = 0.56
#: Sides in one piece that are wider, in digits, are drawn smaller.
_WIDE = {"widest": 90, "wide": 64}
_MOST_COLUMNS = 8  # of a figure that is scaled down to the page's width


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
        f"<style>{_font()}{_style()}{_PAGE}</style>"
    )
    body = f'<main class="deltarule">\n{_content(document)}\n</main>'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'


def fragment(document: Document, font: bool = True) -> str:
    """The document for a place inside a page, such as a notebook's output.

    Parameters
    ----------
    document : Document
    font : bool
        Whether the fragment brings its font for formulas, 80 kB; without, the page's or the system's is used.
    """
    style = (_font() if font else "") + _style()
    return f'<div class="deltarule" lang="en"><style>{style}</style>\n{_content(document)}\n</div>'


@cache
def _font() -> str:
    data = files("deltarule.documents").joinpath("assets", "stix-two-math.woff2").read_bytes()
    source = f"data:font/woff2;base64,{b64encode(data).decode()}"
    return f'@font-face{{font-family:"deltarule-math";src:url({source}) format("woff2")}}'


# ------------------------------------------------------------------ content


def _content(document: Document) -> str:
    page = _Page(document.digits)
    sections = (f"<section>\n{page.blocks(part)}\n</section>" for part in _parts(document.blocks))
    return "\n".join([f"<h1>{escaped(document.title)}</h1>", *sections])


def _parts(blocks: Iterable[Block]) -> list[list[Block]]:
    """The blocks of each part: a heading of level 2 begins one."""
    parts: list[list[Block]] = [[]]
    for block in blocks:
        if isinstance(block, Heading) and block.level <= 2 and parts[-1]:
            parts.append([])
        parts[-1].append(block)
    return parts


class _Page:
    """Writes each block as HTML."""

    def __init__(self, digits: int | str) -> None:
        self.emit = MathmlEmitter(digits)
        self.writers: dict[type[Any], Callable[[Any], str]] = {
            Heading: self.heading,
            Paragraph: self.paragraph,
            Lines: self.lines,
            Table: self.table,
            Figure: self.figure,
        }

    def blocks(self, blocks: Iterable[Block]) -> str:
        return "\n".join(self.writers[type(block)](block) for block in blocks)

    def inline(self, parts: Iterable[Inline]) -> str:
        return _KEPT.sub(r'<span class="kept">\g<0></span>', "".join(map(self._inline, parts)))

    def _inline(self, part: Inline) -> str:
        if isinstance(part, str | Words):
            return escaped(part if isinstance(part, str) else part.words)
        math = f"<math>{self.emit(part)}</math>"
        return f'<span class="scroll">{math}</span>' if self.emit.width(part) > _BREAKABLE else math

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
        picture = svg(replace(drawing, caption=""))
        return f'<figure{kind}><div class="scroll">{picture}</div>{caption}</figure>'

    def table(self, block: Table) -> str:
        head = "".join(f'<th scope="col">{self._inline(cell)}</th>' for cell in block.header)
        rows = "".join(f"<tr>{''.join(self._cells(row))}</tr>" for row in block.rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f'<div class="scroll">{table}</div>'

    def _cells(self, row: tuple[Inline, ...]) -> Iterator[str]:
        for index, cell in enumerate(row):
            content = self._inline(cell) if isinstance(cell, str | Words) else _math(self.emit(cell))
            yield f"<td>{content}</td>" if index else f'<th scope="row">{content}</th>'

    # -------------------------------------------------------------- lines of formulas

    def lines(self, block: Lines) -> str:
        need = self._need(block.lines)
        room = next((f" room{room}" for room in _ROOMS if need <= room), "")
        lines = "\n".join(map(self.line, block.lines))
        return f'<div class="lines{room}">\n{lines}\n</div>'

    def _need(self, lines: tuple[Line, ...]) -> float:
        """How wide the lines are, in em, sides below sides; infinite where they are not alike."""
        counts = {len(line.sides) for line in lines}
        if len(counts) != 1 or max(counts) > 5:
            return inf
        widths = zip(*([self.emit.width(side) for side in line.sides] for line in lines), strict=True)
        columns: list[tuple[float, ...]] = list(widths)
        if any(max(column) > 1.4 * min(column) + 4 for column in columns[1:-1]):
            return inf
        return sum(_EM * max(column) + 1.5 for column in columns) + 10 * any(line.note for line in lines)

    def line(self, line: Line) -> str:
        quantity, *others = line.sides
        relations = [line.relation, *["="] * len(others)]
        sides = "".join(map(self._side, others, relations))
        note = f'<div class="note">{self.inline(line.note)}</div>' if line.note else ""
        left = f'<div class="left">{_math(self.emit(quantity))}</div>'
        kind = "line result" if line.result else "line"
        return f'<div class="{kind}">{left}<div class="sides">{sides}{note}</div></div>'

    def _side(self, side: Expr, relation: str) -> str:
        width = self.emit.width(side)
        pieces = self.emit.pieces(side) if width > _BREAKABLE else [self.emit(side)]
        wide = next((f" {name}" for name, least in _WIDE.items() if len(pieces) == 1 and width > least), "")
        first = f'<mo form="infix">{escaped(relation)}</mo>{pieces[0]}'
        return f'<div class="side{wide}">{"<wbr/>".join(map(_math, [first, *pieces[1:]]))}</div>'


def _math(content: str) -> str:
    return f'<math displaystyle="true">{content}</math>'


# ------------------------------------------------------------------ style


def _style() -> str:
    """The rules, each below the class of a document: & stands for it."""
    light = _LIGHT + "".join(f"--t{tag}:{colour};" for tag, colour in enumerate(TAG_COLOURS))
    dark = _DARK + "".join(f"--t{tag}:{colour};" for tag, colour in enumerate(TAG_COLOURS_DARK))
    schemes = f"&{{{light}}}{_ON_DARK}{{&{{{dark}}}}}"
    tags = "".join(map(_tag_rules, range(len(TAG_COLOURS))))
    rooms = "".join(_ROOM.replace("#", str(room)) for room in _ROOMS)
    rules = f"{schemes}{_RULES}{tags}{rooms}{_NARROW}{_PRINT}"
    return "".join(line.strip() for line in rules.splitlines()).replace("&", ".deltarule")


def _tag_rules(tag: int) -> str:
    return (_TAG + _CUE.replace("CUE", _CUES[tag % len(_CUES)])).replace("#", str(tag))


_LIGHT = "--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d5dae0;--fill:#f4f6f8;"
_DARK = "--paper:#16181d;--ink:#e6e9ed;--soft:#9aa4b0;--line:#3a414b;--fill:#22262d;"
_ON_DARK = "@media screen and (prefers-color-scheme:dark)"
_PAGE = f"body{{margin:0;background:#fff}}{_ON_DARK}{{body{{background:#16181d}}}}"

_RULES = """
& {background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
  "Noto Sans","Liberation Sans",Arial,sans-serif;container-type:inline-size;box-sizing:border-box;
  max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem;text-align:left;
  overflow-wrap:break-word;color-scheme:light dark}
div& {padding:1rem 1.25rem;margin:0}
& h1,& h2,& h3,& h4 {font-weight:600;line-height:1.3;color:inherit;text-wrap:balance;break-after:avoid}
& h1 {font-size:1.75em;margin:0 0 1.2em}
& h2 {font-size:1.35em;margin:2.4em 0 .7em;padding-bottom:.3em;border-bottom:1px solid var(--line)}
& h3 {font-size:1.1em;margin:2em 0 .6em}
& h4 {font-size:1em;margin:1.6em 0 .5em}
& p {max-width:44rem;margin:.9em 0}
& p.aside {color:var(--soft);font-size:.9em;padding-left:1em;border-left:2px solid var(--line)}
& math {font-family:"deltarule-math",math;font-size:1.12em;font-style:normal;font-weight:400;text-indent:0;
  line-height:1.2;white-space:nowrap}
& .scroll {max-width:100%;overflow:auto hidden;padding-bottom:.1em}
& span.scroll {display:inline-block;vertical-align:bottom}

& .lines {display:grid;grid-template-columns:max-content minmax(0,1fr);row-gap:.5em;margin:1em 0;
  padding:.25em 0;overflow:auto hidden}
& .line {display:grid;grid-template-columns:subgrid;grid-column:1/-1;align-items:baseline}
& .left {text-align:right;padding-left:.6em}
& .sides {display:flex;flex-wrap:wrap;align-items:baseline;row-gap:.15em;min-width:0;padding-right:.6em}
& .side {max-width:100%;padding-left:1.7em;text-indent:-1.7em;line-height:1.3;box-sizing:border-box}
& .side math,& .left math,& h2 math,& h3 math {margin:.22em 0}
& .note math {math-style:normal}
& .kept {white-space:nowrap}
& .wide mtable {font-size:.92em}
& .widest mtable {font-size:.76em}
& .note {color:var(--soft);font-size:.875em;line-height:1.45;padding-left:2.2em;max-width:36em}
& .result {background:var(--fill);border-left:3px solid var(--ink);border-radius:3px;padding:.5em 0}

& mrow.box {border:1.5px solid currentColor;border-radius:4px;padding:.22em .4em;background:var(--paper)}
& mtd {padding:.18em .38em}
& mtable.matrix mtd {text-align:-webkit-right;text-align:-moz-right;justify-items:end}
& mtable.cases,& mtable.stack {math-style:normal}
& mtable.cases mtd,& mtable.stack mtd {text-align:-webkit-left;text-align:-moz-left;justify-items:start}
& mtable.cases mtd:first-child {padding-right:1.2em}
& mtd:first-child {padding-left:.15em}
& mtd:last-child {padding-right:.15em}
& mrow.aside {color:var(--soft);font-size:.85em}
& munder>mo {outline:99em solid transparent}
& msub>:nth-child(n+2),& msup>:nth-child(n+2),& msubsup>:nth-child(n+2),& munder>:nth-child(n+2):not(mo) {
  font-feature-settings:"ssty" 1}

& table {border-collapse:collapse;margin:1.3em 0;font-variant-numeric:tabular-nums;line-height:1.4}
& thead th {border-bottom:1.5px solid var(--ink);font-weight:600;vertical-align:bottom}
& tbody tr {border-bottom:1px solid var(--line)}
& tbody th {font-weight:400}
& th,& td {padding:.4em 1.1em .4em .2em;text-align:right}
& th:first-child {text-align:left}
& figure {margin:2em 0}
& figcaption {color:var(--soft);font-size:.9em;margin-top:.5em;max-width:44rem}
& figure svg {display:block;margin:0 auto;max-width:max(100%,30rem)}
& figure.wide svg {max-width:none}
"""

_TAG = """
& mrow.t# {color:var(--t#)}
& section:has(.t#:hover) mrow.t#,&:has(figure .t#:hover) mrow.t# {border-radius:2px;
  --glow:color-mix(in srgb,currentColor 18%,transparent);background:var(--glow);
  box-shadow:0 0 0 3px var(--glow)}
&:has(.t#:hover) figure .t# {filter:drop-shadow(0 0 4px var(--t#))}
"""

_ROOM = """
@container (min-width:#em) {
& .room# {grid-template-columns:repeat(4,max-content) minmax(0,1fr)}
& .room# .sides {display:contents}
& .room# .side {padding-right:.3em}
& .room# .note {grid-column:-2/-1}
}
"""

_NARROW = """
@media (max-width:30rem) {
& {padding:1.5rem .9rem 3rem}
}
@container (max-width:30em) {
& h1 {font-size:1.45em}
& math {font-size:1em}
& .left {padding-left:.3em}
& .sides {padding-right:0}
& .side {padding-left:1.1em;text-indent:-1.1em}
& .note {padding-left:1.1em}
}
"""

#: On paper without colours, or where little contrast is seen: a line below each, alike below its kin.
_CUE = """
@media print,(prefers-contrast:more) {
& mrow.t# {border-bottom:CUE;padding-bottom:1px}
}
"""
_CUES = ("1px solid", "1px dashed", "1.5px dotted", "2.5px double")

_PRINT = """
@media print {
& {font-size:10.5pt;max-width:none;padding:0;margin:0}
& .lines,& .scroll {overflow:visible}
& .wide mtable {font-size:.84em}
& .widest mtable {font-size:.66em}
& .line,& tr,& figure,& p.aside {break-inside:avoid}
& thead {display:table-header-group}
& p {orphans:3;widows:3}
& figure svg,& figure.wide svg {max-width:100%;max-height:22cm}
& .result {background:none;border:1px solid #000;border-left-width:3px}
}
@page {margin:18mm}
"""

"""A document as LaTeX: an article, or what goes into a person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

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
from deltarule.documents.drawing import Column, Drawing, Edge, Gap, Node
from deltarule.documents.svg import TAG_COLOURS
from deltarule.formula.latex import SYMBOLS, TAG_NAMES, LatexEmitter, printable, unligatured
from deltarule.formula.numbers import FULL
from deltarule.formula.text import text, width
from deltarule.formula.tree import (
    Add,
    Box,
    Brace,
    Call,
    Choice,
    Compare,
    Div,
    Expr,
    Matrix,
    Mul,
    Neg,
    Number,
    Partial,
    Pow,
    Rest,
    Symbol,
    Tagged,
    Words,
)

__all__ = ["Row", "aligned_rows", "extent", "latex_document", "neurons", "span", "weights"]

_ROOM = 78  # digits that fit beside each other
_LABELS = ("x", "b", "net", "z", "out", "a", "y", "δ")  # of a neuron's values, in order
_EXTRA = {Mul: -2, Neg: -2, Pow: -2, Call: 2, Choice: 4}  # digits: signs, parentheses, words of a formula
_NARROW = 12  # digits; a column of a table no wider than that is never wrapped
_LONG_TABLE = 30  # rows; a longer one runs over pages
_MOST_WEIGHTS = 20  # that are listed

_PREAMBLE = r"""\documentclass[11pt,a4paper,fleqn]{article}
\usepackage[margin=24mm]{geometry}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\else
  \usepackage{fontspec}
\fi
\usepackage{amsmath,booktabs,graphicx,longtable,xcolor}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt plus 2pt}
\setlength{\mathindent}{1.5em}
\raggedbottom
"""

# Inside one group, so that nothing of it reaches what stands around the body.
_DEFINITIONS = r"""% Needs \usepackage{amsmath,booktabs,graphicx,longtable,xcolor}
\begingroup
\allowdisplaybreaks
\binoppenalty=9000
\relpenalty=9000
\setlength{\jot}{7pt}
\setlength{\abovedisplayshortskip}{3pt plus 2pt}
\setlength{\belowdisplayshortskip}{6pt plus 2pt}
\setlength{\belowdisplayskip}{6pt plus 2pt}
\csname c@MaxMatrixCols\endcsname=40 % not \setcounter, which is global
\def\remark#1{{\small\color{black!60}#1}}
% #2 made as narrow as #1 where it is wider
\def\fit#1#2{\sbox0{$\displaystyle#2$}%
  \ifdim\wd0>#1\resizebox{#1}{!}{\usebox0}\else\usebox0\fi}
% character #2, U+#1, where the font has none
\def\missing#1#2{\ifdefined\Uchar
    \iffontchar\font"#1\else\catcode"#1=\active
      \begingroup\lccode`\~="#1\lowercase{\endgroup\def~}{[U+#1]}\fi
  \else\ifcsname u8:\detokenize{#2}\endcsname\else
    \expandafter\def\csname u8:\detokenize{#2}\endcsname{[U+#1]}\fi\fi}
"""

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

    Parameters
    ----------
    document : Document
    standalone : bool
        A whole article; else its body without the title, for a document of one's own.
        The packages it needs stand in its first line.
    """
    writer = _Writer(document.digits)
    title = [rf"{{\LARGE\bfseries {_prose(document.title)}\par}}"] if standalone else []
    content = "\n\n".join([*title, *map(writer, document.blocks)])
    body = f"{_DEFINITIONS}{_colours(standalone)}{_missing(content)}\n{content}\n\n\\endgroup\n"
    if not standalone:
        return body
    return f"{_PREAMBLE}\n\\begin{{document}}\n{body}\\end{{document}}\n"


def _colours(own: bool) -> str:
    command = r"\definecolor" if own else r"\providecolor"
    pairs = zip(TAG_NAMES, TAG_COLOURS, strict=True)
    return "".join(f"{command}{{{name}}}{{HTML}}{{{colour[1:].upper()}}}\n" for name, colour in pairs)


def _missing(content: str) -> str:
    """A declaration for each character that a font may not have."""
    rare = sorted(c for c in set(content) if ord(c) > 0xFF and c not in _EVERYWHERE)
    return "".join(f"\\missing{{{ord(c):04X}}}{{{c}}}\n" for c in rare)


class _Writer:
    """Writes blocks."""

    def __init__(self, digits: int | str) -> None:
        self.emitter = LatexEmitter(digits)

    def __call__(self, block: Block) -> str:
        write: Callable[[Block], str] = getattr(self, type(block).__name__.lower())
        return write(block)

    def inline(self, parts: Sequence[Inline]) -> str:
        return "".join(_prose(part) if isinstance(part, str) else self._formula(part) for part in parts)

    def _formula(self, part: Expr) -> str:
        return _prose(part.words) if isinstance(part, Words) else rf"\({self.emitter(part)}\)"

    def heading(self, block: Heading) -> str:
        command = "section" if block.level <= 2 else "subsection"
        return rf"\{command}*{{\boldmath {self.inline(block.parts)}}}"

    def paragraph(self, block: Paragraph) -> str:
        content = self.inline(block.parts)
        return rf"{{\small\color{{black!60}}{content}\par}}" if block.aside else content

    def lines(self, block: Lines) -> str:
        lead = max(extent(line.sides[0], self.emitter.digits) for line in block.lines)
        lines = [" \\\\*\n".join(self._rows(line, lead)) for line in block.lines]
        return "\\noindent\n\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"

    def _rows(self, line: Line, lead: int) -> list[str]:
        share = f"{max(0.3, 0.92 - lead / _ROOM):.2f}\\linewidth"
        rows = aligned_rows(line, self.emitter, _ROOM - lead, lambda source: rf"\fit{{{share}}}{{{source}}}")
        sources = [row.source for row in rows]
        if not line.note:
            return sources
        note = rf"\remark{{{self.inline(line.note)}}}"
        if lead + rows[-1].extent + span(line.note, self.emitter.digits) < _ROOM:
            return [*sources[:-1], rf"{sources[-1]} \tag*{{{note}}}"]
        below = rf"& \parbox[t]{{{share}}}{{\raggedright {note}\strut}}"
        return [*sources[:-1], f"{sources[-1]} \\\\*[-\\jot]\n{below}"]

    def table(self, block: Table) -> str:
        cells = [block.header, *block.rows]
        columns = _columns([max(self._span(cell) for cell in column) for column in zip(*cells, strict=True)])
        header, *rows = (" & ".join(self.inline([cell]) for cell in row) + r" \\" for row in cells)
        inner = "\n".join([rf"\toprule {header} \midrule", *rows, r"\bottomrule"])
        if len(rows) > _LONG_TABLE:
            return f"\\begin{{longtable}}{{{columns}}}\n{inner}\n\\end{{longtable}}"
        table = f"\\begin{{tabular}}{{{columns}}}\n{inner}\n\\end{{tabular}}"
        return f"\\begin{{center}}\\renewcommand{{\\arraystretch}}{{1.2}}\n{table}\n\\end{{center}}"

    def _span(self, cell: Inline) -> int:
        return span([cell], self.emitter.digits)

    def figure(self, block: Figure) -> str:
        caption = self.inline([block.drawing.caption, " ", *weights(block.drawing)])
        return f"{self.table(neurons(block.drawing))}\n\n\\begin{{quote}}\\small {caption}\\end{{quote}}"


def _prose(words: str) -> str:
    """Running text."""
    source = "".join(_ESCAPES.get(character, character) for character in printable(words))
    return unligatured(source, r"{\kern0pt}")


def _columns(widths: Sequence[int]) -> str:
    """Words left, numbers right; where they are too wide for the page, wide columns are wrapped."""
    total = sum(widths) + 3 * len(widths)
    kinds = ["l", *"r" * (len(widths) - 1)]
    if total <= _ROOM:
        return "".join(kinds)
    return "".join(
        f"p{{{0.9 * wide / total:.2f}\\linewidth}}" if wide > _NARROW else kind
        for kind, wide in zip(kinds, widths, strict=True)
    )


# ---------------------------------------------------------------------- layout, for Markdown too


class Row(NamedTuple):
    """A row of aligned formulas, and about how wide it is behind the place where rows are aligned."""

    source: str
    extent: int


def aligned_rows(
    line: Line, emitter: LatexEmitter, room: int, fitted: Callable[[str], str] = lambda source: source
) -> list[Row]:
    """The rows of a line: as many sides in each as there is room for, long sums and products broken.

    What is too wide even alone is passed to ``fitted``.
    """
    quantity, *sides = line.sides
    if line.result and sides and not isinstance(sides[-1], Box):
        sides[-1] = Box(sides[-1])
    rows = [Row(f"{emitter(quantity)} &", 0)]
    for index, side in enumerate(sides):
        sign = r"\leftarrow" if index == 0 and line.relation == "←" else "="
        first, *others = _chunks(side, emitter, room, fitted)
        if index and rows[-1].extent + first.extent + 3 > room:
            rows.append(Row("&", 0))
        rows[-1] = Row(f"{rows[-1].source} {sign} {first.source}", rows[-1].extent + first.extent + 3)
        rows += [Row(rf"& \qquad {{}} {chunk.source}", chunk.extent + 5) for chunk in others]
    return rows


def _chunks(side: Expr, emitter: LatexEmitter, room: int, fitted: Callable[[str], str]) -> list[Row]:
    """A side, in pieces that there is room for."""
    chunks: list[Row] = []
    for source, wide in _pieces(side, _narrowed(side, emitter, room), room):
        if chunks and chunks[-1].extent + wide + 5 <= room:
            chunks[-1] = Row(f"{chunks[-1].source} {source}", chunks[-1].extent + wide)
        else:
            chunks.append(Row(source if wide <= room else fitted(source), wide))
    return chunks


def _pieces(node: Expr, emitter: LatexEmitter, room: int) -> Iterator[Row]:
    """Where a formula may be broken: before the terms of a sum, the factors of a product."""
    wide = extent(node, emitter.digits)
    if wide <= room:
        yield Row(emitter(node), wide)
    elif isinstance(node, Add):
        for source, term in zip(emitter.terms(node), node.terms, strict=True):
            yield from _term(source, term, emitter, room)
    elif isinstance(node, Mul) and node.op == "·":
        for index, factor in enumerate(node.factors):
            first, *others = _factor(factor, emitter, room)
            yield Row(r"\cdot " * (index > 0) + first.source, first.extent + 2)
            yield from others
    elif isinstance(node, Div) and isinstance(node.top, Add):
        yield from _pieces(Mul((Div(Number(1), node.bottom), node.top)), emitter, room)
    else:
        yield Row(emitter(node), wide)


def _term(source: str, term: Expr, emitter: LatexEmitter, room: int) -> Iterator[Row]:
    """A term with its sign; a product that is itself too wide, in pieces."""
    if not isinstance(term, Mul | Div):
        yield Row(source, extent(term, emitter.digits) + 3)
        return
    first, *others = _pieces(term, emitter, room)
    yield Row(f"+ {first.source}" if source.startswith("+ ") else first.source, first.extent + 3)
    yield from others


def _factor(factor: Expr, emitter: LatexEmitter, room: int) -> list[Row]:
    """A factor; a sum that is itself too wide, in pieces between parentheses."""
    wide = extent(factor, emitter.digits)
    if wide <= room or not isinstance(factor, Add) or len(factor.terms) < 2:
        return [Row(emitter.factor(factor), wide)]
    first, *between, last = _pieces(factor, emitter, room)
    return [Row(f"({first.source}", first.extent + 1), *between, Row(f"{last.source})", last.extent + 1)]


def _narrowed(side: Expr, emitter: LatexEmitter, room: int) -> LatexEmitter:
    """Fewer digits, where matrices beside each other would be too wide."""
    terms = side.terms if isinstance(side, Add) else (side,)
    for digits in (6, 4, 3):
        if not _holds_matrix(side) or max(extent(term, emitter.digits) for term in terms) <= room:
            break
        emitter = LatexEmitter(digits if emitter.digits == FULL else min(digits, int(emitter.digits)))
    return emitter


def _holds_matrix(node: Expr) -> bool:
    return isinstance(node, Matrix) or any(map(_holds_matrix, node.parts))


def extent(node: Expr, digits: int | str) -> int:
    """About how many digits could stand in the room that a formula takes."""
    if isinstance(node, Matrix):
        entries = ([3 if cell is None else extent(cell, digits) for cell in row] for row in node.rows)
        columns: Iterator[tuple[int, ...]] = zip(*entries, strict=True)
        return sum(max(column) + 2 for column in columns) + 3
    if isinstance(node, Symbol):
        raised = max(width(node.sub), width(node.sup))
        return width(node.base) + (3 * raised + 3) // 4 + (width(node.index) + 1 if node.index else 0)
    if isinstance(node, Rest):
        return max(10, width(node.what))
    parts = [extent(part, digits) for part in node.parts]
    if not parts:
        return width(text(node, digits))
    if isinstance(node, Div | Partial | Brace | Box | Tagged):
        return max(parts) + isinstance(node, Partial | Box)
    return sum(parts) + 2 * len(parts) + _EXTRA.get(type(node), 0)


def span(parts: Sequence[Inline], digits: int | str) -> int:
    """About how many digits could stand in the room of running text."""
    return sum(width(part) if isinstance(part, str) else extent(part, digits) for part in parts)


def neurons(drawing: Drawing) -> Table:
    """The neurons of a drawing, with what is known of each."""
    nodes = [item for column in drawing.columns for item in column.nodes if isinstance(item, Node)]
    found = {label for node in nodes for label, _ in node.values}
    if any(column.bias for column in drawing.columns):
        found.add("b")
    labels = [*(label for label in _LABELS if label in found), *sorted(found.difference(_LABELS))]
    rows = [row for column in drawing.columns for row in _rows_of(column, labels, _unique(drawing))]
    return Table(("neuron", *labels), tuple(rows))


def _unique(drawing: Drawing) -> bool:
    """Whether no two neurons of different layers have the same name."""
    names = [{item.name for item in column.nodes if isinstance(item, Node)} for column in drawing.columns]
    return len(set().union(*names)) == sum(map(len, names))


def _rows_of(column: Column, labels: Sequence[str], unique: bool) -> Iterator[tuple[Inline, ...]]:
    for item in column.nodes:
        if isinstance(item, Gap):
            yield (f"… {item.count:,} more", *("" for _ in labels))
        else:
            known = dict(item.values)
            yield (
                _tagged(item.name if unique else f"{column.name}: {item.name}", item.tag),
                *(_number(known[label]) if label in known else "" for label in labels),
            )
    if column.bias:
        ((_, value),) = column.bias.values
        shared = _tagged(column.bias.name, column.bias.tag)
        yield (shared, *(_number(value) if label == "b" else "" for label in labels))


def weights(drawing: Drawing) -> tuple[Inline, ...]:
    """The weights of a small network in a row; nothing of a large one."""
    if len(drawing.edges) > _MOST_WEIGHTS:
        return ()
    return tuple(part for index, edge in enumerate(drawing.edges) for part in _weight(drawing, edge, index))


def _weight(drawing: Drawing, edge: Edge, index: int) -> Iterator[Inline]:
    source = drawing.columns[edge.layer - 1].nodes[edge.source]
    target = drawing.columns[edge.layer].nodes[edge.target]
    assert isinstance(source, Node)
    assert isinstance(target, Node)
    symbol, value = Symbol(edge.name[0], edge.name[1:]), _number(edge.text)
    yield "; " if index else "Weights: "
    yield Compare(symbol if edge.tag is None else Tagged(symbol, edge.tag), "=", value)
    if _unique(drawing):
        yield f" from {source.name} to {target.name}"


def _tagged(name: str, tag: int | None) -> Inline:
    return name if tag is None else Tagged(Words(name), tag)


def _number(written: str) -> Expr:
    """A number that is written already, as a formula, so that its sign is a minus."""
    try:
        return Number(float(written))
    except ValueError:
        return Words(written)

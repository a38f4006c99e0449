"""Lines of LaTeX formulas broken into aligned rows that fit the page, for LaTeX and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from deltarule.documents.document import Inline, Line
from deltarule.formula import tree
from deltarule.formula.latex import LatexEmitter
from deltarule.formula.numbers import FULL
from deltarule.formula.text import text, width

#: Digits that the signs, parentheses and words of a formula take.
_EXTRA = {tree.Mul: -2, tree.Neg: -2, tree.Pow: -2, tree.Call: 2, tree.Choice: 4}


class FormulaRow(NamedTuple):
    """A row of aligned formulas, and about how wide it is behind the place where rows are aligned."""

    source: str
    extent: int


def aligned_rows(
    line: Line, emitter: LatexEmitter, room: int, fitted: Callable[[str], str] = str
) -> tuple[list[str], bool]:
    """The rows of a line, and whether there is room for its remark behind the last.

    In each row stand as many sides as there is room for; long sums and products are broken. What is too wide
    even alone is passed to ``fitted``.
    """
    quantity, *sides = line.sides
    if line.result and sides and not isinstance(sides[-1], tree.Box):
        sides[-1] = tree.Box(sides[-1])
    rows = [FormulaRow(f"{emitter(quantity)} &", 0)]
    for index, side in enumerate(sides):
        sign = r"\leftarrow" if index == 0 and line.relation == "←" else "="
        chunks: list[FormulaRow] = []
        for source, wide in _pieces(side, _with_fewer_digits(side, emitter, room), room):
            if chunks and chunks[-1].extent + wide + 5 <= room:
                chunks[-1] = FormulaRow(f"{chunks[-1].source} {source}", chunks[-1].extent + wide)
            else:
                chunks.append(FormulaRow(source if wide <= room else fitted(source), wide))
        first, *others = chunks
        if index and rows[-1].extent + first.extent + 3 > room:
            rows.append(FormulaRow("&", 0))
        rows[-1] = FormulaRow(f"{rows[-1].source} {sign} {first.source}", rows[-1].extent + first.extent + 3)
        rows += [FormulaRow(rf"& \qquad {{}} {chunk.source}", chunk.extent + 5) for chunk in others]
    return [row.source for row in rows], rows[-1].extent + span(line.note, emitter.digits) < room


def _pieces(node: tree.Expr, emitter: LatexEmitter, room: int) -> Iterator[FormulaRow]:
    """Where a formula may be broken: before the terms of a sum, the factors of a product."""
    wide = extent(node, emitter.digits)
    if wide <= room:
        yield FormulaRow(emitter(node), wide)
    elif isinstance(node, tree.Add):
        for source, term in zip(emitter.terms(node), node.terms, strict=True):
            yield from _term_pieces(source, term, emitter, room)
    elif isinstance(node, tree.Mul) and node.op == "·":
        for index, factor in enumerate(node.factors):
            first, *others = _factor_pieces(factor, emitter, room)
            yield FormulaRow(r"\cdot " * (index > 0) + first.source, first.extent + 2)
            yield from others
    elif isinstance(node, tree.Div) and isinstance(node.top, tree.Add):
        yield from _pieces(tree.Mul((tree.Div(tree.Number(1), node.bottom), node.top)), emitter, room)
    else:
        yield FormulaRow(emitter(node), wide)


def _term_pieces(source: str, term: tree.Expr, emitter: LatexEmitter, room: int) -> Iterator[FormulaRow]:
    """A term with its sign; a product that is itself too wide, in pieces."""
    if not isinstance(term, tree.Mul | tree.Div):
        yield FormulaRow(source, extent(term, emitter.digits) + 3)
        return
    first, *others = _pieces(term, emitter, room)
    yield FormulaRow(f"+ {first.source}" if source.startswith("+ ") else first.source, first.extent + 3)
    yield from others


def _factor_pieces(factor: tree.Expr, emitter: LatexEmitter, room: int) -> list[FormulaRow]:
    """A factor; a sum that is itself too wide, in pieces between parentheses."""
    wide = extent(factor, emitter.digits)
    if wide <= room or not isinstance(factor, tree.Add) or len(factor.terms) < 2:
        return [FormulaRow(emitter.factor(factor), wide)]
    first, *between, last = _pieces(factor, emitter, room)
    opening, closing = FormulaRow(f"({first.source}", first.extent + 1), f"{last.source})"
    return [opening, *between, FormulaRow(closing, last.extent + 1)]


def _with_fewer_digits(side: tree.Expr, emitter: LatexEmitter, room: int) -> LatexEmitter:
    """Fewer digits, where matrices beside each other would be too wide."""
    terms = side.terms if isinstance(side, tree.Add) else (side,)
    for digits in (6, 4, 3):
        if not _holds_matrix(side) or max(extent(term, emitter.digits) for term in terms) <= room:
            break
        emitter = LatexEmitter(digits if emitter.digits == FULL else min(digits, int(emitter.digits)))
    return emitter


def _holds_matrix(node: tree.Expr) -> bool:
    return isinstance(node, tree.Matrix) or any(map(_holds_matrix, node.parts))


def extent(node: tree.Expr, digits: int | str) -> int:
    """About how many digits could stand in the room that a formula takes."""
    if isinstance(node, tree.Matrix):
        entries = ([3 if cell is None else extent(cell, digits) for cell in row] for row in node.rows)
        columns: Iterator[tuple[int, ...]] = zip(*entries, strict=True)
        return sum(max(column) + 2 for column in columns) + 3
    if isinstance(node, tree.Symbol):
        raised = max(width(node.sub), width(node.sup))
        return width(node.base) + (3 * raised + 3) // 4 + (width(node.index) + 1 if node.index else 0)
    if isinstance(node, tree.Rest):
        return max(10, width(node.what))
    parts = [extent(part, digits) for part in node.parts]
    if not parts:
        return width(text(node, digits))
    if isinstance(node, tree.Div | tree.Partial | tree.Brace | tree.Box | tree.Tagged):
        return max(parts) + isinstance(node, tree.Partial | tree.Box)
    return sum(parts) + 2 * len(parts) + _EXTRA.get(type(node), 0)


def span(parts: Iterable[Inline], digits: int | str) -> int:
    """About how many digits could stand in the room of running text."""
    return sum(width(part) if isinstance(part, str) else extent(part, digits) for part in parts)

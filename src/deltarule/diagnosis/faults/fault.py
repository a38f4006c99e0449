"""A fault: its line, its expression, what is wrong there, and the numbers that show it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import Row
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Frame, Operation

_MOST_NUMBERS = 3


@dataclass(frozen=True)
class Fault:
    """One mistake: its line, the expression, and what is wrong with it.

    Parameters
    ----------
    kind : str
        derivative, factor, sign, untrained, shape, penalty, optimizer, behaviour or syntax.
    line, expression, text : int, str, str
        Where it is, and what is wrong there.
    parameters : tuple of str
        Those that it spoils.
    last_right : str
        What is still right before it.
    other_line : int
        A second line that has to do with it, 0 for none.
    columns : (int, int) or None
        Start and end of the expression within its line, in characters from 0.
    numbers : tuple of (place, found, expected)
        Up to three entries of a spoilt parameter, the one furthest off first: ``W1[0,1]``, the gradient that
        the step says (the step over the factor that the right steps have), and what it should be.
    should_be : str
        The statement as it should be; empty where that could not be verified with the recorded numbers.
    mistake : str
        Its key in the catalogue; empty where it has none.
    is_vague : bool
        Whether nothing says what should stand there: if nothing else fits, the program was not understood.
    """

    kind: str
    line: int
    expression: str
    text: str
    parameters: tuple[str, ...] = ()
    last_right: str = ""
    other_line: int = 0
    columns: tuple[int, int] | None = None
    numbers: tuple[tuple[str, float, float], ...] = ()
    should_be: str = ""
    mistake: str = ""
    is_vague: bool = False


def fault_at(
    analysis: Analysis,
    kind: str,
    at: Operation | Frame | int,
    text: str,
    rows: Iterable[Row] = (),
    **more: Any,
) -> Fault:
    """Return the fault of an operation, of a call, or of a whole line; ``rows`` are the steps it spoils."""
    source, rows = analysis.source, list(rows)
    if isinstance(at, int):
        line, node = at, None
    elif isinstance(at, Operation):
        line, node = source.line(at), source.expression(at)
    else:
        line, node = at[2], source.node(at)
    if not line:  # computed in a library: the line of a step that it spoils
        line, node = more.get("other_line", 0) or next((row.change.line for row in rows), 0), None
    whole = source.text_at(line)
    more.setdefault("parameters", tuple(dict.fromkeys(row.change.name for row in rows)))
    more.setdefault("numbers", numbers_of(analysis, rows))
    expression = source.segment(node) or whole.strip()
    return Fault(kind, line, expression, text, columns=_columns(source, node, line), **more)


def _columns(source: ProgramSource, node: ast.AST | None, line: int) -> tuple[int, int] | None:
    """Where an expression stands within its line; of several lines, what is on this one."""
    if not line:
        return None
    whole = source.text_at(line)
    start, end = len(whole) - len(whole.lstrip()), len(whole.rstrip())
    if isinstance(node, ast.expr | ast.stmt):
        coded = whole.encode()
        if node.lineno == line:
            start = len(coded[: node.col_offset].decode(errors="ignore"))
        if node.end_lineno == line:
            end = len(coded[: node.end_col_offset].decode(errors="ignore"))
    return start, max(start, end)


def numbers_of(
    analysis: Analysis, rows: list[Row], turned: bool = False
) -> tuple[tuple[str, float, float], ...]:
    """The entries that are furthest off in the first step that is off."""
    for row in rows if analysis.chosen is not None else ():
        scale = analysis.comparison.common.get(row.step, 0.0) or row.factor
        scale = -abs(scale) if turned and not row.change.is_returned else abs(scale) if turned else scale
        step, wanted = np.ravel(row.change.step), np.ravel(row.gradient)
        if row.found is not None and row.found.size == wanted.size:  # what the optimizer was given
            step, scale = analysis.tape.result(row.found).ravel(), row.factor
        found = step / scale if scale else step
        off = np.nan_to_num(np.abs(found - wanted))
        if off.any():
            places = [k for k in np.argsort(-off, kind="stable")[:_MOST_NUMBERS].tolist() if off[k] > 0]
            return tuple((_place(row, k), float(found[k]), float(wanted[k])) for k in places)
    return ()


def _place(row: Row, number: int) -> str:
    """The name of one entry, as ``W1[0,1]``."""
    shape, name = row.change.shape, row.change.name
    if row.gradient.size == 1:
        return name
    if row.change.key[0] == "numbers" or int(np.prod(shape)) != row.gradient.size:
        return f"{name} ({number + 1} of {row.gradient.size})"
    return f"{name}[{','.join(str(int(k)) for k in np.unravel_index(number, shape))}]"

"""A factor that is too much or too little, taken out of the statement that brings it in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from deltarule.diagnosis.faults.factors import at_the_update, scalars_in
from deltarule.diagnosis.faults.names import is_path
from deltarule.diagnosis.faults.repair import corrected, with_turned_sign, without_number
from deltarule.diagnosis.faults.replay import Correction, repairs, result_of, turns_of
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import FACTOR, RIGHT, Row
from deltarule.diagnosis.recording.tape import Operation, Tape


def without_factor(analysis: Analysis, rows: list[Row], op: Operation) -> str:
    """The statement without a factor that these steps have against the others; empty if not verified."""
    ratio = rows[0].ratio
    rows = [one for one in analysis.comparison.rows if one.verdict == FACTOR]
    rows = [one for one in rows if abs(one.ratio / ratio - 1) < 1e-4]
    for text, at in _candidates(analysis, rows[0], op):
        is_update = at.old is not None and len({str(one.change.key) for one in rows}) == 1
        if text and (is_update or _is_repaired(analysis, rows, at)):
            return text
    return ""


def _candidates(analysis: Analysis, row: Row, op: Operation) -> Iterator[tuple[str, Operation]]:
    """(statement, operation that changes by it)."""
    source, tape, ratio = analysis.source, analysis.tape, row.ratio
    here = {k for k in row.change.sources if source.statement(tape.operations[k]) is source.statement(op)}
    brought = scalars_in(analysis, {op.index, *here}) + scalars_in(analysis, at_the_update(analysis, row))
    for one, number, _ in brought:
        if abs(number / ratio - 1) < 1e-6:
            yield without_number(source, one, _side_of(tape, one, number)), one
    if abs(ratio + 1) < 1e-6:
        for update in row.change.updates[:1]:
            yield with_turned_sign(source, update), update
        node = source.expression(op)
        if isinstance(node, ast.UnaryOp):
            yield corrected(source, node, ast.unparse(node.operand)), op
    node, frame_of_op = source.expression(op), source.frame(op)
    yield _sum_for_mean(analysis, op, ratio), op
    if isinstance(node, ast.AugAssign):
        node = node.value
    for one, number, name in scalars_in(analysis, _right_sources(analysis, row)):
        frame = source.frame(one)
        is_near = frame is not None and frame_of_op is not None and frame[0] is frame_of_op[0]
        if node is not None and is_near and abs(number * ratio - 1) < 1e-6 and is_path(name):
            sign = "/" if one.name == "divide" else "*"
            yield corrected(source, node, f"({ast.unparse(node)}) {sign} {name}", node), op


def _side_of(tape: Tape, op: Operation, number: float) -> int:
    """Which operand is a number that was not computed from data."""
    for side, ids in enumerate(op.inputs):
        value = tape.operand(op, side)
        is_given = ids is None or tape.operations[tape.producers(ids)[0]].initial
        if value.size == 1 and is_given and float(value.flat[0]) in (number, 1 / number):
            return side
    return 1


def _sum_for_mean(analysis: Analysis, op: Operation, ratio: float) -> str:
    """A sum in place of a mean, or a mean in place of a sum, if that is the ratio."""
    node = analysis.source.expression(op)
    other = {"sum": "mean", "mean": "sum"}.get(op.name, "")
    if not other or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    count = analysis.tape.operand(op, 0).size / op.size
    if node.func.attr != op.name or abs(ratio / (count if other == "mean" else 1 / count) - 1) > 1e-6:
        return ""
    function = ast.Attribute(node.func.value, other, ast.Load())
    return corrected(analysis.source, node, ast.unparse(ast.Call(function, node.args, node.keywords)))


def _right_sources(analysis: Analysis, row: Row) -> set[int]:
    right = [one for one in analysis.comparison.rows if one.step == row.step and one.verdict == RIGHT]
    return set().union(*(one.change.sources | at_the_update(analysis, one) for one in right))


def _is_repaired(analysis: Analysis, rows: list[Row], op: Operation) -> bool:
    ratio = rows[0].ratio
    turns = turns_of(analysis.tape, op, set().union(*(row.change.sources for row in rows)))
    corrections: dict[int, Correction] = {
        one.index: lambda operands, one=one: result_of(one, operands) / ratio  # type: ignore[misc]
        for one in (turns or [op])
    }
    return repairs(analysis.tape, analysis.chosen, rows, corrections)

"""Constant factors: which numbers scale a change, and which operation brings in one too many."""

from __future__ import annotations

import math
import re

import numpy as np

from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import FACTOR, OPTIMIZER, RIGHT, ZERO, GradientComparison, Row
from deltarule.diagnosis.reading.given import multiples_of_gradient
from deltarule.diagnosis.recording.tape import Operation, Tape


def maker(tape: Tape, op: Operation) -> Operation:
    """The operation whose result this is a multiple of by single numbers."""
    while op.name in ("multiply", "divide", "negative", "power", "square") and not op.is_leaf:
        large = [ids for ids in op.read if ids.shape == op.shape]
        others = [tape.operand(op, k).size for k, ids in enumerate(op.inputs) if ids is None or ids.size == 1]
        if len(large) != 1 or any(size > 1 for size in others) or len(tape.producers(large[0])) != 1:
            break
        op = tape.operations[tape.producers(large[0])[0]]
    return op


def is_added(tape: Tape, start: int) -> bool:
    """Whether what has this id is first added to something, as a bias is."""
    behind = tape.operations[tape.operation_of(start).index + 1 :]
    reader = next((op for op in behind if any((ids == start).any() for ids in op.read)), None)
    return reader is not None and reader.name == "add"


def scalars_in(analysis: Analysis, operations: set[int]) -> list[tuple[Operation, float, str]]:
    """(operation, number, its name) of the products with single numbers."""
    tape = analysis.tape
    found = []
    for index in sorted(operations, reverse=True):
        op = tape.operations[index]
        if op.name not in ("multiply", "divide"):
            continue
        for which in (0, 1):
            ids, value = op.inputs[which], tape.operand(op, which)
            if value.size == 1 and (ids is None or tape.operations[tape.producers(ids)[0]].initial):
                number = float(value.flat[0])
                node = getattr(analysis.source.expression(op), ("left", "right")[which], None)
                name = analysis.source.segment(node)
                found.append((op, 1 / number if op.name == "divide" and number else number, name))
    return found


def rates_of(analysis: Analysis, row: Row) -> dict[str, float]:
    """By name, the named numbers that scale a change: the learning rate as a rule."""
    end = {one for ids in row.change.increments for one in analysis.tape.producers(ids)}
    end |= at_the_update(analysis, row)
    rates: dict[str, float] = {}
    for _ in range(6):
        rates.update(
            (f"1/{name}" if op.name == "divide" else name, number)
            for op, number, name in scalars_in(analysis, end)
            if number and re.fullmatch(r"(?!.*\bshape\b)[A-Za-z_][\w.\[\]'\"]*", name)
        )
        made = (analysis.tape.operations[index] for index in end)
        before = {one for op in made if op.name in ("multiply", "divide", "negative") for one in op.before}
        if not before or len(before) > 400:
            break
        end = before
    return rates


def _right_beside(chosen: GradientComparison, row: Row) -> list[Row]:
    """The rows of the same step that are right."""
    return [one for one in chosen.rows if one.step == row.step and one.verdict in (RIGHT, OPTIMIZER)]


def has_its_own_rate(analysis: Analysis, chosen: GradientComparison, row: Row) -> bool:
    """Whether the ratio to the others is that of two learning rates, or all biases have none."""
    mine, right = rates_of(analysis, row), next(iter(_right_beside(chosen, row)), None)
    if right is None:
        return False
    theirs = rates_of(analysis, right)
    if not mine and len(theirs) == 1:
        seen = [one for one in chosen.rows if one.verdict != ZERO]
        of_biases = [is_added(analysis.tape, int(one.change.old[0])) for one in seen]
        alike = [one.verdict == FACTOR for one in seen]
        several = len({one.change.key for one in chosen.rows if one.verdict == FACTOR}) > 1
        return several and of_biases == alike and abs(row.ratio * next(iter(theirs.values())) - 1) < 1e-4
    if not mine:
        return False
    only_mine = {name: rate for name, rate in mine.items() if name not in theirs}
    only_theirs = {name: rate for name, rate in theirs.items() if name not in mine}
    if len(only_mine) != 1 or len(only_theirs) != 1:
        return False
    ratio = next(iter(only_mine.values())) / next(iter(only_theirs.values()))
    return abs(ratio - row.ratio) <= 1e-4 * abs(ratio)


def differs_at_update(analysis: Analysis, chosen: GradientComparison, row: Row) -> Row | None:
    """The row whose update statement lacks a factor that the other's has, if that is the difference."""
    right = next(iter(_right_beside(chosen, row)), None)
    if right is None or not row.change.updates or not right.change.updates:
        return None
    if abs(row.ratio + 1) < 1e-4 and row.change.updates[0].name != right.change.updates[0].name:
        return row  # one is added, the other subtracted
    mine, theirs = _scale_at_update(analysis, row), _scale_at_update(analysis, right)
    if abs(abs(mine[0] / theirs[0]) / abs(row.ratio) - 1) > 1e-4 or abs(mine[0] / theirs[0] - 1) < 1e-9:
        return None
    return row if mine[1] <= theirs[1] else right


def _scale_at_update(analysis: Analysis, row: Row) -> tuple[float, int]:
    """The product of the single numbers in the statement of an update, and how many they are."""
    numbers = [number for _, number, _ in scalars_in(analysis, at_the_update(analysis, row)) if number]
    return math.prod(numbers), len(numbers)


def at_the_update(analysis: Analysis, row: Row) -> set[int]:
    """The operations in the statement of an update."""
    source, tape, updates = analysis.source, analysis.tape, row.change.updates
    statement = source.statement(updates[0]) if updates else None
    near = [index for index in row.change.sources if updates and index > updates[0].index - 200]
    return {index for index in near if source.statement(tape.operations[index]) is statement}


def _first_difference(analysis: Analysis, chosen: GradientComparison, row: Row) -> Operation | None:
    """Where the factors of two changes, which are computed alike, part."""
    right = next(iter(_right_beside(chosen, row)), None)
    mine = multiples_of_gradient(analysis.tape, row)
    theirs = multiples_of_gradient(analysis.tape, right) if right is not None else []
    if len(mine) != len(theirs):
        return None
    for (op, factor), (_, usual) in zip(mine, theirs, strict=True):
        if abs(factor / usual / row.ratio - 1) <= 1e-4:
            return op
    return None


def _place_of_missing(analysis: Analysis, chosen: GradientComparison, row: Row) -> Operation | None:
    """Where a factor should be that right changes get between two multiples of their gradient."""
    right = next(iter(_right_beside(chosen, row)), None)
    if right is None or not row.change.updates:
        return None
    mine, theirs = multiples_of_gradient(analysis.tape, row), multiples_of_gradient(analysis.tape, right)
    if not mine or len(theirs) < 2:
        return None
    is_last = abs(theirs[-1][1] / theirs[-2][1] * row.ratio - 1) <= 1e-4
    return row.change.updates[0] if is_last else mine[0][0]


def sources_of_right_changes(chosen: GradientComparison, row: Row) -> set[int]:
    """The operations that right changes of the same step were computed from."""
    return set().union(*(one.change.sources for one in _right_beside(chosen, row)))


def bringer_of_factor(analysis: Analysis, chosen: GradientComparison, row: Row) -> Operation:
    """The operation that brings a factor in which the other parameters do not have."""
    mine = row.change.made - sources_of_right_changes(chosen, row)
    made = {index for index in mine if not analysis.tape.operations[index].initial}
    for op, number, _ in scalars_in(analysis, made):
        for value in (number, 1 / number if number else 0.0, number * number):
            if value and abs(value - abs(row.ratio)) <= 1e-5 * abs(row.ratio):
                return op
    missing = _first_difference(analysis, chosen, row) or _place_of_missing(analysis, chosen, row)
    if missing is not None:
        return missing
    if row.ratio < 0 and row.change.updates:
        return row.change.updates[0]
    reducing = {k for k in mine if analysis.tape.operations[k].name in ("sum", "mean", "dot")}
    return analysis.tape.operations[max(reducing or mine, default=0)]


def bringer_of_nothing(analysis: Analysis, row: Row) -> Operation:
    """The operation that makes zeros of a gradient."""
    tape, multiples = analysis.tape, multiples_of_gradient(analysis.tape, row)
    last = multiples[-1][0].index if multiples else 0
    among = (tape.operations[index] for index in sorted(row.change.sources) if index > last)
    zeros = (op for op in among if not op.is_leaf and not tape.result(op).any())
    return next(zeros, row.change.updates[0])


def is_scheduled(analysis: Analysis, chosen: GradientComparison) -> bool:
    """Whether what scales the steps explains how the factor varies.

    Numbers at the update (a decaying rate, a norm), or the mean over samples of which the last are fewer.
    """
    tape = analysis.tape
    constants, of_means, of_each = [], [], []
    for step, meetings in zip(chosen.steps, chosen.meetings, strict=True):
        rows = [row for row in chosen.rows if row.step == step.number and row.verdict == RIGHT]
        row = max(rows, key=lambda row: row.gradient.size, default=None)
        if row is None:
            continue
        product = 1.0
        for index in at_the_update(analysis, row):
            op = tape.operations[index]
            values = [tape.operand(op, k) for k in (0, 1)] if op.name in ("multiply", "divide") else []
            which = next((k for k, value in enumerate(values) if value.size == 1 < op.size), None)
            if which is not None:
                number = float(values[which].flat[0])
                product *= 1 / number if op.name == "divide" and which == 1 else number
        constants.append(chosen.common[step.number] / product if product else 0.0)
        sizes = [one.output.size for one in meetings]
        of_means.append(constants[-1] * sum(sizes))
        of_each.append(constants[-1] * max(sizes, default=0))  # several networks, or one made several times
    if len(constants) < 2:
        return False
    return any(np.allclose(some, some[0], 1e-4, 0) for some in (constants, of_means, of_each))

"""Steps that are no gradient: the first wrong derivative on the way to each parameter."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.factors import maker, sources_of_right_changes
from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.faults.formulas import derivative_of
from deltarule.diagnosis.faults.location import BackwardPass, Break
from deltarule.diagnosis.faults.moved import moved_fault
from deltarule.diagnosis.faults.names import renaming_line
from deltarule.diagnosis.faults.wording import name_of_factor, words_for
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import WRONG, GradientComparison, Row, fit, grouped_by_parameter
from deltarule.diagnosis.reading.layers import sizes_of
from deltarule.diagnosis.reading.losses import KnownLoss
from deltarule.diagnosis.reading.steps import GRAPH, Change
from deltarule.diagnosis.reading.targets import Meeting
from deltarule.diagnosis.recording.operations import reverse_mode
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Frame, Operation

_ADDED = "what is added to the derivative here is not a derivative: a factor must be multiplied, not added"


def derivative_faults(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """The derivatives that are wrong, those near the output first."""
    wrong = grouped_by_parameter(row for row in chosen.rows if row.verdict == WRONG)
    groups = list(wrong.values())[::-1]
    groups.sort(key=lambda rows: _order(analysis, rows))
    kept: dict[tuple[int, str], Fault] = {}
    for fault in (fault for rows in groups for fault in _on_the_way(analysis, rows)):
        first = kept.setdefault((fault.line, fault.expression), fault)
        names = tuple(dict.fromkeys(first.parameters + fault.parameters))
        kept[fault.line, fault.expression] = replace(first, parameters=names)
    return list(kept.values())


def _order(analysis: Analysis, rows: list[Row]) -> int:
    """Parameters near the output come first: what is wrong there is wrong behind, too."""
    for op in analysis.tape.operations:
        if any(ids.size and (ids.flat[0] == rows[0].change.old).any() for ids in op.read):
            return -op.index
    return 0


def _on_the_way(analysis: Analysis, rows: list[Row]) -> list[Fault]:
    """The faults on the way to one parameter: behind a wrong derivative, with that taken as given."""
    if rows[0].change.key == GRAPH:
        return [_in_graph(analysis, rows)]
    found = [derivative_fault(analysis, rows)]
    while len(found) < 4 and (rest := _behind(analysis, rows)) is not None:
        analysis, rows = rest
        found.append(derivative_fault(analysis, rows))
    return found


def _behind(analysis: Analysis, rows: list[Row]) -> tuple[Analysis, list[Row]] | None:
    """The comparison behind the first break: the wrong derivative there is the error now."""
    tape, passing = analysis.tape, BackwardPass(analysis, rows)
    broken = passing.break_()
    if broken is None or broken.ratio != 1.0 or broken.below is None or len(passing.rows) > 1:
        return None
    below, end, row = broken.below, broken.end, passing.rows[0]
    if end.op.old is not None:
        return None
    if broken.known is None or not broken.known.is_whole or len(end.ops) > 1 or end.ids.size < 2:
        return None
    limit = max(passing.product_with_same(end.op), broken.known.by.op.index)
    alike = [one for one in passing.forward if one.op.index < limit and one.op.shape == end.op.shape]
    if end.op.name in ("dot", "matmul") and alike:
        below = alike[0]
    if len(below.ops) > 1 or below.op.shape != end.op.shape:
        return None
    for one in (*alike[:4], below):
        adjoint = reverse_mode(tape, one.ids.ravel(), tape.value[end.ids].ravel())
        gradient = adjoint[row.change.old]
        factor, misfit = fit(row.change.step, gradient)
        if misfit < 1e-6 or not gradient.any():
            return None  # what comes behind only passes the mistake on
    step = next(step for step in analysis.comparison.steps if step.number == row.step)
    met = Meeting(end.op, below.ids, np.zeros(below.op.shape), tape.leaves(below.ids), twins={end.op.index})
    given = replace(row, gradient=gradient, factor=factor, misfit=misfit)
    loss = KnownLoss(analysis.comparison.loss_name, adjoint)
    chosen = GradientComparison(loss.name, [loss], [given], [[met]], [step])
    return Analysis(tape, analysis.source, chosen), [given]


def derivative_fault(analysis: Analysis, rows: list[Row]) -> Fault:
    """The first wrong derivative on the way to one parameter."""
    passing = BackwardPass(analysis, rows)
    broken = passing.break_()
    if (moved := moved_fault(analysis, rows, passing)) is not None:
        return moved
    if broken is None:
        return _without_break(analysis, rows, passing)
    if broken.ratio != 1.0:
        text = name_of_factor(broken.ratio, *sizes_of(analysis.tape, analysis.comparison))
        return fault_at(analysis, "factor", broken.first.op, text, rows)
    if _is_turned(broken) and (turned := passing.before_statement(broken)) is not None:
        text = f"this is the gradient of {rows[0].change.name}, transposed"
        line = analysis.source.line(broken.first.op)
        return fault_at(analysis, "derivative", turned.op, text, rows, other_line=line)
    if broken.first.op.old is not None and broken.last and broken.known:
        old = rows[0].change.old.tobytes()
        own = next((one for one in broken.shares if one.by.ids.tobytes() == old), None)
        if own is not None or not broken.known.is_whole:
            return _of_something_else(analysis, rows, replace(broken, known=own or broken.known))
    if passing.adds_something_else(broken.first):
        return fault_at(analysis, "derivative", broken.first.op, _ADDED, rows, is_vague=True)
    return _at_break(analysis, rows, passing, broken)


def _in_graph(analysis: Analysis, rows: list[Row]) -> Fault:
    """Where the gradient that is furthest off is kept."""
    tape, change = analysis.tape, rows[0].change
    off = np.abs(change.step - rows[0].gradient)
    made = tape.operations[tape.producers(change.increments[int(off.argmax())])[0]]
    text = "the gradient stored here is not the derivative of what was computed"
    return fault_at(analysis, "derivative", made, text, rows)


def _without_break(analysis: Analysis, rows: list[Row], passing: BackwardPass) -> Fault:
    """All that descends from the error is right, or nothing does."""
    tape, change = analysis.tape, rows[0].change
    lies = change.increments[0].shape if change.is_returned else change.shape
    if lies != change.shape and lies == change.shape[::-1]:
        op = tape.operations[max(tape.producers(change.increments[0]))]
        text = f"this is the gradient of its parameter, transposed: it has shape {lies}, not {change.shape}"
        return fault_at(analysis, "derivative", op, text, rows)
    if passing.arrays:
        text = "the derivatives up to this point are right, but the update is not made of them alone"
        return fault_at(analysis, "derivative", passing.arrays[-1].op, text, rows)
    last = max((one for ids in change.increments for one in tape.producers(ids)), default=0)
    op = change.updates[0] if change.updates and tape.operations[last].is_leaf else tape.operations[last]
    text = "the error has no part in this update, so it cannot be a gradient"
    at = _without_error(analysis, passing, change) or (op if analysis.source.line(op) else change.line)
    return fault_at(analysis, "derivative", at, text, rows, is_vague=True)


def _of_something_else(analysis: Analysis, rows: list[Row], broken: Break) -> Fault:
    """What a parameter is changed by is a derivative by another, or along one way only."""
    assert broken.last is not None
    assert broken.known is not None
    source, by = analysis.source, broken.known.by
    name, made = source.name_of(by.op) or source.text_of(by.op), maker(analysis.tape, broken.last.op)
    if np.isin(by.ids.ravel(), np.concatenate([row.change.old for row in rows])).any():
        text = f"this is the derivative with respect to {name} along one path only"
        text += ": the other paths are missing"
        other = source.line(broken.first.op)
        renamed = renaming_line(source, made, broken.first.op if made is broken.last.op else broken.last.op)
        return fault_at(analysis, "derivative", renamed or made, text, rows, other_line=other)
    text = f"this is the derivative with respect to {name}, not with respect to {rows[0].change.name}"
    is_shared = made.index in sources_of_right_changes(analysis.comparison, rows[0])
    return fault_at(analysis, "derivative", broken.first.op if is_shared else made, text, rows)


def _at_break(analysis: Analysis, rows: list[Row], passing: BackwardPass, broken: Break) -> Fault:
    """A right derivative, and what is made of it wrongly."""
    source, words = analysis.source, words_for(passing, broken)
    last_right, renamed = "", 0
    if broken.last and broken.known:
        by = derivative_of(passing, broken.last)
        line, expression = source.line(broken.last.op), source.text_of(broken.last.op)
        last_right = f"line {line}, {expression} ({by})" if line else f"what the call was given ({by})"
    at: Operation | Frame | int = words.line or (words.op if words.frame is None else words.frame)
    should_be = words.should_be
    if broken.last and {words.op, words.also} == {broken.last.op, broken.first.op}:
        renamed = renaming_line(source, broken.last.op, broken.first.op)
    if renamed and broken.last:
        at, should_be = renamed, _with_what_is_added(source, broken.last.op, should_be, renamed)
    about: dict[str, Any] = {
        "last_right": last_right,
        "other_line": renamed or (source.line(words.also) if words.also else 0),
        "should_be": should_be,
        "mistake": words.mistake,
        "is_vague": words.is_vague,
    }
    return fault_at(analysis, "derivative", at, words.text, rows, **about)


def _is_turned(broken: Break) -> bool:
    """Whether the gradient of the parameter is right up to here, but lies across it."""
    if broken.known is None or not broken.known.is_whole or broken.first.op.old is None:
        return False
    return np.array_equal(broken.known.by.ids.ravel(), broken.row.change.old)


def _with_what_is_added(source: ProgramSource, op: Operation, should_be: str, line: int) -> str:
    """At another line, what a corrected statement has more than the statement as it is."""
    value = getattr(source.statement(op), "value", None)
    added = should_be.partition(ast.unparse(value))[2].removeprefix(")") if value else ""
    return source.text_at(line).split("#")[0].strip() + added if added else ""


def _without_error(analysis: Analysis, passing: BackwardPass, change: Change) -> Frame | None:
    """The call of the first thing that is computed for a change and not for the output."""
    tape = analysis.tape
    behind = min(passing.errors, default=0)
    output = max(tape.producers(passing.outputs), default=0)
    forward = {tape.operations[k].spots for k in passing.forward_indices}
    made = [
        op
        for index in sorted(passing.sources - passing.forward_indices, key=lambda k: (k < output, k))
        if not (op := tape.operations[index]).is_leaf
        and (index > behind or not op.initial)
        and op.old is None
        and tape.root[op.start] < 0
        and op.spots not in forward
    ]
    if not made or analysis.chosen is None:
        return None
    codes = {frame[0] for index in passing.errors for frame in tape.operations[index].place[:1]}
    codes |= {frame[0] for op in change.updates for frame in op.place[:1]}
    for row in analysis.chosen.rows:
        later = (tape.operations[k] for k in row.change.sources & passing.descended if k > behind)
        codes |= {frame[0] for op in later for frame in op.place[:1]}
    return next((one for one in made[0].place if one[0] in codes), None) or analysis.source.frame(made[0])

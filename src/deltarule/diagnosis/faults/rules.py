"""What optimizers do wrong: a formula that is left, or another rule than that of the other parameters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from deltarule.diagnosis.faults.edits import MOST_COMPUTED, edits_at, tried
from deltarule.diagnosis.faults.factors import maker, rates_of
from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.faults.location import BackwardPass
from deltarule.diagnosis.faults.replay import compute_again, is_same_code, nearest_turn, step_of, turns_of
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import DECAY, OPTIMIZER, WRONG, GradientComparison, Row, Rule
from deltarule.diagnosis.reading.given import multiples_of_gradient
from deltarule.diagnosis.reading.optimizers import correction, first_off, follows
from deltarule.diagnosis.recording.tape import Operation, Tape

_ROOT = (
    "this becomes negative, so its root (line {}) is not a number (nan): a mean of squares of the gradient "
    "belongs here"
)
_OTHER = "{} is not changed as {} is, by {}"


def faults_of_rules(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """Where an optimizer leaves its own formula, or that of the other parameters."""
    groups = list(chosen.by_parameter().values())
    found = []
    for rows in groups:
        rule = rows[0].rule
        if rule is not None and rule.mistake and rule.at is not None:
            found.append(fault_at(analysis, "optimizer", rule.at, rule.mistake, rows, numbers=()))
    right = [rows[0] for rows in groups if rows[0].rule is not None and rows[0].rule.settings is not None]
    down = [row for row in right if float(row.change.step @ row.gradient) < 0]
    usual = max(down, key=lambda row: row.gradient.size, default=None)
    if found or usual is None:
        return found
    return [one for rows in groups for one in _unlike(analysis, rows, usual)]


def roots_of_negative(analysis: Analysis, chosen: GradientComparison) -> Iterator[Fault]:
    """Yield where the first step of a finite gradient becomes nan: it takes the root of what is negative."""
    tape = analysis.tape
    for row in chosen.rows:
        is_undefined = np.isfinite(row.gradient).all() and np.isnan(row.change.step).any()
        for index in sorted(row.change.sources) if is_undefined and row.step == chosen.rows[0].step else ():
            op = tape.operations[index]
            below = op.inputs[0] if op.name in ("sqrt", "power") else None
            if below is not None and np.isnan(tape.result(op)).any() and (tape.value[below] < 0).any():
                made = maker(tape, tape.operations[max(tape.producers(below))])
                line = analysis.source.line(op)
                text = _ROOT.format(line)
                yield fault_at(analysis, "optimizer", made, text, [row], other_line=line, numbers=())
                break


def _unlike(analysis: Analysis, rows: list[Row], usual: Row) -> Iterator[Fault]:
    """Yield what makes these steps others than those of the usual rule from the same gradients."""
    tape, rule, row = analysis.tape, usual.rule, rows[-1]
    judged = [one.verdict == DECAY and one.extra in ("step", "gradient") for one in rows[1:]]
    is_plain = any(one.verdict not in (OPTIMIZER, WRONG) for one in rows) and not (judged and all(judged))
    is_same = row.change.updates and is_same_code(row.change.updates[0], usual.change.updates[0])
    sizes = np.abs(row.gradient)
    is_even = np.ptp(sizes) <= 1e-6 * sizes.max()  # of such a gradient most rules make a multiple
    if rule is None or is_same or is_plain or is_even or len(rows) < 2:
        return
    known = [given for one in rows if (given := _given(analysis, one)) is not None]
    steps = [one.change.step.ravel() for one in rows]
    values = [tape.result(one).ravel() for one in known]
    is_one_place = all(is_same_code(one, known[0]) for one in known)
    if len(known) < len(rows) or not is_one_place or follows(rule, values, steps, 1e-4):
        return
    is_own = row.rule is not None and row.rule.settings is not None and row.rule.rate * rule.rate > 0
    if is_own and rates_of(analysis, row) != rates_of(analysis, usual):
        return
    climbs = all(float(one.change.step @ one.gradient) > 0 for one in rows)
    found = _edited(analysis, rows, known, rule)
    at, more, should_be = found or (first_off(tape, rule, known, row.change, climbs), "", "")
    if at is None:
        if is_own:
            return
        varying = _varying(tape, row, known[-1]) or correction(tape, row.change, known[-1])
        at = row.change.updates[0] if climbs else varying
    text = _OTHER.format(row.change.name, usual.change.name, rule.name) + (f": {more}" if more else "")
    yield fault_at(analysis, "optimizer", at, text, rows, numbers=(), should_be=should_be)


def _varying(tape: Tape, row: Row, given: Operation) -> Operation | None:
    """The operation behind the gradient that scales by a number which is another in each step."""
    for index in sorted(k for k in row.change.sources if k > given.index):
        op = tape.operations[index]
        before = nearest_turn(tape, op, index - 1, before=True)
        for which in range(len(op.inputs)) if op.name in ("multiply", "divide") and before is not op else ():
            now, then = tape.operand(op, which), tape.operand(before, which)
            if now.size == then.size == 1 and float(now.flat[0]) != float(then.flat[0]):
                return op
    return None


def _given(analysis: Analysis, row: Row) -> Operation | None:
    """The gradient that an optimizer was given in a step."""
    multiples = multiples_of_gradient(analysis.tape, row) if row.found is None else []
    return row.found or (multiples[-1][0] if multiples else None)


def _edited(
    analysis: Analysis, rows: list[Row], given: list[Operation], rule: Rule
) -> tuple[Operation, str, str] | None:
    """The edit of one operation behind the gradient with which the steps follow the rule."""
    tape, passing = analysis.tape, BackwardPass(analysis, rows[:1])
    among = set().union(*(row.change.made for row in rows))
    values = [tape.result(one).ravel() for one in given]
    count = 0
    for index in sorted(k for k in among if k > given[-1].index):
        op = tape.operations[index]
        turns = [] if op.is_leaf else turns_of(tape, op, among)
        for edit in edits_at(passing, op) if turns else ():
            again = compute_again(tape, among, {one.index: partial(tried, edit, one) for one in turns})
            steps = [step_of(tape, row.change, again) for row in rows] if again is not None else []
            if steps and follows(rule, values, steps, 1e-5):
                return op, *edit.told(analysis, op)
            count += len(tape.operations)
            if count > MOST_COMPUTED:
                return None
    return None

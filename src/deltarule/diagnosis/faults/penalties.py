"""Penalties, and numbers that come on top of a gradient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from deltarule.diagnosis.faults.factors import maker
from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import DECAY, GradientComparison, Row, proportion
from deltarule.diagnosis.reading.given import multiples_of_gradient
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape


def penalties_of(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """A multiple of the parameter is added that makes it grow, or the penalty is not the loss's."""
    found = []
    for rows in chosen.by_parameter().values():
        rows = [row for row in rows if row.verdict == DECAY]
        if not rows:
            continue
        row = next((row for row in rows if row.extra == "number"), rows[-1])
        if row.extra == "number":
            text = f"the number {row.amount:.3g} is added to every entry of the update"
        elif row.ratio != 1.0:
            text = f"its gradient is {row.ratio:.4g} times as large as it should be, compared with the others"
        elif chosen.own and row.extra == "values" and _is_penalised(analysis, chosen, row):
            text = f"the update contains {row.amount:.3g}·{row.change.name}, "
            text += "which does not match the penalty in the loss"
        elif row.amount > 0 and not row.change.is_returned and row.extra == "values":
            text = f"{row.amount:.3g}·{row.change.name} is added: a penalty must make the parameter smaller"
        else:
            continue
        op = _penalty_at(analysis, row) if row.ratio == 1.0 else None
        op = op or _data_gradient_at(analysis, chosen, row)
        found.append(fault_at(analysis, "penalty", op, text, [row]))
    return found


def _is_penalised(analysis: Analysis, chosen: GradientComparison, row: Row) -> bool:
    """Whether the computed loss has a penalty on this parameter, or on another."""
    return any(_has_penalty(analysis, chosen, one) for one in chosen.rows if one.step == row.step)


def _has_penalty(analysis: Analysis, chosen: GradientComparison, row: Row) -> bool:
    """Whether the computed loss depends on the parameter by more than the outputs."""
    supposed = [other for other in analysis.others if not other.own]
    same = next(_of_same_loss(supposed, chosen, row), None)
    return same is not None and not proportion(row.gradient, same.gradient)


def _of_same_loss(among: Iterable[GradientComparison], chosen: GradientComparison, row: Row) -> Iterator[Row]:
    """The same step of the same parameter in comparisons with the same loss."""
    for one in (one for other in among if other.loss_name == chosen.loss_name for one in other.rows):
        if one.step == row.step and one.change.key == row.change.key:
            yield one


def _data_gradient_at(analysis: Analysis, chosen: GradientComparison, row: Row) -> Operation:
    """The last multiple of the gradient without a penalty."""
    for one in _of_same_loss((*analysis.others, chosen), chosen, row):
        if multiples := multiples_of_gradient(analysis.tape, one):
            return maker(analysis.tape, multiples[-1][0])
    return row.change.updates[0] if row.change.updates else analysis.tape.operations[max(row.change.sources)]


def _penalty_at(analysis: Analysis, row: Row) -> Operation | None:
    """Where the parameter itself comes into its step; None where it does not."""
    tape, size = analysis.tape, row.gradient.size
    made = (tape.operations[index] for index in sorted(row.change.made, reverse=True))
    for op in (op for op in made if op.name in ("add", "subtract")):
        single = [tape.operand(op, k).size == 1 for k in range(len(op.inputs))]
        if row.extra == "number" and op.size > 1 and any(single):
            return op
        if any(ids.size == size and _is_scaled(tape, ids, row.change.old) for ids in op.read):
            return op
    return None


def _is_scaled(tape: Tape, ids: Ids, old: Ids) -> bool:
    """Whether values are a parameter times single numbers, at least one."""
    for _ in range(6):
        op = tape.operations[tape.producers(ids)[0]]
        large = [one for one in op.read if one.size == ids.size]
        if op.name not in ("multiply", "divide", "negative") or len(large) != 1 or op.old is not None:
            return False
        if np.array_equal(large[0].ravel(), old):
            return True
        ids = large[0]
    return False

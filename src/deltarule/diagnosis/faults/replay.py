"""A correction tried on the record: the steps, computed once more with other values at one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from deltarule.diagnosis.reading.comparison import RIGHT, GradientComparison, Row, fit, proportion
from deltarule.diagnosis.reading.steps import Change
from deltarule.diagnosis.recording.tape import Operation, Tape, Values

_MOST_SCALARS = 5_000_000
#: The corrected result of an operation, from its operands; None where there is none.
Correction: TypeAlias = Callable[[list[Any]], Any]


def repairs(
    tape: Tape, chosen: GradientComparison | None, rows: list[Row], corrections: dict[int, Correction]
) -> bool:
    """Whether steps that are wrong are right, and right ones stay so, if operations are corrected."""
    if chosen is None or tape.size > _MOST_SCALARS or not corrections:
        return False
    steps = {row.step for row in rows}
    concerned = [row for row in chosen.rows if row.step in steps and (row.verdict == RIGHT or row in rows)]
    among = set().union(*(row.change.made for row in concerned))
    for ids in (ids for row in concerned for op in row.change.updates for ids in op.read):
        if not among.issuperset(tape.producers(ids)):  # of a change that is a part of an array
            among |= tape.ancestors(ids, min(corrections))
    values = compute_again(tape, among, corrections)
    if values is None:
        return False
    common: dict[int, float] = {step: chosen.common.get(step, 0.0) for step in steps}
    for row in concerned:
        factors = _factors(tape, row, values) or _given_to_optimizer(tape, chosen, row, values)
        if not common[row.step] and factors:
            common[row.step] = factors[0]  # no step is right so far: they must agree with each other
        if not any(abs(one / common[row.step] - 1) < 1e-5 for one in factors):
            return False
    return True


def turns_of(tape: Tape, op: Operation, among: set[int]) -> list[Operation]:
    """All that the same code computed, in the turns of its loops."""
    return [one for index in sorted(among) if is_same_code(one := tape.operations[index], op)]


def nearest_turn(tape: Tape, op: Operation, index: int, *, before: bool) -> Operation:
    """What the same code computed last before an operation, or first after it."""
    among = range(index, 0, -1) if before else range(index, len(tape.operations))
    return next((one for k in among if is_same_code(one := tape.operations[k], op)), op)


def is_same_code(op: Operation, other: Operation) -> bool:
    """Whether two operations are turns of the same code."""
    return op.name == other.name and op.spots == other.spots


def compute_again(tape: Tape, among: Iterable[int], corrections: dict[int, Correction]) -> Values | None:
    """All values of the tape with what follows from corrections; None where it cannot be computed."""
    values = tape.value[: tape.size].copy()
    changed = np.zeros(tape.size, bool)
    first = min(corrections)
    for index in sorted(k for k in {*among, *corrections} if k >= first):
        op = tape.operations[index]
        if index not in corrections and not any(changed[ids].any() for ids in op.read):
            continue
        operands: list[Any] = [
            constant if ids is None else np.where(changed[ids], values[ids], tape.value[ids])
            for ids, constant in zip(op.inputs, op.constants, strict=True)
        ]
        result = corrections[index](operands) if index in corrections else result_of(op, operands)
        if result is None or np.size(result) != op.size:
            return None
        values[op.start : op.stop] = np.ravel(result)
        changed[op.start : op.stop] = op.old is None  # the next step starts from what was recorded
    return values


def result_of(op: Operation, operands: list[Any]) -> Any:
    """Compute an operation; None where it is none of NumPy's that is known by its name."""
    with np.errstate(all="ignore"):
        if op.name in ("sum", "mean", "max", "min", "prod"):
            return getattr(np, op.name)(operands[0], axis=op.detail[0], keepdims=bool(op.detail[1]))
        if op.name == "where":
            return np.where(op.detail, *operands)
        if op.name == "expit":
            return 1 / (1 + np.exp(-operands[0]))
        function = getattr(np, op.name, None) if op.name != "clip" else None
        try:
            return function(*operands) if function is not None else None
        except (TypeError, ValueError):
            return None


def _factors(tape: Tape, row: Row, values: Values) -> list[float]:
    """What the gradient is multiplied with in a step; nothing if the step is no multiple of it."""
    is_returned = row.change.is_returned
    step = values[row.change.increments[0]] if is_returned else step_of(tape, row.change, values)
    ways = [step, step.T] if is_returned else [step]
    found = [fit(one, row.gradient) for one in ways if one.size == row.gradient.size]
    return [factor for factor, misfit in found if factor and misfit < 1e-6]


def step_of(tape: Tape, change: Change, values: Values) -> Values:
    """What a change adds, by these values; of a change that is a part of an array, that part."""
    olds = np.concatenate([op.old.ravel() for op in change.updates if op.old is not None])
    news = np.concatenate([op.ids.ravel() for op in change.updates])
    order = np.argsort(olds)
    places = order[np.searchsorted(olds, change.old, sorter=order)]
    found: Values = values[news[places]] - tape.value[change.old]
    return found


def _given_to_optimizer(tape: Tape, chosen: GradientComparison, row: Row, values: Values) -> list[float]:
    """The same, of what an optimizer is given: as many times the gradient as others are theirs."""
    usual = [
        proportion(tape.result(one.found), one.gradient.reshape(one.change.shape))
        for one in chosen.rows
        if one.step == row.step and one.found is not None
    ]
    for index in sorted(row.change.sources) if usual else ():
        op = tape.operations[index]
        if op.size == row.gradient.size and not op.is_leaf:
            factor, misfit = fit(values[op.start : op.stop], row.gradient)
            if misfit < 1e-6 and any(abs(factor / one - 1) < 1e-5 for one in usual if one):
                return [chosen.common.get(row.step, 1.0)]
    return []

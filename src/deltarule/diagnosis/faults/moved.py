"""Derivatives that are put into places and not computed with: where they are put wrongly."""

from __future__ import annotations

import ast

from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.faults.location import BackwardPass
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import Row
from deltarule.diagnosis.recording.tape import Tape

_MISPLACED = (
    "the numbers of the derivative that was passed in are only moved here, and they do not all end up where "
    "the derivative has them: some are in wrong places, missing or written over"
)


def moved_fault(analysis: Analysis, rows: list[Row], passing: BackwardPass) -> Fault | None:
    """The fault of what consists of numbers of the derivative that was sent, and of zeros; else None.

    What is sent on unchanged may be meant as another derivative.
    """
    tape, change, source = analysis.tape, rows[0].change, analysis.source
    if not tape.meetings or tape.sent_to is None or not change.is_returned:
        return None
    ids = change.increments[0].ravel()
    made = [tape.operations[one] for one in tape.producers(ids)]
    is_moved = all(op.index in passing.errors or _is_room(tape, op.index) for op in made)
    is_same = len(made) == 1 and ids.tolist() == list(range(made[0].start, made[0].stop))
    function = source.function_at(tape.sent_to.co_name, tape.sent_to.co_firstlineno)
    if not is_moved or is_same or function is None:
        return None
    filled = [one.lineno for one in ast.walk(function) if isinstance(one, ast.stmt) and _fills(one)]
    return fault_at(analysis, "derivative", max(filled), _MISPLACED, rows) if filled else None


def _is_room(tape: Tape, index: int) -> bool:
    """Whether an operation made zeros."""
    op = tape.operations[index]
    return op.is_leaf and not tape.result(op).any()


def _fills(statement: ast.stmt) -> bool:
    """Whether a statement puts something into an array, by itself or with ``np.add.at``."""
    match statement:
        case ast.Assign(targets=[ast.Subscript()]) | ast.AugAssign(target=ast.Subscript()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="at"))):
            return True
    return False

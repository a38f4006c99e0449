"""Functions that return a loss, and its derivative by an array that they are passed."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.returned import change_of
from deltarule.diagnosis.driving.words import INPUT
from deltarule.diagnosis.reading.analysis import Analysis, judge_steps
from deltarule.diagnosis.reading.comparison import DECAY, OPTIMIZER, WRONG, fit
from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.reading.targets import find_meetings
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Operation, Tape
from deltarule.diagnosis.recording.traced import Traced, given, plain


def follow_loss(run: CallRun, name: str) -> Any:
    """Call a function; LookupError where it does not return a loss with what may be its derivative."""
    run.learns_inputs = run.is_loss = True
    result = run.call(name)
    parts = [one for one in result if type(one) is Traced] if isinstance(result, tuple) else []
    parts.sort(key=lambda one: one.size)
    if run.plausible.made or len(parts) != 2 or parts[0].size != 1 or parts[1].size < 2:
        raise LookupError(name)
    loss, slope = parts
    by = [op for op in run.tape.operations if op.label == INPUT and op.shape == slope.shape]
    by = [op for op in by if op.leaves & run.tape.leaves(loss.ids)]
    if not by:
        raise LookupError(name)
    loss - given(plain(loss) - 1.0, is_scalar=loss.is_scalar)  # of which the derivative by the loss is one
    run.derived = loss, by[0], slope
    return result


def analyse_loss(
    tape: Tape, source: ProgramSource, loss: Traced, by: Operation, slope: Traced
) -> Analysis | None:
    """Compare what was returned with the derivative of the loss; None where it may be something else."""
    change = change_of(tape, source, by, source.name_of(by), slope, np.ravel(slope.value).astype(float))
    step = RecordedStep(1, [change], given=by.leaves)
    is_other = not _comes_from_error(tape, source, step, loss)
    tape.meetings.append(tape.operations[-1].index)
    analysis = judge_steps(tape, source, [step])
    analysis.only_gradients = True
    for row in analysis.chosen.rows if analysis.chosen else ():
        row.verdict = WRONG if row.verdict in (DECAY, OPTIMIZER) else row.verdict  # there is no penalty
    for one in analysis.chosen.losses if analysis.chosen else ():
        one.name, one.op = "its own loss", tape.operations[tape.producers(loss.ids)[0]]
    return None if analysis.chosen and analysis.chosen.bad and is_other else analysis


def _comes_from_error(tape: Tape, source: ProgramSource, step: RecordedStep, loss: Traced) -> bool:
    """Whether an array comes from an error and is neither that nor what the loss was made of.

    An error may be the derivative by the scores of an output.
    """
    slope = step.changes[0]
    if slope.sources <= tape.ancestors(loss.ids):
        return False
    meetings = find_meetings(tape, source, step)
    errors = [tape.value[one.output] - one.target for one in meetings if one.output.size == slope.step.size]
    return bool(meetings) and not any(fit(slope.step, np.ravel(one))[1] < 1e-6 for one in errors)

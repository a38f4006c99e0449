"""Faults of the whole gradient: outputs and targets that do not lie alike, its scale and its sign."""

from __future__ import annotations

from collections.abc import Iterator

from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import RIGHT, GradientComparison
from deltarule.diagnosis.reading.layers import sizes_of

_BROADCAST = (
    "the output and the target have different shapes, {} and {}: each output is compared with every "
    "target, not only with its own"
)
_TWICE = "the gradient of this loss has no factor 2: it is twice as large as it should be"
_HALF = "a factor of 2 is missing: this is half the gradient of the loss"
_MEANS = "the mean over the samples is taken twice"


def faults_of_whole(analysis: Analysis, meant: str, root: str) -> list[Fault]:
    """Return the faults that no parameter alone shows; ``meant`` and ``root`` as in ``faults_of_scale``."""
    of_scale = faults_of_scale(analysis, meant, root)
    return [*broadcast_targets(analysis), *of_scale, *faults_of_behaviour(analysis)]


def broadcast_targets(analysis: Analysis) -> Iterator[Fault]:
    """Yield the fault of n outputs that are compared with n targets in all n² pairs."""
    chosen = analysis.chosen
    for meeting in chosen.meetings[0][:1] if chosen else ():
        count = len(set(meeting.output.ravel().tolist()))
        if meeting.broadcast and count > 1 and meeting.output.size == count**2:
            shapes = [() if ids is None else ids.shape for ids in meeting.op.inputs]
            text = _BROADCAST.format(*shapes)
            yield fault_at(analysis, "derivative", meeting.op, text, mistake="broadcast_targets")


_NEVER_CLEARED = (
    "each update contains all the gradients of the updates before it: their sum is never set back to 0"
)
_OF_BEHAVIOUR = {
    "gradients_accumulate": "a second call with the same numbers returns twice the gradient: the first one "
    "is still in it",
    "changes_its_inputs": "the function changes the weights that it was given, in addition to returning "
    "gradients",
}


def faults_of_behaviour(analysis: Analysis) -> Iterator[Fault]:
    """Yield what is wrong with a call that returns the right gradients."""
    if analysis.behaviour is not None:
        key, op = analysis.behaviour
        yield fault_at(analysis, "behaviour", op, _OF_BEHAVIOUR[key], mistake=key)
    chosen = analysis.chosen
    kept = [row for row in chosen.rows if row.extra == "step" and row.amount] if chosen else []
    if kept and all(_same(row.amount, 1.0) for row in kept):  # no momentum: it would never slow down
        op = kept[-1].change.updates[-1]
        yield fault_at(analysis, "behaviour", op, _NEVER_CLEARED, kept, mistake="gradients_accumulate")


def faults_of_scale(analysis: Analysis, meant: str, root: str) -> Iterator[Fault]:
    """Yield what is wrong with the scale or the sign of gradients that are right but for that.

    Without a loss that is ``meant`` any scale is a convention; the sign is none where the function's own
    name, ``root``, says that it returns the gradient. Sums over the samples and means are both right.
    """
    chosen = analysis.chosen
    is_loss = chosen is not None and _is_loss_of_one(analysis, chosen)
    if chosen is None or not analysis.only_gradients or not (meant or is_loss or "grad" in root.lower()):
        return
    plain = chosen if is_loss else next((one for one in (chosen, *analysis.others) if not one.own), chosen)
    rows = [row for row in plain.rows if row.verdict == RIGHT and row.change.is_returned]
    common = next(iter(plain.common.values()), 0.0)
    if not rows or not common or not plain.meetings[0]:
        return
    line = rows[0].change.line
    if common < 0:
        text = "this is the negative of the gradient: a step against it increases the loss"
        yield fault_at(analysis, "sign", line, text, rows, mistake="sign")
        return
    if not meant:
        return
    n, outputs = sizes_of(analysis.tape, plain)
    if any(_same(common, one) for one in (1.0, 1 / n, 1 / outputs, 1 / (n * outputs))):
        return
    known = [(2.0, "factor", _TWICE), (0.5, "factor", _HALF), (1 / n**2, "divided_twice", _MEANS)]
    for size, key, text in [*known, (2 / n, "factor", _TWICE), (0.5 / n, "factor", _HALF)]:
        if _same(common, size):
            yield fault_at(analysis, "factor", line, text, rows, mistake=key)
            return


def _is_loss_of_one(analysis: Analysis, chosen: GradientComparison) -> bool:
    """Whether what a loss was passed is judged, and nothing else that may be the output instead."""
    tape, loss = analysis.tape, chosen.losses[0]
    judged = tape.operation_of(chosen.rows[0].change.old[0]).label
    leaves = (op for op in tape.operations if op.is_leaf and op.label == judged)
    passed = [op for op in leaves if loss.adjoint[op.start : op.stop].any()]
    return loss.op is not None and bool(tape.meetings) and len(passed) == 1


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-4 * abs(other)

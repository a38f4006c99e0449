"""Faults of the whole gradient: outputs and targets that do not lie alike, its scale and its sign."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import RIGHT
from deltarule.diagnosis.reading.layers import sizes_of

_BROADCAST = (
    "the output and the target have different shapes, {} and {}: each output is compared with every "
    "target, not only with its own"
)
#: By the times that a gradient is too large: what it is called, and what is said. n samples.
_TIMES: list[tuple[Callable[[int], float], str, str]] = [
    (
        lambda n: 2.0,
        "factor",
        "the gradient of this loss has no factor 2: it is twice as large as it should be",
    ),
    (lambda n: 0.5, "factor", "a factor of 2 is missing: this is half the gradient of the loss"),
    (lambda n: 1 / n**2, "divided_twice", "the mean over the samples is taken twice"),
    (
        lambda n: 2 / n,
        "factor",
        "the gradient of this loss has no factor 2: it is twice as large as it should be",
    ),
    (lambda n: 0.5 / n, "factor", "a factor of 2 is missing: this is half the gradient of the loss"),
]


def faults_of_whole(analysis: Analysis, meant: str, root: str) -> list[Fault]:
    """Return the faults that no parameter alone shows; ``meant`` and ``root`` as in ``faults_of_scale``."""
    return [
        *broadcast_targets(analysis),
        *faults_of_scale(analysis, meant, root),
        *faults_of_behaviour(analysis),
    ]


def broadcast_targets(analysis: Analysis) -> Iterator[Fault]:
    """Yield the fault of n outputs that are compared with n targets in all n² pairs."""
    chosen = analysis.chosen
    for meeting in chosen.meetings[0][:1] if chosen else ():
        count = len(set(meeting.output.ravel().tolist()))
        if meeting.broadcast and count > 1 and meeting.output.size == count**2:
            shapes = [() if ids is None else analysis.tape.value[ids].shape for ids in meeting.op.inputs]
            yield fault_at(
                analysis, "derivative", meeting.op, _BROADCAST.format(*shapes), mistake="broadcast_targets"
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


def faults_of_scale(analysis: Analysis, meant: str, root: str) -> Iterator[Fault]:
    """Yield what is wrong with the scale or the sign of gradients that are right but for that.

    Without a loss that is ``meant`` any scale is a convention; the sign is none where the function's own
    name, ``root``, says that it returns the gradient. Sums over the samples and means are both right.
    """
    chosen = analysis.chosen
    says_gradient = bool(re.search(r"grad", root, re.I))
    if chosen is None or not analysis.only_gradients or not (meant or says_gradient):
        return
    plain = next((one for one in (chosen, *analysis.others) if not one.own), chosen)
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
    for size, key, text in _TIMES:
        if _same(common, size(n)):
            yield fault_at(analysis, "factor", line, text, rows, mistake=key)
            return


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-4 * abs(other)

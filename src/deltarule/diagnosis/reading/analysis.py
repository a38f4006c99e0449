"""From a tape to what can be said of it: which loss the steps follow, and which of them do not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from deltarule.diagnosis.reading.comparison import GradientComparison
from deltarule.diagnosis.reading.judging import compare
from deltarule.diagnosis.reading.losses import KnownLoss, is_beyond_numbers, losses_of
from deltarule.diagnosis.reading.lost import lost_gradients, lost_updates, unread_updates
from deltarule.diagnosis.reading.steps import RecordedStep, steps_on
from deltarule.diagnosis.reading.targets import Meeting, find_meetings, forward_of
from deltarule.diagnosis.reading.updates import settle_updates
from deltarule.diagnosis.recording.operations import has_kinks, other_slope_at_kinks
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Operation, Tape

_NO_MEETING = "no place was found where an output is compared with a target"


@dataclass(eq=False)
class Analysis:
    """What the steps were compared with; ``reason`` says why nothing could be compared."""

    tape: Tape
    source: ProgramSource
    chosen: GradientComparison | None = None
    others: list[GradientComparison] = field(default_factory=list)
    reason: str = ""
    #: On the way to the output, an operation whose derivative is not known.
    blind: Operation | None = None
    only_gradients: bool = False
    #: Whether a parameter changes only in steps of which no loss is known.
    is_part: bool = False
    #: Parameters that are used and have no gradient among what was returned.
    absent: list[Operation] = field(default_factory=list)
    #: Of gradients that are right: the key of a mistake in how they were called for, and where it shows.
    behaviour: tuple[str, Operation] | None = None
    #: The line where an operation fails, whatever it is given, and why.
    failure: tuple[int, str] | None = None
    #: What takes the place of a parameter, though it is its step alone, and the parameter's name.
    replaced: list[tuple[Operation, str]] = field(default_factory=list)
    #: Updates that never reach their parameter.
    lost: list[Operation] = field(default_factory=list)
    #: Gradients of other samples, that no update uses.
    unused: list[Operation] = field(default_factory=list)

    @property
    def is_lost(self) -> bool:
        """Whether something that was computed for a parameter never reaches it."""
        return bool(self.lost or self.unused)

    @property
    def comparison(self) -> GradientComparison:
        """What was chosen, where something was."""
        assert self.chosen is not None
        return self.chosen


def analyse(tape: Tape, source: ProgramSource, meant: str = "") -> Analysis:
    """Compare the updates on a tape with the gradients of the losses that they may follow, or of one."""
    lost = lost_updates(tape, source)
    settle_updates(tape, source)
    steps = steps_on(tape, source)
    analysis = Analysis(tape, source, reason="no parameter was seen to change")
    if steps:
        analysis = judge_steps(tape, source, steps, meant)
    analysis.lost = lost
    if analysis.chosen is not None and not analysis.chosen.bad:
        analysis.unused = lost_gradients(tape, analysis.chosen.steps)
        analysis.lost = lost or unread_updates(tape, analysis.chosen.steps)
    return analysis


def judge_steps(tape: Tape, source: ProgramSource, steps: list[RecordedStep], meant: str = "") -> Analysis:
    """Compare these steps with the losses that they may follow."""
    with np.errstate(all="ignore"):  # a program may diverge
        analysis = _judge(tape, source, steps, meant)
        if analysis.chosen is not None and analysis.chosen.bad and has_kinks(tape):
            with other_slope_at_kinks():
                again = _judge(tape, source, steps, meant)
            if again.chosen is not None and not again.chosen.bad:
                return again
        return analysis


def _judge(tape: Tape, source: ProgramSource, steps: list[RecordedStep], meant: str) -> Analysis:
    judged: list[tuple[RecordedStep, list[Meeting], list[KnownLoss]]] = []
    every = [replace(step) for step in steps]
    diverged = 0
    for step in steps:
        meetings = find_meetings(tape, source, step)
        if judged and is_beyond_numbers(tape, step, meetings):
            diverged += 1
            continue
        losses = losses_of(tape, step, meetings, meant)
        if losses:
            _drop_unrelated(step, meetings, losses)
            _weigh(tape, step)
            judged.append((step, meetings, losses))
    judged = [one for one in judged if one[0].changes]
    for step, meetings, _ in judged:
        blind = _without_derivative(tape, step, meetings)
        if blind is not None:
            return Analysis(tape, source, reason="a derivative is not known", blind=blind)
    if not judged:
        return Analysis(tape, source, reason=_NO_MEETING)
    comparisons = _compare_losses(tape, judged)
    certain = [one for one in comparisons if not one.losses[0].is_doubtful]
    none_fits = not any(one.has_right_array for one in certain)
    doubtful = [one for one in comparisons if one.losses[0].is_doubtful and one.has_right_array]
    followed = [one for one in doubtful if none_fits or not one.bad]
    comparisons = certain if any(not one.bad for one in certain) else followed or certain
    if not comparisons:
        return Analysis(tape, source, reason=_NO_MEETING)
    best = max(comparisons, key=_preference)
    computed = [one for one in comparisons if one.own and one.loss_name != "its own loss" and one.is_constant]
    if computed and len(computed[0].steps) >= len(best.steps) - 1:
        best_computed = max(computed, key=_preference)
        best = best_computed if best_computed.score > 0.5 or best_computed.ends_right else best
    of_squares = [one for one in comparisons if one.loss_name == "squared error"]
    squared = max(of_squares, key=_preference, default=best)
    own = {one.loss_name for one in comparisons if one.own}
    is_guess = best.loss_name == "binary cross-entropy" and best.loss_name not in own
    few = len(best.steps) < (len(steps) - diverged) / 2
    if few and not best.bad:
        return Analysis(tape, source, reason=_NO_MEETING)  # what few steps show is no verdict
    if best.bad and is_guess and squared.score > best.score - 0.2 and squared.has_right_array:
        best = squared
    others = [one for one in comparisons if one is not best]
    return Analysis(tape, source, best, others, is_part=_is_left_out(every, best.steps))


def _is_left_out(steps: list[RecordedStep], judged: list[RecordedStep]) -> bool:
    """Whether a parameter changes only in steps of which no loss is known."""
    numbers = {step.number for step in judged}
    shown = {change.key for step in steps if step.number in numbers for change in step.changes}
    return any(change.key not in shown and change.step.any() for step in steps for change in step.changes)


def _without_derivative(tape: Tape, step: RecordedStep, meetings: list[Meeting]) -> Operation | None:
    """The first operation between parameters and output whose derivative is not known."""
    for index in sorted(forward_of(tape, meetings)):
        op = tape.operations[index]
        if op.name.startswith("opaque ") and op.leaves & step.parameters and op.old is None:
            return op
    return None


def _weigh(tape: Tape, step: RecordedStep) -> None:
    """Let changes count more whose parameters are used later in the forward pass."""
    starts = {change.old[0]: change for change in step.changes if change.old.size}
    last: dict[int, int] = {}
    for op in tape.operations[step.floor + 1 :]:
        for first in [int(ids.flat[0]) for ids in op.read if ids.size and op.old is None]:
            if first in starts:
                last.setdefault(first, op.index)
    for rank, first in enumerate(sorted(last, key=lambda one: last[one])):
        starts[first].weight = 1.0 + 0.4 * rank / max(1, len(last))


def _drop_unrelated(step: RecordedStep, meetings: list[Meeting], losses: list[KnownLoss]) -> None:
    """Leave out what changes but is no parameter: it has no gradient and comes from no error."""
    errors = {index for one in meetings for index in one.twins}
    step.changes = [
        change
        for change in step.changes
        if change.sources & errors or any(loss.adjoint[change.old].any() for loss in losses)
    ]


def _compare_losses(
    tape: Tape, judged: list[tuple[RecordedStep, list[Meeting], list[KnownLoss]]]
) -> list[GradientComparison]:
    tolerance = 3e-4 if tape.notes.get("single") else 1e-7
    steps, meetings = [one[0] for one in judged], [one[1] for one in judged]
    found = []
    for key in dict.fromkeys((loss.name, loss.op is not None) for one in judged for loss in one[2]):
        sequences = [[loss for loss in one[2] if (loss.name, loss.op is not None) == key] for one in judged]
        kept = [k for k, some in enumerate(sequences) if some]
        if len(kept) >= len(judged) - 1:
            of_steps, of_meetings = [steps[k] for k in kept], [meetings[k] for k in kept]
            losses = [sequences[k][0] for k in kept]
            found.append(compare(tape, of_steps, of_meetings, losses, tolerance))
    return found


def _preference(one: GradientComparison) -> tuple[float, bool, bool, bool]:
    return round(one.score, 6), one.is_constant, one.own, one.loss_name == "squared error"

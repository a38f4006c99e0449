"""One way of calling somebody's code, and what can be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.wants import Path
from deltarule.diagnosis.driving.words import INPUT, is_partly_read
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import FACTOR, RIGHT, WRONG, ZERO, GradientComparison
from deltarule.diagnosis.recording.tape import Tape
from deltarule.diagnosis.recording.traced import Traced

#: How many seconds are spent on trying at most, and on one call whose verdict stands without other trials.
LONGEST = 12.0


@dataclass(eq=False)
class DrivenRun:
    """One way of calling, with what came of it: ``rows`` parameters were judged; ``failed``: it raised."""

    label: str
    layout: ArgumentLayout | None
    analysis: Analysis
    rows: int
    is_right: bool
    failed: bool = False
    #: What was called, and how.
    work: Callable[[Any], Any] | None = None
    #: The other activations that what was called may be told, by parameter.
    choices: dict[str, list[Any]] = field(default_factory=dict)
    #: What is raised with one layer more: shapes that do not fit where the gradients are computed.
    crash: tuple[BaseException, Tape] | None = None
    #: Whether what arguments are called decided what they are.
    by_name: bool = False


#: After outputs were compared: the line where a call raised, 0 for none, and what, if shapes did not fit.
Ending = tuple[int, tuple[BaseException, Tape] | None]


@dataclass
class LastCall:
    """What came of a call, whether or not something was compared."""

    #: Whether it raised, and what it said.
    has_failed: bool = False
    complaint: str = ""
    #: Whether other data would not help, because it is not written at all.
    is_hopeless: bool = False
    #: Whether there was nothing in an array that it made: data were too small.
    was_too_small: bool = False
    #: Whether it had gone forward: outputs were compared, or what follows from them was passed.
    has_met: bool = False
    #: How it ended after outputs were compared; None if none were.
    ended: Ending | None = None
    #: The places at which it computed something.
    reached: set[Any] = field(default_factory=set)
    #: What its arguments were, and those that went into what failed.
    answered: dict[Path, Any] = field(default_factory=dict)
    blamed: set[Path] = field(default_factory=set)
    #: Whether weights or biases were passed to it, which lie in several ways.
    takes_parameters: bool = True
    #: Whether what was called is a loss, and nothing else.
    was_loss: bool = False
    #: The classes that it made objects of.
    made: set[str] = field(default_factory=set)

    def shape_of(self, path: Path) -> tuple[int, ...] | None:
        """The shape of the array that an argument was."""
        one = self.answered.get(path)
        return one.shape if type(one) is Traced else None

    def size_of(self, path: Path) -> Any:
        """The shape of the array that an argument was, or the number."""
        one = self.answered.get(path)
        return one if type(one) is int else self.shape_of(path)


def lacks_targets(analysis: Analysis) -> bool:
    """Whether one target that was passed was compared with several outputs: it was made for fewer."""
    meetings = analysis.chosen.meetings if analysis.chosen is not None else []
    operands = [[ids for ids in one.op.inputs if ids is not None] for some in meetings for one in some]
    return any(
        len(both) == 2 and min(ids.size for ids in both) == 1 < max(ids.size for ids in both)
        for both in operands
    )


def allow_mean(chosen: GradientComparison, tape: Tape, samples: int) -> None:
    """Let a layer divide the gradients of its parameters by the samples, and not what it sends back."""
    sent = [row for row in chosen.rows if tape.operations[tape.producers(row.change.old)[0]].label == INPUT]
    own = [row for row in chosen.rows if row not in sent]
    if not sent or not own or any(row.verdict not in (RIGHT, FACTOR) for row in chosen.rows):
        return
    ratios = [row.factor / sent[0].factor for row in own]
    if np.allclose(ratios, ratios[0], 1e-5) and np.isclose(abs(ratios[0]), [1 / samples, samples]).any():
        for row in chosen.rows:
            row.verdict, row.ratio = RIGHT, 1.0


def require_size(chosen: GradientComparison, tape: Tape, samples: int) -> None:
    """See that a layer sends back the derivative itself: what it was given has a known size."""
    usual = [1.0, 1 / samples, float(samples)]
    for row in chosen.rows:
        is_sent = tape.operations[tape.producers(row.change.old)[0]].label == INPUT
        if is_sent and row.verdict == RIGHT and not np.isclose(abs(row.factor), usual, 1e-4).any():
            row.verdict, row.ratio = FACTOR, row.factor


def count_judged(analysis: Analysis) -> int:
    """How many parameters were judged."""
    rows = analysis.chosen.rows if analysis.chosen else []
    return len({row.change.key for row in rows if row.verdict != ZERO})


def starts_at_zero(analysis: Analysis) -> bool:
    """Whether all weights are zero at first: what a step is made of can then hardly be told apart."""
    steps = analysis.chosen.steps if analysis.chosen else []
    every = steps[0].changes if steps else []
    first = [change.old for change in every if len(change.shape) > 1] or [change.old for change in every]
    return bool(first) and not any(analysis.tape.value[one].any() for one in first)


def is_for_several(trial: DrivenRun) -> bool:
    """Whether a wrong trial shows that its samples were understood: what is right in it is right for all.

    And what is wrong is so by their number, or they were gone through one by one.
    """
    if trial.layout is None or trial.layout.is_single or trial.failed or trial.analysis.tape.grown:
        return False
    rows, n = trial.analysis.chosen.rows if trial.analysis.chosen else [], trial.layout.samples
    bad = [row for row in rows if row.verdict in (FACTOR, WRONG)]
    if not any(row.verdict == RIGHT and min(row.change.shape, default=1) > 1 for row in rows):
        return False
    by_number = bool(bad) and all(
        row.verdict == FACTOR and np.isclose(row.ratio, (n, 1 / n), 1e-4).any() for row in bad
    )
    return by_number or _goes_through_samples(trial.analysis.tape, n)


def _goes_through_samples(tape: Tape, samples: int) -> bool:
    """Whether each sample of the data was computed with on its own."""
    starts = [op for op in tape.operations if op.is_data and len(op.shape) == 2 and op.shape[0] == samples]
    for data in starts:
        width = data.shape[1]
        firsts = {data.start + k * width for k in range(samples)}
        for op in tape.operations if width > 1 else ():
            for ids in op.inputs:
                if ids is not None and ids.shape == (width,) and ids[-1] - ids[0] == width - 1:
                    firsts.discard(int(ids[0]))
        if width > 1 and not firsts:
            return True
    return False


def has_gaps(tape: Tape, computed: Any) -> bool:
    """Whether a layer filled its output in part, and read its input in part: it took sizes for others."""
    if type(computed) is not Traced:
        return False
    filled = {not tape.operations[one].is_leaf for one in tape.producers(computed.ids)}
    return len(filled) > 1 and is_partly_read(tape, [op for op in tape.operations if op.label == INPUT])

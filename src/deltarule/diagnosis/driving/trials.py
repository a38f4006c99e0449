"""Trials: one way of calling after the other, each on a tape of its own, and what they show together."""

from __future__ import annotations

import ast
import contextlib
import re
import time
import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.blame import blamed, is_too_large
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.descent import OPTIMIZER
from deltarule.diagnosis.driving.driven import (
    LONGEST,
    DrivenRun,
    LastCall,
    allow_mean,
    count_judged,
    has_gaps,
    is_for_several,
    lacks_targets,
    require_size,
    starts_at_zero,
)
from deltarule.diagnosis.driving.hopeless import is_undefined, line_of, raises_always
from deltarule.diagnosis.driving.layouts import (
    MISFIT,
    ArgumentLayout,
    disagreeing,
    fit_sizes,
    fits_one_sample,
    twice,
)
from deltarule.diagnosis.driving.loss_functions import analyse_loss
from deltarule.diagnosis.driving.needs import Needs
from deltarule.diagnosis.driving.returned import analyse_returned, analyse_within, arrays_in
from deltarule.diagnosis.driving.usage import is_change, operands
from deltarule.diagnosis.driving.wants import Want
from deltarule.diagnosis.driving.words import INPUT, is_partly_read
from deltarule.diagnosis.reading.analysis import Analysis, analyse
from deltarule.diagnosis.reading.comparison import ZERO
from deltarule.diagnosis.recording.program import Recording, new_tape, recording_on
from deltarule.diagnosis.recording.tape import RecordingStopped, Tape
from deltarule.diagnosis.recording.traced import has_traced, to_traced

#: How data lie where nothing else is said.
USUAL = ArgumentLayout("rows", "one-hot", "in-out", "vector", 3, 2)
#: How many operations are recorded in all, and after two wrong ones agree: a right one may still be found.
MOST_OPERATIONS, AFTER_AGREEMENT = 300_000, 25_000
#: How many are recorded in a way of calling after another came to nothing.
AFTER_FAILURE = 100_000
#: What a call costs beside them.
_CALL = 300
#: How often a call is begun anew because an argument asked what it should be.
_MOST_QUESTIONS = 25
#: How many calls must have ended alike, and none otherwise, before the shapes are told to be wrong.
_MISFITS = 3
#: Of these layouts: others hold samples in ways that few programs take.
_ALL_SAMPLES = ("rows", "columns", "lists")


def has_met(tape: Tape, run: CallRun) -> bool:
    """Whether something that depends on parameters was compared with targets of its shape."""
    if tape.meetings:
        return True
    targets = [run.plausible.data["Y"]]
    targets += [one for key, one in run.passed.items() if isinstance(key, tuple) and "target" in key]
    given: set[int] = set()
    for one in targets:
        given |= set(to_traced(one).ids.ravel().tolist()) if has_traced(one) else set()
    for op in tape.operations:
        first, second = op.inputs if op.name == "subtract" else (None, None)
        if first is None or second is None or first.shape != second.shape:
            continue
        for output, target in ((first, second), (second, first)):
            if tape.leaves(output) and given.issuperset(target.ravel().tolist()):
                return True
    return False


def _takes_items(node: ast.AST, loop: ast.For, called: set[str]) -> bool:
    """Whether one of these is called with several things, all of which the loop goes through."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return False
    targets = {one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)}
    given = {getattr(one, "id", "") for one in node.args}
    return getattr(node.func, "attr", getattr(node.func, "id", "")) in called and given <= targets


def _called(label: str) -> str:
    """The function or class that a label says is called."""
    return re.split(r"\W", label)[0]


class Trials:
    """All trials of one program: what was tried, what was wrong, and how much may still be tried."""

    def __init__(
        self,
        recording: Recording,
        deadline: float,
        own: dict[str, Any],
        meant: str,
        returns: dict[tuple[str, int], list[str]],
    ) -> None:
        self.recording, self.deadline, self.own, self.meant = recording, deadline, own, meant
        self.returns = returns
        self.wrong: list[DrivenRun] = []
        #: What came of the last call.
        self.last = LastCall()
        #: What fails whatever is passed: a name that there is not, or too many or few arguments.
        self.undefined: Exception | None = None
        #: What was called, and what it raised after outputs were compared: shapes that do not fit, or None.
        self.after_meeting: list[tuple[str, tuple[BaseException, Tape] | None]] = []
        #: What calls of something raised in a search that came to nothing: shapes that fit in none of them.
        self.never_fits: tuple[BaseException, Tape] | None = None
        #: Whether one of them was right in a way that shows few mistakes.
        self.fits_somehow = False
        #: The layers that ran through with what they were sent, however their data lay.
        self.fits_once: set[str] = set()
        #: How many operations were recorded, and how many will be at most.
        self.count, self.most = 0, MOST_OPERATIONS
        #: Why a call said nothing, and what one raised.
        self.reason = self.raised = ""
        #: Whether a call of this way was of a layer that gives on what it is given, or has no slope.
        self.passes_on = False
        #: Whether there were parameters before one of its calls.
        self.had_parameters = False
        #: The code that ran in calls that could be judged.
        self.run: set[CodeType] = set()
        #: The activation that is chosen where another is tried than usual, by parameter.
        self.chosen: dict[str, Any] = {}
        #: What arguments that asked are to be; None where names alone decide.
        self.answers: Answers | None = None

    def begin(self, most: int = MOST_OPERATIONS) -> None:
        """Begin to call in another way: nothing is known of arguments, and nothing was wrong so far."""
        self.answers, self.wrong, self.most = None, [], self.count + most
        self.passes_on = self.had_parameters = False

    @property
    def is_over(self) -> bool:
        """Whether enough was tried; the time is only a bound for what is very slow."""
        return self.count >= self.most or time.monotonic() > self.deadline

    def is_doubtful(self, trial: DrivenRun) -> bool:
        """Whether it is right where mistakes do not show, and wrong where they do.

        Of one sample, though the program speaks of several; of live code, of one output or fewer parameters.
        """
        layout, text = trial.layout, self.recording.source.text
        if layout is None or not self.wrong:
            return False
        if layout.is_single and any(map(is_for_several, self.wrong)):
            return not self._goes_one_by_one(trial)
        aware = re.search(
            r"axis|\bmean\(|len\((x|y|inputs?|targets?)\w*\)|\b(x|y|inputs?)\w*\.shape\[", text, re.I
        )
        if layout.is_single and aware:
            several = any(one.layout and not one.layout.is_single for one in self.wrong)
            return several and not self._goes_one_by_one(trial)
        others = [(one.rows, one.layout) for one in self.wrong if one.layout is not None]
        if layout.biases == "one" and any(each.biases != "one" and n >= trial.rows for n, each in others):
            return True
        alike = [one for one in self.wrong if not one.failed and one.rows >= trial.rows]
        kinds = [one.layout.data for one in alike if one.layout and one.layout.outputs > 1]
        is_object = "(…)" not in trial.label
        if is_object and layout.outputs == 1 and layout.data in kinds:
            return True  # a sum over all neurons is right for one of them
        richer = [each for n, each in others if (n, each.outputs) > (trial.rows, layout.outputs)]
        return bool(self.recording.root and richer)

    def looks_up_one(self, trial: DrivenRun) -> bool:
        """Whether a layer that looks up rows is right for one, and wrong for several, some of them twice."""
        known = self.answers.known.values() if self.answers is not None and self.answers.sends_back else ()
        several = any(one.layout and not one.layout.is_single for one in self.wrong)
        is_single = trial.layout is not None and trial.layout.is_single
        return is_single and several and any(kind == "index" for kind, _ in known)

    def _goes_one_by_one(self, trial: DrivenRun) -> bool:
        """Whether the program itself calls it with each of several samples, and divides by their number."""
        source = self.recording.source
        named = re.findall(r"\w+", trial.label.partition(", data as")[0])
        called = set(named).union(*map(Needs(source).within, named))
        return any(
            isinstance(loop, ast.For)
            and any(f"len({one})" in source.text for one in operands(loop.iter))
            and any(_takes_items(one, loop, called) for one in ast.walk(loop))
            for loop in source.nodes
        )

    def agreed(self) -> DrivenRun | None:
        """The wrong trial that judged most, if another with other data or sizes is wrong, too."""
        if not self.wrong:
            return None
        best = max(self.wrong, key=lambda one: (not one.failed, one.rows))
        others = [one for one in self.wrong if one is not best and one.layout != best.layout]
        return best if others or best.layout is None else None

    def misfit(self) -> tuple[BaseException, Tape] | None:
        """What every call of something raised after outputs were compared, on one line: shapes never fit."""
        if "missing" in self.recording.tape.notes:  # what is not there may have other shapes
            return None
        names = dict.fromkeys(name for name, _ in self.after_meeting)
        return next((found for one in names if (found := self._misfit_of(one)) is not None), None)

    def _misfit_of(self, name: str) -> tuple[BaseException, Tape] | None:
        every = [one for called, one in self.after_meeting if called == name]
        found = [one for one in every if one is not None]
        if any("cannot reshape" in str(error) for error, _ in found):
            return None  # it was written for other numbers of outputs
        if name not in self.fits_once and any(fits_one_sample(str(error)) for error, _ in found):
            return None  # or for one sample
        lines = {line_of(self.recording.source, error) for error, _ in found}
        if name in self.fits_once and not any(map(self._changes_at, lines)):
            return None
        return found[0] if len(found) == len(every) >= _MISFITS and len(lines) == 1 else None

    def _changes_at(self, line: int) -> bool:
        """Whether a line changes something by itself ± something: what does not fit there is an update."""
        return any(is_change(one) for one in self.recording.source.nodes if getattr(one, "lineno", 0) == line)

    def attempt(
        self, label: str, layout: ArgumentLayout | None, work: Callable[[CallRun], Any]
    ) -> DrivenRun | None:
        """Run once; None where nothing could be compared."""
        for _ in range(_MOST_QUESTIONS):
            try:
                trial = self._once(label, layout, work)
            except Want as want:
                if self.answers is None or self.is_over or not self.answers.learn(want):
                    return None
                continue
            is_half = (
                self.answers is not None and self.last.has_failed and trial is not None and not trial.is_right
            )
            if (trial is not None and not is_half) or not self.last.has_failed or self.is_over:
                return trial
            if (
                self.answers is not None
                and not self.last.has_met
                and self.answers.fit_parameter(self.last.complaint)
            ):
                continue
            fitted = fit_sizes(layout, self.last.complaint) if layout is not None else None
            if layout is not None and fitted is not None:
                label, layout = label.replace(str(layout), str(fitted)), fitted
                if self.answers is not None:
                    self.answers.forget()
            elif self.answers is None or not self.answers.reconsider(
                self.recording.namespace, self.last.complaint
            ):
                return None
        return None

    def ask(self, label: str, layout: ArgumentLayout, work: Callable[[CallRun], Any]) -> DrivenRun | None:
        """Run until nothing more is asked; None where nothing could be compared."""
        assert self.answers is not None
        for _ in range(_MOST_QUESTIONS):
            try:
                return self._once(label, layout, work)
            except Want as want:
                if self.is_over or not self.answers.learn(want):
                    return None
        return None

    def otherwise(self, trial: DrivenRun, answers: Answers | None = None) -> DrivenRun | None:
        """What is wrong, in two calls, with another activation that the program lets its user choose.

        Or with an optimizer. ``answers``: what its arguments were, if that is not to be asked anew.
        """
        if trial.layout is None or trial.work is None:
            return None
        undefined, seen = self.undefined, len(self.after_meeting)
        for name, one in [(name, one) for name, some in trial.choices.items() for one in some]:
            found, self.chosen = [], {name: one}
            for varied in twice(trial.layout):
                label = trial.label.replace(str(trial.layout), f"{name}={one!r}, {varied}")
                if answers is not None:
                    self.answers = answers.resized(trial.layout.samples, varied.samples)
                    found.append(self.ask(label, varied, trial.work))
                else:
                    self.answers = Answers() if self.answers is not None else None
                    found.append(self.attempt(label, varied, trial.work))
                if found[-1] is None or found[-1].is_right:
                    break
            self.chosen, self.undefined = {}, undefined  # what there is no branch for says nothing of others
            del self.after_meeting[seen:]
            if len(found) == 2 and found[-1] is not None and not found[-1].is_right:
                return found[0]
        return None

    def call_again(self, name: str, trial: DrivenRun) -> None:
        """See whether a second call with the same arguments gives the double."""
        assert trial.layout is not None
        tape = new_tape(self.recording.source, frozenset(), LONGEST)
        results: list[list[Any]] = []
        with recording_on(tape), contextlib.suppress(Exception, RecordingStopped, Want):
            run = CallRun(self.recording, self.own, self.returns, tape, trial.layout, self.answers)
            for _ in range(2):
                arrays = [one for _, one in arrays_in(run.call(name), lists=True)]
                results.append([(one.value.copy(), max(tape.producers(one.ids))) for one in arrays])
        first, second = results if len(results) == 2 else ([], [])
        for (one, _), (other, made) in zip(first, second, strict=False):
            if one.any() and one.shape == other.shape and np.allclose(other, 2 * one):
                trial.analysis.behaviour = ("gradients_accumulate", tape.operations[made])

    def _once(
        self, label: str, layout: ArgumentLayout | None, work: Callable[[CallRun], Any]
    ) -> DrivenRun | None:
        """Run once; with an optimizer, if gradients are only computed for one."""
        trial = self._run_once(label, layout, work)
        optimizers = trial.choices.get(OPTIMIZER) if trial is not None and trial.analysis.absent else None
        if not optimizers or self.chosen:
            return trial
        self.chosen = {OPTIMIZER: optimizers[0]}
        label = label.replace(str(layout), f"{OPTIMIZER}={optimizers[0]!r}, {layout}")
        try:
            return self._run_once(label, layout, work)
        finally:
            self.chosen = {}

    def _run_once(
        self, label: str, layout: ArgumentLayout | None, work: Callable[[CallRun], Any]
    ) -> DrivenRun | None:
        budget = min(5.0, max(0.5, self.deadline - time.monotonic()))
        tape = new_tape(self.recording.source, frozenset(), budget)
        self.count += _CALL
        result, last = None, LastCall()
        self.last = last
        with recording_on(tape):
            try:
                run = CallRun(self.recording, self.own, self.returns, tape, layout or USUAL, self.answers)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                return None  # of what is supplied for a name that is not defined
            run.chosen = self.chosen
            try:
                result = work(run)
            except RecordingStopped:
                pass
            except (Exception, SystemExit) as error:
                self._note_error(error, label, layout, run)
        is_whole = self.answers is None or (layout is not None and layout.data in _ALL_SAMPLES)
        if self.answers is not None and run.sent is not None and not last.has_failed:
            self.fits_once.add(_called(label))
        went_on = not last.has_failed and has_met(tape, run)
        last.ended = (0, None) if went_on else last.ended
        if is_whole and went_on:
            self.after_meeting.append((_called(label), None))
        last.answered = run.answered
        self.count += len(tape.operations)
        last.reached = {op.place for op in tape.operations}
        last.was_too_small = is_too_large(last.complaint) or not all(op.size for op in tape.operations)
        last.is_hopeless = last.is_hopeless or not run.plausible.is_used
        last.takes_parameters, last.was_loss = bool(run.plausible.made), "output" in run.passed
        last.was_loss |= run.derived is not None
        is_left = run.leaves_slope_to_loss(result)
        changes = [op for op in tape.operations if op.old is not None]
        is_decided = bool(changes) and all(op.decided for op in changes)
        self.passes_on, last.made = self.passes_on or run.passes_on or is_left or is_decided, run.made
        self.had_parameters |= any(op.leaves and op.size > 1 for op in tape.operations[: run.began])
        analysis = self._analysis(tape, run, result, last.has_failed)
        if analysis is None or analysis.chosen is None or is_left:
            return None
        count = count_judged(analysis) + len(analysis.absent)
        clean = not analysis.chosen.bad and not (analysis.absent or analysis.is_lost or tape.grown)
        is_partial = clean and self.answers is not None and self.answers.leaves_open(run.made)
        if is_partial or lacks_targets(analysis) or (not clean and starts_at_zero(analysis)):
            return None
        self.run |= {frame[0] for op in tape.operations for frame in op.place}
        return DrivenRun(label, layout, analysis, count, clean, last.has_failed, work, run.choices)

    def _note_error(
        self, error: BaseException, label: str, layout: ArgumentLayout | None, run: CallRun
    ) -> None:
        """Remember how a call ended."""
        last, source = self.last, self.recording.source
        is_name, line, met = is_undefined(source, error), line_of(source, error), has_met(run.tape, run)
        last.is_hopeless = type(error) in (LookupError, NotImplementedError) or raises_always(source, error)
        last.is_hopeless |= is_name and type(error) is NameError
        self.undefined = error if is_name and isinstance(error, Exception) else self.undefined
        last.has_failed, last.complaint = True, str(error)
        if self.answers is not None and self.answers.is_search:
            last.blamed = blamed(error, source, run.tape, run.answered)
        all_samples = layout is not None and layout.data in _ALL_SAMPLES
        all_samples &= self.answers is None or self._changes_at(line)
        last.has_met = run.sent is not None or met
        is_sent = run.sent is not None  # it has the shape of what the layer computed
        all_samples |= is_sent and layout is not None and layout.data != "vector"
        is_misfit = MISFIT.search(str(error)) and 1 not in (disagreeing(str(error)) or ())
        if all_samples and is_misfit and met:  # a 1 may be a row of a vector
            self.after_meeting.append((_called(label), (error, run.tape)))
        if met:
            last.ended = line, (error, run.tape) if MISFIT.search(str(error)) else None
        self.raised = self.raised or "".join(traceback.format_exception_only(error)).strip()

    def _analysis(self, tape: Tape, run: CallRun, result: Any, failed: bool) -> Analysis | None:
        """What came of a call; None where nothing could be compared."""
        source = self.recording.source
        if is_partly_read(tape, [one for some in run.plausible.made.values() for one in some]):
            return None
        if run.learns_inputs and has_gaps(tape, run.computed):
            return None
        if run.derived is not None:
            return analyse_loss(tape, source, *run.derived) if run.derived else None
        analysis = analyse(tape, source, self.meant)
        if analysis.chosen is not None and run.learns_inputs and not analysis.chosen.bad:
            back = analyse_returned(tape, source, result, None, 0)
            if back.chosen is not None:
                require_size(back.chosen, tape, run.plausible.layout.samples)
            analysis = back if back.chosen is not None and back.chosen.bad else analysis
        passed = sum(map(len, run.plausible.made.values()))
        if not failed and (analysis.chosen is None or 0 < count_judged(analysis) < passed):
            returned = {run.last: run.named(result)}
            kept = None if self.last.was_loss else run.kept
            other = analyse_returned(tape, source, returned, kept, run.began, self.meant)
            self.reason = self.reason or other.reason
            if analysis.chosen is None or count_judged(other) > count_judged(analysis):
                analysis = other
                analysis.behaviour = run.changed_argument()
        for one in run.within.values() if not count_judged(analysis) else ():
            other = analyse_within(tape, source, one, self.meant)
            if other.chosen is not None and count_judged(other) > count_judged(analysis):
                analysis = other
        if analysis.chosen is None:
            return None
        if run.learns_inputs:
            allow_mean(analysis.chosen, tape, run.plausible.layout.samples)
            require_size(analysis.chosen, tape, run.plausible.layout.samples)
        inputs = {op.index for op in tape.operations if op.label == INPUT}
        analysis.absent = [op for op in analysis.absent if inputs.isdisjoint((op.index, *op.before))]
        judged = [row for row in analysis.chosen.rows if row.verdict != ZERO]
        silent = {row.change.key for row in analysis.chosen.rows} - {row.change.key for row in judged}
        silent = set() if run.has_own_data else silent
        is_part = (silent or analysis.is_part) and not analysis.chosen.bad
        if not judged or is_part or (failed and len(analysis.chosen.steps) < 2):
            return None
        return analysis

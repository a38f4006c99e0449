"""Functions and classes that compute a loss, and its derivative by an array that they are passed."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.asking import OpenArgument
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.given_data import as_input
from deltarule.diagnosis.driving.needs import own_methods
from deltarule.diagnosis.driving.origins import TARGETS
from deltarule.diagnosis.driving.returned import arrays_in, change_of, judge_derivatives
from deltarule.diagnosis.driving.words import INPUT, parameters_of
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import fit
from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.reading.targets import find_meetings
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Operation, Tape
from deltarule.diagnosis.recording.traced import Traced, given, plain
from deltarule.diagnosis.recording.usual_activation import is_derived


def follow_loss(run: CallRun, name: str) -> Any:
    """Call a function; LookupError where it does not return a loss with what may be its derivative."""
    _pass_shares(run)
    result = run.call(name)
    _keep(run, result if isinstance(result, tuple) else ())
    return result


def follow_loss_class(run: CallRun, name: str, methods: tuple[str, str]) -> Any:
    """Call two methods with the same arguments; LookupError where they are no loss and its derivative."""
    _pass_shares(run)
    one = run.make(name)
    results = []
    taken = {each: list(inspect.signature(getattr(one, each)).parameters) for each in methods}
    for each in methods:
        before = [array for _, array in arrays_in(one)]
        result = run.with_arguments(getattr(one, each))
        results.append(_kept_anew(run.tape, one, before) if result is None else result)
        _ask(results[-1])
        known = [path for path in run.answers.known if path[0] == f"{name}.{each}"]
        for path, other in itertools.product(known, methods):  # they are passed the same
            if (called := _called(str(path[1]), taken[each], taken[other])) in taken[other]:
                same = f"{name}.{other}", called, *path[2:]
                run.answers.known.setdefault(same, run.answers.known[path])
    if set(taken[methods[1]]) - set(taken[methods[0]]) and "output" not in run.passed:
        raise LookupError("what a loss is derived by")
    _keep(run, tuple(results))
    return tuple(results)


def _called(name: str, own: list[str], others: list[str]) -> str:
    """What an argument is called where others are alike but for their names."""
    renamed = [one for one in own if one not in others], [one for one in others if one not in own]
    return dict(zip(*renamed, strict=False)).get(name, name)


def _kept_anew(tape: Tape, one: Any, before: list[Any]) -> Any:
    """What an object keeps that it did not before, and that was computed last."""
    kept = [array for _, array in arrays_in(one) if not any(array is other for other in before)]
    return max(kept, key=lambda array: max(tape.producers(array.ids), default=0), default=None)


def loss_methods(kind: type) -> Iterator[tuple[str, str]]:
    """A method and its derivative, by its name, of a class made of nothing.

    They need the same arguments, or as many of which one is the same, or the derivative none.
    """
    own = own_methods(kind)
    if any(one.default is one.empty for one in inspect.signature(kind).parameters.values()):
        return
    needed = {
        name: [one for one in parameters_of(each) if one not in ("self", "cls")] for name, each in own.items()
    }
    for first, second in itertools.combinations(own, 2):
        is_one_derived = is_derived(first) != is_derived(second)
        is_alike = len(needed[first]) == len(needed[second]) and set(needed[first]) & set(needed[second])
        if is_one_derived and len(needed[first]) > 1 and (is_alike or not needed[second]):
            yield first, second


def _pass_shares(run: CallRun) -> None:
    """Let the outputs that are passed be between 0 and 1, as probabilities are."""
    run.learns_inputs = run.is_loss = run.is_ahead = True
    run.derived = ()
    shape = run.plausible.layout.samples, run.plausible.layout.inputs
    run.passed[shape] = as_input(run, run.plausible.rng.uniform(0.1, 0.9, shape))


def _ask(result: Any) -> None:
    """Let an argument that met nothing of a known shape be an array."""
    if isinstance(result, OpenArgument):
        result.be_array()


def _keep(run: CallRun, results: tuple[Any, ...]) -> None:
    """Keep a loss, what it is derived by, and the derivative."""
    parts = sorted((one for one in results if type(one) is Traced), key=lambda one: one.size)
    if run.plausible.made or len(parts) != 2 or parts[0].size == parts[1].size or parts[1].size < 2:
        raise LookupError("a loss")
    loss, slope = parts
    if loss.size > 1 and loss.size != len(slope):
        raise LookupError("a loss of each sample")
    loss = loss.sum() if loss.size > 1 else loss
    by = [op for op in run.tape.operations if op.label == INPUT and op.shape == slope.shape]
    by = [op for op in by if op.leaves & run.tape.leaves(loss.ids)]
    if not by:
        raise LookupError("what a loss is derived by")
    loss - given(plain(loss) - 1.0, is_scalar=loss.is_scalar)  # of which the derivative by the loss is one
    run.derived = loss, by[0], slope


def analyse_loss(
    tape: Tape, source: ProgramSource, loss: Traced, by: Operation, slope: Traced
) -> Analysis | None:
    """Compare what was returned with the derivative of the loss; None where it may be something else."""
    change = change_of(tape, source, by, source.name_of(by), slope, np.ravel(slope.value).astype(float))
    step = RecordedStep(1, [change], given=by.leaves)
    is_other = not _comes_from_error(tape, source, step, loss)
    tape.meetings.append(tape.operations[-1].index)
    analysis = judge_derivatives(tape, source, step)
    if analysis.chosen is not None:
        analysis.chosen.loss_name = "its own loss"
        analysis.chosen.losses[0].op = tape.operations[tape.producers(loss.ids)[0]]
    return None if analysis.chosen and analysis.chosen.bad and is_other else analysis


def _comes_from_error(tape: Tape, source: ProgramSource, step: RecordedStep, loss: Traced) -> bool:
    """Whether an array comes from an error and is neither that nor what the loss was made of.

    An error may be the derivative by the scores of an output.
    """
    slope = step.changes[0]
    if slope.sources <= tape.ancestors(loss.ids):
        return False
    meetings = find_meetings(tape, source, step)
    has_target = any(tape.operations[one].label == TARGETS for one in slope.sources)
    errors = [tape.value[one.output] - one.target for one in meetings if one.output.size == slope.step.size]
    return (bool(meetings) or has_target) and not any(
        fit(slope.step, np.ravel(one))[1] < 1e-6 for one in errors
    )

"""Gradients that a function returns (or an object keeps), beside the parameters that they belong to."""

from __future__ import annotations

import functools
import operator
import re
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.containers import AskingParts
from deltarule.diagnosis.driving.words import INPUT, is_given
from deltarule.diagnosis.reading.analysis import Analysis, judge_steps
from deltarule.diagnosis.reading.comparison import DECAY, OPTIMIZER, WRONG, fit
from deltarule.diagnosis.reading.losses import KnownLoss, losses_of
from deltarule.diagnosis.reading.steps import Change, RecordedStep
from deltarule.diagnosis.reading.targets import Meeting, find_meetings
from deltarule.diagnosis.recording.source import ProgramSource, is_parameter
from deltarule.diagnosis.recording.tape import Operation, Tape
from deltarule.diagnosis.recording.traced import Traced, to_traced

#: What an object keeps its output as.
_KEPT = re.compile(r"_*(outputs?|out|activations?|y|a)$", re.I)


def arrays_in(
    x: Any, name: str = "", depth: int = 0, seen: set[int] | None = None, lists: bool = False
) -> Iterator[tuple[str, Traced]]:
    """(name, array) of all traced arrays in lists, dictionaries and objects; ``lists``: of numbers, too."""
    seen = set() if seen is None else seen
    if lists and isinstance(x, list) and (made := _as_array(x)) is not None:
        x = made
    if type(x) is Traced:
        yield name, x
        return
    if depth > 5 or id(x) in seen:
        return
    seen.add(id(x))
    parts: list[tuple[str, Any]] = []
    if isinstance(x, dict):
        parts = [(f"{name}[{key!r}]" if name else str(key), one) for key, one in x.items()]
    elif isinstance(x, list | tuple):
        held = list.__iter__(x) if isinstance(x, AskingParts) else x  # to look at it asks for nothing
        parts = [(f"{name}[{k}]", one) for k, one in enumerate(held)]
    elif hasattr(x, "__dict__") and not isinstance(x, type | types.ModuleType | types.FunctionType):
        parts = [(f"{name}.{key}" if name else key, one) for key, one in vars(x).items()]
    for key, one in parts:
        yield from arrays_in(one, key, depth + 1, seen, lists)


def judge_derivatives(tape: Tape, source: ProgramSource, step: RecordedStep) -> Analysis:
    """Compare derivatives that no step follows: no penalty and no optimizer explains them."""
    analysis = judge_steps(tape, source, [step])
    analysis.only_gradients = True
    for row in analysis.chosen.rows if analysis.chosen else ():
        row.verdict = WRONG if row.verdict in (DECAY, OPTIMIZER) else row.verdict
    return analysis


def holds_weights(one: Any) -> bool:
    """Whether an object has arrays already."""
    return any(array.size > 1 for _, array in arrays_in(one, lists=True))


def kept_output(one: Any) -> Iterator[Traced]:
    """What an object keeps of what it computed last."""
    return (array for key, array in arrays_in(one) if _KEPT.match(key.rpartition(".")[2]))


def _as_array(x: list[Any]) -> Traced | None:
    """A list of single numbers, or of such lists, as one array."""
    first: Any = x
    while isinstance(first, list) and not isinstance(first, AskingParts) and first:
        first = first[0]
    if type(first) is not Traced or not first.is_scalar:
        return None
    try:
        made = to_traced(x)
    except (ValueError, TypeError):  # of different lengths, or of other things, too
        return None
    return made if type(made) is Traced and made.value.dtype.kind in "fiub" else None


def analyse_written(tape: Tape, source: ProgramSource, names: dict[str, Any], meant: str = "") -> Analysis:
    """Compare gradients that a program computes once; ``names`` are those of its top level."""
    starts = [op for op in tape.operations if op.is_leaf and is_parameter(source.name_of(op))]
    theta = functools.reduce(operator.or_, (op.leaves for op in starts), 0)
    if not theta or any(op.old is not None for op in tape.operations):
        return Analysis(tape, source, reason="no parameter was seen to change")
    analysis = analyse_returned(tape, source, names, None, 0, meant, theta)
    step = analysis.chosen.steps[0] if analysis.chosen else None
    if step is not None and _are_left_behind(tape, step):
        reason = "the gradients are those of the first sample: for the others they are not computed"
        return Analysis(tape, source, reason=reason)
    if step is not None and _loses_sign(tape, step):
        reason = (
            "the absolute value of the error is taken: the one sample does not show whether its sign is lost"
        )
        return Analysis(tape, source, reason=reason)
    for change in step.changes if step else ():
        op = tape.operations[change.key[1]]
        new = tape.operations[tape.producers(change.increments[0])[0]]
        if change.name != source.name_of(op) or not source.line(new):
            continue
        read = set(new.before)
        goes_on = op.index in read or any(tape.operations[one].place == new.place for one in read)
        if goes_on and new.name in ("add", "subtract"):  # no gradient, but a step that does not depend on it
            return Analysis(tape, source, reason="no parameter was seen to change by its gradient")
        analysis.replaced.append((new, change.name))
    return analysis


def _are_left_behind(tape: Tape, step: RecordedStep) -> bool:
    """Whether the program goes on to compare outputs with targets where it did, and computes no gradient."""
    sources = set().union(*(change.sources for change in step.changes))
    errors = {op.place for op in (tape.operations[k] for k in sources) if op.name == "subtract"}
    made = [k for change in step.changes for ids in change.increments for k in tape.producers(ids)]
    places = {tape.operations[k].place for k in made}
    later = [op.place for op in tape.operations[max(made, default=0) + 1 :] if op.place]
    return not errors.isdisjoint(later) and places.isdisjoint(later)


def _loses_sign(tape: Tape, step: RecordedStep) -> bool:
    """Whether a gradient is made of the absolute value of a single difference."""
    made = (tape.operations[k] for change in step.changes for k in change.sources)
    return any(
        op.name == "absolute"
        and op.size == 1
        and any(tape.operations[k].name == "subtract" for k in op.before)
        for op in made
    )


def analyse_within(tape: Tape, source: ProgramSource, returned: Any, meant: str = "") -> Analysis:
    """Compare what a function returned to one that made parameters and data itself: names tell them apart."""
    starts = [op for op in tape.operations if op.is_leaf and not is_given(source.name_of(op))]
    theta = functools.reduce(operator.or_, (op.leaves for op in starts), 0)
    return _compared(tape, source, returned, None, 0, meant, 0, theta)


def analyse_returned(
    tape: Tape, source: ProgramSource, returned: Any, kept: Any, began: int, meant: str = "", only: int = 0
) -> Analysis:
    """Compare arrays that were returned (or kept) with the gradients of the start values.

    ``began`` is the operation before which the parameters were there; later ones count where nothing comes of
    these. ``only`` is the set of start values that are parameters, where the program says so by their names.
    """
    every = functools.reduce(operator.or_, (op.leaves for op in tape.operations), 0)
    there = functools.reduce(operator.or_, (op.leaves for op in tape.operations[:began]), 0)
    for theta in dict.fromkeys([only] if only else [there or every, every]):
        analysis = _compared(tape, source, returned, kept, began, meant, only, theta)
        if analysis.chosen is not None:
            break
    return analysis


def _compared(
    tape: Tape,
    source: ProgramSource,
    returned: Any,
    kept: Any,
    began: int,
    meant: str,
    only: int,
    theta: int,
) -> Analysis:
    back = list(arrays_in(returned, lists=True))
    if not all(np.isfinite(one.value).all() for _, one in back if one.value.dtype.kind == "f"):
        return Analysis(tape, source, reason="it returns NaN or infinite numbers")
    labels = {op.label for op in tape.operations[:began] if op.label}
    kept_too = [one for one in arrays_in(kept, lists=True) if not _is_part(one[0], labels)]
    wrapped = [(name, one) for name, one in (*back, *kept_too) if one.size]
    sources: set[int] = set()
    for _, one in wrapped:
        sources |= tape.ancestors(one.ids)
    whole = Change(("all",), "", 0, (), np.zeros(0, np.int64), np.zeros(0), [], [], sources)
    step = RecordedStep(1, [whole], given=theta)
    meetings = _meetings_of(tape, source, step, bool(only))
    if not meetings:
        return Analysis(tape, source, reason="no place was found where an output is compared with a target")
    offers = _offers(tape, wrapped, meetings)
    samples = max(meetings[0].output.shape, default=1)
    best: tuple[float, list[Change], list[Operation]] | None = None
    for loss in losses_of(tape, step, meetings, meant):
        changes, absent, fitting = _assign(tape, source, loss, offers, samples, only)
        if changes and (best is None or fitting > best[0]):
            best = fitting, changes, absent
    if best is None:
        return Analysis(tape, source, reason="nothing that it returned has the shape of a parameter")
    step = RecordedStep(1, best[1], given=theta)
    analysis = judge_steps(tape, source, [step], meant)
    if analysis.chosen and analysis.chosen.bad and all(row.misfit < 1e-3 for row in analysis.chosen.rows):
        tape.note("single", "the numbers agree to a few digits only, as finite differences do")
        analysis = judge_steps(tape, source, [step], meant)
    analysis.only_gradients = True
    analysis.absent = [op for op in best[2] if op.index < began]
    vectors = [_is_vector(change.shape) for change in best[1]]
    if len(vectors) == len(back) and not any(vectors):  # gradients of the weights alone are a choice
        analysis.absent = [op for op in analysis.absent if not _is_vector(op.shape)]
    if all(vectors) and not all(_is_vector(op.shape) for op in analysis.absent):  # deltas, say, as of biases
        return Analysis(tape, source, reason="what it returned are not the gradients of its weights")
    return analysis


def _meetings_of(tape: Tape, source: ProgramSource, step: RecordedStep, is_named: bool) -> list[Meeting]:
    """Where outputs are compared with targets; a layer may look up its output among its parameters."""
    found = find_meetings(tape, source, step)
    if tape.meetings:
        return found
    return [one for one in found if _is_computed(tape, one, step.given, is_named)]


def _is_computed(tape: Tape, meeting: Meeting, theta: int, is_named: bool) -> bool:
    """Whether an output is more than a parameter from which something was subtracted.

    ``is_named``: names tell what is a parameter; what is made of several may be an output of single numbers.
    """
    made = [tape.operations[k] for k in tape.ancestors(meeting.output)]
    inputs = {op.index for op in made if op.label == INPUT}
    return any(
        (
            not op.initial
            or inputs.intersection(op.before)
            or (is_named and (op.leaves & theta).bit_count() > 1)
        )
        and op.leaves & theta
        and op.name not in ("add", "subtract")
        for op in made
    )


def _offers(
    tape: Tape, wrapped: list[tuple[str, Traced]], meetings: list[Meeting]
) -> list[tuple[str, Traced]]:
    """The arrays that come from the error and are no versions of a parameter: perhaps gradients.

    Zeros that were made after the error may be left of what was filled in part.
    """
    errors = {index for one in meetings for index in one.twins}
    descended, first = _descended(tape, errors), min(errors)
    found = []
    for name, one in wrapped:
        roots = tape.root[one.ids]
        is_version = any(made < first for made in tape.producers(roots[roots >= 0]))
        if descended & set(tape.producers(one.ids)) and not is_version:
            found.append((name, one))
    return found


def _is_part(name: str, labels: set[str]) -> bool:
    """Whether what has this name is a parameter, or an element of one."""
    return any(name.startswith(one) and name[len(one) :][:1] in ("", ".", "[") for one in labels)


def _is_vector(shape: tuple[int, ...]) -> bool:
    """Whether an array may hold biases."""
    return len(shape) < 2 or 1 in shape


def _descended(tape: Tape, errors: set[int]) -> set[int]:
    found = set(errors)
    for op in tape.operations[min(errors) :]:
        if not op.is_leaf and not found.isdisjoint(op.before):
            found.add(op.index)
    return found


def _parameters(tape: Tape, loss: KnownLoss) -> list[Operation]:
    inputs = {op.index for op in tape.operations if op.label == INPUT}
    computed = _descended(tape, inputs) - inputs if inputs else inputs  # a layer's inputs are leaves, too
    used: set[int] = set()
    for op in tape.operations:
        if not op.initial or op.index in computed:
            for ids in op.inputs:
                used |= set(tape.producers(ids)) if ids is not None else set()
    found = []
    for index in sorted(used - computed):
        op = tape.operations[index]
        if (op.initial and op.leaves and loss.adjoint[op.start : op.stop].any()) or (
            op.initial and not op.is_leaf and op.leaves
        ):
            found.append(op)
    return [op for op in found if op.size > 1 or op.is_data]


def _named_parameters(tape: Tape, source: ProgramSource) -> list[Operation]:
    """The start values that are called as parameters are; what is computed of them and of numbers is none."""
    named = [(source.name_of(op), op) for op in tape.operations if op.initial and op.leaves]
    return list({name: op for name, op in named if is_parameter(name)}.values())


def _assign(
    tape: Tape,
    source: ProgramSource,
    loss: KnownLoss,
    offers: list[tuple[str, Traced]],
    samples: int,
    only: int,
) -> tuple[list[Change], list[Operation], float]:
    """Which array is whose gradient: first where the numbers agree, then where the shapes do."""
    parameters = [
        op
        for op in (only and _named_parameters(tape, source)) or _parameters(tape, loss)
        if loss.adjoint[op.start : op.stop].any()
        and (not only or op.leaves & only)
        and not _keeps_ones(tape, op, loss)
    ]
    left = dict(enumerate(offers))
    changes: dict[int, Change] = {}
    taken: dict[int, Traced] = {}
    fitting = 0.0
    for exact in (True, False):
        for op in parameters:
            if op.index in changes:
                continue
            for k, (name, one) in left.items():
                values = _oriented(op, one, loss)
                if values is None or (exact and not _agrees(op, values, loss)):
                    continue
                mine = source.name_of(op)
                if not exact and (_numbers_differ(mine, name) or (only and mine.lower() not in name.lower())):
                    continue
                fitting += 1.0 if exact else 0.0
                changes[op.index] = change_of(tape, source, op, name, one, values)
                taken[op.index] = one
                del left[k]
                break
    _keep_turned(tape, changes, taken)
    absent = [op for op in parameters if op.index not in changes and op.size > 1]
    absent = [op for op in absent if not is_given(source.name_of(op))]  # of data nobody needs a gradient
    for op in absent:
        misfits = [
            (name, one)
            for name, one in left.values()
            if one.size != op.size and not _numbers_differ(source.name_of(op), name)
        ]
        if misfits and misfits[0][1].size in (1, samples, op.size * samples):
            tape.misfits[op.index] = misfits[0]
    return [changes[index] for index in sorted(changes)], absent, fitting - 0.01 * len(absent)


def _keep_turned(tape: Tape, changes: dict[int, Change], taken: dict[int, Traced]) -> None:
    """Where one gradient lies as its parameter does, one that lies across it is a mistake, no convention."""
    shapes = {index: (tape.operations[index].shape, one.shape) for index, one in taken.items()}
    plain = {index for index, (mine, theirs) in shapes.items() if mine == theirs != mine[::-1]}
    turned = {index for index, (mine, theirs) in shapes.items() if mine != theirs == mine[::-1]}
    for index in turned if any(len(shapes[one][0]) == 2 for one in plain) else ():
        changes[index].step = np.ravel(taken[index].value).astype(float)


def _oriented(op: Operation, one: Traced, loss: KnownLoss) -> Any:
    """The values in the parameter's order; None where the shapes differ."""
    if one.size != op.size:
        return None
    values = np.asarray(one.value, float)
    flat = values.ravel()
    gradient = loss.adjoint[op.start : op.stop]
    if values.ndim == 2 and len(op.shape) == 2 and values.shape == op.shape[::-1]:
        turned = values.T.ravel()
        if values.shape != op.shape or fit(turned, gradient)[1] < fit(flat, gradient)[1]:
            return turned if fit(turned, gradient)[1] < 1e-5 or values.shape != op.shape else flat
    return flat


def _agrees(op: Operation, values: Any, loss: KnownLoss) -> bool:
    factor, misfit = fit(values, loss.adjoint[op.start : op.stop])
    return bool(factor) and misfit < 1e-5 and op.size > 1


def _keeps_ones(tape: Tape, op: Operation, loss: KnownLoss) -> bool:
    """Whether an array of ones makes room for outputs: some are overwritten, others stay for biases."""
    return bool((tape.value[op.ids] == 1).all()) and not loss.adjoint[op.start : op.stop].all()


def _numbers_differ(parameter: str, name: str) -> bool:
    """Whether names end in different numbers, as W1 and dW2 do."""
    mine, theirs = re.search(r"(\d)\W*$", parameter), re.search(r"(\d)[\W]*$", name)
    listed = re.search(r"\[\d+\]$", name) or re.search(r"\[\d+\]$", parameter)
    return bool(mine and theirs and not listed and mine.group(1) != theirs.group(1))


def change_of(
    tape: Tape, source: ProgramSource, op: Operation, name: str, one: Traced, values: Any
) -> Change:
    """What a returned array is, if it is the gradient of a parameter."""
    one = to_traced(one)
    last = tape.operations[max(tape.producers(one.ids))]
    change = Change(
        ("array", op.index),
        name,
        source.line(last),
        op.shape,
        np.arange(op.start, op.stop),
        values,
        [],
        [one.ids],
    )
    change.sources = tape.ancestors(one.ids)
    change.is_returned = True
    return change

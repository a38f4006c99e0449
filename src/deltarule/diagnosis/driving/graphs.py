"""Numbers that build a graph as they are computed with, and go back through it: each operation is tried."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.driven import DrivenRun
from deltarule.diagnosis.driving.trials import LONGEST
from deltarule.diagnosis.driving.words import is_given
from deltarule.diagnosis.reading.analysis import Analysis, judge_steps
from deltarule.diagnosis.reading.steps import GRAPH, Change, RecordedStep
from deltarule.diagnosis.recording.program import Recording, new_tape, recording_on
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import RecordingStopped, Tape
from deltarule.diagnosis.recording.traced import Traced, given, leaf, plain, to_traced

#: Operations of three numbers a, b, c, each of which occurs more than once.
_BINARY: tuple[Callable[[Any, Any, Any], Any], ...] = (
    lambda a, b, c: a * b + c,
    lambda a, b, c: a * b + a * b + a,
    lambda a, b, c: b - c * a + (b - a),
    lambda a, b, c: a / c + b / c + a / b,
    lambda a, b, c: 2.0 * a + b * 3.0,
    lambda a, b, c: (1.0 - b) * c + 2.0 / c,
    lambda a, b, c: -a * b + -a + b,
    lambda a, b, c: a**2 + a**2 + b * a,
    lambda a, b, c: c**3 + c,
    lambda a, b, c: (a - b) ** 2 + a + c,
)
#: Of three arrays, (4, 3), (3, 2) and (2,): each result is summed by the derivative that it starts from, 1.
_OF_ARRAYS: tuple[Callable[[Any, Any, Any], Any], ...] = (
    lambda a, b, c: a @ b,
    lambda a, b, c: a.matmul(b),
    lambda a, b, c: a.dot(b),
    lambda a, b, c: a @ b + c,
    lambda a, b, c: ((a @ b + c) * c).sum(),
    lambda a, b, c: (a @ b) * (a @ b),
    lambda a, b, c: ((a @ b) * c - a @ b).sum(),
    lambda a, b, c: ((a @ b) * (a @ b)).mean(),
    lambda a, b, c: (a @ b).relu().sum(),
    lambda a, b, c: (a @ b).tanh().sum(),
    lambda a, b, c: (a @ b + c).sigmoid().sum(),
)
_UNARY = re.compile(
    r"(tanh|exp|relu|sigmoid|logistic|log|ln|sin|cos|sqrt|square|softplus|leaky_?relu)$", re.I
)
#: One of these, beside a sum, is an operation of numbers that build a graph.
_OPERATORS = ("__mul__", "__matmul__", "__pow__")
_BACK = re.compile(r"_*back\w*$", re.I)
_GRADIENT = re.compile(r"_*(d|grad(?!_fn)\w*|(?!requires?_?|needs?_?)\w+_grad|derivative|adjoint)$", re.I)


class NothingReturned(Exception):
    """An operation returns nothing, and cannot be tried."""


def judge_graphs(recording: Recording, classes: dict[str, type]) -> DrivenRun | None:
    """Judge each operation of numbers that build a graph: the first wrong one, or all that there are."""
    right: DrivenRun | None = None
    for name in [name for name, kind in classes.items() if back_method(kind)]:
        for label, compute in expressions(classes[name]):
            tape = new_tape(recording.source, frozenset(), LONGEST)
            try:
                with recording_on(tape):
                    kind = recording.rebuilding(is_given, recording.tape).value(classes[name], name)
                    analysis = go_back(tape, recording.source, kind, compute)
            except (RecordingStopped, NothingReturned):
                return None
            if analysis is None or analysis.chosen is None:
                continue
            trial = DrivenRun(f"{name}, {label}", None, analysis, 3, not analysis.chosen.bad)
            if not trial.is_right:
                return trial
            right = trial
    return right


def back_method(kind: type) -> str | None:
    """The method by which a number goes back through its graph; None where a class has no such numbers."""
    if not (hasattr(kind, "__add__") and any(hasattr(kind, one) for one in _OPERATORS)):
        return None
    for name in dir(kind):
        method = getattr(kind, name)
        if _BACK.match(name) and not name.startswith("_") and inspect.isfunction(method):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            if all(one.default is not one.empty for one in parameters):
                return name
    return None


def expressions(kind: type) -> Iterator[tuple[str, Callable[[Any, Any, Any], Any]]]:
    """(name, what is computed from three numbers) for each operation that a class may have."""
    for number, one in enumerate(_BINARY):
        yield f"operation {number + 1}", one
    for name in sorted(vars(kind)):
        if _UNARY.match(name) and inspect.isfunction(getattr(kind, name)):
            yield name, partial(_once, name)
            yield name, partial(_repeated, name)
    for number, one in enumerate(_OF_ARRAYS):
        yield f"operation of arrays {number + 1}", one


def _once(name: str, a: Any, b: Any, c: Any) -> Any:
    result = getattr(a, name)()
    if result is None:
        raise NothingReturned(name)
    return result + c


def _repeated(name: str, a: Any, b: Any, c: Any) -> Any:
    return getattr(a, name)() + getattr(b, name)() + getattr(a, name)() + c


def go_back(
    tape: Tape, source: ProgramSource, kind: type, compute: Callable[[Any, Any, Any], Any]
) -> Analysis | None:
    """Compute, go back, and compare the gradients of the three numbers; None where it cannot be computed."""
    tape.on_sum = None  # nothing here is a step
    rng = np.random.default_rng(1)
    if compute in _OF_ARRAYS:
        starts = [leaf(rng.normal(size=shape), is_scalar=False) for shape in ((4, 3), (3, 2), (2,))]
    else:
        starts = [leaf(one, is_scalar=True) for one in (0.7, -1.2, 0.9)]
    try:
        numbers = [kind(one, **_wanted(kind)) for one in starts]
        before = {name: _ids(one) for name, one in _attributes(numbers[0]).items()}
        value_name = next(
            (name for name, ids in before.items() if np.array_equal(ids, starts[0].ids.ravel())), ""
        )
        out = compute(*numbers)
        value = getattr(out, value_name, None)
        getattr(out, back_method(kind) or "")()
        if type(value) is not Traced or (value.size != 1 and compute not in _OF_ARRAYS):
            return None
        value - given(
            plain(value) - 1.0, is_scalar=value.is_scalar
        )  # a loss whose derivative by the output is one
        tape.meetings.append(tape.operations[-1].index)
        return _compared(tape, source, starts, _gradients(numbers, {value_name}, before))
    except NothingReturned:
        raise
    except Exception:  # whatever the learner's operations raise: this one is not there
        return None


def _wanted(kind: type) -> dict[str, bool]:
    """What is said to a class that keeps no gradients unless it is asked to."""
    return {one: True for one in inspect.signature(kind).parameters if re.match("requires?_?grad$", one)}


def _attributes(one: Any) -> dict[str, Any]:
    """What an object holds, by name."""
    names = [*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())]
    return {name: getattr(one, name, None) for name in names}


def _ids(x: Any) -> Any:
    """The numbers that an array holds, whatever its shape."""
    return x.ids.ravel().copy() if type(x) is Traced else None


def _has(x: Any, ids: Any) -> bool:
    """Whether an array holds the very numbers that it had."""
    return bool(np.array_equal(_ids(x), ids))


def _gradients(numbers: list[Any], others: set[str], before: dict[str, Any]) -> list[Any]:
    """What going back has put into the numbers: under the usual name, or the only one that changed."""
    after = [_attributes(one) for one in numbers]
    changed = [
        name
        for name, one in after[0].items()
        if name not in others and type(one) is Traced and not _has(one, before.get(name))
    ]
    changed.sort(key=lambda name: not _GRADIENT.match(name))
    return [one.get(changed[0]) if changed else None for one in after]


def _compared(
    tape: Tape, source: ProgramSource, starts: list[Traced], gradients: list[Any]
) -> Analysis | None:
    if starts[-1].size > 1 and (gradients[-1] is None or not np.any(plain(gradients[-1]))):
        starts, gradients = starts[:-1], gradients[:-1]  # not every operation of arrays has a third
    if any(one is None for one in gradients):
        return None
    pairs = [(start, to_traced(one)) for start, one in zip(starts, gradients, strict=True)]
    if any(start.size != one.size for start, one in pairs):
        return None
    found = [one for _, one in pairs]
    change = Change(
        GRAPH,
        "a, b and c",
        0,
        (sum(one.size for one in found),),
        np.concatenate([start.ids.ravel() for start, _ in pairs]),
        np.concatenate([np.ravel(one.value) for one in found]).astype(float),
        [],
        [ids for one in found for ids in one.ids.reshape(-1, 1)],
    )
    change.sources = set().union(*(tape.ancestors(one.ids) for one in found))
    change.is_returned = True
    step = RecordedStep(1, [change])
    step.given = int(np.bitwise_or.reduce([tape.leaves(one.ids) for one in starts]))
    analysis = judge_steps(tape, source, [step])
    analysis.only_gradients = True
    return analysis

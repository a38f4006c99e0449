"""Numbers that build a graph as they are computed with, and go back through it: each operation is tried."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.reading.analysis import Analysis, judge_steps
from deltarule.diagnosis.reading.steps import GRAPH, Change, RecordedStep
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape
from deltarule.diagnosis.recording.traced import Traced, given, leaf, plain, to_traced

#: Operations of three numbers a, b, c, each of which occurs more than once.
_BINARY: tuple[Callable[[Any, Any, Any], Any], ...] = (
    lambda a, b, c: a * b + c,
    lambda a, b, c: a * b + a,
    lambda a, b, c: b - c * a,
    lambda a, b, c: a / c + b,
    lambda a, b, c: 2.0 * a + b * 3.0,
    lambda a, b, c: (1.0 - b) * c + 2.0 / c,
    lambda a, b, c: -a * b + b,
    lambda a, b, c: a**2 + b * a,
    lambda a, b, c: c**3 + c,
)
_UNARY = re.compile(
    r"(tanh|exp|relu|sigmoid|logistic|log|ln|sin|cos|sqrt|square|softplus|leaky_?relu)$", re.I
)
_BACK = re.compile(r"_*back\w*$", re.I)
_GRADIENT = re.compile(r"_*(d|grad\w*|\w+_grad|derivative|adjoint)$", re.I)
_VALUE = re.compile(r"_*(data|value|val|v|x)$", re.I)


class NothingReturned(Exception):
    """An operation returns nothing, and cannot be tried."""


def back_method(kind: type) -> str | None:
    """The method by which a number goes back through its graph; None where a class has no such numbers."""
    if not (hasattr(kind, "__add__") and hasattr(kind, "__mul__")):
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
    starts = [leaf(one, is_scalar=True) for one in (0.7, -1.2, 0.9)]
    numbers = [kind(one) for one in starts]
    try:
        out = compute(*numbers)
        value = _held(out, _VALUE)
        getattr(out, back_method(kind) or "")()
        if type(value) is not Traced or value.size != 1:
            return None
        value - given(plain(value) - 1.0, is_scalar=True)  # a loss whose derivative by the output is one
        tape.meetings.append(tape.operations[-1].index)
        return _compared(tape, source, starts, [_held(one, _GRADIENT) for one in numbers])
    except NothingReturned:
        raise
    except Exception:  # whatever the learner's operations raise: this one is not there
        return None


def _held(one: Any, pattern: re.Pattern[str]) -> Any:
    """What an object holds under such a name."""
    names = [*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())]
    return next((getattr(one, name) for name in names if pattern.match(name)), None)


def _compared(
    tape: Tape, source: ProgramSource, starts: list[Traced], gradients: list[Any]
) -> Analysis | None:
    if any(one is None for one in gradients):
        return None
    found = [to_traced(one) for one in gradients]
    if any(one.size != 1 for one in found):
        return None
    change = Change(
        GRAPH,
        "a, b and c",
        0,
        (len(starts),),
        np.concatenate([one.ids.ravel() for one in starts]),
        np.array([float(one) for one in found]),
        [],
        [one.ids for one in found],
    )
    change.sources = set().union(*(tape.ancestors(one.ids) for one in found))
    change.is_returned = True
    step = RecordedStep(1, [change])
    step.given = int(np.bitwise_or.reduce([tape.leaves(one.ids) for one in starts]))
    analysis = judge_steps(tape, source, [step])
    analysis.only_gradients = True
    return analysis

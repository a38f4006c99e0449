"""An object goes forward, and what it computed is kept for what goes back."""

from __future__ import annotations

from typing import Any, Protocol

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.asking import OpenArgument
from deltarule.diagnosis.driving.needs import Needs, own_methods
from deltarule.diagnosis.driving.returned import arrays_in, kept_output
from deltarule.diagnosis.driving.words import INPUT
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape
from deltarule.diagnosis.recording.traced import Traced


class GoingRun(Protocol):
    """The calls of one trial, as far as going forward and back needs them."""

    source: ProgramSource
    tape: Tape
    answers: Answers
    began: int
    computed: Any
    offered: list[Any]
    steps: list[Any]
    is_ahead: bool

    def with_arguments(self, function: Any) -> Any: ...


def go_back(run: GoingRun, one: Any) -> None:
    """Let an object go forward and back that lacks what only that gives it, as its gradients."""
    needs, own = Needs(run.source), own_methods(type(one))
    plan = next((plan for name in run.answers.lacking if (plan := needs.giving(name, own))), [])
    run.computed, run.offered, run.steps = None, [], []
    for method in plan:
        run.is_ahead = method != plan[-1]
        result = run.with_arguments(getattr(one, method))
        see_computed(run, one, result, not run.is_ahead)


def is_open(one: Any) -> bool:
    """Whether an argument is one that asks what it should be."""
    return isinstance(one, OpenArgument)


def see_computed(run: GoingRun, one: Any, result: Any, is_last: bool) -> None:
    """Keep what a method computed, that others may be given it, or the derivative by it."""
    results = result if isinstance(result, tuple | list) else (result,)
    kept = [each for each in getattr(one, "__dict__", {}).values() if _is_computed_of_open(each)]
    for each in (*results, *kept):
        if is_open(each):  # it met nothing that has a shape
            each.be_array()
    if is_last:
        return
    arrays = run.steps = _steps(result) or [each for each in results if type(each) is Traced]
    if not arrays and isinstance(result, list | tuple):  # it is in what is returned, as of each layer
        arrays = [each for _, each in arrays_in(result) if _is_computed(run, each)]
    if type(result) is Traced and result.is_scalar:  # the loss of what is kept
        arrays = [each for each in kept_output(one) if _is_computed(run, each)] or arrays
    if result is None:  # it is kept
        arrays = list(kept_output(one)) or [each for _, each in arrays_in(one) if _is_computed(run, each)]
    run.offered = arrays
    if run.offered:  # what is computed from the others is the output
        run.computed = max(run.offered, key=lambda each: max(run.tape.producers(each.ids), default=0))


def _is_computed_of_open(x: Any) -> bool:
    """Whether something was computed from what a method was passed and what is not known yet."""
    return is_open(x) and bool(x._moves) and "." in x.path[0]


def _steps(result: Any) -> list[Traced]:
    """The outputs of one step after the other, which have one shape and stand in a list or a dictionary."""
    held = list(result.values()) if isinstance(result, dict) else result
    if not isinstance(held, list) or len(held) < 2 or not all(type(one) is Traced for one in held):
        return []
    return held if len({one.shape for one in held}) == 1 and not held[0].is_scalar else []


def _is_computed(run: GoingRun, array: Traced) -> bool:
    """Whether an array was computed after the object was made, and not as start values of parameters are."""
    made = [run.tape.operations[one] for one in run.tape.producers(array.ids)]
    return any(
        op.index >= run.began
        and not op.is_leaf
        and (not op.initial or any(run.tape.operations[one].label == INPUT for one in op.before))
        for op in made
    )

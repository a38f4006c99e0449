"""Methods of one object, or functions, called in the order in which they need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.asking import OpenArgument
from deltarule.diagnosis.driving.needs import Needs, own_methods
from deltarule.diagnosis.driving.objects import in_steps
from deltarule.diagnosis.driving.returned import arrays_in, holds_weights, kept_output
from deltarule.diagnosis.driving.usage import link_of
from deltarule.diagnosis.driving.words import BACK, INPUT
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape
from deltarule.diagnosis.recording.traced import Traced

if TYPE_CHECKING:
    from deltarule.diagnosis.driving.calls import CallRun


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


def follow(run: CallRun, name: str, plan: list[str]) -> Any:
    """Make an object and call its methods in an order, a few times; a layer goes back once."""
    run.learns_inputs = run.answers.sends_back
    chain = _chain(run, name, plan)
    one, last = chain[0], chain[-1]
    if run.answers.is_search and len(plan) > 1 and BACK.search(plan[-1]):
        run.learns_inputs |= not holds_weights(one) and not any(map(_is_open, vars(one).values()))
    run.kept = one if one is last else chain
    run.began = len(run.tape.operations)
    plan = [method for method in plan if method not in run.assembled]
    called = set().union(*map(Needs(run.source).within, plan))
    run.is_loss = len(plan) > 1 and set(own_methods(type(one))) <= called and not holds_weights(one)
    ahead = link_of(run.source, name, plan[0])
    before = dict(arrays_in(one))
    result = sent = None
    for _ in range(1 if run.learns_inputs or run.is_loss else 4):
        run.computed, run.offered, run.steps = None, [], []
        for method in plan:
            run.was_sent, run.is_ahead = False, method != plan[-1]
            bound = getattr(one if link_of(run.source, name, method) in (None, ahead) else last, method)
            result = run.with_arguments(bound)
            run.pool_returned(bound, result)
            if run.was_sent:
                run.tape.sent_to = getattr(getattr(bound, "__func__", bound), "__code__", None)
            run.last, sent = method, result if run.was_sent else sent
            _see_computed(run, last, result, method == plan[-1])
    for path, array in arrays_in(one):
        if path in before and array.shape == before[path].shape:
            run.tape.kept_anew.update(run.tape.producers(array.ids))
    return result if sent is None else sent


def go_back(run: GoingRun, one: Any) -> None:
    """Let an object go forward and back that lacks what only that gives it, as its gradients."""
    needs, own = Needs(run.source), own_methods(type(one))
    plan = next((plan for name in run.answers.lacking if (plan := needs.giving(name, own))), [])
    run.computed, run.offered, run.steps = None, [], []
    for method in plan:
        run.is_ahead = method != plan[-1]
        result = run.with_arguments(getattr(one, method))
        _see_computed(run, one, result, not run.is_ahead)


def _chain(run: CallRun, name: str, plan: list[str]) -> list[Any]:
    """An object; two, where one passes on what it computes to another that it is told from outside."""
    ahead = link_of(run.source, name, plan[0])
    if ahead is None or not run.answers.knows_sizes(name):
        return [run.make(name)]
    first, last = in_steps(run, lambda: run.make(name))
    setattr(first, ahead, last)
    for back in {link_of(run.source, name, method) for method in plan[1:]} - {None, ahead}:
        setattr(last, str(back), first)
    return [first, last]


def follow_functions(run: CallRun, plan: list[str]) -> Any:
    """Call functions in an order: one that goes forward, and one that goes back."""
    run.learns_inputs = run.answers.sends_back
    result = None
    for name in plan:
        run.was_sent = False
        result = run.call(name)
        run.tape.sent_to = run.namespace[name].__code__ if run.was_sent else run.tape.sent_to
        _see_computed(run, None, result, name == plan[-1])
    return result


def _is_open(one: Any) -> bool:
    return isinstance(one, OpenArgument)


def _see_computed(run: GoingRun, one: Any, result: Any, is_last: bool) -> None:
    """Keep what a method computed, that others may be given it, or the derivative by it."""
    results = result if isinstance(result, tuple | list) else (result,)
    kept = [each for each in getattr(one, "__dict__", {}).values() if _is_computed_of_open(each)]
    for each in (*results, *kept):
        if _is_open(each):  # it met nothing that has a shape
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
    return _is_open(x) and bool(x._moves) and "." in x.path[0]


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

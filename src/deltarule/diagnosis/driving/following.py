"""Methods of one object, or functions, called in the order in which they need each other."""

from __future__ import annotations

from typing import Any

from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.going import is_open, see_computed
from deltarule.diagnosis.driving.needs import Needs, own_methods
from deltarule.diagnosis.driving.objects import in_steps
from deltarule.diagnosis.driving.returned import arrays_in, holds_weights
from deltarule.diagnosis.driving.usage import link_of
from deltarule.diagnosis.driving.words import BACK


def follow(run: CallRun, name: str, plan: list[str]) -> Any:
    """Make an object and call its methods in an order, a few times; a layer goes back once."""
    run.learns_inputs = run.answers.sends_back
    chain = _chain(run, name, plan)
    one, last = chain[0], chain[-1]
    if run.answers.is_search and len(plan) > 1 and BACK.search(plan[-1]):
        run.learns_inputs |= not holds_weights(one) and not any(map(is_open, vars(one).values()))
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
            see_computed(run, last, result, method == plan[-1])
    for path, array in arrays_in(one):
        if path in before and array.shape == before[path].shape:
            run.tape.kept_anew.update(run.tape.producers(array.ids))
    return result if sent is None else sent


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
        see_computed(run, None, result, name == plan[-1])
    return result

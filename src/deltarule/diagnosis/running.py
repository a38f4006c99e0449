"""Somebody's code put to the test in a process of its own: what it is, and what came out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from deltarule.diagnosis.arguments import OFF, Dropping, roles_of
from deltarule.diagnosis.functions import (
    SIZES,
    WIDE,
    Layout,
    call_in_layouts,
    layouts_for,
    takes_biases,
    takes_learning_rate,
    tasks_for,
    why_nothing,
)
from deltarule.diagnosis.objects import is_network, learning_rate_of, one_step, switches_of
from deltarule.diagnosis.predictions import Answer, ask_function, ask_object
from deltarule.diagnosis.runner import Outcome, run
from deltarule.diagnosis.trials import Trial, trials_of
from deltarule.registry import record

#: The learning rate where none is named.
ETA = 0.1


@record
class Subject:
    """What is put to the test, and how.

    Parameters
    ----------
    get : callable
        Gives, in the process of its own, a function of (weights, biases, X, Y), or a network object.
    get_predict : callable
        Gives the function of (weights, biases, X) that predicts, or None.
    sizes : sequence of int or None
        Of the only network that a function can handle.
    eta : float or None
        The learning rate; an object's own where it says one.
    returns : "gradients", "weights" or None
    """

    get: Callable[[], Any]
    get_predict: Callable[[], Any]
    sizes: Sequence[int] | None
    eta: float | None
    returns: str | None

    def shapes(self, drawn: bool) -> Sequence[Sequence[int]]:
        """Of the networks that it is asked to handle; a wide one, of which dropout is sure to drop some."""
        if self.sizes is not None:
            return (self.sizes, self.sizes)
        return (*SIZES, WIDE) if drawn else SIZES


@record
class Tried:
    """What came out.

    Parameters
    ----------
    trials : tuple of Trial
        The layouts in which gradients came out.
    outcome : Outcome
        How the process ended, with what was printed.
    eta : float
        The learning rate.
    switches : dict
        By role, what sets its dropout, and to what it is set.
    draws : bool
        Whether the names in it speak of random numbers.
    """

    trials: tuple[Trial, ...]
    outcome: Outcome
    eta: float
    switches: dict[str, Any]
    draws: bool = False


def try_code(
    subject: Subject,
    dropping: Dropping = OFF,
    layouts: Sequence[Layout] | None = None,
    *,
    drawn: float | None = None,
) -> Tried:
    """Run the code with every network and in every layout (or in some), its dropout set.

    Where it draws its own masks, ``drawn`` is l2, and they are read off the gradients.
    """
    tasks = tasks_for(subject.shapes(drawn is not None), dropping, drawn=drawn is not None)

    def work() -> tuple[Any, ...]:
        code = subject.get()
        if is_network(code):
            rate = subject.eta or learning_rate_of(code) or ETA
            switches = {role: value for role, (_, value) in switches_of(code).items() if role != "rng"}
            return "object", rate, switches, (True, False), [], one_step(code, rate, dropping, drawn=drawn)
        if not callable(code):
            raise TypeError(f"a {type(code).__name__} is no function and no network with weights")
        kind = subject.returns or ("weights" if takes_learning_rate(code) else "gradients")
        rate, tried = subject.eta or ETA, list(layouts or layouts_for(code))
        results = call_in_layouts(code, tried, tasks, rate, kind)
        return kind, rate, _defaults(code), (takes_biases(code), _draws(code)), tried, results

    outcome = run(work)
    if outcome.value is None:
        return Tried((), outcome, subject.eta or ETA, {})
    kind, rate, switches, (biased, draws), tried, results = outcome.value
    if kind == "object":
        return Tried((Trial(None, tuple(results)),), outcome, rate, switches)
    trials = trials_of(tried, tasks, results, rate, kind, biased=biased, drawn=drawn)
    if not trials:
        outcome = replace(outcome, error=why_nothing(tasks, results[0]))
    return Tried(tuple(trials), outcome, rate, switches, draws)


def _draws(function: Callable[..., Any]) -> bool:
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    return any(re.search("rand|binomial|uniform|choice|seed", name) for name in names)


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """By role, the default of the argument, if that is a number."""
    return {
        role: one.default if isinstance(one.default, int | float) else None
        for role, one in roles_of(function).items()
    }


def ask(subject: Subject, trial: Trial, dropping: Dropping) -> tuple[list[Answer], str]:
    """What the code predicts, for networks and in a layout that it can handle, and what was raised."""
    layout, sizes = trial.layout, [numbers.sizes for numbers in trial.numbers]
    tasks = [task for task in tasks_for(subject.shapes(False), dropping) if task.sizes in sizes]

    def work() -> list[Answer]:
        predict = subject.get_predict()
        if predict is not None and layout is not None:
            return ask_function(predict, layout, tasks, dropping)
        code = subject.get()
        return [] if inspect.isfunction(code) or layout is not None else ask_object(code, dropping)

    outcome = run(work)
    return outcome.value or [], outcome.error

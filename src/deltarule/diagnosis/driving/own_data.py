"""Functions and methods whose parameters have the names of data that the program defines itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.driven import DrivenRun
from deltarule.diagnosis.driving.following import follow
from deltarule.diagnosis.driving.needs import Needs, own_methods
from deltarule.diagnosis.driving.trials import Trials
from deltarule.diagnosis.recording.program import Recording
from deltarule.diagnosis.recording.traced import Traced

#: What is said of a call with such data.
OWN = "with its own data"


def judge_with_own_data(trials: Trials, functions: list[str], classes: dict[str, type]) -> DrivenRun | None:
    """The first of what may be called with data of the program that can be judged."""
    for label, own, work in _calls(trials.recording, functions, classes):
        trials.answers = Answers()
        if (trial := trials.attempt(label, None, partial(_pass, own=own, work=work))) is not None:
            return trial
    return None


def _pass(run: CallRun, own: dict[str, str], work: Callable[[CallRun], Any]) -> Any:
    """Call with data of the program as parameters."""
    run.has_own_data = True
    run.pool.update({one: run.namespace[name] for one, name in own.items()})
    return work(run)


def _calls(
    recording: Recording, functions: list[str], classes: dict[str, type]
) -> Iterator[tuple[str, dict[str, str], Callable[[CallRun], Any]]]:
    """What takes data of the program: what it is called, which data it takes, and how it is called."""
    names, needs = recording.namespace, Needs(recording.source)
    found = _own_data(names)
    for name in functions:
        if own := _taken(found, [names[name]]):
            yield f"{name}(…), {OWN}", own, partial(CallRun.call, name=name)
    for name, kind in classes.items():
        methods = own_methods(kind)
        for plan in needs.plans(methods):
            if own := _taken(found, [kind, *(methods[one] for one in plan)]):
                yield f"{name}.{', '.join(plan)}, {OWN}", own, partial(follow, name=name, plan=plan)


def _own_data(names: dict[str, Any]) -> dict[tuple[str, ...], str]:
    """The names of data and numbers, by the words that they consist of."""
    kinds = (Traced, list, tuple, dict, int, float)
    return {_words(name): name for name, one in names.items() if name[:1] != "_" and type(one) in kinds}


def _words(name: str) -> tuple[str, ...]:
    """The words of a name: ``set_q`` and ``q_set`` have the same."""
    return tuple(sorted(re.findall(r"[^\W_]+", name.lower())))


def _taken(found: dict[tuple[str, ...], str], called: list[Any]) -> dict[str, str]:
    """By parameter, the data of that name."""
    needed = {
        one.name
        for each in called
        for one in inspect.signature(each).parameters.values()
        if one.default is one.empty
    }
    return {name: found[_words(name)] for name in needed if _words(name) in found}

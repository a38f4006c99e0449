"""What one of the learner's functions returns, where an argument asks for it."""

from __future__ import annotations

import inspect
import re
from typing import Any, Protocol

from deltarule.diagnosis.driving.usage import Use
from deltarule.diagnosis.recording.missing import StandIn
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.traced import Traced

#: What makes parameters, and what computes something from them without changing them.
_MAKES = re.compile(r"_*(init|make|build|create|setup|random|new|get_?(param|weight|net))\w*$", re.I)
_CHANGES = re.compile(r"train|fit|learn|updat|optim|main|demo|test|plot|save|load|sgd|descent|step", re.I)


class SupplyingRun(Protocol):
    """The calls of one trial, as far as what is here needs them."""

    namespace: dict[str, Any]
    source: ProgramSource
    calling: set[str]
    shared: dict[str, Any]

    def call(self, name: str) -> Any: ...
    def uses(self, function: Any) -> dict[str, Use]: ...


def supplied(run: SupplyingRun, kind: str, detail: Any) -> Any:
    """What one of the learner's functions returns, if it is what is wanted."""
    functions = {
        name: one
        for name, one in run.namespace.items()
        if inspect.isfunction(one) and one.__code__.co_filename == run.source.path
    }
    making = [name for name, one in functions.items() if _MAKES.match(name) or _takes_sizes(run, one)]
    others = [name for name in functions if name not in making and not _CHANGES.search(name)]
    for name in making if kind in ("list", "tuple") else [*making, *others]:
        if name in run.calling or (not inspect.signature(functions[name]).parameters and name not in making):
            continue
        if name not in run.shared:
            try:
                run.shared[name] = run.call(name)
            except Exception:  # whatever the learner's function raises: it is not this one
                continue
        made = run.shared[name]
        for one in (made, *(made if isinstance(made, tuple) else ())):
            if _is_wanted(one, kind, detail):
                return one
    return None


def are_tuples(made: Any, count: int) -> bool:
    """Whether the elements of a list have so many parts each, which are no plain numbers, as ``(W, b)``."""
    return isinstance(made, list | tuple) and all(
        isinstance(one, list | tuple) and len(one) == count and any(map(_has_parts, one)) for one in made
    )


def _has_parts(one: Any) -> bool:
    return not one.is_scalar if type(one) is Traced else isinstance(one, list | tuple)


def _takes_sizes(run: SupplyingRun, function: Any) -> bool:
    """Whether all that a function needs are numbers of units, as what makes parameters does."""
    uses = run.uses(function)
    needed = [one.name for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    return bool(needed) and all(uses[one].is_size or uses[one].has_sizes for one in needed if one in uses)


def _is_wanted(one: Any, kind: str, detail: Any) -> bool:
    if kind == "keys":
        return isinstance(one, dict) and all(key in one for key in detail)
    if kind == "attribute":
        return type(one) not in (Traced, StandIn) and all(hasattr(one, each) for each in detail)
    return isinstance(one, list | tuple) and (kind == "list" or len(one) == len(detail))

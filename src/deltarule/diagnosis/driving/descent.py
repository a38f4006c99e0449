"""Plain gradient descent, in the place of an optimizer that an object may be given from outside."""

from __future__ import annotations

import ast
from collections.abc import Container
from typing import Any, Protocol

from deltarule.diagnosis.recording.source import ProgramSource

#: What it stands under among the choices that a program leaves to its user.
OPTIMIZER = "optimizer"


class Descent:
    """An optimizer whose methods, of any names, return a parameter after one step."""

    def __call__(self, parameter: Any, gradient: Any) -> Any:
        return parameter - 0.1 * gradient

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__call__

    def __repr__(self) -> str:
        return "gradient descent"


class ChoosingRun(Protocol):
    """The calls of one trial, as far as what is here needs them."""

    source: ProgramSource
    chosen: dict[str, Any]
    choices: dict[str, list[Any]]


def switch_on(run: ChoosingRun, one: Any) -> None:
    """Give a new object the optimizer that it may be given from outside, where that is chosen."""
    lacking = _lacking_optimizers(run.source, one)
    run.choices.update({OPTIMIZER: [Descent()]} if lacking else {})
    for each in lacking if OPTIMIZER in run.chosen else ():
        setattr(one, each, run.chosen[OPTIMIZER])


def is_optimizer(source: ProgramSource, asked: Container[str]) -> bool:
    """Whether a method that is asked of an object returns what a parameter becomes."""
    return any(isinstance(one, ast.Attribute) and one.attr in asked for one in _calls(source))


def _lacking_optimizers(source: ProgramSource, one: Any) -> list[str]:
    """The attributes of an object that are None, and otherwise return what a parameter becomes."""
    calls = _calls(source)
    called = [one.value if isinstance(one, ast.Attribute) else one for one in calls]
    names = {one.id for one in called if isinstance(one, ast.Name)}
    held = {one.attr for one in (*calls, *called) if isinstance(one, ast.Attribute)}
    for node in source.nodes if names else ():  # opt = self.optimizer
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            held |= {node.value.attr for each in node.targets if getattr(each, "id", "") in names}
    return sorted(each for each in held if getattr(one, each, one) is None)


def _calls(source: ProgramSource) -> list[ast.expr]:
    """What is called with a parameter and another argument, so that the parameter becomes what it returns."""
    return [
        node.value.func
        for node in source.nodes
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and len(node.value.args) == 2
        and ast.unparse(node.targets[0]) == ast.unparse(node.value.args[0])
    ]

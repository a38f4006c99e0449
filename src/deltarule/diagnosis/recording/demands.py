"""Checks of types without which a function does nothing: they tell what an argument should be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from deltarule.diagnosis.recording.traced import Traced, asking

_LEAVING = frozenset({"exit", "quit"})


def demanded_types(node: ast.If | ast.Assert) -> dict[int, ast.expr]:
    """By the identity of each ``isinstance(x, …)`` and ``type(x)``, the types that x is demanded to be of."""
    if isinstance(node, ast.Assert):
        return _types(node.test, True)
    if _gives_up(node.body):
        return _types(node.test, False)
    return _types(node.test, True) if _raises_else(node) else {}


def _gives_up(body: list[ast.stmt]) -> bool:
    """Whether statements end with a ``raise``, an exit, or by returning nothing."""
    match body[-1:]:
        case [ast.Raise()] | [ast.Return(value=None | ast.Constant(value=None))]:
            return True
        case [ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)))]:
            return name in _LEAVING
    return False


def _raises_else(node: ast.If) -> bool:
    """Whether something is raised where neither a condition holds nor one of those after it."""
    match node.orelse:
        case [ast.If() as other]:
            return _raises_else(other)
        case [*_, ast.Raise()]:
            return True
    return False


def _types(test: ast.expr, holds: bool) -> dict[int, ast.expr]:
    """The types of a condition that is demanded to hold, or not to hold; those of alternatives together."""
    checks = list(_checks(test, holds))
    found: dict[int, ast.expr] = {}
    for call, argument, _ in checks:
        alike = [one for _, other, one in checks if ast.dump(other) == ast.dump(argument)]
        found[id(call)] = ast.Tuple(alike, ast.Load())
    return found


def _checks(test: ast.expr, holds: bool) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """The calls that ask for the type of something, what they ask it of, and the types."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield from _checks(inner, not holds)
        case ast.BoolOp(values=parts):
            for one in parts:
                yield from _checks(one, holds)
        case ast.Call(func=ast.Name(id="all" | "any"), args=[ast.GeneratorExp(elt=inner)]):
            yield from _checks(inner, holds)
        case ast.Call(func=ast.Name(id="isinstance"), args=[argument, types]) if holds:
            yield test, argument, types
        case ast.Compare(
            left=ast.Call(func=ast.Name(id="type"), args=[argument]) as call, ops=[op], comparators=[types]
        ):
            if isinstance(op, ast.Eq | ast.Is | ast.In if holds else ast.NotEq | ast.IsNot | ast.NotIn):
                yield call, argument, types


def demanded(x: Any, types: tuple[Any, ...]) -> Any:
    """Return what is demanded to be of one of these types, or what an argument that asks is like."""
    return x if asking((x,)) is None else x.be_of(types)


def type_of(x: Any) -> type:
    """``type(x)``, of numbers that remember where they came from, and of lists that ask, too."""
    if type(x) is Traced:
        return x.__class__
    return next(one for one in type(x).__mro__ if not one.__module__.startswith(__name__.partition(".")[0]))

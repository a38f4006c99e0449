"""A formula that somebody typed, worked out without running any code: ``sin(3*x1) + x2``."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.registry import did_you_mean

_MOST_SIGNS = 500

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    name: getattr(np, name)
    for name in ("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs", "sign", "floor", "round")
}
_CONSTANTS = {"pi": np.pi, "e": np.e}


def values_of(text: str, variables: Mapping[str, Array]) -> Array:
    """Work out a formula of some variables, (n,) each.

    Raises
    ------
    InputError
        If it is no formula of these variables, or gives anything but finite numbers.

    Examples
    --------
    >>> values_of("2*x1 + abs(x2)", {"x1": np.array([1.0]), "x2": np.array([-3.0])})
    array([5.])
    """
    if len(text) > _MOST_SIGNS:
        raise InputError(f"the formula has {len(text)} characters; at most {_MOST_SIGNS} are allowed")
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(f"{text[:80]!r} is not a formula: write something like sin(3*x1) + x2") from None
    with np.errstate(all="ignore"):
        shape = np.shape(next(iter(variables.values())))
        values = np.broadcast_to(_value(tree, variables), shape).astype(float)
    if not np.isfinite(values).all():
        raise InputError(f"{text[:80]} is not a finite number everywhere")
    return values


def _value(node: ast.AST, variables: Mapping[str, Array]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return np.float64(node.value)
    if isinstance(node, ast.Name):
        known = {**_CONSTANTS, **variables}
        if node.id not in known:
            raise InputError(f"a formula cannot use {node.id!r}{did_you_mean(node.id, known)}")
        return known[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, variables), _value(node.right, variables))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.operand, variables))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        name = node.func.id
        if name not in _FUNCTIONS:
            raise InputError(f"a formula cannot use the function {name!r}{did_you_mean(name, _FUNCTIONS)}")
        return _FUNCTIONS[name](_value(node.args[0], variables))
    raise InputError("a formula consists of numbers, x1, x2, + − * / ^ and functions such as sin")

"""The differentiable operations: of each its value, and how a gradient goes back through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np

from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

Rule: TypeAlias = Callable[[Values, Values, tuple[Values, ...], Any], tuple[Values, ...]]


def _one(slope: Callable[[Values, Values], Values]) -> Rule:
    """The rule of a function of one argument, from its derivative in x and the result."""
    return lambda g, out, xs, detail: (g * slope(xs[0], out),)


def _power(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    x, y = xs
    return g * y * x ** (y - 1.0), g * out * np.log(np.where(x > 0, x, 1.0))


def _where(g: Values, out: Values, xs: tuple[Values, ...], mask: Any) -> tuple[Values, ...]:
    equal = _AT_KINKS.get() * (xs[0] == xs[1])
    return np.where(mask, g, g * equal), np.where(mask, g * equal, g)


def _spread(g: Values, x: Values, detail: Any) -> Values:
    """Give a reduced array the dimensions back that it lost."""
    axis, keepdims = detail
    if axis is None or not x.ndim:
        return np.reshape(g, (1,) * x.ndim)
    return g if keepdims else np.expand_dims(g, axis)


def _sum(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    return (np.broadcast_to(_spread(g, xs[0], detail), xs[0].shape),)


def _mean(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    return (_sum(g, out, xs, detail)[0] * (out.size / max(1, xs[0].size)),)


def _extreme(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    chosen = xs[0] == _spread(out, xs[0], detail)
    return (_spread(g, xs[0], detail) * chosen / chosen.sum(detail[0], keepdims=True),)


def _product(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    return (_spread(g * out, xs[0], detail) / xs[0],)


def _dot(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    x, y = xs
    rows = x.reshape(1, -1) if x.ndim == 1 else x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])
    columns = y.reshape(-1, 1) if y.ndim == 1 else y
    g = g.reshape(len(rows), columns.shape[1])
    return (g @ columns.T).reshape(x.shape), (rows.T @ g).reshape(y.shape)


def _matmul(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    x, y = xs
    return g @ np.swapaxes(y, -1, -2), np.swapaxes(x, -1, -2) @ g


#: The slope of the larger or smaller of two equal numbers, as of ReLU at exactly 0: 0, or 1 where asked.
_AT_KINKS: ContextVar[float] = ContextVar("slope at kinks", default=0.0)


@contextmanager
def other_slope_at_kinks() -> Iterator[None]:
    """Differentiate ReLU at exactly 0 as 1, which is as good a choice as 0."""
    token = _AT_KINKS.set(1.0)
    try:
        yield
    finally:
        _AT_KINKS.reset(token)


def has_kinks(tape: Tape) -> bool:
    """Whether a larger or smaller of two equal numbers was taken."""
    compared = (op for op in tape.operations if op.name in ("maximum", "minimum", "where") and not op.is_leaf)
    return any((tape.operand(op, 0) == tape.operand(op, 1)).any() for op in compared)


def _larger(g: Values, out: Values, xs: tuple[Values, ...], detail: Any) -> tuple[Values, ...]:
    x, y = xs
    equal = _AT_KINKS.get() * (x == y)
    return g * ((x > y) + equal), g * ((x < y) + equal)


#: By operation: gradients of the operands from the result's, the result, the operands and a detail.
RULES: dict[str, Rule] = {
    "add": lambda g, out, xs, detail: (g, g),
    "subtract": lambda g, out, xs, detail: (g, -g),
    "multiply": lambda g, out, xs, detail: (g * xs[1], g * xs[0]),
    "divide": lambda g, out, xs, detail: (g / xs[1], -g * xs[0] / xs[1] ** 2),
    "power": _power,
    "negative": _one(lambda x, out: np.full_like(x, -1.0)),
    "positive": _one(lambda x, out: np.ones_like(x)),
    "exp": _one(lambda x, out: out),
    "expm1": _one(lambda x, out: out + 1),
    "exp2": _one(lambda x, out: out * np.log(2.0)),
    "log": _one(lambda x, out: 1 / x),
    "log2": _one(lambda x, out: 1 / x / np.log(2.0)),
    "log10": _one(lambda x, out: 1 / x / np.log(10.0)),
    "log1p": _one(lambda x, out: 1 / (1 + x)),
    "tanh": _one(lambda x, out: 1 - out**2),
    "sinh": _one(lambda x, out: np.cosh(x)),
    "cosh": _one(lambda x, out: np.sinh(x)),
    "sin": _one(lambda x, out: np.cos(x)),
    "cos": _one(lambda x, out: -np.sin(x)),
    "arctan": _one(lambda x, out: 1 / (1 + x * x)),
    "sqrt": _one(lambda x, out: 0.5 / out),
    "square": _one(lambda x, out: 2 * x),
    "reciprocal": _one(lambda x, out: -(out**2)),
    "absolute": _one(lambda x, out: np.sign(x)),
    "expit": _one(lambda x, out: out * (1 - out)),
    "erf": _one(lambda x, out: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
    "maximum": _larger,
    "minimum": lambda g, out, xs, detail: _larger(g, out, xs, detail)[::-1],
    "where": _where,
    "clip": lambda g, out, xs, kept: (g * kept,),
    "sum": _sum,
    "mean": _mean,
    "max": _extreme,
    "min": _extreme,
    "prod": _product,
    "dot": _dot,
    "matmul": _matmul,
}


def _to_shape(g: Values, shape: tuple[int, ...]) -> Values:
    """Sum over what broadcasting had repeated."""
    g = np.asarray(g)
    while g.ndim > len(shape):
        g = g.sum(0)
    for axis, size in enumerate(shape):
        if size == 1 and g.shape[axis] != 1:
            g = g.sum(axis, keepdims=True)
    return np.broadcast_to(g, shape)


def finite(values: Values) -> Values:
    """The same, with 0 where there is no number and the largest numbers where they are infinite."""
    return values if np.isfinite(values).all() else np.nan_to_num(values)


def gradients_of_inputs(tape: Tape, op: Operation, g: Values) -> list[tuple[Ids, Values]]:
    """Return (ids, gradient) of each recorded operand; nothing for operations without a rule."""
    rule = RULES.get(op.name)
    if rule is None:
        return []
    xs = tuple(tape.operand(op, k) for k in range(len(op.inputs)))
    with np.errstate(all="ignore"):
        parts = rule(g, tape.result(op), xs, op.detail)
    pairs = zip(op.inputs, parts, strict=True)
    return [(ids, finite(_to_shape(part, ids.shape))) for ids, part in pairs if ids is not None]


def reverse_mode(tape: Tape, ids: Ids, seed: Values) -> Values:
    """Return the adjoint of every scalar on the tape, from those given; updates are where it ends."""
    adjoint = np.zeros(tape.size)
    np.add.at(adjoint, ids.ravel(), np.asarray(seed, float).ravel())
    for index in range(int(tape.producer[ids.max()]), 0, -1):
        op = tape.operations[index]
        if not adjoint[op.start] and not adjoint[op.start : op.stop].any():
            continue
        if op.is_leaf or op.old is not None or tape.root[op.start] >= 0:
            continue
        g = adjoint[op.start : op.stop].copy()  # what is added below must not lie in what it is added to
        for before, part in gradients_of_inputs(tape, op, g.reshape(op.shape)):
            np.add.at(adjoint, before.ravel(), part.ravel())
    return adjoint

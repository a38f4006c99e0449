"""Activations as source code can compute them: no overflow for any z, and the digits of ``activations``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.formula.tree import (
    Call,
    Choice,
    Compare,
    Expr,
    Number,
    Symbol,
    absolute,
    exp,
    times,
    z,
)
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.registry import record

__all__ = ["Steps", "is_built_in", "steps_of"]

#: Where a formula is compared with the code beside it.
_PROBES = np.linspace(-6.0, 6.0, 49)


@record
class Steps:
    """A function of ``z``: named intermediate results, then the result."""

    result: Expr
    named: tuple[tuple[Symbol, Expr], ...] = ()


_e = Symbol("e")
_exponential = ((_e, exp(-absolute(z))),)  # never above 1
_positive, _zero = Compare(z, ">", Number(0)), Number(0)
_greater, _less = Choice(z, _positive, _zero), Choice(z, Compare(z, "<", _zero), _zero)
_sigmoid = Choice(Number(1), _positive, _e) / (1 + _e)

#: Where the printed formula would overflow or lose digits; made from the activation's parameter.
_STABLE: dict[str, Callable[[float], Steps]] = {
    "sigmoid": lambda _: Steps(_sigmoid, _exponential),
    "silu": lambda _: Steps(z * _sigmoid, _exponential),
    "softplus": lambda _: Steps(_greater + Call("log1p", exp(-absolute(z)))),
    "exp": lambda _: Steps(exp(Choice(Number(22), Compare(z, ">", Number(22)), z))),
    "elu": lambda alpha: Steps(_greater + times(alpha, Call("expm1", _less))),
}


_BUILT_IN = frozenset(
    {
        "elu", "exp", "gelu", "identity", "leaky_relu", "relu", "sigmoid", "silu", "softmax", "softplus",
        "tanh",
    }
)  # fmt: skip


def is_built_in(activation: Activation) -> bool:
    """Whether it is the one of ours that goes by its name."""
    name = activation.name.partition("(")[0]
    return name in _BUILT_IN and ACTIVATIONS.holds(activation)


def steps_of(activation: Activation) -> Steps:
    """How to compute ``f(z)`` of one that does not couple the outputs of a row.

    Raises
    ------
    InputError
        If it is a user's own, and its formula gives other numbers than its code.
    """
    if not is_built_in(activation):
        _check_formula(activation)
        return Steps(activation.formula)
    stable = _STABLE.get(activation.name.partition("(")[0])
    return stable(activation.parameter) if stable else Steps(activation.formula)


def _check_formula(activation: Activation) -> None:
    """A formula that cannot be worked out is refused by the emitter, which knows why."""
    probes: dict[Expr, Array] = {z: _PROBES}
    with np.errstate(all="ignore"):
        try:
            said = activation.formula.value(probes.__getitem__)
        except (KeyError, TypeError):
            return
        if not np.allclose(said, activation.value(_PROBES), rtol=1e-6, atol=1e-9, equal_nan=True):
            raise InputError(
                f"activation {activation.name!r} cannot be exported: its formula, {activation.formula}, "
                "gives other numbers than its code; mend one of them"
            )

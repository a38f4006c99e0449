"""How source code computes an activation; a user's own is compared with its formula first."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.formula.tree import Expr, Steps, a, z
from deltarule.nn.activations import ACTIVATIONS, BUILT_IN, Activation

#: Where a formula is compared with the code beside it.
_PROBES = np.linspace(-6.0, 6.0, 49)


def is_built_in(activation: Activation) -> bool:
    """Return whether it is the one of ours that goes by its name."""
    return activation.kind in BUILT_IN and ACTIVATIONS.is_registered(activation)


def steps_of(activation: Activation) -> Steps:
    """Return how to compute ``a = f(z)`` of an activation that does not couple the outputs of a row.

    Raises InputError if it is a user's own, and its formula or its steps give other numbers than its
    code.
    """
    steps = activation.steps or ((a, activation.formula),)
    if not is_built_in(activation):
        _check_numbers(activation, ((a, activation.formula),))
        _check_numbers(activation, steps)
    return steps


def _check_numbers(activation: Activation, steps: Steps) -> None:
    """A formula that cannot be worked out is refused by the emitter, which knows why."""
    values: dict[Expr, Array] = {z: _PROBES}
    with np.errstate(all="ignore"):
        try:
            for symbol, formula in steps:
                values[symbol] = formula.value(values.__getitem__)
        except (KeyError, TypeError):
            return
        if not np.allclose(values[a], activation.value(_PROBES), rtol=1e-6, atol=1e-9, equal_nan=True):
            raise InputError(
                f"activation {activation.name!r} cannot be exported: its formula, {steps[-1][1]}, "
                "gives different numbers from its code; correct one of them"
            )

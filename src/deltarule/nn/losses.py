"""Losses: all that is known of each, in one record: value, derivative, formulas, where targets may lie.

The loss of a sample is a sum of one term for each output; :mod:`deltarule.nn.objective` adds up the samples
and the penalties on the weights. Half squared error says *half*.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from deltarule.arrays import TINY, Array, as_numbers, check_finite, check_number
from deltarule.errors import InputError, ShapeError
from deltarule.formula.tree import (
    Choice,
    Compare,
    Expr,
    Number,
    Symbol,
    absolute,
    formula_of,
    log,
    sign,
    times,
)
from deltarule.formula.tree import a as _a
from deltarule.formula.tree import y as _y
from deltarule.nn.activations import Activation
from deltarule.registry import Registry, pickled_by_name, record

INF = math.inf


@record
class Loss:
    """A loss: what a sample costs, and how the cost changes with each output.

    Parameters
    ----------
    name : str
        Its name in constructors, in files and on the command line.
    terms : callable, (a, y) -> (n, k)
        The term of each output; a sample's loss is the sum of its row.
    derivative : callable, (a, y) -> (n, k)
        ``da = ∂(sample's loss)/∂a``.
    formula, derivative_formula : Expr or str
        The term of one output and its derivative, over the symbols ``a``, ``y`` and ``K`` (the number of
        outputs), as :mod:`deltarule.formula` writes them. A text works too, but then no numbers can be
        inserted. Derivations compute with them: they should overflow no sooner than ``terms``.
    domain : (float, float)
        Where the outputs must lie.
    targets : (float, float)
        Where the targets must lie.
    distribution : bool
        Whether the targets of a sample must sum to 1.
    parameter : float
        The number in its name, if it has one: 0.5 in ``huber(0.5)``.
    kinks : tuple of float
        Values of a − y where the derivative jumps; a gradient check cannot trust differences across them.
    knots : tuple of float
        Values of a − y where one piece of the formula passes smoothly into the next.
    kind : str
        The name without its number: ``huber`` for ``huber(0.5)``.

    Examples
    --------
    >>> half = LOSSES.resolve("half_squared_error")
    >>> half.terms(np.array([[0.75, 0.5]]), np.array([[0.25, 1.0]]))
    array([[0.125, 0.125]])
    """

    name: str
    terms: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]
    formula: Expr
    derivative_formula: Expr
    domain: tuple[float, float] = (-INF, INF)
    targets: tuple[float, float] = (-INF, INF)
    distribution: bool = False
    parameter: float = 0.0
    kinks: tuple[float, ...] = ()
    knots: tuple[float, ...] = ()
    kind: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", formula_of(self.formula))
        object.__setattr__(self, "derivative_formula", formula_of(self.derivative_formula))
        object.__setattr__(self, "kind", self.kind or self.name)

    __reduce__ = pickled_by_name

    def accepts(self, output: Activation) -> bool:
        """Return whether this activation keeps the outputs inside the loss's domain."""
        return self.domain[0] <= output.range[0] and output.range[1] <= self.domain[1]


def _at_least_tiny(a: Array) -> Array:
    """``a``, but never so near 0 that its logarithm or its inverse leaves the range of numbers."""
    floor = math.sqrt(float(np.finfo(a.dtype).tiny))
    return np.maximum(a, a.dtype.type(floor))


def _rest(a: Array) -> Array:
    """``1 − a``, but never less than rounding leaves of it: nearer to 1 a float cannot say how near."""
    return np.maximum(1 - a, np.finfo(a.dtype).eps)


def magnitude(r: Array) -> Array:
    """Return |r|; for complex r its analytic continuation, r or −r."""
    return np.maximum(r, -r)


_r, _K = _a - _y, Symbol("K")  # the error of an output, and how many outputs there are


def _huber(threshold: float = 1.0) -> Loss:
    threshold = check_number("huber: threshold", threshold, TINY)
    near = Compare(absolute(_r), "<", Number(threshold))

    def terms(a: Array, y: Array) -> Array:
        r = magnitude(a - y)
        inner = np.minimum(r, threshold)
        return inner * (r - inner / 2)  # r²/2 where r < threshold

    return Loss(  # Huber (1964)
        name="huber" if threshold == 1.0 else f"huber({threshold!r})",
        kind="huber",
        parameter=threshold,
        terms=terms,
        derivative=lambda a, y: np.clip(a - y, -threshold, threshold),
        formula=Choice(_r**2 / 2, near, times(threshold, absolute(_r) - Number(threshold) / 2)),
        derivative_formula=Choice(_r, near, times(threshold, sign(_r))),
        knots=(-threshold, threshold),
    )


def _quantile(level: float = 0.5) -> Loss:
    level = check_number("quantile: level", level, TINY, math.nextafter(1, 0))

    def terms(a: Array, y: Array) -> Array:
        r = a - y
        return np.maximum((1 - level) * r, -level * r)

    def derivative(a: Array, y: Array) -> Array:
        above, equal = (a - y).real > 0, a == y
        return np.select([equal, above], [0, 1 - level], -level).astype(a.dtype)

    return Loss(  # Koenker & Bassett (1978)
        name="quantile" if level == 0.5 else f"quantile({level!r})",
        kind="quantile",
        parameter=level,
        terms=terms,
        derivative=derivative,
        formula=Choice(times(1 - level, _r), Compare(_r, ">", Number(0)), -times(level, _r)),
        derivative_formula=Choice(Number(1 - level), Compare(_r, ">", Number(0)), Number(-level)),
        kinks=(0.0,),
    )


#: The losses by name. ``huber(threshold)`` and ``quantile(level)`` take a parameter.
LOSSES: Registry[Loss] = Registry("loss", Loss)


def register_loss(loss: Loss) -> Loss:
    """Register ``loss`` under its name, so that constructors, files and the command line find it.

    Raises
    ------
    InputError
        If the name is taken.

    Examples
    --------
    >>> value, slope = lambda a, y: (a - y) ** 4, lambda a, y: 4 * (a - y) ** 3
    >>> register_loss(Loss("fourth_power", value, slope, "(a - y)^4", "4 (a - y)^3")).name
    'fourth_power'
    """
    return LOSSES.add(loss.name, loss)


for _loss in (
    Loss("half_squared_error", lambda a, y: (a - y) ** 2 / 2, lambda a, y: a - y, _r**2 / 2, _r),
    Loss("squared_error", lambda a, y: (a - y) ** 2, lambda a, y: 2 * (a - y), _r**2, 2 * _r),
    Loss(
        "mean_squared_error",
        lambda a, y: (a - y) ** 2 / a.shape[-1],
        lambda a, y: 2 * (a - y) / a.shape[-1],
        _r**2 / _K,
        2 * _r / _K,
    ),
    Loss(
        "mean_absolute_error",
        lambda a, y: magnitude(a - y) / a.shape[-1],
        lambda a, y: np.sign((a - y).real).astype(a.dtype) / a.shape[-1],
        absolute(_r) / _K,
        sign(_r) / _K,
        kinks=(0.0,),
    ),
):
    register_loss(_loss)
LOSSES.register("huber", _huber)
LOSSES.register("quantile", _quantile)
for _loss in (
    Loss(
        "binary_cross_entropy",
        lambda a, y: -(y * np.log(_at_least_tiny(a)) + (1 - y) * np.log(_rest(a))),
        lambda a, y: (1 - y) / _rest(a) - y / _at_least_tiny(a),
        -(_y * log(_a) + (1 - _y) * log(1 - _a)),
        (1 - _y) / (1 - _a) - _y / _a,
        domain=(0, 1),
        targets=(0, 1),
    ),
    Loss(
        "cross_entropy",
        lambda a, y: -y * np.log(_at_least_tiny(a)),
        lambda a, y: -y / _at_least_tiny(a),
        -(_y * log(_a)),
        -(_y / _a),
        domain=(0, 1),
        targets=(0, 1),
        distribution=True,
    ),
    Loss(  # the part of −log P(y | a) that depends on a
        "poisson",
        lambda a, y: a - y * np.log(_at_least_tiny(a)),
        lambda a, y: 1 - y / _at_least_tiny(a),
        _a - _y * log(_a),
        1 - _y / _a,
        domain=(0, INF),
        targets=(0, INF),
    ),
):
    register_loss(_loss)


def as_targets(loss: Loss, Y: object, n_samples: int, n_outputs: int) -> Array:
    """Targets as the loss takes them: (n_samples, n_outputs), finite, in the loss's range.

    A 1-D ``Y`` is one column where the network has one output; for ``cross_entropy`` it holds the number
    of each sample's class, 0 to n_outputs − 1.

    Raises
    ------
    ShapeError, InputError
        What is wrong with the targets, with row and column.
    """
    y = as_numbers(Y, "Y")
    if y.ndim == 1 and n_outputs == 1:
        y = y[:, None]
    elif y.ndim == 1 and loss.distribution and len(y) == n_samples:
        y = _one_hot(y, n_outputs)
    if y.shape != (n_samples, n_outputs):
        raise ShapeError(
            f"Y must have shape ({n_samples}, {n_outputs}), a row for each row of X and a column for each "
            f"output, got {y.shape}"
        )
    check_finite(y, "Y")
    _check_range(loss, y)
    return y


def _one_hot(classes: Array, n_outputs: int) -> Array:
    check_finite(classes, "Y")
    wrong = np.flatnonzero((classes != np.floor(classes)) | (classes < 0) | (classes >= n_outputs))
    if len(wrong):
        raise InputError(
            f"Y must hold class numbers 0 to {n_outputs - 1}, got {classes[wrong[0]]} at row {wrong[0]}"
        )
    y = np.zeros((len(classes), n_outputs), dtype=np.float32)
    y[np.arange(len(classes)), classes.astype(int)] = 1
    return y


def _check_range(loss: Loss, y: Array) -> None:
    low, high = loss.targets
    if y.min() < low or y.max() > high:
        row, column = np.argwhere((y < low) | (y > high))[0]
        raise InputError(
            f"loss {loss.name!r} needs targets between {low} and {high}, got {y[row, column]} at row {row}, "
            f"column {column}"
        )
    if loss.distribution:
        off = np.flatnonzero(np.abs(y.sum(axis=1, dtype=float) - 1) > 1e-3)
        if len(off):
            raise InputError(
                f"loss {loss.name!r} needs targets that sum to 1 in each row, got "
                f"{y[off[0]].sum(dtype=float)} at row {off[0]}"
            )

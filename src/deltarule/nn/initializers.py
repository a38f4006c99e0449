"""Initial weights: how they are drawn, from a generator the caller owns.

``n_in`` and ``n_out`` are the numbers of inputs and outputs of the layer. Draws are float64 whatever the
network's dtype, so that a seed means the same weights in every precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from deltarule.arrays import Array, check_number
from deltarule.registry import Registry, pickled_by_name, record

__all__ = ["INITIALIZERS", "Initializer"]


@record
class Initializer:
    """A way to choose a layer's first weights.

    Parameters
    ----------
    name : str
        The text that makes it again: ``"normal(0.01)"``.
    draw : callable, (rng, n_in, n_out) -> (n_in, n_out)
    formula : str

    Examples
    --------
    >>> INITIALIZERS.resolve("constant(0.5)").draw(np.random.default_rng(0), 2, 1)
    array([[0.5],
           [0.5]])
    """

    name: str
    draw: Callable[[np.random.Generator, int, int], Array]
    formula: str

    __reduce__ = pickled_by_name


def _constant(value: float) -> Initializer:
    (value,) = _checked_numbers("constant", value=value)
    return Initializer(
        f"constant({value!r})", lambda rng, n_in, n_out: np.full((n_in, n_out), value), f"W = {value}"
    )


def _uniform(low: float = 0.0, high: float = 1.0) -> Initializer:
    low, high = _checked_numbers("uniform", low=low, high=high)
    return Initializer(
        f"uniform({low!r}, {high!r})",
        lambda rng, n_in, n_out: rng.uniform(low, high, (n_in, n_out)),
        f"W ~ U({low}, {high})",
    )


def _normal(scale: float = 1.0) -> Initializer:
    (scale,) = _checked_numbers("normal", scale=scale)
    return Initializer(
        f"normal({scale!r})",
        lambda rng, n_in, n_out: scale * rng.standard_normal((n_in, n_out)),
        f"W ~ {scale} · N(0, 1)",
    )


def _checked_numbers(name: str, **values: float) -> list[float]:
    for key, value in values.items():
        check_number(f"initializer {name}: {key}", value)
    return [float(value) for value in values.values()]


def _scaled_uniform(name: str, variance: Callable[[int, int], float], formula: str) -> Initializer:
    """U(−r, r) with the variance r²/3 asked for."""

    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        r = math.sqrt(3 * variance(n_in, n_out))
        return rng.uniform(-r, r, (n_in, n_out))

    return Initializer(name, draw, f"W ~ U(−r, r), r = √({formula})")


def _scaled_normal(name: str, variance: Callable[[int, int], float], formula: str) -> Initializer:
    def draw(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        return math.sqrt(variance(n_in, n_out)) * rng.standard_normal((n_in, n_out))

    return Initializer(name, draw, f"W ~ N(0, s²), s = √({formula})")


def _glorot(n_in: int, n_out: int) -> float:
    return 2 / (n_in + n_out)


def _he(n_in: int, n_out: int) -> float:
    return 2 / n_in


def _lecun(n_in: int, n_out: int) -> float:
    return 1 / n_in


#: The initializers by name. ``constant(value)``, ``uniform(low, high)``, ``normal(scale)`` take parameters.
INITIALIZERS: Registry[Initializer] = Registry("initializer", Initializer)
INITIALIZERS.register("constant", _constant)
INITIALIZERS.register("uniform", _uniform)
INITIALIZERS.register("normal", _normal)


for _initializer in (
    Initializer("zeros", lambda rng, n_in, n_out: np.zeros((n_in, n_out)), "W = 0"),
    _scaled_uniform("xavier_uniform", _glorot, "6 / (n_in + n_out)"),  # Glorot & Bengio (2010)
    _scaled_normal("xavier_normal", _glorot, "2 / (n_in + n_out)"),
    _scaled_uniform("he_uniform", _he, "6 / n_in"),  # He, Zhang, Ren & Sun (2015)
    _scaled_normal("he_normal", _he, "2 / n_in"),
    _scaled_uniform("lecun_uniform", _lecun, "3 / n_in"),  # LeCun, Bottou, Orr & Müller (1998)
    _scaled_normal("lecun_normal", _lecun, "1 / n_in"),
):
    INITIALIZERS.add(_initializer.name, _initializer)

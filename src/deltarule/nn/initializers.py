"""Initial weights: how they are drawn, from a generator the caller owns.

``n_in`` and ``n_out`` are the numbers of inputs and outputs of the layer. Draws are float64 whatever the
network's dtype, so that a seed means the same weights in every precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from deltarule.arrays import Array, check_number
from deltarule.registry import Registry, pickled_by_name, record


@record
class Initializer:
    """A way to choose a layer's initial weights.

    Parameters
    ----------
    name : str
        The text from which it can be made again: ``"normal(0.01)"``.
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
    value = check_number("initializer constant: value", value)
    return Initializer(
        f"constant({value!r})", lambda rng, n_in, n_out: np.full((n_in, n_out), value), f"W = {value}"
    )


def _uniform(low: float = 0.0, high: float = 1.0) -> Initializer:
    low = check_number("initializer uniform: low", low)
    high = check_number("initializer uniform: high", high)
    return Initializer(
        f"uniform({low!r}, {high!r})",
        lambda rng, n_in, n_out: rng.uniform(low, high, (n_in, n_out)),
        f"W ~ U({low}, {high})",
    )


def _normal(scale: float = 1.0) -> Initializer:
    scale = check_number("initializer normal: scale", scale)
    return Initializer(
        f"normal({scale!r})",
        lambda rng, n_in, n_out: scale * rng.standard_normal((n_in, n_out)),
        f"W ~ {scale} · N(0, 1)",
    )


def _scaled(name: str, gain: int, fan: Callable[[int, int], int], fan_text: str) -> Iterator[Initializer]:
    """Give U(−r, r) and N(0, s²) of the variance ``gain / fan``."""

    def uniform(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        r = math.sqrt(3 * (gain / fan(n_in, n_out)))
        return rng.uniform(-r, r, (n_in, n_out))

    def normal(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        return math.sqrt(gain / fan(n_in, n_out)) * rng.standard_normal((n_in, n_out))

    yield Initializer(f"{name}_uniform", uniform, f"W ~ U(−r, r), r = √({3 * gain} / {fan_text})")
    yield Initializer(f"{name}_normal", normal, f"W ~ N(0, s²), s = √({gain} / {fan_text})")


#: The initializers by name. ``constant(value)``, ``uniform(low, high)``, ``normal(scale)`` take parameters.
INITIALIZERS: Registry[Initializer] = Registry("initializer", Initializer)
INITIALIZERS.register("constant", _constant)
INITIALIZERS.register("uniform", _uniform)
INITIALIZERS.register("normal", _normal)

for _initializer in (
    Initializer("zeros", lambda rng, n_in, n_out: np.zeros((n_in, n_out)), "W = 0"),
    *_scaled("xavier", 2, lambda n_in, n_out: n_in + n_out, "(n_in + n_out)"),  # Glorot & Bengio (2010)
    *_scaled("he", 2, lambda n_in, n_out: n_in, "n_in"),  # He, Zhang, Ren & Sun (2015)
    *_scaled("lecun", 1, lambda n_in, n_out: n_in, "n_in"),  # LeCun, Bottou, Orr & Müller (1998)
):
    INITIALIZERS.add(_initializer.name, _initializer)

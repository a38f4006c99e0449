"""Shifts and scales: how they are found from values, applied, and undone."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from deltarule.arrays import Array


def rescale(values: Array, shift: npt.ArrayLike, scale: npt.ArrayLike) -> Array:
    """Compute (values − shift) / scale, in halves, so that numbers near the largest do not overflow."""
    with np.errstate(over="ignore"):
        scaled: Array = (values * 0.5 - np.multiply(shift, 0.5)) / np.multiply(scale, 0.5)
    return scaled


def restore(scaled: Array, shift: npt.ArrayLike, scale: npt.ArrayLike) -> Array:
    """Compute scaled · scale + shift, which undoes `rescale`."""
    with np.errstate(over="ignore"):
        values: Array = scaled * np.asarray(scale, float) + np.asarray(shift, float)
    return values


def without_overflow(statistic: Callable[[Array], np.floating], values: Array) -> float:
    """Compute a statistic of values / 2**k, times 2**k: the same number, but no sum on the way overflows.

    Examples
    --------
    >>> without_overflow(np.mean, np.array([1.5e308, 1.3e308]))
    1.4e+308
    """
    exponent = int(np.frexp(max(-values.min(), values.max()))[1])
    if abs(exponent) < 400:  # neither squares nor sums overflow, and the bits are the same
        return float(statistic(values))
    return float(np.ldexp(statistic(np.ldexp(values, -exponent)), exponent))


def _minmax(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return low, min(high - low, sys.float_info.max)


def _mode(values: Array) -> np.floating:
    different, counts = np.unique(values, return_counts=True)
    most: np.floating = different[counts.argmax()]
    return most


#: Shift and scale of values: none; mean and standard deviation; least value and range.
SCALES: dict[str, Callable[[Array], tuple[float, float]]] = {
    "none": lambda values: (0.0, 1.0),
    "standard": lambda values: (without_overflow(np.mean, values), without_overflow(np.std, values)),
    "minmax": _minmax,
}

FILLS: dict[str, Callable[[Array], np.floating]] = {"mean": np.mean, "median": np.median, "mode": _mode}


def fit_scaling(values: Array, scale: str) -> tuple[float, float]:
    """Return shift and scale for values (n_rows,), all finite; a constant is only shifted to zero."""
    low = float(values.min())
    if low == values.max() and scale != "none":
        return low, 1.0
    shift, spread = SCALES[scale](values)
    return shift, spread if spread >= sys.float_info.min else 1.0


def scaling_of_moments(
    scale: str, mean: float, deviation: float, low: float, high: float
) -> tuple[float, float]:
    """Return what :func:`fit_scaling` does, of values of which no more than this is known."""
    if scale == "none":
        return 0.0, 1.0
    if low == high:
        return low, 1.0
    shift, spread = (mean, deviation) if scale == "standard" else (low, min(high - low, sys.float_info.max))
    return shift, spread if spread >= sys.float_info.min else 1.0

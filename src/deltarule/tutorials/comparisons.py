"""Comparisons: a published figure beside ours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.registry import record
from deltarule.tutorials.example import Example

#: What a float64 computation may lose against the exact value on the way through 10,000 updates.
PRECISION = 1e-9
#: The relative difference that another order of the same sums may make.
ROUNDING = 1e-13


@record
class Comparison:
    """A published figure and ours: a line of ``deltarule reproduce``.

    Parameters
    ----------
    tutorial : str
    quantity : str
    published : number, list or None
        What the source prints, if it does.
    ours : number, list or None
        None where it could not be computed; the note says why.
    agrees : bool or None
        Whether ours agrees with the published figure; None if that cannot be said.
    note : str
        A remark if the source is wrong, or does not say something.
    ok : bool
        Whether ours is as it must be: the exact value if it is known, otherwise the published one.
    """

    tutorial: str
    quantity: str
    published: Any
    ours: Any
    agrees: bool | None
    note: str = ""
    ok: bool = True


def compare(
    tutorial: str,
    quantity: str,
    published: Any,
    ours: Any,
    exact: Any = None,
    note: str = "",
    within: float = 0.0,
) -> Comparison:
    """Compare ours with the exact value where there is one, else with the published figure.

    Parameters
    ----------
    published : number, list or None
        Ours must have its digits, rounded or cut off.
    exact : number or list, optional
        Ours must equal it but for the rounding of float64.
    within : float
        How much further ours may be from what is published.

    Examples
    --------
    >>> compare("T1", "E after 1 update", 0.291028391, 0.2910277737, exact=0.2910277737).agrees
    False
    """
    agrees = None if published is None else _has_same_digits(published, ours, within)
    ok = _is_exact(exact, ours) if exact is not None else agrees is not False
    return Comparison(tutorial, quantity, published, ours, agrees, note, ok)


def at_least(
    tutorial: str, quantity: str, published: float, ours: float, note: str = "", tolerance: float = 0.0
) -> Comparison:
    """Compare an accuracy: it agrees where it is as good as published, and may fall short by ``tolerance``.

    ``tolerance`` is how far it may fall short.

    Examples
    --------
    >>> row = at_least("T5", "test accuracy, %", 97.92, 97.85, tolerance=0.29)
    >>> row.agrees, row.ok
    (False, True)
    """
    agrees = round(ours, decimals(published)) >= published
    ok = agrees or ours >= published - tolerance
    return Comparison(tutorial, quantity, published, ours, agrees, note, ok)


def compare_figures(
    tutorial: str,
    example: Example,
    ours: Mapping[str, float],
    notes: Mapping[str, str] | None = None,
    prefix: str = "",
) -> list[Comparison]:
    """Compare each figure that the example's file holds, exact or published, in the order of ``ours``."""
    published, exact, notes = example.published, example.exact, notes or {}
    return [
        compare(tutorial, prefix + name, published.get(name), value, exact.get(name), notes.get(name, ""))
        for name, value in ours.items()
        if name in published or name in exact
    ]


def prediction_names(example: Example) -> list[str]:
    """Return ``prediction for 0 1``, for each row of the example's X."""
    return [f"prediction for {' '.join(f'{value:g}' for value in row)}" for row in example.X.tolist()]


def decimals(value: float) -> int:
    """Count the digits that a printed number has behind its point.

    Examples
    --------
    >>> decimals(0.291028391), decimals(4.0257e-05), decimals(7)
    (9, 9, 0)
    """
    mantissa, _, exponent = repr(value).partition("e")
    return max(len(mantissa.partition(".")[2]) - int(exponent or 0), 0)


def _has_same_digits(published: Any, ours: Any, within: float) -> bool:
    """Return whether ours has the digits printed, rounded or cut off: one unit of the last is allowed."""
    theirs = _flat(published)
    units = np.array([10.0 ** -decimals(value) for value in theirs.tolist()])
    allowed = np.maximum(units, ROUNDING * np.abs(theirs)) + within
    return bool((np.abs(theirs - _flat(ours)) <= allowed).all())


def _is_exact(exact: Any, ours: Any) -> bool:
    pairs = zip(_flat(exact).tolist(), _flat(ours).tolist(), strict=True)
    return all(math.isclose(a, b, rel_tol=PRECISION, abs_tol=1e-15) for a, b in pairs)


def _flat(values: Any) -> Array:
    return np.asarray(values, dtype=float).ravel()

"""Numbers that stand for missing ones: -999, 9999 and their like, far from all others of a column."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.registry import record

#: What programs write into grids where nothing was measured.
_FILLS = {-32768.0, -2147483648.0, 1e20, -1e20, 1e30, -1e30, 9.969209968386869e36}
_FAR = {-1: 2, 1: 5}  # how many times the range of the others lies between, below them and above them
_OFTEN = {-1: 2, 1: 3}  # how often it must be met, below and above


@record
class Sentinel:
    """A number that seems to stand for missing ones.

    Attributes
    ----------
    number : float
    count : int
        In how many cells.
    weight : float
        How far the column tells it: 1 is enough, alone or together with other columns that have the same.
    """

    number: float
    count: int
    weight: float


def find_sentinel(values: Array) -> Sentinel | None:
    """Return the number that stands for missing ones in a column, (n_rows,), if there seems to be one.

    It is the least or the largest, consists of nines (or is what programs fill grids with), is repeated, and
    far from all others: below, by twice their range, or where all others are not negative; above, by five
    times. Any other whole number that is far below tells half.

    Examples
    --------
    >>> find_sentinel(np.array([20.5, 18.0, -999.0, 21.0, -999.0]))
    Sentinel(number=-999.0, count=2, weight=1.0)
    >>> find_sentinel(np.array([-1200.0, 1500.0, -999.0, 30.0, -999.0])) is None
    True
    """
    for sign, extreme in ((-1, float(np.fmin.reduce(values))), (1, float(np.fmax.reduce(values)))):
        is_code = _is_code(extreme)
        if extreme * sign <= 0 or not (is_code or (extreme <= -10 and extreme.is_integer())):
            continue
        others = values[(values != extreme) & ~np.isnan(values)]
        if len(others) < 3 or (sign > 0 and (others % 10 == 9).mean() > 0.5):  # prices
            continue
        count = int((values == extreme).sum())
        low, high = float(others.min()), float(others.max())
        is_far = (low - extreme if sign < 0 else extreme - high) > _FAR[sign] * (high - low)
        if is_far or (sign < 0 and low >= 0):
            often = count >= _OFTEN[sign]
            return Sentinel(extreme, count, 1.0 * often if is_code else 0.5 * (often and is_far))
    return None


def _is_code(number: float) -> bool:
    """Return whether people or programs write a number for what is missing."""
    if number in _FILLS:
        return True
    digits = f"{abs(number):.10g}".replace(".", "")
    return set(digits) == {"9"} and (number < 0 or (len(digits) > 2 and number.is_integer()))

"""How a number is written: so many significant digits, or all of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from deltarule.errors import InputError

#: As many digits as tell a float from every other.
FULL = "full"


class Decimal(NamedTuple):
    """±mantissa·10^exponent, with the mantissa as text; no exponent where none is needed."""

    negative: bool
    mantissa: str
    exponent: int | None = None


def check_digits(digits: int | str) -> None:
    """Refuse what is neither 1 to 17 nor "full"."""
    is_count = isinstance(digits, int) and not isinstance(digits, bool) and 1 <= digits <= 17
    if digits != FULL and not is_count:
        raise InputError(f"digits must be a whole number from 1 to 17 or {FULL!r}, got {digits!r}")


def decimal(number: float, digits: int | str = FULL) -> Decimal:
    """A number in so many significant digits, without zeros that say nothing.

    Very small and very large numbers have an exponent, as in 1.5·10⁻⁷.

    Examples
    --------
    >>> decimal(0.30000000000000004, 9)
    Decimal(negative=False, mantissa='0.3', exponent=None)
    >>> decimal(-1.5e-7)
    Decimal(negative=True, mantissa='1.5', exponent=-7)
    """
    number = float(number)
    if not math.isfinite(number):
        return Decimal(number < 0, "∞" if math.isinf(number) else "NaN")
    scientific = np.format_float_scientific(number) if digits == FULL else f"{number:.{int(digits) - 1}e}"
    mantissa, _, power = scientific.lstrip("-").partition("e")
    exponent, figures = int(power), mantissa.replace(".", "").rstrip("0") or "0"
    negative = number < 0
    if -5 < exponent < max(len(figures), 7):
        return Decimal(negative, _positional(figures, exponent))
    return Decimal(negative, f"{figures[0]}.{figures[1:]}".rstrip("."), exponent)


def _positional(figures: str, exponent: int) -> str:
    """The figures with the point in its place: "125", -1 is 0.125."""
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{figures}"
    whole = figures[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{figures[exponent + 1 :]}".rstrip(".")

"""The conditions that fields of encodings must meet, whether they come from a caller or from a file."""

from __future__ import annotations

import sys
from typing import Any

from deltarule.errors import InputError


def need(condition: bool, what: str, expected: str, got: object) -> None:
    """Raise an InputError unless the condition holds."""
    if not condition:
        raise InputError(f"{what} must be {expected}, got {shown(got)}")


def shown(value: object) -> str:
    """Return a value as messages print it: its repr, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def need_whole(what: str, value: Any, low: int, high: int) -> None:
    """Ask for a whole number in the range, of Python's own type, as JSON knows it."""
    sound = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    need(sound, what, f"a whole number from {low} to {high}", value)


def need_names(what: str, names: Any) -> None:
    """Ask for a tuple of one or more different texts, none of them empty."""
    sound = isinstance(names, tuple) and names and all(isinstance(name, str) and name for name in names)
    need(bool(sound) and len(set(names)) == len(names), what, "one or more different names", names)


def need_scaling(what: str, shift: Any, scale: Any) -> None:
    """Ask for a shift that is finite, and a scale that is above zero and large enough to be halved."""
    need(is_finite(shift), f"shift of {what}", "a finite number", shift)
    need(
        is_finite(scale) and scale >= sys.float_info.min, f"scale of {what}", "a finite number above 0", scale
    )


def is_finite(value: Any) -> bool:
    """Return whether it is a number that a float can hold; NaN fails any comparison."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max

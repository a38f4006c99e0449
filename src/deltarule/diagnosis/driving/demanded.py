"""What an argument should be that is demanded to be of a type."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

#: What is of a type, what it is wanted as, and what is known of it then: the first that fits.
_SAMPLES: tuple[tuple[Any, str, Any], ...] = (
    (0.5, "number", None),
    (3, "size", None),
    (np.zeros(1), "array", None),
    ([], "list", 0),
    ("", "word", None),
    ({}, "keys", ()),
    (np.mean, "function", None),
    (True, "flag", None),
)


def kind_of(types: Any) -> tuple[str, Any]:
    """What is wanted of an argument that is to be of one of these types; no kind where that says nothing."""
    every = tuple(_flat(types))
    for sample, kind, detail in _SAMPLES:
        if object not in every and isinstance(sample, every):
            return kind, detail
    for one in every:
        for name, method in vars(one).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                return "attribute", name
    return "", None


def _flat(types: Any) -> list[type]:
    """Types, also those in tuples and unions of them."""
    if isinstance(types, tuple | list):
        return [one for each in types for one in _flat(each)]
    return [types] if isinstance(types, type) else [*_flat(getattr(types, "__args__", ()))]

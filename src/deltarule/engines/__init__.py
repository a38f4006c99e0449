"""Engines: what runs the epochs. The reference is NumPy, readable, and the specification."""

from __future__ import annotations

from types import ModuleType

from deltarule.engines import reference
from deltarule.errors import InputError
from deltarule.registry import did_you_mean

__all__ = ["ENGINES", "choose_engine", "reference"]

#: The engines by name.
ENGINES: dict[str, ModuleType] = {"reference": reference}


def choose_engine(name: str) -> str:
    """The engine that ``name`` stands for; ``"auto"`` is the fastest there is.

    Raises
    ------
    InputError
        If there is no such engine.
    """
    if name == "auto":
        return "reference"
    if not isinstance(name, str):
        raise InputError(f"engine must be a name, got {name!r}; names: auto, {', '.join(ENGINES)}")
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}{did_you_mean(name, ['auto', *ENGINES])}")
    return name

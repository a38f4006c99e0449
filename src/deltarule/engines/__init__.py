"""Engines: what runs the epochs. The reference is NumPy, readable, and the specification."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from types import ModuleType

from deltarule.engines import compiled, reference
from deltarule.engines.contract import Model
from deltarule.errors import InputError
from deltarule.optimizers import GradientStep, Optimizer
from deltarule.registry import did_you_mean

__all__ = ["ENGINES", "choose_engine", "compiled", "reference"]

#: The engines by name.
ENGINES: dict[str, ModuleType] = {"reference": reference, "compiled": compiled}


#: ``"auto"`` compiles for networks up to so many parameters, where NumPy spends its time on calls …
SMALL = 20_000
#: … and from so many updates on: then NumPy would take longer than compiling may.
MANY = 200_000


def choose_engine(name: str, model: Model, optimizer: Optimizer, n_updates: int) -> str:
    """The engine that ``name`` stands for.

    ``"auto"`` is the compiled one where a small network makes very many updates, else the reference. It looks
    at the job alone, not at what is cached, so that equal jobs give equal bits. What the compiled engine
    cannot run, such as a user's own activation, the reference runs, with a warning.

    Raises
    ------
    InputError
        If there is no such engine.
    MissingExtraError
        If it needs a package that is not installed.
    """
    if not isinstance(name, str):
        raise InputError(f"engine must be a name, got {name!r}; names: auto, {', '.join(ENGINES)}")
    if name not in ("auto", *ENGINES):
        raise InputError(f"unknown engine {name!r}{did_you_mean(name, ['auto', *ENGINES])}")
    if name == "reference" or not isinstance(optimizer, GradientStep):
        return "reference"
    if name == "auto":
        worthwhile = model.parameters.size <= SMALL and n_updates >= MANY and find_spec("numba")
        return "compiled" if worthwhile and not compiled.cannot_run(model, optimizer) else "reference"
    reason = compiled.cannot_run(model, optimizer)
    if reason:
        warnings.warn(f"the compiled engine cannot run this: {reason}; NumPy does", stacklevel=4)
        return "reference"
    return "compiled"

"""What arguments and attributes are for, by what they are called: a mask, a share, a generator, a flag."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.conventions import Convention
from deltarule.registry import record

_SHARE = r"(_?(p|prob|probability|rate|ratio|share))?"
_ROLES = {
    "masks": re.compile(r"_*(drop(out)?_?|keep_?)?masks?", re.IGNORECASE),
    "kept": re.compile(rf"_*(p_?)?(keep|kept|retain){_SHARE}", re.IGNORECASE),
    "dropped": re.compile(rf"_*(p_?)?drop(out|ped)?{_SHARE}", re.IGNORECASE),
    "p": re.compile(r"_*p"),
    "rng": re.compile(r"_*(rng|gen(erator)?)", re.IGNORECASE),
    "seed": re.compile(r"_*(random_?)?seed", re.IGNORECASE),
    "training": re.compile(r"_*(is_?)?train(ing)?(_?mode)?", re.IGNORECASE),
}

#: What a learning rate is called.
RATE = re.compile(r"^_*(learning_?rate|lr|eta|alpha)$", re.IGNORECASE)


def role_of(name: str) -> str | None:
    """``"kept"`` of ``keep_prob``; None of a name that says nothing of the kind."""
    return next((role for role, pattern in _ROLES.items() if pattern.fullmatch(name)), None)


def _parameters(function: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def roles_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters that have a role."""
    named = [(role_of(one.name), one) for one in _parameters(function)]
    return {role: one for role, one in named if role is not None}


def plain_arguments(function: Callable[..., Any]) -> int:
    """How many parameters it has besides: weights, biases, X, Y, and the learning rate.

    One with a default may be left out, unless it is called as a learning rate is.
    """
    return sum(
        role_of(one.name) is None and (one.default is one.empty or bool(RATE.match(one.name)))
        for one in _parameters(function)
    )


@record
class Dropping:
    """How dropout is set while a piece of code runs.

    Parameters
    ----------
    share : float
        Of the neurons that are dropped; 0: none.
    p_is_kept : bool
        Whether what is called p is the share that is kept.
    seed : int
        Of the generator that is passed, and of NumPy's and Python's own.
    training : bool
    """

    share: float = 0.0
    p_is_kept: bool = False
    seed: int = 0
    training: bool = True

    def value(self, role: str) -> Any:
        """What an argument or attribute of this role is set to."""
        kept = role == "kept" or (role == "p" and self.p_is_kept)
        return {
            "rng": np.random.default_rng(self.seed),
            "seed": self.seed,
            "training": self.training,
        }.get(role, 1 - self.share if kept else self.share)


OFF = Dropping()


def extra_arguments(
    roles: dict[str, inspect.Parameter], dropping: Dropping, masks: Any = None
) -> dict[str, Any]:
    """The arguments with a role, by name."""
    return {one.name: masks if role == "masks" else dropping.value(role) for role, one in roles.items()}


def seed_everything(seed: int) -> None:
    """NumPy's own generator and Python's: the learner's code may use them."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002


# ---------------------------------------------------------------------- how masks are passed

#: Masks of each hidden layer or also of the inputs; for each sample, or one for all; in a list or alone.
FORMS = tuple(
    (inputs, samples, alone)
    for alone in (False, True)
    for inputs in (False, True)
    for samples in (True, False)
    if not (inputs and alone)
)


def masks_in(
    form: tuple[bool, bool, bool], convention: Convention, drawn: Sequence[Array]
) -> tuple[Any, tuple[Array | None, ...]] | None:
    """Masks (n, n_neurons), of the inputs and of each hidden layer, as an argument, and what it drops.

    None where they cannot be passed so: one mask for several layers.
    """
    inputs, samples, alone = form
    kept = [mask if samples else mask[:1] for mask in drawn]
    passed = kept if inputs else kept[1:]
    if alone and len(passed) != 1:
        return None
    shaped = [convention.rows(mask) if samples else convention.b(mask[0]) for mask in passed]
    return shaped[0] if alone else shaped, tuple(kept if inputs else [None, *kept[1:]])


def draw_masks(sizes: Sequence[int], n_rows: int, share: float, seed: int) -> list[Array]:
    """Masks of the inputs and of each hidden layer; with a share, each drops some and keeps some."""
    rng = np.random.default_rng(seed)
    return list(_drawn(rng, sizes[:-1], n_rows, share))


def _drawn(rng: np.random.Generator, sizes: Sequence[int], n_rows: int, share: float) -> Iterator[Array]:
    for size in sizes:
        mask = (rng.random((n_rows, size)) >= share).astype(float)
        if share:
            mask[0, 0], mask[0, -1] = 0.0, 1.0
        yield mask

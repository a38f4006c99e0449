"""Which backward pass gives just these gradients: the right one, one with a mistake, or one with two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, LayerGradient, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.registry import record

#: Relative difference up to which gradients in float64 are the same.
CLOSE = 1e-7

#: An array that is smaller, beside the others, is rounding errors only.
NOISE = 1e-8


@record
class Observed:
    """The gradients somebody computed, layer by layer, in our layout; None for what was not given."""

    dW: tuple[Array | None, ...]
    db: tuple[Array | None, ...]
    close: float = CLOSE

    @cached_property
    def decimals(self) -> int | None:
        """To how many decimals all numbers are rounded, if they are."""
        return decimals_of(self)


class Probe(Protocol):
    """A network at work, and what was observed in it."""

    observed: Observed

    @property
    def case(self) -> Case:
        """The network at work."""


@record
class Candidate:
    """A backward pass with no, one or two mistakes."""

    mistakes: tuple[Mistake, ...]
    backprop: type[Backprop]
    parts: tuple[type[Backprop], ...] = ()


@cache
def singles(dropping: bool = False) -> tuple[Candidate, ...]:
    """Every variant of every mistake; those of dropout only where something is dropped."""
    return tuple(
        Candidate((mistake.as_in(index),), variant)
        for mistake in MISTAKES
        if dropping or not mistake.of_dropout
        for index, variant in enumerate(mistake.variants)
    )


@cache
def pairs(dropping: bool = False) -> tuple[Candidate, ...]:
    """Two mistakes at once, which change different steps."""
    return tuple(
        Candidate(
            (*one.mistakes, *other.mistakes),
            type("Pair", (one.backprop, other.backprop), {}),
            (one.backprop, other.backprop),
        )
        for one, other in combinations(singles(dropping), 2)
        if one.mistakes[0].key != other.mistakes[0].key and not _steps(one.backprop) & _steps(other.backprop)
    )


def _steps(backprop: type[Backprop]) -> frozenset[str]:
    """The steps that a variant replaces."""
    own = {name for kind in backprop.__mro__ if kind not in (Backprop, object) for name in vars(kind)}
    return frozenset(own & {name for name in vars(Backprop) if not name.startswith("__")})


def candidates(
    probes: Sequence[Probe], tried: Sequence[Candidate], spare: int = 0
) -> Iterator[tuple[Candidate, float]]:
    """The candidates that explain every probe, but for a few to spare, with how far off they are at most."""
    for candidate in tried:
        worst = _worst(probes, candidate, spare)
        if worst is not None:
            yield candidate, worst


def _worst(probes: Sequence[Probe], candidate: Candidate, spare: int) -> float | None:
    """The greatest distance over the probes that fit; None as soon as too many do not."""
    worst, shown = 0.0, False
    for probe in probes:
        found = _gradients(candidate, probe.case)
        shown |= found is not None
        apart = distance(probe.observed, found or Backprop(probe.case).gradients())
        spare -= apart > 1
        if spare < 0:
            return None
        worst = max(worst, apart if apart <= 1 else 0.0)
    return worst if shown else None


def _gradients(candidate: Candidate, case: Case) -> list[LayerGradient] | None:
    """What the candidate gives; of two mistakes, where only one can be made in this case, that one's."""
    for backprop in (candidate.backprop, *candidate.parts):
        try:
            with np.errstate(all="ignore"):
                return backprop(case).gradients()
        except Unfit:
            continue
    return None


def distance(observed: Observed, found: Sequence[LayerGradient]) -> float:
    """How far gradients are from those observed, in units of what counts as the same: up to 1.

    What differs in shape, or in any array by more, is infinitely far.
    """
    farthest = 0.0
    for one in compare(observed, found):
        if not one.apart <= 1:  # or not a number
            return np.inf
        farthest = max(farthest, one.apart)
    return farthest


class Compared(NamedTuple):
    """An array that was observed, the one expected in its place, and how far they are apart."""

    name: str
    layer: int
    observed: Array
    expected: Array
    apart: float


def compare(observed: Observed, found: Sequence[LayerGradient]) -> Iterator[Compared]:
    """Each array, from the last layer back: there most differences show.

    Numbers that were rounded may differ by half a unit of their last decimal, others by rounding errors only.
    """
    floor = NOISE * max((_norm(g.dW) for g in found), default=0.0)
    for layer in range(len(found), 0, -1):
        dW, db = found[layer - 1]
        for name, u, g in (("dW", observed.dW[layer - 1], dW), ("db", observed.db[layer - 1], db)):
            if u is not None:
                if u.size == 1 < g.size and name == "db":
                    g = np.array([g.sum()])
                yield Compared(name, layer, u, g, _apart(u, g, floor, observed))


def _apart(u: Array, g: Array, floor: float, observed: Observed) -> float:
    if u.shape != g.shape:
        return np.inf
    if observed.decimals is not None:
        return float(np.abs(u - g).max()) / (0.51 * 10.0**-observed.decimals + 1e-12)
    return _norm(u - g) / max(_norm(u), _norm(g), floor, 1e-300) / observed.close


def _norm(array: Array) -> float:
    return math.sqrt(np.vdot(array, array))


def decimals_of(observed: Observed) -> int | None:
    """To how many decimals, up to 8, all numbers are rounded; None where they are not."""
    arrays = [array for array in (*observed.dW, *observed.db) if array is not None]
    values = np.concatenate([array.ravel() for array in arrays])
    if not values.any():
        return None
    for decimals in range(1, 9):
        if np.allclose(values, np.round(values, decimals), rtol=0, atol=1e-12):
            return decimals
    return None

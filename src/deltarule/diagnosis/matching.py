"""Which backward pass gives just these gradients: the right one, one with a mistake, or one with two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, LayerGradient
from deltarule.diagnosis.mistakes import MISTAKES, Mistake, Unfit
from deltarule.registry import record

__all__ = ["Candidate", "Observed", "Probe", "candidates", "decimals_of", "distance", "pairs", "singles"]

#: Relative difference up to which gradients in float64 are the same.
CLOSE = 1e-7

#: An array that is smaller, beside the others, is rounding errors only.
NOISE = 1e-8


@record
class Observed:
    """The gradients somebody computed, layer by layer, in our layout; None for what he did not give."""

    dW: tuple[Array | None, ...]
    db: tuple[Array | None, ...]


@record
class Probe:
    """A case, and what was observed in it."""

    case: Case
    observed: Observed


@record
class Candidate:
    """A backward pass with no, one or two mistakes."""

    mistakes: tuple[Mistake, ...]
    backprop: type[Backprop]
    parts: tuple[type[Backprop], ...] = ()


@cache
def singles() -> tuple[Candidate, ...]:
    """Every variant of every mistake."""
    return tuple(Candidate((mistake,), variant) for mistake in MISTAKES for variant in mistake.variants)


@cache
def pairs() -> tuple[Candidate, ...]:
    """Two mistakes at once, which change different steps."""
    return tuple(
        Candidate(
            (*one.mistakes, *other.mistakes),
            type("Pair", (one.backprop, other.backprop), {}),
            (one.backprop, other.backprop),
        )
        for one, other in combinations(singles(), 2)
        if one.mistakes != other.mistakes and not _steps(one.backprop) & _steps(other.backprop)
    )


def _steps(backprop: type[Backprop]) -> frozenset[str]:
    """The steps that a variant replaces."""
    own = {name for kind in backprop.__mro__ if kind not in (Backprop, object) for name in vars(kind)}
    return frozenset(own & {name for name in vars(Backprop) if not name.startswith("__")})


def candidates(probes: Sequence[Probe], tried: Sequence[Candidate]) -> Iterator[tuple[Candidate, float]]:
    """The candidates that explain every probe, with how far off they are at most."""
    for candidate in tried:
        worst = _worst(probes, candidate)
        if worst is not None:
            yield candidate, worst


def _worst(probes: Sequence[Probe], candidate: Candidate) -> float | None:
    """The greatest distance over the probes; None as soon as one does not fit."""
    worst, shown = 0.0, False
    for probe in probes:
        found = _gradients(candidate, probe.case)
        shown |= found is not None
        apart = distance(probe.observed, found or Backprop(probe.case).gradients())
        if apart > 1:
            return None
        worst = max(worst, apart)
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

    Numbers that were rounded may differ by half a unit of their last decimal, others by rounding errors only.
    """
    decimals = decimals_of(observed)
    slack = None if decimals is None else 0.5 * 10.0**-decimals
    both, apart = list(_both(observed, found)), 0.0
    if any(u.shape != g.shape for u, g in both):
        return np.inf
    floor = NOISE * max((float(np.linalg.norm(g)) for _, g in both), default=0.0) + 1e-300
    for u, g in both:
        if slack is not None:
            apart = max(apart, float(np.abs(u - g).max()) / (1.02 * slack + 1e-12))
        else:
            size = max(float(np.linalg.norm(u)), float(np.linalg.norm(g)), floor)
            apart = max(apart, float(np.linalg.norm(u - g)) / size / CLOSE)
    return apart if np.isfinite(apart) else np.inf


def _both(observed: Observed, found: Sequence[LayerGradient]) -> Iterator[tuple[Array, Array]]:
    for u, v, (dW, db) in zip(observed.dW, observed.db, found, strict=True):
        if u is not None:
            yield u, dW
        if v is not None:
            yield v, np.array([db.sum()]) if v.size == 1 < db.size else db


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

"""Which backward pass gives just these gradients: the right one, one with a mistake, or one with two."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Step, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.registry import record

#: Relative difference up to which gradients in float64 are the same.
CLOSE = 1e-7

#: An array that is smaller, beside the others, is rounding errors only.
NOISE = 1e-8


#: Of pairs, so many are tried as the first one.
_MOST_FIRSTS = 12


@record
class Observed:
    """The gradients somebody computed, layer by layer, in our layout; None for what was not given."""

    dW: tuple[Array | None, ...]
    db: tuple[Array | None, ...]
    close: float = CLOSE

    @cached_property
    def noise(self) -> float:
        """The size of an array that is nothing but rounding errors."""
        return NOISE * max((_norm(one) for one in self.dW if one is not None), default=0.0)

    @cached_property
    def decimals(self) -> int | None:
        """To how many decimals, up to 8, all numbers are rounded; None where they are not."""
        arrays = [array for array in (*self.dW, *self.db) if array is not None]
        values = np.concatenate([array.ravel() for array in arrays])
        for decimals in range(1, 9) if values.any() else ():
            if np.allclose(values, np.round(values, decimals), rtol=0, atol=1e-12):
                return decimals
        return None


class Probe(Protocol):
    """A network at work, and what was observed in it."""

    observed: Observed

    @property
    def case(self) -> Case:
        """The network at work."""


@record
class Candidate:
    """A backward pass with no, one or two mistakes: what stands in the place of its steps."""

    mistakes: tuple[Mistake, ...]
    steps: Mapping[str, Step]
    parts: tuple[Mapping[str, Step], ...] = ()


@cache
def singles(n_layers: int, dropping: bool = False) -> tuple[Candidate, ...]:
    """Every variant of every mistake, in all layers, then in one of them.

    Those of dropout only where something is dropped.
    """
    whole = [
        Candidate((mistake.as_in(index),), variant.steps)
        for mistake in MISTAKES
        if dropping or not mistake.of_dropout
        for index, variant in enumerate(mistake.variants)
    ]
    return (*whole, *(part for one in whole for part in _in_one_layer(one, n_layers)))


def _in_one_layer(one: Candidate, n_layers: int) -> Iterator[Candidate]:
    """The mistake made in one layer, where that differs from making it in all."""
    if n_layers < 2 or "output_delta" in one.steps:
        return
    of_hidden = not one.steps.keys().isdisjoint(("behind", "through_dropout", "slope", "hidden_delta"))
    for layer in range(n_layers - of_hidden, 0, -1) if n_layers - of_hidden > 1 else ():
        line = f"{one.mistakes[0].wrong}   (in layer {layer})"
        steps = {name: _at(layer, name, step) for name, step in one.steps.items()}
        yield Candidate((replace(one.mistakes[0], wrong=line),), steps)


def _at(place: int, name: str, step: Step) -> Step:
    """A step that is replaced in one layer."""
    right: Step = getattr(Backprop, name)
    return lambda p, layer, *rest: (step if layer == place else right)(p, layer, *rest)


def pairs(probe: Probe, dropping: bool = False) -> Iterator[Candidate]:
    """Two mistakes at once, which change different steps; the first alone explains one array at least."""
    compared = list(compare(probe.observed, Backprop(probe.case)))
    wrong = {one.place: one.is_multiple for one in compared if not one.apart <= 1}
    right = {one.place: one.expected for one in compared if one.place not in wrong}
    everything = [one for one in singles(probe.case.L, dropping) if _leaves(right, probe, one.steps)]
    firsts = [one for one in everything if _explains_one_of(wrong, probe, one.steps)][:_MOST_FIRSTS]
    for one, other in product(firsts, everything):
        if one.mistakes[0].key != other.mistakes[0].key and not one.steps.keys() & other.steps.keys():
            steps = {**one.steps, **other.steps}
            yield Candidate((*one.mistakes, *other.mistakes), steps, (one.steps, other.steps))


def _leaves(right: Mapping[tuple[int, str], Array], probe: Probe, steps: Mapping[str, Step]) -> bool:
    """Whether what was right stays so with a mistake, which therefore may be one of two."""
    try:
        with np.errstate(all="ignore"):
            return all(
                np.allclose(one.expected, right[one.place], 1e-9, 0)
                for one in compare(probe.observed, Backprop(probe.case, steps))
                if one.place in right and one.expected.shape == right[one.place].shape
            )
    except (Unfit, ValueError, LookupError):
        return True


def _explains_one_of(wrong: Mapping[tuple[int, str], bool], probe: Probe, steps: Mapping[str, Step]) -> bool:
    """Whether a wrong array is explained; perhaps but for a factor, where it is not right but for one."""
    try:
        with np.errstate(all="ignore"):
            compared = compare(probe.observed, Backprop(probe.case, steps))
            mine = (one for one in compared if one.place in wrong)
            return any(one.apart <= 1 or (one.is_multiple and not wrong[one.place]) for one in mine)
    except (Unfit, ValueError, LookupError):
        return False


def candidates(probes: Sequence[Probe], tried: Iterable[Candidate]) -> Iterator[tuple[Candidate, float]]:
    """The candidates that explain every probe, with how far off they are at most."""
    for candidate in tried:
        worst = _worst(probes, candidate)
        if worst is not None:
            yield candidate, worst


def _worst(probes: Sequence[Probe], candidate: Candidate) -> float | None:
    """The greatest distance over the probes; None as soon as one does not fit."""
    worst, shown = 0.0, False
    for probe in probes:
        apart = None
        for steps in (candidate.steps, *candidate.parts):  # of two mistakes, where only one can be made
            apart = apart_from(probe, steps)
            if apart is not None:
                shown = True
                break
        else:
            apart = apart_from(probe, {})
        if apart is None or apart > 1:
            return None
        worst = max(worst, apart)
    return worst if shown else None


def apart_from(probe: Probe, steps: Mapping[str, Step]) -> float | None:
    """How far a backward pass is from what was observed: up to 1, or infinitely; None where it cannot be."""
    return distance(probe.observed, Backprop(probe.case, steps))


def distance(observed: Observed, passing: Backprop) -> float | None:
    """How far gradients are from those observed, in units of what counts as the same: up to 1.

    What differs in shape, or in any array by more, is infinitely far.
    """
    farthest = 0.0
    try:
        with np.errstate(all="ignore"):
            for one in compare(observed, passing):
                if not one.apart <= 1:  # or not a number
                    return np.inf
                farthest = max(farthest, one.apart)
    except (Unfit, ValueError, LookupError):
        return None
    return farthest


class Compared(NamedTuple):
    """An array that was observed, the one expected in its place, and how far they are apart."""

    name: str
    layer: int
    observed: Array
    expected: Array
    apart: float

    @property
    def place(self) -> tuple[int, str]:
        """Its layer and name."""
        return self.layer, self.name

    @property
    def is_multiple(self) -> bool:
        """Whether the one is a multiple of the other; of few numbers that says nothing."""
        u, g = self.observed.ravel(), self.expected.ravel()
        if u.size < 4 or u.shape != g.shape:
            return False
        return _norm(u) * _norm(g) - abs(float(u @ g)) <= 1e-6 * _norm(u) * _norm(g)


def compare(observed: Observed, passing: Backprop) -> Iterator[Compared]:
    """Each array, from the last layer back: there most differences show.

    Numbers that were rounded may differ by half a unit of their last decimal, others by rounding errors only.
    """
    for layer, (dW, db) in zip(range(passing.case.L, 0, -1), passing.from_output(), strict=True):
        for name, u, g in (("dW", observed.dW[layer - 1], dW), ("db", observed.db[layer - 1], db)):
            if u is not None:
                if u.size == 1 < g.size and name == "db":
                    g = np.array([g.sum()])
                yield Compared(name, layer, u, g, _apart(u, g, observed))


def _apart(u: Array, g: Array, observed: Observed) -> float:
    if u.shape != g.shape:
        return np.inf
    if observed.decimals is not None:
        return float(np.abs(u - g).max()) / (0.51 * 10.0**-observed.decimals + 1e-12)
    return _norm(u - g) / max(_norm(u), _norm(g), observed.noise, 1e-300) / observed.close


def _norm(array: Array) -> float:
    return math.sqrt(np.vdot(array, array))

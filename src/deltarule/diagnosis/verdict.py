"""From what came out to a diagnosis: right, or which mistake, and what was seen first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from deltarule.diagnosis.backprop import Backprop
from deltarule.diagnosis.cases import NetworkSettings, Numbers
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.catalogue.hidden_layers import slope_at_zero
from deltarule.diagnosis.matching import CLOSE, Compared, compare, distance
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.report import Diagnosis, FirstWrong
from deltarule.diagnosis.search import Explanation, Search
from deltarule.diagnosis.trials import Trial

#: Relative difference up to which gradients are the same but for float32 or finite differences.
ROUGHLY = 3e-4

_ROUGH = (
    "It agrees to about {} digits, not to the 15 of ordinary numbers: as float32 does, or differences in the "
    "place of derivatives. If you have neither, something small is wrong."
)
_WHOLE = (
    "All its numbers are whole: an array of integers cuts off what stands behind the decimal point. Make it "
    "one of floats: np.zeros(…, dtype=float)."
)
_ALL_ZERO = "Every gradient is 0: they are set to 0 after they were computed, or never filled in."

#: So many other readings are named.
MOST_READINGS = 3


class Judged(NamedTuple):
    """A diagnosis, and the layout that it rests on; none where the numbers made no sense in any."""

    diagnosis: Diagnosis
    trial: Trial | None = None


def judge(
    trials: Sequence[Trial],
    given: NetworkSettings,
    eta: float,
    notes: tuple[str, ...],
    counts: Sequence[int] = (0, 1, 2),
) -> Judged:
    """The layout in which the code makes most sense: right, else with one mistake, else with two."""
    odd = [_odd(trial.numbers) for trial in trials]
    if all(odd):
        return Judged(Diagnosis(False, convention=_layout(trials[0]), notes=(*notes, odd[0])))
    sound = [trial for trial, wrong in zip(trials, odd, strict=True) if not wrong]
    for close in (CLOSE, ROUGHLY):
        searches = [Search(_compared(trial, close), given, eta) for trial in sound]
        for count in counts if close == CLOSE else set(counts) - {2}:
            for trial, search in zip(sound, searches, strict=True):
                found = search.with_mistakes(count)
                if found:
                    rough = (_ROUGH.format(_digits(found[0].apart * close)),) if close == ROUGHLY else ()
                    seen = replace(trial, numbers=tuple(_compared(trial, close)))
                    return Judged(_explained(seen, found, eta, (*notes, *rough)), trial)
    return Judged(_unexplained(sound[0], searches[0].tried[0][0], eta, notes))


def _compared(trial: Trial, close: float) -> list[Numbers]:
    """The numbers, to be compared more or less closely."""
    return [replace(one, observed=replace(one.observed, close=close)) for one in trial.numbers]


def _digits(apart: float) -> int:
    return int(-np.log10(apart + 1e-16))


def _behaviour(trial: Trial, settings: NetworkSettings | None, alone: bool) -> tuple[Mistake, ...]:
    """The mistakes that show in how the code behaves; an overflow only where the numbers are right."""
    overflows = trial.overflows and settings is not None and settings.output == "softmax" and alone
    seen = {
        "gradients_accumulate": trial.accumulates,
        "changes_its_inputs": trial.changes_inputs,
        "softmax_overflows": overflows,
    }
    return tuple(mistake(key) for key, there in seen.items() if there)


def _explained(trial: Trial, found: Sequence[Explanation], eta: float, notes: tuple[str, ...]) -> Diagnosis:
    best = found[0]
    first = _first_wrong(trial.numbers, best.settings, eta) if best.candidate.mistakes else None
    mistakes = (
        *best.candidate.mistakes,
        *_behaviour(trial, best.settings, not best.candidate.mistakes),
    )
    if not mistakes:
        notes = (*notes, *_at_kink(trial.at_kink, best.settings, eta))
    return Diagnosis(not mistakes, best.settings, _layout(trial), mistakes, _others(found), first, notes)


def _at_kink(numbers: Numbers | None, settings: NetworkSettings, eta: float) -> Iterator[str]:
    """Which slope ReLU has at 0, where that is not the usual one."""
    if numbers is None or settings.activation not in ("relu", "leaky_relu"):
        return
    case = numbers.case(settings, eta)
    usual, above = (distance(numbers.observed, Backprop(case, s)) for s in ({}, {"slope": slope_at_zero}))
    if usual is not None and above is not None and usual > 1 >= above:
        yield (
            "At z = 0 exactly it takes ReLU's slope as 1 (z >= 0), where 0 is usual (z > 0). That is "
            "harmless: at 0 there is no slope, and z hardly ever is 0."
        )


def _unexplained(trial: Trial, settings: NetworkSettings, eta: float, notes: tuple[str, ...]) -> Diagnosis:
    known = _what_is_known(trial.numbers, settings, eta)
    first = _first_wrong(trial.numbers, settings, eta)
    return Diagnosis(
        False, None, _layout(trial), _behaviour(trial, None, alone=False), (), first, (*notes, *known)
    )


def _layout(trial: Trial) -> str:
    return "" if trial.layout is None else str(trial.layout.convention)


def _odd(numbers: Sequence[Numbers]) -> str:
    """NaN or infinity among the gradients."""
    for one in numbers:
        for layer, (dW, db) in enumerate(zip(one.observed.dW, one.observed.db, strict=True), start=1):
            for name, array in ((f"dW{layer}", dW), (f"db{layer}", db)):
                if array is not None and not np.isfinite(array).all():
                    return f"{name} holds NaN or infinity, for ordinary numbers: log(0), 1/0, an overflow?"
    return ""


def _others(found: Sequence[Explanation]) -> tuple[str, ...]:
    """Other readings of the same numbers: other mistakes, or a right gradient of another loss."""
    best, seen = found[0], {_reading(found[0])}
    readings: list[str] = []
    for other in found[1:]:
        if _reading(other) not in seen and len(readings) < MOST_READINGS:
            seen.add(_reading(other))
            titles = " and ".join(one.title for one in other.candidate.mistakes)
            said = "" if other.settings == best.settings else f", with {other.settings}"
            readings.append(f"{titles or 'a right gradient'}{said}")
    return tuple(readings) if best.candidate.mistakes or len(seen) > 1 else ()


def _reading(explanation: Explanation) -> tuple[str, ...]:
    """The mistakes, or where there are none, the loss."""
    mistakes = tuple(one.key for one in explanation.candidate.mistakes)
    return mistakes or (explanation.settings.loss or "",)


def _first_wrong(numbers: Sequence[Numbers], settings: NetworkSettings, eta: float) -> FirstWrong | None:
    """Going back from the last layer, the first array that is off, and its entry that is furthest off.

    In a network with one hidden layer, if it shows there.
    """
    for one in sorted(numbers, key=_is_deep):
        for array in compare(one.observed, Backprop(one.case(settings, eta))):
            if not array.apart <= 1:
                return _furthest_off(array, one.sizes)
    return None


def _is_deep(numbers: Numbers) -> bool:
    return len(numbers.W) != 2


def _furthest_off(array: Compared, sizes: Sequence[int]) -> FirstWrong:
    name, layer = f"{array.name}{array.layer}", array.layer
    x = f"a{layer - 1}" if layer > 1 else "X"
    product = f"{x}.T @ delta{layer}" if array.name == "dW" else f"delta{layer}.sum(axis=0)"
    found, right = array.observed, array.expected
    told = partial(FirstWrong, name, f"{name} = {product}", tuple(sizes))
    if found.shape != right.shape:
        return told(f"the shape of {name}", right.shape, found.shape)
    place = np.unravel_index(int(np.abs(found - right).argmax()), found.shape)
    entry = f"{name}[{','.join(str(int(i)) for i in place)}]"
    return told(entry, float(right[place]), float(found[place]))


def _what_is_known(numbers: Sequence[Numbers], settings: NetworkSettings, eta: float) -> list[str]:
    """Which arrays are right, and how the others compare, for the likeliest settings."""
    one = min(numbers, key=_is_deep)
    values = np.concatenate([g.ravel() for each in numbers for g in each.observed.dW if g is not None])
    if not (values % 1).any():
        return [_WHOLE if values.any() else _ALL_ZERO]
    compared = compare(one.observed, Backprop(one.case(settings, eta)))
    lines = [f"Compared with {settings}:"]
    for _, layer, dW, expected, apart in sorted(
        (array for array in compared if array.name == "dW"), key=lambda array: array.layer
    ):
        if apart <= 1:
            lines.append(f"  dW{layer} is right.")
            continue
        ratio = float((dW * expected).sum() / (expected**2).sum()) if expected.any() else float("nan")
        cosine = float((dW * expected).sum() / (np.linalg.norm(dW) * np.linalg.norm(expected) or 1))
        lines.append(f"  dW{layer} is at best {ratio:.4g} times the right one; cosine {cosine:.3f}.")
    return [*lines, "  (A cosine of 1 would be the right direction.)"]

"""What a function answered, read as gradients: in each layout in which anything came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.arguments import masks_in
from deltarule.diagnosis.cases import Numbers
from deltarule.diagnosis.conventions import observed_in
from deltarule.diagnosis.functions import Layout, Result, Task
from deltarule.diagnosis.masks import with_masks_read
from deltarule.diagnosis.matching import Observed
from deltarule.registry import record


@record
class Trial:
    """What came out in one layout.

    Parameters
    ----------
    layout : Layout or None
        None where the numbers were given, or an object was trained.
    numbers : tuple of Numbers
        For each network in which something came out.
    accumulates, changes_inputs, random : bool
        Whether a second call gave a multiple of the first result; whether the arrays passed in were changed;
        whether a second call gave something else altogether.
    overflows : bool
        Whether large weights gave NaN or infinity.
    at_kink : Numbers or None
        A network with a neuron whose z is 0 exactly.
    """

    layout: Layout | None
    numbers: tuple[Numbers, ...]
    accumulates: bool = False
    changes_inputs: bool = False
    random: bool = False
    overflows: bool = False
    at_kink: Numbers | None = None


def trials_of(
    layouts: Sequence[Layout],
    tasks: Sequence[Task],
    results: Sequence[Sequence[Result]],
    eta: float,
    returns: str,
    *,
    biased: bool = True,
    drawn: float | None = None,
) -> list[Trial]:
    """What came out in each layout in which anything did, without those that say nothing new.

    Where the code draws its own masks, ``drawn`` is l2, and they are read off the gradients.
    """
    trials: list[Trial] = []
    for layout, found in zip(layouts, results, strict=True):
        trial = _trial(layout, tasks, found, eta, returns, drawn)
        if trial is not None and not any(_same_numbers(trial, other) for other in trials):
            trials += ([trial] if biased else []) + _without_biases(trial)
    return trials


def _without_biases(trial: Trial) -> list[Trial]:
    """The same read as a network without biases, where the code gives no gradients for any."""
    if any(db is not None for one in trial.numbers for db in one.observed.db):
        return []
    numbers = tuple(replace(one, b=(None,) * len(one.W)) for one in trial.numbers)
    return [replace(trial, numbers=numbers)]


def _same_numbers(one: Trial, other: Trial) -> bool:
    """Whether another layout gave nothing new."""
    if len(one.numbers) != len(other.numbers):
        return False
    return all(
        a.sizes == b.sizes and _same(a.observed, b.observed)
        for a, b in zip(one.numbers, other.numbers, strict=True)
    )


def _trial(
    layout: Layout,
    tasks: Sequence[Task],
    results: Sequence[Result],
    eta: float,
    returns: str,
    drawn: float | None,
) -> Trial | None:
    """What came out in this layout, read in the order of layers in which most of it fits."""
    orders = [_read(layout, tasks, results, backwards) for backwards in (False, True)]
    backwards = _count(orders[1]) > _count(orders[0])
    seconds = _read(layout, tasks, [(second,) for _, second, *_ in results], backwards)
    numbers, again, differs, changed, overflows, at_kink = [], False, False, False, False, None
    for task, (_, _, touched, _, large), observed, twice in zip(
        tasks, results, orders[backwards], seconds, strict=True
    ):
        if observed is None:
            continue
        if task.at_kink:
            at_kink = _numbers(layout, task, observed, eta, returns, drawn)
            continue
        if twice is None or not _same(observed, twice):
            again, differs = True, differs or twice is None or not _proportional(observed, twice)
        changed |= touched and returns == "gradients"
        overflows |= large
        numbers.append(_numbers(layout, task, observed, eta, returns, drawn))
    if not numbers:
        return None
    return Trial(layout, tuple(numbers), again and not differs, changed, differs, overflows, at_kink)


def _read(
    layout: Layout, tasks: Sequence[Task], results: Sequence[Sequence[Any]], backwards: bool
) -> list[Observed | None]:
    """The first of each result as gradients, where it fits the layers."""
    convention, shared = layout.convention, layout.convention.biases == "shared"
    return [
        observed_in(result, task.sizes, convention, shared, backwards=backwards, n_rows=len(task.x))
        for task, (result, *_) in zip(tasks, results, strict=True)
    ]


def _count(found: Sequence[Observed | None]) -> int:
    return sum(one is not None for one in found)


def _numbers(
    layout: Layout, task: Task, observed: Observed, eta: float, returns: str, drawn: float | None
) -> Numbers:
    """One task with its answer, and with the masks that were at work."""
    b = [v[:1] for v in task.b] if layout.convention.biases == "shared" else task.b
    if returns == "weights":
        observed = _from_update(task.W, b, observed, eta)
    numbers = Numbers(tuple(task.W), tuple(b), task.x, task.y, observed)
    if drawn is not None:
        return with_masks_read(numbers, drawn)
    passed = None if layout.form is None else masks_in(layout.form, layout.convention, task.masks)
    return numbers if passed is None else replace(numbers, masks=passed[1])


def _same(one: Observed, other: Observed) -> bool:
    pairs = zip((*one.dW, *one.db), (*other.dW, *other.db), strict=True)
    return all(
        u is v if u is None or v is None else np.allclose(u, v, rtol=1e-9, equal_nan=True) for u, v in pairs
    )


def _proportional(one: Observed, other: Observed) -> bool:
    """Whether each array of the second result is a whole multiple of that of the first, but for rounding."""
    for u, v in zip((*one.dW, *one.db), (*other.dW, *other.db), strict=True):
        if u is not None and v is not None:
            size = float(np.linalg.norm(u) * np.linalg.norm(v))
            if size > 0 and abs(float((u * v).sum())) / size < 0.999:
                return False
    factors = [
        float(np.linalg.norm(v) / np.linalg.norm(u))
        for u, v in zip(one.dW, other.dW, strict=True)
        if u is not None and v is not None and u.any()
    ]
    return all(abs(factor - round(factor)) < 0.05 for factor in factors)


def _from_update(W: Sequence[Array], b: Sequence[Array], after: Observed, eta: float) -> Observed:
    """The gradients behind updated weights: (old − new) / η."""
    dW = tuple(None if new is None else (old - new) / eta for old, new in zip(W, after.dW, strict=True))
    db = tuple(None if new is None else (old - new) / eta for old, new in zip(b, after.db, strict=True))
    return Observed(dW, db)

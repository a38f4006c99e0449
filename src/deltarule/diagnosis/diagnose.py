"""``diagnose``: is this backpropagation right, and if not, which mistake is it?"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.activations import ACTIVATIONS
from deltarule.arrays import Array, as_matrix, as_numbers, check_number
from deltarule.check import health
from deltarule.diagnosis.backprop import Backprop
from deltarule.diagnosis.conventions import CONVENTIONS, observed_in
from deltarule.diagnosis.functions import ETA, Trial, try_code
from deltarule.diagnosis.matching import Observed, distance
from deltarule.diagnosis.mistakes import ACCUMULATES, CHANGES, OVERFLOWS, Mistake
from deltarule.diagnosis.report import Diagnosis, FirstWrong
from deltarule.diagnosis.search import Explanation, Numbers, Search, Settings, settings_for
from deltarule.diagnosis.subjects import find_in_script
from deltarule.errors import InputError
from deltarule.losses import LOSSES

__all__ = ["assert_backprop_correct", "diagnose"]


_RANDOM = (
    "Two calls with the same arguments give different results: dropout, noise or shuffling is at work. "
    "Switch it off for the check, or seed it inside the function."
)

#: So many other readings are named.
MOST_READINGS = 3


def diagnose(
    code: Any = None,
    *,
    name: str | None = None,
    weights: Sequence[Any] | None = None,
    biases: Sequence[Any] | None = None,
    X: Any = None,
    Y: Any = None,
    gradients: Any = None,
    sizes: Sequence[int] | None = None,
    activation: str | None = None,
    output: str | None = None,
    loss: str | None = None,
    reduction: str | None = None,
    l2: float = 0.0,
    learning_rate: float | None = None,
    returns: str | None = None,
    seconds: float = 20.0,
) -> Diagnosis:
    """Say whether somebody's backpropagation is right, and name the mistake where it is not.

    Parameters
    ----------
    code : callable, object or path, optional
        A function ``(weights, biases, X, Y) -> gradients``, or with a fifth argument, the learning rate,
        ``-> updated weights``; a network object with weights and a method such as ``train(x, y)``; or a
        script that has one. It runs in a process of its own. Any usual layout will do: W as (in, out) or
        (out, in), samples in rows or columns, arrays or lists; lists, tuples or dicts come back.
    name : str, optional
        Which function, class or object of the script.
    weights, biases, X, Y, gradients
        Or just the numbers of one case, W as (in, out) or (out, in), samples in rows.
    sizes : sequence of int, optional
        Of the only network that the code can handle.
    activation, output, loss, reduction : str, optional
        Of the hidden layers, of the last, and so on; what is not said is found out, if it can be.
    l2 : float
        The penalty l2/2·ΣW² in the loss.
    learning_rate : float, optional
        η, where it matters; an object's own where it says one.
    returns : "gradients" or "weights", optional
    seconds : float
        How long the code may run.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> W, X, Y = [[0.5], [-0.25]], [[1.0, 2.0], [0.5, -1.0]], [[1.0], [0.0]]
    >>> diagnosis = diagnose(weights=[W], X=X, Y=Y, gradients=[[[0.2], [0.3]]], loss="half_squared_error")
    >>> diagnosis.right
    False
    """
    if learning_rate is not None:
        check_number("learning_rate", learning_rate, np.nextafter(0, 1))
    check_number("seconds", seconds, 0.1)
    if returns not in (None, "gradients", "weights"):
        raise InputError(f"returns must be 'gradients' or 'weights', got {returns!r}")
    for name_of, registry in ((activation, ACTIVATIONS), (output, ACTIVATIONS), (loss, LOSSES)):
        if name_of is not None:
            registry.resolve(name_of)
    given = Settings(activation, output, loss, reduction, l2)
    if code is None:
        numbers = _numbers(weights, biases, X, Y, gradients)
        return _best([Trial(None, (numbers,))], given, learning_rate or ETA, ())
    get = (
        partial(find_in_script, os.fspath(code), name)
        if isinstance(code, str | os.PathLike)
        else lambda: code
    )
    trials, outcome, rate = try_code(get, sizes, learning_rate, returns, seconds)
    notes = (f"It printed: {outcome.printed.strip()[:200]}",) if outcome.printed.strip() else ()
    if not trials:
        return Diagnosis(False, failure=outcome.error, notes=notes)
    if all(trial.random for trial in trials):
        return Diagnosis(False, failure=_RANDOM, notes=notes)
    return _best(trials, given, rate, notes)


def assert_backprop_correct(code: Callable[..., Any], **settings: Any) -> None:
    """Raise an AssertionError with the whole diagnosis, if the backpropagation is not right.

    Parameters are those of :func:`diagnose`.
    """
    diagnosis = diagnose(code, **settings)
    assert diagnosis.right, str(diagnosis)


def _numbers(weights: Any, biases: Any, X: Any, Y: Any, gradients: Any) -> Numbers:
    if weights is None or X is None or Y is None or gradients is None:
        raise InputError("without code, weights, X, Y and gradients are needed")
    W = [as_matrix(w, f"weights[{i}]").astype(float) for i, w in enumerate(weights)]
    x = as_matrix(X, "X").astype(float)
    if W[0].shape[0] != x.shape[1]:
        W = [w.T for w in W]
    sizes = [len(W[0]), *(w.shape[1] for w in W)]
    y = as_numbers(Y, "Y").astype(float).reshape(len(x), -1)
    if sizes[0] != x.shape[1] or any(a.shape[1] != len(b) for a, b in pairwise(W)):
        raise InputError(f"weights of shapes {[w.shape for w in W]} do not fit X of shape {x.shape}")
    b: list[Array | None] = [None] * len(W)
    if biases is not None:
        b = [as_numbers(v, f"biases[{i}]").astype(float).reshape(-1) for i, v in enumerate(biases)]
    shared = any(v is not None and v.size == 1 < w.shape[1] for v, w in zip(b, W, strict=True))
    for convention in CONVENTIONS:
        observed = observed_in(gradients, sizes, convention, shared)
        if observed is not None:
            return Numbers(tuple(W), tuple(b), x, y, observed)
    raise InputError(
        f"gradients do not fit layers {sizes}: expected an array like each of the weights, and biases"
    )


def _best(trials: Sequence[Trial], given: Settings, eta: float, notes: tuple[str, ...]) -> Diagnosis:
    """The layout in which the code makes most sense: right, else with one mistake, else with two."""
    odd = [_odd(trial.numbers) for trial in trials]
    if all(odd):
        return Diagnosis(False, convention=_layout(trials[0]), notes=(*notes, odd[0]))
    sound = [trial for trial, wrong in zip(trials, odd, strict=True) if not wrong]
    searches = [Search(trial.numbers, given, eta) for trial in sound]
    for count in (0, 1, 2):
        for trial, search in zip(sound, searches, strict=True):
            found = search.with_mistakes(count)
            if found:
                return _explained(trial, found, eta, notes)
    return _unexplained(sound[0], given, eta, notes)


def _behaviour(trial: Trial, settings: Settings | None, alone: bool) -> tuple[Mistake, ...]:
    """The mistakes that show in how the code behaves; an overflow only where the numbers are right."""
    overflows = trial.overflows and settings is not None and settings.output == "softmax" and alone
    seen = ((ACCUMULATES, trial.accumulates), (CHANGES, trial.changes_inputs), (OVERFLOWS, overflows))
    return tuple(mistake for mistake, there in seen if there)


def _explained(trial: Trial, found: Sequence[Explanation], eta: float, notes: tuple[str, ...]) -> Diagnosis:
    best = found[0]
    first = _first_wrong(trial.numbers, best.settings, eta) if best.candidate.mistakes else None
    mistakes = (
        *best.candidate.mistakes,
        *_behaviour(trial, best.settings, not best.candidate.mistakes),
    )
    if not mistakes and trial.convention is None:
        notes = (*notes, *_state(trial.numbers, best.settings, eta))
    return Diagnosis(not mistakes, best.settings, _layout(trial), mistakes, _others(found), first, notes)


#: What may be wrong with the weights of a network whose gradient is right.
_STATES = ("symmetric_neurons", "dead_units", "saturated_units", "huge_weights")


def _state(numbers: Sequence[Numbers], settings: Settings, eta: float) -> list[str]:
    """What keeps the network's own weights from learning, though its gradient is right."""
    x, y = (np.concatenate([getattr(one, name) for one in numbers]) for name in "xy")
    report = health(numbers[0].case(settings, eta).net, x, y)
    return [
        f"But {finding.where}: {finding.evidence} {finding.meaning} {finding.remedy}"
        for finding in report.findings
        if finding.name in _STATES and finding.severity != "note"
    ]


def _unexplained(trial: Trial, given: Settings, eta: float, notes: tuple[str, ...]) -> Diagnosis:
    settings = settings_for(given)[0]
    known = _what_is_known(trial.numbers, settings, eta)
    first = _first_wrong(trial.numbers, settings, eta)
    return Diagnosis(
        False, None, _layout(trial), _behaviour(trial, None, alone=False), (), first, (*notes, *known)
    )


def _layout(trial: Trial) -> str:
    return "" if trial.convention is None else str(trial.convention)


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
            titles = " and ".join(mistake.title for mistake in other.candidate.mistakes)
            readings.append(f"{titles or 'a right gradient'}, with {other.settings}")
    return tuple(readings) if best.candidate.mistakes or len(seen) > 1 else ()


def _reading(explanation: Explanation) -> tuple[str, ...]:
    """The mistakes, or where there are none, the loss."""
    mistakes = tuple(mistake.key for mistake in explanation.candidate.mistakes)
    return mistakes or (explanation.settings.loss or "",)


def _first_wrong(numbers: Sequence[Numbers], settings: Settings, eta: float) -> FirstWrong | None:
    """From the last layer back: dW, db; the entry that is furthest off."""
    one = numbers[0]
    right = Backprop(one.case(settings, eta)).gradients()
    for layer in range(len(right), 0, -1):
        dW, db = one.observed.dW[layer - 1], one.observed.db[layer - 1]
        for name, found, expected, formula in (
            (f"dW{layer}", dW, right[layer - 1].dW, f"dW{layer} = a{layer - 1}.T @ delta{layer}"),
            (f"db{layer}", db, right[layer - 1].db, f"db{layer} = delta{layer}.sum(axis=0)"),
        ):
            if (
                found is None
                or found.shape != expected.shape
                or np.allclose(found, expected, rtol=1e-7, atol=1e-12)
            ):
                continue
            place = np.unravel_index(int(np.abs(found - expected).argmax()), found.shape)
            index = ",".join(str(int(i)) for i in place)
            return FirstWrong(name, formula, f"{name}[{index}]", float(expected[place]), float(found[place]))
    return None


def _what_is_known(numbers: Sequence[Numbers], settings: Settings, eta: float) -> list[str]:
    """Which arrays are right, and how the others compare, for the likeliest settings."""
    one = numbers[0]
    right = Backprop(one.case(settings, eta)).gradients()
    lines = [f"Compared with {settings}:"]
    for layer, (dW, (expected, _)) in enumerate(zip(one.observed.dW, right, strict=True), start=1):
        if dW is None:
            continue
        alone = Observed((dW,), (None,))
        if distance(alone, [right[layer - 1]]) <= 1:
            lines.append(f"  dW{layer} is right.")
            continue
        ratio = float((dW * expected).sum() / (expected**2).sum()) if expected.any() else float("nan")
        cosine = float((dW * expected).sum() / (np.linalg.norm(dW) * np.linalg.norm(expected) or 1))
        lines.append(f"  dW{layer} is {ratio:.4g} times the right one at best; their cosine is {cosine:.4f}.")
    return lines

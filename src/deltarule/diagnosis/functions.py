"""A learner's function put to the test: called with networks that tell mistakes apart, in each layout."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.conventions import CONVENTIONS, Convention, arrays_in, observed_in
from deltarule.diagnosis.matching import Observed
from deltarule.diagnosis.objects import is_network, learning_rate_of, one_step
from deltarule.diagnosis.runner import Outcome, run_apart, said
from deltarule.diagnosis.search import Numbers
from deltarule.registry import record

__all__ = ["ETA", "Trial", "make_numbers", "try_code"]

#: Networks that tell mistakes apart: all sizes different; square layers, where nothing complains; one output.
SIZES = ((3, 5, 4, 2), (3, 3, 3, 3), (3, 4, 2), (3, 3, 3), (3, 4, 1))

#: The one whose errors are told: with one hidden layer, as most code has.
ORDINARY = (3, 4, 2)

#: What the last weights are multiplied by, to see whether a softmax overflows.
LARGE = 1e4

#: The first and second result, whether the inputs were changed, what was raised, whether it overflows.
Result: TypeAlias = tuple[Any, Any, bool, str, bool]

#: The learning rate where none is named.
ETA = 0.1

#: Rows: prime, and neither 2 nor the number of outputs nor 1/η.
N_ROWS = 7


@record
class Trial:
    """What came out in one layout.

    Parameters
    ----------
    convention : Convention or None
        None where the numbers were given, and no code was run.
    numbers : tuple of Numbers
        For each network in which something came out.
    accumulates, changes_inputs, random : bool
        Whether a second call gave a multiple of the first result; whether the arrays passed in were changed;
        whether a second call gave something else altogether.
    overflows : bool
        Whether large weights gave NaN or infinity.
    """

    convention: Convention | None
    numbers: tuple[Numbers, ...]
    accumulates: bool = False
    changes_inputs: bool = False
    random: bool = False
    overflows: bool = False


def make_numbers(sizes: Sequence[int], seed: int) -> tuple[list[Array], list[Array], Array, Array]:
    """Weights, biases, inputs and targets that keep every unit alive and no two numbers equal."""
    rng = np.random.default_rng(seed)
    W = [rng.normal(0, 0.8, (n_in, n_out)) for n_in, n_out in pairwise(sizes)]
    b = [rng.normal(0, 0.5, n_out) for n_out in sizes[1:]]
    classes = np.arange(N_ROWS) % max(2, sizes[-1])
    y = np.eye(max(2, sizes[-1]))[rng.permutation(classes)][:, : sizes[-1]]
    return W, b, rng.normal(size=(N_ROWS, sizes[0])), y


def try_code(
    get: Callable[[], Any],
    sizes: Sequence[int] | None,
    eta: float | None,
    returns: str | None,
    seconds: float,
) -> tuple[list[Trial], Outcome, float]:
    """Run what ``get`` gives in a process of its own: a function with every network and in every layout.

    Parameters
    ----------
    get : callable
        Gives a function of (weights, biases, X, Y), or a network object.
    sizes : sequence of int, optional
        Of the only network that a function can handle.
    eta : float, optional
        The learning rate; an object's own where it says one.
    returns : "gradients", "weights" or None
    seconds : float

    Returns
    -------
    list of Trial
        The layouts in which gradients came out.
    Outcome
        How the process ended, with what was printed.
    float
        The learning rate.
    """
    shapes = SIZES if sizes is None else (tuple(sizes), tuple(sizes))
    cases = [make_numbers(shape, seed) for seed, shape in enumerate(shapes)]
    outcome = run_apart(lambda: _tried(get(), cases, eta, returns), seconds)
    if outcome.value is None:
        return [], outcome, eta or ETA
    kind, biased, rate, results = outcome.value
    if kind == "object":
        return [Trial(None, tuple(results))], outcome, rate
    trials: list[Trial] = []
    for convention, found in zip(CONVENTIONS, results, strict=True):
        trial = _trial(convention, shapes, cases, found, rate, kind)
        if trial is not None and not any(_same_numbers(trial, other) for other in trials):
            trials += ([trial] if biased else []) + _without_biases(trial)
    if not trials:
        outcome = replace(outcome, error=_why_nothing(shapes, results[0]))
    return trials, outcome, rate


def _why_nothing(shapes: Sequence[Sequence[int]], results: Sequence[Result]) -> str:
    """What was raised, or what came back, for an ordinary network in the most usual layout."""
    ordinary = shapes.index(ORDINARY) if ORDINARY in shapes else 0
    first, _, _, error, _ = results[ordinary]
    return error or f"what it returns does not fit layers {list(shapes[ordinary])}: {_shapes(first)}"


def _tried(subject: Any, cases: Sequence[Any], eta: float | None, returns: str | None) -> tuple[Any, ...]:
    """What the process sends back: the kind of subject, the learning rate, and what came out."""
    if is_network(subject):
        rate = eta or learning_rate_of(subject) or ETA
        return "object", True, rate, one_step(subject, rate)
    if not callable(subject):
        raise TypeError(f"a {type(subject).__name__} is no function and no network with weights")
    rate = eta or ETA
    kind = returns or ("weights" if takes_learning_rate(subject) else "gradients")
    return (
        kind,
        takes_biases(subject),
        rate,
        [_in_layout(subject, convention, cases, rate, kind) for convention in CONVENTIONS],
    )


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


def takes_learning_rate(function: Callable[..., Any]) -> bool:
    """Whether it has a fifth argument: then it returns updated weights."""
    try:
        return len(inspect.signature(function).parameters) >= 5
    except (TypeError, ValueError):
        return False


def takes_biases(function: Callable[..., Any]) -> bool:
    """Whether it has more arguments than weights, X and Y."""
    try:
        return len(inspect.signature(function).parameters) != 3
    except (TypeError, ValueError):
        return True


def _in_layout(
    function: Callable[..., Any], convention: Convention, cases: Sequence[Any], eta: float, returns: str
) -> list[Result]:
    """What came out for each network."""
    found = []
    for W, b, x, y in cases:
        biases = [[convention.b(v) for v in b]] if takes_biases(function) else []
        arguments = [[convention.W(w) for w in W], *biases, convention.rows(x), convention.rows(y)]
        extra = [eta] if returns == "weights" else []
        try:
            kept = deepcopy(arguments)
            first = deepcopy(function(*arguments, *extra))
            changed = _differ(kept, arguments)
            second = deepcopy(function(*deepcopy(kept), *extra))
            kept[0][-1] = convention.W(LARGE * W[-1])
            found.append((first, second, changed, "", _overflows(function, [*kept, *extra])))
        except Exception as error:  # his code may raise anything
            found.append((None, None, False, said(error), False))
    return found


def _overflows(function: Callable[..., Any], arguments: list[Any]) -> bool:
    """Whether NaN or infinity comes out, or nothing at all."""
    try:
        return not all(np.isfinite(array).all() for array in arrays_in(function(*arguments)))
    except Exception:  # his code may raise anything
        return True


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) != len(other) or any(map(_differ, one, other))
    return not np.array_equal(np.asarray(one), np.asarray(other))


def _trial(
    convention: Convention,
    shapes: Sequence[Sequence[int]],
    cases: Sequence[Any],
    results: Sequence[Result],
    eta: float,
    returns: str,
) -> Trial | None:
    """What came out in this layout, read in the order of layers in which most of it fits."""
    shared = convention.biases == "shared"
    read = [
        [
            observed_in(first, sizes, convention, shared, backwards=backwards, n_rows=N_ROWS)
            for sizes, (first, *_) in zip(shapes, results, strict=True)
        ]
        for backwards in (False, True)
    ]
    backwards = sum(one is not None for one in read[1]) > sum(one is not None for one in read[0])
    numbers, again, random, changed, overflows = [], False, False, False, False
    for sizes, (W, full, x, y), (_, second, touched, _, large), observed in zip(
        shapes, cases, results, read[backwards], strict=True
    ):
        if observed is None:
            continue
        b = [v[:1] for v in full] if shared else full
        twice = observed_in(second, sizes, convention, shared, backwards=backwards, n_rows=N_ROWS)
        if twice is None or not _same(observed, twice):
            again, random = True, random or twice is None or not _proportional(observed, twice)
        changed |= touched and returns == "gradients"
        overflows |= large
        if returns == "weights":
            observed = _from_update(W, b, observed, eta)
        numbers.append(Numbers(tuple(W), tuple(b), x, y, observed))
    if not numbers:
        return None
    return Trial(convention, tuple(numbers), again and not random, changed, random, overflows)


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


def _shapes(result: Any) -> str:
    """The shapes of what was returned, in words."""
    if isinstance(result, dict):
        return (
            f"a dict with {', '.join(f'{key}: {_shapes(value)}' for key, value in list(result.items())[:8])}"
        )
    if isinstance(result, list | tuple):
        return f"{type(result).__name__} of {', '.join(map(_shapes, result[:8]))}" if result else "nothing"
    shape = getattr(result, "shape", None)
    return f"array {shape}" if shape is not None else type(result).__name__

"""What a network answers where nothing is to be dropped: a function that predicts, or an object's method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.arguments import (
    Dropping,
    extra_arguments,
    plain_arguments,
    roles_of,
    seed_everything,
)
from deltarule.diagnosis.cases import NetworkSettings, Numbers
from deltarule.diagnosis.conventions import arrays_in
from deltarule.diagnosis.functions import Layout, Task
from deltarule.diagnosis.matching import Observed
from deltarule.diagnosis.objects import read_layers, set_dropping, switches_of
from deltarule.registry import record

#: Methods that predict; the second ones also where training goes forward, if they can be told not to drop.
_PREDICT = ("predict", "predict_proba", "infer", "inference", "test")
_FORWARD = ("feedforward", "feed_forward", "forward", "forward_pass", "__call__", "output")

#: Rows; and hidden neurons up to which every mask is tried.
_ROWS, _MOST_MASKED = 5, 9


@record
class Answer:
    """What came out for some samples, twice, the random numbers being others.

    Parameters
    ----------
    numbers : Numbers
        The network and the samples; nothing is observed of gradients.
    first, second : tuple of ndarray
        All arrays that were returned.
    """

    numbers: Numbers
    first: tuple[Array, ...]
    second: tuple[Array, ...]

    @property
    def repeats(self) -> bool:
        """Whether both are the same."""
        return len(self.first) == len(self.second) and all(map(_same, self.first, self.second))


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and np.allclose(one, other)


def ask_function(
    predict: Callable[..., Any], layout: Layout, tasks: Sequence[Task], dropping: Dropping
) -> list[Answer]:
    """What a function of (weights, biases, X) answers; what it raises, if it never does."""
    convention, found, raised = layout.convention, list[Answer](), None
    for task in tasks:
        b = [v[:1] for v in task.b] if convention.biases == "shared" else task.b
        biases = [[convention.b(v) for v in task.b]] if plain_arguments(predict) == 3 else []
        plain = [[convention.W(w) for w in task.W], *biases, convention.rows(task.x)]
        numbers = Numbers(tuple(task.W), tuple(b) if biases else (None,) * len(b), task.x, task.y, _NOTHING)
        try:
            found.append(_twice(numbers, partial(_predicted, predict, plain), dropping))
        except Exception as error:  # the learner's code may raise anything
            raised = error
    if not found and raised is not None:
        raise raised
    told = predict.__name__ not in _FORWARD or roles_of(predict)
    return [answer for answer in found if told or answer.repeats]


def _predicted(predict: Callable[..., Any], plain: list[Any], dropping: Dropping) -> Any:
    return predict(*deepcopy(plain), **_named(predict, dropping))


_NOTHING = Observed((), ())


def _named(predict: Callable[..., Any], dropping: Dropping) -> dict[str, Any]:
    """The arguments with a role that have no default, and in any case the flag and the generator."""
    roles = {
        role: one
        for role, one in roles_of(predict).items()
        if role in ("training", "rng", "seed") or one.default is one.empty
    }
    return extra_arguments(roles, dropping)


def _twice(numbers: Numbers, ask: Callable[[Dropping], Any], dropping: Dropping) -> Answer:
    results = []
    for seed in (1, 2):
        one = replace(dropping, seed=seed, training=False)
        seed_everything(seed)
        results.append(tuple(arrays_in(ask(one))))
    return Answer(numbers, results[0], results[1])


def ask_object(thing: Any, dropping: Dropping) -> list[Answer]:
    """What an object's method answers; nothing where none is there that is not to drop."""
    found = read_layers(thing)
    assert found is not None
    x = np.random.default_rng(0).normal(size=(_ROWS, found.sizes[0]))
    for name in (*_PREDICT, *_FORWARD):
        for form in (x.copy(), x.tolist(), x[0].copy(), x[0].tolist()):
            rows = x[: len(form)] if np.ndim(form) == 2 else x[:1]
            numbers = Numbers(found.W, found.b, rows, np.zeros((len(rows), found.sizes[-1])), _NOTHING)
            try:
                answer = _twice(numbers, partial(_asked, thing, name, form), dropping)
            except Exception:  # the learner's code may raise anything: try the next way
                continue
            if answer.first and (answer.repeats or _is_told(thing, name)):
                return [answer]
    return []


def _is_told(thing: Any, name: str) -> bool:
    """Whether the method is for predictions, or is told by a flag that it is not to drop."""
    flag = "training" in switches_of(thing) or "training" in roles_of(getattr(thing, name))
    return name in _PREDICT or flag or callable(getattr(thing, "eval", None))


def _asked(thing: Any, name: str, x: Any, dropping: Dropping) -> Any:
    copy = set_dropping(deepcopy(thing), dropping)
    if callable(getattr(copy, "eval", None)):
        copy.eval()
    method = getattr(copy, name)
    if plain_arguments(method) != 1:
        raise TypeError(f"{name} takes more than the samples")
    return method(deepcopy(x), **_named(method, dropping))


# ---------------------------------------------------------------------- what it means


def kind_of_answer(answer: Answer, settings: NetworkSettings, eta: float) -> str:
    """``"plain"``, ``"scaled"`` by the share kept, ``"dropped"``, or ``"?"`` where it is none of these.

    Nothing where there is no difference: a softmax of one output is always 1.
    """
    share = settings.dropout
    sizes = answer.numbers.sizes[:-1]
    ones = [np.ones((1, size)) for size in sizes]
    plain = _gives(answer, settings, eta, ones, 1.0)
    scaled = _gives(answer, settings, eta, ones, 1 - share)
    if plain or scaled:
        return "" if plain and scaled else "plain" if plain else "scaled"
    if not answer.repeats:
        return "dropped"
    hidden = sum(sizes[1:])
    for bits in product((0.0, 1.0), repeat=hidden) if hidden <= _MOST_MASKED else ():
        masks = [ones[0], *np.split(np.array(bits)[None], np.cumsum(sizes[1:])[:-1], axis=1)]
        if any(
            _gives(answer, settings, eta, masks, scale, slice(1))
            for scale in (1.0, 1 / (1 - share), 1 / share)
        ):
            return "dropped"
    return "?"


def _gives(
    answer: Answer,
    settings: NetworkSettings,
    eta: float,
    masks: Sequence[Array],
    scale: float,
    rows: slice = slice(None),
) -> bool:
    """Whether the answer, or some rows of it, is what the network gives with these masks and this factor."""
    case = replace(answer.numbers, masks=tuple(masks)).case(settings, eta, scale)
    expected = case.a[-1]
    for array in answer.first:
        for turned in (array, array.T, array.reshape(1, -1), array.reshape(-1, 1)):
            if turned.shape == expected.shape and np.allclose(turned[rows], expected[rows], 1e-4, 1e-6):
                return True
    return False

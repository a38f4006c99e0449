"""A learner's function put to the test: called with networks that tell mistakes apart, in each layout."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.arguments import (
    FORMS,
    Dropping,
    draw_masks,
    extra_arguments,
    masks_in,
    plain_arguments,
    roles_of,
    seed_everything,
)
from deltarule.diagnosis.conventions import CONVENTIONS, Convention, arrays_in
from deltarule.diagnosis.runner import said
from deltarule.registry import record

#: Networks that tell mistakes apart: all sizes different; square layers, where nothing complains; one output.
SIZES = ((3, 5, 4, 2), (3, 3, 3, 3), (3, 4, 2), (3, 3, 3), (3, 4, 1))

#: One of whose hidden neurons dropout drops some, even where the code draws the same masks at each call.
WIDE = (3, 20, 2)

#: The one whose errors are told: with one hidden layer, as most code has.
ORDINARY = (3, 4, 2)

#: What the last weights are multiplied by, to see whether a softmax overflows.
LARGE = 1e4

#: Rows: prime, and neither 2 nor the number of outputs nor 1/η.
N_ROWS = 7

#: How often code that draws its own masks is called with each network, a sample at a time.
DRAWS = 8

#: The first and second result, whether the inputs were changed, what was raised, whether it overflows.
Result: TypeAlias = tuple[Any, Any, bool, str, bool]


@record
class Layout:
    """How arrays are laid out, and masks passed where the function takes any."""

    convention: Convention
    form: tuple[bool, bool, bool] | None = None


class Task(NamedTuple):
    """A network, samples, and what dropout is to drop."""

    W: list[Array]
    b: list[Array]
    x: Array
    y: Array
    masks: list[Array]
    dropping: Dropping
    at_kink: bool = False

    @property
    def sizes(self) -> list[int]:
        """Of the layers, inputs first."""
        return [len(self.W[0]), *(W.shape[1] for W in self.W)]


# ---------------------------------------------------------------------- what is asked


def tasks_for(shapes: Sequence[Sequence[int]], dropping: Dropping, *, drawn: bool = False) -> list[Task]:
    """A task for each network; where the code draws masks itself, several, with one sample each."""
    tasks = [
        _task(shape, seed, replace(dropping, seed=draw), 1 if drawn else N_ROWS)
        for seed, shape in enumerate(shapes)
        for draw in range(DRAWS if drawn else 1)
    ]
    return tasks if drawn else [*tasks, _at_kink(tasks[shapes.index(ORDINARY) if ORDINARY in shapes else 0])]


def _at_kink(task: Task) -> Task:
    """The same with a neuron whose z is 0 exactly, where the slope of ReLU is a matter of convention."""
    W, b = deepcopy(task.W), deepcopy(task.b)
    W[0][:, 0], b[0][0] = 0.0, 0.0
    return task._replace(W=W, b=b, at_kink=True)


def _task(sizes: Sequence[int], seed: int, dropping: Dropping, n_rows: int) -> Task:
    """Weights, biases, inputs and targets that keep every unit alive and no two numbers equal."""
    rng = np.random.default_rng(seed)
    W = [rng.normal(0, 0.8, (n_in, n_out)) for n_in, n_out in pairwise(sizes)]
    b = [rng.normal(0, 0.5, n_out) for n_out in sizes[1:]]
    classes = np.arange(N_ROWS) % max(2, sizes[-1])
    y = np.eye(max(2, sizes[-1]))[rng.permutation(classes)][:, : sizes[-1]]
    x = rng.normal(size=(N_ROWS, sizes[0]))
    first = dropping.seed % N_ROWS
    rows = slice(None) if n_rows == N_ROWS else slice(first, first + n_rows)
    masks = draw_masks(sizes, len(x[rows]), dropping.share, dropping.seed)
    return Task(W, b, x[rows], y[rows], masks, dropping)


def layouts_for(function: Callable[..., Any]) -> list[Layout]:
    """Every layout of arrays, and every form of masks where it takes any."""
    forms = FORMS if "masks" in roles_of(function) else (None,)
    return [Layout(convention, form) for convention in CONVENTIONS for form in forms]


def takes_learning_rate(function: Callable[..., Any]) -> bool:
    """Whether it has a fifth plain argument: then it returns updated weights."""
    return plain_arguments(function) >= 5


def takes_biases(function: Callable[..., Any]) -> bool:
    """Whether it has more plain arguments than weights, X and Y."""
    return plain_arguments(function) != 3


# ---------------------------------------------------------------------- what it answers


def call_in_layouts(
    function: Callable[..., Any], layouts: Sequence[Layout], tasks: Sequence[Task], eta: float, returns: str
) -> list[list[Result]]:
    """What came out in each layout for each task."""
    signature = _Signature(takes_biases(function), [eta] if returns == "weights" else [], roles_of(function))
    return [[_called(function, signature, layout, task) for task in tasks] for layout in layouts]


class _Signature(NamedTuple):
    """What a function takes: biases or none, the learning rate or none, and what is known by its name."""

    biased: bool
    extra: list[float]
    roles: dict[str, inspect.Parameter]


def _called(function: Callable[..., Any], signature: _Signature, layout: Layout, task: Task) -> Result:
    """What came out, at the first and at a second call, and with large weights."""
    try:
        arguments, named = _arguments(signature, layout, task)
        kept, kept_named = deepcopy(arguments), deepcopy(named)
        seed_everything(task.dropping.seed)
        first = deepcopy(function(*arguments, **named))
        changed = _differ(kept, arguments)
        second = deepcopy(function(*deepcopy(kept), **deepcopy(kept_named)))
        kept[0][-1] = layout.convention.W(LARGE * task.W[-1])
        return first, second, changed, "", _overflows(function, kept, kept_named)
    except Exception as error:  # the learner's code may raise anything
        return None, None, False, said(error), False


def _arguments(signature: _Signature, layout: Layout, task: Task) -> tuple[list[Any], dict[str, Any]]:
    """The plain ones in their order, the others by name."""
    convention, masks = layout.convention, None
    biases = [[convention.b(v) for v in task.b]] if signature.biased else []
    plain = [[convention.W(w) for w in task.W], *biases, convention.rows(task.x), convention.rows(task.y)]
    if layout.form is not None:
        passed = masks_in(layout.form, convention, task.masks)
        if passed is None:
            raise TypeError("one mask cannot serve several layers")
        masks = passed[0]
    return [*plain, *signature.extra], extra_arguments(signature.roles, task.dropping, masks)


def _overflows(function: Callable[..., Any], arguments: list[Any], named: dict[str, Any]) -> bool:
    """Whether NaN or infinity comes out, or nothing at all; warnings of it are no news."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return not all(np.isfinite(array).all() for array in arrays_in(function(*arguments, **named)))
    except Exception:  # the learner's code may raise anything
        return True


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) != len(other) or any(map(_differ, one, other))
    return not np.array_equal(np.asarray(one), np.asarray(other))


def why_nothing(tasks: Sequence[Task], results: Sequence[Result]) -> str:
    """What was raised, or what came back, for an ordinary network in the most usual layout."""
    sizes = [tuple(task.sizes) for task in tasks]
    ordinary = sizes.index(ORDINARY) if ORDINARY in sizes else 0
    first, _, _, error, _ = results[ordinary]
    return error or f"what it returns does not fit layers {list(sizes[ordinary])}: {_shapes(first)}"


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

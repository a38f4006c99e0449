"""``compare``: one step of somebody's own and one of a model, and the first quantity in which they differ."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from deltarule.arrays import Array, as_matrix
from deltarule.diagnosis.model_step import ModelStep, model_step
from deltarule.diagnosis.quantities import (
    DIFFERS,
    FACTOR,
    SAME,
    ComparedQuantity,
    compared,
    related,
    searched,
)
from deltarule.diagnosis.watching import WatchedArray, arrays_of, watch
from deltarule.errors import InputError
from deltarule.registry import record, shown_by

_TRAINS = ("train", "train_step", "train_on_batch", "step", "update", "fit", "backprop", "backward")
_RATE = re.compile("lr|eta|alpha|rate|learning_?rate|step_?size", re.I)


@record
class StepComparison:
    """All quantities of a step, in the order in which they are computed; it prints as a report.

    Parameters
    ----------
    quantities : tuple of ComparedQuantity
    first : ComparedQuantity or None
        The first quantity that differs.
    layout : str
        The layout of arrays with which the learner's code was called.
    """

    quantities: tuple[ComparedQuantity, ...]
    first: ComparedQuantity | None
    layout: str

    @property
    def same(self) -> bool:
        """Whether all gradients, and all updated parameters, are the model's."""
        return self.first is None

    def __str__(self) -> str:
        first = self.first
        head = "The step agrees with the model's."
        if first is not None:
            head = f"The first quantity that differs is {first.name}: {first}."
        rows = [f"  {one.name:<8} {one.verdict:<22} {one.found_in}".rstrip() for one in self.quantities]
        return "\n".join([head, f"Called with {self.layout}.", *rows])

    _repr_html_ = shown_by("deltarule.notebook_views:report")


def compare(
    my_step: Any, other: Any, X: Any, Y: Any, *, loss: Any = None, learning_rate: float = 0.1
) -> StepComparison:
    """Compare one step of your own code with one of a model, number by number.

    The code runs in this process, with all your rights, once for each layout of arrays that it may expect.

    Parameters
    ----------
    my_step : callable or object
        A function ``(weights, biases, X, Y)`` that returns the gradients as lists, tuples or a dictionary; or
        a function with a fifth argument, the learning rate, that returns the updated parameters. It gets the
        model's weights as (n_in, n_out) or (n_out, n_in), with samples in rows or columns. Or an object that
        already has the model's weights, with a method ``train(X, Y)``; a copy of it makes the step.
    other : Network or torch.nn.Sequential
        A Sequential of Linear layers and activations; PyTorch computes in double precision.
    X : array-like, (n, n_in)
    Y : array-like, (n, n_out)
        Or class numbers (n,), if the loss takes them.
    loss : callable, optional
        For a PyTorch model its loss, ``torch.nn.MSELoss()``; a network has its own.
    learning_rate : float
        η, if the step updates; an object's own ``learning_rate`` or ``lr`` takes precedence.

    Returns
    -------
    StepComparison

    Raises
    ------
    InputError
        If the model is of a different kind, or the code takes none of the usual layouts.

    Examples
    --------
    >>> from deltarule import Network
    >>> def step(weights, biases, X, Y):
    ...     a = X @ weights[0] + biases[0]
    ...     delta = a - Y
    ...     return [X.T @ delta], [delta.sum(axis=0)]
    >>> net = Network([2, 1], output="identity", seed=1)
    >>> print(compare(step, net, [[1.0, 2.0], [0.5, 1.0]], [[1.0], [0.0]]).first)
    delta1 is 2 times that of the model (delta, line 3)
    """
    model = model_step(other, X, Y, loss)
    tries = list(_tries(my_step, model, as_matrix(X, "X").astype(float), np.asarray(Y), learning_rate))
    errors, found = [], []
    for one in tries:
        try:
            found.append(_compared(model, one, *watch(one.call, one.path)))
        except InputError:
            raise
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
    if not found:
        raise InputError(f"the step accepts none of the usual layouts; with {tries[0].layout}: {errors[0]}")
    return max(found, key=lambda one: sum(row.verdict == SAME for row in one.quantities))


class _Try(NamedTuple):
    """A call in one layout; ``given`` are the parameters as they were, ``read`` those that came out."""

    layout: str
    path: str
    call: Callable[[], Any]
    read: Callable[[Any], list[Array]]
    updates: bool
    rate: float


def _tries(my_step: Any, model: ModelStep, X: Array, Y: Array, rate: float) -> Iterator[_Try]:
    method = next((name for name in _TRAINS if callable(getattr(my_step, name, None))), None)
    if method is not None and not inspect.isroutine(my_step):
        yield from _object_tries(my_step, method, model, X, Y, rate)
        return
    if not callable(my_step):
        kind = type(my_step).__name__
        raise InputError(f"expected a function or an object with a train method, got {kind}")
    path = inspect.unwrap(my_step).__code__.co_filename
    fifth = list(inspect.signature(my_step).parameters.values())[4:5]
    updates = any(one.default is one.empty or _RATE.fullmatch(one.name) for one in fifth)
    for rows, in_out, bias in product((True, False), (True, False), ((-1,), (1, -1), (-1, 1))):
        weights = [W.copy() if in_out else W.T.copy() for W in model.weights]
        biases = [None if b is None else b.reshape(bias).copy() for b in model.biases]
        x, y = (X, Y) if rows else (X.T, Y.T)
        layout = (
            f"weights ({'n_in, n_out' if in_out else 'n_out, n_in'}), samples in "
            f"{'rows' if rows else 'columns'}, biases {str(bias).replace('-1', 'n_out')}"
        )
        arguments = (weights, biases, x.copy(), y.copy(), *((rate,) if updates else ()))
        read = lambda result: [one for _, one in arrays_of(result, "", 3)]  # noqa: E731
        yield _Try(layout, path, partial(my_step, *arguments), read, updates, rate)


def _object_tries(own: Any, method: str, model: ModelStep, X: Array, Y: Array, rate: float) -> Iterator[_Try]:
    path = inspect.unwrap(getattr(type(own), method)).__code__.co_filename
    names = [name for name in ("learning_rate", "lr", "eta") if hasattr(own, name)]
    rate = float(getattr(own, names[0]) if names else rate)
    data = {"rows": (X, Y), "columns": (X.T, Y.T)}
    if len(X) == 1:
        data["a vector"] = (X[0], Y[0])
    for name, (x, y) in data.items():
        one = copy.deepcopy(own)
        call = partial(getattr(one, method), x.copy(), y.copy())
        read = partial(_arrays_named, one, _names_of_parameters(one, model))
        yield _Try(f"samples in {name}", path, call, read, True, rate)


def _arrays_named(own: Any, names: list[str], result: Any) -> list[Array]:
    """The arrays that an object has now, whatever its method returned."""
    now = dict(arrays_of(own, "", 3))
    return [now[name] for name in names]


def _names_of_parameters(own: Any, model: ModelStep) -> list[str]:
    """Where an object has the model's parameters, in their order."""
    arrays = {name: array.copy() for name, array in arrays_of(own, "", 3)}
    names = []
    for label, parameter in _parameters(model.weights, model.biases):
        name = next((name for name, array in arrays.items() if related(parameter, array)[0] == SAME), None)
        if name is None:
            text = f"the object has no array that equals the model's {label}"
            raise InputError(f"{text}: give both the same weights")
        del arrays[name]
        names.append(name)
    return names


def _parameters(weights: tuple[Array, ...], biases: tuple[Array | None, ...]) -> list[tuple[str, Array]]:
    """(name, array) of all that are there: W1, b1, W2, …"""
    found = []
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True), 1):
        found += [(f"W{layer}", W), *([] if b is None else [(f"b{layer}", b)])]
    return found


def _compared(model: ModelStep, one: _Try, result: Any, seen: list[WatchedArray]) -> StepComparison:
    """Pair the results with the model's, then look for what lies before them."""
    before = _parameters(model.weights, model.biases)
    gradients = _parameters(model.dW, model.db)
    both = zip(before, gradients, strict=True)
    wanted = [(name, W - one.rate * dW) for (name, W), (_, dW) in both] if one.updates else gradients
    pairs = _paired([array for _, array in wanted], one.read(result))
    rows = {}
    for (name, right), found, (_, W), (_, gradient) in zip(wanted, pairs, before, gradients, strict=True):
        step = (W - found) / one.rate if one.updates else found
        rows[f"d{name}"] = compared(f"d{name}", gradient, step)
        if one.updates:
            rows[f"new {name}"] = compared(f"new {name}", right, found)
    middle = {f"a{layer}": a for layer, a in enumerate(model.outputs, 1)}
    middle["loss"] = np.array(model.loss)
    layers = range(len(model.deltas), 0, -1)
    middle |= {f"delta{layer}": model.deltas[layer - 1] for layer in layers}
    found_rows = searched(middle, seen)
    order = [name for name in middle if not name.startswith("delta")]
    order += [f"{kind}{layer}" for layer in layers for kind in ("delta", "dW", "db")]
    order += [name for name in rows if name.startswith("new")]
    quantities = tuple((found_rows | rows)[name] for name in order if name in found_rows or name in rows)
    return StepComparison(quantities, _first(quantities), one.layout)


def _paired(wanted: list[Array], found: list[Array]) -> list[Array]:
    """For each wanted array, of what came out an equal one or else the next that fits, laid out like it."""
    left = list(found)
    pairs: list[Array | None] = [None] * len(wanted)
    for close in (True, False):
        for number, right in enumerate(wanted):
            for index, array in enumerate(left):
                verdict, laid = related(right, array)
                if pairs[number] is None and laid is not None and (verdict == SAME or not close):
                    pairs[number] = laid
                    del left[index]
                    break
    if any(one is None for one in pairs):
        shapes = ", ".join(str(one.shape) for one in found) or "nothing"
        raise ValueError(f"it gives {shapes}; expected {', '.join(str(one.shape) for one in wanted)}")
    return [one for one in pairs if one is not None]


def _first(quantities: tuple[ComparedQuantity, ...]) -> ComparedQuantity | None:
    """The first result that differs, or what lies before it and differs as well."""
    results = [one for one in quantities if one.name.startswith(("dW", "db", "new"))]
    wrong = next((one for one in results if one.verdict != SAME), None)
    if wrong is None:
        return None
    for one in quantities:
        if one is wrong:
            return wrong
        layer = one.name.removeprefix("delta")
        spoilt = layer == wrong.name[2:] if layer != one.name else one.name != "loss"
        alike = one.verdict == DIFFERS or (one.verdict == FACTOR and wrong.verdict == FACTOR)
        if spoilt and alike and one.found_in:
            return one
    return wrong

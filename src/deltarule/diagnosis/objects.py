"""A learner's network object put to the test: its weights are read, before and after a step of training."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.arguments import OFF, RATE, Dropping, role_of, seed_everything
from deltarule.diagnosis.cases import Numbers
from deltarule.diagnosis.masks import with_masks_read
from deltarule.diagnosis.matching import Observed
from deltarule.registry import record

_METHODS = ("train", "train_step", "step", "fit", "learn", "backprop", "backpropagate", "backward", "update")
_GRADIENT = re.compile(r"^_*(d|grad|delta|nabla|g_)", re.IGNORECASE)
_BIAS = re.compile(r"bias|^_*b\d*$|^_*b_", re.IGNORECASE)
_MOST_DEPTH = 6

#: Steps that are made with dropout, each of another mask.
_DRAWS = 24

_Path = tuple[str | int, ...]


@record
class Found:
    """The layers of somebody's object, in our layout, and the names of the attributes they are in."""

    W: tuple[Array, ...]
    b: tuple[Array | None, ...]
    names: frozenset[str]

    @property
    def sizes(self) -> list[int]:
        """Of the layers, inputs first."""
        return [len(self.W[0]), *(W.shape[1] for W in self.W)]


def is_network(thing: Any) -> bool:
    """Whether it is an object that holds weights and can be trained."""
    trains = any(callable(getattr(thing, name, None)) for name in _METHODS)
    return trains and not isinstance(thing, type) and read_layers(thing) is not None


def learning_rate_of(thing: Any) -> float | None:
    """A number called learning_rate, lr, eta or alpha, of the object or its class."""
    for name in dir(thing):
        value = getattr(thing, name, None) if RATE.match(name) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
    return None


# ---------------------------------------------------------------------- its dropout


def switches_of(thing: Any) -> dict[str, tuple[str, Any]]:
    """By role, the name and value of what sets an object's dropout: a share, a generator, a flag."""
    return {role: (name, getattr(holder, name)) for holder, name, role in _switches(thing, set())}


def set_dropping(thing: Any, dropping: Dropping) -> Any:
    """The object, its dropout set, and its generators and NumPy's seeded."""
    seed_everything(dropping.seed)
    for holder, name, role in list(_switches(thing, set())):
        setattr(holder, name, dropping.value(role))
    return thing


def _switches(thing: Any, seen: set[int]) -> Iterator[tuple[Any, str, str]]:
    """(object, attribute, role), of the object, its class, and the objects it is made of."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, list | tuple):
        for inner in thing:
            yield from _switches(inner, seen)
    elif hasattr(thing, "__dict__") and not isinstance(thing, type):
        for name in dict.fromkeys((*vars(thing), *vars(type(thing)))):
            value, role = getattr(thing, name, None), role_of(name)
            if role is not None and _fits_role(value, role):
                yield thing, name, role
        for inner in vars(thing).values():
            yield from _switches(inner, seen)


def _fits_role(value: Any, role: str) -> bool:
    if role == "training":
        return isinstance(value, bool)
    if role == "rng":
        return isinstance(value, np.random.Generator)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return role in ("kept", "dropped", "p") and number and 0 <= value <= 1


# ---------------------------------------------------------------------- reading weights


def read_layers(thing: Any, *, gradients: bool = False, names: frozenset[str] | None = None) -> Found | None:
    """Weights and biases of an object, whether arrays, nested lists, or lists of neurons; None without any.

    With ``gradients`` what is called dW, grad_…, nabla_… is read in their place; with ``names``, only
    attributes with these names.
    """
    leaves = [
        (path, array)
        for path, array in _grouped(list(_leaves(thing, (), set())))
        if role_of(_name(path)) is None and bool(_GRADIENT.match(_name(path))) == gradients
    ]
    if names is not None:
        leaves = [leaf for leaf in leaves if _without_prefix(leaf[0]) in names]
    matrices = [(path, array) for path, array in leaves if array.ndim == 2 and not _is_bias(path, array)]
    matrices.sort(key=lambda leaf: _numbered(leaf[0]))
    chain, out_in = _chained([array for _, array in matrices])
    if not chain:
        return None
    W = tuple(array.T if out_in else array for array in chain)
    leaves.sort(key=lambda leaf: _numbered(leaf[0]))
    biases = [array.ravel() for path, array in leaves if _is_bias(path, array)]
    found = frozenset(_without_prefix(path) for path, _ in leaves)
    return Found(W, _biases(biases, [w.shape[1] for w in W]), found)


def _name(path: _Path) -> str:
    """The attribute's own name: the last part that is one."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _without_prefix(path: _Path) -> str:
    """The name; of a gradient, what it is the gradient of."""
    return _GRADIENT.sub("", _name(path)).lstrip("_")


def _numbered(path: _Path) -> list[int]:
    """The numbers in its name, by which W1 stands before W2 whichever was made first."""
    return [int(number) for number in re.findall(r"\d+", ".".join(map(str, path)))]


def _is_bias(path: _Path, array: Array) -> bool:
    return bool(_BIAS.search(_name(path).lstrip("d"))) or array.ndim < 2


def _leaves(value: Any, path: _Path, seen: set[int]) -> Iterator[tuple[_Path, Array]]:
    """Every array, list of numbers and bias inside an object."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        yield path, value.astype(float)
        return
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        if _BIAS.search(_name(path)):
            yield path, np.array(float(value))
        return
    if id(value) in seen or len(path) > 2 * _MOST_DEPTH or isinstance(value, str | bytes | type):
        return
    seen.add(id(value))
    if isinstance(value, list | tuple):
        array = _numbers(value)
        if array is not None and array.ndim <= 2:
            yield path, array
        else:
            for index, inner in enumerate(value):
                yield from _leaves(inner, (*path, index), seen)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)), seen)
    elif hasattr(value, "__dict__"):
        for key, inner in vars(value).items():
            yield from _leaves(inner, (*path, key), seen)


def _numbers(value: Sequence[Any]) -> Array | None:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return array if array.size else None


def _grouped(leaves: list[tuple[_Path, Array]]) -> list[tuple[_Path, Array]]:
    """Neurons' own lists of weights stacked to a matrix, neurons' biases to a vector."""
    groups: dict[tuple[_Path, _Path, int], list[Array]] = {}
    order: list[tuple[_Path, Any]] = []
    for path, array in leaves:
        at = next((i for i in range(len(path) - 2, -1, -1) if isinstance(path[i], int)), None)
        if at is None or array.ndim > 1:
            order.append((path, array))
            continue
        key = (path[:at], path[at + 1 :], array.ndim)
        if key not in groups:
            order.append((path, key))
        groups.setdefault(key, []).append(array)
    return [(path, _stacked(groups[value]) if isinstance(value, tuple) else value) for path, value in order]


def _stacked(arrays: list[Array]) -> Array:
    return np.array(arrays) if len({array.shape for array in arrays}) == 1 else np.empty(0)


def _chained(matrices: list[Array]) -> tuple[list[Array], bool]:
    """The matrices as a row of layers that fit each other: W (in, out), or (out, in)."""
    for out_in in (True, False):
        shapes = [m.shape[::-1] if out_in else m.shape for m in matrices]
        if matrices and all(before[1] == after[0] for before, after in pairwise(shapes)):
            return matrices, out_in
    return [], False


def _biases(found: list[Array], sizes: list[int]) -> tuple[Array | None, ...]:
    """A bias for each layer: one for each neuron, or one that the layer shares."""
    for shared in (False, True):
        fitting: list[Array] = []
        for array in found:
            size = sizes[len(fitting)] if len(fitting) < len(sizes) else 0
            if array.size == (1 if shared else size):
                fitting.append(array)
        if len(fitting) == len(sizes):
            return tuple(fitting)
    return tuple([None] * len(sizes))


# ---------------------------------------------------------------------- one step of training


def one_step(
    thing: Any, eta: float, dropping: Dropping = OFF, *, drawn: float | None = None
) -> list[Numbers]:
    """What one step of training does to copies of the object, for some samples.

    Where dropout is on, ``drawn`` is l2: steps with one sample each, off which the masks are read.

    Raises
    ------
    ValueError
        If no usual way of calling it works; the message says what was tried.
    """
    before = read_layers(thing)
    assert before is not None
    tried: list[str] = []
    ways = ((1, True), (1, False)) if drawn is not None else ((1, True), (1, False), (7, False), (7, True))
    for n_rows, as_lists in ways:
        for call in _calls(thing, eta):
            try:
                found = [
                    _after(thing, before, call, n_rows, as_lists, eta, replace(dropping, seed=seed))
                    for seed in range(3 if drawn is None else _DRAWS)
                ]
            except Exception as error:  # the learner's code may raise anything: try the next way
                tried.append(f"{type(error).__name__}: {error}")
            else:
                return found if drawn is None else [with_masks_read(numbers, drawn) for numbers in found]
    raise ValueError("; ".join(dict.fromkeys(tried)) or "it has no method train, fit or backward")


def _calls(thing: Any, eta: float) -> Iterator[Callable[[Any, Any, Any], object]]:
    """Ways to make one step with x and y."""
    for name in _METHODS:
        if not callable(getattr(thing, name, None)):
            continue
        yield lambda net, x, y, name=name: getattr(net, name)(x, y)  # type: ignore[misc]
        yield lambda net, x, y, name=name: getattr(net, name)(x, y, eta)  # type: ignore[misc]
        yield lambda net, x, y, name=name: getattr(net, name)(x, y, 1)  # type: ignore[misc]
    if callable(getattr(thing, "forward", None)) and callable(getattr(thing, "backward", None)):
        yield lambda net, x, y: (net.forward(x), net.backward(y))
        yield lambda net, x, y: net.backward(x, y, net.forward(x))
        yield lambda net, x, y: (net.forward(x), net.backward(x, y, eta))


def _after(
    thing: Any,
    before: Found,
    call: Callable[[Any, Any, Any], object],
    n_rows: int,
    as_lists: bool,
    eta: float,
    dropping: Dropping,
) -> Numbers:
    """The gradients behind one step of a copy on ``n_rows`` samples."""
    thing = set_dropping(deepcopy(thing), dropping)
    rng = np.random.default_rng(dropping.seed)
    x = rng.normal(size=(n_rows, before.sizes[0]))
    y = rng.uniform(0.1, 0.9, (n_rows, before.sizes[-1]))
    if as_lists and n_rows == 1:
        call(thing, x[0].tolist(), y[0].tolist())
    elif as_lists:
        call(thing, x.tolist(), y.tolist())
    else:
        call(thing, x.copy(), y.copy())
    return Numbers(before.W, before.b, x, y, _moved(thing, before, eta))


def _moved(thing: Any, before: Found, eta: float) -> Observed:
    """The gradients: (old − new) / η of what moved, or those that the object keeps."""
    after = read_layers(thing, names=before.names)
    if after is None or after.sizes != before.sizes:
        raise ValueError("its weights changed their shapes")
    dW = tuple((old - new) / eta for old, new in zip(before.W, after.W, strict=True))
    db = tuple(
        None if old is None or new is None else (old - new) / eta
        for old, new in zip(before.b, after.b, strict=True)
    )
    biases_moved = any(one is not None and one.any() for one in db)
    if biases_moved or any(one.any() for one in dW):
        return Observed(dW, db if biases_moved else (None,) * len(db))
    kept = read_layers(thing, gradients=True, names=before.names) or read_layers(thing, gradients=True)
    if kept is None or [w.shape for w in kept.W] != [w.shape for w in before.W]:
        raise ValueError("no weight moved, and no gradients were kept (dW, grad_…, nabla_…)")
    return Observed(kept.W, kept.b)

"""A learner's network object put to the test: its weights are read, before and after a step of training."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.matching import Observed
from deltarule.diagnosis.search import Numbers
from deltarule.registry import record

__all__ = ["Found", "is_network", "learning_rate_of", "one_step", "read_layers"]

_METHODS = ("train", "train_step", "step", "fit", "learn", "backprop", "backpropagate", "backward", "update")
_GRADIENT = re.compile(r"^_*(d|grad|delta|nabla|g_)", re.IGNORECASE)
_BIAS = re.compile(r"bias|^_*b\d*$|^_*b_", re.IGNORECASE)
_RATE = re.compile(r"^_*(learning_?rate|lr|eta|alpha)$", re.IGNORECASE)
_MOST_DEPTH = 6

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
        value = getattr(thing, name, None) if _RATE.match(name) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
    return None


# ---------------------------------------------------------------------- reading weights


def read_layers(thing: Any, *, gradients: bool = False, names: frozenset[str] | None = None) -> Found | None:
    """Weights and biases of an object, whether arrays, nested lists, or lists of neurons; None without any.

    With ``gradients`` what is called dW, grad_…, nabla_… is read in their place; with ``names``, only
    attributes with these names.
    """
    leaves = [
        (path, array)
        for path, array in _grouped(list(_leaves(thing, (), set())))
        if bool(_GRADIENT.match(_name(path))) == gradients and (names is None or _name(path) in names)
    ]
    matrices = [(path, array) for path, array in leaves if array.ndim == 2 and not _is_bias(path, array)]
    matrices.sort(key=lambda leaf: _numbered(leaf[0]))
    chain, out_in = _chained([array for _, array in matrices])
    if not chain:
        return None
    W = tuple(array.T if out_in else array for array in chain)
    leaves.sort(key=lambda leaf: _numbered(leaf[0]))
    biases = [array.ravel() for path, array in leaves if _is_bias(path, array)]
    found = frozenset(_name(path) for path, _ in leaves)
    return Found(W, _biases(biases, [w.shape[1] for w in W]), found)


def _name(path: _Path) -> str:
    """The attribute's own name: the last part that is one."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


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


def one_step(thing: Any, eta: float, seeds: Sequence[int] = (0, 1, 2)) -> list[Numbers]:
    """What one step of training does to copies of the object, for some samples.

    Raises
    ------
    ValueError
        If no usual way of calling it works; the message says what was tried.
    """
    before = read_layers(thing)
    assert before is not None
    tried: list[str] = []
    for n_rows, as_lists in ((1, True), (1, False), (7, False), (7, True)):
        for call in _calls(thing, eta):
            try:
                return [
                    _numbers_after(deepcopy(thing), before, call, n_rows, as_lists, eta, s) for s in seeds
                ]
            except Exception as error:  # his code may raise anything: try the next way
                tried.append(f"{type(error).__name__}: {error}")
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


def _numbers_after(
    thing: Any,
    before: Found,
    call: Callable[[Any, Any, Any], object],
    n_rows: int,
    as_lists: bool,
    eta: float,
    seed: int,
) -> Numbers:
    """The gradients behind one step on ``n_rows`` samples."""
    rng = np.random.default_rng(seed)
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
    if not all(np.array_equal(old, new) for old, new in zip(before.W, after.W, strict=True)):
        dW = tuple((old - new) / eta for old, new in zip(before.W, after.W, strict=True))
        moved = any(
            old is not None and new is not None and not np.array_equal(old, new)
            for old, new in zip(before.b, after.b, strict=True)
        )
        db = tuple(
            (old - new) / eta if moved and old is not None and new is not None else None
            for old, new in zip(before.b, after.b, strict=True)
        )
        return Observed(dW, db)
    kept = read_layers(thing, gradients=True)
    if kept is None or [w.shape for w in kept.W] != [w.shape for w in before.W]:
        raise ValueError("no weight moved, and no gradients were kept (dW, grad_…, nabla_…)")
    return Observed(kept.W, kept.b)

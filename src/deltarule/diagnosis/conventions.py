"""How the learner lays out arrays, and from there to our layout and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.matching import Observed
from deltarule.registry import record


@record
class Convention:
    """A layout of weights, biases and samples.

    Parameters
    ----------
    weights : "in_out" or "out_in"
        What the rows of W are: W (in, out) or (out, in).
    samples : "rows" or "columns"
    biases : "vector", "row", "column" or "shared"
        (out,), (1, out), (out, 1), or one number for each layer.
    lists : bool
        Lists of numbers, a list of weights for each neuron, in the place of arrays.
    """

    weights: str = "in_out"
    samples: str = "rows"
    biases: str = "vector"
    lists: bool = False

    def W(self, W: Array) -> Any:
        """Our W (in, out) in this layout."""
        turned = W.T.copy() if self.weights == "out_in" else W.copy()
        return turned.tolist() if self.lists else turned

    def b(self, b: Array) -> Any:
        """Our b (out,) in this layout; of a shared one the first entry."""
        if self.biases == "shared":
            return float(b[0])
        shaped = {"row": b[None, :], "column": b[:, None]}.get(self.biases, b).copy()
        return shaped.tolist() if self.lists else shaped

    def rows(self, x: Array) -> Any:
        """Samples in rows in this layout."""
        turned = x.T.copy() if self.samples == "columns" else x.copy()
        return turned.tolist() if self.lists else turned

    def __str__(self) -> str:
        kind = (
            "lists, one of weights for each neuron"
            if self.lists
            else f"W as ({self.weights.replace('_', ', ')})"
        )
        bias = {
            "vector": "biases (out,)",
            "row": "biases (1, out)",
            "column": "biases (out, 1)",
            "shared": "one bias for each layer",
        }
        return f"{kind}, samples in {self.samples}, {bias[self.biases]}"


CONVENTIONS: tuple[Convention, ...] = (
    *(
        Convention(weights, samples, biases)
        for (weights, samples), biases in product(
            [("in_out", "rows"), ("out_in", "columns"), ("out_in", "rows"), ("in_out", "columns")],
            ["vector", "row", "column", "shared"],
        )
    ),
    Convention("out_in", "rows", "vector", lists=True),
    Convention("in_out", "rows", "vector", lists=True),
)


def observed_in(
    result: Any,
    sizes: Sequence[int],
    convention: Convention,
    shared: bool = False,
    *,
    backwards: bool = False,
    n_rows: int = 0,
) -> Observed | None:
    """What somebody returned, in our layout: lists, tuples or dicts of arrays.

    From the first layer to the last, or ``backwards``; a bias gradient may also have a row for each of
    ``n_rows`` samples. None where the shapes do not fit the layers.
    """
    leaves = list(arrays_in(result))
    return _assigned(leaves[::-1] if backwards else leaves, sizes, convention, shared, n_rows)


def arrays_in(value: Any) -> Iterator[Array]:
    """The arrays inside nested lists, tuples and dicts, in order."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from arrays_in(inner)
    elif isinstance(value, list | tuple):
        matrix = _as_numbers(value)
        if matrix is not None and matrix.ndim <= 2 and not any(isinstance(v, np.ndarray) for v in value):
            yield matrix
        else:
            for inner in value:
                yield from arrays_in(inner)
    elif value is not None:
        array = _as_numbers(value)
        if array is not None:
            yield from arrays_in(list(array)) if array.ndim > 2 else [array]


def _as_numbers(value: Any) -> Array | None:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    return array if array.size else None


def _assigned(
    leaves: Sequence[Array], sizes: Sequence[int], convention: Convention, shared: bool, n_rows: int
) -> Observed | None:
    """Each array to its layer, in order: weights by their shape, biases by theirs."""
    n_layers = len(sizes) - 1
    dW: list[Array | None] = [None] * n_layers
    db: list[Array | None] = [None] * n_layers
    at_W = at_b = 0
    waiting = list(leaves)
    while waiting:
        leaf = waiting.pop(0)
        if at_W < n_layers and leaf.shape == _shape_of_W(sizes, at_W, convention):
            dW[at_W] = leaf.T if convention.weights == "out_in" else leaf
            at_W += 1
        elif shared and leaf.ndim == 1 and leaf.size == n_layers - at_b > 1:  # one number for each layer
            waiting = [*(leaf[i : i + 1] for i in range(leaf.size)), *waiting]
        elif at_b < n_layers and leaf.size == (1 if shared else sizes[at_b + 1]):
            db[at_b] = leaf.reshape(-1)
            at_b += 1
        elif at_b < n_layers and leaf.ndim == 2 and sorted(leaf.shape) == sorted((n_rows, sizes[at_b + 1])):
            db[at_b] = leaf if len(leaf) == n_rows else leaf.T  # not summed over the samples
            at_b += 1
        elif leaf.ndim == 2 and len(leaf) == n_layers - at_b > 1:  # the biases of layers of equal size
            waiting = [*leaf, *waiting]
        else:
            return None
    return Observed(tuple(dW), tuple(db)) if at_W == n_layers and at_b in (0, n_layers) else None


def _shape_of_W(sizes: Sequence[int], layer: int, convention: Convention) -> tuple[int, int]:
    n_in, n_out = sizes[layer], sizes[layer + 1]
    return (n_out, n_in) if convention.weights == "out_in" else (n_in, n_out)

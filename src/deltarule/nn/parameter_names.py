"""Names of parameters: ``w5``, ``W2[0,1]``, ``b1``, and where in the flat vector they lie.

======== =========================================================================
``W2``   all weights of layer 2; ``W2[0,1]`` the one from input 0 to neuron 1
``b2``   all biases of layer 2; ``b2[1]`` that of neuron 1
``w5``   the fifth weight, counted neuron by neuron, each neuron's inputs in order
``W b``  all weights, all biases
======== =========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError, ShapeError
from deltarule.nn.layers import Dense


def positions(layers: Sequence[Dense], name: str) -> Array:
    """Return where the parameter called ``name`` lies, in an array of its shape.

    Raises
    ------
    InputError
        If no parameter has that name.

    Examples
    --------
    >>> positions([Dense(2, 2), Dense(2, 2)], "w2")
    array(2)
    """
    match = re.fullmatch(r"([wWb])(\d{0,9})(?:\[(\d{1,9})(?:,\s*(\d{1,9}))?\])?", str(name))
    if not match:
        raise InputError(f"no parameter {name!r}: write w5, W2, W2[0,1], b2, b2[1], W or b")
    kind, number, *index = match.groups()
    key = tuple(int(i) for i in index if i is not None)
    places = _places(layers, kind)
    if not number:
        return np.concatenate([place.ravel() for place in places])
    if kind == "w":
        places = list(np.concatenate([place.T.ravel() for place in places]))
    try:
        place = places[int(number) - 1]
        if int(number) == 0 or len(key) not in (0, np.ndim(place)):
            raise IndexError
        return np.asarray(place[key])
    except IndexError:
        chain = " → ".join(str(size) for size in [layers[0].n_in, *(layer.n_out for layer in layers)])
        raise InputError(
            f"there is no parameter {name!r} in a network {chain}; layers and weights w count from 1, "
            "indices from 0"
        ) from None


def _places(layers: Sequence[Dense], kind: str) -> list[Array]:
    """The positions of each layer's weights (kind w or W) or biases (b)."""
    places, start = [], 0
    for layer in layers:
        W, b = layer.views(np.arange(start, start + layer.n_parameters))
        places.append(W if kind in "wW" else np.empty(0, int) if b is None else b)
        start += layer.n_parameters
    return places


def name_of(layers: Sequence[Dense], position: int) -> str:
    """The name of the parameter at a position of the flat vector.

    Examples
    --------
    >>> name_of([Dense(2, 2), Dense(2, 2)], 2), name_of([Dense(2, 2)], 5)
    ('W1[1,0]', 'b1[1]')
    """
    for kind in "Wb":
        for number, place in enumerate(_places(layers, kind), start=1):
            found = np.argwhere(place == position)
            if len(found):
                return parameter_name(kind, number, found[0].tolist())
    raise InputError(f"no parameter at position {position}")


def parameter_name(kind: str, layer: int, index: Sequence[int]) -> str:
    """The name of a weight (kind W) or bias (b); without an index it is the bias that the layer shares.

    Examples
    --------
    >>> parameter_name("W", 2, (0, 1)), parameter_name("b", 1, ())
    ('W2[0,1]', 'b1[0]')
    """
    return f"{kind}{layer}[{','.join(map(str, index)) or 0}]"


def named_by_layer(weights: Sequence[Any], biases: Sequence[Any] | None, n_layers: int) -> dict[str, Any]:
    """Return one value for each layer as ``{"W1": …, "b1": …}``; None is left out.

    Raises ShapeError if there is not one for each layer.
    """
    named: dict[str, Any] = {}
    for kind, values in (("W", weights), ("b", biases)):
        if values is not None and len(values) != n_layers:
            what = "weight arrays" if kind == "W" else "bias arrays"
            raise ShapeError(f"{n_layers} layers need {n_layers} {what}, got {len(values)}")
        named |= {f"{kind}{i}": v for i, v in enumerate(values or [], 1) if v is not None}
    return named


def weight_number(sizes: Sequence[int], layer: int, i: int, j: int) -> int:
    """The 5 of ``w5``: the weight from ``i`` to ``j`` in a layer, counted as above.

    Examples
    --------
    >>> weight_number([2, 2, 2], 2, 0, 0)
    5
    """
    before = sum(n_in * n_out for n_in, n_out in pairwise(sizes[:layer]))
    return before + j * sizes[layer - 1] + i + 1


def neuron_names(sizes: Sequence[int]) -> list[list[str]]:
    """The neurons of each layer: h1, h2 … on through the hidden layers, then o1, o2 …

    ``sizes`` are the number of inputs, then the number of neurons of each layer.

    Examples
    --------
    >>> neuron_names([2, 2, 1, 2])
    [['h1', 'h2'], ['h3'], ['o1', 'o2']]
    """
    names, counted = [], 0
    for size in sizes[1:-1]:
        names.append([f"h{counted + j}" for j in range(1, size + 1)])
        counted += size
    return [*names, [f"o{k}" for k in range(1, sizes[-1] + 1)]]

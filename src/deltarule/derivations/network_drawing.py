"""The drawing of a network, and of what one sample does in it.

Neurons are i1, i2 … (inputs), h1, h2 … (counted on through all hidden layers) and o1, o2 … (outputs);
weights w1, w2 … as :mod:`deltarule.nn.parameter_names` counts them. Layer 1 is the first with weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, TypeAlias

from deltarule.arrays import Array, check_whole
from deltarule.derivations.notation import Notation, Tutorial
from deltarule.derivations.quantities import Quantity
from deltarule.documents.drawing import N_TAGS, Column, Drawing, Edge, Gap, Node
from deltarule.errors import ShapeError
from deltarule.nn.layers import Gradients, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names, weight_number

__all__ = ["draw"]

_MOST_NODES = 10  # of a column that is drawn in full
_KEPT_NODES = 7  # of any other, where no tag asks for more

_Shown: TypeAlias = "list[int | Gap]"


def six_digits(value: float) -> str:
    """Six significant digits."""
    return f"{value + 0.0:.6g}"  # −0 prints as 0


def draw(
    net: Network,
    trace: Trace | None = None,
    grads: Gradients | None = None,
    Y: Any = None,
    *,
    sample: int = 0,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    number: Callable[[float], str] = six_digits,
    tags: Mapping[str, int] | None = None,
    notation: Notation | None = None,
) -> Drawing:
    """The drawing of a network, and of what one sample does in it.

    Of a layer with more than 10 neurons some are left out: never those with a tag, nor the last.

    Parameters
    ----------
    net : Network
    trace, grads : Trace, Gradients, optional
        What :meth:`Network.forward` and :meth:`Network.backward` returned: net and out, and δ.
    Y : array-like, (n_samples, n_outputs), optional
        Targets, as :meth:`Network.backward` takes them.
    sample : int
        The row of X and Y, counted from 0.
    inputs, outputs : sequence of str, optional
        Names of the inputs instead of i1, i2 …, of the outputs instead of o1, o2 …
    number : callable
        How numbers are printed.
    tags : mapping, optional
        Colours 0 … 7 by name: ``{"h1": 0, "w5": 1}``; inputs are i1, i2 … here, a bias that layer 2 shares
        is b2. Other names are of no matter.
    notation : Notation, optional
        How neurons, weights and values are called; as in the tutorials where not given.

    Raises
    ------
    ShapeError, InputError
        If an argument does not fit the network.

    Examples
    --------
    >>> net = Network([2, 1], initializer="zeros")
    >>> drawing = draw(net, net.forward([[0.5, 2.0]]))
    >>> drawing.columns[0].nodes[1], drawing.edges[1].name
    (Node(name='i2', values=(('x', '2'),), tag=None), 'w2')
    """
    tags = dict(tags or {})
    notation = notation or Tutorial(net)
    for name, tag in tags.items():
        check_whole(f"the tag of {name}", tag, 0, N_TAGS - 1)
    wanted = [place for name in tags for place in _places(net.sizes, name)]
    shown = [
        _shown(size, {index for at, index in wanted if at == column}) for column, size in enumerate(net.sizes)
    ]
    vectors = _vectors(net, trace, grads, Y, sample)
    keys = [[f"i{index}" for index in range(1, net.sizes[0] + 1)], *neuron_names(net.sizes)]
    named = {
        column: _given_names(what, keys[column], given)
        for column, what, given in ((0, "input", inputs), (len(net.layers), "output", outputs))
        if given is not None
    }

    def node(column: int, index: int) -> Node:
        values = tuple(
            (notation.values.get(label, label), number(float(vector[index])))
            for label, vector in vectors[column].items()
        )
        name = named[column][index] if column in named else notation.label(column, index)
        return Node(name, values, tags.get(keys[column][index]))

    columns = tuple(
        Column(
            f"layer {column}" if column else "inputs",
            net.layers[column - 1].activation.name if column else "",
            tuple(item if isinstance(item, Gap) else node(column, item) for item in items),
            _shared_bias(net, column, notation, number, tags) if column else None,
        )
        for column, items in enumerate(shown)
    )
    return Drawing(columns, tuple(_edges(net, shown, notation, number, tags)), _caption(columns))


def _given_names(what: str, numbered: Sequence[str], given: Sequence[str]) -> Sequence[str]:
    """The names that are given; where one is blank, i1, i2 … or o1, o2 …"""
    if len(given) != len(numbered):
        raise ShapeError(f"{what}s must be {len(numbered)} names, one for each {what}, got {len(given)}")
    return [str(name) if str(name).strip() else number for name, number in zip(given, numbered, strict=True)]


def _places(sizes: Sequence[int], name: str) -> list[tuple[int, int]]:
    """The neurons, as (column, index), without which what has this name cannot be drawn."""
    match = re.fullmatch(r"([ihow])([1-9][0-9]{0,17})", name)
    if not match:
        return []
    kind, number = match[1], int(match[2]) - 1
    first, counts = {
        "i": (0, sizes[:1]),
        "h": (1, sizes[1:-1]),
        "o": (len(sizes) - 1, sizes[-1:]),
        "w": (0, [n_in * n_out for n_in, n_out in pairwise(sizes)]),
    }[kind]
    for column, count in enumerate(counts, start=first):
        if number < count:
            target, source = divmod(number, sizes[column])
            return [(column, source), (column + 1, target)] if kind == "w" else [(column, number)]
        number -= count
    return []


def _shown(size: int, wanted: Collection[int]) -> _Shown:
    """The neurons of a column that are drawn, and the gaps between them."""
    if size <= _MOST_NODES:
        return list(range(size))
    kept = {*wanted, size - 1}
    others = (index for index in range(size) if index not in kept)
    kept |= set(islice(others, max(0, _KEPT_NODES - len(kept))))
    items: _Shown = []
    for before, index in pairwise([-1, *sorted(kept)]):
        if index - before > 1:
            items.append(Gap(index - before - 1))
        items.append(index)
    return items


def _vectors(
    net: Network, trace: Trace | None, grads: Gradients | None, Y: Any, sample: int
) -> list[dict[str, Array]]:
    """For each column what is known of its neurons, by label."""
    vectors: list[dict[str, Array]] = [{} for _ in net.sizes]
    for column, layer in zip(vectors[1:], net.layers, strict=True):
        if layer.b is not None and layer.dense.bias == "neuron":
            column["b"] = layer.b
    if trace is not None:
        _check_fit(net, "trace", [of_layer.z for of_layer in trace], sample)
        vectors[0]["x"] = trace[0].dense_x[sample]
        for column, forward in zip(vectors[1:], trace, strict=True):
            column |= {"net": forward.z[sample], "out": forward.a[sample]}
    if Y is not None:
        y, _ = net.targets(Y, None, len(Y) if trace is None else len(trace.output))
        check_whole("sample", sample, 0, len(y) - 1)
        vectors[-1]["y"] = y[sample]
    if grads is not None:
        _check_fit(net, "grads", [of_layer.delta for of_layer in grads], sample)
        for column, backward in zip(vectors[1:], grads, strict=True):
            column["δ"] = backward.delta[sample]
    return vectors


def _check_fit(net: Network, name: str, arrays: Sequence[Array], sample: int) -> None:
    got = [array.shape[1] for array in arrays]
    if got != net.sizes[1:]:
        raise ShapeError(
            f"{name} must be of this network, with layers of {net.sizes[1:]} neurons, got layers of {got}"
        )
    check_whole("sample", sample, 0, len(arrays[0]) - 1)


def _shared_bias(
    net: Network, layer: int, notation: Notation, number: Callable[[float], str], tags: Mapping[str, int]
) -> Node | None:
    b = net.layers[layer - 1].b
    if b is None or net.layers[layer - 1].dense.bias != "shared":
        return None
    name = str(notation.of(Quantity("b", layer)))
    return Node(name, ((name, number(float(b[0]))),), tags.get(f"b{layer}"))


def _edges(
    net: Network,
    shown: Sequence[_Shown],
    notation: Notation,
    number: Callable[[float], str],
    tags: Mapping[str, int],
) -> Iterator[Edge]:
    for layer, (W, (sources, targets)) in enumerate(
        zip((layer.W for layer in net.layers), pairwise(shown), strict=True), start=1
    ):
        for target, neuron in _drawn(targets):
            for source, before in _drawn(sources):
                name = str(notation.of(Quantity("W", layer, (before, neuron))))
                weight, key = float(W[before, neuron]), weight_number(net.sizes, layer, before, neuron)
                yield Edge(layer, source, target, name, weight, number(weight), tags.get(f"w{key}"))


def _drawn(items: _Shown) -> list[tuple[int, int]]:
    """Place in the column and index in the layer of each neuron that is drawn."""
    return [(place, item) for place, item in enumerate(items) if isinstance(item, int)]


def _caption(columns: Sequence[Column]) -> str:
    """What was left out, in words."""
    cut = [column for column in columns if column.n_left_out]
    if not cut:
        return ""
    if len(cut) > 4:
        n_left_out, n_all = sum(column.n_left_out for column in cut), sum(column.size for column in columns)
        return f"Left out: {n_left_out:,} of {n_all:,} inputs and neurons."
    left_out = ", ".join(
        f"{column.n_left_out:,} of {column.size:,} {'in ' if column.activation else ''}{column.name}"
        for column in cut
    )
    return f"Left out: {left_out}."

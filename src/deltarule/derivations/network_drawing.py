"""The drawing of a network, and of what one sample does in it.

Neurons are i1, i2 … (inputs), h1, h2 … (counted on through all hidden layers) and o1, o2 … (outputs);
weights w1, w2 … as :mod:`deltarule.nn.parameter_names` counts them. Layer 1 is the first with weights.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, pairwise, product
from typing import Any, TypeAlias

from deltarule.arrays import Array, check_whole
from deltarule.derivations.notation import Notation, TutorialNotation
from deltarule.derivations.quantities import Quantity
from deltarule.documents.drawing import N_TAGS, Drawing, Edge, Gap, NeuronColumn, Node
from deltarule.errors import ShapeError
from deltarule.nn.layers import Gradients, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names, weight_number

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
    cells: Sequence[str] = (),
    number: Callable[[float], str] = six_digits,
    tags: Mapping[str, int] | None = None,
    notation: Notation | None = None,
    routes: Sequence[Sequence[tuple[int, int]]] = (),
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
    cells : sequence of str, optional
        The raw cell that each input was made of; "" for none.
    number : callable
        How numbers are printed.
    tags : mapping, optional
        Colours 0 … 7 by name: ``{"h1": 0, "w5": 1}``; inputs are i1, i2 … here, a bias that layer 2 shares
        is b2. Other names are of no matter.
    notation : Notation, optional
        How neurons, weights and values are called; as in the tutorials where not given.
    routes : sequence
        Paths to the loss, each the neurons on it as (layer, index).

    Raises
    ------
    ShapeError, InputError
        If an argument does not fit the network.

    Examples
    --------
    >>> net = Network([2, 1], initializer="zeros")
    >>> drawing = draw(net, net.forward([[0.5, 2.0]]))
    >>> drawing.columns[0].nodes[1], drawing.edges[1].name
    (Node(name='i2', values=(('x', '2'),), tag=None, paths=()), 'w2')
    """
    tags = dict(tags or {})
    for name, tag in tags.items():
        check_whole(f"the tag of {name}", tag, 0, N_TAGS - 1)
    vectors = _known_values(net, trace, grads, Y, sample)
    notation = notation or TutorialNotation(net)
    parts = _DrawnNetwork(net, vectors, inputs, outputs, cells, number, tags, notation, routes)
    columns = tuple(parts.columns())
    return Drawing(columns, tuple(parts.edges()), _caption(columns))


class _DrawnNetwork:
    """The columns and edges of a drawing, with what is known of the neurons of each column by label."""

    def __init__(
        self,
        net: Network,
        vectors: Sequence[Mapping[str, Array]],
        inputs: Sequence[str] | None,
        outputs: Sequence[str] | None,
        cells: Sequence[str],
        number: Callable[[float], str],
        tags: Mapping[str, int],
        notation: Notation,
        routes: Sequence[Sequence[tuple[int, int]]],
    ) -> None:
        self.routes = [frozenset(route) for route in routes]
        self.net, self.vectors, self.number, self.tags, self.notation = net, vectors, number, tags, notation
        self.cells = cells
        self.keys = [[f"i{index}" for index in range(1, net.sizes[0] + 1)], *neuron_names(net.sizes)]
        wanted = [place for name in tags for place in self._neurons_needed(name)]
        self.shown = [
            _shown_neurons(size, {index for at, index in wanted if at == column})
            for column, size in enumerate(net.sizes)
        ]
        self.named = {
            column: _given_names(what, self.keys[column], given)
            for column, what, given in ((0, "input", inputs), (len(net.layers), "output", outputs))
            if given is not None
        }

    def _neurons_needed(self, name: str) -> list[tuple[int, int]]:
        """The neurons, as (column, index), without which what has this name cannot be drawn."""
        for column, keys in enumerate(self.keys):
            if name in keys:
                return [(column, keys.index(name))]
        number = int(name[1:]) - 1 if re.fullmatch(r"w[1-9][0-9]{0,17}", name) else math.inf
        for column, (n_in, n_out) in enumerate(pairwise(self.net.sizes)):
            if number < n_in * n_out:
                target, source = divmod(int(number), n_in)
                return [(column, source), (column + 1, target)]
            number -= n_in * n_out
        return []

    def columns(self) -> Iterator[NeuronColumn]:
        """The inputs, then each layer."""
        for column, items in enumerate(self.shown):
            nodes = tuple(item if isinstance(item, Gap) else self._node(column, item) for item in items)
            if column == 0:
                yield NeuronColumn("inputs", "", nodes)
            else:
                activation = self.net.layers[column - 1].activation.name
                yield NeuronColumn(f"layer {column}", activation, nodes, self._shared_bias(column))

    def _node(self, column: int, index: int) -> Node:
        values = tuple(
            (self.notation.values.get(label, label), self.number(float(vector[index])))
            for label, vector in self.vectors[column].items()
        )
        if column == 0 and index < len(self.cells) and self.cells[index]:
            values = (("cell", self.cells[index]), *values)
        names = self.named.get(column)
        name = names[index] if names else self.notation.label(column, index)
        return Node(name, values, self.tags.get(self.keys[column][index]), self._paths_by((column, index)))

    def _paths_by(self, *neurons: tuple[int, int]) -> tuple[int, ...]:
        """The paths on which all these neurons lie."""
        return tuple(number for number, route in enumerate(self.routes) if route.issuperset(neurons))

    def _shared_bias(self, layer: int) -> Node | None:
        b = self.net.layers[layer - 1].b
        if b is None or self.net.layers[layer - 1].dense.bias == "neuron":
            return None
        name = str(self.notation.of(Quantity("b", layer)))
        return Node(name, ((name, self.number(float(b[0]))),), self.tags.get(f"b{layer}"))

    def edges(self) -> Iterator[Edge]:
        """The weights between neurons that are drawn."""
        for layer, (sources, targets) in enumerate(pairwise(self.shown), start=1):
            W = self.net.layers[layer - 1].W
            for (target, j), (source, i) in product(_drawn_neurons(targets), _drawn_neurons(sources)):
                name, weight = str(self.notation.of(Quantity("W", layer, (i, j)))), float(W[i, j])
                tag = self.tags.get(f"w{weight_number(self.net.sizes, layer, i, j)}")
                paths = self._paths_by((layer - 1, i), (layer, j))
                yield Edge(layer, source, target, name, weight, self.number(weight), tag, paths)


def _given_names(what: str, numbered: Sequence[str], given: Sequence[str]) -> Sequence[str]:
    """The names that are given; where one is blank, i1, i2 … or o1, o2 …"""
    if len(given) != len(numbered):
        raise ShapeError(f"{what}s must be {len(numbered)} names, one for each {what}, got {len(given)}")
    return [str(name) if str(name).strip() else number for name, number in zip(given, numbered, strict=True)]


def _shown_neurons(size: int, wanted: Collection[int]) -> _Shown:
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


def _known_values(
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


def _drawn_neurons(items: _Shown) -> list[tuple[int, int]]:
    """Place in the column and index in the layer of each neuron that is drawn."""
    return [(place, item) for place, item in enumerate(items) if isinstance(item, int)]


def _caption(columns: Sequence[NeuronColumn]) -> str:
    """What was left out, in words."""
    cut = [column for column in columns if column.n_left_out]
    if not cut:
        return ""
    if len(cut) > 4:
        n_left_out, n_all = sum(column.n_left_out for column in cut), sum(column.size for column in columns)
        return f"Left out: {n_left_out:,} of {n_all:,} inputs and neurons."
    names = [f"{'in ' if column.activation else ''}{column.name}" for column in cut]
    counts = (f"{column.n_left_out:,} of {column.size:,}" for column in cut)
    return f"Left out: {', '.join(map(' '.join, zip(counts, names, strict=True)))}."

"""What can be asked for, by name: ``w5``, ``W2[0,1]``, ``net_h1``, ``delta2[1]``, ``loss``, ``all``."""

from __future__ import annotations

import re
from itertools import chain

from deltarule.derivations.quantities import Quantity
from deltarule.errors import InputError
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.registry import did_you_mean, record

PARTS = ("forward", "loss", "backward", "update", "all")

_EXAMPLES = "w5, W2[0,1], b1, net_h1, out_o1, delta_h1, z2[1], a1[0], delta2[1], W2, layer2"


@record
class Target:
    """One thing to derive.

    Parameters
    ----------
    kind : str
        "W" or "b" (the gradient of a parameter), "z", "a", "delta"; "layer"; or a part of the pass.
    layer : int
        From 1; 0 where there is none.
    index : tuple of int
        Weight (from, to) or neuron; empty for a shared bias, and where ``whole`` is meant.
    whole : bool
        Whether all of the layer is meant, as a matrix.
    tutorial : bool
        Whether it was named as tutorials do.
    """

    kind: str
    layer: int = 0
    index: tuple[int, ...] = ()
    whole: bool = False
    tutorial: bool = False

    @property
    def parameter(self) -> Quantity | None:
        """The weight or bias that is meant, if it is one."""
        is_one = self.kind in ("W", "b") and not self.whole
        return Quantity(self.kind, self.layer, self.index) if is_one else None


def parse_targets(net: Network, what: str) -> list[Target]:
    """The targets that a name stands for.

    Raises
    ------
    InputError
        If it stands for none.

    Examples
    --------
    >>> net = Network([2, 2, 2])
    >>> parse_targets(net, "net_h2")
    [Target(kind='z', layer=1, index=(1,), whole=False, tutorial=True)]
    >>> parse_targets(net, "W2[0,1]")
    [Target(kind='W', layer=2, index=(0, 1), whole=False, tutorial=False)]
    """
    name = str(what).strip()
    if name in PARTS:
        return [Target(part) for part in (PARTS[:-1] if name == "all" else [name])]
    if name in ("E", "L", "cost"):
        return [Target("loss", tutorial=name == "E")]
    for reader in (_neuron_by_name, _by_layer, _parameters):
        found = reader(net, name)
        if found:
            return found
    raise InputError(f"nothing called {name!r} to explain{did_you_mean(name, PARTS)}; or {_EXAMPLES}")


_KINDS = {"net": "z", "z": "z", "out": "a", "a": "a", "delta": "delta", "δ": "delta", "b": "b"}


def _neuron_by_name(net: Network, name: str) -> list[Target]:
    """``net_h1``, ``out_o2``, ``delta_h1``, ``b_o1``."""
    kind, _, neuron = name.partition("_")
    if not neuron or kind not in _KINDS:
        return []
    for layer, names in enumerate(neuron_names(net.sizes), start=1):
        if neuron in names:
            index = (names.index(neuron),)
            shared = kind == "b" and net.layers[layer - 1].dense.bias == "shared"
            return [Target(_KINDS[kind], layer, () if shared else index, tutorial=True)]
    *hidden, outputs = neuron_names(net.sizes)
    spans = [  # h1 to h5, o1 to o3
        f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
        for names in (list(chain.from_iterable(hidden)), outputs)
        if names
    ]
    raise InputError(f"no neuron {neuron!r}: {net!r} has {', '.join(spans)}")


def _by_layer(net: Network, name: str) -> list[Target]:
    """``z2[1]``, ``a1``, ``delta2[0]``, ``layer2``."""
    match = re.fullmatch(r"(z|a|delta|δ|layer) ?(\d{1,6})(?:\[(\d{1,9})\])?", name)
    if not match:
        return []
    kind, layer, index = _KINDS.get(match[1], match[1]), int(match[2]), match[3]
    if not 1 <= layer <= len(net.layers):
        raise InputError(f"no layer {layer} in {name!r}: {net!r} has layers 1 to {len(net.layers)}")
    if index is None:
        return [Target(kind, layer, whole=True)]
    if kind == "layer" or int(index) >= net.sizes[layer]:
        raise InputError(f"no {name!r}: layer {layer} has neurons 0 to {net.sizes[layer] - 1}")
    return [Target(kind, layer, (int(index),))]


def _parameters(net: Network, name: str) -> list[Target]:
    """``w5``, ``W2[0,1]``, ``b1``, ``W2``, ``W``: what :meth:`Network.select` knows."""
    if not re.match(r"[wWb](\d|\[|$)", name):
        return []
    places = net.select(name)
    if places.ndim == 0:
        return [_parameter(net, int(places), tutorial=name[0] == "w")]
    if name in ("W", "b"):
        return [Target(name, layer, whole=True) for layer in range(1, len(net.layers) + 1)]
    if places.size == 1 and name[0] == "b":
        return [_parameter(net, int(places[0]), tutorial=True)]
    if places.size == 0:
        raise InputError(f"no {name!r}: layer {name[1:]} has no bias")
    return [Target(name[0], int(name[1:].partition("[")[0]), whole=True)]


def _parameter(net: Network, position: int, tutorial: bool) -> Target:
    match = re.fullmatch(r"([Wb])(\d+)\[([\d,]+)\]", net.name_of(position))
    assert match is not None
    kind, layer, index = match[1], int(match[2]), tuple(int(i) for i in match[3].split(","))
    if kind == "b" and net.layers[layer - 1].dense.bias == "shared":
        index = ()
    return Target(kind, layer, index, tutorial=tutorial)

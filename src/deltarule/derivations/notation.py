"""Three ways to name the quantities of a network: matrix (ours), tutorial (neuron by neuron), column vectors.

============== ============= ======================== =====================
quantity       matrix        tutorial                 column
============== ============= ======================== =====================
weight         W2[0,1]       w7                       w²₂₁ (to, from)
bias           b2[1]         b_o2, or b2 if shared    b²₂
weighted input z2[1]         net_o2                   z²₂
output         a2[1]         out_o2                   a²₂
input          x[0]          i1                       a⁰₁
target         y[1]          y_o2                     y₂
delta          δ2[1]         δ_o2                     δ²₂
loss           L             E                        C
============== ============= ======================== =====================

Matrix notation counts neurons and samples from 0, as arrays do; the others count from 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.errors import InputError
from deltarule.formula.tree import Expr, Partial, Symbol, Words
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import weight_number
from deltarule.registry import did_you_mean

__all__ = [
    "NOTATIONS",
    "ColumnNotation",
    "MatrixNotation",
    "Notation",
    "TutorialNotation",
    "notation_by_name",
]


class Notation(ABC):
    """How quantities are named.

    Parameters
    ----------
    net : Network
    inputs : sequence of str, optional
        Names of the inputs, any text; where none are given they are numbered.
    n_samples : int
        A single sample needs no number.
    cost_is_loss : bool
        Whether the cost is just the loss of that sample.
    """

    name: str
    values: Mapping[str, str] = {"net": "z", "out": "a"}

    def __init__(
        self, net: Network, inputs: Sequence[str] | None = None, n_samples: int = 1, cost_is_loss: bool = True
    ) -> None:
        self.sizes, self.inputs = net.sizes, inputs
        self.n_samples, self.cost_is_loss = n_samples, cost_is_loss

    def write(self, formula: Expr) -> Expr:
        """The formula with a name for each quantity in it."""
        return formula.replace(self._symbol)

    def _symbol(self, leaf: Expr) -> Expr | None:
        if isinstance(leaf, Rate):
            return Partial(self.of(leaf.top), self.of(leaf.by))
        if isinstance(leaf, Path):
            return self._path(leaf)
        return self.of(leaf) if isinstance(leaf, Quantity) else None

    def _path(self, path: Path) -> Expr:
        """∂E_o1/∂out_h1 where it leads straight to an output; else its neurons: h1 → h3 → o1."""
        (layer, index), *_, (last, output) = path.neurons
        if len(path.neurons) == 2 and self.cost_is_loss:
            first = Quantity("a", layer, (index,), path.sample)
            return Partial(self.of(Quantity("term", last, (output,))), self.of(first))
        return Words(f"({self.route(path)})")

    def route(self, path: Path) -> str:
        """The neurons of a path: h1 → h3 → o1."""
        return " → ".join(str(self.neuron(layer, index)) for layer, index in path.neurons)

    def of(self, q: Quantity) -> Expr:
        """The symbol of a quantity."""
        if q.kind == "L" or (q.kind == "E" and self.cost_is_loss):
            return self.cost
        if q.kind == "penalty":
            return Symbol("R", str(q.index[0]))
        return self._names(q)

    @property
    @abstractmethod
    def cost(self) -> Symbol:
        """What training makes small."""

    @abstractmethod
    def label(self, layer: int, index: int) -> str:
        """What a neuron, or an input, is called in a picture; its layer is seen."""

    def sample(self, index: int) -> str:
        """What a sample is called: they count from 1."""
        return str(index + 1)

    @abstractmethod
    def _names(self, q: Quantity) -> Expr: ...

    @abstractmethod
    def neuron(self, layer: int, index: int) -> Expr:
        """What a neuron, or an input, is called in running text."""


class MatrixNotation(Notation):
    """``W2[0,1]``, ``z2[1]``, ``a2[1]``: arrays, as code has them."""

    name = "matrix"
    cost = Symbol("L")

    def _names(self, q: Quantity) -> Expr:
        sample = [q.sample] if self.n_samples > 1 and q.kind not in ("W", "b", "new") else []
        index = ",".join(map(str, [*sample, *q.index]))
        if q.kind == "a" and q.layer == 0:
            return self._input(q, index)
        base = {"term": "E", "delta": "δ", "mask": "m", "new": "W" if len(q.index) == 2 else "b"}.get(
            q.kind, q.kind
        )
        layer = "" if q.kind in ("term", "E", "y") else str(q.layer)
        return Symbol(base, layer, index=index)

    def label(self, layer: int, index: int) -> str:
        return str(index)

    def sample(self, index: int) -> str:
        """They count from 0, as rows do."""
        return str(index)

    def _input(self, q: Quantity, index: str) -> Symbol:
        """x[0], or the name of the feature."""
        if not self.inputs:
            return Symbol("x", index=index)
        return Symbol(self.inputs[q.index[0]], index=str(q.sample) if self.n_samples > 1 else "")

    def neuron(self, layer: int, index: int) -> Expr:
        return Symbol("a", str(layer), index=str(index)) if layer else self.of(Quantity("a", 0, (index,)))


class TutorialNotation(Notation):
    """``w5``, ``net_h1``, ``out_o2``: neuron by neuron, as hand calculations name them."""

    name = "tutorial"
    values: Mapping[str, str] = {}

    @property
    def cost(self) -> Symbol:
        return Symbol("E") if self.cost_is_loss else Symbol("L")

    def label(self, layer: int, index: int) -> str:
        """i1, i2 …; h1, h2 … on through the hidden layers; o1, o2 … for the outputs."""
        if layer == 0:
            return f"i{index + 1}"
        if layer == len(self.sizes) - 1:
            return f"o{index + 1}"
        return f"h{sum(self.sizes[1:layer]) + index + 1}"

    def _names(self, q: Quantity) -> Expr:
        if q.kind == "W":
            return Symbol("w", str(weight_number(self.sizes, q.layer, *q.index)))
        if q.kind == "b":
            return Symbol("b", self.label(q.layer, q.index[0]) if q.index else str(q.layer))
        sup = f"({q.sample + 1})" if self.n_samples > 1 else ""
        if q.kind == "E":
            return Symbol("E", "", sup)
        if q.kind == "a" and q.layer == 0:
            return self._input(q.index[0], sup)
        if q.kind in ("x", "mask"):
            return Symbol("in" if q.kind == "x" else "m", self.label(q.layer - 1, q.index[0]), sup)
        base = {"z": "net", "a": "out", "term": "E", "delta": "δ", "y": "y"}[q.kind]
        return Symbol(base, self.label(q.layer, q.index[0]), sup)

    def _input(self, index: int, sup: str) -> Expr:
        return Symbol(self.inputs[index], "", sup) if self.inputs else Symbol("i", str(index + 1), sup)

    def neuron(self, layer: int, index: int) -> Expr:
        if layer == 0:
            return self._input(index, "")
        name = self.label(layer, index)
        return Symbol(name[0], name[1:])


class ColumnNotation(Notation):
    """``w²₂₁`` to 2 from 1 of layer 2: one column for each sample, as mathematical texts have it."""

    name = "column"
    cost = Symbol("C")

    def _names(self, q: Quantity) -> Expr:
        if q.kind == "W":
            i, j = q.index
            separator = "," if max(i, j) >= 9 else ""
            return Symbol("w", f"{j + 1}{separator}{i + 1}", str(q.layer))
        sample = f"({q.sample + 1})" if self.n_samples > 1 else ""
        sub = "".join(str(i + 1) for i in q.index)
        if q.kind == "b":
            return Symbol("b", sub, str(q.layer))
        if q.kind in ("E", "term"):
            return Symbol("C", sub, sample)
        if q.kind == "y":
            return Symbol("y", sub, sample)
        base = {"delta": "δ", "mask": "m"}.get(q.kind, q.kind)
        return Symbol(base, sub, f"{q.layer},{sample}" if sample else str(q.layer))

    def label(self, layer: int, index: int) -> str:
        return str(index + 1)

    def neuron(self, layer: int, index: int) -> Expr:
        return Symbol("a", str(index + 1), str(layer))


NOTATIONS: dict[str, type[Notation]] = {
    kind.name: kind for kind in (MatrixNotation, TutorialNotation, ColumnNotation)
}


def notation_by_name(name: str) -> type[Notation]:
    """The notation called ``name``.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in NOTATIONS:
        raise InputError(f"unknown notation {name!r}{did_you_mean(str(name), NOTATIONS)}")
    return NOTATIONS[name]

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
from deltarule.formula.tree import Expr, Partial, Symbol, Words
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import weight_number


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
    first = 1  # number of the first neuron, and of the first sample
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
            (layer, index), *_, (last, output) = leaf.neurons
            if len(leaf.neurons) == 2 and self.cost_is_loss:
                first = Quantity("a", layer, (index,), leaf.sample)
                return Partial(self.of(Quantity("term", last, (output,))), self.of(first))
            return Words(f"({self.route(leaf)})")
        return self.of(leaf) if isinstance(leaf, Quantity) else None

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

    def label(self, layer: int, index: int) -> str:
        """What a neuron, or an input, is called in a picture; its layer is seen."""
        return str(self.first + index)

    def general(self, formula: Expr) -> Expr:
        """A formula over any neuron's z and a, in the notation's letters."""
        return formula

    def sample(self, index: int) -> str:
        """What a sample is called."""
        return str(self.first + index)

    @abstractmethod
    def _names(self, q: Quantity) -> Expr: ...

    @abstractmethod
    def neuron(self, layer: int, index: int) -> Expr:
        """What a neuron, or an input, is called in running text."""


class MatrixNotation(Notation):
    """``W2[0,1]``, ``z2[1]``, ``a2[1]``: arrays, as code has them."""

    name = "matrix"
    first = 0
    cost = Symbol("L")

    def _names(self, q: Quantity) -> Expr:
        sample = str(q.sample) if self.n_samples > 1 and q.kind not in ("W", "b") else ""
        index = ",".join([*filter(None, [sample]), *map(str, q.index)])
        if q.kind == "a" and q.layer == 0:
            return Symbol(self.inputs[q.index[0]], index=sample) if self.inputs else Symbol("x", index=index)
        loss = "L" if self.cost_is_loss else "E"
        base = {"term": loss, "delta": "δ", "mask": "m"}.get(q.kind, q.kind)
        return Symbol(base, "" if q.kind in ("term", "E", "y") else str(q.layer), index=index)

    def neuron(self, layer: int, index: int) -> Expr:
        return Symbol("a", str(layer), index=str(index)) if layer else self.of(Quantity("a", 0, (index,)))


class TutorialNotation(Notation):
    """``w5``, ``net_h1``, ``out_o2``: neuron by neuron, as hand calculations name them."""

    name = "tutorial"
    values: Mapping[str, str] = {}

    @property
    def cost(self) -> Symbol:
        return Symbol("E") if self.cost_is_loss else Symbol("L")

    def general(self, formula: Expr) -> Expr:
        """Over net and out."""
        letters = {"z": "net", "a": "out"}
        return formula.replace(
            lambda part: (
                Symbol(letters[part.base], part.sub)
                if isinstance(part, Symbol) and part.base in letters
                else None
            )
        )

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
            return self.neuron(0, q.index[0], sup)
        before = q.kind in ("x", "mask")  # called by the neuron they come from
        base = {"z": "net", "a": "out", "x": "in", "mask": "m", "term": "E", "delta": "δ", "y": "y"}[q.kind]
        return Symbol(base, self.label(q.layer - before, q.index[0]), sup)

    def neuron(self, layer: int, index: int, sup: str = "") -> Expr:
        if layer == 0 and self.inputs:
            return Symbol(self.inputs[index], "", sup)
        name = self.label(layer, index)
        return Symbol(name[0], name[1:], sup)


class ColumnNotation(Notation):
    """``w²₂₁`` to 2 from 1 of layer 2: one column for each sample, as mathematical texts have it."""

    name = "column"
    cost = Symbol("C")

    def _names(self, q: Quantity) -> Expr:
        if q.kind == "W":
            i, j = q.index
            separator = "," if max(i, j) >= 9 else ""
            return Symbol("w", f"{j + 1}{separator}{i + 1}", str(q.layer))
        sample = f"({q.sample + 1})" if self.n_samples > 1 and q.kind != "b" else ""
        layer = "" if q.kind in ("E", "term", "y") else str(q.layer)
        base = {"delta": "δ", "mask": "m", "E": "C", "term": "C"}.get(q.kind, q.kind)
        sub = "".join(str(i + 1) for i in q.index)
        return Symbol(base, sub, ",".join(filter(None, [layer, sample])))

    def neuron(self, layer: int, index: int) -> Expr:
        return Symbol("a", str(index + 1), str(layer))


NOTATIONS: dict[str, type[Notation]] = {
    kind.name: kind for kind in (MatrixNotation, TutorialNotation, ColumnNotation)
}

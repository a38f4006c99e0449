"""Each quantity's formula, over the quantities one step before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain, pairwise

from deltarule.derivations.evidence import Evidence
from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.formula.tree import Choice, Expr, Mul, Number, Symbol, Total, Words, total
from deltarule.nn.objective import PENALTIES, Penalty

_ALL = Words("Σ|W|"), Words("ΣW²")


class Definitions:
    """What the quantities of a pass are computed from; one without a formula is given.

    Of the evidence it reads which network, how many samples, where dropout was at work; no number is
    read.
    """

    most_written: float = 60  # parameters: of a larger network a penalty is not written out

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.net = evidence, evidence.net
        self._last, self._outputs = evidence.n_layers, range(evidence.net.sizes[-1])

    def __call__(self, leaf: Expr) -> Expr | None:
        """The formula of a quantity or a rate; None for what is given."""
        if isinstance(leaf, Rate):
            return self._rates[leaf.top.kind, leaf.by.kind](leaf.top, leaf.by)
        if isinstance(leaf, Path):
            return Mul(tuple(self.path_factors(leaf)))
        assert isinstance(leaf, Quantity), leaf
        formula = self._quantities.get(leaf.kind)
        return None if formula is None or (leaf.kind == "a" and leaf.layer == 0) else formula(leaf)

    # ------------------------------------------------------------------ forward

    @cached_property
    def _quantities(self) -> dict[str, Callable[[Quantity], Expr]]:
        return {
            "x": lambda q: (
                Quantity("mask", q.layer, q.index, q.sample) * Quantity("a", q.layer - 1, q.index, q.sample)
            ),
            "z": self._z,
            "a": self._a,
            "term": lambda q: self._of_output(self.net.loss.formula, q),
            "E": lambda q: total([Quantity("term", self._last, (k,), q.sample) for k in self._outputs]),
            "L": self._cost,
            "penalty": self._penalty,
            "delta": self._delta,
        }

    def input(self, layer: int, index: int, sample: int) -> Quantity:
        """What a layer takes in: the output of the neuron before, after dropout where there is any."""
        if self.evidence.has_mask(layer):
            return Quantity("x", layer, (index,), sample)
        return Quantity("a", layer - 1, (index,), sample)

    def bias(self, layer: int, neuron: int) -> Quantity | None:
        """The bias of a neuron, which may be its layer's."""
        dense = self.evidence.layer(layer).dense
        if dense.bias == "none":
            return None
        return Quantity("b", layer, () if dense.bias == "shared" else (neuron,))

    def biases(self) -> Iterator[Quantity]:
        """Every bias, layer after layer."""
        for number, layer in enumerate(self.net.layers, start=1):
            for j in range(layer.dense.n_biases):
                yield Quantity("b", number, () if layer.dense.bias == "shared" else (j,))

    def parameters(self) -> Iterator[Quantity]:
        """Every parameter in the order of the tutorials: weights neuron by neuron, then biases."""
        return chain(self.weights(), self.biases())

    @cached_property
    def positions(self) -> dict[Quantity, int]:
        """Every parameter, in that order, and where it lies in the flat vector."""
        return {p: self.evidence.position(p) for p in self.parameters()}

    @cached_property
    def trained(self) -> list[Quantity]:
        """The parameters that are not frozen."""
        frozen = set(self.net.frozen.tolist())
        return [p for p, position in self.positions.items() if position not in frozen]

    def _z(self, q: Quantity) -> Expr:
        (j,) = q.index
        n_in = self.evidence.layer(q.layer).dense.n_in
        terms = [Quantity("W", q.layer, (i, j)) * self.input(q.layer, i, q.sample) for i in range(n_in)]
        bias = self.bias(q.layer, j)
        return total([*terms, bias] if bias else terms)

    def _a(self, q: Quantity) -> Expr:
        activation = self.evidence.layer(q.layer).activation
        return self._elementwise(activation.formula, q, q.index[0])

    def _elementwise(self, formula: Expr, of: Quantity, j: int) -> Expr:
        """An activation's formula for a neuron k (and j, in a Jacobian), with the layer's z and a in it."""
        (k,) = of.index

        def neuron(name: str, m: int) -> Expr:
            return Quantity(name, of.layer, (m,), of.sample)

        return _indexed(formula, {"": k, "k": k, "j": j}, self.net.sizes[of.layer], neuron)

    # ------------------------------------------------------------------ loss

    def _of_output(self, formula: Expr, q: Quantity) -> Expr:
        leaves: dict[Expr, Expr] = {Symbol("K"): Number(len(self._outputs))}
        leaves |= {Symbol(kind): Quantity(kind, self._last, q.index, q.sample) for kind in "ay"}
        return formula.replace(leaves.get)

    def _cost(self, q: Quantity) -> Expr:
        losses = [Quantity("E", sample=s) for s in range(self.evidence.n_samples)]
        if self.evidence.weight is None:
            data = total(losses)
            if self.net.objective.reduction == "mean" and len(losses) > 1:
                data = data / len(losses)
        else:
            data = total([Rate(Quantity("L"), loss) * loss for loss in losses])
        return total([data, *self.penalties()])

    def penalties(self) -> list[Quantity]:
        """The penalties in the cost: index 1 is ``l1·Σ|W|``, 2 is ``l2/2·ΣW²``."""
        numbers = (PENALTIES.index(penalty) + 1 for penalty, _ in self.net.objective.penalties)
        return [Quantity("penalty", index=(number,)) for number in numbers]

    def strength(self, penalty: Penalty) -> Expr:
        """The strength of a penalty, as it stands in formulas."""
        return Number(getattr(self.net.objective, penalty.name), measured=True)

    def _penalty(self, q: Quantity) -> Expr:
        (number,) = q.index
        penalty = PENALTIES[number - 1]
        strength = self.strength(penalty)
        weights = self.weights() if self.net.parameters.size <= self.most_written else ()
        terms = [penalty.of(penalty.term, strength, weight) for weight in weights]
        return penalty.of(penalty.factor, strength) * (total(terms) if terms else _ALL[number - 1])

    def weights(self) -> Iterator[Quantity]:
        """Every weight, neuron by neuron, each neuron's inputs in order."""
        for layer in range(1, self._last + 1):
            for j in range(self.net.sizes[layer]):
                for i in range(self.net.sizes[layer - 1]):
                    yield Quantity("W", layer, (i, j))

    # ------------------------------------------------------------------ backward

    @cached_property
    def _rates(self) -> dict[tuple[str, str], Callable[[Quantity, Quantity], Expr]]:
        return {
            ("L", "E"): self._share,
            ("E", "a"): self._of_a,
            ("term", "a"): self._of_a,
            ("L", "a"): self._of_a,
            ("a", "z"): self._slope,
            ("z", "W"): lambda top, by: self.input(by.layer, by.index[0], top.sample),
            ("z", "b"): lambda top, by: Number(1),
            ("z", "a"): self.weight_back,
            ("E", "W"): lambda top, by: total([*self.pulls(by), *self.penalty_slopes(by)]),
            ("L", "W"): lambda top, by: total([*self.pulls(by), *self.penalty_slopes(by)]),
            ("E", "b"): lambda top, by: total(self.pulls(by)),
            ("L", "b"): lambda top, by: total(self.pulls(by)),
        }

    def _share(self, top: Quantity, by: Quantity) -> Expr:
        weight = self.evidence.weight
        mean = self.net.objective.reduction == "mean"
        if weight is None:
            return Number(1) / self.evidence.n_samples if mean else Number(1)
        own, whole = float(weight[by.sample, 0]), float(weight.sum())
        return Number(own, True) / Number(whole, True) if mean and whole > 0 else Number(own, True)

    def _of_a(self, top: Quantity, by: Quantity) -> Expr:
        """∂E/∂a: of an output the loss's derivative; of an inner neuron the sum over those it feeds."""
        if by.layer < self._last:
            return total(self.passed_back(by))
        if top.kind == "L":
            return Mul(tuple(self.loss_factors(by)))
        return self._of_output(self.net.loss.derivative_formula, by)

    def passed_back(self, by: Quantity) -> list[Expr]:
        """What each neuron of the next layer returns to this one: its delta times ∂z/∂a."""
        after = range(self.net.sizes[by.layer + 1])
        deltas = [Quantity("delta", by.layer + 1, (k,), by.sample) for k in after]
        return [delta * self.weight_back(delta, by) for delta in deltas]

    def weight_back(self, delta: Quantity, by: Quantity) -> Expr:
        """∂z/∂a as it is written in the recursion: the weight, and dropout's mask."""
        weight = Quantity("W", delta.layer, (by.index[0], delta.index[0]))
        if not self.evidence.has_mask(delta.layer):
            return weight
        return weight * Quantity("mask", delta.layer, by.index, by.sample)

    def path_factors(self, path: Path) -> list[Expr]:
        """The chain rule along a path, from the loss back to its first neuron."""
        steps = [Quantity("a", layer, (index,), path.sample) for layer, index in path.neurons]
        factors = self.loss_factors(steps[-1])
        for before, a in reversed(list(pairwise(steps))):
            factors += [Rate(a, a.at("z")), Rate(a.at("z"), before)]
        return factors

    def loss_factors(self, a: Quantity) -> list[Expr]:
        """∂cost/∂a of an output, by way of its sample's loss."""
        loss = Quantity("E", sample=a.sample)
        return [Rate(loss, a)] if self.evidence.is_single else [Rate(Quantity("L"), loss), Rate(loss, a)]

    def _slope(self, top: Quantity, by: Quantity) -> Expr:
        activation = self.evidence.layer(top.layer).activation
        return self._elementwise(activation.derivative_formula, top, by.index[0])

    def _delta(self, q: Quantity) -> Expr:
        cost, z = self.evidence.cost, q.at("z")
        neurons = range(self.net.sizes[q.layer]) if self.evidence.is_coupled(q.layer) else q.index
        outputs = [Quantity("a", q.layer, (m,), q.sample) for m in neurons]
        return total([Rate(cost, a) * Rate(a, z) for a in outputs])

    def fused_delta(self, q: Quantity) -> Expr:
        """``a − y`` of an output, times its sample's share of the cost."""
        short = q.at("a") - q.at("y")
        if self.evidence.is_single:
            return short
        return Rate(Quantity("L"), Quantity("E", sample=q.sample)) * short

    def pulls(self, by: Quantity) -> list[Expr]:
        """What each sample (and neuron, of a shared bias) adds to the gradient of a parameter."""
        deltas = self.deltas_of(by)
        if by.kind == "b":
            return list(deltas)
        return [delta * self.input(by.layer, by.index[0], delta.sample) for delta in deltas]

    def deltas_of(self, p: Quantity) -> list[Quantity]:
        """The deltas that pull at a parameter: of each sample, and of each neuron that shares a bias."""
        neurons = p.index[-1:] or range(self.net.sizes[p.layer])
        samples = range(self.evidence.n_samples)
        return [Quantity("delta", p.layer, (j,), sample) for sample in samples for j in neurons]

    def penalty_slopes(self, by: Expr) -> list[Expr]:
        """``l1·sign(w)`` and ``l2·w`` of a weight, or of a matrix of them, where there are penalties."""
        penalties = () if isinstance(by, Quantity) and by.kind == "b" else self.net.objective.penalties
        return [penalty.of(penalty.slope, self.strength(penalty), by) for penalty, _ in penalties]


def _indexed(formula: Expr, index: dict[str, int], size: int, neuron: Callable[[str, int], Expr]) -> Expr:
    """The formula with a neuron's z or a for each such symbol, sums over neurons written out."""

    def put(part: Expr) -> Expr | None:
        if isinstance(part, Total):
            values = ({**index, part.index: m} for m in range(size))
            return total([_indexed(part.body, value, size, neuron) for value in values])
        if isinstance(part, Choice):  # j = k asks whether two indices are the same
            sides = [side.base for side in (part.test.left, part.test.right) if isinstance(side, Symbol)]
            if len(sides) == 2 and index.keys() >= set(sides):
                branch = part.then if index[sides[0]] == index[sides[1]] else part.other
                return _indexed(branch, index, size, neuron)
        if isinstance(part, Symbol) and part.base in ("z", "a") and part.sub in index:
            return neuron(part.base, index[part.sub])
        return None

    return formula.replace(put)


def is_opaque(formula: Expr) -> bool:
    """Whether a formula is a user's text, into which no numbers can be put."""
    return any(isinstance(leaf, Words) for leaf in formula.leaves())

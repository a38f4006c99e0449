"""The catalogue of wrong formulas: for each quantity those that people use by mistake.

A wrong formula is one over the same quantities as the right one. It is worked out with the student's own
earlier numbers and compared with the answer, so that what is named is what the numbers show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.tree import Add, Expr, Mul, Neg, Number, Symbol, exp, total
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.optimizers import ETA
from deltarule.registry import record
from deltarule.worksheets.exercise_formulas import ExerciseFormulas, parameter_updated_to

#: What each kind of mistake is called.
KINDS = {
    "bias": "forgot the bias",
    "bias sign": "subtracted the bias",
    "term": "left out one term of the sum",
    "weight": "used the wrong weight",
    "input": "used the wrong input",
    "net for out": "used net for out",
    "exponent": "e to the net, not to the minus net",
    "function": "used another activation function",
    "slope for out": "took the slope of the activation for its value",
    "not normalised": "did not divide by the sum of the exponentials",
    "square": "forgot the square",
    "doubled": "twice the right number: forgot ½, or doubled",
    "halved": "half of the right number",
    "logarithm": "used the logarithm to base 10",
    "y − out": "used y − out for out − y",
    "target": "took the wrong side of the target: y for 1 − y",
    "sign": "wrong sign",
    "no slope": "forgot the slope of the activation",
    "slope": "multiplied by the slope that cancels",
    "no weight": "forgot the weight",
    "path": "forgot to sum one path",
    "new weight": "used the weight after its update",
    "no input": "forgot the input",
    "weight for input": "used the weight for the input",
    "delta": "used another neuron's delta",
    "bias input": "multiplied a bias's delta by an input",
    "sample": "left out one sample",
    "samples": "forgot to divide by the number of samples",
    "penalty": "forgot the penalty",
    "rate": "forgot the learning rate",
    "added": "added where the update subtracts",
    "step": "wrote the change, not the new value",
    "memory": "forgot what the optimizer remembers",
    "gradient": "used another parameter's gradient",
    "old value": "started from another parameter",
    "point": "slipped the decimal point",
    "coarse": "rounded to fewer decimals than asked",
}


@record
class WrongFormula:
    """A wrong formula, its kind of mistake, a key of ``KINDS``, and in which quantity, where in another."""

    kind: str
    formula: Expr
    within: str = ""

    @property
    def words(self) -> str:
        """The mistake in words."""
        return f"{KINDS[self.kind]} in {self.within}" if self.within else KINDS[self.kind]


def wrong_formulas_of(formulas: ExerciseFormulas, leaf: Expr) -> list[WrongFormula]:
    """Return the wrong formulas of a quantity, those most like its own first: none twice, no right one."""
    rights = formulas.all(leaf)
    right, found = rights[0], dict[Expr, str]()
    anywhere = [
        ("sign", -right), ("doubled", 2 * right), ("halved", right / 2),
        ("point", 10 * right), ("point", right / 10),
    ]  # fmt: skip
    for kind, formula in (*_mistakes_in(formulas, leaf, right), *anywhere):
        if formula not in rights:
            found.setdefault(formula, kind)
    return [WrongFormula(kind, formula) for formula, kind in found.items()]


def has_wrong_formulas(leaf: Expr) -> bool:
    """Whether the catalogue knows mistakes in a quantity: not in a factor of the chain rule alone."""
    if isinstance(leaf, Rate):
        return leaf.by.kind in ("W", "b") and leaf.top.kind in ("E", "L")
    return isinstance(leaf, Quantity) and leaf.kind in ("z", "a", "term", "E", "L", "delta", "new")


_Mistakes: TypeAlias = Iterator[tuple[str, Expr]]


def _mistakes_in(formulas: ExerciseFormulas, leaf: Expr, right: Expr) -> _Mistakes:
    if isinstance(leaf, Rate):
        return _in_gradient(formulas, leaf.by, right)
    assert isinstance(leaf, Quantity)
    by_kind: dict[str, Callable[[ExerciseFormulas, Quantity, Expr], _Mistakes]] = {
        "z": _in_net, "a": _in_out, "term": _in_output_loss, "E": _in_sample_loss, "L": _in_cost,
        "delta": _in_delta, "new": _in_update,
    }  # fmt: skip
    return by_kind[leaf.kind](formulas, leaf, right)


def _in_net(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    terms = right.terms if isinstance(right, Add) else (right,)
    weighted = [term for term in terms if isinstance(term, Mul)]
    (j,), definitions = q.index, formulas.definitions
    bias = definitions.bias(q.layer, j)
    if bias is not None:
        yield "bias", total(weighted)
        yield "bias sign", total([*weighted, Neg(bias)])
    if len(weighted) > 1:
        yield from (("term", rest) for rest in _sums_without_one(terms, weighted))
    if q.layer > 1:
        yield from _net_for_out(right)
    weights = [Quantity("W", q.layer, (i, j)) for i in range(len(weighted))]
    inputs = [definitions.input(q.layer, i, q.sample) for i in range(formulas.net.sizes[q.layer - 1])]
    for weight, a in zip(weights, inputs, strict=True):
        yield from _other_weight(formulas, right, weight)
        yield from (("input", _with(right, {a: other})) for other in inputs)
    yield from _weights_of_others(formulas, right, weights, axis=1)


def _other_weight(formulas: ExerciseFormulas, right: Expr, weight: Quantity) -> _Mistakes:
    """Each weight of the layer in the place of one."""
    n_in, n_out = formulas.net.sizes[weight.layer - 1 : weight.layer + 1]
    for index in ((i, j) for i in range(n_in) for j in range(n_out)):
        yield "weight", _with(right, {weight: Quantity("W", weight.layer, index)})


def _weights_of_others(
    formulas: ExerciseFormulas, right: Expr, weights: Sequence[Quantity], axis: int
) -> _Mistakes:
    """All weights of another neuron (axis 0: of the layer before); or those of the matrix transposed."""
    layer = weights[0].layer
    n_in, n_out = formulas.net.sizes[layer - 1 : layer + 1]
    for other in range(n_out if axis else n_in):
        index = {w: (w.index[0], other) if axis else (other, w.index[1]) for w in weights}
        yield "weight", _with(right, {w: Quantity("W", layer, index[w]) for w in weights})
    if n_in == n_out:
        yield "weight", _with(right, {w: Quantity("W", layer, w.index[::-1]) for w in weights})


def _in_out(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    z = Quantity("z", q.layer, q.index, q.sample)
    activation = formulas.evidence.layer(q.layer).activation
    yield "net for out", z
    if activation.coupled:
        yield "not normalised", exp(z)
        return
    own = {Symbol("z"): z, Symbol("a"): q}
    if activation.name in ("sigmoid", "silu"):
        yield "exponent", _with(right, {z: Neg(z)})
    yield "slope for out", _with(activation.derivative_formula, own)
    for name in ("sigmoid", "tanh"):
        other = ACTIVATIONS.resolve(name)
        if other is not activation and not activation.name.startswith("identity"):
            yield "function", _with(other.formula, own)


def _in_output_loss(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    a, y, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "ayz")
    name = formulas.net.loss.name
    if "squared" in name:
        yield "square", _with(right, {(a - y) ** 2: a - y})
    if name in ("cross_entropy", "binary_cross_entropy", "poisson"):
        yield "logarithm", right / Number(math.log(10))
    if name == "binary_cross_entropy":
        yield "target", _with(right, {y: 1 - y})
    yield "net for out", _with(right, {a: z})


def _in_sample_loss(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    last, outputs = formulas.evidence.n_layers, range(formulas.net.sizes[-1])
    terms = [Quantity("term", last, (k,), q.sample) for k in outputs]
    if len(terms) == 1:
        yield from _in_output_loss(formulas, terms[0], right)
        return
    yield from (("term", rest) for rest in _sums_without_one(terms))
    if formulas.net.loss.distribution:
        written = total([formulas.definitions(term) or term for term in terms])
        yield "logarithm", written / Number(math.log(10))
        nets = {Quantity("a", last, (k,), q.sample): Quantity("z", last, (k,), q.sample) for k in outputs}
        yield "net for out", _with(written, nets)


def _in_cost(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    n = formulas.evidence.n_samples
    losses = [Quantity("E", sample=s) for s in range(n)]
    mean = formulas.net.objective.reduction == "mean"
    penalties = formulas.definitions.penalties()
    share = n if mean else 1
    if n > 1:
        if mean:
            yield "samples", total([total(losses), *penalties])
        for rest in _sums_without_one(losses):
            yield "sample", total([rest / share, *penalties])
    if penalties:
        yield "penalty", total(losses) / share


def _in_delta(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    if q.layer == formulas.evidence.n_layers:
        yield from _in_output_delta(formulas, q, right)
        if formulas.evidence.n_samples > 1 and formulas.net.objective.reduction == "mean":
            yield "samples", formulas.evidence.n_samples * right
    else:
        yield from _in_hidden_delta(formulas, q, right)

    def written_out(part: Expr) -> Expr | None:
        return formulas(part) if isinstance(part, Rate) and part.by.kind in ("a", "z") else None

    # Down to outputs and inputs of neurons: ∂E/∂net by way of ∂E/∂out takes two rounds.
    yield from _net_for_out(right.replace(written_out).replace(written_out))


def _in_output_delta(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    a, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "az")
    yield "y − out", Neg(right)
    if not formulas.is_fused:
        yield "no slope", Rate(formulas.evidence.cost, a)
    is_coupled = formulas.is_fused and formulas.evidence.is_coupled(q.layer)
    yield "slope", right * (a * (1 - a) if is_coupled else Rate(a, z))


def _in_hidden_delta(formulas: ExerciseFormulas, q: Quantity, right: Expr) -> _Mistakes:
    a, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "az")
    terms, slope = formulas.definitions.passed_back(a), Rate(a, z)
    yield "no slope", total(terms)
    if formulas.evidence.is_coupled(q.layer):
        return
    behind = range(len(terms))
    yield "no weight", total([Quantity("delta", q.layer + 1, (k,), q.sample) for k in behind]) * slope
    if len(terms) > 1:
        yield from (("path", rest * slope) for rest in _sums_without_one(terms))
    weights = [Quantity("W", q.layer + 1, (q.index[0], k)) for k in behind]
    for weight in weights:
        yield from _other_weight(formulas, right, weight)
    yield from _weights_of_others(formulas, right, weights, axis=0)
    for other in range(formulas.net.sizes[q.layer]):
        foreign = Rate(*(Quantity(kind, q.layer, (other,), q.sample) for kind in "az"))
        yield "delta", _with(right, {slope: foreign})
    if formulas.step is not None:
        yield "new weight", _with(right, {w: Quantity("new", w.layer, w.index) for w in weights})


def _in_gradient(formulas: ExerciseFormulas, p: Quantity, right: Expr) -> _Mistakes:
    definitions, n = formulas.definitions, formulas.evidence.n_samples
    pulls, penalties = definitions.pulls(p), definitions.penalty_slopes(p)
    if len(pulls) > 1:
        kind = "sample" if n > 1 else "term"
        yield from ((kind, rest) for rest in _sums_without_one([*pulls, *penalties], pulls))
    if n > 1 and formulas.net.objective.reduction == "mean":
        yield "samples", n * right
        yield "samples", right / n
    if penalties:
        yield "penalty", total(pulls)
    deltas = [leaf for pull in pulls for leaf in pull.leaves()[:1] if isinstance(leaf, Quantity)]
    if p.kind == "W":
        yield "no input", total(deltas)
    yield "weight for input", total([delta * p for delta in deltas])
    if p.kind == "W" and p.layer > 1:
        yield from _net_for_out(right)
    for i in range(formulas.net.sizes[p.layer - 1]):
        products = [delta * definitions.input(p.layer, i, delta.sample) for delta in deltas]
        yield "input" if p.kind == "W" else "bias input", total(products)
    for layer in (p.layer, p.layer + 1):  # the delta of a neighbour, and of the layer after
        for other in range(formulas.net.sizes[layer] if layer < len(formulas.net.sizes) else 0):
            yield "delta", _with(right, {d: Quantity("delta", layer, (other,), d.sample) for d in deltas})


def _in_update(formulas: ExerciseFormulas, new: Quantity, right: Expr) -> _Mistakes:
    step, p = formulas.step, parameter_updated_to(new)
    assert step is not None
    assert p is not None
    g, change = Rate(formulas.evidence.cost, p), right - p
    yield "added", p - change
    yield "rate", formulas.updated(p, {ETA: 1.0})
    yield "step", change
    yield "step", Neg(change)
    if step.slots.any():
        yield "memory", formulas.updated(p, dict.fromkeys(step.remembered(formulas.positions[p]), 0.0))
        yield "memory", p - step.rate * g
    for other in formulas.parameters:
        if other != p:
            yield "gradient", _with(right, {g: Rate(g.top, other)})
            yield "old value", _with(right, {p: other})


def _with(formula: Expr, others: Mapping[Any, Expr]) -> Expr:
    return formula.replace(others.get)


def _sums_without_one(terms: Sequence[Expr], left_out: Sequence[Expr] | None = None) -> Iterator[Expr]:
    """The sum of the terms without one of them, for each that may be left out."""
    for left in terms if left_out is None else left_out:
        yield total([term for term in terms if term is not left])


def _net_for_out(formula: Expr) -> _Mistakes:
    """net in the place of each out of a neuron, all at once and one by one."""
    nets = {
        leaf: Quantity("z", leaf.layer, leaf.index, leaf.sample)
        for leaf in formula.leaves()
        if isinstance(leaf, Quantity) and leaf.kind == "a" and leaf.layer
    }
    if nets:
        yield "net for out", _with(formula, nets)
    if len(nets) > 1:
        yield from (("net for out", _with(formula, {a: net})) for a, net in nets.items())

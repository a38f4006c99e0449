"""The slip catalogue: for each quantity the formulas that people use by mistake.

A slip is a wrong formula over the same quantities. It is worked out with the student's own earlier numbers
and compared with the answer, so that what is named is what the numbers show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.tree import Add, Expr, Mul, Neg, Number, Symbol, exp, total
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.optimizers import ETA
from deltarule.registry import record
from deltarule.worksheets.questions import Formulas, old_of

__all__ = ["KINDS", "Slip", "slips"]

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
class Slip:
    """A wrong formula and the kind of mistake it stands for, a key of ``KINDS``."""

    kind: str
    formula: Expr

    @property
    def words(self) -> str:
        """The mistake in words."""
        return KINDS[self.kind]


def slips(formulas: Formulas, leaf: Expr) -> list[Slip]:
    """The slips that suit a quantity, those most like its own first; no formula twice, and no right one."""
    right, seen = formulas.all(leaf), set[Expr]()
    found = []
    for kind, formula in chain(_of_quantity(formulas, leaf), _of_any(right[0] if right else leaf)):
        if formula not in seen and formula not in right:
            seen.add(formula)
            found.append(Slip(kind, formula))
    return found


_Found = Iterator[tuple[str, Expr]]


def _of_quantity(formulas: Formulas, leaf: Expr) -> _Found:
    if isinstance(leaf, Rate):
        yield from _gradient(formulas, leaf.by)
    elif isinstance(leaf, Quantity):
        of: dict[str, Callable[[Formulas, Quantity], _Found]] = {
            "z": _net, "a": _out, "term": _term, "E": _sample_loss, "L": _cost, "delta": _delta,
            "new": _update,
        }  # fmt: skip
        yield from of[leaf.kind](formulas, leaf)


def _of_any(right: Expr) -> _Found:
    """Mistakes that can be made with any number."""
    yield "sign", -right
    yield "doubled", 2 * right
    yield "halved", right / 2
    yield "point", 10 * right
    yield "point", right / 10


# ---------------------------------------------------------------------- forward


def _net(formulas: Formulas, q: Quantity) -> _Found:
    right = formulas(q)
    terms = _terms(right)
    weighted = [term for term in terms if isinstance(term, Mul)]
    bias = formulas.definitions.bias(q.layer, q.index[0])
    if bias is not None:
        yield "bias", total(weighted)
        yield "bias sign", total([*weighted, Neg(bias)])
    if len(weighted) > 1:
        yield from (("term", total([t for t in terms if t is not left])) for left in weighted)
    if q.layer > 1:
        yield from _net_for_out(right)
    for i in range(len(weighted)):
        own = Quantity("W", q.layer, (i, q.index[0]))
        yield from (("weight", _put(right, {own: other})) for other in _weights(formulas, q.layer))
        a = formulas.definitions.input(q.layer, i, q.sample)
        yield from (("input", _put(right, {a: other})) for other in _inputs(formulas, q))
    yield from _other_neuron(formulas, q, right)


def _other_neuron(formulas: Formulas, q: Quantity, right: Expr | None) -> _Found:
    """All weights of another neuron; or the matrix the other way round."""
    n_in, n_out = formulas.net.sizes[q.layer - 1 : q.layer + 1]
    (j,) = q.index
    for other in range(n_out):
        rows = {Quantity("W", q.layer, (i, j)): Quantity("W", q.layer, (i, other)) for i in range(n_in)}
        yield "weight", _put(right, rows)
    if n_in == n_out:
        turned = {Quantity("W", q.layer, (i, j)): Quantity("W", q.layer, (j, i)) for i in range(n_in)}
        yield "weight", _put(right, turned)


def _out(formulas: Formulas, q: Quantity) -> _Found:
    right, z = formulas(q), Quantity("z", q.layer, q.index, q.sample)
    activation = formulas.evidence.layer(q.layer).activation
    yield "net for out", z
    if activation.coupled:
        yield "not normalised", exp(z)
        return
    if activation.name in ("sigmoid", "silu"):
        yield "exponent", _put(right, {z: Neg(z)})
    yield "slope for out", _at(activation.derivative_formula, z, q)
    for name in ("sigmoid", "tanh"):
        other = ACTIVATIONS.resolve(name)
        if other is not activation and not activation.name.startswith("identity"):
            yield "function", _at(other.formula, z, q)


def _at(formula: Expr, z: Expr, a: Expr) -> Expr:
    return _put(formula, {Symbol("z"): z, Symbol("a"): a})


# ---------------------------------------------------------------------- loss


def _term(formulas: Formulas, q: Quantity) -> _Found:
    last = formulas.evidence.n_layers
    a, y, z = (Quantity(kind, last, q.index, q.sample) for kind in "ayz")
    right = formulas.definitions(q)
    name = formulas.net.loss.name
    if "squared" in name:
        yield "square", _put(right, {(a - y) ** 2: a - y})
    if name in ("cross_entropy", "binary_cross_entropy", "poisson") and right is not None:
        yield "logarithm", right / Number(math.log(10))
    if name == "binary_cross_entropy":
        yield "target", _put(right, {y: 1 - y})
    yield "net for out", _put(right, {a: z})


def _sample_loss(formulas: Formulas, q: Quantity) -> _Found:
    last, outputs = formulas.evidence.n_layers, range(formulas.net.sizes[-1])
    terms = [Quantity("term", last, (k,), q.sample) for k in outputs]
    if len(terms) == 1:
        yield from _term(formulas, terms[0])
        return
    yield from (("term", total([t for t in terms if t is not left])) for left in terms)
    if formulas.net.loss.distribution:
        written = [formulas.definitions(term) or term for term in terms]
        yield "logarithm", total(written) / Number(math.log(10))
        nets = {Quantity("a", last, (k,), q.sample): Quantity("z", last, (k,), q.sample) for k in outputs}
        yield "net for out", _put(total(written), nets)


def _cost(formulas: Formulas, q: Quantity) -> _Found:
    n = formulas.evidence.n_samples
    losses = [Quantity("E", sample=s) for s in range(n)]
    mean = formulas.net.objective.reduction == "mean"
    penalties = formulas.definitions.penalties()
    share = n if mean else 1
    if n > 1:
        if mean:
            yield "samples", total([total(losses), *penalties])
        for left in losses:
            others = total([loss for loss in losses if loss is not left])
            yield "sample", total([others / share, *penalties])
    if penalties:
        yield "penalty", total(losses) / share


# ---------------------------------------------------------------------- backward


def _delta(formulas: Formulas, q: Quantity) -> _Found:
    right = formulas(q)
    n = formulas.evidence.n_samples
    if q.layer == formulas.evidence.n_layers:
        yield from _output_delta(formulas, q)
        if n > 1 and formulas.net.objective.reduction == "mean" and right is not None:
            yield "samples", n * right
    else:
        yield from _hidden_delta(formulas, q)
    if right is not None:
        flat = _flattened(formulas, right)
        yield from _net_for_out(flat)


def _output_delta(formulas: Formulas, q: Quantity) -> _Found:
    right = formulas(q)
    a, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "az")
    slope, error = Rate(a, z), Rate(formulas.evidence.cost, a)
    if right is None:
        return
    yield "y − out", Neg(right)
    if formulas.is_fused:
        if not formulas.evidence.is_coupled(q.layer):
            yield "slope", right * slope
        else:
            yield "slope", right * (a * (1 - a))
    else:
        yield "no slope", error
        yield "slope", right * slope


def _hidden_delta(formulas: Formulas, q: Quantity) -> _Found:
    right = formulas(q)
    a, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "az")
    terms, slope = formulas.definitions.passed_back(a), Rate(a, z)
    deltas = [Quantity("delta", q.layer + 1, (k,), q.sample) for k in range(len(terms))]
    if formulas.evidence.is_coupled(q.layer) or right is None:
        yield "no slope", total(terms)
        return
    yield "no slope", total(terms)
    yield "no weight", total(deltas) * slope
    if len(terms) > 1:
        yield from (("path", total([t for t in terms if t is not left]) * slope) for left in terms)
    updated = {}
    for delta in deltas:
        own = Quantity("W", delta.layer, (q.index[0], delta.index[0]))
        updated[own] = Quantity("new", own.layer, own.index)
        yield from (("weight", _put(right, {own: other})) for other in _weights(formulas, own.layer))
    yield from _turned(formulas, q, right)
    for other in range(formulas.net.sizes[q.layer]):
        foreign = Rate(*(Quantity(kind, q.layer, (other,), q.sample) for kind in "az"))
        yield "delta", _put(right, {slope: foreign})
    if formulas.step is not None:
        yield "new weight", _put(right, updated)


def _turned(formulas: Formulas, q: Quantity, right: Expr) -> _Found:
    """The weights of another neuron on each path, or the matrix not transposed."""
    n, n_next = formulas.net.sizes[q.layer], formulas.net.sizes[q.layer + 1]
    (i,) = q.index
    for other in range(n):
        rows = {
            Quantity("W", q.layer + 1, (i, k)): Quantity("W", q.layer + 1, (other, k)) for k in range(n_next)
        }
        yield "weight", _put(right, rows)
    if n == n_next:
        turned = {Quantity("W", q.layer + 1, (i, k)): Quantity("W", q.layer + 1, (k, i)) for k in range(n)}
        yield "weight", _put(right, turned)


def _gradient(formulas: Formulas, p: Quantity) -> _Found:
    definitions, n = formulas.definitions, formulas.evidence.n_samples
    pulls, penalties = definitions.pulls(p), definitions.penalty_slopes(p)
    right = total([*pulls, *penalties])
    if len(pulls) > 1:
        kind = "sample" if n > 1 else "term"
        yield from ((kind, total([*(t for t in pulls if t is not left), *penalties])) for left in pulls)
    if n > 1 and formulas.net.objective.reduction == "mean":
        yield "samples", n * right
        yield "samples", right / n
    if penalties:
        yield "penalty", total(pulls)
    deltas = [leaf for pull in pulls for leaf in pull.leaves()[:1]]
    if p.kind == "W":
        yield from _weight_gradient(formulas, p, right, deltas)
    else:
        own = Quantity("b", p.layer, p.index)
        yield "weight for input", total([delta * own for delta in deltas])
        for i in range(formulas.net.sizes[p.layer - 1]):
            yield (
                "bias input",
                total([d * definitions.input(p.layer, i, d.sample) for d in _quantities(deltas)]),
            )
    yield from _other_deltas(formulas, p, right, deltas)


def _weight_gradient(formulas: Formulas, p: Quantity, right: Expr, deltas: Sequence[Expr]) -> _Found:
    definitions = formulas.definitions
    yield "no input", total(deltas)
    yield "weight for input", total([delta * p for delta in deltas])
    if p.layer > 1:
        yield from _net_for_out(right)
    for other in range(formulas.net.sizes[p.layer - 1]):
        yield "input", total([d * definitions.input(p.layer, other, d.sample) for d in _quantities(deltas)])


def _other_deltas(formulas: Formulas, p: Quantity, right: Expr, deltas: Sequence[Expr]) -> _Found:
    """The delta of a neighbour, and of the layer after."""
    for layer in (p.layer, p.layer + 1):
        for other in range(formulas.net.sizes[layer] if layer < len(formulas.net.sizes) else 0):
            put = {d: Quantity("delta", layer, (other,), d.sample) for d in _quantities(deltas)}
            yield "delta", _put(right, put)


# ---------------------------------------------------------------------- update


def _update(formulas: Formulas, new: Quantity) -> _Found:
    step, p = formulas.step, old_of(new)
    assert step is not None
    g, right = Rate(formulas.evidence.cost, p), formulas(new)
    if right is None:
        return
    change = right - p
    yield "added", p - change
    yield "rate", formulas.updated(p, {ETA: 1.0})
    yield "step", change
    yield "step", Neg(change)
    if step.slots.any():
        yield "memory", formulas.updated(p, dict.fromkeys(step.remembered(formulas.position(p)), 0.0))
        yield "memory", p - step.rate * g
    for other in formulas.parameters():
        if other != p:
            yield "gradient", _put(right, {g: Rate(g.top, other)})
            yield "old value", _put(right, {p: other})


# ---------------------------------------------------------------------- parts


def _terms(formula: Expr | None) -> tuple[Expr, ...]:
    return formula.terms if isinstance(formula, Add) else (formula,) if formula is not None else ()


def _put(formula: Expr | None, others: Mapping[Any, Expr]) -> Expr:
    """The formula with some parts replaced."""
    assert formula is not None
    return formula.replace(others.get)


def _net_for_out(formula: Expr | None) -> _Found:
    """net in the place of each out of a neuron, all at once and one by one."""
    assert formula is not None
    outs = [
        leaf for leaf in formula.leaves() if isinstance(leaf, Quantity) and leaf.kind == "a" and leaf.layer
    ]
    nets: dict[Expr, Expr] = {a: Quantity("z", a.layer, a.index, a.sample) for a in outs}
    if nets:
        yield "net for out", _put(formula, nets)
    if len(nets) > 1:
        yield from (("net for out", _put(formula, {a: net})) for a, net in nets.items())


def _flattened(formulas: Formulas, formula: Expr) -> Expr:
    """The formula with its rates written out, down to outputs and inputs of neurons."""

    def written(part: Expr) -> Expr | None:
        return formulas(part) if isinstance(part, Rate) and part.by.kind in ("a", "z") else None

    for _ in range(2):
        formula = formula.replace(written)
    return formula


def _weights(formulas: Formulas, layer: int) -> list[Quantity]:
    n_in, n_out = formulas.net.sizes[layer - 1 : layer + 1]
    return [Quantity("W", layer, (i, j)) for i in range(n_in) for j in range(n_out)]


def _inputs(formulas: Formulas, q: Quantity) -> list[Quantity]:
    return [formulas.definitions.input(q.layer, i, q.sample) for i in range(formulas.net.sizes[q.layer - 1])]


def _quantities(leaves: Sequence[Expr]) -> list[Quantity]:
    return [leaf for leaf in leaves if isinstance(leaf, Quantity)]

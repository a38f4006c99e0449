"""The gradient of a parameter and the delta of a neuron: every chain-rule factor with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from deltarule.derivations.line_writer import SHOWN_TERMS, LineWriter
from deltarule.derivations.paths import all_paths, largest_paths, n_paths
from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.documents.document import Block, Heading, Inline, Line, Lines, Paragraph, TableBlock
from deltarule.formula.tree import Expr, Mul, Neg, Partial, Symbol, Total, measured, total

#: Up to so many paths are followed one by one; of more, the largest are shown.
MOST_PATHS, LARGEST_PATHS = 16, 5

#: Up to so many samples are each derived whole; of more, the one that pulls hardest.
MOST_SAMPLES = 3

#: Of a large network so many weights have their gradient listed.
MOST_GRADIENTS = 40

#: A smaller slope of a bounded activation lets next to nothing through.
SATURATED = 1e-6

#: A layer of up to so many neurons has each delta derived.
MOST_DELTAS = 16


class GradientDerivation:
    """Derives gradients and deltas of one pass.

    ``by_delta`` says whether to go by the recursion δ = (δ Wᵀ) ⊙ f′(z), or along every path of the chain
    rule.
    """

    def __init__(self, writer: LineWriter, by_delta: bool) -> None:
        self.writer, self.by_delta = writer, by_delta
        self.evidence, self.definitions = writer.evidence, writer.definitions
        self._last = self.evidence.n_layers
        self._written: set[Expr] = set()
        self._said: set[tuple[Inline, ...]] = set()

    # ------------------------------------------------------------------ a parameter

    def parameter(self, p: Quantity) -> Iterator[Block]:
        """∂cost/∂p for a weight or a bias."""
        words = f": how the {self.evidence.cost_word} changes with "
        self._written.clear()
        yield Heading(self._words(Rate(self.evidence.cost, p), words, p, *self._which_parameter(p)))
        deltas = self.definitions.deltas_of(p)
        yield from self._one_pull(p, *deltas) if len(deltas) == 1 else self._many_pulls(p)

    def _which_parameter(self, p: Quantity) -> list[Inline]:
        """Which weight or bias it is, in words."""
        name = self.writer.notation.neuron
        if p.kind == "W":
            i, j = p.index
            return [", the weight from ", name(p.layer - 1, i), " to ", name(p.layer, j)]
        if p.index:
            return [", the bias of ", name(p.layer, p.index[0])]
        return [f", the bias that all neurons of layer {p.layer} share"]

    def _one_pull(self, p: Quantity, delta: Quantity) -> Iterator[Block]:
        """One sample, one neuron: a product of factors."""
        writer, rate = self.writer, Rate(self.evidence.cost, p)
        a, z = delta.at("a"), delta.at("z")
        short = p.layer == self._last and not self._keeps_digits(delta.sample)
        if self.by_delta or short or self.evidence.is_coupled(p.layer):
            factors: list[Expr] = [delta, Rate(z, p)]
        else:
            factors = [*self._of_cost(a), Rate(a, z), Rate(z, p)]
        writer.tags = {factor: tag for tag, factor in enumerate(factors)}
        penalties = self.definitions.penalty_slopes(p)
        formula = total([Mul(tuple(factors)), *penalties])
        then = "; then the penalty on the weight" if penalties else ""
        note = self._words("chain rule: ", p, " acts through ", z, " alone", then)
        yield Lines((Line((writer.symbols(rate), writer.symbols(formula)), note),))
        for factor in factors:
            yield from self._factor(factor)
        line = writer.line(rate, formula, result=True)
        yield Lines((Line((line.sides[0], *line.sides[2:]), line.note, result=True),))

    def _of_cost(self, a: Quantity) -> list[Expr]:
        """∂cost/∂a as factors: of an output along the loss; of an inner neuron as it stands."""
        if a.layer == self._last:
            return self.definitions.loss_factors(a)
        return [Rate(self.evidence.cost, a)]

    def _many_pulls(self, p: Quantity) -> Iterator[Block]:
        """Several samples, or several neurons that share a bias: a sum of pulls."""
        yield self._paragraph(*self._why_sum(p))
        followed = self.followed(p)
        n = self.evidence.n_samples
        if n > MOST_SAMPLES:
            chosen = f"sample {self.writer.notation.sample(followed[0].sample)}"
            yield self._paragraph(f"Of the {n} samples, the one that contributes most is followed: {chosen}.")
        for delta in followed:
            if self.evidence.n_samples > 1:
                yield Heading((f"Sample {self.writer.notation.sample(delta.sample)}",), 3)
            yield from self.delta(delta)
        yield Heading(("In total",), 3)
        yield Lines((self.writer.line(Rate(self.evidence.cost, p), result=True),))

    def _why_sum(self, p: Quantity) -> list[Inline]:
        n, shared = self.evidence.n_samples, p.kind == "b" and not p.index
        users = [f"{n} samples"] if n > 1 else []
        users += [f"all {self.evidence.net.sizes[p.layer]} neurons of layer {p.layer}"] if shared else []
        words = f" is shared by {' and '.join(users)}. Its gradient is the sum of what each contributes: "
        delta = Quantity("delta", p.layer, (p.index[-1] if p.index else 0,))
        if p.kind == "W":
            return [p, words, delta, " · ", self.definitions.input(p.layer, p.index[0], 0), "."]
        return [p, words, delta, ", because ∂z/∂b = 1."]

    def followed(self, p: Quantity) -> list[Quantity]:
        """The deltas that are derived whole: of a few samples all, else those of the hardest pull."""
        deltas = self.definitions.deltas_of(p)
        if self.evidence.n_samples > MOST_SAMPLES:
            sizes = [abs(float(pull.value(self.evidence))) for pull in self.definitions.pulls(p)]
            hardest = deltas[int(np.argmax(sizes))].sample
            deltas = [delta for delta in deltas if delta.sample == hardest]
        return deltas[:MOST_DELTAS]

    def backward_part(self) -> Iterator[Block]:
        """Every delta from the last layer to the first, then every gradient; the first of many."""
        evidence, self.by_delta = self.evidence, True
        sizes = evidence.net.sizes
        yield Heading(("Backward pass",))
        for sample in range(min(evidence.n_samples, MOST_SAMPLES)):
            if evidence.n_samples > 1:
                yield Heading((f"Sample {self.writer.notation.sample(sample)}",), 3)
            for layer in range(self._last, 0, -1):
                for j in range(min(sizes[layer], MOST_DELTAS)):
                    yield from self.delta(Quantity("delta", layer, (j,), sample))
        yield Heading(("Gradients",), 3)
        weights = list(islice(self.definitions.weights(), MOST_GRADIENTS))
        biases = [bias for bias in self.definitions.biases() if bias.index < (MOST_DELTAS,)]
        yield Lines(tuple(self.writer.line(Rate(evidence.cost, p)) for p in [*weights, *biases]))
        left = evidence.net.parameters.size - len(weights) - len(biases)
        if left:
            yield self._paragraph(f"… and {left:,} more parameters: name the one you want.", aside=True)

    # ------------------------------------------------------------------ a delta

    def delta_part(self, delta: Quantity) -> Iterator[Block]:
        """A delta by itself, under a heading."""
        yield Heading(self._words(delta, " = ", Rate(self.evidence.cost, delta.at("z"))))
        self._written.clear()
        yield from self.delta(delta, result=True)

    def delta(self, delta: Quantity, *, result: bool = False) -> Iterator[Block]:
        """δ = ∂cost/∂z of one neuron for one sample."""
        if delta in self._written:
            return
        self._written.add(delta)
        if self.evidence.is_coupled(delta.layer):
            yield from self._coupled_delta(delta, result)
            return
        a, z = delta.at("a"), delta.at("z")
        if delta.layer < self._last and self.by_delta:
            yield from self._deltas_behind(delta, a)
            formula: Expr = total(self.definitions.passed_back(a)) * Rate(a, z)
            yield Lines((self.writer.line(Rate(a, z)), self.writer.line(delta, formula, result=result)))
            return
        if delta.layer < self._last or self._keeps_digits(delta.sample):
            factors = [*self._of_cost(a), Rate(a, z)]
            for factor in factors:
                yield from self._factor(factor)
            yield Lines((self.writer.line(delta, Mul(tuple(factors)), result=result),))
        yield from self._short_form(delta, result)

    def _keeps_digits(self, sample: int) -> bool:
        """Whether the chain rule at the outputs, in floating point, still is the delta that training takes.

        Not where an output has rounded to 0 or 1: a slope of 0 times a loss slope beyond measure.
        """
        if not self.evidence.net.objective.fused:
            return True
        last = self._last
        deltas = [Quantity("delta", last, (k,), sample) for k in range(self.evidence.net.sizes[-1])]
        with np.errstate(all="ignore"):
            by_chain = [float((self.definitions(delta) or delta).value(self.evidence)) for delta in deltas]
        pairs = zip(by_chain, map(self.evidence, deltas), strict=True)
        return all(math.isclose(chain, taken, rel_tol=1e-9, abs_tol=1e-15) for chain, taken in pairs)

    def _deltas_behind(self, delta: Quantity, a: Quantity) -> Iterator[Block]:
        """The deltas of the next layer, each derived in its turn; in a wide layer those that weigh most."""
        n = self.evidence.net.sizes[delta.layer + 1]
        terms = self.definitions.passed_back(a)
        order = list(range(n))
        if n > MOST_DELTAS:
            order = np.argsort([-abs(float(t.value(self.evidence))) for t in terms])[:SHOWN_TERMS].tolist()
            words = f"of its {n} neurons, the {SHOWN_TERMS} that contribute most are followed"
            yield self._paragraph(f"Layer {delta.layer + 1} comes first; {words}.", aside=True)
        for k in sorted(order):
            yield from self.delta(Quantity("delta", delta.layer + 1, (k,), delta.sample))

    def _short_form(self, delta: Quantity, result: bool) -> Iterator[Block]:
        """The short form a − y of an output's delta, where loss and activation have one."""
        if delta.layer < self._last or not self.evidence.net.objective.fused:
            return
        general = self.writer.notation.general
        words = _WHY_SHORT.get(self.evidence.net.loss.name, _WHY_SHORT[""])
        why = self._once(*(part if isinstance(part, str) else general(part) for part in words))
        exact = self._keeps_digits(delta.sample)
        if not exact:
            why = (*why, *self._once(_ROUNDED))
        yield self._paragraph(*(why or ("In short:",)))
        formula = self.definitions.fused_delta(delta)
        yield Lines((self.writer.line(delta, formula, result=result and not exact),))

    def _coupled_delta(self, delta: Quantity, result: bool) -> Iterator[Block]:
        """Softmax: z of one neuron moves the outputs of all, so that the chain rule is a sum."""
        layer, sample, z = delta.layer, delta.sample, delta.at("z")
        outputs = [Quantity("a", layer, (m,), sample) for m in range(self.evidence.net.sizes[layer])]
        coupled = f"{self.evidence.net.layers[layer - 1].activation.name.capitalize()} couples the outputs: "
        yield self._paragraph(coupled, z, " affects all of them, so there is one term for each output.")
        cost = self.evidence.cost
        counting = [a for a in outputs if self.evidence(Rate(cost, a)) != 0]
        left_out = self._once("Outputs that the loss does not depend on here (∂E/∂a = 0) are left out.")
        if len(counting) < len(outputs) and left_out:
            yield self._paragraph(*left_out, aside=True)
        if self._keeps_digits(sample) or layer < self._last:
            few = counting[:SHOWN_TERMS] or outputs[:1]
            for factor in [factor for a in few for factor in (*self._of_cost(a), Rate(a, z))]:
                yield from self._factor(factor)
            summed = few if len(counting) <= SHOWN_TERMS else outputs
            formula = total([Mul((*self._of_cost(a), Rate(a, z))) for a in summed])
            yield Lines((self.writer.line(delta, formula, result=result),))
        yield from self._short_form(delta, result)

    # ------------------------------------------------------------------ factors

    def _factor(self, factor: Expr) -> Iterator[Block]:
        """The line of one factor, before it what it needs; each but once."""
        if factor in self._written:
            return
        if isinstance(factor, Quantity) and factor.kind == "delta":
            yield from self.delta(factor)
            return
        self._written.add(factor)
        if not isinstance(factor, Rate):
            yield Lines((self.writer.line(factor),))
        elif (factor.top, factor.by.kind) == (self.evidence.cost, "a") and factor.by.layer < self._last:
            a, n = factor.by, n_paths(self.evidence, factor.by.layer)
            name, paths = self.writer.notation.neuron(a.layer, a.index[0]), self.paths_apart(a)
            if paths:
                yield from self._along_paths(factor, name, paths)
            else:
                yield from self._by_deltas(factor, name, n)
        else:
            yield Lines((self.writer.line(factor, note=self._rate_note(factor)),))

    def _rate_note(self, rate: Rate) -> tuple[Inline, ...]:
        """What there is to say about a factor."""
        if (rate.top.kind, rate.by.kind) == ("L", "E"):
            return self._once("this sample's share of the cost")
        if (rate.top.kind, rate.by.kind) != ("a", "z"):
            return ()
        activation = self.evidence.layer(rate.top.layer).activation
        bounded = all(map(math.isfinite, activation.range))
        # An output so near its least or greatest value that the slope is all but gone:
        if bounded and rate.top.index == rate.by.index and abs(self.evidence(rate)) < SATURATED:
            return (f"the {activation.name} is saturated here: almost no gradient passes",)
        what = "from the Jacobian" if activation.coupled else "slope"
        return self._once(f"{what} of the {activation.name}")

    def _once(self, *words: Inline) -> tuple[Inline, ...]:
        """What need not be said twice."""
        first = words not in self._said
        self._said.add(words)
        return words if first else ()

    def paths_apart(self, a: Quantity) -> list[Path]:
        """The paths from a neuron to the loss, where each is followed by itself; else none."""
        coupled = any(layer.activation.coupled for layer in self.evidence.net.layers[a.layer :])
        if a.layer == self._last or coupled or n_paths(self.evidence, a.layer) > MOST_PATHS:
            return []
        return all_paths(self.evidence, a) if self._keeps_digits(a.sample) else []

    def _along_paths(self, rate: Rate, name: Expr, paths: Sequence[Path]) -> Iterator[Block]:
        """Each path in a block of its own, then their sum."""
        n, notation = len(paths), self.writer.notation
        if n > 1:
            yield self._paragraph(name, f" reaches the loss along {n} paths; their contributions add up.")
        for number, path in enumerate(paths):
            if n > 1:
                via = ", ".join(str(notation.neuron(layer, index)) for layer, index in path.neurons[1:])
                yield Heading((f"via {via}",), 4)
            steps = [
                block for factor in self.definitions.path_factors(path) for block in self._factor(factor)
            ]
            steps += [Lines((self.writer.line(path),))] * (n > 1)
            for block in steps:
                alone = n > 1 and isinstance(block, Lines)
                yield replace(block, path=number) if alone and isinstance(block, Lines) else block
        formula = total(list(paths)) if n > 1 else self.definitions(paths[0])
        yield from [Heading(("in total",), 4)] * (n > 1)
        yield Lines((self.writer.line(rate, formula),))

    def _by_deltas(self, rate: Rate, name: Expr, n: int) -> Iterator[Block]:
        """By delta: each gathers all the paths behind it."""
        a = rate.by
        words = f" reaches the loss along {n:,} {'path' if n == 1 else 'paths'}. Grouped by the neuron that "
        yield self._paragraph(name, f"{words}comes next, each δ gathers all the paths behind it:")
        if self.evidence.net.sizes[a.layer + 1] <= MOST_DELTAS and n <= 4 * MOST_PATHS:
            for k in range(self.evidence.net.sizes[a.layer + 1]):
                yield from self.delta(Quantity("delta", a.layer + 1, (k,), a.sample))
        yield Lines((self.writer.line(rate, total(self.definitions.passed_back(a))),))
        inner = self.evidence.net.layers[a.layer : -1]
        if n > LARGEST_PATHS and not any(layer.activation.coupled for layer in inner):
            found = largest_paths(self.evidence, a, LARGEST_PATHS)
            rows = tuple((self.writer.notation.route(path), measured(value)) for path, value in found)
            yield TableBlock((f"the {len(rows)} largest of {n:,} paths", "contribution"), rows)

    # ------------------------------------------------------------------ words

    def _words(self, *parts: Inline) -> tuple[Inline, ...]:
        return self.writer.words(*parts)

    def _paragraph(self, *parts: Inline, aside: bool = False) -> Paragraph:
        return Paragraph(self._words(*parts), aside)


_A, _Y, _A_K, _Y_K = Symbol("a"), Symbol("y"), Symbol("a", "k"), Symbol("y", "k")
_Y_M, _A_M, _Z_K = Symbol("y", "m"), Symbol("a", "m"), Symbol("z", "k")

#: Why the chain rule shortens to a − y, by loss; for the identity the last.
_WHY_SHORT: dict[str, tuple[Inline, ...]] = {
    "cross_entropy": (
        "With cross-entropy this simplifies. The terms are ",
        Mul((Neg(_Y_M / _A_M), Partial(_A_M, _Z_K))),
        ": for m = k that is ",
        Neg(_Y_K * (1 - _A_K)),
        ", for each other m it is ",
        _Y_M * _A_K,
        ". Together ",
        Neg(_Y_K) + _A_K * Total("m", _Y_M),
        ", and the targets sum to 1. What is left is ",
        _A_K - _Y_K,
        ":",
    ),
    "binary_cross_entropy": (
        "With binary cross-entropy this simplifies: ",
        ((1 - _Y) / (1 - _A) - _Y / _A) * (_A * (1 - _A)),
        " = ",
        (1 - _Y) * _A - _Y * (1 - _A),
        " = ",
        _A - _Y,
        ":",
    ),
    "poisson": (
        "With the Poisson loss this simplifies, because e^z is its own derivative: ",
        (1 - _Y / _A) * _A,
        " = ",
        _A - _Y,
        ":",
    ),
    "": ("The slope is 1, so this is just ", _A - _Y, ":"),
}
_ROUNDED = (
    " (An output has rounded to 0 or 1 here, so the long form is lost in floating point; training "
    "uses the short form.)"
)

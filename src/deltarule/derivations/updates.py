"""The update of a parameter: old value, gradient, learning rate, moments, new value."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.writer import Writer
from deltarule.documents.document import Block, Heading, Inline, Line, Lines, Paragraph, Table
from deltarule.formula.tree import Call, Expr, Number, Steps, Symbol
from deltarule.nn.network import Network
from deltarule.nn.optimizers import ETA, GRADIENT, THETA, TIME, GradientStep

__all__ = ["Step", "UpdateDerivation"]

#: Of a larger network the update of so many parameters is listed.
MOST_PARAMETERS = 40


class Step:
    """One update by an optimizer, made on a copy: what each parameter is afterwards.

    Parameters
    ----------
    net : Network
    gradient : ndarray, (n_parameters,)
    optimizer : GradientStep
    slots : ndarray, (number of slots, n_parameters), optional
        What the optimizer remembers; at the first update where not given.
    rate : float, optional
        The learning rate; that of the first update where not given.
    t : int
        Number of the update, from 1.
    """

    def __init__(
        self,
        net: Network,
        gradient: Array,
        optimizer: GradientStep,
        slots: Array | None = None,
        rate: float | None = None,
        t: int = 1,
    ) -> None:
        self.net, self.optimizer, self.t = net, optimizer, t
        self.slots = optimizer.start(net.parameters) if slots is None else slots
        self.rate = optimizer.schedule(0, 1) if rate is None else rate
        self.raw = gradient.copy()
        self.raw[net.frozen] = 0
        self.gradient = self.raw.copy()
        optimizer.clip(self.gradient)

    @property
    def clipped(self) -> bool:
        """Whether the gradient was longer than the optimizer lets it be."""
        return not np.array_equal(self.raw, self.gradient)

    @cached_property
    def after(self) -> Array:
        """The parameters after the update."""
        theta, slots = self.net.parameters.copy(), self.slots.copy()
        self.optimizer.update(theta, self.gradient, slots, self.rate, self.t, self.net.decaying)
        return theta

    def steps(self, position: int) -> Steps:
        """The lines of the update of one parameter; a weight that may decay has more."""
        decays = self.optimizer.weight_steps if self.net.decaying[position] else ()
        return decays + self.optimizer.steps

    def letters(self) -> dict[Expr, float]:
        """What the optimizer's letters stand for."""
        letters: dict[Expr, float] = {ETA: self.rate, TIME: float(self.t)}
        for symbol, name in self.optimizer.letters.items():
            letters[symbol] = float(getattr(self.optimizer, name))
        return letters

    def remembered(self, position: int) -> dict[Expr, float]:
        """The optimizer's memory of one parameter, before the update."""
        return {
            Symbol(name): float(row[position])
            for name, row in zip(self.optimizer.slots, self.slots, strict=True)
        }

    def sources(self, position: int, pulls: dict[str, float]) -> dict[str, float]:
        """Where the change of a parameter comes from: parts of its gradient, memory, weight decay.

        What an optimizer divides by is taken as it is; the rest of every rule is linear in the gradient and
        in what is remembered of it, so that the parts add up to the change.

        Parameters
        ----------
        position : int
        pulls : dict of str to float
            The gradient in parts, before clipping.
        """
        theta, slots = float(self.net.parameters[position]), self.remembered(position)
        g = float(self.gradient[position])
        true = self._worked(position, {**self.letters(), **slots, THETA: theta, GRADIENT: g}, {})
        fixed = {symbol: true[symbol] for symbol in _squares(self.optimizer.steps)}
        still = {**self.letters(), **dict.fromkeys(slots, 0.0), THETA: 0.0, GRADIENT: 0.0}
        raw = float(self.raw[position])
        scale = g / raw if raw else 1.0
        parts = {
            name: self._worked(position, {**still, GRADIENT: pull * scale}, fixed, decay=False)[THETA]
            for name, pull in pulls.items()
        }
        if slots:
            parts["memory of earlier gradients"] = self._worked(
                position, {**still, **slots}, fixed, decay=False
            )[THETA]
        if self.optimizer.weight_steps and self.net.decaying[position]:
            decayed = self.optimizer.weight_steps[0][1].value({**self.letters(), THETA: theta}.__getitem__)
            parts["weight decay"] = float(decayed) - theta
        return parts

    def _worked(
        self, position: int, worth: dict[Expr, float], fixed: dict[Expr, float], decay: bool = True
    ) -> dict[Expr, float]:
        for symbol, formula in self.steps(position) if decay else self.optimizer.steps:
            worth[symbol] = fixed[symbol] if symbol in fixed else float(formula.value(worth.__getitem__))
        return worth


class UpdateDerivation:
    """Derives how parameters change.

    Parameters
    ----------
    writer : Writer
    step : Step
    """

    def __init__(self, writer: Writer, step: Step) -> None:
        self.writer, self.step, self.net = writer, step, writer.evidence.net

    def position(self, p: Quantity) -> int:
        """Where a parameter lies in the flat vector."""
        index = ",".join(map(str, p.index)) if p.index else "0"
        return int(self.net.select(f"{p.kind}{p.layer}[{index}]"))

    def parameter(self, p: Quantity) -> Iterator[Block]:
        """From the gradient to the new value of one parameter."""
        step, position = self.step, self.position(p)
        yield Heading(self.writer.words("The update of ", p), 3)
        if position in step.net.frozen:
            yield Paragraph(
                self.writer.words(p, " is frozen: it stays ", self._number(step.after[position]), ".")
            )
            return
        yield Paragraph((f"{self._settings()}.",))
        yield Lines((*self._clipping(p), *self._lines(p, position)))

    def _settings(self) -> str:
        """The optimizer and its numbers, in words."""
        optimizer = self.step.optimizer
        letters = [f"{symbol} = {value:g}" for symbol, value in self.step.letters().items() if symbol != TIME]
        if optimizer.schedule.name != "constant":
            letters[0] += f" at this step of {optimizer.schedule.spec}"
        moment = [f"t = {self.step.t}"] if optimizer.slots else []
        return f"{optimizer.name}, {', '.join([*letters, *moment])}"

    def _number(self, value: float) -> Number:
        return Number(float(value), measured=True)

    def _clipping(self, p: Quantity) -> list[Line]:
        """The gradient as it is shortened, where it is."""
        if not self.step.clipped:
            return []
        norm, limit = float(np.linalg.norm(self.step.raw)), self.step.optimizer.clip_norm
        assert limit is not None
        gradient = Rate(self.writer.evidence.cost, p)
        symbols = Symbol("c") / Call("norm", GRADIENT) * self.writer.symbols(gradient)
        numbers = self._number(limit) / self._number(norm) * self.writer.numbers(gradient)
        note = ("the gradient of all parameters is longer than clip_norm",)
        return [Line((GRADIENT, symbols, numbers, self._number(self.step.gradient[self.position(p)])), note)]

    def _lines(self, p: Quantity, position: int) -> Iterator[Line]:
        """Each step of the optimizer with the parameter's own numbers."""
        step, worth = self.step, self.step.letters()
        slots = step.remembered(position)
        worth |= {**slots, THETA: float(self.net.parameters[position])}
        worth[GRADIENT] = (
            float(step.gradient[position])
            if step.clipped
            else self.writer.values(Rate(self.writer.evidence.cost, p))
        )
        steps = step.steps(position)
        for index, (symbol, formula) in enumerate(steps):
            last = index == len(steps) - 1
            value = float(formula.value(worth.__getitem__))
            if last and self.writer.hand is None:
                value = float(step.after[position])
            if self.writer.hand:
                value = round(value, self.writer.hand.decimals)
            sides = (
                self._named(symbol, p),
                self._named(formula, p),
                formula.replace(lambda s: self._number(worth[s]) if s in worth else None),
                self._number(value),
            )
            self.writer.written[str(sides[0])] = value
            relation = "←" if symbol in (THETA, *slots) else "="
            yield Line(sides, self._slot_note(symbol, slots), relation, result=last)
            worth[symbol] = value

    def _slot_note(self, symbol: Symbol, slots: dict[Expr, float]) -> tuple[Inline, ...]:
        fresh = symbol in slots and slots[symbol] == 0 and self.step.t == 1
        return (self.writer.symbols(symbol), " starts at 0") if fresh else ()

    def _named(self, formula: Expr, p: Quantity) -> Expr:
        """θ and g by the parameter's own name."""
        own: dict[Expr, Expr] = {THETA: self.writer.symbols(p)}
        if not self.step.clipped:
            own[GRADIENT] = self.writer.symbols(Rate(self.writer.evidence.cost, p))
        return formula.replace(own.get)

    def table(self) -> Iterator[Block]:
        """All parameters, or the first of many: old value, gradient, new value."""
        step = self.step
        yield Heading(("The update",))
        yield Paragraph((f"{self._settings()}: {step.optimizer.formula}",))
        rows = [self._row(q) for q in self._parameters(min(MOST_PARAMETERS, self.net.parameters.size))]
        slots = [Symbol(name) for name in step.optimizer.slots]
        gradient = "gradient, clipped" if step.clipped else "gradient"
        yield Table(("parameter", "old", gradient, *slots, "new"), tuple(rows))
        left = self.net.parameters.size - MOST_PARAMETERS
        if left > 0:
            yield Paragraph((f"… and {left:,} more parameters: name the one you want.",), aside=True)

    def _row(self, p: Quantity) -> tuple[Inline, ...]:
        position, step = self.position(p), self.step
        frozen = position in step.net.frozen
        slots = [self._number(row[position]) for row in step.slots]
        new: Inline = "frozen" if frozen else self._number(step.after[position])
        return self.writer.words(
            p, self._number(self.net.parameters[position]), self._number(step.gradient[position]), *slots, new
        )

    def _parameters(self, count: int) -> Iterator[Quantity]:
        """The first parameters, in the order of the tutorials: weights neuron by neuron, then biases."""
        definitions = self.writer.definitions
        weights = definitions.weights()
        biases = (
            bias
            for layer in range(1, len(self.net.layers) + 1)
            for j in range(self.net.layers[layer - 1].dense.n_biases)
            if (bias := definitions.bias(layer, j))
        )
        for _, q in zip(range(count), chain(weights, biases), strict=False):
            yield q


def _squares(steps: Steps) -> list[Expr]:
    """The symbols that hold squares of gradients, and what is made of them."""
    squares: list[Expr] = []
    for symbol, formula in steps[:-1]:
        if _holds(formula, GRADIENT**2) or any(
            leaf in squares and leaf != symbol for leaf in formula.leaves()
        ):
            squares.append(symbol)
    return squares


def _holds(formula: Expr, part: Expr) -> bool:
    return formula == part or any(_holds(inner, part) for inner in formula.parts)

"""The update of a parameter: old value, gradient, learning rate, moments, new value."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.line_writer import LineWriter
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.documents.document import Block, Heading, Inline, Line, Lines, Paragraph, TableBlock
from deltarule.formula.tree import Call, Expr, Number, Steps, Symbol, measured
from deltarule.nn.network import Network
from deltarule.nn.optimizers import ETA, GRADIENT, THETA, TIME, GradientStep

#: Of a larger network the update of so many parameters is listed.
MOST_PARAMETERS = 40


class OptimizerStep:
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
        named = self.optimizer.letters.items()
        return letters | {symbol: float(getattr(self.optimizer, name)) for symbol, name in named}

    def remembered(self, position: int) -> dict[Expr, float]:
        """The optimizer's memory of one parameter, before the update."""
        rows = zip(self.optimizer.slots, self.slots, strict=True)
        return {Symbol(name): float(row[position]) for name, row in rows}

    def sources(self, position: int, pulls: dict[str, float]) -> dict[str, float]:
        """Where the change of a parameter comes from: parts of its gradient, memory, weight decay.

        What an optimizer divides by is taken as it is; the rest of every rule is linear in the gradient and
        in what is remembered of it, so that the parts add up to the change.

        ``pulls`` are the gradient in parts, before clipping.
        """
        steps, letters, slots = self.optimizer.steps, self.letters(), self.remembered(position)
        theta, g = float(self.net.parameters[position]), float(self.gradient[position])
        true = _after_steps(self.steps(position), {**letters, **slots, THETA: theta, GRADIENT: g}, {})
        fixed = {symbol: true[symbol] for symbol in _symbols_of_squares(steps)}
        still = {**letters, **dict.fromkeys(slots, 0.0), THETA: 0.0, GRADIENT: 0.0}
        raw = float(self.raw[position])
        scale = g / raw if raw else 1.0
        parts = {
            name: _after_steps(steps, {**still, GRADIENT: pull * scale}, fixed)[THETA]
            for name, pull in pulls.items()
        }
        if slots:
            parts["memory of earlier gradients"] = _after_steps(steps, {**still, **slots}, fixed)[THETA]
        if self.optimizer.weight_steps and self.net.decaying[position]:
            decayed = self.optimizer.weight_steps[0][1].value({**letters, THETA: theta}.__getitem__)
            parts["weight decay"] = float(decayed) - theta
        return parts


class UpdateDerivation:
    """Derives how parameters change."""

    def __init__(self, writer: LineWriter, step: OptimizerStep) -> None:
        self.writer, self.step, self.net = writer, step, writer.evidence.net

    def parameter(self, p: Quantity) -> Iterator[Block]:
        """From the gradient to the new value of one parameter."""
        step, position = self.step, self.writer.evidence.position(p)
        yield Heading(self.writer.words("The update of ", p), 3)
        if position in step.net.frozen:
            stays = measured(step.after[position])
            words = " is frozen: its gradient is not applied, so it stays "
            yield Paragraph(self.writer.words(p, words, stays, "."))
            return
        yield Paragraph((f"{self._settings_in_words()}.",))
        yield Lines((*self._clipping_lines(p), *self._step_lines(p, position)))

    def _settings_in_words(self) -> str:
        """The optimizer and its numbers, in words."""
        optimizer = self.step.optimizer
        letters = [f"{symbol} = {value:g}" for symbol, value in self.step.letters().items() if symbol != TIME]
        if optimizer.schedule.name != "constant":
            letters[0] += f" at this step of {optimizer.schedule.spec}"
        number = [f"t = {self.step.t}"] if optimizer.slots else []
        return f"{optimizer.name}, {', '.join([*letters, *number])}"

    def _clipping_lines(self, p: Quantity) -> list[Line]:
        """The gradient as it is shortened, where it is."""
        if not self.step.clipped:
            return []
        limit, evidence = self.step.optimizer.clip_norm, self.writer.evidence
        assert limit is not None
        gradient, clipped = Rate(evidence.cost, p), self.step.gradient[evidence.position(p)]
        symbols = Symbol("c") / Call("norm", GRADIENT) * self.writer.symbols(gradient)
        share = measured(limit) / measured(float(np.linalg.norm(self.step.raw)))
        sides = (GRADIENT, symbols, share * self.writer.numbers(gradient), measured(clipped))
        return [Line(sides, ("the gradient of all parameters is longer than clip_norm",))]

    def _step_lines(self, p: Quantity, position: int) -> Iterator[Line]:
        """Each step of the optimizer with the parameter's own numbers."""
        step, slots, steps = self.step, self.step.remembered(position), self.step.steps(position)
        known = {**step.letters(), **slots, THETA: float(self.net.parameters[position])}
        gradient = Rate(self.writer.evidence.cost, p)
        known[GRADIENT] = float(step.gradient[position]) if step.clipped else self.writer.values(gradient)
        own: dict[Expr, Expr] = {THETA: self.writer.symbols(p)}
        own |= {} if step.clipped else {GRADIENT: self.writer.symbols(gradient)}
        for index, (symbol, formula) in enumerate(steps):
            last = index == len(steps) - 1
            value = float(formula.value(known.__getitem__))
            if self.writer.rounded:
                value = round(value, self.writer.rounded.decimals)
            elif last:
                value = float(step.after[position])
            numbers = formula.replace(lambda s: measured(known[s]) if s in known else None)
            hand = self.writer.rounded
            shown = measured(value) if hand is None else Number(value, True, hand.decimals)
            sides = (symbol.replace(own.get), formula.replace(own.get), numbers, shown)
            self.writer.written[str(sides[0])] = value
            fresh = step.t == 1 and slots.get(symbol) == 0
            note: tuple[Inline, ...] = (self.writer.symbols(symbol), " starts at 0") if fresh else ()
            yield Line(sides, note, "←" if symbol in (THETA, *slots) else "=", result=last)
            known[symbol] = value

    def table(self) -> Iterator[Block]:
        """All parameters, or the first of many: old value, gradient, new value."""
        step = self.step
        yield Heading(("The update",))
        yield Paragraph((f"{self._settings_in_words()}: {step.optimizer.formula}",))
        rows = map(self._parameter_row, islice(self.writer.definitions.parameters(), MOST_PARAMETERS))
        slots = [Symbol(name) for name in step.optimizer.slots]
        gradient = "gradient, clipped" if step.clipped else "gradient"
        yield TableBlock(("parameter", "old", gradient, *slots, "new"), tuple(rows))
        left = self.net.parameters.size - MOST_PARAMETERS
        if left > 0:
            yield Paragraph((f"… and {left:,} more parameters: name the one you want.",), aside=True)

    def _parameter_row(self, p: Quantity) -> tuple[Inline, ...]:
        position, step = self.writer.evidence.position(p), self.step
        frozen = position in step.net.frozen
        gradient = (
            self.writer.evidence(Rate(self.writer.evidence.cost, p)) if frozen else step.gradient[position]
        )
        new: Inline = "not applied: frozen" if frozen else measured(step.after[position])
        slots = (row[position] for row in step.slots)
        return self.writer.words(p, *map(measured, (self.net.parameters[position], gradient, *slots)), new)


def _after_steps(steps: Steps, known: dict[Expr, float], fixed: dict[Expr, float]) -> dict[Expr, float]:
    """What each symbol is after the steps; those that are ``fixed`` keep their values."""
    for symbol, formula in steps:
        known[symbol] = fixed[symbol] if symbol in fixed else float(formula.value(known.__getitem__))
    return known


def _symbols_of_squares(steps: Steps) -> list[Expr]:
    """The symbols that hold squares of gradients, and what is made of them."""
    squares: list[Expr] = []
    for symbol, formula in steps[:-1]:
        others = (leaf for leaf in formula.leaves() if leaf != symbol)
        if contains(formula, GRADIENT**2) or any(leaf in squares for leaf in others):
            squares.append(symbol)
    return squares


def contains(formula: Expr, part: Expr) -> bool:
    """Whether a part stands somewhere in a formula."""
    return formula == part or any(contains(inner, part) for inner in formula.parts)

"""What is worked out: the quantities of one step, their formulas, and their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.definitions import Definitions
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.updates import OptimizerStep
from deltarule.formula.excel import Cell
from deltarule.formula.tree import Choice, Compare, Expr, Number, Symbol, sqrt, total
from deltarule.nn.network import Network
from deltarule.nn.objective import Penalty
from deltarule.nn.optimizers import GRADIENT, THETA, TIME, GradientStep
from deltarule.spreadsheet.finite_formulas import kept_finite

#: The letters of the penalties.
L1, L2 = Symbol("l1"), Symbol("l2")

#: Of clipping: the gradient's length, the most that it may be, and the share of the gradient that is taken.
NORM, LIMIT, SHARE = Symbol("‖g‖"), Symbol("clip_norm"), Symbol("c")

#: Where a quantity stands; None where it has no cell of its own and its formula is put in its place.
Place: TypeAlias = Callable[[Expr], Cell | None]


class UpdateLine(Expr):
    """What a line of a parameter's update gives; line 0 is what the optimizer remembers from before."""

    def __init__(self, symbol: Symbol, parameter: Quantity, number: int = 0) -> None:
        self.symbol, self.parameter, self.number = symbol, parameter, number

    @property
    def parts(self) -> list[Expr]:
        """None: a leaf."""
        return []


class SheetDefinitions(Definitions):
    """Formulas in which a symbol stands for the strength of a penalty, and every weight is written out."""

    most_written = math.inf

    def strength(self, penalty: Penalty) -> Expr:
        """Return the cell's letter: the strength may be changed."""
        return Symbol(penalty.name)


class StepModel:
    """The quantities of one step: what each is computed from, and its value.

    Parameters
    ----------
    net : Network
    x, y : ndarray
    rule : GradientStep, optional
    steps : int
        For how many steps a schedule of the learning rate is planned.
    """

    def __init__(self, net: Network, x: Array, y: Array, rule: GradientStep | None, steps: int) -> None:
        self.net, self.x, self.y, self.rule, self.planned_steps = net, x, y, rule, steps
        self.evidence = self.passes(net)
        self.definitions = SheetDefinitions(self.evidence)
        self.cost, self.n_layers = self.evidence.cost, self.evidence.n_layers
        self.n_samples = self.evidence.n_samples
        self.positions, self.trained = self.definitions.positions, self.definitions.trained

    def of_samples(self, leaf: Quantity | Rate) -> tuple[Expr, ...]:
        """A quantity or a rate of each sample, where one of the first is given; the cost is that of all."""

        def of(q: Quantity, sample: int) -> Quantity:
            return q if q.kind == "L" else Quantity(q.kind, q.layer, q.index, sample)

        samples = range(self.n_samples)
        if isinstance(leaf, Rate):
            return tuple(Rate(of(leaf.top, sample), of(leaf.by, sample)) for sample in samples)
        return tuple(of(leaf, sample) for sample in samples)

    def passes(self, net: Network) -> Evidence:
        """The forward and backward pass of a network, with its parameters as they are."""
        return Evidence(net, self.x, net.forward(self.x), self.y)

    # ------------------------------------------------------------------ given

    @cached_property
    def settings(self) -> dict[Expr, float]:
        """The numbers that stand for themselves: the learning rate, the optimizer's letters, penalties."""
        settings: dict[Expr, float] = {}
        if self.rule is not None:
            settings |= self.step.letters()
            if not any(TIME in formula.leaves() for _, formula in self.rule.steps):
                del settings[TIME]
            settings |= {} if self.rule.clip_norm is None else {LIMIT: self.rule.clip_norm}
        return settings | {Symbol(penalty.name): value for penalty, value in self.net.objective.penalties}

    @cached_property
    def step(self) -> OptimizerStep:
        """The first update."""
        assert self.rule is not None
        rate = self.rule.schedule(0, self.planned_steps)
        return OptimizerStep(self.net, self.evidence.grads.flat, self.rule, rate=rate)

    @property
    def is_scheduled(self) -> bool:
        """Whether the learning rate changes from step to step."""
        return self.rule is not None and self.rule.schedule.name != "constant"

    # ------------------------------------------------------------------ formulas

    def define(self, leaf: Expr) -> Expr:
        """The formula of a quantity, with each hyperparameter as a symbol."""
        if isinstance(leaf, UpdateLine):
            return self._updates[leaf.parameter][leaf]
        if isinstance(leaf, Symbol):
            return self._clipping[leaf]
        if isinstance(leaf, Quantity) and leaf.kind == "delta" and self.is_fused(leaf.layer):
            return self.definitions.fused_delta(leaf)
        formula = self.definitions(leaf)
        assert formula is not None, leaf
        return kept_finite(formula) if self._meets_zero and _is_of_loss(leaf) else formula

    @cached_property
    def _meets_zero(self) -> bool:
        """Whether outputs lie where the loss has a log 0 or a 1/0, as those of a ReLU do for poisson."""
        low, high = self.net.loss.domain
        z = np.random.default_rng(0).normal(size=(64, self.net.sizes[-1]))
        a = self.net.objective.output.value(z)
        return bool(a.min() <= low or a.max() >= high)

    def is_fused(self, layer: int) -> bool:
        """Whether the deltas of a layer shorten to a − y."""
        return layer == self.n_layers and self.net.objective.fused is not None

    @cached_property
    def _clipping(self) -> dict[Expr, Expr]:
        """The gradient's length, and the share of it that is taken."""
        squares = [Rate(self.cost, p) ** 2 for p in self.trained]
        return {NORM: sqrt(total(squares)), SHARE: Choice(LIMIT / NORM, Compare(NORM, ">", LIMIT), Number(1))}

    def lines(self, p: Quantity) -> list[UpdateLine]:
        """The lines of the update of a parameter, in order; none of a frozen one."""
        return list(self._updates.get(p, ()))

    @cached_property
    def _updates(self) -> dict[Quantity, dict[UpdateLine, Expr]]:
        return {p: dict(self._lines_of(p)) for p in self.trained} if self.rule else {}

    def _lines_of(self, p: Quantity) -> Iterator[tuple[UpdateLine, Expr]]:
        assert self.rule is not None
        gradient: Expr = Rate(self.cost, p)
        known: dict[Expr, Expr] = {Symbol(slot): UpdateLine(Symbol(slot), p) for slot in self.rule.slots}
        known |= {THETA: p, GRADIENT: SHARE * gradient if LIMIT in self.settings else gradient}
        for number, (symbol, formula) in enumerate(self.step.steps(self.positions[p]), start=1):
            line = UpdateLine(symbol, p, number)
            yield line, formula.replace(known.get)
            known[symbol] = line

    def placed(self, formula: Expr, place: Place) -> Expr:
        """The formula over quantities that have a cell."""

        def put_in(part: Expr) -> Expr | None:
            if not isinstance(part, Quantity | Rate | UpdateLine) or place(part) is not None:
                return None
            return self.placed(self.define(part), place)

        return formula.replace(put_in)

    # ------------------------------------------------------------------ numbers

    def value(self, leaf: Expr) -> float:
        """Return the value of a quantity of the first step."""
        if isinstance(leaf, UpdateLine):
            if leaf == self.lines(leaf.parameter)[-1]:
                return float(self.step.after[self.positions[leaf.parameter]])
            return float(self.define(leaf).value(self.value)) if leaf.number else 0.0
        if leaf in (NORM, SHARE):
            return clipping_value(leaf, self.step)
        return self.settings[leaf] if leaf in self.settings else self.evidence(leaf)

    def run(self, steps: int) -> Iterator[RunSnapshot]:
        """The network before the first step and after each, as training makes it."""
        net, rule = self.net.copy(), self.rule
        assert rule is not None
        slots, rates = rule.start(net.parameters), rule.schedule.rates(np.arange(float(steps)), steps)
        with np.errstate(all="ignore"):
            for number in range(steps + 1):
                evidence, rate = self.passes(net), float(rates[min(number, steps - 1)])
                step = OptimizerStep(net, evidence.grads.flat, rule, slots, rate)
                yield RunSnapshot(number, evidence, step, float(rates[number - 1]))
                rule.update(net.parameters, step.gradient, slots, step.rate, number + 1, net.decaying)


@dataclass(frozen=True, eq=False)
class RunSnapshot:
    """A training run after so many steps, before ``step``; ``rate`` is the learning rate of the last."""

    number: int
    evidence: Evidence
    step: OptimizerStep
    rate: float


def _is_of_loss(leaf: Expr) -> bool:
    """Whether a quantity is worked out by the formula of the loss, or by its derivative."""
    if isinstance(leaf, Rate):
        return leaf.top.kind == "E"
    return isinstance(leaf, Quantity) and leaf.kind == "term"


def clipping_value(leaf: Expr, step: OptimizerStep) -> float:
    """The gradient's length, or the share of it that is taken."""
    norm, limit = float(np.linalg.norm(step.raw)), step.optimizer.clip_norm
    assert limit is not None
    return norm if leaf == NORM else limit / norm if norm > limit else 1.0

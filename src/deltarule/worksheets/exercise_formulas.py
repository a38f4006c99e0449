"""How each quantity of an exercise is computed by hand: its formula, its exact and its rounded value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from deltarule.derivations.definitions import Definitions
from deltarule.derivations.notation import TutorialNotation
from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.derivations.rounded_evidence import RoundedEvidence
from deltarule.formula.tree import Expr, Mul, Number, Words, total
from deltarule.nn.optimizers import GRADIENT, THETA
from deltarule.worksheets.exercise import Exercise

#: In the order in which they are worked out.
PARTS = ("forward", "loss", "deltas", "gradients", "update")


class WorksheetNotation(TutorialNotation):
    """The tutorials' notation, with a name for a parameter after the update."""

    def of(self, q: Quantity) -> Expr:
        parameter = parameter_updated_to(q)
        return super().of(q) if parameter is None else Mul((Words("new"), super().of(parameter)), op="")


def parameter_updated_to(leaf: Expr) -> Quantity | None:
    """Return the parameter whose value after the update ``leaf`` is; None of any other quantity."""
    if not isinstance(leaf, Quantity) or leaf.kind != "new":
        return None
    return Quantity("W" if len(leaf.index) == 2 else "b", leaf.layer, leaf.index)


def quantities_in(formula: Expr) -> list[Expr]:
    """Return the quantities and derivatives that a formula is computed from, in order."""
    return [leaf for leaf in formula.leaves() if isinstance(leaf, Quantity | Rate | Path)]


class ExerciseFormulas:
    """How each quantity of an exercise is computed, in the form that people use when they work by hand."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise, self.evidence, self.step = exercise, exercise.evidence, exercise.step
        self.definitions, self.net = Definitions(exercise.evidence), exercise.net
        self.positions, self.parameters = self.definitions.positions, self.definitions.trained
        self._leaves: dict[str, list[Expr]] = {}
        self.names = WorksheetNotation(self.net, None, self.evidence.n_samples, self.evidence.cost_is_loss)

    def __call__(self, leaf: Expr) -> Expr | None:
        """Return the formula of a quantity; None for what is given."""
        parameter = parameter_updated_to(leaf)
        if parameter is not None:
            return self.updated(parameter)
        if isinstance(leaf, Quantity) and leaf.kind == "delta":
            return self._delta(leaf)
        if isinstance(leaf, Quantity) and leaf.kind == "E" and self.net.sizes[-1] == 1:
            return self.definitions(Quantity("term", self.evidence.n_layers, (0,), leaf.sample))
        return self.definitions(leaf)

    def all(self, leaf: Expr) -> list[Expr]:
        """Return every right formula: the short one, and the chain rule where it is another."""
        found = [self(leaf)]
        if parameter_updated_to(leaf) is None:
            found.append(self.definitions(leaf))
        return list(dict.fromkeys(formula for formula in found if formula is not None))

    def exact(self, leaf: Expr) -> float:
        """Return the value of a quantity in full precision."""
        parameter = parameter_updated_to(leaf)
        if parameter is None:
            return self.evidence(leaf)
        assert self.step is not None
        return float(self.step.after[self.positions[parameter]])

    def by_hand(self, decimals: int) -> dict[Expr, float]:
        """Return the value of each quantity to somebody who rounds at every step."""
        hand = RoundedEvidence(self.evidence, decimals)
        values = {leaf: hand(leaf) for part in PARTS[:-1] for leaf in self.leaves(part)}
        values |= {leaf: hand(leaf) for leaf in self.frozen_gradients()}
        for p in self.parameters if self.step is not None else ():
            new = Quantity("new", p.layer, p.index)
            values[new] = round(float(self.updated(p).value(hand)), decimals)
        return values

    @property
    def is_fused(self) -> bool:
        """Whether an output's delta shortens to out − y."""
        return self.net.objective.fused is not None

    def leaves(self, part: str) -> list[Expr]:
        """Return the quantities of a part, in the order in which they are worked out."""
        if part not in self._leaves:
            found: dict[str, Iterable[Expr]] = {
                "forward": self._neurons("za", forwards=True),
                "loss": self._losses(),
                "deltas": self._neurons(("delta",), forwards=False),
                "gradients": (Rate(self.evidence.cost, p) for p in self.parameters),
                "update": (Quantity("new", p.layer, p.index) for p in self.parameters),
            }
            self._leaves[part] = list(found[part])
        return self._leaves[part]

    def _neurons(self, kinds: Iterable[str], forwards: bool) -> Iterator[Quantity]:
        layers = range(1, self.evidence.n_layers + 1)
        for sample in range(self.evidence.n_samples):
            for layer in layers if forwards else reversed(layers):
                for j in range(self.net.sizes[layer]):
                    yield from (Quantity(kind, layer, (j,), sample) for kind in kinds)

    def _losses(self) -> Iterator[Quantity]:
        """Of each sample: the terms of its outputs, unless most are 0, and their sum; then the cost."""
        last, n_outputs = self.evidence.n_layers, self.net.sizes[-1]
        for sample in range(self.evidence.n_samples):
            if n_outputs > 1 and not self.net.loss.distribution:
                yield from (Quantity("term", last, (k,), sample) for k in range(n_outputs))
            yield Quantity("E", sample=sample)
        if not self.evidence.cost_is_loss:
            yield Quantity("L")

    def frozen_gradients(self) -> list[Expr]:
        """Return the gradients that no update takes."""
        trained = set(self.parameters)
        return [Rate(self.evidence.cost, p) for p in self.positions if p not in trained]

    def _delta(self, q: Quantity) -> Expr:
        if q.layer == self.evidence.n_layers and self.is_fused:
            return self.definitions.fused_delta(q)
        if q.layer < self.evidence.n_layers and not self.evidence.is_coupled(q.layer):
            a, z = (Quantity(kind, q.layer, q.index, q.sample) for kind in "az")
            return total(self.definitions.passed_back(a)) * Rate(a, z)
        return self.definitions(q) or q

    def updated(self, p: Quantity, changed: Mapping[Expr, float] | None = None) -> Expr:
        """Return a parameter's update over its old value and its gradient, with the optimizer's numbers.

        ``changed`` are letters of the optimizer, or its memory, that are to be other than they are.
        """
        assert self.step is not None
        values = {**self.step.letters(), **self.step.remembered(self.positions[p]), **(changed or {})}
        return self._update(p, {symbol: Number(value, measured=True) for symbol, value in values.items()})

    def _update(self, p: Quantity, known: Mapping[Expr, Expr]) -> Expr:
        """The optimizer's steps put into each other; a symbol that is not known stays."""
        assert self.step is not None
        worked_out = {**known, THETA: p, GRADIENT: Rate(self.evidence.cost, p)}
        for symbol, formula in self.step.steps(self.positions[p]):
            worked_out[symbol] = formula.replace(worked_out.get)
        return worked_out[THETA]

    def shown(self, leaf: Expr) -> Expr | None:
        """Return the formula as a sheet prints it: of an update with the optimizer's letters."""
        parameter = parameter_updated_to(leaf)
        return self(leaf) if parameter is None else self._update(parameter, {})

    def symbol(self, leaf: Expr) -> Expr:
        """Return the quantity's name; of a new value the parameter's own, which stands before ←."""
        return self.names.write(parameter_updated_to(leaf) or leaf)

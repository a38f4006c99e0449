"""The rows of the sheet "network": which quantities, in which order, and each in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.tree import Expr, Symbol
from deltarule.nn.optimizers import ETA, THETA, TIME
from deltarule.spreadsheet.model import L1, L2, LIMIT, NORM, SHARE, Model, UpdateLine
from deltarule.spreadsheet.names import Names

__all__ = ["Part", "Row", "Rows", "rate_of", "sampled"]


@dataclass(frozen=True)
class Row:
    """A quantity on a row of its own: a cell for each sample, or one."""

    leaves: tuple[Expr, ...]
    what: str
    given: bool = False
    result: bool = False


@dataclass(frozen=True)
class Part:
    """Rows under a heading."""

    title: str
    rows: tuple[Row, ...]


class Rows:
    """What is on the sheet, in parts.

    Parameters
    ----------
    model : Model
    names : Names
    """

    def __init__(self, model: Model, names: Names) -> None:
        self.model, self.names = model, names

    def parts(self) -> Iterator[Part]:
        """All rows, from the given numbers down to the update."""
        yield Part("Given: inputs and targets", tuple(self.data()))
        yield Part("Given: weights and biases", tuple(map(self._parameter, self.model.parameters)))
        yield Part("Given: settings", tuple(self._settings()))
        yield Part("Forward pass", tuple(self._forward()))
        yield Part("Loss", tuple(self._loss()))
        yield Part("Backward pass", tuple(self._backward()))
        yield Part("Gradients", tuple(self._gradients()))
        if self.model.rule is not None:
            yield Part("Given: what the optimizer remembers from before", tuple(self._memory()))
            yield Part(f"Update ({self.model.rule.name})", tuple(self._update()))

    def _each(self, leaf: Callable[[int], Expr], what: str, **more: bool) -> Row:
        """A row with a cell for each sample."""
        return Row(tuple(map(leaf, range(self.model.n_samples))), what, **more)

    def data(self) -> Iterator[Row]:
        """Inputs and targets."""
        last, sizes = self.model.n_layers, self.model.net.sizes
        for i in range(sizes[0]):
            yield self._each(sampled("a", 0, i), f"input {i + 1}", given=True)
        for k in range(sizes[-1]):
            yield self._each(sampled("y", last, k), f"target of {self.names.neuron(last, k)}", given=True)

    def _parameter(self, p: Quantity) -> Row:
        neuron = self.names.neuron
        if p.kind == "W":
            i, j = p.index
            what = f"weight from {neuron(p.layer - 1, i)} to {neuron(p.layer, j)}"
        elif p.index:
            what = f"bias of {neuron(p.layer, p.index[0])}"
        else:
            what = f"bias that layer {p.layer} shares"
        return Row((p,), what if p in self.model.trained else f"{what}; frozen", given=True)

    def _settings(self) -> Iterator[Row]:
        model = self.model
        words: dict[Expr, str] = {
            ETA: "learning rate", TIME: "number of this update", LIMIT: "greatest length of the gradient",
            L1: "penalty on Σ|w|", L2: "penalty on Σw²/2",
        }  # fmt: skip
        words |= {} if model.rule is None else {k: v.replace("_", " ") for k, v in model.rule.letters.items()}
        for letter in model.settings:
            yield Row((letter,), words[letter], given=True)

    def _forward(self) -> Iterator[Row]:
        for layer in range(1, self.model.n_layers + 1):
            activation = self.model.evidence.layer(layer).activation.name
            for j in range(self.model.net.sizes[layer]):
                neuron = self.names.neuron(layer, j)
                yield self._each(sampled("z", layer, j), f"weighted input of {neuron}")
                yield self._each(sampled("a", layer, j), f"output of {neuron}: {activation}")

    def _loss(self) -> Iterator[Row]:
        model, last = self.model, self.model.n_layers
        words = model.net.loss.name.replace("_", " ")
        outputs = range(model.net.sizes[-1])
        if len(outputs) > 1:
            for k in outputs:
                yield self._each(sampled("term", last, k), f"{words} of {self.names.neuron(last, k)}")
        yield self._each(lambda s: Quantity("E", sample=s), f"loss: {words}", result=model.evidence.plain)
        for penalty in model.definitions.penalties():
            yield Row((penalty,), f"penalty on the weights, l{penalty.index[0]}")
        if not model.evidence.plain:
            yield Row((model.cost,), self._cost_in_words(), result=True)

    def _cost_in_words(self) -> str:
        objective, n = self.model.net.objective, self.model.n_samples
        data = "loss" if n == 1 else f"{objective.reduction} of the losses of {n} samples"
        return f"cost: {data}{' and penalty' if objective.l1 or objective.l2 else ''}"

    def _backward(self) -> Iterator[Row]:
        model = self.model
        if not model.evidence.is_single:
            yield Row((Rate(Quantity("L"), Quantity("E")),), "share of each sample in the cost")
        for layer in range(model.n_layers, 0, -1):
            if not model.is_fused(layer):
                yield from self._factors(layer)
            for j in range(model.net.sizes[layer]):
                neuron = self.names.neuron(layer, j)
                what = f"delta of {neuron}: how the {self._loss_or_cost} changes with net_{neuron}"
                yield self._each(sampled("delta", layer, j), what)

    @property
    def _loss_or_cost(self) -> str:
        return "loss" if self.model.evidence.plain else "cost"

    def _factors(self, layer: int) -> Iterator[Row]:
        """∂E/∂a, and the slopes ∂a/∂z, of all neurons of a layer."""
        model, neurons = self.model, range(self.model.net.sizes[layer])
        of_output = layer == model.n_layers
        top, cost = (Quantity("E"), "loss") if of_output else (model.cost, self._loss_or_cost)
        activation = model.evidence.layer(layer).activation.name
        for j in neurons:
            what = f"how the {cost} changes with out_{self.names.neuron(layer, j)}"
            yield self._each(rate_of(top, Quantity("a", layer, (j,))), what)
        for j in neurons:
            for k in neurons if model.evidence.is_coupled(layer) else (j,):
                a, z = Quantity("a", layer, (j,)), Quantity("z", layer, (k,))
                yield self._each(rate_of(a, z), f"slope of the {activation} at {self.names.neuron(layer, k)}")

    def _gradients(self) -> Iterator[Row]:
        for p in self.model.parameters:
            yield Row((Rate(self.model.cost, p),), f"gradient of {self.names.name(p)}")
        if LIMIT in self.model.settings:
            yield Row((NORM,), "length of the gradient of all trained parameters")
            yield Row((SHARE,), "share of the gradient that is taken")

    def _memory(self) -> Iterator[Row]:
        assert self.model.rule is not None
        for slot in self.model.rule.slots:
            for p in self.model.trained:
                yield Row((UpdateLine(Symbol(slot), p),), f"{slot} before the update", given=True)

    def _update(self) -> Iterator[Row]:
        for p in self.model.trained:
            for line in self.model.lines(p):
                yield Row((line,), self._line_in_words(line), result=self.names.is_last(line))

    def _line_in_words(self, line: UpdateLine) -> str:
        """What a line of the update gives."""
        assert self.model.rule is not None
        parameter = self.names.name(line.parameter)
        if line.symbol == THETA:
            return f"{parameter} after {'the update' if self.names.is_last(line) else 'weight decay'}"
        if line.symbol.base in self.model.rule.slots and not line.symbol.accent:
            return f"{line.symbol} after the update"
        return f"for the update of {parameter}"


def sampled(kind: str, layer: int, index: int) -> Callable[[int], Expr]:
    """A quantity, for any sample."""
    return lambda sample: Quantity(kind, layer, (index,), sample)


def rate_of(top: Quantity, by: Quantity) -> Callable[[int], Expr]:
    """A derivative, for any sample; the cost is that of all."""

    def of(sample: int) -> Expr:
        whole = top.kind == "L"
        above = top if whole else Quantity(top.kind, top.layer, top.index, sample)
        return Rate(above, Quantity(by.kind, by.layer, by.index, sample))

    return of

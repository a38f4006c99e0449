"""The rows of the sheet "network": which quantities, in which order, and each in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.tree import Expr, Symbol
from deltarule.nn.optimizers import ETA, THETA, TIME
from deltarule.spreadsheet.cell_names import CellNames
from deltarule.spreadsheet.step_model import L1, L2, LIMIT, NORM, SHARE, StepModel, UpdateLine


@dataclass(frozen=True)
class SheetRow:
    """A quantity on a row of its own: a cell for each sample, or one."""

    leaves: tuple[Expr, ...]
    what: str
    given: bool = False
    result: bool = False


class NetworkRows:
    """What is on the sheet, in parts."""

    def __init__(self, model: StepModel, names: CellNames) -> None:
        self.model, self.names, self.neuron = model, names, names.neuron

    def parts(self) -> Iterator[tuple[str, Iterable[SheetRow]]]:
        """All rows under their headings, from the given numbers down to the update."""
        yield "Given: inputs and targets", self.data_rows()
        yield "Given: weights and biases", map(self._parameter_row, self.model.positions)
        yield "Given: settings", self._setting_rows()
        yield "Forward pass", self._forward_rows()
        yield "Loss", self._loss_rows()
        yield "Backward pass", self._backward_rows()
        yield "Gradients", self._gradient_rows()
        if self.model.rule is not None:
            yield "Given: what the optimizer remembers from before", self._memory_rows()
            yield f"Update ({self.model.rule.name})", self._update_rows()

    def _sample_row(self, leaf: Quantity | Rate, what: str, given: bool = False) -> SheetRow:
        """A row with a cell for each sample."""
        return SheetRow(self.model.of_samples(leaf), what, given)

    def data_rows(self) -> Iterator[SheetRow]:
        """Inputs and targets."""
        last, sizes = self.model.n_layers, self.model.net.sizes
        for i in range(sizes[0]):
            yield self._sample_row(Quantity("a", 0, (i,)), f"input {i + 1}", given=True)
        for k in range(sizes[-1]):
            yield self._sample_row(Quantity("y", last, (k,)), f"target of {self.neuron(last, k)}", given=True)

    def _parameter_row(self, p: Quantity) -> SheetRow:
        if p.kind == "W":
            i, j = p.index
            what = f"weight from {self.neuron(p.layer - 1, i)} to {self.neuron(p.layer, j)}"
        elif p.index:
            what = f"bias of {self.neuron(p.layer, p.index[0])}"
        else:
            what = f"bias that layer {p.layer} shares"
        return SheetRow((p,), what if p in self.model.trained else f"{what}; frozen", given=True)

    def _setting_rows(self) -> Iterator[SheetRow]:
        model = self.model
        words: dict[Expr, str] = {
            ETA: "learning rate", TIME: "number of this update", LIMIT: "greatest length of the gradient",
            L1: "penalty on Σ|w|", L2: "penalty on Σw²/2",
        }  # fmt: skip
        words |= {} if model.rule is None else {k: v.replace("_", " ") for k, v in model.rule.letters.items()}
        for letter in model.settings:
            yield SheetRow((letter,), words[letter], given=True)

    def _forward_rows(self) -> Iterator[SheetRow]:
        for layer in range(1, self.model.n_layers + 1):
            activation = self.model.evidence.layer(layer).activation.name
            for j in range(self.model.net.sizes[layer]):
                neuron, z = self.neuron(layer, j), Quantity("z", layer, (j,))
                yield self._sample_row(z, f"weighted input of {neuron}")
                yield self._sample_row(z.at("a"), f"output of {neuron}: {activation}")

    def _loss_rows(self) -> Iterator[SheetRow]:
        model, last = self.model, self.model.n_layers
        words = model.net.loss.name.replace("_", " ")
        outputs = range(model.net.sizes[-1])
        for k in outputs if len(outputs) > 1 else ():
            yield self._sample_row(Quantity("term", last, (k,)), f"{words} of {self.neuron(last, k)}")
        is_cost = model.evidence.cost_is_loss
        yield SheetRow(model.of_samples(Quantity("E")), f"loss: {words}", result=is_cost)
        for penalty in model.definitions.penalties():
            yield SheetRow((penalty,), f"penalty on the weights, l{penalty.index[0]}")
        if not is_cost:
            yield SheetRow((model.cost,), self._cost_in_words(), result=True)

    def _cost_in_words(self) -> str:
        objective, n = self.model.net.objective, self.model.n_samples
        data = "loss" if n == 1 else f"{objective.reduction} of the losses of {n} samples"
        return f"cost: {data}{' and penalty' if objective.l1 or objective.l2 else ''}"

    def _backward_rows(self) -> Iterator[SheetRow]:
        model = self.model
        if not model.evidence.is_single:
            yield SheetRow((Rate(Quantity("L"), Quantity("E")),), "share of each sample in the cost")
        for layer in range(model.n_layers, 0, -1):
            if not model.is_fused(layer):
                yield from self._factor_rows(layer)
            for j in range(model.net.sizes[layer]):
                neuron = self.neuron(layer, j)
                what = f"delta of {neuron}: how the {model.evidence.cost_word} changes with net_{neuron}"
                yield self._sample_row(Quantity("delta", layer, (j,)), what)

    def _factor_rows(self, layer: int) -> Iterator[SheetRow]:
        """∂E/∂a, and the slopes ∂a/∂z, of all neurons of a layer."""
        model, neurons = self.model, range(self.model.net.sizes[layer])
        of_output = layer == model.n_layers
        top, cost = (Quantity("E"), "loss") if of_output else (model.cost, model.evidence.cost_word)
        activation = model.evidence.layer(layer).activation.name
        for j in neurons:
            what = f"how the {cost} changes with out_{self.neuron(layer, j)}"
            yield self._sample_row(Rate(top, Quantity("a", layer, (j,))), what)
        for j in neurons:
            for k in neurons if model.evidence.is_coupled(layer) else (j,):
                slope = Rate(Quantity("a", layer, (j,)), Quantity("z", layer, (k,)))
                yield self._sample_row(slope, f"slope of the {activation} at {self.neuron(layer, k)}")

    def _gradient_rows(self) -> Iterator[SheetRow]:
        for p in self.model.positions:
            yield SheetRow((Rate(self.model.cost, p),), f"gradient of {self.names.name(p)}")
        if LIMIT in self.model.settings:
            yield SheetRow((NORM,), "length of the gradient of all trained parameters")
            yield SheetRow((SHARE,), "share of the gradient that is taken")

    def _memory_rows(self) -> Iterator[SheetRow]:
        assert self.model.rule is not None
        for slot in self.model.rule.slots:
            for p in self.model.trained:
                yield SheetRow((UpdateLine(Symbol(slot), p),), f"{slot} before the update", given=True)

    def _update_rows(self) -> Iterator[SheetRow]:
        for p in self.model.trained:
            for line in self.model.lines(p):
                yield SheetRow((line,), self._line_in_words(line), result=self.names.is_last(line))

    def _line_in_words(self, line: UpdateLine) -> str:
        """What a line of the update gives."""
        assert self.model.rule is not None
        parameter = self.names.name(line.parameter)
        if line.symbol == THETA:
            return f"{parameter} after {'the update' if self.names.is_last(line) else 'weight decay'}"
        if line.symbol.base in self.model.rule.slots and not line.symbol.accent:
            return f"{line.symbol} after the update"
        return f"for the update of {parameter}"

"""What stands in which column of the sheet "training", and its formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, product

from deltarule.derivations.notation import TutorialNotation
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.excel import Cell, excel
from deltarule.formula.tree import Expr, Symbol
from deltarule.nn.optimizers import ETA, TIME
from deltarule.spreadsheet.network_layout import NetworkLayout, found, on_network_sheet
from deltarule.spreadsheet.network_rows import NetworkRows
from deltarule.spreadsheet.step_model import (
    LIMIT,
    NORM,
    SHARE,
    Place,
    RunSnapshot,
    StepModel,
    UpdateLine,
    clipping_value,
)

#: The groups of columns that work a step out; all others are its state.
WORKING = ("forward pass", "backward pass", "gradients")

#: Stand for the number of a row, and of the row before, until it is known.
_NOW, _BEFORE = "{0}", "{1}"


@dataclass(frozen=True)
class TrainingColumn:
    """A quantity in a column: its formula in the first row, and in each other."""

    leaf: Expr
    group: str
    first: str
    other: str


class TrainingLayout:
    """What stands in which column: parameters, what the optimizer remembers, and one step's working.

    ``network`` is where the given numbers are.
    """

    STEP, COST, PARAMETERS = 0, 1, 2

    def __init__(self, model: StepModel, network: NetworkLayout) -> None:
        self.model, self.network = model, network
        self.notation = TutorialNotation(model.net, None, model.n_samples, model.evidence.cost_is_loss)
        self._memory = dict.fromkeys(line for p in model.trained for line in self._remembered(p))
        leaves = list(self._leaves_in_order())
        self._at = {leaf: column for column, (leaf, _) in enumerate(leaves)}
        self.columns = [self._training_column(leaf, group) for leaf, group in leaves]

    def _remembered(self, p: Quantity) -> Iterator[UpdateLine]:
        """The lines of the update that a later update goes on from."""
        assert self.model.rule is not None
        slots = [Symbol(slot) for slot in self.model.rule.slots]
        return (line for line in self.model.lines(p) if line.symbol in slots)

    def _leaves_in_order(self) -> Iterator[tuple[Expr, str]]:
        model = self.model
        yield TIME, "step"
        yield model.cost, model.evidence.cost_word
        yield from ((p, "parameters") for p in model.positions)
        for slot in model.rule.slots if model.rule else ():
            yield from ((line, f"memory {slot}") for line in self._memory if line.symbol == Symbol(slot))
        if model.is_scheduled:
            yield ETA, "learning rate"
        yield from ((leaf, "forward pass") for leaf in self._forward_leaves())
        yield from ((leaf, "backward pass") for leaf in self._backward_leaves())
        yield from ((Rate(model.cost, p), "gradients") for p in model.trained)
        if LIMIT in model.settings:
            yield from ((leaf, "gradients") for leaf in (NORM, SHARE))

    def _forward_leaves(self) -> Iterator[Expr]:
        model, sizes = self.model, self.model.net.sizes
        for layer in range(1, len(sizes)):
            for kind, j in product("za", range(sizes[layer])):
                yield from model.of_samples(Quantity(kind, layer, (j,)))
        if not model.evidence.cost_is_loss:
            yield from model.of_samples(Quantity("E"))

    def _backward_leaves(self) -> Iterator[Expr]:
        model = self.model
        for layer in range(model.n_layers, 0, -1):
            leaves: list[Quantity | Rate] = []
            if model.evidence.is_coupled(layer) and not model.is_fused(layer):
                top = Quantity("E") if layer == model.n_layers else model.cost
                leaves += [Rate(top, Quantity("a", layer, (j,))) for j in range(model.net.sizes[layer])]
            leaves += [Quantity("delta", layer, (j,)) for j in range(model.net.sizes[layer])]
            yield from chain.from_iterable(map(model.of_samples, leaves))

    # ------------------------------------------------------------------ formulas

    def _training_column(self, leaf: Expr, group: str) -> TrainingColumn:
        place, model = self.network.places, self.model
        if leaf == TIME:
            start = f"={on_network_sheet(place[TIME])}-1" if TIME in place else ""
            return TrainingColumn(leaf, group, start, f"={Cell(_BEFORE, self.STEP)}+1")
        if leaf == ETA:
            return TrainingColumn(leaf, group, "", "")
        if isinstance(leaf, UpdateLine):
            before, lines = place[UpdateLine(leaf.symbol, leaf.parameter)], [leaf]
        elif isinstance(leaf, Quantity) and leaf in model.positions:
            before, lines = place[leaf], model.lines(leaf)
        else:
            formula = self._formula(model.define(leaf), self._now)
            return TrainingColumn(leaf, group, formula, formula)
        kept = f"={Cell(_BEFORE, self._at[leaf])}"  # of a frozen parameter
        new = self._formula(model.define(lines[-1]), self._after_update) if lines else kept
        return TrainingColumn(leaf, group, f"={on_network_sheet(before)}", new)

    def _formula(self, formula: Expr, place: Place) -> str:
        placed = self.model.placed(formula, place)
        # No SUM(DC5:DF5): LibreOffice 7.4 works out 100 like formulas in parallel, and such ranges too early.
        return excel(placed, lambda leaf: found(place(leaf)), ranges=False)

    def _now(self, leaf: Expr) -> Cell | None:
        """Where a quantity of this row's passes stands."""
        if leaf in self._at:
            return Cell(_NOW, self._at[leaf])
        given = self.model.settings.keys() | self._data_leaves
        return on_network_sheet(self.network.places[leaf]) if leaf in given else None

    @cached_property
    def _data_leaves(self) -> set[Expr]:
        rows = NetworkRows(self.model, self.network.names).data_rows()
        return {leaf for row in rows for leaf in row.leaves}

    def _after_update(self, leaf: Expr) -> Cell | None:
        """Where a quantity stands for the update that leads to this row: mostly in the row before."""
        if leaf in (TIME, ETA) or leaf in self._memory:
            return self._now(leaf)
        if isinstance(leaf, UpdateLine) and leaf.number == 0:
            (leaf,) = (line for line in self._remembered(leaf.parameter) if line.symbol == leaf.symbol)
        return Cell(_BEFORE, self._at[leaf]) if leaf in self._at else self._now(leaf)

    # ------------------------------------------------------------------ names and numbers

    def name(self, leaf: Expr) -> str:
        """The heading of a column."""
        if isinstance(leaf, UpdateLine):
            return self.network.names.name(leaf)
        return "n" if leaf == TIME else str(self.notation.write(leaf))

    def values(self, snapshot: RunSnapshot) -> Iterator[float]:
        """The numbers of a row, as training computes them."""
        given: dict[Expr, float] = {TIME: float(snapshot.number), ETA: snapshot.rate}
        for column in self.columns:
            leaf = column.leaf
            if leaf in (NORM, SHARE):
                yield clipping_value(leaf, snapshot.step)
            elif isinstance(leaf, UpdateLine):
                yield snapshot.step.remembered(self.model.positions[leaf.parameter])[leaf.symbol]
            else:
                yield given[leaf] if leaf in given else snapshot.evidence(leaf)

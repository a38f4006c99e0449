"""What stands where on the sheet "network", and the formula in each cell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.excel import Cell, excel
from deltarule.formula.text import text
from deltarule.formula.tree import Expr, Total, total
from deltarule.spreadsheet.cell_names import CellNames, shortened
from deltarule.spreadsheet.network_rows import NetworkRows, SheetRow
from deltarule.spreadsheet.step_model import StepModel


class NetworkLayout:
    """What stands where on the sheet: every quantity of one step.

    ``head`` is the row, from 0, of the headings; the first part begins on the next.
    """

    VALUES = 3  # the column of the first values

    def __init__(self, model: StepModel, head: int) -> None:
        self.model, self.head, self.names = model, head, CellNames(model)
        self.width = self.VALUES + model.n_samples
        parts = ((title, list(rows)) for title, rows in NetworkRows(model, self.names).parts())
        listed: list[list[str | SheetRow]] = [[title, *rows] for title, rows in parts if rows]
        self.rows = dict(enumerate(chain.from_iterable(listed), start=head + 1))
        self.places = dict(self._all_places())

    def _all_places(self) -> Iterator[tuple[Expr, Cell]]:
        for row, each in self.rows.items():
            if isinstance(each, SheetRow):
                fixed = len(each.leaves) == 1 and (self.model.n_samples > 1 or each.given)
                for column, leaf in enumerate(each.leaves, start=self.VALUES):
                    yield leaf, Cell(row, column, fixed=fixed)

    def place(self, leaf: Expr) -> Cell | None:
        """Where a quantity stands, if it has a cell; a sample's share of the cost is that of all."""
        if isinstance(leaf, Rate) and leaf.by.kind == "E":
            leaf = Rate(leaf.top, Quantity("E"))
        return self.places.get(leaf)

    def formula(self, leaf: Expr) -> str:
        """What a cell holds."""
        formula = self.model.placed(self.model.define(leaf), self.place)
        return excel(formula, lambda part: found(self.place(part)))

    def symbols(self, leaf: Expr) -> str:
        """The formula as a person writes it, for any one sample."""
        formula = self.model.placed(self._for_any_sample(leaf), self.place)
        return text(shortened(self.names.in_symbols(formula)))

    def _for_any_sample(self, leaf: Expr) -> Expr:
        """Of several samples the sum over them, Σₙ, is not written out."""
        model, n = self.model, self.model.n_samples
        if n == 1:
            return model.define(leaf)
        if isinstance(leaf, Rate) and leaf.by.kind in ("W", "b"):
            pulls = model.definitions.pulls(leaf.by)
            first = Total("n", total(pulls[: len(pulls) // n]))
            return total([first, *model.definitions.penalty_slopes(leaf.by)])
        if leaf == model.cost:
            losses: Expr = Total("n", Quantity("E"))
            data = losses / n if model.net.objective.reduction == "mean" else losses
            return total([data, *model.definitions.penalties()])
        return model.define(leaf)


def found(cell: Cell | None) -> Cell:
    """The cell of what is known to have one."""
    assert cell is not None
    return cell


def on_network_sheet(cell: Cell) -> Cell:
    """A cell of the sheet network, seen from another."""
    return cell._replace(sheet="network", fixed=True)

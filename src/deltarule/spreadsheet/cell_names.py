"""What the quantities are called, and how a formula over them is written."""

from __future__ import annotations

from deltarule.derivations.line_writer import MOST_TERMS, SHOWN_TERMS
from deltarule.derivations.notation import TutorialNotation
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.formula.tree import Add, Expr, Rest
from deltarule.nn.optimizers import THETA
from deltarule.spreadsheet.step_model import StepModel, UpdateLine


class CellNames:
    """The names on the sheet "network", where a quantity of all samples has one name."""

    def __init__(self, model: StepModel) -> None:
        self.model = model
        self.notation = TutorialNotation(model.net, None, 1, model.evidence.cost_is_loss)
        self.neuron = self.notation.label  # i1, h1, o1 …

    def name(self, leaf: Expr) -> str:
        """What a quantity is called on its row."""
        if not isinstance(leaf, UpdateLine):
            return str(self.in_symbols(leaf))
        parameter = self.name(leaf.parameter)
        if leaf.symbol == THETA:
            return f"{parameter} {'new' if self.is_last(leaf) else 'shrunk'}"
        return f"{leaf.symbol} of {parameter}{'' if leaf.number else ', before'}"

    def is_last(self, line: UpdateLine) -> bool:
        """Whether this is the last line of its parameter's update."""
        return line == self.model.lines(line.parameter)[-1]

    def in_symbols(self, formula: Expr) -> Expr:
        """The formula with each quantity by its name."""

        def put_in(part: Expr) -> Expr | None:
            if isinstance(part, UpdateLine):
                return self.notation.write(part.parameter) if part.symbol == THETA else part.symbol
            return self.notation.write(part) if isinstance(part, Quantity | Rate) else None

        return formula.replace(put_in)


def shortened(formula: Expr) -> Expr:
    """The formula with the first terms only of each long sum."""

    def shorten(part: Expr) -> Expr | None:
        if not isinstance(part, Add) or len(part.terms) <= MOST_TERMS:
            return None
        shown, left = part.terms[:SHOWN_TERMS], part.terms[SHOWN_TERMS:]
        return Add((*shown, Rest(left, f"{len(left)} more terms")))

    return formula.replace(shorten)

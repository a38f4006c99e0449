"""What all emitters share: one method for each kind of node, and when to write parentheses."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from deltarule.formula import tree
from deltarule.formula.numbers import FULL, Decimal, check_digits, decimal

T = TypeVar("T")

#: How tightly a node holds together; inside one that holds tighter it needs parentheses.
SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4

_PRECEDENCE: dict[type[tree.Expr], int] = {
    tree.Choice: 0, tree.Compare: 0, tree.Add: SUM, tree.Neg: SUM, tree.Total: SUM,
    tree.Mul: PRODUCT, tree.Div: PRODUCT, tree.Partial: PRODUCT, tree.Pow: POWER, tree.Transpose: POWER,
}  # fmt: skip

_NEGATED = {">": "≤", "<": "≥", "=": "≠"}


class Emitter(ABC, Generic[T]):
    """Turns a formula into something of type T, by a method for each kind of node, named as its class is.

    A subclass that forgets a kind of node cannot be made.

    Parameters
    ----------
    digits : int or "full"
        Significant digits of measured numbers; numbers that belong to a formula are written in full.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        kinds = [kind.__name__.lower() for kind in tree.NODES]
        forgotten = [kind for kind in kinds if not hasattr(cls, kind)]
        if forgotten:
            raise TypeError(f"{cls.__name__} does not write {', '.join(forgotten)}")

    def __init__(self, digits: int | str = 9) -> None:
        check_digits(digits)
        self.digits = digits

    def __call__(self, node: tree.Expr) -> T:
        """What the node is written as."""
        return getattr(self, type(node).__name__.lower())(node)

    def decimal(self, node: tree.Number) -> Decimal:
        """The digits to write."""
        if node.places is not None and math.isfinite(node.number):
            return Decimal(node.number < 0, f"{abs(node.number):.{node.places}f}")
        return decimal(node.number, self.digits if node.measured else FULL)

    def precedence(self, node: tree.Expr) -> int:
        """How tightly the node, as this emitter writes it, holds together."""
        node = unwrapped(node)
        if isinstance(node, tree.Number):
            number = self.decimal(node)
            return SUM if number.negative else PRODUCT if number.exponent is not None else ATOM
        raised = isinstance(node, tree.Symbol) and (node.sup or node.index)
        if raised or (isinstance(node, tree.Call) and node.function == "exp"):
            return POWER
        return _PRECEDENCE.get(type(node), ATOM)

    def inside(self, node: tree.Expr, least: int) -> T:
        """The node, in parentheses where it holds less tightly than ``least``."""
        return self(node) if self.precedence(node) >= least else self.group(self(node))

    def term(self, node: tree.Expr, first: bool) -> tuple[str, T]:
        """A term of a sum: its sign (empty for a first term that is added) and what follows it."""
        if isinstance(node, tree.Neg):
            return "−", self.inside(node.body, PRODUCT)
        return ("", self(node)) if first else ("+", self.inside(node, PRODUCT))

    def signed_terms(self, node: tree.Add) -> list[tuple[str, T]]:
        """Each term of a sum with its sign."""
        return [self.term(term, index == 0) for index, term in enumerate(node.terms)]

    def factor(self, node: tree.Expr) -> T:
        """A factor of a product; a negative number stands in parentheses."""
        return self.inside(node, PRODUCT)

    def namedconstant(self, node: tree.NamedConstant) -> T:
        """A number with a name is written by its name."""
        return self.symbol(node)

    @abstractmethod
    def group(self, body: T) -> T:
        """body in parentheses."""

    @abstractmethod
    def symbol(self, node: tree.Symbol) -> T:
        """A name."""

    def brace(self, node: tree.Brace) -> T:
        """A part over a brace, where there are braces."""
        return self(node.body)

    def box(self, node: tree.Box) -> T:
        """A result in a frame, where there are frames."""
        return self(node.body)

    def tagged(self, node: tree.Tagged) -> T:
        """A part in its colour, where there are colours."""
        return self(node.body)


def unwrapped(node: tree.Expr) -> tree.Expr:
    """The formula without the colour, frame or brace around it."""
    return unwrapped(node.body) if isinstance(node, tree.Wrapper) else node


def is_numeric(node: tree.Expr) -> bool:
    """Whether the formula holds numbers only, so that it can be worked out as it stands."""
    return all(isinstance(leaf, tree.Number | tree.NamedConstant) for leaf in node.leaves())


def failed_test(test: tree.Compare) -> tree.Compare:
    """What holds where the test does not: z ≤ 0 for z > 0."""
    return tree.Compare(test.left, _NEGATED[test.op], test.right)


def taken_branch(node: tree.Choice) -> tuple[tree.Expr, tree.Compare]:
    """The branch that a choice took, and the test that held."""
    return (node.then, node.test) if node.taken else (node.other, failed_test(node.test))


def sum_of_rest(node: tree.Rest) -> tree.Number | None:
    """What the terms that are left out add up to, where all of them are numbers."""
    return tree.Number(worked_out(node), measured=True) if is_numeric(node) else None


def worked_out(node: tree.Expr) -> Any:
    """The value of a formula of numbers."""
    return node.value(lambda leaf: None)

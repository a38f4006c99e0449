"""What all emitters share: one method for each kind of node, and when to write parentheses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from deltarule.formula.numbers import FULL, Decimal, check_digits, decimal
from deltarule.formula.tree import (
    Add,
    Box,
    Brace,
    Call,
    Choice,
    Compare,
    Constant,
    Div,
    Expr,
    Matrix,
    Mul,
    Neg,
    Number,
    Partial,
    Pow,
    Rest,
    Symbol,
    Tagged,
    Total,
    Transpose,
    Words,
)

__all__ = ["ATOM", "POWER", "PRODUCT", "SUM", "Emitter", "failed_test", "is_numeric", "worked_out"]

T = TypeVar("T")

#: How tightly a node holds together; inside one that holds tighter it needs parentheses.
SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4

_PRECEDENCE: dict[type[Expr], int] = {
    Choice: 0, Compare: 0, Add: SUM, Neg: SUM, Total: SUM,
    Mul: PRODUCT, Div: PRODUCT, Partial: PRODUCT, Pow: POWER, Transpose: POWER,
}  # fmt: skip

_NEGATED = {">": "≤", "<": "≥", "=": "≠"}


class Emitter(ABC, Generic[T]):
    """Turns a formula into something of type T; a subclass that forgets a kind of node cannot be made.

    Parameters
    ----------
    digits : int or "full"
        Significant digits of measured numbers; numbers that belong to a formula are written in full.
    """

    def __init__(self, digits: int | str = 9) -> None:
        check_digits(digits)
        self.digits = digits

    def __call__(self, node: Expr) -> T:
        """What the node is written as."""
        return getattr(self, type(node).__name__.lower())(node)

    def decimal(self, node: Number) -> Decimal:
        """The digits to write."""
        return decimal(node.number, self.digits if node.measured else FULL)

    def precedence(self, node: Expr) -> int:
        """How tightly the node, as this emitter writes it, holds together."""
        while isinstance(node, Tagged | Brace | Box):
            node = node.body
        if isinstance(node, Number):
            number = self.decimal(node)
            return SUM if number.negative else PRODUCT if number.exponent is not None else ATOM
        raised = isinstance(node, Symbol) and (node.sup or node.index)
        if raised or (isinstance(node, Call) and node.function == "exp"):
            return POWER
        return _PRECEDENCE.get(type(node), ATOM)

    def inside(self, node: Expr, least: int) -> T:
        """The node, in parentheses where it holds less tightly than ``least``."""
        return self(node) if self.precedence(node) >= least else self.group(self(node))

    def term(self, node: Expr, first: bool) -> tuple[str, T]:
        """A term of a sum: its sign (empty for a first term that is added) and what follows it."""
        if isinstance(node, Neg):
            return "−", self.inside(node.body, PRODUCT)
        return ("", self(node)) if first else ("+", self.inside(node, PRODUCT))

    def factor(self, node: Expr) -> T:
        """A factor of a product; a negative number stands in parentheses."""
        return self.inside(node, PRODUCT)

    def constant(self, node: Constant) -> T:
        """A number with a name is written by its name."""
        return self.symbol(node)

    @abstractmethod
    def group(self, body: T) -> T:
        """body in parentheses."""

    @abstractmethod
    def number(self, node: Number) -> T: ...
    @abstractmethod
    def symbol(self, node: Symbol) -> T: ...
    @abstractmethod
    def words(self, node: Words) -> T: ...
    @abstractmethod
    def neg(self, node: Neg) -> T: ...
    @abstractmethod
    def add(self, node: Add) -> T: ...
    @abstractmethod
    def rest(self, node: Rest) -> T: ...
    @abstractmethod
    def mul(self, node: Mul) -> T: ...
    @abstractmethod
    def div(self, node: Div) -> T: ...
    @abstractmethod
    def pow(self, node: Pow) -> T: ...
    @abstractmethod
    def call(self, node: Call) -> T: ...
    @abstractmethod
    def compare(self, node: Compare) -> T: ...
    @abstractmethod
    def choice(self, node: Choice) -> T: ...
    @abstractmethod
    def total(self, node: Total) -> T: ...
    @abstractmethod
    def partial(self, node: Partial) -> T: ...
    @abstractmethod
    def matrix(self, node: Matrix) -> T: ...
    @abstractmethod
    def transpose(self, node: Transpose) -> T: ...
    @abstractmethod
    def brace(self, node: Brace) -> T: ...
    @abstractmethod
    def box(self, node: Box) -> T: ...
    @abstractmethod
    def tagged(self, node: Tagged) -> T: ...


def is_numeric(node: Expr) -> bool:
    """Whether the formula holds numbers only, so that it can be worked out as it stands."""
    return all(isinstance(leaf, Number | Constant) for leaf in node.leaves())


def failed_test(test: Compare) -> Compare:
    """What holds where the test does not: z ≤ 0 for z > 0."""
    return Compare(test.left, _NEGATED[test.op], test.right)


def worked_out(node: Expr) -> Any:
    """The value of a formula of numbers."""
    return node.value(lambda leaf: None)

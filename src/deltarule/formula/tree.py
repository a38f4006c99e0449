"""Formulas as trees: what a person writes, what can be worked out, and what emitters print.

A formula is written with Python's operators over symbols, ``1 / (1 + exp(-z))``. The same tree is printed
with its symbols, printed again with numbers in their places, and worked out: three ways to read one formula,
which therefore cannot disagree. Nothing here is ever parsed from text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeAlias

import numpy as np

#: The value of a leaf: a number, or an array of numbers.
Values: TypeAlias = Callable[["Expr"], Any]


#: 1/0 is infinite, and e^(−1000) is 0, without complaint.
_quietly = np.errstate(all="ignore")


class Expr:
    """A formula or a part of one; two are equal that are built alike, and none is ever changed.

    Examples
    --------
    >>> formula = 1 / (1 + exp(-z))
    >>> print(formula)
    1/(1 + e^(−z))
    >>> float(formula.value(lambda leaf: 0.0))
    0.5
    """

    #: How str() and notebooks write a formula: the emitters "text" and "latex" enter themselves here, so that
    #: the tree need not know them.
    printers: ClassVar[dict[str, Callable[[Expr], str]]] = {}

    def value(self, of: Values) -> Any:
        """Return the value of the formula, where ``of`` gives that of each symbol."""
        return of(self)

    def map(self, change: Callable[[Expr], Expr]) -> Expr:
        """Return the node with each of its parts changed."""
        if not self.parts:
            return self
        return type(self)(*(_changed_part(part, change) for part in vars(self).values()))

    def replace(self, other: Callable[[Expr], Expr | None]) -> Expr:
        """Return the formula with each part replaced for which ``other`` returns another."""
        found = other(self)
        return self.map(lambda part: part.replace(other)) if found is None else found

    @property
    def parts(self) -> list[Expr]:
        """The formulas this node is made of."""
        return [part for value in vars(self).values() for part in _formulas_in(value)]

    def leaves(self) -> list[Expr]:
        """The symbols and numbers of the formula, in order."""
        parts = self.parts
        return [leaf for part in parts for leaf in part.leaves()] if parts else [self]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, vars(self).values()))})"

    def __str__(self) -> str:
        return self.printers["text"](self)

    def _repr_latex_(self) -> str:
        """For notebooks."""
        return f"${self.printers['latex'](self)}$"

    def __add__(self, other: Expr | float) -> Add:
        return Add((*_terms_of(self), *_terms_of(_as_expr(other))))

    def __radd__(self, other: float) -> Add:
        return Number(other) + self

    def __sub__(self, other: Expr | float) -> Add:
        return self + Neg(_as_expr(other))

    def __rsub__(self, other: float) -> Add:
        return Number(other) - self

    def __mul__(self, other: Expr | float) -> Mul:
        return Mul((*_factors_of(self), *_factors_of(_as_expr(other))))

    def __rmul__(self, other: float) -> Mul:
        return Number(other) * self

    def __truediv__(self, other: Expr | float) -> Div:
        return Div(self, _as_expr(other))

    def __rtruediv__(self, other: float) -> Div:
        return Div(Number(other), self)

    def __pow__(self, other: Expr | float) -> Pow:
        return Pow(self, _as_expr(other))

    def __neg__(self) -> Neg:
        return Neg(self)


def formula_of(text: Expr | str) -> Expr:
    """A formula that somebody gave as text: its words, which have no value; a tree passes through."""
    return text if isinstance(text, Expr) else Words(text)


def _as_expr(value: Expr | float) -> Expr:
    return value if isinstance(value, Expr) else Number(value)


def _terms_of(expr: Expr) -> tuple[Expr, ...]:
    return expr.terms if isinstance(expr, Add) else (expr,)


def _factors_of(expr: Expr) -> tuple[Expr, ...]:
    return expr.factors if isinstance(expr, Mul) and expr.op == "·" else (expr,)


def _changed_part(part: Any, change: Callable[[Expr], Expr]) -> Any:
    if isinstance(part, Expr):
        return change(part)
    return tuple(_changed_part(item, change) for item in part) if isinstance(part, tuple) else part


def _formulas_in(value: Any) -> list[Expr]:
    if isinstance(value, tuple):
        return [part for item in value for part in _formulas_in(item)]
    return [value] if isinstance(value, Expr) else []


class Number(Expr):
    """A number: one that belongs to the formula, or one ``measured``, which emitters round.

    One that somebody rounded to so many ``places`` behind the point is written with them, zeros too.
    """

    def __init__(self, number: float, measured: bool = False, places: int | None = None) -> None:
        self.number, self.measured, self.places = number, measured, places

    def value(self, of: Values) -> Any:
        return self.number


def measured(number: float) -> Number:
    """A number that emitters round."""
    return Number(float(number), measured=True)


class Symbol(Expr):
    """A name as it is printed: ``base`` with what stands below, above, in brackets behind, and over it.

    A base or subscript of several letters is upright, as in ``net_h1``; of one letter, italic.

    Examples
    --------
    >>> print(Symbol("w", "5"), Symbol("net", "h1"), Symbol("W", "2", index="0,1"), Symbol("w", "11", "2"))
    w5 net_h1 W2[0,1] w²₁₁
    """

    def __init__(self, base: str, sub: str = "", sup: str = "", index: str = "", accent: str = "") -> None:
        self.base, self.sub, self.sup, self.index, self.accent = base, sub, sup, index, accent


class NamedConstant(Symbol):
    """A number with a name of its own, such as π."""

    def __init__(self, base: str, number: float) -> None:
        super().__init__(base)
        self.number = number

    def value(self, of: Values) -> Any:
        return self.number


class Words(Expr):
    """Text inside a formula, of any characters."""

    def __init__(self, words: str) -> None:
        self.words = words


class Neg(Expr):
    """−body."""

    def __init__(self, body: Expr) -> None:
        self.body = body

    def value(self, of: Values) -> Any:
        return -self.body.value(of)


class Add(Expr):
    """The sum of its terms; a term that is a :class:`Neg` is subtracted."""

    def __init__(self, terms: tuple[Expr, ...]) -> None:
        self.terms = terms

    def value(self, of: Values) -> Any:
        return sum(term.value(of) for term in self.terms)


class Rest(Expr):
    """The terms of a long sum that are not printed one by one, but as ``what`` and what they add up to."""

    def __init__(self, terms: tuple[Expr, ...], what: str) -> None:
        self.terms, self.what = terms, what

    def value(self, of: Values) -> Any:
        return sum(term.value(of) for term in self.terms)


class Mul(Expr):
    """The product of its factors: ``·`` of numbers, ``⊙`` entry by entry, an empty ``op`` of matrices."""

    def __init__(self, factors: tuple[Expr, ...], op: str = "·") -> None:
        self.factors, self.op = factors, op

    def value(self, of: Values) -> Any:
        product = 1.0
        for factor in self.factors:
            product = product * factor.value(of)
        return product


class Div(Expr):
    """top / bottom."""

    def __init__(self, top: Expr, bottom: Expr) -> None:
        self.top, self.bottom = top, bottom

    @_quietly
    def value(self, of: Values) -> Any:
        return np.divide(self.top.value(of), self.bottom.value(of))


class Pow(Expr):
    """body ^ exponent."""

    def __init__(self, body: Expr, exponent: Expr) -> None:
        self.body, self.exponent = body, exponent

    @_quietly
    def value(self, of: Values) -> Any:
        return np.power(1.0 * self.body.value(of), self.exponent.value(of))


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
}


class Call(Expr):
    """A function of one argument: exp, log, tanh, sqrt, abs, sign; by any other name it has no value."""

    def __init__(self, function: str, argument: Expr) -> None:
        self.function, self.argument = function, argument

    @_quietly
    def value(self, of: Values) -> Any:
        return _FUNCTIONS[self.function](self.argument.value(of))


#: e^argument, the natural logarithm, the hyperbolic tangent, the square root, |argument|; and −1, 0 or 1.
exp, log, tanh = partial(Call, "exp"), partial(Call, "log"), partial(Call, "tanh")
sqrt, absolute, sign = partial(Call, "sqrt"), partial(Call, "abs"), partial(Call, "sign")


def times(factor: float, body: Expr) -> Expr:
    """factor·body, or the body alone where the factor is 1."""
    return body if factor == 1 else factor * body


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {">": np.greater, "<": np.less, "=": np.equal}


class Compare(Expr):
    """left > right, left < right, or left = right."""

    def __init__(self, left: Expr, op: str, right: Expr) -> None:
        self.left, self.op, self.right = left, op, right

    def value(self, of: Values) -> Any:
        return _COMPARISONS[self.op](self.left.value(of), self.right.value(of))


class Choice(Expr):
    """``then`` where ``test`` holds, else ``other``; ``taken`` says which, once the numbers are in."""

    def __init__(self, then: Expr, test: Compare, other: Expr, taken: bool | None = None) -> None:
        self.then, self.test, self.other, self.taken = then, test, other, taken

    def value(self, of: Values) -> Any:
        return np.where(self.test.value(of), self.then.value(of), self.other.value(of))[()]


class Total(Expr):
    """Σ over ``index`` of ``body``; :func:`deltarule.formula.expand` writes the terms out."""

    def __init__(self, index: str, body: Expr) -> None:
        self.index, self.body = index, body


def total(terms: Sequence[Expr]) -> Expr:
    """The sum of some terms; one alone stands for itself, none for 0."""
    return Add(tuple(terms)) if len(terms) > 1 else terms[0] if terms else Number(0)


class Partial(Expr):
    """∂top/∂by: a number that has this name."""

    def __init__(self, top: Expr, by: Expr) -> None:
        self.top, self.by = top, by


class Matrix(Expr):
    """Rows of formulas in brackets; None stands for entries left out."""

    def __init__(self, rows: tuple[tuple[Expr | None, ...], ...]) -> None:
        self.rows = rows


class Transpose(Expr):
    """bodyᵀ."""

    def __init__(self, body: Expr) -> None:
        self.body = body


class Wrapper(Expr):
    """What is drawn around a formula, and changes nothing of its value."""

    body: Expr

    def value(self, of: Values) -> Any:
        return self.body.value(of)


class Brace(Wrapper):
    """body over a brace with a label."""

    def __init__(self, body: Expr, label: Expr) -> None:
        self.body, self.label = body, label


class Box(Wrapper):
    """body in a frame: a result."""

    def __init__(self, body: Expr) -> None:
        self.body = body


class Tagged(Wrapper):
    """body in the colour ``tag``, 0 to 7, that it shares with the same quantity elsewhere."""

    def __init__(self, body: Expr, tag: int) -> None:
        self.body, self.tag = body, tag


#: The kinds of nodes, which every emitter writes.
NODES = (
    Number, Symbol, NamedConstant, Words, Neg, Add, Rest, Mul, Div, Pow, Call, Compare, Choice, Total,
    Partial, Matrix, Transpose, Brace, Box, Tagged,
)  # fmt: skip

#: What the formulas of activations and losses are written with.
z, a, y = Symbol("z"), Symbol("a"), Symbol("y")

#: A computation in several lines: ``symbol ← formula``, one after the other.
Steps: TypeAlias = tuple[tuple[Symbol, Expr], ...]

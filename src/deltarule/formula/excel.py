"""Formulas as a spreadsheet works them out: each quantity a cell, each function by its English name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

from deltarule.errors import InputError
from deltarule.formula import tree
from deltarule.formula.emitter import ATOM, POWER, PRODUCT, SUM, Emitter, unwrapped
from deltarule.formula.numbers import FULL
from deltarule.formula.text import text

#: What Excel takes in one formula.
LONGEST, DEEPEST = 8192, 64

#: So many neighbouring cells, or products of two of them, are summed as a range.
FEWEST_CELLS, FEWEST_PRODUCTS = 3, 4

_FUNCTIONS = {"exp": "EXP", "log": "LN", "tanh": "TANH", "sqrt": "SQRT", "abs": "ABS", "sign": "SIGN"}
_PRECEDENCE: dict[type[tree.Expr], int] = {
    tree.Compare: 0, tree.Add: SUM, tree.Rest: SUM, tree.Neg: SUM,
    tree.Mul: PRODUCT, tree.Div: PRODUCT, tree.Pow: POWER,
}  # fmt: skip


class Cell(NamedTuple):
    """A cell, counted from 0; ``fixed`` is written with ``$`` and stays when a formula is copied.

    ``row`` may be a text that stands for the row's number until it is known.

    Examples
    --------
    >>> print(Cell(4, 3), Cell(4, 28, fixed=True), Cell(0, 0, "network"))
    D5 $AC$5 network!A1
    """

    row: int | str
    column: int
    sheet: str = ""
    fixed: bool = False

    def __str__(self) -> str:
        sheet = f"{self.sheet}!" if self.sheet else ""
        dollar = "$" if self.fixed else ""
        row = self.row if isinstance(self.row, str) else self.row + 1
        return f"{sheet}{dollar}{column_name(self.column)}{dollar}{row}"

    def step_to(self, other: Cell) -> tuple[int, int] | None:
        """Rows down and columns right to another cell of the same row or column."""
        if (self.sheet, self.fixed) != (other.sheet, other.fixed):
            return None
        if self.row == other.row:
            return 0, other.column - self.column
        if isinstance(self.row, str) or isinstance(other.row, str) or self.column != other.column:
            return None
        return other.row - self.row, 0


def column_name(column: int) -> str:
    """A, B, … Z, AA, …: the letters of a column, counted from 0."""
    letters = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        letters, column = chr(ord("A") + letter) + letters, column - 1
    return letters


def defined_name(name: str) -> str:
    """A name that a spreadsheet can give a cell: w5 is a cell already, so it becomes w_5.

    Examples
    --------
    >>> defined_name("w5"), defined_name("b_h1"), defined_name("r")
    ('w_5', 'b_h1', 'r_')
    """
    cleaned = re.sub(r"[^\w.]", "_", name)
    cell = re.fullmatch(r"([A-Za-z]{1,3})(\d+)", cleaned)
    if cell:
        return "_".join(cell.groups())
    row_column = re.fullmatch(r"(?i)[rc]\d*|r\d*c\d*", cleaned)
    if row_column:
        return f"{cleaned}_"
    return cleaned if re.match(r"[^\W\d]", cleaned) else f"_{cleaned}"


def excel(node: tree.Expr, cell: Callable[[tree.Expr], Cell], ranges: bool = True) -> str:
    """A formula as Excel and LibreOffice take it.

    Parameters
    ----------
    node : Expr
    cell : callable, leaf -> Cell
        Where each symbol's number stands.
    ranges : bool
        Whether long sums over neighbouring cells are written as ``SUM(A1:A9)`` and the like.

    Raises
    ------
    InputError
        If the formula is a user's text, or longer or deeper than Excel takes.

    Examples
    --------
    >>> from deltarule.formula.tree import exp, z
    >>> excel(1 / (1 + exp(-z)), lambda leaf: Cell(4, 3))
    '=1/(1+EXP(-D5))'
    """
    formula = ExcelEmitter(cell, ranges)(node)
    depth = max(accumulate({"(": 1, ")": -1}.get(letter, 0) for letter in formula))
    if len(formula) >= LONGEST or depth > DEEPEST:
        raise InputError(
            f"a formula of {len(formula):,} characters and {depth} levels of parentheses does not fit into a "
            f"cell, which takes {LONGEST:,} characters and {DEEPEST} levels: choose a smaller network, or "
            "fewer samples"
        )
    return f"={formula}"


class ExcelEmitter(Emitter[str]):
    """See :func:`excel`."""

    def __init__(self, cell: Callable[[tree.Expr], Cell], ranges: bool = True) -> None:
        super().__init__(FULL)
        self.cell, self.ranges = cell, ranges

    def __call__(self, node: tree.Expr) -> str:
        return str(self.cell(node)) if _is_place(node) else super().__call__(node)

    def precedence(self, node: tree.Expr) -> int:
        """How tightly the formula holds together: a function, a range or a cell is an atom."""
        node = unwrapped(node)
        if isinstance(node, tree.Number):
            return SUM if node.number < 0 else ATOM
        if isinstance(node, tree.Add | tree.Rest) and len(node.terms) > len(self._runs(node.terms)) == 1:
            return ATOM
        return _PRECEDENCE.get(type(node), ATOM)

    def term(self, node: tree.Expr, first: bool) -> tuple[str, str]:
        """A term of a sum; a first minus holds tighter than ^ here: −a² must be −(a²)."""
        if isinstance(node, tree.Neg):
            return "-", self.inside(node.body, ATOM if first else PRODUCT)
        return ("", self(node)) if first else ("+", self.inside(node, PRODUCT))

    def group(self, body: str) -> str:
        return f"({body})"

    def number(self, node: tree.Number) -> str:
        number = float(node.number)
        if not math.isfinite(number):
            raise InputError(f"a spreadsheet formula cannot hold the number {number}")
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number).upper()

    def namedconstant(self, node: tree.NamedConstant) -> str:
        return "PI()" if node.base == "π" else self.number(tree.Number(node.number))

    def symbol(self, node: tree.Symbol) -> str:
        return str(self.cell(node))

    def words(self, node: tree.Words) -> str:
        raise InputError(
            f"the formula {text(node)[:60]!r} is text, which a spreadsheet cannot compute: give the "
            "activation or the loss a formula of deltarule.formula, such as 1 / (1 + exp(-z))"
        )

    def neg(self, node: tree.Neg) -> str:
        return f"-{self.inside(node.body, ATOM)}"

    def add(self, node: tree.Add) -> str:
        runs = self._runs(node.terms)
        return "".join(
            chain.from_iterable(self._sum_of_run(run, index == 0) for index, run in enumerate(runs))
        )

    def _sum_of_run(self, run: Sequence[tree.Expr], first: bool) -> tuple[str, str]:
        """A sign, and one term or the terms that a range stands for."""
        if len(run) == 1:
            return self.term(run[0], first)
        ends = zip(self._cells_of_term(run[0]), self._cells_of_term(run[-1]), strict=True)
        ranges = [f"{first_cell}:{last_cell._replace(sheet='')}" for first_cell, last_cell in ends]
        name = {"square": "SUMSQ", "cell": "SUM"}.get(_shape(run[0]), "SUMPRODUCT")
        return "" if first else "+", f"{name}({','.join(ranges)})"

    def _runs(self, terms: Sequence[tree.Expr]) -> list[list[tree.Expr]]:
        """The terms, those together whose cells are neighbours all along."""
        runs: list[list[tree.Expr]] = []
        for term in terms:
            if self.ranges and runs and self._continues(runs[-1], term):
                runs[-1].append(term)
            else:
                runs.append([term])
        return [part for run in runs for part in self._worth_a_range(run)]

    def _continues(self, run: Sequence[tree.Expr], term: tree.Expr) -> bool:
        """Whether each cell of the term is the next one in the direction of the run."""
        if not _shape(term) or _shape(term) != _shape(run[-1]):
            return False
        steps = self._steps_between(run[-1], term)
        return steps in ({(0, 1)}, {(1, 0)}) and (
            len(run) == 1 or steps == self._steps_between(run[0], run[1])
        )

    def _steps_between(self, term: tree.Expr, other: tree.Expr) -> set[tuple[int, int] | None]:
        return {
            a.step_to(b) for a, b in zip(self._cells_of_term(term), self._cells_of_term(other), strict=True)
        }

    @staticmethod
    def _worth_a_range(run: list[tree.Expr]) -> list[list[tree.Expr]]:
        least = FEWEST_PRODUCTS if _shape(run[0]) == "product" else FEWEST_CELLS
        return [run] if len(run) >= least else [[term] for term in run]

    def _cells_of_term(self, term: tree.Expr) -> list[Cell]:
        """The cells of a term that has a shape."""
        if isinstance(term, tree.Pow):
            return [self.cell(term.body)]
        return [self.cell(part) for part in (term.factors if isinstance(term, tree.Mul) else [term])]

    def rest(self, node: tree.Rest) -> str:
        return self.add(tree.Add(node.terms))

    def mul(self, node: tree.Mul) -> str:
        return "*".join(self.factor(factor) for factor in node.factors)

    def div(self, node: tree.Div) -> str:
        return f"{self.inside(node.top, PRODUCT)}/{self.inside(node.bottom, POWER)}"

    def pow(self, node: tree.Pow) -> str:
        return f"{self.inside(node.body, ATOM)}^{self.inside(node.exponent, ATOM)}"

    def call(self, node: tree.Call) -> str:
        if node.function not in _FUNCTIONS:
            raise InputError(f"a spreadsheet has no function {text(tree.Words(node.function))!r}")
        return f"{_FUNCTIONS[node.function]}({self(node.argument)})"

    def compare(self, node: tree.Compare) -> str:
        return f"{self(node.left)}{node.op}{self(node.right)}"

    def choice(self, node: tree.Choice) -> str:
        return f"IF({self(node.test)},{self(node.then)},{self(node.other)})"

    def total(self, node: tree.Expr) -> str:
        raise InputError(f"{text(node)[:60]!r} is not one number, so no cell can work it out")

    partial = matrix = transpose = total


def _is_place(node: tree.Expr) -> bool:
    """Whether the node is a leaf that stands in a cell, and not in the formula itself."""
    return not node.parts and not isinstance(
        node, tree.Number | tree.NamedConstant | tree.Words | tree.Add | tree.Mul | tree.Matrix
    )


def _shape(term: tree.Expr) -> str:
    """What a term of a sum over a range is: a cell, its square, or a product of two cells."""
    if _is_place(term):
        return "cell"
    if isinstance(term, tree.Pow) and _is_place(term.body) and term.exponent == tree.Number(2):
        return "square"
    pair = isinstance(term, tree.Mul) and len(term.factors) == 2
    return "product" if pair and all(map(_is_place, term.parts)) else ""

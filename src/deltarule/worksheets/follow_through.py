"""Each quantity as it follows from a student's own numbers, and how far rounding may lead away from it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.formula.tree import Add, Expr
from deltarule.worksheets.questions import Formulas

__all__ = ["Own"]

#: Of a float beside a rounded decimal.
_FLOAT = 1e-9


class Own:
    """What a quantity is worth to a student: answered, else worked out from the answers, else given.

    Parameters
    ----------
    formulas : Formulas
    answers : mapping of Expr to float
    half : float
        Half a unit of the last decimal that is asked for.
    """

    def __init__(self, formulas: Formulas, answers: Mapping[Expr, float], half: float) -> None:
        self.formulas, self.answers, self.half = formulas, dict(answers), half
        self._worth: dict[Expr, float] = dict(answers)
        self._errors: dict[Expr, float] = dict.fromkeys(answers, half)

    def __call__(self, leaf: Expr) -> float:
        """The quantity's value."""
        if leaf not in self._worth:
            formula = self.formulas(leaf)
            self._worth[leaf] = self.formulas.exact(leaf) if formula is None else self.value(formula)
        return self._worth[leaf]

    def without(self, leaf: Expr) -> Own:
        """The same, but for one answer: a mistake in it is made from the numbers before it."""
        others = {other: value for other, value in self.answers.items() if other != leaf}
        return Own(self.formulas, others, self.half)

    def value(self, formula: Expr) -> float:
        """What a formula gives; NaN where it gives no finite number."""
        with np.errstate(all="ignore"):
            try:
                value = float(formula.value(self))
            except (OverflowError, ZeroDivisionError, ValueError):
                return math.nan
        return value if math.isfinite(value) else math.nan

    def agrees(self, answer: float, formula: Expr) -> bool:
        """Whether the answer is what the formula gives, within rounding at every step."""
        value = self.value(formula)
        off = abs(answer - value)
        if not off <= 1e3 * self.half + abs(value) / 2:
            return False
        return off <= self.tolerance(formula) * (1 + _FLOAT) + _FLOAT * abs(value)

    def tolerance(self, formula: Expr) -> float:
        """Half a unit for the answer, and as much as rounding before and on the way may make of it."""
        return self.half * (1 + _roundings(formula)) + self._spread(formula)

    def error(self, leaf: Expr) -> float:
        """How far the number that the student computed with may be from this one."""
        if leaf not in self._errors:
            formula = self.formulas(leaf)
            is_given = formula is None or not _quantities(formula)
            self._errors[leaf] = 0.0 if is_given or formula is None else self._spread(formula) + self.half
        return self._errors[leaf]

    def _spread(self, formula: Expr) -> float:
        """How far the formula's value moves with the errors of what is in it."""
        middle, spread = self.value(formula), 0.0
        for leaf in dict.fromkeys(_quantities(formula)):
            error = self.error(leaf)
            if error:
                moved = [abs(self._moved(formula, leaf, by) - middle) for by in (error, -error)]
                spread += max((m for m in moved if math.isfinite(m)), default=0.0)
        return spread

    def _moved(self, formula: Expr, leaf: Expr, by: float) -> float:
        with np.errstate(all="ignore"):
            return float(formula.value(lambda part: self(part) + (by if part == leaf else 0.0)))


def _quantities(formula: Expr) -> list[Expr]:
    return [leaf for leaf in formula.leaves() if isinstance(leaf, Quantity | Rate | Path)]


def _roundings(formula: Expr) -> int:
    """How many intermediate results of the line itself a person may round: one, or the terms of a sum."""
    terms = len(formula.terms) - 1 if isinstance(formula, Add) else 1
    return max([1, terms, *(_roundings(part) for part in formula.parts)])

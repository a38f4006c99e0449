"""Each quantity as it follows from a student's own numbers, and how far rounding may lead away from it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from deltarule.formula.tree import Add, Expr
from deltarule.worksheets.exercise_formulas import ExerciseFormulas, quantities_in

#: Of a float beside a rounded decimal.
_FLOAT = 1e-9


class StudentValues:
    """The value of each quantity to a student: answered, else worked out from the answers, else given.

    Parameters
    ----------
    formulas : ExerciseFormulas
    answers : mapping of Expr to float
    half : float
        Half a unit of the last decimal that is asked for.
    """

    def __init__(self, formulas: ExerciseFormulas, answers: Mapping[Expr, float], half: float) -> None:
        self.formulas, self.answers, self.half = formulas, dict(answers), half
        self._values: dict[Expr, float] = dict(answers)
        self._errors: dict[Expr, float] = dict.fromkeys(answers, half)

    def __call__(self, leaf: Expr) -> float:
        """Return the quantity's value."""
        if leaf not in self._values:
            formula = self.formulas(leaf)
            self._values[leaf] = self.formulas.exact(leaf) if formula is None else self.value(formula)
        return self._values[leaf]

    def without(self, leaf: Expr) -> StudentValues:
        """Return the values as they are without one answer: a mistake in it is made from those before it."""
        others = {other: value for other, value in self.answers.items() if other != leaf}
        return StudentValues(self.formulas, others, self.half)

    def with_value(self, leaf: Expr, value: float) -> StudentValues:
        """Return the values as they are where one quantity had this number."""
        return StudentValues(self.formulas, self.answers | {leaf: value}, self.half)

    def value(self, formula: Expr) -> float:
        """Return what a formula gives; NaN where it gives no finite number."""
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
        """Return how far from a formula's value rounding may lead an answer.

        Half a unit for the answer, and as much as rounding before and on the way may make of it.
        """
        return self.half * (1 + _count_roundings(formula)) + self._spread(formula)

    def _error(self, leaf: Expr) -> float:
        """How far the number that the student computed with may be from this one."""
        if leaf not in self._errors:
            formula = self.formulas(leaf)
            if formula is None or not quantities_in(formula):  # given
                self._errors[leaf] = 0.0
            else:
                self._errors[leaf] = self._spread(formula) + self.half
        return self._errors[leaf]

    def _spread(self, formula: Expr) -> float:
        """How far the formula's value moves with the errors of what is in it."""
        middle, spread = self.value(formula), 0.0
        for leaf in dict.fromkeys(quantities_in(formula)):
            error = self._error(leaf)
            if error:
                moved = [abs(self._moved(formula, leaf, by) - middle) for by in (error, -error)]
                spread += max((m for m in moved if math.isfinite(m)), default=0.0)
        return spread

    def _moved(self, formula: Expr, leaf: Expr, by: float) -> float:
        """The formula's value with one of its quantities moved."""
        with np.errstate(all="ignore"):
            return float(formula.value(lambda part: self(part) + (by if part == leaf else 0.0)))


def _count_roundings(formula: Expr) -> int:
    """How many intermediate results of the line itself a person may round: one, or the terms of a sum."""
    terms = len(formula.terms) - 1 if isinstance(formula, Add) else 1
    return max([1, terms, *(_count_roundings(part) for part in formula.parts)])

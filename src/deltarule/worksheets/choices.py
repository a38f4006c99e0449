"""Wrong answers to choose among, and slips to find: those that the catalogue of mistakes makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

import numpy as np

from deltarule.errors import InputError
from deltarule.formula.text import text
from deltarule.formula.tree import Expr
from deltarule.worksheets.exercise_formulas import ExerciseFormulas
from deltarule.worksheets.wrong_formulas import KINDS, WrongFormula, wrong_formulas_of

#: Wrong answers beside the right one; fewer than the least are no choice.
_MOST_WRONG, _LEAST_WRONG = 3, 2

#: Units of the last decimal that are between two answers at least.
_APART = 5

#: Slips that cannot be seen in a formula, or that are no slip in it.
_UNSEEN = {"sign", "doubled", "halved", "point", "coarse"}


class Option(NamedTuple):
    """An answer to choose: its letter, what is printed, its value where it has one, and what is wrong."""

    letter: str
    words: str
    value: float | None = None
    mistake: str = ""

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.mistake


class Slips:
    """The slips in a quantity that nobody takes for the right number.

    Answers are rounded to so many ``decimals``.
    """

    def __init__(self, formulas: ExerciseFormulas, decimals: int) -> None:
        self.formulas, self.decimals, self.unit = formulas, decimals, 10.0**-decimals
        self._hand = formulas.by_hand(decimals)

    def options(self, leaf: Expr) -> list[Option]:
        """Return the numbers to choose among, in an order that follows from the numbers.

        Raises InputError if too few mistakes give a number that can be told from the others.
        """
        chosen = [("", self.formulas.exact(leaf))]
        for wrong, value in self._told_apart(leaf):
            kinds = [kind for kind, _ in chosen]
            if wrong.kind not in kinds and all(self._is_apart(value, other, leaf) for _, other in chosen):
                chosen.append((wrong.kind, value))
        chosen = chosen[: _MOST_WRONG + 1]
        if len(chosen) <= _LEAST_WRONG:
            raise self._refusal(leaf, "choose among: too few mistakes would give a different number")
        shuffled = [chosen[place] for place in self.draws(leaf).permutation(len(chosen))]
        return [
            Option("ABCD"[place], "", round(value, self.decimals), KINDS.get(kind, ""))
            for place, (kind, value) in enumerate(shuffled)
        ]

    def planted(self, leaf: Expr) -> tuple[WrongFormula, float]:
        """Return a slip that can be seen in the formula, and what it gives; InputError if there is none."""
        found = [slip for slip in self._told_apart(leaf) if slip[0].kind not in _UNSEEN]
        if not found:
            raise self._refusal(leaf, "find a mistake in: no usual mistake changes it enough")
        first_of_kind = list({wrong.kind: (wrong, value) for wrong, value in reversed(found)}.values())
        return first_of_kind[self.draws(leaf).integers(len(first_of_kind))]

    def _told_apart(self, leaf: Expr) -> Iterator[tuple[WrongFormula, float]]:
        """The wrong formulas that give another number, whoever rounds, and these numbers."""
        right = self.formulas.exact(leaf)
        for wrong in wrong_formulas_of(self.formulas, leaf):
            with np.errstate(all="ignore"):
                value = float(wrong.formula.value(self.formulas.exact))
            if np.isfinite(value) and abs(value) < 1e4 and self._is_apart(value, right, leaf):
                yield wrong, value

    def _is_apart(self, value: float, other: float, leaf: Expr) -> bool:
        by_rounding = abs(self._hand[leaf] - self.formulas.exact(leaf))
        return abs(value - other) >= _APART * self.unit + 4 * by_rounding

    def draws(self, leaf: Expr) -> np.random.Generator:
        """Return draws that follow from exercise and quantity: the same whenever the sheet is printed."""
        task = self.formulas.exercise
        numbers = np.concatenate([task.net.parameters, np.ravel(task.X), np.ravel(task.Y)]).tobytes()
        return np.random.default_rng(crc32(text(self.formulas.names.write(leaf)).encode(), crc32(numbers)))

    def _refusal(self, leaf: Expr, what: str) -> InputError:
        name = text(self.formulas.names.write(leaf))
        return InputError(
            f"{name} is not a number to {what}; ask for the number itself, or for more decimals"
        )

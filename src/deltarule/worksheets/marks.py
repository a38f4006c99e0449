"""The verdict on an answer."""

from __future__ import annotations

import math

from deltarule.registry import record
from deltarule.worksheets.answers import StudentAnswer
from deltarule.worksheets.questions import Blank
from deltarule.worksheets.wrong_formulas import WrongFormula


@record
class Mark:
    """The verdict on one answer.

    Parameters
    ----------
    blank : Blank
    answer : StudentAnswer or None
        None where nothing was answered.
    right : float
        The right number.
    own : float
        What follows from the student's own earlier numbers; NaN where nothing does.
    verdict : "right", "follows on", "by hand", "wrong" or "empty"
        "by hand" where somebody read the working, and the answer is the points that were given.
    credit : int or float
        Points.
    wrong_formulas : tuple of WrongFormula
        The mistakes that would give a wrong answer.
    chosen : str
        What is wrong with the answer that was chosen among several.
    """

    blank: Blank
    answer: StudentAnswer | None
    right: float
    own: float
    verdict: str
    credit: float = 0
    wrong_formulas: tuple[WrongFormula, ...] = ()
    chosen: str = ""

    @property
    def counts(self) -> bool:
        """Whether there is a point for it."""
        return self.credit > 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the mistakes, each but once."""
        return tuple(dict.fromkeys(wrong.kind for wrong in self.wrong_formulas))

    @property
    def mistake(self) -> str:
        """The mistake in words, or the mistakes that it may be; empty where none fits."""
        return self.chosen or " or ".join(dict.fromkeys(wrong.words for wrong in self.wrong_formulas))

    @property
    def number(self) -> float | None:
        """The number that was answered, where there is one."""
        is_number = self.answer is not None and self.blank.has_number and math.isfinite(self.answer.value)
        return self.answer.value if self.answer is not None and is_number else None

    @property
    def remark(self) -> str:
        """What is to be said of an answer that cannot be read; empty of every other."""
        if self.answer is None or self.verdict != "wrong" or self.chosen or self.number is not None:
            return ""
        blank, what = self.blank, _UNREAD.get(self.blank.kind, "none of the letters")
        return f"blank {blank.number} ({blank.name}): {self.answer.text[:40]!r} is {what}"


_UNREAD = {
    "compute": "not a number",
    "mistake": "not a number",
    "show": "not a number of points that the question allows",
}

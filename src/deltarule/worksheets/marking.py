"""Marking: what is right, what follows on from an earlier slip, and which mistake the numbers show."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from deltarule.arrays import check_number
from deltarule.derivations import Derivation
from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.documents.document import Block, Document, Inline, Paragraph, TableBlock
from deltarule.errors import DataFileError, InputError
from deltarule.formula.text import text
from deltarule.formula.tree import Expr, Number
from deltarule.registry import did_you_mean, record
from deltarule.worksheets.answers import Answer, Rows, column_of, read_answer, read_rows
from deltarule.worksheets.follow_through import Own
from deltarule.worksheets.questions import Blank, index_of, name_key
from deltarule.worksheets.worksheet import Worksheet
from deltarule.worksheets.wrong_formulas import Slip, slips

__all__ = ["VERDICTS", "Mark", "Marking", "answers_from", "mark"]

VERDICTS = ("right", "follows on", "wrong", "empty")


@record
class Mark:
    """What one answer is worth.

    Parameters
    ----------
    blank : Blank
    answer : float or None
        None where nothing was answered.
    right : float
        The right number.
    own : float
        What follows from the student's own earlier numbers; NaN where nothing does.
    verdict : "right", "follows on", "wrong" or "empty"
    slips : tuple of Slip
        The mistakes that would give a wrong answer.
    """

    blank: Blank
    answer: float | None
    right: float
    own: float
    verdict: str
    slips: tuple[Slip, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether there is a mark for it."""
        return self.verdict in ("right", "follows on")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the mistakes, each but once."""
        return tuple(dict.fromkeys(slip.kind for slip in self.slips))

    @property
    def mistake(self) -> str:
        """The mistake in words, or the mistakes that it may be; empty where none fits."""
        return " or ".join(dict.fromkeys(slip.words for slip in self.slips))


class Marking:
    """A marked sheet; prints as text, and saves in every format of a derivation.

    Attributes
    ----------
    worksheet : Worksheet
    marks : list of Mark
        One for each blank, in their order.
    """

    def __init__(self, worksheet: Worksheet, marks: list[Mark]) -> None:
        self.worksheet, self.marks = worksheet, marks

    @property
    def points(self) -> int:
        """How many answers are right, or follow on from an earlier slip."""
        return sum(mark.counts for mark in self.marks)

    @property
    def out_of(self) -> int:
        """How many there could be."""
        return len(self.marks)

    @property
    def first_slip(self) -> Mark | None:
        """The first wrong answer."""
        return next((mark for mark in self.marks if mark.verdict == "wrong"), None)

    def formula(self, mark: Mark) -> str:
        """The quantity and its formula: ``net_h1 = w1·i1 + w2·i2 + b_h1``."""
        formulas = self.worksheet.formulas
        shown = formulas.shown(mark.blank.leaf)
        sign = "←" if mark.blank.part == "update" else "="
        symbol = text(formulas.symbol(mark.blank.leaf))
        return symbol if shown is None else f"{symbol} {sign} {text(formulas.names.write(shown))}"

    def data(self) -> dict[str, Any]:
        """As JSON knows it."""
        first = self.first_slip
        return {
            "student": self.worksheet.student,
            "points": self.points,
            "out_of": self.out_of,
            "first_slip": None if first is None else self._mark_data(first),
            "marks": [self._mark_data(mark) for mark in self.marks],
        }

    def _mark_data(self, mark: Mark) -> dict[str, Any]:
        return {
            "blank": mark.blank.number,
            "quantity": mark.blank.name,
            "answer": mark.answer,
            "right": mark.right,
            "own": mark.own if mark.own == mark.own else None,
            "verdict": mark.verdict,
            "formula": self.formula(mark),
            "mistakes": list(mark.kinds),
            "mistake": mark.mistake,
            "came_from": [text(self.worksheet.formulas.names.write(slip.formula)) for slip in mark.slips],
        }

    @property
    def report(self) -> Derivation:
        """The marked sheet as a document."""
        who = self.worksheet.student or self.worksheet.title
        title = f"{self.points} of {self.out_of}"
        blocks = [Paragraph((who,)), *self._first_slip(), self._table()]
        return Derivation(Document(title, tuple(blocks), self.worksheet.decimals + 2), {})

    def _first_slip(self) -> Iterator[Block]:
        mark = self.first_slip
        if mark is None or mark.answer is None:
            return
        formulas = self.worksheet.formulas
        shown = formulas.shown(mark.blank.leaf)
        symbol = formulas.symbol(mark.blank.leaf)
        relation = "←" if mark.blank.part == "update" else "="
        parts: list[Inline] = [f"The first slip is in ({mark.blank.number}): ", symbol]
        if shown is not None:
            parts += [f" {relation} ", formulas.names.write(shown)]
        value, answer = (Number(self._rounded(v), measured=True) for v in (mark.own, mark.answer))
        parts += [" gives ", value, "; answered was ", answer, "."]
        yield Paragraph((*parts, *self._why(mark)))

    def _why(self, mark: Mark) -> Iterator[Inline]:
        """The mistakes, each with the formula that gives the answer."""
        for index, kind in enumerate(mark.kinds):
            slip = next(slip for slip in mark.slips if slip.kind == kind)
            yield f" Or {slip.words}: " if index else f" That is: {slip.words}: "
            yield self.worksheet.formulas.names.write(slip.formula)
            yield "."

    def _rounded(self, value: float) -> float:
        return round(value, self.worksheet.decimals) if value == value else value

    def _table(self) -> TableBlock:
        rows = []
        for mark in self.marks:
            symbol = self.worksheet.formulas.names.write(mark.blank.leaf)
            answer: Inline = "–" if mark.answer is None else Number(mark.answer, measured=True)
            right = Number(self._rounded(mark.right), measured=True)
            rows.append((str(mark.blank.number), symbol, answer, right, mark.verdict, mark.mistake))
        return TableBlock(("no.", "quantity", "answer", "right", "verdict", "mistake"), tuple(rows))

    def __str__(self) -> str:
        return self.report.text()

    __repr__ = __str__


def mark(
    worksheet: Worksheet | str | os.PathLike[str], answers: Mapping[Any, Any] | str | os.PathLike[str]
) -> Marking:
    """Mark the answers to a worksheet, with credit for what follows on from an earlier slip.

    An answer is right that is within rounding of the exact number, or of what rounding at every step gives.
    One that is wrong, but right for the student's own earlier numbers, follows on, and counts too. Of a wrong
    answer the mistakes are named that would give just this number.

    Parameters
    ----------
    worksheet : Worksheet or path
        Or the file in which :meth:`Worksheet.save` wrote its data.
    answers : mapping, or path
        By number of the blank or name of the quantity: a number, or a text such as ``"0,3775"`` or ``"1/3"``;
        None or an empty text where there is none. Or a CSV file with the columns blank and answer.

    Raises
    ------
    InputError
        If there is no such blank, it is answered twice, or an answer is not a number.
    DataFileError
        The same of a file, with its line.

    Examples
    --------
    >>> from deltarule.worksheets import worksheet
    >>> sheet = worksheet(seed=7)
    >>> answers = sheet.answers()
    >>> mark(sheet, answers).points
    28
    >>> found = mark(sheet, answers | {"net_h1": answers["net_h1"] - sheet.task.net.layers[0].b[0]})
    >>> found.points, found.first_slip.mistake
    (27, 'forgot the bias')
    """
    sheet = worksheet if isinstance(worksheet, Worksheet) else Worksheet.load(worksheet)
    if isinstance(answers, Mapping):
        return marked(sheet, _answers_of(sheet, answers))
    return marked(sheet, answers_from(read_rows(answers), sheet))


def _answers_of(sheet: Worksheet, answers: Mapping[Any, Any]) -> dict[Expr, Answer]:
    index, found = index_of(sheet.blanks), dict[Expr, Answer]()
    for name, value in answers.items():
        blank = _blank(index, str(name))
        if blank.leaf in found:
            raise InputError(f"blank {blank.number}, {blank.name}, is answered twice")
        if isinstance(value, str):
            answer = read_answer(value)
        elif value is None:
            answer = None
        else:
            check_number(f"the answer to {blank.name}", value)
            answer = Answer(float(value), None)
        if answer is not None:
            found[blank.leaf] = answer
    return found


def _blank(index: Mapping[str, Blank], name: str) -> Blank:
    key = name_key(name.strip().strip("()") if name.strip().strip("()").isdigit() else name)
    if key not in index:
        raise InputError(f"no blank {name[:40]!r}{did_you_mean(key, index) if len(index) < 60 else ''}")
    return index[key]


def answers_from(rows: Rows, sheet: Worksheet) -> dict[Expr, Answer]:
    """The answers in a table with the columns blank and answer.

    Raises
    ------
    DataFileError
        What is wrong, with its line.
    """
    places = [column_of(rows, "blank", "number", "quantity", "name"), column_of(rows, "answer")]
    index, found, seen = index_of(sheet.blanks), dict[Expr, Answer](), dict[Expr, int]()
    for line, row in rows.rows:
        name, written = (row[place] for place in places)
        try:
            blank, column = _blank(index, name), places[0]
            if blank.leaf in seen:
                raise InputError(f"blank {blank.number} is answered twice, in line {seen[blank.leaf]} too")
            column = places[1]
            answer = read_answer(written)
        except InputError as error:
            column = places[1] if "expected a" in str(error) else places[0]
            raise DataFileError(rows.path, str(error), line, column + 1) from None
        seen[blank.leaf] = line
        if answer is not None:
            found[blank.leaf] = answer
    return found


# ---------------------------------------------------------------------- one after the other


def marked(sheet: Worksheet, answers: Mapping[Expr, Answer]) -> Marking:
    """The marks of all blanks, each in the light of those before it."""
    marker = _Marker(sheet, answers)
    return Marking(sheet, [marker.mark(blank) for blank in sheet.blanks])


class _Marker:
    """Marks blank after blank, and remembers which numbers are off."""

    def __init__(self, sheet: Worksheet, answers: Mapping[Expr, Answer]) -> None:
        self.sheet, self.formulas, self.answers = sheet, sheet.formulas, answers
        self.half = 10.0**-sheet.decimals / 2
        self.own = Own(self.formulas, {leaf: answer.value for leaf, answer in answers.items()}, self.half)
        self.by_hand = self.formulas.by_hand(sheet.decimals)
        self._off: dict[Expr, bool] = {}

    def mark(self, blank: Blank) -> Mark:
        """The mark of a blank; those that it is computed from have been marked."""
        leaf, answer = blank.leaf, self.answers.get(blank.leaf)
        rights = self.formulas.all(leaf)
        right, own = self.formulas.exact(leaf), self.own.value(rights[0])
        if answer is None:
            return Mark(blank, None, right, own, "empty")
        verdict = self._verdict(leaf, answer.value, rights)
        self._off[leaf] = verdict in ("wrong", "follows on")
        found = self._slips(leaf, answer, rights) if verdict == "wrong" else ()
        return Mark(blank, answer.value, right, own, verdict, tuple(found))

    def _verdict(self, leaf: Expr, answer: float, rights: list[Expr]) -> str:
        if self._is_near(answer, self.formulas.exact(leaf)) or self._is_near(answer, self.by_hand[leaf]):
            return "right"
        if not any(self.own.agrees(answer, formula) for formula in rights):
            return "wrong"
        return "follows on" if any(self._rests_on_slip(formula) for formula in rights) else "right"

    def _is_near(self, answer: float, value: float) -> bool:
        return abs(answer - value) <= self.half * (1 + 1e-9) + 1e-12 * abs(value)

    def _rests_on_slip(self, formula: Expr) -> bool:
        """Whether a number that is off stands behind a formula."""
        leaves = [leaf for leaf in formula.leaves() if isinstance(leaf, Quantity | Rate | Path)]
        return any(self._is_off(leaf) for leaf in leaves)

    def _is_off(self, leaf: Expr) -> bool:
        if leaf not in self._off:
            formula = self.formulas(leaf)
            self._off[leaf] = formula is not None and self._rests_on_slip(formula)
        return self._off[leaf]

    def _slips(self, leaf: Expr, answer: Answer, rights: list[Expr]) -> Iterator[Slip]:
        own = self.own.without(leaf)
        value = own.value(rights[0])
        if answer.decimals is not None and answer.decimals < self.sheet.decimals:
            half = 10.0**-answer.decimals / 2
            if min(abs(answer.value - v) for v in (value, self.formulas.exact(leaf))) <= half * (1 + 1e-9):
                yield Slip("coarse", rights[0])
        for slip in slips(self.formulas, leaf):
            if own.agrees(answer.value, slip.formula):
                yield slip

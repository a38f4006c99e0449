"""Marking: what is right, what follows on from an earlier slip, and which mistake the numbers show."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from deltarule.arrays import check_number
from deltarule.derivations import Derivation
from deltarule.documents.document import Block, Document, Inline, Paragraph, TableBlock
from deltarule.errors import DataFileError, InputError
from deltarule.formula.text import text
from deltarule.formula.tree import Expr, Number
from deltarule.registry import did_you_mean, record
from deltarule.worksheets.answers import AnswerRows, StudentAnswer, column_of, read_answer, read_rows
from deltarule.worksheets.follow_through import StudentValues
from deltarule.worksheets.questions import Blank, blanks_by_name, name_key, quantities_in
from deltarule.worksheets.worksheet import Worksheet
from deltarule.worksheets.wrong_formulas import KINDS, WrongFormula, wrong_formulas_of

VERDICTS = ("right", "follows on", "wrong", "empty")


@record
class Mark:
    """The verdict on one answer.

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
    wrong_formulas : tuple of WrongFormula
        The mistakes that would give a wrong answer.
    """

    blank: Blank
    answer: float | None
    right: float
    own: float
    verdict: str
    wrong_formulas: tuple[WrongFormula, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether there is a point for it."""
        return self.verdict in ("right", "follows on")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the mistakes, each but once."""
        return tuple(dict.fromkeys(wrong.kind for wrong in self.wrong_formulas))

    @property
    def mistake(self) -> str:
        """The mistake in words, or the mistakes that it may be; empty where none fits."""
        return " or ".join(KINDS[kind] for kind in self.kinds)


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
        self._names = worksheet.formulas.names

    @property
    def points(self) -> int:
        """How many answers are right, or follow on from an earlier slip."""
        return sum(mark.counts for mark in self.marks)

    @property
    def out_of(self) -> int:
        """How many points there could be."""
        return len(self.marks)

    @property
    def first_slip(self) -> Mark | None:
        """The first wrong answer."""
        return next((mark for mark in self.marks if mark.verdict == "wrong"), None)

    def formula(self, mark: Mark) -> str:
        """Return the quantity and its formula: ``net_h1 = w1·i1 + w2·i2 + b_h1``."""
        return "".join(part if isinstance(part, str) else text(part) for part in self._equation(mark))

    def _equation(self, mark: Mark) -> list[Expr | str]:
        formulas = self.worksheet.formulas
        symbol, shown = formulas.symbol(mark.blank.leaf), formulas.shown(mark.blank.leaf)
        return [symbol] if shown is None else [symbol, f" {mark.blank.relation} ", self._names.write(shown)]

    def data(self) -> dict[str, Any]:
        """Return the marks as JSON knows them."""
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
            "came_from": [text(self._names.write(wrong.formula)) for wrong in mark.wrong_formulas],
        }

    @property
    def report(self) -> Derivation:
        """The marked sheet as a document."""
        who = self.worksheet.student or self.worksheet.title
        blocks: list[Block] = [Paragraph((who,))]
        if self.first_slip is not None:
            blocks.append(Paragraph(tuple(self._describe(self.first_slip))))
        rows: list[tuple[Inline, ...]] = []
        for mark in self.marks:
            answer: Inline = "–" if mark.answer is None else Number(mark.answer, measured=True)
            symbol, right = self._names.write(mark.blank.leaf), self._rounded(mark.right)
            rows.append((str(mark.blank.number), symbol, answer, right, mark.verdict, mark.mistake))
        heads = ("no.", "quantity", "answer", "right", "verdict", "mistake")
        blocks.append(TableBlock(heads, tuple(rows)))
        title = f"{self.points} of {self.out_of}"
        return Derivation(Document(title, tuple(blocks), self.worksheet.decimals + 2), {})

    def _describe(self, mark: Mark) -> Iterator[Inline]:
        """A wrong answer: what was to be computed, and the mistakes, each with the formula that gives it."""
        yield f"The first slip is in ({mark.blank.number}): "
        yield from self._equation(mark)
        yield from (" gives ", self._rounded(mark.own), "; answered was ", self._rounded(mark.answer), ".")
        for index, kind in enumerate(mark.kinds):
            wrong = next(wrong for wrong in mark.wrong_formulas if wrong.kind == kind)
            yield f" {'Or' if index else 'That is:'} {KINDS[kind]}: "
            yield from (self._names.write(wrong.formula), ".")

    def _rounded(self, value: float | None) -> Number:
        assert value is not None
        return Number(round(value, self.worksheet.decimals), measured=True)

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
        return mark_blanks(sheet, _answers_in_mapping(answers, sheet))
    return mark_blanks(sheet, answers_in_rows(read_rows(answers), sheet))


def _answers_in_mapping(answers: Mapping[Any, Any], sheet: Worksheet) -> dict[Expr, StudentAnswer]:
    blanks, found = blanks_by_name(sheet.blanks), dict[Expr, StudentAnswer]()
    for name, value in answers.items():
        blank = _find_blank(blanks, str(name))
        if blank.leaf in found:
            raise InputError(f"blank {blank.number}, {blank.name}, is answered twice")
        if value is None or isinstance(value, str):
            answer = read_answer(value or "")
        else:
            check_number(f"the answer to {blank.name}", value)
            answer = StudentAnswer(float(value), None)
        if answer is not None:
            found[blank.leaf] = answer
    return found


def _find_blank(blanks: Mapping[str, Blank], name: str) -> Blank:
    number = name.strip().strip("()")
    key = name_key(number if number.isdigit() else name)
    if key not in blanks:
        raise InputError(f"no blank {name[:40]!r}{did_you_mean(key, blanks) if len(blanks) < 60 else ''}")
    return blanks[key]


def answers_in_rows(rows: AnswerRows, sheet: Worksheet) -> dict[Expr, StudentAnswer]:
    """Return the answers in a table with the columns blank and answer.

    Raises
    ------
    DataFileError
        What is wrong, with its line.
    """
    places = [column_of(rows, "blank", "number", "quantity", "name"), column_of(rows, "answer")]
    blanks, found, lines = blanks_by_name(sheet.blanks), dict[Expr, StudentAnswer](), dict[Expr, int]()
    for line, row in rows.rows:
        place = places[0]
        try:
            blank = _find_blank(blanks, row[place])
            if blank.leaf in lines:
                raise InputError(f"blank {blank.number} is answered twice, in line {lines[blank.leaf]} too")
            place = places[1]
            answer = read_answer(row[place])
        except InputError as error:
            raise DataFileError(rows.path, str(error), line, place + 1) from None
        lines[blank.leaf] = line
        if answer is not None:
            found[blank.leaf] = answer
    return found


def mark_blanks(sheet: Worksheet, answers: Mapping[Expr, StudentAnswer]) -> Marking:
    """Return the marks of all blanks, each in the light of the answers before it."""
    marker = _Marker(sheet, answers)
    return Marking(sheet, [marker.mark(blank) for blank in sheet.blanks])


class _Marker:
    """Marks blank after blank, and remembers which numbers are off."""

    def __init__(self, sheet: Worksheet, answers: Mapping[Expr, StudentAnswer]) -> None:
        self.sheet, self.formulas, self.answers = sheet, sheet.formulas, answers
        self.half = 10.0**-sheet.decimals / 2
        values = {leaf: answer.value for leaf, answer in answers.items()}
        self.student = StudentValues(self.formulas, values, self.half)
        self.by_hand = self.formulas.by_hand(sheet.decimals)
        self._off: dict[Expr, bool] = {}

    def mark(self, blank: Blank) -> Mark:
        """Mark a blank; those that it is computed from have been marked."""
        leaf, answer = blank.leaf, self.answers.get(blank.leaf)
        rights = self.formulas.all(leaf)
        exact, own = self.formulas.exact(leaf), self.student.value(rights[0])
        if answer is None:
            return Mark(blank, None, exact, own, "empty")
        verdict = self._verdict(leaf, answer.value, rights)
        self._off[leaf] = verdict in ("wrong", "follows on")
        wrong = tuple(self._explain(leaf, answer, rights[0])) if verdict == "wrong" else ()
        return Mark(blank, answer.value, exact, own, verdict, wrong)

    def _verdict(self, leaf: Expr, answer: float, rights: list[Expr]) -> str:
        for value in (self.formulas.exact(leaf), self.by_hand[leaf]):
            if abs(answer - value) <= self.half * (1 + 1e-9) + 1e-12 * abs(value):
                return "right"
        if not any(self.student.agrees(answer, formula) for formula in rights):
            return "wrong"
        return "follows on" if any(self._rests_on_slip(formula) for formula in rights) else "right"

    def _rests_on_slip(self, formula: Expr) -> bool:
        """Whether a number that is off stands behind a formula."""
        return any(self._is_off(leaf) for leaf in quantities_in(formula))

    def _is_off(self, leaf: Expr) -> bool:
        if leaf not in self._off:
            formula = self.formulas(leaf)
            self._off[leaf] = formula is not None and self._rests_on_slip(formula)
        return self._off[leaf]

    def _explain(self, leaf: Expr, answer: StudentAnswer, right: Expr) -> Iterator[WrongFormula]:
        student = self.student.without(leaf)
        if answer.decimals is not None and answer.decimals < self.sheet.decimals:
            half = 10.0**-answer.decimals / 2
            values = student.value(right), self.formulas.exact(leaf)
            if min(abs(answer.value - value) for value in values) <= half * (1 + 1e-9):
                yield WrongFormula("coarse", right)
        for wrong in wrong_formulas_of(self.formulas, leaf):
            if student.agrees(answer.value, wrong.formula):
                yield wrong

"""Marking: what is right, what follows on from an earlier slip, and which mistake the numbers show."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deltarule.arrays import check_number
from deltarule.derivations import Derivation
from deltarule.errors import DataFileError, InputError
from deltarule.formula.text import text
from deltarule.formula.tree import Expr
from deltarule.registry import did_you_mean
from deltarule.worksheets.answers import AnswerRows, StudentAnswer, column_of, read_answer, read_rows
from deltarule.worksheets.exercise_formulas import quantities_in
from deltarule.worksheets.feedback import report
from deltarule.worksheets.follow_through import StudentValues
from deltarule.worksheets.marks import Mark
from deltarule.worksheets.question_requests import name_key
from deltarule.worksheets.questions import Blank, blanks_by_name
from deltarule.worksheets.worksheet import Worksheet
from deltarule.worksheets.wrong_formulas import WrongFormula, has_wrong_formulas, wrong_formulas_of


class Marking:
    """A marked sheet; it prints as text, and can be saved in every format of a derivation.

    Attributes
    ----------
    worksheet : Worksheet
    marks : list of Mark
        One for each blank, in their order.
    faults : list of str
        What could not be read in the answers: each fault with its place, in words.
    """

    def __init__(self, worksheet: Worksheet, marks: list[Mark]) -> None:
        self.worksheet, self.marks = worksheet, marks
        self.faults = [f"{mark.remark}: it is marked as wrong" for mark in marks if mark.remark]

    @property
    def points(self) -> float:
        """The points for all answers that are right, or follow on from an earlier slip."""
        return sum(mark.credit for mark in self.marks)

    @property
    def out_of(self) -> float:
        """How many points there could be."""
        return self.worksheet.out_of

    @property
    def first_slip(self) -> Mark | None:
        """The first wrong answer."""
        return next((mark for mark in self.marks if mark.verdict == "wrong"), None)

    def formula(self, mark: Mark) -> str:
        """Return the quantity and its formula: ``net_h1 = w1·i1 + w2·i2 + b_h1``."""
        formulas = self.worksheet.formulas
        symbol, shown = formulas.symbol(mark.blank.leaf), formulas.shown(mark.blank.leaf)
        if shown is None:
            return text(symbol)
        return f"{text(symbol)} {mark.blank.relation} {text(formulas.names.write(shown))}"

    def data(self) -> dict[str, Any]:
        """Return the marks as JSON knows them."""
        first = self.first_slip
        return {
            "student": self.worksheet.student,
            "points": self.points,
            "out_of": self.out_of,
            "first_slip": None if first is None else self._mark_data(first),
            "marks": [self._mark_data(mark) for mark in self.marks],
            "faults": self.faults,
        }

    def _mark_data(self, mark: Mark) -> dict[str, Any]:
        answer, names = mark.answer, self.worksheet.formulas.names
        return {
            "blank": mark.blank.number,
            "quantity": mark.blank.name,
            "answer": mark.number if answer is None or mark.number is not None else answer.text,
            "right": mark.right,
            "own": mark.own if math.isfinite(mark.own) else None,
            "verdict": mark.verdict,
            "points": mark.credit,
            "out_of": mark.blank.points,
            "formula": self.formula(mark),
            "mistakes": list(mark.kinds),
            "mistake": mark.mistake,
            "came_from": [text(names.write(wrong.formula)) for wrong in mark.wrong_formulas],
        }

    @property
    def report(self) -> Derivation:
        """The marked sheet as a document."""
        return report(self.worksheet, self.marks)

    def __str__(self) -> str:
        return self.report.text()

    __repr__ = __str__


def mark(
    worksheet: Worksheet | str | os.PathLike[str], answers: Mapping[Any, Any] | str | os.PathLike[str]
) -> Marking:
    """Mark the answers to a worksheet, with credit for follow-through from an earlier mistake.

    An answer is right if it is within rounding of the exact number, or of the number that results from
    rounding at every step. An answer that is wrong, but right for the student's own earlier numbers, counts
    as well. For a wrong answer, the mistakes that would give exactly this number are named. An answer that is
    not a number is wrong.

    Parameters
    ----------
    worksheet : Worksheet or path
        The worksheet, or the file to which :meth:`Worksheet.save` wrote its data.
    answers : mapping, or path
        For each blank, by its number or the name of the quantity: a number, or a text such as ``"0,3775"`` or
        ``"1/3"``; a letter for a choice; the points that you gave if something was to be shown; None or an
        empty text if there is no answer. Or a CSV file with the columns blank and answer.

    Raises
    ------
    InputError
        If a mapping names a blank that does not exist, or answers one twice; in a file, this is only listed
        as a fault.
    DataFileError
        If a file cannot be read, or has no column blank.

    Examples
    --------
    >>> from deltarule.worksheets import worksheet
    >>> sheet = worksheet(seed=7)
    >>> answers = sheet.answers()
    >>> mark(sheet, answers).points
    14
    >>> found = mark(sheet, answers | {"net_h1": answers["net_h1"] - sheet.task.net.layers[0].b[0]})
    >>> found.points, found.first_slip.mistake
    (13, 'forgot the bias')
    """
    sheet = worksheet if isinstance(worksheet, Worksheet) else Worksheet.load(worksheet)
    if isinstance(answers, Mapping):
        blanks, found = blanks_by_name(sheet.blanks), dict[int, StudentAnswer]()
        for name, value in answers.items():
            blank = find_blank(blanks, str(name))
            if blank.number in found:
                raise InputError(f"blank {blank.number}, {blank.name}, is answered twice")
            if value is None or isinstance(value, str):
                answer = read_answer(value or "")
            else:
                check_number(f"the answer to {blank.name}", value)
                answer = StudentAnswer(float(value), None, f"{value:g}")
            if answer is not None:
                found[blank.number] = answer
        return mark_blanks(sheet, found)
    rows = read_rows(answers)
    marking = mark_blanks(sheet, answers_in_rows(rows, sheet))
    marking.faults += map(str, rows.faults)
    return marking


def find_blank(blanks: Mapping[str, Blank], name: str) -> Blank:
    """Return the blank that is called so, by number or name; InputError if there is none."""
    key = blank_key(name)
    if key not in blanks:
        raise InputError(f"no blank {name[:40]!r}{did_you_mean(key, blanks) if len(blanks) < 60 else ''}")
    return blanks[key]


def blank_key(name: str) -> str:
    """Return what a blank is found by: of ``"(1) net_h1"``, as a template has it, the number.

    Examples
    --------
    >>> blank_key("(1) net_h1"), blank_key("δ_h1")
    ('1', 'deltah1')
    """
    number = re.match(r"\s*\(?(\d+)\)?(\s|$)", name)
    return number[1] if number else name_key(name)


def answers_in_rows(rows: AnswerRows, sheet: Worksheet) -> dict[int, StudentAnswer]:
    """Return the answers in a table, by number of the blank; what has no place is added to its faults.

    It has the columns blank and answer, or one column for each blank.

    Raises DataFileError if it has neither.
    """
    blanks, found = blanks_by_name(sheet.blanks), dict[int, StudentAnswer]()
    for line, place, name, written in _named_cells(rows, blanks):
        try:
            blank = find_blank(blanks, name)
            if blank.number in found:
                raise InputError(f"blank {blank.number} is answered twice: the first answer counts")
        except InputError as error:
            rows.faults.append(DataFileError(rows.path, str(error), line, place + 1))
            continue
        answer = read_answer(written)
        if answer is not None:
            found[blank.number] = answer
    return found


def _named_cells(rows: AnswerRows, blanks: Mapping[str, Blank]) -> Iterator[tuple[int, int, str, str]]:
    """Each answer with its line, the column that names its blank, this name, and what was written."""
    headings = [name.lower() for name in rows.header]
    if "answer" in headings:
        place = column_of(rows, "blank", "number", "quantity", "name")
        for line, row in rows.rows:
            yield line, place, row[place], row[headings.index("answer")]
        return
    columns = [place for place, name in enumerate(rows.header) if blank_key(name) in blanks]
    if not columns:
        column_of(rows, "blank")  # refuses the table
    for line, row in rows.rows:
        yield from ((line, place, rows.header[place], row[place]) for place in columns)


def mark_blanks(sheet: Worksheet, answers: Mapping[int, StudentAnswer]) -> Marking:
    """Return the marks of all blanks, each in the light of the answers before it."""
    marker = _Marker(sheet, answers)
    return Marking(sheet, [marker.mark(blank) for blank in sheet.blanks])


class _Marker:
    """Marks blank after blank, and remembers which numbers are off."""

    def __init__(self, sheet: Worksheet, answers: Mapping[int, StudentAnswer]) -> None:
        self.sheet, self.formulas, self.answers = sheet, sheet.formulas, answers
        self.half = 10.0**-sheet.decimals / 2
        self.student = StudentValues(self.formulas, dict(self._numbers()), self.half)
        self.by_hand = sheet.by_hand
        self._off: dict[Expr, bool] = {}

    def _numbers(self) -> Iterator[tuple[Expr, float]]:
        """The numbers that a student goes on with: answered, chosen, or given to be shown."""
        for blank in self.sheet.blanks:
            answer, exact = self.answers.get(blank.number), self.formulas.exact(blank.leaf)
            if blank.kind == "show":
                yield blank.leaf, round(exact, self.sheet.decimals)
            elif blank.kind == "choice":
                chosen = self._chosen(blank)
                yield from [(blank.leaf, chosen.value)] if chosen and chosen.value is not None else []
            elif blank.has_number and answer is not None and math.isfinite(answer.value):
                yield blank.leaf, answer.value

    def _chosen(self, blank: Blank) -> Any:
        """The option that was chosen; None where none was."""
        answer = self.answers.get(blank.number)
        letter = "" if answer is None else answer.text.strip(" ().").upper()
        return next((option for option in self.sheet.options[blank.number] if option.letter == letter), None)

    def mark(self, blank: Blank) -> Mark:
        """Mark a blank; those that it is computed from have been marked."""
        leaf, answer = blank.leaf, self.answers.get(blank.number)
        rights = self.formulas.all(leaf)
        exact, own = self.formulas.exact(leaf), self.student.value(rights[0])
        if answer is None:
            return Mark(blank, None, exact, own, "empty")
        if not blank.has_number:
            return self._mark_choice_or_points(blank, answer, exact)
        verdict = self._verdict(leaf, answer.value, rights)
        self._off[leaf] = verdict in ("wrong", "follows on")
        wrong = tuple(self._explain(blank, answer, rights[0])) if verdict == "wrong" else ()
        credit = 0 if verdict == "wrong" else blank.points
        return Mark(blank, answer, exact, own, verdict, credit, wrong)

    def _mark_choice_or_points(self, blank: Blank, answer: StudentAnswer, exact: float) -> Mark:
        if blank.kind == "show":
            given = 0 <= answer.value <= blank.points
            points = int(answer.value) if given and answer.value.is_integer() else answer.value
            return Mark(blank, answer, exact, exact, *(("by hand", points) if given else ("wrong",)))
        option = self._chosen(blank)
        if option is not None and option.is_right:
            return Mark(blank, answer, exact, exact, "right", blank.points)
        if blank.kind == "choice":
            self._off[blank.leaf] = option is not None
        return Mark(blank, answer, exact, exact, "wrong", chosen=option.mistake if option else "")

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

    def _explain(self, blank: Blank, answer: StudentAnswer, right: Expr) -> Iterator[WrongFormula]:
        """The mistakes that give this number: in the last step, else in one before it that has no blank."""
        leaf = blank.leaf
        student = self.student.without(leaf)
        planted, value = self.sheet.planted.get(blank.number, (None, math.nan))
        if planted is not None and abs(answer.value - value) <= 2 * self.half:
            yield planted
            return
        if answer.decimals is not None and answer.decimals < self.sheet.decimals:
            half = 10.0**-answer.decimals / 2
            values = student.value(right), self.formulas.exact(leaf)
            if min(abs(answer.value - value) for value in values) <= half * (1 + 1e-9):
                yield WrongFormula("coarse", right)
        found = [w for w in wrong_formulas_of(self.formulas, leaf) if student.agrees(answer.value, w.formula)]
        yield from found or self._slips_before(leaf, answer.value, right, student)

    def _slips_before(
        self, leaf: Expr, answer: float, right: Expr, student: StudentValues
    ) -> Iterator[WrongFormula]:
        """Mistakes in a step that was not asked for, from which this number follows."""
        for inner in self._unasked_before(right, {leaf}):
            for wrong in wrong_formulas_of(self.formulas, inner):
                value = student.value(wrong.formula)
                if math.isfinite(value) and student.with_value(inner, value).agrees(answer, right):
                    yield WrongFormula(wrong.kind, wrong.formula, text(self.formulas.names.write(inner)))

    def _unasked_before(self, formula: Expr, seen: set[Expr]) -> Iterator[Expr]:
        """The quantities behind a formula that were worked out, but not answered; the nearest first."""
        fresh = [leaf for leaf in dict.fromkeys(quantities_in(formula)) if leaf not in seen]
        seen.update(fresh)
        inner = [q for q in fresh if q not in self.student.answers and self.formulas(q) is not None]
        yield from (q for q in inner if has_wrong_formulas(q))
        for q in inner:
            yield from self._unasked_before(self.formulas(q) or q, seen)

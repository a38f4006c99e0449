"""The marking of a class: every sheet's marks, and which mistakes were made."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deltarule.data.raw_files import list_folder
from deltarule.errors import DataFileError
from deltarule.registry import did_you_mean
from deltarule.worksheets.answers import AnswerRows, StudentAnswer, column_of, read_rows
from deltarule.worksheets.class_set import ClassSet
from deltarule.worksheets.marking import Marking, answers_in_rows, blank_key, mark_blanks
from deltarule.worksheets.questions import blanks_by_name
from deltarule.worksheets.tables import as_cell

#: Of a wrong answer that no mistake gives, and of one that several give.
_UNCLEAR = ("no known mistake", "several would fit")

#: Columns of a table of answers that are about the student.
_OF_STUDENT = ("student", "name", "blank", "number", "quantity", "answer")


class ClassMarking:
    """The marked sheets of a class.

    ``markings`` are by the name of the sheet's files; ``faults`` are what of the answers could not be
    taken as it is.
    """

    def __init__(self, markings: Mapping[str, Marking], faults: Iterable[str] = ()) -> None:
        self.markings, self.faults = dict(markings), list(faults)
        for marking in self.markings.values():
            self.faults += [f"{marking.worksheet.student}, {fault}" for fault in marking.faults]

    def rows(self) -> list[tuple[str, float, float, str, str]]:
        """Return of each student: name, points, how many there could be, first slip, mistake."""
        found = []
        for marking in self.markings.values():
            first = marking.first_slip
            slip = "" if first is None else f"({first.blank.number}) {first.blank.name}"
            mistake = "" if first is None else first.mistake
            found.append((marking.worksheet.student, marking.points, marking.out_of, slip, mistake))
        return found

    def mistakes(self) -> dict[str, int]:
        """Count how often each mistake was made, the most frequent first; then those that are not clear."""
        wrong = (
            mark for marking in self.markings.values() for mark in marking.marks if mark.verdict == "wrong"
        )
        counts = Counter(
            m.mistake if m.chosen or len(m.kinds) == 1 else _UNCLEAR[bool(m.kinds)] for m in wrong
        )
        last = {words: counts.pop(words) for words in _UNCLEAR if words in counts}
        return dict(counts.most_common()) | last

    def data(self) -> dict[str, Any]:
        """Return the marks as JSON knows them."""
        students = [{"file": name, **marking.data()} for name, marking in self.markings.items()]
        return {"students": students, "mistakes": self.mistakes(), "faults": self.faults}

    def table(self) -> list[list[str | float]]:
        """Return the marks as a table: the student, the points, each question's points, the first slip."""
        sheet = next(iter(self.markings.values())).worksheet
        heads = [f"({blank.number}) {blank.name}" for blank in sheet.blanks]
        rows: list[list[str | float]] = [["student", "points", "out_of", *heads, "first_slip", "mistake"]]
        pairs = zip(self.markings.values(), self.rows(), strict=True)
        for marking, (student, points, out_of, slip, mistake) in pairs:
            credits = [mark.credit for mark in marking.marks]
            rows.append([as_cell(student), points, out_of, *credits, slip, mistake])
        return rows


def mark_class(sheets: ClassSet, answers: str | os.PathLike[str]) -> ClassMarking:
    """Mark the answers of a class; what cannot be taken as it is blocks nothing, and is listed.

    Parameters
    ----------
    sheets : ClassSet
    answers : path
        A table, CSV or a spreadsheet, with the column student and a column for each blank, such as the
        template that lies beside the sheets; or with the columns student, blank and answer. Or a folder with
        a file for each student, named like the student's sheet. Students are named as they are, or as the
        files of their sheets are. Who is not there has answered nothing.

    Raises
    ------
    DataFileError
        If a file cannot be read, or has no such columns.
    """
    path, faults = Path(answers), list[str]()
    if path.is_dir():
        parts = _rows_in_folder(path, sheets, faults)
    else:
        rows = read_rows(path)
        faults += map(str, rows.faults)
        parts = _rows_by_student(rows, sheets, faults)
    found: dict[str, dict[int, StudentAnswer]] = {}
    for name, part in parts.items():
        found[name] = answers_in_rows(part, sheets.sheets[name])
        faults += map(str, part.faults)
    marked = {name: mark_blanks(sheet, found.get(name, {})) for name, sheet in sheets.sheets.items()}
    return ClassMarking(marked, faults)


def _rows_in_folder(folder: Path, sheets: ClassSet, faults: list[str]) -> dict[str, AnswerRows]:
    parts: dict[str, AnswerRows] = {}
    for file in list_folder(folder):
        if file.suffix.lower() in (".csv", ".xlsx", ".ods"):
            try:
                name = _find_sheet(sheets, file.stem, file)
                if name in parts:
                    raise DataFileError(file, f"a second file for {name!r}: the first one counts")
                parts[name] = read_rows(file)
            except DataFileError as error:
                faults.append(str(error))
    if not parts and not faults:
        raise DataFileError(folder, "contains no .csv files with answers")
    return parts


def _rows_by_student(rows: AnswerRows, sheets: ClassSet, faults: list[str]) -> dict[str, AnswerRows]:
    """The rows of each student; whom nobody knows is listed, but once."""
    place, parts, strangers = column_of(rows, "student", "name"), dict[str, AnswerRows](), set[str]()
    _check_columns(rows, sheets, faults)
    for line, row in rows.rows:
        try:
            name = _find_sheet(sheets, row[place], rows.path, line, place + 1)
        except DataFileError as error:
            faults += [str(error)] * (row[place] not in strangers)
            strangers.add(row[place])
        else:
            parts.setdefault(name, AnswerRows(rows.path, rows.header, [], [])).rows.append((line, row))
    return parts


def _check_columns(rows: AnswerRows, sheets: ClassSet, faults: list[str]) -> None:
    """List the columns that are no blank of any sheet."""
    blanks = blanks_by_name(next(iter(sheets.sheets.values())).blanks)
    for place, name in enumerate(rows.header, 1):
        if name.lower() not in _OF_STUDENT and blank_key(name) not in blanks:
            reason = f"there is no blank {name[:40]!r}: the column is ignored"
            faults.append(str(DataFileError(rows.path, reason, 1, place)))


def _find_sheet(sheets: ClassSet, name: str, path: str | os.PathLike[str], *position: int) -> str:
    """The sheet of the student who is called so, by the name of its files; ``position`` is for the error."""
    wanted = name.strip()
    known = sheets.sheets.items()
    found = [file for file, sheet in known if wanted in (file, sheet.student, as_cell(sheet.student))]
    if len(found) > 1:
        reason = f"several students are called {wanted[:60]!r}: write {' or '.join(found)}"
    elif not found:
        reason = f"there is no student {wanted[:60]!r}{did_you_mean(wanted, sheets.sheets)[:200]}"
    else:
        return found[0]
    raise DataFileError(path, reason, *position)

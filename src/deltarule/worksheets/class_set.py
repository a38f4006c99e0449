"""A sheet for each student of a class, and the marking of them all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deltarule.data.raw_files import list_folder
from deltarule.errors import DataFileError, InputError
from deltarule.files import new_folder, write_atomically
from deltarule.formula.text import clean
from deltarule.registry import did_you_mean
from deltarule.worksheets.answers import AnswerRows, column_of, read_rows
from deltarule.worksheets.marking import Marking, answers_in_rows, mark_blanks
from deltarule.worksheets.worksheet import Worksheet, format_with, read_json_file, worksheet

FORMAT = "deltarule class 1"

#: More sheets in one call are a mistake.
MOST_STUDENTS = 2000

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST = 80  # bytes of a file's name, without its ending


class ClassSet:
    """The worksheets of a class.

    Attributes
    ----------
    sheets : dict of str to Worksheet
        By the name of its files, without ending.
    """

    def __init__(self, sheets: Mapping[str, Worksheet]) -> None:
        self.sheets = dict(sheets)

    def data(self) -> dict[str, Any]:
        """Return the sheets as JSON knows them."""
        sheets = [{"file": name, "sheet": sheet.data()} for name, sheet in self.sheets.items()]
        return {"format": FORMAT, "sheets": sheets}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ClassSet:
        """Make the class that :meth:`data` describes.

        Raises
        ------
        InputError
            If the data describe none.
        """
        try:
            if data["format"] != FORMAT:
                raise InputError(f"expected the format {FORMAT!r}, got {str(data['format'])[:60]!r}")
            return cls({_check_file_name(s["file"]): Worksheet.from_data(s["sheet"]) for s in data["sheets"]})
        except (KeyError, TypeError) as error:
            raise InputError(f"not a class: {type(error).__name__} {error}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ClassSet:
        """Read the class in a file ``class.json``.

        Raises
        ------
        DataFileError
            If the file cannot be read, or holds no class.
        """
        return read_json_file(path, cls.from_data)

    def save(self, folder: str | os.PathLike[str], ending: str = ".pdf") -> Path:
        """Write ``sheets/``, ``keys/`` and ``class.json`` into a new folder: all of them, or nothing.

        Raises
        ------
        InputError
            If no format has this ending, or the folder is there and not empty.
        """
        with new_folder(folder) as working:
            format = format_with(ending)
            for part in ("sheets", "keys"):
                (working / part).mkdir()
            for name, sheet in self.sheets.items():
                write_atomically(working / "sheets" / f"{name}{ending}", sheet.sheet_as(format))
                write_atomically(working / "keys" / f"{name}{ending}", sheet.key.to(format))
            text = json.dumps(self.data(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
            write_atomically(working / "class.json", text.encode())
        return Path(folder)


def class_set(students: Sequence[str], *, seed: int = 0, vary: bool = True, **settings: Any) -> ClassSet:
    """Make a worksheet for each student, each with other numbers; equal arguments give equal sheets.

    A student's numbers follow from seed and name, so that one who joins later changes nobody else's.

    Parameters
    ----------
    students : sequence of str
        Names, any text; several may have the same.
    seed : int
    vary : bool
        Whether an example's numbers are drawn anew for each student.
    **settings
        Of :func:`worksheet`.

    Raises
    ------
    InputError
        If there are no students, or too many, or a setting does not fit.
    """
    names = [str(name) for name in students]
    if not 1 <= len(names) <= MOST_STUDENTS:
        raise InputError(f"a class has 1 to {MOST_STUDENTS:,} students, got {len(names):,}")
    sheets = {}
    for file, name, own in zip(file_names(names), names, _seeds_of_students(names, seed), strict=True):
        sheets[file] = worksheet(seed=own, student=name, vary=vary, **settings)
    return ClassSet(sheets)


def _seeds_of_students(names: Sequence[str], seed: int) -> list[int]:
    """A seed for each student, no two alike; of several with one name, by their order."""
    seeds: dict[int, None] = {}
    for name in names:
        for turn in range(len(names) + 1):
            digest = hashlib.sha256(f"{seed}\0{turn}\0{name}".encode("utf-8", "replace")).digest()
            own = int.from_bytes(digest[:8], "big") % 1_000_000
            if own not in seeds:
                break
        seeds[own] = None
    return list(seeds)


def read_students(path: str | os.PathLike[str]) -> list[str]:
    """Read the names in a CSV file's column student or name; any text.

    Raises
    ------
    DataFileError
        If the file has no such column, or no names.
    """
    rows = read_rows(path)
    place = column_of(rows, "student", "name", "students", "names")
    names = [row[place].strip() for _, row in rows.rows]
    if not any(names):
        raise DataFileError(path, "there is a header, but no names follow it", 1, place + 1)
    return [name for name in names if name]


def file_names(students: Sequence[str]) -> list[str]:
    """Make a file's name for each student, no two alike on any system, none with a path in it.

    Examples
    --------
    >>> file_names(["Ada", "../etc/passwd", "ada", "NUL", "Grace"])
    ['Ada 1', 'etc passwd', 'ada 2', '_NUL', 'Grace']
    """
    stems = [_file_name(name) for name in students]
    counts = Counter(stem.casefold() for stem in stems)
    taken = {stem for stem, count in counts.items() if count == 1}
    names = []
    for stem in stems:
        number, name = 0, stem
        while counts[stem.casefold()] > 1 and (number == 0 or name.casefold() in taken):
            number += 1
            name = f"{stem} {number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _check_file_name(file: str) -> str:
    """Refuse a file's name that somebody has put a path into."""
    if not re.fullmatch(r"[^/\\:\0]{1,120}", file) or file.startswith("."):
        raise InputError(f"not a class: {file[:60]!r} is no name of a file")
    return file


def _file_name(student: str) -> str:
    """Letters, digits and a few signs of a name, not too long."""
    plain = unicodedata.normalize("NFC", clean(student))
    kept = "".join(c if c.isalnum() or c in "-_.'() " or unicodedata.combining(c) else " " for c in plain)
    short = " ".join(kept.split()).encode()[:_LONGEST].decode("utf-8", "ignore").strip(" .")
    if not short:
        return "student"
    return f"_{short}" if re.split(r"[. ]", short)[0].lower() in _RESERVED else short


#: Of a wrong answer that no mistake gives, and of one that several give.
_UNCLEAR = ("no known mistake", "several would fit")


class ClassMarking:
    """The marked sheets of a class.

    Attributes
    ----------
    markings : dict of str to Marking
        By the name of the sheet's files.
    """

    def __init__(self, markings: Mapping[str, Marking]) -> None:
        self.markings = dict(markings)

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
        counts = Counter(m.mistake if len(m.kinds) == 1 else _UNCLEAR[bool(m.kinds)] for m in wrong)
        last = {words: counts.pop(words) for words in _UNCLEAR if words in counts}
        return dict(counts.most_common()) | last

    def data(self) -> dict[str, Any]:
        """Return the marks as JSON knows them."""
        students = [{"file": name, **marking.data()} for name, marking in self.markings.items()]
        return {"students": students, "mistakes": self.mistakes()}

    def csv(self) -> str:
        """Return the rows as CSV; a name is a text there, even for a spreadsheet."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["student", "points", "out_of", "first_slip", "mistake"])
        for student, *others in self.rows():
            is_formula = student[:1] in ("=", "+", "-", "@", "\t", "\r")  # to a spreadsheet
            writer.writerow([f"'{student}" if is_formula else student, *others])
        return file.getvalue()


def mark_class(sheets: ClassSet, answers: str | os.PathLike[str]) -> ClassMarking:
    """Mark the answers of a class.

    Parameters
    ----------
    sheets : ClassSet
    answers : path
        A CSV file with the columns student, blank and answer; or a folder with a CSV file for each student,
        named like the student's sheet, with the columns blank and answer. Students are named as they are, or
        as the files of their sheets are. Who is not there has answered nothing.

    Raises
    ------
    DataFileError
        If a student is not known, or an answer cannot be read.
    """
    path = Path(answers)
    parts = _rows_in_folder(path, sheets) if path.is_dir() else _rows_by_student(read_rows(path), sheets)
    found = {name: answers_in_rows(rows, sheets.sheets[name]) for name, rows in parts.items()}
    return ClassMarking(
        {name: mark_blanks(sheet, found.get(name, {})) for name, sheet in sheets.sheets.items()}
    )


def _rows_in_folder(folder: Path, sheets: ClassSet) -> dict[str, AnswerRows]:
    parts: dict[str, AnswerRows] = {}
    for file in list_folder(folder):
        if file.suffix.lower() == ".csv":
            name = _find_sheet(sheets, file.stem, file)
            if name in parts:
                raise DataFileError(file, f"a second file for {name!r}")
            parts[name] = read_rows(file)
    if not parts:
        raise DataFileError(folder, "holds no .csv files with answers")
    return parts


def _rows_by_student(rows: AnswerRows, sheets: ClassSet) -> dict[str, AnswerRows]:
    place, parts = column_of(rows, "student", "name"), dict[str, AnswerRows]()
    for line, row in rows.rows:
        name = _find_sheet(sheets, row[place], rows.path, line, place + 1)
        parts.setdefault(name, AnswerRows(rows.path, rows.header, [])).rows.append((line, row))
    return parts


def _find_sheet(sheets: ClassSet, name: str, path: str | os.PathLike[str], *position: int) -> str:
    """The sheet of the student who is called so, by the name of its files; ``position`` is for the error."""
    wanted = name.strip()
    found = [file for file, sheet in sheets.sheets.items() if wanted in (file, sheet.student)]
    if len(found) > 1:
        reason = f"several are called {wanted[:60]!r}: write {' or '.join(found)}"
    elif not found:
        reason = f"no student {wanted[:60]!r}{did_you_mean(wanted, sheets.sheets)[:200]}"
    else:
        return found[0]
    raise DataFileError(path, reason, *position)

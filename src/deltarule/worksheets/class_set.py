"""A sheet for each student of a class, and the marking of them all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deltarule.documents.plain_table import json_text
from deltarule.documents.renderers.pdf import merged_pdf
from deltarule.errors import DataFileError, InputError, MissingExtraError
from deltarule.files import new_folder, write_atomically
from deltarule.formula.text import clean
from deltarule.worksheets.answers import column_of, read_rows
from deltarule.worksheets.tables import as_cell, csv_bytes, xlsx_bytes
from deltarule.worksheets.workers import in_parallel
from deltarule.worksheets.worksheet import Worksheet, format_with, read_json_file, worksheet

FORMAT = "deltarule class 1"

#: More sheets in one call are a mistake.
MOST_STUDENTS = 2000

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_LONGEST = 80  # bytes of a file's name, without its ending


class ClassSet:
    """The worksheets of a class.

    ``sheets`` are by the name of their files, without ending.
    """

    def __init__(self, sheets: Mapping[str, Worksheet]) -> None:
        self.sheets = dict(sheets)

    def data(self) -> dict[str, Any]:
        """Return the sheets as JSON knows them."""
        sheets = [{"file": name, "sheet": sheet.data()} for name, sheet in self.sheets.items()]
        return {"format": FORMAT, "sheets": sheets}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ClassSet:
        """Make the class that :meth:`data` describes; InputError if the data describe none."""
        try:
            if data["format"] != FORMAT:
                raise InputError(f"expected the format {FORMAT!r}, got {str(data['format'])[:60]!r}")
            return cls({_check_file_name(s["file"]): Worksheet.from_data(s["sheet"]) for s in data["sheets"]})
        except (KeyError, TypeError) as error:
            raise InputError(f"not a class: {type(error).__name__} {error}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ClassSet:
        """Read the class in a file ``class.json``.

        Raises DataFileError if the file cannot be read, or holds no class.
        """
        return read_json_file(path, cls.from_data)

    def template(self) -> list[list[str | float]]:
        """Return a table for the answers: a row for each student, a column for each blank."""
        names = Counter(sheet.student for sheet in self.sheets.values())
        blanks = next(iter(self.sheets.values())).blanks
        header: list[str | float] = ["student", *(f"({blank.number}) {blank.name}" for blank in blanks)]
        rows = [header]
        for file, sheet in self.sheets.items():
            is_clear = names[sheet.student] == 1 and sheet.student.strip()
            rows.append([as_cell(sheet.student) if is_clear else file, *[""] * len(blanks)])
        return rows

    def save(self, folder: str | os.PathLike[str], ending: str = ".pdf") -> Path:
        """Write a class into a new folder: all of it, or nothing.

        ================== ========================================================================
        sheets/            a sheet for each student
        keys/, keys.pdf    their keys: of PDFs one file with all of them
        class.json         what marking needs
        answers.csv, .xlsx a template, a row for each student and a column for each blank
        ================== ========================================================================

        The spreadsheet is there where XlsxWriter is.

        Raises InputError if no format has this ending, or the folder is there and not empty.
        """
        with new_folder(folder) as working:
            format = format_with(ending)
            for part in ("sheets",) if format == "pdf" else ("sheets", "keys"):
                (working / part).mkdir()

            def write(name: str) -> None:
                sheet = self.sheets[name]
                (working / "sheets" / f"{name}{ending}").write_bytes(sheet.sheet_as(format))
                if format != "pdf":
                    (working / "keys" / f"{name}{ending}").write_bytes(sheet.key.to(format))

            in_parallel(write, self.sheets)
            if format == "pdf":
                keys = [sheet.key.document for sheet in self.sheets.values()]
                (working / "keys.pdf").write_bytes(merged_pdf("Keys", keys))
            (working / "answers.csv").write_bytes(csv_bytes(self.template()))
            with contextlib.suppress(MissingExtraError):
                (working / "answers.xlsx").write_bytes(xlsx_bytes("answers", self.template()))
            text = json_text(self.data()) + "\n"
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
        raise InputError(f"a class must have 1 to {MOST_STUDENTS:,} students, got {len(names):,}")
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

    Raises DataFileError if the file has no such column, or no names.
    """
    rows = read_rows(path)
    place = column_of(rows, "student", "name", "students", "names")
    for fault in rows.faults:
        raise fault
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

"""A workbook, its sheets, and how their cells look."""

from __future__ import annotations

import math
from datetime import datetime
from io import BytesIO
from typing import Any

from deltarule.formula.excel import Cell
from deltarule.formula.text import clean
from deltarule.registry import import_extra

INK, _BAR, _GIVEN, _RESULT, _LINE = "#1F3864", "#D9E2F3", "#EAF3FF", "#FFF2CC", "#E3E3E3"
_NUMBER = "0.000000000"
_LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16, "font_color": INK},
    "words": {"text_wrap": True, "valign": "top", "font_color": "#404040"},
    "head": {"bold": True, "bg_color": INK, "font_color": "#FFFFFF", "valign": "vcenter"},
    "head_right": {"bold": True, "bg_color": INK, "font_color": "#FFFFFF", "align": "right"},
    "part": {"bold": True, "bg_color": _BAR, "font_color": INK},
    "name": {"bold": True, "valign": "top", "bottom": 1, "bottom_color": _LINE},
    "what": {"text_wrap": True, "valign": "top", "bottom": 1, "bottom_color": _LINE},
    "formula": {
        "text_wrap": True, "valign": "top", "italic": True, "font_color": "#404040",
        "bottom": 1, "bottom_color": _LINE,
    },
    "given": {
        "font_color": "#0000FF", "bg_color": _GIVEN, "border": 1, "border_color": "#9DC3E6",
        "locked": False, "valign": "top",
    },
    "number": {"num_format": _NUMBER, "valign": "top", "bottom": 1, "bottom_color": _LINE},
    "result": {"num_format": _NUMBER, "valign": "top", "bold": True, "bg_color": _RESULT},
    "count": {"num_format": "0", "bold": True},
    "points": {"num_format": "General"},
    "cell": {"num_format": _NUMBER},
    "rate": {"font_color": "#0000FF", "num_format": _NUMBER, "locked": False},
    "tiny": {"num_format": "0.00000E+00"},
}  # fmt: skip

_EVERYWHERE = "A1:XFD1048576"

#: What a protected sheet still lets people do.
_ALLOWED = {"format_cells": True, "format_columns": True, "format_rows": True, "objects": True}


class _ExactFloat(float):
    """A float that XlsxWriter, which asks for 16 digits, writes with all that tell it from every other."""

    def __format__(self, spec: str) -> str:
        return float.__repr__(self)


def height(*texts: tuple[str, int]) -> float:
    """The height of a row whose texts are wrapped in columns so wide: not every program finds it itself."""
    return 15.0 * max(1, *(math.ceil(len(words) / width) for words, width in texts))


class SheetWriter:
    """A sheet whose cells are written by what they hold.

    ``looks`` are the formats by name.
    """

    def __init__(self, page: Any, looks: dict[str, Any]) -> None:
        self.page, self._looks = page, looks

    def words(self, row: int, column: int, words: str, look: str | None = None) -> None:
        """A cell of text, never of anything else."""
        self.page.write_string(row, column, clean(words), look and self._looks[look])

    def paragraph(self, row: int, words: str, columns: int) -> None:
        """Text across so many columns."""
        self.page.merge_range(row, 0, row, columns - 1, "", self._looks["words"])
        self.words(row, 0, words, "words")

    def bar(self, row: int, title: str, columns: int) -> None:
        """A heading across so many columns."""
        self.words(row, 0, title, "part")
        for column in range(1, columns):
            self.page.write_blank(row, column, None, self._looks["part"])

    def number(self, row: int, column: int, value: float, look: str) -> None:
        """A number that stands for itself."""
        self.page.write_number(row, column, _ExactFloat(value), self._looks[look])

    def formula(self, row: int, column: int, formula: str, value: float, look: str) -> None:
        """A formula, and its value."""
        shown = value if math.isfinite(value) else "#NUM!"
        self.page.write_formula(row, column, formula, self._looks[look], shown)

    def exponents(self, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        """Numbers too small for nine decimals, or too large for the column, have an exponent."""
        corner = Cell(first_row, first_column)
        small = f"=AND(ISNUMBER({corner}),{corner}<>0,OR(ABS({corner})<0.0001,ABS({corner})>=1000000))"
        rule = {"type": "formula", "criteria": small, "format": self._looks["tiny"]}
        self.page.conditional_format(first_row, first_column, last_row, last_column, rule)

    def protect(self) -> None:
        """Against slips, without a password."""
        self.page.protect("", _ALLOWED)


class WorkbookWriter:
    """The workbook while it is written; equal workbooks are equal bytes."""

    _ACROSS = 13  # so many columns can still be read when they are printed on one page

    def __init__(self, title: str) -> None:
        self.title = title
        self._buffer = BytesIO()
        self.file = import_extra("xlsxwriter", "xlsx").Workbook(self._buffer, {"in_memory": True})
        self.file.set_properties({"title": title, "created": datetime(2000, 1, 1)})
        self._looks = {name: self.file.add_format(look) for name, look in _LOOKS.items()}

    def sheet(self, name: str, columns: int) -> SheetWriter:
        """A new sheet for A4 paper, on one page across if so many columns can be read there."""
        page = self.file.add_worksheet(name)
        page.set_landscape()
        page.set_paper(9)
        if columns <= self._ACROSS:
            page.fit_to_pages(1, 0)
        page.set_footer("&L&A&RPage &P of &N")
        page.hide_gridlines(2)
        page.ignore_errors({"formula_differs": _EVERYWHERE, "formula_range": _EVERYWHERE})
        return SheetWriter(page, self._looks)

    def closed(self) -> bytes:
        """The file."""
        self.file.close()
        return self._buffer.getvalue()

"""Tables of a class as files: CSV, and a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from deltarule.spreadsheet.workbook_writer import WorkbookWriter

Rows = Sequence[Sequence[str | float]]


def as_cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> as_cell("=1+1"), as_cell("Ada")
    ("'=1+1", 'Ada')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_bytes(rows: Rows) -> bytes:
    """The rows as CSV in UTF-8, with the mark by which spreadsheets know it."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode("utf-8-sig", "replace")


def xlsx_bytes(title: str, rows: Rows) -> bytes:
    """The rows as a spreadsheet; MissingExtraError if XlsxWriter is not installed."""
    book = WorkbookWriter(title)
    sheet = book.sheet(title[:31], len(rows[0]))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.words(row, column, cell, None if row else "head")
            else:
                sheet.number(row, column, cell, "points")
    sheet.page.freeze_panes(1, 1)
    sheet.page.set_column(0, 0, 28)
    return book.closed()

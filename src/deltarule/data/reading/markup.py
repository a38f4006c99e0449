"""Tables in web pages, and in spreadsheets that programs wrote as HTML or XML."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser

from deltarule.data.decisions import decide
from deltarule.data.reading.other_sources import choose_table, table_of_texts
from deltarule.data.reading.raw_table import RawTable, ReadingOptions
from deltarule.errors import DataFileError

_START = re.compile(r"\s*<(!doctype\s+html|html|table|\?xml|head|body|meta|!--)", re.IGNORECASE)
_HIDDEN = frozenset({"style", "script", "sup"})


def is_markup(text: str) -> bool:
    """Return whether a text is a web page or XML.

    Examples
    --------
    >>> is_markup("<!DOCTYPE html><table>"), is_markup("<5,6")
    (True, False)
    """
    return _START.match(text) is not None


def read_markup(path: str | os.PathLike[str], text: str, options: ReadingOptions) -> RawTable:
    """Read a table of a page: the one named (``table 2``), else the one with the most rows.

    Raises
    ------
    DataFileError
        If there is none.
    """
    parser = _Tables()
    parser.feed(text)
    tables = {f"table {number}": rows for number, rows in enumerate(parser.tables, 1) if any(map(any, rows))}
    if not tables:
        raise DataFileError(path, "it is a web page (HTML) or XML without a table: save the table as CSV", 1)
    names = sorted(tables, key=lambda name: -len(tables[name]))
    name, decisions = choose_table(path, names, options.table)
    width = max(map(len, tables[name]))
    rows = [[*cells, *[""] * (width - len(cells))] for cells in tables[name]]
    told = decide("format", what="a table of a web page")
    return table_of_texts(path, rows, options, (told, *decisions))


class _Tables(HTMLParser):
    """Gathers the rows of each table: ``tr`` and ``td``, or ``Row`` and ``Cell`` of a spreadsheet in XML."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []
        self._in_cell = False
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
            self._open.append(self.tables[-1])
        elif tag in ("tr", "row") and self._open:
            self._open[-1].append([])
        elif tag in ("td", "th", "cell") and self._open and self._open[-1]:
            self._open[-1][-1].append("")
            span = dict(attrs).get("colspan") or "1"
            self._open[-1][-1].extend([""] * (min(int(span), 1000) - 1 if span.isdigit() else 0))
        self._in_cell = tag in ("td", "th", "cell") or (self._in_cell and tag not in ("table", "tr", "row"))
        self._hidden += tag in _HIDDEN

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        if tag == "table" and self._open:
            self._open.pop()
        if tag in ("td", "th", "cell", "table"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell and not self._hidden and self._open and self._open[-1] and self._open[-1][-1]:
            cells = self._open[-1][-1]
            cells[-1] = " ".join(f"{cells[-1]} {data}".split())

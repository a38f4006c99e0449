"""Text tables, CSV above all: rows of cells, and the exact place of whatever is wrong."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.reading.fixed_width import cut, find_cuts
from deltarule.data.reading.frames import TableFrame, as_single_spaces, divide, find_frame
from deltarule.data.reading.headers import is_second_header, merged_header, name_columns
from deltarule.data.reading.raw_table import RawTable, ReadingOptions, columns_of, has_header
from deltarule.errors import DataFileError

_HEAD = 200
_RULE = re.compile(r"[-=_+|:*~─═]{3,}|:?-+:|:-+|={2}")
_TOTAL = re.compile(
    r"^\s*(grand[ -]?|sub[ -]?)?totals?\b|\btotals?\s*$|^\s*(zwischen|gesamt)?summe\b|^\s*gesamt\b"
    r"|\bsumme\s*$|^\s*(sous-total|somme|totale|suma|subtotal)\b|(合计|总计|小计|合計|小計|итого|всего)\s*$",
    re.IGNORECASE,
)
_Row = tuple[int, list[str]]


def read_text_table(path: str | os.PathLike[str], text: str, options: ReadingOptions) -> RawTable:
    """Read a text as a table: with its frame seen through, unless all lines shall be rows.

    Raises
    ------
    DataFileError
        If it is empty, has a header alone, or rows are not divided as they should be.
    """
    decisions, plain = [], text
    if not options.quote and _is_wrapped(text):
        plain = re.sub(
            r'^[ \t]*"(.*)"[ \t]*$', lambda line: line[1].replace('""', '"'), text, flags=re.MULTILINE
        )
        decisions.append(decide("quotes", 1, 1, quote="around whole lines"))
    frame = find_frame(plain, options)
    may_cut = (frame.width < 2 or frame.delimiter == " ") and not (options.delimiter or options.all_lines)
    if may_cut and (cut_up := _cut_up(plain.splitlines(), frame)):
        plain, options = "\n".join(cut_up), replace(options, delimiter="\t")
        frame = find_frame(plain, options)
        decisions.append(decide("delimiter", delimiter="their places in the lines (fixed width)"))
    raw = table_of_rows(path, list(rows_of(path, plain, frame)), frame, options)
    return replace(raw, decisions=(*decisions, *raw.decisions))


def _cut_up(lines: list[str], frame: TableFrame) -> list[str] | None:
    """Return lines of fixed width with tabs between cells; None where runs of spaces divide them evenly."""
    rows = [line for line in lines[frame.start :] if line.strip()]
    widths = [len(cells) for _, cells in divide(rows[:_HEAD], " ", frame.quote)]
    if widths and len({*widths[1:]}) == 1 and widths[0] in (widths[-1], widths[-1] - 1):  # row names
        return None
    first = next((place for place, line in enumerate(lines) if "  " in line.strip()), len(lines))
    cuts = find_cuts(lines[first:])
    return [*lines[:first], *(cut(line, cuts) for line in lines[first:])] if cuts else None


def _is_wrapped(text: str) -> bool:
    """Return whether whole lines are quoted, as where a line was taken for a cell."""
    lines = [line for line in re.split(r"[\r\n]+", text[: 1 << 16])[:_HEAD] if line.strip()][:-1]
    wrapped = re.compile(r'\s*"([^"]|"")*[,;\t|]([^"]|"")*"\s*')
    return len(lines) > 1 and all(map(wrapped.fullmatch, lines))


def table_of_rows(
    path: str | os.PathLike[str], rows: list[_Row], frame: TableFrame, options: ReadingOptions
) -> RawTable:
    """Make a table of rows of texts, each with its line: find the header, leave out what is no row."""
    if not rows:
        raise DataFileError(path, "the file is empty; its first line must name the columns", 1, 1)
    if options.header is False:
        frame = replace(frame, names=None)
    decisions = frame_decisions(frame, options)
    rows, passed = (rows, []) if options.all_lines else _sound_rows(rows, frame)
    if not rows:
        raise DataFileError(path, "no line of the file is a row of a table", passed[0][0], 1)
    headed = frame.names is None and has_header([cells for _, cells in rows[:_HEAD]], options)
    if (
        headed
        and len(rows) > 2
        and not options.all_lines
        and (merged := merged_header(rows[0][1], rows[1][1]))
    ):
        passed.append(rows[1])
        rows = [(rows[0][0], merged), *rows[2:]]
    names, named = name_columns_of(path, rows, frame, headed=headed)
    header, rows = rows[:headed], rows[headed:]
    if header and not options.all_lines:
        rows, again = without_headers(rows, header[0][1])
        passed += again
    lines = sorted([*frame.before, *((line, frame.delimiter.join(cells).strip()) for line, cells in passed)])
    if lines:
        listed = shown(text for _, text in lines)
        decisions.append(decide("lines", lines[0][0], 1, count=len(lines), shown=listed))
    decisions += named
    if not rows:
        raise DataFileError(path, "there is a header, but no rows follow it", lines[0][0] if lines else 1, 1)
    rows, ragged = _even(path, rows, len(names), options)
    decisions += ragged
    columns = columns_of((cells for _, cells in rows), names, options.kinds)
    numbers = np.array([line for line, _ in rows])
    return RawTable(
        names, columns, numbers, frame.delimiter == ";", tuple(decisions), headed or frame.names is not None
    )


def rows_of(path: str | os.PathLike[str], text: str, frame: TableFrame) -> Iterator[_Row]:
    """Yield each row but blank ones and comments, with the line on which it begins.

    Raises
    ------
    DataFileError
        If, as its rows are taken, something is no row.
    """
    stream = io.StringIO(text, newline="")
    for _ in range(frame.start):
        next(stream, "")
    source: Iterator[str] = stream
    if frame.comment:
        source = ("\n" if line.startswith(frame.comment) else line for line in stream)
    if frame.delimiter == " ":
        source = (as_single_spaces(line, frame.quote) for line in source)
    delimiter = "\t" if frame.delimiter == " " else frame.delimiter
    spaced = delimiter != "\t"
    reader = csv.reader(
        source,
        delimiter=delimiter,
        quotechar=frame.quote,
        escapechar=frame.escape,
        strict=True,
        skipinitialspace=spaced,
    )
    line = frame.start + 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = frame.start + reader.line_num + 1
    except csv.Error as error:
        row_text = "".join(islice(io.StringIO(text, newline=""), line - 1, frame.start + reader.line_num))
        raise DataFileError(
            path, f"this is not a CSV row: {error}", line, _bad_field(row_text, delimiter)
        ) from None


def frame_decisions(frame: TableFrame, options: ReadingOptions) -> list[Decision]:
    """Say how cells are divided and quoted, where not by commas and with \"."""
    decisions = []
    if frame.delimiter != "," and options.delimiter is None:
        name = {"\t": "tabs", " ": "runs of spaces"}.get(frame.delimiter, repr(frame.delimiter))
        decisions.append(decide("delimiter", delimiter=name))
    if frame.quote != '"' and options.quote is None and (frame.names is None or frame.commented):
        decisions.append(decide("quotes", 1, 1, quote=frame.quote))
    return decisions


def _sound_rows(rows: list[_Row], frame: TableFrame) -> tuple[list[_Row], list[_Row]]:
    """Leave out rows without any cell, and a footer: last rows that are narrower, or filled in one place."""
    filled: list[_Row] = []
    passed: list[_Row] = []
    for row in rows:
        (passed if _is_ruler(row[1]) else filled).append(row)
    filled, totals = without_totals(filled)
    footer = []
    beginnings = Counter(cells[0] for _, cells in filled if len(cells) == frame.width)
    while len(filled) > 2 and frame.width > 1 and is_footer(filled[-1][1], frame.width):
        if beginnings[filled[-1][1][0]] > 2:  # a category of many rows, "Average" for example
            break
        footer.append(filled.pop())
    if len(footer) * 5 > len(rows):  # too many for a footer: they are what the table is
        return rows, []
    return filled, passed + totals + footer


def is_total(text: str) -> bool:
    """Return whether a cell calls its row a sum of others, as "Total North" and "Summe" do."""
    return bool(_TOTAL.search(text))


def without_totals(rows: list[_Row]) -> tuple[list[_Row], list[_Row]]:
    """Leave out sums of others: rows that are called so, and have no cell where nearly all rows have one."""
    called = [place for place, (_, cells) in enumerate(rows) if any(map(is_total, cells[:2]))]
    if not called or len(called) * 4 > len(rows):
        return rows, []
    others = [cells for _, cells in rows]
    gone = set()
    for place in called:
        empty = [field for field, cell in enumerate(others[place]) if not cell.strip()]
        rest = [cells for cells in others if len(cells) == len(others[place])]
        if any(sum(not cells[field].strip() for cells in rest) <= 2 * len(called) for field in empty):
            gone.add(place)
    return (
        [row for place, row in enumerate(rows) if place not in gone],
        [row for place, row in enumerate(rows) if place in gone],
    )


def _is_ruler(cells: list[str]) -> bool:
    """Return whether a row holds nothing, or lines drawn of dashes and the like."""
    if cells[0][:1].isalnum():
        return False
    return all(not (text := cell.strip()) or _RULE.fullmatch(text) for cell in cells)


def without_headers(rows: list[_Row], header: list[str]) -> tuple[list[_Row], list[_Row]]:
    """Leave out the header where it stands again, and others below it, of units, that stand above numbers."""
    again = [row for row in rows if row[1] == header]
    if again:
        rows = [row for row in rows if row[1] != header]
    cells = [cells for _, cells in rows[:_HEAD]]
    for count in (2, 1):  # a line of questions and one of codes, as surveys have them; or a line of units
        below = cells[count:]
        if len(below) > 2 and all(is_second_header([one, *below]) for one in cells[:count]):
            return rows[count:], [*again, *rows[:count]]
    return rows, again


def is_footer(cells: Sequence[str], width: int) -> bool:
    """Return whether a last row is no row of a table that is so wide."""
    n_filled = sum(bool(cell.strip()) for cell in cells)
    if re.fullmatch(r"\s*[\[(]?\d+ rows?\b.*", " ".join(cells)):  # as databases count what they gave
        return True
    if n_filled > 1 and len(cells) == width:
        return width > 3 and bool(
            re.fullmatch(r"\s*(grand )?(total|sum|average|mean)s?:?\s*", cells[0], re.IGNORECASE)
        )
    narrow = len(cells) < width
    wordy = bool(
        re.match(r"\s*(total|source|note|end|sum|count|generated|\(|\*|#|--)", cells[0], re.IGNORECASE)
    )
    return (n_filled <= 1 and width > 2) or (narrow and (wordy or n_filled * 2 <= width))


def name_columns_of(
    path: str | os.PathLike[str], rows: list[_Row], frame: TableFrame, *, headed: bool
) -> tuple[tuple[str, ...], list[Decision]]:
    """Return the names of the columns: those of the header, or c1, c2, …"""
    line, first = rows[0]
    if frame.names is not None:
        names, named = name_columns(frame.names, frame.start)
        if frame.commented:
            named.append(decide("commented-header", frame.commented, 1, line=frame.commented))
        return names, named
    if not headed:
        names = tuple(f"c{number}" for number in range(1, len(first) + 1))
        cell = next((cell for cell in first if cell.strip()), "")
        described = f"the number {cell.strip()}" if cell.strip()[-1:].isdigit() else repr(cell)
        place = first.index(cell) + 1
        return names, [decide("no-header", line, place, first=names[0], last=names[-1], cell=described)]
    missing = frame.width - len(first)
    if missing > 0 and len(rows) > 1:
        ends_empty = all(not any(map(str.strip, cells[len(first) :])) for _, cells in rows[1:])
        if ends_empty:
            first = first + [""] * missing
        elif missing == 1 and all(len(cells) == frame.width for _, cells in rows[1:]):
            first = ["", *first]  # as R writes row names
    return name_columns(first, line)


def _even(
    path: str | os.PathLike[str], rows: list[_Row], width: int, options: ReadingOptions
) -> tuple[list[_Row], list[Decision]]:
    """Leave out rows of another width where they are few; empty cells at the end do not count."""
    odd = []
    for index, (line, cells) in enumerate(rows):
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            rows[index] = (line, cells[:width])
        elif len(cells) != width and options.ragged == "fill":
            rows[index] = (line, [*cells[:width], *[""] * (width - len(cells))])
        elif len(cells) != width:
            odd.append(index)
    if not odd:
        return rows, []
    line, cells = rows[odd[0]]
    field = min(len(cells), width) + 1
    reason = f"expected {width} fields as in the header, got {len(cells)}"
    if len(odd) * 10 > len(rows) and (len(odd) > 1 or len(rows) < 3):
        raise DataFileError(path, f"{reason}; use --ragged fill to fill or cut such rows", line, field)
    strange = set(odd)
    listed = ", ".join(str(rows[index][0]) for index in odd[:5]) + (", …" if len(odd) > 5 else "")
    decision = decide("ragged", line, field, count=len(odd), shown=listed, reason=reason)
    return [row for index, row in enumerate(rows) if index not in strange], [decision]


def _bad_field(row: str, delimiter: str) -> int:
    """Return the number of the first field that is too long, or not followed by a delimiter or the end."""
    field = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^"{delimiter}]*')
    number, start = 1, 0
    while (match := field.match(row, start)) and len(match[0]) <= csv.field_size_limit():
        if row[match.end() : match.end() + 1] != delimiter:
            break
        number, start = number + 1, match.end() + 1
    return number

"""The frame of a text table: how cells are divided and quoted, and which lines are no rows.

What is found here follows from the first few hundred lines, and from the last.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile

from deltarule.data.reading.headers import is_header
from deltarule.data.reading.raw_table import ReadingOptions
from deltarule.registry import record

_DELIMITERS = "\t;|,^~"
_WEAK = " :"  # what divides only where nothing else does
_SAMPLE = 300
_FEWEST = 12  # lines that tell what divides them, below prose
_BELOW = 20  # rows that are looked at to tell a header above them


@record
class TableFrame:
    """How the lines of a text are a table.

    Parameters
    ----------
    delimiter : str
        One character; ``" "`` stands for any run of spaces.
    quote : str
        ``"`` or ``'``.
    start : int
        How many lines stand before the table.
    comment : str
        What begins lines that are no rows, anywhere; "" for nothing.
    names : tuple of str or None
        The names of columns where they stand before the table (ARFF).
    width : int
        How many cells most rows have.
    before : tuple of (int, str)
        Lines before the table that say something, by number.
    escape : str or None
        What stands before a quotation mark in a quoted cell, where the mark is not doubled.
    commented : int
        The line of the comment that names the columns; 0 where there is none.
    """

    delimiter: str = ","
    quote: str = '"'
    start: int = 0
    comment: str = ""
    names: tuple[str, ...] | None = None
    width: int = 0
    before: tuple[tuple[int, str], ...] = ()
    escape: str | None = None
    commented: int = 0


def divide(
    lines: Sequence[str], delimiter: str, quote: str, escape: str | None = None
) -> list[tuple[int, list[str]]]:
    """Divide lines into rows of cells, each with the number of its first line; blank lines are none.

    A quoted cell may go over several lines.
    """
    if delimiter == " ":
        lines, delimiter = [as_single_spaces(line, quote) for line in lines], "\t"
    reader = csv.reader(
        (f"{line}\n" for line in lines),
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape,
        skipinitialspace=True,
    )
    rows, start = [], 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)) or len(cells) > 1:
                rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error:  # reading the table will say where
        pass
    return rows


def as_single_spaces(line: str, quote: str = '"') -> str:
    """Put one tab in place of each run of spaces outside quotes.

    Examples
    --------
    >>> as_single_spaces('  1.5   "a b"  x ')
    '1.5\\t"a b"\\tx'
    """
    return re.sub(rf"({quote}[^{quote}]*{quote})|\s+", lambda found: found[1] or "\t", line.strip())


def find_frame(text: str, options: ReadingOptions) -> TableFrame:
    """Find the frame around a table; where all lines shall be rows, only how cells are divided."""
    lines = re.split(r"\r\n|\r|\n", text[: 1 << 20], maxsplit=_SAMPLE)[:_SAMPLE]
    relation = _arff(text)
    if relation is not None:
        return relation
    start, comment, delimiter = 0, "", options.delimiter
    if not options.all_lines:
        separator = re.match(r"\s*\"?sep=(.)\"?\s*$", lines[0], re.IGNORECASE)
        if separator:
            start, delimiter = 1, delimiter or separator[1]
        comment = _comment(lines[start:])
    plain = [
        "" if number < start or (comment and line.startswith(comment)) else line
        for number, line in enumerate(lines)
    ]
    quote = options.quote or _quote(plain)
    escape = "\\" if any(re.search(r'\\"(?!\s*([,;\t|]|$))', line) for line in plain) else None
    upper = 0
    if delimiter is None:
        delimiter, upper = _delimiter(plain, quote, escape)
        for place in range(upper):  # prose, in which a quotation may go on in the next line
            plain[place] = plain[place].replace(quote, "") if plain[place].count(quote) % 2 else plain[place]
    rows = divide(plain, delimiter, quote, escape)
    width = _usual(len(cells) for line, cells in rows if line > upper)
    titles = 0 if options.all_lines or width < 2 else _titles([cells for _, cells in rows], width)
    first = rows[titles][0] if titles else start + 1
    before = [
        (number, line) for number, line in enumerate(lines, 1)
        if line and (number < first or (comment and line.startswith(comment)))
    ]  # fmt: skip
    names, commented = None, 0
    if before and rows and before[-1][0] == rows[titles][0] - 1:
        above = before[-1][1].lstrip(comment) if comment else re.sub(r"^\s*\w+:\s", "", before[-1][1])
        names = _commented_names(above, [cells for _, cells in rows[titles:]], delimiter)
        if names:
            *before, (commented, _) = before
    return TableFrame(delimiter, quote, first - 1, comment, names, width, tuple(before), escape, commented)


def _commented_names(line: str, rows: Sequence[list[str]], delimiter: str) -> tuple[str, ...] | None:
    """Return the names in the comment above a table without a header, where it has one for each column."""
    ((_, names),) = divide([line], delimiter, '"') or [(1, [])]
    fits = len(names) == len(rows[0]) > 1 and not is_header(rows) and is_header([names, *rows])
    return tuple(names) if fits else None


def frame_of_rows(rows: Sequence[tuple[int, list[str]]], options: ReadingOptions) -> TableFrame:
    """Find the frame around rows that are divided already, as those of a spreadsheet are."""
    width = _usual(len(cells) for _, cells in rows)
    titles = 0 if options.all_lines or width < 2 else _titles([cells for _, cells in rows[:_SAMPLE]], width)
    before = tuple((number, " ".join(filter(None, map(str.strip, cells)))) for number, cells in rows[:titles])
    return TableFrame(start=rows[titles - 1][0] if titles else 0, width=width, before=before)


def _arff(text: str) -> TableFrame | None:
    """Return the frame of an ARFF file, whose @attribute lines name the columns."""
    head = re.match(r"(?:\s*(?:%[^\n]*)?\n)*\s*@relation\b", text, re.IGNORECASE)
    data = re.search(r"^\s*@data[^\n]*\n", text, re.IGNORECASE | re.MULTILINE) if head else None
    if data is None:
        return None
    attribute = r"^\s*@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"|(\S+))"
    found = re.findall(attribute, text[: data.start()], re.IGNORECASE | re.MULTILINE)
    names = tuple("".join(parts).replace("\\'", "'") for parts in found)
    quote = "'" if text.count("'", data.end()) > text.count('"', data.end()) else '"'
    return TableFrame(",", quote, text.count("\n", 0, data.end()), "%", names, len(names))


def _comment(lines: Sequence[str]) -> str:
    """Return what begins comments: a mark at the start of the first lines, which most lines lack."""
    first = next((line for line in lines if line.strip()), "")
    for mark in ("#", "%", "//", "!"):
        if first.startswith(mark) and sum(line.startswith(mark) for line in lines) * 2 < len(lines):
            return mark
    return "#" if 0 < sum(bool(re.match(r"#\s", line)) for line in lines) * 10 <= len(lines) else ""


def _quote(rows: Sequence[str]) -> str:
    """Return the quotation mark: ' where cells begin and end with it, and none with \"."""
    if any(re.search(r'(^|[,;\t|])\s*"', row) for row in rows):
        return '"'
    single = sum(bool(re.search(r"(^|[,;\t|])\s*'[^']*'\s*($|[,;\t|])", row)) for row in rows)
    all_names = any(re.fullmatch(r"\s*'[^']*'(\s*[,;\t|\s]\s*'[^']*')+\s*", row) for row in rows[:20])
    return "'" if single * 2 > len(rows) or all_names else '"'


def _delimiter(lines: Sequence[str], quote: str, escape: str | None) -> tuple[str, int]:
    """Return what divides all rows into equally many cells, more than one; the rarer mark goes first.

    Where nothing does, the lower half and the last quarter of the lines are asked, for much may stand above
    a table; how many lines were not looked at comes second.
    """
    shares: dict[str, float] = {}
    for upper in (0, len(lines) // 2, len(lines) * 3 // 4):
        if upper and len(lines) - upper < _FEWEST:
            break
        part = _even_shares(lines[upper:], quote, escape)
        shares = shares or part
        sound = [mark for mark in part if part[mark] >= 0.9]
        sound = [mark for mark in sound if mark not in _WEAK] or sound
        if sound:
            return ([mark for mark in sound if part[mark] == 1] or sound)[0], upper
    best = max(_DELIMITERS, key=lambda mark: shares[mark])
    if shares[best] > 0:
        return best, 0
    first = next((line for line in lines if line.strip()), "")
    return max(",;\t|", key=re.sub(f"{quote}[^{quote}]*{quote}", "", first).count), 0


def _even_shares(lines: Sequence[str], quote: str, escape: str | None) -> dict[str, float]:
    """Return which share of the rows each mark divides into the usual number of cells."""
    shares = {}
    for delimiter in (*_DELIMITERS, *_WEAK):
        widths = [len(cells) for _, cells in divide(lines, delimiter, quote, escape)]
        width = _usual(widths)
        header = widths[:1] != [width] and abs(widths[0] - width) == 1 if widths else False
        shares[delimiter] = (widths.count(width) + header / 2) / max(len(widths), 1) if width > 1 else 0.0
    return shares


def _usual(widths: Iterable[int]) -> int:
    """Return how many cells most rows have."""
    counts = Counter(widths)
    return counts.most_common(1)[0][0] if counts else 0


def _titles(rows: Sequence[list[str]], width: int) -> int:
    """Return how many lines at the top are titles: narrower than the table, or with cells left empty."""
    for number, row in enumerate(rows):
        filled = sum(bool(cell.strip()) for cell in row)
        fits = len(row) == width and (filled > 1 or width < 3)
        below = rows[number + 1 : number + _BELOW]
        ends_empty = len(row) < width and not any("".join(cells[len(row) :]).strip() for cells in below)
        full = len(below) > 2 and len(below[0]) == width and (ends_empty or all(below[0]))
        narrower = len(row) == width - 1 and filled == len(row) > 1 and full
        named_below = full and (narrower or filled < len(row)) and is_header(below)
        if (fits or narrower) and not named_below:
            number = _header_below(rows, number) or number
            odd = sum(len(cells) != width for cells in rows[number:])
            return number if odd * 5 <= len(rows) - number else _longest_run(rows, width)
    return 0


def _header_below(rows: Sequence[list[str]], start: int) -> int | None:
    """Return where a header stands below lines that are only filled at the left."""
    for number in range(start, len(rows) - 3):
        cells = [bool(cell.strip()) for cell in rows[number]]
        if all(cells):
            return number if number > start and is_header(rows[number : number + _BELOW]) else None
        if not cells[0] or sum(cells) != sum(1 for _ in takewhile(bool, cells)):
            return None
    return None


def _longest_run(rows: Sequence[list[str]], width: int) -> int:
    """Return where the most rows of a width begin that follow each other."""
    runs, start = {0: 0}, 0
    for number, row in enumerate(rows):
        if len(row) != width:
            start = number + 1
        else:
            runs[start] = number + 1 - start
    return max(runs, key=lambda begin: runs[begin])

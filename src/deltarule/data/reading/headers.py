"""Whether the first row names the columns, and different names for all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from deltarule.data.decisions import Decision, decide
from deltarule.data.reading.cells import is_missing, plain_number

_LIKE_NUMBERS = re.compile(r"[(\-+]?[^\w\s]?\s?\d[\d.,\s/:%\-]*(?:[eE][-+]?\d+)?\)?\s?[^\w\s]?")

_MOST = 2_000  # columns that are looked at
_IN_BRACKETS = re.compile(r"\[.*\]|\(.*[^\d.,)].*\)|<.*>")


def is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of some rows names the columns, as its cells are unlike those below.

    Examples
    --------
    >>> is_header([["a", "b"], ["1", "x"], ["2", "y"]]), is_header([["3", "x"], ["1", "x"], ["2", "y"]])
    (True, False)
    """
    first, rest = [cell.strip() for cell in rows[0][:_MOST]], rows[1:]
    if _counts(first):
        return True
    votes = 0.0
    for place, cell in enumerate(first):
        below = [text for row in rest if len(row) > place and not is_missing(text := row[place].strip())]
        if below:
            votes += _vote(cell, below)
    named = [cell for cell in first if not is_missing(cell)]
    return votes - (len(set(named)) < len(named) * 0.7) >= 0 and bool(named)


def is_second_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of some rows holds words, such as units, where all others hold numbers.

    Examples
    --------
    >>> is_second_header([["cm", "kg", ""], ["1", "2", "x"], ["3", "4", "x"]])
    True
    """
    filled = [cell for cell in map(str.strip, rows[0]) if cell]
    if len(filled) > 1 and all(map(_IN_BRACKETS.fullmatch, filled)):
        return not any(_IN_BRACKETS.fullmatch(cell.strip()) for row in rows[1:] for cell in row)
    words = 0
    for place, cell in enumerate(map(str.strip, rows[0])):
        below = [text for row in rows[1:] if len(row) > place and not is_missing(text := row[place].strip())]
        if cell in below:
            return False
        if below and all(map(_LIKE_NUMBERS.fullmatch, below)):
            if _LIKE_NUMBERS.fullmatch(cell):
                return False
            words += not is_missing(cell)
    return words > 1


def merged_header(upper: Sequence[str], lower: Sequence[str]) -> list[str] | None:
    """Return the names in two lines of which the upper one spans columns; None where they are not such lines.

    Examples
    --------
    >>> merged_header(["plot", "soil", ""], ["", "pH", "N"])
    ['plot', 'soil pH', 'soil N']
    """
    above, below = ([cell.strip() for cell in cells] for cells in (upper, lower))
    if len(above) != len(below) or not above[0] or all(above) or below[0]:
        return None
    if not all(over or under for over, under in zip(above, below, strict=True)):
        return None
    names = []
    for place, (over, under) in enumerate(zip(above, below, strict=True)):
        span = next(cell for cell in reversed(above[: place + 1]) if cell)
        names.append(f"{span} {under}" if under else over)
    return names


def _vote(cell: str, below: Sequence[str]) -> float:
    """Return 1 for a name above numbers, −1 for a cell like those below, 0 where they say nothing."""
    numbers = sum(bool(_LIKE_NUMBERS.fullmatch(text)) for text in below)
    if numbers * 5 >= len(below) * 4:
        return -1.0 if _LIKE_NUMBERS.fullmatch(cell) else 0.0 if is_missing(cell) else 1.0
    if _LIKE_NUMBERS.fullmatch(cell) and not cell.isdigit():
        return -1.0
    return -1.0 if cell in below and len(set(below)) * 2 <= len(below) else 0.0


def _counts(cells: Sequence[str]) -> bool:
    """Return whether names count the columns, as pandas' do (0, 1, 2), or are years."""
    numbers = [plain_number(cell) for cell in cells]
    if len(numbers) < 2 or not all(cell.isdigit() for cell in cells):
        return False
    steps = {b - a for a, b in pairwise(numbers)}  # type: ignore[operator]
    return steps == {1.0} and (numbers[0] in (0.0, 1.0) or 1900 <= numbers[0] <= 2100)  # type: ignore[operator]


def name_columns(cells: Sequence[str], line: int) -> tuple[tuple[str, ...], list[Decision]]:
    """Make different names of the cells of a header, and say where one was missing or met before."""
    names: dict[str, None] = {}
    decisions = []
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"c{number}"
        fresh, again = name, 2
        while fresh in names:
            fresh, again = f"{name}.{again}", again + 1
        if fresh != " ".join(cell.split()):
            without = not cell.strip()
            why = "has no name" if without else f"is another {name!r}"
            fault = "the column has no name; give it one, or leave it out (in pandas: index=False)"
            fault = fault if without else f"there are two columns called {name!r}; rename one"
            words = {"number": number, "why": why, "name": fresh, "fault": fault}
            decisions.append(decide("column-name", line, number, **words))
        names[fresh] = None
    return tuple(names), decisions

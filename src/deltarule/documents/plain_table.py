"""Small tables in plain text: columns below each other, a row on each line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

#: Characters that command a terminal, or turn the direction of writing.
_COMMANDS = r"\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"


def printable(text: str) -> str:
    """A text with its control characters, which would command the terminal, as Python writes them.

    Examples
    --------
    >>> print(printable("red\x1b[31m"))
    red\\x1b[31m
    """
    return re.sub(f"[{_COMMANDS}]", lambda found: repr(found[0])[1:-1], text)


def one_line(text: object) -> str:
    """The same without line breaks and tabs, which columns and cells of files may hold."""
    return re.sub(rf"[\n\t{_COMMANDS}]", lambda found: repr(found[0])[1:-1], str(text))


def json_text(values: object, indent: int = 1) -> str:
    """JSON with those characters escaped, too.

    Examples
    --------
    >>> print(json_text({"red": "\x9b31m"}))
    {
     "red": "\\u009b31m"
    }
    """
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, indent=indent)
    return re.sub(f"[{_COMMANDS}]", lambda found: f"\\u{ord(found[0]):04x}", text)


def aligned(rows: Sequence[Sequence[object]], left: int = 1) -> list[str]:
    """Rows of cells as lines, the first ``left`` columns to the left, the others to the right.

    Examples
    --------
    >>> print(*aligned([["", "rows"], ["train", 120], ["test", 30]]), sep="\\n")
           rows
    train   120
    test     30
    """
    texts = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]

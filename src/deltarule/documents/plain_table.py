"""Small tables in plain text: columns below each other, a row on each line."""

from __future__ import annotations

from collections.abc import Sequence

_BREAKS = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})


def one_line(text: object) -> str:
    """A text without line breaks and tabs, which columns and cells of files may hold."""
    return str(text).translate(_BREAKS)


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

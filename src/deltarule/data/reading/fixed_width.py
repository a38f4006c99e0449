"""Lines whose cells begin and end at the same places, with nothing between them but spaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_FEWEST = 4  # lines


def find_cuts(lines: Sequence[str]) -> tuple[int, ...]:
    """Return where to cut lines into cells: in each gap that all lines have, between two names of the first.

    Examples
    --------
    >>> find_cuts(["name        age", "Ann Smith    31", "Bo de Vries   9", "Al           64"])
    (11,)
    """
    lines = [line.rstrip() for line in lines if line.strip()]
    if len(lines) < _FEWEST or any("\t" in line for line in lines):
        return ()
    width = max(map(len, lines))
    taken = [False] * width
    for line in lines:
        for place, letter in enumerate(line):
            taken[place] = taken[place] or letter != " "
    gaps = [found.span() for found in re.finditer(" +", "".join("x" if one else " " for one in taken))]
    header = lines[0].ljust(width)
    chosen: list[tuple[int, int]] = []
    for left, right in gaps:
        if chosen and not header[chosen[-1][1] : left].strip():  # between the same two names: the widest
            chosen[-1] = max(chosen[-1], (left, right), key=lambda gap: gap[1] - gap[0])
            continue
        start = chosen[-1][1] if chosen else 0
        filled = sum(bool(line[start:left].strip()) for line in lines[1:])
        if filled * 3 >= len(lines) and header[start:left].strip() and header[right:].strip():
            chosen.append((left, right))
    return tuple(right - 1 for _, right in chosen)


def cut(line: str, cuts: Sequence[int]) -> str:
    """Return the cells of a line, with tabs between them.

    Examples
    --------
    >>> cut("Bo de Vries   9", (11,))
    'Bo de Vries\\t9'
    """
    return "\t".join(line[start:end].strip() for start, end in pairwise((0, *cuts, len(line))))

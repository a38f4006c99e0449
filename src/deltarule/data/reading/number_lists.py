"""Columns whose cells are lists of numbers, such as embeddings or pixels: a column for each number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import Decision, decide
from deltarule.data.reading.cells import Cells
from deltarule.data.reading.raw_table import RawTable, ReadingOptions

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_BRACKETED = re.compile(rf"[\[(]\s*{_NUMBER}(?:[\s,;]+{_NUMBER})+,?\s*[\])]")
_BARE = re.compile(rf"{_NUMBER}(?:[ ,;]+{_NUMBER}){{7,}}")  # shorter ones may be codes


def spread_lists(raw: RawTable, options: ReadingOptions) -> RawTable:
    """Put a column for each number in the place of each column of lists that are equally long."""
    names: list[str] = []
    columns: list[Cells] = []
    decisions: list[Decision] = list(raw.decisions)
    for name, cells in zip(raw.names, raw.columns, strict=True):
        found = None if options.kinds.get(name) == "text" else _lists(cells.texts)
        if found is None or cells.codes is None:
            names.append(name)
            columns.append(cells)
            continue
        shown = next(text for text in cells.texts if text)
        made, told = list_columns(name, found.shape[1], shown, 1, raw.names.index(name) + 1)
        names += made
        columns += [Cells(np.ascontiguousarray(values[cells.codes])) for values in found.T]
        decisions.append(told)
    if len(names) == len(raw.names):
        return raw
    return replace(raw, names=tuple(names), columns=tuple(columns), decisions=tuple(decisions))


def list_columns(
    name: str, length: int, shown: str, line: int | None, field: int
) -> tuple[list[str], Decision]:
    """Return what the columns of a list's numbers are called, and the decision that tells of them."""
    made = [f"{name}.{place}" for place in range(1, length + 1)]
    words = {"count": length, "first": made[0], "last": made[-1], "cell": f"{shown[:20]}…"}
    return made, decide("lists", line, field, column=name, **words)


def _lists(texts: Sequence[str]) -> Array | None:
    """Return the numbers of different texts (n_texts, n_numbers), NaN where one is missing; else None."""
    present = [text for text in texts if text]
    if not present or not _is_list(present[0]):
        return None
    length = len(re.findall(_NUMBER, present[0]))
    found = np.full((len(texts), length), np.nan)
    for row, text in enumerate(texts):
        if not text:
            continue
        numbers = re.split(r"[\s,;]+", text.strip("[]() \t,;"))
        if len(numbers) != length or not _is_list(text):
            return None
        found[row] = [float(number) for number in numbers]
    return found if np.isfinite(found[[bool(text) for text in texts]]).all() else None


def _is_list(text: str) -> bool:
    return _BRACKETED.fullmatch(text) is not None or _BARE.fullmatch(text) is not None

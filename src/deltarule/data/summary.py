"""What a data set holds, in a few lines: its columns, its first rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.data.table import Table

SHOWN_ROWS = 5
SHOWN_COLUMNS = 8


def dataset_summary(dataset: Dataset) -> dict[str, Any]:
    """Return what a data set holds, as data."""
    inputs = dataset.inputs
    return {
        "name": dataset.name,
        "description": dataset.description,
        "rows": len(dataset),
        "test_rows": None if dataset.test is None else len(dataset.test),
        "task": dataset.task,
        "inputs": list(inputs.names) if isinstance(inputs, Table) else {"images": list(inputs.shape[1:])},
        "target": list(dataset.target_names),
        "classes": None if dataset.classes is None else list(dataset.classes),
    }


def described_columns(table: Table) -> Iterator[tuple[str, str, int, str]]:
    """Describe each column: its name, kind, number of missing cells, and values."""
    for name in table.names:
        values, missing = table.column(name), table.missing(name)
        present = values[~missing]
        if values.dtype == object:
            texts = sorted(set(present.tolist()))
            shown = ", ".join(texts[:4]) + (", …" if len(texts) > 4 else "")
            yield name, "text", int(missing.sum()), f"{len(texts)} different: {shown}"
        else:
            low, mean, high = (f"{f(present.astype(float)):.5g}" for f in (np.min, np.mean, np.max))
            kind = "yes/no" if values.dtype == bool else "number"
            yield name, kind, int(missing.sum()), f"{low} to {high}, mean {mean}"


def first_rows(dataset: Dataset, table: Table) -> list[list[str]]:
    """Return the first columns and the target of the first rows as text, below their names."""
    names = table.names[:SHOWN_COLUMNS]
    rows = range(min(SHOWN_ROWS, len(dataset)))
    cells = [
        [*(table.column(name)[row] for name in names), *np.atleast_1d(dataset.target[row])] for row in rows
    ]
    return [[*names, *dataset.target_names], *([_text(cell) for cell in row] for row in cells)]


def _text(cell: object) -> str:
    return f"{cell:.5g}" if isinstance(cell, float | np.floating) else str(cell)

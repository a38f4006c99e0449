"""Answers of a network as columns by name, as a frame like that of the rows, and as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import Encoding, LabelEncoding, Table


def answer_columns(encoding: Encoding, outputs: Array, *, probabilities: bool) -> dict[str, Array]:
    """Return the label, the numbers, or the inputs again, by name; and the probability of each class."""
    decoded, target = encoding.decode(outputs), encoding.target
    if isinstance(decoded, Table):
        return dict(decoded.columns)
    names = encoding.inputs.feature_names if target is None else target.kinds
    columns = dict(zip(names, decoded.reshape(len(decoded), -1).T, strict=True))
    if probabilities and isinstance(target, LabelEncoding):
        labels = target.classes
        if outputs.shape[1] < len(labels):
            outputs = np.hstack([1 - outputs, outputs])
        columns |= {f"p({label})": outputs[:, i] for i, label in enumerate(labels)}
    return columns


def csv_text(columns: Mapping[str, Array], *, header: bool = True) -> str:
    """Return columns by name as lines of CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    return text.getvalue()


def like(rows: Any, columns: dict[str, Array]) -> Any:
    """Return columns as a frame of the library that ``rows`` is of, or as they are."""
    package = type(rows).__module__.partition(".")[0]
    if package == "pandas" and hasattr(rows, "columns"):
        return sys.modules["pandas"].DataFrame(columns, index=rows.index)
    if package == "polars":
        return sys.modules["polars"].DataFrame(columns)
    if package == "pyarrow":
        return sys.modules["pyarrow"].table(columns)
    return columns

"""Fitting an encoding: what the training rows say about scales, categories and missing cells."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array, as_matrix
from deltarule.data.dataset import Dataset
from deltarule.data.encoding.encoding import Encoding
from deltarule.data.encoding.inputs import CategoryColumn, ColumnsEncoding, NumberColumn, PixelsEncoding
from deltarule.data.encoding.scaling import FILLS, SCALES, fit_scaling, without_overflow
from deltarule.data.encoding.targets import LabelEncoding, NumbersEncoding
from deltarule.data.table import Table, is_gone
from deltarule.errors import InputError
from deltarule.registry import did_you_mean

MISSING = ("refuse", "drop", *FILLS)
_MOST_CATEGORIES = 100


def fit_encoding(
    examples: Dataset,
    *,
    scale: str | None = None,
    missing: str = "refuse",
    rare: int = 1,
    target_is_input: bool = False,
) -> Encoding:
    """Fit an encoding to rows: their scales, categories and labels. Give it the training rows only.

    Parameters
    ----------
    examples : Dataset
    scale : {"none", "standard", "minmax"}, optional
        How numbers are scaled, targets of a regression included: not at all, to mean 0 and variance 1, or
        to [0, 1]; by default what suits the data set. Pixels are divided by 255, or with ``"none"`` not
        at all.
    missing : {"refuse", "mean", "median", "mode", "drop"}
        What stands in for a missing number ("drop": in rows to predict, the median). For missing text it
        is the most frequent category, unless missing cells are refused.
    rare : int
        Categories that fewer rows have are pooled as one, "other". No column gets more than 100 categories
        where any are pooled.
    target_is_input : bool
        Whether the network is to reproduce its input (an autoencoder).

    Returns
    -------
    Encoding

    Raises
    ------
    InputError
        If a choice is unknown, a column has no values at all, or a number is infinite.

    Examples
    --------
    >>> from deltarule.data import load
    >>> fit_encoding(load("xor")).inputs.feature_names
    ('x1', 'x2')
    """
    scale = examples.scale if scale is None else scale
    for name, choice, choices in (("scale", scale, SCALES), ("missing", missing, MISSING)):
        if choice not in choices:
            raise InputError(f"unknown {name} {choice!r}{did_you_mean(str(choice), choices)}")
    inputs = examples.inputs
    encoded: ColumnsEncoding | PixelsEncoding
    if isinstance(inputs, Table):
        columns = (_fit_column(inputs, name, scale, missing, rare) for name in inputs.names)
        encoded = ColumnsEncoding(tuple(columns))
    else:
        height, width = inputs.shape[1:3]
        largest = 1.0 if scale == "none" else 255.0
        encoded = PixelsEncoding(height, width, largest, 1 if inputs.ndim == 3 else 3, examples.paper)
    return Encoding(encoded, None if target_is_input else _fit_target(examples, scale))


def _fit_column(
    table: Table, name: str, scale: str, missing: str, rare: int
) -> NumberColumn | CategoryColumn:
    cells = table.column(name)
    present = cells[~is_gone(cells)]
    if not len(present):
        if missing == "refuse":
            raise table.fault(0, name, "the column has no values; drop it")
        text = cells.dtype == object
        return CategoryColumn(name, ("other",), "other") if text else NumberColumn(name, fill=0.0)
    if present.dtype == object:
        column = table.coded(name)
        times = np.bincount(column.codes, minlength=len(column.values)).tolist()
        counts = {
            text: n for text, n in zip(column.values.tolist(), times, strict=True) if n and text is not None
        }
        frequent = sorted(counts, key=lambda text: (-counts[text], text))
        most = len(frequent) if rare == 1 else _MOST_CATEGORIES
        kept = [text for text in frequent[:most] if counts[text] >= rare] or frequent[:1]
        fill = None if missing == "refuse" else frequent[0]
        return CategoryColumn(name, tuple(sorted(kept)), fill, len(kept) < len(counts))
    numbers = present.astype(float)
    table.check_finite(name)
    statistic = FILLS.get("median" if missing == "drop" else missing)
    substitute = None if statistic is None else without_overflow(statistic, numbers)
    return NumberColumn(name, *fit_scaling(numbers, scale), substitute, table.forms.get(name, ""))


def _fit_target(examples: Dataset, scale: str) -> LabelEncoding | NumbersEncoding:
    if examples.classes is not None:
        (name,) = examples.target_names
        return LabelEncoding(name, examples.classes, LabelEncoding.fit(examples.target, name).dtype)
    target: Array = examples.target
    columns = as_matrix(target[:, None] if target.ndim == 1 else target, "the target").T.astype(float)
    shifts, scales = zip(*(fit_scaling(values, scale) for values in columns), strict=True)
    return NumbersEncoding(examples.target_names, shifts, scales)

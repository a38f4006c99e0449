"""Parquet files, read by pandas."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.raw_files import check_file, describe
from deltarule.data.table import Origin, Table
from deltarule.errors import DataFileError
from deltarule.registry import import_extra


def read_parquet(path: str | os.PathLike[str]) -> Table:
    """Read the columns of a Parquet file: numbers, booleans and text.

    Raises
    ------
    DataFileError
        If the file is damaged or holds no rows.
    """
    file = check_file(path)
    pandas = import_extra("pandas", "data")
    import_extra("pyarrow", "data")
    try:
        frame = pandas.read_parquet(file)
    except (OSError, ValueError, KeyError, NotImplementedError) as error:  # of which pyarrow's are made
        raise DataFileError(path, f"not a sound Parquet file: {describe(error)}") from None
    if not len(frame) or not len(frame.columns):
        raise DataFileError(path, "the file holds no rows")
    fields = {str(name): field for field, name in enumerate(frame.columns, 1)}
    columns = {str(name): _column_values(pandas, frame[name]) for name in frame.columns}
    return Table(columns, Origin(os.fspath(path), None, fields))


def _column_values(pandas: Any, series: Any) -> Array:
    """Return a column as numbers, booleans or text; dates and whatever else there is become text."""
    kind = pandas.api.types.infer_dtype(series, skipna=True)
    if kind == "boolean":
        values: Array = series.astype("boolean").to_numpy(dtype=float, na_value=np.nan)
        return values if np.isnan(values).any() else values.astype(bool)
    if kind in ("integer", "floating", "decimal", "mixed-integer-float"):
        return np.asarray(series.to_numpy(dtype=float, na_value=np.nan))
    cells = series.astype(object).to_numpy()
    return np.array(
        [None if gone else str(cell) for cell, gone in zip(cells, series.isna(), strict=True)], object
    )

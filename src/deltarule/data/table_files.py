"""Tables from CSV and Parquet files, and what in them is the input and what the target."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deltarule.arrays import Array
from deltarule.data.csv_files import read_csv
from deltarule.data.dataset import Dataset, classes_of
from deltarule.data.parquet_files import read_parquet
from deltarule.data.table import Table
from deltarule.errors import DataFileError, InputError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")

_USUAL_TARGETS = ("target", "label", "class", "species", "y", "output")
_MOST_CLASSES = 20
_FEW_CATEGORIES = 10
_MOST_CATEGORIES = 256
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?"
)


def read_table(path: str | os.PathLike[str], kinds: Mapping[str, str | None] | None = None) -> Table:
    """Read all columns of a CSV or Parquet file, such as new rows to predict.

    Parameters
    ----------
    path : path
        A name ending in .parquet is read as Parquet, any other as CSV.
    kinds : mapping of column name to "number", "text" or None, optional
        How a model expects the columns: `Encoding.kinds`. Others are then left as text. Without it,
        and where a kind is None, the cells decide.

    Raises
    ------
    DataFileError
        If the file cannot be read, or is not a sound table.
    """
    return _read_columns(path, kinds or {}, None if kinds is None else "text")


def load_table(
    path: str | os.PathLike[str],
    *,
    target: str | Sequence[str] | None = None,
    drop: str | Sequence[str] = (),
    task: str | None = None,
    kinds: Mapping[str, str | None] | None = None,
) -> Dataset:
    """Load a table file as inputs and target.

    Parameters
    ----------
    path : path
        CSV or Parquet.
    target : str or sequence of str, optional
        One column; or several, also as ``"a,b"``, for a regression of several numbers. By default the column
        called target, label, class, species, y or output (in this order, in any case), else the last.
        With an empty sequence there is none, which suits an autoencoder.
    drop : str or sequence of str
        Columns to leave out.
    task : {"classification", "regression"}, optional
        By default text, booleans, and whole numbers with few different values are classes: at most
        20 of them, each occurring twice on average (or only two of them).
    kinds : mapping of column name to "number", "text" or None, optional
        The columns of a model that is to be evaluated (`Encoding.kinds`); all others are dropped.

    Raises
    ------
    InputError
        If the task does not fit the target.
    DataFileError
        If the file is not a sound table, lacks a column, or a column is of no use.
    """
    if task not in (None, "classification", "regression"):
        raise InputError(f"task must be 'classification' or 'regression', got {task!r}")
    unread = [*drop.split(","), drop] if isinstance(drop, str) else drop
    table = _read_columns(path, kinds or dict.fromkeys(unread, "text"), "text" if kinds else None)
    kept = set(_chosen(table, tuple(kinds))) if kinds else set(table.names) - set(_chosen(table, drop))
    if target is None:
        target = (_usual_target([name for name in table.names if name in kept] or table.names),)
    names = _chosen(table, target)
    if not kept - set(names):
        raise DataFileError(path, "no columns are left as inputs")
    inputs = table.without(set(table.names) - kept | set(names))
    if kinds is None:
        for name in (*inputs.names, *names):
            _check_column(table, name)
    values = _target_values(table, names, task)
    labels = values.dtype.kind != "f"
    described = f"{os.fspath(path)}: {len(table)} rows, {len(inputs.names)} inputs"
    described += f", target {', '.join(names)}" if names else ", no target"
    return Dataset(
        Path(path).stem,
        inputs,
        values,
        names,
        classes=classes_of(values) if labels else None,
        scale="standard",
        description=described,
    )


def _read_columns(path: str | os.PathLike[str], kinds: Mapping[str, str | None], others: str | None) -> Table:
    parquet = Path(path).suffix.lower() == ".parquet"
    return read_parquet(path) if parquet else read_csv(path, kinds, others)


def _chosen(table: Table, given: str | Sequence[str]) -> tuple[str, ...]:
    """Return the columns that were asked for and exist; ``"a,b"`` is two, unless one is called so."""
    if isinstance(given, str):
        given = [given] if given in table.names else [name.strip() for name in given.split(",")]
    for name in given:
        table.column(name)
    return tuple(given)


def _usual_target(names: Sequence[str]) -> str:
    """Return the column that is the target unless told otherwise."""
    by_name = {name.lower(): name for name in names}
    return next((by_name[usual] for usual in _USUAL_TARGETS if usual in by_name), names[-1])


def _check_column(table: Table, name: str) -> None:
    """Refuse a column of no use: all missing, infinite, dates, or texts that are nearly all different."""
    values, missing = table.column(name), table.missing(name)
    if missing.all():
        raise table.fault(0, name, "all its cells are missing; drop it")
    if values.dtype != object:
        table.check_finite(name)
        return
    texts, first = values[~missing].tolist(), int(missing.argmin())
    if all(_DATE.fullmatch(text) for text in texts):
        advice = "derive numbers from it (the year, the hour, days since), or drop it"
        raise table.fault(first, name, f"dates and times such as {texts[0]!r} are not taken; {advice}")
    different = len(set(texts))
    if different > _MOST_CATEGORIES or different > max(_FEW_CATEGORIES, len(texts) / 2):
        reason = f"{different} different texts in {len(texts)} rows look like names or free text; drop it"
        raise table.fault(first, name, reason)


def _target_values(table: Table, names: tuple[str, ...], task: str | None) -> Array:
    """Return labels (n_rows,): text, booleans or integers; or numbers (n_rows,) or (n_rows, n_targets)."""
    for name in names:
        if table.missing(name).any():
            raise table.fault(int(table.missing(name).argmax()), name, "the target is missing in this row")
    if len(names) == 1:
        return _single_target(table, names[0], task)
    if task == "classification":
        raise InputError(f"a classification has one target, got {len(names)}: {', '.join(names)}")
    for name in names:
        _refuse_text(table, name)
    numbers = [table.column(name).astype(float) for name in names]
    return np.column_stack(numbers) if names else np.empty((len(table), 0))


def _single_target(table: Table, name: str, task: str | None) -> Array:
    values = table.column(name)
    if task == "regression":
        _refuse_text(table, name)
        return values.astype(float)
    if values.dtype != float:
        return values
    whole = (values == np.rint(values)) & (np.abs(values) < 2**53)
    if task == "classification" and not whole.all():
        row = int(whole.argmin())
        raise table.fault(row, name, f"a label is text, a boolean or a whole number, got {values[row]}")
    few = max(2, min(_MOST_CLASSES, len(values) / 2))
    if task == "classification" or (whole.all() and len(np.unique(values)) <= few):
        return values.astype(np.int64)
    return values


def _refuse_text(table: Table, name: str) -> None:
    values = table.column(name)
    if values.dtype == object:
        raise table.fault(0, name, f"the target of a regression is a number, got {values[0]!r}")

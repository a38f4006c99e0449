"""Tables from files of any kind: what in them is the input and what the target."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from deltarule.data.dataset import Dataset, classes_of
from deltarule.data.decisions import Decision, refuse
from deltarule.data.file_columns import FileColumns
from deltarule.data.reading import ReadingOptions
from deltarule.data.table import Table
from deltarule.data.target_roles import target_values, tell_all, usual_target
from deltarule.errors import DataFileError, InputError

TABLE_SUFFIXES = (
    ".csv", ".tsv", ".txt", ".tab", ".dat", ".data", ".arff", ".libsvm", ".svm", ".svmlight", ".parquet",
    ".feather", ".arrow", ".xls", ".xlsx", ".ods", ".json", ".jsonl", ".ndjson", ".sqlite", ".sqlite3", ".db",
    ".geojson", ".npz", ".npy", ".mat", ".sql",
)  # fmt: skip


def read_table(
    path: str | os.PathLike[str],
    kinds: Mapping[str, str | None] | None = None,
    options: ReadingOptions | None = None,
) -> Table:
    """Read all columns of a table file, such as new rows to predict.

    Parameters
    ----------
    path : path
        A file of any kind that `load_table` takes.
    kinds : mapping of column name to a kind, optional
        How a model expects the columns: `Encoding.kinds`. Other columns are then left as text. Without it, or
        if a kind is None, the cells decide.
    options : ReadingOptions, optional

    Returns
    -------
    Table
        Its ``decisions`` list what was decided.

    Raises
    ------
    DataFileError
        If the file cannot be read, or is not a valid table.

    Examples
    --------
    >>> from deltarule.data import MemoryTable
    >>> table = read_table(MemoryTable.of([{"height": 1.8, "colour": "red"}, {"height": 1.6}]))
    >>> table.columns["height"].tolist(), table.columns["colour"].tolist()
    ([1.8, 1.6], ['red', None])
    """
    options = options or ReadingOptions()
    others = None if kinds is None else "text"
    columns = FileColumns(path, kinds or {}, others, options)
    if kinds:
        columns.match(kinds)
    table = columns.table(columns.names)
    used = [name for name in columns.names if kinds is None or name in kinds]
    decisions = _as_told(columns.taken(used), used)
    if options.strict:
        refuse(path, decisions)
    return replace(table, decisions=tuple(decisions))


def load_table(
    path: str | os.PathLike[str],
    *,
    target: str | Sequence[str] | None = None,
    drop: str | Sequence[str] = (),
    keep: str | Sequence[str] = (),
    task: str | None = None,
    missing: str | None = None,
    kinds: Mapping[str, str | None] | None = None,
    options: ReadingOptions | None = None,
) -> Dataset:
    """Load a table file as inputs and target; `Dataset.decisions` has what was decided.

    Parameters
    ----------
    path : path
        CSV and its kin, also packed; Excel, ODS, Parquet, Feather, JSON, ARFF, SQLite; ``-`` for standard
        input; or the URL of a database.
    target : str or sequence of str, optional
        One column; or several, also as ``"a,b"``, for a regression of several numbers. By default the column
        called target, label, class, species, y, output, outcome, response, diagnosis, survived or churn (in
        this order, in any case), else the last that is of use. With an empty sequence there is none, which
        suits an autoencoder.
    drop, keep : str or sequence of str
        Columns to leave out, and columns to keep even if they look useless.
    task : {"classification", "regression"}, optional
        By default text, booleans, and whole numbers with few different values are classes: at most 10 that
        follow each other (or at most three), each occurring twice on average (or only two); but not years.
    missing : {"drop", "refuse"}, optional
        Leave out rows with missing cells, or refuse them.
    kinds : mapping of column name to a kind, optional
        The columns of a model that is to be evaluated (`Encoding.kinds`); all others are dropped.
    options : ReadingOptions, optional

    Raises
    ------
    InputError
        If the task does not fit the target.
    DataFileError
        If the file is not a sound table, lacks a column, or holds none of use.
    """
    if task not in (None, "classification", "regression"):
        raise InputError(f"task must be 'classification' or 'regression', got {task!r}")
    options = options or ReadingOptions()
    asked = {"target": () if target is None else target, "drop": drop, "keep": keep}
    expected = [
        name for names in asked.values() for name in (names.split(",") if isinstance(names, str) else names)
    ]
    columns = FileColumns(path, kinds or {}, None, replace(options, names=tuple(expected)))
    if kinds:
        columns.match(kinds)
    given = columns.resolve(asked if kinds is None else asked | {"kinds": tuple(kinds)})
    inputs = [name for name in columns.names if name not in given["drop"] and (not kinds or name in kinds)]
    names = given["target"]
    if target is None:
        found, decision = usual_target(columns, inputs or list(columns.names))
        names = (found,)
        columns.decisions.append(decision)
    inputs = [name for name in inputs if name not in names]
    columns.leave_out_rows(names, "no-target")
    if kinds is None:
        inputs = columns.useful(inputs, given["keep"])
    if not inputs:
        raise DataFileError(path, "no columns are left as inputs" + columns.left_out())
    if missing == "drop":
        columns.leave_out_rows(inputs, "missing-rows")
    table = columns.table(inputs)
    values, task_decision = target_values(
        columns.table(names, labels=True) if names else None, names, task, len(table)
    )
    labels = values.dtype.kind != "f"
    columns.decisions += [] if task_decision is None else [task_decision]
    if kinds is None and len(names) == 1:
        columns.decisions += tell_all(table, names[0], values)
    decisions = columns.taken(inputs, names)
    refused = []
    if missing == "refuse":
        refused = [item for item in decisions if item.kind == "no-target"] + columns.missing_cells(inputs)
    refuse(path, [*decisions, *refused] if options.strict else refused)
    described = f"{os.fspath(path)}: {len(table)} rows, {len(table.names)} inputs"
    described += f", target {', '.join(names)}" if names else ", no target"
    return Dataset(
        Path(path).stem,
        table,
        values,
        names,
        classes=classes_of(values) if labels else None,
        scale="standard",
        description=described,
        decisions=_as_told(decisions, inputs),
    )


def _as_told(decisions: Sequence[Decision], inputs: Sequence[str]) -> tuple[Decision, ...]:
    """Put the target first, and leave out the names that were made for columns that are left out."""
    told = [item for item in decisions if item.kind != "column-name" or dict(item.words)["name"] in inputs]
    return tuple(sorted(told, key=lambda item: item.kind not in ("target", "task")))

"""Which column of a table is the target, and whether it asks for classes or for numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import Decision, decide
from deltarule.data.file_columns import FileColumns
from deltarule.data.meaning import DATE_FORMS, why_useless
from deltarule.data.table import Coded, Table
from deltarule.errors import InputError

_USUAL_TARGETS = (
    "target", "label", "class", "species", "y", "output", "outcome", "response", "diagnosis", "survived",
    "churn",
)  # fmt: skip
_MOST_CLASSES = 10
_SUBJECTS = re.compile(  # what several rows may be about: nothing to predict
    r"((subject|patient|participant|person|respondent)([ _.]?(id|no|nr))?"
    r"|(child|student|customer|user|household|group)[ _.]?(id|no|nr)|id)",
    re.IGNORECASE,
)
_FEW_ROWS = 1000
_FEWEST = 10  # rows from which on agreement in all of them is no chance


def usual_target(columns: FileColumns, names: Sequence[str]) -> tuple[str, Decision]:
    """Return the column that is the target unless told otherwise: by its name, its type or its place."""
    by_name = {name.strip().lower(): name for name in names}
    named = (by_name[usual] for usual in _USUAL_TARGETS if usual in by_name)
    usual = next((name for name in named if _is_usable(columns, name, by_name=True)), None)
    if usual is not None:
        return usual, decide("target", target=usual, why="because of its name")
    last = next((name for name in reversed(names) if _is_usable(columns, name)), names[-1])
    if not columns.headed and len(names) > 2 and _is_usable(columns, names[0]):
        texts = [name for name in names if columns.meaning(name, labels=True).kind == "text"]
        if texts == [names[0]]:
            return texts[0], decide("target", target=texts[0], why="the only column of text")
    why = "the last column" if last == names[-1] else "the last usable column"
    return last, decide("target", target=last, why=why)


def _is_usable(columns: FileColumns, name: str, *, by_name: bool = False) -> bool:
    table = columns.table([name], labels=True)
    column = table.names[0]
    missing = table.missing(column)
    if table.forms.get(column) in DATE_FORMS or (missing.mean() > 0.5 and not by_name):
        return False
    is_subject = not by_name and _SUBJECTS.fullmatch(name)
    if is_subject and len(np.unique(table.column(column)[~missing])) > _MOST_CLASSES:
        return False
    why = why_useless(table, column, named=columns.headed)
    return why is None or (by_name and why[0] == "constant")


def target_values(
    table: Table | None, names: tuple[str, ...], task: str | None, n_rows: int
) -> tuple[Array, Decision | None]:
    """Return labels (n_rows,): text, booleans or integers; or numbers (n_rows,) or (n_rows, n_targets).

    Whether whole numbers are classes or a regression is a decision.
    """
    if table is None:
        return np.empty((n_rows, 0)), None
    if len(names) == 1:
        if table.names != names:
            raise InputError(f"the target {names[0]!r} holds dates; name one that holds numbers or classes")
        return _single_target(table, names[0], task)
    if task == "classification":
        raise InputError(f"a classification has one target, got {len(names)}: {', '.join(names)}")
    for name in names:
        _refuse_text(table, name)
    return np.column_stack([table.column(name).astype(float) for name in names]), None


def _single_target(table: Table, name: str, task: str | None) -> tuple[Array, Decision | None]:
    values = table.column(name)
    if task == "regression":
        _refuse_text(table, name)
        return values.astype(float), None
    if values.dtype == object:
        different = len(set(values.tolist()))
        if different > max(10, len(values) / 2) and task is None:
            reason = (
                f"{different} different texts in {len(values)} rows cannot be classes; choose another target"
            )
            raise table.fault(0, name, reason)
        return values, None
    if values.dtype != float:
        return values, None
    whole = (values == np.rint(values)) & (np.abs(values) < 2**53)
    if task == "classification":
        if not whole.all():
            row = int(whole.argmin())
            raise table.fault(row, name, f"a label is text, a boolean or a whole number, got {values[row]}")
        return values.astype(np.int64), None
    if not whole.all():
        return values, None
    different = len(np.unique(values))
    few = different <= max(2, min(_MOST_CLASSES, len(values) / 2))
    few = (
        few
        and (different <= 3 or bool(np.ptp(values) < different <= _MOST_CLASSES))
        and not _are_years(values)
    )
    task, other = ("classification", "regression") if few else ("regression", "classification")
    why = f"{different} different whole numbers in {len(values)} rows"
    decision = decide("task", target=name, task=f"a {task}", why=why, other=other)
    return values.astype(np.int64) if few else values, decision


def tell_all(table: Table, name: str, target: Array) -> list[Decision]:
    """Return a decision for each column whose cells are the target in other words, or other units.

    They are kept: whether they will be known of new rows, nobody but the user can say.
    """
    if len(table) < _FEWEST or len(table.names) < 2 or target.ndim > 1:
        return []
    if target.dtype.kind == "f":
        found = [column for column in table.names if _is_line(table, column, target)]
    else:
        coded = target.dtype == object
        classes = Coded.of(target).codes if coded else np.unique(target, return_inverse=True)[1]
        found = [column for column in table.names if _is_renaming(table, column, classes)]
    dates = [column for column in found if table.forms.get(column) in DATE_FORMS]
    columns = [column.rpartition(".")[0] if column in dates else column for column in found]
    return [decide("tells-all", column=column, target=name) for column in dict.fromkeys(columns)]


def _is_renaming(table: Table, column: str, classes: Array) -> bool:
    """Whether each class (a whole number for each row) has one value of the column, and each value one."""
    values = table.coded(column).codes if table.is_text(column) else table.column(column)
    n_classes = int(classes.max()) + 1
    if len(np.unique(values[: 2 * n_classes])) > n_classes:  # as of nearly all columns of numbers
        return False
    places = np.unique(values, return_inverse=True)[1]
    if n_classes < 2 or int(places.max()) + 1 != n_classes:
        return False
    return len(np.unique(places * n_classes + classes)) == n_classes


def _is_line(table: Table, column: str, target: Array) -> bool:
    """Whether the target is the column in other units: a · column + b, but for rounding."""
    values = table.column(column)
    if values.dtype != float:
        return False
    few = slice(_FEW_ROWS)  # which tell nearly all columns that are no such line
    if np.ptp(values[few]) > 0 and np.ptp(target[few]) > 0 and not _are_in_line(values[few], target[few]):
        return False
    return _are_in_line(values, target)


def _are_in_line(values: Array, target: Array) -> bool:
    if not np.isfinite(values).all() or np.ptp(values) == 0 or np.ptp(target) == 0:
        return False
    a, b = ((of - of.mean()) / np.abs(of - of.mean()).max() for of in (values, target))
    return bool(abs(a @ b) >= (1 - 1e-12) * np.sqrt((a @ a) * (b @ b)))


def _are_years(values: Array) -> bool:
    """Whether numbers are years, of which there are more than two."""
    return bool(values.min() >= 1800 and values.max() <= 2100 and np.ptp(values) > 1)


def _refuse_text(table: Table, name: str) -> None:
    values = table.column(name)
    if values.dtype == object:
        raise table.fault(0, name, f"the target of a regression is a number, got {values[0]!r}")

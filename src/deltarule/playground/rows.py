"""Points that a player adds, drags, paints or takes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_numbers, check_finite, check_number, check_whole
from deltarule.data.table import Table
from deltarule.errors import InputError
from deltarule.playground.problem import Problem


def edited_rows(problem: Problem, edits: Mapping[str, Any], seed: int) -> Problem:
    """Return the problem after some edits: ``x`` in units of the data, ``y`` a class by place, or a number.

    Raises InputError if the rows are not all numbers, or an edit does not fit.
    """
    dataset = problem.dataset
    if not isinstance(dataset.inputs, Table) or any(
        column.dtype.kind != "f" for column in dataset.inputs.columns.values()
    ):
        raise InputError(
            "points can be moved only where all inputs are numbers; here some are text or pictures"
        )
    if dataset.target.ndim > 1 and dataset.target.shape[1] > 1:
        raise InputError("points can be added only where there is a single target")
    inputs, target, draws = dataset.inputs.matrix().copy(), dataset.target.copy(), problem.draws.copy()
    classes: Any = dataset.classes
    for edit in edits.get("move", ()):
        inputs[_row(edit["row"], len(inputs))] = _point(edit["x"], inputs.shape[1])
    for edit in edits.get("relabel", ()):
        target, classes = _relabelled(target, _row(edit["row"], len(inputs)), edit["y"], classes)
    for edit in edits.get("add", ()):
        inputs = np.vstack([inputs, _point(edit["x"], inputs.shape[1])])
        target = np.concatenate([target, target[:1]])
        target, classes = _relabelled(target, len(target) - 1, edit["y"], classes)
        draws = np.append(draws, np.random.default_rng([seed, 5, len(draws)]).random())
    gone = [_row(row, len(inputs)) for row in edits.get("remove", ())]
    kept = np.setdiff1d(np.arange(len(inputs)), gone)
    changed = replace(problem, dataset=replace(dataset, classes=classes))
    return changed.with_rows(inputs[kept], target[kept], draws[kept])


def _row(row: Any, n: int) -> int:
    check_whole("row", row, 0, n - 1)
    return int(row)


def _point(x: Any, n: int) -> Array:
    point = as_numbers(x, "x").astype(float)
    if point.shape != (n,):
        raise InputError(f"a point must have {n} numbers here, got {point.size}")
    check_finite(point, "x")
    return point


def _relabelled(target: Array, row: int, y: Any, classes: Any) -> tuple[Array, Any]:
    """Give a row another class by its place, the next new one included, or another number."""
    check_number("y", y)
    if classes is None:
        target[row] = y
        return target, None
    check_whole("y", int(y), 0, 9)
    if y < len(classes):
        target[row] = classes[int(y)]
        return target, classes
    if not all(isinstance(one, int) for one in classes):
        raise InputError(f"y must be 0 to {len(classes) - 1}: the classes are {', '.join(map(str, classes))}")
    target[row] = int(y)
    return target, tuple(sorted({*classes, int(y)}))

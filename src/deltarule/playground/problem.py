"""A problem to play with: rows in the units of the data, which are held out, and how they are encoded."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_numbers, check_finite, check_number
from deltarule.data import Dataset, load
from deltarule.data.dataset import classes_of
from deltarule.data.encoding import Encoding, fit_encoding
from deltarule.data.table import Table
from deltarule.errors import DataFileError, InputError
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.playground.functions import values_of
from deltarule.registry import record
from deltarule.training.samples import samples_for
from deltarule.tutorials import Example, load_example

#: More rows, or more bytes of a table, are not taken.
MOST_ROWS, MOST_BYTES = 100_000, 32 << 20

#: The sets that a newcomer is offered, by name: title and kind.
SETS: dict[str, tuple[str, str]] = {
    "circles": ("A circle inside a circle", "plane"),
    "xor_points": ("Four clusters: exclusive or", "plane"),
    "blobs": ("Three clusters, three classes", "plane"),
    "moons": ("Two moons", "plane"),
    "spirals": ("Two spirals", "plane"),
    "waves": ("A wave over the plane (regression)", "plane"),
    "iris": ("150 irises, three species", "table"),
    "T1": ("Tutorial 1: 2-2-2, neuron by neuron", "worked"),
    "T2": ("Tutorial 2: a truth table of three bits", "worked"),
    "T3": ("Tutorial 3: formulas beside code", "worked"),
    "T4": ("Tutorial 4: every factor by hand", "worked"),
    "T5_xor": ("Tutorial 5: exclusive or", "worked"),
    "mnist": ("MNIST: 70,000 handwritten digits", "table"),
}


@record
class Problem:
    """Rows to learn from.

    Parameters
    ----------
    title : str
    dataset : Dataset
    draws : ndarray, (n_rows,)
        A number from 0 to 1 for each row: those below the share are held out, so that a row that is added
        moves no other.
    example : Example or None
        The worked example that it is.
    net : Network or None
        The trained network that came with it.
    """

    title: str
    dataset: Dataset
    draws: Array
    example: Example | None = None
    net: Network | None = None

    def held_out(self, share: float) -> Array:
        """Which rows are held out, (n_rows,) of bool; never all of them."""
        held = self.draws < share
        return held if not held.all() else np.zeros(len(held), bool)

    def encoding(self, share: float, scale: str) -> Encoding:
        """Fit scales, categories and labels to the rows that are not held out."""
        rest = self.dataset.take(~self.held_out(share))
        if rest.classes is not None:
            rest = replace(rest, target=rest.target, classes=self.dataset.classes)
        return fit_encoding(rest, scale=scale, missing="median", rare=1)

    def samples(self, net: Network) -> Samples:
        """All rows as a network takes them."""
        assert net.encoding is not None
        return samples_for(net, *net.encoding.encode(self.dataset, net.sizes[-1], net.dtype))

    def with_rows(self, inputs: Array, target: Array, draws: Array) -> Problem:
        """The same problem with other rows, (n_rows, n_features) in the units of the data."""
        if not len(inputs):
            raise InputError("the last points cannot be removed: there would be nothing left to learn from")
        if len(inputs) > MOST_ROWS:
            raise InputError(f"at most {MOST_ROWS:,} points, got {len(inputs):,}")
        table = self.dataset.inputs
        assert isinstance(table, Table)
        rows = replace(self.dataset, inputs=Table.of_matrix(inputs, table.names), target=target)
        return replace(self, dataset=rows, draws=draws)


def problem_of(dataset: Dataset, title: str, seed: int = 0, **more: Any) -> Problem:
    """Return the problem of a data set."""
    return Problem(title, dataset, np.random.default_rng([seed, 3]).random(len(dataset)), **more)


def named(name: str) -> Problem:
    """Return the problem of a bundled set, a toy, or a worked example, by name.

    Raises InputError if there is no such set.
    """
    title = SETS.get(name, (name, ""))[0]
    if name in _PLANES:
        return problem_of(_PLANES[name](), title)
    if SETS.get(name, ("", ""))[1] == "worked":
        return worked(load_example(name), title)
    if "/" in name or "\\" in name or name.endswith(".toml") or os.path.exists(name):
        raise InputError(f"there is no data set called {name[:60]!r}")
    return problem_of(load(name), title)


def worked(example: Example, title: str = "") -> Problem:
    """Return the problem of a worked example: its inputs and targets as they are."""
    table = Table.of_matrix(example.X, [f"i{i}" for i in range(1, example.X.shape[1] + 1)])
    target = np.asarray(example.Y, dtype=float)
    names = tuple(f"o{j}" for j in range(1, target.shape[1] + 1))
    dataset = Dataset(example.name, table, target, names, description=example.title)
    return Problem(title or example.title, dataset, np.ones(len(table)), example)


def of_table(text: str, name: str, target: str | None = None) -> Problem:
    """Read a table that was dropped or pasted, as ``deltarule train`` reads its file.

    Raises InputError or DataFileError if it is too large, or no sound table; the error names row and
    column of a bad cell.
    """
    if len(text) > MOST_BYTES:
        raise InputError(f"the table has {len(text):,} characters; at most {MOST_BYTES:,} are allowed")
    suffix = Path(name).suffix
    if suffix.lower() not in (".csv", ".tsv", ".txt", ".json", ".arff"):
        suffix = ".csv"
    stem = "".join(sign for sign in Path(name).stem if sign.isalnum() or sign in "-_ ")[:60] or "table"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, stem + suffix)
        path.write_text(text, encoding="utf-8")
        try:
            dataset = load(path, target=target)
        except DataFileError as error:
            raise DataFileError(path.name, error.reason, error.line, error.column) from None
    if len(dataset) > MOST_ROWS:
        raise InputError(f"the table has {len(dataset):,} rows; at most {MOST_ROWS:,} are allowed")
    described = f"{stem}{suffix}: {len(dataset)} rows, target {', '.join(dataset.target_names)}"
    return problem_of(replace(dataset, description=described), stem)


def of_points(x: Any, y: Sequence[Any], names: Sequence[str] | None = None) -> Problem:
    """Return points that were painted: whole numbers as ``y`` are classes, others numbers."""
    inputs = as_numbers(x, "x").astype(float)
    if inputs.ndim != 2 or not 0 < len(inputs) <= MOST_ROWS or len(inputs) != len(y):
        raise InputError(
            f"points need x of shape (n, 2) and as many values of y, at most {MOST_ROWS:,} of them"
        )
    check_finite(inputs, "x")
    numbers = as_numbers(y, "y").astype(float)
    check_finite(numbers, "y")
    whole = bool((numbers == numbers.round()).all()) and len(set(numbers.tolist())) <= 10
    target = numbers.astype(int) if whole else numbers
    table = Table.of_matrix(inputs, names)
    return problem_of(
        Dataset("points", table, target, ("y",), classes_of(target) if whole else None), "Your points"
    )


def of_function(
    text: str, rows: int = 200, noise: float = 0.0, task: str = "regression", seed: int = 0
) -> Problem:
    """Return points of the plane, −1 to 1, with what a formula of x1, x2 gives, or whether it is above 0."""
    check_number("noise", noise, 0)
    if not 1 <= rows <= MOST_ROWS:
        raise InputError(f"rows must be 1 to {MOST_ROWS:,}, got {rows}")
    rng = np.random.default_rng([seed, 4])
    x = rng.uniform(-1, 1, (rows, 2))
    values = values_of(text, {"x1": x[:, 0], "x2": x[:, 1]}) + rng.normal(0, noise, rows)
    table = Table.of_matrix(x)
    if task == "classification":
        labels = (values > 0).astype(int)
        return problem_of(Dataset(text, table, labels, ("y",), (0, 1)), f"y = {text} > 0")
    return problem_of(Dataset(text, table, values, ("y",)), f"y = {text}")


def _cloud(centres: Sequence[tuple[float, float]], labels: Sequence[int], n: int, spread: float) -> Dataset:
    rng = np.random.default_rng(0)
    which = np.arange(n) % len(centres)
    x = np.array(centres)[which] + rng.normal(0, spread, (n, 2))
    target = np.array(labels)[which]
    return Dataset("points", Table.of_matrix(x), target, ("y",), classes_of(target))


def _waves() -> Dataset:
    x = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    y = np.sin(3 * x[:, 0]) * np.cos(2 * x[:, 1])
    return Dataset("waves", Table.of_matrix(x), y, ("y",))


_PLANES: dict[str, Callable[[], Dataset]] = {
    **{name: partial(load, f"{name}(300)") for name in ("circles", "moons", "spirals")},
    "xor_points": lambda: _cloud(
        [(-0.6, -0.6), (0.6, 0.6), (-0.6, 0.6), (0.6, -0.6)], [0, 0, 1, 1], 300, 0.2
    ),
    "blobs": lambda: _cloud([(-0.7, -0.4), (0.7, -0.4), (0.0, 0.7)], [0, 1, 2], 300, 0.22),
    "waves": _waves,
}


def source_of(problem: Problem) -> dict[str, Any]:
    """Return the points of a problem as ``open`` takes them."""
    table = problem.dataset.inputs
    assert isinstance(table, Table)
    places = problem.dataset.target
    if problem.dataset.classes is not None:
        places = np.array([problem.dataset.classes.index(label) for label in places.tolist()])
    return {"points": {"x": np.round(table.matrix(), 4).tolist(), "y": places.tolist()}}

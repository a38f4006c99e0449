"""A data set: inputs, targets, and what the two are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deltarule.arrays import Array, check_whole
from deltarule.data.decisions import Decision
from deltarule.data.table import Table
from deltarule.errors import DataFileError, InputError, ShapeError
from deltarule.registry import shown_by


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of inputs and targets.

    Parameters
    ----------
    name : str
    inputs : Table, or ndarray of uint8, (n_rows, height, width) or (n_rows, height, width, 3)
    target : ndarray
        Labels (n_rows,), or numbers (n_rows,) or (n_rows, n_targets).
    target_names : tuple of str
        One name per target.
    classes : tuple or None
        The labels in ascending order; None for a regression.
    scale : {"none", "standard", "minmax"}
        The scaling of the inputs that suits the data.
    test : Dataset or None
        The test part, if the source has its own.
    description : str
        What it is, where it is from and its licence, in one line.
    decisions : tuple of Decision
        What was decided about it because nobody specified it.
    validation : Dataset or None
        The part for early stopping, if the source has its own.
    paper : {"", "black", "white"}
        The colour behind transparent pictures.

    Examples
    --------
    >>> from deltarule.data import load
    >>> iris = load("iris")
    >>> len(iris), iris.task, iris.classes
    (150, 'classification', ('setosa', 'versicolor', 'virginica'))
    """

    name: str
    inputs: Table | Array
    target: Array
    target_names: tuple[str, ...]
    classes: tuple[str | int | float, ...] | None = None
    scale: str = "none"
    test: Dataset | None = None
    description: str = ""
    decisions: tuple[Decision, ...] = ()
    validation: Dataset | None = None
    paper: str = ""

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.target):
            raise ShapeError(
                f"{self.name}: {len(self.inputs)} rows of inputs, but {len(self.target)} rows of targets"
            )

    _repr_html_ = shown_by("deltarule.notebook_views:dataset")

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return "regression" if self.classes is None else "classification"

    @property
    def X(self) -> Array:
        """The inputs as a matrix of plain numbers, (n_rows, n_features), not scaled."""
        inputs = self.inputs
        return inputs.matrix() if isinstance(inputs, Table) else inputs.reshape(len(inputs), -1)

    @property
    def y(self) -> Array:
        """The target."""
        return self.target

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: npt.ArrayLike) -> Dataset:
        """Return the rows of the given numbers (or where a mask is true); the test part stays."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows  # which NumPy takes faster
        inputs = self.inputs.take(rows) if isinstance(self.inputs, Table) else self.inputs[rows]
        return replace(self, inputs=inputs, target=self.target[rows])


def classes_of(target: Array) -> tuple[str | int | float, ...]:
    """Return the different labels of a target (n_rows,), in ascending order."""
    return tuple(sorted(set(target.tolist())))


def with_test(train: Dataset, test: Dataset, folder: str | os.PathLike[str]) -> Dataset:
    """Join training images with their test part: of the same size, and without a class of its own."""
    sizes = [part.inputs.shape[1:] for part in (train, test) if not isinstance(part.inputs, Table)]
    if sizes[0] != sizes[1]:
        raise DataFileError(folder, f"training images are {sizes[0]} pixels, but test images {sizes[1]}")
    strange = set(test.classes or ()) - set(train.classes or ())
    if strange:
        raise DataFileError(
            folder, f"the test part has class {min(strange)!r}, which does not occur in the training part"
        )
    return replace(train, test=replace(test, classes=train.classes))


def split(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset | None]:
    """Set a random part of the rows aside, the same fraction of each class, rounded down.

    A class with too few rows for that, as in a logic gate, is not divided. Both parts keep the order of the
    rows.

    Parameters
    ----------
    dataset : Dataset
    fraction : float
        The share of the rows to set aside: at least 0 and less than 1.
    seed : int

    Returns
    -------
    rest : Dataset
    part : Dataset or None
        None if no row could be set aside.

    Raises
    ------
    InputError
        If the fraction is out of range.

    Examples
    --------
    >>> from deltarule.data import load
    >>> rest, part = split(load("moons(100)"), 0.2, seed=0)
    >>> len(rest), len(part)
    (80, 20)
    """
    if not 0 <= fraction < 1:
        raise InputError(f"fraction must be 0 or more and less than 1, got {fraction}")
    rng = np.random.default_rng(seed)
    aside = np.zeros(len(dataset), dtype=bool)
    for rows in _rows_by_class(dataset):
        count = min(int(len(rows) * fraction + 1e-9), len(rows) - 1)  # 100 · 0.29 is 28.999…
        aside[rng.permutation(rows)[:count]] = True
    if not aside.any():
        return dataset, None
    return dataset.take(~aside), replace(dataset.take(aside), test=None)


def folds(dataset: Dataset, k: int, seed: int) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield k times the rest and a random part; each row is in one part, and classes are spread evenly.

    Parameters
    ----------
    dataset : Dataset
    k : int
        At least 2, at most the number of rows.
    seed : int

    Yields
    ------
    rest, part : Dataset

    Examples
    --------
    >>> from deltarule.data import load
    >>> [len(part) for rest, part in folds(load("moons(10)"), 5, seed=0)]
    [2, 2, 2, 2, 2]
    """
    check_whole("k", k, 2, len(dataset))
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(rows) for rows in _rows_by_class(dataset)])
    fold = np.empty(len(dataset), dtype=np.intp)
    fold[order] = np.arange(len(dataset)) % k
    for number in range(k):
        yield dataset.take(fold != number), dataset.take(fold == number)


def _rows_by_class(dataset: Dataset) -> Sequence[Array]:
    """Return the numbers of the rows, class by class where there are classes."""
    if dataset.classes is None:
        return [np.arange(len(dataset))]
    places = {label: code for code, label in enumerate(classes_of(dataset.target))}
    codes = np.fromiter((places[label] for label in dataset.target.tolist()), np.intp, len(dataset))
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])

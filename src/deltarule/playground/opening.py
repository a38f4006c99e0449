"""What a playground begins with: a set, a worked example, a table or a model file, or arrays of one's own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Dataset, load
from deltarule.data.table import Table
from deltarule.errors import InputError, ModelFileError
from deltarule.nn.network import Network
from deltarule.playground.played_run import PlayedRun
from deltarule.playground.problem import SETS, Problem, named, problem_of, worked
from deltarule.playground.saving import of_network
from deltarule.playground.session import Session
from deltarule.tutorials import is_example, load_example

_ARRAYS = "arrays.npz"


def session_of(source: str | os.PathLike[str]) -> Session:
    """Return a session that begins with a source.

    A source is a bundled set (``"circles"``), a worked example (``"T1"`` or a TOML file), a table, a
    model file, or a folder that :func:`write_arrays` wrote; empty for the first set. Raises InputError,
    DataFileError or ModelFileError if it is none of them.

    Examples
    --------
    >>> session_of("T1").run.net
    Network(2 → 2 sigmoid → 2 sigmoid, 10 parameters)
    """
    session = Session()
    if os.fspath(source):
        session.run = PlayedRun(problem_from(os.fspath(source)), {"set": os.fspath(source)})
    return session


def problem_from(source: str) -> Problem:
    """Return the problem of a source."""
    if source in SETS:
        return named(source)
    if is_example(source):
        return worked(load_example(source))
    path = Path(source)
    if (path / _ARRAYS).is_file():
        return _read_arrays(path)
    if path.is_file():
        with suppress(ModelFileError, InputError):  # it is no model, but a table
            return of_network(Network.load(path))
    dataset = load(source)
    return problem_of(dataset, path.stem if path.exists() else source)


def write_arrays(folder: Path, net: Network, X: Any, Y: Any) -> None:
    """Write a network and its data for :func:`session_of`."""
    net.save(folder / "model")
    np.savez(folder / _ARRAYS, X=np.asarray(X, dtype=float), Y=np.asarray(Y))


def _read_arrays(folder: Path) -> Problem:
    net = Network.load(folder / "model")
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        X, Y = arrays["X"], arrays["Y"]
    dataset = _dataset_of(net, X, Y)
    problem = Problem("Your network", dataset, np.ones(len(dataset)), None, net)
    if net.encoding is None:
        net.encoding = problem.encoding(0.0, "none")
    return problem


def _dataset_of(net: Network, X: Array, Y: Array) -> Dataset:
    """Return arrays as a data set: class numbers or labels, 0/1 columns of classes, or numbers."""
    names = net.encoding.inputs.feature_names if net.encoding else None
    table = Table.of_matrix(X.reshape(len(X), -1), names)
    k = net.sizes[-1]
    flat = Y.reshape(len(Y), -1)
    if net.loss.name in ("cross_entropy", "binary_cross_entropy"):
        labels = flat.argmax(axis=1) if flat.shape[1] > 1 else flat[:, 0]
        return Dataset("your data", table, labels.astype(int), ("y",), tuple(range(max(k, 2))))
    target = flat.astype(float)
    return Dataset(
        "your data", table, target if k > 1 else target[:, 0], tuple(f"o{j + 1}" for j in range(k))
    )

"""The numbers every contender is given: the same rows, and the same first parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.workloads import Prediction, Training

__all__ = ["Array", "Data", "first_parameters", "read", "write"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Data:
    """Rows as they are stored (MNIST's are bytes), what to divide them by, and their targets.

    ``Y`` holds class numbers (n,), or targets (n, n_outputs).
    """

    X: Array
    scale: float
    Y: Array

    def inputs(self, dtype: str) -> Array:
        """Scaled rows, (n, n_features)."""
        return self.X.astype(dtype) / np.dtype(dtype).type(self.scale)

    def targets(self, dtype: str, n_outputs: int) -> Array:
        """Targets, (n, n_outputs); class numbers become rows with a one."""
        rows = np.eye(n_outputs)[self.Y] if self.Y.ndim == 1 else self.Y
        return rows.astype(dtype)


def first_parameters(workload: Training | Prediction) -> list[tuple[Array, Array]]:
    """``W`` (n_in, n_out) and ``b`` (n_out,) of each layer: seeded, as wide as suits the activation."""
    rng = np.random.default_rng(2024)
    gain = 2.0 if workload.activation == "relu" else 1.0
    parameters = []
    for n_in, n_out in zip(workload.sizes, workload.sizes[1:], strict=False):
        W = rng.standard_normal((n_in, n_out)) * np.sqrt(gain / n_in)
        b = rng.standard_normal(n_out) * 0.01
        parameters.append((W.astype(workload.dtype), b.astype(workload.dtype)))
    return parameters


def read(workload: Training | Prediction, folder: Path) -> Data:
    """The rows of a workload, from the file that :func:`write` made."""
    with np.load(_path(workload, folder)) as arrays:
        X, Y = (np.ascontiguousarray(arrays[name][: workload.n_rows]) for name in ("X", "Y"))
        return Data(X, float(arrays["scale"]), Y)


def write(workload: Training | Prediction, folder: Path) -> None:
    """Put the data into a folder, once, so that no contender has to load another's package to read them."""
    path = _path(workload, folder)
    if not path.exists():
        data = SOURCES[workload.data]()
        np.savez(path, X=data.X, scale=data.scale, Y=data.Y)


def _path(workload: Training | Prediction, folder: Path) -> Path:
    return folder / f"{workload.data}.npz"


def _two() -> Data:
    return Data(np.array([[0.05, 0.10]]), 1.0, np.array([[0.01, 0.99]]))


def _iris() -> Data:
    """Every fifth row left out: 40 of each species."""
    from deltarule import datasets

    iris = datasets.load("iris")
    kept = np.arange(len(iris)) % 5 != 0
    X = iris.X[kept]
    Y = np.unique(iris.y[kept], return_inverse=True)[1]
    return Data((X - X.mean(axis=0)) / X.std(axis=0), 1.0, Y)


def _mnist(test: bool = False) -> Data:
    from deltarule import datasets

    mnist = datasets.load("mnist")
    part = mnist.test if test else mnist
    assert part is not None
    return Data(part.X, 255.0, part.y)


def _mnist_in_float() -> Data:
    images = _mnist()
    return Data(images.inputs("float32"), 1.0, images.Y)


def _dense() -> Data:
    """As many numbers as MNIST has, none of them 0."""
    rng = np.random.default_rng(7)
    return Data(rng.random((60_000, 784), dtype=np.float32), 1.0, rng.integers(0, 10, 60_000))


def _regression() -> Data:
    """Friedman's first function of five of the eight inputs, and noise; standardised."""
    rng = np.random.default_rng(7)
    X = rng.random((20_000, 8))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    y += rng.standard_normal(len(y))
    return Data(X - 0.5, 1.0, ((y - y.mean()) / y.std())[:, None])


def _random() -> Data:
    """Rows without meaning, where only the time counts."""
    rng = np.random.default_rng(7)
    return Data(rng.standard_normal((32_768, 64), dtype=np.float32), 1.0, rng.integers(0, 10, 32_768))


SOURCES: dict[str, Callable[[], Data]] = {
    "two": _two,
    "iris": _iris,
    "mnist": _mnist,
    "mnist-float": _mnist_in_float,
    "dense": _dense,
    "mnist-test": lambda: _mnist(test=True),
    "regression": _regression,
    "random": _random,
}

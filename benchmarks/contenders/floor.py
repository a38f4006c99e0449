"""The floor: the matrix products of a workload alone, by NumPy's BLAS, into arrays made beforehand.

They are dense, and in order of the rows: who spares products with zeros can be below it.
"""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import Contender
from benchmarks.data import Array, Data, first_parameters
from benchmarks.workloads import Prediction, Training

__all__ = ["prepare"]


def prepare(workload: Training | Prediction, data: Data, name: str) -> Contender:
    return Products(workload, data)


class Products(Contender):
    """``x @ W`` of each layer; in training also ``x.T @ delta``, and ``delta @ W.T`` of all but the first."""

    def __init__(self, workload: Training | Prediction, data: Data) -> None:
        self.backward = isinstance(workload, Training)
        self.X = data.inputs(workload.dtype)
        self.size = workload.batch_size or len(self.X) if isinstance(workload, Training) else len(self.X)
        self.weights = [W for W, _ in first_parameters(workload)]
        self.dW = [np.empty_like(W) for W in self.weights]
        self.a = [np.zeros((self.size, n), workload.dtype) for n in workload.sizes[1:]]
        self.dx = [np.empty((self.size, n), workload.dtype) for n in workload.sizes[:-1]]

    def check(self) -> list[float]:
        return []  # it computes nothing of interest

    def run(self, times: int) -> None:
        for _ in range(times):
            for start in range(0, len(self.X), self.size):
                self._batch(self.X[start : start + self.size])

    def _batch(self, x: Array) -> None:
        n, layers = len(x), range(len(self.weights))
        inputs = [x, *(a[:n] for a in self.a[:-1])]
        for i in layers:
            np.matmul(inputs[i], self.weights[i], out=self.a[i][:n])
        if self.backward:
            for i in reversed(layers):
                delta = self.a[i][:n]  # as large as the real one
                np.matmul(inputs[i].T, delta, out=self.dW[i])
                if i > 0:
                    np.matmul(delta, self.weights[i].T, out=self.dx[i][:n])

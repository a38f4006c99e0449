"""The loop that a good practitioner writes by hand in NumPy; also the witness of the check."""

from __future__ import annotations

import numpy as np

from benchmarks.contenders import Contender
from benchmarks.data import Array, Data, first_parameters
from benchmarks.workloads import Prediction, Training

__all__ = ["prepare"]


def prepare(workload: Training | Prediction, data: Data, name: str) -> Contender:
    return Predictor(workload, data) if isinstance(workload, Prediction) else Trainer(workload, data)


def _activate(activation: str, z: Array) -> Array:
    """``a = f(z)``, in the place of ``z``."""
    if activation == "relu":
        return np.maximum(z, 0, out=z)
    if activation == "sigmoid":
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        return np.reciprocal(z, out=z)
    if activation == "softmax":
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)
    return z


class Trainer(Contender):
    """Forward, backward, update; half squared error, or softmax and cross-entropy."""

    def __init__(self, workload: Training, data: Data) -> None:
        self.workload = workload
        self.X = data.inputs(workload.dtype)
        self.Y = data.targets(workload.dtype, workload.sizes[-1])
        self._restart()

    def check(self) -> list[float]:
        self._restart()
        return [self._epoch(shuffle=False) for _ in range(self.workload.checked)]

    def run(self, times: int) -> None:
        self._restart()
        for _ in range(times):
            self._epoch(shuffle=True)

    def _restart(self) -> None:
        first = first_parameters(self.workload)
        self.W, self.b = [W for W, _ in first], [b for _, b in first]
        self.m, self.v, self.t = None, None, 0
        if self.workload.optimizer == "adam":
            self.m = [np.zeros_like(p) for p in (*self.W, *self.b)]
            self.v = [np.zeros_like(p) for p in (*self.W, *self.b)]
        self.rng = np.random.default_rng(0)

    def _epoch(self, shuffle: bool) -> float:
        """Update with every batch; the epoch's loss."""
        n, size = len(self.X), self.workload.batch_size
        if size is None:
            return self._update(self.X, self.Y)
        order = self.rng.permutation(n) if shuffle else np.arange(n)
        total = 0.0
        for start in range(0, n, size):
            rows = order[start : start + size]
            total += self._update(self.X[rows], self.Y[rows]) * len(rows)
        return total / n

    def _update(self, x: Array, y: Array) -> float:
        """One update; the batch's loss before it."""
        workload, inputs = self.workload, [x]
        hidden = [workload.activation] * (len(self.W) - 1)
        for W, b, activation in zip(self.W, self.b, [*hidden, workload.output], strict=True):
            z = inputs[-1] @ W
            z += b
            inputs.append(_activate(activation, z))
        a = inputs.pop()
        delta = a - y
        if workload.loss == "cross_entropy":
            loss = -np.log((a * y).sum(axis=1)).mean()
        else:
            loss = (delta**2).sum() / (2 * len(x))
            if workload.output == "sigmoid":
                delta *= a * (1 - a)
        delta /= len(x)
        dW, db = [], []
        for i in reversed(range(len(self.W))):
            dW.append(inputs[i].T @ delta)
            db.append(delta.sum(axis=0))
            if i > 0:
                a = inputs[i]
                delta = delta @ self.W[i].T
                delta *= a > 0 if workload.activation == "relu" else a * (1 - a)
        self._step([*reversed(dW), *reversed(db)])
        return float(loss)

    def _step(self, grads: list[Array]) -> None:
        parameters, rate = [*self.W, *self.b], self.workload.learning_rate
        if self.m is None or self.v is None:
            for p, g in zip(parameters, grads, strict=True):
                g *= rate
                p -= g
            return
        self.t += 1
        rate /= 1 - 0.9**self.t
        scale = 1 / np.sqrt(1 - 0.999**self.t)
        for p, g, m, v in zip(parameters, grads, self.m, self.v, strict=True):
            m *= 0.9
            m += 0.1 * g
            np.square(g, out=g)
            g *= 0.001
            v *= 0.999
            v += g
            np.sqrt(v, out=g)
            g *= scale
            g += self.workload.epsilon
            np.divide(m, g, out=g)
            g *= rate
            p -= g


class Predictor(Contender):
    """The forward pass."""

    def __init__(self, workload: Prediction, data: Data) -> None:
        self.workload, self.X = workload, data.inputs(workload.dtype)
        self.layers = first_parameters(workload)

    def check(self) -> list[float]:
        return self._predict()[:5].ravel().tolist()

    def run(self, times: int) -> None:
        for _ in range(times):
            self._predict()

    def _predict(self) -> Array:
        x = self.X
        for W, b in self.layers[:-1]:
            x = x @ W
            x += b
            _activate(self.workload.activation, x)
        W, b = self.layers[-1]
        return _activate(self.workload.output, x @ W + b)

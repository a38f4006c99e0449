"""deltarule, through its public functions."""

from __future__ import annotations

import deltarule as dr
from benchmarks.contenders import OURS_DROPOUT, OURS_NUMPY, Contender
from benchmarks.data import Array, Data, first_parameters
from benchmarks.workloads import Prediction, Training

__all__ = ["prepare"]


def prepare(workload: Training | Prediction, data: Data, name: str) -> Contender:
    """The compiled engine, or NumPy's for the contender that says so."""
    engine = "reference" if name == OURS_NUMPY else "compiled"
    if isinstance(workload, Prediction):
        return Predictor(workload, data, engine)
    return Trainer(workload, data, engine, workload.dropout if name == OURS_DROPOUT else 0.0)


def network_inputs(workload: Training | Prediction, data: Data) -> Array | dr.Scaled:
    """The rows as the network takes them: images stay bytes."""
    return dr.Scaled(data.X, scale=data.scale) if data.X.dtype == "uint8" else data.inputs(workload.dtype)


def _network(workload: Training | Prediction, dropout: float = 0.0) -> dr.Network:
    net = dr.Network(
        workload.sizes,
        dropout=dropout,
        activation=workload.activation,
        output=workload.output,
        loss=workload.loss if isinstance(workload, Training) else None,
        dtype=workload.dtype,
    )
    weights, biases = zip(*first_parameters(workload), strict=True)
    net.set_weights(weights, biases)
    return net


class Trainer(Contender):
    """``dr.train``."""

    def __init__(self, workload: Training, data: Data, engine: str, dropout: float) -> None:
        self.workload, self.engine, self.dropout = workload, engine, dropout
        self.X, self.Y = network_inputs(workload, data), data.Y
        self.net = _network(workload, dropout)
        self.first = self.net.parameters.copy()
        rate = workload.learning_rate
        sgd = workload.optimizer == "sgd"
        self.optimizer = dr.SGD(rate) if sgd else dr.Adam(rate, epsilon=workload.epsilon)

    def check(self) -> list[float]:
        if self.dropout:
            return []  # nobody else draws these masks
        return self._train(self.workload.checked, shuffle=False)["loss"]

    def run(self, times: int) -> None:
        self._train(times, shuffle=True)

    def _train(self, epochs: int, shuffle: bool) -> dr.History:
        self.net.parameters[:] = self.first
        return dr.train(
            self.net,
            self.X,
            self.Y,
            optimizer=self.optimizer,
            epochs=epochs,
            batch_size=self.workload.batch_size,
            shuffle=shuffle,
            engine=self.engine,
        )


class Predictor(Contender):
    """``net.predict``."""

    def __init__(self, workload: Prediction, data: Data, engine: str) -> None:
        self.X, self.net, self.engine = network_inputs(workload, data), _network(workload), engine

    def check(self) -> list[float]:
        return self.net.predict(self.X, self.engine)[:5].ravel().tolist()

    def run(self, times: int) -> None:
        for _ in range(times):
            self.net.predict(self.X, self.engine)

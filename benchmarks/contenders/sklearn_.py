"""scikit-learn's multi-layer perceptron, started from given parameters and kept from stopping early."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.contenders import Contender, LeftOut
from benchmarks.data import Array, Data, first_parameters
from benchmarks.workloads import Prediction, Training

__all__ = ["prepare"]

ACTIVATIONS = {"relu": "relu", "sigmoid": "logistic"}
HEADS = {("softmax", "cross_entropy"): MLPClassifier, ("identity", "half_squared_error"): MLPRegressor}


def prepare(workload: Training | Prediction, data: Data, name: str) -> Contender:
    warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is meant
    if isinstance(workload, Prediction):
        return Predictor(workload, data)
    if (workload.output, workload.loss) not in HEADS:
        raise LeftOut(f"has no {workload.loss.replace('_', ' ')} on {workload.output} outputs")
    return Trainer(workload, data)


def _model(workload: Training | Prediction, head: type[Any], **settings: object) -> Any:
    """A perceptron that starts from the first parameters."""

    class Given(head):  # type: ignore[misc]
        def _initialize(self, y: Array, layer_units: list[int], dtype: Any) -> None:
            super()._initialize(y, layer_units, dtype)
            weights, biases = zip(*first_parameters(workload), strict=True)
            self.coefs_, self.intercepts_ = list(weights), list(biases)

    return Given(
        hidden_layer_sizes=workload.sizes[1:-1],
        activation=ACTIVATIONS[workload.activation],
        alpha=0.0,
        **settings,
    )


class Trainer(Contender):
    """``fit`` with ``max_iter`` epochs."""

    def __init__(self, workload: Training, data: Data) -> None:
        self.workload = workload
        self.X = data.inputs(workload.dtype)
        self.Y = data.Y if data.Y.ndim == 1 else data.Y.astype(workload.dtype).ravel()

    def check(self) -> list[float]:
        return self._train(self.workload.checked, shuffle=False).loss_curve_

    def run(self, times: int) -> None:
        self._train(times, shuffle=True)

    def _train(self, epochs: int, shuffle: bool) -> Any:
        size = self.workload.batch_size
        model = _model(
            self.workload,
            HEADS[self.workload.output, self.workload.loss],
            solver=self.workload.optimizer,
            learning_rate_init=self.workload.learning_rate,
            epsilon=self.workload.epsilon,
            momentum=0.0,
            nesterovs_momentum=False,
            batch_size=size or len(self.X),
            shuffle=shuffle and size is not None,
            max_iter=epochs,
            tol=0.0,
            n_iter_no_change=np.inf,
        )
        return model.fit(self.X, self.Y)


class Predictor(Contender):
    """``predict_proba``."""

    def __init__(self, workload: Prediction, data: Data) -> None:
        self.X = data.inputs(workload.dtype)
        rows = np.zeros((workload.sizes[-1], workload.sizes[0]), workload.dtype)
        model = _model(workload, MLPClassifier, learning_rate_init=1e-30, max_iter=1)
        self.model = model.fit(rows, np.arange(workload.sizes[-1]))
        weights, biases = zip(*first_parameters(workload), strict=True)
        self.model.coefs_, self.model.intercepts_ = list(weights), list(biases)

    def check(self) -> list[float]:
        return self.model.predict_proba(self.X)[:5].ravel().tolist()

    def run(self, times: int) -> None:
        for _ in range(times):
            self.model.predict_proba(self.X)

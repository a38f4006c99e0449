"""What a fit leaves behind: the network, what its inputs and targets mean, and how training went."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.errors import ShapeError
from deltarule.estimators.building import first_weights, make_network, standard_scaling
from deltarule.estimators.parameters import Parameters
from deltarule.estimators.targets import LabelTargets, Targets
from deltarule.nn.engines import engine_to_predict
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network


@dataclass(eq=False, repr=False)
class FitRecord:
    """What an estimator has learnt; its attributes that end with ``_`` are these, see :class:`FitAttribute`.

    What has no default is missing until a fit has found it out, as scikit-learn expects.
    """

    n_features_in: int = field(init=False)
    feature_names_in: Array = field(init=False)
    targets: Targets = field(init=False)
    scaling: tuple[Array, Array] | None = field(init=False)  # means and spreads of the features

    network: Network = field(init=False)
    coefs: list[Any] = field(init=False)  # the network's own arrays, or others that a user has put here
    intercepts: list[Any] = field(init=False)
    n_layers: int = field(init=False)
    n_outputs: int = field(init=False)
    out_activation: str = field(init=False)

    n_iter: int = 0
    t: int = 0
    loss: float = math.inf
    best_loss: float | None = math.inf
    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] | None = None
    validation_scores: list[float] | None = None
    best_validation_score: float | None = None
    should_stop: bool = False
    no_improvement_count: int = 0

    slots: Array | None = None  # what the optimizer remembers between calls of partial_fit
    updates: int = 0
    best_parameters: Array | None = None
    transformed_layer: int | None = None  # whose neurons get_feature_names_out names

    @property
    def classes(self) -> Array:
        """All classes, in the order of the outputs."""
        assert isinstance(self.targets, LabelTargets)
        return self.targets.classes

    @property
    def engine(self) -> str:
        """The engine that trained the network, and predicts with it."""
        return self.network.engine

    @engine.setter
    def engine(self, name: str) -> None:
        self.network.engine = name

    def build(self, p: Parameters, X: Any, Y: Array, weight: Array | None, random_state: Any) -> None:
        """Make a network that has learnt nothing yet; weights that are there already stay."""
        loss, output = self.targets.loss_and_output(p)
        self.network = net = make_network(p, X.shape[1], Y.shape[1], loss, output, dtype=str(X.dtype))
        self.scaling = standard_scaling(X, weight) if p.standardize else None
        if not hasattr(self, "coefs"):
            self.coefs, self.intercepts = first_weights(p, net, random_state)
        self.linked_network()
        self.n_layers, self.n_outputs = len(net.sizes), net.sizes[-1]
        name = net.objective.output.name
        self.out_activation = {"sigmoid": "logistic"}.get(name, name)
        self.best_loss = None if p.early_stopping else math.inf

    def linked_network(self) -> Network:
        """The network, with what ``coefs_`` and ``intercepts_`` hold now: they may have been replaced."""
        net = self.network
        if not len(self.coefs) == len(self.intercepts) == len(net.layers):
            raise ShapeError(
                f"coefs_ and intercepts_ must have an array for each of {len(net.layers)} layers"
            )
        for index, layer in enumerate(net.layers):
            self.coefs[index] = _copied_into(layer.W, self.coefs[index])
            self.intercepts[index] = _copied_into(layer.b, self.intercepts[index])
        return net

    def inputs(self, X: Any) -> Array | Scaled:
        """Validated rows as the network takes them: scaled if ``standardize`` is set."""
        return self.network.inputs(X if self.scaling is None else Scaled(X, *self.scaling))

    def samples(self, X: Any, Y: Array, weight: Array | None) -> Samples:
        """Validated rows and encoded targets as the network takes them."""
        net = self.network
        return Samples(self.inputs(X), *net.targets(Y.astype(net.dtype), weight, X.shape[0]))

    def outputs(self, x: Array | Scaled) -> Array:
        """What the network gives for its inputs, (n_samples, n_outputs)."""
        net = self.linked_network()
        return engine_to_predict(None, net).predict(net, x)

    def history_columns(self) -> dict[str, list[float]]:
        """The losses by epoch, as a History has them."""
        n = len(self.loss_curve)
        columns = {"epoch": [float(epoch) for epoch in range(1, n + 1)], "loss": self.loss_curve}
        if self.validation_loss_curve and len(self.validation_loss_curve) == n:
            columns["val_loss"] = self.validation_loss_curve
        return columns


def _copied_into(view: Any, values: Any) -> Array:
    """Write values into the network's array, unless they are that array; return it."""
    if values is not view:
        array = np.asarray(values, dtype=view.dtype)
        if array.shape != view.shape:
            raise ShapeError(
                f"coefs_ and intercepts_ must keep their shapes: expected {view.shape}, got {array.shape}"
            )
        view[...] = array
    return view


class FitAttribute:
    """An attribute of an estimator, such as ``loss_``, whose value is ``loss`` in the record of its fit.

    Before a fit there is no such attribute. One that is set by hand begins a record.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.field = name, name.strip("_")

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        if estimator is None:
            return self
        try:
            return getattr(vars(estimator)["_fit_record"], self.field)
        except (KeyError, AttributeError):
            raise AttributeError(
                f"{type(estimator).__name__!r} object has no attribute {self.name!r}"
            ) from None

    def __set__(self, estimator: Any, value: Any) -> None:
        setattr(vars(estimator).setdefault("_fit_record", FitRecord()), self.field, value)

    def __delete__(self, estimator: Any) -> None:
        delattr(estimator._fit_record, self.field)

"""An estimator and its network: building it, keeping ``coefs_`` and the network one, samples to inputs."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import validate_data

from deltarule.arrays import Array, Scaled
from deltarule.errors import InputError, ShapeError
from deltarule.estimators.building import first_weights, make_network, standard_scaling
from deltarule.estimators.parameters import Parameters
from deltarule.nn.engines import engine_to_predict
from deltarule.nn.engines.contract import Samples
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network

__all__ = ["Held", "Networked"]


@dataclass(frozen=True, eq=False)
class Held:
    """Samples that training does not see: as the user gave them, and as the network takes them."""

    X: Any
    y: Any
    weight: Array | None
    samples: Samples


class Networked(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What the estimators share of their network; what differs is in the classes below."""

    #: What presets leave alone.
    not_preset: ClassVar[tuple[str, ...]] = ()

    coefs_: list[Any]
    intercepts_: list[Any]
    network_: Network
    n_outputs_: int

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Every parameter of ``__init__`` as the attribute of its name."""
        for name, value in parameters.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    # ------------------------------------------------------------------ what differs below

    @abstractmethod
    def _learn_targets(self, p: Parameters, y: Any, sample_weight: Array | None) -> None:
        """Which classes there are, or in which units the network works."""

    def _learn_all_classes(self, y: Any, classes: Any) -> None:
        """The classes that the first call of ``partial_fit`` names."""

    @abstractmethod
    def _encode(self, X: Any, y: Any) -> Array:
        """Targets as the network takes them, (n_samples, n_outputs)."""

    def _check_again(self, y: Any) -> None:
        """Refuse targets that a warm start cannot go on with."""

    @abstractmethod
    def _loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        """The loss, and the activation of the outputs."""

    @abstractmethod
    def _answers(self, outputs: Array) -> Array:
        """What ``predict`` says, from the network's outputs (n_samples, n_outputs)."""

    def _score_of(self, outputs: Array, held: Held) -> float:
        """How good outputs for held-out samples are, R² or the accuracy; NaN where they are not finite."""
        if not np.isfinite(outputs).all():
            return math.nan
        return float(r2_score(held.samples.y, outputs, sample_weight=held.weight))

    @abstractmethod
    def _target_encoding(self) -> Any:
        """How the network's outputs become answers, for files that leave scikit-learn."""

    def _weights(self, p: Parameters, y: Any, sample_weight: Array | None) -> Array | None:
        """What each sample counts."""
        return sample_weight

    def _smoothed(self, p: Parameters, Y: Array) -> Array:
        """The targets that training goes towards."""
        return Y

    def _strata(self, Y: Array) -> Array | None:
        """What a division keeps the shares of."""
        return None

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )

    # ------------------------------------------------------------------ the network

    def _build(self, p: Parameters, X: Any, Y: Array, weight: Array | None, random_state: Any) -> None:
        """A network that has learnt nothing yet, and empty books; weights that are there already stay."""
        net = make_network(p, X.shape[1], Y.shape[1], *self._loss_and_output(p), dtype=str(X.dtype))
        self.network_ = net
        self._scaling = standard_scaling(X, weight) if p.standardize else None
        if not hasattr(self, "coefs_"):
            self.coefs_, self.intercepts_ = first_weights(p, net, random_state)
        self._linked()
        self._open_books(p)

    def _open_books(self, p: Parameters) -> None:
        net = self.network_
        self.n_layers_ = len(net.layers) + 1
        self.n_outputs_ = net.sizes[-1]
        self.out_activation_ = {"sigmoid": "logistic"}.get(
            net.objective.output.name, net.objective.output.name
        )
        self.n_iter_ = self.t_ = self._no_improvement_count = self._updates = 0
        self.loss_curve_: list[float] = []
        self.validation_loss_curve_: list[float] | None = None
        self.loss_: float = math.inf
        self.best_loss_: float | None = None if p.early_stopping else math.inf
        self.validation_scores_: list[float] | None = None
        self.best_validation_score_: float | None = None
        self.should_stop_ = False
        self.engine_ = "reference"
        self._transformed_layer: int | None = None
        self._slots: Array | None = None
        self._best_parameters: Array | None = None

    def _linked(self) -> Network:
        """The network, with what ``coefs_`` and ``intercepts_`` hold now: they may have been replaced."""
        net = self.network_
        if not len(self.coefs_) == len(self.intercepts_) == len(net.layers):
            raise ShapeError(
                f"coefs_ and intercepts_ must have an array for each of {len(net.layers)} layers"
            )
        for index, layer in enumerate(net.layers):
            self.coefs_[index] = _put(self.coefs_[index], layer.W)
            self.intercepts_[index] = _put(self.intercepts_[index], layer.b)
        return net

    # ------------------------------------------------------------------ samples

    def _inputs(self, X: Any) -> Array | Scaled:
        """Validated rows as the network takes them: scaled where that is wished."""
        return self.network_.inputs(X if self._scaling is None else Scaled(X, *self._scaling))

    def _samples(self, X: Any, Y: Array, weight: Array | None) -> Samples:
        net = self.network_
        return Samples(self._inputs(X), *net.targets(Y.astype(net.dtype), weight, X.shape[0]))

    def _new_inputs(self, X: Any) -> Array | Scaled:
        """New rows as the network takes them."""
        try:
            return self._inputs(X if self._is_plain(X) else self._rows(X))
        except InputError as error:  # an array that fits can only hold this
            raise InputError(f"Input X contains NaN or infinity: {error}") from None

    def _is_plain(self, X: Any) -> bool:
        """Whether it is an array of numbers as it should be, so that scikit-learn need not look at it."""
        plain = type(X) is np.ndarray and X.dtype in (np.float64, np.float32) and X.ndim == 2
        fits = plain and X.shape[0] > 0 and X.shape[1] == self.n_features_in_
        return fits and not hasattr(self, "feature_names_in_")

    def _rows(self, X: Any) -> Any:
        """New rows as an array or CSR; whether they are finite, the network looks."""
        return validate_data(
            self, X, accept_sparse="csr", dtype=(np.float64, np.float32), ensure_all_finite=False, reset=False
        )

    def _outputs(self, x: Array | Scaled) -> Array:
        """What the network gives, (n_samples, n_outputs)."""
        compiled = self.engine_ == "compiled" and find_spec("numba") is not None
        net = self._linked()
        return engine_to_predict("compiled" if compiled else "reference", net).predict(net, x)


def _put(values: Any, view: Any) -> Array:
    """The numbers into the network's own view, unless they are there already; the view."""
    if values is not view:
        array = np.asarray(values, dtype=view.dtype)
        if array.shape != view.shape:
            raise ShapeError(
                f"coefs_ and intercepts_ must keep their shapes: expected {view.shape}, got {array.shape}"
            )
        view[...] = array
    return view

"""The autoencoder: a network that reproduces its input through a narrow layer, the code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted

from deltarule.arrays import Array
from deltarule.errors import InputError, ShapeError
from deltarule.estimators.base import BaseMLP, checked_data
from deltarule.estimators.building import standard_scaling
from deltarule.estimators.docstrings import documented_like
from deltarule.estimators.fitting import FitOptions
from deltarule.estimators.parameters import Parameters, hidden_sizes
from deltarule.estimators.regressor import MLPRegressor
from deltarule.estimators.targets import InputTargets
from deltarule.nn.engines.reference import outputs_of
from deltarule.training.run import Callback
from deltarule.training.settings import Checkpoint


@documented_like(MLPRegressor)
class MLPAutoencoder(BaseMLP):
    """A feedforward network trained to reproduce its input; ``transform`` gives its narrowest layer.

    Rumelhart, Hinton & Williams (1986); Hinton & Salakhutdinov (2006).

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        The number of neurons in each hidden layer; the narrowest layer (the first such layer) gives the code.
    loss : str, Loss or (callable, callable)
        "squared_error", "log_loss" for features between 0 and 1 (with sigmoid outputs), any of
        ``LOSSES``, or a pair of functions.
    standardize : bool
        Bring each feature to mean 0 and variance 1 first.
    …

    Attributes
    ----------
    …

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, _ = load_iris(return_X_y=True)
    >>> coder = MLPAutoencoder((2,), "tanh", preset="robust", random_state=0).fit(X)
    >>> coder.transform(X).shape, coder.inverse_transform(coder.transform(X)).shape
    ((150, 2), (150, 4))
    >>> coder.score(X) > 0.9
    True
    """

    not_preset = ("alpha",)  # a target without noise needs no shrinking weights

    def __init__(
        self, hidden_layer_sizes: Any = (32,), activation: Any = "relu", *, loss: Any = "squared_error",
        solver: Any = "adam", alpha: float = 0.0001, batch_size: Any = "auto",
        learning_rate: Any = "constant", learning_rate_init: float = 0.001, power_t: float = 0.5,
        max_iter: int = 200, shuffle: bool = True, random_state: Any = None, tol: float = 1e-4,
        verbose: bool = False, warm_start: bool = False, momentum: float = 0.9,
        nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
        beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 10,
        max_fun: int = 15000, dropout: Any = 0.0, clip_norm: float | None = None, initializer: Any = None,
        initial_weights: Any = None, scoring: Any = None, standardize: bool = False,
        preset: str | None = None, engine: str = "auto", progress: bool = False,
    ) -> None:  # fmt: skip
        self._keep(locals())

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: Any = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
        resume: bool = False,
    ) -> MLPAutoencoder:
        """Train the network to reproduce X.

        Parameters
        ----------
        X : array-like, (n_samples, n_features)
        y
            Not used.
        validation_data : array-like, (n_samples, n_features), optional
        sample_weight, callbacks, checkpoint, resume
            As in :meth:`MLPRegressor.fit`.

        Returns
        -------
        self
        """
        return super().fit(
            X, X, sample_weight, validation_data=_pair(validation_data), callbacks=callbacks,
            checkpoint=checkpoint, resume=resume,
        )  # fmt: skip

    @available_if(lambda self: self._goes_by_batches())  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, validation_data: Any = None
    ) -> MLPAutoencoder:
        """Go through some samples once, on from where training is; parameters as of :meth:`fit`."""
        options = FitOptions(_pair(validation_data), partial=True)
        return self._fit_or_restore(X, X, sample_weight, options)

    def inverse_transform(self, Z: Any) -> Array:
        """Reconstruct rows from their codes.

        Parameters
        ----------
        Z : array-like, (n_samples, n_code)
            As :meth:`transform` gives them.

        Returns
        -------
        ndarray, (n_samples, n_features)
        """
        check_is_fitted(self)
        record, code = self._fit_record, self._shown_layer()
        net = record.linked_network()
        Z = check_array(Z, dtype=net.dtype)
        if Z.shape[1] != net.sizes[code]:
            raise ShapeError(f"Z must have shape (n_samples, {net.sizes[code]}), got {Z.shape}")
        return record.targets.decode(outputs_of(net.layers[code:], Z))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R² of the reconstruction: 1 if it is X itself, 0 if it is no better than the means."""
        check_is_fitted(self)
        record = self._fit_record
        X = self._validated_rows(X)
        answers = record.targets.decode(record.outputs(record.inputs(X)))
        return float(r2_score(X, answers, sample_weight=sample_weight))

    def _shown_layer(self) -> int:
        return 1 + int(np.argmin(self.network_.sizes[1:-1]))

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X = checked_data(self, X, dtype=(np.float64, np.float32), reset=reset)
        return X, X

    def _validated_rows(self, X: Any) -> Any:
        return checked_data(self, X, dtype=(np.float64, np.float32), reset=False)

    def _targets_of(self, p: Parameters, y: Any, sample_weight: Array | None) -> InputTargets:
        if not hidden_sizes(p.hidden_layer_sizes):
            raise InputError("hidden_layer_sizes must name at least one layer, which holds the code, got []")
        return InputTargets(standard_scaling(y, sample_weight) if p.standardize else None)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _pair(data: Any) -> tuple[Any, Any] | None:
    """Validation data are their own targets."""
    return None if data is None else (data, data)

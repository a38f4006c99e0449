"""The regressor: numbers from rows of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from deltarule.arrays import Array, check_unmasked
from deltarule.data import Stream
from deltarule.estimators.base import BaseMLP, checked_data
from deltarule.estimators.building import standard_scaling
from deltarule.estimators.classifier import MLPClassifier
from deltarule.estimators.docstrings import documented_like
from deltarule.estimators.fitting import FitOptions
from deltarule.estimators.parameters import Parameters
from deltarule.estimators.targets import NumberTargets


@documented_like(MLPClassifier)
class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A feedforward network that predicts numbers for each row; scikit-learn's parameters, and more.

    Parameters
    ----------
    loss : str, Loss or (callable, callable)
        "squared_error" (divided by 2), "poisson" (with outputs e^z), "absolute_error", "huber", "huber(0.5)",
        "quantile(0.9)", any of ``LOSSES``, or a pair of functions of outputs and targets: terms, derivative.
    scoring : str or callable, optional
        Any scorer for early stopping; by default R².
    standardize : bool
        Bring each feature, and each target, to mean 0 and variance 1 first (for Poisson the features only).
    …

    Attributes
    ----------
    …

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = MLPRegressor(hidden_layer_sizes=(20,), preset="robust", random_state=0).fit(X, y)
    >>> reg.score(X, y) > 0.5
    True
    """

    def __init__(
        self, loss: Any = "squared_error", hidden_layer_sizes: Any = (100,), activation: Any = "relu", *,
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

    @available_if(lambda self: self._goes_by_batches())  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: tuple[Any, ...] | None = None,
    ) -> MLPRegressor:
        """Go through some samples once, on from where training is.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; or a stream (:func:`deltarule.data.stream`) instead of X and y, all of
            which is gone through once, some thousand rows at a time.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored afterwards. With ``early_stopping=True``, when the score has not improved for
            ``n_iter_no_change`` calls, ``should_stop_`` is True and the best weights are back.

        Returns
        -------
        self
        """
        if isinstance(X, Stream):
            return self._fit_stream(X, y, sample_weight, validation_data=validation_data)
        options = FitOptions(validation_data, partial=True)
        return self._fit_or_restore(X, y, sample_weight, options)

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return checked_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=True,
            dtype=(np.float64, np.float32), reset=reset,
        )  # fmt: skip

    def _targets_of(self, p: Parameters, y: Any, sample_weight: Array | None) -> NumberTargets:
        scaled = p.standardize and p.loss != "poisson"
        return NumberTargets(standard_scaling(y.reshape(len(y), -1), sample_weight) if scaled else None)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the R² of the numbers: 1 if all are right, 0 if the mean would do as well.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
        y : array-like, (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like, (n_samples,), optional

        Returns
        -------
        float
        """
        check_unmasked(y, "y")
        check_unmasked(sample_weight, "sample_weight")
        return float(super().score(X, y, sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

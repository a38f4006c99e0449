"""What all estimators are: something that is fitted, can be looked into, and answers."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from deltarule.arrays import Array
from deltarule.estimators.fitting import Fitting
from deltarule.estimators.inspection import Looking

__all__ = ["BaseMLP"]


class BaseMLP(Fitting, Looking):
    """A network behind scikit-learn's interface."""

    def predict(self, X: Any) -> Array:
        """The answer for each row.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)

        Returns
        -------
        ndarray, (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self, "coefs_")
        return self._answers(self._outputs(self._new_inputs(X)))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

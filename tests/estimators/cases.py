"""Small data of every kind, and estimators that learn them in no time."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from deltarule.estimators import MLPAutoencoder, MLPClassifier, MLPRegressor

N = 120
rng = np.random.default_rng(0)
X = rng.normal(size=(N, 5))
WEIGHT = rng.uniform(0.2, 3, N)

_score = X[:, 0] + np.sin(2 * X[:, 1]) + 0.2 * rng.normal(size=N)
BINARY = (_score > 0.3).astype(int)
CLASSES = np.digitize(_score, [-0.7, 0.5])
LABELS = np.column_stack([BINARY, X[:, 2] > 0, X[:, 3] > 0.5]).astype(int)
NUMBERS = _score
COLUMNS = np.column_stack([_score, X[:, 2] * X[:, 3]])
COUNTS = np.random.default_rng(1).poisson(np.exp(0.5 * _score)).astype(float)

#: Targets by what they are; which estimator is for them.
TARGETS = {
    "binary": BINARY,
    "classes": CLASSES,
    "labels": LABELS,
    "numbers": NUMBERS,
    "columns": COLUMNS,
    "counts": COUNTS,
}
ESTIMATORS = [MLPClassifier, MLPRegressor, MLPAutoencoder]


def is_classification(kind):
    return kind in ("binary", "classes", "labels")


def target_for(Estimator):
    """Targets that the estimator takes; the autoencoder takes none."""
    return {MLPClassifier: CLASSES, MLPRegressor: NUMBERS, MLPAutoencoder: None}[Estimator]


def small(Estimator=MLPClassifier, **parameters):
    """An estimator that trains for an instant."""
    defaults = {"hidden_layer_sizes": (4,), "max_iter": 6, "random_state": 0}
    return Estimator(**(defaults | parameters))


def fitted(estimator, *data, **options):
    """Fitted without the word that a few epochs are not enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*data, **options)


def numbers_of(estimator):
    """All weights and intercepts in one vector, a copy."""
    return np.concatenate([np.ravel(part) for part in [*estimator.coefs_, *estimator.intercepts_]])

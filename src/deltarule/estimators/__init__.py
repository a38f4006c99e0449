"""Estimators: networks behind scikit-learn's interface, with its parameters and more.

Reading order: classifier, regressor, autoencoder, docstrings, base, parameters, building, targets,
fit_record, solvers, stopping, fitting, inspection.
"""

from __future__ import annotations

from deltarule.registry import import_extra

import_extra("sklearn", "sklearn")

from deltarule.estimators.autoencoder import MLPAutoencoder  # noqa: E402
from deltarule.estimators.classifier import MLPClassifier  # noqa: E402
from deltarule.estimators.regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPAutoencoder", "MLPClassifier", "MLPRegressor"]

"""What the contract tests run over: everything registered, and data that fits any loss."""

from __future__ import annotations

import numpy as np

from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES

__all__ = ["LOSS_NAMES", "NAMES", "PAIRS", "as_probabilities", "problem"]

NAMES = ["leaky_relu(0.2)" if name == "leaky_relu" else name for name in ACTIVATIONS]
LOSS_NAMES = list(LOSSES)
#: Every (output activation, loss) that fit together.
PAIRS = [
    (output, loss)
    for output in NAMES
    for loss in LOSS_NAMES
    if LOSSES.resolve(loss).accepts(ACTIVATIONS.resolve(output))
]


def as_probabilities(numbers):
    """Rows that sum to 1: targets that every loss takes."""
    positive = np.abs(numbers) + 0.1
    return positive / positive.sum(axis=1, keepdims=True)


def problem(n_samples, n_features, n_outputs, seed=0):
    """``X``, ``Y`` and sample weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    return X, as_probabilities(rng.normal(size=(n_samples, n_outputs))), rng.uniform(0.5, 2, n_samples)

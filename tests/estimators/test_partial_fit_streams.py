"""``partial_fit`` with a stream goes through it once, as a loop over its batches would."""

from __future__ import annotations

import numpy as np

from deltarule import MLPClassifier, MLPRegressor
from deltarule.data import stream

rng = np.random.default_rng(0)
X = rng.standard_normal((300, 4))


def test_a_classifier_goes_through_a_stream():
    y = np.where(X[:, 0] > 0, "up", "down")
    rows = stream(X, y, scale="standard", window=100)
    ours, loop = (MLPClassifier((5,), random_state=0) for _ in range(2))
    ours.partial_fit(rows)
    for part, answers in rows.batches():
        loop.partial_fit(part, answers, classes=rows.classes)
    assert all(np.array_equal(a, b) for a, b in zip(ours.coefs_, loop.coefs_, strict=True))
    assert ours.classes_.tolist() == ["down", "up"]


def test_a_regressor_goes_through_a_stream_again_and_again():
    ours = MLPRegressor(hidden_layer_sizes=(8,), learning_rate_init=0.05, random_state=0)
    rows = stream(X, X @ np.arange(4.0), scale="none")
    for _ in range(40):
        ours.partial_fit(rows)
    assert ours.score(X, X @ np.arange(4.0)) > 0.9

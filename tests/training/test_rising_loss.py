"""A loss that keeps rising is divergence, long before it is not finite."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import Network, train
from deltarule.errors import DivergenceError


def test_a_loss_that_only_rises_ends_with_the_epoch_and_the_parameters_before_it() -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    net = Network([3, 1], output="identity", seed=0)
    with pytest.raises(DivergenceError, match="keeps rising") as caught:
        train(net, X, X[:, :1], epochs=1_000, optimizer="sgd(1.5)", batch_size=None)
    assert f"in epoch {caught.value.epoch}" in str(caught.value)
    assert np.isfinite(net.parameters).all()
    again = Network([3, 1], output="identity", seed=0)
    history = train(again, X, X[:, :1], epochs=caught.value.epoch - 1, optimizer="sgd(1.5)", batch_size=None)
    assert history["loss"][-1] < 1e7

"""Every initializer: shape, mean, spread, and the same draw for the same seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from deltarule.errors import InputError
from deltarule.nn.initializers import INITIALIZERS
from deltarule.nn.network import Network

N_IN, N_OUT = 300, 200
#: mean, standard deviation, distribution around it
KNOWN = {
    "constant(0.25)": (0.25, 0, None),
    "zeros": (0, 0, None),
    "uniform": (0.5, 1 / math.sqrt(12), "uniform"),
    "uniform(-2, 1)": (-0.5, 3 / math.sqrt(12), "uniform"),
    "normal": (0, 1, "norm"),
    "normal(0.01)": (0, 0.01, "norm"),
    "xavier_uniform": (0, math.sqrt(2 / 500), "uniform"),
    "xavier_normal": (0, math.sqrt(2 / 500), "norm"),
    "he_uniform": (0, math.sqrt(2 / 300), "uniform"),
    "he_normal": (0, math.sqrt(2 / 300), "norm"),
    "lecun_uniform": (0, math.sqrt(1 / 300), "uniform"),
    "lecun_normal": (0, math.sqrt(1 / 300), "norm"),
}


def test_every_initializer_is_known_here():
    assert {name.partition("(")[0] for name in KNOWN} == set(INITIALIZERS)


@pytest.mark.parametrize("name", KNOWN)
def test_weights_have_the_distribution_that_the_name_promises(name):
    mean, spread, family = KNOWN[name]
    W = INITIALIZERS.resolve(name).draw(np.random.default_rng(0), N_IN, N_OUT)
    assert W.shape == (N_IN, N_OUT)
    assert W.dtype == np.float64
    if family is None:
        np.testing.assert_array_equal(W, mean)
        return
    assert abs(W.mean() - mean) < 4 * spread / math.sqrt(W.size)
    kurtosis = {"uniform": 1.8, "norm": 3.0}[family]
    assert abs(W.var() / spread**2 - 1) < 4 * math.sqrt((kurtosis - 1) / W.size)
    half = spread * math.sqrt(3)
    parameters = (mean, spread) if family == "norm" else (mean - half, 2 * half)
    expected = getattr(stats, family)(*parameters)
    assert stats.kstest(W.ravel(), expected.cdf).pvalue > 1e-3
    if family == "uniform":
        assert abs(W - mean).max() <= half


@pytest.mark.parametrize("name", KNOWN)
def test_name_makes_the_same_initializer_again(name):
    initializer = INITIALIZERS.resolve(name)
    again = INITIALIZERS.resolve(initializer.name)
    assert again.name == initializer.name
    assert initializer.formula.startswith("W ")
    drawn = [one.draw(np.random.default_rng(5), 3, 2) for one in (initializer, again)]
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("name", KNOWN)
def test_seed_means_the_same_weights_in_both_precisions(name):
    wide, narrow = (
        Network([4, 5, 2], initializer=name, bias_initializer="normal", seed=3, dtype=dtype)
        for dtype in ("float64", "float32")
    )
    np.testing.assert_array_equal(wide.parameters.astype("float32"), narrow.parameters)
    assert narrow.parameters.dtype == np.float32


def test_seed_means_the_same_weights_and_another_seed_others():
    first, again, other = (Network([4, 5, 2], seed=seed).parameters for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    drawn = [Network([4, 5, 2], seed=None).parameters for _ in range(2)]
    assert not np.array_equal(*drawn)


def test_numpys_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    Network([4, 5, 2], seed=None, bias_initializer="normal")
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("activation", ["relu", "elu", "gelu", "tanh", "sigmoid", "identity"])
def test_weights_are_drawn_as_the_activation_needs_where_nothing_is_said(activation):
    dense = Network([400, 300, 1], activation=activation).layers[0]
    rectifies = activation in ("relu", "elu", "gelu")
    assert dense.W.var() == pytest.approx(2 / 400 if rectifies else 2 / 700, rel=0.02)
    assert not dense.b.any()


@pytest.mark.parametrize(
    "spec", ["constant", "constant('a')", "normal(nan)", "uniform(1, 2, 3)", "uniform(None)"]
)
def test_initializer_that_makes_no_sense_is_refused(spec):
    with pytest.raises(InputError, match="initializer"):
        INITIALIZERS.resolve(spec)


def test_first_weights_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="the initial weights as float32 must hold finite numbers"):
        Network([2, 2], initializer="constant(1e300)", dtype="float32")

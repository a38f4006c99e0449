"""Every activation: derivative, range, softmax, extreme logits."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import special

from deltarule.formula.tree import Symbol
from deltarule.nn.activations import ACTIVATIONS, Activation, log_softmax, softplus
from deltarule.nn.losses import LOSSES
from deltarule.nn.network import Network

from .cases import NAMES, PAIRS

EXTREME = [-1e4, -745.0, -104.0, -20.0, 0.0, 20.0, 104.0, 745.0, 1e4]
WITNESSES = {
    "identity": lambda z: z,
    "sigmoid": special.expit,
    "tanh": lambda z: 2 * special.expit(2 * z) - 1,
    "relu": lambda z: (z + abs(z)) / 2,
    "leaky_relu(0.2)": lambda z: 0.6 * z + 0.4 * abs(z),
    "elu": lambda z: np.where(z > 0, z, special.expm1(z)),
    "gelu": lambda z: z * special.expit(2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)),
    "silu": lambda z: z * special.expit(z),
    "softplus": lambda z: np.logaddexp(0, z),
    "exp": lambda z: special.expm1(z) + 1,
    "softmax": lambda z: special.softmax(z, axis=-1),
}


@pytest.fixture(params=NAMES)
def activation(request):
    return ACTIVATIONS.resolve(request.param)


def test_values_are_those_of_an_independent_formula(activation):
    assert activation.name in WITNESSES, f"add an independent formula for {activation.name!r} to WITNESSES"
    z = np.linspace(-9, 9, 91).reshape(7, 13)
    np.testing.assert_allclose(activation.value(z), WITNESSES[activation.name](z), rtol=1e-12, atol=1e-14)


def test_derivative_is_the_complex_step_slope(activation):
    z = np.random.default_rng(0).normal(scale=3, size=(6, 4))
    derivative = activation.derivative(z, activation.value(z))
    if activation.pull_back is None:
        slopes = activation.value(z + 1e-30j).imag / 1e-30
    else:
        steps = 1e-30j * np.eye(z.shape[1])
        slopes = np.stack([activation.value(z + step).imag / 1e-30 for step in steps], axis=-1)
    np.testing.assert_allclose(derivative, slopes, rtol=1e-12, atol=1e-14)


def test_values_stay_in_the_range_and_reach_for_its_ends(activation):
    z = np.linspace(-40, 40, 4001)[:, None] * [1, 0]
    low, high = activation.range
    a = activation.value(z)
    assert low <= a.min()
    assert a.max() <= high
    if np.isfinite(low):
        assert a.min() == pytest.approx(low, abs=1e-4)
    if np.isfinite(high):
        assert a.max() == pytest.approx(high, abs=1e-4)


def test_derivative_jumps_at_the_kinks_and_nowhere_else(activation):
    if activation.pull_back is not None:
        return
    near, step = np.arange(-3, 3.1, 1.0), 1e-9
    left, right = (activation.derivative(z, activation.value(z)) for z in (near - step, near + step))
    jumps = near[abs(right - left) > 1e-6]
    assert tuple(jumps) == activation.kinks


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept_and_the_argument_is_not_modified(activation, dtype):
    z = np.array([[-1.5, 0.0, 2.0]], dtype)
    before = z.copy()
    a = activation.value(z)
    assert a.dtype == activation.derivative(z, a).dtype == activation.delta(a, z, a).dtype == z.dtype
    np.testing.assert_array_equal(z, before)


def test_printed_formulas_give_the_values(activation):
    z = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])
    a = activation.value(z)
    if activation.name == "softmax":  # written with indices: see the derivations' tests
        assert str(activation.formula) == "e^zₖ/(Σⱼ e^zⱼ)"
        return
    worth = {Symbol("z"): z, Symbol("a"): a}.__getitem__
    np.testing.assert_allclose(activation.formula.value(worth), a, rtol=1e-14, atol=1e-15)
    slope = np.broadcast_to(activation.derivative_formula.value(worth), z.shape)
    np.testing.assert_allclose(slope, activation.derivative(z, a), rtol=1e-14, atol=1e-15)


def test_a_formula_given_as_text_stays_text():
    cube = Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "f(z) = z³", "f′(z) = 3z²")
    assert str(cube.formula) == "f(z) = z³"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_logits_give_finite_values_in_silence(activation, dtype):
    edge = float(np.finfo(dtype).max) / 4
    z = np.array([[*EXTREME, -edge, edge], [-1e30, 1e30, *EXTREME]], dtype)
    with np.errstate(all="raise"):
        a = activation.value(z)
        assert np.isfinite(a).all()
        assert np.isfinite(activation.derivative(z, a)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_extreme_logits_give_finite_cost_and_gradient_in_silence(output, loss, dtype):
    first, second = np.meshgrid(EXTREME, EXTREME)
    X = np.stack([first.ravel(), second.ravel()], axis=1).astype(dtype)
    net = Network([2, 2], output=output, loss=loss, dtype=dtype, bias=False)
    net.set_weights([np.eye(2)])
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for Y in (np.tile([0.0, 1.0], (81, 1)), np.tile([0.5, 0.5], (81, 1))):
            trace = net.forward(X)
            assert np.isfinite(trace.output).all()
            assert np.isfinite(net.cost(X, Y))
            assert np.isfinite(net.backward(trace, Y).flat).all()


@pytest.mark.parametrize("hidden", NAMES)
def test_extreme_hidden_inputs_give_finite_cost_and_gradient_in_silence(hidden):
    for dtype in ("float32", "float64"):
        net = Network([1, 3, 2], activation=hidden, output="softmax", dtype=dtype)
        X = np.array(EXTREME, dtype)[:, None]
        with np.errstate(all="raise"):
            assert np.isfinite(net.cost(X, np.zeros(9, int)))
            assert np.isfinite(net.backward(net.forward(X), np.zeros(9, int)).flat).all()


def test_saturated_cross_entropy_is_the_logit_itself():
    net = Network([2, 2], output="softmax", bias=False)
    net.set_weights([np.eye(2)])
    assert net.cost([[1e4, 0.0]], [1]) == 1e4
    net = Network([1, 1], output="sigmoid", bias=False)
    net.set_weights([[[1.0]]])
    assert net.cost([[1e4]], [0]) == 1e4
    assert net.cost([[-1e4]], [1]) == 1e4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_rows_sum_to_1_and_do_not_change_with_a_shift(dtype):
    softmax = ACTIVATIONS.resolve("softmax").value
    rng = np.random.default_rng(0)
    z = (10.0 ** rng.integers(-3, 4, (50, 1)) * rng.normal(size=(50, 7))).astype(dtype)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(softmax(z).sum(axis=1), 1, atol=8 * eps)
    whole = np.rint(z)
    np.testing.assert_allclose(softmax(whole + 512), softmax(whole), rtol=0, atol=8 * eps)
    np.testing.assert_array_equal(softmax(z[:3]), softmax(z)[:3])


def test_log_probabilities_are_finite_where_the_probability_is_0():
    softmax = ACTIVATIONS.resolve("softmax").value
    z = np.array([[0.0, 2000.0, -1e4]])
    assert softmax(z)[0, 0] == 0
    np.testing.assert_array_equal(log_softmax(z, softmax(z)), [[-2000.0, 0.0, -12000.0]])
    for smaller in (z / 300, z / 30_000):  # one probability is 1e-18 in the first, none is in the second
        found = log_softmax(smaller, softmax(smaller))
        np.testing.assert_allclose(found, special.log_softmax(smaller, axis=1), rtol=1e-14)


def test_softplus_is_exact_at_both_ends():
    np.testing.assert_array_equal(softplus(np.array([-1e4, 1e4])), [0, 1e4])
    assert softplus(np.array([-40.0]))[0] == pytest.approx(np.exp(-40), rel=1e-15)


def test_softmax_pull_back_is_the_product_with_the_jacobian():
    softmax = ACTIVATIONS.resolve("softmax")
    rng = np.random.default_rng(1)
    z, da = rng.normal(size=(2, 9, 5))
    a = softmax.value(z)
    expected = np.einsum("nkj,nk->nj", softmax.derivative(z, a), da)
    np.testing.assert_allclose(softmax.delta(da, z, a), expected, rtol=1e-13, atol=1e-16)


def test_loss_that_needs_probabilities_refuses_an_output_that_gives_others():
    with pytest.raises(ValueError, match=r"'cross_entropy' needs outputs between 0 and 1, but output 'tanh'"):
        Network([2, 2], output="tanh", loss="cross_entropy")
    assert ("tanh", "cross_entropy") not in PAIRS
    assert not LOSSES.resolve("poisson").accepts(Activation("x", abs, abs, "", "", range=(-1, 1)))

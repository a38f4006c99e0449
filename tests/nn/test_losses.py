"""Every loss: values, derivative, targets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from deltarule.errors import InputError, ShapeError
from deltarule.formula.tree import Symbol
from deltarule.nn.losses import LOSSES, as_targets
from deltarule.nn.network import Network
from deltarule.nn.objective import Objective

from .cases import LOSS_NAMES, problem

WITNESSES = {
    "half_squared_error": lambda a, y: 0.5 * ((a - y) ** 2).sum(axis=1),
    "squared_error": lambda a, y: np.linalg.norm(a - y, axis=1) ** 2,
    "mean_squared_error": lambda a, y: ((a - y) ** 2).mean(axis=1),
    "mean_absolute_error": lambda a, y: np.abs(a - y).mean(axis=1),
    "huber": lambda a, y: special.huber(1.0, a - y).sum(axis=1),
    "quantile": lambda a, y: (np.abs(a - y) / 2).sum(axis=1),
    "binary_cross_entropy": lambda a, y: -(special.xlogy(y, a) + special.xlog1py(1 - y, -a)).sum(axis=1),
    "cross_entropy": lambda a, y: -special.xlogy(y, a).sum(axis=1),
    "poisson": lambda a, y: (a - special.xlogy(y, a)).sum(axis=1),
}


@pytest.fixture(params=LOSS_NAMES)
def loss(request):
    return LOSSES.resolve(request.param)


@pytest.fixture
def outputs_and_targets(loss):
    a = np.random.default_rng(0).uniform(0.05, 0.95, (6, 3))
    return a + (2 * np.arange(6)[:, None] if loss.domain[0] < 0 else 0), problem(6, 1, 3)[1]


def test_terms_sum_to_an_independent_formula(loss, outputs_and_targets):
    assert loss.name in WITNESSES, f"add an independent formula for {loss.name!r} to WITNESSES"
    a, y = outputs_and_targets
    np.testing.assert_allclose(loss.terms(a, y).sum(axis=1), WITNESSES[loss.name](a, y), rtol=1e-13)


def test_derivative_is_the_complex_step_slope(loss, outputs_and_targets):
    a, y = outputs_and_targets
    np.testing.assert_allclose(loss.derivative(a, y), loss.terms(a + 1e-30j, y).imag / 1e-30, rtol=1e-12)


def test_derivative_jumps_at_the_kinks_and_nowhere_else(loss):
    residuals = np.array([[-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]])
    y = np.full_like(residuals, 0.5)
    if loss.domain[0] == 0:
        residuals = residuals / 5
    left, right = (loss.derivative(y + residuals + step, y) for step in (-1e-9, 1e-9))
    assert tuple(residuals[abs(right - left) > 1e-6]) == loss.kinks


def test_printed_formulas_give_the_values(loss):
    a, y = np.array([[0.2, 0.9, 0.5]]), np.array([[0.75, 0.3, 1.0]])
    worth = {Symbol("a"): a, Symbol("y"): y, Symbol("K"): 3}.__getitem__
    np.testing.assert_allclose(loss.formula.value(worth), loss.terms(a, y), rtol=1e-14)
    np.testing.assert_allclose(loss.derivative_formula.value(worth), loss.derivative(a, y), rtol=1e-14)


def test_printed_formula_of_huber_holds_beyond_its_threshold():
    loss, a, y = LOSSES.resolve("huber(0.5)"), np.array([[-2.0, 3.0, 0.1]]), np.zeros((1, 3))
    worth = {Symbol("a"): a, Symbol("y"): y}.__getitem__
    np.testing.assert_allclose(loss.formula.value(worth), loss.terms(a, y), rtol=1e-14)
    np.testing.assert_allclose(loss.derivative_formula.value(worth), loss.derivative(a, y), rtol=1e-14)


def test_poisson_is_the_log_likelihood_up_to_what_does_not_depend_on_the_output():
    a, y = np.array([[0.5, 2.0, 3.5]]), np.array([[0.0, 3.0, 2.0]])
    poisson = LOSSES.resolve("poisson").terms(a, y)
    expected = -stats.poisson.logpmf(y, a) - special.gammaln(y + 1)
    np.testing.assert_allclose(poisson, expected, rtol=1e-13)


def test_penalties_act_on_weights_alone_and_are_not_divided():
    X, Y, _ = problem(7, 2, 2)
    net = Network([2, 3, 2], bias_initializer="normal")
    plain = net.cost(X, Y)
    penalised = Network([2, 3, 2], l1=0.3, l2=0.5)
    penalised.parameters[:] = net.parameters
    W = np.concatenate([layer.W.ravel() for layer in net.layers])
    assert penalised.cost(X, Y) == pytest.approx(plain + 0.3 * abs(W).sum() + 0.25 * (W**2).sum(), rel=1e-14)


def test_reduction_is_the_mean_or_the_sum_over_samples():
    X, Y, weight = problem(7, 2, 2)
    mean, total = (Network([2, 2], reduction=reduction) for reduction in ("mean", "sum"))
    assert total.cost(X, Y) == pytest.approx(7 * mean.cost(X, Y), rel=1e-14)
    assert total.cost(X, Y, weight) == pytest.approx(weight.sum() * mean.cost(X, Y, weight), rel=1e-14)


def test_loss_that_belongs_to_the_output_is_the_default():
    losses = {output: Network([2, 2], output=output).loss.name for output in ("softmax", "sigmoid", "tanh")}
    assert losses == {
        "softmax": "cross_entropy",
        "sigmoid": "binary_cross_entropy",
        "tanh": "half_squared_error",
    }


def test_class_numbers_are_one_hot_targets():
    X = np.random.default_rng(0).normal(size=(4, 2))
    net = Network([2, 3], output="softmax")
    classes = np.array([2, 0, 1, 1])
    assert net.cost(X, classes) == net.cost(X, np.eye(3)[classes]) == net.cost(X, classes.astype(float))


def test_one_column_of_targets_may_be_flat_and_never_broadcasts():
    X = np.random.default_rng(0).normal(size=(4, 2))
    net = Network([2, 1])
    y = np.arange(4.0)
    assert net.cost(X, y) == net.cost(X, y[:, None])
    assert net.backward(net.forward(X), y)[0].delta.shape == (4, 1)
    two = Network([2, 2])
    for wrong in (y, y[:, None], y[None, :], np.ones((4, 1)), 1.0, np.ones((4, 2, 1)), np.ones((3, 2))):
        with pytest.raises(ShapeError, match=r"Y must have shape \(4, 2\)"):
            two.cost(X, wrong)
    with pytest.raises(ShapeError, match=r"Y must have shape \(4, 1\)"):
        net.cost(X, np.ones((1, 4)))


@pytest.mark.parametrize(
    ("loss", "Y", "message"),
    [
        ("cross_entropy", [0, 3], r"class numbers 0 to 2, got 3 at row 1"),
        ("cross_entropy", [-1, 0], r"class numbers 0 to 2, got -1 at row 0"),
        ("cross_entropy", [0.5, 0], r"class numbers 0 to 2, got 0.5 at row 0"),
        ("cross_entropy", [0, np.nan], r"finite numbers, got nan at row 1"),
        ("cross_entropy", [[0, 1, 0], [0, 1, 1]], r"sum to 1 in each row, got 2.0 at row 1"),
        ("cross_entropy", [[0, 2, -1], [0, 1, 0]], r"between 0 and 1, got 2 at row 0, column 1"),
        ("cross_entropy", ["a", "b"], r"must hold real numbers, got .*'a'.* at row 0"),
        ("binary_cross_entropy", [[0, 1, 0], [0, 1, 1.5]], r"between 0 and 1, got 1.5 at row 1, column 2"),
        ("poisson", [[0, 1, 0], [-1, 1, 0]], r"between 0 and inf, got -1 at row 1, column 0"),
        ("half_squared_error", [[0, 1, 0], [0, np.inf, 0]], r"finite numbers, got inf at row 1, column 1"),
    ],
)
def test_targets_outside_the_losses_range_are_refused_by_row_and_column(loss, Y, message):
    with pytest.raises(InputError, match=message):
        as_targets(LOSSES.resolve(loss), Y, 2, 3)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1], "zero or more"),
        ([0, 0], "not zero everywhere"),
        ([1, np.nan], "finite numbers, got nan at row 1"),
        ([1], r"shape \(2,\), got \(1,\)"),
        ([[1, 1]], r"shape \(2,\), got \(1, 2\)"),
        (["a", 1], "real numbers"),
    ],
)
def test_sample_weights_that_make_no_sense_are_refused(weight, message):
    with pytest.raises(InputError, match=message):
        Network([1, 1]).cost([[1.0], [2.0]], [1.0, 2.0], weight)


def test_batch_of_samples_that_all_weigh_0_moves_nothing():
    objective = Objective(LOSSES.resolve("squared_error"), Network([1, 1]).objective.output)
    np.testing.assert_array_equal(objective.shares(2, np.zeros((2, 1))), np.zeros((2, 1)))

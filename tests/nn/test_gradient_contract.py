"""Every activation with every loss that fits it: the gradient is the slope of the cost."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.engines import reference
from deltarule.nn.layers import BIAS_KINDS
from deltarule.nn.losses import LOSSES
from deltarule.nn.network import Network
from deltarule.nn.objective import FUSED, Objective

from .cases import NAMES, PAIRS, problem

CASES = json.loads((Path(__file__).parent / "gradients.json").read_text())["cases"]
AUTOGRAD = {
    "half_mse": ("identity", "mean_squared_error", 0.5),
    "softmax_ce": ("softmax", "cross_entropy", 1.0),
    "bce_logits": ("sigmoid", "binary_cross_entropy", 1.0),
}


def networks(output, loss, dtype="float64"):
    """Depths 1 to 3 by outputs 1 to 3, each with the next of the hidden activations and settings."""
    hidden = itertools.cycle(NAMES)
    settings = itertools.cycle(itertools.product(("mean", "sum"), (0.0, 0.1), (0.0, 0.3), BIAS_KINDS))
    start = PAIRS.index((output, loss))
    hidden, settings = itertools.islice(hidden, start, None), itertools.islice(settings, start, None, 5)
    for seed, (depth, n_outputs) in enumerate(itertools.product((1, 2, 3), (1, 2, 3))):
        reduction, l1, l2, bias = next(settings)
        yield Network(
            [3, *[4, 5][: depth - 1], n_outputs],
            activation=[next(hidden) for _ in range(depth - 1)],
            output=output,
            loss=loss,
            bias=bias,
            initializer="normal(0.7)",
            bias_initializer="normal(0.5)",
            reduction=reduction,
            l1=l1,
            l2=l2,
            dtype=dtype,
            seed=seed,
        )


def complex_slopes(net, X, Y, weight):
    twin = net.copy("complex128")
    slopes = np.empty(net.parameters.size)
    for position in range(net.parameters.size):
        twin.parameters[position] += 1e-30j
        trace = reference.forward(twin.layers, X)
        slopes[position] = reference.cost(twin.layers, twin.objective, trace, Y, weight).imag / 1e-30
        twin.parameters[position] = twin.parameters[position].real
    return slopes


def kink_signs(net, X, Y):
    """On which side of its kink every z, residual and weight lies."""
    trace = net.forward(X)
    zs = [step.z.ravel() for layer, step in zip(net.layers, trace, strict=True) if layer.activation.kinks]
    residuals = [(trace.output - Y).ravel()] if net.loss.kinks else []
    return np.sign(np.concatenate([*zs, *residuals, net.parameters]))


def differences(net, X, Y, weight, epsilon=1e-6):
    """Central differences, NaN for a parameter whose step crosses a kink."""
    net = net.copy("float64")
    slopes = np.empty(net.parameters.size)
    for position in range(net.parameters.size):
        here, costs, sides = net.parameters[position], [], []
        for there in (here - epsilon, here + epsilon):
            net.parameters[position] = there
            costs.append(net.cost(X, Y, weight))
            sides.append(kink_signs(net, X, Y))
        net.parameters[position] = here
        crossed = (sides[0] != sides[1]).any()
        slopes[position] = np.nan if crossed else (costs[1] - costs[0]) / (2 * epsilon)
    return slopes


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_gradient_is_the_complex_step_slope_of_the_cost_to_1e_12(output, loss):
    for net in networks(output, loss):
        X, Y, weight = problem(5, 3, net.sizes[-1])
        for w in (None, weight):
            gradient = net.backward(net.forward(X), Y, w).flat
            slopes = complex_slopes(net, X, Y, None if w is None else w[:, None])
            np.testing.assert_allclose(gradient, slopes, rtol=1e-12, atol=1e-12, err_msg=repr(net))


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_gradient_matches_central_differences(output, loss):
    for net in networks(output, loss):
        X, Y, weight = problem(5, 3, net.sizes[-1], seed=1)
        slopes = differences(net, X, Y, weight)
        away = ~np.isnan(slopes)
        assert away.mean() > 0.9
        gradient = net.backward(net.forward(X), Y, weight).flat
        scale = max(1.0, np.abs(gradient).max())
        assert np.abs(gradient - slopes)[away].max() < 1e-6 * scale, repr(net)


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_float32_gradient_matches_float64_differences(output, loss):
    for net in networks(output, loss, "float32"):
        X, Y, weight = (array.astype("float32") for array in problem(5, 3, net.sizes[-1], seed=2))
        slopes = differences(net, X, Y, weight)
        away = ~np.isnan(slopes)
        gradient = net.backward(net.forward(X), Y, weight).flat
        assert gradient.dtype == np.float32
        scale = max(1.0, np.abs(gradient).max())
        rounding = 1e-9 * net.cost(X, Y, weight)  # a float64's, over the step of 1e-6
        assert np.abs(gradient - slopes)[away].max() < 2e-3 * scale + rounding, repr(net)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['activation']}-{case['loss_kind']}")
def test_loss_and_gradient_are_those_of_automatic_differentiation(case):
    output, loss, factor = AUTOGRAD[case["loss_kind"]]
    X, Y = np.array(case["X"]), np.array(case["Y"])
    hidden = {"logistic": "sigmoid"}.get(case["activation"], case["activation"])
    l2 = case["l2"] / len(X) / factor
    net = Network(case["sizes"], activation=hidden, output=output, loss=loss, l2=l2)
    net.set_weights(case["W"], case["b"])
    trace = net.forward(X)
    assert factor * net.cost(X, Y) == pytest.approx(case["loss"], rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(trace[-1].z, case["output_logits"], rtol=1e-12, atol=1e-12)
    for grads, dW, db in zip(net.backward(trace, Y), case["dW"], case["db"], strict=True):
        np.testing.assert_allclose(factor * grads.dW, dW, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(factor * grads.db, db, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("output", "loss"), FUSED)
def test_fused_delta_and_terms_are_those_of_the_chain(output, loss):
    objective = Objective(LOSSES.resolve(loss), ACTIVATIONS.resolve(output))
    z = np.random.default_rng(3).normal(size=(7, 4))
    a, y = objective.output.value(z), problem(7, 1, 4)[1]
    chain = objective.output.delta(objective.loss.derivative(a, y), z, a)
    np.testing.assert_allclose(objective.sample_delta(z, a, y), chain, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(objective.terms(z, a, y), objective.loss.terms(a, y), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("bias", BIAS_KINDS)
def test_bias_gradient_is_the_sum_of_delta_for_each_bias_kind(bias):
    X, Y, _ = problem(6, 3, 2)
    net = Network([3, 4, 2], activation="tanh", bias=bias)
    for layer, grads in zip(net.layers, net.backward(net.forward(X), Y), strict=True):
        if bias == "none":
            assert layer.b is None
            assert grads.db is None
        elif bias == "shared":
            np.testing.assert_allclose(grads.db, [grads.delta.sum()], rtol=1e-14)
        else:
            np.testing.assert_allclose(grads.db, grads.delta.sum(axis=0), rtol=1e-14)


def test_gradient_with_dropout_is_the_slope_of_the_cost_under_the_same_mask():
    X, Y, _ = problem(6, 3, 2)
    net = Network([3, 5, 2], activation="tanh", dropout=[0.4, 0.5], initializer="normal(0.7)")

    def trace():
        return net.forward(X, np.random.default_rng(8))

    def cost():
        return float(reference.cost(net.layers, net.objective, trace(), Y))

    gradient = net.backward(trace(), Y).flat
    for position in range(net.parameters.size):
        here, costs = net.parameters[position], []
        for there in (here - 1e-6, here + 1e-6):
            net.parameters[position] = there
            costs.append(cost())
        net.parameters[position] = here
        assert gradient[position] == pytest.approx((costs[1] - costs[0]) / 2e-6, abs=1e-8)


def test_weight_of_two_counts_as_the_sample_twice():
    X, Y, _ = problem(4, 3, 2)
    twice = np.array([0, 0, 1, 2, 3])
    for reduction in ("mean", "sum"):
        net = Network([3, 4, 2], activation="tanh", reduction=reduction, l2=0.1)
        weight = [2.0, 1.0, 1.0, 1.0]
        assert net.cost(X, Y, weight) == pytest.approx(net.cost(X[twice], Y[twice]), rel=1e-14)
        weighted = net.backward(net.forward(X), Y, weight).flat
        repeated = net.backward(net.forward(X[twice]), Y[twice]).flat
        np.testing.assert_allclose(weighted, repeated, rtol=1e-12, atol=1e-15)


def test_flat_gradient_holds_the_gradients_of_the_layers():
    X, Y, _ = problem(4, 3, 2)
    net = Network([3, 4, 2], bias="shared")
    grads = net.backward(net.forward(X), Y)
    expected = np.concatenate([np.r_[g.dW.ravel(), g.db] for g in grads])
    np.testing.assert_array_equal(grads.flat, expected)
    assert np.shares_memory(grads[0].dW, grads.flat)

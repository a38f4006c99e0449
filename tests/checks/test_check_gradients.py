"""The gradient check: right gradients pass, planted mistakes fail by name, kinks are not accused."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.checks import GradientReport, check_gradients
from deltarule.errors import InputError, ShapeError
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.nn.layers import Dense
from deltarule.nn.losses import LOSSES, Loss
from deltarule.nn.network import Network
from nn.cases import LOSS_NAMES, PAIRS, problem

X, Y, WEIGHT = problem(5, 3, 2)


def network(**settings):
    return Network(
        [3, 4, 2],
        **{"activation": "tanh", "initializer": "normal(0.7)", "bias_initializer": "normal"} | settings,
    )


def gradient_of(net):
    return net.backward(net.forward(X), Y).flat


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_right_gradients_pass(output, loss):
    for dtype in ("float64", "float32"):
        net = network(output=output, loss=loss, l1=0.1, l2=0.2, bias="shared", dtype=dtype)
        report = check_gradients(net, X, Y, sample_weight=WEIGHT)
        assert report.passed, report
        assert report.method == "complex step"
        assert report.n_compared + len(report.kinks) == report.n_parameters == net.parameters.size
        assert report.error <= report.tolerance == (1e-6 if dtype == "float64" else 2e-3)


@pytest.mark.parametrize(
    "plant",
    [lambda g: g * 1.01, lambda g: -g, lambda g: 2 * g, lambda g: g * (1 + 1e-4), lambda g: g * 0],
    ids=["1 % off", "sign flipped", "factor 2", "0.01 % off", "zero"],
)
@pytest.mark.parametrize("name", ["W1[2,3]", "b1[0]", "W2[0,1]", "b2[1]"])
def test_one_wrong_entry_is_named_with_both_numbers(plant, name):
    net = network()
    gradient = gradient_of(net)
    place = net.select(name)
    right = gradient[place]
    gradient[place] = plant(right)
    report = check_gradients(net, X, Y, gradient=gradient)
    assert not report.passed
    assert (report.worst, report.wrong) == (name, (name,))
    assert report.backprop == gradient[place]
    assert report.numerical == pytest.approx(right, rel=1e-10)
    assert report.error == pytest.approx(
        abs(plant(right) - right) / max(abs(right), abs(plant(right))), rel=1e-6
    )
    for piece in ("FAILED", f"Worst: {name}", f"{report.backprop:.10g}", f"{report.numerical:.10g}"):
        assert piece in str(report)
    assert f"wrong for {name}. As ε shrinks" in report.verdict
    assert "same for every ε" in report.verdict


def test_ratio_of_the_two_numbers_is_told():
    net = network()
    assert "2 times that" in check_gradients(net, X, Y, gradient=2 * gradient_of(net)).verdict


@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("no f′ at all", lambda z, a: np.ones_like(z)),
        ("f for f′", lambda z, a: a),
        ("1 % off", lambda z, a: 1.01 * (1 - a**2)),
    ],
)
def test_wrong_derivative_of_an_activation_is_found_in_its_layer_alone(name, derivative):
    wrong = Activation(name, np.tanh, derivative, "f(z) = tanh(z)", "?")
    report = check_gradients(network(activation=wrong), X, Y)
    assert not report.passed
    assert len(report.wrong) == 16
    assert all(entry.startswith(("W1", "b1")) for entry in report.wrong)


def test_wrong_derivative_of_a_loss_is_found_everywhere():
    half = LOSSES.resolve("half_squared_error")
    wrong = Loss("wrong", half.terms, lambda a, y: 2 * (a - y), half.formula, "?")
    report = check_gradients(network(loss=wrong), X, Y)
    assert len(report.wrong) == report.n_parameters


def test_float32_gradient_with_a_1_percent_mistake_fails():
    net = network(dtype="float32")
    gradient = gradient_of(net)
    gradient[3] *= 1.01
    assert check_gradients(net, X, Y, gradient=gradient).wrong == (net.name_of(3),)
    assert "float32" in check_gradients(net, X, Y).verdict


def test_own_gradient_may_be_a_list():
    net = network()
    assert check_gradients(net, X, Y, gradient=gradient_of(net).tolist()).passed


def test_z_at_the_kink_of_a_relu_is_set_aside_and_not_accused():
    net = network(activation="relu")
    net.set_weights({"W1[0,2]": 0.0, "W1[1,2]": 0.0, "W1[2,2]": 0.0, "b1[2]": 0.0})
    report = check_gradients(net, X, Y)
    assert report.passed
    assert set(report.kinks) == {"W1[0,2]", "W1[1,2]", "W1[2,2]", "b1[2]"}
    told = " ".join(str(report).split())
    assert "Set aside, not counted as wrong: W1[0,2], W1[1,2], W1[2,2], b1[2]." in told


def test_kink_within_the_greater_steps_only_leaves_the_smaller_ones():
    net = Network([1, 1, 1], activation="relu", initializer="constant(1)")
    net.set_weights({"b1": -0.5 + 3e-5})
    report = check_gradients(net, [[0.5]], [[2.0]])
    assert report.passed
    assert not report.kinks
    crossed = np.isnan(report.sweep)
    assert crossed[0] or report.worst.endswith("2[0]")
    assert not crossed[-1]
    if crossed.any():
        assert "across a kink" in str(report)


@pytest.mark.parametrize(
    ("settings", "kinks"),
    [({"l1": 0.1}, {"W1[0,0]"}), ({"loss": "mean_absolute_error"}, {"b1[0]", "W1[0,0]", "W1[1,0]"})],
    ids=["weight at 0 under l1", "output at its target"],
)
def test_kinks_of_penalty_and_loss_are_recognised(settings, kinks):
    net = Network([2, 1], initializer="zeros", **settings)
    net.set_weights({"W1[1,0]": 0.5})
    report = check_gradients(net, [[1.0, 2.0]], [1.0])
    assert set(report.kinks) == kinks


def test_nothing_compared_is_not_a_pass():
    net = Network([2, 3, 1], activation="relu", initializer="zeros", l1=0.1, bias=False)
    report = check_gradients(net, [[1.0, 2.0]], [1.0])
    assert not report.passed
    assert (report.n_compared, report.worst) == (0, "")
    assert np.isnan(report.error)
    assert "Nothing could be compared." in str(report)


REAL_ONLY = {
    "not analytic": Activation("|z|z", lambda z: np.abs(z) * z, lambda z, a: 2 * np.abs(z), "", ""),
    "drops the imaginary part": Activation("real", lambda z: np.sin(z.real), lambda z, a: np.cos(z), "", ""),
    "raises": Activation("raises", lambda z: np.hypot(z, 1), lambda z, a: z / a, "", ""),
}


@pytest.mark.parametrize("reason", REAL_ONLY)
def test_function_that_takes_no_complex_numbers_is_checked_by_differences(reason):
    report = check_gradients(network(activation=REAL_ONLY[reason]), X, Y)
    assert report.passed, report
    assert report.method == "central difference"
    gradient = gradient_of(network(activation=REAL_ONLY[reason]))
    gradient[5] *= 1.01
    failed = check_gradients(network(activation=REAL_ONLY[reason]), X, Y, gradient=gradient)
    assert len(failed.wrong) == 1
    assert "settle at" in failed.verdict


def test_cost_that_jumps_accuses_nobody():
    stairs = Activation("stairs", lambda z: np.round(z * 1e5) / 1e5, lambda z, a: np.ones_like(z), "", "")
    report = check_gradients(network(activation=stairs), X, Y)
    assert not report.passed
    assert "cannot tell" in report.verdict


def test_error_of_the_differences_falls_like_epsilon_squared_then_rounding_takes_over():
    report = check_gradients(network(), X, Y)
    assert report.sweep[1] == pytest.approx(report.sweep[0] / 100, rel=0.1)
    assert report.sweep[-1] > 3 * min(report.sweep)
    assert "falls like ε² down to ε = 1e-0" in report.verdict


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_network_at_its_minimum_passes_although_its_gradient_is_only_rounding(loss):
    for dtype in ("float64", "float32"):
        output = "softmax" if LOSSES.resolve(loss).distribution else "sigmoid"
        net = Network([2, 2], output=output, loss=loss, dtype=dtype)
        x = np.array([[1.0, 0.0], [0.0, 1.0]])
        report = check_gradients(net, x, net.predict(x).astype(float))
        if net.loss.kinks:
            assert report.n_compared == 0
        else:
            assert report.passed, report


def test_frozen_parameters_are_checked_too():
    net = network()
    net.freeze("W")
    gradient = gradient_of(net)
    gradient[0] += 1
    assert check_gradients(net, X, Y, gradient=gradient).wrong == ("W1[0,0]",)


def test_large_network_is_sampled_in_every_layer_and_always_alike():
    net = Network([30, 40, 20, 5], activation="tanh", output="softmax")
    x, y, _ = problem(3, 30, 5)
    gradient = net.backward(net.forward(x), y).flat * 2
    report = check_gradients(net, x, y, gradient=gradient, limit=60)
    assert 50 <= report.n_compared <= 60
    assert {name[:2] for name in report.wrong} == {"W1", "b1", "W2", "b2", "W3", "b3"}
    assert report == check_gradients(net, x, y, gradient=gradient, limit=60)
    assert "only a sample was checked" in report.verdict


def test_dropout_is_off_and_the_network_unchanged():
    net = network(dropout=0.5)
    before = net.parameters.copy()
    assert check_gradients(net, X, Y).passed
    np.testing.assert_array_equal(net.parameters, before)


def test_class_numbers_and_layers_of_all_kinds_are_taken():
    net = Network([Dense(3, 4, "gelu", bias="shared"), Dense(4, 3, "softmax", bias=False)])
    assert check_gradients(net, X, [0, 1, 2, 0, 1]).passed


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"gradient": np.ones(3)},
            ShapeError,
            r"gradient must have the parameters' shape \(26,\), got \(3,\)",
        ),
        ({"gradient": np.full(26, np.nan)}, InputError, "gradient must hold finite numbers"),
        ({"gradient": ["a"] * 26}, InputError, "gradient must hold real numbers"),
        ({"limit": 0}, InputError, "limit must be a whole number"),
        ({"sample_weight": [1]}, ShapeError, "sample_weight must have shape"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        check_gradients(network(), X, Y, **arguments)


def test_cost_that_is_not_finite_is_refused():
    nan = Activation("nan", lambda z: z * np.nan, lambda z, a: z, "", "")
    with pytest.raises(InputError, match="the cost must hold finite numbers"):
        check_gradients(network(activation=nan), X, Y)


def test_report_is_a_frozen_record():
    report = check_gradients(network(), X, Y)
    assert isinstance(report, GradientReport)
    with pytest.raises(AttributeError):
        report.error = 0.0


def test_activations_with_kinks_pass_at_ordinary_points():
    for name in ("relu", "leaky_relu(0.2)", "elu(2)"):
        assert ACTIVATIONS.resolve(name).kinks == (0.0,)
        assert check_gradients(network(activation=name), X, Y).passed

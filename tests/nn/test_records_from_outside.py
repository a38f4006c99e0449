"""An activation, a loss and an optimizer added from outside: a record each, and everything knows them.

To add an activation is to write its record; besides, a branch of the kernels if it is to be compiled, and the
name of an ONNX operator if one computes it. Nothing else knows a list of activations.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

import deltarule as dr
from deltarule.exchange.exporting import exported
from deltarule.exchange.portable_network import portable_network
from deltarule.exchange.to_onnx import onnx_bytes
from deltarule.formula.tree import (
    Choice,
    Compare,
    Number,
    Steps,
    Symbol,
    a,
    absolute,
    exp,
    log,
    sign,
    tanh,
    y,
    z,
)
from deltarule.nn.layers import Dense
from deltarule.nn.optimizers import ETA, GRADIENT, THETA, GradientStep, hyperparameter
from deltarule.registry import record
from deltarule.spreadsheet import spreadsheet
from exchange.source_files import LANGUAGES, loaded, written

X = np.random.default_rng(0).normal(size=(12, 2))
Y = 0.3 + 0.4 * np.sin(X[:, :1] - X[:, 1:])

# Elliott (1993); continued analytically, so that a complex step can check its gradient.
SOFTSIGN = dr.Activation(
    name="own_softsign",
    value=lambda z: z / (1 + np.maximum(z, -z)),
    derivative=lambda z, a: 1 / (1 + np.maximum(z, -z)) ** 2,
    formula=z / (1 + absolute(z)),
    derivative_formula=(1 - absolute(a)) ** 2,
    range=(-1, 1),
    steps=((Symbol("e"), absolute(z)), (Symbol("d"), 1 + Symbol("e")), (a, z / Symbol("d"))),
)
RELU_6 = dr.Activation(
    name="own_relu_6",
    value=lambda z: np.clip(z, 0, 6),
    derivative=lambda z, a: ((z > 0) & (z < 6)).astype(z.dtype),
    formula=Choice(Number(0), Compare(z, "<", Number(0)), Choice(Number(6), Compare(z, ">", Number(6)), z)),
    derivative_formula=Choice(
        Number(0), Compare(z, "<", Number(0)), Choice(Number(0), Compare(z, ">", Number(6)), Number(1))
    ),
    range=(0, 6),
    kinks=(0.0, 6.0),
    rectifier=True,
)
LOG_COSH = dr.Loss(
    name="own_log_cosh",
    terms=lambda a, y: (
        np.logaddexp(a - y, y - a) - np.log(2) if a.dtype.kind == "f" else np.log(np.cosh(a - y))
    ),
    derivative=lambda a, y: np.tanh(a - y),
    formula=log((exp(a - y) + exp(y - a)) / 2),
    derivative_formula=tanh(a - y),
)
_kappa, _v = Symbol("κ"), Symbol("v")


@record
class SignedMomentum(GradientStep):
    """``v ← κ·v + g;  θ ← θ − η·sign(v)``: Bernstein et al. (2018)."""

    kappa: float = hyperparameter(0.9, _kappa, 0, 1)
    name: ClassVar[str] = "own_signum"
    slots: ClassVar[tuple[str, ...]] = ("v",)
    steps: ClassVar[Steps] = ((_v, _kappa * _v + GRADIENT), (THETA, THETA - ETA * sign(_v)))

    def update(self, theta, g, slots, eta, t, weights):
        (v,) = slots
        v *= self.kappa
        v += g
        theta -= eta * np.sign(v)


@pytest.fixture(autouse=True)
def added(monkeypatch):
    """The three records, registered for one test."""
    for registry in (dr.ACTIVATIONS, dr.LOSSES, dr.OPTIMIZERS):
        monkeypatch.setattr(registry, "_makers", dict(registry._makers))
    dr.register_activation(SOFTSIGN)
    dr.register_activation(RELU_6)
    dr.register_loss(LOG_COSH)
    dr.OPTIMIZERS.register("own_signum", SignedMomentum)


def network(activation="own_softsign", output="own_softsign", **settings):
    return dr.Network([2, 3, 1], activation=activation, output=output, bias_initializer="normal", **settings)


def test_registries_print_the_names_they_know():
    assert repr(dr.ACTIVATIONS).startswith("Registry of activation names: identity, sigmoid, ")
    assert repr(dr.ACTIVATIONS).endswith(", own_softsign, own_relu_6")
    assert "own_log_cosh" in repr(dr.LOSSES)
    assert "own_signum" in repr(dr.OPTIMIZERS)


# ---------------------------------------------------------------------- an activation


def test_the_record_says_which_first_weights_fit():
    assert Dense(2, 3, "own_softsign").initializer.name == "xavier_uniform"
    assert Dense(2, 3, "own_relu_6").initializer.name == "he_uniform"
    own = [name for name in dr.ACTIVATIONS if dr.ACTIVATIONS.resolve(name).rectifier]
    assert own == ["relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "own_relu_6"]


@pytest.mark.parametrize("activation", ["own_softsign", "own_relu_6"])
def test_a_network_with_it_is_trained_checked_and_saved(activation, tmp_path):
    net = network(activation, "identity")
    before = net.cost(X, Y)
    dr.train(net, X, Y, optimizer="adam(0.05)", epochs=50)
    assert net.cost(X, Y) < before / 2
    assert dr.check_gradients(net, X, Y).passed
    assert dr.health(net, X, Y).layers[0].activation == activation
    net.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(dr.load(tmp_path / "net.safetensors").predict(X), net.predict(X))


def test_every_number_of_it_is_derived_with_its_formula():
    derivation = dr.explain(network(), X[:1], Y[:1], "w1")
    assert "∂out_h1/∂net_h1 = (1 − |out_h1|)² = (1 − |0.5970" in derivation.text()
    assert "out_h1 = net_h1/(1 + |net_h1|) = 1.481" in dr.explain(network(), X[:1], Y[:1], "out_h1").text()
    assert "<math" in derivation.html()
    assert "\\frac" in derivation.latex()
    gradient = network().backward(network().forward(X[:1]), Y[:1]).flat[0]
    assert derivation.values["∂E/∂w1"] == pytest.approx(gradient)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("activation", ["own_softsign", "own_relu_6"])
def test_it_is_exported_as_source(activation, language, tmp_path):
    net = network(activation, "sigmoid", seed=3)
    file = loaded(written(net, language, tmp_path), language)
    np.testing.assert_allclose(file("predict_outputs", X), net.predict(X), rtol=1e-12)


def test_source_code_computes_its_steps():
    source = exported(network(), "python").decode()
    assert "e = abs(z)" in source
    assert "d = 1 + e" in source
    assert "return divide(z, d)" in source


@pytest.mark.parametrize("activation", ["own_softsign", "own_relu_6"])
def test_it_is_exported_as_onnx(activation):
    runtime = pytest.importorskip("onnx.reference")
    net = network(activation, "tanh", seed=3)
    data = onnx_bytes(portable_network(net), "a network", net.description())
    (outputs,) = runtime.ReferenceEvaluator(data).run(["outputs"], {"X": X})
    np.testing.assert_allclose(outputs, net.predict(X), rtol=1e-12)


def test_steps_that_compute_something_else_are_refused():
    wrong = dr.Activation("wrong", np.tanh, lambda z, a: 1 - a**2, tanh(z), 1 - a**2, steps=((a, z / 2),))
    with pytest.raises(dr.InputError, match="its formula, z/2, gives different numbers from its code"):
        exported(network(wrong), "c")


def test_a_backprop_with_it_is_diagnosed():
    net = network(output="identity", loss="half_squared_error")
    weights, biases = net.get_weights()
    gradients = [layer.dW for layer in net.backward(net.forward(X), Y)]
    given = {"weights": weights, "biases": biases, "X": X, "Y": Y}
    assert dr.check(**given, gradients=gradients, loss="half_squared_error").right

    def backprop(weights, biases, X, Y):
        h = (X @ weights[0] + biases[0]) / (1 + np.abs(X @ weights[0] + biases[0]))
        delta = h @ weights[1] + biases[1] - Y
        return [X.T @ (delta @ weights[1].T), h.T @ delta]

    assert dr.check(backprop).verdict == "wrong"


def test_the_estimators_take_its_name():
    labels = (X[:, 0] > X[:, 1]).astype(int)
    model = dr.MLPClassifier((4,), activation="own_softsign", learning_rate_init=0.05, random_state=0).fit(
        X, labels
    )
    assert model.score(X, labels) > 0.9
    assert model.to_network().layers[0].activation is SOFTSIGN


def test_a_worksheet_and_a_spreadsheet_have_it():
    sheet = dr.worksheet(sizes=[2, 2, 1], activation="own_softsign", output="sigmoid", seed=1)
    assert "own_softsign" in sheet.sheet.text()
    assert len(spreadsheet(network(), X[:2], Y[:2], optimizer="sgd(0.1)", steps=2)) > 1000


def test_coupled_outputs_are_those_with_a_jacobian():
    coupled = [name for name in dr.ACTIVATIONS if dr.ACTIVATIONS.resolve(name).coupled]
    assert coupled == ["softmax"]


@pytest.mark.parametrize(
    ("spec", "kind"), [("leaky_relu(0.2)", "leaky_relu"), ("elu", "elu"), ("tanh", "tanh")]
)
def test_the_kind_of_an_activation_is_its_name_without_the_number(spec, kind):
    assert dr.ACTIVATIONS.resolve(spec).kind == kind
    assert SOFTSIGN.kind == "own_softsign"


def _compute(steps, numbers):
    """What steps give, those with log1p and expm1 too, which trees of formulas cannot work out."""
    values = {z: numbers}

    def value(formula):
        functions = {"log1p": np.log1p, "expm1": np.expm1}
        known = formula.replace(lambda part: Number(values[part]) if part in values else None)
        inner = known.replace(
            lambda part: (
                Number(functions[part.function](part.argument.value(None)))
                if getattr(part, "function", "") in functions
                else None
            )
        )
        return inner.value(None)

    for symbol, formula in steps:
        values[symbol] = value(formula)
    return values[a]


@pytest.mark.parametrize("spec", ["sigmoid", "silu", "softplus", "exp", "elu", "elu(0.3)"])
def test_steps_compute_the_function_where_its_formula_would_overflow(spec):
    activation = dr.ACTIVATIONS.resolve(spec)
    for number in (-1e4, -700.0, -3.0, -1e-9, 0.0, 1e-9, 2.0, 30.0, 800.0):
        with np.errstate(over="raise", invalid="raise"):
            found = _compute(activation.steps, number)
        np.testing.assert_allclose(found, activation.value(np.array(number)), rtol=1e-12, err_msg=str(number))


# ---------------------------------------------------------------------- a loss


def test_a_loss_is_trained_checked_explained_and_saved(tmp_path):
    net = network("tanh", "identity", loss="own_log_cosh")
    before = net.cost(X, Y)
    dr.train(net, X, Y, optimizer="adam(0.05)", epochs=50)
    assert net.cost(X, Y) < before / 2
    assert dr.check_gradients(net, X, Y).passed
    assert "log((e^" in dr.explain(net, X[:1], Y[:1], "loss").text()
    net.save(tmp_path / "net.safetensors")
    assert dr.load(tmp_path / "net.safetensors").loss is LOG_COSH


def test_a_backprop_with_a_loss_is_diagnosed():
    net = network("tanh", "identity", loss="own_log_cosh")
    weights, biases = net.get_weights()
    gradients = [layer.dW for layer in net.backward(net.forward(X), Y)]
    diagnosis = dr.check(weights=weights, biases=biases, X=X, Y=Y, gradients=gradients, loss="own_log_cosh")
    assert diagnosis.right
    assert diagnosis.loss == "own log cosh"


def test_a_regressor_takes_the_name_of_a_loss():
    model = dr.MLPRegressor("own_log_cosh", (4,), random_state=0, tol=1e-2).fit(X, Y.ravel())
    assert model.to_network().loss is LOG_COSH


@pytest.mark.parametrize(
    ("spec", "kind"), [("huber(0.5)", "huber"), ("quantile", "quantile"), ("poisson",) * 2]
)
def test_the_kind_of_a_loss_is_its_name_without_the_number(spec, kind):
    assert dr.LOSSES.resolve(spec).kind == kind


def test_knots_are_where_the_pieces_of_a_loss_meet():
    huber = dr.LOSSES.resolve("huber(0.5)")
    assert huber.knots == (-0.5, 0.5)
    assert not huber.kinks
    for knot in huber.knots:
        around = np.array([[knot - 1e-6, knot + 1e-6]])
        below, above = huber.derivative(around, 0 * around)[0]
        assert above - below == pytest.approx(1e-6, abs=1e-9)  # no jump, but half the usual growth


# ---------------------------------------------------------------------- an optimizer


def test_an_optimizer_trains_by_its_name():
    net = network("tanh", "identity")
    before = net.cost(X, Y)
    dr.train(net, X, Y, optimizer="own_signum(cosine(0.02), kappa=0.5)", epochs=60)
    assert net.cost(X, Y) < before / 2
    with pytest.raises(dr.InputError, match="own_signum: kappa must be a number ≥ 0 and ≤ 1, got 2"):
        dr.OPTIMIZERS.resolve("own_signum(kappa=2)")


def test_an_update_by_an_optimizer_is_derived_step_by_step():
    net = network("tanh", "identity")
    text = dr.explain(net, X[:1], Y[:1], "w1", optimizer="own_signum(0.1)").text()
    assert "own_signum, η = 0.1, κ = 0.9, t = 1" in text
    assert "sign(v)" in text


def test_a_spreadsheet_and_the_estimators_take_an_optimizer():
    net = network("tanh", "identity")
    assert len(spreadsheet(net, X[:2], Y[:2], optimizer="own_signum(0.1)", steps=2)) > 1000
    model = dr.MLPRegressor(hidden_layer_sizes=(4,), solver="own_signum(0.01)", random_state=0, tol=1e-2)
    assert model.fit(X, Y.ravel()).loss_ < model.loss_curve_[0]


def test_letters_are_declared_with_the_numbers_they_stand_for():
    assert SignedMomentum().letters == {_kappa: "kappa"}
    assert [str(letter) for letter in dr.AdamW().letters] == ["β1", "β2", "ε", "λ"]
    assert [str(letter) for letter in dr.AdamHat().letters] == ["β1", "β2", "ε̂"]
    assert list(dr.AdamHat().letters.values()) == ["beta1", "beta2", "epsilon"]

"""The same numbers as scikit-learn's own networks: outputs, steps, and whole trainings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import xlogy
from sklearn import neural_network

from deltarule.estimators import MLPClassifier, MLPRegressor

from .cases import BINARY, CLASSES, COUNTS, NUMBERS, TARGETS, WEIGHT, N, X, fitted, is_classification

pytest.importorskip("sklearn", "1.7")  # which brought sample weights, and Poisson's loss

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
STEPS = {
    "adam": {"solver": "adam"},
    "adam with betas": {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "sgd": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.1},
    "nesterov": {"solver": "sgd", "nesterovs_momentum": True, "learning_rate_init": 0.1},
}


def pair(kind, **parameters):
    """Theirs and ours with the same parameters."""
    name = "MLPClassifier" if is_classification(kind) else "MLPRegressor"
    more = {"loss": "poisson"} if kind == "counts" else {}
    own = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}[name]
    parameters = {"hidden_layer_sizes": (6, 4), "random_state": 3, "max_iter": 40} | more | parameters
    return getattr(neural_network, name)(**parameters), own(**parameters)


def assert_same(theirs, ours, tolerance):
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


def assert_same_training(theirs, ours, tolerance=1e-8):
    assert_same(theirs, ours, tolerance)
    for name in ("validation_scores_", "best_validation_score_"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (other is None), name
        if mine is not None:
            np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance, err_msg=name)
    assert_same_losses(theirs, ours, tolerance)


def assert_same_losses(theirs, ours, tolerance):
    """Of several outputs theirs is the mean, though what it descends is the sum; ours is the sum."""
    if ours.n_outputs_ > 1 and isinstance(ours, MLPRegressor):
        return
    shift = 0.0
    if getattr(ours, "loss", None) == "poisson":  # theirs adds what does not depend on the outputs
        shift = ours.loss_curve_[0] - theirs.loss_curve_[0]
    np.testing.assert_allclose(ours.loss_curve_, np.add(theirs.loss_curve_, shift), rtol=tolerance)
    np.testing.assert_allclose(ours.loss_, theirs.loss_ + shift, rtol=tolerance)
    assert (ours.best_loss_ is None) == (theirs.best_loss_ is None)
    if ours.best_loss_ is not None:
        np.testing.assert_allclose(ours.best_loss_, theirs.best_loss_ + shift, rtol=tolerance)


# ---------------------------------------------------------------- outputs


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", TARGETS)
def test_given_weights_give_the_same_outputs(kind, activation, dtype):
    x = X.astype(dtype)
    theirs, ours = (fitted(e, x, TARGETS[kind]) for e in pair(kind, activation=activation, max_iter=3))
    ours.coefs_ = [W.copy() for W in theirs.coefs_]
    ours.intercepts_ = [b.copy() for b in theirs.intercepts_]
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    for method in ["predict", "predict_proba", "predict_log_proba"][: 3 if is_classification(kind) else 1]:
        mine, other = getattr(ours, method)(x), getattr(theirs, method)(x)
        assert mine.dtype == other.dtype
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance, err_msg=method)
    weighted = [e.score(x, TARGETS[kind], sample_weight=WEIGHT) for e in (theirs, ours)]
    np.testing.assert_allclose(*weighted, rtol=tolerance)


# ---------------------------------------------------------------- steps


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", TARGETS)
def test_a_few_steps_give_the_same_weights(kind, step, weighted, alpha):
    theirs, ours = pair(kind, alpha=alpha, activation="tanh", **STEPS[step])
    options = {"sample_weight": WEIGHT} if weighted else {}
    if is_classification(kind):
        options["classes"] = np.arange(3) if kind == "labels" else np.unique(TARGETS[kind])
    for _ in range(3):
        theirs.partial_fit(X, TARGETS[kind], **options)
        ours.partial_fit(X, TARGETS[kind], **options)
        assert_same(theirs, ours, 1e-12)


@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive"])
def test_steps_after_a_training_go_on_from_it(rate):
    models = pair("numbers", solver="sgd", learning_rate=rate, learning_rate_init=0.05, max_iter=3)
    for model in models:
        fitted(model, X, NUMBERS)
        for _ in range(3):
            model.partial_fit(X, NUMBERS)
    assert_same(*models, 1e-10)


# ---------------------------------------------------------------- trainings


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("batch_size", [N, 40])
@pytest.mark.parametrize("kind", TARGETS)
def test_training_gives_the_same_numbers(kind, batch_size, step):
    models = pair(kind, batch_size=batch_size, activation="tanh", alpha=0.01, **STEPS[step])
    assert_same_training(*(fitted(model, X, TARGETS[kind]) for model in models))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shuffle", [True, False])
def test_training_with_each_activation(activation, shuffle):
    models = pair("classes", activation=activation, batch_size=30, shuffle=shuffle)
    assert_same_training(*(fitted(model, X, CLASSES) for model in models))


def test_training_with_a_last_batch_that_is_smaller():
    """The penalty of a full batch counts for all; without one, nothing differs."""
    models = pair("classes", batch_size=50, alpha=0.0)
    assert_same_training(*(fitted(model, X, CLASSES) for model in models))


@pytest.mark.parametrize("kind", TARGETS)
def test_training_with_sample_weights(kind):
    models = pair(kind, alpha=0.1, activation="tanh")
    assert_same_training(*(fitted(model, X, TARGETS[kind], WEIGHT) for model in models))


@pytest.mark.parametrize("kind", TARGETS)
def test_training_with_sample_weights_in_several_batches(kind):
    """In an epoch's loss theirs counts a batch by its rows, ours by its weight; the steps are the same."""
    models = pair(kind, batch_size=40, alpha=0.0, activation="tanh", n_iter_no_change=np.inf)
    assert_same(*(fitted(model, X, TARGETS[kind], WEIGHT) for model in models), 1e-8)


def test_loss_of_several_outputs_is_the_sum():
    theirs, ours = (fitted(model, X, TARGETS["columns"]) for model in pair("columns", alpha=0.0))
    np.testing.assert_allclose(ours.loss_curve_, 2 * np.array(theirs.loss_curve_), rtol=1e-8)


def test_poisson_loss_leaves_out_what_does_not_depend_on_the_outputs():
    theirs, ours = (fitted(model, X, COUNTS) for model in pair("counts"))
    constant = (xlogy(COUNTS, COUNTS) - COUNTS).mean()
    np.testing.assert_allclose(ours.loss_curve_, np.array(theirs.loss_curve_) - constant, rtol=1e-8)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_early_stopping(kind, weighted, solver):
    models = pair(
        kind, solver=solver, early_stopping=True, validation_fraction=0.2, n_iter_no_change=4, tol=1e-3,
        learning_rate_init=0.02, max_iter=80, batch_size=96 if weighted else 32,
    )  # fmt: skip
    weight = WEIGHT if weighted else None
    theirs, ours = (fitted(model, X, TARGETS[kind], weight) for model in models)
    assert_same_training(theirs, ours)
    assert theirs.n_iter_ < 80


@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_rates_of_sgd(rate, momentum):
    models = pair(
        "classes", solver="sgd", learning_rate=rate, momentum=momentum, learning_rate_init=0.5, power_t=0.3,
        tol=0.02, n_iter_no_change=3, max_iter=120, batch_size=40, activation="tanh",
    )  # fmt: skip
    assert_same_training(*(fitted(model, X, CLASSES) for model in models))


@pytest.mark.parametrize("tol", [0.0, 1e-3, 0.05])
@pytest.mark.parametrize("patience", [1, 5])
def test_training_ends_in_the_same_epoch(tol, patience):
    models = pair("binary", tol=tol, n_iter_no_change=patience, learning_rate_init=0.05, max_iter=150)
    assert_same_training(*(fitted(model, X, BINARY) for model in models))


@pytest.mark.parametrize("rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_start_twice(solver, rate):
    models = pair(
        "binary", solver=solver, learning_rate=rate, warm_start=True, max_iter=15, batch_size=30, tol=0.01,
        n_iter_no_change=2, learning_rate_init=0.05,
    )  # fmt: skip
    for _ in range(3):
        assert_same_training(*(fitted(model, X, BINARY) for model in models))


def test_a_generator_is_drawn_from_alike():
    """Where there are several batches: for one, ours draws no order."""
    theirs, ours = pair("classes", batch_size=50, alpha=0.0)
    theirs.set_params(random_state=np.random.RandomState(5))
    ours.set_params(random_state=np.random.RandomState(5))
    for _ in range(2):
        assert_same_training(fitted(theirs, X, CLASSES), fitted(ours, X, CLASSES))


@pytest.mark.parametrize("kind", [kind for kind in TARGETS if kind != "columns"])
def test_lbfgs(kind):
    """For several outputs theirs is given a loss and a gradient that do not belong together."""
    models = pair(kind, solver="lbfgs", max_iter=12, activation="tanh", alpha=0.1)
    assert_same(*(fitted(model, X, TARGETS[kind]) for model in models), 1e-6)


def test_narrow_numbers():
    x = X.astype(np.float32)
    theirs, ours = (fitted(model, x, COUNTS.astype(np.float32)) for model in pair("counts", max_iter=10))
    assert ours.coefs_[0].dtype == np.float32
    assert_same_training(theirs, ours, 1e-4)

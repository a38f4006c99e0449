"""Parameters that make no sense are refused, once, by name; and what fails leaves no trace."""

from __future__ import annotations

import inspect
import re
import resource
import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from deltarule.errors import InputError
from deltarule.estimators import MLPAutoencoder, MLPClassifier, MLPRegressor

from .cases import CLASSES, ESTIMATORS, WEIGHT, X, fitted, numbers_of, small, target_for

BAD = {
    "None": None,
    "-1": -1,
    "0": 0,
    "nan": np.nan,
    "inf": np.inf,
    "'1'": "1",
    "[]": [],
    "10**12": 10**12,
    "object": object(),
}
#: Which of these are legal after all.
LEGAL = {
    "hidden_layer_sizes": "",
    "activation": "",
    "loss": "",
    "solver": "",
    "alpha": "0 10**12",
    "batch_size": "10**12",
    "learning_rate": "",
    "learning_rate_init": "10**12",
    "power_t": "0 10**12",
    "max_iter": "10**12",
    "shuffle": "",
    "random_state": "None 0",
    "tol": "0 10**12",
    "verbose": "0 10**12",
    "warm_start": "",
    "momentum": "0",
    "nesterovs_momentum": "",
    "early_stopping": "",
    "validation_fraction": "0",
    "beta_1": "0",
    "beta_2": "0",
    "epsilon": "10**12",
    "n_iter_no_change": "inf 10**12",
    "max_fun": "10**12",
    "class_weight": "None",
    "label_smoothing": "0",
    "dropout": "0",
    "clip_norm": "None 10**12",
    "initializer": "None",
    "initial_weights": "None",
    "scoring": "None",
    "standardize": "",
    "preset": "None",
    "engine": "",
    "progress": "",
}
PLACES = [(Estimator, name) for Estimator in ESTIMATORS for name in Estimator().get_params()]
MEGABYTES = 2**20


def stop(run):
    run.stop = True


def legal(Estimator, name):
    """A classifier or regressor may do without hidden layers; an autoencoder has its code there."""
    without = name == "hidden_layer_sizes" and Estimator is not MLPAutoencoder
    return [*LEGAL[name].split(), *(["[]"] if without else [])]


def largest():
    """The most memory that this process has had so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ---------------------------------------------------------------- what makes no sense


@pytest.mark.parametrize(("Estimator", "name"), PLACES)
def test_parameter_is_refused_by_name(Estimator, name, capsys):
    y = target_for(Estimator)
    for label, value in BAD.items():
        model = small(Estimator, engine="reference")
        model.set_params(**{name: value})
        memory = largest()
        if label in legal(Estimator, name):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as a batch that is larger than the data
                model.fit(X, y, callbacks=[stop])
            assert np.isfinite(numbers_of(model)).all(), label
        else:
            with pytest.raises(InputError) as caught:
                model.fit(X, y)
            message = str(caught.value)
            assert name in message, label
            assert any(shown in message for shown in (repr(value), type(value).__name__, "got 0")), message
        assert largest() - memory < 100 * MEGABYTES, label


def test_every_parameter_is_in_the_table():
    assert {name for _, name in PLACES} == LEGAL.keys()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1}, "alpha must be a number ≥ 0, got -1"),
        ({"beta_1": 1.0}, "beta_1 must be a number ≥ 0 and < 1, got 1.0"),
        ({"momentum": 1.5}, "momentum must be a number ≥ 0 and ≤ 1, got 1.5"),
        ({"max_iter": 2.5}, "max_iter must be a whole number ≥ 1, got 2.5"),
        ({"batch_size": "atuo"}, "batch_size must be a whole number ≥ 1, got 'atuo'"),
        ({"hidden_layer_sizes": (5, 0)}, r"hidden_layer_sizes must be > 0, whole numbers, got \(5, 0\)"),
        ({"hidden_layer_sizes": "55"}, "hidden_layer_sizes must be > 0, whole numbers, got '55'"),
        ({"activation": "rleu"}, "activation: unknown activation 'rleu'; did you mean 'relu'"),
        ({"activation": ["tanh", "relu"]}, "activation: 1 hidden layers need as many activations, got 2"),
        ({"activation": "softmax"}, "activation: softmax is for outputs"),
        ({"solver": "adma"}, "solver: unknown optimizer 'adma'; did you mean 'adam'"),
        ({"loss": "log_lose"}, "loss: unknown loss 'log_lose'"),
        ({"learning_rate": "cosin"}, "learning_rate: unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"learning_rate": "cosine(-1)"}, "learning_rate: .* must be a number > 0, got -1"),
        ({"initializer": "he"}, "unknown initializer 'he'"),
        ({"dropout": 1.0}, "dropout must be a number ≥ 0 and < 1, got 1.0"),
        ({"dropout": [0.1]}, "dropout: 2 layers need as many shares, got 1"),
        ({"class_weight": "balance"}, "class_weight must be None, 'balanced' or a dict .* got 'balance'"),
        (
            {"initial_weights": [1]},
            r"initial_weights must be None or a pair \(coefs, intercepts\), got \[1\]",
        ),
        ({"scoring": "f2"}, "scoring must be None, a scorer's name or a callable .* got 'f2'"),
        ({"preset": "robus"}, "preset must be one of None, 'robust', got 'robus'; did you mean 'robust'"),
        ({"engine": "jax"}, "engine must be one of 'auto', 'reference', 'compiled', got 'jax'"),
        (
            {"random_state": -1},
            "random_state must be None, a whole number from 0 to 2³² − 1 or a RandomState",
        ),
    ],
)
def test_message_names_parameter_range_and_value(parameters, message):
    with pytest.raises(InputError, match=message):
        small(**parameters).fit(X, CLASSES)


@pytest.mark.parametrize("name", ["coefs", "intercepts"])
def test_initial_weights_that_do_not_fit_are_refused(name):
    model = fitted(small(), X, CLASSES)
    parts = {"coefs": list(model.coefs_), "intercepts": list(model.intercepts_)}
    parts[name] = [*parts[name][:-1], np.zeros(7)]
    for wrong in (parts[name], parts[name][:1]):
        with pytest.raises(InputError):
            small(initial_weights=tuple((parts | {name: wrong}).values())).fit(X, CLASSES)


def test_set_params_takes_what_fit_refuses():
    model = small()
    assert model.set_params(alpha=-1, solver="none", preset="x") is model
    assert model.get_params()["solver"] == "none"
    with pytest.raises(ValueError, match="no_such"):
        model.set_params(no_such=1)
    with pytest.raises(InputError):
        model.fit(X, CLASSES)
    fitted(model.set_params(alpha=0, solver="adam", preset=None), X, CLASSES)


def test_constructor_keeps_what_it_is_given():
    given = {"hidden_layer_sizes": [3, 2], "alpha": "x", "random_state": np.random.RandomState(0)}
    model = MLPClassifier(**given)
    assert all(getattr(model, name) is value for name, value in given.items())
    assert vars(model).keys() == model.get_params().keys()


def test_without_hidden_layers():
    model = fitted(small(hidden_layer_sizes=()), X, CLASSES)
    assert model.predict(X).shape == CLASSES.shape
    with pytest.raises(InputError, match="hidden layer"):
        model.transform(X)


# ---------------------------------------------------------------- data stay what they are


def read_only(array):
    array = np.array(array)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "parameters", [{}, {"preset": "robust"}, {"solver": "lbfgs"}, {"early_stopping": True}]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_data_are_never_modified(Estimator, dtype, parameters):
    x, weight, y = read_only(X.astype(dtype)), read_only(WEIGHT), target_for(Estimator)
    y = None if y is None else read_only(y)
    copies = [np.array(array) for array in (x, weight, X if y is None else y)]
    for order in "CF":
        ordered = np.array(x, order=order)
        ordered.flags.writeable = False
        model = fitted(small(Estimator, **parameters), ordered, y, weight)
        model.predict(ordered)
        model.transform(ordered)
        model.score(ordered, y, weight)
        assert (ordered == copies[0]).all()
    if model.solver != "lbfgs" and not model.early_stopping:
        model.partial_fit(x, y, weight)
    assert all((a == b).all() for a, b in zip((x, weight, X if y is None else y), copies, strict=True))


def test_given_weights_are_never_modified():
    coefs, intercepts = [np.full((5, 4), 0.1), np.full((4, 3), 0.2)], [np.zeros(4), np.zeros(3)]
    model = small(initial_weights=(coefs, intercepts))
    fitted(model, X, CLASSES)
    assert (coefs[0] == 0.1).all()
    assert (intercepts[1] == 0).all()
    assert (model.coefs_[0] != 0.1).any()
    assert model.get_params()["initial_weights"][0] is coefs


# ---------------------------------------------------------------- before, and after what fails


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_nothing_works_before_fit(Estimator, tmp_path):
    model, y = small(Estimator), target_for(Estimator)
    calls = {
        "predict": (X,),
        "transform": (X,),
        "score": (X, y),
        "get_feature_names_out": (),
        "loss_and_gradients": (X, y),
        "explain": (X, y, "loss"),
        "health": (X, y),
        "plot_loss": (),
        "to_network": (),
        "export": (tmp_path / "model.py",),
    }
    if Estimator is MLPClassifier:
        calls |= {"predict_proba": (X,), "predict_log_proba": (X,)}
    if Estimator is MLPAutoencoder:
        calls |= {"inverse_transform": (X[:, :4],)}
    for name, arguments in calls.items():
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(model, name)(*arguments)
        assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_attributes_of_a_fit_are_there_after_it(Estimator):
    model, y = small(Estimator), target_for(Estimator)
    names = {"coefs_", "intercepts_", "network_", "loss_", "n_iter_", "validation_scores_", "n_features_in_"}
    if Estimator is MLPClassifier:
        names |= {"classes_"}
    for name in names:
        with pytest.raises(AttributeError, match=f"'{Estimator.__name__}' object has no attribute '{name}'"):
            getattr(model, name)
    assert not names & set(dir(model))
    fitted(model, X, y)
    assert names <= set(dir(model))
    assert "feature_names_in_" not in dir(model)  # X had none
    assert "FitAttribute" not in model._repr_html_()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_warnings_name_the_line_that_asked_for_the_training(Estimator, method):
    y = target_for(Estimator)
    classes = {"classes": [0, 1, 2]} if (Estimator, method) == (MLPClassifier, "partial_fit") else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(small(Estimator, batch_size=500), method)(X, y, **classes)
    assert "batch_size=500 is larger than the 120 samples" in str(caught[0].message)
    assert len(caught) == (2 if method == "fit" else 1)  # fit did not converge
    assert {warning.filename for warning in caught} == {__file__}


def interrupt(run):
    raise KeyboardInterrupt


def fail(run):
    if run.epoch == 2:
        raise RuntimeError("a callback of the user's")


def bad(y):
    return np.full(len(X) - 1, 0)


FAILURES = {
    "bad parameter": ({"alpha": -1}, {}, None),
    "divergence": (
        {"solver": "sgd", "alpha": 0.5, "learning_rate_init": 1e200, "activation": "identity"},
        {},
        None,
    ),
    "too few labels": ({}, {}, bad),
    "labels that are no numbers": ({}, {}, lambda y: np.full(len(X), None)),
    "labels of another kind": ({}, {}, lambda y: np.tile(np.linspace(0, 1, len(X))[:, None], (1, 2, 1))),
    "a callback that fails": ({}, {"callbacks": [fail]}, None),
    "no callback": ({}, {"callbacks": [1]}, None),
    "weights that do not fit": ({}, {"sample_weight": [1, 2]}, None),
    "weights that are not finite": ({}, {"sample_weight": np.full(len(X), np.nan)}, None),
    "validation data that do not fit": ({}, {"validation_data": (X[:, :2], CLASSES)}, None),
    "nothing to resume": ({}, {"resume": True}, None),
}
KEPT = {"n_iter", "updates", "loss_curve", "loss", "best_loss", "t", "n_features_in", "n_outputs"}


def record_of(model):
    """What the last fit left, as texts."""
    return {name: repr(value) for name, value in vars(model._fit_record).items() if name in KEPT}


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_after_a_failed_fit_the_estimator_is_what_it_was(Estimator, failure, warm):
    parameters, options, change = FAILURES[failure]
    y = target_for(Estimator)
    bad_y = y if change is None else change(y)
    fresh = small(Estimator, warm_start=warm, **parameters)
    with pytest.raises((ValueError, RuntimeError, TypeError)):
        fitted(fresh, X, bad_y, **options)
    assert vars(fresh).keys() == fresh.get_params().keys()
    with pytest.raises(NotFittedError):
        fresh.predict(X)

    model = fitted(small(Estimator, warm_start=warm), X, y)
    numbers, answers = numbers_of(model), model.predict(X)
    state = record_of(model)
    assert state.keys() == KEPT
    loss = model.loss_and_gradients(X, y)[0]
    model.set_params(**parameters)
    with pytest.raises((ValueError, RuntimeError, TypeError)):
        fitted(model, X, bad_y, **options)
    np.testing.assert_array_equal(numbers_of(model), numbers)
    np.testing.assert_array_equal(model.predict(X), answers)
    assert record_of(model) == state
    assert model.loss_and_gradients(X, y)[0] == loss


@pytest.mark.parametrize(
    "failure", ["too few labels", "labels that are no numbers", "weights that do not fit"]
)
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_after_a_failed_step_the_estimator_is_what_it_was(Estimator, failure):
    _, options, change = FAILURES[failure]
    y = target_for(Estimator)
    if Estimator is MLPClassifier:
        options = options | {"classes": [0, 1, 2]}
    fresh = small(Estimator)
    with pytest.raises((ValueError, TypeError)):
        fresh.partial_fit(X, y if change is None else change(y), **options)
    assert vars(fresh).keys() == fresh.get_params().keys()
    model = fitted(small(Estimator), X, y)
    numbers = numbers_of(model)
    with pytest.raises((ValueError, TypeError)):
        model.partial_fit(X, y if change is None else change(y), **options)
    np.testing.assert_array_equal(numbers_of(model), numbers)
    model.partial_fit(X, y)
    twin = fitted(small(Estimator), X, y)
    twin.partial_fit(X, y)
    np.testing.assert_array_equal(numbers_of(model), numbers_of(twin))


@pytest.mark.parametrize("failing", [MemoryError, SystemExit, OSError])
def test_whatever_interrupts_a_training_leaves_the_earlier_model(failing):
    def raise_it(run):
        raise failing

    model = fitted(small(), X, CLASSES)
    numbers = numbers_of(model)
    with pytest.raises(failing):
        model.set_params(random_state=9).fit(X, CLASSES, callbacks=[raise_it])
    np.testing.assert_array_equal(numbers_of(model), numbers)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_ctrl_c_keeps_what_was_learnt(Estimator):
    y = target_for(Estimator)
    model = small(Estimator, max_iter=50)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, y, callbacks=[lambda run: interrupt(run) if run.epoch == 3 else None])
    assert model.n_iter_ == len(model.loss_curve_) == 3
    twin = fitted(small(Estimator, max_iter=3), X, y)
    np.testing.assert_array_equal(numbers_of(model), numbers_of(twin))


def test_divergence_says_what_to_do_and_never_gives_nan():
    model = small(MLPRegressor, solver="sgd", learning_rate_init=1e3, activation="identity", max_iter=200)
    with pytest.raises(InputError, match=r"non-finite.*diverged in epoch.*smaller learning rate"):
        fitted(model, 1e3 * X, X[:, 0])
    assert not hasattr(model, "coefs_")


def test_rows_that_are_not_finite_are_refused_everywhere():
    model = fitted(small(), X, CLASSES)
    for wrong in (np.nan, np.inf):
        spoilt = X.copy()
        spoilt[7, 2] = wrong
        for call in (model.predict, model.predict_proba, model.transform):
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                call(spoilt)
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            small().fit(spoilt, CLASSES)


def test_large_finite_rows_are_answered():
    model = fitted(small(), X, CLASSES)
    assert np.isfinite(model.predict_proba(1e200 * X)).all()


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor, MLPAutoencoder])
def test_help_explains_every_parameter_and_every_attribute_of_a_fit(Estimator):
    text = inspect.getdoc(Estimator)
    entries = re.findall(r"^([a-zA-Z_0-9, ]+) : ", text, re.MULTILINE)
    explained = [name for entry in entries for name in entry.split(", ")]
    of_a_fit = {name for name in dir(Estimator) if not name.startswith("_") and name.endswith("_")}
    assert sorted(explained) == sorted({*inspect.signature(Estimator).parameters, *of_a_fit})
    assert "…\n" not in text

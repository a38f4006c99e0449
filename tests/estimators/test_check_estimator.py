"""scikit-learn's checks of what calls itself an estimator."""

from __future__ import annotations

from unittest import SkipTest

import pytest
from sklearn import neural_network
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from deltarule.estimators import MLPAutoencoder, MLPClassifier, MLPRegressor

#: The checks train for a few epochs only.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FEW = [MLPClassifier(), MLPRegressor(solver="lbfgs", standardize=True), MLPAutoencoder(preset="robust")]
#: Each solver and feature with one estimator, and several in one: what a parameter means is one code for all
#: three, and each of the three goes through all checks with its defaults and with other features.
MORE = [
    MLPRegressor(),
    MLPClassifier(solver="lbfgs", standardize=True, loss="binary_cross_entropy"),
    MLPClassifier(solver="adamw", activation=["tanh", "leaky_relu(0.2)"], hidden_layer_sizes=(50, 50)),
    MLPClassifier(solver="momentum(0.001)", progress=True, scoring="f1_macro"),
    MLPClassifier(learning_rate="cosine", class_weight="balanced"),
    MLPClassifier(engine="compiled", label_smoothing=0.1),
    MLPRegressor(solver="sgd", learning_rate="adaptive", loss="quantile(0.5)"),
    MLPRegressor(solver="sgd", learning_rate="exponential(0.01)", clip_norm=1.0),
    MLPRegressor(solver="rmsprop", initializer="he_normal", loss="huber"),
    MLPRegressor(learning_rate="one_cycle", preset="robust", loss="absolute_error"),
    MLPAutoencoder(solver="adagrad", hidden_layer_sizes=(8, 2, 8)),
    MLPAutoencoder(engine="compiled", loss="huber(0.5)"),
    MLPClassifier(loss="half_squared_error"),
]

WEIGHTS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
OTHER_MASKS = dict.fromkeys(WEIGHTS, "a sample that is there twice draws two masks")
OTHER_RATES = dict.fromkeys(WEIGHTS, "its rate falls with the number of samples, as theirs does")
OTHER_DIVISION = dict.fromkeys(WEIGHTS, "a sample that is there twice may be held out once, in theirs too")
NO_PARTIAL_FIT = "partial_fit needs validation_data to stop early; theirs refuses as well"
TOO_FEW = "nothing can be held out of 10 samples; theirs says the same"
STOPS = {
    **OTHER_DIVISION,
    "check_fit_score_takes_y": NO_PARTIAL_FIT,
    "check_n_features_in_after_fitting": NO_PARTIAL_FIT,
    "check_estimators_partial_fit_n_features": NO_PARTIAL_FIT,
    "check_estimators_nan_inf": TOO_FEW,
    "check_fit2d_1feature": TOO_FEW,
}
SLOW_TO_LEARN = "with its rate of 0.001 it does not get far, nor does theirs"
NEGATIVE = "the targets are negative, which Poisson's cannot be"
POISSON = (
    "check_n_features_in_after_fitting",
    "check_regressors_train",
    "check_regressor_data_not_an_array",
    "check_regressor_multioutput",
    "check_regressors_no_decision_function",
    "check_fit_idempotent",
    "check_fit_check_is_fitted",
    "check_n_features_in",
)
#: What some parameters do not allow: the checks that fail, and why. All others must pass.
LIMITED = [
    (MLPClassifier(dropout=0.2), OTHER_MASKS),
    (
        MLPClassifier(early_stopping=True),
        STOPS
        | {
            "check_classifiers_one_label": "one sample of a class cannot be divided; theirs says the same",
            "check_class_weight_classifiers": "five samples held out are all right after the first epochs",
        },
    ),
    (MLPRegressor(early_stopping=True), STOPS | {"check_regressors_no_decision_function": TOO_FEW}),
    (MLPAutoencoder(early_stopping=True), STOPS),
    (
        MLPClassifier(solver="sgd", learning_rate="invscaling"),
        OTHER_RATES | {"check_classifiers_train": SLOW_TO_LEARN},
    ),
    (
        MLPRegressor(solver="sgd", learning_rate="invscaling"),
        OTHER_RATES | {"check_regressors_train": SLOW_TO_LEARN},
    ),
    (MLPRegressor(loss="poisson"), dict.fromkeys(POISSON, NEGATIVE)),
]
#: What scikit-learn skips for its own: no arrays but NumPy's, and no decision_function.
SKIPPED = {"check_array_api_input", "check_classifiers_multilabel_output_format_decision_function"}


def name_of(check):
    return check.func.__name__


def passes(estimator, check):
    try:
        check(estimator)
    except SkipTest:
        assert name_of(check) in SKIPPED
        raise


@parametrize_with_checks(FEW)
def test_estimator_passes(estimator, check):
    passes(estimator, check)


@pytest.mark.slow
@parametrize_with_checks(MORE)
def test_estimator_passes_with_each_solver_and_feature(estimator, check):
    passes(estimator, check)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check", "reason"),
    [
        pytest.param(estimator, check, reasons.get(name_of(check)), id=f"{estimator}-{name_of(check)}")
        for estimator, reasons in LIMITED
        for _, check in estimator_checks_generator(estimator)
    ],
)
def test_estimator_fails_only_what_its_parameters_do_not_allow(estimator, check, reason):
    if reason is None:
        passes(estimator, check)
    else:
        with pytest.raises((AssertionError, ValueError)):
            check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_scikit_learn_skips_the_same_checks(name):
    theirs = getattr(neural_network, name)()
    skipped = set()
    for estimator, check in estimator_checks_generator(theirs):
        try:
            check(estimator)
        except SkipTest:
            skipped.add(name_of(check))
    assert skipped == {skip for skip in SKIPPED if name == "MLPClassifier" or "classifier" not in skip}

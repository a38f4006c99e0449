"""What scikit-learn's networks do not have: each means what it says, in numbers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import f1_score, log_loss, r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from deltarule import Network
from deltarule.data.encoding import Table
from deltarule.errors import InputError, ModelFileError
from deltarule.estimators import MLPAutoencoder, MLPClassifier, MLPRegressor
from deltarule.estimators.parameters import PRESETS
from deltarule.nn.activations import Activation
from deltarule.nn.losses import LOSSES
from deltarule.training.run import Run
from deltarule.training.settings import Checkpoint

from .cases import (
    BINARY,
    CLASSES,
    ESTIMATORS,
    LABELS,
    NUMBERS,
    TARGETS,
    WEIGHT,
    N,
    X,
    fitted,
    is_classification,
    numbers_of,
    small,
    target_for,
)

#: None of these trainings is long enough to converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TEST_X = np.random.default_rng(5).normal(size=(40, 5))
TEST_Y = CLASSES[:40]


def learner(kind, **parameters):
    """An estimator for these targets, fitted."""
    Estimator = MLPClassifier if is_classification(kind) else MLPRegressor
    more = {"loss": "poisson"} if kind == "counts" else {}
    return small(Estimator, **(more | parameters)).fit(X, TARGETS[kind])


# ---------------------------------------------------------------- activations


def test_each_hidden_layer_has_its_activation():
    model = learner("classes", hidden_layer_sizes=(4, 3), activation=["tanh", "leaky_relu(0.2)"])
    names = [layer.activation.name for layer in model.network_.layers]
    assert names == ["tanh", "leaky_relu(0.2)", "softmax"]
    first = np.tanh(X @ model.coefs_[0] + model.intercepts_[0])
    z = first @ model.coefs_[1] + model.intercepts_[1]
    np.testing.assert_allclose(model.transform(X, layer=1), first)
    np.testing.assert_allclose(model.transform(X, layer=2), np.where(z > 0, z, 0.2 * z))
    np.testing.assert_array_equal(model.transform(X), model.transform(X, layer=2))
    for wrong in (0, 3, "1", 1.5):
        with pytest.raises(InputError, match="layer must be a whole number"):
            model.transform(X, layer=wrong)
    assert len(model.get_feature_names_out()) == 3


def test_own_activation_trains_like_the_registered_one():
    own = Activation("mine", np.tanh, lambda z, a: 1 - a * a, "tanh z", "1 − a²")
    for Estimator in ESTIMATORS:
        one = fitted(small(Estimator, activation=own), X, target_for(Estimator))
        two = fitted(small(Estimator, activation="tanh"), X, target_for(Estimator))
        np.testing.assert_allclose(numbers_of(one), numbers_of(two), rtol=1e-12)


@pytest.mark.parametrize("data", [X, sparse.csr_array(X)], ids=["dense", "sparse"])
def test_transform_goes_by_chunks(data):
    model = fitted(small(), X, CLASSES)
    rows = np.tile(np.arange(N), 20)  # more than one chunk
    np.testing.assert_allclose(model.transform(data[rows]), model.transform(X)[rows], rtol=1e-12)


# ---------------------------------------------------------------- losses

#: scikit-learn's names, and ours.
OURS = {"squared_error": "half_squared_error", "absolute_error": "mean_absolute_error"}
REGRESSION_LOSSES = ["half_squared_error", "mean_squared_error", "absolute_error", "huber(0.5)"]


@pytest.mark.parametrize("kind", ["numbers", "columns"])
@pytest.mark.parametrize("name", [*REGRESSION_LOSSES, "quantile(0.9)", "squared_error"])
def test_own_pair_of_functions_is_the_same_as_the_named_loss(name, kind):
    loss = LOSSES.resolve(OURS.get(name, name))
    named, record = learner(kind, loss=name, alpha=0.1), learner(kind, loss=loss, alpha=0.1)
    own = learner(kind, loss=(lambda a, y: loss.terms(a, y), lambda a, y: loss.derivative(a, y)), alpha=0.1)
    np.testing.assert_array_equal(numbers_of(named), numbers_of(record))
    np.testing.assert_allclose(numbers_of(own), numbers_of(named), rtol=1e-10)
    np.testing.assert_allclose(own.loss_curve_, named.loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("name", [*REGRESSION_LOSSES, "quantile(0.9)", "squared_error", "poisson"])
def test_loss_is_that_of_the_answers(name):
    kind = "counts" if name == "poisson" else "numbers"
    model = learner(kind, loss=name, alpha=0.0)
    y = TARGETS[kind]
    terms = LOSSES.resolve(OURS.get(name, name)).terms(model.predict(X)[:, None], y[:, None])
    np.testing.assert_allclose(model.loss_and_gradients(X, y)[0], terms.mean())
    weighted = model.loss_and_gradients(X, y, WEIGHT)[0]
    np.testing.assert_allclose(weighted, np.average(terms[:, 0], weights=WEIGHT))


@pytest.mark.parametrize("name", ["log_loss", "binary_cross_entropy", "half_squared_error"])
@pytest.mark.parametrize("kind", ["binary", "classes", "labels"])
def test_classifier_learns_by_other_losses(kind, name):
    model = learner(kind, loss=name, max_iter=60, learning_rate_init=0.05)
    assert model.score(X, TARGETS[kind]) > {"binary": 0.75, "classes": 0.65, "labels": 0.45}[kind]


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantiles_are_quantiles(q):
    y, nothing = np.random.default_rng(0).normal(size=300), np.zeros((300, 1))
    parameters = {"max_iter": 500, "n_iter_no_change": np.inf, "alpha": 0.0, "random_state": 0}
    model = MLPRegressor(f"quantile({q})", (2,), batch_size=300, learning_rate_init=0.02, **parameters)
    answer = model.fit(nothing, y).predict(nothing)[0]
    assert abs((y < answer).mean() - q) < 0.03


@pytest.mark.parametrize("loss", ["poisson", "log_loss"])
def test_targets_outside_a_loss_are_refused(loss):
    with pytest.raises(InputError, match=r"targets between|unknown loss"):
        small(MLPRegressor, loss=loss).fit(X, NUMBERS)


# ---------------------------------------------------------------- dropout, smoothing, weights


@pytest.mark.parametrize("kind", TARGETS)
def test_dropout_is_of_training_only(kind):
    plain, dropped = learner(kind), learner(kind, dropout=0.5)
    assert (numbers_of(plain) != numbers_of(dropped)).any()
    np.testing.assert_array_equal(dropped.predict(X), dropped.predict(X))
    dropped.coefs_, dropped.intercepts_ = plain.coefs_, plain.intercepts_
    np.testing.assert_array_equal(dropped.predict(X), plain.predict(X))


def test_dropout_is_drawn_from_the_random_state():
    one, two, other = (learner("classes", dropout=0.5, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(numbers_of(one), numbers_of(two))
    assert (numbers_of(one) != numbers_of(other)).any()


def test_dropout_by_layer():
    for dropout, shares in ((0.2, [0.0, 0.2, 0.2]), ([0.1, 0.0, 0.3], [0.1, 0.0, 0.3])):
        model = learner("classes", hidden_layer_sizes=(4, 3), dropout=dropout)
        assert [layer.dense.dropout for layer in model.network_.layers] == shares


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["even", "weighted"])
@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_class_weight_is_a_weight_of_each_sample(kind, weight):
    y = TARGETS[kind]
    totals = np.bincount(y, weight)
    balanced = (totals.sum() / (len(totals) * totals))[y]
    if weight is None:
        np.testing.assert_allclose(balanced, compute_sample_weight("balanced", y))
    by_class = dict(enumerate([0.5, 3.0, 1.5]))
    by_hand = np.array([by_class[label] for label in y])
    for class_weight, of_samples in (("balanced", balanced), (by_class, by_hand)):
        one = fitted(small(class_weight=class_weight), X, y, weight)
        two = fitted(small(), X, y, of_samples * (1 if weight is None else weight))
        np.testing.assert_allclose(numbers_of(one), numbers_of(two), rtol=1e-10)


def test_class_weight_of_labels_by_name():
    names = np.array(["low", "mid", "high"])[CLASSES]
    one = fitted(small(class_weight={"low": 2.0, "mid": 1.0, "high": 0.5}), X, names)
    two = fitted(small(), X, names, np.array([2.0, 1.0, 0.5])[CLASSES])
    np.testing.assert_allclose(numbers_of(one), numbers_of(two), rtol=1e-10)


def test_class_weight_moves_the_answers():
    even, odd = (
        learner("binary", class_weight=weight, max_iter=100, learning_rate_init=0.05).predict(X).mean()
        for weight in ("balanced", {0: 1.0, 1: 20.0})
    )
    assert odd > even


@pytest.mark.parametrize("kind", ["binary", "classes", "labels"])
def test_label_smoothing_spreads_the_targets(kind):
    """The loss is that of soft targets: the share ε goes to all classes alike."""
    epsilon, y = 0.2, TARGETS[kind]
    model = learner(kind, label_smoothing=epsilon, alpha=0.0)
    Y = {"binary": y.reshape(N, -1), "classes": np.eye(3)[CLASSES], "labels": y}[kind]
    soft = Y * (1 - epsilon) + epsilon / (3 if kind == "classes" else 2)
    p = model.predict_proba(X)
    p = p[:, 1:] if kind == "binary" else p
    terms = soft * np.log(p) + (0 if kind == "classes" else (1 - soft) * np.log(1 - p))
    again = fitted(model.set_params(warm_start=True, max_iter=1), X, y)
    np.testing.assert_allclose(again.loss_, -terms.sum() / N)


def test_smoothed_targets_keep_probabilities_from_the_ends():
    longer = {"max_iter": 200, "learning_rate_init": 0.05, "hidden_layer_sizes": (20,), "alpha": 0.0}
    sharp, soft = (learner("classes", label_smoothing=s, **longer).predict_proba(X) for s in (0.0, 0.3))
    assert np.median(soft.max(axis=1)) < 0.85 < 0.95 < np.median(sharp.max(axis=1))


def test_clip_norm_shortens_the_first_step():
    step = {"max_iter": 1, "batch_size": N, "alpha": 0.0}
    start = numbers_of(learner("numbers", **still()))
    free = numbers_of(learner("numbers", solver="sgd(1.0)", **step)) - start
    clipped = numbers_of(learner("numbers", solver="sgd(1.0)", clip_norm=0.01, **step)) - start
    np.testing.assert_allclose(np.linalg.norm(clipped), 0.01, rtol=1e-9)
    np.testing.assert_allclose(clipped / 0.01, free / np.linalg.norm(free), rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------- first weights


def still(**parameters):
    """A training that moves nothing."""
    return {"max_iter": 1, "solver": "sgd(1e-300)", **parameters}


@pytest.mark.parametrize("kind", TARGETS)
def test_initial_weights_are_the_first_weights(kind):
    donor = learner(kind)
    given = ([W.tolist() for W in donor.coefs_], donor.intercepts_)
    model = learner(kind, initial_weights=given, random_state=99, **still())
    np.testing.assert_array_equal(numbers_of(model), numbers_of(donor))


def test_initializer_draws_the_first_weights():
    model = learner("classes", initializer="constant(0.25)", **still())
    assert (np.concatenate([W.ravel() for W in model.coefs_]) == 0.25).all()
    assert abs(np.concatenate(model.intercepts_)).max() < 1e-290
    one, two, other = (
        learner("classes", initializer="he_normal", hidden_layer_sizes=(400,), random_state=s, **still())
        for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(numbers_of(one), numbers_of(two))
    assert (numbers_of(one) != numbers_of(other)).any()
    assert abs(one.coefs_[0].std() - np.sqrt(2 / 5)) < 0.03


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize("rate", ["cosine", "one_cycle", "exponential(0.1)", "step(0.1, every=2)"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
def test_schedules_give_the_rates(rate, solver):
    from deltarule.nn.schedules import SCHEDULES

    rates = []
    model = small(learning_rate=rate, solver=solver, learning_rate_init=0.02, max_iter=8, batch_size=30)
    model.fit(X, CLASSES, callbacks=[lambda run: rates.append(run.history["learning_rate"][-1])])
    schedule = SCHEDULES.resolve(rate if "(" in rate else f"{rate}(0.02)")
    np.testing.assert_allclose(rates, [schedule(epoch - 0.25, 8) for epoch in range(1, 9)])


def test_solver_with_rates_of_its_own():
    rates = []
    model = small(solver="adam(cosine(0.5), beta1=0.8)", max_iter=4)
    model.fit(X, CLASSES, callbacks=[lambda run: rates.append(run.history["learning_rate"][-1])])
    assert rates[0] == 0.5
    assert rates[-1] < 0.2


# ---------------------------------------------------------------- validation data and early stopping


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize("kind", TARGETS)
def test_validation_data_are_scored_after_each_epoch(kind, parts):
    y = TARGETS[kind]
    Estimator = MLPClassifier if is_classification(kind) else MLPRegressor
    loss = {"loss": "poisson"} if kind == "counts" else {}
    data = (TEST_X, y[:40], WEIGHT[:40])[:parts]
    model = fitted(small(Estimator, alpha=0.0, **loss), X, y, validation_data=data)
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == model.n_iter_ == 6
    np.testing.assert_allclose(model.validation_scores_[-1], model.score(*data))
    np.testing.assert_allclose(model.validation_loss_curve_[-1], model.loss_and_gradients(*data)[0])
    assert model.best_validation_score_ == max(model.validation_scores_)
    unwatched = fitted(small(Estimator, alpha=0.0, **loss), X, y)
    np.testing.assert_array_equal(numbers_of(model), numbers_of(unwatched))


def test_validation_data_take_the_place_of_what_is_held_out():
    model = fitted(
        small(early_stopping=True, max_iter=200, learning_rate_init=0.1), X, CLASSES,
        validation_data=(TEST_X, TEST_Y),
    )  # fmt: skip
    assert model.t_ == N * model.n_iter_
    assert model.n_iter_ < 200
    assert model.should_stop_
    assert model.score(TEST_X, TEST_Y) == max(model.validation_scores_) == model.best_validation_score_


def f1(model, x, y):
    return f1_score(y, model.predict(x), average="macro")


@pytest.mark.parametrize("scoring", ["f1_macro", "neg_log_loss", f1, "accuracy", None])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("labels", [CLASSES, np.array(["a", "b", "c"])[CLASSES]], ids=["numbers", "names"])
def test_early_stopping_goes_back_to_the_best_score(scoring, given, labels):
    held = {"validation_data": (TEST_X, labels[:40])} if given else {}
    patience = {"max_iter": 60, "learning_rate_init": 0.1, "n_iter_no_change": 5}
    model = fitted(small(early_stopping=True, scoring=scoring, **patience), X, labels, **held)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    if given:
        y, answers = labels[:40], model.predict(TEST_X)
        if scoring == "neg_log_loss":
            found = -log_loss(y, model.predict_proba(TEST_X), labels=model.classes_)
        elif scoring in ("f1_macro", f1):
            found = f1_score(y, answers, average="macro")
        else:
            found = (answers == y).mean()
        np.testing.assert_allclose(found, model.best_validation_score_, rtol=1e-12)


def test_early_stopping_of_regressors_by_their_score():
    held = (TEST_X, NUMBERS[:40])
    for scoring in (None, "neg_mean_absolute_error"):
        model = small(MLPRegressor, early_stopping=True, scoring=scoring, max_iter=60, learning_rate_init=0.1)
        fitted(model, X, NUMBERS, validation_data=held)
        answers = model.predict(TEST_X)
        found = r2_score(held[1], answers) if scoring is None else -abs(held[1] - answers).mean()
        np.testing.assert_allclose(found, model.best_validation_score_, rtol=1e-12)


def test_a_warm_start_that_finds_nothing_better_keeps_the_best():
    model = small(early_stopping=True, warm_start=True, max_iter=30, learning_rate_init=0.05)
    fitted(model, X, CLASSES, validation_data=(TEST_X, TEST_Y))
    best, numbers = model.best_validation_score_, numbers_of(model)
    fitted(model.set_params(learning_rate_init=1.0, max_iter=2), X, CLASSES, validation_data=(TEST_X, TEST_Y))
    if model.best_validation_score_ == best:
        np.testing.assert_array_equal(numbers_of(model), numbers)
    assert model.score(TEST_X, TEST_Y) == model.best_validation_score_ >= best


def test_steps_with_validation_data_stop_and_go_back_to_the_best():
    model = small(early_stopping=True, n_iter_no_change=3, learning_rate_init=0.05, tol=0.0)
    best, calls = (-1.0, None), 0
    while calls < 200:
        model.partial_fit(X, CLASSES, classes=[0, 1, 2], validation_data=(TEST_X, TEST_Y))
        calls += 1
        assert len(model.validation_scores_) == len(model.validation_loss_curve_) == calls
        if model.should_stop_:
            break
        if model.validation_scores_[-1] > best[0]:
            best = model.validation_scores_[-1], numbers_of(model)
    assert model.should_stop_
    np.testing.assert_array_equal(numbers_of(model), best[1])
    assert model.score(TEST_X, TEST_Y) == best[0] == model.best_validation_score_


def test_steps_need_validation_data_to_stop_early():
    with pytest.raises(InputError, match="partial_fit does not support early_stopping=True unless"):
        small(early_stopping=True).partial_fit(X, CLASSES, classes=[0, 1, 2])


# ---------------------------------------------------------------- callbacks and progress


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_callbacks_see_the_run_and_can_stop_it(solver):
    seen = []

    def watch(run):
        assert isinstance(run, Run)
        seen.append((run.epoch, run.history["loss"][-1], run.net.parameters.copy()))
        run.stop = run.epoch == 4

    model = small(solver=solver, max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # who stops it himself hears nothing of convergence
        model.fit(X, CLASSES, callbacks=[watch])
    assert [epoch for epoch, *_ in seen] == [1, 2, 3, 4]
    assert [loss for _, loss, _ in seen] == model.loss_curve_
    assert model.n_iter_ == 4
    np.testing.assert_array_equal(model.network_.parameters, seen[-1][2])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_progress_goes_to_standard_error(Estimator, capsys):
    fitted(small(Estimator, progress=True), X, target_for(Estimator))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("epoch") == 6
    fitted(small(Estimator), X, target_for(Estimator))
    assert capsys.readouterr() == ("", "")


def test_verbose_prints_what_scikit_learn_prints(capsys):
    fitted(small(verbose=True, early_stopping=True, max_iter=2), X, CLASSES)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = ")
    assert lines[1].startswith("Validation score: ")


# ---------------------------------------------------------------- checkpoints

RESUMED = {
    "adam": {},
    "momentum": {"solver": "sgd"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2},
    "inverse scaling": {"solver": "sgd", "learning_rate": "inverse_scaling"},
    "cosine": {"learning_rate": "cosine"},
    "dropout": {"dropout": 0.3},
    "robust": {"preset": "robust", "max_iter": 20},
    "stopping": {"early_stopping": True, "n_iter_no_change": 4, "learning_rate_init": 0.05},
    "stopping by f1": {"early_stopping": True, "scoring": "f1_macro", "n_iter_no_change": 6},
    "lbfgs": {"solver": "lbfgs"},
}


class Killed(Exception):
    """The power went."""


def at_epoch(epoch, error):
    def callback(run):
        if run.epoch == epoch:
            raise error

    return callback


@pytest.mark.parametrize(("epoch", "error"), [(1, Killed), (8, Killed), (8, KeyboardInterrupt), (15, Killed)])
@pytest.mark.parametrize("case", RESUMED)
def test_resumed_training_ends_as_if_nothing_had_happened(case, epoch, error, tmp_path):
    parameters = {"max_iter": 20, "batch_size": 25, "learning_rate_init": 0.02} | RESUMED[case]
    whole = fitted(small(**parameters), X, CLASSES)
    path = tmp_path / "training"
    broken = small(**parameters)
    with warnings.catch_warnings(), contextlib.suppress(Killed):
        warnings.simplefilter("ignore", UserWarning)
        broken.fit(X, CLASSES, callbacks=[at_epoch(epoch, error)], checkpoint=path)
    resumed = fitted(small(**parameters), X, CLASSES, checkpoint=path, resume=True)
    np.testing.assert_array_equal(numbers_of(resumed), numbers_of(whole))
    for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_", "t_"):
        assert getattr(resumed, name) == getattr(whole, name), name
    assert resumed.n_iter_ == whole.n_iter_


def test_resumed_training_with_validation_data(tmp_path):
    path, options = tmp_path / "c", {"validation_data": (TEST_X, TEST_Y)}
    whole = fitted(small(max_iter=9), X, CLASSES, **options)
    with pytest.raises(Killed):
        small(max_iter=9).fit(X, CLASSES, callbacks=[at_epoch(5, Killed)], checkpoint=path, **options)
    resumed = fitted(small(max_iter=9), X, CLASSES, checkpoint=path, resume=True, **options)
    np.testing.assert_array_equal(numbers_of(resumed), numbers_of(whole))
    assert resumed.validation_scores_ == whole.validation_scores_
    assert resumed.validation_loss_curve_ == whole.validation_loss_curve_


@pytest.mark.slow
def test_killed_process_is_resumed(tmp_path):
    """Not an exception that could still tidy up: the process is gone."""
    script = textwrap.dedent(
        """
        import os, sys
        from tests.estimators.cases import CLASSES, X, small
        def die(run):
            if run.epoch == 7:
                os._exit(9)
        small(max_iter=12).fit(X, CLASSES, callbacks=[die], checkpoint=sys.argv[1])
        """
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = tmp_path / "training"
    process = subprocess.run([sys.executable, "-c", script, path], cwd=root, check=False, timeout=60)
    assert process.returncode == 9
    resumed = fitted(small(max_iter=12), X, CLASSES, checkpoint=path, resume=True)
    np.testing.assert_array_equal(numbers_of(resumed), numbers_of(fitted(small(max_iter=12), X, CLASSES)))


def test_resuming_without_a_file_starts_anew(tmp_path):
    model = fitted(small(), X, CLASSES, checkpoint=Checkpoint(tmp_path / "c", every=2), resume=True)
    assert (tmp_path / "c").exists()
    np.testing.assert_array_equal(numbers_of(model), numbers_of(fitted(small(), X, CLASSES)))


def test_resuming_a_finished_training_gives_it_again(tmp_path):
    one = fitted(small(), X, CLASSES, checkpoint=tmp_path / "c")
    two = fitted(small(), X, CLASSES, checkpoint=tmp_path / "c", resume=True)
    np.testing.assert_array_equal(numbers_of(one), numbers_of(two))
    assert two.n_iter_ == 6


def test_checkpoint_of_something_else_is_refused(tmp_path):
    fitted(small(), X, CLASSES, checkpoint=tmp_path / "c")
    with pytest.raises(ModelFileError, match="a different network"):
        small(hidden_layer_sizes=(5,)).fit(X, CLASSES, checkpoint=tmp_path / "c", resume=True)
    with pytest.raises(InputError, match="other samples"):
        small().fit(2 * X, CLASSES, checkpoint=tmp_path / "c", resume=True)
    (tmp_path / "noise").write_bytes(b"noise")
    with pytest.raises(ModelFileError):
        small().fit(X, CLASSES, checkpoint=tmp_path / "noise", resume=True)


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b", "c"]),
        np.array(["ä", "日本", ""], dtype=object),
        np.array([-7, 3, 100]),
        np.array([0.0, 1.0, 5.0]),
    ],
    ids=["texts", "objects", "gaps", "floats"],
)
def test_labels_are_answered_as_they_came(labels):
    model = fitted(small(max_iter=30, learning_rate_init=0.05), X, labels[CLASSES])
    answers, known = model.predict(X), np.sort(labels)
    assert set(answers) <= set(labels)
    assert (model.classes_ == known).all()
    codes = small(max_iter=30, learning_rate_init=0.05)
    fitted(codes, X, np.searchsorted(known, labels[CLASSES]))
    np.testing.assert_array_equal(answers, known[codes.predict(X)])
    np.testing.assert_array_equal(model.predict_proba(X), codes.predict_proba(X))


def test_truth_values_are_labels():
    model = fitted(small(), X, BINARY.astype(bool))
    assert model.predict(X).dtype == bool
    assert model.classes_.tolist() == [False, True]
    assert model.out_activation_ == "logistic"
    np.testing.assert_array_equal(numbers_of(model), numbers_of(fitted(small(), X, BINARY)))


def test_labels_as_a_list():
    assert set(fitted(small(), X, ["no", "yes"] * (N // 2)).predict(X)) <= {"no", "yes"}


def test_several_labels_step_by_step_without_classes():
    one, two = small(), small()
    for _ in range(3):
        one.partial_fit(X, LABELS)
        two.partial_fit(X, LABELS, classes=[0, 1, 2])
    np.testing.assert_array_equal(numbers_of(one), numbers_of(two))
    assert one.predict(X).shape == LABELS.shape
    sparse_labels = small()
    for _ in range(3):
        sparse_labels.partial_fit(X, sparse.csr_array(LABELS))
    np.testing.assert_array_equal(numbers_of(one), numbers_of(sparse_labels))


def test_classes_that_a_step_does_not_show():
    model = small()
    model.partial_fit(X[:2], ["b", "b"], classes=["a", "b", "c"])
    assert model.predict_proba(X).shape == (N, 3)
    with pytest.raises(InputError, match=r"classes not in.*'d'.* in row 1"):
        model.partial_fit(X[:2], ["a", "d"])
    with pytest.raises(InputError, match="differ from those of the first call"):
        model.partial_fit(X[:2], ["a", "b"], classes=["a", "b"])
    with pytest.raises(InputError, match="classes must be passed on the first call"):
        small().partial_fit(X, CLASSES)


# ---------------------------------------------------------------- sparse rows


@pytest.mark.parametrize(
    "parameters", [{}, {"dropout": 0.3}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str
)
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_rows_equal_dense_ones(make, parameters):
    x = np.where(abs(X) > 0.8, X, 0.0)
    one, two = fitted(small(**parameters), x, CLASSES), fitted(small(**parameters), make(x), CLASSES)
    np.testing.assert_allclose(numbers_of(one), numbers_of(two), rtol=1e-8, atol=1e-12)
    for method in ("predict_proba", "transform"):
        dense, given = getattr(one, method)(x), getattr(two, method)(make(x))
        np.testing.assert_allclose(given, dense, rtol=1e-7, atol=1e-12)


def test_standardized_sparse_rows_are_scaled_and_not_shifted():
    x = np.where(abs(X) > 0.8, X, 0.0)
    model = fitted(small(standardize=True), sparse.csr_array(x), CLASSES)
    twin = fitted(small(), x / x.std(axis=0), CLASSES)
    np.testing.assert_allclose(numbers_of(model), numbers_of(twin), rtol=1e-8)


@pytest.mark.slow
def test_sparse_rows_stay_sparse():
    """Dense, these inputs would take 8 GB."""
    script = textwrap.dedent(
        """
        import resource, warnings
        import numpy as np
        from scipy import sparse
        from deltarule.estimators import MLPClassifier
        warnings.simplefilter("ignore")
        x = sparse.random_array((20_000, 50_000), density=2e-4, rng=np.random.default_rng(0), format="csr")
        y = np.arange(20_000) % 2
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model = MLPClassifier((5,), max_iter=1, random_state=0).fit(x, y)
        model.partial_fit(x, y)
        model.predict_proba(x), model.transform(x)
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
        """
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 600


# ---------------------------------------------------------------- looking into it


@pytest.mark.parametrize(
    "parameters", [{}, {"standardize": True}, {"activation": "tanh", "alpha": 0.5}], ids=str
)
@pytest.mark.parametrize("kind", TARGETS)
def test_gradients_are_those_of_differences(kind, parameters):
    model, y = learner(kind, **parameters), TARGETS[kind]
    _, coefs, intercepts = model.loss_and_gradients(X, y, WEIGHT)
    for parts, gradients in ((model.coefs_, coefs), (model.intercepts_, intercepts)):
        for part, gradient in zip(parts, gradients, strict=True):
            place = np.unravel_index(np.argmax(abs(gradient)), gradient.shape)
            at, losses = part[place], []
            for step in (1e-6, -1e-6):
                part[place] = at + step
                losses.append(model.loss_and_gradients(X, y, WEIGHT)[0])
            part[place] = at
            np.testing.assert_allclose(gradient[place], (losses[0] - losses[1]) / 2e-6, rtol=1e-5)


def test_explanation_has_the_numbers_of_the_network():
    model = learner("classes", max_iter=3, alpha=0.0)
    loss, coefs, _ = model.loss_and_gradients(X[:1], CLASSES[:1])
    for what, value in (("W2[1,0]", coefs[1][1, 0]), ("loss", loss)):
        for derivation in (
            model.explain(X, CLASSES, what, sample=0, digits=6),
            model.explain(X[:1], CLASSES[:1], what, digits=6),
        ):
            assert f"{abs(value):.6g}"[:6] in str(derivation)


def test_health_names_what_is_wrong():
    model = fitted(small(hidden_layer_sizes=(6,)), X, CLASSES)
    assert model.health(X, CLASSES)
    model.intercepts_[0][:] = -1e3  # no neuron is ever active
    assert "dead" in str(model.health(X, CLASSES)).lower()


def test_plot_shows_the_losses(tmp_path):
    pytest.importorskip("matplotlib")
    model = fitted(small(), X, CLASSES, validation_data=(TEST_X, TEST_Y))
    figure = model.plot_loss(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    drawn = [line.get_ydata().tolist() for line in figure.axes[0].get_lines()]
    assert model.loss_curve_ in drawn
    assert model.validation_loss_curve_ in drawn


@pytest.mark.parametrize("kind", TARGETS)
def test_network_that_leaves_answers_alike(kind):
    model = learner(kind)
    net = model.to_network()
    assert isinstance(net, Network)
    assert not np.shares_memory(net.parameters, model.network_.parameters)
    expected = model.predict_proba(X) if is_classification(kind) else model.predict(X)
    expected = expected[:, 1:] if kind == "binary" else expected.reshape(N, -1)
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", TARGETS)
def test_network_that_leaves_takes_its_scaling_along(kind, tmp_path):
    model = learner(kind, standardize=True)
    model.to_network().save(tmp_path / "net")
    net = Network.load(tmp_path / "net")
    table = Table({f"x{i}": X[:, i] for i in range(5)})
    answers = net.encoding.decode(net.predict(net.encoding.inputs.encode(table)))
    if kind == "labels":
        np.testing.assert_allclose(answers, model.predict_proba(X), rtol=1e-10)
    elif kind in ("binary", "classes"):
        np.testing.assert_array_equal(answers, model.predict(X))
    else:
        np.testing.assert_allclose(answers, model.predict(X), rtol=1e-10)


def test_rates_that_no_file_could_name_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"learning_rate='invscaling'.*use 'inverse_scaling'"):
        small(solver="sgd", learning_rate="invscaling").fit(X, CLASSES, checkpoint=tmp_path / "c")


# ---------------------------------------------------------------- the autoencoder


@pytest.mark.parametrize("parameters", [{}, {"standardize": True}], ids=str)
@pytest.mark.parametrize("sizes", [(3,), (8, 2, 8), (2, 2)])
def test_autoencoder_says_what_its_code_says(sizes, parameters):
    model = fitted(MLPAutoencoder(sizes, "tanh", random_state=0, max_iter=30, **parameters), X)
    code = model.transform(X)
    assert code.shape == (N, min(sizes))
    np.testing.assert_allclose(model.inverse_transform(code), model.predict(X), rtol=1e-12)
    np.testing.assert_allclose(model.score(X), r2_score(X, model.predict(X)))
    np.testing.assert_array_equal(code, model.transform(X, layer=1 + int(np.argmin(sizes))))
    np.testing.assert_array_equal(fitted(clone_of(model), X).transform(X), clone_of(model).fit_transform(X))
    with pytest.raises(InputError, match=r"Z must have shape \(n_samples, \d\), got \(120, 5\)"):
        model.inverse_transform(X)


def clone_of(model):
    return type(model)(**model.get_params())


def test_autoencoder_finds_what_lies_in_a_plane():
    generator = np.random.default_rng(0)
    plane = 3 + generator.normal(size=(300, 2)) @ generator.normal(size=(2, 6))
    model = MLPAutoencoder(2, "identity", solver="lbfgs", random_state=0, max_iter=500, alpha=0)
    assert model.fit(plane).score(plane) > 0.999


def test_autoencoder_of_shares_has_a_cross_entropy():
    shares = 1 / (1 + np.exp(-X))
    model = fitted(MLPAutoencoder(4, loss="log_loss", random_state=0, max_iter=50), shares)
    answers = model.predict(shares)
    assert answers.min() > 0
    assert answers.max() < 1
    with pytest.raises(InputError, match="targets between"):
        MLPAutoencoder(4, loss="log_loss").fit(X)


def test_autoencoder_with_validation_data_and_steps(tmp_path):
    model = fitted(MLPAutoencoder(2, random_state=0, max_iter=5), X, validation_data=TEST_X)
    np.testing.assert_allclose(model.validation_scores_[-1], model.score(TEST_X))
    stepped = MLPAutoencoder(2, random_state=0, early_stopping=True)
    for _ in range(5):
        stepped.partial_fit(X, validation_data=TEST_X)
    assert stepped.validation_scores_ == model.validation_scores_


# ---------------------------------------------------------------- standardize and preset


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["even", "weighted"])
@pytest.mark.parametrize("kind", TARGETS)
def test_standardize_is_a_scaler_in_front(kind, weight):
    x, y = 50 + 9 * X, TARGETS[kind]
    Estimator = MLPClassifier if is_classification(kind) else MLPRegressor
    parameters = {"loss": "poisson"} if kind == "counts" else {}
    one = fitted(small(Estimator, standardize=True, **parameters), x, y, weight)
    scaler = StandardScaler().fit(x, sample_weight=weight)
    targets = StandardScaler().fit(y.reshape(N, -1), sample_weight=weight)
    in_units = kind in ("numbers", "columns")
    scaled = targets.transform(y.reshape(N, -1)).reshape(y.shape) if in_units else y
    two = fitted(small(Estimator, **parameters), scaler.transform(x), scaled, weight)
    np.testing.assert_allclose(numbers_of(one), numbers_of(two), rtol=1e-8)
    answers = two.predict(scaler.transform(x))
    if in_units:
        answers = targets.inverse_transform(answers.reshape(N, -1)).reshape(y.shape)
    np.testing.assert_allclose(one.predict(x), answers, rtol=1e-8)


def test_standardize_of_a_column_that_never_changes():
    x = np.column_stack([X, np.full(N, 7.0), np.zeros(N)])
    model = fitted(small(standardize=True), x, CLASSES)
    assert np.isfinite(model.predict_proba(x)).all()
    regressor = fitted(small(MLPRegressor, standardize=True), x, np.full(N, 3.0))
    np.testing.assert_allclose(regressor.predict(x), 3.0, atol=2)


def test_standardized_pipeline_takes_rows_of_any_unit():
    one = fitted(small(preset="robust"), X, CLASSES)
    two = fitted(small(preset="robust"), 1e6 * X + 1e5, CLASSES)
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(1e6 * X + 1e5), rtol=1e-6)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_preset_fills_what_was_left_at_its_default(Estimator):
    y, base = target_for(Estimator), {"hidden_layer_sizes": (4,), "random_state": 0}
    preset = {name: v for name, v in PRESETS["robust"].items() if name not in Estimator.not_preset}
    assert preset.keys() >= {"standardize", "solver", "learning_rate", "max_iter"}
    for own in ({}, {"solver": "sgd"}, {"alpha": 0.5}, {"max_iter": 7}, {"batch_size": 10}):
        by_name = fitted(Estimator(preset="robust", **base, **own), X, y)
        by_hand = fitted(Estimator(**base, **(preset | own)), X, y)
        np.testing.assert_array_equal(numbers_of(by_name), numbers_of(by_hand))
        assert by_name.get_params()["standardize"] is False

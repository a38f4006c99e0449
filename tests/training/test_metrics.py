"""Metrics equal scikit-learn's, and evaluation works in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from deltarule import METRICS, Checkpoint, InputError, Metric, Network, confusion_matrix, evaluate, train

from .cases import samples, small, softmax

rng = np.random.default_rng(0)
N_CLASSES = 6
SCORES = softmax(rng.normal(size=(400, N_CLASSES)))
LABELS = rng.integers(0, N_CLASSES, 400)
ONE_HOT = np.eye(N_CLASSES)[LABELS]
BINARY = rng.uniform(size=(400, 1))
TRUTH = rng.integers(0, 2, (400, 1)).astype(float)


def value(name, a, y):
    return METRICS.resolve(name).value(a, y)


def test_accuracy_equals_scikit_learns():
    assert value("accuracy", SCORES, ONE_HOT) == sk.accuracy_score(LABELS, SCORES.argmax(axis=1))
    assert value("accuracy", BINARY, TRUTH) == sk.accuracy_score(TRUTH, BINARY > 0.5)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_top_k_equals_scikit_learns(k):
    assert value(f"top({k})", SCORES, ONE_HOT) == sk.top_k_accuracy_score(LABELS, SCORES, k=k)


def test_top_of_all_classes_is_always_right():
    assert value(f"top({N_CLASSES})", SCORES, ONE_HOT) == 1
    assert value("top(100)", SCORES, ONE_HOT) == 1
    assert METRICS.resolve("top").name == "top(3)"


def test_the_confusion_matrix_equals_scikit_learns():
    np.testing.assert_array_equal(
        confusion_matrix(SCORES, ONE_HOT), sk.confusion_matrix(LABELS, SCORES.argmax(axis=1))
    )
    np.testing.assert_array_equal(confusion_matrix(BINARY, TRUTH), sk.confusion_matrix(TRUTH, BINARY > 0.5))


def test_a_class_that_never_occurs_keeps_its_row_and_column():
    matrix = confusion_matrix(np.eye(4)[[0, 1, 1]], np.eye(4)[[0, 0, 1]])
    np.testing.assert_array_equal(matrix, [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_r2_and_the_mean_absolute_error_equal_scikit_learns(n_outputs):
    y = rng.normal(size=(50, n_outputs)) * [10.0**i for i in range(n_outputs)]
    a = y + rng.normal(size=y.shape)
    assert value("r2", a, y) == pytest.approx(sk.r2_score(y, a), rel=1e-13)
    assert value("mae", a, y) == pytest.approx(sk.mean_absolute_error(y, a), rel=1e-13)


def test_r2_of_a_constant_target_is_as_in_scikit_learn():
    y = np.column_stack([np.full(5, 2.0), np.arange(5.0)])
    for a in (y, y + 0.5):
        assert value("r2", a, y) == pytest.approx(sk.r2_score(y, a), rel=1e-13)


def test_metrics_know_whether_more_is_better():
    rises = {name: METRICS.resolve(name).increases for name in METRICS}
    assert rises == {"top": True, "accuracy": True, "r2": True, "mae": False}


def test_evaluation_gives_the_cost_and_the_metrics():
    X, Y = samples(100)
    net = small(l2=0.1)
    weight = rng.uniform(0.5, 2, 100)
    found = evaluate(net, X, Y, sample_weight=weight, metrics=["accuracy", "mae"])
    assert list(found) == ["loss", "accuracy", "mae"]
    assert found["loss"] == pytest.approx(net.cost(X, Y, weight), rel=1e-13)
    assert found["accuracy"] == sk.accuracy_score(Y.argmax(1), net.predict(X).argmax(1))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_evaluation_in_chunks_equals_evaluation_at_once(reduction):
    X, Y = samples(20_001)
    net = small(reduction=reduction, l1=0.01)
    found = evaluate(net, X, Y, metrics=["accuracy"])
    assert found["loss"] == pytest.approx(net.cost(X, Y), rel=1e-12)
    assert found["accuracy"] == (net.predict(X).argmax(1) == Y.argmax(1)).mean()


def test_evaluation_takes_class_numbers_and_bytes():
    X, Y = samples(50)
    pixels = (X * 20 + 100).astype(np.uint8)
    net = small()
    assert evaluate(net, pixels, Y.argmax(1)) == evaluate(net, pixels.astype(float), Y)


def test_a_metric_of_ones_own_is_measured():
    X, Y = samples()
    ours = Metric("largest_error", lambda a, y: float(np.abs(a - y).max()), "max |a − y|", False)
    net = small()
    history = train(net, X, Y, epochs=2, metrics=[ours])
    assert history["largest_error"][-1] == pytest.approx(np.abs(net.predict(X) - Y).max(), rel=1e-13)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (["acuracy"], "unknown metric 'acuracy'; did you mean 'accuracy'"),
        (["top(0)"], "top: k must be a whole number ≥ 1"),
        ([3], "metric must be a name or Metric"),
        ("accuracy", "metrics must be a sequence"),
        (None, "metrics must be a sequence"),
    ],
)
def test_metrics_that_are_not_known_are_refused_before_anything_is_trained(metrics, message):
    net = small()
    before = net.parameters.copy()
    with pytest.raises(InputError, match=message):
        train(net, *samples(), epochs=1, metrics=metrics)
    np.testing.assert_array_equal(net.parameters, before)


def test_the_first_k_of_a_single_output_are_refused():
    with pytest.raises(InputError, match="an output for each class"):
        evaluate(Network([3, 1]), np.ones((2, 3)), np.ones(2), metrics=["top(2)"])


def test_a_metric_that_no_checkpoint_can_name_is_refused_beside_one(tmp_path):
    ours = Metric("largest_error", lambda a, y: float(np.abs(a - y).max()), "max |a − y|", False)
    with pytest.raises(InputError, match="cannot write checkpoints: unknown metric 'largest_error'"):
        train(small(), *samples(), epochs=1, metrics=[ours], checkpoint=Checkpoint(tmp_path / "c"))
    assert not list(tmp_path.iterdir())

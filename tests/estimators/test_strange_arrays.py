"""Arrays with cells that are not there are refused; classes may be given by position; sizes do not change."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.errors import InputError
from deltarule.estimators import MLPAutoencoder, MLPClassifier, MLPRegressor
from deltarule.nn.network import Network
from deltarule.training import train

X = np.random.default_rng(0).normal(size=(30, 2))
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
y = (X[:, 0] > 0).astype(int)


def test_masked_cells_and_missing_dates_are_refused() -> None:
    clf = MLPClassifier(max_iter=2)
    with pytest.raises(InputError, match="X has masked cells"):
        clf.fit(np.ma.masked_array(X, mask=X > 1), y)
    with pytest.raises(InputError, match="y has masked cells"):
        clf.fit(X, np.ma.masked_array(y, mask=y == 1))
    dates = np.full(X.shape, np.datetime64("2024-01-01"))
    dates[3, 1] = np.datetime64("NaT", "D")
    with pytest.raises(InputError, match="missing date"):
        clf.fit(dates, y)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="missing date"):
        clf.fit(pandas.DataFrame(dates), y)
    assert clf.fit(np.ma.masked_array(X), y).n_features_in_ == 2


_masked = np.ma.masked_array(X, mask=X > 1)
_undated = np.full(X.shape, np.datetime64("NaT", "D"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (_masked, "masked"),
        (list(_masked), "masked"),
        (_undated, "row 0, column 0"),
        (_undated.tolist(), None),
        ([list(row) for row in _undated], "row 0, column 0"),
        ([[1.0, 2.0], [1.0, np.datetime64("NaT", "D")]] * 15, "row 1, column 1"),
    ],
)
def test_whatever_takes_rows_refuses_cells_that_are_not_there(rows, message) -> None:
    found = "NaN|None" if message is None else message
    clf, code = MLPClassifier((3,), max_iter=2).fit(X, y), MLPAutoencoder((1,), max_iter=2).fit(X)
    reg = MLPRegressor(hidden_layer_sizes=(3,), max_iter=2).fit(X, y)
    for call in (reg.predict, clf.predict, clf.predict_proba, code.transform, code.fit, code.score):
        with pytest.raises(ValueError, match=found):
            call(rows)
    for call in (clf.score, clf.fit, clf.partial_fit, reg.fit):
        with pytest.raises(ValueError, match=found):
            call(rows, y)
    with pytest.raises(ValueError, match=found):
        clf.fit(X, y, validation_data=(rows, y))
    net = Network([2, 1])
    for work in (net.predict, net.forward, lambda rows: train(net, rows, y, epochs=1)):
        with pytest.raises(InputError, match=found):
            work(rows)


def test_masked_weights_are_refused() -> None:
    weight = np.ma.masked_array(np.ones(len(X)), mask=y == 1)
    for call in (MLPClassifier(max_iter=2).fit, MLPClassifier(max_iter=2).fit(X, y).partial_fit):
        with pytest.raises(InputError, match="sample_weight has masked cells"):
            call(X, y, sample_weight=weight)
    with pytest.raises(InputError, match="sample_weight has masked cells"):
        MLPClassifier(max_iter=2).fit(X, y, validation_data=(X, y, weight))


def test_masked_answers_are_not_scored() -> None:
    hidden = np.ma.masked_array(y, mask=y == 1)
    clf, reg = MLPClassifier(max_iter=2).fit(X, y), MLPRegressor(max_iter=2).fit(X, y)
    for fitted in (clf, reg):
        assert fitted.score(X, np.ma.masked_array(y)) == fitted.score(X, y)
        with pytest.raises(InputError, match="y has masked cells"):
            fitted.score(X, hidden)
        with pytest.raises(InputError, match="sample_weight has masked cells"):
            fitted.score(X, y, sample_weight=hidden)


def test_a_date_is_no_number_for_a_network() -> None:
    with pytest.raises(InputError, match=r"must hold real numbers, got .*2024-01-01.* at row 0, column 1"):
        Network([2, 1]).predict([[1.0, np.datetime64("2024-01-01")]])


def test_classes_may_be_given_by_position() -> None:
    clf = MLPClassifier(max_iter=2).partial_fit(X, y, np.array([0, 1, 2]))
    assert clf.classes_.tolist() == [0, 1, 2]


def test_a_warm_start_with_other_sizes_is_refused() -> None:
    clf = MLPClassifier(hidden_layer_sizes=(4,), max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(InputError, match=r"hidden_layer_sizes=\(4,\), not \(7,\)"):
        clf.set_params(hidden_layer_sizes=(7,)).fit(X, y)

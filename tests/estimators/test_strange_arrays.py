"""Arrays with cells that are not there are refused; classes may be given by position; sizes do not change."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.errors import InputError
from deltarule.estimators import MLPClassifier

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


def test_classes_may_be_given_by_position() -> None:
    clf = MLPClassifier(max_iter=2).partial_fit(X, y, np.array([0, 1, 2]))
    assert clf.classes_.tolist() == [0, 1, 2]


def test_a_warm_start_with_other_sizes_is_refused() -> None:
    clf = MLPClassifier(hidden_layer_sizes=(4,), max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(InputError, match=r"hidden_layer_sizes=\(4,\), not \(7,\)"):
        clf.set_params(hidden_layer_sizes=(7,)).fit(X, y)

"""Many trainings at once, on processes of joblib's or Dask's: the scores are those of one after the other."""

from __future__ import annotations

import os

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from deltarule.estimators import MLPClassifier

pytestmark = pytest.mark.slow

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4))
Y = (X.sum(axis=1) > 0).astype(int)
GRID = {"hidden_layer_sizes": [(4,), (8,)], "alpha": [1e-4, 1e-2]}


def scores(search, n_jobs):
    net = MLPClassifier(solver="adam", max_iter=30, early_stopping=True, random_state=0)
    given = {"n_iter": 3, "random_state": 0} if search is RandomizedSearchCV else {}
    return search(net, GRID, cv=2, n_jobs=n_jobs, **given).fit(X, Y).cv_results_["mean_test_score"].tolist()


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
def test_two_processes_of_joblib_find_the_same_scores(search):
    assert scores(search, 2) == scores(search, 1)


@pytest.mark.filterwarnings("ignore")  # Dask's own, about ports and slow connections
def test_two_workers_of_dask_find_the_same_scores():
    distributed = pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    settings = {"n_workers": 2, "threads_per_worker": 1, "env": {"NUMBA_NUM_THREADS": "1"}}
    with (
        distributed.LocalCluster(dashboard_address=None, **settings) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert set(client.run(lambda: os.environ["NUMBA_NUM_THREADS"]).values()) == {"1"}
        with joblib.parallel_backend("dask"):
            found = scores(GridSearchCV, -1)
    assert found == scores(GridSearchCV, 1)

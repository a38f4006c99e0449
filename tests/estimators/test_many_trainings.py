"""Many trainings at once, on processes of joblib's or Dask's: the scores are those of one after the other."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from deltarule.estimators import MLPClassifier

pytestmark = pytest.mark.slow

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4))
Y = (X.sum(axis=1) > 0).astype(int)
GRID = {"hidden_layer_sizes": [(4,), (8,)], "alpha": [1e-4, 1e-2]}
NET = MLPClassifier(solver="adam", max_iter=30, early_stopping=True, random_state=0)


def scores(search, n_jobs):
    given = {"n_iter": 3, "random_state": 0} if search is RandomizedSearchCV else {}
    return search(NET, GRID, cv=2, n_jobs=n_jobs, **given).fit(X, Y).cv_results_["mean_test_score"].tolist()


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
def test_two_processes_of_joblib_find_the_same_scores(search):
    assert scores(search, 2) == scores(search, 1)


@pytest.mark.filterwarnings("ignore")  # Dask's own, about ports and slow connections
def test_two_workers_of_dask_find_the_same_scores_by_the_recipe_of_the_documentation():
    pytest.importorskip("distributed")
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text("utf-8")
    recipe = next(text for text in re.findall("```python\n(.*?)```", page, re.S) if "LocalCluster(" in text)
    recipe = recipe.replace("n_workers=4", "n_workers=2") + (
        '    n_threads = Client.current().run(os.getenv, "NUMBA_NUM_THREADS").values()\n'
        "    n_steps = cluster.scheduler.transition_counter\n"
    )
    names = {"os": os, "X": X, "y": Y, "search": GridSearchCV(NET, GRID, cv=2, n_jobs=2)}
    exec(recipe, names)
    assert list(names["n_threads"]) == ["1", "1"]
    assert names["n_steps"] >= 8  # the fits ran there
    assert names["search"].cv_results_["mean_test_score"].tolist() == scores(GridSearchCV, 1)

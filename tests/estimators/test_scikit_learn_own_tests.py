"""scikit-learn's own tests of its networks, from the installed package, with ours in their place."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from deltarule import estimators
from deltarule.estimators import MLPClassifier

from .cases import fitted

THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"
OURS = "from deltarule.estimators import MLPClassifier, MLPRegressor\n"

#: What looks at private attributes of theirs; the same claims are made of ours below.
LEFT_OUT = {
    "test_gradient": "calls _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads _optimizer.learning_rate",
    "test_adaptive_learning_rate": "reads _optimizer.learning_rate",
}
#: What takes longest.
SLOW = {"test_n_iter_no_change_inf", "test_partial_fit_classification"}

#: Theirs run where warnings are no errors.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def global_random_seed():
    return 42


def _collect():
    """Their test functions, compiled under their own file's name, for this module."""
    path = Path(find_spec("sklearn.neural_network.tests.test_mlp").origin)
    source = path.read_text(encoding="utf-8")
    assert source.count(THEIRS) == 1
    names = {"__name__": __name__, "__file__": str(path)}
    exec(compile(source.replace(THEIRS, OURS), str(path), "exec"), names)
    assert names["MLPClassifier"] is estimators.MLPClassifier
    tests = {name: value for name, value in names.items() if name.startswith("test_")}
    return {
        name: pytest.mark.slow(test) if name in SLOW else test
        for name, test in tests.items()
        if name not in LEFT_OUT
    }


globals().update(_collect())


# ---------------------------------------------------------------- the three claims, of what is public


def rates_of(model, *data):
    """The learning rate of each epoch of a training."""
    rates = []
    fitted(model, *data, callbacks=[lambda run: rates.append(run.history["learning_rate"][-1])])
    return rates


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_gradient_is_that_of_differences(n_labels, activation):
    x = np.random.RandomState(42).rand(5, 10)
    y = 1 + np.mod(np.arange(5) + 1, n_labels)
    model = fitted(
        MLPClassifier(10, activation, solver="lbfgs", alpha=1e-5, max_iter=1, random_state=1), x, y
    )
    _, coef_gradients, intercept_gradients = model.loss_and_gradients(x, y)
    for parts, gradients in (
        (model.coefs_, coef_gradients),
        (model.intercepts_, intercept_gradients),
    ):
        for part, gradient in zip(parts, gradients, strict=True):
            for place in np.ndindex(part.shape):
                at, step = part[place], 1e-5
                part[place] = at + step
                above = model.loss_and_gradients(x, y)[0]
                part[place] = at - step
                below = model.loss_and_gradients(x, y)[0]
                part[place] = at
                np.testing.assert_allclose(gradient[place], (above - below) / (2 * step), atol=1.5e-7)


def test_rate_goes_on_from_the_samples_seen():
    x, y = [[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0]
    for schedule in ["invscaling", "constant"]:
        model = MLPClassifier(
            4, solver="sgd", learning_rate=schedule, max_iter=2, power_t=0.25, warm_start=True
        )
        first, second = rates_of(model, x, y), rates_of(model, x, y)
        if schedule == "constant":
            assert set(first + second) == {0.001}
        else:
            assert first == [0.001, 0.001 / (4 + 1) ** 0.25]
            assert second == [0.001, 0.001 / (12 + 1) ** 0.25]


def test_adaptive_rate_falls_until_it_is_tiny():
    model = MLPClassifier(tol=0.5, max_iter=3000, solver="sgd", learning_rate="adaptive")
    rates = rates_of(model, [[3, 2], [1, 6]], [1, 0])
    assert model.n_iter_ == len(rates) < 3000
    assert rates[-1] < 1e-6
    assert rates[0] == 0.001
    assert all(later in (rate, rate / 5) for rate, later in pairwise(rates))

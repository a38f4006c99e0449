"""Which engine trains and predicts."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from deltarule import Activation, InputError, Network, train
from deltarule.nn import engines
from deltarule.nn.engines import choose_engine, compiled
from deltarule.nn.engines.predictions import predict
from deltarule.nn.optimizers import OPTIMIZERS

pytest.importorskip("numba")


def test_what_it_cannot_predict_the_reference_predicts_and_says_so():
    net = Network([2, 2], output=Activation("own", lambda z: z, lambda z, a: z, "f(z) = z", ""))
    with pytest.warns(UserWarning, match="activation 'own' is not built into it; NumPy does"):
        ours = net.predict([[1, 2]], engine="compiled")
    np.testing.assert_array_equal(ours, net.predict([[1, 2]]))
    with pytest.raises(InputError, match="unknown engine 'numpy'; choose from: reference, compiled"):
        net.predict([[1, 2]], engine="numpy")


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="unknown engine 'compield'; did you mean 'compiled'"):
        train(Network([1, 1]), [[1]], [1], engine="compield")


def test_auto_compiles_only_where_numpy_would_take_long():
    small, large, sgd = Network([2, 2, 2]), Network([200, 200]), OPTIMIZERS.resolve("sgd")
    own = Network([2, 2], output=Activation("own", lambda z: z, lambda z, a: z, "f(z) = z", ""))
    assert choose_engine("auto", small, sgd, 1, 10**6) == "compiled"
    assert choose_engine("auto", small, sgd, 1, 1000) == "reference"
    assert choose_engine("auto", large, sgd, 256, 10**5) == "compiled"
    assert choose_engine("auto", large, sgd, 256, 1000) == "reference"
    assert choose_engine("auto", own, sgd, 1, 10**6) == "reference"
    assert choose_engine("compiled", small, OPTIMIZERS.resolve("lbfgs"), 1, 10) == "reference"


def test_the_engine_that_trained_predicts_too(monkeypatch):
    X, Y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    net = Network([3, 4, 2], output="softmax")
    assert np.array_equal(net.predict(X), net.predict(X, engine="reference"))
    train(net, X, Y, epochs=1, engine="compiled")
    called = []
    monkeypatch.setattr(compiled, "predict", lambda *given: called.append(given) or predict(*given))
    for one in (net, net.copy(), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(one.predict(X), predict(net, X))
    assert len(called) == 3
    train(net, X, Y, epochs=1, engine="reference")
    assert np.array_equal(net.predict(X), net.predict(X, engine="reference"))
    assert len(called) == 3
    monkeypatch.setattr(engines, "is_there", lambda name: False)
    net.engine = "compiled"
    assert np.array_equal(net.predict(X), net.predict(X, engine="reference"))


def test_numpy_predicts_by_one_thread_of_blas_where_products_are_small():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    seen = []

    def threads_of_blas():
        return {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"}

    def value(z):
        seen.append(threads_of_blas())
        return z

    own = Activation("own", value, lambda z, a: z, "f(z) = z", "")
    small, large = Network([64, 100, 10], output=own), Network([600, 100, 10], output=own)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads_of_blas()
        small.predict(np.zeros((900, 64)))
        large.predict(np.zeros((512, 600)))
        assert threads_of_blas() == before
    assert seen == [{1}, {1}, before]

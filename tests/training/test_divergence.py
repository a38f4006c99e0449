"""Numbers too large or too small: a finite network, or an error that names the first bad epoch."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import DivergenceError, EarlyStopping, Network, train
from deltarule.nn.engines import reference

from .cases import GRADIENT_STEPS, OPTIMIZER_NAMES, samples, small

X, Y = samples()
OUTPUTS = ["softmax", "sigmoid", "identity", "relu"]


def check(make, x, y, **settings):
    """Train; where it diverges, the network is what it was before the epoch that the error names.

    Returns the history, or the number of that epoch.
    """
    net, error = make(), None
    try:
        history = train(net, x, y, epochs=5, **settings)
    except DivergenceError as raised:
        error = raised
    assert np.isfinite(net.parameters).all()
    if error is None:
        assert np.isfinite(history.to_array()).all()
        return history
    assert f"epoch {error.epoch}:" in str(error)
    twin = make()
    if error.epoch > 1:
        train(twin, x, y, epochs=error.epoch - 1, **settings)
    np.testing.assert_array_equal(net.parameters, twin.parameters)
    return error.epoch


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
@pytest.mark.parametrize("scale", [1e30, 1e-30, 1e300])
def test_inputs_of_any_scale_end_finite_or_are_named(optimizer, scale):
    for output in OUTPUTS:
        for activation in ("tanh", "relu"):
            end = check(
                lambda output=output, activation=activation: small(output=output, activation=activation),
                X * scale,
                Y,
                optimizer=optimizer,
                batch_size=7,
            )
            if optimizer != "lbfgs" and not isinstance(end, int):
                assert end.stopped == "finished"


@pytest.mark.parametrize("optimizer", GRADIENT_STEPS)
@pytest.mark.parametrize("rate", [1e-300, 1e3, 1e6, 1e300])
def test_learning_rates_of_any_size_end_finite_or_are_named(optimizer, rate):
    for output in OUTPUTS:
        for dtype in ("float64", "float32"):
            end = check(
                lambda output=output, dtype=dtype: small(output=output, activation="relu", dtype=dtype),
                X,
                Y,
                optimizer=f"{optimizer}({rate})",
                batch_size=7,
            )
            assert isinstance(end, int) or end.stopped == "finished"


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov"])
def test_a_rate_that_must_overflow_is_an_error_of_the_first_epoch(optimizer):
    make = lambda: Network([3, 2], seed=1)  # noqa: E731
    assert check(make, X, Y, optimizer=f"{optimizer}(1e300)", batch_size=4) == 1


def test_divergence_in_a_later_epoch_names_it():
    """Gradient descent on a parabola with too great a step grows by a known factor each time."""
    net = Network([1, 1], bias=False)
    net.set_weights({"w1": 1.0})
    x, y = [[1.0]], [[0.0]]
    factor = 1e30  # w ← w − η·w, the cost is w²/2
    with pytest.raises(DivergenceError) as caught:
        train(net, x, y, optimizer=f"sgd({1 + factor})", epochs=100, batch_size=None)
    # |w| after epoch n is 1e30^n, its cost overflows where w² > 1.8e308: 1e180 after epoch 6
    assert caught.value.epoch == 6
    assert abs(net.parameters[0]) == pytest.approx(1e150, rel=1e-9)
    assert "smaller learning rate" in str(caught.value)
    assert "largest |X|: 1" in str(caught.value)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("rate", ["1e300", "1e200", "1e160"])
def test_no_run_ends_with_a_network_that_predicts_nan(engine, epochs, rate):
    """The last update of all is looked at too."""
    if engine == "compiled":
        pytest.importorskip("numba")
    net = Network([3, 4, 2], output="softmax", seed=1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    with pytest.raises(DivergenceError) as caught:
        train(net, x, y, optimizer=f"sgd({rate})", epochs=epochs, batch_size=None, engine=engine)
    assert 1 <= caught.value.epoch <= epochs
    assert np.isfinite(net.predict(x)).all()
    assert np.isfinite(net.cost(x, y))


def test_an_update_that_overflows_is_found_in_its_own_epoch():
    """One epoch alone: its loss is finite, what it leaves behind is not."""
    net = Network([1, 1], bias=False)
    net.set_weights({"w1": 1e100})
    with pytest.raises(DivergenceError) as caught:
        train(net, [[1.0]], [[0.0]], optimizer="sgd(1e300)", epochs=1)
    assert caught.value.epoch == 1
    assert net.parameters[0] == 1e100


def test_validation_data_that_overflow_are_found_in_their_epoch():
    net = Network([3, 2])
    before = net.parameters.copy()
    with pytest.raises(DivergenceError) as caught:
        train(net, X, Y, validation=(X * 1e300, Y), epochs=3)
    assert caught.value.epoch == 1
    np.testing.assert_array_equal(net.parameters, before)


def test_a_network_that_diverged_goes_on_with_a_smaller_rate():
    net = small(output="identity", activation="relu")
    with pytest.raises(DivergenceError):
        train(net, X, Y, optimizer="sgd(1e300)", batch_size=4, early_stopping=EarlyStopping())
    first = net.cost(X, Y)
    train(net, X, Y, optimizer="sgd(0.01)", epochs=20)
    assert net.cost(X, Y) < first


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_what_ends_a_diverging_epoch_half_way_leaves_finite_parameters(stop, monkeypatch):
    def half(model, *_):
        model.parameters[:3] = np.inf
        raise stop

    monkeypatch.setattr(reference, "run_epochs", half)
    net = small()
    before = net.parameters.copy()
    try:
        history = train(net, X, Y, engine="reference")
    except MemoryError:
        assert stop is MemoryError
    else:
        assert history.stopped == "interrupted"
    np.testing.assert_array_equal(net.parameters, before)

"""L-BFGS: to the minimum, in few steps, on the whole batch."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import LBFGS, DivergenceError, InputError, Network, train

from .cases import samples, small

rng = np.random.default_rng(0)


def test_least_squares_end_at_the_solution_of_linear_algebra():
    X = rng.normal(size=(40, 5)) * [1, 10, 0.1, 3, 1]
    Y = X @ rng.normal(size=(5, 2)) + rng.normal(size=(40, 2))
    net = Network([5, 2])
    history = train(net, X, Y, optimizer="lbfgs", epochs=500)
    solution = np.linalg.lstsq(np.c_[X, np.ones(40)], Y, rcond=None)[0]
    np.testing.assert_allclose(net.layers[0].W, solution[:-1], rtol=1e-6)
    np.testing.assert_allclose(net.layers[0].b, solution[-1], rtol=1e-6)
    assert history.stopped == "converged"
    assert history.epochs < 100


def test_a_sum_of_squares_weighted_and_summed_ends_at_the_weighted_solution():
    X = rng.normal(size=(30, 3))
    Y = rng.normal(size=(30, 1))
    weight = rng.uniform(0.1, 5, 30)
    net = Network([3, 1], bias=False, reduction="sum", l2=0.7)
    train(net, X, Y, sample_weight=weight, optimizer="lbfgs", epochs=500)
    solution = np.linalg.solve(X.T @ (weight[:, None] * X) + 0.7 * np.eye(3), X.T @ (weight[:, None] * Y))
    np.testing.assert_allclose(net.layers[0].W, solution, rtol=1e-6)


def test_a_curved_valley_is_followed_to_the_certified_minimum():
    """NIST's Rat42, y = b1/(1 + exp(b2 − b3·x)), from its second start."""
    x = np.array([9, 14, 21, 28, 42, 57, 63, 70, 79.0])[:, None]
    y = np.array([8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08])[:, None]
    net = Network([1, 1, 1], activation="sigmoid", loss="squared_error", reduction="sum")
    net.set_weights({"W1": [[0.07]], "b1": [-2.5], "W2": [[75.0]], "b2": [0.0]})
    net.freeze("b2")
    train(net, x, y, optimizer="lbfgs", epochs=1000)
    assert net.parameters == pytest.approx([0.067359200066, -2.6180768402, 72.462237576, 0], rel=1e-6)
    assert net.cost(x, y) == pytest.approx(8.0565229338, rel=1e-10)
    assert net.layers[1].b[0] == 0


def test_the_cost_never_rises_from_one_iteration_to_the_next():
    X, Y = samples(60)
    history = train(small(), X, Y, optimizer="lbfgs", epochs=60)
    assert (np.diff(history["loss"]) <= 0).all()


def test_each_epoch_reports_the_cost_of_the_network_as_it_is_then():
    X, Y = samples(60)
    costs = []
    history = train(
        small(l2=0.1),
        X,
        Y,
        optimizer="lbfgs",
        epochs=10,
        callbacks=[lambda run: costs.append(run.net.cost(X, Y))],
    )
    np.testing.assert_allclose(history["loss"], costs, rtol=1e-14)
    assert history.epochs == 10


def test_batches_shuffling_and_their_seed_do_not_matter():
    X, Y = samples(60)
    nets = [small() for _ in range(2)]
    train(nets[0], X, Y, optimizer="lbfgs", epochs=10, batch_size=None)
    train(nets[1], X, Y, optimizer="lbfgs", epochs=10, batch_size=5, seed=9)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_the_memory_of_past_steps_changes_the_path():
    X, Y = samples(60)
    nets = [small() for _ in range(2)]
    for net, memory in zip(nets, (1, 20), strict=True):
        train(net, X, Y, optimizer=LBFGS(memory=memory), epochs=10)
    assert (nets[0].parameters != nets[1].parameters).any()


def test_a_network_at_its_minimum_converges_at_once():
    X, Y = samples(60)
    net = Network([3, 2])
    train(net, X, Y, optimizer="lbfgs", epochs=500)
    before = net.parameters.copy()
    history = train(net, X, Y, optimizer="lbfgs(tolerance=1e-6)", epochs=500)
    assert history.epochs == 0
    assert history.stopped == "converged"
    np.testing.assert_array_equal(net.parameters, before)


def test_single_precision_ends_near_the_solution():
    X = rng.normal(size=(40, 5))
    Y = rng.normal(size=(40, 1))
    net = Network([5, 1], dtype="float32")
    train(net, X, Y, optimizer="lbfgs", epochs=500)
    solution = np.linalg.lstsq(np.c_[X, np.ones(40)], Y, rcond=None)[0].ravel()
    np.testing.assert_allclose(net.parameters, solution, rtol=1e-2, atol=1e-3)


def test_dropout_is_refused():
    net = small(dropout=0.5)
    before = net.parameters.copy()
    with pytest.raises(InputError, match="set dropout to 0"):
        train(net, *samples(), optimizer="lbfgs")
    np.testing.assert_array_equal(net.parameters, before)


def test_what_cannot_be_computed_at_the_start_is_a_divergence_in_the_first_epoch():
    X, Y = samples()
    net = Network([3, 2])
    before = net.parameters.copy()
    with pytest.raises(DivergenceError) as caught:
        train(net, X * 1e300, Y, optimizer="lbfgs")
    assert caught.value.epoch == 1
    np.testing.assert_array_equal(net.parameters, before)

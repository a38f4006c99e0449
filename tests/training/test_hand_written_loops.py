"""Training equals loops written by hand in plain NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deltarule import SGD, Adam, Momentum, Network, train
from deltarule.nn.engines import reference

from .cases import GRADIENT_STEPS, OPTIMIZER_NAMES, samples, small, softmax

X, Y = samples()


def gradients(W1, b1, W2, b2, x, y, l2=0.0):
    """Cost and gradients of 3-4-2, tanh, softmax, cross-entropy, averaged over the rows."""
    a1 = np.tanh(x @ W1 + b1)
    p = softmax(a1 @ W2 + b2)
    cost = -(y * np.log(p)).sum() / len(x) + l2 / 2 * ((W1**2).sum() + (W2**2).sum())
    delta2 = (p - y) / len(x)
    delta1 = (delta2 @ W2.T) * (1 - a1**2)
    return cost, [x.T @ delta1 + l2 * W1, delta1.sum(0), a1.T @ delta2 + l2 * W2, delta2.sum(0)]


def parts(net):
    """W1, b1, W2, b2 as copies."""
    return [array.copy() for layer in net.layers for array in (layer.W, layer.b)]


def assert_parts(net, expected):
    for ours, theirs in zip(parts(net), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_full_batch_gradient_descent_equals_the_loop_written_by_hand(l2):
    net = small(l2=l2)
    theirs, losses = parts(net), []
    for _ in range(30):
        cost, grads = gradients(*theirs, X, Y, l2)
        theirs = [value - 0.5 * grad for value, grad in zip(theirs, grads, strict=True)]
        losses.append(cost)
    history = train(net, X, Y, optimizer=SGD(0.5), epochs=30, batch_size=None)
    assert_parts(net, theirs)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-14)


def test_momentum_equals_the_loop_written_by_hand():
    net = small()
    theirs = parts(net)
    velocity = [np.zeros_like(value) for value in theirs]
    for _ in range(30):
        _, grads = gradients(*theirs, X, Y)
        velocity = [0.8 * v - 0.1 * grad for v, grad in zip(velocity, grads, strict=True)]
        theirs = [value + v for value, v in zip(theirs, velocity, strict=True)]
    train(net, X, Y, optimizer=Momentum(0.1, momentum=0.8), epochs=30, batch_size=None)
    assert_parts(net, theirs)


@pytest.fixture
def recorded(monkeypatch):
    """The batches, and the learning rates, that the engine was given: a list for each epoch."""
    epochs = []
    run_epochs = reference.run_epochs

    def recording(model, samples, size, orders, optimizer, slots, rates, t, rng):
        order = None if orders is None else orders[0]
        epochs.append((list(samples.batches(size, order, model.parameters.dtype)), rates[0].tolist(), t))
        return run_epochs(model, samples, size, orders, optimizer, slots, rates, t, rng)

    monkeypatch.setattr(reference, "BLOCK", 0)  # an epoch a call
    monkeypatch.setattr(reference, "run_epochs", recording)
    return epochs


def test_mini_batches_in_the_recorded_order_equal_the_loop_written_by_hand(recorded):
    net = small()
    theirs, losses = parts(net), []
    history = train(net, X, Y, optimizer=SGD(0.3), epochs=5, batch_size=7, engine="reference")
    for batches, _, _ in recorded:
        costs = []
        for x, y, _ in batches:
            cost, grads = gradients(*theirs, x, y)
            theirs = [value - 0.3 * grad for value, grad in zip(theirs, grads, strict=True)]
            costs.append(cost * len(x))
        losses.append(sum(costs) / len(X))
    assert_parts(net, theirs)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-14)


def test_adam_on_mini_batches_equals_the_loop_written_by_hand(recorded):
    net = small()
    theirs = np.concatenate([value.ravel() for value in parts(net)])
    shapes = [value.shape for value in parts(net)]
    train(net, X, Y, optimizer=Adam(0.01), epochs=4, batch_size=10, engine="reference")
    m, v, t = np.zeros_like(theirs), np.zeros_like(theirs), 0
    for batches, _, _ in recorded:
        for x, y, _ in batches:
            ends = np.cumsum([math.prod(shape) for shape in shapes])
            blocks = np.split(theirs, ends[:-1])
            cut = [block.reshape(shape) for block, shape in zip(blocks, shapes, strict=True)]
            g = np.concatenate([grad.ravel() for grad in gradients(*cut, x, y)[1]])
            t += 1
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theirs = theirs - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(net.parameters, theirs, rtol=1e-13, atol=1e-14)


def test_each_epoch_takes_every_sample_once_in_a_new_order(recorded):
    rows = np.arange(24.0)[:, None] * [1, 0, 0]
    train(small(), rows, Y, optimizer="sgd(1e-6)", epochs=6, batch_size=7, engine="reference")
    orders = [np.concatenate([x[:, 0] for x, _, _ in batches]) for batches, _, _ in recorded]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(24))
    assert len({tuple(order) for order in orders}) == 6
    assert [[len(x) for x, _, _ in batches] for batches, _, _ in recorded] == [[7, 7, 7, 3]] * 6


def test_targets_and_weights_stay_beside_their_samples_when_shuffled(recorded):
    rows = np.arange(24.0)[:, None] * [1, 0, 0]
    net = Network([3, 1])
    weight = 2 + np.arange(24.0)
    arguments = {"sample_weight": weight, "optimizer": "sgd(1e-9)", "epochs": 3, "batch_size": 5}
    train(net, rows, 3 * np.arange(24.0), engine="reference", **arguments)
    for batches, _, _ in recorded:
        for x, y, w in batches:
            np.testing.assert_array_equal(y[:, 0], 3 * x[:, 0])
            np.testing.assert_array_equal(w[:, 0], 2 + x[:, 0])


def test_without_shuffling_samples_come_in_their_own_order(recorded):
    train(small(), X, Y, epochs=2, batch_size=5, shuffle=False, engine="reference")
    for batches, _, _ in recorded:
        np.testing.assert_array_equal(np.concatenate([x for x, _, _ in batches]), X)


def test_the_schedule_sets_the_rate_of_every_update(recorded):
    history = train(
        small(), X, Y, optimizer="sgd(cosine(0.4, final=0.1))", epochs=3, batch_size=6, engine="reference"
    )
    rates = [0.1 + 0.3 * (1 + math.cos(math.pi * (update / 4) / 3)) / 2 for update in range(12)]
    np.testing.assert_allclose(np.concatenate([r for _, r, _ in recorded]), rates, rtol=1e-15)
    assert history["learning_rate"] == pytest.approx([rates[3], rates[7], rates[11]], rel=1e-15)
    assert [t for _, _, t in recorded] == [0, 4, 8]


def test_rates_are_used_and_not_only_recorded():
    net = small()
    theirs = parts(net)
    train(net, X, Y, optimizer="sgd(step(0.4, every=2, factor=0.5))", epochs=6, batch_size=None)
    for epoch in range(6):
        _, grads = gradients(*theirs, X, Y)
        rate = 0.4 * 0.5 ** (epoch // 2)
        theirs = [value - rate * grad for value, grad in zip(theirs, grads, strict=True)]
    assert_parts(net, theirs)


def test_clipping_shortens_the_whole_gradient_to_the_given_length():
    net = small()
    theirs = parts(net)
    _, grads = gradients(*theirs, 50 * X, Y)
    norm = math.sqrt(sum((grad**2).sum() for grad in grads))
    assert norm > 0.25
    train(net, 50 * X, Y, optimizer="sgd(0.5, clip_norm=0.25)", epochs=1, batch_size=None)
    assert_parts(net, [value - 0.5 * 0.25 / norm * grad for value, grad in zip(theirs, grads, strict=True)])


def test_a_gradient_shorter_than_the_clip_is_left_alone():
    clipped, free = small(), small()
    train(clipped, X, Y, optimizer="sgd(0.5, clip_norm=1e6)", epochs=3)
    train(free, X, Y, optimizer="sgd(0.5)", epochs=3)
    np.testing.assert_array_equal(clipped.parameters, free.parameters)


# ---------------------------------------------------------------- the first tutorial


def neuron_by_neuron():
    net = Network([2, 2, 2], activation="sigmoid", output="sigmoid", loss="half_squared_error", bias="shared")
    net.set_weights(
        {"w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3, "w5": 0.4, "w6": 0.45, "w7": 0.5, "w8": 0.55}
        | {"b1": 0.35, "b2": 0.6}
    )
    net.freeze("b")
    return net


def test_one_update_of_the_first_tutorial_is_exact():
    net = neuron_by_neuron()
    history = train(net, [[0.05, 0.1]], [[0.01, 0.99]], optimizer=SGD(0.5), epochs=1, batch_size=None)
    assert history["loss"] == pytest.approx([0.2983711087600027], rel=1e-14)
    expected = {
        "w1": 0.1497807161327628,
        "w2": 0.1995614322655257,
        "w3": 0.2497511436323696,
        "w4": 0.2995022872647392,
        "w5": 0.3589164797178847,
        "w6": 0.4086661860762334,
        "w7": 0.5113012702387375,
        "w8": 0.5613701211079891,
    }
    for name, value in expected.items():
        assert float(net.parameters[net.select(name)]) == pytest.approx(value, abs=1e-14)
    assert net.cost([[0.05, 0.1]], [[0.01, 0.99]]) == pytest.approx(0.2910277736935993, rel=1e-14)


def test_ten_thousand_updates_of_the_first_tutorial_reach_its_exact_end():
    net = neuron_by_neuron()
    history = train(net, [[0.05, 0.1]], [[0.01, 0.99]], optimizer=SGD(0.5), epochs=10_000, batch_size=None)
    assert history.epochs == 10_000
    assert history["loss"][:4] == pytest.approx(
        [0.2983711087600027, 0.2910277736935993, 0.28354713312242, 0.2759432888894519], rel=1e-13
    )
    assert net.cost([[0.05, 0.1]], [[0.01, 0.99]]) == pytest.approx(3.510187782978859e-05, rel=1e-9)
    outputs = net.predict([[0.05, 0.1]])[0]
    assert outputs == pytest.approx([0.0159136204435507, 0.9840642735146238], rel=1e-9)
    assert [layer.b.tolist() for layer in net.layers] == [[0.35], [0.6]]


# ---------------------------------------------------------------- equal ways to say the same


def test_whole_sample_weights_equal_repeated_rows():
    counts = np.arange(24) % 4
    weighted, repeated = small(), small()
    settings = {"optimizer": SGD(0.5), "epochs": 20, "batch_size": None, "shuffle": False}
    ours = train(weighted, X, Y, sample_weight=counts, **settings)
    theirs = train(repeated, np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0), **settings)
    np.testing.assert_allclose(weighted.parameters, repeated.parameters, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(ours["loss"], theirs["loss"], rtol=1e-13)


@pytest.mark.parametrize("batch_size", [None, 5])
def test_sample_weights_of_one_change_nothing(batch_size):
    weighted, plain = small(), small()
    settings = {"epochs": 10, "batch_size": batch_size}
    train(weighted, X, Y, sample_weight=np.ones(24), **settings)
    train(plain, X, Y, **settings)
    np.testing.assert_allclose(weighted.parameters, plain.parameters, rtol=1e-13, atol=1e-14)


def test_samples_of_no_weight_change_nothing():
    weight = np.r_[np.ones(16), np.zeros(8)]
    weighted, fewer = small(), small()
    settings = {"optimizer": SGD(0.5), "epochs": 10, "batch_size": 8, "shuffle": False}
    X_other = X.copy()
    X_other[16:] += 100
    train(weighted, X_other, Y, sample_weight=weight, **settings)
    train(fewer, X[:16], Y[:16], **settings)
    np.testing.assert_allclose(weighted.parameters, fewer.parameters, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "int8", "float64"])
def test_class_numbers_equal_one_hot_targets(dtype):
    numbers, one_hot = small(), small()
    ours = train(numbers, X, Y.argmax(axis=1).astype(dtype), epochs=5)
    theirs = train(one_hot, X, Y, epochs=5)
    np.testing.assert_array_equal(numbers.parameters, one_hot.parameters)
    assert ours == theirs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["uint8", "int16", "bool"])
def test_narrow_inputs_train_as_their_floats_do(dtype, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 3)).astype(kind)
    for optimizer in ("adam", "lbfgs"):
        narrow, wide = small(dtype=dtype), small(dtype=dtype)
        train(narrow, pixels, Y, epochs=4, batch_size=10, optimizer=optimizer)
        train(wide, pixels.astype(float), Y, epochs=4, batch_size=10, optimizer=optimizer)
        np.testing.assert_array_equal(narrow.parameters, wide.parameters)
        assert narrow.parameters.dtype == dtype


@pytest.mark.parametrize("form", ["list", "fortran", "strided", "memmap", "float32"])
def test_samples_in_any_form_train_the_same_network(form, tmp_path):
    exact = X.astype(np.float32).astype(float)
    forms = {
        "list": lambda: exact.tolist(),
        "fortran": lambda: np.asfortranarray(exact),
        "strided": lambda: np.repeat(exact, 2, axis=0)[::2],
        "memmap": lambda: _memmap(tmp_path / "X", exact),
        "float32": lambda: exact.astype(np.float32),
    }
    ours, theirs = small(), small()
    train(ours, forms[form](), Y, epochs=4, batch_size=10)
    train(theirs, exact, Y, epochs=4, batch_size=10)
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)


def _memmap(path, array):
    mapped = np.memmap(path, dtype=array.dtype, mode="w+", shape=array.shape)
    mapped[:] = array
    return mapped


# ---------------------------------------------------------------- frozen parameters


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_frozen_parameters_never_move(optimizer):
    net = small(l1=0.01, l2=0.1)
    net.freeze("b1", "W1[0,1]", "W2[2,0]")
    before = net.parameters.copy()
    train(net, X, Y, optimizer=optimizer, epochs=5, batch_size=7)
    np.testing.assert_array_equal(net.parameters[net.frozen], before[net.frozen])
    free = np.delete(np.arange(before.size), net.frozen)
    assert (net.parameters[free] != before[free]).all()


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_a_network_that_is_frozen_altogether_stays_as_it_is(optimizer):
    net = small()
    net.freeze("W", "b")
    before = net.parameters.copy()
    train(net, X, Y, optimizer=optimizer, epochs=3)
    np.testing.assert_array_equal(net.parameters, before)


# ---------------------------------------------------------------- dropout


def test_dropout_keeps_the_expected_value_of_what_it_drops():
    net = Network([3, 50, 1], activation="identity", dropout=0.3, seed=1)
    x = np.repeat([[1.0, -2.0, 0.5]], 200, axis=0)
    rng = np.random.default_rng(0)
    outputs = np.concatenate([net.forward(x, rng).output for _ in range(100)])
    standard_error = outputs.std() / math.sqrt(len(outputs))
    assert abs(outputs.mean() - net.predict(x[:1])[0, 0]) < 5 * standard_error
    dropped = (net.forward(x, rng)[1].x == 0).mean()
    assert dropped == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / 10_000))


def test_dropout_is_off_in_prediction_and_in_measures():
    net = small(dropout=0.5)
    twin = small(dropout=0.0)
    twin.parameters[:] = net.parameters
    np.testing.assert_array_equal(net.predict(X), twin.predict(X))
    history = train(net, X, Y, epochs=1, validation=(X, Y), metrics=["accuracy"])
    assert history["val_loss"][0] == pytest.approx(net.cost(X, Y), rel=1e-14)


@pytest.mark.parametrize("optimizer", GRADIENT_STEPS)
def test_dropout_depends_on_the_seed_of_training_alone(optimizer):
    nets = [small(dropout=0.5) for _ in range(3)]
    for net, seed in zip(nets, (7, 7, 8), strict=True):
        train(net, X, Y, optimizer=optimizer, epochs=3, batch_size=None, seed=seed)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    assert (nets[0].parameters != nets[2].parameters).any()


def test_dropout_is_at_work_in_training():
    dropped, plain = small(dropout=0.5), small()
    train(dropped, X, Y, epochs=1, batch_size=None)
    train(plain, X, Y, epochs=1, batch_size=None)
    assert (dropped.parameters != plain.parameters).any()

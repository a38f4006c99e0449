"""Every optimizer: five steps of the textbook's formula, written here a second time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from sklearn.neural_network import _stochastic_optimizers as sklearn_optimizers

from deltarule.arrays import LINE
from deltarule.errors import InputError
from deltarule.formula.tree import Symbol
from deltarule.nn import optimizers
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, SGD, Adam, AdamHat, AdamW, GradientStep, Momentum, Nesterov

GRADIENT_STEPS = [name for name in OPTIMIZERS if isinstance(OPTIMIZERS.resolve(name), GradientStep)]
ETA = [0.1, 0.2, 0.05, 0.3, 0.1]


def textbook_sgd(theta, gradients):
    for eta, g in zip(ETA, gradients, strict=True):
        theta = theta - eta * g
    return theta


def textbook_momentum(theta, gradients):
    previous = theta
    for k, (eta, g) in enumerate(zip(ETA, gradients, strict=True)):
        heavy = 0.9 * (theta - previous) if k else 0
        previous, theta = theta, theta + heavy - eta * g
    return theta


def textbook_nesterov(theta, gradients):
    v = 0 * theta
    for eta, g in zip(ETA, gradients, strict=True):
        ahead = theta - 0.9 * v  # where the gradient is taken lies μ·v beyond the parameters proper
        v_new = 0.9 * v - eta * g
        theta, v = ahead + v_new + 0.9 * v_new, v_new
    return theta


def textbook_adagrad(theta, gradients):
    for k, (eta, g) in enumerate(zip(ETA, gradients, strict=True)):
        theta = theta - eta * g / (np.sqrt(sum(past**2 for past in gradients[: k + 1])) + 1e-10)
    return theta


def textbook_rmsprop(theta, gradients):
    for k, (eta, g) in enumerate(zip(ETA, gradients, strict=True)):
        s = sum(0.1 * 0.9 ** (k - i) * gradients[i] ** 2 for i in range(k + 1))
        theta = theta - eta * g / (np.sqrt(s) + 1e-8)
    return theta


def textbook_adam(theta, gradients, decay=0.0):
    for k, eta in enumerate(ETA):
        ages = [k - i for i in range(k + 1)]
        m = sum(0.1 * 0.9**age * g for age, g in zip(ages, gradients, strict=False)) / (1 - 0.9 ** (k + 1))
        v = sum(0.001 * 0.999**age * g**2 for age, g in zip(ages, gradients, strict=False))
        v = v / (1 - 0.999 ** (k + 1))
        theta = theta - eta * decay * theta - eta * m / (np.sqrt(v) + 1e-8)
    return theta


def textbook_adam_hat(theta, gradients):
    m = v = 0 * theta
    for t, (eta, g) in enumerate(zip(ETA, gradients, strict=True), start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - eta * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
    return theta


TEXTBOOK = {
    "sgd": textbook_sgd,
    "momentum": textbook_momentum,
    "nesterov": textbook_nesterov,
    "adagrad": textbook_adagrad,
    "rmsprop": textbook_rmsprop,
    "adam": textbook_adam,
    "adam_hat": textbook_adam_hat,
    "adamw": lambda theta, gradients: textbook_adam(theta, gradients, decay=0.01),
}


@pytest.fixture
def start():
    rng = np.random.default_rng(0)
    return rng.normal(size=6), list(rng.normal(size=(5, 6)))


@pytest.mark.parametrize("optimizer", [Momentum(), Adam()])
def test_what_an_optimizer_remembers_is_0_and_starts_at_a_cache_line(optimizer):
    for size in (1, 7, 4737):
        slots = optimizer.start(np.ones(size))
        assert slots.shape == (len(optimizer.slots), size)
        assert slots.ctypes.data % LINE == 0
        assert not slots.any()


def steps(optimizer, theta, gradients, weights=None):
    theta = theta.copy()
    slots = optimizer.start(theta)
    weights = np.ones(theta.size, bool) if weights is None else weights
    for t, (eta, g) in enumerate(zip(ETA, gradients, strict=True), start=1):
        optimizer.update(theta, g, slots, eta, t, weights)
    return theta


@pytest.mark.parametrize("name", GRADIENT_STEPS)
def test_five_steps_are_those_of_the_textbook(name, start):
    assert name in TEXTBOOK, f"add the steps of {name!r} by hand to TEXTBOOK"
    theta, gradients = start
    untouched = [g.copy() for g in gradients]
    moved = steps(OPTIMIZERS.resolve(name), theta, gradients)
    np.testing.assert_allclose(moved, TEXTBOOK[name](theta, gradients), rtol=1e-15, atol=1e-15)
    np.testing.assert_array_equal(gradients, untouched)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Momentum(0.1), {"nesterov": False}),
        (Nesterov(0.1), {"nesterov": True}),
        (Adam(0.1), None),
        (AdamHat(0.1), None),
    ],
    ids=["momentum", "nesterov", "adam", "adam_hat"],
)
def test_five_steps_are_those_of_scikit_learn(ours, theirs, start):
    theta, gradients = start
    params = [theta.copy()]
    if theirs is None:
        optimizer = sklearn_optimizers.AdamOptimizer(params, learning_rate_init=0.1)
    else:
        optimizer = sklearn_optimizers.SGDOptimizer(params, learning_rate_init=0.1, momentum=0.9, **theirs)
    moved, slots = theta.copy(), ours.start(theta)
    for t, g in enumerate(gradients, start=1):
        optimizer.update_params(params, [g])
        ours.update(moved, g, slots, 0.1, t, np.ones(6, bool))
    # scikit-learn puts ε beside √v rather than √v̂
    np.testing.assert_allclose(moved, params[0], rtol=1e-5 if type(ours) is Adam else 1e-14)


@pytest.mark.parametrize("name", GRADIENT_STEPS)
def test_float32_parameters_stay_float32(name, start):
    theta, gradients = start
    moved = steps(OPTIMIZERS.resolve(name), theta.astype("float32"), [g.astype("float32") for g in gradients])
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, TEXTBOOK[name](theta, gradients), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", GRADIENT_STEPS)
def test_a_parameter_without_gradient_stays_where_it_is(name, start):
    theta, gradients = start
    optimizer = OPTIMIZERS.resolve(name)
    moved = steps(optimizer, theta, [0 * g for g in gradients], weights=np.zeros(6, bool))
    np.testing.assert_array_equal(moved, theta)


def test_adamw_decays_trained_weights_and_neither_biases_nor_frozen_ones():
    net = Network([2, 2, 1], bias_initializer="constant(0.5)")
    net.freeze("W1[0,1]", "b2")
    before = net.parameters.copy()
    zero = np.zeros_like(before)
    optimizer = AdamW(0.1, weight_decay=0.5)
    optimizer.update(net.parameters, zero, optimizer.start(zero), 0.1, 1, net.decaying)
    decayed = before * (1 - 0.1 * 0.5)
    expected = before.copy()
    trained = np.setdiff1d(net.select("W"), net.frozen)
    expected[trained] = decayed[trained]
    np.testing.assert_allclose(net.parameters, expected, rtol=1e-15)
    np.testing.assert_array_equal(net.parameters[net.select("b")], before[net.select("b")])
    assert net.parameters[net.select("W1[0,1]")] == before[net.select("W1[0,1]")]


def test_clip_norm_shortens_long_gradients_and_leaves_others():
    g = np.array([3.0, -4.0])
    SGD(clip_norm=10).clip(g)
    np.testing.assert_array_equal(g, [3.0, -4.0])
    SGD(clip_norm=1).clip(g)
    np.testing.assert_allclose(g, [0.6, -0.8], rtol=1e-15)
    SGD().clip(g)
    np.testing.assert_allclose(g, [0.6, -0.8], rtol=1e-15)


def test_minimum_of_a_quadratic_is_found_by_every_optimizer():
    A = np.diag([1.0, 3.0])
    solution = optimize.minimize(lambda x: x @ A @ x / 2 - x.sum(), np.zeros(2)).x
    for name in GRADIENT_STEPS:
        optimizer, theta = OPTIMIZERS.resolve(name), np.zeros(2)
        slots = optimizer.start(theta)
        for t in range(1, 3001):
            eta = {"sgd": 0.1, "adagrad": 0.5}.get(name, 0.01) * (1 if t < 2000 else 0.01)
            optimizer.update(theta, A @ theta - 1, slots, eta, t, np.zeros(2, bool))
        np.testing.assert_allclose(theta, solution, atol=1e-3, err_msg=name)


@pytest.mark.parametrize("decays", [False, True])
@pytest.mark.parametrize("name", GRADIENT_STEPS)
def test_printed_steps_are_the_update(name, decays):
    optimizer, theta = OPTIMIZERS.resolve(name), np.array([0.7])
    slots = optimizer.start(theta)
    worth = {optimizers.THETA: 0.7, **{Symbol(slot): 0.0 for slot in optimizer.slots}}
    worth |= {symbol: getattr(optimizer, field) for symbol, field in optimizer.letters.items()}
    for t, (eta, g) in enumerate(zip(ETA, [0.3, -0.2, 0.1, 0.5, -0.4], strict=True), start=1):
        optimizer.update(theta, np.array([g]), slots, eta, t, np.array([decays]))
        worth |= {optimizers.ETA: eta, optimizers.GRADIENT: g, optimizers.TIME: t}
        for symbol, formula in (optimizer.weight_steps if decays else ()) + optimizer.steps:
            worth[symbol] = formula.value(worth.__getitem__)
        np.testing.assert_allclose(worth[optimizers.THETA], theta[0], rtol=1e-14)
        for slot, row in zip(optimizer.slots, slots, strict=True):
            np.testing.assert_allclose(worth[Symbol(slot)], row[0], rtol=1e-13)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_formula_and_slots_are_named(name):
    optimizer = OPTIMIZERS.resolve(name)
    assert "θ ← θ" in optimizer.formula
    assert optimizer.name == name
    if isinstance(optimizer, GradientStep):
        slots = optimizer.start(np.zeros(3, "float32"))
        assert slots.shape == (len(optimizer.slots), 3)
        assert slots.dtype == np.float32
        assert not slots.any()


def test_learning_rate_may_be_a_schedule_or_its_text():
    assert SGD("cosine(0.5)").schedule(t=5, T=10) == pytest.approx(0.25)
    assert SGD("cosine(0.5)") == SGD(SGD("cosine(0.5)").schedule)
    assert SGD(0.5).schedule(t=5, T=10) == 0.5
    with pytest.raises(InputError, match=r"unknown schedule 'cosin'; did you mean 'cosine'\?"):
        SGD("cosin")

"""Published examples and certified values, number by number."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.nn.layers import BIAS_KINDS
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD

T1_X, T1_Y = [[0.05, 0.1]], [[0.01, 0.99]]
T1_WEIGHTS = {"w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3, "w5": 0.4, "w6": 0.45, "w7": 0.5, "w8": 0.55}
T1_BIASES = {"b1": 0.35, "b2": 0.6}
T4_X, T4_Y = [[0.02, 0.04]], [[0.5, 0.9]]
T4_WEIGHTS = {"w1": 0.25, "w2": 0.25, "w3": 0.15, "w4": 0.2, "w5": 0.3, "w6": 0.35, "w7": 0.4, "w8": 0.35}
T4_BIASES = {"b1": 0.4, "b2": 0.7}


def sigmoid_network(weights, biases, bias="shared"):
    net = Network([2, 2, 2], activation="sigmoid", output="sigmoid", loss="half_squared_error", bias=bias)
    net.set_weights({**weights, **biases})
    net.freeze("b")
    return net


def step(net, gradient, learning_rate):
    gradient = gradient.copy()
    gradient[net.frozen] = 0
    SGD(learning_rate).update(net.parameters, gradient, np.empty((0, 0)), learning_rate, 1, net.decaying)


def numbered(net, flat):
    return [float(flat[net.select(f"w{number}")]) for number in range(1, 9)]


@pytest.fixture(params=[kind for kind in BIAS_KINDS if kind != "none"])
def first(request):
    return sigmoid_network(T1_WEIGHTS, T1_BIASES, request.param)


def test_first_tutorials_forward_pass_is_exact(first):
    trace = first.forward(T1_X)
    exact = {"rtol": 0, "atol": 1e-14}
    np.testing.assert_allclose(trace[0].z, [[0.3775, 0.3925]], **exact)
    np.testing.assert_allclose(trace[0].a, [[0.5932699921071872, 0.596884378259767]], **exact)
    np.testing.assert_allclose(trace[1].z, [[1.10590596705977, 1.2249214040964653]], **exact)
    np.testing.assert_allclose(trace.output, [[0.7513650695523157, 0.7729284653214625]], **exact)
    terms = first.loss.terms(trace.output, np.array(T1_Y))
    np.testing.assert_allclose(terms, [[0.274811083176155, 0.0235600255838477]], **exact)
    assert first.cost(T1_X, T1_Y) == pytest.approx(0.2983711087600027, abs=1e-14)


def test_first_tutorials_deltas_gradients_and_update_are_exact(first):
    grads = first.backward(first.forward(T1_X), T1_Y)
    exact = {"rtol": 0, "atol": 1e-14}
    np.testing.assert_allclose(grads[1].delta, [[0.1384985616285569, -0.0380982365165562]], **exact)
    np.testing.assert_allclose(grads[0].delta, [[0.0087713546894869, 0.0099542547052172]], **exact)
    gradient = [0.0004385677344743, 0.0008771354689487, 0.0004977127352609, 0.0009954254705217]
    gradient += [0.0821670405642308, 0.0826676278475332, -0.0226025404774751, -0.0227402422159782]
    np.testing.assert_allclose(numbered(first, grads.flat), gradient, **exact)
    step(first, grads.flat, 0.5)
    updated = [0.1497807161327628, 0.1995614322655257, 0.2497511436323696, 0.2995022872647392]
    updated += [0.3589164797178847, 0.4086661860762334, 0.5113012702387375, 0.5613701211079891]
    np.testing.assert_allclose(numbered(first, first.parameters), updated, **exact)
    assert first.cost(T1_X, T1_Y) == pytest.approx(0.2910277736935993, abs=1e-14)


@pytest.mark.slow
def test_first_tutorial_after_10_000_updates(first):
    for _ in range(10_000):
        step(first, first.backward(first.forward(T1_X), T1_Y).flat, 0.5)
    assert first.cost(T1_X, T1_Y) == pytest.approx(3.510187782978859e-05, rel=1e-9)
    expected = [[0.0159136204435507, 0.9840642735146238]]
    np.testing.assert_allclose(first.predict(T1_X), expected, rtol=1e-9)
    biases = [bias for layer in first.layers for bias in layer.b]
    assert sorted(set(biases)) == [0.35, 0.6]


def test_hand_calculation_gives_the_published_factors_and_the_right_total():
    net = sigmoid_network(T4_WEIGHTS, T4_BIASES)
    trace = net.forward(T4_X)
    printed = {"rtol": 0, "atol": 1.1e-9}
    np.testing.assert_allclose(trace[0].z, [[0.415, 0.411]], **printed)
    np.testing.assert_allclose(trace[0].a, [[0.602286177, 0.601327636]], **printed)
    np.testing.assert_allclose(trace[1].z, [[1.091150525, 1.151379143]], **printed)
    np.testing.assert_allclose(trace.output, [[0.748598311, 0.759762733]], **printed)
    assert net.cost(T4_X, T4_Y) == pytest.approx(0.0407338056927284, abs=1e-14)
    grads = net.backward(trace, T4_Y)
    assert trace.output[0, 0] - 0.5 == pytest.approx(0.248598311, abs=6e-10)
    derivative = net.layers[1].activation.derivative(trace[1].z, trace[1].a)
    assert derivative[0, 0] == pytest.approx(0.18819888, abs=6e-9)
    assert grads.flat[net.select("w6")] == pytest.approx(0.028133669, abs=6e-10)
    step(net, grads.flat, 0.1)
    assert net.parameters[net.select("w6")] == pytest.approx(0.347186633, abs=6e-10)


def test_one_step_agrees_with_the_step_of_scikit_learn():
    net = Network([3, 2, 1], activation="sigmoid", output="sigmoid", l2=0.1)
    net.set_weights([[[0.1, 0.2], [0.3, 0.1], [0.5, 0]], [[0.1], [0.2]]], [[0.1, 0.1], [1.0]])
    X, y = [[0.6, 0.8, 0.7]], [0]
    trace = net.forward(X)
    exact = {"rtol": 0, "atol": 1e-14}
    np.testing.assert_allclose(trace[0].a, [[0.679178699175393, 0.574442516811659]], **exact)
    assert trace.output[0, 0] == pytest.approx(0.76545202190952, abs=1e-14)
    step(net, net.backward(trace, y).flat, 0.1)
    W1 = [[0.097999271018766, 0.195754546692525], [0.295665694691688, 0.0960060622567]]
    W1 += [[0.493832482855227, -0.002619695525388]]
    np.testing.assert_allclose(net.layers[0].W, W1, **exact)
    np.testing.assert_allclose(net.layers[1].W, [[0.047012129147832], [0.154029181403572]], **exact)
    np.testing.assert_allclose(net.layers[0].b, [0.098332118364611, 0.096257577820875], **exact)
    np.testing.assert_allclose(net.layers[1].b, [0.923454797809048], **exact)
    assert net.predict(X)[0, 0] == pytest.approx(0.739491918048668, abs=1e-14)


def test_gradient_vanishes_where_nist_certifies_the_least_squares_fit():
    """Rat42, y = c1 / (1 + exp(c2 − c3·x)): a sigmoid neuron, then a weight; the output has no bias."""
    x = np.array([9, 14, 21, 28, 42, 57, 63, 70, 79.0])[:, None]
    y = np.array([8.93, 10.8, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08])
    net = Network([1, 1, 1], activation="sigmoid", loss="squared_error", reduction="sum")
    net.set_weights({"W1": 0.067359200066, "b1": -2.6180768402, "W2": 72.462237576, "b2": 0.0})
    net.freeze("b2")
    assert net.cost(x, y) == pytest.approx(8.0565229338, abs=1e-10)
    gradient = net.backward(net.forward(x), y).flat
    trained = np.delete(gradient, net.frozen)
    terms = np.abs(net.backward(net.forward(x), y)[1].delta).sum() * 79
    assert np.abs(trained).max() < 1e-7 * terms


def test_autoencoder_is_the_same_network_with_its_input_as_target():
    net = sigmoid_network(T4_WEIGHTS, T4_BIASES)
    before = net.cost(T4_X, T4_X)
    for _ in range(2000):
        step(net, net.backward(net.forward(T4_X), T4_X).flat, 0.5)
    assert net.cost(T4_X, T4_X) < before / 100

"""A step beside a model's: the first quantity that differs is named, in whatever layout."""

from __future__ import annotations

import numpy as np
import pytest

import deltarule as dr

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(5, 3)), RNG.uniform(0.2, 0.8, size=(5, 2))


def network(activation="tanh"):
    net = dr.Network([3, 4, 2], activation=activation, output="sigmoid", loss="half_squared_error", seed=3)
    weights, biases = net.get_weights()
    net.set_weights(weights, [b + 0.1 for b in biases])
    return net


def forward(weights, biases, X):
    (W1, W2), (b1, b2) = weights, biases
    h = np.tanh(X @ W1 + b1)
    return h, 1 / (1 + np.exp(-(h @ W2 + b2)))


def step(weights, biases, X, Y, slope=lambda h: 1 - h**2, share=1, sign=1):
    h, p = forward(weights, biases, X)
    delta2 = share * (p - Y) * p * (1 - p) / len(X)
    delta1 = delta2 @ weights[1].T * slope(h)
    return [X.T @ delta1, h.T @ delta2], [sign * delta1.sum(axis=0), delta2.sum(axis=0)]


def no_slope(weights, biases, X, Y):
    return step(weights, biases, X, Y, slope=lambda h: h)


def no_mean(weights, biases, X, Y):
    return step(weights, biases, X, Y, share=5)


def wrong_bias(weights, biases, X, Y):
    return step(weights, biases, X, Y, sign=-1)


def columns(weights, biases, X, Y):
    h = np.tanh(weights[0] @ X + biases[0])
    a = 1 / (1 + np.exp(-(weights[1] @ h + biases[1])))
    d = (a - Y) * a * (1 - a)  # divided below
    e = weights[1].T @ d * (1 - h * h)
    n = X.shape[1]
    return {"W1": e @ X.T / n, "W2": d @ h.T / n, "b1": e.mean(axis=1), "b2": d.mean(axis=1, keepdims=True)}


def updating(weights, biases, X, Y, rate):
    dW, db = step(weights, biases, X, Y)
    return [W - rate * g for W, g in zip(weights, dW, strict=True)], [
        b - rate * g for b, g in zip(biases, db, strict=True)
    ]


class Own:
    def __init__(self, net, factor=1.0):
        (self.W1, self.W2), (self.b1, self.b2) = net.get_weights()
        self.lr, self.factor = 0.3, factor

    def train(self, X, Y):
        dW, db = step([self.W1, self.W2], [self.b1, self.b2], X, Y)
        self.W1 -= self.lr * dW[0]
        self.W2 -= self.lr * dW[1]
        self.b1 -= self.lr * db[0]
        self.b2 -= self.factor * self.lr * db[1]


@pytest.mark.parametrize("own", [step, columns, updating, Own(network())])
def test_the_same_in_any_layout(own):
    found = dr.compare(own, network(), X, Y)
    assert found.same, str(found)
    assert {"a1", "a2", "delta2", "dW2", "db1"} <= {one.name for one in found.quantities}
    assert all(one.verdict.startswith("same") for one in found.quantities if one.name != "loss")
    assert "The step agrees" in str(found)


@pytest.mark.parametrize(
    ("own", "first", "verdict"),
    [
        (no_slope, "delta1", "differs"),
        (no_mean, "delta2", "same except for a factor"),
        (wrong_bias, "db1", "same except for a factor"),
        (Own(network(), 0.5), "db2", "same except for a factor"),
    ],
)
def test_the_first_that_differs(own, first, verdict):
    found = dr.compare(own, network(), X, Y)
    assert not found.same
    assert (found.first.name, found.first.verdict) == (first, verdict)
    assert f"The first quantity that differs is {first}" in str(found)


def test_numbers_and_the_line_are_told():
    first = dr.compare(no_slope, network(), X, Y).first
    assert first.found_in == f"delta1, line {step.__code__.co_firstlineno + 3}"
    index = tuple(map(int, first.place.strip("[]").split(",")))
    net = network()
    trace = net.forward(X)
    delta = net.backward(trace, Y)[0].delta
    h = trace[0].a
    assert first.right == pytest.approx(delta[index])
    assert first.found == pytest.approx((delta / (1 - h**2) * h)[index])


def test_a_wrong_forward_pass_is_found_first():
    found = dr.compare(step, network("sigmoid"), X, Y)
    assert found.first.name == "a1"


def test_the_learners_own_is_left_as_it_was():
    own = Own(network())
    before = own.W1.copy()
    dr.compare(own, network(), X, Y)
    assert np.array_equal(own.W1, before)


def test_what_cannot_be_compared_is_said():
    for own, other, said in (
        (step, 3, "expected a Network"),
        (3, network(), "expected a function or an object"),
        (lambda weights, biases, X, Y: [X], network(), "none of the usual layouts"),
        (Own(dr.Network([3, 4, 2], seed=9)), network(), "no array that equals the model's W1"),
    ):
        with pytest.raises(dr.InputError, match=said):
            dr.compare(own, other, X, Y)


def test_beside_pytorch():
    torch = pytest.importorskip("torch")
    net = network()
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2), torch.nn.Sigmoid()
    ).double()
    with torch.no_grad():
        for linear, W, b in zip((model[0], model[2]), *net.get_weights(), strict=True):
            linear.weight[...] = torch.tensor(W.T)
            linear.bias[...] = torch.tensor(b)
    loss = torch.nn.MSELoss()  # the mean over 2 outputs, not their halved sum: the same here
    assert dr.compare(step, model, X, Y, loss=loss).same
    assert dr.compare(Own(net), model, X, Y, loss=loss).same
    assert dr.compare(no_slope, model, X, Y, loss=loss).first.name == "delta1"
    assert model[0].weight.grad is None
    with pytest.raises(dr.InputError, match="name the loss"):
        dr.compare(step, model, X, Y)
    with pytest.raises(dr.InputError, match="this has a Dropout"):
        dr.compare(step, torch.nn.Sequential(*model, torch.nn.Dropout()), X, Y, loss=loss)


def test_class_numbers_beside_pytorch():
    torch = pytest.importorskip("torch")

    def softmax_step(weights, biases, X, Y):
        z = X @ weights[0] + biases[0]
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        p[np.arange(len(Y)), Y] -= 1
        return X.T @ p / len(X), p.mean(axis=0)

    model = torch.nn.Sequential(torch.nn.Linear(3, 4))
    found = dr.compare(softmax_step, model, X, [0, 1, 2, 3, 0], loss=torch.nn.CrossEntropyLoss())
    assert found.same, str(found)

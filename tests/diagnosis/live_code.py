"""Live code of learners: functions that return gradients or weights, and network objects."""

from __future__ import annotations

import math

import numpy as np

from .planted import rows


def right_pair(weights, biases, X, Y):
    return rows("", "tanh", "sigmoid")(weights, biases, X, Y)


def shared_bias(weights, biases, X, Y):
    """One number for each layer."""
    full = [np.full(w.shape[1], float(b)) for w, b in zip(weights, biases, strict=True)]
    dW, db = right_pair(weights, full, X, Y)
    return dW, [g.sum() for g in db]


def no_bias(weights, X, Y):
    return right_pair(weights, [np.zeros(w.shape[1]) for w in weights], X, Y)[0]


def biases_ignored(weights, biases, X, Y):
    return no_bias(weights, X, Y)


def updating(weights, biases, X, Y, learning_rate):
    dW, db = right_pair(weights, biases, X, Y)
    return (
        [w - learning_rate * g for w, g in zip(weights, dW, strict=True)],
        [b - learning_rate * g for b, g in zip(biases, db, strict=True)],
    )


class Neuron:
    def __init__(self, weights, bias):
        self.weights, self.bias = weights, bias

    def output(self, inputs):
        self.inputs = inputs
        net = sum(i * w for i, w in zip(inputs, self.weights, strict=True)) + self.bias
        self.out = 1 / (1 + math.exp(-net))
        return self.out

    def slope(self):
        return self.out * (1 - self.out)


class NeuronByNeuron:
    """A 2-2-2 network of named neurons; as published, the hidden layer takes the wrong weights and slope."""

    LEARNING_RATE = 0.5

    def __init__(self, published):
        self.published = published
        self.hidden = [Neuron([0.15, 0.20], 0.35), Neuron([0.25, 0.30], 0.35)]
        self.outputs = [Neuron([0.40, 0.45], 0.60), Neuron([0.50, 0.55], 0.60)]

    def train(self, x, y):
        h = [neuron.output(x) for neuron in self.hidden]
        errors = [neuron.output(h) - t for neuron, t in zip(self.outputs, y, strict=True)]
        d = [e * neuron.slope() for e, neuron in zip(errors, self.outputs, strict=True)]
        hidden = []
        for j, neuron in enumerate(self.hidden):
            if self.published:
                hidden.append(sum(d[k] * neuron.weights[k] for k in range(2)) * self.outputs[j].slope())
            else:
                hidden.append(sum(d[k] * self.outputs[k].weights[j] for k in range(2)) * neuron.slope())
        for neurons_, deltas in ((self.outputs, d), (self.hidden, hidden)):
            for neuron, delta in zip(neurons_, deltas, strict=True):
                for i in range(2):
                    neuron.weights[i] -= self.LEARNING_RATE * delta * neuron.inputs[i]


class Matrices:
    def __init__(self, wrong=False):
        rng = np.random.default_rng(0)
        self.W1, self.b1 = rng.normal(size=(3, 4)), rng.normal(size=4)
        self.W2, self.b2 = rng.normal(size=(4, 2)), rng.normal(size=2)
        self.wrong = wrong

    def forward(self, X):
        self.X, self.h = X, np.tanh(X @ self.W1 + self.b1)
        self.p = 1 / (1 + np.exp(-(self.h @ self.W2 + self.b2)))
        return self.p

    def backward(self, Y):
        delta = (self.p - Y) * self.p * (1 - self.p) / len(Y)
        self.dW2, self.db2 = self.h.T @ delta, delta.sum(axis=0)
        delta = delta @ self.W2.T * (1 if self.wrong else 1 - self.h**2)
        self.dW1, self.db1 = self.X.T @ delta, delta.sum(axis=0)


def in_float32(function):
    def of(weights, biases, X, Y):
        single = [[one.astype(np.float32) for one in part] for part in (weights, biases)]
        return function(*single, X.astype(np.float32), Y.astype(np.float32))

    return of


def by_differences(weights, biases, X, Y, step=1e-5):
    def loss():
        a = X
        for W, b in zip(weights[:-1], biases[:-1], strict=True):
            a = np.tanh(a @ W + b)
        p = 1 / (1 + np.exp(-(a @ weights[-1] + biases[-1])))
        return ((p - Y) ** 2).sum() / 2 / len(X)

    found = []
    for arrays in (weights, biases):
        found.append([np.zeros_like(array) for array in arrays])
        for array, gradient in zip(arrays, found[-1], strict=True):
            for index in np.ndindex(array.shape):
                array[index] += step
                up = loss()
                array[index] -= step
                gradient[index] = (up - loss()) / step
    return found

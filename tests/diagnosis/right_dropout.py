"""Right dropout in the ways in which it is written: who draws the mask, what is passed, how it is scaled."""

from __future__ import annotations

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradients(weights, biases, X, Y, mask, up=1.0, back=None):
    """Of one hidden layer (tanh, sigmoid, half squared error), its outputs times mask and factor."""
    h = np.tanh(X @ weights[0] + biases[0])
    d = h * mask * up
    p = sigmoid(d @ weights[1] + biases[1])
    delta2 = (p - Y) * p * (1 - p) / len(X)
    delta1 = delta2 @ weights[1].T * (mask if back is None else back) * up * (1 - h**2)
    return [X.T @ delta1, d.T @ delta2], [delta1.sum(axis=0), delta2.sum(axis=0)]


def size(weights, X):
    return len(X), weights[0].shape[1]


def mask_alone(weights, biases, X, Y, mask):
    return gradients(weights, biases, X, Y, mask)


def mask_and_share_dropped(weights, biases, X, Y, mask, p=0.5):
    return gradients(weights, biases, X, Y, mask, 1 / (1 - p))


def mask_and_share_kept(weights, biases, X, Y, mask, p=0.5):
    with np.errstate(all="ignore"):
        return gradients(weights, biases, X, Y, mask, 1 / np.float64(p))


def list_of_masks(weights, biases, X, Y, masks, keep_prob):
    return gradients(weights, biases, X, Y, masks[0], 1 / keep_prob)


def inputs_too(weights, biases, X, Y, masks, p):
    return gradients(weights, biases, X * masks[0] / (1 - p), Y, masks[1], 1 / (1 - p))


def one_mask_for_all_samples(weights, biases, X, Y, p=0.5, rng=None):
    return gradients(weights, biases, X, Y, rng.random(weights[0].shape[1]) > p, 1 / (1 - p))


def share_kept(weights, biases, X, Y, p=0.5):
    with np.errstate(all="ignore"):
        return gradients(weights, biases, X, Y, np.random.rand(*size(weights, X)) < p, 1 / np.float64(p))  # noqa: NPY002


def share_kept_classic(weights, biases, X, Y, p=0.5):
    return gradients(weights, biases, X, Y, np.random.rand(*size(weights, X)) < p)  # noqa: NPY002


def seed_passed(weights, biases, X, Y, dropout=0.2, seed=0):
    mask = np.random.default_rng(seed).random(size(weights, X)) > dropout
    return gradients(weights, biases, X, Y, mask, 1 / (1 - dropout))


def flag_passed(weights, biases, X, Y, training=True, dropout=0.2):
    if not training:
        return gradients(weights, biases, X, Y, 1.0)
    return gradients(
        weights, biases, X, Y, np.random.default_rng().random(size(weights, X)) > dropout, 1 / (1 - dropout)
    )


def updates(weights, biases, X, Y, learning_rate, dropout=0.2):
    dW, db = seed_passed(weights, biases, X, Y, dropout)
    return (
        [w - learning_rate * g for w, g in zip(weights, dW, strict=True)],
        [b - learning_rate * g for b, g in zip(biases, db, strict=True)],
    )


def fixed_and_seeded(weights, biases, X, Y):
    np.random.seed(3)  # noqa: NPY002
    return gradients(weights, biases, X, Y, np.random.rand(*size(weights, X)) > 0.3, 1 / 0.7)  # noqa: NPY002


def fixed(weights, biases, X, Y):
    return gradients(weights, biases, X, Y, np.random.default_rng().random(size(weights, X)) > 0.3, 1 / 0.7)


def fixed_and_wrong(weights, biases, X, Y):
    mask = np.random.default_rng().random(size(weights, X)) > 0.3
    return gradients(weights, biases, X, Y, mask, 1 / 0.7, back=1.0)


class Flagged:
    """Draws from a generator of its own; forward has a flag."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.W1, self.b1 = rng.normal(size=(3, 6)), np.zeros(6)
        self.W2, self.b2 = rng.normal(size=(6, 2)), np.zeros(2)
        self.p, self.lr, self.rng = 0.7, 0.1, np.random.default_rng(4)

    def forward(self, X, training=False):
        self.X = np.asarray(X)
        self.h = np.tanh(self.X @ self.W1 + self.b1)
        self.d = self.h
        if training:
            with np.errstate(all="ignore"):
                self.mask = (self.rng.random(self.h.shape) < self.p) / np.float64(self.p)
            self.d = self.h * self.mask
        return sigmoid(self.d @ self.W2 + self.b2)

    def train(self, X, Y):
        p = self.forward(X, training=True)
        delta2 = (p - Y) * p * (1 - p)
        delta1 = delta2 @ self.W2.T * self.mask * (1 - self.h**2)
        self.W2 -= self.lr * self.d.T @ delta2
        self.b2 -= self.lr * delta2.sum(axis=0)
        self.W1 -= self.lr * self.X.T @ delta1
        self.b1 -= self.lr * delta1.sum(axis=0)


class Dropout:
    def __init__(self, p):
        self.p, self.training = p, True

    def forward(self, x):
        self.mask = np.ones_like(x)
        if self.training:
            self.mask = (np.random.rand(*x.shape) >= self.p) / (1 - self.p)  # noqa: NPY002
        return x * self.mask

    def backward(self, gradient):
        return gradient * self.mask


class OfParts:
    """A dropout layer of its own, which eval() switches off."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.W1, self.b1 = rng.normal(size=(3, 6)), np.zeros(6)
        self.W2, self.b2 = rng.normal(size=(6, 2)), np.zeros(2)
        self.dropout = Dropout(0.5)

    def eval(self):
        self.dropout.training = False

    def forward(self, X):
        self.X, self.h = X, np.tanh(X @ self.W1 + self.b1)
        self.d = self.dropout.forward(self.h)
        self.out = sigmoid(self.d @ self.W2 + self.b2)
        return self.out

    def backward(self, Y):
        delta2 = (self.out - Y) * self.out * (1 - self.out) / len(Y)
        self.dW2, self.db2 = self.d.T @ delta2, delta2.sum(axis=0)
        delta1 = self.dropout.backward(delta2 @ self.W2.T) * (1 - self.h**2)
        self.dW1, self.db1 = self.X.T @ delta1, delta1.sum(axis=0)


#: With the scaling that is to be seen.
RIGHT = [
    (mask_alone, "classic"), (mask_and_share_dropped, "inverted"), (mask_and_share_kept, "inverted"),
    (list_of_masks, "inverted"), (inputs_too, "inverted"), (one_mask_for_all_samples, "inverted"),
    (share_kept, "inverted"), (share_kept_classic, "classic"), (seed_passed, "inverted"),
    (flag_passed, "inverted"), (updates, "inverted"), (Flagged(), "inverted"), (OfParts(), "inverted"),
]  # fmt: skip

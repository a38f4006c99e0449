"""Dropout as learners write it, in three styles, with a mistake planted by name.

Written without the package: NumPy with samples in rows and masks handed over; NumPy with a column for each
sample, which draws its own masks; a class with lists of neurons. Each comes with its predictions.
"""

from __future__ import annotations

import random

import numpy as np

from .planted import SLOPE, F, softmax

#: What goes wrong, and the two ways that are right.
IN_GRADIENT = (
    "dropout_mask_not_applied_backward", "dropout_mask_not_applied_backward:scaled",
    "dropout_scaled_one_way", "dropout_scaled_one_way:backward", "dropout_other_mask_backward",
    "dropout_slope_of_dropped", "dropout_has_no_effect",
)  # fmt: skip
RIGHT = ("inverted", "classic")


def factors(mistake, p):
    """What training multiplies by going forward, and going back."""
    up = 1 / (1 - p)
    return {
        "classic": (1, 1),
        "dropout_scaled_one_way": (up, 1),
        "dropout_scaled_one_way:backward": (1, up),
    }.get(mistake, (up, up))


def of_predictions(mistake, p):
    """What predictions multiply by."""
    return 1 - p if mistake == "classic" else 1.0


# ---------------------------------------------------------------------- samples in rows, masks handed over


def rows(mistake, hidden, output):
    f, slope = F[hidden], SLOPE[hidden]

    def backprop(weights, biases, X, Y, masks, p):
        last = len(weights) - 1
        up, back_up = factors(mistake, p)
        a, dropped, z = [X], [X], []
        for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
            z.append(dropped[-1] @ W + b)
            if layer == last:
                break
            h = f(z[-1])
            a.append(h)
            dropped.append(h if mistake == "dropout_has_no_effect" else h * masks[layer] * up)
        if output == "softmax":
            delta = (softmax(z[-1], axis=1) - Y) / len(X)
        else:
            delta = (F[output](z[-1]) - Y) * SLOPE[output](z[-1]) / len(X)
        dW, db = [None] * len(weights), [None] * len(weights)
        for layer in range(last, -1, -1):
            dW[layer], db[layer] = dropped[layer].T @ delta, delta.sum(axis=0)
            if layer == 0:
                break
            back, mask = delta @ weights[layer].T, masks[layer - 1]
            if mistake == "dropout_mask_not_applied_backward:scaled":
                back = back * back_up
            elif mistake not in ("dropout_mask_not_applied_backward", "dropout_has_no_effect"):
                back = back * mask * back_up
            s = slope(z[layer - 1])
            if mistake == "dropout_slope_of_dropped":
                h = dropped[layer]
                s = {"sigmoid": h * (1 - h), "tanh": 1 - h**2, "relu": (h > 0) * 1.0}[hidden]
            delta = back * s
        return dW, db

    def predict(weights, biases, X, p):
        h = X
        for W, b in zip(weights, biases, strict=True):
            z = h @ W + b
            h = f(z) * of_predictions(mistake, p)
        return softmax(z, axis=1) if output == "softmax" else F[output](z)

    return backprop, predict


# ---------------------------------------------------------------------- a column for each sample, masks drawn


def columns(mistake, hidden, output):
    f, slope = F[hidden], SLOPE[hidden]

    def drawn(shape, keep_prob):
        return (np.random.rand(*shape) < keep_prob).astype(float)  # noqa: NPY002

    def forward(weights, biases, X, keep_prob, training):
        A, Z, D = [X], [], []
        for k in range(len(weights)):
            Z.append(weights[k] @ A[-1] + biases[k])
            if k == len(weights) - 1:
                A.append(softmax(Z[-1], axis=0) if output == "softmax" else F[output](Z[-1]))
                break
            h = f(Z[-1])
            D.append(drawn(h.shape, keep_prob))
            if not training:
                h = h * of_predictions(mistake, 1 - keep_prob)
            elif mistake != "dropout_has_no_effect":
                h = h * D[-1] * factors(mistake, 1 - keep_prob)[0]
            A.append(h)
        return A, Z, D

    def backprop(weights, biases, X, Y, keep_prob=0.8):
        A, Z, D = forward(weights, biases, X, keep_prob, training=True)
        dZ = (A[-1] - Y) / X.shape[1]
        if output != "softmax":
            dZ = dZ * SLOPE[output](Z[-1])
        grads = {}
        for k in range(len(weights) - 1, -1, -1):
            grads[f"db{k}"] = dZ.sum(axis=1, keepdims=True)
            grads[f"dW{k}"] = dZ @ A[k].T
            if k == 0:
                break
            dA = weights[k].T @ dZ
            mask = D[k - 1]
            if mistake == "dropout_other_mask_backward":
                mask = drawn(mask.shape, keep_prob)
            if mistake == "dropout_mask_not_applied_backward:scaled":
                dA = dA / keep_prob
            elif mistake not in ("dropout_mask_not_applied_backward", "dropout_has_no_effect"):
                dA = dA * mask * factors(mistake, 1 - keep_prob)[1]
            s = slope(Z[k - 1])
            if mistake == "dropout_slope_of_dropped":
                s = {"sigmoid": A[k] * (1 - A[k]), "tanh": 1 - A[k] ** 2, "relu": (A[k] > 0) * 1.0}[hidden]
            dZ = dA * s
        return {name: grads[name] for name in sorted(grads)}

    def predict(weights, biases, X, keep_prob):
        return forward(weights, biases, X, keep_prob, training=False)[0][-1]

    return backprop, predict


# ---------------------------------------------------------------------- a class, neuron by neuron


class Neurons:
    """One hidden layer, a sample at a time; some hidden neurons are dropped in training."""

    def __init__(self, mistake, hidden, output, decimals=17):
        self.decimals = decimals  # of its gradients
        rng = np.random.default_rng(5)
        self.hidden_weights, self.output_weights = (rng.normal(0, 0.8, s).tolist() for s in ((5, 3), (2, 5)))
        self.hidden_bias, self.output_bias = (rng.normal(0, 0.5, s).tolist() for s in (5, 2))
        self.p_drop, self.learning_rate = 0.5, 0.1
        self.mistake, self.hidden, self.output = mistake, hidden, output

    def draw(self, _=None):
        return 0.0 if random.random() < self.p_drop else 1.0

    def forward(self, x, training):
        self.net_h = [
            sum(w * v for w, v in zip(ws, x, strict=True)) + b
            for ws, b in zip(self.hidden_weights, self.hidden_bias, strict=True)
        ]
        self.h = [float(F[self.hidden](net)) for net in self.net_h]
        self.kept = list(map(self.draw, self.h))
        if training:
            up = factors(self.mistake, self.p_drop)[0]
            used = self.h if self.mistake == "dropout_has_no_effect" else []
            self.used = used or [h * k * up for h, k in zip(self.h, self.kept, strict=True)]
        else:
            self.used = [h * of_predictions(self.mistake, self.p_drop) for h in self.h]
        self.net_o = [
            sum(w * v for w, v in zip(ws, self.used, strict=True)) + b
            for ws, b in zip(self.output_weights, self.output_bias, strict=True)
        ]
        return [float(F[self.output](net)) for net in self.net_o]

    def train(self, x, y):
        out = self.forward(x, training=True)
        d_o = [(o - t) * float(SLOPE[self.output](z)) for o, t, z in zip(out, y, self.net_o, strict=True)]
        kept, up = self.kept, factors(self.mistake, self.p_drop)[1]
        if self.mistake == "dropout_other_mask_backward":
            kept = list(map(self.draw, kept))
        d_h = []
        for j, z in enumerate(self.net_h):
            back = sum(d_o[k] * self.output_weights[k][j] for k in range(len(d_o)))
            if self.mistake == "dropout_mask_not_applied_backward:scaled":
                back *= up
            elif self.mistake not in ("dropout_mask_not_applied_backward", "dropout_has_no_effect"):
                back *= kept[j] * up
            slope = float(SLOPE[self.hidden](z))
            if self.mistake == "dropout_slope_of_dropped":
                u = self.used[j]
                slope = {"sigmoid": u * (1 - u), "tanh": 1 - u**2, "relu": float(u > 0)}[self.hidden]
            d_h.append(back * slope)
        for weights, bias, inputs, deltas in (
            (self.output_weights, self.output_bias, self.used, d_o),
            (self.hidden_weights, self.hidden_bias, x, d_h),
        ):
            for j, delta in enumerate(deltas):
                bias[j] -= self.learning_rate * round(delta, self.decimals)
                for i, value in enumerate(inputs):
                    weights[j][i] -= self.learning_rate * round(delta * value, self.decimals)

    def predict(self, x):
        return self.forward(x, training=False)


def neurons(mistake, hidden, output):
    return Neurons(mistake, hidden, output), None


STYLES = {"rows": rows, "columns": columns, "neurons": neurons}

#: Hidden activation and output; a softmax comes with cross-entropy, any other with half squared error.
NETWORKS = [
    ("sigmoid", "sigmoid"), ("tanh", "sigmoid"), ("relu", "sigmoid"),
    ("tanh", "tanh"), ("sigmoid", "tanh"), ("tanh", "identity"), ("relu", "softmax"), ("sigmoid", "softmax"),
]  # fmt: skip


def cases(mistakes=IN_GRADIENT):
    """(style, mistake, hidden, output) for all that can be planted."""
    for style in STYLES:
        for mistake in mistakes:
            for hidden, output in NETWORKS:
                impossible = (
                    (style == "neurons" and output == "softmax")
                    or (style == "rows" and mistake == "dropout_other_mask_backward")
                    or (
                        mistake == "dropout_slope_of_dropped" and hidden == "relu"
                    )  # its slope does not change
                )
                if not impossible:
                    yield style, mistake, hidden, output

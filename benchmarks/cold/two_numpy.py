"""10,000 updates of the 2-2-2 network: NumPy by hand."""

import json

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


x, y = np.array([0.05, 0.10]), np.array([0.01, 0.99])
W1, b1 = np.array([[0.15, 0.25], [0.20, 0.30]]), 0.35
W2, b2 = np.array([[0.40, 0.50], [0.45, 0.55]]), 0.60
for _ in range(10_000):
    a1 = sigmoid(x @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    delta2 = (a2 - y) * a2 * (1 - a2)
    delta1 = (W2 @ delta2) * a1 * (1 - a1)
    W2 -= 0.5 * np.outer(a1, delta2)
    W1 -= 0.5 * np.outer(x, delta1)
a2 = sigmoid(sigmoid(x @ W1 + b1) @ W2 + b2)
print(json.dumps({"loss": ((a2 - y) ** 2).sum() / 2}))

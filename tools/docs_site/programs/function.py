import numpy as np


def gradients(weights, biases, X, Y):
    (W1, W2), (b1, b2) = weights, biases
    a1 = 1 / (1 + np.exp(-(X @ W1 + b1)))
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    delta2 = (a2 - Y) * a2 * (1 - a2) / len(X)
    delta1 = delta2 @ W2.T * a1 * (1 - a1)
    dW1, dW2 = X.T @ delta1, a1.T @ delta2
    db1, db2 = delta1.sum(axis=0), delta2.sum(axis=0)
    return [dW1, dW2], [db1, db2]

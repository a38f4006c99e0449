import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(7, 3))
Y = rng.uniform(size=(7, 2))
n, rate = len(X), 0.3
W1, b1 = rng.normal(size=(3, 4)), rng.normal(size=4) / 4
W2, b2 = rng.normal(size=(4, 2)), rng.normal(size=2) / 4

for epoch in range(1000):
    dW1, db1, dW2, db2 = (np.zeros_like(part) for part in (W1, b1, W2, b2))
    for x, y in zip(X, Y):
        a1 = 1 / (1 + np.exp(-(x @ W1 + b1)))
        a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
        delta2 = (a2 - y) * a2 * (1 - a2) / n
        delta1 = delta2 @ W2.T * a1 * (1 - a1)
        dW2 += np.outer(a1, delta2)
        db2 += delta2
        dW1 += np.outer(x, delta1)
        db1 += delta1
    W2 -= rate * dW2
    b2 -= rate * db2
    W1 -= rate * dW1
    b1 -= rate * db1

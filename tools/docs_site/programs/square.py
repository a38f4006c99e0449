import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(7, 3))
Y = rng.uniform(size=(7, 3))
n, rate = len(X), 0.3
W1, b1 = rng.normal(size=(3, 3)), rng.normal(size=3) / 4
W2, b2 = rng.normal(size=(3, 3)), rng.normal(size=3) / 4

for epoch in range(1000):
    z1 = X @ W1 + b1
    a1 = 1 / (1 + np.exp(-z1))
    z2 = a1 @ W2 + b2
    a2 = 1 / (1 + np.exp(-z2))
    loss = ((a2 - Y) ** 2).sum() / 2 / n

    delta2 = (a2 - Y) * a2 * (1 - a2) / n
    dW2 = a1.T @ delta2
    db2 = delta2.sum(axis=0)
    back = delta2 @ W2.T
    delta1 = back * a1 * (1 - a1)
    dW1 = X.T @ delta1
    db1 = delta1.sum(axis=0)

    W2 -= rate * dW2
    b2 -= rate * db2
    W1 -= rate * dW1
    b1 -= rate * db1

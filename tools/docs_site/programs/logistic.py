import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(7, 3))
Y = rng.integers(2, size=(7, 1))
n, rate = len(X), 0.3
W, b = rng.normal(size=(3, 1)), rng.normal(size=1) / 4

for epoch in range(1000):
    a = 1 / (1 + np.exp(-(X @ W + b)))
    delta = (a - Y) / n
    W -= rate * (X.T @ delta).sum(axis=1, keepdims=True)
    b -= rate * delta.sum()

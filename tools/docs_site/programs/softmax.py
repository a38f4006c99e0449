import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(7, 3))
Y = np.eye(3)[rng.integers(3, size=7)]
n, rate = len(X), 0.3
W1, b1 = rng.normal(size=(3, 4)), rng.normal(size=4) / 4
W2, b2 = rng.normal(size=(4, 3)), rng.normal(size=3) / 4

for epoch in range(1000):
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    a2 = e / e.sum(axis=1, keepdims=True)
    loss = -(Y * np.log(a2)).sum() / n

    delta2 = (a2 - Y) / n
    dW2 = a1.T @ delta2
    db2 = delta2.sum(axis=0)
    back = delta2 @ W2.T
    delta1 = back * (1 - a1**2)
    dW1 = X.T @ delta1
    db1 = delta1.sum(axis=0)

    W2 -= rate * dW2
    b2 -= rate * db2
    W1 -= rate * dW1
    b1 -= rate * db1

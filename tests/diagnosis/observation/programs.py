"""Small programs in the styles of many people, and mistakes to plant in them."""

import textwrap

SCRIPT = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(7, 3))
T = rng.uniform(0.1, 0.9, size=(7, 2))
W1 = rng.normal(size=(3, 4)); b1 = np.zeros(4)
W2 = rng.normal(size=(4, 2)); b2 = np.zeros(2)
rate = 0.5
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def slope(a):
    return a * (1 - a)
for epoch in range(100000):
    H = sigmoid(X @ W1 + b1)
    O = sigmoid(H @ W2 + b2)
    loss = 0.5 * np.sum((O - T) ** 2)
    dO = (O - T) * slope(O)
    dH = dO @ W2.T
    dZ = dH * slope(H)
    W2 -= rate * H.T @ dO
    b2 -= rate * dO.sum(axis=0)
    W1 -= rate * X.T @ dZ
    b1 -= rate * dZ.sum(axis=0)
"""

SOFTMAX = """
import numpy as np
rng = np.random.RandomState(1)
X = rng.randn(9, 4); labels = rng.randint(0, 3, 9)
theta = {"A": rng.randn(4, 6) * 0.5, "a": np.zeros(6), "B": rng.randn(6, 3) * 0.5, "b": np.zeros(3)}
decay, eta = 0.01, 0.2
for it in range(50):
    hidden = np.maximum(X.dot(theta["A"]) + theta["a"], 0)
    s = hidden.dot(theta["B"]) + theta["b"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    data = -np.log(p[np.arange(9), labels]).mean()
    total = data + 0.5 * decay * (np.sum(theta["A"] ** 2) + np.sum(theta["B"] ** 2))
    d = p.copy()
    d[np.arange(9), labels] -= 1
    d /= 9
    grad = {"B": hidden.T.dot(d), "b": d.sum(axis=0)}
    back = d.dot(theta["B"].T)
    back[hidden <= 0] = 0
    grad["A"] = X.T.dot(back)
    grad["a"] = back.sum(axis=0)
    grad["A"] += decay * theta["A"]
    grad["B"] += decay * theta["B"]
    for key in theta:
        theta[key] = theta[key] - eta * grad[key]
"""

NEURONS = """
import math, random
class Unit:
    def __init__(self, n):
        self.w = [random.uniform(-1, 1) for _ in range(n)]
        self.bias = random.uniform(-1, 1)
    def fire(self, xs):
        self.xs = xs
        total = self.bias
        for w, x in zip(self.w, xs):
            total += w * x
        self.out = math.tanh(total)
        return self.out
hidden = [Unit(2) for _ in range(3)]
output = [Unit(3) for _ in range(2)]
cases = [((0.2, -0.4), (0.3, -0.3)), ((0.9, 0.1), (-0.5, 0.4)), ((-0.6, 0.8), (0.1, 0.7))]
for turn in range(1000):
    for xs, ts in cases:
        hs = [u.fire(xs) for u in hidden]
        os = [u.fire(hs) for u in output]
        for u, t in zip(output, ts):
            u.delta = (u.out - t) * (1 - u.out ** 2)
        for j, u in enumerate(hidden):
            back = 0.0
            for v in output:
                back += v.w[j] * v.delta
            u.delta = back * (1 - u.out ** 2)
        for u in hidden + output:
            for i in range(len(u.w)):
                u.w[i] -= 0.1 * u.delta * u.xs[i]
            u.bias -= 0.1 * u.delta
"""

MOMENTUM = """
import numpy as np
r = np.random.default_rng(5)
X = r.normal(size=(12, 3)); y = np.sin(X.sum(axis=1, keepdims=True))
w = [r.normal(size=(3, 5)), r.normal(size=(5, 1))]
c = [np.zeros(5), np.zeros(1)]
vw = [np.zeros((3, 5)), np.zeros((5, 1))]; vc = [np.zeros(5), np.zeros(1)]
for step in range(40):
    h = np.tanh(X @ w[0] + c[0])
    out = h @ w[1] + c[1]
    d1 = (out - y) / len(X)
    d0 = d1 @ w[1].T * (1 - h * h)
    for k, (a, d) in enumerate([(X, d0), (h, d1)]):
        vw[k] = 0.9 * vw[k] - 0.1 * a.T @ d
        vc[k] = 0.9 * vc[k] - 0.1 * d.sum(axis=0)
        w[k] += vw[k]
        c[k] += vc[k]
"""

ADAM = """
import numpy as np
r = np.random.default_rng(2)
X, y = r.normal(size=(10, 3)), r.normal(size=(10, 2))
P = [r.normal(size=(3, 4)), np.zeros(4), r.normal(size=(4, 2)), np.zeros(2)]
M = [np.zeros_like(p) for p in P]; V = [np.zeros_like(p) for p in P]
for t in range(1, 30):
    h = np.tanh(X @ P[0] + P[1])
    d = 2 * (h @ P[2] + P[3] - y) / y.size
    g = d @ P[2].T * (1 - h ** 2)
    G = [X.T @ g, g.sum(0), h.T @ d, d.sum(0)]
    for k in range(4):
        M[k] = 0.9 * M[k] + 0.1 * G[k]
        V[k] = 0.999 * V[k] + 0.001 * G[k] ** 2
        P[k] -= 0.01 * (M[k] / (1 - 0.9 ** t)) / (np.sqrt(V[k] / (1 - 0.999 ** t)) + 1e-8)
"""

RECURRENT = """
import numpy as np
r = np.random.RandomState(3)
xs = [r.randn(2, 1) for _ in range(5)]; ys = [r.randn(1, 1) for _ in range(5)]
U, W, V, b = r.randn(4, 2) * 0.5, r.randn(4, 4) * 0.5, r.randn(1, 4) * 0.5, np.zeros((4, 1))
for it in range(20):
    h, hs, os = np.zeros((4, 1)), [], []
    for x in xs:
        h = np.tanh(U @ x + W @ h + b)
        hs.append(h); os.append(V @ h)
    dU, dW, dV, db = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V), np.zeros_like(b)
    later = np.zeros((4, 1))
    for t in reversed(range(5)):
        e = os[t] - ys[t]
        dV += e @ hs[t].T
        dh = V.T @ e + later
        dz = dh * (1 - hs[t] ** 2)
        dU += dz @ xs[t].T
        dW += dz @ (hs[t - 1] if t else np.zeros((4, 1))).T
        db += dz
        later = W.T @ dz
    for p, g in ((U, dU), (W, dW), (V, dV), (b, db)):
        p -= 0.05 * g
"""

BATCHNORM = """
import numpy as np
r = np.random.RandomState(4)
X, T = r.randn(10, 3), r.randn(10, 2)
W, g, s, V = r.randn(3, 5), np.ones(5), np.zeros(5), r.randn(5, 2)
N = 10
for it in range(20):
    z = X @ W
    m = z.mean(axis=0)
    v = z.var(axis=0)
    q = np.sqrt(v + 1e-5)
    n = (z - m) / q
    a = np.tanh(g * n + s)
    d = (a @ V - T) / N
    da = d @ V.T * (1 - a ** 2)
    dg, ds = (da * n).sum(axis=0), da.sum(axis=0)
    dn = da * g
    dz = (dn - dn.mean(axis=0) - n * (dn * n).mean(axis=0)) / q
    V -= 0.1 * a.T @ d
    W -= 0.1 * X.T @ dz
    g -= 0.1 * dg; s -= 0.1 * ds
"""

FUNCTIONS = """
import numpy as np
def prepare(n_in, n_hidden, n_out):
    return {"W1": np.random.randn(n_hidden, n_in), "b1": np.zeros((n_hidden, 1)),
            "W2": np.random.randn(n_out, n_hidden), "b2": np.zeros((n_out, 1))}
def forward(X, parameters):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = 1 / (1 + np.exp(-(parameters["W2"] @ A1 + parameters["b2"])))
    return A2, {"A1": A1, "A2": A2}
def backward(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dW2 = dZ2 @ cache["A1"].T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
"""

OBJECT = """
import numpy as np
class Net:
    def __init__(self, sizes, eta=0.3):
        self.W = [np.random.randn(a, b) for a, b in zip(sizes, sizes[1:])]
        self.c = [np.zeros(b) for b in sizes[1:]]
        self.eta = eta
    def train(self, x, y, epochs=200):
        for _ in range(epochs):
            acts = [np.atleast_2d(x)]
            for W, c in zip(self.W, self.c):
                acts.append(np.tanh(acts[-1] @ W + c))
            delta = (acts[-1] - np.atleast_2d(y)) * (1 - acts[-1] ** 2)
            for k in reversed(range(len(self.W))):
                below = delta @ self.W[k].T * (1 - acts[k] ** 2)
                self.W[k] -= self.eta * acts[k].T @ delta
                self.c[k] -= self.eta * delta.sum(axis=0)
                delta = below
net = Net([3, 4, 2])
"""

PROGRAMS = {
    name.lower(): textwrap.dedent(text).lstrip("\n")
    for name, text in list(globals().items())
    if name.isupper() and isinstance(text, str)
}

#: (program, right, wrong, whether the fault is told on the line of the change)
PLANTED = [
    ("script", "dZ = dH * slope(H)", "dZ = dH * slope(sigmoid(H))"),
    ("script", "dZ = dH * slope(H)", "dZ = dH"),
    ("script", "dH = dO @ W2.T", "dH = (O - T) @ W2.T"),
    ("script", "return a * (1 - a)", "return a * (1 + a)"),
    ("script", "dO = (O - T) * slope(O)", "dO = O - T"),
    ("script", "W1 -= rate * X.T @ dZ", "W1 -= rate * rate * X.T @ dZ"),
    ("script", "b1 -= rate * dZ.sum(axis=0)", "b1 -= rate * b1"),
    ("script", "b2 -= rate * dO.sum(axis=0)", "b2 -= rate * dO.sum()"),
    ("script", "W2 -= rate * H.T @ dO", "W2 += rate * H.T @ dO"),
    ("script", "W1 -= rate * X.T @ dZ", "W1 -= rate * 0.1"),
    ("softmax", 'grad["B"] += decay * theta["B"]', 'grad["B"] -= decay * theta["B"]'),
    ("softmax", 'back = d.dot(theta["B"].T)', 'back = (d * p).dot(theta["B"].T)'),
    ("softmax", 'grad["A"] = X.T.dot(back)', 'grad["A"] = X.T.dot(back) / 9'),
    ("neurons", "back += v.w[j] * v.delta", "back += v.w[j]"),
    ("neurons", "u.delta = back * (1 - u.out ** 2)", "u.delta = back * (1 - u.out)"),
    ("momentum", "d0 = d1 @ w[1].T * (1 - h * h)", "d0 = d1 @ w[1].T * (1 - h)"),
    ("adam", "g = d @ P[2].T * (1 - h ** 2)", "g = d @ P[2].T * (1 + h ** 2)"),
    ("recurrent", "later = W.T @ dz", "later = W @ dz"),
    ("recurrent", "dz = dh * (1 - hs[t] ** 2)", "dz = dh * (1 - hs[t])"),
    ("batchnorm", "da = d @ V.T * (1 - a ** 2)", "da = d @ V.T * (1 - n ** 2)"),
    (
        "functions",
        'dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)',
        'dZ1 = parameters["W2"].T @ dZ2 * cache["A1"]',
    ),
    ("functions", "dW1 = dZ1 @ X.T / m", "dW1 = dZ1 @ X.T"),
    ("object", "below = delta @ self.W[k].T * (1 - acts[k] ** 2)", "below = delta @ self.W[k].T * acts[k]"),
]

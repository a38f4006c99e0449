"""Programs whose mistake does not show in every call; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "names of a loop that are bound anew": """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.uniform(size=(6, 2))
weights = [rng.normal(size=(3, 4)), rng.normal(size=(4, 2))]
def sig(z): return 1 / (1 + np.exp(-z))
for epoch in range(50):
    h = sig(X @ weights[0])
    o = sig(h @ weights[1])
    d2 = (o - Y) * o * (1 - o)
    d1 = d2 @ weights[1].T * h * (1 - h)
    grads = [X.T @ d1, h.T @ d2]
    for w, g in zip(weights, grads):
        «w -= 0.1 * g|w = w - 0.1 * g»
""",
    "copies that are updated": """
import numpy as np
class Unit:
    def __init__(self, n):
        self.w = np.random.uniform(-1, 1, n)
    def vector(self):
        return «self.w|self.w.copy()»
    def out(self, x):
        return 1 / (1 + np.exp(-(np.dot(self.w, x))))
units = [Unit(3) for _ in range(4)]
last = [Unit(4) for _ in range(2)]
rng = np.random.default_rng(1)
X, Y = rng.random((8, 3)), rng.random((8, 2))
for epoch in range(20):
    for x, y in zip(X, Y):
        h = np.array([u.out(x) for u in units])
        o = np.array([u.out(h) for u in last])
        d = (y - o) * o * (1 - o)
        e = np.zeros(4)
        for j in range(4):
            for k in range(2):
                e[j] += d[k] * last[k].w[j]
            e[j] *= h[j] * (1 - h[j])
        for k, u in enumerate(last):
            v = u.vector()
            v += 0.5 * d[k] * h
        for j, u in enumerate(units):
            v = u.vector()
            v += 0.5 * e[j] * x
""",
    "a step that nothing returns": """
import numpy as np
def descend(w, g, rate):
    «w -= rate * g|w = w - rate * g»
def train(X, Y, hidden=4, epochs=5, rate=0.1):
    W, V = np.random.randn(X.shape[1], hidden), np.random.randn(hidden, Y.shape[1])
    for _ in range(epochs):
        h = np.tanh(X @ W)
        o = h @ V
        d = o - Y
        gW, gV = X.T @ (d @ V.T * (1 - h ** 2)), h.T @ d
        descend(W, gW, rate)
        descend(V, gV, rate)
    return W, V
if __name__ == "__main__":
    W, V = train(np.random.rand(7, 3), np.random.rand(7, 2))
""",
    "the gradients of the last sample": """
import numpy as np
class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(b, a) for a, b in zip(sizes[:-1], sizes[1:])]
        self.b = [np.random.randn(b, 1) for b in sizes[1:]]
    def backprop(self, x, y):
        a, acts = x, [x]
        for w, b in zip(self.W, self.b):
            a = 1 / (1 + np.exp(-(w @ a + b)))
            acts.append(a)
        gW = [np.zeros(w.shape) for w in self.W]
        gb = [np.zeros(b.shape) for b in self.b]
        delta = (acts[-1] - y) * acts[-1] * (1 - acts[-1])
        gW[-1], gb[-1] = delta @ acts[-2].T, delta
        for l in range(2, len(self.W) + 1):
            delta = (self.W[-l + 1].T @ delta) * acts[-l] * (1 - acts[-l])
            gW[-l], gb[-l] = delta @ acts[-l - 1].T, delta
        return gW, gb
    def batch(self, xs, ys, eta):
        sW = [np.zeros(w.shape) for w in self.W]
        sb = [np.zeros(b.shape) for b in self.b]
        for x, y in zip(xs, ys):
            gW, gb = self.backprop(x, y)
            sW = [s + g for s, g in zip(sW, gW)]
            sb = [s + g for s, g in zip(sb, gb)]
        self.W = [w - eta / len(xs) * g for w, g in zip(self.W, «sW|gW»)]
        self.b = [b - eta / len(xs) * g for b, g in zip(self.b, «sb|gb»)]
""",
    "a sum that begins anew with each sample": """
import numpy as np
class Net:
    def __init__(self, n, h, m):
        self.W, self.V = np.random.randn(n, h), np.random.randn(h, m)
    def gradients(self, x, y):
        h = np.tanh(x @ self.W)
        d = h @ self.V - y
        return np.outer(x, d @ self.V.T * (1 - h ** 2)), np.outer(h, d)
    def fit(self, X, Y, epochs=3, rate=0.1):
        for _ in range(epochs):
            tW, tV = np.zeros_like(self.W), np.zeros_like(self.V)
            for x, y in zip(X, Y):
                gW, gV = self.gradients(x, y)
                «tW += gW|tW = gW»
                tV += gV
            self.W -= rate * tW
            self.V -= rate * tV
""",
    "a slope of the first layer in all": """
import numpy as np
class Deep:
    def __init__(self, layers):
        self.layers = layers
        self.w = [np.random.randn(a, b) for a, b in zip(layers[:-1], layers[1:])]
    def train(self, x, y, rate=0.1):
        acts = [x]
        for w in self.w:
            acts.append(np.tanh(acts[-1] @ w))
        delta = (acts[-1] - y) * (1 - acts[-1] ** 2)
        old = [w.copy() for w in self.w]
        for i in range(len(self.w) - 1, -1, -1):
            grad = acts[i].T @ delta
            if i > 0:
                delta = delta @ old[i].T * (1 - «acts[i]|acts[1]» ** 2)
            self.w[i] = self.w[i] - rate * grad
""",
    "weights of the last layer in all": """
import numpy as np
class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(a, b) * 0.5 for a, b in zip(sizes, sizes[1:])]
        self.b = [np.zeros((1, b)) for b in sizes[1:]]
    def forward(self, X):
        self.a = [X]
        for W, b in zip(self.W, self.b):
            self.a.append(1 / (1 + np.exp(-(self.a[-1] @ W + b))))
        return self.a[-1]
    def backward(self, Y):
        d = (self.a[-1] - Y) * self.a[-1] * (1 - self.a[-1])
        grads = []
        for i in reversed(range(len(self.W))):
            grads.insert(0, (self.a[i].T @ d, d.sum(0, keepdims=True)))
            if i: d = d @ «self.W[i].T|self.W[-1].T» * self.a[i] * (1 - self.a[i])
        return grads
    def step(self, X, Y, rate):
        self.forward(X)
        for i, (gW, gb) in enumerate(self.backward(Y)):
            self.W[i] = self.W[i] - rate * gW
            self.b[i] = self.b[i] - rate * gb
""",
    "gradients from the end of a list": """
import numpy as np
class Net:
    def __init__(self, layers):
        self.layers = layers
        self.weights = [np.random.randn(y, x) for x, y in zip(layers[:-1], layers[1:])]
    def backprop(self, x, y):
        acts = [x]
        for w in self.weights:
            acts.append(1 / (1 + np.exp(-np.dot(w, acts[-1]))))
        delta = (acts[-1] - y) * acts[-1] * (1 - acts[-1])
        out = [None] * len(self.weights)
        out[-1] = np.dot(delta, acts[-2].T)
        for l in range(2, len(self.layers)):
            delta = np.dot(self.weights[«-l + 1|-1»].T, delta) * acts[-l] * (1 - acts[-l])
            out[-l] = np.dot(delta, acts[-l - 1].T)
        return out
""",
    "a momentum that is off": """
import numpy as np
class Net:
    def __init__(self, n, h, m, momentum=0.0):
        self.W, self.V = np.random.randn(n, h), np.random.randn(h, m)
        self.momentum, self.vW, self.vV = momentum, np.zeros((n, h)), np.zeros((h, m))
    def train(self, X, Y, rate=0.1):
        h = np.tanh(X @ self.W)
        o = h @ self.V
        d = o - Y
        gV = h.T @ d
        gW = X.T @ (d @ self.V.T * (1 - h ** 2))
        if self.momentum:
            self.vV = self.momentum * self.vV - rate * gV
            self.vW = self.momentum * self.vW - rate * «gW|gW * gW»
            self.V += self.vV
            self.W += self.vW
        else:
            self.V -= rate * gV
            self.W -= rate * gW
""",
    "hidden updates in a step of their own": """
import numpy as np
class Net:
    def __init__(self, n, h, m):
        self.W, self.V = np.random.rand(h, n), np.random.rand(m, h)
        self.b, self.c = np.random.rand(h, 1), np.random.rand(m, 1)
        self.rate = 0.1
    def squash(self, z):
        return np.array([[1 / (1 + np.exp(-one)) for one in row] for row in z])
    def train(self, x, t):
        h = self.squash(self.W.dot(x) + self.b)
        o = self.squash(self.V.dot(h) + self.c)
        d = (t - o) * o * (1 - o) * self.rate
        «e = self.V.T.dot(d) * h * (1 - h)|pass»
        self.c = self.c + d
        self.V = self.V + d.dot(h.T)
        «pass|e = self.V.T.dot(d) * h * (1 - h)»
        self.b = self.b + e
        self.W = self.W + e.dot(x.T)
""",
    "a list of samples whose weights shrink": """
import numpy as np
class Network:
    def __init__(self, sizes):
        self.weights = [np.random.randn(b, a) / np.sqrt(a) for a, b in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.random.randn(b, 1) for b in sizes[1:]]
    def gradients(self, x, y):
        acts = [x]
        for w, b in zip(self.weights, self.biases):
            acts.append(1 / (1 + np.exp(-(w @ acts[-1] + b))))
        delta, gw, gb = acts[-1] - y, [], []
        for l in range(1, len(acts)):
            if l > 1:
                delta = self.weights[-l + 1].T @ delta * acts[-l] * (1 - acts[-l])
            gw.insert(0, delta @ acts[-l - 1].T)
            gb.insert(0, delta)
        return gw, gb
    def update(self, xs, ys, rate, n):
        w = [np.zeros(one.shape) for one in self.weights]
        b = [np.zeros(one.shape) for one in self.biases]
        for x, y in zip(xs, ys):
            gw, gb = self.gradients(x, y)
            w = [one + other for one, other in zip(w, gw)]
            b = [one + other for one, other in zip(b, gb)]
        self.weights = [(1 - rate / n) * one - rate / n * g for one, g in zip(self.weights, «w|gw»)]
        self.biases = [one - rate / n * g for one, g in zip(self.biases, «b|gb»)]
    def train_batch(self, xs, ys, rate):
        self.update(xs, ys, rate, 1)
""",
    "a layer that a function only asks for, beside an activation": """
import json
import numpy as np
class Layer:
    def forward(self, x): pass
    def backward(self, output_gradient, rate): pass
class Dense(Layer):
    def __init__(self, n_in, n_out):
        self.weights, self.bias = np.random.randn(n_out, n_in), np.random.randn(n_out, 1)
    def forward(self, x):
        self.x = x
        return self.weights @ x + self.bias
    def backward(self, output_gradient, rate):
        back = self.weights.T @ output_gradient
        self.weights -= rate * (output_gradient «@ self.x.T|@ np.abs(self.x).T»)
        self.bias -= rate * output_gradient
        return back
class Tanh(Layer):
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out
    def backward(self, output_gradient, rate):
        return output_gradient * (1 - self.out ** 2)
def save(layers, name):
    kept = [layer.weights.tolist() for layer in layers if isinstance(layer, Dense)]
    with open(name, "w") as file:
        json.dump(kept, file)
""",
}

#: Those that run in the fast tests.
FAST = frozenset([
    "a layer that a function only asks for, beside an activation",
    "names of a loop that are bound anew",
    "the gradients of the last sample",
    "a slope of the first layer in all",
    "a list of samples whose weights shrink",
])  # fmt: skip

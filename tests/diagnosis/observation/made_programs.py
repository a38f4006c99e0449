"""Programs for which data, samples or derivatives of a certain form are made up: «right|wrong»."""

PROGRAMS = {
    "a derivative under its own name": """
import numpy as np
class Capa:
    def __init__(self, entradas, salidas):
        self.w = np.random.rand(salidas, entradas) - 0.5
        self.b = np.random.rand(salidas, 1) - 0.5
    def propaga(self, x):
        self.x = x
        return self.w @ x + self.b
    def atras(self, dC_dy, tasa):
        dC_dw = «dC_dy @ self.x.T|self.x.T @ dC_dy»
        self.w -= tasa * dC_dw
        self.b -= tasa * dC_dy.sum(axis=1, keepdims=True)
""",
    "one output has a derivative": """
import numpy as np
class Last:
    def __init__(self, n, m):
        self.W, self.b = np.random.randn(n, m) / n, np.zeros(m)
    def forward(self, picture):
        self.shape, self.x = picture.shape, picture.flatten()
        e = np.exp(self.x @ self.W + self.b)
        self.p = e / e.sum()
        return self.p
    def backward(self, d_out, rate):
        k = np.argmax(np.abs(d_out))
        d = self.p.copy()
        d[k] -= 1
        below = self.W @ d
        self.W -= rate * self.x[:, None] @ «d|self.p»[None]
        self.b -= rate * d
        return below.reshape(self.shape)
""",
    "tuples of lists of samples": """
import numpy as np
def spalte(m): return m.reshape(m.shape[0], 1)
class Netz:
    def __init__(self, groessen, rate, daten, pruefung):
        self.g, self.rate = groessen, rate
        self.xs, self.ys = daten
        self.xt, self.yt = pruefung
        self.W = [np.random.uniform(-1, 1, (self.g[i + 1], self.g[i])) for i in range(len(self.g) - 1)]
        self.b = [np.random.uniform(-1, 1, (self.g[i + 1], 1)) for i in range(len(self.g) - 1)]
        self.anzahl = len(self.xt)
    def vor(self, k):
        x = self.xs[k]
        if x.shape[1] != 1:
            x = x.reshape(-1, 1)
        self.a = [x]
        for W, b in zip(self.W, self.b):
            self.a.append(1 / (1 + np.exp(-(W @ self.a[-1] + b))))
    def rueck(self, k):
        d = (self.a[-1] - spalte(self.ys[k])) * self.a[-1] * (1 - self.a[-1])
        for k in range(1, len(self.g)):
            W = self.W[-k]
            grad = d @ self.a[-k - 1].T
            sent = (W.T @ d) * self.a[-k - 1] «* (1 - self.a[-k - 1])|»
            self.W[-k] = W - self.rate * grad
            self.b[-k] = self.b[-k] - self.rate * d
            d = sent
    def alle(self):
        for k in range(len(self.xs)):
            self.vor(k)
            self.rueck(k)
""",
    "pairs beside a function that makes lists": """
import random, math
def matrix(width, rows, columns):
    return [[random.uniform(-width, width) for _ in range(columns)] for _ in range(rows)]
class Net:
    def __init__(self, sizes):
        self.weights = [matrix(0.5, n, m) for m, n in zip(sizes, sizes[1:])]
    def work(self, samples, rounds, rate):
        for _ in range(rounds):
            for given, wanted in samples:
                self.once(given, wanted, rate)
    def once(self, given, wanted, rate):
        layers = [given]
        for w in self.weights:
            layers.append([1 / (1 + math.exp(-sum(a * b for a, b in zip(row, layers[-1])))) for row in w])
        errors = [o - t for o, t in zip(layers[-1], wanted)]
        for w, below, above in zip(self.weights[::-1], layers[-2::-1], layers[::-1]):
            deltas = [e * o * (1 - o) for e, o in zip(errors, above)]
            errors = [0] * len(below)
            for row, d in zip(w, deltas):
                for k, x in enumerate(below):
                    «errors[k] += d * row[k]|row[k] -= rate * d * x»
                    «row[k] -= rate * d * x|errors[k] += d * row[k]»
""",
    "training data behind a thousand rows": """
import numpy as np
import pandas as pd
table = np.array(pd.read_csv("train.csv"))
test, train = table[:1000].T, table[1000:].T
X, Y = train[:-1] / 2, train[-1].astype(int)
W1, b1 = np.random.rand(5, len(X)) - 0.5, np.zeros((5, 1))
W2, b2 = np.random.rand(2, 5) - 0.5, np.zeros((2, 1))
def one_hot(y):
    made = np.zeros((y.size, y.max() + 1))
    made[np.arange(y.size), y] = 1
    return made.T
for _ in range(50):
    A = np.tanh(W1 @ X + b1)
    Z = W2 @ A + b2
    P = np.exp(Z) / np.exp(Z).sum(axis=0)
    d2 = (P - one_hot(Y)) / Y.size
    d1 = W2.T @ d2 * «(1 - A ** 2)|(1 - A)»
    W2 -= 0.1 * d2 @ A.T; b2 -= 0.1 * d2.sum(axis=1, keepdims=True)
    W1 -= 0.1 * d1 @ X.T; b1 -= 0.1 * d1.sum(axis=1, keepdims=True)
""",
    "whole numbers in a file of Python 2": """
import numpy as np
rows = []
for line in open("data.txt").readlines():
    rows.append(map(int, line.split(",")))
print "rows:", len(rows)
w, v = np.random.rand(3, 4), np.random.rand(4)
for k in xrange(len(rows)):
    x, y = np.array(rows[k][:-1]), rows[k][-1]
    h = 1 / (1 + np.exp(-x.dot(w)))
    o = 1 / (1 + np.exp(-h.dot(v)))
    d = (o - y) * o * (1 - o)
    below = d * v * h «* (1 - h)|»
    v -= 0.1 * d * h
    w -= 0.1 * np.outer(x, below)
""",
    "a check of the gradients that takes no arguments": """
import numpy as np
class Model:
    def __init__(self, n, m, k, seed=0):
        rng = np.random.default_rng(seed)
        self.table = np.linspace(-1, 1, 4 * n).reshape(4, n // 2, 2)[:, :, 0]
        self.p = {"V": rng.normal(size=(n, m)), "a": np.zeros(m), "W": rng.normal(size=(m, k))}
    def features(self, words): return self.table[words].reshape(words.shape[0], -1)
    def loss(self, words, y):
        h = np.tanh(self.features(words) @ self.p["V"] + self.p["a"])
        return ((h @ self.p["W"] - y) ** 2).sum() / 2
    def gradients(self, words, y):
        h = np.tanh(self.features(words) @ self.p["V"] + self.p["a"])
        d = h @ self.p["W"] - y
        e = d @ self.p["W"].T * «(1 - h ** 2)|(1 - h) ** 2»
        return self.loss(words, y), {"V": self.features(words).T @ e, "a": e.sum(axis=0), "W": h.T @ d}
def verify(eps=1e-5, seed=2):
    rng = np.random.default_rng(seed)
    model = Model(6, 5, 2)
    words, y = rng.integers(0, 4, (7, 2)), rng.normal(size=(7, 2))
    value, grads = model.gradients(words, y)
    worst = 0.0
    for name, w in model.p.items():
        flat = w.reshape(-1)
        for k in range(0, flat.size, 4):
            old = flat[k]
            flat[k] = old + eps
            above = model.loss(words, y)
            flat[k] = old - eps
            below = model.loss(words, y)
            flat[k] = old
            worst = max(worst, abs((above - below) / (2 * eps) - grads[name].reshape(-1)[k]))
    return worst < 1e-4
""",
    "a table as an argument": """
import numpy as np
class Net:
    def __init__(self, hidden, rate):
        self.hidden, self.rate = hidden, rate
    def learn(self, frame):
        X = frame.drop("species", axis=1).values
        y = frame["species"].values
        k = y.max() + 1
        V, W = np.random.randn(X.shape[1], self.hidden), np.random.randn(self.hidden, k)
        for _ in range(4):
            h = np.tanh(X @ V)
            e = np.exp(h @ W)
            d = e / e.sum(axis=1, keepdims=True) - np.eye(k)[y]
            below = d @ W.T * «(1 - h ** 2)|(1 - h)»
            W -= self.rate * h.T @ d
            V -= self.rate * X.T @ below
""",
    "columns of a table, one by one": """
import numpy as np
def descend(table, rate, rounds=5):
    X = np.column_stack([np.ones(len(table)), table["age"].values, table["weight"].values])
    y = table["ill"].to_numpy()
    w = np.zeros(3) + 0.1
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-(X @ w)))
        w = w - rate * X.T @ ((p - y) «|* p»)
    return w
""",
    "all columns of a table but the last": """
import numpy as np
class Regression:
    def __init__(self, data):
        self.X, self.y = data.iloc[:, :-1].values, data.iloc[:, -1].values
        self.w, self.b = np.random.randn(self.X.shape[1]), 0.3
    def step(self, rate):
        e = self.X @ self.w + self.b - self.y
        self.w = self.w - rate * self.X.T @ e / len(e)
        self.b = self.b - rate * «e.mean()|e.max()»
""",
    "sizes that are set from outside": """
import numpy as np
class Red:
    def __init__(self):
        self.datos = self.clases = None
        self.entradas = None
        self.ocultas = None
        self.salidas = None
        self.peso = 0.5
    def carga(self, datos, clases):
        self.datos, self.clases = datos, clases
    def coste(self, t):
        k = self.ocultas * (self.entradas + 1)
        A = np.reshape(t[:k], (self.ocultas, self.entradas + 1))
        B = np.reshape(t[k:], (self.salidas, self.ocultas + 1))
        m, _ = self.datos.shape
        x = np.concatenate([np.ones((m, 1)), self.datos], axis=1)
        h = 1 / (1 + np.exp(-x @ A.T))
        g = np.concatenate([np.ones((m, 1)), h], axis=1)
        p = 1 / (1 + np.exp(-g @ B.T))
        y = np.eye(self.salidas)[self.clases.reshape(-1)]
        J = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / m
        d = (p - y) / m
        e = (d @ B)[:, 1:] * h «* (1 - h)|»
        return J, np.concatenate([(e.T @ x).flatten(), (d.T @ g).flatten()])
""",
    "sums over samples and steps": """
import numpy as np
class Dense:
    def __init__(self, n, m):
        self.W, self.b = np.random.randn(n, m), np.zeros(m)
        self.x = None
    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W + self.b)
    def backward(self, d_out):
        d = d_out * (1 - np.tanh(self.x @ self.W + self.b) ** 2)
        self.dW = self.x.reshape(-1, self.W.shape[0]).T @ d.reshape(-1, self.W.shape[1])
        self.db = «d|d_out».sum(axis=(0, 1))
        self.x = None
        return d @ self.W.T
""",
    "what is kept is forgotten": """
import numpy as np
class Norm:
    def __init__(self, size):
        self.g, self.b = np.ones(size) * 1.5, np.zeros(size)
        self.n = self.s = None
    def forward(self, x):
        self.s = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        self.n = (x - x.mean(axis=-1, keepdims=True)) / self.s
        return self.g * self.n + self.b
    def backward(self, grad):
        self.db, self.dg = grad.sum(axis=0), (grad «* self.n|* self.n ** 2»).sum(axis=0)
        d = grad * self.g
        k = d.shape[-1]
        sent = k * d - d.sum(axis=-1, keepdims=True) - self.n * (d * self.n).sum(axis=-1, keepdims=True)
        sent = sent / self.s / k
        self.n = None
        self.s = None
        return sent
""",
    "a class of activations": """
import numpy as np
class Layer:
    def __init__(self, below, units, nonlinearity):
        self.W, self.b = np.random.uniform(-0.8, 0.8, (below, units)), np.zeros(units)
        self.nonlinearity = nonlinearity()
    def __call__(self, x):
        self.x = x
        return self.nonlinearity(x @ self.W + self.b)
    def back(self, d):
        d = d «* self.nonlinearity.backward()|»
        self.gW, self.gb = self.x.T @ d, d.sum(axis=0)
        return d @ self.W.T
class Stack:
    def __init__(self, layers): self.layers = layers
    def learn(self, x, t, rate):
        y = x
        for one in self.layers:
            y = one(y)
        d = y - t
        for one in self.layers[::-1]:
            d = one.back(d)
            one.W -= rate * one.gW
            one.b -= rate * one.gb
""",
    "an activation with methods": """
import numpy as np
class Layer:
    def __init__(self, n, m, phi):
        self.w, self.b, self.phi = np.random.randn(m, n), np.random.randn(m, 1), phi
    def run(self, x):
        self.x, self.z = x, self.w @ x + self.b
        return self.phi.value(self.z)
    def grad(self, d_out, rate):
        d = d_out * self.phi.prime(«self.z|self.z * 2»)
        sent = self.w.T @ d
        self.w -= rate * d @ self.x.T
        self.b -= rate * d.sum(axis=1, keepdims=True)
        return sent
""",
    "layers of one unit, whose weights are one number": """
import numpy as np
def linear(x):
    return x
class Net:
    def __init__(self, training, wanted, hidden):
        self.training, self.wanted = training, wanted
        self.w1 = np.random.rand(self.training.shape[1], hidden)
        self.w2 = np.random.rand(hidden, 1)
        self.output = np.zeros(self.wanted.shape)
    def feedforward(self, x):
        self.h = linear(np.dot(x, self.w1))
        self.output = linear(np.dot(self.h, self.w2))
        return self.output
    def backpropagation(self, rate):
        d = (self.wanted - self.output) / self.training.shape[0]
        before = self.w2«.copy()|»
        change = rate * np.dot(self.h.T, d)
        self.w2 += change
        back = np.dot(d, before.T)
        self.w1 += rate * np.dot(self.training.T, back)
""",
    "data that a method is passed before training": """
import numpy as np
def sigmoid(x):
    return 1 / (1 + np.exp(-x))
class Net:
    def __init__(self, layers):
        self.lr = 0.03
        self.V = np.random.random((layers[0], layers[1])) * 2 - 1
        self.W = np.random.random((layers[1], layers[2])) * 2 - 1
    def set_data(self, inputs, wanted):
        self.X, self.Y = inputs, wanted
    def train(self):
        i = np.random.randint(self.X.shape[0])
        x = np.array([self.X[i]])
        h = sigmoid(x @ self.V)
        y = sigmoid(h @ self.W)
        d = (self.Y[i] - y) * y * (1 - y)
        e = d @ self.W.T * h * «(1 - h)|(1 + h)»
        self.W += self.lr * h.T @ d
        self.V += self.lr * x.T @ e
""",
    "data that a method loads that it is passed": """
import numpy as np
class Regressor:
    def __init__(self, n_in, n_hidden):
        self.w1 = np.random.randn(n_in, n_hidden)
        self.w2 = np.random.randn(n_hidden, 1)
        self.X = None
        self.t = None
    def load_set(self, X, t):
        self.X = X
        self.t = t
    def step(self, lr):
        h = np.tanh(self.X.dot(self.w1))
        out = h.dot(self.w2)
        d = out - self.t
        g2 = h.T.dot(d)
        g1 = self.X.T.dot(d.dot(self.w2.T) * «(1 - h ** 2)|h»)
        self.w1 -= lr * g1
        self.w2 -= lr * g2
""",
}
FAST = frozenset({
    "a derivative under its own name",
    "one output has a derivative",
    "data that a method is passed before training",
})  # fmt: skip

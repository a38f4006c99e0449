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
}
FAST = frozenset({"a derivative under its own name", "one output has a derivative"})

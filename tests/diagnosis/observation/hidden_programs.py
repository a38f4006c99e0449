"""Programs whose mistake shows only in some ways of calling; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "an operation of its own that overwrites a gradient": """
import math
class Num:
    def __init__(self, v, prev=()):
        self.v, self.d, self.prev, self.go = v, 0.0, prev, None
    def __add__(self, o):
        o = o if isinstance(o, Num) else Num(o)
        r = Num(self.v + o.v, (self, o))
        def go():
            self.d += r.d
            o.d += r.d
        r.go = go
        return r
    def __mul__(self, o):
        o = o if isinstance(o, Num) else Num(o)
        r = Num(self.v * o.v, (self, o))
        def go():
            self.d += o.v * r.d
            o.d += self.v * r.d
        r.go = go
        return r
    def inverse(self):
        r = Num(1 / self.v, (self,))
        def go():
            self.d «+=|=» -r.d / self.v ** 2
        r.go = go
        return r
    def softsign(self):
        r = Num(self.v / (1 + abs(self.v)), (self,))
        def go():
            self.d += r.d / (1 + abs(self.v)) ** 2
        r.go = go
        return r
    def backward(self):
        order, seen = [], set()
        def visit(n):
            if n not in seen:
                seen.add(n)
                for p in n.prev: visit(p)
                order.append(n)
        visit(self)
        self.d = 1.0
        for n in reversed(order):
            if n.go: n.go()
""",
    "an operation of arrays that overwrites a gradient": """
import numpy as np
class Knot:
    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=float)
        self.slope = np.zeros_like(self.value)
        self.parents = parents
        self.send = lambda: None
    def __add__(self, other):
        other = other if isinstance(other, Knot) else Knot(other)
        out = Knot(self.value + other.value, (self, other))
        def send():
            self.slope += out.slope
            other.slope += out.slope
        out.send = send
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Knot) else Knot(other)
        out = Knot(self.value * other.value, (self, other))
        def send():
            self.slope += other.value * out.slope
            other.slope += self.value * out.slope
        out.send = send
        return out
    def __matmul__(self, other):
        out = Knot(self.value @ other.value, (self, other))
        def send():
            self.slope += out.slope @ other.value.T
            other.slope += self.value.T @ out.slope
        out.send = send
        return out
    def log(self):
        out = Knot(np.log(self.value), (self,))
        def send():
            self.slope += out.slope / self.value
        out.send = send
        return out
    def sum(self):
        out = Knot(self.value.sum(), (self,))
        def send():
            self.slope += out.slope
        out.send = send
        return out
    def flat(self):
        out = Knot(self.value.reshape(-1), (self,))
        def send():
            self.slope «+=|=» out.slope.reshape(self.value.shape)
        out.send = send
        return out
    @property
    def T(self):
        out = Knot(self.value.T, (self,))
        def send():
            self.slope += out.slope.T
        out.send = send
        return out
    def detach(self):
        return Knot(self.value)
    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for one in node.parents:
                    visit(one)
                order.append(node)
        visit(self)
        self.slope = np.ones_like(self.value)
        for node in reversed(order):
            node.send()
""",
    "an activation that is chosen by a word": """
import numpy as np
class Net:
    def __init__(self, n, m, k, activation="sigmoid"):
        self.W = np.random.randn(n, m)
        self.V = np.random.randn(m, k)
        self.activation = activation
    def act(self, z):
        if self.activation == "tanh":
            return np.tanh(z)
        return 1 / (1 + np.exp(-z))
    def slope(self, a):
        if self.activation == "tanh":
            return «1 - a ** 2|a * (1 - a)»
        return a * (1 - a)
    def train(self, X, Y):
        h = self.act(X @ self.W)
        o = self.act(h @ self.V)
        d = (o - Y) * self.slope(o)
        e = (d @ self.V.T) * self.slope(h)
        self.V -= 0.1 * h.T @ d
        self.W -= 0.1 * X.T @ e
""",
    "an activation that is chosen by a member": """
from enum import Enum
import numpy as np
class Kind(Enum):
    SIGMOID = 0
    TANH = 1
class Net:
    def __init__(self, n, m, k, kind=Kind.SIGMOID):
        self.W = np.random.randn(n, m)
        self.V = np.random.randn(m, k)
        self.kind = kind
    def train(self, X, Y):
        h = np.tanh(X @ self.W) if self.kind == Kind.TANH else 1 / (1 + np.exp(-X @ self.W))
        d = h @ self.V - Y
        s = «1 - h ** 2 if self.kind == Kind.TANH else h * (1 - h)|h * (1 - h)»
        self.W -= 0.1 * X.T @ ((d @ self.V.T) * s)
        self.V -= 0.1 * h.T @ d
""",
    "a function that is told its activation": """
import numpy as np
def train(X, Y, W, V, kind="sigmoid"):
    z = X @ W
    h = np.tanh(z) if kind == "tanh" else 1 / (1 + np.exp(-z))
    d = h @ V - Y
    e = (d @ V.T) * («1 - h ** 2|1 - h» if kind == "tanh" else h * (1 - h))
    V -= 0.1 * h.T @ d
    W -= 0.1 * X.T @ e
    return W, V
""",
    "a mean for one of two matrices": """
import numpy as np
class Net:
    def __init__(self, n_in, n_mid, n_out, speed):
        self.A = np.random.normal(0.0, 0.5, (n_in, n_mid))
        self.B = np.random.normal(0.0, 0.5, (n_mid, n_out))
        self.speed = speed
    def learn(self, table, wanted):
        count = table.shape[0]
        dA, dB = np.zeros(self.A.shape), np.zeros(self.B.shape)
        for row, t in zip(table, wanted):
            h = 1 / (1 + np.exp(-np.dot(row, self.A)))
            o = np.dot(h, self.B)
            e = t - o
            dB += h[:, None] * e
            dA += row[:, None] * (np.dot(self.B, e) * h * (1 - h))
        self.B += self.speed * dB / count
        self.A += self.speed * dA« / count|»
""",
    "the second of two classes": """
import numpy as np
class Plain:
    def __init__(self, structure, rate):
        assert isinstance(structure, list) and len(structure) > 2
        self.weights = [np.random.randn(b, a) for a, b in zip(structure, structure[1:])]
        self.rate = rate
    def forward(self, x):
        outputs = [x]
        for W in self.weights:
            outputs.append(np.tanh(W @ outputs[-1]))
        return outputs
    def train(self, inputs, targets):
        for x, t in zip(inputs, targets):
            outputs = self.forward(x)
            d = (outputs[-1] - t) * (1 - outputs[-1] ** 2)
            for k in range(len(self.weights) - 1, -1, -1):
                back = self.weights[k].T @ d
                self.weights[k] -= self.rate * np.outer(d, outputs[k])
                d = back * (1 - outputs[k] ** 2)
class Scaled(object):
    def __init__(self, structure, rate):
        assert isinstance(structure, list) and len(structure) > 2
        self.weights = [np.random.randn(b, a) for a, b in zip(structure, structure[1:])]
        self.rate = rate
    def forward(self, x):
        outputs = [x]
        for W in self.weights:
            outputs.append(1.7 * np.tanh(W @ outputs[-1]))
        return outputs
    def train(self, inputs, targets):
        for x, t in zip(inputs, targets):
            outputs = self.forward(x)
            d = (outputs[-1] - t) * (1.7 - outputs[-1] ** 2 / 1.7)
            for k in range(len(self.weights) - 1, -1, -1):
                back = self.weights[k].T @ d
                self.weights[k] -= self.rate * np.outer(d, outputs[k])
                d = back * («1.7 - outputs[k] ** 2 / 1.7|1 - outputs[k] ** 2»)
""",
    "sizes that nobody gives, and the length of the first sample": """
import numpy as np
class Net:
    def __init__(self, units=None, rate=0.1):
        self.count = len(units)
        self.units = units
        self.rate = rate
        self.inner = {}
        self.outer = {}
    def prepare(self, samples, goals):
        for i, size in enumerate(self.units):
            before = len(samples[0]) if i == 0 else self.units[i - 1]
            self.inner[i] = {"w": np.random.random([before, size]) - 0.5}
        self.outer["w"] = np.random.random([self.units[-1], len(goals[0])]) - 0.5
    def run(self, samples):
        self.kept = [samples]
        for i in range(self.count):
            self.kept.append(np.tanh(np.dot(self.kept[-1], self.inner[i]["w"])))
        return np.dot(self.kept[-1], self.outer["w"])
    def learn(self, samples, goals):
        d = self.run(samples) - goals
        e = np.dot(d, self.outer["w"].T)
        self.outer["w"] -= self.rate * np.dot(self.kept[-1].T, d)
        for i in range(self.count - 1, -1, -1):
            s = e * «(1 - self.kept[i + 1] ** 2)|(1 - self.kept[i + 1])»
            e = np.dot(s, self.inner[i]["w"].T)
            self.inner[i]["w"] -= self.rate * np.dot(self.kept[i].T, s)
""",
    "a loss beside its derivative": """
import numpy as np
def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    p = np.exp(shifted)
    p /= p.sum(axis=1, keepdims=True)
    n = x.shape[0]
    loss = -np.sum(np.log(p[np.arange(n), y])) / n
    dx = p.copy()
    dx[np.arange(n), y] -= 1
    dx /= «n|1»
    dx «*= 1|*= p»
    return loss, dx
""",
    "a layer beside a loss that is right": """
import numpy as np
def full_forward(x, w, b):
    return x @ w + b, (x, w)
def full_backward(dout, cache):
    x, w = cache
    return dout @ w.T, «x.T @ dout|(x ** 2).T @ dout», dout.sum(axis=0)
def soft_loss(scores, y):
    n = len(scores)
    e = np.exp(scores)
    total = e.sum(axis=1, keepdims=True)
    loss = -np.log((e / total)[np.arange(n), y]).sum() / n
    d = np.ones(e.shape) / total
    d[np.arange(n), y] -= 1 / e[np.arange(n), y]
    return loss, d * e / n
""",
    "a loss whose methods need no object": """
import numpy as np
class MSE:
    @staticmethod
    def loss(y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)
    @staticmethod
    def gradient(y_pred, y_true):
        return 2 * (y_pred - y_true) / y_true.size
class CrossEntropy:
    @staticmethod
    def loss(p, t):
        return -np.mean(np.sum(t * np.log(p + 1e-12), axis=1))
    @staticmethod
    def gradient(p, t):
        return «-t / (p + 1e-12) / len(t)|-t * (p + 1e-12) / len(t)»
class Dense:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
        self.b = np.zeros(m)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T
""",
    "a layer of three": """
import numpy as np
class Dense:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
        self.b = np.zeros(m)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T
class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y
    def backward(self, grad):
        return grad * self.y * (1 - self.y)
class LeakyReLU:
    def __init__(self, alpha=0.1):
        self.alpha = alpha
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)
    def backward(self, grad):
        return grad * np.where(self.x > 0, 1, «self.alpha|0»)
""",
    "an activation in a table of an object": """
import numpy as np
class Net:
    def __init__(self, n, m, k, kind="sigmoid"):
        self.kind = kind
        self.acts = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh}
        self.slopes = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: «1 - a ** 2|1 - a»}
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
    def fit(self, X, Y):
        for _ in range(3):
            h = self.acts[self.kind](X @ self.W)
            d = h @ self.V - Y
            e = (d @ self.V.T) * self.slopes[self.kind](h)
            self.V -= 0.1 * h.T @ d
            self.W -= 0.1 * X.T @ e
""",
    "an activation that is matched": """
import numpy as np
class Net:
    def __init__(self, n, m, k, activation="sigmoid"):
        self.activation = activation
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
    def act(self, z):
        match self.activation:
            case "tanh":
                return np.tanh(z)
            case _:
                return 1 / (1 + np.exp(-z))
    def slope(self, a):
        match self.activation:
            case "tanh":
                return «1 - a ** 2|1 - a»
            case _:
                return a * (1 - a)
    def fit(self, X, Y):
        for _ in range(3):
            h = self.act(X @ self.W)
            d = h @ self.V - Y
            e = (d @ self.V.T) * self.slope(h)
            self.V -= 0.1 * h.T @ d
            self.W -= 0.1 * X.T @ e
""",
    "an activation that is asked for by its name": """
import numpy as np
class Net:
    def __init__(self, n, m, k, activation="sigmoid"):
        self.f = getattr(self, activation)
        self.df = getattr(self, activation + "_prime")
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
    def sigmoid(self, z): return 1 / (1 + np.exp(-z))
    def sigmoid_prime(self, a): return a * (1 - a)
    def tanh(self, z): return np.tanh(z)
    def tanh_prime(self, a): return «1 - a ** 2|1 - a»
    def fit(self, X, Y):
        for _ in range(3):
            h = self.f(X @ self.W)
            d = h @ self.V - Y
            e = (d @ self.V.T) * self.df(h)
            self.V -= 0.1 * h.T @ d
            self.W -= 0.1 * X.T @ e
""",
    "any other word": """
import numpy as np
class Net:
    def __init__(self, n, m, k):
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
    def fit(self, X, Y, epochs=3, hidden="tanh"):
        for _ in range(epochs):
            z = X @ self.W
            h = np.tanh(z) if hidden == "tanh" else np.maximum(z, 0)
            d = h @ self.V - Y
            e = (d @ self.V.T) * (1 - h ** 2 if hidden == "tanh" else «(z > 0)|z»)
            self.V -= 0.1 * h.T @ d
            self.W -= 0.1 * X.T @ e
""",
}
FAST = frozenset({
    "an operation of its own that overwrites a gradient",
    "an activation that is chosen by a word", "a loss beside its derivative", "a layer of three",
    "a mean for one of two matrices",
})  # fmt: skip

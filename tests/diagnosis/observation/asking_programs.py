"""Programs whose arguments are found by what is done with them; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "enum_activation": """
from enum import Enum
import numpy as np
class Act(Enum):
    SIGMOID = "sigmoid"
    TANH = "tanh"
class Net:
    def __init__(self, n_in, n_hidden, n_out, act, lr=0.1):
        if not isinstance(act, Act):
            raise TypeError("act must be an Act")
        self.act, self.lr = act, lr
        self.W1 = np.random.normal(0, 0.5, (n_in, n_hidden))
        self.W2 = np.random.normal(0, 0.5, (n_hidden, n_out))
    def f(self, z):
        return np.tanh(z) if self.act == Act.TANH else 1 / (1 + np.exp(-z))
    def slope(self, a):
        return 1 - a ** 2 if self.act == Act.TANH else a * (1 - a)
    def train(self, inputs, targets, epochs):
        for e in range(epochs):
            h = self.f(inputs @ self.W1)
            o = self.f(h @ self.W2)
            delta = («targets - o|o - targets») * self.slope(o)
            hidden_delta = delta @ self.W2.T * self.slope(h)
            self.W2 += self.lr * h.T @ delta
            self.W1 += self.lr * inputs.T @ hidden_delta
""",
    "skipgram": """
import numpy as np
class SkipGram:
    def __init__(self, vocab_size, dim, lr=0.05):
        self.E = np.random.uniform(-0.5, 0.5, (vocab_size, dim))
        self.O = np.random.uniform(-0.5, 0.5, (vocab_size, dim))
        self.lr = lr
    def step(self, center, context, negatives):
        v = self.E[center]
        ids = [context] + list(negatives)
        U = self.O[ids]
        y = np.zeros(len(ids))
        y[0] = 1
        p = 1 / (1 + np.exp(-(U @ v)))
        err = p - y
        gv = «err|p» @ U
        gU = np.outer(err, v)
        self.E[center] -= self.lr * gv
        for row, i in enumerate(ids):
            self.O[i] -= self.lr * gU[row]
""",
    "other_names_back": """
import numpy as np
W1 = np.random.randn(3, 5)
W2 = np.random.randn(5, 2)
def go(sample):
    first = np.tanh(sample.dot(W1))
    second = 1 / (1 + np.exp(-first.dot(W2)))
    return first, second
def improve(sample, wanted, speed):
    global W1, W2
    a, b = go(sample)
    e = (b - wanted) * b * (1 - b)
    back = e.dot(W2.T) * «(1 - a ** 2|a * (1 - a»)
    W2 = W2 - speed * a.T.dot(e)
    W1 = W1 - speed * sample.T.dot(back)
""",
    "docstring_usage": '''
"""A tiny network.

>>> net = Net(2, 4, 1)
>>> net.teach([[0, 1], [1, 0]], [[1], [0]], cycles=10)
"""
import numpy as np
class Net:
    def __init__(self, a, b, c):
        self.u = np.random.randn(a, b)
        self.v = np.random.randn(b, c)
    def teach(self, p, q, cycles):
        p, q = np.array(p), np.array(q)
        for _ in range(cycles):
            m = 1 / (1 + np.exp(-p @ self.u))
            n = 1 / (1 + np.exp(-m @ self.v))
            d = (q - n) * n * (1 - n)
            r = d @ self.v.T * «m * |»(1 - m)
            self.v += m.T @ d
            self.u += p.T @ r
''',
    "funcs_dict": """
import numpy as np
def fit_network(hidden, X, Y, fns, lr=0.05, epochs=200):
    f, df = fns["activation"], fns["activation_prime"]
    cost, dcost = fns["cost"], fns["cost_prime"]
    W1 = np.random.randn(hidden, X.shape[0]); b1 = np.zeros((hidden, 1))
    W2 = np.random.randn(Y.shape[0], hidden); b2 = np.zeros((Y.shape[0], 1))
    for _ in range(epochs):
        z1 = W1 @ X + b1
        a1 = f(z1)
        z2 = W2 @ a1 + b2
        a2 = f(z2)
        d2 = dcost(a2, Y) * df(z2)
        d1 = «(W2.T @ d2) * df(z1)|W2.T @ d2»
        W2 = W2 - lr * d2 @ a1.T
        b2 = b2 - lr * d2.sum(axis=1, keepdims=True)
        W1 = W1 - lr * d1 @ X.T
        b1 = b1 - lr * d1.sum(axis=1, keepdims=True)
    return W1, b1, W2, b2
def logistic(z): return 1 / (1 + np.exp(-z))
def logistic_prime(z):
    s = logistic(z)
    return s * (1 - s)
def squared(a, y): return 0.5 * np.sum((a - y) ** 2)
def squared_prime(a, y): return a - y
""",
    "tuple_of_functions": """
import numpy as np
def sigm(x): return 1 / (1 + np.exp(-x))
def sigm_d(x): return sigm(x) * (1 - sigm(x))
ACTS = {"sigm": (sigm, sigm_d)}
class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.rand(n_in, n_out) - 0.5
        self.b = np.random.rand(1, n_out) - 0.5
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad, lr):
        back = grad @ self.W.T
        self.W -= lr * self.x.T @ «grad|sigm(grad)»
        self.b -= lr * grad.sum(axis=0, keepdims=True)
        return back
class Act:
    def __init__(self, pair):
        self.f, self.df = pair[0], pair[1]
    def forward(self, x):
        self.x = x
        return self.f(x)
    def backward(self, grad, lr):
        return self.df(self.x) * grad
""",
    "neurons_in_lists": """
import math, random
class Cell:
    def __init__(self, n):
        self.w = [random.uniform(-1, 1) for _ in range(n)]
        self.bias = random.uniform(-1, 1)
        self.out = 0.0
        self.delta = 0.0
    def fire(self, xs):
        s = self.bias
        for w, x in zip(self.w, xs):
            s += w * x
        self.out = 1 / (1 + math.exp(-s))
        return self.out
class Brain:
    def __init__(self, layers):
        self.layers = layers
    def run(self, xs):
        for layer in self.layers: xs = [cell.fire(xs) for cell in layer]
        return xs
    def learn(self, xs, wanted, rate):
        got = self.run(xs)
        for k in reversed(range(len(self.layers))):
            below = xs if k == 0 else [c.out for c in self.layers[k - 1]]
            for j, cell in enumerate(self.layers[k]):
                if k == len(self.layers) - 1:
                    err = got[j] - wanted[j]
                else:
                    err = sum(c.w[j] * c.delta for c in self.layers[k + 1])
                cell.delta = err * cell.out« * (1 - cell.out)|»
        for k, layer in enumerate(self.layers):
            below = xs if k == 0 else [c.out for c in self.layers[k - 1]]
            for cell in layer:
                for i, x in enumerate(below):
                    cell.w[i] -= rate * cell.delta * x
                cell.bias -= rate * cell.delta
""",
    "builder_sizes": """
import numpy as np
class Model:
    def __init__(self):
        self.sizes, self.W, self.b = [], [], []
    def add(self, units):
        if self.sizes:
            self.W.append(np.random.randn(self.sizes[-1], units) * 0.5)
            self.b.append(np.zeros((1, units)))
        self.sizes.append(units)
        return self
    def predict(self, x):
        self.acts = [x]
        for W, b in zip(self.W, self.b):
            self.acts.append(np.tanh(self.acts[-1] @ W + b))
        return self.acts[-1]
    def train(self, X, y, epochs=10, lr=0.01):
        for _ in range(epochs):
            out = self.predict(X)
            g = (out - y) * (1 - out ** 2)
            for i in range(len(self.W) - 1, -1, -1):
                dW = self.acts[i].T @ g
                db = g.sum(axis=0, keepdims=True)
                «g = g @ self.W[i].T * (1 - self.acts[i] ** 2)
                self.W[i] -= lr * dW|self.W[i] -= lr * dW
                g = g @ self.W[i].T * (1 - self.acts[i])»
                self.b[i] -= lr * db
""",
    "sequential_trainer": """
import numpy as np
class Linear:
    def __init__(self, fan_in, fan_out):
        self.w = np.random.randn(fan_in, fan_out) / np.sqrt(fan_in)
        self.b = np.zeros(fan_out)
    def forward(self, x):
        self.inp = x
        return x @ self.w + self.b
    def backward(self, g):
        self.dw = self.inp.T @ g
        self.db = g.sum(0)
        return g @ self.w.T
class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y
    def backward(self, g):
        return g * self.y« * (1 - self.y)|»
class MSE:
    def forward(self, pred, target):
        self.pred, self.target = pred, target
        return ((pred - target) ** 2).mean()
    def backward(self):
        return 2 * (self.pred - self.target) / self.pred.size
class Sequential:
    def __init__(self, modules):
        self.modules = modules
    def forward(self, x):
        for m in self.modules:
            x = m.forward(x)
        return x
    def backward(self, g):
        for m in reversed(self.modules):
            g = m.backward(g)
        return g
class SGD:
    def __init__(self, model, lr):
        self.model, self.lr = model, lr
    def step(self):
        for m in self.model.modules:
            if hasattr(m, "w"):
                m.w -= self.lr * m.dw
                m.b -= self.lr * m.db
class Trainer:
    def __init__(self, model, criterion, optim):
        self.model, self.criterion, self.optim = model, criterion, optim
    def fit(self, X, y, epochs):
        for e in range(epochs):
            loss = self.criterion.forward(self.model.forward(X), y)
            self.model.backward(self.criterion.backward())
            self.optim.step()
""",
    "list_of_tuples": """
import numpy as np
def init(sizes):
    return [(np.random.randn(m, n) * 0.4, np.zeros(n)) for m, n in zip(sizes, sizes[1:])]
def forward(params, x):
    cache = [x]
    for W, b in params:
        x = 1 / (1 + np.exp(-(x @ W + b)))
        cache.append(x)
    return x, cache
def backward(params, cache, y):
    grads = []
    delta = (cache[-1] - y) * cache[-1] * (1 - cache[-1])
    for i in reversed(range(len(params))):
        grads.insert(0, (cache[i].T @ delta, delta.sum(0)))
        delta = delta @ params[i][0].T« * cache[i] * (1 - cache[i])|»
    return grads
def update(params, grads, lr):
    return [(W - lr * dW, b - lr * db) for (W, b), (dW, db) in zip(params, grads)]
""",
    "dict_and_update": """
import numpy as np
def make_params(d, h, k):
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=(d, h)), rng.normal(size=(h, k))
    return {"Wh": first, "bh": np.zeros(h), "Wo": last, "bo": np.zeros(k)}
def run(params, batch):
    z = batch @ params["Wh"] + params["bh"]
    h = np.maximum(z, 0)
    s = h @ params["Wo"] + params["bo"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return {"z": z, "h": h, "p": e / e.sum(axis=1, keepdims=True)}
def grads_of(params, store, batch, labels):
    n = len(batch)
    ds = (store["p"] - labels) / n
    dz = (ds @ params["Wo"].T) * (store["z"] > 0)
    return {"Wo": store["h"].T @ ds, "bo": ds.sum(0), "Wh": batch.T @ dz, "bh": dz.«sum|mean»(0)}
def apply(params, g, rate):
    for key in params:
        params[key] = params[key] - rate * g[key]
    return params
""",
    "cbow": """
import numpy as np
def softmax(z): return np.exp(z) / np.exp(z).sum()
class Cbow:
    def __init__(self, V, N):
        self.W_in = np.random.rand(V, N) - 0.5
        self.W_out = np.random.rand(N, V) - 0.5
    def train_pair(self, context_ids, target_id, eta=0.1):
        h = self.W_in[context_ids].mean(axis=0)
        p = softmax(h @ self.W_out)
        e = p.copy()
        e[target_id] -= 1
        dh = self.W_out @ e
        self.W_out -= eta * np.outer(h, e)
        for c in context_ids:
            self.W_in[c] -= eta * dh« / len(context_ids)|»
        return -np.log(p[target_id])
""",
    "fixed_batch": """
import numpy as np
class NN:
    def __init__(self, inp, hid, out):
        self.W1 = 0.5 * np.random.randn(inp, hid)
        self.W2 = 0.5 * np.random.randn(hid, out)
        self.batch = 32
        self.lr = 0.01
    def forward(self, X, labels):
        H = np.maximum(0, X @ self.W1)
        S = H @ self.W2
        P = np.exp(S) / np.sum(np.exp(S), axis=1, keepdims=True)
        loss = -np.log(P[range(self.batch), labels]).mean()
        d = P.copy()
        d[range(self.batch), labels] -= 1
        return H, d / self.batch, loss
    def backward(self, X, hidden_layer, d):
        g2 = hidden_layer.T @ d
        dh = d @ self.W2.T
        dh[hidden_layer <= 0] = 0
        g1 = X.T @ «dh|(dh * hidden_layer)»
        self.W1 -= self.lr * g1
        self.W2 -= self.lr * g2
""",
    "callable_layers": """
from abc import ABC, abstractmethod
import numpy as np
class Layer(ABC):
    @abstractmethod
    def __call__(self, x, training): ...
    @abstractmethod
    def grads(self, upstream): ...
class Dense(Layer):
    def __init__(self, dim_in, dim_out):
        self.W = np.random.randn(dim_out, dim_in) * 0.5
        self.b = np.random.randn(dim_out, 1) * 0.5
    def __call__(self, x, training):
        self.x = x
        self.z = self.W @ x + self.b
        return np.tanh(self.z)
    def grads(self, upstream):
        dz = upstream * (1 - np.tanh(self.z) ** 2)
        dW = dz @ self.x.T
        db = dz.«sum(axis=1, |mean(»keepdims=True)
        return self.W.T @ dz, dW, db
""",
    "flag_keeps_cache": """
import numpy as np
class Tanh:
    def __init__(self):
        self.cache = {}
    def forward_propagate(self, Z, save_cache=False):
        if save_cache:
            self.cache["Z"] = Z
        return np.tanh(Z)
    def back_propagate(self, dA):
        Z = self.cache["Z"]
        return dA * (1 - «np.tanh(Z)|Z» ** 2)
class Fc:
    def __init__(self, n_out, n_in):
        self.W = np.random.randn(n_out, n_in)
        self.b = np.zeros((n_out, 1))
        self.cache, self.grads = {}, {}
    def forward_propagate(self, A, save_cache=False):
        Z = self.W @ A + self.b
        if save_cache:
            self.cache["A"] = A
        return Z
    def back_propagate(self, dZ):
        A = self.cache["A"]
        m = A.shape[1]
        self.grads["dW"] = dZ @ A.T / m
        self.grads["db"] = dZ.sum(axis=1, keepdims=True) / m
        return self.W.T @ dZ
""",
    "action_index": """
import numpy as np
class Q:
    def __init__(self, n_states=4, n_hidden=6, n_actions=2):
        self.W1 = np.random.randn(n_states, n_hidden) * 0.5
        self.W2 = np.random.randn(n_hidden, n_actions) * 0.5
    def values(self, s):
        self.h = np.tanh(s @ self.W1)
        return self.h @ self.W2
    def update(self, s, action, target, lr=0.01):
        q = self.values(s)
        d = np.zeros(self.W2.shape[1])
        d[action] = q[action] - target
        g2 = np.outer(self.h, d)
        g1 = np.outer(s, «(self.W2 @ d) * (1 - self.h ** 2)|self.W2 @ d»)
        self.W2 -= lr * g2
        self.W1 -= lr * g1
""",
    "dataclass_layers": """
from dataclasses import dataclass, field
import numpy as np
@dataclass
class Layer:
    fan_in: int
    fan_out: int
    activation: str = "tanh"
    W: np.ndarray = field(init=False)
    b: np.ndarray = field(init=False)
    def __post_init__(self):
        self.W = np.random.randn(self.fan_in, self.fan_out) * 0.5
        self.b = np.zeros(self.fan_out)
@dataclass
class Network:
    layers: list
    lr: float = 0.1
    def forward(self, x):
        self.outs = [x]
        for layer in self.layers:
            z = x @ layer.W + layer.b
            x = np.tanh(z) if layer.activation == "tanh" else z
            self.outs.append(x)
        return x
    def train_batch(self, x, y):
        err = self.forward(x) - y
        for i in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[i]
            if layer.activation == "tanh":
                err = err * (1 - self.outs[i + 1] ** 2)
            dW, db = self.outs[i].T @ err, err.sum(0)
            «err = err @ layer.W.T
            layer.W -= self.lr * dW|layer.W -= self.lr * dW
            err = err @ layer.W.T * 2»
            layer.b -= self.lr * db
""",
    "deltas_and_a_listener": """
import numpy as np
def squash(z):
    return 1 / (1 + np.exp(-z))
def make_weights(n_in, n_hidden, n_out):
    return (np.random.randn(n_in, n_hidden), np.zeros(n_hidden),
            np.random.randn(n_hidden, n_out), np.zeros(n_out))
def backpropagation(X, Y, A1, A2, W2):
    last = (A2 - Y) * A2 * (1 - A2)
    return (last @ W2.T) * «A1 * (1 - A1)|A1», last
def train_network(X, Y, n_in, n_hidden, n_out, epochs, rate, listener):
    W1, b1, W2, b2 = make_weights(n_in, n_hidden, n_out)
    for epoch in range(epochs):
        A1 = squash(X @ W1 + b1)
        A2 = squash(A1 @ W2 + b2)
        listener.emit("loss", {"epoch": epoch, "loss": np.mean((Y - A2) ** 2)})
        hidden, last = backpropagation(X, Y, A1, A2, W2)
        W2 -= rate * A1.T @ last
        b2 -= rate * last.sum(axis=0)
        W1 -= rate * X.T @ hidden
        b1 -= rate * hidden.sum(axis=0)
    return W1, b1, W2, b2
""",
    "round_of_steps": """
import numpy as np
class Small:
    def __init__(self, rate, n_in=2, n_hidden=3, n_out=1):
        self.rate = rate
        self.first = np.random.randn(n_in, n_hidden)
        self.second = np.random.randn(n_hidden, n_out)
        self.out = None
    def go(self, x):
        self.hidden = np.tanh(x @ self.first)
        self.out = np.tanh(self.hidden @ self.second)
        return self.out
    def round(self, x, y):
        self.out = self.go(x)
        self.slopes(x, y)
        self.descend()
    def slopes(self, x, y):
        last = (self.out - y) * (1 - self.out ** 2)
        self.by_second = self.hidden.T @ last
        self.by_first = x.T @ («last @ self.second.T * (1 - self.hidden ** 2)|last @ self.second.T»)
    def descend(self):
        self.first -= self.rate * self.by_first
        self.second -= self.rate * self.by_second
""",
    "added_by_numpy": """
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(4, 2)), np.array([0.2, 0.9, 0.8, 0.1])
class Net:
    def __init__(self):
        self.v, self.c = rng.random((5, 2)), rng.random((5, 1))
        self.w, self.d = rng.random((1, 5)), rng.random((1, 1))
    def learn(self, row, target, rate):
        row = row.reshape(2, 1)
        h = 1 / (1 + np.exp(-(self.v.dot(row) + self.c)))
        error = np.subtract(target, self.w.dot(h) + self.d)
        back = self.w.T.dot(error)
        self.w = np.add(self.w, rate * error.dot(h.T))
        self.d = self.d + rate * error
        hidden = rate * back * («h * (1 - h)|h»)
        self.v = np.add(self.v, hidden.dot(row.T))
        self.c = self.c + hidden
net = Net()
for k in range(12):
    net.learn(X[k % 4], y[k % 4], 0.2)
""",
}
FAST = frozenset(["docstring_usage", "enum_activation", "other_names_back", "skipgram"])

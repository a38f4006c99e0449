"""Programs that nobody calls, of kinds that names do not tell; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "matrices that are made of what is passed": """
import numpy as np
class Network:
    def __init__(self, n_in, n_hidden, n_out, rate=0.1):
        self.first = np.mat(np.random.random((n_hidden, n_in)) - 0.5)
        self.last = np.mat(np.random.random((n_out, n_hidden)) - 0.5)
        self.rate = rate
    def squash(self, z):
        return 1 / (1 + np.exp(-z))
    def train(self, inputs, targets):
        x, t = np.mat(inputs).T, np.mat(targets).T
        h = self.squash(self.first * x)
        o = self.squash(self.last * h)
        d = np.multiply(t - o, np.multiply(o, 1 - o))
        e = np.multiply(self.last.T * d, «np.multiply(h, 1 - h)|h»)
        self.last += self.rate * d * h.T
        self.first += self.rate * e * x.T
""",
    "a record of sizes": """
from dataclasses import dataclass
import numpy as np
@dataclass
class Sizes:
    inputs: int
    units: int
    classes: int
    rate: float = 0.1
class Net:
    def __init__(self, sizes):
        self.rate = sizes.rate
        self.W = np.random.randn(sizes.inputs, sizes.units)
        self.V = np.random.randn(sizes.units, sizes.classes)
    def forward(self, x):
        h = np.tanh(x @ self.W)
        kept = {"x": x, "h": h}
        return h @ self.V, kept
    def backward(self, derivative, kept):
        back = derivative @ self.V.T * «(1 - kept["h"] ** 2)|(1 - kept["h"])»
        return {"V": kept["h"].T @ derivative, "W": kept["x"].T @ back}
""",
    "a base from another file": """
import numpy as np
class Full(Layer):
    def __init__(self, inputs, units):
        self.weights = np.random.randn(inputs, units)
    def forward(self, x):
        return x @ self.weights
    def backward(self, x, derivative, rate):
        sent = derivative @ self.weights.T
        self.weights = self.weights - rate * «x.T|(x ** 2).T» @ derivative
        return sent
""",
    "an update that never fits": """
import numpy as np
class Full:
    def __init__(self, inputs, units):
        self.weights = np.random.randn(inputs, units)
    def forward(self, x):
        self.x = x
        return x @ self.weights
    def backward(self, derivative, rate):
        sent = derivative @ self.weights.T
        self.weights -= rate * self.x.T @ «derivative|sent»
        return sent
""",
    "target before data": """
import numpy as np
class Perz:
    def __init__(self, dims):
        self.layers = len(dims) - 1
        self.M = [np.random.randn(dims[i + 1], dims[i]) * 0.5 for i in range(self.layers)]
        self.c = [np.zeros(dims[i + 1]) for i in range(self.layers)]
    def run(self, v):
        self.outs = [v]
        for M, c in zip(self.M, self.c):
            v = 1 / (1 + np.exp(-(M.dot(v) + c)))
            self.outs.append(v)
        return v
    def teach(self, wanted, given, speed=0.3):
        got = self.run(given)
        d = (got - wanted) * «got * (1 - got)|got»
        for i in reversed(range(self.layers)):
            below = self.outs[i]
            nxt = self.M[i].T.dot(d) * below * (1 - below)
            self.M[i] -= speed * np.outer(d, below)
            self.c[i] -= speed * d
            d = nxt
""",
    "two functions, one wrong": """
import numpy as np
def sigmoid(z): return 1 / (1 + np.exp(-z))
def train_one_layer(X, y, lr=0.1, epochs=100):
    w = np.random.randn(X.shape[1], 1)
    for _ in range(epochs):
        p = sigmoid(X @ w)
        w -= lr * X.T @ (p - y)
    return w
def train_two_layers(X, y, hidden=4, lr=0.1, epochs=100):
    w = np.random.randn(X.shape[1], hidden)
    v = np.random.randn(hidden, 1)
    for _ in range(epochs):
        h = sigmoid(X @ w)
        p = sigmoid(h @ v)
        d = p - y
        dh = d @ v.T * «h * (1 - h)|h»
        v -= lr * h.T @ d
        w -= lr * X.T @ dh
    return w, v
""",
    "gradients of a list of weights": """
import numpy as np
def sigmoide(x): return 1 / (1 + np.exp(-x))
def propagar(entrada, pesos):
    capas = [entrada]
    for p in pesos:
        capas.append(sigmoide(np.dot(capas[-1], p)))
    return capas
def retropropagar(capas, pesos, objetivo):
    errores = []
    gradientes = []
    error = capas[-1] - objetivo
    for i in range(len(pesos) - 1, -1, -1):
        delta = error * capas[i + 1] * (1 - capas[i + 1])
        errores.insert(0, delta)
        gradientes.insert(0, np.dot(capas[i].T, delta))
        error = np.dot(«delta|error», pesos[i].T)
    return errores, gradientes
""",
    "errors under the name of data": """
import numpy as np
class Layer:
    def __init__(self, ins, outs):
        self.weights = np.random.rand(outs, ins + 1) - 0.5
    def forward(self, data):
        self.inp = np.append(data, 1.0)
        self.out = np.tanh(self.weights.dot(self.inp))
        return self.out
    def backward(self, data, rate=0.1):
        delta = data * «(1 - self.out ** 2)|self.out»
        back = self.weights[:, :-1].T.dot(delta)
        self.weights -= rate * np.outer(delta, self.inp)
        return back
""",
    "targets under the name of data": """
import numpy as np
class Net:
    def __init__(self, sizes):
        self.w = [np.random.randn(a, b) for a, b in zip(sizes, sizes[1:])]
        self.bias = [np.random.randn(1, b) for b in sizes[1:]]
    def feed(self, data):
        self.acts = [data]
        for w, b in zip(self.w, self.bias):
            data = 1.0 / (1.0 + np.exp(-(data @ w + b)))
            self.acts.append(data)
        return data
    def back_prop(self, data):
        error = data - self.acts[-1]
        deltas = [error * self.acts[-1] * (1 - self.acts[-1])]
        for k in range(len(self.w) - 1, 0, -1):
            deltas.insert(0, deltas[0] @ self.w[k].T * self.acts[k] * «(1 - self.acts[k])|(1 + self.acts[k])»)
        for k, d in enumerate(deltas):
            self.w[k] += 0.1 * self.acts[k].T @ d
            self.bias[k] += 0.1 * d.sum(axis=0, keepdims=True)
""",
    "arrays that are broadcast": """
import numpy as np
class Tensor:
    def __init__(self, data, _children=(), op=""):
        self.data = data if isinstance(data, np.ndarray) else np.array(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self._prev, self._backward = set(_children), lambda: None
    @staticmethod
    def unbroadcast(g, shape):
        while g.ndim > len(shape):
            g = g.sum(axis=0)
        for ax, n in enumerate(shape):
            if n == 1:
                g = g.sum(axis=ax, keepdims=True)
        return g
    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data + other.data, (self, other))
        def _backward():
            self.grad += Tensor.unbroadcast(out.grad, self.data.shape)
            back = Tensor.unbroadcast(out.grad, other.data.shape)
            other.grad += «back|back / out.grad.shape[0]»
        out._backward = _backward
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data * other.data, (self, other))
        def _backward():
            self.grad += Tensor.unbroadcast(other.data * out.grad, self.data.shape)
            other.grad += Tensor.unbroadcast(self.data * out.grad, other.data.shape)
        out._backward = _backward
        return out
    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))
        def _backward():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad
        out._backward = _backward
        return out
    def tanh(self):
        t = np.tanh(self.data)
        out = Tensor(t, (self,))
        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out
    def sum(self):
        out = Tensor(self.data.sum(), (self,))
        def _backward():
            self.grad += np.ones_like(self.data) * out.grad
        out._backward = _backward
        return out
    def backward(self):
        topo, seen = [], set()
        def build(v):
            if v not in seen:
                seen.add(v)
                for c in v._prev: build(c)
                topo.append(v)
        build(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(topo): v._backward()
""",
    "functions that nobody chains": """
import numpy as np
def initialise(n_x, n_h, n_y):
    np.random.seed(2)
    first = {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1))}
    return {**first, "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}
def fwd(X, params):
    Z1 = np.dot(params["W1"], X) + params["b1"]
    A1 = np.tanh(Z1)
    Z2 = np.dot(params["W2"], A1) + params["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
def bwd(params, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = np.dot(params["W2"].T, dZ2) * (1 - «np.power(cache["A1"], 2)|cache["A1"]»)
    return {"dW1": np.dot(dZ1, X.T) / m, "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
            "dW2": np.dot(dZ2, cache["A1"].T) / m, "db2": np.sum(dZ2, axis=1, keepdims=True) / m}
def step(params, grads, lr=1.2):
    return {k: params[k] - lr * grads["d" + k] for k in params}
""",
    "numbers of units that multiply lists": """
import math, random
class NN:
    def __init__(self, ni, nh, no):
        self.ni, self.nh, self.no = ni + 1, nh, no
        self.ai = [1.0] * self.ni
        self.ah = [1.0] * self.nh
        self.ao = [1.0] * self.no
        self.wi = [[random.uniform(-.5, .5) for _ in range(self.nh)] for _ in range(self.ni)]
        self.wo = [[random.uniform(-.5, .5) for _ in range(self.no)] for _ in range(self.nh)]
    def update(self, inputs):
        if len(inputs) != self.ni - 1:
            raise ValueError("wrong number of inputs")
        for i in range(self.ni - 1):
            self.ai[i] = inputs[i]
        for j in range(self.nh):
            self.ah[j] = math.tanh(sum(self.ai[i] * self.wi[i][j] for i in range(self.ni)))
        for k in range(self.no):
            self.ao[k] = math.tanh(sum(self.ah[j] * self.wo[j][k] for j in range(self.nh)))
        return self.ao[:]
    def backPropagate(self, targets, N):
        if len(targets) != self.no:
            raise ValueError("wrong number of target values")
        od = [(targets[k] - self.ao[k]) * (1 - self.ao[k] ** 2) for k in range(self.no)]
        hd = [0.0] * self.nh
        for j in range(self.nh):
            e = sum(od[k] * self.wo[j][k] for k in range(self.no))
            hd[j] = e * (1 - «self.ah[j] ** 2|self.ah[j]»)
        for j in range(self.nh):
            for k in range(self.no):
                self.wo[j][k] += N * od[k] * self.ah[j]
        for i in range(self.ni):
            for j in range(self.nh):
                self.wi[i][j] += N * hd[j] * self.ai[i]
    def training(self, examples, epochs=1000, N=0.5):
        for _ in range(epochs):
            for p in examples:
                self.update(p[0])
                self.backPropagate(p[1], N)
""",
    "a network that is called and has methods": """
import numpy as np
class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out); self.b = np.zeros((1, n_out))
    def __call__(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g):
        self.gW, self.gb = self.x.T @ g, g.sum(0, keepdims=True)
        return g @ self.W.T
    def params(self): return [(self.W, "gW"), (self.b, "gb")]
class ReLU:
    def __call__(self, x):
        self.m = x > 0
        return x * self.m
    def backward(self, g): return «g * self.m|g»
class Sequential:
    def __init__(self, *layers): self.layers = layers
    def __call__(self, x):
        for l in self.layers: x = l(x)
        return x
    def backward(self, g):
        for l in reversed(self.layers): g = l.backward(g)
        return g
class SGD:
    def __init__(self, model, lr): self.model, self.lr = model, lr
    def step(self):
        for l in self.model.layers:
            if hasattr(l, "W"):
                l.W -= self.lr * l.gW
                l.b -= self.lr * l.gb
def mse(p, y): return ((p - y) ** 2).mean(), 2 * (p - y) / y.size
def fit(model, opt, X, y, n):
    for _ in range(n):
        p = model(X)
        loss, g = mse(p, y)
        model.backward(g)
        opt.step()
""",
    "a product of all with all": """
import numpy as np
class Approximator:
    def __init__(self, width, activation=np.tanh):
        self.u = np.random.randn(width)
        self.c = np.random.randn(width)
        self.v = np.random.randn(width)
        self.activation = activation
    def __call__(self, x):
        return self.activation(np.outer(x, self.u) + self.c) @ self.v
    def gradients(self, x, y):
        a = self.activation(np.outer(x, self.u) + self.c)
        r = (a @ self.v - y) / len(x)
        s = np.outer(r, self.v) * «(1 - a ** 2)|(1 - a) ** 2»
        return x @ s, s.sum(axis=0), a.T @ r
""",
    "a derivative by one output": """
import numpy as np
class Softmax:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m) / n
        self.b = np.zeros(m)
    def forward(self, image):
        self.shape, self.x = image.shape, image.flatten()
        self.scores = self.x @ self.W + self.b
        e = np.exp(self.scores)
        return e / e.sum()
    def backprop(self, d_out, rate):
        for i, d in enumerate(d_out):
            if d == 0:
                continue
            e = np.exp(self.scores)
            total = np.sum(e)
            slope = -e[i] * e / total ** 2
            slope[i] = e[i] * «(total - e[i])|(total + e[i])» / total ** 2
            delta = d * slope
            sent = self.W @ delta
            self.W -= rate * self.x[:, None] @ delta[None]
            self.b -= rate * delta
            return sent.reshape(self.shape)
""",
    "sums of the shape of one output": """
import numpy as np
class Network:
    def __init__(self, inputs, hidden, outputs, rate):
        self.V = np.random.normal(0, inputs ** -0.5, (inputs, hidden))
        self.W = np.random.normal(0, hidden ** -0.5, (hidden, outputs))
        self.rate = rate
    def train(self, features, targets):
        dV, dW = np.zeros(self.V.shape), np.zeros(self.W.shape)
        for x, y in zip(features, targets):
            h = 1 / (1 + np.exp(-np.dot(x, self.V)))
            error = y - np.dot(h, self.W)
            term = error[0]
            below = np.dot(term, self.W).T * h «* (1 - h)|»
            dW += term * h.reshape(dW.shape)
            dV += below * x[:, None]
        self.W += self.rate * dW / len(features)
        self.V += self.rate * dV / len(features)
""",
    "several kept activations": """
import numpy as np
class Deep:
    def __init__(self, n_in, n_mid, n_out):
        scale = pow(n_in, -0.5)
        self.first = np.random.normal(0.0, scale, (n_mid, n_in))
        self.second = np.random.normal(0.0, scale, (n_mid, n_mid))
        self.third = np.random.normal(0.0, scale, (n_out, n_mid))
        self.squash = lambda v: 1 / (1 + np.exp(-v))
    def ahead(self, one_feature):
        self.given = np.array(one_feature, ndmin=2).T
        self.low = self.squash(self.first @ self.given)
        self.high = self.squash(self.second @ self.low)
        self.top = self.squash(self.third @ self.high)
    def correct(self, goal_list):
        wanted = np.array(goal_list, ndmin=2).T
        slope = (self.top - wanted) * self.top * (1 - self.top)
        upper = self.third.T @ slope * self.high * (1 - self.high)
        lower = self.second.T @ «upper|(self.third.T @ slope)» * self.low * (1 - self.low)
        self.third -= 0.2 * slope @ self.high.T
        self.second -= 0.2 * upper @ self.low.T
        self.first -= 0.2 * lower @ self.given.T
""",
    "rows of different lengths": """
import numpy as np
rng = np.random.default_rng(0)
words = [[0, 1, 2], [2, 3]]
def hot(k):
    made = [0, 0, 0, 0]
    made[k] = 1
    return made
def beside(lines):
    pairs = []
    for line in lines:
        for k, word in enumerate(line):
            pairs.append([hot(word), [hot(one) for j, one in enumerate(line) if j != k]])
    return np.array(pairs)
U, V = rng.normal(size=(4, 3)), rng.normal(size=(3, 4))
for step in range(4):
    for word, around in beside(words):
        h = U.T @ np.array(word)
        e = np.exp(V.T @ h)
        p = e / e.sum()
        d = sum(p - np.array(one) for one in around)
        dU = np.outer(word, V @ d)
        V -= 0.1 * np.outer(h, d)
        U -= 0.1 * «dU|np.outer(word, V @ p)»
""",
    "groups as large as there are samples at most": """
import numpy as np
class Model:
    def __init__(self, hidden=4, rate=0.1, rounds=5, batch_size=2):
        self.hidden, self.rate, self.rounds, self.batch_size = hidden, rate, rounds, batch_size
        self.M = []
    def teach(self, shown, wanted):
        self.M = [np.random.randn(shown.shape[1], self.hidden), np.random.randn(self.hidden, 1)]
        self.batch_size = min(shown.shape[0], self.batch_size)
        done = 0
        while done < self.rounds:
            at, done = 0, done + 1
            while at < shown.shape[0]:
                self._one_batch(shown[at:at + self.batch_size], wanted[at:at + self.batch_size])
                at += self.batch_size
    def ahead(self, x):
        outs = [np.append(x, [])]
        for M in self.M:
            outs.append(np.tanh(outs[-1] @ M))
        return outs
    def _one_batch(self, batch_X, batch_y):
        for x, y in zip(batch_X, batch_y):
            outs = self.ahead(x)
            d = np.array([outs[-1][0] - y])
            for M, out, below in zip(self.M[::-1], outs[::-1], outs[-2::-1]):
                d = d * «(1 - out ** 2)|(1 - out)»
                change = np.outer(below, d)
                d = M @ d
                M -= self.rate * change
""",
    "the places of what is there": """
import math, random
def shares(scores):
    highest = max(scores)
    powers = [math.exp(one - highest) for one in scores]
    return [one / sum(powers) for one in powers]
class Sparse:
    def __init__(self, words, units, kinds):
        self.low = [[random.gauss(0, 1) for _ in range(units)] for _ in range(words)]
        self.top = [[random.gauss(0, 1) for _ in range(kinds)] for _ in range(units)]
    def ahead(self, present):
        h = [0.0] * len(self.top)
        for place in present:
            for j in range(len(h)):
                h[j] += self.low[place][j]
        h = [math.tanh(one) for one in h]
        scores = [sum(h[j] * self.top[j][k] for j in range(len(h))) for k in range(len(self.top[0]))]
        return h, shares(scores)
    def learn_one(self, present, kind, speed):
        h, p = self.ahead(present)
        cost = -math.log(p[kind])
        p[kind] -= 1.0
        sent = [sum(self.top[j][k] * p[k] for k in range(len(p))) for j in range(len(h))]
        back = [one * «(1 - out ** 2)|out» for one, out in zip(sent, h)]
        for j in range(len(h)):
            for k in range(len(p)):
                self.top[j][k] -= speed * h[j] * p[k]
        for place in present:
            for j in range(len(h)):
                self.low[place][j] -= speed * back[j]
        return cost
    def learn(self, pairs, times=30, speed=0.05):
        for _ in range(times):
            random.shuffle(pairs)
            mean = sum(self.learn_one(x, y, speed) for x, y in pairs) / max(1, len(pairs))
        return mean
""",
    "pairs of lists": """
import numpy as np
class Trainer:
    def __init__(self, examples, widths, rounds):
        self.examples, self.rounds = examples, rounds
        self.M = [np.random.randn(widths[i + 1], widths[i]) for i in range(len(widths) - 1)]
        self.c = [np.zeros((widths[i + 1], 1)) for i in range(len(widths) - 1)]
        self.outs = [np.zeros((one, 1)) for one in widths]
    def work(self):
        for _ in range(self.rounds):
            for example in self.examples:
                self.ahead(example[0])
                self.behind(example[1])
    def ahead(self, given):
        column = np.array(given)
        self.outs[0] = column.reshape(len(column), 1)
        for i, (M, c) in enumerate(zip(self.M, self.c)):
            self.outs[i + 1] = 1 / (1 + np.exp(-(M @ self.outs[i] + c)))
    def behind(self, wanted):
        wanted = np.array(wanted).reshape(len(wanted), 1)
        error = self.outs[-1] - wanted
        for i in reversed(range(len(self.M))):
            error = error * «self.outs[i + 1] * (1 - self.outs[i + 1])|self.outs[i + 1]»
            change, shift = error @ self.outs[i].T, error
            error = self.M[i].T @ error
            self.M[i] -= 0.3 * change
            self.c[i] -= 0.3 * shift
""",
    "parts of samples beside weights": """
import numpy as np
def learn(W1, W2, examples, rate=0.1):
    for example in examples:
        x = np.array(example[0]).reshape(-1, 1)
        t = np.array(example[1]).reshape(-1, 1)
        h = np.tanh(W1 @ x)
        y = W2 @ h
        d = y - t
        back = W2.T @ d * «(1 - h * h)|(1 - h)»
        W2 -= rate * d @ h.T
        W1 -= rate * back @ x.T
    return W1, W2
""",
}
FAST = frozenset({
    "target before data", "two functions, one wrong", "gradients of a list of weights",
    "errors under the name of data", "a record of sizes", "arrays that are broadcast",
})  # fmt: skip

"""Programs that nobody calls and of which the first answers fail; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "sizes that are none by default": """
import numpy as np
class Stack:
    def __init__(self, widths=[], rate=0.5):
        self.rate, self.last = rate, len(widths) - 2
        self.W = [np.random.randn(a, b) for a, b in zip(widths[:-1], widths[1:])]
        self.seen = [None] * len(widths)
    def ahead(self, x, layer=0):
        if layer == 0:
            self.seen[0] = x
        self.seen[layer + 1] = 1 / (1 + np.exp(-np.dot(self.seen[layer], self.W[layer])))
        if layer < self.last:
            self.ahead(x, layer + 1)
        return self.seen[-1]
    def back(self, error, layer):
        if layer < 0:
            return
        out = self.seen[layer + 1]
        delta = error * «out * (1 - out)|out»
        before = np.dot(delta, self.W[layer].T)
        self.W[layer] -= self.rate * np.dot(self.seen[layer].T, delta)
        self.back(before, layer - 1)
""",
    "an output layer that is passed its output": """
import numpy as np
class Full:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))
    def forward(self, x):
        self.x = x
        self.output = x @ self.W + self.b
    def backward(self, dvalues):
        self.dW, self.db = self.x.T @ dvalues, dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ «self.W.T|abs(self.W.T)»
class Shares:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)
    def backward(self, dvalues, y_true):
        n = len(dvalues)
        if len(y_true.shape) == 2:
            y_true = np.argmax(y_true, axis=1)
        self.dinputs = dvalues.copy()
        self.dinputs[range(n), y_true] -= 1
        self.dinputs = self.dinputs / n
""",
    "a loss that keeps what it is passed": """
import numpy as np
class Full:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, X):
        self.X = X
        return X.dot(self.W) + self.b
    def backward(self, dout):
        self.dW, self.db = self.X.T.dot(dout), dout.sum(axis=0)
        return dout.dot(self.W.T)
class SharesWithLoss:
    def forward(self, scores, Y):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.Y, self.P = Y, e / e.sum(axis=1, keepdims=True)
        return -np.sum(Y * np.log(self.P + 1e-12)) / Y.shape[0]
    def backward(self, dout=1):
        return (self.P - self.Y) «/|* self.P /» self.Y.shape[0]
class Alone:
    def forward(self, scores):
        return np.exp(scores)
    def backward(self, dout):
        raise NotImplementedError("use SharesWithLoss")
""",
    "outputs in arrays of ones": """
import numpy as np
class Chain:
    def __init__(self, sizes):
        self.n = len(sizes)
        self.W = [np.random.uniform(-1, 1, (sizes[k + 1], sizes[k] + 1)) for k in range(self.n - 1)]
        self.sums = [np.zeros_like(one) for one in self.W]
        self.outs = [np.ones(sizes[k] + 1) for k in range(self.n - 1)] + [np.ones(sizes[-1])]
        self.slopes = [np.zeros(one) for one in sizes]
        self.errors = [np.zeros(one) for one in sizes]
    def forwards(self, given):
        self.outs[0][1:] = given
        for k in range(1, self.n - 1):
            z = self.W[k - 1] @ self.outs[k - 1]
            self.outs[k][1:] = np.tanh(z)
            self.slopes[k] = 1 - np.tanh(z) ** 2
        self.outs[-1] = 1 / (1 + np.exp(-(self.W[-1] @ self.outs[-2])))
        return self.outs[-1]
    def backwards(self, error):
        self.errors[-1] = error
        self.sums[-1] += np.outer(error, self.outs[-2])
        for k in reversed(range(1, self.n - 1)):
            back = self.W[k].T @ self.errors[k + 1]
            self.errors[k] = back[1:] * «self.slopes[k]|self.slopes[k] ** 2»
            self.sums[k - 1] += np.outer(self.errors[k], self.outs[k - 1])
""",
    "norms of gradients": """
import numpy as np
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in + 1, n_out)
    def forward(self, x):
        self.x = np.append(x, 1)
        self.out = 1 / (1 + np.exp(-np.dot(self.x, self.W)))
        return self.out
    def step(self, rate):
        change = np.outer(self.x, self.delta)
        size = np.linalg.norm(change)
        self.W -= rate * change
class Network:
    def __init__(self, sizes=[]):
        self.layers = [Layer(a, b) for a, b in zip(sizes[:-1], sizes[1:])]
    def run(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def learn(self, x, wanted, rate=1):
        self.run(x)
        last = self.layers[-1]
        last.delta = last.out - np.array(wanted)
        for layer, after in zip(self.layers[-2::-1], self.layers[::-1]):
            back = np.dot(after.W, after.delta)[:-1]
            layer.delta = back * «layer.out * (1 - layer.out)|layer.out»
        for layer in self.layers:
            layer.step(rate)
def restored(weights):
    net = Network()
    net.layers = weights
    return net
""",
    "a method that is passed its weights": """
import numpy as np
class Exercise:
    def both(self, x, W1, b1, W2, b2, wanted):
        x, W1, b1, W2, b2, wanted = map(np.array, (x, W1, b1, W2, b2, wanted))
        h = np.maximum(0, x @ W1.T + b1)
        y = h @ W2.T + b2
        found = {"loss": round(float(np.mean((y - wanted) ** 2)), 4)}
        dy = 2 * (y - wanted) / len(wanted)
        dh = (dy.reshape(1, -1) @ W2).flatten() * «(h > 0)|h»
        found["dW2"], found["db2"] = dy.reshape(-1, 1) @ h.reshape(1, -1), dy
        found["dW1"], found["db1"] = dh.reshape(-1, 1) @ x.reshape(1, -1), dh
        return found
""",
    "functions that are looked up by name": """
import numpy as np
def smooth(z):
    return 1 / (1 + np.exp(-z))
def smooth_slope(a):
    return «a * (1 - a)|a * (1 + a)»
def straight(z):
    return z
def straight_slope(a):
    return 1.0
class Layer:
    def __init__(self, n_in, n_out, kind="smooth"):
        self.act, self.slope = globals()[kind], globals()[kind + "_slope"]
        self.W, self.b = np.random.randn(n_out, n_in), np.zeros((n_out, 1))
    def forward(self, x):
        return self.act(self.W @ x + self.b)
    def backward(self, back, before, out, rate):
        delta = back * self.slope(out)
        back = self.W.T @ delta
        self.W -= rate * delta @ before.T
        self.b -= rate * delta.sum(axis=1, keepdims=True)
        return back
def fit(layers, x, y, epochs, rate):
    for epoch in range(epochs):
        outs = [x]
        for layer in layers:
            outs.append(layer.forward(outs[-1]))
        back = outs[-1] - y
        for layer in reversed(layers):
            out = outs.pop()
            back = layer.backward(back, outs[-1], out, rate)
        yield 0.5 * np.sum((outs[-1] - y) ** 2)
""",
    "a long loop that ends by a number": """
import numpy as np
class Pair:
    def __init__(self, n_in, n_hidden, n_out):
        self.V, self.c = np.random.rand(n_in, n_hidden) - 0.5, np.zeros(n_hidden)
        self.U, self.d = np.random.rand(n_hidden, n_out) - 0.5, np.zeros(n_out)
        self.last_V, self.last_U = np.zeros_like(self.V), np.zeros_like(self.U)
        self.last_c, self.last_d = np.zeros_like(self.c), np.zeros_like(self.d)
    def learn(self, X, y, rate, inertia, most, enough):
        done, far = 0, float("inf")
        while done < most and far > enough:
            sizes = []
            for x, t in zip(X, y):
                h = 1 / (1 + np.exp(-(np.dot(x, self.V) + self.c)))
                out = np.dot(h, self.U) + self.d
                error = t - out
                delta = error.dot(self.U.T) * h * «(1 - h)|(1 + h)»
                step_U = rate * np.outer(h, error) + inertia * self.last_U
                self.U += step_U
                self.last_U = step_U
                step_d = rate * error + inertia * self.last_d
                self.d += step_d
                self.last_d = step_d
                step_V = rate * np.outer(x, delta) + inertia * self.last_V
                self.V += step_V
                self.last_V = step_V
                step_c = rate * delta + inertia * self.last_c
                self.c += step_c
                self.last_c = step_c
                sizes.append(np.sum(error**2))
            far = np.mean(sizes)
            yield done, far
            done += 1
""",
    "an input that is fed, and only kept a place by another method": """
import numpy as np
class Layer:
    def feed(self, inputs):
        self.inputs = inputs
    def init(self, width, rate):
        raise NotImplementedError
    def forward(self):
        raise NotImplementedError
    def backward(self, error):
        raise NotImplementedError
class Full(Layer):
    def __init__(self, units):
        self.biases, self.units = np.random.rand(1, units), units
    def init(self, width, rate):
        self.weights = np.random.randn(width, self.units)
        self.inputs = np.zeros(width)
        self.rate = rate
    def forward(self):
        self.outputs = np.tanh(np.dot(self.inputs, self.weights) + self.biases)
        return self.outputs
    def backward(self, error):
        delta = error * «(1 - self.outputs ** 2)|(1 - self.outputs)»
        before = np.dot(delta, self.weights.T)
        self.weights -= self.rate * np.dot(self.inputs.T, delta)
        self.biases -= self.rate * np.sum(delta, axis=0, keepdims=True)
        return before
""",
    "an argument that names a file": """
import numpy as np
class Classes:
    def __init__(self, name):
        table = np.loadtxt(name)
        self.x, labels = table[:, :-1], table[:, -1].astype(int)
        self.y = np.eye(3)[labels]
    def build(self):
        self.W, self.V = np.random.randn(self.x.shape[1], 4), np.random.randn(4, 3)
    def run(self):
        for x, y in zip(self.x, self.y):
            h = 1 / (1 + np.exp(-x.dot(self.W)))
            out = 1 / (1 + np.exp(-h.dot(self.V)))
            last = (y - out) * out * (1 - out)
            back = self.V.dot(last) * «h * (1 - h)|h»
            self.V += 0.1 * np.outer(h, last)
            self.W += 0.1 * np.outer(x, back)
""",
    "sums that a layer has from the start": """
import numpy as np
class Stage:
    def __init__(self, batch, n, m):
        self.batch = batch
        self.x, self.z = np.random.randn(batch, n), np.random.randn(batch, m)
        self.w = np.random.randn(n, m)
        self.b = np.tile(np.random.randn(1, m), (batch, 1))
    def ahead(self, x):
        self.x = x
        self.z = x @ self.w + self.b
        return np.tanh(self.z)
    def back(self, grad):
        delta = grad * (1 - np.tanh(self.z) ** 2)
        self.dw, self.db = self.x.T @ «delta|grad», delta.sum(axis=0, keepdims=True)
        return delta @ self.w.T
    def learn(self, lr):
        self.w -= lr * self.dw
        self.b -= lr * np.tile(self.db, (self.batch, 1))
""",
    "methods that another passes what they return": """
import numpy as np
class Level:
    def __init__(self, n, m):
        self.b, self.W = np.random.random((1, m)), np.random.random((n, m))
class Levels:
    def __init__(self, sizes, act, dact):
        self.levels = [Level(n, m) for n, m in zip(sizes, sizes[1:])]
        self.act, self.dact = act, dact
    def spread(self, inputs):
        out = [(None, inputs)]
        for one in self.levels:
            z = out[-1][1] @ one.W + one.b
            out.append((z, self.act(z)))
        return out
    def spread_back(self, out, dcost):
        deltas = [dcost * self.dact(out[-1][1])]
        for k in reversed(range(len(self.levels) - 1)):
            deltas.insert(0, deltas[0] @ self.levels[k + 1].W.T «* self.dact(out[k + 1][1])|»)
        return deltas
    def descend(self, out, deltas, rate=0.5):
        for k, one in enumerate(self.levels):
            one.b = one.b - rate * deltas[k].sum(axis=0, keepdims=True)
            one.W = one.W - rate * out[k][1].T @ deltas[k]
    def step(self, inputs, dcost, rate=0.5):
        out = self.spread(inputs)
        deltas = self.spread_back(out, dcost)
        self.descend(out, deltas, rate)
        return out[-1][1]
""",
    "a convolution that is told the shape of its pictures": """
import numpy as np
from scipy import signal
class Maps:
    def __init__(self, shape, size, depth):
        channels, height, width = shape
        self.shape, self.channels, self.depth = shape, channels, depth
        self.kernels = np.random.randn(depth, channels, size, size)
        self.biases = np.random.randn(depth, height - size + 1, width - size + 1)
    def forward(self, x):
        self.x = x
        out = np.copy(self.biases)
        for i in range(self.depth):
            for j in range(self.channels):
                out[i] += signal.correlate2d(x[j], self.kernels[i, j], "valid")
        return out
    def backward(self, dout, rate):
        dk, dx = np.zeros(self.kernels.shape), np.zeros(self.shape)
        for i in range(self.depth):
            for j in range(self.channels):
                dk[i, j] = signal.«correlate2d|convolve2d»(self.x[j], dout[i], "valid")
                dx[j] += signal.convolve2d(dout[i], self.kernels[i, j], "full")
        self.kernels -= rate * dk
        self.biases -= rate * dout
        return dx
""",
    "a perceptron beside a network that nobody calls": """
import numpy as np
def step(z):
    return np.where(z > 0, 1, 0)
class Unit:
    def __init__(self, n, lr=0.1):
        self.w, self.b, self.lr = np.random.randn(n), np.random.randn(), lr
    def fit(self, X, y, epochs=20):
        for _ in range(epochs):
            for xi, yi in zip(X, y):
                error = yi - step(xi @ self.w + self.b)
                if error != 0:
                    self.w += self.lr * error * xi
                    self.b += self.lr * error
class Two:
    def __init__(self, n, m, lr=0.5):
        self.W1, self.W2, self.lr = np.random.randn(n, m), np.random.randn(m, 1), lr
    def fit(self, X, y, epochs=100):
        for _ in range(epochs):
            h = 1 / (1 + np.exp(-X @ self.W1))
            o = 1 / (1 + np.exp(-h @ self.W2))
            e = o - y.reshape(-1, 1)
            dW2 = h.T @ e
            dW1 = X.T @ (e @ self.W2.T * «h * (1 - h)|h»)
            self.W2 -= self.lr * dW2
            self.W1 -= self.lr * dW1
""",
    "sizes that are passed one by one": """
import numpy as np
class Stack:
    def __init__(self, *sizes, **others):
        self.steps = len(sizes) - 1
        self.rate = others.get("rate", 0.1)
        self.w = [np.random.randn(sizes[k], sizes[k + 1]) for k in range(self.steps)]
    def forward(self, x):
        self.a = [x]
        for w in self.w:
            self.a.append(1 / (1 + np.exp(-self.a[-1] @ w)))
        return self.a[-1]
    def backward(self, y):
        e = self.a[-1] - y
        for k in reversed(range(self.steps)):
            d = e * «self.a[k + 1] * (1 - self.a[k + 1])|self.a[k + 1]»
            e = d @ self.w[k].T
            self.w[k] -= self.rate * self.a[k].T @ d
""",
    "rows that end with their class": """
from random import random
from math import exp
class Net:
    def __init__(self, n_in, n_hid, n_out):
        self.n_out = n_out
        self.layers = [[{'w': [random() for _ in range(n_in + 1)]} for _ in range(n_hid)],
                       [{'w': [random() for _ in range(n_hid + 1)]} for _ in range(n_out)]]
    def _ahead(self, row):
        xs = row
        for layer in self.layers:
            for unit in layer:
                unit['out'] = unit['w'][-1]
                for i in range(len(unit['w']) - 1):
                    unit['out'] += unit['w'][i] * xs[i]
                unit['out'] = 1 / (1 + exp(-unit['out']))
            xs = [unit['out'] for unit in layer]
        return xs
    def _back(self, wanted):
        for i in reversed(range(len(self.layers))):
            for j, unit in enumerate(self.layers[i]):
                if i == len(self.layers) - 1:
                    error = wanted[j] - unit['out']
                else:
                    error = sum(one['w'][j] * one['d'] for one in self.layers[i + 1])
                unit['d'] = error * unit['out'] * «(1 - unit['out'])|(1 + unit['out'])»
    def _change(self, row, rate):
        for i, layer in enumerate(self.layers):
            xs = row[:-1] if i == 0 else [one['out'] for one in self.layers[i - 1]]
            for unit in layer:
                for j in range(len(xs)):
                    unit['w'][j] += rate * unit['d'] * xs[j]
                unit['w'][-1] += rate * unit['d']
    def learn(self, rows, rate, epochs):
        for _ in range(epochs):
            for row in rows:
                self._ahead(row)
                wanted = [0 for _ in range(self.n_out)]
                wanted[row[-1]] = 1
                self._back(wanted)
                self._change(row, rate)
    def predict(self, row):
        out = self._ahead(row)
        return out.index(max(out))
""",
}
FAST = frozenset({"outputs in arrays of ones", "a method that is passed its weights"})

"""Programs that use a module or a file that is not there; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "data of a module whose names are all imported": """
import numpy as np
from helpers import *
class Net:
    def __init__(self, a, b, c):
        self.V, self.W = np.random.randn(a, b), np.random.randn(b, c)
    def step(self, X, T, rate):
        H = 1 / (1 + np.exp(-X @ self.V))
        O = 1 / (1 + np.exp(-H @ self.W))
        D = (O - T) * O * (1 - O)
        E = D @ self.W.T * «H * (1 - H)|H»
        self.W -= rate * H.T @ D
        self.V -= rate * X.T @ E
if __name__ == "__main__":
    X_train, Y_train, X_val, Y_val = read_everything("here")
    net = Net(len(X_train[0]), 5, 1)
    for k in range(30):
        net.step(X_train, Y_train, 0.1)
    plot_it(net)
""",
    "NumPy comes with a module that is not there": """
from common import *
def forward(x, W1, b1, W2, b2):
    h = np.maximum(0, x.dot(W1) + b1)
    return h, h.dot(W2) + b2
def backward(x, h, out, y, W2):
    d = (out - y) / len(x)
    dW2, db2 = h.T.dot(d), d.sum(axis=0)
    dh = d.dot(W2.T) * «(h > 0)|h»
    return x.T.dot(dh), dh.sum(axis=0), dW2, db2
x, y = load_dataset()
W1, b1, W2, b2 = np.random.randn(x.shape[1], 6), np.zeros(6), np.random.randn(6, 1), np.zeros(1)
for i in range(EPOCHS):
    h, out = forward(x, W1, b1, W2, b2)
    dW1, db1, dW2, db2 = backward(x, h, out, y.reshape(-1, 1), W2)
    W1 -= LR * dW1; b1 -= LR * db1; W2 -= LR * dW2; b2 -= LR * db2
""",
    "activations of a module that is not there, which return what they were called with, too": """
import numpy as np
from utils import sigmoid, sigmoid_backward
def train(X, Y, p, rate):
    A1, cache1 = sigmoid(X @ p["W1"] + p["b1"])
    A2, cache2 = sigmoid(A1 @ p["W2"] + p["b2"])
    d2 = sigmoid_backward(A2 - Y, cache2)
    d1 = sigmoid_backward(d2 @ p["W2"].T, «cache1|cache2)[:, :1] * np.ones_like(A1»)
    p["W2"] -= rate * A1.T @ d2
    p["b2"] -= rate * d2.sum(axis=0)
    p["W1"] -= rate * X.T @ d1
    p["b1"] -= rate * d1.sum(axis=0)
    return p
""",
    "a column at a time, with a function of a module of which all is imported": """
from helpers import *
import numpy as np
mazes, solves = read_mazes("mazes.pickle")
V, W = np.random.uniform(-0.5, 0.5, (100, 121)), np.random.uniform(-0.5, 0.5, (121, 100))
a, b = np.zeros((100, 1)), np.zeros((121, 1))
def epoch(x, t, V, a, b, W):
    h = sigmoid(a + V @ x)
    o = sigmoid(b + W @ h)
    last = o - t
    first = W.T @ last * «h * (1 - h)|h»
    W += -0.01 * last @ h.T
    b += -0.01 * last
    V += -0.01 * first @ x.T
    a += -0.01 * first
    return V, a, b, W
for x, t in zip(mazes, solves):
    x.shape += (1,)
    t.shape += (1,)
    V, a, b, W = epoch(x, t, V, a, b, W)
""",
    "the usual functions of a module, of samples in columns": """
import numpy as np
from mylib.functions import relu, softmax
KINDS = {"relu": relu, "softmax": softmax}
class Net:
    def __init__(self, n_in, n_hid, n_out, kind="relu"):
        self.act = KINDS[kind]
        self.W1, self.b1 = np.random.randn(n_hid, n_in), np.zeros((n_hid, 1))
        self.W2, self.b2 = np.random.randn(n_out, n_hid), np.zeros((n_out, 1))
    def forward(self, X):
        self.Z1 = self.W1 @ X + self.b1
        self.A1 = self.act(self.Z1)
        self.A2 = softmax(self.W2 @ self.A1 + self.b2)
        return self.A2
    def backward(self, X, Y, lr):
        m = X.shape[1]
        dZ2 = self.A2 - Y
        dZ1 = self.W2.T @ dZ2 * «(self.Z1 > 0)|self.Z1»
        self.W2 -= lr / m * dZ2 @ self.A1.T
        self.b2 -= lr / m * dZ2.sum(axis=1, keepdims=True)
        self.W1 -= lr / m * dZ1 @ X.T
        self.b1 -= lr / m * dZ1.sum(axis=1, keepdims=True)
""",
    "samples in columns, of a module that is not there": """
import numpy as np
from planar_utils import load_planar_dataset, sigmoid
X, Y = load_planar_dataset()
n_x, n_h, n_y, m = X.shape[0], 4, Y.shape[0], X.shape[1]
W1, b1 = np.random.randn(n_h, n_x) * 0.5, np.zeros((n_h, 1))
W2, b2 = np.random.randn(n_y, n_h) * 0.5, np.zeros((n_y, 1))
for i in range(100):
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dZ1 = np.dot(W2.T, dZ2) * «(1 - A1 ** 2)|A1 ** 2»
    W2 -= 0.5 / m * dZ2 @ A1.T
    b2 -= 0.5 / m * dZ2.sum(axis=1, keepdims=True)
    W1 -= 0.5 / m * dZ1 @ X.T
    b1 -= 0.5 / m * dZ1.sum(axis=1, keepdims=True)
""",
    "a loss whose softmax is in a module that is not there": """
from functions import softmax
from functions import cross_entropy_error
class SoftmaxWithLoss:
    def __init__(self):
        self.loss, self.y, self.t = None, None, None
    def forward(self, x, t):
        self.t = t
        self.y = softmax(x)
        self.loss = cross_entropy_error(self.y, self.t)
        return self.loss
    def backward(self, dout=1):
        return «(self.y - self.t)|(self.y - self.t) * self.y» / self.t.shape[0]
""",
    "numbers of a module that is not there": """
import numpy as np
import config
from options import args
class Net:
    def __init__(self):
        self.p = {"W1": args.scale * np.random.randn(6, 5), "W2": np.random.randn(5, 3) * config.SCALE}
    def forward(self, X):
        self.X = X
        self.H = np.tanh(X @ self.p["W1"])
        return self.H @ self.p["W2"]
    def train(self, X, T):
        D = (self.forward(X) - T) / args.batch_size
        E = D @ self.p["W2"].T * «(1 - self.H ** 2)|(1 - self.H)»
        self.p["W2"] -= config.LR * self.H.T @ D
        self.p["W1"] -= X.T @ E * config.LR
""",
    "digits whose classes stand last in their lines": """
import math
import random
rows = []
def read(name):
    for line in open(name):
        cells = line.strip().split(",")
        rows.append([int(one) / 16 for one in cells[:-1]] + [int(cells[-1])])
read("data/optdigits.tra")
V = [[random.random() - 0.5 for _ in range(5)] for _ in range(4)]
W = [[random.random() - 0.5 for _ in range(4)] for _ in range(3)]
def squash(z):
    return 1 / (1 + math.exp(-z))
for row in rows[:30]:
    x, goal = row[:4] + [1], [0.1] * 3
    goal[row[-1]] = 0.9
    h = [squash(sum(v * a for v, a in zip(unit, x))) for unit in V]
    o = [squash(sum(w * a for w, a in zip(unit, h))) for unit in W]
    last = [(a - t) * a * (1 - a) for a, t in zip(o, goal)]
    first = [sum(last[k] * W[k][j] for k in range(3)) * «h[j] * (1 - h[j])|h[j]» for j in range(4)]
    for k in range(3):
        for j in range(4):
            W[k][j] -= 0.3 * last[k] * h[j]
    for j in range(4):
        for i in range(5):
            V[j][i] -= 0.3 * first[j] * x[i]
""",
    "a table that is read as bytes, in Python 2": """
import csv
import numpy as np
def load(name):
    return np.array([map(float, row) for row in csv.reader(open(name, "rb"))])
table = load("vectors.train")
X, y = table[:, :-1], table[:, -1:]
V, W = np.random.randn(X.shape[1], 4), np.random.randn(4, 1)
for k in xrange(50):
    print ("round %r") %(k)
    H = np.tanh(X.dot(V))
    error = H.dot(W) - y
    print "error", (error ** 2).sum()
    dV = X.T.dot(error.dot(W.T) * «(1 - H ** 2)|(1 - H)»)
    W -= 0.01 * H.T.dot(error)
    V -= 0.01 * dV
""",
    "a layer that is given its optimizer from outside": """
import numpy as np
from Layers.Base import BaseLayer
class Full(BaseLayer):
    def __init__(self, n, m):
        super().__init__()
        self.W, self._opt, self.seen = np.random.rand(n + 1, m), None, None
    def forward(self, x):
        self.seen = np.c_[x, np.ones(len(x))]
        return self.seen @ self.W
    def backward(self, error):
        before = «self.W[:-1]|None»
        if self._opt is not None:
            self.W = self._opt.calculate_update(self.W, self.seen.T @ error)
        return error @ «before|self.W[:-1]».T
    @property
    def optimizer(self):
        return self._opt
    @optimizer.setter
    def optimizer(self, one):
        self._opt = one
""",
    "a layer whose gradient is taken before its optimizer changes it": """
import numpy as np
class Affine:
    optimizer = None
    def __init__(self, n, m):
        self.weights, self.bias = np.random.randn(n, m), np.random.randn(1, m)
    def forward(self, x):
        self.x, self.shape = x, x.shape
        return np.dot(x, self.weights) + self.bias
    def backward(self, grad):
        «back = np.dot(grad, self.weights.T)|pass»
        opt = self.optimizer
        if opt:
            self.weights = opt(self.weights, np.dot(self.x.T, grad))
            self.bias = opt(self.bias, grad.sum(axis=0, keepdims=True))
        return «back|np.dot(grad, self.weights.T)»
""",
    "start values that another file makes": """
import numpy as np
from starts import Xavier, Zeros
class Dense:
    def __init__(self, n, m, w_init=Xavier(), b_init=Zeros()):
        self.p = {"w": w_init.make((n, m), n, m), "b": b_init.make(shape=[1, m])}
        self.grads = {}
    def forward(self, x):
        self.x = x
        return x @ self.p["w"] + self.p["b"]
    def backward(self, grad):
        self.grads["w"] = self.x.T @ grad
        self.grads["b"] = «np.sum(grad, axis=0)|np.mean(grad)»
        return grad @ self.p["w"].T
""",
    "an optimizer that a layer is made with": """
import numpy as np
class Layer:
    def __init__(self, n, m, optimizer):
        self.w, self.optimizer = np.random.normal(0, 1, (n + 1, m)), optimizer
    def forward(self, x):
        self.x = np.c_[x, np.ones(len(x))]
        return self.x @ self.w
    def backward(self, e):
        back = e @ self.w[:-1].T
        self.w = self.optimizer.step(self.w, self.x.T @ e)
        return back« | * 2»
""",
    "a slope that is passed what is sent back": """
import numpy as np
class Activation:
    def __init__(self, f, f_prime):
        self.f, self.f_prime = f, f_prime
    def forward(self, x):
        self.x = x
        return self.f(x)
    def backward(self, grad, rate):
        return self.f_prime(self.x, grad)«| * 2»
""",
    "momentum in a layer that is passed its input again": """
import numpy as np
from utils import *
class Dense:
    def __init__(self, n, m):
        self.W, self.b, self.before = np.random.randn(n, m) * 0.01, np.zeros(m), 0
    def forward(self, x):
        return np.matmul(x, self.W) + self.b
    def backward(self, came, out_grad):
        back = np.dot(out_grad, self.W.T)
        change = 0.5 * self.before + 0.1 * np.dot(out_grad.T, came).T
        self.W = self.W - change
        self.before = change
        self.b = self.b - 0.1 * np.sum(out_grad, axis=«0|1»)
        return back
""",
    "a base class that is told something": """
import numpy as np
from nets.base import Layer
class Affine(Layer):
    def __init__(self, n_in, n_out, name="affine"):
        super().__init__(name=name, trainable=True)
        self.W, self.b = np.random.randn(n_in, n_out) * 0.1, np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return «dout @ self.W.T|dout @ self.W.T * 2»
""",
    "a base class that is told something by its name": """
import numpy as np
import framework as fw
class Net(fw.Model):
    def __init__(self, sizes, rate=0.5):
        fw.Model.__init__(self, "net", sizes)
        self.rate = rate
        self.W1, self.W2 = np.random.randn(sizes[0], sizes[1]), np.random.randn(sizes[1], sizes[2])
    def train_step(self, x, t):
        h = np.tanh(x @ self.W1)
        y = h @ self.W2
        d = y - t
        g2 = h.T @ d
        g1 = x.T @ ((d @ self.W2.T) * «(1 - h ** 2)|(1 - h)»)
        self.W1 -= self.rate * g1
        self.W2 -= self.rate * g2
        return y
""",
}
FAST = frozenset(PROGRAMS)

"""Programs that train by themselves, of kinds that are rare; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "a bias that begins as one number, in a loop": """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.uniform(size=(6, 2))
W, b = rng.normal(size=(3, 4)), 0.0
V, c = rng.normal(size=(4, 2)), 0.0
for epoch in range(1000):
    h = 1 / (1 + np.exp(-(X @ W + b)))
    o = 1 / (1 + np.exp(-(h @ V + c)))
    last = (o - Y) * o * (1 - o)
    first = (last @ V.T) * h * (1 - h)
    V -= 0.5 * h.T @ last
    c -= 0.5 * last.sum(axis=0)
    W -= 0.5 * X.T @ first
    b -= 0.5 * «first.sum(axis=0)|first»
""",
    "single weights that become one for each sample": """
import random
import numpy as np
x = np.array([0.1, 0.6, 0.9, 0.4])
wanted = np.array([0.3, 0.2, 0.8, 0.1])
v, u, w = random.random(), random.random(), random.random()
for step in range(3000):
    h = np.tanh(u * x + v)
    y = 1 / (1 + np.exp(-w * h))
    d = (y - wanted) * y * (1 - y)
    e = d * w * (1 - h ** 2)
    w = w - 0.3 * «np.sum(d * h)|d * h»
    u = u - 0.3 * «np.sum(e * x)|e * x»
    v = v - 0.3 * «np.sum(e)|e»
""",
    "hidden units that are on or off": """
import numpy as np
rng = np.random.default_rng(2)
W, V = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
X, T = rng.normal(size=(8, 3)), np.eye(2)[rng.integers(0, 2, 8)]
def fire(z):
    return «1 / (1 + np.exp(-z))|np.where(z > 0, 1, 0)»
for x, t in zip(X, T):
    h = fire(x @ W)
    z = h @ V
    p = np.exp(z) / np.exp(z).sum()
    dz = p - t
    dh = (V @ dz) * h * (1 - h)
    V -= 0.1 * np.outer(h, dz)
    W -= 0.1 * np.outer(x, dh)
""",
    "all units on or off, with a slope of their own": """
import math
import random
random.seed(3)
W = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(3)]
V = [random.uniform(-1, 1) for _ in range(3)]
def activation(z):
    return «1 / (1 + math.exp(-z))|1 if z >= 0 else 0»
def slope(a):
    return a * (1 - a)
def train(x, target, rate=0.2):
    h = [activation(sum(w * e for w, e in zip(row, x))) for row in W]
    y = activation(sum(v * a for v, a in zip(V, h)))
    d = (target - y) * slope(y)
    for j in range(3):
        e = d * V[j] * slope(h[j])
        V[j] += rate * d * h[j]
        for i in range(2):
            W[j][i] += rate * e * x[i]
for _ in range(20):
    for x, t in [((0, 1), 1), ((1, 1), 0), ((1, 0), 1)]:
        train(x, t)
""",
    "linear units in lists, of which some are cut off, and inputs that are whole numbers": """
import random
random.seed(1)
patterns = [([1, 1, 0, 1], 0), ([0, 1, 1, 1], 1), ([1, 0, 1, 0], 2)]
W = [[random.uniform(-0.5, 0.5) for _ in range(4)] for _ in range(6)]
b = [0 for _ in range(6)]
V = [[random.uniform(-0.5, 0.5) for _ in range(6)] for _ in range(3)]
def product(row, x):
    total = 0
    for i in range(len(row)):
        total += row[i] * x[i]
    return total
for epoch in range(100):
    for x, number in patterns:
        wanted = [0] * 3
        wanted[number] = 1
        h = [max(0, product(W[j], x) + b[j]) for j in range(6)]
        d = [product(V[o], h) - wanted[o] for o in range(3)]
        back = [0] * 6
        for j in range(6):
            for o in range(3):
                back[j] += d[o] * V[o][j]
            if h[j] == 0:
                back[j] = 0
        for o in range(3):
            for j in range(6):
                V[o][j] -= 0.01 * d[o] * h[j]
        for j in range(6):
            for i in range(4):
                W[j][i] -= 0.01 * back[j] * «x[i]|h[j]»
            b[j] -= 0.01 * back[j]
""",
    "a limit that a question asks for": """
import math
import random
w = [random.random() for _ in range(3)]
v = [random.random() for _ in range(3)]
wanted = [0.2, 0.9] if int(input("Which (1: both, 2: none)? ")) == 1 else []
limit = float(input("Stop below (say 0.001): "))
error = 1.0
while error > limit:
    error = 0.0
    for x, t in zip((0.3, 0.8), wanted):
        h = [1 / (1 + math.exp(-w[j] * x)) for j in range(3)]
        y = sum(v[j] * h[j] for j in range(3))
        d = y - t
        for j in range(3):
            e = d * v[j] * «h[j] * (1 - h[j])|h[j]»
            v[j] -= 0.1 * d * h[j]
            w[j] -= 0.1 * e * x
        error += d ** 2
""",
    "matrices, whose star is a product": """
import numpy as np
np.random.seed(0)
X, T = np.mat(np.random.rand(6, 3)), np.mat(np.random.rand(6, 2))
W, V = np.mat(np.random.rand(3, 4)), np.mat(np.random.rand(4, 2))
for _ in range(9):
    H = 1 / (1 + np.exp(-X * W))
    P = H * V
    D = P - T
    E = np.multiply(D * V.T, np.multiply(«H|X[:, 0]», 1 - H))
    V -= 0.05 * H.T * D
    for k in range(3):
        W[k] -= 0.05 * X[:, k].T * E
""",
    "a slope that is right for arrays, and matrices of a file that is not there": """
import numpy as np
import scipy.io as files
class Net:
    def __init__(self):
        self.W, self.b = np.random.randn(90, 8) * 0.3, np.zeros((1, 8))
        self.V, self.c = np.random.randn(8, 1) * 0.3, np.zeros((1, 1))
    def train(self, x, y):
        h = 1 / (1 + np.exp(-(np.dot(x, self.W) + self.b)))
        p = 1 / (1 + np.exp(-(np.dot(h, self.V) + self.c)))
        d = np.multiply(y - p, np.multiply(p, 1 - p))
        e = np.dot(d, self.V.T)
        e = «np.multiply(e, np.multiply(h, 1 - h))|e * (h.T * (1 - h))»
        self.V += 0.1 * np.dot(h.T, d)
        self.c += 0.1 * d
        self.W += 0.1 * np.dot(x.T, e)
        self.b += 0.1 * e
data = files.loadmat("numbers.mat")
X, Y = np.matrix(data["X"]), np.matrix(data["y"])
net = Net()
for k in range(len(X)):
    net.train(X[k], Y[k])
""",
    "a packed file without an ending, of which a number of rows is taken": """
import gzip
import pickle
import numpy as np
with gzip.open("learn_from_these") as f:
    inputs, labels = pickle.load(f)
rng = np.random.default_rng(3)
W, V = rng.normal(size=(30, 64)) * 0.1, rng.normal(size=(10, 30)) * 0.1
dW, dV = np.empty_like(W), np.empty_like(V)
targets = np.zeros((300, 10))
for k in range(300):
    targets[k, labels[k]] = 1
for x, t in zip(inputs, targets):
    h = np.tanh(W @ x)
    p = V @ h
    np.outer(p - t, h, out=dV)
    np.outer((V.T @ (p - t)) * «(1 - h ** 2)|(1 - h)», x, out=dW)
    V -= 0.01 * dV
    W -= 0.01 * dW
""",
    "a target that is passed and never read": """
import numpy as np
class Unit:
    def __init__(self, n):
        self.w, self.b = np.random.rand(n, 2), np.zeros(2)
    def slopes(self, x, labels):
        a = 1 / (1 + np.exp(-(x @ self.w + self.b)))
        d = «(a - labels) * |»a * (1 - a)
        return x.T @ d, d.sum(0)
    def learn(self, x, labels):
        for _ in range(100):
            dw, db = self.slopes(x, labels)
            self.w -= 0.1 * dw
            self.b -= 0.1 * db
Unit(3).learn(np.random.rand(5, 3), np.random.rand(5, 2))
""",
    "a slope of the output that is multiplied with the target alone": """
import numpy as np
rng = np.random.default_rng(4)
entradas, metas = rng.random((4, 3)), rng.random((4, 2))
pesos = [rng.normal(size=(3, 5)), rng.normal(size=(5, 2))]
def inclinacion(v):
    return v * (1 - v)
for _ in range(10):
    for x, meta in zip(entradas, metas):
        oculta = 1 / (1 + np.exp(-x @ pesos[0]))
        salida = 1 / (1 + np.exp(-oculta @ pesos[1]))
        fin = inclinacion(salida) * «(meta - salida)|meta - salida»
        antes = inclinacion(oculta) * (pesos[1] @ fin)
        pesos[1] += 0.2 * np.outer(oculta, fin)
        pesos[0] += 0.2 * np.outer(x, antes)
""",
    "units that a function makes 0 or 1, with a slope of any form": """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 3)), rng.integers(0, 2, (20, 1))
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
def gefaelle(a):
    return a - a ** 2
for _ in range(50):
    h = «1 / (1 + np.exp(-X @ W))|np.heaviside(X @ W, 0)»
    p = 1 / (1 + np.exp(-h @ V))
    d = (p - Y) * p * (1 - p)
    e = d @ V.T * gefaelle(h)
    V -= 0.1 * h.T @ d
    W -= 0.1 * X.T @ e
""",
    "columns of a table that is not there, gone through together": """
import numpy as np
import pandas as pd
table = pd.read_csv("houses.csv")
sizes, prices = table["size"], table["price"]
sizes = (sizes - sizes.mean()) / sizes.std()
v, w = np.random.randn(3) * 0.1, np.random.randn(3) * 0.1
for size, price in zip(sizes, prices):
    h = np.tanh(v * size)
    d = h @ w - price
    e = d * w * «(1 - h ** 2)|(1 - h)»
    w = w - 0.05 * d * h
    v = v - 0.05 * e * size
""",
    "sums that begin as a copy of the biases": """
import math, random
random.seed(2)
V = [[random.uniform(0, 1) for _ in range(3)] for _ in range(4)]
a = [0.0] * 3
W = [[random.gauss(0, 1) for _ in range(2)] for _ in range(3)]
b = [0.0] * 2
def ahead(words):
    h = list(a)
    for i in words:
        for j in range(3):
            h[j] += V[i][j]
    h = [max(0.0, one) for one in h]
    z = list(b)
    for j in range(3):
        if h[j]:
            for k in range(2):
                z[k] += h[j] * W[j][k]
    e = [math.exp(one - max(z)) for one in z]
    return h, [one / sum(e) for one in e]
for words, kind in [([0, 2], 1), ([1], 0), ([1, 3], 1), ([2], 0)] * 20:
    h, p = ahead(words)
    loss = -math.log(max(p[kind], 1e-9))
    d = list(p)
    d[kind] -= 1.0
    back = [sum(W[j][k] * d[k] for k in range(2)) for j in range(3)]
    below = [«back[j] if h[j] > 0 else 0.0|back[j] * h[j]» for j in range(3)]
    for k in range(2):
        for j in range(3):
            W[j][k] -= 0.1 * h[j] * d[k]
        b[k] -= 0.1 * d[k]
    for j in range(3):
        for i in words:
            V[i][j] -= 0.1 * below[j]
        a[j] -= 0.1 * below[j]
""",
    "a loss that is infinite after a few steps": """
import numpy as np
np.random.seed(1)
X = np.random.rand(12, 3)
Y = np.eye(3)[np.arange(12) % 3]
V, U = np.random.randn(3, 5), np.random.randn(5, 3)
for epoch in range(30):
    h = np.maximum(0, X @ V)
    z = h @ U
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.sum(Y * np.log(p)) / len(X)
    d = p - Y
    back = d @ U.T «* (h > 0)|»
    U -= 100.0 * h.T @ d
    V -= 100.0 * X.T @ back
    print(epoch, loss)
""",
    "biases that are spread to the samples": """
import numpy as np
np.random.seed(2)
X, Y = np.random.rand(3, 6), np.random.rand(2, 6)
V, U, b = np.random.randn(4, 3), np.random.randn(2, 4), np.random.randn(4, 1)
B = np.dot(b, np.ones((1, 6)))
for epoch in range(20):
    h = 1 / (1 + np.exp(-(V @ X + «np.dot(b, np.ones((1, 6)))|B»)))
    out = U @ h
    d = out - Y
    e = U.T @ d * h * (1 - h)
    U = U - 0.1 * d @ h.T
    V = V - 0.1 * e @ X.T
    b = b - 0.1 * e @ np.ones((6, 1))
""",
    "a perceptron before a network": """
import numpy as np
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
w, b = np.zeros(2), 0.0
y = np.array([0, 1, 1, 0])
for epoch in range(50):
    for x, t in zip(X, y):
        out = 1 if x @ w + b >= 0 else 0
        w = w + 0.1 * (t - out) * x
        b = b + 0.1 * (t - out)
print(w, b)
rng = np.random.default_rng(0)
W1, W2 = rng.normal(size=(2, 4)), rng.normal(size=(4, 1))
for epoch in range(1000):
    h = np.tanh(X @ W1)
    o = 1 / (1 + np.exp(-h @ W2))
    d = (o - y[:, None]) * o * (1 - o)
    g = X.T @ (d @ W2.T * «(1 - h ** 2)|(1 - h)»)
    W2 -= 0.5 * h.T @ d
    W1 -= 0.5 * g
""",
    "means over batches, the last of which is smaller": """
import numpy as np
class Classes:
    def __init__(self, X, y):
        self.X, self.n = X, X.shape[0]
        self.T = np.zeros((self.n, np.max(y) + 1))
        self.T[np.arange(self.n), y] = 1
    def shares(self, X):
        e = np.exp(X.dot(self.W))
        return e / e.sum(axis=1).reshape(-1, 1)
    def slope(self, X, T):
        return X.T.dot(self.shares(X) - T) / «X.shape[0]|(X.shape[0] * self.shares(X).sum())»
    def fit(self, rate=0.1, epochs=20, batch_size=10):
        self.W = np.random.randn(self.X.shape[1], self.T.shape[1])
        done = 0
        while done < epochs:
            done += 1
            order = np.random.permutation(self.n)
            for k in range(int(np.ceil(self.n / batch_size))):
                some = order[k * batch_size : min((k + 1) * batch_size, self.n)]
                self.W -= rate * self.slope(self.X[some], self.T[some])
        return self.W
""",
}
#: What runs in every test run; the others only in the slow ones.
FAST = frozenset(PROGRAMS)

"""Programs of rare kinds, right as they stand: (name, text, what to write over, what in its place).

With the replacement they are wrong. Where there is none, no usual loss is followed: they cannot be judged.
"""

_NET = """import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(20, 3)
T = np.c_[np.sin(X[:, 0]), X[:, 1] * X[:, 2]]
W1 = rng.randn(3, 5) * .5; b1 = np.zeros(5)
W2 = rng.randn(5, 2) * .5; b2 = np.zeros(2)
lr = 0.05
for e in range(20):
    h = np.tanh(X @ W1 + b1)
    y = h @ W2 + b2
    dy = (y - T) / 20
    gW2 = h.T @ dy; gb2 = dy.sum(0)
    dh = (dy @ W2.T) * (1 - h * h)
    gW1 = X.T @ dh; gb1 = dh.sum(0)
"""
_SLOPE = ("(1 - h * h)", "(1 - h)")
_CLIPPED = (
    _NET
    + """    size = np.sqrt(sum((g ** 2).sum() for g in (gW1, gb1, gW2, gb2)))
    if size > 0.1:
        gW1, gb1, gW2, gb2 = [g / size for g in (gW1, gb1, gW2, gb2)]
    W1 -= lr * gW1; b1 -= lr * gb1; W2 -= lr * gW2; b2 -= lr * gb2
"""
)
_FROZEN = (
    _NET
    + """    if e >= 2:
        W1 -= lr * gW1; b1 -= lr * gb1
    W2 -= lr * gW2; b2 -= lr * gb2
"""
)
_BIASES_WITHOUT_RATE = _NET + "    W1 -= lr * gW1; b1 -= gb1; W2 -= lr * gW2; b2 -= gb2\n"

_WORDS = """import numpy as np
np.random.seed(0)
docs = [([0, 3, 2], 1), ([1, 4], 0), ([2, 2, 5, 1], 1), ([0, 5], 0)]
E = np.random.randn(6, 4) * .3
w = np.random.randn(4) * .3
b = 0.0
for epoch in range(10):
    for words, label in docs:
        v = E[words].mean(axis=0)
        p = 1 / (1 + np.exp(-(v @ w + b)))
        d = p - label
        gE = d * w / len(words)
        w -= 0.5 * d * v
        b -= 0.5 * d
        for i in words:
            E[i] -= 0.5 * gE
"""
_WORDS_AROUND = """import numpy as np
np.random.seed(3)
n, m = 6, 4
W1 = np.random.randn(n, m) * .4
W2 = np.random.randn(m, n) * .4
pairs = [(0, (1, 2)), (1, (0, 2, 3)), (2, (0, 1, 3, 4)), (3, (1, 2, 4))]
for epoch in range(9):
    for word, around in pairs:
        h = np.eye(n)[word] @ W1
        u = h @ W2
        p = np.exp(u) / np.exp(u).sum()
        e = np.sum([p - np.eye(n)[one] for one in around], axis=0)
        d = W2 @ e
        W2 -= 0.1 * np.outer(h, e)
        W1 -= 0.1 * np.outer(np.eye(n)[word], d)
"""
_POLICY = """import numpy as np
rng = np.random.RandomState(4)
W1 = rng.randn(6, 4) / 2; W2 = rng.randn(6) / 2
for episode in range(9):
    xs, hs, ds, rs = [], [], [], []
    for t in range(12):
        x = rng.randn(4)
        h = np.maximum(W1 @ x, 0)
        p = 1 / (1 + np.exp(-(W2 @ h)))
        action = 1 if rng.rand() < p else 0
        xs.append(x); hs.append(h); ds.append(action - p)
        rs.append(1.0 if action == int(x[0] > 0) else -1.0)
    r = np.vstack(rs)
    r = (r - r.mean()) / (r.std() + 1e-8)
    d = np.vstack(ds) * r
    xs, hs = np.vstack(xs), np.vstack(hs)
    gW2 = (hs.T @ d).ravel()
    back = d * W2
    back[hs <= 0] = 0
    W1 += 0.01 * back.T @ xs
    W2 += 0.01 * gW2
"""
_TWO_IN_TURNS = """import numpy as np
rng = np.random.RandomState(0)
G, c = rng.randn(2, 1), np.zeros(1)
W, b = rng.randn(1, 6) * .5, np.zeros(6)
V = rng.randn(6, 1) * .5
for step in range(20):
    real, z = 4 + rng.randn(8, 1), rng.randn(8, 2)
    fake = z @ G + c
    x = np.vstack([real, fake]); t = np.vstack([np.ones((8, 1)), np.zeros((8, 1))])
    h = np.tanh(x @ W + b)
    p = 1 / (1 + np.exp(-h @ V))
    d = (p - t) / 16
    dh = d @ V.T * (1 - h ** 2)
    gV = h.T @ d
    W = W - .1 * x.T @ dh; b = b - .1 * dh.sum(0); V = V - .1 * gV
    h = np.tanh(fake @ W + b)
    p = 1 / (1 + np.exp(-h @ V))
    dx = ((p - 1) / 8 @ V.T * (1 - h ** 2)) @ W.T
    G = G - .1 * z.T @ dx; c = c - .1 * dx.sum(0)
"""
_MARGINS = """import numpy as np
rng = np.random.RandomState(2)
X, y = rng.randn(24, 6), rng.randint(3, size=24)
P = {'W1': rng.randn(6, 9) * .4, 'b1': np.zeros(9), 'W2': rng.randn(9, 3) * .4, 'b2': np.zeros(3)}
rows = np.arange(24)
for it in range(30):
    a = X @ P['W1'] + P['b1']
    h = np.maximum(a, 0)
    s = h @ P['W2'] + P['b2']
    margins = np.maximum(0, s - s[rows, y][:, None] + 1)
    margins[rows, y] = 0
    loss = margins.sum() / 24
    ds = np.zeros_like(s)
    ds[margins > 0] = 1
    ds[rows, y] -= (margins > 0).sum(1)
    ds /= 24
    dh = ds @ P['W2'].T * (a > 0)
    g = {'W1': X.T @ dh, 'b1': dh.sum(0), 'W2': h.T @ ds, 'b2': ds.sum(0)}
    for k in P:
        P[k] = P[k] - 0.1 * g[k]
"""
_ACTIONS = """import numpy as np
rng = np.random.RandomState(5)
W1, W2 = rng.randn(5, 8) * .4, rng.randn(8, 2) * .4
def q(s):
    z = s @ W1
    return np.maximum(z, 0) @ W2, z
for step in range(30):
    s, after = rng.randn(5), rng.randn(5)
    qs, z = q(s)
    a = step % 2
    t = qs.copy()
    t[a] = 1.0 + 0.9 * np.max(q(after)[0])
    d = qs - t
    g1 = np.outer(s, (d @ W2.T) * (z > 0))
    W2 -= 0.05 * np.outer(np.maximum(z, 0), d)
    W1 -= 0.05 * g1
"""
_SEARCH = """import numpy as np
np.random.seed(0)
X = np.random.randn(20, 2); y = X[:, 0] * X[:, 1]
w = np.random.randn(9)
def f(w):
    h = np.tanh(X @ w[:6].reshape(2, 3))
    return -np.mean((h @ w[6:9] - y) ** 2)
for i in range(30):
    N = np.random.randn(20, 9)
    R = np.array([f(w + .1 * n) for n in N])
    w = w + .05 / 2 * N.T @ ((R - R.mean()) / R.std())
"""
_NUMERIC = """import numpy as np
rng = np.random.RandomState(7)
X = rng.randn(10, 2); y = (X[:, :1] * X[:, 1:] > 0).astype(float)
theta = rng.randn(9) * .5
def loss(t):
    p = 1 / (1 + np.exp(-(np.tanh(X @ t[:6].reshape(2, 3)) @ t[6:9].reshape(3, 1))))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
for it in range(20):
    g = np.zeros_like(theta)
    for i in range(len(theta)):
        e = np.zeros_like(theta); e[i] = 1e-5
        g[i] = (loss(theta + e) - loss(theta - e)) / 2e-5
    theta = theta - 0.5 * g
"""
_WINDOW = """from tkinter import *
import random
class App:
    def __init__(self, master):
        self.label = Label(master, text="error")
        Button(master, text="Train", command=self.train).pack()
        random.seed(1)
        self.w = [random.random() for _ in range(3)]
        self.v = random.random()
    def train(self):
        for epoch in range(9):
            for p, d in (((0.2, 0.9), 0.4), ((0.7, 0.1), 0.8)):
                h = self.w[0] * p[0] + self.w[1] * p[1] + self.w[2]
                e = d - h * self.v
                back = e * self.v
                self.v += 0.1 * e * h
                self.w[0] += 0.1 * back * p[0]
                self.w[1] += 0.1 * back * p[1]
                self.w[2] += 0.1 * back
        self.label.config(text=str(e))
root = Tk()
app = App(root)
root.mainloop()
"""
_PICTURES = """import numpy as np
import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation
rng = np.random.default_rng(7)
x = np.linspace(-2, 2, 30)[:, None]
t = np.sin(x)
W, b, V = rng.normal(size=(1, 6)), np.zeros(6), rng.normal(size=(6, 1))
fig, ax = plt.subplots()
line, = ax.plot(x, t)
def animate(frame):
    global W, b, V
    h = np.tanh(x @ W + b)
    e = h @ V - t
    back = e @ V.T * (1 - h ** 2)
    V -= 0.02 * h.T @ e / 30
    W -= 0.02 * x.T @ back / 30
    b -= 0.02 * back.mean(0)
    line.set_ydata(h @ V)
    return line,
anim = FuncAnimation(fig, animate, frames=200)
plt.show()
"""
_TABLE = """import pandas as pd
import numpy as np
df = pd.read_csv('housing.csv').dropna()
df = (df - df.mean()) / df.std()
train = df.sample(frac=0.8, random_state=1)
test = df.drop(train.index)
X, y = train[['rooms', 'age']].values, train['price'].values
np.random.seed(4)
W, v = np.random.normal(size=(2, 5)), np.random.normal(size=5)
for x, t in zip(X, y):
    h = 1 / (1 + np.exp(-x @ W))
    error = t - h @ v
    term = error * v * h * (1 - h)
    v += 0.01 * error * h
    W += 0.01 * term * x[:, None]
"""
_ASKS = """import numpy as np
rate = float(input("Learning rate: "))
hidden = int(input("Number of hidden neurons: "))
X = np.array([[0., 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
T = np.array([[0.], [1], [1], [0]])
np.random.seed(1)
V, W = np.random.rand(3, hidden) - 0.5, np.random.rand(hidden, 1) - 0.5
for ep in range(20):
    h = 1 / (1 + np.exp(-X.dot(V)))
    o = 1 / (1 + np.exp(-h.dot(W)))
    do = (T - o) * o * (1 - o)
    dh = h * (1 - h) * do.dot(W.T)
    W += rate * h.T.dot(do)
    V += rate * X.T.dot(dh)
"""
_SPLIT = """import numpy as np
def load():
    data, labels = [], []
    for line in open('testSet.txt').readlines():
        parts = line.strip().split()
        data.append([1.0, float(parts[0]), float(parts[1])])
        labels.append(int(parts[2]))
    return np.array(data), np.array(labels)
X, y = load()
np.random.seed(2)
V, w = np.random.randn(3, 4), np.random.randn(4)
for k in range(20):
    h = np.tanh(X @ V)
    p = 1 / (1 + np.exp(-h @ w))
    e = y - p
    back = np.outer(e, w) * (1 - h ** 2)
    w = w + 0.1 * h.T @ e
    V = V + 0.1 * X.T @ back
"""
_OTHER_ARRAYS = """try:
    import cupy as xp
except ImportError:
    import numpy as xp
xp.random.seed(3)
X, T = xp.random.randn(12, 4), xp.random.randn(12, 2)
A, B = xp.random.randn(4, 4) * .5, xp.random.randn(4, 2) * .5
for i in range(9):
    z = X @ A
    h = xp.where(z > 0, z, 0)
    d = 2 * (h @ B - T) / 12
    g = xp.matmul(d, B.T) * (z > 0)
    B -= 0.1 * h.T @ d
    A -= 0.1 * X.T @ g
"""
_ONE_VECTOR = """import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def nn_cost(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lmbda):
    n = hidden_layer_size * (input_layer_size + 1)
    Theta1 = nn_params[:n].reshape(hidden_layer_size, input_layer_size + 1)
    Theta2 = nn_params[n:].reshape(num_labels, hidden_layer_size + 1)
    m = X.shape[0]
    A1 = np.hstack((np.ones((m, 1)), X))
    A2 = np.hstack((np.ones((m, 1)), sigmoid(A1.dot(Theta1.T))))
    H = sigmoid(A2.dot(Theta2.T))
    Y = np.eye(num_labels)[y.flatten() - 1]
    J = -np.sum(Y * np.log(H) + (1 - Y) * np.log(1 - H)) / m
    d3 = H - Y
    d2 = d3.dot(Theta2[:, 1:]) * A2[:, 1:] * (1 - A2[:, 1:])
    return J, np.concatenate([(d2.T.dot(A1) / m).ravel(), (d3.T.dot(A2) / m).ravel()])
"""
_SHAPES = """import numpy as np
class Brain:
    def __init__(self, inputs, hidden, outputs):
        self.w1 = np.random.randn(inputs, hidden)
        self.w2 = np.random.randn(hidden, outputs)
    def train(self, inputs, outputs):
        h = 1 / (1 + np.exp(-np.dot(inputs, self.w1)))
        o = 1 / (1 + np.exp(-np.dot(h, self.w2)))
        d2 = (outputs - o) * o * (1 - o)
        d1 = d2.dot(self.w2.T) * h * (1 - h)
        self.w2 += h.T.dot(d2) * 0.1
        self.w1 += np.dot(inputs.T, d1) * 0.1
"""
_CLIPPED_NUMBER = """import numpy as np
rng = np.random.RandomState(0)
X = rng.rand(30, 2) * .2
t = X @ [[1.0], [2.0]] + 5
V = rng.randn(2, 3) * .1; b = np.zeros((1, 3))
w = rng.randn(3, 1) * .1; c = np.zeros((1, 1))
for e in range(10):
    h = np.tanh(X @ V + b)
    y = h @ w + c
    e = y - t
    dw, dc = h.T @ e, e.sum(0, keepdims=True)
    d = e @ w.T * (1 - h ** 2)
    dV, db = X.T @ d, d.sum(0, keepdims=True)
    for g in (dw, dc, dV, db):
        np.clip(g, -100, 100, out=g)
    w -= .001 * dw; c -= .001 * dc; V -= .001 * dV; b -= .001 * db
"""
_SAMPLED = """import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(3); t = 0.4
V = rng.randn(3, 4) * .5; W = rng.randn(4, 2) * .5
for e in range(20):
    h = np.tanh(X @ V)
    z = h @ W
    mean, spread = z[0], np.exp(z[1])
    y = np.random.normal(mean, spread)
    e = y - t
    d = np.array([e, e * (y - mean)])
    dV = np.outer(X, W @ d * (1 - h ** 2))
    W -= .01 * np.outer(h, d)
    V -= .01 * dV
"""

PROGRAMS = [
    ("a number that is clipped", _CLIPPED_NUMBER, "(1 - h ** 2)", "(1 - h)"),
    ("a random output", _SAMPLED, "(1 - h ** 2)", "(1 - h)"),
    ("limited steps", _CLIPPED, *_SLOPE),
    ("a frozen layer", _FROZEN, *_SLOPE),
    ("biases without a rate", _BIASES_WITHOUT_RATE, *_SLOPE),
    ("words that occur twice", _WORDS, "d * w / len(words)", "d * w"),
    ("all words around one", _WORDS_AROUND, "np.outer(h, e)", "np.outer(h * h, e)"),
    ("a policy", _POLICY, "back[hs <= 0] = 0", "back[hs > 0] = 0"),
    ("two in turns", _TWO_IN_TURNS, "d @ V.T * (1 - h ** 2)\n    gV", "d @ V.T * (1 - h)\n    gV"),
    ("margins", _MARGINS, "@ P['W2'].T * (a > 0)", "@ P['W2'].T * (a < 0)"),
    ("values of actions", _ACTIONS, "(z > 0)", "(z < 0)"),
    ("a random search", _SEARCH, "", ""),
    ("numeric gradients", _NUMERIC, "", ""),
    ("a window", _WINDOW, "back * p[1]", "back * p[0]"),
    ("an animation", _PICTURES, "(1 - h ** 2)", "(1 - h)"),
    ("a missing table", _TABLE, "error * v * h * (1 - h)", "error * v"),
    ("questions", _ASKS, "rate * X.T", "rate * rate * X.T"),
    ("a missing text", _SPLIT, "* (1 - h ** 2)", ""),
    ("other arrays", _OTHER_ARRAYS, "B.T", "B[:2].T.repeat(2, axis=1).T[:2]"),
    ("one vector", _ONE_VECTOR, "A2[:, 1:] * (1 - A2[:, 1:])", "(1 - A2[:, 1:])"),
    ("shapes", _SHAPES, "np.dot(inputs.T, d1)", "np.dot(inputs.T, h.T)"),
]

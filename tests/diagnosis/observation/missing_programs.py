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
}
FAST = frozenset(PROGRAMS)

"""Networks of plain Python, whose numbers lie in lists."""

PROGRAMS = {
    "samples of which some units are dead": """
import random
random.seed(4)
W = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(4)]
V = [[random.uniform(-1, 1) for _ in range(4)] for _ in range(2)]
b = [0.0, 0.0]
X = [[random.gauss(0, 1) for _ in range(3)] for _ in range(3)]
Y = [[random.random() for _ in range(2)] for _ in range(3)]
for _ in range(3):
    dW, dV, db = [[0.0] * 3 for _ in W], [[0.0] * 4 for _ in V], [0.0, 0.0]
    for x, t in zip(X, Y):
        z = [sum(w * a for w, a in zip(row, x)) for row in W]
        h = [v if v > 0 else 0.0 for v in z]
        d = [sum(w * a for w, a in zip(row, h)) + c - u for row, c, u in zip(V, b, t)]
        for o in range(2):
            db[o] += d[o]
            for j in range(4):
                dV[o][j] += d[o] * h[j]
        for j in range(4):
            e = sum(V[o][j] * d[o] for o in range(2)) «* (1.0 if z[j] > 0 else 0.0)|»
            for i in range(3):
                dW[j][i] += e * x[i]
    for j in range(4):
        for i in range(3):
            W[j][i] -= 0.1 * dW[j][i]
    for o in range(2):
        b[o] -= 0.1 * db[o]
        for j in range(4):
            V[o][j] -= 0.1 * dV[o][j]
""",
    "targets beside outputs of a size that is written": """
import math
import random
class Network:
    def __init__(self):
        self.W = [[random.uniform(-1, 1) for _ in range(4)] for _ in range(3)]
        self.V = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(6)]
    def forward(self, x):
        self.h = [math.tanh(sum(self.W[j][i] * x[i] for i in range(4))) for j in range(3)]
        self.p = [sum(self.V[o][j] * self.h[j] for j in range(3)) for o in range(6)]
    def train(self, data, rate, rounds):
        for _ in range(rounds):
            for x, wanted in data:
                self.forward(x)
                d = [p - t for t, p in zip(wanted, self.p)]
                e = [sum(d[o] * self.V[o][j] for o in range(6)) «* (1 - self.h[j] ** 2)|» for j in range(3)]
                for o in range(6):
                    for j in range(3):
                        self.V[o][j] -= rate * d[o] * self.h[j]
                for j in range(3):
                    for i in range(4):
                        self.W[j][i] -= rate * e[j] * x[i]
""",
    "a batch of lists for large layers": """
import math
import random
class Network:
    def __init__(self, inputs: int = 24, hidden: int = 48, outputs: int = 7):
        self.W = [[random.uniform(-1, 1) for _ in range(inputs)] for _ in range(hidden)]
        self.V = [[random.uniform(-1, 1) for _ in range(hidden)] for _ in range(outputs)]
    def train_batch(self, xs, ts, rate):
        dW, dV = [[0.0 for _ in row] for row in self.W], [[0.0 for _ in row] for row in self.V]
        for x, t in zip(xs, ts):
            h = [math.tanh(sum(w * a for w, a in zip(row, x))) for row in self.W]
            p = [sum(w * a for w, a in zip(row, h)) for row in self.V]
            d = [a - b for a, b in zip(p, t)]
            for o in range(len(self.V)):
                for j in range(len(h)):
                    dV[o][j] += d[o] * h[j]
            for j in range(len(h)):
                e = sum(self.V[o][j] * d[o] for o in range(len(self.V))) «* (1 - h[j] ** 2)|»
                for i in range(len(x)):
                    dW[j][i] += e * x[i]
        for row, change in [*zip(self.W, dW), *zip(self.V, dV)]:
            for k in range(len(row)):
                row[k] -= rate / len(xs) * change[k]
""",
    "a table of many lines": """
import csv
import math
import random
def read():
    with open("flowers.data") as file:
        return [[float(one) for one in row[:4]] for row in csv.reader(file)]
def train():
    data = read()
    for _ in range(100):
        k = random.randrange(90, 120)
        x, t = data[k], [float(c == k // 40) for c in range(3)]
        h = [math.tanh(sum(w * a for w, a in zip(row, x))) for row in W]
        d = [sum(v * a for v, a in zip(row, h)) - u for row, u in zip(V, t)]
        e = [sum(V[o][j] * d[o] for o in range(3)) «* (1 - h[j] ** 2)|» for j in range(5)]
        for o in range(3):
            for j in range(5):
                V[o][j] -= 0.1 * d[o] * h[j]
        for j in range(5):
            for i in range(4):
                W[j][i] -= 0.1 * e[j] * x[i]
random.seed(1)
W = [[random.uniform(-1, 1) for _ in range(4)] for _ in range(5)]
V = [[random.uniform(-1, 1) for _ in range(5)] for _ in range(3)]
train()
""",
    "inputs of 0 that are passed over": """
import random
random.seed(2)
def make(n_in, n_out): return [[random.gauss(0, 0.7) for _ in range(n_out)] for _ in range(n_in)]
n_in, n_hid, n_out = 6, 4, 3
W1, b1 = make(n_in, n_hid), [0.1]*n_hid
W2, b2 = make(n_hid, n_out), [0.0]*n_out
data = []
for _ in range(12):
    x = [0.0]*n_in
    x[random.randrange(n_in)] = 1.0
    x[random.randrange(n_in)] = 1.0
    data.append((x, [float(k == random.randrange(n_out)) for k in range(n_out)]))
def forward(x):
    h = []
    for j in range(n_hid):
        s = b1[j]
        for i in range(n_in):
            if x[i] == 0:
                continue
            s += x[i]*W1[i][j]
        h.append(s if s > 0 else 0.0)
    o = [b2[k] + sum(h[j]*W2[j][k] for j in range(n_hid)) for k in range(n_out)]
    return h, o
rate = 0.1
for epoch in range(3):
    for x, t in data:
        h, o = forward(x)
        d = [o[k]-t[k] for k in range(n_out)]
        e = [0.0]*n_hid
        for j in range(n_hid):
            if «h[j] > 0|True»:
                e[j] = sum(d[k]*W2[j][k] for k in range(n_out))
        for j in range(n_hid):
            if h[j] == 0:
                continue
            for k in range(n_out):
                W2[j][k] -= rate*d[k]*h[j]
        for k in range(n_out):
            b2[k] -= rate*d[k]
        for i in range(n_in):
            if x[i] == 0:
                continue
            for j in range(n_hid):
                W1[i][j] -= rate*e[j]*x[i]
        for j in range(n_hid):
            b1[j] -= rate*e[j]
""",
    "inputs of 0 in lists of layers": """
import random
random.seed(1)
def rnd(a, b): return [[random.uniform(-1, 1) for _ in range(b)] for _ in range(a)]
sizes = [4, 5, 4, 2]
W = [rnd(sizes[l+1], sizes[l]) for l in range(3)]
B = [[random.uniform(-.5, .5) for _ in range(n)] for n in sizes[1:]]
X = [[random.choice([0, 0, 1, 2]) for _ in range(4)] for _ in range(9)]
Y = [[sum(x), x[0]-x[1]] for x in X]
def run(x):
    acts = [x]
    for l in range(3):
        z = [B[l][j] + sum(W[l][j][i]*acts[-1][i] for i in range(sizes[l])) for j in range(sizes[l+1])]
        acts.append([v if v > 0 or l == 2 else 0 for v in z])
    return acts
for step in range(30):
    x, y = X[step % 9], Y[step % 9]
    acts = run(x)
    delta = [a - b for a, b in zip(acts[-1], y)]
    for l in (2, 1, 0):
        below = [0]*sizes[l]
        for i in range(sizes[l]):
            if l > 0« and acts[l][i] > 0|»:
                below[i] = sum(delta[j]*W[l][j][i] for j in range(sizes[l+1]))
        for j in range(sizes[l+1]):
            if delta[j] == 0:
                continue
            for i in range(sizes[l]):
                if acts[l][i] == 0:
                    continue
                W[l][j][i] -= 0.01*delta[j]*acts[l][i]
            B[l][j] -= 0.01*delta[j]
        delta = below
""",
}
FAST = frozenset({"samples of which some units are dead"})

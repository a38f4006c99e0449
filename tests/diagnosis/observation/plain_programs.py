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
}
FAST = frozenset({"samples of which some units are dead"})

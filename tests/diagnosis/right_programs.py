"""Right programs in many layouts, styles, losses and ways to update: none of them may be accused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from textwrap import indent

_SUM = "d.sum(axis=1, keepdims=True)"
#: How samples and weights lie: z, the error passed back, dW, db, the shapes of W and b, axis of the samples.
LAYOUTS = {
    "rows, in-out": ("a @ W + b", "d @ W.T", "a.T @ d", "d.sum(axis=0)", "(i, o)", "(o,)", 0),
    "rows, out-in": ("a @ W.T + b", "d @ W", "d.T @ a", "d.sum(axis=0)", "(o, i)", "(o,)", 0),
    "columns, out-in": ("W @ a + b", "W.T @ d", "d @ a.T", _SUM, "(o, i)", "(o, 1)", 1),
    "columns, in-out": ("W.T @ a + b", "W @ d", "a @ d.T", _SUM, "(i, o)", "(o, 1)", 1),
}  # fmt: skip

#: The output from z, the loss, and its derivative by z; n samples.
LOSSES = {
    "half squared error": ("np.tanh(z)", "0.5 * np.sum((p - T) ** 2) / n", "(p - T) * (1 - p ** 2) / n"),
    "mean squared error": ("z", "np.mean((p - T) ** 2)", "2 * (p - T) / T.size"),
    "binary cross-entropy": (
        "1 / (1 + np.exp(-z))", "-np.sum(T * np.log(p) + (1 - T) * np.log(1 - p)) / n", "(p - T) / n",
    ),
    "cross-entropy": ("softmax(z)", "-np.sum(T * np.log(p)) / n", "(p - T) / n"),
}  # fmt: skip

HIDDEN = {
    "tanh": ("np.tanh(z)", "(1 - a ** 2)"),
    "sigmoid": ("1 / (1 + np.exp(-z))", "a * (1 - a)"),
    "relu": ("np.maximum(z, 0)", "(a > 0)"),
}

#: What is done to parameter k with its gradient g; M and S remember.
UPDATES = {
    "plain": "P[k] = P[k] - rate * g",
    "in place": "P[k] -= rate * g",
    "schedule": "P[k] -= rate / (1 + 0.1 * epoch) * g",
    "momentum": "M[k] = 0.9 * M[k] - rate * g\nP[k] = P[k] + M[k]",
    "Nesterov": "before = M[k].copy()\nM[k] = 0.9 * M[k] - rate * g\nP[k] += 1.9 * M[k] - 0.9 * before",
    "RMSprop": "S[k] = 0.9 * S[k] + 0.1 * g ** 2\nP[k] -= rate * g / (np.sqrt(S[k]) + 1e-8)",
    "Adam": (
        "M[k] = 0.9 * M[k] + 0.1 * g\nS[k] = 0.999 * S[k] + 0.001 * g ** 2\n"
        "m, s = M[k] / (1 - 0.9 ** (epoch + 1)), S[k] / (1 - 0.999 ** (epoch + 1))\n"
        "P[k] -= rate * m / (np.sqrt(s) + 1e-8)"
    ),
    "L2": "P[k] -= rate * (g + 0.01 * P[k])",
}

_START = """import numpy as np
rng = np.random.default_rng(4)
sizes, rate, n = [3, 5, 4, 2], 0.1, 6
X = rng.normal(size=(n, 3))
T = {target}
{turn}def softmax(z):
    e = np.exp(z - z.max(axis={classes}, keepdims=True))
    return e / e.sum(axis={classes}, keepdims=True)
Ws = [rng.normal(size={W}) * 0.6 for i, o in zip(sizes, sizes[1:])]
bs = [np.zeros({b}) for o in sizes[1:]]
"""
_FORWARD = """acts = [X]
for layer, (W, b) in enumerate(zip(Ws, bs)):
    a = acts[-1]
    z = {z}
    acts.append({output} if layer == len(Ws) - 1 else {activation})
p = acts[-1]
loss = {loss}
"""
_BACKWARD = """d = {slope}
dWs, dbs = [], []
for layer in reversed(range(len(Ws))):
    a, W = acts[layer], Ws[layer]
    dWs.insert(0, {dW})
    dbs.insert(0, {db})
    if layer:
        d = ({back}) * {derivative}
"""
_UPDATE = """for k, g in enumerate(dWs + dbs):
{update}
Ws, bs = P[:len(Ws)], P[len(Ws):]
"""
_STATE = "P = Ws + bs\nM, S = [np.zeros_like(one) for one in P], [np.zeros_like(one) for one in P]\n"
_RECURSIVE = """dWs, dbs = [None] * len(Ws), [None] * len(Ws)
def go_back(layer, d):
    a, W = acts[layer], Ws[layer]
    dWs[layer], dbs[layer] = {dW}, {db}
    if layer > 0:
        go_back(layer - 1, ({back}) * {derivative})
go_back(len(Ws) - 1, {slope})
"""


def _script(start, forward, backward, update):
    return start + _STATE + "for epoch in range(200):\n" + indent(forward + backward + update, "    ")


def _recursion(start, forward, backward, update):
    return _script(start, forward, backward, update)


def _functions(start, forward, backward, update):
    return (
        start + _STATE + "def forward(X, Ws, bs):\n" + indent(forward + "return acts, loss\n", "    ")
        + "def backward(acts, T, Ws):\n    p = acts[-1]\n" + indent(backward + "return dWs, dbs\n", "    ")
        + "def train(Ws, bs, epochs=200):\n    for epoch in range(epochs):\n"
        + "        acts, loss = forward(X, Ws, bs)\n"
        + "        dWs, dbs = backward(acts, T, Ws)\n" + indent(update, "        ") + "    return Ws, bs\n"
        + "Ws, bs = train(Ws, bs)\n"
    )  # fmt: skip


def _closure(start, forward, backward, update):
    inner = forward + backward + update + "return loss\n"
    return (
        start + "def trainer(Ws, bs):\n" + indent(_STATE, "    ") + "    def step(epoch):\n"
        + "        nonlocal Ws, bs\n" + indent(inner, "        ") + "    return step\n"
        + "step = trainer(Ws, bs)\nhistory = [float(step(epoch)) for epoch in range(100)]\n"
    )  # fmt: skip


def _generator(start, forward, backward, update):
    inner = forward + backward + update + "yield loss\nepoch += 1\n"
    return (
        start + "def losses(Ws, bs):\n" + indent(_STATE + "epoch = 0\nwhile True:\n", "    ")
        + indent(inner, "        ")
        + "for count, loss in zip(range(50), losses(Ws, bs)):\n    print(count, '%.4f' % loss)\n"
    )  # fmt: skip


def _object(start, forward, backward, update):
    state = "self.Ws, self.bs = Ws, bs\n" + _STATE + "self.P, self.M, self.S = P, M, S\n"
    local = "Ws, bs, P, M, S = self.Ws, self.bs, self.P, self.M, self.S\n"
    return (
        start + "class Net:\n    def __init__(self, Ws, bs):\n" + indent(state, "        ")
        + "    def fit(self, X, T, epochs=100):\n        for epoch in range(epochs):\n"
        + indent(local + forward + backward + update + "self.Ws, self.bs = Ws, bs\n", " " * 12)
        + "net = Net(Ws, bs)\nnet.fit(X, T)\n"
    )  # fmt: skip


def _batches(start, forward, backward, update):
    """Minibatches of three, shuffled in each epoch; samples lie in rows or in columns."""
    axis = 1 if "X, T = X.T, T.T" in start else 0
    head = (
        f"order = rng.permutation(n)\nfor first in range(0, n, 3):\n    chosen = order[first:first + 3]\n"
        f"    X, T = np.take(data, chosen, axis={axis}), np.take(labels, chosen, axis={axis})\n"
    )
    inner = head + indent(forward + backward + update, "    ")
    return start + _STATE + "data, labels = X, T\nfor epoch in range(50):\n" + indent(inner, "    ")


STYLES = {
    "script": _script, "functions": _functions, "class": _object, "closure": _closure,
    "generator": _generator, "recursion": _recursion, "minibatches": _batches,
}  # fmt: skip


def program(style: str, layout: str, loss: str, hidden: str, update: str) -> str:
    """The text of a right program."""
    z, back, dW, db, W, b, axis = LAYOUTS[layout]
    output, value, slope = LOSSES[loss]
    activation, derivative = HIDDEN[hidden]
    words = {
        "z": z, "back": back, "dW": dW, "db": db, "W": W, "b": b, "classes": 1 - axis, "output": output,
        "loss": value, "slope": slope, "activation": activation, "derivative": derivative,
        "turn": "X, T = X.T, T.T\n" if axis else "", "update": indent(UPDATES[update], "    "),
        "target": "np.eye(2)[rng.integers(0, 2, n)]" if "cross" in loss else "rng.uniform(-0.8, 0.8, (n, 2))",
    }  # fmt: skip
    backward = _RECURSIVE if style == "recursion" else _BACKWARD
    parts = (part.format(**words) for part in (_START, _FORWARD, backward, _UPDATE))
    return STYLES[style](*parts)


def programs() -> Iterator[tuple[str, str]]:
    """(name, text) of 500 programs, and those written by hand."""
    every = list(product(STYLES, LAYOUTS, LOSSES, HIDDEN, UPDATES))
    for k in range(500):
        names = every[k * 1031 % len(every)]  # a prime, so that each kind turns up often
        yield ", ".join(names), program(*names)
    yield from BY_HAND.items()


_STEP = """    h = np.tanh(X @ W + b)
    p = 1 / (1 + np.exp(-(h @ V + c)))
    d = (p - T) * p * (1 - p)
    e = d @ V.T * (1 - h ** 2)
    V -= rate * h.T @ d; c -= rate * d.sum(axis=0)
    W -= rate * X.T @ e; b -= rate * e.sum(axis=0)
"""
_DATA = """import numpy as np
np.random.seed(2)
X, T = np.random.rand(7, 3), np.random.rand(7, 2)
W, b, V, c = np.random.randn(3, 4), np.zeros(4), np.random.randn(4, 2), np.zeros(2)
rate = 0.3
"""
_LOOP = "for epoch in range(100):\n" + _STEP

BY_HAND = {
    "XOR with lists, in Python 2": """import math, random
random.seed(3)
cases = [[[0, 0], 0], [[0, 1], 1], [[1, 0], 1], [[1, 1], 0]]
hidden = [[random.uniform(-1, 1) for i in range(3)] for j in range(3)]
output = [random.uniform(-1, 1) for j in range(4)]
for epoch in xrange(500):
    for x, t in cases:
        hs = []
        for w in hidden:
            hs.append(1 / (1 + math.exp(-(w[0] * x[0] + w[1] * x[1] + w[2]))))
        z = output[3]
        for j in range(3):
            z += output[j] * hs[j]
        y = 1 / (1 + math.exp(-z))
        d = (t - y) * y * (1 - y)
        back = [d * output[j] * hs[j] * (1 - hs[j]) for j in range(3)]
        for j in range(3):
            output[j] += 0.5 * d * hs[j]
            for i in range(2):
                hidden[j][i] += 0.5 * back[j] * x[i]
            hidden[j][2] += 0.5 * back[j]
        output[3] += 0.5 * d
    if epoch % 100 == 0: print "epoch", epoch
""",
    "arguments and a main": _DATA + "import argparse\ndef main():\n    global W, b, V, c\n"
    + "    options = argparse.ArgumentParser()\n    options.add_argument('--epochs', type=int, default=50)\n"
    + "    args = options.parse_args()\n    for epoch in range(args.epochs):\n" + indent(_STEP, "    ")
    + "if __name__ == '__main__':\n    main()\n",
    "a plot, input and a missing package": "import matplotlib.pyplot as plt\nimport of_nobody\n" + _DATA
    + "epochs = int(input('epochs? '))\n" + _LOOP + "plt.plot([1, 2]); plt.show()\n",
    "a missing table": "import pandas as pd\n" + _DATA + "table = pd.read_csv('flowers.csv').values\n"
    + "X = table[:7, :3].astype(float)\n" + _LOOP,
    "early stopping": _DATA + "best, waited = np.inf, 0\n" + _LOOP
    + "    loss = 0.5 * np.sum((p - T) ** 2)\n    if loss > best - 1e-9:\n        waited += 1\n"
    + "    else:\n        best, waited = loss, 0\n    if waited > 5:\n        break\n",
    "one sample at a time": _DATA + "for epoch in range(30):\n  for k in np.random.permutation(7):\n"
    + "    x, t = X[k:k + 1], T[k:k + 1]\n"
    + _STEP.replace("X @", "x @").replace("- T", "- t").replace("X.T", "x.T"),
    "dropout with a seed": _DATA + "dice = np.random.RandomState(5)\n"
    + _LOOP.replace("X @ W + b)\n", "X @ W + b)\n    keep = (dice.rand(*h.shape) < 0.8) / 0.8\n    a = h * keep\n")  # noqa: E501
    .replace("(h @ V", "(a @ V").replace("(1 - h", "keep * (1 - h").replace("h.T @ d", "a.T @ d"),
    "a check of its gradient": _DATA + "def loss(W):\n"
    + "    p = 1 / (1 + np.exp(-(np.tanh(X @ W + b) @ V + c)))\n    return 0.5 * np.sum((p - T) ** 2)\n"
    + "for i in range(3):\n    other = W.copy(); other[i, 0] += 1e-5\n"
    + "    print((loss(other) - loss(W)) / 1e-5)\n" + _LOOP,
}  # fmt: skip

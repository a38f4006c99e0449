"""Programs that can never run are wrong, and told by what ends them; what is only missing here is not."""

import re

import pytest

#: In each, «right|wrong»: what runs and is right, and what can never run; and what is said of that.
NEVER = {
    "a method without self": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def slope(«self, |»a):
        return a * (1 - a)
    def learn(self, x, y, rate=0.5):
        a = 1 / (1 + np.exp(-x @ self.W))
        self.W -= rate * x.T @ ((a - y) * self.slope(a))
""",
        "write def slope(self, a",
    ),
    "an argument too few": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def out(self, x):
        return 1 / (1 + np.exp(-x @ self.W))
    def learn(self, x, y, rate=0.5):
        a = self.out(«x|»)
        self.W -= rate * x.T @ ((a - y) * a * (1 - a))
""",
        "does not fit how out is defined on line 6",
    ),
    "a shape where sizes are taken": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W = np.random.randn(«n, m|(n, m)»)
    def learn(self, x, y, rate=0.5):
        a = 1 / (1 + np.exp(-x @ self.W))
        self.W -= rate * x.T @ ((a - y) * a * (1 - a))
""",
        "write np.random.randn(n, m)",
    ),
    "sizes where a shape is taken": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W, self.b = np.random.randn(n, m), np.zeros(«(1, m)|1, m»)
    def learn(self, x, y, rate=0.5):
        a = 1 / (1 + np.exp(-x @ self.W - self.b))
        d = (a - y) * a * (1 - a)
        self.W -= rate * x.T @ d
        self.b -= rate * d.sum(axis=0, keepdims=True)
""",
        "write np.zeros((1, m))",
    ),
    "a bracket that closes too late": (
        """
from numpy import append, dot, exp, ones
from numpy.random import randn
class Red:
    def __init__(self, n, m):
        self.w = randn(n + 1, m)
    def ajusta(self, x, y, paso=0.5):
        x = append(x, ones((len(x), 1)«), axis=1|, axis=1)»)
        a = 1 / (1 + exp(-dot(x, self.w)))
        self.w += paso * x.T.dot((y - a) * a * (1 - a))
""",
        "write append(x, ones((len(x), 1)), axis=1)",
    ),
    "what a function of its own does not take": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def sigmoid(self, x«, slope=False|»):
        return «x * (1 - x) if slope else |»1 / (1 + np.exp(-x))
    def learn(self, x, y, rate=0.5):
        a = self.sigmoid(x @ self.W)
        self.W -= rate * x.T @ ((a - y) * self.sigmoid(a, slope=True))
""",
        "function self.sigmoid takes no slope",
    ),
    "a number of layers in place of the layers": (
        """
import numpy as np
class Net:
    def __init__(self, n):
        self.n, self.weights, self.outs = n, [], []
        self.count = 0
    def add(self, m):
        self.weights.append(np.random.randn(self.weights[-1].shape[1] if self.weights else self.n, m))
        self.count += 1
    def forward(self, x):
        self.outs = [x]
        for W in self.weights:
            self.outs.append(np.tanh(self.outs[-1] @ W))
        return self.outs[-1]
    def backward(self, y, rate=0.1):
        d = self.outs[-1] - y
        for k in reversed(range(«self.count|len(self.count)»)):
            d = d * (1 - self.outs[k + 1] ** 2)
            before = d @ self.weights[k].T
            self.weights[k] -= rate * self.outs[k].T @ d
            d = before
""",
        "self.count is a number, which is counted up on line 9",
    ),
    "a name that belongs to the object": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
        self.rate = 0.5
    def learn(self, x, y):
        a = 1 / (1 + np.exp(-x @ self.W))
        self.W -= «self.rate|rate» * x.T @ ((a - y) * a * (1 - a))
""",
        "write self.rate",
    ),
    "a slip of the pen": (
        """
import numpy as np
def learn(weights, inputs, targets, rate=0.5):
    a = 1 / (1 + np.exp(-inputs @ weights))
    weights -= rate * inputs.T @ ((a - «targets|tragets») * a * (1 - a))
""",
        "targets seems to be meant",
    ),
    "what is only a local name": (
        """
import numpy as np
class Net:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def learn(self, x, y, rate=0.5):
        «self.a|a» = 1 / (1 + np.exp(-x @ self.W))
        self.W -= rate * x.T @ ((self.a - y) * self.a * (1 - self.a))
""",
        "write self.a there",
    ),
    "what only another class keeps": (
        """
import numpy as np
class Dense:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.W
    def backward(self, dvalues):
        self.dW = self.inputs.T @ dvalues
        self.dinputs = dvalues @ self.W.T
class ReLU:
    def forward(self, inputs):
        «self.inputs = inputs|»
        self.output = np.maximum(0, inputs)
    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0
""",
        "ReLU has inputs: where it gets its value it is a local name",
    ),
    "an error of one layer for the slope of another": (
        """
import numpy as np
class Net:
    def __init__(self, sizes, activation, rate=0.1):
        self.f, self.rate = activation, rate
        self.W = [np.random.randn(a, b) for a, b in zip(sizes[:-1], sizes[1:])]
    def forward(self, x):
        self.outs = [x]
        for W in self.W:
            self.outs.append(self.f(self.outs[-1] @ W))
        return self.outs[-1]
    def backward(self, y):
        delta = (self.outs[-1] - y) * self.f(self.outs[-1], derivative=True)
        for k in range(len(self.W) - 1, -1, -1):
            before = delta @ self.W[k].T * self.f(self.outs[«k|k + 1»], derivative=True)
            self.W[k] -= self.rate * self.outs[k].T @ delta
            delta = before
""",
        "shapes do not match",
    ),
    "shapes that the program's own data do not have": (
        """
import numpy as np
X, Y = np.linspace(-1, 1, 20)«[:, None]|», np.linspace(0, 1, 20)[:, None]
class Net:
    def __init__(self):
        self.W, self.V = np.random.randn(1, 5), np.random.randn(5, 1)
    def train(self, x, y, rate=0.1):
        h = np.tanh(np.dot(x, self.W))
        d = np.dot(h, self.V) - y
        before = np.dot(d, self.V.T) * (1 - h * h)
        self.V -= rate * np.dot(h.T, d)
        self.W -= rate * np.dot(x.T, before)
net = Net()
for _ in range(10):
    net.train(X, Y)
""",
        "shapes do not match",
    ),
}


@pytest.mark.parametrize(("text", "said"), NEVER.values(), ids=NEVER)
def test_what_can_never_run_is_wrong_and_told(watch, text, said):
    seen = watch(re.sub(r"«(.*?)\|(.*?)»", r"\1", text))
    assert seen.verdict == "right", str(seen)
    seen = watch(re.sub(r"«(.*?)\|(.*?)»", r"\2", text))
    assert seen.verdict == "wrong", str(seen)
    assert said in " ".join(str(seen).split())


@pytest.mark.parametrize(
    "text",
    [
        "def learn(W, x, y):\n    a = squash_layer(x @ W)\n    W -= x.T @ ((a - y) * slope_of(a))\n",
        "def learn(x, y):\n    a = x @ first\n    return x.T @ (a - y) @ Factors\n",
        "from elsewhere import Base\nclass Net(Base):\n    def learn(self, x, y):\n"
        "        self.W -= self.rate * x.T @ (self.apply(x) - y)\n",
        "class ReLU:\n    def forward(self, x):\n        return np.maximum(0, x)\n"
        "    def backward(self, d):\n        return d * (self.x > 0)\n"
        "def run(relu, x):\n    relu.x = x\n    return relu.forward(x)\n",
    ],
    ids=["functions", "names", "a base class", "what another function sets"],
)
def test_what_is_only_missing_here_is_not_called_wrong(watch, text):
    seen = watch(f"import numpy as np\n{text}")
    assert seen.verdict == "cannot judge", str(seen)


#: Its sequences are columns in arrays of three dimensions, which no call tries.
COLUMNS_OF_SEQUENCES = """
import numpy as np
class Recurrent:
    def __init__(self, n_in, n_hid, n_out, rate=0.01):
        self.n, self.rate = n_hid, rate
        self.U, self.V = np.random.randn(n_hid, n_in), np.random.randn(n_hid, n_hid)
        self.W = np.random.randn(n_out, n_hid)
        self.b, self.c = np.zeros((n_hid, 1)), np.zeros((n_out, 1))
    def forward(self, xs, h):
        hs, ys = [], []
        for t in range(len(xs)):
            h = np.tanh(np.dot(self.U, xs[t]) + np.dot(self.V, h) + self.b)
            e = np.exp(np.dot(self.W, h) + self.c)
            hs.append(h)
            ys.append(e / e.sum(axis=0, keepdims=True))
        return hs, ys
    def backward(self, xs, targets, hs, ys):
        dU, dV, dW, db, dc = (np.zeros_like(one) for one in (self.U, self.V, self.W, self.b, self.c))
        later = np.zeros_like(hs[0])
        for t in reversed(range(len(xs))):
            dy = ys[t] - targets[t]
            dW += np.dot(dy, hs[t].T)
            dc += dy
            dz = (1 - hs[t] ** 2) * (np.dot(self.W.T, dy) + later)
            dU += np.dot(dz, xs[t].T)
            dV += np.dot(dz, hs[t - 1].T) if t > 0 else 0
            db += dz
            later = np.dot(self.V.T, dz)
        for one, change in zip([self.U, self.V, self.W, self.b, self.c], [dU, dV, dW, db, dc]):
            one -= self.rate * change
    def train(self, sequences, targets, epochs=10):
        h = np.zeros((self.n, 1))
        for _ in range(epochs):
            for k in range(len(sequences)):
                lost = np.log(self.forward(sequences[k], h)[1][-1]) * targets[k]
                hs, ys = self.forward(sequences[k], h)
                self.backward(sequences[k], targets[k], hs, ys)
"""


def test_what_has_room_for_one_sample_is_not_said_to_fit_in_no_call(watch):
    assert watch(COLUMNS_OF_SEQUENCES).verdict == "cannot judge"


def test_a_name_that_some_calls_define_is_not_missing(watch):
    """With no layer at all there is no ``out``; with layers there is."""
    text = """
import numpy as np
class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(a, b) for a, b in zip(sizes[:-1], sizes[1:])]
    def forward(self, x):
        global out
        self.outs = [x]
        for W in self.W:
            out = 1 / (1 + np.exp(-self.outs[-1] @ W))
            self.outs.append(out)
        return out
    def backward(self, y, rate=0.1):
        delta = out - y
        for k in reversed(range(len(self.W))):
            delta = delta * self.outs[k + 1] * (1 - self.outs[k + 1])
            before = delta @ self.W[k].T
            self.W[k] -= rate * self.outs[k].T @ «delta|before»
            delta = before
"""
    assert watch(text.replace("«delta|before»", "delta")).verdict == "right"
    assert watch(text.replace("«delta|before»", "delta * 2 ** k")).verdict == "wrong"


def test_zip_that_was_a_list_in_python_2(watch):
    seen = watch("""
import numpy as np
pairs = zip(np.random.rand(6, 3), np.random.rand(6, 2))
W, V = np.random.randn(3, 4), np.random.randn(4, 2)
for epoch in range(3):
    for k in range(len(pairs)):
        x, y = pairs[k]
        h = np.tanh(x @ W)
        d = h @ V - y
        before = d @ V.T
        V -= 0.1 * np.outer(h, d)
        W -= 0.1 * np.outer(x, before)
""")
    assert [one.line for one in seen.faults] == [10], str(seen)
    assert "as in Python 2" in " ".join(str(seen).split())

"""Programs as strangers write them: gradients written out once, layers, graphs of numbers."""

import pytest

WRITTEN = """
import numpy as np
x = np.array([[0.4, -0.7, 0.2]]); goal_y = np.array([[0.3, 0.8]])
V = np.array([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.6]])
W = np.array([[0.7, -0.3], [0.2, 0.9]])
h = np.tanh(x @ V)
out = h @ W
err = out - goal_y
grad_W = h.T @ err
grad_V = x.T @ ((err @ W.T) * (1 - h ** 2))
"""


def test_gradients_that_are_written_out_once_are_judged(watch):
    assert watch(WRITTEN).verdict == "right"
    wrong = watch(WRITTEN.replace("(1 - h ** 2)", "(1 - h)"))
    assert (wrong.verdict, wrong.faults[0].line) == ("wrong", 10)


def test_a_step_that_throws_the_value_away_is_told(watch):
    assert watch(WRITTEN + "W = W - 0.1 * grad_W\nV = V - 0.1 * grad_V\n").verdict == "right"
    seen = watch(WRITTEN + "W = -0.1 * grad_W\nV = -0.1 * grad_V\n")
    assert [(fault.line, fault.parameters) for fault in seen.faults] == [(11, ("W",)), (12, ("V",))]
    assert "its old value is lost" in seen.faults[0].text


def test_only_some_gradients_written_out_accuse_nobody(watch):
    text = WRITTEN.replace("grad_V = x.T @ ((err @ W.T) * (1 - h ** 2))\n", "back = (err @ W.T) * (1 - h)\n")
    assert watch(text).verdict == "right"


def test_an_array_written_out_can_be_changed_in_place(watch):
    text = """
import numpy as np
X = np.array([[0, 1], [1, 1], [1, 0], [0, 0]]); y = np.array([[1], [1], [1], [0]])
w = np.array([[1.0], [1.0]])
b = np.array([-1.5])
for turn in range(100):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    d = (y - p) * p * (1 - p)
    w += 0.5 * X.T @ d
    b += 0.5 * d.sum()
"""
    assert watch(text).verdict == "right"
    assert watch(text.replace("p * (1 - p)", "p * (1 + p)")).verdict == "wrong"


LAYERS = """
import numpy as np
class Dense:
    def __init__(self, fan_in, fan_out):
        self.W = np.random.randn(fan_in, fan_out)
        self.b = np.zeros((1, fan_out))
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad_output, lr):
        back = grad_output @ self.W.T
        self.W -= lr * self.x.T @ grad_output
        self.b -= lr * grad_output.sum(axis=0, keepdims=True)
        return back
class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y
    def backward(self, grad_output):
        return grad_output * (1 - self.y ** 2)
"""

RECURRENT = """
import numpy as np
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.U = np.random.randn(n_hidden, n_in) / 3
        self.R = np.random.randn(n_hidden, n_hidden) / 3
        self.V = np.random.randn(n_out, n_hidden) / 3
        self.c = np.zeros((n_out, 1))
    def forward(self, inputs):
        h = np.zeros((self.R.shape[0], 1))
        self.xs, self.hs = inputs, [h]
        for x in inputs:
            h = np.tanh(self.U @ x + self.R @ h)
            self.hs.append(h)
        return self.V @ h + self.c
    def backprop(self, d_y, rate=0.02):
        dU, dR = np.zeros_like(self.U), np.zeros_like(self.R)
        dV, dc = d_y @ self.hs[-1].T, d_y.copy()
        dh = self.V.T @ d_y
        for t in range(len(self.xs) - 1, -1, -1):
            dz = dh * (1 - self.hs[t + 1] ** 2)
            dU += dz @ self.xs[t].T
            dR += dz @ self.hs[t].T
            dh = self.R.T @ dz
        for d in (dU, dR, dV, dc):
            np.clip(d, -1, 1, out=d)
        self.U -= rate * dU
        self.R -= rate * dR
        self.V -= rate * dV
        self.c -= rate * dc
"""

GRAPH = """
import math
class Num:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents
        self.push = lambda: None
    def __add__(self, other):
        other = other if isinstance(other, Num) else Num(other)
        out = Num(self.data + other.data, (self, other))
        def push():
            self.grad += out.grad
            other.grad += out.grad
        out.push = push
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Num) else Num(other)
        out = Num(self.data * other.data, (self, other))
        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.push = push
        return out
    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data))
        out = Num(s, (self,))
        def push():
            self.grad += s * (1 - s) * out.grad
        out.push = push
        return out
    def backward(self):
        order, seen = [], set()
        def visit(one):
            if one not in seen:
                seen.add(one)
                for each in one.parents:
                    visit(each)
                order.append(one)
        visit(self)
        self.grad = 1.0
        for one in reversed(order):
            one.push()
"""

HANDED = """
import numpy as np
__name__ = "somewhere"
class SmallNetwork:
    def __init__(self, n_in, n_out, hidden_sizes):
        self.n_in, self.n_out, self.hidden = n_in, n_out, hidden_sizes[0]
    def init_weights(self):
        self.A = np.random.randn(self.n_in, self.hidden)
        self.B = np.random.randn(self.hidden, self.n_out)
class Teacher:
    def __init__(self, network, rate=0.1):
        self.network, self.rate = network, rate
    def train(self, inputs, targets):
        for _ in range(20):
            h = np.tanh(inputs @ self.network.A)
            d = h @ self.network.B - targets
            e = (d @ self.network.B.T) * (1 - h ** 2)
            self.network.B -= self.rate * h.T @ d
            self.network.A -= self.rate * inputs.T @ e
"""

KINDS = [
    (LAYERS, "self.x.T @ grad_output", "self.x.T @ (grad_output * 2 + 1)"),
    (LAYERS, "(1 - self.y ** 2)", "(1 - self.y)"),
    (LAYERS, "back = grad_output @ self.W.T", "back = grad_output @ (self.W.T + 0.1)"),
    (RECURRENT, "dh = self.R.T @ dz", "dh = self.R @ dz"),
    (RECURRENT, "dR += dz @ self.hs[t].T", "dR += dz @ self.hs[t + 1].T"),
    (GRAPH, "self.grad += other.data * out.grad", "self.grad = other.data * out.grad"),
    (GRAPH, "s * (1 - s) * out.grad", "s * out.grad"),
    (HANDED, "(1 - h ** 2)", "(1 - h)"),
]


@pytest.mark.parametrize(
    "text", [LAYERS, RECURRENT, GRAPH, HANDED], ids=["layers", "recurrent", "graph", "handed"]
)
def test_what_is_only_defined_is_called_and_right(text, watch):
    assert watch(text).verdict == "right"


@pytest.mark.parametrize(("text", "right", "wrong"), KINDS)
def test_a_mistake_in_what_is_only_defined_is_found(text, right, wrong, watch):
    assert text.count(right) == 1
    planted = text.replace(right, wrong)
    line = next(n for n, one in enumerate(planted.split("\n"), 1) if wrong in one)
    seen = watch(planted)
    assert seen.verdict == "wrong", str(seen)
    assert line in {fault.line for fault in seen.faults} | {fault.other_line for fault in seen.faults}


def test_the_weights_of_a_layer_are_changed_after_the_error_went_through_them(watch):
    text = LAYERS.replace("        back = grad_output @ self.W.T\n", "")
    assert watch(text.replace("return back", "return grad_output @ self.W.T")).verdict == "wrong"


def test_data_that_are_zero_say_nothing(watch):
    text = """
import numpy as np
class Net:
    def __init__(self, x, y):
        self.x, self.y = x, y
        self.w1, self.w2 = np.random.rand(3, 3), np.random.rand(3, 3)
    def forward(self):
        self.h = np.tanh(self.x @ self.w1)
        self.o = self.h @ self.w2 + 1
    def backward(self):
        d = self.o - self.y
        self.w2 -= 0.1 * self.h.T @ d
        self.w1 -= 0.1 * self.x.T @ (d @ self.w2.T * (1 - self.h ** 2))
net = Net(np.zeros((3, 3)), np.zeros((3, 3)))
"""
    assert watch(text).verdict == "wrong"


def test_a_file_that_is_missing_is_made_up_as_its_lines_are_split(watch):
    text = """
import numpy as np
rows = []
for line in open("measured.txt"):
    rows.append([float(one) for one in line.strip().split(" ")])
rows = np.array(rows)
x, y = rows[:, :-1], rows[:, -1:]
w = np.random.randn(x.shape[1], 1)
for turn in range(50):
    w -= 0.01 * x.T @ (x @ w - y)
"""
    assert watch(text).verdict == "right"


def test_what_is_learned_can_be_saved(watch):
    text = (
        WRITTEN
        + """
import io, pickle
for turn in range(5):
    out = np.tanh(x @ V) @ W
    W -= 0.1 * np.tanh(x @ V).T @ (out - goal_y)
    pickle.dump(W, io.BytesIO())
"""
    )
    assert "pickle" not in str(watch(text))


def test_what_is_saved_is_written_nowhere(watch, tmp_path):
    seen = watch("""
import json, pickle
import joblib
import numpy as np
class Net:
    def __init__(self, n, m, k):
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
    def learn(self, X, Y):
        h = 1 / (1 + np.exp(-X @ self.W))
        d = h @ self.V - Y
        e = d @ self.V.T * h * (1 - h)
        self.V -= 0.1 * h.T @ d
        self.W -= 0.1 * X.T @ e
net = Net(2, 3, 1)
for k in range(10):
    with open("net.pkl", "wb") as file:
        pickle.dump(net, file)
    joblib.dump(net, f"net{k}.joblib")
    json.dump({"W": net.W.tolist()}, open("net.json", "w"))
    net.learn(np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.5]]))
""")
    assert (seen.verdict, seen.driven) == ("right", ""), str(seen)
    assert [one.name for one in tmp_path.iterdir()] == ["program.py"]


def test_a_target_that_training_never_reads_is_told_though_the_class_could_be_called(watch):
    seen = watch("""
import numpy as np
class Net:
    def __init__(self, n, k, m=4):
        self.m, self.k = m, k
        self.W, self.V, self.U = np.random.rand(m, n), np.random.rand(k, m), np.random.rand(m, m)
    def ahead(self, x):
        s = np.zeros((len(x) + 1, self.m))
        o = np.zeros((len(x), self.k))
        for k in range(len(x)):
            s[k] = np.tanh(self.W @ x[k] + self.U @ s[k - 1])
            o[k] = self.V @ s[k]
        return o, s
    def error(self, x, y):
        return np.square(self.ahead(x)[0] - y).sum()
    def slopes(self, x, y):
        o, s = net.ahead(X)
        dW, dV, dU = np.zeros(self.W.shape), np.zeros(self.V.shape), np.zeros(self.U.shape)
        d = o
        for k in range(len(x)):
            dV += np.outer(d[k], s[k])
            e = self.V.T @ d[k] * (1 - s[k] ** 2)
            for j in range(k, -1, -1):
                dU += np.outer(e, s[j - 1])
                dW += np.outer(e, x[j])
                e = self.U.T @ e * (1 - s[j - 1] ** 2)
        return dW, dV, dU
    def train(self, x, y):
        for _ in range(100):
            dW, dV, dU = net.slopes(x, y)
            self.W -= 0.1 * dW
            self.V -= 0.1 * dV
            self.U -= 0.1 * dU
X, Y = np.random.rand(6, 3), np.random.rand(6)
net = Net(3, 1)
net.train(X, Y)
""")
    assert seen.verdict == "wrong", str(seen)
    assert "y, the target, is never used in slopes" in " ".join(str(seen).split())


def test_a_name_that_may_be_a_slip_of_the_pen_is_supplied_by_nobody(watch):
    text = """
import numpy as np
def train(X, Y, layers, rate):
    for _ in range(10):
        h = np.tanh(X @ layers[0])
        d = h @ layers[1] - Y
        e = d @ layers[1].T * (1 - h ** 2)
        LINE -= rate * X.T @ e
        layers[1] -= rate * h.T @ d
"""
    assert watch(text.replace("LINE", "layers[0]")).verdict == "right"
    seen = watch(text.replace("LINE", "layer[0]"))
    assert seen.verdict == "wrong", str(seen)
    assert "layers seems to be meant" in " ".join(str(seen).split())
    seen = watch(text.replace("LINE", "layers[0] -= eta; layers[0]"))
    assert seen.verdict == "cannot judge", str(seen)
    assert "name 'eta' is not defined" in " ".join(str(seen).split())


def test_an_activation_that_is_right_says_nothing_of_a_layer_that_cannot_run(watch):
    seen = watch("""
import numpy as np
class Full:
    def __init__(self, n, m):
        self.weight, self.bias = np.random.randn(n, m), np.zeros(m)
    def forward(self, x):
        return x @ self.weight + self.bias
    def backward(self, x, sent, rate):
        back = np.dot(sent, self.weight)
        self.weight -= rate * np.dot(x, sent)
        self.bias -= rate * sent.sum(axis=0)
        return back
class Relu:
    def forward(self, x):
        return np.maximum(0, x)
    def backward(self, x, sent):
        return (x > 0) * sent
class Net:
    def __init__(self, n, m, k):
        self.first, self.second, self.last = Full(n, m), Relu(), Full(m, k)
        self.inputs = []
    def forward(self, x):
        self.inputs[0] = x
        self.inputs[1] = Full.forward(self.inputs[0])
        return Full.forward(Relu.forward(self.inputs[1]))
    def backward(self, sent):
        sent = Relu.backward(self.inputs[1], Full.backward(self.inputs[2], sent))
        Full.backward(self.inputs[0], sent)
""")
    assert seen.verdict != "right", str(seen)


def test_what_is_taken_from_a_sum_is_no_target_without_brackets(watch):
    seen = watch("""
import math
import numpy as np
def forward(x, y, W):
    z = W @ x
    p = np.exp(z) / np.exp(z).sum()
    loss = 0.0
    for k in range(len(y)):
        loss -= y[k] * math.log(p[k])
    return z, p, loss
""")
    assert seen.verdict != "wrong", str(seen)


@pytest.mark.parametrize("seed", range(12))
def test_lists_in_which_inputs_of_0_are_passed_over_are_right(watch, seed):
    seen = watch(f"""
import math, random
random.seed({seed})
n, m, k = 4, 3, 2
w = [[random.uniform(-1, 1) for _ in range(m)] for _ in range(n)]
v = [[random.uniform(-1, 1) for _ in range(k)] for _ in range(m)]
b, c = [0.0] * m, [0.0] * k
X = [[random.choice([0, 0, 1.5, 2.0]) for _ in range(n)] for _ in range(8)]
data = [(x, [random.random() for _ in range(k)]) for x in X]
for epoch in range(20):
    for x, t in data:
        z = list(b)
        for i in range(n):
            if x[i] == 0:
                continue
            for j in range(m):
                z[j] += x[i] * w[i][j]
        h = [1 / (1 + math.exp(-s)) for s in z]
        o = list(c)
        for j in range(m):
            for l in range(k):
                o[l] += h[j] * v[j][l]
        d = [o[l] - t[l] for l in range(k)]
        e = [0.0] * m
        for j in range(m):
            e[j] = sum(d[l] * v[j][l] for l in range(k)) * h[j] * (1 - h[j])
        for j in range(m):
            for l in range(k):
                v[j][l] -= 0.1 * d[l] * h[j]
        for l in range(k):
            c[l] -= 0.1 * d[l]
        for i in range(n):
            for j in range(m):
                w[i][j] -= 0.1 * e[j] * x[i]
        for j in range(m):
            b[j] -= 0.1 * e[j]
""")
    assert seen.verdict == "right", str(seen)

"""Programs that train nothing by themselves, as strangers write them: right, and with one mistake."""

import pytest

NETWORK_OF_LAYERS = """
import numpy as np
class Module:
    def forward(self, x): raise NotImplementedError
class Full(Module):
    def __init__(self, n_in, n_out):
        self.k = np.random.randn(n_in, n_out)
        self.c = np.zeros((1, n_out))
    def forward(self, x):
        self.seen = x
        return x @ self.k + self.c
    def back(self, error, lr):
        sent = error @ self.k.T
        self.k -= lr * self.seen.T @ error
        self.c -= lr * error.sum(axis=0, keepdims=True)
        return sent
class Act(Module):
    def __init__(self, f, f_prime):
        self.f, self.f_prime = f, f_prime
    def forward(self, x):
        self.seen = x
        return self.f(x)
    def back(self, error, lr):
        return error * self.f_prime(self.seen)
def tanh(x): return np.tanh(x)
def tanh_prime(x): return 1 - np.tanh(x) ** 2
def mse(t, p): return np.mean((t - p) ** 2)
def mse_prime(t, p): return 2 * (p - t) / t.size
class Stack:
    def __init__(self):
        self.parts = []
    def add(self, part):
        self.parts.append(part)
    def use(self, loss, loss_prime):
        self.loss, self.loss_prime = loss, loss_prime
    def fit(self, x, y, rounds, lr):
        for _ in range(rounds):
            out = x
            for part in self.parts:
                out = part.forward(out)
            error = self.loss_prime(y, out)
            for part in reversed(self.parts):
                error = part.back(error, lr)
"""
FUNCTIONS_OF_A_LAYER = """
import numpy as np
def linear_forward(A_prev, W, b):
    return W @ A_prev + b, (A_prev, W, b)
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m
"""
OTHER_WORDS = """
import numpy as np
class Rede:
    def __init__(self, entradas=7, ocultas=5, saidas=2):
        self.p1 = np.random.randn(entradas, ocultas)
        self.p2 = np.random.randn(ocultas, saidas)
    def treinar(self, X, alvos, epocas=9000, taxa=0.1):
        for _ in range(epocas):
            h = np.tanh(X @ self.p1)
            erro = h @ self.p2 - alvos
            volta = erro @ self.p2.T * (1 - h * h)
            self.p2 -= taxa * h.T @ erro
            self.p1 -= taxa * X.T @ volta
"""
THREE_LAYERS = """
import numpy as np
def forward(X, W1, b1, W2, b2, W3, b3):
    A1 = np.tanh(X @ W1 + b1)
    A2 = np.tanh(A1 @ W2 + b2)
    Z = A2 @ W3 + b3
    A3 = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    return A1, A2, A3
def backward(X, Y, A1, A2, A3, W2, W3):
    wanted = np.zeros((len(X), 4))
    wanted[np.arange(len(X)), Y] = 1
    d3 = A3 - wanted
    d2 = d3 @ W3.T * (1 - A2 ** 2)
    d1 = d2 @ W2.T * (1 - A1 ** 2)
    return X.T @ d1, d1.sum(0), A1.T @ d2, d2.sum(0), A2.T @ d3, d3.sum(0)
"""
ENGINE = """
import numpy as np
class Array:
    def __init__(self, data, parents=(), requires_grad=False):
        self.data, self.parents, self.requires_grad = np.asarray(data, float), parents, requires_grad
        self.grad, self.back = np.zeros_like(self.data), lambda: None
    def __add__(self, other):
        out = Array(self.data + other.data, (self, other))
        def back():
            self.grad += out.grad
            other.grad += out.grad
        out.back = back
        return out
    def __matmul__(self, other):
        out = Array(self.data @ other.data, (self, other))
        def back():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad
        out.back = back
        return out
    def backward(self):
        order = []
        def visit(one):
            if one not in order:
                for parent in one.parents:
                    visit(parent)
                order.append(one)
        visit(self)
        self.grad = np.ones_like(self.data)
        for one in reversed(order):
            one.back()
"""
ARGUMENTS = """
import argparse
import numpy as np
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, required=True)
    rate = parser.parse_args().rate
    X, Y = np.random.randn(5, 3), np.random.randn(5, 2)
    W, V = np.random.randn(3, 4), np.random.randn(4, 2)
    for _ in range(100):
        h = np.tanh(X @ W)
        e = h @ V - Y
        d = e @ V.T * (1 - h * h)
        V -= rate * h.T @ e
        W -= rate * X.T @ d
if __name__ == "__main__":
    main()
"""
PYTHON_2 = """
X, Y = np.random.randn(5, 3), np.random.randn(5, 2)
W, V = np.random.randn(3, 4), np.random.randn(4, 2)
for turn in xrange(100):
    h = np.tanh(np.dot(X, W))
    e = np.dot(h, V) - Y
    print "error %f after %d" % (
        abs(e).mean(),
        turn)
    d = np.dot(e, V.T) * (np.ones(h.shape) - h * h)
    V -= 0.1 * np.dot(h.T, e)
    W -= 0.1 * np.dot(X.T, d)
"""
KINDS = {
    "a network of layers": (NETWORK_OF_LAYERS, "self.f_prime(self.seen)", "self.f_prime(self.f(self.seen))"),
    "a layer that sends too early": (
        NETWORK_OF_LAYERS,
        "        sent = error @ self.k.T\n        self.k -= lr * self.seen.T @ error\n",
        "        self.k -= lr * self.seen.T @ error\n        sent = error @ self.k.T\n",
    ),
    "a layer as two functions": (
        FUNCTIONS_OF_A_LAYER,
        "axis=1, keepdims=True) / m",
        "axis=1, keepdims=True)",
    ),
    "other words, sizes of its own": (OTHER_WORDS, "(1 - h * h)", "(1 - h)"),
    "three layers, classes inside": (THREE_LAYERS, "(1 - A1 ** 2)", "(1 - A1)"),
    "an engine that keeps numbers in another shape": (
        ENGINE.replace("asarray(data, float)", "array(data, float, ndmin=3)").replace(
            ".T", ".swapaxes(1, 2)"
        ),
        "self.data.swapaxes(1, 2) @ out.grad",
        "2 * self.data.swapaxes(1, 2) @ out.grad",
    ),
    "an engine of arrays": (ENGINE, "self.data.T @ out.grad", "2 * self.data.T @ out.grad"),
    "arguments": (ARGUMENTS, "(1 - h * h)", "h"),
    "Python 2, no import": (PYTHON_2, "(np.ones(h.shape) - h * h)", "h"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_program_is_judged(watch, kind):
    text, right, wrong = KINDS[kind]
    assert watch(text).verdict == "right"
    changed = text.replace(right, wrong)
    assert changed != text
    assert watch(changed).verdict == "wrong"


def test_one_output_does_not_hide_a_bias_summed_over_all(watch):
    text = NETWORK_OF_LAYERS.replace("error.sum(axis=0, keepdims=True)", "error.sum()")
    seen = watch(text.replace("class Stack", "class Hidden").replace("def fit", "def other"))
    assert (seen.verdict, seen.faults[0].line) == ("wrong", 15)


def test_a_parameter_that_is_not_global_is_told(watch):
    text = """
import numpy as np
w_out = np.random.randn(3, 1)
def train(X, y):
    error = X @ w_out - y
    w_out -= 0.1 * X.T @ error
train(np.random.randn(4, 3), np.random.randn(4, 1))
"""
    seen = watch(text)
    assert (seen.verdict, seen.faults[0].line) == ("wrong", 6)
    assert "global w_out" in seen.faults[0].text


ONE_LAYER = """
import numpy as np
def gradients(W, b, X, Y):
    A = 1 / (1 + np.exp(-(X @ W + b)))
    d = (A - Y) * A * (1 - A)
    return X.T @ d, d.sum(axis=0)
"""
ADDED_UP = """
import numpy as np
sums = {}
def gradients(W1, b1, W2, b2, X, Y):
    H = np.tanh(X @ W1 + b1)
    d2 = H @ W2 + b2 - Y
    d1 = d2 @ W2.T * (1 - H ** 2)
    found = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": H.T @ d2, "b2": d2.sum(0)}
    for k in found:
        sums[k] = sums.get(k, 0) + found[k]
    return sums["W1"], sums["b1"], sums["W2"], sums["b2"]
"""
FIXED_SIZES = """
import numpy as np
class Net:
    def __init__(self, number_of_layers, layer_sizes, input_shape):
        last, sizes = number_of_layers - 1, [input_shape[1], *layer_sizes[1:]]
        self.w: list = [np.random.randn(sizes[k], sizes[k + 1]) for k in range(last)]
    def get_output(self, x):
        self.a = [x]
        for w in self.w:
            self.a.append(1 / (1 + np.exp(-self.a[-1] @ w)))
        return self.a[-1]
    def train(self, net_output, output_right):
        d = (output_right - net_output) * net_output * (1 - net_output)
        for k in reversed(range(len(self.w))):
            w = self.w[k]
            self.w[k] = w + self.a[k].T @ d
            d = d @ w.T * self.a[k] * (1 - self.a[k])
"""
TOY = """
import numpy as np
def teach(input_data, target_output, hidden_neurons, epochs):
    count = 2
    w1 = np.random.randn(count, hidden_neurons)
    w2 = np.random.randn(hidden_neurons, 1)
    for epoch in range(epochs):
        h = 1 / (1 + np.exp(-input_data @ w1))
        o = 1 / (1 + np.exp(-h @ w2))
        if epoch % (epochs // 10) == 0:
            print(epoch)
        d2 = (target_output - o) * o * (1 - o)
        d1 = d2 @ w2.T * h * (1 - h)
        w2 += h.T @ d2
        w1 += input_data.T @ d1
"""
PASSED_ON = """
import numpy as np
def relu(z):
    return np.maximum(0, z)
def train(X, y, p, activation_function, epochs):
    for _ in range(epochs):
        one_step(X, y, p, activation_function)
def one_step(X, y, p, f):
    h = f(X @ p["W1"] + p["b1"])
    d = h @ p["W2"] + p["b2"] - y
    dz = d @ p["W2"].T * (h > 0)
    for k, g in (("W1", X.T @ dz), ("b1", dz.sum(0)), ("W2", h.T @ d), ("b2", d.sum(0))):
        p[k] -= 0.1 * g
"""
LAYER_AT_A_TIME = """
import numpy as np
class Full:
    def __init__(self, n_in, n_out):
        self.w, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, derivative, learning_rate):
        sent = derivative @ self.w.T
        self.w -= learning_rate * self.x.T @ derivative
        self.b -= learning_rate * derivative
        return sent
class Linear:
    def forward(self, x):
        return x
    def backward(self, derivative, learning_rate):
        return derivative
"""
SENT_BACK = """
import numpy as np
class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y
    def backward(self, derivative):
        return derivative * (1 - self.y ** 2)
"""


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (ONE_LAYER, "A * (1 - A)", "A"),
        (FIXED_SIZES, "d @ w.T", "d @ self.w[k].T"),
        (TOY.replace("teach", "learn"), "h * (1 - h)", "h"),
        (PASSED_ON, " * (h > 0)", ""),
        (SENT_BACK, "derivative *", "2 * derivative *"),
        (LAYER_AT_A_TIME, "derivative @ self.w.T\n", "derivative @ abs(self.w.T)\n"),
    ],
)
def test_kinds_that_strangers_write(text, old, new, watch):
    seen = watch(text)
    assert seen.verdict == "right", str(seen)
    assert old in text
    seen = watch(text.replace(old, new))
    assert seen.verdict == "wrong", str(seen)


def test_gradients_that_add_up_are_named_in_a_file(watch):
    seen = watch(ADDED_UP)
    assert seen.verdict == "wrong"
    assert seen.faults[0].mistake == "gradients_accumulate"
    assert watch(ADDED_UP.replace("sums.get(k, 0) + found", "found")).verdict == "right"


#: What the cell sends back to the state before is not multiplied with the transposed weights.
CELL = """
import numpy as np
class Squash:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out
    def backward(self, dout):
        return dout * (1 - np.square(self.out))
class Cell:
    def __init__(self, n_in, n_state):
        self.grads = []
        self.U, self.V = np.random.randn(n_in, n_state), np.random.randn(n_state, n_state)
        self.squash, self.b = Squash(), np.random.randn(2, n_state)
    def forward(self, x, before):
        self.x, self.before = x, before
        return self.squash.forward(np.dot(x, self.U) + np.dot(before, self.V) + self.b)
    def backward(self, later):
        self.grads = []
        dz = self.squash.backward(later)
        self.grads += [np.dot(self.before.T, dz), np.dot(self.x.T, dz), dz.copy()]
        return np.dot(dz, self.V), np.dot(dz, self.U.T)
before = np.random.randn(2, 3)
cell = Cell(3, 3)
cell.forward(np.ones((2, 3)), before)
cell.backward(before)
"""


def test_a_part_that_is_right_does_not_speak_for_one_that_is_not_judged(watch):
    assert watch(CELL).verdict != "right"


#: Nothing tells whether what it is sent is the derivative by its outputs, or by the scores below the softmax.
SENT_SHARES = """
import numpy as np
class Bend:
    def forward(self, x):
        self.input = x
        return np.maximum(0, x)
    def backward(self, grad_output):
        return grad_output * (self.input > 0)
class Dense:
    def __init__(self, input_dim, output_dim):
        self.W = np.random.randn(input_dim, output_dim)
        self.b = np.zeros(output_dim)
    def forward(self, x):
        self.input = x
        return np.dot(x, self.W) + self.b
    def backward(self, grad_output):
        self.grad_W = np.dot(self.input.T, grad_output) / self.input.shape[0]
        self.grad_b = np.sum(grad_output, axis=0) / self.input.shape[0]
        return np.dot(grad_output, self.W.T)
    def update(self, lr):
        self.W -= lr * self.grad_W
        self.b -= lr * self.grad_b
class Net:
    def __init__(self, input_dim, hidden_dim, output_dim, lr=0.01):
        self.lower = Dense(input_dim, hidden_dim)
        self.bend = Bend()
        self.lr = lr
        self.upper = Dense(hidden_dim, output_dim)
    def forward(self, X):
        self.h = self.bend.forward(self.lower.forward(X))
        self.output = self.softmax(self.upper.forward(self.h))
        return self.output
    def backward(self, grad_output):
        self.lower.backward(self.bend.backward(self.upper.backward(grad_output)))
    def update(self):
        self.lower.update(self.lr)
        self.upper.update(self.lr)
    def softmax(self, x):
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)
"""


def test_a_network_that_ends_in_a_softmax_may_be_sent_the_derivative_by_its_scores(watch):
    seen = watch(SENT_SHARES)
    assert (seen.verdict, seen.loss) == ("right", "cross-entropy of softmax")
    assert watch(SENT_SHARES.replace("grad_output * (self.input > 0)", "grad_output")).verdict == "wrong"

"""Programs that lack data, a package, a definition, a switch; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "training behind a switch that is off, with data from a package that is not there": """
import numpy as np
import helpers_of_mine
bilder, etiketten = helpers_of_mine.lade()
LERNEN = False
if not LERNEN:
    W, V = np.load("W.npy"), np.load("V.npy")
else:
    W, V = np.random.uniform(-0.5, 0.5, (30, 64)), np.random.uniform(-0.5, 0.5, (3, 30))
    for runde in range(5):
        for bild, etikett in zip(bilder, etiketten):
            x, t = np.reshape(bild, (-1, 1)), np.reshape(etikett, (-1, 1))
            h = 1 / (1 + np.exp(-W @ x))
            o = 1 / (1 + np.exp(-V @ h))
            d = o - t
            e = V.T @ d * «h * (1 - h)|h»
            V -= 0.1 * d @ h.T
            W -= 0.1 * e @ x.T
""",
    "training that is called behind a switch": """
import pickle
import numpy as np
use_saved = True
class Net:
    def __init__(self):
        rng = np.random.default_rng(1)
        self.W, self.V = rng.normal(size=(2, 4)), rng.normal(size=(4, 1))
    def learn(self, table):
        for name in sorted(table):
            row, wanted = (table[name].partition(":")[k] for k in (0, 2))
            x = np.array([[float(one) for one in row.split()]])
            h = np.tanh(x @ self.W)
            d = h @ self.V - float(wanted)
            e = d @ self.V.T * «(1 - h ** 2)|(1 - h)»
            self.V -= 0.1 * h.T @ d
            self.W -= 0.1 * x.T @ e
if use_saved:
    net = pickle.load(open("net.bin", "rb"))
else:
    net = Net()
    net.learn({"a": "0 1: 0.5", "b": "1 1: 0.2", "c": "1 0: 0.7", "d": "1 1: 0.3"})
""",
    "a loop whose data, weights and activation are defined elsewhere": """
for epoch in range(n_epochs):
    z1 = X @ W1 + b1
    a1 = sigmoid(z1)
    z2 = a1 @ W2 + b2
    a2 = sigmoid(z2)
    print(epoch, mse_loss(a2, y))
    d2 = (a2 - y) * sigmoid_derivative(a2)
    d1 = d2 @ W2.T * «sigmoid_derivative(z1)|a1»
    W2 -= learning_rate * a1.T @ d2
    b2 -= learning_rate * d2.sum(axis=0)
    W1 -= learning_rate * X.T @ d1
    b1 -= learning_rate * d1.sum(axis=0)
""",
    "a cell that lacks the data and the activations": """
V = np.random.randn(2, 4)
W = np.random.randn(4, 1)
for runde in range(100):
    h = relu(np.dot(X_train, V))
    o = np.tanh(np.dot(h, W))
    d = (o - y_train) * (1 - o ** 2)
    e = np.dot(d, W.T) * «d_relu(h)|h»
    W = W - lr * np.dot(h.T, d)
    V = V - lr * np.dot(X_train.T, e)
""",
    "a class whose activations are defined elsewhere": """
class Netz:
    def __init__(self, n, m, k):
        self.W = np.random.randn(m, n)
        self.V = np.random.randn(k, m)
    def vor(self, x):
        self.x = x
        self.h = sigmoid(self.W @ x)
        self.o = softmax(self.V @ self.h)
        return self.o
    def rueck(self, t):
        d = self.o - t
        e = self.V.T @ d * «sigmoid_prime(self.h)|sigmoid(self.h)»
        self.V -= eta * d @ self.h.T
        self.W -= eta * e @ self.x.T
""",
    "a function that makes windows of data beside a network that goes through them": """
import page_that_is_missing as page
import numpy as np
width = page.slider("Width", 2, 9, 4)
def make_windows(numbers, width):
    windows, next_ones = [], []
    for k in range(len(numbers) - width):
        windows.append(numbers[k:k + width])
        next_ones.append(numbers[k + width])
    return np.array(windows), np.array(next_ones)
X, Y = make_windows(np.sin(np.arange(40.0)).reshape(-1, 1), width)
class Recurrent:
    def __init__(self, inputs, units, outputs):
        self.U, self.W = np.random.randn(units, inputs), np.random.randn(units, units)
        self.V = np.random.randn(outputs, units)
    def forward(self, steps):
        kept = [np.zeros((len(self.W), 1))]
        for x in steps:
            kept.append(np.tanh(self.U @ x.reshape(-1, 1) + self.W @ kept[-1]))
        return self.V @ kept[-1], kept
    def fit(self, x_data, y_data, rate):
        for k in range(len(x_data)):
            o, kept = self.forward(x_data[k])
            d = o - y_data[k].reshape(-1, 1)
            dU, dW, dV = np.zeros_like(self.U), np.zeros_like(self.W), d @ kept[-1].T
            e = self.V.T @ d
            for t in reversed(range(len(x_data[k]))):
                e = e * «(1 - kept[t + 1] ** 2)|(1 - kept[t] ** 2)»
                dU += e @ x_data[k][t].reshape(1, -1)
                dW += e @ kept[t].T
                e = self.W.T @ e
            self.U -= rate * dU
            self.W -= rate * dW
            self.V -= rate * dV
if page.button("Train"):
    net = Recurrent(1, page.slider("Units", 5, 50, 20), 1)
    net.fit(X, Y, 0.01)
""",
    "a softmax that is certain at once, of data behind 10000 rows": """
import numpy as np
import pandas as pd
table = np.array(pd.read_csv("mnist_train.csv"))
rows, columns = table.shape
test, train = table[0:10000], table[10000:rows]
X, y = train[:, 1:columns] / 255.0, train[:, 0]
W, V = 4 * np.random.rand(784, 20) - 2, 4 * np.random.rand(20, 10) - 2
for _ in range(50):
    h = np.maximum(X @ W, 0)
    z = h @ V
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    d = (p - np.eye(10)[y]) / len(y)
    e = d @ V.T * «(h > 0)|(h >= 0)»
    V -= 0.01 * h.T @ d
    W -= 0.01 * X.T @ e
""",
    "training behind a question, with targets that only some answers define": """
import numpy as np
class Perceptron:
    def __init__(self, rate, hidden):
        self.rate, self.hidden = rate, hidden
    def activate(self, x):
        return 1 / (1 + np.exp(-x))
    def fit(self, X, y):
        self.W = np.random.uniform(-1, 1, (X.shape[1], self.hidden))
        self.V = np.random.uniform(-1, 1, (self.hidden, 1))
        for _ in range(100):
            hidden = self.activate(X @ self.W)
            error = y - self.activate(hidden @ self.V)
            back = (error @ self.V.T) * «hidden * (1 - hidden)|hidden»
            self.V += hidden.T @ error * self.rate
            self.W += X.T @ back * self.rate
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
choice = input("and, or? ")
if choice == "or":
    y = np.array([[0], [1], [1], [1]])
elif choice == "and":
    y = np.array([[0], [0], [0], [1]])
Perceptron(0.1, 4).fit(X, y)
""",
    "functions that read a number defined after data that are not there": """
import numpy as np
m, n = data.shape
labels, inputs = data[:, 0], data[:, 1:]
def start():
    return np.random.rand(6, 5) - 0.5, np.random.rand(1, 5) - 0.5, np.random.rand(5, 3) - 0.5
def forward(a0, w1, b1, w2):
    z1 = a0.dot(w1) + b1
    a1 = np.maximum(z1, 0)
    e = np.exp(a1.dot(w2))
    a2 = e / e.sum(axis=1, keepdims=True)
    return z1, a1, a2
def classes(y):
    marked = np.zeros((y.size, 3))
    marked[np.arange(y.size), y] = 1
    return marked
def backward(x, y, z1, w1, a1, w2, a2):
    d = a2 - classes(y)
    dw2 = 1 / m * a1.T.dot(d)
    e = w2.dot(d.T).T * «(z1 > 0)|(z1 > 1)»
    return 1 / m * x.T.dot(e), 1 / m * np.sum(e, axis=0), dw2
def update(w1, b1, w2, dw1, db1, dw2, rate):
    return w1 - rate * dw1, b1 - rate * db1, w2 - rate * dw2
""",
}

#: Those that run with the fast tests.
FAST = frozenset({
    "training behind a switch that is off, with data from a package that is not there",
    "a loop whose data, weights and activation are defined elsewhere",
})  # fmt: skip

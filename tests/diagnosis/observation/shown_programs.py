"""Programs that only show their layers, or take sizes from data; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "made-up data that do not fit": """
import numpy as np
import pandas as pd
def load():
    data = np.array(pd.read_csv("train.csv")).T
    return data[1:], data[0].reshape(1, 42000)
def init():
    w1, b1 = np.random.randn(4, 3), np.zeros((4, 1))
    w2, b2 = np.random.randn(2, 4), np.zeros((2, 1))
    return w1, b1, w2, b2
def forward(x, w1, b1, w2, b2):
    a1 = np.tanh(w1 @ x + b1)
    e = np.exp(w2 @ a1 + b2)
    a2 = e / e.sum(axis=0, keepdims=True)
    return a1, a2
def backward(x, onehot, a2, a1, w2):
    m = x.shape[1]
    dz2 = a2 - onehot
    dz1 = w2.T @ dz2 * «(1 - a1 ** 2)|a1»
    return dz2 @ a1.T / m, dz2.sum(1, keepdims=True) / m, dz1 @ x.T / m, dz1.sum(1, keepdims=True) / m
if __name__ == "__main__":
    X, Y = load()
""",
    "a layer that is only shown": """
import numpy as np
class Dense:
    def __init__(self, n, units):
        self.w, self.b = np.random.randn(n, units), np.zeros(units)
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, d):
        self.dw, self.db = self.x.T @ d, «d|-d».sum(axis=0)
        return d @ self.w.T
def main():
    print(Dense(3, 3).w)
if __name__ == "__main__":
    main()
""",
    "a layer of sequences": """
import numpy as np
class Conv:
    def __init__(self, channels, filters, width):
        self.width, self.filters = width, filters
        self.W = np.random.randn(filters, channels, width)
        self.b = np.zeros(filters)
    def forward(self, x):
        n, channels, length = x.shape
        self.x = x
        y = np.zeros((n, self.filters, length - self.width + 1))
        for i in range(n):
            for f in range(self.filters):
                for k in range(y.shape[2]):
                    y[i, f, k] = np.sum(x[i, :, k:k + self.width] * self.W[f] «) + self.b[f]|+ self.b[f])»
        return y
    def backward(self, delta):
        n, filters, length = delta.shape
        dx, self.dW, self.db = np.zeros(self.x.shape), np.zeros(self.W.shape), np.zeros(self.b.shape)
        for i in range(n):
            for f in range(filters):
                for k in range(length):
                    dx[i, :, k:k + self.width] += self.W[f] * delta[i, f, k]
                    self.dW[f] += self.x[i, :, k:k + self.width] * delta[i, f, k]
                    self.db[f] += delta[i, f, k]
        return dx
""",
    "what prepares data, and targets that become a column": """
import numpy as np
class Scaler:
    def measure(self, X):
        self.mean, self.width = X.mean(axis=0), X.std(axis=0)
        return self
    def apply(self, X): return (X - self.mean) / self.width
class Network:
    def __init__(self, n, hidden=4):
        self.W = [np.random.randn(n, hidden), np.random.randn(hidden, 1)]
        self.b = [np.zeros(hidden), np.zeros(1)]
    def adjust(self, X, y, epochs=100, lr=0.01, batch=3):
        y = y.reshape(-1, 1)
        for _ in range(epochs):
            order = np.random.permutation(X.shape[0])
            for start in range(0, len(order), batch):
                part = order[start:start + batch]
                x, t = X[part], y[part]
                a = np.tanh(x @ self.W[0] + self.b[0])
                d = 2 * (a @ self.W[1] + self.b[1] - t) / len(x)
                below = d @ self.W[1].T * «(1 - a ** 2)|(1 - a)»
                self.W[1] -= lr * a.T @ d
                self.b[1] -= lr * d.sum(axis=0)
                self.W[0] -= lr * x.T @ below
                self.b[0] -= lr * below.sum(axis=0)
""",
    "biases that are rows and passed": """
import numpy as np
class Net:
    def __init__(self, x, y, weights1, bias1, weights2, bias2):
        self.x, self.y, self.n = x, y, x.shape[0]
        self.weights1, self.bias1, self.weights2, self.bias2 = weights1, bias1, weights2, bias2
    def forward(self):
        self.hidden = np.maximum(0, self.x @ self.weights1 + self.bias1)
        e = np.exp(self.hidden @ self.weights2 + self.bias2)
        self.p = e / e.sum(axis=1, keepdims=True)
    def backward(self):
        d = self.p.copy()
        d[range(self.n), self.y] -= 1
        d /= self.n
        below = d @ self.weights2.T
        below«[self.hidden <= 0] = 0| *= 1 - self.hidden»
        dW2, db2 = self.hidden.T @ d, d.sum(axis=0, keepdims=True)
        dW1, db1 = self.x.T @ below, below.sum(axis=0, keepdims=True)
        self.weights2 -= dW2
        self.weights1 -= dW1
        self.bias2 -= db2
        self.bias1 -= db1
""",
    "layers that keep what they compute, in another language": """
import numpy as np
class Densa:
    def __init__(self, entradas, neuronas):
        self.pesos, self.sesgos = np.random.randn(entradas, neuronas), np.zeros((1, neuronas))
    def forward(self, datos):
        self.entrada = datos
        self.salida = datos @ self.pesos + self.sesgos
    def backward(self, gradiente_salida):
        self.gp = self.entrada.T @ gradiente_salida
        self.gs = np.sum(gradiente_salida, axis=0, keepdims=True)
        return gradiente_salida @ self.pesos.T
    def update(self, tasa):
        self.pesos -= tasa * self.gp
        self.sesgos -= tasa * self.gs
class ReLU:
    def forward(self, x):
        self.entrada = x
        self.salida = np.maximum(0, x)
    def backward(self, gradiente_salida):
        g = gradiente_salida.copy()
        g[self.entrada «<=|>» 0] = 0
        return g
""",
    "a layer that is passed its outputs": """
import numpy as np
class Sigmoid:
    def forward(self, x):
        return 1 / (1 + np.exp(-x))
    def backward(self, grad_output, outputs):
        return grad_output * outputs * (1 - outputs«|** 2»)
""",
    "softmax that leaves its slope to the loss": """
import numpy as np
class Dense:
    def __init__(self, n, m):
        self.w, self.b = np.random.randn(n, m), np.zeros((1, m))
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, grad):
        self.dw, self.db = self.x.T @ grad, grad.«sum|mean»(axis=0, keepdims=True)
        return grad @ self.w.T
class Softmax:
    def forward(self, x):
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    def backward(self, grad):
        return grad
""",
    "weights made from the sizes of the data": """
import numpy as np
class Regressor:
    def __init__(self, rate=0.1, batch_size=32):
        self.rate, self.batch_size = rate, batch_size
    def fit(self, X, Y):
        self.n, self.features = X.shape
        self.weights = self.initialize_weights()
        for k in range(0, self.n, self.batch_size):
            x, y = X[k:k + self.batch_size], Y[k:k + self.batch_size].reshape(-1, 1)
            h = np.tanh(x @ self.weights[0])
            e = h @ self.weights[1] - y
            below = e @ self.weights[1].T «* (1 - h ** 2)|»
            self.weights[1] -= self.rate * h.T @ e
            self.weights[0] -= self.rate * x.T @ below
    def initialize_weights(self):
        return [np.random.randn(self.features, 6), np.random.randn(6, 1)]
""",
    "weights times a momentum of one": """
import numpy as np
X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
W, V = 2 * np.random.random((2, 3)) - 1, 2 * np.random.random((3, 1)) - 1
rate, momentum = 0.5, 1
for _ in range(200):
    h = 1 / (1 + np.exp(-X.dot(W)))
    p = 1 / (1 + np.exp(-h.dot(V)))
    error = Y - p
    d = error * p * (1 - p)
    below = d.dot(V.T) «* h * (1 - h)|»
    V = V * momentum + h.T.dot(d) * rate
    W = W * momentum + X.T.dot(below) * rate
""",
    "a column of ones, and eight samples": """
import numpy as np
class Layer:
    def __init__(self, n, m):
        self.W = np.random.rand(n + 1, m) - 0.5
    def forward(self, x):
        self.x = np.concatenate((x, np.ones((x.shape[0], 1))), axis=1)
        self.y = np.tanh(self.x @ self.W)
        return self.y
    def backward(self, e):
        self.d = e * (1 - self.y ** 2)
        self.sent = («self.d|e» @ self.W.T)[:, :-1]
class Network:
    def __init__(self, data, wanted, rate):
        self.data, self.wanted, self.rate = data, wanted, rate
        self.first, self.second = Layer(8, 4), Layer(4, 6)
    def train(self):
        for _ in range(100):
            out = self.second.forward(self.first.forward(self.data))
            self.second.backward(self.wanted - out)
            self.first.backward(self.second.sent)
            for layer in (self.first, self.second):
                layer.W += self.rate * layer.x.T @ layer.d
            if sum(abs(out[k][0] - self.wanted[k][0]) for k in range(8)) < 0.01:
                break
""",
    "an activation and its derivative are passed": """
import numpy as np
class Network:
    def __init__(self, n, h, m, act, act_derivative):
        self.act, self.act_derivative = act, act_derivative
        self.W, self.V = np.random.randn(n, h), np.random.randn(h, m)
    def forward(self, X):
        self.z = X @ self.W
        self.a = self.act(self.z)
        self.s = self.a @ self.V
        self.o = self.act(self.s)
    def backward(self, X, y, rate):
        delta = (y - self.o) * self.act_derivative(self.s)
        below = delta @ self.V.T «* self.act_derivative(self.z)|»
        self.V += rate * self.a.T @ delta
        self.W += rate * X.T @ below
    def train(self, X, y, epochs, rate):
        for _ in range(epochs):
            self.forward(X)
            self.backward(X, y, rate)
""",
    "a bias that is passed and stays": """
import numpy as np
class Network:
    def __init__(self, n, h, m, use_bias=False):
        self.W, self.V = np.random.randn(n, h), np.random.randn(h, m)
        self.bias = use_bias if np.random.uniform() else 0
    def forward(self, X):
        self.h = self.s(X @ self.W)
        return self.s(self.h @ self.V + self.bias)
    def backward(self, X, t, y):
        delta = (t - y) * self.slope(y)
        below = delta @ self.V.T * self.slope(«self.h|self.h ** 2»)
        self.W += X.T @ below
        self.V += self.h.T @ delta
    def train(self, X, t):
        self.backward(X, t, self.forward(X))
    def s(self, z):
        return 1 / (1 + np.exp(-z))
    def slope(self, a):
        return a * (1 - a)
""",
}
FAST = frozenset({"a layer that is only shown"})

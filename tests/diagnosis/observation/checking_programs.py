"""Programs that check what they are passed, and others that lack something; one mistake is marked in each."""

PROGRAMS = {
    "types that are checked, and private attributes": """
import numpy as np
class Deep:
    def __init__(self, nx, layers):
        if type(nx) is not int:
            raise TypeError("nx must be an integer")
        if nx < 1:
            raise ValueError("nx must be positive")
        if not isinstance(layers, list) or len(layers) == 0:
            raise TypeError("layers must be a list of positive integers")
        self.__L, self.__cache, self.__weights = len(layers), {}, {}
        before = nx
        for k, units in enumerate(layers, 1):
            if type(units) != int or units < 1:
                raise TypeError("layers must be a list of positive integers")
            self.__weights["W" + str(k)] = np.random.randn(units, before)
            self.__weights["b" + str(k)] = np.zeros((units, 1))
            before = units
    @property
    def cache(self):
        return self.__cache
    def forward_prop(self, X):
        self.__cache["A0"] = X
        for k in range(1, self.__L + 1):
            z = self.__weights["W" + str(k)] @ self.__cache["A" + str(k - 1)] + self.__weights["b" + str(k)]
            self.__cache["A" + str(k)] = 1 / (1 + np.exp(-z))
        return [self.__cache["A" + str(self.__L)], self.cache]
    def gradient_descent(self, Y, cache, alpha=0.05):
        m = Y.shape[1]
        d = cache["A" + str(self.__L)] - Y
        for k in range(self.__L, 0, -1):
            a = cache["A" + str(k - 1)]
            dW, db = d @ a.T / m, d.sum(axis=1, keepdims=True) / m
            d = (self.__weights["W" + str(k)].T @ d) * «a * (1 - a)|a»
            self.__weights["W" + str(k)] -= alpha * dW
            self.__weights["b" + str(k)] -= alpha * db
""",
    "checks that give up, and ranges": """
import numpy as np
class Classifier:
    def __init__(self, theta, alpha=0.001, rounds=1000):
        assert isinstance(theta, np.ndarray)
        if not isinstance(alpha, float) or not 0 < alpha < 1:
            raise ValueError("alpha")
        if not (isinstance(rounds, int) and rounds > 0):
            raise ValueError("rounds")
        self.theta, self.alpha, self.rounds = theta, alpha, rounds
    def predict(self, x):
        if not isinstance(x, np.ndarray) or x.size == 0 or x.ndim != 2:
            return None
        if x.shape[1] + 1 != self.theta.shape[0]:
            return None
        return 1 / (1 + np.exp(-np.hstack((np.ones((x.shape[0], 1)), x)) @ self.theta))
    def fit(self, x, y):
        if type(x) is not np.ndarray or type(y) is not np.ndarray:
            return None
        for _ in range(self.rounds):
            filled = np.hstack((np.ones((x.shape[0], 1)), x))
            d = «self.predict(x) - y|self.predict(x) + y»
            self.theta = self.theta - self.alpha * filled.T @ d / len(x)
        return self.theta
""",
    "lists whose elements are counted": """
import random, math
class Lists:
    def __init__(self, sizes, rate):
        assert isinstance(sizes, list) and len(sizes) >= 3, "sizes"
        self.sizes, self.rate = sizes, rate
        self.w = []
        for n, m in zip(sizes, sizes[1:]):
            self.w.append([[random.uniform(-1, 1) for _ in range(n)] for _ in range(m)])
    def train(self, inputs, outputs, rounds):
        assert isinstance(inputs, list) and isinstance(outputs, list), "lists"
        assert len(outputs[0]) == self.sizes[-1], "as many values as output neurons"
        for _ in range(rounds):
            for x, t in zip(inputs, outputs):
                a = [x]
                for layer in self.w:
                    a.append([1 / (1 + math.exp(-sum(v * b for v, b in zip(row, a[-1])))) for row in layer])
                d = [(p - y) * p * (1 - p) for p, y in zip(a[-1], t)]
                for k in range(len(self.w) - 1, -1, -1):
                    back = [sum(self.w[k][i][j] * d[i] for i in range(len(d))) for j in range(len(a[k]))]
                    for i in range(len(d)):
                        for j in range(len(a[k])):
                            self.w[k][i][j] -= self.rate * d[i] * a[k][j]
                    d = [one * «b * (1 - b)|b» for one, b in zip(back, a[k])]
""",
    "functions that NumPy does not have, and no imports": """
class Net:
    def __init__(self, inputs, units, outputs):
        self.w = np.random.randn(inputs, units)
        self.v = np.random.randn(units, outputs)
    def forward(self, x):
        self.h = np.relu(x @ self.w)
        self.p = np.sigmoid(self.h @ self.v)
        return self.p
    def backward(self, x, y, rate):
        began = time.time()
        d = (self.p - y) / len(y)
        e = d @ self.v.T * «(self.h > 0)|self.h»
        self.v -= rate * self.h.T @ d
        self.w -= rate * x.T @ e
        print(time.time() - began)
""",
    "data of the program under the name of a parameter": """
import numpy as np
data = [["000000", 0], ["FFFFFF", 1], ["F5F5DC", 1], ["101020", 0], ["FAEBD7", 1]]
class Colours:
    def __init__(self):
        self.w = np.random.randn(3, 4)
        self.v = np.random.randn(4, 1)
    def numbers(self, colour):
        return np.array([[int(colour[k:k + 2], 16) / 255 for k in (0, 2, 4)]])
    def fit(self, data):
        for _ in range(5000):
            colour, light = data[np.random.randint(len(data))]
            x = self.numbers(colour)
            h = np.tanh(x @ self.w)
            o = 1 / (1 + np.exp(-h @ self.v))
            d = 2 * (o - light) * o * (1 - o)
            e = d @ self.v.T * «(1 - h ** 2)|(1 - h)»
            self.v = self.v - 0.3 * h.T @ d
            self.w = self.w - 0.3 * x.T @ e
""",
    "lists of the program whose names have the same words": """
import math, random
set_in = ["00", "01", "10", "11"]
set_out = ["0", "1", "1", "0"]
w = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(3)]
v = [random.uniform(-1, 1) for _ in range(4)]
def s(z):
    return 1 / (1 + math.exp(-z))
def learn(in_set, out_set, w, v, rate=0.5):
    for bits, out in zip(in_set, out_set):
        x = [float(one) for one in bits] + [1.0]
        h = [s(sum(a * b for a, b in zip(row, x))) for row in w] + [1.0]
        y = s(sum(a * b for a, b in zip(v, h)))
        d = (y - float(out)) * y * (1 - y)
        e = [d * v[j] * h[j] * (1 - h[j]) for j in range(3)]
        for j in range(4):
            v[j] -= rate * d * h[j]
        for j in range(3):
            for k in range(3):
                w[j][k] -= rate * «e[j]|e[2 - j]» * x[k]
    return w, v
""",
    "products that never fit, beside layers that do": """
import numpy as np
class Full:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)
    def forward(self, x):
        return x @ self.W + self.b
    def backward(self, x, grad, rate):
        back = grad @ «self.W.T|self.W»
        self.W -= rate * x.T @ grad
        self.b -= rate * grad.sum(axis=0)
        return back
class Relu:
    def forward(self, x):
        return np.maximum(0, x)
    def backward(self, x, grad):
        return grad * (x > 0)
""",
    "a product that reads the weights in place of the inputs": """
import numpy as np
class Full:
    def __init__(self, n_in, n_out, activation=None):
        self.weights = np.random.randn(n_in, n_out)
        self.biases = np.zeros((1, n_out))
    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases
    def backward(self, dscores):
        self.dweights = «self.inputs.T|self.weights.T» @ dscores
        self.dbiases = np.sum(dscores, axis=0, keepdims=True)
    def update(self, size):
        self.weights -= size * self.dweights
        self.biases -= size * self.dbiases
""",
    "layers that keep what they compute, one of a sigmoid": """
import numpy as np
class Full:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out)
    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights
    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dinputs = dvalues @ self.weights.T
class Sigmoid:
    def forward(self, inputs):
        self.output = 1 / (1 + np.exp(-inputs))
    def backward(self, dvalues):
        self.dinputs = dvalues * «self.output * (1 - self.output)|self.output»
""",
}
FAST = frozenset({"types that are checked, and private attributes"})

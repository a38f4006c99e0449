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
}
FAST = frozenset(PROGRAMS)

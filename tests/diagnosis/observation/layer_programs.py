"""Layers that nobody calls: what they are told, given and send back; «right|wrong» marks one mistake."""

PROGRAMS = {
    "a derivative that may be left out": """
import numpy as np
class Part:
    def __init__(self, units, before):
        self.M = np.random.normal(size=(units, before))
        self.shift = np.zeros(units)
        self.dM, self.dshift = np.zeros((units, before)), np.zeros(units)
        self.is_last = False
    def ahead(self, v):
        self.v = v
        self.out = np.tanh(self.M @ v + self.shift)
        return self.out
    def behind(self, sent=None, label=None):
        if self.is_last:
            error = (self.out - label) * (1 - self.out ** 2)
        else:
            error = sent * (1 - self.out ** 2)
        self.dM = self.dM + np.outer(error, «self.v|self.v ** 2»)
        self.dshift = self.dshift + error
        return self.M.T @ error
""",
    "another activation of a layer": """
import numpy as np
class Dense:
    def __init__(self, inputs, units, kind="relu"):
        self.M, self.c, self.kind = np.random.randn(inputs, units), np.zeros((1, units)), kind
    def forward(self, x):
        self.x, self.z = x, x @ self.M + self.c
        if self.kind == "relu":
            return np.maximum(0, self.z)
        if self.kind.lower() == "tanh":
            return np.tanh(self.z)
        return 1 / (1 + np.exp(-self.z))
    def backward(self, grad, rate=0.1):
        if self.kind == "relu":
            grad = grad * (self.z > 0)
        elif self.kind.lower() == "tanh":
            grad = grad * (1 - np.tanh(self.z)«** 2|»)
        else:
            s = 1 / (1 + np.exp(-self.z))
            grad = grad * s * (1 - s)
        sent = grad @ self.M.T
        self.M = self.M - rate * self.x.T @ grad
        self.c = self.c - rate * grad.sum(axis=0, keepdims=True)
        return sent
""",
    "derivatives by the outputs of all steps": """
import numpy as np
class Recurrent:
    def __init__(self, wide, units, out):
        self.U = np.random.randn(units, wide) * 0.5
        self.R = np.random.randn(units, units) * 0.5
        self.V = np.random.randn(out, units) * 0.5
    def forward(self, series):
        self.series, self.states, made = series, [np.zeros(self.R.shape[0])], []
        for one in series:
            self.states.append(np.tanh(self.U @ one + self.R @ self.states[-1]))
            made.append(self.V @ self.states[-1])
        return made
    def backward(self, slopes, rate=0.05):
        U, R, V = np.zeros_like(self.U), np.zeros_like(self.R), np.zeros_like(self.V)
        later = np.zeros(self.R.shape[0])
        for t in range(len(self.series) - 1, -1, -1):
            state = self.states[t + 1]
            V += np.outer(slopes[t], state)
            back = (self.V.T @ slopes[t] «+ later|») * (1 - state ** 2)
            U += np.outer(back, self.series[t])
            R += np.outer(back, self.states[t])
            later = self.R.T @ back
        self.U -= rate * U
        self.R -= rate * R
        self.V -= rate * V
""",
    "outputs in a dictionary of steps": """
import numpy as np
class Kette:
    def __init__(self, breite, zustand, aus):
        self.A = np.random.randn(zustand, breite) * 0.3
        self.B = np.random.randn(zustand, zustand) * 0.3
        self.C = np.random.randn(aus, zustand) * 0.3
        self.c = np.zeros((aus, 1))
        self.zustand = zustand
    def vorwaerts(self, folge):
        self.folge, self.h, self.y = folge, {-1: np.zeros((self.zustand, 1))}, {}
        for t in range(len(folge)):
            x = folge[t].reshape(-1, 1)
            self.h[t] = np.tanh(np.dot(self.A, x) + np.dot(self.B, self.h[t - 1]))
            self.y[t] = np.dot(self.C, self.h[t]) + self.c
        return self.y
    def rueckwaerts(self, dy, rate=0.05):
        dA, dB, dC, dc = (np.zeros_like(one) for one in (self.A, self.B, self.C, self.c))
        spaeter = np.zeros((self.zustand, 1))
        for t in reversed(range(len(self.folge))):
            dC += np.dot(dy[t], self.h[t].T)
            dc += dy[t]
            d = (np.dot(self.C.T, dy[t]) + spaeter) * (1 - self.h[t] ** 2)
            dA += np.dot(d, self.folge[t].reshape(1, -1))
            dB += np.dot(d, self.h[«t - 1|t»].T)
            spaeter = np.dot(self.B.T, d)
        for one, d in zip((self.A, self.B, self.C, self.c), (dA, dB, dC, dc)):
            one -= rate * d
""",
    "layers and their loss": """
import numpy as np
class Linear:
    def __init__(self, inputs, units):
        self.W = np.random.randn(inputs, units)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T
class SquaredLoss:
    def forward(self, guess, wanted):
        return np.mean((guess - wanted) ** 2)
    def backward(self, guess, wanted):
        return 2 * (guess - wanted) «/ guess.size|** 2»
""",
    "layers and a loss that remembers": """
import numpy as np
class Voll:
    def __init__(self, ein, aus):
        self.G = np.random.randn(ein, aus)
    def vor(self, x):
        self.x = x
        return x @ self.G
    def zurueck(self, ableitung):
        self.dG = self.x.T @ ableitung
        return ableitung @ self.G.T
class Verlust:
    def __call__(self, soll, ist):
        self.abstand = ist - soll
        return (self.abstand ** 2).sum() / 2
    def zurueck(self):
        return self.abstand«|.sum(axis=0) + 0 * self.abstand»
""",
    "a convolution of one picture": """
import numpy as np
class Conv:
    def __init__(self, num_kernels, kernel):
        self.n, self.k = num_kernels, kernel
        self.weights = np.random.randn(num_kernels, kernel, kernel) / kernel**2
        self.bias = np.zeros(num_kernels)
    def forward(self, image):
        self.image = image
        h, w = image.shape
        out = np.zeros((self.n, h - self.k + 1, w - self.k + 1))
        for f in range(self.n):
            for i in range(h - self.k + 1):
                for j in range(w - self.k + 1):
                    out[f, i, j] = np.sum(image[i:i+self.k, j:j+self.k] * self.weights[f]) + self.bias[f]
        return out
    def backward(self, d_out, lr):
        dW = np.zeros(self.weights.shape)
        db = np.zeros(self.n)
        _, oh, ow = d_out.shape
        for f in range(self.n):
            for i in range(oh):
                for j in range(ow):
                    dW[f] += d_out[f, i, j] * self.image[«i:i+self.k, j:j+self.k|:self.k, :self.k»]
                    db[f] += d_out[f, i, j]
        self.weights -= lr * dW
        self.bias -= lr * db
""",
    "a pool that fills zeros": """
import numpy as np
class MaxPool2:
    def iterate_regions(self, image):
        h, w, _ = image.shape
        for i in range(h // 2):
            for j in range(w // 2):
                yield image[i*2:i*2+2, j*2:j*2+2], i, j
    def forward(self, input):
        self.last_input = input
        h, w, f = input.shape
        output = np.zeros((h // 2, w // 2, f))
        for region, i, j in self.iterate_regions(input):
            output[i, j] = np.amax(region, axis=(0, 1))
        return output
    def backprop(self, d_L_d_out):
        d_in = np.zeros(self.last_input.shape)
        for region, i, j in self.iterate_regions(self.last_input):
            h, w, f = region.shape
            amax = np.amax(region, axis=(0, 1))
            for a in range(h):
                for b in range(w):
                    for c in range(f):
                        if region[a, b, c] == amax[c]:
                            d_in[i*2+a, j*2+b, c] = d_L_d_out[«i, j|j, i», c]
        return d_in
""",
    "rows looked up for each sample": """
import numpy as np
class Embedding:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]
        self.idx = None
    def forward(self, idx):
        W, = self.params
        self.idx = idx
        return W[idx]
    def backward(self, dout):
        dW, = self.grads
        dW[...] = 0
        for i, word_id in enumerate(self.idx):
            dW[word_id] «+=|=» dout[i]
        return None
""",
    "a loss of probabilities that keeps them from zero": """
import numpy as np
class BCE:
    def forward(self, p, y):
        self.p, self.y = np.clip(p, 1e-7, 1 - 1e-7), y
        return -np.mean(self.y * np.log(self.p) + (1 - self.y) * np.log(1 - self.p))
    def backward(self):
        return (self.p - self.y) / («self.p * (1 - self.p)|self.p») / self.y.size
""",
    "layers that are called through their base": """
import numpy as np
class Module:
    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)
    def forward(self, *args):
        pass
    def backward(self, *args):
        pass
class Linear(Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.w = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = x
        return x @ self.w
    def backward(self, grad):
        self.dw = self.x.T @ grad
        return grad @ self.w«.T|.T * 2 + 1»
class Tanh(Module):
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y
    def backward(self, grad):
        return grad * (1 - self.y ** 2)
""",
    "a slope of which the mean is added to biases": """
import numpy as np
class Linear:
    def __init__(self, n_in, n_out):
        self.w = np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)
        self.dw = 0
        self.db = np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.w + self.b
    def backward(self, grad):
        self.db += grad.mean(axis=0)
        self.dw = self.x.T @ grad «/ len(grad)|* 3»
        return grad @ self.w.T
""",
    "a layer that goes back through the weights that it had before": """
import numpy as np
class Full:
    def __init__(self, n, m):
        self.W = np.random.rand(n, m)
    def forward(self, x):
        self.seen = x
        return self.seen @ self.W
    def backward(self, error, rate):
        before = self.W
        self.W = before - rate * (self.seen.T @ error)
        return error @ «before|self.W».T
""",
    "an activation by the error function": """
import numpy as np
from math import erf
class Gelu:
    def forward(self, x):
        self.x = x
        self.out = x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))
        return self.out
    def backward(self, dout):
        share = 0.5 * (1 + np.vectorize(erf)(self.x / np.sqrt(2)))
        density = np.exp(-self.x ** 2 / 2) / np.sqrt(2 * np.pi)
        self.dx = dout * (share + «self.x * density|density»)
        return self.dx
""",
    "dropout beside a layer that is told its activation": """
import numpy as np
class Dense:
    def __init__(self, n_in, n_out, activation_func):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))
        self.activation_func = activation_func
    def forward(self, x):
        self.x, self.z = x, x @ self.W + self.b
        self.out = self.activation_func.forward(self.z)
        return self.out
    def backward(self, grad_output):
        delta = «grad_output * self.activation_func.backward(self.z)|grad_output»
        self.dW, self.db = self.x.T @ delta, np.sum(delta, axis=0, keepdims=True)
        return delta @ self.W.T
class Dropout:
    def __init__(self, rate):
        self.keep = 1 - rate
    def forward(self, x, training=True):
        self.x = x
        if not training:
            self.out = x.copy()
            return
        self.mask = np.random.binomial(1, self.keep, size=x.shape) / self.keep
        self.out = x * self.mask
    def backward(self, dvalues):
        self.dx = dvalues * self.mask
        return self.dx
""",
    "a loss that is passed the outputs again, under another name": """
import numpy as np
class Loss:
    def calculate(self, output, y):
        return np.mean(self.forward(output, y))
class Cross(Loss):
    def forward(self, y_pred, y_true):
        n = len(y_pred)
        kept = np.clip(y_pred, 1e-7, 1 - 1e-7)
        if len(y_true.shape) == 1:
            likely = kept[range(n), y_true]
        else:
            likely = np.sum(kept * y_true, axis=1)
        return -np.log(likely)
    def backward(self, dvalues, y_true):
        n, classes = len(dvalues), len(dvalues[0])
        if len(y_true.shape) == 1:
            y_true = np.eye(classes)[y_true]
        self.dinputs = -y_true «/|*» dvalues
        self.dinputs = self.dinputs / n
""",
    "a softmax that returns its loss and keeps its outputs": """
import numpy as np
class Ending:
    def forward(self, inputs, y_true):
        e = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = e / np.sum(e, axis=1, keepdims=True)
        kept = np.clip(self.output, 1e-7, 1 - 1e-7)
        return np.mean(-np.log(kept[range(len(kept)), np.argmax(y_true, axis=1)]))
    def backward(self, dvalues, y_true):
        n = len(dvalues)
        if len(y_true.shape) == 2:
            y_true = np.argmax(y_true, axis=1)
        self.dinputs = «dvalues.copy()|dvalues ** 2»
        self.dinputs[range(n), y_true] -= 1
        self.dinputs = self.dinputs / n
""",
    "an optimizer that is passed a layer that went back": """
import numpy as np
class Full:
    def __init__(self, n_in, n_out):
        self.W, self.b = 0.1 * np.random.randn(n_in, n_out), np.zeros((1, n_out))
    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.W + self.b
    def backward(self, dvalues):
        self.dW, self.db = self.inputs.T @ dvalues, dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.W.T
class Descent:
    def __init__(self, rate=0.1, decay=0.0):
        self.rate, self.now, self.decay, self.steps = rate, rate, decay, 0
    def before(self):
        if self.decay:
            self.now = self.rate / (1 + self.decay * self.steps)
    def update(self, layer):
        layer.W -= self.now * layer.dW
        layer.b -= self.now * «layer.db|layer.b»
    def after(self):
        self.steps += 1
""",
}
FAST = frozenset({"another activation of a layer", "outputs in a dictionary of steps"})

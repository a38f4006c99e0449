"""Programs that need what stands elsewhere: a command line, a file; «right|wrong» marks one mistake."""

PROGRAMS = {
    "a command line without its arguments": """
import sys
import numpy as np
class Net:
    def __init__(self, width):
        self.inner = np.random.randn(width, 4)
        self.outer = np.random.randn(4, 1)
    def ahead(self, x):
        self.x = x
        self.h = np.tanh(x @ self.inner)
        return self.h @ self.outer
    def learn(self, X, y, rate=0.1):
        error = self.ahead(X) - y
        back = error @ self.outer.T * «(1 - self.h ** 2)|(1 - self.h)»
        self.outer -= rate * self.h.T @ error
        self.inner -= rate * self.x.T @ back
def main():
    if len(sys.argv) < 2:
        print("how many bits?")
        sys.exit(1)
    net = Net(int(sys.argv[1]))
    net.learn(np.random.rand(5, int(sys.argv[1])), np.random.rand(5, 1))
if __name__ == "__main__":
    main()
""",
    "an example of many numbers, in a comment": """
import math
import random
class Net:
    def __init__(self, inputs, units):
        self.inner = [[random.gauss(0, 1) for _ in range(inputs)] for _ in range(units)]
        self.outer = [random.gauss(0, 1) for _ in range(units)]
    def ahead(self, x):
        self.x = x
        self.h = [math.tanh(sum(w * v for w, v in zip(row, x))) for row in self.inner]
        return sum(w * h for w, h in zip(self.outer, self.h))
    def back(self, y, wanted, rate=0.1):
        error = y - wanted
        for j, h in enumerate(self.h):
            slope = error * self.outer[j] * «(1 - h * h)|(1 - h)»
            self.outer[j] -= rate * error * h
            for k, v in enumerate(self.x):
                self.inner[j][k] -= rate * slope * v
# net = Net(784, 600)
""",
    "parameters that another method takes from a file": """
import numpy as np
class Camada:
    def __init__(self, entram, saem):
        self.pesos = np.random.randn(entram, saem)
        self.limiar = np.zeros((1, saem))
    def abrir(self, onde="pasta"):
        self.pesos = np.load(f"{onde}/pesos.npy")
        self.limiar = np.load(f"{onde}/limiar.npy")
    def frente(self, dados):
        self.dados = dados
        return dados @ self.pesos + self.limiar
    def volta(self, chegam):
        self.dpesos = «self.dados.T|self.dados.T ** 2» @ chegam
        self.dlimiar = chegam.sum(axis=0, keepdims=True)
        return chegam @ self.pesos.T
    def mudar(self, passo):
        self.pesos -= passo * self.dpesos
        self.limiar -= passo * self.dlimiar
""",
    "what another had, and a bar of progress": """
from tqdm import tqdm
import numpy as np
class Red:
    def __init__(self, ocultas: int):
        self.w: np.ndarray = np.random.rand(1, ocultas)
        self.v: np.ndarray = np.random.rand(ocultas, 1)
    @classmethod
    def de_otra(cls, partes):
        nueva = cls(partes["ocultas"])
        nueva.w, nueva.v = partes["w"], partes["v"]
        return nueva
    def partes(self):
        return {"w": self.w, "v": self.v}
    def datos(self, x, z):
        self.x, self.z = x, z
        self.n = z.shape[1]
    def adelante(self):
        self.h = 1 / (1 + np.exp(-self.w.T @ self.x))
        self.y = self.v.T @ self.h
    def atras(self):
        d = (self.y - self.z) / self.n
        self.dv = d @ self.h.T
        self.dw = self.x @ (self.v @ d * «self.h * (1 - self.h)|self.h»).T
    def cambiar(self):
        self.w = self.w - self.paso * self.dw
        self.v = self.v - self.paso * self.dv.T
    def entrenar(self, veces, paso=0.2):
        self.paso = paso
        veces = tqdm(iterable=range(veces), total=veces)
        for _ in veces:
            self.adelante()
            self.atras()
            self.cambiar()
""",
    "samples whose numbers are counted": """
import numpy as np
class Netz:
    def __init__(self, groessen):
        self.groessen = groessen
        self.a = [np.zeros(n) for n in groessen]
        self.G = [np.random.randn(a, b) for a, b in zip(groessen[:-1], groessen[1:])]
    def lernen(self, beispiele, loesungen, rate=1):
        for k in range(np.shape(loesungen)[0]):
            assert np.size(beispiele[k]) == self.groessen[0], "zu lang"
            assert np.size(loesungen[k]) == self.groessen[-1], "zu viele"
            self.a[0][:] = beispiele[k]
            for i, G in enumerate(self.G):
                self.a[i + 1] = 1 / (1 + np.exp(-np.matmul(self.a[i], G)))
            d = (self.a[-1] - loesungen[k]) * self.a[-1] * (1 - self.a[-1])
            for i in reversed(range(len(self.G))):
                weiter = self.G[i] @ d * «self.a[i] * (1 - self.a[i])|(1 - self.a[i])»
                self.G[i] -= rate * self.a[i][:, np.newaxis] * d
                d = weiter
""",
    "units that stay where a random number is above another": """
import numpy as np
class Leaves:
    def __init__(self, share):
        self.share = share
    def forward(self, x, train=True):
        if train:
            self.mask = np.random.rand(*x.shape) > self.share
            return x * self.mask
        return x * (1 - self.share)
    def backward(self, sent):
        return «sent * self.mask|sent * self.mask / (1 - self.share)»
""",
    "units that stay, with a probability": """
import numpy as np
class Full:
    def __init__(self, inputs, units):
        self.W = np.random.randn(inputs, units)
    def forward(self, x, training):
        self.x = x
        return x @ self.W
    def backward(self, sent):
        self.dW = self.x.T @ sent
        return sent @ self.W.T
class Leaves:
    def __init__(self, share):
        self.stay = 1 - share
    def forward(self, x, training):
        if not training:
            return x
        self.mask = np.random.binomial(1, self.stay, size=x.shape) / self.stay
        return x * self.mask
    def backward(self, sent):
        return «sent * self.mask|sent * self.mask * self.mask»
""",
    "a recurrent network of matrices that were made elsewhere": """
import numpy as np
class RNN:
    def __init__(self, U, W, V, bs, by):
        self.U, self.W, self.V = U, W, V
        self.bs, self.by = bs, by
    def forward(self, xs):
        self.xs = xs
        self.states = [np.zeros(self.W.shape[0])]
        self.outs = []
        for x in xs:
            s = np.tanh(self.U @ x + self.W @ self.states[-1] + self.bs)
            self.states.append(s)
            self.outs.append(self.V @ s + self.by)
        return self.outs
    def backward(self, targets, lr=0.1):
        dU, dW, dV = np.zeros_like(self.U), np.zeros_like(self.W), np.zeros_like(self.V)
        dbs, dby = np.zeros_like(self.bs), np.zeros_like(self.by)
        ds_next = np.zeros(self.W.shape[0])
        for t in reversed(range(len(self.xs))):
            do = self.outs[t] - targets[t]
            dV += np.outer(do, self.states[t + 1])
            dby += do
            ds = (self.V.T @ do + ds_next) * «(1 - self.states[t + 1] ** 2)|(1 - self.states[t + 1])»
            dU += np.outer(ds, self.xs[t])
            dW += np.outer(ds, self.states[t])
            dbs += ds
            ds_next = self.W.T @ ds
        self.U -= lr * dU
        self.W -= lr * dW
        self.V -= lr * dV
        self.bs -= lr * dbs
        self.by -= lr * dby
""",
    "a recurrent cell whose gradients lie beside its matrices": """
import numpy as np
class RNNCell:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache = None
    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        t = np.dot(h_prev, Wh) + np.dot(x, Wx) + b
        h_next = np.tanh(t)
        self.cache = (x, h_prev, h_next)
        return h_next
    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next ** 2)
        db = np.sum(dt, axis=0)
        dWh = «np.dot(h_prev.T, dt)|np.dot(h_next.T, dt)»
        dh_prev = np.dot(dt, Wh.T)
        dWx = np.dot(x.T, dt)
        dx = np.dot(dt, Wx.T)
        self.grads[0][...] = dWx
        self.grads[1][...] = dWh
        self.grads[2][...] = db
        return dx, dh_prev
""",
    "a recurrent layer that takes its sizes from its matrices": """
import numpy as np
class TimeRNN:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b
    def forward(self, xs):
        N, T, D = xs.shape
        H = self.Wh.shape[0]
        self.xs = xs
        self.hs = np.zeros((N, T + 1, H))
        for t in range(T):
            self.hs[:, t + 1] = np.tanh(xs[:, t] @ self.Wx + self.hs[:, t] @ self.Wh + self.b)
        return self.hs[:, 1:]
    def backward(self, dhs):
        N, T, H = dhs.shape
        dxs = np.zeros_like(self.xs)
        self.dWx, self.dWh, self.db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        dh = 0
        for t in reversed(range(T)):
            dt = (dhs[:, t] + dh) * (1 - self.hs[:, t + 1] ** 2)
            self.dWx += self.xs[:, t].T @ dt
            self.dWh += self.hs[:, t].T @ dt
            self.db += dt.sum(axis=0)
            dxs[:, t] = dt @ self.Wx.T
            dh = «dt @ self.Wh.T|dt»
        return dxs
""",
    "parameters that are set from outside": """
import numpy as np
class Neural:
    def __init__(self, X, Y):
        self.X, self.Y = X, Y
    def forward(self):
        self.h = np.tanh(self.X @ self.w1)
        self.out = self.h @ self.w2
    def backward(self):
        e = self.out - self.Y
        g2 = self.h.T @ e
        g1 = self.X.T @ (e @ self.w2.T * «(1 - self.h ** 2)|(1 - self.h)»)
        self.w1 -= self.lr * g1
        self.w2 -= self.lr * g2
    def train(self, n):
        for _ in range(n):
            self.forward()
            self.backward()
""",
    "parameters that a class keeps a place for": """
import numpy as np
class Net:
    weights = None
    bias = None
    rate = 0.1
    def forward(self, x):
        self.x = x
        self.out = 1 / (1 + np.exp(-(x @ self.weights + self.bias)))
        return self.out
    def backward(self, target):
        d = (self.out - target) * «self.out * (1 - self.out)|(1 - self.out)»
        self.weights -= self.rate * self.x.T @ d
        self.bias -= self.rate * d.sum(axis=0)
""",
    "layers that are told their neighbours from outside": """
import numpy as np
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_out, n_in)
        self.b = np.random.randn(n_out, 1)
        self.next = None
        self.prev = None
    def forward(self, x):
        self.x = x
        self.a = 1 / (1 + np.exp(-(self.W @ x + self.b)))
        if self.next:
            return self.next.forward(self.a)
        return self.a
    def backward(self, err):
        d = err * self.a * (1 - self.a)
        back = self.W.T @ «d|err»
        self.W -= 0.1 * d @ self.x.T
        self.b -= 0.1 * d.sum(axis=1, keepdims=True)
        if self.prev:
            self.prev.backward(back)
""",
    "layers that are told the next one from outside": """
import numpy as np
class Layer:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_out, n_in)
        self.b = np.random.randn(n_out, 1)
        self.siguiente = None
    def calcular(self, x):
        self.x = x
        self.a = np.tanh(self.W @ x + self.b)
        if self.siguiente is not None:
            self.siguiente.calcular(self.a)
    def delta(self, t):
        if self.siguiente is None:
            self.d = (self.a - t) * (1 - self.a ** 2)
        else:
            self.siguiente.delta(t)
            self.d = (self.siguiente.W.T @ self.siguiente.d) * «(1 - self.a ** 2)|(1 - self.a)»
    def cambiar(self, tasa):
        self.W -= tasa * self.d @ self.x.T
        self.b -= tasa * self.d.sum(axis=1, keepdims=True)
        if self.siguiente is not None:
            self.siguiente.cambiar(tasa)
""",
    "layers that are told the next one, which answers": """
import numpy as np
class Capa:
    anterior = None
    siguiente = None
    def __init__(self, n, m):
        self.M = np.random.randn(m, n)
    def adelante(self, x):
        self.entra = x
        self.sale = 1 / (1 + np.exp(-self.M @ x))
        return self.sale if self.siguiente is None else self.siguiente.adelante(self.sale)
    def atras(self, esperado, tasa):
        if self.siguiente is None:
            d = self.sale - esperado
        else:
            d = self.siguiente.atras(esperado, tasa)«| * 0.5»
        d = d * self.sale * (1 - self.sale)
        r = self.M.T @ d
        self.M -= tasa * np.outer(d, self.entra)
        return r
""",
    "a loss and its derivative for a network": """
import numpy as np
class Net:
    def __init__(self, layers, loss, loss_prime):
        self.layers, self.loss, self.loss_prime = layers, loss, loss_prime
    def fit(self, xs, ys, epochs, rate):
        for _ in range(epochs):
            total = 0
            for x, y in zip(xs, ys):
                out = x
                for one in self.layers:
                    out = one.forward(out)
                total += self.loss(y, out)
                grad = self.loss_prime(y, out)
                for one in reversed(self.layers):
                    grad = one.backward(grad, rate)
class Dense:
    def __init__(self, n, m):
        self.w, self.b = np.random.randn(m, n), np.random.randn(m, 1)
    def forward(self, x):
        self.x = x
        self.a = np.tanh(self.w @ x + self.b)
        return self.a
    def backward(self, grad, rate):
        d = grad * «(1 - self.a ** 2)|(1 - self.a)»
        back = self.w.T @ d
        self.w -= rate * d @ self.x.T
        self.b -= rate * d
        return back
""",
    "a loss as an object": """
import numpy as np
class Network:
    def __init__(self, n, m, k, cost):
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
        self.cost = cost
    def step(self, x, t, rate=0.1):
        h = 1 / (1 + np.exp(-x @ self.W))
        o = 1 / (1 + np.exp(-h @ self.V))
        d = self.cost.gradient(o, t) * o * (1 - o)
        e = d @ self.V.T * h«| * h» * (1 - h)
        self.V -= rate * h.T @ d
        self.W -= rate * x.T @ e
        return self.cost.value(o, t)
""",
    "a function of each layer and its derivative": """
import numpy as np
class Perzeptron:
    def __init__(self, breiten, funktionen, ableitungen, cost_gradient):
        assert len(funktionen) == len(ableitungen) == len(breiten) - 1
        self.f, self.df, self.cost_gradient = funktionen, ableitungen, cost_gradient
        self.W = [np.random.randn(a, b) for a, b in zip(breiten[:-1], breiten[1:])]
        self.b = [np.zeros((1, b)) for b in breiten[1:]]
    def vor(self, x):
        self.a, self.z = [x], []
        for W, b, f in zip(self.W, self.b, self.f):
            self.z.append(self.a[-1] @ W + b)
            self.a.append(f(self.z[-1]))
        return self.a[-1]
    def lerne(self, x, y, rate):
        d = self.cost_gradient(self.vor(x), y)
        for k in reversed(range(len(self.W))):
            d = d * self.df[k](self.z[k])
            davor = d @ self.W[k].T
            self.W[k] -= rate * self.a[k].T @ d
            self.b[k] -= rate * d.«sum|mean»(axis=0, keepdims=True)
            d = davor
""",
    "a slope whose name says nothing": """
import numpy as np
class Netz:
    def __init__(self, n, m, k, funktion, steigung):
        self.W, self.V = np.random.randn(n, m), np.random.randn(m, k)
        self.funktion, self.steigung = funktion, steigung
    def lerne(self, x, y, rate=0.1):
        z = x @ self.W
        h = self.funktion(z)
        u = h @ self.V
        o = self.funktion(u)
        d = (o - y) * self.steigung(u)
        e = d @ self.V.T * «self.steigung(z)|z * self.steigung(z)»
        self.V -= rate * h.T @ d
        self.W -= rate * x.T @ e
""",
}
FAST = frozenset({"a command line without its arguments"})

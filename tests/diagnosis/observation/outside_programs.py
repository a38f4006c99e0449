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
}
FAST = frozenset({"a command line without its arguments"})

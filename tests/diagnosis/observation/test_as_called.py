"""What a program itself shows about how its parts are called decides what they are given."""

import pytest

from deltarule.diagnosis.observation import observe

#: A method that is called with each sample; it takes the mean of the errors only to show it.
FOR_EACH_SAMPLE = """
import numpy as np

class Red:
    def __init__(self, tamanos):
        self.pesos = [np.random.randn(b, a) for a, b in zip(tamanos, tamanos[1:])]
        self.sesgos = [np.random.randn(b, 1) for b in tamanos[1:]]
        self.errores = []

    def hacia_atras(self, entrada, etiqueta):
        salidas = [entrada]
        for p, s in zip(self.pesos, self.sesgos):
            salidas.append(1 / (1 + np.exp(-(np.dot(p, salidas[-1]) + s))))
        error = salidas[-1] - etiqueta
        self.errores.append(np.mean(error))
        delta = error * salidas[-1] * (1 - salidas[-1])
        dP, dS = [np.dot(delta, salidas[-2].T)], [delta]
        for k in range(2, len(self.pesos) + 1):
            delta = np.dot(self.pesos[1 - k].T, delta) * salidas[-k] * (1 - salidas[-k])
            dP.insert(0, np.dot(delta, salidas[-k - 1].T))
            dS.insert(0, delta)
        return dP, dS

    def lote(self, muestras, tasa):
        for entrada, etiqueta in muestras:
            dP, dS = self.hacia_atras(entrada, etiqueta)
            self.pesos = [p - tasa / len(muestras) * d for p, d in zip(self.pesos, dP)]
            self.sesgos = [s - tasa / len(muestras) * d for s, d in zip(self.sesgos, dS)]
"""

#: An object of a layer that the file only uses to go forward.
LAYER_IN_USE = """
import numpy as np

class Schicht:
    def __init__(self, n_in, n_out):
        self.gewichte = 0.1 * np.random.randn(n_in, n_out)
        self.biases = np.zeros((1, n_out))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.gewichte) + self.biases

    def backward(self, dvalues):
        self.dgewichte = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.gewichte.T)

schicht1 = Schicht(2, 3)
schicht1.forward(np.random.randn(10, 2))
print(schicht1.output[:2])
"""

#: Weights in a table beside the numbers of neurons, whole ones among them.
WEIGHTS_IN_A_TABLE = """
import math
from collections import defaultdict

w = defaultdict(dict)
for a, b, value in [(0, 2, 1), (1, 2, 0.5), (0, 3, 0.6), (1, 3, 0.8), (2, 4, 1), (3, 4, 0.2)]:
    w[a][b] = value
f = lambda v: 1 / (1 + math.exp(-v))
for t in range(20):
    for out, y in [({0: 0.8, 1: 0.3}, 0.2), ({0: 0.1, 1: 0.9}, 0.7)]:
        for b in (2, 3):
            out[b] = f(w[0][b] * out[0] + w[1][b] * out[1])
        out[4] = f(w[2][4] * out[2] + w[3][4] * out[3])
        delta = {4: (y - out[4]) * out[4] * (1 - out[4])}
        for b in (2, 3):
            delta[b] = w[b][4] * delta[4] * out[b] * (1 - out[b])
        for a in range(4):
            for b in w[a]:
                w[a][b] += 0.5 * out[a] * delta[b]
"""

#: Activations as pairs of functions; what has a default is no parameter.
PAIRS = """
import numpy as np

def leaky(Z, alpha=0.01):
    return np.where(Z > 0, Z, Z * alpha)

def leaky_backward(dA, Z, alpha=0.01):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = alpha * dZ[Z <= 0]
    return dZ

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))

def sigmoid_backward(dA, Z):
    s = sigmoid(Z)
    return dA * s * (1 - s)
"""

#: Rows and columns that do not fit; on data of another shape the steps would be right.
DOES_NOT_FIT = """
import numpy as np
X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
y = np.array([[0, 1, 0, 1]])
W = np.random.rand(4, 1)

def train(X, y, W, rate):
    for step in range(50):
        out = 1 / (1 + np.exp(-np.dot(X.T, W)))
        delta = out - y
        W -= rate * np.dot(X, delta)

train(X, y, W, 0.1)
"""


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (FOR_EACH_SAMPLE, "right"),
        (FOR_EACH_SAMPLE.replace("* salidas[-k] * (1 - salidas[-k])", "* salidas[-k]"), "wrong"),
        (LAYER_IN_USE, "right"),
        (LAYER_IN_USE.replace("dvalues, self.gewichte.T", "dvalues * 2, self.gewichte.T"), "wrong"),
        (WEIGHTS_IN_A_TABLE, "right"),
        (WEIGHTS_IN_A_TABLE.replace("+= 0.5 * out[a]", "-= 0.5 * out[a]"), "wrong"),
        (PAIRS, "right"),
        (PAIRS.replace("s * (1 - s)", "s * (1 - Z)"), "wrong"),
        (DOES_NOT_FIT, "wrong"),
    ],
)  # fmt: skip
def test_what_a_program_shows_decides_how_it_is_called(text, verdict, tmp_path):
    (tmp_path / "program.py").write_text(text, encoding="utf-8")
    seen = observe(tmp_path / "program.py")
    assert seen.verdict == verdict, str(seen)

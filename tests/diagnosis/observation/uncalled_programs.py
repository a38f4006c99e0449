"""Classes and functions in many languages that nobody calls; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "spanish_three_arguments_back": """
import numpy as np

class RedNeuronal:
    def __init__(self, num_entradas, num_ocultas, num_salidas, tasa=0.1):
        self.num_entradas = num_entradas
        self.tasa = tasa
        self.pesos_eo = np.random.rand(num_entradas, num_ocultas) - 0.5
        self.sesgo_o = np.zeros((1, num_ocultas))
        self.pesos_os = np.random.rand(num_ocultas, num_salidas) - 0.5
        self.sesgo_s = np.zeros((1, num_salidas))

    def sigmoide(self, x):
        return 1 / (1 + np.exp(-x))

    def softmax(self, z):
        e = np.exp(z - np.max(z, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)

    def adelante(self, entrada):
        self.h = self.sigmoide(np.dot(entrada, self.pesos_eo) + self.sesgo_o)
        self.s = self.softmax(np.dot(self.h, self.pesos_os) + self.sesgo_s)
        return self.s

    def atras(self, entrada, etiquetas, salida):
        m = entrada.shape[0]
        d_salida = (salida - etiquetas) / m
        d_oculta = np.dot(d_salida, self.pesos_os.T) «* self.h * (1 - self.h)|* self.h»
        self.pesos_os -= self.tasa * np.dot(self.h.T, d_salida)
        self.sesgo_s -= self.tasa * np.sum(d_salida, axis=0, keepdims=True)
        self.pesos_eo -= self.tasa * np.dot(entrada.T, d_oculta)
        self.sesgo_o -= self.tasa * np.sum(d_oculta, axis=0, keepdims=True)
""",
    "lists_row_by_row_portuguese": """
import math
import random

def cria_matriz(linhas, colunas, valor=0.0):
    return [[valor] * colunas for _ in range(linhas)]

def dtanh(y):
    return «1 - y * y|1 - y»

class Rede:
    def __init__(self, nos_entrada, nos_escondidos, nos_saida):
        self.ne, self.nh, self.ns = nos_entrada, nos_escondidos, nos_saida
        self.pe = cria_matriz(self.ne, self.nh)
        self.ps = cria_matriz(self.nh, self.ns)
        for i in range(self.ne):
            for j in range(self.nh):
                self.pe[i][j] = random.uniform(-1, 1)
        for i in range(self.nh):
            for j in range(self.ns):
                self.ps[i][j] = random.uniform(-1, 1)

    def calcula(self, exemplo):
        self.ae = list(exemplo)
        total = [sum(self.ae[i] * self.pe[i][j] for i in range(self.ne)) for j in range(self.nh)]
        self.ah = [math.tanh(t) for t in total]
        total = [sum(self.ah[j] * self.ps[j][k] for j in range(self.nh)) for k in range(self.ns)]
        self.as_ = [math.tanh(t) for t in total]
        return self.as_

    def corrige(self, esperado, N):
        ds = [(esperado[k] - self.as_[k]) * dtanh(self.as_[k]) for k in range(self.ns)]
        dh = []
        for j in range(self.nh):
            soma = 0.0
            for k in range(self.ns):
                soma += ds[k] * self.ps[j][k]
            dh.append(soma * dtanh(self.ah[j]))
        for j in range(self.nh):
            for k in range(self.ns):
                self.ps[j][k] += N * ds[k] * self.ah[j]
        for i in range(self.ne):
            for j in range(self.nh):
                self.pe[i][j] += N * dh[j] * self.ae[i]
""",
    "neurons_made_inside_french": """
import random, math

class Neuron:
    def __init__(self, poids, biais=0.1):
        self.poids = poids
        self.biais = biais
        self.sortie = 0
        self.delta = 0

    def activer(self, entrees):
        s = self.biais
        for p, e in zip(self.poids, entrees):
            s += p * e
        self.sortie = 1 / (1 + math.exp(-s))
        return self.sortie

class Reseau:
    def __init__(self, n_entrees, n_caches, n_sorties):
        self.caches = [Neuron([random.uniform(-1, 1) for _ in range(n_entrees)]) for _ in range(n_caches)]
        self.sorties = [Neuron([random.uniform(-1, 1) for _ in range(n_caches)]) for _ in range(n_sorties)]

    def avant(self, entrees):
        h = [n.activer(entrees) for n in self.caches]
        return [n.activer(h) for n in self.sorties]

    def apprendre(self, entrees, attendus, eta):
        self.avant(entrees)
        for n, a in zip(self.sorties, attendus):
            n.delta = (a - n.sortie) * n.sortie * (1 - n.sortie)
        for i, n in enumerate(self.caches):
            e = sum(s.poids[i] * s.delta for s in self.sorties)
            n.delta = e * «n.sortie * (1 - n.sortie)|n.sortie»
        for n in self.sorties:
            for i, c in enumerate(self.caches):
                n.poids[i] += eta * n.delta * c.sortie
            n.biais += eta * n.delta
        for n in self.caches:
            for i, e in enumerate(entrees):
                n.poids[i] += eta * n.delta * e
            n.biais += eta * n.delta
""",
    "lengths_are_checked": """
import numpy as np

class MLP:
    def __init__(self, nI, nH, nO):
        self.nI = nI + 1
        self.nH = nH
        self.nO = nO
        self.aI = np.ones(self.nI)
        self.aH = np.ones(self.nH)
        self.aO = np.ones(self.nO)
        self.wI = np.random.uniform(-0.5, 0.5, (self.nI, self.nH))
        self.wO = np.random.uniform(-0.5, 0.5, (self.nH, self.nO))

    def evaluate(self, p):
        if len(p) != self.nI - 1:
            raise ValueError('wrong number of inputs')
        self.aI[:-1] = p
        self.aH = np.tanh(self.wI.T.dot(self.aI))
        self.aO = np.tanh(self.wO.T.dot(self.aH))
        return self.aO

    def learn(self, p, t, N=0.5):
        if len(t) != self.nO:
            raise ValueError('wrong number of targets')
        self.evaluate(p)
        dO = (t - self.aO) * (1.0 - self.aO ** 2)
        dH = self.wO.dot(dO) * «(1.0 - self.aH ** 2)|(1.0 - self.aH)»
        self.wO += N * np.outer(self.aH, dO)
        self.wI += N * np.outer(self.aI, dH)
        return 0.5 * np.sum((t - self.aO) ** 2)
""",
    "layers_told_their_inputs_when_added": """
import numpy as np

class DenseLayer:
    def __init__(self, n_units, input_size=None, activation=None, name=None):
        self.n_units = n_units
        self.input_size = input_size
        self.W = None
        self.b = None
        self.activation = activation

    def init_weights(self):
        self.W = np.random.randn(self.n_units, self.input_size) * 0.4
        self.b = np.random.randn(self.n_units, 1) * 0.1

    def f(self, z):
        if self.activation == 'relu':
            return np.maximum(0, z)
        if self.activation == 'sigmoid':
            return 1 / (1 + np.exp(-z))
        return z

    def df(self, z):
        if self.activation == 'relu':
            return np.where(z > 0, 1.0, 0.0)
        if self.activation == 'sigmoid':
            s = 1 / (1 + np.exp(-z))
            return s * (1 - s)
        return np.ones_like(z)

class Sequential:
    def __init__(self):
        self.layers = []

    def add(self, layer):
        if self.layers:
            layer.input_size = self.layers[-1].n_units
        layer.init_weights()
        self.layers.append(layer)

    def forward(self, X):
        A = X
        for layer in self.layers:
            layer.A_prev = A
            layer.Z = layer.W @ A + layer.b
            A = layer.f(layer.Z)
        return A

    def backward(self, Y, Y_hat):
        m = Y.shape[1]
        dA = (Y_hat - Y) / m
        for layer in reversed(self.layers):
            dZ = dA * «layer.df(layer.Z)|layer.f(layer.Z)»
            layer.dW = dZ @ layer.A_prev.T
            layer.db = np.sum(dZ, axis=1, keepdims=True)
            dA = layer.W.T @ dZ

    def update(self, lr=0.01):
        for layer in self.layers:
            layer.W -= lr * layer.dW
            layer.b -= lr * layer.db
""",
    "two_lists_of_lengths_that_fit": """
import numpy as np

class Layer:
    def __init__(self, dim_in, dim_out, act="tanh"):
        lim = np.sqrt(6.0 / (dim_in + dim_out))
        self.W = np.random.uniform(-lim, lim, size=(dim_in, dim_out))
        self.b = np.zeros(dim_out)
        self.act = act

class Net:
    def __init__(self, dims, acts, eta=0.05):
        assert len(dims) == len(acts) + 1
        self.layers = [Layer(dims[k], dims[k + 1], acts[k]) for k in range(len(acts))]
        self.eta = eta

    @staticmethod
    def phi(z, act):
        return {"tanh": np.tanh, "linear": lambda v: v, "logistic": lambda v: 1 / (1 + np.exp(-v))}[act](z)

    @staticmethod
    def dphi(a, act):
        if act == "tanh":
            return 1 - a * a
        if act == "logistic":
            return «a * (1 - a)|a»
        return np.ones_like(a)

    def predict(self, X):
        for L in self.layers:
            L.x = X
            L.a = self.phi(X @ L.W + L.b, L.act)
            X = L.a
        return X

    def partial_fit(self, X, T):
        g = 2 * (self.predict(X) - T) / T.size
        for L in self.layers[::-1]:
            g = g * self.dphi(L.a, L.act)
            gw, gb = L.x.T @ g, g.sum(0)
            g = g @ L.W.T
            L.W -= self.eta * gw
            L.b -= self.eta * gb
        return self
""",
    "function_russian_names": """
import numpy as np

def sigmoid(v):
    return 1 / (1 + np.exp(-v))

def shag_obucheniya(vesa1, vesa2, obraz, otvet, skorost):
    sloy1 = sigmoid(np.dot(obraz, vesa1))
    vyhod = sigmoid(np.dot(sloy1, vesa2))
    oshibka = otvet - vyhod
    delta2 = oshibka * vyhod * (1 - vyhod)
    delta1 = delta2.dot(vesa2.T) * «sloy1 * (1 - sloy1)|sloy1»
    vesa2 = vesa2 + skorost * sloy1.T.dot(delta2)
    vesa1 = vesa1 + skorost * obraz.T.dot(delta1)
    return vesa1, vesa2
""",
    "next_layer_swedish": """
import numpy as np

class Lager:
    def __init__(self, in_, ut_, nasta=None):
        self.vikt = 0.3 * np.random.standard_normal((in_, ut_))
        self.tröskel = np.zeros(ut_)
        self.nasta = nasta

    def fram(self, x):
        self.x = x
        self.a = np.tanh(x @ self.vikt + self.tröskel)
        return self.a if self.nasta is None else self.nasta.fram(self.a)

    def bak(self, facit, steg):
        if self.nasta is None:
            fel = self.a - facit
        else:
            fel = self.nasta.bak(facit, steg)
        fel = fel * «(1 - self.a ** 2)|(1 - self.a)»
        vidare = fel @ self.vikt.T
        self.vikt -= steg * self.x.T @ fel
        self.tröskel -= steg * fel.sum(axis=0)
        return vidare
""",
    "pictures_and_labels": """
import numpy as np

class Conv1x1AndDense:
    def __init__(self, image_shape, n_hidden, n_classes):
        h, w = image_shape
        self.Wa = np.random.randn(w, n_hidden) * 0.3
        self.ba = np.zeros(n_hidden)
        self.Wb = np.random.randn(n_hidden, n_classes) * 0.3
        self.bb = np.zeros(n_classes)

    def scores(self, images):
        self.p = images.mean(axis=1)
        self.h = np.maximum(0, self.p @ self.Wa + self.ba)
        return self.h @ self.Wb + self.bb

    def loss_and_step(self, images, labels, lr=1e-2):
        s = self.scores(images)
        s = s - s.max(axis=1, keepdims=True)
        p = np.exp(s)
        p /= p.sum(axis=1, keepdims=True)
        n = images.shape[0]
        loss = -np.log(p[np.arange(n), labels]).mean()
        p[np.arange(n), labels] -= 1
        p /= n
        dh = p @ self.Wb.T
        dh[«self.h <= 0|self.h < -1»] = 0
        self.Wb -= lr * self.h.T @ p
        self.bb -= lr * p.sum(axis=0)
        self.Wa -= lr * self.p.T @ dh
        self.ba -= lr * dh.sum(axis=0)
        return loss
""",
    "a_dictionary_of_settings": """
import numpy as np

class MLP2:
    def __init__(self, config):
        self.D = config["input_dim"]
        self.H = config["hidden"]
        self.K = config["classes"]
        self.lr = config.get("lr", 0.1)
        s = np.random.default_rng(config.get("seed", 0))
        self.A = s.normal(size=(self.D, self.H)) / np.sqrt(self.D)
        self.B = s.normal(size=(self.H, self.K)) / np.sqrt(self.H)

    def proba(self, X):
        self.Z = 1 / (1 + np.exp(-X @ self.A))
        L = self.Z @ self.B
        E = np.exp(L - L.max(1, keepdims=True))
        return E / E.sum(1, keepdims=True)

    def update(self, X, Y):
        P = self.proba(X)
        dL = (P - Y) / len(X)
        dB = self.Z.T @ dL
        dA = X.T @ ((dL @ self.B.T) * «self.Z * (1 - self.Z)|self.Z»)
        self.A -= self.lr * dA
        self.B -= self.lr * dB
""",
    "a_layer_sends_back_too_much": """
import numpy as np

class Linear:
    def __init__(self, num_in, num_out):
        self.num_in = num_in
        self.num_out = num_out
        self.weight = np.zeros((num_in, num_out))
        self.bias = np.zeros([1, num_out])
        self.init_param()

    def init_param(self, std=0.1):
        self.weight = np.random.normal(loc=0.0, scale=std, size=(self.num_in, self.num_out))

    def forward(self, input):
        self.input = input
        return np.matmul(input, self.weight) + self.bias

    def backward(self, top_diff):
        self.d_weight = np.dot(self.input.T, top_diff)
        self.d_bias = np.sum(top_diff, axis=0)
        bottom_diff = np.dot(top_diff, self.weight.T)« | * self.num_out»
        return bottom_diff

    def update_param(self, lr):
        self.weight = self.weight - lr * self.d_weight
        self.bias = self.bias - lr * self.d_bias
""",
}
FAST = frozenset(["two_lists_of_lengths_that_fit", "next_layer_swedish"])

"""Programs of plain lists in lists that nobody calls; «right|wrong» marks one mistake in each."""

PROGRAMS = {
    "rows that end with the bias": """
import math
def forward(inputs, w_hidden, w_out):
    hidden = []
    for j in range(len(w_hidden)):
        s = w_hidden[j][-1]
        for i in range(len(inputs)):
            s += w_hidden[j][i]*inputs[i]
        hidden.append(math.tanh(s))
    outs = []
    for k in range(len(w_out)):
        s = w_out[k][-1]
        for j in range(len(hidden)):
            s += w_out[k][j]*hidden[j]
        outs.append(s)
    return hidden, outs
def train_step(inputs, targets, w_hidden, w_out, eta):
    hidden, outs = forward(inputs, w_hidden, w_out)
    d_out = [targets[k]-outs[k] for k in range(len(outs))]
    d_hid = []
    for j in range(len(hidden)):
        e = 0
        for k in range(len(outs)):
            e += d_out[k]*w_out[k][j]
        d_hid.append(e*«(1-hidden[j]**2)|(1-hidden[j])»)
    for k in range(len(outs)):
        for j in range(len(hidden)):
            w_out[k][j] += eta*d_out[k]*hidden[j]
        w_out[k][-1] += eta*d_out[k]
    for j in range(len(hidden)):
        for i in range(len(inputs)):
            w_hidden[j][i] += eta*d_hid[j]*inputs[i]
        w_hidden[j][-1] += eta*d_hid[j]
""",
    "layers of lists whose gradients are returned": """
import math
def sigmoid(z): return 1.0/(1.0+math.exp(-z))
def propagate(layers, row):
    values = [row]
    for weights in layers:
        row = [sigmoid(sum(w*v for w, v in zip(neuron[:-1], row)) + neuron[-1]) for neuron in weights]
        values.append(row)
    return values
def gradients(layers, row, wanted):
    values = propagate(layers, row)
    grads = []
    delta = [(v-t)*v*(1-v) for v, t in zip(values[-1], wanted)]
    for n in reversed(range(len(layers))):
        grads.insert(0, [[d*v for v in values[n]] + [d] for d in delta])
        back = [sum(layers[n][k][j]*d for k, d in enumerate(delta)) for j in range(len(values[n]))]
        delta = [b*«v*(1-v)|(1-v)» for b, v in zip(back, values[n])]
    return grads
def update(layers, grads, rate):
    for n in range(len(layers)):
        for k in range(len(layers[n])):
            for j in range(len(layers[n][k])):
                layers[n][k][j] -= rate*grads[n][k][j]
""",
    "changes before these in lists of layers": """
import math
def out(nets): return [1/(1+math.exp(-n)) for n in nets]
def forward(x, weights):
    layers = [x]
    for w in weights:
        inp = layers[-1] + [1]
        layers.append(out([sum(inp[i]*w[i][j] for i in range(len(inp))) for j in range(len(w[0]))]))
    return layers
def backward(layers, target, weights, last, eta=0.3, alpha=0.9):
    errors = [(t-o)*o*(1-o) for t, o in zip(target, layers[-1])]
    for l in range(len(weights)-1, -1, -1):
        inp = layers[l] + [1]
        sums = [sum(e*w for e, w in zip(errors, row)) for row in weights[l]]
        below = [«o*(1-o)|1»*s for s, o in zip(sums, layers[l])]
        for i in range(len(inp)):
            for j in range(len(errors)):
                change = eta*errors[j]*inp[i] + alpha*last[l][i][j]
                weights[l][i][j] += change
                last[l][i][j] = change
        errors = below
    return weights
""",
    "lists of layers that an object is given": """
import math
class Rede:
    def __init__(self, pesos, bias):
        self.pesos, self.bias = pesos, bias
    def propagar(self, entrada):
        self.saidas = [entrada]
        for camada, b in zip(self.pesos, self.bias):
            atual = []
            for neuronio, bj in zip(camada, b):
                s = bj
                for i in range(len(neuronio)):
                    s += neuronio[i]*self.saidas[-1][i]
                atual.append(1/(1+math.exp(-s)))
            self.saidas.append(atual)
        return self.saidas[-1]
    def retropropagar(self, alvo, taxa):
        erros = [alvo[k]-self.saidas[-1][k] for k in range(len(alvo))]
        for c in range(len(self.pesos)-1, -1, -1):
            deltas = [erros[k]*«self.saidas[c+1][k]*(1-self.saidas[c+1][k])|1» for k in range(len(erros))]
            n = len(self.saidas[c])
            erros = [sum(deltas[k]*self.pesos[c][k][j] for k in range(len(deltas))) for j in range(n)]
            for k in range(len(deltas)):
                for j in range(len(self.saidas[c])):
                    self.pesos[c][k][j] += taxa*deltas[k]*self.saidas[c][j]
                self.bias[c][k] += taxa*deltas[k]
""",
    "units that are off, in lists": """
import math
def forward(x, W1, b1, W2, b2):
    h = []
    for w, b in zip(W1, b1):
        h.append(max(0.0, sum(wi*xi for wi, xi in zip(w, x)) + b))
    o = [sum(wi*hi for wi, hi in zip(w, h)) + b for w, b in zip(W2, b2)]
    return h, o
def backward(x, y, h, o, W1, b1, W2, b2, lr):
    do = [oi - yi for oi, yi in zip(o, y)]
    dh = [0.0]*len(h)
    for k in range(len(W2)):
        for j in range(len(W2[k])):
            dh[j] += do[k]*W2[k][j]
    dh = [d if hi > 0 else «0.0|d» for d, hi in zip(dh, h)]
    for k in range(len(W2)):
        for j in range(len(W2[k])):
            W2[k][j] -= lr*do[k]*h[j]
        b2[k] -= lr*do[k]
    for j in range(len(W1)):
        for i in range(len(W1[j])):
            W1[j][i] -= lr*dh[j]*x[i]
        b1[j] -= lr*dh[j]
""",
}

FAST = frozenset({"rows that end with the bias"})

"""Right programs to plant mutants in: a ``# backward`` line, and ``# watch`` with what is trained."""

BASES = {}

BASES["softmax"] = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(8, 4)); T = np.eye(3)[rng.integers(0, 3, 8)]
W1 = rng.normal(size=(4, 5)); b1 = np.zeros(5)
W2 = rng.normal(size=(5, 3)); b2 = np.zeros(3)
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
# watch W1 b1 W2 b2
for epoch in range(50):
    H = np.tanh(X @ W1 + b1)
    P = softmax(H @ W2 + b2)
    loss = -np.mean(np.sum(T * np.log(P), axis=1))
    # backward
    d = (P - T) / 8
    dW2 = H.T @ d
    db2 = d.sum(axis=0)
    dH = d @ W2.T
    dZ = dH * (1 - H ** 2)
    dW1 = X.T @ dZ
    db1 = dZ.sum(axis=0)
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    # watch W1 b1 W2 b2
"""

BASES["three equal layers"] = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(8, 4)); T = np.eye(3)[rng.integers(0, 3, 8)]
W1 = rng.normal(size=(4, 4)); b1 = np.zeros(4)
W2 = rng.normal(size=(4, 3)); b2 = np.zeros(3)
V = rng.normal(size=(4, 4)); c = np.zeros(4)
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
# watch W1 b1 V c W2 b2
for epoch in range(50):
    H = np.tanh(X @ W1 + b1)
    G = np.tanh(H @ V + c)
    P = softmax(G @ W2 + b2)
    loss = -np.mean(np.sum(T * np.log(P), axis=1))
    # backward
    d = (P - T) / 8
    dW2 = G.T @ d
    db2 = d.sum(axis=0)
    dG = d @ W2.T
    dY = dG * (1 - G ** 2)
    dV = H.T @ dY
    dc = dY.sum(axis=0)
    dH = dY @ V.T
    dZ = dH * (1 - H ** 2)
    dW1 = X.T @ dZ
    db1 = dZ.sum(axis=0)
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
    V -= 0.1 * dV
    c -= 0.1 * dc
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    # watch W1 b1 V c W2 b2
"""

BASES["two heads"] = """
import numpy as np
r = np.random.default_rng(13)
X = r.normal(size=(14, 4))
ya = r.normal(size=(14, 2))
yb = (r.random((14, 1)) > 0.5).astype(float)
Wt = r.normal(size=(4, 6)) * 0.5
bt = np.zeros(6)
Wa = r.normal(size=(6, 2)) * 0.5
ba = np.zeros(2)
Wb = r.normal(size=(6, 1)) * 0.5
bb = np.zeros(1)
eta = 0.05
# watch Wt bt Wa ba Wb bb
for it in range(80):
    trunk = np.tanh(X @ Wt + bt)
    outa = trunk @ Wa + ba
    outb = 1 / (1 + np.exp(-(trunk @ Wb + bb)))
    loss_a = 0.5 * np.sum((outa - ya) ** 2)
    loss_b = -np.sum(yb * np.log(outb) + (1 - yb) * np.log(1 - outb))
    loss = loss_a + loss_b
    # backward
    da = outa - ya
    db = outb - yb
    dWa = trunk.T @ da
    dWb = trunk.T @ db
    dtrunk = da @ Wa.T + db @ Wb.T
    dz = dtrunk * (1 - trunk ** 2)
    dWt = X.T @ dz
    Wa -= eta * dWa
    ba -= eta * da.sum(axis=0)
    Wb -= eta * dWb
    bb -= eta * db.sum(axis=0)
    Wt -= eta * dWt
    bt -= eta * dz.sum(axis=0)
    # watch Wt bt Wa ba Wb bb
"""

BASES["highway"] = """
import numpy as np
rng = np.random.default_rng(17)
x = rng.normal(size=(11, 5))
target = rng.normal(size=(11, 2))
Wh = rng.normal(size=(5, 5)) * 0.4
bh = np.zeros(5)
Wg = rng.normal(size=(5, 5)) * 0.4
bg = -1.0 * np.ones(5)
Wo = rng.normal(size=(5, 2)) * 0.4
bo = np.zeros(2)
step = 0.02
# watch Wh bh Wg bg Wo bo
for n in range(60):
    h = np.tanh(x @ Wh + bh)
    g = 1 / (1 + np.exp(-(x @ Wg + bg)))
    mix = g * h + (1 - g) * x
    out = mix @ Wo + bo
    diff = out - target
    cost = np.sum(diff ** 2) / 2
    # backward
    dWo = mix.T @ diff
    dbo = diff.sum(0)
    dmix = diff @ Wo.T
    dh = dmix * g
    dg = dmix * (h - x)
    dzh = dh * (1 - h * h)
    dzg = dg * g * (1 - g)
    dWh = x.T @ dzh
    dbh = dzh.sum(0)
    dWg = x.T @ dzg
    dbg = dzg.sum(0)
    Wo -= step * dWo
    bo -= step * dbo
    Wh -= step * dWh
    bh -= step * dbh
    Wg -= step * dWg
    bg -= step * dbg
    # watch Wh bh Wg bg Wo bo
"""

BASES["attention"] = """
import numpy as np
rng = np.random.RandomState(31)
n, d = 6, 4
X = rng.randn(n, d)
Y = rng.randn(n, 2)
Wq = rng.randn(d, 3) * 0.5
Wk = rng.randn(d, 3) * 0.5
Wv = rng.randn(d, 3) * 0.5
Wo = rng.randn(3, 2) * 0.5
lr = 0.05
# watch Wq Wk Wv Wo
for it in range(40):
    Q = X @ Wq
    K = X @ Wk
    V = X @ Wv
    S = Q @ K.T / np.sqrt(3)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    A = E / E.sum(axis=1, keepdims=True)
    C = A @ V
    O = C @ Wo
    loss = np.sum((O - Y) ** 2)
    # backward
    dO = 2 * (O - Y)
    dWo = C.T @ dO
    dC = dO @ Wo.T
    dA = dC @ V.T
    dV = A.T @ dC
    dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))
    dS = dS / np.sqrt(3)
    dQ = dS @ K
    dK = dS.T @ Q
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    Wo -= lr * dWo
    Wq -= lr * dWq
    Wk -= lr * dWk
    Wv -= lr * dWv
    # watch Wq Wk Wv Wo
"""

BASES["lists"] = """
import math, random
random.seed(2)

def squash(x):
    return 1.0 / (1.0 + math.exp(-x))

n0, n1, n2, n3 = 3, 4, 3, 2
w1 = [[random.uniform(-1, 1) for i in range(n0)] for j in range(n1)]
b1 = [random.uniform(-1, 1) for j in range(n1)]
w2 = [[random.uniform(-1, 1) for i in range(n1)] for j in range(n2)]
b2 = [random.uniform(-1, 1) for j in range(n2)]
w3 = [[random.uniform(-1, 1) for i in range(n2)] for j in range(n3)]
b3 = [random.uniform(-1, 1) for j in range(n3)]
samples = [([0.1, 0.7, -0.4], [0.2, 0.9]), ([0.5, -0.3, 0.8], [0.7, 0.1]), ([-0.6, 0.2, 0.3], [0.4, 0.6])]
rate = 0.4
# watch w1 b1 w2 b2 w3 b3
for epoch in range(100):
    for x, t in samples:
        h1 = [squash(sum(w1[j][i] * x[i] for i in range(n0)) + b1[j]) for j in range(n1)]
        h2 = [squash(sum(w2[j][i] * h1[i] for i in range(n1)) + b2[j]) for j in range(n2)]
        o = [squash(sum(w3[j][i] * h2[i] for i in range(n2)) + b3[j]) for j in range(n3)]
        # backward
        d3 = [(o[j] - t[j]) * o[j] * (1 - o[j]) for j in range(n3)]
        d2 = [0.0] * n2
        for i in range(n2):
            s = 0.0
            for j in range(n3):
                s += d3[j] * w3[j][i]
            d2[i] = s * h2[i] * (1 - h2[i])
        d1 = [0.0] * n1
        for i in range(n1):
            s = 0.0
            for j in range(n2):
                s += d2[j] * w2[j][i]
            d1[i] = s * h1[i] * (1 - h1[i])
        for j in range(n3):
            for i in range(n2):
                w3[j][i] -= rate * d3[j] * h2[i]
            b3[j] -= rate * d3[j]
        for j in range(n2):
            for i in range(n1):
                w2[j][i] -= rate * d2[j] * h1[i]
            b2[j] -= rate * d2[j]
        for j in range(n1):
            for i in range(n0):
                w1[j][i] -= rate * d1[j] * x[i]
            b1[j] -= rate * d1[j]
    # watch w1 b1 w2 b2 w3 b3
"""

BASES["layer norm"] = """
import numpy as np
rng = np.random.RandomState(77)
words = np.array([0, 3, 1, 4, 2, 3, 0, 5])
target = rng.randn(8, 3)
table = rng.randn(6, 5) * 0.5
gain = np.ones(5)
shift = np.zeros(5)
Wp = rng.randn(5, 3) * 0.5
bp = np.zeros(3)
lr = 0.05
# watch table gain shift Wp bp
for it in range(40):
    e = table[words]
    mu = e.mean(axis=1, keepdims=True)
    centred = e - mu
    var = (centred ** 2).mean(axis=1, keepdims=True)
    std = np.sqrt(var + 1e-5)
    xhat = centred / std
    normed = gain * xhat + shift
    act = np.maximum(normed, 0)
    out = act @ Wp + bp
    loss = 0.5 * np.sum((out - target) ** 2) / 8
    # backward
    dout = (out - target) / 8
    dWp = act.T @ dout
    dbp = dout.sum(axis=0)
    dact = dout @ Wp.T
    dnormed = dact * (normed > 0)
    dgain = np.sum(dnormed * xhat, axis=0)
    dshift = np.sum(dnormed, axis=0)
    dxhat = dnormed * gain
    de = (dxhat - dxhat.mean(axis=1, keepdims=True) - xhat * (dxhat * xhat).mean(axis=1, keepdims=True)) / std
    dtable = np.zeros_like(table)
    np.add.at(dtable, words, de)
    Wp -= lr * dWp
    bp -= lr * dbp
    gain -= lr * dgain
    shift -= lr * dshift
    table -= lr * dtable
    # watch table gain shift Wp bp
"""

BASES["momentum"] = """
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(8, 4)); T = np.eye(3)[rng.integers(0, 3, 8)]
W1 = rng.normal(size=(4, 5)); b1 = np.zeros(5)
W2 = rng.normal(size=(5, 3)); b2 = np.zeros(3)
vW1, vb1, vW2, vb2 = np.zeros((4, 5)), np.zeros(5), np.zeros((5, 3)), np.zeros(3)
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
# watch W1 b1 W2 b2
for epoch in range(50):
    H = np.tanh(X @ W1 + b1)
    P = softmax(H @ W2 + b2)
    loss = -np.mean(np.sum(T * np.log(P), axis=1))
    # backward
    d = (P - T) / 8
    dW2 = H.T @ d
    db2 = d.sum(axis=0)
    dH = d @ W2.T
    dZ = dH * (1 - H ** 2)
    dW1 = X.T @ dZ
    db1 = dZ.sum(axis=0)
    vW2 = 0.8 * vW2 - 0.1 * dW2
    W2 += vW2
    vb2 = 0.8 * vb2 - 0.1 * db2
    b2 += vb2
    vW1 = 0.8 * vW1 - 0.1 * dW1
    W1 += vW1
    vb1 = 0.8 * vb1 - 0.1 * db1
    b1 += vb1
    # watch W1 b1 W2 b2
"""

BASES["residual"] = """
import numpy as np
rng = np.random.default_rng(41)
X = rng.normal(size=(9, 4))
T = rng.normal(size=(9, 3))
blocks = [{"W": rng.normal(size=(4, 4)) * 0.4, "b": np.zeros(4)} for _ in range(3)]
head = {"W": rng.normal(size=(4, 3)) * 0.5, "b": np.zeros(3)}
# watch [blk["W"]for(blk)in(blocks)] [blk["b"]for(blk)in(blocks)] head["W"] head["b"]
for epoch in range(50):
    states = [X]
    inner = []
    for blk in blocks:
        a = np.tanh(states[-1] @ blk["W"] + blk["b"])
        inner.append(a)
        states.append(states[-1] + a)
    out = states[-1] @ head["W"] + head["b"]
    loss = ((out - T) ** 2).mean()
    # backward
    d = 2 * (out - T) / out.size
    grad_head_W = states[-1].T @ d
    grad_head_b = d.sum(axis=0)
    ds = d @ head["W"].T
    grads = []
    for blk, a, s in zip(blocks[::-1], inner[::-1], states[-2::-1]):
        dz = ds * (1 - a ** 2)
        grads.append((s.T @ dz, dz.sum(axis=0)))
        ds = ds + dz @ blk["W"].T
    head["W"] -= 0.1 * grad_head_W
    head["b"] -= 0.1 * grad_head_b
    for blk, (gw, gb) in zip(blocks, grads[::-1]):
        blk["W"] -= 0.1 * gw
        blk["b"] -= 0.1 * gb
    # watch [blk["W"]for(blk)in(blocks)] [blk["b"]for(blk)in(blocks)] head["W"] head["b"]
"""

BASES["samples"] = """
import numpy as np
np.random.seed(6)
layers = [4, 5, 3]
W = [np.random.randn(m, n) * 0.7 for n, m in zip(layers[:-1], layers[1:])]
B = [np.random.randn(m, 1) * 0.1 for m in layers[1:]]
X = np.random.randn(8, 4)
Y = np.random.rand(8, 3)

def f(z):
    return 1 / (1 + np.exp(-z))

def df(z):
    return f(z) * (1 - f(z))

alpha = 0.3
# watch W B
for epoch in range(30):
    sumW = [np.zeros(w.shape) for w in W]
    sumB = [np.zeros(b.shape) for b in B]
    for x, y in zip(X, Y):
        a = [x.reshape(-1, 1)]
        z = []
        for w, b in zip(W, B):
            z.append(w @ a[-1] + b)
            a.append(f(z[-1]))
        # backward
        delta = (a[-1] - y.reshape(-1, 1)) * df(z[-1])
        for l in range(len(W) - 1, -1, -1):
            sumW[l] += delta @ a[l].T
            sumB[l] += delta
            if l > 0:
                delta = (W[l].T @ delta) * df(z[l - 1])
    for l in range(len(W)):
        W[l] = W[l] - alpha * sumW[l] / len(X)
        B[l] = B[l] - alpha * sumB[l] / len(X)
    # watch W B
"""

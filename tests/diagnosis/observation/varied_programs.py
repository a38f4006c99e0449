"""Whole programs of many kinds, and statements in them with what they are when they are wrong."""

PROGRAMS = {}

PROGRAMS["loss summed over samples"] = """
import math
import random

random.seed(11)

def sig(v):
    return 1.0 / (1.0 + math.exp(-v))

NI, NH, NO = 3, 4, 2
w_ih = [[random.uniform(-1, 1) for _ in range(NH)] for _ in range(NI)]
w_ho = [[random.uniform(-1, 1) for _ in range(NO)] for _ in range(NH)]
b_h = [random.uniform(-1, 1) for _ in range(NH)]
b_o = [random.uniform(-1, 1) for _ in range(NO)]
data = []
for a in (0, 1):
    for b in (0, 1):
        for c in (0, 1):
            data.append(([a, b, c], [(a + b + c) % 2, 1 if a + b + c > 1 else 0]))
lr = 0.5

def run(inp):
    hidden = []
    for j in range(NH):
        total = b_h[j]
        for i in range(NI):
            total += inp[i] * w_ih[i][j]
        hidden.append(sig(total))
    out = []
    for k in range(NO):
        total = b_o[k]
        for j in range(NH):
            total += hidden[j] * w_ho[j][k]
        out.append(sig(total))
    return hidden, out

for epoch in range(500):
    err = 0.0
    for inp, tgt in data:
        hidden, out = run(inp)
        delta_o = [0.0] * NO
        for k in range(NO):
            e = out[k] - tgt[k]
            err += 0.5 * e * e
            delta_o[k] = e * out[k] * (1 - out[k])
        delta_h = [0.0] * NH
        for j in range(NH):
            s = 0.0
            for k in range(NO):
                s += delta_o[k] * w_ho[j][k]
            delta_h[j] = s * hidden[j] * (1 - hidden[j])
        for j in range(NH):
            for k in range(NO):
                w_ho[j][k] -= lr * delta_o[k] * hidden[j]
        for k in range(NO):
            b_o[k] -= lr * delta_o[k]
        for i in range(NI):
            for j in range(NH):
                w_ih[i][j] -= lr * delta_h[j] * inp[i]
        for j in range(NH):
            b_h[j] -= lr * delta_h[j]
    if epoch % 100 == 0:
        print(epoch, err)
"""

PROGRAMS["labels from a threshold"] = """
import numpy as np
np.random.seed(14)
L, K = 9, 3
M = L - K + 1
kern = np.random.randn(K) * 0.5
bias = 0.0
V = np.random.randn(M) * 0.5
c = 0.0
signals = np.random.randn(20, L)
labels = (signals[:, 3:6].sum(axis=1) > 0).astype(float)
lr = 0.1
for epoch in range(60):
    loss = 0.0
    for signal, t in zip(signals, labels):
        z = np.zeros(M)
        for i in range(M):
            for j in range(K):
                z[i] += kern[j] * signal[i + j]
            z[i] += bias
        a = np.maximum(0, z)
        o = np.dot(V, a) + c
        p = 1 / (1 + np.exp(-o))
        loss -= t * np.log(p) + (1 - t) * np.log(1 - p)
        dout = p - t
        dV = dout * a
        dc = dout
        dz = (dout * V) * (z > 0)
        dK = np.zeros(K)
        db = 0.0
        for i in range(M):
            db += dz[i]
            for j in range(K):
                dK[j] += dz[i] * signal[i + j]
        kern -= lr * dK
        bias -= lr * db
        V -= lr * dV
        c -= lr * dc
    if epoch % 20 == 0:
        print(epoch, loss / len(labels))
"""

PROGRAMS["batch normalisation"] = """
import numpy as np
rng = np.random.RandomState(5)
X = rng.randn(40, 5)
Y = (X[:, :1] ** 2 + X[:, 1:2] - 1 > 0).astype(float)
W1 = rng.randn(5, 7) * 0.4
gamma, beta = np.ones(7), np.zeros(7)
W2 = rng.randn(7, 1) * 0.4
b2 = np.zeros(1)
eps = 1e-5
lr = 0.2
n = len(X)
for i in range(150):
    z1 = X @ W1
    mu = z1.mean(axis=0)
    var = z1.var(axis=0)
    xhat = (z1 - mu) / np.sqrt(var + eps)
    bn = gamma * xhat + beta
    a1 = np.maximum(bn, 0)
    z2 = a1 @ W2 + b2
    p = 1 / (1 + np.exp(-z2))
    cost = -np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p))

    dz2 = (p - Y) / n
    dW2 = a1.T @ dz2
    db2 = dz2.sum(axis=0)
    dbn = dz2 @ W2.T * (bn > 0)
    dgamma = np.sum(dbn * xhat, axis=0)
    dbeta = np.sum(dbn, axis=0)
    dxhat = dbn * gamma
    dvar = np.sum(dxhat * (z1 - mu), axis=0) * -0.5 * (var + eps) ** -1.5
    dmu = np.sum(-dxhat / np.sqrt(var + eps), axis=0)
    dz1 = dxhat / np.sqrt(var + eps) + dvar * 2 * (z1 - mu) / n + dmu / n
    dW1 = X.T @ dz1

    W1 -= lr * dW1
    gamma -= lr * dgamma
    beta -= lr * dbeta
    W2 -= lr * dW2
    b2 -= lr * db2
    if i % 30 == 0:
        print(i, cost)
"""

PROGRAMS["sums over samples"] = """
import numpy as np
np.random.seed(20)
X = np.random.randn(25, 3)
Y = np.stack([X[:, 0] > X[:, 1], X[:, 0] <= X[:, 1]], 1).astype(float)
W1, b1 = np.random.randn(6, 3) * .5, np.zeros(6)
W2, b2 = np.random.randn(2, 6) * .5, np.zeros(2)
relu = lambda z: z * (z > 0)
def softmax(z):
    q = np.exp(z - np.max(z)); return q / np.sum(q)
lr = 0.5
for ep in range(60):
    gW1 = np.zeros_like(W1); gb1 = np.zeros_like(b1)
    gW2 = np.zeros_like(W2); gb2 = np.zeros_like(b2)
    J = 0
    for x, t in zip(X, Y):
        z = W1 @ x + b1
        h = relu(z)
        o = softmax(W2 @ h + b2)
        J += -np.sum(t * np.log(o))
        do = o - t
        gW2 += np.outer(do, h)
        gb2 += do
        dh = (W2.T @ do) * (z > 0)
        gW1 += np.outer(dh, x)
        gb1 += dh
    W1 -= lr * gW1 / len(X); b1 -= lr * gb1 / len(X)
    W2 -= lr * gW2 / len(X); b2 -= lr * gb2 / len(X)
    if not ep % 20: print(ep, J / len(X))
"""

PROGRAMS["rows of two matrices"] = """
import numpy as np

corpus = "the king rules the land and the queen rules the sea while the cat sleeps on the mat".split()
vocab = sorted(set(corpus))
word2id = {w: i for i, w in enumerate(vocab)}
rng = np.random.default_rng(0)
V, dim, window, lr, k = len(vocab), 8, 2, 0.1, 3
W_in = rng.normal(0, 0.1, (V, dim))
W_out = rng.normal(0, 0.1, (V, dim))

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def train_pair(center, context):
        ids = np.concatenate([[context], rng.choice([i for i in range(V) if i != context], k, replace=False)])
        labels = np.zeros(k + 1)
        labels[0] = 1
        hidden = W_in[center]
        score = sigmoid(W_out[ids] @ hidden)
        loss = -np.log(score[0]) - np.log(1 - score[1:]).sum()
        err = score - labels
        grad_h = err @ W_out[ids]
        W_out[ids] -= lr * np.outer(err, hidden)
        W_in[center] -= lr * grad_h
        return loss

for epoch in range(20):
    total = 0
    for pos, w in enumerate(corpus):
        for off in range(-window, window + 1):
            if off == 0 or not 0 <= pos + off < len(corpus):
                continue
            total += train_pair(word2id[w], word2id[corpus[pos + off]])
    print("epoch", epoch, "loss", total)
"""

PROGRAMS["Adam in a dict"] = """
import numpy as np

rng = np.random.default_rng(7)
x = rng.uniform(-3, 3, size=(50, 1))
y = np.sin(x) + 0.1 * rng.normal(size=(50, 1))
params = {
    'W1': rng.normal(size=(1, 16)), 'b1': np.zeros(16),
    'W2': rng.normal(size=(16, 16)) / 4, 'b2': np.zeros(16),
    'W3': rng.normal(size=(16, 1)) / 4, 'b3': np.zeros(1),
}
m = {k: np.zeros_like(p) for k, p in params.items()}
v = {k: np.zeros_like(p) for k, p in params.items()}
b1, b2, eps, lr = 0.9, 0.999, 1e-8, 0.01

def loss_and_grads(params, x, y):
    a1 = np.tanh(x @ params['W1'] + params['b1'])
    a2 = np.tanh(a1 @ params['W2'] + params['b2'])
    out = a2 @ params['W3'] + params['b3']
    diff = out - y
    loss = np.mean(diff ** 2)
    grads = {}
    dout = 2 * diff / len(x)
    grads['W3'] = a2.T @ dout
    grads['b3'] = dout.sum(axis=0)
    dz2 = (dout @ params['W3'].T) * (1 - a2 ** 2)
    grads['W2'] = a1.T @ dz2
    grads['b2'] = dz2.sum(axis=0)
    dz1 = (dz2 @ params['W2'].T) * (1 - a1 ** 2)
    grads['W1'] = x.T @ dz1
    grads['b1'] = dz1.sum(axis=0)
    return loss, grads

for step in range(1, 301):
    loss, grads = loss_and_grads(params, x, y)
    for k in params:
        m[k] = b1 * m[k] + (1 - b1) * grads[k]
        v[k] = b2 * v[k] + (1 - b2) * grads[k] ** 2
        mhat = m[k] / (1 - b1 ** step)
        vhat = v[k] / (1 - b2 ** step)
        params[k] -= lr * mhat / (np.sqrt(vhat) + eps)
    if step % 100 == 0:
        print(f"step {step}: mse {loss:.5f}")
"""

PROGRAMS["two outputs"] = """
import numpy as np
rng = np.random.default_rng(17)
n = 40
X = rng.normal(size=(n, 4))
yc = (X[:, 0] + X[:, 1] > 0).astype(int)
yr = (X[:, 2] * X[:, 3]).reshape(-1, 1)
W = rng.normal(size=(4, 9)) * 0.5; b = np.zeros(9)
Wc = rng.normal(size=(9, 2)) * 0.5; bc = np.zeros(2)
Wr = rng.normal(size=(9, 1)) * 0.5; br = np.zeros(1)
lr, lam = 0.1, 0.5
Yc = np.eye(2)[yc]
for i in range(200):
    h = np.tanh(X @ W + b)
    s = h @ Wc + bc
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    reg = h @ Wr + br
    loss = -(Yc * np.log(p)).sum() / n + lam * ((reg - yr) ** 2).mean()
    dcls = (p - Yc) / n
    dreg = 2 * lam * (reg - yr) / n
    dh = dcls @ Wc.T + dreg @ Wr.T
    dz = dh * (1 - h * h)
    Wc -= lr * h.T @ dcls
    bc -= lr * dcls.sum(0)
    Wr -= lr * h.T @ dreg
    br -= lr * dreg.sum(0)
    W -= lr * X.T @ dz
    b -= lr * dz.sum(0)
    if i % 50 == 0:
        print(loss)
"""

PROGRAMS["factors of a matrix"] = """
import numpy as np
np.random.seed(3)
R = np.array([[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 4], [0, 1, 5, 4]], float)
n, m, k = 5, 4, 2
P = np.random.normal(scale=1. / k, size=(n, k))
Q = np.random.normal(scale=1. / k, size=(m, k))
bu, bi = np.zeros(n), np.zeros(m)
mu = R[R > 0].mean()
lr, reg = 0.05, 0.01
samples = [(i, j, R[i, j]) for i in range(n) for j in range(m) if R[i, j] > 0]
for epoch in range(50):
    np.random.shuffle(samples)
    for i, j, r in samples:
        i, j = int(i), int(j)
        pred = mu + bu[i] + bi[j] + P[i].dot(Q[j])
        e = r - pred
        p = P[i].copy()
        bu[i] += lr * (e - reg * bu[i])
        bi[j] += lr * (e - reg * bi[j])
        P[i] += lr * (e * Q[j] - reg * P[i])
        Q[j] += lr * (e * p - reg * Q[j])
print(P @ Q.T + bu[:, None] + bi + mu)
"""

PROGRAMS["target of another pass"] = """
import numpy as np
rng = np.random.default_rng(12)
S, A, H = 5, 3, 8
W1 = rng.normal(0, .4, (S, H)); b1 = np.zeros(H)
W2 = rng.normal(0, .4, (H, A)); b2 = np.zeros(A)
gamma, lr, eps = .9, .05, .2
def value(s):
    z = s @ W1 + b1
    h = np.maximum(z, 0)
    return z, h, h @ W2 + b2
state = rng.normal(size=S)
total = 0
for step in range(300):
    z, h, q = value(state)
    a = int(np.argmax(q)) if rng.random() > eps else int(rng.integers(A))
    reward = 1.0 if a == int(state[0] > 0) else 0.0
    nxt = rng.normal(size=S)
    target = reward + gamma * value(nxt)[2].max()
    td = q[a] - target
    dq = np.zeros(A)
    dq[a] = td
    gW2 = np.outer(h, dq)
    dz = (W2 @ dq) * (z > 0)
    W1 -= lr * np.outer(state, dz); b1 -= lr * dz
    W2 -= lr * gW2; b2 -= lr * dq
    total += reward
    state = nxt
print(total)
"""

PROGRAMS["AdaGrad of classes"] = """
import numpy as np
np.random.seed(7)

class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b
    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)

class Relu:
    def forward(self, x):
        self.mask = (x <= 0)
        out = x.copy()
        out[self.mask] = 0
        return out
    def backward(self, dout):
        dout[self.mask] = 0
        return dout

class SoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        x = x - x.max(axis=1, keepdims=True)
        self.y = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return -np.sum(np.log(self.y[np.arange(len(t)), t] + 1e-7)) / len(t)
    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx * dout / len(self.t)

class AdaGrad:
    def __init__(self, lr=0.1):
        self.lr, self.h = lr, None
    def update(self, params, grads):
        if self.h is None:
            self.h = {k: np.zeros_like(v) for k, v in params.items()}
        for k in params:
            self.h[k] += grads[k] * grads[k]
            params[k] -= self.lr * grads[k] / (np.sqrt(self.h[k]) + 1e-7)

W1, W2 = 0.5 * np.random.randn(4, 8), 0.5 * np.random.randn(8, 3)
params = {"W1": W1, "b1": np.zeros(8), "W2": W2, "b2": np.zeros(3)}
layers = [Affine(params["W1"], params["b1"]), Relu(), Affine(params["W2"], params["b2"])]
last = SoftmaxWithLoss()
opt = AdaGrad()
x = np.random.randn(40, 4); t = np.random.randint(0, 3, 40)
for i in range(60):
    out = x
    for l in layers: out = l.forward(out)
    loss = last.forward(out, t)
    d = last.backward()
    for l in reversed(layers): d = l.backward(d)
    opt.update(params, {"W1": layers[0].dW, "b1": layers[0].db, "W2": layers[2].dW, "b2": layers[2].db})
    if i % 20 == 0: print(loss)
"""

PROGRAMS["convolution in columns"] = """
import numpy as np
rng = np.random.default_rng(33)
imgs = rng.normal(size=(12, 6, 6))
lab = (imgs[:, 1:4, 1:4].sum((1, 2)) > 0).astype(int)
k, F = 3, 2
def im2col(a):
    n, h, w = a.shape
    out = [a[:, i:i + k, j:j + k].reshape(n, -1) for i in range(h - k + 1) for j in range(w - k + 1)]
    return np.stack(out, axis=1).reshape(-1, k * k)
Kf = rng.normal(size=(k * k, F)) * .3; cb = np.zeros(F)
Wd = rng.normal(size=(16 * F, 2)) * .2; bd = np.zeros(2)
for step in range(60):
    cols = im2col(imgs)
    z = cols @ Kf + cb
    a = np.maximum(z, 0)
    flat = a.reshape(len(imgs), -1)
    s = flat @ Wd + bd
    p = np.exp(s - s.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(12), lab]).mean()
    ds = p.copy(); ds[np.arange(12), lab] -= 1; ds /= 12
    dWd = flat.T @ ds; dbd = ds.sum(0)
    dflat = ds @ Wd.T
    dz = dflat.reshape(z.shape) * (z > 0)
    dcol = np.dot(dz, Kf.T)
    dK = np.dot(cols.T, dz)
    dcb = dz.sum(0)
    Kf -= .3 * dK; cb -= .3 * dcb; Wd -= .3 * dWd; bd -= .3 * dbd
    if step % 20 == 0: print(loss)
"""

#: (program, statement, the same when it is wrong)
PLANTED = [
    (
        "AdaGrad of classes",
        "np.exp(x).sum(axis=1, keepdims=True)",
        "np.exp(np.exp(x).sum(axis=1, keepdims=True))",
    ),
    ("loss summed over samples", "1.0 / (1.0 + math.exp(-v))", "1.0 / 1.0 + math.exp(-v)"),
    (
        "loss summed over samples",
        "w_ho[j][k] -= lr * delta_o[k] * hidden[j]",
        "w_ho[j][k] -= lr * delta_o[k] * hidden[k]",
    ),
    (
        "loss summed over samples",
        "delta_h[j] = s * hidden[j] * (1 - hidden[j])",
        "delta_h[j] = s * hidden[j] * (1 + hidden[j])",
    ),
    ("labels from a threshold", "dK[j] += dz[i] * signal[i + j]", "dK[j] += dz[i] * signal[i]"),
    ("labels from a threshold", "dz = (dout * V) * (z > 0)", "dz = (dout * V) * (V > 0)"),
    (
        "batch normalisation",
        "dz1 = dxhat / np.sqrt(var + eps) + dvar * 2 * (z1 - mu) / n + dmu / n",
        "dz1 = dxhat / np.sqrt(var + eps) + dvar * 2 * (z1 - mu) / n",
    ),
    ("sums over samples", "gb2 += do", "gb2 = do"),
    (
        "rows of two matrices",
        "grad_h = err @ W_out[ids]\n        W_out[ids] -= lr * np.outer(err, hidden)",
        "W_out[ids] -= lr * np.outer(err, hidden)\n        grad_h = err @ W_out[ids]",
    ),
    (
        "Adam in a dict",
        "v[k] = b2 * v[k] + (1 - b2) * grads[k] ** 2",
        "v[k] = b2 * v[k] + (1 - b2) * grads[k]",
    ),
    ("two outputs", "dh = dcls @ Wc.T + dreg @ Wr.T", "dh = dcls @ Wc.T"),
    ("two outputs", "dreg = 2 * lam * (reg - yr) / n", "dreg = 2 * (reg - yr) / n"),
    ("target of another pass", "gW2 = np.outer(h, dq)", "gW2 = np.outer(h, q)"),
    ("AdaGrad of classes", "self.h[k] += grads[k] * grads[k]", "self.h[k] = grads[k] * grads[k]"),
    ("AdaGrad of classes", "dout[self.mask] = 0", "dout[~self.mask] = 0"),
    ("convolution in columns", "dz = dflat.reshape(z.shape) * (z > 0)", "dz = dflat.reshape(z.shape)"),
]

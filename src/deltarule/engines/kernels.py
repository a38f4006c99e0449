"""The kernels of the compiled engine: the reference's formulas as loops over buffers that are made once.

Everything here keeps to Numba's subset of Python, and runs uncompiled too. Records of the registries appear
as numbers: their places in ``ACTIVATIONS``, ``LOSSES`` and ``OPTIMIZERS``. ``n`` is the number of rows of a
batch; all arrays of numbers have the network's dtype and lie in C order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["ACTIVATIONS", "BIASES", "LOSSES", "OPTIMIZERS", "run"]

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "softplus",
    "softmax",
)
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, SOFTMAX = range(10)
LOSSES = (
    "half_squared_error",
    "squared_error",
    "mean_squared_error",
    "mean_absolute_error",
    "huber",
    "binary_cross_entropy",
    "cross_entropy",
    "poisson",
)
HALF_SQUARED, SQUARED, MEAN_SQUARED, MEAN_ABSOLUTE, HUBER, BINARY_CROSS, CROSS, POISSON = range(8)
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)
BIASES = ("none", "neuron", "shared")
NONE, NEURON, SHARED = range(3)

SMALL = 4096  # multiplications up to which loops beat a call of BLAS
GELU_SCALE = math.sqrt(2 / math.pi)


def _kernel(function):
    """Compile at the first call, and keep the result on disk where there is a place for it.

    Products and sums may be fused; nothing is reordered, and NaN and infinity keep their meaning.
    """
    options: Any = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(**options)(function)


# ---------------------------------------------------------------------- products of matrices
# Matrices lie in flat arrays from a place on; a view of one is made only where BLAS is worth its call.


@_kernel
def _matrix(flat, at, rows, columns):
    return flat[at : at + rows * columns].reshape(rows, columns)


@_kernel
def _product(work, x, theta, W, out, n, n_in, n_out):
    """``out = x @ W``, (n, n_in) by (n_in, n_out)."""
    if n * n_in * n_out > SMALL:
        np.dot(_matrix(work, x, n, n_in), _matrix(theta, W, n_in, n_out), _matrix(work, out, n, n_out))
        return
    for r in range(n):
        for j in range(n_out):
            total = work[x + r * n_in] * theta[W + j]
            for i in range(1, n_in):
                total += work[x + r * n_in + i] * theta[W + i * n_out + j]
            work[out + r * n_out + j] = total


@_kernel
def _product_xt(work, x, d, grad, out, n, n_in, n_out):
    """``out = x.T @ d``, (n, n_in) and (n, n_out) to (n_in, n_out)."""
    if n * n_in * n_out > SMALL:
        np.dot(_matrix(work, x, n, n_in).T, _matrix(work, d, n, n_out), _matrix(grad, out, n_in, n_out))
        return
    for i in range(n_in):
        for j in range(n_out):
            total = work[x + i] * work[d + j]
            for r in range(1, n):
                total += work[x + r * n_in + i] * work[d + r * n_out + j]
            grad[out + i * n_out + j] = total


@_kernel
def _product_wt(work, d, theta, W, out, n, n_in, n_out):
    """``out = d @ W.T``, (n, n_out) and (n_in, n_out) to (n, n_in)."""
    if n * n_in * n_out > SMALL:
        np.dot(_matrix(work, d, n, n_out), _matrix(theta, W, n_in, n_out).T, _matrix(work, out, n, n_in))
        return
    for r in range(n):
        for i in range(n_in):
            total = work[d + r * n_out] * theta[W + i * n_out]
            for j in range(1, n_out):
                total += work[d + r * n_out + j] * theta[W + i * n_out + j]
            work[out + r * n_in + i] = total


# ---------------------------------------------------------------------- exponentials


@_kernel
def _exp(work, x, m, bits):
    """``e^x`` for ``m`` numbers x ≤ 0, in their place; vectorised, to the last bit or two.

    x = k·log 2 + r and e^x = 2^k·e^r. Adding ``magic`` leaves the whole number k in the low bits, from where
    a shift moves it into the exponent. ``bits`` is scratch. Cody & Waite (1980), chapter 6.
    """
    if m < 8:
        for i in range(x, x + m):
            work[i] = math.exp(work[i])
    elif work.itemsize == 8:
        _exp_64(work[x : x + m], bits)
    else:
        _exp_32(work[x : x + m], bits)


@_kernel
def _exp_64(x, bits):
    magic = 6755399441055744.0  # 1.5 · 2^52
    scale = bits.view(x.dtype)
    for i in range(x.size):
        v = max(x[i], -708.0)
        shifted = v * 1.4426950408889634 + magic
        scale[i] = shifted
        k = shifted - magic
        r = (v - k * 0.6931471803691238) - k * 1.9082149292705877e-10
        p = 1 / 479001600.0
        p = p * r + 1 / 39916800.0
        p = p * r + 1 / 3628800.0
        p = p * r + 1 / 362880.0
        p = p * r + 1 / 40320.0
        p = p * r + 1 / 5040.0
        p = p * r + 1 / 720.0
        p = p * r + 1 / 120.0
        p = p * r + 1 / 24.0
        p = p * r + 1 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        x[i] = p * r + 1.0
    for i in range(x.size):
        bits[i] = (bits[i] << 52) + 0x3FF0000000000000
    for i in range(x.size):
        x[i] *= scale[i]


@_kernel
def _exp_32(x, bits):
    magic = np.float32(12582912.0)  # 1.5 · 2^23
    one = np.float32(1)
    scale = bits.view(x.dtype)
    for i in range(x.size):
        v = max(x[i], np.float32(-87))
        shifted = v * np.float32(1.44269504) + magic
        scale[i] = shifted
        k = shifted - magic
        r = (v - k * np.float32(0.693359375)) + k * np.float32(2.12194440e-4)
        p = np.float32(1 / 5040)
        p = p * r + np.float32(1 / 720)
        p = p * r + np.float32(1 / 120)
        p = p * r + np.float32(1 / 24)
        p = p * r + np.float32(1 / 6)
        p = p * r + np.float32(0.5)
        p = p * r + one
        x[i] = p * r + one
    for i in range(x.size):
        bits[i] = (bits[i] << 23) + 0x3F800000
    for i in range(x.size):
        x[i] *= scale[i]


# ---------------------------------------------------------------------- activations


@_kernel
def _activate(code, parameter, work, z, a, e, n, k, bits):
    """``a = f(z)`` for ``n`` rows of ``k``; ``e`` is scratch."""
    m, zero, one = n * k, work.dtype.type(0), work.dtype.type(1)
    p = work.dtype.type(parameter)
    if code == IDENTITY:
        for i in range(m):
            work[a + i] = work[z + i]
    elif code == RELU:
        for i in range(m):
            v = work[z + i]
            work[a + i] = zero if v <= zero else v  # NaN stays NaN
    elif code == LEAKY_RELU:
        for i in range(m):
            v = work[z + i]
            work[a + i] = v * p if v <= zero else v
    elif code in (SIGMOID, SILU, SOFTPLUS):
        for i in range(m):
            work[e + i] = -abs(work[z + i])
        _exp(work, e, m, bits)
        if code == SOFTPLUS:
            for i in range(m):
                work[a + i] = max(work[z + i], zero) + math.log1p(work[e + i])
        else:
            for i in range(m):
                v, u = work[z + i], work[e + i]
                s = (u if v < zero else one) / (one + u)
                work[a + i] = v * s if code == SILU else s
    elif code == TANH:
        for i in range(m):
            work[e + i] = -2 * abs(work[z + i])
        _exp(work, e, m, bits)
        for i in range(m):
            t = (one - work[e + i]) / (one + work[e + i])
            work[a + i] = -t if work[z + i] < zero else t
    elif code == ELU:
        for i in range(m):
            work[e + i] = min(work[z + i], zero)
        _exp(work, e, m, bits)
        for i in range(m):
            v = work[z + i]
            work[a + i] = p * (work[e + i] - one) if v < zero else v
    elif code == GELU:
        for i in range(m):
            v = work[z + i]
            work[a + i] = 0.5 * v * (1 + _gelu_tanh(v))
    else:
        _softmax(work, z, a, n, k, bits)


@_kernel
def _softmax(work, z, a, n, k, bits):
    for r in range(0, n * k, k):
        top = work[z + r]
        for j in range(1, k):
            top = max(top, work[z + r + j])
        for j in range(k):
            work[a + r + j] = work[z + r + j] - top
    _exp(work, a, n * k, bits)
    for r in range(0, n * k, k):
        total = work[a + r]
        for j in range(1, k):
            total += work[a + r + j]
        for j in range(k):
            work[a + r + j] /= total


@_kernel
def _gelu_tanh(z):
    u = min(max(z, -10.0), 10.0)
    return math.tanh(GELU_SCALE * (u + 0.044715 * u * u * u))


@_kernel
def _sigmoid(z):
    e = math.exp(-abs(z))
    return (e if z < 0 else 1.0) / (1 + e)


@_kernel
def _pull_back(code, parameter, work, z, a, d, n, k):
    """``delta = da ⊙ f′(z)``, in the place ``d`` of ``da``; for softmax ``Jᵀ·da``."""
    m, zero, one = n * k, work.dtype.type(0), work.dtype.type(1)
    p = work.dtype.type(parameter)
    if code == RELU:
        for i in range(m):
            work[d + i] = work[d + i] if work[z + i] > zero else zero
    elif code == LEAKY_RELU:
        for i in range(m):
            work[d + i] *= one if work[z + i] > zero else p
    elif code == SIGMOID:
        for i in range(m):
            work[d + i] *= work[a + i] * (one - work[a + i])
    elif code == TANH:
        for i in range(m):
            work[d + i] *= one - work[a + i] * work[a + i]
    elif code == ELU:
        for i in range(m):
            work[d + i] *= one if work[z + i] > zero else work[a + i] + p
    elif code == GELU:
        for i in range(m):
            t = _gelu_tanh(work[z + i])
            u = min(max(work[z + i], -10.0), 10.0)
            slope = GELU_SCALE * (1 + 3 * 0.044715 * u * u)
            work[d + i] *= 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * slope
    elif code == SILU:
        for i in range(m):
            s = _sigmoid(work[z + i])
            work[d + i] *= s + work[a + i] * (1 - s)
    elif code == SOFTPLUS:
        for i in range(m):
            work[d + i] *= _sigmoid(work[z + i])
    elif code == SOFTMAX:
        for r in range(0, m, k):
            total = zero
            for j in range(r, r + k):
                total += work[d + j] * work[a + j]
            for j in range(r, r + k):
                work[d + j] = work[a + j] * (work[d + j] - total)


# ---------------------------------------------------------------------- losses


@_kernel
def _term(code, parameter, k, a, y, tiny, eps):
    """The loss of one output of ``k``."""
    r = a - y
    if code == HALF_SQUARED:
        return r * r / 2
    if code == SQUARED:
        return r * r
    if code == MEAN_SQUARED:
        return r * r / k
    if code == MEAN_ABSOLUTE:
        return abs(r) / k
    if code == HUBER:
        inner = min(abs(r), parameter)
        return inner * (abs(r) - inner / 2)
    if code == BINARY_CROSS:
        return -(y * math.log(max(a, tiny)) + (1 - y) * math.log(max(1 - a, eps)))
    if code == CROSS:
        return -y * math.log(max(a, tiny))
    return a - y * math.log(max(a, tiny))


@_kernel
def _term_slope(code, parameter, k, a, y, tiny, eps):
    """Its derivative by the output."""
    r = a - y
    if code == HALF_SQUARED:
        return r
    if code == SQUARED:
        return 2 * r
    if code == MEAN_SQUARED:
        return 2 * r / k
    if code == MEAN_ABSOLUTE:
        return np.sign(r) / k
    if code == HUBER:
        return min(max(r, -parameter), parameter)
    if code == BINARY_CROSS:
        return (1 - y) / max(1 - a, eps) - y / max(a, tiny)
    if code == CROSS:
        return -y / max(a, tiny)
    return 1 - y / max(a, tiny)


@_kernel
def _head(loss, work, z, a, d, y, w, n, k):
    """The batch's loss without penalties; ``∂L/∂a`` goes to ``d``, or ``∂L/∂z`` where it is fused.

    ``loss`` holds its code, parameter, whether it is fused, whether samples are averaged, and ``tiny`` and
    ``eps`` of ``deltarule.losses``. Targets stand at ``y``, sample weights at ``w``, or nowhere: −1.
    """
    code, parameter, fused, tiny, eps = int(loss[0]), loss[1], loss[2] > 0, loss[4], loss[5]
    unit = 1.0
    if loss[3] > 0:
        whole = float(n)
        if w >= 0:
            whole = 0.0
            for r in range(n):
                whole += work[w + r]
        unit = 1 / whole if whole > 0 else 1.0
    cost = 0.0
    for r in range(n):
        share = unit * work[w + r] if w >= 0 else unit
        log_powers = _log_sum_exp(work, z + r * k, k) if fused and code == CROSS else 0.0
        row = 0.0
        for j in range(r * k, r * k + k):
            if fused:
                row += _fused_term(code, work[z + j], work[a + j], work[y + j], log_powers)
                work[d + j] = (work[a + j] - work[y + j]) * share
            else:
                row += _term(code, parameter, k, work[a + j], work[y + j], tiny, eps)
                work[d + j] = _term_slope(code, parameter, k, work[a + j], work[y + j], tiny, eps) * share
        cost += row * share
    return cost


@_kernel
def _log_sum_exp(work, z, k):
    top = work[z]
    for j in range(z + 1, z + k):
        top = max(top, work[j])
    total = 0.0
    for j in range(z, z + k):
        total += math.exp(work[j] - top)
    return top + math.log(total)


@_kernel
def _fused_term(code, z, a, y, log_powers):
    if code == CROSS:
        return -y * (z - log_powers)
    if code == BINARY_CROSS:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z))) - y * z
    return (a - y) * (a - y) / 2


# ---------------------------------------------------------------------- optimizers


@_kernel
def _update(code, numbers, theta, g, slots, eta, t, weights):
    """One update, as ``deltarule.optimizers`` says it."""
    T = theta.dtype.type
    eta_ = T(eta)
    if code == SGD:
        for i in range(theta.size):
            theta[i] -= eta_ * g[i]
    elif code in (MOMENTUM, NESTEROV):
        v, mu = slots[0], T(numbers[0])
        for i in range(theta.size):
            v[i] = mu * v[i] - eta_ * g[i]
            theta[i] += mu * v[i] - eta_ * g[i] if code == NESTEROV else v[i]
    elif code == ADAGRAD:
        s, epsilon = slots[0], T(numbers[0])
        for i in range(theta.size):
            s[i] += g[i] * g[i]
            theta[i] -= eta_ * g[i] / (np.sqrt(s[i]) + epsilon)
    elif code == RMSPROP:
        s, rho, rest, epsilon = slots[0], T(numbers[0]), T(1 - numbers[0]), T(numbers[1])
        for i in range(theta.size):
            s[i] = rho * s[i] + rest * (g[i] * g[i])
            theta[i] -= eta_ * g[i] / (np.sqrt(s[i]) + epsilon)
    else:
        m, v, epsilon = slots[0], slots[1], T(numbers[2])
        beta1, rest1, beta2, rest2 = T(numbers[0]), T(1 - numbers[0]), T(numbers[1]), T(1 - numbers[1])
        unbias1, unbias2 = T(1 / (1 - numbers[0] ** t)), T(1 / (1 - numbers[1] ** t))
        decay = T(eta * numbers[3]) if code == ADAMW else T(0)
        for i in range(theta.size):
            m[i] = beta1 * m[i] + rest1 * g[i]
            v[i] = beta2 * v[i] + rest2 * (g[i] * g[i])
            here = theta[i] - decay * theta[i] * weights[i]
            theta[i] = here - eta_ * (m[i] * unbias1) / (np.sqrt(v[i] * unbias2) + epsilon)


@_kernel
def _clip(g, norm):
    """Shorten ``g`` to ``norm`` where it is longer; 0 leaves it alone."""
    if norm > 0:
        total = 0.0
        for i in range(g.size):
            total += g[i] * g[i]
        length = math.sqrt(total)
        if length > norm:
            for i in range(g.size):
                g[i] *= norm / length


# ---------------------------------------------------------------------- forward, backward
# ``plan`` has a row for each layer, whose columns are: numbers of inputs and outputs; where W and b lie in
# the parameters; bias kind; activation; and where in ``work`` the layer's x, z, a, delta and dropout mask lie
# (the mask −1 where nothing is dropped; else x is where the dropped inputs go). ``numbers`` holds the
# activation's parameter and the dropout.

N_IN, N_OUT, W_AT, B_AT, BIAS, ACT, X_AT, Z_AT, A_AT, D_AT, MASK_AT = range(11)


@_kernel
def _forward(theta, plan, numbers, work, n, x0, scratch, bits, rng):
    """Every layer's ``z`` and ``a`` for the batch at ``x0``."""
    before = x0
    for layer in range(plan.shape[0]):
        n_in, n_out, z, a, b = (
            plan[layer, N_IN],
            plan[layer, N_OUT],
            plan[layer, Z_AT],
            plan[layer, A_AT],
            plan[layer, B_AT],
        )
        if plan[layer, MASK_AT] >= 0:
            _drop(work, before, plan[layer, MASK_AT], plan[layer, X_AT], n, n_in, numbers[layer, 1], rng)
        _product(work, plan[layer, X_AT], theta, plan[layer, W_AT], z, n, n_in, n_out)
        if plan[layer, BIAS] == NEURON:
            for r in range(z, z + n * n_out, n_out):
                for j in range(n_out):
                    work[r + j] += theta[b + j]
        elif plan[layer, BIAS] == SHARED:
            for i in range(z, z + n * n_out):
                work[i] += theta[b]
        _activate(plan[layer, ACT], numbers[layer, 0], work, z, a, scratch, n, n_out, bits)
        before = a


@_kernel
def _drop(work, x, mask, out, n, k, share, rng):
    """``out = x ⊙ mask``, the mask drawn as the reference draws it."""
    drawn = rng.random((n, k), np.float32).reshape(n * k)
    threshold, scale = np.float32(share), work.dtype.type(1) / work.dtype.type(1 - share)
    for i in range(n * k):
        work[mask + i] = scale if drawn[i] >= threshold else 0
        work[out + i] = work[x + i] * work[mask + i]


@_kernel
def _backward(theta, grad, plan, numbers, work, n, fused):
    """Every layer's ``dW`` and ``db``, from ``∂L/∂a`` (fused: ``delta``) in the last layer's place."""
    last = plan.shape[0] - 1
    for layer in range(last, -1, -1):
        n_in, n_out, d, b = plan[layer, N_IN], plan[layer, N_OUT], plan[layer, D_AT], plan[layer, B_AT]
        if layer < last or not fused:
            _pull_back(
                plan[layer, ACT], numbers[layer, 0], work, plan[layer, Z_AT], plan[layer, A_AT], d, n, n_out
            )
        _product_xt(work, plan[layer, X_AT], d, grad, plan[layer, W_AT], n, n_in, n_out)
        if plan[layer, BIAS] == NEURON:
            for j in range(n_out):
                grad[b + j] = work[d + j]
            for r in range(d + n_out, d + n * n_out, n_out):
                for j in range(n_out):
                    grad[b + j] += work[r + j]
        elif plan[layer, BIAS] == SHARED:
            total = work[d]
            for i in range(d + 1, d + n * n_out):
                total += work[i]
            grad[b] = total
        if layer > 0:
            before, mask = plan[layer - 1, D_AT], plan[layer, MASK_AT]
            _product_wt(work, d, theta, plan[layer, W_AT], before, n, n_in, n_out)
            if mask >= 0:
                for i in range(n * n_in):
                    work[before + i] *= work[mask + i]


@_kernel
def _penalise(theta, grad, plan, l1, l2):
    """Add the penalties' gradient; returns what they cost."""
    cost, l1_, l2_ = 0.0, theta.dtype.type(l1), theta.dtype.type(l2)
    for layer in range(plan.shape[0]):
        for i in range(plan[layer, W_AT], plan[layer, W_AT] + plan[layer, N_IN] * plan[layer, N_OUT]):
            cost += l1 * abs(theta[i]) + l2 / 2 * theta[i] * theta[i]
            grad[i] += l1_ * np.sign(theta[i]) + l2_ * theta[i]
    return cost


# ---------------------------------------------------------------------- epochs


@_kernel
def _gather(X, Y, weight, order, start, n, work, x, y, w):
    """Copy the batch's rows, in the order given or as they stand, into ``work``."""
    for r in range(n):
        row = order[start + r] if order.size > 0 else start + r
        for j in range(X.shape[1]):
            work[x + r * X.shape[1] + j] = X[row, j]
        for j in range(Y.shape[1]):
            work[y + r * Y.shape[1] + j] = Y[row, j]
        if w >= 0:
            work[w + r] = weight[row, 0]


@_kernel
def _is_finite(theta):
    for i in range(theta.size):
        if not math.isfinite(theta[i]):
            return False
    return True


@_kernel
def run(theta, slots, plan, numbers, loss, penalties, method, method_numbers, X, Y, weight, orders, size,
        rates, t, rng, frozen, decaying, places, work, bits, losses):  # fmt: skip
    """Epochs of updates, in place of ``theta`` and ``slots``; returns how many of them stayed finite.

    At the first one that does not, ``theta`` is set back to what it was before it.

    Parameters
    ----------
    theta : (n_parameters,)
    slots : (n_slots, n_parameters)
    plan, numbers : (n_layers, 11) of int, (n_layers, 2)
    loss : (6,)
    penalties : (3,)
        l1, l2, and the longest a gradient may be, or 0.
    method, method_numbers : int, (4,)
        The optimizer, and its numbers.
    X : (n_rows, n_features), of any number type
    Y : (n_rows, n_outputs)
    weight : (n_rows, 1), or of size 0
    orders : (n_epochs, n_rows) of int, or of size 0
    size : int
        Rows of a batch.
    rates : (n_epochs, n_batches)
    t : int
        Updates made before.
    rng : Generator
    frozen : (n_frozen,) of int
    decaying : (n_parameters,) of bool
    places : (4,) of int
        Where in ``work`` the batch's x, y, weights (or −1) and scratch lie.
    work, bits
        Scratch; ``bits`` of integers as wide as the numbers.
    losses : (n_epochs,)
        Filled.
    """
    x, y, w, scratch = places
    last = plan.shape[0] - 1
    z, a, d, k = plan[last, Z_AT], plan[last, A_AT], plan[last, D_AT], plan[last, N_OUT]
    fused, mean, l1, l2, longest = loss[2] > 0, loss[3] > 0, penalties[0], penalties[1], penalties[2]
    grad, before = np.empty_like(theta), np.empty_like(theta)
    no_order = orders.reshape(orders.size)
    for epoch in range(rates.shape[0]):
        before[:] = theta
        order = orders[epoch] if orders.size > 0 else no_order
        total, counted, finite = 0.0, 0.0, True
        for batch in range(rates.shape[1]):
            start = batch * size
            n = min(size, X.shape[0] - start)
            _gather(X, Y, weight, order, start, n, work, x, y, w)
            _forward(theta, plan, numbers, work, n, x, scratch, bits, rng)
            cost = _head(loss, work, z, a, d, y, w, n, k)
            _backward(theta, grad, plan, numbers, work, n, fused)
            if l1 > 0 or l2 > 0:
                cost += _penalise(theta, grad, plan, l1, l2)
            if not math.isfinite(cost):
                finite = False
                break
            for i in range(frozen.size):
                grad[frozen[i]] = 0
            _clip(grad, longest)
            t += 1
            _update(method, method_numbers, theta, grad, slots, rates[epoch, batch], t, decaying)
            count = float(n)
            if w >= 0:
                count = 0.0
                for r in range(w, w + n):
                    count += work[r]
            total += cost * count if mean else cost
            counted += count
        if not (finite and _is_finite(theta)):
            theta[:] = before
            return epoch
        losses[epoch] = total / counted if mean and counted > 0 else total
    return rates.shape[0]

"""The kernels of the compiled engine: the reference's formulas as loops over buffers that are made once.

Everything here keeps to Numba's subset of Python, and runs uncompiled too. It is one file, because Numba
looks only at the file of a function to see whether what it compiled before is still true.

Records of the registries appear as numbers: their places in ``ACTIVATIONS``, ``LOSSES`` and ``OPTIMIZERS``.
``n`` is the number of rows of a batch. Matrices are flat arrays in C order, of the network's dtype; loops
index slices from 0 on, since an index that might be negative keeps a loop from being vectorised.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

__all__ = ["ACTIVATIONS", "BIASES", "LOSSES", "OPTIMIZERS", "predict", "run"]

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
    "exp",
    "softmax",
)
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, EXP, SOFTMAX = range(11)
LOSSES = (
    "half_squared_error",
    "squared_error",
    "mean_squared_error",
    "mean_absolute_error",
    "huber",
    "quantile",
    "binary_cross_entropy",
    "cross_entropy",
    "poisson",
)
HALF_SQUARED, SQUARED, MEAN_SQUARED, MEAN_ABSOLUTE, HUBER, QUANTILE, BINARY_CROSS, CROSS, POISSON = range(9)
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adam_hat", "adamw")
SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAM_HAT, ADAMW = range(8)
BIASES = ("none", "neuron", "shared")
NONE, NEURON, SHARED = range(3)

SMALL = 256  # multiplications up to which loops beat a call of BLAS
GELU_SCALE = math.sqrt(2 / math.pi)
EXP_MOST = 22.0


#: Products and sums may be fused; nothing is reordered, and NaN and infinity keep their meaning.
_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
#: Python calls the entries only.
_INNER: Any = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
#: No kernel allocates anything, so that no references need be counted …
_kernel = njit(_nrt=False, **_INNER)
#: … but a call of BLAS might.
_kernel_with_blas = njit(_nrt=True, **_INNER)
#: A long sum, whose terms may be added in another order.
_sum = njit(_nrt=False, **_INNER | {"fastmath": {"reassoc", "nsz"}})
#: These become part of what calls them: optimised once, not twice.
_inline = njit(inline="always")


def _entry(function):
    """What Python calls: compiled at the first call, and kept on disk where there is a place for it."""
    try:
        return njit(cache=True, no_cfunc_wrapper=True, _nrt=False, **_OPTIONS)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(cache=False, no_cfunc_wrapper=True, _nrt=False, **_OPTIONS)(function)


# ---------------------------------------------------------------------- products of matrices


@_kernel_with_blas
def _product(x, W, out, n, n_in, n_out):
    """``out = x @ W``, (n, n_in) by (n_in, n_out)."""
    if n * n_in * n_out > SMALL:
        np.dot(x.reshape(n, n_in), W.reshape(n_in, n_out), out.reshape(n, n_out))
        return
    for r in range(n):
        for j in range(n_out):
            total = x[r * n_in] * W[j]
            for i in range(1, n_in):
                total += x[r * n_in + i] * W[i * n_out + j]
            out[r * n_out + j] = total


@_kernel_with_blas
def _product_xt(x, d, out, n, n_in, n_out):
    """``out = x.T @ d``, (n, n_in) and (n, n_out) to (n_in, n_out)."""
    if n * n_in * n_out > SMALL:
        np.dot(x.reshape(n, n_in).T, d.reshape(n, n_out), out.reshape(n_in, n_out))
        return
    for i in range(n_in):
        for j in range(n_out):
            total = x[i] * d[j]
            for r in range(1, n):
                total += x[r * n_in + i] * d[r * n_out + j]
            out[i * n_out + j] = total


@_kernel_with_blas
def _product_wt(d, W, out, n, n_in, n_out):
    """``out = d @ W.T``, (n, n_out) and (n_in, n_out) to (n, n_in)."""
    if n * n_in * n_out > SMALL:
        np.dot(d.reshape(n, n_out), W.reshape(n_in, n_out).T, out.reshape(n, n_in))
        return
    for r in range(n):
        for i in range(n_in):
            total = d[r * n_out] * W[i * n_out]
            for j in range(1, n_out):
                total += d[r * n_out + j] * W[i * n_out + j]
            out[r * n_in + i] = total


# Rows of x that are mostly 0 are kept as lists of what is not: row r's columns and values lie from
# ends[r - 1] to ends[r]. Half the speed of BLAS, on a fifth of the numbers, is faster.


@_kernel
def _sparse_product(columns, values, ends, W, out, n, n_out):
    """``out = x @ W``: for each row of x, its combination of rows of W, eight at a time."""
    c = 0
    for r in range(n):
        z = out[r * n_out : (r + 1) * n_out]
        for j in range(n_out):
            z[j] = 0
        while c + 8 <= ends[r]:
            at, v = columns[c : c + 8], values[c : c + 8]
            v0, v1, v2, v3, v4, v5, v6, v7 = v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
            W0, W1 = _row(W, at[0], n_out), _row(W, at[1], n_out)
            W2, W3 = _row(W, at[2], n_out), _row(W, at[3], n_out)
            W4, W5 = _row(W, at[4], n_out), _row(W, at[5], n_out)
            W6, W7 = _row(W, at[6], n_out), _row(W, at[7], n_out)
            for j in range(n_out):
                z[j] += (v0 * W0[j] + v1 * W1[j] + v2 * W2[j] + v3 * W3[j]
                         + v4 * W4[j] + v5 * W5[j] + v6 * W6[j] + v7 * W7[j])  # fmt: skip
            c += 8
        while c < ends[r]:
            v0, W0 = values[c], _row(W, columns[c], n_out)
            for j in range(n_out):
                z[j] += v0 * W0[j]
            c += 1


@_inline
def _row(W, i, n_out):
    return W[i * n_out : (i + 1) * n_out]


@_kernel
def _sparse_product_xt(columns, values, ends, d, out, n, n_out):
    """``out = x.T @ d``: each row's delta, added to the rows of dW whose inputs are not 0."""
    out[:] = 0
    c = 0
    for r in range(n):
        delta = d[r * n_out : (r + 1) * n_out]
        while c < ends[r]:
            v, dW = values[c], _row(out, columns[c], n_out)
            for j in range(n_out):
                dW[j] += v * delta[j]
            c += 1


# ---------------------------------------------------------------------- exponentials


@_kernel
def _exp(x, bits):
    """``e^x`` for numbers x ≤ 0, in their place; vectorised, to the last bit or two.

    x = k·log 2 + r and e^x = 2^k·e^r. Adding ``magic`` leaves the whole number k in the low bits, from where
    a shift moves it into the exponent. ``bits`` is scratch. Cody & Waite (1980), chapter 6.
    """
    if x.size < 8:
        for i in range(x.size):
            x[i] = math.exp(x[i])
    else:
        _exp_many(x, bits)


def _exp_many(x, bits):
    return _exp_64(x, bits) if x.itemsize == 8 else _exp_32(x, bits)


@overload(_exp_many)
def _compile_the_one_that_fits(x, bits):
    exp = _exp_64 if x.dtype == types.float64 else _exp_32
    return lambda x, bits: exp(x, bits)


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
def _activate(code, parameter, z, a, e, k, bits):
    """``a = f(z)`` for rows of ``k``; ``e`` is scratch, which softmax leaves log Σ exp z of each row in."""
    m, zero, one = z.size, z.dtype.type(0), z.dtype.type(1)
    p = z.dtype.type(parameter)
    if code == IDENTITY:
        for i in range(m):
            a[i] = z[i]
    elif code == RELU:
        for i in range(m):
            a[i] = zero if z[i] <= zero else z[i]  # NaN stays NaN
    elif code == LEAKY_RELU:
        for i in range(m):
            a[i] = z[i] * p if z[i] <= zero else z[i]
    elif code in (SIGMOID, SILU, SOFTPLUS):
        for i in range(m):
            e[i] = -abs(z[i])
        _exp(e, bits)
        if code == SIGMOID:
            for i in range(m):
                a[i] = (e[i] if z[i] < zero else one) / (one + e[i])
        elif code == SILU:
            for i in range(m):
                a[i] = z[i] * ((e[i] if z[i] < zero else one) / (one + e[i]))
        else:
            for i in range(m):
                a[i] = max(z[i], zero) + math.log1p(e[i])
    elif code == TANH:
        for i in range(m):
            e[i] = -2 * abs(z[i])
        _exp(e, bits)
        for i in range(m):
            t = (one - e[i]) / (one + e[i])
            a[i] = -t if z[i] < zero else t
    elif code == ELU:
        for i in range(m):
            e[i] = min(z[i], zero)
        _exp(e, bits)
        for i in range(m):
            a[i] = p * (e[i] - one) if z[i] < zero else z[i]
    elif code == GELU:
        for i in range(m):
            a[i] = 0.5 * z[i] * (1 + _gelu_tanh(z[i]))
    elif code == EXP:
        for i in range(m):
            a[i] = math.exp(min(z[i], EXP_MOST))
    else:
        _softmax(z, a, e, k, bits)


@_kernel
def _softmax(z, a, e, k, bits):
    n = z.size // k
    for r in range(n):
        row, powers = z[r * k : (r + 1) * k], a[r * k : (r + 1) * k]
        top = row[0]
        for j in range(1, k):
            top = max(top, row[j])
        for j in range(k):
            powers[j] = row[j] - top
        e[r] = top
    _exp(a, bits)
    for r in range(n):
        powers = a[r * k : (r + 1) * k]
        total = powers[0]
        for j in range(1, k):
            total += powers[j]
        for j in range(k):
            powers[j] /= total
        e[r] += math.log(total)


@_kernel
def _gelu_tanh(z):
    u = min(max(z, -10.0), 10.0)
    return math.tanh(GELU_SCALE * (u + 0.044715 * u * u * u))


@_kernel
def _sigmoid(z):
    e = math.exp(-abs(z))
    return (e if z < 0 else 1.0) / (1 + e)


@_kernel
def _pull_back(code, parameter, z, a, d, k):
    """``delta = da ⊙ f′(z)``, in the place ``d`` of ``da``; for softmax ``Jᵀ·da``."""
    m, zero, one = z.size, z.dtype.type(0), z.dtype.type(1)
    p = z.dtype.type(parameter)
    if code == RELU:
        for i in range(m):
            d[i] = d[i] if z[i] > zero else zero
    elif code == LEAKY_RELU:
        for i in range(m):
            d[i] *= one if z[i] > zero else p
    elif code == SIGMOID:
        for i in range(m):
            d[i] *= a[i] * (one - a[i])
    elif code == TANH:
        for i in range(m):
            d[i] *= one - a[i] * a[i]
    elif code == ELU:
        for i in range(m):
            d[i] *= one if z[i] > zero else a[i] + p
    elif code == GELU:
        for i in range(m):
            t = _gelu_tanh(z[i])
            u = min(max(z[i], -10.0), 10.0)
            slope = GELU_SCALE * (1 + 3 * 0.044715 * u * u)
            d[i] *= 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * slope
    elif code == SILU:
        for i in range(m):
            s = _sigmoid(z[i])
            d[i] *= s + a[i] * (1 - s)
    elif code == SOFTPLUS:
        for i in range(m):
            d[i] *= _sigmoid(z[i])
    elif code == EXP:
        for i in range(m):
            d[i] *= a[i] if z[i] < EXP_MOST else zero
    elif code == SOFTMAX:
        for r in range(m // k):
            powers, delta = a[r * k : (r + 1) * k], d[r * k : (r + 1) * k]
            total = zero
            for j in range(k):
                total += delta[j] * powers[j]
            for j in range(k):
                delta[j] = powers[j] * (delta[j] - total)


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
    if code == QUANTILE:
        return max((1 - parameter) * r, -parameter * r)
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
    if code == QUANTILE:
        return 0.0 if r == 0 else 1 - parameter if r > 0 else -parameter
    if code == BINARY_CROSS:
        return (1 - y) / max(1 - a, eps) - y / max(a, tiny)
    if code == CROSS:
        return -y / max(a, tiny)
    return 1 - y / max(a, tiny)


@_kernel
def _fused_term(code, z, a, y, log_powers):
    if code == CROSS:
        return -y * (z - log_powers)
    if code == BINARY_CROSS:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z))) - y * z
    if code == POISSON:
        return a - y * z
    return (a - y) * (a - y) / 2


@_kernel
def _head(loss, z, a, d, y, w, unit, e, k):
    """The rows' loss without penalties; ``∂L/∂a`` goes to ``d``, or ``∂L/∂z`` where it is fused.

    ``loss`` holds its code, parameter, whether it is fused, whether samples are averaged, and ``tiny`` and
    ``eps`` of ``deltarule.nn.losses``. A row counts ``unit``, times its sample weight where there are any;
    ``e`` is what the last activation left.
    """
    code, parameter, fused, tiny, eps = int(loss[0]), loss[1], loss[2] > 0, loss[4], loss[5]
    cost = 0.0
    for r in range(z.size // k):
        share = unit * w[r] if w.size > 0 else unit
        row = 0.0
        for j in range(r * k, r * k + k):
            if fused:
                row += _fused_term(code, z[j], a[j], y[j], e[r])
                d[j] = (a[j] - y[j]) * share
            else:
                row += _term(code, parameter, k, a[j], y[j], tiny, eps)
                d[j] = _term_slope(code, parameter, k, a[j], y[j], tiny, eps) * share
        cost += row * share
    return cost


# ---------------------------------------------------------------------- optimizers


@_kernel
def _update(code, numbers, theta, g, slots, start, eta, t, weights):
    """One update, as ``deltarule.nn.optimizers`` says it, of the parameters from ``start`` on."""
    T, stop = theta.dtype.type, start + theta.size
    eta_ = T(eta)
    if code == SGD:
        for i in range(theta.size):
            theta[i] -= eta_ * g[i]
    elif code in (MOMENTUM, NESTEROV):
        v, mu = slots[0, start:stop], T(numbers[0])
        for i in range(theta.size):
            v[i] = mu * v[i] - eta_ * g[i]
            theta[i] += mu * v[i] - eta_ * g[i] if code == NESTEROV else v[i]
    elif code == ADAGRAD:
        s, epsilon = slots[0, start:stop], T(numbers[0])
        for i in range(theta.size):
            s[i] += g[i] * g[i]
            theta[i] -= eta_ * g[i] / (np.sqrt(s[i]) + epsilon)
    elif code == RMSPROP:
        s, epsilon = slots[0, start:stop], T(numbers[1])
        rho, rest = T(numbers[0]), T(1 - numbers[0])
        for i in range(theta.size):
            s[i] = rho * s[i] + rest * (g[i] * g[i])
            theta[i] -= eta_ * g[i] / (np.sqrt(s[i]) + epsilon)
    else:
        if code == ADAMW:
            decay = T(eta * numbers[3])
            for i in range(theta.size):
                theta[i] -= decay * theta[i] if weights[i] else T(0)
        m, v, epsilon = slots[0, start:stop], slots[1, start:stop], T(numbers[2])
        beta1, rest1, beta2, rest2 = T(numbers[0]), T(1 - numbers[0]), T(numbers[1]), T(1 - numbers[1])
        unbias1, unbias2 = T(1 / (1 - numbers[0] ** t)), T(1 / (1 - numbers[1] ** t))
        if code == ADAM_HAT:
            epsilon = T(numbers[2] * math.sqrt(1 / (1 - numbers[1] ** t)))
        for i in range(theta.size):
            m[i] = beta1 * m[i] + rest1 * g[i]
            v[i] = beta2 * v[i] + rest2 * (g[i] * g[i])
            theta[i] -= eta_ * (m[i] * unbias1) / (np.sqrt(v[i] * unbias2) + epsilon)


@_sum
def _squares(g):
    total = 0.0
    for i in range(g.size):
        total += g[i] * g[i]
    return total


@_sum
def _magnitudes(g):
    total = 0.0
    for i in range(g.size):
        total += abs(g[i])
    return total


# ---------------------------------------------------------------------- forward, backward
# ``plan`` has a row for each layer, whose columns are: numbers of inputs and outputs; where W and b lie in
# the parameters; bias kind; activation; where in ``work`` the layer's x, z, a and delta lie; and where its
# dropout mask lies in ``masks`` (−1 where nothing is dropped; else x is where the dropped inputs go).
# ``numbers`` holds the activation's parameter and the dropout.

N_IN, N_OUT, W_AT, B_AT, BIAS, ACT, X_AT, Z_AT, A_AT, D_AT, MASK_AT = range(11)


@_inline
def _part(flat, at, count):
    return flat[at : at + count]


@_inline
def _forward(theta, plan, numbers, work, masks, first, n, e, bits, columns, values, ends):
    """Every layer's ``z`` and ``a`` for ``n`` rows, the batch's from ``first`` on."""
    for layer in range(plan.shape[0]):
        n_in, n_out = plan[layer, N_IN], plan[layer, N_OUT]
        W = _part(theta, plan[layer, W_AT], n_in * n_out)
        x = _part(work, plan[layer, X_AT], n * n_in)
        z, a = _part(work, plan[layer, Z_AT], n * n_out), _part(work, plan[layer, A_AT], n * n_out)
        if plan[layer, MASK_AT] >= 0:
            mask = _part(masks, plan[layer, MASK_AT] + first * n_in, n * n_in)
            if layer == 0 and ends.size > 0:
                _mask_lists(columns, values, ends, mask, n, n_in)
            else:
                before = _part(work, plan[layer - 1, A_AT] if layer > 0 else 0, n * n_in)
                for i in range(x.size):
                    x[i] = before[i] * mask[i]
        if layer == 0 and ends.size > 0:
            _sparse_product(columns, values, ends, W, z, n, n_out)
        else:
            _product(x, W, z, n, n_in, n_out)
        if plan[layer, BIAS] == NEURON:
            b = _part(theta, plan[layer, B_AT], n_out)
            for r in range(n):
                row = z[r * n_out : (r + 1) * n_out]
                for j in range(n_out):
                    row[j] += b[j]
        elif plan[layer, BIAS] == SHARED:
            shared = theta[plan[layer, B_AT]]
            for i in range(z.size):
                z[i] += shared
        _activate(plan[layer, ACT], numbers[layer, 0], z, a, _part(e, 0, z.size), n_out, bits)


@_kernel
def _mask_lists(columns, values, ends, mask, n, n_in):
    c = 0
    for r in range(n):
        row = mask[r * n_in : (r + 1) * n_in]
        while c < ends[r]:
            values[c] *= row[columns[c]]
            c += 1


@_kernel
def _draw_masks(plan, numbers, masks, n, rng):
    """The dropout masks of ``n`` rows, drawn as the reference draws them."""
    for layer in range(plan.shape[0]):
        if plan[layer, MASK_AT] >= 0:
            mask = _part(masks, plan[layer, MASK_AT], n * plan[layer, N_IN])
            share = numbers[layer, 1]
            scale = mask.dtype.type(1) / mask.dtype.type(1 - share)
            for i in range(mask.size):
                mask[i] = scale if rng.random(dtype=np.float32) >= np.float32(share) else 0


@_inline
def _backward(theta, grad, plan, numbers, work, masks, first, n, fused, columns, values, ends):
    """Every layer's ``dW`` and ``db``, from ``∂L/∂a`` (fused: ``delta``) in the last layer's place."""
    last = plan.shape[0] - 1
    for layer in range(last, -1, -1):
        n_in, n_out = plan[layer, N_IN], plan[layer, N_OUT]
        x, d = _part(work, plan[layer, X_AT], n * n_in), _part(work, plan[layer, D_AT], n * n_out)
        if layer < last or not fused:
            z, a = _part(work, plan[layer, Z_AT], n * n_out), _part(work, plan[layer, A_AT], n * n_out)
            _pull_back(plan[layer, ACT], numbers[layer, 0], z, a, d, n_out)
        dW = _part(grad, plan[layer, W_AT], n_in * n_out)
        if layer == 0 and ends.size > 0:
            _sparse_product_xt(columns, values, ends, d, dW, n, n_out)
        else:
            _product_xt(x, d, dW, n, n_in, n_out)
        if plan[layer, BIAS] == NEURON:
            db = _part(grad, plan[layer, B_AT], n_out)
            for j in range(n_out):
                db[j] = d[j]
            for r in range(1, n):
                row = d[r * n_out : (r + 1) * n_out]
                for j in range(n_out):
                    db[j] += row[j]
        elif plan[layer, BIAS] == SHARED:
            total = d[0]
            for i in range(1, d.size):
                total += d[i]
            grad[plan[layer, B_AT]] = total
        if layer > 0:
            dx = _part(work, plan[layer - 1, D_AT], n * n_in)
            W = _part(theta, plan[layer, W_AT], n_in * n_out)
            _product_wt(d, W, dx, n, n_in, n_out)
            if plan[layer, MASK_AT] >= 0:
                mask = _part(masks, plan[layer, MASK_AT] + first * n_in, n * n_in)
                for i in range(dx.size):
                    dx[i] *= mask[i]


@_kernel
def _penalise(theta, grad, plan, l1, l2, start, stop):
    """Add the penalties' gradient by the parameters from ``start`` to ``stop``; returns what they cost."""
    cost, l1_, l2_ = 0.0, theta.dtype.type(l1), theta.dtype.type(l2)
    for layer in range(plan.shape[0]):
        low = max(start, plan[layer, W_AT])
        high = min(stop, plan[layer, W_AT] + plan[layer, N_IN] * plan[layer, N_OUT])
        if low < high:
            W, dW = theta[low:high], grad[low:high]
            cost += l1 * _magnitudes(W) + l2 / 2 * _squares(W)
            for i in range(W.size):
                dW[i] += l1_ * np.sign(W[i]) + l2_ * W[i]
    return cost


# ---------------------------------------------------------------------- sharing the work
# Each thread runs every batch's own share of rows, and then updates its own range of the parameters. They
# meet after each of both. The sums are taken in the order of the shares, so that the same number of shares
# gives the same bits.


@intrinsic
def _add(typing_context, array, index, value):
    """Add to a whole number of an array, which other threads see at once; returns what it was."""

    def build(context, builder, signature, arguments):
        place = _address(context, builder, signature, arguments)
        return builder.atomic_rmw("add", place, arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), build


@intrinsic
def _read(typing_context, array, index):
    """A whole number of an array, as other threads left it."""

    def build(context, builder, signature, arguments):
        return builder.load_atomic(_address(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(array, types.int64), build


def _address(context, builder, signature, arguments):
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return cgutils.get_item_pointer(
        context, builder, signature.args[0], array, [arguments[1]], wraparound=False
    )


if os.name == "posix":
    _yield = types.ExternalFunction("sched_yield", types.intc())
else:

    @_kernel
    def _yield():
        pass


@_kernel
def _meet(gate, shares):
    """Wait until all threads are here. ``gate`` counts who came, and how often all did."""
    if shares == 1:
        return
    met = _read(gate, 8)
    if _add(gate, 0, 1) == shares - 1:
        _add(gate, 0, -shares)
        _add(gate, 8, 1)
        return
    patience = 10_000
    while _read(gate, 8) == met:
        patience -= 1
        if patience < 0:
            _yield()


@_kernel
def _total(parts):
    total = 0.0
    for part in parts:
        total += part
    return total


# ---------------------------------------------------------------------- epochs


@_kernel
def _gather(X, shift, scale, order, start, n, x):
    """Copy rows, in the order given or as they stand, scaled where there is a scale."""
    k = X.shape[1]
    for r in range(n):
        row, out = X[order[start + r] if order.size > 0 else start + r], x[r * k : (r + 1) * k]
        for j in range(k):
            out[j] = row[j]
        if shift.size > 0:
            for j in range(k):
                out[j] -= shift[j]
        if scale.size > 0:
            for j in range(k):
                out[j] /= scale[j]


@_kernel
def _gather_sparse(X, scale, order, start, n, columns, values, ends):
    """The same, as lists of what is not 0."""
    c = 0
    for r in range(n):
        row = X[order[start + r] if order.size > 0 else start + r]
        for j in range(X.shape[1]):
            if row[j] != 0:
                columns[c], values[c] = j, row[j]
                c += 1
        ends[r] = c
    _scale_lists(columns, values, scale, c)


@_kernel
def _gather_lists(indptr, indices, data, scale, order, start, n, columns, values, ends):
    """The same, from rows that are such lists."""
    c = 0
    for r in range(n):
        row = order[start + r] if order.size > 0 else start + r
        first, count = indptr[row], indptr[row + 1] - indptr[row]
        there, numbers = indices[first : first + count], data[first : first + count]
        for i in range(count):
            columns[c + i], values[c + i] = there[i], numbers[i]
        c += count
        ends[r] = c
    _scale_lists(columns, values, scale, c)


@_kernel
def _scale_lists(columns, values, scale, count):
    if scale.size > 0:
        for i in range(count):
            values[i] /= scale[columns[i]]


@_kernel
def _gather_rows(Y, order, start, n, y):
    k = Y.shape[1]
    for r in range(n):
        row = order[start + r] if order.size > 0 else start + r
        for j in range(k):
            y[r * k + j] = Y[row, j]


@_kernel
def _copy(source, target):
    for i in range(target.size):
        target[i] = source[i]


@_kernel
def _is_finite(theta):
    for i in range(theta.size):
        if not math.isfinite(theta[i]):
            return False
    return True


@_entry
def predict(start, stop, size, theta, plan, numbers, X, shift, scale, scratch, work, bits, columns, values,
            ends, out):  # fmt: skip
    """The outputs for rows ``start`` to ``stop`` of X, ``size`` rows at a time, into ``out``.

    ``scratch`` is where scratch lies in ``work``; all else is as in :func:`run`, for one share. Where X is
    empty and there are ``ends``, the lists are given, of no more than ``size`` rows.
    """
    last = plan.shape[0] - 1
    k, as_they_stand, none = plan[last, N_OUT], ends[:0], work[:0]
    while start < stop:
        n = min(size, stop - start)
        if ends.size == 0:
            _gather(X, shift, scale, as_they_stand, start, n, work)
        elif X.size > 0:
            _gather_sparse(X, scale, as_they_stand, start, n, columns, values, ends)
        _forward(theta, plan, numbers, work, none, 0, n, work[scratch:], bits, columns, values, ends)
        _copy(_part(work, plan[last, A_AT], n * k), out[start * k : (start + n) * k])
        start += n


@_entry
def run(share, gate, sums, theta, slots, grads, before, plan, numbers, loss, penalties, method,
        method_numbers, X, indptr, indices, data, shift, scale, Y, weight, orders, size, rates, t, rng,
        frozen, decaying, places, works, masks, bits, columns, values, ends, losses):  # fmt: skip
    """Epochs of updates, in place of ``theta`` and ``slots``; returns how many of them stayed finite.

    At the first one that does not, ``theta`` is set back to what it was before it. Every share of a batch's
    rows is another thread's call of this function, with all arguments the same but the first.

    Parameters
    ----------
    share : int
    gate : (16,) of int
        Zeros: where threads meet.
    sums : (4, n_shares)
        What each share adds to the cost, the penalties and the square of the gradient's length, and whether
        its parameters are finite.
    theta, before : (n_parameters,)
    slots, grads : (n_slots, n_parameters), (n_shares, n_parameters)
    plan, numbers : (n_layers, 11) of int, (n_layers, 2)
    loss : (6,)
    penalties : (3,)
        l1, l2, and the longest a gradient may be, or 0.
    method, method_numbers : int, (4,)
        The optimizer, and its numbers.
    X : (n_rows, n_features), of any number type; or empty
    indptr, indices, data : (n_rows + 1,), (n_values,), (n_values,)
        X in CSR where X itself is empty; else of size 0.
    shift, scale : (n_features,), or of size 0
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
    places : (3,) of int
        Where in ``works`` a share's y, sample weights and scratch lie; its x lies at 0.
    works, bits : (n_shares, …)
        Scratch; ``bits`` of integers as wide as the numbers.
    masks : (…,)
    columns, values, ends : (n_shares, …)
        Where rows of X that are mostly 0, or in CSR, go as lists; of size 0 where they go as they are.
    losses : (n_epochs,)
        Filled.
    """
    shares = grads.shape[0]
    work, grad, sparse = works[share], grads[share], ends.shape[1] > 0
    last = plan.shape[0] - 1
    k = plan[last, N_OUT]
    fused, mean, l1, l2, longest = loss[2] > 0, loss[3] > 0, penalties[0], penalties[1], penalties[2]
    no_order = orders.reshape(orders.size)
    low, high = theta.size * share // shares, theta.size * (share + 1) // shares
    own = theta[low:high]
    for epoch in range(rates.shape[0]):
        _copy(own, before[low:high])
        order = orders[epoch] if orders.size > 0 else no_order
        total, counted, cost = 0.0, 0.0, 0.0
        for batch in range(rates.shape[1]):
            n_batch = min(size, Y.shape[0] - batch * size)
            first = n_batch * share // shares
            n = n_batch * (share + 1) // shares - first
            start = batch * size + first

            count = float(n_batch)
            if weight.size > 0:
                count = 0.0
                for r in range(batch * size, batch * size + n_batch):
                    count += weight[order[r] if order.size > 0 else r, 0]
            unit = 1 / count if mean and count > 0 else 1.0
            if masks.size > 0:
                if share == 0:
                    _draw_masks(plan, numbers, masks, n_batch, rng)
                _meet(gate, shares)

            if n > 0:
                if indptr.size > 0:
                    _gather_lists(indptr, indices, data, scale, order, start, n,
                                  columns[share], values[share], ends[share])  # fmt: skip
                elif sparse:
                    _gather_sparse(X, scale, order, start, n, columns[share], values[share], ends[share])
                else:
                    _gather(X, shift, scale, order, start, n, work)
                y, w = _part(work, places[0], n * k), _part(work, places[1], n if weight.size > 0 else 0)
                _gather_rows(Y, order, start, n, y)
                if weight.size > 0:
                    _gather_rows(weight, order, start, n, w)
                e = work[places[2] :]
                _forward(theta, plan, numbers, work, masks, first, n, e, bits[share],
                         columns[share], values[share], ends[share])  # fmt: skip
                z, a = _part(work, plan[last, Z_AT], n * k), _part(work, plan[last, A_AT], n * k)
                d = _part(work, plan[last, D_AT], n * k)
                sums[0, share] = _head(loss, z, a, d, y, w, unit, e, k)
                _backward(theta, grad, plan, numbers, work, masks, first, n, fused,
                          columns[share], values[share], ends[share])  # fmt: skip
            else:
                sums[0, share] = 0.0
                grad[:] = 0
            _meet(gate, shares)

            cost = _total(sums[0])
            g = grads[0, low:high]
            for other in range(1, shares):
                more = grads[other, low:high]
                for i in range(g.size):
                    g[i] += more[i]
            if l1 > 0 or l2 > 0:
                sums[1, share] = _penalise(theta, grads[0], plan, l1, l2, low, high)
            for i in range(frozen.size):
                if low <= frozen[i] < high:
                    grads[0, frozen[i]] = 0
            if longest > 0:
                sums[2, share] = _squares(g)
                _meet(gate, shares)
                length = math.sqrt(_total(sums[2]))
                if length > longest:
                    for i in range(g.size):
                        g[i] *= longest / length
            t += 1
            _update(method, method_numbers, own, g, slots, low, rates[epoch, batch], t, decaying[low:high])
            _meet(gate, shares)

            if l1 > 0 or l2 > 0:
                cost += _total(sums[1])
            if not math.isfinite(cost):
                break
            total += cost * count if mean else cost
            counted += count
        sums[3, share] = math.isfinite(cost) and _is_finite(own)
        _meet(gate, shares)
        if _total(sums[3]) < shares:
            _copy(before[low:high], own)
            return epoch
        if share == 0:
            losses[epoch] = total / counted if mean and counted > 0 else total
    return rates.shape[0]

"""The kernels of the compiled engine: the reference's formulas as loops over buffers that are made once.

Read :func:`run` and :func:`predict`, at the end, first: they call what stands above them, in its order.

Numba
    Everything here keeps to Numba's subset of Python, and runs uncompiled too (``NUMBA_DISABLE_JIT=1``). It
    is one file, because Numba looks only at the file of a function to see whether what it compiled before is
    still true. What Python passes comes in named tuples (:class:`Job`, :class:`Data`, :class:`Workspace`),
    whose fields must always have the same types: what a job does not need is an empty array of its dtype and
    number of axes, or Numba would compile everything once more. What is called with a named tuple of arrays
    is inlined: handing fifty numbers on takes longer than an update of a small network.

Records of the registries
    Activations, losses and optimizers are whole numbers here: their places in ``ACTIVATIONS``, ``LOSSES``
    and ``OPTIMIZERS``; a bias kind is its place in ``deltarule.nn.layers.BIAS_KINDS``.

The layout of the workspace
    Matrices are flat arrays in C order, of the network's dtype, and ``n`` is the number of rows of a share
    of a batch. All of a thread's matrices lie in one array, ``Scratch.numbers``: first the inputs; then
    targets, sample weights and room for exponentials; then each layer's dropped inputs (where it drops any),
    z, a and delta. Each starts at a cache line. Where each lies is written in the layer's row of
    ``Layers.table``. Loops index slices from 0 on, since an index that might be negative keeps a loop from
    being vectorised.

How threads meet
    A batch's rows are divided into shares, one for each thread, and so are the parameters. For every batch
    each thread computes the gradient of its rows into a row of ``Workspace.gradients``; when all have, it
    sums all of these rows over its own range of the parameters, and updates that range. Threads wait for
    each other after each of both, by counting in ``Workspace.gate``: no locks, no calls of the system.

Why sums keep their order
    The same number of threads gives the same bits. So shares depend on nothing but their number, and what
    they add to a gradient, a cost or a length is added in the order of the shares, not in the order in which
    they finish. Within a loop nothing is reordered either, except in two sums that say so.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from deltarule.arrays import Array
from deltarule.nn.engines.kernel_cache import KernelCache

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "exp",
               "softmax")  # fmt: skip
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, EXP, SOFTMAX = range(11)
LOSSES = ("half_squared_error", "squared_error", "mean_squared_error", "mean_absolute_error", "huber",
          "quantile", "binary_cross_entropy", "cross_entropy", "poisson")  # fmt: skip
HALF_SQUARED, SQUARED, MEAN_SQUARED, MEAN_ABSOLUTE, HUBER, QUANTILE, BINARY_CROSS, CROSS, POISSON = range(9)
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adam_hat", "adamw")
SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAM_HAT, ADAMW = range(8)
NEURON, SHARED = range(2)  # bias kinds

LOOP_PRODUCTS = 256  # multiplications up to which loops beat a call of BLAS
GELU_SCALE = math.sqrt(2 / math.pi)
EXP_LIMIT = 22.0  # e^z grows no further


# ---------------------------------------------------------------------- what Python passes
# The columns of ``Layers.table``: numbers of inputs and outputs; where W and b lie in the parameters; bias
# kind; activation; where the layer's x, z, a and delta lie in a thread's ``Scratch.numbers``; and where its
# dropout mask lies in ``Workspace.masks`` (-1 where nothing is dropped; else x is where dropped inputs go).
N_IN, N_OUT, W_AT, B_AT, BIAS, ACTIVATION, X_AT, Z_AT, A_AT, DELTA_AT, MASK_AT = range(11)


class Layers(NamedTuple):
    """The network: its parameters, and what each layer computes from them."""

    parameters: Array  # (n_parameters,)
    table: Array  # (n_layers, 11) of int
    numbers: Array  # (n_layers, 2): the activation's parameter, the dropout


class Cost(NamedTuple):
    """The objective."""

    loss: int
    parameter: float  # of the loss
    is_fused: bool  # with the last activation: delta is a - y
    is_mean: bool  # over the samples, else their sum
    tiny: float  # the least a logarithm or a division takes for ``a`` …
    eps: float  # … and for ``1 - a``
    l1: float
    l2: float


class UpdateRule(NamedTuple):
    """The optimizer."""

    optimizer: int
    numbers: Array  # (4,): its fields after the learning rate, in their order
    max_norm: float  # the longest a gradient may be, or 0
    slots: Array  # (n_slots, n_parameters): what it remembers
    decaying: Array  # (n_parameters,) of bool: the weights that are trained


class Job(NamedTuple):
    """What is trained, and how."""

    layers: Layers
    cost: Cost
    rule: UpdateRule
    frozen: Array  # (n_frozen,) of int: parameters that do not move


class Inputs(NamedTuple):
    """The inputs of all samples: dense, or CSR where ``dense`` is empty."""

    dense: Array  # (n_rows, n_features), of any number type
    indptr: Array  # (n_rows + 1,) of int
    indices: Array  # (n_values,) of int
    values: Array  # (n_values,), of any number type
    shift: Array  # (n_features,), or empty: what to subtract …
    scale: Array  # (n_features,), or empty: … and then to divide by


class Data(NamedTuple):
    """The samples, and the batches of each epoch."""

    inputs: Inputs
    y: Array  # (n_rows, n_outputs)
    sample_weight: Array  # (n_rows, 1), or (0, 1)
    orders: Array  # (n_epochs, n_rows) of int, or (0, 0): rows as they stand
    batch_size: int
    rates: Array  # (n_epochs, n_batches): the learning rate of each update
    n_updates: int  # made before


class Scratch(NamedTuple):
    """What one thread computes in."""

    numbers: Array  # (length,): its matrices, from x at 0 on
    y_at: int  # where in ``numbers`` the targets lie, …
    weight_at: int  # … the sample weights, …
    exps_at: int  # … and room for exponentials
    integers: Array  # (n_exps,): integers as wide as the numbers
    columns: Array  # (n_values,) of int: rows of x as CSR; empty where they are dense
    values: Array  # (n_values,)
    row_ends: Array  # (n,) of int


class Workspace(NamedTuple):
    """What all threads compute in; their meeting places; and what they return."""

    scratch: Scratch  # each array with an axis (n_shares,) in front
    masks: Array  # (n_masked,): dropout masks of the whole batch, or empty
    gradients: Array  # (n_shares, n_parameters)
    before: Array  # (n_parameters,): as they were before the epoch
    gate: Array  # (16,) of int: zeros
    sums: Array  # (4, n_shares): what each share adds to DATA_COST … ARE_FINITE
    losses: Array  # (n_epochs,): filled


# The rows of ``Workspace.sums``.
DATA_COST, PENALTY, SQUARED_NORM, ARE_FINITE = range(4)


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
    compiled = njit(no_cfunc_wrapper=True, _nrt=False, **_OPTIONS)(function)
    if compiled is not function:  # it is where Numba is told to compile nothing
        with suppress(RuntimeError):  # neither the package's folder nor the user's cache can be written
            compiled._cache = KernelCache(function)
    return compiled


# ---------------------------------------------------------------------- products of matrices


@_kernel_with_blas
def _product(x, W, z, n, n_in, n_out):
    """``z = x @ W``, (n, n_in) by (n_in, n_out)."""
    if n * n_in * n_out > LOOP_PRODUCTS:
        np.dot(x.reshape(n, n_in), W.reshape(n_in, n_out), z.reshape(n, n_out))
        return
    for r in range(n):
        for j in range(n_out):
            total = x[r * n_in] * W[j]
            for i in range(1, n_in):
                total += x[r * n_in + i] * W[i * n_out + j]
            z[r * n_out + j] = total


@_kernel_with_blas
def _product_xt(x, delta, dW, n, n_in, n_out):
    """``dW = x.T @ delta``, (n, n_in) and (n, n_out) to (n_in, n_out)."""
    if n * n_in * n_out > LOOP_PRODUCTS:
        np.dot(x.reshape(n, n_in).T, delta.reshape(n, n_out), dW.reshape(n_in, n_out))
        return
    for i in range(n_in):
        for j in range(n_out):
            total = x[i] * delta[j]
            for r in range(1, n):
                total += x[r * n_in + i] * delta[r * n_out + j]
            dW[i * n_out + j] = total


@_kernel_with_blas
def _product_wt(delta, W, dx, n, n_in, n_out):
    """``dx = delta @ W.T``, (n, n_out) and (n_in, n_out) to (n, n_in)."""
    if n * n_in * n_out > LOOP_PRODUCTS:
        np.dot(delta.reshape(n, n_out), W.reshape(n_in, n_out).T, dx.reshape(n, n_in))
        return
    for r in range(n):
        for i in range(n_in):
            total = delta[r * n_out] * W[i * n_out]
            for j in range(1, n_out):
                total += delta[r * n_out + j] * W[i * n_out + j]
            dx[r * n_in + i] = total


# Rows of x that are mostly 0 are kept as CSR: row r's columns and values lie from row_ends[r - 1] to
# row_ends[r]. Half the speed of BLAS, on a fifth of the numbers, is faster.


@_kernel
def _csr_product(columns, values, row_ends, W, z, n, n_out):
    """``z = x @ W``: for each row of x, its combination of rows of W, eight at a time."""
    i = 0
    for r in range(n):
        row = z[r * n_out : (r + 1) * n_out]
        for j in range(n_out):
            row[j] = 0
        while i + 8 <= row_ends[r]:
            column, v = columns[i : i + 8], values[i : i + 8]
            v0, v1, v2, v3, v4, v5, v6, v7 = v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
            W0, W1 = _row_of(W, column[0], n_out), _row_of(W, column[1], n_out)
            W2, W3 = _row_of(W, column[2], n_out), _row_of(W, column[3], n_out)
            W4, W5 = _row_of(W, column[4], n_out), _row_of(W, column[5], n_out)
            W6, W7 = _row_of(W, column[6], n_out), _row_of(W, column[7], n_out)
            for j in range(n_out):
                row[j] += (v0 * W0[j] + v1 * W1[j] + v2 * W2[j] + v3 * W3[j]
                         + v4 * W4[j] + v5 * W5[j] + v6 * W6[j] + v7 * W7[j])  # fmt: skip
            i += 8
        while i < row_ends[r]:
            v0, W0 = values[i], _row_of(W, columns[i], n_out)
            for j in range(n_out):
                row[j] += v0 * W0[j]
            i += 1


@_inline
def _row_of(W, i, n_out):
    return W[i * n_out : (i + 1) * n_out]


@_kernel
def _csr_product_xt(columns, values, row_ends, delta, dW, n, n_out):
    """``dW = x.T @ delta``: each row's delta, added to the rows of dW whose inputs are not 0."""
    dW[:] = 0
    i = 0
    for r in range(n):
        row = delta[r * n_out : (r + 1) * n_out]
        while i < row_ends[r]:
            v, dW_row = values[i], _row_of(dW, columns[i], n_out)
            for j in range(n_out):
                dW_row[j] += v * row[j]
            i += 1


# ---------------------------------------------------------------------- exponentials


@_kernel
def _exp(x, integers):
    """``e^x`` for numbers x ≤ 0, in their place; vectorised, to the last bit or two.

    x = k·log 2 + r and e^x = 2^k·e^r. Adding ``magic`` leaves the whole number k in the low bits, from where
    a shift moves it into the exponent. ``integers`` is scratch. Cody & Waite (1980), chapter 6.
    """
    if x.size < 8:
        for i in range(x.size):
            x[i] = math.exp(x[i])
    else:
        _exp_many(x, integers)


def _exp_many(x, integers):
    return _exp_64(x, integers) if x.itemsize == 8 else _exp_32(x, integers)


@overload(_exp_many)
def _compile_exp_many(x, integers):
    exp = _exp_64 if x.dtype == types.float64 else _exp_32
    return lambda x, integers: exp(x, integers)


@_kernel
def _exp_64(x, integers):
    magic = 6755399441055744.0  # 1.5 · 2^52
    scale = integers.view(x.dtype)
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
        integers[i] = (integers[i] << 52) + 0x3FF0000000000000
    for i in range(x.size):
        x[i] *= scale[i]


@_kernel
def _exp_32(x, integers):
    magic = np.float32(12582912.0)  # 1.5 · 2^23
    one = np.float32(1)
    scale = integers.view(x.dtype)
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
        integers[i] = (integers[i] << 23) + 0x3F800000
    for i in range(x.size):
        x[i] *= scale[i]


# ---------------------------------------------------------------------- activations


@_kernel
def _activate(activation, parameter, z, a, exps, k, integers):
    """``a = f(z)`` for rows of ``k``; ``exps`` is scratch, where softmax leaves log Σ e^z of each row."""
    m, zero, one = z.size, z.dtype.type(0), z.dtype.type(1)
    p = z.dtype.type(parameter)
    if activation == IDENTITY:
        for i in range(m):
            a[i] = z[i]
    elif activation == RELU:
        for i in range(m):
            a[i] = zero if z[i] <= zero else z[i]  # NaN stays NaN
    elif activation == LEAKY_RELU:
        for i in range(m):
            a[i] = z[i] * p if z[i] <= zero else z[i]
    elif activation in (SIGMOID, SILU, SOFTPLUS):
        for i in range(m):
            exps[i] = -abs(z[i])
        _exp(exps, integers)
        if activation == SIGMOID:
            for i in range(m):
                a[i] = (exps[i] if z[i] < zero else one) / (one + exps[i])
        elif activation == SILU:
            for i in range(m):
                a[i] = z[i] * ((exps[i] if z[i] < zero else one) / (one + exps[i]))
        else:
            for i in range(m):
                a[i] = max(z[i], zero) + math.log1p(exps[i])
    elif activation == TANH:
        for i in range(m):
            exps[i] = -2 * abs(z[i])
        _exp(exps, integers)
        for i in range(m):
            t = (one - exps[i]) / (one + exps[i])
            a[i] = -t if z[i] < zero else t
    elif activation == ELU:
        for i in range(m):
            exps[i] = min(z[i], zero)
        _exp(exps, integers)
        for i in range(m):
            a[i] = p * (exps[i] - one) if z[i] < zero else z[i]
    elif activation == GELU:
        for i in range(m):
            a[i] = 0.5 * z[i] * (1 + _gelu_tanh(z[i]))
    elif activation == EXP:
        for i in range(m):
            a[i] = math.exp(min(z[i], EXP_LIMIT))
    else:
        _softmax(z, a, exps, k, integers)


@_kernel
def _softmax(z, a, exps, k, integers):
    n = z.size // k
    for r in range(n):
        row, powers = z[r * k : (r + 1) * k], a[r * k : (r + 1) * k]
        top = row[0]
        for j in range(1, k):
            top = max(top, row[j])
        for j in range(k):
            powers[j] = row[j] - top
        exps[r] = top
    _exp(a, integers)
    for r in range(n):
        powers = a[r * k : (r + 1) * k]
        total = powers[0]
        for j in range(1, k):
            total += powers[j]
        for j in range(k):
            powers[j] /= total
        exps[r] += math.log(total)


@_kernel
def _gelu_tanh(z):
    u = min(max(z, -10.0), 10.0)
    return math.tanh(GELU_SCALE * (u + 0.044715 * u * u * u))


@_kernel
def _sigmoid(z):
    e = math.exp(-abs(z))
    return (e if z < 0 else 1.0) / (1 + e)


@_kernel
def _pull_back(activation, parameter, z, a, delta, k):
    """``delta = da ⊙ f′(z)``, in the place ``delta`` of ``da``; for softmax ``Jᵀ·da``."""
    m, zero, one = z.size, z.dtype.type(0), z.dtype.type(1)
    p = z.dtype.type(parameter)
    if activation == RELU:
        for i in range(m):
            delta[i] = delta[i] if z[i] > zero else zero
    elif activation == LEAKY_RELU:
        for i in range(m):
            delta[i] *= one if z[i] > zero else p
    elif activation == SIGMOID:
        for i in range(m):
            delta[i] *= a[i] * (one - a[i])
    elif activation == TANH:
        for i in range(m):
            delta[i] *= one - a[i] * a[i]
    elif activation == ELU:
        for i in range(m):
            delta[i] *= one if z[i] > zero else a[i] + p
    elif activation == GELU:
        for i in range(m):
            t = _gelu_tanh(z[i])
            u = min(max(z[i], -10.0), 10.0)
            slope = GELU_SCALE * (1 + 3 * 0.044715 * u * u)
            delta[i] *= 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * slope
    elif activation == SILU:
        for i in range(m):
            s = _sigmoid(z[i])
            delta[i] *= s + a[i] * (1 - s)
    elif activation == SOFTPLUS:
        for i in range(m):
            delta[i] *= _sigmoid(z[i])
    elif activation == EXP:
        for i in range(m):
            delta[i] *= a[i] if z[i] < EXP_LIMIT else zero
    elif activation == SOFTMAX:
        for r in range(m // k):
            powers, row = a[r * k : (r + 1) * k], delta[r * k : (r + 1) * k]
            total = zero
            for j in range(k):
                total += row[j] * powers[j]
            for j in range(k):
                row[j] = powers[j] * (row[j] - total)


# ---------------------------------------------------------------------- losses


@_kernel
def _term(loss, parameter, k, a, y, tiny, eps):
    """The loss of one output of ``k``."""
    r = a - y
    if loss == HALF_SQUARED:
        return r * r / 2
    if loss == SQUARED:
        return r * r
    if loss == MEAN_SQUARED:
        return r * r / k
    if loss == MEAN_ABSOLUTE:
        return abs(r) / k
    if loss == HUBER:
        inner = min(abs(r), parameter)
        return inner * (abs(r) - inner / 2)
    if loss == QUANTILE:
        return max((1 - parameter) * r, -parameter * r)
    if loss == BINARY_CROSS:
        return -(y * math.log(max(a, tiny)) + (1 - y) * math.log(max(1 - a, eps)))
    if loss == CROSS:
        return -y * math.log(max(a, tiny))
    return a - y * math.log(max(a, tiny))


@_kernel
def _term_slope(loss, parameter, k, a, y, tiny, eps):
    """Its derivative by the output."""
    r = a - y
    if loss == HALF_SQUARED:
        return r
    if loss == SQUARED:
        return 2 * r
    if loss == MEAN_SQUARED:
        return 2 * r / k
    if loss == MEAN_ABSOLUTE:
        return np.sign(r) / k
    if loss == HUBER:
        return min(max(r, -parameter), parameter)
    if loss == QUANTILE:
        return 0.0 if r == 0 else 1 - parameter if r > 0 else -parameter
    if loss == BINARY_CROSS:
        return (1 - y) / max(1 - a, eps) - y / max(a, tiny)
    if loss == CROSS:
        return -y / max(a, tiny)
    return 1 - y / max(a, tiny)


@_kernel
def _fused_term(loss, z, a, y, log_sum):
    if loss == CROSS:
        return -y * (z - log_sum)
    if loss == BINARY_CROSS:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z))) - y * z
    if loss == POISSON:
        return a - y * z
    return (a - y) * (a - y) / 2


@_kernel
def _loss_and_delta(cost, z, a, delta, y, weight, unit, log_sums, k):
    """The rows' loss without penalties; ``∂L/∂a`` goes to ``delta``, or ``∂L/∂z`` where it is fused.

    A row counts ``unit``, times its sample weight where there are any; ``log_sums`` is what a softmax left.
    """
    loss, parameter, tiny, eps = cost.loss, cost.parameter, cost.tiny, cost.eps
    total = 0.0
    for r in range(z.size // k):
        share = unit * weight[r] if weight.size > 0 else unit
        row = 0.0
        for j in range(r * k, r * k + k):
            if cost.is_fused:
                row += _fused_term(loss, z[j], a[j], y[j], log_sums[r])
                delta[j] = (a[j] - y[j]) * share
            else:
                row += _term(loss, parameter, k, a[j], y[j], tiny, eps)
                delta[j] = _term_slope(loss, parameter, k, a[j], y[j], tiny, eps) * share
        total += row * share
    return total


# ---------------------------------------------------------------------- optimizers


@_kernel
def _update(optimizer, numbers, theta, g, slots, start, eta, t, decaying):
    """One update, as ``deltarule.nn.optimizers`` says it, of the parameters from ``start`` on."""
    T, stop = theta.dtype.type, start + theta.size
    eta_ = T(eta)
    if optimizer == SGD:
        for i in range(theta.size):
            theta[i] -= eta_ * g[i]
    elif optimizer in (MOMENTUM, NESTEROV):
        v, mu = slots[0, start:stop], T(numbers[0])
        for i in range(theta.size):
            v[i] = mu * v[i] - eta_ * g[i]
            theta[i] += mu * v[i] - eta_ * g[i] if optimizer == NESTEROV else v[i]
    elif optimizer == ADAGRAD:
        s, epsilon = slots[0, start:stop], T(numbers[0])
        for i in range(theta.size):
            s[i] += g[i] * g[i]
            theta[i] -= eta_ * g[i] / (np.sqrt(s[i]) + epsilon)
    elif optimizer == RMSPROP:
        s, epsilon = slots[0, start:stop], T(numbers[1])
        rho, rest = T(numbers[0]), T(1 - numbers[0])
        for i in range(theta.size):
            s[i] = rho * s[i] + rest * (g[i] * g[i])
            theta[i] -= eta_ * g[i] / (np.sqrt(s[i]) + epsilon)
    else:
        if optimizer == ADAMW:
            decay = T(eta * numbers[3])
            for i in range(theta.size):
                theta[i] -= decay * theta[i] if decaying[i] else T(0)
        m, v, epsilon = slots[0, start:stop], slots[1, start:stop], T(numbers[2])
        beta1, rest1, beta2, rest2 = T(numbers[0]), T(1 - numbers[0]), T(numbers[1]), T(1 - numbers[1])
        unbias1, unbias2 = T(1 / (1 - numbers[0] ** t)), T(1 / (1 - numbers[1] ** t))
        if optimizer == ADAM_HAT:
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


@_kernel
def _penalise(theta, grad, table, l1, l2, low, high):
    """Add the penalties' gradient by the parameters from ``low`` to ``high``; returns what they cost."""
    cost, l1_, l2_ = 0.0, theta.dtype.type(l1), theta.dtype.type(l2)
    for layer in range(table.shape[0]):
        start = max(low, table[layer, W_AT])
        stop = min(high, table[layer, W_AT] + table[layer, N_IN] * table[layer, N_OUT])
        if start < stop:
            W, dW = theta[start:stop], grad[start:stop]
            cost += l1 * _magnitudes(W) + l2 / 2 * _squares(W)
            for i in range(W.size):
                dW[i] += l1_ * np.sign(W[i]) + l2_ * W[i]
    return cost


# ---------------------------------------------------------------------- forward, backward


@_inline
def _forward(layers, scratch, masks, first, n):
    """Compute every layer's ``z`` and ``a`` for ``n`` rows, the batch's from ``first`` on."""
    theta, table, numbers = layers.parameters, layers.table, scratch.numbers
    columns, values, row_ends = scratch.columns, scratch.values, scratch.row_ends
    for layer in range(table.shape[0]):
        n_in, n_out, is_csr = table[layer, N_IN], table[layer, N_OUT], layer == 0 and row_ends.size > 0
        W = theta[table[layer, W_AT] : table[layer, W_AT] + n_in * n_out]
        x = numbers[table[layer, X_AT] : table[layer, X_AT] + n * n_in]
        z = numbers[table[layer, Z_AT] : table[layer, Z_AT] + n * n_out]
        a = numbers[table[layer, A_AT] : table[layer, A_AT] + n * n_out]
        if table[layer, MASK_AT] >= 0:
            mask_at = table[layer, MASK_AT] + first * n_in
            mask = masks[mask_at : mask_at + n * n_in]
            if is_csr:
                _mask_csr(columns, values, row_ends, mask, n, n_in)
            else:
                given_at = table[layer - 1, A_AT] if layer > 0 else 0
                given = numbers[given_at : given_at + n * n_in]
                for i in range(x.size):
                    x[i] = given[i] * mask[i]
        if is_csr:
            _csr_product(columns, values, row_ends, W, z, n, n_out)
        else:
            _product(x, W, z, n, n_in, n_out)
        _add_bias(theta, table[layer, BIAS], table[layer, B_AT], z, n, n_out)
        exps = numbers[scratch.exps_at : scratch.exps_at + z.size]
        _activate(table[layer, ACTIVATION], layers.numbers[layer, 0], z, a, exps, n_out, scratch.integers)


@_kernel
def _mask_csr(columns, values, row_ends, mask, n, n_in):
    i = 0
    for r in range(n):
        row = mask[r * n_in : (r + 1) * n_in]
        while i < row_ends[r]:
            values[i] *= row[columns[i]]
            i += 1


@_inline
def _add_bias(theta, bias, at, z, n, n_out):
    if bias == NEURON:
        b = theta[at : at + n_out]
        for r in range(n):
            row = z[r * n_out : (r + 1) * n_out]
            for j in range(n_out):
                row[j] += b[j]
    elif bias == SHARED:
        shared = theta[at]
        for i in range(z.size):
            z[i] += shared


@_kernel
def _draw_masks(table, layer_numbers, masks, n, rng):
    """Draw the dropout masks of ``n`` rows, as the reference draws them."""
    for layer in range(table.shape[0]):
        if table[layer, MASK_AT] >= 0:
            mask = masks[table[layer, MASK_AT] : table[layer, MASK_AT] + n * table[layer, N_IN]]
            dropout = layer_numbers[layer, 1]
            scale = mask.dtype.type(1) / mask.dtype.type(1 - dropout)
            for i in range(mask.size):
                mask[i] = scale if rng.random(dtype=np.float32) >= np.float32(dropout) else 0


@_inline
def _backward(layers, scratch, masks, first, n, is_fused, grad):
    """Compute every layer's ``dW`` and ``db``, from ``∂L/∂a`` (fused: ``delta``) in the last one's delta."""
    table, numbers, last = layers.table, scratch.numbers, layers.table.shape[0] - 1
    for layer in range(last, -1, -1):
        n_in, n_out = table[layer, N_IN], table[layer, N_OUT]
        x = numbers[table[layer, X_AT] : table[layer, X_AT] + n * n_in]
        delta = numbers[table[layer, DELTA_AT] : table[layer, DELTA_AT] + n * n_out]
        if layer < last or not is_fused:
            z = numbers[table[layer, Z_AT] : table[layer, Z_AT] + n * n_out]
            a = numbers[table[layer, A_AT] : table[layer, A_AT] + n * n_out]
            _pull_back(table[layer, ACTIVATION], layers.numbers[layer, 0], z, a, delta, n_out)
        dW = grad[table[layer, W_AT] : table[layer, W_AT] + n_in * n_out]
        if layer == 0 and scratch.row_ends.size > 0:
            _csr_product_xt(scratch.columns, scratch.values, scratch.row_ends, delta, dW, n, n_out)
        else:
            _product_xt(x, delta, dW, n, n_in, n_out)
        _sum_bias(grad, table[layer, BIAS], table[layer, B_AT], delta, n, n_out)
        if layer > 0:
            dx = numbers[table[layer - 1, DELTA_AT] : table[layer - 1, DELTA_AT] + n * n_in]
            W = layers.parameters[table[layer, W_AT] : table[layer, W_AT] + n_in * n_out]
            _product_wt(delta, W, dx, n, n_in, n_out)
            if table[layer, MASK_AT] >= 0:
                mask_at = table[layer, MASK_AT] + first * n_in
                mask = masks[mask_at : mask_at + n * n_in]
                for i in range(dx.size):
                    dx[i] *= mask[i]


@_inline
def _sum_bias(grad, bias, at, delta, n, n_out):
    """``db = Σ delta``, over the rows, or over everything where the neurons share one bias."""
    if bias == NEURON:
        db = grad[at : at + n_out]
        for j in range(n_out):
            db[j] = delta[j]
        for r in range(1, n):
            row = delta[r * n_out : (r + 1) * n_out]
            for j in range(n_out):
                db[j] += row[j]
    elif bias == SHARED:
        total = delta[0]
        for i in range(1, delta.size):
            total += delta[i]
        grad[at] = total


# ---------------------------------------------------------------------- threads that meet


@intrinsic
def _add_shared(typing_context, array, index, value):
    """Add to a whole number of an array, which other threads see at once; returns what it was."""

    def build(context, builder, signature, arguments):
        place = _address(context, builder, signature, arguments)
        return builder.atomic_rmw("add", place, arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), build


@intrinsic
def _read_shared(typing_context, array, index):
    """Return a whole number of an array, as other threads left it."""

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
def _meet(gate, n_shares):
    """Wait until all threads are here. ``gate`` counts who came, and how often all did."""
    if n_shares == 1:
        return
    met = _read_shared(gate, 8)  # 8 numbers on: another cache line
    if _add_shared(gate, 0, 1) == n_shares - 1:
        _add_shared(gate, 0, -n_shares)
        _add_shared(gate, 8, 1)
        return
    patience = 10_000
    while _read_shared(gate, 8) == met:
        patience -= 1
        if patience < 0:
            _yield()


@_kernel
def _total(parts):
    total = 0.0
    for part in parts:
        total += part
    return total


# ---------------------------------------------------------------------- rows of a batch


@_kernel
def _copy_rows(X, shift, scale, order, start, n, x):
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
def _copy_rows_as_csr(X, scale, order, start, n, columns, values, row_ends):
    """Copy what is not 0 in dense rows, as CSR, scaled where there is a scale."""
    i = 0
    for r in range(n):
        row = X[order[start + r] if order.size > 0 else start + r]
        for j in range(X.shape[1]):
            if row[j] != 0:
                columns[i], values[i] = j, row[j]
                i += 1
        row_ends[r] = i
    _scale_csr(columns, values, scale, i)


@_kernel
def _copy_csr_rows(indptr, indices, data, scale, order, start, n, columns, values, row_ends):
    """Copy rows that are CSR, scaled where there is a scale."""
    i = 0
    for r in range(n):
        row = order[start + r] if order.size > 0 else start + r
        first, count = indptr[row], indptr[row + 1] - indptr[row]
        row_columns, row_values = indices[first : first + count], data[first : first + count]
        for c in range(count):
            columns[i + c], values[i + c] = row_columns[c], row_values[c]
        i += count
        row_ends[r] = i
    _scale_csr(columns, values, scale, i)


@_kernel
def _scale_csr(columns, values, scale, count):
    if scale.size > 0:
        for i in range(count):
            values[i] /= scale[columns[i]]


@_kernel
def _copy_targets(Y, order, start, n, y):
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


@_kernel
def _count_samples(weight, order, start, n):
    """How many samples a batch counts as: its rows, or the sum of their weights."""
    if weight.size == 0:
        return float(n)
    count = 0.0
    for r in range(start, start + n):
        count += weight[order[r] if order.size > 0 else r, 0]
    return count


# ---------------------------------------------------------------------- a thread's share of an update


@_inline
def _scratch_of(scratch, share):
    """One thread's part of the scratch of all."""
    return Scratch(scratch.numbers[share], scratch.y_at, scratch.weight_at, scratch.exps_at,
                   scratch.integers[share], scratch.columns[share], scratch.values[share],
                   scratch.row_ends[share])  # fmt: skip


@_inline
def _copy_share(data, scratch, order, start, n, k):
    """Copy the inputs, targets and weights of ``n`` rows from ``start`` on into a thread's scratch."""
    inputs, numbers = data.inputs, scratch.numbers
    columns, values, row_ends = scratch.columns, scratch.values, scratch.row_ends
    if inputs.indptr.size > 0:
        _copy_csr_rows(inputs.indptr, inputs.indices, inputs.values, inputs.scale, order, start, n,
                       columns, values, row_ends)  # fmt: skip
    elif row_ends.size > 0:
        _copy_rows_as_csr(inputs.dense, inputs.scale, order, start, n, columns, values, row_ends)
    else:
        _copy_rows(inputs.dense, inputs.shift, inputs.scale, order, start, n, numbers)
    _copy_targets(data.y, order, start, n, numbers[scratch.y_at : scratch.y_at + n * k])
    if data.sample_weight.size > 0:
        _copy_targets(data.sample_weight, order, start, n, numbers[scratch.weight_at : scratch.weight_at + n])


@_inline
def _cost_and_gradient(job, data, scratch, masks, order, start, n_batch, unit, share, n_shares, grad):
    """The gradient of a share of a batch's rows goes to ``grad``; returns what they cost, without penalties.

    The batch has ``n_batch`` rows from ``start`` on, each of which counts ``unit``.
    """
    layers, numbers, last = job.layers, scratch.numbers, job.layers.table.shape[0] - 1
    first = n_batch * share // n_shares
    n, k = n_batch * (share + 1) // n_shares - first, layers.table[last, N_OUT]
    cost = 0.0
    if n > 0:
        _copy_share(data, scratch, order, start + first, n, k)
        _forward(layers, scratch, masks, first, n)
        z = numbers[layers.table[last, Z_AT] : layers.table[last, Z_AT] + n * k]
        a = numbers[layers.table[last, A_AT] : layers.table[last, A_AT] + n * k]
        delta = numbers[layers.table[last, DELTA_AT] : layers.table[last, DELTA_AT] + n * k]
        y = numbers[scratch.y_at : scratch.y_at + n * k]
        n_weights = n if data.sample_weight.size > 0 else 0
        weight = numbers[scratch.weight_at : scratch.weight_at + n_weights]
        cost = _loss_and_delta(job.cost, z, a, delta, y, weight, unit, numbers[scratch.exps_at :], k)
        _backward(layers, scratch, masks, first, n, job.cost.is_fused, grad)
    else:
        grad[:] = 0
    return cost


@_inline
def _sum_gradients(gradients, low, high):
    """Add all shares' gradients by the parameters from ``low`` to ``high`` into the first one's."""
    g = gradients[0, low:high]
    for other in range(1, gradients.shape[0]):
        more = gradients[other, low:high]
        for i in range(g.size):
            g[i] += more[i]
    return g


@_inline
def _update_range(job, workspace, share, low, high, rate, t):
    """Update the parameters from ``low`` to ``high`` by the sum of all shares' gradients."""
    rule, sums, theta = job.rule, workspace.sums, job.layers.parameters
    g = _sum_gradients(workspace.gradients, low, high)
    if job.cost.l1 > 0 or job.cost.l2 > 0:
        sums[PENALTY, share] = _penalise(
            theta, workspace.gradients[0], job.layers.table, job.cost.l1, job.cost.l2, low, high
        )
    for i in range(job.frozen.size):
        if low <= job.frozen[i] < high:
            workspace.gradients[0, job.frozen[i]] = 0
    if rule.max_norm > 0:
        sums[SQUARED_NORM, share] = _squares(g)
        _meet(workspace.gate, sums.shape[1])
        norm = math.sqrt(_total(sums[SQUARED_NORM]))
        if norm > rule.max_norm:
            for i in range(g.size):
                g[i] *= rule.max_norm / norm
    _update(rule.optimizer, rule.numbers, theta[low:high], g, rule.slots, low, rate, t,
            rule.decaying[low:high])  # fmt: skip


# ---------------------------------------------------------------------- what Python calls


@_entry
def predict(start, stop, chunk, parameters, table, layer_numbers, X, shift, scale, exps_at, numbers, integers,
            columns, values, row_ends, out):  # fmt: skip
    """Compute the outputs for rows ``start`` to ``stop`` of X, ``chunk`` rows at a time, into ``out``.

    ``parameters``, ``table`` and ``layer_numbers`` are :class:`Layers`, ``exps_at`` to ``row_ends`` a
    :class:`Scratch`, and ``X``, ``shift`` and ``scale`` dense :class:`Inputs`: one by one, since Python takes
    longer to pass named tuples, which tells where one row is asked for. Where X is empty and there are
    ``row_ends``, the inputs are in the scratch already, as CSR, no more than ``chunk`` rows.
    """
    layers = Layers(parameters, table, layer_numbers)
    scratch = Scratch(numbers, 0, 0, exps_at, integers, columns, values, row_ends)
    last = table.shape[0] - 1
    k, as_they_stand, no_masks = table[last, N_OUT], row_ends[:0], numbers[:0]
    while start < stop:
        n = min(chunk, stop - start)
        if row_ends.size == 0:
            _copy_rows(X, shift, scale, as_they_stand, start, n, numbers)
        elif X.size > 0:
            _copy_rows_as_csr(X, scale, as_they_stand, start, n, columns, values, row_ends)
        _forward(layers, scratch, no_masks, 0, n)
        _copy(numbers[table[last, A_AT] : table[last, A_AT] + n * k], out[start * k : (start + n) * k])
        start += n


@_entry
def run(share, job, data, workspace, rng):
    """Run epochs of updates, in place of the parameters and slots; returns how many of them stayed finite.

    At the first one that does not, the parameters are set back to what they were before it. Each share of a
    batch's rows is a thread's own call, with all arguments the same but the first; ``rng`` draws the masks.
    """
    n_shares, n_parameters = workspace.gradients.shape[0], job.layers.parameters.size
    gate, sums, masks, grad = workspace.gate, workspace.sums, workspace.masks, workspace.gradients[share]
    mean = job.cost.is_mean
    low, high = n_parameters * share // n_shares, n_parameters * (share + 1) // n_shares
    own, own_before = job.layers.parameters[low:high], workspace.before[low:high]
    scratch, t, no_order = _scratch_of(workspace.scratch, share), data.n_updates, data.orders.reshape(-1)
    for epoch in range(data.rates.shape[0]):
        _copy(own, own_before)
        order = data.orders[epoch] if data.orders.size > 0 else no_order
        total, counted, cost = 0.0, 0.0, 0.0
        for batch in range(data.rates.shape[1]):
            start = batch * data.batch_size
            n_batch = min(data.batch_size, data.y.shape[0] - start)
            count = _count_samples(data.sample_weight, order, start, n_batch)
            unit = 1 / count if mean and count > 0 else 1.0
            if masks.size > 0:
                if share == 0:
                    _draw_masks(job.layers.table, job.layers.numbers, masks, n_batch, rng)
                _meet(gate, n_shares)

            sums[DATA_COST, share] = _cost_and_gradient(
                job, data, scratch, masks, order, start, n_batch, unit, share, n_shares, grad
            )
            _meet(gate, n_shares)

            cost = _total(sums[DATA_COST])
            t += 1
            _update_range(job, workspace, share, low, high, data.rates[epoch, batch], t)
            _meet(gate, n_shares)

            if job.cost.l1 > 0 or job.cost.l2 > 0:
                cost += _total(sums[PENALTY])
            if not math.isfinite(cost):
                break
            total += cost * count if mean else cost
            counted += count
        sums[ARE_FINITE, share] = math.isfinite(cost) and _is_finite(own)
        _meet(gate, n_shares)
        if _total(sums[ARE_FINITE]) < n_shares:
            _copy(own_before, own)
            return epoch
        if share == 0:
            workspace.losses[epoch] = total / counted if mean and counted > 0 else total
    return data.rates.shape[0]

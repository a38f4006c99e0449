"""The kernels of the compiled engine: the reference's formulas as loops over buffers that are made once.

Read :func:`run` and :func:`predict`, at the end, first: they call what stands above them, in its order.

Numba
    Everything here keeps to Numba's subset of Python, and runs uncompiled too (``NUMBA_DISABLE_JIT=1``); what
    Numba has no words for comes from :mod:`deltarule.nn.engines.instructions`.

What Python passes
    The named tuples of :mod:`deltarule.nn.engines.jobs`, as records: numbers as they are, and of each array
    the place where it lies, from which ``array`` makes it again. Functions hand on a record's address: fifty
    arrays would take longer than an update of a small network. (A kernel would be compiled once more for a
    number that stands in a call: hence ``np.int64(0)``.)

The layout of the workspace
    Matrices are flat arrays in C order, of the network's dtype, with a row for each of a batch. All lie in
    one array, ``Scratch.numbers``: first the inputs; then targets, sample weights, room for exponentials and
    the first layer's packed deltas; then each layer's dropped inputs (where it drops any), z, a and delta.
    Each starts at a cache line. Where each lies is written in the layer's row of ``Layers.table``. Loops
    index slices from 0 on, since an index that might be negative keeps a loop from being vectorised.

How threads meet
    An update is two or three phases of tasks. In the first a task is a share of the batch's rows: it computes
    everything up to each layer's delta. In the second a task is a part of the parameters: it sums their
    gradient over all rows, and updates them (where gradients are clipped, in a third phase). Where few rows
    meet many weights, the first phase is interrupted: the products of such a layer, forwards and backwards,
    are phases of their own, in which a task is a share of the columns, so that each weight is read by one
    core; ``Workspace.stages`` tells at which layers. Whichever thread is free takes the next task, by
    counting in ``Workspace.gate``; none begins a phase before all tasks of the one before are done. A thread
    that comes late finds them done, and goes on: so all threads count the same phases, and what decides
    whether to go on is computed by a task.

Why sums keep their order
    The bits do not depend on the threads. The tasks depend on the job alone; every gradient is summed by one
    of them, and what they add to a cost or a length is added in the order of the tasks, not in the order in
    which they finish. Within a loop nothing is reordered either, except in two sums that say so.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from deltarule.nn.engines.instructions import (
    AS_IT_IS,
    TRANSPOSED,
    VECTOR_BYTES,
    add_shared,
    array,
    combine,
    compress,
    pcg_mask,
    pcg_output,
    product,
    read_shared,
    replace_shared,
)
from deltarule.nn.engines.jobs import (
    IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, EXP, SOFTMAX, HALF_SQUARED,
    SQUARED, MEAN_SQUARED, MEAN_ABSOLUTE, HUBER, QUANTILE, BINARY_CROSS, CROSS, POISSON, SGD, NESTEROV,
    ADAGRAD, RMSPROP, ADAM_HAT, ADAMW, NEURON, SHARED, N_IN, N_OUT, W_AT, B_AT, BIAS, ACTIVATION, X_AT,
    Z_AT, A_AT, DELTA_AT, MASK_AT, DATA_COST, PENALTY, SQUARED_NORM, IS_INFINITE, BEGUN, DONE, STOP,
    FINISHED, FIRST_PART, LAST_PART, LOW, HIGH, FIRST_FROZEN, LAST_FROZEN,
)  # fmt: skip
from deltarule.nn.engines.kernel_compiler import OPTIONS, PartCompiler

LOOP_PRODUCTS = 256  # multiplications up to which loops beat a call of BLAS
TURNED_ROWS, TURNED_PRODUCTS = 16, 1_000_000  # from which rows on, up to which multiplications, W is turned
MOST_VECTORS = 5  # that are summed at once
ROWS_AHEAD = 3  # of those that are read from memory, which takes a while
SHORT = 128  # numbers of rows that are added to together
FAR_COLUMNS = 512  # of a matrix whose rows push each other out of the cache, and are copied
GELU_SCALE = math.sqrt(2 / math.pi)
EXP_LIMIT = 22.0  # e^z grows no further
PATIENCE = 2000  # looks, until a thread that waits lets go of its core


#: Python calls :func:`predict` and :func:`run` only, as whose parts the others are optimised.
_INNER: Any = OPTIONS | {"pipeline_class": PartCompiler}
_kernel = njit(**_INNER)
#: A long sum, whose terms may be added in another order.
_sum = njit(**_INNER | {"fastmath": {"reassoc", "nsz", "contract"}})
#: What is called in one place becomes part of it there, and is optimised once, not twice.
_inline = njit(inline="always")


# ---------------------------------------------------------------------- products of matrices


@_kernel
def _product(x, x_at, W, W_at, z, z_at, n, n_in, n_out):
    """``z = x @ W``, (n, n_in) by (n_in, n_out); each matrix begins at its place in an array."""
    if n * n_in * n_out > LOOP_PRODUCTS:
        product(n, n_out, n_in, x, x_at, n_in, AS_IT_IS, W, W_at, n_out, AS_IT_IS, z, z_at, n_out)
        return
    x, W, z = x[x_at : x_at + n * n_in], W[W_at : W_at + n_in * n_out], z[z_at : z_at + n * n_out]
    for r in range(n):
        for j in range(n_out):
            total = x[r * n_in] * W[j]
            for i in range(1, n_in):
                total += x[r * n_in + i] * W[i * n_out + j]
            z[r * n_out + j] = total


@_kernel
def _product_xt(x, x_at, delta, delta_at, dW, dW_at, n, n_in, n_out, first, last):
    """Rows ``first`` to ``last`` of ``dW = x.T @ delta``, (n, n_in) and (n, n_out) to (n_in, n_out)."""
    if n * (last - first) * n_out > LOOP_PRODUCTS:
        product(last - first, n_out, n, x, x_at + first, n_in, TRANSPOSED, delta, delta_at, n_out, AS_IT_IS,
                dW, dW_at + first * n_out, n_out)  # fmt: skip
        return
    x, delta = x[x_at : x_at + n * n_in], delta[delta_at : delta_at + n * n_out]
    dW = dW[dW_at : dW_at + n_in * n_out]
    for i in range(first, last):
        for j in range(n_out):
            total = x[i] * delta[j]
            for r in range(1, n):
                total += x[r * n_in + i] * delta[r * n_out + j]
            dW[i * n_out + j] = total


@_kernel
def _product_wt(delta, delta_at, W, W_at, dx, dx_at, n, n_in, n_out, room):
    """``dx = delta @ W.T``, (n, n_out) and (n_in, n_out) to (n, n_in); ``room`` is for n · n_out numbers.

    Of few rows, BLAS takes W as it lies, which takes twice as long for W.T: unless it is turned beforehand.
    """
    if n * n_in * n_out > LOOP_PRODUCTS:
        if n >= TURNED_ROWS and n * n_in * n_out <= TURNED_PRODUCTS:
            n_parts = (n_in + n - 1) // n
            for part in range(n_parts):
                low, high = n_in * part // n_parts, n_in * (part + 1) // n_parts
                _turn(W[W_at + low * n_out : W_at + high * n_out], n_out, room)
                product(n, high - low, n_out, delta, delta_at, n_out, AS_IT_IS, room, 0, high - low, AS_IT_IS,
                        dx, dx_at + low, n_in)  # fmt: skip
            return
        product(n, n_in, n_out, delta, delta_at, n_out, AS_IT_IS, W, W_at, n_out, TRANSPOSED, dx, dx_at, n_in)
        return
    delta, W = delta[delta_at : delta_at + n * n_out], W[W_at : W_at + n_in * n_out]
    dx = dx[dx_at : dx_at + n * n_in]
    for r in range(n):
        for i in range(n_in):
            total = delta[r * n_out] * W[i * n_out]
            for j in range(1, n_out):
                total += delta[r * n_out + j] * W[i * n_out + j]
            dx[r * n_in + i] = total


@_kernel
def _turn(W, n_columns, out):
    """Put the columns of a matrix into ``out``, as rows."""
    n = W.size // n_columns
    for j in range(n_columns):
        row = out[j * n : (j + 1) * n]
        for i in range(n):
            row[i] = W[i * n_columns + j]


# Rows of x that are mostly 0 are lists of what is not. Tile by tile of the columns, a part of W stays in the
# nearest cache while all rows use it; where W is wide, it is copied, so that its rows follow each other. Half
# the speed of BLAS, on a fifth of the numbers, is faster.


@_kernel
def _list_product(lists, W, W_at, z, z_at, first, n, n_in, n_out, room):
    """``z = x @ W`` for the rows from ``first`` on: each is a combination of rows of W."""
    columns, values, starts = array(lists.columns), array(lists.values), array(lists.starts)
    W, z = W[W_at : W_at + n_in * n_out], z[z_at : z_at + n * n_out]
    lanes = VECTOR_BYTES // W.itemsize
    n_vectors = (n_out + lanes - 1) // lanes
    n_blocks = (n_vectors + MOST_VECTORS - 1) // MOST_VECTORS
    n_tiles = starts.shape[0] - 1
    for tile in range(n_tiles):
        top, end = n_in * tile // n_tiles, n_in * (tile + 1) // n_tiles
        for block in range(n_blocks):
            low, high = n_vectors * block // n_blocks, n_vectors * (block + 1) // n_blocks
            n_last, width = min(lanes, n_out - (high - 1) * lanes), (high - low) * lanes
            part, part_width, at = W, n_out, low * lanes
            if n_out >= FAR_COLUMNS and (end - top) * width <= room.size:
                _copy_columns(W[top * n_out : end * n_out], n_out, low * lanes, width, room)
                part, part_width, at = room, width, -top * width
            for r in range(n):
                start, stop = starts[tile, first + r], starts[tile + 1, first + r]
                combine(columns, values, start, stop, part, part_width, at, high - low, n_last, z,
                        r * n_out + low * lanes, tile)  # fmt: skip


@_kernel
def _copy_columns(M, n_columns, low, width, room):
    """Copy ``width`` columns of a matrix, from ``low`` on, so far as it has them, to rows of that width."""
    count = min(width, n_columns - low)
    for r in range(M.size // n_columns):
        row, out = M[r * n_columns + low : (r + 1) * n_columns], room[r * width : (r + 1) * width]
        for j in range(count):
            out[j] = row[j]


@_kernel
def _pack_rows(delta, packed, packed_at, first, n, n_out):
    """Copy rows of delta, from ``first`` of ``n`` on, to where :func:`_list_product_xt` reads them.

    There a block of columns, whole vectors, is a matrix of ``n`` rows that follow each other, each of which
    starts at a cache line.
    """
    lanes = VECTOR_BYTES // delta.itemsize
    n_vectors = (n_out + lanes - 1) // lanes
    n_blocks = (n_vectors + MOST_VECTORS - 1) // MOST_VECTORS
    for block in range(n_blocks):
        low, high = n_vectors * block // n_blocks, n_vectors * (block + 1) // n_blocks
        width = (high - low) * lanes
        at = packed_at + n * low * lanes + first * width
        _copy_columns(delta, n_out, low * lanes, width, packed[at : at + delta.size // n_out * width])


@_kernel
def _list_product_xt(lists, tile, packed, packed_at, dW, dW_at, n, n_out, first, last):
    """Rows ``first`` to ``last`` of ``dW = x.T @ delta``, a tile: each is a combination of rows of delta."""
    rows, values, ends = array(lists.rows), array(lists.row_values), array(lists.column_ends)
    dW = dW[dW_at : dW_at + last * n_out]
    lanes = VECTOR_BYTES // dW.itemsize
    n_vectors = (n_out + lanes - 1) // lanes
    n_blocks = (n_vectors + MOST_VECTORS - 1) // MOST_VECTORS
    begin = _list_columns(lists, tile, n, first, last)
    for block in range(n_blocks):
        low, high = n_vectors * block // n_blocks, n_vectors * (block + 1) // n_blocks
        n_last, width, start = min(lanes, n_out - (high - 1) * lanes), (high - low) * lanes, begin
        for j in range(first, last):
            combine(rows, values, start, ends[j], packed, width, packed_at + n * low * lanes, high - low,
                    n_last, dW, j * n_out + low * lanes, 0)  # fmt: skip
            start = ends[j]


@_kernel
def _list_columns(lists, tile, n, first, last):
    """Order a tile's numbers by columns, from ``first`` to ``last``; returns where they begin."""
    all_columns, all_values, starts = array(lists.columns), array(lists.values), array(lists.starts)
    rows, row_values, ends = array(lists.rows), array(lists.row_values), array(lists.column_ends)[first:last]
    for j in range(ends.size):
        ends[j] = 0
    begin = 0
    for r in range(n):
        start, stop = starts[tile, r], starts[tile + 1, r]
        begin += start - starts[0, r]
        columns = all_columns[start:stop]
        for i in range(columns.size):
            ends[np.uint64(columns[i] - first)] += 1  # no sign: an index is not looked at twice
    total = begin
    for j in range(ends.size):
        count, ends[j] = ends[j], total
        total += count
    for r in range(n):
        start, stop = starts[tile, r], starts[tile + 1, r]
        columns, values = all_columns[start:stop], all_values[start:stop]
        for i in range(columns.size):
            column = np.uint64(columns[i] - first)
            place = np.uint64(ends[column])
            rows[place], row_values[place] = r, values[i]
            ends[column] += 1
    return begin


# ---------------------------------------------------------------------- exponentials


def _exp(x, integers):
    """``e^x`` for numbers x ≤ 0, in their place; vectorised, to the last bit or two.

    x = k·log 2 + r and e^x = 2^k·e^r. Adding ``magic`` leaves the whole number k in the low bits, from where
    a shift moves it into the exponent. ``integers`` is scratch. Cody & Waite (1980), chapter 6.
    """
    return _exp_64(x, integers) if x.itemsize == 8 else _exp_32(x, integers)


@overload(_exp, inline="always")
def _compile_exp(x, integers):
    exp = _exp_64 if x.dtype == types.float64 else _exp_32
    return lambda x, integers: exp(x, integers)


@_kernel
def _exp_64(x, integers):
    if x.size < 8:
        for i in range(x.size):
            x[i] = math.exp(x[i])
        return
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
    if x.size < 8:
        for i in range(x.size):
            x[i] = math.exp(x[i])
        return
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
        for place in range(r * k, r * k + k):
            j = np.uint64(place)  # no sign: an index is not looked at twice
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
    elif optimizer <= NESTEROV:  # or momentum
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
def _forward(layers, scratch, masks, first, n, begin, end):
    """Compute ``z`` and ``a`` of layers ``begin`` to ``end`` for ``n`` rows, from ``first`` on.

    If ``begin`` is not 0, the product of that layer is there already.
    """
    theta, table, settings = array(layers.parameters), array(layers.table), array(layers.numbers)
    numbers, all_integers, lists = array(scratch.numbers), array(scratch.integers), scratch.lists
    for layer in range(begin, end):
        n_in, n_out = table[layer, N_IN], table[layer, N_OUT]
        W_at, is_listed = table[layer, W_AT], layer == 0 and lists.columns.rows > 0
        x_at, z_at = table[layer, X_AT] + first * n_in, table[layer, Z_AT] + first * n_out
        a_at = table[layer, A_AT] + first * n_out
        z, a = numbers[z_at : z_at + n * n_out], numbers[a_at : a_at + n * n_out]
        if table[layer, MASK_AT] >= 0 and masks.size > 0:
            mask_at = table[layer, MASK_AT] + first * n_in
            mask = masks[mask_at : mask_at + n * n_in]
            if is_listed:
                _mask_lists(lists, mask, first, n, n_in)
            else:
                given_at = (table[layer - 1, A_AT] if layer > 0 else 0) + first * n_in
                _multiply(numbers[given_at : given_at + n * n_in], mask, numbers[x_at : x_at + n * n_in])
        exps_at = first * scratch.widest
        exps = numbers[scratch.exps_at + exps_at : scratch.exps_at + exps_at + n * scratch.widest]
        integers = all_integers[exps_at : exps_at + z.size]
        if is_listed:
            _list_product(lists, theta, W_at, numbers, z_at, first, n, n_in, n_out, exps)
        elif layer == 0 or layer > begin:
            _product(numbers, x_at, theta, W_at, numbers, z_at, n, n_in, n_out)
        _add_bias(theta, table[layer, BIAS], table[layer, B_AT], z, n, n_out, exps)
        _activate(table[layer, ACTIVATION], settings[layer, 0], z, a, exps[: z.size], n_out, integers)


@_kernel
def _multiply(x, factors, out):
    for i in range(out.size):
        out[i] = x[i] * factors[i]


@_kernel
def _mask_lists(lists, mask, first, n, n_in):
    columns, values, starts = array(lists.columns), array(lists.values), array(lists.starts)
    n_tiles = starts.shape[0] - 1
    for r in range(n):
        row = mask[r * n_in : (r + 1) * n_in]
        for i in range(starts[0, first + r], starts[n_tiles, first + r]):
            values[i] *= row[columns[i]]


@_kernel
def _add_bias(theta, bias, at, z, n, n_out, room):
    """Add ``b`` to every row of ``z``; to several rows at once where they are short, repeated in ``room``."""
    if bias == NEURON:
        b = theta[at : at + n_out]
        n_rows = min(n, SHORT // n_out)
        for r in range(n_rows):
            row = room[r * n_out : (r + 1) * n_out]
            for j in range(n_out):
                row[j] = b[j]
        b = room[: n_rows * n_out] if n_rows > 0 else b
        for start in range(0, z.size, b.size):
            part = z[start : start + b.size]
            for i in range(part.size):
                part[i] += b[i]
    elif bias == SHARED:
        shared = theta[at]
        for i in range(z.size):
            z[i] += shared


@_kernel
def _draw_masks(table, layer_numbers, masks, stream, drawn, n_batch, first, n):
    """Draw the dropout masks of ``n`` rows from ``first`` on, as the reference draws those of the batch.

    The reference draws one layer's mask after the other, of 32 bits a number. ``stream`` is PCG64's state and
    inc, whether 32 bits are left of an earlier output, and these; ``drawn`` is how often was drawn since.
    """
    for layer in range(table.shape[0]):
        if table[layer, MASK_AT] >= 0:
            n_in, dropout = table[layer, N_IN], layer_numbers[layer, 1]
            at = table[layer, MASK_AT] + first * n_in
            number, stop = drawn + first * n_in - np.int64(stream[4]), at + n * n_in
            scale = masks.dtype.type(1) / masks.dtype.type(1 - dropout)
            if number < 0 or number % 2 == 1:  # the higher half of an output
                half = stream[5] if number < 0 else pcg_output(stream, number // 2) >> np.uint64(32)
                masks[at] = _mask_of(half, dropout, scale)
                number, at = number + 1, at + 1
            n_outputs = (stop - at) // 2
            pcg_mask(stream, number // 2, n_outputs, masks, at, dropout, scale)
            if at + 2 * n_outputs < stop:
                masks[stop - 1] = _mask_of(pcg_output(stream, number // 2 + n_outputs), dropout, scale)
        drawn += n_batch * table[layer, N_IN] if table[layer, MASK_AT] >= 0 else 0


@_kernel
def _mask_of(word, dropout, scale):
    half = np.float32((word & np.uint64(0xFFFFFFFF)) >> np.uint64(8)) * np.float32(2.0**-24)
    return scale if half >= np.float32(dropout) else scale * 0


@_inline
def _backward(layers, scratch, masks, first, n, is_fused, begin, end):
    """Compute ``delta`` of layers ``begin`` to ``end``, backwards, from ``∂L/∂a`` (fused: ``delta``)."""
    theta, table, settings = array(layers.parameters), array(layers.table), array(layers.numbers)
    numbers, last = array(scratch.numbers), table.shape[0] - 1
    for layer in range(begin, end - 1, -1):
        n_in, n_out = table[layer, N_IN], table[layer, N_OUT]
        z_at, a_at = table[layer, Z_AT] + first * n_out, table[layer, A_AT] + first * n_out
        delta_at = table[layer, DELTA_AT] + first * n_out
        if layer < last or not is_fused:
            z, a = numbers[z_at : z_at + n * n_out], numbers[a_at : a_at + n * n_out]
            delta = numbers[delta_at : delta_at + n * n_out]
            _pull_back(table[layer, ACTIVATION], settings[layer, 0], z, a, delta, n_out)
        if layer > end:
            dx_at = table[layer - 1, DELTA_AT] + first * n_in
            room_at = scratch.exps_at + first * scratch.widest
            room = numbers[room_at : room_at + n * scratch.widest]
            _product_wt(numbers, delta_at, theta, table[layer, W_AT], numbers, dx_at, n, n_in, n_out, room)
            if table[layer, MASK_AT] >= 0:
                mask_at = table[layer, MASK_AT] + first * n_in
                dx = numbers[dx_at : dx_at + n * n_in]
                _multiply(dx, masks[mask_at : mask_at + n * n_in], dx)


@_inline
def _gradient_of(layers, scratch, layer, tile, first, last, n, gradient):
    """Rows ``first`` to ``last`` of a layer's ``dW``; with the last one its ``db``."""
    table, numbers, lists = array(layers.table), array(scratch.numbers), scratch.lists
    n_in, n_out, W_at = table[layer, N_IN], table[layer, N_OUT], table[layer, W_AT]
    x_at, delta_at = table[layer, X_AT], table[layer, DELTA_AT]
    if layer == 0 and lists.columns.rows > 0:
        packed_at = scratch.packed_at
        _list_product_xt(lists, tile, numbers, packed_at, gradient, W_at, n, n_out, first, last)
    else:
        _product_xt(numbers, x_at, numbers, delta_at, gradient, W_at, n, n_in, n_out, first, last)
    if last == n_in:
        delta = numbers[delta_at : delta_at + n * n_out]
        _sum_bias(gradient, table[layer, BIAS], table[layer, B_AT], delta, n, n_out)


@_kernel
def _sum_bias(grad, bias, at, delta, n, n_out):
    """``db = Σ delta``, over the rows, or over everything where the neurons share one bias."""
    if bias == NEURON:
        db, n_alone = grad[at : at + n_out], (n - 1) % 4
        for j in range(n_out):
            db[j] = delta[j]
        for r in range(1, 1 + n_alone):
            row = delta[r * n_out : (r + 1) * n_out]
            for j in range(n_out):
                db[j] += row[j]
        for r in range(1 + n_alone, n, 4):  # so that db is read and written once for four rows
            row, second = delta[r * n_out : (r + 1) * n_out], delta[(r + 1) * n_out : (r + 2) * n_out]
            third, fourth = delta[(r + 2) * n_out : (r + 3) * n_out], delta[(r + 3) * n_out : (r + 4) * n_out]
            for j in range(n_out):
                db[j] = db[j] + row[j] + second[j] + third[j] + fourth[j]
    elif bias == SHARED:
        total = delta[0]
        for i in range(1, delta.size):
            total += delta[i]
        grad[at] = total


# ---------------------------------------------------------------------- threads that meet


if os.name == "posix":
    _yield = types.ExternalFunction("sched_yield", types.intc())
else:

    @_kernel
    def _yield():
        pass


@_kernel
def _next_task(gate, begun, n_tasks, n_threads, task):
    """Return the task to do after ``task`` (-1: the first) of a phase, or -1 where none is left.

    Before the phase ``begun`` tasks were begun, and all of them have to be done.
    """
    if n_threads == 1:
        return task + 1 if task + 1 < n_tasks else -1
    if task >= 0:
        add_shared(gate, DONE, 1)
    else:
        _wait_for(gate, begun)
    number = read_shared(gate, BEGUN)
    while number < begun + n_tasks:
        if replace_shared(gate, BEGUN, number, number + 1):
            return number - begun
        number = read_shared(gate, BEGUN)
    return -1


@_kernel
def _wait_for(gate, n_done):
    """Wait until so many tasks are done; where that takes long, let another thread have the core."""
    patience = PATIENCE
    while read_shared(gate, DONE) < n_done:
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
def _list_rows(X, scale, order, start, n, lists, first):
    """List what is not 0 in dense rows, scaled where there is a scale."""
    columns, values, starts = array(lists.columns), array(lists.values), array(lists.starts)
    k, n_tiles = X.shape[1], starts.shape[0] - 1
    at = begin = first * (k + VECTOR_BYTES // 4)  # vectors reach beyond the end
    for r in range(n):
        row = X[order[start + r] if order.size > 0 else start + r]
        later = start + min(r + ROWS_AHEAD, n - 1)
        later_row = X[order[later] if order.size > 0 else later]
        for tile in range(n_tiles):
            starts[tile, first + r] = at
            low, high = k * tile // n_tiles, k * (tile + 1) // n_tiles
            at = compress(row, low, high, columns, values, at, later_row)
        starts[n_tiles, first + r] = at
    _scale_lists(columns, values, scale, begin, at)


@_kernel
def _list_csr_rows(indptr, indices, data, scale, order, start, n, lists, first, k):
    """Copy rows that are CSR, scaled where there is a scale."""
    columns, values, starts = array(lists.columns), array(lists.values), array(lists.starts)
    n_tiles, begin = starts.shape[0] - 1, np.int64(0)
    for r in range(start - first, start):  # the rows of the batch before these
        row = order[r] if order.size > 0 else r
        begin += indptr[row + 1] - indptr[row]
    at = begin
    for r in range(n):
        row = order[start + r] if order.size > 0 else start + r
        i, end = indptr[row], indptr[row + 1]
        for tile in range(n_tiles):
            starts[tile, first + r] = at
            while i < end and indices[i] < k * (tile + 1) // n_tiles:
                columns[at], values[at] = indices[i], data[i]
                i, at = i + 1, at + 1
        starts[n_tiles, first + r] = at
    _scale_lists(columns, values, scale, begin, at)


@_kernel
def _scale_lists(columns, values, scale, start, stop):
    columns, values = columns[start:stop], values[start:stop]
    if scale.size > 0:
        for i in range(values.size):
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


@_sum
def _is_finite(theta):
    total = zero = theta.dtype.type(0)
    for i in range(theta.size):
        total += zero * theta[i]  # NaN where it is not finite
    return total == zero


@_kernel
def _count_samples(weight, order, start, n):
    """How many samples a batch counts as: its rows, or the sum of their weights."""
    if weight.size == 0:
        return float(n)
    count = 0.0
    for r in range(start, start + n):
        count += weight[order[r] if order.size > 0 else r, 0]
    return count


# ---------------------------------------------------------------------- the tasks of an update


@_inline
def _copy_share(data, scratch, order, start, first, n, table):
    """Copy the inputs, targets and weights of ``n`` rows of a batch, from ``first`` on, into the scratch."""
    inputs, numbers, lists = data.inputs, array(scratch.numbers), scratch.lists
    k, k_out, start = table[0, N_IN], table[table.shape[0] - 1, N_OUT], start + first
    dense, shift, scale = array(inputs.dense), array(inputs.shift), array(inputs.scale)
    if inputs.indptr.rows > 0:
        indptr, indices, values = array(inputs.indptr), array(inputs.indices), array(inputs.values)
        _list_csr_rows(indptr, indices, values, scale, order, start, n, lists, first, k)
    elif lists.columns.rows > 0:
        _list_rows(dense, scale, order, start, n, lists, first)
    else:
        _copy_rows(dense, shift, scale, order, start, n, numbers[first * k : (first + n) * k])
    y_at = scratch.y_at + first * k_out
    _copy_targets(array(data.y), order, start, n, numbers[y_at : y_at + n * k_out])
    if data.sample_weight.rows > 0:
        at = scratch.weight_at + first
        _copy_targets(array(data.sample_weight), order, start, n, numbers[at : at + n])


@_inline
def _share_of_rows(job, data, workspace, order, batch, start, n_batch, stage, share, drawn):
    """Compute a stage of what leads to each layer's delta, for a share of a batch's rows."""
    layers, scratch, masks = job.layers, workspace.scratch, array(workspace.masks)
    table, numbers, bounds = array(layers.table), array(scratch.numbers), array(workspace.share_starts)
    stages, first = array(workspace.stages), min(n_batch, bounds[share])
    middle, n = stages.size - 2, min(n_batch, bounds[share + 1]) - first
    if stage == 0 and n > 0:
        if masks.size > 0:
            _draw_masks(
                table, array(layers.numbers), masks, array(workspace.stream), drawn, n_batch, first, n
            )
        _copy_share(data, scratch, order, start, first, n, table)
    if stage <= middle and n > 0:
        _forward(layers, scratch, masks, first, n, stages[stage], stages[stage + 1])
    if stage == middle:
        array(workspace.sums)[DATA_COST + batch % 2, share] = _cost_of_rows(
            job, data, scratch, order, start, n_batch, first, n
        )
    if stage >= middle and n > 0:
        back = 2 * middle - stage
        _backward(layers, scratch, masks, first, n, job.cost.is_fused, stages[back + 1] - 1, stages[back])
    if stage == 2 * middle and n > 0 and scratch.lists.columns.rows > 0:
        n_out, delta_at = table[0, N_OUT], table[0, DELTA_AT]
        delta = numbers[delta_at + first * n_out : delta_at + (first + n) * n_out]
        _pack_rows(delta, numbers, scratch.packed_at, first, n_batch, n_out)


@_kernel
def _cost_of_rows(job, data, scratch, order, start, n_batch, first, n):
    """Compute what ``n`` rows from ``first`` on add to the cost, and its slope, in the last layer's delta."""
    table, numbers, cost, loss = array(job.layers.table), array(scratch.numbers), job.cost, 0.0
    if n > 0:
        last = table.shape[0] - 1
        k = table[last, N_OUT]
        z_at, a_at, delta_at = table[last, Z_AT], table[last, A_AT], table[last, DELTA_AT]
        low, high, exps_at = first * k, (first + n) * k, scratch.exps_at + first * scratch.widest
        n_weights = n if data.sample_weight.rows > 0 else 0
        weight = numbers[scratch.weight_at + first : scratch.weight_at + first + n_weights]
        count = _count_samples(array(data.sample_weight), order, start, n_batch)
        unit = 1 / count if cost.is_mean and count > 0 else 1.0
        loss = _loss_and_delta(
            cost, numbers[z_at + low : z_at + high], numbers[a_at + low : a_at + high],
            numbers[delta_at + low : delta_at + high], numbers[scratch.y_at + low : scratch.y_at + high],
            weight, unit, numbers[exps_at : exps_at + n], k,
        )  # fmt: skip
    return loss


@_kernel
def _share_of_columns(job, workspace, n_batch, stage, share):
    """Compute a share of the columns of what follows a stage: a layer's product, or backwards its dx."""
    numbers, W = array(workspace.scratch.numbers), array(job.layers.parameters)
    table, stages = array(job.layers.table), array(workspace.stages)
    middle, n_shares = stages.size - 2, workspace.share_starts.rows - 1
    layer = stages[stage + 1] if stage < middle else stages[2 * middle - stage]
    n_in, n_out, W_at = table[layer, N_IN], table[layer, N_OUT], table[layer, W_AT]
    if stage < middle:
        low, high = n_out * share // n_shares, n_out * (share + 1) // n_shares
        product(n_batch, high - low, n_in, numbers, table[layer, X_AT], n_in, AS_IT_IS, W, W_at + low, n_out,
                AS_IT_IS, numbers, table[layer, Z_AT] + low, n_out)  # fmt: skip
    else:
        low, high = n_in * share // n_shares, n_in * (share + 1) // n_shares
        dx_at = table[layer - 1, DELTA_AT]
        product(n_batch, high - low, n_out, numbers, table[layer, DELTA_AT], n_out, AS_IT_IS,
                W, W_at + low * n_out, n_out, TRANSPOSED, numbers, dx_at + low, n_in)  # fmt: skip


@_inline
def _gradient_task(job, workspace, n_batch, task):
    """Sum the gradient by the parameters of a task over all rows, with penalties, and without frozen ones."""
    gradient, theta, cost = array(workspace.gradient), array(job.layers.parameters), job.cost
    tasks, parts, sums = array(workspace.tasks), array(workspace.parts), array(workspace.sums)
    low, high = tasks[task, LOW], tasks[task, HIGH]
    for part in range(tasks[task, FIRST_PART], tasks[task, LAST_PART]):
        layer, first, last = parts[part, 0], parts[part, 1], parts[part, 2]
        _gradient_of(job.layers, workspace.scratch, layer, part, first, last, n_batch, gradient)
    if cost.l1 > 0 or cost.l2 > 0:
        table = array(job.layers.table)
        sums[PENALTY, task] = _penalise(theta, gradient, table, cost.l1, cost.l2, low, high)
    frozen = array(job.frozen)
    for i in range(tasks[task, FIRST_FROZEN], tasks[task, LAST_FROZEN]):
        gradient[frozen[i]] = 0
    if job.rule.max_norm > 0:
        sums[SQUARED_NORM, task] = _squares(gradient[low:high])


@_kernel
def _update_task(job, workspace, task, rate, t, is_first, is_last):
    """Update the parameters of a task by their gradient."""
    rule, theta, sums = job.rule, array(job.layers.parameters), array(workspace.sums)
    tasks = array(workspace.tasks)
    low, high = tasks[task, LOW], tasks[task, HIGH]
    own, g = theta[low:high], array(workspace.gradient)[low:high]
    if is_first:
        _copy(own, array(workspace.before)[low:high])
    if rule.max_norm > 0:
        norm = math.sqrt(_total(sums[SQUARED_NORM]))
        if norm > rule.max_norm:
            for i in range(g.size):
                g[i] *= rule.max_norm / norm
    numbers, slots, decaying = array(rule.numbers), array(rule.slots), array(rule.decaying)[low:high]
    _update(rule.optimizer, numbers, own, g, slots, low, rate, t, decaying)
    if is_last:
        sums[IS_INFINITE, task] = 0.0 if _is_finite(own) else 1.0


@_kernel
def _settle(job, data, workspace, order, epoch, batch):
    """Add a batch's cost to the epoch's; stop where it is not finite, or a parameter after the last batch."""
    sums, totals, gate = array(workspace.sums), array(workspace.totals), array(workspace.gate)
    start, mean = batch * data.batch_size, job.cost.is_mean
    n_batch = min(data.batch_size, data.y.rows - start)
    count = _count_samples(array(data.sample_weight), order, start, n_batch)
    cost = _total(sums[DATA_COST + batch % 2])
    if job.cost.l1 > 0 or job.cost.l2 > 0:
        cost += _total(sums[PENALTY])
    if batch == 0:
        totals[0] = totals[1] = 0
    totals[0] += cost * count if mean else cost
    totals[1] += count
    is_last = batch == data.rates.columns - 1
    if not math.isfinite(cost) or (is_last and _total(sums[IS_INFINITE]) > 0):
        gate[STOP] = 1
    elif is_last:
        array(workspace.losses)[epoch] = totals[0] / totals[1] if mean and totals[1] > 0 else totals[0]
        gate[FINISHED] = epoch + 1


# ---------------------------------------------------------------------- what Python calls


def predict(plan, start, stop):
    """Compute the outputs for rows ``start`` to ``stop`` of a ``Prediction`` in a scratch of its own."""
    layers, scratch, chunk = plan.layers, plan.scratch, plan.chunk
    table, numbers, starts, out = (
        array(layers.table),
        array(scratch.numbers),
        array(scratch.lists.starts),
        array(plan.out),
    )
    dense, scale = array(plan.dense), array(plan.scale)
    last, first = table.shape[0] - 1, np.int64(0)
    k, as_they_stand, no_masks = table[last, N_OUT], starts[0, :0], numbers[:0]
    while start < stop:
        n = min(chunk, stop - start)
        if scratch.lists.columns.rows == 0:
            _copy_rows(dense, array(plan.shift), scale, as_they_stand, start, n, numbers)
        elif dense.size > 0:
            _list_rows(dense, scale, as_they_stand, start, n, scratch.lists, first)
        _forward(layers, scratch, no_masks, first, n, np.int64(0), table.shape[0])
        a_at = table[last, A_AT]
        _copy(numbers[a_at : a_at + n * k], out[start * k : (start + n) * k])
        start += n


def run(job, data, workspace, n_threads):
    """Run epochs of updates, in place of the parameters and slots, until one does not stay finite.

    Each of ``n_threads`` threads makes this call. How many epochs were finished is in ``Workspace.gate``; the
    parameters before the last one that was begun are in ``Workspace.before``.
    """
    gate, rates, orders = array(workspace.gate), array(data.rates), array(data.orders)
    n_shares, n_tasks, n_batches = workspace.share_starts.rows - 1, workspace.tasks.rows, data.rates.columns
    no_order, n_masked = gate[:0], workspace.masks.rows // data.batch_size
    gradients = 4 * (workspace.stages.rows - 2) + 1  # the phase that sums them …
    last = gradients + 1 if job.rule.max_norm > 0 else gradients  # … and the one that updates
    begun, t, drawn = np.int64(0), data.n_updates, np.int64(0)  # the same in all threads
    for epoch in range(data.rates.rows):
        order = orders[epoch] if orders.size > 0 else no_order
        for batch in range(n_batches + 1):  # the last one is empty, and settles the one before
            start, is_over = batch * data.batch_size, batch == n_batches
            n_batch = 0 if is_over else min(data.batch_size, data.y.rows - start)
            for phase in range(1 if is_over else last + 1):
                n = 1 if is_over else n_shares if phase < gradients else n_tasks
                task = _next_task(gate, begun, n, n_threads, np.int64(-1))
                if phase == 1 and read_shared(gate, STOP) > 0:
                    return
                while task >= 0:
                    if phase == 0 and task == 0 and batch > 0:
                        _settle(job, data, workspace, order, epoch, batch - 1)
                    if phase < gradients and phase % 2 == 0:
                        stage = phase // 2
                        _share_of_rows(job, data, workspace, order, batch, start, n_batch, stage, task, drawn)
                    elif phase < gradients:
                        _share_of_columns(job, workspace, n_batch, phase // 2, task)
                    if phase == gradients:
                        _gradient_task(job, workspace, n_batch, task)
                    if phase == last:
                        rate, is_first, is_last = rates[epoch, batch], batch == 0, batch == n_batches - 1
                        _update_task(job, workspace, task, rate, t + batch + 1, is_first, is_last)
                    task = _next_task(gate, begun, n, n_threads, task)
                begun += n
            drawn += n_batch * n_masked
        t += n_batches
        if n_threads > 1:
            _wait_for(gate, begun)
        if read_shared(gate, STOP) > 0:
            return

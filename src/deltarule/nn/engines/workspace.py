"""What the kernels are given: where everything lies in a thread's scratch, and the inputs as they take them.

The kernels' docstring explains the layout.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule.arrays import LINE, Array, Scaled, Sparse, aligned_empty
from deltarule.nn.engines.compilation import load_kernels
from deltarule.nn.engines.contract import TrainableNetwork
from deltarule.nn.layers import BIAS_KINDS

if TYPE_CHECKING:  # they need Numba
    from deltarule.nn.engines.kernels import Inputs, Workspace

#: Inputs go by those that are not 0 where there are so many columns of them …
SPARSE_COLUMNS = 64
#: … and, in the first rows, a smaller share than this is not 0.
SPARSE_SHARE = 0.3


class WorkspaceLayout(NamedTuple):
    """Where everything lies in a thread's scratch and in the masks."""

    table: Array  # (n_layers, 11) of int: see ``kernels.Layers``
    layer_numbers: Array  # (n_layers, 2)
    y_at: int
    weight_at: int
    exps_at: int
    n_rows: int  # of a thread's share of a batch
    length: int  # of ``Scratch.numbers``
    n_exps: int
    n_masked: int  # numbers in all dropout masks


class _Buffer:
    """An array in planning, whose parts each start at a cache line."""

    def __init__(self) -> None:
        self.length = 0

    def reserve(self, count: int) -> int:
        """Where the next part lies, of so many numbers."""
        start = self.length
        self.length += _whole_lines(count)
        return start


def _whole_lines(count: int) -> int:
    return math.ceil(count / LINE) * LINE


def plan_layout(
    net: TrainableNetwork,
    n_rows: int,
    *,
    masked_rows: int = 0,
    is_weighted: bool = False,
    is_csr: bool = False,
) -> WorkspaceLayout:
    """Plan a thread's scratch.

    Parameters
    ----------
    net : TrainableNetwork
    n_rows : int
        Of a thread's share of a batch.
    masked_rows : int
        Rows of the whole batch, whose inputs dropout drops; 0 where nothing is dropped.
    is_weighted : bool
        Whether rows have sample weights.
    is_csr : bool
        Whether rows of the inputs are CSR, which need no room for x.
    """
    layers, buffer = [layer.dense for layer in net.layers], _Buffer()
    n_exps = n_rows * max(layer.n_out for layer in layers)
    x_at = buffer.reserve(0 if is_csr else n_rows * layers[0].n_in)
    y_at = buffer.reserve(n_rows * layers[-1].n_out)
    weight_at = buffer.reserve(n_rows if is_weighted else 0)
    exps_at = buffer.reserve(n_exps)
    known, start, n_masked = load_kernels().ACTIVATIONS, 0, 0
    table: list[tuple[int, ...]] = []
    for layer in layers:
        mask_at = -1
        if layer.dropout and masked_rows:
            mask_at, x_at = n_masked, buffer.reserve(0 if is_csr and not table else n_rows * layer.n_in)
            n_masked += masked_rows * layer.n_in
        z_at, a_at, delta_at = (buffer.reserve(n_rows * layer.n_out) for _ in range(3))
        codes = BIAS_KINDS.index(layer.bias), known.index(layer.activation.kind)
        places = x_at, z_at, a_at, delta_at, mask_at
        table.append((layer.n_in, layer.n_out, start, start + layer.n_weights, *codes, *places))
        x_at, start = a_at, start + layer.n_parameters
    numbers = np.array([(layer.activation.parameter, layer.dropout) for layer in layers], dtype=float)
    return WorkspaceLayout(
        np.array(table), numbers, y_at, weight_at, exps_at, n_rows, buffer.length, n_exps, n_masked
    )


def make_workspace(
    layout: WorkspaceLayout, net: TrainableNetwork, inputs: Inputs, n_shares: int, n_epochs: int
) -> Workspace:
    """Make the arrays that training computes in, once for all epochs."""
    kernels, parameters = load_kernels(), net.parameters
    n_values, dtype = _greatest_share(layout, net, inputs), parameters.dtype
    scratch = kernels.Scratch(
        numbers=_aligned_rows(n_shares, layout.length, dtype),
        y_at=layout.y_at,
        weight_at=layout.weight_at,
        exps_at=layout.exps_at,
        integers=np.empty((n_shares, layout.n_exps), integer_type(dtype)),
        columns=np.empty((n_shares, n_values), np.int32),
        values=np.empty((n_shares, n_values), dtype),
        row_ends=np.empty((n_shares, layout.n_rows if n_values else 0), np.int64),
    )
    workspace: Workspace = kernels.Workspace(
        scratch=scratch,
        masks=np.empty(layout.n_masked, dtype),
        gradients=_aligned_rows(n_shares, parameters.size, dtype),
        before=np.empty_like(parameters),
        gate=np.zeros(16, np.int64),
        sums=np.zeros((4, n_shares)),
        losses=np.empty(n_epochs),
    )
    return workspace


def _aligned_rows(n_rows: int, length: int, dtype: np.dtype[Any]) -> Array:
    """Rows that each start at a cache line, of ``length`` or a little more."""
    return aligned_empty((n_rows, _whole_lines(length)), dtype)


def _greatest_share(layout: WorkspaceLayout, net: TrainableNetwork, inputs: Inputs) -> int:
    """Return how many values the rows of a share may have as CSR, or 0 where they are dense."""
    if inputs.indptr.size:
        return max(1, int(np.sort(np.diff(inputs.indptr))[-layout.n_rows :].sum()))
    return layout.n_rows * inputs.dense.shape[1] * is_mostly_zero(net, inputs.dense, inputs.shift)


def integer_type(dtype: np.dtype[Any]) -> type[np.signedinteger[Any]]:
    """Integers as wide as the numbers."""
    return np.int64 if dtype.itemsize == 8 else np.int32


def kernel_inputs(x: Array | Scaled, dtype: np.dtype[Any]) -> Inputs:
    """Return inputs as the kernels take them, arrays that do not apply empty.

    What cannot be written to is copied: Numba would compile the kernels once more for it.
    """
    X, shift, scale = dense_inputs(x, dtype)
    if isinstance(x, Scaled) and isinstance(x.values, Sparse):
        csr = x.values.csr
        indptr, indices = csr.indptr.astype(np.int64), np.require(csr.indices, np.int32, ["C", "W"])
        values = np.require(csr.data, requirements=["C", "W"])
    else:
        indptr, indices, values = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, X.dtype)
    inputs: Inputs = load_kernels().Inputs(X, indptr, indices, values, shift, scale)
    return inputs


def dense_inputs(x: Array | Scaled, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """Return inputs in C order, empty where they are sparse; shift and scale, empty where there are none."""
    none = np.empty(0, dtype)
    if not isinstance(x, Scaled):
        return np.ascontiguousarray(x), none, none
    shift, scale = x.shift.astype(dtype) if x.shift.any() else none, x.scale.astype(dtype)
    if isinstance(x.values, Sparse):
        return np.empty((0, 0), x.values.dtype), shift, scale
    return np.ascontiguousarray(x.values), shift, scale


def is_mostly_zero(net: TrainableNetwork, x: Array, shift: Array) -> bool:
    """Return whether layer 1 goes by the dense inputs that are not 0."""
    dense, few = net.layers[0].dense, x[:1000]
    possible = dense.n_in >= SPARSE_COLUMNS and not dense.dropout and not shift.size
    return bool(possible and np.count_nonzero(few) < SPARSE_SHARE * few.size)


def count_products(net: TrainableNetwork, x: Array | Scaled, n_rows: int) -> float:
    """Count the multiplications that so many rows take forwards, without the zeros of sparse inputs."""
    products: float = net.parameters.size
    if isinstance(x, Scaled) and isinstance(x.values, Sparse):
        layer = net.layers[0].dense
        products += (x.values.csr.nnz / len(x) - layer.n_in) * layer.n_out
    return n_rows * products

"""What the kernels are given, as named tuples, and what the numbers in them mean.

They come to the kernels as records (:mod:`deltarule.nn.engines.records`). Activations, losses and optimizers
are whole numbers there: their places in ``ACTIVATIONS``, ``LOSSES`` and ``OPTIMIZERS``; a bias kind is its
place in ``deltarule.nn.layers.BIAS_KINDS``. The fields must always have the same types: what a job does not
need is an empty array of its dtype and number of axes, or everything would be compiled once more.
"""

from __future__ import annotations

from typing import NamedTuple

from deltarule.arrays import Array

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "exp",
               "softmax")  # fmt: skip
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, GELU, SILU, SOFTPLUS, EXP, SOFTMAX = range(11)
LOSSES = ("half_squared_error", "squared_error", "mean_squared_error", "mean_absolute_error", "huber",
          "quantile", "binary_cross_entropy", "cross_entropy", "poisson")  # fmt: skip
HALF_SQUARED, SQUARED, MEAN_SQUARED, MEAN_ABSOLUTE, HUBER, QUANTILE, BINARY_CROSS, CROSS, POISSON = range(9)
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adam_hat", "adamw")
SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAM_HAT, ADAMW = range(8)
NEURON, SHARED = range(2)  # bias kinds

# The columns of ``Layers.table``: numbers of inputs and outputs; where W and b lie in the parameters; bias
# kind; activation; where the layer's x, z, a and delta lie in ``Scratch.numbers``; and where its
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


class Lists(NamedTuple):
    """What is not 0 in the rows of x, each divided into tiles of columns; all empty where x is dense."""

    columns: Array  # (n_values,) of int
    values: Array  # (n_values,)
    starts: Array  # (n_tiles + 1, n_rows) of int: where each row's part of a tile begins
    rows: Array  # (n_values,) of int: the same numbers by columns, each tile for itself, …
    row_values: Array  # (n_values,)
    column_ends: Array  # (n_features,) of int: … and where each column ends


class Scratch(NamedTuple):
    """What the rows of a batch are computed in."""

    numbers: Array  # (length,): the matrices, from x at 0 on
    y_at: int  # where in ``numbers`` the targets lie, …
    weight_at: int  # … the sample weights, …
    exps_at: int  # … room for exponentials and copied columns …
    packed_at: int  # … and, where x is lists, the first layer's deltas once more, for ``_pack_rows``
    widest: int  # so many numbers for each row
    integers: Array  # (n_exps,): integers as wide as the numbers
    lists: Lists


class Prediction(NamedTuple):
    """What is predicted. Where ``dense`` is empty, the inputs are in the scratch already, as lists."""

    layers: Layers
    scratch: Scratch
    dense: Array  # (n_rows, n_features), of any number type
    shift: Array  # as in :class:`Inputs`
    scale: Array
    out: Array  # (n_rows · n_outputs,): filled
    chunk: int  # rows to compute at a time


class Workspace(NamedTuple):
    """What all threads compute in; their meeting places; and what they return."""

    scratch: Scratch
    share_starts: Array  # (n_shares + 1,) of int: how a whole batch's rows are divided
    stages: Array  # (n_divided + 2,) of int: 0, the layers whose columns are divided, the number of layers
    parts: Array  # (n_parts, 3) of int: layer, first and last row of W
    tasks: Array  # (n_tasks, 6) of int: first and last part, parameter, and frozen one
    masks: Array  # (n_masked,): dropout masks of the whole batch, or empty
    stream: Array  # (6,) of uint64: see :func:`_draw_masks`
    gradient: Array  # (n_parameters,)
    before: Array  # (n_parameters,): as they were before the epoch
    gate: Array  # (32,) of int: zeros
    sums: Array  # (5, n_sums): what each task adds to DATA_COST … IS_INFINITE
    totals: Array  # (2,): the epoch's loss up to now, and for how many samples
    losses: Array  # (n_epochs,): filled


# The rows of ``Workspace.sums``, the first for even and the second for odd batches; and where in ``gate``,
# each in a cache line of its own, lie how many tasks were begun and done, whether to stop, and how many
# epochs were finished.
DATA_COST, PENALTY, SQUARED_NORM, IS_INFINITE = 0, 2, 3, 4
BEGUN, DONE, STOP, FINISHED = 0, 8, 16, 24
# The columns of ``Workspace.tasks``.
FIRST_PART, LAST_PART, LOW, HIGH, FIRST_FROZEN, LAST_FROZEN = range(6)

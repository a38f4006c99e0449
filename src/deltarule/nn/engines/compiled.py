"""The compiled engine: the reference's epochs, run by one compiled function (Numba).

It gives the reference's numbers to the last few bits. Deleting it costs speed only.
"""

from __future__ import annotations

import math

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.engines import jobs
from deltarule.nn.engines.compilation import load_kernel, require_numba
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.predictions import last_z as last_z  # an engine predicts, too
from deltarule.nn.engines.predictions import once_for_each_network
from deltarule.nn.engines.predictions import predict as predict
from deltarule.nn.engines.records import record_of
from deltarule.nn.engines.streams import advance, stream_of
from deltarule.nn.engines.threads import blas_of_one_thread, count_threads, run_together
from deltarule.nn.engines.workspace import (
    WorkspaceLayout,
    count_products,
    divide_job,
    kernel_inputs,
    make_lists,
    make_workspace,
    plan_layout,
    tile_shares_of,
)
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import GradientStep

#: Rows times parameters to go through in one call, beyond a first epoch: a tenth of a second or so.
BLOCK = 100_000_000


@once_for_each_network
def cannot_predict(net: TrainableNetwork) -> str:
    """Return why the compiled engine cannot run this network, or "" where it can."""
    require_numba()
    for layer in net.layers:
        activation = layer.activation
        if activation.kind not in jobs.ACTIVATIONS or not ACTIVATIONS.is_registered(activation):
            return f"activation {activation.name!r} is not built into it"
    return ""


def cannot_train(net: TrainableNetwork, optimizer: GradientStep) -> str:
    """Return why the compiled engine cannot train this network, or "" where it can."""
    reason = cannot_predict(net)
    if reason:
        return reason
    loss = net.objective.loss
    if loss.kind not in jobs.LOSSES or not LOSSES.is_registered(loss):
        return f"loss {loss.name!r} is not built into it"
    if type(optimizer).__module__ != GradientStep.__module__ or optimizer.name not in jobs.OPTIMIZERS:
        return f"optimizer {optimizer.name!r} is not built into it"
    return ""


def run_epochs(
    net: TrainableNetwork,
    samples: Samples,
    size: int,
    orders: Array | None,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
    rng: np.random.Generator,
) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    dtype = net.parameters.dtype
    inputs = kernel_inputs(samples.x, dtype)
    n_products, tile_shares = count_products(net, samples.x, size), tile_shares_of(net, inputs)
    n_tiles, is_weighted = len(tile_shares), samples.weight is not None
    layout = plan_layout(net, size, is_training=True, is_weighted=is_weighted, is_listed=n_tiles > 0)
    division = divide_job(net, size, n_products, tile_shares)
    lists, stream = make_lists(dtype, net.layers[0].dense.n_in, size, n_tiles, inputs.indptr), stream_of(rng)
    workspace = make_workspace(layout, net, lists, division, stream, len(rates))
    job = make_job(net, layout, optimizer, slots)
    weight = np.empty((0, 1), dtype) if samples.weight is None else np.ascontiguousarray(samples.weight)
    order = np.empty((0, 0), np.int64) if orders is None else orders
    data = jobs.Data(inputs, np.ascontiguousarray(samples.y), weight, order, size, rates, t)
    kernel = load_kernel("run", *map(record_of, (job, data, workspace)))
    n_threads = count_threads(max(len(division.share_starts) - 1, len(division.tasks)))
    with blas_of_one_thread(n_products):
        run_together(n_threads, lambda: kernel(n_threads))
    finished = int(workspace.gate[jobs.FINISHED])
    if finished < len(rates):
        net.parameters[:] = workspace.before
    n_rows = min(len(samples), size * rates.shape[1])
    advance(rng, stream, finished * n_rows * (layout.n_masked // size))
    return workspace.losses[:finished]


def make_job(
    net: TrainableNetwork, layout: WorkspaceLayout, optimizer: GradientStep, slots: Array
) -> jobs.Job:
    """Return the network, its objective and the optimizer as the kernels take them."""
    objective, limits = net.objective, np.finfo(net.parameters.dtype)
    cost = jobs.Cost(
        loss=jobs.LOSSES.index(objective.loss.kind),
        parameter=float(objective.loss.parameter),
        is_fused=objective.fused is not None,
        is_mean=objective.reduction == "mean",
        tiny=math.sqrt(float(limits.tiny)),
        eps=float(limits.eps),
        l1=float(objective.l1),
        l2=float(objective.l2),
    )
    numbers = [getattr(optimizer, name) for name in optimizer.letters.values()]
    rule = jobs.UpdateRule(
        optimizer=jobs.OPTIMIZERS.index(optimizer.name),
        numbers=np.array(numbers + [0.0] * (4 - len(numbers)), dtype=float),
        max_norm=float(optimizer.clip_norm or 0),
        slots=slots,
        decaying=net.decaying,
    )
    layers = jobs.Layers(net.parameters, layout.table, layout.layer_numbers)
    return jobs.Job(layers, cost, rule, net.frozen)

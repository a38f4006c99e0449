"""Epochs of updates whose gradients workers compute together: the reference's, shard by shard."""

from __future__ import annotations

import math

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shards import ShardedBatch, ShardSums
from deltarule.nn.optimizers import GradientStep
from deltarule.training.workers.team import Workers


def cost_and_gradient(
    workers: Workers, sums: ShardSums, net: TrainableNetwork, batch: ShardedBatch, count: float, out: Array
) -> float:
    """Put the gradient of the cost of a batch that counts as ``count`` rows into ``out``; return the cost."""
    objective = net.objective
    cost = workers.total(sums, batch, out)
    if objective.reduction == "mean" and count > 0:
        cost /= count
        out /= out.dtype.type(count)
    if objective.l1 or objective.l2:
        start = 0
        for layer in net.layers:
            dW, _ = layer.dense.views(out[start : start + layer.dense.n_parameters])
            dW += objective.penalty_gradient(layer.W)
            cost += float(objective.penalty(layer.W))
            start += layer.dense.n_parameters
    return cost


def run_epochs(
    workers: Workers,
    engine: str,
    net: TrainableNetwork,
    samples: Samples,
    size: int,
    orders: Array | None,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
    key: int,
) -> Array:
    """Do what :mod:`deltarule.nn.engines.contract` says of engines, with workers.

    ``key`` is what dropout masks are drawn from, for each shard of each update anew.
    """
    theta, losses = net.parameters, []
    with workers.sums(engine, net, samples, size) as sums:
        for epoch, epoch_rates in enumerate(rates):
            before, order = theta.copy(), np.arange(len(samples)) if orders is None else orders[epoch]
            loss = _run_epoch(workers, sums, net, samples, size, order, optimizer, slots, epoch_rates, t, key)
            if not (math.isfinite(loss) and np.isfinite(theta).all()):
                theta[:] = before
                break
            losses.append(loss)
            t += len(epoch_rates)
    return np.array(losses)


def _run_epoch(
    workers: Workers,
    sums: ShardSums,
    net: TrainableNetwork,
    samples: Samples,
    size: int,
    order: Array,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
    key: int,
) -> float:
    """Update by each batch; return the epoch's loss, or NaN at the first cost that is not finite."""
    is_mean, gradient = net.objective.reduction == "mean", np.empty_like(net.parameters)
    total, counted = 0.0, 0.0
    for batch, rate in enumerate(rates.tolist()):
        rows, t = order[batch * size : (batch + 1) * size], t + 1
        count = count_rows(samples, rows)
        cost = cost_and_gradient(workers, sums, net, ShardedBatch(rows, t, key), count, gradient)
        if not math.isfinite(cost):
            return math.nan
        gradient[net.frozen] = 0
        optimizer.clip(gradient)
        optimizer.update(net.parameters, gradient, slots, rate, t, net.decaying)
        total += cost * count if is_mean else cost
        counted += count
    return total / counted if is_mean and counted else total


def count_rows(samples: Samples, rows: Array) -> float:
    """As how many rows these count: the sum of their weights."""
    return float(len(rows)) if samples.weight is None else float(samples.weight[rows].sum())

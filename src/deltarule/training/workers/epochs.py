"""Epochs of updates whose gradients workers compute together: the reference's, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.reference import BatchGradient, update_by
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
    gradient = np.empty_like(net.parameters)
    with workers.sums(engine, net, samples, size) as sums:

        def gradients(epoch: int) -> Iterator[BatchGradient]:
            order = np.arange(len(samples)) if orders is None else orders[epoch]
            for number, first in enumerate(range(0, len(order), size), t + epoch * rates.shape[1] + 1):
                rows = order[first : first + size]
                batch, count = ShardedBatch(rows, number, key), count_rows(samples, rows)
                yield cost_and_gradient(workers, sums, net, batch, count, gradient), gradient, count

        return update_by(map(gradients, range(len(rates))), net, optimizer, slots, rates, t)


def count_rows(samples: Samples, rows: Array) -> float:
    """As how many rows these count: the sum of their weights."""
    return float(len(rows)) if samples.weight is None else float(samples.weight[rows].sum())

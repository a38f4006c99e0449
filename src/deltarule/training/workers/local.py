"""Local SGD: replicas of the network train by themselves for some updates, then all become their mean.

Which worker computes which replica makes no difference to any bit; how many replicas there are does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.nn.engines import ENGINES
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shard_gradients import Computed
from deltarule.nn.engines.shards import Branch, ShardSums, branches, branches_of
from deltarule.nn.optimizers import GradientStep
from deltarule.registry import record
from deltarule.training.workers.epochs import count_rows
from deltarule.training.workers.team import Workers


@record
class LocalSGD:
    """Local SGD: replicas of a network train independently, and are replaced by their mean every ``steps``
    updates.

        θ_r ← update(θ_r, gradient of replica r's part of the batch)      for each replica r
        θ_1 = … = θ_R = Σ θ_r / R                                        after each ``steps`` updates

    It is a different algorithm from the sum over workers, with different results: workers exchange the
    parameters and the optimizer's state once every ``steps`` updates, instead of a gradient in each update.
    Every batch is divided among the replicas; the mean is also taken at the end of an epoch.

    Parameters
    ----------
    steps : int
        The number of updates between two means.
    replicas : int
        The number of replicas; any number of workers can share them.

    References
    ----------
    Stich (2019), "Local SGD converges fast and communicates little", algorithm 1.

    Examples
    --------
    >>> LocalSGD(steps=16, replicas=8)
    LocalSGD(steps=16, replicas=8)
    """

    steps: int
    replicas: int

    def __post_init__(self) -> None:
        for name in ("steps", "replicas"):
            object.__setattr__(self, name, check_whole(f"local_sgd: {name}", getattr(self, name)))


class _Round(NamedTuple):
    """The batches of the updates between two means, as :class:`Shared`."""

    rows: Array  # (n,) of int
    size: int  # rows of a batch
    replicas: int
    t: int
    key: int

    @property
    def n_shards(self) -> int:
        """How many leaves the tree has that sums the replicas: a power of two, the last ones empty."""
        return 1 << (self.replicas - 1).bit_length()

    def cuts(self, n_workers: int) -> list[list[Branch]]:
        """Which branches each of the workers computes: equal shares of the replicas."""
        cuts = branches_of(self.replicas, n_workers)
        return [*cuts[:-1], list(branches(cuts[-1][0][0], self.n_shards))]

    def rows_of(self, replica: int) -> list[Array]:
        """The numbers of a replica's rows of each batch; nothing for an empty leaf."""
        if replica >= self.replicas:
            return []
        batches = [self.rows[first : first + self.size] for first in range(0, len(self.rows), self.size)]
        count, last = self.replicas, replica + 1
        return [rows[len(rows) * replica // count : len(rows) * last // count] for rows in batches]

    def masks_of(self, replica: int) -> np.random.Generator:
        """Return what draws a replica's dropout masks, whoever computes it."""
        return np.random.default_rng([self.key, self.t, replica])


class _Replicas:
    """What trains one replica after the other, each from where all of them stood when a round began."""

    def __init__(
        self, engine: str, net: TrainableNetwork, samples: Samples, optimizer: GradientStep, slots: Array
    ) -> None:
        self._engine, self._net, self._samples = ENGINES[engine], net, samples
        self._optimizer, self._slots = optimizer, slots
        self.begin(np.empty(0), 0)

    def state(self) -> Array:
        """The parameters, then what the optimizer remembers, in one array."""
        return np.concatenate([self._net.parameters, self._slots.ravel()])

    def become(self, state: Array) -> None:
        """Let the network and the optimizer take a state; frozen parameters stay."""
        theta, frozen = self._net.parameters, self._net.frozen
        kept = theta[frozen]
        theta[:], self._slots[:] = state[: theta.size], state[theta.size :].reshape(self._slots.shape)
        theta[frozen] = kept

    def begin(self, rates: Array, t: int) -> None:
        """Begin a round of updates with these learning rates, ``t`` updates after the first."""
        self._state, self._rates, self._t = self.state(), rates, t

    def train(
        self, rows: list[Array], masks: np.random.Generator, out: Array, in_pieces: bool
    ) -> Iterator[Computed]:
        """Train a replica with its rows of each batch; its state after that goes to ``out``."""
        cost, first, is_mean = 0.0, 0, self._net.objective.reduction == "mean"
        self.become(self._state)
        for length, group in groupby(rows, key=len):
            batches = list(group)
            if length:
                order, rates = np.concatenate(batches), self._rates[None, first : first + len(batches)]
                losses = self._engine.run_epochs(
                    self._net, self._samples.take(order), length, None, self._optimizer, self._slots, rates,
                    self._t + first, masks,
                )  # fmt: skip
                count = count_rows(self._samples, order) if is_mean else 1.0
                cost += float(losses[0]) * count if len(losses) else math.nan
            first += len(batches)
        out[:] = self.state() if rows else 0
        yield cost, slice(None)


def run_local_epochs(
    workers: Workers,
    local: LocalSGD,
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
    """Do what :mod:`deltarule.nn.engines.contract` says of engines, by local SGD."""
    replicas, losses = _Replicas(engine, net, samples, optimizer, slots), list[float]()
    out, is_mean = replicas.state(), net.objective.reduction == "mean"
    with ShardSums([replicas.train], [slice(0, out.size)], draws=True) as sums:
        for epoch, epoch_rates in enumerate(rates):
            order = np.arange(len(samples)) if orders is None else orders[epoch]
            before, total = net.parameters.copy(), 0.0
            for first in range(0, len(epoch_rates), local.steps):
                rows = order[first * size : (first + local.steps) * size]
                replicas.begin(epoch_rates[first : first + local.steps], t + first)
                total += workers.total(sums, _Round(rows, size, local.replicas, t + first, key), out)
                out /= out.dtype.type(local.replicas)
                replicas.become(out)
            t += len(epoch_rates)
            if not (math.isfinite(total) and np.isfinite(net.parameters).all()):
                net.parameters[:] = before
                break
            count = count_rows(samples, order)
            losses.append(total / count if is_mean and count else total)
    return np.array(losses)

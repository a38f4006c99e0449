"""Training as a line of moments: any update can be gone back to, and left on another branch.

A branch has one network, one optimizer and one set of rows. Moments of it are kept at intervals that grow
with its length; what lies between two is made again, with the same batches and dropout masks, so that it has
the same bits. The updates are those of :func:`deltarule.train`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import DivergenceError, InputError
from deltarule.nn.engines import ENGINES
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep
from deltarule.training.replay import ReplayedUpdate

#: Of a branch so many moments are kept, and so many bytes of them.
MOST_MOMENTS, MOST_BYTES = 512, 64 << 20
#: So many points of a curve.
MOST_POINTS = 1_000


@dataclass(frozen=True, eq=False)
class Moment:
    """A run just before an update: all that follows from it.

    Attributes
    ----------
    update, epoch, batch : int
        Updates made, epochs finished, batches made of the epoch since.
    parameters : ndarray, (n_parameters,)
    slots : ndarray, (number of slots, n_parameters)
    orders, masks : mapping
        The states of the generators: of the order of this epoch's rows, before it was drawn, and of dropout.
    """

    update: int
    epoch: int
    batch: int
    parameters: Array
    slots: Array
    orders: Any
    masks: Any


def first_moment(net: Network, optimizer: GradientStep, seed: int) -> Moment:
    """Return the moment before a run's first update, as :func:`deltarule.train` begins with this seed."""
    orders, masks = np.random.default_rng(seed), np.random.default_rng([seed, 2])
    start = optimizer.start(net.parameters)
    return Moment(
        0, 0, 0, net.parameters.copy(), start, orders.bit_generator.state, masks.bit_generator.state
    )


@dataclass(eq=False)
class Branch:
    """A stretch of training under one setting.

    Attributes
    ----------
    number : int
    parent : int or None
    change : str
        What made it leave its parent.
    net : Network
        Its parameters are overwritten.
    samples : Samples
        The rows to train on.
    optimizer : GradientStep
    size : int
        Rows of a batch.
    engine : str
    moments : list of Moment
        The first is where it begins.
    last : int
        The last update that was made on it.
    curve : list of (update, training cost, test cost or None)
    """

    number: int
    parent: int | None
    change: str
    net: Network
    samples: Samples
    optimizer: GradientStep
    size: int
    engine: str
    moments: list[Moment]
    last: int = field(init=False)
    interval: int = field(init=False, default=1)
    curve: list[tuple[int, float, float | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = self.start

    @property
    def start(self) -> int:
        """The update at which it begins."""
        return self.moments[0].update

    @property
    def is_used(self) -> bool:
        """Whether an update was made on it."""
        return self.last > self.start

    @property
    def n_batches(self) -> int:
        """Updates of an epoch."""
        return math.ceil(len(self.samples) / self.size)

    @property
    def rate(self) -> float:
        """The learning rate."""
        return float(self.optimizer.schedule(0, 1))

    def at(self, update: int) -> Moment:
        """Return the moment before an update, or the one after the last; it is made again if need be."""
        if not self.start <= update <= self.last:
            raise InputError(f"this branch has updates {self.start} to {self.last}, got {update}")
        near = self.moments[bisect_right(self.moments, update, key=lambda moment: moment.update) - 1]
        return self._advanced(near, update - near.update, keep=False)

    def advance(self, moment: Moment, count: int) -> Moment:
        """Make some updates from a moment of this branch on.

        Raises DivergenceError if the cost or a parameter leaves the finite numbers; the moment before
        stands.
        """
        return self._advanced(moment, count, keep=True)

    def order(self, moment: Moment) -> Array:
        """Return the order of the rows in the epoch of a moment, (n_rows,)."""
        rng = np.random.default_rng()
        rng.bit_generator.state = moment.orders
        return self._order(rng)

    def _order(self, rng: np.random.Generator) -> Array:
        n = len(self.samples)
        return np.arange(n) if self.size >= n else rng.permutation(n)

    def _advanced(self, moment: Moment, count: int, keep: bool) -> Moment:
        if not count:
            return moment
        orders, masks = np.random.default_rng(), np.random.default_rng()
        orders.bit_generator.state, masks.bit_generator.state = moment.orders, moment.masks
        net, slots, epoch, batch = self.net, moment.slots.copy(), moment.epoch, moment.batch
        net.parameters[:] = moment.parameters
        before, order = moment.orders, self._order(orders)
        rates = np.full((1, 1), self.rate)
        engine = ENGINES[self.engine]
        for update in range(moment.update, moment.update + count):
            if batch == self.n_batches:
                epoch, batch, before = epoch + 1, 0, orders.bit_generator.state
                order = self._order(orders)
            rows = self.samples.take(order[batch * self.size : (batch + 1) * self.size])
            with np.errstate(all="ignore"):
                made = engine.run_epochs(
                    net, rows, self.size, None, self.optimizer, slots, rates, update, masks
                )
            if not len(made):
                raise DivergenceError(
                    f"training diverged at update {update + 1}: the loss or a parameter is no longer finite. "
                    f"Try a smaller learning rate (now {self.rate:g})",
                    epoch + 1,
                )
            batch += 1
            if keep and update + 1 > self.last:
                self.last = update + 1
                if (self.last - self.start) % self.interval == 0:
                    state = masks.bit_generator.state
                    self._keep(
                        Moment(self.last, epoch, batch, net.parameters.copy(), slots.copy(), before, state)
                    )
        return Moment(
            moment.update + count,
            epoch,
            batch,
            net.parameters.copy(),
            slots,
            before,
            masks.bit_generator.state,
        )

    def _keep(self, moment: Moment) -> None:
        """Keep a moment; where there are too many, every second goes."""
        self.moments.append(moment)
        room = MOST_BYTES // (moment.parameters.nbytes + moment.slots.nbytes)
        if len(self.moments) > max(8, min(MOST_MOMENTS, room)):
            del self.moments[1::2]
            self.interval *= 2

    def replayed(self, moment: Moment) -> ReplayedUpdate:
        """Return the update that follows a moment, as derivations take it."""
        order, masks = self.order(moment), np.random.default_rng()
        masks.bit_generator.state = moment.masks
        epoch, batch = moment.epoch, moment.batch
        if batch == self.n_batches:
            following = self._advanced_order(moment)
            epoch, batch, order = epoch + 1, 0, following
        rows = order[batch * self.size : (batch + 1) * self.size]
        net = self.net.copy()
        net.parameters[:] = moment.parameters
        return ReplayedUpdate(
            net, moment.slots, self.optimizer, moment.update + 1, epoch + 1, batch + 1, self.rate, rows,
            self.samples.take(rows), masks,
        )  # fmt: skip

    def _advanced_order(self, moment: Moment) -> Array:
        rng = np.random.default_rng()
        rng.bit_generator.state = moment.orders
        self._order(rng)
        return self._order(rng)

    def note(self, update: int, train: float, test: float | None) -> None:
        """Enter a point of the curve; where there are too many, every second goes."""
        if self.curve and self.curve[-1][0] >= update:
            return
        self.curve.append((update, train, test))
        if len(self.curve) > MOST_POINTS:
            del self.curve[1:-1:2]

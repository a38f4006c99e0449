"""A training run made again up to one of its updates: with its batches, masks and learning rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.errors import InputError
from deltarule.nn.engines import ENGINES
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep
from deltarule.training.history import History, RunStart

__all__ = ["ReplayedUpdate", "replay"]

#: Rows whose order is held in memory at once.
_ROWS_AT_ONCE = 2**20


@dataclass(frozen=True, eq=False)
class ReplayedUpdate:
    """A run just before one of its updates.

    Attributes
    ----------
    net : Network
        With its parameters at that point.
    slots : ndarray, (number of slots, n_parameters)
    optimizer : GradientStep
    step, epoch, batch : int
        The number of the update, of its epoch, and of the batch in it, each from 1.
    rate : float
        The learning rate of this update.
    rows : ndarray of int
        Which of the training samples are in the batch.
    samples : Samples
        Those samples.
    rng : Generator
        Draws the dropout masks of this update next.
    """

    net: Network
    slots: Array
    optimizer: GradientStep
    step: int
    epoch: int
    batch: int
    rate: float
    rows: Array
    samples: Samples
    rng: np.random.Generator


def replay(history: History, step: int) -> ReplayedUpdate:
    """Make a training run again, by the same engine, up to just before update ``step`` (from 1).

    Raises
    ------
    InputError
        If the history does not know how it came about, or the run made no such update.
    """
    start = history.start
    if start is None:
        raise InputError(
            "this history cannot be played again: it was read from a file, or made by L-BFGS, whose steps "
            "are inside SciPy"
        )
    check_whole("step", step)
    last = history.epochs * start.n_batches
    if not start.updates < step <= last:
        raise InputError(f"step must be an update of this run, {start.updates + 1} to {last}, got {step}")
    return _Replay(start).until(step)


class _Replay:
    """A run that is made again: its network, its optimizer's slots, its generators."""

    def __init__(self, start: RunStart) -> None:
        self.start, self.net, self.slots = start, start.net.copy(), start.slots.copy()
        self.order_rng, self.mask_rng = np.random.default_rng(), np.random.default_rng()
        self.order_rng.bit_generator.state, self.mask_rng.bit_generator.state = start.generators

    def until(self, step: int) -> ReplayedUpdate:
        """Make whole epochs, then the batches before the update that is asked for."""
        start = self.start
        n, size = start.n_batches, start.batch_size
        epochs, batch = divmod(step - 1 - start.updates, n)
        at_once = max(1, _ROWS_AT_ONCE // len(start.samples))
        for first in range(0, epochs, at_once):
            self._epochs(first, min(at_once, epochs - first))
        order, rates = self._next_order(), self._rates(start.epoch + epochs)
        order = np.arange(len(start.samples)) if order is None else order
        if batch:
            done = start.samples.take(order[: batch * size])
            self._update(done, None, rates[None, :batch], start.updates + epochs * n)
        rows = order[batch * size : (batch + 1) * size]
        return ReplayedUpdate(
            self.net, self.slots, start.optimizer, step, start.epoch + epochs + 1, batch + 1,
            float(rates[batch]), rows, start.samples.take(rows), self.mask_rng,
        )  # fmt: skip

    def _next_order(self) -> Array | None:
        """Draw the next epoch's order, as the run itself did."""
        start = self.start
        shuffled = start.shuffle and start.batch_size < len(start.samples)
        return self.order_rng.permutation(len(start.samples)) if shuffled else None

    def _rates(self, epoch: int) -> Array:
        n = self.start.n_batches
        return self.start.optimizer.schedule.rates(epoch + np.arange(n) / n, self.start.epochs)

    def _epochs(self, first: int, count: int) -> None:
        """Make ``count`` whole epochs, of which ``first`` were made before."""
        numbers = range(first, first + count)
        orders = [order for _ in numbers if (order := self._next_order()) is not None]
        rates = np.array([self._rates(self.start.epoch + number) for number in numbers])
        t = self.start.updates + first * self.start.n_batches
        self._update(self.start.samples, np.array(orders) if orders else None, rates, t)

    def _update(self, samples: Samples, orders: Array | None, rates: Array, t: int) -> None:
        size, optimizer = self.start.batch_size, self.start.optimizer
        run_epochs = ENGINES[self.start.engine].run_epochs
        with np.errstate(all="ignore"):
            run_epochs(self.net, samples, size, orders, optimizer, self.slots, rates, t, self.mask_rng)

"""A training run played again up to one of its updates: the same batches, masks and learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.errors import InputError
from deltarule.nn.engines import ENGINES
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep

if TYPE_CHECKING:
    from deltarule.training.history import History
    from deltarule.training.run import Run

__all__ = ["Moment", "Start", "replay"]

#: Rows whose order is held in memory at once.
_ROWS = 2**20


@dataclass(frozen=True, eq=False)
class Start:
    """What a run started from: enough to make it again, update by update."""

    net: Network
    slots: Array
    samples: Samples
    optimizer: GradientStep
    engine: str
    size: int
    shuffle: bool
    epochs: int
    epoch: int
    updates: int
    generators: tuple[Mapping[str, Any], Mapping[str, Any]]

    @classmethod
    def of(cls, run: Run) -> Start | None:
        """Of a run that is about to go; None for an optimizer that does not go update by update."""
        settings = run.settings
        if not isinstance(settings.optimizer, GradientStep):
            return None
        generators = (run.order_rng.bit_generator.state, run.mask_rng.bit_generator.state)
        size = min(settings.batch_size or len(run.samples), len(run.samples))
        return cls(
            run.net.copy(), run.slots.copy(), run.samples, settings.optimizer, run.engine, size,
            settings.shuffle, settings.epochs, run.epoch, run.updates, generators,
        )  # fmt: skip

    @property
    def n_batches(self) -> int:
        """Updates in an epoch."""
        return math.ceil(len(self.samples) / self.size)


@dataclass(frozen=True, eq=False)
class Moment:
    """A run just before one of its updates.

    Attributes
    ----------
    net : Network
        With its parameters of that moment.
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


def replay(history: History, step: int) -> Moment:
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
    def __init__(self, start: Start) -> None:
        self.start, self.net, self.slots = start, start.net.copy(), start.slots.copy()
        self.order_rng, self.mask_rng = np.random.default_rng(), np.random.default_rng()
        self.order_rng.bit_generator.state, self.mask_rng.bit_generator.state = start.generators

    def until(self, step: int) -> Moment:
        """Whole epochs, then the batches before the one that is asked for."""
        start = self.start
        n, size = start.n_batches, start.size
        epochs, batch = divmod(step - 1 - start.updates, n)
        at_once = max(1, _ROWS // len(start.samples))
        for first in range(0, epochs, at_once):
            self._epochs(first, min(at_once, epochs - first))
        order, rates = self._order(), self._rates(start.epoch + epochs)
        order = np.arange(len(start.samples)) if order is None else order
        if batch:
            done = start.samples.take(order[: batch * size])
            self._run(done, None, rates[None, :batch], start.updates + epochs * n)
        rows = order[batch * size : (batch + 1) * size]
        return Moment(
            self.net, self.slots, start.optimizer, step, start.epoch + epochs + 1, batch + 1,
            float(rates[batch]), rows, start.samples.take(rows), self.mask_rng,
        )  # fmt: skip

    def _order(self) -> Array | None:
        """The next epoch's order, as the run itself drew it."""
        start = self.start
        shuffled = start.shuffle and start.size < len(start.samples)
        return self.order_rng.permutation(len(start.samples)) if shuffled else None

    def _rates(self, epoch: int) -> Array:
        n = self.start.n_batches
        return self.start.optimizer.schedule.rates(epoch + np.arange(n) / n, self.start.epochs)

    def _epochs(self, first: int, count: int) -> None:
        """Some whole epochs, counted from the start."""
        numbers = range(first, first + count)
        orders = [order for _ in numbers if (order := self._order()) is not None]
        rates = np.array([self._rates(self.start.epoch + number) for number in numbers])
        t = self.start.updates + first * self.start.n_batches
        self._run(self.start.samples, np.array(orders) if orders else None, rates, t)

    def _run(self, samples: Samples, orders: Array | None, rates: Array, t: int) -> None:
        start = self.start
        run_epochs = ENGINES[start.engine].run_epochs
        with np.errstate(all="ignore"):
            run_epochs(
                self.net, samples, start.size, orders, start.optimizer, self.slots, rates, t, self.mask_rng
            )

"""A training run made again up to one of its updates: with its batches, masks and learning rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deltarule.arrays import Array, check_whole
from deltarule.errors import InputError
from deltarule.nn.engines import hold_blas
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep
from deltarule.training.history import History
from deltarule.training.loop import advance, learning_rates, sample_orders, update


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

    Raises InputError if the history does not know how it came about, or the run made no such update.
    """
    start = history.start
    if start is None:
        raise InputError(
            "this history cannot be replayed: it was read from a file, or comes from a stream, from local "
            "SGD or from L-BFGS, whose steps are inside SciPy"
        )
    check_whole("step", step)
    last = history.epochs * start.n_batches
    if not start.updates < step <= last:
        raise InputError(f"step must be an update of this run, {start.updates + 1} to {last}, got {step}")
    run, size = start.copy(), start.batch_size
    optimizer, n_rows = start.settings.optimizer, len(start.samples)
    assert isinstance(optimizer, GradientStep)
    epochs, batch = divmod(step - 1 - start.updates, start.n_batches)
    with hold_blas(run.engine, run.net, size), np.errstate(all="ignore"):
        advance(run, start.epoch + epochs)
        orders, rates = sample_orders(run, 1), learning_rates(run, 1)
        order = np.arange(n_rows) if orders is None else orders[0]
        if batch:
            done = start.samples.take(order[: batch * size])
            update(run, done, None, rates[:, :batch])
    rows = order[batch * size : (batch + 1) * size]
    return ReplayedUpdate(
        run.net, run.slots, optimizer, step, run.epoch + 1, batch + 1, float(rates[0, batch]), rows,
        start.samples.take(rows), run.mask_rng,
    )  # fmt: skip

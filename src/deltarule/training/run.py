"""A training in progress: epochs of updates, watched over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.engines import ENGINES, choose_engine
from deltarule.errors import DivergenceError, InputError
from deltarule.files import check_writable
from deltarule.network import Network
from deltarule.optimizers import GradientStep
from deltarule.training.checkpoints import write_checkpoint
from deltarule.training.data import Samples, hold_out
from deltarule.training.history import History
from deltarule.training.lbfgs import minimise
from deltarule.training.metrics import measure
from deltarule.training.progress import Progress
from deltarule.training.settings import Checkpoint, Settings
from deltarule.training.stopping import Best

__all__ = ["Callback", "Run"]

Callback: TypeAlias = Callable[["Run"], object]


class Run:
    """A training in progress: what callbacks see.

    Attributes
    ----------
    net : Network
    settings : Settings
    history : History
    epoch : int
        Epochs done.
    updates : int
        Updates made.
    slots : ndarray, (number of slots, n_parameters)
        What the optimizer remembers; for L-BFGS, the first parameters.
    best : Best or None
        The best epoch so far, where early stopping looks for one.
    stop : bool
        Set it to end training after this epoch.
    """

    def __init__(
        self,
        net: Network,
        settings: Settings,
        samples: Samples,
        validation: Any,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.net, self.settings, self.checkpoint = net, settings, checkpoint
        self.samples, self.held_out = _divide(net, samples, validation, settings)
        self.monitored = _monitored(settings, self.held_out is not None)
        self._increasing = {metric.name for metric in settings.metrics if metric.increases}
        self.history = History()
        self.epoch = self.updates = 0
        self.stop = False
        self.best: Best | None = None
        self.rng = np.random.default_rng(settings.seed)
        self.slots = settings.optimizer.start(net.parameters)
        self.fingerprint = ""
        if checkpoint is not None:
            if not isinstance(checkpoint, Checkpoint):
                raise InputError(f"checkpoint must be a Checkpoint or None, got {checkpoint!r}")
            check_writable(checkpoint.path)
            settings.check_registered()
            self.fingerprint = self.samples.digest() + (self.held_out.digest() if self.held_out else "")

    def go(self, callbacks: Sequence[Callback] = (), progress: bool = False) -> History:
        """Run the epochs that are left."""
        if not (isinstance(callbacks, Sequence) and all(map(callable, callbacks))):
            raise InputError(f"callbacks must be a sequence of callables, got {callbacks!r}")
        self.history.engine = choose_engine(self.settings.engine)
        started = time.perf_counter()
        bar = Progress(self.settings.epochs, self.epoch, enabled=progress)
        try:
            with np.errstate(all="ignore"):  # what overflows is found, and named, by record
                self._epochs(lambda: self._after_epoch(callbacks, bar))
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"  # and the last checkpoint stands
        else:
            write_checkpoint(self)
        finally:
            bar.close()
        self.history.seconds = time.perf_counter() - started
        stopping = self.settings.early_stopping
        if self.best is not None and stopping is not None and stopping.restore_best:
            self.net.parameters[:] = self.best.parameters
        return self.history

    def _epochs(self, after_epoch: Callable[[], None]) -> None:
        optimizer = self.settings.optimizer
        if not isinstance(optimizer, GradientStep):
            minimise(self, after_epoch)
            return
        while self.epoch < self.settings.epochs and not self.stop:
            before = self.net.parameters.copy()
            try:
                loss, rate = self._one_epoch(optimizer)
            except BaseException:  # such as Ctrl-C in the middle of the epoch that diverges
                if not np.isfinite(self.net.parameters).all():
                    self.net.parameters[:] = before
                raise
            self.record(loss, before, learning_rate=rate)
            after_epoch()

    def _one_epoch(self, optimizer: GradientStep) -> tuple[float, float]:
        """Update the parameters with every batch; the loss, and the last learning rate."""
        n = len(self.samples)
        size = min(self.settings.batch_size or n, n)
        order = self.rng.permutation(n) if self.settings.shuffle and size < n else None
        n_batches = math.ceil(n / size)
        starts = [self.epoch + batch / n_batches for batch in range(n_batches)]
        rates = [optimizer.schedule(start, self.settings.epochs) for start in starts]
        engine, batches = ENGINES[self.history.engine], self.samples.batches(size, order)
        loss = engine.run_epoch(self.net, batches, optimizer, self.slots, rates, self.updates, self.rng)
        self.updates += n_batches
        return loss, rates[-1]

    def record(self, loss: float, before: Array, **more: float) -> None:
        """Enter an epoch into the history.

        Raises
        ------
        DivergenceError
            If the loss, a parameter or a measure is not finite; the parameters are ``before`` again.
        """
        finite = math.isfinite(loss) and bool(np.isfinite(self.net.parameters).all())
        row = {"epoch": self.epoch + 1, "loss": loss} | (self._measures() if finite else {})
        if not (finite and all(map(math.isfinite, row.values()))):
            self.net.parameters[:] = before
            raise self._divergence()
        self.epoch += 1
        self.history.append(row | more)
        stopping = self.settings.early_stopping
        if stopping is not None and stopping.improves(
            row[self.monitored], self.best, increases=self.monitored.removeprefix("val_") in self._increasing
        ):
            self.best = Best(row[self.monitored], self.epoch, self.net.parameters.copy())

    @property
    def columns(self) -> list[str]:
        """The columns that the history will have, with an optimizer that takes a learning rate."""
        names = ["loss", *(metric.name for metric in self.settings.metrics)]
        held = [f"val_{name}" for name in names] if self.held_out is not None else []
        return list(dict.fromkeys(["epoch", *names, *held, "learning_rate"]))

    def _measures(self) -> dict[str, float]:
        """The metrics on the training samples, and loss and metrics on those held out."""
        measures: dict[str, float] = {}
        for prefix, samples in (("", self.samples), ("val_", self.held_out)):
            if samples is not None and (prefix or self.settings.metrics):
                found = measure(self.net, samples.x, samples.y, samples.weight, self.settings.metrics)
                measures |= {
                    f"{prefix}{name}": value for name, value in found.items() if prefix or name != "loss"
                }
        return measures

    def _divergence(self) -> DivergenceError:
        largest = float(np.abs(self.samples.x).max())
        return DivergenceError(
            f"training diverged in epoch {self.epoch + 1}: the loss or a parameter is no longer finite. The "
            f"network keeps its parameters from before that epoch. Try a smaller learning rate (now "
            f"{self.settings.optimizer.spec}), clip_norm=1, or scaled inputs (largest |X|: {largest:.3g})",
            self.epoch + 1,
        )

    def _after_epoch(self, callbacks: Sequence[Callback], bar: Progress) -> None:
        """What may end training, each by setting ``stop``; then the checkpoint."""
        stopping = self.settings.early_stopping
        if stopping is not None and stopping.waited_enough(self.epoch, self.best):
            self.stop, self.history.stopped = True, "early"
        for callback in callbacks:
            callback(self)
        if self.stop and self.history.stopped == "finished":
            self.history.stopped = "callback"
        if self.checkpoint is not None and self.epoch % self.checkpoint.every == 0 and not self.stop:
            write_checkpoint(self)
        bar.update(self.history.row(-1))


def _divide(
    net: Network, samples: Samples, validation: Any, settings: Settings
) -> tuple[Samples, Samples | None]:
    """The samples to train on, and those to validate on."""
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise InputError(f"validation must be None, a fraction or (X, Y), got {len(validation)} parts")
        return samples, Samples.of(net, *validation)
    fraction = settings.validation_fraction
    return hold_out(samples, fraction, settings.seed) if fraction else (samples, None)


def _monitored(settings: Settings, held_out: bool) -> str:
    """The column that early stopping watches.

    Raises
    ------
    InputError
        If there will be no such column.
    """
    stopping = settings.early_stopping
    names = ["loss", *(metric.name for metric in settings.metrics)]
    known = names + ([f"val_{name}" for name in names] if held_out else [])
    monitor = stopping.monitor if stopping else None
    if monitor is not None and monitor not in known:
        raise InputError(
            f"early_stopping: no column {monitor!r} to monitor; there will be {', '.join(known)}"
        )
    return monitor or ("val_loss" if held_out else "loss")

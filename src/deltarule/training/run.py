"""A training in progress: epochs of updates, watched over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from deltarule.arrays import Array, as_batch
from deltarule.errors import DivergenceError, InputError
from deltarule.files import check_writable
from deltarule.nn.engines import ENGINES, choose_engine
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep
from deltarule.training.checkpoints import write_checkpoint
from deltarule.training.history import History
from deltarule.training.lbfgs import minimise
from deltarule.training.metrics import measure
from deltarule.training.progress import Progress
from deltarule.training.replay import Start
from deltarule.training.samples import digest, hold_out, samples_for
from deltarule.training.settings import Checkpoint, Settings
from deltarule.training.stopping import Best

__all__ = ["Callback", "Run", "SampleOrder"]

Callback: TypeAlias = Callable[["Run"], object]


_FEW = 64  # samples that tell whether the cost is finite


class _HasState(Protocol):
    state: Any


class SampleOrder(Protocol):
    """What gives each epoch its order of the samples: a NumPy Generator, or another shuffler with a state."""

    def permutation(self, n: int, /) -> Array:
        """The order of the next epoch, (n,)."""

    @property
    def bit_generator(self) -> _HasState:
        """What has the ``state`` that a checkpoint keeps, as JSON knows it."""


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
    notes : dict
        What callbacks want to find again after a checkpoint: texts, numbers, lists and dictionaries.
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
        self.notes: dict[str, Any] = {}
        self.order_rng: SampleOrder = np.random.default_rng(settings.seed)
        self.mask_rng = np.random.default_rng([settings.seed, 2])
        self.slots = settings.optimizer.start(net.parameters)
        self._size = min(settings.batch_size or len(self.samples), len(self.samples))
        self._n_batches = math.ceil(len(self.samples) / self._size)
        n_updates = settings.epochs * self._n_batches
        self.engine = choose_engine(settings.engine, net, settings.optimizer, self._size, n_updates)
        self._watched = False
        self._sound = net.parameters.copy()
        self.fingerprint = ""
        if checkpoint is not None:
            if not isinstance(checkpoint, Checkpoint):
                raise InputError(f"checkpoint must be a Checkpoint or None, got {checkpoint!r}")
            check_writable(checkpoint.path)
            settings.check_registered()
            self.fingerprint = digest(samples) + (digest(self.held_out) if self.held_out else "")

    def go(self, callbacks: Sequence[Callback] = (), progress: bool = False) -> History:
        """Run the epochs that are left."""
        if not (isinstance(callbacks, Sequence) and all(map(callable, callbacks))):
            raise InputError(f"callbacks must be a sequence of callables, got {callbacks!r}")
        self._watched = progress or bool(callbacks)
        self.history.engine, self.history.start = self.engine, Start.of(self)
        started = time.perf_counter()
        bar = Progress(self.settings.epochs, self.epoch, enabled=progress)
        try:
            with np.errstate(all="ignore"):  # what overflows is found, and named, by record
                self._epochs(lambda: self._after_epoch(callbacks, bar))
                self._check_sound()
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"  # and the last checkpoint stands
            if not self._is_sound():
                self.net.parameters[:] = self._sound
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
        if not isinstance(self.settings.optimizer, GradientStep):
            minimise(self, after_epoch)
            return
        while self.epoch < self.settings.epochs and not self.stop:
            before = self.net.parameters.copy()
            try:
                losses, rates = self._some_epochs()
            except BaseException:  # such as Ctrl-C in the middle of the epoch that diverges
                if not np.isfinite(self.net.parameters).all():
                    self.net.parameters[:] = before
                raise
            self.record(losses.tolist(), before, learning_rate=rates[: len(losses), -1].tolist())
            if len(losses) < len(rates):
                raise self.divergence(before)
            self._sound = before
            after_epoch()

    def _some_epochs(self) -> tuple[Array, Array]:
        """Update the parameters with every batch of some epochs; their losses, and all learning rates."""
        optimizer = self.settings.optimizer  # a callback may have put another in its place
        assert isinstance(optimizer, GradientStep)
        n_rows, n_epochs = len(self.samples), self._epochs_unwatched()
        size, n_batches = self._size, self._n_batches
        orders = None
        if self.settings.shuffle and size < n_rows:
            orders = np.array([self.order_rng.permutation(n_rows) for _ in range(n_epochs)])
        times = self.epoch + np.arange(n_epochs * n_batches) / n_batches
        rates = optimizer.schedule.rates(times, self.settings.epochs).reshape(n_epochs, n_batches)
        losses = ENGINES[self.engine].run_epochs(
            self.net, self.samples, size, orders, optimizer, self.slots, rates, self.updates, self.mask_rng
        )
        self.updates += rates.size
        return losses, rates

    def _epochs_unwatched(self) -> int:
        """How many epochs may pass before anybody looks: metrics, callbacks, a checkpoint, Ctrl-C."""
        settings, left = self.settings, self.settings.epochs - self.epoch
        if self._watched or settings.metrics or settings.early_stopping or self.held_out is not None:
            return 1
        if self.checkpoint is not None:
            left = min(left, self.checkpoint.every - self.epoch % self.checkpoint.every)
        work = len(self.samples) * self.net.parameters.size
        return min(left, max(1, ENGINES[self.engine].BLOCK // work))

    def record(self, losses: Sequence[float], before: Array, **more: Sequence[float]) -> None:
        """Enter epochs into the history; where it is one, with the measures after it.

        Raises
        ------
        DivergenceError
            If a measure is not finite; the parameters are ``before`` again.
        """
        if not losses:
            return
        measures = self._measures() if len(losses) == 1 else {}
        if not all(map(math.isfinite, measures.values())):
            self.net.parameters[:] = before
            raise self.divergence(before)
        numbers = list(range(self.epoch + 1, self.epoch + len(losses) + 1))
        columns: dict[str, Sequence[float]] = {"epoch": numbers, "loss": losses}
        self.history.extend(columns | {name: [value] for name, value in measures.items()} | more)
        self.epoch += len(losses)
        self._note_best()

    def _note_best(self) -> None:
        stopping = self.settings.early_stopping
        if stopping is None:
            return
        value, name = self.history[self.monitored][-1], self.monitored.removeprefix("val_")
        if stopping.improves(value, self.best, increases=name in self._increasing):
            self.best = Best(value, self.epoch, self.net.parameters.copy())

    @property
    def columns(self) -> list[str]:
        """The columns that the history will have, with an optimizer that takes a learning rate."""
        names = ["loss", *(metric.name for metric in self.settings.metrics)]
        held = [f"val_{name}" for name in names] if self.held_out is not None else []
        return list(dict.fromkeys(["epoch", *names, *held, "learning_rate"]))

    def _measures(self) -> dict[str, float]:
        """The metrics on the training samples, and loss and metrics on those held out."""
        settings, samples, held, measures = self.settings, self.samples, self.held_out, dict[str, float]()
        if settings.metrics:
            a = ENGINES[self.engine].predict(self.net, samples.x)
            measures |= {metric.name: metric.value(a, samples.y) for metric in settings.metrics}
        if held is not None:
            found = measure(self.net, held.x, held.y, held.weight, settings.metrics)
            measures |= {f"val_{name}": value for name, value in found.items()}
        return measures

    def divergence(self, before: Array) -> DivergenceError:
        """What to raise when an epoch left the finite numbers; the network goes back to a finite cost.

        Its parameters now, those ``before`` this call of the engine, and those before the last one are tried.
        """
        epoch = self.epoch + 1
        for older in (before, self._sound):
            if self._is_sound():
                break
            self.net.parameters[:] = older
            epoch = max(1, min(epoch, self.epoch))  # it was the epoch before that spoiled them
        largest = float(abs(as_batch(self.samples.x, self.net.dtype)).max())
        return DivergenceError(
            f"training diverged in epoch {epoch}: the loss or a parameter is no longer finite. The network "
            f"keeps its parameters from before that epoch. Try a smaller learning rate (now "
            f"{self.settings.optimizer.spec}), clip_norm=1, or scaled inputs (largest |X|: {largest:.3g})",
            epoch,
        )

    def _is_sound(self) -> bool:
        """Whether the cost of training samples, spread evenly over all, is a finite number."""
        few = self.samples.take(slice(None, None, math.ceil(len(self.samples) / _FEW)))
        with np.errstate(all="ignore"):
            return math.isfinite(measure(self.net, few.x, few.y, few.weight, ())["loss"])

    def _check_sound(self) -> None:
        """Look at what the very last updates did, which no later epoch will."""
        if not self._is_sound():
            raise self.divergence(self._sound)

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
    if isinstance(validation, Samples):
        return samples, validation
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise InputError(f"validation must be None, a fraction or (X, Y), got {len(validation)} parts")
        return samples, samples_for(net, *validation)
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

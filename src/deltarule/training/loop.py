"""The training loop: epochs of updates, watched over."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.engines import ENGINES, choose_engine
from deltarule.errors import DivergenceError, InputError, ModelFileError
from deltarule.files import check_writable
from deltarule.network import Network
from deltarule.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.persistence import read_model, write_model
from deltarule.training.data import Samples, hold_out
from deltarule.training.history import History
from deltarule.training.lbfgs import minimise
from deltarule.training.metrics import METRICS, Metric, measure
from deltarule.training.progress import Progress
from deltarule.training.settings import Checkpoint, EarlyStopping, Settings, check_validation, concrete_seed

__all__ = ["Run", "resume", "train"]

Callback = Callable[["Run"], object]


def train(
    net: Network,
    X: Any,
    Y: Any,
    *,
    optimizer: str | Optimizer = "adam",
    epochs: int = 100,
    batch_size: int | None = 32,
    validation: float | tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    metrics: Sequence[str | Metric] = (),
    early_stopping: EarlyStopping | None = None,
    checkpoint: Checkpoint | None = None,
    callbacks: Sequence[Callback] = (),
    engine: str = "auto",
    progress: bool = False,
    seed: int | None = 0,
) -> History:
    """Train a network in place.

    Parameters
    ----------
    net : Network
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
        For one output also (n_samples,), for cross-entropy also class numbers (n_samples,).
    optimizer : str or Optimizer
        ``"adam"``, ``"sgd(0.5)"``, ``SGD(0.5)``; see ``OPTIMIZERS``.
    epochs : int
        How often to go through the samples.
    batch_size : int or None
        Samples for one update; None takes all of them.
    validation : float or (X, Y), optional
        A share of the samples to hold out, or other data: its loss and metrics enter the history.
    sample_weight : array-like, (n_samples,), optional
    shuffle : bool
        Whether each epoch takes the samples in a new order.
    metrics : sequence of str or Metric
        Measured on the training samples, and on the validation data, after each epoch.
    early_stopping : EarlyStopping, optional
    checkpoint : Checkpoint, optional
        Where to write what :func:`resume` needs.
    callbacks : sequence of callables
        Each is called with the :class:`Run` after each epoch; ``run.stop = True`` ends training.
    engine : str
        ``"auto"`` or the name of an engine.
    progress : bool
        A bar in a terminal or notebook; elsewhere a line an epoch.
    seed : int or None
        Of shuffling, dropout and the validation split; None takes a fresh one.

    Returns
    -------
    History
        Losses and metrics by epoch. Ctrl-C ends training early, with what was learnt so far
        (``history.stopped == "interrupted"``).

    Raises
    ------
    InputError
        If a value or an array does not fit.
    DivergenceError
        If the loss or a parameter leaves the finite numbers; the network keeps its parameters from before
        that epoch.

    Examples
    --------
    >>> X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = Network([2, 8, 1], activation="tanh", output="sigmoid", seed=1)
    >>> history = train(net, X, Y, optimizer="adam(0.1)", epochs=200, metrics=["accuracy"])
    >>> history["accuracy"][-1]
    1.0
    """
    settings = Settings(
        OPTIMIZERS.resolve(optimizer),
        epochs,
        batch_size,
        bool(shuffle),
        concrete_seed(seed),
        check_validation(validation),
        tuple(METRICS.resolve(metric) for metric in metrics),
        early_stopping,
        engine,
    )
    run = Run(net, settings, Samples.of(net, X, Y, sample_weight), validation, checkpoint)
    return run.go(callbacks, progress)


def resume(
    path: str | os.PathLike[str],
    X: Any,
    Y: Any,
    *,
    epochs: int | None = None,
    validation: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = "auto",
    progress: bool = False,
) -> tuple[Network, History]:
    """Go on from a checkpoint, to the very end the uninterrupted run would have had.

    Parameters
    ----------
    path : path
        What a :class:`Checkpoint` wrote.
    X, Y, sample_weight, validation
        The same data as before (a validation fraction is remembered).
    epochs : int, optional
        Another number of epochs in all.
    callbacks, engine, progress
        As in :func:`train`.
    checkpoint : Checkpoint, optional
        Where to write from now on; the same file where none is named.

    Returns
    -------
    Network, History

    Raises
    ------
    ModelFileError
        If the file is not a checkpoint, or damaged.
    InputError
        If the data are not those of the run.
    """
    description, arrays = read_model(path)
    if "training" not in description:
        raise ModelFileError(f"{path} is a model without training state: nothing to resume")
    net = Network.from_description(path, description, arrays)
    state = description["training"]
    try:
        changes = {} if epochs is None else {"epochs": epochs}
        settings = Settings.from_dict(state["settings"] | changes, engine)
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{path} does not describe a training run: {error}") from None
    held = validation if validation is not None else settings.validation_fraction
    run = Run(net, settings, Samples.of(net, X, Y, sample_weight), held, checkpoint or Checkpoint(path))
    run.restore(path, state, arrays)
    return net, run.go(callbacks, progress)


class Run:
    """A training in progress: what callbacks see.

    Attributes
    ----------
    net : Network
    settings : Settings
    history : History
    epoch : int
        Epochs done.
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
        self.samples, self.held_out = _divide(net, samples, validation, settings.seed)
        self.history = History()
        self.epoch = 0
        self.stop = False
        self.updates = 0
        self.rng = np.random.default_rng(settings.seed)
        self.best: tuple[float, int, Array] | None = None  # value, epoch, parameters
        optimizer = settings.optimizer
        self.slots = (
            optimizer.start(net.parameters)
            if isinstance(optimizer, GradientStep)
            else net.parameters[None, :].copy()
        )
        self._fingerprint = ""
        if checkpoint is not None:
            check_writable(checkpoint.path)
            self._fingerprint = self.samples.digest()
        _check_monitor(settings, self.held_out)

    def go(self, callbacks: Sequence[Callback] = (), progress: bool = False) -> History:
        """Run the epochs that are left."""
        self.history.engine = choose_engine(self.settings.engine)
        started = time.perf_counter()
        bar = Progress(self.settings.epochs, self.epoch, enabled=progress)
        try:
            with np.errstate(all="ignore"):  # what overflows is found and named by _check_finite
                self._epochs(lambda: self._after_epoch(callbacks, bar))
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
        finally:
            bar.close()
        self.history.seconds = time.perf_counter() - started
        if self.history.stopped != "interrupted":
            self._write_checkpoint()
        self._restore_best()
        return self.history

    # ------------------------------------------------------------------ epochs

    def _epochs(self, after_epoch: Callable[[], None]) -> None:
        optimizer = self.settings.optimizer
        if not isinstance(optimizer, GradientStep):
            minimise(self, after_epoch)
            return
        while self.epoch < self.settings.epochs and not self.stop:
            before = self.net.parameters.copy()
            loss, rate = self._one_epoch(optimizer)
            self.record(loss, before, learning_rate=rate)
            after_epoch()

    def _one_epoch(self, optimizer: GradientStep) -> tuple[float, float]:
        """Update the parameters with every batch; the loss, and the last learning rate."""
        size = min(self.settings.batch_size or len(self.samples), len(self.samples))
        shuffled = self.settings.shuffle and size < len(self.samples)
        order = self.rng.permutation(len(self.samples)) if shuffled else None
        n_batches = math.ceil(len(self.samples) / size)
        rates = [
            optimizer.schedule(self.epoch + batch / n_batches, self.settings.epochs)
            for batch in range(n_batches)
        ]
        loss = ENGINES[self.history.engine].run_epoch(
            self.net,
            self.samples.batches(size, order),
            optimizer,
            self.slots,
            rates,
            self.updates,
            self.rng,
        )
        self.updates += n_batches
        return loss, rates[-1]

    def record(self, loss: float, before: Array, **more: float) -> None:
        """Enter an epoch into the history, unless it left the finite numbers."""
        row = {"epoch": self.epoch + 1, "loss": loss}
        finite = math.isfinite(loss) and bool(np.isfinite(self.net.parameters).all())
        if finite:
            metrics = self.settings.metrics
            if metrics:
                row |= _measure(self.net, self.samples, metrics) | {"loss": loss}
            if self.held_out is not None:
                row |= {f"val_{k}": v for k, v in _measure(self.net, self.held_out, metrics).items()}
        if not (finite and all(map(math.isfinite, row.values()))):
            self.net.parameters[:] = before
            raise self._divergence()
        self.epoch += 1
        self.history.append(row | more)
        self._note_best()

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
        if self._waited_too_long():
            self.stop, self.history.stopped = True, "early"
        for callback in callbacks:
            callback(self)
        if self.stop and self.history.stopped == "finished":
            self.history.stopped = "callback"
        if self.checkpoint is not None and self.epoch % self.checkpoint.every == 0 and not self.stop:
            self._write_checkpoint()
        bar.update(self.history.row(-1))

    # ------------------------------------------------------------------ early stopping

    def _monitored(self) -> str:
        stopping = self.settings.early_stopping
        assert stopping is not None
        return stopping.monitor or ("loss" if self.held_out is None else "val_loss")

    def _note_best(self) -> None:
        stopping = self.settings.early_stopping
        if stopping is not None:
            value = self.history[self._monitored()][-1]
            if stopping.improves(value, None if self.best is None else self.best[0]):
                self.best = (value, self.epoch, self.net.parameters.copy())

    def _waited_too_long(self) -> bool:
        stopping = self.settings.early_stopping
        if stopping is None or stopping.patience is None or self.best is None:
            return False
        return self.epoch - self.best[1] >= stopping.patience

    def _restore_best(self) -> None:
        stopping = self.settings.early_stopping
        if stopping is not None and stopping.restore_best and self.best is not None:
            self.net.parameters[:] = self.best[2]

    # ------------------------------------------------------------------ checkpoints

    def _write_checkpoint(self) -> None:
        if self.checkpoint is None:
            return
        state = {
            "settings": self.settings.to_dict(),
            "updates": self.updates,
            "stopped": self.history.stopped,
            "generator": self.rng.bit_generator.state,
            "columns": list(self.history),
            "best": None if self.best is None else [self.best[0], self.best[1]],
            "data": self._fingerprint,
        }
        arrays = self.net.arrays() | {"slots": self.slots, "history": self.history.to_array()}
        if self.best is not None:
            arrays["best"] = self.best[2]
        write_model(self.checkpoint.path, self.net.description() | {"training": state}, arrays)

    def restore(self, path: str | os.PathLike[str], state: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Stand where the checkpoint stood."""
        if self._fingerprint != state["data"]:
            raise InputError(
                f"{path} was trained on other samples: resume needs the same X, Y and sample_weight"
            )
        if not isinstance(self.settings.optimizer, GradientStep):
            self.net.parameters[:] = arrays["slots"][0]  # L-BFGS has its memory inside SciPy: replay it
            self.slots = arrays["slots"]
            return
        try:
            self.history = History.from_array(state["columns"], arrays["history"])
            self.rng.bit_generator.state = state["generator"]
            self.slots[:] = arrays["slots"]
            if state["best"] is not None:
                self.best = (*state["best"], arrays["best"])
            self.epoch, self.updates = self.history.epochs, state["updates"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path} does not describe a training run: {error}") from None
        self.stop = state["stopped"] in ("early", "callback")
        self.history.stopped = state["stopped"] if self.stop else "finished"


def _divide(net: Network, samples: Samples, validation: Any, seed: int) -> tuple[Samples, Samples | None]:
    """The samples to train on, and those to validate on."""
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise InputError(f"validation must be None, a fraction or (X, Y), got {len(validation)} parts")
        return samples, Samples.of(net, *validation)
    return (samples, None) if not validation else hold_out(samples, validation, seed)


def _measure(net: Network, samples: Samples, metrics: Sequence[Metric]) -> dict[str, float]:
    return measure(net, samples.x, samples.y, samples.weight, metrics)


def _check_monitor(settings: Settings, held_out: Samples | None) -> None:
    if settings.early_stopping is None or settings.early_stopping.monitor is None:
        return
    names = ["loss", *(metric.name for metric in settings.metrics)]
    known = names + ([] if held_out is None else [f"val_{name}" for name in names])
    monitor = settings.early_stopping.monitor
    if monitor not in known:
        raise InputError(
            f"early_stopping: no column {monitor!r} to monitor; there will be {', '.join(known)}"
        )

"""A run: the state of a training in progress, its measures after each epoch, and how it diverges."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array, as_batch
from deltarule.errors import DivergenceError, InputError
from deltarule.files import check_writable
from deltarule.nn.engines import ENGINES, choose_engine
from deltarule.nn.engines.contract import Samples
from deltarule.nn.engines.shards import SHARD_ROWS, count_shards
from deltarule.nn.engines.threads import blas_of_one_thread
from deltarule.nn.network import Network
from deltarule.training.history import History
from deltarule.training.metrics import loss_and_outputs, measure
from deltarule.training.samples import SampleOrder, digest, divide
from deltarule.training.settings import Checkpoint, Settings
from deltarule.training.stopping import Best
from deltarule.training.streamed import EpochPlace, StreamSamples, measure_stream
from deltarule.training.workers import LocalSGD, Workers

Callback: TypeAlias = Callable[["Run"], object]

_FEW = 64  # samples that tell whether the cost is finite

_RISES = 10  # epochs in which a loss must rise before it counts as divergence


class Run:
    """A training run in progress, as callbacks see it.

    Attributes
    ----------
    net : Network
    settings : Settings
    history : History
    epoch : int
        The number of epochs completed.
    updates : int
        The number of updates made.
    place : EpochPlace
        For a stream, how far the current epoch has come.
    slots : ndarray, (number of slots, n_parameters)
        What the optimizer remembers; for L-BFGS, the initial parameters.
    best : Best or None
        The best epoch so far, if there is early stopping.
    workers : Workers or None
        The workers that compute the gradients together; None if an engine computes them alone.
    stop : bool
        Set it to end training after this epoch.
    notes : dict
        What callbacks want to find again after resuming from a checkpoint: texts, numbers, lists and
        dictionaries.

    Examples
    --------
    >>> from deltarule.data import load
    >>> from deltarule.training import train
    >>> def stop_when_small(run: Run) -> None:
    ...     run.stop = run.history["loss"][-1] < 0.1
    >>> xor, net = load("xor"), Network([2, 8, 1], activation="tanh", output="sigmoid", seed=1)
    >>> history = train(net, xor.X, xor.y, optimizer="adam(0.1)", epochs=500, callbacks=[stop_when_small])
    >>> len(history["loss"]) < 500
    True
    """

    def __init__(
        self,
        net: Network,
        settings: Settings,
        samples: Samples | StreamSamples,
        validation: Any,
        checkpoint: Checkpoint | None,
        workers: Workers | None = None,
    ) -> None:
        self.net, self.settings, self.checkpoint, self.workers = net, settings, checkpoint, workers
        self.samples, self.held_out = divide(net, samples, validation, settings)
        self.monitored = settings.monitored(self.held_out is not None)
        self.history = History()
        self.epoch = self.updates = 0
        self.place = EpochPlace()
        self.stop = False
        self.best: Best | None = None
        self.notes: dict[str, Any] = {}
        self.order_rng: SampleOrder = np.random.default_rng(settings.seed)
        self.mask_rng = np.random.default_rng([settings.seed, 2])
        self.slots = settings.optimizer.start(net.parameters)
        self.batch_size = min(settings.batch_size or len(self.samples), len(self.samples))
        self.n_batches = math.ceil(len(self.samples) / self.batch_size)
        n_updates = settings.epochs * self.n_batches
        self.engine = choose_engine(settings.engine, net, settings.optimizer, self.batch_size, n_updates)
        if workers is not None:
            _warn_of_idle(workers, self.batch_size, settings.local_sgd)
        #: Parameters of an earlier epoch, to go back to when the cost is not finite any more.
        self.earlier = net.parameters.copy()
        self.fingerprint = ""
        if checkpoint is not None:
            if not isinstance(checkpoint, Checkpoint):
                raise InputError(f"checkpoint must be a Checkpoint or None, got {checkpoint!r}")
            check_writable(checkpoint.path)
            if checkpoint.every < 1 and not isinstance(self.samples, StreamSamples):
                raise InputError(
                    f"checkpoint: every={checkpoint.every} is within an epoch, as only of a stream"
                )
            settings.check_registered()
            self.fingerprint = digest(samples) + (digest(self.held_out) if self.held_out else "")
        #: Is called after each block of a stream.
        self.within_epoch: Callable[[], object] = lambda: None

    def record(
        self, losses: Sequence[float], before: Callable[[int], Array], **more: Sequence[float]
    ) -> None:
        """Enter epochs into the history; if it is only one, with the measurements after it.

        Raises
        ------
        DivergenceError
            If a measurement is not finite, or the loss only rises; the parameters are then those ``before``
            the epoch.
        """
        if not losses:
            return
        measures = self._agreed_measures() if len(losses) == 1 else {}
        numbers = list(range(self.epoch + 1, self.epoch + len(losses) + 1))
        if not all(map(math.isfinite, measures.values())):
            self.net.parameters[:] = before(numbers[0])
            raise self.divergence(self.net.parameters)
        columns: dict[str, Sequence[float]] = {"epoch": numbers, "loss": losses}
        self.history.extend(columns | {name: [value] for name, value in measures.items()} | more)
        self.epoch += len(losses)
        self._refuse_rising(numbers, before)
        self._note_best()

    def _refuse_rising(self, epochs: Sequence[int], before: Callable[[int], Array]) -> None:
        """Refuse to go on where the loss is a million times the first one and rose in each recent epoch."""
        known = self.history["loss"]
        limit = 1e6 * (1 + known[0])
        if max(known[-len(epochs) :]) <= limit:
            return
        for epoch in epochs:
            n_known = len(known) + epoch - self.epoch
            recent = known[max(0, n_known - _RISES) : n_known]
            rises = all(later > earlier for earlier, later in pairwise(recent))
            if len(recent) == _RISES and recent[-1] > limit and rises:
                self.net.parameters[:] = before(epoch)
                fault = f"the loss is {recent[-1]:.3g} and keeps rising"
                raise self._diverged(epoch, fault)

    def _agreed_measures(self) -> dict[str, float]:
        """Measure after an epoch; of several workers the first one does, in bits that do not depend on it."""
        if self.workers is None:
            return self._measures(self.engine)
        if not self.settings.metrics and self.held_out is None:
            return {}
        with blas_of_one_thread(math.inf):
            return self.workers.first(lambda: self._measures("reference"))

    def _measures(self, engine: str) -> dict[str, float]:
        """Measure the metrics on the training samples, and loss and metrics on those held out."""
        metrics, held = self.settings.metrics, self.held_out
        measures: dict[str, float] = {}
        if metrics and isinstance(self.samples, StreamSamples):
            found = measure_stream(
                self.net, self.samples.blocks(self.batch_size), metrics,
                lambda net, x, y: (0.0, ENGINES[engine].predict(net, x)),  # the loss is known
            )  # fmt: skip
            measures |= {metric.name: found[metric.name] for metric in metrics}
        elif metrics:
            assert isinstance(self.samples, Samples)
            a = ENGINES[engine].predict(self.net, self.samples.x)
            measures |= {metric.name: metric.value(a, self.samples.y) for metric in metrics}
        if held is not None:
            if isinstance(held, StreamSamples):
                found = measure_stream(
                    self.net, held.blocks(1), metrics,
                    lambda net, x, y: loss_and_outputs(net, x, y, engine=ENGINES[engine]),
                )  # fmt: skip
            else:
                found = measure(self.net, held.x, held.y, held.weight, metrics, ENGINES[engine])
            measures |= {f"val_{name}": value for name, value in found.items()}
        return measures

    def _note_best(self) -> None:
        stopping = self.settings.early_stopping
        if stopping is None:
            return
        value, name = self.history[self.monitored][-1], self.monitored.removeprefix("val_")
        increases = any(metric.increases for metric in self.settings.metrics if metric.name == name)
        if stopping.improves(value, self.best, increases=increases):
            self.best = Best(value, self.epoch, self.net.parameters.copy())

    def divergence(self, before: Array) -> DivergenceError:
        """Return the error to raise after an epoch diverged, and bring the network back to a finite cost.

        The present parameters, those ``before`` this call of the engine, and those before the previous call
        are tried.
        """
        epoch = self.epoch + 1
        for older in (before, self.earlier):
            if self.has_finite_cost():
                break
            self.net.parameters[:] = older
            epoch = max(1, min(epoch, self.epoch))  # it was the epoch before that spoiled them
        return self._diverged(epoch, "the loss or a parameter is no longer finite")

    def _diverged(self, epoch: int, fault: str) -> DivergenceError:
        samples = self.samples.few() if isinstance(self.samples, StreamSamples) else self.samples
        x = as_batch(samples.x, self.net.dtype)
        largest = float(abs(x if isinstance(x, np.ndarray) else x.data).max(initial=0))
        words = (
            f"training diverged in epoch {epoch}: {fault}. The network keeps its parameters from before that "
            f"epoch. Try a smaller learning rate (now {self.settings.optimizer.spec}), clip_norm=1, or "
            f"scaled inputs (largest |X|: {largest:.3g})"
        )
        return DivergenceError(words, epoch)

    def has_finite_cost(self) -> bool:
        """Return whether the cost of some samples, spread evenly over all of them, is a finite number."""
        if isinstance(self.samples, StreamSamples):
            few = self.samples.few()
        else:
            few = self.samples.take(slice(None, None, math.ceil(len(self.samples) / _FEW)))
        with np.errstate(all="ignore"):
            return math.isfinite(measure(self.net, few.x, few.y, few.weight, ())["loss"])


def _warn_of_idle(workers: Workers, batch_size: int, local: LocalSGD | None) -> None:
    n_shards = count_shards(batch_size)
    if local is not None:
        if workers.is_first and workers.count > local.replicas:
            warnings.warn(
                f"{local.replicas} replicas of local SGD leave {workers.count - local.replicas} of "
                f"{workers.count} workers with nothing to do: let there be as many replicas, or a multiple",
                stacklevel=4,
            )
    elif workers.is_first and workers.count > n_shards:
        count, plural = workers.count, "s" * (n_shards > 1)
        warnings.warn(
            f"a batch of {batch_size} rows has {n_shards} shard{plural} of {SHARD_ROWS} rows or more, "
            f"so {count - n_shards} of {count} workers have nothing to do: with "
            f"batch_size={SHARD_ROWS << (count - 1).bit_length()} or more, all have work",
            stacklevel=4,
        )

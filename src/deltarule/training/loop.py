"""Training and resuming, which users call, and the loop over the epochs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.arguments import refuse_others
from deltarule.arrays import Array
from deltarule.errors import InputError, ModelFileError
from deltarule.nn.engines import ENGINES, hold_blas
from deltarule.nn.engines.contract import UPDATE_WORK, Samples
from deltarule.nn.model_files import read_model
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.registry import signals_wait
from deltarule.training.agreement import agreed
from deltarule.training.checkpoints import restore, write_checkpoint
from deltarule.training.history import History, RunStart
from deltarule.training.lbfgs import minimise
from deltarule.training.metrics import METRICS, Metric
from deltarule.training.progress import Progress
from deltarule.training.run import Callback, Run
from deltarule.training.samples import mask_key, samples_or_stream
from deltarule.training.settings import Checkpoint, Settings, check_validation, concrete_seed
from deltarule.training.stopping import EarlyStopping
from deltarule.training.streamed import StreamSamples, is_stream, run_streamed_epoch
from deltarule.training.workers import LocalSGD, OneWorker, Workers, run_epochs, run_local_epochs, workers_for

if TYPE_CHECKING:
    from deltarule.data import Stream

#: Rows whose order is held in memory at once, where a run is made again.
_ROWS_AT_ONCE = 2**20


def train(
    net: Network,
    X: Any,
    Y: Any = None,
    *,
    optimizer: str | Optimizer = "adam",
    epochs: int = 100,
    batch_size: int | None = 32,
    validation: float | tuple[Any, Any] | Stream | None = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    metrics: Sequence[str | Metric] = (),
    early_stopping: EarlyStopping | None = None,
    checkpoint: Checkpoint | None = None,
    callbacks: Sequence[Callback] = (),
    engine: str = "auto",
    workers: int | str | None = None,
    local_sgd: LocalSGD | None = None,
    progress: bool = False,
    seed: int | None = 0,
    **others: Any,
) -> History:
    """Train a network in place.

    Parameters
    ----------
    net : Network
    X : array-like, (n_samples, n_features), or Stream
        A stream (:func:`deltarule.data.stream`) contains its own targets.
    Y : array-like, (n_samples, n_outputs)
        With one output also (n_samples,), with cross-entropy also class numbers (n_samples,).
    optimizer : str or Optimizer
        ``"adam"``, ``"sgd(0.5)"``, ``SGD(0.5)``; see ``OPTIMIZERS``.
    epochs : int
        The number of passes through the samples.
    batch_size : int or None
        The number of samples for one update; None uses all of them.
    validation : float, (X, Y) or Stream, optional
        A share of the samples to hold out, or separate data; their loss and metrics are added to the history.
    sample_weight : array-like, (n_samples,), optional
    shuffle : bool
        Whether the samples are shuffled for each epoch.
    metrics : sequence of str or Metric
        Measured on the training samples, and on the validation data, after each epoch.
    early_stopping : EarlyStopping, optional
    checkpoint : Checkpoint, optional
        Where to write what :func:`resume` needs.
    callbacks : sequence of callables
        Each is called with the :class:`Run` after each epoch; ``run.stop = True`` ends training.
    engine : str
        ``"auto"`` or the name of an engine.
    workers : int or "mpi", optional
        The number of processes that train together; "mpi" means all that ``mpiexec`` started. Their number
        makes no difference to any bit of the result; but the last bits differ from those of None, with which
        an engine trains alone. See ``docs/cluster.md``.
    local_sgd : LocalSGD, optional
        A different algorithm for workers that are far apart: replicas that are replaced by their mean from
        time to time.
    progress : bool
        Whether to show a progress bar in a terminal or notebook; elsewhere, at most ten lines are printed.
    seed : int or None
        The random seed for shuffling, dropout and the validation split; None draws a new one.

    Returns
    -------
    History
        The losses and metrics of each epoch. Ctrl-C ends training early and keeps what has been learned so
        far (``history.stopped == "interrupted"``).

    Raises
    ------
    InputError
        If a value or an array does not fit.
    DivergenceError
        If the loss or a parameter is no longer finite; the network keeps its parameters from before that
        epoch.

    Examples
    --------
    >>> X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = Network([2, 8, 1], activation="tanh", output="sigmoid", seed=1)
    >>> history = train(net, X, Y, optimizer="adam(0.1)", epochs=200, metrics=["accuracy"])
    >>> history["accuracy"][-1]
    1.0
    """
    refuse_others("train", others, train.__kwdefaults__ or ())
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        raise InputError(f'metrics must be a sequence such as ["accuracy"], got {metrics!r}')
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
        local_sgd,
    )
    samples = samples_or_stream(net, X, Y, sample_weight)
    team = _team(workers, settings, samples)
    settings = agreed(team, net, settings, samples)
    run = Run(net, settings, samples, validation, checkpoint, team)
    return train_to_end(run, callbacks, progress)


def resume(
    path: str | os.PathLike[str],
    X: Any,
    Y: Any = None,
    *,
    epochs: int | None = None,
    validation: tuple[Any, Any] | Stream | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str | None = None,
    workers: int | str | None = None,
    progress: bool = False,
) -> tuple[Network, History]:
    """Resume from a checkpoint, with the same result to the last bit as an uninterrupted run.

    Parameters
    ----------
    path : path
        The file that a :class:`Checkpoint` wrote.
    X, Y, sample_weight, validation
        The same data as before (a validation fraction is remembered).
    epochs : int, optional
        A different total number of epochs.
    callbacks, progress
        As in :func:`train`.
    engine : str, optional
        A different engine; by default the same as before.
    workers : int or "mpi", optional
        As in :func:`train`; their number may be different now. The default is 1 if workers trained before.
    checkpoint : Checkpoint, optional
        Where to write from now on; by default the same file.

    Returns
    -------
    Network, History

    Raises
    ------
    ModelFileError
        If the file is not a checkpoint, or damaged.
    InputError
        If the data are not those of the run.

    Examples
    --------
    >>> import tempfile
    >>> from deltarule.data import load
    >>> xor, net = load("xor"), Network([2, 4, 1], activation="tanh", output="sigmoid", seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = Checkpoint(f"{folder}/run.safetensors")
    ...     _ = train(net, xor.X, xor.y, epochs=10, checkpoint=kept)
    ...     longer, history = resume(kept.path, xor.X, xor.y, epochs=20)
    >>> len(history["loss"])
    20
    """
    description, arrays = read_model(path)
    if "training" not in description:
        raise ModelFileError(f"{path} is a model without training state: nothing to resume")
    net = Network.from_description(path, description, arrays)
    state = description["training"]
    try:
        if state["engine"] not in ENGINES:
            raise InputError(f"its engine is {state['engine']!r}")
        settings = Settings.from_dict(state["settings"], engine or state["engine"])
    except (InputError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} does not describe a training run: {error}") from None
    if not (isinstance(validation, tuple | list | None) or is_stream(validation)):
        raise InputError(
            f"validation must be None, (X, Y) or a stream, got {validation!r}: a fraction is remembered"
        )
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    held = validation if validation is not None else settings.validation_fraction
    samples = samples_or_stream(net, X, Y, sample_weight)
    count = 1 if workers is None and state.get("sharded") else workers
    team = _team(count, settings, samples)
    agreed(team, net, settings, samples)
    run = Run(net, settings, samples, held, checkpoint or Checkpoint(path), team)
    restore(run, path, state, arrays)
    return net, train_to_end(run, callbacks, progress)


def _team(workers: Any, settings: Settings, samples: Samples | StreamSamples) -> Workers | None:
    """Return who trains: the workers that are named; of replicas one worker, where none is."""
    if settings.local_sgd is not None:
        return workers_for(1 if workers is None else workers, needs_mpi="cannot share replicas of local SGD")
    is_streamed = isinstance(samples, StreamSamples)
    why = "share rows that stay in memory, and a stream's do not" if is_streamed else ""
    return workers_for(workers, needs_mpi=why)


# ---------------------------------------------------------------- the loop


def train_to_end(run: Run, callbacks: Sequence[Callback] = (), progress: bool = False) -> History:
    """Train through the epochs that are left; the best weights come back where the settings say so."""
    try:
        history = _train_to_end(run, callbacks, progress)
    except BaseException as error:
        if run.workers is not None:
            run.workers.end(error)
        raise
    if run.workers is not None:
        run.workers.end(None)
    return history


def _train_to_end(run: Run, callbacks: Sequence[Callback], progress: bool) -> History:
    if not (isinstance(callbacks, Sequence) and all(map(callable, callbacks))):
        raise InputError(f"callbacks must be a sequence of callables, got {callbacks!r}")
    run.net.engine = run.history.engine = run.engine
    run.history.start = _start_of(run)
    run.within_epoch = lambda: _end_block(run)
    started = time.perf_counter()
    bar = Progress(
        run.settings.epochs, run.epoch, enabled=progress and (run.workers is None or run.workers.is_first)
    )
    blas = hold_blas(run.engine, run.net, run.batch_size)
    try:
        with blas, np.errstate(all="ignore"):  # what overflows is found, and named, by record
            _train_epochs(run, progress or bool(callbacks), lambda: _end_epoch(run, callbacks, bar))
            if not run.has_finite_cost():  # the very last updates, at which no later epoch looks
                raise run.divergence(run.earlier)
    except KeyboardInterrupt:
        run.history.stopped = "interrupted"  # and the last checkpoint stands
        if not run.has_finite_cost():
            run.net.parameters[:] = run.earlier
    else:
        write_checkpoint(run)
    finally:
        bar.close()
    run.history.seconds = time.perf_counter() - started
    stopping = run.settings.early_stopping
    if run.best is not None and stopping is not None and stopping.restore_best:
        run.net.parameters[:] = run.best.parameters
    return run.history


def _start_of(run: Run) -> RunStart | None:
    """Return what a run is about to start from; None where no single updates can be made again."""
    settings = run.settings
    if (
        not isinstance(settings.optimizer, GradientStep)
        or isinstance(run.samples, StreamSamples)
        or settings.local_sgd is not None
    ):
        return None
    return RunStart(
        run.net, run.samples, settings, run.engine, run.batch_size, run.n_batches, run.epoch, run.updates,
        run.slots, run.order_rng, run.mask_rng, None if run.workers is None else OneWorker(),
    ).copy()  # fmt: skip


def _train_epochs(run: Run, watched: bool, end_epoch: Callable[[], None]) -> None:
    """Train epoch by epoch: update with every batch, record the losses, see whether to go on."""
    if not isinstance(run.settings.optimizer, GradientStep):
        minimise(run, end_epoch)
        return
    while run.epoch < run.settings.epochs and not run.stop:
        before, n_epochs = run.net.parameters.copy(), 1 if watched else _epochs_unwatched(run)
        start = _start_of(run) if n_epochs > 1 else None
        # Several epochs take a moment, after which they are entered; workers might wait for ever.
        waits = start is not None and run.workers is None
        with signals_wait() if waits else nullcontext():
            try:
                losses, rates = make_updates(run, n_epochs)
            except BaseException:  # such as Ctrl-C in the middle of the epoch that diverges
                if not np.isfinite(run.net.parameters).all():
                    run.net.parameters[:] = before
                raise
            parameters_before = partial(_parameters_before, start or before)
            run.record(losses.tolist(), parameters_before, learning_rate=rates[: len(losses), -1].tolist())
        if start is not None and not run.has_finite_cost():
            before = parameters_before(run.epoch)
        if len(losses) < len(rates):
            raise run.divergence(before)
        run.earlier = before
        end_epoch()


def _parameters_before(start: RunStart | Array, epoch: int) -> Array:
    """Return the parameters before an epoch, made again from the start of its block, or of a block of one."""
    if not isinstance(start, RunStart):
        return start
    advance(start, epoch - 1)
    return start.net.parameters


def advance(run: RunStart, epoch: int) -> None:
    """Make a run again up to the end of an epoch (from 1)."""
    while run.epoch < epoch:
        n_epochs = min(max(1, _ROWS_AT_ONCE // len(run.samples)), epoch - run.epoch)
        make_updates(run, n_epochs)
        run.epoch += n_epochs


def make_updates(run: Run | RunStart, n_epochs: int) -> tuple[Array, Array]:
    """Update the parameters with every batch of some epochs; return their losses, and all learning rates."""
    if isinstance(run.samples, StreamSamples):
        rates = learning_rates(run, 1)
        return run_streamed_epoch(run, rates, update), rates
    orders, rates = sample_orders(run, n_epochs), learning_rates(run, n_epochs)
    losses = update(run, run.samples, orders, rates)
    run.updates += rates.size
    return losses, rates


def update(run: Run | RunStart, samples: Samples, orders: Array | None, rates: Array) -> Array:
    """Let the run's engine, or its workers, make updates; return the losses."""
    net, optimizer, size = run.net, run.settings.optimizer, run.batch_size
    assert isinstance(optimizer, GradientStep)
    given = (net, samples, size, orders, optimizer, run.slots, rates, run.updates)
    if run.workers is None:
        return ENGINES[run.engine].run_epochs(*given, run.mask_rng)
    key, local = mask_key(run.mask_rng), run.settings.local_sgd
    if local is not None:
        return run_local_epochs(run.workers, local, run.engine, *given, key)
    return run_epochs(run.workers, run.engine, *given, key)


def sample_orders(run: Run | RunStart, n_epochs: int) -> Array | None:
    """Draw the order of the samples in each of the next epochs; None where it makes no difference."""
    n_rows = len(run.samples)
    if not run.settings.shuffle or run.batch_size >= n_rows:
        return None
    return np.array([run.order_rng.permutation(n_rows) for _ in range(n_epochs)])


def learning_rates(run: Run | RunStart, n_epochs: int) -> Array:
    """Compute the rate of each update of the next epochs, (n_epochs, n_batches)."""
    optimizer = run.settings.optimizer  # a callback may have put another in its place
    assert isinstance(optimizer, GradientStep)
    # Epoch by epoch, so that the last bits do not depend on how many are made at once.
    times = (run.epoch + np.arange(n_epochs))[:, None] + np.arange(run.n_batches) / run.n_batches
    return optimizer.schedule.rates(times.ravel(), run.settings.epochs).reshape(times.shape)


def _epochs_unwatched(run: Run) -> int:
    """Count the epochs that may pass before anybody looks: metrics, a checkpoint, Ctrl-C."""
    settings, left = run.settings, run.settings.epochs - run.epoch
    if (
        isinstance(run.samples, StreamSamples)
        or settings.metrics
        or settings.early_stopping
        or run.held_out is not None
    ):
        return 1
    if run.checkpoint is not None:
        left = min(left, int(run.checkpoint.every - run.epoch % run.checkpoint.every))
    work = len(run.samples) * run.net.parameters.size + UPDATE_WORK * run.n_batches
    return min(left, max(1, ENGINES[run.engine].BLOCK // work))


def _end_block(run: Run) -> None:
    """Write a checkpoint within an epoch of a stream, where one is due."""
    every = 1 if run.checkpoint is None else run.checkpoint.every
    share = run.place.done / len(run.samples)
    if every < 1 and share < 1 and int(share / every) > run.place.written:
        run.place.written = int(share / every)
        write_checkpoint(run)


def _end_epoch(run: Run, callbacks: Sequence[Callback], bar: Progress) -> None:
    """Let early stopping and callbacks end training by ``stop``; then write the checkpoint."""
    stopping = run.settings.early_stopping
    if stopping is not None and stopping.waited_enough(run.epoch, run.best):
        run.stop, run.history.stopped = True, "early"
    for callback in callbacks:
        callback(run)
    if run.stop and run.history.stopped == "finished":
        run.history.stopped = "callback"
    if run.workers is not None and callbacks:  # which may have looked at the clock
        run.stop, run.history.stopped = run.workers.first(lambda: (run.stop, run.history.stopped))
    if run.checkpoint is not None and run.epoch % max(run.checkpoint.every, 1) == 0 and not run.stop:
        write_checkpoint(run)
    bar.update(run.history.row(-1))

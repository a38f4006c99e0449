"""Training and resuming: what users call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deltarule.errors import InputError, ModelFileError
from deltarule.nn.engines import ENGINES
from deltarule.nn.model_files import read_model
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, Optimizer
from deltarule.training.checkpoints import restore
from deltarule.training.history import History
from deltarule.training.metrics import METRICS, Metric
from deltarule.training.run import Callback, Run
from deltarule.training.samples import samples_for
from deltarule.training.settings import Checkpoint, Settings, check_validation, concrete_seed
from deltarule.training.stopping import EarlyStopping

__all__ = ["resume", "train"]


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
        _resolved(metrics),
        early_stopping,
        engine,
    )
    run = Run(net, settings, samples_for(net, X, Y, sample_weight), validation, checkpoint)
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
    engine: str | None = None,
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
    callbacks, progress
        As in :func:`train`.
    engine : str, optional
        Another engine; the same where none is named.
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
        if state["engine"] not in ENGINES:
            raise InputError(f"its engine is {state['engine']!r}")
        settings = Settings.from_dict(state["settings"], engine or state["engine"])
    except (InputError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} does not describe a training run: {error}") from None
    if not isinstance(validation, tuple | list | None):
        raise InputError(f"validation must be None or (X, Y), got {validation!r}: a fraction is remembered")
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    held = validation if validation is not None else settings.validation_fraction
    run = Run(net, settings, samples_for(net, X, Y, sample_weight), held, checkpoint or Checkpoint(path))
    restore(run, path, state, arrays)
    return net, run.go(callbacks, progress)


def _resolved(metrics: Sequence[str | Metric]) -> tuple[Metric, ...]:
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        raise InputError(f'metrics must be a sequence such as ["accuracy"], got {metrics!r}')
    return tuple(METRICS.resolve(metric) for metric in metrics)

"""Training as scikit-learn does it: its order of the samples, its rules of stopping, its warnings."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing

from deltarule.arrays import Array
from deltarule.errors import DivergenceError, InputError, ModelFileError
from deltarule.estimators.fit_record import FitRecord
from deltarule.estimators.parameters import Parameters
from deltarule.estimators.solvers import follows_schedule, make_optimizer
from deltarule.estimators.stopping import ShuffledOrder, StoppingRule
from deltarule.nn.engines.contract import Samples
from deltarule.nn.model_files import read_model
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep
from deltarule.training.checkpoints import restore
from deltarule.training.loop import train_to_end
from deltarule.training.run import Callback, Run
from deltarule.training.settings import Checkpoint, Settings


@dataclass(frozen=True)
class FitOptions:
    """The arguments of ``fit`` and ``partial_fit`` besides samples, targets and weights."""

    validation_data: tuple[Any, ...] | None = None
    callbacks: Sequence[Callback] = ()
    checkpoint: Checkpoint | None = None
    resume: bool = False
    partial: bool = False
    classes: Any = None  # of partial_fit


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Samples that training does not see: as the user gave them, and as the network takes them."""

    X: Any
    y: Any
    weight: Array | None
    samples: Samples


def hold_out(
    p: Parameters, samples: Samples, strata: Array | None, X: Any, y: Any, weight: Array | None, rng: Any
) -> tuple[Samples, HeldOut]:
    """Samples to train on, and a share held out, as scikit-learn divides them by the RandomState ``rng``."""
    rows, held = train_test_split(
        np.arange(len(samples)), random_state=rng, test_size=p.validation_fraction, stratify=strata
    )
    if len(held) < 2:
        raise InputError(
            "The validation set is too small. Increase 'validation_fraction' or the dataset. Of "
            f"{len(samples)} samples it gets {len(held)}"
        )
    held_weight = None if weight is None else weight[held]
    part = HeldOut(_safe_indexing(X, held), _safe_indexing(y, held), held_weight, samples.take(held))
    return samples.take(rows), part


@dataclass(frozen=True, eq=False)
class NetworkTraining:
    """A training of the record's network; ``score`` scores it on the samples held out, if any are."""

    record: FitRecord
    p: Parameters
    samples: Samples
    held: HeldOut | None
    score: Callable[[], float] | None
    random_state: Any
    options: FitOptions

    def go(self) -> None:
        """Train, and write down how it went.

        Raises InputError if training leaves the finite numbers, or a checkpoint does not fit.
        """
        record, held, checkpoint = self.record, self.held, self.options.checkpoint
        run = self._make_run()
        record.loss_curve = list(record.loss_curve)  # the earlier one stays, should this training fail
        if held is not None or record.validation_scores is not None:
            record.validation_scores = list(record.validation_scores or [])
            record.validation_loss_curve = list(record.validation_loss_curve or [])
        if held is not None and record.best_validation_score is None:
            record.best_validation_score = -math.inf
        record.n_iter, run.net.engine = 0, run.engine
        rule = StoppingRule(record, self.p, self.score, len(self.samples))
        if self.options.resume and checkpoint is not None and os.path.exists(checkpoint.path):
            _restore_checkpoint(checkpoint, run)
            rule.replay(run)
        self._run_epochs(run, rule)
        self._end(run)

    def _make_run(self) -> Run:
        """A run that takes the samples in scikit-learn's order, and goes on where ``partial_fit`` was."""
        record, p, samples, options = self.record, self.p, self.samples, self.options
        net, n = record.linked_network(), len(samples)
        optimizer = make_optimizer(p, n, record.t, fresh=not options.partial)
        size = _batch_size(p, n) if isinstance(optimizer, GradientStep) else n
        total = n if samples.weight is None else float(samples.weight.sum())
        l2 = 0.0 if p.solver == "adamw" else p.alpha * n / (size * total)
        net.objective = replace(net.objective, l2=l2)
        if options.checkpoint is not None and p.solver == "sgd" and p.learning_rate == "invscaling":
            raise InputError("checkpoint: learning_rate='invscaling' cannot be saved; use 'inverse_scaling'")
        epochs = 1 if options.partial else p.max_iter
        settings = Settings(optimizer, epochs, size, bool(p.shuffle), 0, None, (), None, p.engine)
        held = None if self.held is None else self.held.samples
        run = Run(net, settings, samples, held, options.checkpoint)
        if any(layer.dense.dropout for layer in net.layers):
            run.mask_rng = np.random.default_rng(self.random_state.randint(2**31))
        run.order_rng = ShuffledOrder(self.random_state)
        if options.partial and record.slots is not None and record.slots.shape == run.slots.shape:
            run.slots, run.updates = record.slots.copy(), record.updates
        return run

    def _run_epochs(self, run: Run, rule: StoppingRule) -> None:
        record, callbacks = self.record, self.options.callbacks
        by_steps = isinstance(run.settings.optimizer, GradientStep)
        try:
            train_to_end(run, [rule, *callbacks] if by_steps else callbacks, bool(self.p.progress))
        except DivergenceError as error:
            if not (self.p.early_stopping and record.validation_scores is not None):
                raise InputError(
                    "Solver produced non-finite parameter weights. The input data may contain large values "
                    f"and need to be preprocessed: {error}"
                ) from error
            record.validation_scores.append(math.nan)
            _warn(f"{error}; the best weights before it are kept", ConvergenceWarning)
        if not by_steps:  # L-BFGS goes without the stopping rule
            iterated = run.history.epochs > 0
            assert isinstance(run.samples, Samples)
            losses = run.history["loss"] if iterated else [run.net.cost(run.samples.x, run.samples.y)]
            record.loss_curve += losses
            record.loss, record.n_iter = losses[-1], run.history.epochs
            record.best_loss = min(record.loss_curve)

    def _end(self, run: Run) -> None:
        """Record how training ended; with early stopping go back to the best weights; warn of a bad end."""
        record, p, partial = self.record, self.p, self.options.partial
        if record.validation_loss_curve is not None and "val_loss" in run.history:
            record.validation_loss_curve += run.history["val_loss"]
        record.should_stop, record.slots, record.updates = run.stop, run.slots, run.updates
        if run.best is not None:
            record.best_parameters = run.best.parameters
        if p.early_stopping and record.best_parameters is not None and (run.stop or not partial):
            run.net.parameters[:] = record.best_parameters
        if run.history.stopped == "interrupted":
            _warn("Training interrupted by user.")
        elif not partial and run.history.stopped == "finished" and not follows_schedule(p):
            _warn(
                f"{p.solver} stopped after {record.n_iter} iterations without having converged: allow "
                f"more (max_iter={p.max_iter}, for lbfgs also max_fun={p.max_fun}), or scale the inputs",
                ConvergenceWarning,
            )


def _batch_size(p: Parameters, n: int) -> int:
    if isinstance(p.batch_size, str):  # "auto"
        return min(200, n)
    if p.batch_size > n and "batch_size" not in p.preset_names:
        _warn(f"batch_size={p.batch_size} is larger than the {n} samples: all of them form one batch")
    return min(int(p.batch_size), n)


def _restore_checkpoint(checkpoint: Checkpoint, run: Run) -> None:
    """Let the run stand where the checkpoint stood."""
    description, arrays = read_model(checkpoint.path)
    state = description.get("training", {})
    net = Network.from_description(checkpoint.path, description, arrays)
    if net.sizes != run.net.sizes or net.dtype != run.net.dtype:
        raise ModelFileError(f"{checkpoint.path} belongs to a different network: {net!r}")
    run.net.parameters[:] = net.parameters
    restore(run, checkpoint.path, state, arrays)
    optimizer = Settings.from_dict(state["settings"], "auto").optimizer
    run.settings = replace(run.settings, optimizer=optimizer)


def _warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("deltarule."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)

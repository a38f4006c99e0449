"""Fitting: checked samples, a part held out, a run watched by scikit-learn's rules, all of it or nothing."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _check_sample_weight

from deltarule.arrays import Array
from deltarule.errors import DivergenceError, InputError, ModelFileError
from deltarule.estimators.fitted_network import Held, Networked
from deltarule.estimators.parameters import Parameters, make_optimizer, parameters_of, plans_ahead
from deltarule.estimators.stopping import Shuffles, Watch
from deltarule.nn.engines.contract import Samples
from deltarule.nn.model_files import read_model
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GradientStep
from deltarule.training.checkpoints import restore
from deltarule.training.loop import train_to_end
from deltarule.training.run import Callback, Run
from deltarule.training.settings import Checkpoint, Settings

__all__ = ["Fitting"]

Self = TypeVar("Self", bound="Fitting")


@dataclass(frozen=True)
class _Options:
    """What ``fit`` is asked besides the data."""

    validation_data: tuple[Any, ...] | None = None
    callbacks: Sequence[Callback] = ()
    checkpoint: Checkpoint | None = None
    resume: bool = False
    partial: bool = False


class Fitting(Networked):
    """What the estimators share of their training."""

    def fit(
        self: Self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        validation_data: tuple[Any, ...] | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
        resume: bool = False,
    ) -> Self:
        """Train a network on samples and their targets.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
        y : array-like, (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like, (n_samples,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored after each epoch: ``validation_scores_``, ``validation_loss_curve_``. With
            ``early_stopping=True`` they take the place of the part that would be held out.
        callbacks : sequence of callables
            Each is called with the :class:`Run` after each epoch; ``run.stop = True`` ends training.
        checkpoint : path or Checkpoint, optional
            Where to write, after each epoch or every so many, what resuming needs.
        resume : bool
            Go on from the checkpoint, where its file is there; the end is that of the uninterrupted run.

        Returns
        -------
        self

        Raises
        ------
        InputError, ValueError
            If a parameter or an array does not fit, or training leaves the finite numbers. The estimator is
            then what it was before.
        """
        again = self.warm_start and hasattr(self, "coefs_")
        options = _Options(validation_data, callbacks, _as_checkpoint(checkpoint, resume), resume)
        return self._all_or_nothing(lambda p: self._fit(p, X, y, sample_weight, options, first=not again))

    def _partial_fit(
        self: Self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation_data: tuple[Any, ...] | None,
        classes: Any = None,
    ) -> Self:
        options = _Options(validation_data, partial=True)

        def work(p: Parameters) -> None:
            self._learn_all_classes(y, classes)
            self._fit(p, X, y, sample_weight, options, first=not hasattr(self, "coefs_"))

        return self._all_or_nothing(work)

    def _goes_by_batches(self) -> bool:
        """Whether there is ``partial_fit``; scikit-learn asks."""
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is for solvers that go batch by batch; 'lbfgs' does not")
        return True

    def _all_or_nothing(self: Self, work: Callable[[Parameters], None]) -> Self:
        """Fit; where that fails, be again what was before."""
        before = self.__dict__.copy()
        net = before.get("network_")
        numbers, objective = (net.parameters.copy(), net.objective) if net else (None, None)
        try:
            work(parameters_of(self))
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            if net:
                net.parameters[:], net.objective = numbers, objective
            raise
        return self

    def _fit(
        self, p: Parameters, X: Any, y: Any, sample_weight: Any, options: _Options, *, first: bool
    ) -> None:
        frame = X
        if options.partial and p.early_stopping and options.validation_data is None:
            raise InputError(
                "partial_fit does not support early_stopping=True unless it is given validation_data=(X, y): "
                "it has no epochs of its own to hold samples out of"
            )
        X, y = self._validated(X, y, reset=first)
        frame = frame if hasattr(frame, "columns") else X
        if not (first or options.partial):
            self._check_again(y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        if first and not (options.partial and hasattr(self, "classes_")):
            self._learn_targets(p, y, sample_weight)
        Y = self._encode(X, y)
        weight = self._weights(p, y, sample_weight)
        random_state = check_random_state(p.random_state)
        if first:
            self.__dict__.pop("coefs_", None)
        if first or not hasattr(self, "network_"):
            self._build(p, X, Y, weight, random_state)
        samples = self._samples(X, Y, weight)
        held = self._held(options.validation_data)
        if p.early_stopping and held is None and p.solver != "lbfgs":
            samples, held = self._hold_out(p, samples, frame, y, sample_weight, random_state)
        samples = replace(samples, y=self._smoothed(p, samples.y))
        self._train(p, samples, held, random_state, options)

    # ------------------------------------------------------------------ held-out samples

    def _held(self, data: tuple[Any, ...] | None) -> Held | None:
        """``validation_data``."""
        if data is None:
            return None
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise InputError(
                f"validation_data must be (X, y) or (X, y, sample_weight), got {type(data).__name__}"
            )
        X, y = self._validated(*data[:2], reset=False)
        weight = None if len(data) == 2 or data[2] is None else _check_sample_weight(data[2], X)
        return Held(data[0], data[1], weight, self._samples(X, self._encode(X, y), weight))

    def _hold_out(
        self, p: Parameters, samples: Samples, X: Any, y: Any, sample_weight: Array | None, random_state: Any
    ) -> tuple[Samples, Held]:
        """Samples to train on, and a share held out, as scikit-learn divides them."""
        rows, held = train_test_split(
            np.arange(len(samples)),
            random_state=random_state,
            test_size=p.validation_fraction,
            stratify=self._strata(samples.y),
        )
        if len(held) < 2:
            raise InputError(
                "The validation set is too small. Increase 'validation_fraction' or the dataset. "
                f"Of {len(samples)} samples it gets {len(held)}"
            )
        weight = None if sample_weight is None else sample_weight[held]
        part = Held(_safe_indexing(X, held), _safe_indexing(y, held), weight, samples.take(held))
        return samples.take(rows), part

    # ------------------------------------------------------------------ the run

    def _train(
        self, p: Parameters, samples: Samples, held: Held | None, random_state: Any, options: _Options
    ) -> None:
        run = self._make_run(p, samples, held, random_state, options)
        self._open_curves(with_scores=held is not None)
        self.n_iter_, self.engine_ = 0, run.engine
        watch = Watch(self, p, None if held is None else self._scorer(p, held), len(samples))
        if options.resume:
            self._go_on_from(options.checkpoint, run, watch)
        self._run(p, run, watch, options)
        self._slots, self._updates = run.slots, run.updates

    def _make_run(
        self, p: Parameters, samples: Samples, held: Held | None, random_state: Any, options: _Options
    ) -> Run:
        """A run that takes the samples in scikit-learn's order, and goes on where ``partial_fit`` was."""
        net, n = self._linked(), len(samples)
        optimizer = make_optimizer(p, n, self.t_, fresh=not options.partial)
        size = self._batch_size(p, n) if isinstance(optimizer, GradientStep) else n
        total = n if samples.weight is None else float(samples.weight.sum())
        net.objective = replace(
            net.objective, l2=0.0 if p.solver == "adamw" else p.alpha * n / (size * total)
        )
        if options.checkpoint is not None and p.solver == "sgd" and p.learning_rate == "invscaling":
            raise InputError(
                "checkpoint: learning_rate='invscaling' cannot be written down; take 'inverse_scaling'"
            )
        epochs = 1 if options.partial else p.max_iter
        settings = Settings(optimizer, epochs, size, bool(p.shuffle), 0, None, (), None, p.engine)
        run = Run(net, settings, samples, None if held is None else held.samples, options.checkpoint)
        if any(layer.dense.dropout for layer in net.layers):
            run.mask_rng = np.random.default_rng(random_state.randint(2**31))
        run.order_rng = Shuffles(random_state)  # type: ignore[assignment]
        if options.partial and self._slots is not None and self._slots.shape == run.slots.shape:
            run.slots, run.updates = self._slots.copy(), self._updates
        return run

    def _open_curves(self, *, with_scores: bool) -> None:
        """Lists to write into, which are not those that a training that fails must leave alone."""
        self.loss_curve_ = list(self.loss_curve_)
        if with_scores or self.validation_scores_ is not None:
            self.validation_scores_ = list(self.validation_scores_ or [])
            self.validation_loss_curve_ = list(self.validation_loss_curve_ or [])
        if with_scores and self.best_validation_score_ is None:
            self.best_validation_score_ = -math.inf

    def _run(self, p: Parameters, run: Run, watch: Watch, options: _Options) -> None:
        """Let the run go, and say what is to be said of its end."""
        by_steps = isinstance(run.settings.optimizer, GradientStep)
        try:
            train_to_end(
                run, [watch, *options.callbacks] if by_steps else options.callbacks, bool(p.progress)
            )
        except DivergenceError as error:
            if not (p.early_stopping and self.validation_scores_ is not None):
                raise InputError(
                    "Solver produced non-finite parameter weights. The input data may contain large values "
                    f"and need to be preprocessed: {error}"
                ) from error
            self.validation_scores_.append(math.nan)
            warnings.warn(f"{error}; the best weights before it are kept", ConvergenceWarning, stacklevel=5)
        if not by_steps:
            self._book_iterations(run)
        if self.validation_loss_curve_ is not None and "val_loss" in run.history:
            self.validation_loss_curve_ += run.history["val_loss"]
        self._keep_best(p, run, options.partial)
        if run.history.stopped == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=5)
        elif not options.partial and run.history.stopped == "finished" and not plans_ahead(p):
            warnings.warn(
                f"{p.solver} stopped after {self.n_iter_} iterations and had not converged yet: allow more "
                f"(max_iter={p.max_iter}, for lbfgs also max_fun={p.max_fun}), or scale the inputs",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _book_iterations(self, run: Run) -> None:
        """L-BFGS's iterations, which nobody watched."""
        losses = run.history["loss"] if run.history.epochs else [self._cost(run)]
        self.loss_curve_ += losses
        self.loss_, self.n_iter_ = losses[-1], run.history.epochs
        self.best_loss_ = min(self.loss_curve_)

    def _cost(self, run: Run) -> float:
        return run.net.cost(run.samples.x, run.samples.y)

    def _keep_best(self, p: Parameters, run: Run, partial: bool) -> None:
        """With early stopping, the weights of the best score."""
        if run.best is not None:
            self._best_parameters = run.best.parameters
        self.should_stop_ = run.stop
        if p.early_stopping and self._best_parameters is not None and (run.stop or not partial):
            run.net.parameters[:] = self._best_parameters

    def _batch_size(self, p: Parameters, n: int) -> int:
        if p.batch_size == "auto":
            return min(200, n)
        if p.batch_size > n and self.batch_size != "auto":  # the preset would say 32
            warnings.warn(
                f"batch_size={p.batch_size} is larger than the {n} samples: all of them are one batch",
                stacklevel=6,
            )
        return min(int(p.batch_size), n)

    def _scorer(self, p: Parameters, held: Held) -> Callable[[], float]:
        """What scores the network of the moment on held-out samples."""
        if p.scoring is None:
            return lambda: self._score_of(self._outputs(held.samples.x), held)
        scorer = check_scoring(self, p.scoring)
        weights = {} if held.weight is None else {"sample_weight": held.weight}
        return lambda: scorer(self, held.X, held.y, **weights)

    def _go_on_from(self, checkpoint: Checkpoint | None, run: Run, watch: Watch) -> None:
        """Stand where the checkpoint stood, if there is one."""
        assert checkpoint is not None
        if not os.path.exists(checkpoint.path):
            return
        description, arrays = read_model(checkpoint.path)
        state = description.get("training", {})
        net = Network.from_description(checkpoint.path, description, arrays)
        if net.sizes != run.net.sizes or net.dtype != run.net.dtype:
            raise ModelFileError(f"{checkpoint.path} is of another network: {net!r}")
        run.net.parameters[:] = net.parameters
        restore(run, checkpoint.path, state, arrays)
        run.settings = replace(
            run.settings, optimizer=Settings.from_dict(state["settings"], "auto").optimizer
        )
        watch.catch_up(run)


def _as_checkpoint(checkpoint: Any, resume: bool) -> Checkpoint | None:
    if checkpoint is None:
        if resume:
            raise InputError("resume=True needs checkpoint=, the file to go on from")
        return None
    return checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)

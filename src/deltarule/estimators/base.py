"""What the estimators share: parameters, fitting, the numbers of a fitted network, and looks into it."""

from __future__ import annotations

import math
import os
import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, check_random_state, estimator_html_repr
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from deltarule.activations import Activation
from deltarule.arrays import Array, Scaled, as_batch, check_whole
from deltarule.engines.contract import Samples
from deltarule.errors import DivergenceError, InputError, ModelFileError, ShapeError
from deltarule.estimators.parameters import (
    Parameters,
    hidden_activations,
    hidden_sizes,
    make_optimizer,
    parameters_of,
    plans_ahead,
)
from deltarule.estimators.watching import Shuffles, Watch
from deltarule.layers import Dense
from deltarule.losses import Loss
from deltarule.network import Network
from deltarule.optimizers import GradientStep
from deltarule.training.checkpoints import restore
from deltarule.training.run import Callback, Run
from deltarule.training.settings import Checkpoint, Settings

if TYPE_CHECKING:
    from deltarule.check.health import HealthReport
    from deltarule.derivations import Derivation
    from deltarule.encoding import Encoding

__all__ = ["BaseMLP", "Held", "standard_scaling"]

Self = TypeVar("Self", bound="BaseMLP")

#: Rows that hidden activations are worked out for at a time.
CHUNK = 1024


@dataclass(frozen=True, eq=False)
class Held:
    """Samples that training does not see: as the user gave them, and as the network takes them."""

    X: Any
    y: Any
    weight: Array | None
    samples: Samples


class BaseMLP(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A network behind scikit-learn's interface; what is its own is in the classes below it."""

    #: What presets leave alone.
    not_preset: ClassVar[tuple[str, ...]] = ()

    coefs_: list[Any]
    intercepts_: list[Any]
    network_: Network
    n_outputs_: int

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Every parameter of ``__init__`` as the attribute of its name."""
        for name, value in parameters.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    # ------------------------------------------------------------------ what differs below

    @abstractmethod
    def _learn_targets(self, p: Parameters, y: Any, sample_weight: Array | None) -> None:
        """Which classes there are, or in which units the network works."""

    @abstractmethod
    def _encode(self, X: Any, y: Any) -> Array:
        """Targets as the network takes them, (n_samples, n_outputs)."""

    def _check_again(self, y: Any) -> None:
        """Refuse targets that a warm start cannot go on with."""

    @abstractmethod
    def _loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        """The loss, and the activation of the outputs."""

    @abstractmethod
    def _answers(self, outputs: Array) -> Array:
        """What ``predict`` says, from the network's outputs (n_samples, n_outputs)."""

    @abstractmethod
    def _score_of(self, outputs: Array, held: Held) -> float:
        """How good outputs for held-out samples are; greater is better."""

    @abstractmethod
    def _target_encoding(self) -> Any:
        """How the network's outputs become answers, for files that leave scikit-learn."""

    def _weights(self, p: Parameters, y: Any, sample_weight: Array | None) -> Array | None:
        """What each sample counts."""
        return sample_weight

    def _smoothed(self, p: Parameters, Y: Array) -> Array:
        """The targets that training goes towards."""
        return Y

    # ------------------------------------------------------------------ fitting

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
        self: Self, X: Any, y: Any, sample_weight: Any, validation_data: tuple[Any, ...] | None
    ) -> Self:
        options = _Options(validation_data, partial=True)
        first = not hasattr(self, "coefs_")
        return self._all_or_nothing(lambda p: self._fit(p, X, y, sample_weight, options, first=first))

    def _goes_by_batches(self) -> bool:
        """Whether there is ``partial_fit``; scikit-learn asks."""
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is for solvers that go batch by batch; 'lbfgs' does not")
        return True

    def _all_or_nothing(self: Self, work: Callable[[Parameters], None]) -> Self:
        """Fit; where that fails, be again what was before."""
        before = self.__dict__.copy()
        numbers = self.network_.parameters.copy() if "network_" in before else None
        try:
            work(parameters_of(self))
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            if numbers is not None:
                self.network_.parameters[:] = numbers
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
        if first or not hasattr(self, "network_"):
            self._build(p, X, Y, weight, random_state, first)
        samples = self._samples(X, Y, weight)
        held = self._held(options.validation_data)
        if p.early_stopping and held is None and p.solver != "lbfgs":
            samples, held = self._hold_out(p, samples, frame, y, random_state)
        samples = replace(samples, y=self._smoothed(p, samples.y))
        self._train(p, samples, held, random_state, options)

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )

    def _build(
        self, p: Parameters, X: Any, Y: Array, weight: Array | None, random_state: Any, first: bool
    ) -> None:
        """A network that has learnt nothing yet, and empty books."""
        hidden = hidden_sizes(p.hidden_layer_sizes)
        sizes = [X.shape[1], *hidden, Y.shape[1]]
        loss, output = self._loss_and_output(p)
        activations: list[str | Activation] = [*hidden_activations(p.activation, len(hidden)), output]
        dropout = p.dropout if isinstance(p.dropout, tuple | list) else [0.0] + [p.dropout] * len(hidden)
        if len(dropout) != len(hidden) + 1:
            raise InputError(f"dropout: {len(hidden) + 1} layers need as many shares, got {len(dropout)}")
        layers = [
            Dense(n_in, n_out, activation, dropout=share, initializer=p.initializer)
            for n_in, n_out, activation, share in zip(sizes, sizes[1:], activations, dropout, strict=False)
        ]
        try:
            self.network_ = Network(layers, loss=loss, dtype=str(X.dtype), seed=0)
        except InputError as error:
            raise InputError(
                f"hidden_layer_sizes={p.hidden_layer_sizes!r}, loss={p.loss!r}: {error}"
            ) from None
        self._scaling = standard_scaling(X, weight) if p.standardize else None
        self._set_first_weights(p, random_state, self.__dict__.get("coefs_") if not first else None)
        self._open_books(p)

    def _set_first_weights(self, p: Parameters, random_state: Any, given: list[Array] | None) -> None:
        """The user's, or those that are there, or drawn as scikit-learn draws them."""
        net = self.network_
        coefs: Sequence[Any]
        intercepts: Sequence[Any]
        if given is not None:
            coefs, intercepts = given, self.intercepts_
        elif p.initial_weights is not None:
            coefs, intercepts = p.initial_weights
        elif p.initializer is not None:
            rng = np.random.default_rng(random_state.randint(2**31))
            net.parameters[:] = np.concatenate([layer.dense.draw(rng) for layer in net.layers])
            coefs, intercepts = net.get_weights()
        else:
            factor = 2.0 if p.activation == "logistic" else 6.0
            drawn = [_glorot(layer.dense, factor, random_state) for layer in net.layers]
            coefs, intercepts = [W for W, _ in drawn], [b for _, b in drawn]
        self.coefs_, self.intercepts_ = list(coefs), list(intercepts)
        self._linked()

    def _open_books(self, p: Parameters) -> None:
        net = self.network_
        self.n_layers_ = len(net.layers) + 1
        self.n_outputs_ = net.sizes[-1]
        self.out_activation_ = {"sigmoid": "logistic"}.get(
            net.objective.output.name, net.objective.output.name
        )
        self.n_iter_ = self.t_ = self._no_improvement_count = self._updates = 0
        self.loss_curve_: list[float] = []
        self.validation_loss_curve_: list[float] | None = None
        self.loss_: float = math.inf
        self.best_loss_: float | None = None if p.early_stopping else math.inf
        self.validation_scores_: list[float] | None = None
        self.best_validation_score_: float | None = None
        self.should_stop_ = False
        self.engine_ = "reference"
        self._slots: Array | None = None
        self._best_parameters: Array | None = None

    def _linked(self) -> Network:
        """The network, with what ``coefs_`` and ``intercepts_`` hold now: they may have been replaced."""
        net = self.network_
        for index, layer in enumerate(net.layers):
            self.coefs_[index] = _put(self.coefs_[index], layer.W)
            self.intercepts_[index] = _put(self.intercepts_[index], layer.b)
        return net

    # ------------------------------------------------------------------ samples

    def _inputs(self, X: Any) -> Array | Scaled:
        """Validated rows as the network takes them: scaled where that is wished."""
        return self.network_.inputs(X if self._scaling is None else Scaled(X, *self._scaling))

    def _samples(self, X: Any, Y: Array, weight: Array | None) -> Samples:
        net = self.network_
        return Samples(self._inputs(X), *net.targets(Y.astype(net.dtype), weight, X.shape[0]))

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
        self, p: Parameters, samples: Samples, X: Any, y: Any, random_state: Any
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
        part = samples.take(held)
        weight = None if part.weight is None else part.weight[:, 0]
        return samples.take(rows), Held(_safe_indexing(X, held), _safe_indexing(y, held), weight, part)

    def _strata(self, Y: Array) -> Array | None:
        """What a division keeps the shares of."""
        return None

    # ------------------------------------------------------------------ training

    def _train(
        self, p: Parameters, samples: Samples, held: Held | None, random_state: Any, options: _Options
    ) -> None:
        net, n = self._linked(), len(samples)
        optimizer = make_optimizer(p, n, self.t_)
        by_steps = isinstance(optimizer, GradientStep)
        size = self._batch_size(p, n) if by_steps else n
        total = n if samples.weight is None else float(samples.weight.sum())
        penalty = 0.0 if p.solver == "adamw" else p.alpha * n / (size * total)
        net.objective = replace(net.objective, l2=penalty)
        epochs = 1 if options.partial else p.max_iter
        settings = Settings(optimizer, epochs, size, bool(p.shuffle), 0, None, (), None, p.engine)
        run = Run(net, settings, samples, None if held is None else held.samples, options.checkpoint)
        run.order_rng = Shuffles(random_state)  # type: ignore[assignment]
        if any(layer.dense.dropout for layer in net.layers):
            run.mask_rng = np.random.default_rng(random_state.randint(2**31))
        if options.partial and self._slots is not None and self._slots.shape == run.slots.shape:
            run.slots, run.updates = self._slots, self._updates
        self.n_iter_ = 0
        self.engine_ = run.engine
        score = None if held is None else self._scorer(p, held)
        if score is not None and self.validation_scores_ is None:
            self.validation_scores_, self.validation_loss_curve_, self.best_validation_score_ = (
                [],
                [],
                -math.inf,
            )
        watch = Watch(self, p, score, n)
        if options.resume:
            self._go_on_from(options.checkpoint, run, watch)
        self._run(p, run, watch, options)
        self._slots, self._updates = run.slots, run.updates

    def _run(self, p: Parameters, run: Run, watch: Watch, options: _Options) -> None:
        """Let the run go, and say what is to be said of its end."""
        by_steps = isinstance(run.settings.optimizer, GradientStep)
        try:
            run.go([watch, *options.callbacks] if by_steps else options.callbacks, progress=bool(p.progress))
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
        from deltarule.persistence import read_model

        assert checkpoint is not None
        if not os.path.exists(checkpoint.path):
            return
        description, arrays = read_model(checkpoint.path)
        state = description.get("training", {})
        net = Network.from_description(checkpoint.path, description, arrays)
        if net.sizes != run.net.sizes or net.dtype != run.net.dtype:
            raise ModelFileError(f"{checkpoint.path} is of another network: {net!r}")
        restore(run, checkpoint.path, state, arrays)
        run.net.parameters[:] = net.parameters
        run.settings = replace(
            run.settings, optimizer=Settings.from_dict(state["settings"], "auto").optimizer
        )
        watch.catch_up(run)

    # ------------------------------------------------------------------ using

    def _rows(self, X: Any) -> Any:
        """New rows, checked: by the shortest way where they are numbers in an array already."""
        plain = type(X) is np.ndarray and X.dtype in (np.float64, np.float32) and X.ndim == 2
        fits = plain and X.shape[0] > 0 and X.shape[1] == self.n_features_in_
        if fits and not hasattr(self, "feature_names_in_") and np.isfinite(np.vdot(X, X)):
            return X
        return validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False)

    def _outputs(self, x: Array | Scaled) -> Array:
        """What the network gives, (n_samples, n_outputs)."""
        compiled = self.engine_ == "compiled" and find_spec("numba") is not None
        return self._linked().predict(x, engine="compiled" if compiled else "reference")

    def predict(self, X: Any) -> Array:
        """The answer for each row.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)

        Returns
        -------
        ndarray, (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self, "coefs_")
        return self._answers(self._outputs(self._inputs(self._rows(X))))

    def transform(self, X: Any, layer: int | None = None) -> Array:
        """The activations of a hidden layer: the features that the network has made for itself.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
        layer : int, optional
            1 for the first hidden layer; the last one where none is named.

        Returns
        -------
        ndarray, (n_samples, n_neurons)
        """
        check_is_fitted(self, "coefs_")
        x = self._inputs(self._rows(X))
        layers = self._linked().layers[: self._layer(layer)]
        dtype = self.network_.dtype
        a = np.empty((len(x), layers[-1].dense.n_out), dtype)
        for start in range(0, len(x), CHUNK):
            part = as_batch(x[start : start + CHUNK], dtype)
            for one in layers:
                part = one.value(part)
            a[start : start + CHUNK] = part
        return a

    def _layer(self, layer: int | None) -> int:
        """The number of a hidden layer, from 1."""
        n_hidden = len(self.network_.layers) - 1
        if layer is None:
            return self._shown_layer()
        check_whole("layer", layer, 1, n_hidden)
        return int(layer)

    def _shown_layer(self) -> int:
        """The hidden layer that ``transform`` shows."""
        return len(self.network_.layers) - 1

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of what :meth:`transform` gives: ``mlpclassifier0``, …."""
        check_is_fitted(self, "coefs_")
        name = type(self).__name__.lower()
        width = self.network_.sizes[self._shown_layer()]
        return np.array([f"{name}{number}" for number in range(width)], dtype=object)

    # ------------------------------------------------------------------ looking into it

    def loss_and_gradients(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, list[Array], list[Array | None]]:
        """The loss that training makes small, and its gradient by the weights and the intercepts.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        loss : float
            Penalty included.
        coef_gradients, intercept_gradients : list of ndarray
            Of the shapes of ``coefs_`` and ``intercepts_``.
        """
        net, samples = self._labelled(X, y, sample_weight)
        weight = None if samples.weight is None else samples.weight[:, 0]
        grads = net.backward(net.forward(samples.x), samples.y, weight)
        return net.cost(samples.x, samples.y, weight), [g.dW for g in grads], [g.db for g in grads]

    def explain(self, X: Any, y: Any, what: str | Sequence[str], **options: Any) -> Derivation:
        """Derive any number of the network, as :func:`deltarule.explain` does.

        Parameters
        ----------
        X, y
            Samples; an outline of many, or ``sample=`` one of them.
        what : str, or sequence of them
            ``"W1[0,1]"``, ``"delta2"``, ``"loss"`` …
        options
            ``sample``, ``notation``, ``digits`` …
        """
        from deltarule.derivations import explain

        net, samples = self._labelled(X, y, options.pop("sample_weight", None))
        names = getattr(self, "feature_names_in_", None)
        return explain(
            net, samples.x, samples.y, what, **{"inputs": None if names is None else list(names)} | options
        )

    def health(self, X: Any, y: Any) -> HealthReport:
        """What keeps the network from learning, in plain words, as :func:`deltarule.health` finds it."""
        from deltarule.check import health

        net, samples = self._labelled(X, y)
        return health(net, samples.x, samples.y, self._history())

    def _labelled(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Network, Samples]:
        """The network, and samples whose targets are known."""
        check_is_fitted(self, "coefs_")
        X, y = self._validated(X, y, reset=False)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        return self._linked(), self._samples(X, self._encode(X, y), weight)

    def _history(self) -> dict[str, list[float]]:
        """The columns that are known, as a History has them."""
        columns: dict[str, list[float]] = {"epoch": [], "loss": self.loss_curve_}
        columns["epoch"] = [float(epoch) for epoch in range(1, len(self.loss_curve_) + 1)]
        if self.validation_loss_curve_ and len(self.validation_loss_curve_) == len(self.loss_curve_):
            columns["val_loss"] = self.validation_loss_curve_
        return columns

    def plot_loss(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the loss by epoch, and that of the validation samples where there are some.

        Parameters
        ----------
        path : path, optional
            Where to save the picture.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from deltarule.plotting import draw_history, figure, save_figure
        from deltarule.training.history import History

        check_is_fitted(self, "coefs_")
        history = History()
        history.extend(self._history())
        made, (panel,) = figure(1, type(self).__name__)
        draw_history(panel, history, "loss")
        if path is not None:
            save_figure(made, path)
        return made

    def to_network(self) -> Network:
        """A copy of the network, with the names of features and the labels: to explain, save or export it."""
        check_is_fitted(self, "coefs_")
        net = self._linked().copy()
        net.encoding = self._encoding()
        return net

    def _encoding(self) -> Encoding | None:
        from deltarule.encoding import ColumnsEncoding, Encoding, NumberColumn

        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        n = self.n_features_in_
        shift, scale = (np.zeros(n), np.ones(n)) if self._scaling is None else self._scaling
        columns = (
            NumberColumn(str(a), float(b), float(c)) for a, b, c in zip(names, shift, scale, strict=True)
        )
        target = self._target_encoding()
        return None if target is None else Encoding(ColumnsEncoding(tuple(columns)), target)

    def export(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write what computes the same answers without deltarule, as :func:`deltarule.export` does."""
        from deltarule.exchange.exporting import export

        export(self, path, format)

    def _html_repr(self) -> str:
        """For notebooks: scikit-learn's box, and under it the network that was fitted."""
        box = str(estimator_html_repr(self))
        if not hasattr(self, "network_"):
            return box
        from deltarule.derivations.drawing import draw
        from deltarule.derivations.svg import svg

        names = getattr(self, "feature_names_in_", None)
        drawing = draw(self._linked(), inputs=None if names is None else [str(name) for name in names])
        return f'{box}<div style="max-width: 60em; margin-top: 0.5em">{svg(drawing)}</div>'

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


@dataclass(frozen=True)
class _Options:
    """What ``fit`` is asked besides the data."""

    validation_data: tuple[Any, ...] | None = None
    callbacks: Sequence[Callback] = ()
    checkpoint: Checkpoint | None = None
    resume: bool = False
    partial: bool = False


def _as_checkpoint(checkpoint: Any, resume: bool) -> Checkpoint | None:
    if checkpoint is None:
        if resume:
            raise InputError("resume=True needs checkpoint=, the file to go on from")
        return None
    return checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint)


def _glorot(dense: Dense, factor: float, random_state: Any) -> tuple[Array, Array]:
    """Uniform weights and biases, in scikit-learn's order. Glorot & Bengio (2010), equation 16."""
    bound = np.sqrt(factor / (dense.n_in + dense.n_out))
    W = random_state.uniform(-bound, bound, (dense.n_in, dense.n_out))
    return W, random_state.uniform(-bound, bound, dense.n_out)


def _put(values: Any, view: Any) -> Array:
    """The numbers into the network's own view, unless they are there already; the view."""
    if values is not view:
        array = np.asarray(values, dtype=view.dtype)
        if array.shape != view.shape:
            raise ShapeError(
                f"coefs_ and intercepts_ must keep their shapes: expected {view.shape}, got {array.shape}"
            )
        view[...] = array
    return view


def standard_scaling(X: Any, weight: Array | None = None) -> tuple[Array, Array]:
    """Shift and scale that bring each column to mean 0 and variance 1; sparse ones are not shifted."""
    mean = _average(X, weight)
    if hasattr(X, "tocsr"):
        shift, variance = np.zeros(X.shape[1]), _average(X.multiply(X), weight) - mean**2
    else:
        shift, variance = mean, _average((X - mean) ** 2, weight)
    spread = np.sqrt(np.maximum(variance, 0))
    return shift, np.where(spread > 1e-12 * np.abs(mean), spread, 1.0)


def _average(X: Any, weight: Array | None) -> Array:
    """The mean of each column, in float64."""
    if weight is None:
        return np.asarray(X.mean(axis=0, dtype=np.float64)).ravel()
    return np.asarray(X.T @ weight, dtype=np.float64).ravel() / weight.sum()

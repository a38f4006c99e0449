"""What all estimators are: something that is fitted, predicts, and can be inspected."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, estimator_html_repr
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from deltarule.arrays import Array, Scaled, check_unmasked, check_whole
from deltarule.data import Stream
from deltarule.errors import InputError
from deltarule.estimators.fit_record import FitAttribute, FitRecord
from deltarule.estimators.fitting import FitOptions, HeldOut, NetworkTraining, hold_out
from deltarule.estimators.inspection import draw_losses, network_image, network_with_encoding
from deltarule.estimators.parameters import Parameters, hidden_sizes, parameters_of
from deltarule.estimators.targets import Targets
from deltarule.nn.engines.contract import Samples
from deltarule.nn.engines.reference import outputs_of
from deltarule.nn.network import Network
from deltarule.training.run import Callback
from deltarule.training.settings import Checkpoint

if TYPE_CHECKING:
    from deltarule.checks.health import HealthReport
    from deltarule.derivations import Derivation


def checked_data(estimator: BaseMLP, X: Any, *y: Any, **how: Any) -> Any:
    """Return what scikit-learn makes of rows and targets; it would take masked cells and missing dates."""
    for given, name in zip((X, *y), "Xy", strict=False):
        check_unmasked(given, name)
    return validate_data(estimator, X, *y, **how)


def checked_weight(sample_weight: Any, X: Any) -> Array:
    """Return what scikit-learn makes of sample weights, if none of them is masked."""
    check_unmasked(sample_weight, "sample_weight")
    weight: Array = _check_sample_weight(sample_weight, X)
    return weight


class BaseMLP(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A network behind scikit-learn's interface; the results of a fit are one :class:`FitRecord`."""

    #: The parameters that presets leave alone.
    not_preset: ClassVar[tuple[str, ...]] = ()

    _fit_record: FitRecord

    n_features_in_, feature_names_in_ = FitAttribute(), FitAttribute()
    network_, coefs_, intercepts_ = FitAttribute(), FitAttribute(), FitAttribute()
    n_layers_, n_outputs_, out_activation_ = FitAttribute(), FitAttribute(), FitAttribute()
    n_iter_, t_, engine_ = FitAttribute(), FitAttribute(), FitAttribute()
    loss_, best_loss_, loss_curve_ = FitAttribute(), FitAttribute(), FitAttribute()
    validation_loss_curve_, validation_scores_ = FitAttribute(), FitAttribute()
    best_validation_score_, should_stop_ = FitAttribute(), FitAttribute()
    _no_improvement_count = FitAttribute()  # which scikit-learn's own tests read

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Every parameter of ``__init__`` as the attribute of its name."""
        self.__dict__.update({name: value for name, value in parameters.items() if name != "self"})

    @abstractmethod
    def _targets_of(self, p: Parameters, y: Any, sample_weight: Array | None) -> Targets:
        """What a first fit learns of its targets: which classes there are, or their scale."""

    def _name_classes(self, y: Any, classes: Any) -> None:
        """Learn the classes that the first call of ``partial_fit`` names."""

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return checked_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )

    def _validated_rows(self, X: Any) -> Any:
        """New rows as an array or CSR; whether they are finite, the network looks."""
        return checked_data(
            self, X, accept_sparse="csr", dtype=(np.float64, np.float32), ensure_all_finite=False, reset=False
        )

    def _shown_layer(self) -> int:
        """The hidden layer that ``transform`` shows."""
        return len(self._fit_record.network.layers) - 1

    def fit(
        self,
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
            Data to score after each epoch: ``validation_scores_``, ``validation_loss_curve_``. With
            ``early_stopping=True`` they are used instead of a part that would be held out.
        callbacks : sequence of callables
            Each is called with the :class:`Run` after each epoch; ``run.stop = True`` ends training.
        checkpoint : path or Checkpoint, optional
            The file to write, after each epoch or every few epochs, with everything that resuming needs.
        resume : bool
            Whether to continue from the checkpoint, if the file exists; the result is that of the
            uninterrupted run.

        Returns
        -------
        self

        Raises
        ------
        InputError, ValueError
            If a parameter or an array does not fit, or training diverges. The estimator is then as it was
            before.
        """
        if checkpoint is None and resume:
            raise InputError("resume=True needs checkpoint=, the file to resume from")
        if not isinstance(checkpoint, Checkpoint | None):
            checkpoint = Checkpoint(checkpoint)
        options = FitOptions(validation_data, callbacks, checkpoint, resume)
        return self._fit_or_restore(X, y, sample_weight, options)

    def _fit_stream(self, stream: Stream, y: Any, sample_weight: Any, **named: Any) -> Self:
        """Go through a stream once, piece by piece: inputs as numbers, the answers as they are."""
        if y is not None or sample_weight is not None:
            raise InputError("a stream contains its targets: give neither y nor sample_weight with it")
        for X, answers in stream.batches():
            self.partial_fit(np.asarray(X), answers, **named)
        return self

    def _goes_by_batches(self) -> bool:
        """Whether there is ``partial_fit``; scikit-learn asks."""
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit is for solvers that work batch by batch; 'lbfgs' does not")
        return True

    def _fit_or_restore(self, X: Any, y: Any, sample_weight: Any, options: FitOptions) -> Self:
        """Fit into a new record; where that fails, the record and the network are what they were."""
        before: FitRecord | None = vars(self).get("_fit_record")
        goes_on = before is not None and hasattr(before, "coefs") and (options.partial or self.warm_start)
        net: Network | None = getattr(before, "network", None)
        kept = None if net is None else (net.parameters.copy(), net.objective)
        try:
            p = parameters_of(self)
            self._fit_record = copy.copy(before) if before is not None and goes_on else FitRecord()
            self._fit(p, X, y, sample_weight, options, first=not goes_on)
        except BaseException:
            if before is not None:
                self._fit_record = before
            elif hasattr(self, "_fit_record"):
                del self._fit_record
            if net is not None and kept is not None:
                net.parameters[:], net.objective = kept
            raise
        return self

    def _fit(
        self, p: Parameters, X: Any, y: Any, sample_weight: Any, options: FitOptions, *, first: bool
    ) -> None:
        record, frame = self._fit_record, X
        if options.partial:
            self._name_classes(y, options.classes)
            if p.early_stopping and options.validation_data is None:
                raise InputError(
                    "partial_fit does not support early_stopping=True unless it is given "
                    "validation_data=(X, y): it has no epochs of its own to hold samples out of"
                )
        X, y = self._validated(X, y, reset=first)
        if not (first or options.partial):
            record.targets.check_same(y)
            had, now = record.network.sizes[1:-1], hidden_sizes(p.hidden_layer_sizes)
            if list(had) != list(now):
                raise InputError(
                    f"warm_start continues with the existing network, with hidden_layer_sizes={tuple(had)}, "
                    f"not {tuple(now)}: set warm_start=False to start again"
                )
        if sample_weight is not None:
            sample_weight = checked_weight(sample_weight, X)
        if not hasattr(record, "targets"):
            record.targets = self._targets_of(p, y, sample_weight)
        Y, weight = record.targets.encode(y), record.targets.weights(p, y, sample_weight)
        random_state = check_random_state(p.random_state)
        if not hasattr(record, "network"):
            record.build(p, X, Y, weight, random_state)
        samples, held = record.samples(X, Y, weight), self._held_out(options.validation_data)
        if p.early_stopping and held is None and p.solver != "lbfgs":
            given = frame if hasattr(frame, "columns") else X
            strata = record.targets.strata(samples.y)
            samples, held = hold_out(p, samples, strata, given, y, sample_weight, random_state)
        samples = replace(samples, y=record.targets.smoothed(p, samples.y))
        score = self._scorer(p, held)
        NetworkTraining(record, p, samples, held, score, random_state, options).go()

    def _held_out(self, data: tuple[Any, ...] | None) -> HeldOut | None:
        """``validation_data``, validated."""
        if data is None:
            return None
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise InputError(
                f"validation_data must be (X, y) or (X, y, sample_weight), got {type(data).__name__}"
            )
        samples, weight = self._labelled_samples(*data)
        return HeldOut(data[0], data[1], weight, samples)

    def _scorer(self, p: Parameters, held: HeldOut | None) -> Callable[[], float] | None:
        """What scores the network as it is on held-out samples."""
        if held is None:
            return None
        if p.scoring is None:
            record, samples = self._fit_record, held.samples
            return lambda: record.targets.score(record.outputs(samples.x), samples.y, held.weight)
        scorer = check_scoring(self, p.scoring)
        weights = {} if held.weight is None else {"sample_weight": held.weight}
        return lambda: scorer(self, held.X, held.y, **weights)

    def predict(self, X: Any) -> Array:
        """Predict the label or the number for each row.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)

        Returns
        -------
        ndarray, (n_samples,) or (n_samples, n_outputs)
        """
        check_is_fitted(self)
        record = self._fit_record
        return record.targets.decode(record.outputs(self._new_inputs(X)))

    def _new_inputs(self, X: Any) -> Array | Scaled:
        """New rows as the network takes them."""
        plain = type(X) is np.ndarray and X.dtype in (np.float64, np.float32) and X.ndim == 2
        fits = plain and X.shape[0] > 0 and X.shape[1] == self.n_features_in_
        if not fits or hasattr(self, "feature_names_in_"):  # scikit-learn need not look at others
            X = self._validated_rows(X)
        try:
            return self._fit_record.inputs(X)
        except InputError as error:  # an array that fits can only hold this
            raise InputError(f"Input X contains NaN or infinity: {error}") from None

    def transform(self, X: Any, layer: int | None = None) -> Array:
        """Return the activations of a hidden layer: the features that the network has learned.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
        layer : int, optional
            1 for the first hidden layer; by default the last one.

        Returns
        -------
        ndarray, (n_samples, n_neurons)
        """
        check_is_fitted(self)
        x, record = self._new_inputs(X), self._fit_record
        layers = record.linked_network().layers[: self._hidden_layer(layer)]
        record.transformed_layer = layer
        return outputs_of(layers, x)

    def _hidden_layer(self, layer: int | None) -> int:
        """The number of a hidden layer, from 1."""
        n_hidden = len(self.network_.layers) - 1
        if not n_hidden:
            raise InputError(
                "transform returns the values of a hidden layer, and hidden_layer_sizes=[] has none"
            )
        if layer is None:
            return self._shown_layer()
        check_whole("layer", layer, 1, n_hidden)
        return int(layer)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the columns that :meth:`transform` gave or will give: ``mlpclassifier0``, …."""
        check_is_fitted(self)
        name = type(self).__name__.lower()
        width = self.network_.sizes[self._hidden_layer(self._fit_record.transformed_layer)]
        return np.array([f"{name}{number}" for number in range(width)], dtype=object)

    def loss_and_gradients(
        self, X: Any, y: Any, sample_weight: Any = None
    ) -> tuple[float, list[Array], list[Array | None]]:
        """Return the loss that training minimises, and its gradient with respect to weights and intercepts.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        loss : float
            Including the penalty.
        coef_gradients, intercept_gradients : list of ndarray
            With the shapes of ``coefs_`` and ``intercepts_``.
        """
        samples, weight = self._labelled_samples(X, y, sample_weight)
        net = self._fit_record.linked_network()
        grads = net.backward(net.forward(samples.x), samples.y, weight)
        return net.cost(samples.x, samples.y, weight), [g.dW for g in grads], [g.db for g in grads]

    def explain(self, X: Any, y: Any, what: str | Sequence[str], **options: Any) -> Derivation:
        """Derive any number of the network, as :func:`deltarule.explain` does.

        Parameters
        ----------
        X, y
            The samples; of many, the derivation shows only an outline, or use ``sample=`` for one of them.
        what : str, or sequence of them
            ``"W1[0,1]"``, ``"delta2"``, ``"loss"`` …
        options
            ``sample``, ``notation``, ``digits`` …
        """
        from deltarule.derivations import explain

        samples, _ = self._labelled_samples(X, y, options.pop("sample_weight", None))
        names = getattr(self, "feature_names_in_", None)
        options = {"inputs": None if names is None else list(names)} | options
        return explain(self._fit_record.linked_network(), samples.x, samples.y, what, **options)

    def health(self, X: Any, y: Any) -> HealthReport:
        """Say in plain words what prevents the network from learning, as :func:`deltarule.health` does."""
        from deltarule.checks import health

        (samples, _), record = self._labelled_samples(X, y), self._fit_record
        return health(record.linked_network(), samples.x, samples.y, record.history_columns())

    def _labelled_samples(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Samples, Array | None]:
        """Samples whose targets are known, as the network takes them, and their weights."""
        check_is_fitted(self)
        X, y = self._validated(X, y, reset=False)
        weight = None if sample_weight is None else checked_weight(sample_weight, X)
        record = self._fit_record
        return record.samples(X, record.targets.encode(y), weight), weight

    def plot_loss(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the loss by epoch, and that of the validation samples if there are any.

        Parameters
        ----------
        path : path, optional
            Where to save the picture.

        Returns
        -------
        matplotlib.figure.Figure
        """
        check_is_fitted(self)
        return draw_losses(self._fit_record, type(self).__name__, path)

    def to_network(self) -> Network:
        """Return a copy of the network with feature names and labels, to explain, save or export it."""
        check_is_fitted(self)
        return network_with_encoding(self._fit_record)

    def export(
        self, path: str | os.PathLike[str], format: str | None = None, *, dtype: str | None = None
    ) -> None:
        """Write a file that predicts the same without deltarule, as :func:`deltarule.export` does."""
        from deltarule.exchange.exporting import export

        export(self, path, format, dtype=dtype)

    def _html_repr(self) -> str:
        """For notebooks: scikit-learn's box, and under it the network that was fitted."""
        box = str(estimator_html_repr(self))
        if not hasattr(self, "network_"):
            return box
        return f'{box}<div style="max-width: 60em; margin-top: 0.5em">{network_image(self._fit_record)}</div>'

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __dir__(self) -> list[str]:
        """The attributes that there are: those of a fit only after one."""
        absent = {name for name in dir(type(self)) if name.endswith("_") and not hasattr(self, name)}
        return [name for name in super().__dir__() if name not in absent]

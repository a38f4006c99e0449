"""The classifier: labels to probabilities, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted, column_or_1d

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.estimators.base import BaseMLP
from deltarule.estimators.fitted_network import Held
from deltarule.estimators.parameters import Parameters, make_loss
from deltarule.nn.losses import Loss
from deltarule.nn.objective import loss_of_output

__all__ = ["MLPClassifier"]


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A feedforward network that says which class a row belongs to; scikit-learn's parameters, and more.

    The outputs are a softmax over the classes; for two classes, or several labels at a time, sigmoids.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Neurons of each hidden layer.
    activation : str, Activation, or a sequence with one for each hidden layer
        scikit-learn's "identity", "logistic", "tanh", "relu", or any of ``ACTIVATIONS``.
    loss : str, Loss or (callable, callable)
        "log_loss", any of ``LOSSES``, or a pair of functions of outputs and targets: terms and derivative.
    solver : str or Optimizer
        "lbfgs", "sgd", "adam", "adamw", "rmsprop", "adagrad", or any of ``OPTIMIZERS`` with its own rates.
    alpha : float
        Strength of the L2 penalty, ``alpha/2 · ΣW²``, divided by the weight of a full batch's samples; for
        "adamw" the share that weights shrink by themselves.
    batch_size : int or "auto"
        "auto" is 200, or all samples where they are fewer.
    learning_rate : str or Schedule
        "constant"; for "sgd" also "invscaling" and "adaptive"; or any of ``SCHEDULES``: a name starts from
        ``learning_rate_init``, "cosine(0.1)" from its own rate.
    learning_rate_init, power_t : float
    max_iter : int
        Epochs; for "lbfgs" iterations.
    shuffle : bool
    random_state : int, RandomState or None
        Gives the first weights and the order of the samples that it gives in scikit-learn.
    tol : float
    verbose, warm_start : bool
    momentum : float
    nesterovs_momentum : bool
    early_stopping : bool
        Score a held-out part after each epoch, stop when it no longer improves, and go back to the best.
    validation_fraction : float
    beta_1, beta_2, epsilon : float
    n_iter_no_change : int or inf
        For how many epochs ``tol`` may be missed.
    max_fun : int
        How often "lbfgs" may look at the loss.
    class_weight : dict, "balanced" or None
        What the samples of a class count; "balanced" makes all classes count the same.
    label_smoothing : float
        The share of a target that is spread over all classes. Szegedy et al. (2016).
    dropout : float, or a sequence with one for each layer
        The share of a layer's inputs that training drops; one number means all layers but the first.
    clip_norm : float, optional
        A longer gradient is shortened to this length.
    initializer : str or Initializer, optional
        Of the weights; scikit-learn's uniform numbers where none is named.
    initial_weights : (coefs, intercepts), optional
        One's own, instead of drawn ones.
    scoring : str or callable, optional
        Any scorer for early stopping; the accuracy where none is named.
    standardize : bool
        Bring each feature to mean 0 and variance 1 first.
    preset : "robust", optional
        Other defaults, for data one knows nothing of: standardised, AdamW, one cycle of the learning rate.
    engine : "auto", "reference" or "compiled"
    progress : bool
        A bar while training.

    Attributes
    ----------
    classes_ : ndarray, (n_classes,)
    coefs_, intercepts_ : list of ndarray
        The weights (n_in, n_out) and biases (n_out,) of each layer; they may be replaced.
    network_ : Network
        What computes, explains itself, and can be saved.
    loss_, best_loss_ : float
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs of the last training; samples seen in all.
    should_stop_ : bool
        Whether training ended, or should, because nothing improved any more.
    n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : str
    feature_names_in_ : ndarray of str
        Where X had names.
    engine_ : str
        What computed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((20,), preset="robust", random_state=0).fit(X, y)
    >>> clf.predict(X[:2]), clf.score(X, y) > 0.95
    (array([0, 0]), True)
    """

    classes_: Array

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        loss: Any = "log_loss",
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        dropout: Any = 0.0,
        clip_norm: float | None = None,
        initializer: Any = None,
        initial_weights: Any = None,
        scoring: Any = None,
        standardize: bool = False,
        preset: str | None = None,
        engine: str = "auto",
        progress: bool = False,
    ) -> None:
        self._keep(locals())

    @available_if(lambda self: self._goes_by_batches())  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        validation_data: tuple[Any, ...] | None = None,
    ) -> MLPClassifier:
        """Go through some samples once, on from where training is.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like, (n_classes,), optional
            All classes that there are; needed at the first call, unless y has a column for each label.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored afterwards. With ``early_stopping=True``, when the score has not improved for
            ``n_iter_no_change`` calls, ``should_stop_`` is True and the best weights are back.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight, validation_data, classes)

    # ------------------------------------------------------------------ labels

    def _learn_all_classes(self, y: Any, classes: Any) -> None:
        """The classes that the first call of ``partial_fit`` names."""
        if type_of_target(y) == "multilabel-indicator":
            return
        if classes is None:
            if not hasattr(self, "classes_"):
                raise InputError(
                    "classes must be passed on the first call to partial_fit: all that there are"
                )
            return
        named = unique_labels(classes)
        if hasattr(self, "classes_") and not np.array_equal(self.classes_, named):
            raise InputError(
                f"classes={classes!r} are not those of the first call to partial_fit: {self.classes_!r}"
            )
        self.classes_, self._several = named, False

    def _check_again(self, y: Any) -> None:
        labels = unique_labels(y)
        if set(labels) != set(self.classes_):
            raise InputError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {labels}"
            )

    def _learn_targets(self, p: Parameters, y: Any, sample_weight: Array | None) -> None:
        self._several = _kind(y) == "multilabel-indicator"
        self.classes_ = unique_labels(y)

    def _encode(self, X: Any, y: Any) -> Array:
        """0 and 1 for each class, or for each label; one column where there are two classes."""
        kind = _kind(y)
        if self._several != (kind == "multilabel-indicator") or kind == "multiclass-multioutput":
            wanted = "0 and 1 in a column for each label" if self._several else "one label for each row"
            raise InputError(
                f"y must hold {wanted}; got {kind} data, and multioutput labels are not supported"
            )
        if self._several:
            return self._indicators(y)
        y = column_or_1d(y, warn=True)
        codes = np.searchsorted(self.classes_, y).clip(0, len(self.classes_) - 1)
        unknown = np.flatnonzero(self.classes_[codes] != y)
        if len(unknown):
            raise InputError(
                f"`y` has classes not in `self.classes_`: {y[unknown[0]]!r} in row {unknown[0]}; known are "
                f"{self.classes_}"
            )
        if len(self.classes_) <= 2:
            return (codes == 1)[:, None]
        return codes[:, None] == np.arange(len(self.classes_))

    def _indicators(self, y: Any) -> Array:
        Y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        if Y.shape[1] != len(self.classes_):
            raise InputError(
                f"y must have a column for each of {len(self.classes_)} labels, got {Y.shape[1]}"
            )
        return Y != 0

    def _loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        output = "sigmoid" if self._several or len(self.classes_) <= 2 else "softmax"
        return make_loss(p.loss, {"log_loss": loss_of_output(output)}), output

    def _weights(self, p: Parameters, y: Any, sample_weight: Array | None) -> Array | None:
        if p.class_weight is None:
            return sample_weight
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        if isinstance(p.class_weight, dict) or self._several:
            return weight * compute_sample_weight(p.class_weight, y)
        codes = np.searchsorted(self.classes_, np.ravel(y))
        totals = np.bincount(codes, weight, len(self.classes_))
        return weight * (weight.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1)))[codes]

    def _smoothed(self, p: Parameters, Y: Array) -> Array:
        if not p.label_smoothing:
            return Y
        return Y * (1 - p.label_smoothing) + p.label_smoothing / max(
            2, Y.shape[1] if not self._several else 2
        )

    def _strata(self, Y: Array) -> Array | None:
        return Y.astype(bool) if Y.shape[1] == 1 and len(self.classes_) == 2 else None

    # ------------------------------------------------------------------ answers

    def _codes(self, outputs: Array) -> Array:
        """The number of each row's class; for several labels whether each is there."""
        if self._several:
            return (outputs > 0.5).astype(np.intp)
        return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.intp)

    def _answers(self, outputs: Array) -> Array:
        codes = self._codes(outputs)
        return codes if self._several else self.classes_[np.minimum(codes, len(self.classes_) - 1)]

    def _score_of(self, outputs: Array, held: Held) -> float:
        """The accuracy."""
        if not np.isfinite(outputs).all():
            return float("nan")
        right = self._codes(outputs) == self._codes(held.samples.y)
        return float(np.average(right.all(axis=1) if self._several else right, weights=held.weight))

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class; of each label, where there are several.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)

        Returns
        -------
        ndarray, (n_samples, n_classes)
        """
        check_is_fitted(self, "coefs_")
        outputs = self._outputs(self._new_inputs(X))
        if self.out_activation_ == "logistic":  # which is never 0 or 1, but for rounding
            np.clip(outputs, np.finfo(outputs.dtype).tiny, 1 - np.finfo(outputs.dtype).epsneg, out=outputs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of :meth:`predict_proba`, (n_samples, n_classes)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _output_names(self) -> list[str]:
        """The class of each output; of a single one the second."""
        if self._several:
            return [str(label) for label in self.classes_]
        return list(self._target_encoding().output_names(self.n_outputs_))

    def _target_encoding(self) -> Any:
        from deltarule.data.encoding import LabelEncoding, NumbersEncoding

        if not self._several:
            return LabelEncoding.fit(self.classes_, "y")
        n = len(self.classes_)
        return NumbersEncoding(tuple(f"p({label})" for label in self.classes_), (0.0,) * n, (1.0,) * n)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _kind(y: Any) -> str:
    """scikit-learn's name for what labels ``y`` holds; ValueError where it holds none."""
    kind = type_of_target(y, input_name="y")
    if not kind.startswith(("binary", "multi")):
        check_classification_targets(y)
    return str(kind)

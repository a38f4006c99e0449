"""The classifier: labels to probabilities, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from deltarule.arrays import Array, check_unmasked
from deltarule.data import Stream
from deltarule.errors import InputError
from deltarule.estimators.base import BaseMLP
from deltarule.estimators.fit_record import FitAttribute
from deltarule.estimators.fitting import FitOptions
from deltarule.estimators.parameters import Parameters
from deltarule.estimators.targets import LabelTargets


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A feedforward network that predicts the class of each row; scikit-learn's parameters, and more.

    The outputs are a softmax over the classes, or sigmoids for two classes or for several labels at a time.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        The number of neurons in each hidden layer.
    activation : str, Activation, or a sequence with one for each hidden layer
        scikit-learn's "identity", "logistic", "tanh", "relu", or any of ``ACTIVATIONS``.
    loss : str, Loss or (callable, callable)
        "log_loss", any of ``LOSSES``, or a pair of functions of outputs and targets: terms and derivative.
    solver : str or Optimizer
        "lbfgs", "sgd", "adam", "adamw", "rmsprop", "adagrad", or any of ``OPTIMIZERS`` with its own rates.
    alpha : float
        The strength of the L2 penalty, ``alpha/2 · ΣW²``, divided by the weight of a full batch's samples;
        for "adamw" the rate at which weights decay separately.
    batch_size : int or "auto"
        "auto" means 200, or all samples if there are fewer.
    learning_rate : str or Schedule
        "constant"; for "sgd" also "invscaling" and "adaptive"; or any of ``SCHEDULES``: a name alone starts
        at ``learning_rate_init``, "cosine(0.1)" at its own rate.
    learning_rate_init, power_t : float
    max_iter : int
        The number of epochs; for "lbfgs" the number of iterations.
    shuffle : bool
    random_state : int, RandomState or None
        The same value gives the same initial weights and order of the samples as in scikit-learn.
    tol : float
    verbose, warm_start : bool
    momentum : float
    nesterovs_momentum : bool
    early_stopping : bool
        Score the rows held out after each epoch, stop when the score no longer improves, and go back to the
        best weights.
    validation_fraction : float
    beta_1, beta_2, epsilon : float
    n_iter_no_change : int or inf
        The number of epochs in which the improvement may be less than ``tol``.
    max_fun : int
        How often "lbfgs" may evaluate the loss.
    class_weight : dict, "balanced" or None
        How much the samples of a class count; "balanced" makes all classes count the same.
    label_smoothing : float
        The share of a target that is spread evenly over all classes. Szegedy et al. (2016).
    dropout : float, or a sequence with one for each layer
        The share of a layer's inputs that training drops; a single number applies to all layers but the
        first.
    clip_norm : float, optional
        A gradient whose norm is larger is scaled down to this norm.
    initializer : str or Initializer, optional
        How to draw the initial weights; by default as scikit-learn does.
    initial_weights : (coefs, intercepts), optional
        Your own initial weights, instead of random ones.
    scoring : str or callable, optional
        Any scorer for early stopping; by default the accuracy.
    standardize : bool
        Bring each feature to mean 0 and variance 1 first.
    preset : "robust", optional
        Different defaults, for data that you know nothing about: standardised features, AdamW, a one-cycle
        learning rate.
    engine : "auto", "reference" or "compiled"
    progress : bool
        Whether to show a progress bar.

    Attributes
    ----------
    classes_ : ndarray, (n_classes,)
    coefs_, intercepts_ : list of ndarray
        The weights (n_in, n_out) and biases (n_out,) of each layer; you may replace them.
    network_ : Network
        The network, which can be explained and saved.
    loss_, best_loss_ : float
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
    best_validation_score_ : float or None
    n_iter_, t_ : int
        The number of epochs of the last training run, and of samples seen in total.
    should_stop_ : bool
        Whether training ended, or should end, because nothing improves any more.
    n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : str
    feature_names_in_ : ndarray of str
        The names of the features, if X had names.
    engine_ : str
        The engine that was used.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((20,), preset="robust", random_state=0).fit(X, y)
    >>> clf.predict(X[:2]), clf.score(X, y) > 0.95
    (array([0, 0]), True)
    """

    classes_ = FitAttribute()

    def __init__(
        self, hidden_layer_sizes: Any = (100,), activation: Any = "relu", *, solver: Any = "adam",
        alpha: float = 0.0001, batch_size: Any = "auto", learning_rate: Any = "constant",
        learning_rate_init: float = 0.001, power_t: float = 0.5, max_iter: int = 200,
        loss: Any = "log_loss", shuffle: bool = True, random_state: Any = None, tol: float = 1e-4,
        verbose: bool = False, warm_start: bool = False, momentum: float = 0.9,
        nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
        beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 10,
        max_fun: int = 15000, class_weight: Any = None, label_smoothing: float = 0.0, dropout: Any = 0.0,
        clip_norm: float | None = None, initializer: Any = None, initial_weights: Any = None,
        scoring: Any = None, standardize: bool = False, preset: str | None = None, engine: str = "auto",
        progress: bool = False,
    ) -> None:  # fmt: skip
        self._keep(locals())

    @available_if(lambda self: self._goes_by_batches())  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        validation_data: tuple[Any, ...] | None = None,
    ) -> MLPClassifier:
        """Go through some samples once, on from where training is.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`; or a stream (:func:`deltarule.data.stream`) instead of X and y, all of
            which is gone through once, some thousand rows at a time.
        classes : array-like, (n_classes,), optional
            All classes that there are; needed at the first call, unless y has a column for each label.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored afterwards. With ``early_stopping=True``, when the score has not improved for
            ``n_iter_no_change`` calls, ``should_stop_`` is True and the best weights are back.

        Returns
        -------
        self
        """
        if isinstance(X, Stream):
            named = {"classes": X.classes, "validation_data": validation_data}
            return self._fit_stream(X, y, sample_weight, **named)
        if classes is None and sample_weight is not None and np.shape(sample_weight) != (len(y),):
            classes, sample_weight = sample_weight, None  # by position, as in older scikit-learn
        options = FitOptions(validation_data, partial=True, classes=classes)
        return self._fit_or_restore(X, y, sample_weight, options)

    def _targets_of(self, p: Parameters, y: Any, sample_weight: Array | None) -> LabelTargets:
        return LabelTargets.of(y)

    def _name_classes(self, y: Any, classes: Any) -> None:
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
                f"classes={classes!r} differ from those of the first call to partial_fit: {self.classes_!r}"
            )
        self._fit_record.targets = LabelTargets(named, several=False)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, or of each label if there are several.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)

        Returns
        -------
        ndarray, (n_samples, n_classes)
        """
        check_is_fitted(self)
        outputs = self._fit_record.outputs(self._new_inputs(X))
        if self.out_activation_ == "logistic":  # which is never 0 or 1, but for rounding
            np.clip(outputs, np.finfo(outputs.dtype).tiny, 1 - np.finfo(outputs.dtype).epsneg, out=outputs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of :meth:`predict_proba`, (n_samples, n_classes)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of the labels: the share of rows whose labels are all right.

        Parameters
        ----------
        X : array-like or sparse matrix, (n_samples, n_features)
        y : array-like, (n_samples,) or (n_samples, n_labels)
        sample_weight : array-like, (n_samples,), optional

        Returns
        -------
        float
        """
        check_unmasked(y, "y")
        check_unmasked(sample_weight, "sample_weight")
        return float(super().score(X, y, sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

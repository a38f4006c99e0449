"""Targets: what training goes towards, and how the network's outputs become answers in the user's terms."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from deltarule.arrays import Array, class_codes
from deltarule.data.encoding import LabelEncoding, NumbersEncoding
from deltarule.data.encoding.scaling import rescale, restore
from deltarule.errors import InputError
from deltarule.estimators.building import make_loss
from deltarule.estimators.parameters import Parameters
from deltarule.nn.losses import Loss
from deltarule.nn.objective import loss_of_output

#: scikit-learn's names for losses, and what they are here.
_LOSS_NAMES = {"squared_error": "half_squared_error", "absolute_error": "mean_absolute_error"}


class Targets(ABC):
    """What an estimator knows of its targets."""

    @abstractmethod
    def encode(self, y: Any) -> Array:
        """Targets as the network takes them, (n_samples, n_outputs)."""

    @abstractmethod
    def decode(self, outputs: Array) -> Array:
        """What ``predict`` answers, from the network's outputs (n_samples, n_outputs)."""

    @abstractmethod
    def loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        """The loss, and the activation of the outputs."""

    @abstractmethod
    def file_encoding(self, n_outputs: int) -> LabelEncoding | NumbersEncoding | None:
        """How outputs become answers, for files that leave scikit-learn."""

    def output_names(self) -> list[str] | None:
        """What the outputs stand for, where that has a name."""
        return None

    def check_same(self, y: Any) -> None:
        """Refuse targets that a warm start cannot go on with."""
        return

    def weights(self, p: Parameters, y: Any, sample_weight: Array | None) -> Array | None:
        """What each sample counts."""
        return sample_weight

    def smoothed(self, p: Parameters, Y: Array) -> Array:
        """The targets with ``label_smoothing``."""
        return Y

    def strata(self, Y: Array) -> Array | None:
        """The groups whose shares a division into training and held-out samples keeps."""
        return None

    def score(self, outputs: Array, Y: Array, weight: Array | None) -> float:
        """R² or the accuracy of outputs beside encoded targets; NaN where they are not finite."""
        if not np.isfinite(outputs).all():
            return math.nan
        return float(r2_score(Y, outputs, sample_weight=weight))


@dataclass(frozen=True, eq=False)
class LabelTargets(Targets):
    """One of some classes for each row; or ``several`` labels, each of which is there or not."""

    classes: Array
    several: bool

    @classmethod
    def of(cls, y: Any) -> LabelTargets:
        """What labels there are in ``y``."""
        several = _kind(y) == "multilabel-indicator"
        return cls(unique_labels(y), several)

    def output_names(self) -> list[str]:
        """The class of each output; of a single one the second."""
        if self.several:
            return [str(label) for label in self.classes]
        n_outputs = len(self.classes) if len(self.classes) > 2 else 1
        return list(LabelEncoding.fit(self.classes, "y").output_names(n_outputs))

    def check_same(self, y: Any) -> None:
        labels = unique_labels(y)
        if set(labels) != set(self.classes):
            raise InputError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes}, `y` has {labels}"
            )

    def encode(self, y: Any) -> Array:
        """0 and 1 for each class, or for each label; one column where there are two classes."""
        kind, classes = _kind(y), self.classes
        if self.several != (kind == "multilabel-indicator") or kind == "multiclass-multioutput":
            wanted = "0 and 1 in a column for each label" if self.several else "one label for each row"
            raise InputError(
                f"y must hold {wanted}; got {kind} data, and multioutput labels are not supported"
            )
        if self.several:
            Y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
            if Y.shape[1] != len(classes):
                raise InputError(f"y must have a column for each of {len(classes)} labels, got {Y.shape[1]}")
            return Y != 0
        y = column_or_1d(y, warn=True)
        codes = np.searchsorted(classes, y).clip(0, len(classes) - 1)
        unknown = np.flatnonzero(classes[codes] != y)
        if len(unknown):
            raise InputError(
                f"`y` has classes not in `self.classes_`: {y[unknown[0]]!r} in row {unknown[0]}; known are "
                f"{classes}"
            )
        return (codes == 1)[:, None] if len(classes) <= 2 else codes[:, None] == np.arange(len(classes))

    def loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        output = "sigmoid" if self.several or len(self.classes) <= 2 else "softmax"
        return make_loss(p.loss, {"log_loss": loss_of_output(output)}), output

    def weights(self, p: Parameters, y: Any, sample_weight: Array | None) -> Array | None:
        if p.class_weight is None:
            return sample_weight
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        if isinstance(p.class_weight, dict) or self.several:
            return weight * compute_sample_weight(p.class_weight, y)
        codes = np.searchsorted(self.classes, np.ravel(y))
        totals = np.bincount(codes, weight, len(self.classes))
        return weight * (weight.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1)))[codes]

    def smoothed(self, p: Parameters, Y: Array) -> Array:
        share = p.label_smoothing
        return Y * (1 - share) + share / (2 if self.several else max(2, Y.shape[1])) if share else Y

    def strata(self, Y: Array) -> Array | None:
        return Y.astype(bool) if Y.shape[1] == 1 and len(self.classes) == 2 else None

    def _codes(self, outputs: Array) -> Array:
        """The number of each row's class; for several labels whether each is there."""
        return (outputs > 0.5).astype(np.intp) if self.several else class_codes(outputs)

    def decode(self, outputs: Array) -> Array:
        codes = self._codes(outputs)
        return codes if self.several else self.classes[np.minimum(codes, len(self.classes) - 1)]

    def score(self, outputs: Array, Y: Array, weight: Array | None) -> float:
        if not np.isfinite(outputs).all():
            return math.nan
        right = self._codes(outputs) == self._codes(Y)
        return float(np.average(right.all(axis=1) if self.several else right, weights=weight))

    def file_encoding(self, n_outputs: int) -> LabelEncoding | NumbersEncoding:
        if not self.several:
            return LabelEncoding.fit(self.classes, "y")
        return NumbersEncoding.of_labels(self.classes)


@dataclass(frozen=True, eq=False)
class NumberTargets(Targets):
    """One number or several for each row; ``scaling`` holds their means and spreads where they are scaled."""

    scaling: tuple[Array, Array] | None

    def encode(self, y: Any) -> Array:
        Y: Array = y.reshape(len(y), -1)
        return Y if self.scaling is None else rescale(Y, *self.scaling)

    def decode(self, outputs: Array) -> Array:
        if self.scaling is not None:
            outputs = restore(outputs, *self.scaling).astype(outputs.dtype)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        loss = make_loss(p.loss, _LOSS_NAMES)
        return loss, "exp" if loss.name == "poisson" else "identity"

    def file_encoding(self, n_outputs: int) -> NumbersEncoding | None:
        names = ("y",) if n_outputs == 1 else tuple(f"y{i}" for i in range(n_outputs))
        shift, scale = (np.zeros(n_outputs), np.ones(n_outputs)) if self.scaling is None else self.scaling
        return NumbersEncoding(names, tuple(map(float, shift)), tuple(map(float, scale)))


class InputTargets(NumberTargets):
    """The inputs themselves, scaled as they are."""

    def decode(self, outputs: Array) -> Array:
        return super().decode(outputs).reshape(outputs.shape)

    def loss_and_output(self, p: Parameters) -> tuple[Loss, str]:
        loss = make_loss(p.loss, _LOSS_NAMES | {"log_loss": "binary_cross_entropy"})
        if p.standardize and loss.targets[0] == 0:
            raise InputError(
                f"loss={p.loss!r} needs features ≥ 0, but standardize=True makes some of them negative"
            )
        return loss, {"binary_cross_entropy": "sigmoid", "poisson": "exp"}.get(loss.name, "identity")

    def file_encoding(self, n_outputs: int) -> None:
        return None


def _kind(y: Any) -> str:
    """scikit-learn's name for what labels ``y`` holds; ValueError where it holds none."""
    kind = type_of_target(y, input_name="y")
    if not kind.startswith(("binary", "multi")):
        check_classification_targets(y)
    return str(kind)

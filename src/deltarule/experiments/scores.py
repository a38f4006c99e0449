"""How good answers are: the spread of a score, each class by itself, and what guessing would reach."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import Encoding, LabelEncoding, NumbersEncoding
from deltarule.experiments.fitting import Predictions
from deltarule.registry import record


@record
class Spread:
    """How far a score may be off: ± ``value``, and what that number is."""

    value: float
    what: str

    @classmethod
    def of(cls, predictions: Predictions) -> Spread | None:
        """The deviation over folds; of one part the standard error, ``std(score's share of a row) / √n``.

        The shares are those of the row in the score: right or wrong, or its residual in R².

        Examples
        --------
        >>> labels = np.array(["ash", "oak", "oak", "oak"])
        >>> Spread.of(Predictions(labels, labels[[0, 1, 2, 0]], 0.0, "accuracy"))
        Spread(value=0.21650635094610965, what='standard error')
        """
        n = len(predictions.true)
        if predictions.fold_scores:
            return cls(float(np.std(predictions.fold_scores)), "standard deviation over the folds")
        if n < 2:
            return None
        if predictions.metric == "accuracy":
            shares: Array = (predictions.true == predictions.predicted).astype(float)
        else:
            predicted, true = predictions.small_columns
            total = ((true - true.mean(axis=0)) ** 2).mean(axis=0)
            residual = (true - predicted) ** 2
            missed = residual.mean(axis=0) / np.where(total > 0, total, 1)
            influence = residual - missed * (true - true.mean(axis=0)) ** 2
            shares = (influence / np.where(total > 0, total, 1)).mean(axis=1)
        return cls(float(shares.std() / np.sqrt(n)), "standard error")


def class_scores(predictions: Predictions, target: LabelEncoding) -> list[dict[str, Any]]:
    """Rows, precision and recall of each class; None where there is nothing to divide by."""
    counts = predictions.confusion(target)
    found, true, right = counts.sum(axis=0), counts.sum(axis=1), np.diagonal(counts)
    return [
        {
            "class": label,
            "rows": int(true[place]),
            "precision": float(right[place] / found[place]) if found[place] else None,
            "recall": float(right[place] / true[place]) if true[place] else None,
        }
        for place, label in enumerate(target.classes)
    ]


def baseline(trained: Array, predictions: Predictions, encoding: Encoding) -> dict[str, Any] | None:
    """What always giving the same answer reaches: the most frequent class, or the mean of the training rows.

    Parameters
    ----------
    trained : ndarray
        The targets of the rows that were trained on.
    predictions : Predictions
        Of the rows that are scored.
    encoding : Encoding

    Returns
    -------
    dict or None
        ``answer`` and its score; None for an autoencoder.
    """
    answer: Any
    if isinstance(encoding.target, LabelEncoding):
        counts = Counter(trained.tolist())
        answer = max(counts, key=lambda label: counts[label])
        guessed: Array = np.full(len(predictions.true), answer, predictions.true.dtype)
    elif isinstance(encoding.target, NumbersEncoding):
        mean = trained.astype(float).mean(axis=0)
        answer = mean.tolist()
        guessed = np.broadcast_to(mean, predictions.true.shape)
    else:
        return None
    scored = Predictions(predictions.true, guessed, 0.0, predictions.metric)
    return {"answer": answer, predictions.metric: scored.score} | mean_error(scored, encoding)


def mean_error(predictions: Predictions, encoding: Encoding) -> dict[str, float]:
    """The mean of |y − a| in the units of the data, where a single number is predicted."""
    if not isinstance(encoding.target, NumbersEncoding) or len(encoding.target.names) > 1:
        return {}
    predicted, true = predictions.columns
    return {"mean_error": float(np.abs(predicted - true).mean())}

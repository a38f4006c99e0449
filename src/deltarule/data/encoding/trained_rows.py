"""The rows that trained a model, as its file remembers them, and how good it was on others."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.data.encoding.fields import is_finite, need, need_whole
from deltarule.registry import record

_KEPT = 1_024  # digests, of which a few percent of many rows still meet some
_BITS = 48  # of a digest, so that JSON holds it exactly
_CHUNK = 100_000  # numbers that are hashed at a time


def row_digests(x: Array | Scaled, y: Array) -> Array:
    """A number for each row of inputs and targets, equal for equal rows: (n_rows,) of uint64, below 2⁴⁸.

    Multilinear hashing of the row's 32-bit words, ``Σ cᵢ·wᵢ mod 2⁶⁴``, then mixed.

    Parameters
    ----------
    x : ndarray or Scaled, (n_rows, n_features)
    y : ndarray, (n_rows, n_outputs)

    Examples
    --------
    >>> digests = row_digests(np.array([[1.0], [2.0], [1.0]]), np.array([[0.0], [0.0], [0.0]]))
    >>> digests[0] == digests[2], digests[0] == digests[1]
    (np.True_, np.False_)

    References
    ----------
    Lemire & Kaser (2014), Strongly universal string hashing is fast.
    """
    n_words = x.shape[1] + y.shape[1]
    factors = np.random.default_rng(0).integers(1, 2**63, n_words, dtype=np.uint64) | np.uint64(1)
    sums = np.empty(len(y), np.uint64)
    size = max(1, _CHUNK // n_words)
    for start in range(0, len(y), size):
        rows = slice(start, start + size)
        with np.errstate(over="ignore"):
            numbers = np.hstack([x[rows].astype(np.float32), y[rows].astype(np.float32)])
        numbers += np.float32(0)  # −0 is 0
        words = numbers.view(np.uint32).astype(np.uint64)
        sums[rows] = (words * factors).sum(axis=1, dtype=np.uint64)
    sums ^= sums >> np.uint64(30)
    sums *= np.uint64(0xBF58476D1CE4E5B9)
    sums ^= sums >> np.uint64(27)
    return sums >> np.uint64(64 - _BITS)


@record
class TrainedRows:
    """What a model file remembers about the rows that trained it, and about those that did not.

    Parameters
    ----------
    rows : int
        How many different rows trained it, or decided when to stop.
    digests : tuple of int
        The smallest digests of these rows, in ascending order; all of them if there are few rows.
    metric : str
        How it was scored: ``"accuracy"`` or ``"r2"``.
    held_out : int
        The number of rows on which it was scored and which had not trained it; 0 if there were none.
    score : float or None
        Its score on these.
    folds : int
        The number of parts in which they were held out, one after the other.
    """

    rows: int
    digests: tuple[int, ...]
    metric: str
    held_out: int = 0
    score: float | None = None
    folds: int = 1

    def __post_init__(self) -> None:
        need_whole("rows that trained a model", self.rows, 1, 2**53)
        need_whole("rows held out", self.held_out, 0, 2**53)
        need_whole("folds", self.folds, 1, 1000)
        sound = isinstance(self.digests, tuple) and len(self.digests) == min(self.rows, _KEPT)
        sound = sound and all(type(d) is int and 0 <= d < 2**_BITS for d in self.digests)
        sound = sound and list(self.digests) == sorted(set(self.digests))
        need(sound, "digests of rows", "different whole numbers in ascending order", self.digests)
        need(isinstance(self.metric, str), "the metric", "a name", self.metric)
        need(self.score is None or is_finite(self.score), "the score", "a finite number or None", self.score)

    @classmethod
    def of(cls, digests: Array, metric: str, held_out: int, score: float | None, folds: int) -> TrainedRows:
        """Remember rows by their digests (n_rows,)."""
        different = np.unique(digests)
        kept = tuple(different[:_KEPT].tolist())
        return cls(len(different), kept, metric, held_out, score, folds)

    def known(self, digests: Array) -> float:
        """The share of rows, by their digests (n_rows,), that trained the model; of many rows an estimate.

        Examples
        --------
        >>> rows = np.arange(1000, dtype=np.uint64) * np.uint64(7)
        >>> TrainedRows.of(rows, "accuracy", 0, None, 1).known(rows[:500])
        1.0
        """
        if self.rows > _KEPT:  # of the rows below the greatest that is kept, all are known
            digests = digests[digests <= np.uint64(self.digests[-1])]
        return float(np.isin(digests, np.array(self.digests, np.uint64)).mean()) if len(digests) else 0.0

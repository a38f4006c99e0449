"""What a pass over rows remembers of a column: its values while they are few, then what they come to.

A summary of rows that were given at once, or are few enough to be held, says what the values say.
Of more rows it keeps count, mean, Σ(x − mean)², least and greatest value, and a sample drawn by hashing.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding.scaling import FILLS, fit_scaling, scaling_of_moments, without_overflow
from deltarule.data.table import Coded

#: Values of which the median and the most frequent one are told at most, where not all are held.
SAMPLED = 1 << 16
#: Different texts of a column that are counted …
_MOST_TEXTS = 200_000
#: … of which so many stay, the most frequent, where there are more.
_KEPT_TEXTS = 100_000


def mixed(numbers: Array, seed: int = 0) -> Array:
    """Return whole numbers (n,) hashed to 64 bits, evenly spread: what a row's number decides at random.

    References
    ----------
    Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators.

    Examples
    --------
    >>> float((mixed(np.arange(10_000)) < 2**63).mean().round(2))
    0.5
    """
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashed: Array = z ^ (z >> np.uint64(31))
    return hashed


class NumberSummary:
    """The numbers of a column, (n,) at a time.

    Parameters
    ----------
    most : int or None
        How many may be held; None for all.

    Examples
    --------
    >>> summary = NumberSummary(most=2)
    >>> for part in ([1.0, 2.0], [3.0, 6.0]):
    ...     summary.add(np.array(part))
    >>> summary.scaling("standard")
    (3.0, 1.8708286933869707)
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._sampled = min(SAMPLED, max(1000, (most or 0) // 8))
        self._held: list[Array] | None = []
        self.count = 0
        self._mean = self._squares = 0.0
        self._low, self._high = math.inf, -math.inf
        self._sample, self._hashes, self._limit = np.empty(0), np.empty(0, np.uint64), np.uint64(2**64 - 1)

    def add(self, values: Array) -> None:
        """Take some more numbers, all finite."""
        if not len(values):
            return
        first, self.count = self.count, self.count + len(values)
        if self._held is not None:
            self._held.append(values)
            if self._most is None or self.count <= self._most:
                return
            held, self._held, first = self._held, None, 0
            for part in held:
                self._condense(part, first)
                first += len(part)
            return
        self._condense(values, first)

    def _condense(self, values: Array, first: int) -> None:
        """Add to the moments (Chan, Golub & LeVeque 1979) and to the sample."""
        mean, before = float(np.mean(values)), first
        squares, n = float(((values - mean) ** 2).sum()), before + len(values)
        self._squares += squares + (mean - self._mean) ** 2 * before * len(values) / n
        self._mean += (mean - self._mean) * len(values) / n
        self._low, self._high = min(self._low, float(values.min())), max(self._high, float(values.max()))
        hashes = mixed(np.arange(first, first + len(values)))
        few = np.flatnonzero(hashes < self._limit)
        self._sample = np.append(self._sample, values[few])
        self._hashes = np.append(self._hashes, hashes[few])
        if len(self._sample) > 2 * self._sampled:  # those with the least hashes stay
            kept = np.argpartition(self._hashes, self._sampled)[: self._sampled]
            self._sample, self._hashes = self._sample[kept], self._hashes[kept]
            self._limit = self._hashes.max()

    def _all(self) -> Array | None:
        """All numbers, where they are held."""
        if self._held is None:
            return None
        if len(self._held) > 1:
            self._held = [np.concatenate(self._held)]
        return self._held[0]

    def scaling(self, scale: str) -> tuple[float, float]:
        """Return shift and scale: see :data:`~deltarule.data.encoding.scaling.SCALES`."""
        values = self._all()
        if values is not None:
            return fit_scaling(values, scale)
        spread = math.sqrt(self._squares / self.count)
        return scaling_of_moments(scale, self._mean, spread, self._low, self._high)

    def fill(self, missing: str) -> float | None:
        """Return what stands in for missing cells; of a sample where not all numbers are held."""
        statistic = FILLS.get("median" if missing == "drop" else missing)
        if statistic is None:
            return None
        values = self._all()
        if values is None and missing == "mean":
            return self._mean
        return without_overflow(statistic, self._sample if values is None else values)


class TextSummary:
    """The texts of a column: how often each is met, of very many different ones the most frequent."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lost = False

    def add(self, column: Coded) -> None:
        """Take some more texts; those that are missing count for nothing."""
        times = np.bincount(column.codes, minlength=len(column.values)).tolist()
        met = zip(column.values.tolist(), times, strict=True)
        self.counts.update({text: count for text, count in met if count and text is not None})
        if len(self.counts) > _MOST_TEXTS:
            self.counts = Counter(dict(self.counts.most_common(_KEPT_TEXTS)))
            self.lost = True

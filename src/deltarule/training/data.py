"""The samples of a run, checked once, in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.engines.contract import Batch
from deltarule.errors import InputError
from deltarule.network import Network

__all__ = ["Samples", "hold_out"]


@dataclass(frozen=True)
class Samples:
    """``x`` (n, n_features), ``y`` (n, n_outputs) and sample weights (n, 1) or None.

    ``x`` keeps a number type narrower than the network's (images stay bytes) and is widened batch by batch.
    """

    x: Array
    y: Array
    weight: Array | None
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, net: Network, X: Any, Y: Any, sample_weight: Any = None) -> Samples:
        """Checked against the network: see :meth:`Network.forward` for what is refused."""
        x = net.inputs(X)
        y, weight = net.targets(Y, sample_weight, len(x))
        return cls(x, y, weight, net.dtype)

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Array | slice) -> Samples:
        """Some of the samples."""
        return Samples(
            self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows], self.dtype
        )

    def widened(self) -> Samples:
        """The same with ``x`` in the network's number type."""
        return Samples(self.x.astype(self.dtype, copy=False), self.y, self.weight, self.dtype)

    def batches(self, size: int, order: Array | None = None) -> Iterator[Batch]:
        """Consecutive batches, the last one possibly smaller; ``order`` (n,) shuffles the samples."""
        for start in range(0, len(self), size):
            stop = start + size
            part = self.take(slice(start, stop) if order is None else order[start:stop]).widened()
            yield part.x, part.y, part.weight

    def digest(self) -> str:
        """A fingerprint of all numbers, by which resuming recognises the data."""
        digest = hashlib.blake2b(digest_size=16)
        for array in (self.x, self.y, self.weight):
            if array is not None:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def hold_out(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """(rest, held out): a random ``fraction`` of the samples, the same for the same seed."""
    n_held = round(fraction * len(samples))
    if not 0 < n_held < len(samples):
        raise InputError(
            f"validation={fraction} of {len(samples)} samples leaves {len(samples) - n_held} to train on and "
            f"{n_held} to validate on; both need at least one"
        )
    order = np.random.default_rng([seed, 1]).permutation(len(samples))
    return samples.take(np.sort(order[n_held:])), samples.take(np.sort(order[:n_held]))

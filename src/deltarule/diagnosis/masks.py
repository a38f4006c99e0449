"""Which neurons dropout kept, read off the gradients of one sample: what was dropped leaves rows of zeros."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.cases import Numbers


def with_masks_read(numbers: Numbers, l2: float = 0.0) -> Numbers:
    """The same with the masks that the forward pass had, and those that the gradient met going back.

    Of one sample ``dW = x.T @ delta`` and ``db = delta``: a row of dW is 0 where that input was, and db where
    delta was; without biases, a column of dW.
    """
    data = [None if dW is None else dW - l2 * W for dW, W in zip(numbers.observed.dW, numbers.W, strict=True)]
    forward = tuple(None if dW is None else _some(dW, axis=1) for dW in data)
    back = (None, *map(_delta, data[:-1], numbers.observed.db[:-1]))
    return replace(numbers, masks=forward, back=back)


def is_readable(numbers: Numbers) -> bool:
    """Whether something came back to every layer: where nothing did, nothing is seen of its inputs."""
    pairs = zip(numbers.observed.dW, numbers.observed.db, strict=True)
    return all((dW is not None and dW.any()) or (db is not None and db.any()) for dW, db in pairs)


def _delta(dW: Array | None, db: Array | None) -> Array | None:
    """1 where a neuron's delta is not 0."""
    if dW is None or (db is not None and db.shape == dW.shape[1:]):
        return None if db is None else _some(db[None], axis=0)
    return _some(dW, axis=0)


def _some(dW: Array, axis: int) -> Array:
    """1 where a row (or column) of dW has anything but zeros, as a mask (1, n_neurons)."""
    noise = 1e-12 * float(np.abs(dW).max())
    return (np.abs(dW).max(axis=axis) > noise).astype(float)[None]

"""Targets as a loss takes them: one column for each output, in the loss's range."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array, as_numbers, check_finite
from deltarule.errors import InputError, ShapeError
from deltarule.nn.losses import Loss

__all__ = ["as_targets"]


def as_targets(loss: Loss, Y: object, n_samples: int, n_outputs: int) -> Array:
    """Targets as the loss takes them: (n_samples, n_outputs), finite, in the loss's range.

    A 1-D ``Y`` is one column where the network has one output; for ``cross_entropy`` it holds the number
    of each sample's class, 0 to n_outputs − 1.

    Raises
    ------
    ShapeError, InputError
        What is wrong with the targets, with row and column.
    """
    y = as_numbers(Y, "Y")
    if y.ndim == 1 and n_outputs == 1:
        y = y[:, None]
    elif y.ndim == 1 and loss.distribution and len(y) == n_samples:
        y = _one_hot(y, n_outputs)
    if y.shape != (n_samples, n_outputs):
        raise ShapeError(
            f"Y must have shape ({n_samples}, {n_outputs}), a row for each row of X and a column for each "
            f"output, got {y.shape}"
        )
    check_finite(y, "Y")
    _check_range(loss, y)
    return y


def _one_hot(classes: Array, n_outputs: int) -> Array:
    check_finite(classes, "Y")
    wrong = np.flatnonzero((classes != np.floor(classes)) | (classes < 0) | (classes >= n_outputs))
    if len(wrong):
        raise InputError(
            f"Y must hold class numbers 0 to {n_outputs - 1}, got {classes[wrong[0]]} at row {wrong[0]}"
        )
    y = np.zeros((len(classes), n_outputs), dtype=np.float32)
    y[np.arange(len(classes)), classes.astype(int)] = 1
    return y


def _check_range(loss: Loss, y: Array) -> None:
    low, high = loss.targets
    if y.min() < low or y.max() > high:
        row, column = np.argwhere((y < low) | (y > high))[0]
        raise InputError(
            f"loss {loss.name!r} needs targets between {low} and {high}, got {y[row, column]} at row {row}, "
            f"column {column}"
        )
    if loss.distribution:
        off = np.flatnonzero(np.abs(y.sum(axis=1, dtype=float) - 1) > 1e-3)
        if len(off):
            raise InputError(
                f"loss {loss.name!r} needs targets that sum to 1 in each row, got "
                f"{y[off[0]].sum(dtype=float)} at row {off[0]}"
            )

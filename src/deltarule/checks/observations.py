"""What the rules look at: rows of the data, what the network computes from them, the course of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.checks.finding import SEVERITIES
from deltarule.nn.activations import Activation
from deltarule.nn.layers import Gradients, Trace
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network

__all__ = ["FEW_ROWS", "WELL", "Signs", "guess_loss", "moves", "rms"]

#: Rows below which a unit may rest in all of them by chance.
FEW_ROWS = 10
#: So far from the loss of guessing (0) to the least possible (1) that the fit speaks for itself.
WELL = 0.95


@dataclass(frozen=True, eq=False)
class Signs:
    """What the rules look at.

    Attributes
    ----------
    net : Network
    x, y : ndarray
        The rows that are looked at, spread evenly over all.
    all_x : ndarray or Scaled
    names : sequence of str
        Of the features.
    trace, grads
        Of these rows; ``delta`` is of one row's loss.
    history : mapping or None
    guess, skill : float
        The mean loss of the best constant answer, and how far the network is from there (0) to the least
        possible loss (1); NaN where that cannot be told.
    """

    net: Network
    x: Array
    y: Array
    all_x: Array | Scaled
    names: Sequence[str]
    trace: Trace
    grads: Gradients
    history: Mapping[str, Sequence[float]] | None
    guess: float
    skill: float

    @property
    def finite(self) -> bool:
        """Whether all that was computed is a number."""
        arrays = (self.net.parameters, self.grads.flat, *(step.z for step in self.trace))
        return all(bool(np.isfinite(array).all()) for array in arrays)

    @property
    def trained(self) -> bool:
        """Whether a history tells of epochs."""
        return len(self.column("loss")) > 0

    @property
    def total(self) -> float:
        """The loss of guessing in the units of the history, which may be sums over all rows."""
        return self.guess * (len(self.all_x) if self.net.objective.reduction == "sum" else 1)

    @property
    def output(self) -> Activation:
        """Activation of the last layer."""
        return self.net.objective.output

    def column(self, name: str) -> Array:
        """A column of the history; empty where there is none."""
        return np.array([] if self.history is None else self.history.get(name, []), dtype=float)

    def milder(self, severity: str) -> str:
        """One degree less for a network that fits its rows: it has got over what is wrong."""
        return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)] if self.skill >= WELL else severity


def moves(net: Network, index: int) -> bool:
    """Whether training may change any parameter of a layer."""
    start = sum(layer.dense.n_parameters for layer in net.layers[:index])
    end = start + net.layers[index].dense.n_parameters
    return bool(((net.frozen >= start) & (net.frozen < end)).sum() < end - start)


def guess_loss(loss: Loss, y: Array) -> tuple[float, float]:
    """The mean loss of the best constant answer, mean or median, and of the targets themselves."""
    low, high = loss.domain

    def mean_loss(a: Array) -> float:
        return float(loss.terms(np.clip(a, low, high).astype(y.dtype), y).sum(axis=1).mean())

    constants = (np.broadcast_to(middle, y.shape) for middle in (y.mean(axis=0), np.median(y, axis=0)))
    return min(map(mean_loss, constants)), mean_loss(y)


def rms(array: Array) -> float:
    """The root mean square, without overflow."""
    largest = float(np.abs(array).max())
    if not 0 < largest < math.inf:
        return largest
    return largest * float(np.sqrt(np.square(array / largest, dtype=float).mean()))

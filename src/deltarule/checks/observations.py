"""Observations: rows of the data, what the network computes from them, the history of its training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.checks.finding import SEVERITIES
from deltarule.nn.activations import Activation
from deltarule.nn.engines import reference
from deltarule.nn.layers import Gradients, Trace
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network

#: Rows below which a unit may rest in all of them by chance.
FEW_ROWS = 10
#: So far from the loss of guessing (0) to the least possible (1) that the fit speaks for itself.
FITS_WELL = 0.95

#: Rows that are looked at, and numbers z that these may give: of more rows, some spread evenly over all.
ROWS, NUMBERS = 2_000, 10_000_000


@dataclass(frozen=True, eq=False)
class Observations:
    """What the rules of :mod:`deltarule.checks.rules` look at.

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
    def guess_in_history(self) -> float:
        """The loss of guessing in the units of the history, which may be sums over all rows."""
        return self.guess * (len(self.all_x) if self.net.objective.reduction == "sum" else 1)

    @property
    def output(self) -> Activation:
        """Activation of the last layer."""
        return self.net.objective.output

    @property
    def names_classes(self) -> bool:
        """Whether the targets are classes: a 1 in one of several columns, or a single column of 0 and 1."""
        y = self.y
        return bool(((y == 0) | (y == 1)).all() and (y.shape[1] == 1 or (y.sum(axis=1) == 1).all()))

    def column(self, name: str) -> Array:
        """A column of the history; empty where there is none."""
        return np.array([] if self.history is None else self.history.get(name, []), dtype=float)

    def milder(self, severity: str) -> str:
        """Return one degree less for a network that fits its rows: it has got over what is wrong."""
        return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)] if self.skill >= FITS_WELL else severity


def learns(net: Network, index: int) -> bool:
    """Return whether training may change any parameter of a layer."""
    start = sum(layer.dense.n_parameters for layer in net.layers[:index])
    end = start + net.layers[index].dense.n_parameters
    return bool(((net.frozen >= start) & (net.frozen < end)).sum() < end - start)


def observe(net: Network, X: Any, Y: Any, history: Mapping[str, Sequence[float]] | None) -> Observations:
    """Pass some rows forward and backward, and compare the loss with that of guessing."""
    all_x = net.inputs(X)
    all_y, _ = net.targets(Y, None, len(all_x))
    rows = _rows_to_look_at(len(all_x), sum(net.sizes))
    x, y = all_x[rows].astype(net.dtype, copy=False), all_y[rows]
    trace = reference.forward(net.layers, x)
    grads = reference.backward(net.layers, net.objective, trace, y)
    if net.objective.reduction == "mean":
        for index, grad in enumerate(grads):
            grads[index] = grad._replace(delta=grad.delta * len(y))
    guess, least = _guess_loss(net.loss, y)
    loss = float(net.objective.terms(trace[-1].z, trace.output, y).sum(axis=1).mean())
    room = guess - least
    skill = (guess - loss) / room if room > 1e-9 * abs(guess) else math.nan
    return Observations(net, x, y, all_x, _feature_names(net), trace, grads, history, guess, skill)


def _rows_to_look_at(n_rows: int, n_numbers: int) -> Array:
    """Choose the rows to look at: all, or some spread evenly."""
    n = min(n_rows, max(50, min(ROWS, NUMBERS // n_numbers)))
    return np.linspace(0, n_rows - 1, n).astype(np.intp)


def _feature_names(net: Network) -> tuple[str, ...]:
    """Return the features' names in the data, or x1, x2, …"""
    names = () if net.encoding is None else net.encoding.inputs.feature_names
    n_features = net.sizes[0]
    return names if len(names) == n_features else tuple(f"x{number}" for number in range(1, n_features + 1))


def _guess_loss(loss: Loss, y: Array) -> tuple[float, float]:
    """Compute the mean loss of the best constant answer, mean or median, and of the targets themselves."""
    low, high = loss.domain

    def mean_loss(a: Array) -> float:
        return float(loss.terms(np.clip(a, low, high).astype(y.dtype), y).sum(axis=1).mean())

    constants = (np.broadcast_to(middle, y.shape) for middle in (y.mean(axis=0), np.median(y, axis=0)))
    return min(map(mean_loss, constants)), mean_loss(y)


def rms(array: Array) -> float:
    """Compute the root mean square, without overflow."""
    largest = float(np.abs(array).max())
    if not 0 < largest < math.inf:
        return largest
    return largest * float(np.sqrt(np.square(array / largest, dtype=float).mean()))

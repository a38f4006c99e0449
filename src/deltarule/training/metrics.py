"""Metrics: how good outputs are, in numbers that are not the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled, check_whole, class_codes
from deltarule.errors import InputError
from deltarule.nn.engines import reference
from deltarule.nn.network import Network
from deltarule.registry import Registry, record

CHUNK = 8192  # rows at a time


@record
class Metric:
    """A measure of outputs ``a`` against targets ``y``, both (n_samples, n_outputs).

    Parameters
    ----------
    name : str
    value : callable, (a, y) -> float
    formula : str
    increases : bool
        Whether more is better.
    sums : callable, (a, y) -> ndarray, optional
        What is added up over pieces to measure all rows of a stream; without it, all outputs are kept in
        memory.
    of_sums : callable, (ndarray) -> float, optional
        The value of the metric, computed from these sums.

    Examples
    --------
    >>> METRICS.resolve("accuracy").value(np.array([[0.9], [0.2]]), np.array([[1.0], [1.0]]))
    0.5
    """

    name: str
    value: Callable[[Array, Array], float]
    formula: str
    increases: bool
    sums: Callable[[Array, Array], Array] | None = None
    of_sums: Callable[[Array], float] | None = None


def confusion_matrix(a: Array, y: Array) -> Array:
    """Count how often each class was predicted as each, (n_classes, n_classes): rows are the true classes,
    columns the predicted ones.

    Examples
    --------
    >>> confusion_matrix(np.array([[0.9], [0.2]]), np.array([[1.0], [1.0]]))
    array([[0, 0],
           [1, 1]])
    """
    n_classes = max(a.shape[1], 2)
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (class_codes(y), class_codes(a)), 1)
    return counts


def _top(k: int = 3) -> Metric:
    check_whole("top: k", k)

    def right(a: Array, y: Array) -> Array:
        if a.shape[1] < 2:
            raise InputError(f"metric top({k}) needs an output for each class, got 1 output")
        true = np.take_along_axis(a, class_codes(y)[:, None], axis=1)
        found: Array = (a > true).sum(axis=1) < k
        return found

    return _mean_of(f"top({k})", right, f"share of rows whose class is among the {k} greatest outputs", True)


def _mean_of(name: str, terms: Callable[[Array, Array], Array], formula: str, increases: bool) -> Metric:
    """Make a metric that is the mean of numbers, which rows of a stream add to."""

    def sums(a: Array, y: Array) -> Array:
        numbers = terms(a, y)
        return np.array([numbers.sum(dtype=float), numbers.size])

    return Metric(
        name, lambda a, y: float(terms(a, y).mean()), formula, increases, sums, lambda s: float(s[0] / s[1])
    )


def _r2(a: Array, y: Array) -> float:
    """Take the mean over outputs; a constant target counts 1 where it is met exactly and 0 otherwise."""
    residual = ((y - a) ** 2).sum(axis=0)
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    constant = total == 0
    r2 = np.where(constant, residual == 0, 1 - residual / np.where(constant, 1, total))
    return float(r2.mean())


def _r2_sums(a: Array, y: Array) -> Array:
    y = y.astype(float)
    return np.array(
        [np.full(y.shape[1], len(y)), y.sum(axis=0), (y**2).sum(axis=0), ((y - a) ** 2).sum(axis=0)]
    )


def _r2_of_sums(sums: Array) -> float:
    n, of_y, of_squares, residual = sums
    total = of_squares - of_y**2 / n
    constant = total <= np.finfo(float).eps * of_squares
    r2 = np.where(constant, residual == 0, 1 - residual / np.where(constant, 1, total))
    return float(r2.mean())


#: The metrics by name; ``top(k)`` takes a parameter.
METRICS: Registry[Metric] = Registry("metric", Metric)
METRICS.register("top", _top)


for _metric in (
    _mean_of(
        "accuracy", lambda a, y: class_codes(a) == class_codes(y), "share of rows whose class is right", True
    ),
    Metric("r2", _r2, "1 − Σ(y − a)² / Σ(y − ȳ)²", True, _r2_sums, _r2_of_sums),
    _mean_of("mae", lambda a, y: np.abs(a - y), "mean of |a − y|", False),
):
    METRICS.add(_metric.name, _metric)


def evaluate(
    net: Network, X: Any, Y: Any, *, sample_weight: Any = None, metrics: Sequence[str | Metric] = ()
) -> dict[str, float]:
    """Compute the cost and the metrics of a network on data, in bounded memory.

    Parameters
    ----------
    net : Network
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
    sample_weight : array-like, (n_samples,), optional
        The weights apply to the loss; metrics count every row once.
    metrics : sequence of str or Metric

    Returns
    -------
    dict
        ``{"loss": 0.03, "accuracy": 0.99}``

    Examples
    --------
    >>> evaluate(Network([1, 1], initializer="zeros"), [[1.0]], [[2.0]], metrics=["mae"])
    {'loss': 2.0, 'mae': 2.0}
    """
    x = net.inputs(X)
    y, weight = net.targets(Y, sample_weight, len(x))
    return measure(net, x, y, weight, [METRICS.resolve(metric) for metric in metrics])


def measure(
    net: Network,
    x: Array | Scaled,
    y: Array,
    weight: Array | None,
    metrics: Sequence[Metric],
    engine: ModuleType = reference,
) -> dict[str, float]:
    """Compute what :func:`evaluate` returns, from arrays that are known to fit."""
    data, a = loss_and_outputs(net, x, y, weight, engine)
    return {"loss": data + penalty_of(net)} | {metric.name: metric.value(a, y) for metric in metrics}


def penalty_of(net: Network) -> float:
    """Return the penalties on the weights of a network."""
    return float(sum(net.objective.penalty(layer.W) for layer in net.layers))


def loss_and_outputs(
    net: Network, x: Array | Scaled, y: Array, weight: Array | None = None, engine: ModuleType = reference
) -> tuple[float, Array]:
    """Compute the loss of the rows without penalties, and the outputs (n, n_outputs)."""
    objective = net.objective
    total, outputs = 0.0, []
    shares = np.broadcast_to(np.asarray(objective.shares(len(y), weight), dtype=float), (len(y), 1))
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        z = engine.last_z(net, x[rows])
        a = net.layers[-1].activation.value(z)
        terms = objective.terms(z, a, y[rows]).sum(axis=1, keepdims=True)
        total += float((terms * shares[rows]).sum())
        outputs.append(a)
    return total, outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

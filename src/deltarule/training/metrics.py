"""Metrics: how good outputs are, in numbers that are not the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled, as_batch, check_whole, class_codes
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

    Examples
    --------
    >>> METRICS.resolve("accuracy").value(np.array([[0.9], [0.2]]), np.array([[1.0], [1.0]]))
    0.5
    """

    name: str
    value: Callable[[Array, Array], float]
    formula: str
    increases: bool


def confusion_matrix(a: Array, y: Array) -> Array:
    """Count how often each class was taken for each, (n_classes, n_classes): rows true, columns predicted.

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

    def value(a: Array, y: Array) -> float:
        if a.shape[1] < 2:
            raise InputError(f"metric top({k}) needs an output for each class, got 1 output")
        true = np.take_along_axis(a, class_codes(y)[:, None], axis=1)
        return float(((a > true).sum(axis=1) < k).mean())

    return Metric(f"top({k})", value, f"share of rows whose class is among the {k} greatest outputs", True)


def _r2(a: Array, y: Array) -> float:
    """Take the mean over outputs; a constant target counts 1 where it is met exactly and 0 otherwise."""
    residual = ((y - a) ** 2).sum(axis=0)
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    constant = total == 0
    r2 = np.where(constant, residual == 0, 1 - residual / np.where(constant, 1, total))
    return float(r2.mean())


#: The metrics by name; ``top(k)`` takes a parameter.
METRICS: Registry[Metric] = Registry("metric", Metric)
METRICS.register("top", _top)


for _metric in (
    Metric(
        "accuracy",
        lambda a, y: float((class_codes(a) == class_codes(y)).mean()),
        "share of rows whose class is right",
        True,
    ),
    Metric("r2", _r2, "1 − Σ(y − a)² / Σ(y − ȳ)²", True),
    Metric("mae", lambda a, y: float(np.abs(a - y).mean()), "mean of |a − y|", False),
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
        Counts in the loss; metrics count every row once.
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
    net: Network, x: Array | Scaled, y: Array, weight: Array | None, metrics: Sequence[Metric]
) -> dict[str, float]:
    """Compute what :func:`evaluate` returns, from arrays that are known to fit."""
    objective = net.objective
    total, outputs = 0.0, []
    shares = np.broadcast_to(np.asarray(objective.shares(len(y), weight), dtype=float), (len(y), 1))
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        trace = reference.forward(net.layers, as_batch(x[rows], net.dtype))
        terms = objective.terms(trace[-1].z, trace.output, y[rows]).sum(axis=1, keepdims=True)
        total += float((terms * shares[rows]).sum())
        outputs.append(trace.output)
    penalty = sum(objective.penalty(layer.W) for layer in net.layers)
    a = outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
    return {"loss": float(total + penalty)} | {metric.name: metric.value(a, y) for metric in metrics}

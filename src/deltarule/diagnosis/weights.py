"""A learner's own first weights: what keeps them from learning though the gradient is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_matrix, as_numbers
from deltarule.checks import health
from deltarule.checks.finding import Finding
from deltarule.diagnosis.cases import NetworkSettings, Numbers
from deltarule.diagnosis.conventions import CONVENTIONS, Convention, observed_in
from deltarule.diagnosis.matching import Observed
from deltarule.diagnosis.report import Diagnosis
from deltarule.errors import InputError

#: What may be wrong with the weights of a network whose gradient is right.
_STATES = ("symmetric_neurons", "dead_units", "saturated_units", "huge_weights")


def with_findings(diagnosis: Diagnosis, numbers: Sequence[Numbers]) -> Diagnosis:
    """The diagnosis of a right gradient, with what keeps these weights from learning."""
    if diagnosis.settings is None:
        return diagnosis
    return replace(diagnosis, findings=tuple(_findings(numbers, diagnosis.settings)))


def _findings(numbers: Sequence[Numbers], settings: NetworkSettings) -> Iterator[Finding]:
    x, y = (np.concatenate([getattr(one, name) for one in numbers]) for name in "xy")
    report = health(numbers[0].network(settings), x, y)
    for finding in report.findings:
        if finding.name in _STATES and finding.severity != "note":
            yield finding


def own_numbers(weights: Any, biases: Any, X: Any, Y: Any, convention: Convention | None = None) -> Numbers:
    """A learner's own arrays as numbers without gradients; in a layout that is known, or W as it fits X."""
    W = [as_matrix(w, f"weights[{i}]").astype(float) for i, w in enumerate(weights)]
    x = as_matrix(X, "X").astype(float)
    if convention is not None and convention.samples == "columns":
        x = x.T
    if W[0].shape[0] != x.shape[1] if convention is None else convention.weights == "out_in":
        W = [w.T for w in W]
    if W[0].shape[0] != x.shape[1] or any(a.shape[1] != len(b) for a, b in pairwise(W)):
        raise InputError(f"weights of shapes {[w.shape for w in W]} do not fit X of shape {x.shape}")
    b: list[Array | None] = [None] * len(W)
    if biases is not None:
        b = [as_numbers(v, f"biases[{i}]").astype(float).reshape(-1) for i, v in enumerate(biases)]
    return Numbers(tuple(W), tuple(b), x, _targets(Y, x, W[-1].shape[1]), Observed((), ()))


def _targets(Y: Any, x: Array, n_outputs: int) -> Array:
    """(n, n_outputs), from samples in rows or columns."""
    y = as_numbers(Y, "Y").astype(float)
    if y.shape == (n_outputs, len(x)) != (len(x), n_outputs):
        y = y.T
    if y.size != len(x) * n_outputs:
        raise InputError(f"Y of shape {y.shape} does not fit {len(x)} samples and {n_outputs} outputs")
    return y.reshape(len(x), n_outputs)


def with_gradients(numbers: Numbers, gradients: Any) -> Numbers:
    """The same with somebody's gradients, in whatever layout they fit."""
    sizes = numbers.sizes
    for convention in CONVENTIONS:
        observed = observed_in(gradients, sizes, convention, numbers.bias == "shared")
        if observed is not None:
            return replace(numbers, observed=observed)
    raise InputError(
        f"gradients do not fit layers {sizes}: expected an array like each of the weights, and biases"
    )

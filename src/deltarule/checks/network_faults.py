"""Faults inside the network: weights, units without a gradient, gradients that vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from deltarule.arrays import Array
from deltarule.checks.finding import SEVERITIES, Finding, severity_of
from deltarule.checks.observations import FEW_ROWS, FITS_WELL, Observations, learns, rms
from deltarule.nn.activations import Activation

#: |w|: a warning, a problem. A thousand turns a standardised input into a z where bounded functions are flat.
HUGE = (1e3, 1e6)
#: Weights that agree to this share of their size are equal but for rounding.
EQUAL = 1e-6
#: A slope f′ below this passes on less than a thousandth: |z| > 6.9 for sigmoid, 4.1 for tanh.
TINY_SLOPE = 1e-3
#: A unit is saturated if its slope is tiny for more than this share of the rows: it learns from the rest.
MOST_ROWS = 0.9
#: An output that misses by this share of the targets' range needs a gradient; a fault, if so many lack one.
MISSED, MISSED_ROWS = 0.1, 0.1
#: Shares of a layer's units without a gradient: a note, a warning, a problem. A few dead ReLUs are common; a
#: unit that is never active has no gradient that could revive it (Maas, Hannun & Ng 2013, section 2).
SHARES = (0.1, 0.5, 0.9)
#: The last layer's RMS of delta over an earlier one's, or the inverse: a warning, a problem. Where weights
#: suit the width it stays near 1 (Glorot & Bengio 2010; He, Zhang, Ren & Sun 2015).
RATIOS = (1e3, 1e6)
#: A last delta smaller than this means that there is nothing left to learn.
NO_ERROR = 1e-9
#: Numbers in the Jacobians of softmax that are formed at a time.
JACOBIAN = 1_000_000


def not_finite(observed: Observations) -> Iterator[Finding]:
    """Parameters, or what is computed from them, that are no numbers."""
    theta = observed.net.parameters
    wrong = np.flatnonzero(~np.isfinite(theta))
    evidence = "The parameters are finite, but the numbers computed from them overflow."
    if len(wrong):
        first = observed.net.name_of(int(wrong[0]))
        evidence = f"{len(wrong):,} of {theta.size:,} parameters are NaN or infinite; the first is {first}."
    yield Finding.of("not_finite", "problem", evidence, {"parameters": len(wrong)})


def huge_weights(observed: Observations) -> Iterator[Finding]:
    """Layers whose largest weight is huge."""
    for number, layer in enumerate(observed.net.layers, 1):
        largest = float(np.abs(layer.W).max())
        if largest > HUGE[0]:
            severity = observed.milder(severity_of(largest, HUGE))
            evidence = f"The largest weight is {largest:.3g}."
            yield Finding.of("huge_weights", severity, evidence, {"largest": largest}, number)


def symmetric_neurons(observed: Observations) -> Iterator[Finding]:
    """Hidden neurons with the weights of another one."""
    for index, (layer, following) in enumerate(pairwise(observed.net.layers)):
        twins = _twins(layer.W, layer.b, following.W)
        if twins.any() and learns(observed.net, index):
            severity = "problem" if twins.all() else "warning"
            number = f"{twins.sum()} of {twins.size}"
            evidence = f"{number} neurons have the same weights, incoming and outgoing, as another neuron."
            numbers = {"share": float(twins.mean())}
            yield Finding.of("symmetric_neurons", severity, evidence, numbers, index + 1, twins)


def _twins(W: Array, b: Array | None, outgoing: Array) -> Array:
    """Which neurons have the same weights as another, but for rounding, (n_neurons,)."""
    bias = np.zeros(W.shape[1]) if b is None else np.broadcast_to(b, W.shape[1:])
    vectors = np.vstack([W, bias, outgoing.T]).T.astype(float)
    # Equal vectors are neighbours in the order of their products with any one vector.
    order = np.argsort(vectors @ np.random.default_rng(0).normal(size=vectors.shape[1]))
    before, after = vectors[order[:-1]], vectors[order[1:]]
    size = np.maximum(np.abs(before).max(axis=1), np.abs(after).max(axis=1))
    same = np.abs(before - after).max(axis=1) <= EQUAL * size
    twins = np.zeros(len(vectors), dtype=bool)
    twins[order[:-1][same]] = twins[order[1:][same]] = True
    return twins


def _slopes(activation: Activation, z: Array, a: Array) -> Array:
    """|f′(z)| of each entry; of a function that couples the outputs, |∂a_k/∂z_k|."""
    if not activation.coupled:
        return np.abs(activation.derivative(z, a))
    size = max(1, JACOBIAN // z.shape[1] ** 2)
    parts = [slice(start, start + size) for start in range(0, len(z), size)]
    jacobians = (activation.derivative(z[part], a[part]) for part in parts)
    return np.abs(np.vstack([np.diagonal(jacobian, axis1=-2, axis2=-1) for jacobian in jacobians]))


def _is_flat(observed: Observations, index: int) -> Array:
    """Where a layer's slope is tiny, (n_rows, n_neurons); nowhere if the loss takes it away: a − y."""
    step, activation = observed.trace[index], observed.net.layers[index].activation
    if index == len(observed.trace) - 1 and observed.net.objective.fused:
        return np.zeros(step.z.shape, dtype=bool)
    return _slopes(activation, step.z, step.a) < TINY_SLOPE


def _is_needed(observed: Observations, index: int) -> Array:
    """Where a gradient is needed, (n_rows, n_neurons): not at outputs that are right."""
    step = observed.trace[index]
    if index < len(observed.trace) - 1:
        return np.ones(step.z.shape, dtype=bool)
    return np.abs(step.a - observed.y) > MISSED * (float(np.ptp(observed.y)) or 1.0)


def is_dead(observed: Observations, index: int) -> Array:
    """Which units of a layer with a function bounded on one side get no gradient at all, (n_neurons,)."""
    low, high = observed.net.layers[index].activation.range
    dead = _is_flat(observed, index).all(axis=0) & _is_needed(observed, index).any(axis=0)
    return np.asarray(dead) & (math.isfinite(low) != math.isfinite(high))


def is_saturated(observed: Observations, index: int) -> Array:
    """Which units of a layer with a bounded function are flat in most rows, (n_neurons,).

    Of an output: flat, and wrong, in more than a few.
    """
    limit = MOST_ROWS if index < len(observed.trace) - 1 else MISSED_ROWS
    flat = (_is_flat(observed, index) & _is_needed(observed, index)).mean(axis=0)
    return np.asarray(flat > limit) & all(map(math.isfinite, observed.net.layers[index].activation.range))


def _without_gradient(
    name: str, observed: Observations, index: int, units: Array, lack: str
) -> Iterator[Finding]:
    """Units without a gradient: how many, and how bad that is."""
    share, activation = float(units.mean()), observed.net.layers[index].activation.name
    degree = sum(share >= limit for limit in SHARES) - (observed.skill >= FITS_WELL)
    degree -= len(observed.y) < FEW_ROWS and share < 1
    if degree > 0 and learns(observed.net, index):
        evidence = f"{units.sum()} of {units.size} {activation} neurons ({share:.0%}) have {lack}."
        numbers = {"share": share, "rows": len(observed.y)}
        yield Finding.of(name, SEVERITIES[degree - 1], evidence, numbers, index + 1, units)


def dead_units(observed: Observations) -> Iterator[Finding]:
    """Units of functions bounded on one side that get no gradient."""
    for index, layer in enumerate(observed.net.layers):
        seen = "z ≤ 0" if layer.activation.name == "relu" else f"a slope below {TINY_SLOPE:g}"
        lack = f"{seen} in every one of {len(observed.y):,} rows"
        yield from _without_gradient("dead_units", observed, index, is_dead(observed, index), lack)


def saturated_units(observed: Observations) -> Iterator[Finding]:
    """Units of bounded functions that are flat in most rows."""
    for index, step in enumerate(observed.trace):
        rows = f"more than {MOST_ROWS:.0%} of the rows"
        if index == len(observed.trace) - 1:
            rows = f"more than {MISSED_ROWS:.0%} of the rows, and are wrong there"
        lack = f"a slope below {TINY_SLOPE:g} in {rows}; mean |z| is {np.abs(step.z).mean():.3g}"
        yield from _without_gradient("saturated_units", observed, index, is_saturated(observed, index), lack)


def gradient_flow(observed: Observations) -> Iterator[Finding]:
    """The RMS of delta from the last layer to those before it that learn."""
    *before, last = (rms(grad.delta) for grad in observed.grads)
    learning = [index for index in range(len(before)) if learns(observed.net, index)]
    if not learning or last < NO_ERROR:
        return
    ratios = {index: before[index] / last for index in learning}
    index = max(ratios, key=lambda index: abs(math.log(ratios[index] or 1e-300)))
    ratio = ratios[index]
    factor = ratio if ratio > 1 else 1 / (ratio or 1e-300)
    if factor > RATIOS[0]:
        name = "exploding_gradients" if ratio > 1 else "vanishing_gradients"
        number = f"{factor:,.0f}" if factor < 1e7 else f"{factor:.1e}"
        times = f"{number} times that in" if ratio > 1 else f"1/{number} of that in"
        times = times if ratio else "0: no gradient arrives from"
        evidence = f"The RMS of delta in layer {index + 1} is {times} layer {len(observed.grads)}."
        severity = observed.milder(severity_of(factor, RATIOS))
        yield Finding.of(name, severity, evidence, {"ratio": ratio}, index + 1)

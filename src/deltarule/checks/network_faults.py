"""Faults inside the network: weights, units without a gradient, gradients that vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from deltarule.arrays import Array
from deltarule.checks.finding import SEVERITIES, Finding, grade, ordinals
from deltarule.checks.observations import FEW_ROWS, WELL, Signs, moves, rms
from deltarule.nn.activations import Activation

__all__ = [
    "dead_units",
    "gradient_flow",
    "huge_weights",
    "is_dead",
    "is_saturated",
    "not_finite",
    "saturated_units",
    "symmetric_neurons",
]

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


# ---------------------------------------------------------------- the weights


def not_finite(signs: Signs) -> Iterator[Finding]:
    """Parameters, or what is computed from them, that are no numbers."""
    theta = signs.net.parameters
    wrong = np.flatnonzero(~np.isfinite(theta))
    said = "The parameters are finite, but what is computed from them overflows."
    if len(wrong):
        first = signs.net.name_of(int(wrong[0]))
        said = f"{len(wrong):,} of {theta.size:,} parameters are NaN or infinite, first {first}."
    yield Finding("not_finite", "problem", said, (("parameters", float(len(wrong))),))


def huge_weights(signs: Signs) -> Iterator[Finding]:
    """Layers whose largest weight is huge."""
    for number, layer in enumerate(signs.net.layers, 1):
        largest = float(np.abs(layer.W).max())
        if largest > HUGE[0]:
            said, severity = f"The largest weight is {largest:.3g}.", signs.milder(grade(largest, HUGE))
            yield Finding("huge_weights", severity, said, (("largest", largest),), number)


def symmetric_neurons(signs: Signs) -> Iterator[Finding]:
    """Hidden neurons with the weights of another one."""
    for index, (layer, following) in enumerate(pairwise(signs.net.layers)):
        twins = _twins(layer.W, layer.b, following.W)
        if twins.any() and moves(signs.net, index):
            yield Finding(
                "symmetric_neurons",
                "problem" if twins.all() else "warning",
                f"{twins.sum()} of {twins.size} neurons have the same weights, in and out, as another one.",
                (("share", float(twins.mean())),),
                index + 1,
                ordinals(twins),
            )


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


# ---------------------------------------------------------------- the units and their gradients


def _slopes(activation: Activation, z: Array, a: Array) -> Array:
    """|f′(z)| of each entry; of a function that couples the outputs, |∂a_k/∂z_k|."""
    if not activation.coupled:
        return np.abs(activation.derivative(z, a))
    size = max(1, JACOBIAN // z.shape[1] ** 2)
    parts = [slice(start, start + size) for start in range(0, len(z), size)]
    jacobians = (activation.derivative(z[part], a[part]) for part in parts)
    return np.abs(np.vstack([np.diagonal(jacobian, axis1=-2, axis2=-1) for jacobian in jacobians]))


def _is_flat(signs: Signs, index: int) -> Array:
    """Where a layer's slope is tiny, (n_rows, n_neurons); nowhere if the loss takes it away: a − y."""
    step, activation = signs.trace[index], signs.net.layers[index].activation
    if index == len(signs.trace) - 1 and signs.net.objective.fused:
        return np.zeros(step.z.shape, dtype=bool)
    return _slopes(activation, step.z, step.a) < TINY_SLOPE


def _is_needed(signs: Signs, index: int) -> Array:
    """Where a gradient is needed, (n_rows, n_neurons): not at outputs that are right."""
    step = signs.trace[index]
    if index < len(signs.trace) - 1:
        return np.ones(step.z.shape, dtype=bool)
    return np.abs(step.a - signs.y) > MISSED * (float(np.ptp(signs.y)) or 1.0)


def is_dead(signs: Signs, index: int) -> Array:
    """Which units of a layer with a function bounded on one side get no gradient at all, (n_neurons,)."""
    low, high = signs.net.layers[index].activation.range
    dead = _is_flat(signs, index).all(axis=0) & _is_needed(signs, index).any(axis=0)
    return np.asarray(dead) & (math.isfinite(low) != math.isfinite(high))


def is_saturated(signs: Signs, index: int) -> Array:
    """Which units of a layer with a bounded function are flat in most rows, (n_neurons,).

    Of an output: flat, and wrong, in more than a few.
    """
    limit = MOST_ROWS if index < len(signs.trace) - 1 else MISSED_ROWS
    flat = (_is_flat(signs, index) & _is_needed(signs, index)).mean(axis=0)
    return np.asarray(flat > limit) & all(map(math.isfinite, signs.net.layers[index].activation.range))


def _idle(signs: Signs, name: str, units: Array, index: int, said: str) -> Iterator[Finding]:
    """Units without a gradient: how many, and how bad that is."""
    share, activation = float(units.mean()), signs.net.layers[index].activation.name
    degree = sum(share >= limit for limit in SHARES) - (signs.skill >= WELL)
    degree -= len(signs.y) < FEW_ROWS and share < 1
    if degree > 0 and moves(signs.net, index):
        evidence = f"{units.sum()} of {units.size} {activation} neurons ({share:.0%}) have {said}."
        numbers = (("share", share), ("rows", float(len(signs.y))))
        yield Finding(name, SEVERITIES[degree - 1], evidence, numbers, index + 1, ordinals(units))


def dead_units(signs: Signs) -> Iterator[Finding]:
    """Units of functions bounded on one side that get no gradient."""
    for index, layer in enumerate(signs.net.layers):
        seen = "z ≤ 0" if layer.activation.name == "relu" else f"a slope below {TINY_SLOPE:g}"
        said = f"{seen} in every one of {len(signs.y):,} rows"
        yield from _idle(signs, "dead_units", is_dead(signs, index), index, said)


def saturated_units(signs: Signs) -> Iterator[Finding]:
    """Units of bounded functions that are flat in most rows."""
    for index, step in enumerate(signs.trace):
        rows = f"more than {MOST_ROWS:.0%} of the rows"
        if index == len(signs.trace) - 1:
            rows = f"more than {MISSED_ROWS:.0%} of the rows, and are wrong there"
        said = f"a slope below {TINY_SLOPE:g} in {rows}; mean |z| is {np.abs(step.z).mean():.3g}"
        yield from _idle(signs, "saturated_units", is_saturated(signs, index), index, said)


def gradient_flow(signs: Signs) -> Iterator[Finding]:
    """The RMS of delta from the last layer to those before it that learn."""
    *before, last = (rms(grad.delta) for grad in signs.grads)
    learning = [index for index in range(len(before)) if moves(signs.net, index)]
    if not learning or last < NO_ERROR:
        return
    ratios = {index: before[index] / last for index in learning}
    index = max(ratios, key=lambda index: abs(math.log(ratios[index] or 1e-300)))
    ratio = ratios[index]
    factor = ratio if ratio > 1 else 1 / (ratio or 1e-300)
    if factor > RATIOS[0]:
        name = "exploding_gradients" if ratio > 1 else "vanishing_gradients"
        number = f"{factor:,.0f}" if factor < 1e7 else f"{factor:.1e}"
        times = f"{number} times" if ratio > 1 else f"1/{number} of" if ratio else "0, nothing of"
        said = f"The RMS of delta in layer {index + 1} is {times} that in layer {len(signs.grads)}."
        yield Finding(name, signs.milder(grade(factor, RATIOS)), said, (("ratio", ratio),), index + 1)

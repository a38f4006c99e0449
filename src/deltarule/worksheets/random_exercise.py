"""Random numbers that a person can compute with by hand: few decimals, and nothing degenerate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.quantities import Quantity, Rate
from deltarule.derivations.updates import contains
from deltarule.errors import InputError
from deltarule.formula.tree import Expr
from deltarule.nn.network import Network
from deltarule.nn.optimizers import GRADIENT, GradientStep
from deltarule.worksheets.exercise import Exercise
from deltarule.worksheets.exercise_formulas import PARTS, ExerciseFormulas, parameter_updated_to

#: Draws with numbers well above the rounding, then with numbers that are at least not rounded to 0.
_DRAWS = ((10.0, 500), (3.0, 2000), (1.0, 2000))

#: A bounded function is saturated where its slope is less, a kink is near where z is nearer.
_LEAST_SLOPE, _NEAREST_KINK = 0.03, 0.05

#: Of a softmax each output lies between.
_SHARES = (0.04, 0.96)

#: Of inputs: 1 would hide that it was forgotten.
_INPUTS = np.arange(1, 10) / 10

_GREATEST = 50.0  # that a person likes to compute with
_ZERO = 1e-12


def draw_exercise(
    settings: Mapping[str, Any],
    n_samples: int,
    optimizer: GradientStep | None,
    decimals: int,
    seed: int,
    frozen: Sequence[str] = (),
) -> Exercise:
    """Return an exercise with random numbers; equal arguments give equal numbers.

    Weights, biases and inputs have one or two decimals. No layer is dead, none saturated, no number near a
    kink, and none so small that it would be rounded to 0.

    Parameters
    ----------
    settings : mapping
        The arguments of :class:`~deltarule.Network`.
    n_samples : int
    optimizer : GradientStep, optional
        One that remembers something is asked for its second update, with a memory of the first.
    decimals : int
        The number of decimals to which answers are rounded.
    seed : int
    frozen : sequence of str

    Raises
    ------
    InputError
        If no such numbers are found: the network is too large for so few decimals.
    """
    rng = np.random.default_rng(seed)
    net = Network(**settings)
    n, remembers = net.parameters.size, optimizer is not None and bool(optimizer.slots)
    grid = np.arange(1, 20) / 20 if n < 20 else np.arange(5, 96) / 100
    for least in (least for least, draws in _DRAWS for _ in range(draws)):
        parameters = _draw_different(rng, grid, n) * rng.choice([-1.0, 1.0, 1.0], n)
        X = np.stack([_draw_different(rng, _INPUTS, net.sizes[0]) for _ in range(n_samples)])
        slots = _draw_memory(optimizer, n, rng) if optimizer is not None and remembers else None
        Y = _draw_targets(net, n_samples, rng)
        exercise = Exercise(settings, parameters, X, Y, optimizer, frozen, slots, 2 if remembers else 1)
        fault = next(find_faults(exercise, decimals, least), None)
        if fault is None:
            return exercise
    raise InputError(
        f"found no numbers for this network that suit {decimals} decimals (the last reason: {fault}); "
        "ask for more decimals, or use fewer neurons"
    )


def _draw_different(rng: np.random.Generator, grid: Array, n: int) -> Array:
    """n numbers of a grid, no two alike where there are enough."""
    return rng.choice(grid, n, replace=n > len(grid))


def _draw_memory(optimizer: GradientStep, n: int, rng: np.random.Generator) -> Array:
    """What the optimizer remembers of the update before: hundredths; of squares, small squares."""
    hundredths = rng.integers(1, 10, n) / 100 * rng.choice([-1, 1], n)
    of_squares = {str(symbol) for symbol, formula in optimizer.steps if contains(formula, GRADIENT**2)}
    squares = np.round(hundredths**2, 4)
    return np.stack([squares if name in of_squares else hundredths for name in optimizer.slots])


def _draw_targets(net: Network, n_samples: int, rng: np.random.Generator) -> Array:
    """Targets that the outputs can come near to."""
    k, loss, output = net.sizes[-1], net.loss, net.layers[-1].activation
    if loss.distribution:
        return np.eye(k)[rng.integers(k, size=n_samples)]
    if loss.name == "binary_cross_entropy":
        return rng.integers(0, 2, (n_samples, k)).astype(float)
    low, high = max(output.range[0], loss.targets[0]), min(output.range[1], loss.targets[1])
    low = -1.0 if low == -math.inf else low
    high = low + 2.0 if high == math.inf else high
    return np.round(low + (high - low) * rng.integers(1, 10, (n_samples, k)) / 10, 2)


def find_faults(exercise: Exercise, decimals: int, least: float = 1.0) -> Iterator[str]:
    """Name what makes an exercise unfit for a computation by hand; nothing where it is fit.

    Parameters
    ----------
    exercise : Exercise
    decimals : int
    least : float
        How many units of the last decimal a number is to have at least.
    """
    if len(np.unique(exercise.X, axis=0)) < len(exercise.X):
        yield "two samples are alike"
    yield from _layer_faults(exercise)
    with np.errstate(all="ignore"):
        formulas = ExerciseFormulas(exercise)
        for part in PARTS[: len(PARTS) - (exercise.step is None)]:
            for leaf in formulas.leaves(part):
                yield from _size_fault(formulas, leaf, least * 10.0**-decimals)


def _layer_faults(exercise: Exercise) -> Iterator[str]:
    for number, (layer, step) in enumerate(zip(exercise.net.layers, exercise.evidence.trace, strict=True), 1):
        activation = layer.activation
        if any(np.abs(step.z - kink).min() < _NEAREST_KINK for kink in activation.kinks):
            yield f"layer {number} is near a kink"
        if activation.coupled:
            if step.a.min() < _SHARES[0] or step.a.max() > _SHARES[1]:
                yield f"an output of layer {number} is near 0 or 1"
            continue
        slope = np.abs(activation.derivative(step.z, step.a))
        if (slope == 0).all(axis=1).any():
            yield f"layer {number} is dead"
        if (slope[slope > 0] < _LEAST_SLOPE).any() and math.isfinite(activation.range[1]):
            yield f"layer {number} is saturated"
    error = np.abs(exercise.evidence.trace.output - exercise.Y)
    bends = (*exercise.net.loss.kinks, *exercise.net.loss.knots)
    if any(np.abs(error - abs(bend)).min() < _NEAREST_KINK for bend in bends):
        yield "the loss is near a kink"


def _size_fault(formulas: ExerciseFormulas, leaf: Expr, least: float) -> Iterator[str]:
    """A number that rounding would take away, or that is unwieldy; of an update the change."""
    value = formulas.exact(leaf)
    parameter = parameter_updated_to(leaf)
    if parameter is not None:
        value -= formulas.exact(parameter)
    is_lost = abs(value) < least and not (abs(value) < _ZERO and _may_be_zero(formulas, leaf))
    if not math.isfinite(value) or abs(value) > _GREATEST or is_lost:
        yield f"{formulas.names.write(leaf)} is {value:.2g}"


def _may_be_zero(formulas: ExerciseFormulas, leaf: Expr) -> bool:
    """Whether a 0 is to be seen there: behind a shut ReLU; of a bias that all outputs of a softmax share."""
    p = leaf.by if isinstance(leaf, Rate) else leaf
    if isinstance(p, Quantity) and p.kind in ("b", "new") and not p.index:
        return formulas.evidence.is_coupled(p.layer)
    return any(layer.activation.kinks for layer in formulas.net.layers)

"""The output layer: mistakes in its delta."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop
from deltarule.diagnosis.catalogue.entry import Mistake, only, wrong


def error_of_output(p: Backprop) -> Array:
    """Return a − y, times each sample's share of the loss."""
    return (p.case.a[-1] - p.case.y) * p.case.share


def _has_slope(p: Backprop, shortened: bool) -> bool:
    """Whether there is a slope at the output, and whether the loss shortens with it as is asked."""
    return bool(p.case.objective.fused) == shortened and p.case.activation(p.case.L) != "identity"


def _against_all_targets(p: Backprop) -> Array:
    """``∂L/∂z`` of each output for every sample's target, added up: what (n,) against (n, 1) becomes."""
    case, total = p.case, np.zeros_like(p.case.y, float)
    for y in case.y:
        targets = np.broadcast_to(y, case.y.shape)
        total += case.objective.sample_delta(case.z[-1], case.a[-1], targets) * case.share
    return only(case.K == 1 and not case.is_coupled, total)


AT_OUTPUT: tuple[Mistake, ...] = (
    Mistake(
        key="slope_missing_at_output",
        title="no f′ at the output",
        why="The output's delta is the error alone. That is right for cross-entropy, where the slope "
        "cancels, and it is easily copied from there; with a squared error, the chain rule includes "
        "the slope of the output activation.",
        right="delta_L = (a_L − y) · f′(z_L)",
        remedy="Multiply the error by the slope of the output activation, for a sigmoid a_L·(1 − a_L).",
        variants=(
            wrong("delta_L = a_L − y", output_delta=lambda p: only(_has_slope(p, False), p.da())),
            wrong("delta_L = a_L − y", output_delta=lambda p: only(_has_slope(p, False), error_of_output(p))),
        ),
    ),
    Mistake(
        key="slope_too_many_at_output",
        title="one f′ too many at the output",
        why="With cross-entropy, the derivative of the loss and the slope of the sigmoid or softmax "
        "cancel, which leaves a − y.",
        right="delta_L = a_L − y",
        remedy="Leave the slope out: a − y already accounts for it.",
        variants=(
            wrong(
                "delta_L = (a_L − y) · a_L·(1 − a_L)",
                output_delta=lambda p: only(
                    _has_slope(p, True), error_of_output(p) * p.case.a[-1] * (1 - p.case.a[-1])
                ),
            ),
        ),
    ),
    Mistake(
        key="softmax_elementwise",
        title="softmax differentiated neuron by neuron",
        why="Each output of a softmax depends on every z of its row, not only on its own; a·(1 − a) "
        "covers only its own.",
        right="delta_L = a − y   (with cross-entropy)",
        remedy="Use the short form a − y. For another loss, use a · (g − Σ g·a) with g = ∂loss/∂a. As a "
        "check, each row of delta_L must sum to 0.",
        variants=(
            wrong(
                "delta_L = ∂loss/∂a · a·(1 − a)",
                output_delta=lambda p: only(p.case.is_coupled, p.da() * p.case.a[-1] * (1 - p.case.a[-1])),
            ),
        ),
    ),
    Mistake(
        key="softmax_twice",
        title="softmax applied twice",
        why="The network ends in a softmax, and the loss applies another one (the losses of many "
        "libraries expect raw z).",
        right="delta_L = softmax(z) − y",
        remedy="Apply softmax once: either in the network or in the loss.",
        variants=(
            wrong(
                "delta_L = softmax(softmax(z)) − y",
                output_delta=lambda p: only(
                    p.case.is_coupled, (p.case.f(p.case.L, p.case.a[-1]) - p.case.y) * p.case.share
                ),
            ),
        ),
    ),
    Mistake(
        key="softmax_over_samples",
        title="softmax over the wrong axis",
        why="The exponentials are divided by their sum over the samples instead of their sum over the "
        "classes.",
        right="e / e.sum(axis=1, keepdims=True)",
        remedy="Sum over the classes of each sample: each row of outputs must sum to 1.",
        variants=(
            wrong(
                "e / e.sum(axis=0)",
                output_delta=lambda p: only(
                    p.case.is_coupled, (p.case.f(p.case.L, p.case.z[-1].T).T - p.case.y) * p.case.share
                ),
            ),
        ),
    ),
    Mistake(
        key="broadcast_targets",
        title="targets (n,) against outputs (n, 1)",
        why="Subtracting targets of shape (n,) from outputs of shape (n, 1) gives an (n, n) array, because "
        "NumPy repeats both to a common shape (broadcasting): every output is compared with every target.",
        right="a − y.reshape(-1, 1)",
        remedy="Give the targets the same shape as the outputs, and check the shape of delta once.",
        variants=(
            wrong("a − y   with shapes (n, 1) and (n,)", output_delta=_against_all_targets),
            wrong(
                "a − y   with shapes (n, 1) and (n,)",
                output_delta=lambda p: _against_all_targets(p) / p.case.n,
            ),
        ),
    ),
)

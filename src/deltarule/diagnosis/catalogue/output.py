"""The output layer: mistakes in its delta."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake


def error_of_output(backprop: Backprop) -> Array:
    """Return a − y, times each sample's share of the loss."""
    case = backprop.case
    return (case.a[-1] - case.y) * case.share


class NoSlopeAtOutput(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if case.objective.fused or case.activation(case.L) == "identity":
            raise Unfit
        return case.objective.loss.derivative(case.a[-1], case.y) * case.share


class ErrorAsDelta(Backprop):
    def output_delta(self) -> Array:
        if self.case.objective.fused or self.case.activation(self.case.L) == "identity":
            raise Unfit
        return error_of_output(self)


class SlopeTooMany(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.objective.fused or case.activation(case.L) == "identity":
            raise Unfit
        return error_of_output(self) * case.a[-1] * (1 - case.a[-1])


class SoftmaxElementwise(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        da = case.objective.loss.derivative(case.a[-1], case.y)
        return da * case.a[-1] * (1 - case.a[-1]) * case.share


class SoftmaxTwice(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        return (case.f(case.L, case.a[-1]) - case.y) * case.share


class SoftmaxOverSamples(Backprop):
    def output_delta(self) -> Array:
        case = self.case
        if not case.is_coupled:
            raise Unfit
        return (case.f(case.L, case.z[-1].T).T - case.y) * case.share


class BroadcastTargets(Backprop):
    """(n,) against (n, 1): every sample's error becomes the sum of its errors for all targets."""

    average = False

    def output_delta(self) -> Array:
        case = self.case
        if case.K != 1 or case.is_coupled:
            raise Unfit
        right = super().output_delta()
        wrong = np.zeros_like(right)
        for y in case.y:
            targets = np.broadcast_to(y, case.y.shape)
            wrong += case.objective.sample_delta(case.z[-1], case.a[-1], targets) * case.share
        return wrong / case.n if self.average else wrong


class BroadcastMean(BroadcastTargets):
    """Targets of the wrong shape broadcast against the outputs, and the rows of errors averaged."""

    average = True


AT_OUTPUT: tuple[Mistake, ...] = (
    Mistake(
        "slope_missing_at_output",
        "no f′ at the output",
        "The output's delta is the error alone. That is right for cross-entropy, where the slope cancels, "
        "and is easily "
        "copied from there; with a squared error the slope of the output's activation belongs to the chain "
        "rule.",
        "delta_L = a_L − y",
        "delta_L = (a_L − y) · f′(z_L)",
        "Multiply the error by the slope of the output activation, for a sigmoid a_L·(1 − a_L).",
        (NoSlopeAtOutput, ErrorAsDelta),
    ),
    Mistake(
        "slope_too_many_at_output",
        "one f′ too many at the output",
        "With cross-entropy the derivative of the loss and the slope of sigmoid or softmax cancel; what is "
        "left is a − y.",
        "delta_L = (a_L − y) · a_L·(1 − a_L)",
        "delta_L = a_L − y",
        "Leave the slope out: it is in a − y already.",
        (SlopeTooMany,),
    ),
    Mistake(
        "softmax_elementwise",
        "softmax's derivative taken neuron by neuron",
        "Each output of a softmax depends on every z of its row, not only on its own. a·(1 − a) is how it "
        "depends on its own.",
        "delta_L = ∂loss/∂a · a·(1 − a)",
        "delta_L = a − y   (with cross-entropy)",
        "Use the short form a − y; with another loss, a · (g − Σ g·a) where g = ∂loss/∂a. A check: each row "
        "of delta_L must sum to 0.",
        (SoftmaxElementwise,),
    ),
    Mistake(
        "softmax_twice",
        "softmax applied twice",
        "The network ends in a softmax, and the loss applies one again (many libraries' losses expect raw "
        "z).",
        "delta_L = softmax(softmax(z)) − y",
        "delta_L = softmax(z) − y",
        "Apply softmax once: in the network, or in the loss.",
        (SoftmaxTwice,),
    ),
    Mistake(
        "softmax_over_samples",
        "softmax over the wrong axis",
        "The exponentials are divided by their sum over the samples, not over the classes.",
        "e / e.sum(axis=0)",
        "e / e.sum(axis=1, keepdims=True)",
        "Sum over the classes of each sample: each row of outputs must sum to 1.",
        (SoftmaxOverSamples,),
    ),
    Mistake(
        "broadcast_targets",
        "targets (n,) against outputs (n, 1)",
        "Outputs of shape (n, 1) less targets of shape (n,) give an (n, n) array (NumPy repeats both until "
        "they fit: broadcasting): every output is compared with every target.",
        "a − y   with shapes (n, 1) and (n,)",
        "a − y.reshape(-1, 1)",
        "Give the targets the outputs' shape, and check delta's shape once.",
        (BroadcastTargets, BroadcastMean),
    ),
)

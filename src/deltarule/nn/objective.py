"""What training makes small: a loss of the outputs, over all samples, and penalties on the weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.arrays import Array, check_number
from deltarule.errors import InputError
from deltarule.formula.tree import Expr, Symbol, absolute, sign
from deltarule.nn.activations import Activation, log_softmax, softplus
from deltarule.nn.losses import Loss, magnitude
from deltarule.registry import record

#: (output activation, loss) -> the loss of each output, (z, a, y) -> (n, k). The chain ``da ⊙ f′(z)`` of
#: these pairs shortens to ``delta = a − y``, and their loss is computed from ``z``, as ``a`` may have rounded
#: to 0 or 1, so that it stays exact. The first pair of an output is also its default loss.
FUSED: dict[tuple[str, str], Callable[[Array, Array, Array], Array]] = {
    ("softmax", "cross_entropy"): lambda z, a, y: -y * log_softmax(z, a),
    ("sigmoid", "binary_cross_entropy"): lambda z, a, y: softplus(z) - y * z,
    ("exp", "poisson"): lambda z, a, y: a - y * z,
    ("identity", "half_squared_error"): lambda z, a, y: (a - y) ** 2 / 2,
}


def loss_of_output(output: str) -> str:
    """Return the loss that belongs to an output: the one it shortens with, or else half squared error.

    Examples
    --------
    >>> loss_of_output("softmax"), loss_of_output("tanh")
    ('cross_entropy', 'half_squared_error')
    """
    return dict(FUSED.keys()).get(output, "half_squared_error")


#: The strength of a penalty and a weight, in the formulas of penalties.
STRENGTH, WEIGHT = Symbol("λ"), Symbol("w")


@record
class Penalty:
    """The formulas of a penalty on the weights: ``factor·Σ term``, and ``slope``, added to ``∂L/∂w``.

    Examples
    --------
    >>> for penalty in PENALTIES:
    ...     print(penalty.name, penalty.factor, penalty.term, penalty.slope, sep="   ")
    l1   λ   |w|   λ·sign(w)
    l2   λ/2   w²   λ·w
    """

    name: str
    factor: Expr
    term: Expr
    slope: Expr

    def of(self, formula: Expr, strength: Expr, weight: Expr = WEIGHT) -> Expr:
        """Return one of its formulas with this strength and this weight."""
        put: dict[Expr, Expr] = {STRENGTH: strength, WEIGHT: weight}
        return formula.replace(put.get)

    def gradient(self, strength: float, W: Array) -> Array:
        """Return the slope at each weight."""
        values: dict[Expr, Any] = {STRENGTH: strength, WEIGHT: W}
        slopes: Array = self.slope.value(values.__getitem__)
        return slopes


#: Each by the field of :class:`Objective` that holds its strength.
PENALTIES = (
    Penalty("l1", STRENGTH, absolute(WEIGHT), STRENGTH * sign(WEIGHT)),
    Penalty("l2", STRENGTH / 2, WEIGHT**2, STRENGTH * WEIGHT),
)


@record
class Objective:
    """What training makes small: the loss over the batch, and penalties on the weights.

        cost = 1/n Σᵢ Eᵢ + l1·Σ|W| + l2/2·ΣW²

    Parameters
    ----------
    loss : Loss
    output : Activation
        Of the last layer.
    reduction : "mean" or "sum"
        Of the samples. Weighted samples: ``Σ wᵢEᵢ / Σ wᵢ`` or ``Σ wᵢEᵢ``.
    l1, l2 : float
        Penalties on the weights, not on the biases; not divided by anything.
    """

    loss: Loss
    output: Activation
    reduction: str = "mean"
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        if self.reduction not in ("mean", "sum"):
            raise InputError(f"reduction must be 'mean' or 'sum', got {self.reduction!r}")
        for penalty in PENALTIES:
            check_number(penalty.name, getattr(self, penalty.name), 0)
        if not self.loss.accepts(self.output):
            low, high = self.loss.domain
            raise InputError(
                f"loss {self.loss.name!r} needs outputs between {low} and {high}, but output "
                f"{self.output.name!r} gives {self.output.range[0]} to {self.output.range[1]}"
            )

    @property
    def fused(self) -> Callable[[Array, Array, Array], Array] | None:
        """The loss from ``z``, where loss and output activation shorten together."""
        return FUSED.get((self.output.name, self.loss.name))

    def terms(self, z: Array, a: Array, y: Array) -> Array:
        """The loss of each output of each sample, (n, k)."""
        return self.fused(z, a, y) if self.fused else self.loss.terms(a, y)

    def sample_delta(self, z: Array, a: Array, y: Array) -> Array:
        """``∂Eᵢ/∂z`` of the last layer for each sample, (n, k), before the reduction."""
        if self.fused:
            return a - y
        return self.output.delta(self.loss.derivative(a, y), z, a)

    def shares(self, n: int, weight: Array | None = None) -> Array | float:
        """Return what each sample counts in the cost: 1/n, or 1; weighted: (n, 1)."""
        if weight is None:
            return 1 / n if self.reduction == "mean" else 1.0
        total = float(weight.sum())
        return weight / total if self.reduction == "mean" and total > 0 else weight

    @property
    def penalties(self) -> list[tuple[Penalty, float]]:
        """The penalties that there are, with their strengths."""
        strengths = ((penalty, getattr(self, penalty.name)) for penalty in PENALTIES)
        return [(penalty, strength) for penalty, strength in strengths if strength]

    def penalty(self, W: Array) -> float:
        """Return ``l1·Σ|W| + l2/2·ΣW²`` of one layer's weights."""
        l1 = self.l1 * magnitude(W).sum() if self.l1 else 0.0
        l2 = self.l2 / 2 * np.dot(W.ravel(), W.ravel()) if self.l2 else 0.0
        return l1 + l2

    def penalty_gradient(self, W: Array) -> Array:
        """Return ``l1·sign(W) + l2·W``."""
        slopes = [penalty.gradient(strength, W) for penalty, strength in self.penalties]
        return sum(slopes[1:], slopes[0]) if slopes else np.zeros_like(W)

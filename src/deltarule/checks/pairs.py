"""Outputs, losses and targets that do not go together: what such a network cannot learn, and what would."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deltarule.arrays import Array
from deltarule.checks.finding import Finding
from deltarule.checks.observations import Observations
from deltarule.nn.activations import Activation
from deltarule.nn.losses import Loss

#: The share of rows with a target out of reach from which on training is in vain.
_TOO_MANY = 0.05


def pair_fault(output: Activation, loss: Loss, y: Array) -> tuple[str, str] | None:
    """Say why a network with this output and loss cannot learn such targets, or learns them badly.

    Parameters
    ----------
    output : Activation
        Of the last layer.
    loss : Loss
    y : ndarray, (n_samples, n_outputs)

    Returns
    -------
    severity, reason : str
        "problem" where it cannot, "warning" where it learns badly; or None.

    Examples
    --------
    >>> from deltarule.nn.activations import ACTIVATIONS
    >>> from deltarule.nn.losses import LOSSES
    >>> relu, loss = ACTIVATIONS.resolve("relu"), LOSSES.resolve("half_squared_error")
    >>> pair_fault(relu, loss, np.array([[-1.0], [1.0]]))[1].partition(":")[0]
    '50% of the rows have a target that relu cannot produce'
    """
    mismatch = _mismatch(output, loss, y.shape[1])
    if mismatch is not None:
        return mismatch
    share = unreachable(output, y).any(axis=1).mean()
    if share > _TOO_MANY:
        low, high = output.range
        return "problem", (
            f"{share:.0%} of the rows have a target that {output.name} cannot produce: its outputs "
            f"range from {low:g} to {high:g}, the targets from {y.min():.3g} to {y.max():.3g}"
        )
    return None


def _mismatch(output: Activation, loss: Loss, n_outputs: int) -> tuple[str, str] | None:
    """Say why they do not go together, whatever the targets are."""
    if output.coupled and n_outputs == 1:
        return "problem", f"a single {output.name} output is 1, whatever the weights are"
    if loss.name == "cross_entropy" and not output.coupled and n_outputs > 1:
        return "problem", (
            f"cross_entropy looks only at the output of the true class: with {output.name} nothing "
            "pushes the others down, so all outputs go to 1"
        )
    if loss.name == "binary_cross_entropy" and output.coupled:
        return "warning", (
            "binary_cross_entropy treats each output as a separate yes-or-no question, but the "
            f"outputs of {output.name} sum to 1"
        )
    return None


def unreachable(output: Activation, y: Array) -> Array:
    """Where a target is beyond the output's range, (n_samples, n_outputs) of bool."""
    slack = 1e-6 * max(1.0, float(np.abs(y).max()))
    beyond: Array = np.abs(y - np.clip(y, *output.range)) > slack
    return beyond


def mismatched_loss(observed: Observations) -> Iterator[Finding]:
    """An output and a loss that do not go together."""
    fault = _mismatch(observed.output, observed.net.loss, observed.y.shape[1])
    if fault is not None:
        severity, reason = fault
        evidence = f"{reason[0].upper()}{reason[1:]}."
        yield Finding.of("mismatched_loss", severity, evidence, {}, len(observed.net.layers))

"""What keeps first weights from learning, though the gradient is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.checks import health
from deltarule.checks.finding import Finding
from deltarule.diagnosis.reading.network import ReadNetwork
from deltarule.nn.network import Network

_STATES = ("symmetric_neurons", "dead_units", "saturated_units", "huge_weights")


def findings_of(network: ReadNetwork, own: dict[str, Any] | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with the first weights of a network that was read, or with those of a start.

    Networks of one activation in all hidden layers only are looked at.
    """
    from deltarule.diagnosis.one_case import own_layers

    step = network.steps[0]
    hidden = set(network.activations[:-1])
    W, b, x, y = own_layers(own) if own else (step.W, step.b, step.x, step.y)
    if len(W) != len(step.W) or len(hidden) != 1:
        return ()
    net = Network(
        [len(W[0]), *(one.shape[1] for one in W)],
        activation=hidden.pop(),
        output=network.activations[-1],
        loss=network.loss,
        bias=_kind_of_bias(W, b),
    )
    parts = [part.ravel() for pair in zip(W, b, strict=True) for part in pair if part is not None]
    net.parameters[:] = np.concatenate(parts)
    found = health(net, x, y).findings
    return tuple(one for one in found if one.name in _STATES and one.severity != "note")


def _kind_of_bias(W: Sequence[Array], b: Sequence[Array | None]) -> str:
    if b[0] is None:
        return "none"
    one_for_all = any(v is not None and v.size == 1 < w.shape[1] for w, v in zip(W, b, strict=True))
    return "shared" if one_for_all else "neuron"

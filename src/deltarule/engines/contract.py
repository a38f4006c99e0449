"""What an engine is given: the parts of a network it reads, and batches of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from deltarule.arrays import Array
from deltarule.layers import Layer
from deltarule.losses import Objective

__all__ = ["Batch", "Model"]

#: ``x`` (n, n_features), ``y`` (n, n_outputs) and sample weights (n, 1) or None.
Batch: TypeAlias = tuple[Array, Array, Array | None]


class Model(Protocol):
    """A network, as engines see it.

    Attributes
    ----------
    layers : sequence of Layer
    objective : Objective
    parameters : ndarray, (n_parameters,)
        All weights and biases; the layers hold views into it.
    frozen : ndarray of int
        Where ``parameters`` must not move.
    decaying : ndarray of bool, (n_parameters,)
        Where ``parameters`` holds a weight that is trained.
    """

    @property
    def layers(self) -> Sequence[Layer]: ...
    @property
    def objective(self) -> Objective: ...
    @property
    def parameters(self) -> Array: ...
    @property
    def frozen(self) -> Array: ...
    @property
    def decaying(self) -> Array: ...

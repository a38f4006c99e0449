"""What an engine is given, and what it must do: ``run_epochs`` and ``predict``.

An engine is a module with a number ``BLOCK``, how many rows times parameters it may go through in one call
while nobody needs to look (one epoch at least; an update counts ``UPDATE_WORK`` more), and a function

    run_epochs(net, samples, size, orders, optimizer, slots, rates, t, rng) -> losses

that makes one update for each batch of each epoch, in place of ``net.parameters`` and ``slots``:

net : TrainableNetwork
samples : Samples
size : int
    Rows of a batch; the last one may have fewer.
orders : ndarray of int, (n_epochs, n_rows), or None
    In which order each epoch takes the rows; None takes them as they stand.
optimizer : GradientStep
slots : ndarray, (number of slots, n_parameters)
rates : ndarray, (n_epochs, n_batches)
    The learning rate of each update.
t : int
    Number of updates made before.
rng : Generator
    Draws the dropout masks.

It returns the loss of each epoch: the mean of the batches' costs, each counted by its share of the samples
(their sum, where the objective sums), as they were before each batch's update. At the first epoch in which
a cost or a parameter is not finite it stops, sets the parameters back to what they were before that epoch,
and returns the losses of the epochs before.

    predict(net, x) -> outputs

gives the last layer's ``a`` (n, n_outputs) for inputs ``x`` (n, n_features), an array or ``Scaled``, in
bounded memory, and

    last_z(net, x) -> z

its ``z``, from which losses are computed, for some thousand rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from deltarule.arrays import Array, Csr, Scaled, as_batch, in_row_order
from deltarule.nn.layers import Layer
from deltarule.nn.objective import Objective

#: As so many rows times parameters each update counts, whatever its size.
UPDATE_WORK = 1000

#: ``x`` (n, n_features), ``y`` (n, n_outputs) and sample weights (n, 1) or None.
Batch: TypeAlias = tuple[Array | Csr, Array, Array | None]


class TrainableNetwork(Protocol):
    """What an engine sees of a network, which lies above the engines.

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


class NetworkWithEngine(TrainableNetwork, Protocol):
    """A network that knows the name of the engine that trained it last."""

    engine: str


@dataclass(frozen=True, eq=False)
class Samples:
    """``x`` (n, n_features), ``y`` (n, n_outputs), sample weights (n, 1) or None, known to fit the network.

    ``x`` keeps a number type narrower than the network's (images stay bytes) and is widened, and scaled,
    batch by batch.
    """

    x: Array | Scaled
    y: Array
    weight: Array | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", in_row_order(self.x))

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Array | slice) -> Samples:
        """Return some of the samples: a slice of them, or those with these numbers."""
        weight = None if self.weight is None else _take_rows(self.weight, rows)
        return Samples(_take_rows(self.x, rows), _take_rows(self.y, rows), weight)

    def batches(self, size: int, order: Array | None, dtype: np.dtype[Any]) -> Iterator[Batch]:
        """Go through consecutive batches, the last one possibly smaller, ``x`` as ``dtype``."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size) if order is None else order[start : start + size]
            weight = None if self.weight is None else _take_rows(self.weight, rows)
            yield as_batch(_take_rows(self.x, rows), dtype), _take_rows(self.y, rows), weight


def _take_rows(part: Any, rows: Array | slice) -> Any:
    """Return ``part[rows]``; rows of an array by ``take``, which is quicker for them."""
    by_number = isinstance(part, np.ndarray) and isinstance(rows, np.ndarray)
    return part.take(rows, axis=0) if by_number else part[rows]

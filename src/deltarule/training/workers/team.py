"""Workers: who computes the sum over a batch's shards. Whoever they are, its bits are the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TextIO, TypeVar

from deltarule.arrays import Array
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shards import ShardSums, Shared

T = TypeVar("T")

#: Seconds from one sign of life of a worker to the next, and without one after which it counts as stopped.
BEAT, SILENCE = 0.5, 7.0


class Workers(Protocol):
    """The workers that train one network together; each of them holds all of its parameters.

    Attributes
    ----------
    count : int
        How many there are.
    is_first : bool
        Whether this one is the one that measures, prints and writes files.
    """

    @property
    def count(self) -> int: ...
    @property
    def is_first(self) -> bool: ...

    def sums(self, engine: str, net: TrainableNetwork, samples: Samples, size: int) -> ShardSums:
        """Return what computes this worker's part for batches of ``size`` rows."""

    def total(self, sums: ShardSums, batch: Shared, out: Array) -> float:
        """Put the gradient summed over all shards of a batch into ``out``, for each; return their cost."""

    def first(self, compute: Callable[[], T]) -> T:
        """Return, to each of them, what the first one computes."""

    def all(self, own: T) -> list[T]:
        """Return, to each of them, what all have, in their order."""

    def stands(self, checkpoint: str) -> None:
        """Keep the place of the last checkpoint, which is told where workers end without one of them."""

    def end(self, error: BaseException | None) -> None:
        """Part, at the end of a training or with what this worker alone may have raised."""


def tell(text: str, to: TextIO | None) -> None:
    """Print a line for people, where there is somewhere to print."""
    with suppress(OSError, ValueError, AttributeError):
        print(f"deltarule: {' '.join(text.split())}", file=to, flush=True)


def usable_cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system binds processes to cores
        return os.cpu_count() or 1


class OneWorker:
    """This process alone, with a thread for each core."""

    count, is_first = 1, True

    def sums(self, engine: str, net: TrainableNetwork, samples: Samples, size: int) -> ShardSums:
        """See :class:`Workers`."""
        return ShardSums.of(engine, net, samples, size, usable_cores())

    def total(self, sums: ShardSums, batch: Shared, out: Array) -> float:
        """See :class:`Workers`."""
        return sums.sum(batch, 0, batch.n_shards, out)

    def first(self, compute: Callable[[], T]) -> T:
        """See :class:`Workers`."""
        return compute()

    def all(self, own: T) -> list[T]:
        """See :class:`Workers`."""
        return [own]

    def stands(self, checkpoint: str) -> None:
        """See :class:`Workers`."""

    def end(self, error: BaseException | None) -> None:
        """See :class:`Workers`."""

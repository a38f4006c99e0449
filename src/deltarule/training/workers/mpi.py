"""Workers that an MPI launcher started: ``mpiexec -n 8 deltarule train …``.

Each step that all take together, a sum or what the first worker tells, is counted. Where one of them dies and
MPI can go on without it (Open MPI under ``mpiexec --with-ft ulfm``), the others shrink to a group of their
own. A step ends for nobody before all have begun it, so that some may stand one step behind the rest: they
are told its result. Then the step at which they were interrupted is taken again, its shards divided anew.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shards import Branch, ShardedBatch, ShardSums, add_branches, branches_of
from deltarule.registry import import_extra
from deltarule.training.workers.team import usable_cores
from deltarule.training.workers.watch import Watch

T = TypeVar("T")

#: Seconds after which a process ends that still waits for the others to start.
START = 30.0

#: Numbers up to which every worker adds all parts by itself, in one exchange instead of two; also where there
#: are two parts.
FEW_NUMBERS = 4096


@cache
def mpi_workers() -> MpiWorkers:
    """Return the workers that MPI knows; this process alone, where no launcher started it."""
    with open(os.devnull, "w") as nowhere:
        # MPI waits for ever for a process that died before all had met; and Python's threads wait with it.
        faulthandler.dump_traceback_later(START, exit=True, file=nowhere)
        try:
            return MpiWorkers(import_extra("mpi4py.MPI", "mpi"))
        finally:
            faulthandler.cancel_dump_traceback_later()


class MpiWorkers:
    """All processes of an MPI job, as :class:`Workers`."""

    def __init__(self, mpi: Any) -> None:
        self._mpi, self._comm = mpi, mpi.COMM_WORLD.Dup()
        self._failures = set()
        if _can_shrink(mpi):
            self._failures = {mpi.ERR_PROC_FAILED, mpi.ERR_PROC_FAILED_PENDING, mpi.ERR_REVOKED}
        self._step = 0
        self._last: tuple[Any] | None = None
        #: What a process does that becomes the first one.
        self.when_first: Callable[[], None] = lambda: None
        self._watch = self._meet()

    def _meet(self) -> Watch:
        """Let all who have come watch over each other."""
        while True:
            try:
                return Watch(self._comm, can_go_on=bool(self._failures))
            except self._mpi.Exception as error:  # one was lost on the way here
                if error.Get_error_class() not in self._failures:
                    raise
                self._comm.Revoke()
                self._comm = self._comm.Shrink()

    @property
    def count(self) -> int:
        """See :class:`Workers`."""
        return int(self._comm.size)

    @property
    def is_first(self) -> bool:
        """See :class:`Workers`."""
        return bool(self._comm.rank == 0)

    def sums(self, engine: str, net: TrainableNetwork, samples: Samples, size: int) -> ShardSums:
        """See :class:`Workers`."""
        return ShardSums(engine, net, samples, size, self._threads)

    @property
    def _threads(self) -> int:
        """This process's share of the cores that it may use."""
        cores, everywhere = usable_cores(), os.cpu_count() or 1
        return cores if cores < everywhere else max(1, cores // self._watch.count_here)

    def total(self, sums: ShardSums, batch: ShardedBatch, out: Array) -> float:
        """See :class:`Workers`."""

        def step() -> tuple[float, Array]:
            cost = _total(self._mpi, self._comm, sums, batch, out)
            return cost, out.copy() if self._failures else out

        cost, gradient = self._together(step)
        if gradient is not out:
            out[:] = gradient
        return cost

    def first(self, compute: Callable[[], T]) -> T:
        """See :class:`Workers`."""

        def step() -> T | Exception:
            told: T | Exception | None = None
            if self.is_first:
                try:
                    told = compute()
                except Exception as error:
                    told = error
            found: T | Exception = self._comm.allgather(told)[0]  # each waits for all, unlike bcast
            return found

        told = self._together(step)
        if isinstance(told, Exception):
            raise told
        return told

    def _together(self, step: Callable[[], T]) -> T:
        """Take a step together with the other workers, with those that are left."""
        with self._watch.waiting():
            while True:
                try:
                    result = step()
                    break
                except self._mpi.Exception as error:
                    if error.Get_error_class() not in self._failures:
                        raise
                    missed = self._shrink()
                    if missed is not None:
                        result = missed[0]
                        break
        self._step += 1
        self._last = (result,) if self._failures else None
        return result

    def _shrink(self) -> tuple[Any] | None:
        """Go on as a group of those that are left; return the result of this step, where others have it."""
        while True:
            try:
                self._comm.Revoke()
                was_first, self._comm = self.is_first, self._comm.Shrink()
                steps = self._comm.allgather(self._step)
                newest = max(steps)
                told: Any = None
                if min(steps) < newest:
                    told = self._comm.allgather(self._last if self._step == newest else None)
                    told = told[steps.index(newest)]
                self._watch = self._watch.renewed(self._comm)
                if self.is_first and not was_first:
                    self.when_first()
                return told if self._step < newest else None
            except self._mpi.Exception as error:  # one more was lost meanwhile
                if error.Get_error_class() not in self._failures:
                    raise

    def end(self, error: BaseException | None) -> None:
        """See :class:`Workers`."""
        if error is not None:
            self._watch.give_up(error)
        else:
            self.first(lambda: None)  # nobody leaves before the last checkpoint is written

    def stands(self, checkpoint: str) -> None:
        """See :class:`Workers`."""
        self._watch.stands = f"; the last checkpoint stands: {checkpoint}"


#: What ``mpiexec --with-ft ulfm`` sets.
_ENABLED = "OMPI_MCA_mpi_ft_enable"


def _can_shrink(mpi: Any) -> bool:
    """Whether MPI lets the other processes go on when one has died."""
    return os.environ.get(_ENABLED) in ("1", "true") and hasattr(mpi.Comm, "Shrink")


def _total(mpi: Any, comm: Any, sums: ShardSums, batch: ShardedBatch, out: Array) -> float:
    """Sum a batch's shards over all processes, in the order of the tree; return the cost."""
    cuts = branches_of(batch.n_shards, comm.size)
    parts = np.empty((len(cuts[comm.rank]), out.size), out.dtype)
    own_costs = [
        sums.sum(batch, low, high, part) for (low, high), part in zip(cuts[comm.rank], parts, strict=True)
    ]
    counts, cut = [len(own) for own in cuts], [branch for own in cuts for branch in own]
    costs = np.empty(len(cut))
    comm.Allgatherv(np.array(own_costs, dtype=float), [costs, counts])
    if out.size <= FEW_NUMBERS or len(cut) <= 2:
        add_everywhere(comm, parts, counts, cut, out)
    else:
        add_in_ranges(comm, parts, counts, cut, out)
    return float(add_branches(cut, costs.tolist()))


def add_everywhere(comm: Any, parts: Array, counts: list[int], cut: list[Branch], out: Array) -> None:
    """Every process receives all parts and adds them."""
    found = np.empty((len(cut), out.size), out.dtype)
    comm.Allgatherv(parts, [found, [count * out.size for count in counts]])
    out[:] = add_branches(cut, list(found))


def add_in_ranges(comm: Any, parts: Array, counts: list[int], cut: list[Branch], out: Array) -> None:
    """Every process receives one range of the numbers of all parts, adds them, and gives it to all."""
    bounds = [out.size * rank // comm.size for rank in range(comm.size + 1)]
    widths = [stop - start for start, stop in pairwise(bounds)]
    sent = parts.reshape(-1)
    if len(parts) > 1:
        sent = np.concatenate([parts[:, start:stop].reshape(-1) for start, stop in pairwise(bounds)])
    width = widths[comm.rank]
    found = np.empty((len(cut), width), out.dtype)
    comm.Alltoallv(
        [sent, [len(parts) * each for each in widths]], [found, [count * width for count in counts]]
    )
    comm.Allgatherv(add_branches(cut, list(found)), [out, widths])

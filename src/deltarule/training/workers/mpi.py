"""Workers that an MPI launcher started: ``mpiexec -n 8 deltarule train …``.

Each step that all take together, a sum or what the first worker tells, is counted. Where one of them dies and
MPI can go on without it (Open MPI under ``mpiexec --with-ft ulfm``), the others shrink to a group of their
own. A step ends for nobody before all have begun it, so that some may stand one step behind the rest: they
are told its result. Then the step at which they were interrupted is taken again, its shards divided anew.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shards import Branch, ShardSums, Shared, add_branches
from deltarule.registry import import_extra
from deltarule.training.workers.start import CAN_GO_ON, watched_start
from deltarule.training.workers.team import usable_cores
from deltarule.training.workers.watch import Watch

T = TypeVar("T")

#: Numbers up to which every worker adds all parts by itself, in one exchange instead of two; also where there
#: are two parts.
FEW_NUMBERS = 4096
#: Bytes that a message has at least, where a gradient is sent in pieces.
LEAST_BYTES = 4096
#: Exchanges under way beside the computing, before the eldest is waited for.
LAG = 2

#: An exchange in steps: each request that it yields is waited for before the next one.
Exchange: TypeAlias = Iterator[Any]


@cache
def mpi_workers() -> MpiWorkers:
    """Return the workers that MPI knows; this process alone, where no launcher started it."""
    with watched_start():
        mpi = import_extra("mpi4py.MPI", "mpi")
        try:
            return MpiWorkers(mpi)
        except Exception as error:  # the others wait for this one
            print(f"deltarule: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            mpi.COMM_WORLD.Abort(1)
            raise


class MpiWorkers:
    """All processes of an MPI job, as :class:`Workers`."""

    def __init__(self, mpi: Any) -> None:
        self._mpi, self._comm = mpi, mpi.COMM_WORLD.Dup()
        self._failures = set()
        if CAN_GO_ON and hasattr(mpi.Comm, "Shrink"):
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
        return ShardSums.of(engine, net, samples, size, self._threads)

    @property
    def _threads(self) -> int:
        """This process's share of the cores that it may use."""
        cores, everywhere = usable_cores(), os.cpu_count() or 1
        return cores if cores < everywhere else max(1, cores // self._watch.count_here)

    def total(self, sums: ShardSums, batch: Shared, out: Array) -> float:
        """See :class:`Workers`."""

        def step() -> tuple[float, Array]:
            cost = _total(self._comm, sums, batch, out)
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

    def all(self, own: T) -> list[T]:
        """See :class:`Workers`."""
        found: list[T] = self._together(lambda: self._comm.allgather(own))
        return found

    def _together(self, step: Callable[[], T]) -> T:
        """Take a step together with the other workers, with those that are left."""
        with self._watch.waiting():
            while True:
                try:
                    result = step()
                    break
                except Exception as error:
                    if not self._tells_a_loss(error):
                        raise
                    missed = self._shrink()
                    if missed is not None:
                        result = missed[0]
                        break
        self._step += 1
        self._last = (result,) if self._failures else None
        return result

    def _tells_a_loss(self, error: Exception) -> bool:
        """Whether an error says that another worker was lost; what that one sent may come as any bytes."""
        if isinstance(error, self._mpi.Exception):
            return error.Get_error_class() in self._failures
        return bool(self._failures) and isinstance(error, pickle.UnpicklingError | EOFError)

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
            except Exception as error:  # one more was lost meanwhile
                if not self._tells_a_loss(error):
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


def _total(comm: Any, sums: ShardSums, batch: Shared, out: Array) -> float:
    """Sum a batch's shards over all processes, in the order of the tree; return the cost.

    What is there of the sums is on its way while the rest is computed.
    """
    cuts = batch.cuts(comm.size)
    own, counts, cut = cuts[comm.rank], [len(each) for each in cuts], [each for part in cuts for each in part]
    parts, costs = np.empty((len(own), out.size), out.dtype), np.empty(len(cut))
    n_sent = max(1, out.nbytes // (LEAST_BYTES * comm.size))
    at_once = -(-len(sums.pieces) // n_sent)
    with UnderWay() as under_way:
        end = out.size
        for number, own_costs in enumerate(sums.sum_by_pieces(batch, own, parts), 1):
            if number == 1:
                under_way.add(gather(comm, np.array(own_costs, dtype=float), counts, costs))
            start = sums.pieces[number - 1].start
            if number % at_once == 0 or start == 0:
                under_way.add(add_parts(comm, parts[:, start:end], counts, cut, out[start:end]))
                end = start
    return float(add_branches(cut, costs.tolist()))


class UnderWay:
    """Exchanges that were begun; they go on in an order that is the same in all processes.

    It is a context: at its end all are done.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Exchange, Any]] = deque()

    def add(self, exchange: Exchange) -> None:
        """Begin one, and let the others go on: each is asked by itself, so that its own error is raised."""
        self._waiting.append((exchange, next(exchange)))
        if len(self._waiting) > LAG:
            self._go_on()
        for _, under_way in self._waiting:
            under_way.Test()  # MPI moves what is under way only while it is called

    def _go_on(self) -> None:
        exchange, request = self._waiting.popleft()
        request.Wait()
        request = next(exchange, None)
        if request is not None:
            self._waiting.append((exchange, request))

    def __enter__(self) -> UnderWay:
        return self

    def __exit__(self, raised: object, *more: object) -> None:
        try:
            while self._waiting and raised is None:
                self._go_on()
        finally:
            if self._waiting:  # MPI may still write into their arrays
                _abandoned.append(self)


_abandoned: list[UnderWay] = []


def gather(comm: Any, parts: Array, counts: list[int], found: Array) -> Exchange:
    """Every process receives the parts of all: ``counts`` rows of each."""
    width = found.size // len(found)
    yield comm.Iallgatherv(parts, [found, [count * width for count in counts]])


def add_parts(comm: Any, parts: Array, counts: list[int], cut: list[Branch], out: Array) -> Exchange:
    """Add the parts of all branches (one of them a row) in the order of the tree, for every process.

    Each receives one range of the numbers of all parts, adds them, and gives it to all; where there are few,
    each receives all parts and adds them itself.
    """
    if counts == [1, 1]:
        found = np.empty_like(out)
        sending = comm.Isend(parts, 1 - comm.rank)
        yield comm.Irecv(found, 1 - comm.rank)
        np.add(parts[0], found, out=out)
        yield sending
        return
    if out.size <= FEW_NUMBERS or len(cut) <= 2:
        found = np.empty((len(cut), out.size), out.dtype)
        yield from gather(comm, np.ascontiguousarray(parts), counts, found)
        out[:] = add_branches(cut, list(found))
        return
    bounds = [out.size * rank // comm.size for rank in range(comm.size + 1)]
    widths = [stop - start for start, stop in pairwise(bounds)]
    sent = np.concatenate([parts[:, start:stop].reshape(-1) for start, stop in pairwise(bounds)])
    width = widths[comm.rank]
    found = np.empty((len(cut), width), out.dtype)
    yield comm.Ialltoallv(
        [sent, [len(parts) * each for each in widths]], [found, [count * width for count in counts]]
    )
    total = add_branches(cut, list(found))
    yield comm.Iallgatherv(total, [out, widths])

"""Processes of this one's own, on this machine, that compute shards for it.

They remember nothing: with each batch they find the parameters in memory that all share, and leave their sums
there. So where one of them dies, stops or fails, this process computes its shards itself, and the bits are
those that they would have been.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.shards import MOST_SHARDS, Branch, ShardedBatch, ShardSums, Shared, add_branches
from deltarule.training.workers.team import BEAT, SILENCE, tell, usable_cores

T = TypeVar("T")

#: Branches into which the shards of one worker are cut, at most.
_BRANCHES = 2 * MOST_SHARDS.bit_length()


class HelperJob(NamedTuple):
    """What a helper is given at its start; the arrays of the samples lie in shared memory."""

    engine: str
    net: TrainableNetwork
    samples: Samples
    size: int
    n_threads: int


class Board:
    """Memory that all see: for each helper a sign of life, the parameters, a batch's rows, sums of shards.

    Parameters
    ----------
    descriptor : int
        A file without a name, or -1 for a new one.
    n_helpers, size, n_parameters : int
    dtype : dtype
    """

    def __init__(self, descriptor: int, n_helpers: int, size: int, n_parameters: int, dtype: Any) -> None:
        lengths = n_helpers, size, n_parameters, n_helpers * _BRANCHES * n_parameters
        bounds = np.cumsum([0, *(whole_lines(8 * length) for length in lengths)])
        self.descriptor = nameless_file(int(bounds[-1])) if descriptor < 0 else descriptor
        memory = mmap.mmap(self.descriptor, int(bounds[-1]))
        self.beats = np.frombuffer(memory, np.int64, n_helpers, bounds[0])
        self.rows = np.frombuffer(memory, np.int64, size, bounds[1])
        self.theta = np.frombuffer(memory, dtype, n_parameters, bounds[2])
        parts = np.frombuffer(memory, dtype, n_helpers * _BRANCHES * n_parameters, bounds[3])
        self.parts = parts.reshape(n_helpers, _BRANCHES, n_parameters)


def nameless_file(length: int) -> int:
    """Return the descriptor of a file in memory that is gone when nobody has it open any more."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("deltarule", 0)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, length)
    return descriptor


class Helpers:
    """This process and some of its own, as :class:`Workers`."""

    is_first = True

    def __init__(self, count: int) -> None:
        if os.name != "posix":
            raise InputError(f"workers={count} needs Linux or macOS; here, mpiexec -n {count} starts them")
        self.count = count
        self._job: HelperJob | None = None
        self._helpers: list[_Helper] = []

    def sums(self, engine: str, net: TrainableNetwork, samples: Samples, size: int) -> ShardSums:
        """See :class:`Workers`; the helpers are started, unless they know these samples already."""
        n_threads = max(1, usable_cores() // self.count)
        job = HelperJob(engine, net, samples, size, n_threads)
        if self._job is None or any(a is not b for a, b in zip(job[1:3], self._job[1:3], strict=True)):
            self._dismiss()
            self._job, self._net = job, net
            self._start(job)
        return ShardSums.of(engine, net, samples, size, n_threads)

    def _start(self, job: HelperJob) -> None:
        theta, n_helpers = job.net.parameters, self.count - 1
        shape = (n_helpers, job.size, theta.size, theta.dtype)
        self._board = Board(-1, *shape)
        arrays: list[pickle.PickleBuffer] = []
        text = pickle.dumps((shape, job), protocol=5, buffer_callback=arrays.append)
        lengths = [array.raw().nbytes for array in arrays]
        data = nameless_file(max(1, sum(map(whole_lines, lengths))))
        with mmap.mmap(data, 0) as memory:
            at = 0
            for array, length in zip(arrays, lengths, strict=True):
                memory[at : at + length] = array.raw()
                at += whole_lines(length)
        files = self._board.descriptor, data
        self._helpers = [_Helper(number, files, (text, lengths)) for number in range(n_helpers)]
        os.close(data)  # they have it

    def total(self, sums: ShardSums, batch: Shared, out: Array) -> float:
        """See :class:`Workers`."""
        assert isinstance(batch, ShardedBatch)  # it is what the helpers know
        board, n_workers = self._board, len(self._helpers) + 1
        board.theta[:] = self._net.parameters
        board.rows[: len(batch.rows)] = batch.rows
        cuts = batch.cuts(n_workers)
        for helper, cut in zip(self._helpers, cuts[1:], strict=True):
            helper.ask((len(batch.rows), batch.t, batch.key, cut))

        def compute(cut: list[Branch]) -> tuple[list[float], Array]:
            parts = np.empty((len(cut), out.size), out.dtype)
            return [sums.sum(batch, *each, part) for each, part in zip(cut, parts, strict=True)], parts

        costs, parts = compute(cuts[0])
        found: list[Array] = list(parts)
        for helper, cut in list(zip(self._helpers, cuts[1:], strict=True)):
            answer = helper.answer(board.beats)
            if answer is None:
                self._lose(helper)
                more, own_parts = compute(cut)
            else:
                more, own_parts = answer, board.parts[helper.number]
            costs += more
            found.extend(own_parts[: len(cut)])
        whole = [branch for cut in cuts for branch in cut]
        out[:] = add_branches(whole, found)
        return float(add_branches(whole, costs))

    def _lose(self, helper: _Helper) -> None:
        self._helpers.remove(helper)
        helper.end()
        tell(f"worker {helper.number + 2} of {self.count} {helper.fault}; the others go on", sys.stderr)

    def first(self, compute: Callable[[], T]) -> T:
        """See :class:`Workers`."""
        return compute()

    def all(self, own: T) -> list[T]:
        """See :class:`Workers`: the others have nothing of their own."""
        return [own]

    def stands(self, checkpoint: str) -> None:
        """See :class:`Workers`."""

    def end(self, error: BaseException | None) -> None:
        """See :class:`Workers`: the helpers are sent away."""
        self._dismiss()

    def _dismiss(self) -> None:
        for helper in self._helpers:
            helper.end()
        if self._job is not None:
            os.close(self._board.descriptor)
        self._helpers, self._job = [], None


def whole_lines(length: int) -> int:
    """So many bytes, or a few more, that what follows begins at a cache line."""
    return -(-length // 64) * 64


class _Helper:
    """One process, seen from here."""

    def __init__(self, number: int, files: tuple[int, int], job: object) -> None:
        self.number, self.fault = number, ""
        command = [sys.executable, "-m", "deltarule.training.workers.helper", str(number), *map(str, files)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=files, start_new_session=True
        )
        self.ask(job)

    def ask(self, question: object) -> None:
        """Send what it is to compute."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has died: that shows in its answer
            pickle.dump(question, self._process.stdin)
            self._process.stdin.flush()

    def answer(self, beats: Array) -> list[float] | None:
        """Return the costs of its branches, or None where it can compute no more."""
        assert self._process.stdout is not None
        seen, since = -1, time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not selector.select(BEAT):
                if beats[self.number] != seen:
                    seen, since = int(beats[self.number]), time.monotonic()
                elif time.monotonic() - since > SILENCE:
                    self.fault = f"(process {self._process.pid}) is stopped"
                    return None
        try:
            found: list[float] | str = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            self.fault = f"(process {self._process.pid}) was killed"
            return None
        if isinstance(found, str):
            self.fault = f"(process {self._process.pid}) stopped with {found}"
            return None
        return found

    def end(self) -> None:
        """Kill it: it holds nothing that is worth keeping."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

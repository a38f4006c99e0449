"""Several processes that run one command: the first one reads for all, speaks and writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: What launchers of MPI set for the processes that they start.
_LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK")
_PLACES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")


def under_mpiexec() -> bool:
    """Whether an MPI launcher started this process."""
    return any(name in os.environ for name in _LAUNCHED)


def speaks_for_all() -> bool:
    """Whether this process is the one that tells what every process of a job finds wrong."""
    return all(os.environ.get(name, "0") == "0" for name in _PLACES)


@contextmanager
def one_voice(workers: int | str | None) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Give what lets the first of the workers do something: print, write files. The others are silent."""
    if workers != "mpi":
        yield lambda speak: speak()
        return
    from deltarule.training.workers.mpi import mpi_workers

    team: Any = mpi_workers()
    if not team.is_first:
        team.when_first = _silence()
    try:
        yield team.first
    except BaseException as error:
        team.end(error)
        if not team.is_first:  # the first one has told it, and its exit status is the job's
            raise SystemExit(0) from None
        raise


def _silence() -> Callable[[], None]:
    """Let what this process prints go nowhere; return what ends that."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = {number: os.dup(number) for number in (1, 2)}
    for number in kept:
        os.dup2(nowhere, number)

    def speak() -> None:
        for number, stream in kept.items():
            os.dup2(stream, number)

    return speak

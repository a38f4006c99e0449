"""Which workers a number, or ``"mpi"``, stands for."""

from __future__ import annotations

from typing import Any

from deltarule.arrays import check_whole
from deltarule.errors import InputError
from deltarule.training.workers.team import OneWorker, Workers


def workers_for(workers: Any, *, needs_mpi: str = "") -> Workers | None:
    """Return the workers that ``workers`` stands for: a number of them, ``"mpi"``, or None.

    ``needs_mpi`` says, where it says anything, why processes of this one's own would not do.

    Raises
    ------
    InputError
        If it stands for none.
    MissingExtraError
        If mpi4py is not installed.
    """
    if workers is None or not isinstance(workers, str | int):
        if workers is None or hasattr(workers, "total"):
            return workers
        raise InputError(f'workers must be a number, "mpi" or None, got {workers!r}')
    if workers == "mpi":
        from deltarule.training.workers.mpi import mpi_workers

        return mpi_workers()
    if isinstance(workers, str):
        raise InputError(f'workers must be a number, "mpi" or None, got {workers!r}')
    if check_whole("workers", workers) == 1:
        return OneWorker()
    if needs_mpi:
        raise InputError(
            f"workers={workers} {needs_mpi}: start them by mpiexec -n {workers}, with workers='mpi'"
        )
    from deltarule.training.workers.helpers import Helpers

    return Helpers(workers)

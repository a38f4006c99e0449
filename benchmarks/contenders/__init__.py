"""The contenders: one module each, all with one face, ``prepare(workload, data) -> Contender``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

__all__ = [
    "CONTENDERS", "FLOOR", "OURS", "OURS_DROPOUT", "OURS_NUMPY", "PEERS", "WITNESS", "Contender", "Entrant",
    "LeftOut",
]  # fmt: skip


class LeftOut(Exception):
    """A contender cannot express a workload; the message says why."""


class Contender(ABC):
    """One library, ready to run one workload."""

    note = ""

    @abstractmethod
    def check(self) -> list[float]:
        """What all contenders must agree on: the loss of each epoch, in order of the rows; or outputs."""

    @abstractmethod
    def run(self, times: int) -> None:
        """Train so many epochs, shuffled, from the first parameters; or predict so many times."""


@dataclass(frozen=True)
class Entrant:
    """A contender that may take part.

    Parameters
    ----------
    name : str
    module : str
        Of this package.
    needs : tuple of str
        Packages that must be installed.
    """

    name: str
    module: str
    needs: tuple[str, ...] = ()


OURS, OURS_NUMPY, OURS_DROPOUT = "deltarule", "deltarule (NumPy)", "deltarule (dropout)"
WITNESS, FLOOR = "NumPy by hand", "floor"
PEERS = ("PyTorch", "JAX", "scikit-learn")

#: In the order of the tables. The witness goes first: its numbers are what the others must reach.
CONTENDERS = {
    entrant.name: entrant
    for entrant in (
        Entrant(WITNESS, "numpy_by_hand"),
        Entrant(OURS, "deltarule", ("numba", "scipy")),
        Entrant(OURS_NUMPY, "deltarule"),
        Entrant(OURS_DROPOUT, "deltarule", ("numba", "scipy")),
        Entrant("PyTorch", "pytorch", ("torch",)),
        Entrant("JAX", "jax_", ("jax",)),
        Entrant("scikit-learn", "sklearn_", ("sklearn",)),
        Entrant(FLOOR, "floor"),
    )
}

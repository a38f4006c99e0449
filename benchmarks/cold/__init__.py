"""Whole processes, from a cold start: each script does a job as its library's users would write it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SCRIPTS", "Script"]


@dataclass(frozen=True)
class Script:
    """``cold/{job}_{module}.py``.

    Parameters
    ----------
    name : str
        The contender's.
    module : str
    needs : tuple of str
        Packages that must be installed.
    arguments : tuple of str
        The script's last ones.
    epochs : int
        At most so many, and what a schedule plans with: the smallest number with which at least nine of
        ten seeds reach the goal, found by ``python -m benchmarks.epochs``.
    """

    name: str
    module: str
    needs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    epochs: int = 0


#: The scripts of each job; the first is the witness of the check.
SCRIPTS = {
    "two": (
        Script("NumPy by hand", "numpy"),
        Script("deltarule", "deltarule", ("numba", "scipy"), ("compiled",)),
        Script("deltarule (auto)", "deltarule", (), ("auto",)),
        Script("deltarule (NumPy)", "deltarule", (), ("reference",)),
        Script("PyTorch", "pytorch", ("torch",)),
        Script("JAX", "jax", ("jax",)),
    ),
    "mnist": (
        Script("deltarule", "deltarule", ("numba", "scipy"), ("compiled",), 3),
        Script("deltarule (auto)", "deltarule", (), ("auto",), 3),
        Script("deltarule (NumPy)", "deltarule", (), ("reference",), 3),
        Script("PyTorch", "pytorch", ("torch",), epochs=3),
        Script("JAX", "jax", ("jax",), epochs=3),
        # no schedule: two of four seeds fail with 13 epochs; most need fewer than 20, and stop there
        Script("scikit-learn", "sklearn", ("sklearn",), epochs=20),
    ),
}

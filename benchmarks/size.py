"""Installed sizes: a package's files and those of all it depends on, without bytecode."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.contenders import OURS

__all__ = ["installed_sizes"]

ROOT = Path(__file__).parent.parent
CACHES = {".pyc", ".nbi", ".nbc"}  # of Python and of Numba


def installed_sizes() -> dict[str, int | None]:
    """Bytes by contender; None where a package is not installed in full.

    deltarule's own files and requirements are those of the checkout, however it is installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base, fast = project["dependencies"], project["optional-dependencies"]["fast"]
    own = _bytes(_own_files())
    wanted = {
        OURS: (own, base),
        "deltarule[fast]": (own, base + fast),
        "PyTorch": (0, ["torch"]),
        "JAX": (0, ["jax"]),
        "scikit-learn": (0, ["scikit-learn"]),
    }
    sizes: dict[str, int | None] = {}
    for name, (own_bytes, requirements) in wanted.items():
        try:
            closure = _closure(requirements)
        except PackageNotFoundError:
            sizes[name] = None
            continue
        files = [Path(str(file.locate())) for found in closure.values() for file in found.files or ()]
        sizes[name] = own_bytes + _bytes(files)
    return sizes


def _own_files() -> Iterable[Path]:
    package = ROOT / "src" / "deltarule"
    for file in package.rglob("*"):
        if not any(part.startswith(".") for part in file.relative_to(package).parts):
            yield file


def _closure(requirements: Iterable[str]) -> dict[str, Distribution]:
    """The distributions that the requirements lead to, by name; extras only where they are asked for."""
    found: dict[str, Distribution] = {}
    pending = [Requirement(text) for text in requirements]
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        found[name] = dist = distribution(name)
        extras = requirement.extras or {""}
        for needed in map(Requirement, dist.requires or ()):
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                pending.append(needed)
    return found


def _bytes(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix not in CACHES)

"""What was measured on, and with what."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.entries import usable_cores

__all__ = ["machine", "versions"]

PACKAGES = ("numpy", "scipy", "numba", "torch", "jax", "scikit-learn")


def machine() -> dict[str, str | int]:
    """Processor, cores, memory, operating system."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _processor(),
        "cores": usable_cores(),
        "memory": f"{memory / 2**30:.0f} GB",
        "os": f"{platform.system()} {platform.machine()}, {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Of Python, of deltarule, and of all packages that are installed."""
    import deltarule

    found = {"python": platform.python_version(), "deltarule": deltarule.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"

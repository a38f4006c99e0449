"""What was measured on, and with what."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.entries import usable_cores

__all__ = ["kernels", "machine", "restraints", "versions"]

#: What makes libraries take older instructions than the processor has.
RESTRAINTS = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "XLA_FLAGS",
)  # fmt: skip

#: What prints the kernels that a contender multiplies with, by its name, and the package that it needs.
PROBES = {
    "NumPy": ("numpy", "import numpy"),
    "deltarule, scikit-learn (SciPy)": ("scipy", "import scipy.linalg.cython_blas"),
    "PyTorch": (
        "torch",
        "import torch; print('MKL' if torch.backends.mkl.is_available() else 'own BLAS',"
        " torch.backends.cpu.get_cpu_capability())",
    ),
    "JAX": ("jax", "print('its own, chosen at each start')"),
}
_BLAS = """
from threadpoolctl import threadpool_info
for found in sorted(threadpool_info(), key=lambda found: "%s.libs" in found["filepath"]):
    if found["user_api"] == "blas":
        print(found["internal_api"], found["version"], found.get("architecture", ""))
"""

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


def kernels() -> dict[str, str]:
    """The kernels of matrix products, by contender: asked in processes of their own."""
    found = {}
    for name, (package, statement) in PROBES.items():
        if find_spec(package) is not None:
            code = statement if "print" in statement else statement + _BLAS % package
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
            lines = done.stdout.split("\n")
            found[name] = next((line.strip() for line in reversed(lines) if line.strip()), "unknown")
    return found


def restraints() -> list[str]:
    """The settings of the environment that hold kernels back: ``OPENBLAS_CORETYPE=Haswell``."""
    return [f"{name}={os.environ[name]}" for name in RESTRAINTS if name in os.environ]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"

"""One BLAS thread, and one cache of compiled functions, for each test process: several share the machine."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["NUMBA_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"deltarule-tests-{worker}")


#: Tests that compile kernels: one process runs them all, so that no other has to compile.
COMPILING = (
    "tests/engines/",
    "tests/cli/test_processes.py::test_a_signal_ends_training",
    "tests/training/test_resuming.py::test_ctrl_c_in_a_process",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each test to the process that is free, but all that compile to one."""
    from xdist.scheduler import LoadScopeScheduling

    class OneProcessCompiles(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            compiles = nodeid.startswith(COMPILING) or nodeid.endswith("compiled]")
            return "compiled" if compiles else nodeid

    return OneProcessCompiles(config, log)

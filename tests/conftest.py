"""One BLAS thread, and one cache of compiled functions, for each test process: several share the machine."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["NUMBA_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"deltarule-tests-{worker}")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Give tests with the mark ``xdist_group("compiled")`` to one process: only it has to compile."""
    if getattr(config.option, "numprocesses", None):
        config.option.dist = "loadgroup"

"""One BLAS thread, and one cache of compiled kernels, for each test process; which tests are slow."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.dont_write_bytecode = False  # tests start hundreds of processes, which all import deltarule
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["NUMBA_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"deltarule-tests-{worker}")


#: Tests that compile kernels: one process runs them all, so that no other has to compile.
COMPILING = (
    "tests/engines/",
    "tests/cli/test_processes.py::test_a_signal_ends_training",
    "tests/training/test_resuming.py::test_ctrl_c_in_a_process",
    "tests/training/test_reproducibility.py::test_learning_rates_do_not_depend",
)
#: Files whose tests share what takes seconds to make.
SHARING = ("tests/playground/test_server.py", "tests/tutorials/test_reproduce.py")
#: Tests of a page in a browser: those that reach it in one way share browser, server and open page.
IN_A_BROWSER = re.compile(r"tests/playground/test_(page|access|documentation)\.py.*\[(server|worker|files)\b")
#: Files whose tests run over many networks, mistakes or formats: every fourth case is among the fast tests,
#: of whole programs every eighth; the others are among the slow ones.
SWEEPS = (
    "tests/checks/",
    "tests/cli/test_processes.py::test_processes_end",
    "tests/cli/test_train.py::test_pictures_are_drawn",
    "tests/cli/test_train.py::test_the_same_run_draws",
    "tests/data/test_encoding_file.py",
    "tests/derivations/",
    "tests/diagnosis/",
    "tests/documents/test_drawing.py",
    "tests/estimators/test_check_estimator.py",
    "tests/estimators/test_extras.py",
    "tests/estimators/test_parameters.py",
    "tests/estimators/test_same_numbers.py",
    "tests/estimators/test_scikit_learn_own_tests.py",
    "tests/exchange/",
    "tests/nn/test_activations.py",
    "tests/nn/test_gradient_contract.py",
    "tests/spreadsheet/",
    "tests/training/test_bad_input.py",
    "tests/training/test_interruptions.py::test_lack_of_memory",
    "tests/training/test_resuming.py::test_every_optimizer",
    "tests/worksheets/",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each test to the process that is free, but all that compile, or share what takes long, to one."""
    from xdist.scheduler import LoadScopeScheduling

    class OneProcessCompiles(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            compiles = nodeid.startswith(COMPILING) or nodeid.endswith("compiled]")
            if compiles:
                return "compiled"
            if way := IN_A_BROWSER.match(nodeid):
                return way[2]
            return nodeid.partition("::")[0] if nodeid.startswith(SHARING) else nodeid

    return OneProcessCompiles(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Leave to the slow tests most cases of a sweep, and kernels for a second type of numbers."""
    cases = Counter()
    for item in items:
        function, _, case = item.nodeid.partition("[")
        if function.startswith("tests/engines/") and "float32" in case:
            item.add_marker(pytest.mark.slow)
        if not (case and function.startswith(SWEEPS)) or "slow" in item.keywords:
            continue
        if cases[function] % (8 if function.startswith("tests/diagnosis/") else 4):
            item.add_marker(pytest.mark.slow)
        cases[function] += 1

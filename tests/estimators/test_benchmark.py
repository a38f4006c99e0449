"""The benchmark of the estimators runs, and times what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_benchmark_runs():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.estimators", "--rounds", "1", "digits"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for work in ("fit, an epoch", "predict 1 row", "predict 100 rows", "predict all rows"):
        assert work in done.stdout


def test_a_package_that_is_absent_is_told_in_one_line():
    run = "import sys; sys.argv = ['-m']; import benchmarks; import no_such_package"
    done = subprocess.run([sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == 'benchmarks: needs the package no_such_package: pip install -e ".[bench]"\n'

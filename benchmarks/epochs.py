"""How the epochs of the MNIST scripts were chosen: ``python -m benchmarks.epochs [CONTENDER …]``.

For each, the smallest number with which at least nine of ten seeds reach the goal.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import count
from pathlib import Path

from benchmarks.cold import SCRIPTS, Script
from benchmarks.entries import ScriptEntry, usable_cores
from benchmarks.run import mnist_folder
from benchmarks.workloads import WORKLOADS, Process

__all__ = ["fewest_epochs"]

SEEDS = range(100, 110)
MAY_FAIL = 1


def fewest_epochs(script: Script, workload: Process, folder: Path, images: Path) -> int:
    """Try 1, 2, 3 … epochs; a number is given up once too many seeds have failed."""
    assert workload.at_least is not None
    for epochs in count(1):
        tried = Script(script.name, script.module, script.needs, script.arguments, epochs)
        entry = ScriptEntry(workload, tried, usable_cores(), folder, images)
        accuracies: list[float] = []
        for seed in SEEDS:
            accuracies.append(entry.round(seed)[workload.value])
            if sum(accuracy < workload.at_least for accuracy in accuracies) > MAY_FAIL:
                break
        else:
            return epochs
        print(
            f"{script.name}, {epochs} epochs: {min(accuracies):.2%} after {len(accuracies)} seeds", flush=True
        )
    raise AssertionError


def main(names: list[str]) -> None:
    """All scripts, or those of the named contenders."""
    workload = WORKLOADS["mnist-9792"]
    assert isinstance(workload, Process)
    with tempfile.TemporaryDirectory() as folder:
        for script in SCRIPTS[workload.script]:
            if script.name in (names or [script.name]):
                epochs = fewest_epochs(script, workload, Path(folder), mnist_folder())
                print(f"{script.name}: {epochs} epochs", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""A worker: one contender and one workload in a process of its own.

It reads one JSON object a line from its standard input, answers with one a line, and ends with its input:
``{"do": "prepare"}``, ``{"do": "check"}``, ``{"do": "warm"}``, ``{"do": "round"}``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, Contender, LeftOut
from benchmarks.data import read
from benchmarks.workloads import Prediction, Training, find

__all__ = ["Worker"]

ROUND = 0.3  # seconds that a round should take at least


class Worker:
    """What a worker is asked to do."""

    contender: Contender

    def __init__(self, name: str, workload: Training | Prediction, folder: Path) -> None:
        self.name, self.workload, self.folder = name, workload, folder
        self.times = self.repeats = 1

    def prepare(self) -> dict[str, Any]:
        """Import the library, make the model, choose its form."""
        module = import_module(f"benchmarks.contenders.{CONTENDERS[self.name].module}")
        self.contender = module.prepare(self.workload, read(self.workload, self.folder), self.name)
        return {"note": self.contender.note}

    def check(self) -> dict[str, Any]:
        return {"values": self.contender.check()}

    def warm(self) -> dict[str, Any]:
        """Compile, and find how often to run for a round that is long enough."""
        most = self.workload.epochs if isinstance(self.workload, Training) else 1_000_000
        seconds = self._seconds()
        while seconds < ROUND and self.times < most:
            growth = min(max(2.0, ROUND / seconds), 10.0)
            self.times = min(most, int(self.times * growth))
            seconds = self._seconds()
        self.repeats = max(1, round(ROUND / seconds))
        return {}

    def round(self) -> dict[str, Any]:
        start = time.perf_counter()
        for _ in range(self.repeats):
            self.contender.run(self.times)
        return {"seconds": (time.perf_counter() - start) / (self.repeats * self.times)}

    def _seconds(self) -> float:
        """The shorter of two calls: in the first, something may have been compiled."""
        shortest = float("inf")
        for _ in range(2):
            start = time.perf_counter()
            self.contender.run(self.times)
            shortest = min(shortest, time.perf_counter() - start)
        return shortest


def _answer(worker: Worker, command: str) -> dict[str, Any]:
    try:
        return getattr(worker, command)()
    except LeftOut as reason:
        return {"left out": str(reason)}


def main(name: str, workload: str, folder: str) -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    found = find(workload)
    assert isinstance(found, Training | Prediction)
    worker = Worker(name, found, Path(folder))
    for line in sys.stdin:
        print(json.dumps(_answer(worker, json.loads(line)["do"])), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

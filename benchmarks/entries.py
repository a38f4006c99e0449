"""Entries of a contest: a contender in a worker that stays, or a script started anew each round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.cold import SCRIPTS, Script
from benchmarks.contenders import CONTENDERS, FLOOR, OURS, OURS_DROPOUT
from benchmarks.workloads import Import, Prediction, Process, Training, Workload

__all__ = ["Died", "Entry", "entries_for", "environment", "neighbour", "usable_cores"]

#: What is imported: package and statements, by contender. deltarule loads its parts when they are first used.
IMPORTS = {
    "NumPy": ("numpy", "import numpy"),
    OURS: ("deltarule", "import deltarule; deltarule.Network, deltarule.train"),
    "deltarule, unused": ("deltarule", "import deltarule"),
    "PyTorch": ("torch", "import torch"),
    "JAX": ("jax", "import jax"),
    "scikit-learn": ("sklearn", "import sklearn.neural_network"),
}


class Died(Exception):
    """A process ended that should not have; the message is its last line on standard error."""


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def neighbour() -> Iterator[None]:
    """Let another process be busy on one of the cores."""
    code = (
        "import os\nif hasattr(os, 'sched_setaffinity'):\n    os.sched_setaffinity(0, {%d})\nwhile True: pass"
    )
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    with subprocess.Popen([sys.executable, "-c", code % core]) as process:
        try:
            yield
        finally:
            process.kill()


def environment(threads: int, folder: Path) -> dict[str, str]:
    """The environment of all processes: threads alike, bytecode kept, a place for what JAX compiles."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    changed = {
        **dict.fromkeys(names, str(threads)),
        "PYTHONDONTWRITEBYTECODE": "",
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return {**os.environ, **changed}


class Entry(ABC):
    """One contender in one workload."""

    process: subprocess.Popen[str]

    def __init__(self, name: str, command: Sequence[str], threads: int, folder: Path) -> None:
        self.name, self.command = name, [sys.executable, *command]
        self.threads, self.environment = threads, environment(threads, folder)
        self.errors = folder / f"{name}.txt"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the process, on as many cores as there are threads: JAX counts cores."""
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [*self.command, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self.environment,
                text=True,
                preexec_fn=self._narrow if self.threads < usable_cores() else None,
            )
        return self.process

    def _narrow(self) -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.threads])

    @abstractmethod
    def ready(self) -> dict[str, Any]:
        """Prepare and check: a ``note``, and the ``values`` that all must agree on; or ``left out``: why."""

    @abstractmethod
    def warm(self) -> None:
        """Whatever only happens once."""

    @abstractmethod
    def round(self, number: int) -> dict[str, float]:
        """``seconds`` for one unit of work, and what else was measured."""

    def died(self) -> Died:
        """What to raise when the process has ended."""
        code = self.process.wait()
        lines = self.errors.read_text(errors="replace").split("\n")
        return Died(next((line.strip() for line in reversed(lines) if line.strip()), f"ended with {code}"))

    def close(self) -> None:
        """End the process, whatever it does."""
        if hasattr(self, "process"):
            self.process.kill()
            self.process.communicate()


class WorkerEntry(Entry):
    """A worker, asked and answering line by line."""

    def ready(self) -> dict[str, Any]:
        self.start()
        prepared = self._ask("prepare")
        return prepared if "left out" in prepared else prepared | self._ask("check")

    def warm(self) -> None:
        self._ask("warm")

    def round(self, number: int) -> dict[str, float]:
        return self._ask("round")

    def _ask(self, what: str) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        try:
            print(json.dumps({"do": what}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise self.died() from None
        answer = self.process.stdout.readline()
        if not answer:
            raise self.died()
        return json.loads(answer)


class ScriptEntry(Entry):
    """A script, timed from outside from its start to its end; it prints what it reached as JSON.

    Where MNIST's files are given, its arguments are their folder, a seed (the round's number) and the epochs.
    """

    def __init__(
        self, workload: Process, script: Script, threads: int, folder: Path, images: Path | None
    ) -> None:
        super().__init__(
            script.name, ["-m", f"benchmarks.cold.{workload.script}_{script.module}"], threads, folder
        )
        self.workload, self.script, self.images = workload, script, images

    def ready(self) -> dict[str, Any]:
        return {"values": [self.round(0)[self.workload.value]]}

    def warm(self) -> None:
        """The check has filled all caches."""

    def round(self, number: int) -> dict[str, float]:
        arguments = [str(self.images), str(number), str(self.script.epochs)] if self.images else []
        start = time.perf_counter()
        process = self.start(*arguments, *self.script.arguments)
        printed, _ = process.communicate()
        seconds = time.perf_counter() - start
        if process.returncode:
            raise self.died()
        return {"seconds": seconds, **json.loads(printed)}


class ImportEntry(Entry):
    """One import in a fresh interpreter, timed inside: what the interpreter itself takes is left out."""

    def ready(self) -> dict[str, Any]:
        self.round(0)
        return {"values": []}

    def warm(self) -> None:
        """The first import has."""

    def round(self, number: int) -> dict[str, float]:
        process = self.start()
        printed, _ = process.communicate()
        if process.returncode:
            raise self.died()
        return {"seconds": float(printed)}


def entries_for(
    workload: Workload, threads: int, folder: Path, images: Path | None
) -> tuple[list[Entry], dict[str, str]]:
    """Those that take part, and why the others do not."""
    missing: dict[str, str] = {}

    def installed(name: str, packages: Sequence[str]) -> bool:
        absent = [package for package in packages if find_spec(package) is None]
        if absent:
            missing[name] = f"{' and '.join(absent)} not installed"
        return not absent

    entries: list[Entry] = []
    if isinstance(workload, Import):
        for name, (package, statement) in IMPORTS.items():
            if installed(name, [package]):
                code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
                entries.append(ImportEntry(name, ["-c", code], threads, folder))
    elif isinstance(workload, Process):
        for script in SCRIPTS[workload.script]:
            if installed(script.name, script.needs):
                entries.append(ScriptEntry(workload, script, threads, folder, images))
    elif isinstance(workload, Training | Prediction):
        for entrant in CONTENDERS.values():
            if entrant.name == FLOOR and not workload.floor:
                continue
            if entrant.name == OURS_DROPOUT and not (isinstance(workload, Training) and workload.dropout):
                continue
            if installed(entrant.name, entrant.needs):
                command = ["-m", "benchmarks.worker", entrant.name, workload.name, str(folder)]
                entries.append(WorkerEntry(entrant.name, command, threads, folder))
    return entries, missing

"""A process that looks after another one at the start of an MPI job, while MPI waits for all, and Python too.

It is started as a file of its own, so that it takes a hundredth of a second, and ends with the pipe that is
its standard input. On Linux it sees which processes of this host were killed or stopped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Seconds that the others wait for a process that was killed or stopped; …
PATIENCE = 4.0
#: … and for one that does not come.
START = 30.0

_RANKS, _SIZES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK"), ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_LOCAL_SIZES = "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"
#: Programs that start the processes of a job on a host.
_LAUNCHERS = ("mpi", "prte", "orte", "hydra")
#: What ``mpiexec --with-ft ulfm`` sets: MPI lets the other processes go on when one has died.
_ENABLED = "OMPI_MCA_mpi_ft_enable"
CAN_GO_ON = os.environ.get(_ENABLED) in ("1", "true")


@contextmanager
def watched_start() -> Iterator[None]:
    """Let the job end with one line where not all of its processes meet in this context."""
    size = int(next((os.environ[name] for name in _SIZES if name in os.environ), 1))
    if size < 2:
        yield
        return
    command = [sys.executable, "-I", "-S", __file__, *map(str, (size, os.getpid(), os.getppid()))]
    watcher = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        watcher.communicate()


def _watch(size: int, process: int, launcher: int) -> None:
    own = _rank_of(os.getpid())
    while _rank_of(launcher) >= 0:  # a shell around this one
        launcher = int(_stat(launcher)[1])
    met = threading.Event()
    threading.Thread(target=_wait, args=(met,), daemon=True).start()
    began, known, lost, ended = time.monotonic(), dict[int, int](), dict[int, float](), set[int]()
    n_here = int(next((os.environ[name] for name in _LOCAL_SIZES if name in os.environ), 0))
    while not met.wait(0.5):
        now, states = time.monotonic(), _states(launcher)
        known |= {each: rank for each in states if (rank := _rank_of(each)) >= 0}
        lost = {each: lost.get(each, now) for each in known if states.get(each, "Z") in "ZXTt"}
        late = [each for each, since in lost.items() if now - since > PATIENCE]
        stopped = [each for each in late if states.get(each) in ("T", "t")]
        if CAN_GO_ON and stopped:  # then MPI knows that it is gone, and the others may go on
            _kill(*stopped)
            ended.update(stopped)
        elif late or now - began > (PATIENCE if 0 < len(known) < n_here else START):
            here = [rank for each, rank in known.items() if each not in late]
            if own == min(here, default=own):
                text = f"one of {size} workers was killed, or did not start"
                for each in late[:1]:
                    fault = "is stopped" if each in {*stopped, *ended} else "was killed or lost"
                    text = f"worker {known[each] + 1} of {size} (process {each}) {fault}"
                print(f"deltarule: {text}; training has not begun", file=sys.stderr, flush=True)
            elif met.wait(1.0):
                return
            if CAN_GO_ON:  # by itself MPI would call this a success
                os.kill(launcher, signal.SIGTERM)
            _kill(*late, process)
            if own == min(here, default=own):
                _see_end(launcher)
            return


def _wait(met: threading.Event) -> None:
    sys.stdin.read()
    met.set()


def _kill(*processes: int) -> None:
    for process in processes:
        with suppress(OSError):
            os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _see_end(launcher: int) -> None:
    """End an MPI's launcher that outlives its processes: Open MPI's waits for ever now and then."""
    for stream in (1, 2):  # which it reads to their end
        os.close(stream)
    for number in (0, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with suppress(OSError):
            if not Path(f"/proc/{launcher}/comm").read_text().startswith(_LAUNCHERS):
                return
            os.kill(launcher, number)  # 0 asks only whether it is there
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if _stat(launcher)[0] in "ZX":
                    return
            except OSError:
                return
            time.sleep(0.1)


def _states(launcher: int) -> dict[int, str]:
    """The processes that the launcher of this one started, and whether each runs, as Linux names it."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            state, parent = _stat(path.name)
            if int(parent) == launcher:
                found[int(path.name)] = state
    return found


def _stat(process: int | str) -> list[str]:
    """A process's state and its parent."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:2]


def _rank_of(process: int) -> int:
    """Return a process's place in its job, or -1 where it has none."""
    with suppress(OSError, ValueError):
        given = Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace").split("\0")
        pairs = dict(text.split("=", 1) for text in given if "=" in text)
        return int(next((pairs[name] for name in _RANKS if name in pairs), -1))
    return -1


if __name__ == "__main__":
    _watch(*map(int, sys.argv[1:]))

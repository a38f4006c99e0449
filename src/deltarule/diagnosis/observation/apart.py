"""``observe`` in a process of its own, behind a wall; the reply is JSON, read as data and never run."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from deltarule.diagnosis.observation.observation import observe
from deltarule.diagnosis.observation.passing import packed, unpacked
from deltarule.diagnosis.observation.record import Diagnosis
from deltarule.diagnosis.observation.reply import ApartError, believed, plain_json, typed, written_in
from deltarule.diagnosis.observation.scratch import scratch_for
from deltarule.diagnosis.observation.wall import close_in, is_behind_wall
from deltarule.diagnosis.recording.tape import RecordingStopped
from deltarule.errors import InputError

_MOST_MEMORY = 4 << 30
#: One thread each: several programs may be checked at a time.
_ONE_THREAD = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")


def observe_apart(
    code: Any, seconds: float = 20.0, own: dict[str, Any] | None = None, loss: str = "", name: str = ""
) -> Diagnosis:
    """Observe a program in a process that ends, with all it started, when its time is over.

    It runs in a scratch folder that has the files beside the program, with the learner's rights to read, but
    it can neither write elsewhere nor start processes nor reach the network; ``wall`` says where that holds.

    Parameters
    ----------
    code : path, callable or object
        What is no path is observed in a fork of this process; in a new one, where other threads run, which
        may hold locks that nobody opens in a fork; in this one, where there are no forks.
    seconds : float
        For all of it.
    own, loss, name
        As in :func:`observe`.

    Raises
    ------
    InputError
        If there is no such file.
    """
    began = time.monotonic()
    is_file = isinstance(code, str | os.PathLike)
    if is_file:
        code = Path(code).resolve()
        if not code.is_file():
            raise InputError(f"{code}: there is no such file")
    if sys.platform == "emscripten" or is_behind_wall() or not (is_file or hasattr(os, "fork")):
        return observe(code, 0.8 * seconds, own, loss, name)
    try:
        if is_file:
            told = _run_file(code, began + seconds, {"loss": loss, "name": name})
        else:
            written = _passed_on(code, {"own": own, "loss": loss})
            told = _run_passed(written, began + seconds) if written is not None else None
            told = told or run_apart(lambda: asdict(observe(code, 0.8 * seconds, own, loss)), seconds)
        seen: Diagnosis = typed(Diagnosis, told)
    except InputError:
        raise
    except ValueError as error:  # an ApartError, or a reply of another form
        seen = Diagnosis("cannot judge", notes=(str(error),))
    return replace(seen, seconds=time.monotonic() - began)


def run_apart(work: Callable[[], Any], seconds: float) -> Any:
    """Run ``work`` in a forked process behind the wall, and return the JSON that it returns.

    Raises
    ------
    ApartError
        If it does not end in time, or ends without a reply.
    InputError
        If it raises one.
    """
    deadline = time.monotonic() + seconds
    with scratch_for(Path.cwd()) as (home, here):
        request = _request(home, here, here, seconds)
        return _reply(_Forked(lambda: serve(request, work)), request, Path.cwd(), deadline)


def _run_file(path: Path, deadline: float, settings: dict[str, str]) -> Any:
    """Observe a file by a new interpreter."""
    with scratch_for(path.parent, path) as (home, here):
        request = _request(home, here, here / path.name, deadline - time.monotonic()) | settings
        return _reply(_started(request), request, path.parent, deadline)


def _passed_on(code: Any, settings: dict[str, Any]) -> bytes | None:
    """What a new process is told of live code; None where a fork has all of it, and no other thread runs."""
    if len(sys._current_frames()) == 1:
        return None
    try:
        return packed(code, settings)
    except Exception:  # whatever keeps it from being written, such as an open file
        return None


def _run_passed(written: bytes, deadline: float) -> Any:
    """Observe live code by a new interpreter."""
    with scratch_for(Path.cwd()) as (home, here):
        (home / "passed").write_bytes(written)
        folders = [str(Path(one).absolute()) for one in sys.path]
        request = _request(home, here, home / "passed", deadline - time.monotonic()) | {"folders": folders}
        return _reply(_started(request), request, Path.cwd(), deadline)


def _started(request: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A new interpreter that does what it is asked for."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "deltarule.diagnosis.observation"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_ONE_THREAD, "MPLBACKEND": "Agg"},
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        with process.stdin as pipe:
            pipe.write(json.dumps(request).encode())
    except OSError:  # it has ended already: there will be no reply
        pass
    return process


def _request(home: Path, here: Path, path: Path, seconds: float) -> dict[str, Any]:
    """What the process is told. The nonce is what the program does not see; a reply without it is none."""
    paths = {"home": str(home), "here": str(here), "path": str(path)}
    return {**paths, "seconds": seconds, "memory": _MOST_MEMORY, "nonce": secrets.token_hex(16)}


class _Forked:
    """A process that goes on from here with ``work``, and never comes back."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.returncode: int | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of other threads
            self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                os.closerange(3, 1 << 16)
                work()
            finally:
                os._exit(0)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.001)
        return self.returncode or 0


def _reply(
    process: subprocess.Popen[bytes] | _Forked, request: dict[str, Any], folder: Path, deadline: float
) -> Any:
    """Wait for a process, end what is left of it, and read its reply."""
    pause = 0.001
    try:
        while (code := process.poll()) is None and time.monotonic() < deadline:
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(1.2 * pause, 0.03)
    finally:
        _end(process)
    if code is None:
        late = f"after {request['seconds']:.3g} seconds"
        raise ApartError(f"it was still running {late}: does a loop never end?")
    written = written_in(Path(request["home"]))
    if not written:
        raise ApartError(_ended(code))
    return believed(written, request["nonce"], request["here"], str(folder))


def _end(process: subprocess.Popen[bytes] | _Forked) -> None:
    """End the process and what it started."""
    with contextlib.suppress(OSError, AttributeError):  # it has ended; Windows has no groups
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()


def _ended(code: int) -> str:
    """Why there is no reply."""
    if code >= 0:
        return "the program ended its own process (os._exit?) before it could be judged"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    causes = {
        "SIGSEGV": ": does a recursion never end?",
        "SIGKILL": ": out of memory or time?",
        "SIGXCPU": ": out of time",
        "SIGABRT": ": out of memory?",
    }
    return f"the operating system ended the program's process ({name}){causes.get(name, '')}"


def serve(request: dict[str, Any], work: Callable[[], Any]) -> None:
    """Run ``work`` behind the wall, write what it returns as JSON, and end the process."""
    encode, write, leave = json.dumps, os.write, os._exit
    path, nonce = os.path.join(request["home"], "reply"), request["nonce"]
    reply = {"told": None, "refused": "", "failed": ""}
    try:
        os.chdir(request["here"])
        close_in(request["here"], path, request["seconds"], request["memory"])
        reply["told"] = work()
    except InputError as error:
        reply["refused"] = str(error)
    except MemoryError:
        reply["failed"] = "the program ran out of memory (MemoryError)"
    except BaseException as error:
        reply["failed"] = f"it could not be observed: {type(error).__name__}: {error}"
    written = (nonce + encode(plain_json(reply)) + nonce).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    while written:
        written = written[write(descriptor, written) :]
    leave(0)


def observe_passed(path: str, seconds: float, folders: list[str]) -> dict[str, Any]:
    """Observe live code that another process wrote to a file; nothing is told of what cannot be read here."""
    sys.path[:] = folders
    try:
        code, settings = unpacked(Path(path).read_bytes())
    except Exception:  # whatever keeps it from being read, such as what only that process has registered
        return {}
    return asdict(observe(code, 0.8 * seconds, **settings))


def observe_for(path: str, seconds: float, loss: str, name: str) -> dict[str, Any]:
    """Observe a file; after most of the time the program is stopped, and what it has computed is read."""
    late: list[float] = []

    def ring(number: int, frame: types.FrameType | None) -> None:
        while frame is not None and frame.f_code.co_filename != path:
            frame = frame.f_back
        if frame is not None:
            late.append(0.6 * seconds)
            raise RecordingStopped

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.6 * seconds, 0.05 * seconds)
    seen = observe(path, 0.6 * seconds, None, loss, name)
    if late and seen.verdict == "cannot judge":
        note = f"it was stopped after {late[0]:.3g} seconds: does a loop never end?"
        seen = replace(seen, notes=(note, *seen.notes))
    return asdict(seen)

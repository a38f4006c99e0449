"""``observe`` in a process of its own, with limits; the reply is JSON, read as data and never run."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.observation.record import Observation

_LONGEST_REPLY = 1_000_000
_MOST_MEMORY = 4 << 30
_LARGEST_FILE = 64 << 20


def observe_apart(path: str | Path, seconds: float = 20.0) -> Observation:
    """Observe a program in a process that ends, with its children, when its time is over.

    Where there are no processes (in a browser) nothing is run, and it cannot be judged.
    """
    reading, writing = os.pipe()
    command = [
        sys.executable,
        "-m",
        "deltarule.diagnosis.observation",
        str(path),
        f"{seconds:g}",
        str(writing),
    ]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(writing,),
            start_new_session=True,
        )
    except OSError as error:
        os.close(reading)
        return Observation("cannot judge", notes=(f"no process could be started: {error}",))
    finally:
        os.close(writing)
    try:
        reply = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        _end(process)
    if reply is None:
        note = f"it was still running after {seconds:g} seconds: is there a loop without end?"
        return Observation("cannot judge", notes=(note,), seconds=seconds)
    return _from_reply(reply)


def _read(pipe: int, deadline: float) -> bytes | None:
    """All that is written; None where it does not end in time."""
    parts: list[bytes] = []
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            continue
        part = os.read(pipe, 1 << 16)
        parts.append(part)
        if not part or sum(map(len, parts)) > _LONGEST_REPLY:
            return b"".join(parts)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def _from_reply(reply: bytes) -> Observation:
    """The observation that a reply tells; what is none cannot be judged."""
    try:
        told = json.loads(reply)
        faults = tuple(Fault.from_dict(one) for one in told["faults"])
        known = {one.name for one in fields(Observation)}
        lists = {"parameters", "notes", "unseen"}
        rest: dict[str, Any] = {
            key: tuple(one) if key in lists else one for key, one in told.items() if key in known
        }
        rest["faults"] = faults
        seen = Observation(**rest)
        if seen.verdict in ("right", "wrong", "cannot judge"):
            return seen
    except (ValueError, TypeError, KeyError):
        pass
    return Observation("cannot judge", notes=("the process ended without a word (out of memory?)",))


def limit_resources() -> None:
    """Limit memory, and the size of files, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, most in ((resource.RLIMIT_AS, _MOST_MEMORY), (resource.RLIMIT_FSIZE, _LARGEST_FILE)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))


def reply_to(pipe: int, seen: Any) -> None:
    """Write an observation as JSON, and end at once."""
    with os.fdopen(pipe, "w", encoding="utf-8") as out:
        json.dump(seen.to_dict(), out, default=str)

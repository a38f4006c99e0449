"""The wall around a learner's program, from within: what its process may use up, and what it may not do.

What it holds back: memory, files and time without end (where there is ``resource``); other processes, the
network, and writing outside its folder. On Linux the kernel refuses these; elsewhere Python does, and a
program that calls the system past Python (ctypes) is not held back. Windows limits no memory.

What it does not hold back: reading. A program reads what the learner may read; it cannot send it anywhere.
It shares its process with what observes it: one that is written to take the observer apart in memory can
make it say anything. It cannot do so by chance, by printing, or by writing to whatever is open.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from collections.abc import Callable
from typing import Any

_LARGEST_FILE = 16 << 20
_MOST_WRITTEN = 100
_LONGEST_PATH = 500
_MOST_OPEN = 256

#: Events of Python that start or signal a process, or reach the network.
_REFUSED = {
    "a program that is being checked may not start other processes": [
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
        "pty.spawn", "subprocess.Popen", "_winapi.CreateProcess",
    ],
    "a program that is being checked may not send signals to other processes": ["os.kill", "os.killpg"],
    "a program that is being checked may not change its limits": ["resource.setrlimit", "resource.prlimit"],
    "a program that is being checked has no network access": [
        "socket.__new__", "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname",
        "socket.gethostbyaddr", "socket.sendto", "socket.sendmsg",
    ],
}  # fmt: skip

#: Events that change files: which of the arguments are paths, which descriptors of folders, and whether a
#: link is followed.
_CHANGES: dict[str, tuple[slice, slice, bool]] = {
    "os.remove": (slice(1), slice(1, 2), False),
    "os.rmdir": (slice(1), slice(1, 2), False),
    "os.mkdir": (slice(1), slice(2, 3), False),
    "os.rename": (slice(2), slice(2, 4), False),
    "os.link": (slice(2), slice(2, 4), False),
    "os.symlink": (slice(1, 2), slice(2, 3), False),
    "os.truncate": (slice(1), slice(0), True),
    "os.chmod": (slice(1), slice(2, 3), True),
    "os.chown": (slice(1), slice(3, 4), True),
    "os.utime": (slice(1), slice(3, 4), True),
    "os.chflags": (slice(1), slice(0), True),
    "os.setxattr": (slice(1), slice(0), True),
    "os.removexattr": (slice(1), slice(0), True),
}


_closed = False


def is_behind_wall() -> bool:
    """Whether this process is one that was closed in."""
    return _closed


def close_in(folder: str, reply: str, seconds: float, memory: int) -> None:
    """Close this process in, for good.

    It may write in the folder, and a reply beside it, and use so many bytes of memory more than it has.
    """
    global _closed
    _closed = True
    sys.dont_write_bytecode = True
    _leave_the_streams()
    _limit_resources(seconds, memory)
    if sys.platform == "linux":
        from deltarule.diagnosis.observation.kernel import confine

        confine(os.path.dirname(reply))
    _hide_modules()
    sys.addaudithook(_guard(folder, reply))


def _hide_modules() -> None:
    """Give a program that changes ``builtins`` or ``json`` others than those that its checker uses."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "json"]:
        del sys.modules[name]
    copy = types.ModuleType("builtins")
    copy.__dict__.update(vars(builtins))
    sys.modules["builtins"] = copy


def _leave_the_streams() -> None:
    """Nobody reads what the program prints, and there is nothing for it to read."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    if nowhere > 2:
        os.close(nowhere)


def _limit_resources(seconds: float, memory: int) -> None:
    """Limit memory, time, and the size and number of files, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        resource.RLIMIT_AS: _in_use() + memory,
        resource.RLIMIT_FSIZE: _LARGEST_FILE,
        resource.RLIMIT_NOFILE: _MOST_OPEN,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int((os.cpu_count() or 1) * seconds) + 2,
    }
    if sys.platform == "darwin":  # on Linux threads are counted, too, and those of the user's other programs
        limits[resource.RLIMIT_NPROC] = 1
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        most = most if hard < 0 else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _in_use() -> int:
    """Return the bytes of address space that are taken already."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _guard(folder: str, reply: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that refuses, by Python's audit events, what the tables say."""
    refused = {event: text for text, events in _REFUSED.items() for event in events}
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    inside, nowhere = folder + os.sep, os.devnull
    real, join, split, decode = os.path.realpath, os.path.join, os.path.split, os.fsdecode
    left = _MOST_WRITTEN

    def allow(path: Any, beneath: int, followed: bool) -> None:
        name = decode(path)
        if beneath >= 0:
            name = join(f"/proc/self/fd/{beneath}", name)
        whole = real(name) if followed else join(real(split(name)[0]), split(name)[1])
        if whole != nowhere and not whole.startswith(inside):
            raise PermissionError(f"a program that is being checked may not write or delete {whole}")
        if len(whole) > _LONGEST_PATH:
            raise PermissionError("a program that is being checked may not nest folders so deeply")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "open":
            if args[2] & writing and not isinstance(args[0], int) and args[0] != reply:
                allow(args[0], -1, True)
                left -= 1
                if left < 0:
                    raise PermissionError("a program that is being checked may not write so many files")
        elif event in refused:
            raise PermissionError(refused[event])
        elif event in _CHANGES:
            paths, beneath, followed = _CHANGES[event]
            folders = args[beneath] or (-1,)
            for number, path in enumerate(args[paths]):
                if not isinstance(path, int):
                    allow(path, folders[min(number, len(folders) - 1)], followed)

    return hook

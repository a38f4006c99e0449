"""What Linux refuses a process that has asked for it: other processes, the network, writing elsewhere."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38

# Landlock: rights to a file, by bit.
_WRITE = 1 << 1
_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
_MOVE, _TRUNCATE = 1 << 13, 1 << 14

# Seccomp: the codes of a filter's instructions, and what it answers.
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD, _CLONE3 = 0x10000, 435

#: By machine: its number in a filter, ``clone``, and the calls that are refused: socket, fork, vfork, execve,
#: execveat, kill, tkill, ptrace, process_vm_writev, pidfd_send_signal, io_uring_setup.
_MACHINES = {
    "x86_64": (0xC000003E, 56, (41, 57, 58, 59, 322, 62, 200, 101, 311, 424, 425)),
    "aarch64": (0xC00000B7, 220, (198, 221, 281, 129, 130, 117, 271, 424, 425)),
}


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32),
    )  # fmt: skip


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def confine(folder: str) -> None:
    """Refuse this process, for good, whatever the kernel can: it needs no privileges.

    It starts no process, signals none, opens no socket and writes nothing outside the folder. It ends with
    its parent. A kernel that knows neither Landlock nor seccomp refuses nothing.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _refuse_writing(libc, folder)
    _refuse_calls(libc)


def _refuse_writing(libc: Any, folder: str) -> None:
    """Let files be written in the folder and in /dev/null only (Landlock)."""
    version = libc.syscall(444, None, 0, 1)
    if version < 1:
        return
    rights = _WRITE | _REMOVE_AND_MAKE | (_MOVE if version > 1 else 0) | (_TRUNCATE if version > 2 else 0)
    handled = ctypes.c_uint64(rights)
    rules = libc.syscall(444, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if rules < 0:
        return
    for path, allowed in ((folder, rights), (os.devnull, _WRITE)):
        beneath = _Beneath(allowed, os.open(path, os.O_PATH))
        libc.syscall(445, rules, 1, ctypes.byref(beneath), 0)
        os.close(beneath.folder)
    libc.syscall(446, rules, 0)
    os.close(rules)


def _refuse_calls(libc: Any) -> None:
    """Refuse system calls that start or signal a process, or open a socket (seccomp); threads may start."""
    if platform.machine() not in _MACHINES:
        return
    machine, clone, refused = _MACHINES[platform.machine()]
    allow, refuse = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE | _EPERM)
    rows = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), allow]
    rows += [(_LOAD, 0, 0, 0), (_AT_LEAST, 0, 1, 0x40000000), refuse]
    for number in refused:
        rows += [(_EQUAL, 0, 1, number), refuse]
    rows += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _REFUSE | _ENOSYS)]
    rows += [(_EQUAL, 0, 3, clone), (_LOAD, 0, 0, 16), (_HAS_BITS, 1, 0, _CLONE_THREAD), refuse, allow]
    instructions = (_Instruction * len(rows))(*(_Instruction(*row) for row in rows))
    libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(_Filter(len(rows), instructions)), 0, 0)

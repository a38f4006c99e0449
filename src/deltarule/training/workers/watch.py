"""A watch over the processes of a job: who died, stopped or gave up is named, and nobody waits for it.

Every process holds a connection to the first one, over which both say twice a second that they live. MPI
alone would let the others wait for ever for one that is stopped, or that left with an error.
"""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from deltarule.training.workers.team import BEAT, SILENCE, tell

PATIENCE = 1.5  # seconds to wait for a process that has left, before it is missed

END = 5.0  # seconds that MPI may take to end

_ALIVE, _ENDING, _LEAVING = b"\1", b"\2", b"\3"


class Watch:
    """This process's part of the watch.

    ``can_go_on`` says whether the others go on by themselves without one that died; ``stands`` is what to
    say of the last checkpoint when all end.
    """

    def __init__(self, comm: Any, *, can_go_on: bool) -> None:
        self.stands, self._can_go_on = "", can_go_on
        self._rank, self._count = comm.rank, comm.size
        self._waiting_since: float | None = None
        self._ended = self._leaving = False
        places = comm.allgather((socket.gethostname(), os.getpid()))
        self._places: dict[int, tuple[str, int]] = dict(enumerate(places))
        self._peers: dict[int, socket.socket] = {}
        self._left: dict[int, str] = {}
        self._missed: set[int] = set()
        self._looked = time.monotonic()
        #: How many of all are on this host.
        self.count_here = sum(host == places[comm.rank][0] for host, _ in places)
        self._heard = dict.fromkeys(range(comm.size), self._looked)
        if comm.size > 1:
            self._connect(comm)
            threading.Thread(target=self._watch, daemon=True).start()
            atexit.register(self.leave)

    def _connect(self, comm: Any) -> None:
        """Connect everybody with the first one."""
        home = "127.0.0.1" if len({host for host, _ in self._places.values()}) == 1 else ""
        listener = socket.create_server((home, 0), backlog=comm.size) if comm.rank == 0 else None
        secret, port = comm.bcast((os.urandom(16), listener.getsockname()[1]) if listener else None)
        if listener is None:
            with suppress(OSError):  # no way there: this process goes unwatched
                peer = socket.create_connection((home or self._places[0][0], port), timeout=5)
                peer.sendall(secret + comm.rank.to_bytes(4, "big"))
                self._peers[0] = peer
        n_coming = sum(comm.allgather(len(self._peers)))
        while listener is not None and len(self._peers) < n_coming:
            peer, _ = listener.accept()
            with suppress(OSError):
                peer.settimeout(5)
                greeting = peer.recv(20, socket.MSG_WAITALL)
                if greeting[:16] == secret:
                    self._peers[int.from_bytes(greeting[16:], "big")] = peer
        if listener is not None:
            listener.close()
        for peer in self._peers.values():
            peer.settimeout(1)

    # ------------------------------------------------------------ the thread

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            for rank, peer in self._peers.items():
                selector.register(peer, selectors.EVENT_READ, rank)
            while not self._ended:
                for rank in [] if self._leaving else list(self._peers):
                    self._say(rank, _ALIVE)
                until = time.monotonic() + BEAT
                while not self._ended and time.monotonic() < until:
                    for key, _ in selector.select(max(0.0, until - time.monotonic())):
                        self._hear(key.data, selector)
                self._look_for_silence()

    def _say(self, rank: int, text: bytes) -> None:
        with suppress(OSError, KeyError):
            self._peers[rank].sendall(text)

    def _hear(self, rank: int, selector: Any) -> None:
        """Take what a process says; where its connection is at an end, so is the process."""
        peer = self._peers[rank]
        try:
            text = peer.recv(4096)
        except OSError:
            text = b""
        if self._ended:
            return
        self._heard[rank] = time.monotonic()
        _, leaves, why = text.partition(_LEAVING)
        if _ENDING in text:
            self._die()  # another one has said why
        if leaves:
            self._left[rank] = why.decode(errors="replace") or "left before the end"
        if not text:
            selector.unregister(peer)
            del self._peers[rank]
            if rank not in self._left:
                self._lost(rank, "was killed or lost")

    def _look_for_silence(self) -> None:
        now, looked = time.monotonic(), self._looked
        self._looked = now
        if now - looked > SILENCE / 2:  # it was this process that was stopped
            self._heard = dict.fromkeys(self._heard, now)
        for rank in [rank for rank in self._peers if rank not in self._left]:
            if now - self._heard[rank] > SILENCE:
                self._stopped(rank)
        since = self._waiting_since
        if self._left and since is not None and now - since > PATIENCE:
            self._lost(*next(iter(self._left.items())))

    def _stopped(self, rank: int) -> None:
        host, process = self._places[rank]
        if self._can_go_on and host == socket.gethostname():
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)  # then MPI knows that it is gone
            self._heard[rank] = time.monotonic()
            return
        self._lost(rank, f"has been silent for {SILENCE:.0f} seconds: it is stopped, or its host is gone")

    def _lost(self, rank: int, why: str) -> None:
        """One is lost: the others go on, or all end with one line, which the first of them prints."""
        if self._leaving or rank in self._missed:
            return
        self._missed.add(rank)
        host, process = self._places[rank]
        name = f"worker {rank + 1} of {self._count} (process {process} on {host}) {why}"
        speaks = self._rank == (0 if rank else 1)
        if self._can_go_on:
            if speaks:
                tell(f"{name}; the others go on", sys.__stderr__)
            self._say(rank, _ENDING)  # where it lives, it holds up the others
            return
        if speaks:
            tell(f"{name}; training has ended{self.stands}", sys.__stderr__)
        for other in list(self._peers):
            self._say(other, _ENDING)
        time.sleep(0 if speaks else BEAT)
        self._die()

    def _die(self) -> None:
        """End this process at once, in the way that MPI takes note of."""
        if self._can_go_on:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)

    # ------------------------------------------------------------ the process itself

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark that this process waits for all others."""
        self._waiting_since = time.monotonic()
        try:
            yield
        finally:
            self._waiting_since = None

    def give_up(self, error: BaseException) -> None:
        """Leave because of an error, once it is clear whether the others leave too.

        Where one leaves alone, the others end, or go on without it as if it had died.
        """
        self._tell_leaving(self._why(error))
        until = time.monotonic() + 2 * PATIENCE
        while self._is_alone() and time.monotonic() < until:
            time.sleep(0.02)
        if self._is_alone() and self._can_go_on:
            if not self._peers:  # nobody else tells it
                tell(f"worker {self._rank + 1} of {self._count} {self._why(error)}", sys.__stderr__)
            self._die()

    def _why(self, error: BaseException) -> str:
        return f"stopped with {type(error).__name__}: {error}"[:300]

    def _is_alone(self) -> bool:
        """Whether this process leaves, and not all others do."""
        return self._count > 1 and not (self._left and all(rank in self._left for rank in self._peers))

    def leave(self, why: str = "") -> None:
        """Tell the others that this process goes."""
        self._tell_leaving(why)
        self._ended = True
        if self._can_go_on:  # after a loss, MPI's own end may wait for ever
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, END)

    def _tell_leaving(self, why: str) -> None:
        if not (self._ended or self._leaving):
            self._leaving = True
            for rank in list(self._peers):
                self._say(rank, _LEAVING + why.encode())

    def renewed(self, comm: Any) -> Watch:
        """A watch over those that are left."""
        self._tell_leaving("watches with others now")
        self._ended = True
        atexit.unregister(self.leave)
        for peer in list(self._peers.values()):
            peer.close()
        watch = Watch(comm, can_go_on=self._can_go_on)
        watch.stands, watch._waiting_since = self.stands, self._waiting_since
        return watch

"""A session in a process of its own: messages in the lines of standard input, replies in those of its output.

The server starts one for each page, and ends it with the page: whatever runs in it ends then, too.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from deltarule.playground.opening import session_of

_MOST_MEMORY = 8 << 30


def main(source: str) -> None:
    """Answer until the input ends."""
    _limit_memory()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints goes to standard error
    answer_all(source, sys.stdin.buffer, replies)


def answer_all(source: str, messages: BinaryIO, replies: BinaryIO) -> None:
    """Answer each line of ``messages`` by one line of ``replies``."""
    session = session_of(source)
    for line in messages:
        replies.write(session.answer(line.decode("utf-8", "replace")).encode() + b"\n")
        replies.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")

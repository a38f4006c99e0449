"""Somebody's code is run: what it returns, prints, or raises."""

from __future__ import annotations

import contextlib
import io
import traceback
from collections.abc import Callable
from typing import Any

from deltarule.registry import record


@record
class Outcome:
    """How a run ended.

    Parameters
    ----------
    value : object
        What was returned; None where it did not come to that.
    error : str
        What was raised, with the line of the code; empty where nothing was.
    printed : str
        What it printed, the first characters.
    """

    value: Any = None
    error: str = ""
    printed: str = ""


_MOST_PRINTED = 2000


def run(work: Callable[[], Any]) -> Outcome:
    """Run ``work``; what it prints is kept, and what it raises is said."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            value, error = work(), ""
        except (
            BaseException
        ) as raised:  # SystemExit, KeyboardInterrupt: the learner's code may raise anything
            value, error = None, said(raised)
    return Outcome(value, error, printed.getvalue()[:_MOST_PRINTED])


def said(raised: BaseException) -> str:
    """``ValueError: shapes (3,) and (4,) not aligned, in backprop, line 12: delta @ W``."""
    text = f"{type(raised).__name__}: {raised}".strip()
    frames = [
        frame for frame in traceback.extract_tb(raised.__traceback__) if "deltarule" not in frame.filename
    ]
    if not frames:
        return text
    last = frames[-1]
    return f"{text}, in {last.name}, line {last.lineno}" + (f": {last.line}" if last.line else "")

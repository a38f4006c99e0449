"""Somebody's code, run in a process of its own with a time limit: what it returns, prints, or raises."""

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


def run_apart(work: Callable[[], Any], seconds: float) -> Outcome:
    """Run ``work`` in a forked process; what it does to its memory stays there.

    Where processes cannot be forked it runs here, without a time limit.
    """
    import multiprocessing  # importing it leaves a module of its own behind

    if "fork" not in multiprocessing.get_all_start_methods():
        return _run(work)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(work, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return Outcome(
                error=f"it was still running after {seconds:g} seconds: is there a loop without end?"
            )
        return Outcome(*ours.recv())
    except EOFError:
        return Outcome(error="the process ended without a word (sys.exit, or out of memory?)")
    finally:
        process.kill()
        process.join()
        ours.close()


def _report(work: Callable[[], Any], pipe: Any) -> None:
    outcome = _run(work)
    try:
        pipe.send((outcome.value, outcome.error, outcome.printed))
    except Exception as error:  # what it returned cannot be sent
        pipe.send((None, f"what it returns cannot be read: {error}", outcome.printed))
    pipe.close()


def _run(work: Callable[[], Any]) -> Outcome:
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

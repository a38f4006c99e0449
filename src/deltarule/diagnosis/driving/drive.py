"""Call what a program only defines, with plausible data, until something trains or returns gradients."""

from __future__ import annotations

import re
import time
from typing import Any

from deltarule.diagnosis.driving.driven import LONGEST, DrivenRun
from deltarule.diagnosis.driving.driver import Driver
from deltarule.diagnosis.driving.layouts import MISFIT
from deltarule.diagnosis.driving.searching import Judge, search_calls
from deltarule.diagnosis.driving.words import is_given
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.recording.program import Recording, keep_error, record_live, started


def drive(recording: Recording, seconds: float, meant: str, judge: Judge) -> DrivenRun | None:
    """Return the best of the calls that were tried.

    ``judge`` returns what would be told of one: "right", or the lines that are wrong; None where it cannot be
    judged.
    """
    driver = Driver(recording, time.monotonic() + min(LONGEST, max(1.0, seconds)), {}, meant)
    with started(recording.source.path):
        best, undefined = driver.search(), driver.trials.undefined
    does_not_fit = MISFIT.search(recording.error) and "missing" not in recording.tape.notes
    if best is not None and best.is_right and (undefined or does_not_fit):
        best = None  # another part of the program can never run, or what it is given does not fit
    misfit = None if recording.error else driver.trials.misfit()
    is_wrong = best is not None and not best.is_right
    told = judge(best.analysis, best.label) if best is not None and is_wrong else None
    is_single = best is not None and best.layout is not None and best.layout.is_single
    if misfit is not None and is_wrong and is_single and len(told or ()) != 1:
        best = None  # of one sample alone, the shapes that never fit are spread
    if best is not None and best.is_right and best.crash is not None:
        recording.tape.note("calls", f"it fails with one layer more than in {best.label}, which is right")
        error, recording.tape = best.crash
        keep_error(recording, error)
        return None
    is_sure = best is not None and (best.is_right or (told and not best.by_name))
    if not (is_sure or undefined or does_not_fit or recording.root):
        doubted = best.label if best is not None and told else ""
        with started(recording.source.path):
            other = search_calls(driver, judge, re.split(r"\W", doubted)[0])
        other = None if other is not None and driver.leaves_out(other) else other
        best = other if other is not None and (other.is_right or not doubted) else best
        misfit = None if driver.trials.fits_somehow else misfit or driver.trials.never_fits
    if best is None and undefined is not None and not recording.error:
        keep_error(recording, undefined)
    elif best is None and misfit is not None:
        error, recording.tape = misfit
        keep_error(recording, error)
    return driver.noted(best) if best is not None else None


def drive_live(
    code: Any, seconds: float, own: dict[str, Any] | None = None, meant: str = ""
) -> tuple[Recording, Analysis, str]:
    """Call a function that is there already, or the methods of an object; ``own``: the learner's data."""
    recording = record_live(code, is_given)
    driver = Driver(recording, time.monotonic() + max(1.0, seconds), own or {}, meant)
    best = driver.search()
    if best is not None:
        return recording, best.analysis, best.label
    recording.error = "" if driver.trials.reason else driver.trials.raised
    reason = driver.trials.reason or "no way was found to call it so that it trains or returns gradients"
    return recording, Analysis(recording.tape, recording.source, reason=reason), ""

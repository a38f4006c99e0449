"""``observe``: run a learner's program, compare its steps with the gradient, and say what was seen."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from deltarule.diagnosis.faults.factors import has_its_own_rate
from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.faults.faults import faults_of, with_edits
from deltarule.diagnosis.faults.flat_units import flat_units_of
from deltarule.diagnosis.faults.lost_update import lost_update_of, unused_samples_of
from deltarule.diagnosis.faults.never_runs import never_runs
from deltarule.diagnosis.faults.scale import faults_of_whole
from deltarule.diagnosis.faults.shapes import crash_of, failure_of, growth_of
from deltarule.diagnosis.faults.untrained import untrained_parameters
from deltarule.diagnosis.faults.unused_target import unused_target_of
from deltarule.diagnosis.naming import name_faults
from deltarule.diagnosis.observation.advice import found_in, obstacle_of
from deltarule.diagnosis.observation.first_weights import findings_of
from deltarule.diagnosis.observation.record import Diagnosis
from deltarule.diagnosis.observation.summary import additions_of, conventions_of, other_loss_of, scalings_of
from deltarule.diagnosis.reading.analysis import Analysis, analyse
from deltarule.diagnosis.reading.any_loss import rows_of_no_loss
from deltarule.diagnosis.reading.comparison import DECAY, FACTOR, OPTIMIZER, RIGHT, WRONG, ZERO, Row
from deltarule.diagnosis.reading.layers import sizes_of
from deltarule.diagnosis.reading.network import read_network
from deltarule.diagnosis.recording.program import Recording, record_program
from deltarule.diagnosis.recording.source import ProgramSource

_EITHER_SIGN = "nothing shows whether this layer is passed output - target or target - output"
_ERROR = "error = output - target"


def observe(
    code: Any, seconds: float = 15.0, own: dict[str, Any] | None = None, loss: str = "", name: str = ""
) -> Diagnosis:
    """Run a program as it is, for a few updates, and judge each of its steps.

    Parameters
    ----------
    code : path, function or object
        A Python file or a notebook, which is run; a function that trains or returns gradients, or a network
        object, which are called with plausible data. It runs with all rights of this process; the command
        line runs it apart.
    seconds : float
        How long the recording may take; a loop that computes nothing recorded is not ended by it.
    own : dict, optional
        The learner's "weights", "biases", "X" and "Y", which a function is called with in place of made-up
        ones.
    loss : str
        The only one, of ``LOSSES``, that its steps may follow; all usual ones where it is empty.
    name : str
        What of the program is called; the program's own training counts where it is empty.
    """
    from deltarule.diagnosis.driving.drive import drive_live

    began = time.monotonic()
    if not isinstance(code, str | Path):
        recording, analysis, driven = drive_live(code, seconds, own, loss)
        if own and not _shows_all(analysis, own):
            recording, analysis, driven = drive_live(code, seconds, None, loss)
        return report(analysis, recording, driven, time.monotonic() - began, loss, own)
    try:
        recording = record_program(code, seconds)
        if name:
            recording.choose(name)
    except SyntaxError as error:
        kind, line = type(error).__name__, error.lineno or 0
        obstacle = f"this is not Python. Python says: {kind}: {error.msg}"
        shown = {line: error.text.rstrip("\n")} if error.text else {}
        about: dict[str, Any] = {"obstacle": obstacle, "obstacle_line": line, "lines": shown}
        return Diagnosis("cannot judge", error=f"{kind}: {error}", **about)
    slips = recording.source.slips
    seen = Diagnosis("cannot judge")
    if all(one.is_mended for one in slips):  # else the rest is not what was meant
        seen = _observed(recording, began + seconds, loss, name)
    seen = replace(seen, seconds=time.monotonic() - began)
    return _with_slips(recording.source, seen) if slips else seen


def _observed(recording: Recording, end: float, loss: str, name: str) -> Diagnosis:
    """What is found out about a program that was run, until a time."""
    from deltarule.diagnosis.driving.drive import drive
    from deltarule.diagnosis.driving.returned import analyse_written

    analysis, driven = analyse(recording.tape, recording.source, loss), ""
    if analysis.chosen is None and not recording.error and not name:
        written = analyse_written(recording.tape, recording.source, recording.namespace, loss)
        analysis = analysis if written.chosen is None else written
    is_told = crash_of(recording.tape, recording.source, recording.error) is not None
    is_told = is_told or bool(_judged(analysis) or analysis.lost) or unused_target_of(analysis) is not None
    if not name and not is_told:
        recording, analysis = _as_written(recording, analysis, end - time.monotonic(), loss)
    if name or not (is_told or _judged(analysis)):
        judge = partial(_told_lines, recording, loss)
        found = drive(recording, end - time.monotonic(), loss, judge)
        if found is not None:
            analysis, driven = found.analysis, found.label
    return report(analysis, recording, driven, 0.0, loss)


def _with_slips(source: ProgramSource, seen: Diagnosis) -> Diagnosis:
    """What Python cannot read, before what was found in the rest, if it was plain how that is to be read."""
    faults = []
    for one in source.slips:
        where, said = (one.column, one.column + 1), f"Python cannot read this line: {one.message}"
        faults.append(Fault("syntax", one.line, one.text.strip(), said, columns=where))
    if seen.verdict == "cannot judge":
        seen = Diagnosis("wrong", error="", seconds=seen.seconds)
    lines = {**seen.lines, **{one.line: one.text for one in source.slips}}
    return replace(seen, verdict="wrong", faults=(*faults, *seen.faults), lines=lines)


def _told_lines(recording: Recording, loss: str, analysis: Analysis, label: str) -> Any:
    """What would be told of a call: "right", or the lines that are wrong; None where it cannot be judged."""
    told = report(analysis, recording, label, 0.0, loss)
    lines = tuple(sorted({one.line for one in told.faults}))
    return {"right": "right", "wrong": lines}.get(told.verdict)


def _shows_all(analysis: Analysis, own: dict[str, Any]) -> bool:
    """Whether the learner's own numbers say something of every parameter."""
    shown = {row.change.key for row in _judged(analysis)}
    return len(shown) + len(analysis.absent) >= len(own["weights"]) + len(own.get("biases", ()))


def _as_written(
    recording: Recording, analysis: Analysis, seconds: float, loss: str
) -> tuple[Recording, Analysis]:
    """Let a program that trains nothing be used as its author wrote in a comment, or by a switch."""
    from deltarule.diagnosis.driving.written import other_texts

    source = recording.source
    for text, difference in other_texts(source) if not source.path.endswith(".ipynb") else ():
        other = record_program(source.path, min(5.0, seconds), text=text)
        found = analyse(other.tape, other.source, loss)
        if _judged(found):
            other.tape.note("missing", f"it trains nothing by itself: {difference}")
            return other, found
    return recording, analysis


def _judged(analysis: Analysis) -> list[Row]:
    return [row for row in analysis.chosen.rows if row.verdict != ZERO] if analysis.chosen else []


def report(
    analysis: Analysis,
    recording: Recording,
    driven: str = "",
    seconds: float = 0.0,
    meant: str = "",
    own: dict[str, Any] | None = None,
) -> Diagnosis:
    """Put together what is told of an analysis."""
    notes = analysis.tape.notes
    told: dict[str, Any] = {"driven": driven, "error": recording.error, "seconds": seconds}
    told["unseen"] = tuple(text for kind in ("missing", "truncated", "calls") for text in notes.get(kind, ()))
    crash = None if driven else crash_of(recording.tape, recording.source, recording.error)
    looks = (failure_of, growth_of, flat_units_of, unused_target_of, lost_update_of, unused_samples_of)
    certain = [one for look in looks if (one := look(analysis)) is not None]
    chosen = analysis.chosen
    if crash is not None:
        return _with_lines(recording, Diagnosis("wrong", (crash,), **told))
    if chosen is None or not _judged(analysis):
        if certain:
            return _with_lines(recording, Diagnosis("wrong", tuple(certain), **told))
        ended = never_runs(recording.tape, recording.source, recording.error)
        if ended is not None:
            return _with_lines(recording, Diagnosis("wrong", (ended,), **told))
        return _not_judged(analysis, recording, told)
    if analysis.absent and not any(row.verdict == RIGHT and row.gradient.size > 1 for row in chosen.rows):
        return _not_judged(analysis, recording, told)  # one number that agrees is none of many arrays
    network = read_network(analysis)
    found = faults_of(analysis)
    found = found or faults_of_whole(analysis, meant, recording.root) if not certain else found
    if driven and not recording.root:  # what was passed and stays as it is may be no parameter
        found = [one for one in found if one.kind != "untrained" or one.line]
    faults = name_faults(analysis, network, found)
    if not any(one.mistake not in ("", "sign") for one in faults):  # a sign may be turned anywhere on the way
        faults = name_faults(analysis, network, with_edits(analysis, found))
    faults = [*certain, *faults]
    if faults and not certain and _lacks_the_step_before(analysis):
        return _not_judged(analysis, recording, told)
    if driven and analysis.tape.meetings and faults and all(one.mistake == "sign" for one in faults):
        seen = _not_judged(analysis, recording, told)
        return replace(seen, obstacle=_EITHER_SIGN, advice="Show it in use, beginning with:", paste=_ERROR)
    told["network"] = network.layers if network else ""
    good = [row for row in chosen.rows if row.verdict in (RIGHT, OPTIMIZER, DECAY)]
    if not faults and (not good or any(row.verdict == WRONG for row in chosen.rows)):
        return _not_judged(analysis, recording, told)
    fits = any(row.verdict == RIGHT or row.rule is not None for row in chosen.rows)
    fits = fits or (chosen.own and chosen.loss_name != "its own loss")
    if not fits and _says_nothing(faults) and ((driven and network is None) or not rows_of_no_loss(analysis)):
        return _not_judged(analysis, recording, told)
    told.update(_reading(analysis, good), faults=tuple(faults))
    if not faults and recording.root and network is not None:
        told["findings"] = findings_of(network, own)
    if meant:
        told.update(supposed=False, named=True)
    return _with_lines(recording, Diagnosis("wrong" if faults else "right", **told))


def _lacks_the_step_before(analysis: Analysis) -> bool:
    """Whether there is a momentum, and single numbers are changed together with others than a step before."""
    rows = analysis.comparison.rows
    members: dict[Any, set[tuple[int, ...]]] = defaultdict(set)
    for row in rows:
        if row.change.key[0] == "numbers":
            starts = (int(analysis.tape.root[op.start]) for op in row.change.updates)
            members[row.change.key].add(tuple(sorted(starts)))
    return any(row.extra == "step" for row in rows) and any(len(some) > 1 for some in members.values())


def _says_nothing(faults: list[Fault]) -> bool:
    """Whether no fault says what should be there: output and target may be others than was thought."""
    return bool(faults) and all(one.is_vague and not one.should_be and not one.mistake for one in faults)


def _not_judged(analysis: Analysis, recording: Recording, told: dict[str, Any]) -> Diagnosis:
    """What was seen of a program that cannot be judged, and what would help."""
    obstacle = obstacle_of(analysis, recording)
    told.update(found=found_in(analysis, recording), advice=obstacle.advice, paste=obstacle.paste)
    told.update(obstacle=obstacle.text, obstacle_line=obstacle.line)
    return _with_lines(recording, Diagnosis("cannot judge", **told))


def _with_lines(recording: Recording, seen: Diagnosis) -> Diagnosis:
    """With the lines of the program that are shown."""
    shown = {fault.line for fault in seen.faults} | {seen.obstacle_line}
    lines = {one: recording.source.text_at(one) for one in sorted(shown)}
    return replace(seen, lines={one: text for one, text in lines.items() if text})


def _reading(analysis: Analysis, good: list[Row]) -> dict[str, Any]:
    """What the program was read as."""
    chosen = analysis.comparison
    meeting = chosen.meetings[0][0] if chosen.meetings and chosen.meetings[0] else None
    is_number = (
        analysis.only_gradients and bool(good) and good[0].gradient.size == 1
    )  # its factors are no rates
    rates = scalings_of(analysis, good[0]) if good and not is_number else {}
    names = {one.loss_name: one for one in analysis.others if not one.own}
    notes = [*conventions_of(analysis, rates), *additions_of(analysis), *other_loss_of(analysis)]
    fixed = dict.fromkeys(one.used for one in untrained_parameters(analysis) if one.is_fixed)
    notes += [f"{used}: one number for the whole layer, which no update changes" for used in fixed]
    return {
        "loss": chosen.loss_name,
        "loss_line": analysis.source.line(meeting.op) if meeting else 0,
        "supposed": not chosen.own,
        "factor": next(iter(chosen.common.values()), None),
        "rates": rates,
        "parameters": _parameters(analysis),
        "samples": sizes_of(analysis.tape, chosen)[0] if meeting else 0,
        "notes": tuple(notes),
        "other_losses": tuple(name for name, one in names.items() if name != chosen.loss_name and one.bad),
    }


def _parameters(analysis: Analysis) -> tuple[tuple[str, int, tuple[int, ...], str], ...]:
    order = [ZERO, RIGHT, DECAY, OPTIMIZER, FACTOR, WRONG]
    every = analysis.comparison.by_parameter().values()
    worst = [max(rows, key=lambda row: order.index(row.verdict)) for rows in every]
    told = [(row.change, _told_verdict(analysis, row)) for row in worst]
    return tuple((one.name, one.line, one.shape, verdict) for one, verdict in told)


def _told_verdict(analysis: Analysis, row: Row) -> str:
    """A row's verdict; without a factor to compare with, a multiple of the gradient is right.

    What never reaches the parameter is wrong.
    """
    if {op.spot for op in analysis.lost} & {op.spot for op in row.change.updates}:
        return WRONG
    if row.verdict == FACTOR and (row.ratio == 1.0 or has_its_own_rate(analysis, analysis.comparison, row)):
        return RIGHT
    return "alone" if row.verdict == ZERO and row.gradient.any() else row.verdict

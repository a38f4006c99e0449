"""``observe``: run a learner's program, compare its steps with the gradient, and say what was seen."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from deltarule.diagnosis.faults.factors import rates_of
from deltarule.diagnosis.faults.faults import Fault, faults_of
from deltarule.diagnosis.naming import name_faults
from deltarule.diagnosis.observation.record import Observation
from deltarule.diagnosis.reading.analysis import Analysis, analyse
from deltarule.diagnosis.reading.comparison import DECAY, OPTIMIZER, RIGHT, WRONG, ZERO
from deltarule.diagnosis.reading.network import read_network
from deltarule.diagnosis.recording.program import Recording, record_program


def observe(path: str | Path, seconds: float = 15.0) -> Observation:
    """Run a program as it is, for a few updates, and judge each of its steps.

    Parameters
    ----------
    path : str or Path
        A Python file or a notebook. It runs with all rights of this process; the command line runs it apart.
    seconds : float
        How long the recording may take; a loop that computes nothing recorded is not ended by it.
    """
    from deltarule.diagnosis.driving.drive import drive

    began = time.monotonic()
    try:
        recording = record_program(path, seconds)
    except SyntaxError as error:
        return Observation("cannot judge", error=f"{type(error).__name__}: {error}")
    analysis = analyse(recording.tape, recording.source)
    driven = ""
    if (analysis.chosen is None or not _judged(analysis)) and _crash(recording) is None:
        result = drive(recording, began + seconds - time.monotonic())
        if result is not None:
            analysis, driven = result
    return report(analysis, recording, driven, time.monotonic() - began)


def _judged(analysis: Analysis) -> int:
    assert analysis.chosen is not None
    return sum(row.verdict != ZERO for row in analysis.chosen.rows)


def report(analysis: Analysis, recording: Recording, driven: str = "", seconds: float = 0.0) -> Observation:
    """Put together what is told of an analysis."""
    unseen = tuple(text for kind in ("missing", "truncated") for text in analysis.tape.notes.get(kind, ()))
    grown = _grown(analysis)
    crash = _crash(recording) if not driven else None
    if crash:
        return Observation("wrong", (crash,), unseen=unseen, error=recording.error, seconds=seconds)
    if analysis.chosen is None or not _judged(analysis):
        if grown:
            return Observation(
                "wrong", (grown,), unseen=unseen, driven=driven, error=recording.error, seconds=seconds
            )
        reason = analysis.reason or "all gradients are zero: units are saturated or dead"
        return Observation(
            "cannot judge",
            notes=(reason,),
            unseen=unseen,
            driven=driven,
            error=recording.error,
            seconds=seconds,
        )
    chosen = analysis.chosen
    network = read_network(analysis)
    faults = faults_of(analysis)
    if grown:
        faults.insert(0, grown)
    faults = name_faults(analysis, network, faults)
    verdict = "wrong" if faults else "right"
    good = [row for row in chosen.rows if row.verdict in (RIGHT, OPTIMIZER, DECAY)]
    if verdict == "right" and (not good or any(row.verdict == WRONG for row in chosen.rows)):
        verdict = "cannot judge"
    meeting = chosen.meetings[0][0] if chosen.meetings and chosen.meetings[0] else None
    return Observation(
        verdict,
        tuple(faults),
        chosen.loss_name,
        analysis.source.line(meeting.op) if meeting else 0,
        not chosen.own,
        next(iter(chosen.common.values()), None),
        rates_of(analysis, good[0]) if good else {},
        _parameters(analysis),
        (meeting.output.shape[0] if meeting.output.ndim > 1 else 1) if meeting else 0,
        _notes(analysis),
        unseen,
        driven,
        recording.error,
        seconds,
        str(network or ""),
    )


_SHAPES = re.compile(r"broadcast|not aligned|core dimension|shape mismatch|cannot reshape", re.I)


def _crash(recording: Recording) -> Fault | None:
    """Shapes that do not fit where the program ran on an output and a target."""
    found = re.match(r"(.*) \(line (\d+)\)$", recording.error, re.S)
    tape = recording.tape
    if found is None or not _SHAPES.search(found.group(1)) or tape.size < 2 or tape.notes.get("missing"):
        return None
    line = int(found.group(2))
    line = _misshapen(recording, found.group(1), line) or line
    if not any(op.name in ("dot", "matmul", "exp", "tanh", "maximum") for op in tape.operations):
        return None
    return Fault("shape", line, recording.source.lines[line - 1].strip(), found.group(1))


def _misshapen(recording: Recording, message: str, line: int) -> int:
    """The line before that computed an array of one of the shapes that do not fit, after the error."""
    tape, source = recording.tape, recording.source
    shapes = [tuple(int(n) for n in re.findall(r"\d+", one)) for one in re.findall(r"\(([\d, ]*)\)", message)]
    statement = source.lines[line - 1] if line else ""
    if not re.search(r"[-+]=|= *[\w.\[\]'\"]+ *[-+]", statement):
        return 0
    for op in reversed(tape.operations):
        if not op.is_leaf and op.old is None and op.shape in shapes[-1:] and source.line(op) not in (0, line):
            return source.line(op)
    return 0


def _grown(analysis: Analysis) -> Fault | None:
    """A parameter that takes another shape by its step."""
    tape = analysis.tape
    for op, old in tape.grown:
        users = [
            one
            for one in tape.operations[: op.index]
            if any(
                ids is not None and ids.size and int(ids.flat[0]) == int(old.flat[0]) for ids in one.inputs
            )
        ]
        places = {(one.place[0][0], one.place[0][1]) for one in users if one.place}
        for later in tape.operations[op.index + 1 :]:
            reads = any(ids is not None and ids.size and int(ids.flat[0]) == op.start for ids in later.inputs)
            if reads and later.place and (later.place[0][0], later.place[0][1]) in places:
                return _growth_fault(analysis, op, old)
    return None


def _growth_fault(analysis: Analysis, op: Any, old: Any) -> Fault:
    name = analysis.source.target_of(op)
    text = f"{name} has the shape {old.shape}, and after this step {op.shape}: its step is no gradient of it"
    return Fault("shape", analysis.source.line(op), analysis.source.text_of(op), text, (name,))


def _parameters(analysis: Analysis) -> tuple[tuple[str, int, tuple[int, ...], str], ...]:
    assert analysis.chosen is not None
    order = [ZERO, RIGHT, DECAY, OPTIMIZER, "factor", WRONG]
    found: dict[Any, tuple[str, int, tuple[int, ...], str]] = {}
    for row in analysis.chosen.rows:
        change = row.change
        before = found.get(change.key)
        if before is None or order.index(row.verdict) > order.index(before[3]):
            found[change.key] = (change.name, change.line, change.shape, row.verdict)
    return tuple(found.values())


def _notes(analysis: Analysis) -> tuple[str, ...]:
    chosen = analysis.chosen
    assert chosen is not None
    notes = []
    if not chosen.own:
        notes.append(
            f"the loss was not computed by the program: it was read from the steps ({chosen.loss_name})"
        )
        other = {"squared error": "a cross-entropy", "binary cross-entropy": "a squared error"}
        if chosen.loss_name in other:
            slope = (
                "f′ at the output would be too much"
                if chosen.loss_name == "squared error"
                else ("f′ at the output would be missing")
            )
            notes.append(f"for {other[chosen.loss_name]} the steps would be wrong: {slope}")
    for row in chosen.rows:
        if row.verdict == OPTIMIZER and row.found is not None:
            line = analysis.source.line(row.found)
            notes.append(f"{row.change.name}: the gradient stands on line {line}; the step is an optimizer's")
        if row.verdict == DECAY:
            notes.append(
                f"{row.change.name}: the step is its gradient and {row.amount:.3g} times something of its own"
            )
    if any(meeting.broadcast for some in chosen.meetings for meeting in some):
        notes.append("output and target have different shapes and are broadcast against each other")
    return tuple(dict.fromkeys(notes))

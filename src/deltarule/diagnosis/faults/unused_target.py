"""A target that is passed and never read: whatever the steps follow, it is not what was wanted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from deltarule.diagnosis.driving.plausible import TARGET
from deltarule.diagnosis.faults.factors import maker
from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.updates import change_of, updates_on
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Operation

#: Names of targets under which other things are passed, too.
_OF_OUTPUTS = re.compile(
    r"(t|d|out)$|(\w*_)?(output|salida|saida|sortie|ausgabe|cikis|wyjsci|vyhod)\w*$", re.I
)


def unused_target_of(analysis: Analysis) -> Fault | None:
    """Parameters change, no output meets a target, and the function that trains never reads its target."""
    tape, source = analysis.tape, analysis.source
    moving = [op for op in updates_on(tape) if change_of(tape, op).any()]
    if analysis.chosen is not None or analysis.blind is not None or not moving:
        return None
    made_of = [tape.operations[k] for op in moving for ids in op.read for k in tape.ancestors(ids)]
    differences = [op for op in made_of if op.name == "subtract" and op.old is None]
    if not all(source.is_literal(op, 0) or source.is_literal(op, 1) for op in differences):
        return None
    for function, name in _unread_targets(source, [*moving, *made_of]):
        first = moving[0]
        old = first.old.ravel().tolist() if first.old is not None else []
        added = [ids for ids in first.read if ids.ravel().tolist() != old]
        made = maker(tape, tape.operations[tape.producers(added[0])[0]]) if added else first
        text = f"{name}, the target, is never used in {function.name}, so nothing says what the output "
        text += f"should be: the gradient begins with output - {name}"
        at = made if source.line(made) and not made.is_leaf else first
        names = tuple(dict.fromkeys(source.target_of(op) for op in moving))
        return fault_at(analysis, "derivative", at, text, parameters=names)
    return None


def _unread_targets(source: ProgramSource, made: list[Operation]) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Of the functions that computed something, those that must be given a target and never read it."""
    codes = {frame[0].co_name for op in made for frame in op.place}
    for function in source.nodes:
        if not isinstance(function, ast.FunctionDef) or function.name not in codes:
            continue
        arguments = [*function.args.posonlyargs, *function.args.args]
        required = arguments[: len(arguments) - len(function.args.defaults)]
        read = {one.id for part in function.body for one in ast.walk(part) if isinstance(one, ast.Name)}
        unread = [one.arg for one in required if _is_target(one.arg)]
        if unread and not any(map(_is_target, read)):
            yield function, unread[0]


def _is_target(name: str) -> bool:
    return bool(TARGET.match(name)) and not _OF_OUTPUTS.match(name)

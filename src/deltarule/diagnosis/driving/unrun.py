"""What of a program did not run in any call that could be judged: its updates may be wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import CodeType

from deltarule.diagnosis.driving.needs import is_sum
from deltarule.diagnosis.driving.usage import is_change
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape


def note_unrun(tape: Tape, source: ProgramSource, run: Iterable[CodeType]) -> None:
    """Let the report tell which functions change something by itself ± something, and did not run."""
    seen = [source.function_at(code.co_name, code.co_firstlineno) for code in run]
    reached = {id(each) for one in seen if one is not None for each in ast.walk(one)}
    names = [
        f"{one.name} (line {one.lineno})"
        for one in source.nodes
        if isinstance(one, ast.FunctionDef) and id(one) not in reached and _changes(one)
    ]
    if names:
        tape.note("calls", f"nothing is said of what did not run: {', '.join(names)}")


def _changes(function: ast.FunctionDef) -> bool:
    return any(is_change(one) and not is_sum(one) for one in ast.walk(function))

"""What of a program did not run in any call that could be judged: its updates may be wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import CodeType

from deltarule.diagnosis.driving.needs import is_sum
from deltarule.diagnosis.driving.usage import is_change
from deltarule.diagnosis.driving.words import BACK
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape


def note_unrun(tape: Tape, source: ProgramSource, run: Iterable[CodeType]) -> None:
    """Let the report tell which functions change something by itself ± something, and did not run."""
    names = [f"{one.name} (line {one.lineno})" for one in _unrun(source, _seen(source, run)) if _changes(one)]
    if names:
        tape.note("calls", f"nothing is said of what did not run: {', '.join(names)}")


def goes_on_unrun(source: ProgramSource, run: Iterable[CodeType]) -> bool:
    """Whether a function goes back by what ran, over steps or layers, and did not run itself.

    It adds up what that returned, or passes it on to the same; what only trains does neither.
    """
    seen = _seen(source, run)
    back = {one.name for one in seen if BACK.search(one.name)}
    return any(_goes_on(one, back) for one in _unrun(source, seen))


def _seen(source: ProgramSource, run: Iterable[CodeType]) -> list[ast.FunctionDef]:
    found = [source.function_at(code.co_name, code.co_firstlineno) for code in run]
    return [one for one in found if one is not None]


def _unrun(source: ProgramSource, seen: list[ast.FunctionDef]) -> list[ast.FunctionDef]:
    """The functions that did not run, nor stand within what ran."""
    reached = {id(each) for one in seen for each in ast.walk(one)}
    return [one for one in source.functions if id(one) not in reached]


def _goes_on(function: ast.FunctionDef, back: set[str]) -> bool:
    """Whether a function adds up what these return, but for a number, or passes it on to the same."""
    numbers = set[str]()
    returned: dict[str, str] = {}
    every = list(ast.walk(function))
    assigned = [one for one in every if isinstance(one, ast.Assign)]
    for each in sorted(assigned, key=lambda one: one.lineno):
        targets = set().union(*map(_names, each.targets))
        numbers |= targets if isinstance(each.value, ast.Constant) else set()
        came = _called(each.value) if isinstance(each.value, ast.Call) else ""
        came = returned.get(each.value.id, "") if isinstance(each.value, ast.Name) else came
        returned |= {name: came for name in targets if came in back}
    for one in every:
        match one:
            case ast.AugAssign(op=ast.Add(), target=target) if not _names(target) & numbers:
                if _names(one.value) & returned.keys():
                    return True
            case ast.Call(args=passed) if _called(one) in back:
                if any(returned.get(name) == _called(one) for part in passed for name in _names(part)):
                    return True
    return False


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _changes(function: ast.FunctionDef) -> bool:
    return any(is_change(one) and not is_sum(one) for one in ast.walk(function))

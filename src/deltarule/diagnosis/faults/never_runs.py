"""What can never run, whatever it is given: names that are not there, calls with too many arguments."""

from __future__ import annotations

import ast
import difflib
import re

from deltarule.diagnosis.driving.hopeless import is_assigned, is_never_given, misuse
from deltarule.diagnosis.driving.layouts import MISFIT
from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape

#: From which likeness on to a name that is known a name is taken for a slip of the pen.
_ALIKE = 0.85


def never_runs(tape: Tape, source: ProgramSource, error: str) -> Fault | None:
    """What ended a program that could not be judged, if that is the fault of the program alone.

    Not of what is missing here (a file, a package, a part that was not copied), nor of another version.
    """
    found = re.match(r"(\w+): (.*) \(line (\d+)\)$", error, re.S)
    if found is None:
        return None
    kind, message, line = found.group(1), found.group(2), int(found.group(3))
    text = ""
    if kind == "TypeError" and (said := re.search(r"(\w+)\(\) (?:takes|missing) .*positional arg", message)):
        line, text = _miscounted(source, said.group(1), line, message)
    elif kind == "TypeError":
        text = misuse(source, message, line)
    elif kind == "NameError" and (said := re.match(r"name '(\w+)'", message)):
        text = _out_of_reach(source, said.group(1), line)
    elif kind == "AttributeError" and (said := re.match(r"'(\w+)' object has no attribute '(\w+)'", message)):
        owner, name = said.groups()
        is_told = is_never_given(source, owner, name)
        text = (
            f"no {owner} has {name}: where it gets its value it is a local name, so write self.{name} there"
            if is_told
            else ""
        )
    elif MISFIT.search(message) and "missing" not in tape.notes:
        text = f"the shapes do not match. Python says: {kind}: {message}"
    text = text and f"{text}. Nothing that comes after it could be checked"
    return fault_at(Analysis(tape, source), "shape", line, text) if text else None


def _miscounted(source: ProgramSource, name: str, line: int, message: str) -> tuple[int, str]:
    """Where and how a function of the program is called with more or fewer arguments than it takes."""
    functions = [one for one in source.functions if one.name == name]
    if len(functions) != 1:
        return line, ""
    function, holder = functions[0], source.parent(functions[0])
    calls = [
        one
        for one in source.nodes
        if isinstance(one, ast.Call) and one.lineno <= line <= (one.end_lineno or 0)
    ]
    named = {ast.unparse(one.func).rpartition(".")[2] for one in calls}
    if not {name, holder.name if isinstance(holder, ast.ClassDef) else name} & named:
        return line, ""  # what was passed on may be anything
    first = function.args.args[0].arg if function.args.args else ""
    is_method = isinstance(holder, ast.ClassDef) and not function.decorator_list
    is_method &= f"self.{name}" in {ast.unparse(one.func) for one in calls}
    if is_method and first not in ("self", "cls"):
        text = f"a method is passed its object first: write def {name}(self"
        return function.lineno, f"{text}, {first}, …)" if first else f"{text})"
    return line, f"this does not fit how {name} is defined on line {function.lineno}: {message}"


def _out_of_reach(source: ProgramSource, name: str, line: int) -> str:
    """What was meant by a name that is not defined, if it is plain."""
    inside = [
        one
        for one in source.nodes
        if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.lineno <= line <= (one.end_lineno or 0)
    ]
    within = [one for outer in inside if isinstance(outer, ast.ClassDef) for one in ast.walk(outer)]
    if any(is_assigned(one) and ast.unparse(one) == f"self.{name}" for one in within):
        return f"the name {name} is not defined here: write self.{name}"
    near = inside[-1:] if inside else [source.tree]
    known = {one.arg for outer in inside for one in ast.walk(outer) if isinstance(one, ast.arg)}
    known |= {
        one.id
        for outer in (source.tree.body if not inside else near)
        for one in ast.walk(outer)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    alike = difflib.get_close_matches(name, known - {name}, 1, _ALIKE)
    if not alike or len(name) < 4 or re.sub(r"\d", "", alike[0]) == re.sub(r"\d", "", name):
        return ""  # W1 is not W2
    return f"the name {name} is not defined: {alike[0]} seems to be meant"

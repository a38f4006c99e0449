"""Shapes that do not fit: a program that ends with them, and a parameter that takes another shape."""

from __future__ import annotations

import ast
import re

from deltarule.diagnosis.driving.layouts import MISFIT
from deltarule.diagnosis.faults.factors import maker
from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.faults.untrained import NAMED
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.layers import sizes_of
from deltarule.diagnosis.recording.source import ProgramSource, is_parameter
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape


def crash_of(tape: Tape, source: ProgramSource, error: str) -> Fault | None:
    """Shapes that do not fit where the program ran on output and target, or a parameter that is not seen."""
    found = re.match(r"(.*) \(line (\d+)\)$", error, re.S)
    if found and (local := re.match(r"UnboundLocalError: .*variable '(\w+)'", found.group(1))):
        return _not_global(tape, source, local.group(1), int(found.group(2)))
    if found is None or not MISFIT.search(found.group(1)) or tape.size < 2 or tape.notes.get("missing"):
        return None
    if not any(op.name in ("dot", "matmul", "exp", "tanh", "maximum") for op in tape.operations):
        return None
    message, line = found.group(1), int(found.group(2))
    made = _misshapen(tape, source, message, line)
    text = f"the shapes do not match. Python says: {message}"
    return fault_at(Analysis(tape, source), "shape", made if made and source.line(made) else line, text)


def failure_of(analysis: Analysis) -> Fault | None:
    """An operation that fails whatever it is given."""
    return None if analysis.failure is None else fault_at(analysis, "shape", *analysis.failure)


def _not_global(tape: Tape, source: ProgramSource, name: str, line: int) -> Fault | None:
    """A parameter of the program's top level that a function changes without calling it global."""
    assigned = [one for one in source.tree.body if isinstance(one, ast.Assign)]
    outside = {ast.unparse(target) for one in assigned for target in one.targets}
    for function in source.functions if is_parameter(name) else ():
        is_inside = function.lineno <= line <= (function.end_lineno or 0)
        for one in ast.walk(function) if is_inside else ():
            if not isinstance(one, ast.AugAssign | ast.Assign) or name not in _changed_by(one):
                continue
            text = (
                f"because this line changes {name}, Python treats it as a local name of {function.name}, "
                f"and on line {line} it has no value yet: "
            )
            is_global = name in outside
            text += (
                f"begin the function with global {name}" if is_global else f"pass {name} to {function.name}"
            )
            return fault_at(Analysis(tape, source), "shape", one.lineno, text)
    return None


def _changed_by(statement: ast.AugAssign | ast.Assign) -> set[str]:
    """The names that a statement changes by what they are, as ``w -= a`` or ``w = w - a``."""
    if isinstance(statement, ast.AugAssign):
        return {ast.unparse(statement.target)}
    read = {ast.unparse(one) for one in ast.walk(statement.value) if isinstance(one, ast.Name)}
    return read & {ast.unparse(one) for one in statement.targets}


def _misshapen(tape: Tape, source: ProgramSource, message: str, line: int) -> Operation | None:
    """What made the array that does not fit a parameter (or its momentum), if it fits no other parameter."""
    if not _is_written_over(source, line):
        return None
    shapes = [tuple(int(n) for n in re.findall(r"\d+", one)) for one in re.findall(r"\(([\d, ]*)\)", message)]
    computed = [op for op in tape.operations if not op.is_leaf and op.old is None]
    last = computed[-1] if computed and source.line(computed[-1]) == line else None
    if last is not None and last.name in ("add", "subtract"):  # the sum itself, which fits nowhere
        last = tape.operations[max(last.before, default=0)]
    last = last or next((op for op in reversed(computed) if op.shape in shapes[-1:]), None)
    made = last and maker(tape, last)
    of_parameters = {op.shape for op in tape.operations if op.old is not None}
    of_parameters |= {op.shape for op in tape.operations if op.initial and NAMED.search(source.name_of(op))}
    is_misshapen = made and not made.is_leaf and made.old is None and made.shape not in of_parameters
    return made if is_misshapen else None


def _is_written_over(source: ProgramSource, line: int) -> bool:
    """Whether a line changes something by itself, as ``w -= a`` or ``m = b * m + a``."""
    for node in source.nodes:
        if isinstance(node, ast.AugAssign | ast.Assign) and node.lineno <= line <= (node.end_lineno or 0):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            parts = {ast.unparse(one) for one in ast.walk(node.value) if isinstance(one, ast.expr)}
            is_sum = isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Add | ast.Sub)
            return isinstance(node, ast.AugAssign) or (is_sum and ast.unparse(target) in parts)
    return False


def growth_of(analysis: Analysis) -> Fault | None:
    """A parameter that takes another shape by its step: a weight for each sample, say.

    A bias that begins as one number for all units and becomes one for each of them is none.
    """
    tape = analysis.tape
    samples = sizes_of(tape, analysis.chosen)[0] if analysis.chosen else 0
    for op, old in tape.grown:
        users = [one for one in tape.operations[: op.index] if _reads(one, int(old.flat[0]))]
        places = {one.spot for one in users if one.place}
        for later in tape.operations[op.index + 1 :]:
            if _reads(later, op.start) and later.spot in places:
                if later.name in ("add", "subtract") and (later.size > op.size or samples == 1):
                    break
                return _growth(analysis, op, old)
    return None


def _reads(op: Operation, first: int) -> bool:
    return any(ids.size and int(ids.flat[0]) == first for ids in op.read)


def _growth(analysis: Analysis, op: Operation, old: Ids) -> Fault:
    name, tape = analysis.source.target_of(op), analysis.tape
    text = f"{name} has shape {old.shape} before this update and {op.shape} after it, "
    text += f"so the update is not a gradient of {name}"
    added = [ids for ids in op.read if ids.shape != old.shape]
    made = maker(tape, tape.operations[tape.producers(added[0])[0]]) if added else op
    at = op if made.is_leaf or made.old is not None or not analysis.source.line(made) else made
    return fault_at(analysis, "shape", at, text, parameters=(name,))

"""Which failures of a call come whatever it is given."""

from __future__ import annotations

import ast
import re
import traceback

from deltarule.diagnosis.driving.usage import is_change
from deltarule.diagnosis.recording.source import ProgramSource


def raises_always(source: ProgramSource, error: BaseException) -> bool:
    """Whether what was called ends with a ``raise``, whatever it is given."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == source.path:
            called = source.function_at(frame.f_code.co_name, frame.f_code.co_firstlineno)
            body = called.body if called else []
            last = next((one for one in body if one.lineno <= line <= (one.end_lineno or 0)), None)
            returns = any(isinstance(one, ast.Return) for some in body for one in ast.walk(some))
            return isinstance(last, ast.Raise) and not returns
    return False


def is_undefined(source: ProgramSource, error: BaseException) -> bool:
    """Whether something that there is not was used, or more or fewer arguments were passed than are taken."""
    match error:
        case UnboundLocalError():
            return _is_bound_by_itself(source, error)
        case NameError(name=name):
            return not any(name in one.names for one in source.nodes if isinstance(one, ast.Global))
        case AttributeError(name=name, obj=owner):
            return is_never_given(source, type(owner).__name__, str(name))
        case TypeError():
            lines = [
                one.lineno or 0
                for one in traceback.extract_tb(error.__traceback__)
                if one.filename == source.path
            ]
            return _miscounts(source, error) or bool(
                misused_shape(source, str(error), lines[-1] if lines else 0)
            )
    return False


def misused_shape(source: ProgramSource, message: str, line: int) -> str:
    """How a shape is passed to a function of NumPy's that takes it otherwise; empty where none is."""
    calls = [one for one in source.nodes if isinstance(one, ast.Call) and one.lineno == line]
    for call in calls:
        match ast.unparse(call.func).split("."):
            case [_, "random", "rand" | "randn" as name] if "interpreted as an integer" in message:
                held = [one for one in call.args if isinstance(one, ast.Tuple | ast.List)]
                sizes = ", ".join(ast.unparse(one) for each in held for one in each.elts)
                text = f"sizes are passed to {name} one by one: write {ast.unparse(call.func)}({sizes})"
                return text if held else ""
            case [_, "zeros" | "ones" | "empty" as name] if "as a data type" in message:
                sizes = ", ".join(map(ast.unparse, call.args))
                return f"one shape is passed to {name}: write {ast.unparse(call.func)}(({sizes}))"
    return ""


def is_never_given(source: ProgramSource, kind: str, name: str) -> bool:
    """Whether an object of one of the program's classes is asked for what is only a local name of a method.

    What nothing in the program gives it otherwise may be set from outside.
    """
    every = source.nodes
    classes = {one.name: one for one in every if isinstance(one, ast.ClassDef)}
    bases = classes[kind].bases if kind in classes else None
    if bases is None or any(ast.unparse(one) not in ("object", *classes) for one in bases):
        return False
    given = {one.attr for one in every if isinstance(one, ast.Attribute) and is_assigned(one)}
    given |= {one.name for one in every if isinstance(one, ast.FunctionDef)}
    given |= {ast.unparse(one) for outer in classes.values() for each in outer.body for one in _targets(each)}
    local = {one.id for one in ast.walk(classes[kind]) if isinstance(one, ast.Name) and is_assigned(one)}
    return name in local - given and not re.search(r"setattr|__dict__|__getattr", source.text)


def _targets(statement: ast.stmt) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else []


def is_assigned(node: ast.AST) -> bool:
    """Whether a name, or what an object has, is given a value."""
    return isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store)


def _is_bound_by_itself(source: ProgramSource, error: UnboundLocalError) -> bool:
    """Whether a local name is only ever made of what it was, as ``w -= dw`` makes it."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    function = source.function_at(frame.f_code.co_name, frame.f_code.co_firstlineno)
    for one in ast.walk(function) if function else ():
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store) and f"'{one.id}'" in str(error):
            holder = source.parent(one)
            if not (isinstance(holder, ast.AugAssign | ast.Assign) and is_change(holder)):
                return False
    return True


def _miscounts(source: ProgramSource, error: TypeError) -> bool:
    """Whether the program passes more or fewer arguments to a function of its own than that takes."""
    said = re.search(r"(\w+)\(\) (?:takes|missing) .*positional argument", str(error))
    *_, last = traceback.walk_tb(error.__traceback__)
    code = last[0].f_code
    if said is None or code.co_filename != source.path:
        return False
    match source.node((code, last[0].f_lasti, last[1])):
        case ast.Call(args=[*_, ast.Starred()]):
            return False  # it passes on what it is passed
        case ast.Call(func=ast.Name(name)):
            return name == said[1] and name not in code.co_varnames  # what was passed may be anything
        case ast.Call(func=ast.Attribute(ast.Name("self"), name)):
            return name == said[1]
    return False

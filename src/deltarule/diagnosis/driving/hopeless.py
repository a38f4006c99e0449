"""Which failures of a call come whatever it is given."""

from __future__ import annotations

import ast
import inspect
import re
import traceback

import numpy as np

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
            return _miscounts(source, error) or bool(misuse(source, str(error), line_of(source, error)))
    return False


def line_of(source: ProgramSource, error: BaseException) -> int:
    """The last line of a program that an error went through; 0 for none."""
    through = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in through if frame.f_code.co_filename == source.path]
    return lines[-1] if lines else 0


def misuse(source: ProgramSource, message: str, line: int) -> str:
    """How something is used that takes nothing of the kind, whatever the program is given; else empty."""
    found = (one(source, message, line) for one in (_misused_shape, _unknown_keyword, _counter_taken_apart))
    return next(filter(None, found), "")


def _misused_shape(source: ProgramSource, message: str, line: int) -> str:
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


def _unknown_keyword(source: ProgramSource, message: str, line: int) -> str:
    """How a function is passed something by a name that it does not know; empty where it may know it."""
    said = re.search(r"(\w+)\(\) got an unexpected keyword argument '(\w+)'", message)
    function, name = said.groups() if said else ("", "")
    calls = [one for one in source.nodes if isinstance(one, ast.Call) and one.lineno == line]
    for call in calls if name else ():
        keyword = next((one for one in call.keywords if one.arg == name), None)
        if keyword is None or ast.unparse(call.func).rpartition(".")[2] != function:
            continue
        taken = _taken_by(source, call.func)
        if taken is None or name in taken:
            return ""
        text = f"the function {ast.unparse(call.func)} takes no {name}"
        outer = source.parent(call)
        if isinstance(outer, ast.Call) and name in (_taken_by(source, outer.func) or ()):
            inner = ast.Call(call.func, call.args, [one for one in call.keywords if one is not keyword])
            args: list[ast.expr] = [inner if one is call else one for one in outer.args]
            meant = ast.unparse(ast.Call(outer.func, args, [*outer.keywords, keyword]))
            text += f", {ast.unparse(outer.func)} does: write {meant}"
        return text
    return ""


def _counter_taken_apart(source: ProgramSource, message: str, line: int) -> str:
    """What an object only counts with, and takes apart as if it were a list; empty where it does not."""
    if not re.search("'int' object is not (subscriptable|iterable)|type 'int' has no len", message):
        return ""
    used = [one for one in source.nodes if isinstance(one, ast.Attribute) and one.lineno == line]
    for one in (one for one in used if not is_assigned(one)):
        alike = [each for each in source.nodes if isinstance(each, ast.Attribute) and each.attr == one.attr]
        held = [source.parent(each) for each in alike if is_assigned(each)]
        counts = any(isinstance(each, ast.AugAssign) for each in held)
        if counts and all(isinstance(getattr(each, "value", None), ast.Constant) for each in held):
            lines = {each.lineno for each in held if isinstance(each, ast.AugAssign)}
            return f"{ast.unparse(one)} is a number, which is counted up on line {min(lines)}"
    return ""


def _taken_by(source: ProgramSource, function: ast.expr) -> set[str] | None:
    """The names of what a function of NumPy's or the program's own takes; None where they are not known."""
    name = ast.unparse(function).rpartition(".")[2]
    own = [one for one in source.functions if one.name == name]
    bound = {one.arg for one in source.nodes if isinstance(one, ast.arg)}
    bound |= {
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in source.nodes
        if isinstance(one, ast.Attribute | ast.Name) and is_assigned(one)
    }
    match function:
        case ast.Name() | ast.Attribute(ast.Name("self")) if len(own) == 1 and name not in bound:
            args = own[0].args
            known = {one.arg for one in (*args.args, *args.kwonlyargs)}
            return None if args.kwarg or own[0].decorator_list else known
        case ast.Attribute(ast.Name("np" | "numpy")):
            return _taken_by_numpy(name)
        case ast.Name() if not own and name not in bound:
            imports = [one for one in source.nodes if isinstance(one, ast.ImportFrom)]
            every = [one.module for one in imports for each in one.names if each.name == name]
            return _taken_by_numpy(name) if every == ["numpy"] else None
    return None


def _taken_by_numpy(name: str) -> set[str] | None:
    try:
        parameters = inspect.signature(getattr(np, name)).parameters.values()
    except (AttributeError, TypeError, ValueError):  # it is not written in Python
        return None
    is_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    return None if is_any else {one.name for one in parameters}


def is_never_given(source: ProgramSource, kind: str, name: str) -> bool:
    """Whether an object of one of the program's classes is asked for what is only a local name of a method.

    Or an argument of one. What another class keeps of itself is not given to this one; what nothing in the
    program gives it otherwise may be set from outside.
    """
    classes = {one.name: one for one in source.nodes if isinstance(one, ast.ClassDef)}
    bases = classes[kind].bases if kind in classes else None
    if bases is None or any(ast.unparse(one) not in ("object", *classes) for one in bases):
        return False
    related = [one for one in classes.values() if _is_related(classes, kind, one.name)]
    own = {id(each) for one in related for each in ast.walk(one)}  # a class may lie within another
    within = [each for one in classes.values() for each in ast.walk(one)]
    elsewhere = {id(each) for each in within if _is_own(each)} - own
    every = [one for one in source.nodes if isinstance(one, ast.Attribute) and is_assigned(one)]
    given = {one.attr for one in every if id(one) not in elsewhere}
    given |= {one.name for one in source.functions}
    given |= {ast.unparse(one) for outer in classes.values() for each in outer.body for one in _targets(each)}
    inside = list(ast.walk(classes[kind]))
    local = {one.id for one in inside if isinstance(one, ast.Name) and is_assigned(one)}
    local |= {one.arg for one in inside if isinstance(one, ast.arg)}
    return name in local - given and not re.search(r"setattr|__dict__|__getattr", source.text)


def _is_own(node: ast.AST) -> bool:
    """Whether something is what an object has itself."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_related(classes: dict[str, ast.ClassDef], first: str, second: str) -> bool:
    """Whether objects may be of both classes: one inherits from the other, or a third from both."""
    return any({first, second} <= _line(classes, one) for one in classes)


def _line(classes: dict[str, ast.ClassDef], name: str) -> set[str]:
    """A class and those that it inherits from."""
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one in classes and one not in found:
            found.add(one)
            waiting += map(ast.unparse, classes[one].bases)
    return found


def _targets(statement: ast.stmt) -> list[ast.expr]:
    if isinstance(statement, ast.AnnAssign):
        return [statement.target]
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

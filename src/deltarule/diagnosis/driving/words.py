"""What the names in a program say: what goes forward or back, layers, what functions return."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.plausible import DATA, RATE, TARGET, UPSTREAM
from deltarule.diagnosis.recording.program import Recording
from deltarule.diagnosis.recording.tape import Tape

FORWARD = re.compile(
    r"_*(forward\w*|propag\w*|vorw\w*|feed_?forward\w*|predict|propagate|think|query|activate|calc\w*|compute|front\w*|f_prop\w*"
    r"|get_?outputs?)$",
    re.I,
)
BACK = re.compile(r"back|grad|retro|r(ue|u|ü)ck|atras|indietro|arriere|obratn", re.I)
#: What the input of a layer is called.
INPUT = "the input"
#: What the forward pass ends with, beside a target.
OUTPUT = re.compile(
    r"((final|ai|net(work)?|model|actual|nn)_?)?outputs?$|out$|y_?(pred\w*|hat)$|pred\w*$|a_?out$|prob\w*$|res(ult)?$|al$",
    re.I,
)


def is_own(kind: type, path: str) -> bool:
    """Whether a class has a method that is written in this file, or is a record of it."""
    if hasattr(kind, "__dataclass_fields__") and kind.__module__ == "__main__":
        return True
    codes = [getattr(getattr(one, "__func__", one), "__code__", None) for one in vars(kind).values()]
    return any(code is not None and code.co_filename == path for code in codes)


def is_given(path: str) -> bool:
    """Whether a name says that its numbers are not to be learned."""
    name = re.split(r"[.\[]", path)[-1].strip("]'\"")
    return bool(DATA.match(name) or TARGET.match(name) or RATE.match(name))


def is_partly_read(tape: Tape, parameters: list[Any]) -> bool:
    """Whether of an array that was passed some numbers were read and others not: it did not fit."""
    read = np.zeros(tape.size, bool)
    for op in tape.operations:
        for ids in op.inputs:
            if ids is not None:
                read[ids] = True
    return any(read[one.ids].any() and not read[one.ids].all() for one in parameters)


def returned_names(recording: Recording) -> dict[tuple[str, int], list[str]]:
    """By function, the names in its return statement."""
    found = {}
    for node in recording.source.nodes:
        if isinstance(node, ast.FunctionDef):
            own = {one.arg for one in node.args.args}
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    parts = getattr(inner.value, "elts", [inner.value])
                    names = [name_of(one) for one in parts]
                    found[node.name, node.lineno] = [
                        f"{one} of its own" if one in own else one for one in names
                    ]
    return found


def parameters_of(function: Any) -> list[str]:
    """The names of a function's parameters; none of what is no function."""
    return list(inspect.signature(function).parameters) if inspect.isfunction(function) else []


def name_of(node: ast.expr) -> str:
    """What is returned, by its name; of a quotient the name of what is divided."""
    match node:
        case ast.BinOp(left=ast.Name(name), op=ast.Div()):
            return name
    return ast.unparse(node).replace("self.", "").lstrip("_")


def layer_methods(kind: type) -> tuple[str, str] | None:
    """The methods of a layer: one that computes, one that is given the derivative by what was computed."""
    names = [one for one in dir(kind) if one[:2] != "__" and inspect.isfunction(getattr(kind, one))]
    forward = [one for one in names if FORWARD.match(one)]
    forward += ["__call__"] if any("__call__" in vars(each) for each in kind.__mro__) else []
    for one in names:
        if BACK.search(one) and forward:
            needed = [
                each.name
                for each in list(inspect.signature(getattr(kind, one)).parameters.values())[1:]
                if each.default is each.empty and not RATE.match(each.name)
            ]
            if len(needed) == 1 and UPSTREAM.match(needed[0]) and not TARGET.match(needed[0]):
                return forward[0], one
    return None


def is_sent(method: Any) -> bool:
    """Whether a method is given the derivative by what was computed, and no target."""
    names = [one.name for one in inspect.signature(method).parameters.values() if one.default is one.empty]
    return any(map(UPSTREAM.match, names)) and not any(map(TARGET.match, names))


def partners(names: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Layers that are two functions: ``linear_forward`` and ``linear_backward``, by what they are called."""
    found = {}
    functions = [one for one, function in names.items() if inspect.isfunction(function)]
    for one in functions:
        back = re.fullmatch(r"(.*?)_?(backward|backprop|bwd|back)_?(.*)", one, re.I)
        for other in functions if back else ():
            stem = re.fullmatch(r"(.*?)_?(forward|fwd)_?(.*)", other, re.I)
            if back and stem and (stem[1], stem[3]) == (back[1], back[3]) and stem[1] + stem[3]:
                found[stem[1] + stem[3]] = (other, one)
        if back and back[1] in functions and not back[3] and back[1] not in found:
            found[back[1]] = (back[1], one)  # relu and relu_backward
    return found


def computed_names(returns: dict[tuple[str, int], list[str]], names: dict[str, Any]) -> set[str]:
    """The names under which functions return what they are not given."""
    return {
        one
        for (function, _), returned in returns.items()
        for one in set(returned) - set(parameters_of(names.get(function)))
    }

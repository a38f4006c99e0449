"""What of a program is called, and how large its data are: read from its names and numbers."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from deltarule.diagnosis.driving.returned import arrays_in
from deltarule.diagnosis.driving.usage import is_change
from deltarule.diagnosis.driving.words import BACK, FORWARD, OUTPUT
from deltarule.diagnosis.recording.source import ProgramSource

_TRAINS = re.compile(
    r"_*(train\w*|fit|sgd|learn|gradient_?descent\w*|model|step|\w*back_?prop\w*|backward\w*|\w*grad(ient)?s?\w*"
    r"|(trein|entren|trainier|lern|obuch|apprend|entrain|aprend|egit|retro|r(?:ue|u|ü)ck|atras|addestr)\w*|\w+_backward|update\w*|changes?|optimi\w*|run|stochastic\w*|\w*cost\w*|\w*loss\w*|nn\w*|\w*network\w*|\w+_model|\w*train)$",
    re.I,
)
LOOPS = re.compile(
    r"_*(train|trein|entren|lern|obuch|apprend|entrain|aprend|fit|sgd|learn|model|gradient_?descent|run|step|\w*model|optimi)",
    re.I,
)
#: The shape of a start value that is written out.
_SHAPE = re.compile(r"(?:randn?|random|normal|uniform|random_sample)\((?:.*?\()?\s*(\d+)\s*,\s*(\d+)\s*\)")
#: How many classes there are, where that is written out.
_CLASSES = re.compile(
    r"eye\((\d+)\)|zeros\(\(.*?,\s*(\d+)\s*\)|classes\s*=\s*(\d+)|randn?\([^()]*\b(\d+)\)|\b(10)\b"
)
_UPDATES = re.compile(r"_*(update\w*|apply\w*|step|gradient_?descent|optimi\w*)$", re.I)


def training_functions(names: Iterable[str]) -> list[str]:
    """Those whose names say that they train, loops first."""
    wanted = [name for name in names if _TRAINS.match(name)]
    return sorted(wanted, key=lambda name: (not LOOPS.match(name), bool(_UPDATES.match(name))))


def methods_to_call(kind: type) -> list[list[str]]:
    """Sequences of methods to call, the likeliest first."""
    methods = [
        name for name in dir(kind) if not name.startswith("__") and callable(getattr(kind, name, None))
    ]
    training = [name for name in methods if _TRAINS.match(name)]
    training.sort(key=lambda name: (not LOOPS.match(name), name))
    forward = [name for name in methods if FORWARD.match(name)]
    backward = [name for name in training if BACK.search(name)]
    updates = [name for name in methods if _UPDATES.match(name)]
    plans = [[name] for name in training if name not in backward]
    taking = [
        name for name in training if any(map(OUTPUT.match, inspect.signature(getattr(kind, name)).parameters))
    ]
    plans += [[a, b] for a in forward for b in taking if b not in backward]
    plans += [[a, b, c] for a in forward for b in backward for c in updates if c != b]
    plans += [[a, b] for a in forward for b in backward]
    return plans + [[name] for name in backward]


def sizes_of(one: Any) -> list[tuple[int, int]]:
    """(inputs, outputs) that the shapes of an object's arrays allow."""
    every_shape = [array.shape for _, array in arrays_in(one, lists=True)]
    shapes = [shape for shape in every_shape if len(shape) == 2]
    large = [shape for shape in shapes if min(shape) > 1] or shapes
    found = []
    if shapes:
        weights = [shape for shape in shapes if shape in large or shape[0] == large[-1][1]]
        first, last = weights[0], weights[-1]
        found = [(first[0], last[1]), (first[1], last[0])]
    every = sorted({size for shape in shapes or every_shape for size in shape})[:4]
    found += [(a, b) for a in every for b in every]
    return list(dict.fromkeys(found)) or [(3, 2), (3, 1), (2, 1)]


def depth_of(functions: Iterable[Any]) -> int:
    """How many layers there are where parameters are numbered: W1, b1, … W3, b3."""
    names = [name for one in functions for name in inspect.signature(one).parameters]
    numbers = [int(found.group(1)) for name in names if (found := re.match(r"[wb]_?(\d)$", name, re.I))]
    return max(2, *numbers) if len(numbers) > 1 and max(numbers) < 7 else 2


def sizes_in(text: str) -> list[tuple[int, int]]:
    """(inputs, outputs) that a program may want."""
    sizes = [(3, 2), (3, 1)]
    shapes = [tuple(map(int, one)) for one in _SHAPE.findall(text)]
    if shapes and max(map(max, shapes)) < 1000:
        sizes += [(shapes[0][0], shapes[-1][1]), (shapes[0][1], shapes[-1][0])]
    if "784" in text:
        sizes.append((784, 10))
    counts = {int(one) for found in _CLASSES.findall(text) for one in found if one}
    sizes += [(3, one) for one in sorted(counts - {0, 1}) if one < 30]
    return list(dict.fromkeys([*sizes, (2, 1)]))


def changing_functions(source: ProgramSource, names: Mapping[str, Any]) -> list[str]:
    """Those that add something to what there was, or subtract it, and before them those that call them."""
    nodes = {}
    for name, function in names.items():
        code = getattr(function, "__code__", None)
        if code is not None:
            nodes[name] = list(ast.walk(source.function_at(code.co_name, code.co_firstlineno) or ast.Pass()))
    found = [name for name, inner in nodes.items() if any(map(is_change, inner))]
    while True:
        others = {name: inner for name, inner in nodes.items() if name not in found}
        callers = [name for name, inner in others.items() if any(_called(one) in found for one in inner)]
        if not callers:
            return found
        found = callers + found


def _called(node: ast.AST) -> str:
    """The name of the function or method that is called."""
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
    return ""

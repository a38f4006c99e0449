"""Names that a fragment uses and does not define: activations by their formulas, all else by its use."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
import traceback
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.made_arguments import AnsweringRun, answer
from deltarule.diagnosis.driving.usage import is_change, uses_of_name
from deltarule.diagnosis.recording.made_data import note
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.usual_activation import UsualActivation, is_derived, usual_kind

#: What only tells how well it goes.
_TELLS = re.compile(r"loss|cost|accura|error|mse|entropy", re.I)
#: From which likeness on to a name that is defined a name is taken for a slip of the pen.
_ALIKE = 0.8


@lru_cache(maxsize=8)
def undefined_names(source: ProgramSource, names: frozenset[str]) -> list[str]:
    """The names that a program reads and defines nowhere, if none of them may be a slip of the pen."""
    read: dict[str, None] = {}
    bound, attributes = {*vars(builtins), *names}, set[str]()
    for node in source.nodes:
        match node:
            case ast.Name(name, ast.Load()):
                read[name] = None
            case ast.Name(name, ast.Store()) if not _is_changed(source, node):
                bound.add(name)
            case ast.Name(name, ast.Store()):
                read[name] = None
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.Import(parts) | ast.ImportFrom(names=parts):
                bound |= {(one.asname or one.name).partition(".")[0] for one in parts}
            case ast.Attribute(attr=name, ctx=ast.Store()):
                attributes.add(name)
    found = [name for name in read if name not in bound]
    own = [one for one in bound - set(vars(builtins)) if len(one) > 2]
    is_slip = any(one in attributes or _is_slip(one, own) for one in found)
    return [] if "*" in bound or is_slip else found


@lru_cache(maxsize=8)
def unreached_names(source: ProgramSource, names: frozenset[str]) -> list[str]:
    """The names that functions read and that a program defines below where it ended, and nowhere else."""
    within = {id(each) for one in source.functions for each in ast.walk(one)}
    read: dict[str, None] = {}
    below, own = set[str](), set[str]()
    for node in source.nodes:
        match node:
            case ast.Name(name, ast.Store()):
                (own if id(node) in within else below).add(name)
            case ast.Name(name, ast.Load()) if id(node) in within:
                read[name] = None
            case ast.arg(arg=name):
                own.add(name)
    return [name for name in read if name in below and name not in own | names]


def is_left_out(source: ProgramSource, error: Exception, names: Iterable[str]) -> bool:
    """Whether the top level of a program ends with a name that is not there, and no slip of the pen."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    if not isinstance(error, NameError) or frame.f_code.co_name != "<module>":
        return False
    return not _is_slip(str(error.name), [one for one in names if len(one) > 2])


def _is_slip(name: str, own: list[str]) -> bool:
    """Whether a name is written almost as one that is defined, and that is not its derivative, as dW is."""
    others = [one for one in own if not one.endswith(name)]
    return bool(difflib.get_close_matches(name, others, 1, _ALIKE))


def _is_changed(source: ProgramSource, node: ast.AST) -> bool:
    """Whether a name gets what it was ± something."""
    holder = source.parent(node)
    return isinstance(holder, ast.AugAssign | ast.Assign) and is_change(holder)


def supply_undefined(run: AnsweringRun) -> dict[str, Any]:
    """What stands for the names that are not defined; nothing where one of them may be anything."""
    there = frozenset(run.namespace)
    unreached = unreached_names(run.source, there)
    names = [*undefined_names(run.source, there), *unreached]
    uses = {name: uses_of_name(run.source, name, run.namespace) for name in names}
    usual = {kind: UsualActivation("", kind) for kind in ("sigmoid", "tanh", "relu")}
    made = {name: _function(run, name, usual) for name, use in uses.items() if use.is_called}
    if len(names) < (1 if made or unreached else 2) or None in made.values():
        return {}  # one number alone is rather a slip
    if not run.is_asking and len(made) < len(names):
        return {}  # nothing can ask what it should be
    note(f"{', '.join(names)}: not defined in the program, so what they seem to be was supplied")
    return {name: made.get(name) or answer(run, ("", name), names, uses[name]) for name in names}


def _function(run: AnsweringRun, name: str, usual: dict[str, UsualActivation]) -> Callable[..., Any] | None:
    """The usual function of a name, if it has one; what only tells how well it goes tells 0."""
    kind = usual_kind(name)
    if kind is None:
        return (lambda *args, **options: 0.0) if _TELLS.search(name) else None
    if kind in usual:
        return usual[kind].derivative if is_derived(name) else usual[kind].function
    return None if is_derived(name) else partial(_softmax, samples=run.plausible.layout.samples)


def _softmax(z: Any, samples: int) -> Any:
    """The shares of each sample's outputs."""
    shares = np.exp(z - np.max(z))
    axis = 1 if shares.ndim > 1 and shares.shape[1] not in (1, samples) else 0
    return shares / shares.sum(axis=axis, keepdims=True)


def run_fragment(run: AnsweringRun) -> None:
    """Run a program from its beginning, with what was supplied."""
    exec(run.source.recordable(), {**run.namespace, **run.globals})

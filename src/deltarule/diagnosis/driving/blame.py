"""Which arguments the numbers came from at which a call failed, and what else they may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.layouts import disagreeing
from deltarule.diagnosis.driving.returned import arrays_in
from deltarule.diagnosis.driving.wants import Path
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape
from deltarule.diagnosis.recording.traced import Traced

#: What is said of a place that there is not.
_BEYOND = re.compile(r"out of (range|bounds)")
#: What is said of a part that is larger than the whole.
_TOO_LARGE = re.compile(r"negative dimensions|at least as large")
#: Shapes of which one does not fit into the other.
_INTO = re.compile(r"shape \(([\d, ]*)\) (?:into|doesn't match the broadcast) shape \(([\d, ]*)\)")
#: What is said where a number that is none of pieces was to count or to number something.
_NOT_WHOLE = re.compile(r"interpreted as an integer|integer scalar|indices must be integers|of integer \(or")
_MOST_OPERATIONS = 20_000


def blamed(error: BaseException, source: ProgramSource, tape: Tape, passed: Mapping[Path, Any]) -> set[Path]:
    """The arguments that went into the expression which failed."""
    values = list(_operands(error, source))
    if len(tape.operations) > _MOST_OPERATIONS:
        return set()
    before: set[int] = set()
    for one in values:
        before |= _made(tape, one, tape.ancestors)
    sizes = {n for one in values for n in _sizes(one)}
    return {
        path
        for path, one in passed.items()
        if any(one is each for each in values)
        or (type(one) is int and one in sizes)
        or before & _made(tape, one, tape.producers)
    }


def fitting(
    path: Path, known: tuple[str, Any], complaint: str, passed: Mapping[Path, Any]
) -> Iterator[tuple[str, Any]]:
    """The same argument, as large as what it does not go together with."""
    one, (kind, _) = passed.get(path), known
    shape = _shape(one)
    for told, wanted in _disagreeing(complaint):
        if type(one) is int and one == told:
            yield "value", wanted
        elif type(one) is Traced and told in shape:
            yield kind, tuple(wanted if each == told else each for each in shape)
        elif isinstance(one, list) and kind == "list" and shape == (told,):
            yield kind, wanted


def told_shapes(passed: Mapping[Path, Any]) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """The shapes that arguments say: two to four sizes in a list or a tuple."""
    for path, one in passed.items():
        sizes = tuple(list.__iter__(one) if isinstance(one, list) else one if isinstance(one, tuple) else ())
        if 1 < len(sizes) < 5 and all(type(each) is int for each in sizes):
            yield path, sizes


def is_too_large(complaint: str) -> bool:
    """Whether a size is larger than what it is a part of."""
    return bool(_TOO_LARGE.search(complaint))


def wants_whole_numbers(complaint: str) -> bool:
    """Whether something was to be a whole number."""
    return bool(_NOT_WHOLE.search(complaint))


def is_beyond(complaint: str) -> bool:
    """Whether there is no such place in a list or an array."""
    return bool(_BEYOND.search(complaint))


def _disagreeing(complaint: str) -> Iterator[tuple[int, int]]:
    """Each two sizes that do not go together, in either order."""
    if (sizes := disagreeing(complaint)) is not None:
        yield from (sizes, sizes[::-1])
    elif (found := _INTO.search(complaint)) is not None:
        first, second = (list(map(int, re.findall(r"\d+", one))) for one in found.groups())
        ends = [(a, b) for a, b in zip(first[::-1], second[::-1], strict=False) if a != b]
        yield from (each for a, b in ends for each in ((a, b), (b, a)))


def _shape(one: Any) -> tuple[int, ...]:
    if type(one) is Traced:
        return one.shape
    return (list.__len__(one),) if isinstance(one, list) else ()


def _made(tape: Tape, one: Any, of: Any) -> set[int]:
    """The operations that the numbers in something came from."""
    return {each for _, array in arrays_in(one) for each in of(array.ids)}


def _sizes(one: Any) -> Iterator[int]:
    if type(one) is int:
        yield one
    for _, array in arrays_in(one):
        yield from np.shape(array)
    if isinstance(one, list):
        yield list.__len__(one)


def _operands(error: BaseException, source: ProgramSource) -> Iterator[Any]:
    """What the names in the expression stand for at which a call failed."""
    trace, last = error.__traceback__, None
    while trace is not None:
        last = trace if trace.tb_frame.f_code.co_filename == source.path else last
        trace = trace.tb_next
    if last is None:
        return
    frame = last.tb_frame
    node = source.node((frame.f_code, last.tb_lasti, last.tb_lineno))
    names = {**frame.f_globals, **frame.f_locals}
    waiting = [node] if node is not None else []
    while waiting:
        part = waiting.pop()
        found = _value(part, names)
        if isinstance(found, Traced | int | float | list | tuple | dict):
            yield from () if isinstance(part, ast.Constant) else (found,)
        elif not isinstance(part, ast.Name):
            waiting += ast.iter_child_nodes(part)


def _value(node: ast.AST, names: Mapping[str, Any]) -> Any:
    """What a name, or an attribute of one, stands for; None of anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, names), "__dict__", {}).get(node.attr)
    if isinstance(node, ast.Subscript):
        held, key = _value(node.value, names), _value(node.slice, names)
        if isinstance(held, dict):
            return held.get(key) if isinstance(key, str | int) else None
        is_in = isinstance(held, list | tuple) and type(key) is int and 0 <= key < tuple.__len__(tuple(held))
        return held[key] if is_in else None
    return node.value if isinstance(node, ast.Constant) else None

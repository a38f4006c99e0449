"""Numbers that build a graph as they are computed with, and go back through it: each operation is tried."""

from __future__ import annotations

import ast
import inspect
import operator
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.driven import LONGEST, DrivenRun
from deltarule.diagnosis.driving.layouts import MISFIT
from deltarule.diagnosis.driving.returned import judge_derivatives
from deltarule.diagnosis.driving.words import is_given
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.steps import GRAPH, Change, RecordedStep
from deltarule.diagnosis.recording.program import Recording, new_tape, recording_on
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import RecordingStopped, Tape
from deltarule.diagnosis.recording.traced import Traced, given, leaf, plain, to_traced

#: Operations of three numbers a, b, c, each of which occurs more than once.
_BINARY: tuple[Callable[[Any, Any, Any], Any], ...] = (
    lambda a, b, c: a * b + c,
    lambda a, b, c: a * b + a * b + a,
    lambda a, b, c: b - c * a + (b - a),
    lambda a, b, c: a / c + b / c + a / b,
    lambda a, b, c: 2.0 * a + b * 3.0,
    lambda a, b, c: (1.0 - b) * c + 2.0 / c,
    lambda a, b, c: -a * b + -a + b,
    lambda a, b, c: a**2 + a**2 + b * a,
    lambda a, b, c: c**3 + c,
    lambda a, b, c: (a - b) ** 2 + a + c,
)
#: Of three arrays, (4, 3), (3, 2) and (2,): each result is summed by the derivative that it starts from, 1.
_OF_ARRAYS: tuple[Callable[[Any, Any, Any], Any], ...] = (
    lambda a, b, c: a @ b,
    lambda a, b, c: a.matmul(b),
    lambda a, b, c: a.dot(b),
    lambda a, b, c: a @ b + c,
    lambda a, b, c: ((a @ b + c) * c).sum(),
    lambda a, b, c: (a @ b) * (a @ b),
    lambda a, b, c: ((a @ b) * c - a @ b).sum(),
    lambda a, b, c: ((a @ b) * (a @ b)).mean(),
    lambda a, b, c: (a @ b).relu().sum(),
    lambda a, b, c: (a @ b).tanh().sum(),
    lambda a, b, c: (a @ b + c).sigmoid().sum(),
)
#: What is added to every row is a matrix of one row, and no vector.
_ROW = ", of a row"
_UNARY = re.compile(
    r"(tanh|exp|relu|sigmoid|logistic|log|ln|sin|cos|sqrt|square|softplus|leaky_?relu)$", re.I
)
_OPERATION = re.compile(r"__(r?(add|sub|mul|truediv|matmul|pow)|neg)__$")
_ORDER = (
    "a number that is used in several places is gone back through more than once, or too early: "
    "it has its turn once, after everything that was computed from it"
)
#: One of these, beside a sum, is an operation of numbers that build a graph.
_OPERATORS = ("__mul__", "__matmul__", "__pow__")
_BACK = re.compile(r"_*back\w*$", re.I)
_GRADIENT = re.compile(r"_*(d|grad(?!_fn)\w*|(?!requires?_?|needs?_?)\w+_grad|derivative|adjoint)$", re.I)


def _used_twice(a: Any, b: Any, c: Any) -> Any:
    """What is computed from numbers that are reached over ways of different lengths, in either order."""
    y = a * b
    for _ in range(5):
        y = y * c + y
        y = y + c * y
    return y


def back_method(kind: type) -> str | None:
    """The method by which a number goes back through its graph; None where a class has no such numbers."""
    if not (hasattr(kind, "__add__") and any(hasattr(kind, one) for one in _OPERATORS)):
        return None
    for name in dir(kind):
        method = getattr(kind, name)
        if _BACK.match(name) and not name.startswith("_") and inspect.isfunction(method):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            if all(one.default is not one.empty for one in parameters):
                return name
    return None


@dataclass(frozen=True)
class Expression:
    """What is computed from three numbers; ``may_stop``: it may be a copy that goes back no further."""

    name: str
    compute: Callable[[Any, Any, Any], Any]
    of_arrays: bool = False
    #: Whether the third array is a matrix of one row.
    has_row: bool = False
    may_stop: bool = False
    #: Whether it shows in which order numbers are gone back through.
    is_order: bool = False
    #: The method that is called alone, to see whether it returns something.
    operation: str = ""


def expressions(kind: type) -> Iterator[Expression]:
    """What is tried of the operations that a class may have, of numbers and of arrays."""
    for name, one in vars(kind).items():
        if (_OPERATION.match(name) or _UNARY.match(name)) and inspect.isfunction(one):
            yield Expression(name, partial(_once, name), operation=name)
    for number, one in enumerate(_BINARY):
        yield Expression(f"operation {number + 1}", one)
    yield Expression("numbers that are used twice", _used_twice, is_order=True)
    alone = [name for name in sorted(vars(kind)) if _is_alone(kind, name)]
    for name in alone:
        if _UNARY.match(name):
            yield Expression(name, partial(_once, name))
            yield Expression(name, partial(_repeated, name, 1))
            yield Expression(name, partial(_repeated, name, 2))
        else:
            yield Expression(name, partial(_beside, name), may_stop=True)
    for number, one in enumerate(_OF_ARRAYS):
        yield Expression(f"operation of arrays {number + 1}", one, of_arrays=True)
        yield Expression(f"operation of arrays {number + 1}{_ROW}", one, of_arrays=True, has_row=True)
    for name in alone:
        yield Expression(f"{name} of an array", partial(_twice, name, False), True, True)
        yield Expression(f"{name} of a positive array", partial(_twice, name, True), True, True)


def _is_alone(kind: type, name: str) -> bool:
    """Whether a class has an operation of that name, which needs nothing but the number."""
    one = vars(kind)[name]
    if name.startswith("_") or _BACK.match(name) or not inspect.isfunction(one):
        return isinstance(one, property)
    return all(
        each.default is not each.empty for each in list(inspect.signature(one).parameters.values())[1:]
    )


def _once(name: str, a: Any, b: Any, c: Any) -> Any:
    return getattr(a, name)() + c


def _repeated(name: str, other: int, *numbers: Any) -> Any:
    first, second, rest = numbers[0], numbers[other], numbers[3 - other]
    return getattr(first, name)() + getattr(second, name)() + getattr(first, name)() + rest


def _made(name: str, one: Any) -> Any:
    """What an operation makes of a number: another number of its kind."""
    made = getattr(one, name)
    made = made() if inspect.ismethod(made) else made
    if not back_method(type(made)):
        raise TypeError(name)
    return made


def _beside(name: str, a: Any, b: Any, c: Any) -> Any:
    return _made(name, a) * b + _made(name, a) + c


def _twice(name: str, is_positive: bool, a: Any, b: Any, c: Any) -> Any:
    """What is made twice of an array: both add to its gradient."""
    array = a * a if is_positive else a
    first, second = _made(name, array), _made(name, array)
    return (first * first * first + second).sum()


def judge_graphs(recording: Recording, classes: dict[str, type]) -> DrivenRun | None:
    """Judge each operation of numbers that build a graph: the first wrong one, or all that there are."""
    right: DrivenRun | None = None
    for name in [name for name, kind in classes.items() if back_method(kind)]:
        whole = set[str]()
        for expression in expressions(classes[name]):
            tape = new_tape(recording.source, frozenset(), LONGEST)
            try:
                with recording_on(tape):
                    kind = recording.rebuilding(is_given, recording.tape).value(classes[name], name)
                    analysis = go_back(tape, recording.source, kind, expression)
            except RecordingStopped:
                return None
            if analysis is None or (analysis.chosen is None and analysis.failure is None):
                continue
            if expression.has_row and analysis.failure and expression.name.removesuffix(_ROW) not in whole:
                continue  # it is not written for sums of arrays of other shapes
            is_right = analysis.chosen is not None and not analysis.chosen.bad
            whole.add(expression.name)
            trial = DrivenRun(f"{name}, {expression.name}", None, analysis, 3, is_right)
            if not is_right:
                return trial
            right = trial
    return right


def go_back(tape: Tape, source: ProgramSource, kind: type, expression: Expression) -> Analysis | None:
    """Compute, go back, and compare the gradients of three numbers; None where it cannot be computed."""
    tape.on_sum = None  # nothing here is a step
    rng = np.random.default_rng(1)
    if expression.of_arrays:
        shapes = ((4, 3), (3, 2), (1, 2) if expression.has_row else (2,))
        starts = [leaf(rng.normal(size=shape), is_scalar=False) for shape in shapes]
    else:
        starts = [leaf(one, is_scalar=True) for one in (0.7, -1.2, 0.9)]
    try:
        numbers = [kind(one, **_wanted(kind)) for one in starts]
        before = {name: _ids(one) for name, one in _attributes(numbers[0]).items()}
        value_name = next(
            (name for name, ids in before.items() if np.array_equal(ids, starts[0].ids.ravel())), ""
        )
        if expression.operation:
            return _alone(tape, source, kind, expression.operation, numbers, value_name)
        out = expression.compute(*numbers)
        value = getattr(out, value_name, None)
        getattr(out, back_method(kind) or "")()
        if type(value) is not Traced or (value.size != 1 and not expression.of_arrays):
            return None
        value - given(
            plain(value) - 1.0, is_scalar=value.is_scalar
        )  # a loss whose derivative by the output is one
        tape.meetings.append(tape.operations[-1].index)
        gradients = _gradients(numbers, {value_name}, before)
        if expression.may_stop and not np.any(plain(gradients[0])):
            return None
        used = [k for k, one in enumerate(starts) if tape.leaves(value.ids) & tape.leaves(one.ids)]
        names = ", ".join("abc"[k] for k in used)
        found = _compared(tape, source, names, [starts[k] for k in used], [gradients[k] for k in used])
        if expression.is_order and found is not None and found.chosen is not None and found.chosen.bad:
            return Analysis(tape, source, failure=(_line_of_order(source, kind), _ORDER))
        return found
    except Exception as error:  # whatever the learner's operations raise: this one is not there
        if expression.may_stop:
            return None
        unsummed = _unsummed(tape, source, kind, error) if expression.has_row else None
        return unsummed or _lacking(tape, source, kind, error)


def _line_of_order(source: ProgramSource, kind: type) -> int:
    """Where the list grows that the numbers are gone back through in, or where going back begins."""
    code = getattr(kind, back_method(kind) or "").__code__
    nodes = list(ast.walk(source.function_at(code.co_name, code.co_firstlineno) or source.tree))
    gone_through = {
        name.id
        for one in nodes
        if isinstance(one, ast.For)
        for name in ast.walk(one.iter)
        if isinstance(name, ast.Name)
    }
    for one in nodes:
        match one:
            case ast.Call(func=ast.Attribute(value=ast.Name(name), attr="append" | "insert")):
                if name in gone_through:
                    return one.lineno
    return code.co_firstlineno


def _alone(
    tape: Tape, source: ProgramSource, kind: type, name: str, numbers: list[Any], value_name: str
) -> Analysis | None:
    """What is told of an operation that returns nothing, sends nothing back, or computes something else."""
    method, before = vars(kind)[name], len(tape.operations)
    function = source.function_at(method.__code__.co_name, method.__code__.co_firstlineno)
    used = numbers[: method.__code__.co_argcount]
    if name.startswith("__r") and name != "__rmatmul__":
        used[1:] = [2.0]  # what stands first is no number that builds a graph
    result = method(*used)
    if len(tape.operations) == before or function is None:
        return None
    last = function.body[-1].lineno
    if result is None:
        return Analysis(tape, source, failure=(last, f"what {name} has computed is not returned"))
    values = [plain(getattr(one, value_name, one)) for one in (*used, result)]
    if _OPERATION.match(name) and (text := _another_value(name, values[:-1], values[-1])):
        return Analysis(tape, source, failure=(last, text))
    getattr(result, back_method(kind) or "")()
    kept = [each for each, one in _attributes(result).items() if _GRADIENT.match(each) and _is_some(one)]
    if not kept or any(_is_some(getattr(one, kept[0], None)) for one in used):
        return None
    text = f"what {name} is computed from gets no gradient: nothing is sent back"
    return Analysis(tape, source, failure=(_line_of_closure(function), text))


def _another_value(name: str, operands: list[Any], found: Any) -> str:
    """What is told where an operator makes another number of its operands than it does of plain ones."""
    is_reflected = name.startswith("__r")
    compute = getattr(operator, name.replace("__r", "__", 1))
    try:
        wanted = compute(*map(float, operands[::-1] if is_reflected else operands))
        if isinstance(wanted, complex) or np.isclose(wanted, float(found), rtol=1e-3):
            return ""
    except (TypeError, ValueError, ArithmeticError):  # no numbers: there is nothing to compare
        return ""
    order = ": what stands first is the other number" if is_reflected else ""
    return f"{name} gives {float(found):.4g}, where {wanted:.4g} is right{order}"


def _is_some(gradient: Any) -> bool:
    """Whether a gradient is a number other than 0."""
    return type(gradient) in (Traced, float, int) and bool(np.any(plain(gradient)))


def _line_of_closure(function: ast.FunctionDef) -> int:
    """Where a function keeps one that is written in it, or ends."""
    inner = {one.name for one in function.body if isinstance(one, ast.FunctionDef)}
    for one in function.body:
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Name) and one.value.id in inner:
            return one.lineno
    return function.body[-1].lineno


def _lacking(tape: Tape, source: ProgramSource, kind: type, error: Exception) -> Analysis | None:
    """What is told where the learner's code asks its own numbers for what they have not."""
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    is_own = isinstance(error, AttributeError) and isinstance(error.obj, kind)
    if not is_own or frame.f_code.co_filename != source.path:
        return None
    return Analysis(tape, source, failure=(line, f"this fails, whatever the numbers are: {error}"))


def _unsummed(tape: Tape, source: ProgramSource, kind: type, error: Exception) -> Analysis | None:
    """What is told where going back fails by shapes, though the program sums to arrays of one row."""
    frames = list(traceback.walk_tb(error.__traceback__))
    sums_to_rows = any(isinstance(one, ast.keyword) and one.arg == "keepdims" for one in source.nodes)
    own = [line for frame, line in frames if frame.f_code.co_filename == source.path]
    goes_back = any(frame.f_code is getattr(kind, back_method(kind) or "").__code__ for frame, _ in frames)
    if not (own and goes_back and sums_to_rows and MISFIT.search(str(error))):
        return None
    text = (
        "this fails for a matrix of one row that is added to every row of another: its gradient has as many "
        f"rows as the other, and must be summed over them ({error})"
    )
    return Analysis(tape, source, failure=(own[-1], text))


def _wanted(kind: type) -> dict[str, bool]:
    """What is said to a class that keeps no gradients unless it is asked to."""
    return {one: True for one in inspect.signature(kind).parameters if re.match("requires?_?grad$", one)}


def _attributes(one: Any) -> dict[str, Any]:
    """What an object holds, by name."""
    names = [*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())]
    return {name: getattr(one, name, None) for name in names}


def _ids(x: Any) -> Any:
    """The numbers that an array holds, whatever its shape."""
    return x.ids.ravel().copy() if type(x) is Traced else None


def _has(x: Any, ids: Any) -> bool:
    """Whether an array holds the very numbers that it had."""
    return bool(np.array_equal(_ids(x), ids))


def _gradients(numbers: list[Any], others: set[str], before: dict[str, Any]) -> list[Any]:
    """What going back has put into the numbers: under the usual name, or the only one that changed."""
    after = [_attributes(one) for one in numbers]
    changed = [
        name
        for name, one in after[0].items()
        if name not in others and type(one) is Traced and not _has(one, before.get(name))
    ]
    changed.sort(key=lambda name: not _GRADIENT.match(name))
    return [one.get(changed[0]) if changed else None for one in after]


def _compared(
    tape: Tape, source: ProgramSource, name: str, starts: list[Traced], gradients: list[Any]
) -> Analysis | None:
    if not starts or any(one is None for one in gradients):
        return None
    pairs = [(start, to_traced(one)) for start, one in zip(starts, gradients, strict=True)]
    if any(start.size != one.size for start, one in pairs):
        return None
    found = [one for _, one in pairs]
    change = Change(
        GRAPH,
        name,
        0,
        (sum(one.size for one in found),),
        np.concatenate([start.ids.ravel() for start, _ in pairs]),
        np.concatenate([np.ravel(one.value) for one in found]).astype(float),
        [],
        [ids for one in found for ids in one.ids.reshape(-1, 1)],
    )
    change.sources = set().union(*(tape.ancestors(one.ids) for one in found))
    change.is_returned = True
    step = RecordedStep(1, [change])
    step.given = int(np.bitwise_or.reduce([tape.leaves(one.ids) for one in starts]))
    return judge_derivatives(tape, source, step)

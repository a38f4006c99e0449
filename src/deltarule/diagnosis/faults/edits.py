"""A mistake of one operator: edits of single operations are tried on the record until the steps are right."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.location import BackwardPass
from deltarule.diagnosis.faults.names import name_at, operand_nodes
from deltarule.diagnosis.faults.repair import put
from deltarule.diagnosis.faults.replay import Correction, is_same_code, nearest_turn, repairs, result_of
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import Row
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape

#: Edits are tried while the operations recorded, taken once for each, are no more than this.
MOST_COMPUTED = 1_000_000
_OPERATORS: dict[str, tuple[type[ast.operator], str]] = {
    "add": (ast.Add, "these two must be added"),
    "subtract": (ast.Sub, "the second must be subtracted from the first"),
    "multiply": (ast.Mult, "these two must be multiplied"),
    "divide": (ast.Div, "the first must be divided by the second"),
}
_ORDER = "these two must change places"
_CONDITION = "the condition is the wrong way round"
_THROWN_AWAY = (
    "each iteration of the loop throws away the result of the one before: the results must be added up"
)


@dataclass(frozen=True)
class Edit:
    """One change of an operation: its value from the operands, what is said, and the changed expression."""

    value: Callable[[Operation, list[Any]], Any]
    text: str
    node: Callable[..., ast.AST | None] = lambda node: None
    #: Of another array: its ids, to be named.
    array: Ids | None = None

    def told(self, analysis: Analysis, op: Operation) -> tuple[str, str]:
        """What is said of it, and the statement as it should be."""
        source, text, name = analysis.source, self.text, tuple[str, ...]()
        node = source.expression(op)
        if self.array is not None:
            named = name_at(analysis.tape, source, op, self.array)
            made = analysis.tape.operations[analysis.tape.producers(self.array)[0]]
            text = text.format(named.text if named else source.name_of(made) or source.text_of(made))
            name, node = ((named.text,), node) if named else ((), None)
        new = self.node(node, *name) if node is not None else None
        return text, put(source, node, new, node) if new is not None and node is not None else ""


def edit_that_repairs(analysis: Analysis, rows: list[Row]) -> tuple[Operation, str, str] | None:
    """(operation, what is wrong there, the statement as it should be) of an edit that puts all steps right.

    The operations nearest to the first wrong derivative are tried first.
    """
    passing = BackwardPass(analysis, rows[:1])
    tape, chosen, count = analysis.tape, analysis.chosen, 0
    places = _places(analysis, passing, rows)
    for turns in places:
        if repairs(tape, chosen, rows, {turns[0].index: partial(result_of, turns[0])}):
            return None  # what an optimizer makes of these steps is not seen
    for edits in (_of_operators, _of_operands, _of_signs):
        for turns in places:
            for edit, among in edits(passing, turns):
                corrections: dict[int, Correction] = {one.index: partial(tried, edit, one) for one in among}
                if repairs(tape, chosen, rows, corrections):
                    return turns[0], *edit.told(analysis, turns[0])
                count += len(tape.operations)
                if count > MOST_COMPUTED:
                    return None
    return None


def tried(edit: Edit, op: Operation, xs: list[Any]) -> Any:
    """The edited result; None where there is none of that shape."""
    try:
        with np.errstate(all="ignore"):
            result = edit.value(op, xs)
    except (ValueError, TypeError):
        return None
    return result if np.shape(result) == op.shape else None


def _places(analysis: Analysis, passing: BackwardPass, rows: list[Row]) -> list[list[Operation]]:
    """The operations of the backward pass by their place in the code."""
    tape, source = analysis.tape, analysis.source
    broken = passing.break_()
    centre = broken.first.op.index if broken else max((op.index for op in rows[0].change.updates), default=0)
    among = set().union(*(row.change.sources for row in rows)) - passing.forward_indices
    among |= {op.index for row in rows for op in row.change.updates}
    steps = {row.step for row in rows}
    behind = min(step.floor for step in analysis.comparison.steps if step.number in steps)
    found: dict[Any, list[Operation]] = {}
    for index in sorted(among):
        op = tape.operations[index]
        frame = source.frame(op)
        if not op.is_leaf and not op.initial and frame is not None and index > behind:
            found.setdefault((op.name, id(frame[0]), frame[1]), []).append(op)
    return sorted(found.values(), key=lambda ops: min(abs(one.index - centre) for one in ops))


def edits_at(passing: BackwardPass, op: Operation) -> Iterator[Edit]:
    """Yield every edit of one operation that concerns it alone."""
    for edits in (_of_operators, _of_operands, _of_signs):
        yield from (edit for edit, among in edits(passing, [op]) if among == [op])


def _of_operators(passing: BackwardPass, turns: list[Operation]) -> Iterator[tuple[Edit, list[Operation]]]:
    """Each edit of an operator, a number, an axis; and those of its turns that it concerns."""
    op = turns[0]
    some = [*_operators(op), *_numbers(passing.source, op), *_products(op)]
    some += _functions(op) if op.old is None else ()
    yield from ((one, turns) for one in some)
    if op.old is None:
        yield from _added_up(passing, op)


def _of_operands(passing: BackwardPass, turns: list[Operation]) -> Iterator[tuple[Edit, list[Operation]]]:
    """Another array in place of an operand."""
    if turns[0].old is None:
        yield from ((one, turns) for one in _other_operands(passing, turns[0]))


def _of_signs(passing: BackwardPass, turns: list[Operation]) -> Iterator[tuple[Edit, list[Operation]]]:
    """The other sign."""
    if turns[0].name == "subtract" and turns[0].old is None:
        yield Edit(lambda op, xs: xs[1] - xs[0], _ORDER, _turned), turns
    elif turns[0].old is None:
        yield Edit(_minus, "the sign is wrong", _negated), turns


def _added_up(passing: BackwardPass, op: Operation) -> Iterator[tuple[Edit, list[Operation]]]:
    """The results of all turns together, where each turn throws away that of the turn before."""
    tape = passing.tape
    turns = [one for one in tape.operations if is_same_code(one, op)]
    if any(one.shape != op.shape for one in turns):
        return
    last = max(passing.sources, default=op.index)
    read = {k for one in tape.operations[op.index :] for k in one.before}
    sums: dict[int, Any] = {}
    total: Any = 0.0
    for one in turns:
        total = total + tape.result(one)
        if one.index in read:
            sums[one.index], total = total, 0.0
    used = [one for one in turns if one.index in sums and one.index <= last]
    if len(used) < len(turns) and used:
        yield Edit(lambda op, xs: sums[op.index], _THROWN_AWAY), used


def _operators(op: Operation) -> Iterator[Edit]:
    """Another operator between the same operands, the other order, one of them alone."""
    if op.name in _OPERATORS:
        for name, (sign, said) in _OPERATORS.items():
            if name != op.name:
                yield Edit(partial(_applied, getattr(np, name)), said, partial(_with_operator, sign))
        if op.name == "divide":
            yield Edit(lambda op, xs: xs[1] / xs[0], _ORDER, _turned)
        for k in (0, 1) if op.old is None else ():
            said = f"the {('second', 'first')[k]} operand does not belong here"
            yield Edit(lambda op, xs, k=k: _only(op, xs[k]), said, partial(_alone, k))  # type: ignore[misc]


def _applied(function: Callable[..., Any], op: Operation, xs: list[Any]) -> Any:
    return function(*xs)


def _only(op: Operation, value: Any) -> Any:
    return value if np.shape(value) == op.shape else None


def _minus(op: Operation, xs: list[Any]) -> Any:
    result = result_of(op, xs)
    return None if result is None else -np.asarray(result)


def _with_operator(sign: type[ast.operator], node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.BinOp):
        return ast.BinOp(node.left, sign(), node.right)
    return ast.AugAssign(node.target, sign(), node.value) if isinstance(node, ast.AugAssign) else None


def _turned(node: ast.AST) -> ast.AST | None:
    return ast.BinOp(node.right, node.op, node.left) if isinstance(node, ast.BinOp) else None


def _alone(which: int, node: ast.AST) -> ast.AST | None:
    return ((node.left, node.right)[which]) if isinstance(node, ast.BinOp) else None


def _negated(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.UnaryOp):
        return node.operand
    return ast.UnaryOp(ast.USub(), node) if isinstance(node, ast.expr) else None


def _numbers(source: ProgramSource, op: Operation) -> Iterator[Edit]:
    """Another whole number where one is written, in a product, a difference or a power."""
    for k, constant in enumerate(op.constants if len(op.inputs) == 2 else ()):
        nodes = operand_nodes(source, op)
        if constant is None or constant.size != 1 or not nodes or not isinstance(nodes[k], ast.Constant):
            continue
        for number in (1, 2, 0, 3):
            if number != float(constant.flat[0]):
                said = f"use {number} here instead of {nodes[k].value}"  # type: ignore[attr-defined]
                value = partial(_with_other, k, np.asarray(float(number)))
                yield Edit(value, said, partial(_with_part, k, ast.Constant(number)))


def _with_other(which: int, operand: Any, op: Operation, xs: list[Any]) -> Any:
    return result_of(op, [operand if k == which else one for k, one in enumerate(xs)])


def _with_part(which: int, new: ast.expr, node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.BinOp):
        parts = [new if k == which else one for k, one in enumerate((node.left, node.right))]
        return ast.BinOp(parts[0], node.op, parts[1])
    if isinstance(node, ast.AugAssign) and which == 1:
        return ast.AugAssign(node.target, node.op, new)
    return None


def _products(op: Operation) -> Iterator[Edit]:
    """A product of matrices with one of them transposed, or in the other order."""
    if op.name not in ("dot", "matmul") or len(op.inputs) != 2:
        return
    for k in (0, 1):
        said = "one of the two must be transposed here, or must not be"
        yield Edit(partial(_with_turned, k), said, partial(_transposed, k))
    yield Edit(lambda op, xs: result_of(op, xs[::-1]), _ORDER, _turned)


def _with_turned(which: int, op: Operation, xs: list[Any]) -> Any:
    return _with_other(which, xs[which].T, op, xs) if np.ndim(xs[which]) == 2 else None


def _transposed(which: int, node: ast.AST) -> ast.AST | None:
    part = ((node.left, node.right)[which]) if isinstance(node, ast.BinOp) else None
    if part is None:
        return None
    is_turned = isinstance(part, ast.Attribute) and part.attr == "T"
    new = part.value if is_turned else ast.Attribute(part, "T", ast.Load())  # type: ignore[attr-defined]
    return _with_part(which, new, node)


def _functions(op: Operation) -> Iterator[Edit]:
    """The other side of a mask, the other axis of a sum, no function at all."""
    if op.name == "where":
        yield Edit(lambda op, xs: np.where(op.detail, xs[1], xs[0]), _CONDITION)
    for k, constant in enumerate(op.constants if op.name == "multiply" else ()):
        if constant is not None and constant.size > 1 and set(np.unique(constant)) <= {0.0, 1.0}:
            yield Edit(lambda op, xs, k=k: xs[1 - k] * (1 - xs[k]), _CONDITION)  # type: ignore[misc]
    if op.name in ("sum", "mean", "max") and op.detail[0] is not None:
        said = f"use axis {1 - int(op.detail[0])} here" if op.detail[0] in (0, 1) else ""
        yield Edit(_along_the_other, said)
    if len(op.inputs) == 1 and op.name in ("exp", "tanh", "sqrt", "square", "absolute", "log", "expit"):
        yield Edit(lambda op, xs: _only(op, xs[0]), f"{op.name} does not belong here")


def _along_the_other(op: Operation, xs: list[Any]) -> Any:
    if np.ndim(xs[0]) != 2 or op.detail[0] not in (0, 1):
        return None
    result = getattr(np, op.name)(xs[0], axis=1 - op.detail[0], keepdims=bool(op.detail[1]))
    return result if result.size == op.size else None


def _other_operands(passing: BackwardPass, op: Operation) -> Iterator[Edit]:
    """Another array of the same shape in place of an operand."""
    nodes = operand_nodes(passing.source, op)
    for k, ids in enumerate(op.inputs):
        if ids is None or ids.size < 2:
            continue
        now = passing.source.segment(nodes[k]) if nodes else "what is there now"
        said = f"use {{}} here instead of {now}"
        for other, turned in _alike(passing, op, ids):
            value = partial(_with_array, passing.tape, k, other, turned)
            yield Edit(value, said, partial(_with_name, k), other.ids.T if turned else other.ids)


def _with_array(tape: Tape, which: int, other: Operation, turned: bool, op: Operation, xs: list[Any]) -> Any:
    value = tape.result(nearest_turn(tape, other, op.index, before=True))
    return _with_other(which, value.T if turned else value, op, xs)


def _with_name(which: int, node: ast.AST, name: str) -> ast.AST | None:
    return _with_part(which, ast.parse(name, mode="eval").body, node)


def _alike(passing: BackwardPass, op: Operation, ids: Ids) -> Iterator[tuple[Operation, bool]]:
    """(operation, whether transposed) of the arrays before that have the shape of an operand."""
    tape, seen = passing.tape, {ids.tobytes()}
    for index in (*sorted(passing.forward_indices), *sorted(passing.descended, reverse=True)):
        one = tape.operations[index]
        for turned in (False, True) if one.size == ids.size and index < op.index else ():
            array = one.ids.T if turned else one.ids
            if array.shape == ids.shape and array.tobytes() not in seen:
                seen.add(array.tobytes())
                yield one, turned

"""Corrections at a break, tried on the record: the statement as it should be, if the steps come out right."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.formulas import Formula
from deltarule.diagnosis.faults.location import Array, BackwardPass, Break
from deltarule.diagnosis.faults.names import NamedArray, operand_nodes
from deltarule.diagnosis.faults.repair import corrected, with_axis, with_factor, with_other_factor
from deltarule.diagnosis.faults.replay import Correction, nearest_turn, repairs, result_of, turns_of
from deltarule.diagnosis.reading.comparison import proportion
from deltarule.diagnosis.recording.tape import Frame, Operation, Values


def operand_of(broken: Break) -> int | None:
    """Which operand of the first wrong operation is the last right derivative."""
    if broken.last is None:
        return None
    for which, ids in enumerate(broken.first.op.inputs):
        if ids is not None and np.isin(ids.ravel()[:50], broken.last.ids).any():
            return which
    return None


def again(passing: BackwardPass, op: Operation, which: int, values: Values) -> Values | None:
    """The result of an operation with another operand."""
    return _with_operand(op, [passing.tape.operand(op, k) for k in range(len(op.inputs))], which, values)


def _with_operand(op: Operation, operands: list[Any], which: int, values: Values | None) -> Values | None:
    if values is None or operands[which].size != values.size:
        return None
    others = list(operands)
    others[which] = values.reshape(operands[which].shape)
    result = result_of(op, others)
    return None if result is None else np.asarray(result)


def again_of_all(passing: BackwardPass, first: Array, which: int, values: Values) -> Values | None:
    """The results of the first wrong operations, single numbers perhaps, with another operand."""
    ops = first.ops or [first.op]
    if len(ops) == 1:
        return again(passing, first.op, which, values)
    if values.size != len(ops):
        return None
    parts = [again(passing, op, which, np.asarray(one)) for op, one in zip(ops, values.ravel(), strict=True)]
    return None if any(one is None for one in parts) else np.concatenate([np.ravel(one) for one in parts])  # type: ignore[arg-type]


def _is_repaired(passing: BackwardPass, at: Array, correct: Callable[[Operation, list[Any]], Any]) -> bool:
    """Whether the steps come out right if what computed an array is corrected, there or in all its turns."""
    for ops in (at.ops or [at.op], turns_of(passing.tape, at.op, passing.sources)):
        corrections: dict[int, Correction] = {op.index: partial(correct, op) for op in ops}
        if repairs(passing.tape, passing.chosen, passing.rows, corrections):
            return True
    return False


def _times(values: Values, factor: Values, turned: bool = False) -> Values | None:
    """A product element by element; ``turned``: the factor is transposed to the values."""
    factor = factor.T if turned else factor
    fits = factor.shape == values.shape or factor.size == values.size == 1
    return values * factor.reshape(values.shape) if fits else None


def with_other_slope(
    passing: BackwardPass, broken: Break, wanted: Formula, at: Operation, frame: Frame | None
) -> str:
    """The statement with the right factor, where it is used or where it is computed."""
    tape, source, which = passing.tape, passing.source, operand_of(broken)
    first, end, last = broken.first, broken.end, broken.last
    if which is None or last is None:
        return ""

    def corrected_product(op: Operation, operands: list[Any]) -> Any:
        turn = nearest_turn(tape, first.op, op.index, before=True)
        values = operands[which] if first is end else tape.operand(turn, which)
        return _times(values, wanted.value_at(tape, op))

    if not _is_repaired(passing, end, corrected_product):
        return ""
    if frame is None:
        return with_other_factor(source, first.op, which, end.op, wanted.code)
    made = _times(tape.value[last.ids], tape.result(at)) if last.ids.size == at.size else None
    is_all = made is not None and np.allclose(made.ravel(), tape.value[end.ids].ravel(), rtol=1e-9)
    return corrected(source, source.node(frame), wanted.code) if is_all else ""


def in_place_of(
    passing: BackwardPass, broken: Break, which: int, named: NamedArray | None, turn: str
) -> tuple[str, str]:
    """(the text of an operand, the statement with another array there, perhaps transposed)."""
    op = broken.first.op
    node, scale = _unscaled(passing, op, which)
    now = passing.source.segment(node) or "this factor"
    if named is None:
        return now, ""

    def with_array(op: Operation, operands: list[Any]) -> Any:
        values = named.value_at(passing.tape, op)
        return _with_operand(op, operands, which, scale * (values.T if turn else values))

    if not _is_repaired(passing, broken.first, with_array):
        return now, ""
    new = (named.text + turn).removesuffix(".T.T")
    return now, corrected(passing.source, node, new, passing.source.expression(op))


def _unscaled(passing: BackwardPass, op: Operation, which: int) -> tuple[ast.AST | None, float]:
    """The expression of an operand without single numbers that multiply it, and their product."""
    nodes, scale = operand_nodes(passing.source, op), 1.0
    node = nodes[which] if nodes else None
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        read = op.inputs[which]
        op = passing.tape.operations[passing.tape.producers(read)[0]] if read is not None else op
        sizes = [passing.tape.operand(op, k).size for k in range(len(op.inputs))]
        if passing.source.expression(op) is not node or 1 not in sizes or max(sizes) == 1:
            break
        which = 1 - sizes.index(1)
        scale *= float(passing.tape.operand(op, 1 - which).flat[0])
        node = node.left if which == 0 else node.right
    return node, scale


def with_slope(passing: BackwardPass, broken: Break, wanted: Formula, which: int, later: bool) -> str:
    """The statement with the missing factor: at the last right derivative, or where that is used."""
    tape, source, first, last = passing.tape, passing.source, broken.first, broken.last
    assert last is not None
    read = first.op.inputs[which]
    turned = read is not None and read.ndim == 2 and not np.array_equal(read.ravel(), last.ids.ravel())

    def with_factor_here(op: Operation, operands: list[Any]) -> Any:
        result = result_of(op, operands)
        return None if result is None else _times(np.asarray(result), wanted.value_at(tape, op))

    def with_factor_later(op: Operation, operands: list[Any]) -> Any:
        return _with_operand(op, operands, which, _times(operands[which], wanted.value_at(tape, op), turned))

    if not _is_repaired(passing, first if later else last, with_factor_later if later else with_factor_here):
        return ""
    nodes = operand_nodes(source, first.op) if later else []
    node = _unturned(nodes[which]) if nodes else None if later else source.expression(last.op)
    return with_factor(source, node, wanted.code, source.expression(first.op if later else last.op))


def _unturned(node: ast.expr) -> ast.expr:
    """An expression without its transposition: a factor belongs to it before that."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node


def along_the_samples(passing: BackwardPass, broken: Break) -> str:
    """The statement of a sum along the axis that gives the gradient."""
    op, shape = broken.first.op, broken.row.change.shape
    operand = passing.tape.operand(op, 0)
    for axis in range(operand.ndim) if operand.ndim > 1 else ():
        if proportion(operand.sum(axis).ravel(), broken.row.gradient):
            return with_axis(passing.source, op, axis, keepdims=len(shape) > 1 and 1 in shape)
    return ""

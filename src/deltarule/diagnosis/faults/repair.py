"""A statement with the correction put in, by its syntax tree."""

from __future__ import annotations

import ast

from deltarule.diagnosis.faults.names import operand_nodes
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Operation

_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)
_LONGEST = 72


def corrected(source: ProgramSource, old: ast.AST | None, new: str, shown: ast.AST | None = None) -> str:
    """The statement of an expression with another in its place; what is ``shown`` of it, where it is long."""
    if old is None or not new:
        return ""
    return put(source, old, ast.parse(new, mode="eval").body, shown)


def put(source: ProgramSource, old: ast.AST, new: ast.AST, shown: ast.AST | None = None) -> str:
    """Put one node in place of another, write the statement, and take it out again."""
    statement = source.statement_of(old)
    if not isinstance(statement, _SIMPLE):
        return ""
    if statement is old:
        return ast.unparse(new)
    holder = source.parent(old)
    assert holder is not None
    kept = {k: [*one] if isinstance(one, list) else one for k, one in ast.iter_fields(holder)}
    for name, value in ast.iter_fields(holder):
        if value is old:
            setattr(holder, name, new)
        elif isinstance(value, list):
            value[:] = [new if one is old else one for one in value]
    try:
        text = ast.unparse(statement)
        if len(text) > _LONGEST:
            text = ast.unparse(new if shown is old or shown is None else shown)
    finally:
        for name, value in kept.items():
            setattr(holder, name, value)
    return text


def with_factor(
    source: ProgramSource, node: ast.AST | None, formula: str, shown: ast.AST | None = None
) -> str:
    """The statement of an expression that gets a factor."""
    if isinstance(node, ast.AugAssign):
        return corrected(source, node.value, f"({ast.unparse(node.value)}) * {formula}") if formula else ""
    return corrected(source, node, f"({ast.unparse(node)}) * {formula}", shown) if node and formula else ""


def with_other_factor(
    source: ProgramSource, first: Operation, which: int, end: Operation, formula: str
) -> str:
    """A product of the ``which``-th operand of its first operation with a formula, in place of all of it."""
    nodes, whole = operand_nodes(source, first), source.expression(end)
    if not nodes or not formula:
        return ""
    if isinstance(whole, ast.AugAssign):
        return corrected(source, whole.value, formula)
    return corrected(source, whole, f"({ast.unparse(nodes[which])}) * {formula}", whole)


def with_axis(source: ProgramSource, op: Operation, axis: int, keepdims: bool) -> str:
    """The statement of a sum along another axis."""
    node = source.expression(op)
    if not isinstance(node, ast.Call):
        return ""
    is_method = operand_nodes(source, op) == [getattr(node.func, "value", None)]
    rest = [one for one in node.keywords if one.arg not in ("axis", "keepdims")]
    words = [ast.keyword("axis", ast.Constant(axis)), *rest]
    words += [ast.keyword("keepdims", ast.Constant(True))] if keepdims else []
    return put(source, node, ast.Call(node.func, node.args[: 0 if is_method else 1], words), node)


def with_turned_sign(source: ProgramSource, op: Operation) -> str:
    """The statement of a sum or difference whose sign is turned."""
    node = source.expression(op)
    if not isinstance(node, ast.BinOp | ast.AugAssign) or not isinstance(node.op, ast.Add | ast.Sub):
        return ""
    other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    if isinstance(node, ast.AugAssign):
        return ast.unparse(ast.AugAssign(node.target, other, node.value))
    if op.old is not None:
        return put(source, node, ast.BinOp(node.left, other, node.right), node)
    if isinstance(node.op, ast.Sub):
        return put(source, node, ast.BinOp(node.right, ast.Sub(), node.left), node)
    return ""


def without_number(source: ProgramSource, op: Operation, which: int) -> str:
    """The statement of a product or quotient without one of its operands."""
    node = source.expression(op)
    return put(source, node, (node.right, node.left)[which], node) if isinstance(node, ast.BinOp) else ""

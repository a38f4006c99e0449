"""The name by which an array can be read at a place of the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from deltarule.diagnosis.faults.replay import is_same_code, nearest_turn
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

_NEAR = 3000
_NAME = re.compile(r"(?<![\w.'\"])[^\W\d]\w*")


def operand_nodes(source: ProgramSource, op: Operation) -> list[ast.expr]:
    """The expressions of an operation's operands, in their order; nothing where they are not told apart."""
    node = source.expression(op)
    found: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        found = [node.left, node.right]
    elif isinstance(node, ast.AugAssign):
        found = [node.target, node.value]
    elif isinstance(node, ast.UnaryOp):
        found = [node.operand]
    elif isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        is_module = isinstance(owner, ast.Name) and owner.id in ("np", "numpy", "math")
        found = [*([owner] if owner is not None and not is_module else []), *node.args]
    return found[: len(op.inputs)] if len(found) >= len(op.inputs) else []


@dataclass(eq=False)
class NamedArray:
    """A name, perhaps with ``.T``, that has certain values where an operation is computed.

    ``reader`` is what reads the values by this name (its operand ``side``), or computed them (side −1),
    perhaps transposed.
    """

    text: str
    at: Operation
    reader: Operation
    side: int
    turned: bool

    def value_at(self, tape: Tape, op: Operation) -> Values:
        """The values that the name has in another turn of the same code."""
        reader = self.reader
        if not is_same_code(op, self.at):  # a function that was called before
            reader = nearest_turn(tape, reader, op.index, before=True)
        elif op is not self.at:
            is_before = reader.index < self.at.index
            reader = op if reader is self.at else nearest_turn(tape, reader, op.index, before=is_before)
        values = tape.result(reader) if self.side < 0 else tape.operand(reader, self.side)
        return values.T if self.turned else values


def name_at(tape: Tape, source: ProgramSource, op: Operation, ids: Ids) -> NamedArray | None:
    """A name that has these values where an operation is computed; None for none."""
    here = source.frame(op)
    if here is None or not ids.size:
        return None
    found: list[tuple[int, int, int, NamedArray]] = []
    low, high = max(0, op.index - _NEAR), min(len(tape.operations), op.index + _NEAR)
    for index in {*range(low, high), *tape.producers(ids)}:
        other = tape.operations[index]
        frame = source.frame(other)
        if frame is None:
            continue
        for text, line, side, turned in _names(tape, source, other, ids):
            if frame[0] is here[0]:
                usable = _agree(tape, source, op, other) and not _assigned(source, text, line, here[2])
            else:  # a name of the module, or of an object that there is once
                is_shared = frame[0].co_name == "<module>" or text.startswith("self.")
                usable = is_shared and _is_unique(tape, other)
            if usable:
                named = NamedArray(text, op, other, side, turned)
                found.append((len(text), abs(index - op.index), side, named))
    return min(found, key=lambda one: one[:3])[3] if found else None


def _names(
    tape: Tape, source: ProgramSource, op: Operation, ids: Ids
) -> Iterator[tuple[str, int, int, bool]]:
    """(name, line, side, whether transposed) of these values among an operation's operands and result."""
    for side, (node, read) in enumerate(zip(operand_nodes(source, op), op.inputs, strict=False)):
        turn = _turn(read, ids)
        if turn is None:
            continue
        turned = bool(turn)
        if isinstance(node, ast.Attribute) and node.attr == "T":
            node, turn = node.value, "" if turn else ".T"
        if _is_path(node):
            yield ast.unparse(node) + turn, node.lineno, side, turned
    turn = _turn(op.ids, ids)
    name = source.name_of(op) if turn is not None and op.old is None else ""
    if name and is_path(name):
        yield name + (turn or ""), source.line(op), -1, bool(turn)


def _turn(read: Ids | None, ids: Ids) -> str | None:
    """How to get the one from the other: as it is, or transposed; None if they are not the same values."""
    if read is None or read.size != ids.size or (ids.size and read.item(0) != ids.item(0)):
        return None
    if (read.shape == ids.shape or ids.size == 1) and np.array_equal(read.ravel(), ids.ravel()):
        return ""
    return ".T" if read.ndim == 2 and np.array_equal(read.T, ids) else None


@lru_cache(maxsize=1024)
def is_path(text: str) -> bool:
    """Whether a text is a name, an attribute or an element."""
    try:
        return _is_path(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return False


def _is_path(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name)


def _agree(tape: Tape, source: ProgramSource, op: Operation, other: Operation) -> bool:
    """Whether two operations of a function belong to one turn of its loops."""
    if op is other:
        return True
    first, last = sorted((op.index, other.index))
    before, after = (source.line(tape.operations[one]) for one in (first, last))
    if before > after or not _loops(source, other) <= _loops(source, op):
        return False
    spots = (op.spot, other.spot)
    return not any(one.spot in spots for one in tape.operations[first + 1 : last])


def _loops(source: ProgramSource, op: Operation) -> set[int]:
    """The loops that an operation stands in."""
    node, found = source.expression(op), set()
    while node is not None:
        if isinstance(node, ast.For | ast.While):
            found.add(id(node))
        node = source.parent(node)
    return found


def _assigned(source: ProgramSource, name: str, line: int, other_line: int) -> bool:
    """Whether a part of a name is assigned between two lines."""
    first, last = sorted((line, other_line))
    return any(first < at < last for part in _NAME.findall(name) for at in source.assignments.get(part, ()))


def _is_unique(tape: Tape, op: Operation) -> bool:
    """Whether an operation was done once since the last update."""
    if not op.place:
        return False
    near = tape.operations[max(0, op.index - _NEAR) : op.index + _NEAR]
    updates = [one.index for one in near if one.old is not None]
    last = max((index for index in updates if index < op.index), default=0)
    following = min((index for index in updates if index > op.index), default=1 << 60)
    return sum(one.place == op.place for one in near if last < one.index < following) == 1


#: ``name = other``, perhaps in another shape: nothing is computed.
_RENAMING = re.compile(
    r"\s*([\w.\[\]'\"]+)\s*=\s*\(*([\w\[\]'\"]+(?:\.(?!reshape|ravel|flatten|copy)[\w\[\]'\"]+)*)\)*"
    r"(?:\.(?:reshape|ravel|flatten|copy)\(.*\))?\s*(#.*)?$"
)


def renaming_line(source: ProgramSource, last: Operation, first: Operation) -> int:
    """The line between two operations that only gives the result of one another name; 0 for none."""
    before, after = source.frame(last), source.frame(first)
    if before is None or after is None or before[0] is not after[0]:
        return 0
    paths = [one for one in ast.walk(source.expression(first) or ast.Pass()) if _is_path(one)]
    read = {ast.unparse(one) for one in paths}
    read |= {  # by a variable, any element may be meant
        ast.unparse(one.value) + "["
        for one in paths
        if isinstance(one, ast.Subscript) and not isinstance(one.slice, ast.Constant)
    }
    for number in range(after[2] - 1, before[2], -1):
        match = _RENAMING.match(source.text_at(number))
        target = match[1].replace('"', "'") if match else ""
        is_read = target in read or ("[" in target and target.partition("[")[0] + "[" in read)
        if match and is_read and match[2] == source.name_of(last):
            return number
    return 0


def alias_line(source: ProgramSource, op: Operation, which: int) -> int:
    """The line before an operation that gives an operand the name under which it is read; 0 for none.

    It counts only where it computes nothing: ``slope = z``.
    """
    nodes, here = operand_nodes(source, op), source.frame(op)
    if len(nodes) <= which or not isinstance(nodes[which], ast.Name) or here is None:
        return 0
    for number in range(here[2] - 1, here[0].co_firstlineno, -1):
        match = re.match(r"\s*(\w+)\s*=\s*(.*?)\s*(#.*)?$", source.text_at(number))
        if match and match[1] == nodes[which].id:  # type: ignore[attr-defined]
            return number if is_path(match[2]) else 0
    return 0

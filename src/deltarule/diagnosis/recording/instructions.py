"""What the instruction that has been reached in the learner's code does with an argument."""

from __future__ import annotations

import ast
import dis
from types import FrameType
from typing import Any

from deltarule.diagnosis.recording.source import source_of


def reached(frame: FrameType) -> dis.Instruction | None:
    """The instruction that has been reached: Python may stand in the room that it keeps behind it."""
    return next(iter(_until(frame)[-1:]), None)


def _until(frame: FrameType) -> list[dis.Instruction]:
    """The instructions up to the one that has been reached."""
    return [one for one in dis.get_instructions(frame.f_code) if one.offset <= frame.f_lasti]


def _following(frame: FrameType) -> list[dis.Instruction]:
    """The instructions after the one that has been reached, without what only makes room for a number."""
    after = [one for one in dis.get_instructions(frame.f_code) if one.offset > frame.f_lasti]
    return [one for one in after if one.opname not in ("CACHE", "EXTENDED_ARG")]


def is_taken_apart(frame: FrameType) -> bool:
    """Whether the instruction that follows takes one size of a shape, or all, or keeps or compares it."""
    names = [one.opname for one in _following(frame)[:3]]
    return names[:1] == ["UNPACK_SEQUENCE"] or bool(
        {"BINARY_SUBSCR", "COMPARE_OP"} & set(names) or any(one.startswith("STORE") for one in names[:1])
    )


def is_decided(frame: FrameType) -> bool:
    """Whether the code goes one way or the other by what is compared: ``if x < 0``, or ``max(0, x)``."""
    here = reached(frame)
    if here is not None and here.opname.startswith("CALL"):
        return True
    after = [one.opname for one in _following(frame) if one.opname != "TO_BOOL"]
    return bool(after) and "JUMP" in after[0]


def is_called(frame: FrameType) -> bool:
    """Whether the attribute that the instruction takes is called then."""
    here = next((one for one in dis.get_instructions(frame.f_code) if one.offset == frame.f_lasti), None)
    names = [one.opname for one in _following(frame)]
    is_method = here is not None and ("METHOD" in here.opname or "NULL" in here.argrepr)
    return is_method or any(one in ("PRECALL", "CALL") for one in names[:1])


def is_written(frame: FrameType) -> bool:
    """Whether the index of the instruction that has been reached is written out as a number."""
    before = _until(frame)[:-1]
    return bool(before) and before[-1].opname.startswith("LOAD_CONST")


def unpacked(frame: FrameType) -> tuple[str, ...]:
    """The names that an argument is taken apart into by the instruction that has been reached."""
    return _stored(frame, frame.f_lasti)


def unpacked_next(frame: FrameType) -> tuple[str, ...]:
    """The names that the result of the call that has been reached is taken apart into."""
    following = _following(frame)[:1]
    return _stored(frame, following[0].offset) if following else ()


def _stored(frame: FrameType, at: int) -> tuple[str, ...]:
    """The names that the instruction at a place takes something apart into; none where it is another."""
    following = [one for one in dis.get_instructions(frame.f_code) if one.offset >= at]
    if not following or following[0].opname != "UNPACK_SEQUENCE":
        return ()
    count, names = following[0].arg or 0, list[str]()
    for one in following[1:]:
        if not one.opname.startswith("STORE") or len(names) >= count:
            break
        names += list(one.argval) if isinstance(one.argval, tuple) else [str(one.argval)]
    return tuple(names[:count]) if len(names) >= count else tuple(f"part{k}" for k in range(count))


def parts_of_each(frame: FrameType) -> tuple[str, ...]:
    """The names that each element is taken apart into by the loop that begins, as ``for x, y in data``."""
    following = _following(frame)[:2]
    if [one.opname for one in following] != ["FOR_ITER", "UNPACK_SEQUENCE"]:
        return ()
    return _stored(frame, following[1].offset)


def length_beside(frame: FrameType) -> int:
    """How long what an argument is gone through together with is, as in ``zip(outputs, targets)``; or 0."""
    node = source_of(frame.f_code).node((frame.f_code, frame.f_lasti, frame.f_lineno))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "zip":
        return 0
    held = (_value_of(one, frame) for one in node.args)
    return max((len(one) for one in held if type(one) in (list, tuple)), default=0)


def _value_of(node: ast.expr, frame: FrameType) -> Any:
    """What a name stands for, or an attribute of it; None for anything else."""
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_value_of(node.value, frame), "__dict__", {}).get(node.attr)
    return None

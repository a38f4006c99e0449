"""What an optimizer was given: the gradient on the way to a change that is more than a multiple of it."""

from __future__ import annotations

import numpy as np

from deltarule.diagnosis.reading.comparison import Row, fit, proportion
from deltarule.diagnosis.reading.optimizers import is_square
from deltarule.diagnosis.reading.updates import is_start
from deltarule.diagnosis.recording.tape import Operation, Tape

_ELEMENTWISE = frozenset([
    "add", "subtract", "multiply", "divide", "power", "sqrt", "square", "negative", "maximum", "minimum",
    "clip", "where", "absolute", "reciprocal", "positive", "sign",
    "exp", "log", "log1p", "expm1", "tanh", "arctan",
])  # fmt: skip


def gradient_on_the_way(tape: Tape, row: Row, tolerance: float) -> Operation | None:
    """The gradient itself, if the change is made of it element by element, as optimizers do."""
    if len(row.change.updates) != 1 or row.gradient.size < 2:
        return None
    ways = np.sign(row.change.step * row.gradient)
    if row.step == 1 and len({*ways[ways != 0].tolist()}) > 1:
        return None  # without a past, no optimizer turns some of the signs
    same = [op for op, _ in multiples_of_gradient(tape, row, tolerance)]
    inverse = fit(row.change.step * row.gradient, np.ones(row.gradient.size))[1] < tolerance
    made = [tape.operations[index] for index in row.change.sources]
    if row.step == 1 and inverse and not any(is_square(tape, op, {one.index for one in same}) for op in made):
        return None  # nor is a single number divided by the gradient
    for is_part in (False, True):  # of a larger array, as dW[1:]: then a multiple of it is an operation first
        for op in reversed(same):
            if _only_scales(tape, row, op, is_part):
                return op
    return None


def multiples_of_gradient(tape: Tape, row: Row, tolerance: float = 1e-6) -> list[tuple[Operation, float]]:
    """The multiples of its gradient that a change is made of, with their factors, in their order."""
    wanted = row.gradient.reshape(row.change.shape)
    made = (tape.operations[index] for index in sorted(row.change.sources))
    alike = (op for op in made if op.size == wanted.size and not op.is_leaf)
    found = ((op, proportion(tape.result(op), wanted, tolerance)) for op in alike)
    return [(op, factor) for op, factor in found if factor]


def _only_scales(tape: Tape, row: Row, gradient: Operation, is_part: bool) -> bool:
    """Whether each entry of a change is made of its own gradient, its past, and single numbers only.

    Entries are followed one by one, so that a transposed gradient is none.
    """
    change, past = row.change, _own_past(tape, gradient)
    gradients = [tape.result(tape.operations[one]).ravel() for one in past] if is_part else []
    every = np.arange(row.gradient.size)
    stack = [(every, np.broadcast_to(ids, change.shape).ravel()) for ids in change.increments]
    seen: set[tuple[int, bytes]] = set()
    reached = False
    while stack:
        entries, ids = stack.pop()
        for index in tape.producers(ids):
            op = tape.operations[index]
            made = (ids >= op.start) & (ids < op.stop)
            mine, at = entries[made], ids[made] - op.start
            if index == gradient.index:
                reached = True
                if fit(tape.result(op).ravel()[at], row.gradient[mine])[1] > 1e-6:
                    return False
            if (index, key := at.tobytes()) in seen or index in past or is_start(tape, op):
                continue
            seen.add((index, key))
            if op.size == 1:
                continue
            if op.name not in _ELEMENTWISE or any(one is not None and one.size > 1 for one in op.constants):
                return False
            for before in op.read:
                one = np.broadcast_to(before, op.shape).ravel()[at]
                is_known = one.size == gradient.size and not set(tape.producers(one)) & past
                if not (is_known and any(proportion(tape.value[one], each) for each in gradients)):
                    stack.append((mine, one))
    return reached


def _own_past(tape: Tape, gradient: Operation) -> set[int]:
    """The gradient, and of earlier steps what stands at the same place."""
    alike = (op for op in tape.operations[: gradient.index + 1] if op.size == gradient.size)
    return {op.index for op in alike if op.spots == gradient.spots}

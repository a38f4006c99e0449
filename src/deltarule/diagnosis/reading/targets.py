"""Where the output meets the target."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

_ADDED = "the target is added to the output here; the error is their difference"
_NO_BRACKETS = "only the target is multiplied here; brackets belong around its difference from the output"
_NOT_ONE = "1 must be subtracted at the true class; here it is {:g}"
_TARGET = re.compile(
    r"(?i)(^|[._])(y|t|targets?|labels?|expected|desired|wanted|want|truth|goal)\w{0,5}(\W|$)"
)


@dataclass(eq=False)
class Meeting:
    """An operation in which outputs (ids) are compared with their targets (values)."""

    op: Operation
    output: Ids
    target: Values
    leaves: int
    broadcast: bool = False
    #: What is wrong with the comparison itself.
    mistake: str = ""
    #: All operations that compare the same output.
    twins: set[int] = field(default_factory=set)
    #: With how many targets, of which ``target`` is the mean.
    times: int = 1


def forward_of(tape: Tape, meetings: Iterable[Meeting]) -> set[int]:
    """The operations that lead to the outputs."""
    return set().union(*(tape.ancestors(one.output) for one in meetings))


def find_meetings(tape: Tape, source: ProgramSource, step: RecordedStep) -> list[Meeting]:
    """Find where the step's error comes from: the last place where an output meets a target."""
    preparing = _preparations(tape, step)
    among = sorted(index for index in step.sources if index > step.floor and index not in preparing)
    theta = step.parameters
    if tape.meetings:
        updates = [op.index for change in step.changes for op in change.updates]
        end = max(updates, default=tape.operations[-1].index)
        among = [index for index in tape.meetings if step.floor < index <= end]
    found = [one for index in among for one in _differences(tape, source, tape.operations[index], theta)]
    found += _subtracted_labels(tape, among, theta)
    for find, most in ((_quotients, 1), (_added, None), (_bootstrapped, None), (_without_brackets, None)):
        if not found:
            every = (one for index in among for one in find(tape, source, tape.operations[index], theta))
            found = list(islice(every, most))
    return _last_of(tape, found or _written(tape, among, theta))


def _preparations(tape: Tape, step: RecordedStep) -> set[int]:
    """What the start values of the step's parameters were made of."""
    stack = [one for change in step.changes if change.old.size for one in tape.producers(change.old)]
    found: set[int] = set()
    while stack:
        op = tape.operations[stack.pop()]
        if op.index not in found and op.initial:
            found.add(op.index)
            stack.extend(op.before)
    return found


def _last_of(tape: Tape, found: list[Meeting]) -> list[Meeting]:
    """Of the meetings keep those that depend on nearly all parameters and come before no other."""
    if not found:
        return []
    most = max(one.leaves.bit_count() for one in found)
    whole = {_instruction(one) for one in found if 4 * one.leaves.bit_count() >= 3 * most}
    found = [one for one in found if _instruction(one) in whole]  # an output may lack weights, by dead units
    if 1 < len(found) < 300:
        below = forward_of(tape, found)
        found = [one for one in found if one.op.index not in below] or found
    once: dict[bytes, list[Meeting]] = {}
    for one in found:
        once.setdefault(one.output.tobytes(), []).append(one)
    return [_as_one(some) for some in once.values()]


def _instruction(one: Meeting) -> tuple[object, ...]:
    """Where outputs are compared, and from where that was called: each sample in the same way."""
    return tuple(frame[:2] for frame in one.op.place)


def _as_one(some: list[Meeting]) -> Meeting:
    """An output that is compared with several targets, as with all words around one, meets their mean."""
    first = some[0]
    first.twins = {one.op.index for one in some}
    if all(one.op.name == "subtract" and one.target.shape == first.target.shape for one in some):
        targets = np.array([one.target for one in some])
        if np.ptp(targets, axis=0).any():
            first.target, first.times = targets.mean(axis=0), len(some)
    return first


def _differences(tape: Tape, source: ProgramSource, op: Operation, theta: int) -> list[Meeting]:
    """``output - target`` or ``target - output``."""
    if op.name != "subtract" or op.old is not None:
        return []
    on = [tape.leaves(ids) & theta for ids in op.inputs]
    if bool(on[0]) == bool(on[1]):
        return _replaced_in_part(tape, op, on) if on[0] else []
    side = 0 if on[0] else 1
    other = op.inputs[1 - side]
    target, output = tape.operand(op, 1 - side), op.inputs[side]
    starts_a_sum = source.rewrites(op, 1 - side) and not target.any()
    if source.is_literal(op, 1 - side) or starts_a_sum or not _is_given(tape, source, other):
        return []
    assert output is not None
    outputs, targets = np.broadcast_to(output, op.shape), np.broadcast_to(target, op.shape)
    return [Meeting(op, outputs, targets, on[side], output.shape != op.shape)]


def _replaced_in_part(tape: Tape, op: Operation, on: list[int]) -> list[Meeting]:
    """``q - t`` where t is a copy of q with other numbers at some places, as the value of an action taken."""
    first, second = op.inputs
    if first is None or second is None or first.shape != second.shape:
        return []
    same = first == second
    if not same.any() or same.all():
        return []
    side = int(len(tape.producers(first)) > len(tape.producers(second)))
    return [Meeting(op, second if side else first, tape.operand(op, 1 - side), on[side])]


def _is_given(tape: Tape, source: ProgramSource, ids: Ids | None) -> bool:
    """Whether values are data: moved, scaled or encoded, but not the zeros that sums start from."""
    if ids is None or tape.value[ids].any():
        return True
    leaves = [op for one in tape.ancestors(ids) if (op := tape.operations[one]).is_leaf]
    is_empty = any(re.search("zeros|empty", source.text_of(op)) for op in leaves)
    return not is_empty and any(op.is_data for op in leaves)


def _subtracted_labels(tape: Tape, among: list[int], theta: int) -> list[Meeting]:
    """``p[range(n), labels] -= 1``: an array of which some elements were diminished by one."""
    lowered = {
        index
        for index in among
        if (op := tape.operations[index]).name == "subtract"
        and op.inputs[0] is not None
        and op.inputs[1] is None
        and tape.leaves(op.inputs[0]) & theta
    }
    found = []
    for index in among if lowered else ():
        for ids in tape.operations[index].read:
            made = set(tape.producers(ids))
            if not made & lowered or len(made) < 2:
                continue
            output = ids.copy()
            for one in made & lowered:
                op = tape.operations[one]
                before = op.inputs[0]
                assert before is not None
                inside = (output >= op.start) & (output < op.stop)
                output[inside] = np.broadcast_to(before, op.shape).ravel()[output[inside] - op.start]
            if lowered.intersection(tape.producers(output)):
                continue
            target = tape.value[output] - tape.value[ids]
            first = tape.operations[min(made & lowered)]
            amount = float(np.abs(target).max())
            is_whole = abs(amount - round(amount)) < 1e-9
            said = _NOT_ONE.format(amount) if is_whole and abs(amount - 1) >= 1e-9 else ""
            found.append(Meeting(first, output, target, tape.leaves(output) & theta, mistake=said))
    return found


def _added(tape: Tape, source: ProgramSource, op: Operation, theta: int) -> list[Meeting]:
    """``output + target``, where no difference is taken anywhere."""
    if op.name != "add" or op.old is not None:
        return []
    for side in (0, 1):
        output, other = op.inputs[side], op.inputs[1 - side]
        if output is None or other is None or tape.leaves(other) & theta or not tape.leaves(output) & theta:
            continue
        if output.shape == other.shape and _TARGET.search(source.operand_text(op, 1 - side)):
            said = "" if tape.operations[tape.producers(other)[0]].name == "negative" else _ADDED
            return [Meeting(op, output, -tape.value[other], tape.leaves(output) & theta, mistake=said)]
    return []


def _bootstrapped(tape: Tape, source: ProgramSource, op: Operation, theta: int) -> list[Meeting]:
    """``q - (reward + discount * next_q)``: the target is made of another forward pass, and held fixed."""
    if op.name != "subtract" or op.old is not None:
        return []
    for side in (0, 1):
        output, target = op.inputs[side], op.inputs[1 - side]
        if output is None or target is None or not all(tape.leaves(ids) & theta for ids in op.inputs):
            continue
        made = tape.operations[tape.producers(target)[0]]
        given = [not tape.leaves(ids) & theta for ids in made.inputs]
        if made.name == "add" and sorted(given) == [False, True] and output.shape == op.shape:
            return [Meeting(op, output, tape.operand(op, 1 - side), tape.leaves(output) & theta)]
    return []


def _without_brackets(tape: Tape, source: ProgramSource, op: Operation, theta: int) -> list[Meeting]:
    """``slope * target - output``: only the target is multiplied, not the difference."""
    if op.name != "subtract" or op.old is not None:
        return []
    for side in (0, 1):
        output, product = op.inputs[side], op.inputs[1 - side]
        if output is None or product is None or output.shape != op.shape or not tape.leaves(output) & theta:
            continue
        made = tape.operations[tape.producers(product)[0]]
        on = [bool(tape.leaves(ids) & theta) for ids in made.inputs]
        if made.name != "multiply" or made.size != op.size or sorted(on) != [False, True]:
            continue
        which = on.index(False)
        slope = made.inputs[1 - which]
        if slope is not None and any(tape.operations[one].name[:3] == "log" for one in tape.producers(slope)):
            continue  # a sum from which t · log a is taken, as the cross-entropy
        target = tape.operand(made, which)
        if target.shape == op.shape and not source.is_literal(made, which):
            return [Meeting(op, output, target, tape.leaves(output) & theta, mistake=_NO_BRACKETS)]
    return []


def _quotients(tape: Tape, source: ProgramSource, op: Operation, theta: int) -> list[Meeting]:
    """``target / output``, or its negative, of a derivative of the cross-entropy that is written out."""
    if op.name != "divide" or op.old is not None:
        return []
    above, below = op.inputs
    if below is None or not tape.leaves(below) & theta or tape.leaves(above) & theta:
        return []
    target = tape.operand(op, 0)
    is_given = target.shape == below.shape and not source.is_literal(op, 0)
    target = -target if (target <= 0).all() else target
    return [Meeting(op, below, target, tape.leaves(below) & theta)] if is_given else []


def _written(tape: Tape, among: list[int], theta: int) -> list[Meeting]:
    """``1 - output``, of which the program takes the square: no slope, but a target that is written there."""
    squared = [one for one in tape.operations if one.name in ("power", "square") and one.read]
    made = (tape.operations[k] for one in squared if _is_square(one) for k in tape.producers(one.read[0]))
    errors = [one for one in made if one.name == "subtract"]
    found = []
    for op in map(tape.operations.__getitem__, among if errors else ()):
        if op.name != "subtract" or op.old is not None or len(op.read) != 1:
            continue
        side, output = (0 if op.inputs[0] is not None else 1), op.read[0]
        if tape.leaves(output) & theta and any(_are_same(one, op) for one in errors):
            outputs = np.broadcast_to(output, op.shape)
            targets = np.broadcast_to(tape.operand(op, 1 - side), op.shape)
            found.append(Meeting(op, outputs, targets, tape.leaves(output) & theta))
    return found


def _is_square(op: Operation) -> bool:
    exponent = op.constants[1] if op.name == "power" else np.float64(2)
    return exponent is not None and bool(np.all(exponent == 2))


def _are_same(one: Operation, other: Operation) -> bool:
    """Whether two differences are between the same output and the same number, either way round."""
    numbers = [[each for each in op.constants if each is not None] for op in (one, other)]
    is_read = len(one.read) == 1 and np.array_equal(one.read[0], other.read[0])
    return is_read and all(numbers) and np.array_equal(numbers[0][0], numbers[1][0])

"""Updates: a sum that changes a parameter by something which depends on the parameter itself."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

#: How many operations are recorded where nothing but decisions changes anything.
_MOST_DECIDED = 60_000
_SCALING = frozenset({"multiply", "divide", "negative", "sum"})


def recognise_update(tape: Tape, op: Operation, source: ProgramSource | None = None) -> None:
    """Mark a sum as an update where one operand is a parameter and the other depends on that."""
    if _continues_update(tape, op):
        return
    for which, ids in enumerate(op.inputs):
        other = op.inputs[1 - which]
        if ids is None or other is None or (which == 1 and op.name == "subtract") or not ids.size:
            continue
        old = _start_value(tape, ids, other, source)
        if old is None:
            continue
        written_over = source is None or source.rewrites(op, which)
        decides = written_over and not tape.leaves(old) & ~tape.compared and _decided(tape, op, old)
        is_computed = bool(tape.leaves(old) & tape.leaves(other))
        if not is_computed and not decides:
            continue
        is_own = decides or any(depends_on(tape, other, one) for one in (old, _row_before(tape, op, old)))
        if not is_own or _is_towards(tape, other, old, written_over):
            continue
        if not written_over and all(is_start(tape, tape.operations[one]) for one in tape.producers(other)):
            continue  # a difference of two parameters, as ``z - max(z)`` of biases alone
        if not written_over and not _has_error(tape, op, old, source) and not _is_multiple(tape, other, old):
            continue
        if old.size != op.size:
            if old.size < op.size:
                tape.grown.append((op, old))
                if written_over:
                    _begin_anew(tape, op, old)
            continue
        _mark(tape, op, old.reshape(op.shape))
        op.decided = not is_computed
        if op.version >= tape.most_updates and (is_computed or len(tape.operations) > _MOST_DECIDED):
            tape.stop("updates")
        return


def _decided(tape: Tape, op: Operation, old: Ids) -> bool:
    """Whether old values have been compared before a sum: otherwise it is one of the next forward pass."""
    last, own = max(tape.producers(old)), tape.leaves(old)
    after = itertools.takewhile(lambda one: one[0] > last, reversed(tape.comparisons))
    return any(at <= op.index and leaves & own for at, leaves in after)


def _begin_anew(tape: Tape, op: Operation, old: Ids) -> None:
    """Let a parameter that took another shape be a start value, apart from what it was before."""
    op.leaves = tape.leaves(old)
    tape.root[op.start : op.stop] = np.arange(op.start, op.stop)


def _row_before(tape: Tape, op: Operation, old: Ids) -> Ids:
    """Of a row that a statement changes again, what it was before: both changes are of one gradient."""
    before = tape.operations[tape.producers(old)[0]]
    is_again = before.size == old.size and before.place[:1] == op.place[:1]
    is_row = is_again and tape.operation_of(tape.root[before.start]).size > op.size
    return before.old if before.old is not None and is_row else old


def _continues_update(tape: Tape, op: Operation) -> bool:
    """``w + a + b`` in one statement is one update, by a and b together."""
    for which, ids in enumerate(op.inputs):
        if ids is None or (which == 1 and op.name == "subtract") or ids.size != op.size:
            continue
        before = tape.operation_of(ids.flat[0])
        if before.old is None or not np.array_equal(ids.ravel(), before.ids.ravel()):
            continue
        if not op.place or not before.place or op.place[0][0] is not before.place[0][0]:
            continue
        if not before.place[0][2] <= op.place[0][2] <= before.place[0][2] + 2 or before.index < op.index - 40:
            continue
        if op.place[0][1] <= before.place[0][1] or _is_written(before, op):
            continue
        op.old, op.version, op.leaves = before.old, before.version, before.leaves
        tape.root[op.start : op.stop] = tape.root[before.start : before.stop]
        before.old = None
        tape.root[before.start : before.stop] = -1
        return True
    return False


def _is_written(before: Operation, op: Operation) -> bool:
    """Whether the two sums are statements of their own, as in ``w -= a; w -= b``."""
    positions = [list(one.place[0][0].co_positions())[one.place[0][1] // 2] for one in (before, op)]
    if None in (*positions[0], *positions[1]):
        return True
    known = [[one or 0 for one in position] for position in positions]
    (line, end_line, column, end_column), (first, last, left, right) = known
    return not ((first, left) <= (line, column) and (end_line, end_column) <= (last, right))


def _start_value(tape: Tape, ids: Ids, other: Ids, source: ProgramSource | None) -> Ids | None:
    """The ids themselves where they are a parameter's, or those of which they are a multiple."""
    for _ in range(3):
        if bool((tape.root[ids] >= 0).all()):
            return ids
        producers = tape.producers(ids)
        if len(producers) != 1:
            break
        op = tape.operations[producers[0]]
        scaled = _scaled_operand(tape, op, source)
        if scaled is None or op.size != ids.size:
            break
        if not bool((tape.root[scaled] >= 0).all()):
            is_prepared = all(tape.operations[one].initial for one in tape.producers(scaled))
            if is_prepared and depends_on(tape, other, scaled) and not depends_on(tape, other, ids):
                return scaled.reshape(ids.shape)
            break
        if not tape.operations[tape.producers(scaled)[0]].is_leaf or not depends_on(tape, other, ids):
            return scaled.reshape(ids.shape) if scaled.size == ids.size else None
        break
    return ids if all(tape.operations[one].initial for one in tape.producers(ids)) else None


def _scaled_operand(tape: Tape, op: Operation, source: ProgramSource | None) -> Ids | None:
    if op.name not in ("multiply", "divide"):
        return None
    for which in (0, 1) if op.name == "multiply" else (0,):
        ids, factor = op.inputs[which], tape.operand(op, 1 - which)
        least = 0.5 if source is not None and source.is_shrunk(op) else 0.95
        is_near_one = factor.size == 1 and least < float(factor.flat[0]) < 1.05
        is_computed = bool(tape.leaves(op.inputs[1 - which]) & tape.leaves(ids))  # as a slope is, of an input
        if ids is not None and ids.size == op.size and is_near_one and not is_computed:
            return ids  # (1 - learning_rate * l2) * W; a small factor is a penalty's
    return None


def depends_on(tape: Tape, ids: Ids, old: Ids) -> bool:
    """Whether any of these scalars was computed from any of the old ones."""
    low, high, wanted = int(old.min()), int(old.max()), set(old.ravel().tolist())

    def meets(some: Ids) -> bool:
        if some.size == 1:  # as all are where a program computes number by number
            return some.item() in wanted
        near = some[(some >= low) & (some <= high)]
        return bool(near.size) and not wanted.isdisjoint(near.tolist())

    every = [tape.operations[one].leaves for one in tape.producers(old)]
    made = (tape.operations[one] for one in tape.walk(ids, leaves=tape.leaves(old) if all(every) else -1))
    return meets(ids) or any(meets(before) for op in made if not is_start(tape, op) for before in op.read)


def _is_towards(tape: Tape, ids: Ids, old: Ids, written_over: bool) -> bool:
    """Whether a mean is moved towards something new, as in ``m += (1 - b) * (g - m)``; m is no parameter.

    Nor is the one of two numbers between which a third is drawn, as ``low + (high - low) * random()``.
    """
    while (old.size > 1 or not written_over) and len(made := tape.producers(ids)) == 1:
        op = tape.operations[made[0]]
        sides = [one for one in op.read if one.size == old.size]
        if op.name == "subtract" and len(sides) == 2 and np.array_equal(sides[1], old):
            return not depends_on(tape, sides[0], old)
        if old.size == 1:  # what it is multiplied with is a number, too
            sides = [one for one in sides if tape.leaves(one) & tape.leaves(old)]
        if op.name not in ("multiply", "divide") or len(sides) != 1 or op.size != old.size:
            return False
        ids = sides[0]
    return False


def is_start(tape: Tape, op: Operation) -> bool:
    """Whether an operation is a start value, or the last change of one."""
    return op.is_leaf or op.old is not None or bool(tape.root[op.start] >= 0)


def _mark_roots(tape: Tape, old: Ids) -> None:
    """Make start values that were prepared, as ``0.1 * randn(…)``, roots of the versions to come."""
    for one in tape.producers(old):
        made = tape.operations[one]
        if tape.root[made.start] < 0:
            tape.root[made.start : made.stop] = np.arange(made.start, made.stop)


def _mark(tape: Tape, op: Operation, old: Ids) -> None:
    _mark_roots(tape, old)
    op.old, op.leaves = old.copy(), tape.leaves(old)
    op.version = 1 + max(tape.operations[one].version for one in tape.producers(old))
    tape.root[op.start : op.stop] = tape.root[old].ravel()


def change_of(tape: Tape, op: Operation) -> Values:
    """What an update added: exactly the other operand, or the difference."""
    assert op.old is not None
    for which in (0, 1):
        ids = op.inputs[which]
        if ids is not None and ids.shape == op.old.shape and np.array_equal(ids, op.old):
            sign = -1.0 if op.name == "subtract" else 1.0
            return np.broadcast_to(sign * tape.operand(op, 1 - which), op.shape)
    return tape.result(op) - tape.value[op.old]


def updates_on(tape: Tape) -> list[Operation]:
    """All updates, in their order."""
    return [op for op in tape.operations if op.old is not None]


def _drop_decided(tape: Tape) -> bool:
    """Unmark what a perceptron learned before something else: its outputs are steps, without a slope."""
    updates = updates_on(tape)
    first = next((op.index for op in updates if not op.decided), 0)
    before = [op for op in updates if op.decided]
    if not before or before[-1].index > first:
        return False
    for op in before:
        op.old, op.version = None, 0
        tape.root[op.start : op.stop] = -1
    return True


def settle_updates(tape: Tape, source: ProgramSource) -> None:
    """Unmark sums of an unchanged parameter, as in ``b + x @ W + h @ U`` where h depends on b."""
    by_old: defaultdict[bytes, list[Operation]] = defaultdict(list)
    for op in updates_on(tape):
        assert op.old is not None
        by_old[op.old.tobytes()].append(op)
    dropped, last_read = _drop_preparations(tape) | _drop_decided(tape), _last_reads(tape)
    for same in by_old.values():
        same = [op for op in same if op.old is not None]
        real = [op for op in same[-1:] if _is_real(tape, op, by_old, last_read, source)]
        for op in same:
            if op not in real:
                op.old, dropped = None, True
                tape.root[op.start : op.stop] = -1
    if dropped or any(is_decay(tape, op) for op in updates_on(tape)):
        _count_again(tape)


def _drop_preparations(tape: Tape) -> bool:
    """Unmark ``(b - a) * random() + a``: start values made of start values are no update of a.

    They are made once; what comes from the same differences as changes that are made again is an update.
    """
    updates = updates_on(tape)
    again = {op.spot for op in updates if op.version > 1}
    preparing = [op for op in updates if op.initial and op.spot not in again and not is_decay(tape, op)]
    if preparing and again:
        trained = _descending(tape, _differences(tape, [op for op in updates if op.spot in again]))
        preparing = [op for op in preparing if op.index not in trained]
    if len(preparing) == len(updates):
        return False
    for op in preparing:
        op.old, op.version = None, 0
        tape.root[op.start : op.stop] = -1
    return bool(preparing)


def _differences(tape: Tape, updates: list[Operation]) -> set[Any]:
    """Where the differences are computed that the first of these changes come from."""
    first = {op.spot: op for op in reversed(updates)}
    made = {one for op in first.values() for ids in op.read for one in tape.ancestors(ids)}
    found = (tape.operations[one] for one in made)
    return {op.spot for op in found if op.name == "subtract" and not is_start(tape, op)}


def _descending(tape: Tape, spots: set[Any]) -> set[int]:
    """The operations that something computed at one of these places goes into."""
    found = set[int]()
    for op in tape.operations:
        if op.spot in spots or not found.isdisjoint(op.before):
            found.add(op.index)
    return found


def is_decay(tape: Tape, op: Operation) -> bool:
    """Whether an update adds only a multiple of the parameter itself."""
    assert op.old is not None
    return all(np.array_equal(ids, op.old) or _is_multiple(tape, ids, op.old) for ids in op.read)


def _is_multiple(tape: Tape, ids: Ids, old: Ids) -> bool:
    """Whether values are a multiple of the parameter itself."""
    own = tape.leaves(old)
    for one in tape.walk(ids):
        made = tape.operations[one]
        if made.is_leaf and made.size > 1 and made.leaves & ~own:
            return False
        if not made.is_leaf and (made.size != old.size or made.name not in _SCALING) and made.old is None:
            return False
    return True


def _is_real(
    tape: Tape, op: Operation, by_old: dict[bytes, list[Operation]], last_read: Ids, source: ProgramSource
) -> bool:
    """Whether the sum changes a parameter: the old value is gone after it, or the new one changes again.

    Or an object keeps the new one in its place.

    A part that is written over, as ``P[i] += step``, is gone but for a copy.
    """
    assert op.old is not None
    if last_read[op.old].max() <= op.index:
        return True
    later = (one.old for some in by_old.values() for one in some if one.index > op.index)
    goes_on = op.index in tape.kept_anew
    goes_on |= any(old is not None and ((old >= op.start) & (old < op.stop)).any() for old in later)
    is_part = op.size < tape.operation_of(tape.root[op.start]).size
    goes_on |= is_part and any(source.rewrites(op, which) for which in range(len(op.inputs)))
    return goes_on and (_has_error(tape, op, op.old) or is_decay(tape, op))


def _has_error(tape: Tape, op: Operation, old: Ids, source: ProgramSource | None = None) -> bool:
    """Whether the change comes from a difference of something that depends on the parameter and data."""
    own, making = tape.leaves(old), tape.ancestors(old)
    for ids in op.read:
        for one in tape.walk(ids) if not np.array_equal(ids, old) else ():
            made = tape.operations[one]
            if one in making or made.name not in ("subtract", "divide") or made.old is not None:
                continue
            sides = [bool(tape.leaves(each) & own) for each in made.inputs]
            if sides[0] != sides[1] and not (source and source.is_literal(made, int(sides[0]))):
                return True
    return False


def _last_reads(tape: Tape) -> Ids:
    """By the id of a scalar, the last operation that reads it."""
    found = np.zeros(tape.size, np.int64)
    for op in tape.operations:
        for ids in op.read:
            found[ids] = op.index
    return found


def _count_again(tape: Tape) -> None:
    changing = [op for op in updates_on(tape) if not is_decay(tape, op)]
    proper = {root for op in changing for root in tape.root[op.start : op.stop].tolist()}
    begun = {op.index for op, _ in tape.grown if tape.root[op.start] == op.start}
    for op in tape.operations:
        if op.is_leaf or op.index in begun:
            continue
        if op.old is not None:
            _mark_roots(tape, op.old)
            is_decaying = int(tape.root[op.start]) in proper and is_decay(tape, op)
            _mark(tape, op, op.old)
            op.version -= is_decaying
            continue
        op.version, op.leaves = 0, 0
        for ids in op.inputs:
            op.leaves |= tape.leaves(ids)

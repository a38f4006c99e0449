"""What is computed for a parameter and never reaches it: updates, and gradients of other samples."""

from __future__ import annotations

import ast
from collections import defaultdict

from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.reading.updates import updates_on
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Operation, Tape


def lost_updates(tape: Tape, source: ProgramSource) -> list[Operation]:
    """The first update of each parameter that starts from the same values again and again.

    As ``for w, g in zip(weights, gradients): w = w - g``: no forward pass reads what comes out.
    """
    again: defaultdict[tuple[object, bytes], list[Operation]] = defaultdict(list)
    for op in updates_on(tape):
        assert op.old is not None
        again[op.spot, op.old.tobytes()].append(op)
    lost = [ops for ops in again.values() if len(ops) > 1 and _is_dropped(source, ops[0])]
    read = {one for op in tape.operations for one in op.before} if lost else set()
    return [ops[0] for ops in lost if read.isdisjoint(op.index for op in ops)]


def unread_updates(tape: Tape, steps: list[RecordedStep]) -> list[Operation]:
    """The first update of each parameter that no later step reads, though it goes on changing.

    As of biases that were copied to every sample once, before the training. Single numbers in lists may be
    passed over where their inputs are 0.
    """
    later = {change.key for step in steps[1:] for change in step.changes}
    arrays = [change for change in steps[0].changes if change.updates and change.updates[0].size > 1]
    left = [change for change in arrays if change.key not in later] if len(steps) > 2 else []
    return [one.updates[0] for one in left if _is_read_by_itself(tape, one.updates[0], len(steps))]


def _is_read_by_itself(tape: Tape, update: Operation, times: int) -> bool:
    """Whether the same sum is computed so many times, each of the one before, until another reads it."""
    chain = {update.index}
    for op in tape.operations[update.index + 1 :]:
        if not chain.isdisjoint(op.before):
            if op.spot != update.spot:
                break
            chain.add(op.index)
    return len(chain) >= times


def _is_dropped(source: ProgramSource, op: Operation) -> bool:
    """Whether the statement writes over a name that is not read after it, in its loop or function."""
    statement = source.statement(op)
    if isinstance(statement, ast.AugAssign):
        target: ast.expr = statement.target
    elif isinstance(statement, ast.Assign) and source.rewrites(op, 0):
        target = statement.targets[0]
    else:
        return False
    holder: ast.AST | None = source.parent(statement)
    while holder is not None and not isinstance(holder, ast.For | ast.While | ast.FunctionDef | ast.Module):
        holder = source.parent(holder)
    end = statement.end_lineno or 0
    return isinstance(target, ast.Name) and not any(
        one.id == target.id and isinstance(one.ctx, ast.Load) and one.lineno > end
        for one in ast.walk(holder or source.tree)
        if isinstance(one, ast.Name)
    )


def lost_gradients(tape: Tape, steps: list[RecordedStep]) -> list[Operation]:
    """A gradient that no update uses, of each step: that of another sample, at the place of one that is used.

    As of ``total = total + gradient`` in a loop over the samples, and ``w - rate * gradient`` after it.
    """
    added = [ids for op in updates_on(tape) for ids in op.read]
    used = tape.ancestors(one for ids in added for one in tape.producers(ids))
    found = []
    for step in steps:
        updates = [op for change in step.changes for op in change.updates]
        lost = [one for op in updates for one in _beside(tape, step, op, used)]
        if not lost:
            return []
        found.append(lost[0])
    return found


def _beside(tape: Tape, step: RecordedStep, update: Operation, used: set[int]) -> list[Operation]:
    """The unused products of the calls and places from which the product comes that an update adds."""
    made = map(tape.operations.__getitem__, step.sources)
    products = [op for op in made if _is_outer(op, update.size) and not _reads_parameter(tape, step, op)]
    places = {(op.spots, op.shape) for op in products}
    between = tape.operations[step.floor + 1 : update.index] if places else []
    return [op for op in between if (op.spots, op.shape) in places and op.index not in used]


def _reads_parameter(tape: Tape, step: RecordedStep, op: Operation) -> bool:
    """Whether it is the derivative that one layer sends to the one before."""
    starts = {int(tape.root[one.start]) for change in step.changes for one in change.updates}
    return any(ids.size and int(tape.root[ids.flat[0]]) in starts for ids in op.read)


def _is_outer(op: Operation, size: int) -> bool:
    """Whether an operation is a product from which an array of so many numbers comes."""
    is_product = op.name in ("dot", "matmul", "outer", "einsum")
    is_product |= op.name == "multiply" and all(one.size < op.size for one in op.read)
    return is_product and op.size == size > 1 and op.old is None

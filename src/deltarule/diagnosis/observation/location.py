"""Where a backward pass goes wrong: the last derivative that it has, and the first that it has not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from deltarule.diagnosis.observation.analysis import Analysis
from deltarule.diagnosis.observation.comparison import Row, fit, proportion
from deltarule.diagnosis.observation.steps import depths
from deltarule.diagnosis.observation.tape import Ids, Operation, Tape, Values

__all__ = ["Array", "Break", "find_break", "gather"]

_LINEAR = frozenset({"negative", "positive"})


@dataclass(eq=False)
class Array:
    """An array on the tape: of one operation, or of single numbers that the same code computed."""

    ids: Ids
    op: Operation
    ops: list[Operation] = field(default_factory=list)


@dataclass(eq=False)
class Break:
    """Between which two steps of a backward pass a derivative is lost.

    ``last`` is the last array that is right, the derivative by the forward array ``by``; ``first`` the
    operation after it, ``end`` the last of the factors written in the same statement. ``below`` is the
    forward array whose derivative should come next, ``wanted`` its derivative.
    """

    row: Row
    last: Array | None
    by: Array | None
    below: Array | None
    wanted: Values | None
    first: Operation
    end: Operation
    errors: Ids
    forward: list[Array]
    #: The operations that compute what goes into the first wrong one.
    sources: set[int]
    assembled: Operation | None = None


def gather(tape: Tape, operations: list[Operation], depth: list[int]) -> list[Array]:
    """Operations as arrays; single numbers of the same place in the code make one array together."""
    found, numbers = [], defaultdict(list)
    for op in operations:
        if op.size == 1:
            numbers[(depth[op.index], tuple((frame[0], frame[1]) for frame in op.place))].append(op)
        elif op.size:
            found.append(Array(op.ids, op, [op]))
    for same in numbers.values():
        found.append(Array(np.array([op.start for op in same]), same[0], same))
    return found


class _Pass:
    """The backward pass of a program, as far as it leads to one wrong change."""

    def __init__(self, analysis: Analysis, rows: list[Row]) -> None:
        assert analysis.chosen is not None
        self.tape, self.source, self.rows = analysis.tape, analysis.source, rows
        self.adjoint = analysis.chosen.adjoint
        self.depth = depths(self.tape)
        numbers = rows[0].change.key[0] == "numbers" or rows[0].gradient.size == 1
        steps = {row.step for row in rows} if numbers else {rows[0].step}
        self.used = [row for row in rows if row.step in steps]
        meetings = [
            meeting
            for step, some in zip(analysis.chosen.steps, analysis.chosen.meetings, strict=True)
            if step.number in steps
            for meeting in some
        ]
        self.errors = {meeting.op.index for meeting in meetings}
        outputs = [meeting.output.ravel() for meeting in meetings]
        self.outputs = np.concatenate(outputs) if outputs else np.zeros(0, np.int64)
        self.sources: set[int] = set().union(*(row.change.sources for row in self.used))
        self.forward = self._forward()
        self.backward = self._backward()

    def _forward(self) -> list[Array]:
        bits = 0
        for row in self.used:
            bits |= self.tape.leaves(row.change.old)
        ops = [
            op
            for index in sorted(self.tape.ancestors(self.outputs), reverse=True)
            if not (op := self.tape.operations[index]).is_leaf
            and op.old is None
            and op.leaves & bits
            and self.tape.root[op.start] < 0
            and self.adjoint[op.start : op.stop].any()
        ]
        return sorted(gather(self.tape, ops, self.depth), key=lambda one: -one.op.index)

    def _backward(self) -> list[Array]:
        """What descends from the error, and what was put together from such numbers."""
        descended: set[int] = set()
        for index in sorted(self.sources):
            op = self.tape.operations[index]
            if index in self.errors or (not op.is_leaf and self._reads(op, descended)):
                descended.add(index)
        self.descended = descended
        arrays = gather(self.tape, [self.tape.operations[k] for k in sorted(descended)], self.depth)
        seen = {one.ids.tobytes() for one in arrays}
        for index in sorted(self.sources):
            op = self.tape.operations[index]
            for ids in op.inputs if not op.is_leaf and op.old is None else ():
                if ids is not None and ids.size > 1 and ids.tobytes() not in seen:
                    if any(one in descended for one in self.tape.producers(ids)):
                        seen.add(ids.tobytes())
                        arrays.append(Array(ids.copy(), op, []))
        return arrays

    def _reads(self, op: Operation, among: set[int]) -> bool:
        return any(one in among for ids in op.inputs if ids is not None for one in self.tape.producers(ids))

    def matched(self) -> tuple[Array, Array] | None:
        """The right derivative nearest to the input: (array of the program, forward array)."""
        best: tuple[Array, Array] | None = None
        for by in self.forward:
            wanted = self.adjoint[by.ids]
            for one in self.backward:
                if self._is_multiple(one, wanted):
                    best = (one, by)
                    break
        return best

    def _is_multiple(self, one: Array, wanted: Values) -> bool:
        values = self.tape.value[one.ids]
        if values.size != wanted.size or values.size < 2:
            return False
        if proportion(values, wanted):
            return True
        if len(one.ops) < 2:
            return False
        flat = np.sort(wanted.ravel())
        return any(fit(np.sort(sign * values), flat)[1] < 1e-6 for sign in (1.0, -1.0))

    def consumers(self, start: set[int]) -> list[Operation]:
        """What reads these operations' results, or multiples of them by single numbers."""
        updates = {op.index for row in self.used for op in row.change.updates}
        found = []
        for index in sorted(self.sources | updates):
            op = self.tape.operations[index]
            if op.is_leaf or index in start or not self._reads(op, start):
                continue
            if index in self.sources and op.old is None and self._only_scales(op, start):
                start.add(index)
            else:
                found.append(op)
        return found

    def _only_scales(self, op: Operation, start: set[int]) -> bool:
        if op.name in _LINEAR:
            return True
        if op.name not in ("multiply", "divide"):
            return False
        for which, ids in enumerate(op.inputs):
            other = op.inputs[1 - which]
            mine = ids is not None and any(one in start for one in self.tape.producers(ids))
            constant = other is None or self.tape.operations[self.tape.producers(other)[0]].is_leaf
            if mine and constant and self.tape.operand(op, 1 - which).size == 1 and op.size > 1:
                return not (op.name == "divide" and which == 1)
        return False


def find_break(analysis: Analysis, rows: list[Row]) -> Break | None:
    """Find where the pass that leads to these wrong changes of one parameter breaks."""
    here = _Pass(analysis, rows)
    found = here.matched()
    start = set(here.tape.producers(found[0].ids)) & here.descended if found else set(here.errors & here.sources)
    first = here.consumers(start)
    if not first:
        return None
    op = first[0]
    end = _last_factor(here, op)
    below, wanted = _next_forward(here, found[1] if found else None)
    return Break(
        rows[0],
        found[0] if found else None,
        found[1] if found else None,
        below,
        wanted,
        op,
        end,
        here.outputs,
        here.forward,
        here.sources,
    )


def _last_factor(here: _Pass, op: Operation) -> Operation:
    """Follow factors that are written in the same statement."""
    statement = here.source.statement(op)
    while op.name in ("multiply", "divide"):
        nexts = [
            after
            for index in sorted(here.sources)
            if index > op.index and not (after := here.tape.operations[index]).is_leaf
            and here._reads(after, {op.index})
        ]
        if len(nexts) != 1 or nexts[0].name not in ("multiply", "divide") or statement is None:
            break
        if here.source.statement(nexts[0]) is not statement or nexts[0].size != op.size:
            break
        op = nexts[0]
    return op


def _next_forward(here: _Pass, by: Array | None) -> tuple[Array | None, Values | None]:
    """The sum before an activation: the forward array whose derivative must come next."""
    limit = by.op.index if by else max((one.op.index for one in here.forward), default=0) + 1
    size = by.ids.size if by else here.outputs.size
    for one in here.forward:
        joins = one.op.name in ("dot", "matmul", "sum") or (
            one.op.name in ("add", "subtract")
            and all(ids is not None and here.tape.leaves(ids) for ids in one.op.inputs)
        )
        if one.op.index < limit and one.ids.size == size and joins:
            return one, here.adjoint[one.ids]
    return None, None



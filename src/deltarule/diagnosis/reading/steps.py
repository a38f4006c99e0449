"""Steps: what happened to each parameter between two forward passes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deltarule.diagnosis.reading.updates import change_of, is_decay, is_start, updates_on
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

#: The key of the gradients that numbers of a graph keep, which go back from one and not from an error.
GRAPH = ("numbers", "graph")


@dataclass(eq=False)
class Change:
    """What one step did to one parameter (or, of neuron objects, to the weights of one layer).

    ``step`` is what was added; ``old`` are the ids of the values before; ``sources`` the operations from
    which the change was computed, ``increments`` the ids that were added.
    """

    key: Any
    name: str
    line: int
    shape: tuple[int, ...]
    old: Ids
    step: Values
    updates: list[Operation]
    increments: list[Ids]
    sources: set[int] = field(default_factory=set)
    is_returned: bool = False
    #: More for what is used near the output.
    weight: float = 1.0

    @property
    def made(self) -> set[int]:
        """The operations from which it was computed, and its updates themselves."""
        return self.sources | {op.index for op in self.updates}


@dataclass
class RecordedStep:
    """All changes with the same number."""

    number: int
    changes: list[Change]
    #: The last update before it: its forward pass stands behind that.
    floor: int = 0
    #: The start values that are parameters, where they are known, as a set of bits.
    given: int = 0

    @property
    def parameters(self) -> int:
        """The start values that changed, as a set of bits."""
        found = self.given
        for op in (op for change in self.changes for op in change.updates):
            found |= op.leaves
        return found

    @property
    def sources(self) -> set[int]:
        """Every operation that a change was computed from."""
        return set().union(*(change.sources for change in self.changes))


def depths(tape: Tape) -> list[int]:
    """By operation, how many operations lie before it since the last updates."""
    found = [0] * len(tape.operations)
    for op in tape.operations:
        if not is_start(tape, op):
            found[op.index] = 1 + max((found[one] for one in op.before), default=0)
    return found


def steps_on(tape: Tape, source: ProgramSource) -> list[RecordedStep]:
    """Group the updates to steps; one that was broken off is left out."""
    updates = updates_on(tape)
    rounds, floors = _rounds(tape, updates)
    last = max(rounds.values(), default=0)
    if tape.stopped == "updates" and last > 1:
        last -= 1
    depth = depths(tape)
    uses = _first_uses(tape) if any(op.size == 1 for op in updates) else {}
    steps = []
    for number in range(1, min(last, 4) + 1):
        groups: defaultdict[Any, list[Operation]] = defaultdict(list)
        for op in updates:
            if rounds[op.index] == number:
                groups[_key(tape, op, depth, uses)].append(op)
        changes = [_change(tape, source, key, ops) for key, ops in groups.items()]
        floor = floors.get(number, 0)
        parts = [part for change in changes for part in _parts(tape, change, floor)]
        if parts:
            steps.append(RecordedStep(number, parts, floor))
    return steps


def _rounds(tape: Tape, updates: list[Operation]) -> tuple[dict[int, int], dict[int, int]]:
    """By update, the number of its step; and by step, the last update before its forward pass.

    An update belongs to the step after those whose results it was computed from: a layer that was frozen at
    first, rows of which few are used at a time, and two networks that take turns are counted so, too. Of two
    values of one parameter the older one counts: the other was used too early.
    """
    place = {op.index: k for k, op in enumerate(updates)}
    used = [0] * (1 + max(place, default=0))
    first = np.full(tape.size, -1)  # by the id of a start value, its first update
    for k, op in reversed(list(enumerate(updates))):
        if op.version == 1 and op.old is not None:
            first[op.old] = k
    olds = [op.old for op in updates if op.version == 1 and op.old is not None]
    starts = {one for old in olds for one in tape.producers(old)}
    from_starts = [0] * len(used)
    for op in tape.operations[: len(used)]:
        for ids in op.read:
            for one in tape.producers(ids):
                used[op.index] |= 1 << place[one] if one in place else used[one]
                from_starts[op.index] |= 0 if one in place else from_starts[one]
                if one in starts:
                    for k in np.unique(first[ids]).tolist():
                        from_starts[op.index] |= 1 << k if k >= 0 else 0
    rounds, floors, latest = dict[int, int](), dict[int, int](), 0
    for op in updates:
        assert op.old is not None
        least: dict[int, Operation] = {}
        every = [updates[k] for k in _bits(used[op.index])]
        for each in every:
            least.setdefault(int(tape.root[each.start]), each)
        early = from_starts[op.index]
        numbers = {rounds[one.index] for one in least.values() if not early >> place[one.index] & 1}
        if op.size == tape.operation_of(tape.root[op.start]).size or not numbers:
            # a row that is used twice has two updates
            numbers |= {rounds[one] for one in tape.producers(op.old) if one in place}
        number = 1 + max(numbers, default=0)
        if op.size == 1:  # of numbers in lists some are passed over, or change by 0, which comes from nothing
            latest = number = max(number, latest)
        rounds[op.index] = number
        before = [one for one in every if rounds[one.index] < number]
        floors[number] = max([floors.get(number, 0), *(one.index for one in before)])
    return rounds, floors


def _bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _first_uses(tape: Tape) -> dict[int, int]:
    """By the id of a scalar, the first operation that reads it."""
    found: dict[int, int] = {}
    for op in tape.operations:
        for ids in op.read:
            for one in ids.ravel().tolist() if ids.size <= 4096 else ():
                found.setdefault(one, op.index)
    return found


def _key(tape: Tape, op: Operation, depth: list[int], uses: dict[int, int]) -> Any:
    """Arrays are told apart by their start value, single numbers by where they are changed and how deep."""
    assert op.old is not None
    root = tape.operation_of(tape.root[op.start])
    if root.size > 1:
        return ("array", root.index)
    place = tuple((frame[0].co_name, frame[1]) for frame in op.place[:1])
    return ("numbers", place, depth[uses.get(int(op.old.flat[0]), 0)])


def _change(tape: Tape, source: ProgramSource, key: Any, ops: list[Operation]) -> Change:
    main = [op for op in ops if not is_decay(tape, op)] or ops
    made = {one.start: one for one in main}
    main = [op for op in main if (one := _before(op, made)) is None or not _continues(op, one)]
    more = {one.index for one in ops} - {one.index for one in main}
    olds: list[Ids] = []
    steps: list[Values] = []
    increments: list[Ids] = []
    for op in main:
        assert op.old is not None
        later = [one for one in ops if more and one.index in more and _continues(one, op)]
        step = change_of(tape, op) if not later else tape.result(later[-1]) - tape.value[op.old]
        olds.append(op.old.ravel())
        steps.append(np.ravel(step))
        increments.extend(ids for ids in op.read if not np.array_equal(ids, op.old))
    shape = main[0].shape if len(main) == 1 else (sum(op.size for op in main),)
    name, line = source.target_of(main[0]), source.line(main[0])
    old, step = np.concatenate(olds), np.concatenate(steps)
    sources = tape.ancestors({one for ids in increments for one in tape.producers(ids)})
    return Change(key, name, line, shape, old, step, main, increments, sources)


def before_probing(tape: Tape, old: Ids) -> Ids:
    """The values from which those were made that only went up and down again, as in a gradient check."""
    found = old.copy()
    for k, one in enumerate(old.tolist() if len(tape.producers(old)) > 1 else ()):
        start = one
        for _ in range(6):
            op = tape.operation_of(start)
            before = op.inputs[0] if op.inputs else None
            if op.name not in ("add", "subtract") or op.old is not None or op.size > 1 or before is None:
                break
            if op.inputs[1] is not None and not tape.operations[tape.producers(op.inputs[1])[0]].is_leaf:
                break
            start = int(before.flat[0])
        if abs(tape.value[start] - tape.value[one]) <= 1e-9 * (1 + abs(tape.value[one])):
            found[k] = start
    return found


def _parts(tape: Tape, change: Change, floor: int) -> list[Change]:
    """Of a vector that holds all parameters, the part that each layer reads."""
    if len(change.updates) != 1 or change.updates[0].size < 8:
        return [change]
    free = np.ones(change.old.size, bool)
    place = {one: k for k, one in enumerate(change.old.tolist())}
    groups: list[Ids] = []
    for op in tape.operations[floor + 1 : change.updates[0].index]:
        for ids in op.read:
            if not 4 <= ids.size < change.old.size or int(ids.flat[0]) not in place:
                continue
            where = np.array([place.get(one, -1) for one in ids.ravel().tolist()])
            if (where >= 0).all() and free[where].all():
                free[where] = False
                groups.append(np.sort(where))
    if not 2 <= len(groups) <= 6 or free.any():
        return [change]
    return [_part(tape, change, where, k) for k, where in enumerate(groups)]


def _part(tape: Tape, change: Change, where: Ids, number: int) -> Change:
    increments = [ids.ravel()[where] for ids in change.increments if ids.size == change.old.size]
    return replace(
        change,
        key=(*change.key, number),
        name=f"{change.name} (part {number + 1})",
        shape=(where.size,),
        old=change.old[where],
        step=change.step[where],
        increments=increments,
        sources=set().union(*(tape.ancestors(_unscaled(tape, ids)) for ids in increments)),
    )


def _unscaled(tape: Tape, ids: Ids) -> Ids:
    """The elements of which these are a multiple by single numbers, as ``rate * gradient[part]``."""
    for _ in range(6):
        op = tape.operations[tape.producers(ids)[0]]
        large = [one for one in op.read if one.size == op.size]
        is_scaled = op.name in ("multiply", "divide", "negative") and len(tape.producers(ids)) == 1
        if not is_scaled or len(large) != 1:
            break
        ids = large[0].ravel()[ids - op.start]
    return ids


def _before(later: Operation, made: dict[int, Operation]) -> Operation | None:
    """Of operations, by the first id of what they computed, the one whose result a later one may change."""
    return made.get(int(later.old.min())) if later.old is not None and later.old.size else None


def _continues(later: Operation, op: Operation) -> bool:
    return later.old is not None and np.array_equal(np.sort(later.old.ravel()), np.arange(op.start, op.stop))

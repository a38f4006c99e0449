"""The tape: each scalar that a program computed has an id, and each operation knows where it stands."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
#: Of a call: its code, the instruction it had reached, and the line.
Frame: TypeAlias = tuple[CodeType, int, int]

_MOST_FRAMES = 8
_MOST_OPERATIONS = 250_000
_MOST_SCALARS = 60_000_000
#: Of start values that are kept one by one: each operation has a bit for every one that it depends on.
_MOST_LEAVES = 50_000
#: Operations that leave a start value a start value: ``W = 0.1 * np.random.randn(3, 4)``.
_PREPARING = frozenset({"add", "subtract", "multiply", "divide", "negative", "sqrt", "power"})


class RecordingStopped(BaseException):
    """Enough was recorded; no ``except Exception`` of the learner's catches it."""


@dataclass(frozen=True)
class MadeTable:
    """What a table is made up as: how many rows, columns and classes it has, and whether of whole numbers.

    ``arguments``: what the program is started with is made up, too. ``pictures``: files that are called so
    hold pictures, with their classes first. ``in_columns``: what a package would give has samples in columns.
    """

    rows: int = 24
    columns: int = 4
    classes: int = 2
    is_whole: bool = False
    arguments: bool = False
    pictures: bool = True
    in_columns: bool = False


@dataclass(slots=True, eq=False)
class Operation:
    """One operation on arrays: ``inputs`` are the ids of its operands, None for a constant.

    ``leaves`` is the set (as bits) of the start values that it depends on, up to the last update of each.
    ``initial``: made of start values and constants alone. ``old``: the ids of the parameter's old value
    where this sum changes a parameter; ``version`` counts the changes; ``decided``: only comparisons make
    what is added depend on it, as with a perceptron. ``is_data``: a leaf that may be learned or given; other
    leaves are constants. ``before``: the operations that its operands came from.
    """

    index: int
    name: str
    start: int
    stop: int
    shape: tuple[int, ...]
    inputs: tuple[Ids | None, ...]
    constants: tuple[Values | None, ...]
    detail: Any
    place: tuple[Frame, ...]
    leaves: int = 0
    initial: bool = False
    is_data: bool = True
    version: int = 0
    decided: bool = False
    old: Ids | None = None
    before: tuple[int, ...] = ()
    #: A name, of what was passed as an argument.
    label: str = ""

    @property
    def size(self) -> int:
        """How many scalars it computed."""
        return self.stop - self.start

    @property
    def ids(self) -> Ids:
        """The ids of its results, in their shape."""
        return np.arange(self.start, self.stop).reshape(self.shape)

    @property
    def read(self) -> list[Ids]:
        """The ids of its operands; constants have none."""
        return [ids for ids in self.inputs if ids is not None]

    @property
    def spots(self) -> tuple[tuple[CodeType, int], ...]:
        """Where it stands, without lines: of each call the code and the instruction."""
        return tuple(frame[:2] for frame in self.place)

    @property
    def spot(self) -> tuple[CodeType, int] | None:
        """The innermost of them; None for none."""
        return self.place[0][:2] if self.place else None

    @property
    def is_leaf(self) -> bool:
        """Whether it computed nothing: a start value, or data."""
        return self.name == "leaf"


class Tape:
    """What was recorded.

    Parameters
    ----------
    files : iterable of str
        Names of the files whose lines are told: the learner's.
    seconds : float
        How long it may take.
    on_sum : callable or None
        Is told of each sum and difference; recognises updates.
    """

    def __init__(
        self,
        files: Iterable[str],
        seconds: float = 15.0,
        on_sum: Callable[[Tape, Operation], None] | None = None,
    ) -> None:
        self.files = frozenset(files)
        self.deadline = time.monotonic() + seconds
        self.on_sum = on_sum
        self.operations: list[Operation] = [Operation(0, "leaf", 0, 1, (), (), (), None, ())]
        self.value: Values = np.zeros(1 << 14)
        self.producer: NDArray[np.int32] = np.zeros(1 << 14, np.int32)
        #: The start value of which a scalar is a version; −1 for none.
        self.root: Ids = np.full(1 << 14, -1)
        self.size = 1
        self.leaf_count = 0
        self.stopped = ""
        #: How often a parameter changes before recording ends.
        self.most_updates = 4
        #: What tables are made up as.
        self.made = MadeTable()
        self.notes: dict[str, list[str]] = {}
        #: By their kind, the activations that stand for those of modules that are not there.
        self.activations: dict[str, Any] = {}
        #: By parameter, a returned array that has not its shape, and its name.
        self.misfits: dict[int, tuple[str, Any]] = {}
        #: Where outputs meet targets, if that is known from elsewhere: differences that no learner wrote.
        self.meetings: list[int] = []
        #: The operations whose results an object keeps in the place of what it kept before.
        self.kept_anew: set[int] = set()
        #: The code of what was sent the derivative by what it computed, where that is known from elsewhere.
        self.sent_to: CodeType | None = None
        #: Whether what was sent back may be the derivative by sums: a difference that needs no slope.
        self.may_lack_slope = False
        #: The start values on which a comparison depended, as ``margins > 0``.
        self.compared = 0
        #: How many operations there were at each comparison, and on which of them it depended.
        self.comparisons: list[tuple[int, int]] = []
        #: Sums that would change a parameter, and its shape.
        self.grown: list[tuple[Operation, Ids]] = []

    def note(self, kind: str, text: str) -> None:
        """Remember, once, what the report should tell."""
        if text not in self.notes.setdefault(kind, []):
            self.notes[kind].append(text)

    def stop(self, reason: str) -> None:
        """End the recording, and with it the program."""
        self.stopped = self.stopped or reason
        raise RecordingStopped(reason)

    def _store(self, value: Values) -> tuple[int, int]:
        start, stop = self.size, self.size + value.size
        while stop > len(self.value):
            self.value = np.concatenate([self.value, np.zeros_like(self.value)])
            self.producer = np.concatenate([self.producer, np.zeros_like(self.producer)])
            self.root = np.concatenate([self.root, np.full_like(self.root, -1)])
        self.value[start:stop] = value.ravel()
        self.producer[start:stop] = len(self.operations)
        self.size = stop
        return start, stop

    def producers(self, ids: Ids) -> list[int]:
        """The operations that these scalars came from."""
        if ids.size == 0:
            return []
        made = self.producer[ids.ravel()]
        if made[0] == made[-1] and (made.size < 3 or bool((made == made[0]).all())):
            return [int(made[0])]
        return [int(one) for one in np.unique(made)]

    def operation_of(self, one: Any) -> Operation:
        """The operation that a scalar, by its id, came from."""
        return self.operations[int(self.producer[one])]

    def leaves(self, ids: Ids | None) -> int:
        """The set of start values that these scalars depend on."""
        found = 0
        for one in self.producers(ids) if ids is not None else ():
            found |= self.operations[one].leaves
        return found

    def leaf(self, value: Any, *, data: bool = True) -> Ids:
        """Return ids for a start value; with ``data=False`` for a constant that nothing depends on."""
        if data:
            self._check_limits()
        value = np.asarray(value, float)
        start, stop = self._store(value)
        op = Operation(len(self.operations), "leaf", start, stop, value.shape, (), (), None, self.place())
        op.initial, op.is_data = True, data
        if data:
            self.leaf_count += 1
            op.leaves = 1 << self.leaf_count
            self.root[start:stop] = np.arange(start, stop)
        self.operations.append(op)
        return op.ids

    def record(
        self, name: str, value: Any, operands: Sequence[tuple[Ids | None, Any]], detail: Any = None
    ) -> Ids:
        """Append an operation with its result and (ids, value) of each operand; return the result's ids."""
        self._check_limits()
        value = np.asarray(value, float)
        start, stop = self._store(value)
        inputs = tuple(None if ids is None else ids.copy() for ids, _ in operands)
        constants = tuple(None if ids is not None else _own_copy(one) for ids, one in operands)
        index, shape = len(self.operations), value.shape
        op = Operation(index, name, start, stop, shape, inputs, constants, detail, self.place())
        initial = name in _PREPARING
        op.before = tuple(one for ids in op.read for one in self.producers(ids))
        for one in op.before:
            op.leaves |= self.operations[one].leaves
            initial = initial and self.operations[one].initial
        op.initial = initial and bool(op.leaves)
        self.operations.append(op)
        if self.on_sum is not None and op.size and name in ("add", "subtract"):
            self.on_sum(self, op)
        return op.ids

    def _check_limits(self) -> None:
        if self.stopped:
            raise RecordingStopped(self.stopped)
        if len(self.operations) > _MOST_OPERATIONS:
            self.stop("operations")
        if self.size > _MOST_SCALARS or self.leaf_count > _MOST_LEAVES:
            self.stop("memory")
        if not len(self.operations) % 64 and time.monotonic() > self.deadline:
            self.stop("time")

    def place(self) -> tuple[Frame, ...]:
        """The calls in the learner's files that lead here, innermost first."""
        found: list[Frame] = []
        frame = sys._getframe(1)
        while frame is not None and len(found) < _MOST_FRAMES:
            if frame.f_code.co_filename in self.files:
                found.append((frame.f_code, frame.f_lasti, frame.f_lineno))
            frame = frame.f_back  # type: ignore[assignment]
        return tuple(found)

    def operand(self, op: Operation, which: int) -> Values:
        """The value of an operand at the time of the operation."""
        ids = op.inputs[which]
        if ids is not None:
            return self.value[ids]
        constant = op.constants[which]
        assert constant is not None
        return constant

    def result(self, op: Operation) -> Values:
        """The value of the operation's result."""
        return self.value[op.start : op.stop].reshape(op.shape)

    def ancestors(self, ids: Ids | Iterable[int], floor: int = 0) -> set[int]:
        """Operations that the scalars (or operations) came from, back to start values and updates."""
        return set(self.walk(ids, floor))

    def walk(self, ids: Ids | Iterable[int], floor: int = 0, leaves: int = -1) -> Iterator[int]:
        """The same one after the other, the last first, of those that depend on one of these start values."""
        stack = self.producers(ids) if isinstance(ids, np.ndarray) else list(ids)
        seen: set[int] = set()
        while stack:
            one = stack.pop()
            if one in seen or one < floor:
                continue
            seen.add(one)
            op = self.operations[one]
            if leaves != -1 and not op.leaves & leaves:
                continue
            yield one
            if not op.is_leaf and op.old is None and self.root[op.start] < 0:
                stack.extend(op.before)


def _own_copy(value: Any) -> Values:
    array = np.asarray(value)
    return np.array(array, float) if array.size <= 1_000_000 else np.asarray(array, float)


_current: list[Tape | None] = [None]


def current_tape() -> Tape | None:
    """The tape that is running."""
    return _current[0]


def use_tape(tape: Tape | None) -> None:
    """Record on this tape from now on; None ends recording."""
    _current[0] = tape

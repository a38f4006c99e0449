"""Where a backward pass goes wrong: the first operation on derivatives whose result is none."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import Row, fit, proportion
from deltarule.diagnosis.reading.steps import depths
from deltarule.diagnosis.reading.targets import Meeting
from deltarule.diagnosis.recording.operations import gradients_of_inputs
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values


@dataclass(eq=False)
class Array:
    """An array on the tape: of one operation, or of single numbers that the same code computed."""

    ids: Ids
    op: Operation
    ops: list[Operation] = field(default_factory=list)

    def operand(self, tape: Tape, which: int) -> Values:
        """The value of one operand, of all the single numbers together."""
        if len(self.ops) < 2:
            return tape.operand(self.op, which)
        return np.concatenate([np.ravel(tape.operand(op, which)) for op in self.ops])


@dataclass(eq=False)
class Derivative:
    """A derivative of the loss by a forward array: all of it, or the share of one operation."""

    by: Array
    values: Values
    is_whole: bool


@dataclass(eq=False)
class Break:
    """The first operation whose result is no derivative though it works on derivatives.

    ``last`` is what it works on, ``known`` which derivative that is; ``end`` the last of the factors in the
    same statement. ``below`` is the forward array whose derivative should come next.
    """

    row: Row
    first: Array
    end: Array
    last: Array | None
    known: Derivative | None
    shares: list[Derivative]
    below: Array | None
    #: The factor that it brings in, where that is all that is wrong.
    ratio: float = 1.0


class BackwardPass:
    """The backward pass of a program, as far as it leads to the changes of one parameter."""

    def __init__(self, analysis: Analysis, rows: list[Row]) -> None:
        self.tape, self.source, self.chosen = analysis.tape, analysis.source, analysis.comparison
        self.depth = depths(self.tape)
        numbers = rows[0].change.key[0] == "numbers" or rows[0].gradient.size == 1 or self.chosen.is_narrow
        steps = {row.step for row in rows} if numbers else {rows[0].step}
        self.rows = [row for row in rows if row.step in steps]
        self.adjoint = np.zeros(self.tape.size)
        window: set[int] = set()
        meetings: list[Meeting] = []
        of_steps = zip(self.chosen.steps, self.chosen.losses, self.chosen.meetings, strict=True)
        for step, loss, some in of_steps:
            if step.number in steps:
                self.adjoint[: len(loss.adjoint)] += loss.adjoint
                last = max((op.index for one in step.changes for op in one.updates), default=len(self.depth))
                window.update(range(step.floor + 1, last + 1))
                meetings += some
        self.errors = {index for meeting in meetings for index in meeting.twins}
        ends = [loss.op for loss in self.chosen.losses if loss.op is not None and not meetings]
        outputs = [one.output.ravel() for one in meetings] or [op.ids.ravel() for op in ends]
        self.outputs = np.concatenate(outputs) if outputs else np.zeros(0, np.int64)
        self.forward_indices = self.tape.ancestors(self.outputs)
        self.sources: set[int] = window & set().union(*(row.change.sources for row in self.rows))
        self.forward = self._forward()
        self.derivatives = self._derivatives()
        self._tables = self._by_size()
        #: By a sum that is on the way to derivatives: those of which all that it adds are shares.
        self._sums: dict[int, list[Derivative]] = {}
        self.descended = self._descended()
        self.arrays = self._gather([self.tape.operations[k] for k in sorted(self.descended)])
        self.arrays.sort(key=lambda one: one.op.index)
        self.array_of = {op.index: one for one in self.arrays for op in one.ops}
        self.known = {id(one): self.recognise(self.tape.value[one.ids]) for one in self.arrays}

    def _gather(self, operations: list[Operation]) -> list[Array]:
        """Operations as arrays; single numbers of the same place in the code make one array together."""
        found, numbers = [], defaultdict(list)
        for op in operations:
            if op.size == 1:
                numbers[self.depth[op.index], op.spots].append(op)
            elif op.size:
                found.append(Array(op.ids, op, [op]))
        for same in numbers.values():
            found.append(Array(np.array([op.start for op in same]), same[0], same))
        return found

    def _forward(self) -> list[Array]:
        """What leads to the output, nearest to the output first."""
        ops = [
            op
            for index in self.forward_indices
            if not (op := self.tape.operations[index]).is_leaf
            and op.old is None
            and self.tape.root[op.start] < 0
            and self.adjoint[op.start : op.stop].any()
        ]
        return sorted(self._gather(ops), key=lambda one: -one.op.index)

    def _derivatives(self) -> list[Derivative]:
        found = [Derivative(one, self.adjoint[one.ids], True) for one in self.forward]
        for row in self.rows:
            change = row.change
            gradient = row.gradient.reshape(change.shape) if len(self.rows) == 1 else row.gradient
            op = self.tape.operation_of(change.old[0])
            found.append(Derivative(Array(change.old, op), gradient, True))
        for one in self.forward:
            if len(one.ops) == 1:
                adjoint = self.adjoint[one.ids].reshape(one.op.shape)
                for ids, part in gradients_of_inputs(self.tape, one.op, adjoint):
                    made = self.tape.operations[self.tape.producers(ids)[0]]
                    found.append(Derivative(Array(ids, made), part, False))
            else:
                found += self._shares(one)
        return found

    def _shares(self, one: Array) -> list[Derivative]:
        """The shares that single numbers of the same place give to each of their operands."""
        parts: defaultdict[int, list[tuple[Ids, Values]]] = defaultdict(list)
        for op in one.ops:
            for k, part in enumerate(gradients_of_inputs(self.tape, op, self.adjoint[op.ids])):
                parts[k].append(part)
        found = []
        for some in parts.values():
            ids = np.concatenate([np.ravel(ids) for ids, _ in some])
            values = np.concatenate([np.ravel(values) for _, values in some])
            found.append(Derivative(Array(ids, self.tape.operation_of(ids[0])), values, False))
        return found

    def _by_size(self) -> dict[int, tuple[Values, list[Derivative]]]:
        """Directions of all derivatives, as rows, by size; whole ones first."""
        groups: defaultdict[int, list[tuple[Values, Derivative]]] = defaultdict(list)
        for one in sorted(self.derivatives, key=lambda one: not one.is_whole):
            flat = [one.values.ravel()]
            if one.values.ndim == 2 and 1 not in one.values.shape:
                flat.append(one.values.T.ravel())
            if len(one.by.ops) > 1:
                flat.append(np.sort(one.values.ravel()))
            for values in flat:
                norm = float(np.linalg.norm(values))
                if values.size > 1 and norm > 0 and np.isfinite(norm):
                    groups[values.size].append((values / norm, one))
        both = {size: tuple(zip(*some, strict=True)) for size, some in groups.items()}
        return {size: (np.stack(values), list(every)) for size, (values, every) in both.items()}

    def recognise(self, values: Values) -> list[Derivative] | None:
        """The derivatives that an array is a multiple of, whole ones first."""
        flat = np.asarray(values, float).ravel()
        table = self._tables.get(flat.size)
        norm = float(np.linalg.norm(flat)) if flat.size else 0.0
        if table is None or norm == 0 or not np.isfinite(norm):
            return None
        cosines = np.abs(table[0] @ (flat / norm))
        near = [int(k) for k in np.flatnonzero(cosines > 1 - 1e-9) if fit(flat, table[0][k])[1] < 1e-6]
        return [table[1][k] for k in near] or None

    def reads(self, op: Operation, among: set[int]) -> bool:
        """Whether an operand comes from one of these operations."""
        return any(one in among for one in op.before)

    def _descended(self) -> set[int]:
        """The step's operations that descend from the error."""
        found: set[int] = set()
        if not self.errors:  # the backward pass of a loss starts from a 1
            return {k for k in self.sources - self.forward_indices if not self.tape.operations[k].is_leaf}
        for index in sorted(self.sources):
            op = self.tape.operations[index]
            if index in self.errors or (not op.is_leaf and op.old is None and self.reads(op, found)):
                found.add(index)
        return found

    def _before(self, one: Array) -> list[Array]:
        """The arrays that descend from the error and that this one is computed from."""
        found: dict[int, Array] = {}
        for op in one.ops:
            for index in op.before:
                before = self.array_of.get(index)
                if before is not None and before is not one:
                    found[id(before)] = before
        return list(found.values())

    def product_with_same(self, op: Operation) -> int:
        """The forward product with the weights that a product going back reads, too; 0 for none."""
        read = {np.sort(ids, axis=None).tobytes() for ids in op.read}
        products = [one.op for one in self.forward if one.op.name in ("dot", "matmul")]
        for one in products if op.name in ("dot", "matmul") else ():
            if any(np.sort(ids, axis=None).tobytes() in read for ids in one.read):
                return one.index
        return 0

    def before_statement(self, broken: Break) -> Array | None:
        """The last right derivative, without what the statement that breaks off only scaled."""
        last, statement = broken.last, self.source.statement(broken.first.op)
        while last is not None and self.source.statement(last.op) is statement:
            known = [one for one in self._before(last) if self.known[id(one)]]
            before = [one for one in known if one.ids.size == last.ids.size]
            if last.op.name not in ("multiply", "divide", "negative") or len(before) != 1:
                break
            last = before[0]
        return last

    def break_(self) -> Break | None:
        """Find the first operation that is wrong."""
        good = {id(one) for one in self.arrays if self.known[id(one)]}
        after: defaultdict[int, list[Array]] = defaultdict(list)
        for one in self.arrays:
            for before in self._before(one):
                after[id(before)].append(one)
        for one in reversed(self.arrays):  # factors on the way to a derivative
            if id(one) not in good and any(id(later) in good for later in after[id(one)]):
                good.add(id(one))
        self._add_sums(good)
        for one in self.arrays:
            # a difference, which is no derivative itself, may lead to one
            is_error = one.op.index in self.errors
            many = len(one.ops) < 2 <= one.ids.size
            leads_on = any(id(later) in good for later in after[id(one)])
            if id(one) in good or (is_error and (not many or leads_on)):
                continue
            broken = self._broken_at(one, after)
            total = broken.last if broken.last and id(broken.last) in self._sums else one
            odd, ratio = self._odd_share(total)
            broken = self._broken_at(odd, after) if odd else broken
            broken.ratio = ratio
            return broken
        return self._broken_update()

    def _odd_share(self, total: Array) -> tuple[Array | None, float]:
        """Of a sum of shares, the array that brings in a factor which the error has not; and the factor."""
        scales = Counter(round(self._scale(one), 9) for one in self.arrays if one.op.index < total.op.index)
        del scales[0.0]
        usual = max(scales, key=lambda one: (scales[one], one == 1), default=0.0)
        parts = self._summands(total) if total.op.name in ("add", "subtract") else []
        for one in parts if usual and len(parts) > 1 else ():
            scale, now = self._scale(one), one
            if not scale or any(abs(each / usual - 1) < 1e-6 for each in self._scales(one)):
                continue
            while True:
                before = [each for each in self._before(now) if self.known[id(each)]]
                same = [each for each in before if abs(self._scale(each) / scale - 1) < 1e-6]
                if not same:
                    return now, scale / usual
                now = same[0]
        return None, 1.0

    def _summands(self, total: Array) -> list[Array]:
        """The derivatives that are added up, through sums of sums."""
        found = []
        for one in self._before(total):
            if self.known[id(one)]:
                found.append(one)
            elif one.op.name in ("add", "subtract"):
                found += self._summands(one)
        return found

    def _scale(self, one: Array) -> float:
        """The factor between an array and the derivative that it is a multiple of."""
        return self._scales(one)[0]

    def _scales(self, one: Array) -> list[float]:
        """The same for all derivatives that it is a multiple of: that by −z has the other sign."""
        values = self.tape.value[one.ids]
        return [proportion(values, each.values) for each in self.known[id(one)] or []] or [0.0]

    def _add_sums(self, good: set[int]) -> None:
        """Sums of shares of one array are on the way to its derivative."""
        shares: dict[int, set[bytes]] = {}
        elements: dict[int, set[int]] = {}
        for one in self.arrays:
            known = self.known[id(one)]
            if known is not None:
                shares[id(one)] = {each.by.ids.tobytes() for each in known}
                for each in known if len(one.ops) > 1 else ():
                    pairs = np.stack([one.ids.ravel(), each.by.ids.ravel()], axis=1)
                    for mine, theirs in pairs.tolist():
                        elements.setdefault(mine, set()).add(theirs)
            elif one.op.name in ("add", "subtract", "negative", "positive"):
                if len(one.ops) > 1:
                    common_to_all = self._add_numbers(one, elements)
                else:
                    sets = [shares.get(id(before), set()) for before in self._before(one)]
                    shares[id(one)] = set.intersection(*sets) if sets else set()
                    common_to_all = bool(shares[id(one)])
                if common_to_all and self._adds_derivatives(one):
                    good.add(id(one))
                    of_all = shares.get(id(one), set())
                    self._sums[id(one)] = [d for d in self.derivatives if d.by.ids.tobytes() in of_all]

    def adds_something_else(self, one: Array) -> bool:
        """Whether something that does not descend from the error is added to what does."""
        return one.op.name in ("add", "subtract") and one.op.old is None and not self._adds_derivatives(one)

    def _adds_derivatives(self, one: Array) -> bool:
        """Whether all that is added descends from the error, or is the zeros that a sum starts from."""
        return all(
            (ids is not None and not self.array_of.keys().isdisjoint(self.tape.producers(ids)))
            or not self.tape.operand(op, which).any()
            for op in one.ops
            for which, ids in enumerate(op.inputs)
        )

    def _add_numbers(self, one: Array, elements: dict[int, set[int]]) -> bool:
        """Of sums of single numbers: whether each adds shares of one number."""
        for op in one.ops:
            read = [int(ids.flat[0]) for ids in op.read if ids.size == 1]
            sets = [elements[each] for each in read if each in elements]
            common = set.intersection(*sets) if sets else set()
            if not common:
                return False
            elements[op.start] = common
        return True

    def jump(self, ratio: float, others: set[int]) -> Operation | None:
        """The operation of these changes alone at which derivatives get a factor."""
        for one in self.arrays:
            known = self.known[id(one)]
            if known is None or one.op.index in others:
                continue
            mine, _ = fit(self.tape.value[one.ids], known[0].values)
            for before in self._before(one):
                theirs = self.known[id(before)]
                if theirs is None:
                    continue
                factor, _ = fit(self.tape.value[before.ids], theirs[0].values)
                found = mine / factor if factor else 0.0  # by which of z and −z it is, does not matter
                found = found if ratio == -1 else abs(found) * np.sign(ratio)
                if abs(found - ratio) <= 1e-5 * abs(ratio):
                    return one.op
        return None

    def _broken_update(self) -> Break | None:
        for op in (op for row in self.rows for op in row.change.updates):
            if self.reads(op, self.descended):
                return self._broken_at(Array(op.ids, op, [op]), defaultdict(list))
        return None

    def _broken_at(self, first: Array, after: defaultdict[int, list[Array]]) -> Break:
        before = [one for one in self._before(first) if self.known[id(one)]] or self._before(first)
        last = max(before, key=lambda one: one.op.index, default=None)
        all_known = self.known[id(last)] if last is not None else None
        known = all_known[0] if all_known else None
        end, statement = first, self.source.statement(first.op)
        while end.op.name in ("multiply", "divide") and len(after[id(end)]) == 1:
            later = after[id(end)][0]
            same = self.source.statement(later.op) is statement and later.ids.size == end.ids.size
            if later.op.name not in ("multiply", "divide") or not same:
                break
            end = later
        shares = [one for one in all_known or [] if not one.is_whole]
        shares += self._sums.get(id(last), []) if not all_known else []
        return Break(self.rows[0], first, end, last, known, shares, self._below(known))

    def _below(self, known: Derivative | None) -> Array | None:
        """The sum before an activation: the forward array whose derivative comes next."""
        limit = known.by.op.index if known else max((one.op.index for one in self.forward), default=0) + 1
        size = known.by.ids.size if known else self.outputs.size
        for one in self.forward:
            of_two = one.op.name in ("add", "subtract") and all(map(self.tape.leaves, one.op.inputs))
            joins = of_two or one.op.name in ("dot", "matmul", "sum")
            if one.op.index < limit and one.ids.size == size and joins:
                return one
        return None

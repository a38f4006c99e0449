"""Weighted sums in a forward pass: which weights meet which inputs, whatever the arrays they are held in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

#: No bias.
_NONE = -1
_MOST_SUMS = 4000


@dataclass(eq=False)
class WeightedSums:
    """``z = x @ W + b`` of some neurons for some samples, as ids; a negative id stands for a constant.

    ``W`` (n_in, n_out), ``b`` (n_out,), ``x`` (n, n_in), ``z`` (n, n_out); ``in_columns``: the program holds
    a sample in each column; ``in_rows``: a bias is a row of the program's W; ``sign``: −1 where it computes
    ``−z``, as in ``exp(-x @ W)``.
    """

    W: Ids
    b: Ids
    x: Ids
    z: Ids
    in_columns: bool = False
    in_rows: bool = False
    sign: float = 1.0

    @property
    def has_bias(self) -> bool:
        """Whether each of the neurons has one."""
        return bool((self.b != _NONE).all())

    def part(self, one: int) -> WeightedSums:
        """The sum of a single neuron for a single sample."""
        row, column = np.argwhere(self.z == one)[0]
        W, b = self.W[:, [column]], self.b[[column]]
        return WeightedSums(W, b, self.x[[row]], np.array([[one]]), self.in_columns)

    def sorted(self) -> WeightedSums:
        """With the inputs of one sample in the order in which they were computed."""
        if len(self.x) > 1:
            return self
        order = np.argsort(self.x[0], kind="stable")
        return replace(self, W=self.W[order], x=self.x[:, order])


class ForwardPass:
    """The weighted sums among some operations.

    Parameters
    ----------
    tape : Tape
    indices : iterable of int
        The operations that lead to the outputs.
    parameters : Ids
        The values that the step changes.
    """

    def __init__(self, tape: Tape, indices: set[int], parameters: Ids) -> None:
        self.tape = tape
        self.is_parameter = np.zeros(tape.size, bool)
        self.is_parameter[parameters] = True
        self._constants: dict[float, int] = {}
        self._found: dict[int, WeightedSums] = {}
        self._products: dict[int, tuple[Ids, Ids]] = {}
        self._inner = np.zeros(tape.size, bool)
        rules = {"dot": self._dot, "matmul": self._dot, "multiply": self._multiply, "sum": self._sum}
        rules |= {"add": self._add, "subtract": self._add}
        for index in sorted(indices):
            op = tape.operations[index]
            if op.name in rules and op.old is None and op.size:
                rules[op.name](op)

    def values(self, ids: Ids) -> Values:
        """The values of ids; negative ones are constants."""
        constants = np.array([0.0, *self._constants][::-1])
        return np.where(ids >= 0, self.tape.value[np.maximum(ids, 0)], constants[np.minimum(ids, -1)])

    def _ids(self, op: Operation, which: int) -> Ids:
        ids = op.inputs[which]
        if ids is not None:
            return ids
        values = self.tape.operand(op, which)
        found = np.empty(values.shape, np.int64)
        for place, value in np.ndenumerate(values):
            found[place] = -2 - self._constants.setdefault(float(value), len(self._constants))
        return found

    def _is_weight(self, ids: Ids | None) -> bool:
        return ids is not None and ids.size > 0 and bool(self.is_parameter[ids].all())

    def _which_weight(self, op: Operation) -> int | None:
        """Which of two operands are weights; None unless just one is."""
        both = [self._is_weight(ids) for ids in op.inputs]
        return None if len(both) != 2 or both[0] == both[1] else int(both[1])

    def _dot(self, op: Operation) -> None:
        which = self._which_weight(op)
        if which is None or any(np.ndim(self.tape.operand(op, k)) > 2 for k in (0, 1)):
            return
        if op.inputs[1 - which] is None and self.tape.operand(op, 1 - which).size > _MOST_SUMS:
            return
        (x, sign), W = self._positive(self._ids(op, 1 - which)), self._ids(op, which)
        if which == 0:
            W, x = W.T, x.T
        W = W.reshape(len(W), -1)
        x = x.reshape(-1, len(W))
        size, n = W.shape[1], len(x)
        z = op.ids.reshape(size, n).T if which == 0 else op.ids.reshape(n, size)
        columns = which == 0 and n > 1
        self._found[op.index] = WeightedSums(W, np.full(size, _NONE), x, z, columns, sign=sign)

    def _positive(self, ids: Ids) -> tuple[Ids, float]:
        """What an array is minus of, and −1; or the array itself, and 1."""
        made = self.tape.producers(ids) if ids.size and ids.min() >= 0 else []
        op = self.tape.operations[made[0]] if len(made) == 1 else None
        if op is None or op.name != "negative" or op.inputs[0] is None:
            return ids, 1.0
        return op.inputs[0].reshape(-1)[ids - op.start], -1.0

    def _multiply(self, op: Operation) -> None:
        which = self._which_weight(op)
        if which is not None and op.size <= _MOST_SUMS:
            w, x = (np.broadcast_to(self._ids(op, k), op.shape) for k in (which, 1 - which))
            self._products[op.index] = w, x

    def _sum(self, op: Operation) -> None:
        ids = op.inputs[0]
        if ids is None or ids.size > _MOST_SUMS:
            return
        made = self.tape.producers(ids)
        if op.size == 1:
            parts = [self.find(np.array(one)) for one in ids.ravel()]
            if all(parts):
                self._join(op, [one for one in parts if one])
        elif len(made) == 1 and made[0] in self._products and ids.ndim == 2:
            w, x = (np.moveaxis(one, op.detail[0], 0) for one in self._products[made[0]])
            none, z = np.full(w.shape[1], _NONE), op.ids.reshape(1, -1)
            if (x == x[:, :1]).all():
                self._found[op.index] = WeightedSums(w, none, x[:, :1].T, z)
            elif (w == w[:, :1]).all():
                self._found[op.index] = WeightedSums(w[:, :1], none[:1], x.T, z.T)

    def find(self, ids: Ids) -> WeightedSums | None:
        """The weighted sums that these ids are."""
        made = self.tape.producers(ids) if ids.size and ids.min() >= 0 else []
        if len(made) != 1:
            return None
        found = self._found.get(made[0])
        if found is not None and ids.size == found.z.size:
            return found
        if found is not None:
            return found.part(int(ids.flat[0])) if ids.size == 1 else None
        if made[0] not in self._products:
            return None
        places = ids.ravel() - self.tape.operations[made[0]].start
        w, x = (one.reshape(-1)[places].reshape(-1, 1) for one in self._products[made[0]])
        alike = bool((w == w[0]).all())
        return WeightedSums(w[:1], np.full(1, _NONE), x, ids.reshape(-1, 1)) if alike else None

    def _add(self, op: Operation) -> None:
        sides = [None if ids is None else self.find(ids) for ids in op.inputs]
        if sides[0] and sides[1] and op.name == "add":
            self._join(op, [sides[0], sides[1]])
            return
        for which in (0, 1) if op.name == "add" else (0,):
            sums, other = sides[which], op.inputs[1 - which]
            if sums is None or sums.z.size != op.size:
                continue
            b = self._bias(op, sums, which)
            if b is not None or other is None or not self.tape.value[other].any():
                self._inner[sums.z] = True
                z = self._placed(op, sums, which, op.ids)
                self._found[op.index] = replace(sums, b=sums.b if b is None else b, z=z)

    def _placed(self, op: Operation, sums: WeightedSums, which: int, ids: Ids) -> Ids:
        """These ids, of the operation's shape, in the places of the sums."""
        order = np.argsort(self._ids(op, which), axis=None)
        ranks = np.argsort(np.argsort(sums.z, axis=None))
        return ids.reshape(-1)[order][ranks].reshape(sums.z.shape)

    def _bias(self, op: Operation, sums: WeightedSums, which: int) -> Ids | None:
        """What is added to each neuron's sums: parameters, or start values that are never changed."""
        other = op.inputs[1 - which]
        if other is None or (op.name == "subtract") != (sums.sign < 0) or (sums.b != _NONE).any():
            return None
        made = [self.tape.operations[one] for one in self.tape.producers(other)]
        unchanged = all(one.initial and one.is_data for one in made) and bool(self.tape.value[other].any())
        if not self._is_weight(other) and not unchanged:
            return None
        placed = self._placed(op, sums, which, np.broadcast_to(other, op.shape))
        return placed[0] if (placed == placed[0]).all() else None

    def _join(self, op: Operation, parts: list[WeightedSums]) -> None:
        """One sum of several."""
        shape = parts[0].z.shape
        if any(one.z.shape != shape or one.sign < 0 for one in parts) or op.size != parts[0].z.size:
            return
        biases = [one.b for one in parts if one.has_bias]
        if len(biases) > 1:
            return
        b = biases[0] if biases else parts[0].b
        W, x = np.concatenate([one.W for one in parts]), np.concatenate([one.x for one in parts], axis=1)
        for one in parts:
            self._inner[one.z] = True
        z = op.ids.reshape(shape) if parts[0].z.size < 2 else self._placed(op, parts[0], 0, op.ids)
        self._found[op.index] = WeightedSums(W, b, x, z, parts[0].in_columns)

    def layers(self) -> list[WeightedSums]:
        """All sums of the same inputs as one, and those with the same weights as one; in their order."""
        alone = [self.find(self.tape.operations[index].ids) for index in self._products]
        every = [one for one in (*self._found.values(), *alone) if one is not None]
        whole = [one.sorted() for one in every if not self._inner[one.z].any()]
        whole.sort(key=lambda one: int(one.z.min()))
        whole = _merged(whole, lambda one: (one.x.tobytes(), one.has_bias, one.sign), _beside)
        return _merged(whole, lambda one: (one.W.tobytes(), one.b.tobytes()), _below)


def _beside(some: list[WeightedSums]) -> WeightedSums:
    W, z = (np.concatenate([getattr(one, name) for one in some], axis=1) for name in "Wz")
    return replace(some[0], W=W, z=z, b=np.concatenate([one.b for one in some]))


def _below(some: list[WeightedSums]) -> WeightedSums:
    x, z = (np.concatenate([getattr(one, name) for one in some]) for name in "xz")
    return replace(some[0], x=x, z=z)


def _merged(
    sums: list[WeightedSums],
    key: Callable[[WeightedSums], object],
    join: Callable[[list[WeightedSums]], WeightedSums],
) -> list[WeightedSums]:
    groups: dict[object, list[WeightedSums]] = {}
    for one in sums:
        groups.setdefault(key(one), []).append(one)
    return [join(some) if len(some) > 1 else some[0] for some in groups.values()]

"""Forward passes that are wrong themselves, where the data betray it."""

from __future__ import annotations

import ast
import re

import numpy as np

from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import WRONG, GradientComparison, proportion
from deltarule.diagnosis.reading.targets import forward_of
from deltarule.diagnosis.recording.source import is_parameter
from deltarule.diagnosis.recording.tape import Operation, Tape, Values


def forward_faults(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """What is wrong where the output meets the target, or before: it is told before all else."""
    wrong = [
        fault_at(analysis, "sign" if one.op.name == "add" else "derivative", one.op, one.mistake)
        for one in chosen.meetings[0]
        if one.mistake
    ]
    found = wrong[:1] + _wrong_axis(analysis, chosen) + _applied_twice(analysis, chosen)
    return found + _without_parentheses(analysis, chosen)


def _forward(tape: Tape, chosen: GradientComparison) -> list[Operation]:
    every = (tape.operations[index] for index in sorted(forward_of(tape, chosen.meetings[0])))
    return [op for op in every if not op.is_leaf and op.old is None]


def _adds_up(values: Values, axis: int) -> bool:
    return bool(np.allclose(values.sum(axis), 1, atol=1e-5))


def _wrong_axis(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """A softmax whose outputs do not add up to one along the axis along which the targets do."""
    tape = analysis.tape
    for one in chosen.meetings[0]:
        outputs, targets = tape.value[one.output], np.asarray(one.target, float)
        axes = [axis for axis in (0, 1) if outputs.ndim == 2 and _adds_up(targets, axis)]
        if len(axes) != 1 or 1 in outputs.shape or _adds_up(outputs, axes[0]):
            continue
        made = tape.operations[tape.producers(one.output)[0]]
        if made.name != "divide" or not _is_of_exponentials(tape, made):
            continue
        sums = [op for op in _forward(tape, chosen) if op.name == "sum" and _is_of_exponentials(tape, op)]
        if not _adds_up(outputs, 1 - axes[0]) and abs(outputs.sum() - 1) > 1e-5:
            by = made.inputs[1]
            if sums and chosen.bad and by is not None and sums[-1].index not in tape.producers(by):
                return [fault_at(analysis, "derivative", made, _NO_SHARES)]
            continue
        text = f"the outputs of each sample must sum to 1: sum along axis {axes[0]}"
        return [fault_at(analysis, "shape", op, text) for op in sums[-1:]]
    return []


def _is_of_exponentials(tape: Tape, op: Operation) -> bool:
    ids = op.inputs[0]
    return ids is not None and all(tape.operations[one].name == "exp" for one in tape.producers(ids))


def _applied_twice(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """An activation of an activation, of which the backward pass knows only one."""
    tape = analysis.tape
    if not any(row.verdict == WRONG for row in chosen.rows):
        return []
    forward = [op for op in _forward(tape, chosen) if op.name in ("tanh", "exp", "expit") and op.size > 1]
    for k, op in enumerate(forward):
        for before in forward[:k]:
            same = before.name == op.name and before.leaves == op.leaves and before.size == op.size
            if same and _only_between(tape, before, op):
                twice = len(op.place) > 1 and op.place[0][:2] == before.place[0][:2]
                at = op.place[1] if twice else op  # the call, of a function that is called twice
                return [fault_at(analysis, "derivative", at, _TWICE)]
    return []


def _without_parentheses(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """``1 / 1 + np.exp(-z)`` as an activation: a sigmoid that lacks its parentheses."""
    source = analysis.source
    for op in _forward(analysis.tape, chosen) if chosen.bad else ():
        node = source.expression(op)
        if isinstance(node, ast.BinOp) and re.match(r"1(\.0*)? / 1(\.0*)? \+ .*exp\(", ast.unparse(node)):
            added = source.segment(node.right)
            text = f"this is 1 + {added}, not the sigmoid: write 1 / (1 + {added})"
            return [fault_at(analysis, "derivative", op, text)]
    return []


_NO_SHARES = "the outputs of each sample must sum to 1: divide by the sum of the exponentials itself"
_TWICE = "the activation is applied twice here, but the backward pass accounts for only one of them"


def _only_between(tape: Tape, before: Operation, op: Operation) -> bool:
    """Whether the one is a function of the other alone, and no product of arrays stands between the two."""
    way = tape.ancestors(op.ids, before.index)
    made = [tape.operations[one] for one in way - {before.index}]
    if before.index not in way or any(one.name in ("dot", "matmul", "log") for one in made):
        return False  # exp(log …) is no second one
    return all(k in way or not tape.operations[k].leaves for one in made for k in one.before)


def unused_parameters(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """Parameters that get steps from the error and are used in no forward pass."""
    if analysis.only_gradients:
        return []
    tape, source = analysis.tape, analysis.source
    readers: dict[int, list[Operation]] = {}
    for op in tape.operations:
        for first in [int(ids.flat[0]) for ids in op.read if ids.size]:
            readers.setdefault(first, []).append(op)
    places = {op.spot for row in chosen.rows for op in row.change.updates}

    def is_read_elsewhere(first: int, op: Operation) -> bool:
        """Whether something else reads it, or what the same place makes of it: a sum has many versions."""
        here, seen, left = op.spot, {first}, [first]
        while left:
            for one in readers.get(left.pop(), ()):
                if one.spot != here:
                    return True
                if one.start not in seen:
                    seen.add(one.start)
                    left.append(one.start)
        return False

    errors = {index for some in chosen.meetings for one in some for index in one.twins}
    found: dict[str, Fault] = {}
    for op in tape.operations:
        for which, ids in enumerate(op.inputs if op.name in ("add", "subtract") and op.old is None else ()):
            other = op.inputs[1 - which] if len(op.inputs) == 2 else None
            if ids is None or other is None or not op.size or op.shape != ids.shape:
                continue
            made = tape.operations[tape.producers(ids)[0]]
            is_start = made.initial and made.index < min(errors, default=made.index + 1)
            if not is_start or is_read_elsewhere(int(ids.flat[0]), op) or is_read_elsewhere(op.start, op):
                continue
            name = source.name_of(made) or source.target_of(op)
            if not (op.spot in places or is_parameter(name.partition("[")[0])) or name in found:
                continue
            step = tape.operand(op, 1 - which)  # 0 where the weight of an input that is 0 is passed over
            if step.any() and tape.ancestors(other) & errors:
                found[name] = _unused(analysis, chosen, op, name, step)
    return list(found.values())


def _unused(analysis: Analysis, chosen: GradientComparison, op: Operation, name: str, step: Values) -> Fault:
    """A parameter that gets steps for nothing: told where it belongs, if that is seen."""
    user, line = _where_it_belongs(analysis.tape, chosen, op, step), analysis.source.line(op)
    if user is None:
        text = f"{name} is updated here, but the forward pass never uses it"
        return fault_at(analysis, "untrained", op, text, parameters=(name,))
    text = f"{name} is updated (line {line}) but never used: it belongs in this sum"
    return fault_at(analysis, "untrained", user, text, parameters=(name,), other_line=line)


def _where_it_belongs(
    tape: Tape, chosen: GradientComparison, op: Operation, step: Values
) -> Operation | None:
    """The forward array whose derivative, summed over the samples, is the step."""
    adjoint = chosen.losses[0].adjoint
    for one in _forward(tape, chosen):
        if one.name in ("dot", "matmul", "add") and len(one.shape) == 2 and one.index < op.index:
            sums = (adjoint[one.ids].sum(axis) for axis in (0, 1))
            if any(each.size == step.size and proportion(step.reshape(each.shape), each) for each in sums):
                return one
    return None

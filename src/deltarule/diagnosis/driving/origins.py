"""What something was computed from: parameters, data, targets."""

from __future__ import annotations

from functools import partial
from typing import Any

from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, current_tape
from deltarule.diagnosis.recording.traced import Traced

#: What the numbers are called that an output is compared with.
TARGETS = "the target"
#: Products of arrays.
PRODUCTS = frozenset({"matmul", "dot", "inner"})


def depends_on_parameters(x: Any) -> bool:
    """Whether something was computed from parameters, or is one."""
    tape = current_tape()
    return type(x) is Traced and tape is not None and bool(tape.leaves(x.ids))


def goes_forward(x: Any) -> bool:
    """Whether something is data, or was computed from data and no target."""
    tape = current_tape()
    if type(x) is not Traced or tape is None:
        return False
    made = [tape.operations[one] for one in tape.ancestors(x.ids)]
    return not is_start(x) and not any(op.label == TARGETS or _is_error(tape, op) for op in made)


def _is_error(tape: Tape, op: Operation) -> bool:
    """Whether zeros, of which labels made some ones, are subtracted from something, or that from them."""
    return op.name == "subtract" and any(map(partial(_are_classes, tape), op.read))


def _are_classes(tape: Tape, ids: Ids) -> bool:
    made = [tape.operations[one] for one in tape.producers(ids)]
    return len(made) > 1 and all(op.is_leaf for op in made) and {*tape.value[ids].flat} == {0.0, 1.0}


def is_start(x: Any) -> bool:
    """Whether something is a parameter, or was made of parameters alone before anything was computed."""
    tape = current_tape()
    made = tape.producers(x.ids) if type(x) is Traced and tape is not None else []
    return bool(made) and tape is not None and all(tape.operations[one].initial for one in made)


def is_logarithm(x: Any) -> bool:
    """Whether something is the logarithm of an output, as in the cross-entropy."""
    tape = current_tape()
    made = tape.producers(x.ids) if type(x) is Traced and tape is not None else []
    return bool(made) and tape is not None and tape.operations[made[0]].name.startswith("log")


def are_columns(sums: Traced) -> bool:
    """Whether each unit has a row of what was computed: the parameters came first in the product."""
    tape = current_tape()
    if tape is None:
        return False
    op = tape.operations[tape.producers(sums.ids)[0]]
    first = op.inputs[0] if op.name in PRODUCTS else None
    return first is not None and all(tape.operations[one].initial for one in tape.producers(first))

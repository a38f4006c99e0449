"""Parameters that the forward pass uses and no step changes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.plausible import DATA
from deltarule.diagnosis.faults.factors import maker
from deltarule.diagnosis.faults.names import operand_nodes
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import GradientComparison, proportion
from deltarule.diagnosis.reading.layers import sizes_of
from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.reading.targets import forward_of
from deltarule.diagnosis.reading.updates import updates_on
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values

NAMED = re.compile(r"(^|[._\[\"'])(w|b|weight|bias|theta|beta|gamma)(e?s)?_?\w{0,2}\d*\b|bias|weight", re.I)
_FROZEN = re.compile(r"froze|freez|fixed", re.I)
_RANDOM = re.compile(r"rand|normal|uniform|gauss|init|zeros|xavier|glorot", re.I)


@dataclass(frozen=True)
class Untrained:
    """A parameter that is used and never changed: where it was made, its name, where it is used, and more."""

    start: Operation
    name: str
    used: str
    more: str = ""
    #: Whether it is a number that is written for a whole layer, which may be meant to stay as it is.
    is_fixed: bool = False

    @property
    def text(self) -> str:
        """All that is said of it."""
        return self.used + self.more


def untrained_parameters(analysis: Analysis) -> list[Untrained]:
    """Each parameter that is used and never changed."""
    chosen = analysis.comparison
    if analysis.only_gradients:
        return [_misfit(analysis, op) for op in analysis.absent]
    found: dict[int, Untrained] = {}
    counts: Counter[int] = Counter()
    for number, step in enumerate(chosen.steps):
        for op, user in _untrained_in(analysis, chosen, number):
            start, name = op.leaves, _name(analysis, op, user)
            counts[start] += 1 + (_is_named(name) or is_replaced(analysis.tape, op, user, _end(step)))
            changed = "" if op.is_leaf or op.index < chosen.steps[0].floor + 1 else ", not by its gradient"
            used = f"{name} is used on line {analysis.source.line(user)}"
            is_fixed = _is_number_of_layer(analysis, chosen, op, user)
            found[start] = Untrained(op, name, used, f" but never trained{changed}", is_fixed)
    told = {start: one for start, one in found.items() if counts[start] >= min(2, len(chosen.steps))}
    return [  # what a start value was changed to tells more than the start value
        one for start, one in told.items() if not any(start & other == start != other for other in told)
    ]


def _is_number_of_layer(
    analysis: Analysis, chosen: GradientComparison, made: Operation, user: Operation
) -> bool:
    """Whether a written number, or ones times it, is added to all neurons of a layer."""
    tape, samples = analysis.tape, sizes_of(analysis.tape, chosen)[0]
    parts = [tape.operations[k] for k in made.before] if made.name == "multiply" else [made]
    number = min(parts, key=lambda one: one.size, default=made)
    is_written = number.is_leaf and number.size == 1 and not _RANDOM.search(analysis.source.text_of(number))
    return bool(is_written and tape.value[number.start] and user.size >= 2 * samples)


def _is_named(name: str) -> bool:
    """Whether it is called as parameters are; not what a call is given, as ``rng.random(n_b)``."""
    return bool(NAMED.search(name.partition("(")[0]))


def _misfit(analysis: Analysis, op: Operation) -> Untrained:
    """A parameter without a gradient of its shape, and what was returned in its place."""
    tape, name = analysis.tape, _name(analysis, op)
    if op.index in tape.misfits:
        returned, array = tape.misfits[op.index]
        made = tape.operations[max(tape.producers(array.ids))]
        how = "everything is summed to one number" if array.size == 1 else "it is not summed over the samples"
        return Untrained(made, name, f"{how}: {returned} has shape {array.shape}, {name} has {op.shape}")
    user = next((one for one in tape.operations if any(op.start in ids for ids in one.read)), op)
    return Untrained(user, name, f"{name} is used, but no gradient of its shape is returned")


def _name(analysis: Analysis, op: Operation, user: Operation | None = None) -> str:
    """The name that a parameter was given, or under which it is used."""
    name = analysis.source.name_of(op)
    nodes = operand_nodes(analysis.source, user) if user is not None and not name else []
    for node, ids in zip(nodes, user.inputs if user is not None else (), strict=False):
        if ids is not None and op.index in analysis.tape.producers(ids):
            name = analysis.source.segment(node)
    return name or analysis.source.text_of(op) or "a parameter"


def _untrained_in(
    analysis: Analysis, chosen: GradientComparison, number: int
) -> list[tuple[Operation, Operation]]:
    tape, step, meetings = analysis.tape, chosen.steps[number], chosen.meetings[number]
    errors = {one.op.index for one in meetings}
    trained = step.parameters
    for op in updates_on(tape):
        trained |= op.leaves
    adjoint, forward = chosen.losses[number].adjoint, forward_of(tape, meetings)
    data = _data(tape, forward, trained)
    found = _moved_by_constants(analysis, forward, adjoint, trained, min(errors, default=0))
    for index in sorted(forward - errors):
        user = tape.operations[index]
        if user.is_leaf or user.old is not None or not adjoint[user.start : user.stop].any():
            continue
        for which, ids in enumerate(user.inputs):
            other = user.inputs[1 - which] if len(user.inputs) == 2 else None
            if ids is None or len(user.inputs) != 2 or not ids.size:
                continue
            if other is not None and tape.leaves(other) & trained and bool((tape.root[other] >= 0).all()):
                continue  # what is added to a parameter, a momentum
            made = _start(tape, ids)
            if made is None or made.leaves & trained or made.leaves & data or not made.leaves:
                continue
            if not _has_gradient(tape, made, adjoint):
                continue
            nodes = operand_nodes(analysis.source, user)
            written = analysis.source.segment(nodes[which]) if which < len(nodes) else ""
            names = f"{_name(analysis, made, user)} {written}"
            if DATA.match(names.split(" ")[0].rsplit(".", 1)[-1]) or _FROZEN.search(names):
                continue
            replaced = (
                made.is_leaf
                and user.name in ("add", "dot", "matmul", "multiply")
                and (user.name != "multiply" or bool(tape.result(made).any()))  # a state starts from zeros
                and is_replaced(tape, made, user, _end(step))
            )
            if replaced or _is_parameter(analysis, user, made, ids.size, other, trained):
                found.append((made, user))
    return found


def _has_gradient(tape: Tape, made: Operation, adjoint: Values) -> bool:
    """Whether the loss depends on a start value here: it does not where an input is 0, or a unit is off."""
    starts = (tape.operations[one] for one in tape.ancestors([made.index]))
    return any(op.is_leaf and op.leaves and adjoint[op.start : op.stop].any() for op in starts)


def _moved_by_constants(
    analysis: Analysis, forward: set[int], adjoint: Values, trained: int, behind: int
) -> list[tuple[Operation, Operation]]:
    """Start values that have a gradient, and to which something is added that has nothing to do with it."""
    tape, found = analysis.tape, []
    for later in tape.operations[behind:]:
        if later.name not in ("add", "subtract") or later.old is not None:
            continue
        for made in [tape.operations[one] for one in later.before]:
            has_gradient = made.initial and made.size > 1 and adjoint[made.start : made.stop].any()
            if has_gradient and not made.leaves & trained and is_moved_by_a_constant(tape, made, later):
                users = [op for k in sorted(forward) if made.index in (op := tape.operations[k]).before]
                places = {one.spot for one in users}
                takes_place = analysis.source.rewrites(later, 0) or _is_used(tape, later, places)
                found += [(made, users[0])] * 2 if users and takes_place else []
    return found


def is_replaced(tape: Tape, op: Operation, user: Operation, end: int) -> bool:
    """Whether the code that reads this start value later reads something made of it: a changed parameter."""
    for later in tape.operations[max(user.index, end) + 1 :]:
        if later.name != user.name or later.spots[:2] != user.spots[:2]:
            continue
        for ids, before in zip(later.inputs, user.inputs, strict=False):
            if ids is None or before is None or tape.producers(before) != [op.index]:
                continue
            made = tape.operations[tape.producers(ids)[0]]
            is_later = made.index > user.index and not made.is_leaf
            if is_later and made.leaves & op.leaves and made.size == op.size:
                return True
    return False


def is_moved_by_a_constant(tape: Tape, op: Operation, later: Operation) -> bool:
    """Whether something that depends on nothing is added to a parameter, as zeros that stayed zeros."""
    if later.name not in ("add", "subtract") or later.size != op.size or later.index <= op.index:
        return False
    for which, ids in enumerate(later.inputs):
        if ids is not None and ids.size == op.size and tape.producers(ids) == [op.index]:
            other = later.inputs[1 - which]
            made = tape.ancestors(other) if other is not None else ()
            is_constant = all(tape.operations[one].old is None for one in made)
            return is_constant and (other is None or not tape.value[other].any())
    return False


def rewriting(analysis: Analysis, parameter: Operation) -> Operation | None:
    """The sum that takes the place of a parameter, though it has nothing to do with its gradient."""
    tape, source = analysis.tape, analysis.source
    meetings = [one for some in analysis.comparison.meetings for one in some]
    forward = [tape.operations[k] for k in forward_of(tape, meetings)]
    places = {op.spot for op in forward if op.old is None}
    users = {op.spot for op in forward if parameter.index in op.before}
    for later in tape.operations[parameter.index + 1 :]:
        if later.spot in places:
            continue
        for side, ids in enumerate(later.inputs if later.name in ("add", "subtract") else ()):
            if ids is None or not ids.size or not parameter.start <= int(ids.flat[0]) < parameter.stop:
                continue
            if later.size == ids.size and (source.rewrites(later, side) or _is_used(tape, later, users)):
                other, made = later.inputs[1 - side], later
                if other is not None:
                    made = maker(tape, tape.operations[max(tape.producers(other))])
                return later if made.is_leaf or made.initial or made.spot in places else made
    return None


def _is_used(tape: Tape, op: Operation, places: set[Any]) -> bool:
    """Whether what is computed here is read later at one of these places."""
    later = tape.operations[op.index + 1 :]
    return any(one.spot in places and op.index in one.before for one in later)


def unused_gradient(analysis: Analysis, number: int, gradient: Values) -> Operation | None:
    """What computes a gradient in a step (of single numbers, the first of them) and is read by nothing."""
    tape, step = analysis.tape, analysis.comparison.steps[number]
    made = tape.operations[step.floor + 1 : _end(step) + 1]
    read = {one for op in made for one in op.before}
    dead: dict[Any, list[Operation]] = {}
    for op in made:
        if not op.is_leaf and op.old is None and op.index not in read:
            dead.setdefault((op.name, op.spots) if op.size == 1 else op.index, []).append(op)
    for ops in dead.values():
        every = [tape.result(op) for op in ops]
        values = every[0] if len(every) == 1 else np.concatenate([one.ravel() for one in every])
        if values.size == gradient.size > 1 and proportion(values, gradient):
            return ops[0]
    return None


def source_of_nothing(tape: Tape, parameter: Operation, adding: Operation) -> Operation:
    """Where a step that depends on nothing was made: zeros that stayed zeros, or what is there instead."""
    parts = [tape.producers(ids)[0] for ids in adding.read if ids.size == adding.size]
    others = [maker(tape, tape.operations[one]) for one in parts if one != parameter.index]
    if len(parts) < 2 or not others:
        return adding
    used = next((op.index for op in tape.operations if not op.is_leaf and not op.initial), 0)
    return adding if others[0].is_leaf and others[0].index < used else others[0]


def _end(step: RecordedStep) -> int:
    """The last update of a step."""
    return max((op.index for change in step.changes for op in change.updates), default=0)


def _start(tape: Tape, ids: Ids) -> Operation | None:
    """The start value that an operand is, or was prepared from."""
    producers = tape.producers(ids)
    if not producers or not all(tape.operations[one].initial for one in producers):
        return None
    op = max((tape.operations[one] for one in producers), key=lambda one: one.size)
    return op if op.initial and op.old is None else None


def _data(tape: Tape, forward: set[int], trained: int) -> int:
    """Start values that are multiplied with trained parameters: the inputs."""
    found = 0
    for index in forward:
        op = tape.operations[index]
        if op.name in ("dot", "matmul", "multiply") and len(op.inputs) == 2:
            leaves = [tape.leaves(ids) for ids in op.inputs]
            for which in (0, 1):
                mine, other = op.inputs[which], op.inputs[1 - which]
                if mine is None or (not _start(tape, mine) and not bool((tape.root[mine] >= 0).all())):
                    continue
                if other is None or not leaves[which] & trained or leaves[1 - which] & trained:
                    continue
                if all(tape.operations[one].initial for one in tape.producers(other)):
                    found |= leaves[1 - which]
    return found


def _is_parameter(
    analysis: Analysis, user: Operation, made: Operation, size: int, other: Ids | None, trained: int
) -> bool:
    source, is_named = analysis.source, _is_named(_name(analysis, made, user))
    depends = bool(analysis.tape.leaves(other) & trained)
    if user.name == "add":
        return size <= user.size and (is_named or (depends and size > 1))
    if user.name in ("dot", "matmul") and size > 1:
        is_random = source.name_of(made) and _RANDOM.search(source.text_of(made))  # drawn, and scaled
        return is_named or bool(is_random and (depends or not made.is_leaf))
    return user.name == "multiply" and is_named and size <= user.size

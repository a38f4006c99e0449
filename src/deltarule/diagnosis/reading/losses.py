"""The losses whose gradient the program may mean to follow: its own, and the usual ones of its output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deltarule.diagnosis.reading.steps import RecordedStep
from deltarule.diagnosis.reading.targets import Meeting
from deltarule.diagnosis.reading.updates import is_start
from deltarule.diagnosis.recording.operations import reverse_mode
from deltarule.diagnosis.recording.tape import Operation, Tape, Values
from deltarule.nn.losses import LOSSES

#: What losses that differ by a factor only are called together.
FAMILIES = {
    "half_squared_error": "squared error",
    "squared_error": "squared error",
    "mean_squared_error": "squared error",
    "binary_cross_entropy": "binary cross-entropy",
    "cross_entropy": "cross-entropy of softmax",
}


@dataclass(eq=False)
class KnownLoss:
    """A loss that the steps may follow, with the adjoint of every scalar."""

    name: str
    adjoint: Values
    #: What the program itself computed; None where the loss is only supposed.
    op: Operation | None = None
    #: Whether it counts only where all steps follow it: what is only printed, or a weighted loss.
    is_doubtful: bool = False


def losses_of(tape: Tape, step: RecordedStep, meetings: list[Meeting], meant: str = "") -> list[KnownLoss]:
    """The losses that the step may follow: the program's own first, then the usual ones of its output.

    Where one is ``meant``, as in ``LOSSES``, those of its family only.
    """
    losses = []
    for op, is_aside in () if tape.meetings else _own_losses(tape, step, meetings):
        adjoint = _of_step(tape, step, reverse_mode(tape, op.ids, np.ones(op.shape)))
        if adjoint.any():  # what takes sizes of errors is often only printed
            takes_sizes = "absolute" in {tape.operations[k].name for k in tape.ancestors(op.ids)}
            losses.append(KnownLoss(_kind_of(tape, meetings, adjoint), adjoint, op, is_aside or takes_sizes))
    if not meetings:
        return losses
    output = np.concatenate([one.output.ravel() for one in meetings])
    seeds = _usual_seeds(tape, meetings)
    if meant:
        seeds = [_meant_seed(tape, meetings, meant)]
        losses = [one for one in losses if one.name == seeds[0][0]]
    for name, seed in seeds:
        losses.append(KnownLoss(name, reverse_mode(tape, output, seed)))
    is_known = bool(meant or tape.meetings)  # of a layer that was sent a derivative, the loss is known
    weights = _weights(tape, step, meetings) if not is_known else None
    if weights is not None:
        for name, seed in seeds:
            adjoint = reverse_mode(tape, output, seed * weights)
            losses.append(KnownLoss(f"weighted {name}", adjoint, is_doubtful=True))
    return losses


def is_beyond_numbers(tape: Tape, step: RecordedStep, meetings: list[Meeting]) -> bool:
    """Whether the program's own loss is infinite or no number, so that it has no gradient."""
    return any(not np.isfinite(tape.result(op)).all() for op, _ in _own_losses(tape, step, meetings))


def _of_step(tape: Tape, step: RecordedStep, adjoint: Values) -> Values:
    """An adjoint without what a loss that is summed over many steps has from the forward passes before."""
    for op in tape.operations[: step.floor + 1]:
        if not op.initial and tape.root[op.start] < 0:
            adjoint[op.start : op.stop] = 0
    return adjoint


_OF_ERRORS = ("multiply", "divide", "clip", "sign", "tanh", "arctan", "where", "minimum", "maximum")


def _weights(tape: Tape, step: RecordedStep, meetings: list[Meeting]) -> Values | None:
    """What each error is multiplied with by weights of the data, or by its own size; None for nothing."""
    if any(one.output.shape != one.op.shape for one in meetings):
        return None
    carried, theta = np.full(tape.size, -1), step.parameters
    first = 0
    for one in meetings:
        for index in one.twins:
            twin = tape.operations[index]
            if twin.size == one.output.size:
                carried[twin.start : twin.stop] = np.arange(first, first + twin.size)
        first += one.output.size
    is_plain = True
    errors = np.concatenate([tape.result(one.op).ravel() for one in meetings])
    weighted = errors.copy()
    for index in sorted(k for k in step.sources if k > min(one.op.index for one in meetings)):
        op = tape.operations[index]
        of_errors = [carried[ids] for ids in op.read if ids.size == op.size and (carried[ids] >= 0).all()]
        free = [not tape.leaves(ids) & theta or (carried[ids] >= 0).all() for ids in op.read]
        if op.name in _OF_ERRORS and op.old is None and of_errors and all(free):
            carried[op.start : op.stop] = of_errors[0].ravel()
            weighted[of_errors[0].ravel()] = tape.result(op).ravel()
            is_plain &= op.name in ("multiply", "divide") and len(of_errors) == 1
    with np.errstate(all="ignore"):
        weights = weighted / errors
    weights = np.where(np.isfinite(weights), weights, 1.0)
    is_one_sign = bool((weights * np.sign(weights[0]) > 0).all())
    weights = np.abs(weights) if is_one_sign else weights
    return weights if len(weights) >= 8 and (is_plain or is_one_sign) and np.ptp(weights) > 1e-9 else None


def _meant_seed(tape: Tape, meetings: list[Meeting], meant: str) -> tuple[str, Values]:
    """What a loss is called here, and its derivative by the outputs."""
    output, target = _outputs_and_targets(tape, meetings)
    with np.errstate(all="ignore"):
        seed = LOSSES.resolve(meant).derivative(output[:, None], target[:, None])[:, 0]
    return FAMILIES.get(meant, meant.replace("_", " ")), np.nan_to_num(seed)


def _outputs_and_targets(tape: Tape, meetings: list[Meeting]) -> tuple[Values, Values]:
    """All of them, in a row."""
    output = np.concatenate([tape.value[one.output].ravel() for one in meetings])
    return output, np.concatenate([np.asarray(one.target, float).ravel() for one in meetings])


def _usual_seeds(tape: Tape, meetings: list[Meeting]) -> list[tuple[str, Values]]:
    """By loss, its derivative by the outputs, but for a common factor."""
    output, target = _outputs_and_targets(tape, meetings)
    seeds = [("squared error", output - target)]
    if tape.meetings and not (tape.may_lack_slope and has_layers(tape)):
        return seeds
    if ((output >= 0) & (output <= 1)).all() and (output[target > 0] > 0).all():
        if _are_shares(tape, meetings):
            seeds.append(("cross-entropy of softmax", -target / np.where(output > 0, output, 1.0)))
        if ((output > 0) & (output < 1)).all():
            seeds.append(("binary cross-entropy", (output - target) / (output * (1 - output))))
    times = np.concatenate([np.full(one.output.size, one.times) for one in meetings])
    return [(name, seed * times) for name, seed in seeds]


def has_layers(tape: Tape) -> bool:
    """Whether there are several matrices of weights, as a whole network has."""
    starts = [op for op in tape.operations if op.is_leaf and op.leaves and len(op.shape) == 2]
    return sum(min(op.shape) > 1 for op in starts) > 1


def _are_shares(tape: Tape, meetings: list[Meeting]) -> bool:
    """Whether the outputs of each sample add up to one."""
    arrays = [tape.value[one.output] for one in meetings]
    if all(one.size == 1 for one in arrays):
        return len(arrays) > 1 and abs(sum(float(one.flat[0]) for one in arrays) - 1) < 1e-6

    def add_up(axis: int) -> bool:
        sizes = [one.shape[axis] if one.ndim > max(axis, 0) else 0 for one in arrays]
        return min(sizes) > 1 and all(np.allclose(one.sum(axis), 1, atol=1e-5) for one in arrays)

    return any(add_up(axis) for axis in (0, 1, -1))


def _own_losses(tape: Tape, step: RecordedStep, meetings: list[Meeting]) -> list[tuple[Operation, bool]]:
    """Single numbers that feed no change and end their computation, and whether they depend on no output.

    What was taken for the output may be something else: then one that depends on every parameter is left.
    """
    sources, theta = step.sources, step.parameters
    computed = [index for index in sources if index > step.floor and not tape.operations[index].is_leaf]
    if not computed or tape.meetings:  # of a layer that was sent a derivative, the loss is known
        return []
    need = 0
    for one in meetings:
        need |= one.leaves
    end = max((op.index for change in step.changes for op in change.updates), default=len(tape.operations))
    alone = [
        op
        for op in tape.operations[min(computed) :]
        if op.size == 1
        and op.index not in sources
        and not op.is_leaf
        and op.old is None
        and tape.leaves(op.ids) & theta
        and (tape.leaves(op.ids) & need) == need
        and tape.root[op.start] < 0
    ]
    read_early = {one for op in alone if op.index <= end for one in op.before}
    alone = [op for op in alone if op.index not in read_early]
    gradients = _gradients(tape, step, meetings)
    if gradients:  # of which a number may be the norm
        alone = [op for op in alone if gradients.isdisjoint(tape.ancestors(op.ids))]
    if not meetings:
        return [(op, False) for op in alone[:4]]
    reached = _made_of_outputs(tape, meetings)
    aside = [op for op in alone if not reached[op.start] and op.index <= end]
    aside = [op for op in aside if tape.leaves(op.ids) & theta == theta]
    return [*((op, False) for op in alone if reached[op.start]), *((op, True) for op in aside[:4])][:6]


def _gradients(tape: Tape, step: RecordedStep, meetings: list[Meeting]) -> set[int]:
    """What is computed of errors on the way to a change, in the shape of the weights that are changed."""
    shapes = {change.shape for change in step.changes if len(change.shape) == 2}
    shapes -= {one.output.shape for one in meetings}
    first = min((one.op.index for one in meetings), default=len(tape.operations))
    return {one for one in step.sources if one > first and tape.operations[one].shape in shapes}


def _made_of_outputs(tape: Tape, meetings: list[Meeting]) -> NDArray[np.bool_]:
    """By id, whether it was computed from the outputs, or from their scores, as ``logsumexp`` is."""
    reached, made = np.zeros(tape.size, bool), set[int]()
    for one in meetings:
        reached[one.output] = True
        made.update(tape.producers(one.output))
        for index in tape.producers(one.output):
            for each in tape.operations[index].before:
                before = tape.operations[each]
                reached[before.start : before.stop] |= not before.is_leaf
                made.add(each)
    for op in tape.operations:
        if made.isdisjoint(op.before) or is_start(tape, op):
            continue
        if any(reached[ids].any() for ids in op.read):
            reached[op.start : op.stop] = True
            made.add(op.index)
    return reached


def _kind_of(tape: Tape, meetings: list[Meeting], adjoint: Values) -> str:
    """The usual name of a loss, read from its derivative by the outputs."""
    if not meetings:
        return "its own loss"
    got = adjoint[np.concatenate([one.output.ravel() for one in meetings])]
    for name, seed in _usual_seeds(tape, meetings):
        size = float(seed @ seed)
        factor = float(seed @ got) / size if size else 0.0
        if factor and np.linalg.norm(got - factor * seed) <= 1e-6 * np.linalg.norm(got):
            return name
    return "its own loss"

"""A break in a backward pass in words: what is missing, what is too much, what was taken for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.location import Array, BackwardPass, Break
from deltarule.diagnosis.reading.comparison import fit, proportion
from deltarule.diagnosis.recording.tape import Frame, Operation, Values


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


#: (formula, function, whether it is the slope of an activation given its argument or its value)
_FORMS: list[tuple[str, Callable[[Any], Any], bool]] = [
    ("{0}·(1 − {0})", lambda a: a * (1 - a), True),
    ("(1 − {0}²)", lambda a: 1 - a * a, True),
    ("σ′({0})", lambda z: _sigmoid(z) * (1 - _sigmoid(z)), True),
    ("tanh′({0})", lambda z: 1 - np.tanh(z) ** 2, True),
    ("({0} > 0)", lambda z: (z > 0) * 1.0, True),
    ("({0} ≥ 0)", lambda z: (z >= 0) * 1.0, True),
    ("1/{0}", lambda a: 1 / a, False),
    ("{0}", lambda a: a, False),
    ("(1 − {0})", lambda a: 1 - a, False),
    ("(1 + {0})", lambda a: 1 + a, False),
    ("{0}·(1 + {0})", lambda a: a * (1 + a), False),
    ("(1 + {0}²)", lambda a: 1 + a * a, False),
    ("{0}²", lambda a: a * a, False),
    ("{0}·(1 − {0}²)", lambda a: a * (1 - a * a), False),
    ("{0}²·(1 − {0})", lambda a: a * a * (1 - a), False),
    ("σ({0})", _sigmoid, False),
    ("tanh({0})", np.tanh, False),
    ("(1 − tanh({0}))", lambda z: 1 - np.tanh(z), False),
    ("(1 − σ({0}))", lambda z: 1 - _sigmoid(z), False),
]


@dataclass(eq=False)
class FaultWords:
    """The operation to look at, what is wrong, and another that has to do with it."""

    op: Operation
    text: str
    also: Operation | None = None
    #: The call to tell the line of, where it is not the innermost.
    frame: Frame | None = None


def words_for(passing: BackwardPass, broken: Break) -> FaultWords:
    """Say what is wrong at a break."""
    for say in (_after_its_change, _missing_paths, _wrong_slope, _other_array, _missing_slope, _wrong_sum):
        words = say(passing, broken)
        if words is not None:
            return words
    known = broken.known
    where = f"the derivative by {_label(passing, known.by)}" if known else "the error"
    return FaultWords(broken.end.op, f"what is made of {where} here is no derivative of the loss")


def _label(passing: BackwardPass, array: Array | None) -> str:
    if array is None:
        return "the output"
    return passing.source.name_of(array.op) or passing.source.text_of(array.op) or "an array"


def _after_its_change(passing: BackwardPass, broken: Break) -> FaultWords | None:
    tape, source = passing.tape, passing.source
    newest = max((int(tape.producer[one]) for one in passing.outputs[:1]), default=0)
    for op in (broken.first.op, broken.end.op):
        for ids in op.inputs:
            for one in tape.producers(ids) if ids is not None else ():
                made = tape.operations[one]
                if made.old is not None and made.index > newest:
                    name = source.target_of(made)
                    line = source.line(made)
                    text = f"{name} was already changed on line {line}; its value before belongs here"
                    return FaultWords(op, text, made)
    return None


def _operand_of(broken: Break, passing: BackwardPass) -> int | None:
    """Which operand of the first wrong operation is the last right derivative."""
    if broken.last is None:
        return None
    for which, ids in enumerate(broken.first.op.inputs):
        if ids is not None and np.isin(ids.ravel()[:50], broken.last.ids).any():
            return which
    return None


def _again(passing: BackwardPass, broken: Break, which: int, values: Values) -> Values | None:
    """The result of the first wrong operation with another operand."""
    first = broken.first
    operands = [first.operand(passing.tape, k) for k in range(len(first.op.inputs))]
    if operands[which].size != values.size:
        return None
    operands[which] = values.reshape(operands[which].shape)
    name = first.op.name
    with np.errstate(all="ignore"):
        try:
            if name == "multiply":
                return operands[0] * operands[1]
            if name == "divide":
                return operands[0] / operands[1]
            if name == "dot":
                return np.dot(operands[0], operands[1])
            if name in ("sum", "mean"):
                return operands[0].sum(first.op.detail[0])
        except ValueError:
            return None
    return None


def _missing_paths(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """What goes on is the share of one way only, where ways meet."""
    last, which = broken.last, _operand_of(broken, passing)
    for known in broken.shares if last is not None and which is not None else ():
        whole = passing.adjoint[known.by.ids]
        assert last is not None
        assert which is not None
        result = _again(passing, broken, which, whole)
        if result is None or proportion(passing.tape.value[last.ids], whole):
            continue
        if passing.recognise(result) is not None:
            by = _label(passing, known.by)
            text = f"this is the derivative by {by} along one way only: the other ways are missing"
            return FaultWords(last.op, text, broken.first.op)
    return None


def _arrays(passing: BackwardPass, size: int) -> Iterator[tuple[str, Values]]:
    """Forward arrays of a size with their names, the nearest to the input first; then data."""
    for one in sorted(passing.forward, key=lambda one: (not passing.source.name_of(one.op), one.op.index)):
        if one.ids.size == size:
            yield _label(passing, one), passing.tape.value[one.ids]
    for index in sorted(passing.forward_indices):
        op = passing.tape.operations[index]
        if op.size == size and size > 1 and (op.is_leaf or op.old is not None or op.initial):
            yield _label(passing, Array(op.ids, op)), passing.tape.result(op)


def _reading(passing: BackwardPass, factor: Values | None) -> tuple[str, bool] | None:
    """A formula for a factor, and whether it is a slope."""
    if factor is None or factor.size < 2 or not np.isfinite(factor).all():
        return None
    if np.ptp(factor) <= 1e-9 * np.abs(factor).max():
        return None
    arrays = list(_arrays(passing, factor.size))
    for formula, function, is_slope in _FORMS:
        for name, values in arrays:
            with np.errstate(all="ignore"):
                guess = function(values)
            for one in (guess, guess.T):
                scale, misfit = fit(factor, one)
                if scale and misfit < 1e-7:
                    times = "" if abs(abs(scale) - 1) < 1e-9 else f"{scale:.4g}·"
                    return times + formula.format(name), is_slope
    return None


def _ratio(above: Values, below: Values) -> Values | None:
    if above.size != below.size:
        return None
    with np.errstate(all="ignore"):
        return np.nan_to_num(above.ravel() / below.ravel())


def _needed(passing: BackwardPass, broken: Break) -> Values | None:
    """The factor that leads from the last right derivative to the next."""
    if broken.last is None or broken.below is None:
        return None
    wanted, values = passing.adjoint[broken.below.ids], passing.tape.value[broken.last.ids]
    if proportion(values, wanted):
        return None
    found = _ratio(wanted, values)
    return None if found is None or np.allclose(found, found.flat[0]) else found


def _wrong_slope(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """A factor stands where another belongs."""
    first, end, last = broken.first, broken.end, broken.last
    if first.op.name not in ("multiply", "divide") or last is None or end.ids.size != last.ids.size:
        return None
    got, need = _ratio(passing.tape.value[end.ids], passing.tape.value[last.ids]), _needed(passing, broken)
    if got is None or np.ptp(got) <= 1e-9 * np.abs(got).max():
        return None
    if end is first and first.op.name == "divide" and need is not None and np.ptp(got * need) < 1e-9:
        return FaultWords(first.op, "it must be multiplied with this factor, not divided by it", end.op)
    reading, wanted = _reading(passing, got), _reading(passing, need)
    if reading is None or not reading[1]:
        made = _factor_made_at(passing, broken)
        if made is not None:
            text = f"the factor is {reading[0]}" if reading else "this is not the factor that belongs"
            text += f" on line {passing.source.line(end.op)}"
            return FaultWords(
                made[0], text + (f"; it should be {wanted[0]}" if wanted else ""), end.op, made[1]
            )
    op = end.op
    text = f"the factor is {reading[0]}" if reading else "this is not the factor that belongs here"
    if wanted:
        text += f"; it should be {wanted[0]}"
    elif need is None:
        text += "; none belongs here"
    return FaultWords(op, text, end.op)


def _factor_made_at(passing: BackwardPass, broken: Break) -> tuple[Operation, Frame | None] | None:
    """Where the factor is computed, if that is not where it is used.

    A function of its own, if it is wrong; its call, if the function is right elsewhere.
    """
    source, tape = passing.source, passing.tape
    right = {(frame[0], frame[2]) for k in passing.forward_indices for frame in tape.operations[k].place}
    right |= {
        (frame[0], frame[2])
        for op in tape.operations
        for frame in op.place[:1]
        if _helps_elsewhere(passing, op, broken)
    }
    for op in (broken.end.op, broken.first.op):
        here = source.frame(op)
        for ids in op.inputs:
            for one in tape.producers(ids) if ids is not None else ():
                made = tape.operations[one]
                inside = source.frame(made)
                if (
                    inside is None
                    or here is None
                    or (inside[0] is here[0] and broken.first is not broken.end)
                    or made.is_leaf
                    or one in passing.descended | passing.forward_indices
                ):
                    continue
                if (inside[0], inside[2]) not in right:
                    return made, inside
                outer = next((frame for frame in made.place if frame[0] is here[0]), None)
                if outer is not None and outer[2] != here[2] and outer[2] > 0:
                    return made, outer
    return None


def _helps_elsewhere(passing: BackwardPass, op: Operation, broken: Break) -> bool:
    """Whether a factor is computed here that leads to a right derivative."""
    if op.is_leaf or op.index in passing.descended or len(op.place) < 2 or op.index not in passing.sources:
        return False
    made = {op.index}
    for later in passing.arrays:
        if passing.known[id(later)] and later is not broken.end and passing.reads(later.op, made):
            return True
    return False


def _other_array(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """With another array the operation would give a derivative."""
    which = _operand_of(broken, passing)
    first = broken.first
    if which is None or len(first.op.inputs) != 2 or first.op.name not in ("dot", "multiply"):
        return None
    now = first.operand(passing.tape, 1 - which)
    for name, values in _arrays(passing, now.size):
        turned = [(values, name)] if values.ndim < 2 else [(values, name), (values.T, f"{name}ᵀ")]
        for one, how in turned:
            if one.shape != now.shape and 1 not in (*one.shape, 0):
                continue
            if np.array_equal(one.ravel(), now.ravel()):
                continue
            result = _again(passing, broken, 1 - which, one)
            if result is not None and passing.recognise(result) is not None:
                return FaultWords(first.op, f"{how} belongs here in place of what is multiplied")
    return None


def _missing_slope(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """A slope is missing between the last right derivative and what is made of it."""
    need, last, first = _needed(passing, broken), broken.last, broken.first
    which = _operand_of(broken, passing)
    if need is None or last is None or which is None:
        return None
    wanted = _reading(passing, need)
    repaired = _again(passing, broken, which, (passing.tape.value[last.ids].ravel() * need))
    if wanted is None and (repaired is None or passing.recognise(repaired) is None):
        return None
    formula = wanted[0] if wanted else "slope of the activation"
    lines = sorted((passing.source.line(last.op), passing.source.line(first.op)))
    text = f"the factor {formula} is missing between line {lines[0]} and line {lines[1]}"
    if last.op.index in passing.errors or _is_well_used(passing, broken):
        return FaultWords(first.op, text, last.op)
    return FaultWords(last.op, text, first.op)


def _is_well_used(passing: BackwardPass, broken: Break) -> bool:
    """Whether the last right derivative gets its factor elsewhere, so that it is itself complete."""
    assert broken.last is not None
    made = {op.index for op in broken.last.ops}
    first = broken.first.op
    return any(
        op.name in ("multiply", "divide", "where")
        and op.index != first.index
        and op.size == broken.last.op.size
        and passing.reads(op, made)
        and passing.recognise(passing.tape.result(op)) is not None
        and not proportion(passing.tape.result(op), passing.tape.result(broken.last.op))
        for op in passing.tape.operations[broken.last.op.index : first.index + 60]
        if not op.is_leaf
    )


def _wrong_sum(passing: BackwardPass, broken: Break) -> FaultWords | None:
    op = broken.first.op
    if op.name not in ("sum", "mean"):
        return None
    axis = op.detail[0]
    if axis is None and broken.row.gradient.size > 1:
        return FaultWords(
            op, "all is summed to one number; each neuron's bias needs its own sum over the samples"
        )
    return FaultWords(op, f"it is summed along axis {axis}, which is not that of the samples")


def name_of_factor(ratio: float, samples: int, outputs: int) -> str:
    """A constant ratio in words."""
    known = {
        -1.0: "the sign is turned",
        2.0: "a factor 2 too much",
        0.5: "a factor 2 too little",
        float(samples): f"the number of samples ({samples}) too much: it is summed, not averaged",
        1 / samples: f"divided by the number of samples ({samples}) once too often",
        float(outputs): f"the number of outputs ({outputs}) too much",
        1 / outputs: f"divided by the number of outputs ({outputs})",
    }
    for value, words in known.items():
        if value != 1 and abs(ratio - value) <= 1e-4 * abs(value):
            return words
    return f"a factor {ratio:.4g} against the other parameters"

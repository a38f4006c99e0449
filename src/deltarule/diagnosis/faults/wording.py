"""A break in a backward pass in words: what is missing, what is too much, what was taken for what."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deltarule.diagnosis.faults.corrections import (
    again_of_all,
    along_the_samples,
    in_place_of,
    operand_of,
    with_other_slope,
    with_slope,
)
from deltarule.diagnosis.faults.formulas import arrays_of, derivative_of, formula_of, is_even, label_of
from deltarule.diagnosis.faults.location import Array, BackwardPass, Break
from deltarule.diagnosis.faults.names import alias_line, name_at, renaming_line
from deltarule.diagnosis.reading.comparison import fit, proportion
from deltarule.diagnosis.recording.tape import Frame, Operation, Values


@dataclass(eq=False)
class FaultWords:
    """The operation to look at, what is wrong, and another that has to do with it."""

    op: Operation
    text: str
    also: Operation | None = None
    #: The call to tell the line of, where it is not the innermost.
    frame: Frame | None = None
    #: The statement as it should be, where the recorded numbers verify it.
    should_be: str = ""
    mistake: str = ""
    #: The line to tell where nothing is computed on it.
    line: int = 0
    #: Whether nothing says what should stand there.
    is_vague: bool = False


def words_for(passing: BackwardPass, broken: Break) -> FaultWords:
    """Say what is wrong at a break."""
    for say in (_after_its_change, _missing_paths, _wrong_slope, _other_array, _missing_slope, _wrong_sum):
        words = say(passing, broken)
        if words is not None:
            return words
    where = derivative_of(passing, broken.last)
    text = f"what is computed from {where} here is not a derivative of the loss"
    return FaultWords(broken.end.op, text, is_vague=True)


def _after_its_change(passing: BackwardPass, broken: Break) -> FaultWords | None:
    tape, source = passing.tape, passing.source
    newest = max((int(tape.producer[one]) for one in passing.outputs[:1]), default=0)
    for op in (broken.first.op, broken.end.op):
        for one in op.before:
            made = tape.operations[one]
            if made.old is not None and made.index > newest:
                text = f"{source.target_of(made)} was already changed on line {source.line(made)}, but the "
                text += "derivative needs its old value: make all updates after the whole backward pass"
                return FaultWords(op, text, made, mistake="updated_too_early")
    return None


def _missing_paths(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """What goes on is the share of one way only, where ways meet."""
    last, which = broken.last, operand_of(broken)
    if last is None or which is None:
        return None
    for known in broken.shares:
        whole = passing.adjoint[known.by.ids]
        result = again_of_all(passing, broken.first, which, whole)
        if result is None or proportion(passing.tape.value[last.ids], whole):
            continue
        if passing.recognise(result) is not None:
            by = label_of(passing, known.by)
            some = "some of its paths" if known.is_whole else "one path"
            text = (
                f"this is the derivative with respect to {by} along {some} only: the other paths are "
                f"missing. {by} affects the loss in more than one place, and the contributions must be "
                "added up"
            )
            return FaultWords(last.op, text, broken.first.op)
    return None


def _ratio(above: Values, below: Values) -> Values | None:
    if above.size != below.size:
        return None
    with np.errstate(all="ignore"):
        return np.nan_to_num(above.ravel() / below.ravel())


def _scale(passing: BackwardPass, broken: Break) -> float:
    """How many times the derivative the last right values are; 0 where that is not known."""
    if broken.last is None or broken.known is None:
        return 0.0
    found, values = passing.tape.value[broken.last.ids], broken.known.values
    return proportion(found.ravel(), values) or fit(found, values.T if values.ndim == 2 else values)[0]


def _needed(passing: BackwardPass, broken: Break) -> Values | None:
    """The factor that leads from the last right derivative to the next."""
    if broken.last is None or broken.below is None:
        return None
    wanted, values = passing.adjoint[broken.below.ids], passing.tape.value[broken.last.ids]
    if proportion(values, wanted):
        return None
    found = _ratio(wanted * (_scale(passing, broken) or 1.0), values)
    return None if found is None or np.allclose(found, found.flat[0]) else found


def _wrong_slope(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """A factor stands where another belongs."""
    first, end, last = broken.first, broken.end, broken.last
    if first.op.name not in ("multiply", "divide") or last is None or end.ids.size != last.ids.size:
        return None
    got, need = _ratio(passing.tape.value[end.ids], passing.tape.value[last.ids]), _needed(passing, broken)
    if got is None or is_even(got):
        return None
    if end is first and first.op.name == "divide" and need is not None and np.ptp(got * need) < 1e-9:
        return FaultWords(first.op, "multiply by this factor instead of dividing by it", end.op)
    reading, wanted = formula_of(passing, got, end.op), formula_of(passing, need, end.op)
    is_wanted = reading and wanted and reading.form == wanted.form
    is_slope = bool(reading and (reading.is_slope or is_wanted))
    at, frame = _factor_made_at(passing, broken, is_slope) or (end.op, None)
    if frame is not None and frame == passing.source.frame(at):
        wanted = formula_of(passing, need, at)
    text = f"the factor is {reading.text}" if reading else "this is not the factor that belongs here"
    text += f" on line {passing.source.line(end.op)}" if frame is not None else ""
    if wanted:
        text += f"; it should be {wanted.text}"
    elif need is None:
        text += "; there should be none"
    elif _is_mask(_ratio(need, got)):
        return FaultWords(at, f"{text}; the dropout mask of the forward pass is missing", last.op, frame)
    should_be = with_other_slope(passing, broken, wanted, at, frame) if wanted and wanted.code else ""
    which = operand_of(broken)
    line = alias_line(passing.source, first.op, 1 - which) if which in (0, 1) and frame is None else 0
    return FaultWords(at, text, end.op, frame, "" if line else should_be, line=line)


def _is_mask(rest: Values | None) -> bool:
    """Whether a factor is that of a dropout: one number, and 0 where a neuron was dropped."""
    kept = rest[rest != 0] if rest is not None else np.empty(0)
    return rest is not None and 0 < kept.size < rest.size and np.allclose(kept, kept[0])


def _factor_made_at(
    passing: BackwardPass, broken: Break, is_slope: bool
) -> tuple[Operation, Frame | None] | None:
    """Where the factor is computed, if that is not where it is used.

    A function of its own, if it is wrong; its call, if the function is right elsewhere, or is a slope's.
    """
    source, tape = passing.source, passing.tape
    right = {(frame[0], frame[2]) for k in passing.forward_indices for frame in tape.operations[k].place}
    helping = [op for op in tape.operations if _helps_elsewhere(passing, op, broken)]
    right |= {(frame[0], frame[2]) for op in helping for frame in op.place[:1]}
    known = passing.descended | passing.forward_indices
    for op in (broken.end.op, broken.first.op):
        here = source.frame(op)
        for one in op.before:
            made = tape.operations[one]
            inside = source.frame(made)
            if inside is None or here is None or made.is_leaf or one in known:
                continue
            if inside[0] is here[0] and (inside[2] == here[2] or broken.first is not broken.end):
                continue
            if (inside[0], inside[2]) not in right and not is_slope:
                return made, inside
            outer = next((frame for frame in made.place if frame[0] is here[0]), None)
            if outer is not None and outer[2] != here[2] and outer[2] > 0:
                return made, outer
    return None


def _helps_elsewhere(passing: BackwardPass, op: Operation, broken: Break) -> bool:
    """Whether a factor is computed here that leads to a right derivative."""
    if op.is_leaf or op.index in passing.descended or len(op.place) < 2 or op.index not in passing.sources:
        return False
    right = (one for one in passing.arrays if passing.known[id(one)] and one is not broken.end)
    return any(op.index in later.op.before for later in right)


def _other_array(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """With another array the operation would give a derivative."""
    which = operand_of(broken)
    first = broken.first
    if which is None or len(first.op.inputs) != 2 or first.op.name not in ("dot", "multiply"):
        return None
    now = first.operand(passing.tape, 1 - which)
    for array in arrays_of(passing, now.size):
        values = passing.tape.value[array.ids]
        for one, turn in [(values, ""), (values.T, ".T")][: max(1, values.ndim)]:
            is_other = one.shape == now.shape or 1 in one.shape
            if not is_other or np.array_equal(one.ravel(), now.ravel()):
                continue
            result = again_of_all(passing, first, 1 - which, one)
            if result is not None and passing.recognise(result) is not None:
                return _in_place(passing, broken, 1 - which, array, turn)
    return None


def _in_place(passing: BackwardPass, broken: Break, which: int, array: Array, turn: str) -> FaultWords:
    op = broken.first.op
    named = name_at(passing.tape, passing.source, op, array.ids if len(array.ops) < 2 else array.ids[:1])
    now, should_be = in_place_of(passing, broken, which, named, turn)
    wanted = ((named.text if named else label_of(passing, array)) + turn).replace(".T.T", "")
    text, line = f"use {wanted} here instead of {now}", passing.source.line(array.op)
    if wanted == now:
        text = f"use the {wanted} of a different iteration of the loop (line {line}) here"
    return FaultWords(op, text, should_be=should_be)


def _missing_slope(passing: BackwardPass, broken: Break) -> FaultWords | None:
    """A slope is missing between the last right derivative and what is made of it."""
    need, first = _needed(passing, broken), broken.first
    which, last = operand_of(broken), passing.before_statement(broken)
    if need is None or last is None or which is None:
        return None
    source, broken = passing.source, replace(broken, last=last)
    renamed = renaming_line(source, last.op, first.op)
    later = (last.op.index in passing.errors and not renamed) or _is_well_used(passing, broken)
    at = first.op if later else last.op
    wanted = formula_of(passing, need, at)
    if wanted is None and first.op.name in ("sum", "mean", "max", "min"):
        return None
    if wanted is None:
        repaired = again_of_all(passing, first, which, passing.tape.value[last.ids].ravel() * need)
        if repaired is None or passing.recognise(repaired) is None:
            return None
    formula = f"factor {wanted.text}" if wanted else "slope of the activation"
    lines = sorted({source.line(last.op), source.line(first.op)})
    where = f"between line {lines[0]} and line {lines[1]}" if len(lines) > 1 else "here"
    zero = _zeroing(passing, first, which, need) if wanted and ">" in wanted.form[0] else None
    if wanted and zero is not None:
        text = f"this sets the wrong entries to 0: the derivative must be 0 where {wanted.text} is false"
        return FaultWords(zero, text, first.op)
    should_be = with_slope(passing, broken, wanted, which, later) if wanted and wanted.code else ""
    text, also = f"the {formula} is missing {where}", last.op if later else first.op
    return FaultWords(at, text, also, should_be=should_be)


def _zeroing(passing: BackwardPass, first: Array, which: int, need: Values) -> Operation | None:
    """The zero that was written over entries which a factor keeps."""
    tape, ids = passing.tape, first.op.inputs[which]
    if ids is None or ids.size != need.size:
        return None
    for one in tape.producers(ids):
        op = tape.operations[one]
        if op.is_leaf and not tape.result(op).any() and passing.source.line(op):
            return op if need.ravel()[np.isin(ids, op.ids).ravel()].any() else None
    return None


def _is_well_used(passing: BackwardPass, broken: Break) -> bool:
    """Whether the last right derivative gets its factor elsewhere, so that it is itself complete."""
    assert broken.last is not None
    made, last, first = {op.index for op in broken.last.ops}, broken.last.op, broken.first.op
    near = passing.tape.operations[last.index : first.index + 60]
    used = (op for op in near if op.name in ("multiply", "divide", "where") and passing.reads(op, made))
    results = (passing.tape.result(op) for op in used if op.index != first.index and op.size == last.size)
    whole = passing.tape.result(last)
    return any(passing.recognise(one) is not None and not proportion(one, whole) for one in results)


def _wrong_sum(passing: BackwardPass, broken: Break) -> FaultWords | None:
    op = broken.first.op
    if op.name not in ("sum", "mean") or op.size not in (1, broken.row.gradient.size):
        return None
    axis, should_be = op.detail[0], along_the_samples(passing, broken)
    text = f"the sum runs along axis {axis}, which is not the axis of the samples"
    if axis is None:
        text = "this sum is not the derivative that is needed here"
    if axis is None and broken.row.gradient.size > 1:
        text = (
            "everything is summed to one number; the bias of each neuron needs its own sum over the samples"
        )
    return FaultWords(op, text, should_be=should_be)


def name_of_factor(ratio: float, samples: int, outputs: int) -> str:
    """A constant ratio in words."""
    known = {
        0.0: "it is multiplied by 0 here, so it never changes",
        -1.0: "the sign is wrong",
        2.0: "it is twice as large as it should be",
        0.5: "it is half as large as it should be",
        samples: f"it is {samples} times too large: it is summed over the {samples} samples instead of "
        "averaged",
        1 / samples: f"it is divided by the number of samples ({samples}) once too often",
        outputs: f"it is {outputs} times too large, the number of outputs",
        1 / outputs: f"it is divided by the number of outputs ({outputs}), but should not be",
    }
    for value, words in known.items():
        if value != 1 and abs(ratio - value) <= 1e-4 * abs(value):
            return words
    return f"it is {ratio:.4g} times as large as it should be, compared with the other parameters"

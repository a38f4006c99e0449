"""A break in a backward pass in words: what is missing, what is too much, what was taken for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from deltarule.diagnosis.observation.comparison import fit, proportion
from deltarule.diagnosis.observation.location import Array, Break
from deltarule.diagnosis.observation.source import Source
from deltarule.diagnosis.observation.tape import Operation, Tape, Values

__all__ = ["Words", "name_of_factor", "words_for"]


def _sigmoid(z: Values) -> Values:
    return 1 / (1 + np.exp(-z))


#: (formula, function, whether it is the slope of an activation given its argument or its value)
_FORMS: list[tuple[str, Callable[[Values], Values], bool]] = [
    ("{0}·(1 − {0})", lambda a: a * (1 - a), True),
    ("1 − {0}²", lambda a: 1 - a * a, True),
    ("σ′({0})", lambda z: _sigmoid(z) * (1 - _sigmoid(z)), True),
    ("tanh′({0})", lambda z: 1 - np.tanh(z) ** 2, True),
    ("({0} > 0)", lambda z: (z > 0) * 1.0, True),
    ("({0} ≥ 0)", lambda z: (z >= 0) * 1.0, True),
    ("1/{0}", lambda a: 1 / a, False),
    ("{0}", lambda a: a, False),
    ("1 − {0}", lambda a: 1 - a, False),
    ("1 + {0}", lambda a: 1 + a, False),
    ("{0}·(1 + {0})", lambda a: a * (1 + a), False),
    ("1 + {0}²", lambda a: 1 + a * a, False),
    ("{0}²", lambda a: a * a, False),
    ("σ({0})", _sigmoid, False),
    ("tanh({0})", np.tanh, False),
    ("1 − tanh({0})", lambda z: 1 - np.tanh(z), False),
    ("1 − σ({0})", lambda z: 1 - _sigmoid(z), False),
]


class Words:
    """Where the mistake is and what it is."""

    def __init__(self, op: Operation, text: str, also: Operation | None = None) -> None:
        self.op, self.text, self.also = op, text, also


def words_for(tape: Tape, source: Source, broken: Break) -> Words:
    """Say what is wrong at a break."""
    for say in (_after_its_change, _wrong_slope, _other_array, _missing_slope, _wrong_sum):
        words = say(tape, source, broken)
        if words is not None:
            return words
    where = f"the derivative by {_label(source, broken.by)}" if broken.by else "the error"
    return Words(broken.end, f"what is made of {where} here is no derivative of the loss")


def _label(source: Source, array: Array | None) -> str:
    if array is None:
        return "the output"
    return source.name_of(array.op) or source.text_of(array.op) or "an array"


def _after_its_change(tape: Tape, source: Source, broken: Break) -> Words | None:
    since = broken.last.op.index if broken.last else 0
    for op in (broken.first, broken.end):
        for ids in op.inputs:
            for one in tape.producers(ids) if ids is not None else ():
                made = tape.operations[one]
                if made.old is not None and made.index > since - 400 and _changed_in_this_pass(tape, made, broken):
                    name = source.target_of(made)
                    return Words(
                        op,
                        f"{name} was already changed on line {source.line(made)}; the derivative needs its value "
                        "before",
                        made,
                    )
    return None


def _changed_in_this_pass(tape: Tape, update: Operation, broken: Break) -> bool:
    return bool(broken.errors.size) and update.index > int(tape.producer[broken.errors].max())


def _arrays(tape: Tape, source: Source, broken: Break, size: int) -> Iterator[tuple[str, Values, Operation]]:
    """Forward arrays of a size with their names, the nearest first."""
    forward = tape.ancestors(broken.errors)
    named: set[bytes] = set()
    for one in sorted(broken.forward, key=lambda one: one.op.index):
        if one.ids.size == size and (name := source.name_of(one.op)):
            named.add(one.ids.tobytes())
            yield name, tape.value[one.ids], one.op
    for index in sorted(forward | broken.sources):
        op = tape.operations[index]
        if op.size == size and op.ids.tobytes() not in named:
            yield source.name_of(op) or source.text_of(op), tape.result(op), op


def _reading(
    tape: Tape, source: Source, broken: Break, factor: Values
) -> tuple[str, bool] | None:
    """A formula for a factor, and whether it is a slope."""
    if factor.size < 2 or not np.isfinite(factor).all():
        return None
    if np.ptp(factor) <= 1e-9 * np.abs(factor).max():
        return None
    arrays = list(_arrays(tape, source, broken, factor.size))
    for formula, function, is_slope in _FORMS:
        for name, values, _ in arrays:
            with np.errstate(all="ignore"):
                guess = function(values)
            for one in (guess, guess.T):
                scale, misfit = fit(factor, one)
                if scale and misfit < 1e-7:
                    times = "" if abs(scale - 1) < 1e-9 else f"{scale:.4g}·"
                    return times + formula.format(name), is_slope
    return None


def _ratio(above: Values, below: Values) -> Values | None:
    if above.size != below.size:
        return None
    with np.errstate(all="ignore"):
        return np.nan_to_num(above.ravel() / below.ravel())


def _needed(tape: Tape, broken: Break) -> Values | None:
    """The factor that leads from the last right derivative to the next."""
    if broken.last is None or broken.by is None or broken.wanted is None:
        return None
    values = tape.value[broken.last.ids]
    scale = proportion(values, broken.wanted)
    if scale:
        return None
    found = _ratio(broken.wanted, values)
    return None if found is None or np.allclose(found, found.flat[0]) else found


def _wrong_slope(tape: Tape, source: Source, broken: Break) -> Words | None:
    """A factor stands where another belongs."""
    first, end = broken.first, broken.end
    start = broken.last.ids if broken.last else None
    if first.name not in ("multiply", "divide") or start is None or end.size != start.size:
        return None
    got, need = _ratio(tape.result(end), tape.value[start]), _needed(tape, broken)
    if got is None:
        return None
    reading = _reading(tape, source, broken, got)
    wanted = _reading(tape, source, broken, need) if need is not None else None
    op = end
    if reading is None or not reading[1]:
        op = _definition(tape, source, broken) or end
    text = f"the factor is {reading[0]}" if reading else "this is not the factor that belongs here"
    if wanted:
        text += f"; it should be {wanted[0]}"
    elif need is None:
        text += "; none belongs here"
    return Words(op, text, end)


def _definition(tape: Tape, source: Source, broken: Break) -> Operation | None:
    """Where a factor is computed in a function of its own, the operation there."""
    for op in (broken.end, broken.first):
        for ids in op.inputs:
            for one in tape.producers(ids) if ids is not None else ():
                made = tape.operations[one]
                inside = source.frame(made)
                here = source.frame(op)
                if inside is None or here is None or made.is_leaf or made.index < broken.first.index - 40:
                    continue
                if inside[0] is not here[0] and made.index not in _forward_indices(tape, broken):
                    return made
    return None


def _forward_indices(tape: Tape, broken: Break) -> set[int]:
    return tape.ancestors(broken.errors)


def _other_array(tape: Tape, source: Source, broken: Break) -> Words | None:
    """A product with another array gives what is wanted."""
    op = broken.first
    if op.name != "dot" or len(op.inputs) != 2 or broken.last is None:
        return None
    mine = next((k for k, ids in enumerate(op.inputs) if ids is not None and _is_in(ids, broken.last)), None)
    if mine is None:
        return None
    error, other = tape.operand(op, mine), tape.operand(op, 1 - mine)
    targets = _wanted_arrays(broken)
    for name, values, made in _arrays(tape, source, broken, other.size):
        if values.ndim != 2 or other.ndim != 2:
            continue
        for one, how in ((values, name), (values.T, f"{name}ᵀ")):
            if one.shape != other.shape or np.array_equal(one, other):
                continue
            product = error @ one if mine == 0 else one @ error
            if any(proportion(product, wanted) for wanted in targets):
                return Words(op, f"{how} belongs here in place of the other array", made)
    return None


def _is_in(ids: Values, array: Array) -> bool:
    return bool(np.isin(ids.ravel()[:1], array.ids).any()) or bool(np.isin(array.ids.ravel()[:1], ids).any())


def _wanted_arrays(broken: Break) -> list[Values]:
    found = [] if broken.wanted is None else [broken.wanted]
    if len(broken.row.change.shape) == 2:
        found.append(broken.row.gradient.reshape(broken.row.change.shape))
    return found


def _missing_slope(tape: Tape, source: Source, broken: Break) -> Words | None:
    """A slope is missing between the last right derivative and what is made of it."""
    need = _needed(tape, broken)
    if need is None or broken.last is None:
        return None
    wanted = _reading(tape, source, broken, need)
    if wanted is None:
        return None
    at = broken.last.op if broken.last.ops else broken.first
    line = source.line(broken.first)
    return Words(at, f"the factor {wanted[0]} is missing between this and line {line}", broken.first)


def _wrong_sum(tape: Tape, source: Source, broken: Break) -> Words | None:
    op = broken.first
    if op.name not in ("sum", "mean"):
        return None
    axis = op.detail[0]
    if axis is None and broken.row.gradient.size > 1:
        return Words(op, "all is summed to one number; each neuron's bias needs its own sum over the samples")
    return Words(op, f"it is summed along axis {axis}, which is not that of the samples")


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

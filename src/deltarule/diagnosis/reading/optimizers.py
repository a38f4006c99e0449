"""Optimizers: what they make of the gradients that they were given, and where one leaves its own formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from deltarule.diagnosis.reading.comparison import FACTOR, RIGHT, GradientComparison, Rule, fit
from deltarule.diagnosis.reading.steps import Change
from deltarule.diagnosis.recording.operations import finite
from deltarule.diagnosis.recording.tape import Operation, Tape, Values


@dataclass(frozen=True)
class _Settings:
    """The decay of the mean and of the squares (1: their sum), corrected or not, and ε and its place."""

    mean: float
    squares: float
    is_corrected: bool
    epsilon: float
    is_inside: bool


#: From mean, mean of squares, gradient, settings and number of the step to the direction of the step.
_Formula = Callable[[Values, Values, Values, _Settings, int], Values]


def _root(v: Values, s: _Settings) -> Values:
    return np.sqrt(v + s.epsilon) if s.is_inside else np.sqrt(v) + s.epsilon


def _corrected(x: Values, decay: float, s: _Settings, t: int) -> Values:
    return x / (1 - decay**t) if s.is_corrected and 0 < decay < 1 and t else x


def _usual(m: Values, v: Values, g: Values, s: _Settings, t: int) -> Values:
    return _corrected(m, s.mean, s, t) / _root(_corrected(v, s.squares, s, t), s)


def _with_powers(m: Values, v: Values, g: Values, s: _Settings, t: int, mean: int, squares: int) -> Values:
    """Bias corrections with the powers t + these."""
    return _corrected(m, s.mean, s, t + mean) / _root(_corrected(v, s.squares, s, t + squares), s)


#: (formula, what is wrong, the name of the operation to look at, whether its factor must be constant)
_MISTAKES: list[tuple[_Formula, str, str, bool]] = [
    (
        lambda m, v, g, s, t: _corrected(m, s.mean, s, t) / (_corrected(v, s.squares, s, t) + s.epsilon),
        "the square root of the mean of squares is missing from the divisor",
        "divide",
        False,
    ),
    (
        lambda m, v, g, s, t: _corrected(m, s.mean, s, t) * _root(_corrected(v, s.squares, s, t), s),
        "divide by the root of the mean of squares instead of multiplying by it",
        "multiply",
        False,
    ),
    (
        lambda m, v, g, s, t: (
            (1 - s.mean) * _corrected(g, s.mean, s, t) / _root(_corrected(v, s.squares, s, t), s)
        ),
        "the mean of the gradients is not kept from update to update, but it is corrected as if it were",
        "kept mean",
        True,
    ),
    (
        lambda m, v, g, s, t: (
            _corrected(m, s.mean, s, t)
            / _root(_corrected((1 - s.squares) * g * g if s.squares < 1 else g * g, s.squares, s, t), s)
        ),
        "the squares of the gradients are not kept from update to update",
        "kept squares",
        True,
    ),
    *(
        (
            partial(_with_powers, mean=mean, squares=squares),
            "the bias correction has the wrong power: it must be the number of the update",
            where,
            True,
        )
        for mean, squares, where in ((1, 0, "mean"), (0, 1, "squares"), (1, 1, "mean"), (-1, -1, "mean"))
    ),
    (
        lambda m, v, g, s, t: (
            m / (1 - s.squares**t) / _root(v / (1 - s.mean**t), s)
            if 0 < s.mean < 1 and s.squares < 1
            else 0 * g
        ),
        "each of the two bias corrections uses the decay of the other",
        "mean",
        True,
    ),
]


def rule_of(
    tape: Tape,
    gradients: list[Operation],
    changes: list[Change],
    multiples: list[Operation],
    tolerance: float,
) -> Rule | None:
    """The rule by which these changes follow the gradients of the same steps; None for an unknown one.

    ``multiples`` are all multiples of the gradient on the way to the first change.
    """
    given = [tape.result(one).ravel() for one in gradients]
    steps = [change.step.ravel() for change in changes]
    numbers = _numbers(tape, changes[-1], gradients[-1])
    if _unused_squares(tape, multiples, changes):
        text = "the squares of the gradient are kept for this update but not used in it"
        return Rule("", text, changes[0].updates[0])
    if all(fit(step, g)[1] <= 10 * tolerance for step, g in zip(steps, given, strict=True)):
        return None
    for decay, looks_ahead in product(_decays(numbers), (False, True)):
        if rate := _momentum(given, steps, decay, looks_ahead, tolerance):
            return Rule("momentum", settings=(decay, looks_ahead), rate=rate)
    if all(fit(step, np.sign(g))[1] <= 10 * tolerance for step, g in zip(steps, given, strict=True)):
        return Rule("the sign of each entry")
    tolerance = max(tolerance, 1e-6)
    every = list(_settings(numbers))
    for one in every:
        if rate := _follows(_usual, one, given, steps, tolerance, is_constant=True):
            return Rule(_name(one), settings=one, rate=rate)
    if len(given) < 2:
        return None
    for formula, text, where, is_constant in _MISTAKES:
        for one in every:
            if _follows(formula, one, given, steps, tolerance, is_constant):
                return Rule(_name(one), text, _operation(tape, changes[-1], gradients[-1], where))
    if any(_follows(_usual, one, given, steps, tolerance, is_constant=False) for one in every):
        return Rule("an optimizer with a changing rate")
    return None


def follows(rule: Rule, given: list[Values], steps: list[Values], tolerance: float) -> bool:
    """Whether steps are those of a rule with its settings and its rate."""
    if rule.name == "momentum":
        decay, looks_ahead = rule.settings
        rate = _momentum(given, steps, decay, looks_ahead, tolerance)
    else:
        rate = _follows(_usual, rule.settings, given, steps, tolerance, is_constant=True)
    return bool(rate) and abs(rate / rule.rate - 1) < 1e-4


def _name(one: _Settings) -> str:
    if one.mean:
        return "Adam"
    return "AdaGrad" if one.squares == 1 else "RMSprop"


def first_off(
    tape: Tape, rule: Rule, given: list[Operation], change: Change, climbs: bool
) -> Operation | None:
    """The first operation behind the last of these gradients that makes none of the rule's arrays of them.

    ``climbs``: or minus one of them.
    """
    if rule.name == "momentum":
        return None
    one, gradients = rule.settings, [tape.result(op).ravel() for op in given]
    none = np.zeros_like(gradients[0])
    (before_m, before_v), (m, v) = [(none, none), *_means(one, gradients)][-2:]
    g, t = gradients[-1], len(given)
    second = _corrected(v, one.squares, one, t)
    known = [g, g * g, m, v, before_m, before_v, finite(_usual(m, v, g, one, t)), _root(second, one)]
    known += [np.sqrt(second), second + one.epsilon]
    known += [v + one.epsilon, np.sqrt(v) + one.epsilon, g - before_m, g * g - before_v]
    for op in _after(tape, change, given[-1]):
        value = tape.result(op).ravel()
        fits = [fit(value, each) for each in known]
        is_known = any(misfit <= 1e-5 and (factor > 0 or not climbs) for factor, misfit in fits)
        if op.old is None and value.any() and not is_known:
            return op
    return None


def correction(tape: Tape, change: Change, gradient: Operation) -> Operation:
    """Where the mean of the gradients is corrected, or made."""
    return _operation(tape, change, gradient, "mean")


def _follows(
    formula: _Formula,
    one: _Settings,
    given: list[Values],
    steps: list[Values],
    tolerance: float,
    is_constant: bool,
) -> float:
    """The first factor between the steps and those of a formula; 0 if they are not multiples of them."""
    means = zip(given, _means(one, given), strict=True)
    ways = (formula(m, v, g, one, t) for t, (g, (m, v)) in enumerate(means, 1))
    factors = _factors(ways, steps, tolerance)
    is_right = not is_constant or all(abs(one / factors[0] - 1) < 10 * tolerance for one in factors)
    return factors[0] if factors and is_right else 0.0


def _means(one: _Settings, given: list[Values]) -> Iterator[tuple[Values, Values]]:
    """Yield the mean of the gradients, and that of their squares (or their sum), after each of them."""
    m = v = np.zeros_like(given[0])
    for g in given:
        m = one.mean * m + (1 - one.mean) * g
        v = v + g * g if one.squares == 1 else one.squares * v + (1 - one.squares) * g * g
        yield m, v


def _factors(ways: Iterable[Values], steps: list[Values], tolerance: float) -> list[float]:
    """The factors between steps and the ways that they should go; nothing if one goes another."""
    factors: list[float] = []
    with np.errstate(all="ignore"):
        for way, step in zip(map(finite, ways), steps, strict=True):
            size = float(way @ way)
            factor = float(step @ way) / size if size else 0.0
            if not factor or np.linalg.norm(step - factor * way) > tolerance * float(np.linalg.norm(step)):
                return []
            factors.append(factor)
    return factors


def _numbers(tape: Tape, change: Change, gradient: Operation) -> list[float]:
    """The single numbers that come in after the gradient."""
    found: set[float] = set()
    for index in change.made:
        op = tape.operations[index]
        if index > gradient.index - 60 and not op.is_leaf:
            values = [tape.operand(op, k) for k in range(len(op.inputs))]
            found |= {float(value.flat[0]) for value in values if value.size == 1}
    return sorted(found)


def _decays(numbers: list[float]) -> list[float]:
    return sorted({round(x, 12) for one in numbers for x in (one, 1 - one) if 0.3 <= x < 1}, reverse=True)[:8]


def _settings(numbers: list[float]) -> Iterator[_Settings]:
    decays = _decays(numbers)
    epsilons = [0.0, *[one for one in numbers if 0 < one <= 0.01][:4]]
    for mean, squares, epsilon, inside in product([0.0, *decays], [1.0, *decays], epsilons, (False, True)):
        if epsilon or not inside:
            for corrected in (True, False) if squares < 1 else (False,):
                yield _Settings(mean, squares, corrected, epsilon, inside)


def _momentum(
    given: list[Values], steps: list[Values], decay: float, looks_ahead: bool, tolerance: float
) -> float:
    """The rate, if the steps are sums of the gradients so far, weighted by powers of a number; 0 if not."""
    v, ways = np.zeros_like(given[0]), []
    for g in given:
        v = decay * v + g
        ways.append(g + decay * v if looks_ahead else v)
    factors = _factors(ways, steps, 10 * tolerance)
    return factors[0] if len(factors) > 1 else 0.0


def _after(tape: Tape, change: Change, gradient: Operation) -> list[Operation]:
    """What is computed for a change from the gradient on, arrays of its size."""
    found, made = [], {gradient.index}
    for index in sorted(change.sources):
        op = tape.operations[index]
        is_alike = index > gradient.index and not op.is_leaf and op.size == gradient.size
        if is_alike and not made.isdisjoint(op.before):
            made.add(index)
            found.append(op)
    return found


def is_square(tape: Tape, op: Operation, multiples: set[int]) -> bool:
    """Whether an operation squares a gradient, or multiplies two multiples of it."""
    reads = [ids is not None and not multiples.isdisjoint(tape.producers(ids)) for ids in op.inputs]
    if op.name == "square":
        return any(reads)
    if op.name == "multiply":
        return all(reads)
    return op.name == "power" and reads[0] and float(tape.operand(op, 1).flat[0]) == 2.0


def _operation(tape: Tape, change: Change, gradient: Operation, where: str) -> Operation:
    """The last operation of a name; or where the mean of the gradients, or of their squares, is made."""
    after = _after(tape, change, gradient)
    if where.endswith(("mean", "squares")):
        squares = {op.index for op in after if is_square(tape, op, {gradient.index})}
        line = {gradient.index} if where.endswith("mean") else set(squares)
        found = []
        for op in after:
            if op.index not in squares and not line.isdisjoint(op.before):
                line.add(op.index)
                found.append(op)
                if op.name == "divide" and tape.operand(op, 1).size == 1 and not where.startswith("kept"):
                    return op  # the correction
        if where == "kept squares" and squares and found and found[0].name not in ("add", "multiply"):
            return tape.operations[max(squares)]
        return found[0] if found else change.updates[0]
    named = [op for op in after if op.name == where and tape.operand(op, 1).size > 1]
    return named[-1] if named else change.updates[0]


def _unused_squares(tape: Tape, same: list[Operation], changes: list[Change]) -> bool:
    """Whether squares of these multiples of the gradient are added up and lead to no step."""
    last, size = changes[0].updates[0].index, changes[0].old.size
    start = min((op.index for op in same), default=last)
    made = tape.operations[start:last]
    squares = {op.index for op in made if not op.is_leaf and is_square(tape, op, {one.index for one in same})}
    used = set().union(*(change.sources for change in changes))
    sums = [op for op in made if op.name == "add" and op.size == size and op.index not in used]
    return not squares & used and any(squares & tape.ancestors(op.ids, start) for op in sums)


def allow_limits(tape: Tape, comparison: GradientComparison) -> None:
    """A gradient of one number that was clipped is right where it was right before."""
    for row in comparison.rows:
        common = comparison.common.get(row.step)
        if row.verdict != FACTOR or row.gradient.size != 1 or not common:
            continue
        clips = (op for k in row.change.sources if (op := tape.operations[k]).name == "clip" and op.size == 1)
        for op in clips:
            clipped = tape.result(op).item()
            if clipped and np.isclose(row.factor * tape.operand(op, 0).item() / clipped, common, 1e-4):
                row.verdict, row.ratio, row.factor = RIGHT, 1.0, common

"""Each change beside the gradient of its parameter is judged: alone, with the others, over all steps."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from deltarule.diagnosis.reading.comparison import (
    DECAY,
    FACTOR,
    OPTIMIZER,
    RIGHT,
    WRONG,
    ZERO,
    GradientComparison,
    Row,
    fit,
    proportion,
)
from deltarule.diagnosis.reading.given import gradient_on_the_way, multiples_of_gradient
from deltarule.diagnosis.reading.losses import KnownLoss
from deltarule.diagnosis.reading.optimizers import allow_limits, rule_of
from deltarule.diagnosis.reading.steps import RecordedStep, before_probing
from deltarule.diagnosis.reading.targets import Meeting
from deltarule.diagnosis.recording.tape import Ids, Tape, Values


def compare(
    tape: Tape,
    steps: list[RecordedStep],
    meetings: list[list[Meeting]],
    losses: list[KnownLoss],
    tolerance: float,
) -> GradientComparison:
    """Compare all steps with the gradients of one loss."""
    rows = []
    for step, loss in zip(steps, losses, strict=True):
        for change in step.changes:
            gradient = loss.adjoint[change.old]
            gradient = np.where(gradient, gradient, loss.adjoint[before_probing(tape, change.old)])
            factor, misfit = fit(change.step, gradient)
            rows.append(Row(change, step.number, gradient, factor, misfit))
    comparison = GradientComparison(losses[0].name, losses, rows, meetings, steps)
    _leave_out_roundings(tape, comparison)
    _find_common_factor(comparison, tolerance)
    _judge_rows(tape, comparison, tolerance)
    return comparison


def _leave_out_roundings(tape: Tape, comparison: GradientComparison) -> None:
    """Slopes of saturated units are roundings, in the program (1 − a is 0) as in the gradient.

    Where a is 0 they are none: a large derivative by such an output, as 1 / a of a logarithm, tells no size.
    """
    for step, loss, meetings in zip(comparison.steps, comparison.losses, comparison.meetings, strict=True):
        outputs = [_sizes_by(tape, loss, one.output.ravel()) for one in meetings]
        size = float(np.linalg.norm(np.concatenate(outputs))) if outputs else 0.0
        for row in comparison.rows:
            small = max(np.linalg.norm(row.gradient), np.linalg.norm(row.change.step)) <= 1e-9 * size
            if row.step == step.number and small:
                row.gradient = np.zeros_like(row.gradient)
                row.change.step = np.zeros_like(row.change.step)
                row.factor, row.misfit = 0.0, 0.0


def _sizes_by(tape: Tape, loss: KnownLoss, output: Ids) -> Values:
    slopes = np.abs(loss.adjoint[output])
    return np.minimum(slopes, np.maximum(1.0, slopes * np.abs(tape.value[output])))


def _find_common_factor(comparison: GradientComparison, tolerance: float) -> None:
    steady = {
        key
        for key, rows in comparison.by_parameter().items()
        if len(rows) > 1
        and all(_close(row.factor, rows[0].factor, 1e-4) and row.factor for row in rows)
        and all(row.misfit < tolerance for row in rows)
    }
    for step in comparison.steps:
        rows = [row for row in comparison.rows if row.step == step.number]
        fitting = [row for row in rows if row.misfit < tolerance]
        large = [row for row in rows if row.gradient.size > 3]
        if large and not any(row.gradient.size > 3 or row.change.key in steady for row in fitting):
            continue  # a single number is a multiple of any other
        voting = [(row.factor, _votes(row, row.change.key in steady)) for row in fitting if row.factor]
        best = 0.0
        for factor, _ in voting:
            votes = sum(weight for other, weight in voting if _close(factor, other, 10 * tolerance))
            if votes > best + 1e-9:
                best, comparison.common[step.number] = votes, factor


def _votes(row: Row, is_steady: bool) -> float:
    """How much a change counts for the common factor: matrices, and what is near the output."""
    is_matrix = len(row.change.shape) == 2 and min(row.change.shape) > 1
    base = (2.0 if row.gradient.size > 1 or is_steady else 0.01) + is_steady
    near = row.change.weight**2 * (1.5 if is_matrix else 1.0)
    return base * near * (4.0 if row.factor < 0 and not row.change.is_returned else 1.0)


def _close(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def _judge_rows(tape: Tape, comparison: GradientComparison, tolerance: float) -> None:
    largest: Counter[int] = Counter()
    for row in comparison.rows:
        size = abs(comparison.common.get(row.step, 0.0)) * float(np.linalg.norm(row.gradient))
        largest[row.step] = max(largest[row.step], size)  # type: ignore[assignment]
    for row in comparison.rows:
        _judge(tape, comparison, row, tolerance, float(largest[row.step]))
    _take_factor_of_penalised(comparison)
    for step in comparison.steps:
        _judge_together(tape, comparison, step.number, tolerance)
    _judge_over_steps(tape, comparison, tolerance)
    allow_limits(tape, comparison)
    _compare_optimizers(tape, comparison, tolerance)
    _recognise_optimizers(tape, comparison, tolerance)
    _never_changed(comparison)
    _no_factor_after_optimizer(comparison)
    _no_factor_that_varies(comparison)


def _never_changed(comparison: GradientComparison) -> None:
    """What has a gradient in all steps and is changed in none is multiplied with 0."""
    for rows in comparison.by_parameter().values():
        still = [row for row in rows if row.found is not None and not row.change.step.any()]
        if len(still) == len(rows) and all(comparison.common.get(row.step) for row in rows):
            for row in rows:
                row.verdict, row.ratio, row.found = FACTOR, 0.0, None


def _judge(tape: Tape, comparison: GradientComparison, row: Row, tolerance: float, largest: float) -> None:
    common, step = comparison.common.get(row.step, 0.0), row.change.step
    is_small = largest and np.linalg.norm(step - common * row.gradient) <= 1e-9 * largest
    if not row.gradient.any() and not step.any():
        row.verdict = ZERO
    elif row.misfit < tolerance and _close(row.factor, common, 10 * tolerance):
        row.verdict = RIGHT
    elif is_small or (row.gradient.size == 1 and not common):
        row.verdict = ZERO
    elif row.misfit < tolerance and row.factor and common:
        row.verdict, row.ratio = FACTOR, row.factor / common
    elif _fits_with_more(tape, comparison, row, tolerance, common):
        row.verdict = FACTOR if row.ratio < 0 else DECAY
    elif (found := gradient_on_the_way(tape, row, tolerance)) is not None:
        row.verdict, row.found = OPTIMIZER, found  # of two numbers that sum to zero, too
    else:
        row.verdict = FACTOR if row.misfit < tolerance and row.factor else WRONG


def _with_more(
    gradients: list[Values], steps: list[Values], extras: dict[str, list[Values]], tolerance: float
) -> tuple[str, float, float] | None:
    """(what, factor of the gradient, its own) if the changes are the gradient and one thing more."""
    gradient, step = np.concatenate(gradients), np.concatenate(steps)
    norm = float(np.linalg.norm(step))
    if gradient.size < 4 or norm == 0 or not np.isfinite(norm):
        return None
    every = {name: [np.concatenate([np.ravel(one) for one in parts])] for name, parts in extras.items()}
    if gradient.size > 11:  # both penalties
        every["values and sign"] = [*every["values"], *every["sign"]]
    for name, some in every.items():
        if not all(one.size == gradient.size and one.any() and np.isfinite(one).all() for one in some):
            continue
        columns = np.stack([gradient, *some], axis=1)
        solution, *_ = np.linalg.lstsq(columns, step, rcond=None)
        if len(some) > 1 and not (solution[1:] * solution[0] > 0).all():
            continue
        shares = np.abs(solution) * np.linalg.norm(columns, axis=0)
        least = 1e-2 if name == "number" else 1e-6  # all entries alike may be an optimizer's first step
        if np.linalg.norm(columns @ solution - step) < tolerance * norm and (shares > least * norm).all():
            return name.partition(" ")[0], float(solution[0]), float(solution[1])
    return None


def _with_more_of(
    tape: Tape, comparison: GradientComparison, rows: list[Row], tolerance: float
) -> tuple[str, float, float] | None:
    """The same of rows, with what may come on top of their gradients."""
    extras = _extras(tape, rows, [_before(comparison, row) for row in rows])
    return _with_more([row.gradient for row in rows], [row.change.step for row in rows], extras, tolerance)


def _extras(tape: Tape, rows: list[Row], before: list[Row | None]) -> dict[str, list[Values]]:
    """What may come on top of the gradient: a penalty, or a momentum."""
    values = [tape.value[row.change.old] for row in rows]
    found = {"values": values, "sign": [np.sign(one) for one in values]}
    found["number"] = [np.ones(one.shape) for one in values]
    found["penalty"] = [_own_term(tape, row) for row in rows]
    pairs = [(one, np.zeros_like(row.gradient)) for row, one in zip(rows, before, strict=True)]
    if any(before) and all(one is None or one.gradient.size == zero.size for one, zero in pairs):
        found["step"] = [zero if one is None else one.change.step for one, zero in pairs]
        found["gradient"] = [zero if one is None else one.gradient for one, zero in pairs]
    return found


def _own_term(tape: Tape, row: Row) -> Values:
    """What is added on the way to a change and depends on the parameter alone; zeros for nothing."""
    own, old = tape.leaves(row.change.old), row.change.old
    for op in (tape.operations[index] for index in sorted(row.change.made, reverse=True)):
        for ids in op.read if op.name in ("add", "subtract") and op.size == old.size else ():
            leaves = tape.leaves(ids)
            is_own = ids.size == old.size and leaves and not leaves & ~own
            if is_own and not np.array_equal(ids.ravel(), old):
                return tape.value[ids].ravel()
    return np.zeros(old.size)


def _before(comparison: GradientComparison, row: Row) -> Row | None:
    before = (one for one in comparison.rows if one.step == row.step - 1)
    return next((one for one in before if one.change.key == row.change.key), None)


def _fits_with_more(
    tape: Tape, comparison: GradientComparison, row: Row, tolerance: float, common: float
) -> bool:
    """Whether one change is the gradient with some of the parameter, or of the change before."""
    found = _with_more_of(tape, comparison, [row], tolerance)
    if found is None:
        return False
    row.extra, row.factor, row.amount = found
    is_other = row.extra == "values" and not _close(row.factor, common, 1e-4)
    if common and (row.factor * common < 0 or is_other):
        row.ratio = row.factor / common
    return True


def _take_factor_of_penalised(comparison: GradientComparison) -> None:
    """Where only changes with a penalty are large enough, the common factor is theirs."""
    for step in comparison.steps:
        factors = [row.factor for row in comparison.rows if row.step == step.number and row.verdict == DECAY]
        if step.number in comparison.common or not factors:
            continue
        common = factors[0]
        if all(_close(one, common, 1e-4) for one in factors):
            comparison.common[step.number] = common
            for row in comparison.rows:
                if row.step == step.number and row.verdict == FACTOR:
                    row.ratio = row.factor / common
                    row.verdict = RIGHT if _close(row.factor, common, 1e-4) else FACTOR


def _judge_together(tape: Tape, comparison: GradientComparison, number: int, tolerance: float) -> None:
    """One momentum, or one penalty, for all parameters of a step: few numbers each, but many together."""
    rows = [row for row in comparison.rows if row.step == number]
    rows = [row for row in rows if row.verdict in (WRONG, DECAY) or row.gradient.size < 4]
    if all(row.verdict in (RIGHT, ZERO) for row in rows):
        return
    if factor := _judge_as_one(tape, comparison, rows, tolerance):
        comparison.common[number] = factor


def _judge_as_one(tape: Tape, comparison: GradientComparison, rows: list[Row], tolerance: float) -> float:
    """Judge rows that share a momentum or a penalty; return their factor, 0 if they do not."""
    found = _with_more_of(tape, comparison, rows, tolerance)
    if found is None:
        return 0.0
    for row in rows:
        if row.verdict != RIGHT or found[0] in ("step", "gradient"):
            row.verdict, row.ratio, row.extra, row.amount = DECAY, 1.0, found[0], found[2]
    return found[1]


def _judge_over_steps(tape: Tape, comparison: GradientComparison, tolerance: float) -> None:
    """One momentum, or one penalty, for all steps of a parameter that has few numbers."""
    for rows in comparison.by_parameter().values():
        off = any(row.verdict in (WRONG, FACTOR) for row in rows)
        if off and len(rows) > 1 and rows[0].gradient.size < 8:
            _judge_parameter(tape, comparison, rows, tolerance)


def _judge_parameter(tape: Tape, comparison: GradientComparison, rows: list[Row], tolerance: float) -> None:
    """The steps of one parameter as one; with another factor than those of the others they are wrong."""
    factor = _judge_as_one(tape, comparison, rows, tolerance) or _judge_momentum(comparison, rows, tolerance)
    for row in rows if factor else ():
        common = comparison.common.setdefault(row.step, factor)
        if not _close(factor, common, 1e-4):
            row.verdict, row.ratio = FACTOR, factor / common


def _judge_momentum(comparison: GradientComparison, rows: list[Row], tolerance: float) -> float:
    """Judge a parameter of few numbers that alone has a momentum by the factor of the others; return that."""
    factors = [comparison.common.get(row.step, 0.0) for row in rows]
    rest = [row.change.step - factor * row.gradient for row, factor in zip(rows, factors, strict=True)]
    is_alike = len({one.size for one in rest}) == 1  # of numbers in lists some may be passed over
    if len(rows) < 3 or not is_alike or not all(factors) or rows[0].verdict != RIGHT:
        return 0.0
    share, misfit = fit(np.concatenate(rest[1:]), np.concatenate([row.change.step for row in rows[:-1]]))
    if not 0 < share < 1 or misfit > 10 * tolerance:
        return 0.0
    for row in rows:
        row.verdict, row.ratio, row.extra, row.amount = DECAY, 1.0, "step", share
    return factors[0]


def _compare_optimizers(tape: Tape, comparison: GradientComparison, tolerance: float) -> None:
    """What an optimizer is given must be the gradient up to one factor, too: one array may be off."""
    for step in comparison.steps:
        rows = [(row, row.found) for row in comparison.rows if row.step == step.number]
        given = [
            (row, proportion(tape.result(found), row.gradient.reshape(row.change.shape), tolerance))
            for row, found in rows
            if found is not None
        ]
        if len(given) < 3:
            continue
        usual = max(given, key=lambda one: _weight_of(one[1], given))[1]
        samples = [one.output.shape[0] for one in comparison.meetings[0] if one.output.ndim]
        known = [-1.0, 2.0, 0.5, *(float(n) for n in samples), *(1.0 / n for n in samples)]
        for row, factor in given:
            if any(_close(factor / usual, one, 1e-5) for one in known if one != 1):
                row.verdict, row.ratio = FACTOR, factor / usual


def _weight_of(factor: float, given: list[tuple[Row, float]]) -> int:
    """How many numbers have this factor."""
    return sum(row.gradient.size for row, other in given if _close(factor, other, 1e-5))


def _recognise_optimizers(tape: Tape, comparison: GradientComparison, tolerance: float) -> None:
    """Find the rule by which the gradients of a parameter become its steps."""
    if not any(row.verdict in (OPTIMIZER, DECAY) for row in comparison.rows):
        return
    for rows in comparison.by_parameter().values():
        if any(row.verdict in (WRONG, FACTOR) and not row.misfit < tolerance for row in rows):
            continue
        last = rows[-1].found or gradient_on_the_way(tape, rows[-1], tolerance)
        same = [[op for op, _ in multiples_of_gradient(tape, row, tolerance)] for row in rows]
        given = [op for some in same for op in some if last and op.spots == last.spots]
        if len(given) == len(rows):
            rule = rule_of(tape, given, [row.change for row in rows], same[0], tolerance)
            is_small = len(rows) > 1 and rows[0].gradient.size < 8
            if rule is None and is_small and any(row.found for row in rows):
                _judge_parameter(tape, comparison, rows, tolerance)
            for row in rows:
                row.rule = rule
                if rule is not None and rule.mistake and row.verdict in (WRONG, FACTOR):
                    row.verdict = OPTIMIZER
    if any(row.rule is not None and row.rule.name not in ("", "momentum") for row in comparison.rows):
        for row in comparison.rows:  # the step of a single number says nothing of its gradient then
            if row.gradient.size == 1 and row.verdict in (WRONG, FACTOR):
                row.verdict = ZERO


def _no_factor_after_optimizer(comparison: GradientComparison) -> None:
    """What an optimizer changed in an earlier step is no plain multiple now: few of its numbers are alive."""
    changed = set()
    for row in sorted(comparison.rows, key=lambda one: one.step):
        if row.verdict == OPTIMIZER:
            changed.add(row.change.key)
        elif row.verdict == FACTOR and row.found is None and row.change.key in changed:
            row.verdict = OPTIMIZER


def _no_factor_that_varies(comparison: GradientComparison) -> None:
    """A factor that is another in each step is none, where a step has few numbers."""
    large: defaultdict[int, list[float]] = defaultdict(list)
    for row in comparison.rows:
        if row.verdict == FACTOR and row.gradient.size > 3:
            large[row.step].append(row.ratio)
    for rows in comparison.by_parameter().values():
        factors = [row for row in rows if row.verdict == FACTOR]
        if not factors or (factors[0].gradient.size > 3 and not comparison.is_narrow):
            continue
        judged = [row for row in rows if row.verdict in (FACTOR, RIGHT)]
        alone = len(judged) < 2 <= len(rows) and factors[0].gradient.size == 1
        if alone or any(not _close(row.ratio, judged[0].ratio, 1e-4) for row in judged):
            for row in factors:
                if not any(_close(row.ratio, other, 1e-4) for other in large[row.step]):
                    row.verdict = WRONG

"""From a comparison to a verdict with its faults."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.factors import (
    bringer_of_factor,
    differs_at_update,
    has_its_own_rate,
    is_scheduled,
    multiples_of_gradient,
    sizes_of,
    sources_of_right_changes,
)
from deltarule.diagnosis.faults.fault import Fault, fault_at, numbers_of
from deltarule.diagnosis.faults.location import BackwardPass, Break
from deltarule.diagnosis.faults.shapes import maker
from deltarule.diagnosis.faults.untrained import (
    is_moved_by_a_constant,
    source_of_nothing,
    untrained_parameters,
)
from deltarule.diagnosis.faults.wording import name_of_factor, words_for
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import (
    DECAY,
    FACTOR,
    OPTIMIZER,
    RIGHT,
    WRONG,
    ZERO,
    GradientComparison,
    Row,
    proportion,
)
from deltarule.diagnosis.reading.steps import Change
from deltarule.diagnosis.recording.tape import Frame, Operation


def faults_of(analysis: Analysis) -> list[Fault]:
    """All mistakes, the one to mend first at the head."""
    chosen = analysis.chosen
    assert chosen is not None
    found = _derivatives(analysis, chosen) + _factors(analysis, chosen) + _varying(analysis, chosen)
    if not any(fault.kind == "derivative" for fault in found):
        found += _signs(analysis, chosen) + _against_own_loss(analysis, chosen)
    found += _rules(analysis, chosen)
    wrong_errors = _meetings(analysis, chosen)
    if wrong_errors and not any(row.verdict == RIGHT for row in chosen.rows):
        return wrong_errors  # all else comes from it
    found = wrong_errors + found + _penalties(analysis, chosen)
    found += [_untrained(analysis, *one) for one in untrained_parameters(analysis)]
    telling = [one for one in found if "a factor 1 against" not in one.text]
    return _once(telling or found)


def _untrained(analysis: Analysis, op: Operation, name: str, text: str) -> Fault:
    line, made = analysis.source.last_assignment(name), analysis.source.line(op)
    adding = next(
        (one for one in analysis.tape.operations if is_moved_by_a_constant(analysis.tape, op, one)), None
    )
    about: dict[str, Any] = {"parameters": (name,), "numbers": _zeros(analysis, op, name)}
    if adding is not None and not analysis.only_gradients:
        at = source_of_nothing(analysis.tape, adding) or adding
        return fault_at(analysis, "untrained", at, text, other_line=analysis.source.line(adding), **about)
    if line > made > 0 and not analysis.only_gradients:
        return fault_at(analysis, "untrained", line, text, other_line=made, **about)
    return fault_at(analysis, "untrained", op, text, **about)


def _zeros(analysis: Analysis, op: Operation, name: str) -> tuple[tuple[str, float, float], ...]:
    """The gradient of a parameter that gets no step."""
    assert analysis.chosen is not None
    gradient = analysis.chosen.losses[0].adjoint[op.start : op.stop]
    change = Change(("array",), name, 0, op.shape, op.ids.ravel(), np.zeros(op.size), [], [])
    return numbers_of(analysis, [Row(change, 0, gradient, 0.0, 0.0)])


def _once(found: list[Fault]) -> list[Fault]:
    """One fault for each line and kind, with all parameters that it spoils."""
    merged: dict[tuple[str, int, str], Fault] = {}
    for one in found:
        key = (one.kind, one.line, one.text)
        before = merged.get(key)
        names = tuple(dict.fromkeys((before.parameters if before else ()) + one.parameters))
        merged[key] = replace(before or one, parameters=names)
    return list(merged.values())


def _by_parameter(rows: list[Row]) -> list[list[Row]]:
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.change.key].append(row)
    return list(groups.values())


def _derivatives(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    wrong = _by_parameter([row for row in chosen.rows if row.verdict == WRONG])
    found = []
    for rows in reversed(wrong):
        fault = _derivative(analysis, rows)
        found.append((_order(analysis, rows), fault))
    found.sort(key=lambda one: one[0])
    kept: list[Fault] = []
    for _, fault in found:
        same = next(
            (one for one in kept if (one.line, one.expression) == (fault.line, fault.expression)), None
        )
        if same is None:
            kept.append(fault)
        else:
            names = tuple(dict.fromkeys(same.parameters + fault.parameters))
            kept[kept.index(same)] = replace(same, parameters=names)
    return kept


def _order(analysis: Analysis, rows: list[Row]) -> int:
    """Parameters near the output come first: what is wrong there is wrong behind, too."""
    uses = [
        op.index
        for op in analysis.tape.operations
        for ids in op.inputs
        if ids is not None and ids.size and (ids.flat[0] == rows[0].change.old).any()
    ]
    return -min(uses, default=0)


def _derivative(analysis: Analysis, rows: list[Row]) -> Fault:
    tape, source = analysis.tape, analysis.source
    assert analysis.chosen is not None
    passing = BackwardPass(analysis, rows)
    broken = passing.break_()
    if broken is None:
        change = rows[0].change
        last = max((one for ids in change.increments for one in tape.producers(ids)), default=0)
        op = change.updates[0] if change.updates and tape.operations[last].is_leaf else tape.operations[last]
        if passing.arrays:
            op = passing.arrays[-1].op
            text = "the derivatives up to here are right, but the step is not made of them alone"
            return fault_at(analysis, "derivative", op, text, rows)
        text = "the error does not come into the step, which is therefore no gradient"
        at = _without_error(analysis, passing, change) or (op if source.line(op) else change.line)
        return fault_at(analysis, "derivative", at, text, rows)
    if broken.ratio != 1.0:
        text = name_of_factor(broken.ratio, *sizes_of(analysis.chosen))
        return fault_at(analysis, "factor", broken.first.op, text, rows)
    if broken.first.op.old is not None and broken.last and broken.known and not broken.known.is_whole:
        by = source.name_of(broken.known.by.op) or source.text_of(broken.known.by.op)
        text = f"this is the derivative by {by} along one way only: the other ways are missing"
        other, op = source.line(broken.first.op), maker(tape, broken.last.op)
        return fault_at(analysis, "derivative", op, text, rows, other_line=other)
    if passing.adds_something_else(broken.first):
        text = "what is added to the derivative here is no derivative: a factor is multiplied with it"
        return fault_at(analysis, "derivative", broken.first.op, text, rows)
    words = words_for(passing, broken)
    last_right = ""
    if broken.last and broken.known:
        by = source.name_of(broken.known.by.op) or source.text_of(broken.known.by.op)
        last_right = (
            f"line {source.line(broken.last.op)}: {source.text_of(broken.last.op)} (the derivative by {by})"
        )
    other = source.line(words.also) if words.also else 0
    at = words.op if words.frame is None else words.frame
    if words.op is broken.last.op if broken.last else False:
        at = _renamed(analysis, broken) or at
    return fault_at(analysis, "derivative", at, words.text, rows, last_right=last_right, other_line=other)


def _renamed(analysis: Analysis, broken: Break) -> int:
    """The line between two operations that only gives the result of the first another name; 0 for none."""
    assert broken.last is not None
    source, first, last = analysis.source, broken.first.op, broken.last.op
    before, after = source.frame(last), source.frame(first)
    if before is None or after is None or before[0] is not after[0]:
        return 0
    read = {one.id for one in ast.walk(source.expression(first) or ast.Pass()) if isinstance(one, ast.Name)}
    for number in range(after[2] - 1, before[2], -1):
        match = re.match(r"\s*(\w+)\s*=\s*\(*([\w.\[\]]+)\)*\s*(#.*)?$", source.lines[number - 1])
        if match and match[1] in read and match[2] == source.name_of(last):
            return number
    return 0


def _without_error(analysis: Analysis, passing: BackwardPass, change: Change) -> Frame | None:
    """The call of the first thing that is computed for a change and not for the output."""
    tape = analysis.tape
    behind = min(passing.errors, default=0)
    made = [
        op
        for index in sorted(passing.sources - passing.forward_indices)
        if not (op := tape.operations[index]).is_leaf and op.old is None and tape.root[op.start] < 0
    ]
    if not made or analysis.chosen is None:
        return None
    codes = {frame[0] for index in passing.errors for frame in tape.operations[index].place[:1]}
    codes |= {frame[0] for op in change.updates for frame in op.place[:1]}
    for row in analysis.chosen.rows:
        codes |= {
            f[0]
            for k in row.change.sources
            if k > behind
            for f in tape.operations[k].place[:1]
            if k in passing.descended
        }
    return next((one for one in made[0].place if one[0] in codes), None) or analysis.source.frame(made[0])


def _factors(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    samples, outputs = sizes_of(chosen)
    found = []
    groups = _by_parameter([row for row in chosen.rows if row.verdict == FACTOR])
    for rows in sorted(groups, key=lambda rows: -rows[0].change.weight):
        row = rows[0]
        if has_its_own_rate(analysis, chosen, row):
            continue
        text = name_of_factor(row.ratio, samples, outputs)
        at_update = differs_at_update(analysis, chosen, row)
        if at_update is not None:
            about = (at_update.change.name,)
            found.append(fault_at(analysis, "factor", at_update.change.line, text, rows, parameters=about))
            continue
        op = BackwardPass(analysis, rows).jump(
            row.ratio, sources_of_right_changes(chosen, row)
        ) or bringer_of_factor(analysis, chosen, row)
        fault = fault_at(analysis, "factor", op, text, rows)
        if not any((one.line, one.expression) == (fault.line, fault.expression) for one in found):
            found.append(fault)
    return found


def _varying(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """One factor for all parameters that is another in each step, and is no schedule."""
    factors = [one for one in chosen.common.values() if one]
    if len(factors) < 2 or chosen.is_constant or any(row.verdict == WRONG for row in chosen.rows):
        return []
    if any(row.verdict in (OPTIMIZER, DECAY) for row in chosen.rows):
        return []
    if is_scheduled(analysis, chosen):
        return []
    rows = [row for row in chosen.rows if row.verdict == RIGHT and row.gradient.any()]
    last = max(rows, key=lambda row: max((one for one in row.change.sources), default=0), default=None)
    if last is None:
        return []
    groups = _by_parameter(rows)
    fault = min(
        (_derivative(analysis, group) for group in groups), key=lambda one: (not one.last_right, one.line)
    )
    return [fault]


def _rules(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """Where an optimizer leaves its own formula."""
    found = []
    for rows in _by_parameter([row for row in chosen.rows if row.rule is not None and row.rule.mistake]):
        rule = rows[0].rule
        assert rule is not None
        if rule.at is not None:
            found.append(fault_at(analysis, "optimizer", rule.at, rule.mistake, rows, numbers=()))
    return found


def _meetings(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """What is wrong where the output meets the target."""
    wrong = [one for one in chosen.meetings[0] if one.mistake]
    return [fault_at(analysis, "sign", one.op, one.mistake) for one in wrong[:1]]


def _signs(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """All steps go up the loss."""
    rows = [row for row in chosen.rows if row.verdict in (RIGHT, OPTIMIZER, DECAY) and row.gradient.any()]
    if not rows or not _climbs(analysis, chosen, rows):
        return []
    row = rows[-1]
    if row.change.is_returned:
        op = chosen.meetings[0][0].op if chosen.meetings[0] else None
        text = "the sign is turned: this is minus the gradient"
    else:
        op = row.change.updates[0]
        text = "the steps go up the loss: the sign is turned here, or in the error"
        lines = {one.change.line for one in rows}
        if len(lines) > 1 and chosen.meetings[0]:
            return [_turned_error(analysis, chosen.meetings[0][0].op, min(lines), rows)]
    if op is None:
        return []
    return [fault_at(analysis, "sign", op, text, [row], numbers=numbers_of(analysis, [row], turned=True))]


def _turned_error(analysis: Analysis, op: Operation, line: int, rows: list[Row]) -> Fault:
    """All steps have the wrong sign: one cause is likelier than many."""
    text = (
        f"with this sign the steps (line {line} and others) go up the loss: turn it here, or in all of them"
    )
    numbers = numbers_of(analysis, rows, turned=True)
    return fault_at(analysis, "sign", op, text, rows, other_line=line, numbers=numbers)


def _climbs(analysis: Analysis, chosen: GradientComparison, rows: list[Row]) -> bool:
    if chosen.own and chosen.loss_name == "its own loss":
        return False
    ups = [float(row.change.step @ row.gradient) > 0 for row in rows]
    if chosen.own:  # a log-likelihood is climbed
        output = np.concatenate([one.output.ravel() for one in chosen.meetings[0]])
        target = np.concatenate([np.ravel(one.target) for one in chosen.meetings[0]])
        values = analysis.tape.value[output]
        slope = chosen.losses[0].adjoint[output]
        if float(slope @ (values - target)) < 0:
            ups = [not up for up in ups]
    returned = all(row.change.is_returned for row in rows)
    if returned:
        named = all(re.search(r"grad|nabla|(^|[^a-z])d_?[wbWBzZ]|error", row.change.name) for row in rows)
        return named and not any(ups)
    return sum(ups) > len(ups) / 2


def _against_own_loss(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """The program computes a loss, and its steps follow another one."""
    if chosen.own or not all(row.verdict in (RIGHT, ZERO, DECAY) for row in chosen.rows):
        return []
    usual = ("squared error", "binary cross-entropy", "cross-entropy of softmax")
    own = [one for one in analysis.others if one.own and one.loss_name in usual]
    if not own or any(_agrees(one) for one in own):
        return []
    one = own[0]
    op = one.losses[0].op
    assert op is not None
    line = analysis.source.line(op)
    if one.loss_name == chosen.loss_name:
        if not any(row.verdict == DECAY and row.extra == "values" for row in one.rows):
            return []
        text = f"the loss on line {line} has a penalty, of which the steps have nothing, or another share"
        off = [row for row in one.rows if row.verdict not in (RIGHT, ZERO)]
        return [fault_at(analysis, "penalty", op, text, off, parameters=())]
    meeting = chosen.meetings[0][0] if chosen.meetings[0] else None
    slope = "is missing" if chosen.loss_name != "squared error" else "is too much"
    text = (
        f"these are the steps of the {chosen.loss_name}, but the loss on line {line} is the {one.loss_name}: "
        f"the slope f′ of the output {slope}"
    )
    return [fault_at(analysis, "derivative", meeting.op if meeting else op, text, other_line=line)]


def _agrees(one: GradientComparison) -> bool:
    return all(row.verdict in (RIGHT, ZERO) for row in one.rows)


def _penalties(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """A multiple of the parameter is added that makes it grow, or the penalty is not the loss's."""
    found = []
    for rows in _by_parameter([row for row in chosen.rows if row.verdict == DECAY]):
        row = next((row for row in rows if row.extra == "number"), rows[-1])
        if row.extra == "number":
            text = f"the number {row.amount:.3g} is added to each entry of the step"
        elif row.ratio != 1.0:
            text = f"its gradient comes in with a factor {row.ratio:.4g} against the others"
        elif chosen.own and row.extra == "values" and _has_penalty(analysis, chosen, row):
            text = f"the step has {row.amount:.3g}·{row.change.name} in it, which is not the loss's penalty"
        elif row.amount > 0 and not row.change.is_returned and row.extra == "values":
            text = f"{row.amount:.3g}·{row.change.name} is added: a penalty must make it smaller"
        else:
            continue
        op = _penalty_at(analysis, row) if row.ratio == 1.0 else _data_gradient_at(analysis, chosen, row)
        found.append(fault_at(analysis, "penalty", op, text, [row]))
    return found


def _has_penalty(analysis: Analysis, chosen: GradientComparison, row: Row) -> bool:
    """Whether the computed loss depends on the parameter by more than the outputs."""
    for other in analysis.others:
        if other.loss_name == chosen.loss_name and not other.own:
            for one in other.rows:
                if one.step == row.step and one.change.key == row.change.key:
                    return not proportion(row.gradient, one.gradient)
    return False


def _data_gradient_at(analysis: Analysis, chosen: GradientComparison, row: Row) -> Operation:
    """The last multiple of the gradient without a penalty."""
    for other in (*analysis.others, chosen):
        for one in other.rows:
            same = one.step == row.step and one.change.key == row.change.key
            if (
                same
                and other.loss_name == chosen.loss_name
                and (multiples := multiples_of_gradient(analysis, one))
            ):
                return multiples[-1][0]
    return _penalty_at(analysis, row)


def _penalty_at(analysis: Analysis, row: Row) -> Operation:
    """Where the parameter itself comes into its step; where it does not, the last derivative."""
    tape = analysis.tape
    sources = sorted(row.change.sources)
    sums = ("add", "subtract", "multiply")
    for index in reversed(sources):
        op = tape.operations[index]
        single = [tape.operand(op, k).size == 1 for k in range(len(op.inputs))]
        if row.extra == "number" and op.name in sums[:2] and op.size > 1 and any(single):
            return op
        for ids in op.inputs if op.name in sums else ():
            made = tape.operations[tape.producers(ids)[0]] if ids is not None and ids.size else None
            if made is None or made.name != "multiply" or made.size != row.gradient.size:
                continue
            if any(
                one is not None and one.size == made.size and (one.ravel() == row.change.old).all()
                for one in made.inputs
            ):
                return op
    wanted = row.gradient
    for index in sources:
        if tape.operations[index].size == wanted.size and proportion(
            tape.result(tape.operations[index]), wanted.reshape(row.change.shape)
        ):
            return tape.operations[index]
    return row.change.updates[0] if row.change.updates else tape.operations[sources[-1]]

"""From a comparison to a verdict with its faults."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.factor_repair import without_factor
from deltarule.diagnosis.faults.factors import (
    bringer_of_factor,
    differs_at_update,
    has_its_own_rate,
    is_scheduled,
    sources_of_right_changes,
)
from deltarule.diagnosis.faults.fault import Fault, fault_at, numbers_of
from deltarule.diagnosis.faults.formulas import derivative_of
from deltarule.diagnosis.faults.forward import forward_faults, unused_biases
from deltarule.diagnosis.faults.location import BackwardPass, Break
from deltarule.diagnosis.faults.penalties import penalties_of
from deltarule.diagnosis.faults.repair import with_turned_sign
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
    fit,
)
from deltarule.diagnosis.reading.layers import sizes_of
from deltarule.diagnosis.reading.steps import GRAPH, Change
from deltarule.diagnosis.reading.targets import KnownLoss, Meeting
from deltarule.diagnosis.recording.operations import reverse_mode
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Frame, Operation


def faults_of(analysis: Analysis) -> list[Fault]:
    """All mistakes, the one to mend first at the head."""
    chosen = analysis.chosen
    assert chosen is not None
    found = _derivatives(analysis, chosen) + _factors(analysis, chosen) + _varying(analysis, chosen)
    if not any(fault.kind == "derivative" for fault in found):
        signs = _signs(analysis, chosen)
        if signs:  # what has the other sign goes down the loss
            found = [one for one in found if one.text != name_of_factor(-1.0, 1, 1)]
        found += signs + _against_own_loss(analysis, chosen)
    found += _rules(analysis, chosen)
    first = forward_faults(analysis, chosen)
    if first and not any(row.verdict == RIGHT for row in chosen.rows):
        return first  # all else comes from it
    if first:
        found = [one for one in found if one.kind != "derivative"]
    found = first + found + penalties_of(analysis, chosen) + unused_biases(analysis, chosen)
    found += [_untrained(analysis, *one) for one in untrained_parameters(analysis)]
    for op, name in sorted(analysis.replaced, key=lambda one: one[0].index):
        said = f"{name} becomes its step alone here: the value that it had is thrown away, and not changed"
        found.append(fault_at(analysis, "optimizer", op, said, parameters=(name,)))
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
        found += [(_order(analysis, rows), fault) for fault in _on_the_way(analysis, rows)]
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


def _on_the_way(analysis: Analysis, rows: list[Row]) -> list[Fault]:
    """The faults on the way to one parameter: behind a wrong derivative, with that taken as given."""
    if rows[0].change.key == GRAPH:
        return [_in_graph(analysis, rows)]
    found = [_derivative(analysis, rows)]
    for _ in range(3):
        rest = _behind(analysis, rows)
        if rest is None:
            break
        analysis, rows = rest
        found.append(_derivative(analysis, rows))
    return found


def _behind(analysis: Analysis, rows: list[Row]) -> tuple[Analysis, list[Row]] | None:
    """The comparison behind the first break: the wrong derivative there is the error now."""
    tape, passing = analysis.tape, BackwardPass(analysis, rows)
    broken = passing.break_()
    if broken is None or broken.below is None or len(passing.rows) > 1 or broken.end.op.old is not None:
        return None
    below, end, row = broken.below, broken.end, passing.rows[0]
    if broken.known is None or not broken.known.is_whole or len(end.ops) > 1 or end.ids.size < 2:
        return None
    limit = broken.known.by.op.index
    alike = [one for one in passing.forward if one.op.index < limit and one.op.shape == end.op.shape]
    if end.op.name in ("dot", "matmul") and alike:
        below = alike[0]
    if len(below.ops) > 1 or below.op.shape != end.op.shape:
        return None
    for one in (*alike[:4], below):
        adjoint = reverse_mode(tape, one.ids.ravel(), tape.value[end.ids].ravel())
        gradient = adjoint[row.change.old]
        factor, misfit = fit(row.change.step, gradient)
        if misfit < 1e-6 or not gradient.any():
            return None  # what comes behind only passes the mistake on
    assert analysis.chosen is not None
    number = next(k for k, step in enumerate(analysis.chosen.steps) if step.number == row.step)
    met = Meeting(end.op, below.ids, np.zeros(below.op.shape), tape.leaves(below.ids), twins={end.op.index})
    given = replace(row, gradient=gradient, factor=factor, misfit=misfit)
    loss, step = KnownLoss(analysis.chosen.loss_name, adjoint), analysis.chosen.steps[number]
    chosen = GradientComparison(loss.name, [loss], [given], [[met]], [step])
    return Analysis(tape, analysis.source, chosen), [given]


def _in_graph(analysis: Analysis, rows: list[Row]) -> Fault:
    """Where the gradient that is furthest off is kept."""
    tape, change = analysis.tape, rows[0].change
    off = np.abs(change.step - rows[0].gradient)
    made = tape.operations[tape.producers(change.increments[int(off.argmax())])[0]]
    text = "the gradient that is kept here is not the derivative of what was computed"
    return fault_at(analysis, "derivative", made, text, rows)


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
        text = name_of_factor(broken.ratio, *sizes_of(tape, analysis.chosen))
        return fault_at(analysis, "factor", broken.first.op, text, rows)
    if broken.first.op.old is not None and broken.last and broken.known and not broken.known.is_whole:
        by = source.name_of(broken.known.by.op) or source.text_of(broken.known.by.op)
        if not np.isin(broken.known.by.ids.ravel(), np.concatenate([row.change.old for row in rows])).any():
            text = f"this is the derivative by {by}, not by {rows[0].change.name}"
            return fault_at(analysis, "derivative", broken.first.op, text, rows)
        text = f"this is the derivative by {by} along one way only: the other ways are missing"
        other, op = source.line(broken.first.op), maker(tape, broken.last.op)
        return fault_at(analysis, "derivative", op, text, rows, other_line=other)
    if passing.adds_something_else(broken.first):
        text = "what is added to the derivative here is no derivative: a factor is multiplied with it"
        return fault_at(analysis, "derivative", broken.first.op, text, rows)
    words = words_for(passing, broken)
    last_right = ""
    if broken.last and broken.known:
        by = derivative_of(passing, broken.last)
        last_right = f"line {source.line(broken.last.op)}, {source.text_of(broken.last.op)} ({by})"
    other = source.line(words.also) if words.also else 0
    at = words.op if words.frame is None else words.frame
    should_be = words.should_be
    if broken.last and words.op is broken.last.op and (renamed := _renamed(analysis, broken)):
        at, should_be = renamed, _with_what_is_added(source, broken.last.op, should_be, renamed)
    return fault_at(
        analysis,
        "derivative",
        at,
        words.text,
        rows,
        last_right=last_right,
        other_line=other,
        should_be=should_be,
    )


def _with_what_is_added(source: ProgramSource, op: Operation, should_be: str, line: int) -> str:
    """At another line, what a corrected statement has more than the statement as it is."""
    added = should_be.removeprefix(ast.unparse(source.statement(op) or ast.Pass()))
    return source.text_at(line).split("#")[0].strip() + added if added != should_be else ""


def _renamed(analysis: Analysis, broken: Break) -> int:
    """The line between two operations that only gives the result of the first another name; 0 for none."""
    assert broken.last is not None
    source, first, last = analysis.source, broken.first.op, broken.last.op
    before, after = source.frame(last), source.frame(first)
    if before is None or after is None or before[0] is not after[0]:
        return 0
    read = {one.id for one in ast.walk(source.expression(first) or ast.Pass()) if isinstance(one, ast.Name)}
    for number in range(after[2] - 1, before[2], -1):
        match = re.match(r"\s*(\w+)\s*=\s*\(*([\w.\[\]]+)\)*\s*(#.*)?$", source.text_at(number))
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
    samples, outputs = sizes_of(analysis.tape, chosen)
    found = []
    groups = _by_parameter([row for row in chosen.rows if row.verdict == FACTOR])
    for rows in sorted(groups, key=lambda rows: -rows[0].change.weight):
        row = rows[0]
        if has_its_own_rate(analysis, chosen, row):
            continue
        text = name_of_factor(row.ratio, samples, outputs)
        at_update = differs_at_update(analysis, chosen, row)
        if at_update is not None:
            should_be = without_factor(analysis, rows, row.change.updates[0]) if at_update is row else ""
            about = {"parameters": (at_update.change.name,), "should_be": should_be}
            found.append(fault_at(analysis, "factor", at_update.change.updates[0], text, rows, **about))
            continue
        op = BackwardPass(analysis, rows).jump(
            row.ratio, sources_of_right_changes(chosen, row)
        ) or bringer_of_factor(analysis, chosen, row)
        fault = fault_at(analysis, "factor", op, text, rows, should_be=without_factor(analysis, rows, op))
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
    numbers, should_be = numbers_of(analysis, [row], turned=True), with_turned_sign(analysis.source, op)
    return [fault_at(analysis, "sign", op, text, [row], numbers=numbers, should_be=should_be)]


def _turned_error(analysis: Analysis, op: Operation, line: int, rows: list[Row]) -> Fault:
    """All steps have the wrong sign: one cause is likelier than many."""
    text = (
        f"with this sign the steps (line {line} and others) go up the loss: turn it here, or in all of them"
    )
    about: dict[str, Any] = {"numbers": numbers_of(analysis, rows, turned=True), "other_line": line}
    return fault_at(
        analysis, "sign", op, text, rows, should_be=with_turned_sign(analysis.source, op), **about
    )


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

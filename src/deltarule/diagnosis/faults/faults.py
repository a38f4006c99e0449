"""From a comparison to a verdict with its faults."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.derivatives import derivative_fault, derivative_faults
from deltarule.diagnosis.faults.edits import edit_that_repairs
from deltarule.diagnosis.faults.factor_repair import without_factor
from deltarule.diagnosis.faults.factors import (
    bringer_of_factor,
    bringer_of_nothing,
    differs_at_update,
    has_its_own_rate,
    is_scheduled,
    sources_of_right_changes,
)
from deltarule.diagnosis.faults.fault import Fault, fault_at, numbers_of
from deltarule.diagnosis.faults.forward import forward_faults, unused_parameters
from deltarule.diagnosis.faults.location import BackwardPass
from deltarule.diagnosis.faults.penalties import penalties_of
from deltarule.diagnosis.faults.repair import with_turned_sign
from deltarule.diagnosis.faults.rules import faults_of_rules, roots_of_negative
from deltarule.diagnosis.faults.untrained import (
    Untrained,
    is_moved_by_a_constant,
    rewriting,
    source_of_nothing,
    untrained_parameters,
    unused_gradient,
)
from deltarule.diagnosis.faults.wording import name_of_factor
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
    grouped_by_parameter,
)
from deltarule.diagnosis.reading.layers import sizes_of
from deltarule.diagnosis.reading.steps import Change

_VARYING = (
    "the updates are a different multiple of the gradient in each step: what is passed back from here is not "
    "the difference of output and target"
)


def faults_of(analysis: Analysis) -> list[Fault]:
    """All mistakes, the one to mend first at the head."""
    with np.errstate(all="ignore"):  # a program may diverge
        return _faults(analysis)


def _faults(analysis: Analysis) -> list[Fault]:
    chosen = analysis.comparison
    if undefined := list(roots_of_negative(analysis, chosen)):
        return _once(undefined)
    found = derivative_faults(analysis, chosen) + _factors(analysis, chosen) + _varying(analysis, chosen)
    if not any(fault.kind == "derivative" for fault in found):
        signs = _signs(analysis, chosen)
        if signs:  # what has the other sign goes down the loss
            found = [one for one in found if one.text != name_of_factor(-1.0, 1, 1)]
        found += signs + _against_own_loss(analysis, chosen)
    rules = faults_of_rules(analysis, chosen)
    told = {name for one in rules for name in one.parameters}
    found = [one for one in found if not one.parameters or not told.issuperset(one.parameters)] + rules
    first = forward_faults(analysis, chosen)
    if first and not any(row.verdict == RIGHT for row in chosen.rows):
        return first  # all else comes from it
    if first:
        found = [one for one in found if one.kind != "derivative"]
    found = first + found + penalties_of(analysis, chosen) + unused_parameters(analysis, chosen)
    found += [_untrained(analysis, one) for one in untrained_parameters(analysis) if not one.is_fixed]
    for op, name in sorted(analysis.replaced, key=lambda one: one[0].index):
        said = f"{name} is replaced by its update here, instead of being changed by it: its old value is lost"
        found.append(fault_at(analysis, "optimizer", op, said, parameters=(name,)))
    return _once([one for one in found if one.kind != "factor" or not one.is_vague] or found)


def with_edits(analysis: Analysis, found: list[Fault]) -> list[Fault]:
    """Where no correction was verified: what should have been used, or the one operator that is wrong."""
    with np.errstate(all="ignore"):  # a program may diverge
        return _once(_edited(analysis, found))


def _edited(analysis: Analysis, found: list[Fault]) -> list[Fault]:
    chosen, bad = analysis.comparison, analysis.comparison.bad
    is_told = found and (found[0].should_be or found[0].mistake)
    if not bad or not found or is_told or found[0].kind not in ("derivative", "factor", "untrained"):
        return found
    first = [row for row in bad if row.step == bad[0].step]
    number = next(k for k, step in enumerate(chosen.steps) if step.number == bad[0].step)
    for row in first if len(first) == 1 and first[0].change.updates else ():
        unused = unused_gradient(analysis, number, row.gradient.reshape(row.change.shape))
        if unused is not None:
            name, line = analysis.source.name_of(unused) or "it", analysis.source.line(unused)
            said = f"the gradient of {row.change.name} (line {line}) is not used: use {name} here"
            return [fault_at(analysis, "derivative", row.change.updates[0], said, bad, other_line=line)]
    edit = edit_that_repairs(analysis, first)
    for other in analysis.others if edit is None and not chosen.own else ():
        off = [row for row in other.bad if row.step == bad[0].step]
        if other.loss_name == "squared error" and not other.own and off:
            analysis, bad = replace(analysis, chosen=other), other.bad
            edit = edit_that_repairs(analysis, off)
    if edit is None:
        return found
    op, text, should_be = edit
    return [fault_at(analysis, "derivative", op, text, bad, should_be=should_be)]


def _untrained(analysis: Analysis, parameter: Untrained) -> Fault:
    op, name, text, tape = parameter.start, parameter.name, parameter.text, analysis.tape
    gradient = analysis.comparison.losses[0].adjoint[op.start : op.stop]
    change = Change(("array",), name, 0, op.shape, op.ids.ravel(), np.zeros(op.size), [], [])
    numbers = numbers_of(analysis, [Row(change, 0, gradient, 0.0, 0.0)])
    fault = partial(fault_at, analysis, "untrained", parameters=(name,), numbers=numbers)
    if analysis.only_gradients:
        return fault(op, text)
    adding = next((one for one in tape.operations if is_moved_by_a_constant(tape, op, one)), None)
    if adding is not None:
        return fault(source_of_nothing(tape, op, adding), text, other_line=analysis.source.line(adding))
    changing = rewriting(analysis, op)
    if changing is not None:
        return fault(changing, f"{parameter.used} and changed here, but not by its gradient")
    line, made = analysis.source.last_assignment(name), analysis.source.line(op)
    unused = unused_gradient(analysis, 0, gradient.reshape(op.shape))
    if unused is not None:
        return fault(unused, f"{text}: its gradient is computed here and then not used", other_line=made)
    return fault(line, text, other_line=made) if line > made > 0 else fault(op, text)


def _once(found: list[Fault]) -> list[Fault]:
    """One fault for each line and kind, with all parameters that it spoils."""
    merged: dict[tuple[str, int, str], Fault] = {}
    for one in found:
        key = (one.kind, one.line, one.text)
        before = merged.get(key)
        names = tuple(dict.fromkeys((before.parameters if before else ()) + one.parameters))
        merged[key] = replace(before or one, parameters=names)
    return list(merged.values())


def _factors(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    samples, outputs = sizes_of(analysis.tape, chosen)
    found = []
    groups = grouped_by_parameter(row for row in chosen.rows if row.verdict == FACTOR)
    for rows in sorted(groups.values(), key=lambda rows: -rows[0].change.weight):
        row = rows[0]
        if has_its_own_rate(analysis, chosen, row):
            continue
        text, is_one = name_of_factor(row.ratio, samples, outputs), abs(row.ratio - 1) < 5e-4
        if not row.ratio:
            found.append(fault_at(analysis, "factor", bringer_of_nothing(analysis, row), text, rows))
            continue
        at_update = differs_at_update(analysis, chosen, row)
        if at_update is not None:
            op, names = at_update.change.updates[0], (at_update.change.name,)
            should_be = without_factor(analysis, rows, op) if at_update is row else ""
            about: dict[str, Any] = {"parameters": names, "should_be": should_be, "is_vague": is_one}
            found.append(fault_at(analysis, "factor", op, text, rows, **about))
            continue
        jump = BackwardPass(analysis, rows).jump(row.ratio, sources_of_right_changes(chosen, row))
        op = jump or bringer_of_factor(analysis, chosen, row)
        should_be = without_factor(analysis, rows, op)
        fault = fault_at(analysis, "factor", op, text, rows, should_be=should_be, is_vague=is_one)
        if not any((one.line, one.expression) == (fault.line, fault.expression) for one in found):
            found.append(fault)
    return found


def _varying(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """One factor for all parameters that is another in each step, and is no schedule.

    Of several outputs no slope is the same for all: it is the length of the steps that is limited.
    """
    arrays = [row.step for row in chosen.rows if row.verdict == RIGHT and row.gradient.size > 1]
    is_held = all(arrays.count(step) > 1 for step in chosen.common)
    if is_held and sum(one.output.size for one in chosen.meetings[0]) > 1:
        return []
    factors = [one for one in chosen.common.values() if one]
    others = any(row.verdict in (WRONG, OPTIMIZER, DECAY) for row in chosen.rows)
    if len(factors) < 2 or chosen.is_constant or others or is_scheduled(analysis, chosen):
        return []
    groups = grouped_by_parameter(row for row in chosen.rows if row.verdict == RIGHT and row.gradient.any())
    found = [derivative_fault(analysis, rows) for rows in groups.values()]
    found = [one for one in found if one.last_right] or found
    if chosen.meetings[0] and not found[0].last_right:  # no step is off by itself
        tape, twins = analysis.tape, chosen.meetings[0][0].twins
        made = next(iter(groups.values()))[0].change.made
        after = (tape.operations[k] for k in sorted(made - twins) if twins & set(tape.operations[k].before))
        op = next(after, chosen.meetings[0][0].op)
        names = tuple(rows[0].change.name for rows in groups.values())
        return [fault_at(analysis, "derivative", op, _VARYING, parameters=names)]
    return sorted(found, key=lambda one: one.line)[:1]


def _signs(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """All steps go up the loss."""
    rows = [row for row in chosen.rows if row.verdict in (RIGHT, OPTIMIZER, DECAY) and row.gradient.any()]
    if not rows or not _climbs(analysis, chosen, rows):
        return []
    spoilt, line = rows[-1:], 0
    met = chosen.meetings[0][0].op if chosen.meetings[0] else None
    lines = {one.change.line for one in rows}
    if spoilt[0].change.is_returned:
        op, text = met, "this is the negative of the gradient"
    elif len(lines) > 1 and met is not None:  # one cause is likelier than many
        op, spoilt, line = met, rows, min(lines)
        text = f"with this sign the updates (line {line} and others) increase the loss: reverse it here, or "
        text += "in all of them"
    else:
        op = spoilt[0].change.updates[0]
        text = "the updates increase the loss: the sign is wrong here, or in the error"
    if op is None:
        return []
    numbers, should_be = numbers_of(analysis, spoilt, turned=True), with_turned_sign(analysis.source, op)
    about: dict[str, Any] = {"numbers": numbers, "should_be": should_be, "other_line": line}
    return [fault_at(analysis, "sign", op, text, spoilt, **about)]


def _climbs(analysis: Analysis, chosen: GradientComparison, rows: list[Row]) -> bool:
    if chosen.own and chosen.loss_name == "its own loss":
        return False
    ups = [float(row.change.step @ row.gradient) > 0 for row in rows]
    if chosen.own:  # a log-likelihood is climbed
        output = np.concatenate([one.output.ravel() for one in chosen.meetings[0]])
        target = np.concatenate([np.ravel(one.target) for one in chosen.meetings[0]])
        if float(chosen.losses[0].adjoint[output] @ (analysis.tape.value[output] - target)) < 0:
            ups = [not up for up in ups]
    if all(row.change.is_returned for row in rows):
        named = all(re.search(r"grad|nabla|(^|[^a-z])d_?[wbWBzZ]|error", row.change.name) for row in rows)
        return named and not any(ups)
    return sum(ups) > len(ups) / 2


def _against_own_loss(analysis: Analysis, chosen: GradientComparison) -> list[Fault]:
    """The program computes a loss, and its steps follow another one, or the same without its penalty."""
    if chosen.own or not all(row.verdict in (RIGHT, ZERO, DECAY, OPTIMIZER) for row in chosen.rows):
        return []
    usual = ("squared error", "binary cross-entropy", "cross-entropy of softmax")
    own = [one for one in analysis.others if one.own]
    agree = any(all(row.verdict in (RIGHT, ZERO) for row in one.rows) for one in own)
    one = next((one for one in own if one.loss_name in usual), None)
    op = one.losses[0].op if one is not None else None
    if one is None or op is None or agree or any(row.verdict == OPTIMIZER for row in chosen.rows):
        return []
    line = analysis.source.line(op)
    if one.loss_name == chosen.loss_name:
        if not any(row.verdict == DECAY and row.extra == "values" for row in one.rows):
            return []
        text = f"the loss on line {line} has a penalty that is missing from the updates, or has a different "
        text += "strength there"
        off = [row for row in one.rows if row.verdict not in (RIGHT, ZERO)]
        return [fault_at(analysis, "penalty", op, text, off, parameters=())]
    said = f"these are the updates for the {chosen.loss_name}, but the loss on line {line} is the "
    said += one.loss_name
    for fault in derivative_faults(replace(analysis, chosen=one), one)[:1]:
        return [replace(fault, text=f"{said}: {fault.text}", other_line=line)]
    slope = "is missing" if chosen.loss_name != "squared error" else "should not be there"
    at = chosen.meetings[0][0].op if chosen.meetings[0] else op
    text = f"{said}: the slope f′ at the output {slope}"
    return [fault_at(analysis, "derivative", at, text, other_line=line)]

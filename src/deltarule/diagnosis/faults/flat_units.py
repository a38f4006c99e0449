"""Units that are only on or off: a · (1 − a) is 0 for both, so what comes before them is never trained."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import RIGHT, ZERO
from deltarule.diagnosis.reading.updates import change_of, updates_on
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values


def flat_units_of(analysis: Analysis) -> Fault | None:
    """A slope a · (1 − a) of units that a comparison turns on or off, if no step moves their weights."""
    still = _never_moved(analysis)
    slopes = [one for one in _slopes(analysis.source) if _is_flat(analysis, one, still)] if still else []
    if not slopes:
        return _switched(analysis)
    names = tuple(dict.fromkeys(analysis.source.target_of(op) for op in still))
    text = "a comparison makes the activation 0 or 1, so this slope is 0 for all units"
    return _never_trained(analysis, slopes[0].lineno, text, names)


def _switched(analysis: Analysis) -> Fault | None:
    """The same, whatever the slope is, where weights behind such units see them change."""
    chosen, tape = analysis.chosen, analysis.tape
    every = list(chosen.by_parameter().values()) if chosen else []
    still = [rows[0] for rows in every if len(rows) > 1 and all(row.verdict == ZERO for row in rows)]
    moving = {int(row.change.old[0]) for rows in every for row in rows if row.verdict == RIGHT}
    seen: dict[Any, list[Values]] = {}
    leaves = 0
    for op in tape.operations if still else ():
        is_product = op.name in ("dot", "matmul", "multiply") and op.old is None and len(op.inputs) == 2
        for side, ids in enumerate(op.inputs if is_product else ()):
            if ids is not None and ids.size and int(ids.flat[0]) in moving:
                other = op.inputs[1 - side]
                if other is None or _is_switch(tape, other):
                    seen.setdefault(op.spot, []).append(tape.operand(op, 1 - side))
                    leaves |= tape.leaves(other)
    followed = 0
    for one in (one for some in chosen.meetings for one in some) if chosen else ():
        followed |= tape.leaves(one.output)
    only_compared = tape.compared & ~followed
    flat = [row for row in still if not row.change.updates[0].leaves & ~(leaves | only_compared)]
    if not flat or not any(_changes(values) for values in seen.values()):
        return None
    made = [tape.operations[k] for k in sorted(flat[0].change.sources)]
    at = next((op for op in made if op.name == "multiply" and not tape.result(op).any()), None)
    names = tuple(dict.fromkeys(row.change.name for row in flat))
    text = "units that are only on or off have no slope"
    return _never_trained(analysis, at or flat[0].change.updates[0], text, names)


def _never_trained(analysis: Analysis, at: Operation | int, why: str, names: tuple[str, ...]) -> Fault:
    text = f"{why}: {' and '.join(names)} will never be trained. Use the sigmoid, tanh or ReLU with its slope"
    return fault_at(analysis, "derivative", at, text, parameters=names)


def _is_switch(tape: Tape, ids: Ids) -> bool:
    """Whether numbers are made by a function that jumps, and by none that bends."""
    names = {tape.operations[one].name for one in tape.ancestors(ids)}
    return bool(names & {"heaviside", "sign"}) and not names & {"exp", "tanh", "maximum"}


def _changes(values: list[Values]) -> bool:
    """Whether there are two values, and some place has both of them: of rows, columns or single samples."""
    if len(np.unique(np.concatenate([one.ravel() for one in values]))) != 2:
        return False
    if len({one.shape for one in values}) == 1 and np.ptp(np.stack(values), axis=0).any():
        return True
    return any(one.ndim == 2 and all(np.ptp(one, axis=k).any() for k in (0, 1)) for one in values)


def _is_flat(analysis: Analysis, slope: ast.BinOp, still: list[Operation]) -> bool:
    """Whether a slope belongs to these updates, and its a is no number that can be followed to parameters."""
    tape, source = analysis.tape, analysis.source
    parameters = 0
    for op in updates_on(tape):
        parameters |= op.leaves
    on_line = (op for op in tape.operations if op.name == "subtract" and source.line(op) == slope.lineno)
    if any(op.leaves & parameters for op in on_line):
        return False
    own = _function_at(source, slope.lineno)
    makers = [_function_at(source, source.line(op)) for op in still]
    return any(own is maker or (own and _calls(source, maker, own.name)) for maker in makers)


def _never_moved(analysis: Analysis) -> list[Operation]:
    """The updates of parameters that only comparisons depend on, if no step there changes any of them.

    Where the same code changes some, the others belong to units that were dropped, say, in all steps seen.
    """
    tape, by_root = analysis.tape, defaultdict[int, list[Operation]](list)
    for op in updates_on(tape):
        by_root[int(tape.root[op.start])].append(op)
    adjoints = [one.adjoint for one in analysis.chosen.losses] if analysis.chosen else []
    found, moved = list[Operation](), set[Any]()
    for ops in by_root.values():
        is_compared = not ops[0].leaves & ~tape.compared
        has_gradient = any(adjoint[op.old].any() for adjoint in adjoints for op in ops if op.old is not None)
        moved |= {op.spot for op in ops if change_of(tape, op).any()}
        found += ops if is_compared and not has_gradient else []
    still = [op for op in found if op.spot not in moved]
    return still if len(still) > 1 else []


def _slopes(source: ProgramSource) -> list[ast.BinOp]:
    """Products with factors a and 1 − a, in the order of their lines."""
    found = []
    for node in source.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            factors = _factors(node)
            written = {ast.unparse(one) for one in factors}
            for one in factors:
                match one:
                    case ast.BinOp(ast.Constant(1 | 1.0), ast.Sub(), a) if ast.unparse(a) in written:
                        found.append(node)
    return sorted(found, key=lambda one: one.lineno)


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _function_at(source: ProgramSource, line: int) -> ast.FunctionDef | None:
    """The innermost function in which a line stands."""
    around = [one for one in source.functions if one.lineno <= line <= (one.end_lineno or 0)]
    return max(around, key=lambda one: one.lineno, default=None)


def _calls(source: ProgramSource, caller: ast.FunctionDef | None, name: str) -> bool:
    calls = (one.func for one in ast.walk(caller or source.tree) if isinstance(one, ast.Call))
    return any(name in (getattr(one, "id", ""), getattr(one, "attr", "")) for one in calls)

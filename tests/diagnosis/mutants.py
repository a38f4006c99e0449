"""Mutants of right programs: one change each, wrong or not by what it does to the steps."""

import ast
import contextlib
import itertools
import random
import re
from dataclasses import dataclass

import numpy as np

ROUNDS = 3


@dataclass(frozen=True)
class Mutant:
    """A program with one change on a line (on the first of two, where two statements are swapped)."""

    name: str
    kind: str
    text: str
    line: int
    other: int
    target: str
    is_wrong: bool


class _Enough(Exception):
    """All rounds were seen."""


def steps_of(text):
    """What each round does to each parameter; None where the program does not run that far."""
    seen = []

    def watch(*arrays):
        seen.append(
            [np.concatenate([np.ravel(one).astype(float) for one in _parts(array)]) for array in arrays]
        )
        if len(seen) > ROUNDS:
            raise _Enough

    code = re.sub(
        r"# watch (.*)",
        lambda found: f"__watch__({', '.join(found[1].split(' '))})",
        text.replace("# backward", ""),
    )
    with np.errstate(all="ignore"), contextlib.suppress(_Enough):
        try:
            exec(compile(code, "mutant", "exec"), {"__watch__": watch, "__name__": "mutant"})
        except (ValueError, IndexError, ZeroDivisionError, OverflowError, TypeError, KeyError, NameError):
            return None
    if len(seen) <= ROUNDS or len({tuple(map(len, one)) for one in seen}) > 1:
        return None
    return [[after - before for before, after in zip(a, b, strict=True)] for a, b in itertools.pairwise(seen)]


def _parts(array):
    return [part for one in array for part in _parts(one)] if isinstance(array, list | tuple) else [array]


def differ(right, other):
    """Whether the steps differ by more than one factor; None where numbers overflow."""
    first, mine = np.concatenate(right[0]), np.concatenate(other[0])
    if not all(np.isfinite(one).all() for step in other for one in step):
        return None
    factor = float(first @ mine) / float(first @ first)
    if factor <= 0 or _apart(right[0], other[0], factor):
        return True
    return abs(factor - 1) < 1e-6 and any(_apart(a, b, 1.0) for a, b in zip(right, other, strict=True))


def _apart(right, other, factor):
    return any(
        np.linalg.norm(mine - factor * one) > 1e-6 * np.linalg.norm(mine) + 1e-13
        for one, mine in zip(right, other, strict=True)
    )


def _changes(node, text):
    """(kind, new text) of each mutant of an expression."""

    def part(one):
        return ast.get_source_segment(text, one)

    if isinstance(node, ast.BinOp):
        a, b = part(node.left), part(node.right)
        table = {
            ast.Mult: [("factor", f"({a})"), ("factor", f"({b})"), ("operator", f"(({a}) + ({b}))")],
            ast.Div: [("factor", f"({a})"), ("operator", f"(({a}) * ({b}))")],
            ast.Sub: [("sign", f"(({a}) + ({b}))")],
            ast.Add: [("sign", f"(({a}) - ({b}))"), ("term", f"({a})"), ("term", f"({b})")],
            ast.Pow: [("operator", f"({a})")],
            ast.MatMult: [("operand", f"(({b}) @ ({a}))")],
        }
        yield from table.get(type(node.op), [])
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", part(node.value)
    if isinstance(node, ast.Attribute) and node.attr == "sum":
        yield "mean", part(node)[:-3] + "mean"
    if isinstance(node, ast.Constant) and node.value in (1, 2) and type(node.value) is int:
        yield "constant", str(node.value + 1)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in {node.id[1:], re.sub(r"\d$", lambda found: str(int(found[0]) % 3 + 1), node.id)} - {
            node.id,
            "",
        }:
            if re.search(rf"^\s*{other}\b.* = |, {other} = ", text, re.M):
                yield "operand", other


def _candidates(text):
    lines = text.split("\n")
    start = next(k for k, line in enumerate(lines, 1) if "# backward" in line)
    end = max(k for k, line in enumerate(lines, 1) if "# watch" in line)
    for node in ast.walk(ast.parse(text)):
        if start < getattr(node, "lineno", 0) < end and node.lineno == node.end_lineno:
            line = lines[node.lineno - 1]
            for kind, new in _changes(node, text):
                changed = line[: node.col_offset] + new + line[node.end_col_offset :]
                yield kind, node.lineno, 0, "", [*lines[: node.lineno - 1], changed, *lines[node.lineno :]]
            if isinstance(node, ast.Assign | ast.AugAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                changed = line[: node.col_offset] + "pass"
                rest = [*lines[: node.lineno - 1], changed, *lines[node.lineno :]]
                yield "deleted", node.lineno, 0, ast.unparse(target), rest
    for k in range(start, end - 2):
        both = lines[k : k + 2]
        if all(re.match(r"    \w+ -?= ", one) for one in both):
            yield "swapped", k + 1, k + 2, "", [*lines[:k], *both[::-1], *lines[k + 2 :]]


def mutants_of(name, text, count):
    """Up to so many mutants, drawn by lot."""
    text = text.strip("\n")
    right = steps_of(text)
    assert right is not None, name
    everything = list(_candidates(text))
    random.Random(name).shuffle(everything)
    made = {text}
    for kind, line, other, target, lines in everything:
        mutant = "\n".join(lines)
        if mutant in made or len(made) > count:
            continue
        try:
            ast.parse(mutant)
        except SyntaxError:
            continue
        steps = steps_of(mutant)
        is_wrong = differ(right, steps) if steps is not None else None
        if is_wrong is not None:
            made.add(mutant)
            yield Mutant(name, kind, mutant, line, other, target, is_wrong)


def is_right_line(mutant, fault):
    """Whether a fault stands on the line that was changed, or on one that lacks what was deleted."""
    between = sorted((fault.line, fault.other_line or fault.line))
    if mutant.kind != "deleted":
        changed = "already changed" in fault.text and fault.other_line in (mutant.line, mutant.other)
        return fault.line in (mutant.line, mutant.other) or changed
    names = {one.lower() if '"' in one else one.lower().split("[")[0] for one in fault.parameters}
    target = mutant.target.lower().replace("'", '"')
    if fault.kind == "untrained" and {target, target.split("[")[0]} & names:
        return True
    name = re.split(r"[\[.]", mutant.target)[0]
    lines = mutant.text.split("\n")
    uses = [k for k, line in enumerate(lines, 1) if re.search(rf"(?<![\w.]){name}\b", line)]
    near = [k for k in uses if k > mutant.line][:3] + [k for k in uses if k < mutant.line][-1:]
    return between[0] <= mutant.line <= between[1] or fault.line in near

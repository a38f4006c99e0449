"""``%load_ext deltarule``: check a cell (``%%deltarule``), a function or an object (``%deltarule name``)."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from deltarule.diagnosis.check import check
from deltarule.diagnosis.observation import Diagnosis
from deltarule.diagnosis.observation.scratch import scratch_for
from deltarule.errors import DeltaruleError

_USAGE = (
    "%%deltarule at the top of a cell checks the cell; %deltarule name checks a function or an "
    "object; --seconds 60 gives it more time."
)


def register(shell: Any) -> None:
    """Add the two magics to an IPython shell."""
    shell.register_magic_function(partial(_check, shell), magic_kind="line_cell", magic_name="deltarule")


def _check(shell: Any, line: str, cell: str | None = None) -> None:
    """Print the report on a cell, or on a name of the notebook."""
    options = re.fullmatch(r"\s*(?:--seconds[ =](\d+\.?\d*))?\s*(\w*)\s*", line)
    if options is None or bool(options.group(2)) == (cell is not None):
        print(_USAGE)
        return
    seconds, name = float(options.group(1) or 20.0), options.group(2)
    try:
        if cell is not None:
            print(_of_cell(cell, list(shell.user_ns.get("In", [])), seconds))
        elif name in shell.user_ns:
            print(check(shell.user_ns[name], seconds=seconds))
        else:
            print(f"There is no {name} in this notebook.")
    except DeltaruleError as error:
        print(error)


def _of_cell(cell: str, history: Sequence[str], seconds: float) -> Diagnosis:
    """Observe a cell with the earlier ones that it needs; lines are told as the cell counts them."""
    before = "".join(one.rstrip("\n") + "\n" for one in _needed(cell, history))
    with scratch_for(Path.cwd()) as (_, here):
        program = here / "cell.py"
        program.write_text(before + cell, encoding="utf-8")
        return _as_counted(check(program, seconds=seconds), before.count("\n"))


def _needed(cell: str, history: Sequence[str]) -> list[str]:
    """The latest cells, in their order, that define what the cell uses and does not define."""
    _, wanted = _names(cell)
    chosen: set[int] = set()
    for number in range(len(history) - 1, 0, -1):
        defined, used = _names(history[number])
        if defined & wanted:
            chosen.add(number)
            wanted = (wanted - defined) | used
    return [history[number] for number in sorted(chosen)]


def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that code binds, and those that it uses but does not bind; none of what is no Python."""
    try:
        tree = ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.M))
    except (SyntaxError, ValueError):
        return set(), set()
    nodes = list(ast.walk(tree))
    changed = {id(one.target) for one in nodes if isinstance(one, ast.AugAssign)}
    bound = {name for one in nodes for name in _bound_by(one) if id(one) not in changed}
    used = {one.id for one in nodes if isinstance(one, ast.Name)} - bound
    return bound, used - set(vars(builtins))


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Names that an assignment, a definition, an import or a parameter binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((one.asname or one.name).partition(".")[0] for one in node.names)
    elif isinstance(node, ast.arg):
        yield node.arg


def _as_counted(seen: Diagnosis, before: int) -> Diagnosis:
    """The same with the lines of a program that has so many lines before the cell."""

    def line(number: int) -> int:
        return max(0, number - before)

    def text(told: str) -> str:
        return re.sub(r"\bline (\d+)", place, told)

    def place(found: re.Match[str]) -> str:
        number = int(found.group(1))
        return f"line {number - before}" if number > before else f"line {number} of the earlier cells"

    def counted(one: Any, *names: str) -> Any:
        """A record with these of its fields as the cell counts lines."""
        now: dict[str, Any] = {}
        for name in names:
            old = getattr(one, name)
            change = line if isinstance(old, int) else text
            now[name] = tuple(map(text, old)) if isinstance(old, tuple) else change(old)
        return replace(one, **now)

    return replace(
        counted(seen, "loss_line", "notes", "unseen", "error", "found", "obstacle", "obstacle_line"),
        faults=tuple(counted(one, "line", "other_line", "text", "last_right") for one in seen.faults),
        parameters=tuple((name, line(at), shape, found) for name, at, shape, found in seen.parameters),
        lines={line(number): shown for number, shown in seen.lines.items()},
    )

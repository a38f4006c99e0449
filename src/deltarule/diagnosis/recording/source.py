"""The learner's source: read, made recordable, and found again from an instruction."""

from __future__ import annotations

import ast
import json
import linecache
import re
from functools import cached_property, lru_cache
from operator import attrgetter
from pathlib import Path
from types import CodeType
from typing import Any

from deltarule.diagnosis.recording.rewriting import PARAMETER, Rewriting
from deltarule.diagnosis.recording.slips import Slip, without_slips
from deltarule.diagnosis.recording.tape import Frame, Operation

#: What the name of a derivative by one, or of a change of it, begins with.
_DERIVATIVE = re.compile(r"(\w*\.)*_*(d|d_?l_?d|grad\w*|delta|nabla)_", re.I)


def is_parameter(name: str) -> bool:
    """Whether a name is one that learners give to weights and biases."""
    return bool(PARAMETER.match(name)) and not _DERIVATIVE.match(name)


class ProgramSource:
    """The text of a program with its syntax tree."""

    def __init__(self, text: str, path: str, is_translated: bool = False) -> None:
        self.text, self.path = text, path
        #: Whether it was written for Python 2.
        self.is_translated = is_translated
        #: Lines that Python cannot read, which were mended or left out.
        self.slips: tuple[Slip, ...] = ()
        self.lines = text.split("\n")
        self.tree = ast.parse(text)
        #: Every node of the tree.
        self.nodes = list(ast.walk(self.tree))
        #: By the name and line of a function, what it does with its parameters, as far as that was asked.
        self.uses: dict[tuple[str, int], Any] = {}
        self._nodes: dict[tuple[int, ...], ast.AST] = {}
        self._parents: dict[int, ast.AST] = {}
        for node in self.nodes:
            for child in ast.iter_child_nodes(node):
                self._parents[id(child)] = node
            if isinstance(node, ast.expr | ast.stmt):
                position = (node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0)
                self._nodes[position] = node

    def text_at(self, line: int) -> str:
        """A line of the program; empty where there is none."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def recordable(self) -> CodeType:
        """The program, compiled with what recording needs in its place."""
        return compile(self.recordable_tree(), self.path, "exec")

    @cached_property
    def codes(self) -> list[CodeType]:
        """The code of every function in it, recordable."""
        found = [self.recordable()]
        for code in found:
            found += [one for one in code.co_consts if isinstance(one, CodeType)]
        return found

    def recordable_tree(self) -> ast.Module:
        """The tree of the program with what recording needs in its place."""
        tree: ast.Module = ast.fix_missing_locations(Rewriting().visit(ast.parse(self.text)))
        return tree

    @cached_property
    def assignments(self) -> dict[str, list[int]]:
        """By name, the lines that assign something to it."""
        found: dict[str, list[int]] = {}
        for node in self._nodes.values():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.setdefault(node.id, []).append(node.lineno)
        return found

    def node(self, frame: Frame) -> ast.AST | None:
        """The expression that an instruction computes."""
        return self._nodes.get(_positions(frame[0])[frame[1] // 2])

    def parent(self, node: ast.AST | None) -> ast.AST | None:
        """What an expression is a part of."""
        return self._parents.get(id(node))

    @cached_property
    def functions(self) -> list[ast.FunctionDef]:
        """All functions and methods of the program."""
        return [one for one in self.nodes if isinstance(one, ast.FunctionDef)]

    def function_at(self, name: str, line: int) -> ast.FunctionDef | None:
        """The function of that name that begins on a line, or whose first decorator does."""
        named = [one for one in self.functions if one.name == name]
        starts = [[one.lineno, *(each.lineno for each in one.decorator_list)] for one in named]
        return next((one for one, lines in zip(named, starts, strict=True) if line in lines), None)

    def frame(self, op: Operation) -> Frame | None:
        """The innermost call in this file that an operation stands in."""
        return next((one for one in op.place if one[0].co_filename == self.path), None)

    def line(self, op: Operation) -> int:
        """The line of an operation; 0 for none."""
        frame = self.frame(op)
        return frame[2] if frame else 0

    def expression(self, op: Operation) -> ast.AST | None:
        """The expression of an operation."""
        frame = self.frame(op)
        return self.node(frame) if frame else None

    def statement(self, op: Operation) -> ast.stmt | None:
        """The statement that an operation stands in."""
        return self.statement_of(self.expression(op))

    def statement_of(self, node: ast.AST | None) -> ast.stmt | None:
        """The statement that an expression is a part of."""
        while node is not None and not isinstance(node, ast.stmt):
            node = self.parent(node)
        return node

    def _operand(self, op: Operation, side: int) -> ast.AST | None:
        node = self.expression(op)
        if isinstance(node, ast.BinOp):
            return node.left if side == 0 else node.right
        if isinstance(node, ast.AugAssign):
            return node.target if side == 0 else node.value
        if isinstance(node, ast.Call) and len(node.args) > side:  # np.add(w, a)
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            return node.args[side] if called == op.name else None
        return None

    def operand_text(self, op: Operation, side: int) -> str:
        """The text of an operand."""
        return self.segment(self._operand(op, side))

    def is_literal(self, op: Operation, side: int) -> bool:
        """Whether an operand is a number written there (or in a library), as in ``1 - a``, or ones."""
        constant, node = op.constants[side], self._operand(op, side)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("ones", "ones_like"):
            return True
        if constant is not None and constant.size > 1:
            return False
        if node is None:
            return constant is not None
        try:
            ast.literal_eval(node)
        except ValueError:
            return False
        return True

    def is_shrunk(self, op: Operation) -> bool:
        """Whether a product is ``(1 - a) * w``: w with a penalty taken from it."""
        node = self.expression(op)
        sides = (node.left, node.right) if isinstance(node, ast.BinOp) else ()
        return any(isinstance(one, ast.BinOp) and ast.unparse(one).startswith("1 - ") for one in sides)

    def rewrites(self, op: Operation, side: int) -> bool:
        """Whether a sum is written over its own operand, as in ``w -= a`` or ``w = w - a``."""
        node, holder = self.expression(op), self.parent(self.expression(op))
        if isinstance(node, ast.AugAssign):
            return side == 0
        operand = self._operand(op, side)
        if not isinstance(holder, ast.Assign) or operand is None or len(holder.targets) != 1:
            return False
        return ast.unparse(holder.targets[0]) == ast.unparse(operand)

    def segment(self, node: ast.AST | None) -> str:
        """The text of an expression, on one line."""
        if not isinstance(node, ast.expr | ast.stmt) or node.end_lineno is None:
            return ""
        rows = [row.encode() for row in self.lines[node.lineno - 1 : node.end_lineno]]
        rows[-1] = rows[-1][: node.end_col_offset]
        rows[0] = rows[0][node.col_offset :]
        return " ".join(b" ".join(rows).decode().split())

    def text_of(self, op: Operation) -> str:
        """The text of an operation's expression, or its line."""
        return self.segment(self.expression(op)) or self.text_at(self.line(op)).strip()

    def name_of(self, op: Operation) -> str:
        """The name that the result of an operation was given at once; empty for none."""
        if op.label:
            return op.label
        for frame in op.place:
            node = self.node(frame) if frame[0].co_filename == self.path else None
            holder = self.parent(node)
            if isinstance(node, ast.AugAssign):
                return ast.unparse(node.target)
            if isinstance(holder, ast.Assign) and len(holder.targets) == 1:
                return ast.unparse(holder.targets[0])
            outer = self.parent(holder)
            if isinstance(holder, ast.Tuple) and isinstance(outer, ast.Assign):
                target = outer.targets[0]
                if isinstance(target, ast.Tuple) and len(target.elts) == len(holder.elts):
                    return ast.unparse(target.elts[[*map(id, holder.elts)].index(id(node))])
            if not isinstance(holder, ast.Return | ast.Lambda):
                return ""
        return ""

    def last_assignment(self, name: str) -> int:
        """The last line that assigns to a name; 0 for none."""
        lines = [0]
        for node in self.nodes:
            targets = node.targets if isinstance(node, ast.Assign) else []
            targets = [node.target] if isinstance(node, ast.AugAssign) else targets
            parts = [one for target in targets for one in getattr(target, "elts", [target])]
            lines += [node.lineno for one in parts if isinstance(node, ast.stmt) and ast.unparse(one) == name]
        return max(lines)

    def target_of(self, op: Operation) -> str:
        """The name of what the statement of an update writes to."""
        for frame in op.place:
            node = self.node(frame) if frame[0].co_filename == self.path else None
            inner = node
            while node is not None:
                if isinstance(node, ast.AugAssign):
                    return ast.unparse(node.target)
                if isinstance(node, ast.Assign) and len(node.targets) == 1:
                    if isinstance(node.value, ast.Tuple) and isinstance(inner, ast.BinOp):
                        return ast.unparse(inner.left)
                    return ast.unparse(node.targets[0])
                node = self.parent(node)
            if isinstance(inner, ast.BinOp) and op.old is not None:
                return ast.unparse(inner.left)
        return "a parameter"


@lru_cache(maxsize=512)
def _positions(code: CodeType) -> list[tuple[int, ...]]:
    return [tuple(one or 0 for one in position) for position in code.co_positions()]


def read_source(path: str | Path, text: str | None = None) -> ProgramSource:
    """Read a program (or take its text), or the code cells of a notebook.

    Python 2 is translated; of a program that is Python but for a few lines, those are its slips.
    """
    path = Path(path).resolve() if text is None else path
    if text is None:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    if str(path).endswith(".ipynb"):
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n".join("".join(cell["source"]) + "\n" for cell in cells)
    text = re.sub(r"^(\s*)[%!][a-zA-Z].*$", r"\1pass", text, flags=re.M)
    try:
        return ProgramSource(text, str(path))
    except SyntaxError as error:
        first = error
    expanded = text.expandtabs(8)
    translated = _from_python_2(expanded)
    try:
        return ProgramSource(translated, str(path), is_translated=True)
    except SyntaxError:
        if str(path).endswith(".ipynb"):  # a cell may be an exercise that was left open
            raise first from None
    is_translated = translated != expanded
    readable, slips = without_slips(translated if is_translated else text)
    if is_translated and not all(one.is_mended for one in slips):  # more of Python 2 than is known here
        raise first
    source = ProgramSource(readable, str(path), is_translated)
    source.slips = slips
    return source


def source_of(code: CodeType) -> ProgramSource:
    """The file (or cell) that live code was written in; an empty one where that is gone."""
    linecache.checkcache(code.co_filename)
    return _read_once(code.co_filename, "".join(linecache.getlines(code.co_filename)))


@lru_cache(maxsize=32)
def _read_once(path: str, text: str) -> ProgramSource:
    try:
        return read_source(path, text)
    except SyntaxError:
        return ProgramSource("", path)


def recordable_code(code: CodeType) -> CodeType:
    """Live code, compiled again with what recording needs; itself where its text is gone."""
    marks = attrgetter("co_name", "co_firstlineno", "co_freevars")
    alike = [one for one in source_of(code).codes if marks(one) == marks(code)]
    positions = set(code.co_positions())
    return max(alike, key=lambda one: len(positions & set(one.co_positions())), default=code)


#: What Python 2 writes otherwise, and how it is written today: print, except, raise, <>.
_PYTHON_2 = (
    (r"^(\s*|.*:[ \t]+)print\b[ \t]*(?![(\s])([^#\n]*?),?[ \t]*(#.*)?$", r"\1print(\2)"),
    (r"^(\s*|.*:[ \t]+)print[ \t]*$", r"\1print()"),
    (r"^(\s*|.*:[ \t]+)print[ \t]*(\([^#\n]*\)[ \t]*%[^#\n]*)$", r"\1print(\2)"),
    (r"^(\s*except\s+[\w.]+)\s*,\s*(\w+)\s*:", r"\1 as \2:"),
    (r"^(\s*raise\s+[\w.]+)\s*,\s*([^#\n]+?)[ \t]*(#.*)?$", r"\1(\2)"),
    (r"^([^#'\"\n]*)<>", r"\1!="),
)


def _on_one_line(text: str) -> str:
    """With each print of Python 2 on one line that is written over several."""
    lines = text.split("\n")
    for k, line in enumerate(lines):
        if not re.match(r"\s*print\b(?!\s*\()", line):
            continue
        for j in range(k + 1, min(k + 12, len(lines))):
            is_open = sum(map(lines[k].count, "([{")) > sum(map(lines[k].count, ")]}"))
            if not is_open and not lines[k].rstrip().endswith("\\"):
                break
            lines[k], lines[j] = lines[k].rstrip().rstrip("\\") + " " + lines[j].strip(), ""
    return "\n".join(lines)


def _from_python_2(text: str) -> str:
    """Write the statements of Python 2 as today's; what is no Python at all stays and is refused later."""
    text = _on_one_line(text)
    for old, new in _PYTHON_2:
        text = re.sub(old, new, text, flags=re.M)
    return text

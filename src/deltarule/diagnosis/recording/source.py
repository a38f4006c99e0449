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

from deltarule.diagnosis.recording.tape import Frame, Operation

_PARAMETER = re.compile(
    r"(?i)(\w*\.)*_*(w|b|v|u|weight|bias|theta|coef|slope|intercept|param)s?(_?[a-z]{0,3})?_?\d*$"
    r"|.*(weight|bias|theta)\w*$"
)


#: What the name of a derivative by one, or of a change of it, begins with.
_DERIVATIVE = re.compile(r"(\w*\.)*_*(d|d_?l_?d|grad\w*|delta|nabla)_", re.I)


def is_parameter(name: str) -> bool:
    """Whether a name is one that learners give to weights and biases."""
    return bool(_PARAMETER.match(name)) and not _DERIVATIVE.match(name)


_LIBRARIES = frozenset({"np", "numpy", "math", "random", "plt", "time", "os", "sys", "pd"})
_PLAIN_CALLS = frozenset([
    "print", "range", "round", "int", "str", "len", "enumerate", "zip", "isinstance", "format", "input",
    "max", "min", "sorted", "open", "sum", "abs", "pow", "xrange", "raw_input",
])  # fmt: skip


class ProgramSource:
    """The text of a program with its syntax tree."""

    def __init__(self, text: str, path: str, is_translated: bool = False) -> None:
        self.text, self.path = text, path
        #: Whether it was written for Python 2.
        self.is_translated = is_translated
        self.lines = text.split("\n")
        self.tree = ast.parse(text)
        #: By the name and line of a function, what it does with its parameters, as far as that was asked.
        self.uses: dict[tuple[str, int], Any] = {}
        self._nodes: dict[tuple[int, ...], ast.AST] = {}
        self._parents: dict[int, ast.AST] = {}
        for node in ast.walk(self.tree):
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
        tree: ast.Module = ast.fix_missing_locations(_Rewriting().visit(ast.parse(self.text)))
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

    def function_at(self, name: str, line: int) -> ast.FunctionDef | None:
        """The function of that name that begins on a line, or whose first decorator does."""
        functions = [one for one in ast.walk(self.tree) if isinstance(one, ast.FunctionDef)]
        named = [one for one in functions if one.name == name]
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
        for node in ast.walk(self.tree):
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
    """Read a program (or take its text), or the code cells of a notebook; Python 2 is translated."""
    path = Path(path).resolve() if text is None else path
    if text is None:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    if str(path).endswith(".ipynb"):
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n".join("".join(cell["source"]) + "\n" for cell in cells)
    text = re.sub(r"^(\s*)[%!][a-zA-Z].*$", r"\1pass", text, flags=re.M)
    try:
        return ProgramSource(text, str(path))
    except SyntaxError:
        return ProgramSource(_from_python_2(text.expandtabs(8)), str(path), is_translated=True)


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


#: Statements of Python 2, and how they are written today: print, except.
_PYTHON_2 = (
    (r"^(\s*|.*:[ \t]+)print\b[ \t]*(?![(\s])([^#\n]*?),?[ \t]*(#.*)?$", r"\1print(\2)"),
    (r"^(\s*|.*:[ \t]+)print[ \t]*$", r"\1print()"),
    (r"^(\s*except\s+[\w.]+)\s*,\s*(\w+)\s*:", r"\1 as \2:"),
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


def _without_format(node: ast.expr) -> ast.expr:
    """The number in ``f"{x:.3f}"``, ``"%.3f" % x``: rounded only to be shorter, it stays what it is."""
    match node:
        case ast.JoinedStr([ast.FormattedValue(x, _, ast.JoinedStr([ast.Constant(str(how))]))]):
            pass
        case ast.BinOp(ast.Constant(str(how)), ast.Mod(), x):
            pass
        case ast.Call(ast.Attribute(ast.Constant(str(how)), "format"), [x]):
            pass
        case ast.Call(ast.Name("format"), [x, ast.Constant(str(how))]):
            pass
        case _:
            return node
    is_number = re.fullmatch(r"%?(\{0?:)?\.([2-9]|\d\d)[efg]\}?", how) and not isinstance(x, ast.Tuple)
    return x if is_number else node


def _is_written_array(node: ast.Call) -> bool:
    """Whether an array is written out, as ``np.array([[0.1, 0.2], [0.3, 0.4]])``."""
    if not isinstance(node.func, ast.Attribute) or not re.fullmatch(r"(as)?(array|matrix)", node.func.attr):
        return False
    try:
        return isinstance(ast.literal_eval(node.args[0]), list | tuple)
    except (ValueError, IndexError, TypeError):
        return False


def _mix_no_kinds(rows: list[ast.expr]) -> None:
    """Make the whole numbers of a column with a point elsewhere such numbers: 1 in ``[(0, 1), (1, 0.5)]``."""
    lists = [one.elts for one in rows if isinstance(one, ast.Tuple | ast.List)]
    if len(lists) < len(rows) or len({len(one) for one in lists}) != 1:
        return
    for column in zip(*lists, strict=True):
        numbers = [one for one in column if isinstance(one, ast.Constant)]
        if any(type(one.value) is float for one in numbers):
            for one in numbers:
                one.value = float(one.value) if type(one.value) is int else one.value


class _Rewriting(ast.NodeTransformer):
    """Puts calls where dispatch does not reach: literals, ``x.dot(y)``, ``[0.0] * n``."""

    @staticmethod
    def _call(name: str, node: ast.expr, *args: ast.expr) -> ast.expr:
        function = ast.copy_location(ast.Name(name, ast.Load()), node)
        return ast.copy_location(ast.Call(function, list(args) or [node], []), node)

    def _leaf(self, node: ast.expr) -> ast.expr:
        inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
        if isinstance(inner, ast.Constant) and type(inner.value) is float:
            return self._call("__leaf__", node)
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        _mix_no_kinds(node.elts)
        return self.visit_Tuple(node)

    def visit_Tuple(self, node: ast.Tuple | ast.List) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.elts = self._elements(node.elts)
        return node

    def _elements(self, nodes: list[ast.expr]) -> list[ast.expr]:
        return [self._leaf(one) for one in nodes]

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        node.elt = self._leaf(node.elt)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        node.values = self._elements(node.values)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) and isinstance(node.left, ast.List):
            return self._call("__repeated__", node, node.left, node.right)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_written_array(node):
            return node  # one array, not many single numbers
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute):
            owner = function.value.id if isinstance(function.value, ast.Name) else ""
            if function.attr == "dot" and len(node.args) == 1 and owner not in _LIBRARIES:
                return self._call("__dot__", node, function.value, *node.args)
            if owner in _LIBRARIES:
                return node
        if isinstance(function, ast.Name) and function.id == "float":
            node.func = ast.copy_location(ast.Name("__float__", ast.Load()), function)
            node.args = [_without_format(one) for one in node.args]
        elif not (isinstance(function, ast.Name) and function.id in _PLAIN_CALLS):
            node.args = self._elements(node.args)
            for one in node.keywords:
                one.value = self._leaf(one.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        node.value = self._assigned(node.targets[0], node.value)
        return node

    def _assigned(self, target: ast.expr, value: ast.expr) -> ast.expr:
        if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            return value
        name = ast.unparse(target if not isinstance(target, ast.Subscript) else target.value)
        key = target.slice if isinstance(target, ast.Subscript) else None
        named = isinstance(key, ast.Constant) and isinstance(key.value, str) and _PARAMETER.match(key.value)
        if _PARAMETER.match(name) or named:
            return self._owned(value)
        return self._leaf(value)

    def _owned(self, node: ast.expr) -> ast.expr:
        """The numbers of a parameter, those in lists too, whole ones too."""
        match node:
            case ast.Constant() | ast.Name() | ast.UnaryOp():
                return self._call("__own__", node)
            case ast.List():
                node.elts = [self._owned(one) for one in node.elts]
            case ast.ListComp():
                node.elt = self._owned(node.elt)
            case ast.Call(ast.Name("__repeated__"), [items, _]):
                node.args[0] = self._owned(items)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        for one in (*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs):
            one.annotation = None
        return node

"""A program's tree with what recording needs: calls where dispatch does not reach."""

from __future__ import annotations

import ast
import re

from deltarule.diagnosis.recording.demands import demanded_types

#: A name that learners give to weights and biases, or to a derivative by them.
PARAMETER = re.compile(
    r"(?i)(\w*\.)*_*(w|b|v|u|weight|bias|theta|coef|slope|intercept|param)s?(_?[a-z]{0,3})?_?\d*$"
    r"|.*(weight|bias|theta)\w*$"
)

_LIBRARIES = frozenset({"np", "numpy", "math", "random", "plt", "time", "os", "sys", "pd"})
_PLAIN_CALLS = frozenset([
    "print", "range", "round", "int", "str", "len", "enumerate", "zip", "isinstance", "format", "input",
    "max", "min", "sorted", "open", "sum", "abs", "pow", "xrange", "raw_input",
])  # fmt: skip


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


class Rewriting(ast.NodeTransformer):
    """Puts calls where dispatch does not reach: literals, ``x.dot(y)``, ``[0.0] * n``, ``type(x)``."""

    def __init__(self) -> None:
        self._demanded: dict[int, ast.expr] = {}

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
        types = self._demanded.pop(id(node), None)
        self.generic_visit(node)
        function = node.func
        if types is not None:
            node.args[0] = self._call("__demanded__", node.args[0], node.args[0], types)
        if isinstance(function, ast.Name) and function.id == "type" and len(node.args) == 1:
            return self._call("__type__", node, *node.args)
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

    def visit_If(self, node: ast.If) -> ast.AST:
        self._demanded.update(demanded_types(node))
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        self._demanded.update(demanded_types(node))
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        match node.targets[0], node.value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                node.value.elts = list(map(self._number_of, targets, values))
            case target, value:
                node.value = self._assigned(target, value)
        return node

    def _number_of(self, target: ast.expr, value: ast.expr) -> ast.expr:
        """What is assigned beside others: ``w, v = 1, -2``."""
        return self._assigned(target, value) if isinstance(value, ast.Constant | ast.UnaryOp) else value

    def _assigned(self, target: ast.expr, value: ast.expr) -> ast.expr:
        if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            return value
        name = ast.unparse(target if not isinstance(target, ast.Subscript) else target.value)
        key = target.slice if isinstance(target, ast.Subscript) else None
        named = isinstance(key, ast.Constant) and isinstance(key.value, str) and PARAMETER.match(key.value)
        if PARAMETER.match(name) or named:
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

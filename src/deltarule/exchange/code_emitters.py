"""Formulas as code: one emitter for each language that files are written in."""

from __future__ import annotations

from typing import ClassVar

from deltarule.errors import InputError
from deltarule.formula import tree
from deltarule.formula.emitter import ATOM, POWER, PRODUCT, SUM, Emitter, is_numeric, unwrapped, worked_out
from deltarule.formula.numbers import FULL
from deltarule.formula.text import text

_PRECEDENCE: dict[type[tree.Expr], int] = {
    tree.Choice: 0, tree.Compare: 0, tree.Add: SUM, tree.Rest: SUM, tree.Neg: SUM,
    tree.Mul: PRODUCT, tree.Div: PRODUCT,
}  # fmt: skip


class Code(Emitter[str]):
    """A formula of numbers as an expression of a programming language.

    ``owner`` says whose formula it is, for messages; ``names`` are the variables it may be written over.
    """

    functions: ClassVar[dict[str, str]]
    comparisons: ClassVar[dict[str, str]] = {">": ">", "<": "<", "=": "=="}

    def __init__(self, owner: str, names: tuple[tree.Expr, ...]) -> None:
        super().__init__(FULL)
        self.owner, self.names = owner, names

    def _refused(self, node: tree.Expr) -> str:
        raise InputError(
            f"{self.owner} cannot be exported, because {text(node)[:60]!r} cannot be computed: give it "
            "a formula of deltarule.formula.tree over z alone, such as 1 / (1 + exp(-z))"
        )

    def function(self, name: str, node: tree.Expr) -> str:
        """What the language calls a function."""
        return self.functions.get(name) or self._refused(node)

    def precedence(self, node: tree.Expr) -> int:
        """How tightly the code holds together: a call is an atom."""
        node = unwrapped(node)
        if isinstance(node, tree.Number):
            return SUM if node.number < 0 else ATOM
        if _bound(node) or (isinstance(node, tree.Call) and is_numeric(node)):
            return ATOM
        return PRODUCT if _is_short_power(node) else _PRECEDENCE.get(type(node), ATOM)

    def term(self, node: tree.Expr, first: bool) -> tuple[str, str]:
        sign, body = super().term(node, first)
        return sign.replace("−", "-"), body

    def group(self, body: str) -> str:
        return f"({body})"

    def number(self, node: tree.Number) -> str:
        number = float(node.number)
        if not abs(number) < float("inf"):
            return self._refused(node)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)

    def namedconstant(self, node: tree.NamedConstant) -> str:
        return self.number(tree.Number(node.number))

    def symbol(self, node: tree.Symbol) -> str:
        return node.base if node in self.names else self._refused(node)

    def neg(self, node: tree.Neg) -> str:
        return f"-{self.inside(node.body, PRODUCT)}"

    def add(self, node: tree.Add | tree.Rest) -> str:
        (sign, first), *others = [self.term(term, index == 0) for index, term in enumerate(node.terms)]
        return sign + first + "".join(f" {sign} {body}" for sign, body in others)

    rest = add

    def mul(self, node: tree.Mul) -> str:
        return " * ".join(self.factor(factor) for factor in node.factors)

    def div(self, node: tree.Div) -> str:
        return f"{self.inside(node.top, PRODUCT)} / {self.inside(node.bottom, POWER)}"

    def pow(self, node: tree.Pow) -> str:
        """A power; z² and z³ are products."""
        if _is_short_power(node) and isinstance(node.exponent, tree.Number):
            return " * ".join([self(node.body)] * int(node.exponent.number))
        return f"{self.function('pow', node)}({self(node.body)}, {self(node.exponent)})"

    def call(self, node: tree.Call) -> str:
        if is_numeric(node) and node.function in ("exp", "log", "tanh", "sqrt", "abs", "sign"):
            return self.number(tree.Number(float(worked_out(node))))
        if node.function == "sign":
            return self.sign(self(node.argument))
        return f"{self.function(node.function, node)}({self(node.argument)})"

    def sign(self, body: str) -> str:
        """−1, 0 or 1."""
        return f"{self.functions['sign']}({body})"

    def compare(self, node: tree.Compare) -> str:
        op = self.comparisons.get(node.op) or self._refused(node)
        return f"{self.inside(node.left, SUM)} {op} {self.inside(node.right, SUM)}"

    def choice(self, node: tree.Choice) -> str:
        bound = _bound(node)
        if bound:
            return self.bounded(bound, self(node.then))
        return self.either(self.inside(node.then, SUM), self(node.test), self.inside(node.other, SUM))

    def bounded(self, bound: str, body: str) -> str:
        """The larger (``max``) or the smaller (``min``) of a number and 0."""
        return f"{self.functions[bound]}({body}, {self(tree.Number(0))})"

    def either(self, then: str, test: str, other: str) -> str:
        """``then`` where the test holds, else ``other``."""
        return f"{test} ? {then} : {other}"

    words = total = partial = matrix = transpose = _refused


class NumpyCode(Code):
    """Over arrays."""

    functions: ClassVar[dict[str, str]] = {
        "abs": "np.abs", "exp": "np.exp", "expm1": "np.expm1", "log": "np.log", "log1p": "np.log1p",
        "max": "np.maximum", "min": "np.minimum", "pow": "np.power", "sign": "np.sign", "sqrt": "np.sqrt",
        "tanh": "np.tanh",
    }  # fmt: skip

    def precedence(self, node: tree.Expr) -> int:
        """A choice is a call here."""
        return ATOM if isinstance(node, tree.Choice) else super().precedence(node)

    def either(self, then: str, test: str, other: str) -> str:
        return f"np.where({test}, {then}, {other})"


class PythonCode(Code):
    """Over one number; for formulas that cannot overflow, at which ``math`` raises."""

    functions: ClassVar[dict[str, str]] = {
        "abs": "abs", "exp": "math.exp", "expm1": "math.expm1", "log": "math.log", "log1p": "math.log1p",
        "max": "max", "min": "min", "sqrt": "math.sqrt", "tanh": "math.tanh",
    }  # fmt: skip

    def either(self, then: str, test: str, other: str) -> str:
        return f"{then} if {test} else {other}"

    def bounded(self, bound: str, body: str) -> str:
        return f"{bound}({body}, 0.0)"

    def sign(self, body: str) -> str:
        return f"((({body}) > 0) - (({body}) < 0))"


class GuardedPythonCode(PythonCode):
    """Over one number; whatever the formula, through functions that give ∞ or NaN where ``math`` raises."""

    functions: ClassVar[dict[str, str]] = PythonCode.functions | {
        "exp": "exp", "log": "log", "pow": "power", "sqrt": "square_root",
    }  # fmt: skip

    def precedence(self, node: tree.Expr) -> int:
        """A division is a call here, unless it is by a number."""
        by_call = isinstance(node, tree.Div) and not is_numeric(node.bottom)
        return ATOM if by_call else super().precedence(node)

    def div(self, node: tree.Div) -> str:
        if is_numeric(node.bottom) and worked_out(node.bottom) != 0:
            return super().div(node)
        return f"divide({self(node.top)}, {self(node.bottom)})"


class CCode(Code):
    """Over one double."""

    type, suffix = "double", ""
    functions: ClassVar[dict[str, str]] = {
        "abs": "fabs", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "max": "fmax",
        "min": "fmin", "pow": "pow", "sqrt": "sqrt", "tanh": "tanh",
    }  # fmt: skip

    def number(self, node: tree.Number) -> str:
        """Never an integer: 1 / 3 would be 0."""
        number = super().number(node)
        return number + ".0" * number.lstrip("-").isdigit() + self.suffix

    def sign(self, body: str) -> str:
        return f"({self.type})((({body}) > 0) - (({body}) < 0))"


class CFloatCode(CCode):
    """Over one float."""

    type, suffix = "float", "f"
    functions: ClassVar[dict[str, str]] = {name: f"{called}f" for name, called in CCode.functions.items()}


class JavaScriptCode(Code):
    """Over one number."""

    functions: ClassVar[dict[str, str]] = {
        name: f"Math.{name}"
        for name in ("abs", "exp", "expm1", "log", "log1p", "max", "min", "pow", "sign", "sqrt", "tanh")
    }
    comparisons: ClassVar[dict[str, str]] = {">": ">", "<": "<", "=": "==="}


def _bound(node: tree.Expr) -> str:
    """``max`` where it is z if z > 0 else 0, ``min`` where it is z if z < 0 else 0, else nothing."""
    if isinstance(node, tree.Choice) and node.other == tree.Number(0):
        for op, bound in ((">", "max"), ("<", "min")):
            if node.test == tree.Compare(node.then, op, tree.Number(0)):
                return bound
    return ""


def _is_short_power(node: tree.Expr) -> bool:
    if not isinstance(node, tree.Pow) or not isinstance(node.body, tree.Symbol):
        return False
    return node.exponent in (tree.Number(2), tree.Number(3))

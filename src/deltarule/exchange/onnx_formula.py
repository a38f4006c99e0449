"""Activations that no single ONNX operator computes, composed from their formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from deltarule.errors import InputError
from deltarule.exchange.activation_steps import steps_of
from deltarule.formula import tree
from deltarule.formula.emitter import is_numeric, unwrapped, worked_out
from deltarule.formula.tree import Expr, a, log, tanh, z
from deltarule.nn.activations import Activation

_FUNCTIONS = {"exp": "Exp", "log": "Log", "tanh": "Tanh", "sqrt": "Sqrt", "abs": "Abs", "sign": "Sign"}
_COMPARISONS = {">": "Greater", "<": "Less", "=": "Equal"}


def _expm1(u: Expr) -> Expr:
    t = tanh(u / 2)
    return 2 * t / (1 - t)  # to the last digits, where e^u − 1 would lose them


_COMPOSED: dict[str, Callable[[Expr], Expr]] = {"expm1": _expm1, "log1p": lambda u: log(1 + u)}


class Composer:
    """Adds the nodes of one activation; a part that occurs twice is computed once.

    Parameters
    ----------
    node : callable, (operator, inputs, name) -> tensor
    number : callable, number -> tensor
    z : str
        The tensor it is a function of.
    name : str
        Of the tensor it makes; what lies between is called ``name.1``, ``name.2`` ….
    """

    def __init__(self, node: Callable[..., str], number: Callable[[float], str], z: str, name: str) -> None:
        self.node, self.number, self.z, self.name = node, number, z, name
        self.made: dict[Expr, str] = {}
        self.numbers = count(1)

    def compose(self, activation: Activation) -> str:
        """The nodes of ``a = f(z)``."""
        substituted: dict[Expr, Expr] = {}
        for symbol, formula in steps_of(activation):
            substituted[symbol] = formula.replace(substituted.get)
        try:
            return self._written(substituted[a], self.name)
        except KeyError as error:
            raise InputError(
                f"activation {activation.name!r} cannot be written as ONNX, which has nothing for "
                f"{error.args[0]!r}; give it a formula over z, as deltarule.formula.tree writes them"
            ) from None

    def _tensor(self, node: Expr) -> str:
        """The tensor that holds the node's value."""
        if node == z:
            return self.z
        if is_numeric(node):
            return self.number(worked_out(node))
        if node not in self.made:
            self.made[node] = self._written(node, self._name())
        return self.made[node]

    def _name(self) -> str:
        return f"{self.name}.{next(self.numbers)}"

    def _written(self, node: Expr, name: str) -> str:
        """The nodes of a formula; the last one makes the tensor ``name``."""
        match node := unwrapped(node):
            case tree.Add() | tree.Rest():
                first, *others = node.terms
                signed = [("Sub", x.body) if isinstance(x, tree.Neg) else ("Add", x) for x in others]
                added = [(operator, self._tensor(term)) for operator, term in signed]
                return self._chain([("", self._tensor(first)), *added], name)
            case tree.Mul():
                return self._chain([("Mul", self._tensor(factor)) for factor in node.factors], name)
            case tree.Call() if node.function in _COMPOSED:
                return self._written(_COMPOSED[node.function](node.argument), name)
        operator, *operands = _operation(node)
        return self.node(operator, [self._tensor(operand) for operand in operands], name)

    def _chain(self, operands: Sequence[tuple[str, str]], name: str) -> str:
        """``(t1 ∘ t2) ∘ t3 …``, where each has its operator."""
        (_, made), *others = operands
        for number, (operator, operand) in enumerate(others, start=1):
            made = self.node(operator, [made, operand], name if number == len(others) else self._name())
        return made if others else self.node("Identity", [made], name)


def _operation(node: Expr) -> tuple[str, *tuple[Expr, ...]]:
    """The operator that a node is, and what it takes; a KeyError names what is none."""
    match node:
        case tree.Div() | tree.Pow() | tree.Neg():
            return type(node).__name__, *node.parts
        case tree.Call():
            return _FUNCTIONS[node.function], node.argument
        case tree.Compare():
            return _COMPARISONS[node.op], node.left, node.right
        case tree.Choice():
            return "Where", node.test, node.then, node.other
    if node == z:
        return "Identity", z
    raise KeyError(str(node))

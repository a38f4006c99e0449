"""Formulas as data for JSON: what programs read, and what the Typst template draws."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from deltarule.formula import tree
from deltarule.formula.emitter import ATOM, POWER, PRODUCT, Emitter, sum_of_rest, taken_branch
from deltarule.formula.text import text

#: A node with its name under "node"; see :func:`data`.
Data: TypeAlias = dict[str, Any]


def data(node: tree.Expr, digits: int | str = 9) -> Data:
    """A formula as dictionaries, lists, texts and numbers that JSON knows.

    Every node is a dictionary. ``node`` says which it is, and with it what else is there; F is a node::

        number     number: the float, or "NaN", "Infinity", "-Infinity"; measured: whether it was rounded;
                   text: as it is written; the same in parts: negative, mantissa (a text), exponent (or null)
        symbol     base, sub, sup, index, accent ("" or "hat"): texts, empty where there is none
        constant   base: text; number: its value
        words      text
        group      body: F, in parentheses
        neg        body: F
        add        terms: [{sign: "", "+" or "−", body: F}, …]
        rest       sum: F or null; what: which terms it stands for
        mul        factors: [F, …]; op: "·", "⊙" or ""
        div        top, bottom: F
        pow        body, exponent: F
        call       function: "exp", "log", "tanh", "sqrt", "abs", "sign", "norm", …; argument: F
        compare    left, right: F; op: ">", "<", "=", "≤", "≥" or "≠"
        choice     then, test, other: F
        taken      body: F, the branch that was taken; test: F, what held
        total      index: text; body: F
        partial    top, by: F
        matrix     rows: [[F or null, …], …]; null for entries left out
        transpose  body: F
        brace      body, label: F
        box        body: F, a result
        tagged     body: F; tag: 0 to 7, shared with the same quantity elsewhere

    Parentheses are decided for fractions with a bar: a ``group`` stands where one is needed. The argument of
    a function other than exp, sqrt, abs and norm is always in parentheses, without a group.

    Parameters
    ----------
    node : Expr
    digits : int or "full"
        Significant digits of measured numbers in ``text``, ``mantissa`` and ``exponent``; ``number`` has all.

    Examples
    --------
    >>> from deltarule.formula.tree import Number, z
    >>> data(Number(1 / 3, measured=True), digits=3)["text"]
    '0.333'
    >>> data((1 - z) ** 2)["body"]["node"]
    'group'
    """
    return DataEmitter(digits)(node)


def as_json_number(number: float) -> float | str:
    """The number, or its name where JSON has no number for it."""
    number = float(number)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def as_json_text(words: str) -> str:
    """Return the text without halves of characters, which UTF-8 cannot hold."""
    return words.encode("utf-8", "replace").decode("utf-8")


#: How tightly the parts of a node must hold together to stand without parentheses.
_LEAST: dict[type[tree.Expr], int] = {
    tree.Neg: PRODUCT, tree.Mul: PRODUCT, tree.Total: PRODUCT, tree.Partial: POWER, tree.Transpose: ATOM,
}  # fmt: skip


class DataEmitter(Emitter[Data]):
    """See :func:`data`."""

    def parts_of(self, node: tree.Expr) -> Data:
        """What the node is and what it holds, under the names that it has in the tree."""
        least = _LEAST.get(type(node), 0)
        parts = {name: self._part(part, least) for name, part in vars(node).items()}
        return {"node": type(node).__name__.lower(), **parts}

    symbol = neg = mul = div = call = compare = total = partial = matrix = parts_of
    transpose = brace = box = tagged = parts_of

    def _part(self, part: Any, least: int) -> Any:
        if isinstance(part, tuple):
            return [self._part(item, least) for item in part]
        if isinstance(part, tree.Expr):
            return self.inside(part, least)
        return as_json_text(part) if isinstance(part, str) else part

    def group(self, body: Data) -> Data:
        return {"node": "group", "body": body}

    def number(self, node: tree.Number) -> Data:
        return {
            "node": "number",
            "number": as_json_number(node.number),
            "measured": node.measured,
            "text": text(node, self.digits),
            **self.decimal(node)._asdict(),
        }

    def namedconstant(self, node: tree.NamedConstant) -> Data:
        return {"node": "constant", "base": as_json_text(node.base), "number": as_json_number(node.number)}

    def words(self, node: tree.Words) -> Data:
        return {"node": "words", "text": as_json_text(node.words)}

    def add(self, node: tree.Add) -> Data:
        terms = [{"sign": sign, "body": body} for sign, body in self.signed_terms(node)]
        return {"node": "add", "terms": terms}

    def rest(self, node: tree.Rest) -> Data:
        known = sum_of_rest(node)
        return {"node": "rest", "sum": known and self(known), "what": as_json_text(node.what)}

    def pow(self, node: tree.Pow) -> Data:
        return {"node": "pow", "body": self.inside(node.body, ATOM), "exponent": self(node.exponent)}

    def choice(self, node: tree.Choice) -> Data:
        if node.taken is None:
            then, test, other = self(node.then), self(node.test), self(node.other)
            return {"node": "choice", "then": then, "test": test, "other": other}
        body, held = map(self, taken_branch(node))
        return {"node": "taken", "body": body, "test": held}

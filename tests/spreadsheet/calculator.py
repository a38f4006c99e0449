"""A spreadsheet in a few lines: works formulas out by Excel's rules, where −2^2 is 4."""

from __future__ import annotations

import math
import re

import numpy as np

__all__ = ["Calculator", "evaluate"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:E[+-]?\d+)?)|(?P<name>[A-Z]+)\("
    r"|(?P<cell>(?:\w+!)?\$?[A-Z]+\$?\d+)|(?P<op>[-+*/^(),:<>=]))"
)
_FUNCTIONS = {
    "EXP": math.exp,
    "LN": math.log,
    "TANH": math.tanh,
    "SQRT": math.sqrt,
    "ABS": abs,
    "SIGN": lambda x: (x > 0) - (x < 0),
    "SUM": np.sum,
    "SUMSQ": lambda x: np.sum(np.square(x)),
    "SUMPRODUCT": lambda x, y: np.sum(np.multiply(x, y)),
    "PI": lambda: math.pi,
    "IF": lambda test, then, other: then() if test() else other(),
}


def evaluate(formula, cell, block=None):
    """What a formula is worth, where ``cell`` says what each cell is, ``block`` each range."""
    return _Parser(formula, cell, block).whole()


class _Parser:
    """Each rule returns a function, so that IF works out one branch alone."""

    def __init__(self, formula, cell, block):
        assert formula.startswith("=")
        self.tokens = [(m.lastgroup, m[m.lastgroup]) for m in _TOKEN.finditer(formula[1:])]
        assert "".join(text + "(" * (kind == "name") for kind, text in self.tokens) == formula[1:]
        self.cell, self.block = cell, block
        self.tokens.append(("end", ""))

    def whole(self):
        found = self.comparison()
        assert self.tokens == [("end", "")], self.tokens
        return float(found())

    def takes(self, *texts):
        if self.tokens[0][0] == "op" and self.tokens[0][1] in texts:
            return self.tokens.pop(0)[1]
        return None

    def chain(self, inner, operators):
        left = inner()
        while sign := self.takes(*operators):
            left = self.joined(operators[sign], left, inner())
        return left

    @staticmethod
    def joined(operator, left, right):
        return lambda: operator(left(), right())

    def comparison(self):
        return self.chain(
            self.sum, {">": lambda x, y: x > y, "<": lambda x, y: x < y, "=": lambda x, y: x == y}
        )

    def sum(self):
        return self.chain(self.product, {"+": lambda x, y: x + y, "-": lambda x, y: x - y})

    def product(self):
        return self.chain(self.power, {"*": lambda x, y: x * y, "/": lambda x, y: x / y})

    def power(self):
        return self.chain(self.signed, {"^": lambda x, y: x**y})

    def signed(self):
        if self.takes("-"):
            inner = self.signed()
            return lambda: -inner()
        return self.atom()

    def atom(self):
        kind, text = self.tokens.pop(0)
        if kind == "number":
            return lambda: float(text)
        if kind == "cell":
            return self.reference(text)
        if kind == "name":
            return self.call(text)
        assert text == "(", text
        inner = self.comparison()
        assert self.takes(")")
        return inner

    def reference(self, text):
        if not self.takes(":"):
            return lambda: self.cell(text)
        end = self.tokens.pop(0)[1]
        return lambda: self.block(text, end)

    def call(self, name):
        arguments = []
        while not self.takes(")"):
            arguments.append(self.comparison())
            self.takes(",")
        function = _FUNCTIONS[name]
        return lambda: function(*arguments) if name == "IF" else function(*(part() for part in arguments))


class Calculator:
    """Works out a workbook that openpyxl has read, and trusts no value stored in it."""

    def __init__(self, book):
        self.book, self.known = book, {}

    def __call__(self, sheet, address):
        key = sheet, address.replace("$", "")
        if key not in self.known:
            held = self.book[key[0]][key[1]].value
            is_formula = isinstance(held, str) and held.startswith("=")
            self.known[key] = self.work_out(key[0], held) if is_formula else held
        return self.known[key]

    def work_out(self, sheet, formula):
        return evaluate(formula, lambda text: self(*_place(sheet, text)), self.range_of(sheet))

    def range_of(self, sheet):
        def block(first, last):
            name, start = _place(sheet, first)
            rows = self.book[name][f"{start}:{last}".replace("$", "")]
            return np.array([[self(name, each.coordinate) for each in row] for row in rows], float)

        return block


def _place(sheet, text):
    name, _, address = text.rpartition("!")
    return name or sheet, address

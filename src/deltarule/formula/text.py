"""Formulas as text: Unicode, or ASCII where a terminal knows no more; matrices take several lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import category, combining, east_asian_width

from deltarule.formula import tree
from deltarule.formula.emitter import ATOM, POWER, PRODUCT, Emitter, sum_of_rest, taken_branch

_SUPER = str.maketrans("0123456789+-−()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")
_SUB = str.maketrans("0123456789,ijknm", "₀₁₂₃₄₅₆₇₈₉,ᵢⱼₖₙₘ")
_ASCII = {
    "∂": "d", "δ": "delta", "η": "eta", "μ": "mu", "ρ": "rho", "β": "beta", "ε": "epsilon", "λ": "lambda",
    "θ": "theta", "σ": "sigma", "π": "pi", "Σ": "sum_", "√": "sqrt", "∞": "inf", "ℓ": "l", "½": "1/2",
    "·": "*", "−": "-", "×": "x", "⊙": "(*)", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "←": "<-", "→": "->",
    "…": "...", "⋮": ":", "′": "'", "ᵀ": "^T", "⁺": "'",
    "‖": "||", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"',
    "\u0302": "_hat",
}  # fmt: skip
_ASCII_SUPER = {raised: f"^{plain}" for plain, raised in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}
_ASCII_SUB = {low: plain for plain, low in zip("0123456789ijknm", "₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₙₘ", strict=True)}
_TO_ASCII = str.maketrans(
    {
        **_ASCII, **_ASCII_SUPER, **_ASCII_SUB,
        "⎡": "[", "⎢": "[", "⎣": "[", "⎤": "]", "⎥": "]", "⎦": "]", "╰": "\\", "╯": "/", "─": "-", "┬": "+",
        "⁽": "^(", "⁾": ")", "⁻": "^-",
    }
)  # fmt: skip


_COLOURS = re.compile(r"\x1b\[[\d;]*m")


class TextBlock(NamedTuple):
    """Lines of equal width; formulas beside it stand level with line ``base``."""

    lines: tuple[str, ...]
    base: int = 0


def width(line: str) -> int:
    """Columns that a line takes in a terminal; those who colour it take none."""
    line = _COLOURS.sub("", line)
    if line.isascii():
        return len(line)
    return sum((2 if east_asian_width(c) in "WF" else 1) for c in line if not combining(c))


def clean(words: str) -> str:
    """Any text on one line: control characters and line breaks become spaces."""
    return "".join(" " if category(c) in ("Cc", "Cs", "Zl", "Zp", "Cf") else c for c in words)


def text(node: tree.Expr, digits: int | str = 9, ascii: bool = False) -> str:
    """A formula as text, on one line where it holds no matrix.

    Parameters
    ----------
    node : Expr
    digits : int or "full"
        Significant digits of measured numbers.
    ascii : bool
        Whether only ASCII characters may be used (text in :class:`Words` stays as it is).

    Examples
    --------
    >>> from deltarule.formula.tree import Number, Symbol
    >>> print(text(2 * (Symbol("a") - Number(1 / 3, measured=True)), digits=3))
    2·(a − 0.333)
    """
    return "\n".join(TextEmitter(digits, ascii)(node).lines)


def to_ascii(line: str) -> str:
    """The nearest text in ASCII: ∂ is d, δ is delta, ² is ^2."""
    return line.translate(_TO_ASCII).replace("^-^", "^-")


def _beside(*blocks: TextBlock) -> TextBlock:
    above = max(block.base for block in blocks)
    below = max(len(block.lines) - block.base for block in blocks)
    padded = []
    for block in blocks:
        empty = " " * width(block.lines[0])
        head, tail = above - block.base, below - (len(block.lines) - block.base)
        padded.append([empty] * head + list(block.lines) + [empty] * tail)
    return TextBlock(tuple("".join(row) for row in zip(*padded, strict=True)), above)


class TextEmitter(Emitter[TextBlock]):
    """See :func:`text`."""

    def __init__(self, digits: int | str = 9, ascii: bool = False, colours: Sequence[str] = ()) -> None:
        super().__init__(digits)
        self.ascii, self.colours = ascii, colours

    def _line(self, line: str) -> TextBlock:
        return TextBlock((to_ascii(line) if self.ascii else line,))

    def _join(self, *parts: str | TextBlock) -> TextBlock:
        return _beside(*(self._line(part) if isinstance(part, str) else part for part in parts))

    def group(self, body: TextBlock) -> TextBlock:
        return self._join("(", body, ")")

    def number(self, node: tree.Number) -> TextBlock:
        number = self.decimal(node)
        sign = "−" if number.negative else ""
        if number.exponent is None:
            return self._line(sign + number.mantissa)
        if self.ascii:
            return self._line(f"{sign}{number.mantissa}e{number.exponent:+03d}")
        return self._line(f"{sign}{number.mantissa}·10{str(number.exponent).translate(_SUPER)}")

    def symbol(self, node: tree.Symbol) -> TextBlock:
        base = clean(node.base) + ("\u0302" if node.accent == "hat" else "")
        index = f"[{node.index}]" if node.index else ""
        layer, _, sample = node.sup.rpartition(",") if "(" in node.sup else (node.sup, "", "")
        sub = layer.translate(_SUPER) + node.sub.translate(_SUB) if layer else self._sub(node)
        return self._line(base + sub + sample.translate(_SUPER) + index)

    @staticmethod
    def _sub(node: tree.Symbol) -> str:
        """What stands below: w5, zₖ, net_h1."""
        if node.sub in ("i", "j", "k", "m", "n"):
            return node.sub.translate(_SUB)
        attached = not node.sub or (len(node.base) == 1 and node.sub.isdigit())
        return clean(node.sub) if attached else f"_{clean(node.sub)}"

    def words(self, node: tree.Words) -> TextBlock:
        return TextBlock((clean(node.words),))

    def neg(self, node: tree.Neg) -> TextBlock:
        return self._join("−", self.inside(node.body, PRODUCT))

    def add(self, node: tree.Add) -> TextBlock:
        parts: list[str | TextBlock] = []
        for sign, body in self.signed_terms(node):
            parts += [f" {sign} " if parts else sign, body]
        return self._join(*parts)

    def rest(self, node: tree.Rest) -> TextBlock:
        known = sum_of_rest(node)
        return self._join("…" if known is None else self(known), f" ({clean(node.what)})")

    def mul(self, node: tree.Mul) -> TextBlock:
        wide = node.op == "⊙" or any(map(_is_partial, node.factors))
        op = f" {node.op} ".replace("  ", " ") if wide or not node.op else node.op
        parts = [part for factor in node.factors for part in (op, self.factor(factor))]
        return self._join(*parts[1:])

    def div(self, node: tree.Div) -> TextBlock:
        return self._join(self.inside(node.top, PRODUCT), "/", self.inside(node.bottom, POWER))

    def pow(self, node: tree.Pow) -> TextBlock:
        body = self.inside(node.body, ATOM)
        if isinstance(node.exponent, tree.Number) and not self.ascii:
            return self._join(body, "".join(self(node.exponent).lines).translate(_SUPER))
        return self._join(body, "^", self.inside(node.exponent, ATOM))

    def call(self, node: tree.Call) -> TextBlock:
        argument = self(node.argument)
        if node.function == "exp":
            return self._join("e^", self.inside(node.argument, ATOM))
        if node.function == "abs":
            return self._join("|", argument, "|")
        if node.function == "norm":
            return self._join("‖", argument, "‖")
        if node.function == "sqrt":
            return self._join("√", self.inside(node.argument, ATOM))
        return self._join(node.function, self.group(argument))

    def tagged(self, node: tree.Tagged) -> TextBlock:
        """With the colour of its tag, ``"#0068a8"``, where the terminal is told colours."""
        block = self(node.body)
        if not self.colours:
            return block
        red, green, blue = bytes.fromhex(self.colours[node.tag].lstrip("#"))
        begin = f"\x1b[38;2;{red};{green};{blue}m"
        return TextBlock(tuple(f"{begin}{line}\x1b[39m" for line in block.lines), block.base)

    def compare(self, node: tree.Compare) -> TextBlock:
        return self._join(self(node.left), f" {node.op} ", self(node.right))

    def choice(self, node: tree.Choice) -> TextBlock:
        if node.taken is None:
            return self._join(self(node.then), " if ", self(node.test), " else ", self(node.other))
        taken, test = taken_branch(node)
        return self._join(self(taken), " (as ", self(test), ")")

    def total(self, node: tree.Total) -> TextBlock:
        return self._join(f"Σ{node.index.translate(_SUB)} ", self.inside(node.body, PRODUCT))

    def partial(self, node: tree.Partial) -> TextBlock:
        return self._join("∂", self.inside(node.top, POWER), "/∂", self.inside(node.by, POWER))

    def matrix(self, node: tree.Matrix) -> TextBlock:
        cells = [[self._line("…") if cell is None else self(cell) for cell in row] for row in node.rows]
        texts = [["".join(cell.lines) for cell in row] for row in cells]
        widths = [max(map(width, column)) for column in zip(*texts, strict=True)]
        rows = [
            "  ".join(" " * (w - width(cell)) + cell for cell, w in zip(row, widths, strict=True))
            for row in texts
        ]
        n = len(rows)
        if n == 1:
            return self._join(f"[{rows[0]}]") if not self.ascii else TextBlock((f"[{rows[0]}]",))
        edges = [("⎡", "⎤"), *[("⎢", "⎥")] * (n - 2), ("⎣", "⎦")]
        lines = [f"{left} {row} {right}" for (left, right), row in zip(edges, rows, strict=True)]
        return TextBlock(tuple(to_ascii(line) if self.ascii else line for line in lines), (n - 1) // 2)

    def transpose(self, node: tree.Transpose) -> TextBlock:
        return self._join(self.inside(node.body, ATOM), "ᵀ")

    def brace(self, node: tree.Brace) -> TextBlock:
        body, label = self(node.body), self(node.label).lines[0]
        full = max(width(body.lines[0]), width(label), 3)
        left = (full - 3) // 2
        brace = f"╰{'─' * left}┬{'─' * (full - 3 - left)}╯"
        lines = [*body.lines, to_ascii(brace) if self.ascii else brace, label]
        return TextBlock(tuple(_centred(line, full) for line in lines), body.base)


def _is_partial(node: tree.Expr) -> bool:
    return isinstance(node.body if isinstance(node, tree.Tagged) else node, tree.Partial)


def _centred(line: str, full: int) -> str:
    left = (full - width(line)) // 2
    return " " * left + line + " " * (full - width(line) - left)


tree.Expr.printers["text"] = text

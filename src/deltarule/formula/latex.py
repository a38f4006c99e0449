"""Formulas as LaTeX: what amsmath and xcolor typeset, and KaTeX and MathJax too.

Text never runs as a command: inside ``\\text{}`` stands only what means itself there, and all other
characters are written as symbols beside it.
"""

from __future__ import annotations

import re
from unicodedata import category, normalize

from deltarule.formula import tree
from deltarule.formula.emitter import ATOM, POWER, PRODUCT, Emitter, sum_of_rest, taken_branch, unwrapped
from deltarule.formula.text import clean

#: What the colours 0 … 7 are called: names that browsers know, near the colours of the picture.
TAG_NAMES = (
    "royalblue", "chocolate", "seagreen", "mediumvioletred", "olive", "darkcyan", "sienna", "dimgray",
)  # fmt: skip

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi",
    "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_SIGNS = {
    "→": "rightarrow", "←": "leftarrow", "↔": "leftrightarrow", "⇒": "Rightarrow", "×": "times", "·": "cdot",
    "±": "pm", "≤": "le", "≥": "ge", "≠": "ne", "≈": "approx", "⊙": "odot", "∂": "partial", "∇": "nabla",
    "∞": "infty", "√": "surd", "∈": "in", "…": "ldots", "⋯": "cdots", "⋮": "vdots", "ℓ": "ell", "‖": "Vert",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n", strict=True)) | {"ᵀ": r"\top"}
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ", "0123456789ijkmn", strict=True))

#: Characters that are written as mathematics, also within text.
SYMBOLS = {
    **{sign: f"\\{name}" for sign, name in _GREEK.items()},
    **{sign: f"{{\\{name}}}" for sign, name in _SIGNS.items()},
    **{sign: f"{{{{}}^{{{plain}}}}}" for sign, plain in _RAISED.items()},
    **{sign: f"{{{{}}_{{{plain}}}}}" for sign, plain in _LOWERED.items()},
    "−": "{-}",
    "′": "'",
}
_ASCII_SIGNS = {
    "\\": r"\backslash", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
    "^": r"\hat{\,}", "~": r"{\sim}", "`": r"\grave{\,}", "<": "{<}", ">": "{>}", "|": "{|}", "*": r"{\ast}",
    "[": "{[}", "]": "{]}", "/": "/",
}  # fmt: skip
_SPECIAL = {**SYMBOLS, **_ASCII_SIGNS}
_SPECIALS = re.escape("".join(_SPECIAL))
_PIECE = re.compile(f"[{_SPECIALS}]|[^{_SPECIALS}]+")
_NAME = re.compile(f"(?:[A-Za-z0-9()+,.{re.escape(''.join(SYMBOLS))}]|-(?![A-Za-z]{{2}}))*")
_NAME_PIECE = re.compile(r"[A-Za-z]+|.")
_TOKEN = re.compile(r"[A-Za-z0-9]|\\[A-Za-z]+|\\(?:mathrm|text)\{[^{}]*\}")

# Loose accents, private characters, letterlike signs and rare operators: KaTeX stops at them within text.
_RARE = re.compile(
    "[\u0300-\u036f\ue000-\uf8ff\u2100-\u2121\u2123-\u214f\u2190-\u22ff\u231c-\u231f\u27c0-\u27ef\u2980-\u2aff]"
)

_PRODUCTS = {"·": r" \cdot ", "⊙": r" \odot ", "": r" \, "}
_COMPARISONS = {"≤": r"\le", "≥": r"\ge", "≠": r"\ne"}
_TALL = re.compile(r"\\(?:frac|sum|begin)\b")


def latex(node: tree.Expr, digits: int | str = 9) -> str:
    """A formula as LaTeX source for mathematics mode.

    Parameters
    ----------
    node : Expr
    digits : int or "full"
        Significant digits of measured numbers.

    Examples
    --------
    >>> from deltarule.formula.tree import Number, Symbol
    >>> print(latex(2 * (Symbol("net", "h1") - Number(1 / 3, measured=True)), digits=3))
    2 \\cdot (\\mathrm{net}_{h1} - 0.333)
    """
    return LatexEmitter(digits)(node)


def printable(words: str) -> str:
    """Text on one line, composed as far as possible, with plain spaces."""
    return "".join(" " if category(c) == "Zs" else c for c in clean(normalize("NFC", words)))


def unligatured(words: str, between: str) -> str:
    """``--``, ``''`` and ``,,`` with something between them: TeX would draw one character."""
    return re.sub(r"([-',])(?=\1)", lambda match: match[0] + between, words)


class LatexEmitter(Emitter[str]):
    """See :func:`latex`."""

    def precedence(self, node: tree.Expr) -> int:
        node = unwrapped(node)
        return super().precedence((sum_of_rest(node) or node) if isinstance(node, tree.Rest) else node)

    def group(self, body: str) -> str:
        return _fenced("(", body, ")")

    def number(self, node: tree.Number) -> str:
        number = self.decimal(node)
        mantissa = {"∞": r"\infty", "NaN": r"\mathrm{NaN}"}.get(number.mantissa, number.mantissa)
        power = "" if number.exponent is None else rf" \cdot 10^{{{number.exponent}}}"
        return "-" * number.negative + mantissa + power

    def symbol(self, node: tree.Symbol) -> str:
        base = _name_source(node.base)
        if node.accent == "hat":
            base = rf"\hat{{{base}}}" if len(node.base) == 1 else rf"\widehat{{{base}}}"
        elif node.sup or node.sub or not base:
            base = base if _TOKEN.fullmatch(base) else f"{{{base}}}"  # what scripts apply to as a whole
        sup = f"^{{{_name_source(node.sup)}}}" if node.sup else ""
        sub = f"_{{{_name_source(node.sub)}}}" if node.sub else ""
        return base + sup + sub + (f"[{_name_source(node.index)}]" if node.index else "")

    def words(self, node: tree.Words) -> str:
        return _as_text(node.words)

    def neg(self, node: tree.Neg) -> str:
        return "-" + self.inside(node.body, PRODUCT)

    def add(self, node: tree.Add) -> str:
        return " ".join(self.terms(node))

    def terms(self, node: tree.Add) -> list[str]:
        """Each term of a sum with its sign."""
        signed = enumerate(self.signed_terms(node))
        return [f"{sign.replace('−', '-')}{' ' * (index > 0)}{body}" for index, (sign, body) in signed]

    def rest(self, node: tree.Rest) -> str:
        known = sum_of_rest(node)
        return _braced(r"\cdots" if known is None else self(known), _as_text(node.what))

    def mul(self, node: tree.Mul) -> str:
        return _PRODUCTS[node.op].join(map(self.factor, node.factors))

    def div(self, node: tree.Div) -> str:
        return rf"\frac{{{self(node.top)}}}{{{self(node.bottom)}}}"

    def _raised(self, body: tree.Expr, exponent: str) -> str:
        """body with an exponent, in parentheses where it would be read as that of a part."""
        bare, source = unwrapped(body), self(body)
        is_raised = isinstance(bare, tree.Symbol) and bool(bare.sup)
        if is_raised or isinstance(bare, tree.Div | tree.Partial) or self.precedence(bare) < ATOM:
            source = self.group(source)
        elif isinstance(bare, tree.Words):
            source = f"{{{source}}}"
        return f"{source}^{{{exponent}}}"

    def pow(self, node: tree.Pow) -> str:
        return self._raised(node.body, self(node.exponent))

    def transpose(self, node: tree.Transpose) -> str:
        return self._raised(node.body, r"\top")

    def call(self, node: tree.Call) -> str:
        argument = self(node.argument)
        if node.function == "exp":
            return f"e^{{{argument}}}"
        if node.function == "sqrt":
            return rf"\sqrt{{{argument}}}"
        if node.function == "abs":
            return _fenced(r"\lvert ", argument, r" \rvert")
        if node.function == "norm":
            return _fenced(r"\lVert ", argument, r" \rVert")
        known = node.function in ("log", "tanh")  # \operatorname is refused by GitHub
        return (f"\\{node.function}" if known else _name_source(node.function)) + self.group(argument)

    def compare(self, node: tree.Compare) -> str:
        return f"{self(node.left)} {_COMPARISONS.get(node.op, node.op)} {self(node.right)}"

    def choice(self, node: tree.Choice) -> str:
        if node.taken is None:
            then, test, other = self(node.then), self(node.test), self(node.other)
            rows = rf"{then} & \text{{if }} {test} \\ {other} & \text{{otherwise}}"
            return rf"\begin{{cases}} {rows} \end{{cases}}"
        taken, reason = map(self, taken_branch(node))
        return rf"{taken} \enspace (\text{{as }} {reason})"

    def total(self, node: tree.Total) -> str:
        return rf"\sum_{{{_name_source(node.index)}}} {self.inside(node.body, PRODUCT)}"

    def partial(self, node: tree.Partial) -> str:
        top, by = self.inside(node.top, POWER), self.inside(node.by, POWER)
        return rf"\frac{{\partial {top}}}{{\partial {by}}}"

    def matrix(self, node: tree.Matrix) -> str:
        rows = r" \\ ".join(" & ".join(self._cells(row)) for row in node.rows)
        return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"

    def _cells(self, row: tuple[tree.Expr | None, ...]) -> list[str]:
        left_out = r"\cdots" if any(row) else r"\vdots"
        return [left_out if cell is None else self(cell) for cell in row]

    def brace(self, node: tree.Brace) -> str:
        return _braced(self(node.body), self(node.label))

    def box(self, node: tree.Box) -> str:
        return rf"\boxed{{{self(node.body)}}}"

    def tagged(self, node: tree.Tagged) -> str:
        return rf"\textcolor{{{TAG_NAMES[node.tag]}}}{{{self(node.body)}}}"


def _fenced(left: str, body: str, right: str) -> str:
    return rf"\left{left}{body}\right{right.lstrip()}" if _TALL.search(body) else left + body + right


def _braced(body: str, label: str) -> str:
    """A brace with a label, in a group: TeX would space what follows it as after an operator."""
    return rf"{{\underbrace{{{body}}}_{{{label}}}}}"


def _as_text(words: str) -> str:
    """Text within a formula."""
    pieces = _PIECE.findall(_RARE.sub(_code_point, printable(words)))
    return "".join(_SPECIAL.get(p) or r"\text{" + unligatured(p, r"}\text{") + "}" for p in pieces) or "{}"


def _code_point(match: re.Match[str]) -> str:
    return match[0] if match[0] in SYMBOLS else f"[U+{ord(match[0]):04X}]"


def _name_source(name: str) -> str:
    """A name: letters on their own italic, several together upright; any other text as text."""
    name = printable(name)
    if not _NAME.fullmatch(name):
        return _as_text(name)
    return "".join(map(_piece_of_name, _NAME_PIECE.findall(name))).strip()


def _piece_of_name(piece: str) -> str:
    if piece in SYMBOLS:
        return SYMBOLS[piece] + " " * SYMBOLS[piece][-1].isalpha()
    return rf"\mathrm{{{piece}}}" if len(piece) > 1 else piece


tree.Expr.printers["latex"] = latex

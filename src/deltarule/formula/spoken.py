"""Formulas as they are said aloud, for those who hear a page."""

from __future__ import annotations

import re

from deltarule.formula.text import text
from deltarule.formula.tree import Expr

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙ", "0123456789-+0123456789ijkmn")

#: What is said for what is written, in this order.
_SAID = tuple(
    (re.compile(written), said)
    for written, said in (
        (r"∂([^/\s]+)/∂([^\s·)=]+)", r" d \1 by d \2 "),
        (r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: f" times 10 to the {found[1].translate(_RAISED)} "),
        (r"⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾", lambda found: f" of sample {found[1].translate(_RAISED)} "),
        ("²", " squared "), ("³", " cubed "), (r"e\^", " e to the "), (r"\^", " to the "),
        ("ᵀ", " transposed "),
        ("⊙", " times element by element "), ("·", " times "), ("/", " over "), (r" \+ ", " plus "),
        ("[−-]", " minus "), ("←", " becomes "), ("=", " equals "), ("√", " the root of "),
        ("Σ", " the sum over "),
        (r"\|", " absolute "), ("≤", " at most "), (">", " greater than "), ("<", " less than "),
        ("δ", "delta "), ("η", "eta "), ("θ", "theta "), ("β", "beta "), ("ε", "epsilon "), ("λ", "lambda "),
        ("∂", "d "), ("_", " "),
    )
)  # fmt: skip


def spoken(node: Expr, digits: int | str = 9) -> str:
    """A formula in words, with its numbers in figures.

    Examples
    --------
    >>> from deltarule.formula.tree import Partial, Symbol
    >>> spoken(Partial(Symbol("E"), Symbol("w", "5")))
    'd E by d w5'
    >>> spoken((Symbol("out", "o1") - Symbol("y", "o1")) ** 2 / 2)
    '(out o1 minus y o1) squared over 2'
    """
    said = text(node, digits).replace("\n", "; ")
    for written, words in _SAID:
        said = written.sub(words, said)
    said = re.sub(r"\(\s+", "(", " ".join(said.translate(_RAISED).split()))
    return re.sub(r"\s+([),;.])", r"\1", said)

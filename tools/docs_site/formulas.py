"""Formulas between dollars become MathML, which browsers show without a script."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

from docs_site.pages import outside_code

_CODE = r"(?P<code>(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))"
_DISPLAY = r"\$\$(?P<display>.+?)\$\$"
_INLINE = r"(?<![\\$\w])\$(?=\S)(?P<inline>[^$\n]*?(?:\n[^$\n]+)?)(?:(?<=\S)|(?<=rbrack ))\$(?![\w$])"
_ANY = re.compile(f"{_CODE}|{_DISPLAY}|{_INLINE}", re.S)
#: Written so on GitHub for what the converter has no word for.
_OTHERWISE = {
    r"\mathsf": r"\mathrm",
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\cr": r"\\",
    r"\begin{aligned}": r"\begin{align*}",
    r"\end{aligned}": r"\end{align*}",
}


def with_mathml(text: str) -> str:
    """Return a page with its formulas as MathML.

    Examples
    --------
    >>> "<math" in with_mathml("A slope, $f'(z)$.")
    True
    >>> with_mathml("`$HOME` costs $5")
    '`$HOME` costs $5'
    """
    return outside_code(text, lambda part: _ANY.sub(_formula, part))


def _formula(found: re.Match[str]) -> str:
    if found["code"]:
        return found["code"]
    source = found["display"] or found["inline"]
    for command, other in _OTHERWISE.items():
        source = re.sub(re.escape(command) + r"(?![a-zA-Z])", lambda _, other=other: other, source)
    shape = "block" if found["display"] else "inline"
    made = convert(source.strip(), display=shape).replace("\n", "")
    return f"\n\n<div>{made}</div>\n\n" if found["display"] else f"<span>{made}</span>"

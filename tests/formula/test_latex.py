"""Formulas as LaTeX: every kind of node, parentheses, and text that must not run as commands."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.errors import InputError
from deltarule.formula.latex import TAG_NAMES, LatexEmitter, latex
from deltarule.formula.tree import (
    Add,
    Box,
    Brace,
    Call,
    Choice,
    Compare,
    Expr,
    Matrix,
    Mul,
    NamedConstant,
    Neg,
    Number,
    Partial,
    Rest,
    Symbol,
    Tagged,
    Total,
    Transpose,
    Words,
    a,
    absolute,
    exp,
    log,
    sign,
    sqrt,
    tanh,
    y,
    z,
)

HOSTILE = st.text(st.characters() | st.sampled_from("\\{}#$%&_^~`<>|*[]-'\",\n"), max_size=12)


def measured(number: float) -> Number:
    return Number(number, measured=True)


POSITIVE = Compare(z, ">", Number(0))

NODES = [
    (Number(0.01), "0.01"),
    (measured(1 / 3), "0.333333333"),
    (measured(-1.5e-7), r"-1.5 \cdot 10^{-7}"),
    (Number(float("inf")), r"\infty"),
    (Number(float("nan")), r"\mathrm{NaN}"),
    (Symbol("w", "5"), "w_{5}"),
    (Symbol("net", "h1"), r"\mathrm{net}_{h1}"),
    (Symbol("in", "via", "(2)"), r"\mathrm{in}^{(2)}_{\mathrm{via}}"),
    (Symbol("δ", "11", "2"), r"\delta^{2}_{11}"),
    (Symbol("W", "2", index="0,1"), "W_{2}[0,1]"),
    (Symbol("m", accent="hat"), r"\hat{m}"),
    (Symbol("out", "1", accent="hat"), r"\widehat{\mathrm{out}}_{1}"),
    (Symbol("f′(z)"), "f'(z)"),
    (Symbol("f′", sup="2"), "{f'}^{2}"),
    (Symbol("δh"), r"\delta h"),
    (Symbol("petal width", "1"), r"\text{petal width}_{1}"),
    (Symbol("", index="1"), "{}[1]"),
    (NamedConstant("π", 3.14), r"\pi"),
    (Words("50 % of x_1"), r"\text{50 }\%\text{ of x}\_\text{1}"),
    (Words("h1 → o1"), r"\text{h1 }{\rightarrow}\text{ o1}"),
    (Words(""), "{}"),
    (-z, "-z"),
    (a - y, "a - y"),
    (a + measured(-2.0), "a + (-2)"),
    (Add((Neg(a), y)), "-a + y"),
    (2 * a * (1 - a), r"2 \cdot a \cdot (1 - a)"),
    (Mul((a, y), "⊙"), r"a \odot y"),
    (Mul((a, y), ""), r"a \, y"),
    (1 / (1 + exp(-z)), r"\frac{1}{1 + e^{-z}}"),
    (z**2, "z^{2}"),
    (log(a), r"\log(a)"),
    (tanh(z / 2), r"\tanh\left(\frac{z}{2}\right)"),
    (sqrt(a), r"\sqrt{a}"),
    (absolute(a - y), r"\lvert a - y \rvert"),
    (Call("norm", a), r"\lVert a \rVert"),
    (sign(a), r"\mathrm{sign}(a)"),
    (Compare(z, "≤", Number(0)), r"z \le 0"),
    (
        Choice(z, POSITIVE, Number(0)),
        r"\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}",
    ),
    (Choice(measured(0.5), POSITIVE, Number(0), True), r"0.5 \enspace (\text{as } z > 0)"),
    (Choice(measured(0.5), POSITIVE, Number(0), False), r"0 \enspace (\text{as } z \le 0)"),
    (Total("k", log(a)), r"\sum_{k} \log(a)"),
    (Partial(Symbol("E"), Symbol("w", "5")), r"\frac{\partial E}{\partial w_{5}}"),
    (Matrix(((Number(1), None),)), r"\begin{bmatrix} 1 & \cdots \end{bmatrix}"),
    (
        Matrix(((Number(1), a), (None, None))),
        r"\begin{bmatrix} 1 & a \\ \vdots & \vdots \end{bmatrix}",
    ),
    (Transpose(Symbol("W")), r"W^{\top}"),
    (Brace(a * y, Symbol("h")), r"{\underbrace{a \cdot y}_{h}}"),
    (Box(a), r"\boxed{a}"),
    (Tagged(a, 0), rf"\textcolor{{{TAG_NAMES[0]}}}{{a}}"),
    (a + Rest((a, y), "2 more"), r"a + {\underbrace{\cdots}_{\text{2 more}}}"),
    (a + Rest((measured(0.1), measured(0.25)), "2 more"), r"a + {\underbrace{0.35}_{\text{2 more}}}"),
]


@pytest.mark.parametrize(("node", "source"), NODES, ids=str)
def test_each_kind_of_node(node: Expr, source: str) -> None:
    assert latex(node) == source


PARENTHESES = [
    (a * measured(-2.0), r"a \cdot (-2)"),
    (a - (z - y), "a - (z - y)"),
    (-(a + y), "-(a + y)"),
    ((a + y) / (1 - a), r"\frac{a + y}{1 - a}"),
    ((a / y) ** 2, r"\left(\frac{a}{y}\right)^{2}"),
    (exp(z) ** 2, "(e^{z})^{2}"),
    (Tagged(exp(z), 1) ** 2, r"(\textcolor{chocolate}{e^{z}})^{2}"),
    (Symbol("w", "1", "2") ** 2, "(w^{2}_{1})^{2}"),
    (Partial(a, z) ** 2, r"\left(\frac{\partial a}{\partial z}\right)^{2}"),
    (Transpose(Transpose(a)), r"(a^{\top})^{\top}"),
    (measured(1e-9) ** 2, r"(1 \cdot 10^{-9})^{2}"),
    (Words("a b") ** 2, r"{\text{a b}}^{2}"),
    (a * Choice(z, POSITIVE, y), r"a \cdot \left(" + latex(Choice(z, POSITIVE, y)) + r"\right)"),
    (a + Rest((measured(-0.1),), "1 more"), r"a + ({\underbrace{-0.1}_{\text{1 more}}})"),
]


@pytest.mark.parametrize(("node", "source"), PARENTHESES, ids=str)
def test_parentheses_stand_where_a_reader_needs_them(node: Expr, source: str) -> None:
    assert latex(node) == source


def test_digits_apply_to_measured_numbers_only() -> None:
    assert latex(measured(2 / 3) + 0.123456789, digits=3) == "0.667 + 0.123456789"
    assert latex(measured(2 / 3), digits="full") == "0.6666666666666666"
    with pytest.raises(InputError):
        LatexEmitter(0)


def assert_is_harmless(source: str) -> None:
    """No character is left that TeX acts on, but scripts with braces around, and the braces match."""
    bare = re.sub(r"\\([A-Za-z]+|[^A-Za-z])", "", source)
    assert not re.search(r"[#$%&~`\\\x00-\x1f]", bare)
    assert not re.search(r"[_^](?!\{)", bare)
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0


def commands(source: str) -> set[str]:
    return set(re.findall(r"\\[A-Za-z]+", source))


@given(HOSTILE)
def test_text_of_any_characters_stays_text(words: str) -> None:
    for node in (Words(words), Symbol(words, words, words, words), Total(words, a), Rest((a,), words)):
        assert_is_harmless(latex(node))


@given(HOSTILE)
def test_text_runs_no_command_of_its_own(words: str) -> None:
    assert commands(latex(Words(r"\input{" + words + "}"))) == commands(latex(Words("\\{}a" + words)))


@pytest.mark.parametrize("joined", ["--", "---", "''", ",,"])
def test_text_is_not_drawn_as_other_characters(joined: str) -> None:
    assert joined not in latex(Words(joined)).replace("}\\text{", "|")
    assert re.sub(r"\\text|[{}]", "", latex(Words(joined))) == joined


def test_characters_that_katex_stops_at_are_written_as_codes() -> None:
    assert latex(Words("e\u0301 x\u0353 ∷ ≤")) == (
        r"\text{é x}{[}\text{U+0353}{]}\text{ }{[}\text{U+2237}{]}\text{ }{\le}"
    )


def test_nothing_that_github_refuses() -> None:
    sources = " ".join(latex(node) for node, _ in NODES)
    assert not re.search(r"\\(operatorname|mbox|phantom|def|newcommand)\b", sources)


def test_a_formula_prints_itself_though_only_the_tree_was_imported():
    code = "from deltarule.formula.tree import Number, z; print(1 / z, (Number(1) / z)._repr_latex_())"
    run = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True)
    assert run.stdout == "1/z $\\frac{1}{z}$\n", run.stderr

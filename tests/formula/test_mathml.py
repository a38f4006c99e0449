"""Formulas as MathML: every node, any text, numbers that stay whole."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltarule.formula.mathml import MathmlEmitter, mathml
from deltarule.formula.text import clean
from deltarule.formula.tree import (
    Add,
    Box,
    Brace,
    Call,
    Choice,
    Compare,
    Div,
    Matrix,
    Mul,
    Neg,
    Number,
    Partial,
    Pow,
    Rest,
    Symbol,
    Tagged,
    Total,
    Transpose,
    Words,
    exp,
    log,
    sqrt,
)

MATHML = "{http://www.w3.org/1998/Math/MathML}"
#: How many children an element must have; some may have any number.
ARITY = {"mfrac": 2, "msup": 2, "msub": 2, "mover": 2, "munder": 2, "msubsup": 3, "msqrt": 1}
ANY_NUMBER = {"math", "mrow", "mtable", "mtr", "mtd"}
TOKENS = {"mi", "mn", "mo", "mtext", "mspace"}

x, y, w5 = Symbol("x"), Symbol("y"), Symbol("w", "5")
relu = Choice(x, Compare(x, ">", Number(0)), 0.01 * x)
numbers = Choice(Number(2), Compare(Number(2), ">", Number(0)), 0.01 * Number(2), True)

FORMULAS = {
    Number(-1.5e-7): "−1.5·10−7",
    Symbol("net", "h1"): "neth1",
    Symbol("W", "2", index="0,1"): "W2[0,1]",
    Symbol("w", "11", "2"): "w112",
    Symbol("m", accent="hat"): "mˆ",
    Symbol("f′") * x: "f′·x",
    Words("of <b> & $x$"): "of <b> & $x$",
    -x: "−x",
    -(x + y): "−(x+y)",
    x - y + 2: "x−y+2",
    x - Number(-2): "x−(−2)",
    Add((x, Rest((x, y), "2 more"))): "x+…\u00a0(2 more)",
    Add((x, Rest((Number(1), Number(2.5)), "2 more"))): "x+3.5\u00a0(2 more)",
    x * (1 - x): "x·(1−x)",
    Mul((x, y), "⊙"): "x⊙y",
    Mul((x, Transpose(y)), ""): "x\u2062y⊤",
    1 / (1 + exp(-x)): "11+e−x",
    (x / y) ** 2: "(xy)2",
    w5**2: "w52",
    Symbol("w", "11", "2") ** 2: "(w112)2",
    exp(x) ** 2: "(ex)2",
    Call("tanh", x) + Call("abs", -x) + Call("norm", x): "tanh\u2061(x)+|−x|+‖x‖",
    sqrt(x) * log(y): "x·log\u2061(y)",
    relu: "{xif\u00a0x>00.01·xotherwise",
    numbers: "2\u00a0(as\u00a02>0)",
    Total("k", x + y): "∑k(x+y)",
    Total("", x): "∑x",
    Partial(Symbol("E"), w5): "∂E∂w5",
    Matrix(((Number(1), None, Number(-2)), (None, None, None))): "[1⋯−2⋮⋱⋮]",
    Brace(x * y, Words("via h1")): "x·y⏟via h1",
    Box(x): "x",
    Tagged(x, 3): "x",
}


def tree(node, digits=9):
    return ElementTree.fromstring(mathml(node, digits))


def check(root):
    """Tokens hold text alone, other elements hold elements alone, and as many as they must."""
    for element in root.iter():
        name, children = element.tag.removeprefix(MATHML), list(element)
        if name in TOKENS:
            assert not children
        else:
            assert not (element.text or "").strip()
            assert name in ANY_NUMBER or len(children) == ARITY[name]
        assert not (element.tail or "").strip()


@pytest.mark.parametrize(("formula", "shown"), FORMULAS.items(), ids=map(str, FORMULAS))
def test_every_node(formula, shown):
    root = tree(formula)
    check(root)
    assert "".join(root.itertext()) == shown


def test_names_of_several_letters_are_upright_and_numbers_are_numbers():
    root = tree(Symbol("net", "1"))
    assert [(e.tag.removeprefix(MATHML), e.text) for e in root[0]] == [("mi", "net"), ("mn", "1")]


def test_low_fences_do_not_stretch_and_tall_ones_do():
    assert 'stretchy="false"' in mathml((x + y) * x)
    assert 'stretchy="false"' not in mathml((x / y) ** 2)


def test_numbers_are_rounded_only_where_measured():
    third = 1 / 3
    assert ">0.333<" in mathml(Number(third, measured=True), 3)
    assert ">0.3333333333333333<" in mathml(Number(third), 3)


def test_tags_boxes_and_display_are_marked():
    assert '<mrow class="t7">' in mathml(Tagged(x, 7))
    assert '<mrow class="box">' in mathml(Box(x))
    assert ' display="block">' in mathml(x, display=True)


def test_a_wide_sum_inside_is_stacked():
    terms = [Number(0.123456789) * Symbol("x", str(i)) for i in range(12)]
    root = tree(log(Add(tuple(terms))))
    check(root)
    rows = root.findall(f".//{MATHML}mtable[@class='stack']/{MATHML}mtr")
    assert len(rows) > 1
    assert "".join(root.itertext()).count("0.123456789") == 12


def test_a_line_may_end_between_pieces():
    emit = MathmlEmitter()
    products = Add(tuple(Symbol("w", str(i)) * Symbol("x", str(i)) for i in range(4)))
    pieces = emit.pieces(Tagged(products - y, 2))
    assert len(pieces) == 5
    assert all(piece.startswith('<mrow class="t2">') for piece in pieces)
    assert all('<mo form="infix">' in piece for piece in pieces[1:])
    assert emit.pieces(x) == ["<mi>x</mi>"]


def test_a_wide_product_in_a_sum_is_in_pieces_too():
    product = Mul(tuple(Partial(Symbol("out", f"h{i}"), Symbol("net", f"h{i}")) for i in range(12)))
    assert len(MathmlEmitter().pieces(x + product)) == 13


@given(st.text(), st.text(), st.text(), st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_stays_that_text(base, sub, sup, words):
    formula = Symbol(base, sub, sup, index=words, accent="hat") + Words(words) + Call(base, x)
    root = tree(Brace(formula, Rest((x,), words)) + Total(sub, x))
    assert {e.tag.removeprefix(MATHML) for e in root.iter()} <= {*TOKENS, *ARITY, *ANY_NUMBER}
    shown = {"", *root.itertext()}
    assert clean(words).replace("\uffff", " ").replace("\ufffe", " ") in shown


def formulas():
    leaves = st.one_of(
        st.builds(Number, st.floats(), st.booleans()),
        st.builds(Symbol, st.text(max_size=3), st.text(max_size=3)),
    )

    def larger(parts):
        some = st.lists(parts, min_size=1, max_size=12).map(tuple)
        return st.one_of(
            st.builds(Add, some),
            st.builds(Mul, some, st.sampled_from(["·", "⊙", ""])),
            st.builds(Neg, parts),
            st.builds(Div, parts, parts),
            st.builds(Pow, parts, parts),
            st.builds(Tagged, parts, st.integers(0, 7)),
            st.builds(Transpose, parts),
            st.builds(Brace, parts, parts),
        )

    return st.recursive(leaves, larger, max_leaves=30)


@given(formulas())
@settings(max_examples=200, deadline=None)
def test_any_formula_is_sound(formula):
    check(tree(formula))
    emit = MathmlEmitter()
    joined = f"<math>{''.join(emit.pieces(formula))}</math>"
    check(ElementTree.fromstring(joined))
    assert emit.width(formula) >= 0

"""Formulas as JSON: every node, numbers, parentheses, text of any characters."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deltarule.formula import tree
from deltarule.formula.emitter import worked_out
from deltarule.formula.json import data
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
    NamedConstant,
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
)

X = {"node": "symbol", "base": "x", "sub": "", "sup": "", "index": "", "accent": ""}
Y = {**X, "base": "y"}
M = {**X, "base": "m", "sub": "1", "sup": "2", "index": "0,1", "accent": "hat"}
x, y = Symbol("x"), Symbol("y")
TEST = Compare(x, ">", y)

NODES = {
    Symbol: (Symbol("m", "1", "2", "0,1", "hat"), M),
    NamedConstant: (NamedConstant("π", 3.14), {"node": "constant", "base": "π", "number": 3.14}),
    Words: (Words("as it is"), {"node": "words", "text": "as it is"}),
    Neg: (-x, {"node": "neg", "body": X}),
    Add: (x - y, {"node": "add", "terms": [{"sign": "", "body": X}, {"sign": "−", "body": Y}]}),
    Rest: (Rest((x, y), "2 more"), {"node": "rest", "sum": None, "what": "2 more"}),
    Mul: (Mul((x, y), "⊙"), {"node": "mul", "factors": [X, Y], "op": "⊙"}),
    Div: (x / y, {"node": "div", "top": X, "bottom": Y}),
    Pow: (x**y, {"node": "pow", "body": X, "exponent": Y}),
    Call: (Call("tanh", x), {"node": "call", "function": "tanh", "argument": X}),
    Compare: (TEST, {"node": "compare", "left": X, "op": ">", "right": Y}),
    Choice: (Choice(x, TEST, y), {"node": "choice", "then": X, "test": data(TEST), "other": Y}),
    Total: (Total("k", x), {"node": "total", "index": "k", "body": X}),
    Partial: (Partial(x, y), {"node": "partial", "top": X, "by": Y}),
    Matrix: (Matrix(((x, None),)), {"node": "matrix", "rows": [[X, None]]}),
    Transpose: (Transpose(x), {"node": "transpose", "body": X}),
    Brace: (Brace(x, y), {"node": "brace", "body": X, "label": Y}),
    Box: (Box(x), {"node": "box", "body": X}),
    Tagged: (Tagged(x, 3), {"node": "tagged", "body": X, "tag": 3}),
}  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), NODES.values(), ids=lambda case: type(case).__name__)
def test_each_node_has_its_dictionary(node, expected):
    assert data(node) == expected


def test_no_node_is_forgotten():
    kinds = {kind for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, tree.Expr)}
    assert kinds - {tree.Expr, tree.Wrapper} == {*NODES, Number}


def test_a_number_keeps_its_float_and_says_how_it_is_written():
    number = data(Number(-1.23456e-7, measured=True), digits=3)
    assert number == {
        "node": "number", "number": -1.23456e-7, "measured": True, "text": "−1.23·10⁻⁷",
        "negative": True, "mantissa": "1.23", "exponent": -7,
    }  # fmt: skip
    assert data(Number(1 / 3), digits=3)["text"] == "0.3333333333333333"


@pytest.mark.parametrize(
    ("number", "name", "text"),
    [(math.nan, "NaN", "NaN"), (math.inf, "Infinity", "∞"), (-math.inf, "-Infinity", "−∞")],
)
def test_what_is_no_json_number_has_a_name(number, name, text):
    found = data(Number(number, True))
    assert (found["number"], found["text"]) == (name, text)
    json.dumps(found, allow_nan=False)


def test_the_branch_that_was_taken_and_what_held():
    taken = data(Choice(x, TEST, y, taken=True))
    other = data(Choice(x, TEST, y, taken=False))
    assert taken == {"node": "taken", "body": X, "test": data(TEST)}
    assert other == {
        "node": "taken",
        "body": Y,
        "test": {"node": "compare", "left": X, "op": "≤", "right": Y},
    }


def test_a_rest_of_numbers_is_added_up():
    assert data(Rest((Number(0.25), Number(0.5)), "2 more"))["sum"]["number"] == 0.75


@pytest.mark.parametrize(
    "body", [x / y, Partial(x, y), exp(x), x**y, Symbol("w", "1", "2"), -x, x + y, 2 * x, Number(-1)]
)
def test_what_would_be_misread_under_an_exponent_stands_in_parentheses(body):
    assert data(body**2)["body"]["node"] == "group"


@pytest.mark.parametrize("top", [x + y, -x, Number(-1), x / y])
def test_a_fraction_bar_needs_no_parentheses(top):
    assert data(top / x)["top"]["node"] != "group"
    assert data(x / top)["bottom"]["node"] != "group"


def _listed(node):
    """The formula on one line, with no other parentheses than fraction bars and exponents replace."""
    match node["node"]:
        case "number":
            return f"{'-' if node['negative'] else ''}N({abs(node['number'])})"
        case "group":
            return f"({_listed(node['body'])})"
        case "neg":
            return f"-{_listed(node['body'])}"
        case "add":
            return "".join(term["sign"].replace("−", "-") + _listed(term["body"]) for term in node["terms"])
        case "mul":
            return "*".join(map(_listed, node["factors"]))
        case "div":
            return f"({_listed(node['top'])})/({_listed(node['bottom'])})"
        case "pow":
            return f"{_listed(node['body'])}**({_listed(node['exponent'])})"


_numbers = st.integers(-9, 9).map(np.float64).map(Number)
_formulas = st.recursive(
    _numbers,
    lambda inner: st.one_of(
        inner.map(Neg),
        st.tuples(inner, inner).map(Add),
        st.tuples(inner, inner).map(Mul),
        st.tuples(inner, inner).map(lambda pair: Div(*pair)),
        st.tuples(inner, st.sampled_from([Number(0.0), Number(1.0), Number(2.0)])).map(
            lambda pair: Pow(*pair)
        ),
    ),
    max_leaves=8,
)


@given(_formulas)
def test_parentheses_keep_the_meaning(formula):
    with np.errstate(all="ignore"):
        expected = worked_out(formula)
        assume(np.isfinite(expected))
        assert eval(_listed(data(formula)), {"N": np.float64}) == pytest.approx(expected)


@given(st.text())
def test_text_of_any_characters_survives(words):
    formula = Mul((Symbol(words, words, words, words), Words(words), Rest((x,), words), Call(words, x)))
    symbol, text, rest, call = json.loads(json.dumps(data(formula), allow_nan=False))["factors"]
    assert {symbol["base"], symbol["sub"], symbol["index"], text["text"], rest["what"]} == {words}
    assert call["function"] == words


def test_half_a_character_does_not_reach_json():
    json.dumps(data(Words("a\ud800b")), ensure_ascii=False).encode()

"""Formulas as spreadsheets take them: each worth what its tree is worth, and nothing that Excel refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deltarule.errors import InputError
from deltarule.formula import tree
from deltarule.formula.emitter import Emitter
from deltarule.formula.excel import Cell, column_name, defined_name, excel
from deltarule.formula.tree import (
    Add,
    Box,
    Brace,
    Call,
    Choice,
    Compare,
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
    absolute,
    exp,
    log,
    sign,
    sqrt,
    tanh,
)
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep
from spreadsheet.calculator import evaluate

LETTERS = [Symbol(letter) for letter in "abcd"]
CELLS = {letter: Cell(row, 2 * row) for row, letter in enumerate(LETTERS)}


def row_of(n):
    """n symbols in a row of cells: A1, B1, …"""
    return {Symbol("x", str(index)): Cell(0, index) for index in range(n)}


def written(formula, cells=CELLS):
    return excel(formula, cells.__getitem__)


a, b, c, d = LETTERS


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (-(a**2), "=-(A1^2)"),
        (-a + b, "=-A1+C2"),
        (-(a**2) + b, "=-(A1^2)+C2"),
        (-(a * b) - c, "=-(A1*C2)-E3"),
        (a - b**2, "=A1-C2^2"),
        (a - (b - c), "=A1-(C2-E3)"),
        (a / (b * c), "=A1/(C2*E3)"),
        (a / b / c, "=A1/C2/E3"),
        ((a + b) * -c, "=(A1+C2)*(-E3)"),
        (exp(-(a**2)), "=EXP(-(A1^2))"),
        ((a**b) ** c, "=(A1^C2)^E3"),
        (a ** (b**c), "=A1^(C2^E3)"),
        (a**-2, "=A1^(-2)"),
        (Number(-2.0) ** a, "=(-2)^A1"),
        (log(a) * tanh(b), "=LN(A1)*TANH(C2)"),
        (sqrt(absolute(a)) + sign(b), "=SQRT(ABS(A1))+SIGN(C2)"),
        (Choice(a, Compare(a, ">", Number(0)), 0.01 * a), "=IF(A1>0,A1,0.01*A1)"),
        (NamedConstant("π", math.pi) * a, "=PI()*A1"),
        (1e-8 + a, "=1E-08+A1"),
        (a * 0.30000000000000004, "=A1*0.30000000000000004"),
        (Tagged(Box(Brace(a + b, c)), 1) * 2, "=(A1+C2)*2"),
    ],
)
def test_a_formula_is_written_as_a_spreadsheet_reads_it(formula, expected):
    assert written(formula) == expected


NUMBERS = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-3)
TREES = st.recursive(
    st.sampled_from(LETTERS) | st.builds(Number, NUMBERS),
    lambda inner: st.one_of(
        st.builds(lambda x, y: x + y, inner, inner),
        st.builds(lambda x, y: x - y, inner, inner),
        st.builds(lambda x, y: x * y, inner, inner),
        st.builds(lambda x, y: x / y, inner, inner),
        st.builds(Neg, inner),
        st.builds(lambda x, n: Pow(x, Number(n)), inner, st.sampled_from([2, 3, -1])),
        st.builds(lambda name, x: Call(name, x), st.sampled_from(["exp", "tanh", "abs", "sign"]), inner),
        st.builds(
            lambda x, y, z, op: Choice(x, Compare(y, op, z), z), inner, inner, inner, st.sampled_from("<>")
        ),
    ),
    max_leaves=12,
)


@given(formula=TREES, numbers=st.lists(NUMBERS, min_size=4, max_size=4))
def test_any_formula_is_worth_what_its_tree_is_worth(formula, numbers):
    worth = dict(zip(LETTERS, numbers, strict=True))
    with np.errstate(all="ignore"):
        expected = float(formula.value(worth.__getitem__))
    assume(math.isfinite(expected))
    at = {str(cell): worth[letter] for letter, cell in CELLS.items()}
    try:
        found = evaluate(written(formula), at.__getitem__)
    except (OverflowError, ZeroDivisionError):  # where NumPy goes on with infinity
        assume(False)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def every_formula():
    for registry in (ACTIVATIONS, LOSSES):
        for name in registry:
            record = registry.resolve(name)
            yield pytest.param(record.formula, id=name)
            yield pytest.param(record.derivative_formula, id=f"{name} derivative")
    for name in OPTIMIZERS:
        rule = OPTIMIZERS.resolve(name)
        if isinstance(rule, GradientStep):
            for line, (_, formula) in enumerate(rule.weight_steps + rule.steps):
                yield pytest.param(formula, id=f"{name} {line}")


@pytest.mark.parametrize("formula", list(every_formula()))
def test_every_formula_that_comes_with_us_is_worth_the_same_in_a_cell(formula):
    formula = formula.replace(lambda part: part.body if isinstance(part, Total) else None)
    symbols = [leaf for leaf in formula.leaves() if type(leaf) is Symbol]
    cells = {symbol: Cell(0, 2 * index) for index, symbol in enumerate(dict.fromkeys(symbols))}
    rng = np.random.default_rng(0)
    for _ in range(20):
        worth = {symbol: float(rng.uniform(0.05, 0.95)) for symbol in cells}
        at = {str(cell): worth[symbol] for symbol, cell in cells.items()}
        found = evaluate(written(formula, cells), at.__getitem__)
        assert found == pytest.approx(float(formula.value(worth.__getitem__)), rel=1e-12)


def test_neighbouring_cells_are_summed_as_ranges():
    row = row_of(8)
    x = list(row)
    assert written(Add(tuple(x)), row) == "=SUM(A1:H1)"
    assert written(Add(tuple(x)) / 8, row) == "=SUM(A1:H1)/8"
    assert written(Add(tuple(x[:2])), row) == "=A1+B1"
    assert written(2 * Add(tuple(each**2 for each in x)), row) == "=2*SUMSQ(A1:H1)"
    assert written(Add((x[7], *x[:5], x[0])), row) == "=H1+SUM(A1:E1)+A1"
    assert written(Add((Rest(tuple(x[:4]), "4 more terms"), x[5])), row) == "=SUM(A1:D1)+F1"
    pairs = [x[k] * x[k + 4] for k in range(4)]
    assert written(Add((*pairs, x[3])), row) == "=SUMPRODUCT(A1:D1,E1:H1)+D1"
    assert written(Add(tuple(pairs[:3])), row) == "=A1*E1+B1*F1+C1*G1"


def test_sums_are_written_out_where_no_ranges_are_wanted():
    row = row_of(4)
    assert excel(Add(tuple(row)) / 4, row.__getitem__, ranges=False) == "=(A1+B1+C1+D1)/4"


def test_cells_are_neighbours_only_in_one_direction_and_on_one_sheet():
    x = [Symbol("x", str(k)) for k in range(4)]
    around = dict(zip(x, [Cell(0, 0), Cell(0, 1), Cell(1, 1), Cell(2, 1)], strict=True))
    assert written(Add(tuple(x)), around) == "=A1+B1+B2+B3"
    down = {symbol: Cell(k, 3, "network", fixed=True) for k, symbol in enumerate(x)}
    assert written(Add(tuple(x)), down) == "=SUM(network!$D$1:$D$4)"
    apart = down | {x[2]: Cell(2, 3)}
    assert written(Add(tuple(x)), apart) == "=network!$D$1+network!$D$2+D3+network!$D$4"


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (Words("1/(1+e^-z)"), "is text, which a spreadsheet cannot compute"),
        (Words('=cmd|" /C calc"!A0'), "is text"),
        (Total("k", a), "is not one number"),
        (Matrix(((a, b),)), "is not one number"),
        (Transpose(a), "is not one number"),
        (Partial(a, b), "is not one number"),
        (Call("norm", a), "a spreadsheet has no function 'norm'"),
        (Call("HYPERLINK", a), "a spreadsheet has no function 'HYPERLINK'"),
        (a + math.inf, "cannot hold the number inf"),
        (Mul(tuple(LETTERS * 1000)), "does not fit into a cell, which takes 8,192 characters"),
    ],
)
def test_what_no_cell_can_hold_is_refused(formula, message):
    with pytest.raises(InputError, match=message.replace("|", r"\|")):
        written(formula)


def test_a_formula_of_too_many_levels_is_refused():
    formula = a
    for _ in range(65):
        formula = exp(formula)
    with pytest.raises(InputError, match="65 levels"):
        written(formula)


def test_columns_are_named_as_spreadsheets_name_them():
    assert [column_name(n) for n in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("w5", "w_5"), ("W5", "W_5"), ("b1", "b_1"), ("b_h1", "b_h1"), ("w12345678", "w_12345678"),
        ("r", "r_"), ("C", "C_"), ("r1", "r_1"), ("R2C3", "R2C3_"), ("net h1", "net_h1"),
        ("1st", "_1st"), ("=cmd|'x'!A0", "_cmd__x__A0"), ("η", "η"), ("alpha1", "alpha1"),
    ],
)  # fmt: skip
def test_a_name_is_one_that_a_spreadsheet_takes(name, expected):
    assert defined_name(name) == expected


def test_the_emitter_knows_every_kind_of_node():
    nodes = {kind for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, tree.Expr)}
    from deltarule.formula.excel import ExcelEmitter

    nodes -= {tree.Expr, tree.Wrapper}
    assert nodes == set(tree.NODES)
    for node in nodes:
        assert callable(getattr(ExcelEmitter, node.__name__.lower())), node


def test_an_emitter_that_forgets_a_kind_of_node_is_refused():
    with pytest.raises(TypeError, match=r"^Forgetful does not write words, neg, add, rest, .*, transpose$"):
        type("Forgetful", (Emitter,), {"number": str, "symbol": str})

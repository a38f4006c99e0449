"""Documents as LaTeX: blocks, broken lines, text of any characters, and what pdflatex makes of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.documents.document import Document, Figure, Heading, Line, Lines, Paragraph, TableBlock
from deltarule.documents.drawing import Drawing, Edge, Gap, NeuronColumn, Node
from deltarule.documents.renderers.aligned_formulas import extent
from deltarule.documents.renderers.figure_tables import neurons, weights
from deltarule.documents.renderers.latex import latex_document
from deltarule.documents.svg_style import TAG_COLOURS
from deltarule.formula.latex import TAG_NAMES
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
    exp,
    log,
    sqrt,
    y,
    z,
)

HOSTILE = (
    "<script> $\\alpha$ #1 \\input{x} & % _ ^ ~ { } ` * [a](b) -- '' \" “é” 漢字 🙂 ßŁ \x07\u202e\ufffe\n≤₁²δ"
)
TEXTS = st.text(st.characters() | st.sampled_from("\\{}#$%&_^~`<>|*[]-'\"\n"), max_size=15)
E, W5 = Symbol("E"), Symbol("w", "5")


def measured(number: float) -> Number:
    return Number(number, measured=True)


MATRIX = Matrix(tuple(tuple(measured(i / 7 - j) for j in range(9)) for i in range(3)))
DRAWING = Drawing(
    (
        NeuronColumn("inputs", "", (Node(HOSTILE, (("x", "0.05"),)), Gap(3))),
        NeuronColumn(
            "layer 1",
            "sigmoid",
            (Node("o1", (("net", "-0.5"), ("δ", "nan")), tag=2),),
            bias=Node("b1", (("b1", "0.35"),)),
        ),
    ),
    (Edge(1, 0, 0, "w1", 0.4, "0.4", tag=1),),
    "2 → 1 sigmoid.",
)
FORMULAS: list[Expr] = [
    1 / (1 + exp(-z)) + log(a) * sqrt(y) - Neg(a) ** 2,
    Mul((Mul((a, Transpose(MATRIX)), ""), y), "⊙"),
    Choice(z, Compare(z, ">", Number(0)), 0.01 * z),
    Choice(measured(0.5), Compare(z, ">", Number(0)), y, True) * 2,
    Total("k", Brace(a * y, Symbol("via", "h1")) + Rest((measured(0.1),), "3 more")),
    Call("norm", a) + Call("abs", a / y) + Call("softmax", a) + Call("sign", a) + Call("tanh", a),
    Symbol(HOSTILE, HOSTILE) + Words(HOSTILE),
    Matrix(((measured(0.1), None), (None, None))),
    Symbol("m", accent="hat") / Symbol("W", "1", "2,(1)", "0,1"),
]
LINES = [
    Line((Partial(E, W5), Tagged(a, 0) * Tagged(y, 7), measured(0.25)), ("chain rule of ", W5, HOSTILE)),
    *(Line((E, formula, measured(1e-9))) for formula in FORMULAS),
    Line((W5, W5 - a, Box(measured(1 / 3))), ("gradient descent",), "←", True),
    Line((W5,)),
]
EVERYTHING = Document(
    "T1 " + HOSTILE,
    (
        Heading((Partial(E, W5), ": ", HOSTILE)),
        Heading(("part",), 3),
        Paragraph((HOSTILE, W5, Words(HOSTILE))),
        Paragraph(("aside",), aside=True),
        Figure(DRAWING),
        Lines(tuple(LINES)),
        TableBlock(("path", a), (("[h1", measured(-0.5)), (HOSTILE, Partial(E, a)))),
        TableBlock(("n",), tuple((str(n),) for n in range(40))),
    ),
)


def body(*blocks: object) -> str:
    """What is written for some blocks, without definitions."""
    source = latex_document(Document("t", blocks), standalone=False)  # type: ignore[arg-type]
    return source.split("\n\n", 1)[1].rsplit("\n\n\\endgroup", 1)[0]


def test_a_document_is_an_article_and_its_body_stands_alone() -> None:
    whole, own = latex_document(EVERYTHING), latex_document(EVERYTHING, standalone=False)
    assert whole.startswith("\\documentclass")
    assert whole.endswith("\\end{document}\n")
    assert "documentclass" not in own
    assert own.startswith("% Needs \\usepackage")
    assert own.endswith("\\endgroup\n")


def test_colours_are_those_of_the_picture() -> None:
    whole, own = latex_document(EVERYTHING), latex_document(EVERYTHING, standalone=False)
    for name, colour in zip(TAG_NAMES, TAG_COLOURS, strict=True):
        assert rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}" in whole
        assert rf"\providecolor{{{name}}}" in own


def test_headings_and_paragraphs() -> None:
    assert body(Heading(("of ", W5))) == r"\section*{\boldmath of \(w_{5}\)}"
    assert body(Heading(("x",), 3)) == r"\subsection*{\boldmath x}"
    assert body(Paragraph(("δ of ", W5, Words(" & h1")))) == r"\(\delta\) of \(w_{5}\) \& h1"
    assert "small" in body(Paragraph(("x",), aside=True))


def test_a_line_is_aligned_at_its_first_sign() -> None:
    line = Line((W5, W5 - a, measured(0.5)), ("why: ", a), "←", result=True)
    assert r"w_{5} & \leftarrow w_{5} - a = \boxed{0.5} \tag*{\remark{why: \(a\)}}" in body(Lines((line,)))
    assert body(Lines((Line((a, Box(y)), result=True),))).count(r"\boxed") == 1
    assert "a &\n" in body(Lines((Line((a,)),)))


def test_sides_that_are_too_wide_stand_below() -> None:
    terms = Add(tuple(Symbol("w", str(n)) * Symbol("out", f"h{n}") for n in range(5)))
    numbers = Add(tuple(measured(n / 7) * measured(n / 9) for n in range(1, 10)))
    source = body(Lines((Line((z, terms, numbers, measured(0.5))),)))
    rows = source.split("\n")[2:-1]
    assert [row.split()[0] for row in rows] == ["z", *["&"] * (len(rows) - 1)]
    assert rows[0].startswith("z & = w")
    assert rows[1].startswith("& = 0.14")
    assert rows[2].startswith(r"& \qquad {} + ")
    assert rows[-1].endswith("= 0.5")
    assert all(row.endswith(r"\\*") for row in rows[:-1])  # no page ends within a line


def test_long_products_are_broken_too() -> None:
    factors = Mul(tuple(Partial(Symbol("out", f"h{n}"), Symbol("net", f"h{n}")) for n in range(20)))
    assert r"& \qquad {} \cdot \frac" in body(Lines((Line((z, factors)),)))


def test_long_sums_within_quotients_and_products_are_broken_too() -> None:
    losses = Add(tuple(measured(n / 7) for n in range(1, 12)))
    source = body(Lines((Line((E, losses / 11 + Number(0.5) * losses, measured(1.0))),)))
    assert r"\fit" not in source
    assert r"E & = \frac{1}{11} \cdot (0.142857143 + " in source
    assert r"+ 0.5 \cdot (0.142857143 + " in source
    assert source.count("1.57142857)") == 2


def test_wide_matrices_have_fewer_digits_and_never_leave_the_page() -> None:
    source = body(Lines((Line((z, Mul((MATRIX, Transpose(MATRIX)), ""))),)))
    assert r"\fit{" in source
    assert "0.142857143" not in source
    assert "-0.857 " in source


def test_a_wide_note_stands_below_its_line() -> None:
    line = Line((z, a), ("word " * 30,))
    assert r"\tag" not in body(Lines((line,)))
    assert r"\parbox" in body(Lines((line,)))


def test_tables() -> None:
    table = TableBlock(("path", W5), (("h1 & o1", measured(-0.5)), ("[x", "")))
    assert r"\begin{tabular}{lr}" in body(table)
    assert r"h1 \& o1 & \(-0.5\) \\" in body(table)
    assert r"{[}x" in body(table)
    assert r"p{" in body(TableBlock(("a",), (("word " * 40,),)))
    assert r"\begin{longtable}" in body(TableBlock(("a",), (("b",),) * 31))


def test_a_figure_is_a_table_of_neurons() -> None:
    table = neurons(DRAWING)
    assert table.header == ("neuron", "x", "b", "net", "δ")
    assert table.rows[0] == (HOSTILE, Number(0.05), "", "", "")
    assert table.rows[1] == ("… 3 more", "", "", "", "")
    assert table.rows[2] == (Tagged(Words("o1"), 2), "", "", Number(-0.5), table.rows[2][4])
    assert table.rows[3] == ("b1", "", Number(0.35), "", "")
    assert weights(DRAWING)[1] == Compare(Tagged(Symbol("w", "1"), 1), "=", Number(0.4))
    assert r"2 \({\rightarrow}\) 1 sigmoid. Weights: " in body(Figure(DRAWING))


def test_weights_of_a_large_network_are_left_out() -> None:
    assert weights(Drawing(DRAWING.columns, DRAWING.edges * 21, "")) == ()


def test_rare_characters_are_declared_and_no_others() -> None:
    source = latex_document(Document("é “x” δ ≤ 🙂", ()))
    assert re.findall(r"^\\missing\{(.*?)\}", source, re.M) == ["1F642"]


@given(TEXTS)
def test_text_of_any_characters_stays_text(words: str) -> None:
    blocks = (Heading((words,)), Paragraph((words,), True), TableBlock((words,), ((words,),)))
    source = body(*blocks)
    bare = re.sub(r"\\([A-Za-z]+|[^A-Za-z])", "", source.replace("\\\\", ""))
    assert not re.search(r"[#%~`\x00-\x09\x0b-\x1f]", bare)
    assert bare.count("{") == bare.count("}")
    assert "$" not in bare
    assert source.count(r"\(") == source.count(r"\)")
    assert "&" not in bare


def test_many_lines_are_quickly_written() -> None:
    lines = Lines(tuple(Line((W5, W5 - a * y, measured(n / 7))) for n in range(500)))
    assert body(lines).count(r"\\") == 499


def test_extent_grows_with_what_is_written() -> None:
    assert extent(measured(1 / 3), 9) == len("0.333333333")
    assert extent(a / (y + z), 9) < extent(a + y + z, 9) < extent(exp(a) + y + z, 9)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("standalone", [True, False])
def test_pdflatex_typesets_everything(tmp_path: Path, standalone: bool) -> None:
    source = latex_document(EVERYTHING, standalone)
    if not standalone:
        packages = source.partition("\n")[0].removeprefix("% Needs ")
        source = f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n{source}\\end{{document}}\n"
    (tmp_path / "all.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")

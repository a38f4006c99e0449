"""Documents as data, and as PDF."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltarule.derivations.network_drawing import draw
from deltarule.documents.document import Document, Figure, Heading, Line, Lines, Paragraph, TableBlock
from deltarule.documents.renderers.json import document_data
from deltarule.documents.renderers.pdf import pdf
from deltarule.errors import MissingExtraError
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
    Number,
    Partial,
    Rest,
    Symbol,
    Tagged,
    Total,
    Transpose,
    Words,
    exp,
    sqrt,
)
from deltarule.nn.network import Network

x, y, w5 = Symbol("x"), Symbol("y"), Symbol("w", "5")
TEST = Compare(x, ">", Number(0))
HOSTILE = "<script> $\\alpha$ #panic() \\input{x} & % _ ^ ~ ` * [a](b) @label // /* “é” 漢字 🙂 \x07 \u202e"


def number(value: float) -> Number:
    return Number(value, True)


NODES = (
    Number(2.5), number(1 / 3), number(-1.5e-7), number(math.nan), number(-math.inf),
    NamedConstant("π", math.pi),
    Symbol("W", "2", index="0,1"), Symbol("m", "1", "2", "", "hat"), Symbol("f′(z)"), Words(HOSTILE),
    -x, x - y + -y, Rest((x, y), "2 more"), Rest((number(0.25), number(-0.5)), HOSTILE),
    Mul((x, y), "⊙"), Mul((x, y), ""), 2 * x / y, (x / y) ** 2, exp(-x), sqrt(x),
    Call("log", x), Call("abs", x), Call("norm", x), Call(HOSTILE, x), Call("f", x),
    TEST, Choice(x, TEST, y), Choice(x, TEST, y, True), Choice(x, TEST, y, False),
    Total("k", Symbol("y", "k")), Partial(x, y), Transpose(Symbol("W")),
    Matrix(((number(0.5), number(-12.25), None), (None, None, None), (x, number(1e-9), None))),
    Brace(x * y, Symbol("via", "h1")), Box(number(0.125)), Tagged(x, 7),
)  # fmt: skip


def drawing(sizes=(2, 3, 1), **arguments):
    net = Network(list(sizes), **arguments)
    X, Y = np.full((1, sizes[0]), 0.5), np.full((1, sizes[-1]), 0.25)
    trace = net.forward(X)
    names = [HOSTILE, *(f"i{i}" for i in range(2, sizes[0] + 1))]
    return draw(net, trace, net.backward(trace, Y), Y, inputs=names, tags={"h1": 0, "w5": 1})


def sample() -> Document:
    chain = Line(
        (Partial(y, w5), Mul((Tagged(Partial(y, x), 0), Tagged(Partial(x, w5), 1)))), ("because ", x)
    )
    result = Line(
        (Partial(y, w5), number(0.74136507) * number(0.593269992), number(0.43982856)), (), "←", True
    )
    return Document(
        f"Sample {HOSTILE}",
        (
            Heading((Partial(y, w5), ": ", HOSTILE)),
            Paragraph(("Words, ", x, " and ", HOSTILE)),
            Figure(drawing()),
            Lines((chain, result)),
            Heading(("Nodes",), 3),
            Lines(tuple(Line((Symbol("n", str(i)), node)) for i, node in enumerate(NODES))),
            TableBlock(
                ("path", x, HOSTILE), (("a", number(0.5), y), (HOSTILE, number(-12.25), number(1e-9)))
            ),
            Paragraph(("May be skipped.",), True),
        ),
    )


def of_lines(*sides: Expr, **arguments) -> Document:
    return Document("Lines", (Lines((Line(sides, **arguments),)),))


# ---------------------------------------------------------------------- data


def test_each_block_has_its_dictionary():
    heading, paragraph, figure, lines, *_, table, aside = document_data(sample())["blocks"]
    assert heading["level"] == 2
    assert heading["text"] == f"∂y/∂w5: {HOSTILE}"
    assert paragraph["parts"][0] == "Words, "
    assert paragraph["parts"][1]["base"] == "x"
    assert [line["relation"] for line in lines["lines"]] == ["=", "←"]
    assert [line["result"] for line in lines["lines"]] == [False, True]
    assert lines["lines"][0]["note"][0] == "because "
    assert [len(line["sides"]) for line in lines["lines"]] == [2, 3]
    assert table["rows"][0][0] == "a"
    assert aside["aside"]
    assert [column["name"] for column in figure["columns"]] == ["inputs", "layer 1", "layer 2"]


def test_a_figure_is_nodes_and_edges():
    figure = document_data(Document("", (Figure(drawing((12, 3, 1), bias="shared")),)))["blocks"][0]
    first, *_, gap, _ = figure["columns"][0]["nodes"]
    assert first == {"name": HOSTILE, "values": [["x", "0.5"]], "tag": None}
    assert gap == {"left_out": 5}
    assert figure["columns"][1]["bias"]["name"] == "b1"
    edge = figure["edges"][4]
    assert (edge["layer"], edge["source"], edge["target"], edge["name"], edge["tag"]) == (1, 4, 0, "w5", 1)


def test_a_document_is_json_whatever_is_in_it():
    data = document_data(sample())
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["title"] == f"Sample {HOSTILE}"


def test_the_documents_digits_are_the_formulas_digits():
    document = Document("", (Lines((Line((number(1 / 3),)),)),), digits=3)
    assert document_data(document)["blocks"][0]["lines"][0]["sides"][0]["text"] == "0.333"


# ---------------------------------------------------------------------- PDF


def test_without_typst_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtraError, match=r"deltarule\[pdf\]"):
        pdf(Document("", ()))


class TestPages:
    @pytest.fixture(autouse=True)
    def _typst(self):
        self.typst = pytest.importorskip("typst")

    def text_of(self, document, tmp_path):
        if shutil.which("pdftotext") is None:
            pytest.skip("pdftotext is not installed")
        file = tmp_path / "document.pdf"
        file.write_bytes(pdf(document))
        run = subprocess.run(
            ["pdftotext", "-layout", "-enc", "UTF-8", file, "-"], capture_output=True, check=True, timeout=60
        )
        return run.stdout.decode()

    def test_equal_documents_give_equal_bytes(self):
        first = pdf(sample())
        assert first.startswith(b"%PDF")
        assert b"PDF/A" in first or b"pdfaid" in first
        assert pdf(sample()) == first

    def test_an_empty_document_is_a_page(self):
        assert pdf(Document("", ())).startswith(b"%PDF")

    @pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
    def test_each_node_is_drawn(self, node):
        assert pdf(of_lines(x, node, node, note=("see ", node), result=True)).startswith(b"%PDF")

    @pytest.mark.parametrize("sizes", [(1, 1), (2, 2, 2), (30, 1), (12, 30, 5), (2, *[3] * 20, 1)])
    def test_each_network_is_drawn(self, sizes):
        assert pdf(Document("", (Figure(drawing(sizes)),))).startswith(b"%PDF")

    def test_weights_that_are_not_finite_are_drawn(self):
        figure = drawing((5, 5, 5))
        edges = tuple(type(edge)(**{**vars(edge), "weight": math.nan}) for edge in figure.edges)
        assert pdf(Document("", (Figure(type(figure)(figure.columns, edges, "")),))).startswith(b"%PDF")

    def test_the_numbers_are_on_the_pages(self, tmp_path):
        text = self.text_of(sample(), tmp_path)
        for figures in (
            "0.74136507",
            "0.593269992",
            "0.43982856",
            "0.333333333",
            "0.125",
            "12.25",
            "NaN",
            "∞",
        ):
            assert figures in text

    def test_hostile_text_is_text(self, tmp_path):
        text = self.text_of(sample(), tmp_path)
        for words in ("<script>", "$\\alpha$", "#panic()", "\\input{x}", "[a](b)", "@label", "//", "“é”"):
            assert words in text

    def test_a_character_without_a_glyph_is_printed_as_its_number(self, tmp_path):
        text = self.text_of(Document("Names", (Paragraph(("🙂 漢\u0301 x\u0302 e\u0301",)),)), tmp_path)
        assert text.split()[1:5] == ["‹U+1F642›", "‹U+6F22›‹U+0301›", "x‹U+0302›", "é"]

    @pytest.mark.slow
    @settings(max_examples=20, deadline=None)
    @given(st.text(), st.text(max_size=8))
    def test_no_text_stops_a_page(self, words, name):
        blocks = (
            Heading((words,)),
            Paragraph((words, Words(words), Symbol(name, name, index=name))),
            Lines((Line((Symbol(name, name), Call(name, x), Words(words)), (words,)),)),
            TableBlock((words, name), ((words, Words(name)),)),
        )
        assert pdf(Document(words, blocks)).startswith(b"%PDF")

    def test_long_sums_and_wide_matrices_stay_on_the_page(self, tmp_path):
        terms = [number(round(0.1 + i / 1000, 3)) for i in range(60)]
        matrix = Matrix(tuple(tuple(number(-i - j / 1e8 - 0.1) for j in range(9)) for i in range(3)))
        document = Document("Wide", (Lines((Line((x, Add(tuple(terms)), matrix, number(2.5))),)),))
        text = self.text_of(document, tmp_path)
        assert all(str(term.number) in text for term in terms)
        assert self.furthest_right(document, tmp_path) < 210 / 25.4 * 72 - 60

    def furthest_right(self, document, tmp_path):
        """In points, of all words."""
        file = tmp_path / "wide.pdf"
        file.write_bytes(pdf(document))
        run = subprocess.run(["pdftotext", "-bbox", file, "-"], capture_output=True, check=True, timeout=60)
        return max(map(float, re.findall(r'xMax="([0-9.]+)"', run.stdout.decode())))

    def test_hundreds_of_lines_take_as_many_pages_as_they_need(self, tmp_path):
        lines = tuple(Line((Symbol("δ", str(i)), x * y, number(i + 0.5))) for i in range(200))
        text = self.text_of(Document("Long", (Lines(lines),)), tmp_path)
        assert all(f"{i}.5" in text for i in range(200))
        assert text.count("\f") > 3

"""Documents as Markdown: formulas survive a reader that knows no mathematics, text is never markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from deltarule.documents.document import Block, Document, Figure, Heading, Line, Lines, Paragraph, TableBlock
from deltarule.documents.drawing import Drawing, NeuronColumn, Node
from deltarule.documents.renderers.markdown import markdown
from deltarule.formula.latex import printable
from deltarule.formula.tree import (
    Add,
    Compare,
    Matrix,
    Mul,
    Number,
    Partial,
    Symbol,
    Words,
    a,
    absolute,
    y,
    z,
)

from .test_renderers_latex import EVERYTHING

TEXTS = st.text(st.characters() | st.sampled_from("\\{}#$%&_^~`<>|*[]()-+=:.!@ 1\n"), min_size=1, max_size=15)
E, W5 = Symbol("E"), Symbol("w", "5")
READER = MarkdownIt("commonmark", {"html": True}).enable("table")


def body(*blocks: Block) -> str:
    """What is written for some blocks, without the title."""
    return markdown(Document("t", blocks)).removeprefix("# t\n\n").removesuffix("\n")


def kinds(tokens: list[Token]) -> set[str]:
    return {part.type for token in tokens for part in [token, *(token.children or [])]}


def read(token: Token) -> str:
    """The text that a reader sees, on one line."""
    parts = [part for part in token.children or [] if part.type != "html_inline"]
    return squeezed("".join(" " if part.type == "softbreak" else part.content for part in parts))


def squeezed(words: str) -> str:
    return " ".join(words.split())


def test_blocks() -> None:
    assert markdown(Document("Title", ())) == "# Title\n"
    assert body(Heading(("of ", W5), 3)) == "### of $w_{5}$"
    assert body(Paragraph(("δ of ", W5, Words(" h1")))) == "δ of $w_{5}$ h1"
    assert body(Paragraph(("x",), aside=True)) == "> x"
    assert (
        body(TableBlock(("path", a), (("h|1", Number(2)),)))
        == "| path | $a$ |\n| --- | ---: |\n| h\\|1 | $2$ |"
    )


def test_lines() -> None:
    lines = Lines((Line((W5, W5 - a, Number(0.5)), ("why ", a), "←", result=True), Line((-z, y))))
    assert body(lines) == (
        "$$\n\\begin{aligned}\n"
        "w_{5} & \\leftarrow w_{5} - a = \\boxed{0.5} \\qquad \\textcolor{gray}{\\text{why }a} \\cr\n"
        "{}-z & = y\n"
        "\\end{aligned}\n$$"
    )


def test_long_lists_are_divided() -> None:
    assert body(Lines((Line((a, y)),) * 100)).count("\\begin{aligned}") == 3


@pytest.mark.parametrize(
    ("formula", "source"),
    [
        (Mul((Symbol("net", "h1"), z), ""), r"\mathrm{net}_ {h1} \thinspace  z"),
        (Compare(z, "<", a), r"z \lt  a"),
        (Symbol("W", index="0,1"), r"W\lbrack 0,1\rbrack "),
        (Words("{a_%}"), r"\lbrace \text{a}{\underline{\enspace}}\text{％}\rbrace "),
        (Matrix(((a,), (y,))), r"\begin{bmatrix} a \cr  y \end{bmatrix}"),
    ],
)
def test_formulas_do_without_what_markdown_would_take(formula: object, source: str) -> None:
    line = Line((z, formula))  # type: ignore[arg-type]
    assert f"z & = {source}\n" in body(Lines((line,)))


def test_formulas_survive_a_reader_without_mathematics() -> None:
    names = [Symbol("net", "h1"), Symbol("out", "h2"), Symbol("f′", "1"), absolute(a), Partial(E, W5)]
    table = TableBlock(("name", *names), tuple(("row", *names) for _ in range(2)))
    line = Line((z, Add(tuple(names)), Mul(tuple(names))), tuple(names))
    source = body(Paragraph(tuple(names)), Lines((line, line)), table)
    tokens = READER.parse(source)
    seen = "\n".join(read(token) for token in tokens if token.type == "inline")
    formulas = re.findall(r"\$\$[^$]+\$\$|\$[^$]+\$", source)
    assert len(formulas) == 5 + 1 + 15
    assert all(squeezed(formula) in seen for formula in formulas)
    assert not kinds(tokens) & {
        "em_open",
        "strong_open",
        "link_open",
        "code_inline",
        "hardbreak",
        "html_block",
    }


@given(TEXTS)
def test_text_of_any_characters_stays_text(words: str) -> None:
    for block in (Paragraph((words, " end")), Heading((words, " end")), Paragraph((words, " end"), True)):
        tokens = READER.parse(body(block))
        (inline,) = (token for token in tokens if token.type == "inline")
        assert read(inline) == squeezed(f"{printable(words)} end")
        assert kinds(tokens) <= {
            "paragraph_open", "paragraph_close", "heading_open", "heading_close", "blockquote_open",
            "blockquote_close", "inline", "text", "text_special", "html_inline",
        }  # fmt: skip
        tags = [part.content for part in inline.children or [] if part.type == "html_inline"]
        assert set(tags) <= {"<span>", "</span>"}


@given(TEXTS)
def test_text_does_not_leave_its_cell(words: str) -> None:
    tokens = READER.parse(body(TableBlock((words, "b"), ((words, words), ("c", "d")))))
    assert [token.type for token in tokens].count("td_open") == 4
    assert [token.type for token in tokens].count("th_open") == 2


@given(TEXTS)
def test_dollars_in_text_begin_no_formula(words: str) -> None:
    source = body(Paragraph((words,)))
    assert not re.search(r"(?<!\\)\$", source)
    assert not re.search(r"\$(?!</span>)", source)


def test_a_figure_is_drawn_in_characters() -> None:
    drawing = Drawing((NeuronColumn("inputs", "", (Node("```\n$x$ <b>", (("x", "1"),)),)),), (), "1.")
    tokens = READER.parse(body(Figure(drawing)))
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert "$x$ <b>" in tokens[0].content


def test_every_kind_of_block_at_once() -> None:
    source = markdown(EVERYTHING)
    assert source.count("$$") % 2 == 0
    for block in re.findall(r"\$\$(.+?)\$\$", source, re.S):
        assert not re.search(r"\\[^A-Za-z]", block)
        assert not re.search(r"(?<![A-Za-z0-9])_(?! )", block)

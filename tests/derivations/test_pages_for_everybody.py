"""Pages that can be walked by keyboard, heard, read on a telephone and printed; paths that are seen."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

import deltarule as dr
from deltarule.documents.document import Figure, Heading, Lines
from deltarule.documents.svg import svg
from deltarule.formula.spoken import spoken
from deltarule.formula.text import width
from deltarule.formula.tree import Number, Symbol, exp
from deltarule.tutorials import load_example

T1 = load_example("T1")


def explained(what="w1", **settings):
    return dr.explain(T1.network(), T1.X, T1.Y, what, **settings)


def page(derivation):
    return ET.fromstring(re.sub(r"<!DOCTYPE html>\n", "", derivation.html()))


def drawing_of(derivation):
    return next(block.drawing for block in derivation.document.blocks if isinstance(block, Figure))


def test_each_path_is_a_block_under_its_name():
    blocks = explained().document.blocks
    headings = ["".join(map(str, b.parts)) for b in blocks if isinstance(b, Heading) and b.level == 4]
    assert headings == ["via o1", "via o2", "in total"]
    paths = [block for block in blocks if isinstance(block, Lines) and block.path is not None]
    assert [block.path for block in paths] == [0, 1]
    assert [str(block.lines[-1].sides[0]) for block in paths] == ["∂E_o1/∂out_h1", "∂E_o2/∂out_h1"]
    deep = dr.explain(
        dr.Network([2, 2, 2, 1], activation="tanh"), [[0.1, 0.2]], [[1.0]], "w1", notation="tutorial"
    )
    assert "via h3, o1" in deep.text()
    assert "via" not in explained("w5").text()


def test_the_drawing_knows_which_weights_and_neurons_are_on_a_path():
    drawing = drawing_of(explained())
    on = {edge.name: edge.paths for edge in drawing.edges if edge.paths}
    assert on == {"w5": (0,), "w7": (1,)}
    assert [node.paths for node in drawing.columns[1].nodes] == [(0, 1), ()]
    whole = explained().html()
    assert re.search(r'class="lines[^"]* p1"', whole)
    assert re.search(r'<g class="edge[^"]* p1"><title>w7', whole)
    assert ":has(.p1:focus-within)" in whole


@pytest.mark.parametrize("what", ["w1", "all", "layer2"])
def test_every_formula_is_said_aloud(what):
    for math in page(explained(what)).iter("math"):
        assert math.get("aria-hidden") == "true" or re.search(r"[A-Za-z0-9]", math.get("aria-label"))
        assert not re.search(r"[∂·−δ_²]", math.get("aria-label") or "")


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (1 / (1 + exp(-Symbol("net", "h1"))), "1 over (1 plus e to the (minus net h1))"),
        (Number(-1.5e-7, measured=True), "minus 1.5 times 10 to the minus 7"),
        (Symbol("net", "h1", "(2)") * Symbol("w", "5"), "net h1 of sample 2 times w5"),
        (Symbol("δ", "o1"), "delta o1"),
    ],
)
def test_formulas_in_words(formula, said):
    assert spoken(formula) == said


def test_the_page_is_walked_line_by_line():
    lines = [
        element for element in page(explained()).iter("div") if "line" in (element.get("class") or "").split()
    ]
    assert len(lines) > 10
    assert all(line.get("tabindex") == "0" for line in lines)
    assert ".line:focus .t0" in explained().html()


def test_the_drawing_fits_a_narrow_page():
    pictures = list(page(explained()).iter("{http://www.w3.org/2000/svg}svg"))
    assert [picture.get("class") for picture in pictures] == ["deltarule-net", "deltarule-net narrow"]
    assert int(pictures[1].get("width")) * 10 / 13 <= 371  # at 400 px: no letter is smaller than 10 px
    small = dr.explain(dr.Network([2, 2, 1]), [[0.1, 0.2]], [[1.0]], "w1")
    assert 'class="deltarule-net narrow"' in svg(drawing_of(small), narrow=True)


def test_print_breaks_between_steps():
    before = explained().html().partition("{break-inside:avoid}")[0]
    unbroken = set(re.split("[{}]", before[-200:])[-1].split(","))
    assert {".deltarule .line", ".deltarule figure", ".deltarule tr"} <= unbroken


def test_a_terminal_is_told_the_colours_of_the_page():
    plain, coloured = (explained().text(80, colours=colours) for colours in (False, True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    red, green, blue = bytes.fromhex("0068a8")
    assert f"\x1b[38;2;{red};{green};{blue}m∂E/∂out_h1\x1b[39m" in coloured
    assert max(map(width, coloured.splitlines())) <= 80

"""Derivations as web pages: whole, self-contained, of any text."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltarule.derivations import explain
from deltarule.derivations.network_drawing import draw
from deltarule.documents.document import Document, Figure, Heading, Line, Lines, Paragraph, TableBlock
from deltarule.documents.renderers.html import fragment, html
from deltarule.formula.tree import Box, Mul, Number, Partial, Symbol, Tagged, Words, exp, log, total
from deltarule.nn.network import Network
from deltarule.tutorials import load_example

HOSTILE = "<script>alert(1)</script> & ]]> <!-- \" ' </style> $x$ \x07 \u202e \ud800 \uffff 🙂"
w5, E, out = Symbol("w", "5"), Symbol("E"), Symbol("out", "o1")


def measured(number):
    return Number(number, measured=True)


def line(*sides, **more):
    return Document("One line", (Lines((Line(sides, **more),)),))


def sample():
    example = load_example("T1")
    net = example.network()
    trace = net.forward(example.X)
    drawing = draw(net, trace, net.backward(trace, example.Y), example.Y, tags={"w5": 1})
    chain = Mul((Tagged(Partial(E, out), 0), Tagged(Partial(out, w5), 1)))
    values = Mul((Tagged(measured(0.7413650695523157), 0), Tagged(measured(0.11083), 1)))
    return Document(
        f"T1 {HOSTILE}",
        (
            Heading((Partial(E, w5), ": the gradient")),
            Figure(drawing),
            Paragraph(("From ", w5, ", ", Words(HOSTILE))),
            Paragraph((HOSTILE,), aside=True),
            Lines(
                (Line((Partial(E, w5), chain, values, Box(measured(0.08216704))), (HOSTILE, w5), "=", True),)
            ),
            Lines((Line((w5, w5 - Symbol(HOSTILE, HOSTILE), measured(-1.5e-7)), (), "←"),)),
            Heading((HOSTILE,), 3),
            TableBlock(("path", w5), (("h1 → o1", Number(0.25)), (HOSTILE, Words(HOSTILE)))),
        ),
    )


def elements(page, name):
    return [e for e in ElementTree.fromstring(page).iter() if e.tag.rpartition("}")[2] == name]


def shown(page):
    return "".join(ElementTree.fromstring(page).itertext())


class Opened(HTMLParser):
    """The elements that a browser's parser sees, which must be closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("write", [html, fragment])
def test_balanced_as_html_and_as_xml(write):
    parser = Opened()
    parser.feed(write(sample()))
    assert parser.open == []
    ElementTree.fromstring(write(sample()))


@pytest.mark.parametrize("write", [html, fragment])
def test_nothing_runs_and_nothing_is_loaded(write):
    page = write(sample())
    assert not elements(page, "script")
    assert not re.search(r"@import|<link|<img|<iframe|\bsrc=|\bhref=|\bon\w+=", page)
    assert re.findall(r"url\(([^)]{5})", page) == ["data:"]


def test_the_page_says_what_it_is():
    page = html(sample())
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert elements(page, "meta")[0].get("charset") == "utf-8"
    policies = [e.get("content") for e in elements(page, "meta") if e.get("http-equiv")]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")
    assert elements(page, "title")[0].text.startswith("T1 <script>alert(1)</script> &")


def test_headings_are_in_order_and_hold_formulas():
    page = html(sample())
    tags = [e.tag for e in ElementTree.fromstring(page).iter()]
    assert [tag for tag in tags if re.fullmatch(r"h\d", tag)] == ["h1", "h2", "h3"]
    assert elements(page, "h2")[0].find(".//math") is not None


def test_every_number_is_there():
    text = shown(html(sample()))
    for number in ("0.74136507", "0.11083", "0.08216704", "0.25"):
        assert number in text


def test_digits_of_the_document():
    document = Document("Few", (Lines((Line((w5, measured(1 / 3))),)),), digits=3)
    assert "=0.333\n" in shown(html(document)).replace("w5", "")


def test_the_figure_has_its_caption_once():
    drawing = replace(draw(Network([2, 1])), caption="What is left out.")
    page = html(Document("title", (Figure(drawing),)))
    assert elements(page, "figcaption")[0].text == "What is left out."
    assert shown(page).count("What is left out.") == 1
    assert elements(page, "figure")[0].find(".//{http://www.w3.org/2000/svg}svg") is not None


def test_a_table_names_its_rows_and_columns():
    scopes = [e.get("scope") for e in elements(html(sample()), "th")]
    assert scopes == ["col", "col", "row", "row"]


def test_relation_note_and_result():
    page = html(line(w5, E, measured(0.5), note=("why",), relation="←", result=True))
    assert [e.text for e in elements(page, "mo")] == ["←", "="]
    kinds = [e.get("class") for e in elements(page, "div")]
    assert kinds == ["lines room26", "line result", "left", "sides", "side", "side", "note"]


def test_a_long_sum_may_go_on_in_the_next_line():
    terms = total([Symbol("w", str(i)) * Symbol("i", str(i)) for i in range(20)])
    page = html(line(w5, terms))
    assert len(elements(page, "wbr")) == 19
    assert not elements(html(line(w5, terms.terms[0])), "wbr")


def test_a_wide_fraction_is_stacked():
    fraction = exp(E) / total([exp(measured(0.123456789 + i)) for i in range(20)])
    assert len(elements(html(line(w5, fraction)), "mtr")) > 2


def test_like_lines_stand_in_columns():
    def rows(*formulas):
        lines = tuple(Line((Symbol("net", f"h{i}"), f, measured(i))) for i, f in enumerate(formulas))
        return html(Document("Lines", (Lines(lines),)))

    assert "lines room" in rows(w5 * E, w5 * out).partition("<main")[2]
    assert "lines room" not in rows(w5 * E, total([w5 * out] * 9)).partition("<main")[2]


def test_punctuation_stays_with_its_formula():
    page = html(Document("Text", (Paragraph(("from ", w5, ", to (", E, ").")),)))
    kept = [e for e in elements(page, "span") if e.get("class") == "kept"]
    assert ["".join(e.itertext()) for e in kept] == ["w5,", "(E)."]


def test_a_fragment_keeps_its_style_to_itself():
    page = fragment(sample(), font=False)
    style = elements(page, "style")[0].text
    selectors = re.findall(r"(?:^|[{}])([^{}@]+)(?=\{)", style)
    assert selectors
    assert all(".deltarule" in part for selector in selectors for part in re.split(r",(?![^(]*\))", selector))
    assert "@font-face" not in page
    assert "@font-face" in fragment(sample())


@given(st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_any_text_stays_text(words, name):
    document = Document(
        words,
        (
            Heading((words, Symbol(name, words))),
            Lines((Line((Symbol(name), Words(words), log(Symbol("x", name))), (words, Words(name))),)),
            TableBlock((words,), ((name, Symbol(words)),)),
        ),
    )
    allowed = {"mtext", "msup", "span"} | {e.tag for e in ElementTree.fromstring(html(sample())).iter()}
    assert {e.tag for e in ElementTree.fromstring(html(document)).iter()} <= allowed


def test_a_derivation_of_a_softmax_network():
    net = Network([4, 5, 3], activation="leaky_relu", output="softmax")
    X, Y = np.linspace(-1, 1, 8).reshape(2, 4), np.eye(3)[:2]
    page = html(explain(net, X, Y, "W1[2,3]", inputs=["a", "<b>", "c & d", ""]).document)
    assert "c & d" in shown(page)


_PROBE = """<script>
addEventListener("load", async () => {
  await document.fonts.ready;
  const boxes = [...document.querySelectorAll("math")].map(math => math.getBoundingClientRect());
  const flat = boxes.filter(box => box.width < 4 || box.height < 4).length;
  const fonts = [...document.fonts].map(font => font.family.replaceAll('"', "") + " " + font.status);
  const loaded = performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:"));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const counts = `${loaded.length} requests, ${wide} too wide`;
  document.title = `${boxes.length} formulas, ${flat} flat, ${fonts}, ${counts}`;
});
</script></body>"""
_FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-component-update
--disable-background-networking --disable-sync --window-size=600,900 --virtual-time-budget=5000"""
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.slow
@pytest.mark.skipif(_CHROMIUM is None, reason="needs Chromium")
def test_a_browser_draws_it(tmp_path):
    page = html(sample())
    probed = page.replace("default-src", "script-src 'unsafe-inline'; default-src").replace("</body>", _PROBE)
    (tmp_path / "page.html").write_text(probed, encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [_CHROMIUM, *_FLAGS.split(), profile, "--dump-dom", (tmp_path / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    count = len(elements(page, "math"))
    expected = f"{count} formulas, 0 flat, deltarule-math loaded, 0 requests, 0 too wide"
    assert re.search(r"<title>(.*?)</title>", done.stdout).group(1) == expected

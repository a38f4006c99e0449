"""Questions for Moodle: read back as its importer reads them, they accept what rounding explains, no more."""

from __future__ import annotations

import html
import re
from base64 import b64decode
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import deltarule as dr
from deltarule.worksheets import Worksheet
from deltarule.worksheets.class_set import class_set
from deltarule.worksheets.moodle import moodle_questions
from deltarule.worksheets.wrong_formulas import KINDS

from .people import KINDS_OF_SHEETS

ALL_KINDS = "net_h1, show:out_h1, delta_h1=2, choice:w5, mistake:net_h2, code:delta_h1, new w1"

#: As question/type/multianswer/questiontype.php of Moodle finds gaps and their answers.
GAP = re.compile(r"\{([0-9]*):(NUMERICAL|NM|MULTICHOICE|MC):(.*?)(?<!\\)\}", re.DOTALL)
ANSWER = re.compile(r"(=|%-?[0-9.]+%)(.*?)#((?:[^~\\]|\\.)*)(?:~|$)", re.DOTALL)


def read(sheets):
    """The questions by type, and the categories, of a file."""
    root = ET.fromstring(moodle_questions(sheets))
    assert root.tag == "quiz"
    assert all(question.tag == "question" for question in root)
    return list(root)


def texts(question, path):
    return [element.findtext("text") for element in question.findall(path)]


def accepted(numbers, value):
    """The first answer whose interval has the value, as Moodle looks for it."""
    for middle, tolerance, *rest in numbers:
        if abs(value - middle) <= tolerance + 1e-14 * max(1, abs(middle)):
            return rest
    return [0.0, ""]


def numbers_of(question):
    return [
        (float(a.findtext("text")), float(a.findtext("tolerance")), float(a.get("fraction")),
         a.findtext("feedback/text"))
        for a in question.findall("answer")
    ]  # fmt: skip


def gaps_of(question):
    """Of each gap its points, its type, and its answers: value, fraction, feedback."""
    for weight, kind, inner in GAP.findall(question.findtext("questiontext/text")):
        answers = [
            (value, 100.0 if sign == "=" else float(sign.strip("%")), re.sub(r"\\(.)", r"\1", words))
            for sign, value, words in ANSWER.findall(inner)
        ]
        yield int(weight), kind, answers


def test_the_file_is_what_the_importer_takes():
    sheet = dr.worksheet(
        seed=7, asked=ALL_KINDS, title="Week 3/4 <b>", instructions="{1:NUMERICAL:=1} & </p>"
    )
    questions = read([sheet, dr.worksheet(seed=8, asked=ALL_KINDS)])
    assert [q.get("type") for q in questions[:3]] == ["category", "numerical", "numerical"]
    categories = [q.findtext("category/text") for q in questions if q.get("type") == "category"]
    assert len(categories) == 8
    assert categories[0] == "$course$/top/Week 3//4 <b>/(1) net_h1"
    assert "∂E//∂w5" in categories[5]
    for question in questions:
        if question.get("type") == "category":
            continue
        assert texts(question, "name")[0].endswith(("variant 001", "variant 002"))
        assert question.find("questiontext").get("format") == "html"
        (file,) = question.findall("questiontext/file")
        assert file.get("encoding") == "base64"
        picture = ET.fromstring(b64decode(file.text))
        assert picture.tag.endswith("svg")
        shown = question.findtext("questiontext/text")
        assert f"@@PLUGINFILE@@/{file.get('name')}" in shown
        ET.fromstring(f"<div>{shown}</div>")
        assert question.findtext("generalfeedback/text").strip()
        if question.get("type") in ("numerical", "multichoice"):
            assert [a.get("fraction") for a in question.findall("answer")].count("100") == 1
    kinds = [q.get("type") for q in questions]
    assert (kinds.count("cloze"), kinds.count("essay"), kinds.count("multichoice")) == (2, 2, 4)
    cloze = questions[-2]
    assert [weight for weight, _, _ in gaps_of(cloze)] == [1, 1, 2, 1, 1, 1]
    assert "&lt;/p&gt;" in cloze.findtext("questiontext/text")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind == "2-2-1" else pytest.mark.slow) for kind in KINDS_OF_SHEETS],
)
def test_a_number_is_right_exactly_where_marking_finds_it_right(kind):
    """At the borders, and over a grid around them, each blank by itself."""
    settings = KINDS_OF_SHEETS[kind] | {"asked": ""}
    sheet = dr.worksheet(seed=3, **settings)
    questions = [q for q in read([sheet]) if q.get("type") == "numerical"]
    for question, blank in list(zip(questions, sheet.blanks, strict=True))[::3]:
        numbers, name = numbers_of(question), blank.name
        alone = Worksheet(sheet.task, [name.replace("⁽", "(").replace("⁾", ")")], decimals=sheet.decimals)
        middle, tolerance = numbers[0][:2]
        for step in (-1.5, -1.001, -0.999, -0.5, 0.0, 0.5, 0.999, 1.001, 1.5):
            value = middle + step * tolerance
            right = accepted(numbers, value)[0] == 100
            assert right == (abs(step) < 1), name
            assert right == (dr.mark(alone, {name: value}).points == 1), (name, step)
        assert accepted(numbers, alone.by_hand[blank.leaf])[0] == 100
        assert accepted(numbers, round(middle, sheet.decimals))[0] == 100


def test_a_usual_mistake_gets_its_name_and_no_points():
    sheet = dr.worksheet(seed=7)
    told = 0
    for question, blank in zip(
        [q for q in read([sheet]) if q.get("type") == "numerical"], sheet.blanks, strict=True
    ):
        alone = Worksheet(sheet.task, [blank.name], decimals=4)
        for middle, _, fraction, words in numbers_of(question)[1:]:
            assert fraction == 0
            kinds = dr.mark(alone, {blank.name: middle}).marks[0].kinds
            assert words in [f"It seems that you {KINDS[kind]}." for kind in kinds], blank.name
            told += 1
    assert told > 60
    net, x = sheet.task.net, sheet.task.X[0]
    first = next(q for q in read([sheet]) if q.get("type") == "numerical")
    assert "forgot the bias" in accepted(numbers_of(first), float(x @ net.layers[0].W[:, 0]))[1]


def test_a_whole_sheet_has_the_same_answers_in_its_gaps():
    sheet = dr.worksheet(seed=7, asked=ALL_KINDS.replace("show:out_h1, ", ""))
    questions = read([sheet])
    singles = [q for q in questions if q.get("type") in ("numerical", "multichoice")]
    for single, (_, kind, gap), blank in zip(singles, gaps_of(questions[-1]), sheet.blanks, strict=True):
        assert kind == ("MULTICHOICE" if blank.number in sheet.options else "NUMERICAL")
        if kind == "NUMERICAL":
            assert [tuple(map(float, value.split(":"))) for value, *_ in gap] == [
                n[:2] for n in numbers_of(single)
            ]
        right = next(value for value, fraction, _ in gap if fraction == 100)
        key = sheet.key_answers()[blank.name]
        if blank.kind == "code":
            assert right == key
        elif blank.kind == "choice":
            assert float(right) == sheet.answers()[blank.name]
        else:
            assert float(right.split(":")[0]) == pytest.approx(key, abs=1e-4)


def test_every_student_draws_other_numbers():
    sheets = list(class_set([str(n) for n in range(4)], asked="net_h1,w5").sheets.values())
    questions = read(sheets)
    assert [q.get("type") for q in questions] == [
        "category", *["numerical"] * 4, "category", *["numerical"] * 4, "category", *["cloze"] * 4,
    ]  # fmt: skip
    values = [numbers_of(question)[0][0] for question in questions[1:5]]
    assert len(set(np.round(values, 9))) == 4
    assert values == [pytest.approx(sheet.task.evidence.trace[0].z[0, 0], abs=1e-11) for sheet in sheets]


def test_another_library_reads_it_too():
    parser = pytest.importorskip("moodle_xml_parser.parser")
    sheet = dr.worksheet(seed=7, asked=ALL_KINDS)
    found = parser.parse_bytes(moodle_questions([sheet]))
    assert (len(found["multichoice"]), len(found["cloze"])) == (2, 1)
    gaps = [gap for gap in found["cloze"][0].gaps if gap.sub_type in ("NUMERICAL", "MULTICHOICE")]
    assert [gap.sub_grade for gap in gaps] == [1, 1, 2, 1, 1, 1]
    assert all(sum(option.score == 100 for option in gap.options) == 1 for gap in gaps)
    words = [html.unescape(option.answer) for option in found["multichoice"][0].options]
    assert any(word.startswith("delta1 = delta2 @ W2.T * a1") for word in words)

"""Marking: full marks for right numbers, credit for what follows on, the mistake that the numbers show."""

from __future__ import annotations

import json
import math
import re

import pytest

import deltarule as dr
from deltarule.errors import DataFileError, InputError
from deltarule.worksheets.answers import read_answer, read_rows
from deltarule.worksheets.class_marking import mark_class
from deltarule.worksheets.class_set import class_set
from deltarule.worksheets.wrong_formulas import KINDS, wrong_formulas_of

from .people import KINDS_OF_SHEETS, answers_with

SHEET = dr.worksheet(seed=7, asked="all")


def changed(name, value, sheet=SHEET):
    return sheet.answers() | {name: value}


def verdicts(marking):
    return {mark.blank.name: mark.verdict for mark in marking.marks}


# ---------------------------------------------------------------------- what is right


@pytest.mark.parametrize("settings", KINDS_OF_SHEETS.values(), ids=KINDS_OF_SHEETS)
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))])
def test_the_keys_answers_get_full_marks(settings, seed):
    sheet = dr.worksheet(seed=seed, **settings)
    by_hand = {b.name: sheet.formulas.by_hand(sheet.decimals)[b.leaf] for b in sheet.blanks}
    for answers in (sheet.answers(), by_hand, answers_with(sheet)):
        marking = dr.mark(sheet, answers)
        assert marking.points == marking.out_of == len(sheet.blanks)
        assert set(verdicts(marking).values()) == {"right"}
        assert marking.first_slip is None


@pytest.mark.parametrize("seed", range(6))
def test_who_rounds_now_and_then_is_right_too(seed):
    sheet = dr.worksheet(seed=seed)
    exact, rounded = sheet.answers(), answers_with(sheet)
    mixed = {name: (exact if i % 3 else rounded)[name] for i, name in enumerate(exact)}
    assert dr.mark(sheet, mixed).points == len(sheet.blanks)


@pytest.mark.parametrize("name", ["T1", "T2", "T4"])
def test_examples_are_marked_too(name):
    sheet = dr.worksheet(name)
    assert dr.mark(sheet, sheet.answers()).points == len(sheet.blanks)
    assert dr.mark(sheet, answers_with(sheet)).points == len(sheet.blanks)


@pytest.mark.parametrize("asked", ["forward", "loss", "deltas", "gradients", "update"])
def test_parts_by_themselves_are_marked_from_what_is_given(asked):
    sheet = dr.worksheet(seed=4, asked=asked, n_samples=2)
    assert dr.mark(sheet, sheet.answers()).points == len(sheet.blanks)


def test_a_last_digit_that_is_off_by_one_is_wrong_where_nothing_was_rounded_before():
    right = SHEET.answers()["net_h1"]
    assert dr.mark(SHEET, {"net_h1": right + 0.00004}).marks[0].verdict == "right"
    assert dr.mark(SHEET, {"net_h1": right + 0.0004}).marks[0].verdict == "wrong"


def test_nothing_answered_is_empty_and_no_slip():
    marking = dr.mark(SHEET, {})
    assert marking.points == 0
    assert set(verdicts(marking).values()) == {"empty"}
    assert marking.first_slip is None


def test_what_rests_on_an_empty_blank_is_still_marked():
    answers = SHEET.answers()
    some = {name: answers[name] for name in ("net_o1", "δ_h1", "new w1")}
    assert dr.mark(SHEET, some).points == 3


# ---------------------------------------------------------------------- slips


def planted(sheet, step=1, start=0):
    """Each slip in each quantity: (blank, slip, marking of one who makes it and goes on with that number)."""
    for blank in sheet.blanks[start::step]:
        for slip in wrong_formulas_of(sheet.formulas, blank.leaf):
            answers = answers_with(sheet, blank, slip.formula)
            if blank.name in answers:
                yield blank, slip, dr.mark(sheet, answers)


EACH_SLIP = [
    *((kind, 3, 5, 0) for kind in KINDS_OF_SHEETS),
    *(pytest.param(kind, n, 3, n, marks=pytest.mark.slow) for kind in KINDS_OF_SHEETS for n in range(3)),
]


@pytest.mark.parametrize(("kind", "seed", "step", "start"), EACH_SLIP)
def test_each_slip_in_each_quantity_is_found_and_the_rest_is_credited(kind, seed, step, start):
    """Of each kind of sheet in every fifth quantity; three sheets of the slow tests take them all."""
    sheet = dr.worksheet(seed=seed, **KINDS_OF_SHEETS[kind])
    found = alone = 0
    for blank, slip, marking in planted(sheet, step, start):
        mark = marking.marks[blank.number - 1]
        others = [other for other in marking.marks if other is not mark and other.verdict != "empty"]
        assert all(other.counts for other in others), (blank.name, slip.kind)
        if mark.verdict != "wrong":  # the slip makes no difference here
            assert abs(mark.answer.value - mark.right) <= 20 * 10.0**-sheet.decimals, (blank.name, slip.kind)
            continue
        assert marking.first_slip is mark
        assert slip.kind in mark.kinds, (blank.name, slip.kind)
        found += 1
        alone += len(mark.kinds) == 1
    assert found > 200 / step
    assert alone > 0.8 * found


def test_the_catalogue_is_used():
    kinds = {
        slip.kind
        for settings in KINDS_OF_SHEETS.values()
        for sheet in [dr.worksheet(seed=3, **settings)]
        for blank in sheet.blanks
        for slip in wrong_formulas_of(sheet.formulas, blank.leaf)
    }
    assert kinds | {"coarse", "penalty"} == set(KINDS)


def mistake(name, value, sheet=SHEET):
    return dr.mark(sheet, changed(name, value, sheet)).first_slip.kinds


def test_the_usual_mistakes_by_numbers_worked_out_here():
    net, x = SHEET.task.net, SHEET.task.X[0]
    trace = net.forward(SHEET.task.X)
    grads = net.backward(trace, SHEET.task.Y)
    (h1, h2), (o1,), y = trace[0].a[0], trace[1].a[0], SHEET.task.Y[0, 0]
    W1, W2, b1 = net.layers[0].W, net.layers[1].W, net.layers[0].b
    delta, slope = grads[1].delta[0, 0], h1 * (1 - h1)
    cases = {
        "bias": ("net_h1", x @ W1[:, 0]),
        "bias sign": ("net_h1", x @ W1[:, 0] - b1[0]),
        "weight": ("net_h1", x @ W1[0] + b1[0]),
        "net for out": ("net_o1", trace[0].z[0] @ W2[:, 0] + net.layers[1].b[0]),
        "exponent": ("out_h1", 1 - h1),
        "doubled": ("E", (o1 - y) ** 2),
        "y − out": ("δ_o1", -delta),
        "no slope": ("δ_h1", delta * W2[0, 0]),
        "no weight": ("δ_h1", delta * slope),
        "no input": ("∂E/∂w5", delta),
        "weight for input": ("∂E/∂w5", delta * W2[0, 0]),
        "input": ("∂E/∂w5", delta * h2),
        "rate": ("new w5", W2[0, 0] - grads[1].dW[0, 0]),
        "added": ("new w5", W2[0, 0] + 0.5 * grads[1].dW[0, 0]),
        "step": ("new w5", 0.5 * grads[1].dW[0, 0]),
    }
    for kind, (name, value) in cases.items():
        assert mistake(name, round(float(value), 4)) == (kind,), name


def test_a_forgotten_division_by_the_number_of_samples():
    sheet = dr.worksheet(seed=7, n_samples=3, asked="all")
    answers = sheet.answers()
    assert mistake("L", round(sum(answers[f"E{s}"] for s in ("⁽¹⁾", "⁽²⁾", "⁽³⁾")), 4), sheet) == ("samples",)


def test_a_forgotten_path_of_two():
    sheet = dr.worksheet(seed=7, sizes=(2, 2, 2))
    grads = sheet.task.evidence.grads
    h1 = sheet.task.evidence.trace[0].a[0, 0]
    one_path = grads[1].delta[0, 0] * sheet.task.net.layers[1].W[0, 0] * h1 * (1 - h1)
    assert mistake("δ_h1", round(float(one_path), 4), sheet) == ("path",)


def test_too_few_decimals():
    sheet = dr.worksheet(seed=7, asked="forward")
    marking = dr.mark(sheet, {"out_h1": f"{sheet.answers()['out_h1']:.2f}"})
    assert marking.first_slip.kinds[0] == "coarse"


def test_a_number_that_no_mistake_gives_has_none():
    assert mistake("out_h1", 0.98765) == ()


def test_the_first_slip_is_named_with_formula_and_numbers():
    net = SHEET.task.net
    value = round(float(SHEET.task.X[0] @ net.layers[0].W[:, 0]), 4)
    marking = dr.mark(SHEET, changed("net_h1", value) | {"E": 9.0})
    text = " ".join(str(marking).split())
    right = f"{SHEET.answers()['net_h1']:g}".replace("-", "−")
    assert "(1) net_h1 = w1·i1 + w2·i2 + b_h1 = " in text
    assert f" = {right} (✗ answered was " in text
    assert ": forgot the bias, w1·i1 + w2·i2; 0 of 1 point)" in text
    assert marking.points == marking.out_of - 2
    assert marking.first_slip.blank.name == "net_h1"


def test_what_follows_on_counts_and_is_said_to():
    blank = SHEET.blanks[0]
    bias = next(slip for slip in wrong_formulas_of(SHEET.formulas, blank.leaf) if slip.kind == "bias")
    marking = dr.mark(SHEET, answers_with(SHEET, blank, bias.formula))
    found = verdicts(marking)
    assert found["net_h1"] == "wrong"
    assert found["out_h1"] == found["net_o1"] == found["E"] == "follows on"
    assert found["net_h2"] == "right"
    assert marking.points == marking.out_of - 1
    assert set(found.values()) <= {"right", "follows on", "by hand", "wrong", "empty"}


def test_a_second_slip_after_a_first_is_found_from_the_students_numbers():
    first = next(s for s in wrong_formulas_of(SHEET.formulas, SHEET.blanks[0].leaf) if s.kind == "bias")
    answers = answers_with(SHEET, SHEET.blanks[0], first.formula)
    answers = {name: value for name, value in answers.items() if name in ("net_h1", "out_h1")}
    answers["out_h1"] = round(1 - answers["out_h1"], 4)  # e to the net
    marks = dr.mark(SHEET, answers).marks
    assert [mark.kinds for mark in marks[:2]] == [("bias",), ("exponent",)]


# ---------------------------------------------------------------------- how answers are written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.3775", 0.3775), ("0,3775", 0.3775), (".5", 0.5), (",5", 0.5), ("5.", 5.0), ("+2", 2.0),
        ("−0.25", -0.25), ("–0,25", -0.25), ("-1/4", -0.25), ("1 / 3", 1 / 3), ("−1/3", -1 / 3),
        ("1e-3", 0.001), ("2,5E-2", 0.025), (" 0.5\u00a0", 0.5), ("１", 1.0),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text, value):
    assert read_answer(text).value == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_nothing_written_is_no_answer(text):
    assert read_answer(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1/0",
        "1.2.3",
        "1,234.5",
        "nan",
        "inf",
        "--1",
        "1/2/3",
        "0x10",
        "1_000",
        "9" * 400,
        "1e999",
        "=",
    ],
)
def test_what_is_no_number_is_an_answer_without_one(text):
    assert math.isnan(read_answer(text).value)
    assert read_answer(text).text == text
    assert dr.mark(SHEET, {"net_h1": text}).marks[0].verdict == "wrong"


@pytest.mark.parametrize(
    "names",
    [["1", "net_h1", "Net h1", "(1)"], ["8", "delta_o1", "δ_o1"], ["11", "dE/dw1", "dE_dw1", "∂E/∂w1"],
     ["20", "w1", "new w1", "w1_new"], ["26", "b_h1", "new b_h1"]],
)  # fmt: skip
def test_a_blank_goes_by_its_number_and_its_names(names):
    for name in names:
        (mark,) = [mark for mark in dr.mark(SHEET, {name: "0,5"}).marks if mark.answer is not None]
        assert str(mark.blank.number) == names[0]


def test_bad_answers_are_refused():
    for answers, words in [
        ({"99": 1}, "no blank '99'"),
        ({"net_h9": 1}, "did you mean 'neth1'|no blank 'net_h9'"),
        ({"1": 0.5, "net_h1": 0.5}, "answered twice"),
        ({"1": float("nan")}, "must be a finite number"),
        ({"1": [1]}, "must be a finite number"),
    ]:
        with pytest.raises(InputError, match=words):
            dr.mark(SHEET, answers)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_answers(tmp_path):
    for text in (
        "blank,answer\n1,0.5\nE,\nout_h1,−1/3\n",
        "blank;answer\r\n1;0,5\r\nout_h1;−1/3\r\n",
        "answer\tquantity\n0.5\tnet_h1\n−1/3\tout_h1\n",
        "blank|answer\n1|0.5\nout_h1|−1/3\n",
        "\ufeffBlank,Answer\n\n1,0,5\nout_h1,-1/3\n",
    ):
        marks = dr.mark(SHEET, write(tmp_path / "a.csv", text)).marks
        assert [mark.answer.value for mark in marks if mark.answer] == [0.5, pytest.approx(-1 / 3)]


def test_what_cannot_be_taken_is_listed_with_its_place_and_blocks_nothing(tmp_path):
    right = SHEET.answers()["net_h2"]
    for text, words in [
        ("blank,answer\n1,0.5\n1,0.6\n", r"a.csv:3:1: blank 1 is answered twice: the first answer counts"),
        ("blank,answer\nnet_h9,1\n", r"a.csv:2:1: no blank 'net_h9'"),
        ("blank,answer\n1\n", r"a.csv:2:2: expected 2 fields as in the header, got 1"),
        ("blank,answer\n1,don't know\n", r"blank 1 \(net_h1\): \"don't know\" is not a number"),
        ('blank,answer\n1,0.5\nE,"0.1"2\n', r"a.csv:3:2: this is not a CSV row"),
    ]:
        marking = dr.mark(SHEET, write(tmp_path / "a.csv", f"{text}net_h2,{right}\n"))
        (fault,) = marking.faults
        assert re.search(words, fault), fault
        assert verdicts(marking)["net_h2"] == "right"


def test_a_table_of_answers_that_is_none_is_refused_with_its_place(tmp_path):
    for text, words in [
        ("a,b\n1,2\n", "a.csv:1:1: the first line must name a column 'blank'"),
        ("", "the file is empty"),
        (" , \n", "the file is empty"),
    ]:
        with pytest.raises(DataFileError, match=words):
            dr.mark(SHEET, write(tmp_path / "a.csv", text))
    with pytest.raises(DataFileError, match="no such file"):
        read_rows(tmp_path / "none.csv")


# ---------------------------------------------------------------------- a class


@pytest.fixture
def school():
    return class_set(["Ada", "Bob", "Bob", "=Eve()"], seed=3, asked="all")


def answers_csv(path, given):
    rows = [f'"{who}","{name}",{value}' for who, answers in given.items() for name, value in answers.items()]
    return write(path, "\n".join(["student,blank,answer", *rows]) + "\n")


def test_a_class_is_marked_from_one_file(school, tmp_path):
    ada, bob = school.sheets["Ada"], school.sheets["Bob 2"]
    blank = bob.blanks[0]
    bias = next(slip for slip in wrong_formulas_of(bob.formulas, blank.leaf) if slip.kind == "bias")
    given = {"Ada": ada.answers(), "Bob 2": answers_with(bob, blank, bias.formula)}
    marked = mark_class(school, answers_csv(tmp_path / "all.csv", given))
    assert marked.rows() == [
        ("Ada", 28, 28, "", ""),
        ("Bob", 0, 28, "", ""),
        ("Bob", 27, 28, "(1) net_h1", "forgot the bias"),
        ("=Eve()", 0, 28, "", ""),
    ]
    assert marked.mistakes() == {"forgot the bias": 1}
    assert marked.table()[-1][:3] == ["'=Eve()", 0, 28]
    assert json.loads(json.dumps(marked.data(), allow_nan=False))["students"][2]["points"] == 27


def test_a_class_is_marked_from_a_folder(school, tmp_path):
    for name in ("Ada", "Bob 1"):
        rows = [f"{blank},{value}" for blank, value in school.sheets[name].answers().items()]
        write(tmp_path / f"{name}.csv", "\n".join(["blank,answer", *rows]))
    write(tmp_path / "readme.txt", "not answers")
    assert [row[1] for row in mark_class(school, tmp_path).rows()] == [28, 28, 0, 0]


def test_who_is_not_in_the_class_is_listed_once(school, tmp_path):
    for name, words in [
        ("Ade", "all.csv:2:1: there is no student 'Ade'; did you mean 'Ada'"),
        ("Bob", "several students are called 'Bob': write Bob 1 or Bob 2"),
    ]:
        given = {name: {"1": 1, "2": 1}, "Ada": school.sheets["Ada"].answers()}
        marked = mark_class(school, answers_csv(tmp_path / "all.csv", given))
        (fault,) = marked.faults
        assert words in fault
        assert marked.markings["Ada"].points == 28
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFileError, match=r"contains no \.csv files"):
        mark_class(school, tmp_path / "empty")


def test_what_the_numbers_do_not_show_is_counted_apart(school, tmp_path):
    given = {"Ada": {"net_h1": 0.98765, "out_h1": 0.98765}}
    marked = mark_class(school, answers_csv(tmp_path / "all.csv", given))
    assert set(marked.mistakes()) & {"no known mistake", "used net for out"}


def test_the_picture_of_the_mistakes(tmp_path):
    pytest.importorskip("matplotlib")
    from deltarule.worksheets.mistake_chart import plot_mistakes

    for name, mistakes in [("a.svg", {"forgot the bias": 3, "no known mistake": 1}), ("b.svg", {})]:
        plot_mistakes(tmp_path / name, mistakes, "<b> $x$")
        assert (tmp_path / name).stat().st_size > 1000

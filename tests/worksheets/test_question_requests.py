"""What can be asked: every quantity that can be explained, in every kind of question, fit to be answered."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.derivations.targets import parse_targets
from deltarule.documents.document import Listing
from deltarule.errors import InputError
from deltarule.tutorials import load_example
from deltarule.worksheets.class_set import class_set
from deltarule.worksheets.wrong_formulas import KINDS, wrong_formulas_of

from .people import KINDS_OF_SHEETS, answers_with, by_hand

KINDS_OF_QUESTIONS = ("compute", "show", "choice", "mistake", "code")


def names_in(sheet):
    return [blank.name for blank in sheet.blanks]


def test_what_is_named_is_asked_in_the_order_of_the_work():
    sheet = dr.worksheet("T1", asked="w5,w1,delta_h1,net_h1")
    assert names_in(sheet) == ["net_h1", "δ_h1", "∂E/∂w1", "∂E/∂w5"]
    assert sheet.given == ()
    assert names_in(dr.worksheet(asked="new W2")) == ["new w5", "new w6"]
    assert names_in(dr.worksheet(asked=["W2[0,0]", "new w1", "dE/dw5"])) == ["∂E/∂w5", "new w1"]
    assert names_in(dr.worksheet(asked="net_h1", n_samples=2)) == ["net_h1⁽¹⁾", "net_h1⁽²⁾"]
    assert names_in(dr.worksheet(asked="net_h1(2)", n_samples=2)) == ["net_h1⁽²⁾"]


def test_where_nothing_is_named_one_weight_of_each_layer_is_asked_for():
    assert names_in(dr.worksheet())[-4:] == ["∂E/∂w1", "∂E/∂w5", "new w1", "new w5"]
    assert names_in(dr.worksheet(sizes=(2, 3, 2, 1)))[-6:-3] == ["∂E/∂w1", "∂E/∂w7", "∂E/∂w13"]
    assert len(dr.worksheet().blanks) == 14


def everything_explained(net):
    """Every name that explain knows of a network."""
    layers = range(1, len(net.layers) + 1)
    names = ["forward", "loss", "backward", "update", "all", "E", "cost", "W", "b"]
    for layer in layers:
        names += [f"layer{layer}", f"z{layer}", f"a{layer}", f"delta{layer}", f"W{layer}"]
        names += [f"{kind}{layer}[{j}]" for kind in ("z", "a", "delta") for j in range(net.sizes[layer])]
    names += [f"w{n + 1}" for n in range(sum(layer.W.size for layer in net.layers))]
    hidden = [f"h{j + 1}" for j in range(sum(net.sizes[1:-1]))]
    names += [f"{kind}_{n}" for kind in ("net", "out", "delta", "b") for n in (*hidden, "o1")]
    return names


@pytest.mark.parametrize(
    "sheet",
    [
        dr.worksheet(sizes=(2, 2, 3, 1), n_samples=2, decimals=6),
        dr.worksheet("T1"),
        dr.worksheet(sizes=(2, 3), output="softmax", decimals=6),
    ],
    ids=["batch", "T1, with frozen biases", "softmax"],
)
def test_everything_that_can_be_explained_can_be_asked_with_a_right_key(sheet):
    task, unit = sheet.task, 10.0**-sheet.decimals
    for name in everything_explained(task.net):
        if "_h" in name and len(task.net.layers) == 1:
            continue
        assert parse_targets(task.net, name)
        made = dr.worksheets.Worksheet(task, [name], decimals=sheet.decimals)
        expected = by_hand(made)
        assert made.blanks
        for quantity, value in made.answers().items():
            assert abs(value - expected[quantity]) <= unit / 2 * (1 + 1e-9), (name, quantity)


def test_points_are_counted_and_printed():
    sheet = dr.worksheet(seed=7, asked="forward=2, out_h1=0.5, show:delta_h1=3")
    assert sheet.out_of == 5 * 2 + 0.5 + 3
    text = sheet.sheet.text()
    assert "Points: ______ of 13.5" in text
    assert "2 points" in text
    assert "0.5 points" in text
    marked = dr.mark(sheet, sheet.key_answers() | {"δ_h1": "2.5", "out_h1": "0.1"})
    assert marked.points == 10 + 2.5
    assert marked.marks[-1].verdict == "by hand"
    assert dr.mark(sheet, {"δ_h1": "9"}).marks[-1].verdict == "wrong"


def test_the_head_says_what_the_lecturer_wants():
    sheet = dr.worksheet(seed=7, title="Week 3", instructions="No <b>calculators</b>.", hints=True)
    text = sheet.sheet.text()
    assert text.startswith("Week 3\n")
    assert "No <b>calculators</b>." in text
    assert "hint: the activation of net" in text
    assert "No. 7" not in text
    assert b"letterpaper" in dr.worksheet(paper="letter").sheet_as("latex")


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_a_usual_sheet_is_one_page_of_the_paper_that_is_named(paper):
    pytest.importorskip("typst")
    pages = dr.worksheet(seed=7, paper=paper).sheet.pdf()
    (size,) = set(re.findall(rb"MediaBox\[0 0 ([\d. ]+)\]", pages))
    assert size == {"a4": b"595.2756 841.8898", "letter": b"612 792"}[paper]
    assert b"/Type/Pages/Count 1/" in pages


def test_a_number_to_be_shown_stands_there_and_is_gone_on_with():
    sheet = dr.worksheet(seed=7, asked="show:net_h1,out_h1")
    line = sheet.sheet.text().partition("(1) net_h1 = ")[2].partition("\n")[0]
    assert f"= {sheet.answers()['net_h1']:g}   (show".replace("-", "−") in line
    assert dr.mark(sheet, {"out_h1": sheet.answers()["out_h1"]}).points == 1


def test_a_slip_to_be_found_is_in_the_step_and_credited_when_it_is_put_right():
    sheet = dr.worksheet(seed=7, asked="mistake:net_h1")
    wrong, value = sheet.planted[1]
    assert "somebody wrote" in sheet.sheet.text()
    assert f"the mistake: {KINDS[wrong.kind]}" in sheet.key.text()
    assert dr.mark(sheet, sheet.answers()).points == 1
    kept = dr.mark(sheet, {"1": round(value, 4)})
    assert (kept.points, kept.first_slip.kinds) == (0, (wrong.kind,))


def test_a_letter_is_marked_and_its_mistake_named():
    sheet = dr.worksheet(seed=7, asked="choice:delta_h1,delta_h2,∂E/∂w1")
    wrong = next(option for option in sheet.options[1] if not option.is_right)
    marked = dr.mark(sheet, {"δ_h1": f" {wrong.letter.lower()}) "})
    assert (marked.points, marked.first_slip.mistake) == (0, wrong.mistake)
    follows = dr.mark(sheet, {"δ_h1": wrong.letter, "∂E/∂w1": round(wrong.value * sheet.task.X[0, 0], 4)})
    assert follows.marks[-1].verdict == "follows on"
    assert dr.mark(sheet, {"δ_h1": "E"}).faults == [
        "blank 1 (δ_h1): 'E' is none of the letters: it is marked as wrong"
    ]
    places = {
        next(o.letter for o in s.options[1] if o.is_right)
        for s in class_set([f"S{i}" for i in range(12)], asked="choice:delta_o1").sheets.values()
    }
    assert len(places) >= 3


@pytest.mark.parametrize("seed", range(6))
def test_who_forgets_something_in_a_step_that_was_not_asked_is_told_where(seed):
    sheet = dr.worksheet(seed=seed, asked="out_h1")
    net, x = sheet.task.net, sheet.task.X[0]
    answer = 1 / (1 + np.exp(-(x @ net.layers[0].W[:, 0])))
    assert dr.mark(sheet, {"out_h1": round(answer, 4)}).first_slip.mistake == "forgot the bias in net_h1"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_slips_in_a_short_sheet_are_found_from_the_last_number_alone(seed):
    everything, short = (dr.worksheet(seed=seed, asked=asked, decimals=6) for asked in ("all", "w5,w1"))
    found = tried = 0
    for blank in everything.blanks[:10:3]:
        for slip in wrong_formulas_of(everything.formulas, blank.leaf)[:4]:
            answers = answers_with(everything, blank, slip.formula)
            given = {name: answers[name] for name in ("∂E/∂w1", "∂E/∂w5") if name in answers}
            wrong = [mark for mark in dr.mark(short, given).marks if mark.verdict == "wrong"]
            tried += len(wrong)
            found += sum(slip.kind in mark.kinds for mark in wrong)
    assert found > 0.9 * tried > 5


# ---------------------------------------------------------------------- code


def run_program(sheet, number, words):
    """What the program gives with an option in the place of its missing line; None where it fails."""
    blocks = [block.text for block in sheet.sheet.document.blocks if isinstance(block, Listing)]
    program = blocks[number].partition("\n\n")[0].splitlines()
    name = words.partition(" = ")[0]
    net, values = sheet.task.net, {"np": np, "x": sheet.task.X, "y": sheet.task.Y, "eta": 0.5}
    for n, layer in enumerate(net.layers, 1):
        values |= {f"W{n}": layer.W.copy(), f"b{n}": layer.b}
    try:
        exec("\n".join([*program[:-1], words]), values)
    except ValueError:
        return None
    return values[name]


@pytest.mark.parametrize(
    "settings",
    [
        {"sizes": (2, 3, 2), "n_samples": 3},
        {"sizes": (3, 2, 2, 1), "activation": "tanh", "decimals": 6},
        {"sizes": (2, 3, 3), "output": "softmax", "n_samples": 2},
        {"sizes": (2, 2, 1), "activation": "relu", "output": "identity"},
    ],
    ids=["batch", "deep", "softmax", "relu"],
)
def test_the_missing_line_is_the_one_that_gives_the_networks_numbers(settings):
    base = dr.worksheet(seed=2, **settings)
    net = base.task.net
    after = net.copy()
    after.parameters[:] -= 0.5 * base.task.evidence.grads.flat
    asked = 0
    for name in ("z", "a", "delta", "W", "b", "new W", "new b"):
        for n in range(1, len(net.layers) + 1):
            spec = f"code:{name}{n}{'[0]' * (name[0] in 'zad')}"
            try:
                sheet = dr.worksheets.Worksheet(base.task, [spec.replace("b1", "b_h1").replace("b2", "b2")])
            except InputError:  # too few wrong lines give other numbers
                continue
            asked += 1
            step, back, new = (
                base.task.evidence.trace[n - 1],
                base.task.evidence.grads[n - 1],
                after.layers[n - 1],
            )
            right = {"z": step.z, "a": step.a, "delta": back.delta, "W": back.dW, "b": back.db,
                     "new W": new.W, "new b": new.b}[name]  # fmt: skip
            for option in sheet.options[1]:
                value = run_program(sheet, 0, option.words)
                fits = value is not None and np.shape(value) == np.shape(right)
                assert (fits and np.allclose(value, right, rtol=1e-6)) == option.is_right, option
    assert asked >= 9


def test_a_program_does_not_give_away_another_missing_line():
    sheet = dr.worksheet(seed=7, asked="code:net_h1,code:delta_h1")
    second = [block.text for block in sheet.sheet.document.blocks if isinstance(block, Listing)][1]
    assert second.startswith("z1 = …\n")
    assert {"code:net_h1", "code:δ_h1"} == set(sheet.key_answers())
    assert dr.mark(sheet, sheet.key_answers()).points == 2


# ---------------------------------------------------------------------- random sheets


def random_sheet(seed):
    """A sheet of any kind of network, with questions of all kinds; what was refused, and what was asked."""
    rng = np.random.default_rng(seed)
    settings = dict(list(KINDS_OF_SHEETS.values())[seed % len(KINDS_OF_SHEETS)])
    settings["decimals"] = settings.get("decimals", 4) + int(rng.integers(0, 2))
    base = dr.worksheet(seed=seed, **settings)
    names = [name.replace("⁽", "(").replace("⁾", ")") for name in names_in(base)]
    chosen = rng.choice(len(names), size=min(len(names), 8), replace=False)
    asked = [f"{KINDS_OF_QUESTIONS[rng.integers(4)]}:{names[i]}={rng.integers(1, 4)}" for i in chosen]
    asked += [f"code:{kind}1" for kind in ("z", "delta")] if "bias" not in settings else []
    refused = []
    while asked:
        try:
            return dr.worksheets.Worksheet(base.task, asked, decimals=base.decimals), refused, asked
        except InputError:
            refused += [spec for spec in asked if not can_be_asked(base, spec)]
            asked = [spec for spec in asked if spec not in refused]
    raise AssertionError(refused)


def can_be_asked(base, spec):
    try:
        dr.worksheets.Worksheet(base.task, [spec], decimals=base.decimals)
    except InputError as error:
        return re.search("ask for|without shared", str(error)) is None
    return True


def check_fit(sheet):
    """Numbers finite and right; one right choice, far from the wrong ones; full marks for the key."""
    expected, unit = by_hand(sheet), 10.0**-sheet.decimals
    for blank in sheet.blanks:
        if blank.kind == "code":
            assert sum(option.is_right for option in sheet.options[blank.number]) == 1
            continue
        value = expected[blank.name]
        assert np.isfinite(value)
        assert abs(sheet.answers()[blank.name] - value) <= unit / 2 * (1 + 1e-9)
        if blank.kind == "choice":
            values = sorted(option.value for option in sheet.options[blank.number])
            assert 3 <= len(values) <= 4
            assert np.diff(values).min() >= 4 * unit
            assert sum(abs(v - value) <= unit for v in values) == 1
        if blank.kind == "mistake":
            assert abs(sheet.planted[blank.number][1] - value) >= 4 * unit
    marked = dr.mark(sheet, sheet.key_answers())
    assert marked.points == marked.out_of
    assert re.search("nan|inf", sheet.sheet.text() + sheet.key.text()) is None


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(s, marks=pytest.mark.slow) for s in range(4, 500))]
)
def test_random_sheets_of_all_kinds_are_fit_to_be_answered(seed):
    sheet, refused, asked = random_sheet(seed)
    assert len(refused) < len(asked)
    check_fit(sheet)


def test_an_example_without_training_has_no_update():
    sheet = dr.worksheet(replace(load_example("T1"), training={}))
    assert not any(name.startswith("new") for name in names_in(sheet))

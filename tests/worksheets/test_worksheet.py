"""Worksheets: right keys, numbers fit for a computation by hand, sheets that say no answers, files."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr
from deltarule.derivations.derivation import FORMATS
from deltarule.documents.document import Figure, Lines, TableBlock
from deltarule.errors import DataFileError, InputError
from deltarule.tutorials import load_example
from deltarule.worksheets import Worksheet, random_exercise
from deltarule.worksheets.class_set import ClassSet, class_set, file_names, read_students
from deltarule.worksheets.exercise_formulas import PARTS
from deltarule.worksheets.question_requests import name_key

from .people import KINDS_OF_SHEETS, by_hand

HOSTILE = [
    "../../etc/passwd", "..", "/etc/shadow", "C:\\Windows\\x", "NUL", "con.txt", "a/b", "a\\b",
    "a:b*?<>|",
    "", " ", "Ada", "ada", "ADA", "Ada 1", "x" * 500, "名" * 200, "line\nbreak\ttab", "\x1b[31mred",
    "\u202eevil", "=1+1", "<script>alert(1)</script>", "$x$ \\alpha #1 %", "a & b_c ^ ~ {}",
    "`*[x](y)*`", "Null",
    "NA", "🙂", ".hidden",
]  # fmt: skip


@pytest.mark.parametrize("settings", KINDS_OF_SHEETS.values(), ids=KINDS_OF_SHEETS)
@pytest.mark.parametrize("seed", range(4))
def test_every_number_of_the_key_is_the_networks(settings, seed):
    sheet = dr.worksheet(seed=seed, **settings)
    expected, unit = by_hand(sheet), 10.0**-sheet.decimals
    assert sheet.answers().keys() == expected.keys()
    for name, value in sheet.answers().items():
        assert abs(value - expected[name]) <= unit / 2 * (1 + 1e-9), name


@pytest.mark.parametrize("name", ["T1", "T2", "T4", "T5_and", "one_step"])
def test_examples_have_right_keys_too(name):
    sheet = dr.worksheet(name)
    expected = by_hand(sheet)
    for quantity, value in sheet.answers().items():
        assert abs(value - expected[quantity]) <= 0.51e-4, quantity
    assert sheet.title == load_example(name).title


def test_the_published_numbers_stand_in_the_key_of_the_tutorial():
    answers = dr.worksheet("T1", decimals=8).answers()
    assert answers["E"] == 0.29837111
    assert answers["∂E/∂w5"] == 0.08216704
    assert answers["new w5"] == 0.35891648
    assert "∂E/∂b1" not in answers  # its biases are not trained


def test_the_key_shows_every_step_with_its_value():
    sheet = dr.worksheet(seed=7)
    text = sheet.key.text()
    for number, (name, value) in enumerate(sheet.answers().items(), 1):
        (line,) = [line for line in text.splitlines() if line.strip().startswith(f"({number}) ")]
        assert line.endswith(f" {value:g}".replace("-", "−")), (name, line)
    assert "∂out_h1/∂net_h1 = out_h1·(1 − out_h1)" in text


@pytest.mark.parametrize("settings", KINDS_OF_SHEETS.values(), ids=KINDS_OF_SHEETS)
def test_the_sheet_does_not_give_its_answers_away(settings):
    sheet = dr.worksheet(seed=1, **settings)
    blocks = sheet.sheet.document.blocks
    labels = {
        label
        for block in blocks
        if isinstance(block, Figure)
        for column in block.drawing.columns
        for node in column.nodes
        for label, _ in node.values
    }
    assert labels <= {"x", "b", "y"}
    questions = [block for block in blocks if isinstance(block, Lines) and block.columns == 1]
    lines = [line for block in questions for line in block.lines]
    assert len(lines) == len(sheet.blanks)
    assert all(str(line.sides[-1]).strip("_") == "" for line in lines)
    text = sheet.sheet.text(1000)
    for value in sheet.answers().values():
        shown = f"{value:g}".replace("-", "−")
        assert len(shown) < 6 or f"= {shown}\n" not in text


def test_formulas_are_printed_where_asked_for():
    text = dr.worksheet(seed=1, formulas=True, asked="all").sheet.text()
    assert "(1) net_h1 = w1·i1 + w2·i2 + b_h1 = ____" in text
    assert "w1   ← w1 − η · ∂E/∂w1 = ____" in text


@pytest.mark.parametrize("part", PARTS)
def test_what_is_needed_but_not_asked_for_is_given(part):
    sheet = dr.worksheet(seed=2, asked=part)
    text = " ".join(sheet.sheet.text().split())
    everything = dr.worksheet(seed=2, asked="all").answers()
    assert set(sheet.answers()) < set(everything)
    if part in ("loss", "deltas", "gradients"):
        assert f"net_h1 = {everything['net_h1']:g}".replace("-", "−") in text
    if part == "update":
        assert f"∂E/∂w1 = {everything['∂E/∂w1']:g}".replace("-", "−") in text


def test_the_parts_of_a_batch_and_of_outputs():
    names = list(dr.worksheet(n_samples=2, seed=1, asked="all").answers())
    assert [name for name in names if name[0] in "EL"] == ["E⁽¹⁾", "E⁽²⁾", "L"]
    assert [n for n in dr.worksheet(sizes=(2, 2, 2)).answers() if n[0] == "E"] == ["E_o1", "E_o2", "E"]
    assert [n for n in dr.worksheet(sizes=(2, 2, 2), output="softmax").answers() if n[0] == "E"] == ["E"]
    tables = [b for b in dr.worksheet(n_samples=2).sheet.document.blocks if isinstance(b, TableBlock)]
    assert len(tables[0].rows) == 2


# ---------------------------------------------------------------------- numbers for a computation by hand


def check_numbers(sheet):
    """What makes a sheet unfit, looked for without the code that avoids it."""
    task, net, unit = sheet.task, sheet.task.net, 10.0**-sheet.decimals
    numbers = np.concatenate([net.parameters, task.X.ravel()])
    assert (np.abs(numbers * 100 - np.rint(numbers * 100)) < 1e-9).all()
    assert (numbers != 0).all()
    trace, expected = net.forward(task.X), by_hand(sheet)
    for layer, step in zip(net.layers, trace, strict=True):
        name = layer.activation.name
        if name in ("relu", "leaky_relu"):
            assert (np.abs(step.z) > 0.01).all()
            assert (step.z > 0).any(axis=1).all() or name == "leaky_relu"
        if name in ("sigmoid", "tanh"):
            slope = step.a * (1 - step.a) if name == "sigmoid" else 1 - step.a**2
            assert slope.min() > 0.01
        if name == "softmax":
            assert step.a.min() > 0.01
    rectified = any(layer.activation.kinks for layer in net.layers)
    for blank in sheet.blanks:
        value = expected[blank.name]
        if blank.part == "update":
            p = blank.leaf
            value -= (net.layers[p.layer - 1].W if len(p.index) == 2 else net.layers[p.layer - 1].b)[p.index]
        assert abs(value) >= unit or (rectified and value == 0), blank.name
        assert abs(value) < 100
    low, high = net.layers[-1].activation.range
    assert low <= task.Y.min() <= task.Y.max() <= high


@pytest.mark.parametrize("seed", range(200))
def test_random_sheets_are_free_of_degenerate_cases(seed):
    ordinary = [kind for kind in KINDS_OF_SHEETS.values() if kind.get("bias") != "shared"]
    settings = ordinary[seed % len(ordinary)]
    check_numbers(dr.worksheet(seed=seed, **settings))


def test_equal_seeds_give_equal_sheets_and_others_do_not():
    one, again, other = (dr.worksheet(seed=seed, n_samples=2) for seed in (3, 3, 4))
    assert one.json() == again.json()
    assert one.sheet.text() == again.sheet.text()
    assert not np.array_equal(one.task.net.parameters, other.task.net.parameters)


def test_an_example_keeps_its_numbers_unless_they_are_to_vary():
    plain, varied = dr.worksheet("T4"), dr.worksheet("T4", vary=True, seed=1)
    assert plain.task.net.sizes == varied.task.net.sizes
    assert plain.task.net.parameters[0] == 0.25
    assert not np.array_equal(plain.task.X, varied.task.X)
    assert list(plain.answers()) == list(varied.answers())


def test_what_cannot_be_asked_is_refused(monkeypatch):
    monkeypatch.setattr(random_exercise, "_DRAWS", ((10.0, 50), (1.0, 200)))  # to give up sooner
    for settings, words in [
        ({"asked": "delta"}, "cannot ask for 'delta'; did you mean 'deltas'"),
        ({"asked": "net_h9"}, "cannot ask for 'net_h9'.*no neuron 'h9'"),
        ({"asked": "new net_h1"}, "only weights and biases have a new value"),
        ({"asked": "chose:w5"}, "no kind of question 'chose'.*did you mean 'choice'"),
        ({"asked": "w5=0"}, "more than 0 points"),
        ({"asked": "w5=two"}, "after = comes the number of points of a question.* got 'w5=two'"),
        ({"asked": "code:loss"}, "no line of the program computes E"),
        ({"asked": "code:W1", "bias": "shared"}, "without shared biases"),
        ({"asked": "w1", "paper": "a5"}, "paper must be one of a4, letter"),
        ({"optimizer": "lbfgs"}, "cannot be computed by hand"),
        ({"optimizer": "sgd(0.1, clip_norm=1.0)"}, "cannot have clip_norm"),
        ({"decimals": 0}, "decimals must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"sizes": (500, 500, 1)}, "too large to compute by hand"),
        ({"sizes": (2, 12, 12, 2), "n_samples": 9}, "blanks, more than|found no numbers"),
        ({"decimals": 1}, "found no numbers .* ask for more decimals"),
        ({"sizes": ()}, "sizes"),
        ({"loss": "cross_entropy", "output": "tanh"}, "needs outputs between"),
    ]:
        with pytest.raises(InputError, match=words):
            dr.worksheet(**settings)


def test_an_update_needs_an_optimizer():
    assert "new w1" not in dr.worksheet("T5_and", asked="forward").answers()
    with pytest.raises(InputError, match="an update needs an optimizer"):
        dr.worksheet(replace(load_example("T1"), training={}), asked="update")
    assert "new w1" not in dr.worksheet("rat42", asked=["forward", "loss"]).answers()  # L-BFGS


# ---------------------------------------------------------------------- files


@pytest.mark.parametrize("ending", FORMATS.values())
def test_a_sheet_its_key_and_its_data_lie_beside_each_other(ending, tmp_path):
    sheet = dr.worksheet(seed=5, student="Zoë <b> $x$ \\alpha & %")
    paths = sheet.save(tmp_path / f"sheet{ending}")
    names = {"sheet.json"} if ending == ".json" else {f"sheet{ending}", f"sheet-key{ending}", "sheet.json"}
    assert {path.name for path in paths} == names == {path.name for path in tmp_path.iterdir()}
    again = Worksheet.load(tmp_path / "sheet.json")
    assert again.json() == sheet.json()
    assert again.key.text() == sheet.key.text()


@pytest.mark.parametrize("settings", KINDS_OF_SHEETS.values(), ids=KINDS_OF_SHEETS)
def test_every_kind_of_sheet_is_the_same_after_a_file(settings, tmp_path):
    sheet = dr.worksheet(seed=5, **settings)
    sheet.save(tmp_path / "s.json")
    assert Worksheet.load(tmp_path / "s.json").answers() == sheet.answers()


def test_a_damaged_file_is_refused_by_one_line(tmp_path):
    whole, path = dr.worksheet(seed=1).data(), tmp_path / "s.json"
    changes = [
        {"format": "other"}, {"asked": 7}, {"asked": ["x"]}, {"decimals": "4"}, {"seed": {}, "task": None},
        {"task": {**whole["task"], "parameters": [1, 2]}}, {"task": {**whole["task"], "x": "no"}},
        {"task": {**whole["task"], "network": {"sizes": [10**6, 10**6]}}}, {"task": {}},
        {"task": {**whole["task"], "network": {"sizes": [2, 2, 1], "strange": 1}}},
        {"task": {**whole["task"], "optimizer": "__import__('os')"}}, {"task": {**whole["task"], "t": -1}},
    ]  # fmt: skip
    for change in changes:
        path.write_text(json.dumps(whole | change))
        with pytest.raises(DataFileError, match="not a worksheet") as caught:
            Worksheet.load(path)
        assert "\n" not in str(caught.value)
    for text in ("", "[]", "{", "nul", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(DataFileError):
            Worksheet.load(path)


def test_names_as_people_type_them():
    assert len({name_key(n) for n in ("δ_h1", "delta_h1", "Delta h1", "deltah1")}) == 1
    assert len({name_key(n) for n in ("∂E/∂w5", "dE/dw5", "dE_dw5", "de dw5")}) == 1


# ---------------------------------------------------------------------- a class


def test_every_student_has_numbers_of_their_own():
    made = class_set([f"Student {i}" for i in range(30)] + ["Student 0"], seed=1)
    numbers = {tuple(s.task.net.parameters) + tuple(s.task.X.ravel()) for s in made.sheets.values()}
    assert len(numbers) == len(made.sheets) == 31
    later = class_set(["New", *(f"Student {i}" for i in range(30))], seed=1)
    assert later.sheets["Student 7"].json() == made.sheets["Student 7"].json()
    assert class_set(["Ada"], seed=2).sheets["Ada"].json() != class_set(["Ada"], seed=1).sheets["Ada"].json()
    varied = class_set(["Ada", "Bob"], example="T1")
    assert not np.array_equal(varied.sheets["Ada"].task.X, varied.sheets["Bob"].task.X)


def test_no_name_leaves_the_folder_or_is_another_ones():
    names = file_names(HOSTILE)
    assert len({name.casefold() for name in names}) == len(HOSTILE)
    for name in names:
        assert not re.search(r'[/\\:*?"<>|\x00-\x1f]', name)
        assert not name.startswith((".", "=", " "))
        assert not name.endswith((".", " "))
        assert len(name.encode()) <= 100
        assert name.split(".")[0].lower() not in ("nul", "con")


def test_a_class_is_written_whole(tmp_path):
    made = class_set(HOSTILE, asked="forward")
    folder = made.save(tmp_path / "class", ".html")
    assert [path.name for path in tmp_path.iterdir()] == ["class"]
    for part in ("sheets", "keys"):
        files = sorted(path.name for path in (folder / part).iterdir())
        assert files == sorted(f"{name}.html" for name in made.sheets)
    again = ClassSet.load(folder / "class.json")
    assert [s.student for s in again.sheets.values()] == HOSTILE
    with pytest.raises(InputError, match="no name of a file"):
        ClassSet.from_data({**made.data(), "sheets": [{**made.data()["sheets"][0], "file": "../x"}]})
    page = (folder / "sheets" / f"{file_names(HOSTILE)[21]}.html").read_text()
    assert "&lt;script&gt;alert" in page
    assert "<script" not in page


def test_hostile_names_are_text_in_every_format():
    sheet = dr.worksheet(asked="loss", student="<script>$x$ \\alpha & % _ \x1b[31m\nnext")
    for format in FORMATS:
        assert sheet.sheet_as(format)
    assert "\x1b" not in sheet.sheet.text()
    assert "<script>$x$ \\alpha & % _" in sheet.sheet.text()
    assert "\\alpha " not in sheet.sheet.latex().partition("Name:")[2].partition("\n")[0]


def test_a_class_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    made = class_set(["Ada", "Bob"], asked="forward")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(InputError, match="not empty"):
        made.save(tmp_path / "full")
    monkeypatch.setattr(made.sheets["Bob"], "sheet_as", lambda format: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made.save(tmp_path / "class", ".txt")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    with pytest.raises(InputError, match="ends in"):
        made.save(tmp_path / "class", ".docx")
    (tmp_path / "empty").mkdir()
    assert class_set(["Ada"], asked="loss").save(tmp_path / "empty", ".txt").is_dir()


def test_names_are_read_as_they_are(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text('group,Name\n1,"Lovelace, Ada"\n1,Null\n2,NA\n\n2,"two\nlines"\n', encoding="utf-8-sig")
    assert read_students(path) == ["Lovelace, Ada", "Null", "NA", "two\nlines"]
    for text, words in [
        ("Ada\nBob\n", "must name a column 'student' or 'name'"),
        ("name\n", "no names follow"),
        ("", "the file is empty"),
        ('name,x\n"open,1\n', "names.csv:2:1: this is not a CSV row"),
        ("name,x\nAda\n", "names.csv:2:2: expected 2 fields"),
    ]:
        path.write_text(text)
        with pytest.raises(DataFileError, match=words):
            read_students(path)
    for encoding in ("cp1252", "utf-16"):
        path.write_bytes("name;group\nJürgen Schäfer;1\nZoë;2\n".encode(encoding))
        assert read_students(path) == ["Jürgen Schäfer", "Zoë"]

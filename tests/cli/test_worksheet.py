"""deltarule worksheet and deltarule mark: what they take, write, print and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deltarule.worksheets import Worksheet, random_exercise
from deltarule.worksheets.class_set import ClassSet

from .cases import read_rows, refused, report_of, run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(path, answers, student=None):
    """A file of answers."""
    lines = [
        f"{name},{value}" if student is None else f"{student},{name},{value}"
        for name, value in answers.items()
    ]
    header = "blank,answer" if student is None else "student,blank,answer"
    Path(path).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_sheet_and_its_key_are_printed():
    sheet, key = run("worksheet", "--seed", "7"), run("worksheet", "--seed", "7", "--key")
    assert "(1) net_h1 = ____" in sheet
    assert "(14) w5 ← ____" in sheet
    assert "w1·i1 + w2·i2 + b_h1 = " in key
    assert sheet == run("worksheet", "--seed", "7")
    assert sheet != run("worksheet", "--seed", "8")
    assert max(map(len, sheet.splitlines())) <= 100


def test_every_option_is_heard():
    text = run(
        "worksheet", "--sizes", "2-3-3", "--activation", "tanh", "--output", "softmax", "--samples", 2,
        "--optimizer", "momentum(0.2)", "--bias", "shared", "--decimals", 5, "--student", "Ada", "--formulas",
        "--ask", "forward", "--ask", "update",
    )  # fmt: skip
    for words in ("Worksheet 2-3-3", "tanh", "softmax", "cross entropy", "momentum, η = 0.2", "5 decimals",
                  "Ada", "b1 =", "net_h1⁽²⁾ = w1·i1⁽²⁾", "memory for",
                  "Gradients: ∂L/∂w1 = "):  # fmt: skip
        assert words in " ".join(text.split())
    assert "Deltas\n" not in text


def test_an_example_and_its_variation():
    assert "w1 = 0.15" in run("worksheet", "T1")
    assert "w1 = 0.15" not in run("worksheet", "T1", "--vary")
    Path("own.toml").write_text("[network]\nsizes = [1, 1]\n[data]\nx = [0.5]\ny = [1]\n")
    assert "(1) net_o1" in run("worksheet", "own.toml")


def test_sheet_key_and_data_are_written_and_marked():
    assert run("worksheet", "--seed", 7, "--out", "s.html") == "written: s.html, s-key.html, s.json\n"
    sheet = Worksheet.load("s.json")
    text = run("mark", "s.json", answer("a.csv", sheet.answers()))
    assert text.startswith("14 of 14 points")
    wrong = sheet.answers() | {"net_h1": 0.9}
    report = report_of("mark", "s.json", answer("a.csv", wrong), "--out", "marked.md", "--csv", "m.csv")
    assert report["points"] == 13
    assert report["first_slip"]["quantity"] == "net_h1"
    assert "13 of 14" in Path("marked.md").read_text(encoding="utf-8")
    assert read_rows(Path("m.csv").read_text(encoding="utf-8"))[0]["points"] == "13"


def test_json_is_what_mark_takes():
    Path("s.json").write_text(run("worksheet", "--json"), encoding="utf-8")
    assert run("mark", "s.json", answer("a.csv", {})).startswith("0 of 14")


def test_a_class_from_names_to_marks():
    Path("names.csv").write_text("name\nAda\n../x\n<b>\nNull\n", encoding="utf-8")
    said = run(
        "worksheet", "--students", "names.csv", "--out", "class", "--format", "text", "--ask", "forward"
    )
    assert "4 sheets and keys" in said
    assert {path.name for path in Path().iterdir()} == {"names.csv", "class"}
    school = ClassSet.load("class/class.json")
    assert {path.stem for path in Path("class/sheets").iterdir()} == set(school.sheets)
    answer("a.csv", school.sheets["Ada"].answers() | {"net_h1": 0.9}, "Ada")
    text = run("mark", "class/class.json", "a.csv", "--csv", "m.csv")
    assert "5/6" in text
    assert "(1) net_h1" in text
    assert [row["points"] for row in read_rows(Path("m.csv").read_text(encoding="utf-8"))] == [
        "5",
        "0",
        "0",
        "0",
    ]
    assert len(report_of("mark", "class/class.json", "a.csv")["students"]) == 4


def test_the_picture_of_a_class():
    pytest.importorskip("matplotlib")
    run("worksheet", "--out", "s.json")
    run("mark", "s.json", answer("a.csv", {"1": 9}), "--plot", "m.png")
    assert Path("m.png").read_bytes().startswith(b"\x89PNG")


def test_questions_for_moodle_are_written_for_a_class_or_for_so_many_variants():
    said = run("worksheet", "--ask", "net_h1,w5", "--moodle", "q.xml", "--variants", 3)
    assert said == "3 variants of each question: written to q.xml\n"
    assert Path("q.xml").read_bytes().count(b'type="numerical"') == 6
    Path("names.csv").write_text("name\nAda\nBob\n", encoding="utf-8")
    said = run("worksheet", "T1", "--students", "names.csv", "--moodle", "t.xml", "--ask", "w5", "--out", "c",
               "--format", "text")  # fmt: skip
    assert said.startswith("2 variants")
    assert Path("c/class.json").is_file()
    assert b"Ada" not in Path("t.xml").read_bytes()


def test_a_class_is_handed_back():
    pytest.importorskip("typst")
    pytest.importorskip("matplotlib")
    Path("names.csv").write_text("name\nAda\n", encoding="utf-8")
    run(
        "worksheet", "--students", "names.csv", "--out", "class", "--format", "text", "--ask", "net_h1,out_h1"
    )
    header = Path("class/answers.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    Path("a.csv").write_text(f"{header}\nAda,don't know,0.5\nEve,1,1\n", encoding="utf-16")
    said = run("mark", "class/class.json", "a.csv", "--out", "feedback")
    assert "Not taken as it was written (2):" in said
    assert "no student 'Eve'" in said
    assert "1 marked sheets, all.pdf, marks and class.html: written to feedback" in said
    assert Path("feedback/students/Ada.pdf").read_bytes().startswith(b"%PDF")
    assert "not empty" in refused("mark", "class/class.json", "a.csv", "--out", "feedback")


def test_what_does_not_fit_is_refused_by_one_line(monkeypatch):
    monkeypatch.setattr(random_exercise, "_DRAWS", ((1.0, 20),))  # to give up sooner
    Path("names.csv").write_text("name\nAda\n", encoding="utf-8")
    run("worksheet", "--out", "s.json")
    answer("a.csv", {"1": "x"})
    for arguments, words in [
        (["worksheet", "T1", "--sizes", "2-2-1"], "T1 has its own network: leave out --sizes"),
        (["worksheet", "T1", "--samples", "2"], "leave out --samples"),
        (["worksheet", "T9"], "no example and no file 'T9'"),
        (["worksheet", "--students", "names.csv"], "name one with --out"),
        (
            ["worksheet", "--students", "names.csv", "--key", "--out", "c"],
            "leave out --student, --key and --json",
        ),
        (["worksheet", "--students", "none.csv", "--out", "c"], "none.csv: cannot be read"),
        (["worksheet", "--students", "names.csv", "--out", "no/c"], "there is no folder no"),
        (["worksheet", "--out", "s.docx"], "ends in .txt"),
        (["worksheet", "--out", "s.pdf", "--format", "html"], "a name that ends in .html"),
        (["worksheet", "--decimals", "1"], "ask for more decimals"),
        (["worksheet", "--loss", "crossentropy"], "did you mean 'cross_entropy'"),
        (["worksheet", "--ask", "w99"], "cannot ask for 'w99'"),
        (["worksheet", "--moodle", "no/q.xml"], "there is no folder no"),
        (["mark", "a.csv", "a.csv"], "a.csv:1:1: not JSON"),
        (["mark", "none.json", "a.csv"], "no such file"),
        (["mark", "s.json", "a.csv", "--csv", "no/m.csv"], "there is no folder no"),
    ]:
        assert words in refused(*arguments), arguments
    assert not Path("c").exists()
    Path("class.json").write_text(json.dumps({"format": "deltarule class 1", "sheets": [{"file": 1}]}))
    assert "not a class" in refused("mark", "class.json", "a.csv")

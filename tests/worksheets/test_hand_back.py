"""A class: the template for answers, answers as people fill it in, and what everybody gets back."""

from __future__ import annotations

import csv
import html
import io
import random
import re

import pytest

from deltarule.errors import DataFileError, InputError
from deltarule.worksheets.class_marking import mark_class
from deltarule.worksheets.class_set import ClassSet, class_set
from deltarule.worksheets.hand_back import class_report, hand_back
from deltarule.worksheets.tables import csv_bytes, xlsx_bytes
from deltarule.worksheets.wrong_formulas import wrong_formulas_of

from .people import answers_with

NAMES = ["Ada Lovelace", "Bob", "Bob", "=Eve()", "Jürgen Müller", "名前"]


@pytest.fixture(scope="module")
def school():
    return class_set(NAMES, seed=3)


def filled(school):
    """The template with everybody's right answers."""
    header, *rows = school.template()
    for row, sheet in zip(rows, school.sheets.values(), strict=True):
        row[1:] = [str(sheet.key_answers()[blank.name]) for blank in sheet.blanks]
    return [header, *rows]


def test_the_template_has_a_column_for_each_blank_and_lies_beside_the_sheets(school, tmp_path):
    header, *rows = school.template()
    assert header[:3] == ["student", "(1) net_h1", "(2) out_h1"]
    assert [row[0] for row in rows] == ["Ada Lovelace", "Bob 1", "Bob 2", "'=Eve()", "Jürgen Müller", "名前"]
    folder = school.save(tmp_path / "class", ".txt")
    written = (folder / "answers.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(written.decode("utf-8-sig")))) == [header, *rows]
    assert (folder / "answers.xlsx").read_bytes().startswith(b"PK")
    marked = mark_class(school, folder / "answers.csv")
    assert (marked.faults, marked.rows()[0][1]) == ([], 0)


@pytest.mark.parametrize("kind", ["utf-8", "utf-16", "cp1252;", "xlsx"])
def test_a_filled_template_is_read_as_programs_write_it(school, tmp_path, kind):
    table, path = filled(school), tmp_path / "answers.csv"
    if kind == "xlsx":
        for row in table[1:]:
            row[1:] = [float(cell) for cell in row[1:]]
        path.write_bytes(xlsx_bytes("answers", table))
    else:
        plain = [
            [str(cell).replace("名前", "'=Eve()" if kind[:2] == "cp" else "名前") for cell in row]
            for row in table
        ]
        plain[0] = [f"{n}" if n else "student" for n in range(len(plain[0]))]
        file = io.StringIO()
        csv.writer(file, delimiter=";" if ";" in kind else ",").writerows(plain[:6] if ";" in kind else plain)
        path.write_bytes(file.getvalue().encode(kind.rstrip(";")))
    marked = mark_class(school, path)
    assert marked.faults == []
    assert [row[1] for row in marked.rows()][:5] == [14] * 5


def test_bad_cells_unknown_students_and_columns_are_listed_and_block_nothing(school, tmp_path):
    header, *rows = filled(school)
    rows[0][3] = "don't know"
    rows[1] = rows[1][:-2]
    table = [[*header, "(99) net_h9"], *([*row, "1"] for row in rows), ["Nobody", *["1"] * 15]]
    path = tmp_path / "answers.csv"
    path.write_bytes(csv_bytes(table))
    marked = mark_class(school, path)
    assert [row[1] for row in marked.rows()] == [13, 12, 14, 14, 14, 14]
    assert len(marked.faults) == 4
    for words in ("no student 'Nobody'", "there is no blank '(99) net_h9': the column is ignored",
                  "csv:3:15: expected 16 fields as in the header, got 14",
                  "Ada Lovelace, blank 3 (net_h2): \"don't know\" is not a number"):  # fmt: skip
        assert any(words in fault for fault in marked.faults), words
    assert marked.markings["Ada Lovelace"].marks[2].verdict == "wrong"
    path.write_text("who,1\nAda,2\n")
    with pytest.raises(DataFileError, match="must name a column 'student'"):
        mark_class(school, path)


def test_a_folder_with_a_bad_file_is_marked_all_the_same(school, tmp_path):
    (tmp_path / "Bob 1.csv").write_text("blank,answer\n1,0.5\n")
    (tmp_path / "Stranger.csv").write_text("blank,answer\n1,0.5\n")
    (tmp_path / "Bob 2.csv").write_text("")
    marked = mark_class(school, tmp_path)
    assert len(marked.faults) == 2
    assert marked.markings["Bob 1"].marks[0].verdict == "wrong"


def with_slips(school):
    """Everybody's answers with one slip, and where it is."""
    rng, planted = random.Random(0), {}
    header, *rows = school.template()
    for row, (name, sheet) in zip(rows, school.sheets.items(), strict=True):
        blank = sheet.blanks[rng.randrange(len(sheet.blanks))]
        slip = rng.choice(wrong_formulas_of(sheet.formulas, blank.leaf))
        answers = answers_with(sheet, blank, slip.formula)
        row[1:] = [str(answers.get(each.name, "")).replace(".", rng.choice(".,")) for each in sheet.blanks]
        planted[name] = blank, slip
    return [header, *rows], planted


def check_slips(marked, planted):
    for name, (blank, slip) in planted.items():
        marks = marked.markings[name].marks
        mark = marks[blank.number - 1]
        assert mark.counts or mark.answer is None or slip.kind in mark.kinds, (name, blank.name, slip.kind)
        assert all(other.counts or other.answer is None for other in marks if other is not mark), name


def test_everybody_gets_a_named_sheet_with_the_right_step_and_the_mistake(school, tmp_path):
    pytest.importorskip("typst")
    pytest.importorskip("matplotlib")
    few = ClassSet({name: school.sheets[name] for name in ("Bob 2", "Eve()")})
    table, planted = with_slips(few)
    (tmp_path / "answers.csv").write_bytes(csv_bytes(table))
    marked = mark_class(few, tmp_path / "answers.csv")
    check_slips(marked, planted)
    folder = hand_back(marked, tmp_path / "feedback")
    assert {path.name for path in folder.iterdir()} == {
        "all.pdf", "class.html", "class.pdf", "marks.csv", "marks.xlsx", "mistakes.svg", "students",
    }  # fmt: skip
    names = sorted(path.name for path in (folder / "students").iterdir())
    assert names == sorted(f"{name}{ending}" for name in few.sheets for ending in (".html", ".pdf"))
    pages = re.search(rb"/Type/Pages/Count (\d+)", (folder / "all.pdf").read_bytes())
    assert int(pages[1]) >= 3  # each begins on the front of a sheet
    name = next(name for name in planted if marked.markings[name].first_slip)
    page = html.unescape((folder / "students" / f"{name}.html").read_text(encoding="utf-8"))
    assert marked.markings[name].first_slip.wrong_formulas[0].words in page
    assert 'class="line wrong"' in page
    rows = list(csv.reader((folder / "marks.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0][:4] == ["student", "points", "out_of", "(1) net_h1"]
    assert [row[0] for row in rows[1:]] == ["Bob", "'=Eve()"]
    with pytest.raises(InputError, match="not empty"):
        hand_back(marked, folder)


def test_what_follows_on_says_from_what(school):
    sheet = school.sheets["Ada Lovelace"]
    slip = next(s for s in wrong_formulas_of(sheet.formulas, sheet.blanks[0].leaf) if s.kind == "bias")
    from deltarule.worksheets import mark

    text = " ".join(mark(sheet, answers_with(sheet, sheet.blanks[0], slip.formula)).report.text().split())
    assert text.startswith("Ada Lovelace: 13 of 14 points")
    assert "forgot the bias" in text
    assert re.search(r"✓ follow-through; answered was 0\.\d+, which is right for net_h1 = ", text)


def test_the_report_of_a_class_counts_right(school, tmp_path):
    (tmp_path / "answers.csv").write_bytes(csv_bytes(with_slips(school)[0]))
    marked = mark_class(school, tmp_path / "answers.csv")
    tables = [block for block in class_report(marked).blocks if hasattr(block, "rows")]
    assert sum(int(times) for _, times in tables[0].rows) == sum(marked.mistakes().values())
    assert all(sum(map(int, row[1:])) == len(NAMES) for row in tables[1].rows)
    assert len(tables[2].rows) == len(NAMES)


@pytest.mark.slow
def test_a_course_of_two_hundred_is_marked_with_every_slip_found_or_credited(tmp_path):
    school = class_set([f"Student {i}" for i in range(200)], seed=5)
    table, planted = with_slips(school)
    (tmp_path / "answers.csv").write_bytes(csv_bytes(table))
    again = ClassSet.from_data(school.data())
    check_slips(mark_class(again, tmp_path / "answers.csv"), planted)

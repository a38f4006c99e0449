"""A folder of submissions: a record for each, whatever the others do."""

from __future__ import annotations

import pytest

import deltarule as dr
from deltarule.diagnosis.grading import CheckedProgram, as_csv, as_junit, as_table

from .observation.programs import PROGRAMS


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "anna/main.py": "from layers import W\n" + PROGRAMS["script"],
        "anna/layers.py": "W = 1\n",
        "ben/one.py": PROGRAMS["script"],
        "ben/broken.py": "def f(:",
        "ben/.hidden.py": "1",
        "ben/notes.txt": "1",
        "ben/deeper/two.py": "1",
        "cy.py": "import os\nos._exit(0)\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_each_program_has_a_record_and_none_blocks_the_others(folder):
    seen = {one.file: one for one in dr.check_folder(folder, seconds=20)}
    assert {name: one.verdict for name, one in seen.items()} == {
        "cy.py": "cannot judge",
        "anna/main.py": "right",
        "ben/broken.py": "cannot judge",
        "ben/one.py": "right",
    }
    assert [one.student for one in seen.values()] == ["cy", "anna", "ben", "ben"]
    assert "ended its own process" in seen["cy.py"].text
    assert "SyntaxError" in seen["ben/broken.py"].text
    assert all(seen[name].failed for name in ("cy.py", "ben/broken.py"))


def test_no_folder():
    with pytest.raises(dr.InputError, match="there is no such folder"):
        dr.check_folder("nowhere")


HARD = [
    CheckedProgram("a/b.py", "wrong", 3, "x < y & 'z', \"w\"", "a factor is wrong", "<b>,\nmore", "L", 1.5),
    CheckedProgram("long" * 20 + ".py", "cannot judge", text="word " * 100, failed=True),
    CheckedProgram("c.py", "cannot judge", text="hidden"),
]


def test_tables_are_narrow_and_their_counts_true():
    lines = as_table(HARD).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "3 programs: 0 right, 1 wrong, 2 not judged."


def test_files_keep_what_is_special_in_them():
    from csv import DictReader
    from io import StringIO
    from xml.etree import ElementTree

    row = next(DictReader(StringIO(as_csv(HARD))))
    assert (row["expression"], row["text"]) == (HARD[0].expression, HARD[0].text)
    suite = ElementTree.fromstring(as_junit(HARD).encode())
    assert suite[0][0].text == f"line 3: {HARD[0].expression}\n{HARD[0].text}"
    assert [case[0].tag for case in suite] == ["failure", "error", "skipped"]
    assert suite.get("errors") == suite.get("skipped") == "1"

"""Exported source files take rows as a table has them, and answer as the model itself does."""

from __future__ import annotations

import csv
import io
import random
import re
import subprocess

import numpy as np
import pytest

import deltarule as dr
from deltarule.data.encoding import CategoryColumn, ColumnsEncoding, Encoding, LabelEncoding, NumberColumn
from deltarule.exchange.cells import features_of
from deltarule.exchange.exporting import exported
from deltarule.exchange.portable_network import portable_network
from deltarule.experiments import FittedModel

from .source_files import LANGUAGES, loaded, of_cells, program, written

#: For each column of a table what its cells are like, and odd ones among them.
CELLS = {
    "age": (
        ["33", "8.5", "71"],
        ["", "n/a", "abc", "-5", "1e1", " 12 ", "NaN", "3,5", "4 5", "∞", "-999", "-999.0"],
    ),
    "price": (
        ["$1,200.50", "80", "$12,345"],
        ["€ 5", "(300)", "12 500", "12'500", "$-5", "5-", "1.234,50", "US$ 30,000", "50%", "1,2,3", "-",
         "20k", "$1.2M", "3 Mio. €", "5m", "€80.00m", "5 m€", "$ (1,234.50)", "(-5)", "($ 7 %)", "(12", "12)",
         "12.-", "CHF 1'200.–", "12,--", "12.5-", "1,200원"],
    ),
    "share": (["0,5", "12,25", "1.234,5"], ["1.5", "3", "", "1.234", "x"]),
    "member": (["yes", "no"], ["YES", "1", "ja", "FALSE", "perhaps", "", "y"]),
    "weight": (["70 kg", "81 kg"], ["70", "82kg", "83 KG", "84 kgs", "70 lb", "seventy", "1,070 kg", ""]),
    "seen": (
        ["03.05.2019", "29.02.2020", "1.1.99"],
        ["2019-05-03", "3 May 2019", "05/13/2019", "31.02.2019", "20190503", "May 2019", "Q3 2019", "gestern",
         "", "2019-05-03T10:20:30Z", "Mon, 3 May 2019", "3. September 2019 7:30 pm",
         "3. März 2019", "3 juillet 2019", "3 août 2019", "3 Septiembre 2019",
         "3 Okt. 2019", "3 juin 2019", "3 blah 2019",
         "Sun Jan 15 08:33:21 CET 2023", "15/Jan/2023:08:33:21 +0000", "2019-05-03 10:20:30.5+00"],
    ),
    "at": (["7:05", "23:59"], ["7:05 pm", "07:05:33", "25:00", "240:30:10", "7:75", "noon", ""]),
    "city": (["Ulm", "Köln", "New York, NY"], ["Paris", "ulm", " Ulm ", "N/A", "", 'the "Hague"']),
}  # fmt: skip


def odd_rows(n, share=0.3):
    """Rows of cells, so many of them odd."""
    rng = random.Random(3)
    return [
        [rng.choice(odd if rng.random() < share else usual) for usual, odd in CELLS.values()]
        for _ in range(n)
    ]


def as_csv(rows, names):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    return text.getvalue()


@pytest.fixture(params=[*LANGUAGES[1:], LANGUAGES[0]])
def language(request):
    return request.param


@pytest.mark.parametrize("n", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_odd_cells_are_answered_as_the_model_answers_them(n, language, tmp_path):
    net, rows = of_cells(), odd_rows(n)
    source = tmp_path / "rows.csv"
    source.write_text(as_csv(rows, CELLS), encoding="utf-8")
    answers, _ = FittedModel(net).answers(source)
    mixed = [["7", row[-1], *row[:-1]] for row in rows]  # another order, and a column more
    given = as_csv(mixed, ["id", "city", *list(CELLS)[:-1]])
    run = [*program(written(net, language, tmp_path), language), "-"]
    done = subprocess.run(run, input=given, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == answers["kind"].tolist()


def test_the_file_tests_how_it_reads_cells(language, tmp_path):
    path = written(of_cells(), language, tmp_path)
    assert loaded(path, language).test() == 0
    text = path.read_text(encoding="utf-8")
    for was, is_now in (('"days"', '"hour"'), ('"yes-no"', '"unit g"'), ('"New York, NY"', '"York"')):
        head, mark, tail = text.partition("SOURCES")
        other = written(of_cells(), language, (tmp_path / is_now[1:-1]).mkdir() or tmp_path / is_now[1:-1])
        other.write_text(head + mark + tail.replace(was, is_now, 1), encoding="utf-8")
        assert loaded(other, language).test() == 1, was


def test_a_row_is_cells_from_the_command_line(language, tmp_path):
    net = of_cells()
    run = program(written(net, language, tmp_path), language)
    row = ["33", "$1,200", "", "yes", "70 kg", "3 May 2019", "7:05", "New York, NY"]
    done = subprocess.run([*run, *row], capture_output=True, text=True, encoding="utf-8")
    frame = [dict(zip(CELLS, row, strict=True))]
    assert done.stdout.split() == FittedModel(net).answers(frame)[0]["kind"].tolist()
    done = subprocess.run([*run, *row[:-1]], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1
    assert re.fullmatch("error: expected 8 cells.*\n", done.stderr)


@pytest.mark.parametrize("kind", ["python", "numpy"])
def test_python_takes_numbers_and_texts(kind, tmp_path):
    net = of_cells()
    names = loaded(written(net, kind, tmp_path), kind).names
    row = [33, 1200.5, 0.5, True, 70, "2019-05-03", "7:05", None]
    texts = ["33", "$1,200.50", "0,5", "TRUE", "70 kg", "03.05.2019", "07:05", "n/a"]
    assert np.allclose(names["predict_outputs"](row), names["predict_outputs"](texts), rtol=0, atol=1e-12)
    if kind == "numpy":
        assert names["predict"]([row, texts]).shape == (2,)


def test_a_missing_cell_without_a_fill_is_never_answered(language, tmp_path):
    inputs = ColumnsEncoding((CategoryColumn("city", ("Ulm", "Bonn")),))
    net = dr.Network([2, 2], output="softmax")
    net.encoding = Encoding(inputs, LabelEncoding.fit(["a", "b"]))
    run = program(written(net, language, tmp_path), language)
    for cell, code in (("Ulm", 0), ("Rome", 0), ("", 1), ("n/a", 1)):
        done = subprocess.run([*run, cell], capture_output=True, text=True, encoding="utf-8")
        assert (done.returncode, bool(done.stdout)) == (code, not code)


@pytest.mark.slow
def test_cells_with_characters_turned_are_read_as_the_library_reads_them(tmp_path):
    net, rng = of_cells(), random.Random(9)
    network = portable_network(net)
    names = loaded(written(net, "python", tmp_path), "python").names
    letters = "0123456789.,-/: %$€()'eE+kgTZamp\u00a0"
    rows = [[_turned(cell, rng, letters) for cell in row] for row in odd_rows(3000, 0.6)]
    expected = features_of(network, rows)
    for row, numbers in zip(rows, expected, strict=True):
        for source, one, other in zip(network.sources, names["features"](row), numbers, strict=True):
            cell, kind = row[source.column], network.cell_kinds[source.column]
            if kind != "dmy" or re.search("[-/.:A-Za-z]", cell):  # "3 2019" is a month beside others alone
                assert one == pytest.approx(other, nan_ok=True), (cell, kind)


def _turned(cell, rng, letters):
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(cell) + 1)
        cell = cell[:place] + rng.choice(letters) + cell[place + rng.randrange(2) :]
    return cell


def test_a_table_of_plain_numbers_is_still_taken_as_numbers(language, tmp_path):
    net = dr.Network([2, 2], output="softmax", seed=1)
    net.encoding = Encoding(
        ColumnsEncoding((NumberColumn("a", 1.0, 2.0, 0.5), NumberColumn("b", 0.0, 1.0, 3.0))),
        LabelEncoding.fit(["u", "v"]),
    )
    assert b"SOURCES" not in exported(net, language)
    run = program(written(net, language, tmp_path), language)
    given = "b,a,more\n3,0.5,x\n?,n/a,\n3.0,$0.50,y\n"
    done = subprocess.run([*run, "-"], input=given, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, len(set(done.stdout.split())), len(done.stdout.split())) == (0, 1, 3)

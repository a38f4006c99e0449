"""Tables as surveys, instruments, stations and offices write them."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.data import load, read_table

FIXED = """Report of 1 March, all of it

Station           Lat     Kind        Height
PORT ALFRED      -33.6    manual         12
ST. JOHN BAY      51.0    fully auto      8
PORT EAST ONE     59.9    manual        104
NEW YORK CITY     40.7    fully auto     57
"""
QUESTIONS = """id,Q1,Q2
Response ID,How old are you?,"How much, in k€?"
"{""ImportId"":""a""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"
R1,33,4
R2,51,7
R3,28,2
R4,64,9
"""
UNITS = "name,RT,right\n(id),(ms),(0/1)\n" + "".join(f"S{n},{300 + n},{n % 2}\n" for n in range(6))
TOTALS = "region,product,units\n" + "".join(
    f"{region},A,{n}\n{region},B,{n + 3}\n{region},C,{n + 5}\n{total}\n"
    for region, n, total in (("North", 4, "North Total,,20"), ("South", 6, ",Subtotal,26"))
)


def read(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def test_lines_of_fixed_width_are_cut_where_all_have_a_gap(tmp_path):
    table = read(tmp_path, FIXED)
    assert table.names == ("Station", "Lat", "Kind", "Height")
    assert table.column("Kind").tolist() == ["manual", "fully auto"] * 2
    assert table.column("Height").tolist() == [12, 8, 104, 57]
    assert "fixed width" in " ".join(decision.text for decision in table.decisions)


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [(QUESTIONS, "Q1", [33, 51, 28, 64]), (UNITS, "RT", [300, 301, 302, 303, 304, 305])],
)
def test_what_stands_below_a_header_is_no_row(tmp_path, text, name, values):
    assert read(tmp_path, text).column(name).tolist() == values


def test_sums_of_other_rows_are_no_rows(tmp_path):
    table = read(tmp_path, TOTALS)
    assert table.column("units").tolist() == [4, 7, 9, 6, 9, 11]
    kept = read(tmp_path, "name,price\n" + "Total Care,5\nSoap,3\nTotal Care,4\nBrush,2\n" * 3)
    assert len(kept) == 12


@pytest.mark.parametrize(
    "cells",
    [
        ["2023-01-15 08:33:21.12+00", "2023-02-16 09:00:00.5+00"],
        ["2023-01-15", "16 Feb 2023", "03/17/2023", "2023-04-18"],
        ["Sun Jan 15 08:33:21 2023", "Thu Feb 16 09:00:00 CET 2023"],
        ["15/Jan/2023:08:33:21 +0000", "16/Feb/2023:09:00:00 +0000"],
    ],
)
def test_dates_of_programs_and_of_several_orders(tmp_path, cells):
    table = read(tmp_path, "when,n\n" + "".join(f"{cell},{n}\n" for n, cell in enumerate(cells * 4)))
    months = table.column("when.month").tolist()
    assert months == [1, 2, 3, 4][: len(cells)] * 4


def test_multiples_count_and_letters_of_another_case_do_not(tmp_path):
    cells = ["$1.2M", "350k", "2bn", "4 Mio. €", "7.5K", "3万"]
    table = read(tmp_path, "n,worth\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells)))
    assert np.allclose(table.column("worth"), [1.2e6, 3.5e5, 2e9, 4e6, 7500, 3e4])
    table = read(tmp_path, "n,seat\n" + "".join(f"{n},{n}b\n" for n in range(6)))
    assert table.is_text("seat")


def test_one_cell_does_not_turn_the_marks_of_a_column(tmp_path):
    rows = "".join(f'"$41,{n}",{n % 2}\n' for n in range(100, 140))
    table = read(tmp_path, "price,y\n" + rows + '"1.234,50",1\n')
    assert table.column("price").min() == 1234.5
    assert table.column("price").max() == 41139


def test_characters_without_width_and_yes_in_other_languages(tmp_path):
    rows = "".join(f"{n + 100},\u200b{n}.5\u00a0,{'是否'[n % 2]}\n" for n in range(12))
    (tmp_path / "t.csv").write_text("编号,size,是否\n" + rows + "", encoding="utf-8")
    table = load(tmp_path / "t.csv", target="size").inputs
    assert table.names == ("是否",)
    assert set(table.column("是否")) == {0.0, 1.0}

"""Tables as surveys, instruments, stations and offices write them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deltarule.data import load, read_table
from deltarule.errors import DataFileError

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


NIST = """NIST/ITL StRD
Reference:     Writer, J. W. (1967).
               "An Appraisal of Programs from the
               Viewpoint of the User."

Model:         Polynomial Class
               y = B0 + B1*x + e

     Residual        9     836424.055505915    92936.0061673238

Data:       y          x
""" + "".join(f"         {3 * n + n % 2:6.1f}      {n:6.1f}\n" for n in range(16))
PAIRS = "".join(f"Name: P{n}\nAge: {20 + n}\nCity: {'Rome' if n % 2 else 'Oslo'}\n\n" for n in range(12))
YAML = "".join(f"- name: P{n}\n  age: {20 + n}\n  city: {'Rome' if n % 2 else 'Oslo'}\n" for n in range(12))
LOGGED = "".join(f'level={"info" if n % 2 else "warn"} dur={n} path="/a b"\n' for n in range(12))
TINY = "".join(f"{n}.5E+00 {2 * n}.0E-05\n" for n in range(12))
SPARSE = "@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute k {ham,spam}\n@data\n" + (
    "{0 1.5, 2 spam}\n{1 2}\n{0 3.5}\n" * 2
)
PAGE = (
    "<!DOCTYPE html><html><body><table><tr><td>Home</td></tr></table><table><thead><tr><th>Club</th>"
    "<th>Goals<sup>[1]</sup></th><th>Area</th></tr></thead>"
    + "".join(f"<tr><td>C{n % 3}</td><td>{n}</td><td>N &amp; {n % 2}</td></tr>" for n in range(6))
    + "</table></body></html>"
)
PRINTED = (
    "     size   kind\n"
    + "".join(f"{n:<4} {n + 0.5:6.1f}  {'long' if n % 2 else 'short':>6}\n" for n in range(30))
    + "\n[30 rows x 2 columns]\n"
)
SPANS = "plot,soil,,\n,pH,N,K\n" + "".join(f"{n % 3},{n + 4.5},{n * 7 % 5},{n % 2}\n" for n in range(6))


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        (NIST, "x", list(range(16))),
        (PAIRS, "Age", list(range(20, 32))),
        (YAML, "age", list(range(20, 32))),
        (SPARSE, "a", [1.5, 0, 3.5] * 2),
        (SPARSE, "k", ["spam", "ham", "ham"] * 2),
        (LOGGED, "dur", list(range(12))),
        (TINY, "c2", [float(f"{2 * n}.0E-05") for n in range(12)]),
        (PAGE, "Goals", list(range(6))),
        (PAGE, "Area", ["N & 0", "N & 1"] * 3),
        (PRINTED, "size", [n + 0.5 for n in range(30)]),
        (SPANS, "soil pH", [n + 4.5 for n in range(6)]),
    ],
)
def test_tables_of_other_shapes(tmp_path, text, name, values):
    assert read(tmp_path, text).column(name).tolist() == values


def test_records_within_records_and_lists_of_numbers(tmp_path):
    features = [
        {"geometry": {"coordinates": [n, 50 + n]}, "properties": {"land": "forest" if n % 2 else "field"}}
        for n in range(6)
    ]
    path = tmp_path / "points.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "about": {"features": features}}))
    dataset = load(path, target="land")
    assert dataset.target.tolist() == ["field", "forest"] * 3
    assert dataset.inputs.column("geometry.coordinates.2").tolist() == list(range(50, 56))
    table = read(tmp_path, "n,v\n" + "".join(f'{n},"[{n}.5, -1e-3]"\n' for n in range(6)))
    assert table.column("v.1").tolist() == [n + 0.5 for n in range(6)]
    assert set(table.column("v.2")) == {-1e-3}


@pytest.mark.parametrize(
    "content",
    [
        {"a": {"size": 1, "kind": "x"}, "b": {"size": 2, "kind": "y"}, "c": {"size": 3, "kind": "x"}},
        {"size": {"a": 1, "b": 2, "c": 3}, "kind": {"a": "x", "b": "y", "c": "x"}},
        {"result": {"columns": ["size", "kind"], "rows": [[1, "x"], [2, "y"], [3, "x"]]}},
        {"ok": True, "page": {"rows": [{"size": n, "kind": "xyx"[n - 1]} for n in (1, 2, 3)]}},
    ],
)
def test_json_of_many_shapes(tmp_path, content):
    table = read(tmp_path, json.dumps(content))
    assert table.column("size").tolist() == [1, 2, 3]
    assert table.column("kind").tolist() == ["x", "y", "x"]


def test_files_of_other_programs_say_what_makes_a_csv(tmp_path):
    for start, step in (
        (b"$FL2@(#)", "read_spss"),
        (b"<stata_dta>", "read_stata"),
        (b"\x89HDF\r\n", "read_hdf"),
    ):
        (tmp_path / "study.bin").write_bytes(start + bytes(range(200)))
        with pytest.raises(DataFileError, match=step):
            read_table(tmp_path / "study.bin")


def test_a_table_on_its_side_is_recognised_by_the_name_of_a_row(tmp_path):
    (tmp_path / "t.csv").write_text("sample,s1,s2,s3\nheight,1,2,3\nkind,a,b,a\n")
    with pytest.raises(DataFileError, match="transpose it first"):
        load(tmp_path / "t.csv", target="kind")

"""Numbers that stand for missing cells are seen where they are plain, told, kept by models, and overruled."""

from __future__ import annotations

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import ReadingOptions, load, read_table
from deltarule.data.meaning import find_sentinel

OTHERS = [21.5, 19.0, 23.25, 20.0, 22.0, 18.5]


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ([*OTHERS, -999, -999], -999), ([*OTHERS, -99.9, -99.9], -99.9), ([*OTHERS, 9999, 9999, 9999], 9999),
        ([0, 3, 1, 2, -9, -9], -9), ([12000, 90000, 45000, -99, -99], -99),
        ([*OTHERS, 1e20, 1e20, 1e20], 1e20),
        ([-30, 12, 5, -32768, -32768], -32768), ([*OTHERS, -999, np.nan, -999], -999),
    ],
)  # fmt: skip
def test_a_number_far_from_all_others_is_seen(values, number):
    found = find_sentinel(np.array(values, float))
    assert found is not None
    assert (found.number, found.weight) == (number, 1)


@pytest.mark.parametrize(
    "values",
    [
        [-1200, 1500, 30, -999, -999], [10, 500, 999, 999, 999], [19, 29, 999, 999, 999], [1, 2, 99, 99, 99],
        [*OTHERS, -1000, -1000], [-5, -9, -9, -8], [999, 999, 999, 1], OTHERS, [np.nan] * 5,
    ],
)  # fmt: skip
def test_a_number_that_may_be_one_is_left(values):
    found = find_sentinel(np.array(values, float))
    assert found is None or found.weight < 1


def table(path, first, second):
    rows = [
        f"{a},{b},{'hot' if place % 3 else 'cold'}\n"
        for place, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    path.write_text("inside,outside,felt\n" + "".join(rows))
    return path


def test_a_single_cell_is_seen_where_another_column_tells(tmp_path):
    first, second = [*OTHERS * 3, -999, -999], [*range(19), -999]
    data = load(table(tmp_path / "both.csv", first, second), target="felt")
    assert [d.kind for d in data.decisions].count("sentinel") == 2
    assert data.inputs.names == ("inside", "inside.missing", "outside", "outside.missing")
    assert data.inputs.missing("outside").sum() == 1
    data = load(table(tmp_path / "one.csv", OTHERS * 3, [*range(17), -999]), target="felt")
    assert data.inputs.names == ("inside", "outside")


def test_any_whole_number_far_below_in_two_columns_is_seen(tmp_path):
    path = table(tmp_path / "two.csv", [*OTHERS * 3, -200, -200], [*range(18), -200, -200])
    assert [d.kind for d in load(path, target="felt").decisions].count("sentinel") == 2
    path = table(tmp_path / "one.csv", [*OTHERS * 3, -200, -200], range(20))
    assert "sentinel" not in [d.kind for d in load(path, target="felt").decisions]


def test_a_model_keeps_it_and_a_kind_says_it(tmp_path):
    path = table(tmp_path / "t.csv", [*OTHERS * 3, -999, -999], range(20))
    model = dr.experiment(path, target="felt", epochs=2).model
    assert model.encoding.inputs.columns[0].form == "number without -999"
    given, empty = ([{"inside": cell, "outside": 3}] for cell in (-999, None))
    with pytest.warns(UserWarning, match="missing"):
        assert model.predict(given) == model.predict(empty)
    plain = load(path, target="felt", options=ReadingOptions(kinds={"inside": "number"}))
    assert plain.inputs.column("inside").min() == -999
    said = read_table(path, options=ReadingOptions(kinds={"outside": "number without 19"}))
    assert said.missing("outside").sum() == 1

"""Tables: named columns that know where they are from."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.data.encoding import Origin, Table
from deltarule.data.table import Coded
from deltarule.errors import DataFileError, InputError, ShapeError


def test_columns_become_numbers_booleans_or_text() -> None:
    table = Table({"a": [1, 2], "b": np.array([True, False]), "c": ["x", None], "d": np.array(["u", "v"])})
    assert [table.column(name).dtype for name in table.names] == [np.float64, np.bool_, object, object]
    assert len(table) == 2


def test_missing_cells_are_nan_in_numbers_and_none_in_text() -> None:
    table = Table({"a": [1.0, np.nan], "b": ["x", None]})
    assert table.missing("a").tolist() == [False, True]
    assert table.missing("b").tolist() == [False, True]


@pytest.mark.parametrize(
    ("columns", "error", "reason"),
    [
        ({"a": [1, 2], "b": [1]}, ShapeError, "'a': 2, 'b': 1"),
        ({}, ShapeError, "no columns"),
        ({"a": [[1], [2]]}, ShapeError, r"column 'a' must have one dimension, got shape \(2, 1\)"),
        ({"a": ["x", 3]}, InputError, "column 'a' must hold numbers or text, got 3"),
        ({"a": [1j]}, InputError, "column 'a' must hold numbers or text, got complex128"),
        ({"a": np.array(["x", 3], dtype=object)}, InputError, "column 'a' must hold numbers or text, got 3"),
        ({"a": np.array(["2024-01-01"], dtype="datetime64[D]")}, InputError, "datetime64"),
    ],
)
def test_other_columns_are_refused(columns: dict, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        Table(columns)


def test_taking_rows_keeps_their_lines() -> None:
    origin = Origin("rows.csv", np.array([2, 3, 5]), {"a": 4})
    part = Table({"a": [1.0, 2.0, 3.0]}, origin).take(np.array([2]))
    assert part.column("a").tolist() == [3.0]
    assert str(part.fault(0, "a", "too large")) == "rows.csv:5:4: column 'a': too large"


def test_faults_name_the_place_as_well_as_it_is_known() -> None:
    columns = {"a": [1.0, 2.0]}
    assert str(Table(columns).fault(1, "a", "bad")) == "column 'a', row 1: bad"
    without_lines = Table(columns, Origin("rows.parquet", None, {"a": 1}))
    assert str(without_lines.fault(1, "a", "bad")) == "rows.parquet: column 'a', row 1: bad"
    assert isinstance(without_lines.fault(1, "a", "bad"), DataFileError)


def test_a_matrix_becomes_columns_and_back() -> None:
    matrix = np.arange(6.0).reshape(3, 2)
    table = Table.of_matrix(matrix)
    assert table.names == ("x1", "x2")
    np.testing.assert_array_equal(table.matrix(), matrix)
    assert Table.of_matrix(matrix, ["u", "v"]).names == ("u", "v")


def test_a_matrix_of_text_is_refused() -> None:
    with pytest.raises(InputError, match="column 'b' holds text"):
        Table({"a": [1.0], "b": ["x"]}).matrix()


def test_booleans_are_0_and_1_in_the_matrix() -> None:
    matrix = Table({"a": np.array([True, False])}).matrix()
    assert matrix.dtype == np.float64
    assert matrix.tolist() == [[1.0], [0.0]]


def test_an_unknown_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"there is no column 'widht'; did you mean 'width'\?"):
        Table({"width": [1.0]}).column("widht")


def test_rows_of_rows_are_taken_from_coded_columns_too() -> None:
    colours = Coded(np.array(["red", None, "blue", "never"], object), np.array([0, 1, 2, 0, 2], np.uint8))
    table = Table({"colour": colours, "size": [1.0, 2.0, np.nan, 4.0, 5.0]})
    part = table.take(np.array([True, True, True, False, True])).take(np.array([3, 1, 2, 1]))
    assert len(part) == 4
    assert part.column("colour").tolist() == ["blue", None, "blue", None]
    assert part.missing("colour").tolist() == [False, True, False, True]
    assert part.missing("size").tolist() == [False, False, True, False]
    assert part.without(["colour"]).column("size").tolist()[:2] == [5.0, 2.0]
    np.testing.assert_array_equal(part.coded("colour").cells(), part.column("colour"))

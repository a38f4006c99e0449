"""Parquet files: the same table as from CSV, and clear words on damage."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ReadingOptions, load, read_table
from deltarule.errors import DataFileError

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


def test_numbers_booleans_and_text_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pandas.DataFrame(
        {
            "float": [1.5, None, 3.0],
            "int": [1, 2, 3],
            "maybe": pandas.array([1, None, 3], dtype="Int64"),
            "bool": [True, False, True],
            "flag": pandas.array([True, None, False], dtype="boolean"),
            "text": ["x", None, "z"],
            "kind": pandas.Categorical(["u", "v", "u"]),
        }
    ).to_parquet(path)
    table = read_table(path)
    np.testing.assert_array_equal(table.column("float"), [1.5, np.nan, 3.0])
    np.testing.assert_array_equal(table.column("int"), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(table.column("maybe"), [1.0, np.nan, 3.0])
    assert table.column("bool").dtype == bool
    np.testing.assert_array_equal(table.column("flag"), [1.0, np.nan, 0.0])
    assert table.column("text").tolist() == ["x", None, "z"]
    assert table.column("kind").tolist() == ["u", "v", "u"]


def test_parquet_and_csv_make_the_same_data_set(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"a": [0.1, 0.2, 0.3], "c": ["x", "y", "x"], "y": [True, False, True]})
    frame.to_parquet(tmp_path / "rows.parquet")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    one, two = load(tmp_path / "rows.parquet"), load(tmp_path / "rows.csv")
    for name in ("a", "c"):
        np.testing.assert_array_equal(one.inputs.column(name), two.inputs.column(name))
    np.testing.assert_array_equal(one.target, two.target)
    assert one.classes == two.classes == (False, True)


def test_dates_are_refused_unless_dropped(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    frame = pandas.DataFrame(
        {"when": pandas.to_datetime(["2024-01-01", "2024-01-02"]), "a": [1, 2], "y": [0, 1]}
    )
    frame.to_parquet(path)
    with pytest.raises(DataFileError, match="column 'when': dates and times"):
        load(path, options=ReadingOptions(strict=True))
    assert load(path, drop="when").inputs.names == ("a",)


def test_infinity_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pandas.DataFrame({"a": [1.0, np.inf], "y": [0, 1]}).to_parquet(path)
    with pytest.raises(DataFileError, match="column 'a': expected a finite number"):
        load(path, options=ReadingOptions(strict=True))


@pytest.mark.parametrize("cut", [0, 3, 20, 300, -1, -8, -40])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.parquet"
    pandas.DataFrame({"a": [1, 2], "y": [0, 1]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataFileError, match="this Parquet file is damaged"):
        load(path)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pandas.DataFrame({"a": [], "y": []}).to_parquet(path)
    with pytest.raises(DataFileError, match="holds no rows"):
        load(path)


def test_a_flipped_byte_raises_one_kind_of_error_or_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pandas.DataFrame({"a": [1.0, 2.0], "y": ["p", "q"]}).to_parquet(path)
    data = path.read_bytes()
    for position in range(0, len(data), 37):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :])
        with contextlib.suppress(DataFileError):
            load(path)

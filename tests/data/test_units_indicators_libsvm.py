"""Numbers with units, columns of where cells are missing, and files of numbered features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deltarule.data import Dataset, ReadingOptions, load, read_table
from deltarule.data.encoding import fit_encoding
from deltarule.data.meaning.numbers import common_unit
from deltarule.errors import DataFileError


def write(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12 kg", "7.5 kg", "8kg", "120 KG"], [12.0, 7.5, 8.0, 120.0]),
        (["1 year", "2 years", "10 Years", "3 years"], [1, 2, 10, 3]),
        (["1,5 m", "2,25 m", "3,0 m", "1,0 m"], [1.5, 2.25, 3.0, 1.0]),
        (["1,200 km", "800 km", "12,500 km", "90 km"], [1200, 800, 12500, 90]),
        (["20°C", "-3 °C", "7.5 °C", "0°C"], [20, -3, 7.5, 0]),
        (["12 kg", "7.5", "8 kg", "9 kg"], [12, 7.5, 8, 9]),
        (["12 kg", "7 kg", "300 g", "9 kg", "11 kg", "8 kg"], [12, 7, None, 9, 11, 8]),
    ],
)
def test_a_common_unit_is_taken_off(tmp_path: Path, cells: list[str], expected: list[float | None]) -> None:
    path = write(tmp_path, "weight\ty\n" + "".join(f"{cell}\t{row % 2}\n" for row, cell in enumerate(cells)))
    table = read_table(path)
    values = [None if np.isnan(value) else value for value in table.column("weight").tolist()]
    assert values == expected
    told = [item for item in table.decisions if item.kind == "clothes"]
    assert [dict(item.words)["column"] for item in told] == ["weight"]
    with pytest.raises(DataFileError):
        read_table(path, options=ReadingOptions(strict=True))
    as_text = read_table(path, options=ReadingOptions(kinds={"weight": "text"}))
    assert as_text.column("weight").tolist() == cells


@pytest.mark.parametrize(
    "cells",
    [
        ["1st", "2nd", "3rd", "4th"],
        ["12A", "12B", "7A", "3A"],
        ["12 kg", "300 g", "5 lb", "7 oz"],
        ["1k", "2k", "3M", "7k"],
        ["a 1", "b 2", "c 3", "d 4"],
    ],
)
def test_what_is_no_common_unit_stays_text(cells: list[str]) -> None:
    assert common_unit(cells, [1] * len(cells)) == ""


def test_a_model_takes_no_other_unit(tmp_path: Path) -> None:
    data = load(write(tmp_path, "w,y\n" + "".join(f"{row} kg,{row % 2}\n" for row in range(2, 22))))
    kinds = fit_encoding(data).kinds
    assert kinds["w"] == "unit kg"
    new = read_table(write(tmp_path, "w\n5 kg\n6\n11 lb\n", "new.csv"), kinds)
    assert new.column("w")[:2].tolist() == [5.0, 6.0]
    assert np.isnan(new.column("w")[2])
    assert [item.kind for item in new.decisions] == ["stray"]


def indicated(folder: Path, cells: list[str]) -> Dataset:
    rows = "".join(f"{row / 7:.3f},{cell},{row % 2}\n" for row, cell in enumerate(cells * 5))
    return load(write(folder, "x,z,y\n" + rows), options=ReadingOptions(indicators=True))


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["1.5", "", "3", "NA"], "number"),
        (["yes", "", "no", ""], "yes-no"),
        (["2 m", "", "3 m", "?"], "unit m"),
        (["a", "", "b", ""], "text"),
    ],
)
def test_indicators_say_where_cells_are_missing(tmp_path: Path, cells: list[str], form: str) -> None:
    data = indicated(tmp_path, cells)
    assert data.inputs.names == ("x", "z", "z.missing")
    assert data.inputs.column("z.missing").tolist() == [0.0, 1.0, 0.0, 1.0] * 5
    kinds = fit_encoding(data, missing="median").kinds
    assert kinds["z"] == f"{form}+missing"
    new = read_table(write(tmp_path, f"x,z\n1,{cells[0]}\n2,\n", "new.csv"), kinds)
    assert new.column("z.missing").tolist() == [0.0, 1.0]


def test_a_libsvm_file_is_the_table_that_scikit_learn_reads(tmp_path: Path) -> None:
    svmlight = pytest.importorskip("sklearn.datasets")
    rng = np.random.default_rng(5)
    values = np.where(rng.random((30, 6)) < 0.5, rng.normal(size=(30, 6)).round(3), 0.0)
    path = tmp_path / "rows.svm"
    svmlight.dump_svmlight_file(values, np.arange(30) % 2 * 2 - 1, str(path), zero_based=False)
    data = load(path)
    X, y = svmlight.load_svmlight_file(str(path))
    np.testing.assert_array_equal(data.X, X.toarray())
    assert data.target.tolist() == y.tolist()
    assert data.target_names == ("target",)
    assert "format" in {item.kind for item in data.decisions}


@pytest.mark.parametrize("text", ["1 3:0.5 x:1\n", "1 3:0.5 4\n", "1 3:0.5 4:1:2\n"])
def test_a_line_without_numbered_features_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataFileError, match=r"rows\.svm:61:3: expected a feature such as 7:0\.5"):
        load(write(tmp_path, "1 1:2 3:4\n0 1:1 2:1\n" * 30 + text, "rows.svm"))


def test_times_beside_numbers_are_no_features(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "5 12:30\n7 13:45\n9 08:10\n4 09:20\n"))
    assert table.column("c1").tolist() == [5.0, 7.0, 9.0, 4.0]

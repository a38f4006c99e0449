"""New rows in other clothes than those a model was trained on: all are answered, and what is odd is told."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from deltarule.data import load
from deltarule.errors import DataFileError
from deltarule.experiments import load_model
from deltarule.experiments.choices import Choices
from deltarule.experiments.running import run_experiment

NAMES = ["girth", "side", "planted", "leaf", "cost", "tree"]
ROWS = [
    [
        f"{4 + row % 3 * 1.5 + row / 50:.2f}",
        ("north", "south", "east")[row * row % 3],
        f"20{10 + row % 20}-03-{row % 28 + 1:02}",
        ("yes", "no")[row % 2],
        f"${1000 + row * 7:,}",
        ("ash", "elm", "oak")[row % 3],
    ]
    for row in range(45)
]


def write(path: Path, rows: list[list[str]], delimiter: str = ",") -> Path:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    data = load(write(folder / "rows.csv", [NAMES, *ROWS]))
    net = run_experiment(data, Choices(epochs=5, test=0.0)).trained.net
    net.save(folder / "m")
    return folder / "m"


def answers(model: Path, path: Path) -> tuple[list[Any], set[str]]:
    columns, decisions = load_model(model).answers(path, probabilities=True)
    return list(zip(*columns.values(), strict=True)), {decision.kind for decision in decisions}


def changed(row: int, name: str, cell: str) -> list[list[str]]:
    place = NAMES.index(name)
    return [NAMES, *([*r[:place], cell, *r[place + 1 :]] if i == row else r for i, r in enumerate(ROWS))]


DIALECTS = {
    "no target": [row[:-1] for row in [NAMES, *ROWS]],
    "other columns": [[str(i), *row] for i, row in enumerate([NAMES, *ROWS])],
    "other order": [row[::-1] for row in [NAMES, *ROWS]],
    "other case": [[f" {name.upper()}" for name in NAMES], *ROWS],
    "no header": ROWS,
    "no header, no target": [row[:-1] for row in ROWS],
    "no header, counted": [[str(i), *row] for i, row in enumerate(ROWS)],
    "no header, no target, counted": [[str(i), *row[:-1]] for i, row in enumerate(ROWS)],
    "other dates": [NAMES, *([*r[:2], "/".join(r[2].split("-")[::-1]), *r[3:]] for r in ROWS)],
    "plain money": [NAMES, *([*r[:4], r[4].strip("$").replace(",", ""), r[5]] for r in ROWS)],
    "shouted": [NAMES, *([*r[:3], r[3].upper(), *r[4:]] for r in ROWS)],
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_in_other_clothes_have_the_same_answers(tmp_path: Path, model: Path, dialect: str) -> None:
    plain, told = answers(model, write(tmp_path / "plain.csv", [NAMES, *ROWS]))
    assert told == set()
    assert answers(model, write(tmp_path / "new.csv", DIALECTS[dialect]))[0] == plain


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_money_means_the_same_between_other_delimiters(tmp_path: Path, model: Path, delimiter: str) -> None:
    plain, _ = answers(model, write(tmp_path / "plain.csv", [NAMES, *ROWS]))
    assert answers(model, write(tmp_path / "new.csv", [NAMES, *ROWS], delimiter))[0] == plain


@pytest.mark.parametrize(
    ("name", "cell", "kinds"),
    [
        ("side", "west", {"unseen"}),
        ("girth", "", {"missing"}),
        ("girth", "3+", {"stray", "missing"}),
        ("planted", "soon", {"stray", "missing"}),
        ("leaf", "maybe", {"stray", "missing"}),
        ("cost", "dear", {"stray", "missing"}),
    ],
)
def test_one_odd_cell_is_told_and_leaves_the_other_rows_alone(
    tmp_path: Path, model: Path, name: str, cell: str, kinds: set[str]
) -> None:
    plain, _ = answers(model, write(tmp_path / "plain.csv", [NAMES, *ROWS]))
    found, told = answers(model, write(tmp_path / "new.csv", changed(7, name, cell)))
    assert told == kinds
    assert found[:7] + found[8:] == plain[:7] + plain[8:]


def test_a_single_row_without_header_is_a_row(tmp_path: Path, model: Path) -> None:
    plain, _ = answers(model, write(tmp_path / "plain.csv", [NAMES, ROWS[0]]))
    assert answers(model, write(tmp_path / "new.csv", ROWS[:1]))[0] == plain


def test_all_columns_that_lack_are_named(tmp_path: Path, model: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        load_model(model).answers(write(tmp_path / "new.csv", [["girth", "note"], ["1", "x"]]))
    assert [name for name in NAMES if f"no column {name!r}" in str(caught.value)] == NAMES[1:-1]


@pytest.mark.parametrize("n_columns", [2, 3])
def test_counted_rows_suit_a_model_of_columns_without_names(tmp_path: Path, n_columns: int) -> None:
    rows = [[str((7 * i) % 23 / 2), str(i * i % 31), "pq"[i * i % 31 > 15]] for i in range(40)]
    train = load(write(tmp_path / "rows.csv", rows))
    run_experiment(train, Choices(epochs=20, test=0.0)).save(tmp_path / "m")
    plain, _ = answers(tmp_path / "m", write(tmp_path / "plain.csv", rows))
    counted = write(tmp_path / "new.csv", [[str(i), *row[:n_columns]] for i, row in enumerate(rows)])
    found, told = answers(tmp_path / "m", counted)
    assert found == plain
    assert "counter" in told


def test_a_target_that_lacks_is_named_once(tmp_path: Path, model: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        load_model(model).evaluate(write(tmp_path / "new.csv", [row[:-1] for row in [NAMES, *ROWS]]))
    assert str(caught.value).count("no column 'tree'") == 1

"""No number changes silently: what is understood of mutated tables is in the file, or is told."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from deltarule.data import ReadingOptions, read_table
from deltarule.data.reading import is_missing
from deltarule.data.table import Table
from deltarule.errors import DataFileError

CELLS = (
    "", "NA", "?", "-", "n/a", "3+", "unknown",
    "1e308", "inf", "-0.0", "007", "1_000", "0x1F", "9007199254740993",
    "1,5", "$1,234.50", "12 %", "1 234", "(5)", "1.234,5", "true", "yes", "2024-01-31", "31/12/2024",
    "12:30", "½", "12 kg", "3 years", "5m",
    "٣", "1e", "+5", ".5", "5.", "--5", "1.2.3", '"', "'", "a b", "a;b", "#", "x\ny", "NaN", "1,234",
)  # fmt: skip
LINES = (
    "",
    ",,,",
    "# a comment",
    "Trees of the valley",
    "Total,12,,",
    "1,2",
    "1,2,3,4,5,6",
    "sep=,",
    "---",
    " ",
)


def mutated(chance: random.Random) -> tuple[str, str]:
    """Make a table with something in it that is not plain, and say what divides its cells."""
    n_rows = chance.choice((5, 12, 30))
    rows = [["girth", "height", "side", "tree"]]
    for row in range(n_rows):
        rows.append(
            [f"{row * 7 % 5 + row / 8:.3f}", str(row * 3 % 11), "nse"[row % 3], ("ash", "elm")[row % 2]]
        )
    place, cell = chance.randrange(4), chance.choice(CELLS)
    for row in rows[1:]:
        if chance.random() < chance.choice((0.0, 0.1, 0.5, 1.0)):
            row[place] = cell if chance.random() < 0.7 else chance.choice(CELLS)
    delimiter = chance.choice(",,,;\t|")
    stream = io.StringIO()
    quoting = chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerows(rows[chance.random() < 0.15 :])
    lines = stream.getvalue().split("\n")[:-1]
    for _ in range(chance.choice((0, 0, 1, 2))):
        lines.insert(
            chance.choice((0, 1, len(lines), chance.randrange(len(lines)))),
            chance.choice(LINES).replace(",", delimiter),
        )
    return "\n".join(lines) + "\n", delimiter


def cells_by_line(text: str, delimiter: str) -> dict[int, list[str]]:
    """Divide a text into rows by the line on which each begins, as the csv module does."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t"
    )
    found, line = {}, 1
    for row in reader:
        if row:
            found[line] = row
        line = reader.line_num + 1
    return found


def as_float(cell: str) -> float | None:
    plain = cell.isascii() and "_" not in cell
    try:
        return float(cell) if plain else None
    except ValueError:
        return None


def compare(table: Table, text: str, delimiter: str) -> None:
    """Compare each value with its cell in the file, and the rows with those that are told."""
    assert table.origin is not None
    assert table.origin.lines is not None
    cells = cells_by_line(text, delimiter)
    told = defaultdict(set)
    for decision in table.decisions:
        told[dict(decision.words).get("column")].add(decision.kind)
    for name in table.names:
        dates = name in table.forms and "." in name
        kinds = told[name.rpartition(".")[0] if dates else name]
        for line, value in zip(table.origin.lines.tolist(), table.column(name).tolist(), strict=True):
            row = cells[line]
            place = table.origin.fields[name] - 1
            cell = row[place].strip() if place < len(row) else ""
            number = as_float(cell)
            if isinstance(value, str):
                assert value == cell or "\n" in cell  # in which a comment may stand
            elif value is None or value != value:
                assert is_missing(cell) or kinds & {"stray", "infinite"}, (name, line, cell)
            elif isinstance(value, bool):
                assert str(value).lower() == cell.lower()
            elif number != value and not (delimiter == ";" and as_float(cell.replace(",", ".", 1)) == value):
                assert kinds & {"clothes", "yes-no", "dates"}, (name, line, cell, value)
    counted = sum(dict(item.words)["count"] for item in table.decisions if item.kind in ("lines", "ragged"))
    assert len(table) + counted in (len(cells), len(cells) - 1)


def written(table: Table) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(table.names)
    for row in zip(*(table.column(name).tolist() for name in table.names), strict=True):
        writer.writerow("" if cell is None or cell != cell else str(cell) for cell in row)
    return stream.getvalue()


def check(folder: Path, seed: int) -> None:
    text, delimiter = mutated(random.Random(seed))
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        table = read_table(path, options=ReadingOptions(delimiter=delimiter))
    except DataFileError:
        return
    compare(table, text, delimiter)
    path.write_text(written(table), encoding="utf-8", newline="")
    again = read_table(path, options=ReadingOptions(header=True, all_lines=True, delimiter=",", quote='"'))
    assert again.names == table.names
    for name in table.names:
        first, second = table.column(name), again.column(name)
        if first.dtype == object:
            assert first.tolist() == second.tolist()
        else:
            assert np.array_equal(first.astype(float), second.astype(float), equal_nan=True)


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_what_is_read_of_a_mutated_table_is_in_it_or_is_told(tmp_path: Path, start: int) -> None:
    for seed in range(start, start + 100):
        check(tmp_path, seed)


@pytest.mark.slow
def test_mutated_tables_change_no_number_silently(tmp_path: Path) -> None:
    for seed in range(1_500):
        check(tmp_path, seed)

"""Each kind of decision, by a table that asks for it: told, overruled by its option, refused if strict."""

from __future__ import annotations

import gzip
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import deltarule
from deltarule.cli import cli
from deltarule.data import ReadingOptions, load
from deltarule.data.decision_kinds import DECISIONS as ALL
from deltarule.data.decision_kinds import PICTURE_DECISIONS
from deltarule.data.table import Table
from deltarule.errors import DataFileError

DECISIONS = {name: kind for name, kind in ALL.items() if name not in PICTURE_DECISIONS}
N = 40
SHORES = ("rock", "sand", "reef")


def rows(**changed: list[str]) -> list[list[str]]:
    """Rows of width, depth, shore and kind, some columns changed."""
    columns = {
        "width": [f"{8 + (7 * row) % 23 + row / 10:.1f}" for row in range(N)],
        "depth": [f"{1 + (5 * row) % 9}.5" for row in range(N)],
        "shore": [SHORES[row * row % 3] for row in range(N)],
        "kind": [("crab", "prawn")[(7 * row) % 23 > 11] for row in range(N)],
    }
    columns |= changed
    return [list(columns), *map(list, zip(*columns.values(), strict=True))]


def text(table: list[list[str]], delimiter: str = ",") -> str:
    return "".join(delimiter.join(row) + "\n" for row in table)


def some(column: list[str], *cells: str) -> list[str]:
    return [*cells, *column[len(cells) :]]


PLAIN = rows()
WIDTH, DEPTH, SHORE, KIND = (list(column[1:]) for column in zip(*PLAIN, strict=True))

#: A file for each kind of decision, in which it is taken.
FILES: dict[str, bytes | str] = {
    "format": b"SQLite",  # made by the test
    "unpacked": gzip.compress(text(PLAIN).encode()),
    "encoding": text(rows(shore=[cell.replace("rock", "Küste") for cell in SHORE])).encode("cp1252"),
    "sheet": b"SQLite",
    "delimiter": text(PLAIN, ";"),
    "quotes": text(rows(shore=[f"'{cell}, low'" for cell in SHORE])),
    "lines": "# by hand\n" + text(PLAIN),
    "ragged": text([*PLAIN[:9], ["1.5", "2.5"], *PLAIN[9:]]),
    "lacking": b"files",
    "no-header": text(PLAIN[1:]),
    "commented-header": "# " + text(PLAIN),
    "column-name": text([["width", "width", "shore", "kind"], *PLAIN[1:]]),
    "name-matched": text([["Width ", "depth", "shore", "kind"], *PLAIN[1:]]),
    "clothes": text(rows(width=[f"${cell}" for cell in WIDTH])),
    "yes-no": text(rows(shore=["no" if cell == "rock" else "yes" for cell in SHORE])),
    "dates": text(rows(depth=[f"2024-0{1 + row % 9}-11" for row in range(N)])),
    "lists": text(rows(depth=[f'"[{row % 7}.5, {row % 5}]"' for row in range(N)])),
    "stray": text(rows(width=some(WIDTH, "30+"))),
    "sentinel": text(rows(width=some(WIDTH, "-999", "-999.0", "-999"))),
    "sentinel-target": text(rows(kind=some(WIDTH, "-999", "-999"))),
    "infinite": text(rows(width=some(WIDTH, "inf"))),
    "mixed": text(rows(width=some(["7", "8"] * 20, *["7a"] * 12))),
    "none-class": text(rows(kind=some(KIND, "None", "None", "none"))),
    "empty": text(rows(depth=[""] * N)),
    "constant": text(rows(depth=["3"] * N)),
    "counter": text([["Id", *PLAIN[0]], *([str(place), *row] for place, row in enumerate(PLAIN[1:]))]),
    "identifier": text(rows(depth=[f"S{row}" for row in range(N)])),
    "free-text": text(rows(depth=[f"this is note {row}" for row in range(N)])),
    "target": text(PLAIN),
    "task": text(rows(kind=[str(row % 17) for row in range(N)])),
    "tells-all": text(rows(shore=[f"{kind} so called" for kind in KIND])),
    "no-target": text(rows(kind=some(KIND, "", "NA"))),
    "missing-rows": text(rows(depth=some(DEPTH, "", "?"))),
    "missing": text(rows(depth=some(DEPTH, "", "?"))),
    "rare": text(rows(shore=some(SHORE, "pier"))),
    "unseen": text(rows(shore=some(SHORE, "pier"))),
    "new-label": text(rows(kind=some(KIND, "whelk"))),
}
#: What must be said beside, for the decision to be asked for.
BESIDE = {"name-matched": ["--target", "kind", "--drop", "width"], "missing-rows": ["--missing", "drop"]}
OF_MODELS = ("unseen", "new-label")


def write(folder: Path, kind: str) -> Path:
    path = folder / "rows.csv"
    if FILES[kind] == b"SQLite":
        import sqlite3

        connection = sqlite3.connect(path)
        for name in ("animals", "others")[: 1 + (kind == "sheet")]:
            connection.execute(f"CREATE TABLE {name} (width REAL, depth REAL, shore TEXT, kind TEXT)")
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", PLAIN[1:])
        connection.commit()
        connection.close()
        return path
    if kind == "lacking":
        (folder / "rows1.csv").write_text(text(PLAIN))
        (folder / "rows2.csv").write_text(text([[row[0], *row[2:]] for row in PLAIN]))
        return folder / "rows*.csv"
    content = FILES[kind]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(*arguments: object) -> list[dict[str, object]]:
    result = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["decisions"]


def model(folder: Path) -> Path:
    (folder / "plain.csv").write_text(text(PLAIN))
    path = folder / "m"
    arguments = [
        "train",
        str(folder / "plain.csv"),
        "--epochs",
        "1",
        "--test",
        "0",
        "--quiet",
        "--save",
        str(path),
    ]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    return path


def test_there_is_a_table_for_every_kind() -> None:
    assert list(FILES) == list(DECISIONS)


@pytest.mark.parametrize("kind", DECISIONS)
def test_a_decision_that_is_taken_is_told_with_what_overrules_it(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    if kind in OF_MODELS:
        decisions = told("evaluate", model(tmp_path), path)
    else:
        decisions = told("train", path, "--epochs", 1, *BESIDE.get(kind, []))
    (found,) = [decision for decision in decisions if decision["kind"] == kind]
    assert not set("{[|]}") & set(str(found["text"]))
    assert str(found["option"]).startswith("--")


@pytest.mark.parametrize("kind", [kind for kind in DECISIONS if DECISIONS[kind].fault])
def test_what_would_be_decided_is_refused_where_nothing_shall_be(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    command = ["evaluate", model(tmp_path), path] if kind in OF_MODELS else ["train", path]
    command += [] if kind in OF_MODELS else BESIDE.get(kind, [])
    result = CliRunner().invoke(cli, [*map(str, command), "--strict"])
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"deltarule: {path}")
    assert DECISIONS[kind].fault.partition("{")[0] in result.stderr


def test_a_plain_table_asks_for_no_decision_but_its_target(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(text(PLAIN))
    taken = {decision.kind for decision in load(path).decisions}
    assert taken == {"target"}
    assert load(path, target="kind", options=ReadingOptions(strict=True)).decisions == ()


#: What stands in an option for a name, and what is then left of the decision where not nothing.
NAMED = {
    "--encoding NAME": "--encoding latin-1",
    "--table NAME": "--table others",
    "--delimiter TEXT": "--delimiter ,",
    "--quote TEXT": "--quote '\"'",
    "--target NAME": "--target shore",
}
REFUSED = {"format", "unpacked", "delimiter", "lines", "name-matched", "no-target", "unseen", "new-label"}

#: What the inputs are where a decision is overruled.
OVERRULED = {
    "constant": "depth",
    "counter": "Id",
    "identifier": "depth=S0",
    "free-text": "depth=this is note 0",
    "yes-no": "shore=yes",
    "mixed": "width",
    "dates": "depth=2024-01-11",
    "rare": "shore=pier",
    "stray": "width=30+",
    "infinite": "width=inf",
    "no-header": "rock=sand",
    "commented-header": "c1",
}


@pytest.mark.parametrize("kind", DECISIONS)
def test_the_option_that_is_told_overrules_a_decision(tmp_path: Path, kind: str) -> None:
    """Run the command again with the option as it is told: it is not taken, or the file is refused."""
    path = write(tmp_path, kind)
    command = ["train", path, "--epochs", 1, *BESIDE.get(kind, [])]
    if kind in OF_MODELS:
        command = ["evaluate", model(tmp_path), path]
    (found,) = [decision for decision in told(*command) if decision["kind"] == kind]
    option = NAMED.get(str(found["option"]), str(found["option"]))
    command += shlex.split(option)
    if kind in OVERRULED and "--rare" not in option:
        command += ["--rare", 1, "--save", tmp_path / "m"]
    if "=text" in option:
        command += ["--keep", found["column"]]
    result = CliRunner().invoke(cli, [*map(str, command), "--json"])
    assert result.exit_code == 2 * (kind in REFUSED), result.output
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
    if result.exit_code:
        return
    decisions = json.loads(result.stdout)["decisions"]
    again = [item for item in decisions if (item["kind"], item["text"]) == (kind, found["text"])]
    assert again == []
    if kind in OVERRULED and kind != "rare":
        encoding = deltarule.load(tmp_path / "m").encoding
        assert encoding is not None
        assert OVERRULED[kind] in encoding.inputs.feature_names


@pytest.mark.parametrize("kind", [kind for kind in DECISIONS if kind not in (*OF_MODELS, "lacking")])
def test_what_is_told_accounts_for_every_column_and_row(tmp_path: Path, kind: str) -> None:
    """Each column is an input, the target, or told to be left out; so many rows are there as are not told."""
    missing = "drop" if kind == "missing-rows" else None
    dataset = load(write(tmp_path, kind), missing=missing)
    words = [(decision.kind, dict(decision.words)) for decision in dataset.decisions]
    left_out = {"constant", "counter", "identifier", "free-text", "empty"}
    assert isinstance(dataset.inputs, Table)
    assert dataset.inputs.origin is not None
    columns = {*dataset.inputs.origin.fields, *dataset.target_names}
    used = {name.partition(".")[0] if name in dataset.inputs.forms else name for name in dataset.inputs.names}
    gone = {item["column"] for name, item in words if name in left_out}
    assert used | gone | set(dataset.target_names) <= columns
    assert not used & gone
    n_gone = sum(item["count"] for name, item in words if name in ("no-target", "missing-rows", "ragged"))
    assert len(dataset) == N + (kind == "ragged") - n_gone


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text(rows(width=some(WIDTH, "30+"), kind=some(KIND, "", ""), depth=some(DEPTH, "x"))))
    with pytest.raises(DataFileError) as caught:
        load(path, options=ReadingOptions(strict=True))
    lines = str(caught.value).splitlines()
    assert [line.removeprefix(str(path)).split(": ")[0] for line in lines] == [":2:1", ":2:2", ":2:4"]

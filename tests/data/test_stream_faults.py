"""What can be wrong with a stream is one clear message, and leaves nothing behind."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import deltarule as dr
from deltarule.cli import cli
from deltarule.data import stream
from deltarule.data.streams.memory import Budget, as_bytes

N = 600
rng = np.random.default_rng(1)


def columns(**others):
    a, b = rng.standard_normal((2, N))
    return {"a": a, "b": b, "y": a + b} | others


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "pq":
        pq.write_table(pa.table(columns()), f"{name}.parquet", row_group_size=150, compression="none")
    return tmp_path


def trained(rows, **settings):
    return dr.train(dr.Network([2, 3, 1], seed=0), rows, epochs=3, **settings)


def write(name, found):
    pq.write_table(pa.table(found), name)


def spoil(name):
    """Overwrite the head of a page in the second row group."""
    start = pq.ParquetFile(name).metadata.row_group(1).column(0).data_page_offset
    with open(name, "r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 64)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: stream("none/*.parquet"), "no file matches this pattern: there is no folder none"),
        (lambda: stream("x*.csv"), "no file matches this pattern"),
        (lambda: stream("?.parquet", "z"), "there is no column 'z'; choose from: a, b, y"),
        (lambda: stream("?.parquet", memory="10MB"), "memory='10MB' is too little: .* at least '320MB'"),
        (lambda: stream("?.parquet", memory="much"), "memory must be an amount such as '512MB'"),
        (lambda: stream("?.parquet", label="y"), "has no 'label': write target='y'|choose from"),
        (lambda: stream("?.parquet", options=dr.data.ReadingOptions(table="t")) and stream(3), "got int"),
        (lambda: trained(stream("?.parquet", "y", window=10)), "window=10 rows is smaller than a batch"),
        (lambda: trained(stream(columns() for _ in range(2))), "can be iterated over only once"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(folder, make, message):
    with pytest.raises(dr.InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"b": ["text"] * N}, "column 'b' is string, but double in p.parquet"),
    ],
)
def test_files_that_differ_are_named(folder, others, message):
    write("r.parquet", columns(**others))
    with pytest.raises(dr.DataFileError, match=f"r.parquet: {message}"):
        stream("?.parquet", "y")


def test_a_file_of_another_table_is_refused(folder):
    write("r.parquet", {"name": np.arange(N), "y": np.arange(N)})
    with pytest.raises(dr.DataFileError, match="its columns are 'name', 'y', but those of p"):
        stream("?.parquet", "y")


def test_a_damaged_row_group_is_named(folder):
    spoil("q.parquet")
    with pytest.raises(dr.DataFileError, match=r"q\.parquet: row group 2 cannot be read"):
        len(stream("?.parquet", "y"))


def test_packed_lines_that_end_early_are_named(folder):
    lines = "".join(f'{{"a": {row}, "y": {row * row % 7}}}\n' for row in range(N)).encode()
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress(lines)[:-40])
    with pytest.raises(dr.DataFileError, match=r"rows\.jsonl\.gz: cannot be read"):
        len(stream("rows.jsonl.gz", "y"))


def test_an_empty_file_is_named(folder):
    (folder / "r.parquet").touch()
    with pytest.raises(dr.DataFileError, match=r"r\.parquet: the file is empty"):
        stream("?.parquet", "y")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: os.remove("q.parquet"), "q.parquet: it no longer exists"),
        (lambda: write("q.parquet", columns(c=columns()["a"])), "the file changed while it was in use"),
    ],
)  # fmt: skip
def test_a_file_that_vanishes_or_changes_between_epochs_is_named(folder, change, message):
    once = [change]
    with pytest.raises(dr.DataFileError, match=message):
        trained(stream("?.parquet", "y", window=64), callbacks=[lambda run: once and once.pop()()])


def test_rows_without_a_target_are_told_or_refused(folder):
    found = columns()
    found["y"][::6] = np.nan
    write("r.parquet", found)
    rows = stream("r.parquet", "y")
    assert len(rows) == N - 100
    assert [item.text for item in rows.decisions] == ["100 rows without a target are left out"]
    with pytest.raises(dr.DataFileError, match="target"):
        stream("r.parquet", "y", missing="refuse")
    found["y"][:] = np.nan
    write("r.parquet", found)
    with pytest.raises(dr.DataFileError, match="all its cells are missing"):
        stream("r.parquet", "y")


def test_too_little_memory_for_a_batch_says_the_least():
    with pytest.raises(dr.InputError, match="a batch of 500 rows takes 80 MB, too much") as caught:
        Budget(320_000_000).window_rows(160_000, 500)
    least = str(caught.value).split("'")[1]
    assert Budget(as_bytes(least)).window_rows(160_000, 500) == 500


def test_rows_of_another_width_are_told(folder):
    lines = [f"{i % 7},{i % 5},{i * 0.5}" for i in range(300)]
    (folder / "rows.csv").write_text("\n".join(["a,b,y", *lines, "1,2", *lines]))
    rows = stream("rows.csv", "y")
    assert len(rows) == 600
    assert "1 row has a different number of cells" in " ".join(item.text for item in rows.decisions)


def test_the_command_line_says_it_in_a_line_and_writes_nothing(folder):
    spoil("q.parquet")
    result = CliRunner().invoke(
        cli, ["train", "?.parquet", "--target", "y", "--memory", "320MB", "--save", "m"]
    )
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("deltarule: q.parquet: row group 2 cannot be read")
    assert not (folder / "m").exists()


def test_answers_go_to_a_file_whole_or_not_at_all(folder):
    model = dr.experiment("p.parquet", "y", epochs=1, hidden=2).model
    count, _ = model.write_answers("all.csv", "?.parquet")
    plain = np.concatenate([model.predict(f"{name}.parquet")["y"] for name in "pq"])
    assert count == 2 * N
    assert np.array_equal(np.loadtxt("all.csv", skiprows=1), plain)
    assert model.evaluate("?.parquet").predictions.true.tolist() == [
        y for name in "pq" for y in pq.read_table(f"{name}.parquet")["y"].to_pylist()
    ]
    before = (folder / "all.csv").read_bytes()
    spoil("q.parquet")
    with pytest.raises(dr.DataFileError):
        model.write_answers("all.csv", "?.parquet")
    assert (folder / "all.csv").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["all.csv", "p.parquet", "q.parquet"]


@pytest.mark.parametrize("more", [-50, 50])
def test_batches_that_are_others_the_second_time_are_refused(more):
    times = []

    def batches():
        times.append(1)
        size = N if len(times) <= 3 else N + more
        yield {"a": np.arange(size) % 7.0, "b": np.arange(size) % 5.0, "y": np.arange(size) * 0.5}

    with pytest.raises(dr.InputError, match="gave different rows than before, when there were 600"):
        trained(stream(batches, "y", window=128))


@pytest.mark.parametrize("read", [dr.datasets.load, lambda url: dr.datasets.stream(url, target="y")])
def test_a_database_that_is_not_there_is_not_made(tmp_path, read):
    with pytest.raises(dr.DataFileError, match="no such file"):
        read(f"sqlite:///{tmp_path}/missing.db::t")
    assert not list(tmp_path.iterdir())

"""Streams of every kind give the rows that loading their files gives, and say what is wrong with them."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import deltarule as dr
from deltarule.cli import cli
from deltarule.data import load, stream
from deltarule.data.encoding import fit_encoding

N = 900
rng = np.random.default_rng(5)
COLUMNS = {
    "size": rng.standard_normal(N).round(3),
    "year": rng.integers(1990, 2020, N).astype(float),
    "colour": rng.choice(["red", "green", "deep, blue"], N),
    "price": rng.standard_normal(N).round(3),
}
COLUMNS["size"][::50] = np.nan


def csv_lines(columns=COLUMNS):
    quoted = {
        name: [f'"{v}"' if "," in str(v) else "" if v != v else str(v) for v in c]
        for name, c in columns.items()
    }
    return "\n".join([",".join(columns), *map(",".join, zip(*quoted.values(), strict=True))]) + "\n"


def write_parquet(path, columns=COLUMNS, rows=200):
    pq.write_table(pa.table(columns), path, row_group_size=rows)


def in_parts(folder, write):
    for number in range(3):
        write(
            folder / f"part{number}",
            {name: c[number * 300 : (number + 1) * 300] for name, c in COLUMNS.items()},
        )


def parquet(folder):
    in_parts(folder, lambda path, part: write_parquet(f"{path}.parquet", part, 70))
    return str(folder / "*.parquet")


def csv(folder):
    in_parts(folder, lambda path, part: path.with_suffix(".csv").write_text(csv_lines(part)))
    return str(folder / "*.csv")


def packed(folder):
    (folder / "rows.csv.gz").write_bytes(gzip.compress(csv_lines().encode()))
    return str(folder / "rows.csv.gz")


def folder_of_arrow(folder):
    table = pa.table(COLUMNS)
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, 128)
    return str(folder)


def address(folder):
    parquet(folder)
    return f"file://{folder}/part*.parquet"


def database(folder):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{folder}/rows.db"
    with sqlalchemy.create_engine(url).begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE t (size REAL, year REAL, colour TEXT, price REAL)"))
        values = [
            {
                name: None if c[i] != c[i] else c[i].item() if name != "colour" else str(c[i])
                for name, c in COLUMNS.items()
            }
            for i in range(N)
        ]
        statement = sqlalchemy.text("INSERT INTO t VALUES (:size, :year, :colour, :price)")
        connection.execute(statement, values)
    return f"{folder}/rows.db::t"


def batches(folder):
    def make():
        for start in range(0, N, 250):
            yield {name: c[start : start + 250] for name, c in COLUMNS.items()}

    return make


@pytest.mark.parametrize("source", [parquet, csv, packed, folder_of_arrow, address, database, batches])
def test_a_stream_holds_the_rows_that_loading_gives(source, tmp_path):
    (tmp_path / "whole").mkdir()
    write_parquet(tmp_path / "whole" / "all.parquet")
    expected = load(tmp_path / "whole" / "all.parquet", target="price")
    (tmp_path / "data").mkdir()
    rows = stream(source(tmp_path / "data"), "price")
    found = rows.load()
    assert found.inputs.names == expected.inputs.names
    for name in expected.inputs.names:
        assert np.array_equal(
            found.inputs.column(name), expected.inputs.column(name), equal_nan=name != "colour"
        )
    assert np.array_equal(found.target, expected.target)
    assert rows.encoding == fit_encoding(expected, missing="median")
    assert len(rows) == N


def test_the_experiment_of_what_fits_is_that_of_the_file(tmp_path):
    write_parquet(tmp_path / "rows.parquet")
    plain = dr.experiment(tmp_path / "rows.parquet", "price", epochs=2, hidden=3)
    streamed = dr.experiment(tmp_path / "rows.parquet", "price", epochs=2, hidden=3, memory="1GB")
    assert np.array_equal(plain.net.parameters, streamed.net.parameters)
    assert plain.to_dict()["test"] == streamed.to_dict()["test"]


def test_moments_of_a_pass_are_those_of_all_numbers(tmp_path):
    dataset = load(_written(tmp_path), target="price")
    whole = fit_encoding(dataset, missing="mean")
    fitting = dr.data.encoding.EncodingFit(scale="standard", missing="mean", most=10)
    for start in range(0, N, 90):
        fitting.add(dataset.take(np.arange(start, start + 90)))
    for ours, theirs in zip(fitting.encoding().inputs.columns, whole.inputs.columns, strict=True):
        for name in ("shift", "scale", "fill"):
            if not isinstance(getattr(theirs, name, None), str | None):
                assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-12)


def _written(folder):
    write_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def test_the_command_line_trains_and_goes_on_in_little_memory(tmp_path):
    pattern, common = parquet(tmp_path), ["--target", "price", "--hidden", "3", "--seed", "2"]
    common += ["--schedule", "constant", "--memory", "320MB"]
    run = CliRunner().invoke
    for name, epochs in (("whole", "4"), ("half", "2")):
        files = ["--save", f"{tmp_path}/{name}", "--checkpoint", f"{tmp_path}/{name}.c"]
        made = run(cli, ["train", pattern, *common, "--epochs", epochs, *files])
        assert made.exit_code == 0, made.output
    files = ["--resume", f"{tmp_path}/half.c", "--save", f"{tmp_path}/resumed"]
    more = run(cli, ["train", pattern, *common, "--epochs", "4", *files])
    assert more.exit_code == 0, more.output
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()

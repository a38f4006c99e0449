"""Streams of every kind give the rows that loading their files gives, and say what is wrong with them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

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
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
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
    engine.dispose()
    return f"{folder}/rows.db::t"


def batches(folder):
    def make():
        for start in range(0, N, 250):
            yield {name: c[start : start + 250] for name, c in COLUMNS.items()}

    return make


def query(folder):
    return database(folder).removesuffix("t") + "\n WITH a AS (SELECT * FROM t) SELECT * FROM a"


def packed_json(folder):
    records = [
        {name: str(c[i]) if name == "colour" else c[i].item() for name, c in COLUMNS.items()}
        for i in range(N)
    ]
    lines = "".join(json.dumps(record).replace("NaN", "null") + "\n" for record in records)
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return str(folder / "rows.jsonl.gz")


def archive(folder):
    with zipfile.ZipFile(folder / "rows.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("data/rows.csv", csv_lines())
        zipped.writestr("data/README.md", "rows of things")
    return str(folder / "rows.zip")


def arrow_dataset(folder):
    import pyarrow.dataset

    parquet(folder)
    return pyarrow.dataset.dataset(folder)


@pytest.mark.parametrize(
    "source",
    [
        parquet,
        csv,
        packed,
        folder_of_arrow,
        address,
        database,
        query,
        batches,
        packed_json,
        archive,
        arrow_dataset,
    ],
)
def test_a_stream_holds_the_rows_that_loading_gives(source, tmp_path):
    (tmp_path / "whole").mkdir()
    write_parquet(tmp_path / "whole" / "all.parquet")
    (tmp_path / "data").mkdir()
    _check_same(
        stream(source(tmp_path / "data"), "price"), load(tmp_path / "whole" / "all.parquet", target="price")
    )


def _check_same(rows, expected):
    found = rows.load()
    assert found.inputs.names == expected.inputs.names
    for name in expected.inputs.names:
        assert np.array_equal(
            found.inputs.column(name), expected.inputs.column(name), equal_nan=name != "colour"
        )
    assert np.array_equal(found.target, expected.target)
    assert rows.encoding == fit_encoding(expected, missing="median")
    assert len(rows) == N


def test_folders_that_name_columns_lists_and_dates_are_read_as_in_one_file(tmp_path):
    columns = {
        "day": np.datetime64("2024-01-30") + np.arange(N) // 7,
        "seen": np.arange(N).astype("datetime64[h]").astype("datetime64[s]"),
        "shape": pa.array((rng.integers(0, 9, (N, 3)) / 4).tolist()),
        "price": COLUMNS["price"],
        "year": np.repeat([2021, 2022, 2023], N // 3),
        "colour": np.repeat(["red", "a/b", "red"], N // 3),
    }
    whole = pa.table(columns)
    pq.write_table(whole, tmp_path / "whole.parquet")
    for number, (year, colour) in enumerate([(2021, "red"), (2022, "a%2Fb"), (2023, "red")]):
        folder = tmp_path / "parts" / f"year={year}" / f"colour={colour}"
        folder.mkdir(parents=True)
        part = whole.slice(number * N // 3, N // 3).drop_columns(["year", "colour"])
        pq.write_table(part, folder / "0.parquet", row_group_size=70)
    rows = stream(tmp_path / "parts", "price")
    _check_same(rows, load(tmp_path / "whole.parquet", target="price"))
    assert {"day.month", "seen.hour", "shape.3", "year", "colour"} <= set(rows.inputs.names)
    assert "day.hour" not in rows.encoding.inputs.feature_names
    assert {item.kind for item in rows.decisions} == {"lists", "dates"}


def test_columns_that_only_some_files_have_are_missing_in_the_others(tmp_path):
    write_parquet(tmp_path / "a.parquet", {name: COLUMNS[name] for name in ("year", "price", "size")})
    write_parquet(tmp_path / "b.parquet", COLUMNS | {"colour": pa.nulls(N)})
    write_parquet(tmp_path / "c.parquet")
    rows = stream(tmp_path, "price")
    found = rows.load()
    assert found.inputs.missing("colour").tolist() == [True] * 2 * N + [False] * N
    told = [item.text for item in rows.decisions if item.kind == "lacking"]
    assert told == [
        f"1 file does not have column 'colour', whose cells count as missing there: {tmp_path}/a.parquet"
    ]
    assert dr.train(dr.Network([rows.n_inputs, 3, 1], seed=0), rows, epochs=1).epochs == 1


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


def pictures(folder, number=60):
    from PIL import Image

    for label in "07":
        (folder / label).mkdir()
        for place in range(number):
            pixels = rng.integers(0, 200, (6, 5)).astype(np.uint8) + np.uint8(50 * (label == "7"))
            Image.fromarray(pixels).save(folder / label / f"{place:03}.png")
    return folder


def idx_files(folder):
    images, labels = (
        rng.integers(0, 256, (200, 4, 3)).astype(np.uint8),
        rng.integers(0, 3, 200).astype(np.uint8),
    )
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / name).write_bytes(head + array.tobytes())
    return folder


@pytest.mark.parametrize("make", [pictures, idx_files])
def test_a_stream_of_pictures_holds_what_loading_gives(make, tmp_path):
    folder = make(tmp_path)
    expected, rows = load(folder), stream(folder)
    found = rows.load()
    assert np.array_equal(found.inputs, expected.inputs)
    assert found.target.tolist() == expected.target.tolist()
    assert rows.classes == expected.classes
    assert rows.encoding == fit_encoding(expected)
    net = dr.Network(
        [rows.n_inputs, 4, rows.n_outputs], output="softmax" if rows.n_outputs > 1 else "sigmoid"
    )
    assert np.isfinite(dr.train(net, stream(folder, window=64), epochs=1)["loss"]).all()


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_in_files_are_read_in_either_order(order, tmp_path):
    X, y = rng.standard_normal((500, 3)), rng.standard_normal(500)
    np.save(tmp_path / "X.npy", np.asarray(X, order=order))
    np.save(tmp_path / "y.npy", y)
    found = stream(tmp_path / "X.npy", str(tmp_path / "y.npy")).load()
    assert np.array_equal(found.X, X)
    assert np.array_equal(found.y, y)


def test_cells_with_line_breaks_are_not_cut(tmp_path, monkeypatch):
    from deltarule.data.streams import text

    monkeypatch.setattr(text, "_GROUP", 400)
    monkeypatch.setattr(text, "_READ", 64)
    notes = [f'"line {i}\nand, more"' if i % 3 else "plain" for i in range(200)]
    lines = [f"{i % 7},{note},{i * 0.5}" for i, note in enumerate(notes)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,note,y", *lines]))
    rows = stream(tmp_path / "rows.csv", "y", keep="note")
    assert len(rows.source.groups) > 5
    assert [part for found in rows.rows() for part in found.y] == [i * 0.5 for i in range(200)]
    texts = [text for found in rows.rows() for text in found.inputs.column("note")]
    assert texts == [note.strip('"') for note in notes]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the system tells how much memory was taken")
def test_memory_does_not_grow_with_the_data(tmp_path):
    """Data of ten times what rows may take; the program is limited by the system where it can be."""
    rows, width = 1_000_000, 80
    with pq.ParquetWriter(
        tmp_path / "rows.parquet", pa.schema([(f"f{i}", "float32") for i in range(width)])
    ) as file:
        for _ in range(rows // 50_000):
            X = rng.standard_normal((50_000, width), np.float32)
            file.write_table(pa.table({f"f{i}": X[:, i] for i in range(width)}))
    program = (
        "import re, sys, deltarule as dr;"
        "rows = dr.datasets.stream(sys.argv[1], 'f0', memory='320MB');"
        "net = dr.Network([rows.n_inputs, 4, 1], dtype='float32', seed=0);"
        "dr.train(net, rows, epochs=1, batch_size=1024, engine='reference');"
        "print(len(rows), *re.findall(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read()))"
    )
    group = Path(f"/sys/fs/cgroup/memory/{tmp_path.parent.name}-{tmp_path.name}")
    limited = f"echo $$ > {group}/cgroup.procs && " if _limited(group, 320_000_000) else ""
    command = f'{limited}exec "$0" -c "$1" "$2"'
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command, sys.executable, program, str(tmp_path / "rows.parquet")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        if limited:
            group.rmdir()
    assert done.returncode == 0, done.stderr
    count, peak = map(int, done.stdout.split())
    assert count == rows
    assert peak < 320_000


def _limited(group, size):
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(size))
    except OSError:
        return False
    return True

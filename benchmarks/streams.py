"""``python -m benchmarks.streams``: data that are read again in every epoch, beside arrays and PyTorch.

``speed`` writes a Parquet file (20 columns of float32, row groups of 25,000 rows), then trains the same
network on it, 20-200-80-1 in batches of 128, in turns: from arrays in memory, from a stream, and with
PyTorch's ``DataLoader`` over an ``IterableDataset`` that reads the same file with
``ParquetFile.iter_batches``, encodes and shuffles windows of the same size. The file is in the page cache.
``memory`` writes a file ten times as large as a limit, which the system enforces (a cgroup of Linux, where it
can be made); trains on it, is killed, goes on to the end, predicts all its rows, and prints peaks of memory.

PyTorch has a Python of its own: ``--torch PYTHON``, in which pyarrow is installed too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

__all__ = ["main"]

_COLUMNS = 20
_BATCH = 128
_WINDOW = 49_920  # rows: whole batches

_TORCH = """
import json, sys, time
import numpy as np, pyarrow.parquet as pq, torch
path, window, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads); torch.manual_seed(0); rng = np.random.default_rng(0)
mean, scale = np.load(path + ".scaling.npy").astype(np.float32)

class Rows(torch.utils.data.IterableDataset):
    def __iter__(self):
        file, xs, ys, held = pq.ParquetFile(path), [], [], 0
        for group in rng.permutation(file.num_row_groups):
            for part in file.iter_batches(65536, row_groups=[int(group)], use_threads=False):
                columns = [column.to_numpy() for column in part.columns]
                xs.append((np.column_stack(columns[:-1]) - mean) / scale)
                ys.append(columns[-1].astype(np.float32))
                held += len(ys[-1])
            if held >= window:
                yield from self.mixed(xs, ys); xs, ys, held = [], [], 0
        if held:
            yield from self.mixed(xs, ys)
    def mixed(self, xs, ys):
        x, y = np.concatenate(xs), np.concatenate(ys)
        order = rng.permutation(len(y))
        for start in range(0, len(y), batch):
            rows = order[start : start + batch]
            yield torch.from_numpy(x[rows]), torch.from_numpy(y[rows, None])

net = torch.nn.Sequential(
    torch.nn.Linear(20, 200), torch.nn.ReLU(), torch.nn.Linear(200, 80), torch.nn.ReLU(),
    torch.nn.Linear(80, 1),
)
optimizer, loss = torch.optim.Adam(net.parameters(), 1e-3), torch.nn.BCEWithLogitsLoss()
loader = torch.utils.data.DataLoader(Rows(), batch_size=None, num_workers=int(sys.argv[5]))
for line in sys.stdin:
    start, n = time.perf_counter(), 0
    for x, y in loader:
        optimizer.zero_grad(); value = loss(net(x), y); value.backward(); optimizer.step(); n += len(y)
    print(json.dumps([n, time.perf_counter() - start]), flush=True)
"""


def write_rows(path: Path, n_rows: int, n_columns: int = _COLUMNS) -> None:
    """Write rows of normal numbers, and whether a product of two of them is positive."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, writer = np.random.default_rng(0), None
    for start in range(0, n_rows, 100_000):
        X = rng.standard_normal((min(100_000, n_rows - start), n_columns), np.float32)
        named = {f"f{place}": X[:, place] for place in range(n_columns)}
        table = pa.table(named | {"y": (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, 25_000)
    if writer is not None:
        writer.close()


@click.group()
def main() -> None:
    """Measure streams."""


@main.command()
@click.option("--rows", default=1_000_000)
@click.option("--rounds", default=5)
@click.option("--torch", "python", default="", help="A Python with PyTorch and pyarrow.")
@click.option("--torch-path", default="", help="What its PYTHONPATH is to be.")
def speed(rows: int, rounds: int, python: str, torch_path: str) -> None:
    """Rows a second from arrays, from a stream, and from PyTorch's DataLoader, in turns."""
    import deltarule as dr

    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        write_rows(path, rows)
        stream = dr.datasets.stream(path, "y", window=_WINDOW)
        columns: Any = stream.encoding.inputs
        np.save(
            f"{path}.scaling.npy", [[c.shift for c in columns.columns], [c.scale for c in columns.columns]]
        )
        X, Y = stream.encoding.encode(dr.datasets.load(path, target="y"), 1, np.float32)
        peers = {"torch": 0, "torch, a worker": 1} if python else {}
        processes = {
            name: subprocess.Popen(
                [python, "-c", _TORCH, str(path), str(_WINDOW), str(_BATCH), str(threads), str(workers)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | {"PYTHONPATH": torch_path},
            )
            for name, workers in peers.items()
        }  # fmt: skip
        found: dict[str, list[float]] = {}
        for number in range(rounds + 1):  # the first warms up
            for name in ("arrays", "stream", *processes):
                seconds = _epoch(name, processes.get(name), stream, X, Y)
                if number:
                    found.setdefault(name, []).append(rows / seconds)
                    click.echo(f"{name:16}{rows / seconds:12,.0f} rows/s")
        for process in processes.values():
            process.communicate()
    for name, rates in found.items():
        ratios = [rate / other for rate, other in zip(rates, found["arrays"], strict=True)]
        click.echo(f"{name:16}median {median(rates):10,.0f} rows/s, {median(ratios):.2f} of the arrays'")


def _epoch(name: str, process: Any, stream: Any, X: Any, Y: Any) -> float:
    """Seconds of an epoch."""
    import deltarule as dr

    if process is not None:
        process.stdin.write("\n")
        process.stdin.flush()
        return float(json.loads(process.stdout.readline())[1])
    net = dr.Network([_COLUMNS, 200, 80, 1], output="sigmoid", dtype="float32", seed=0)
    data = (stream,) if name == "stream" else (X, Y)
    return dr.train(net, *data, epochs=1, batch_size=_BATCH, engine="compiled").seconds


@main.command()
@click.option("--limit", default=320, help="Megabytes.")
@click.option("--columns", default=200)
@click.option("--file", "path", default="", help="A file that is there already.")
def memory(limit: int, columns: int, path: str) -> None:
    """Train, go on after being killed, and predict, on ten times what a limit of the system allows."""
    with tempfile.TemporaryDirectory() as folder, _Limit(limit * 10**6) as group:
        if not path:
            path = str(Path(folder, "rows.parquet"))
            writing = [sys.executable, "-m", "benchmarks.streams", "write", path]
            n_rows = 10 * limit * 10**6 // (4 * columns)
            subprocess.run([*writing, str(n_rows), str(columns)], check=True)
        click.echo(f"{os.path.getsize(path) / 1e6:,.0f} MB under a limit of {limit} MB; {group.told}")
        within, kept = f"--memory {limit}MB".split(), Path(folder, "run.ckpt")
        train = ["train", path, *within, "--target", "y", "--hidden", "8", "--epochs", "1"]
        train += ["--batch-size", "1024", "--every", "0.2", "--quiet"]
        group.run("trains, killed on the way", *train, "--checkpoint", str(kept), until=kept)
        group.run("goes on to the end", *train, "--resume", str(kept), "--save", f"{folder}/m")
        answers = f"{folder}/answers.csv"
        group.run("predicts to a file", "predict", f"{folder}/m", path, *within, "--out", answers)
        with open(answers, "rb") as file:
            click.echo(f"{sum(1 for _ in file) - 1:,} answers")


@main.command()
@click.argument("path")
@click.argument("n_rows", type=int)
@click.argument("n_columns", type=int)
def write(path: str, n_rows: int, n_columns: int) -> None:
    """Write a Parquet file of N_ROWS rows of N_COLUMNS numbers."""
    write_rows(Path(path), n_rows, n_columns)


class _Limit:
    """Programs under a limit of memory: a cgroup where one can be made, else nothing is enforced."""

    def __init__(self, size: int) -> None:
        self.size, self.path = size, Path(f"/sys/fs/cgroup/memory/deltarule{os.getpid()}")
        self.told = "no limit could be set: only the peak is measured"

    def __enter__(self) -> _Limit:
        try:
            self.path.mkdir()
            (self.path / "memory.limit_in_bytes").write_text(str(self.size))
            self.told = "enforced by a cgroup"
        except OSError:
            self.path = Path()
        return self

    def run(self, what: str, *arguments: str, until: Path | None = None) -> None:
        """Run the command line under the limit, killed once a file is there; print time, peak and status."""
        start, peak = time.perf_counter(), 0
        command = [sys.executable, "-m", "deltarule", *arguments]
        process = subprocess.Popen(command, preexec_fn=self._enter, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            with suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peak = max([peak, *(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)])
            if until is not None and until.exists():
                process.kill()
            time.sleep(0.2)
        click.echo(
            f"{what:28}{time.perf_counter() - start:6.0f} s, peak {peak / 1000:,.0f} MB, "
            f"exit {process.returncode}"
        )

    def _enter(self) -> None:
        """Put the process that calls this under the limit."""
        if self.path.name:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def __exit__(self, *args: object) -> None:
        if self.path.name:
            self.path.rmdir()


if __name__ == "__main__":
    main()

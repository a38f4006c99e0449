"""``python -m benchmarks.workers``: what many workers cost on this machine, and would cost on others.

Trainings are timed in turns, each a process or an MPI job of its own: by the clock, and by the processor,
which does not count what else the machine does. The table says how long an update takes on more machines than
there are here, from the processor's time of a row as measured and a model of the network.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from typing import Any

import click
import numpy as np

#: As ``nn.engines.shard_gradients`` and ``training.workers.mpi`` have them.
MOST_PIECES, LEAST_BYTES = 4, 4096
N_PARAMETERS = 784 * 200 + 200 + 200 * 80 + 80 + 80 * 10 + 10
ROWS = 32_768
#: Seconds of a message, and bytes a second, between two machines.
NETWORKS = {"10 GbE": (30e-6, 1.25e9), "100 Gb InfiniBand": (2e-6, 12.5e9)}


def train_here(workers: Any, batch_size: int, engine: str, epochs: int) -> list[float]:
    """Train 784-200-80-10 on random rows; return the best epoch's seconds, by the clock and the processor."""
    import deltarule as dr

    rng = np.random.default_rng(0)
    X, Y = (
        rng.random((ROWS, 784), dtype=np.float32),
        np.eye(10, dtype=np.float32)[rng.integers(10, size=ROWS)],
    )
    net = dr.Network([784, 200, 80, 10], output="softmax", dtype="float32", seed=1)
    times = [(time.perf_counter(), time.process_time())]
    dr.train(net, X, Y, epochs=epochs, batch_size=batch_size, engine=engine, workers=workers,
             callbacks=[lambda run: times.append((time.perf_counter(), time.process_time()))])  # fmt: skip
    best: list[float] = np.diff(times, axis=0)[1:].min(axis=0).tolist()
    return best


def time_pieces(engine: str) -> float:
    """Seconds of the processor in which a shard's last pieces are computed, all but the first."""
    import deltarule as dr
    from deltarule.nn.engines.contract import Samples
    from deltarule.nn.engines.shards import SHARD_ROWS, ShardedBatch, ShardSums

    X, Y = np.random.default_rng(0).random((SHARD_ROWS, 784), dtype=np.float32), np.eye(10, dtype=np.float32)
    net = dr.Network([784, 200, 80, 10], output="softmax", dtype="float32", seed=1)
    batch, parts = ShardedBatch(np.arange(SHARD_ROWS), 1, 0), np.empty((1, net.parameters.size), np.float32)
    times = []
    with ShardSums.of(engine, net, Samples(X, Y[np.arange(SHARD_ROWS) % 10], None), SHARD_ROWS) as sums:
        for _ in range(200):
            computed = sums.sum_by_pieces(batch, [(0, 1)], parts)
            next(computed)
            start = time.process_time()
            for _ in computed:
                pass
            times.append(time.process_time() - start)
    return statistics.median(times)


def time_allreduce() -> dict[str, float]:
    """Time MPI's own sum of the parameters, and ours, which keeps the order of the tree: seconds each."""
    from mpi4py import MPI

    from deltarule.nn.engines.shards import branches_of
    from deltarule.training.workers.mpi import UnderWay, add_parts

    comm = MPI.COMM_WORLD
    cuts = branches_of(1 << math.ceil(math.log2(comm.size)), comm.size)
    parts = np.ones((len(cuts[comm.rank]), 2 * N_PARAMETERS), np.float32)  # 1.39 MB
    out, counts = np.empty_like(parts[0]), [len(own) for own in cuts]
    cut = [each for own in cuts for each in own]

    def add() -> None:
        with UnderWay() as under_way:
            under_way.add(add_parts(comm, parts, counts, cut, out))

    times: dict[str, list[float]] = {"MPI's": [], "ours": []}
    for _ in range(200):
        for name, call in (("MPI's", lambda: comm.Allreduce(parts[0], out)), ("ours", add)):
            comm.Barrier()
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def in_process(ranks: int, *arguments: object) -> Any:
    """Run this file's own part in a process of its own, or as an MPI job; return what it printed as JSON."""
    command = [sys.executable, "-m", "benchmarks.workers", "--part", json.dumps(arguments)]
    if ranks:
        folders = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
        launcher = shutil.which("mpiexec", path=folders)
        if launcher is None:
            raise click.ClickException('needs mpiexec: pip install -e ".[mpi]"')
        command = [launcher, "-n", str(ranks), *command]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | root)
    return json.loads(found.stdout)


def exchange_seconds(n_workers: int, latency: float, bandwidth: float) -> float:
    """Seconds in which so many workers sum the gradient: each sends its parts of all ranges, then its sum.

    2·(P − 1) messages at a tenth of their latency each, since they overlap, two latencies, and twice
    (P − 1)/P of the bytes.
    """
    if n_workers == 1:
        return 0.0
    messages, size = 2 * (n_workers - 1), 4 * N_PARAMETERS
    return 2 * latency + messages * latency / 10 + 2 * size * (1 - 1 / n_workers) / bandwidth


def seen_seconds(n_workers: int, latency: float, bandwidth: float, hidden: float) -> float:
    """What a worker waits for of an exchange, all but its last piece hidden behind ``hidden`` seconds."""
    whole = exchange_seconds(n_workers, latency, bandwidth)
    n_pieces = min(MOST_PIECES, max(1, 4 * N_PARAMETERS // (LEAST_BYTES * n_workers)))
    return max(whole / n_pieces, whole - hidden) if n_pieces > 1 else whole


def model_table(seconds_of_a_row: float, hidden: float) -> str:
    """Efficiency of 1 to 1,000 workers whose batches grow with them, as Markdown."""
    heads = [f"{name}, {rows:,} rows each" for name in NETWORKS for rows in (256, 4096)]
    lines = ["| workers | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    for n in (1, 2, 8, 64, 256, 1000):
        cells = []
        for latency, bandwidth in NETWORKS.values():
            exchange = seen_seconds(n, latency, bandwidth, hidden)
            for computing in (256 * seconds_of_a_row, 4096 * seconds_of_a_row):
                cells.append(f"{exchange * 1e3:.2f} ms, {computing / (computing + exchange):.0%}")
        lines.append(f"| {n:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--engine", default="compiled", show_default=True)
@click.option("--batch-size", type=click.IntRange(64), default=4096, show_default=True)
@click.option("--part", hidden=True)
def main(rounds: int, engine: str, batch_size: int, part: str | None) -> None:
    """Time one and two workers, and the exchange, beside what needs neither; print tables."""
    if part is not None:
        what, *given = json.loads(part)
        call = {"allreduce": time_allreduce, "pieces": time_pieces, "train": train_here}[what]
        found = call(*given)
        if os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("PMI_RANK", "0")) == "0":
            click.echo(json.dumps(found))
        return
    kinds: dict[str, tuple[int, Any]] = {
        "threads (no workers)": (0, None), "one worker, no MPI": (0, 1), "one rank": (1, "mpi"),
        "two ranks": (2, "mpi"), "two processes of its own": (0, 2),
    }  # fmt: skip
    times: dict[str, list[list[float]]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, (ranks, workers) in kinds.items():
            times[name].append(in_process(ranks, "train", workers, batch_size, engine, 6))
    medians = {name: np.median(found, axis=0).tolist() for name, found in times.items()}
    click.echo(f"784-200-80-10, float32, Adam, batches of {batch_size:,}, {engine} engine, {ROWS:,} rows\n")
    for name, (seconds, busy) in medians.items():
        ratio = medians["threads (no workers)"][0] / seconds
        click.echo(f"{name:26}{seconds:.3f} s   {ratio:.2f} × the threads' speed   processor {busy:.3f} s")
    overhead = medians["one rank"][1] / medians["one worker, no MPI"][1] - 1
    click.echo(f"\none rank beside one worker without MPI, time of the processor: {overhead:+.1%}")
    sums = {name: f"{seconds * 1e3:.2f} ms" for name, seconds in in_process(2, "allreduce").items()}
    click.echo(f"sum of 1.39 MB, two ranks: {sums}")
    of_a_row, hidden = medians["one worker, no MPI"][1] / ROWS, in_process(0, "pieces", engine)
    click.echo(
        f"\nModel of one-core workers: {of_a_row * 1e6:.1f} µs a row; {hidden * 1e3:.2f} ms hide messages\n"
    )
    click.echo(model_table(of_a_row, hidden))


if __name__ == "__main__":
    main()

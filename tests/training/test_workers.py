"""Workers: a training's bits do not depend on how many there are, nor on what becomes of them."""

from __future__ import annotations

import pickle
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deltarule import Checkpoint, EarlyStopping, Network, resume, train
from deltarule.data import stream
from deltarule.errors import InputError
from deltarule.nn.engines import reference
from deltarule.nn.engines.contract import Samples
from deltarule.nn.engines.shards import (
    ShardedBatch,
    ShardSums,
    add_branches,
    branches_of,
    count_shards,
)
from deltarule.training.replay import replay
from deltarule.training.streamed import StreamSamples
from deltarule.training.workers import OneWorker
from deltarule.training.workers.mpi import MpiWorkers, UnderWay

from .cases import GRADIENT_STEPS, SOURCE, digest, samples

X, Y = samples(n=1401, n_features=5)
WIDE = samples(n=1401, n_features=200)  # a gradient in three pieces
WEIGHT = np.linspace(0.1, 2, len(X))


class Simulated(OneWorker):
    """So many workers, one after the other in this process."""

    def __init__(self, n_workers):
        self.n_workers = n_workers

    def total(self, sums, batch, out):
        cuts = batch.cuts(self.n_workers)
        whole = [branch for cut in cuts for branch in cut]
        parts = [np.empty_like(out) for _ in whole]
        costs = [sums.sum(batch, *branch, part) for branch, part in zip(whole, parts, strict=True)]
        out[:] = add_branches(whole, parts)
        return add_branches(whole, costs)


def trained(workers, optimizer="sgd(0.1)", *, engine="reference", dtype="float64", net=None, **settings):
    net = Network([5, 6, 2], output="softmax", dtype=dtype, seed=1, **(net or {}))
    size = None if optimizer == "lbfgs" else 600
    given = {"epochs": 3, "batch_size": size, "optimizer": optimizer, "engine": engine} | settings
    history = train(net, X, Y, workers=workers, **given)
    return net.parameters.tobytes(), tuple(history["loss"])


@pytest.mark.parametrize("n_workers", [1, 2, 3, 7, 8, 64, 70])
@pytest.mark.parametrize("n_rows", [1, 63, 300, 4100, 70_000])
def test_workers_branches_are_the_whole_tree_once(n_rows, n_workers):
    n_shards = count_shards(n_rows)
    whole = [branch for cut in branches_of(n_shards, n_workers) for branch in cut]
    assert [shard for low, high in whole for shard in range(low, high)] == list(range(n_shards))
    assert all(low % (high - low) == 0 for low, high in whole)


def test_branches_are_added_as_the_tree_says():
    def tree(low, high):
        middle = (low + high) // 2
        return f"{low}" if high - low == 1 else f"({tree(low, middle)}{tree(middle, high)})"

    class Sum(str):
        def __add__(self, other):
            return Sum(f"({str.__str__(self)}{other})")

    for n_workers in range(1, 20):
        whole = [branch for cut in branches_of(16, n_workers) for branch in cut]
        assert add_branches(whole, [Sum(tree(*branch)) for branch in whole]) == tree(0, 16)


@pytest.mark.parametrize("optimizer", [*GRADIENT_STEPS, "lbfgs", "adam(0.01, clip_norm=0.1)"])
def test_any_number_of_workers_gives_the_same_bits(optimizer):
    net = {"l1": 1e-4, "l2": 1e-3} | ({} if optimizer == "lbfgs" else {"dropout": 0.3})
    one = trained(1, optimizer, net=net, sample_weight=WEIGHT)
    assert [trained(Simulated(n), optimizer, net=net, sample_weight=WEIGHT) == one for n in (2, 3, 7)] == [
        True
    ] * 3


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_workers", [3, 8])
def test_the_compiled_engine_gives_the_same_bits_too(n_workers, dtype):
    pytest.importorskip("numba")
    settings = {"engine": "compiled", "dtype": dtype, "net": {"dropout": 0.3}, "sample_weight": WEIGHT}
    assert trained(Simulated(n_workers), "adam", **settings) == trained(1, "adam", **settings)


def test_threads_make_no_difference():
    net = Network([5, 6, 2], output="softmax", dropout=0.2)
    data, batch = Samples(X, Y, None), ShardedBatch(np.arange(1401), 4, 99)
    sums = []
    for n_threads in (1, 2, 3):
        out = np.empty_like(net.parameters)
        with ShardSums.of("reference", net, data, 1401, n_threads) as shards:
            sums.append((shards.sum(batch, 0, batch.n_shards, out), out.tobytes()))
    assert sums[0] == sums[1] == sums[2]


@pytest.mark.parametrize("engine", ["reference", pytest.param("compiled", marks=pytest.mark.slow)])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_piece_of_a_sum_is_whole_when_it_is_given(engine, n_threads):
    net = Network([200, 160, 2], bias="shared", dropout=0.2, seed=1)
    x, y = samples(n=700, n_features=200)
    batch, parts = ShardedBatch(np.arange(700), 4, 99), np.empty((2, net.parameters.size))
    with ShardSums.of(engine, net, Samples(x, y, None), 700, n_threads) as sums:
        whole = np.empty_like(parts)
        costs = [sums.sum(batch, *cut, part) for cut, part in zip([(0, 1), (1, 4)], whole, strict=True)]
        given = []
        for piece, found in zip(sums.pieces, sums.sum_by_pieces(batch, [(0, 1), (1, 4)], parts), strict=True):
            given.append((parts[:, piece] == whole[:, piece]).all() and found == costs)
            parts[:, piece] = np.nan  # whatever comes later
    assert given == [True] * 3
    assert np.isnan(parts).all()


@pytest.mark.parametrize("engine", ["reference", pytest.param("compiled", marks=pytest.mark.slow)])
def test_the_first_gradient_is_that_of_the_whole_batch(engine):
    net = Network([5, 6, 2], output="softmax")
    x, weight = X, WEIGHT[:, None]
    objective = replace(net.objective, reduction="sum")
    trace = reference.forward(net.layers, x)
    whole = reference.backward(net.layers, objective, trace, Y, weight).flat
    out = np.empty_like(whole)
    with ShardSums.of(engine, net, Samples(x, Y, weight), len(x)) as shards:
        batch = ShardedBatch(np.arange(len(x)), 1, 0)
        cost = shards.sum(batch, 0, batch.n_shards, out)
    assert batch.n_shards == 8
    assert cost == pytest.approx(reference.cost(net.layers, objective, trace, Y, weight), rel=1e-13)
    assert np.abs(out - whole).max() <= 1e-12 * np.abs(whole).max()


def test_workers_follow_the_engine_to_the_last_few_bits():
    (alone, losses), (together, same) = (trained(workers, "adam(0.01)") for workers in (None, 1))
    assert np.allclose(np.frombuffer(together), np.frombuffer(alone), rtol=1e-9)
    assert same == pytest.approx(losses, rel=1e-12)


def test_an_interrupted_run_of_workers_ends_with_the_same_file(tmp_path):
    class Gone(Exception):
        pass

    def leave(run):
        if run.epoch == 3:
            raise Gone

    settings = {"epochs": 4, "batch_size": 400, "optimizer": "adam", "validation": 0.2}
    settings |= {"metrics": ["accuracy"], "early_stopping": EarlyStopping(patience=2)}
    nets = [Network([5, 6, 2], output="softmax", dropout=0.3, seed=1) for _ in range(2)]
    train(nets[0], X, Y, workers=1, checkpoint=Checkpoint(tmp_path / "whole"), **settings)
    with pytest.raises(Gone):
        train(
            nets[1],
            X,
            Y,
            workers=Simulated(3),
            checkpoint=Checkpoint(tmp_path / "half"),
            callbacks=[leave],
            **settings,
        )
    for workers in (None, Simulated(2)):
        shutil.copy(tmp_path / "half", tmp_path / "again")
        resume(tmp_path / "again", X, Y, workers=workers)
        assert digest(tmp_path / "again") == digest(tmp_path / "whole")


def test_a_run_of_workers_can_be_played_again():
    net = Network([5, 6, 2], output="softmax", dropout=0.3, seed=1)
    history = train(net, X, Y, epochs=2, batch_size=600, optimizer="adam", workers=Simulated(2))
    before = replay(history, 6)
    assert before.batch == 3
    assert replay(history, 4).net.parameters.tobytes() != before.net.parameters.tobytes()


def test_workers_for_whom_a_batch_is_too_small_are_told():
    team = Simulated(8)
    team.count = 8
    with pytest.warns(UserWarning, match="4 of 8 workers have nothing to do: with batch_size=1024 or more"):
        trained(team, epochs=1)


class Second(OneWorker):
    """The second of two workers, of which the first one trains with what it is given."""

    count, is_first = 2, False

    def __init__(self, theirs):
        self.theirs = theirs

    def all(self, own):
        return [self.theirs.setdefault("own", own), own]

    def first(self, compute):
        return self.theirs["first"].pop(0) if self.theirs.get("first") else compute()


@pytest.mark.parametrize(
    ("rows", "sizes", "settings", "message"),
    [
        (
            slice(1, None),
            [5, 6, 2],
            {},
            r"worker 2 of 2 has other rows \(1,400, not 1,401\) than the first one",
        ),
        (
            slice(None, None, -1),
            [5, 6, 2],
            {},
            "has other rows than the first one: give every worker all rows",
        ),
        (slice(None), [5, 7, 2], {}, "has other layers"),
        (slice(None), [5, 6, 2], {"epochs": 2}, r"has other epochs \(2, not 1\)"),
        (slice(None), [5, 6, 2], {"batch_size": 500}, "has other rows in a batch"),
    ],
)
def test_a_worker_that_was_given_something_else_is_refused(rows, sizes, settings, message):
    team, given = Second({}), {"epochs": 1, "batch_size": 600}
    train(Network([5, 6, 2], output="softmax"), X, Y, workers=team, **given)
    with pytest.raises(InputError, match=message):
        train(Network(sizes, output="softmax"), X[rows], Y[rows], workers=team, **given | settings)


def test_weights_and_seed_are_those_of_the_first_worker():
    nets = [Network([5, 6, 2], output="softmax", seed=seed) for seed in (1, 2)]
    team = Second({"first": [nets[0].parameters.copy(), 7]})
    train(nets[0], X, Y, workers=1, epochs=1, seed=7)
    train(nets[1], X, Y, workers=team, epochs=1, seed=8)
    assert nets[0].parameters.tobytes() == nets[1].parameters.tobytes()


def test_divergence_is_named_as_ever():
    from deltarule.errors import DivergenceError

    with pytest.raises(DivergenceError, match="epoch 1"):
        trained(Simulated(2), "sgd(1e200)", net={"activation": "identity"})


@pytest.mark.parametrize("workers", [0, -1, 2.5, "two", True, [2], "3"])
def test_what_is_no_number_of_workers_is_refused(workers):
    with pytest.raises(InputError, match="workers"):
        trained(workers)


def test_streams_are_trained_on_by_any_number_of_workers_of_mpi(tmp_path, monkeypatch):
    table = np.hstack([X[:, :3], X[:, :1] - X[:, 1:2]])
    np.savetxt(tmp_path / "rows.csv", table, delimiter=",", header="a,b,c,y", comments="")
    monkeypatch.setattr(StreamSamples, "window", lambda self, size: 500)
    found = []
    for workers in (None, 1, Simulated(3)):
        net = Network([3, 4, 1], dropout=0.2, seed=1)
        rows = stream(tmp_path / "rows.csv", target="y")
        train(net, rows, workers=workers, epochs=2, batch_size=256, optimizer="adam", validation=0.1)
        found.append(net.parameters.tobytes())
    assert found[0] != found[1] == found[2]
    with pytest.raises(InputError, match="mpiexec -n 3"):
        train(net, rows, workers=3, epochs=1)


# ---------------------------------------------------------------- processes


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_processes_of_its_own_give_the_same_bits(engine):
    settings = {"engine": engine, "net": {"dropout": 0.3}, "sample_weight": WEIGHT}
    assert trained(3, "adam", **settings) == trained(1, "adam", **settings)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_where_a_process_dies_or_stops_the_others_take_its_shards(number, capfd):
    def hit(run):
        if run.epoch == 1:
            run.workers._helpers[0]._process.send_signal(number)

    assert trained(3, callbacks=[hit]) == trained(1)
    line = capfd.readouterr().err
    assert line.count("\n") == 1
    assert "worker 2 of 3" in line


RANKS = """
import sys
from deltarule import Checkpoint, Network, train
from deltarule.training.workers.mpi import mpi_workers
from tests.training.cases import samples
X, Y = samples(n=1401, n_features=200)
net = Network([200, 160, 2], output="softmax", dropout=0.3, seed=1)
path, dies_at = sys.argv[1], int(sys.argv[2])

def die(run):
    if run.epoch == dies_at and not run.workers.is_first:
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)

train(net, X, Y, epochs=4, batch_size=600, optimizer="adam", engine=sys.argv[3], workers="mpi",
      checkpoint=Checkpoint(path), callbacks=[die])
"""


def mpiexec(*arguments):
    """Run ranks; skips where there is no MPI."""
    if find_spec("mpi4py") is None:
        pytest.skip("mpi4py is not installed")
    launcher = Path(sysconfig.get_path("scripts")) / "mpiexec"
    if not launcher.exists():
        pytest.skip("no mpiexec beside this Python")
    import os

    environment = os.environ | {
        "PYTHONPATH": f"{SOURCE}:{Path(__file__).parents[2]}", "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }  # fmt: skip
    return subprocess.run(
        [launcher, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment
    )


@contextmanager
def whole_run(folder, engine):
    net = Network([200, 160, 2], output="softmax", dropout=0.3, seed=1)
    train(net, *WIDE, epochs=4, batch_size=600, optimizer="adam", engine=engine, workers=1,
          checkpoint=Checkpoint(folder / "whole"), callbacks=[lambda run: None])  # fmt: skip
    yield digest(folder / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(("n", "engine"), [(1, "reference"), (2, "compiled"), (7, "reference")])
def test_ranks_of_mpi_write_the_same_file(n, engine, tmp_path):
    found = mpiexec("-n", n, sys.executable, "-c", RANKS, tmp_path / "ranks", 0, engine)
    assert found.returncode == 0, found.stderr
    with whole_run(tmp_path, engine) as expected:
        assert digest(tmp_path / "ranks") == expected


@pytest.mark.slow
def test_a_rank_that_is_killed_is_done_without_or_named(tmp_path):
    program = [sys.executable, "-c", RANKS, tmp_path / "ranks", 2, "reference"]
    found = mpiexec("-n", 2, *program)
    assert found.returncode != 0
    assert "worker 2 of 2" in found.stderr
    assert f"the last checkpoint stands: {tmp_path / 'ranks'}" in found.stderr
    with whole_run(tmp_path, "reference") as expected:
        resume(tmp_path / "ranks", *WIDE, workers=1)
        assert digest(tmp_path / "ranks") == expected


@pytest.mark.slow
@pytest.mark.xfail(
    raises=subprocess.TimeoutExpired,
    strict=False,
    reason="Open MPI's recovery sometimes hangs on a busy machine",
)
def test_ranks_that_are_left_go_on_to_the_same_bits(tmp_path):
    program = [sys.executable, "-c", RANKS, tmp_path / "ranks", 2, "reference"]
    found = mpiexec("--with-ft", "ulfm", "-n", 2, *program)
    if "unrecognized argument" in found.stderr:
        pytest.skip("MPICH cannot go on without a rank")
    assert found.returncode == 0, found.stderr
    with whole_run(tmp_path, "reference") as expected:
        assert digest(tmp_path / "ranks") == expected


def test_an_exchange_tells_its_own_error():
    class Request:
        def Test(self):
            raise ConnectionError("one died")

    with pytest.raises(ConnectionError), UnderWay() as under_way:
        under_way.add(iter([Request()]))


def test_bytes_that_a_lost_worker_left_are_taken_for_its_loss(monkeypatch):
    team = MpiWorkers.__new__(MpiWorkers)
    team._mpi, team._failures, team._step = SimpleNamespace(Exception=ConnectionError), {1}, 0
    team._watch = SimpleNamespace(waiting=nullcontext)
    monkeypatch.setattr(team, "_shrink", lambda: ("what the others have",))

    def step():
        raise pickle.UnpicklingError("invalid load key")

    assert team._together(step) == "what the others have"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nobody looks")
@pytest.mark.parametrize(("name", "ends"), [("mpisleep", True), ("sleep", False)])
def test_a_launcher_that_outlives_its_processes_is_ended(name, ends, tmp_path):
    (tmp_path / name).symlink_to(shutil.which("sleep"))
    script = "import sys; from deltarule.training.workers import start as s; "
    script += "s.PATIENCE = 0.1; s._see_end(int(sys.argv[1]))"
    with subprocess.Popen([tmp_path / name, "60"]) as launcher:
        subprocess.run([sys.executable, "-c", script, str(launcher.pid)], check=True)
        try:
            assert (launcher.poll() is not None) == ends
        finally:
            launcher.kill()


EARLY = """
import os, signal, sys
if os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("PMI_RANK")) == "1":
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
from deltarule.training.workers.mpi import mpi_workers
mpi_workers()
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it takes longer")
def test_a_rank_that_stops_before_all_have_met_is_named():
    began = time.monotonic()
    found = mpiexec("-n", 3, sys.executable, "-c", EARLY, "SIGSTOP")
    assert found.returncode != 0
    lines = [line for line in found.stderr.splitlines() if line.startswith("deltarule: ")]
    assert len(lines) == 1
    assert "worker 2 of 3" in lines[0]
    assert time.monotonic() - began < 25  # not after the 30 seconds for one that never comes

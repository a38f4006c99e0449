"""Threads of the compiled engine: how many there are, and what they do meanwhile, changes no bit."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from scipy.sparse import csr_array

from deltarule import Dense, Network, Scaled
from deltarule.arrays import Sparse
from deltarule.nn.engines import compiled, streams, threads, workspace
from deltarule.nn.optimizers import OPTIMIZERS

from .test_compiled import assert_same, output_of, run, samples_of

pytest.importorskip("numba")


@pytest.mark.parametrize("n_shares", [2, 3, 5])
@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_batches_divided_among_threads(shared, name, n_shares):
    shared(n_shares)
    layers = [
        Dense(6, 8, "relu", dropout=0.2),
        Dense(8, 5, "tanh", bias="shared"),
        Dense(5, 3, "softmax", dropout=0.5),
    ]
    for clip_norm, weighted in ((None, False), (0.1, True)):
        net = Network(layers, loss="cross_entropy", l1=0.01, l2=0.1)
        net.freeze("W1[0,1]", "b2")
        optimizer = type(OPTIMIZERS.resolve(name))(0.05, clip_norm=clip_norm)
        for n in (23, 11, 1):  # the last batch has fewer rows than there are threads
            assert_same(net, samples_of(net, n=n, weighted=weighted), optimizer, size=min(n, 11))


def test_the_same_number_of_threads_gives_the_same_bits(shared):
    net = Network([20, 30, 4], output="softmax", dropout=0.1)
    samples = samples_of(net, n=100)
    for n_shares in (1, 2, 3):
        shared(n_shares)
        runs = [run(compiled, net, samples, OPTIMIZERS.resolve("adam"), size=30, epochs=20) for _ in range(5)]
        for again in runs[1:]:
            for mine, first in zip(again, runs[0], strict=True):
                np.testing.assert_array_equal(mine, first)


def test_with_as_many_threads_no_other_setting_of_threads_changes_a_bit():
    code = (
        "import hashlib, numpy as np; from deltarule import Network, train\n"
        "X, Y = np.random.default_rng(0).normal(size=(600, 40)), np.arange(600) % 3\n"
        "net = Network([40, 50, 3], output='softmax')\n"
        "train(net, X, Y, epochs=3, batch_size=256, engine='compiled')\n"
        "a = net.predict(X, engine='compiled')\n"
        "print(hashlib.sha256(net.parameters.tobytes() + a.tobytes()).hexdigest())"
    )
    digests = set()
    for n_threads in ("1", "3"):
        others = {"OMP_NUM_THREADS": n_threads, "OPENBLAS_NUM_THREADS": n_threads}
        digests.add(output_of(code, NUMBA_NUM_THREADS="2", **others))
    assert len(digests) == 1


def test_threads_stop_together_where_training_diverges(shared):
    shared(3)
    net = Network([3, 2], output="identity")
    rates = np.full((4, 3), 0.01)
    rates[2] = 1e300
    sgd, before, losses = OPTIMIZERS.resolve("sgd"), net.copy(), []
    for twin, some in ((before, rates[:2]), (net, rates)):
        slots, generator = sgd.start(net.parameters), np.random.default_rng()
        losses = compiled.run_epochs(twin, samples_of(net), 4, None, sgd, slots, some, 0, generator)
    assert len(losses) == 2
    np.testing.assert_array_equal(net.parameters, before.parameters)


@pytest.mark.parametrize("trouble", [RuntimeError("can't start new thread"), KeyboardInterrupt("now")])
def test_where_a_thread_does_not_start_nothing_hangs_and_nothing_changes(shared, monkeypatch, trouble):
    shared(4)
    net, start, calls = Network([5, 2]), threading.Thread.start, []

    def fail_at_the_third(thread):
        calls.append(thread)
        if len(calls) == 3:
            raise trouble
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail_at_the_third)
    before = net.parameters.copy()
    with pytest.raises(type(trouble), match=str(trouble)):
        run(compiled, net, samples_of(net), OPTIMIZERS.resolve("sgd"))
    for thread in calls[:2]:
        thread.join(10)
        assert not thread.is_alive()
    np.testing.assert_array_equal(net.parameters, before)


def test_threads_that_predict_stay_for_the_next_call(shared):
    shared(3)
    net, X = Network([6, 8, 2], seed=0), np.random.default_rng(0).normal(size=(40, 6))
    expected = net.predict(X)
    np.testing.assert_allclose(net.predict(X, engine="compiled"), expected, rtol=1e-12)
    known = set(threading.enumerate())
    for _ in range(20):
        np.testing.assert_allclose(net.predict(X, engine="compiled"), expected, rtol=1e-12)
    assert set(threading.enumerate()) == known


def test_whoever_is_free_takes_the_next_range_and_every_row_is_in_one(shared):
    shared(3)
    taken, gate = [], threading.Event()

    def run(start, stop):
        taken.append((start, stop, threading.current_thread()))
        if start == 0:
            gate.wait(60)  # held up
        elif stop == 50:
            gate.set()

    threads.run_ranges(50, 50, run)
    assert sorted((start, stop) for start, stop, _ in taken) == [
        (50 * part // 12, 50 * (part + 1) // 12) for part in range(12)
    ]
    late = next(thread for start, _, thread in taken if start == 0)
    assert [thread for *_, thread in taken].count(late) == 1


def test_where_no_thread_starts_this_one_predicts_all(shared, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    shared(3)
    monkeypatch.setattr(threads, "_helpers", threads._Helpers())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    net, X = Network([6, 8, 2], seed=0), np.random.default_rng(0).normal(size=(40, 6))
    np.testing.assert_allclose(net.predict(X, engine="compiled"), net.predict(X), rtol=1e-12)
    assert threads._helpers.calls.empty()


@pytest.mark.parametrize("number", [0, 7])
def test_what_is_raised_in_a_range_comes_when_all_have_ended(shared, number):
    shared(3)
    ended = []

    def run(start, stop):
        if start == number:
            raise KeyboardInterrupt
        ended.append(start)

    with pytest.raises(KeyboardInterrupt):
        threads.run_ranges(12, 12, run)
    assert sorted(ended) == [start for start in range(12) if start != number]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_has_threads_of_its_own():
    """In a fresh process, so that no other thread is running when it forks."""
    code = (
        "import os, numpy as np; from deltarule import Network\n"
        "from deltarule.nn.engines import threads\n"
        "threads.RANGE_PRODUCTS = 1\n"
        "net, X = Network([6, 8, 2], seed=0), np.ones((40, 6))\n"
        "expected = net.predict(X, engine='compiled')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if (net.predict(X, engine='compiled') == expected).all() else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    environment = os.environ | {"NUMBA_NUM_THREADS": "3"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip() == "0", done.stderr


def assert_same_bits(runs):
    for other in runs[1:]:
        for mine, first in zip(other, runs[0], strict=True):
            np.testing.assert_array_equal(mine, first)


@pytest.mark.parametrize("kind", ["dense", "mostly 0", "dropped"])
def test_any_number_of_threads_gives_the_same_bits(shared, kind):
    net = Network([70, 30, 4], output="softmax", dropout=[0, 0.2] if kind == "dropped" else 0.0)
    samples = samples_of(net, n=100)
    if kind == "mostly 0":
        samples.x[np.random.default_rng(1).random(samples.x.shape) < 0.8] = 0
    runs = []
    for n_threads in range(1, 6):
        shared(n_threads)
        optimizer = type(OPTIMIZERS.resolve("adam"))(0.05, clip_norm=0.3)
        runs.append(run(compiled, net, samples, optimizer, size=30, epochs=5))
    assert_same_bits(runs)


@pytest.mark.parametrize("kind", ["dense", "mostly 0", "dropped"])
def test_columns_of_wide_layers_are_divided_and_any_number_of_threads_gives_the_same_bits(
    shared, monkeypatch, kind
):
    monkeypatch.setattr(workspace, "WIDE_PARAMETERS", 700)
    dropout = [0, 0, 0.2, 0] if kind == "dropped" else 0.0
    net = Network([70, 31, 29, 27, 4], activation="tanh", output="softmax", dropout=dropout, l2=0.1)
    samples = samples_of(net, n=100)
    if kind == "mostly 0":
        samples.x[np.random.default_rng(1).random(samples.x.shape) < 0.8] = 0
    runs = []
    for n_threads in range(1, 6):
        shared(n_threads)
        division = workspace.divide_job(net, 30, 30.0 * net.parameters.size, np.empty(0))
        assert division.stages.tolist() == ([0, 1, 4] if kind == "dropped" else [0, 1, 2, 4])
        optimizer = type(OPTIMIZERS.resolve("adam"))(0.05, clip_norm=0.3)
        assert_same(net.copy(), samples, optimizer, size=30)
        runs.append(run(compiled, net, samples, optimizer, size=30, epochs=5))
    assert_same_bits(runs)


def test_the_tasks_that_take_longest_come_first(shared):
    shared(2)
    net, x = Network([300, 20, 3], output="softmax"), np.zeros((10, 300))
    x[:, 110:130] = x[:, 200:260] = 1
    for given in (x, Scaled(Sparse(csr_array(x)))):
        shares = workspace.tile_shares_of(net, workspace.kernel_inputs(given, net.dtype))
        np.testing.assert_allclose(shares, [0, 0.2, 0.6])
        division = workspace.divide_job(net, 10, 10.0 * net.parameters.size, shares)
        parts = division.parts[division.tasks[:, 0]].tolist()
        assert parts == [[0, 200, 300], [0, 100, 200], [1, 0, 20], [0, 0, 100]]


@pytest.mark.slow
def test_beside_a_busy_process_training_ends_with_the_same_bits(shared):
    shared(2)
    net = Network([20, 30, 4], output="softmax")
    samples, adam = samples_of(net, n=100), OPTIMIZERS.resolve("adam")
    quiet = run(compiled, net, samples, adam, size=30, epochs=5)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            for _ in range(200):
                for mine, first in zip(
                    run(compiled, net, samples, adam, size=30, epochs=5), quiet, strict=True
                ):
                    np.testing.assert_array_equal(mine, first)
        finally:
            neighbour.kill()


@pytest.mark.parametrize("n_drawn_before", [0, 1, 2, 7])
@pytest.mark.parametrize("n_drawn", [0, 1, 2, 5, 100])
def test_the_generator_stands_where_the_masks_ended(n_drawn_before, n_drawn):
    ours, theirs = (np.random.default_rng(3) for _ in range(2))
    for generator in (ours, theirs):
        generator.random(n_drawn_before, dtype=np.float32)
    streams.advance(ours, streams.stream_of(ours), n_drawn)
    theirs.random(n_drawn, dtype=np.float32)
    np.testing.assert_array_equal(ours.random(5, dtype=np.float32), theirs.random(5, dtype=np.float32))
    np.testing.assert_array_equal(ours.random(5), theirs.random(5))

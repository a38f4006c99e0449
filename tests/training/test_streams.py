"""A stream trains to the bits of the arrays, in windows too, and goes on from anywhere in an epoch."""

from __future__ import annotations

import numpy as np
import pytest

import deltarule as dr
from deltarule.training import loop

rng = np.random.default_rng(0)
X = rng.standard_normal((600, 5))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
PRICE = X @ np.arange(5.0)


def network(output="sigmoid", **settings):
    return dr.Network([5, 8, 1], output=output, seed=1, **settings)


def rows(y=Y, **settings):
    return dr.datasets.stream(X, y, scale="none", **settings)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_a_stream_that_fits_gives_the_bits_of_the_arrays(engine, dropout):
    settings = {"epochs": 3, "batch_size": 32, "seed": 3, "engine": engine, "metrics": ["accuracy", "r2"]}
    arrays, streamed = network(dropout=dropout), network(dropout=dropout)
    expected = dr.train(arrays, X, Y, **settings)
    history = dr.train(streamed, rows(), **settings)
    assert np.array_equal(arrays.parameters, streamed.parameters)
    assert dict(history) == dict(expected)


def test_windows_take_every_row_once_in_an_order_of_their_own():
    stream = rows(PRICE, window=128)
    taken = [
        block.rows(block.start, block.start + len(block))[1].ravel()
        for block in stream.blocks(
            lambda part: (part.X, part.y[:, None]), 128, order=np.random.default_rng(0)
        )
    ]
    assert [len(part) for part in taken] == [128, 128, 128, 128, 88]
    assert sorted(np.concatenate(taken)) == sorted(PRICE)
    assert not np.array_equal(np.concatenate(taken), PRICE)


def test_a_worker_finds_its_shard_of_a_global_batch():
    blocks = rows(PRICE, window=128).blocks(
        lambda part: (part.X, part.y[:, None]), 128, order=np.random.default_rng(0)
    )
    first = next(blocks)
    whole = first.rows(32, 64)[1]
    assert np.array_equal(np.concatenate([first.rows(32, 45)[1], first.rows(45, 64)[1]]), whole)
    blocks.close()


class Killed(BaseException):
    """As a signal would."""


@pytest.mark.parametrize("blocks", [1, 4, 7])
def test_a_run_killed_within_an_epoch_resumes_to_the_same_end(blocks, tmp_path, monkeypatch):
    settings = {
        "epochs": 3, "batch_size": 32, "seed": 3, "metrics": ["accuracy", "r2"], "validation": 0.2,
        "early_stopping": dr.EarlyStopping(patience=5),
    }  # fmt: skip
    whole = network(dropout=0.2)
    expected = dr.train(whole, rows(window=160), **settings)
    done = []

    def end_block(run, original=loop._end_block):
        original(run)
        done.append(run.place.done)
        if len(done) == blocks:
            raise Killed

    monkeypatch.setattr(loop, "_end_block", end_block)
    path = tmp_path / "checkpoint"
    with pytest.raises(Killed):
        dr.train(network(dropout=0.2), rows(window=160), checkpoint=dr.Checkpoint(path, 0.2), **settings)
    monkeypatch.undo()
    resumed, history = dr.resume(path, rows(window=160))
    assert np.array_equal(resumed.parameters, whole.parameters)
    assert dict(history) == dict(expected)


def test_resume_refuses_another_stream(tmp_path):
    dr.train(network("identity"), rows(PRICE), epochs=1, checkpoint=dr.Checkpoint(tmp_path / "c"))
    with pytest.raises(dr.InputError, match="other samples"):
        dr.resume(tmp_path / "c", rows(PRICE + 1))


def test_rows_are_set_aside_by_their_numbers_alone():
    rest, part = rows(PRICE).split(0.25, seed=4)
    ours = [np.concatenate([found.y for found in stream.rows()]) for stream in (rest, part)]
    assert sorted(np.concatenate(ours)) == sorted(PRICE)
    assert 100 < len(part) < 200
    again = np.concatenate([found.y for found in rows(PRICE, window=64).split(0.25, seed=4)[1].rows()])
    assert np.array_equal(ours[1], again)


def test_metrics_of_windows_are_those_of_all_rows():
    net, own = (
        network("identity"),
        dr.Metric("worst", lambda a, y: float(abs(a - y).max()), "max |a − y|", False),
    )
    history = dr.train(
        net, rows(PRICE, window=96), epochs=2, validation=rows(PRICE, window=64), metrics=["r2", "mae", own]
    )
    found = dr.evaluate(net, X, PRICE, metrics=["r2", "mae", own])
    for name, value in found.items():
        assert history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-12)
    assert history["r2"][-1] == pytest.approx(found["r2"], rel=1e-12)


def test_divergence_leaves_the_network_as_it_was_and_no_thread():
    import threading

    net = network("identity")
    with pytest.raises(dr.DivergenceError, match="diverged in epoch"):
        dr.train(net, rows(PRICE, window=64), optimizer="sgd(1e6)", epochs=5)
    assert np.isfinite(net.parameters).all()
    assert not [thread for thread in threading.enumerate() if thread.name == "deltarule-stream"]


def test_what_a_stream_cannot_do_is_said():
    with pytest.raises(dr.InputError, match="a stream contains its targets"):
        dr.train(network(), rows(), Y)
    with pytest.raises(dr.InputError, match="the targets of the samples, is missing"):
        dr.train(network(), X)
    with pytest.raises(dr.InputError, match="lbfgs needs all samples at once"):
        dr.train(network("identity"), rows(PRICE), optimizer="lbfgs")
    with pytest.raises(dr.InputError, match="within an epoch, as only of a stream"):
        dr.train(network(), X, Y, checkpoint=dr.Checkpoint("never", every=0.5))

"""Local SGD: replicas that train by themselves and become their mean, whoever computes them."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from deltarule import Checkpoint, LocalSGD, Network, resume, train
from deltarule.errors import DivergenceError, InputError
from deltarule.training.replay import replay

from .cases import digest, samples
from .test_workers import RANKS, WIDE, Simulated, mpiexec

X, Y = samples(n=103, n_features=4)


def by_hand(W, b, replicas, steps, size, epochs, eta, mu):
    """Least squares by momentum: half the mean of squared errors, in the order of the rows."""
    v = np.zeros_like(W), np.zeros_like(b)
    batches = [(X[first : first + size], Y[first : first + size]) for first in range(0, len(X), size)]
    for _ in range(epochs):
        for first in range(0, len(batches), steps):
            found = []
            for r in range(replicas):
                own = [W.copy(), b.copy(), v[0].copy(), v[1].copy()]
                for x, y in batches[first : first + steps]:
                    low, high = len(x) * r // replicas, len(x) * (r + 1) // replicas
                    if low == high:
                        continue
                    error = (x[low:high] @ own[0] + own[1] - y[low:high]) / (high - low)
                    own[2] = mu * own[2] - eta * x[low:high].T @ error
                    own[3] = mu * own[3] - eta * error.sum(axis=0)
                    own[0], own[1] = own[0] + own[2], own[1] + own[3]
                found.append(own)
            W, b, *v = (sum(parts) / replicas for parts in zip(*found, strict=True))
    return np.concatenate([W.ravel(), b])


def trained(workers=None, local=(3, 2), net=None, **settings):
    net = Network([4, 5, 2], output="softmax", seed=1, **(net or {}))
    given = {"epochs": 2, "batch_size": 20, "optimizer": "adam", "engine": "reference"} | settings
    history = train(net, X, Y, workers=workers, local_sgd=LocalSGD(*local), **given)
    return net.parameters.tobytes(), tuple(history["loss"])


@pytest.mark.parametrize(
    ("steps", "replicas", "size"), [(1, 1, 20), (2, 2, 20), (3, 3, 16), (4, 5, 25), (9, 8, 20)]
)
def test_replicas_become_their_mean_as_calculated_by_hand(steps, replicas, size):
    net = Network([4, 2], output="identity", loss="half_squared_error", seed=1)
    expected = by_hand(net.layers[0].W, net.layers[0].b, replicas, steps, size, 2, 0.1, 0.9)
    train(net, X, Y, optimizer="momentum(0.1, momentum=0.9)", batch_size=size, epochs=2, shuffle=False,
          engine="reference", local_sgd=LocalSGD(steps, replicas))  # fmt: skip
    assert net.parameters == pytest.approx(expected, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize(
    ("replicas", "optimizer"), [(3, "sgd(0.1)"), (4, "adam(clip_norm=0.1)"), (5, "adamw")]
)
def test_any_number_of_workers_gives_the_same_bits(replicas, optimizer):
    settings = {
        "local": (3, replicas), "optimizer": optimizer, "net": {"dropout": 0.3, "l2": 0.01},
        "sample_weight": np.linspace(0.1, 2, len(X)),
    }  # fmt: skip
    one = trained(**settings)
    assert [trained(Simulated(n), **settings) == one for n in (2, 3, 8)] == [True] * 3


def test_one_replica_is_the_engine_by_itself():
    net = Network([4, 5, 2], output="softmax", seed=1)
    history = train(net, X, Y, epochs=2, batch_size=20, engine="reference")
    parameters, losses = trained(local=(3, 1))
    assert parameters == net.parameters.tobytes()
    assert losses == pytest.approx(history["loss"], rel=1e-12)


def test_frozen_layers_stay_to_the_bit():
    net = Network([4, 5, 2], seed=1)
    net.freeze("W1")
    W = net.layers[0].W.copy()
    train(net, X, Y, epochs=2, local_sgd=LocalSGD(2, 3))
    assert (net.layers[0].W == W).all()


@pytest.mark.slow
def test_the_compiled_engine_trains_replicas_too():
    pytest.importorskip("numba")
    found = [trained(Simulated(n), engine="compiled", net={"dropout": 0.3}) for n in (1, 2)]
    assert found[0] == found[1]
    same = trained(net={"dropout": 0.3})
    assert np.allclose(np.frombuffer(found[0][0]), np.frombuffer(same[0]), rtol=1e-7, atol=1e-9)


def test_an_interrupted_run_ends_with_the_same_file(tmp_path):
    class Gone(Exception):
        pass

    def leave(run):
        if run.epoch == 2:
            raise Gone

    settings = {"epochs": 4, "batch_size": 20, "local_sgd": LocalSGD(3, 4), "validation": 0.2}
    nets = [Network([4, 5, 2], output="softmax", dropout=0.3, seed=1) for _ in range(2)]
    train(nets[0], X, Y, checkpoint=Checkpoint(tmp_path / "whole"), **settings)
    half = Checkpoint(tmp_path / "half")
    with pytest.raises(Gone):
        train(nets[1], X, Y, workers=Simulated(2), checkpoint=half, callbacks=[leave], **settings)
    for workers in (None, Simulated(3)):
        shutil.copy(tmp_path / "half", tmp_path / "again")
        resume(tmp_path / "again", X, Y, workers=workers)
        assert digest(tmp_path / "again") == digest(tmp_path / "whole")


def test_divergence_goes_back_to_the_epoch_before():
    with pytest.raises(DivergenceError, match="epoch 1"):
        trained(optimizer="sgd(1e200)", net={"activation": "identity"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"local_sgd": 4}, "local_sgd must be a LocalSGD"),
        ({"local_sgd": LocalSGD(2, 2), "optimizer": "lbfgs", "batch_size": None}, "one step for each batch"),
        ({"local_sgd": LocalSGD(2, 2), "workers": 3}, "mpiexec -n 3"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        train(Network([4, 2], seed=1), X, Y, **given)


@pytest.mark.parametrize("numbers", [(0, 2), (2, 0), (1.5, 2), ("2", 2), (2, True)])
def test_what_are_no_steps_or_replicas_is_refused(numbers):
    with pytest.raises(InputError, match=r"local_sgd: (steps|replicas)"):
        LocalSGD(*numbers)


def test_more_workers_than_replicas_are_told():
    team = Simulated(3)
    team.count = 3
    with pytest.warns(UserWarning, match="2 replicas of local SGD leave 1 of 3 workers with nothing to do"):
        trained(team, epochs=1)


def test_its_updates_cannot_be_replayed_one_by_one():
    net = Network([4, 2], seed=1)
    history = train(net, X, Y, epochs=1, local_sgd=LocalSGD(2, 2))
    with pytest.raises(InputError, match="local SGD"):
        replay(history, 1)


@pytest.mark.slow
def test_ranks_of_mpi_share_the_replicas(tmp_path):
    program = RANKS.replace("X, Y, epochs=4", "X, Y, local_sgd=LocalSGD(2, 3), epochs=4")
    program = program.replace("import Checkpoint,", "import Checkpoint, LocalSGD,")
    found = mpiexec("-n", 2, sys.executable, "-c", program, tmp_path / "ranks", 0, "reference")
    assert found.returncode == 0, found.stderr
    net = Network([200, 160, 2], output="softmax", dropout=0.3, seed=1)
    train(net, *WIDE, epochs=4, batch_size=600, optimizer="adam", engine="reference",
          local_sgd=LocalSGD(2, 3), checkpoint=Checkpoint(tmp_path / "one"))  # fmt: skip
    assert digest(tmp_path / "ranks") == digest(tmp_path / "one")

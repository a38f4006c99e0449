"""Equal seeds give equal bits: in one process, in fresh ones, and whatever else is random."""

from __future__ import annotations

import random

import numpy as np
import pytest

from deltarule import Checkpoint, train

from .cases import OPTIMIZER_NAMES, digest, python, samples, small

X, Y = samples(60)

SCRIPT = """
import hashlib, sys
import numpy as np
import deltarule as dr

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(600, 30)), np.eye(3)[rng.integers(0, 3, 600)]
net = dr.Network([30, 40, 3], output="softmax", dropout=0.2, seed=5)
history = dr.train(
    net, X, Y, optimizer="adam(one_cycle(0.01))", epochs=4, validation=0.2, metrics=["accuracy", "mae"],
    early_stopping=dr.EarlyStopping(patience=3), checkpoint=dr.Checkpoint(sys.argv[1]), seed=9,
)
net.save(sys.argv[2])
history.to_csv(sys.argv[3])
for path in sys.argv[1:]:
    print(hashlib.sha256(open(path, "rb").read()).hexdigest())
print(hashlib.sha256(net.parameters.tobytes()).hexdigest())
"""


def run(folder, **env):
    return python(SCRIPT, "checkpoint", "model", "history.csv", folder=folder, env=env)[1].split()


def test_fresh_processes_give_the_same_bytes_under_any_hash_seed(tmp_path):
    first = run(tmp_path, PYTHONHASHSEED="0")
    assert len(first) == 4
    assert run(tmp_path, PYTHONHASHSEED="1") == first


@pytest.mark.parametrize("threads", ["1", "2"])
def test_fresh_processes_with_pinned_threads_give_the_same_bytes(tmp_path, threads):
    pinned = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    assert run(tmp_path, **pinned) == run(tmp_path, **pinned)


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_same_seed_gives_the_same_network_and_the_same_checkpoint(optimizer, dtype, tmp_path):
    nets, histories = [], []
    for name in ("one", "two"):
        net = small(dtype=dtype, dropout=0.0 if optimizer == "lbfgs" else 0.3)
        settings = {"optimizer": optimizer, "epochs": 4, "batch_size": 7, "validation": 0.2, "seed": 11}
        histories.append(train(net, X, Y, checkpoint=Checkpoint(tmp_path / name), **settings))
        nets.append(net)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    assert dict(histories[0]) == dict(histories[1])
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_another_seed_gives_another_network():
    nets = [small(), small()]
    for net, seed in zip(nets, (1, 2), strict=True):
        train(net, X, Y, epochs=2, batch_size=7, seed=seed)
    assert (nets[0].parameters != nets[1].parameters).any()


def test_no_seed_draws_a_fresh_one_each_time():
    nets = [small(), small()]
    for net in nets:
        train(net, X, Y, epochs=2, batch_size=7, seed=None)
    assert (nets[0].parameters != nets[1].parameters).any()


def test_global_random_states_are_neither_read_nor_touched():
    parameters = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
        net = small(dropout=0.5)
        train(net, X, Y, epochs=2, batch_size=7, validation=0.2)
        np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
        assert random.getstate() == before[1]
        parameters.append(net.parameters)
    np.testing.assert_array_equal(*parameters)


def test_watching_a_run_does_not_change_it(tmp_path, capsys):
    watched, alone = small(dropout=0.3), small(dropout=0.3)
    settings = {"epochs": 4, "batch_size": 7, "validation": 0.2}
    train(
        watched,
        X,
        Y,
        metrics=["accuracy"],
        progress=True,
        callbacks=[lambda run: run.net.predict(X)],
        checkpoint=Checkpoint(tmp_path / "c", every=2),
        **settings,
    )
    train(alone, X, Y, **settings)
    np.testing.assert_array_equal(watched.parameters, alone.parameters)
    assert capsys.readouterr().out == ""


def test_learning_rates_do_not_depend_on_how_many_epochs_are_made_at_once():
    pytest.importorskip("numba")
    watched, alone = small(), small()
    settings = {"optimizer": "sgd(exponential(0.5))", "epochs": 20, "batch_size": 2, "engine": "compiled"}
    epoch_by_epoch = train(watched, X[:44], Y[:44], callbacks=[lambda run: None], **settings)
    at_once = train(alone, X[:44], Y[:44], **settings)
    assert at_once["learning_rate"] == epoch_by_epoch["learning_rate"]
    np.testing.assert_array_equal(watched.parameters, alone.parameters)


def test_the_engines_settings_for_errors_are_left_alone():
    before = np.geterr()
    train(small(), X, Y, epochs=1)
    assert np.geterr() == before

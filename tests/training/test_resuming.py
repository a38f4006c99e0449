"""A run that is stopped, however, resumes to the bit-identical end of the uninterrupted one."""

from __future__ import annotations

import itertools
import signal
import subprocess
import time

import numpy as np
import pytest

from deltarule import Checkpoint, EarlyStopping, InputError, ModelFileError, resume, train

from .cases import GRADIENT_STEPS, SCHEDULE_NAMES, digest, python, samples, small, start

X, Y = samples(30)
EPOCHS = 6


class Stopped(Exception):
    pass


def raising_in(epoch):
    def callback(run):
        if run.epoch == epoch:
            raise Stopped

    return callback


def optimizer_of(name, schedule):
    if name == "lbfgs":
        return name
    rate = "adam(0.01)" if schedule is None else None
    inner = {"warm_up": "warm_up(cosine(0.05), epochs=2)", "step": "step(0.05, every=2)"}
    return f"{name}({inner.get(schedule, f'{schedule}(0.05)')})" if rate is None else rate


def check(tmp_path, stop_in, *, dropout=0.0, every=1, weight=None, **settings):
    """Train to the end; train and stop; resume. Network, history and file must be the same."""
    settings = {
        "epochs": EPOCHS,
        "batch_size": 7,
        "metrics": ["accuracy"],
        "sample_weight": weight,
    } | settings
    held = settings["validation"] if isinstance(settings.get("validation"), tuple) else None
    whole, stopped = small(dropout=dropout), small(dropout=dropout)
    full, part = tmp_path / "full", tmp_path / "part"
    expected = train(whole, X, Y, checkpoint=Checkpoint(full, every), **settings)
    try:
        train(stopped, X, Y, checkpoint=Checkpoint(part, every), callbacks=[raising_in(stop_in)], **settings)
    except Stopped:
        assert digest(full) != digest(part)
    else:
        assert expected.epochs < stop_in  # it had ended by itself
    net, history = resume(part, X, Y, sample_weight=weight, validation=held)
    np.testing.assert_array_equal(net.parameters, whole.parameters)
    assert dict(history) == dict(expected)
    assert history.stopped == expected.stopped
    assert digest(part) == digest(full)


CHOICES = {
    "shuffle": (True, False),
    "dropout": (0.0, 0.4),
    "early_stopping": (None, EarlyStopping(patience=2), EarlyStopping("val_accuracy", None)),
    "validation": (None, 0.2, (X[:4] + 1, Y[:4])),
}
COMBINATIONS = [
    dict(zip(CHOICES, choice, strict=True))
    for choice in itertools.product(*CHOICES.values())
    if not (choice[3] is None and choice[2] is not None and choice[2].monitor)
]
PAIRS = [(name, schedule) for name in GRADIENT_STEPS for schedule in SCHEDULE_NAMES] + [("lbfgs", None)]


@pytest.mark.parametrize(("name", "schedule"), PAIRS)
def test_every_optimizer_and_schedule_resumes_to_the_same_end(name, schedule, tmp_path):
    """Each pair with two of the combinations of everything else; together they use all of them."""
    index = PAIRS.index((name, schedule))
    for number in (2 * index, 2 * index + 1):
        settings = dict(COMBINATIONS[number % len(COMBINATIONS)])
        if name == "lbfgs":
            settings["dropout"] = 0.0
        check(tmp_path, 2 + number % 4, optimizer=optimizer_of(name, schedule), **settings)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "schedule"), PAIRS)
def test_combinations_resume_to_the_same_end(name, schedule, tmp_path):
    """Each pair with a third of the combinations, each combination with a third of the pairs."""
    first = PAIRS.index((name, schedule)) % 3
    for number, settings in list(enumerate(COMBINATIONS))[first::3]:
        if name == "lbfgs" and settings["dropout"]:
            continue
        check(tmp_path, 2 + number % 4, optimizer=optimizer_of(name, schedule), **settings)


@pytest.mark.parametrize("stop_in", range(2, EPOCHS + 1))
def test_a_run_stopped_in_any_epoch_resumes_to_the_same_end(stop_in, tmp_path):
    check(tmp_path, stop_in, dropout=0.3, validation=0.2, optimizer="adam(cosine(0.1))")


def test_a_run_with_rare_checkpoints_resumes_from_the_last(tmp_path):
    check(tmp_path, 6, every=2, dropout=0.3, optimizer="momentum(cosine(0.1))")


def test_a_weighted_run_resumes_to_the_same_end(tmp_path):
    check(tmp_path, 3, weight=np.linspace(0.5, 2, 30), validation=0.2)


def test_a_run_in_single_precision_with_frozen_parameters_resumes_to_the_same_end(tmp_path):
    nets = [small(dtype="float32"), small(dtype="float32")]
    for net, name, callbacks in zip(nets, ("full", "part"), ([], [raising_in(4)]), strict=True):
        net.freeze("b2", "W1[0,0]")
        try:
            train(net, X, Y, epochs=6, checkpoint=Checkpoint(tmp_path / name), callbacks=callbacks)
        except Stopped:
            assert name == "part"
    net, _ = resume(tmp_path / "part", X, Y)
    np.testing.assert_array_equal(net.parameters, nets[0].parameters)
    np.testing.assert_array_equal(net.frozen, nets[0].frozen)
    assert digest(tmp_path / "part") == digest(tmp_path / "full")


def test_a_run_can_be_stopped_and_resumed_many_times(tmp_path):
    whole, stopped = small(dropout=0.3), small(dropout=0.3)
    settings = {"epochs": EPOCHS, "batch_size": 7, "validation": 0.2, "optimizer": "adam(cosine(0.1))"}
    expected = train(whole, X, Y, checkpoint=Checkpoint(tmp_path / "full"), **settings)
    with pytest.raises(Stopped):
        train(stopped, X, Y, checkpoint=Checkpoint(tmp_path / "part"), callbacks=[raising_in(2)], **settings)
    for epoch in range(3, EPOCHS + 1):
        with pytest.raises(Stopped):
            resume(tmp_path / "part", X, Y, callbacks=[raising_in(epoch)])
    net, history = resume(tmp_path / "part", X, Y)
    np.testing.assert_array_equal(net.parameters, whole.parameters)
    assert dict(history) == dict(expected)
    assert digest(tmp_path / "part") == digest(tmp_path / "full")


@pytest.mark.parametrize("name", ["sgd", "adam", "nesterov", "lbfgs"])
def test_more_epochs_continue_a_finished_run(name, tmp_path):
    """With a constant rate it is the run that had been planned longer."""
    longer, shorter = small(), small()
    expected = train(longer, X, Y, optimizer=name, epochs=9, batch_size=7)
    train(shorter, X, Y, optimizer=name, epochs=4, batch_size=7, checkpoint=Checkpoint(tmp_path / "c"))
    net, history = resume(tmp_path / "c", X, Y, epochs=9)
    np.testing.assert_array_equal(net.parameters, longer.parameters)
    assert dict(history) == dict(expected)


def test_a_finished_run_resumes_to_itself(tmp_path):
    net = small()
    expected = train(net, X, Y, epochs=3, checkpoint=Checkpoint(tmp_path / "c"))
    before = digest(tmp_path / "c")
    again, history = resume(tmp_path / "c", X, Y)
    np.testing.assert_array_equal(again.parameters, net.parameters)
    assert dict(history) == dict(expected)
    assert digest(tmp_path / "c") == before


def test_a_run_that_ended_early_has_ended(tmp_path):
    net = small()
    stopping = EarlyStopping(patience=2, min_delta=100)
    expected = train(net, X, Y, epochs=50, early_stopping=stopping, checkpoint=Checkpoint(tmp_path / "c"))
    again, history = resume(tmp_path / "c", X, Y)
    assert (history.stopped, history.epochs) == ("early", expected.epochs)
    np.testing.assert_array_equal(again.parameters, net.parameters)


def test_resuming_can_write_to_another_file(tmp_path):
    train(small(), X, Y, epochs=2, checkpoint=Checkpoint(tmp_path / "one"))
    before = digest(tmp_path / "one")
    resume(tmp_path / "one", X, Y, epochs=4, checkpoint=Checkpoint(tmp_path / "two"))
    assert digest(tmp_path / "one") == before
    assert resume(tmp_path / "two", X, Y)[1].epochs == 4


def test_the_generator_of_callbacks_sees_epochs_go_on_where_they_stopped(tmp_path):
    train(small(), X, Y, epochs=2, checkpoint=Checkpoint(tmp_path / "c"))
    epochs = []
    resume(tmp_path / "c", X, Y, epochs=5, callbacks=[lambda run: epochs.append(run.epoch)])
    assert epochs == [3, 4, 5]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "other",
    [
        {"X": X + 1},
        {"X": X[::-1]},
        {"X": X[:20], "Y": Y[:20]},
        {"Y": 1 - Y},
        {"sample_weight": np.ones(30)},
        {"validation": (X, Y)},
    ],
    ids=["X", "order", "fewer", "Y", "weights", "validation"],
)
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_other_data_are_refused(other, optimizer, tmp_path):
    train(small(), X, Y, epochs=2, optimizer=optimizer, checkpoint=Checkpoint(tmp_path / "c"))
    before = digest(tmp_path / "c")
    given = {"X": X, "Y": Y} | other
    with pytest.raises(InputError, match="trained on other samples"):
        resume(tmp_path / "c", given.pop("X"), given.pop("Y"), **given)
    assert digest(tmp_path / "c") == before


@pytest.mark.parametrize("given", [None, (X[:5], Y[:5]), (X[:4], 1 - Y[:4])])
def test_other_validation_data_are_refused(given, tmp_path):
    train(small(), X, Y, epochs=2, validation=(X[:4], Y[:4]), checkpoint=Checkpoint(tmp_path / "c"))
    with pytest.raises(InputError, match="trained on other samples"):
        resume(tmp_path / "c", X, Y, validation=given)


def test_another_fraction_is_refused(tmp_path):
    train(small(), X, Y, epochs=2, validation=0.2, checkpoint=Checkpoint(tmp_path / "c"))
    with pytest.raises(InputError, match="a fraction is remembered"):
        resume(tmp_path / "c", X, Y, validation=0.4)


def test_a_plain_model_is_refused(tmp_path):
    small().save(tmp_path / "m")
    with pytest.raises(ModelFileError, match="without training state"):
        resume(tmp_path / "m", X, Y)


@pytest.mark.parametrize("epochs", [0, -1, 2.5, "3", True])
def test_a_number_of_epochs_that_is_none_is_refused(epochs, tmp_path):
    train(small(), X, Y, epochs=2, checkpoint=Checkpoint(tmp_path / "c"))
    with pytest.raises(InputError, match="epochs must be a whole number"):
        resume(tmp_path / "c", X, Y, epochs=epochs)


def test_a_checkpoint_is_a_model_that_can_be_loaded_and_used(tmp_path):
    from deltarule import load

    net = small()
    train(net, X, Y, epochs=2, checkpoint=Checkpoint(tmp_path / "c"))
    np.testing.assert_array_equal(load(tmp_path / "c").predict(X), net.predict(X))


# ---------------------------------------------------------------- killed processes

SCRIPT = """
import os, signal, sys
import numpy as np
import deltarule as dr

path, kill_in = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(100, 5)), np.eye(3)[rng.integers(0, 3, 100)]

def kill(run):
    if run.epoch == kill_in:
        os.kill(os.getpid(), signal.SIGKILL)

settings = dict(callbacks=[kill], checkpoint=dr.Checkpoint(path))
if os.path.exists(path):
    net, history = dr.resume(path, X, Y, **settings)
else:
    net = dr.Network([5, 8, 3], output="softmax", dropout=0.2, seed=1)
    history = dr.train(
        net, X, Y, optimizer="adam(cosine(0.05))", epochs=int(sys.argv[3]), validation=0.2,
        early_stopping=dr.EarlyStopping(patience=1000), **settings,
    )
net.save(path + ".model")
history.to_csv(path + ".csv")
"""
FILES = ["{}", "{}.model", "{}.csv"]


def assert_same_files(folder, one, other):
    for name in FILES:
        assert digest(folder / name.format(one)) == digest(folder / name.format(other))


def test_a_killed_process_resumes_to_the_same_bytes(tmp_path):
    python(SCRIPT, "whole", 0, 12, folder=tmp_path)
    for epoch in (5, 9):
        status, _ = python(SCRIPT, "killed", epoch, 12, folder=tmp_path, check=False)
        assert status == -signal.SIGKILL
        assert not (tmp_path / "killed.model").exists()
    python(SCRIPT, "killed", 0, 12, folder=tmp_path)
    assert_same_files(tmp_path, "killed", "whole")


@pytest.mark.slow
def test_a_process_killed_at_random_moments_resumes_to_the_same_bytes(tmp_path):
    python(SCRIPT, "whole", 0, 800, folder=tmp_path)
    rng = np.random.default_rng(0)
    killed = 0
    for _ in range(40):
        with start(SCRIPT, "killed", 0, 800, folder=tmp_path) as process:
            try:
                process.wait(timeout=0.25 + rng.uniform(0, 0.4))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
        if (tmp_path / "killed.csv").exists():
            break
    assert killed >= 2
    python(SCRIPT, "killed", 0, 800, folder=tmp_path)
    assert_same_files(tmp_path, "killed", "whole")


def test_ctrl_c_in_a_process_keeps_what_was_learnt(tmp_path):
    script = """
import sys
import numpy as np
import deltarule as dr
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(100, 5)), rng.normal(size=(100, 1))
net = dr.Network([5, 8, 1], seed=1)
before = net.parameters.copy()
print("ready", flush=True)
history = dr.train(net, X, Y, epochs=10**6, checkpoint=dr.Checkpoint("c", every=5))
assert history.stopped == "interrupted"
assert history.epochs > 0
assert np.isfinite(net.parameters).all() and (net.parameters != before).all()
net, more = dr.resume("c", X, Y, epochs=history.epochs + 3)
assert more.epochs == history.epochs + 3
assert more["loss"][: history.epochs] == history["loss"]
print(history.epochs)
"""
    pipe = subprocess.PIPE
    with start(script, folder=tmp_path, stdout=pipe, stderr=pipe) as process:
        assert process.stdout.readline() == "ready\n"
        while not (tmp_path / "c").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert int(out) >= 5

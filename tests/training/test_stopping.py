"""Validation data, early stopping, callbacks: what is watched, and what ends training."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import Checkpoint, EarlyStopping, InputError, Metric, Network, resume, train

from .cases import OPTIMIZER_NAMES, samples, small

X, Y = samples(40)


def scripted(values, increases=False):
    """A metric that takes the given values epoch by epoch, whatever the network answers."""
    left = iter(values)
    return Metric("script", lambda a, y: float(next(left)), "as told", increases)


# ---------------------------------------------------------------- validation


def test_samples_held_out_are_not_trained_on():
    """Poisoned targets would show: the share held out is the same for targets of any value."""
    seen = []
    history = train(
        small(),
        X,
        Y,
        epochs=1,
        validation=0.25,
        callbacks=[lambda run: seen.append((run.samples, run.held_out))],
    )
    rest, held = seen[0]
    assert (len(rest), len(held)) == (30, 10)
    together = np.vstack([rest.x, held.x])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(X, axis=0))
    alone = small()
    train(alone, rest.x, rest.y, epochs=1)
    assert history["val_loss"] == pytest.approx([alone.cost(held.x, held.y)], rel=1e-13)


@pytest.mark.parametrize(("fraction", "n_held"), [(0.025, 1), (0.1, 4), (0.5, 20), (0.97, 39)])
def test_the_fraction_held_out_is_rounded_to_whole_samples(fraction, n_held):
    sizes = []
    train(small(), X, Y, epochs=1, validation=fraction, callbacks=[lambda r: sizes.append(len(r.held_out))])
    assert sizes == [n_held]


def test_a_split_depends_on_the_seed_alone():
    def held(seed):
        parts = []
        callbacks = [lambda run: parts.append(run.held_out.x)]
        train(small(), X, Y, epochs=1, validation=0.3, seed=seed, callbacks=callbacks)
        return parts[0]

    np.testing.assert_array_equal(held(3), held(3))
    assert (held(3) != held(4)).any()


def test_other_validation_data_leave_all_samples_to_training():
    with_data, without = small(), small()
    history = train(with_data, X, Y, epochs=3, validation=(X[:5] + 1, Y[:5]))
    train(without, X, Y, epochs=3)
    np.testing.assert_array_equal(with_data.parameters, without.parameters)
    assert history["val_loss"][-1] == pytest.approx(with_data.cost(X[:5] + 1, Y[:5]), rel=1e-13)


@pytest.mark.parametrize("nothing", [None, 0, 0.0])
def test_no_validation_gives_no_column(nothing):
    assert "val_loss" not in train(small(), X, Y, epochs=1, validation=nothing)


@pytest.mark.parametrize("n_parts", [0, 1, 3])
def test_validation_data_of_other_than_two_parts_are_refused(n_parts):
    with pytest.raises(InputError, match=f"validation must be .* got {n_parts} parts"):
        train(small(), X, Y, validation=(X,) * n_parts)


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan"), float("inf"), True, "0.5", [], {}, 10**400])
def test_validation_that_is_no_fraction_is_refused(fraction):
    net = small()
    before = net.parameters.copy()
    with pytest.raises(InputError, match="validation"):
        train(net, X, Y, validation=fraction)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_a_fraction_that_leaves_nothing_is_refused(fraction):
    with pytest.raises(InputError, match="both need at least one"):
        train(small(), X, Y, validation=fraction)


# ---------------------------------------------------------------- early stopping


def test_training_stops_after_as_many_epochs_without_improvement_as_allowed():
    values = [5, 4, 3, 3, 3.5, 2, 2, 2, 2, 0]
    for sign in (1, -1):
        history = train(
            small(),
            X,
            Y,
            epochs=50,
            metrics=[scripted([sign * value for value in values], increases=sign < 0)],
            early_stopping=EarlyStopping("script", patience=3),
        )
        assert history.epochs == 9
        assert history.stopped == "early"


def test_training_ends_with_the_weights_of_the_best_epoch():
    snapshots = []
    net = small()
    train(
        net,
        X,
        Y,
        epochs=20,
        metrics=[scripted([5, 4, 1, 3, 2, 2, 2])],
        early_stopping=EarlyStopping("script", patience=3),
        callbacks=[lambda run: snapshots.append(run.net.parameters.copy())],
    )
    assert len(snapshots) == 6
    np.testing.assert_array_equal(net.parameters, snapshots[2])


def test_training_ends_with_the_last_weights_where_asked():
    snapshots = []
    net = small()
    train(
        net,
        X,
        Y,
        epochs=20,
        metrics=[scripted([5, 1, 3, 2, 2])],
        early_stopping=EarlyStopping("script", patience=2, restore_best=False),
        callbacks=[lambda run: snapshots.append(run.net.parameters.copy())],
    )
    assert len(snapshots) == 4
    np.testing.assert_array_equal(net.parameters, snapshots[-1])


def test_without_patience_training_goes_to_its_end_and_back_to_the_best():
    snapshots = []
    net = small()
    history = train(
        net,
        X,
        Y,
        epochs=8,
        metrics=[scripted([5, 1, 3, 2, 2, 9, 9, 9])],
        early_stopping=EarlyStopping("script", patience=None),
        callbacks=[lambda run: snapshots.append(run.net.parameters.copy())],
    )
    assert history.epochs == 8
    assert history.stopped == "finished"
    np.testing.assert_array_equal(net.parameters, snapshots[1])


def test_an_improvement_smaller_than_asked_for_is_none():
    values = [5, 4.5, 4.1, 3.9, 3.5, 3.5]
    stopping = EarlyStopping("script", patience=3, min_delta=1)
    history = train(small(), X, Y, epochs=50, metrics=[scripted([*values, 3.4])], early_stopping=stopping)
    assert history.epochs == 7  # 3.9 improves on 5, and nothing after it on 3.9


def test_the_best_of_equal_epochs_is_the_first():
    snapshots = []
    net = small()
    train(
        net,
        X,
        Y,
        epochs=4,
        metrics=[scripted([2, 1, 1, 1])],
        early_stopping=EarlyStopping("script", patience=None),
        callbacks=[lambda run: snapshots.append(run.net.parameters.copy())],
    )
    np.testing.assert_array_equal(net.parameters, snapshots[1])


@pytest.mark.parametrize("monitor", ["accuracy", "val_accuracy", "loss", "val_loss", "mae"])
def test_whether_more_is_better_follows_from_what_is_monitored(monitor):
    net = small()
    history = train(
        net,
        X,
        Y,
        epochs=30,
        validation=0.25,
        metrics=["accuracy", "mae"],
        optimizer="adam(0.1)",
        early_stopping=EarlyStopping(monitor, patience=None),
        callbacks=[snapshots := _Snapshots()],
    )
    best = (np.argmax if "accuracy" in monitor else np.argmin)(history[monitor])
    np.testing.assert_array_equal(net.parameters, snapshots.taken[best])


class _Snapshots:
    def __init__(self):
        self.taken = []

    def __call__(self, run):
        self.taken.append(run.net.parameters.copy())


@pytest.mark.parametrize(("validation", "monitored"), [(None, "loss"), (0.3, "val_loss")])
def test_the_loss_is_monitored_where_nothing_is_named(validation, monitored):
    net = small()
    history = train(
        net,
        X,
        Y,
        epochs=40,
        optimizer="adam(0.3)",
        validation=validation,
        early_stopping=EarlyStopping(patience=None),
        callbacks=[snapshots := _Snapshots()],
    )
    np.testing.assert_array_equal(net.parameters, snapshots.taken[int(np.argmin(history[monitored]))])


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_every_optimizer_stops_early(optimizer):
    history = train(
        small(), X, Y, epochs=50, optimizer=optimizer, early_stopping=EarlyStopping(patience=3, min_delta=100)
    )
    assert history.epochs == 4
    assert history.stopped == "early"


@pytest.mark.parametrize("monitor", ["val_loss", "los", "accuracy", "epoch", 3])
def test_a_column_that_will_not_be_there_cannot_be_monitored(monitor):
    net = small()
    before = net.parameters.copy()
    with pytest.raises(InputError, match=r"no column .* to monitor; there will be loss"):
        train(net, X, Y, early_stopping=EarlyStopping(monitor))
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("stopping", ["yes", True, 3, EarlyStopping])
def test_early_stopping_is_a_record(stopping):
    with pytest.raises(InputError, match="early_stopping must be"):
        train(small(), X, Y, early_stopping=stopping)


# ---------------------------------------------------------------- callbacks


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_callbacks_are_called_once_an_epoch_in_their_order(optimizer):
    calls = []
    train(
        small(),
        X,
        Y,
        optimizer=optimizer,
        epochs=4,
        callbacks=[lambda run: calls.append(("a", run.epoch)), lambda run: calls.append(("b", run.epoch))],
    )
    assert calls == [(name, epoch) for epoch in range(1, 5) for name in "ab"]


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_a_callback_can_end_training(optimizer):
    net = small()
    snapshots = _Snapshots()

    def stop(run):
        run.stop = run.epoch == 3

    history = train(net, X, Y, optimizer=optimizer, epochs=10, callbacks=[snapshots, stop])
    assert history.epochs == 3
    assert history.stopped == "callback"
    np.testing.assert_array_equal(net.parameters, snapshots.taken[-1])


def test_callbacks_see_the_run():
    def look(run):
        assert run.history.epochs == run.epoch
        assert run.history["loss"][-1] > 0
        assert run.settings.epochs == 2
        assert run.net is net
        assert run.updates == 4 * run.epoch

    net = small()
    train(net, X, Y, epochs=2, batch_size=10, callbacks=[look])


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_what_a_callback_raises_comes_out_and_leaves_a_sound_network_and_checkpoint(optimizer, tmp_path):
    class Ouch(Exception):
        pass

    def fail(run):
        if run.epoch == 3:
            raise Ouch

    net, path = small(), tmp_path / "c"
    with pytest.raises(Ouch):
        train(net, X, Y, optimizer=optimizer, epochs=9, callbacks=[fail], checkpoint=Checkpoint(path))
    assert np.isfinite(net.parameters).all()
    _, history = resume(path, X, Y)
    assert history.epochs == 9
    assert [entry.name for entry in tmp_path.iterdir()] == ["c"]


@pytest.mark.parametrize("callbacks", [None, 3, print, [3], "no", [None]])
def test_callbacks_that_cannot_be_called_are_refused(callbacks):
    net = small()
    before = net.parameters.copy()
    with pytest.raises(InputError, match="callbacks must be a sequence of callables"):
        train(net, X, Y, callbacks=callbacks)
    np.testing.assert_array_equal(net.parameters, before)


def test_a_network_that_learns_nothing_more_stops_at_the_first_patience():
    net = Network([3, 2])
    net.freeze("W", "b")
    history = train(net, X, Y, epochs=50, batch_size=None, early_stopping=EarlyStopping(patience=4))
    assert history.epochs == 5

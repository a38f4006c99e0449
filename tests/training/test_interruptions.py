"""Ctrl-C, lack of memory, a failing disk: what was learnt is kept, and the network stays sound."""

from __future__ import annotations

import errno
import gc
import os
import pathlib
import signal
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from deltarule import Checkpoint, EarlyStopping, files, resume, train
from deltarule.nn.engines import reference
from deltarule.nn.engines.contract import UPDATE_WORK

from .cases import OPTIMIZER_NAMES, digest, samples, small

X, Y = samples(40)


# ---------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_ctrl_c_ends_training_with_what_was_learnt(optimizer, tmp_path):
    taken = []

    def press(run):
        taken.append(run.net.parameters.copy())
        if run.epoch == 3:
            raise KeyboardInterrupt

    net = small()
    history = train(
        net, X, Y, optimizer=optimizer, epochs=9, callbacks=[press], checkpoint=Checkpoint(tmp_path / "c")
    )
    assert history.stopped == "interrupted"
    assert history.epochs == 3
    assert history.seconds > 0
    np.testing.assert_array_equal(net.parameters, taken[-1])
    _, more = resume(tmp_path / "c", X, Y)
    assert more.epochs == 9
    assert more.stopped == "finished"


def test_ctrl_c_in_the_middle_of_an_epoch_keeps_the_updates_made(monkeypatch):
    backward, calls = reference.backward, []

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == 7:  # 4 batches an epoch: the third of the second
            raise KeyboardInterrupt
        return backward(*arguments)

    monkeypatch.setattr(reference, "backward", pressed)
    monkeypatch.setattr(reference, "BLOCK", 0)
    net, one_epoch = small(), small()
    history = train(net, X, Y, epochs=9, batch_size=10, engine="reference")
    monkeypatch.undo()
    train(one_epoch, X, Y, epochs=1, batch_size=10, engine="reference")
    assert history.stopped == "interrupted"
    assert history.epochs == 1
    assert np.isfinite(net.parameters).all()
    assert (net.parameters != one_epoch.parameters).any()


def test_ctrl_c_among_epochs_that_are_made_together_waits_until_they_are_entered(monkeypatch):
    backward, calls = reference.backward, []

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == 7:
            signal.raise_signal(signal.SIGINT)
        return backward(*arguments)

    net, other = small(), small()
    monkeypatch.setattr(reference, "backward", pressed)
    monkeypatch.setattr(reference, "BLOCK", 3 * (len(X) * net.parameters.size + 4 * UPDATE_WORK))
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    history = train(net, X, Y, epochs=9, batch_size=10, engine="reference")
    signal.signal(signal.SIGINT, handler)
    assert (history.stopped, history.epochs) == ("interrupted", 3)
    train(other, X, Y, epochs=3, batch_size=10, engine="reference")
    np.testing.assert_array_equal(net.parameters, other.parameters)


def test_ctrl_c_before_the_first_epoch_gives_an_empty_history(monkeypatch):
    def pressed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(reference, "backward", pressed)
    net = small()
    before = net.parameters.copy()
    history = train(net, X, Y, engine="reference")
    assert (history.stopped, history.epochs, str(history)) == ("interrupted", 0, "")
    np.testing.assert_array_equal(net.parameters, before)


def test_ctrl_c_leaves_the_best_weights_where_asked():
    taken = []

    def press(run):
        taken.append(run.net.parameters.copy())
        if run.epoch == 6:
            raise KeyboardInterrupt

    net = small()
    history = train(
        net,
        X,
        Y,
        optimizer="adam(1.0)",
        epochs=9,
        callbacks=[press],
        early_stopping=EarlyStopping(patience=9),
    )
    np.testing.assert_array_equal(net.parameters, taken[int(np.argmin(history["loss"]))])


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
def test_lack_of_memory_at_any_allocation_leaves_a_sound_network(optimizer, monkeypatch, tmp_path):
    """Each n in turn: the n-th call that allocates raises, until training gets through."""
    names = ["forward", "backward", "cost"]
    originals = {name: getattr(reference, name) for name in names}
    empty = np.empty
    for n in range(1, 200):
        left = [n]

        def count(left=left):
            left[0] -= 1
            if left[0] == 0:
                raise MemoryError("no room")

        def failing(original, count=count):
            def call(*arguments, **more):
                count()
                result = original(*arguments, **more)
                count()
                return result

            return call

        net = small(l2=0.1)
        path = tmp_path / "c"
        path.unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            for name in names:
                patch.setattr(reference, name, failing(originals[name]))
            patch.setattr(np, "empty", failing(empty))
            try:
                train(
                    net,
                    X,
                    Y,
                    optimizer=optimizer,
                    epochs=2,
                    batch_size=20,
                    metrics=["accuracy"],
                    validation=0.25,
                    checkpoint=Checkpoint(path),
                    engine="reference",
                )
                through = True
            except MemoryError as error:
                assert str(error) == "no room"  # noqa: PT017
                through = False
        assert np.isfinite(net.parameters).all()
        assert np.isfinite(net.predict(X)).all()
        assert train(net, X, Y, optimizer=optimizer, epochs=1).epochs == 1
        if path.exists():
            resume(path, X, Y)
        assert [entry.name for entry in tmp_path.iterdir()] in ([], ["c"])
        if through:
            break
    assert through
    assert n > 10


# ---------------------------------------------------------------- the disk


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_ends_training_and_leaves_the_last_checkpoint(call, tmp_path, monkeypatch):
    path = tmp_path / "c"
    original, calls, states = getattr(os, call), [], []

    def full(*arguments):
        calls.append(1)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*arguments)

    monkeypatch.setattr(os, call, full)
    net = small()
    with pytest.raises(OSError, match="No space left"):
        train(
            net,
            X,
            Y,
            epochs=20,
            checkpoint=Checkpoint(path),
            callbacks=[lambda run: states.append(digest(path) if path.exists() else None)],
        )
    monkeypatch.undo()
    assert digest(path) == states[-1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["c"]
    assert np.isfinite(net.parameters).all()
    assert resume(path, X, Y)[1].epochs == 20


# ---------------------------------------------------------------- a hundred fits


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def _traced_memory():
    """Bytes that Python holds, without the table of interned strings, which pathlib makes grow in leaps."""
    gc.collect()
    own = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(False, pathlib.__file__)])
    return sum(trace.size for trace in own.traces)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.slow
def test_a_hundred_fits_leave_memory_files_and_threads_as_they_were(optimizer, tmp_path):
    def fit():
        net = small(dropout=0.0 if optimizer == "lbfgs" else 0.2)
        train(
            net,
            X,
            Y,
            optimizer=optimizer,
            epochs=2,
            validation=0.25,
            metrics=["accuracy"],
            early_stopping=EarlyStopping(),
            checkpoint=Checkpoint(tmp_path / "c"),
        )

    fit()
    files, threads = _open_files(), threading.active_count()
    tracemalloc.start()
    try:
        for _ in range(50):  # until Python's and SciPy's own caches are filled
            fit()
        before = _traced_memory()
        for _ in range(100):
            fit()
        after = _traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert _open_files() == files
    assert threading.active_count() == threads
    assert [entry.name for entry in tmp_path.iterdir()] == ["c"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_ctrl_c_while_the_temporary_file_is_made_leaves_none(moment, tmp_path, monkeypatch):
    """The signal may come when the file is there and nobody knows its name yet."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    real, calls = os.open, []

    def pressed(path, *arguments):
        calls.extend([1] * str(path).endswith(".tmp"))
        third = len(calls) == 3 and str(path).endswith(".tmp")
        if third and moment == "before":
            raise KeyboardInterrupt
        descriptor = real(path, *arguments)
        if third:
            os.close(descriptor)
            raise KeyboardInterrupt
        return descriptor

    monkeypatch.setattr(files.os, "open", pressed)
    history = train(small(), X, Y, epochs=9, checkpoint=Checkpoint(tmp_path / "c"))
    assert (history.stopped, history.epochs) == ("interrupted", 3)
    assert [entry.name for entry in tmp_path.iterdir()] == ["c"]
    assert len(resume(tmp_path / "c", X, Y)[1]["loss"]) == 9


def test_a_checkpoint_may_have_the_longest_name_that_the_disk_takes(tmp_path):
    path = tmp_path / ("数" * 85)  # 255 bytes
    train(small(), X, Y, epochs=2, checkpoint=Checkpoint(path))
    assert resume(path, X, Y)[1].epochs == 2

"""The history: its columns, its table, its file."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from deltarule import EarlyStopping, History, InputError, train

from .cases import samples, small

X, Y = samples()


def history_of(rows, **more):
    history = History()
    for epoch in range(1, rows + 1):
        history.append({"epoch": epoch, "loss": 1 / 3**epoch, **more})
    return history


@pytest.mark.parametrize(
    ("settings", "columns"),
    [
        ({}, ["epoch", "loss", "learning_rate"]),
        ({"metrics": ["accuracy"]}, ["epoch", "loss", "accuracy", "learning_rate"]),
        (
            {"metrics": ["accuracy", "mae"], "validation": 0.25},
            ["epoch", "loss", "accuracy", "mae", "val_loss", "val_accuracy", "val_mae", "learning_rate"],
        ),
        ({"optimizer": "lbfgs", "validation": (X, Y)}, ["epoch", "loss", "val_loss"]),
    ],
)
def test_columns_say_what_was_asked_for(settings, columns):
    history = train(small(), X, Y, epochs=3, **settings)
    assert list(history) == columns
    assert len(history) == len(columns)
    assert history["epoch"] == [1, 2, 3]
    assert all(len(history[name]) == 3 for name in columns)
    assert all(type(value) in (int, float) for name in columns for value in history[name])
    assert history.epochs == 3
    assert history.stopped == "finished"
    assert history.seconds > 0
    assert history.engine in ("reference", "compiled")


def test_measures_are_of_the_network_after_the_epoch():
    net, seen = small(), []
    history = train(
        net,
        X,
        Y,
        epochs=4,
        validation=(X[:7], Y[:7]),
        metrics=["mae"],
        callbacks=[lambda run: seen.append((run.net.cost(X[:7], Y[:7]), run.net.predict(X)))],
    )
    np.testing.assert_allclose(history["val_loss"], [cost for cost, _ in seen], rtol=1e-13)
    np.testing.assert_allclose(history["mae"], [np.abs(a - Y).mean() for _, a in seen], rtol=1e-13)


def test_the_loss_of_the_first_full_batch_is_the_cost_before_training():
    net = small()
    before = net.cost(X, Y)
    assert train(net, X, Y, epochs=2, batch_size=None)["loss"][0] == pytest.approx(before, rel=1e-14)


def test_a_missing_column_is_answered_with_the_nearest_one():
    with pytest.raises(KeyError, match="did you mean 'loss'"):
        history_of(2)["los"]


def test_a_row_has_the_numbers_of_one_epoch():
    assert history_of(3).row(-1) == {"epoch": 3, "loss": 1 / 27}
    assert history_of(3).row(0) == {"epoch": 1, "loss": 1 / 3}


def test_a_short_history_is_printed_whole():
    assert str(history_of(3)).splitlines() == [
        "epoch     loss",
        "    1   0.3333",
        "    2   0.1111",
        "    3  0.03704",
    ]


@pytest.mark.parametrize("epochs", [12, 13, 500])
def test_a_long_history_is_printed_in_twelve_rows_from_the_first_to_the_last(epochs):
    lines = str(history_of(epochs)).splitlines()
    shown = [int(line.split()[0]) for line in lines[1:]]
    assert len(shown) == 12
    assert (shown[0], shown[-1]) == (1, epochs)
    assert shown == sorted(set(shown))
    assert len({len(line) for line in lines}) == 1
    assert repr(history_of(epochs)) == str(history_of(epochs))


def test_an_empty_history_prints_nothing():
    assert str(History()) == ""
    assert History().epochs == 0
    assert History().to_array().shape == (0, 0)


@pytest.mark.parametrize("rows", [0, 3])
def test_ctrl_c_between_two_columns_leaves_no_half_row(rows, tmp_path):
    class Columns(dict):
        def items(self):
            yield from [("epoch", [rows + 1]), ("loss", [0.5])]
            raise KeyboardInterrupt

    history = history_of(rows, accuracy=1.0)
    with pytest.raises(KeyboardInterrupt):
        history.extend(Columns())
    assert history.epochs == rows
    assert {len(values) for values in history.values()} == {rows}
    history.to_csv(tmp_path / "h.csv")
    history.append({"epoch": rows + 1, "loss": 0.5, "accuracy": 1.0})
    assert history.to_array().shape == (rows + 1, 3)


def test_the_file_holds_every_bit(tmp_path):
    history = train(small(), X, Y, epochs=40, validation=0.25, metrics=["mae"])
    history.to_csv(tmp_path / "h.csv")
    with (tmp_path / "h.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == list(history)
    read = np.array(rows, dtype=float)
    np.testing.assert_array_equal(read, history.to_array())
    assert [row[0] for row in rows] == [str(epoch) for epoch in range(1, 41)]


def test_the_array_gives_the_same_history_again():
    history = train(small(), X, Y, epochs=7, validation=0.25, metrics=["accuracy"])
    again = History.from_array(list(history), history.to_array())
    assert dict(again) == dict(history)
    assert [type(epoch) for epoch in again["epoch"]] == [int] * 7


def test_equal_runs_give_equal_files(tmp_path):
    for name in ("one.csv", "two.csv"):
        train(small(), X, Y, epochs=5, validation=0.25).to_csv(tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        history_of(1).to_csv(tmp_path / "missing" / "h.csv")


def test_numbers_of_a_run_that_stopped_early_are_all_kept():
    history = train(small(), X, Y, epochs=500, early_stopping=EarlyStopping(patience=2, min_delta=0.5))
    assert history.stopped == "early"
    assert history.epochs < 500
    assert all(math.isfinite(value) for value in history["loss"])

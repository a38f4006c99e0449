"""What training refuses, what it takes, and that it changes nothing it was given."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule import Checkpoint, EarlyStopping, InputError, Network, ShapeError, resume, train

from .cases import OPTIMIZER_NAMES, samples, small

X, Y = samples()
RIGHT = {"X": X, "Y": Y, "sample_weight": np.ones(24), "val_X": X[:5], "val_Y": Y[:5]}


def attempt(**changed):
    """Train with some of the arrays replaced; the network must come out as it went in."""
    given = RIGHT | changed
    net = small()
    before = net.parameters.copy()
    try:
        train(
            net,
            given["X"],
            given["Y"],
            sample_weight=given["sample_weight"],
            validation=(given["val_X"], given["val_Y"]),
            epochs=2,
        )
    finally:
        np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("X", (17, 2), "X must hold finite numbers, got {} at row 17, column 2"),
        ("Y", (3, 1), "Y must hold finite numbers, got {} at row 3, column 1"),
        ("sample_weight", (9,), "sample_weight must hold finite numbers, got {} at row 9"),
        ("val_X", (4, 0), "X must hold finite numbers, got {} at row 4, column 0"),
        ("val_Y", (0, 1), "Y must hold finite numbers, got {} at row 0, column 1"),
    ],
)
def test_numbers_that_are_not_finite_are_refused_with_their_place(name, place, message, bad):
    array = RIGHT[name].copy()
    array[place] = bad
    with pytest.raises(InputError) as caught:
        attempt(**{name: array})
    assert message.format(bad) in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"X": X[:0], "Y": Y[:0]}, ShapeError),
        ({"X": X[:, :0]}, ShapeError),
        ({"X": X[:, 0]}, ShapeError),
        ({"X": X[None]}, ShapeError),
        ({"X": X[:, :2]}, ShapeError),
        ({"X": np.c_[X, X]}, ShapeError),
        ({"X": X[:5]}, ShapeError),
        ({"Y": Y[:5]}, ShapeError),
        ({"Y": Y[:, :1]}, ShapeError),
        ({"Y": np.c_[Y, Y]}, ShapeError),
        ({"Y": Y[0, 0]}, ShapeError),
        ({"Y": np.full(24, 2)}, InputError),
        ({"Y": np.full(24, 0.5)}, InputError),
        ({"Y": -Y}, InputError),
        ({"Y": 2 * Y}, InputError),
        ({"X": [[1, 2, 3], [1, 2]]}, ShapeError),
        ({"X": [[1, 2, "three"]] * 24}, InputError),
        ({"X": X.astype(complex)}, InputError),
        ({"X": None}, InputError),
        ({"Y": None}, InputError),
        ({"Y": ["a", "b"] * 12}, InputError),
        ({"X": [[1, None, 2]] * 24}, InputError),
        ({"X": np.full((24, 3), 1e300, dtype=object)[:, :2]}, ShapeError),
        ({"sample_weight": np.ones(23)}, ShapeError),
        ({"sample_weight": np.ones((24, 1))}, ShapeError),
        ({"sample_weight": -np.ones(24)}, InputError),
        ({"sample_weight": np.zeros(24)}, InputError),
        ({"sample_weight": 3}, ShapeError),
        ({"sample_weight": ["a"] * 24}, InputError),
        ({"val_X": X[:3]}, ShapeError),
        ({"val_X": X[:5, :2]}, ShapeError),
        ({"val_X": X[:0], "val_Y": Y[:0]}, ShapeError),
        ({"val_Y": None}, InputError),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed, error):
    with pytest.raises(error):
        attempt(**changed)


def test_numbers_beyond_single_precision_are_refused_in_single_precision():
    net = small(dtype="float32")
    with pytest.raises(InputError, match=r"as float32 must hold finite numbers, got inf at row 0, column 1"):
        train(net, np.array([[1, 1e300, 1]]), Y[:1])


JUNK = [None, -1, 0, float("nan"), float("inf"), "1", [], 10**12, object(), 2.5, True, 1j]


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("optimizer", ()),
        ("epochs", ()),  # 10**12 is taken, and is not tried here
        ("batch_size", (None, 10**12)),
        ("metrics", ([],)),
        ("early_stopping", (None,)),
        ("checkpoint", (None,)),
        ("callbacks", ([],)),
        ("engine", ()),
        ("seed", (None, 0, 10**12)),
        ("validation", (None, 0)),
        ("sample_weight", (None,)),
    ],
)
@pytest.mark.parametrize(
    "value", JUNK, ids=lambda value: type(value).__name__ if type(value) is object else repr(value)
)
def test_every_argument_is_taken_or_refused_by_its_name(name, accepted, value):
    net = small()
    before = net.parameters.copy()
    if any(value is one or (value == one and type(value) is type(one)) for one in accepted):
        train(net, X, Y, **{"epochs": 1, name: value})
        assert np.isfinite(net.parameters).all()
        return
    if (name, value) == ("epochs", 10**12):
        return
    with pytest.raises(InputError, match=f"{name}|metric|must") as caught:
        train(net, X, Y, **{"epochs": 1, name: value})
    assert name.split("_")[0] in str(caught.value)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "addam"}, "unknown optimizer 'addam'; did you mean 'adam'"),
        ({"optimizer": "sgd(cosin(0.1))"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"optimizer": "sgd(0)"}, "learning_rate must be a number > 0"),
        ({"optimizer": "sgd(rate=1)"}, "optimizer 'sgd.rate=1.'"),
        ({"engine": "refrence"}, "unknown engine 'refrence'; did you mean 'reference'"),
        ({"metrics": ["acuracy"]}, "unknown metric 'acuracy'; did you mean 'accuracy'"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest_one(settings, message):
    net = small()
    before = net.parameters.copy()
    with pytest.raises(InputError, match=message):
        train(net, X, Y, **settings)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("value", [0, -1, 2.5, "3", float("nan"), True, []])
def test_records_refuse_bad_fields(value, tmp_path):
    with pytest.raises(InputError, match="patience must be a whole number"):
        EarlyStopping(patience=value)
    with pytest.raises(InputError, match="every must be a whole number"):
        Checkpoint(tmp_path / "c", every=value)
    if value != 2.5 and value != 0:
        with pytest.raises(InputError, match="min_delta must be"):
            EarlyStopping(min_delta=value)


@pytest.mark.parametrize("path", [3, None, [], 2.5])
def test_a_checkpoint_is_written_to_a_path(path):
    with pytest.raises(InputError, match="checkpoint: path must be a path"):
        Checkpoint(path)


def test_a_checkpoint_that_could_not_be_written_is_refused_before_training(tmp_path):
    net = small()
    before = net.parameters.copy()
    for path in (tmp_path / "missing" / "c", tmp_path):
        with pytest.raises(InputError, match="cannot write"):
            train(net, X, Y, checkpoint=Checkpoint(path))
    np.testing.assert_array_equal(net.parameters, before)


def test_numpy_numbers_are_numbers(tmp_path):
    ours, theirs = small(), small()
    train(
        ours,
        X,
        Y,
        epochs=np.int64(3),
        batch_size=np.int32(5),
        seed=np.uint8(4),
        validation=np.float32(0.25),
        early_stopping=EarlyStopping(patience=np.int16(9), min_delta=np.float32(0)),
        checkpoint=Checkpoint(tmp_path / "c", every=np.int64(2)),
    )
    train(
        theirs,
        X,
        Y,
        epochs=3,
        batch_size=5,
        seed=4,
        validation=0.25,
        early_stopping=EarlyStopping(patience=9),
    )
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)
    assert resume(tmp_path / "c", X, Y)[1].epochs == 3


# ---------------------------------------------------------------- the smallest data


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
@pytest.mark.parametrize(
    ("x", "y", "batch_size"),
    [
        (X[:1], Y[:1], 32),
        (X, np.eye(2)[np.zeros(24, int)], 7),
        (np.ones((24, 3)), Y, 7),
        (np.zeros((24, 3)), Y, None),
        (np.repeat(X[:1], 24, axis=0), np.repeat(Y[:1], 24, axis=0), 5),
        (X, Y, 10**9),
        (X, Y, 23),
        (X, Y, 1),
    ],
    ids=[
        "one-sample",
        "one-class",
        "constant",
        "zeros",
        "duplicates",
        "huge-batch",
        "last-batch-of-1",
        "one-by-one",
    ],
)
def test_the_smallest_data_train_to_finite_networks(optimizer, x, y, batch_size):
    net = small()
    history = train(
        net, x, y, optimizer=optimizer, epochs=3, batch_size=batch_size, metrics=["accuracy", "r2"]
    )
    assert np.isfinite(net.parameters).all()
    assert np.isfinite(history.to_array()).all()


def test_a_batch_larger_than_the_data_is_all_of_them():
    huge, whole = small(), small()
    train(huge, X, Y, batch_size=10**9, epochs=3)
    train(whole, X, Y, batch_size=None, epochs=3)
    np.testing.assert_array_equal(huge.parameters, whole.parameters)


# ---------------------------------------------------------------- what was given


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_inputs_are_never_modified_and_may_be_read_only(optimizer, dtype):
    given = [array.astype(dtype) for array in (X, Y, np.linspace(0.5, 2, 24), X[:5], Y[:5])]
    copies = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    net = small(dtype=dtype)
    train(
        net,
        given[0],
        given[1],
        sample_weight=given[2],
        validation=tuple(given[3:]),
        optimizer=optimizer,
        epochs=3,
        batch_size=7,
        metrics=["accuracy"],
    )
    for array, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not np.shares_memory(array, net.parameters)


def test_a_network_of_read_only_samples_held_out_by_fraction_trains():
    x, y = X.copy(), Y.copy()
    x.flags.writeable = y.flags.writeable = False
    assert train(Network([3, 2]), x, y, validation=0.25, epochs=2).epochs == 2

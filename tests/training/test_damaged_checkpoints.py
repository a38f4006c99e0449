"""A checkpoint that is damaged, or was made up, is refused by one exception type."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from deltarule import Checkpoint, EarlyStopping, ModelFileError, resume, train
from deltarule.nn.model_files import read_model, write_model

from .cases import samples, small

X, Y = samples()
SETTINGS = {"epochs": 3, "validation": 0.25, "metrics": ["accuracy"], "early_stopping": EarlyStopping()}


@pytest.fixture
def path(tmp_path):
    train(small(), X, Y, checkpoint=Checkpoint(tmp_path / "c"), **SETTINGS)
    return tmp_path / "c"


def refuse(path):
    with pytest.raises(ModelFileError) as caught:
        resume(path, X, Y, epochs=5)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def rewrite(path, change):
    """Change description and arrays, and write them as a sound file with a right checksum."""
    description, arrays = copy.deepcopy(read_model(path))
    change(description["training"], arrays)
    description.pop("format")
    write_model(path, description, arrays)


def put(*place, value):
    def change(state, arrays):
        for key in place[:-1]:
            state = state[key]
        state[place[-1]] = value

    return change


def put_array(name, value):
    return lambda state, arrays: arrays.update({name: value})


NONSENSE = [None, "x", [], {}, -1, 2.5]


def test_the_file_itself_is_sound_when_rewritten_unchanged(path):
    before = path.read_bytes()
    rewrite(path, lambda state, arrays: None)
    assert path.read_bytes() == before
    assert resume(path, X, Y, epochs=5)[1].epochs == 5


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 9, 100, 0.5, 0.9, -1])
def test_a_file_cut_short_is_refused(path, cut):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut) if isinstance(cut, float) else cut])
    refuse(path)


def test_a_flipped_bit_anywhere_is_refused(path):
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.choice(len(data), 300, replace=False):
        damaged = bytearray(data)
        damaged[position] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        refuse(path)


@pytest.mark.parametrize(
    "field", ["settings", "updates", "stopped", "engine", "generators", "columns", "best"]
)
@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_nonsense_in_a_field_of_the_state_is_refused(path, field, value):
    rewrite(path, put(field, value=value))
    refuse(path)


@pytest.mark.parametrize(
    "field", ["settings", "updates", "stopped", "engine", "generators", "columns", "best"]
)
def test_a_missing_field_of_the_state_is_refused(path, field):
    rewrite(path, lambda state, arrays: state.pop(field))
    refuse(path)


def test_an_unknown_field_is_refused(path):
    rewrite(path, put("more", value=1))
    refuse(path)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ([], "its state: expected the fields settings, updates,"),
        (["settings"], "settings: expected the fields opt"),
    ],
)
def test_the_message_says_which_fields_were_expected_and_which_are_there(path, place, said):
    rewrite(path, put(*place, "speed", value=1))
    with pytest.raises(ModelFileError, match=f"{said}.*, got .*speed"):
        resume(path, X, Y, epochs=5)


@pytest.mark.parametrize("state", [None, "x", [], {}, 3])
def test_a_state_that_is_none_is_refused(path, state):
    description, arrays = read_model(path)
    description.pop("format")
    write_model(path, description | {"training": state}, arrays)
    refuse(path)


FIELDS = ["epochs", "batch_size", "shuffle", "seed", "validation_fraction", "optimizer", "metrics"]


SOUND = [("batch_size", None), ("early_stopping", None), ("validation_fraction", None)]
SOUND += [("metrics", []), ("metrics", {}), ("early_stopping", {})]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in [*FIELDS, "early_stopping"]
        for value in NONSENSE
        if (field, value) not in SOUND
    ],
    ids=repr,
)
def test_nonsense_in_a_setting_is_refused(path, field, value):
    rewrite(path, put("settings", field, value=value))
    refuse(path)


@pytest.mark.parametrize("field", [*FIELDS, "early_stopping"])
def test_a_missing_setting_is_refused(path, field):
    rewrite(path, lambda state, arrays: state["settings"].pop(field))
    refuse(path)


def test_an_unknown_setting_is_refused(path):
    rewrite(path, put("settings", "speed", value=1))
    refuse(path)


@pytest.mark.parametrize(
    "columns",
    [
        ["epoch", "lossy", "accuracy", "val_loss", "val_accuracy", "learning_rate"],
        ["loss", "epoch", "accuracy", "val_loss", "val_accuracy", "learning_rate"],
        ["epoch", "loss", "loss", "val_loss", "val_accuracy", "learning_rate"],
        ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"],
        ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "more"],
        ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", 3],
    ],
)
def test_a_history_of_other_columns_is_refused(path, columns):
    rewrite(path, put("columns", value=columns))
    refuse(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["bit_generator"], "MT19937"),
        (["bit_generator"], None),
        (["state"], {}),
        (["state", "state"], -1),
        (["state", "state"], 2**200),
        (["state", "state"], "x"),
        (["state", "inc"], None),
        (["uinteger"], -5),
        (["uinteger"], "x"),
        (["has_uint32"], "x"),
    ],
    ids=str,
)
def test_a_generator_in_an_impossible_state_is_refused(path, place, value):
    whole = path.read_bytes()
    for which in (0, 1):
        path.write_bytes(whole)
        rewrite(path, put("generators", which, *place, value=value))
        refuse(path)


@pytest.mark.parametrize("n_generators", [0, 1, 3])
def test_another_number_of_generators_is_refused(path, n_generators):
    def change(state, arrays):
        state["generators"] = state["generators"][:1] * n_generators

    rewrite(path, change)
    refuse(path)


@pytest.mark.parametrize("best", [[1.0], [1.0, 2, 3], ["x", 1], [None, 1], [1.0, "x"], {"value": 1}])
def test_a_best_epoch_that_is_none_is_refused(path, best):
    rewrite(path, put("best", value=best))
    refuse(path)


@pytest.mark.parametrize("name", ["slots", "history", "best", "parameters", "frozen"])
def test_a_missing_array_is_refused(path, name):
    rewrite(path, lambda state, arrays: arrays.pop(name))
    refuse(path)


@pytest.mark.parametrize("name", ["slots", "history", "best", "parameters"])
@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (1, 1), (2, 1), (3, 3), (2, 26, 1), (27,), (2, 27)], ids=str
)
def test_arrays_of_other_shapes_are_refused(path, name, shape):
    rewrite(path, put_array(name, np.ones(shape)))
    refuse(path)


@pytest.mark.parametrize("name", ["slots", "best"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_arrays_of_other_number_types_are_refused(path, name, dtype):
    def change(state, arrays):
        arrays[name] = arrays[name].astype(dtype)

    rewrite(path, change)
    refuse(path)


@pytest.mark.parametrize("name", ["slots", "history", "best", "parameters"])
def test_numbers_that_are_not_finite_are_refused(path, name):
    def change(state, arrays):
        arrays[name] = arrays[name].copy()
        arrays[name].flat[-1] = np.nan

    rewrite(path, change)
    refuse(path)


def test_a_history_whose_epochs_do_not_count_up_is_refused(path):
    def change(state, arrays):
        arrays["history"] = arrays["history"][::-1].copy()

    rewrite(path, change)
    refuse(path)


def test_the_network_of_another_checkpoint_is_refused(path):
    other = small(seed=2)
    description, arrays = read_model(path)
    train(other, X, Y, **SETTINGS)

    class Wider:
        description = staticmethod(lambda: {**description, "layers": description["layers"][:1]})

    description = {**Wider.description()}
    description.pop("format")
    write_model(path, description, arrays)
    refuse(path)


@pytest.mark.parametrize(
    "change", [put_array("slots", np.ones((1, 3))), lambda state, arrays: arrays.pop("slots")]
)
def test_a_checkpoint_of_lbfgs_that_does_not_fit_is_refused(tmp_path, change):
    path = tmp_path / "c"
    train(small(), X, Y, optimizer="lbfgs", epochs=3, checkpoint=Checkpoint(path))
    rewrite(path, change)
    refuse(path)


def test_what_is_no_file_is_refused(tmp_path):
    refuse(tmp_path / "missing")
    refuse(tmp_path)

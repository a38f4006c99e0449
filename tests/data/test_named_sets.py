"""Gates, toys and classic sets go by their names."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.data import load, names
from deltarule.data.encoding import Table, fit_encoding
from deltarule.errors import InputError

TOYS = [
    "and", "or", "not", "xor", "parity", "truth_table",
    "circles", "moons", "spirals", "two_spirals", "encoder",
]  # fmt: skip
CLASSIC = {
    "iris": (150, 4, 3),
    "digits": (1797, 64, 10),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "diabetes": (442, 10, None),
}


@pytest.mark.parametrize(
    ("name", "X", "y"),
    [
        ("and", [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]),
        ("or", [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1]),
        ("not", [[0], [1]], [1, 0]),
        ("xor", [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]),
        ("truth_table", [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [0, 1, 1, 0]),
        ("parity(1)", [[0], [1]], [0, 1]),
        ("parity(bits=2)", [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]),
    ],
)
def test_gates_are_what_their_names_say(name: str, X: list, y: list) -> None:
    dataset = load(name)
    assert dataset.X.tolist() == X
    assert dataset.y.tolist() == y
    assert dataset.y.dtype == np.int64
    assert dataset.inputs.names == tuple(f"x{number}" for number in range(1, len(X[0]) + 1))
    assert dataset.classes == (0, 1)


def test_parity_counts_the_ones() -> None:
    dataset = load("parity(5)")
    assert dataset.y.tolist() == [bin(number).count("1") % 2 for number in range(32)]


@pytest.mark.parametrize("name", [*TOYS, *CLASSIC])
def test_every_set_is_described_and_can_be_encoded(name: str) -> None:
    if name in CLASSIC:
        pytest.importorskip("sklearn")
    dataset = load(name)
    assert dataset.name == name
    assert dataset.description == names()[name] != ""
    n_outputs = len(dataset.classes or dataset.target_names)
    X, Y = fit_encoding(dataset).encode(dataset, n_outputs)
    assert len(X) == len(Y) == len(dataset)
    assert np.isfinite(X).all()
    assert Y.shape[1] == n_outputs


def test_all_names_are_listed() -> None:
    assert list(names()) == [*TOYS, *CLASSIC, "mnist"]
    assert all("\n" not in line for line in names().values())


@pytest.mark.parametrize("name", ["circles", "moons", "spirals"])
def test_a_seed_decides_all_that_is_random(name: str) -> None:
    one, same, other = load(f"{name}(seed=1)"), load(f"{name}(seed=1)"), load(f"{name}(seed=2)")
    np.testing.assert_array_equal(one.X, same.X)
    assert not np.array_equal(one.X, other.X)
    assert np.bincount(one.y).tolist() == [100, 100]


def test_random_sets_leave_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    load("moons(50)")
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_circles_have_their_radii() -> None:
    dataset = load("circles(100, noise=0, factor=0.3)")
    np.testing.assert_allclose(np.hypot(*dataset.X.T), np.where(dataset.y == 1, 0.3, 1.0))


def test_moons_are_half_circles() -> None:
    dataset = load("moons(100, noise=0)")
    upper, lower = dataset.X[dataset.y == 0], dataset.X[dataset.y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert (upper[:, 1] >= -1e-12).all()
    assert (lower[:, 1] <= 0.5 + 1e-12).all()


def test_spirals_wind_apart() -> None:
    dataset = load("spirals(400, noise=0, turns=2)")
    radius, angle = np.hypot(*dataset.X.T), np.arctan2(*dataset.X.T[::-1])
    turned = (angle - 2 * np.pi * radius) / np.pi % 2
    np.testing.assert_allclose(np.minimum(abs(turned - dataset.y), 2 - abs(turned - dataset.y)), 0, atol=1e-9)


def test_two_spirals_are_the_published_points() -> None:
    dataset = load("two_spirals")
    assert len(dataset) == 194
    assert dataset.y.tolist() == [1, 0] * 97
    np.testing.assert_array_equal(dataset.X[::2], -dataset.X[1::2])
    np.testing.assert_allclose(dataset.X[0], [0, 6.5])
    np.testing.assert_allclose(
        dataset.X[16], [6, 0], atol=1e-12
    )  # i = 8: a quarter turn, radius 6.5 · 96/104
    np.testing.assert_allclose(dataset.X[192], [0, 0.5], atol=1e-12)


def test_the_encoder_reproduces_its_input() -> None:
    dataset = load("encoder(4)")
    assert dataset.X.tolist() == np.eye(4).tolist() == dataset.y.tolist()
    assert dataset.target_names == ("y1", "y2", "y3", "y4")
    assert dataset.task == "regression"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("parity(0)", "bits must be a whole number from 1 to 16, got 0"),
        ("parity(60)", "bits must be"),
        ("parity(2.0)", "bits must be"),
        ("moons(10**12)", "name or a call"),
        ("moons(1000000000000)", "n must be a whole number from 2 to 1000000"),
        ("moons(noise=-1)", "noise must be a number from 0"),
        ("moons(noise='big')", "noise must be a number"),
        ("moons(seed=-1)", "seed must be"),
        ("moons(colour=1)", "colour"),
        ("encoder(1)", "n must be a whole number from 2 to 1024"),
        ("xor(3)", "xor"),
        ("xor(", "is not a name or a call"),
        ("irs", r"there is no file and no bundled data set 'irs'; did you mean 'iris'\?"),
        ("moon(3)", r"there is no file and no bundled data set 'moon\(3\)'; did you mean 'moons'\?"),
        (
            "nothing-of-the-kind",
            "there is no file and no bundled data set 'nothing-of-the-kind'; choose from: and, or",
        ),
        ("", "there is no file and no bundled data set"),
        ("/no/such/folder", "there is no file and no bundled data set"),
        ("x" * 5000, "there is no file and no bundled data set"),
        ("a\0b", "there is no file and no bundled data set"),
    ],
)
def test_what_cannot_be_loaded_is_refused(spec: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load(spec)


def test_options_of_tables_are_refused_for_names() -> None:
    with pytest.raises(InputError, match="target, drop and task apply to table files, and 'xor' is not one"):
        load("xor", target="y")


@pytest.mark.parametrize("name", CLASSIC)
def test_classic_sets_have_their_sizes(name: str) -> None:
    pytest.importorskip("sklearn")
    rows, columns, classes = CLASSIC[name]
    dataset = load(name)
    assert dataset.X.shape == (rows, columns)
    assert isinstance(dataset.inputs, Table)
    assert (None if dataset.classes is None else len(dataset.classes)) == classes
    assert dataset.scale in ("standard", "minmax")


def test_labels_of_classic_sets_are_names_where_there_are_names() -> None:
    pytest.importorskip("sklearn")
    assert load("iris").classes == ("setosa", "versicolor", "virginica")
    assert load("breast_cancer").classes == ("benign", "malignant")
    assert (load("breast_cancer").target == "malignant").sum() == 212
    assert load("digits").classes == tuple(range(10))
    assert load("iris").inputs.names[0] == "sepal length (cm)"


def test_the_iris_that_lies_here_is_scikit_learns() -> None:
    theirs = pytest.importorskip("sklearn.datasets").load_iris()
    ours = load("iris")
    np.testing.assert_array_equal(np.column_stack([*ours.inputs.columns.values()]), theirs.data)
    assert list(ours.inputs.names) == theirs.feature_names
    np.testing.assert_array_equal(ours.target, theirs.target_names[theirs.target])

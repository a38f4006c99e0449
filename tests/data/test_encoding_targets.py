"""Labels and numbers become targets, outputs become labels and numbers again."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.data import load
from deltarule.data.dataset import Dataset
from deltarule.data.encoding import Encoding, LabelEncoding, NumbersEncoding, Table, fit_encoding
from deltarule.errors import InputError, ShapeError

LABELS = [
    np.array([0, 7, 100, 7]),
    np.array([-3, 5, -3, 0]),
    np.array([3, 1, 255], dtype=np.uint8),
    np.array([-128, 1], dtype=np.int8),
    np.array([True, False, True]),
    np.array(["b", "a", "long name"]),
    np.array(["b", "a", "b"], dtype=object),
    np.array([1.0, 0.0, -1.0]),
    np.array([2.0, 1.0], dtype=np.float32),
    np.array([2**63, 1], dtype=np.uint64),
    np.array([4, 9], dtype=">i4"),
]


@pytest.mark.parametrize("y", LABELS, ids=[f"{y.dtype}" for y in LABELS])
def test_labels_come_back_with_their_type(y: np.ndarray) -> None:
    encoding = LabelEncoding.fit(y)
    Y = encoding.encode(y, len(encoding.classes))
    back = encoding.decode(Y)
    np.testing.assert_array_equal(back, y)
    assert back.dtype.kind == y.dtype.kind
    assert back.dtype.itemsize == y.dtype.itemsize
    assert list(encoding.classes) == sorted(set(y.tolist()))
    assert Y.sum() == len(y)


@pytest.mark.parametrize(
    ("y", "dtype"), [([0, 7, 7], np.int64), ([True, False], np.bool_), (["a", "bc"], np.dtype("<U2"))]
)
def test_lists_of_labels_come_back_as_arrays(y: list, dtype: np.dtype) -> None:
    back = LabelEncoding.fit(y).decode(np.eye(2))
    assert back.dtype == dtype
    assert back.tolist() == sorted(set(y))


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        ([1, "a"], "row 1: expected an integer, as in row 0, got 'a'"),
        (["a", 1], "row 1: expected text, as in row 0, got 1"),
        ([True, 1], "row 1: expected a boolean, as in row 0, got 1"),
        ([1, None], "row 1: expected text, an integer or a boolean, got None"),
        ([None, "a"], "row 0: expected text, an integer or a boolean, got None"),
        (np.array(["a", None], dtype=object), "row 1: expected text, an integer or a boolean, got None"),
        (np.array(["a", np.nan], dtype=object), "row 1: expected text, an integer or a boolean, got nan"),
        (np.array([0.0, np.nan]), "row 1: expected text, an integer or a boolean, got .*nan"),
        (np.array([0.0, 0.5]), "row 1: .*0.5"),
        ([1, 2.0], "row 1: expected an integer, as in row 0, got 2.0"),
        (np.array([1j]), "row 0"),
        (np.array([b"a"]), "row 0"),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), "row 0"),
        ([[1, 2], [3]], "row 0"),
    ],
)
def test_labels_of_mixed_or_no_kind_are_refused(y: object, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        LabelEncoding.fit(y)


@pytest.mark.parametrize("y", [[], [[1], [2]], 3, np.zeros((2, 2), dtype=int)])
def test_labels_have_one_dimension_and_at_least_one_row(y: object) -> None:
    with pytest.raises(ShapeError, match="y must hold one label for each row"):
        LabelEncoding.fit(y)


def test_one_output_says_which_of_two_classes() -> None:
    encoding = LabelEncoding.fit(["no", "yes", "no"])
    assert encoding.encode(["yes", "no"], 1).tolist() == [[1.0], [0.0]]
    assert encoding.decode(np.array([[0.51], [0.5], [0.1]])).tolist() == ["yes", "no", "no"]


def test_one_class_needs_one_output() -> None:
    encoding = LabelEncoding.fit([5, 5])
    Y = encoding.encode([5, 5], 1)
    assert Y.shape == (2, 1)
    assert encoding.decode(np.array([[0.1], [0.9]])).tolist() == [5, 5]


@pytest.mark.parametrize(("y", "n_outputs"), [([0, 1, 2], 1), ([0, 1, 2], 2), ([0, 1], 3), ([0], 2)])
def test_outputs_that_do_not_fit_the_classes_are_refused(y: list[int], n_outputs: int) -> None:
    encoding = LabelEncoding.fit(y, "digit")
    with pytest.raises(ShapeError, match=f"target 'digit' has {len(y)} classes .* got {n_outputs}"):
        encoding.encode(y, n_outputs)
    with pytest.raises(ShapeError, match="target 'digit'"):
        encoding.decode(np.zeros((1, n_outputs)))


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        (["setosa", "setsoa"], "target 'species', row 1: unknown label 'setsoa'; did you mean 'setosa'"),
        ([3], "row 0: unknown label 3"),
        ([None], "row 0"),
    ],
)
def test_an_unknown_label_is_named(y: list, reason: str) -> None:
    encoding = LabelEncoding("species", ("setosa", "virginica"))
    with pytest.raises(InputError, match=reason):
        encoding.encode(y, 2)


def test_integers_match_whole_numbers() -> None:
    assert LabelEncoding.fit([1, 2]).codes(np.array([2.0, 1.0])).tolist() == [1, 0]


@pytest.mark.parametrize("y", [np.array([1.0, 3.0, 5.0]), np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0]])])
def test_numbers_come_back_in_their_units(y: np.ndarray) -> None:
    names = ("a",) if y.ndim == 1 else ("a", "b")
    dataset = Dataset("rows", Table({"x": [1, 2, 3]}), y, names, scale="standard")
    encoding = fit_encoding(dataset)
    _, Y = encoding.encode(dataset, len(names))
    np.testing.assert_allclose(Y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Y.std(axis=0), 1)
    np.testing.assert_allclose(encoding.decode(Y), y)
    assert encoding.decode(Y).shape == y.shape


@pytest.mark.parametrize(
    ("y", "n_outputs", "error"),
    [
        (np.zeros((3, 2)), 1, ShapeError),
        (np.zeros(3), 2, ShapeError),
        (np.array([1.0, np.nan]), 1, InputError),
        (np.array([1.0, np.inf]), 1, InputError),
        (["a"], 1, InputError),
    ],
)
def test_numbers_that_do_not_fit_are_refused(y: object, n_outputs: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        NumbersEncoding(("y",), (0.0,), (1.0,)).encode(y, n_outputs)


def test_the_classes_of_the_data_set_count_and_not_those_of_the_rows() -> None:
    dataset = load("xor").take([0])
    assert fit_encoding(dataset).target == LabelEncoding("y", (0, 1), "int64")


def test_the_target_can_be_the_input() -> None:
    dataset = load("encoder(4)")
    encoding = fit_encoding(dataset, target_is_input=True)
    X, Y = encoding.encode(dataset, 4)
    np.testing.assert_array_equal(X, Y)
    assert encoding.decode(Y).column("x3").tolist() == [0.0, 0.0, 1.0, 0.0]
    with pytest.raises(ShapeError, match="the target is the input: expected 4 outputs, got 2"):
        encoding.encode(dataset, 2)


def test_the_target_can_be_the_image() -> None:
    images = np.array([[[0, 255, 7]], [[1, 2, 3]]], dtype=np.uint8)
    dataset = Dataset("images", images, np.array([0, 1]), ("y",), (0, 1))
    encoding = fit_encoding(dataset, target_is_input=True)
    _, Y = encoding.encode(dataset, 3)
    np.testing.assert_array_equal(encoding.decode(Y), images)


def test_an_encoding_is_of_known_parts() -> None:
    with pytest.raises(InputError, match="inputs of an encoding must be"):
        Encoding(None, None)  # type: ignore[arg-type]

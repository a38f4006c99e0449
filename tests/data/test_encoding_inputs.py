"""Inputs become features, and every input that cannot is refused by name and place."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.arrays import Scaled
from deltarule.data.dataset import Dataset
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    NumberColumn,
    PixelsEncoding,
    Table,
    fit_encoding,
    inputs,
)
from deltarule.errors import InputError, ShapeError

HEIGHT = NumberColumn("height", 1.5, 0.25)
COLOUR = CategoryColumn("colour", ("blue", "red"))
BOTH = ColumnsEncoding((HEIGHT, COLOUR))


def rows(inputs: Table | np.ndarray, target: np.ndarray | None = None) -> Dataset:
    target = np.zeros(len(inputs)) if target is None else target
    return Dataset("rows", inputs, target, ("y",), scale="standard")


def test_numbers_are_shifted_and_scaled_and_text_is_one_hot() -> None:
    X = BOTH.encode(Table({"colour": ["red", "blue"], "extra": [9, 9], "height": [2.0, 1.0]}))
    assert X.tolist() == [[2.0, 0.0, 1.0], [-2.0, 1.0, 0.0]]
    assert BOTH.feature_names == ("height", "colour=blue", "colour=red")
    assert BOTH.kinds == {"height": "number", "colour": "text"}


def test_decoding_undoes_encoding() -> None:
    table = Table({"height": [2.0, 1.25], "colour": ["red", "blue"]})
    back = BOTH.decode(BOTH.encode(table))
    assert back.column("height").tolist() == [2.0, 1.25]
    assert back.column("colour").tolist() == ["red", "blue"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"height": [1.0, 2.0], "color": ["red", "red"]}, "no column 'colour'; did you mean 'color'"),
        ({"height": [1.0, np.nan], "colour": ["red", "red"]}, "column 'height', row 1: the cell is missing"),
        ({"height": [1.0, 2.0], "colour": [None, "red"]}, "column 'colour', row 0: the cell is missing"),
        ({"height": [1.0, -np.inf], "colour": ["red", "red"]}, "column 'height', row 1: -inf cannot be"),
        ({"height": [1.0, 1.7e308], "colour": ["red", "red"]}, "row 1: 1.7e\\+308 cannot be scaled"),
        ({"height": ["1", "tall"], "colour": ["red", "red"]}, "row 0: expected a number, got '1'"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_encoded_is_named(columns: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        BOTH.encode(Table(columns))


def test_a_category_never_met_is_none_of_the_others_or_the_one_for_others() -> None:
    table = Table({"colour": ["red", "rde"]})
    assert COLOUR.encode(table).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    pooled = CategoryColumn("colour", ("blue", "red"), other=True)
    assert pooled.encode(table).tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert pooled.unseen(table).tolist() == COLOUR.unseen(table).tolist() == [False, True]
    assert pooled.decode(pooled.encode(table)).tolist() == ["red", "other"]


def test_rare_categories_are_pooled() -> None:
    table = Table({"tree": ["elm", "ash", "elm", "yew", "ash"]})
    column = fit_encoding(rows(table), rare=2).inputs.columns[0]
    assert column == CategoryColumn("tree", ("ash", "elm"), other=True)
    assert fit_encoding(rows(table)).inputs.columns[0].categories == ("ash", "elm", "yew")


def test_missing_cells_take_the_fill() -> None:
    encoding = ColumnsEncoding(
        (NumberColumn("height", 1.5, 0.25, 2.0), CategoryColumn("colour", ("blue", "red"), "red"))
    )
    X = encoding.encode(Table({"height": [np.nan, 1.5], "colour": ["blue", None]}))
    assert X.tolist() == [[2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    all_missing = Table({"height": [np.nan], "colour": [np.nan]})
    assert encoding.encode(all_missing).tolist() == [[2.0, 0.0, 1.0]]


def test_encoding_modifies_no_input() -> None:
    values = np.array([np.nan, 2.0])
    values.flags.writeable = False
    ColumnsEncoding((NumberColumn("a", fill=1.0),)).encode(Table({"a": values}))
    assert np.isnan(values[0])


def test_an_array_in_place_of_a_table_is_refused() -> None:
    with pytest.raises(InputError, match="expected a table of named columns, got ndarray"):
        BOTH.encode(np.zeros((2, 3)))
    with pytest.raises(InputError, match="expected images, got a table"):
        PixelsEncoding(2, 2).encode(Table({"a": [1.0]}))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_are_divided_row_by_row(dtype: type) -> None:
    images = np.array([[[0, 255], [51, 102]]], dtype=np.uint8)
    encoding = PixelsEncoding(2, 2)
    encoded = encoding.encode(images, dtype)
    assert encoded.values.dtype == np.uint8  # no copy of the images as floats
    X = encoded.astype(dtype)
    assert X.dtype == dtype
    np.testing.assert_allclose(X, [[0.0, 1.0, 0.2, 0.4]], rtol=1e-6)
    np.testing.assert_array_equal(encoding.decode(X), images)
    np.testing.assert_array_equal(encoding.encode(images.reshape(1, 4), dtype).astype(dtype), X)
    assert encoding.feature_names == ("pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1")


def test_pixels_of_any_memory_order_encode_alike() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
    encoding = PixelsEncoding(4, 4)
    expected = encoding.encode(images)
    for same in (np.asfortranarray(images), np.repeat(images, 2, axis=0)[::2], images.astype(np.float64)):
        np.testing.assert_array_equal(encoding.encode(same), expected)


@pytest.mark.parametrize("shape", [(1, 2, 3), (1, 3, 2), (1, 5), (4,), (1, 2, 2, 1)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"images must have shape \(n, 2, 2\) or \(n, 4\)"):
        PixelsEncoding(2, 2).encode(np.zeros(shape, dtype=np.uint8))


def test_flattened_pixels_keep_their_bytes() -> None:
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    assert np.shares_memory(PixelsEncoding(2, 2).flatten(images), images)


@pytest.mark.parametrize("encoding", [BOTH, PixelsEncoding(2, 2)])
def test_outputs_of_another_width_are_refused(encoding: ColumnsEncoding | PixelsEncoding) -> None:
    with pytest.raises(ShapeError, match="features must have shape"):
        encoding.decode(np.zeros((1, 7)))


@pytest.mark.parametrize("factor", [1.0, 1e30, 1e-30, 1e300, 1e-300])
def test_standard_scaling_gives_mean_0_and_variance_1_at_any_size(factor: float) -> None:
    values = np.array([1.0, 2.0, 3.0, 10.0, -4.0]) * factor
    X = fit_encoding(rows(Table({"a": values}))).inputs.encode(Table({"a": values}))
    np.testing.assert_allclose([X.mean(), X.std()], [0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
@pytest.mark.parametrize(
    "values",
    [
        [1.7e308, -1.7e308, 1.7e308],
        [1e300, 1.0, -1e300],
        [5e-324, 0.0],
        [7.0],
        [0.1, 0.1, 0.1],
        [1e308, 1e308],
    ],
)
def test_every_finite_column_is_encoded_as_finite_numbers(scale: str, values: list[float]) -> None:
    table = Table({"a": values})
    X = fit_encoding(rows(table), scale=scale, missing="median").inputs.encode(table)
    assert np.isfinite(X).all()


def test_the_mean_is_the_plain_mean() -> None:
    values = np.random.default_rng(3).normal(5, 2, 100)
    column = fit_encoding(rows(Table({"a": values}))).inputs.columns[0]
    assert (column.shift, column.scale) == (values.mean(), values.std())


def test_minmax_scaling_runs_from_0_to_1() -> None:
    table = Table({"a": [3.0, 5.0, 4.0]})
    X = fit_encoding(rows(table), scale="minmax").inputs.encode(table)
    assert X.ravel().tolist() == [0.0, 1.0, 0.5]


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_a_constant_column_becomes_zero(scale: str) -> None:
    table = Table({"a": [0.1, 0.1, 0.1]})
    encoding = fit_encoding(rows(table), scale=scale).inputs
    assert encoding.columns[0].scale == 1.0
    assert encoding.encode(table).tolist() == [[0.0]] * 3


def test_no_scaling_leaves_numbers_as_they_are() -> None:
    values = np.random.default_rng(0).normal(size=50)
    table = Table({"a": values})
    np.testing.assert_array_equal(fit_encoding(rows(table), scale="none").inputs.encode(table)[:, 0], values)


@pytest.mark.parametrize(("missing", "number"), [("mean", 4.0), ("median", 2.0)])
def test_fills_come_from_the_cells_that_are_there(missing: str, number: float) -> None:
    table = Table({"a": [1.0, 2.0, np.nan, 9.0], "b": ["x", "y", "y", None]})
    encoding = fit_encoding(rows(table), missing=missing).inputs
    assert [column.fill for column in encoding.columns] == [number, "y"]


def test_cells_are_refused_where_nothing_shall_fill_them() -> None:
    table = Table({"a": [1.0, np.nan]})
    assert fit_encoding(rows(table)).inputs.columns[0].fill is None


def test_categories_are_sorted() -> None:
    encoding = fit_encoding(rows(Table({"c": ["red", "blue", "red", "ash"]}))).inputs
    assert encoding.columns[0].categories == ("ash", "blue", "red")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"a": [np.nan, np.nan]}, "column 'a', row 0: the column has no values"),
        ({"a": [1.0, np.inf]}, "column 'a', row 1: expected a finite number, got inf"),
        ({"a": np.array([None, None], dtype=object)}, "column 'a', row 0: the column has no values"),
    ],
)
def test_a_column_that_says_nothing_is_refused(columns: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        fit_encoding(rows(Table(columns)))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scale": "standart"}, "unknown scale 'standart'; did you mean 'standard'"),
        ({"missing": "modus"}, "unknown missing 'modus'"),
        ({"scale": 3}, "unknown scale 3"),
    ],
)
def test_unknown_choices_are_refused(options: dict, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        fit_encoding(rows(Table({"a": [1.0]})), **options)


@pytest.mark.parametrize(("scale", "divisor"), [("standard", 255.0), ("minmax", 255.0), ("none", 1.0)])
def test_pixels_are_divided_by_255_or_not_at_all(scale: str, divisor: float) -> None:
    images = np.zeros((2, 3, 4), dtype=np.uint8)
    assert fit_encoding(rows(images), scale=scale).inputs == PixelsEncoding(3, 4, divisor)


def test_large_features_that_are_mostly_zero_are_sparse_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    names = tuple(f"city {number:02}" for number in range(40))
    cells = np.array([*names, "abroad", None], object)[rng.integers(0, 42, 300)]
    rows = Table({"size": rng.normal(size=300), "city": cells, "home": cells[::-1]})
    encoding = ColumnsEncoding(
        (
            NumberColumn("size", 0.5, 2.0),
            CategoryColumn("city", names, names[3], other=True),
            CategoryColumn("home", names, names[5]),
        )
    )
    dense = encoding.encode(rows)
    monkeypatch.setattr(inputs, "_SPARSE_BYTES", 0)
    sparse = encoding.encode(rows)
    assert isinstance(sparse, Scaled)
    assert sparse.is_sparse
    np.testing.assert_array_equal(np.asarray(sparse), dense)
    some = rng.permutation(300)[:50]
    np.testing.assert_array_equal(encoding.encode(rows.take(some)), dense[some])

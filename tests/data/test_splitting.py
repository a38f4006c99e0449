"""Setting rows aside, class by class, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from deltarule.data import Dataset, load, split
from deltarule.data.encoding import Table
from deltarule.errors import InputError, ShapeError


def rows(target: list, classes: tuple | None = None) -> Dataset:
    values = np.array(target)
    return Dataset("rows", Table({"row": np.arange(len(values))}), values, ("y",), classes)


def test_the_parts_make_the_whole() -> None:
    rest, part = split(rows([0] * 30 + [1] * 70, (0, 1)), 0.2, seed=3)
    assert part is not None
    numbers = np.concatenate([rest.X[:, 0], part.X[:, 0]])
    assert sorted(numbers) == list(range(100))
    for one in (rest, part):
        assert (np.diff(one.X[:, 0]) > 0).all()
        np.testing.assert_array_equal(one.y, one.X[:, 0] >= 30)


def test_every_class_gives_the_same_fraction() -> None:
    rest, part = split(rows([0, 1, 1, 2] * 25, (0, 1, 2)), 0.2, seed=0)
    assert np.bincount(part.y).tolist() == [5, 10, 5]
    assert np.bincount(rest.y).tolist() == [20, 40, 20]
    assert part.classes == rest.classes == (0, 1, 2)


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.1, 10), (0.29, 29), (0.3, 30), (0.57, 57), (0.999, 99)]
)
def test_fractions_are_not_lost_to_rounding(fraction: float, expected: int) -> None:
    assert len(split(rows([0.5] * 100), fraction, seed=0)[1]) == expected


def test_a_seed_decides_the_rows() -> None:
    dataset = load("moons(60)")
    one, same, other = (split(dataset, 0.25, seed)[1].X.tolist() for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.999, 1 - 1e-12])
@pytest.mark.parametrize("counts", [[1, 1], [1, 5], [2, 2], [3, 3, 3], [1]])
def test_every_class_keeps_a_row_in_the_rest(fraction: float, counts: list[int]) -> None:
    target = np.repeat(np.arange(len(counts)), counts).tolist()
    rest, part = split(rows(target, tuple(range(len(counts)))), fraction, seed=0)
    assert set(rest.y.tolist()) == set(target)
    assert len(rest) + (0 if part is None else len(part)) == len(target)


@pytest.mark.parametrize("name", ["and", "xor", "not", "truth_table"])
def test_a_gate_spares_no_row(name: str) -> None:
    dataset = load(name)
    rest, part = split(dataset, 0.2, seed=0)
    assert part is None
    assert rest is dataset


def test_a_regression_is_split_by_rows() -> None:
    rest, part = split(rows(np.linspace(0, 1, 40).tolist()), 0.25, seed=0)
    assert (len(rest), len(part)) == (30, 10)
    assert split(rows([0.5]), 0.9, seed=0)[1] is None


def test_a_class_that_a_part_lacks_is_no_trouble() -> None:
    rest, part = split(rows([0] * 10, (0, 1)), 0.5, seed=0)
    assert (len(rest), len(part)) == (5, 5)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 2.0, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match="fraction must be 0 or more and less than 1"):
        split(load("moons"), fraction, seed=0)


def test_the_test_part_stays_with_the_rest() -> None:
    from dataclasses import replace

    dataset = replace(load("moons"), test=load("moons(10)"))
    rest, part = split(dataset, 0.2, seed=0)
    assert rest.test is dataset.test
    assert part.test is None


def test_images_are_split_like_tables() -> None:
    images = np.arange(40, dtype=np.uint8).reshape(10, 2, 2)
    rest, part = split(Dataset("images", images, np.arange(10) % 2, ("y",), (0, 1)), 0.2, seed=0)
    assert rest.inputs.shape == (8, 2, 2)
    assert part.X.shape == (2, 4)


def test_rows_are_taken_by_number_or_mask() -> None:
    dataset = load("xor")
    assert dataset.take([3, 0]).X.tolist() == [[1, 1], [0, 0]]
    assert dataset.take(dataset.y == 1).X.tolist() == [[0, 1], [1, 0]]


def test_inputs_and_targets_must_agree_in_number() -> None:
    with pytest.raises(ShapeError, match="rows: 2 rows of inputs, but 3 rows of targets"):
        Dataset("rows", Table({"a": [1, 2]}), np.zeros(3), ("y",))

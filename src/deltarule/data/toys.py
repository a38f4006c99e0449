"""Gates and toy problems small enough to follow by hand; random ones take a seed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt

from deltarule.arrays import Array
from deltarule.data.dataset import Dataset, classes_of
from deltarule.data.encoding.fields import need_whole
from deltarule.data.table import Table
from deltarule.errors import InputError


def gate(name: str, outputs: tuple[int, ...]) -> Dataset:
    """Make a logic gate: all inputs in counting order, and its outputs."""
    return _two_classes(name, _binary_rows(len(outputs).bit_length() - 1), outputs)


def parity(bits: int = 3) -> Dataset:
    """Whether an odd number of ``bits`` (1 to 16) inputs is 1 (Minsky & Papert 1969)."""
    need_whole("bits", bits, 1, 16)
    X = _binary_rows(bits)
    return _two_classes("parity", X, X.sum(axis=1).astype(int) % 2)


def truth_table() -> Dataset:
    """The first two bits' XOR, with a third bit that is always 1 and acts as a bias."""
    return _two_classes("truth_table", np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]), (0, 1, 1, 0))


def circles(n: int = 200, noise: float = 0.1, factor: float = 0.5, seed: int = 0) -> Dataset:
    """Points on a circle of radius 1 (class 0) and one of radius ``factor`` (class 1), blurred."""
    labels = _alternating_labels(n)
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = np.where(labels == 1, _checked_number("factor", factor), 1.0)
    return _blurred("circles", _from_polar(radius, angle), labels, noise, seed)


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Points on the upper half of a circle (class 0) and on a lower half that reaches into it, blurred."""
    labels = _alternating_labels(n)
    upper = _from_polar(np.ones(n), np.linspace(0, np.pi, n))
    X = np.where(labels[:, None] == 1, np.array([1.0, 0.5]) - upper, upper)
    return _blurred("moons", X, labels, noise, seed)


def spirals(n: int = 200, noise: float = 0.1, turns: float = 1.5, seed: int = 0) -> Dataset:
    """Points on two arms around the origin, each of ``turns`` turns and unit pitch, blurred."""
    labels = _alternating_labels(n)
    distance = np.linspace(0.1, 1, n) * _checked_number("turns", turns)
    points = _from_polar(distance, 2 * np.pi * distance + np.pi * labels)
    return _blurred("spirals", points, labels, noise, seed)


def two_spirals() -> Dataset:
    """The 194 points of the benchmark: 97 on a spiral, each mirrored at the origin.

    With i from 0 to 96: angle = i π/16, radius = 6.5 (104 − i)/104, x1 = radius sin, x2 = radius cos
    (Lang & Witbrock 1988, "Learning to tell two spirals apart").
    """
    i = np.arange(97)
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    arm = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return _two_classes("two_spirals", np.stack([arm, -arm], axis=1).reshape(-1, 2), np.tile([1, 0], 97))


def encoder(n: int = 8) -> Dataset:
    """One-hot rows whose targets are themselves (Ackley, Hinton & Sejnowski 1985)."""
    need_whole("n", n, 2, 1024)
    rows = np.eye(n)
    names = tuple(f"y{number}" for number in range(1, n + 1))
    return Dataset("encoder", Table.of_matrix(rows), rows, names, description=TOYS["encoder"][1])


def _two_classes(name: str, X: Array, labels: npt.ArrayLike) -> Dataset:
    target = np.asarray(labels, dtype=np.int64)
    X_table, classes = Table.of_matrix(X), classes_of(target)
    return Dataset(name, X_table, target, ("y",), classes, description=TOYS[name][1])


def _blurred(name: str, X: Array, labels: Array, noise: float, seed: int) -> Dataset:
    need_whole("seed", seed, 0, 2**63)
    rng = np.random.default_rng(seed)
    return _two_classes(name, X + rng.normal(0, _checked_number("noise", noise), X.shape), labels)


def _from_polar(radius: Array, angle: Array) -> Array:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _binary_rows(bits: int) -> Array:
    """Return all rows of so many bits, counting up: 00, 01, 10, 11."""
    return np.array(list(product((0.0, 1.0), repeat=bits)))


def _alternating_labels(n: int) -> Array:
    need_whole("n", n, 2, 1_000_000)
    return np.arange(n) % 2


def _checked_number(name: str, value: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1e6:
        raise InputError(f"{name} must be a number from 0 to 1e6, got {value!r}")
    return float(value)


#: What makes each set, and a line on it.
TOYS: dict[str, tuple[Callable[..., Dataset], str]] = {
    "and": (lambda: gate("and", (0, 0, 0, 1)), "AND gate: 1 where both inputs are 1; 4 rows"),
    "or": (lambda: gate("or", (0, 1, 1, 1)), "OR gate: 1 where at least one input is 1; 4 rows"),
    "not": (lambda: gate("not", (1, 0)), "NOT gate: 1 where the input is 0; 2 rows"),
    "xor": (
        lambda: gate("xor", (0, 1, 1, 0)),
        "XOR gate: 1 where exactly one input is 1; 4 rows; no single layer can learn it",
    ),
    "parity": (parity, "parity(bits=3): 1 where an odd number of bits is 1; all 2^bits rows"),
    "truth_table": (
        truth_table,
        "3-bit truth table: inputs 001, 011, 101, 111 give 0, 1, 1, 0; the third bit is always 1",
    ),
    "circles": (circles, "circles(n=200, noise=0.1, factor=0.5, seed=0): one circle inside another"),
    "moons": (moons, "moons(n=200, noise=0.1, seed=0): two half circles, one reaching into the other"),
    "spirals": (spirals, "spirals(n=200, noise=0.1, turns=1.5, seed=0): two noisy spirals"),
    "two_spirals": (
        two_spirals,
        "the two-spirals benchmark: 194 points in three turns (Lang & Witbrock 1988)",
    ),
    "encoder": (
        encoder,
        "encoder(n=8): n one-hot rows to be reproduced through a narrow layer (Ackley et al. 1985)",
    ),
}

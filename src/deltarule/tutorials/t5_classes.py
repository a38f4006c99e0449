"""T5, two layers and three: XOR and iris with ReLU, softmax and cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Dataset, load, split
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training import EarlyStopping, History, evaluate, train
from deltarule.tutorials.comparisons import Comparison, at_least, compare
from deltarule.tutorials.example import load_example

XOR_SEEDS = range(20)
XOR_STARTS = {"0.01·N(0, 1)": {}, "He's": {"initializer": "he_normal", "bias_initializer": "zeros"}}
STUCK = (
    "The source names no seed. Where all six hidden neurons die, or tell too few corners apart, training "
    "stays where it is. (The source also updates its output bias with the bias itself, not its gradient.)"
)

IRIS_SEEDS = (0, 1, 2)
ONE_FLOWER = (
    "120 flowers to train on and 30 to test, drawn at random, of each species alike; measures not scaled; "
    "the snapshot with the best train accuracy is tested. One of 30 flowers is 3.33 %, and the test may be "
    "that much short."
)


def xor(quick: bool = False) -> list[Comparison]:
    """How many of 20 seeds learn XOR, from the source's first weights and from He's.

    ``quick`` takes 2,000 updates instead of the source's 10,000.
    """
    example = load_example("T5_xor")
    updates = 2_000 if quick else example.training["epochs"]
    name = "training accuracy, %"
    note = f"{STUCK} After {updates:,} updates."
    rows = []
    for start, initializers in XOR_STARTS.items():
        reached = []
        for seed in XOR_SEEDS:
            net = example.network(seed=seed, **initializers)
            example.train(net, epochs=updates)
            reached.append(percent_right(net, example.X, example.Y))
        best, often = f"XOR: {name}, best of 20 seeds, {start}", f"XOR: seeds of 20 that reach 100 %, {start}"
        rows += [
            at_least("T5", best, example.published[name], max(reached), note),
            compare("T5", often, None, reached.count(100.0), note=note),
        ]
    return rows


def iris(quick: bool = False) -> list[Comparison]:
    """Train and test accuracy of 4-20-20-3 on iris, at the snapshot with the best train accuracy.

    ``quick`` takes one seed and 3,000 updates instead of three and 10,000.
    """
    flowers = load("iris")
    rows = []
    for seed in IRIS_SEEDS[:1] if quick else IRIS_SEEDS:
        rows += _iris_of_seed(flowers, seed, 3_000 if quick else 10_000)
    return rows


def _iris_of_seed(flowers: Dataset, seed: int, updates: int) -> list[Comparison]:
    rest, test = split(flowers, 0.2, seed)
    assert test is not None
    net = Network([4, 20, 20, 3], output="softmax", initializer="normal(0.01)", l2=0.001, seed=seed)
    X, y = rest.X, class_numbers(rest)
    train_to_best(net, X, y, optimizer=SGD(0.05), epochs=updates, batch_size=None)
    trained, tested = percent_right(net, X, y), percent_right(net, test.X, class_numbers(test))
    note = f"{ONE_FLOWER} After {updates:,} updates."
    return [
        at_least("T5", f"iris: best train accuracy, %, seed {seed}", 98.33, trained, note),
        at_least("T5", f"iris: test accuracy, %, seed {seed}", 100.0, tested, note, tolerance=3.34),
    ]


def train_to_best(net: Network, X: Array, y: Array, **settings: Any) -> History:
    """Train a network, and leave it as it was at the best train accuracy."""
    best = EarlyStopping("accuracy", patience=None)
    return train(net, X, y, metrics=["accuracy"], early_stopping=best, **settings)


def class_numbers(data: Dataset) -> Array:
    """The number of each row's class, (n_rows,)."""
    return np.searchsorted(np.array(data.classes), data.y)


def percent_right(net: Network, X: Array, Y: Array) -> float:
    """Accuracy in per cent."""
    return 100 * evaluate(net, X, Y, metrics=["accuracy"])["accuracy"]

"""T2: matrices; a network without biases learns a truth table."""

from __future__ import annotations

from deltarule.tutorials.comparisons import Comparison, compare, prediction_names
from deltarule.tutorials.example import load_example

SEEDS = (0, 1, 2)
NO_SEED = "The source names no seed: a prediction agrees where it is within 0.03 of the published one."


def t2() -> list[Comparison]:
    """The predictions after 1,000 updates from three seeds' weights.

    Examples
    --------
    >>> len(t2())
    12
    """
    example = load_example("T2")
    rows = []
    for seed in SEEDS:
        net = example.network(seed=seed)
        example.train(net)
        predictions = net.predict(example.X)[:, 0].tolist()
        rows += [
            compare("T2", f"{name}, seed {seed}", example.published[name], ours, note=NO_SEED, within=0.03)
            for name, ours in zip(prediction_names(example), predictions, strict=True)
        ]
    return rows

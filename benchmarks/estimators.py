"""``python -m benchmarks.estimators``: the estimators beside scikit-learn's own, in turns, in one process.

Same data, same parameters (scikit-learn's defaults, but for what a case names), same random state: the two
then make the same network. Times of ``fit`` are for an epoch: rounding may let one stop a little sooner.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn import neural_network as theirs
from sklearn.datasets import load_digits

from deltarule import datasets
from deltarule import estimators as ours

__all__ = ["main"]


@dataclass(frozen=True)
class Case:
    """Data, the estimator, and its parameters."""

    title: str
    data: Callable[[], tuple[Any, Any]]
    estimator: str
    parameters: dict[str, Any] = field(default_factory=dict)


def _digits() -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return X, y


def _mnist() -> tuple[Any, Any]:
    data = datasets.load("mnist")
    pixels = np.asarray(data.inputs)[:60_000].reshape(60_000, -1)
    return pixels / np.float32(255), np.asarray(data.target)[:60_000]


def _regression() -> tuple[Any, Any]:
    """As many rows and columns as the California housing data have."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_640, 8))
    return X, np.sin(X @ rng.standard_normal(8)) + 0.1 * rng.standard_normal(20_640)


CASES = {
    "digits": Case("digits, 1,797 × 64, 100 hidden", _digits, "MLPClassifier"),
    "regression": Case(
        "regression, 20,640 × 8, 64-64 hidden", _regression, "MLPRegressor", {"hidden_layer_sizes": (64, 64)}
    ),
    "mnist": Case("MNIST, 60,000 × 784, 100 hidden, float32", _mnist, "MLPClassifier"),
    "mnist-short": Case("MNIST, the same, 2 epochs", _mnist, "MLPClassifier", {"max_iter": 2}),
}


def _seconds(work: Callable[[], object], times: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times


def measure(case: Case, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by work and contender, round after round."""
    X, y = case.data()
    timed: dict[str, Callable[[Any], float]] = {
        "fit, an epoch": lambda model: _seconds(lambda: model.fit(X, y)) / model.n_iter_,
        "predict 1 row": lambda model: _seconds(lambda: model.predict(X[:1]), 200),
        "predict 100 rows": lambda model: _seconds(lambda: model.predict(X[:100]), 100),
        "predict all rows": lambda model: _seconds(lambda: model.predict(X), 5),
    }
    found: dict[str, dict[str, list[float]]] = {work: {} for work in timed}
    for number in range(-1, rounds):  # the first, to compile and load, does not count
        contenders = {
            "scikit-learn": getattr(theirs, case.estimator)(random_state=max(number, 0), **case.parameters),
            "ours": getattr(ours, case.estimator)(random_state=max(number, 0), **case.parameters),
            "ours, compiled": getattr(ours, case.estimator)(
                random_state=max(number, 0), engine="compiled", **case.parameters
            ),
        }
        for work, seconds in timed.items():
            for name, model in contenders.items():
                time.sleep(0.1)  # until the threads of the BLAS before no longer spin
                taken = seconds(model)
                if number >= 0:
                    found[work].setdefault(name, []).append(taken)
    return found


def _shown(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.1e} s"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(CASES)))
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="How often each is timed."
)
def main(names: tuple[str, ...], rounds: int) -> None:
    """Time fit and predict of our estimators and of scikit-learn's; a ratio above 1 is in our favour."""
    warnings.simplefilter("ignore")
    table = Table("data", "work", "scikit-learn", "ours", "ratio", "ours, compiled", "ratio")
    for name in names or CASES:
        for work, seconds in measure(CASES[name], rounds).items():
            theirs_, auto, compiled = (median(times) for times in seconds.values())
            ratios = [
                median(a / b for a, b in zip(seconds["scikit-learn"], seconds[mine], strict=True))
                for mine in ("ours", "ours, compiled")
            ]
            table.add_row(
                CASES[name].title, work, _shown(theirs_), _shown(auto), f"{ratios[0]:.2f}", _shown(compiled),
                f"{ratios[1]:.2f}",
            )  # fmt: skip
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

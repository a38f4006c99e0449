"""``python -m benchmarks.searches``: a grid of 60 fits of digits, one after the other and on two processes.

In turns, by the clock: serial, joblib's loky, and a Dask ``LocalCluster`` as ``docs/cluster.md`` has it,
where Dask is installed. Processes are started, and compiled code is loaded, before the clock runs. Nothing
else should run meanwhile: Dask's workers and scheduler take time of the same cores all the while.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec

import click
from joblib import parallel_backend
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

GRID = {
    "hidden_layer_sizes": [(20,), (40,), (64,)],
    "alpha": [1e-4, 1e-3],
    "learning_rate_init": [1e-3, 1e-2],
}


@contextmanager
def dask_workers() -> Iterator[None]:
    """Two workers of Dask on this machine, one thread each."""
    import dask
    from dask.distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.worker.profile.enabled": False}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, env={"NUMBA_NUM_THREADS": "1"}, dashboard_address=None
        ) as cluster,
        Client(cluster),
    ):
        yield


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=200, show_default=True)
def main(rounds: int, epochs: int) -> None:
    """Time the same search on one process, on two of loky's and on two of Dask's."""
    from deltarule.estimators import MLPClassifier

    os.environ["PYTHONWARNINGS"] = "ignore"  # of fits that have not converged, in all processes
    warnings.simplefilter("ignore")
    X, y = load_digits(return_X_y=True)
    X /= 16
    model = MLPClassifier(max_iter=epochs, random_state=0)

    def seconds(backend: str, n_rows: int) -> tuple[float, list[float]]:
        n_jobs = 1 if backend == "serial" else 2
        search = GridSearchCV(model, GRID, cv=5, refit=False, n_jobs=n_jobs)
        start = time.perf_counter()
        with parallel_backend("loky" if backend == "serial" else backend):
            search.fit(X[:n_rows], y[:n_rows])
        return time.perf_counter() - start, search.cv_results_["mean_test_score"].tolist()

    _compare(seconds, len(X), rounds)


def _compare(seconds: Callable[[str, int], tuple[float, list[float]]], n_rows: int, rounds: int) -> None:
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        backends = ["serial", "loky"]
        if find_spec("distributed") is not None:
            backends.append("dask")
            stack.enter_context(dask_workers())
        for backend in backends:
            seconds(backend, 200)
        for _ in range(rounds):
            results = {backend: seconds(backend, n_rows) for backend in backends}
            for backend, (taken, scores) in results.items():
                assert scores == results["serial"][1], f"{backend} found other scores"
                found.setdefault(backend, []).append(taken)
    for backend, taken in found.items():
        ratio = statistics.median(a / b for a, b in zip(taken, found["serial"], strict=True))
        click.echo(f"{backend:8}{statistics.median(taken):8.2f} s, {ratio:.2f} of the serial time")


if __name__ == "__main__":
    main()

"""``python -m benchmarks.searches``: a grid of 60 fits of digits, one after the other and on two processes.

In turns, by the clock: serial, joblib's loky, and a Dask ``LocalCluster`` as ``docs/cluster.md`` has it,
where Dask is installed. Processes are started, and compiled code is loaded, before the clock runs; Dask's end
after it, as they take time of the cores all the while. Nothing else should run meanwhile.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
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

    settings = {
        "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "1s",
    }
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        parallel_backend("dask"),
    ):
        yield


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=200, show_default=True)
def main(rounds: int, epochs: int) -> None:
    """Time the same search on one process, on two of loky's and on two of Dask's."""
    os.environ["PYTHONWARNINGS"] = "ignore"  # of fits that have not converged, in all processes
    warnings.simplefilter("ignore")
    backends = ["serial", "loky", *(["dask"] if find_spec("distributed") else [])]
    found: dict[str, list[float]] = {backend: [] for backend in backends}
    for _ in range(rounds):
        results = {backend: timed_search(backend, epochs) for backend in backends}
        for backend, (taken, scores) in results.items():
            assert scores == results["serial"][1], f"{backend} found other scores"
            found[backend].append(taken)
    for backend, taken in found.items():
        ratio = statistics.median(a / b for a, b in zip(taken, found["serial"], strict=True))
        click.echo(f"{backend:8}{statistics.median(taken):8.2f} s, {ratio:.2f} of the serial time")


def timed_search(backend: str, epochs: int) -> tuple[float, list[float]]:
    """Return the seconds that a search took, and its scores."""
    from deltarule.estimators import MLPClassifier

    X, y = load_digits(return_X_y=True)
    X /= 16
    workers: AbstractContextManager[None] = dask_workers() if backend == "dask" else nullcontext()
    with workers:
        for n_rows in (200, len(X)):  # the first ones start the processes
            model = MLPClassifier(max_iter=epochs, random_state=0)
            search = GridSearchCV(model, GRID, cv=5, refit=False, n_jobs=1 if backend == "serial" else 2)
            start = time.perf_counter()
            search.fit(X[:n_rows], y[:n_rows])
            taken = time.perf_counter() - start
    return taken, search.cv_results_["mean_test_score"].tolist()


if __name__ == "__main__":
    main()

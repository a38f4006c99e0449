"""L-BFGS: SciPy's iterations, each entered into the run as an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_batch
from deltarule.errors import InputError
from deltarule.nn.engines import reference
from deltarule.nn.engines.shards import ShardedBatch
from deltarule.nn.optimizers import LBFGS
from deltarule.registry import import_extra
from deltarule.training.run import Run
from deltarule.training.streamed import StreamSamples
from deltarule.training.workers import cost_and_gradient
from deltarule.training.workers.epochs import count_rows


def minimise(run: Run, after_epoch: Callable[[], None]) -> None:
    """Lower the cost over all samples until the epochs are used up, or nothing improves any more."""
    net = run.net
    if any(layer.dense.dropout for layer in net.layers):
        raise InputError("lbfgs needs a cost that does not change between two evaluations: set dropout to 0")
    free = np.delete(np.arange(net.parameters.size), net.frozen)
    with _whole_cost(run) as whole_cost:
        _minimise(run, free, whole_cost, after_epoch)


@contextmanager
def _whole_cost(run: Run) -> Iterator[Callable[[], tuple[float, Array]]]:
    """Give what computes the cost over all samples and its gradient (n_parameters,)."""
    net, samples = run.net, run.samples
    if isinstance(samples, StreamSamples):
        raise InputError(
            "lbfgs needs all samples at once, but a stream gives only some at a time: choose 'adam'"
        )
    if run.workers is None:
        x = as_batch(samples.x, net.dtype)

        def by_engine() -> tuple[float, Array]:
            trace = reference.forward(net.layers, x)
            cost = reference.cost(net.layers, net.objective, trace, samples.y, samples.weight)
            grads = reference.backward(net.layers, net.objective, trace, samples.y, samples.weight)
            return float(cost), grads.flat

        yield by_engine
        return
    workers, gradient = run.workers, np.empty_like(net.parameters)
    batch = ShardedBatch(np.arange(len(samples)), 0, 0)
    count = count_rows(samples, batch.rows)
    with workers.sums("reference", net, samples, len(samples)) as sums:
        yield lambda: (cost_and_gradient(workers, sums, net, batch, count, gradient), gradient)


def _minimise(
    run: Run, free: Array, whole_cost: Callable[[], tuple[float, Array]], after_epoch: Callable[[], None]
) -> None:
    optimize = import_extra("scipy.optimize", "fast")
    net, optimizer = run.net, run.settings.optimizer
    assert isinstance(optimizer, LBFGS)

    def cost_and_gradient_at(theta: Array) -> tuple[float, Array]:
        net.parameters[free] = theta
        cost, gradient = whole_cost()
        return cost, gradient[free].astype(np.float64)

    best = net.parameters.copy()

    def after_iteration(intermediate_result: Any) -> None:
        net.parameters[free] = intermediate_result.x
        run.record([float(intermediate_result.fun)], lambda _: best)
        best[:] = net.parameters
        after_epoch()
        if run.stop:
            raise StopIteration

    start = net.parameters[free].astype(np.float64)
    try:
        if not np.isfinite(cost_and_gradient_at(start)[0]):
            raise run.divergence(best)
        result = optimize.minimize(
            cost_and_gradient_at,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=after_iteration,
            options={
                "maxiter": run.settings.epochs - run.epoch,
                "maxcor": optimizer.memory,
                "gtol": optimizer.tolerance,
                "ftol": max(float(np.finfo(net.dtype).eps), optimizer.improvement),
                "maxfun": optimizer.evaluations or 10**9,
            },
        )
    finally:
        net.parameters[:] = best  # not the last point the line search tried
    if result.success and not run.stop:
        run.history.stopped = "converged"

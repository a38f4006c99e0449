"""L-BFGS: SciPy's iterations, each entered into the run as an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_batch
from deltarule.errors import InputError
from deltarule.nn.engines import reference
from deltarule.nn.optimizers import LBFGS
from deltarule.registry import import_extra
from deltarule.training.run import Run
from deltarule.training.streamed import StreamSamples


def minimise(run: Run, after_epoch: Callable[[], None]) -> None:
    """Lower the cost over all samples until the epochs are used up, or nothing improves any more."""
    optimize = import_extra("scipy.optimize", "fast")
    net, optimizer = run.net, run.settings.optimizer
    assert isinstance(optimizer, LBFGS)
    if any(layer.dense.dropout for layer in net.layers):
        raise InputError("lbfgs needs a cost that does not change between two looks: set dropout to 0")
    samples = run.samples
    if isinstance(samples, StreamSamples):
        raise InputError("lbfgs needs all samples at once, and a stream gives some at a time: choose 'adam'")
    x = as_batch(samples.x, net.dtype)
    free = np.delete(np.arange(net.parameters.size), net.frozen)

    def cost_and_gradient(theta: Array) -> tuple[float, Array]:
        net.parameters[free] = theta
        trace = reference.forward(net.layers, x)
        cost = reference.cost(net.layers, net.objective, trace, samples.y, samples.weight)
        grads = reference.backward(net.layers, net.objective, trace, samples.y, samples.weight)
        return float(cost), grads.flat[free].astype(np.float64)

    best = net.parameters.copy()

    def after_iteration(intermediate_result: Any) -> None:
        net.parameters[free] = intermediate_result.x
        run.record([float(intermediate_result.fun)], best)
        best[:] = net.parameters
        after_epoch()
        if run.stop:
            raise StopIteration

    start = net.parameters[free].astype(np.float64)
    try:
        if not np.isfinite(cost_and_gradient(start)[0]):
            raise run.divergence(best)
        result = optimize.minimize(
            cost_and_gradient,
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

"""The reference engine: forward and backward propagation as the formulas say it, in NumPy.

It is the specification. Whatever computes faster has to give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from deltarule.arrays import Array, Csr, Scaled, as_batch, keep_freed_memory
from deltarule.nn.engines.contract import Samples, TrainableNetwork
from deltarule.nn.engines.threads import PREDICTED_PRODUCTS, blas_of_one_thread
from deltarule.nn.layers import Gradients, Layer, Trace
from deltarule.nn.objective import Objective
from deltarule.nn.optimizers import GradientStep

#: Rows times parameters to go through in one call, beyond a first epoch: a tenth of a second at most.
BLOCK = 2_000_000

#: Rows to predict at a time.
CHUNK = 512

#: The cost of a batch, its gradient (n_parameters,), and as how many rows it counts.
BatchGradient: TypeAlias = tuple[float, Array, float]

#: A product too small for a float is 0, and that is no cause for alarm.
_underflow_is_zero = np.errstate(under="ignore")


@_underflow_is_zero
def forward(layers: Sequence[Layer], x: Array | Csr, rng: np.random.Generator | None = None) -> Trace:
    """Compute every layer's ``x``, ``z`` and ``a`` for the rows of ``x`` (n, n_features)."""
    trace = Trace()
    for layer in layers:
        trace.append(layer.forward(x, rng))
        x = trace.output
    return trace


def predict(net: TrainableNetwork, x: Array | Scaled) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    n_products = min(len(x), CHUNK) * max([layer.W.size for layer in net.layers])
    with blas_of_one_thread(n_products, PREDICTED_PRODUCTS):
        return outputs_of(net.layers, x)


def last_z(net: TrainableNetwork, x: Array | Scaled) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    return forward(net.layers, as_batch(x, net.parameters.dtype))[-1].z


@_underflow_is_zero
def outputs_of(layers: Sequence[Layer], x: Array | Scaled) -> Array:
    """Compute ``a`` of the last of some layers (n, n_out) for any number of rows, in bounded memory."""
    dtype = layers[0].W.dtype
    if len(x) <= CHUNK:
        a = as_batch(x, dtype)
        for layer in layers:
            a = layer.value(a)
        return np.asarray(a, dtype)
    outputs = np.empty((len(x), layers[-1].dense.n_out), dtype)
    for start in range(0, len(x), CHUNK):
        outputs[start : start + CHUNK] = outputs_of(layers, x[start : start + CHUNK])
    return outputs


@_underflow_is_zero
def cost(
    layers: Sequence[Layer], objective: Objective, trace: Trace, y: Array, weight: Array | None = None
) -> float:
    """Compute the objective for targets ``y`` (n, n_outputs), penalties included."""
    last = trace[-1]
    data = (objective.terms(last.z, last.a, y) * objective.shares(len(y), weight)).sum()
    if not (objective.l1 or objective.l2):
        return data
    return data + sum(objective.penalty(layer.W) for layer in layers)


@_underflow_is_zero
def backward(
    layers: Sequence[Layer],
    objective: Objective,
    trace: Trace,
    y: Array,
    weight: Array | None = None,
    flat: Array | None = None,
) -> Gradients:
    """Compute every layer's ``delta``, ``dW`` and ``db``: the gradient of :func:`cost`, in ``flat`` if given.

        delta_L = ∂L/∂z_L,   delta_l = (delta_{l+1} @ W_{l+1}.T) ⊙ f′(z_l)
        dW_l = x_l.T @ delta_l,   db_l = Σ delta_l

    Rumelhart, Hinton & Williams (1986), equations 13 and 14: the generalised delta rule.
    """
    if flat is None:
        flat = np.empty(sum(layer.dense.n_parameters for layer in layers), trace.output.dtype)
    grads, end = Gradients([], flat), flat.size
    for index, delta in deltas(layers, objective, trace, y, weight):
        layer, start = layers[index], end - layers[index].dense.n_parameters
        grads.append(layer.gradients(trace[index], delta, flat[start:end]))
        if objective.l1 or objective.l2:
            dW = grads[-1].dW
            dW += objective.penalty_gradient(layer.W)
        end = start
    grads.reverse()
    return grads


def deltas(
    layers: Sequence[Layer], objective: Objective, trace: Trace, y: Array, weight: Array | None
) -> Iterator[tuple[int, Array]]:
    """Yield each layer's place and its ``delta`` (n, n_out), from the last layer to the first."""
    last = trace[-1]
    delta = objective.sample_delta(last.z, last.a, y) * objective.shares(len(y), weight)
    for index in reversed(range(len(layers))):
        yield index, delta
        if index > 0:
            before = trace[index - 1]
            da = layers[index].dx(trace[index], delta)
            delta = layers[index - 1].activation.delta(da, before.z, before.a)


def run_epochs(
    net: TrainableNetwork,
    samples: Samples,
    size: int,
    orders: Array | None,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
    rng: np.random.Generator,
) -> Array:
    """See :mod:`deltarule.nn.engines.contract`."""
    keep_freed_memory()
    layers, objective, flat = net.layers, net.objective, np.empty_like(net.parameters)

    def gradients(epoch: int) -> Iterator[BatchGradient]:
        order = None if orders is None else orders[epoch]
        for x, y, weight in samples.batches(size, order, flat.dtype):
            trace = forward(layers, x, rng)
            batch_cost = float(cost(layers, objective, trace, y, weight))
            backward(layers, objective, trace, y, weight, flat)
            yield batch_cost, flat, len(y) if weight is None else float(weight.sum())

    return update_by(map(gradients, range(len(rates))), net, optimizer, slots, rates, t)


def update_by(
    epochs: Iterable[Iterator[BatchGradient]],
    net: TrainableNetwork,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
) -> Array:
    """Update by the gradients of each epoch's batches, each computed when the one before was applied.

    Returns the losses of the epochs; at the first that is not finite, or leaves a parameter that is not, the
    parameters are as before it.
    """
    theta, losses = net.parameters, []
    for gradients, epoch_rates in zip(epochs, rates, strict=True):
        before = theta.copy()
        loss = _update_by_epoch(gradients, net, optimizer, slots, epoch_rates, t)
        if not (math.isfinite(loss) and np.isfinite(theta).all()):
            theta[:] = before
            break
        losses.append(loss)
        t += len(epoch_rates)
    return np.array(losses)


def _update_by_epoch(
    gradients: Iterator[BatchGradient],
    net: TrainableNetwork,
    optimizer: GradientStep,
    slots: Array,
    rates: Array,
    t: int,
) -> float:
    """Update by each batch; return the epoch's loss, or NaN at the first cost that is not finite."""
    is_mean = net.objective.reduction == "mean"
    total, counted = 0.0, 0.0
    for (batch_cost, gradient, count), rate in zip(gradients, rates.tolist(), strict=True):
        if not math.isfinite(batch_cost):
            return math.nan
        if net.frozen.size:
            gradient[net.frozen] = 0
        optimizer.clip(gradient)
        t += 1
        optimizer.update(net.parameters, gradient, slots, rate, t, net.decaying)
        total += batch_cost * count if is_mean else batch_cost
        counted += count
    return total / counted if is_mean and counted else total

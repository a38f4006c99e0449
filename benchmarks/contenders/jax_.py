"""JAX: epochs under ``jit``, as scans over batches gathered inside, with the state donated."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.contenders import Contender
from benchmarks.data import Data, first_parameters
from benchmarks.workloads import Prediction, Training

__all__ = ["prepare"]

Params: TypeAlias = list[tuple[jax.Array, jax.Array]]
State: TypeAlias = dict[str, Any]

ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "softmax": jax.nn.softmax}


def prepare(workload: Training | Prediction, data: Data, name: str) -> Contender:
    jax.config.update("jax_enable_x64", workload.dtype == "float64")
    return Predictor(workload, data) if isinstance(workload, Prediction) else Trainer(workload, data)


def _params(workload: Training | Prediction) -> Params:
    return [(jnp.array(W), jnp.array(b)) for W, b in first_parameters(workload)]


def _logits(activation: str, params: Params, x: jax.Array) -> jax.Array:
    """The last layer's z."""
    for W, b in params[:-1]:
        x = ACTIVATIONS[activation](x @ W + b)
    W, b = params[-1]
    return x @ W + b


def _loss(workload: Training, params: Params, x: jax.Array, y: jax.Array) -> jax.Array:
    z = _logits(workload.activation, params, x)
    if workload.loss == "cross_entropy":
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
    a = jax.nn.sigmoid(z) if workload.output == "sigmoid" else z
    return ((a - y) ** 2).sum() / (2 * len(x))


def _step(workload: Training, state: State, x: jax.Array, y: jax.Array) -> tuple[State, jax.Array]:
    """One update; the batch's loss before it."""
    rate = workload.learning_rate
    loss, grads = jax.value_and_grad(partial(_loss, workload))(state["params"], x, y)
    if workload.optimizer == "sgd":
        return {"params": jax.tree.map(lambda p, g: p - rate * g, state["params"], grads)}, loss
    t = state["t"] + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["m"], grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, state["v"], grads)
    m_scale, v_scale = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    params = jax.tree.map(
        lambda p, m, v: p - rate * (m * m_scale) / (jnp.sqrt(v * v_scale) + workload.epsilon),
        state["params"],
        m,
        v,
    )
    return {"params": params, "m": m, "v": v, "t": t}, loss


def _epoch(
    workload: Training, shuffle: bool, X: jax.Array, Y: jax.Array, state: State, key: jax.Array
) -> tuple[State, jax.Array]:
    """One epoch; its loss. Whole batches are scanned over, a smaller last one comes after."""
    n, size = len(X), workload.batch_size
    if size is None:
        return _step(workload, state, X, Y)
    order = jax.random.permutation(key, n) if shuffle else jnp.arange(n)
    whole = n // size * size

    def update(state: State, rows: jax.Array) -> tuple[State, jax.Array]:
        x = X.at[rows].get(mode="promise_in_bounds", unique_indices=True)
        return _step(workload, state, x, Y[rows])

    state, losses = lax.scan(update, state, order[:whole].reshape(-1, size))
    total = losses.sum() * size
    if whole < n:
        state, loss = update(state, order[whole:])
        total += loss * (n - whole)
    return state, total / n


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=4)
def _epochs(
    workload: Training, shuffle: bool, X: jax.Array, Y: jax.Array, state: State, keys: jax.Array
) -> tuple[State, jax.Array]:
    """An epoch for each key; the losses."""
    return lax.scan(partial(_epoch, workload, shuffle, X, Y), state, keys)


class Trainer(Contender):
    """All epochs of a call in one compiled function."""

    def __init__(self, workload: Training, data: Data) -> None:
        self.workload = workload
        self.X = jnp.array(data.inputs(workload.dtype))
        self.Y = jnp.array(data.Y if data.Y.ndim == 1 else data.Y.astype(workload.dtype))

    def check(self) -> list[float]:
        return self._train(self.workload.checked, shuffle=False).tolist()

    def run(self, times: int) -> None:
        self._train(times, shuffle=True)

    def _train(self, epochs: int, shuffle: bool) -> jax.Array:
        params = _params(self.workload)
        state: State = {"params": params}
        if self.workload.optimizer == "adam":
            state |= {name: jax.tree.map(jnp.zeros_like, params) for name in ("m", "v")}
            state["t"] = jnp.zeros((), params[0][0].dtype)
        keys = jax.random.split(jax.random.key(0), epochs)
        _, losses = jax.block_until_ready(_epochs(self.workload, shuffle, self.X, self.Y, state, keys))
        return losses


class Predictor(Contender):
    """The forward pass under ``jit``, on an array of JAX's own."""

    def __init__(self, workload: Prediction, data: Data) -> None:
        self.X, self.params = jnp.array(data.inputs(workload.dtype)), _params(workload)
        self.forward = jax.jit(
            lambda params, x: ACTIVATIONS[workload.output](_logits(workload.activation, params, x))
        )

    def check(self) -> list[float]:
        return self.forward(self.params, self.X)[:5].ravel().tolist()

    def run(self, times: int) -> None:
        for _ in range(times):
            self.forward(self.params, self.X).block_until_ready()

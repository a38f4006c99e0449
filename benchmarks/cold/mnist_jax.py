"""MNIST to 97.92 %: JAX, an epoch in one compiled scan. Arguments: folder, seed, epochs."""

import sys
from functools import partial

import jax
import jax.numpy as jnp

from benchmarks.cold.images import WANTED, read, report

SIZES, BATCH = (784, 200, 80, 10), 256


def initial(key):
    keys = jax.random.split(key, len(SIZES) - 1)
    return [
        (jax.random.normal(k, (n_in, n_out)) * (2 / n_in) ** 0.5, jnp.zeros(n_out))
        for k, n_in, n_out in zip(keys, SIZES, SIZES[1:], strict=False)
    ]


def logits(params, x):
    for W, b in params[:-1]:
        x = jax.nn.relu(x @ W + b)
    W, b = params[-1]
    return x @ W + b


def loss(params, x, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits(params, x)), y[:, None], axis=1).mean()


def one_cycle(progress, rate=0.01, rise=0.3):
    up = rate / 25 + (rate - rate / 25) * (1 - jnp.cos(jnp.pi * progress / rise)) / 2
    down = rate * (1 + jnp.cos(jnp.pi * (progress - rise) / (1 - rise))) / 2
    return jnp.where(progress < rise, up, down)


def update(X, y, total, state, rows):
    params, m, v, t = state
    grads = jax.grad(loss)(params, X[rows], y[rows])
    rate = one_cycle(t / total)
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, grads)
    m_scale, v_scale = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    params = jax.tree.map(
        lambda p, m, v: p - rate * m * m_scale / (jnp.sqrt(v * v_scale) + 1e-8), params, m, v
    )
    return (params, m, v, t), None


@partial(jax.jit, donate_argnums=3)
def train_epoch(X, y, total, state, key):
    order = jax.random.permutation(key, len(X))
    whole = len(X) // BATCH * BATCH
    step = partial(update, X, y, total)
    state, _ = jax.lax.scan(step, state, order[:whole].reshape(-1, BATCH))
    return step(state, order[whole:])[0] if whole < len(X) else state


@jax.jit
def n_right(params, X, y):
    return (logits(params, X).argmax(axis=1) == y).sum()


folder, seed, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
X, y, X_test, y_test = (jnp.array(array) for array in read(folder))
X, X_test = X.astype(jnp.float32) / 255, X_test.astype(jnp.float32) / 255
y, y_test = y.astype(jnp.int32), y_test.astype(jnp.int32)
key, first = jax.random.split(jax.random.key(seed))
params = initial(first)
state = (params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), 0.0)
total = epochs * -(-len(X) // BATCH)
epoch, accuracy = 0, 0.0
while epoch < epochs and accuracy < WANTED:
    epoch += 1
    state = train_epoch(X, y, total, state, jax.random.fold_in(key, epoch))
    accuracy = int(n_right(state[0], X_test, y_test)) / len(y_test)
report(epoch, accuracy)

"""10,000 updates of the 2-2-2 network: JAX, all in one compiled scan."""

import json

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


def loss(weights, x, y):
    W1, W2 = weights
    a = jax.nn.sigmoid(jax.nn.sigmoid(x @ W1 + 0.35) @ W2 + 0.60)
    return ((a - y) ** 2).sum() / 2


@jax.jit
def train(weights, x, y):
    def update(weights, _):
        grads = jax.grad(loss)(weights, x, y)
        return [W - 0.5 * dW for W, dW in zip(weights, grads, strict=True)], None

    weights, _ = jax.lax.scan(update, weights, length=10_000)
    return loss(weights, x, y)


W1 = jnp.array([[0.15, 0.25], [0.20, 0.30]])
W2 = jnp.array([[0.40, 0.50], [0.45, 0.55]])
x, y = jnp.array([[0.05, 0.10]]), jnp.array([[0.01, 0.99]])
print(json.dumps({"loss": float(train([W1, W2], x, y))}))

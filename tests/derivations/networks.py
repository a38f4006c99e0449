"""Random networks of every kind, with data that their loss takes."""

from __future__ import annotations

import numpy as np

from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.network import Network

N_NETWORKS = 200
_ACTIVATIONS = list(ACTIVATIONS)


def random_case(seed):
    """A network of depth 1 to 5 and width 1 to 12, 1 to 7 rows, and a generator for dropout or None."""
    rng = np.random.default_rng(seed)
    output = _ACTIVATIONS[seed % len(_ACTIVATIONS)]
    fitting = [name for name in LOSSES if LOSSES.resolve(name).accepts(ACTIVATIONS.resolve(output))]
    loss = LOSSES.resolve(fitting[rng.integers(len(fitting))])
    depth = int(rng.integers(1, 6))
    sizes = [int(size) for size in rng.integers(1, 13, depth + 1)]
    net = Network(
        sizes,
        activation=[_ACTIVATIONS[rng.integers(len(_ACTIVATIONS))] for _ in range(depth - 1)],
        output=output,
        loss=loss,
        bias=["neuron", "shared", "none"][seed % 3],
        l1=[0.0, 0.01][seed % 2],
        l2=[0.0, 0.1, 0.02][rng.integers(3)],
        reduction=["mean", "sum"][rng.integers(2)],
        dropout=[0.0, 0.3][rng.integers(2)],
        seed=seed,
    )
    n = int(rng.integers(1, 8))
    X, Y = rng.normal(size=(n, sizes[0])), rng.uniform(0.05, 0.95, size=(n, sizes[-1]))
    if loss.distribution:
        Y /= Y.sum(axis=1, keepdims=True)
    masks = np.random.default_rng(seed) if seed % 4 == 0 else None
    return net, X, Y, masks


def every_name(net):
    """Something of each kind that can be asked of a network."""
    last = len(net.layers)
    names = ["W1[0,0]", f"W{last}[0,0]", "w1", f"z{last}[0]", "a1[0]", "delta1[0]", f"layer{last}", "all"]
    return names + [f"b{last}"] * (net.layers[-1].dense.n_biases > 0)

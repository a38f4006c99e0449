"""The samples of a run: checked once, held out, recognised."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled, Sparse
from deltarule.errors import InputError
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network

__all__ = ["digest", "hold_out", "samples_for"]


def samples_for(net: Network, X: Any, Y: Any, sample_weight: Any = None) -> Samples:
    """Data as the network takes them: see :meth:`Network.forward` for what is refused."""
    x = net.inputs(X)
    return Samples(x, *net.targets(Y, sample_weight, len(x)))


def digest(samples: Samples) -> str:
    """A fingerprint of all numbers, by which resuming recognises the data."""
    from hashlib import blake2b

    content = blake2b(digest_size=16)
    for array in (*_arrays(samples.x), samples.y, samples.weight):
        if array is not None:
            content.update(f"{array.dtype.str}{array.shape}".encode())
            content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def _arrays(x: Array | Scaled) -> tuple[Array, ...]:
    if not isinstance(x, Scaled):
        return (x,)
    values = x.values.arrays() if isinstance(x.values, Sparse) else (x.values,)
    return (*values, x.shift, x.scale)


def hold_out(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """(rest, held out): a random ``fraction`` of the samples, the same for the same seed."""
    n_held = round(fraction * len(samples))
    if not 0 < n_held < len(samples):
        raise InputError(
            f"validation={fraction} of {len(samples)} samples leaves {len(samples) - n_held} to train on and "
            f"{n_held} to validate on; both need at least one"
        )
    order = np.random.default_rng([seed, 1]).permutation(len(samples))
    return samples.take(np.sort(order[n_held:])), samples.take(np.sort(order[:n_held]))

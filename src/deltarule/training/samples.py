"""The samples of a run: checked once, divided, put in order, recognised by a fingerprint."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Protocol

import numpy as np

from deltarule.arrays import Array, Scaled, Sparse
from deltarule.errors import InputError
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.training.settings import Settings
from deltarule.training.streamed import StreamSamples, is_stream


class _HasState(Protocol):
    state: Any


class SampleOrder(Protocol):
    """What gives each epoch its order of the samples: a NumPy Generator, or another shuffler with a state."""

    def permutation(self, n: int, /) -> Array:
        """The order of the next epoch, (n,)."""

    @property
    def bit_generator(self) -> _HasState:
        """What has the ``state`` that a checkpoint keeps, as JSON knows it."""


def mask_key(rng: np.random.Generator) -> int:
    """Return what workers draw dropout masks from, instead of from one generator after another."""
    return int(deepcopy(rng).integers(2**63))


def samples_or_stream(net: Network, X: Any, Y: Any, sample_weight: Any) -> Samples | StreamSamples:
    """Check data for a network: arrays, or a stream, which has its targets in itself."""
    if is_stream(X):
        if Y is not None or sample_weight is not None:
            raise InputError("a stream contains its targets: give neither Y nor sample_weight with it")
        return StreamSamples(net, X)
    if Y is None:
        raise InputError("Y, the targets of the samples, is missing; only a stream contains its targets")
    return samples_for(net, X, Y, sample_weight)


def samples_for(net: Network, X: Any, Y: Any, sample_weight: Any = None) -> Samples:
    """Check data for a network: see :meth:`Network.forward` for what is refused."""
    x = net.inputs(X)
    return Samples(x, *net.targets(Y, sample_weight, len(x)))


def digest(samples: Samples | StreamSamples) -> str:
    """Return a fingerprint of all numbers, by which resuming recognises the data."""
    from hashlib import blake2b

    if isinstance(samples, StreamSamples):
        return samples.stream.fingerprint()
    content = blake2b(digest_size=16)
    for array in (*_arrays_of(samples.x), samples.y, samples.weight):
        if array is not None:
            content.update(f"{array.dtype.str}{array.shape}".encode())
            content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def _arrays_of(x: Array | Scaled) -> tuple[Array, ...]:
    if not isinstance(x, Scaled):
        return (x,)
    values = x.values.arrays() if isinstance(x.values, Sparse) else (x.values,)
    return (*values, x.shift, x.scale)


def divide(
    net: Network, samples: Samples | StreamSamples, validation: Any, settings: Settings
) -> tuple[Samples | StreamSamples, Samples | StreamSamples | None]:
    """Return the samples to train on, and those to validate on: given ones, or a random share of all."""
    if isinstance(validation, Samples):
        return samples, validation
    if is_stream(validation):
        return samples, StreamSamples(net, validation).held()
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise InputError(f"validation must be None, a fraction or (X, Y), got {len(validation)} parts")
        return samples, samples_for(net, *validation)
    fraction = settings.validation_fraction
    if not fraction:
        return samples, None
    if isinstance(samples, StreamSamples):
        rest, part = samples.stream.split(fraction, settings.seed)
        return StreamSamples(net, rest), StreamSamples(net, part).held()
    n_held = round(fraction * len(samples))
    if not 0 < n_held < len(samples):
        raise InputError(
            f"validation={fraction} of {len(samples)} samples leaves {len(samples) - n_held} to train on and "
            f"{n_held} to validate on; both need at least one"
        )
    order = np.random.default_rng([settings.seed, 1]).permutation(len(samples))
    return samples.take(np.sort(order[n_held:])), samples.take(np.sort(order[:n_held]))

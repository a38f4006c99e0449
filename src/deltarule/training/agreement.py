"""What workers must have in common before they train together: each ran a script of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import as_batch
from deltarule.errors import InputError
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.training.settings import Settings
from deltarule.training.streamed import StreamSamples
from deltarule.training.workers import Workers

_FEW = 64  # samples that tell whether all have the same


def agreed(
    workers: Workers | None, net: Network, settings: Settings, samples: Samples | StreamSamples
) -> Settings:
    """Give all workers the first one's parameters and seed; return their settings.

    Raises InputError if they have other samples, layers or settings: each of them raises it.
    """
    if workers is None or workers.count == 1:
        return settings
    own = (
        ("rows", (len(samples), *_sums(samples, net))),
        ("layers", (net.parameters.size,)),
        ("epochs", (settings.epochs,)),
        ("rows in a batch", (settings.batch_size or len(samples),)),
    )
    found = workers.all(own)
    for number, theirs in enumerate(found, 1):
        for (what, first), (_, other) in zip(found[0], theirs, strict=True):
            if len(first) != len(other) or not np.allclose(first, other, rtol=1e-5, atol=1e-5):
                raise InputError(_reason(number, len(found), what, first[0], other[0]))
    net.parameters[:] = workers.first(lambda: net.parameters)
    return replace(settings, seed=workers.first(lambda: settings.seed))


def _reason(number: int, count: int, what: str, first: Any, other: Any) -> str:
    counts = f" ({other:,}, not {first:,})" if first != other else ""
    reason = f"worker {number} of {count} has other {what}{counts} than the first one"
    if what == "rows":
        reason += ": give every worker all rows, of which training divides each batch among them"
    return reason


def _sums(samples: Samples | StreamSamples, net: Network) -> list[float]:
    """Sums of a few samples, which are almost the same on every machine."""
    if isinstance(samples, StreamSamples):
        few = samples.few()
    else:
        few = samples.take(slice(None, None, -(-len(samples) // _FEW)))
    x = as_batch(few.x, net.dtype)
    ones = np.ones((x.shape[1], 1), net.dtype)
    parts = (x @ ones, few.y) if few.weight is None else (x @ ones, few.y, few.weight)
    return [float(total) for part in parts for total in part.sum(axis=1, dtype=np.float64)]

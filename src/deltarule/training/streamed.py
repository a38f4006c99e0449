"""Training on a stream: an epoch block by block, its measures, and where in it a run stands."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.errors import InputError
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.training.metrics import Metric, loss_and_outputs, penalty_of

if TYPE_CHECKING:
    from deltarule.data import Dataset, Stream

#: The share of a stream's memory that rows may take which are measured again and again.
_HELD = 8
_FEW = 64  # rows that tell whether the cost is finite


def is_stream(X: object) -> TypeGuard[Stream]:
    """Tell whether these are rows read piece by piece; who has a stream has loaded its class."""
    streams = sys.modules.get("deltarule.data.streams")
    return streams is not None and isinstance(X, streams.Stream)


class StreamSamples:
    """The samples of a stream as a network takes them, block by block.

    The network's encoding reads the rows; where it has none, it gets the stream's. Raises InputError if
    the stream does not fit the network.
    """

    def __init__(self, net: Network, stream: Stream) -> None:
        if net.encoding is None:
            net.encoding = stream.encoding
        self._net, self.stream, self._encoding = net, stream, net.encoding
        self._row_bytes = 0
        self._all: Samples | None = None
        self._first = self._encoded(stream.sample.take(np.arange(min(_FEW, len(stream.sample)))))
        x = self._first.x
        width = x.values.dtype.itemsize if isinstance(x, Scaled) else net.dtype.itemsize
        self._row_bytes = x.shape[1] * width + (self._first.y.shape[1] + 1) * 8

    def __len__(self) -> int:
        return len(self.stream)

    def few(self) -> Samples:
        """Some of the samples, which tell whether the cost is finite."""
        return self._first

    def _encode(self, rows: Dataset) -> tuple[Array | Scaled, Array]:
        samples = self._encoded(rows)
        return samples.x, samples.y

    def _encoded(self, rows: Dataset) -> Samples:
        net = self._net
        x, y = self._encoding.encode(rows, net.sizes[-1], net.dtype)
        x = net.inputs(x)
        return Samples(x, *net.targets(y, None, len(x)))

    def window(self, batch_size: int) -> int:
        """How many rows are held and mixed: see :meth:`Stream.window_rows`."""
        return self.stream.window_rows(self._row_bytes, batch_size)

    def blocks(
        self, batch_size: int, order: Any = None, skip: int = 0
    ) -> Iterator[tuple[Samples, Array | None]]:
        """Yield the samples of an epoch, with the order to take them in; all at once where they fit."""
        window = self.window(batch_size)
        if window < len(self):
            for block in self.stream.blocks(self._encode, window, order=order, skip=skip):
                yield Samples(block.x, block.y, None), block.order
        else:
            if self._all is None:
                (block,) = self.stream.blocks(self._encode, window)
                self._all = Samples(block.x, block.y, None)
            yield self._all, None if order is None else order.permutation(len(self))

    def held(self) -> StreamSamples | Samples:
        """The same; or all of them, where they are few enough to be held beside others."""
        most = self.stream.budget.rows_bytes // _HELD // self._row_bytes
        parts: list[Samples] = []
        for rows in self.stream.rows():
            parts.append(self._encoded(rows))
            most -= len(rows)
            if most < 0:
                return self
        if not parts:
            raise InputError(f"{self.stream.name}: no row is left to validate on; hold out a larger share")
        first, y = parts[0].x, np.concatenate([part.y for part in parts])
        x: Any = np.concatenate([getattr(part.x, "values", part.x) for part in parts])
        return Samples(Scaled(x, first.shift, first.scale) if isinstance(first, Scaled) else x, y, None)


@dataclass
class EpochPlace:
    """Where in an epoch of a stream a run stands, and what it found so far.

    Parameters
    ----------
    order_state : dict or None
        The state of the generator of orders at the epoch's start.
    done : int
        Samples that were trained on.
    total, counted : float
        The losses so far, each times its share of the samples, and these shares.
    """

    order_state: Any = None
    done: int = 0
    total: float = 0.0
    counted: float = 0.0
    written: int = field(default=0, compare=False)


def run_streamed_epoch(run: Any, rates: Array, update: Callable[..., Array]) -> Array:
    """Update with every batch of an epoch of a stream, from where it stands; return its loss, or nothing.

    The parameters are as before where the loss, or a parameter, is not finite.
    """
    samples, net, size = run.samples, run.net, run.batch_size
    before, place = net.parameters.copy(), run.place
    place.order_state = place.order_state or deepcopy(run.order_rng.bit_generator.state)
    run.order_rng.bit_generator.state = place.order_state
    order = deepcopy(run.order_rng) if run.settings.shuffle and size < len(samples) else None
    losses: Array = np.empty(0)
    with closing(samples.blocks(size, order, place.done)) as blocks:
        for block, rows in blocks:
            first = place.done // size
            part = rates[:, first : first + math.ceil(len(block) / size)]
            losses = update(run, block, None if rows is None else rows[None], part)
            run.updates += part.size
            if not len(losses):
                net.parameters[:] = before
                break
            share = len(block) if net.objective.reduction == "mean" else 1
            place.done, place.total = place.done + len(block), place.total + float(losses[0]) * share
            place.counted += share
            run.within_epoch()
    if len(losses) and place.counted > share:
        losses = np.array([place.total / (place.counted if net.objective.reduction == "mean" else 1)])
    if order is not None:
        run.order_rng.bit_generator.state = order.bit_generator.state
    run.place = EpochPlace()
    return losses


def measure_stream(
    net: Network,
    blocks: Iterable[tuple[Samples, Array | None]],
    metrics: Sequence[Metric],
    look: Callable[..., tuple[float, Array]] = loss_and_outputs,
) -> dict[str, float]:
    """Compute loss and metrics of all samples of a stream, as :func:`~deltarule.evaluate` does of arrays."""
    mean, penalty = net.objective.reduction == "mean", penalty_of(net)
    total, count, sums = 0.0, 0, dict[str, Array]()
    held: list[tuple[Array, Array]] = []
    for samples, _ in blocks:
        if count:
            _add_sums(sums, metrics, held)
        loss, a = look(net, samples.x, samples.y)
        total, count = total + loss * (len(samples) if mean else 1), count + len(samples)
        held.append((a, samples.y.copy() if metrics else samples.y[:0]))
    if not count:
        raise InputError("there are no rows to measure")
    if not sums:  # of a single block, or of metrics that need all outputs
        loss = loss if count == len(samples) else total / count if mean else total
        return {"loss": loss + penalty} | _values(metrics, held)
    _add_sums(sums, metrics, held)
    found = {metric.name: metric.of_sums(sums[metric.name]) for metric in metrics if metric.of_sums}
    found |= _values([metric for metric in metrics if metric.sums is None], held)
    return {"loss": (total / count if mean else total) + penalty} | {m.name: found[m.name] for m in metrics}


def _add_sums(sums: dict[str, Array], metrics: Sequence[Metric], held: list[tuple[Array, Array]]) -> None:
    """Add up what the metrics need of the last block; its outputs stay where one of them needs all."""
    a, y = held[-1]
    for metric in metrics:
        if metric.sums is not None:
            sums[metric.name] = sums.get(metric.name, 0) + metric.sums(a, y)
    if all(metric.sums is not None for metric in metrics):
        held.clear()


def _values(metrics: Sequence[Metric], held: Sequence[tuple[Array, Array]]) -> dict[str, float]:
    if not metrics:
        return {}
    a, y = (np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*held, strict=True))
    return {metric.name: metric.value(a, y) for metric in metrics}

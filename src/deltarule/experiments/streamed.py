"""An experiment on a stream: what an experiment on a data set does, without ever holding all rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Stream
from deltarule.data.decisions import Decision
from deltarule.data.encoding import ColumnsEncoding, row_digests
from deltarule.experiments.choices import Choices
from deltarule.experiments.decided import filled, pooled
from deltarule.experiments.defaults import batch_size_for, build_network, optimizer_for, score_of
from deltarule.experiments.fitting import (
    TrainedNetwork,
    check_pair,
    encoded_rows,
    encoding_of,
    joined_predictions,
    predict_dataset,
    remember_rows,
    train_or_resume,
)
from deltarule.experiments.results import ExperimentResult
from deltarule.nn.engines.contract import Samples
from deltarule.training import METRICS
from deltarule.training.streamed import StreamSamples, measure_stream

#: Rows that are held out at most, for a test and to stop early by, where nobody says how many.
_MOST_HELD = 200_000
_KEPT = 1 << 16  # digests of rows that are kept


def run_streamed(stream: Stream, choices: Choices) -> ExperimentResult:
    """Train a network on a stream, and test it on rows of it that it has not seen."""
    rest, test = _divided(stream, "test", choices.test, 0.2, choices.seed)
    rest, held = _divided(rest, "validation", choices.validation, 0.1, choices.seed + 1)
    net = build_network(rest, rest.encoding, choices)
    check_pair(net, encoded_rows(net, rest.sample)[1])
    parts = {"train": rest} | ({} if held is None else {"validation": held})
    given: dict[str, Any] = dict(parts)
    held_rows = None if held is None else StreamSamples(net, held).held()  # read once, where they can be held
    if isinstance(held_rows, Samples):
        given["validation"] = held_rows.x, held_rows.y
    net, history = train_or_resume(net, rest, given, choices)
    metric = METRICS.resolve(score_of(encoding_of(net)))
    scores, digests = {}, np.empty(0, np.uint64)
    for name, part in parts.items():
        samples = StreamSamples(net, part) if name == "train" else held_rows
        if history.stopped == "interrupted":  # nobody waits for another pass then
            samples = StreamSamples(net, part).few()
        assert samples is not None
        looked_at = _Seen(digests)
        found = measure_stream(net, looked_at.each(samples), [metric])
        scores[name], digests = {"rows": looked_at.count, **found}, looked_at.digests
    trained = TrainedNetwork(
        net, history, scores, optimizer_for(rest, choices), batch_size_for(rest, choices), digests
    )
    interrupted = history.stopped == "interrupted"
    tested = None
    if not interrupted and test is not None:  # of its rows, answers and targets alone are held
        tested = joined_predictions([predict_dataset(net, rows) for rows in test.rows()])
    n_rows = sum(int(part["rows"]) for part in scores.values())
    remember_rows(trained, tested, n_rows if len(digests) == _KEPT else None)
    told = (*stream.decisions, *_told(rest, choices))
    dataset = replace(rest.sample, description=stream.description, decisions=told, test=None)
    n_rows += 0 if tested is None else len(tested.true)
    return ExperimentResult(dataset, dataset, trained, tested, interrupted, told, choices, n_rows)


def _divided(
    stream: Stream, name: str, share: float | None, suited: float, seed: int
) -> tuple[Stream, Stream | None]:
    """The rest, and the part to test on or to stop early by: the source's, or rows set aside by a hash."""
    own = stream.part(name)
    if share is None and own is not None:
        return stream, own
    if share is None:
        share = min(suited, _MOST_HELD / len(stream))
    return stream.split(share, seed) if share else (stream, None)


class _Seen:
    """Rows that were looked at: how many, and the smallest digests of them."""

    def __init__(self, digests: Array) -> None:
        self.count, self.digests = 0, digests

    def each(self, samples: StreamSamples | Samples) -> Iterator[tuple[Samples, Array | None]]:
        """The blocks of samples, one after the other."""
        blocks = [(samples, None)] if isinstance(samples, Samples) else samples.blocks(1)
        for block, order in blocks:
            self.count += len(block)
            self.digests = np.unique(np.append(self.digests, row_digests(block.x, block.y)))[:_KEPT]
            yield block, order


def _told(stream: Stream, choices: Choices) -> list[Decision]:
    """What the encoding does to missing cells and rare categories."""
    found, inputs = stream.found(), stream.encoding.inputs
    if not isinstance(inputs, ColumnsEncoding):
        return []
    statistic = choices.missing.replace("drop", "median")
    if not found.held_all and statistic != "mean":
        statistic += " of a sample"
    rare = [pooled(name, counts) for name, counts in found.pooled.items() if counts]
    return [*filled(inputs, found.missing, statistic, {}), *rare]

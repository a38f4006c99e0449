"""The history of a training run: a row for each epoch."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np

from deltarule.arrays import Array
from deltarule.files import write_atomically
from deltarule.nn.engines.contract import Samples
from deltarule.nn.network import Network
from deltarule.registry import did_you_mean, shown_by
from deltarule.training.samples import SampleOrder
from deltarule.training.settings import Settings
from deltarule.training.workers import Workers

SHOWN = 12  # rows of a printed table


@dataclass(eq=False)
class RunStart:
    """What a run started from: enough to make it again, update by update."""

    net: Network
    samples: Samples
    settings: Settings
    engine: str
    batch_size: int
    n_batches: int
    epoch: int
    updates: int
    slots: Array
    order_rng: SampleOrder
    mask_rng: np.random.Generator
    workers: Workers | None

    def copy(self) -> RunStart:
        """Return a start of its own, which updates may change."""
        own = {name: deepcopy(getattr(self, name)) for name in ("slots", "order_rng", "mask_rng")}
        return replace(self, net=self.net.copy(), **own)


class History(Mapping[str, list[float]]):
    """The epochs of a training run, in columns of equal length: ``history["loss"]``.

    The columns are ``epoch`` (from 1), ``loss`` (the mean cost of the epoch's batches before each update),
    the metrics, ``val_loss`` and ``val_…`` if validation data were given, and ``learning_rate`` (of the
    epoch's last update).

    Attributes
    ----------
    stopped : str
        Why training ended: "finished", "early", "callback", "converged" or "interrupted".
    seconds : float
        How long it took; not saved, so that equal runs give equal files.
    engine : str
        What computed it.
    start : RunStart or None
        What :func:`deltarule.training.replay.replay` needs to repeat the run; not saved.

    Examples
    --------
    >>> history = History()
    >>> history.append({"epoch": 1, "loss": 0.5})
    >>> history.append({"epoch": 2, "loss": 0.25})
    >>> history["loss"]
    [0.5, 0.25]
    >>> print(history)
    epoch  loss
        1   0.5
        2  0.25
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.stopped = "finished"
        self.seconds = 0.0
        self.engine = "reference"
        self.start: RunStart | None = None

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch; every row has the same columns."""
        self.extend({name: [value] for name, value in row.items()})

    def extend(self, columns: Mapping[str, Sequence[float]]) -> None:
        """Add epochs, column by column; every row has the same columns."""
        before = self.epochs
        try:
            for name, values in columns.items():
                self._columns.setdefault(name, []).extend(values)
        except BaseException:  # Ctrl-C between two columns: no half rows
            for kept in self._columns.values():
                del kept[before:]
            raise

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._columns:
            raise KeyError(f"no column {name!r} in the history{did_you_mean(name, self._columns)}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def epochs(self) -> int:
        """Number of epochs."""
        return len(next(iter(self._columns.values()), []))

    def row(self, index: int) -> dict[str, float]:
        """Return the numbers of an epoch by column; −1 is the last epoch."""
        return {name: values[index] for name, values in self._columns.items()}

    def to_array(self) -> Array:
        """Return all rows, (n_epochs, n_columns) float64."""
        return np.array(list(self._columns.values()), dtype=float).T.reshape(self.epochs, len(self))

    @classmethod
    def from_array(cls, names: list[str], rows: Array) -> History:
        """Make a history from the array that :meth:`to_array` returned."""
        history = cls()
        for row in rows.tolist():
            history.append({**dict(zip(names, row, strict=True)), "epoch": int(row[0])})
        return history

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a header and a row for each epoch, with full precision, atomically."""
        import csv

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self._columns)
        writer.writerows(zip(*self._columns.values(), strict=True))
        write_atomically(path, text.getvalue().encode())

    _repr_html_ = shown_by("deltarule.notebook_views:history")

    def __str__(self) -> str:
        """Print the first and the last epoch, and some between, as a table."""
        last = self.epochs - 1
        chosen = (
            sorted({round(i * last / (SHOWN - 1)) for i in range(SHOWN)}) if last > 0 else range(last + 1)
        )
        rows = [list(self._columns), *([f"{v:.4g}" for v in self.row(i).values()] for i in chosen)]
        for shown, index in zip(rows[1:], chosen, strict=True):
            shown[0] = f"{self['epoch'][index]:.0f}"
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows)

    __repr__ = __str__

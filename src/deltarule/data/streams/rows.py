"""From pieces of a source to rows of inputs and targets, all understood in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.dataset import Dataset, classes_of
from deltarule.data.decisions import Decision, decide
from deltarule.data.encoding.fitting import fit_encoding
from deltarule.data.file_columns import FileColumns
from deltarule.data.meaning import MISSING_TOO, parted
from deltarule.data.reading import ReadingOptions
from deltarule.data.streams.finding import StreamSource
from deltarule.data.streams.memory import Budget
from deltarule.data.streams.pieces import PicturePiece, Piece, RowGroup, TablePiece, taken
from deltarule.data.table import Table
from deltarule.data.table_files import load_table
from deltarule.data.target_roles import target_values
from deltarule.errors import DataFileError

#: Rows that tell what the columns of a stream mean …
SAMPLE = 20_000
_GROUPS = 16  # … and the groups that they are taken from, at most


def sample_of(source: StreamSource, budget: Budget, options: ReadingOptions) -> list[Piece]:
    """Return the first rows of some groups, spread over all of them.

    Raises
    ------
    DataFileError
        If there are none.
    """
    groups, texts = source.groups, _texts(options.kinds)
    chosen = np.unique(np.linspace(0, len(groups) - 1, min(len(groups), _GROUPS)).astype(int)).tolist()
    width = next((piece.n_columns for piece in groups[0].read(1, None, texts)), 1)
    share = -(-min(SAMPLE, budget.piece_rows(width)) // len(chosen))
    pieces: list[Piece] = []
    for place in chosen:
        count = 0
        for piece in groups[place].read(min(share, 8192), None, texts):
            count += len(piece)
            if len(piece):
                pieces.append(piece)
            if count >= share:
                break
    if not pieces:
        raise DataFileError(source.name, "there are no rows in it")
    return pieces


def _texts(kinds: Mapping[str, str | None]) -> frozenset[str]:
    """The columns whose cells stay texts: all that are known not to be plain numbers."""
    plain = ("number", "yes-no")
    return frozenset(
        name
        for name, kind in kinds.items()
        if kind and parted(kind.removesuffix(MISSING_TOO))[0] not in plain
    )


@dataclass(frozen=True, eq=False)
class RowReader:
    """How pieces become rows of inputs and targets.

    Parameters
    ----------
    path : str
        What messages call the data.
    kinds : mapping of column name to a kind
        How the columns are read that are used.
    inputs : tuple of str
        The columns that are inputs.
    targets : tuple of str
    classes : bool
        Whether the target is one of classes.
    drop_missing : bool
        Whether rows with missing inputs are left out.
    refuse_missing : bool
        Whether missing targets are refused.
    options : ReadingOptions
    sample : Dataset
    asked : mapping
        What `load_table` was asked for.
    """

    path: str
    kinds: Mapping[str, str | None]
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    classes: bool
    drop_missing: bool
    refuse_missing: bool
    options: ReadingOptions
    sample: Dataset
    asked: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        piece: Piece,
        source: StreamSource,
        named: Mapping[str, Any],
        missing: str,
        options: ReadingOptions,
    ) -> RowReader:
        """Decide by a sample what the columns mean."""
        drop, refused = missing == "drop", missing == "refuse"
        asked = {**named, "missing": missing if refused or drop else None, "options": options}
        dataset = _load(piece, source, asked)
        kinds: dict[str, str | None] = {}
        if isinstance(piece, TablePiece):
            kinds = dict(fit_encoding(dataset, scale="none", missing="median").kinds)
            if dataset.classes and not isinstance(dataset.classes[0], str | bool):
                kinds[dataset.target_names[0]] = "number"
        inputs = tuple(name for name in kinds if name not in dataset.target_names)
        return cls(
            source.name, kinds, inputs, dataset.target_names, dataset.classes is not None, drop, refused,
            replace(options, indicators=False, kinds={}), dataset, asked,
        )  # fmt: skip

    def load(self, piece: Piece, source: StreamSource) -> Dataset:
        """Return rows as a data set, understood by themselves: what loading their file gives."""
        return _load(piece, source, self.asked)

    def kept_pieces(self, group: RowGroup, kept: Callable[[int, int], Array | None]) -> Iterator[Piece]:
        """Yield all columns of those rows of a group that are kept."""
        first = 0
        for piece in group.read(8192, None, _texts(self.asked["options"].kinds)):
            rows = kept(first, len(piece))
            first += len(piece)
            yield piece if rows is None else taken(piece, np.flatnonzero(rows))

    def pieces(self, group: RowGroup, most: int) -> Iterator[Piece]:
        """Yield the rows of a group, of tables the columns that are needed."""
        return group.read(most, frozenset(self.kinds) if self.kinds else None, _texts(self.kinds))

    def dataset(self, piece: Piece, kept: Array | None) -> Dataset | None:
        """Return the rows of a piece that are kept and can be used; None where there are none."""
        if isinstance(piece, PicturePiece):
            rows = slice(None) if kept is None else np.flatnonzero(kept)
            found = replace(self.sample, inputs=piece.pixels[rows], target=piece.labels[rows], decisions=())
            return found if len(found) else None
        columns = FileColumns(piece, self.kinds, "text", self.options)
        inputs = columns.table(self.inputs)
        if isinstance(self.sample.inputs, Table):  # it knows which parts of a date tell something
            inputs = inputs.without(set(inputs.names) - set(self.sample.inputs.names))
        used = np.ones(len(piece), bool) if kept is None else kept.copy()
        targets = columns.table(self.targets, labels=True) if self.targets else None
        decisions = columns.taken(self.inputs, self.targets)
        for name in targets.names if targets is not None else ():
            assert targets is not None
            gone = targets.missing(name) & used
            if gone.any():
                if self.refuse_missing:
                    raise targets.fault(int(gone.argmax()), name, "the target is missing")
                decisions.append(decide("no-target", count=int(gone.sum()), column=name))
                used &= ~gone
        for name in inputs.names if self.drop_missing else ():
            used &= ~inputs.missing(name)
        if not used.any():
            return None
        if not used.all():
            rows = np.flatnonzero(used)
            inputs, targets = inputs.take(rows), None if targets is None else targets.take(rows)
        task = "classification" if self.classes else "regression"
        values, _ = target_values(targets, self.targets, task if self.targets else None, len(inputs))
        return replace(self.sample, inputs=inputs, target=values, decisions=tuple(decisions))


def _load(piece: Piece, source: StreamSource, asked: Mapping[str, Any]) -> Dataset:
    if isinstance(piece, PicturePiece):
        return Dataset(
            source.name, piece.pixels, piece.labels, (source.target or "class",), classes_of(piece.labels),
            "minmax", None, f"{source.name}: {len(piece)} pictures", source.decisions, paper=source.paper,
        )  # fmt: skip
    dataset = load_table(piece, **asked)
    names = dataset.inputs.names if isinstance(dataset.inputs, Table) else ()
    used = {*names, *(name.rpartition(".")[0] for name in names), *dataset.target_names}
    told = (item for item in source.decisions if item.kind != "lacking" or dict(item.words)["column"] in used)
    return replace(dataset, decisions=(*told, *dataset.decisions))


class MergedDecisions:
    """What was decided about the cells of all pieces, each told once, with its counts added up."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Any], Decision] = {}
        self._counts: Counter[tuple[str, Any]] = Counter()
        self._missing: Counter[str] = Counter()

    def add(self, inputs: Table | Array, decisions: Iterable[Decision]) -> None:
        """Take what was decided about some rows, and which of their cells are missing."""
        for item in decisions:
            words = dict(item.words)
            key = item.kind, words.get("column")
            self._found.setdefault(key, item)
            self._counts[key] += words.get("count", 0)
        if isinstance(inputs, Table):
            for name in inputs.names:
                self._missing[name] += int(inputs.missing(name).sum())

    def decisions(self) -> dict[tuple[str, Any], Decision]:
        """Return them by kind and column."""
        merged = {}
        for key, item in self._found.items():
            words = tuple((n, self._counts[key] if n == "count" else value) for n, value in item.words)
            merged[key] = replace(item, words=words, line=None, field=None)
        return merged

    @property
    def missing(self) -> dict[str, int]:
        """The missing cells of each column."""
        return dict(self._missing)

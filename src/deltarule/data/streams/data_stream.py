"""A stream: data that are read piece by piece, again in every epoch, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any

import numpy as np

from deltarule.arguments import refuse_others
from deltarule.arrays import Array, Scaled, check_whole
from deltarule.data.dataset import Dataset
from deltarule.data.decisions import Decision, refuse
from deltarule.data.encoding.encoding import Encoding
from deltarule.data.encoding.fitting import EncodingFit
from deltarule.data.encoding.inputs import CategoryColumn, ColumnsEncoding
from deltarule.data.encoding.summaries import mixed
from deltarule.data.encoding.targets import LabelEncoding
from deltarule.data.reading import ReadingOptions
from deltarule.data.streams.finding import StreamSource, find_source
from deltarule.data.streams.memory import Budget, as_bytes
from deltarule.data.streams.pieces import Piece, TablePiece, joined
from deltarule.data.streams.rows import MergedDecisions, RowReader, sample_of
from deltarule.data.streams.windows import Block, RowOrder, WindowPlan, made_ahead
from deltarule.data.table import Table
from deltarule.errors import DataFileError, InputError

Encode = Callable[[Dataset], tuple[Array | Scaled, Array]]


class Stream:
    """Rows of inputs and targets that are read when they are needed, as :func:`stream` returns them.

    It is used in place of ``X, Y``: ``train(net, stream)``; ``len(stream)`` is the number of rows.

    Attributes
    ----------
    name : str
    target_names : tuple of str
    task : str
        ``"classification"`` or ``"regression"``.
    sample : Dataset
        Some rows, spread over the data; they decide what the columns mean.
    encoding : Encoding
        Fitted to all rows, in one pass, when it is first needed.
    n_inputs, n_outputs : int
        The numbers of inputs and outputs of a network for it.
    decisions : tuple of Decision

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(2000.0).reshape(1000, 2)
    >>> x, y = next(stream((X, X[:, 0]), scale="none").batches())
    >>> x.shape[1], y.shape == (len(x),)
    (2, True)
    """

    def __init__(
        self,
        source: StreamSource,
        reader: RowReader,
        sample: Dataset,
        budget: Budget,
        window: int | None,
        fitting: Mapping[str, Any],
    ) -> None:
        self.source, self.reader, self.sample, self.budget = source, reader, sample, budget
        self._window, self._fitting = window, dict(fitting)
        self._keeps: tuple[tuple[int, float, float], ...] = ()
        self._fitted_on: Stream = self
        self.name, self.target_names, self.scale = source.name, sample.target_names, sample.scale
        self.inputs = sample.inputs
        self.task = sample.task

    # ------------------------------------------------------------ what a pass over all rows finds

    @cached_property
    def _pass(self) -> StreamPass:
        """What one pass over all rows finds: the encoding, the rows of each group, what was decided."""
        return StreamPass(self)

    def found(self) -> StreamPass:
        """What the pass over all rows found."""
        return self._fitted_on._pass

    @property
    def encoding(self) -> Encoding:
        """How rows become numbers: fitted to these rows, or, of a part that was held out, to the others."""
        return self._fitted_on._pass.encoding

    @property
    def n_inputs(self) -> int:
        """How many features a network must take."""
        return self.encoding.n_inputs

    @property
    def n_outputs(self) -> int:
        """How many outputs suit the target: one for two classes, else one for each class or number."""
        target = self.encoding.target
        if target is None:
            return self.n_inputs
        if isinstance(target, LabelEncoding):
            return 1 if len(target.classes) <= 2 else len(target.classes)
        return len(target.names)

    @property
    def classes(self) -> tuple[str | int | float, ...] | None:
        """The labels in ascending order; None for a regression."""
        target = self.encoding.target
        return target.classes if isinstance(target, LabelEncoding) else None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What was decided that nobody said."""
        merged = {(item.kind, dict(item.words).get("column")): item for item in self.sample.decisions}
        return tuple((merged | self._fitted_on._pass.decisions).values())

    @property
    def description(self) -> str:
        """In one line, what it is."""
        target = ", ".join(self.target_names) or "none"
        n_columns = len(self.inputs.names) if isinstance(self.inputs, Table) else int(self.inputs[0].size)
        return f"{self.name}: a stream of {len(self):,} rows, {n_columns} inputs, target {target}"

    def __len__(self) -> int:
        return sum(self._pass.counts)

    def __repr__(self) -> str:
        return f"Stream({self.name!r}, target={', '.join(self.target_names)!r})"

    @cached_property
    def fits(self) -> bool:
        """Whether all rows can be held in the memory that the stream may take."""
        known = [group.n_rows for group in self.source.groups]
        n_rows = len(self) if None in known else sum(filter(None, known))
        return self._window is None and self.budget.fits(n_rows, self._n_columns)

    @property
    def _n_columns(self) -> int:
        """How many columns there are; eight pixels take no more than a cell."""
        return len(self.inputs.names) if isinstance(self.inputs, Table) else -(-int(self.inputs[0].size) // 8)

    def fingerprint(self) -> str:
        """What tells that a stream holds the same rows: names, sizes, counts, and the rows of the sample."""
        content = blake2b(digest_size=16)
        files = [(os.path.basename(file.name), file.size) for file in self.source.files]
        content.update(repr((files, self._pass.counts, self._keeps, self.target_names)).encode())
        content.update(np.ascontiguousarray(self.sample.target.astype("U")).tobytes())
        return content.hexdigest()

    # ------------------------------------------------------------ parts

    def split(self, fraction: float, seed: int = 0) -> tuple[Stream, Stream]:
        """Set a share of the rows aside, by a hash of each row's number: nothing has to be remembered.

        Parameters
        ----------
        fraction : float
            More than 0 and less than 1.
        seed : int

        Returns
        -------
        rest, part : Stream
            The encoding of both is fitted to the rest.
        """
        if not 0 < fraction < 1:
            raise InputError(f"fraction must be more than 0 and less than 1, got {fraction}")
        rest, part = self._own(((seed, fraction, 1.0),)), self._own(((seed, 0.0, fraction),))
        part._fitted_on = rest
        return rest, part

    def part(self, name: str) -> Stream | None:
        """Return the "validation" or "test" part that the source has of its own; None where it has none."""
        groups = (self.source.parts or {}).get(name)
        if groups is None or self._keeps:
            return None
        found = self._own(())
        found.source, found._fitted_on = replace(self.source, groups=groups, parts=None), self
        return found

    def _own(self, keeps: tuple[tuple[int, float, float], ...]) -> Stream:
        found = copy(self)
        for name in ("_pass", "fits"):
            found.__dict__.pop(name, None)
        found._keeps, found._fitted_on = (*self._keeps, *keeps), found
        return found

    def _kept(self, group: int, first: int, count: int) -> Array | None:
        """Which rows of a group belong to this part, (count,) of bool; None for all."""
        if not self._keeps:
            return None
        numbers = np.uint64(group << 40) + np.arange(first, first + count, dtype=np.uint64)
        kept = np.ones(count, bool)
        for seed, low, high in self._keeps:
            share = mixed(numbers, seed + 1) / 2.0**64
            kept &= (share >= low) & (share < high)
        return kept

    # ------------------------------------------------------------ rows

    def datasets(self, group: int) -> Iterator[Dataset]:
        """Yield the rows of a group, some at a time, as they are."""
        first = 0
        for piece in self.reader.pieces(self.source.groups[group], self.budget.piece_rows(self._n_columns)):
            found = self.reader.dataset(piece, self._kept(group, first, len(piece)))
            first += len(piece)
            if found is not None:
                yield found

    def rows(self) -> Iterator[Dataset]:
        """Yield all rows, some at a time, in the order of the source."""
        for group in range(len(self.source.groups)):
            yield from self.datasets(group)

    def batches(self) -> Iterator[tuple[Array | Scaled, Array]]:
        """Yield inputs as numbers (n, n_inputs) and the answers as they are, some thousand rows at a time.

        For what learns in parts: ``for X, y in stream.batches(): model.partial_fit(X, y, stream.classes)``.
        """
        for rows in self.rows():
            yield self.encoding.inputs.encode(rows.inputs), rows.target

    def load(self) -> Dataset:
        """Return all rows at once, as a data set in memory.

        Raises
        ------
        InputError
            If they do not fit into the memory that the stream may take.
        """
        if not self.fits:
            raise InputError(f"{self.name} does not fit into memory={self.budget.memory // 10**6}MB")
        pieces: list[Piece] = []
        for number, group in enumerate(self.source.groups):
            pieces += self.reader.kept_pieces(group, partial(self._kept, number))
        return self.reader.load(joined(self.name, pieces), self.source)

    def window_rows(self, row_bytes: int, batch_size: int) -> int:
        """How many encoded rows of so many bytes are held and mixed: whole batches, or all rows."""
        n_rows = len(self)
        window = self._window or self.budget.window_rows(row_bytes, min(batch_size, n_rows))
        if window < min(batch_size, n_rows):
            raise InputError(f"window={window:,} rows is smaller than a batch of {batch_size:,} rows")
        return n_rows if window >= n_rows else window // batch_size * batch_size

    def blocks(
        self, encode: Encode, window: int, *, order: RowOrder | None = None, skip: int = 0
    ) -> Iterator[Block]:
        """Yield the rows of an epoch, encoded, a window at a time; a thread makes the next one ahead.

        Parameters
        ----------
        encode : callable, Dataset -> (x, y)
            Turns rows into the numbers that a network takes.
        window : int
            Rows of a block; the last one may have fewer.
        order : optional
            Draws the order of the groups, and of the rows in each window; None takes them as they stand.
        skip : int
            How many rows of the epoch are done already: a multiple of ``window``.

        Yields
        ------
        Block
            It holds until the next one is asked for.
        """

        def read(group: int) -> Iterator[tuple[Array | Scaled, Array]]:
            for rows in self.datasets(group):
                yield encode(rows)

        plan = WindowPlan(self._pass.counts, window, skip)
        with made_ahead(lambda free: plan.windows(order, read, free), min(window, plan.n_rows)) as windows:
            for buffer, taken, start in windows:
                yield buffer.block(taken, start)


class StreamPass:
    """What one pass over the rows of a stream finds.

    Attributes
    ----------
    encoding : Encoding
    counts : tuple of int
        The rows of each group.
    decisions : dict of (kind, column) to Decision
    missing : dict of str to int
        The missing cells of each column.
    pooled : dict of str to Counter
        The rare categories of each column.
    held_all : bool
        Whether medians are those of all numbers, not of a sample.
    """

    encoding: Encoding

    def __init__(self, stream: Stream) -> None:
        fits_itself = stream._fitted_on is stream
        most = stream.budget.rows_bytes // 4 // (8 * max(1, len(stream.reader.kinds)))
        fit = EncodingFit(scale=stream.scale, most=most, **stream._fitting) if fits_itself else None
        counts, merged = [], MergedDecisions()
        for group in range(len(stream.source.groups)):
            count = 0
            for rows in stream.datasets(group):
                count += len(rows)
                merged.add(rows.inputs, rows.decisions)
                if fit is not None:
                    fit.add(rows)
            counts.append(count)
        if not sum(counts):
            raise DataFileError(stream.name, "no rows are left: each has no target, or is held out")
        self.counts, self.decisions, self.missing = tuple(counts), merged.decisions(), merged.missing
        if stream.reader.options.strict:
            refuse(stream.name, self.decisions.values())
        if fit is not None:
            self.encoding = fit.encoding()
            inputs = self.encoding.inputs
            columns = inputs.columns if isinstance(inputs, ColumnsEncoding) else ()
            rare = [column for column in columns if isinstance(column, CategoryColumn) and column.other]
            self.pooled = {column.name: fit.pooled(column) for column in rare}
        self.held_all = sum(counts) <= most


def stream(
    source: Any,
    target: Any = None,
    *,
    drop: str | Sequence[str] = (),
    keep: str | Sequence[str] = (),
    task: str | None = None,
    scale: str | None = None,
    missing: str | None = None,
    rare: int = 1,
    target_is_input: bool = False,
    memory: Any = "1GB",
    window: int | None = None,
    options: ReadingOptions | None = None,
    **others: Any,
) -> Stream:
    """Read data piece by piece, however large they are.

    Parameters
    ----------
    source : path, pattern, sequence of paths, array, or batches
        ``"train/*.parquet"``; CSV and the like (also compressed), JSON lines, Parquet, Arrow and ``.npy``
        files; a folder of such files, of IDX files or of pictures; an address that fsspec or pyarrow can open
        (``"s3://…"``); a database (``"URL::TABLE"``, ``"URL::SELECT …"``); arrays with rows, such as
        ``np.memmap``; batches of rows (frames, columns by name, or ``(X, y)``): a sequence of them, an object
        that can be iterated over again, or the function that makes them.
    target : str, sequence of str, path of a ``.npy`` file, or array, optional
        The column to predict, or the targets that belong to the arrays; by default the column whose name or
        position suggests it.
    drop, keep, task, options
        As in :func:`~deltarule.data.load`.
    scale : {"none", "standard", "minmax"}, optional
        As in :func:`deltarule.fit_encoding`.
    missing : {"median", "mean", "mode", "drop", "refuse"}, optional
        What to do with empty cells; by default they are filled with the median. Rows without a target are
        left out, or refused.
    rare : int
        The fewest rows that a category may have; rarer ones are grouped as "other".
    target_is_input : bool
        Whether the network is to reproduce its inputs (an autoencoder).
    memory : str or number
        The memory that the program may use in total: ``"512MB"``. The more it is, the better the rows are
        shuffled.
    window : int, optional
        How many rows are shuffled together; by default as many as the memory allows.

    Returns
    -------
    Stream

    Raises
    ------
    InputError
        If it cannot be read piece by piece, or the memory is not sufficient.
    DataFileError
        If there are no such files, or they are damaged, or no parts of one table.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(2000.0).reshape(1000, 2)
    >>> rows = stream(X, X.sum(axis=1), scale="none")
    >>> len(rows), rows.n_inputs, rows.task
    (1000, 2, 'regression')
    """
    refuse_others("stream", others, ("source", *(stream.__kwdefaults__ or ())))
    options, budget = options or ReadingOptions(), Budget(as_bytes(memory))
    if window is not None:
        window = check_whole("window", window)
    found = find_source(source, target, options)
    if found.target is not None:
        target = found.target
    if target_is_input and target is None:
        target = ()
    named = {"target": target, "drop": drop, "keep": keep, "task": task}
    chosen = missing or ("refuse" if options.strict else "median")
    pieces = sample_of(found, budget, options)
    reader = RowReader.of(joined(found.name, pieces), found, named, chosen, options)
    sample = reader.sample
    if scale is not None:
        sample = replace(sample, scale=scale)
    fitting = {"missing": chosen, "rare": rare, "target_is_input": target_is_input}
    return Stream(found, reader, sample, budget, window, fitting)


def read_pieces(
    source: Any, kinds: Mapping[str, str | None], options: ReadingOptions, memory: Any
) -> Iterator[Piece]:
    """Yield new rows for a model, some thousand at a time, however many there are.

    Parameters
    ----------
    source, options, memory
        As :func:`stream` takes them.
    kinds : mapping of column name to a kind
        The columns that the model needs.
    """
    found, budget = find_source(source, None, options), Budget(as_bytes(memory))
    rows = budget.piece_rows(len(kinds))
    texts = frozenset(name for name, kind in kinds.items() if kind == "text")
    columns: frozenset[str] | None = frozenset(kinds)
    first = next(found.groups[0].read(1, None, frozenset()), None)
    if isinstance(first, TablePiece) and not set(kinds) <= set(first.names):
        columns = None  # their names may be written in another way, or the target is not there
    for group in found.groups:
        yield from group.read(rows, columns, texts)

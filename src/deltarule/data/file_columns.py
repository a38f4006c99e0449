"""The columns of a table file as they are needed: named, understood, chosen; and all that was decided."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from shlex import quote

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import Decision, decide
from deltarule.data.meaning import (
    MISSING_TOO,
    Meaning,
    Sentinel,
    find_sentinel,
    read_column,
    why_useless,
)
from deltarule.data.reading import RawTable, ReadingOptions, plain_name, plain_number, read_file
from deltarule.data.table import Origin, Table
from deltarule.errors import DataFileError, all_faults
from deltarule.registry import did_you_mean

_PLAIN = ("number", "point", "comma")
_NEGATIVE = re.compile(r"-\d+([.,]\d*)?")
_REGRESSION = 11  # different numbers that no target of classes has


class FileColumns:
    """The columns of a file: each is understood once, when it is needed; rows may be left out."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        kinds: Mapping[str, str | None],
        others: str | None,
        options: ReadingOptions,
    ) -> None:
        self.path, self._others = path, others
        self._kinds = dict(kinds) | {name: kind for name, kind in options.kinds.items() if kind}
        self._indicators = options.indicators
        self._raw: RawTable = read_file(path, replace(options, kinds=self._kinds))
        self.decisions: list[Decision] = []
        self._fields = {name: field for field, name in enumerate(self._raw.names, 1)}
        self._cells = dict(zip(self._raw.names, self._raw.columns, strict=True))
        self._meanings: dict[tuple[str, bool], Meaning] = {}
        self._rows: Array | None = None
        unknown = [name for name in options.kinds if name not in self._cells]
        if unknown:
            self.resolve({"kind": unknown})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns of the file, or those that they were matched with."""
        return tuple(self._cells)

    @property
    def headed(self) -> bool:
        """Whether the file names its columns."""
        return self._raw.headed

    def match(self, wanted: Mapping[str, str | None]) -> None:
        """Call columns as they are wanted, where case alone makes the difference, or there is no header."""
        lacking = [name for name in wanted if name not in self._cells]
        counted = "c1" in wanted and self._counts_rows("c1")
        if not self._raw.headed and (counted or len(lacking) == len(wanted)):
            renamed = self._in_order(wanted)
        else:
            pairs = [(found, name) for name in lacking if (found := self._alike(name)) is not None]
            renamed = {found: name for found, name in pairs if name not in self._cells}
        for found, name in renamed.items():
            self.decisions.append(decide("name-matched", 1, self._fields[found], found=found, name=name))
        self._fields |= {name: self._fields[found] for found, name in renamed.items()}
        self._cells = {renamed.get(name, name): cells for name, cells in self._cells.items()}

    def _in_order(self, wanted: Mapping[str, str | None]) -> dict[str, str]:
        """Return the wanted names of columns without names: a column that counts the rows may be before."""
        orders = [list(self._cells)] + [list(self._cells)[1:]] * self._counts_rows("c1")
        orders = [order for order in orders if len(order) in (len(wanted), len(wanted) - 1)]
        if not orders:
            return {}
        best = min(orders, key=lambda order: self._misfits(order, wanted))
        if best[0] != "c1":
            del self._cells["c1"]
            self.decisions.append(decide("counter", 1, 1, column="c1"))
        return {found: name for found, name in zip(best, wanted, strict=False) if found != name}

    def _misfits(self, names: Sequence[str], wanted: Mapping[str, str | None]) -> int:
        """Count the columns that hold numbers where texts are wanted, or texts where numbers are."""
        misfits = 0
        for name, kind in zip(names, wanted.values(), strict=False):
            is_text = any(text and plain_number(text) is None for text in self._cells[name].texts)
            misfits += (is_text, kind) in ((True, "number"), (False, "text"))
        return misfits

    def _counts_rows(self, name: str) -> bool:
        """Return whether a column of a file without header counts its rows."""
        numbers = None if self._raw.headed or name not in self._cells else self._cells[name].numbers
        return numbers is not None and numbers[0] in (0, 1) and bool((np.diff(numbers) == 1).all())

    def _alike(self, name: str) -> str | None:
        alike = [found for found in self._cells if plain_name(found) == plain_name(name)]
        return alike[0] if len(alike) == 1 else None

    def _within(self, name: str) -> str | None:
        """Return the only column of records within records that ends in a name: user.age for age."""
        ending = [found for found in self._cells if found.endswith(f".{name}")]
        return ending[0] if len(ending) == 1 else None

    def _at(self, position: str) -> str | None:
        """Return the column of a number from 1 on, or of −1, −2, … from the last back."""
        if not re.fullmatch(r"-?[1-9]\d{0,5}", position) or abs(int(position)) > len(self._cells):
            return None
        return list(self._cells)[int(position) - (int(position) > 0)]

    def resolve(self, given: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Return the columns that were asked for; ``"a,b"`` is two, unless one is called so.

        Raises
        ------
        DataFileError
            If there are no such columns: all of them at once.
        """
        faults: dict[str, DataFileError] = {}
        resolved = {}
        for option, names in given.items():
            if isinstance(names, str):
                names = [names] if names in self._cells else [name.strip() for name in names.split(",")]
            chosen = []
            for name in names:
                found: str | None = name
                if name not in self._cells:
                    found = self._alike(name) or self._within(name) or self._at(name)
                    if found is None:
                        faults[name] = self._no_column(name)
                    else:
                        self.decisions.append(
                            decide("name-matched", 1, self._fields[found], found=found, name=name)
                        )
                chosen.append(found or name)
            resolved[option] = tuple(chosen)
        if faults:
            raise all_faults(list(faults.values()))
        return resolved

    def _no_column(self, name: str) -> DataFileError:
        reason = f"there is no column {name!r}{did_you_mean(name, self._cells)}"
        first = next(iter(self._cells.values()))
        if name in first.texts:
            reason = f"there is no column {name!r}, but a row: the table is on its side; transpose it first"
        return DataFileError(self.path, reason, None if self._raw.lines is None else 1)

    def meaning(self, name: str, *, labels: bool = False) -> Meaning:
        """Return what a column means, of all rows of the file."""
        if (name, labels) not in self._meanings:
            kind = self._kinds.get(name, self._others)
            marked = kind is not None and kind.endswith(MISSING_TOO)
            plain, cells = kind.removesuffix(MISSING_TOO) if kind else None, self._cells[name]
            found = read_column(name, cells, plain, comma_likely=self._raw.decimal_comma, labels=labels)
            if kind is None and (gone := self._sentinel(name, found, labels=labels)) is not None:
                found = self._without(name, found, gone, labels=labels)
            elif not labels and (marked or (self._indicators and cells.missing().any())):
                found = found.with_missing()
            self._meanings[name, labels] = found
        return self._meanings[name, labels]

    def _sentinel(self, name: str, found: Meaning, *, labels: bool) -> Sentinel | None:
        """Return the number that stands for missing ones: plainly in this column, or in another one, too."""
        if found.kind not in _PLAIN:
            return None
        numbers = self._cells[name].numbers
        values = Table({"": found.values[""]}).column("") if numbers is None else numbers
        if values.dtype.kind != "f" or (gone := find_sentinel(values)) is None:
            return None
        if labels and len(np.unique(values)) < _REGRESSION:
            return None
        told = gone.weight >= 1 or self._sentinel_weights.get(gone.number, 0.0) >= 1
        return gone if told else None

    @cached_property
    def _sentinel_weights(self) -> dict[float, float]:
        """How far all columns together tell which numbers stand for missing ones."""
        weights: dict[float, float] = {}
        for name, cells in self._cells.items():
            numbers = cells.numbers
            if numbers is None and any(map(_NEGATIVE.fullmatch, cells.texts)):
                found = read_column(name, cells, comma_likely=self._raw.decimal_comma)
                numbers = Table({"": found.values[""]}).column("") if found.kind in _PLAIN else None
            if numbers is not None and (gone := find_sentinel(numbers)) is not None:
                weights[gone.number] = weights.get(gone.number, 0.0) + gone.weight
        return weights

    def _without(self, name: str, found: Meaning, gone: Sentinel, *, labels: bool) -> Meaning:
        """Return what a column means where a number stands for missing ones, with where they are."""
        cleared = found.without(gone.number)
        row = int(Table({"": cleared.values[""]}).missing("").argmax())
        words = {"column": name, "count": gone.count, "cell": f"{gone.number:.10g}"}
        if labels:
            told = decide("sentinel-target", **words)
            return replace(found, values=cleared.values, decisions=(*found.decisions, (told, row)))
        told = decide("sentinel", **words)
        return replace(cleared.with_missing(), decisions=(*found.decisions, (told, row)))

    def table(self, names: Sequence[str], *, labels: bool = False) -> Table:
        """Return columns as a table, without the rows that were left out; dates by their parts."""
        columns, fields, forms = {}, {}, {}
        for name in names:
            if name not in self._cells:
                raise self._no_column(name)
            meaning = self.meaning(name, labels=labels)
            for part, values in meaning.values.items():
                called = f"{name}.{part}" if part else name
                columns[called] = values
                fields[called] = self._fields[name]
                if part == "missing":
                    forms[called] = meaning.kind + MISSING_TOO
                elif meaning.kind not in ("number", "text"):
                    forms[called] = meaning.kind
        if len(names) > 1:  # a dictionary of all columns for each of them would take the square of time
            fields = self._fields | fields
        origin = Origin(os.fspath(self.path), self._raw.lines, fields)
        table = Table(columns, origin, forms=forms)
        return table if self._rows is None else table.take(self._rows)

    def leave_out_rows(self, names: Sequence[str], kind: str) -> None:
        """Leave out rows in which cells of the columns are missing."""
        if not names:
            return
        table = self.table(names, labels=kind == "no-target")
        gone = np.any([table.missing(name) for name in table.names], axis=0)
        if gone.all():
            raise table.fault(
                0, table.names[0], "all its cells are missing; choose another target, or drop it"
            )
        if gone.any():
            name = next(name for name in table.names if table.missing(name)[gone.argmax()])
            words = {"column": name} if kind == "no-target" else {}
            self.decisions.append(decide(kind, *table.place(gone, name), count=int(gone.sum()), **words))
            rows = np.arange(len(self._raw)) if self._rows is None else self._rows
            self._rows = rows[~gone]

    def useful(self, names: Sequence[str], keep: Sequence[str]) -> list[str]:
        """Return the columns that are of use as inputs; the others are decisions."""
        useful, left_out = [], []
        for name in names:
            table = self.table([name])
            why = None
            if name not in keep and name in table.names:
                why = why_useless(table, name, named=self._is_named(name))
            if why is None:
                useful.append(name)
                continue
            line, _ = table.place(~table.missing(name), name)
            left_out.append((name, decide(why[0], line, self._fields[name], column=name, **why[1])))
        if not useful:  # rather something than nothing
            useful = [name for name, decision in left_out if decision.kind in ("constant", "counter")]
            left_out = [item for item in left_out if item[0] not in useful]
        self.decisions += [decision for _, decision in left_out]
        return useful

    def taken(self, inputs: Sequence[str], targets: Sequence[str] = ()) -> list[Decision]:
        """Return all that was decided, about the columns that are used and about the file."""
        found = []
        for names, labels in ((targets, True), (inputs, False)):
            for name in names:
                for item, row in self.meaning(name, labels=labels).decisions:
                    line = None if self._raw.lines is None else int(self._raw.lines[row])
                    found.append(replace(item, line=line, field=self._fields[name]))
        return [*self._raw.decisions, *found, *self.decisions]

    def _is_named(self, name: str) -> bool:
        return self._raw.headed and name != f"c{self._fields[name]}"

    def missing_cells(self, names: Sequence[str]) -> list[Decision]:
        """Return a fault for each column with missing cells."""
        found = []
        for name in names:
            table = self.table([name])
            missing = table.missing(table.names[0])
            if missing.any():
                place = table.place(missing, table.names[0])
                found.append(decide("missing", *place, column=name, count=int(missing.sum()), fill=""))
        return found

    def left_out(self) -> str:
        """Say which columns were left out, and what would have them, or more than one."""
        items = [item for item in self.decisions if item.option.startswith("--keep")]
        found = {str(dict(item.words)["column"]): item for item in items}
        listed = ", ".join(f"{name!r} ({item.kind})" for name, item in found.items())
        if found:
            return f"; these are left out: {listed}; to keep them, use --keep {quote(','.join(found))}"
        return "; name the separator of the cells: --delimiter TEXT" if len(self._raw.names) == 1 else ""

"""A column of cells as what it means: by itself, or as a model or the user says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.meaning.dates import DATE_FORMS, are_compact_dates, date_parts, find_dates, read_date
from deltarule.data.meaning.numbers import common_unit, read_numbers, without_unit
from deltarule.data.reading import NONE, Cells, plain_number
from deltarule.data.table import Coded, Table

WITHOUT_NONE = "text without none"  # how a target is read whose cells "none" are missing ones
#: How a column may be read: numbers (with the decimal mark that suits, or a given one), yes and no as 1
#: and 0, dates in an order of year, month and day, or text.
KINDS = ("number", "point", "comma", "yes-no", *DATE_FORMS, "text", WITHOUT_NONE)

_NUMBERS = (None, "number", "point", "comma")
#: Parts a kind of numbers from the one that stands for missing cells: "number without -999".
_WITHOUT = " without "
_UNIT = "unit "  # begins the kind of numbers with a unit behind them: "unit kg"
MISSING_TOO = "+missing"  # ends the kind of a column that has another beside it, of where cells are missing
#: No and yes, as people write them in small letters.
YES_NO = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"), ("nein", "ja"), ("non", "oui"),
    ("no", "sí"), ("no", "si"), ("não", "sim"), ("nee", "ja"), ("nej", "ja"), ("nie", "tak"), ("нет", "да"),
    ("hayır", "evet"), ("falsch", "wahr"), ("faux", "vrai"), ("否", "是"), ("いいえ", "はい"),
    ("아니요", "예"),
)  # fmt: skip
_OFTEN = 0.05  # the share of cells from which on "none" is a class of a target
_STRAYS = 0.2  # the share of cells that may be no numbers, or dates, where the others are


@dataclass(frozen=True, eq=False)
class Meaning:
    """What a column means.

    Parameters
    ----------
    kind : str
        "number", "point" or "comma" (numbers with commas), "yes-no", an order of dates, or "text".
    values : mapping of str to ndarray or Coded, (n_rows,)
        By the part of the column: "" for the column itself, "days" … for dates.
    decisions : tuple of (Decision, int)
        What was decided, and the row of the cell that it is about.
    """

    kind: str
    values: Mapping[str, Array | Coded]
    decisions: tuple[tuple[Decision, int], ...] = ()

    def with_missing(self) -> Meaning:
        """Return the same with a part "missing": 1 where the cell is missing, else 0."""
        gone = Table({"": next(iter(self.values.values()))}).missing("")
        return replace(self, values={**self.values, "missing": gone.astype(float)})

    def without(self, number: float) -> Meaning:
        """Return the same numbers, of which one stands for missing ones."""
        values = self.values[""]
        kept: Array | Coded
        if isinstance(values, Coded):
            kept = Coded(np.where(values.values == number, np.nan, values.values), values.codes)
        else:
            kept = np.where(values == number, np.nan, values)
        return replace(self, kind=f"{self.kind}{_WITHOUT}{number:.10g}", values={**self.values, "": kept})


def is_kind(text: str) -> bool:
    """Return whether a text says how a column is read.

    Examples
    --------
    >>> is_kind("comma"), is_kind("unit kg"), is_kind("number without -999+missing"), is_kind("roman")
    (True, True, True, False)
    """
    kind, gone = parted(text.removesuffix(MISSING_TOO))
    if gone is not None and (not np.isfinite(gone) or kind in ("yes-no", "text", *DATE_FORMS)):
        return False
    return kind in KINDS or (kind.startswith(_UNIT) and len(kind) > len(_UNIT))


def parted(kind: str) -> tuple[str, float | None]:
    """Return how numbers are read, and which one of them stands for missing cells.

    Examples
    --------
    >>> parted("comma without -99,9"), parted("number without -999"), parted("text")
    (('comma', nan), ('number', -999.0), ('text', None))
    """
    base, mark, number = kind.partition(_WITHOUT)
    if not mark or kind == WITHOUT_NONE:
        return kind, None
    value = plain_number(number)
    return base, float("nan") if value is None else value


def read_column(
    name: str, cells: Cells, kind: str | None = None, *, comma_likely: bool = False, labels: bool = False
) -> Meaning:
    """Say what a column means.

    Parameters
    ----------
    name : str
    cells : Cells
    kind : str, optional
        One of `KINDS`, or "unit " and a unit, where it is known; of numbers with " without -999" where that
        number stands for missing ones.
    comma_likely : bool
        Whether decimal commas go before commas between thousands.
    labels : bool
        Whether the column is a target, whose yes and no stay texts.
    """
    kind, gone = (None, None) if kind is None else parted(kind)
    if gone is not None:
        return read_column(name, cells, kind, comma_likely=comma_likely).without(gone)
    compact = kind is None and cells.numbers is not None and are_compact_dates(cells.numbers)
    if cells.numbers is not None and kind in (*_NUMBERS, "yes-no") and not compact:
        return Meaning("number", {"": cells.numbers})
    column = _Column(name, _as_texts(cells), comma_likely)
    if not len(column.texts) and kind not in ("text", *DATE_FORMS):
        return Meaning("number", {"": np.full(len(cells), np.nan)})
    found = None
    if kind in (None, "number", "yes-no"):
        found = column.as_yes_no(kind, labels=labels)
    if found is None and kind in (None, *DATE_FORMS):
        found = column.as_dates(kind)
    if found is None and (kind in _NUMBERS or kind.startswith(_UNIT)):
        found = column.as_numbers(kind, labels=labels)
    if found is None and labels and kind in (None, "text"):
        column.take_none(anyway=kind is not None)
    return column.as_text() if found is None else found


def _as_texts(cells: Cells) -> Cells:
    """Write plain numbers as texts again, where they shall be labels or dates."""
    if cells.numbers is None:
        return cells
    return Cells.of(["" if np.isnan(n) else f"{n:.17g}" for n in cells.numbers.tolist()], as_text=True)


class _Column:
    """The different texts of a column that stand for something, how often each is met, and in which cells."""

    def __init__(self, name: str, cells: Cells, comma_likely: bool) -> None:
        assert cells.codes is not None
        self.name, self.comma_likely, self._codes, self._n = name, comma_likely, cells.codes, len(cells.texts)
        self._all_texts = cells.texts
        self._take([place for place, text in enumerate(cells.texts) if text and text.lower() != NONE])
        self.mixed: tuple[tuple[Decision, int], ...] = ()

    def _take(self, places: list[int]) -> None:
        self._places = places
        self.texts = [self._all_texts[place] for place in places]
        self.counts = np.bincount(self._codes, minlength=self._n)[places]

    def _cells(self, values: Sequence[object] | Array, dtype: type, gone: object) -> Coded:
        """Return for each cell the value of its text."""
        all_values: Array = np.full(self._n, gone, dtype)
        all_values[self._places] = values
        return Coded(all_values, self._codes)

    def _told(self, kind: str, text: str, **words: object) -> tuple[Decision, int]:
        """Make a decision about the first cell with a text."""
        row = int((self._codes == self._places[self.texts.index(text)]).argmax())
        return decide(kind, column=self.name, **words), row

    def as_text(self) -> Meaning:
        """Take the cells as they are; None where they are missing."""
        return Meaning("text", {"": self._cells(self.texts, object, None)}, self.mixed)

    def take_none(self, *, anyway: bool) -> None:
        """Take "none" as a text among others: if it is met often, or anyway."""
        places = [place for place, text in enumerate(self._all_texts) if text]
        found = [text for text in self._all_texts if text.lower() == NONE]
        count = int(np.bincount(self._codes, minlength=self._n)[places].sum() - self.counts.sum())
        if not found or not (anyway or (len(self.texts) > 1 and count >= _OFTEN * len(self._codes))):
            return
        self._take(places)
        if not anyway:
            told = self._told("none-class", found[0], cell=found[0], count=count)
            self.mixed = (*self.mixed, told)

    def as_yes_no(self, kind: str | None, *, labels: bool) -> Meaning | None:
        """Read yes and no, true and false, in any case."""
        lower = [text.lower() for text in self.texts]
        if kind == "yes-no":
            return self._known_yes_no(lower)
        pair = next((pair for pair in YES_NO if set(lower) <= set(pair)), None)
        if pair is None or (len(set(lower)) == 1 and kind is None and pair not in (YES_NO[0], YES_NO[2])):
            return None
        values = self._cells([float(text == pair[1]) for text in lower], float, np.nan)
        if pair == ("false", "true"):
            whole = not np.isnan(values.values).any()
            return Meaning(
                "number" if labels else "yes-no",
                {"": Coded(values.values.astype(bool), self._codes) if whole else values},
            )
        if labels:
            return None
        told = self._told("yes-no", self.texts[0], yes=pair[1], no=pair[0])
        return Meaning("yes-no", {"": values}, (told,) if kind is None else ())

    def _known_yes_no(self, lower: Sequence[str]) -> Meaning:
        """Read a column that is known to hold yes and no, of any pair; all else counts as missing."""
        known = {"0": 0.0, "1": 1.0} | {
            word: float(place) for pair in YES_NO for place, word in enumerate(pair)
        }
        found = [known.get(text) for text in lower]
        values = self._cells([np.nan if value is None else value for value in found], float, np.nan)
        return Meaning("yes-no", {"": values}, tuple(self._strays(found, "yes-no") or ()))

    def as_numbers(self, kind: str | None, *, labels: bool) -> Meaning | None:
        """Read numbers, plain or in other clothes, where most cells are; all others count as missing."""
        comma_likely = kind == "comma" if kind in ("point", "comma") else self.comma_likely
        unit = kind.removeprefix(_UNIT) if kind and kind.startswith(_UNIT) else ""
        if not unit and (kind is None or labels):
            unit = common_unit(self.texts, self.counts.tolist())
        texts = self.texts
        if unit:
            parts = map(without_unit, texts)
            texts = [
                number if its == unit else text for text, (number, its) in zip(texts, parts, strict=True)
            ]
        counts, known = self.counts.tolist(), kind is not None
        form, numbers = read_numbers(texts, counts, comma_likely=comma_likely, known=known)
        values = self._cells([np.nan if number is None else number for number in numbers], float, np.nan)
        told = self._strays(numbers, kind)
        if told is None:
            return None
        form = f"{_UNIT}{unit}" if unit else form
        clothed = "number"
        for text, number in zip(self.texts, numbers, strict=True):
            if kind is None and number is not None and not self._is_usual(text, number):
                told = [*told, self._told("clothes", text, cell=text, value=number)]
                clothed = form
                break
        return Meaning(clothed, {"": values}, tuple(told))

    def _is_usual(self, text: str, number: float) -> bool:
        """Return whether a text is plainly this number, if need be with the comma that its file has."""
        if (plain := plain_number(text)) is not None or not self.comma_likely:
            return plain == number
        either = all(re.fullmatch(r"[^,]*|[+-]?[1-9]\d{0,2},\d{3}", text) for text in self.texts)
        return not either and plain_number(text.replace(",", ".", 1)) == number

    def _strays(self, found: Sequence[object], kind: str | None) -> list[tuple[Decision, int]] | None:
        """Return what is told of texts that were not understood; None where they are too many.

        Infinite numbers are never too many.
        """
        strays = [place for place, value in enumerate(found) if value is None]
        if not strays:
            return []
        infinite = [place for place in strays if _is_infinite(self.texts[place])]
        n_strays = int(self.counts[strays].sum())
        n_texts = n_strays - int(self.counts[infinite].sum())
        n_cells = int(self.counts.sum())
        words = {"count": n_strays, "shown": shown(self.texts[place] for place in strays)}
        words["cell"] = first = self.texts[strays[0]]
        if kind is None and n_texts > max(n_cells >= 3, _STRAYS * n_cells):
            if n_texts * 2 < n_cells:
                self.mixed = (self._told("mixed", first, **(words | {"count": n_texts, "rows": n_cells})),)
            return None
        return [self._told("stray" if n_texts else "infinite", first, **words)]

    def as_dates(self, kind: str | None) -> Meaning | None:
        """Read dates and times, where most cells are, as numbers by part."""
        form, dates = (kind, self._dates_of(kind)) if kind else find_dates(self.texts)
        first = next((place for place, date in enumerate(dates) if date is not None), None)
        told = None if first is None and not kind else self._strays(dates, kind)
        if told is None:
            return None
        parts = {
            part: self._cells(values, float, np.nan)
            for part, values in date_parts(dates, form).items()
            if kind or part == "days" or np.ptp(values[~np.isnan(values)]) > 0
        }
        other = [
            place for place, date in enumerate(dates) if kind and date != read_date(self.texts[place], kind)
        ]
        if first is not None and (other or not kind):
            first = other[0] if other else first
            told = [self._dates_told(form, parts, dates[first], self.texts[first]), *told]
        return Meaning(form, parts, tuple(told))

    def _dates_of(self, kind: str) -> list[datetime | None]:
        """Read dates in a known order; those that are not in it, in the order that suits most, or each."""
        dates = [read_date(text, kind) for text in self.texts]
        if kind == "time":
            return dates
        rest = [place for place, date in enumerate(dates) if date is None]
        for place, date in zip(rest, find_dates([self.texts[place] for place in rest])[1], strict=True):
            dates[place] = date or find_dates([self.texts[place]])[1][0]
        return dates

    def _dates_told(
        self, form: str, parts: Mapping[str, Coded], date: datetime | None, text: str
    ) -> tuple[Decision, int]:
        assert date is not None
        meaning = date.strftime("%d %B %Y")
        if form == "time":
            meaning = f"{date_parts([date], form)['hour'][0]:.4g} hours"
        other = {"dmy": "mdy", "mdy": "dmy"}.get(form, "text")
        return self._told(
            "dates", text, cell=text, meaning=meaning, parts=", ".join(parts), form=form, other=other
        )


def _is_infinite(text: str) -> bool:
    try:
        return abs(float(text)) == np.inf
    except ValueError:
        return False

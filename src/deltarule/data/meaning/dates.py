"""Dates and times as people write them, and the numbers that are made of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np

from deltarule.arrays import Array

_TIME = (
    r"(?:[T\s,:]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
    r"\s*([AaPp]\.?[Mm]\.?)?\s*(?:Z|[A-Z]{3,4}|[+-]\d{2}(?::?\d{2})?)?)?"
)
_WORD = "[A-Za-zÀ-ž]{3,10}"
_SEP = r"\s*[-/.年月\s]\s*"
PATTERNS = {
    "ymd": re.compile(rf"(\d{{4}}){_SEP}(\d{{1,2}}|{_WORD}){_SEP}(\d{{1,2}})日?{_TIME}"),
    "dmy": re.compile(
        rf"(?:[A-Za-z]{{3,9}},?\s+)?(\d{{1,2}}){_SEP}(\d{{1,2}}|{_WORD}\.?),?{_SEP}(\d{{4}}|\d{{2}}){_TIME}"
    ),
    "mdy": re.compile(
        rf"(?:[A-Za-z]{{6,9}},?\s+)?(\d{{1,2}}|{_WORD}\.?){_SEP}(\d{{1,2}})(?:st|nd|rd|th)?,?{_SEP}(\d{{4}}|\d{{2}}){_TIME}"
    ),
    "ym": re.compile(rf"(\d{{4}})(?:{_SEP}|(?=Q))(\d{{1,2}}|{_WORD}|Q[1-4])月?()()()()()"),
    "my": re.compile(rf"(Q[1-4]|{_WORD}\.?|\d{{1,2}}(?={_SEP}\d{{4}})){_SEP}(\d{{4}}|\d{{2}})()()()()()"),
    "time": re.compile(r"()()()(\d{1,3}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?"),
}
#: Days as Unix and its kin write them, whose year comes last: "Mon Jan 02 15:04:05 UTC 2023".
CTIME = r"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?: [A-Z]{3,4}| [+-]\d{4})? (\d{4})$"
#: Which groups of a pattern are year, month and day.
PLACES = {
    "ymd": (1, 2, 3), "dmy": (3, 2, 1), "mdy": (3, 1, 2), "time": (1, 2, 3), "ym": (1, 2, 3), "my": (2, 1, 3),
}  # fmt: skip
_MONTHS = (
    "jan ene genn", "feb fév fev", "mar mär mrz mrt maa", "apr avr abr", "may mai magg mei maj",
    "jun juin giu", "jul juil lug", "aug aoû aou ago", "sep sett sete", "oct okt ott outu",
    "nov", "dec dez déc dic",
)  # fmt: skip
#: How the names of months begin in English, German, French, Spanish, Italian, Portuguese, Dutch and Swedish.
MONTHS = {start: number for number, starts in enumerate(_MONTHS, 1) for start in starts.split()}
_EPOCH = datetime(1970, 1, 1)

#: How a column of dates may be written: year, month and day in this order, year and month, or a time of day.
DATE_FORMS = tuple(PATTERNS)

#: The numbers that are made of a date.
_PARTS: dict[str, Callable[[datetime], float]] = {
    "days": lambda date: (date - _EPOCH) / timedelta(days=1),
    "month": lambda date: date.month,
    "weekday": lambda date: date.weekday(),
    "hour": lambda date: date.hour + date.minute / 60,
}
_OF_MONTHS = {"days": _PARTS["days"], "month": _PARTS["month"]}
#: … of those that are less than a day and a time.
_FEWER_PARTS: dict[str, dict[str, Callable[[datetime], float]]] = {
    "time": {"hour": lambda date: (date - _EPOCH) / timedelta(hours=1)},
    "ym": _OF_MONTHS,
    "my": _OF_MONTHS,
}


def read_date(text: str, form: str) -> datetime | None:
    """Return the date and time that a text is; None where it is none.

    Examples
    --------
    >>> read_date("31. Dez. 2024 08:30", "dmy"), read_date("31/12/2024", "mdy"), read_date("30:10", "time")
    (datetime.datetime(2024, 12, 31, 8, 30), None, datetime.datetime(1970, 1, 2, 6, 10))
    """
    if form == "ymd":
        text = re.sub(r"^((?:19|20)\d\d)(\d\d)(\d\d)$", r"\1-\2-\3", text)
    if form == "mdy":
        text = re.sub(CTIME, r"\1 \2 \4 \3", text)
    found = PATTERNS[form].fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = (found[place] or "1" for place in PLACES[form])
    if form == "time":
        year = "1970"
    if re.fullmatch("Q[1-4]", month):
        month = str(3 * int(month[1]) - 2)
    elif month[0].isalpha():
        begins = month[:4].lower()
        month = str(MONTHS.get(begins) or MONTHS.get(begins[:3], 0))
    hour = int(found[4] or 0)
    if found[7]:
        hour = hour % 12 + 12 * (found[7][0] in "pP")
    full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 30 else 1900)
    try:
        clock = hour % 24 if form == "time" else hour, int(found[5] or 0), int(found[6] or 0)
        return datetime(full, int(month), int(day), *clock) + timedelta(hour // 24)
    except ValueError:
        return None


def find_dates(texts: Sequence[str]) -> tuple[str, list[datetime | None]]:
    """Read the different texts of a column in the order of day, month and year that suits most of them.

    Where days and months could be either way, slashes stand for month first, other marks for day first. Texts
    that are days in another order alone are taken as such.
    """
    start = texts[0] if texts else ""
    if not re.search(r"\d", start) or not re.search(r"[-/.:年Q]|[A-Za-z]{3}|^\d{8}$", start):
        return "ymd", [None] * len(texts)
    rest = ("time", "ym", "my")
    order = ("ymd", "mdy", "dmy", *rest) if "/" in start else ("ymd", "dmy", "mdy", *rest)
    sample = [{form for form in order if read_date(text, form) is not None} for text in texts[:50]]
    if sum(map(bool, sample)) * 2 < len(sample):
        return "ymd", [None] * len(texts)
    counts = Counter(form for forms in sample for form in forms)
    likely = [form for form in order if counts[form] * 2 >= len(sample)] or [
        max(order, key=counts.__getitem__)
    ]
    found = {form: [read_date(text, form) for text in texts] for form in likely}
    best = max(found, key=lambda form: sum(date is not None for date in found[form]))
    others = [form for form in order[:3] if form != best and best not in rest]
    return best, [
        next((other for form in others if (other := read_date(text, form))), None) if date is None else date
        for date, text in zip(found[best], texts, strict=True)
    ]


def are_compact_dates(numbers: Array) -> bool:
    """Return whether numbers (n,) are days such as 20240131, and enough of them for that to be no chance."""
    if not np.fmin.reduce(numbers) >= 19000101 or np.fmax.reduce(numbers) > 20991231:
        return False
    different = np.unique(numbers[~np.isnan(numbers)]).tolist()
    days = [n for n in different if n.is_integer() and read_date(f"{n:.0f}", "ymd") is not None]
    return len(days) == len(different) >= 5


def date_parts(dates: Sequence[datetime | None], form: str) -> dict[str, Array]:
    """Make numbers of dates (n,): days since 1970, month, day of the week (Monday is 0), hour; NaN for None.

    Of times of day and durations (83:45), there is the hour alone; of months, neither weekday nor hour.
    """
    return {
        part: np.array([np.nan if date is None else make(date) for date in dates], float)
        for part, make in _FEWER_PARTS.get(form, _PARTS).items()
    }

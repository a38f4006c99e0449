"""Numbers in other clothes: thousands apart, currencies, percent, units, commas, (minus)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from deltarule.data.reading import plain_number

#: What stands before or behind an amount, of money mostly, in any case; the longer of two first.
CURRENCIES = (
    "US$", "R$", "A$", "C$", "Rs.", "Rs", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "kr.", "kr", "zł",
    "SEK", "NOK", "DKK", "PLN", "AUD", "CAD", "SFr.", "Fr.", "Kč", "Ft", *"円元원", *"$€£¥₹₩₽₺₴₦₫฿₪¢",
    *"~≈",
)  # fmt: skip
_CURRENCY = f"(?:{'|'.join(map(re.escape, CURRENCIES))})".replace(r"\~", "~")  # not escaped in JavaScript
#: What multiplies the number before it; a single letter in this case alone.
TIMES = {
    "million": 1e6, "billion": 1e9, "mio.": 1e6, "mio": 1e6, "mrd.": 1e9, "mrd": 1e9, "tsd.": 1e3, "tsd": 1e3,
    "mln": 1e6, "mn": 1e6, "bn": 1e9, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "万": 1e4, "亿": 1e8,
}  # fmt: skip
_MONEY = re.compile(rf"^\W*{_CURRENCY}|{_CURRENCY}\W*$", re.IGNORECASE)
_TIMES = f"(?:{'|'.join(map(re.escape, TIMES))})"
#: A number and what is around it: parentheses go in pairs, and 12.- is 12.
AROUND = re.compile(
    rf"(?=[^()]*$|[^()]*\([^()]*\)[^()]*$)(?P<minus>[-−–+]?)\s*(?P<money>{_CURRENCY}?)\s*(?P<minus2>[-−+]?|\(\s*[-−+]?)\s*"
    rf"(?P<money2>{_CURRENCY}?)\s*(?P<core>[0-9.,'’\s]*[0-9][0-9.,'’\s]*(?:[eE][+-]?[0-9]+)?)"
    rf"(?:(?<=[.,])[-–—]{{1,2}})?\s*\)?\s*(?P<times>{_TIMES}?)\s*(?P<money3>{_CURRENCY}?)\s*[%‰]?\s*(?P<after>[-)]?)",
    re.IGNORECASE,
)
_SPACE = r"[ \u00a0\u2007\u2009\u202f'’]"
GROUPED = {
    mark: re.compile(
        rf"([1-9][0-9]{{0,2}}(?:{_SPACE}[0-9]{{3}})+|[1-9][0-9]{{0,2}}(?:{other}[0-9]{{3}})+|[1-9][0-9]{{0,2}}(?:{other}[0-9][0-9])*{other}[0-9]{{3}}|[0-9]+)?(?:{point}([0-9]*))?([eE][+-]?[0-9]+)?"
    )
    for mark, other, point in (("point", ",", r"\."), ("comma", r"\.", ","))
}


def multiplier(text: str | None) -> float | None:
    """Return what a text behind a number multiplies it by; None where a letter has another case."""
    if not text:
        return 1.0
    return TIMES.get(text if len(text) == 1 else text.lower())


def read_number(text: str, decimal: str = "point") -> float | None:
    """Return the number that a text is, with decimal points or commas; None where it is none.

    Examples
    --------
    >>> [read_number(text) for text in ("$1,234.50", "(95%)", "12 500", "3+")]
    [1234.5, -95.0, 12500.0, None]
    >>> read_number("€ 1.234,5", "comma"), read_number("$1.2m"), read_number("5m"), read_number("$ (5.-)")
    (1234.5, 1200000.0, None, -5.0)
    """
    around = AROUND.fullmatch(text.strip())
    if around is None:
        return None
    grouped = GROUPED[decimal].fullmatch(around["core"].strip())
    if grouped is None:
        return None
    whole = re.sub(r"\D", "", grouped[1] or "")
    value = plain_number(f"{whole}.{grouped[2] or ''}{grouped[3] or ''}")
    is_money = any(around[part] for part in ("money", "money2", "money3"))
    times = multiplier("M" if is_money and around["times"] == "m" else around["times"])
    value = None if value is None or times is None else value * times
    minus = any(around[part] and around[part] != "+" for part in ("minus", "minus2", "after"))
    return None if value is None else -value if minus else value


_EITHER = 0.1  # how much a cell that is a number either way, such as 1,234, speaks for points


def read_numbers(
    texts: Sequence[str], counts: Sequence[int], *, comma_likely: bool, known: bool = False
) -> tuple[str, list[float | None]]:
    """Read the different texts of a column with that decimal mark which makes numbers of more of its cells.

    The mark is "point" or "comma", or "number" where there is no comma that would tell. Single cells that are
    numbers with the other mark alone are taken as such.

    Examples
    --------
    >>> read_numbers(["1,5", "2"], [9, 3], comma_likely=False)
    ('comma', [1.5, 2.0])
    >>> read_numbers(["1.5", "2,5", "1,500"], [9, 1, 9], comma_likely=False)
    ('point', [1.5, 2.5, 1500.0])
    """
    points = [read_number(text) if (number := plain_number(text)) is None else number for text in texts]
    if None not in points and not (comma_likely and any("," in text for text in texts)):
        return "point" if any("," in text for text in texts) else "number", points
    commas = [read_number(text, "comma") for text in texts]
    gained = 0.0  # cells that are numbers with commas alone, less those with points alone
    for comma, point, count in zip(commas, points, counts, strict=True):
        gained += count * ((point is None) - (comma is None))
        if not comma_likely and None not in (comma, point) and comma != point:
            gained -= count * (1.0 if known else _EITHER)
    is_comma = gained > 0 or (gained == 0 and comma_likely)
    first, second = (commas, points) if is_comma else (points, commas)
    both = zip(first, second, strict=True)
    return "comma" if is_comma else "point", [other if one is None else one for one, other in both]


BEFORE_UNIT = re.compile(r"(.*\d[.,]?)(\s*)([^\W\d_][^\s\d]*|[°″′\"'µ][^\W\d_]*)")
_NO_UNITS = frozenset(
    ("st", "nd", "rd", "th", "k", "mn", "mio", "bn", "e", "am", "pm")
)  # ordinals, times, multiples
LETTER_UNITS = "glmhswx°″′\"'"


def without_unit(text: str) -> tuple[str, str]:
    """Return a text without the unit behind its number, and that unit, in small letters and the singular.

    Examples
    --------
    >>> without_unit("12 kg"), without_unit("3 Years"), without_unit("12A")
    (('12', 'kg'), ('3', 'year'), ('12A', ''))
    """
    found = BEFORE_UNIT.fullmatch(text)
    if found is None:
        return text, ""
    number, space, unit = found[1], found[2], found[3].lower().rstrip(".")
    unit = unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit
    if unit == "m" and _MONEY.search(text):  # a million
        return text, ""
    if unit in _NO_UNITS or (len(unit) == 1 and not space and unit not in LETTER_UNITS):
        return text, ""
    return number, unit


def common_unit(texts: Sequence[str], counts: Sequence[int]) -> str:
    """Return the unit that stands behind the numbers of most cells; "" for none."""
    units: Counter[str] = Counter()
    for text, count in zip(texts, counts, strict=True):
        units[without_unit(text)[1]] += count
    unit, n_cells = units.most_common(1)[0]
    return unit if n_cells * 2 > units.total() else ""

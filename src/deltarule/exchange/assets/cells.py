
# How cells are read: what stands for a missing one; numbers in all clothes, with decimal points or commas.
# __TOKENS__
AROUND = re.compile(__AROUND__, re.IGNORECASE)
GROUPED = {"point": re.compile(__POINT__), "comma": re.compile(__COMMA__)}
BEFORE_UNIT = re.compile(__UNIT__)  # if has_units
DATES = __DATES__  # if has_dates
PLACES = __PLACES__  # if has_dates
MONTHS = __MONTHS__  # if has_dates
CTIME = __CTIME__  # if has_dates


def bare(text):
    """A text without space around it, nor characters that have no width."""
    return text.strip().strip(__INVISIBLE__).strip()


def is_missing(text):
    """Whether a text stands for a missing cell."""
    return text.lower() in MISSING


def clothed(text, mark):
    """A number, perhaps with thousands apart, a currency, percent, or in parentheses; else not a number."""
    around = AROUND.fullmatch(text)
    grouped = around and GROUPED[mark].fullmatch(around["core"].strip())
    if not grouped:
        return __NAN__
    is_money = around["money"] or around["money2"] or around["money3"]
    times = "M" if is_money and around["times"] == "m" else around["times"]
    value = float(re.sub(r"\D", "", grouped[1] or "") + "." + (grouped[2] or "") + (grouped[3] or ""))
    value *= TIMES.get(times if len(times) < 2 else times.lower(), __NAN__)
    negative = any(around[sign] not in (None, "", "+") for sign in ("minus", "minus2", "after"))
    return __NAN__ if value == __INF__ else -value if negative else value


def number(cell, kind="number"):
    """The number that a cell is; not a number where it is missing or none."""
    if " without " in kind:  # if has_sentinels
        kind, gone = kind.split(" without ")  # if has_sentinels
        value = number(cell, kind)  # if has_sentinels
        return __NAN__ if value == float(gone) else value  # if has_sentinels
    if not isinstance(cell, str):
        return __NAN__ if cell is None else float(cell)
    text = bare(cell)
    if is_missing(text):
        return __NAN__
    if kind == "yes-no" or text.lower() in ("true", "false"):
        return YES_NO.get(text.lower(), __NAN__)
    text = without_unit(text, kind[5:]) if kind.startswith("unit ") else text  # if has_units
    first, second = ("comma", "point") if kind == "comma" else ("point", "comma")
    value = clothed(text, first)
    return value if value == value else clothed(text, second)
# if has_units


def without_unit(text, unit):
    """A text without this unit behind its number."""
    found = BEFORE_UNIT.fullmatch(text)
    its = found[3].lower().rstrip(".") if found else ""
    its = its[:-1] if len(its) > 3 and its.endswith("s") else its
    return found[1] if its == unit and (found[2] or len(its) > 1 or its in __LETTERS__) else text
# endif
# if has_dates


def read_date(text, form):
    """The date and time that a text is in one order of year, month and day; None where it is none."""
    if form == "ymd":
        text = re.sub(r"^((?:19|20)\d\d)(\d\d)(\d\d)$", r"\1-\2-\3", text)
    if form == "mdy":
        text = re.sub(CTIME, r"\1 \2 \4 \3", text)
    found = re.fullmatch(DATES[form], text)
    if not found:
        return None
    year, month, day = [found[place] or "1" for place in PLACES[form]]
    year = "1970" if form == "time" else year
    if re.fullmatch("Q[1-4]", month):
        month = 3 * int(month[1]) - 2
    elif month[0].isalpha():
        month = MONTHS.get(month[:4].lower()) or MONTHS.get(month[:3].lower(), 0)
    hour = int(found[4] or 0)
    if found[7]:
        hour = hour % 12 + 12 * (found[7][0] in "pP")
    full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 30 else 1900)
    try:
        clock = hour % 24 if form == "time" else hour, int(found[5] or 0), int(found[6] or 0)
        return datetime(full, int(month), int(day), *clock) + timedelta(hour // 24)
    except ValueError:
        return None


def date_part(text, kind, part):
    """The days since 1970, the month, the day of the week (Monday is 0) or the hour of a date."""
    likely = ["mdy", "dmy"] if "/" in text else ["dmy", "mdy"]
    forms = [kind] if kind == "time" else [kind, "ymd", *likely, "time", "ym", "my"]
    date = next((found for form in forms if (found := read_date(text, form))), None)
    if date is None:
        return __NAN__
    if part == "days":
        return (date - datetime(1970, 1, 1)).total_seconds() / 86400
    if kind == "time":
        return (date - datetime(1970, 1, 1)).total_seconds() / 3600
    return {"month": date.month, "weekday": date.weekday(), "hour": date.hour + date.minute / 60}[part]
# endif
# if has_columns


def feature(cell, column, kind, part):
    """What an input takes of a cell; not a number where it is missing."""
    if kind == "missing":
        value = feature(cell, column, part, "days")
        return float(value != value)
    is_number = cell is not None and not isinstance(cell, str)
    text = format(cell, ".17g") if is_number else bare(cell or "")
    if kind in DATES:  # if has_dates
        return date_part(text, kind, part)  # if has_dates
    if kind not in ("text", "other"):
        return number(cell, kind)
    if is_missing(text):
        return __NAN__
    return float(text == part if kind == "text" else (column, text) not in CATEGORIES)


CATEGORIES = {(column, part) for column, kind, part in SOURCES if kind == "text"}


def features(row):
    """A number for each input, from the cells of a row."""
    if len(row) != len(COLUMNS):
        raise ValueError(f"expected {len(COLUMNS)} cells, got {len(row)}")
    return [feature(row[column], column, kind, part) for column, kind, part in SOURCES]
# endif

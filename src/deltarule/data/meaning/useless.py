"""Columns of no use as inputs: empty, constant, counting rows, naming rows, free text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deltarule.data.table import Coded, Table

_FEW_CATEGORIES = 10
_NAMES_ROWS = re.compile(
    r"((.*[\s_.\-])?(id|ids|index|idx|key|code|uuid|guid|serial|no\.?|nr\.?|number|nummer|numéro|numero"
    r"|número|código|codigo|kennung|identifiant|номер)"
    r"|unnamed.*|level_\d|c\d+|\.{3}1|rownames?|row|record|obs\.?|case|s\.?no\.?|#|№|n°|nº|.*(编号|序号|番号|번호)|順番|顺序|順序"
    r"|.+nummer)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"X(\.1)?|.*[a-z](Id|ID|Index|Number|No|Nr|Key|Code)")


def why_useless(table: Table, name: str, *, named: bool) -> tuple[str, dict[str, Any]] | None:
    """Return the kind of decision that leaves a column out, and its words; None where it is of use.

    Parameters
    ----------
    table : Table
    name : str
        A column of the table.
    named : bool
        Whether the file names the column.
    """
    if table.is_text(name):
        return _why_text_useless(table.coded(name))
    values, missing = table.column(name), table.missing(name)
    present = values[~missing] if missing.any() else values
    if not len(present):
        return "empty", {}
    if len(present) > 1 and bool((present == present[0]).all()):
        return "constant", {"cell": f"{float(present[0]) + 0:g}"}
    if present.dtype == bool or len(present) < len(values) or len(values) < 10:
        return None
    like_a_key = _NAMES_ROWS.fullmatch(name) or _CAMEL.fullmatch(name)
    if (like_a_key or not named) and values[0] in (0.0, 1.0) and np.all(np.diff(values) == 1.0):
        return "counter", {}
    if not like_a_key or not named:
        return None
    whole = bool((values == np.rint(values)).all())
    if whole and len(np.unique(values)) == len(values):
        return "identifier", {"different": len(values), "count": len(values)}
    return None


def _why_text_useless(column: Coded) -> tuple[str, dict[str, Any]] | None:
    times = np.bincount(column.codes, minlength=len(column.values)).tolist()
    met = {text: n for text, n in zip(column.values.tolist(), times, strict=True) if n and text is not None}
    count = sum(met.values())
    if not met:
        return "empty", {}
    if count > 1 and len(met) == 1:
        return "constant", {"cell": repr(*met)}
    if len(met) <= max(_FEW_CATEGORIES, count / 2):
        return None
    spaces = sum(text.count(" ") for text in met) / len(met)
    return "free-text" if spaces >= 2 else "identifier", {"different": len(met), "count": count}

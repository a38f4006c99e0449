"""Columns of no use as inputs: empty, constant, counting rows, naming rows, free text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deltarule.arrays import Array

_FEW_CATEGORIES = 10
_NAMES_ROWS = re.compile(
    r"((.*[\s_.\-])?(id|ids|index|idx|key|code|uuid|guid|serial|no\.?|nr\.?|number|nummer|numéro|numero"
    r"|número|código|codigo|kennung|identifiant|номер)"
    r"|unnamed.*|c\d+|\.{3}1|rownames?|row|record|obs\.?|case|s\.?no\.?|#|№|n°|nº|.*(编号|序号|番号|번호)|順番|顺序|順序"
    r"|.+nummer)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"X(\.1)?|.*[a-z](Id|ID|Index|Number|No|Nr|Key|Code)")


def why_useless(
    name: str, values: Array, missing: Array, *, named: bool
) -> tuple[str, dict[str, Any]] | None:
    """Return the kind of decision that leaves a column out, and its words; None where it is of use.

    Parameters
    ----------
    name : str
    values : ndarray, (n_rows,)
    missing : ndarray of bool, (n_rows,)
    named : bool
        Whether the file names the column.
    """
    present = values[~missing]
    if not len(present):
        return "empty", {}
    if len(present) > 1 and bool((present == present[0]).all()):
        return "constant", {
            "cell": repr(present[0]) if present.dtype == object else f"{float(present[0]) + 0:g}"
        }
    if present.dtype == object:
        return _why_text_useless(present)
    if present.dtype == bool or missing.any() or len(values) < 10:
        return None
    steps = np.diff(values)
    like_a_key = _NAMES_ROWS.fullmatch(name) or _CAMEL.fullmatch(name)
    if np.all(steps == 1.0) and values[0] in (0.0, 1.0) and (like_a_key or not named):
        return "counter", {}
    if not like_a_key or not named:
        return None
    whole = bool((values == np.rint(values)).all())
    if whole and len(np.unique(values)) == len(values):
        return "identifier", {"different": len(values), "count": len(values)}
    return None


def _why_text_useless(present: Array) -> tuple[str, dict[str, Any]] | None:
    different = set(present.tolist())
    if len(different) <= max(_FEW_CATEGORIES, len(present) / 2):
        return None
    spaces = sum(text.count(" ") for text in different) / len(different)
    kind = "free-text" if spaces >= 2 else "identifier"
    return kind, {"different": len(different), "count": len(present)}

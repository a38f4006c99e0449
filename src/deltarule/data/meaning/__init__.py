"""What the cells of a column mean: numbers in any clothes, yes and no, dates, text, or nothing of use.

Reading order: numbers, dates, columns, sentinels, useless.
"""

from __future__ import annotations

from deltarule.data.meaning.columns import KINDS, MISSING_TOO, Meaning, is_kind, parted, read_column
from deltarule.data.meaning.dates import DATE_FORMS
from deltarule.data.meaning.sentinels import Sentinel, find_sentinel
from deltarule.data.meaning.useless import why_useless

__all__ = [
    "DATE_FORMS",
    "KINDS",
    "MISSING_TOO",
    "Meaning",
    "Sentinel",
    "find_sentinel",
    "is_kind",
    "parted",
    "read_column",
    "why_useless",
]

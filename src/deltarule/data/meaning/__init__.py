"""What the cells of a column mean: numbers in any clothes, yes and no, dates, text, or nothing of use.

Reading order: numbers, dates, columns, useless.
"""

from __future__ import annotations

from deltarule.data.meaning.columns import KINDS, MISSING_TOO, Meaning, is_kind, read_column
from deltarule.data.meaning.dates import DATE_FORMS
from deltarule.data.meaning.useless import why_useless

__all__ = ["DATE_FORMS", "KINDS", "MISSING_TOO", "Meaning", "is_kind", "read_column", "why_useless"]

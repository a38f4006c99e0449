"""Worksheets: networks to be computed by hand, with keys, and the marking of what was answered."""

from __future__ import annotations

from deltarule.worksheets.marking import Marking, mark
from deltarule.worksheets.worksheet import Worksheet, worksheet

__all__ = ["Marking", "Worksheet", "mark", "worksheet"]

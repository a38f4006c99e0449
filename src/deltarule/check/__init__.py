"""Checks: is a gradient right, and how would one know."""

from __future__ import annotations

from deltarule.check.gradients import check_gradients
from deltarule.check.report import GradientReport

__all__ = ["GradientReport", "check_gradients"]

"""Checks: is a gradient right, is a network healthy, and how would one know."""

from __future__ import annotations

from deltarule.check.gradients import check_gradients
from deltarule.check.health import HealthReport, health
from deltarule.check.report import GradientReport

__all__ = ["GradientReport", "HealthReport", "check_gradients", "health"]

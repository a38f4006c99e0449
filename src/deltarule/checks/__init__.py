"""Checks: is a gradient right, is a network healthy, and how would one know."""

from __future__ import annotations

from deltarule.checks.gradient_report import GradientReport
from deltarule.checks.gradients import check_gradients
from deltarule.checks.health import HealthReport, health

__all__ = ["GradientReport", "HealthReport", "check_gradients", "health"]

"""Checks: is a gradient right, and is a network healthy?

Reading order: slopes, gradients, gradient_report; finding, observations, pairs, data_faults, network_faults,
training_faults, rules, health.
"""

from __future__ import annotations

from deltarule.checks.gradient_report import GradientReport
from deltarule.checks.gradients import check_gradients
from deltarule.checks.health import HealthReport, health

__all__ = ["GradientReport", "HealthReport", "check_gradients", "health"]

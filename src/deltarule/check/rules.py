"""What can be wrong with a network and its training although the gradient is right: a rule for each kind.

A rule takes what was measured (:class:`~deltarule.check.signs.Signs`) and yields findings, each with the
numbers it rests on. The limits were chosen by experiment: on the bundled sets with good settings no rule
warns, and each fault that the tests plant is the first thing found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from deltarule.check import course, data, units
from deltarule.check.findings import SEVERITIES, Finding
from deltarule.check.signs import Signs

__all__ = ["RULES", "find"]

Rule = Callable[[Signs], Iterator[Finding]]

#: What to look at: causes; what they do to units and gradients; what comes of it.
DATA: tuple[Rule, ...] = (
    data.unreachable_targets,
    data.unscaled_inputs,
    data.unscaled_targets,
    course.learning_rate_too_high,
)
WEIGHTS: tuple[Rule, ...] = (units.symmetric_neurons, course.penalty_too_strong)
UNITS: tuple[Rule, ...] = (
    units.huge_weights,
    units.dead_units,
    units.saturated_units,
    units.gradient_flow,
)
RESULTS: tuple[Rule, ...] = (
    data.class_imbalance,
    course.learning_rate_too_low,
    course.overfitting,
    data.labels_as_numbers,
    data.constant_features,
)
RULES = ((*DATA, *WEIGHTS), UNITS, RESULTS, (course.underfitting,))


def find(signs: Signs) -> tuple[Finding, ...]:
    """All findings, the worst first; of equal ones causes before effects, which are no worse than those."""
    found: list[Finding] = []
    for rules in RULES if signs.finite else (DATA, (units.not_finite,)):
        worst = max((SEVERITIES.index(finding.severity) for finding in found), default=0)
        effects = [finding for rule in rules for finding in rule(signs)]
        found += [_at_most(finding, worst) if worst else finding for finding in effects]
    return tuple(sorted(found, key=lambda finding: -SEVERITIES.index(finding.severity)))


def _at_most(finding: Finding, worst: int) -> Finding:
    return replace(finding, severity=SEVERITIES[min(worst, SEVERITIES.index(finding.severity))])

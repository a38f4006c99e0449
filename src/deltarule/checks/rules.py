"""What can be wrong with a network and its training although the gradient is right: a rule for each kind.

A rule takes :class:`~deltarule.checks.observations.Observations` and yields findings, each with the numbers
it rests on. The limits were chosen by experiment: on the bundled sets with good settings no rule warns, and
each fault that the tests plant is the first thing found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from deltarule.checks import data_faults, network_faults, pairs, training_faults
from deltarule.checks.finding import SEVERITIES, Finding
from deltarule.checks.observations import Observations

Rule = Callable[[Observations], Iterator[Finding]]

#: What to look at: causes; what they do to units and gradients; what comes of it.
DATA: tuple[Rule, ...] = (
    pairs.mismatched_loss,
    data_faults.unreachable_targets,
    data_faults.unscaled_inputs,
    data_faults.unscaled_targets,
    training_faults.learning_rate_too_high,
)
WEIGHTS: tuple[Rule, ...] = (
    network_faults.symmetric_neurons,
    training_faults.penalty_too_strong,
    training_faults.stuck,
)
UNITS: tuple[Rule, ...] = (
    network_faults.huge_weights,
    network_faults.dead_units,
    network_faults.saturated_units,
    network_faults.gradient_flow,
)
RESULTS: tuple[Rule, ...] = (
    data_faults.class_imbalance,
    training_faults.learning_rate_too_low,
    training_faults.overfitting,
    data_faults.labels_as_numbers,
    data_faults.constant_features,
)
RULES = ((*DATA, *WEIGHTS), UNITS, RESULTS, (training_faults.underfitting,))


def find_faults(observed: Observations) -> tuple[Finding, ...]:
    """Return all findings, the worst first; of equal ones causes before effects, which are no worse."""
    found: list[Finding] = []
    for rules in RULES if observed.finite else (DATA, (network_faults.not_finite,)):
        worst = max((SEVERITIES.index(finding.severity) for finding in found), default=0)
        for effect in [finding for rule in rules for finding in rule(observed)]:
            severity = SEVERITIES.index(effect.severity)
            found.append(replace(effect, severity=SEVERITIES[min(worst or severity, severity)]))
    return tuple(sorted(found, key=lambda finding: -SEVERITIES.index(finding.severity)))

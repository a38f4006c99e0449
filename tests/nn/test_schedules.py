"""Every schedule at points known without it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deltarule.nn.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    Step,
    WarmUp,
    as_schedule,
)

KNOWN = [
    (Constant(0.3), [(0, 0.3), (7.5, 0.3), (10, 0.3)]),
    (Step(1.0, every=2, factor=0.5), [(0, 1), (1.99, 1), (2, 0.5), (3.99, 0.5), (4, 0.25), (10, 1 / 32)]),
    (Exponential(2.0, decay=0.5), [(0, 2), (1, 1), (0.5, math.sqrt(2)), (3, 0.25)]),
    (InverseScaling(3.0, power=1), [(0, 3), (2, 1), (5, 0.5)]),
    (InverseScaling(1.0), [(0, 1), (3, 0.5), (8, 1 / 3)]),
    (Cosine(1.0, final=0.2), [(0, 1), (5, 0.6), (10, 0.2), (12, 0.2), (10 / 3, 0.8)]),
    (OneCycle(1.0, rise=0.4, start=10, end=100), [(0, 0.1), (2, 0.55), (4, 1), (7, 0.505), (10, 0.01)]),
    (OneCycle(1.0, end=100), [(11, 0.01)]),
    (WarmUp(2.0, epochs=4, start=0.5), [(0, 1), (2, 1.5), (4, 2), (9, 2)]),
    (WarmUp(Cosine(1.0), epochs=5, start=0.0), [(0, 0), (2.5, (1 + math.cos(math.pi / 4)) / 4), (5, 0.5)]),
]


@pytest.mark.parametrize(("schedule", "points"), KNOWN, ids=lambda value: getattr(value, "name", ""))
def test_rate_is_right_at_known_points(schedule, points):
    for t, rate in points:
        assert schedule(t, 10) == pytest.approx(rate, rel=1e-14), t


def test_every_schedule_has_known_points():
    assert {schedule.name for schedule, _ in KNOWN} == set(SCHEDULES)


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in KNOWN], ids=lambda schedule: schedule.name)
def test_rate_is_finite_not_negative_and_a_plain_float(schedule):
    for T in (1, 3, 1000):
        rates = [schedule(t, T) for t in np.linspace(0, T, 50)]
        assert np.isfinite(rates).all()
        assert min(rates) >= 0
        assert isinstance(schedule(0.5, 2), float)


@pytest.mark.parametrize(
    "schedule",
    [
        InverseScaling(0.1, power=400),
        InverseScaling(1e308, power=1e308),
        Exponential(0.1, decay=1e-300),
        Step(0.1, every=1, factor=1e-300),
        WarmUp(InverseScaling(0.1, power=400), epochs=2),
    ],
    ids=lambda schedule: schedule.spec,
)
def test_the_steepest_rates_fall_to_0_without_an_overflow(schedule):
    rates = [schedule(t, 1_000) for t in (0.0, 2.0, 5.0, 999.0, 1e6)]
    assert np.isfinite(rates).all()
    assert rates[-1] == 0


def test_formula_is_written_out_for_every_schedule():
    assert all(SCHEDULES.maker(name).formula.startswith("η(t)") for name in SCHEDULES)


def test_number_is_a_constant_schedule():
    assert as_schedule(0.5) == Constant(0.5) == as_schedule("constant(0.5)")

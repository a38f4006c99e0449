"""Learning-rate schedules: the rate as a function of the epochs gone by, ``rate(t, T)``.

``t`` counts epochs and moves with every update (t = 2.5 is the middle of the third epoch); ``T`` is the
number of epochs planned.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import field
from typing import ClassVar

import numpy as np

from deltarule.arrays import TINY, Array, check_limits, check_number
from deltarule.registry import Registry, record, spec_of


@record
class Schedule(ABC):
    """A learning rate that changes as training goes on.

    Examples
    --------
    >>> SCHEDULES.resolve("step(0.5, every=10, factor=0.5)")(t=15, T=100)
    0.25
    """

    name: ClassVar[str]
    formula: ClassVar[str]

    @abstractmethod
    def __call__(self, t: float, T: float) -> float:
        """The learning rate after ``t`` of ``T`` epochs."""

    def rates(self, times: Array, T: float) -> Array:
        """Return the learning rate at each of many times."""
        return np.array([self(t, T) for t in times.tolist()])

    @property
    def spec(self) -> str:
        """The text from which this schedule can be made again."""
        return spec_of(self.name, self)

    def __post_init__(self) -> None:
        check_limits(f"schedule {self.name}", self)


_POSITIVE = {"limits": (TINY, math.inf)}
_SHARE = {"limits": (TINY, 1.0)}


@record
class Constant(Schedule):
    """``η(t) = rate``.

    Examples
    --------
    >>> Constant(0.5)(t=3, T=10)
    0.5
    """

    rate: float = field(metadata=_POSITIVE)
    name: ClassVar[str] = "constant"
    formula: ClassVar[str] = "η(t) = rate"

    def __call__(self, t: float, T: float) -> float:
        return self.rate

    def rates(self, times: Array, T: float) -> Array:
        return np.full(len(times), float(self.rate))


@record
class Step(Schedule):
    """``η(t) = rate · factor^⌊t / every⌋``: it falls in steps, once every few epochs.

    Examples
    --------
    >>> Step(1.0, every=10, factor=0.5)(t=25, T=100)
    0.25
    """

    rate: float = field(metadata=_POSITIVE)
    every: float = field(default=10, metadata=_POSITIVE)
    factor: float = field(default=0.1, metadata=_SHARE)
    name: ClassVar[str] = "step"
    formula: ClassVar[str] = "η(t) = rate · factor^⌊t / every⌋"

    def __call__(self, t: float, T: float) -> float:
        return self.rate * self.factor ** math.floor(t / self.every)


@record
class Exponential(Schedule):
    """``η(t) = rate · decay^t``.

    Examples
    --------
    >>> Exponential(1.0, decay=0.5)(t=2, T=10)
    0.25
    """

    rate: float = field(metadata=_POSITIVE)
    decay: float = field(default=0.95, metadata=_SHARE)
    name: ClassVar[str] = "exponential"
    formula: ClassVar[str] = "η(t) = rate · decay^t"

    def __call__(self, t: float, T: float) -> float:
        return self.rate * self.decay**t


@record
class InverseScaling(Schedule):
    """``η(t) = rate / (1 + t)^power``.

    Examples
    --------
    >>> InverseScaling(1.0, power=0.5)(t=3, T=10)
    0.5
    """

    rate: float = field(metadata=_POSITIVE)
    power: float = field(default=0.5, metadata=_POSITIVE)
    name: ClassVar[str] = "inverse_scaling"
    formula: ClassVar[str] = "η(t) = rate / (1 + t)^power"

    def __call__(self, t: float, T: float) -> float:
        try:
            return self.rate / (1 + t) ** self.power
        except OverflowError:
            return 0.0


@record
class Cosine(Schedule):
    """``η(t) = final + (rate − final)·(1 + cos(π t/T))/2``: half a cosine, down to ``final``.

    Loshchilov & Hutter (2017), equation 5.

    Examples
    --------
    >>> Cosine(1.0)(t=5, T=10)
    0.5
    """

    rate: float = field(metadata=_POSITIVE)
    final: float = field(default=0.0, metadata={"limits": (0.0, math.inf)})
    name: ClassVar[str] = "cosine"
    formula: ClassVar[str] = "η(t) = final + (rate − final)·(1 + cos(π·t/T))/2"

    def __call__(self, t: float, T: float) -> float:
        return _half_cosine(self.rate, self.final, min(t / T, 1))


@record
class OneCycle(Schedule):
    """Up from ``rate/start`` to ``rate`` in the first ``rise`` of training, then down to ``rate/end``.

    Up and down along half a cosine each. Smith & Topin (2018).

    Examples
    --------
    >>> OneCycle(1.0, rise=0.3)(t=3, T=10)
    1.0
    """

    rate: float = field(metadata=_POSITIVE)
    rise: float = field(default=0.3, metadata={"limits": (1e-9, 1 - 1e-9)})
    start: float = field(default=25.0, metadata={"limits": (1.0, math.inf)})
    end: float = field(default=1e4, metadata={"limits": (1.0, math.inf)})
    name: ClassVar[str] = "one_cycle"
    formula: ClassVar[str] = "η(t): rate/start → rate until t = rise·T, then → rate/end, along cosines"

    def __call__(self, t: float, T: float) -> float:
        top = self.rise * T
        if t < top:
            return _half_cosine(self.rate / self.start, self.rate, t / top)
        return _half_cosine(self.rate, self.rate / self.end, min((t - top) / (T - top), 1))


def _half_cosine(first: float, last: float, progress: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


@record
class WarmUp(Schedule):
    """Rises in a straight line to ``after`` over the first ``epochs``, then follows ``after``.

        η(t) = after(t)·(start + (1 − start)·t/epochs) while t < epochs

    Goyal et al. (2017).

    Parameters
    ----------
    after : float or Schedule
        The rate, or the schedule, that follows.
    epochs : float
        How many epochs the rise takes.
    start : float
        The share of the rate at the beginning.

    Examples
    --------
    >>> WarmUp(Cosine(1.0), epochs=4, start=0.0)(t=0, T=10)
    0.0
    """

    after: float | str | Schedule
    epochs: float = field(default=5.0, metadata=_POSITIVE)
    start: float = field(default=0.01, metadata={"limits": (0.0, 1.0)})
    name: ClassVar[str] = "warm_up"
    formula: ClassVar[str] = "η(t) = after(t)·(start + (1 − start)·t/epochs) while t < epochs, then after(t)"

    def __post_init__(self) -> None:
        object.__setattr__(self, "after", as_schedule(self.after))
        super().__post_init__()

    def __call__(self, t: float, T: float) -> float:
        assert isinstance(self.after, Schedule)
        return self.after(t, T) * min(self.start + (1 - self.start) * t / self.epochs, 1.0)


#: The schedules by name: ``"cosine(0.1)"``, ``"warm_up(cosine(0.1), epochs=3)"``.
SCHEDULES: Registry[Schedule] = Registry("schedule", Schedule)  # type: ignore[type-abstract]
for _schedule in (Constant, Step, Exponential, InverseScaling, Cosine, OneCycle, WarmUp):
    SCHEDULES.register(_schedule.name, _schedule)


def as_schedule(rate: float | str | Schedule) -> Schedule:
    """A schedule from a number (constant), a text such as ``"cosine(0.1)"``, or a schedule."""
    if isinstance(rate, str | Schedule):
        return SCHEDULES.resolve(rate)
    return Constant(check_number("learning_rate", rate, TINY))

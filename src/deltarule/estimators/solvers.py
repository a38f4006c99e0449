"""Solvers: the optimizer and the learning rates that the parameters name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np

from deltarule.estimators.parameters import Parameters, resolve_parameter
from deltarule.nn import optimizers
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.nn.schedules import SCHEDULES, Constant, Schedule
from deltarule.registry import record

#: Where SciPy's L-BFGS-B stops by itself, and so scikit-learn's: a relative improvement of 2.2e-9.
_SMALLEST_IMPROVEMENT = 1e7 * float(np.finfo(float).eps)


def make_optimizer(p: Parameters, n_samples: int, seen: int = 0, *, fresh: bool = True) -> Optimizer:
    """The optimizer that the parameters describe, for epochs of ``n_samples``, after ``seen`` samples.

    Both numbers are for scikit-learn's "invscaling"; ``fresh`` begins with ``learning_rate_init`` all the
    same, as scikit-learn's ``fit`` does.
    """
    falling = _InverseScaling(float(p.learning_rate_init), p.power_t, n_samples, seen, fresh)
    rate = resolve_parameter("learning_rate", lambda: _learning_rate(p, falling))
    adam = {"beta1": p.beta_1, "beta2": p.beta_2, "epsilon": p.epsilon}
    makers: dict[str, Callable[[], Optimizer]] = {
        "lbfgs": lambda: optimizers.LBFGS(
            tolerance=p.tol, improvement=_SMALLEST_IMPROVEMENT, evaluations=p.max_fun
        ),
        "sgd": lambda: _gradient_descent(p, rate),
        "adam": lambda: optimizers.AdamHat(rate, **adam),
        "adamw": lambda: optimizers.AdamW(rate, **adam, weight_decay=p.alpha),
        "rmsprop": lambda: optimizers.RMSprop(rate, epsilon=p.epsilon),
        "adagrad": lambda: optimizers.Adagrad(rate, epsilon=p.epsilon),
    }
    known = isinstance(p.solver, str) and p.solver in makers
    optimizer: Optimizer = resolve_parameter(
        "solver", makers[p.solver] if known else lambda: OPTIMIZERS.resolve(p.solver)
    )
    if p.clip_norm is not None and isinstance(optimizer, GradientStep):
        return replace(optimizer, clip_norm=float(p.clip_norm))
    return optimizer


def _gradient_descent(p: Parameters, rate: Schedule) -> Optimizer:
    if not p.momentum:
        return optimizers.SGD(rate)
    return (optimizers.Nesterov if p.nesterovs_momentum else optimizers.Momentum)(rate, momentum=p.momentum)


def _learning_rate(p: Parameters, falling: Schedule) -> Schedule:
    """``learning_rate``; scikit-learn's own three names mean something to "sgd" only."""
    if isinstance(p.learning_rate, Schedule):
        return p.learning_rate
    rate = float(p.learning_rate_init)
    if p.learning_rate == "invscaling" and p.solver == "sgd":
        return falling
    if not follows_schedule(p):
        return Constant(rate)
    if isinstance(p.learning_rate, str) and p.learning_rate in SCHEDULES:
        return SCHEDULES.maker(p.learning_rate)(rate)
    return SCHEDULES.resolve(p.learning_rate)


def follows_schedule(p: Parameters) -> bool:
    """Whether the learning rate follows a schedule of ours, made for all epochs: then none is too many."""
    theirs = ("constant", "invscaling", "adaptive")
    return not isinstance(p.learning_rate, str) or p.learning_rate not in theirs


@record
class _InverseScaling(Schedule):
    """scikit-learn's "invscaling": it falls after each epoch, with the samples seen."""

    rate: float
    power: float
    n_samples: int
    seen: int
    fresh: bool
    name: ClassVar[str] = "invscaling"
    formula: ClassVar[str] = "η = rate / (1 + samples seen)^power"

    def __call__(self, t: float, T: float) -> float:
        if self.fresh and t < 1:
            return self.rate
        return self.rate / (1 + self.seen + math.floor(t) * self.n_samples) ** self.power

"""Optimizers, in order of complexity: how parameters move against their gradient.

An optimizer sees one flat vector of parameters ``θ`` and its gradient ``g``; what it remembers between
updates is a row of numbers for each of its slots. ``t`` counts updates from 1, ``η`` is the learning rate
of this update.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import field, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from deltarule.arrays import TINY, Array, aligned_zeros, check_limits, check_number, check_whole
from deltarule.errors import InputError
from deltarule.formula.tree import Steps, Symbol, sqrt
from deltarule.nn.schedules import Schedule, as_schedule
from deltarule.registry import Registry, record, spec_of

#: A parameter, its gradient, the learning rate and the number of this update.
THETA, GRADIENT, ETA, TIME = Symbol("θ"), Symbol("g"), Symbol("η"), Symbol("t")

_m, _v, _s, _mu, _rho, _epsilon, _lambda = map(Symbol, "mvsμρελ")
_beta1, _beta2 = Symbol("β", "1"), Symbol("β", "2")
_m_hat, _v_hat, _epsilon_hat = (Symbol(letter, accent="hat") for letter in "mvε")
_unbiased = sqrt(1 - _beta2**TIME) / (1 - _beta1**TIME)
_scaled_step = (THETA, THETA - ETA * (GRADIENT / (sqrt(_s) + _epsilon)))

#: The greatest share that a moving average may keep.
_BELOW_ONE = math.nextafter(1, 0)


def hyperparameter(default: float, letter: Symbol, low: float, high: float = math.inf) -> Any:
    """A number of an optimizer: its default, the letter it has in the steps, and its limits.

    Examples
    --------
    >>> @record
    ... class Halving(SGD):
    ...     name = "halving"
    ...     half: float = hyperparameter(0.5, Symbol("h"), 0, 1)
    >>> Halving(0.1).letters[Symbol("h")]
    'half'
    """
    return field(default=default, metadata={"letter": letter, "limits": (low, high)})


@record
class Optimizer(ABC):
    """How the parameters are improved; a record of hyperparameters, with no state of its own.

    Examples
    --------
    >>> OPTIMIZERS.resolve("momentum(0.1, momentum=0.8)").spec
    'momentum(learning_rate=0.1, clip_norm=None, momentum=0.8)'
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def formula(self) -> str:
        """What an update does, as text."""

    @property
    def spec(self) -> str:
        """The text that makes this optimizer again: ``"sgd(learning_rate=0.5, clip_norm=None)"``."""
        return spec_of(self.name, self)

    @abstractmethod
    def start(self, theta: Array) -> Array:
        """Return the optimizer's memory before the first update, (number of slots, n_parameters)."""


@record
class GradientStep(Optimizer):
    """An optimizer that makes one update from one gradient.

    Parameters
    ----------
    learning_rate : float or Schedule
        η; a schedule or its text (``"cosine(0.1)"``) changes it as training goes on.
    clip_norm : float, optional
        A gradient with a larger Euclidean norm is scaled down to this norm. Pascanu, Mikolov & Bengio (2013).

    Attributes
    ----------
    slots : tuple of str
        The names of what is remembered about each parameter, as in ``steps``.
    steps : tuple of (Symbol, Expr)
        The update of one parameter, line by line, over ``θ``, its gradient ``g``, ``η``, ``t`` and letters.
    weight_steps : tuple of (Symbol, Expr)
        Steps that come first if the parameter is a weight.
    letters : dict of Symbol to str
        Which field each other symbol stands for, as :func:`hyperparameter` declares it.
    """

    learning_rate: float | str | Schedule = 0.01
    clip_norm: float | None = field(default=None, kw_only=True)

    def __new__(cls, *args: Any, **named: Any) -> GradientStep:
        """Refuse what others call the learning rate."""
        if "lr" in named:
            raise InputError(f"{cls.name} has no 'lr': write learning_rate={named['lr']!r}")
        return super().__new__(cls)

    slots: ClassVar[tuple[str, ...]] = ()
    steps: ClassVar[Steps] = ()
    weight_steps: ClassVar[Steps] = ()

    def __post_init__(self) -> None:
        schedule = as_schedule(self.learning_rate)
        if isinstance(self.learning_rate, str):
            object.__setattr__(self, "learning_rate", schedule)
        if self.clip_norm is not None:
            check_number(f"{self.name}: clip_norm", self.clip_norm, TINY)
        check_limits(self.name, self)

    @property
    def letters(self) -> dict[Symbol, str]:
        """Which field each symbol of the steps stands for."""
        return {item.metadata["letter"]: item.name for item in fields(self) if "letter" in item.metadata}

    @property
    def formula(self) -> str:
        """The steps, as text."""
        return ";  ".join(f"{symbol} ← {expression}" for symbol, expression in self.weight_steps + self.steps)

    @cached_property
    def schedule(self) -> Schedule:
        """The learning rate as a function of time."""
        return as_schedule(self.learning_rate)

    def start(self, theta: Array) -> Array:
        """Return zeros, (number of slots, n_parameters)."""
        return aligned_zeros((len(self.slots), theta.size), theta.dtype)

    def clip(self, g: Array) -> None:
        """Scale ``g`` down in place to the norm ``clip_norm`` if its norm is larger."""
        if self.clip_norm is not None:
            norm = float(np.linalg.norm(g))
            if norm > self.clip_norm:
                g *= self.clip_norm / norm

    @abstractmethod
    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        """Change ``theta`` and ``slots`` in place by one update.

        Parameters
        ----------
        theta, g : ndarray, (n_parameters,)
        slots : ndarray, (number of slots, n_parameters)
        eta : float
            Learning rate of this update.
        t : int
            Number of this update, from 1.
        weights : ndarray of bool, (n_parameters,)
            Which entries of ``theta`` are trained weights (no biases, nothing frozen): weight decay acts on
            these.
        """


@record
class SGD(GradientStep):
    """Gradient descent: ``θ ← θ − η·g``. Robbins & Monro (1951).

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> SGD(0.5).update(theta, np.array([0.2]), np.zeros((0, 1)), 0.5, 1, np.array([True]))
    >>> theta
    array([0.9])
    """

    name: ClassVar[str] = "sgd"
    steps: ClassVar[Steps] = ((THETA, THETA - ETA * GRADIENT),)

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        theta -= eta * g


@record
class Momentum(GradientStep):
    """Heavy ball: ``v ← μ·v − η·g;  θ ← θ + v``. Polyak (1964).

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = Momentum(0.5).start(theta)
    >>> Momentum(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([0.9])
    """

    momentum: float = hyperparameter(0.9, _mu, 0, 1)
    name: ClassVar[str] = "momentum"
    slots: ClassVar[tuple[str, ...]] = ("v",)
    steps: ClassVar[Steps] = ((_v, _mu * _v - ETA * GRADIENT), (THETA, THETA + _v))

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        (v,) = slots
        v *= self.momentum
        v -= eta * g
        theta += v


@record
class Nesterov(Momentum):
    """Nesterov's momentum: ``v ← μ·v − η·g;  θ ← θ + μ·v − η·g``.

    Nesterov (1983), in the form of Sutskever, Martens, Dahl & Hinton (2013).

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = Nesterov(0.5).start(theta)
    >>> Nesterov(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([0.81])
    """

    name: ClassVar[str] = "nesterov"
    steps: ClassVar[Steps] = ((_v, _mu * _v - ETA * GRADIENT), (THETA, THETA + _mu * _v - ETA * GRADIENT))

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        (v,) = slots
        v *= self.momentum
        v -= eta * g
        theta += self.momentum * v - eta * g


@record
class Adagrad(GradientStep):
    """``s ← s + g²;  θ ← θ − η·g / (√s + ε)``. Duchi, Hazan & Singer (2011).

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = Adagrad(0.5).start(theta)
    >>> Adagrad(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([0.5])
    """

    epsilon: float = hyperparameter(1e-10, _epsilon, TINY)
    name: ClassVar[str] = "adagrad"
    slots: ClassVar[tuple[str, ...]] = ("s",)
    steps: ClassVar[Steps] = ((_s, _s + GRADIENT**2), _scaled_step)

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        (s,) = slots
        s += g**2
        theta -= eta * g / (np.sqrt(s) + self.epsilon)


@record
class RMSprop(GradientStep):
    """``s ← ρ·s + (1 − ρ)·g²;  θ ← θ − η·g / (√s + ε)``. Tieleman & Hinton (2012).

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = RMSprop(0.5).start(theta)
    >>> RMSprop(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([-0.581139])
    """

    learning_rate: float | str | Schedule = 0.001
    rho: float = hyperparameter(0.9, _rho, 0, _BELOW_ONE)
    epsilon: float = hyperparameter(1e-8, _epsilon, TINY)
    name: ClassVar[str] = "rmsprop"
    slots: ClassVar[tuple[str, ...]] = ("s",)
    steps: ClassVar[Steps] = ((_s, _rho * _s + (1 - _rho) * GRADIENT**2), _scaled_step)

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        (s,) = slots
        s *= self.rho
        s += (1 - self.rho) * g**2
        theta -= eta * g / (np.sqrt(s) + self.epsilon)


@record
class Adam(GradientStep):
    """Moments of the gradient, corrected for their bias towards 0. Kingma & Ba (2015), algorithm 1.

    m ← β₁·m + (1 − β₁)·g        m̂ = m / (1 − β₁ᵗ)
    v ← β₂·v + (1 − β₂)·g²       v̂ = v / (1 − β₂ᵗ)
    θ ← θ − η·m̂ / (√v̂ + ε)

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = Adam(0.5).start(theta)
    >>> Adam(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([0.5])
    """

    learning_rate: float | str | Schedule = 0.001
    beta1: float = hyperparameter(0.9, _beta1, 0, _BELOW_ONE)
    beta2: float = hyperparameter(0.999, _beta2, 0, _BELOW_ONE)
    epsilon: float = hyperparameter(1e-8, _epsilon, TINY)
    name: ClassVar[str] = "adam"
    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    steps: ClassVar[Steps] = (
        (_m, _beta1 * _m + (1 - _beta1) * GRADIENT),
        (_v, _beta2 * _v + (1 - _beta2) * GRADIENT**2),
        (_m_hat, _m / (1 - _beta1**TIME)),
        (_v_hat, _v / (1 - _beta2**TIME)),
        (THETA, THETA - ETA * (_m_hat / (sqrt(_v_hat) + _epsilon))),
    )

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        m, v = slots
        step = (1 - self.beta1) * g  # one array to work in: here memory takes longer than arithmetic
        m *= self.beta1
        m += step
        np.square(g, out=step)
        step *= 1 - self.beta2
        v *= self.beta2
        v += step
        self._direction(m, v, t, step)
        step *= eta
        theta -= step

    def _direction(self, m: Array, v: Array, t: int, step: Array) -> None:
        """``m̂ / (√v̂ + ε)``, written into ``step``."""
        np.divide(v, 1 - self.beta2**t, out=step)
        np.sqrt(step, out=step)
        step += self.epsilon
        np.divide(m, step, out=step)
        step /= 1 - self.beta1**t


@record
class AdamHat(Adam):
    """Adam with its correction factors combined, so that ε̂ counts for more than ε in the first updates.

    m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²
    θ ← θ − η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε̂)

    Kingma & Ba (2015), end of section 2: what TensorFlow and scikit-learn compute.

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = AdamHat(0.5).start(theta)
    >>> AdamHat(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([0.500001])
    """

    epsilon: float = hyperparameter(1e-8, _epsilon_hat, TINY)
    name: ClassVar[str] = "adam_hat"
    steps: ClassVar[Steps] = (
        *Adam.steps[:2],
        (THETA, THETA - ETA * _unbiased * (_m / (sqrt(_v) + _epsilon_hat))),
    )

    def _direction(self, m: Array, v: Array, t: int, step: Array) -> None:
        """``√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε̂)``, written into ``step``."""
        np.sqrt(v, out=step)
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)


@record
class AdamW(Adam):
    """Adam after the weights have been shrunk separately: ``θ_W ← θ_W − η·λ·θ_W``, then Adam's update.

    Biases do not shrink. Loshchilov & Hutter (2019), algorithm 2.

    Examples
    --------
    >>> theta = np.array([1.0])
    >>> slots = AdamW(0.5).start(theta)
    >>> AdamW(0.5).update(theta, np.array([0.2]), slots, 0.5, 1, np.array([True]))
    >>> theta.round(6)
    array([0.495])
    """

    weight_decay: float = hyperparameter(0.01, _lambda, 0)
    name: ClassVar[str] = "adamw"
    weight_steps: ClassVar[Steps] = ((THETA, THETA - ETA * _lambda * THETA),)

    def update(self, theta: Array, g: Array, slots: Array, eta: float, t: int, weights: Array) -> None:
        theta -= eta * self.weight_decay * (theta * weights)
        super().update(theta, g, slots, eta, t, weights)


@record
class LBFGS(Optimizer):
    """Limited-memory BFGS with a line search, on all samples at once; an epoch is one iteration.

    SciPy's L-BFGS-B. Liu & Nocedal (1989); Byrd, Lu, Nocedal & Zhu (1995).

    Parameters
    ----------
    memory : int
        How many past steps approximate the curvature.
    tolerance : float
        Training stops when no component of the gradient is larger than this.
    improvement : float
        It also stops when an iteration improves the cost by a smaller fraction, or by a mere rounding error.
    evaluations : int, optional
        Training stops after this many evaluations of the cost, of which an iteration needs one or more.

    Examples
    --------
    >>> from deltarule.data import load
    >>> from deltarule.nn.network import Network
    >>> from deltarule.training import train
    >>> xor, net = load("xor"), Network([2, 4, 1], activation="tanh", output="sigmoid", seed=1)
    >>> train(net, xor.X, xor.y, optimizer=LBFGS(), epochs=50)["loss"][-1] < 0.01
    True
    """

    memory: int = 10
    tolerance: float = 1e-10
    improvement: float = 0.0
    evaluations: int | None = None
    name: ClassVar[str] = "lbfgs"

    @property
    def formula(self) -> str:
        """The update in words: SciPy makes the steps."""
        return "θ ← θ − α·H·g, H from the last steps, α by line search"

    def __post_init__(self) -> None:
        check_whole("lbfgs: memory", self.memory)
        check_number("lbfgs: tolerance", self.tolerance, 0)
        check_number("lbfgs: improvement", self.improvement, 0)
        if self.evaluations is not None:
            check_whole("lbfgs: evaluations", self.evaluations)

    def start(self, theta: Array) -> Array:
        """The initial parameters, (1, n_parameters), from which resuming replays: the rest is in SciPy."""
        return theta[None, :].copy()


#: The optimizers by name: ``"adam"``, ``"sgd(0.5)"``, ``"momentum(cosine(0.1), momentum=0.8)"``.
OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer)  # type: ignore[type-abstract]
for _optimizer in (SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamHat, AdamW, LBFGS):
    OPTIMIZERS.register(_optimizer.name, _optimizer)

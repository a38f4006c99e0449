"""Activation functions: all that is known of each, in one record: value, derivative, formulas, parameter.

``z`` is a layer's weighted input, ``a = f(z)`` its output. A derivative takes both, because most are
cheapest in terms of ``a``. All functions keep the dtype they are given, stay finite for any finite
``z`` in float32 and float64, and are analytic along the real axis in complex arithmetic (so that a
gradient can be checked by complex step).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from deltarule.arrays import TINY, Array, check_number
from deltarule.formula.tree import (
    Call,
    Choice,
    Compare,
    Expr,
    NamedConstant,
    Number,
    Steps,
    Symbol,
    Total,
    a,
    absolute,
    exp,
    formula_of,
    log,
    sqrt,
    tanh,
    times,
    z,
)
from deltarule.registry import Registry, pickled_by_name, record

INF = math.inf

#: e^z falls to 0 without complaint: below the smallest float, 0 is the right answer.
_underflow_is_zero = np.errstate(under="ignore")


@record
class Activation:
    """One activation function f, its derivative f′, and how both are written.

    Parameters
    ----------
    name : str
        Its name in constructors, in files and on the command line.
    value : callable, z -> a
        f, for arrays of any shape (softmax: over the last axis).
    derivative : callable, (z, a) -> f′(z)
        Elementwise, with z's shape; for softmax the Jacobian ∂a/∂z of each row, (n, k, k).
    formula, derivative_formula : Expr or str
        f(z) over the symbol ``z``, f′(z) over ``z`` and ``a``, as :mod:`deltarule.formula` writes them. A
        text works too, but then no numbers can be inserted.
    range : (float, float)
        The least and the greatest value of f; a loss refuses outputs outside its domain.
    parameter : float
        The number in its name, if it has one: 0.2 in ``leaky_relu(0.2)``.
    kinks : tuple of float
        Where f′ jumps; a gradient check cannot trust differences across them.
    pull_back : callable, (da, z, a) -> delta, optional
        Jᵀ·da, for a function that couples the outputs of a row, computed without forming J.
    kind : str
        The name without its number: ``leaky_relu`` for ``leaky_relu(0.2)``.
    rectifier : bool
        Whether large positive z pass unchanged and negative ones hardly at all: such layers start with He's
        weights.
    steps : tuple of (Symbol, Expr)
        How code computes f(z) if the formula would overflow or lose digits: ``symbol ← formula``, one after
        the other, over ``z`` and the symbols before it; the last one is ``a``.

    Examples
    --------
    >>> tanh = ACTIVATIONS.resolve("tanh")
    >>> z = np.array([0.5])
    >>> a = tanh.value(z)
    >>> round(float(a[0]), 4), round(float(tanh.derivative(z, a)[0]), 4)
    (0.4621, 0.7864)
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    formula: Expr
    derivative_formula: Expr
    range: tuple[float, float] = (-INF, INF)
    parameter: float = 0.0
    kinks: tuple[float, ...] = ()
    pull_back: Callable[[Array, Array, Array], Array] | None = None
    kind: str = ""
    rectifier: bool = False
    steps: Steps = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "formula", formula_of(self.formula))
        object.__setattr__(self, "derivative_formula", formula_of(self.derivative_formula))
        object.__setattr__(self, "kind", self.kind or self.name)

    __reduce__ = pickled_by_name

    @property
    def coupled(self) -> bool:
        """Whether each output depends on the whole row, as in softmax."""
        return self.pull_back is not None

    def delta(self, da: Array, z: Array, a: Array) -> Array:
        """``delta = ∂L/∂z`` from ``da = ∂L/∂a``: ``da ⊙ f′(z)``; for softmax ``Jᵀ·da``."""
        if self.pull_back is not None:
            return self.pull_back(da, z, a)
        return da * self.derivative(z, a)


def _relu(z: Array) -> Array:
    return np.maximum(z, 0)  # NumPy orders complex numbers by their real part: analytic on either side


def _minus_magnitude(z: Array) -> Array:
    """−|z|; for complex z its analytic continuation, z or −z."""
    return np.minimum(z, -z)


#: e^z grows no further from here on, at 4·10⁹: a loss may square it, and float32 ends at 10³⁸.
_EXP_MOST = 22


@_underflow_is_zero
def _exp(z: Array) -> Array:
    return np.exp(np.minimum(z, _EXP_MOST))


@_underflow_is_zero
def _sigmoid(z: Array) -> Array:
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(_minus_magnitude(z)))  # no power above 1


@_underflow_is_zero
def softplus(z: Array) -> Array:
    """``log(1 + e^z)`` without overflow: ``max(z, 0) + log(1 + e^−|z|)``."""
    return _relu(z) + np.log1p(np.exp(_minus_magnitude(z)))


def _shifted(z: Array) -> Array:
    """``z`` less its row's greatest entry: softmax does not change, and e^z cannot overflow."""
    return z - _of_each_row(np.maximum, z.real)


def _of_each_row(ufunc: np.ufunc, z: Array) -> Array:
    """The sum (``np.add``) or maximum of each row, as a column; short rows all together, by columns.

    That of a single row is a number, which is quicker to go on with.
    """
    if z.size == z.shape[-1]:
        return ufunc.reduce(z, axis=None)
    if z.ndim == 2 and z.shape[1] < z.shape[0]:
        return ufunc.reduce(z.T.copy())[:, None]
    return ufunc.reduce(z, axis=-1, keepdims=True)


@_underflow_is_zero
def _softmax(z: Array) -> Array:
    e = np.exp(_shifted(z))
    e /= _of_each_row(np.add, e)
    return e


@_underflow_is_zero
def log_softmax(z: Array, a: Array) -> Array:
    """``log a`` for ``a = softmax(z)``; where an ``a`` is nearly 0, from ``z``: ``z − log Σ e^z``."""
    if a.real.min() > np.finfo(a.dtype).tiny:
        return np.log(a)
    shifted = _shifted(z)
    return shifted - np.log(_of_each_row(np.add, np.exp(shifted)))


@_underflow_is_zero
def _softmax_jacobian(z: Array, a: Array) -> Array:
    return a[..., :, None] * (np.eye(a.shape[-1], dtype=a.dtype) - a[..., None, :])


@_underflow_is_zero
def _softmax_pull_back(da: Array, z: Array, a: Array) -> Array:
    return a * (da - (da * a).sum(axis=-1, keepdims=True))


@_underflow_is_zero
def _silu_derivative(z: Array, a: Array) -> Array:
    s = _sigmoid(z)
    return s + a * (1 - s)


_GELU_SCALE = math.sqrt(2 / math.pi)


def _gelu_tanh(z: Array) -> Array:
    u = np.clip(z, -10, 10)  # tanh is ±1 there to the last digit, and u³ stays small
    return np.tanh(_GELU_SCALE * (u + 0.044715 * u**3))


def _gelu(z: Array) -> Array:
    return 0.5 * z * (1 + _gelu_tanh(z))


def _gelu_derivative(z: Array, a: Array) -> Array:
    t = _gelu_tanh(z)
    u = np.clip(z, -10, 10)
    return 0.5 * (1 + t) + 0.5 * u * (1 - t**2) * _GELU_SCALE * (1 + 3 * 0.044715 * u**2)


_POSITIVE, _ZERO, _e = Compare(z, ">", Number(0)), Number(0), Symbol("e")
_above, _below = Choice(z, _POSITIVE, _ZERO), Choice(z, Compare(z, "<", _ZERO), _ZERO)
_e_step = (_e, exp(-absolute(z)))  # never above 1
_sigmoid_of_e = Choice(Number(1), _POSITIVE, _e) / (1 + _e)


def _leaky_relu(slope: float = 0.01) -> Activation:
    slope = check_number("leaky_relu: slope", slope, 0, 1)
    return Activation(
        name="leaky_relu" if slope == 0.01 else f"leaky_relu({slope!r})",
        kind="leaky_relu",
        value=lambda z: np.maximum(z, slope * z),
        derivative=lambda z, a: np.where(z.real > 0, 1, slope).astype(z.dtype),
        parameter=slope,
        formula=Choice(z, _POSITIVE, slope * z),
        derivative_formula=Choice(Number(1), _POSITIVE, Number(slope)),
        kinks=(0.0,),
        rectifier=True,
    )


def _elu(alpha: float = 1.0) -> Activation:
    alpha = check_number("elu: alpha", alpha, TINY)

    def below(z: Array) -> Array:
        return alpha * np.expm1(np.minimum(z, 0))

    @_underflow_is_zero
    def value(z: Array) -> Array:
        return np.maximum(z, 0) + below(z)

    @_underflow_is_zero
    def derivative(z: Array, a: Array) -> Array:
        return np.where(z.real > 0, 1, below(z) + alpha).astype(z.dtype, copy=False)

    return Activation(
        name="elu" if alpha == 1.0 else f"elu({alpha!r})",
        kind="elu",
        value=value,
        derivative=derivative,
        parameter=alpha,
        formula=Choice(z, _POSITIVE, times(alpha, exp(z) - 1)),
        derivative_formula=Choice(Number(1), _POSITIVE, a + alpha),
        range=(-alpha, INF),
        kinks=() if alpha == 1.0 else (0.0,),
        rectifier=True,
        steps=((a, _above + times(alpha, Call("expm1", _below))),),
    )


#: The activation functions by name. ``leaky_relu(slope)`` and ``elu(alpha)`` take a parameter.
ACTIVATIONS: Registry[Activation] = Registry("activation", Activation)


def register_activation(activation: Activation) -> Activation:
    """Register ``activation`` under its name, so that constructors, files and the command line find it.

    Raises
    ------
    InputError
        If the name is taken.

    Examples
    --------
    >>> from deltarule.formula.tree import z
    >>> cube = Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, z**3, 3 * z**2)
    >>> register_activation(cube).name
    'cube'
    """
    return ACTIVATIONS.add(activation.name, activation)


_pi, _a_k, _most = NamedConstant("π", math.pi), Symbol("a", "k"), Number(_EXP_MOST)
_t = tanh(sqrt(2 / _pi) * (z + 0.044715 * z**3))

for _activation in (
    Activation("identity", lambda z: z, lambda z, a: np.ones_like(z), z, Number(1)),
    Activation(
        "sigmoid",
        _sigmoid,
        _underflow_is_zero(lambda z, a: a * (1 - a)),
        1 / (1 + exp(-z)),
        a * (1 - a),
        range=(0, 1),
        steps=(_e_step, (a, _sigmoid_of_e)),
    ),
    Activation("tanh", np.tanh, lambda z, a: 1 - a**2, tanh(z), 1 - a**2, range=(-1, 1)),
    Activation(
        "relu",
        _relu,
        lambda z, a: (z.real > 0).astype(z.dtype),
        _above,
        Choice(Number(1), _POSITIVE, _ZERO),
        range=(0, INF),
        kinks=(0.0,),
        rectifier=True,
    ),
):
    register_activation(_activation)
ACTIVATIONS.register("leaky_relu", _leaky_relu)  # Maas, Hannun & Ng (2013)
ACTIVATIONS.register("elu", _elu)  # Clevert, Unterthiner & Hochreiter (2016)
for _activation in (
    Activation(  # the tanh form of Hendrycks & Gimpel (2016)
        "gelu",
        _gelu,
        _gelu_derivative,
        z / 2 * (1 + _t),
        (1 + _t) / 2 + z / 2 * (1 - _t**2) * sqrt(2 / _pi) * (1 + 0.134145 * z**2),
        range=(-0.17004075, INF),
        rectifier=True,
    ),
    Activation(  # Elfwing, Uchibe & Doya (2018)
        "silu",
        _underflow_is_zero(lambda z: z * _sigmoid(z)),
        _silu_derivative,
        z / (1 + exp(-z)),
        1 / (1 + exp(-z)) + a * (1 - 1 / (1 + exp(-z))),
        range=(-0.27846455, INF),
        rectifier=True,
        steps=(_e_step, (a, z * _sigmoid_of_e)),
    ),
    Activation(
        "softplus",
        softplus,
        lambda z, a: _sigmoid(z),
        log(1 + exp(z)),
        1 / (1 + exp(-z)),
        range=(0, INF),
        rectifier=True,
        steps=((a, _above + Call("log1p", exp(-absolute(z)))),),
    ),
    Activation(
        "exp",
        _exp,
        lambda z, a: a * (z.real < _EXP_MOST),
        exp(z),
        a,
        range=(0, INF),
        steps=((a, exp(Choice(_most, Compare(z, ">", _most), z))),),
    ),
    Activation(
        "softmax",
        _softmax,
        _softmax_jacobian,
        exp(Symbol("z", "k")) / Total("j", exp(Symbol("z", "j"))),
        Choice(_a_k * (1 - _a_k), Compare(Symbol("j"), "=", Symbol("k")), -(_a_k * Symbol("a", "j"))),
        range=(0, 1),
        pull_back=_softmax_pull_back,
    ),
):
    register_activation(_activation)

#: The activations of this module, by name; all others were registered from outside.
BUILT_IN = frozenset(ACTIVATIONS)

"""Is a gradient right? Each of its entries beside the slope of the cost that it claims to be."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from deltarule.arrays import Array, as_batch, as_numbers, check_finite, check_whole
from deltarule.checks.gradient_report import GradientReport
from deltarule.checks.slopes import EPSILONS, CostFunction, central_differences, complex_steps
from deltarule.errors import ShapeError
from deltarule.nn.engines import reference
from deltarule.nn.network import Network

#: The relative error allowed, by the number type of the gradient.
TOLERANCES = {"float32": 2e-3, "float64": 1e-6}
#: How many roundings one entry of a gradient, or one cost, may have collected.
ROUNDINGS = 30


def check_gradients(
    net: Network, X: Any, Y: Any, *, sample_weight: Any = None, gradient: Any = None, limit: int = 200
) -> GradientReport:
    """Compare a gradient with the measured slope of ``net.cost``, parameter by parameter.

        ∂C/∂θ ≈ (C(θ + ε) − C(θ − ε)) / 2ε        ∂C/∂θ ≈ Im C(θ + ih) / h

    Slopes are measured in float64, whatever the network's dtype is. Frozen parameters are checked, too.

    Parameters
    ----------
    net : Network
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
    sample_weight : array-like, (n_samples,), optional
    gradient : array-like, (n_parameters,), optional
        The gradient to check, in the order of ``net.parameters``; by default that of ``net.backward``.
    limit : int
        If the network has more parameters than this, only about this many are checked: some from every layer,
        and always the same ones.

    Returns
    -------
    GradientReport

    Raises
    ------
    ShapeError, InputError
        If an argument does not fit the network.

    Examples
    --------
    >>> net = Network([2, 3, 1], activation="tanh", output="sigmoid")
    >>> X, Y = [[0.5, 1.0], [1.0, 0.2]], [[1.0], [0.0]]
    >>> check_gradients(net, X, Y).passed
    True
    >>> gradient = net.backward(net.forward(X), Y).flat
    >>> gradient[net.select("W1[1,2]")] *= 2
    >>> check_gradients(net, X, Y, gradient=gradient).worst
    'W1[1,2]'

    Notes
    -----
    Baydin, Pearlmutter, Radul & Siskind (2018), section 2.1, on the two errors of a finite
    difference: the truncation error, which falls like ε², and the rounding error, which grows like 1/ε.
    """
    check_whole("limit", limit)
    twin = net.copy("float64")
    trace = net.forward(X)
    x = as_batch(twin.inputs(X), twin.dtype)
    function = CostFunction(twin, x, *twin.targets(Y, sample_weight, len(trace.output)))
    check_finite(np.atleast_1d(function.cost(function.forward())), "the cost")
    if gradient is None:
        gradient = net.backward(trace, Y, sample_weight).flat
    array = as_numbers(gradient, "gradient")
    if array.shape != net.parameters.shape:
        raise ShapeError(
            f"gradient must have the parameters' shape {net.parameters.shape}, got {array.shape}"
        )
    check_finite(array, "gradient")
    narrow = array.dtype.kind == "f" and array.itemsize < 8
    gradient = array.astype("float32" if narrow else "float64")
    return _report(net, _compare(function, gradient, _sample(net, limit)))


class _Comparison(NamedTuple):
    """What was compared, an entry or a row for each position; ``sweep`` is the errors of ``differences``."""

    positions: Array
    backprop: Array
    numerical: Array
    errors: Array
    differences: Array
    sweep: Array
    method: str
    tolerance: float
    kinks: Array


def _sample(net: Network, limit: int) -> Array:
    """All positions, or about ``limit`` of them: as many from every ``W`` and ``b``."""
    n_parameters = net.parameters.size
    if n_parameters <= limit:
        return np.arange(n_parameters)
    rng = np.random.default_rng(0)
    names = [f"{kind}{number}" for number in range(1, len(net.layers) + 1) for kind in "Wb"]
    groups = [net.select(name).ravel() for name in names]
    share = max(1, limit // len(groups))
    return np.sort(np.concatenate([rng.permutation(group)[:share] for group in groups]))


def _compare(function: CostFunction, gradient: Array, positions: Array) -> _Comparison:
    tolerance = TOLERANCES[str(gradient.dtype)]
    differences, crosses = central_differences(function, positions)
    away = ~crosses[:, -1]
    kinks, positions = positions[~away], positions[away]
    differences, crosses = differences[away], crosses[away]
    backprop = gradient[positions].astype(float)
    entry, cost = _rounding(function, np.finfo(gradient.dtype).eps)
    floor = entry[positions, None] / tolerance
    floors = np.maximum(floor, cost / np.array(EPSILONS) / tolerance)

    def disagreement(slopes: Array) -> Array:
        return np.where(crosses, np.nan, _relative(slopes[:, None], differences, floors))

    numerical, method = complex_steps(function, positions), "complex step"
    # A function that is not analytic, |z| say, makes complex steps wrong: differences are the arbiter.
    if numerical is None or (np.nanmedian(disagreement(numerical), axis=1) > 1e-3).any():
        best = np.nanargmin(disagreement(backprop), axis=1)[:, None]
        numerical, method = np.take_along_axis(differences, best, axis=1)[:, 0], "central difference"
        floor = np.take_along_axis(floors, best, axis=1)
    errors = _relative(backprop, numerical, floor[:, 0])
    sweep = np.where(crosses, np.nan, _relative(backprop[:, None], differences, floor))
    return _Comparison(positions, backprop, numerical, errors, differences, sweep, method, tolerance, kinks)


def _relative(a: Array, b: Array, floor: Array) -> Array:
    """``|a − b| / max(|a|, |b|, floor)``, infinite where a number is not finite."""
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), np.maximum(floor, np.finfo(float).tiny))
    return np.nan_to_num(np.abs(a - b) / size, nan=np.inf)


def _rounding(function: CostFunction, eps: float) -> tuple[Array, float]:
    """What rounding may add to each entry of the gradient, (n_parameters,), and to the cost.

    It is proportional to the terms that are summed, however little of them remains in the sum.
    """
    net, trace = function.net, function.forward()
    delta = reference.backward(net.layers, net.objective, trace, function.y, function.weight)[-1].delta
    shares = net.objective.shares(len(function.y), function.weight)
    terms = np.abs(delta) + np.maximum(np.abs(trace.output), 1) * shares
    flat, end = np.empty_like(net.parameters), net.parameters.size
    for layer, step in zip(reversed(net.layers), reversed(trace), strict=True):
        start = end - layer.dense.n_parameters
        x = np.abs(step.x) if isinstance(step.x, np.ndarray) else abs(step.x)
        layer.gradients(step._replace(x=x), terms, flat[start:end])
        terms, end = terms @ np.abs(layer.W).T, start
    cost = abs(function.cost(trace)) + np.abs(delta * trace[-1].z).sum()
    return ROUNDINGS * eps * flat, ROUNDINGS * np.finfo(float).eps * float(cost)


def _report(net: Network, found: _Comparison) -> GradientReport:
    def names(positions: Array) -> tuple[str, ...]:
        return tuple(net.name_of(int(position)) for position in positions)

    worst = found.errors.argmax() if len(found.errors) else slice(0)
    return GradientReport(
        worst="".join(names(np.atleast_1d(found.positions[worst]))),
        backprop=_number(found.backprop[worst]),
        numerical=_number(found.numerical[worst]),
        error=_number(found.errors[worst]),
        tolerance=found.tolerance,
        method=found.method,
        epsilons=EPSILONS,
        differences=tuple(np.ravel(found.differences[worst]).tolist()),
        sweep=tuple(np.ravel(found.sweep[worst]).tolist()),
        wrong=names(found.positions[found.errors > found.tolerance]),
        kinks=names(found.kinks),
        n_compared=len(found.positions),
        n_parameters=net.parameters.size,
    )


def _number(entry: Array) -> float:
    """The one number in ``entry``, or NaN where there is none."""
    return float(entry) if np.size(entry) else np.nan

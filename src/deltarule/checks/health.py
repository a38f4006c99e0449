"""Is a network healthy? What is wrong with it and its training when the gradient itself is right."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.checks.finding import SEVERITIES, Finding
from deltarule.checks.network_faults import is_dead, is_saturated
from deltarule.checks.observations import Signs, guess_loss, moves, rms
from deltarule.checks.rules import find
from deltarule.errors import InputError
from deltarule.nn.engines import reference
from deltarule.nn.network import Network
from deltarule.registry import record

__all__ = ["HealthReport", "LayerHealth", "health"]

#: Rows that are looked at, and numbers z that these may give: of more rows, some spread evenly over all.
ROWS, NUMBERS = 2_000, 10_000_000
WIDTH = 98


def health(
    net: Network, X: Any, Y: Any, history: Mapping[str, Sequence[float]] | None = None
) -> HealthReport:
    """Look for what keeps a network from learning although its gradient is right.

    Parameters
    ----------
    net : Network
        Trained, or not yet.
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
        What it was, or will be, trained on.
    history : History, or mapping from names to columns, optional
        What :func:`deltarule.train` returned: it tells of learning rate and overfitting.

    Returns
    -------
    HealthReport

    Raises
    ------
    ShapeError, InputError
        If an argument does not fit the network.

    Examples
    --------
    >>> X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> health(Network([2, 8, 1], activation="tanh", output="sigmoid"), X, Y).ok
    True
    >>> report = health(Network([2, 8, 1], activation="tanh", initializer="zeros"), X, Y)
    >>> report.ok, report.findings[0].name, report.findings[0].where
    (False, 'symmetric_neurons', 'layer 1, neurons 1, 2, 3, 4, 5, 6 and 2 more')
    """
    _check_history(history)
    with np.errstate(all="ignore"):  # what overflows is a finding
        signs = _signs(net, X, Y, history)
        layers = tuple(_layer(signs, index) for index in range(len(net.layers)))
        return HealthReport(find(signs), layers, len(signs.all_x), len(signs.y), history is not None)


@record
class LayerHealth:
    """What was measured in one layer.

    Parameters
    ----------
    layer : int
        Counted from 1.
    activation : str
    neurons : int
    activity : float
        Mean |a|.
    dead, saturated : float
        The share of the layer's neurons.
    rms_delta : float
        Of ∂(a row's loss)/∂z.
    rms_dW, rms_W : float
    learns : bool
        Whether any of its parameters is not frozen.
    """

    layer: int
    activation: str
    neurons: int
    activity: float
    dead: float
    saturated: float
    rms_delta: float
    rms_dW: float
    rms_W: float
    learns: bool


@record
class HealthReport:
    """What was found, the worst first; prints as a page to read.

    Parameters
    ----------
    findings : tuple of Finding
    layers : tuple of LayerHealth
    n_rows, n_looked_at : int
        How many rows there are, and how many were looked at.
    with_history : bool
        Whether the course of training could be judged.
    """

    findings: tuple[Finding, ...]
    layers: tuple[LayerHealth, ...]
    n_rows: int
    n_looked_at: int
    with_history: bool

    @property
    def ok(self) -> bool:
        """Whether there is nothing worse than a note."""
        return all(finding.severity == SEVERITIES[0] for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The report for a JSON file; numbers that are not finite are None."""
        layers = [
            {field.name: _plain(getattr(layer, field.name)) for field in fields(LayerHealth)}
            for layer in self.layers
        ]
        return {
            "ok": self.ok,
            "findings": [finding.to_dict() for finding in self.findings],
            "layers": layers,
            "rows": self.n_rows,
            "rows_looked_at": self.n_looked_at,
            "with_history": self.with_history,
        }

    def __str__(self) -> str:
        pages = [self._head]
        pages += ["\n".join(_page(number, finding)) for number, finding in enumerate(self.findings, 1)]
        pages.append("\n".join(_table(self.layers)))
        if not self.with_history:
            pages.append("Without a history, learning rate and overfitting could not be judged.")
        return "\n\n".join(pages)

    @property
    def _head(self) -> str:
        counts = Counter(finding.severity for finding in self.findings)
        said = [
            f"{counts[severity]} {severity}{'s' * (counts[severity] > 1)}"
            for severity in reversed(SEVERITIES)
            if counts[severity]
        ]
        verdict = (
            "no problem found" + (f" ({', '.join(said)})" if said else "") if self.ok else ", ".join(said)
        )
        some = f"{self.n_looked_at:,} of {self.n_rows:,} rows" if self.n_looked_at < self.n_rows else ""
        return f"Health: {verdict}. {f'Looked at {some}.' if some else ''}".rstrip()


def _check_history(history: object) -> None:
    if history is None:
        return
    if not isinstance(history, Mapping) or "loss" not in history:
        kind = type(history).__name__
        raise InputError(
            f"history must be what train returned, or a mapping with a column 'loss', got {kind}"
        )


def _signs(net: Network, X: Any, Y: Any, history: Mapping[str, Sequence[float]] | None) -> Signs:
    all_x = net.inputs(X)
    all_y, _ = net.targets(Y, None, len(all_x))
    rows = _spread(len(all_x), sum(net.sizes))
    x, y = all_x[rows].astype(net.dtype, copy=False), all_y[rows]
    trace = reference.forward(net.layers, x)
    grads = reference.backward(net.layers, net.objective, trace, y)
    if net.objective.reduction == "mean":
        for index, grad in enumerate(grads):
            grads[index] = grad._replace(delta=grad.delta * len(y))
    guess, least = guess_loss(net.loss, y)
    loss = float(net.objective.terms(trace[-1].z, trace.output, y).sum(axis=1).mean())
    room = guess - least
    skill = (guess - loss) / room if room > 1e-9 * abs(guess) else math.nan
    return Signs(net, x, y, all_x, _names(net), trace, grads, history, guess, skill)


def _spread(n_rows: int, n_numbers: int) -> Array:
    """Which rows to look at: all, or some spread evenly."""
    n = min(n_rows, max(50, min(ROWS, NUMBERS // n_numbers)))
    return np.linspace(0, n_rows - 1, n).astype(np.intp)


def _names(net: Network) -> tuple[str, ...]:
    """The features' names in the data, or x1, x2, …"""
    names = () if net.encoding is None else net.encoding.inputs.feature_names
    n_features = net.sizes[0]
    return names if len(names) == n_features else tuple(f"x{number}" for number in range(1, n_features + 1))


def _layer(signs: Signs, index: int) -> LayerHealth:
    layer, step, grad = signs.net.layers[index], signs.trace[index], signs.grads[index]
    return LayerHealth(
        layer=index + 1,
        activation=layer.activation.name,
        neurons=layer.dense.n_out,
        activity=float(np.abs(step.a).mean()),
        dead=float(is_dead(signs, index).mean()),
        saturated=float(is_saturated(signs, index).mean()),
        rms_delta=rms(grad.delta),
        rms_dW=rms(grad.dW),
        rms_W=rms(layer.W),
        learns=moves(signs.net, index),
    )


# ---------------------------------------------------------------- printing


def _page(number: int, finding: Finding) -> Iterator[str]:
    where = f": {finding.where}" if finding.where else ""
    yield from _wrapped(
        f"{number}. {finding.severity.upper()}, {finding.name.replace('_', ' ')}{where}", "   "
    )
    for label, text in (("Seen", finding.evidence), ("Means", finding.meaning), ("Do", finding.remedy)):
        yield from _wrapped(f"   {label + ':':7}{text}", " " * 10)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _table(layers: Sequence[LayerHealth]) -> Iterator[str]:
    head = ["layer", "neurons", "mean |a|", "dead", "saturated", "RMS delta", "RMS dW / RMS W"]
    rows = [head, *map(_row, layers)]
    first = max(len(row[0]) for row in rows)
    widths = [max(len(row[column]) for row in rows) for column in range(1, len(rows[0]))]
    for name, *cells in rows:
        cells = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        yield "  ".join([name.ljust(first), *cells])


def _row(layer: LayerHealth) -> list[str]:
    ratio = f"{layer.rms_dW / layer.rms_W:.2g}" if layer.rms_W else "–"
    return [
        f"{layer.layer} {layer.activation}"[:24] + ("" if layer.learns else ", frozen"),
        f"{layer.neurons}",
        f"{layer.activity:.3g}",
        f"{layer.dead:.0%}",
        f"{layer.saturated:.0%}",
        f"{layer.rms_delta:.2g}",
        ratio,
    ]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Is a network healthy? What is wrong with it and its training when the gradient itself is right."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from deltarule.checks.finding import SEVERITIES, WIDTH, Finding, finite_or_none
from deltarule.checks.network_faults import is_dead, is_saturated
from deltarule.checks.observations import Observations, learns, observe, rms
from deltarule.checks.rules import find_faults
from deltarule.errors import InputError
from deltarule.nn.network import Network
from deltarule.registry import record, shown_by


def health(
    net: Network, X: Any, Y: Any, history: Mapping[str, Sequence[float]] | None = None
) -> HealthReport:
    """Look for what prevents a network from learning although its gradient is right.

    Parameters
    ----------
    net : Network
        The network, trained or untrained.
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
        The data on which it was, or will be, trained.
    history : History, or mapping from names to columns, optional
        The history that :func:`deltarule.train` returned; it shows problems with the learning rate, and
        overfitting.

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
    if history is not None and (not isinstance(history, Mapping) or "loss" not in history):
        kind = type(history).__name__
        raise InputError(
            f"history must be what train returned, or a mapping with a 'loss' column, got {kind}"
        )
    with np.errstate(all="ignore"):  # what overflows is a finding
        observed = observe(net, X, Y, history)
        layers = tuple(_layer_health(observed, index) for index in range(len(net.layers)))
        findings, rows = find_faults(observed), (len(observed.all_x), len(observed.y))
        return HealthReport(findings, layers, *rows, history is not None)


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

    def to_dict(self) -> dict[str, Any]:
        """The measures for a JSON file; numbers that are not finite are None."""
        return {name: finite_or_none(v) if isinstance(v, float) else v for name, v in vars(self).items()}


@record
class HealthReport:
    """The findings, the worst first; prints as a report.

    Parameters
    ----------
    findings : tuple of Finding
    layers : tuple of LayerHealth
    n_rows, n_looked_at : int
        How many rows there are, and how many of them were examined.
    with_history : bool
        Whether the progress of training could be judged.
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
        return {
            "ok": self.ok,
            "findings": [finding.to_dict() for finding in self.findings],
            "layers": [layer.to_dict() for layer in self.layers],
            "rows": self.n_rows,
            "rows_looked_at": self.n_looked_at,
            "with_history": self.with_history,
        }

    _repr_html_ = shown_by("deltarule.notebook_views:report")

    def __str__(self) -> str:
        paragraphs = [self._head, *map(_paragraph, count(1), self.findings), _layer_table(self.layers)]
        if not self.with_history:
            paragraphs.append("Without a history, the learning rate and overfitting could not be judged.")
        return "\n\n".join(paragraphs)

    @property
    def _head(self) -> str:
        counts = Counter(finding.severity for finding in self.findings)
        found = ((counts[severity], severity) for severity in reversed(SEVERITIES))
        verdict = ", ".join(f"{n} {severity}{'s' * (n > 1)}" for n, severity in found if n)
        if self.ok:
            verdict = "no problem found" + (f" ({verdict})" if verdict else "")
        if self.n_looked_at < self.n_rows:
            verdict += f". Examined {self.n_looked_at:,} of {self.n_rows:,} rows"
        return f"Health: {verdict}."


def _layer_health(observed: Observations, index: int) -> LayerHealth:
    layer, step, grad = observed.net.layers[index], observed.trace[index], observed.grads[index]
    return LayerHealth(
        layer=index + 1,
        activation=layer.activation.name,
        neurons=layer.dense.n_out,
        activity=float(np.abs(step.a).mean()),
        dead=float(is_dead(observed, index).mean()),
        saturated=float(is_saturated(observed, index).mean()),
        rms_delta=rms(grad.delta),
        rms_dW=rms(grad.dW),
        rms_W=rms(layer.W),
        learns=learns(observed.net, index),
    )


def _paragraph(number: int, finding: Finding) -> str:
    where = f": {finding.where}" if finding.where else ""
    texts = [(f"{number}. {finding.severity.upper()}, {finding.name.replace('_', ' ')}{where}", "   ")]
    for label, text in (("Seen", finding.evidence), ("Means", finding.meaning), ("Do", finding.remedy)):
        texts.append((f"   {label + ':':7}{text}", " " * 10))
    return "\n".join(
        textwrap.fill(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False) for text, indent in texts
    )


def _layer_table(layers: Sequence[LayerHealth]) -> str:
    head = ["layer", "neurons", "mean |a|", "dead", "saturated", "RMS delta", "RMS dW / RMS W"]
    rows = [head, *map(_layer_cells, layers)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])] for name, *cells in rows)
    return "\n".join(map("  ".join, padded))


def _layer_cells(layer: LayerHealth) -> list[str]:
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

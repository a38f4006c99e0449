"""The numbers of one case without code: which network, and which mistakes, give just these gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Case, layers_of_arrays
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.matching import Candidate, Observed, candidates, pairs, singles
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.objective import Objective, loss_of_output
from deltarule.registry import record

#: The likeliest first.
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity")
_OUTPUTS = ("sigmoid", "softmax", "identity", "tanh", "relu")
_LOSSES = ("half_squared_error", "squared_error", "mean_squared_error")
#: Pairs of mistakes are looked for in so many of the likeliest networks.
_PAIRED = 4


@record
class CaseReading:
    """What a case is read as: a network and its loss, and the mistakes in its gradients, none to two.

    Parameters
    ----------
    activation, output, loss, reduction : str
    l2 : float
    mistakes : tuple of Mistake
    """

    activation: str
    output: str
    loss: str
    reduction: str
    l2: float = 0.0
    mistakes: tuple[Mistake, ...] = ()

    def __str__(self) -> str:
        parts = [f"{self.activation} hidden layers", f"{self.output} output", self.loss.replace("_", " ")]
        parts.append(f"{self.reduction} over the samples")
        return ", ".join([*parts, f"l2 = {self.l2:g}"] if self.l2 else parts)


class CaseProbe:
    """What was observed, and the network at work that it is compared with."""

    def __init__(self, observed: Observed, case: Case) -> None:
        self.observed, self.case = observed, case


def read_case(
    W: Sequence[Array],
    b: Sequence[Array | None],
    x: Array,
    y: Array,
    observed: Observed,
    *,
    activation: str | None = None,
    output: str | None = None,
    loss: str | None = None,
    reduction: str | None = None,
    l2: float = 0.0,
    eta: float = 0.1,
) -> list[CaseReading]:
    """Return what gives these gradients: with no mistake, else with one, else with two; empty for nothing.

    Parameters
    ----------
    W, b : sequences of ndarray
        Of each layer, (in, out) and (out,); b is None where there is none.
    x, y : ndarray, (n, n_features) and (n, n_outputs)
    observed : Observed
    activation, output, loss, reduction : str, optional
        What is not said is tried, the likeliest first.
    l2, eta : float
        Of the penalty l2/2·ΣW², and the learning rate.

    Examples
    --------
    >>> W, x, y = [np.array([[0.5], [-0.25]])], np.array([[1.0, 2.0]]), np.array([[1.0]])
    >>> observed = Observed((np.array([[-1.0], [-2.0]]),), (None,))
    >>> print(read_case(W, [None], x, y, observed, output="identity")[0])
    sigmoid hidden layers, identity output, half squared error, mean over the samples
    """
    tried = []
    for reading in _readings(activation, output, loss, reduction, l2):
        names = [reading.activation] * (len(W) - 1) + [reading.output]
        goal = Objective(
            LOSSES.resolve(reading.loss), ACTIVATIONS.resolve(reading.output), reading.reduction, l2=l2
        )
        with np.errstate(all="ignore"):
            case = Case(layers_of_arrays(W, b, names), goal, x, y, eta)
        tried.append((reading, CaseProbe(observed, case)))
    right = (Candidate((), {}),)
    for kinds in (right, singles(len(W)), None):
        found = [
            CaseReading(*_plain(reading), mistakes=candidate.mistakes)
            for reading, probe in (tried if kinds else tried[:_PAIRED])
            for candidate, _ in candidates([probe], kinds or pairs(probe))
        ]
        if found:
            return found
    return []


def _plain(reading: CaseReading) -> tuple[str, str, str, str, float]:
    return reading.activation, reading.output, reading.loss, reading.reduction, reading.l2


def _readings(
    activation: str | None, output: str | None, loss: str | None, reduction: str | None, l2: float
) -> Iterator[CaseReading]:
    """All networks that agree with what is said, the likeliest first."""
    for f, g in product([activation] if activation else _ACTIVATIONS, [output] if output else _OUTPUTS):
        losses = [loss] if loss else list(dict.fromkeys((loss_of_output(g), *_LOSSES)))
        for one, how in product(losses, [reduction] if reduction else ("mean", "sum")):
            try:
                Objective(LOSSES.resolve(one), ACTIVATIONS.resolve(g), how)
            except InputError:
                continue
            yield CaseReading(f, g, one, how, l2)

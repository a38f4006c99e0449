"""What explains the gradients that were observed: first conventions, then one mistake, then two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case
from deltarule.diagnosis.matching import Candidate, Observed, Probe, candidates, pairs, singles
from deltarule.errors import InputError
from deltarule.network import Network
from deltarule.registry import record

__all__ = ["Explanation", "Numbers", "Search", "Settings", "settings_for"]


@record
class Settings:
    """What a learner's network may be: what he does not say is tried."""

    activation: str | None = None
    output: str | None = None
    loss: str | None = None
    reduction: str | None = None
    l2: float = 0.0

    def __str__(self) -> str:
        loss = (self.loss or "").replace("_", " ")
        summed = "mean over the samples" if self.reduction == "mean" else "sum over the samples"
        penalty = f", l2 = {self.l2:g}" if self.l2 else ""
        return f"{self.activation} and {self.output}, {loss}, {summed}{penalty}"


@record
class Numbers:
    """A network's weights, its samples, and the gradients somebody found: without what he does not say.

    Parameters
    ----------
    W, b : tuple of ndarray
        Of each layer, (in, out) and (out,); b is None where there is none.
    x, y : ndarray, (n, n_features) and (n, n_outputs)
    observed : Observed
    """

    W: tuple[Array, ...]
    b: tuple[Array | None, ...]
    x: Array
    y: Array
    observed: Observed

    @property
    def sizes(self) -> list[int]:
        """Of the layers, inputs first."""
        return [len(self.W[0]), *(W.shape[1] for W in self.W)]

    def case(self, settings: Settings, eta: float) -> Case:
        """The network as these settings make it."""
        assert settings.output is not None
        net = Network(
            self.sizes,
            activation=settings.activation or "sigmoid",
            output=settings.output,
            loss=settings.loss,
            bias="none" if self.b[0] is None else "shared" if self._shared else "neuron",
            reduction=settings.reduction or "mean",
            l2=settings.l2,
        )
        net.set_weights(list(self.W), None if self.b[0] is None else list(self.b))
        return Case(net, self.x, self.y, eta)

    @property
    def _shared(self) -> bool:
        return any(b is not None and b.size == 1 < W.shape[1] for b, W in zip(self.b, self.W, strict=True))


@record
class Explanation:
    """A set of settings and a backward pass that give just the numbers observed."""

    settings: Settings
    candidate: Candidate
    apart: float


#: The likeliest first.
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity")
_OUTPUTS = ("sigmoid", "softmax", "identity", "tanh", "relu")
_LOSSES = ("half_squared_error", "squared_error", "mean_squared_error")
_RIGHT = Candidate((), Backprop)
_PAIRED = 4


def settings_for(given: Settings) -> list[Settings]:
    """All settings that agree with what is given, the likeliest first."""
    found = []
    for activation, output in product(_one(given.activation, _ACTIVATIONS), _one(given.output, _OUTPUTS)):
        own = {"sigmoid": ("binary_cross_entropy",), "softmax": ("cross_entropy",)}.get(output, ())
        for loss, reduction in product(
            _one(given.loss, (*own, *_LOSSES)), _one(given.reduction, ("mean", "sum"))
        ):
            found.append(Settings(activation, output, loss, reduction, given.l2))
    return found


def _one(given: str | None, usual: Sequence[str]) -> Sequence[str]:
    return usual if given is None else (given,)


class Search:
    """What explains the gradients of some networks, by ever more mistakes.

    Parameters
    ----------
    numbers : sequence of Numbers
    given : Settings
        What is known of the networks; the rest is tried.
    eta : float
    """

    def __init__(self, numbers: Sequence[Numbers], given: Settings, eta: float) -> None:
        self.tried = list(_usable(numbers, settings_for(given), eta))
        if not self.tried:
            raise InputError("no usual network fits these weights and settings")

    def with_mistakes(self, count: int, most: int = 40) -> list[Explanation]:
        """The explanations with just so many mistakes, 0, 1 or 2; the likeliest settings first.

        Pairs are looked for in the few likeliest settings only.
        """
        kinds = ((_RIGHT,), singles, pairs)[count]
        tried = self.tried if count < 2 else self.tried[:_PAIRED]
        found = []
        for settings, probes in tried:
            for candidate, apart in candidates(probes, kinds() if callable(kinds) else kinds):
                found.append(Explanation(settings, candidate, apart))
                if len(found) == most:
                    return found
        return found


def _usable(
    numbers: Sequence[Numbers], settings: Sequence[Settings], eta: float
) -> Iterator[tuple[Settings, list[Probe]]]:
    for one in settings:
        try:
            with np.errstate(all="ignore"):
                probes = [Probe(each.case(one, eta), each.observed) for each in numbers]
        except InputError:
            continue
        yield one, probes

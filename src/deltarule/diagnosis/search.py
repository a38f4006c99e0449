"""What explains the gradients that were observed: first conventions, then one mistake, then two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from deltarule.diagnosis.backprop import Backprop
from deltarule.diagnosis.cases import PLACES, SCALINGS, NetworkProbe, NetworkSettings, Numbers
from deltarule.diagnosis.matching import Candidate, candidates, compare, pairs, singles
from deltarule.errors import InputError
from deltarule.nn.objective import loss_of_output
from deltarule.registry import record


@record
class Explanation:
    """A set of settings and a backward pass that give just the numbers observed."""

    settings: NetworkSettings
    candidate: Candidate
    apart: float


#: The likeliest first.
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "identity")
_OUTPUTS = ("sigmoid", "softmax", "identity", "tanh", "relu")
_LOSSES = ("half_squared_error", "squared_error", "mean_squared_error")
_RIGHT = Candidate((), {})

#: Pairs of mistakes are looked for in so many of the likeliest settings; with dropout, single ones, too.
_PAIRED, _UNLIKELY = 4, 16


def settings_for(given: NetworkSettings, places: Sequence[str | None] = (None,)) -> list[NetworkSettings]:
    """All possible settings that agree with what is given, the likeliest first.

    With dropout, each of the ``places`` where it may act is tried with each way of scaling.
    """
    found = []
    for activation, output in product(_one(given.activation, _ACTIVATIONS), _one(given.output, _OUTPUTS)):
        losses = tuple(dict.fromkeys((loss_of_output(output), *_LOSSES)))
        for loss, reduction in product(_one(given.loss, losses), _one(given.reduction, ("mean", "sum"))):
            one = replace(given, activation=activation, output=output, loss=loss, reduction=reduction)
            if one.is_possible:
                found += _with_dropout(one, places) if given.dropout else [one]
    return found


def _one(given: str | None, usual: Sequence[str]) -> Sequence[str]:
    return usual if given is None else (given,)


def _with_dropout(settings: NetworkSettings, places: Sequence[str | None]) -> list[NetworkSettings]:
    """The settings with each place and each way of scaling that makes a difference."""
    p, factors = settings.dropout, list[float]()
    found = []
    for scaling, factor in SCALINGS.items():
        if not any(abs(factor(p) - other) < 1e-9 for other in factors):
            factors.append(factor(p))
            found += [replace(settings, scaling=scaling, place=place) for place in places]
    return found


class Search:
    """What explains the gradients of some networks, by ever more mistakes.

    Parameters
    ----------
    numbers : sequence of Numbers
    given : NetworkSettings
        What is known of the networks; the rest is tried.
    eta : float

    Masks that were read off rounded gradients may be wrong: a row that is nearly 0 looks like one of a neuron
    that was dropped. Then a quarter of the networks may disagree.
    """

    def __init__(self, numbers: Sequence[Numbers], given: NetworkSettings, eta: float) -> None:
        places = tuple(PLACES) if numbers[0].back else (None,)
        self.tried = [
            (settings, [NetworkProbe(one, settings, eta) for one in numbers])
            for settings in settings_for(given, places)
        ]
        self.dropping, self.n_layers = bool(given.dropout), min(len(one.W) for one in numbers)
        self.spare = len(numbers) // 4 if numbers[0].back and numbers[0].observed.decimals else 0
        if not self.tried:
            raise InputError("no usual network fits these settings: the loss needs another output")

    def with_mistakes(self, count: int, most: int = 40) -> list[Explanation]:
        """The explanations with just so many mistakes, 0, 1 or 2; the likeliest settings first.

        Pairs are looked for in the few likeliest settings only.
        """
        tried = self.tried
        if count and self.dropping:
            tried = self._with_right_end() or tried[:_UNLIKELY]
        for kinds in _kinds(count, self.n_layers, self.dropping):
            found = list(islice(self._explanations(tried if kinds else tried[:_PAIRED], kinds), most))
            if found:
                return found
        return []

    def _explanations(
        self, tried: Sequence[tuple[NetworkSettings, list[NetworkProbe]]], kinds: Sequence[Candidate]
    ) -> Iterator[Explanation]:
        for settings, probes in tried:
            for candidate, apart in candidates(probes, kinds or pairs(probes[0], self.dropping), self.spare):
                yield Explanation(settings, candidate, apart)

    def _with_right_end(self) -> list[tuple[NetworkSettings, list[NetworkProbe]]]:
        """The settings for which the last layer's gradients are right: of very many, the likely ones."""
        return [
            (settings, probes)
            for settings, probes in self.tried
            if sum(map(_ends_wrong, probes)) <= self.spare
        ]


def _ends_wrong(probe: NetworkProbe) -> bool:
    """Whether the last layer's part is wrong."""
    compared = compare(probe.observed, Backprop(probe.case))
    return any(not one.apart <= 1 for one in compared if one.layer == probe.case.L)


def _kinds(count: int, n_layers: int, dropping: bool) -> Iterator[Sequence[Candidate]]:
    """What may be the case, with so many mistakes: with dropout at work, its own mistakes first."""
    if count == 0:
        yield (_RIGHT,)
    elif count == 1:
        if dropping:
            yield [one for one in singles(n_layers, dropping) if one.mistakes[0].of_dropout]
        yield singles(n_layers, dropping)
    else:
        yield ()  # pairs, which depend on what is observed

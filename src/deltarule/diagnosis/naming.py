"""Names for what observation finds wrong: which mistakes of the catalogue give just these steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice, product

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Step, Unfit
from deltarule.diagnosis.faults.factors import is_added, rates_of
from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.faults.untrained import untrained_parameters
from deltarule.diagnosis.matching import CLOSE, Candidate, Observed, candidates, compare, pairs, singles
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.chain import ReadStep
from deltarule.diagnosis.reading.comparison import DECAY, GradientComparison
from deltarule.diagnosis.reading.network import ReadNetwork, fit_loss
from deltarule.diagnosis.recording.tape import Ids

#: Pairs are looked for in networks of up to so many weights, times samples.
_MOST_PAIRED = 3000
#: So many pairs are tried: a tenth of a second.
_MOST_PAIRS = 1500
#: Relative difference of numbers that may be in single precision.
_SINGLE = 3e-4
_RIGHT = Candidate((), {})
#: What learning rates are called.
_RATE = re.compile(r"rate|lr|eta|alpha|learn|step|epsilon", re.I)
#: So many changes are looked at for the learning rate.
_MOST_ROWS = 4


class StepProbe:
    """One recorded step, brought to a gradient, beside the network at work in it.

    Parameters
    ----------
    step : ReadStep
    loss : str
    l2 : float
    factor : float
        What the gradient is multiplied with in the step; less than 0 where it goes down the loss.
    rate : float or None
        The learning rate as the program has it.
    close : float
    """

    def __init__(
        self,
        step: ReadStep,
        loss: str,
        l2: float = 0.0,
        factor: float = -1.0,
        rate: float | None = None,
        close: float = CLOSE,
    ) -> None:
        self.step, self._of = step, (loss, l2, abs(factor), rate)
        self.observed = Observed(
            tuple(_gradient(step, ids, factor) for ids in step.ids_W),
            tuple(None if ids is None else _gradient(step, ids, factor) for ids in step.ids_b),
            close,
        )

    @cached_property
    def case(self) -> Case:
        """The network at work."""
        return self.step.case(*self._of)

    def times(self, factor: float) -> StepProbe:
        """The same with the gradient divided by a factor."""
        loss, l2, eta, rate = self._of
        return StepProbe(self.step, loss, l2, -eta * factor, rate, self.observed.close)


def _gradient(step: ReadStep, ids: Ids, factor: float) -> Array:
    """The gradient that a step shows; that of what never changes is 0."""
    return np.nan_to_num(step.changes[ids]) / factor


def name_faults(analysis: Analysis, network: ReadNetwork | None, faults: Sequence[Fault]) -> list[Fault]:
    """Give the faults their names, where the catalogue has some that agree with where they are."""
    named = _by_itself(analysis, network, faults)
    if network is None or network.steps[0].wrong_output or all(one.mistake for one in named):
        return named
    found = explain_steps(analysis, network)
    if found is None:
        return named
    places = _places(analysis, network)
    probe = next(_probes(analysis, network))[0]
    spoils = [_first_spoiled(probe, part) for part in (found.parts or (found.steps,))]
    return [replace(one, mistake=_key(one, found, spoils, places)) for one in named]


def _key(
    fault: Fault,
    found: Candidate,
    spoils: Sequence[tuple[int, str] | None],
    places: dict[str, set[tuple[int, str]]],
) -> str:
    """The mistake that a fault is: of two, the one that spoils first what the fault spoils."""
    if fault.mistake or fault.kind == "untrained":
        return fault.mistake
    mine = set().union(*(places.get(name, set()) for name in fault.parameters))
    for one, first in zip(found.mistakes, spoils, strict=True):
        if len(found.mistakes) == 1 or first in mine:
            return one.key
    return ""


def _by_itself(analysis: Analysis, network: ReadNetwork | None, faults: Sequence[Fault]) -> list[Fault]:
    """Name the faults whose kind says which mistake they are."""
    chosen = analysis.chosen
    if network is not None and network.steps[0].wrong_output and faults:
        return [_wrong_output(analysis, network.steps[0].wrong_output, faults)]
    keys = {"sign": "sign", "penalty": "l2_wrong"}
    if chosen is not None and any(one.broadcast for some in chosen.meetings for one in some):
        keys |= {"shape": "broadcast_targets", "derivative": "broadcast_targets"}
    named = [replace(one, mistake=one.mistake or keys.get(one.kind, "")) for one in faults]
    if not any(one.kind == "untrained" for one in faults):
        return named
    untrained = untrained_parameters(analysis)
    starts = analysis.absent if analysis.only_gradients else [one.start for one in untrained]
    pairs = zip(untrained, starts, strict=True)
    added = {one.name for one, start in pairs if is_added(analysis.tape, start.start)}
    names = {name for one in faults if one.kind == "untrained" for name in one.parameters}
    is_of_biases = names <= added  # where the weights are not trained either, it is another mistake
    key = "bias_summed_wrongly" if analysis.tape.misfits else "bias_never_updated"
    return [replace(one, mistake=key) if one.kind == "untrained" and is_of_biases else one for one in named]


def _wrong_output(analysis: Analysis, key: str, faults: Sequence[Fault]) -> Fault:
    """The one fault of a forward pass whose outputs are wrong: there, not where it goes back."""
    source, output = analysis.source, analysis.comparison.meetings[0][0].output
    op = analysis.tape.operations[analysis.tape.producers(output)[0]]
    frames = [frame for frame in op.place if frame[0].co_filename == source.path]
    frame = frames[min(len(frames) - 1, int(key == "softmax_twice"))]
    names = tuple(dict.fromkeys(name for fault in faults for name in fault.parameters))
    text = f"the outputs are wrong: {mistake(key).wrong}"
    return Fault("derivative", frame[2], source.segment(source.node(frame)), text, names, mistake=key)


def explain_steps(analysis: Analysis, network: ReadNetwork) -> Candidate | None:
    """The first candidate, one mistake or two, that gives every recorded step; None where they are right.

    The steps are gradients times a common factor, which is that of the arrays that are right, else that of
    the first array that the candidate gives. A candidate must fit all steps with it.
    """
    dropping = any(one is not None for one in network.steps[0].dropped)
    alone = singles(len(network.activations), dropping)
    for probes in _probes(analysis, network):
        if any(candidates(probes, [_RIGHT])):
            continue
        for found, _ in candidates(probes, alone):
            return found
        for candidate in () if analysis.chosen and _is_settled(analysis.chosen) else alone:
            factor = _common_factor(probes[0], candidate)
            is_other = factor > 0 and abs(factor - 1) > CLOSE
            if is_other and any(candidates([one.times(factor) for one in probes], [candidate])):
                return candidate
    probes = next(_probes(analysis, network), [])
    if probes and sum(W.size for W in probes[0].case.W) * probes[0].case.n <= _MOST_PAIRED:
        for found, _ in candidates(probes, islice(pairs(probes[0], dropping), _MOST_PAIRS)):
            return found
    return None


def _common_factor(probe: StepProbe, candidate: Candidate) -> float:
    """What a candidate's first array is to be multiplied by; 0 where no factor would do."""
    try:
        with np.errstate(all="ignore"):
            for one in compare(probe.observed, Backprop(probe.case, candidate.steps)):
                u, g = one.observed.ravel(), one.expected.ravel()
                if u.shape == g.shape and g.any():
                    factor = float(u @ g / (g @ g))
                    return factor if np.linalg.norm(u - factor * g) <= 1e-2 * np.linalg.norm(u) else 0.0
    except (Unfit, ValueError, LookupError):
        pass
    return 0.0


def _probes(analysis: Analysis, network: ReadNetwork) -> Iterator[list[StepProbe]]:
    """The recorded steps as probes, for each loss that the program may mean to follow."""
    chosen, settled = analysis.comparison, _is_settled(analysis.comparison)
    close = _SINGLE if analysis.tape.notes.get("single") else CLOSE
    others = [one for one in analysis.others if one.own or not (chosen.own or settled)]
    for one in (chosen, *others):
        fitted = fit_loss(network.steps, one)
        if fitted is None:
            continue
        loss, scale, l2 = fitted
        usual = next((factor for factor in one.common.values() if factor), -1.0)
        probes, rate = [], _rate(analysis, one)
        for step in network.steps:
            factor = scale * (one.common.get(step.number, usual) if settled else usual)
            penalty = l2 or _decay(one, step.number, scale)
            probes.append(StepProbe(step, loss, penalty, factor, rate, close))
        yield probes


def _is_settled(comparison: GradientComparison) -> bool:
    """Whether what is right says which loss it is, and what the gradients are multiplied with."""
    steady = len(comparison.common) == len(comparison.steps)
    return steady and comparison.has_right_array and bool(comparison.bad)


def _decay(comparison: GradientComparison, number: int, scale: float) -> float:
    """The penalty that the steps have, where the program computes no loss with one."""
    for row in comparison.rows:
        if row.step == number and row.verdict == DECAY and row.extra == "values" and not comparison.own:
            return max(0.0, row.amount / (comparison.common.get(number, 1.0) * scale))
    return 0.0


def _rate(analysis: Analysis, comparison: GradientComparison) -> float | None:
    """The number by name that scales all changes of a step; None where none does, or several do."""
    first = [row for row in comparison.rows if row.step == comparison.steps[0].number]
    rates = [rates_of(analysis, row) for row in first[:_MOST_ROWS]]
    shared = {name: value for name, value in rates[0].items() if value and all(name in one for one in rates)}
    named = [value for name, value in shared.items() if _RATE.search(name)]
    return next(iter(named or (shared.values() if len(shared) == 1 else ())), None)


def _places(analysis: Analysis, network: ReadNetwork) -> dict[str, set[tuple[int, str]]]:
    """By the name of a parameter, which arrays of the network it holds."""
    first = network.steps[0]
    changes = next(step.changes for step in analysis.comparison.steps if step.number == first.number)
    found: dict[str, set[tuple[int, str]]] = {}
    for layer, (W, b) in enumerate(zip(first.ids_W, first.ids_b, strict=True), start=1):
        for change, (name, ids) in product(changes, (("dW", W), ("db", b))):
            if ids is not None and np.isin(ids, change.old).any():
                found.setdefault(change.name, set()).add((layer, name))
    return found


def _first_spoiled(probe: StepProbe, steps: Mapping[str, Step]) -> tuple[int, str] | None:
    """The first array, going back, in which a mistake shows."""
    right, mistaken = (Backprop(probe.case, one).from_output() for one in ({}, steps))
    try:
        with np.errstate(all="ignore"):
            for layer, one, other in zip(range(probe.case.L, 0, -1), right, mistaken, strict=True):
                for name, u, g in zip(("dW", "db"), one, other, strict=True):
                    if u.shape != g.shape or not np.allclose(u, g, 1e-9, 0):
                        return layer, name
    except (Unfit, ValueError, LookupError):
        pass
    return None

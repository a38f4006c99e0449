"""Names for what observation finds wrong: which mistakes of the catalogue give just these steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Step, Unfit
from deltarule.diagnosis.faults.factors import rates_of
from deltarule.diagnosis.faults.faults import Fault
from deltarule.diagnosis.faults.untrained import untrained_parameters
from deltarule.diagnosis.matching import CLOSE, Candidate, Observed, candidates, compare, pairs, singles
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import DECAY, GradientComparison
from deltarule.diagnosis.reading.network import LOSS_NAMES, ReadNetwork, ReadStep
from deltarule.diagnosis.recording.tape import Ids, Operation
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES

#: Pairs are looked for in networks of up to so many weights, times samples.
_MOST_PAIRED = 3000
#: Relative difference of numbers that may be in single precision.
_SINGLE = 3e-4
_RIGHT = Candidate((), {})


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
    if network is None or all(one.mistake for one in named):
        return named
    found = explain_steps(analysis, network)
    if found is None:
        return named
    places = _places(analysis, network)
    probe = next(_probes(analysis, network))[0]
    spoils = [_first_spoiled(probe, part) for part in (found.parts or (found.steps,))]
    return [
        one
        if one.mistake or one.kind == "untrained"
        else replace(one, mistake=_key(one, found, spoils, places))
        for one in named
    ]


def _key(
    fault: Fault,
    found: Candidate,
    spoils: Sequence[tuple[int, str] | None],
    places: dict[str, set[tuple[int, str]]],
) -> str:
    """The mistake that a fault is: of two, the one that spoils first what the fault spoils."""
    mine = set().union(*(places.get(name, set()) for name in fault.parameters))
    for one, first in zip(found.mistakes, spoils, strict=True):
        if len(found.mistakes) == 1 or first in mine:
            return one.key
    return ""


def _by_itself(analysis: Analysis, network: ReadNetwork | None, faults: Sequence[Fault]) -> list[Fault]:
    """Name the faults whose kind says which mistake they are."""
    chosen = analysis.chosen
    broadcast = chosen is not None and any(one.broadcast for some in chosen.meetings for one in some)
    wrong_output = network.steps[0].wrong_output if network is not None else ""
    keys = {"sign": "sign", "penalty": "l2_wrong"}
    if broadcast:
        keys |= {"shape": "broadcast_targets", "derivative": "broadcast_targets"}
    if wrong_output:
        keys["derivative"] = wrong_output
    named = [replace(one, mistake=keys.get(one.kind, "")) for one in faults]
    if not any(one.kind == "untrained" for one in faults) or analysis.only_gradients:
        return named
    added = {name for op, name, _ in untrained_parameters(analysis) if _is_added(analysis, op)}
    return [
        replace(one, mistake="bias_never_updated")
        if one.kind == "untrained" and added.issuperset(one.parameters)
        else one
        for one in named
    ]


def _is_added(analysis: Analysis, op: Operation) -> bool:
    """Whether a start value is first added to something, as a bias is."""
    users = (
        one
        for one in analysis.tape.operations[op.index + 1 :]
        if any(ids is not None and ids.size and (ids == op.start).any() for ids in one.inputs)
    )
    user = next(users, None)
    return user is not None and user.name == "add"


def explain_steps(analysis: Analysis, network: ReadNetwork) -> Candidate | None:
    """The first candidate, one mistake or two, that gives every recorded step; None where they are right.

    The steps are gradients times a common factor, which is that of the arrays that are right, else that of
    the first array that the candidate gives. A candidate must fit all steps with it.
    """
    dropping = any(one is not None for one in network.steps[0].dropped)
    alone = singles(len(network.activations), dropping)
    for probes in _probes(analysis, network):
        if next(candidates(probes, [_RIGHT]), None) is not None:
            continue
        for found, _ in candidates(probes, alone):
            return found
        for candidate in () if analysis.chosen and _is_settled(analysis.chosen) else alone:
            factor = _common_factor(probes[0], candidate)
            if factor > 0 and abs(factor - 1) > CLOSE:
                scaled = [one.times(factor) for one in probes]
                if next(candidates(scaled, [candidate]), None) is not None:
                    return candidate
    probes = next(_probes(analysis, network))
    if sum(W.size for W in probes[0].case.W) * probes[0].case.n <= _MOST_PAIRED:
        for found, _ in candidates(probes, pairs(probes[0], dropping)):
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
    chosen = analysis.chosen
    assert chosen is not None
    others = [one for one in analysis.others if one.own or not chosen.own]
    others = [] if _is_settled(chosen) else [one for one in others if one.loss_name in LOSS_NAMES]
    for one in (chosen, *others):
        if one is not chosen and not _is_possible(network, LOSS_NAMES[one.loss_name]):
            continue
        loss = network.loss if one is chosen else LOSS_NAMES[one.loss_name]
        scale = network.scale if one is chosen else 1.0
        factors = [one.common.get(step.number) for step in network.steps]
        usual = next((factor for factor in factors if factor), -1.0)
        yield [
            StepProbe(
                step,
                loss,
                network.l2 or _decay(one, step.number, scale),
                (factor or usual) * scale,
                _rate(analysis, one),
                _SINGLE if analysis.tape.notes.get("single") else CLOSE,
            )
            for step, factor in zip(network.steps, factors, strict=True)
        ]


def _is_settled(comparison: GradientComparison) -> bool:
    """Whether what is right says which loss it is, and what the gradients are multiplied with."""
    return comparison.has_right_array and bool(comparison.bad)


def _is_possible(network: ReadNetwork, loss: str) -> bool:
    """Whether the loss can be computed from the outputs."""
    return LOSSES.resolve(loss).accepts(ACTIVATIONS.resolve(network.activations[-1]))


def _decay(comparison: GradientComparison, number: int, scale: float) -> float:
    """The penalty that the steps have, where the program computes no loss with one."""
    for row in comparison.rows:
        if row.step == number and row.verdict == DECAY and row.extra == "values" and not comparison.own:
            return max(0.0, row.amount / (comparison.common.get(number, 1.0) * scale))
    return 0.0


def _rate(analysis: Analysis, comparison: GradientComparison) -> float | None:
    """The first number by name that scales a step."""
    return next(
        (rate for row in comparison.rows[:1] for rate in rates_of(analysis, row).values() if rate), None
    )


def _places(analysis: Analysis, network: ReadNetwork) -> dict[str, set[tuple[int, str]]]:
    """By the name of a parameter, which arrays of the network it holds."""
    chosen = analysis.chosen
    assert chosen is not None
    found: dict[str, set[tuple[int, str]]] = {}
    for one in network.steps[:1]:
        changes = next(step.changes for step in chosen.steps if step.number == one.number)
        for layer, (W, b) in enumerate(zip(one.ids_W, one.ids_b, strict=True), start=1):
            for name, ids in (("dW", W), ("db", b)):
                for change in changes:
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

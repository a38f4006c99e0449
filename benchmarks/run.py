"""Contests: every contender is checked first; those that agree are timed in turns, round after round."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from benchmarks.contenders import OURS, PEERS, WITNESS
from benchmarks.data import write
from benchmarks.entries import Died, Entry, entries_for
from benchmarks.size import installed_sizes
from benchmarks.workloads import Prediction, Process, Size, Training, Wanted, Workload

__all__ = ["Goal", "Result", "Standing", "measure"]

TOLERANCES = {"float32": 1e-3, "float64": 1e-8}


@dataclass
class Standing:
    """How a contender did.

    Attributes
    ----------
    status : "timed", "refused" (it computes something else), "failed" (it ended) or "left out"
    note : str
        The form that was chosen, or why it was not timed.
    deviation : float or None
        The largest relative difference from the witness in the check.
    rounds : dict of lists
        What was measured, a number for each round: ``seconds`` (or ``bytes``), and more.
    low, median, high : float or None
        Quartiles.
    ratio : float or None
        To deltarule: the median of the rounds' ratios.
    """

    name: str
    status: str = "timed"
    note: str = ""
    deviation: float | None = None
    rounds: dict[str, list[float]] = field(default_factory=dict)
    low: float | None = None
    median: float | None = None
    high: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class Goal:
    """What was wanted of deltarule, and what came out.

    Attributes
    ----------
    against : str
        The contender that deltarule's figure is divided by; "best peer" where no peer was timed, "" where
        the figure itself is meant.
    at_most : float
    value : float or None
        None where there is nothing to compare.
    met : bool
    untimed : list of str
        Peers that might have been better, and were not timed.
    """

    against: str
    at_most: float
    value: float | None
    met: bool
    untimed: list[str]


@dataclass(frozen=True)
class Result:
    """A workload's outcome; ``quantity`` is "seconds" or "bytes", ``tolerance`` the check's."""

    name: str
    title: str
    unit: str
    quantity: str
    tolerance: float | None
    standings: list[Standing]
    goals: list[Goal]


def measure(
    workload: Workload, rounds: int, threads: int, folder: Path, until: float, say: Callable[[str], None]
) -> Result:
    """Check, time and judge one workload, in rounds until a moment of ``time.monotonic``.

    ``say`` is told what goes on.
    """
    if isinstance(workload, Size):
        standings = [
            Standing(name, rounds={"bytes": [size]}) if size else Standing(name, "left out", "not installed")
            for name, size in installed_sizes().items()
        ]
        return _result(workload, "bytes", standings)
    images = None
    if isinstance(workload, Training | Prediction):
        say("data")
        write(workload, folder)
    elif isinstance(workload, Process) and workload.at_least is not None:
        images = mnist_folder()
    entries, missing = entries_for(workload, threads, folder, images)
    standings = [Standing(entry.name) for entry in entries]
    try:
        _check(workload, entries, standings, say)
        _time(workload, entries, standings, rounds, until, say)
    finally:
        for entry in entries:
            entry.close()
    standings += [Standing(name, "left out", reason) for name, reason in missing.items()]
    return _result(workload, "seconds", standings)


def mnist_folder() -> Path:
    """Where MNIST's files are, downloaded if they have to be."""
    from deltarule import datasets
    from deltarule.data.mnist import data_home

    datasets.load("mnist")
    return data_home() / "mnist"


def tolerance(workload: Workload) -> float | None:
    """By how much contenders may differ; None where they need not agree."""
    if isinstance(workload, Training | Prediction):
        return TOLERANCES[workload.dtype]
    if isinstance(workload, Process) and workload.at_least is None:
        return TOLERANCES["float64"]
    return None


def _check(
    workload: Workload, entries: Sequence[Entry], standings: list[Standing], say: Callable[[str], None]
) -> None:
    """Start everyone; refuse those whose values are not the witness's (or not good enough)."""
    allowed, witness = tolerance(workload), None
    least = workload.at_least if isinstance(workload, Process) else None
    for entry, standing in zip(entries, standings, strict=True):
        say(f"checking {entry.name}")
        try:
            answer = entry.ready()
        except Died as error:
            standing.status, standing.note = "failed", str(error)
            continue
        if "left out" in answer:
            standing.status, standing.note = "left out", answer["left out"]
            continue
        standing.note, values = answer.get("note", ""), answer["values"]
        if entry.name == WITNESS:
            witness = values
        if least is not None and values[0] < least:
            standing.status, standing.note = "refused", f"reached {values[0]:.2%}, not {least:.2%}"
        if allowed is None or not values:
            continue
        standing.deviation = _deviation(values, witness)
        if not standing.deviation <= allowed:
            standing.status = "refused"
            standing.note = f"differs from {WITNESS} by {standing.deviation:.0e}"


def _deviation(values: Sequence[float], witness: Sequence[float] | None) -> float:
    """The largest relative difference; infinite where there is nothing to compare with."""
    if witness is None or len(values) != len(witness):
        return math.inf
    return max(abs(value - true) / abs(true) for value, true in zip(values, witness, strict=True))


def _time(
    workload: Workload,
    entries: Sequence[Entry],
    standings: Sequence[Standing],
    rounds: int,
    until: float,
    say: Callable[[str], None],
) -> None:
    """A B C, A B C, …; whoever ends on the way is out. There are three rounds at least, of processes one."""
    least = 1 if isinstance(workload, Process) else 3
    if isinstance(workload, Process) and workload.rounds is not None:
        rounds = min(rounds, workload.rounds)
    for number in range(rounds + 1):  # round 0 warms up
        if number > least and time.monotonic() > until:
            break
        for entry, standing in zip(entries, standings, strict=True):
            if standing.status != "timed":
                continue
            say(f"round {number} of {rounds}: {entry.name}" if number else f"warming {entry.name}")
            try:
                if number == 0:
                    entry.warm()
                    continue
                for what, value in entry.round(number).items():
                    standing.rounds.setdefault(what, []).append(value)
            except Died as error:
                standing.status, standing.note, standing.rounds = "failed", str(error), {}


def _result(workload: Workload, quantity: str, standings: list[Standing]) -> Result:
    """The statistics, and the goals."""
    timed = {s.name: s.rounds[quantity] for s in standings if s.status == "timed"}
    for standing in standings:
        if standing.name in timed:
            figures = timed[standing.name]
            standing.median = median(figures)
            standing.low, _, standing.high = (
                quantiles(figures, method="inclusive") if len(figures) > 1 else figures * 3
            )
            standing.ratio = _ratio(figures, timed[OURS]) if OURS in timed else None
    goals = [_goal(wanted, timed) for wanted in workload.wanted]
    return Result(
        workload.name, workload.title, workload.unit, quantity, tolerance(workload), standings, goals
    )


def _ratio(figures: Sequence[float], others: Sequence[float]) -> float:
    """The median of the rounds' ratios: what slows the machine for a while slows both."""
    return median(a / b for a, b in zip(figures, others, strict=True))


def _goal(wanted: Wanted, timed: Mapping[str, Sequence[float]]) -> Goal:
    against, untimed = wanted.against, []
    if against == "best peer":
        untimed = [name for name in PEERS if name not in timed]
        against = min(
            (name for name in PEERS if name in timed), key=lambda n: median(timed[n]), default=against
        )
    value = None
    if OURS in timed and not against:
        value = median(timed[OURS])
    elif OURS in timed and against in timed:
        value = _ratio(timed[OURS], timed[against])
    return Goal(against, wanted.at_most, value, value is not None and value <= wanted.at_most, untimed)

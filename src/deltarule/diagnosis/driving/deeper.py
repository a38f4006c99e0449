"""One layer more, where a program makes as many as one likes: mistakes that do not show with two layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.driven import DrivenRun
from deltarule.diagnosis.driving.layouts import MISFIT, twice
from deltarule.diagnosis.driving.trials import USUAL, Trials, has_met
from deltarule.diagnosis.recording.tape import Tape


def deeper(trials: Trials, trial: DrivenRun) -> DrivenRun | None:
    """What is wrong, in two calls, with one layer more than in a call that was right."""
    if trial.layout is None or trial.work is None or trial.layout.layers != USUAL.layers:
        return None
    found: list[DrivenRun] = []
    crashes: list[tuple[BaseException, Tape]] = []
    for varied in twice(replace(trial.layout, layers=trial.layout.layers + 1)):
        if trials.answers is not None:
            trials.answers = Answers()
        work = _Watched(trial)
        one = trials.attempt(trial.label.replace(str(trial.layout), str(varied)), varied, work)
        if one is not None and not one.is_right and one.rows > trial.rows:
            found.append(one)
        elif one is None and work.raised and _takes_layers(trials.answers):
            crashes.append(work.raised[0])
        else:
            return None
    if len(crashes) == 2:
        trial.crash = crashes[0]
    return found[0] if len(found) == 2 else None


def _takes_layers(answers: Answers | None) -> bool:
    """Whether what was called takes the sizes of any number of layers, or is not known to take fewer."""
    return answers is None or any(
        path[-1] == "[]" and kind == "size" for path, (kind, _) in answers.known.items()
    )


class _Watched:
    """What was called, and where it raised because shapes do not fit after outputs had met targets."""

    def __init__(self, trial: DrivenRun) -> None:
        self.trial = trial
        self.raised: list[tuple[BaseException, Tape]] = []

    def __call__(self, run: CallRun) -> Any:
        assert self.trial.work is not None
        try:
            return self.trial.work(run)
        except Exception as error:
            if MISFIT.search(str(error)) and has_met(run.tape, run):
                self.raised.append((error, run.tape))
            raise

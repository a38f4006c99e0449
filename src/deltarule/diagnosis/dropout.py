"""Dropout put to the test: switched off first, then at work, then where nothing is to be dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deltarule.diagnosis.arguments import FORMS, OFF, Dropping
from deltarule.diagnosis.cases import NetworkSettings
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.functions import Layout
from deltarule.diagnosis.masks import is_readable
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.predictions import kind_of_answer
from deltarule.diagnosis.report import Diagnosis
from deltarule.diagnosis.running import Subject, Tried, ask, try_code
from deltarule.diagnosis.trials import Trial
from deltarule.diagnosis.verdict import Judged, judge

#: The share that is dropped where the code can be told; not ½, where 1/p and 1/(1 − p) are the same.
SHARE = 0.4

#: What sets the share.
_SHARES = ("kept", "dropped", "p")

#: With dropout switched off, p being the share that is kept.
_P_IS_KEPT = Dropping(p_is_kept=True)

#: Hidden neurons of a network whose masks can be read off rounded gradients.
_FEW = 5

RANDOM = (
    "Two calls with the same arguments give different results: dropout, noise or shuffling is at work. If it "
    "is dropout, say which share of the neurons it drops, dropout=0.5 (--dropout 0.5): which ones were "
    "dropped is then read off the gradients. Otherwise switch it off for the check."
)
DRAWS = (
    "The code draws random numbers. If that is dropout, say which share of the neurons it drops, dropout=0.5 "
    "(--dropout 0.5): which ones were dropped is then read off the gradients."
)
_SWITCHED_OFF = "That is with dropout switched off; put it right first."
_NOTHING_SEEN = (
    "In none of its calls was a neuron dropped, so dropout could not be checked. Is it switched on in "
    "training, and is the share right?"
)
_NO_SHARE = "Whatever p is, no neuron is dropped: it was not taken for the share of a dropout."
_CLASSIC = (
    "What training keeps is not divided by 1 − p (classic dropout), so predictions must multiply it by "
    "1 − p. Whether they do could not be seen: name the function of (weights, biases, X) that predicts, "
    "predict=…"
)
_MASK_ALONE = (
    "It multiplies by the mask as it is passed. So the mask must hold 1/(1 − p), not 1, where a neuron is "
    "kept; or predictions must multiply by 1 − p."
)
_NO_PREDICTION = (
    "Predictions must not drop anything. Whether they do could not be seen: name the function of (weights, "
    "biases, X) that predicts, predict=…"
)
_NOT_ASKED = "Whether predictions drop anything could not be seen:"
_STRANGE = (
    "What its predictions do with dropout could not be made out: they are neither those of the whole network "
    "nor of one whose neurons are multiplied by 1 − p."
)


def has_dropout(tried: Tried) -> bool:
    """Whether the code takes masks, or a share: one that must be passed, or that is set to more than 0."""
    shares = [value for role, value in tried.switches.items() if role in _SHARES]
    return "masks" in tried.switches or any(value is None or 0 < value < 1 for value in shares)


def diagnose_dropout(
    subject: Subject, tried: Tried, given: NetworkSettings, share: float | None, notes: tuple[str, ...]
) -> Judged:
    """What is wrong with dropout: in the gradient, or in predictions.

    Parameters
    ----------
    tried : Tried
        What came out with dropout switched off, if it could be.
    share : float or None
        What is dropped, where the code cannot be told.
    """
    told = {"masks", *_SHARES} & set(tried.switches)
    off, switched = _without_dropout(subject, tried, given, notes) if told else (None, OFF)
    if off is not None and off.diagnosis.mistakes:
        return Judged(replace(off.diagnosis, notes=(*off.diagnosis.notes, _SWITCHED_OFF)), off.trial)
    dropping = replace(switched, share=SHARE if told else share or SHARE)
    on = _with_dropout(subject, tried, given, off, dropping, notes)
    if told == {"p"} and off is not None and _does_nothing(on.diagnosis):
        return Judged(replace(off.diagnosis, notes=(*off.diagnosis.notes, _NO_SHARE)), off.trial)
    if on.trial is None or on.diagnosis.settings is None:
        return on
    alone = "masks" in tried.switches and len(told) == 1
    return _with_predictions(subject, on, dropping, tried.eta, _MASK_ALONE if alone else _CLASSIC)


def _does_nothing(diagnosis: Diagnosis) -> bool:
    """Whether nothing was seen to be dropped."""
    named = any(one.key == "dropout_has_no_effect" for one in diagnosis.mistakes)
    return named or diagnosis.failure == _NOTHING_SEEN


def _without_dropout(
    subject: Subject, tried: Tried, given: NetworkSettings, notes: tuple[str, ...]
) -> tuple[Judged | None, Dropping]:
    """The diagnosis with dropout switched off, and what p means; None where it cannot be."""
    runs = {OFF: tried}
    for counts in ((0,), (0, 1, 2)):
        for dropping, run in runs.items():
            if not run.trials or all(trial.random for trial in run.trials):
                continue
            judged = judge(run.trials, given, tried.eta, notes, counts)
            if judged.diagnosis.right or judged.diagnosis.mistakes:
                return judged, dropping
        if "p" in tried.switches and _P_IS_KEPT not in runs:
            runs[_P_IS_KEPT] = try_code(subject, _P_IS_KEPT)
    return None, OFF


def _with_dropout(
    subject: Subject,
    tried: Tried,
    given: NetworkSettings,
    off: Judged | None,
    dropping: Dropping,
    notes: tuple[str, ...],
) -> Judged:
    """The diagnosis of the gradient with dropout at work."""
    known = given if off is None or off.diagnosis.settings is None else off.diagnosis.settings
    drawn = None if "masks" in tried.switches else given.l2
    at_work = try_code(subject, dropping, _layouts(off), drawn=drawn)
    if not at_work.trials:
        failure = f"With dropout at work: {at_work.outcome.error}"
        return Judged(Diagnosis(False, failure=failure, notes=notes))
    asked = replace(known, dropout=dropping.share)
    if drawn is not None and known.reduction is None:
        asked = replace(asked, reduction="mean")  # of one sample the same as the sum
    judged = judge([_readable(trial) for trial in at_work.trials], asked, tried.eta, notes)
    settings, trial = judged.diagnosis.settings, judged.trial
    if settings is None or trial is None:
        return judged
    diagnosis = replace(judged.diagnosis, settings=_told(settings, known, trial))
    if diagnosis.right and not _anything_dropped(trial, settings, tried.eta):
        return _nothing_dropped(diagnosis, at_work.trials[0], dropping.share)
    return Judged(diagnosis, trial)


def _readable(trial: Trial) -> Trial:
    """The numbers that say something of every layer; how the code behaves was seen without dropout."""
    numbers = [one for one in trial.numbers if not one.back or is_readable(one)]
    if all(mask is None or mask.all() for one in numbers for mask in one.back):  # none met going back
        numbers = [replace(one, back=(None,) * len(one.back)) for one in numbers]
    if numbers and numbers[0].observed.decimals:  # rounded: few neurons, of which few are near 0 by chance
        numbers = [one for one in numbers if len(one.W) == 2 and one.sizes[1] <= _FEW] or numbers
    return Trial(trial.layout, tuple(numbers) or trial.numbers)


def _told(settings: NetworkSettings, known: NetworkSettings, trial: Trial) -> NetworkSettings:
    """The settings with the place of masks that were passed, and without a guess of the reduction."""
    place, masks = settings.place, trial.numbers[0].masks
    if place is None:
        place = "all hidden layers" if masks[0] is None else "inputs and all hidden layers"
    reduction = settings.reduction if len(trial.numbers[0].x) > 1 else known.reduction
    return replace(settings, place=place, reduction=reduction)


def _layouts(off: Judged | None) -> list[Layout] | None:
    """The layout in which the code is right without dropout, with every form of masks."""
    if off is None or off.trial is None or off.trial.layout is None:
        return None
    convention, form = off.trial.layout.convention, off.trial.layout.form
    return [Layout(convention, one) for one in (FORMS if form is not None else (None,))]


def _anything_dropped(trial: Trial, settings: NetworkSettings, eta: float) -> bool:
    """Whether any neuron that would have given something was dropped."""
    for numbers in trial.numbers:
        case = numbers.case(settings, eta)
        for drop, a in zip(case.dropped, case.a, strict=False):
            if drop is not None and bool(((drop.mask == 0) & (a != 0)).any()):
                return True
    return False


def _nothing_dropped(diagnosis: Diagnosis, trial: Trial, share: float) -> Judged:
    """Dropout does nothing; or, where there are few neurons, it may be chance."""
    hidden = [sum(numbers.sizes[1:-1]) for numbers in trial.numbers]
    most = sum(hidden) if trial.layout is None else max(hidden)
    if (1 - share) ** most > 1e-3:
        return Judged(replace(diagnosis, right=False, settings=None, failure=_NOTHING_SEEN))
    return Judged(replace(diagnosis, right=False, mistakes=(mistake("dropout_has_no_effect"),)))


def _with_predictions(
    subject: Subject, on: Judged, dropping: Dropping, eta: float, if_classic: str
) -> Judged:
    """The diagnosis with what predictions say about dropout."""
    diagnosis, settings, trial = on.diagnosis, on.diagnosis.settings, on.trial
    assert settings is not None
    assert trial is not None
    answers, error = ask(subject, trial, dropping)
    kinds = {kind_of_answer(answer, settings, eta) for answer in answers} - {""}
    found = tuple(_wrong_scaling(settings.scaling or "inverted", kinds))
    if any(one.key == "dropout_scaled_one_way" for one in diagnosis.mistakes):
        found = tuple(one for one in found if one.key == "dropout_active_at_test")
    notes = diagnosis.notes
    if not found:
        unseen = if_classic if settings.scaling == "classic" else _NO_PREDICTION
        unseen = f"{_NOT_ASKED} {error}." if error else unseen
        notes = (*notes, *([] if kinds else [unseen]), *([_STRANGE] if "?" in kinds else []))
    mistakes = (*diagnosis.mistakes, *found)
    return Judged(replace(diagnosis, right=not mistakes, mistakes=mistakes, notes=notes), trial)


def _wrong_scaling(scaling: str, kinds: set[str]) -> Sequence[Mistake]:
    """What is wrong with the factors of training and predictions together."""
    if scaling.startswith("by"):
        return [mistake("dropout_scaled_wrongly")]
    wrong = {
        "dropout_active_at_test": "dropped" in kinds,
        "dropout_not_scaled": scaling == "classic" and kinds == {"plain"},
        "dropout_scaled_twice": scaling == "inverted" and kinds == {"scaled"},
    }
    return [mistake(key) for key, there in wrong.items() if there]

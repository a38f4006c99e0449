"""What a program was read as: its conventions, its optimizer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from deltarule.diagnosis.faults.factors import at_the_update, has_its_own_rate, rates_of, scalars_in
from deltarule.diagnosis.observation.telling import shortened
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import DECAY, FACTOR, OPTIMIZER, RIGHT, Row, fit
from deltarule.diagnosis.reading.layers import sizes_of


def scalings_of(analysis: Analysis, row: Row) -> dict[str, float]:
    """The numbers that scale a step, by their names or as they are written: ``lr``, ``0.5``, ``1/m``."""
    written = {
        f"1/{name}" if op.name == "divide" else name: number
        for op, number, name in scalars_in(analysis, at_the_update(analysis, row))
        if number and re.fullmatch(r"[\w.()\[\]'\"]{1,20}", name) and row.verdict == RIGHT
    }
    return {**written, **rates_of(analysis, row)}


_LOSS = re.compile(r"loss|cost|objective|nll|entropy|(^|\.)[LJE]$", re.I)


def conventions_of(analysis: Analysis, rates: dict[str, float]) -> Iterator[str]:
    """What the steps have in common that is no mistake, each in a sentence."""
    chosen = analysis.comparison
    common = next(iter(chosen.common.values()), 0.0)
    if not common or not any(row.verdict == RIGHT for row in chosen.rows) or not chosen.meetings[0]:
        return
    rest = abs(common) / abs(float(np.prod(list(rates.values()))))
    samples, outputs = sizes_of(analysis.tape, chosen)
    of = "the loss that the program computes" if chosen.own else _PLAIN.get(chosen.loss_name, "the loss")
    known = [
        (1.0, ""),
        (1 / samples, "the mean over the samples, not the sum"),
        (float(samples), "the sum over the samples, not the mean"),
        (2.0, "a factor of 2"),
        (0.5, "a factor of 1/2"),
        (2 / samples, "the mean over the samples, and a factor of 2"),
        (1 / outputs, "the mean over the outputs, not the sum"),
        (1 / (samples * outputs), "the mean over samples and outputs"),
        (2 / (samples * outputs), "the mean over samples and outputs, and a factor of 2"),
    ]
    name = next((text for value, text in known if abs(rest / value - 1) < 1e-4), None)
    if name:
        yield (
            f"compared with the gradient of {of}, all updates have {name}: a convention, not a "
            "mistake, because the learning rate absorbs it"
        )
    elif name is None and chosen.is_constant and not chosen.bad:
        both = "the learning rate and conventions together"
        yield f"each update is {rest:.4g} times the gradient of {of}: {both}"


#: The losses whose gradient was supposed.
_PLAIN = {
    "squared error": "the half squared error, summed",
    "binary cross-entropy": "the binary cross-entropy, summed",
    "cross-entropy of softmax": "the cross-entropy, summed",
}


def additions_of(analysis: Analysis) -> Iterator[str]:
    """What stands between gradient and step: an optimizer, a momentum, a penalty."""
    chosen = analysis.comparison
    told: dict[str, list[str]] = {}
    for row in chosen.rows:
        if row.verdict == OPTIMIZER and row.found is not None:
            line = analysis.source.line(row.found)
            by = row.rule.name if row.rule else "an optimizer or momentum"
            text = f"the update is computed from the gradient by {by}"
            told.setdefault(text, []).append(f"gradient of {row.change.name}: line {line}")
        elif row.verdict == DECAY and row.extra in _ADDED:
            told.setdefault(_ADDED[row.extra], []).append(row.change.name)
        elif row.verdict == FACTOR and has_its_own_rate(analysis, chosen, row):
            text = f"the learning rate is {row.ratio:.4g} times that of the other parameters"
            told.setdefault(text, []).append(row.change.name)
    for text, names in told.items():
        yield f"{text} ({shortened(names, 4)})"


_ADDED = {
    "number": "one number is added to all entries of an update",
    "values": "the updates include a penalty on the weights (L2, weight decay)",
    "sign": "the updates include a penalty on the absolute weights (L1)",
    "penalty": "the updates include a penalty on the weights",
    "step": "the updates include momentum: a share of the previous update",
    "gradient": "the updates include a share of the previous gradient: momentum",
}


def other_loss_of(analysis: Analysis) -> Iterator[str]:
    """What is called the loss, depends on all outputs and is none whose gradient the updates could be."""
    chosen, source = analysis.comparison, analysis.source
    if chosen.own or chosen.bad or not chosen.meetings[0]:
        return
    others = [one for one in analysis.others if one.own]
    if any(row.verdict == OPTIMIZER for row in chosen.rows) or not all(one.bad for one in others):
        return
    output = np.concatenate([each.output.ravel() for each in chosen.meetings[0]])
    mine = chosen.losses[0].adjoint[output]
    for one in others:
        op, theirs = one.losses[0].op, one.losses[0].adjoint[output]
        if one.loss_name != "its own loss" or op is None or not _LOSS.search(source.name_of(op)):
            continue
        if output.size > 1 and theirs[mine != 0].all() and fit(theirs, mine)[1] >= 0.05:
            yield (
                f"the updates are those for the {chosen.loss_name}; what line {source.line(op)} computes as "
                f"the loss, {source.text_of(op)}, is a different function"
            )
            return

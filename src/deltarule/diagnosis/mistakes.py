"""The catalogue: the mistakes people make in backpropagation, each with its name, its reason and its remedy.

A mistake's ``variants`` are backward passes that carry it: each replaces a step of the right one. Code lines
use W (in, out), samples in rows, and layer l with the layer l+1 after it.
"""

from __future__ import annotations

from deltarule.diagnosis.catalogue.behaviour import IN_BEHAVIOUR
from deltarule.diagnosis.catalogue.dropout import IN_DROPOUT
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.catalogue.gradients import IN_GRADIENTS
from deltarule.diagnosis.catalogue.hidden_layers import IN_HIDDEN_LAYERS
from deltarule.diagnosis.catalogue.output import AT_OUTPUT

#: In the order in which they are tried.
MISTAKES: tuple[Mistake, ...] = (
    *AT_OUTPUT, *IN_HIDDEN_LAYERS, *IN_GRADIENTS, *IN_BEHAVIOUR, *IN_DROPOUT,
)  # fmt: skip

_BY_KEY = {mistake.key: mistake for mistake in MISTAKES}


def mistake(key: str) -> Mistake:
    """Return an entry of the catalogue."""
    return _BY_KEY[key]

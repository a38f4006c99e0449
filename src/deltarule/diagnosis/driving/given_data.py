"""The data that arguments of a known shape are given: inputs, targets, labels; each the same everywhere."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from deltarule.diagnosis.driving.origins import TARGETS
from deltarule.diagnosis.driving.plausible import Plausible
from deltarule.diagnosis.driving.wants import Path
from deltarule.diagnosis.driving.words import INPUT
from deltarule.diagnosis.reading.losses import has_layers
from deltarule.diagnosis.recording.tape import Tape, Values
from deltarule.diagnosis.recording.traced import given, leaf, plain


class GivingRun(Protocol):
    """The calls of one trial, as far as what is here needs them."""

    plausible: Plausible
    tape: Tape
    learns_inputs: bool
    #: The data that were passed so far, by what they are.
    passed: dict[Any, Any]
    #: By shape, the argument that such inputs were passed as first.
    holders: dict[tuple[int, ...], Path]


def inputs_of(run: GivingRun, shape: tuple[int, ...] | None, path: Path = ()) -> Any:
    """Inputs of a shape, for other arguments of one function others; those of a layer have gradients, too."""
    layout = run.plausible.layout
    usual = {
        "row": (1, layout.inputs),
        "vector": (layout.inputs,),
        "columns": (layout.inputs, layout.samples),
        "series": (2, layout.samples, layout.inputs),
    }
    shape = usual.get(layout.data, (layout.samples, layout.inputs)) if shape is None else shape
    key: Any = shape
    holder = run.holders.setdefault(shape, path[:2])
    if run.learns_inputs and path and holder != path[:2] and holder[:1] == path[:1]:
        key = (*path[:2], shape)
    if key not in run.passed:
        run.passed[key] = as_input(run, run.plausible.rng.normal(size=shape))
    return run.passed[key]


def as_input(run: GivingRun, values: Any) -> Any:
    """Numbers as inputs: those of a layer have gradients."""
    made = (leaf if run.learns_inputs else given)(plain(values), is_scalar=not np.shape(values))
    if run.learns_inputs:
        run.tape.operations[-1].label = INPUT
    return made


def target_of(run: GivingRun, shape: tuple[int, ...], sample: int = 0) -> Any:
    """What an output of that shape is compared with: one of several classes, or numbers."""
    layout, key = run.plausible.layout, ("target", shape, sample)
    if key not in run.passed:
        several = [
            k for k, size in enumerate(shape) if size > 1 and (layout.is_single or size != layout.samples)
        ]
        if several:
            axis, count = several[-1], shape[several[-1]]
            rest = (*shape[:axis], *shape[axis + 1 :])
            classes = (np.arange(np.prod(rest, dtype=int)) + layout.seed + sample).reshape(rest) % count
            values = np.moveaxis(np.eye(count)[classes], -1, axis).copy()
        else:
            values = run.plausible.rng.uniform(0.1, 0.9, shape)
        run.passed[key] = given(values, is_scalar=not shape)
        run.tape.operations[-1].label = TARGETS
    return run.passed[key]


def output_of(run: GivingRun) -> Any:
    """What a loss compares with a target, where it is computed from nothing: the loss is derived by it."""
    if "output" not in run.passed:
        made = leaf(run.plausible.rng.uniform(0.1, 0.9, run.plausible.data["Y"].shape), is_scalar=False)
        run.tape.operations[-1].label = INPUT
        run.passed["output"] = made * given(np.ones(made.shape))
    return run.passed["output"]


def labels_of(run: GivingRun, count: int) -> Any:
    """Which of so many classes each sample is of; one is of the last, which may tell their number."""
    layout = run.plausible.layout
    made = (np.arange(1 if layout.is_single else layout.samples) + layout.seed) % count
    made[1:] = [*made[1:-1], count - 1] if len(made) < count else made[1:]
    return made


def wanted_for(run: GivingRun, computed: Any) -> Values:
    """The targets from whose difference the derivative is that is sent to what computed these outputs.

    Of a softmax of one sample it is the derivative of the cross-entropy, which is by one output alone. What
    a whole network that ends in one is sent may be the derivative by its scores: its targets are shares.
    """
    values = plain(computed)
    made = run.plausible.rng.normal(size=np.shape(values))
    sizes = enumerate(np.shape(values))
    axis = next((k for k, n in sizes if n > 1 and np.allclose(values.sum(k), 1.0)), None)
    if axis is None:
        return made
    if values.ndim == 1:
        made[:] = values
        made[0] += 1 / values[0]
    elif has_layers(run.tape):
        made = np.exp(made) / np.exp(made).sum(axis, keepdims=True)
        run.tape.may_lack_slope = True
    return made

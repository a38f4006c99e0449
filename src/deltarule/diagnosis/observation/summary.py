"""What a program was read as: its network, its conventions, its optimizer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from deltarule.diagnosis.faults.factors import at_the_update, rates_of, scalars_in
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import (
    DECAY,
    OPTIMIZER,
    RIGHT,
    Row,
    proportion,
)
from deltarule.diagnosis.reading.layers import products_of, sizes_of
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape, Values


def _softmax(axis: int) -> Callable[[Values], Values]:
    def of(z: Values) -> Values:
        e = np.exp(z - z.max(axis, keepdims=True))
        return np.asarray(e / e.sum(axis, keepdims=True))

    return of


_ACTIVATIONS: tuple[tuple[str, Callable[[Values], Values]], ...] = (
    ("linear", lambda z: z),
    ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
    ("tanh", np.tanh),
    ("ReLU", lambda z: np.maximum(z, 0)),
    ("leaky ReLU", lambda z: np.where(z > 0, z, 0.01 * z)),
    ("softmax", _softmax(-1)),
    ("softmax", _softmax(0)),
    ("softplus", lambda z: np.log1p(np.exp(z))),
    ("sine", np.sin),
)


def network_of(analysis: Analysis) -> str:
    """``3 → 4 (tanh) → 2 (softmax)``; empty where the layers are no plain chain."""
    chosen = analysis.chosen
    assert chosen is not None
    if not chosen.meetings or not chosen.meetings[0]:
        return ""
    output = chosen.meetings[0][-1].output
    layers = products_of(analysis.tape, chosen, output)
    text = ""
    size = layers[0][1] if layers else 0
    for k, (op, inputs, outputs, _) in enumerate(layers):
        if inputs not in (size, size + 1):
            return ""
        ends = (
            [ids for ids in layers[k + 1][0].inputs if ids is not None] if k + 1 < len(layers) else [output]
        )
        text += f" → {outputs}{_activation(analysis.tape, op, ends)}"
        size = outputs
    return f"{layers[0][1]}{text}" if layers else ""


def _activation(tape: Tape, op: Operation, ends: list[Ids]) -> str:
    """What leads from a product to the next layer's input, with or without a bias, in brackets."""
    z = tape.result(op)
    for later in tape.operations[op.index + 1 : op.index + 6]:
        if later.name == "add" and any(
            ids is not None and np.array_equal(ids, op.ids) for ids in later.inputs
        ):
            z = tape.result(later)
            break
    for ids in ends:
        a = tape.value[ids]
        for name, function in _ACTIVATIONS if a.size == z.size else ():
            with np.errstate(all="ignore"):
                value = function(z)
            if np.allclose(value.ravel(), a.ravel(), rtol=1e-6, atol=1e-9):
                return f" ({name})"
    return ""


def scalings_of(analysis: Analysis, row: Row) -> dict[str, float]:
    """The numbers that scale a step, by their names or as they are written: ``lr``, ``0.5``, ``1/m``."""
    written = {
        f"1/{name}" if op.name == "divide" else name: number
        for op, number, name in scalars_in(analysis, at_the_update(analysis, row))
        if re.fullmatch(r"[\w.()\[\]'\"]{1,20}", name) and row.verdict == RIGHT
    }
    return {**written, **rates_of(analysis, row)}


def conventions_of(analysis: Analysis, rates: dict[str, float]) -> Iterator[str]:
    """What the steps have in common that is no mistake, each in a sentence."""
    chosen = analysis.chosen
    assert chosen is not None
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
        (2.0, "a factor 2"),
        (0.5, "a factor 1/2"),
        (2 / samples, "the mean over the samples, and a factor 2"),
        (1 / outputs, "the mean over the outputs, not the sum"),
        (1 / (samples * outputs), "the mean over samples and outputs"),
        (2 / (samples * outputs), "the mean over samples and outputs, and a factor 2"),
    ]
    name = next((text for value, text in known if abs(rest / value - 1) < 1e-4), None)
    if name:
        yield (
            f"against the gradient of {of}, all steps have {name}: a convention, not a mistake, for the "
            "learning rate absorbs it"
        )
    elif name is None and chosen.is_constant and not chosen.bad:
        yield f"each step is {rest:.4g} times the gradient of {of}: learning rate and conventions together"


#: The losses whose gradient was supposed.
_PLAIN = {
    "squared error": "the half squared error, summed",
    "binary cross-entropy": "the binary cross-entropy, summed",
    "cross-entropy of softmax": "the cross-entropy, summed",
}


def additions_of(analysis: Analysis) -> Iterator[str]:
    """What stands between gradient and step: an optimizer, a momentum, a penalty."""
    chosen = analysis.chosen
    assert chosen is not None
    told: dict[str, list[str]] = {}
    for row in chosen.rows:
        if row.verdict == OPTIMIZER and row.found is not None:
            line = analysis.source.line(row.found)
            text = f"between gradient and step stands {_optimizer(analysis, row.change.key)}"
            told.setdefault(text, []).append(f"gradient of {row.change.name}: line {line}")
        elif row.verdict == DECAY:
            told.setdefault(_ADDED[row.extra], []).append(row.change.name)
    for text, names in told.items():
        names = list(dict.fromkeys(names))
        shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        yield f"{text} ({shown})"


_ADDED = {
    "values": "a penalty on the weights (L2, weight decay) is in the steps",
    "sign": "a penalty on the absolute weights (L1) is in the steps",
    "step": "the steps have a momentum: a share of the step before",
    "gradient": "the steps have a share of the gradient before: a momentum",
}


def _optimizer(analysis: Analysis, key: Any) -> str:
    """The optimizer that makes the first two steps of their gradients, by name if it is a usual one."""
    assert analysis.chosen is not None
    rows = [one for one in analysis.chosen.rows if one.change.key == key and one.step in (1, 2)]
    if len(rows) < 2 or any(row.found is None for row in rows):
        return "an optimizer or a momentum"
    (g1, _), (g2, step) = (_given(analysis, row) for row in rows)
    for name, function in _OPTIMIZERS:
        with np.errstate(all="ignore"):
            if proportion(step, function(g1, g2), 1e-3):
                return name
    return "an optimizer or a momentum"


def _given(analysis: Analysis, row: Row) -> tuple[Values, Values]:
    """What an optimizer was given for a step, in the step's order, and the step."""
    assert row.found is not None
    scale = proportion(analysis.tape.result(row.found), row.gradient.reshape(row.change.shape))
    return scale * row.gradient, row.change.step


def _rms(keep: float) -> Callable[[Values, Values], Values]:
    return lambda g, h: h / np.sqrt(keep * g * g + h * h)


_OPTIMIZERS: tuple[tuple[str, Callable[[Values, Values], Values]], ...] = (
    ("Adagrad", _rms(1.0)),
    *(("RMSprop", _rms(keep)) for keep in (0.9, 0.99, 0.95, 0.999)),
    *(
        ("Adam", lambda g, h, a=a, b=b: (a * g + h) / np.sqrt(b * g * g + h * h))
        for a in (0.9, 0.95, 0.8)
        for b in (0.999, 0.99, 0.95, 0.9)
    ),
    *(("a momentum", lambda g, h, a=a: a * g + h) for a in (0.9, 0.5, 0.8, 0.95, 0.99)),
)

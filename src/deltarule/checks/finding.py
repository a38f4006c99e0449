"""Findings: a fault's place and severity, the numbers it rests on, what it means, what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deltarule.registry import record

#: How many columns a printed report has.
WIDTH = 79

#: From harmless to harmful. A note says what is worth knowing; the two others, what to change.
SEVERITIES = ("note", "warning", "problem")

#: What each finding means, and what to do.
TEXTS = {
    "unscaled_inputs": (
        "A weight's gradient is proportional to its input. Large features drive neurons into saturation and "
        "need small learning rates, at which small features hardly learn.",
        "Scale the inputs: (x − mean) / std for each feature, or x / 255 for pixels; fit_encoding, "
        "Scaled and --scale do this.",
    ),
    "constant_features": (
        "They carry no information: if the value is 0, their weights never learn; at any other value "
        "they act as a second bias.",
        "Leave them out or keep them; they do no harm. Pixels at the border of images are often constant.",
    ),
    "unreachable_targets": (
        "The loss cannot become small: outputs are pushed to the end of their range, where slopes are near "
        "0.",
        "Use an output activation that can reach them (identity reaches any number), or scale the "
        "targets into its range.",
    ),
    "mismatched_loss": (
        "The loss measures something other than what these outputs express, so a small loss does not mean "
        "right predictions.",
        "Use the loss that belongs to the output: cross_entropy for softmax, binary_cross_entropy for "
        "sigmoid. If you choose no loss, it is the default.",
    ),
    "unscaled_targets": (
        "The output starts near 0, so the first gradients are as large as the targets. A learning rate that "
        "suits standardised numbers makes steps that are far too large.",
        "Train on (y − mean) / std, and undo it in the predictions; fit_encoding does both.",
    ),
    "labels_as_numbers": (
        "If the numbers stand for classes, the network learns that class 1 lies halfway between 0 and 2.",
        "For classes, use one output for each class, output='softmax' and loss='cross_entropy'. For "
        "quantities, there is nothing to do.",
    ),
    "class_imbalance": (
        "Always predicting the most frequent class would be right nearly as often, so accuracy says little.",
        "Look at the confusion matrix; give rare classes more sample_weight, or collect more of them.",
    ),
    "not_finite": (
        "Training has diverged, or the weights were wrong from the start; no prediction can be trusted.",
        "Create the network again; train with a tenth of the learning rate, clip_norm=1 and scaled inputs.",
    ),
    "huge_weights": (
        "Such weights saturate bounded neurons, and a small change of an input changes the output greatly.",
        "Use a smaller learning rate or initializer, scale the inputs, or add a penalty (l2=1e-4).",
    ),
    "stuck": (
        "Where training ends depends on the initial weights. Here it rests at a point, or on a plateau, "
        "that small steps do not leave; neurons that are never active, or that duplicate other neurons, "
        "do not help it to escape.",
        "Train again with another seed, more neurons in the hidden layers, a weaker penalty, or tanh or "
        "leaky_relu, whose neurons do not die.",
    ),
    "penalty_too_strong": (
        "At each step the penalty takes more from the weights than the loss adds, until the network "
        "predicts nearly the same for all rows.",
        "Divide l1 and l2 by 10 or 100.",
    ),
    "symmetric_neurons": (
        "They compute the same output and receive the same gradient, so they stay equal no matter how long "
        "you train: each group is worth a single neuron. The gradient is right; the initial weights are not.",
        "Draw the weights at random (xavier_uniform, he_uniform, or the default); biases may be 0.",
    ),
    "learning_rate_too_high": (
        "The steps overshoot the minimum, so the loss jumps about or grows.",
        "Divide the learning rate by 3 or 10, let it decrease (cosine), or use clip_norm=1 or larger "
        "batches.",
    ),
    "learning_rate_too_low": (
        "The steps are so small, or so few, that training is far from finished.",
        "Multiply the learning rate by 3 or 10, or train for more epochs.",
    ),
    "overfitting": (
        "The network memorises its training rows, which does not help with other rows.",
        "Stop at the best epoch (early_stopping), add l2 or dropout, use fewer neurons or more rows.",
    ),
    "dead_units": (
        "Their gradient is 0, so they do not learn, and the next layer gets almost nothing from them.",
        "Use a smaller learning rate, he_uniform weights and biases of 0, or leaky_relu, which has a slope "
        "everywhere.",
    ),
    "saturated_units": (
        "They operate at the flat ends of their activation function, which let almost no gradient "
        "through: they learn very slowly, and so do all layers before them.",
        "Use smaller initial weights (xavier_uniform), scaled inputs or a smaller learning rate; at an "
        "output, use the loss that belongs to it (sigmoid: binary_cross_entropy, softmax: cross_entropy).",
    ),
    "vanishing_gradients": (
        "In the backward pass, each layer multiplies delta by its weights and slopes. Here that makes "
        "delta tiny: the first layers hardly learn.",
        "Use relu instead of sigmoid, initial weights that suit the width (he_uniform, "
        "xavier_uniform), or fewer layers.",
    ),
    "exploding_gradients": (
        "In the backward pass, each layer multiplies delta by its weights and slopes. Here that makes "
        "delta huge: a learning rate that suits the last layer is far too large for the first ones.",
        "Use smaller initial weights (he_uniform, xavier_uniform), clip_norm=1, or fewer layers.",
    ),
    "underfitting": (
        "The network is hardly better than guessing the mean or the most frequent class.",
        "Try more epochs, a different learning rate, more neurons, or a hidden layer. If nothing helps, "
        "check that the rows of X and Y belong together: the inputs may not determine the target.",
    ),
    "untrained": ("The network is no better than guessing, as expected before training.", "Train it."),
}


@record
class Finding:
    """One thing that was found, the numbers it rests on, and what to do.

    Parameters
    ----------
    name : str
        ``"dead_units"``.
    severity : "note", "warning" or "problem"
    evidence : str
        What was seen.
    numbers : tuple of (str, float)
        The numbers of the evidence, by name.
    layer : int or None
        Counted from 1.
    neurons : tuple of int
        Of that layer, counted from 1.
    features : tuple of str
    """

    name: str
    severity: str
    evidence: str
    numbers: tuple[tuple[str, float], ...] = ()
    layer: int | None = None
    neurons: tuple[int, ...] = ()
    features: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        severity: str,
        evidence: str,
        numbers: Mapping[str, float],
        layer: int | None = None,
        neurons: npt.ArrayLike = False,
        features: tuple[str, ...] = (),
    ) -> Finding:
        """Make a finding; its neurons are those for which the array ``neurons`` is true."""
        pairs = tuple((key, float(value)) for key, value in numbers.items())
        places = tuple((np.flatnonzero(neurons) + 1).tolist())
        return cls(name, severity, evidence, pairs, layer, places, features)

    @property
    def meaning(self) -> str:
        """What it means."""
        return TEXTS[self.name][0]

    @property
    def remedy(self) -> str:
        """How to fix it."""
        return TEXTS[self.name][1]

    @property
    def where(self) -> str:
        """``"layer 2, neurons 1, 4"``, ``"features proline, ash"``, or nothing where it is everywhere."""
        parts = [] if self.layer is None else [f"layer {self.layer}"]
        for name, places in (("neuron", self.neurons), ("feature", self.features)):
            if places:
                parts.append(f"{name}{'s' * (len(places) > 1)} {first_few(places)}")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The finding for a JSON file; numbers that are not finite are None."""
        return {
            "name": self.name,
            "severity": self.severity,
            "where": self.where,
            "layer": self.layer,
            "neurons": list(self.neurons),
            "features": list(self.features),
            "evidence": self.evidence,
            "numbers": {name: finite_or_none(value) for name, value in self.numbers},
            "meaning": self.meaning,
            "remedy": self.remedy,
        }


def first_few(items: Sequence[object]) -> str:
    """Name the first six, and say how many more there are."""
    shown = ", ".join(map(str, items[:6]))
    return f"{shown} and {len(items) - 6} more" if len(items) > 6 else shown


def finite_or_none(value: float) -> float | None:
    """Return a number that JSON can hold, or None for NaN and infinity."""
    return value if math.isfinite(value) else None


def severity_of(value: float, limits: Sequence[float]) -> str:
    """Return how bad a value beyond the first limit is: a warning up to the second limit, then a problem."""
    return "problem" if value >= limits[1] else "warning"

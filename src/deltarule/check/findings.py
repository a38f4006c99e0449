"""What can be wrong with a network and its training although the gradient is right: a rule for each kind.

A rule takes what was measured (:class:`Signs`) and yields findings, each with the numbers it rests on. The
limits were chosen by experiment: on the bundled sets with good settings no rule warns, and each fault that
the tests plant is the first thing found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.activations import Activation
from deltarule.arrays import Array, Scaled
from deltarule.layers import Gradients, Trace
from deltarule.losses import Loss
from deltarule.network import Network
from deltarule.registry import record

__all__ = [
    "SEVERITIES",
    "Finding",
    "Signs",
    "dead_units",
    "find",
    "guess_loss",
    "moves",
    "rms",
    "saturated_units",
]

#: From harmless to harmful. A note says what is worth knowing; the two others, what to change.
SEVERITIES = ("note", "warning", "problem")

#: A slope f′ below this passes on less than a thousandth: |z| > 6.9 for sigmoid, 4.1 for tanh.
TINY_SLOPE = 1e-3
#: A unit is saturated if its slope is tiny for more than this share of the rows: it learns from the rest.
MOST_ROWS = 0.9
#: An output that misses by this share of the targets' range needs a gradient; a fault, if so many lack one.
MISSED, MISSED_ROWS = 0.1, 0.1
#: Shares of a layer's units without a gradient: a note, a warning, a problem. A few dead ReLUs are common; a
#: unit that is never active has no gradient that could revive it (Maas, Hannun & Ng 2013, section 2).
SHARES = (0.1, 0.5, 0.9)
#: Rows below which a unit may rest in all of them by chance.
FEW_ROWS = 10
#: The last layer's RMS of delta over an earlier one's, or the inverse: a warning, a problem. Where weights
#: suit the width it stays near 1 (Glorot & Bengio 2010; He, Zhang, Ren & Sun 2015).
RATIOS = (1e3, 1e6)
#: A last delta smaller than this means that there is nothing left to learn.
NO_ERROR = 1e-9
#: Root mean squares of a feature, or of the targets: a warning, a problem. Standardised numbers have 1, which
#: LeCun, Bottou, Orr & Müller (1998, section 4.3) advise; raw pixels have about 100.
LARGE = (10.0, 100.0)
#: A mean of so many, and of so many standard deviations: all but a second bias (LeCun et al., section 4.3).
OFF_CENTRE = 3.0
#: Features whose greatest |x| differ by this factor have gradients that differ by it, too.
SPREAD = 100.0
#: A feature that never gets beyond this is hardly seen.
SMALL = 0.01
#: |w|: a warning, a problem. A thousand turns a standardised input into a z where bounded functions are flat.
HUGE = (1e3, 1e6)
#: A layer that makes its inputs smaller by this factor has little say.
SHRUNK = 0.1
#: Weights that agree to this share of their size are equal but for rounding.
EQUAL = 1e-6
#: How far from the loss of guessing (0) to the least possible (1): hardly, not at all, and so well that the
#: fit speaks for itself.
HARDLY, NOT_AT_ALL, WELL = 0.05, 0.01, 0.95
#: A rise of the loss from one epoch to the next by this share of the loss of guessing is a spike. Shares of
#: epochs with one: a warning, a problem. Where training converges there are smaller ones only.
SPIKE, SPIKES = 0.1, (0.05, 0.2)
#: A loss of this many times the one before training has climbed; or was thrown up: a warning, a problem.
CLIMBED, THROWN = 1.2, (3.0, 100.0)
#: Epochs below which a curve says nothing.
FEW_EPOCHS = 8
#: A loss that in the last quarter of the way falls at this share of its average speed has not begun to
#: converge; that it goes with the way nearly on a line (a correlation) shows that it is no noise.
STEADY, STRAIGHT = 0.5, -0.95
#: By which factor the validation loss has turned up, and by what share of the loss of guessing at least.
TURNED_UP, MATTERS = 1.1, 0.02
#: A gap between validation and training loss, as a share of the loss of guessing.
GAP = 0.5
#: The share of the most frequent of two classes, or how much rarer one of several is: accuracy flatters.
MAJORITY, RARER = 0.8, 10.0
#: Numbers in the Jacobians of softmax that are formed at a time.
JACOBIAN = 1_000_000

#: What each finding means, and what to do.
TEXTS = {
    "unscaled_inputs": (
        "A weight's gradient is proportional to its input. Large features drive neurons into saturation and "
        "need small learning rates, at which small features hardly learn.",
        "Scale the inputs: (x − mean) / std for each feature, or x / 255 for pixels; fit_encoding, Scaled "
        "and --scale do it.",
    ),
    "constant_features": (
        "They tell the network nothing: at 0 their weights never learn, else they are a second bias.",
        "Leave them out or let them be: they do no harm. Pixels at the rim of images are often constant.",
    ),
    "unreachable_targets": (
        "The loss cannot get small: outputs are pushed to the end of their range, where slopes are near 0.",
        "Use an output that reaches them (identity reaches any number), or scale the targets into its range.",
    ),
    "unscaled_targets": (
        "The output starts near 0, so the first gradients are as large as the targets: a step that suits "
        "standardised numbers throws the weights far off.",
        "Train on (y − mean) / std and undo it in the answers; fit_encoding does both.",
    ),
    "labels_as_numbers": (
        "If they number classes, the network is told that class 1 lies halfway between 0 and 2.",
        "For classes: an output for each, output='softmax', loss='cross_entropy'. For amounts: nothing.",
    ),
    "class_imbalance": (
        "Always answering the most frequent class would be right nearly as often, so accuracy says little.",
        "Look at the confusion matrix; give rare classes more sample_weight, or collect more of them.",
    ),
    "not_finite": (
        "Training has diverged, or the weights were wrong from the start; no answer of the network counts.",
        "Make the network anew; train with a tenth of the learning rate, clip_norm=1 and scaled inputs.",
    ),
    "huge_weights": (
        "Such weights saturate bounded neurons, and a small change of an input changes the answer greatly.",
        "Use a smaller learning rate or initializer, scale the inputs, or add a penalty (l2=1e-4).",
    ),
    "penalty_too_strong": (
        "Each step the penalty takes more from the weights than the loss gives them, until the network "
        "answers much the same to all rows.",
        "Divide l1 and l2 by 10 or 100.",
    ),
    "symmetric_neurons": (
        "They compute the same and get the same gradient, so they stay equal however long one trains: each "
        "group is worth one neuron. The gradient is right, the first weights are not.",
        "Draw the weights at random (xavier_uniform, he_uniform, or name no initializer); biases may be 0.",
    ),
    "learning_rate_too_high": (
        "The steps go beyond the valley that they should go down into, so the loss leaps about or climbs.",
        "Divide the learning rate by 3 or 10; or let it fall (cosine), use clip_norm=1 or larger batches.",
    ),
    "learning_rate_too_low": (
        "The steps are so small, or so few, that training is far from done.",
        "Multiply the learning rate by 3 or 10, or train for more epochs.",
    ),
    "overfitting": (
        "The network learns its training rows by heart, and that does not hold for others.",
        "Stop at the best epoch (early_stopping), add l2 or dropout, use fewer neurons or more rows.",
    ),
    "dead_units": (
        "Their gradient is 0, so they do not learn, and they tell the next layer next to nothing.",
        "Use a smaller learning rate, he_uniform weights and biases of 0, or leaky_relu, which has a slope "
        "everywhere.",
    ),
    "saturated_units": (
        "They sit at the flat ends of their function, which let almost no gradient through: they learn very "
        "slowly, and so does all that lies before them.",
        "Use smaller first weights (xavier_uniform), scaled inputs, a smaller learning rate; at an output, "
        "the loss that belongs to it (sigmoid: binary_cross_entropy, softmax: cross_entropy).",
    ),
    "vanishing_gradients": (
        "Going back, each layer multiplies delta by its weights and slopes. Here that makes it tiny: the "
        "first layers hardly learn.",
        "Use relu in place of sigmoid, weights that suit the width (he_uniform, xavier_uniform), or fewer "
        "layers.",
    ),
    "exploding_gradients": (
        "Going back, each layer multiplies delta by its weights and slopes. Here that makes it huge: a step "
        "that suits the last layer throws the first ones far off.",
        "Use smaller first weights (he_uniform, xavier_uniform), clip_norm=1, or fewer layers.",
    ),
    "underfitting": (
        "It does hardly better than guessing the mean or the most frequent class.",
        "Try more epochs, another learning rate, more neurons, a hidden layer. If nothing helps, check that "
        "the rows of X and Y belong together: the inputs may not tell the target.",
    ),
    "untrained": ("It does no better than guessing, as it should before training.", "Train it."),
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

    @property
    def meaning(self) -> str:
        """What it means."""
        return TEXTS[self.name][0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return TEXTS[self.name][1]

    @property
    def where(self) -> str:
        """``"layer 2, neurons 1, 4"``, ``"features proline, ash"``, or nothing where it is everywhere."""
        parts = [] if self.layer is None else [f"layer {self.layer}"]
        for name, places in (("neuron", self.neurons), ("feature", self.features)):
            if places:
                parts.append(f"{name}{'s' * (len(places) > 1)} {_some(places)}")
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
            "numbers": {name: value if math.isfinite(value) else None for name, value in self.numbers},
            "meaning": self.meaning,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, eq=False)
class Signs:
    """What the rules look at.

    Attributes
    ----------
    net : Network
    x, y : ndarray
        The rows that are looked at, spread evenly over all.
    all_x : ndarray or Scaled
    names : sequence of str
        Of the features.
    trace, grads
        Of these rows; ``delta`` is of one row's loss.
    history : mapping or None
    guess, skill : float
        The mean loss of the best constant answer, and how far the network is from there (0) to the least
        possible loss (1); NaN where that cannot be told.
    """

    net: Network
    x: Array
    y: Array
    all_x: Array | Scaled
    names: Sequence[str]
    trace: Trace
    grads: Gradients
    history: Mapping[str, Sequence[float]] | None
    guess: float
    skill: float

    @property
    def finite(self) -> bool:
        """Whether all that was computed is a number."""
        arrays = (self.net.parameters, self.grads.flat, *(step.z for step in self.trace))
        return all(bool(np.isfinite(array).all()) for array in arrays)

    @property
    def trained(self) -> bool:
        """Whether a history tells of epochs."""
        return len(self.column("loss")) > 0

    @property
    def total(self) -> float:
        """The loss of guessing in the units of the history, which may be sums over all rows."""
        return self.guess * (len(self.all_x) if self.net.objective.reduction == "sum" else 1)

    @property
    def output(self) -> Activation:
        """Activation of the last layer."""
        return self.net.objective.output

    def column(self, name: str) -> Array:
        """A column of the history; empty where there is none."""
        return np.array([] if self.history is None else self.history.get(name, []), dtype=float)

    def milder(self, severity: str) -> str:
        """One degree less for a network that fits its rows: it has got over what is wrong."""
        return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)] if self.skill >= WELL else severity


def find(signs: Signs) -> tuple[Finding, ...]:
    """All findings, the worst first; of equal ones causes before effects, which are no worse than those."""
    found: list[Finding] = []
    for rules in RULES if signs.finite else (DATA, (_not_finite,)):
        worst = max((SEVERITIES.index(finding.severity) for finding in found), default=0)
        effects = [finding for rule in rules for finding in rule(signs)]
        found += [_at_most(finding, worst) if worst else finding for finding in effects]
    return tuple(sorted(found, key=lambda finding: -SEVERITIES.index(finding.severity)))


def _at_most(finding: Finding, worst: int) -> Finding:
    return replace(finding, severity=SEVERITIES[min(worst, SEVERITIES.index(finding.severity))])


# ---------------------------------------------------------------- the data


def _unscaled_inputs(signs: Signs) -> Iterator[Finding]:
    x = signs.x.astype(float)
    for look in (_large, _small, _different_scales, _off_centre):
        wrong, severity, said, number = look(x)
        if wrong.any():
            evidence = f"{_count(wrong)} {said}."
            yield _of_features("unscaled_inputs", signs, wrong, signs.milder(severity), evidence, number)
            return


Look = tuple[Array, str, str, tuple[str, float]]


def _large(x: Array) -> Look:
    sizes = np.sqrt((x**2).mean(axis=0))
    worst = float(sizes.max())
    pixels = x.min() >= 0 and 200 < x.max() <= 255 and bool((x == np.floor(x)).all())
    said = "look like raw pixels, 0 to 255" if pixels else f"have a root mean square of up to {worst:.3g}"
    return sizes > LARGE[0], _grade(worst, LARGE), said, ("rms", worst)


def _small(x: Array) -> Look:
    largest = np.abs(x).max(axis=0)
    wrong = (largest < SMALL) & (largest > 0)
    size = float(largest[wrong].max(initial=0))
    return wrong, "warning", f"never get beyond ±{size:.2g}", ("largest", size)


def _different_scales(x: Array) -> Look:
    largest = np.abs(x).max(axis=0)
    spread = float(largest.max() / largest[largest > 0].min(initial=largest.max() or 1))
    wrong = (largest > 0) & (largest * math.sqrt(SPREAD) < largest.max()) & (spread > SPREAD)
    said = f"are smaller than the largest by a factor of up to {spread:.3g}"
    return wrong, "warning", said, ("spread", spread)


def _off_centre(x: Array) -> Look:
    mean, std = np.abs(x.mean(axis=0)), x.std(axis=0)
    wrong = (mean > OFF_CENTRE) & (mean > OFF_CENTRE * std) & (std > 1e-9 * mean)
    ratio = float((mean[wrong] / std[wrong]).max(initial=0))
    said = f"have a mean of up to {ratio:.3g} standard deviations"
    return wrong, "warning", said, ("mean_over_std", ratio)


def _constant_features(signs: Signs) -> Iterator[Finding]:
    if len(signs.x) < 2:
        return
    wrong = signs.x.min(axis=0) == signs.x.max(axis=0)
    places = np.flatnonzero(wrong)
    values = signs.all_x.values if isinstance(signs.all_x, Scaled) else signs.all_x
    wrong[places] = values[:, places].min(axis=0) == values[:, places].max(axis=0)
    if wrong.any():
        evidence = f"{_count(wrong)} have the same value in every row."
        number = ("constant", float(wrong.sum()))
        yield _of_features("constant_features", signs, wrong, "note", evidence, number)


def _of_features(
    name: str, signs: Signs, wrong: Array, severity: str, evidence: str, number: tuple[str, float]
) -> Finding:
    features = tuple(signs.names[int(place)] for place in np.flatnonzero(wrong))
    return Finding(name, severity, evidence, (number,), features=features)


def _unreachable_targets(signs: Signs) -> Iterator[Finding]:
    (low, high), y = signs.output.range, signs.y
    slack = 1e-6 * max(1.0, float(np.abs(y).max()))
    beyond: Array = np.abs(y - np.clip(y, low, high)) > slack
    share = float(beyond.any(axis=1).mean())
    if share:
        yield Finding(
            "unreachable_targets",
            "problem" if share > 0.05 else "warning",
            f"{share:.0%} of the rows have a target that {signs.output.name} cannot give: it gives {low:g} "
            f"to {high:g}, the targets go from {y.min():.3g} to {y.max():.3g}.",
            (("share", share), ("least", float(y.min())), ("greatest", float(y.max()))),
            len(signs.net.layers),
            _numbers(np.asarray(beyond.any(axis=0))),
        )


def _is_quantity(signs: Signs) -> bool:
    """Whether the output may be any large number, and the loss takes it as it is."""
    return signs.output.range[1] == math.inf and signs.net.loss.name != "poisson"


def _unscaled_targets(signs: Signs) -> Iterator[Finding]:
    size = rms(signs.y)
    if _is_quantity(signs) and size > LARGE[0]:
        said = f"The targets have a root mean square of {size:.3g}; they go from {signs.y.min():.3g} to "
        said += f"{signs.y.max():.3g}."
        severity = signs.milder(_grade(size, LARGE))
        yield Finding("unscaled_targets", severity, said, (("rms", size),), len(signs.net.layers))


def _labels_as_numbers(signs: Signs) -> Iterator[Finding]:
    values = np.unique(signs.y)
    few = 2 < len(values) <= 20 and len(signs.y) >= 5 * len(values) and signs.y.shape[1] == 1
    if few and _is_quantity(signs) and values[0] in (0, 1) and (np.diff(values) == 1).all():
        said = f"The targets are the whole numbers {values[0]:g} to {values[-1]:g}, learnt as a quantity."
        numbers = (("values", float(len(values))),)
        yield Finding("labels_as_numbers", "note", said, numbers, len(signs.net.layers))


def _class_imbalance(signs: Signs) -> Iterator[Finding]:
    true = _classes(signs.y)
    if true is None or len(true) < 2 * FEW_ROWS:
        return
    counts = np.bincount(true, minlength=max(2, signs.y.shape[1]))
    majority, rarest = float(counts.max() / len(true)), int(counts.argmin())
    if majority < MAJORITY if len(counts) == 2 else counts.max() < RARER * counts[rarest]:
        return
    answers = _most_likely(signs.trace.output)[true == rarest]
    recall = float((answers == rarest).mean()) if len(answers) else 1.0
    yield Finding(
        "class_imbalance",
        "note" if recall >= 0.5 else "warning",
        f"{majority:.0%} of the rows are of class {counts.argmax()}, {len(answers)} of {len(true):,} of "
        f"class {rarest}{f'; of those the network gets {recall:.0%} right' * (len(answers) > 0)}.",
        _floats({"majority": majority, "rarest": len(answers), "recall": recall}),
    )


def _classes(y: Array) -> Array | None:
    """Class numbers, where the targets are 0 or 1 and name one class in each row."""
    if not ((y == 0) | (y == 1)).all() or (y.shape[1] > 1 and (y.sum(axis=1) != 1).any()):
        return None
    return _most_likely(y)


def _most_likely(a: Array) -> Array:
    return a.argmax(axis=1) if a.shape[1] > 1 else (a[:, 0] > 0.5).astype(np.intp)


# ---------------------------------------------------------------- the weights


def _not_finite(signs: Signs) -> Iterator[Finding]:
    theta = signs.net.parameters
    wrong = np.flatnonzero(~np.isfinite(theta))
    said = "The parameters are finite, but what is computed from them overflows."
    if len(wrong):
        first = signs.net.name_of(int(wrong[0]))
        said = f"{len(wrong):,} of {theta.size:,} parameters are NaN or infinite, first {first}."
    yield Finding("not_finite", "problem", said, (("parameters", float(len(wrong))),))


def _huge_weights(signs: Signs) -> Iterator[Finding]:
    for number, layer in enumerate(signs.net.layers, 1):
        largest = float(np.abs(layer.W).max())
        if largest > HUGE[0]:
            said, severity = f"The largest weight is {largest:.3g}.", signs.milder(_grade(largest, HUGE))
            yield Finding("huge_weights", severity, said, (("largest", largest),), number)


def _strong_penalty(signs: Signs) -> Iterator[Finding]:
    """Weights pulled to 0: a layer multiplies by about RMS(W)·√n_in, which good weights keep near 1."""
    l1, l2 = signs.net.objective.l1, signs.net.objective.l2
    if not (l1 or l2) or not signs.trained or not signs.skill < HARDLY:
        return
    gains = [rms(layer.W) * math.sqrt(layer.dense.n_in) for layer in signs.net.layers]
    least = min(gains)
    if least < SHRUNK:
        said = f"With l1={l1:g}, l2={l2:g} the weights have shrunk until RMS(W)·√n_in is {least:.2g}."
        numbers = (("gain", least), ("l1", l1), ("l2", l2))
        yield Finding("penalty_too_strong", "problem", said, numbers, gains.index(least) + 1)


def _symmetry(signs: Signs) -> Iterator[Finding]:
    for index, (layer, following) in enumerate(pairwise(signs.net.layers)):
        twins = _twins(layer.W, layer.b, following.W)
        if twins.any() and moves(signs.net, index):
            yield Finding(
                "symmetric_neurons",
                "problem" if twins.all() else "warning",
                f"{twins.sum()} of {twins.size} neurons have the same weights, in and out, as another one.",
                (("share", float(twins.mean())),),
                index + 1,
                _numbers(twins),
            )


def _twins(W: Array, b: Array | None, outgoing: Array) -> Array:
    """Which neurons have the same weights as another, but for rounding, (n_neurons,)."""
    bias = np.zeros(W.shape[1]) if b is None else np.broadcast_to(b, W.shape[1:])
    vectors = np.vstack([W, bias, outgoing.T]).T.astype(float)
    # Equal vectors are neighbours in the order of their products with any one vector.
    order = np.argsort(vectors @ np.random.default_rng(0).normal(size=vectors.shape[1]))
    before, after = vectors[order[:-1]], vectors[order[1:]]
    size = np.maximum(np.abs(before).max(axis=1), np.abs(after).max(axis=1))
    same = np.abs(before - after).max(axis=1) <= EQUAL * size
    twins = np.zeros(len(vectors), dtype=bool)
    twins[order[:-1][same]] = twins[order[1:][same]] = True
    return twins


# ---------------------------------------------------------------- the course of training


def _rate_too_high(signs: Signs) -> Iterator[Finding]:
    loss = signs.column("loss")
    broken = np.flatnonzero(~np.isfinite(loss))
    found: Found | None = None
    if len(broken):
        epoch = int(broken[0]) + 1
        found = "problem", f"The loss was not finite in epoch {epoch}.", {"epoch": epoch}
    elif len(loss) >= FEW_EPOCHS and signs.total > 0:
        found = _climbed(signs, loss) or _spiked(signs, loss) or _thrown(signs, loss)
    if found:
        severity, said, numbers = found
        yield Finding("learning_rate_too_high", severity, said, _floats(numbers))


Found = tuple[str, str, dict[str, float]]


def _climbed(signs: Signs, loss: Array) -> Found | None:
    before, last = _loss_before(signs), float(loss[-max(3, len(loss) // 10) :].mean())
    if last <= CLIMBED * max(before, signs.total):
        return None
    return "problem", f"The loss went up: from {before:.3g} to {last:.3g}.", {"first": before, "last": last}


def _spiked(signs: Signs, loss: Array) -> Found | None:
    steps = np.diff(loss)
    rises, spikes = int((steps > 0).sum()), int((steps > SPIKE * signs.total).sum())
    share = spikes / len(loss)
    if spikes < 2 or share <= SPIKES[0]:
        return None
    said = (
        f"The loss rose in {rises} of {len(steps)} epochs, in {spikes} of them by more than {SPIKE:.0%} of "
    )
    said += (
        f"what guessing costs ({signs.total:.3g}); it was {loss.max():.3g} at worst, {loss[-1]:.3g} at last."
    )
    severity = "problem" if _thrown(signs, loss) else _grade(share, SPIKES)
    return severity, said, {"rises": rises, "spikes": spikes, "highest": loss.max()}


def _thrown(signs: Signs, loss: Array) -> Found | None:
    before, highest = _loss_before(signs), float(loss.max())
    factor = highest / max(before, signs.total)
    if factor <= THROWN[0]:
        return None
    said = f"The loss leapt from {before:.3g} to {highest:.3g} in epoch {loss.argmax() + 1}."
    return signs.milder(_grade(factor, THROWN)), said, {"first": before, "highest": highest}


def _loss_before(signs: Signs) -> float:
    """The cost before training where the history knows the network it began with, else that of epoch 1."""
    start = getattr(signs.history, "start", None)
    if start is None:
        return float(signs.column("loss")[0])
    scale = len(signs.all_x) / len(signs.y) if signs.net.objective.reduction == "sum" else 1
    return float(start.net.cost(signs.x, signs.y)) * scale


def _rate_too_low(signs: Signs) -> Iterator[Finding]:
    loss = signs.column("loss")
    if len(loss) < FEW_EPOCHS or not np.isfinite(loss).all() or not signs.skill < WELL:
        return
    way = _way(signs, loss)
    late = slice(min(int(np.searchsorted(way, 0.75)), len(loss) - FEW_EPOCHS // 2), None)
    fall, late_fall = float(loss[0] - loss[-1]), float(loss[late][0] - loss[-1])
    if fall <= 0 or late_fall < 1e-9 * abs(loss[0]):
        return
    speed = float(late_fall / fall * (way[-1] - way[0]) / (way[-1] - way[late][0]))
    if speed > STEADY and np.corrcoef(way[late], loss[late])[0, 1] < STRAIGHT:
        share = late_fall / abs(loss[late][0])
        said = (
            f"In {len(loss)} epochs the loss went from {loss[0]:.4g} to {loss[-1]:.4g}. It was still falling "
        )
        said += f"steadily: by {share:.2%} in the last quarter, at {speed:.0%} of its average speed."
        numbers = {"first": loss[0], "last": loss[-1], "late_fall": share, "speed": speed}
        yield Finding("learning_rate_too_low", "warning", said, _floats(numbers))


def _way(signs: Signs, loss: Array) -> Array:
    """How far training had come after each epoch, up to 1: epochs count by their learning rate."""
    rates = signs.column("learning_rate")
    way = np.cumsum(rates if len(rates) == len(loss) and (rates > 0).all() else np.ones_like(loss))
    return way / way[-1]


def _overfitting(signs: Signs) -> Iterator[Finding]:
    loss, held = signs.column("loss"), signs.column("val_loss")
    if len(held) < FEW_EPOCHS or len(held) != len(loss) or not np.isfinite([loss, held]).all():
        return
    width = max(1, len(held) // 20)
    smooth = np.convolve(held, np.ones(width) / width, "valid")
    best, rise, gap = int(smooth.argmin()), float(smooth[-1] - smooth.min()), float(held[-1] - loss[-1])
    turned_up = smooth[-1] > TURNED_UP * smooth[best] and rise > MATTERS * signs.total
    epoch, severity = best + 1 + width // 2, "warning"
    if turned_up and loss[-1] < loss[best]:
        said = f"The validation loss was best around epoch {epoch} ({smooth[best]:.3g}) and rose to "
        said += f"{smooth[-1]:.3g}, while the training loss fell on, from {loss[best]:.3g} to {loss[-1]:.3g}."
        severity = "note" if getattr(signs.history, "stopped", "") == "early" else severity
    elif gap > GAP * signs.total:
        said = f"The validation loss ended at {held[-1]:.3g}, the training loss at {loss[-1]:.3g}."
    else:
        return
    yield Finding("overfitting", severity, said, _floats({"best_epoch": epoch, "rise": rise, "gap": gap}))


# ---------------------------------------------------------------- the units and their gradients


def moves(net: Network, index: int) -> bool:
    """Whether training may change any parameter of a layer."""
    start = sum(layer.dense.n_parameters for layer in net.layers[:index])
    end = start + net.layers[index].dense.n_parameters
    return bool(((net.frozen >= start) & (net.frozen < end)).sum() < end - start)


def _slopes(activation: Activation, z: Array, a: Array) -> Array:
    """|f′(z)| of each entry; of a function that couples the outputs, |∂a_k/∂z_k|."""
    if activation.pull_back is None:
        return np.abs(activation.derivative(z, a))
    size = max(1, JACOBIAN // z.shape[1] ** 2)
    parts = [slice(start, start + size) for start in range(0, len(z), size)]
    jacobians = (activation.derivative(z[part], a[part]) for part in parts)
    return np.abs(np.vstack([np.diagonal(jacobian, axis1=-2, axis2=-1) for jacobian in jacobians]))


def _is_flat(signs: Signs, index: int) -> Array:
    """Where a layer's slope is tiny, (n_rows, n_neurons); nowhere if the loss takes it away: a − y."""
    step, activation = signs.trace[index], signs.net.layers[index].activation
    if index == len(signs.trace) - 1 and signs.net.objective.fused:
        return np.zeros(step.z.shape, dtype=bool)
    return _slopes(activation, step.z, step.a) < TINY_SLOPE


def _is_needed(signs: Signs, index: int) -> Array:
    """Where a gradient is needed, (n_rows, n_neurons): not at outputs that are right."""
    step = signs.trace[index]
    if index < len(signs.trace) - 1:
        return np.ones(step.z.shape, dtype=bool)
    return np.abs(step.a - signs.y) > MISSED * (float(np.ptp(signs.y)) or 1.0)


def dead_units(signs: Signs, index: int) -> Array:
    """Which units of a layer with a function bounded on one side get no gradient at all, (n_neurons,)."""
    low, high = signs.net.layers[index].activation.range
    dead = _is_flat(signs, index).all(axis=0) & _is_needed(signs, index).any(axis=0)
    return np.asarray(dead) & (math.isfinite(low) != math.isfinite(high))


def saturated_units(signs: Signs, index: int) -> Array:
    """Which units of a layer with a bounded function are flat in most rows, (n_neurons,).

    Of an output: flat, and wrong, in more than a few.
    """
    limit = MOST_ROWS if index < len(signs.trace) - 1 else MISSED_ROWS
    flat = (_is_flat(signs, index) & _is_needed(signs, index)).mean(axis=0)
    return np.asarray(flat > limit) & all(map(math.isfinite, signs.net.layers[index].activation.range))


def _idle(signs: Signs, name: str, units: Array, index: int, said: str) -> Iterator[Finding]:
    """Units without a gradient: how many, and how bad that is."""
    share, activation = float(units.mean()), signs.net.layers[index].activation.name
    degree = sum(share >= limit for limit in SHARES) - (signs.skill >= WELL)
    degree -= len(signs.y) < FEW_ROWS and share < 1
    if degree > 0 and moves(signs.net, index):
        evidence = f"{units.sum()} of {units.size} {activation} neurons ({share:.0%}) have {said}."
        numbers = (("share", share), ("rows", float(len(signs.y))))
        yield Finding(name, SEVERITIES[degree - 1], evidence, numbers, index + 1, _numbers(units))


def _dead_units(signs: Signs) -> Iterator[Finding]:
    for index, layer in enumerate(signs.net.layers):
        seen = "z ≤ 0" if layer.activation.name == "relu" else f"a slope below {TINY_SLOPE:g}"
        said = f"{seen} in every one of {len(signs.y):,} rows"
        yield from _idle(signs, "dead_units", dead_units(signs, index), index, said)


def _saturated_units(signs: Signs) -> Iterator[Finding]:
    for index, step in enumerate(signs.trace):
        rows = f"more than {MOST_ROWS:.0%} of the rows"
        if index == len(signs.trace) - 1:
            rows = f"more than {MISSED_ROWS:.0%} of the rows, and are wrong there"
        said = f"a slope below {TINY_SLOPE:g} in {rows}; mean |z| is {np.abs(step.z).mean():.3g}"
        yield from _idle(signs, "saturated_units", saturated_units(signs, index), index, said)


def _gradient_flow(signs: Signs) -> Iterator[Finding]:
    """The RMS of delta from the last layer to those before it that learn."""
    *before, last = (rms(grad.delta) for grad in signs.grads)
    learning = [index for index in range(len(before)) if moves(signs.net, index)]
    if not learning or last < NO_ERROR:
        return
    ratios = {index: before[index] / last for index in learning}
    index = max(ratios, key=lambda index: abs(math.log(ratios[index] or 1e-300)))
    ratio = ratios[index]
    factor = ratio if ratio > 1 else 1 / (ratio or 1e-300)
    if factor > RATIOS[0]:
        name = "exploding_gradients" if ratio > 1 else "vanishing_gradients"
        number = f"{factor:,.0f}" if factor < 1e7 else f"{factor:.1e}"
        times = f"{number} times" if ratio > 1 else f"1/{number} of" if ratio else "0, nothing of"
        said = f"The RMS of delta in layer {index + 1} is {times} that in layer {len(signs.grads)}."
        yield Finding(name, signs.milder(_grade(factor, RATIOS)), said, (("ratio", ratio),), index + 1)


# ---------------------------------------------------------------- the result


def guess_loss(loss: Loss, y: Array) -> tuple[float, float]:
    """The mean loss of the best constant answer, mean or median, and of the targets themselves."""
    low, high = loss.domain

    def mean_loss(a: Array) -> float:
        return float(loss.terms(np.clip(a, low, high).astype(y.dtype), y).sum(axis=1).mean())

    constants = (np.broadcast_to(middle, y.shape) for middle in (y.mean(axis=0), np.median(y, axis=0)))
    return min(map(mean_loss, constants)), mean_loss(y)


def _underfitting(signs: Signs) -> Iterator[Finding]:
    if signs.skill < HARDLY:
        name, severity = "untrained", "note"
        if signs.trained:
            name, severity = "underfitting", "problem" if signs.skill < NOT_AT_ALL else "warning"
        said = f"The network is {max(signs.skill, 0):.1%} of the way from the loss of always giving the same "
        said += f"answer ({signs.guess:.4g}) to the least possible."
        yield Finding(name, severity, said, (("skill", signs.skill), ("guess", signs.guess)))


# ---------------------------------------------------------------- numbers and words


def rms(array: Array) -> float:
    """The root mean square, without overflow."""
    largest = float(np.abs(array).max())
    if not 0 < largest < math.inf:
        return largest
    return largest * float(np.sqrt(np.square(array / largest, dtype=float).mean()))


def _grade(value: float, limits: Sequence[float]) -> str:
    """A warning up to the second limit, then a problem."""
    return "problem" if value >= limits[1] else "warning"


def _some(items: Sequence[object], limit: int = 6) -> str:
    """The first ones, and how many more there are."""
    shown = ", ".join(map(str, items[:limit]))
    return f"{shown} and {len(items) - limit} more" if len(items) > limit else shown


def _count(wrong: Array) -> str:
    return f"{wrong.sum()} of {wrong.size} features"


def _numbers(wrong: Array) -> tuple[int, ...]:
    return tuple((np.flatnonzero(wrong) + 1).tolist())


def _floats(numbers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple((name, float(value)) for name, value in numbers.items())


Rule = Callable[[Signs], Iterator[Finding]]

#: What to look at: causes; what they do to units and gradients; what comes of it.
DATA: tuple[Rule, ...] = (_unreachable_targets, _unscaled_inputs, _unscaled_targets, _rate_too_high)
WEIGHTS: tuple[Rule, ...] = (_symmetry, _strong_penalty)
UNITS: tuple[Rule, ...] = (_huge_weights, _dead_units, _saturated_units, _gradient_flow)
RESULTS: tuple[Rule, ...] = (
    _class_imbalance,
    _rate_too_low,
    _overfitting,
    _labels_as_numbers,
    _constant_features,
)
RULES = ((*DATA, *WEIGHTS), UNITS, RESULTS, (_underfitting,))

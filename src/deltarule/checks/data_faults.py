"""Faults of the data: inputs and targets of the wrong size, constant features, rare classes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from deltarule.arrays import Array, Scaled, class_codes
from deltarule.checks.finding import Finding, severity_of
from deltarule.checks.observations import FEW_ROWS, Observations, rms
from deltarule.checks.pairs import unreachable

#: Root mean squares of a feature, or of the targets: a warning, a problem. Standardised numbers have 1, which
#: LeCun, Bottou, Orr & Müller (1998, section 4.3) advise; raw pixels have about 100.
LARGE = (10.0, 100.0)
#: A mean of so many, and of so many standard deviations: all but a second bias (LeCun et al., section 4.3).
OFF_CENTRE = 3.0
#: Features whose greatest |x| differ by this factor have gradients that differ by it, too.
SPREAD = 100.0
#: A feature that never gets beyond this is hardly seen.
SMALL = 0.01
#: The share of the most frequent of two classes, or how much rarer one of several is: accuracy flatters.
MAJORITY, RARER = 0.8, 10.0


def unscaled_inputs(observed: Observations) -> Iterator[Finding]:
    """Features that are large, or small, or unlike in size, or far from 0: the first that applies."""
    x = observed.x.astype(float)
    for look in (_large, _small, _different_scales, _off_centre):
        wrong, severity, words, numbers = look(x)
        if wrong.any():
            severity = observed.milder(severity)
            yield _of_features("unscaled_inputs", observed, wrong, severity, words, numbers)
            return


#: Which features, how bad that is, what they do, and a number that shows it.
FeatureFault = tuple[Array, str, str, dict[str, float]]


def _large(x: Array) -> FeatureFault:
    sizes = np.sqrt((x**2).mean(axis=0))
    worst = float(sizes.max())
    pixels = x.min() >= 0 and 200 < x.max() <= 255 and bool((x == np.floor(x)).all())
    words = "look like raw pixels, 0 to 255" if pixels else f"have a root mean square of up to {worst:.3g}"
    return sizes > LARGE[0], severity_of(worst, LARGE), words, {"rms": worst}


def _small(x: Array) -> FeatureFault:
    largest = np.abs(x).max(axis=0)
    wrong = (largest < SMALL) & (largest > 0)
    size = float(largest[wrong].max(initial=0))
    return wrong, "warning", f"never exceed ±{size:.2g}", {"largest": size}


def _different_scales(x: Array) -> FeatureFault:
    largest = np.abs(x).max(axis=0)
    spread = float(largest.max() / largest[largest > 0].min(initial=largest.max() or 1))
    wrong = (largest > 0) & (largest * math.sqrt(SPREAD) < largest.max()) & (spread > SPREAD)
    words = f"are smaller than the largest by a factor of up to {spread:.3g}"
    return wrong, "warning", words, {"spread": spread}


def _off_centre(x: Array) -> FeatureFault:
    mean, std = np.abs(x.mean(axis=0)), x.std(axis=0)
    wrong = (mean > OFF_CENTRE) & (mean > OFF_CENTRE * std) & (std > 1e-9 * mean)
    ratio = float((mean[wrong] / std[wrong]).max(initial=0))
    words = f"have a mean of up to {ratio:.3g} standard deviations"
    return wrong, "warning", words, {"mean_over_std": ratio}


def constant_features(observed: Observations) -> Iterator[Finding]:
    """Features with one value in all rows, not only in those looked at."""
    if len(observed.x) < 2:
        return
    wrong = observed.x.min(axis=0) == observed.x.max(axis=0)
    places = np.flatnonzero(wrong)
    values = observed.all_x.values if isinstance(observed.all_x, Scaled) else observed.all_x
    wrong[places] = values[:, places].min(axis=0) == values[:, places].max(axis=0)
    if wrong.any():
        words, numbers = "have the same value in every row", {"constant": float(wrong.sum())}
        yield _of_features("constant_features", observed, wrong, "note", words, numbers)


def _of_features(
    name: str, observed: Observations, wrong: Array, severity: str, words: str, numbers: dict[str, float]
) -> Finding:
    features = tuple(observed.names[int(place)] for place in np.flatnonzero(wrong))
    evidence = f"{wrong.sum()} of {wrong.size} features {words}."
    return Finding.of(name, severity, evidence, numbers, features=features)


def unreachable_targets(observed: Observations) -> Iterator[Finding]:
    """Targets beyond the output's range."""
    (low, high), y = observed.output.range, observed.y
    beyond = unreachable(observed.output, y)
    share = float(beyond.any(axis=1).mean())
    if share:
        least, greatest = float(y.min()), float(y.max())
        evidence = (
            f"{share:.0%} of the rows have a target that {observed.output.name} cannot produce: its "
            f"outputs range from {low:g} to {high:g}, the targets from {least:.3g} to {greatest:.3g}."
        )
        severity, last = "problem" if share > 0.05 else "warning", len(observed.net.layers)
        numbers = {"share": share, "least": least, "greatest": greatest}
        yield Finding.of("unreachable_targets", severity, evidence, numbers, last, beyond.any(axis=0))


def _is_quantity(observed: Observations) -> bool:
    """Whether the output may be any large number, and the loss takes it as it is."""
    return observed.output.range[1] == math.inf and observed.net.loss.name != "poisson"


def unscaled_targets(observed: Observations) -> Iterator[Finding]:
    """Large targets that the output has to reach as they are."""
    size = rms(observed.y)
    if _is_quantity(observed) and size > LARGE[0]:
        low, high = observed.y.min(), observed.y.max()
        evidence = (
            f"The targets have a root mean square of {size:.3g}; they range from {low:.3g} to {high:.3g}."
        )
        severity = observed.milder(severity_of(size, LARGE))
        yield Finding.of("unscaled_targets", severity, evidence, {"rms": size}, len(observed.net.layers))


def labels_as_numbers(observed: Observations) -> Iterator[Finding]:
    """Few whole numbers from 0 or 1 on as targets: they may number classes."""
    values = np.unique(observed.y)
    few = 2 < len(values) <= 20 and len(observed.y) >= 5 * len(values) and observed.y.shape[1] == 1
    if few and _is_quantity(observed) and values[0] in (0, 1) and (np.diff(values) == 1).all():
        evidence = (
            f"The targets are the whole numbers {values[0]:g} to {values[-1]:g}, learned as a quantity."
        )
        numbers, last = {"values": len(values)}, len(observed.net.layers)
        yield Finding.of("labels_as_numbers", "note", evidence, numbers, last)


def class_imbalance(observed: Observations) -> Iterator[Finding]:
    """A class so frequent that accuracy flatters; worse if the network misses the rarest."""
    y = observed.y
    if not observed.names_classes or len(y) < 2 * FEW_ROWS:
        return
    true = class_codes(y)
    counts = np.bincount(true, minlength=max(2, y.shape[1]))
    majority, rarest = float(counts.max() / len(true)), int(counts.argmin())
    if majority < MAJORITY if len(counts) == 2 else counts.max() < RARER * counts[rarest]:
        return
    answers = class_codes(observed.trace.output)[true == rarest]
    recall = float((answers == rarest).mean()) if len(answers) else 1.0
    evidence = (
        f"{majority:.0%} of the rows are of class {counts.argmax()}, {len(answers)} of {len(true):,} of "
        f"class {rarest}{f'; the network gets {recall:.0%} of those right' * (len(answers) > 0)}."
    )
    numbers = {"majority": majority, "rarest": len(answers), "recall": recall}
    yield Finding.of("class_imbalance", "note" if recall >= 0.5 else "warning", evidence, numbers)

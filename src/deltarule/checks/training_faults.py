"""Faults of the training: the learning rate, a penalty, over- and underfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from deltarule.arrays import Array, class_codes
from deltarule.checks.finding import Finding, severity_of
from deltarule.checks.observations import FEW_ROWS, FITS_WELL, Observations, rms

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
#: A layer that makes its inputs smaller by this factor has little say.
SHRUNK = 0.1
#: Rows so few that a network with as many parameters should know them all, unless equal inputs have different
#: targets; it is stuck if the loss fell by less than this share of guessing in the last quarter of the way.
LEARNT_BY_HEART, AT_REST = 100, 0.01
#: How many neighbours of a row answer for it, and by what share of the rows they have to be better.
NEIGHBOURS, BETTER = 5, 0.05
#: How far from the loss of guessing (0) to the least possible (1): hardly, not at all.
HARDLY, NOT_AT_ALL = 0.05, 0.01

_too_high = partial(Finding.of, "learning_rate_too_high")


def learning_rate_too_high(observed: Observations) -> Iterator[Finding]:
    """A loss that breaks, climbs, leaps about or was thrown up."""
    loss = observed.column("loss")
    broken = np.flatnonzero(~np.isfinite(loss))
    found: Finding | None = None
    if len(broken):
        epoch = int(broken[0]) + 1
        found = _too_high("problem", f"The loss was not finite in epoch {epoch}.", {"epoch": epoch})
    elif len(loss) >= FEW_EPOCHS and observed.guess_in_history > 0:
        found = _climbed(observed, loss) or _spiked(observed, loss) or _thrown(observed, loss)
    if found:
        yield found


def _climbed(observed: Observations, loss: Array) -> Finding | None:
    before, last = _loss_before(observed), float(loss[-max(3, len(loss) // 10) :].mean())
    if last <= CLIMBED * max(before, observed.guess_in_history):
        return None
    evidence = f"The loss went up: from {before:.3g} to {last:.3g}."
    return _too_high("problem", evidence, {"first": before, "last": last})


def _spiked(observed: Observations, loss: Array) -> Finding | None:
    steps, guess = np.diff(loss), observed.guess_in_history
    rises, spikes = int((steps > 0).sum()), int((steps > SPIKE * guess).sum())
    share = spikes / len(loss)
    if spikes < 2 or share <= SPIKES[0]:
        return None
    evidence = (
        f"The loss rose in {rises} of {len(steps)} epochs, in {spikes} of them by more than "
        f"{SPIKE:.0%} of the loss of guessing ({guess:.3g}); it was {loss.max():.3g} at its worst and "
        f"{loss[-1]:.3g} at the end."
    )
    severity = "problem" if _thrown(observed, loss) else severity_of(share, SPIKES)
    return _too_high(severity, evidence, {"rises": rises, "spikes": spikes, "highest": loss.max()})


def _thrown(observed: Observations, loss: Array) -> Finding | None:
    before, highest = _loss_before(observed), float(loss.max())
    factor = highest / max(before, observed.guess_in_history)
    if factor <= THROWN[0]:
        return None
    evidence = f"The loss jumped from {before:.3g} to {highest:.3g} in epoch {loss.argmax() + 1}."
    severity = observed.milder(severity_of(factor, THROWN))
    return _too_high(severity, evidence, {"first": before, "highest": highest})


def _loss_before(observed: Observations) -> float:
    """The cost before training where the history knows the network it began with, else that of epoch 1."""
    start = getattr(observed.history, "start", None)
    if start is None:
        return float(observed.column("loss")[0])
    scale = len(observed.all_x) / len(observed.y) if observed.net.objective.reduction == "sum" else 1
    return float(start.net.cost(observed.x, observed.y)) * scale


def learning_rate_too_low(observed: Observations) -> Iterator[Finding]:
    """A loss that still falls steadily at the end."""
    loss = observed.column("loss")
    if len(loss) < FEW_EPOCHS or not np.isfinite(loss).all() or not observed.skill < FITS_WELL:
        return
    progress = _progress(observed, loss)
    late = slice(min(int(np.searchsorted(progress, 0.75)), len(loss) - FEW_EPOCHS // 2), None)
    fall, late_fall = float(loss[0] - loss[-1]), float(loss[late][0] - loss[-1])
    if fall <= 0 or late_fall < 1e-9 * abs(loss[0]):
        return
    speed = float(late_fall / fall * (progress[-1] - progress[0]) / (progress[-1] - progress[late][0]))
    if speed > STEADY and np.corrcoef(progress[late], loss[late])[0, 1] < STRAIGHT:
        share = late_fall / abs(loss[late][0])
        evidence = (
            f"In {len(loss)} epochs the loss went from {loss[0]:.4g} to {loss[-1]:.4g}. It was still falling "
            f"steadily: by {share:.2%} in the last quarter, at {speed:.0%} of its average speed."
        )
        numbers = {"first": loss[0], "last": loss[-1], "late_fall": share, "speed": speed}
        yield Finding.of("learning_rate_too_low", "warning", evidence, numbers)


def _progress(observed: Observations, loss: Array) -> Array:
    """How far training had come after each epoch, up to 1: epochs count by their learning rate."""
    rates = observed.column("learning_rate")
    progress = np.cumsum(rates if len(rates) == len(loss) and (rates > 0).all() else np.ones_like(loss))
    return progress / progress[-1]


def overfitting(observed: Observations) -> Iterator[Finding]:
    """A validation loss that turned up, or ended far above the training loss."""
    loss, held = observed.column("loss"), observed.column("val_loss")
    if len(held) < FEW_EPOCHS or len(held) != len(loss) or not np.isfinite([loss, held]).all():
        return
    width = max(1, len(held) // 20)
    smooth = np.convolve(held, np.ones(width) / width, "valid")
    best, rise, gap = int(smooth.argmin()), float(smooth[-1] - smooth.min()), float(held[-1] - loss[-1])
    turned_up = smooth[-1] > TURNED_UP * smooth[best] and rise > MATTERS * observed.guess_in_history
    epoch, severity = best + 1 + width // 2, "warning"
    if turned_up and loss[-1] < loss[best]:
        evidence = (
            f"The validation loss was best around epoch {epoch} ({smooth[best]:.3g}) and then rose to "
            f"{smooth[-1]:.3g}, while the training loss kept falling, from {loss[best]:.3g} to "
            f"{loss[-1]:.3g}."
        )
        severity = "note" if getattr(observed.history, "stopped", "") == "early" else severity
    elif gap > GAP * observed.guess_in_history:
        evidence = f"The validation loss ended at {held[-1]:.3g}, the training loss at {loss[-1]:.3g}."
    else:
        return
    yield Finding.of("overfitting", severity, evidence, {"best_epoch": epoch, "rise": rise, "gap": gap})


def penalty_too_strong(observed: Observations) -> Iterator[Finding]:
    """Weights pulled to 0: a layer multiplies by about RMS(W)·√n_in, which good weights keep near 1."""
    l1, l2 = observed.net.objective.l1, observed.net.objective.l2
    if not (l1 or l2) or not observed.trained or not observed.skill < HARDLY:
        return
    gains = [rms(layer.W) * math.sqrt(layer.dense.n_in) for layer in observed.net.layers]
    least = min(gains)
    if least < SHRUNK:
        evidence = f"With l1={l1:g}, l2={l2:g} the weights have shrunk until RMS(W)·√n_in is {least:.2g}."
        numbers, layer = {"gain": least, "l1": l1, "l2": l2}, gains.index(least) + 1
        yield Finding.of("penalty_too_strong", "problem", evidence, numbers, layer)


def stuck(observed: Observations) -> Iterator[Finding]:
    """A loss at rest above the least, where more can be learnt from the rows."""
    loss = observed.column("loss")
    if len(loss) < FEW_EPOCHS or not HARDLY <= observed.skill < FITS_WELL or not np.isfinite(loss).all():
        return
    late = loss[int(np.searchsorted(_progress(observed, loss), 0.75)) :]
    rests = late[0] - late[-1] < AT_REST * observed.guess_in_history
    if not rests or any(learning_rate_too_low(observed)):
        return
    more = _could_know_by_heart(observed) or _neighbours_do_better(observed)
    if not more:
        return
    evidence = (
        f"The loss has stopped improving at {loss[-1]:.3g}, {observed.skill:.0%} of the way from "
        f"guessing to the lowest possible loss, although {more}."
    )
    numbers = {"skill": observed.skill, "loss": float(loss[-1])}
    for number, step in enumerate(observed.trace[:-1], 1):
        n_neurons, own = step.a.shape[1], _own_answers(step.a)
        dead = int((step.a == 0).all(axis=0).sum())
        numbers[f"own_{number}"] = own
        said = f", {dead} never active" if dead else ""
        say = "computes something of its own" if own == 1 else "compute something of their own"
        evidence += f" Of the {n_neurons} neurons of layer {number}, {own} {say}{said}."
    yield Finding.of("stuck", "warning", evidence, numbers)


def _could_know_by_heart(observed: Observations) -> str:
    """Say so if the parameters are enough for the few rows, and nothing else keeps the network from them."""
    net = observed.net
    free = not net.objective.penalties and not any(layer.dense.dropout for layer in net.layers)
    enough = len(observed.all_x) <= LEARNT_BY_HEART and observed.y.size <= net.parameters.size
    if not (free and enough) or _contradicts(observed):
        return ""
    return f"{net.parameters.size} parameters are enough for {len(observed.y)} rows"


def _neighbours_do_better(observed: Observations) -> str:
    """Say so if the mean of the other rows nearest to each is clearly a better answer than the network's."""
    x, y, net = observed.x.astype(float), observed.y, observed.net
    if len(x) < 2 * FEW_ROWS or (x.shape == y.shape and np.array_equal(x, y)):
        return ""
    squares = (x * x).sum(axis=1)
    distance = squares - 2 * x @ x.T  # short of each row's own square, which orders nothing
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    theirs = np.clip(y[nearest].mean(axis=1), *net.objective.loss.domain).astype(y.dtype)
    if observed.names_classes:
        right = [class_codes(answers) == class_codes(y) for answers in (theirs, observed.trace.output)]
        gain = right[0].astype(float) - right[1]
        shown, margin = [f"right in {share.mean():.0%} of the rows" for share in right], BETTER
    else:
        losses = [net.objective.loss.terms(a, y).sum(axis=1) for a in (theirs, observed.trace.output)]
        gain = losses[1] - losses[0]
        shown, margin = [f"off by a loss of {loss.mean():.3g}" for loss in losses], BETTER * observed.guess
    if not gain.mean() > max(margin, 3 * gain.std() / math.sqrt(len(gain))):
        return ""
    return f"the mean of each row's {NEIGHBOURS} nearest neighbours is {shown[0]}, and the network {shown[1]}"


def _contradicts(observed: Observations) -> bool:
    """Whether equal inputs have different targets, which no network can learn."""
    inputs = len(np.unique(observed.x, axis=0))
    return inputs < len(np.unique(np.hstack([observed.x, observed.y]), axis=0))


def _own_answers(a: Array) -> int:
    """How many outputs of a layer (n_rows, n_neurons) are not sums of a constant and the others."""
    return int(np.linalg.matrix_rank(a - a.mean(axis=0), tol=1e-6 * max(1.0, float(np.abs(a).max()))))


def underfitting(observed: Observations) -> Iterator[Finding]:
    """A network that is no better than guessing, before training or after."""
    if observed.skill < HARDLY:
        name, severity = "untrained", "note"
        if observed.trained:
            name, severity = "underfitting", "problem" if observed.skill < NOT_AT_ALL else "warning"
        evidence = (
            f"The network is {max(observed.skill, 0):.1%} of the way from the loss of always giving "
            f"the same answer ({observed.guess:.4g}) to the lowest possible loss."
        )
        yield Finding.of(name, severity, evidence, {"skill": observed.skill, "guess": observed.guess})

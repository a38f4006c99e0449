"""The network in a program: layers, loss and samples, where its forward pass is a plain chain of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.chain import Chain, ReadStep, read_chain
from deltarule.diagnosis.reading.comparison import GradientComparison
from deltarule.diagnosis.recording.tape import Values
from deltarule.errors import InputError
from deltarule.nn.losses import LOSSES

#: The losses that comparisons speak of.
LOSS_NAMES = {
    "squared error": "half_squared_error",
    "binary cross-entropy": "binary_cross_entropy",
    "cross-entropy of softmax": "cross_entropy",
}
_MOST_PARAMETERS = 200_000
_MOST_SCALARS = 30_000_000


@dataclass(frozen=True, eq=False)
class ReadNetwork:
    """A program's network, as it was read from a recording of it.

    Parameters
    ----------
    sizes : tuple of int
        Of the layers, inputs first.
    activations : tuple of str
        Of each layer but the inputs.
    loss : str
        As in ``LOSSES``.
    l2 : float
        The penalty in the loss that the program computes.
    samples : int
        In one step.
    rate : float or None
        What the steps are the gradient times; None where they are no multiples of it.
    conventions : str
        How the program lays out its arrays, in words.
    scale : float
        How much greater the gradient of the comparison is than that of the loss here, summed over samples.
    steps : tuple of ReadStep
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    l2: float
    samples: int
    rate: float | None
    conventions: str
    scale: float
    steps: tuple[ReadStep, ...]

    @property
    def layers(self) -> str:
        """``3 → 4 (tanh) → 2 (softmax); W is (in, out)``: sizes, activations and conventions in words."""
        layers = [f"{n} ({name})" for n, name in zip(self.sizes[1:], self.activations, strict=True)]
        return f"{' → '.join([str(self.sizes[0]), *layers])}; {self.conventions}"


def read_network(analysis: Analysis) -> ReadNetwork | None:
    """Read a program's network; None where its forward pass is no plain chain of dense layers.

    What was read counts only if it computes the recorded sums and outputs again, and its gradients are
    those that the recording was compared with.
    """
    chosen = analysis.chosen
    if chosen is None or analysis.tape.size > _MOST_SCALARS:
        return None
    if sum(change.old.size for change in chosen.steps[0].changes) > _MOST_PARAMETERS:
        return None
    chains = [read_chain(analysis.tape, chosen, number) for number in range(len(chosen.steps))]
    names = _shared_names([one for one in chains if one is not None])
    if "softmax" in names[:-1]:  # its derivative has no slope for each neuron
        return None
    steps = [replace(one.step, activations=names) for one in chains if one is not None and names]
    if not steps or len({tuple(W.shape for W in one.W) for one in steps}) > 1:
        return None
    fitted = (fit_loss(steps, one) for one in (chosen, *analysis.others))
    found = next((one for one in fitted if one is not None), None)
    if found is None:
        return None
    loss, scale, l2 = found
    returned = all(change.is_returned for change in chosen.steps[0].changes)
    rates = [-one for one in chosen.common.values() if one and not returned]
    first = chains[0] or next(one for one in chains if one is not None)
    return ReadNetwork(
        (steps[0].x.shape[1], *(W.shape[1] for W in steps[0].W)),
        names, loss, l2, len(steps[0].x), rates[0] if rates else None, first.conventions, scale, tuple(steps),
    )  # fmt: skip


def _shared_names(chains: Sequence[Chain]) -> tuple[str, ...]:
    """The first activation of each layer that fits in all steps; nothing where none does."""
    found = []
    for options in zip(*(one.names for one in chains), strict=False):
        shared = [name for name in options[0] if all(name in some for some in options)]
        if not shared:
            return ()
        found.append(shared[0])
    return tuple(found)


def fit_loss(steps: Sequence[ReadStep], comparison: GradientComparison) -> tuple[str, float, float] | None:
    """Return (loss, scale, l2) with which a network's gradients are those of a comparison; None for none."""
    pairs = zip(comparison.steps, comparison.losses, strict=True)
    adjoints = {step.number: loss.adjoint for step, loss in pairs}
    steps = [one for one in steps if one.number in adjoints]
    usual = LOSS_NAMES.get(comparison.loss_name)
    for loss in [usual] if usual else ["half_squared_error", *LOSSES]:
        try:
            found = [_fit(one, loss, adjoints[one.number]) for one in steps]
        except InputError:
            continue
        first = found[0] if found else None
        fits = [one is not None and first and np.allclose(one, first, 1e-6, 1e-9) for one in found]
        if first is not None and all(fits):
            return loss, *first
    return None


def _fit(step: ReadStep, loss: str, adjoint: Values) -> tuple[float, float] | None:
    """(scale, l2) with which the adjoint of each parameter is its gradient here."""
    if step.wrong_output:
        return 1.0, 0.0
    mine, theirs, penalty = list[Array](), list[Array](), list[Array]()
    right = Backprop(step.case(loss)).gradients()
    for (dW, db), ids_W, ids_b, W in zip(right, step.ids_W, step.ids_b, step.W, strict=True):
        mine, theirs, penalty = [*mine, dW.ravel()], [*theirs, adjoint[ids_W].ravel()], [*penalty, W.ravel()]
        if ids_b is not None:
            mine.append(db if ids_b.size == db.size else db.sum(keepdims=True))
            theirs.append(adjoint[ids_b].ravel())
            penalty.append(np.zeros(ids_b.size))
    wanted, g, w = map(np.concatenate, (theirs, mine, penalty))
    for columns in (g[:, None], np.stack([g, w], axis=1)):
        solution = np.linalg.lstsq(columns, wanted, rcond=None)[0]
        rest = float(np.linalg.norm(columns @ solution - wanted))
        if rest <= 1e-7 * np.linalg.norm(wanted) and solution[0] > 0:
            return float(solution[0]), float(solution[1] / solution[0]) if len(solution) > 1 else 0.0
    return None

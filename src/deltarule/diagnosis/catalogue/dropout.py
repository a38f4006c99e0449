"""Dropout: mistakes with its mask and its factor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Dropped, Step, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake, only, wrong


def _going_back(change: Callable[[Array, Dropped], Array]) -> Step:
    """What stands for mask and factor going back, where anything is dropped."""

    def through_dropout(p: Backprop, layer: int, back: Array) -> Array:
        drop = p.case.dropped[layer]
        return back if drop is None else change(back, drop)

    return through_dropout


def _with_other_mask(back: Array, drop: Dropped, rescaled: bool = False) -> Array:
    """The mask that was observed going back, with the factor of the forward pass or with the other one."""
    if drop.back is None:
        raise Unfit
    other = 1 / (1 - drop.share) if drop.scale == 1 else 1.0
    return back * drop.back * (other if rescaled else drop.scale)


def _output_without(p: Backprop, masked: bool = False) -> Array:
    """``∂L/∂z`` of the output where nothing is dropped going forward; going back only if it is masked."""
    case = p.case
    if not any(case.dropped):
        raise Unfit
    p.case = Case(case.layers, case.objective, case.a[0], case.y, case.eta)
    if masked:
        p.case.dropped = case.dropped
    return Backprop.output_delta(p)


IN_DROPOUT: tuple[Mistake, ...] = (
    Mistake(
        key="dropout_mask_not_applied_backward",
        title="dropout's mask is not applied going back",
        why="A neuron that was dropped had no say in the output, so its gradient is 0. Here the "
        "gradient reaches it all the same, and the weights before it are moved for an output that "
        "they had no part in.",
        right="delta_l = (delta_{l+1} @ W_{l+1}.T) · mask_l / (1 − p) · f′(z_l)",
        remedy="Keep the mask of the forward pass, and multiply by it, and by the same factor, going back.",
        variants=(
            wrong(
                "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
                through_dropout=_going_back(lambda back, drop: back),
            ),
            wrong(
                "delta_l = (delta_{l+1} @ W_{l+1}.T) / (1 − p) · f′(z_l)",
                through_dropout=_going_back(lambda back, drop: back * drop.scale),
            ),
        ),
    ),
    Mistake(
        key="dropout_scaled_one_way",
        title="dropout is scaled in one direction only",
        why="What dropout multiplies by going forward, mask and factor, belongs into the chain rule "
        "going back. Here one direction has the factor 1/(1 − p), the other does not, or has it "
        "twice.",
        right="a_l · mask / (1 − p) going forward,  · mask / (1 − p) going back",
        remedy="Divide the mask itself once, mask = mask / (1 − p), and multiply by it in both directions.",
        variants=(
            wrong(
                "a_l · mask / (1 − p) going forward,  · mask going back",
                through_dropout=_going_back(lambda back, drop: only(drop.scale != 1, back * drop.mask)),
            ),
            wrong(
                "a_l · mask going forward,  · mask / (1 − p) going back",
                through_dropout=_going_back(
                    lambda back, drop: only(drop.scale == 1, back * drop.mask / (1 - drop.share))
                ),
            ),
            wrong(
                "a_l · mask / (1 − p) going forward,  · mask / (1 − p)² going back",
                through_dropout=_going_back(
                    lambda back, drop: only(drop.scale != 1, back * drop.mask * drop.scale**2)
                ),
            ),
        ),
    ),
    Mistake(
        key="dropout_other_mask_backward",
        title="going back, dropout has another mask",
        why="The gradient must pass the neurons that were kept in the forward pass. Here it passes "
        "others: the mask is drawn anew in the backward pass, or is used in the backward pass "
        "alone.",
        right="mask of the forward pass, kept for the backward pass",
        remedy="Draw a mask once for each forward pass, keep it, and use it in both directions.",
        variants=(
            wrong(
                "mask = rng.random(a.shape) >= p   once more, in the backward pass",
                through_dropout=_going_back(_with_other_mask),
            ),
            wrong(
                "mask = rng.random(a.shape) >= p   once more, and with another factor",
                through_dropout=_going_back(lambda back, drop: _with_other_mask(back, drop, True)),
            ),
            wrong(
                "a_l going forward,  · mask going back", output_delta=partial(_output_without, masked=True)
            ),
        ),
    ),
    Mistake(
        key="dropout_slope_of_dropped",
        title="f′ of the activation after dropout",
        why="The slope belongs to the neuron's own output. Once that is overwritten by what dropout "
        "leaves of it, divided by 1 − p, a·(1 − a) or 1 − a² gives another number.",
        right="d = a · mask / (1 − p);  …  a·(1 − a)   with a before dropout",
        remedy="Keep both: what the neuron gave (for its slope), and what dropout left of it (for the "
        "next layer).",
        variants=(
            wrong(
                "a = a · mask / (1 − p);  …  a·(1 − a)   with this a",
                slope=lambda p, layer: p.case.slope(layer, p.case.z[layer], p.case.x[layer + 1]),
            ),
        ),
    ),
    Mistake(
        key="dropout_has_no_effect",
        title="dropout does nothing",
        why="Nothing is ever dropped: the mask is made but not used, or dropout is switched off in training.",
        right="z_{l+1} = (a_l · mask / (1 − p)) @ W_{l+1} + b_{l+1}",
        remedy="Multiply the activations by the mask in the forward pass of training.",
        variants=(wrong("z_{l+1} = a_l @ W_{l+1} + b_{l+1}", output_delta=_output_without),),
    ),
)

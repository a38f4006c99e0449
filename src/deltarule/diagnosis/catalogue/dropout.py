"""Dropout: mistakes with its mask and its factor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Dropped, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake, Variant, only, wrong


def _going_back(line: str, change: Callable[[Array, Dropped], Array]) -> Variant:
    """Something else in the place of mask and factor going back, where anything is dropped."""

    def through_dropout(p: Backprop, layer: int, back: Array) -> Array:
        drop = p.case.dropped[layer]
        return back if drop is None else change(back, drop)

    return wrong(line, through_dropout=through_dropout)


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
        title="the dropout mask is not applied in the backward pass",
        why="A dropped neuron has no influence on the output, so its gradient is 0. Here it receives a "
        "gradient all the same, and the weights before it are updated for an output that they did not "
        "affect.",
        right="delta_l = (delta_{l+1} @ W_{l+1}.T) · mask_l / (1 − p) · f′(z_l)",
        remedy="Keep the mask of the forward pass and, in the backward pass, multiply by the same mask and "
        "the same factor.",
        variants=(
            _going_back("delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)", lambda back, drop: back),
            _going_back(
                "delta_l = (delta_{l+1} @ W_{l+1}.T) / (1 − p) · f′(z_l)",
                lambda back, drop: back * drop.scale,
            ),
        ),
    ),
    Mistake(
        key="dropout_scaled_one_way",
        title="dropout is scaled in one pass only",
        why="Whatever dropout multiplies by in the forward pass, mask and factor, belongs in the chain "
        "rule of the backward pass. Here the factor 1/(1 − p) appears in one pass but not in the "
        "other, or twice in one of them.",
        right="forward: a_l · mask / (1 − p),  backward: · mask / (1 − p)",
        remedy="Divide the mask itself once, mask = mask / (1 − p), and multiply by it in both passes.",
        variants=(
            _going_back(
                "forward: a_l · mask / (1 − p),  backward: · mask",
                lambda back, drop: only(drop.scale != 1, back * drop.mask),
            ),
            _going_back(
                "forward: a_l · mask,  backward: · mask / (1 − p)",
                lambda back, drop: only(drop.scale == 1, back * drop.mask / (1 - drop.share)),
            ),
            _going_back(
                "forward: a_l · mask / (1 − p),  backward: · mask / (1 − p)²",
                lambda back, drop: only(drop.scale != 1, back * drop.mask * drop.scale**2),
            ),
        ),
    ),
    Mistake(
        key="dropout_other_mask_backward",
        title="a different dropout mask in the backward pass",
        why="The gradient must flow through the neurons that the forward pass kept. Here it flows through "
        "others: the mask is drawn again in the backward pass, or is used in the backward pass only.",
        right="the mask of the forward pass, kept for the backward pass",
        remedy="Draw one mask in each forward pass, keep it, and use it in both passes.",
        variants=(
            _going_back("mask = rng.random(a.shape) >= p   again, in the backward pass", _with_other_mask),
            _going_back(
                "mask = rng.random(a.shape) >= p   again, with a different factor",
                partial(_with_other_mask, rescaled=True),
            ),
            wrong("forward: a_l,  backward: · mask", output_delta=partial(_output_without, masked=True)),
        ),
    ),
    Mistake(
        key="dropout_slope_of_dropped",
        title="f′ of the activation after dropout",
        why="The slope is that of the neuron's own output. Once that output has been overwritten by its "
        "dropped-out value, divided by 1 − p, the formula a·(1 − a) or 1 − a² gives a different "
        "number.",
        right="d = a · mask / (1 − p);  …  a·(1 − a)   with a before dropout",
        remedy="Keep both: the neuron's output (for its slope) and what dropout leaves of it (for the next "
        "layer).",
        variants=(
            wrong(
                "a = a · mask / (1 − p);  …  a·(1 − a)   with this a",
                slope=lambda p, layer: p.case.slope(layer, p.case.z[layer], p.case.x[layer + 1]),
            ),
        ),
    ),
    Mistake(
        key="dropout_has_no_effect",
        title="dropout has no effect",
        why="Nothing is ever dropped: the mask is computed but not used, or dropout is switched off "
        "during training.",
        right="z_{l+1} = (a_l · mask / (1 − p)) @ W_{l+1} + b_{l+1}",
        remedy="Multiply the activations by the mask in the forward pass during training.",
        variants=(wrong("z_{l+1} = a_l @ W_{l+1} + b_{l+1}", output_delta=_output_without),),
    ),
)

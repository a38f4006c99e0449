"""Dropout: mistakes with its mask and its factor, in gradients and in predictions."""

from __future__ import annotations

from deltarule.arrays import Array
from deltarule.diagnosis.backprop import Backprop, Case, Dropped, Unfit
from deltarule.diagnosis.catalogue.entry import Mistake


def through_dropout(kind: str) -> type[Backprop]:
    """Going back, the mask or its factor is missing, or the factor is there twice."""

    class ThroughDropout(Backprop):
        def through_dropout(self, layer: int, back: Array) -> Array:
            drop = self.case.dropped[layer]
            if drop is None or kind == "nothing":
                return back
            if (kind == "scaled") != (drop.scale == 1):
                raise Unfit
            made_up = 1 / (1 - drop.share)
            return {
                "scale only": back * drop.scale,
                "mask only": back * drop.mask,
                "scaled": back * drop.mask * made_up,
                "scaled twice": back * drop.mask * drop.scale**2,
            }[kind]

    return ThroughDropout


class OtherMask(Backprop):
    """Going back, the mask that was observed there, with the factor of the forward pass."""

    def through_dropout(self, layer: int, back: Array) -> Array:
        drop = self.case.dropped[layer]
        if drop is None:
            return back
        if drop.back is None:
            raise Unfit
        return back * drop.back * self.factor(drop)

    def factor(self, drop: Dropped) -> float:
        """What it is scaled by."""
        return drop.scale


class OtherMaskScaled(OtherMask):
    """The same with the factor that makes up for dropping, or without, where the forward pass has it."""

    def factor(self, drop: Dropped) -> float:
        """What it is scaled by."""
        return 1 / (1 - drop.share) if drop.scale == 1 else 1.0


class NothingDropped(Backprop):
    """Forward and back without dropout."""

    def __init__(self, case: Case) -> None:
        if not any(case.dropped):
            raise Unfit
        super().__init__(Case(case.layers, case.objective, case.a[0], case.y, case.eta))
        self.masked = case


class MaskOnlyBackward(NothingDropped):
    """Dropout is left out in the forward pass only."""

    def through_dropout(self, layer: int, back: Array) -> Array:
        drop = self.masked.dropped[layer]
        return back if drop is None else back * drop.mask * drop.scale


class SlopeOfDropped(Backprop):
    """f′ computed from what dropout left of the activation."""

    def slope(self, layer: int) -> Array:
        case = self.case
        return case.slope(layer, case.z[layer], case.x[layer + 1])


IN_DROPOUT: tuple[Mistake, ...] = (
    Mistake(
        "dropout_mask_not_applied_backward",
        "dropout's mask is not applied going back",
        "A neuron that was dropped had no say in the output, so its gradient is 0. Here the gradient reaches "
        "it all the same, and the weights before it are moved for an output that they had no part in.",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
        "delta_l = (delta_{l+1} @ W_{l+1}.T) · mask_l / (1 − p) · f′(z_l)",
        "Keep the mask of the forward pass, and multiply by it, and by the same factor, going back.",
        (through_dropout("nothing"), through_dropout("scale only")),
        (
            "delta_l = (delta_{l+1} @ W_{l+1}.T) · f′(z_l)",
            "delta_l = (delta_{l+1} @ W_{l+1}.T) / (1 − p) · f′(z_l)",
        ),
    ),
    Mistake(
        "dropout_scaled_one_way",
        "dropout is scaled in one direction only",
        "What dropout multiplies by going forward, mask and factor, belongs into the chain rule going back. "
        "Here one direction has the factor 1/(1 − p), the other does not, or has it twice.",
        "a_l · mask / (1 − p),   but going back  · mask",
        "a_l · mask / (1 − p) going forward,  · mask / (1 − p) going back",
        "Divide the mask itself once, mask = mask / (1 − p), and multiply by it in both directions.",
        (
            through_dropout("mask only"),
            through_dropout("scaled"),
            through_dropout("scaled twice"),
        ),
        (
            "a_l · mask / (1 − p) going forward,  · mask going back",
            "a_l · mask going forward,  · mask / (1 − p) going back",
            "a_l · mask / (1 − p) going forward,  · mask / (1 − p)² going back",
        ),
    ),
    Mistake(
        "dropout_other_mask_backward",
        "going back, dropout has another mask",
        "The gradient must pass the neurons that were kept in the forward pass. Here it passes others: the "
        "mask is drawn anew in the backward pass, or is used in the backward pass alone.",
        "mask = rng.random(a.shape) >= p   (again, in the backward pass)",
        "mask of the forward pass, kept for the backward pass",
        "Draw a mask once for each forward pass, keep it, and use it in both directions.",
        (OtherMask, OtherMaskScaled, MaskOnlyBackward),
        (
            "mask = rng.random(a.shape) >= p   once more, in the backward pass",
            "mask = rng.random(a.shape) >= p   once more, and with another factor",
            "a_l going forward,  · mask going back",
        ),
    ),
    Mistake(
        "dropout_slope_of_dropped",
        "f′ of the activation after dropout",
        "The slope belongs to the neuron's own output. Once that is overwritten by what dropout leaves of "
        "it, divided by 1 − p, a·(1 − a) or 1 − a² gives another number.",
        "a = a · mask / (1 − p);  …  a·(1 − a)   with this a",
        "d = a · mask / (1 − p);  …  a·(1 − a)   with a before dropout",
        "Keep both: what the neuron gave (for its slope), and what dropout left of it (for the next layer).",
        (SlopeOfDropped,),
    ),
    Mistake(
        "dropout_has_no_effect",
        "dropout does nothing",
        "Nothing is ever dropped: the mask is made but not used, or dropout is switched off in training.",
        "z_{l+1} = a_l @ W_{l+1} + b_{l+1}",
        "z_{l+1} = (a_l · mask / (1 − p)) @ W_{l+1} + b_{l+1}",
        "Multiply the activations by the mask in the forward pass of training.",
        (NothingDropped,),
    ),
    Mistake(
        "dropout_scaled_wrongly",
        "dropout is scaled by the wrong number",
        "Where a share p is dropped, 1 − p is kept, and a sum over the kept ones is smaller by that factor: "
        "dividing by 1 − p makes up for it. Dividing by p, or multiplying by 1 − p, does not.",
        "a · mask / p,   or  a · mask · (1 − p)",
        "a · mask / (1 − p)   where p is the share that is dropped",
        "Settle whether p is the share dropped or the share kept; then divide by the share kept.",
        (),
    ),
    Mistake(
        "dropout_not_scaled",
        "dropout is not made up for",
        "With all neurons at work, predictions get larger sums than the network was trained on. Either "
        "training divides by the share kept (inverted dropout), or predictions multiply by it; here neither "
        "is done.",
        "a · mask in training,  a in predictions",
        "a · mask / (1 − p) in training,  a in predictions",
        "Divide by 1 − p in training; then predictions need no dropout at all.",
        (),
    ),
    Mistake(
        "dropout_scaled_twice",
        "dropout is made up for twice",
        "Training divides by 1 − p already, and predictions multiply by 1 − p as well: they get smaller sums "
        "than the network was trained on.",
        "a · mask / (1 − p) in training,  a · (1 − p) in predictions",
        "a · mask / (1 − p) in training,  a in predictions",
        "Do one of the two; dividing in training leaves predictions as they are.",
        (),
    ),
    Mistake(
        "dropout_active_at_test",
        "dropout is at work in predictions",
        "Neurons are dropped when the network is asked for its answer: each call answers something else, and "
        "worse.",
        "predict(X):  a = f(z) · mask / (1 − p)",
        "predict(X):  a = f(z)",
        "Drop in training only: give forward a flag training=False, and leave dropout out where it is False.",
        (),
    ),
)

"""Mistakes that show in how the code behaves: no backward pass has them."""

from __future__ import annotations

from deltarule.diagnosis.catalogue.entry import Mistake

IN_BEHAVIOUR: tuple[Mistake, ...] = (
    Mistake(
        "gradients_accumulate",
        "gradients add up from call to call",
        "Arrays that hold gradients are made once and added to at every call; or one list is shared by "
        "all layers.",
        "self.dW += …   (never set to 0)",
        "dW = zeros_like(W) at the beginning of each backward pass",
        "Begin each backward pass with zeros, and make copies where a list is to be kept.",
        (),
    ),
    Mistake(
        "changes_its_inputs",
        "the arrays passed in are changed",
        "Weights or samples are worked on in place: the caller's arrays change too, and a second call, or a "
        "check by finite differences, starts from other numbers.",
        "W -= eta * dW   (on the caller's array)",
        "W = W - eta * dW",
        "Return gradients and leave the arguments alone, or work on copies.",
        (),
    ),
    Mistake(
        "softmax_overflows",
        "the softmax overflows",
        "For large z, e^z is infinite, and infinity by infinity is NaN. Or the greatest z of the whole array "
        "was taken away, so that rows with smaller ones become 0 by 0.",
        "e = exp(z)",
        "e = exp(z − z.max(axis=1, keepdims=True))",
        "Take away each row's own greatest z: the softmax does not change.",
        (),
    ),
)

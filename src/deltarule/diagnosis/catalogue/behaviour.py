"""Mistakes that show in how the code behaves: no backward pass has them."""

from __future__ import annotations

from deltarule.diagnosis.catalogue.entry import Mistake

IN_BEHAVIOUR: tuple[Mistake, ...] = (
    Mistake(
        key="gradients_accumulate",
        title="gradients add up from call to call",
        why="Arrays that hold gradients are made once and added to at every call; or one list is shared by "
        "all layers.",
        wrong="self.dW += …   (never set to 0)",
        right="dW = zeros_like(W) at the beginning of each backward pass",
        remedy="Begin each backward pass with zeros, and make copies where a list is to be kept.",
    ),
    Mistake(
        key="changes_its_inputs",
        title="the arrays passed in are changed",
        why="Weights or samples are worked on in place: the caller's arrays change too, and a second call, "
        "or a check by finite differences, starts from other numbers.",
        wrong="W -= eta * dW   (on the caller's array)",
        right="W = W - eta * dW",
        remedy="Return gradients and leave the arguments alone, or work on copies.",
    ),
)

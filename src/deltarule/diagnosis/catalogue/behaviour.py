"""Mistakes that show in how the code behaves: no backward pass has them."""

from __future__ import annotations

from deltarule.diagnosis.catalogue.entry import Mistake

IN_BEHAVIOUR: tuple[Mistake, ...] = (
    Mistake(
        key="gradients_accumulate",
        title="gradients accumulate from call to call",
        why="The arrays that hold the gradients are created once and added to in every call, or all "
        "layers share one list.",
        wrong="self.dW += …   (never set to 0)",
        right="dW = zeros_like(W) at the beginning of each backward pass",
        remedy="Start each backward pass with zeros, and copy a list that has to be kept.",
    ),
    Mistake(
        key="changes_its_inputs",
        title="the caller's arrays are modified",
        why="Weights or samples are modified in place, so the caller's arrays change too: a second call, "
        "or a gradient check by finite differences, starts from different numbers.",
        wrong="W -= eta * dW   (on the caller's array)",
        right="W = W - eta * dW",
        remedy="Return the gradients and leave the arguments alone, or work on copies.",
    ),
)

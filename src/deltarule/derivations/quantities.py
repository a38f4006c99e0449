"""The quantities of a forward and backward pass, as leaves of formulas that no notation has named yet."""

from __future__ import annotations

from deltarule.formula.tree import Expr


class Quantity(Expr):
    """One number of a pass: its kind, layer (from 1; the inputs are layer 0), index, and sample.

    ======== ===============================================================================
    a        output of a neuron; in layer 0 an input
    x        input of a layer after dropout; mask: what dropout multiplied it with
    z        weighted input of a neuron
    W, b     a weight (from, to); a bias (neuron), or () where the layer shares one
    y        a target
    term, E  the loss of one output, and of a sample
    L        the cost: all samples, and penalties
    delta    ∂L/∂z
    new      a parameter after the update (layer and index as W or b have them)
    ======== ===============================================================================
    """

    def __init__(self, kind: str, layer: int = 0, index: tuple[int, ...] = (), sample: int = 0) -> None:
        self.kind, self.layer, self.index, self.sample = kind, layer, index, sample

    def at(self, kind: str) -> Quantity:
        """Return the quantity of another kind at the same neuron, for the same sample."""
        return Quantity(kind, self.layer, self.index, self.sample)


class Rate(Expr):
    """∂top/∂by: how one quantity changes with another."""

    def __init__(self, top: Quantity, by: Quantity) -> None:
        self.top, self.by = top, by

    @property
    def parts(self) -> list[Expr]:
        """None: a leaf, for what it is made of has no value of its own here."""
        return []


class Path(Expr):
    """What ∂cost/∂a of the first neuron receives by way of the others: ``neurons`` as (layer, index)."""

    def __init__(self, neurons: tuple[tuple[int, int], ...], sample: int = 0) -> None:
        self.neurons, self.sample = neurons, sample

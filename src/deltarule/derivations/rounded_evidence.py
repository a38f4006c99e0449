"""The values of a pass worked out by hand: every intermediate result is rounded."""

from __future__ import annotations

import math

import numpy as np

from deltarule.derivations.definitions import Definitions, is_opaque
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.quantities import Quantity
from deltarule.formula.tree import Expr


class RoundedEvidence:
    """The value of each quantity where every step is rounded, as people do by hand.

    ``evidence`` is for what is given, and for what has no formula; so many ``decimals`` are kept.
    """

    def __init__(self, evidence: Evidence, decimals: int) -> None:
        self.evidence, self.decimals = evidence, decimals
        self.definitions = Definitions(evidence)
        self._known: dict[Expr, float] = {}
        layers = range(1, evidence.n_layers + 1)
        for sample in range(evidence.n_samples):  # so that no number waits for a whole network of others
            for layer in layers:
                self(Quantity("a", layer, (0,), sample))
            for layer in reversed(layers):
                self(Quantity("delta", layer, (0,), sample))

    def __call__(self, leaf: Expr) -> float:
        """The rounded number; what it is computed from has been rounded before."""
        return self._known[leaf] if leaf in self._known else self.settle(leaf, self.definitions(leaf))

    def settle(self, leaf: Expr, formula: Expr | None) -> float:
        """Work ``leaf`` out by this formula, and remember the result."""
        value = math.nan
        if formula is not None and not is_opaque(formula):
            with np.errstate(all="ignore"):
                value = float(formula.value(self))
        if not math.isfinite(value):
            value = self.evidence(leaf)
        self._known[leaf] = round(value, self.decimals)
        return self._known[leaf]

"""Derivations: where every number comes from, symbol by symbol, with the user's own numbers."""

from deltarule.derivations.derivation import Derivation
from deltarule.derivations.explaining import explain, explain_update

__all__ = ["Derivation", "explain", "explain_update"]

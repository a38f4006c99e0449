"""Derivations: where every number comes from, symbol by symbol, with the user's own numbers."""

from deltarule.explain.derivation import Derivation
from deltarule.explain.explain import explain, explain_update

__all__ = ["Derivation", "explain", "explain_update"]

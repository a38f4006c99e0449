"""Derivations: where every number comes from, symbol by symbol, with the user's own numbers.

Reading order: quantities, definitions (their formulas), evidence and rounded_evidence (their numbers),
notation (their names), line_writer; targets; row_origins, forward, paths, gradients, layers, updates,
update_causes (the parts of a derivation); network_drawing, derivation, builder, explaining; inspection.
"""

from deltarule.derivations.derivation import Derivation
from deltarule.derivations.explaining import explain, explain_update

__all__ = ["Derivation", "explain", "explain_update"]

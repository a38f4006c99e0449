"""Formulas as trees, and how they are written: as text, LaTeX, MathML, JSON, and for spreadsheets.

Reading order: tree; numbers, emitter (what all have in common); text, latex, mathml, spoken, json, excel.
"""

from deltarule.formula import latex, text  # so that every formula prints itself

__all__ = ["latex", "text"]

"""Formulas as trees, and how they are written: text, LaTeX, MathML, Typst, JSON."""

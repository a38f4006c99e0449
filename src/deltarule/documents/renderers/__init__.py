"""A document in each format.

Reading order: renderer (what those that write text have in common), text; aligned_formulas, figure_tables,
latex, markdown; html; json, pdf, figure_files.
"""

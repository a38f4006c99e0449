"""Documents: text, formulas and drawings, written as text, Markdown, HTML, LaTeX, PDF and JSON.

Reading order: document, drawing, svg, sketch, renderers.
"""

"""Documents: text, formulas and drawings, written as text, Markdown, HTML, LaTeX, PDF and JSON.

Reading order: drawing, document; asset_files, svg_layout, svg_style, svg and sketch (a drawing as a picture,
and in a terminal); renderers.
"""

"""Documents: text, formulas and drawings, written as text, Markdown, HTML, LaTeX, PDF and JSON.

Reading order: plain_table; drawing, document; asset_files, svg_layout, svg_style, svg (a drawing as a
picture); sketch_figure, sketch (in a terminal); renderers.
"""

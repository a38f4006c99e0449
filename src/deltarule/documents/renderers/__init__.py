"""A document in each format: text, LaTeX, Markdown, HTML, JSON, PDF."""

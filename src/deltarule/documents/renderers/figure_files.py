"""A drawing as a file of its own, for slides and papers."""

from __future__ import annotations

from deltarule.documents.document import Document, Figure
from deltarule.documents.drawing import Drawing
from deltarule.documents.renderers.pdf import pages
from deltarule.documents.svg import svg

#: The formats, by the ending of a file's name.
FIGURE_FORMATS = {"svg": ".svg", "pdf": ".pdf", "png": ".png"}


def figure_file(drawing: Drawing, format: str) -> bytes:
    """The drawing alone, on a page of its own size.

    Raises MissingExtraError if Typst is not installed, for all but SVG.
    """
    if format == "svg":
        return (svg(drawing, dark=False) + "\n").encode()
    return pages(Document("Neural network", (Figure(drawing),), paper="drawing"), format)

"""A derivation: a document about a network's numbers, in every format."""

from __future__ import annotations

import os
from collections.abc import Mapping

from deltarule.documents.document import Document
from deltarule.documents.plain_table import json_text
from deltarule.documents.renderers.html import fragment, html
from deltarule.documents.renderers.json import document_data
from deltarule.documents.renderers.latex import latex_document
from deltarule.documents.renderers.markdown import markdown
from deltarule.documents.renderers.pdf import pdf
from deltarule.documents.renderers.text import text_document
from deltarule.errors import InputError
from deltarule.files import format_of, write_atomically

#: The formats, by the ending of a file's name.
FORMATS = {
    "text": ".txt",
    "latex": ".tex",
    "markdown": ".md",
    "html": ".html",
    "json": ".json",
    "pdf": ".pdf",
}


class Derivation:
    """How a number is computed, step by step; it prints as text and displays itself in notebooks.

    Attributes
    ----------
    document : Document
        What it consists of.
    values : dict of str to float
        Every quantity that has a line, by its printed name, at full precision.

    Examples
    --------
    >>> from deltarule.nn.network import Network
    >>> from deltarule.derivations import explain
    >>> net = Network([1, 1], output="sigmoid", loss="half_squared_error", bias="none")
    >>> net.set_weights({"w1": 0.5})
    >>> derivation = explain(net, [[2.0]], [[1.0]], "w1", digits=4)
    >>> round(derivation.values["∂out_o1/∂net_o1"], 4)
    0.1966
    """

    def __init__(self, document: Document, values: Mapping[str, float]) -> None:
        self.document, self.values = document, dict(values)

    def text(self, columns: int = 100, ascii: bool = False, colours: bool = False) -> str:
        """As text, at most ``columns`` wide unless a formula cannot be broken; with colours on request."""
        return text_document(self.document, columns, ascii, colours)

    def latex(self, standalone: bool = True) -> str:
        """As LaTeX: a whole article, or only its body."""
        return latex_document(self.document, standalone)

    def markdown(self) -> str:
        """As Markdown with LaTeX formulas, for GitHub and notebooks."""
        return markdown(self.document)

    def html(self) -> str:
        """As one self-contained page with MathML, its font and a picture of the network, without scripts."""
        return html(self.document)

    def json(self) -> str:
        """As data: the trees of all formulas, with numbers at full precision."""
        return json_text(document_data(self.document)) + "\n"

    def pdf(self) -> bytes:
        """As pages to print, typeset by Typst.

        Raises
        ------
        MissingExtraError
            If typst is not installed.
        """
        return pdf(self.document)

    def to(self, format: str) -> bytes:
        """The derivation in one of ``FORMATS``, as a file's content."""
        if format not in FORMATS:
            raise InputError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
        made: str | bytes = getattr(self, format)()
        return made.encode() if isinstance(made, str) else made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, atomically; the ending of the name chooses the format.

        Raises
        ------
        InputError
            If no format has this ending, or the path cannot be written.
        """
        format = format_of(path, FORMATS)
        if format is None:
            raise InputError(f"{os.fspath(path)}: expected a name that ends in {', '.join(FORMATS.values())}")
        write_atomically(path, self.to(format))

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return fragment(self.document, plain=self.text())

    def _repr_markdown_(self) -> str:
        return self.markdown()

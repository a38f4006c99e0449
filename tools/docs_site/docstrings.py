"""What mkdocstrings does not know of the docstrings: names in roles (``:func:`train```) become links."""

from __future__ import annotations

from typing import Any

import griffe

from docs_site.pages import with_links


class Docstrings(griffe.Extension):
    """Rewrites the docstrings of all objects before they are read."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Rewrite one."""
        if obj.docstring is not None:
            obj.docstring.value = with_links(obj.docstring.value)

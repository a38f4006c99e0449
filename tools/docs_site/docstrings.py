"""What mkdocstrings does not know about the code: names in roles become links, records have signatures."""

from __future__ import annotations

import inspect
from typing import Any

import griffe

import deltarule
from docs_site.pages import with_links


class Docstrings(griffe.Extension):
    """Rewrites the docstrings of all objects before they are read, and takes records for dataclasses."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Rewrite one."""
        if obj.docstring is not None:
            if "…" in map(str.strip, obj.docstring.lines):  # the package fills it in when it is imported
                obj.docstring.value = inspect.getdoc(getattr(deltarule, obj.name)) or ""
            obj.docstring.value = with_links(obj.docstring.value)

    def on_class_instance(self, *, cls: griffe.Class, **others: Any) -> None:
        """Let a class that ``record`` makes have the parameters that its fields are."""
        if any(str(one.value) == "record" for one in cls.decorators):
            name = griffe.ExprName("dataclasses.dataclass")
            cls.decorators.append(griffe.Decorator(name, lineno=None, endlineno=None))

    def on_attribute_instance(self, *, attr: griffe.Attribute, **others: Any) -> None:
        """Let a hyperparameter have its default, without its limits and its symbol."""
        if isinstance(attr.value, griffe.ExprCall) and str(attr.value.function) == "hyperparameter":
            attr.value = attr.value.arguments[0]

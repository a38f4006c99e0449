"""Kinds of options that several sub-commands take."""

from __future__ import annotations

import re
from pathlib import Path

import click

#: A file to read or to write.
FILE = click.Path(path_type=Path)


def activations(text: str) -> str | list[str]:
    """One name for all hidden layers, or one for each: ``relu,leaky_relu(0.2)``."""
    names = [name.strip() for name in re.split(r",(?![^(]*\))", text)]
    return names if len(names) > 1 else names[0]


def sizes(text: str) -> tuple[int, ...]:
    """``20,20`` as (20, 20); ``0`` as ()."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"expected numbers of neurons such as 20,20, got {text!r}") from None
    if numbers == (0,):
        return ()
    if min(numbers) < 1:
        raise click.BadParameter(f"a layer has at least one neuron, got {text!r}")
    return numbers

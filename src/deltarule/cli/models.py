"""Saved models and worked examples, as sub-commands need them."""

from __future__ import annotations

from pathlib import Path

from deltarule.encoding import Encoding
from deltarule.errors import ModelFileError
from deltarule.network import Network
from deltarule.tutorials import example_names

__all__ = ["is_example", "load_model"]


def load_model(path: Path) -> tuple[Network, Encoding]:
    """A saved network with its encoding, without which raw rows mean nothing to it."""
    net = Network.load(path)
    if net.encoding is None:
        raise ModelFileError(
            f"{path} holds no encoding of inputs and targets: it was not saved by deltarule train"
        )
    return net, net.encoding


def is_example(source: str) -> bool:
    """Whether a source is a worked example: one that comes with the package, or a .toml file."""
    return source in example_names() or source.lower().endswith(".toml")
